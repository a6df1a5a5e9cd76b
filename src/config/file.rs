//! What was written: every table and key of the config file, each with its kind, range and default.
//! Read by [`resolve`](super::resolve); the JSON Schema is made of the same types.
//!
//! A new key is a field here, a line in its table's `read`, a row in `docs/config.md`, and a line in the default file.

use cognito_import_watch_core::schedule::Batch;
use schemars::JsonSchema;

use super::account_value::{EndpointUrl, ExternalId, RoleArn, SessionName};
use super::listen_value::ListenAddress;
use super::plan::{LogFormat, LogLevel, OnCorrupt};
use super::problem::Written;
use super::reader::TableReader;
use super::value::{
    MaybePeriod, Name, Pattern, Period, PoolId, PositivePeriod, TargetText, Text, UserLimit, Word, count, number,
};

/// A key that may be left out, or whose value was told as wrong.
type Field<T> = Option<Written<T>>;

/// The settings of cognito-import-watch. Files in `conf.d` beside the main file are read too: arrays append, a value
/// given twice is an error.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "cognito-import-watch")]
pub(super) struct ConfigFile {
    /// How often a job is looked at.
    #[schemars(default)]
    pub(super) poll: PollFile,
    /// The ceilings of each account and region.
    #[schemars(default)]
    pub(super) throttle: ThrottleFile,
    /// What counts as good, late or stuck. Each key may be set again on a job or a pool.
    #[schemars(default)]
    pub(super) policy: PolicyFile,
    /// What is logged.
    #[schemars(default)]
    pub(super) log: LogFile,
    /// Where the last known state of the jobs is kept.
    #[schemars(default)]
    pub(super) state: StateFile,
    /// Probes, the jobs, their events and metrics over HTTP.
    #[schemars(default)]
    pub(super) http: HttpFile,
    /// Credentials and endpoint under a name. Without one the default credential chain is used.
    #[schemars(default)]
    pub(super) account: Vec<AccountFile>,
    /// One import job to watch.
    #[schemars(default)]
    pub(super) job: Vec<JobFile>,
    /// A pool of which every job is watched, those created later too.
    #[schemars(default)]
    pub(super) pool: Vec<PoolFile>,
}

impl ConfigFile {
    pub(super) fn read(file: &mut TableReader<'_>) -> Self {
        Self {
            poll: file.table("poll", PollFile::read),
            throttle: file.table("throttle", ThrottleFile::read),
            policy: file.table("policy", PolicyFile::read),
            log: file.table("log", LogFile::read),
            state: file.table("state", StateFile::read),
            http: file.table("http", HttpFile::read),
            account: file.tables("account", AccountFile::read),
            job: file.tables("job", JobFile::read),
            pool: file.tables("pool", PoolFile::read),
        }
    }
}

/// `[poll]`
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct PollFile {
    /// After a change of status or counts the interval starts here again.
    #[schemars(extend("default" = "2s"))]
    pub(super) initial_interval: Field<PositivePeriod>,
    /// The longest gap planned between two polls of a job, at least initial_interval; jitter only shortens it. The
    /// rate ceiling, a throttle or a denied job make it longer: `check` says by how much.
    #[schemars(extend("default" = "30s"))]
    pub(super) max_interval: Field<PositivePeriod>,
    /// By how much the interval grows while nothing changes.
    #[schemars(range(min = 1, max = 10), extend("default" = 1.5))]
    pub(super) multiplier: Field<f64>,
    /// The part of an interval that is at most taken off at random.
    #[schemars(range(min = 0, max = 0.9), extend("default" = 0.2))]
    pub(super) jitter: Field<f64>,
    /// How long one request may take.
    #[schemars(extend("default" = "10s"))]
    pub(super) request_timeout: Field<PositivePeriod>,
    /// "auto": the jobs of a pool are looked at by ListUserImportJobs where that saves at least three calls, and one by
    /// one by DescribeUserImportJob otherwise; "never": DescribeUserImportJob only, but for finding the jobs of a pool.
    #[schemars(extend("default" = "auto"))]
    pub(super) batch: Field<BatchWord>,
}

impl PollFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self {
            initial_interval: table.value("initial_interval"),
            max_interval: table.value("max_interval"),
            multiplier: table.value_with("multiplier", |value| number(value, 1.0..=10.0)),
            jitter: table.value_with("jitter", |value| number(value, 0.0..=0.9)),
            request_timeout: table.value("request_timeout"),
            batch: table.value("batch"),
        }
    }
}

/// `[throttle]`
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ThrottleFile {
    /// The most requests per second of one account and region. Cognito's own quota is 20, shared by all callers.
    #[schemars(range(min = 0.1, max = 10000), extend("default" = 5))]
    pub(super) requests_per_second: Field<f64>,
    /// The most requests per second of one pool. Cognito's own quota is 5 per operation.
    #[schemars(range(min = 0.1, max = 10000), extend("default" = 2))]
    pub(super) requests_per_second_per_pool: Field<f64>,
    /// The most requests of one account and region that wait for an answer.
    #[schemars(range(min = 1, max = 10000), extend("default" = 16))]
    pub(super) max_in_flight: Field<u64>,
}

