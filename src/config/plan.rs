//! What will run: plain data, complete and checked, without a trace of how it was written.
//! Made by [`resolve`](super::resolve), read by every command that watches something.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cognito_import_watch_core::domain::{AccountId, JobPolicy, NamePattern, Target, UserPoolId};
use cognito_import_watch_core::schedule::{BackoffPolicy, Batch, Ceilings, PoolFilter};

/// Everything that will run. The default is what an empty config file means: nothing is watched yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The jobs named one by one, in the order of the file, then of the command line. No two have the same target.
    pub jobs: Vec<PlannedJob>,
    /// The pools whose jobs are watched, those created later too. No two have the same id.
    pub pools: Vec<PlannedPool>,
    /// Who asks. [`AccountRef::DEFAULT`], without a name, is always there and comes first.
    pub accounts: Vec<AccountPlan>,
    /// How often a job is looked at.
    pub poll: PollPlan,
    /// The ceilings of each account and region.
    pub ceilings: Ceilings,
    /// What is logged.
    pub log: LogPlan,
    /// Where the state is kept.
    pub state: StatePlan,
    /// What is told over HTTP.
    pub http: HttpPlan,
}

/// One job that will be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedJob {
    /// Which job.
    pub target: Target,
    /// What its owner calls it.
    pub name: Option<String>,
    /// Who asks for it.
    pub account: AccountRef,
    /// What counts as good, late or stuck.
    pub policy: JobPolicy,
}

/// One pool whose jobs will be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPool {
    /// Which pool.
    pub id: UserPoolId,
    /// What its owner calls it: the jobs found in it are called by this and their own name.
    pub name: Option<String>,
    /// Who asks for it.
    pub account: AccountRef,
    /// Which of its jobs are watched, by their name at Cognito; all without a pattern.
    pub job_name: Option<NamePattern>,
    /// The policy of the jobs found in it.
    pub policy: JobPolicy,
    /// A job never seen before is passed over when it was completed (else started, else created) longer ago than
    /// this. Default 24 hours.
    pub ignore_completed_before: Duration,
}

impl PlannedPool {
    /// Which of its jobs are watched.
    #[must_use]
    pub fn filter(&self) -> PoolFilter {
        PoolFilter { job_name: self.job_name.clone(), ignore_completed_before: self.ignore_completed_before }
    }
}

/// Which of [`Plan::accounts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRef(pub(super) usize);

impl AccountRef {
    /// The default credential chain.
    pub const DEFAULT: Self = Self(0);

    /// The place in [`Plan::accounts`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// Credentials and endpoint under one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPlan {
    /// The name in the file; none for the default chain.
    pub name: Option<String>,
    /// Where the credentials come from.
    pub credentials: CredentialsPlan,
    /// The address to ask instead of the service's own: `http` or `https`, with a host.
    pub endpoint_url: Option<String>,
    /// The region that all its jobs and pools are in, where its owner says so; STS is asked there.
    pub region: Option<String>,
}

impl AccountPlan {
    /// The twelve digits, where the role names them.
    #[must_use]
    pub fn id(&self) -> Option<AccountId> {
        match &self.credentials {
            CredentialsPlan::Role { arn, .. } => AccountId::from_arn(arn),
            CredentialsPlan::Default | CredentialsPlan::Profile(_) => None,
        }
    }
}

/// Where an account's credentials come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CredentialsPlan {
    /// The usual chain: variables, shared files, web identity, container, instance.
    #[default]
    Default,
    /// A profile of the shared AWS files.
    Profile(String),
    /// A role assumed with the credentials of a profile, else of the default chain.
    Role {
        /// `arn:<partition>:iam::<account>:role/<name>`.
        arn: String,
        /// The secret handshake that the role's owner asks for.
        external_id: Option<String>,
        /// What CloudTrail calls the session.
        session_name: Option<String>,
        /// The profile whose credentials assume it; the default chain where there is none.
        source_profile: Option<String>,
    },
}

