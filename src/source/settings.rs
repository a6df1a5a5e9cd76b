//! What a source is made of: whose credentials, which region, which endpoint, how patient.
//!
//! The composition roots fill it in from flags and the config file; [`super::Sources`] reads it.

use std::fmt;
use std::time::Duration;

/// Whose credentials sign the requests of an account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credentials {
    /// The default chain: environment, profile of `AWS_PROFILE`, web identity, container, instance metadata.
    Default,
    /// A profile of the AWS config files, by name. Keys in the environment do not come before it.
    Profile(String),
    /// A role, assumed by `sts:AssumeRole`.
    Role {
        /// `arn:aws:iam::123456789012:role/import-watch`.
        arn: String,
        /// What the role's trust policy asks for as `sts:ExternalId`.
        external_id: Option<String>,
        /// The name in CloudTrail; [`DEFAULT_SESSION_NAME`] where there is none.
        session_name: Option<String>,
        /// The profile whose credentials assume the role; the default chain where there is none.
        base_profile: Option<String>,
    },
    /// These very keys; nothing is read from the environment or from files. For `demo` and for tests.
    Static {
        /// The access key's id.
        access_key_id: String,
        /// The secret access key.
        secret_access_key: String,
        /// The session token, for temporary keys.
        session_token: Option<String>,
    },
}

/// The session name of an assumed role where none is set.
pub const DEFAULT_SESSION_NAME: &str = "cognito-import-watch";

impl Credentials {
    /// The profile that is named here, the role's base included.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Default | Self::Static { .. } => None,
            Self::Profile(name) => Some(name),
            Self::Role { base_profile, .. } => base_profile.as_deref(),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Without the external id, which some treat as a secret, and without any key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Profile(name) => f.debug_tuple("Profile").field(name).finish(),
            Self::Role { arn, .. } => f.debug_struct("Role").field("arn", arn).finish_non_exhaustive(),
            Self::Static { .. } => f.debug_struct("Static").finish_non_exhaustive(),
        }
    }
}

/// One source: an account in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// What the config calls the account, for messages; none for the default chain.
    pub account_name: Option<String>,
    /// Whose credentials. Sources with equal ones share one cache of them.
    pub credentials: Credentials,
    /// The pools' region: it signs and it names the endpoint. AWS_REGION and a profile's region serve STS and
    /// SSO only; where nothing names one, those are asked here too.
    pub region: String,
    /// The region where STS and SSO are asked, before AWS_REGION and the profile's.
    pub sts_region: Option<String>,
    /// Where requests go; otherwise `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`, `AWS_ENDPOINT_URL`, the
    /// profile's `endpoint_url`, and at last the region's own endpoint. STS and SSO never go here.
    pub endpoint_url: Option<String>,
    /// The longest that one request takes, from connecting to the last byte. Credentials are fetched before,
    /// within [`super::CREDENTIALS_TIMEOUT`].
    pub request_timeout: Duration,
}

/// What may be taken from around the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// The usual AWS variables and files, proxy variables and `AWS_CA_BUNDLE`.
    Ambient,
    /// Nothing: no variable, no file, no proxy, no trusted certificate. For `demo` and for tests, which bring
    /// [`Credentials::Static`] and an endpoint of their own.
    Isolated,
}

/// Why there is no source: settings or an environment that cannot work, found before any call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError(String);

impl SourceError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SourceError {}
