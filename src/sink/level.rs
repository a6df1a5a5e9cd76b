//! Levels and constant messages of events: chosen here and nowhere else.
//!
//! Called by [`super::line`], and by the live display, which shows what the log leaves out.

use cognito_import_watch_core::domain::{JobEvent, JobFact, JobStatus, Verdict, WarningKind};
use tracing::Level;

use super::{DaemonFact, LaneChange};

/// How loud an event about a job is.
#[must_use]
pub fn of_job(event: &JobEvent) -> Level {
    match &event.fact {
        JobFact::FirstSeen | JobFact::Progress { .. } | JobFact::PollRecovered { .. } => Level::INFO,
        JobFact::StatusChanged { .. } => of_status(event.status.as_ref()),
        JobFact::Completed { verdict: Verdict::Succeeded, .. } => Level::INFO,
        JobFact::Completed { .. } if event.status == Some(JobStatus::Failed) => Level::ERROR,
        JobFact::Completed { .. } => Level::WARN,
        JobFact::Warning(WarningKind::UploadUrlLapsed) => Level::INFO,
        JobFact::Warning(_) | JobFact::FailedUsers { .. } | JobFact::PollFailed { .. } => Level::WARN,
        JobFact::NotFound { .. } | JobFact::AccessDenied { .. } => Level::ERROR,
    }
}

fn of_status(status: Option<&JobStatus>) -> Level {
    match status {
        Some(JobStatus::Failed) => Level::ERROR,
        Some(JobStatus::Stopped | JobStatus::Expired) => Level::WARN,
        Some(
            JobStatus::Created
            | JobStatus::Pending
            | JobStatus::InProgress
            | JobStatus::Stopping
            | JobStatus::Succeeded
            | JobStatus::Unrecognized(_),
        )
        | None => Level::INFO,
    }
}

/// The constant words for an event about a job; where its owner has to act, what to do.
#[must_use]
pub fn job_message(fact: &JobFact) -> &'static str {
    match fact {
        JobFact::FirstSeen => "job seen for the first time",
        JobFact::StatusChanged { .. } => "job status changed",
        JobFact::FailedUsers { .. } => "users failed to import",
        JobFact::Progress { .. } => "job progressed",
        JobFact::Completed { .. } => "job completed",
        JobFact::Warning(WarningKind::UploadUrlLapsed) => {
            "upload url lapsed; if no csv was uploaded, the job can never run: create a new one"
        }
        JobFact::Warning(WarningKind::NearExpiry) => "job expires soon; call StartUserImportJob",
        JobFact::Warning(WarningKind::Stalled { .. }) => "job stalled",
        JobFact::Warning(WarningKind::StatusWentBack { .. }) => "job status went back",
        JobFact::Warning(WarningKind::UnknownStatus) => "job has an unknown status; it is watched on",
        JobFact::Warning(WarningKind::DeadlineExceeded { .. }) => "job passed its deadline",
        JobFact::PollFailed { .. } => "job could not be polled",
        JobFact::PollRecovered { .. } => "job can be polled again",
        JobFact::NotFound { .. } => {
            "user pool or job not found; check the pool id, the job id, the region and the account"
        }
        JobFact::AccessDenied { .. } => {
            "access denied; check the credentials and that the iam policy allows cognito-idp:DescribeUserImportJob and \
             cognito-idp:ListUserImportJobs on the pool"
        }
    }
}

/// How loud an event about a lane is.
#[must_use]
pub fn of_lane(change: LaneChange) -> Level {
    match change {
        LaneChange::Throttled => Level::WARN,
        LaneChange::Recovered => Level::INFO,
    }
}

/// The constant words for an event about a lane.
#[must_use]
pub fn lane_message(change: LaneChange) -> &'static str {
    match change {
        LaneChange::Throttled => "request rate cut",
        LaneChange::Recovered => "request rate restored",
    }
}

/// How loud an event about the daemon is.
#[must_use]
pub fn of_daemon(fact: &DaemonFact) -> Level {
    match fact {
        DaemonFact::Started { .. } | DaemonFact::Reloaded | DaemonFact::Stopping { .. } | DaemonFact::Stopped => {
            Level::INFO
        }
        DaemonFact::ReloadRejected { .. } => Level::WARN,
        DaemonFact::StateUnwritable { .. } => Level::ERROR,
    }
}

/// The constant words for an event about the daemon.
#[must_use]
pub fn daemon_message(fact: &DaemonFact) -> &'static str {
    match fact {
        DaemonFact::Started { .. } => "daemon started",
        DaemonFact::Reloaded => "configuration reloaded",
        DaemonFact::ReloadRejected { .. } => "configuration rejected; the one in force stays",
        DaemonFact::StateUnwritable { .. } => "state cannot be written",
        DaemonFact::Stopping { .. } => "daemon stopping",
        DaemonFact::Stopped => "daemon stopped",
    }
}

/// The level's word in JSON.
#[must_use]
pub fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The level of a word of [`word`].
#[must_use]
pub fn of_word(text: &str) -> Option<Level> {
    [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE].into_iter().find(|level| word(*level) == text)
}

#[cfg(test)]
mod tests {
    use super::super::samples::event;
    use super::*;

    #[test]
    fn a_change_of_status_is_as_loud_as_the_new_status() {
        for status in JobStatus::KNOWN {
            let expected = match status {
                JobStatus::Failed => Level::ERROR,
                JobStatus::Stopped | JobStatus::Expired => Level::WARN,
                _ => Level::INFO,
            };
            let event = event("a", status, JobFact::StatusChanged { previous: JobStatus::Pending });
            assert_eq!(of_job(&event), expected, "{event:?}");
        }
    }

    #[test]
    fn an_end_is_as_loud_as_its_verdict() {
        let completed = |verdict| JobFact::Completed {
            verdict,
            elapsed: None,
            completion_message: None,
            created_at: None,
            started_at: None,
            completed_at: None,
        };
        let level = |status, verdict| of_job(&event("a", status, completed(verdict)));
        assert_eq!(level(JobStatus::Succeeded, Verdict::Succeeded), Level::INFO);
        assert_eq!(level(JobStatus::Failed, Verdict::Succeeded), Level::INFO);
        assert_eq!(level(JobStatus::Failed, Verdict::Failed), Level::ERROR);
        assert_eq!(level(JobStatus::Succeeded, Verdict::TooManyFailedUsers), Level::WARN);
        assert_eq!(level(JobStatus::Succeeded, Verdict::TooManySkippedUsers), Level::WARN);
        assert_eq!(level(JobStatus::Stopped, Verdict::Stopped), Level::WARN);
        assert_eq!(level(JobStatus::Expired, Verdict::Expired), Level::WARN);
    }
}
