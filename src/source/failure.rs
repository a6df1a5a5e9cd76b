//! What went wrong, read off the SDK's errors into plain data.
//!
//! Called by [`super::cognito`]; [`super::classify`] decides what it means. Nothing of a body is read here, and no
//! `Debug` of an SDK type: it would print the whole raw answer.

use std::error::Error;
use std::io;

use aws_config::imds::client::error::ImdsError;
use aws_config::meta::ProviderChainError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cognitoidentityprovider::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::operation::describe_user_import_job::DescribeUserImportJobError;
use aws_sdk_cognitoidentityprovider::operation::list_user_import_jobs::ListUserImportJobsError;
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use rustls::CertificateError;

use super::answer::Seen;

/// What went wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The service refused, with an error of its own.
    Refused(Refusal),
    /// An answer that is not one of the service's.
    Unreadable {
        /// The HTTP status.
        status: u16,
    },
    /// No answer in time.
    TimedOut,
    /// No answer at all.
    Network(NetworkFault),
    /// No credentials to sign with.
    Credentials(CredentialsFault),
    /// The request could not even be made.
    Unsent(String),
}

/// An error that a service answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// The error's type, e.g. `TooManyRequestsException`.
    pub(super) code: String,
    /// The service's own words, unchecked.
    pub(super) message: Option<String>,
    /// `reasonCode` of an InvalidParameterException.
    pub(super) reason: Option<String>,
}

/// Why no connection came about, or none lasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NetworkFault {
    /// The host's name was not found.
    UnknownHost,
    /// The host's certificate was not accepted.
    Certificate(&'static str),
    /// TLS failed in another way.
    Tls,
    /// The proxy did not let the request through.
    Proxy,
    /// Refused, reset, closed.
    Connection(String),
}

/// Why there are no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CredentialsFault {
    /// No source had any: which were tried, or why the only one has none.
    NotFound(String),
    /// The AWS files have profiles, but not the one that is named.
    NoProfile,
    /// The AWS files have no profile at all, or the one that is named holds nothing that gives credentials: the SDK says
    /// the same of both.
    EmptyProfile,
    /// The source is not set up right.
    Misconfigured(String),
    /// The SSO session is over, or was never begun.
    SsoExpired,
    /// STS or SSO refused.
    Refused(Refusal),
    /// The source did not answer, or not in time.
    Unreachable(String),
    /// The source failed in another way.
    Broken(String),
}

/// An operation's error, as far as the two operations differ.
pub(super) trait OperationError: ProvideErrorMetadata + Error + 'static {
    /// `reasonCode` of an InvalidParameterException.
    fn reason(&self) -> Option<&str>;
}

impl OperationError for DescribeUserImportJobError {
    fn reason(&self) -> Option<&str> {
        match self {
            Self::InvalidParameterException(error) => error.reason_code(),
            _ => None,
        }
    }
}

impl OperationError for ListUserImportJobsError {
    fn reason(&self) -> Option<&str> {
        match self {
            Self::InvalidParameterException(error) => error.reason_code(),
            _ => None,
        }
    }
}

/// What an error of a Cognito call says.
pub(super) fn of_call<E: OperationError>(error: &SdkError<E, HttpResponse>, seen: &Seen) -> Failure {
    match error {
        SdkError::ServiceError(context) => match refusal(context.err(), context.raw()) {
            Some(refusal) => Failure::Refused(Refusal { reason: context.err().reason().map(Into::into), ..refusal }),
            None => Failure::Unreadable { status: context.raw().status().as_u16() },
        },
        SdkError::ResponseError(context) => unreadable(context.raw()),
        SdkError::TimeoutError(_) => Failure::TimedOut,
        SdkError::DispatchFailure(context) => match context.as_connector_error().map(dispatch) {
            // The SDK says the same of an endpoint that it cannot make out as of a network that is down.
            Some(Failure::Network(_)) | None if seen.host.is_none() => Failure::Unsent(words(error)),
            Some(failure) => failure,
            None => Failure::Unsent(words(error)),
        },
        // The reason is the SDK's own: a setting that cannot be, a parameter that is missing.
        _ => Failure::Unsent(words(error)),
    }
}

