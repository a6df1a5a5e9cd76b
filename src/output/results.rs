//! Tests of the results of `wait`, `status` and `list`, in both forms.

use std::time::Duration;

use cognito_import_watch_core::domain::{
    Counts, ErrorKind, JobIdentity, JobSnapshot, JobStatus, PollError, Timestamp, Verdict,
};
use serde_json::Value;

use super::{JobReport, PoolReport, WaitResult, list, status};
use crate::sink::samples::{NOW, identity, long_name};
use crate::text::width;

/// The sample answer of the service's documentation: it has no dates and no message.
pub(super) fn sample() -> JobReport {
    JobReport {
        job: identity("Test-import100"),
        snapshot: Some(JobSnapshot {
            job_name: Some("Test-import100".into()),
            status: JobStatus::Succeeded,
            counts: Counts { imported: 99, skipped: 0, failed: 1 },
            created_at: None,
            started_at: None,
            completed_at: None,
            completion_message: None,
            account: None,
        }),
        observed_at: Some(NOW),
        verdict: Some(Verdict::TooManyFailedUsers),
        error: None,
    }
}

pub(super) fn full(name: &str) -> JobReport {
    let mut job = sample();
    job.job.job_name = Some("job".into());
    job.job.name = Some(name.into());
    job.verdict = Some(Verdict::Succeeded);
    if let Some(seen) = &mut job.snapshot {
        seen.counts = Counts { imported: 500_000, skipped: 12, failed: 0 };
        seen.created_at = Some(Timestamp::from_millis(NOW.as_millis() - 60_000));
        seen.started_at = Some(Timestamp::from_millis(NOW.as_millis() - 1_300));
        seen.completed_at = Some(NOW);
        seen.completion_message = Some("Import Job Completed Successfully.".into());
    }
    job
}

/// A job of which no answer was ever seen.
pub(super) fn unseen() -> JobReport {
    JobReport {
        job: JobIdentity { job_name: None, account: None, ..identity("") },
        snapshot: None,
        observed_at: None,
        verdict: Some(Verdict::AccessDenied),
        error: Some(PollError::new(ErrorKind::Denied, "no credentials were found; set AWS_PROFILE")),
    }
}

pub(super) fn waited(jobs: Vec<JobReport>) -> WaitResult {
    WaitResult {
        verdict: Verdict::TooManyFailedUsers,
        exit_code: 13,
        elapsed: Duration::from_millis(12_300),
        polls: 7,
        lost_pools: Vec::new(),
        jobs,
    }
}

#[test]
fn the_json_of_wait_has_every_key_whatever_is_known() {
    assert_eq!(
        waited(vec![full("nightly customers"), unseen()]).json(),
        concat!(
            r#"{"verdict":"too_many_failed_users","exit_code":13,"elapsed_seconds":12.3,"polls":7,"jobs":["#,
            r#"{"user_pool_id":"us-west-2_EXAMPLE","job_id":"import-mAgUtd8PMm","job_name":"job","#,
            r#""name":"nightly customers","status":"Succeeded","verdict":"succeeded","imported_users":500000,"#,
            r#""skipped_users":12,"failed_users":0,"created_at":"2026-11-22T17:02:22.123Z","#,
            r#""started_at":"2026-11-22T17:03:20.823Z","completed_at":"2026-11-22T17:03:22.123Z","#,
            r#""completion_message":"Import Job Completed Successfully.","observed_at":"2026-11-22T17:03:22.123Z"},"#,
            r#"{"user_pool_id":"us-west-2_EXAMPLE","job_id":"import-mAgUtd8PMm","job_name":null,"name":null,"#,
            r#""status":null,"verdict":"access_denied","imported_users":null,"skipped_users":null,"#,
            r#""failed_users":null,"created_at":null,"started_at":null,"completed_at":null,"#,
            r#""completion_message":null,"observed_at":null}]}"#,
        )
    );
}

#[test]
fn the_text_of_wait_shows_every_job_and_what_decided() {
    assert_eq!(
        waited(vec![sample(), full("nightly customers"), unseen()]).text(Some(80)),
        "\
STATUS     VERDICT                IMPORTED  SKIPPED  FAILED  JOB
Succeeded  too many failed users        99        0       1  Test-import100
                                                             us-west-2…AgUtd8PMm
Succeeded  succeeded                500000       12       0  nightly customers
                                                             us-west-2…AgUtd8PMm
-          access denied                 -        -       -  us-west-2…AgUtd8PMm

us-west-2_EXAMPLE/import-mAgUtd8PMm: took 1.3s \"Import Job Completed
  Successfully.\"
us-west-2_EXAMPLE/import-mAgUtd8PMm: no credentials were found; set AWS_PROFILE

too many failed users: exit code 13 after 12s, 7 polls
"
    );
}

#[test]
fn the_text_of_wait_tells_jobs_of_one_name_apart() {
    let twin = |id: &str| {
        let mut job = full("nightly customers");
        job.job.target = format!("us-west-2_EXAMPLE/import-{id}").parse().unwrap();
        job
    };
    let result = waited(vec![twin("mAgUtd8PMm"), twin("mAgUtd8PMn")]);
    let table = |columns| result.text(columns).split("\n\n").next().unwrap_or_default().to_owned();
    let (piped, narrow) = (table(None), table(Some(80)));
    for target in ["us-west-2_EXAMPLE/import-mAgUtd8PMm", "us-west-2_EXAMPLE/import-mAgUtd8PMn"] {
        assert!(piped.lines().any(|line| line.contains(target) && line.ends_with("nightly customers")), "{piped}");
    }
    assert!(narrow.contains("AgUtd8PMm\n") && narrow.ends_with("AgUtd8PMn"), "{narrow}");
}

