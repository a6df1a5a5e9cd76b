//! `demo`: needs nothing of the machine but loopback, and nothing in the environment can break it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Program, lines};

#[test]
fn the_demonstration_runs_in_an_environment_that_is_all_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let garbage = directory.path().join("garbage");
    std::fs::write(&garbage, "[profile\0 = \u{fffd} [[[ not a config").unwrap();
    let mut program = Program::new(directory.path(), ["demo", "--output", "json"]);
    // A port that nothing listens on.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "AWS_ENDPOINT_URL"]
    {
        program = program.env(name, "http://127.0.0.1:1");
    }
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
        program = program.env(name, &garbage);
    }
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_MAX_ATTEMPTS"] {
        program = program.env(name, "\u{1f980} garbage");
    }
    let ended = program.env("AWS_PROFILE", "nonexistent").env("AWS_ROLE_ARN", "nonsense").end().with_code(0);
    let log = lines(&ended.stdout);
    let (result, log) = log.split_last().unwrap();
    let told: BTreeSet<&str> = log.iter().filter_map(|line| line["event"].as_str()).collect();
    for event in ["lane.throttled", "lane.recovered", "job.poll_failed", "job.failed_users", "daemon.stopped"] {
        assert!(told.contains(event), "{event} is not told: {told:?}");
    }
    let jobs = result["jobs"].as_array().unwrap();
    let mut ends: Vec<(&str, u64)> = jobs.iter().map(|job| (job["status"].as_str().unwrap(), failed(job))).collect();
    ends.sort_unstable();
    assert_eq!(ends, [("Expired", 0), ("Stopped", 0), ("Succeeded", 0), ("Succeeded", 5)]);
    let accounts: BTreeSet<&str> = log.iter().filter_map(|line| line["account"].as_str()).collect();
    assert_eq!(accounts.len(), 3, "{accounts:?}");
}

fn failed(job: &Value) -> u64 {
    job["failed_users"].as_u64().unwrap()
}
