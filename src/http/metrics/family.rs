//! Every metric there is: its name, type, help and labels. docs/metrics.md says the same, and a test compares the two.
//!
//! The other files of this room write samples of these and of nothing else.

/// A metric with all its series.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// How its values move.
    pub kind: Kind,
    /// What it says, in one line.
    pub help: &'static str,
    /// The names of its labels, in the order in which samples give their values.
    pub labels: &'static [&'static str],
}

/// How the values of a metric move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Up, until the process ends.
    Counter,
    /// Anywhere.
    Gauge,
    /// Counters of how many were at most so much.
    Histogram,
}

impl Kind {
    /// The word in the text format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The families of a file, each a constant, and the list of them.
macro_rules! families {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Family =
                Family { name: $name, kind: Kind::$kind, help: $help, labels: &[$($label),*] };
        )*

        /// All of them, in the order of a scrape.
        pub const FAMILIES: &[&Family] = &[$(&$constant),*];
    };
}

families! {
    BUILD = Gauge "cognito_import_watch_build_info" ["version"]
        "Always 1; the version of the program.";
    CPU = Counter "process_cpu_seconds_total" []
        "Processor time used, by user and system.";
    RESIDENT = Gauge "process_resident_memory_bytes" []
        "Resident memory.";
    VIRTUAL = Gauge "process_virtual_memory_bytes" []
        "Virtual memory.";
    OPEN_FILES = Gauge "process_open_fds" []
        "Open file descriptors.";
    MAX_FILES = Gauge "process_max_fds" []
        "The most file descriptors that may be open.";
    THREADS = Gauge "process_threads" []
        "Threads of the process.";
    START = Gauge "process_start_time_seconds" []
        "When the process started, in seconds since 1970.";

    POLLS = Counter "cognito_import_watch_polls_total" ["account", "region", "operation", "outcome"]
        "Requests that ended, by operation (describe, list) and outcome (ok, or the kind of error).";
    POLL_SECONDS = Histogram "cognito_import_watch_poll_duration_seconds" ["account", "region", "operation"]
        "From sending a request to its answer or its failure.";
    LANE_RATE = Gauge "cognito_import_watch_lane_requests_per_second" ["account", "region"]
        "The rate that an account and region has now; throttles cut it.";
    LANE_CEILING = Gauge "cognito_import_watch_lane_max_requests_per_second" ["account", "region"]
        "The rate that the configuration allows an account and region.";
    LANE_IN_FLIGHT = Gauge "cognito_import_watch_lane_requests_in_flight" ["account", "region"]
        "Requests on their way.";
    LANE_THROTTLED = Gauge "cognito_import_watch_lane_throttled" ["account", "region"]
        "1 while throttles keep the rate of an account and region below its ceiling.";

    EVENTS = Counter "cognito_import_watch_events_total" ["event"]
        "Events told, each once, by name.";
    WARNINGS = Counter "cognito_import_watch_job_warnings_total" ["kind"]
        "Events job.warning, by kind.";
    COMPLETED = Counter "cognito_import_watch_jobs_completed_total" ["verdict"]
        "Events job.completed, by verdict.";
    LOG_DROPPED = Counter "cognito_import_watch_log_records_dropped_total" []
        "Log records that were not written: nobody took them in time, or they could not be written.";
    STATE_WRITABLE = Gauge "cognito_import_watch_state_writable" []
        "1 while the state file can be written; none where nothing is kept.";
    STATE_COMMITS = Counter "cognito_import_watch_state_commits_total" []
        "Transactions written to the state file.";
    STATE_WAITING = Gauge "cognito_import_watch_state_changes_waiting" []
        "Changes that are not in the state file yet.";
    EVENTS_WAITING = Gauge "cognito_import_watch_events_waiting" ["sink"]
        "Events that a sink has not taken yet.";
    EVENTS_DROPPED = Counter "cognito_import_watch_events_dropped_total" ["sink"]
        "Events that a sink was never told: it did not take them for too long.";

    RELOADS = Counter "cognito_import_watch_config_reloads_total" ["outcome"]
        "How often the configuration was read again, by outcome (taken, rejected).";
    RELOAD_GOOD = Gauge "cognito_import_watch_config_last_reload_successful" []
        "0 while the configuration that was read last is wrong and the one before is in force.";
    RELOAD_AT = Gauge "cognito_import_watch_config_last_reload_success_timestamp_seconds" []
        "When the configuration in force was read, in seconds since 1970.";

    POOLS = Gauge "cognito_import_watch_pools" []
        "Pools that are watched as a whole.";
    POOL_FAILING = Gauge "cognito_import_watch_pool_failing" ["user_pool_id", "error_kind"]
        "1 while the list of a pool that is watched as a whole cannot be read, by the kind of error.";
    JOBS = Gauge "cognito_import_watch_jobs" ["user_pool_id", "status"]
        "Watched jobs by status; unseen where none was shown yet, unrecognized where it is a new one.";
    JOB_STATUS = Gauge "cognito_import_watch_job_status" ["user_pool_id", "job_id", "name", "status", "verdict"]
        "Always 1; the job's status, and its verdict once its watch is over.";
    JOB_USERS = Gauge "cognito_import_watch_job_users" ["user_pool_id", "job_id", "name", "outcome"]
        "Users of a job so far, by outcome (imported, skipped, failed).";
    JOB_EXPECTED = Gauge "cognito_import_watch_job_expected_users" ["user_pool_id", "job_id", "name"]
        "Users that the job is to import, where its owner said so.";
    JOB_FAILING = Gauge "cognito_import_watch_job_failing" ["user_pool_id", "job_id", "name", "error_kind"]
        "1 while polls of the job fail, by the kind of the last error.";
    JOB_OBSERVED = Gauge "cognito_import_watch_job_last_observed_timestamp_seconds" ["user_pool_id", "job_id", "name"]
        "When the job was last seen, in seconds since 1970; 0 where it never was.";
    JOB_CHANGED = Gauge "cognito_import_watch_job_last_change_timestamp_seconds" ["user_pool_id", "job_id", "name"]
        "When status or counters of the job were last seen to change, in seconds since 1970.";
    JOB_STALLS_AFTER = Gauge "cognito_import_watch_job_stall_after_seconds" ["user_pool_id", "job_id", "name"]
        "After how long without a change the job counts as stalled, where it ever does.";
    JOB_CREATED = Gauge "cognito_import_watch_job_created_timestamp_seconds" ["user_pool_id", "job_id", "name"]
        "When the job was created, in seconds since 1970.";
    JOB_COMPLETED = Gauge "cognito_import_watch_job_completed_timestamp_seconds" ["user_pool_id", "job_id", "name"]
        "When the job was over, in seconds since 1970.";
    JOB_DEADLINE = Gauge "cognito_import_watch_job_deadline_timestamp_seconds" ["user_pool_id", "job_id", "name"]
        "When the job is to be over, in seconds since 1970, where it has a deadline.";
}
