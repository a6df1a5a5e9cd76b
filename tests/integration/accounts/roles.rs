//! Accounts that are reached by roles: how they are assumed, renewed and refused, and whom that concerns.

use serde_json::{Value, json};

use crate::harness::{ACCOUNT, FAST, POOL, Program, Stage, events_of, jobs, lines, names, target};

/// Another account, with a pool of its own.
const OTHER: &str = "210987654321";
const OTHER_POOL: &str = "eu-west-1_OTHER";
const ROLE: &str = "arn:aws:iam::210987654321:role/watch";

const SUCCEEDS: &str = r#"{polls = 2, status = "InProgress"}, {status = "Succeeded", imported = 3}"#;

/// A job `a` in the account of the keys, and jobs `far-1`, `far-2`, … in the other, whose role has these keys.
fn scenario(role: &str, far: usize) -> String {
    let near = jobs([("a", SUCCEEDS)]);
    format!(
        "{near}[[pool]]\nid = \"{OTHER_POOL}\"\naccount = \"{OTHER}\"\n\
         [[pool.job]]\nid = \"import-far\"\nname = \"far\"\ncount = {far}\nrole = \"arn:aws:iam::{OTHER}:role/logs\"\n\
         script = [{SUCCEEDS}]\n{role}"
    )
}

fn role(keys: &str) -> String {
    format!("[[role]]\narn = \"{ROLE}\"\n{keys}\n")
}

/// The account by its role, and its jobs.
fn far(keys: &str, jobs: usize) -> String {
    let job = |number| format!("[[job]]\ntarget = \"{OTHER_POOL}/import-far-{number}\"\naccount = \"prod\"\n");
    let jobs: String = (1..=jobs).map(job).collect();
    format!("[[account]]\nname = \"prod\"\nrole_arn = \"{ROLE}\"\n{keys}\n{jobs}")
}

fn near() -> String {
    format!("[[job]]\ntarget = \"{}\"\n", target("a"))
}

/// The daemon with the first account's keys, asking the simulator for everything by `AWS_ENDPOINT_URL`.
fn run(stage: &Stage, config: &str) -> Program {
    let program = stage.keyed(["run", "--log-format", "json"]).arg("--config").arg(stage.config(config));
    program.env("AWS_ENDPOINT_URL", stage.url())
}

fn of<'a>(record: &'a [Value], operation: &str) -> Vec<&'a Value> {
    record.iter().filter(|entry| entry["operation"] == operation).collect()
}

#[test]
fn each_account_is_asked_with_its_own_credentials_in_any_region() {
    let stage = Stage::new(&scenario(&role("external_id = \"agreed\""), 1));
    let config = format!("{FAST}{}{}", far("external_id = \"agreed\"\nsession_name = \"nightly\"", 1), near());
    let log = run(&stage, &config).arg("--exit-when-complete").end().with_code(0).stdout;
    for (name, account, region) in [("a", ACCOUNT, "us-west-2"), ("far-1", OTHER, "eu-west-1")] {
        let told = events_of(&log, name);
        assert_eq!(names(&told).last().map(String::as_str), Some("job.completed"));
        let about = told.iter().map(|event| (&event["account"], &event["region"]));
        assert!(about.clone().all(|about| about == (&json!(account), &json!(region))), "{told:?}");
    }
    let record = stage.close();
    let assumed = of(&record, "AssumeRole");
    assert_eq!(assumed.len(), 1, "once for as long as the keys last");
    assert_eq!((&assumed[0]["role"], &assumed[0]["account"]), (&json!(ROLE), &json!(ACCOUNT)));
    for entry in of(&record, "DescribeUserImportJob") {
        let owner = if entry["user_pool_id"] == POOL { ACCOUNT } else { OTHER };
        assert_eq!((&entry["account"], &entry["error"]), (&json!(owner), &Value::Null));
    }
}