#[test]
fn status_shows_the_name_above_the_target_on_a_terminal_and_in_a_column_elsewhere() {
    let jobs = [full("nightly customers"), unseen()];
    assert_eq!(
        status::text(&jobs, &[], Some(80)),
        "\
STATUS     IMPORTED  SKIPPED  FAILED  JOB
Succeeded    500000       12       0  nightly customers
                                      us-west-2_EXAMPLE/import-mAgUtd8PMm
-                 -        -       -  us-west-2_EXAMPLE/import-mAgUtd8PMm

us-west-2_EXAMPLE/import-mAgUtd8PMm: took 1.3s \"Import Job Completed
  Successfully.\"
us-west-2_EXAMPLE/import-mAgUtd8PMm: no credentials were found; set AWS_PROFILE
"
    );
    assert_eq!(
        status::text(&jobs, &[], None),
        "\
STATUS     IMPORTED  SKIPPED  FAILED  JOB                                  NAME
Succeeded    500000       12       0  us-west-2_EXAMPLE/import-mAgUtd8PMm  nightly customers
-                 -        -       -  us-west-2_EXAMPLE/import-mAgUtd8PMm

us-west-2_EXAMPLE/import-mAgUtd8PMm: took 1.3s \"Import Job Completed Successfully.\"
us-west-2_EXAMPLE/import-mAgUtd8PMm: no credentials were found; set AWS_PROFILE
"
    );
}

#[test]
fn list_shows_a_table_for_each_pool() {
    let pool = |jobs, error| PoolReport { pool: "us-west-2_EXAMPLE".parse().unwrap(), jobs, error };
    let denied = PollError::new(ErrorKind::Denied, "access denied");
    let pools = [pool(vec![full("nightly customers")], None), pool(vec![], None), pool(vec![], Some(denied))];
    assert_eq!(
        list::text(&pools, Some(80)),
        "\
us-west-2_EXAMPLE: 1 import job
STATUS     CREATED           IMPORTED  SKIPPED  FAILED  JOB
Succeeded  2026-11-22 17:02    500000       12       0  nightly customers
                                                        import-mAgUtd8PMm

us-west-2_EXAMPLE: no import jobs

us-west-2_EXAMPLE: access denied
"
    );
    let value: Value = serde_json::from_str(&list::json(&pools)).unwrap();
    assert_eq!(value["pools"][0]["jobs"][0]["name"], "nightly customers");
    assert_eq!(value["pools"][0]["error"], Value::Null);
    assert_eq!(value["pools"][2]["error_kind"], "denied");
}

#[test]
fn a_job_that_nobody_started_says_what_it_needs() {
    let mut job = sample();
    if let Some(seen) = &mut job.snapshot {
        seen.status = JobStatus::Created;
    }
    assert!(status::text(&[job], &[], None).contains("not started; upload the CSV and call StartUserImportJob"));
}

#[test]
fn status_in_json_says_why_a_job_was_not_seen() {
    let value: Value = serde_json::from_str(&status::json(&[sample(), unseen()], &[])).unwrap();
    assert_eq!(value["jobs"][0]["failed_users"], 1);
    assert_eq!(value["jobs"][0]["error"], Value::Null);
    assert_eq!(value["jobs"][1]["error_kind"], "denied");
    assert_eq!(value["jobs"][1]["error"], "no credentials were found; set AWS_PROFILE");
    assert_eq!(value["jobs"][1]["status"], Value::Null);
}

#[test]
fn tables_fit_80_columns_with_names_of_128_characters() {
    let jobs = vec![full(&long_name()), unseen()];
    let pool = PoolReport { pool: "us-west-2_EXAMPLE".parse().unwrap(), jobs: jobs.clone(), error: None };
    let texts = [status::text(&jobs, &[], Some(80)), list::text(&[pool], Some(80)), waited(jobs).text(Some(80))];
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(width(line) <= 80, "{} columns: {line}", width(line));
    }
}

#[test]
fn text_of_the_service_is_harmless_in_tables_and_begins_no_line() {
    for name in ["::error::injected", "a\n::error::b", "\u{1b}[2J\u{202e}", "##[error]", &"n".repeat(10_000)] {
        let mut job = full(name);
        if let Some(seen) = &mut job.snapshot {
            seen.status = JobStatus::from_wire(name);
            seen.completion_message = Some(name.into());
        }
        let pool = PoolReport { pool: "us-west-2_EXAMPLE".parse().unwrap(), jobs: vec![job.clone()], error: None };
        let jobs = vec![job];
        for text in [status::text(&jobs, &[], None), list::text(&[pool], None), waited(jobs).text(None)] {
            for line in text.lines() {
                assert!(!line.trim_start().starts_with("::"), "{line}");
                assert!(!line.contains("##"), "{line}");
                assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line}");
            }
        }
        let value: Value = serde_json::from_str(&status::json(&[full(name)], &[])).unwrap();
        assert_eq!(value["jobs"][0]["name"], name);
    }
}
