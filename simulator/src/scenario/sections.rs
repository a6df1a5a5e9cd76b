//! The tables of the scenario that say how the service behaves, each key with its default.

use std::time::Duration;

use serde::Deserialize;

use super::values::{Period, Rate, Share};

/// A table whose keys all have defaults.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $default:expr,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $name { $(pub(crate) $field: $type),+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }
    };
}

/// A choice written as a word; the first is the default.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident ($case:literal) { $first:ident, $($other:ident),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
        #[serde(rename_all = $case)]
        pub(crate) enum $name { #[default] $first, $($other),+ }
    };
}

section! {
    /// `[clock]`: seconds of the job's clock in one of real time, and how its dates are shown.
    ClockSection {
        speed: Rate = Rate(1.0),
        dates: ShownDates = ShownDates::Job,
        spelling: DateSpelling = DateSpelling::Plain,
    }
}
section! {
    /// `[jobs]`: the course of a job, all periods on its clock.
    JobsSection {
        pending: Period = seconds(1),
        rows_per_second: Rate = Rate(1_000.0),
        stopping: Period = seconds(1),
        // AWS's sample expired after 24.49 hours.
        expires_after: Period = seconds(88_200),
        counters: Counters = Counters::Running,
        too_many: Share = Share(0.5),
        active_per_account: usize = 1,
        per_pool: usize = 1_000,
        visible_after: Period = seconds(0),
    }
}
section! {
    /// `[csv]`: what becomes of a file where AWS's rules leave room, and its limits.
    CsvSection {
        blank_mfa: Fate = Fate::FailRow,
        long_row: Fate = Fate::FailRow,
        wrong_columns: Fate = Fate::FailRow,
        missing_header: Fate = Fate::FailJob,
        too_large: TooLarge = TooLarge::FailJob,
        max_bytes: u64 = 100 * 1024 * 1024,
        max_rows: u64 = 500_000,
        max_row_length: usize = 16_000,
    }
}
section! {
    /// `[list]`: the answers of `ListUserImportJobs`; `lag` is how far they are behind Describe.
    ListSection {
        cap: usize = 60,
        trailing_token: bool = false,
        lag: Period = seconds(0),
    }
}
section! {
    /// `[quota]`: requests per second of real time; `per_pool` is per operation and pool.
    QuotaSection {
        user_pool_resource_read: Rate = Rate(20.0),
        user_pool_resource_update: Rate = Rate(15.0),
        user_pool_update: Rate = Rate(15.0),
        user_creation: Rate = Rate(50.0),
        user_list: Rate = Rate(30.0),
        per_pool: Rate = Rate(5.0),
        message: String = "Rate exceeded".into(),
    }
}
section! {
    /// `[signature]`: how far a request's date may be off.
    SignatureSection {
        skew: Period = seconds(300),
    }
}
section! {
    /// `[errors]`: the errors whose words AWS does not tell.
    ErrorsSection {
        job_missing: Failure = Failure::new("ResourceNotFoundException", "User import job {job} does not exist."),
        active_job: Failure = unmet("Another user import job is already active in this account."),
        start_wrong_state: Failure = unmet("User import job {job} is not in the Created state."),
        stop_wrong_state: Failure = unmet("User import job {job} is not running."),
        no_auto_verified: Failure = unmet("User pool {pool} has no auto-verified attributes."),
        job_limit: Failure = Failure::new("LimitExceededException", "User pool {pool} has too many user import jobs."),
        unsigned: Failure = Failure::new("MissingAuthenticationTokenException", "Missing Authentication Token"),
    }
}
section! {
    /// `[messages]`: the `CompletionMessage` of each end.
    MessagesSection {
        succeeded: String = "Import Job Completed Successfully.".into(),
        too_many: String = "Too many users have failed or been skipped during the import.".into(),
        stopped: String = "The Import Job was stopped by the developer.".into(),
        expired: String = "The user import job has expired.".into(),
        unparsable: String = "The CSV file could not be parsed.".into(),
    }
}

choice! { /// Which clock the dates of a job are shown on.
ShownDates ("snake_case") { Job, Real } }
choice! { /// How dates are spelled: `1735241621.022` or `1.735241621022E9`.
DateSpelling ("snake_case") { Plain, Scientific } }
choice! { /// When the counters of a job move.
Counters ("snake_case") { Running, AtEnd } }
choice! { /// What becomes of a row, or of its job, when a rule is broken.
Fate ("snake_case") { Allow, FailRow, FailJob } }
choice! { /// What becomes of a file over the limit.
TooLarge ("snake_case") { FailJob, RefuseUpload } }
choice! { /// The clock of a fault's window.
FaultClock ("snake_case") { Real, Job } }
choice! { /// Where an error's type is told: `Both` as the service does, `Namespaced` in the body alone.
TypeSpelling ("snake_case") { Both, Header, Body, Namespaced } }
choice! { /// An attribute that Cognito can verify.
Contact ("snake_case") { Email, PhoneNumber } }
choice! { /// A pool's setting for multi-factor authentication.
Mfa ("UPPERCASE") { Off, Optional, On } }

impl Contact {
    /// Its name in the API and in the CSV.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
        }
    }
}

/// An error of the service. In `[errors]`, `{pool}` and `{job}` stand for the ids asked for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    #[serde(default = "bad_request")]
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) spelling: TypeSpelling,
    /// `message` where absent; IAM writes `Message`.
    pub(crate) message_key: Option<String>,
    /// Told as `x-amz-retry-after`, in milliseconds.
    pub(crate) retry_after: Option<Period>,
}

fn bad_request() -> u16 {
    400
}

fn unmet(message: &str) -> Failure {
    Failure::new("PreconditionNotMetException", message)
}

fn seconds(seconds: u64) -> Period {
    Period(Duration::from_secs(seconds))
}
