//! One HTTP request per poll, whatever the environment says about retries, and what each request tells of us.

use crate::harness::{FAST, Stage, jobs, target};

const SCRIPT: &str = r#"{polls = 2, status = "InProgress"}, {status = "Succeeded"}"#;

/// Faults that the SDK would ask again for by itself.
const FAULTS: &str = r#"
[[fault]]
first = 1
last = 1
answer = { kind = "throttle" }
[[fault]]
first = 2
last = 2
answer = { kind = "internal" }
[[fault]]
first = 4
last = 4
answer = { kind = "reset" }
[[fault]]
first = 5
last = 5
answer = { kind = "empty", status = 503 }
"#;

#[test]
fn each_poll_is_one_request_whatever_the_environment_says_of_retries() {
    for (attempts, mode) in [("5", "adaptive"), ("10", "standard"), ("0", "nonsense"), ("many", "legacy")] {
        let stage = Stage::new(&(jobs([("a", SCRIPT)]) + FAULTS));
        let wait = stage.configured(FAST, ["wait", &target("a"), "--output", "json"]);
        let ended = wait.env("AWS_MAX_ATTEMPTS", attempts).env("AWS_RETRY_MODE", mode).end().with_code(0);
        let polls = ended.json()["polls"].as_u64().unwrap();
        // Four that went wrong and three that the script counts.
        assert_eq!((polls, stage.close().len()), (7, 7), "{attempts} {mode}");
    }
}

#[test]
fn retries_of_a_profile_do_not_count_either() {
    let stage = Stage::new(&(jobs([("a", SCRIPT)]) + FAULTS));
    let file = stage.file("aws", "[profile odd]\nmax_attempts = 0\nretry_mode = adaptive\nregion = eu-west-3\n");
    let wait = stage.configured(FAST, ["wait", &target("a")]).env("AWS_CONFIG_FILE", file);
    wait.env("AWS_PROFILE", "odd").end().with_code(0);
    assert_eq!(stage.close().len(), 7);
}

#[test]
fn requests_name_the_program_and_are_signed_for_the_region_of_the_pool() {
    let stage = Stage::new(&jobs([("a", SCRIPT)]));
    let wait = stage.configured(FAST, ["wait", &target("a")]).env("AWS_REGION", "eu-west-3");
    wait.env("AWS_DEFAULT_REGION", "ap-south-1").end().with_code(0);
    let record = stage.close();
    assert_eq!(record.len(), 3);
    for entry in record {
        let agent = entry["user_agent"].as_str().unwrap();
        assert!(agent.contains("app/cognito-import-watch") && agent.contains("aws-sdk-rust/"), "{agent}");
        assert_eq!((&entry["region"], &entry["operation"]), (&"us-west-2".into(), &"DescribeUserImportJob".into()));
    }
}