/// How often a job is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct PollPlan {
    /// The growth of the interval: 2 s by 1.5 to 30 s, shortened by up to a fifth.
    pub backoff: BackoffPolicy,
    /// How long one request may take. Default 10 s.
    pub request_timeout: Duration,
    /// Whether lists are used. Default where they cost fewer calls.
    pub batch: Batch,
}

impl Default for PollPlan {
    fn default() -> Self {
        Self { backoff: BackoffPolicy::default(), request_timeout: Duration::from_secs(10), batch: Batch::Auto }
    }
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPlan {
    /// The form of a line.
    pub format: LogFormat,
    /// The least that is told.
    pub level: LogLevel,
    /// At most one `job.progress` per job in this time. Default 30 s.
    pub progress_interval: Duration,
}

impl Default for LogPlan {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: LogLevel::default(), progress_interval: Duration::from_secs(30) }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One flat object per line.
    Json,
}

impl LogFormat {
    /// Every choice with its word in the file and on the command line.
    pub const WORDS: &[(&str, Self)] = &[("auto", Self::Auto), ("text", Self::Text), ("json", Self::Json)];
}

/// The least that is told; each level tells what those before it tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Given up.
    Error,
    /// Odd, but handled.
    Warn,
    /// Work was done.
    #[default]
    Info,
    /// Nothing new.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Every level with its word in the file and on the command line.
    pub const WORDS: &[(&str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

/// Where the last known state of the jobs and the events are kept, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePlan {
    /// Which file.
    pub path: StatePath,
    /// What becomes of a damaged file.
    pub on_corrupt: OnCorrupt,
    /// For how long events are kept that were told. Default 30 days.
    pub keep_events: Duration,
    /// How many of them are kept at the most. Default 100,000.
    pub max_events: u64,
    /// How long an event waits to be told. Default 7 days.
    pub outbox_age: Duration,
    /// How many events wait to be told at the most. Default 10,000.
    pub outbox_events: u64,
}

impl Default for StatePlan {
    fn default() -> Self {
        Self {
            path: StatePath::default(),
            on_corrupt: OnCorrupt::default(),
            keep_events: Duration::from_secs(30 * 86_400),
            max_events: 100_000,
            outbox_age: Duration::from_secs(7 * 86_400),
            outbox_events: 10_000,
        }
    }
}

/// Which file the state is kept in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StatePath {
    /// `state.db` in `$STATE_DIRECTORY` where that is set, else none.
    #[default]
    Auto,
    /// None: a restart begins anew.
    None,
    /// This one.
    File(PathBuf),
}

/// What becomes of a damaged state file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCorrupt {
    /// It stays as it is, and `run` ends with code 74.
    #[default]
    Stop,
    /// It is moved aside, and a new one is begun.
    SetAside,
}

impl OnCorrupt {
    /// Every choice with its word in the file.
    pub const WORDS: &[(&str, Self)] = &[("stop", Self::Stop), ("set_aside", Self::SetAside)];
}

/// What is told over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpPlan {
    /// Where to listen; nowhere by default.
    pub listen: Option<SocketAddr>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            jobs: Vec::new(),
            pools: Vec::new(),
            accounts: vec![AccountPlan::default()],
            poll: PollPlan::default(),
            ceilings: Ceilings::default(),
            log: LogPlan::default(),
            state: StatePlan::default(),
            http: HttpPlan::default(),
        }
    }
}

impl Plan {
    /// How long a job that was over before we first saw it may be over and still be told.
    pub const IGNORE_COMPLETED_BEFORE: Duration = Duration::from_secs(24 * 3_600);

    /// Whether there is nothing to watch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.pools.is_empty()
    }

    /// Who asks for a job or a pool of this plan. A reference of another plan may find none.
    #[must_use]
    pub fn account(&self, account: AccountRef) -> Option<&AccountPlan> {
        self.accounts.get(account.index())
    }
}