impl ThrottleFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        let rate = |value: &toml::de::DeValue<'_>| number(value, 0.1..=10_000.0);
        Self {
            requests_per_second: table.value_with("requests_per_second", rate),
            requests_per_second_per_pool: table.value_with("requests_per_second_per_pool", rate),
            max_in_flight: table.value_with("max_in_flight", |value| count(value, 1..=10_000)),
        }
    }
}

/// `[policy]`, and the same keys on a job or a pool.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct PolicyFile {
    /// Users that may fail in a job that Succeeded, or "any".
    #[schemars(extend("default" = 0))]
    pub(super) max_failed_users: Field<UserLimit>,
    /// Users that may be skipped in a job that Succeeded, or "any".
    #[schemars(extend("default" = "any"))]
    pub(super) max_skipped_users: Field<UserLimit>,
    /// The age, counted from the job's CreationDate, at which an unfinished job is late, or "none". `run` warns and
    /// polls on; with --exit-when-complete and in `wait` the job is over.
    #[schemars(extend("default" = "none"))]
    pub(super) deadline: Field<MaybePeriod>,
    /// How long an active job may show no change before it is called stalled, or "none".
    #[schemars(extend("default" = "30m"))]
    pub(super) stall_after: Field<MaybePeriod>,
    /// How long "not found" is taken for "not visible yet".
    #[schemars(extend("default" = "30s"))]
    pub(super) not_found_grace: Field<Period>,
}

impl PolicyFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self {
            max_failed_users: table.value("max_failed_users"),
            max_skipped_users: table.value("max_skipped_users"),
            deadline: table.value("deadline"),
            stall_after: table.value("stall_after"),
            not_found_grace: table.value("not_found_grace"),
        }
    }
}

/// `[log]`
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct LogFile {
    /// The form of a line. "auto": of `run`, text on a terminal and json otherwise; of `wait`, text. "journald": not in
    /// this version, which refuses it.
    #[schemars(extend("default" = "auto"))]
    pub(super) format: Field<LogFormatWord>,
    /// The least that `run` tells. `wait` tells warnings and errors, unless --log-level says otherwise.
    #[schemars(extend("default" = "info"))]
    pub(super) level: Field<LogLevel>,
    /// At most one `job.progress` per job in this time.
    #[schemars(extend("default" = "30s"))]
    pub(super) progress_interval: Field<Period>,
}

impl LogFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self {
            format: table.value("format"),
            level: table.value("level"),
            progress_interval: table.value("progress_interval"),
        }
    }
}

/// A form of log lines, as the file knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFormatWord {
    /// One that this version writes.
    Known(LogFormat),
    /// The journal's own protocol.
    Journald,
}

impl Word for LogFormatWord {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Known(LogFormat::Auto)),
        ("text", Self::Known(LogFormat::Text)),
        ("json", Self::Known(LogFormat::Json)),
        ("journald", Self::Journald),
    ];
}

impl Word for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = Self::WORDS;
}

/// A word of `poll.batch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchWord(pub(super) Batch);

impl Word for BatchWord {
    const WORDS: &'static [(&'static str, Self)] = &[("auto", Self(Batch::Auto)), ("never", Self(Batch::Never))];
}

/// `[state]`
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct StateFile {
    /// A file; "auto": state.db in $STATE_DIRECTORY where that is set, else "none"; "none": nowhere.
    #[schemars(extend("default" = "auto"))]
    pub(super) path: Field<Text>,
    /// What becomes of a damaged file. "stop": it stays, and `run` ends with code 74; "set_aside": it is moved aside
    /// and a new one begun, so that facts are told again under the same ids.
    #[schemars(extend("default" = "stop"))]
    pub(super) on_corrupt: Field<OnCorrupt>,
    /// For how long events are kept for `history` once they were told. Jobs are kept for ever.
    #[schemars(extend("default" = "30d"))]
    pub(super) keep_events: Field<PositivePeriod>,
    /// How many events are kept at the most once they were told; the oldest go first.
    #[schemars(range(min = 1, max = 100000000), extend("default" = 100_000))]
    pub(super) max_events: Field<u64>,
    /// How long an event waits to be told where nobody takes it; what is dropped then is told as a number.
    #[schemars(extend("default" = "7d"))]
    pub(super) outbox_age: Field<PositivePeriod>,
    /// How many events wait to be told at the most; the oldest are dropped first.
    #[schemars(range(min = 1, max = 1000000), extend("default" = 10_000))]
    pub(super) outbox_events: Field<u64>,
}

