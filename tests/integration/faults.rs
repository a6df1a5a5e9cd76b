//! What goes wrong on the way: the daemon goes on, says what happened, and finishes the job when the service is back.

use serde_json::{Value, json};

use crate::harness::{Stage, events_of, jobs, lines, names, target};

pub(crate) const CONFIG: &str = "\
[poll]
initial_interval = \"20ms\"
max_interval = \"50ms\"
request_timeout = \"300ms\"
[throttle]
requests_per_second = 10000
requests_per_second_per_pool = 10000
";

/// A job that is seen once before and once after what goes wrong, for then it is over.
pub(crate) const SCRIPT: &str = r#"{polls = 1, status = "InProgress"}, {status = "Succeeded", imported = 3}"#;

/// Faults that hide the job without moving it on.
pub(crate) const FAULTS: [(&str, &str); 10] = [
    ("hang", "{ kind = \"hang\" }"),
    ("reset", "{ kind = \"reset\" }"),
    ("html", "{ kind = \"html\" }"),
    ("gateway", "{ kind = \"gateway\", status = 502 }"),
    ("empty", "{ kind = \"empty\", status = 504 }"),
    ("nojob", "{ kind = \"no_job\" }"),
    ("internal", "{ kind = \"internal\" }"),
    ("half", "{ kind = \"raw\", body = '{\"UserImportJob\":{\"JobId\":\"import-half\",\"Sta' }"),
    ("slow", "{ kind = \"delay\", for = \"2s\" }"),
    ("unknown", "{ kind = \"error\", code = \"BrandNewException\", status = 500 }"),
];

fn fault(job: &str, first: u64, last: u64, answer: &str) -> String {
    format!("[[fault]]\njob = \"import-{job}\"\nfirst = {first}\nlast = {last}\nanswer = {answer}\n")
}

/// Jobs are asked about one by one.
fn run_to_the_end(scenario: &str, targets: &[&str]) -> String {
    let stage = Stage::new(scenario);
    let arguments = ["run", "--exit-when-complete", "--log-format", "json"].map(str::to_owned);
    let config = CONFIG.replace("[throttle]", "batch = \"never\"\n[throttle]");
    let run = stage.configured(&config, arguments).args(targets.iter().map(|name| target(name)));
    run.end().with_code(0).stdout
}

