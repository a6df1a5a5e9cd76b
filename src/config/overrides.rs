//! What the command line says on top of the file.
//! Filled by the commands from their flags, laid over the file by [`resolve`](super::resolve).

use std::time::Duration;

use cognito_import_watch_core::domain::policy::AllSkipped;
use cognito_import_watch_core::domain::{Limit, Target, UserPoolId};

use super::plan::{LogFormat, LogLevel};

/// What was typed. A flag wins over the file; what is not set leaves the file as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Jobs named on the command line; a target given twice counts once. One that the file names keeps the file's
    /// settings; one of a pool that the file names gets the pool's account and policy.
    pub targets: Vec<Target>,
    /// Pools named on the command line; one that the file names keeps the file's settings.
    pub pools: Vec<UserPoolId>,
    /// Whether the file's own jobs and pools are watched beside those named.
    pub selection: Selection,
    /// `--region`: the region that every pool must be in.
    pub region: Option<String>,
    /// `--profile`: used by every account that has neither a role nor a profile of its own.
    pub profile: Option<String>,
    /// `--endpoint-url`: the address to ask, for every account.
    pub endpoint_url: Option<String>,
    /// Whether AWS's own variables or files set an endpoint: then the name of a region may be any.
    pub aws_endpoint: AwsEndpoint,
    /// `--log-level`.
    pub log_level: Option<LogLevel>,
    /// `--log-format`.
    pub log_format: Option<LogFormat>,
    /// `--initial-interval`.
    pub initial_interval: Option<Duration>,
    /// `--max-interval`; the initial interval is lowered to it where it was not typed too.
    pub max_interval: Option<Duration>,
    /// `--max-failed-users`, for every job.
    pub max_failed_users: Option<Limit>,
    /// `--max-skipped-users`, for every job.
    pub max_skipped_users: Option<Limit>,
    /// `--allow-all-skipped`, for every job.
    pub all_skipped: Option<AllSkipped>,
    /// `--expected-users`, at least 1: for the only job of the plan.
    pub expected_users: Option<u64>,
}

/// What becomes of the file's own jobs and pools when some are named on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// They are watched as well.
    #[default]
    Add,
    /// They are left out: the file gives settings only. Without a name on the command line they are watched.
    Only,
}

/// Whether AWS's own settings (`AWS_ENDPOINT_URL`, a profile's `endpoint_url`) name an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AwsEndpoint {
    /// The service's own address is asked.
    #[default]
    Unset,
    /// Another address is asked.
    Set,
}
