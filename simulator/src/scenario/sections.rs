//! The tables of the scenario that say how the service behaves; the defaults are those of `docs/simulator.md`.

use serde::Deserialize;

use super::values::Period;

/// `[clock]`: the job's clock and how its dates are shown.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClockSection {
    /// Seconds of the job's clock in one second of real time.
    pub(crate) speed: f64,
    pub(crate) dates: ShownDates,
    pub(crate) spelling: DateSpelling,
}

impl Default for ClockSection {
    fn default() -> Self {
        Self { speed: 1.0, dates: ShownDates::Job, spelling: DateSpelling::Plain }
    }
}

/// Which clock the dates of a job are shown on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ShownDates {
    Job,
    Real,
}

/// How dates are spelled: `1735241621.022` or `1.735241621022E9`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DateSpelling {
    Plain,
    Scientific,
}

/// `[jobs]`: the course of a job.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct JobsSection {
    /// From Start to `InProgress`.
    pub(crate) pending: Period,
    pub(crate) rows_per_second: f64,
    /// From Stop to `Stopped`.
    pub(crate) stopping: Period,
    pub(crate) expires_after: Period,
    pub(crate) counters: Counters,
    /// The share of failed and skipped rows above which a job fails.
    pub(crate) too_many: f64,
    pub(crate) active_per_account: usize,
    /// Jobs in the life of a pool.
    pub(crate) per_pool: usize,
    /// For so long after Create, the job is not found.
    pub(crate) visible_after: Period,
}

impl Default for JobsSection {
    fn default() -> Self {
        Self {
            pending: Period::seconds(1),
            rows_per_second: 1_000.0,
            stopping: Period::seconds(1),
            // AWS's sample expired after 24.49 hours.
            expires_after: Period::seconds(88_200),
            counters: Counters::Running,
            too_many: 0.5,
            active_per_account: 1,
            per_pool: 1_000,
            visible_after: Period::seconds(0),
        }
    }
}

/// When the counters of a job move.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Counters {
    Running,
    AtEnd,
}

/// `[csv]`: how the file is read where AWS's rules leave room, and its limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CsvSection {
    pub(crate) blank_mfa: Fate,
    pub(crate) long_row: Fate,
    pub(crate) wrong_columns: Fate,
    pub(crate) missing_header: Fate,
    pub(crate) too_large: TooLarge,
    pub(crate) max_bytes: u64,
    pub(crate) max_rows: u64,
    /// In characters.
    pub(crate) max_row_length: usize,
}

impl Default for CsvSection {
    fn default() -> Self {
        Self {
            blank_mfa: Fate::FailRow,
            long_row: Fate::FailRow,
            wrong_columns: Fate::FailRow,
            missing_header: Fate::FailJob,
            too_large: TooLarge::FailJob,
            max_bytes: 100 * 1024 * 1024,
            max_rows: 500_000,
            max_row_length: 16_000,
        }
    }
}

/// What becomes of a row, or of its job, when a rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    Allow,
    FailRow,
    FailJob,
}

/// What becomes of a file over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TooLarge {
    FailJob,
    RefuseUpload,
}

/// `[list]`: the answers of `ListUserImportJobs`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListSection {
    /// The most jobs in one answer, whatever `MaxResults` says.
    pub(crate) cap: usize,
    /// Whether a last page that is full still carries a token.
    pub(crate) trailing_token: bool,
    /// How far behind Describe the list is, on the job's clock.
    pub(crate) lag: Period,
}

impl Default for ListSection {
    fn default() -> Self {
        Self { cap: 60, trailing_token: false, lag: Period::seconds(0) }
    }
}

/// `[quota]`: requests per second of real time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuotaSection {
    pub(crate) user_pool_resource_read: f64,
    pub(crate) user_pool_resource_update: f64,
    pub(crate) user_pool_update: f64,
    pub(crate) user_creation: f64,
    pub(crate) user_list: f64,
    /// Per operation and pool, in the two categories of resources.
    pub(crate) per_pool: f64,
    pub(crate) message: String,
}

impl Default for QuotaSection {
    fn default() -> Self {
        Self {
            user_pool_resource_read: 20.0,
            user_pool_resource_update: 15.0,
            user_pool_update: 15.0,
            user_creation: 50.0,
            user_list: 30.0,
            per_pool: 5.0,
            message: "Rate exceeded".into(),
        }
    }
}

/// `[signature]`: how far a request's date may be off.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignatureSection {
    pub(crate) skew: Period,
}

impl Default for SignatureSection {
    fn default() -> Self {
        Self { skew: Period::seconds(300) }
    }
}

/// One error's words; `{pool}` and `{job}` stand for the ids asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorText {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(default = "bad_request")]
    pub(crate) status: u16,
}

fn bad_request() -> u16 {
    400
}

/// `[errors]`: the errors whose words AWS does not tell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ErrorsSection {
    pub(crate) job_missing: ErrorText,
    pub(crate) active_job: ErrorText,
    pub(crate) start_wrong_state: ErrorText,
    pub(crate) stop_wrong_state: ErrorText,
    pub(crate) no_auto_verified: ErrorText,
    pub(crate) job_limit: ErrorText,
    pub(crate) unsigned: ErrorText,
}

impl Default for ErrorsSection {
    fn default() -> Self {
        let error = |code: &str, message: &str| ErrorText { code: code.into(), message: message.into(), status: 400 };
        let precondition = |message: &str| error("PreconditionNotMetException", message);
        Self {
            job_missing: error("ResourceNotFoundException", "User import job {job} does not exist."),
            active_job: precondition("Another user import job is already active in this account."),
            start_wrong_state: precondition("User import job {job} is not in the Created state."),
            stop_wrong_state: precondition("User import job {job} is not running."),
            no_auto_verified: precondition("User pool {pool} has no auto-verified attributes."),
            job_limit: error("LimitExceededException", "User pool {pool} has reached its limit of user import jobs."),
            unsigned: error("MissingAuthenticationTokenException", "Missing Authentication Token"),
        }
    }
}

/// `[messages]`: the `CompletionMessage` of each end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MessagesSection {
    pub(crate) succeeded: String,
    pub(crate) too_many: String,
    pub(crate) stopped: String,
    pub(crate) expired: String,
    pub(crate) unparsable: String,
}

impl Default for MessagesSection {
    fn default() -> Self {
        Self {
            succeeded: "Import Job Completed Successfully.".into(),
            too_many: "Too many users have failed or been skipped during the import.".into(),
            stopped: "The Import Job was stopped by the developer.".into(),
            expired: "The user import job has expired.".into(),
            unparsable: "The CSV file could not be parsed.".into(),
        }
    }
}
