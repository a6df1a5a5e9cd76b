//! Tests of what a fact is called and what makes it the same fact.

use super::*;

/// One event of each kind of fact, about a job with status InProgress and the counters 99, 0 and 1.
fn event(fact: JobFact) -> JobEvent {
    JobEvent {
        at: Timestamp::from_millis(0),
        job: identity(),
        status: Some(JobStatus::InProgress),
        counts: Some(Counts { imported: 99, skipped: 0, failed: 1 }),
        fact,
    }
}

fn identity() -> JobIdentity {
    JobIdentity {
        target: "us-west-2_EXAMPLE/import-mAgUtd8PMm".parse().unwrap(),
        job_name: None,
        name: None,
        account: None,
    }
}

/// The key of a fact: its name, and what follows pool and job.
fn key(fact: JobFact) -> (String, Vec<String>) {
    let key = event(fact).key(Uuid::nil());
    let own = usize::from(key[1] == Uuid::nil().to_string());
    assert_eq!(key[1 + own..3 + own], ["us-west-2_EXAMPLE", "import-mAgUtd8PMm"]);
    (key[0].clone(), [&key[1..1 + own], &key[3 + own..]].concat())
}

#[test]
fn a_fact_of_the_job_is_the_same_whoever_observed_it() {
    let completed = JobFact::Completed {
        verdict: Verdict::Succeeded,
        elapsed: None,
        completion_message: None,
        created_at: None,
        started_at: None,
        completed_at: None,
    };
    for (fact, name, rest) in [
        (JobFact::FirstSeen, "job.first_seen", &[][..]),
        (JobFact::StatusChanged { previous: JobStatus::Pending }, "job.status_changed", &["InProgress"]),
        (JobFact::FailedUsers { previous: 0, new: 1 }, "job.failed_users", &["1"]),
        (JobFact::Progress { percent: None, eta: None }, "job.progress", &["99", "0", "1"]),
        (completed, "job.completed", &["InProgress"]),
    ] {
        assert_eq!(key(fact), (name.to_owned(), rest.iter().map(ToString::to_string).collect()));
    }
}

#[test]
fn a_warning_is_the_same_by_its_kind_and_what_it_is_about() {
    for (kind, rest) in [
        (WarningKind::UploadUrlLapsed, &["upload_url_lapsed"][..]),
        (WarningKind::NearExpiry, &["near_expiry"]),
        (WarningKind::Stalled { unchanged_for: Duration::from_secs(7) }, &["stalled", "InProgress", "99", "0", "1"]),
        (
            WarningKind::StatusWentBack { previous: JobStatus::Stopping },
            &["status_went_back", "Stopping", "InProgress"],
        ),
        (WarningKind::UnknownStatus, &["unknown_status", "InProgress"]),
        (WarningKind::DeadlineExceeded { deadline: Duration::from_secs(3_600) }, &["deadline_exceeded", "3600"]),
    ] {
        assert_eq!(kind.as_str(), rest[0]);
        let rest = rest.iter().map(ToString::to_string).collect();
        assert_eq!(key(JobFact::Warning(kind)), ("job.warning".to_owned(), rest));
    }
}

#[test]
fn a_fact_of_an_observer_is_the_same_by_the_observer_and_the_episode() {
    let (error, since) = (PollError::new(ErrorKind::Transient, "no"), Timestamp::from_millis(1_000));
    let (observer, began) = (Uuid::nil().to_string(), since.to_string());
    for (fact, name, rest) in [
        (JobFact::PollFailed { error: error.clone(), since, next_poll: None }, "job.poll_failed", Some("transient")),
        (JobFact::PollRecovered { error_kind: ErrorKind::Denied, since }, "job.poll_recovered", Some("denied")),
        (JobFact::NotFound { error: error.clone(), since }, "job.not_found", None),
        (JobFact::AccessDenied { error, since }, "job.access_denied", None),
    ] {
        let rest = [Some(observer.as_str()), rest, Some(began.as_str())];
        assert_eq!(key(fact), (name.to_owned(), rest.into_iter().flatten().map(str::to_owned).collect()));
    }
}

#[test]
fn a_job_is_called_by_its_configured_name_else_by_its_own() {
    let own = JobIdentity { job_name: Some("import 7".into()), ..identity() };
    let configured = JobIdentity { name: Some("nightly".into()), ..own.clone() };
    assert_eq!(
        [&configured, &own, &identity()].map(JobIdentity::display_name),
        [Some("nightly"), Some("import 7"), None]
    );
}
