//! The tables of the scenario that come many times: accounts, roles, pools, jobs, the steps of scripts, and faults.

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::values::RoleArn;
use super::{AccountId, Contact, Failure, FaultClock, JobId, Mfa, Period, PoolId, Share};

/// `[[account]]`: its test keys, where the derived ones do not suit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRule {
    pub(crate) id: AccountId,
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
    /// Where set, requests must carry it.
    pub(crate) session_token: Option<String>,
}

/// `[[role]]`: a role of IAM that can be assumed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleRule {
    pub(crate) arn: RoleArn,
    /// Where set, AssumeRole must say it.
    pub(crate) external_id: Option<String>,
    /// How long its keys last, in real time; as long as is asked for where absent.
    pub(crate) lasts: Option<Period>,
}

/// `[[pool]]`: a user pool.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PoolRule {
    pub(crate) id: Option<PoolId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) region: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) auto_verified: Option<Vec<Contact>>,
    pub(crate) mfa: Mfa,
    pub(crate) required: Vec<String>,
    pub(crate) custom: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) job: Vec<Spanned<JobRule>>,
}

/// `[[pool.job]]`: an import job that exists at the start. Without a script it is a real one that waits for its CSV.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobRule {
    pub(crate) id: Option<JobId>,
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) created_ago: Option<Period>,
    /// So many alike, `-1`, `-2`, … added to id and name.
    pub(crate) count: Option<u32>,
    pub(crate) script: Option<Vec<StepRule>>,
}

/// What a job's answer shows instead of the truth; and, in a script, for how many answers or how long.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StepRule {
    pub(crate) polls: Option<u64>,
    #[serde(rename = "for")]
    pub(crate) lasts: Option<Period>,
    pub(crate) status: Option<String>,
    pub(crate) imported: Option<u64>,
    pub(crate) skipped: Option<u64>,
    pub(crate) failed: Option<u64>,
    /// Empty: none is shown.
    pub(crate) message: Option<String>,
    pub(crate) omit: Option<Vec<String>>,
    pub(crate) set: Option<Map<String, Value>>,
}

impl StepRule {
    /// Overrides members of a job's answer.
    pub(crate) fn apply(&self, job: &mut Map<String, Value>) {
        let texts = [("Status", &self.status), ("CompletionMessage", &self.message)];
        let numbers = [("ImportedUsers", self.imported), ("SkippedUsers", self.skipped), ("FailedUsers", self.failed)];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, Value::from(text.clone()?))));
        let numbers = numbers.into_iter().filter_map(|(key, number)| Some((key, Value::from(number?))));
        job.extend(texts.chain(numbers).map(|(key, value)| (key.to_owned(), value)));
        job.extend(self.set.clone().unwrap_or_default());
        let omitted = self.omit.iter().flatten();
        job.retain(|key, value| !omitted.clone().any(|name| name == key) && value != "");
    }
}

/// `[[fault]]`: which requests go wrong, when, and how. All conditions must hold; the first rule that applies is taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
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
    pub(crate) to: Option<Period>,
    /// The first and the last matching request that it applies to, from 1.
    pub(crate) first: Option<u64>,
    pub(crate) last: Option<u64>,
    pub(crate) ratio: Option<Share>,
    pub(crate) answer: AnswerKind,
}

/// What happens to the request that meets a fault.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AnswerKind {
    /// `TooManyRequestsException`.
    Throttle { message: Option<String>, retry_after: Option<Period> },
    /// Any error of the service.
    Error(Failure),
    /// `InternalErrorException`, 500.
    Internal {},
    /// A gateway's HTML error page.
    Gateway { status: u16 },
    /// A bare status with an empty body.
    Empty { status: u16 },
    /// An HTML page with status 200.
    Html {},
    /// `{}` with status 200.
    NoJob {},
    /// A given body.
    Raw { body: String, status: Option<u16>, content_type: Option<String> },
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
    /// The right answer with members of the job changed.
    Show(StepRule),
}
