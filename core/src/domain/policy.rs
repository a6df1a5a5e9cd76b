//! What its owner calls a good end, and the verdict on a job.

use std::fmt;
use std::time::Duration;

use super::{Counts, JobStatus};

/// The most that is allowed of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Any number.
    Any,
    /// This many at the most.
    AtMost(u64),
}

impl Limit {
    /// Whether `count` is within the limit.
    #[must_use]
    pub fn allows(self, count: u64) -> bool {
        match self {
            Self::Any => true,
            Self::AtMost(most) => count <= most,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::AtMost(most) => write!(f, "{most}"),
        }
    }
}

/// Whether a job that failed because every row was skipped counts as met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AllSkipped {
    /// It failed, like any other failed job.
    #[default]
    Fails,
    /// It is fine: every user was there already.
    Meets,
}

/// When a job counts as good, late or stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPolicy {
    /// Users that may fail in a job that Succeeded. Default 0.
    pub max_failed_users: Limit,
    /// Users that may be skipped in a job that Succeeded. Default any.
    pub max_skipped_users: Limit,
    /// What a Failed job with imported 0, failed 0 and skipped > 0 counts as.
    pub all_skipped: AllSkipped,
    /// The age, counted from `CreationDate`, at which an unfinished job is late. Default none.
    pub deadline: Option<Duration>,
    /// How long an active job may show no change before it is called stalled. Default 30 minutes.
    pub stall_after: Option<Duration>,
    /// How long "not found" is taken for "not visible yet". Default 30 seconds.
    pub not_found_grace: Duration,
    /// Rows the job is to import, where its owner says so: percent and time left need it.
    pub expected_users: Option<u64>,
}

impl Default for JobPolicy {
    fn default() -> Self {
        Self {
            max_failed_users: Limit::AtMost(0),
            max_skipped_users: Limit::Any,
            all_skipped: AllSkipped::Fails,
            deadline: None,
            stall_after: Some(Duration::from_secs(30 * 60)),
            not_found_grace: Duration::from_secs(30),
            expected_users: None,
        }
    }
}

impl JobPolicy {
    /// The verdict on a job that is over; `None` while it is not.
    #[must_use]
    pub fn judge(&self, status: &JobStatus, counts: Counts) -> Option<Verdict> {
        let verdict = match status {
            JobStatus::Succeeded if !self.max_failed_users.allows(counts.failed) => Verdict::TooManyFailedUsers,
            JobStatus::Succeeded if !self.max_skipped_users.allows(counts.skipped) => Verdict::TooManySkippedUsers,
            JobStatus::Succeeded => Verdict::Succeeded,
            JobStatus::Failed if self.all_skipped == AllSkipped::Meets && all_skipped(counts) => Verdict::Succeeded,
            JobStatus::Failed => Verdict::Failed,
            JobStatus::Stopped => Verdict::Stopped,
            JobStatus::Expired => Verdict::Expired,
            JobStatus::Created
            | JobStatus::Pending
            | JobStatus::InProgress
            | JobStatus::Stopping
            | JobStatus::Unrecognized(_) => return None,
        };
        Some(verdict)
    }
}

fn all_skipped(counts: Counts) -> bool {
    counts.imported == 0 && counts.failed == 0 && counts.skipped > 0
}

/// How the watch of one job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Succeeded within its policy.
    Succeeded,
    /// The job failed.
    Failed,
    /// The job was stopped.
    Stopped,
    /// The job was never started.
    Expired,
    /// Succeeded, with more failed users than allowed.
    TooManyFailedUsers,
    /// Succeeded, with more skipped users than allowed.
    TooManySkippedUsers,
    /// The pool or the job does not exist.
    NotFound,
    /// The service could not be asked for too long.
    Unobservable,
    /// The service refused us.
    AccessDenied,
    /// The service refused the question as wrong.
    Invalid,
    /// Still running when its time was up.
    DeadlineExceeded,
    /// We were told to stop before the job was over.
    Interrupted,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 12] = [
        Self::Succeeded,
        Self::Failed,
        Self::Stopped,
        Self::Expired,
        Self::TooManyFailedUsers,
        Self::TooManySkippedUsers,
        Self::NotFound,
        Self::Unobservable,
        Self::AccessDenied,
        Self::Invalid,
        Self::DeadlineExceeded,
        Self::Interrupted,
    ];

    /// The word in results and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
            Self::TooManyFailedUsers => "too_many_failed_users",
            Self::TooManySkippedUsers => "too_many_skipped_users",
            Self::NotFound => "not_found",
            Self::Unobservable => "unobservable",
            Self::AccessDenied => "access_denied",
            Self::Invalid => "invalid",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(imported: u64, skipped: u64, failed: u64) -> Counts {
        Counts { imported, skipped, failed }
    }

    #[test]
    fn each_verdict_has_the_word_that_results_promise() {
        assert_eq!(
            Verdict::ALL.map(Verdict::as_str),
            [
                "succeeded",
                "failed",
                "stopped",
                "expired",
                "too_many_failed_users",
                "too_many_skipped_users",
                "not_found",
                "unobservable",
                "access_denied",
                "invalid",
                "deadline_exceeded",
                "interrupted",
            ]
        );
        assert_eq!(format!("{:>8}|", Verdict::Failed), "  failed|", "in a table too");
    }

    #[test]
    fn a_limit_is_shown_as_it_is_written_in_the_config() {
        assert_eq!([Limit::Any, Limit::AtMost(3)].map(|limit| limit.to_string()), ["any", "3"]);
    }

    #[test]
    fn a_job_that_is_not_over_has_no_verdict() {
        let policy = JobPolicy::default();
        for status in JobStatus::KNOWN {
            assert_eq!(policy.judge(&status, counts(1, 0, 0)).is_some(), status.is_terminal(), "{status}");
        }
        assert_eq!(policy.judge(&JobStatus::from_wire("Paused"), counts(1, 0, 0)), None);
    }

    #[test]
    fn succeeded_with_one_failed_user_is_no_success_unless_allowed() {
        let mut policy = JobPolicy::default();
        let judge = |policy: &JobPolicy| policy.judge(&JobStatus::Succeeded, counts(99, 3, 1));
        assert_eq!(judge(&policy), Some(Verdict::TooManyFailedUsers));
        policy.max_failed_users = Limit::AtMost(1);
        assert_eq!(judge(&policy), Some(Verdict::Succeeded));
        policy.max_skipped_users = Limit::AtMost(2);
        assert_eq!(judge(&policy), Some(Verdict::TooManySkippedUsers));
        policy.max_skipped_users = Limit::Any;
        policy.max_failed_users = Limit::Any;
        assert_eq!(judge(&policy), Some(Verdict::Succeeded));
    }

    #[test]
    fn a_failed_job_of_skips_alone_is_met_only_when_asked_for() {
        let mut policy = JobPolicy::default();
        assert_eq!(policy.judge(&JobStatus::Failed, counts(0, 5, 0)), Some(Verdict::Failed));
        policy.all_skipped = AllSkipped::Meets;
        assert_eq!(policy.judge(&JobStatus::Failed, counts(0, 5, 0)), Some(Verdict::Succeeded));
        assert_eq!(policy.judge(&JobStatus::Failed, counts(0, 0, 0)), Some(Verdict::Failed));
        assert_eq!(policy.judge(&JobStatus::Failed, counts(1, 5, 0)), Some(Verdict::Failed));
        assert_eq!(policy.judge(&JobStatus::Failed, counts(0, 5, 1)), Some(Verdict::Failed));
    }
}