#[test]
fn sts_may_have_an_endpoint_of_its_own_and_a_profile_may_assume_the_role() {
    let stage = Stage::new(&scenario(&role(""), 1));
    let files = format!(
        "[profile ops]\naws_access_key_id = AKIASIMU{ACCOUNT}\naws_secret_access_key = simulator-secret-access-key-{ACCOUNT}\n\
         region = us-west-2\n"
    );
    let files = stage.file("aws-config", &files);
    let config = format!("{}endpoint_url = \"{}\"\n", far("source_profile = \"ops\"", 0), stage.url());
    let job = format!("[[job]]\ntarget = \"{OTHER_POOL}/import-far-1\"\naccount = \"prod\"\n");
    let wait = Program::new(stage.path(), ["wait", "--config"]).arg(stage.config(&format!("{FAST}{config}{job}")));
    let wait = wait.env("AWS_CONFIG_FILE", files).env("AWS_ENDPOINT_URL_STS", stage.url());
    wait.end().with_code(0);
    assert_eq!(of(&stage.close(), "AssumeRole").len(), 1);
}

#[test]
fn an_account_whose_role_is_refused_slows_down_alone_and_says_what_to_do() {
    // A role that does not exist, and twenty jobs that want it.
    let stage = Stage::new(&scenario("", 20));
    let running = run(&stage, &format!("{FAST}{}{}", far("", 20), near())).start();
    let told = running.event("job.access_denied");
    let said = told["error"].as_str().unwrap();
    for part in ["account prod", ROLE, "AccessDenied", "is not authorized to perform: sts:AssumeRole", "trust policy"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    running.event("job.completed");
    // Every job of the account is told, and none of them asked STS for itself.
    running.line(|line| line.contains("job.access_denied") && line.contains("import-far-20\""));
    running.signal("TERM");
    let log = running.end().with_code(0).stdout;
    let of_near = events_of(&log, "a");
    assert_eq!(names(&of_near), ["job.first_seen", "job.status_changed", "job.completed"]);
    let record = stage.close();
    let (asked, near) = (of(&record, "AssumeRole"), of(&record, "DescribeUserImportJob"));
    assert_eq!((asked.len(), near.len()), (2, 3), "{asked:?}");
    // The account that is well did not wait for the one that is not.
    let at = |entry: &Value| entry["at"].as_f64().unwrap();
    assert!(at(near[2]) < at(asked[1]), "{record:?}");
}

#[test]
fn a_role_that_is_visible_a_moment_later_is_assumed_at_the_second_try_and_nothing_is_told() {
    let refused = "[[fault]]\noperation = \"AssumeRole\"\nlast = 1\n\
                   answer = {kind = \"error\", code = \"AccessDenied\", status = 403}\n";
    let stage = Stage::new(&scenario(&format!("{}{refused}", role("")), 1));
    let log = run(&stage, &format!("{FAST}{}", far("", 1))).arg("--exit-when-complete").end().with_code(0).stdout;
    assert_eq!(names(&events_of(&log, "far-1")), ["job.first_seen", "job.status_changed", "job.completed"]);
    assert!(lines(&log).iter().all(|line| line["level"] == "info"), "{log}");
    assert_eq!(of(&stage.close(), "AssumeRole").len(), 2);
}

#[test]
fn keys_that_end_soon_are_renewed_before_and_no_poll_fails() {
    // They are renewed a minute before their end.
    let endless = scenario(&role("lasts = \"62s\""), 1).replace("polls = 2", "polls = 100000");
    let stage = Stage::new(&endless);
    let running = run(&stage, &format!("{FAST}{}", far("", 1))).start();
    stage.recorded(|record| of(record, "AssumeRole").len() >= 2);
    let before = stage.record().len();
    stage.asked(before + 3);
    running.signal("TERM");
    running.end().with_code(0);
    let record = stage.close();
    assert!(record.iter().all(|entry| entry["error"].is_null() && entry["http_status"] == 200), "{record:?}");
}

#[test]
fn an_account_whose_sts_never_answers_holds_up_nobody_else() {
    let hangs = "[[fault]]\noperation = \"AssumeRole\"\nanswer = {kind = \"hang\"}\n";
    let stage = Stage::new(&scenario(&format!("{}{hangs}", role("")), 20));
    let running = run(&stage, &format!("{FAST}{}{}", far("", 20), near())).start();
    running.event("job.completed");
    assert_eq!(names(&events_of(&running.kill(), "a")), ["job.first_seen", "job.status_changed", "job.completed"]);
}
