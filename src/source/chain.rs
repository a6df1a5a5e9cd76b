//! Builds the SDK's credentials providers: the default chain, a profile, a role.
//!
//! [`super::account`] calls it, and calls it again when what the files held is no longer good: the SDK reads a
//! profile file once and keeps it, and a provider that failed once says nothing sensible the second time.

use std::path::Path;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::SdkConfig;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::classify::Renewal;
use super::settings::{Credentials, DEFAULT_SESSION_NAME};
use super::sources::CONNECT_TIMEOUT;

/// The longest one try of a source takes. A source has up to three tries, and all of them
/// [`super::CREDENTIALS_TIMEOUT`].
const TRY: Duration = Duration::from_secs(8);

/// A provider for `credentials`, built anew from files. `config` is what the environment says; its region serves STS and
/// SSO.
pub(super) async fn provider(
    credentials: &Credentials,
    config: &SdkConfig,
    http: &SharedHttpClient,
) -> SharedCredentialsProvider {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(TRY).build();
    let provider_config = ProviderConfig::without_region()
        .with_http_client(http.clone())
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack())
        .with_behavior_version(Some(BehaviorVersion::v2026_01_12()))
        .with_retry_config(retries())
        .with_timeout_config(timeouts.clone());
    match credentials {
        Credentials::Default => chain(&provider_config, config).await,
        Credentials::Profile(name) => profile(&provider_config, name),
        Credentials::Role { arn, external_id, session_name, base_profile } => {
            let base = match base_profile {
                Some(name) => profile(&provider_config, name),
                None => chain(&provider_config, config).await,
            };
            let config = config.to_builder().retry_config(retries()).timeout_config(timeouts).build();
            let mut role = AssumeRoleProvider::builder(arn)
                .configure(&config)
                .session_name(session_name.as_deref().unwrap_or(DEFAULT_SESSION_NAME));
            if let Some(id) = external_id {
                role = role.external_id(id);
            }
            SharedCredentialsProvider::new(role.build_from_provider(base).await)
        }
        Credentials::Static { access_key_id, secret_access_key, session_token } => {
            SharedCredentialsProvider::new(aws_credential_types::Credentials::new(
                access_key_id,
                secret_access_key,
                session_token.clone(),
                None,
                "Static",
            ))
        }
    }
}

async fn chain(provider_config: &ProviderConfig, config: &SdkConfig) -> SharedCredentialsProvider {
    let mut builder = DefaultCredentialsChain::builder().configure(provider_config.clone());
    // Given here, it keeps the SDK from asking the instance metadata for it.
    builder.set_region(config.region().cloned());
    SharedCredentialsProvider::new(builder.build().await)
}

fn profile(config: &ProviderConfig, name: &str) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(
        ProfileFileCredentialsProvider::builder().configure(config).profile_name(name).build(),
    )
}

/// A source of credentials is tried up to three times: it has no scheduler to ask again for it.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_initial_backoff(Duration::from_millis(200))
}

/// The profile that `AWS_PROFILE` names.
pub(super) fn ambient_profile() -> Option<String> {
    std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty())
}

/// Whether the source of these credentials can have other keys while the process runs. The environment of a
/// process never changes, nor do the copies that systemd made of its credentials.
pub(super) fn renewal(credentials: &Credentials) -> Renewal {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let asks_environment = match credentials {
        Credentials::Default | Credentials::Role { base_profile: None, .. } => true,
        Credentials::Profile(_) | Credentials::Role { base_profile: Some(_), .. } => false,
        Credentials::Static { .. } => return Renewal::Possible,
    };
    if asks_environment && is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY") {
        return Renewal::EnvironmentIsFixed;
    }
    let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|path| !path.is_empty()) else {
        return Renewal::Possible;
    };
    let inside = ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"]
        .iter()
        .filter_map(std::env::var_os)
        .any(|file| Path::new(&file).starts_with(&directory));
    if inside { Renewal::SystemdCredentialIsFixed } else { Renewal::Possible }
}
