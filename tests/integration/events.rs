//! The events of `run --log-format json`: fields, levels, order and ids as the contract's table has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{ACCOUNT, Ended, FAST, POOL, Stage, events, events_of, fast, jobs, lines, names, target};

/// What every event begins with.
const HEAD: &str = "timestamp level message event event_id schema";

/// What every event about a job has.
const JOB: &str = "user_pool_id job_id job_name name region account status imported_users skipped_users failed_users";

/// The namespace of the ids: written out, for it must never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c1f5b0e_9a34_4d8a_8a57_3f0b6c2d91e4);

/// One kind of event: its level, its further fields, and the members of its id's key after the name, where it is a
/// fact of the job.
struct Kind {
    name: &'static str,
    levels: &'static [&'static str],
    fields: &'static str,
    key: Key,
}

enum Key {
    /// Of these members: the same for every observer.
    OfTheJob(&'static str),
    /// Of one observer.
    OfTheInstance,
}

use Key::{OfTheInstance, OfTheJob};

const fn kind(name: &'static str, levels: &'static [&'static str], fields: &'static str, key: Key) -> Kind {
    Kind { name, levels, fields, key }
}

/// The table of the contract, as far as this version tells it.
const TABLE: [Kind; 20] = [
    kind("job.first_seen", &["info"], "", OfTheJob("user_pool_id job_id")),
    kind("job.status_changed", &["info", "warn", "error"], "previous_status", OfTheJob("user_pool_id job_id status")),
    kind(
        "job.failed_users",
        &["warn"],
        "previous_failed_users new_failed_users",
        OfTheJob("user_pool_id job_id failed_users"),
    ),
    kind(
        "job.progress",
        &["info"],
        "percent eta_seconds",
        OfTheJob("user_pool_id job_id imported_users skipped_users failed_users"),
    ),
    kind(
        "job.completed",
        &["info", "warn", "error"],
        "verdict elapsed_seconds completion_message created_at started_at completed_at",
        OfTheJob("user_pool_id job_id status"),
    ),
    kind("job.warning upload_url_lapsed", &["info"], "kind", OfTheJob("user_pool_id job_id kind")),
    kind("job.warning near_expiry", &["warn"], "kind", OfTheJob("user_pool_id job_id kind")),
    kind(
        "job.warning stalled",
        &["warn"],
        "kind unchanged_seconds",
        OfTheJob("user_pool_id job_id kind status imported_users skipped_users failed_users"),
    ),
    kind(
        "job.warning status_went_back",
        &["warn"],
        "kind previous_status",
        OfTheJob("user_pool_id job_id kind previous_status status"),
    ),
    kind("job.warning unknown_status", &["warn"], "kind", OfTheJob("user_pool_id job_id kind status")),
    kind(
        "job.warning deadline_exceeded",
        &["warn"],
        "kind deadline_seconds",
        OfTheJob("user_pool_id job_id kind deadline_seconds"),
    ),
    kind("job.poll_failed", &["warn"], "error_kind error since next_poll_seconds", OfTheInstance),
    kind("job.poll_recovered", &["info"], "error_kind since", OfTheInstance),
    kind("job.not_found", &["error"], "error_kind error since", OfTheInstance),
    kind("job.access_denied", &["error"], "error_kind error since", OfTheInstance),
    kind("lane.throttled", &["warn"], "account region requests_per_second since", OfTheInstance),
    kind("lane.recovered", &["info"], "account region requests_per_second since", OfTheInstance),
    kind("daemon.started", &["info"], "jobs pools version state", OfTheInstance),
    kind("daemon.stopping", &["info"], "jobs pools reason", OfTheInstance),
    kind("daemon.stopped", &["info"], "jobs pools", OfTheInstance),
];

/// Jobs that between them make every event about a job.
const JOBS: [(&str, &str); 11] = [
    (
        "whole",
        r#"{polls = 1, status = "Created"}, {polls = 1, status = "Pending"},
           {polls = 1, status = "InProgress", imported = 10},
           {polls = 1, status = "InProgress", imported = 20, skipped = 2, failed = 1},
           {status = "Succeeded", imported = 95, failed = 3}"#,
    ),
    ("good", r#"{polls = 1, status = "InProgress"}, {status = "Succeeded", imported = 1}"#),
    ("failed", r#"{polls = 1, status = "Pending"}, {status = "Failed", failed = 9, message = "Too many."}"#),
    ("stopped", r#"{polls = 1, status = "Stopping"}, {status = "Stopped"}"#),
    ("expired", r#"{polls = 1, status = "Created"}, {status = "Expired"}"#),
    ("late", r#"{status = "Succeeded", imported = 1, failed = 2, message = "", omit = ["CreationDate"]}"#),
    ("stalled", r#"{polls = 12, status = "InProgress", imported = 1}, {status = "Succeeded"}"#),
    ("back", r#"{polls = 2, status = "InProgress"}, {polls = 3, status = "Pending"}, {status = "Succeeded"}"#),
    ("unknown", r#"{polls = 3, status = "Paused"}, {status = "Succeeded"}"#),
    ("flaky", r#"{polls = 1, status = "InProgress"}, {status = "Succeeded"}"#),
    ("denied", r#"{status = "InProgress"}"#),
];

/// Jobs that were created long ago, and a pool in another region that is throttled for a moment: so often in a row that
/// its rate is back within seconds.
const MORE: &str = r#"
[[pool.job]]
id = "import-forgotten"
name = "forgotten"
created_ago = "20m"
script = [{polls = 3, status = "Created"}, {status = "Succeeded"}]
[[pool.job]]
id = "import-old"
name = "old"
created_ago = "23h30m"
script = [{polls = 3, status = "Created"}, {status = "Expired"}]
[[pool.job]]
id = "import-overdue"
name = "overdue"
created_ago = "2h"
script = [{polls = 3, status = "InProgress"}, {status = "Succeeded"}]

[[pool]]
id = "eu-west-1_THROTTLED"
[[pool.job]]
id = "import-slow"
name = "slow"
script = [{polls = 3, status = "InProgress"}, {status = "Succeeded"}]

[[fault]]
job = "import-flaky"
first = 2
last = 4
answer = { kind = "gateway", status = 502 }
[[fault]]
job = "import-denied"
answer = { kind = "error", code = "AccessDeniedException", message = "no", message_key = "Message" }
[[fault]]
job = "import-slow"
first = 2
last = 4
answer = { kind = "throttle" }
"#;

fn stage() -> Stage {
    Stage::new(&(jobs(JOBS) + MORE))
}

/// Everything at once, until the rate is back; then it is told to stop. Jobs are asked about one by one: the faults are
/// those of single jobs, which no list has.
fn run(stage: &Stage) -> Ended {
    let mut config = format!(
        "{}[log]\nprogress_interval = \"1ms\"\n[policy]\nnot_found_grace = \"0\"\n\
         [[job]]\ntarget = \"eu-west-1_THROTTLED/import-slow\"\n",
        fast("never")
    );
    for name in JOBS.map(|(name, _)| name).into_iter().chain(["forgotten", "old", "overdue", "missing"]) {
        config += &format!("[[job]]\ntarget = \"{}\"\n", target(name));
        config += match name {
            "whole" => "name = \"nightly customers\"\nexpected_users = 100\n",
            "stalled" => "stall_after = \"100ms\"\n",
            "overdue" => "deadline = \"1h\"\n",
            _ => "",
        };
    }
    let run = stage.configured(&config, ["run", "--log-format", "json"]).start();
    run.event("lane.recovered");
    for name in ["stalled", "back", "unknown", "flaky", "old", "overdue", "whole"] {
        let mark = format!("\"job_id\":\"import-{name}\"");
        run.line(|line| line.contains("\"event\":\"job.completed\"") && line.contains(&mark));
    }
    run.event("job.access_denied");
    run.event("job.not_found");
    run.signal("TERM");
    run.end().with_code(0)
}

/// The logs of two observers of the same scripted jobs, each with a service of its own.
fn logs() -> &'static [String; 2] {
    static LOGS: OnceLock<[String; 2]> = OnceLock::new();
    LOGS.get_or_init(|| {
        let stages = [stage(), stage()];
        std::thread::scope(|scope| {
            let runs = stages.each_ref().map(|stage| scope.spawn(|| run(stage).stdout));
            runs.map(|run| run.join().expect("both run to their end"))
        })
    })
}

fn fields(names: &[&str]) -> BTreeSet<String> {
    names.iter().flat_map(|names| names.split_whitespace()).map(str::to_owned).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // Whole seconds, in the key of a deadline.
        Value::Number(number) if number.is_f64() => format!("{}", number.as_f64().unwrap() as u64),
        other => other.to_string(),
    }
}

/// The id as the contract defines it, computed from the line alone.
fn id_of(event: &Value, members: &str) -> Uuid {
    let name = [text(&event["event"])].into_iter();
    let key: Vec<String> = name.chain(members.split_whitespace().map(|member| text(&event[member]))).collect();
    Uuid::new_v5(&NAMESPACE, serde_json::to_string(&key).unwrap().as_bytes())
}

#[test]
fn every_event_has_its_fields_its_level_and_its_id() {
    let [log, _] = logs();
    let told = events(log);
    let mut seen = BTreeSet::new();
    for event in &told {
        let name = names(std::slice::from_ref(event)).remove(0);
        let kind = TABLE.iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("not in the table: {event}"));
        let job = if name.starts_with("job.") { JOB } else { "" };
        let has: BTreeSet<String> = event.as_object().unwrap().keys().cloned().collect();
        assert_eq!(has, fields(&[HEAD, job, kind.fields]), "{name}");
        let level = event["level"].as_str().unwrap();
        assert!(kind.levels.contains(&level), "{event}");
        assert_eq!(event["schema"], 1);
        assert!(event["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{event}");
        let id: Uuid = event["event_id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 5, "{event}");
        match kind.key {
            OfTheJob(members) => assert_eq!(id, id_of(event, members), "{event}"),
            OfTheInstance => {}
        }
        assert!(!event.to_string().contains("message\":\"\""), "{event}");
        seen.insert(name);
    }
    let table: BTreeSet<String> = TABLE.iter().map(|kind| kind.name.to_owned()).collect();
    assert_eq!(seen, table, "every row of the table was told");
    let ids: BTreeSet<&str> = told.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), told.len(), "no two facts have one id");

    let tells = |name: &str| names(&events_of(log, name));
    // One observation tells its events in the order of the table.
    assert_eq!(
        tells("whole"),
        [
            "job.first_seen",
            "job.status_changed",
            "job.status_changed",
            "job.failed_users",
            "job.progress",
            "job.status_changed",
            "job.failed_users",
            "job.completed",
        ]
    );
    assert_eq!(tells("late"), ["job.first_seen", "job.failed_users", "job.completed"]);
    assert_eq!(
        tells("old"),
        [
            "job.first_seen",
            "job.warning upload_url_lapsed",
            "job.warning near_expiry",
            "job.status_changed",
            "job.completed",
        ]
    );
    assert_eq!(tells("missing"), ["job.not_found"]);
    assert_eq!(tells("denied"), ["job.poll_failed", "job.access_denied"]);
    assert_eq!(
        tells("overdue"),
        ["job.first_seen", "job.warning deadline_exceeded", "job.status_changed", "job.completed"]
    );
    assert_levels_and_values(log);
}

fn assert_levels_and_values(log: &str) {
    let last = |job: &str| {
        let told = events_of(log, job);
        let [.., changed, completed] = told.as_slice() else { panic!("{told:?}") };
        let failed = if changed["event"] == "job.failed_users" { &told[told.len() - 3] } else { changed };
        json!([failed["level"], completed["level"], completed["verdict"]])
    };
    assert_eq!(last("good"), json!(["info", "info", "succeeded"]));
    assert_eq!(last("whole"), json!(["info", "warn", "too_many_failed_users"]));
    assert_eq!(last("failed"), json!(["error", "error", "failed"]));
    assert_eq!(last("stopped"), json!(["warn", "warn", "stopped"]));
    assert_eq!(last("expired"), json!(["warn", "warn", "expired"]));

    let whole = events_of(log, "whole");
    let of_job = ["user_pool_id", "job_id", "job_name", "name", "region", "account"].map(|key| whole[0][key].clone());
    assert_eq!(of_job, [POOL, "import-whole", "whole", "nightly customers", "us-west-2", ACCOUNT].map(Value::from));
    assert_eq!((&whole[1]["previous_status"], &whole[1]["status"]), (&json!("Created"), &json!("Pending")));
    let failed: Vec<Value> =
        [&whole[3], &whole[6]].map(|event| json!([event["previous_failed_users"], event["new_failed_users"]])).into();
    assert_eq!(failed, [json!([0, 1]), json!([1, 2])]);
    assert_eq!(whole[4]["percent"], 23.0);
    assert!(whole[4]["eta_seconds"].is_number(), "{}", whole[4]);

    let started: BTreeMap<String, Value> =
        serde_json::from_value(events(log).into_iter().next().expect("a first event")).unwrap();
    assert_eq!(
        ["event", "jobs", "pools", "state"].map(|key| started[key].clone()),
        [json!("daemon.started"), json!(16), json!(0), json!("none")]
    );
    let end: Vec<Value> = events(log).into_iter().rev().take(2).collect();
    assert_eq!(names(&end), ["daemon.stopped", "daemon.stopping"]);
}

#[test]
fn facts_of_the_job_have_the_same_ids_for_every_observer_and_facts_of_one_observer_do_not() {
    let ids = logs().each_ref().map(|log| {
        let (of_jobs, of_one): (Vec<_>, Vec<_>) = events(log).into_iter().partition(|event| {
            let name = names(std::slice::from_ref(event)).remove(0);
            TABLE.iter().any(|kind| kind.name == name && matches!(kind.key, OfTheJob(_)))
        });
        [of_jobs, of_one].map(|events| {
            events.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        })
    });
    let [[jobs_of_first, first], [jobs_of_second, second]] = ids;
    assert_eq!(jobs_of_first, jobs_of_second);
    assert!(jobs_of_first.len() > 30 && first.len() > 8, "{} {}", jobs_of_first.len(), first.len());
    assert!(first.is_disjoint(&second), "{first:?} {second:?}");
}

#[test]
fn a_poll_that_shows_nothing_new_says_nothing_above_debug() {
    let script = r#"{polls = 8, status = "InProgress", imported = 5}, {status = "Succeeded", imported = 5}"#;
    let stage = Stage::new(&jobs([("calm", script)]));
    let ended = stage.configured(FAST, ["run", "--exit-when-complete", &target("calm")]).end().with_code(0);
    assert_eq!(
        names(&lines(&ended.stdout)),
        [
            "daemon.started",
            "job.first_seen",
            "job.status_changed",
            "job.completed",
            "daemon.stopping",
            "daemon.stopped",
        ]
    );
    assert_eq!(ended.stderr, "");
    assert_eq!(stage.close().len(), 9);
}

#[test]
fn only_our_own_settings_say_what_is_logged() {
    let stage = Stage::new(&jobs([("a", r#"{polls = 2, status = "InProgress"}, {status = "Succeeded"}"#)]));
    let run = |level: &str, rust_log: &str| {
        let arguments = ["run", "--exit-when-complete", &target("a"), "--log-level", level].map(str::to_owned);
        lines(&stage.configured(FAST, arguments).env("RUST_LOG", rust_log).end().with_code(0).stdout)
    };
    let informed = run("info", "trace");
    assert!(informed.iter().all(|line| line["event"].is_string()), "{informed:?}");
    assert!(!informed.is_empty());
    assert!(!run("info", "off").is_empty());
    // The libraries stop at warn whatever the level.
    for line in run("trace", "trace") {
        let target = line["target"].as_str().unwrap_or("cognito_import_watch");
        assert!(
            target.starts_with("cognito_import") || ["warn", "error"].iter().any(|level| line["level"] == **level),
            "{line}"
        );
    }
}

#[test]
fn a_job_that_is_over_is_told_once_and_left_alone() {
    let stage = Stage::new(&jobs([
        ("over", r#"{status = "Succeeded"}"#),
        ("on", r#"{polls = 20, status = "InProgress"}, {status = "Succeeded"}"#),
    ]));
    let run = stage.configured(FAST, ["run", "--exit-when-complete", &target("over"), &target("on")]);
    let ended = run.end().with_code(0);
    assert_eq!(names(&events_of(&ended.stdout, "over")), ["job.first_seen", "job.completed"]);
    let asked = stage.close().into_iter().filter(|entry| entry["job_id"] == "import-over").count();
    assert_eq!(asked, 1);
}
