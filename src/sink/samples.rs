//! One event of every kind, for the tests of every form that events take.

use std::time::Duration;

use cognito_import_watch_core::domain::{
    Counts, ErrorKind, JobEvent, JobFact, JobIdentity, JobStatus, PollError, Timestamp, Verdict, WarningKind,
};

use super::{DaemonEvent, DaemonFact, LaneChange, LaneEvent};

/// 2026-11-22T17:03:22.123Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_367_002_123);

/// A name as long as the service allows.
pub(crate) fn long_name() -> String {
    "nightly customers of the northern region ".chars().cycle().take(128).collect()
}

pub(crate) fn identity(name: &str) -> JobIdentity {
    JobIdentity {
        target: "us-west-2_EXAMPLE/import-mAgUtd8PMm".parse().unwrap(),
        job_name: Some(name.into()),
        name: None,
        account: Some("123456789012".parse().unwrap()),
    }
}

pub(crate) fn event(name: &str, status: JobStatus, fact: JobFact) -> JobEvent {
    JobEvent {
        at: NOW,
        job: identity(name),
        status: Some(status),
        counts: Some(Counts { imported: 12, skipped: 0, failed: 1 }),
        fact,
    }
}

/// A job's event of every kind, `text` being its name and every other text that the service chose.
pub(crate) fn job_events(text: &str) -> Vec<JobEvent> {
    let since = Timestamp::from_millis(NOW.as_millis() - 80_000);
    let error = |kind, words: &str| PollError::new(kind, format!("{words}: {text}"));
    let completed = |verdict| JobFact::Completed {
        verdict,
        elapsed: Some(Duration::from_millis(12_345)),
        completion_message: Some(text.into()),
        created_at: Some(since),
        started_at: None,
        completed_at: Some(NOW),
    };
    let unknown = JobStatus::Unrecognized(text.into());
    let in_progress = |fact| event(text, JobStatus::InProgress, fact);
    vec![
        event(text, JobStatus::Created, JobFact::FirstSeen),
        in_progress(JobFact::FirstSeen),
        in_progress(JobFact::StatusChanged { previous: JobStatus::Created }),
        event(text, JobStatus::Expired, JobFact::StatusChanged { previous: JobStatus::Created }),
        event(text, JobStatus::Failed, JobFact::StatusChanged { previous: unknown.clone() }),
        in_progress(JobFact::FailedUsers { previous: 0, new: 1 }),
        in_progress(JobFact::Progress { percent: Some(45.123), eta: Some(Duration::from_secs(200)) }),
        in_progress(JobFact::Progress { percent: None, eta: None }),
        event(text, JobStatus::Succeeded, completed(Verdict::Succeeded)),
        event(text, JobStatus::Succeeded, completed(Verdict::TooManyFailedUsers)),
        event(text, JobStatus::Failed, completed(Verdict::Failed)),
        event(text, JobStatus::Failed, completed(Verdict::Succeeded)),
        event(text, JobStatus::Expired, completed(Verdict::Expired)),
        event(text, JobStatus::Created, JobFact::Warning(WarningKind::UploadUrlLapsed)),
        event(text, JobStatus::Created, JobFact::Warning(WarningKind::NearExpiry)),
        in_progress(JobFact::Warning(WarningKind::Stalled { unchanged_for: Duration::from_secs(1_800) })),
        event(
            text,
            JobStatus::Pending,
            JobFact::Warning(WarningKind::StatusWentBack { previous: JobStatus::InProgress }),
        ),
        event(text, unknown, JobFact::Warning(WarningKind::UnknownStatus)),
        in_progress(JobFact::Warning(WarningKind::DeadlineExceeded { deadline: Duration::from_secs(7_200) })),
        in_progress(JobFact::PollFailed {
            error: error(ErrorKind::Throttled, "the service said Rate exceeded"),
            since,
            next_poll: Some(Duration::from_secs(30)),
        }),
        in_progress(JobFact::PollRecovered { error_kind: ErrorKind::Throttled, since }),
        JobEvent {
            status: None,
            counts: None,
            ..in_progress(JobFact::NotFound {
                error: error(ErrorKind::NotFound, "pool us-west-2_EXAMPLE does not exist in us-west-2"),
                since,
            })
        },
        in_progress(JobFact::AccessDenied { error: error(ErrorKind::Denied, "no credentials were found"), since }),
    ]
}

pub(crate) fn lane_events() -> Vec<LaneEvent> {
    [(LaneChange::Throttled, 2.5), (LaneChange::Recovered, 5.0)]
        .map(|(change, requests_per_second)| LaneEvent {
            at: NOW,
            account: Some("123456789012".parse().unwrap()),
            region: "us-west-2".into(),
            requests_per_second,
            since: Timestamp::from_millis(NOW.as_millis() - 80_000),
            change,
        })
        .into()
}

pub(crate) fn daemon_events(text: &str) -> Vec<DaemonEvent> {
    [
        DaemonFact::Started { version: "0.1.0", state: None },
        DaemonFact::Started { version: "0.1.0", state: Some(format!("/var/lib/{text}/state.db")) },
        DaemonFact::Reloaded,
        DaemonFact::ReloadRejected { error: format!("watch.toml:3:1: unknown key {text}") },
        DaemonFact::StateUnwritable { state: "/var/lib/state.db".to_owned(), error: format!("disk full {text}") },
        DaemonFact::Stopping { reason: "SIGTERM" },
        DaemonFact::Stopped,
    ]
    .map(|fact| DaemonEvent { at: NOW, started_at: NOW, count: 0, jobs: 1, pools: 2, fact })
    .into()
}