#[test]
fn whatever_the_service_does_the_job_is_finished_when_it_is_back() {
    let names_of_jobs = FAULTS.map(|(name, _)| name);
    let faults: String = FAULTS.iter().map(|(name, answer)| fault(name, 2, 4, answer)).collect();
    let log = run_to_the_end(&(jobs(names_of_jobs.map(|name| (name, SCRIPT))) + &faults), &names_of_jobs);
    for name in names_of_jobs {
        let told = events_of(&log, name);
        let expected =
            ["job.first_seen", "job.poll_failed", "job.status_changed", "job.completed", "job.poll_recovered"];
        assert_eq!(names(&told), expected, "{name}");
        let (failed, recovered) = (&told[1], &told[4]);
        assert_eq!((&failed["error_kind"], &failed["level"]), (&json!("transient"), &json!("warn")), "{name}");
        assert!(!failed["error"].as_str().unwrap().is_empty(), "{name}");
        assert!(failed["next_poll_seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{failed}");
        let time = |event: &Value, key: &str| event[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        // Told at the second failure, with the time of the first.
        assert!(time(failed, "since") < time(failed, "timestamp"), "{failed}");
        assert_eq!((&recovered["since"], &recovered["error_kind"]), (&failed["since"], &failed["error_kind"]));
        assert_eq!((&failed["status"], &recovered["status"]), (&json!("InProgress"), &json!("Succeeded")));
    }
}

#[test]
fn a_cut_body_is_a_failed_poll_and_its_job_is_finished() {
    // The simulator's own half of a right answer: what it showed counts as shown.
    let scenario = jobs([("cut", "{polls = 4, status = \"InProgress\"}, {status = \"Succeeded\"}")])
        + &fault("cut", 2, 4, "{ kind = \"cut\" }");
    let told = events_of(&run_to_the_end(&scenario, &["cut"]), "cut");
    assert_eq!(names(&told)[1], "job.poll_failed");
    assert_eq!(told[1]["error_kind"], "transient");
}

#[test]
fn one_failure_is_no_news() {
    let scenario = jobs([("once", SCRIPT)]) + &fault("once", 2, 2, "{ kind = \"reset\" }");
    let stage = Stage::new(&scenario);
    let run = stage.configured(CONFIG, ["run", "--exit-when-complete", &target("once"), "--log-level", "debug"]);
    let log = run.end().with_code(0).stdout;
    assert_eq!(names(&events_of(&log, "once")), ["job.first_seen", "job.status_changed", "job.completed"]);
    // But it is a debug line.
    let failures: Vec<Value> = lines(&log).into_iter().filter(|line| line.get("error").is_some()).collect();
    assert_eq!(failures.len(), 1, "{log}");
    assert_eq!((&failures[0]["level"], &failures[0]["error_kind"]), (&json!("debug"), &json!("transient")));
}

#[test]
fn another_kind_of_failure_is_news_at_once_and_each_kind_once_an_episode() {
    let scenario = jobs([("mixed", SCRIPT)])
        + &fault("mixed", 2, 3, "{ kind = \"internal\" }")
        + &fault("mixed", 2, 4, "{ kind = \"throttle\" }")
        // The rules count the same requests: this one is met by the fifth and sixth.
        + &fault("mixed", 5, 6, "{ kind = \"internal\" }");
    let told = events_of(&run_to_the_end(&scenario, &["mixed"]), "mixed");
    let expected = [
        "job.first_seen",
        "job.poll_failed",
        "job.poll_failed",
        "job.status_changed",
        "job.completed",
        "job.poll_recovered",
    ];
    assert_eq!(names(&told), expected);
    assert_eq!((&told[1]["error_kind"], &told[2]["error_kind"]), (&json!("transient"), &json!("throttled")));
    assert_eq!(told[1]["since"], told[2]["since"], "one episode");
    assert_ne!(told[1]["event_id"], told[2]["event_id"]);
}

#[test]
fn a_status_nobody_knows_is_told_once_and_watched_on() {
    let script = r#"
        {polls = 1, status = "InProgress"}, {polls = 3, status = "Paused"}, {polls = 2, status = "InProgress"},
        {polls = 2, status = "Paused"}, {status = "Succeeded"}"#;
    let log = run_to_the_end(&jobs([("odd", script)]), &["odd"]);
    let told = events_of(&log, "odd");
    let expected = [
        "job.first_seen",
        "job.status_changed",
        "job.warning unknown_status",
        "job.status_changed",
        "job.status_changed",
        "job.status_changed",
        "job.completed",
    ];
    assert_eq!(names(&told), expected);
    assert_eq!((&told[2]["status"], &told[2]["level"]), (&json!("Paused"), &json!("warn")));
}

#[test]
fn a_step_back_counts_only_when_a_second_describe_shows_it() {
    let (once, twice) = (
        r#"{polls = 2, status = "InProgress"}, {polls = 1, status = "Pending"}, {polls = 2, status = "InProgress"}, {status = "Succeeded"}"#,
        r#"{polls = 2, status = "InProgress"}, {polls = 3, status = "Pending"}, {status = "Succeeded"}"#,
    );
    let log = run_to_the_end(&jobs([("once", once), ("twice", twice)]), &["once", "twice"]);
    assert_eq!(names(&events_of(&log, "once")), ["job.first_seen", "job.status_changed", "job.completed"]);
    let told = events_of(&log, "twice");
    let expected =
        ["job.first_seen", "job.status_changed", "job.warning status_went_back", "job.status_changed", "job.completed"];
    assert_eq!(names(&told), expected);
    assert_eq!((&told[2]["previous_status"], &told[2]["status"]), (&json!("InProgress"), &json!("Pending")));
}

#[test]
fn a_job_that_is_not_there_yet_is_waited_for() {
    let missing =
        "{ kind = \"error\", code = \"ResourceNotFoundException\", message = \"User import job does not exist.\" }";
    let scenario = jobs([("late", SCRIPT)]) + &fault("late", 1, 3, missing);
    let told = events_of(&run_to_the_end(&scenario, &["late"]), "late");
    let expected = ["job.poll_failed", "job.first_seen", "job.poll_recovered", "job.status_changed", "job.completed"];
    assert_eq!(names(&told), expected);
    assert_eq!((&told[0]["error_kind"], &told[0]["status"]), (&json!("not_found"), &Value::Null));
}

#[test]
fn a_refusal_that_passes_when_asked_once_more_is_no_news() {
    let denied = "{ kind = \"error\", code = \"NotAuthorizedException\" }";
    let scenario = jobs([("new", SCRIPT)]) + &fault("new", 1, 1, denied);
    let told = events_of(&run_to_the_end(&scenario, &["new"]), "new");
    assert_eq!(names(&told), ["job.first_seen", "job.status_changed", "job.completed"]);
}

#[test]
fn a_daemon_that_starts_before_its_service_is_patient() {
    let gone = |job| fault(job, 1, 5, "{ kind = \"reset\" }");
    let scenario = jobs([("a", SCRIPT), ("b", SCRIPT)]) + &gone("a") + &gone("b");
    let log = run_to_the_end(&scenario, &["a", "b"]);
    for job in ["a", "b"] {
        let told = events_of(&log, job);
        let expected =
            ["job.poll_failed", "job.first_seen", "job.poll_recovered", "job.status_changed", "job.completed"];
        assert_eq!(names(&told), expected, "{job}");
    }
}
