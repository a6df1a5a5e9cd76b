//! `[[fault]]`: which requests go wrong, when, and how.

use serde::Deserialize;
use toml::Spanned;

use super::pools::ShownChange;
use super::values::{AccountId, JobId, Period, PoolId};

/// One rule; all its conditions must hold. The first rule that applies to a request is taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
    /// Its name in the record; `fault-1`, `fault-2`, … where absent.
    pub(crate) name: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) account: Option<AccountId>,
    pub(crate) region: Option<String>,
    pub(crate) pool: Option<PoolId>,
    pub(crate) job: Option<JobId>,
    pub(crate) job_name: Option<String>,
    /// The clock of `from` and `to`.
    #[serde(default)]
    pub(crate) clock: FaultClock,
    pub(crate) from: Option<Period>,
    pub(crate) to: Option<Spanned<Period>>,
    /// The first matching request that it applies to, from 1.
    pub(crate) first: Option<u64>,
    /// The last one.
    pub(crate) last: Option<Spanned<u64>>,
    /// The share of requests that it applies to.
    pub(crate) ratio: Option<Spanned<f64>>,
    pub(crate) answer: AnswerKind,
}

/// The clock of a fault's window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultClock {
    #[default]
    Real,
    Job,
}

/// Where an error's type is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TypeSpelling {
    /// In the header and in the body, as the service does.
    #[default]
    Both,
    Header,
    Body,
    /// In the body alone, as `com.amazonaws.cognitoidentityprovider#Code`.
    Namespaced,
}

/// The key of an error's text in the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub(crate) enum MessageKey {
    #[default]
    #[serde(rename = "message")]
    Small,
    #[serde(rename = "Message")]
    Capital,
}

/// What happens to the request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AnswerKind {
    /// `TooManyRequestsException`.
    Throttle { message: Option<String>, retry_after: Option<Period> },
    /// Any error of the service.
    Error {
        code: String,
        message: Option<String>,
        status: Option<u16>,
        #[serde(default)]
        spelling: TypeSpelling,
        #[serde(default)]
        message_key: MessageKey,
        retry_after: Option<Period>,
    },
    /// `InternalErrorException`, 500.
    Internal {},
    /// A gateway's HTML error page.
    Gateway { status: u16 },
    /// A bare status with an empty body.
    Empty { status: u16 },
    /// No answer; the connection stays open.
    Hang {},
    /// The right answer, late, in real time.
    Delay {
        #[serde(rename = "for")]
        lasts: Period,
    },
    /// Half of the right answer, then the connection is closed.
    Cut {},
    /// The connection is reset.
    Reset {},
    /// An HTML page with status 200.
    Html {},
    /// `{}` with status 200.
    NoJob {},
    /// A given body.
    Raw { body: String, status: Option<u16>, content_type: Option<String> },
    /// The right answer with members of the job changed.
    Show {
        status: Option<String>,
        imported: Option<u64>,
        skipped: Option<u64>,
        failed: Option<u64>,
        message: Option<String>,
        #[serde(default)]
        omit: Vec<String>,
        #[serde(default)]
        set: toml::Table,
    },
}

impl AnswerKind {
    /// What a `show` fault changes.
    pub(crate) fn change(&self) -> Option<ShownChange> {
        let Self::Show { status, imported, skipped, failed, message, omit, set } = self else { return None };
        Some(ShownChange {
            status: status.clone(),
            imported: *imported,
            skipped: *skipped,
            failed: *failed,
            message: message.clone(),
            omit: omit.clone(),
            set: set.clone(),
        })
    }
}