/// An answer that could not be read: its type may stand in the header all the same.
fn unreadable(raw: &HttpResponse) -> Failure {
    let status = raw.status().as_u16();
    match raw.headers().get("x-amzn-errortype").map(bare_code) {
        Some(code) if !code.is_empty() && status >= 400 => {
            Failure::Refused(Refusal { status, code: code.to_owned(), ..Refusal::default() })
        }
        Some(_) | None => Failure::Unreadable { status },
    }
}

/// The error's type without the namespace before `#` and what follows a colon.
fn bare_code(header: &str) -> &str {
    let name = header.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim()
}

fn refusal<E: ProvideErrorMetadata>(error: &E, raw: &HttpResponse) -> Option<Refusal> {
    Some(Refusal {
        status: raw.status().as_u16(),
        code: error.code().map(bare_code).filter(|code| !code.is_empty())?.to_owned(),
        message: error.message().map(Into::into),
        reason: None,
    })
}

/// A failure before any answer: of the credentials, which the SDK does not tell apart, or of the network.
fn dispatch(error: &ConnectorError) -> Failure {
    if let Some(credentials) = find::<CredentialsError>(error) {
        // They were fetched before the call, so this one is from signing with keys at hand.
        return Failure::Credentials(of_credentials(credentials, Given::Never));
    }
    if error.is_timeout() {
        return Failure::TimedOut;
    }
    Failure::Network(network(error))
}

fn network(error: &ConnectorError) -> NetworkFault {
    if let Some(error) = find::<rustls::Error>(error) {
        return match error {
            rustls::Error::InvalidCertificate(error) => NetworkFault::Certificate(certificate(error)),
            _ => NetworkFault::Tls,
        };
    }
    // The HTTP client keeps these two apart by words alone.
    if chain(error).any(|error| error.to_string() == "dns error") {
        return NetworkFault::UnknownHost;
    }
    if chain(error).any(|error| error.to_string().starts_with("tunnel error")) {
        return NetworkFault::Proxy;
    }
    let words = match find::<io::Error>(error) {
        Some(error) => error.kind().to_string(),
        None => "the connection was closed before the answer was whole".to_owned(),
    };
    NetworkFault::Connection(words)
}

fn certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => "its issuer is unknown",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another host",
        CertificateError::Revoked => "it was revoked",
        _ => "it cannot be verified",
    }
}

/// Whether a source of credentials ever gave any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Not while this process runs.
    Never,
    /// Some time before.
    Before,
}

/// What an error of a credentials source says.
pub(super) fn of_credentials(error: &CredentialsError, given: Given) -> CredentialsFault {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => not_found(error),
        CredentialsError::ProviderTimedOut(_) => CredentialsFault::Unreachable("no answer in time".to_owned()),
        CredentialsError::InvalidConfiguration(_) => CredentialsFault::Misconfigured(words(error)),
        _ => of_provider(error, given),
    }
}

/// The sources in the order they were tried, or what the only one says, which is a profile's.
fn not_found(error: &CredentialsError) -> CredentialsFault {
    if let Some(chain) = find::<ProviderChainError<CredentialsError>>(error) {
        let names: Vec<&str> = chain.attempts().iter().map(|attempt| attempt.name()).collect();
        return CredentialsFault::NotFound(format!("tried {}", names.join(", ")));
    }
    let words = words(error);
    // The SDK turns its type into words; a test knows them.
    if words.contains("referenced from the root profile") {
        return CredentialsFault::NoProfile;
    }
    if words.is_empty() { CredentialsFault::EmptyProfile } else { CredentialsFault::NotFound(words) }
}

fn of_provider(error: &CredentialsError, given: Given) -> CredentialsFault {
    let of_service = of_inner::<AssumeRoleError>(error)
        .or_else(|| of_inner::<AssumeRoleWithWebIdentityError>(error))
        .or_else(|| of_inner::<GetRoleCredentialsError>(error));
    if let Some(fault) = of_service {
        return fault;
    }
    if let Some(error) = find::<ImdsError>(error) {
        return instance_metadata(error, given);
    }
    if find::<ConnectorError>(error).is_some() {
        return CredentialsFault::Unreachable("no connection".to_owned());
    }
    if matches!(find::<SdkError<CredentialsError, HttpResponse>>(error), Some(SdkError::TimeoutError(_))) {
        return CredentialsFault::Unreachable("no answer in time".to_owned());
    }
    // The SDK's types for the next two are private; a test for each knows the words.
    let words = words(error);
    if words.contains("SSO token") || words.contains("/sso/cache/") {
        return CredentialsFault::SsoExpired;
    }
    match words.split_once("Non-success status from HTTP credential provider: ") {
        Some((_, status)) if status.contains("StatusCode(5") => {
            CredentialsFault::Unreachable("the container's credentials endpoint failed".to_owned())
        }
        Some(_) | None => CredentialsFault::Broken(words),
    }
}

