//! Decides once what a failed call means: its class, and the words for a person.
//!
//! Pure: [`super::failure`] reads the SDK's errors, [`super::cognito`] says what was asked. A message tells what
//! happened, where, and what to do next, in one line. It never holds a body, a URL with a query, or a credential.

use std::time::Duration;

use cognito_import_watch_core::domain::region::Partition;
use cognito_import_watch_core::domain::{AccountId, ErrorKind, JobId, PollError, UserPoolId};

use super::answer::Seen;
use super::codes::{Subject, subject};
use super::failure::{CredentialsFault, Failure, NetworkFault, Refusal};
use super::redact::quotable;

/// A clock this far off is told as the reason of a refused signature. AWS itself allows five minutes.
const SKEW_TO_MENTION: Duration = Duration::from_secs(4 * 60);

/// What was asked, and by whom.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    /// The operation: `DescribeUserImportJob` or `ListUserImportJobs`.
    pub(super) operation: &'static str,
    /// The pool that was asked about.
    pub(super) pool: &'a UserPoolId,
    /// The job that was asked about; `None` for a list.
    pub(super) job: Option<&'a JobId>,
    /// The region that was asked.
    pub(super) region: &'a str,
    /// The account, where it is known.
    pub(super) account: Option<AccountId>,
    /// What the config calls the account.
    pub(super) account_name: Option<&'a str>,
    /// The role that is assumed, where one is.
    pub(super) role: Option<&'a str>,
    /// The profile whose credentials sign, or assume the role, where one is named.
    pub(super) profile: Option<&'a str>,
    /// Whether other credentials can be had while the process runs.
    pub(super) renewal: Renewal,
    /// The credentials in use, never to be told.
    pub(super) secrets: Vec<String>,
    /// How long an answer was waited for.
    pub(super) patience: Duration,
}

/// Whether other credentials can be had while the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Yes: their source is asked again.
    Possible,
    /// No: they came from the environment.
    EnvironmentIsFixed,
    /// No: they came from a credential of systemd, which is a copy made at the start.
    SystemdCredentialIsFixed,
}

/// The class and the words of a failure.
pub(super) fn classify(failure: &Failure, question: &Question<'_>, seen: &Seen) -> PollError {
    let place = place(question);
    let (kind, what) = match failure {
        Failure::Refused(refusal) => refused(refusal, question, seen),
        Failure::Unreadable { status } => unreadable(*status, seen),
        Failure::TimedOut => {
            (ErrorKind::Transient, format!("no answer from {} within {:?}", host(seen), question.patience))
        }
        Failure::Network(fault) => (ErrorKind::Transient, network(fault, seen)),
        Failure::Credentials(fault) => credentials(fault, question),
        Failure::Unsent(words) => (
            ErrorKind::Invalid,
            format!(
                "the request could not be made ({}); check the endpoint, FIPS and dual-stack settings",
                quotable(words, &question.secrets)
            ),
        ),
    };
    let who = match (kind, failure) {
        (ErrorKind::Denied, _) | (_, Failure::Credentials(_)) => who(question),
        (ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::NotFound | ErrorKind::Invalid, _) => String::new(),
    };
    PollError { kind, message: format!("{place}{who}: {what}"), retry_after: seen.retry_after }
}

/// An answer with status 200 that holds no job.
pub(super) fn empty(question: &Question<'_>, seen: &Seen) -> PollError {
    PollError {
        kind: ErrorKind::Transient,
        message: format!("{}: {} answered without a job", place(question), host(seen)),
        retry_after: seen.retry_after,
    }
}

/// What was asked about, and where.
fn place(question: &Question<'_>) -> String {
    let Question { pool, region, .. } = question;
    match question.job {
        Some(job) => format!("{pool}/{job} in {region}"),
        None => format!("{pool} in {region}"),
    }
}

