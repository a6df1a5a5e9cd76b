//! The credentials of one account: fetched once, shared by its sources, renewed before they end and after a denial.
//!
//! [`super::cognito`] asks for them before each call, so that a slow source of credentials does not use up the
//! time of the request, and so that a missing key is not taken for a broken network. The SDK then signs with the
//! same ones.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use cognito_import_watch_core::domain::AccountId;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::chain;
use super::classify::{Renewal, is_passing};
use super::failure::{CredentialsFault, Given, of_credentials};
use super::settings::Credentials;

/// The longest that a source of credentials is waited for, all its tries together.
pub const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(30);

/// Credentials are renewed this long before they end.
const MARGIN: Duration = Duration::from_secs(60);

/// After a denial the files are read again, at most this often.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);

/// What is denied is asked about once more after a second, and that one is to be a new try.
const SECOND_TRY: Duration = Duration::from_millis(900);

/// The credentials of one account.
pub(super) struct Account {
    credentials: Credentials,
    profile: Option<String>,
    renewal: Renewal,
    config: SdkConfig,
    http: SharedHttpClient,
    clock: SharedTimeSource,
    state: Mutex<State>,
    known: RwLock<Known>,
}

struct State {
    /// `None` when the next to ask must build it anew.
    provider: Option<SharedCredentialsProvider>,
    keys: Option<Keys>,
    /// The last failure, for those who ask before it is worth another try.
    failure: Option<Failed>,
    renewed: Option<Instant>,
}

/// Credentials that could not be had.
struct Failed {
    fault: CredentialsFault,
    when: Instant,
    /// Refusals without anything else between them.
    in_a_row: u32,
}

impl Failed {
    /// Whether who asked at this time is told the same without another try: one who waited for it, one who asks sooner
    /// than a denial is asked about again, and after two refusals whoever asks within a minute. The jobs of an account
    /// may be thousands, and each would have its files read and STS asked.
    fn serves(&self, asked: Instant) -> bool {
        let holds = match self.in_a_row {
            0 => Duration::ZERO,
            1 => SECOND_TRY,
            2.. => RENEWAL_INTERVAL,
        };
        asked <= self.when || asked.duration_since(self.when) < holds
    }
}

/// What is known of the keys in use without waiting.
struct Known {
    account: Option<AccountId>,
    secrets: Vec<String>,
}

impl Account {
    /// The account of `credentials`; nothing is fetched yet. `config` is what the environment says.
    pub(super) fn new(credentials: Credentials, config: SdkConfig, http: SharedHttpClient) -> Self {
        let account = match &credentials {
            Credentials::Role { arn, .. } => AccountId::from_arn(arn),
            Credentials::Default | Credentials::Profile(_) | Credentials::Static { .. } => None,
        };
        let profile = match &credentials {
            Credentials::Static { .. } => None,
            Credentials::Default | Credentials::Profile(_) | Credentials::Role { .. } => {
                credentials.profile().map(str::to_owned).or_else(chain::ambient_profile)
            }
        };
        Self {
            profile,
            clock: config.time_source().unwrap_or_default(),
            config,
            http,
            state: Mutex::new(State { provider: None, keys: None, failure: None, renewed: None }),
            renewal: chain::renewal(&credentials),
            known: RwLock::new(Known { account, secrets: Vec::new() }),
            credentials,
        }
    }

    /// The account's id, where the role or the keys name it.
    pub(super) fn id(&self) -> Option<AccountId> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).account.clone()
    }

    /// The role that is assumed, where one is.
    pub(super) fn role(&self) -> Option<&str> {
        match &self.credentials {
            Credentials::Role { arn, .. } => Some(arn),
            Credentials::Default | Credentials::Profile(_) | Credentials::Static { .. } => None,
        }
    }

    /// The profile whose credentials these are, or begin with: of the settings, else of `AWS_PROFILE`.
    pub(super) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// Whether other keys can be had while the process runs.
    pub(super) fn renewal(&self) -> Renewal {
        self.renewal
    }

    /// The keys in use, so that they can be kept out of messages.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).secrets.clone()
    }

    /// Makes sure that there are keys good for another while.
    ///
    /// One fetch serves all who wait for it, and its failure too.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn ready(&self) -> Result<(), CredentialsFault> {
        self.keys().await.map(drop)
    }

    async fn keys(&self) -> Result<Keys, CredentialsFault> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(keys) = state.keys.as_ref().filter(|keys| self.lasts(keys, MARGIN)) {
            return Ok(keys.clone());
        }
        if let Some(failed) = state.failure.as_ref().filter(|failed| failed.serves(asked)) {
            return Err(failed.fault.clone());
        }
        match self.fetch(&mut state).await {
            Ok(keys) => {
                self.learn(&keys);
                state.failure = None;
                state.keys = Some(keys.clone());
                Ok(keys)
            }
            Err(fault) => {
                state.provider = None;
                // The old ones are good to their end.
                if let Some(keys) = state.keys.as_ref().filter(|keys| self.lasts(keys, Duration::ZERO)) {
                    return Ok(keys.clone());
                }
                let before = state.failure.as_ref().map_or(0, |failed| failed.in_a_row);
                let in_a_row = if is_passing(&fault) { 0 } else { before.saturating_add(1) };
                state.failure = Some(Failed { fault: fault.clone(), when: Instant::now(), in_a_row });
                Err(fault)
            }
        }
    }

    async fn fetch(&self, state: &mut State) -> Result<Keys, CredentialsFault> {
        let provider = match &state.provider {
            Some(provider) => provider.clone(),
            None => chain::provider(&self.credentials, &self.config, &self.http).await,
        };
        let provider = state.provider.insert(provider);
        match timeout(CREDENTIALS_TIMEOUT, provider.provide_credentials()).await {
            Ok(Ok(keys)) => Ok(keys),
            Ok(Err(error)) => Err(of_credentials(&error, self.given())),
            Err(_) => Err(of_credentials(&CredentialsError::provider_timed_out(CREDENTIALS_TIMEOUT), self.given())),
        }
    }

    fn given(&self) -> Given {
        if self.secrets().is_empty() { Given::Never } else { Given::Before }
    }

    /// Forgets the keys and what was read from files, unless that was done within the last minute: the service denied
    /// them, and somebody may have put new ones there.
    pub(super) async fn renew(&self) {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if state.renewed.is_some_and(|renewed| now.duration_since(renewed) < RENEWAL_INTERVAL) {
            return;
        }
        *state = State { provider: None, keys: None, failure: None, renewed: Some(now) };
    }

    fn lasts(&self, keys: &Keys, margin: Duration) -> bool {
        keys.expiry().is_none_or(|end| end.duration_since(self.clock.now()).is_ok_and(|left| left > margin))
    }

    fn learn(&self, keys: &Keys) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.account.is_none() {
            known.account = keys.account_id().and_then(|id| id.as_str().parse().ok());
        }
        known.secrets = [Some(keys.access_key_id()), Some(keys.secret_access_key()), keys.session_token()]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect();
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

/// The account as the SDK's signer asks it.
#[derive(Clone, Debug)]
pub(super) struct Signer(pub(super) Arc<Account>);

impl ProvideCredentials for Signer {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let keys = self.0.keys().await;
            // Only keys that ended between `ready` and now come here.
            keys.map_err(|_| CredentialsError::provider_timed_out(CREDENTIALS_TIMEOUT))
        })
    }
}

#[cfg(test)]
mod tests;