/// Never its words: they hold the raw answer. Most hosts have no instance metadata: one that never answered is not
/// there, one that did is out of reach for a while.
fn instance_metadata(error: &ImdsError, given: Given) -> CredentialsFault {
    match error {
        ImdsError::ErrorResponse(context) => {
            let words = format!("instance metadata answered HTTP {}", context.response().status().as_u16());
            match context.response().status().is_server_error() {
                true => CredentialsFault::Unreachable(words),
                false => CredentialsFault::Broken(words),
            }
        }
        _ => match given {
            Given::Never => CredentialsFault::NotFound(
                "tried environment, AWS files, web identity, container and instance metadata, which does not answer"
                    .to_owned(),
            ),
            Given::Before => CredentialsFault::Unreachable("no answer of the instance metadata".to_owned()),
        },
    }
}

/// What a call of a credentials source to its own service came to, where it made one of this type.
fn of_inner<E: ProvideErrorMetadata + Error + 'static>(error: &CredentialsError) -> Option<CredentialsFault> {
    Some(match find::<SdkError<E, HttpResponse>>(error)? {
        SdkError::ServiceError(context) => match refusal(context.err(), context.raw()) {
            Some(refusal) if refusal.code == "UnauthorizedException" => CredentialsFault::SsoExpired,
            Some(refusal) => CredentialsFault::Refused(refusal),
            None => CredentialsFault::Unreachable(unreadable_answer(context.raw())),
        },
        SdkError::ResponseError(context) => CredentialsFault::Unreachable(unreadable_answer(context.raw())),
        SdkError::TimeoutError(_) => CredentialsFault::Unreachable("no answer in time".to_owned()),
        SdkError::DispatchFailure(context) => match context.as_connector_error() {
            Some(inner) => match dispatch(inner) {
                // The credentials that were to assume the role.
                Failure::Credentials(fault) => fault,
                Failure::Network(NetworkFault::Certificate(why)) => {
                    CredentialsFault::Unreachable(format!("its certificate is not trusted: {why}; see AWS_CA_BUNDLE"))
                }
                Failure::TimedOut => CredentialsFault::Unreachable("no answer in time".to_owned()),
                Failure::Network(_) | Failure::Refused(_) | Failure::Unreadable { .. } | Failure::Unsent(_) => {
                    CredentialsFault::Unreachable("no connection".to_owned())
                }
            },
            None => CredentialsFault::Unreachable("no connection".to_owned()),
        },
        _ => CredentialsFault::Broken("its request could not be made".to_owned()),
    })
}

fn unreadable_answer(raw: &HttpResponse) -> String {
    format!("an unreadable answer (HTTP {})", raw.status().as_u16())
}

/// The words of an error and its causes, without those that say nothing.
fn words(error: &(dyn Error + 'static)) -> String {
    const EMPTY: [&str; 7] = [
        "dispatch failure",
        "other",
        "the credential provider was not enabled",
        "an error occurred while loading credentials",
        "the credentials provider was not properly configured",
        "unexpected credentials error",
        "failed to construct request",
    ];
    let words: Vec<String> =
        chain(error).map(ToString::to_string).filter(|words| !EMPTY.contains(&words.as_str())).collect();
    words.join(": ")
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and its causes. An `io::Error` hides the error it wraps from `source()`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_an_error_is_read_from_any_spelling() {
        for spelling in [
            "NotAuthorizedException",
            "NotAuthorizedException:",
            "NotAuthorizedException:http://internal.amazon.com/coral/",
            "com.amazonaws.cognito#NotAuthorizedException",
            "com.amazonaws.cognito#NotAuthorizedException:http://x",
        ] {
            assert_eq!(bare_code(spelling), "NotAuthorizedException", "{spelling}");
        }
        assert_eq!(bare_code(""), "");
    }
}