/// Whose credentials are at fault: the account of the config, and where they come from.
fn who(question: &Question<'_>) -> String {
    let origin = match (question.role, question.profile) {
        (Some(role), Some(profile)) => Some(format!("{role} by profile {profile}")),
        (Some(role), None) => Some(role.to_owned()),
        (None, profile) => profile.map(|profile| format!("profile {profile}")),
    };
    match (question.account_name, origin) {
        (Some(name), Some(origin)) => format!(", account {name} ({origin})"),
        (Some(name), None) => format!(", account {name}"),
        (None, Some(origin)) => format!(" ({origin})"),
        (None, None) => String::new(),
    }
}

fn host(seen: &Seen) -> &str {
    seen.host.as_deref().unwrap_or("the service")
}

fn refused(refusal: &Refusal, question: &Question<'_>, seen: &Seen) -> (ErrorKind, String) {
    let Refusal { code, status, .. } = refusal;
    let shown = code_of(code, question);
    // A signature's error quotes what should have been signed, the session token with it: only these are quoted.
    let words =
        refusal.message.as_deref().map(|text| quotable(text, &question.secrets)).filter(|text| !text.is_empty());
    let said = words.map_or_else(|| shown.clone(), |words| format!("{shown}: {words}"));
    let Some(subject) = subject(code) else { return unknown_type(*status, &shown) };
    match subject {
        Subject::Throttle => (ErrorKind::Throttled, format!("throttled ({shown})")),
        Subject::ServiceFault => (ErrorKind::Transient, format!("the service failed ({shown}, HTTP {status})")),
        Subject::Missing => {
            (ErrorKind::NotFound, format!("not found ({said}); check the ids, the region and the account"))
        }
        Subject::WrongQuestion => {
            let reason = refusal.reason.as_deref().map(|reason| quotable(reason, &question.secrets));
            let reason = reason.map(|reason| format!(", reason {reason}")).unwrap_or_default();
            (ErrorKind::Invalid, format!("the service refuses the question as wrong ({said}{reason}); check the ids"))
        }
        Subject::WrongPlace => (
            ErrorKind::Invalid,
            format!(
                "{} does not know {} ({said}); check the endpoint: is it Cognito's (cognito-idp)?",
                host(seen),
                question.operation
            ),
        ),
        Subject::ReplicaRegion => (
            ErrorKind::Invalid,
            format!("the pool does not answer in this region ({said}); ask in the region it was created in"),
        ),
        Subject::Policy => (
            ErrorKind::Denied,
            format!("access denied ({said}); allow cognito-idp:{} on {}", question.operation, resource(question)),
        ),
        Subject::Expired => {
            (ErrorKind::Denied, format!("the session token has expired ({shown}); {}", renew(question)))
        }
        Subject::UnknownKey => (
            ErrorKind::Denied,
            format!(
                "the access key is not valid ({shown}): wrong, deleted, or of another partition; {}",
                renew(question)
            ),
        ),
        Subject::Signature => match skew(seen) {
            Some(skew) => (ErrorKind::Denied, format!("the signature was refused ({shown}); {skew}")),
            None => (
                ErrorKind::Denied,
                format!("the signature was refused ({shown}): a wrong secret access key; {}", renew(question)),
            ),
        },
        Subject::Clock => {
            let skew = skew(seen).unwrap_or_else(|| "set this host's clock (is NTP running?)".to_owned());
            (ErrorKind::Denied, format!("the request's time was refused ({shown}); {skew}"))
        }
        Subject::Signing => (
            ErrorKind::Denied,
            format!("the signature did not arrive whole ({shown}); does a proxy change the headers?"),
        ),
        Subject::NotSubscribed => {
            (ErrorKind::Denied, format!("the account may not use the service here ({shown}); is the region enabled?"))
        }
    }
}

/// A type this program does not know: the status decides, in doubt for asking again.
fn unknown_type(status: u16, shown: &str) -> (ErrorKind, String) {
    let kind = match status {
        429 => ErrorKind::Throttled,
        401 | 403 => ErrorKind::Denied,
        _ => ErrorKind::Transient,
    };
    (kind, format!("the service answered {shown} (HTTP {status}), which this program does not know"))
}