impl StateFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self {
            path: table.value("path"),
            on_corrupt: table.value("on_corrupt"),
            keep_events: table.value("keep_events"),
            max_events: table.value_with("max_events", |value| count(value, 1..=100_000_000)),
            outbox_age: table.value("outbox_age"),
            outbox_events: table.value_with("outbox_events", |value| count(value, 1..=1_000_000)),
        }
    }
}

impl Word for OnCorrupt {
    const WORDS: &'static [(&'static str, Self)] = Self::WORDS;
}

/// `[http]`
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct HttpFile {
    /// The address to listen at, such as "127.0.0.1:9464"; port 0 is any that is free. Off unless set. Whoever reaches it
    /// may read: there is no password.
    pub(super) listen: Field<ListenAddress>,
}

impl HttpFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self { listen: table.value("listen") }
    }
}

/// `[[account]]`
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct AccountFile {
    /// Whether a role is written, be it right or wrong.
    #[schemars(skip)]
    pub(super) has_role: bool,
    /// What jobs and pools call it. No two accounts have the same name.
    #[schemars(required)]
    pub(super) name: Field<Name>,
    /// The role to assume, with the credentials of source_profile, else of the default chain. Not together with profile.
    pub(super) role_arn: Field<RoleArn>,
    /// The external id that the role's owner asks for. Only with role_arn.
    pub(super) external_id: Field<ExternalId>,
    /// What CloudTrail calls us: cognito-import-watch, unless set. Only with role_arn.
    pub(super) session_name: Field<SessionName>,
    /// The profile of the shared AWS files whose credentials assume the role. Only with role_arn.
    pub(super) source_profile: Field<Name>,
    /// The profile of the shared AWS files to use. Not together with role_arn.
    pub(super) profile: Field<Name>,
    /// The address to ask instead of Cognito's own.
    pub(super) endpoint_url: Field<EndpointUrl>,
    /// The region that all jobs and pools of the account are in; STS is asked there. Another one is an error.
    pub(super) region: Field<Name>,
}

impl AccountFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self {
            has_role: table.has("role_arn"),
            name: table.required("name"),
            role_arn: table.value("role_arn"),
            external_id: table.value("external_id"),
            session_name: table.value("session_name"),
            source_profile: table.value("source_profile"),
            profile: table.value("profile"),
            endpoint_url: table.value("endpoint_url"),
            region: table.value("region"),
        }
    }
}

/// `[[job]]`
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct JobFile {
    /// The job: `<user-pool-id>/<job-id>`. No two jobs have the same target.
    #[schemars(required)]
    pub(super) target: Field<TargetText>,
    /// What events call it instead of its name at Cognito.
    pub(super) name: Field<Name>,
    /// Who asks: the name of an account. Default: the account of the pool where that is listed, else the default
    /// credential chain.
    pub(super) account: Field<Name>,
    /// The region of the pool, as a check: another one than the pool id's is an error.
    pub(super) region: Field<Name>,
    /// Rows the job is to import: percent and time left need it.
    #[schemars(range(min = 1))]
    pub(super) expected_users: Field<u64>,
    #[schemars(flatten)]
    pub(super) policy: PolicyFile,
}

impl JobFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self {
            target: table.required("target"),
            name: table.value("name"),
            account: table.value("account"),
            region: table.value("region"),
            expected_users: table.value_with("expected_users", |value| count(value, 1..=u64::MAX)),
            policy: PolicyFile::read(table),
        }
    }
}

/// `[[pool]]`
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct PoolFile {
    /// The user pool's id. No two pools have the same one.
    #[schemars(required)]
    pub(super) id: Field<PoolId>,
    /// What its owner calls it: events call a job found in it by this name, a slash, and the job's own.
    pub(super) name: Field<Name>,
    /// Only jobs whose name at Cognito matches: `*` stands for any characters, `?` for one, the rest for itself. The
    /// others are left alone, unless a [[job]] names them.
    pub(super) job_name: Field<Pattern>,
    /// Who asks: the name of an account. Default: the default credential chain.
    pub(super) account: Field<Name>,
    /// The region of the pool, as a check: another one than the pool id's is an error.
    pub(super) region: Field<Name>,
    /// A job never seen before is passed over when its CompletionDate, else StartDate, else CreationDate is longer
    /// ago.
    #[schemars(extend("default" = "24h"))]
    pub(super) ignore_completed_before: Field<Period>,
    #[schemars(flatten)]
    pub(super) policy: PolicyFile,
}

impl PoolFile {
    fn read(table: &mut TableReader<'_>) -> Self {
        Self {
            id: table.required("id"),
            name: table.value("name"),
            job_name: table.value("job_name"),
            account: table.value("account"),
            region: table.value("region"),
            ignore_completed_before: table.value("ignore_completed_before"),
            policy: PolicyFile::read(table),
        }
    }
}
