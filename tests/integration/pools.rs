//! Pools whose jobs are found by the program: what happens when their list cannot be read.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{FAST, POOL, Stage, events, jobs, lines};

const SUCCEEDED: &str = r#"{status = "Succeeded", imported = 1}"#;

fn watching_the_pool() -> String {
    format!("{FAST}[[pool]]\nid = \"{POOL}\"\n")
}

/// A fault of every list; `answer` is its TOML.
fn lists_fail(answer: &str) -> String {
    format!("[[fault]]\noperation = \"ListUserImportJobs\"\nanswer = {answer}\n")
}

#[test]
fn a_pool_that_was_never_read_is_no_success() {
    let stage = Stage::new(&(jobs([("a", SUCCEEDED)]) + &lists_fail(r#"{kind = "internal"}"#)));
    for arguments in [
        ["wait", "--timeout", "0", "--output", "json"],
        ["wait", "--timeout", "1s", "--output", "json"],
        ["wait", "--unobserved-timeout", "1s", "--output", "json"],
    ] {
        let result = stage.configured(&watching_the_pool(), arguments).end().with_code(75).json();
        assert_eq!(result["verdict"], "unobservable", "{arguments:?}");
        assert_eq!(result["pools"][0]["user_pool_id"], POOL, "{arguments:?}");
        assert_eq!(result["pools"][0]["error_kind"], "transient", "{arguments:?}");
    }
    stage.configured(&watching_the_pool(), ["status"]).end().with_code(75);
}

#[test]
fn a_pool_that_is_refused_says_why_and_one_that_is_read_is_complete() {
    let denied = r#"{kind = "error", code = "AccessDeniedException", message = "no right", message_key = "Message"}"#;
    let refused = Stage::new(&(jobs([("a", SUCCEEDED)]) + &lists_fail(denied)));
    let ended = refused.configured(&watching_the_pool(), ["wait", "--quiet"]).end().with_code(77);
    assert!(ended.stdout.contains(POOL) && ended.stdout.contains("could not be found"), "{}", ended.output());
    assert!(ended.stdout.contains("cognito-idp:ListUserImportJobs"), "{}", ended.output());

    let read = Stage::new(&jobs([("a", SUCCEEDED), ("b", SUCCEEDED)]));
    let result = read.configured(&watching_the_pool(), ["wait", "--output", "json"]).end().with_code(0).json();
    assert_eq!(result["jobs"].as_array().map(Vec::len), Some(2));
    assert!(result.get("pools").is_none(), "{result}");
}

#[test]
fn a_list_that_fails_for_long_is_told_once() {
    let failing = r#"
[[fault]]
operation = "ListUserImportJobs"
last = 12
answer = {kind = "internal"}
"#;
    let stage = Stage::new(&(jobs([("a", SUCCEEDED)]) + failing));
    let arguments = ["run", "--exit-when-complete", "--log-format", "json"];
    let ended = stage.configured(&watching_the_pool(), arguments).end().with_code(0);
    let told = |message: &str| lines(&ended.stdout).iter().filter(|line| line["message"] == message).count();
    assert_eq!((told("pool list failed"), told("pool list can be read again")), (1, 1), "{}", ended.output());
}

#[test]
fn list_keeps_the_ceiling_of_the_account_over_many_pools() {
    let pools: Vec<String> = (0..8).map(|number| format!("us-west-2_P{number}")).collect();
    let scenario: String =
        pools.iter().map(|pool| format!("[[pool]]\nid = \"{pool}\"\naccount = \"123456789012\"\n")).collect();
    let stage = Stage::new(&scenario);
    let config = "[throttle]\nrequests_per_second = 10\nrequests_per_second_per_pool = 10\n";
    stage.configured(config, ["list"]).args(&pools).end().with_code(0);
    let at: Vec<f64> = stage.close().iter().filter_map(|entry| entry["at"].as_f64()).collect();
    assert_eq!(at.len(), pools.len());
    for (first, begin) in at.iter().enumerate() {
        for (more, end) in at[first..].iter().enumerate() {
            assert!(more as f64 <= 10.0 * (end - begin) + 0.05, "{at:?}");
        }
    }
}

#[test]
fn a_pools_jobs_are_found_by_name_and_age_those_created_while_it_runs_too() {
    let long_ago = r#"{status = "Succeeded", set = {CreationDate = 1548271708.512, StartDate = 1548271709.5, CompletionDate = 1548271710.5}}"#;
    let running = r#"{status = "InProgress", imported = 1}"#;
    let stage = Stage::new(&jobs([("nightly-old", long_ago), ("nightly-1", running), ("weekly-1", running)]));
    let config = watching_the_pool() + "name = \"customers\"\njob_name = \"nightly-*\"\nmax_failed_users = \"any\"\n";
    let run = stage.configured(&config, ["run", "--log-format", "json", "--log-level", "info"]).start();
    run.line(|line| line.contains("job.first_seen") && line.contains("customers/nightly-1"));
    for name in ["weekly-2", "nightly-2"] {
        let role = "arn:aws:iam::123456789012:role/CognitoUserImport";
        let input = json!({"UserPoolId": POOL, "JobName": name, "CloudWatchLogsRoleArn": role});
        stage.call("CreateUserImportJob", &input);
    }
    run.line(|line| line.contains("job.first_seen") && line.contains("customers/nightly-2"));
    run.signal("TERM");
    let ended = run.end().with_code(0);
    let names: BTreeSet<String> = events(&ended.stdout)
        .iter()
        .filter(|event| event["event"].as_str().is_some_and(|name| name.starts_with("job.")))
        .map(|event| event["job_name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["nightly-1", "nightly-2"].map(str::to_owned).into(), "{}", ended.output());
    let alone = stage.close();
    let alone = alone.iter().filter(|entry| entry["operation"] == "DescribeUserImportJob");
    assert!(alone.filter_map(|entry| entry["job_id"].as_str()).all(|job| job != "import-weekly-1"));
}

#[test]
fn list_shows_every_job_and_what_the_config_says_of_it() {
    let failing = r#"{status = "Succeeded", imported = 1, failed = 2}"#;
    let stage = Stage::new(&jobs([("a", failing), ("b", failing)]));
    let config = format!(
        "{FAST}[[pool]]\nid = \"{POOL}\"\njob_name = \"nightly-*\"\n\
         [[job]]\ntarget = \"{POOL}/import-a\"\nname = \"first\"\nmax_failed_users = 2\n"
    );
    let result = stage.configured(&config, ["list", POOL, "--output", "json"]).end().with_code(0).json();
    let mut shown: Vec<_> = result["pools"][0]["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| (job["name"].as_str().unwrap(), job["verdict"].as_str().unwrap()))
        .collect();
    shown.sort();
    assert_eq!(shown, [("b", "too_many_failed_users"), ("first", "succeeded")]);
}