/// The type as the service spelled it; it may be anything.
fn code_of(code: &str, question: &Question<'_>) -> String {
    quotable(code, &question.secrets)
}

fn unreadable(status: u16, seen: &Seen) -> (ErrorKind, String) {
    let host = host(seen);
    match status {
        429 | 503 => (ErrorKind::Throttled, format!("throttled by {host} (HTTP {status})")),
        200..300 => {
            (ErrorKind::Transient, format!("the answer of {host} was cut off or is not Cognito's (HTTP {status})"))
        }
        500.. => {
            (ErrorKind::Transient, format!("{host} failed (HTTP {status}): the service, or a proxy on the way to it"))
        }
        407 => (ErrorKind::Transient, "the proxy wants a login (HTTP 407); check HTTPS_PROXY".to_owned()),
        _ => (
            ErrorKind::Transient,
            format!("the answer of {host} is not Cognito's (HTTP {status}); from a proxy or a wrong endpoint?"),
        ),
    }
}

fn network(fault: &NetworkFault, seen: &Seen) -> String {
    let host = host(seen);
    match fault {
        NetworkFault::UnknownHost => {
            format!("the host {host} was not found; check DNS, the region and the endpoint")
        }
        NetworkFault::Certificate(why) => format!(
            "the certificate of {host} is not trusted: {why}; behind a company proxy set AWS_CA_BUNDLE to a PEM file \
             with its certificate (it replaces the system's)"
        ),
        NetworkFault::Tls => {
            format!("TLS with {host} failed; does it speak TLS? Behind a company proxy see AWS_CA_BUNDLE")
        }
        NetworkFault::Proxy => format!("the proxy did not connect to {host}; check HTTPS_PROXY and NO_PROXY"),
        NetworkFault::Connection(why) => format!("no answer from {host}: {why}"),
    }
}

fn credentials(fault: &CredentialsFault, question: &Question<'_>) -> (ErrorKind, String) {
    let quoted = |text: &str| quotable(text, &question.secrets);
    match fault {
        CredentialsFault::NotFound(tried) => {
            let cure = match question.profile {
                Some(profile) => format!("give profile {profile} credentials, or name another"),
                None => {
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile (--profile or AWS_PROFILE), or \
                         run where a role is attached"
                        .to_owned()
                }
            };
            (ErrorKind::Denied, format!("no AWS credentials found ({}); {cure}", quoted(tried)))
        }
        CredentialsFault::NoProfile => (
            ErrorKind::Denied,
            format!("there is no profile {} in the AWS files; add it, or name another", profile_of(question)),
        ),
        CredentialsFault::EmptyProfile => (
            ErrorKind::Denied,
            format!(
                "no AWS credentials found: the AWS files have no profile {}, or nothing in it that gives credentials; \
                 add it, or name another",
                profile_of(question)
            ),
        ),
        CredentialsFault::Misconfigured(words) => (
            ErrorKind::Denied,
            format!(
                "the AWS credentials are not set up right ({}); correct the AWS variables (then restart) or files (they \
                 are read again by themselves)",
                quoted(words)
            ),
        ),
        CredentialsFault::SsoExpired => {
            let profile = question.profile.map(|profile| format!(" --profile {profile}")).unwrap_or_default();
            (ErrorKind::Denied, format!("the SSO token has expired or is missing; run aws sso login{profile}"))
        }
        CredentialsFault::Refused(refusal) => credentials_refused(refusal, question),
        CredentialsFault::Unreachable(why) => {
            let source = match (question.role, question.profile) {
                (Some(_), Some(profile)) => format!("STS, or where profile {profile} has its keys from"),
                (Some(_), None) => "STS, or where the credentials that assume the role come from".to_owned(),
                (None, Some(profile)) => format!("where profile {profile} has its keys from (STS, SSO, a process)"),
                (None, None) => "where the keys come from (web identity, container or instance metadata)".to_owned(),
            };
            let why = quoted(why);
            (
                ErrorKind::Transient,
                format!(
                    "the source of the AWS credentials gave none: {why}; can this host reach {source}? check the network, \
                     HTTPS_PROXY and NO_PROXY"
                ),
            )
        }
        CredentialsFault::Broken(words) => (
            ErrorKind::Denied,
            format!("the source of the AWS credentials failed ({}); {}", quoted(words), renew(question)),
        ),
    }
}

