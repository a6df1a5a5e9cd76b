//! Makes sources: one HTTP client for all, one cache of credentials per account, one SDK client per account and region.
//!
//! Called by the composition roots, once for each account and region of a plan.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, FrameworkMetadata, Region, SdkConfig};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::{
    Builder, IdentityCache, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::ServiceConfigKey;
use cognito_import_watch_core::domain::region::Partition;

use super::account::{Account, Signer};
use super::answer::host_of;
use super::api::JobSource;
use super::cognito::Cognito;
use super::connector;
use super::settings::{Credentials, Environment, SourceError, SourceSettings};

/// The longest that a connection takes to come about, where the request timeout is not shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// The sources of a process.
#[derive(Clone, Debug)]
pub struct Sources {
    environment: Environment,
    http: SharedHttpClient,
    accounts: BTreeMap<Credentials, (Arc<Account>, SdkConfig)>,
}

impl Sources {
    /// Sources in an environment; no call is made.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` names a file that cannot be used.
    pub fn new(environment: Environment) -> Result<Self, SourceError> {
        Ok(Self { environment, http: connector::client(environment)?, accounts: BTreeMap::new() })
    }

    /// Sources in an isolated process that send their requests to `http`. Public for the fuzz targets alone, whose client
    /// answers from memory.
    #[doc(hidden)]
    #[must_use]
    pub fn over(http: SharedHttpClient) -> Self {
        Self { environment: Environment::Isolated, http, accounts: BTreeMap::new() }
    }

    /// The source of `settings`; AWS files may be read, but no call is made.
    ///
    /// # Errors
    /// When an isolated process asks for credentials that are not given in the settings, when `endpoint_url` is no
    /// URL, or when nothing says where a region that no partition knows would be.
    pub async fn open(&mut self, settings: &SourceSettings) -> Result<Arc<dyn JobSource>, SourceError> {
        let (account, config) = self.account(settings).await?;
        check_endpoint(settings, &config)?;
        let mut builder = Builder::from(&config)
            .region(Region::new(settings.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(Signer(Arc::clone(&account))))
            // The account keeps its credentials itself.
            .identity_cache(IdentityCache::no_cache())
            // Who asks again, and when, is the scheduler's to decide, whatever AWS_MAX_ATTEMPTS says.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(settings.request_timeout))
            // An answer is small, and the timeout above covers all of it.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = &settings.endpoint_url {
            builder = builder.endpoint_url(url);
        }
        let client = Client::from_conf(builder.build());
        Ok(Arc::new(Cognito::new(client, account, settings)))
    }

    async fn account(&mut self, settings: &SourceSettings) -> Result<(Arc<Account>, SdkConfig), SourceError> {
        if let Some((account, config)) = self.accounts.get(&settings.credentials) {
            return Ok((Arc::clone(account), config.clone()));
        }
        let credentials = &settings.credentials;
        let config = match (credentials, self.environment) {
            (Credentials::Static { .. }, _) => self.bare(settings),
            (_, Environment::Ambient) => self.ambient(settings).await,
            (Credentials::Default | Credentials::Profile(_) | Credentials::Role { .. }, Environment::Isolated) => {
                return Err(SourceError::new("an isolated process has no credentials but those it is given"));
            }
        };
        let account = Arc::new(Account::new(credentials.clone(), config.clone(), self.http.clone()));
        self.accounts.insert(credentials.clone(), (Arc::clone(&account), config.clone()));
        Ok((account, config))
    }

    /// What the AWS variables and files say, for the account's profile. The region of it is that of STS and SSO.
    async fn ambient(&self, settings: &SourceSettings) -> SdkConfig {
        let profile = settings.credentials.profile();
        let mut of_profile = ProfileFileRegionProvider::builder();
        if let Some(name) = profile {
            of_profile = of_profile.profile_name(name);
        }
        // Not the SDK's own chain: it asks the instance metadata, which takes seconds where there is none.
        let region = RegionProviderChain::first_try(settings.sts_region.clone().map(Region::new))
            .or_else(EnvironmentVariableRegionProvider::new())
            .or_else(of_profile.build())
            .or_else(Region::new(settings.region.clone()));
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(region)
            .http_client(self.http.clone())
            // Given here, they keep a wrong AWS_MAX_ATTEMPTS or AWS_RETRY_MODE from being read: the SDK panics on one.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(settings.request_timeout))
            .no_credentials();
        if let Some(name) = app_name() {
            loader = loader.app_name(name);
        }
        if let Some(version) = version() {
            loader = loader.framework_metadata(version);
        }
        if let Some(name) = profile {
            loader = loader.profile_name(name);
        }
        loader.load().await
    }

    /// A configuration that nothing was read for.
    fn bare(&self, settings: &SourceSettings) -> SdkConfig {
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(settings.region.clone()))
            .http_client(self.http.clone())
            .time_source(SharedTimeSource::default());
        builder.set_sleep_impl(default_async_sleep());
        builder.set_app_name(app_name());
        builder.set_framework_metadata(version().into_iter().collect::<Vec<_>>());
        builder.build()
    }
}

/// Whether there is a place to send requests to.
fn check_endpoint(settings: &SourceSettings, config: &SdkConfig) -> Result<(), SourceError> {
    if let Some(url) = &settings.endpoint_url {
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        return match host_of(url) {
            // Not the URL itself: it may hold a password.
            Some(_) if is_http => Ok(()),
            Some(_) | None => {
                Err(SourceError::new("endpoint_url is not a URL; write http://host:port or https://host"))
            }
        };
    }
    let region = &settings.region;
    if Partition::of_region(region).is_some() || config.endpoint_url().is_some() || has_own_endpoint(config) {
        return Ok(());
    }
    Err(SourceError::new(format!(
        "{region} is not a region that the AWS SDK knows, and no endpoint is set; a pool's region is the part of its id \
         before the underscore"
    )))
}

/// Whether `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER` or a service's section of the profile sets an endpoint.
fn has_own_endpoint(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder()
        .service_id("Cognito Identity Provider")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let loader = config.service_config();
    key.ok().zip(loader).is_some_and(|(key, loader)| loader.load_config(key).is_some())
}

fn timeouts(request: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(request.min(CONNECT_TIMEOUT))
        .operation_attempt_timeout(request)
        .operation_timeout(request)
        .build()
}

/// Who we are, in the user agent: `app/cognito-import-watch`.
fn app_name() -> Option<AppName> {
    AppName::new(env!("CARGO_PKG_NAME")).ok()
}

/// The version, in the user agent: `lib/cognito-import-watch/0.1.0`.
fn version() -> Option<FrameworkMetadata> {
    FrameworkMetadata::new(env!("CARGO_PKG_NAME"), Some(env!("CARGO_PKG_VERSION"))).ok()
}

#[cfg(test)]
mod tests;