/// Whether a source of credentials failed in a way that passes by itself: nobody has to do anything.
pub(super) fn is_passing(fault: &CredentialsFault) -> bool {
    match fault {
        CredentialsFault::Unreachable(_) => true,
        CredentialsFault::Refused(refusal) => match subject(&refusal.code) {
            Some(subject) => matches!(subject, Subject::Throttle | Subject::ServiceFault),
            None => refusal.status >= 500,
        },
        CredentialsFault::NotFound(_)
        | CredentialsFault::NoProfile
        | CredentialsFault::EmptyProfile
        | CredentialsFault::Misconfigured(_)
        | CredentialsFault::SsoExpired
        | CredentialsFault::Broken(_) => false,
    }
}

fn profile_of<'a>(question: &Question<'a>) -> &'a str {
    question.profile.unwrap_or("default")
}

/// STS or SSO refused to give credentials.
fn credentials_refused(refusal: &Refusal, question: &Question<'_>) -> (ErrorKind, String) {
    let Refusal { code, status, .. } = refusal;
    let code = code_of(code, question);
    match subject(&refusal.code) {
        Some(Subject::Throttle) => {
            (ErrorKind::Transient, format!("the AWS credentials' service is throttled ({code})"))
        }
        Some(Subject::ServiceFault) => {
            (ErrorKind::Transient, format!("the AWS credentials' service failed ({code}, HTTP {status})"))
        }
        Some(Subject::Policy) => {
            let words = refusal.message.as_deref().map(|text| quotable(text, &question.secrets));
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            let cure = "allow sts:AssumeRole to this identity, and in the role's trust policy (external id?)";
            (ErrorKind::Denied, format!("the role was refused ({code}{words}); {cure}"))
        }
        None if *status >= 500 => {
            (ErrorKind::Transient, format!("the AWS credentials' service failed ({code}, HTTP {status})"))
        }
        Some(
            Subject::Missing
            | Subject::WrongQuestion
            | Subject::WrongPlace
            | Subject::ReplicaRegion
            | Subject::Expired
            | Subject::UnknownKey
            | Subject::Signature
            | Subject::Clock
            | Subject::Signing
            | Subject::NotSubscribed,
        )
        | None => (ErrorKind::Denied, format!("the AWS credentials' service refused ({code}); {}", renew(question))),
    }
}

/// How to come by other credentials.
fn renew(question: &Question<'_>) -> String {
    match (question.renewal, question.profile) {
        (Renewal::EnvironmentIsFixed, _) => "the keys came from the environment: set new ones and restart".to_owned(),
        (Renewal::SystemdCredentialIsFixed, _) => {
            "the keys came from a systemd credential: change it and restart the unit".to_owned()
        }
        (Renewal::Possible, Some(profile)) => {
            format!("renew the credentials of profile {profile}; they are read again by themselves")
        }
        (Renewal::Possible, None) => "renew the AWS credentials; they are read again by themselves".to_owned(),
    }
}

fn skew(seen: &Seen) -> Option<String> {
    let skew = seen.skew.filter(|skew| *skew >= SKEW_TO_MENTION)?;
    let minutes = skew.as_secs() / 60;
    Some(format!("this host's clock is {minutes} minutes off the service's; set it (is NTP running?)"))
}

/// The pool as IAM names it.
fn resource(question: &Question<'_>) -> String {
    let partition = Partition::of_region(question.region).map_or("aws", Partition::arn_name);
    let account = question.account.as_ref().map_or("*", AccountId::as_str);
    format!("arn:{partition}:cognito-idp:{}:{account}:userpool/{}", question.region, question.pool)
}

#[cfg(test)]
mod tests;
