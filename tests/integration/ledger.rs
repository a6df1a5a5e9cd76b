//! What survives a restart and a full disk; and what is refused. Kills are in [`crash`](crate::crash).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use crate::harness::{FAST, Program, Running, Stage, events, events_of, jobs, lines, names, target};

/// One poll of each job at the start, and then none for an hour.
const SLOW: &str = "\
[poll]
initial_interval = \"1h\"
max_interval = \"1h\"
[throttle]
requests_per_second = 10000
requests_per_second_per_pool = 10000
";

const STATE: &str = "[state]\npath = \"state.db\"\n";

fn run(stage: &Stage, settings: &str, arguments: &[&str]) -> Program {
    stage.configured(&format!("{settings}{STATE}"), [&["run"], arguments].concat())
}

fn stop(running: Running) -> String {
    running.signal("TERM");
    running.end().with_code(0).stdout
}

/// The lines of a log that are about jobs.
fn job_lines(log: &str) -> String {
    log.lines().filter(|line| line.contains("\"event\":\"job.")).flat_map(|line| [line, "\n"]).collect()
}

fn history(stage: &Stage, arguments: &[&str]) -> String {
    let program = Program::new(stage.path(), ["history", "--state", "state.db", "--output", "json"]);
    program.args(arguments).end().with_code(0).stdout
}

#[test]
fn what_changed_while_it_was_down_is_told_as_a_change_and_what_is_over_is_not_asked_about_again() {
    let stage = Stage::new(&jobs([("a", "{polls = 3, status = \"Pending\"}, {status = \"Succeeded\", imported = 1}")]));
    let first = run(&stage, SLOW, &[&target("a")]).start();
    assert_eq!(first.event("daemon.started")["state"].as_str(), stage.path().join("state.db").to_str());
    first.event("job.first_seen");
    let first = stop(first);
    stage.program(["status", &target("a")]).end().with_code(0);
    stage.program(["status", &target("a")]).end().with_code(0);

    let second = run(&stage, SLOW, &[&target("a")]).start();
    second.event("job.completed");
    let second = stop(second);
    let told = events_of(&second, "a");
    assert_eq!(names(&told), ["job.status_changed", "job.completed"]);
    assert_eq!(told[0]["previous_status"], "Pending");

    let asked = stage.record().len();
    let third = run(&stage, SLOW, &["--exit-when-complete", &target("a")]).end().with_code(0);
    assert_eq!((events_of(&third.stdout, "a").len(), stage.record().len()), (0, asked));
    // The record of all three is one history, byte for byte.
    assert_eq!(history(&stage, &[]), format!("{}{}", job_lines(&first), job_lines(&second)));
}

#[test]
fn history_and_status_are_read_beside_the_running_daemon() {
    let running = "{status = \"InProgress\", imported = 3}";
    let stage = Stage::new(&jobs([("a", running), ("b", running)]));
    let daemon = run(&stage, SLOW, &[&target("a"), &target("b")]).start();
    for name in ["a", "b"] {
        let id = format!("\"job_id\":\"import-{name}\"");
        daemon.line(|line| line.contains("job.first_seen") && line.contains(&id));
    }
    let all = lines(&history(&stage, &[]));
    assert_eq!(names(&all), ["job.first_seen"; 2]);
    assert_eq!(names(&lines(&history(&stage, &[&target("b")]))), ["job.first_seen"]);
    let at = |since: &str| history(&stage, &["--since", since]).lines().count();
    let newest = all.iter().map(|event| event["timestamp"].as_str().unwrap()).max().unwrap();
    assert!(at(newest) >= 1);
    assert_eq!((at("1h"), at("2999-01-01T00:00:00Z")), (2, 0));
    let table = Program::new(stage.path(), ["history", "--state", "state.db"]).end().with_code(0).stdout;
    assert!(table.starts_with("TIME") && table.lines().count() == 3, "{table}");

    let asked = stage.record().len();
    let recorded = |arguments: &[&str]| {
        let program = Program::new(stage.path(), ["status", "--recorded", "--state", "state.db", "--output", "json"]);
        program.args(arguments).end()
    };
    let jobs = recorded(&[]).with_code(0).json()["jobs"].clone();
    let shown: Vec<_> = jobs.as_array().unwrap().iter().map(|job| (&job["status"], &job["imported_users"])).collect();
    assert_eq!(shown, [(&json!("InProgress"), &json!(3)); 2]);
    recorded(&[&target("b")]).with_code(0);
    recorded(&[&target("nobody")]).with_code(15);
    assert_eq!(stage.record().len(), asked, "the service is not asked");

    // A job that is no longer watched is remembered, and not shown among those that are.
    stop(daemon);
    let asked = stage.record().len();
    let daemon = started(run(&stage, SLOW, &[&target("a")]));
    stage.asked(asked + 1);
    stop(daemon);
    assert_eq!(recorded(&[]).with_code(0).json()["jobs"].as_array().unwrap().len(), 1);
    recorded(&[&target("b")]).with_code(0);
    let asked = stage.record().len();
    let daemon = started(run(&stage, SLOW, &[&target("b")]));
    stage.asked(asked + 1);
    let again = stop(daemon);
    assert_eq!(events_of(&again, "b").len(), 0, "it is remembered");
}

/// A daemon that is at work.
fn started(program: Program) -> Running {
    let running = program.args(["--log-level", "debug"]).start();
    running.event("daemon.started");
    running
}

#[test]
fn the_state_directory_of_the_service_manager_is_where_the_state_is() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    let run = |job: &str| {
        let program = stage.program(["run", "--exit-when-complete", job]);
        program.env("STATE_DIRECTORY", stage.path()).end().with_code(0).stdout
    };
    assert_eq!(events_of(&run(&target("a")), "a").len(), 2);
    let again = run(&target("a"));
    assert_eq!(events_of(&again, "a").len(), 0);
    assert!(again.contains(&format!("{:?}", stage.path().join("state.db"))), "{again}");
    // Without a place nothing is kept, and it says so.
    let none = stage.program(["run", "--exit-when-complete", &target("a")]).end().with_code(0).stdout;
    assert_eq!((events_of(&none, "a").len(), &events(&none)[0]["state"]), (2, &json!("none")));
}

#[test]
fn a_second_daemon_on_one_file_is_refused_with_the_firsts_number() {
    let stage = Stage::new(&jobs([("a", "{status = \"Created\"}")]));
    let first = run(&stage, SLOW, &[&target("a")]).start();
    first.event("daemon.started");
    std::os::unix::fs::symlink(stage.path().join("state.db"), stage.path().join("link.db")).unwrap();
    let by_link = stage.configured("[state]\npath = \"link.db\"\n", ["run", &target("a")]);
    for second in [run(&stage, SLOW, &[&target("a")]), by_link] {
        let second = second.end().with_code(74);
        let words = format!("in use by process {}", first.pid());
        assert!(second.stderr.contains(&words) && second.stdout.is_empty(), "{second}");
    }
    stop(first);
    stop(started(run(&stage, SLOW, &[&target("a")])));
}

#[test]
fn a_file_that_is_not_ours_or_of_a_later_version_is_refused_and_left_as_it_is() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    let path = stage.path().join("state.db");
    let refused = |words: &str| {
        let before = std::fs::read(&path).unwrap();
        for on_corrupt in ["stop", "set_aside"] {
            let settings = format!("{FAST}{STATE}on_corrupt = \"{on_corrupt}\"\n");
            let ended = stage.configured(&settings, ["run", "--exit-when-complete", &target("a")]).end().with_code(74);
            assert!(ended.stderr.contains(words) && ended.stdout.is_empty(), "{ended}");
        }
        let history = Program::new(stage.path(), ["history", "--state", "state.db"]).end().with_code(74);
        assert!(history.stderr.contains(words), "{history}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    };
    run(&stage, FAST, &["--exit-when-complete", &target("a")]).end().with_code(0);
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    connection.pragma_update(None, "journal_mode", "delete").unwrap();
    drop(connection);
    refused("made by a later version");
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    refused("database of another program");
}

#[test]
fn a_damaged_file_is_refused_or_set_aside_with_its_name_told() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    let path = stage.path().join("state.db");
    std::fs::write(&path, "this was never a database ".repeat(1_000)).unwrap();
    let ended = run(&stage, FAST, &["--exit-when-complete", &target("a")]).end().with_code(74);
    assert!(ended.stderr.contains("is damaged") && ended.stderr.contains("on_corrupt"), "{ended}");
    let settings = format!("{FAST}{STATE}on_corrupt = \"set_aside\"\n");
    let ended = stage.configured(&settings, ["run", "--exit-when-complete", &target("a")]).end().with_code(0);
    assert_eq!(names(&events_of(&ended.stdout, "a")), ["job.first_seen", "job.completed"]);
    let aside = lines(&ended.stdout).into_iter().find_map(|line| line["set_aside"].as_str().map(PathBuf::from));
    assert!(std::fs::read(aside.unwrap()).unwrap().starts_with(b"this was never"));
    // And a directory that is not there.
    let config = format!("{FAST}[state]\npath = \"nowhere/state.db\"\n");
    let ended = stage.configured(&config, ["run", &target("a")]).end().with_code(74);
    assert!(ended.stderr.contains("its directory does not exist"), "{ended}");
}

#[test]
fn on_a_full_disk_everything_is_told_and_polling_goes_on_and_later_the_state_is_written() {
    let steps: String =
        (1..=60).map(|failed| format!("{{polls = 2, status = \"InProgress\", failed = {failed}}},")).collect();
    let stage = Stage::new(&jobs([("a", &*format!("{steps} {{status = \"Succeeded\", failed = 60}}"))]));
    let limited = run(&stage, FAST, &[&target("a")]).with_files_up_to(40 * 1024).start();
    let unwritable = limited.event("daemon.state_unwritable");
    assert_eq!(unwritable["level"], "error");
    limited.event("job.completed");
    limited.unlimited();
    limited.line(|line| line.contains("state can be written again"));
    let log = stop(limited);
    let told = events_of(&log, "a");
    let highs: Vec<_> = told.iter().filter(|event| event["event"] == "job.failed_users").collect();
    assert_eq!(highs.iter().map(|event| event["new_failed_users"].as_u64().unwrap()).sum::<u64>(), 60);
    assert_eq!(log.matches("daemon.state_unwritable").count(), 1);
    let told: BTreeSet<&str> = told.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    let kept = lines(&history(&stage, &[]));
    let kept: BTreeSet<&str> = kept.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!(kept, told);
    let again = run(&stage, FAST, &["--exit-when-complete", &target("a")]).end();
    assert_eq!(events_of(&again.stdout, "a").len(), 0, "{again}");
}

#[test]
fn a_reader_leaves_nothing_behind_and_is_told_what_to_do_where_it_cannot_read() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    run(&stage, FAST, &["--exit-when-complete", &target("a")]).end().with_code(0);
    let names = || {
        let entries = std::fs::read_dir(stage.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<BTreeSet<_>>()
    };
    let before = names();
    assert_eq!(history(&stage, &[]).lines().count(), 2);
    Program::new(stage.path(), ["status", "--recorded", "--state", "state.db"]).end().with_code(0);
    assert_eq!(names(), before);

    let refused = |path: &str| {
        let of = |command: &[&str]| Program::new(stage.path(), command).args(["--state", path]).end().with_code(74);
        let (history, status) = (of(&["history"]), of(&["status", "--recorded"]));
        assert_eq!((&*history.stdout, &history.stderr), ("", &status.stderr));
        history.stderr
    };
    let missing = "error: there is no state file nothing.db; `run` makes it; name the one that its daemon.started \
                   tells as `state`\n";
    assert_eq!(refused("nothing.db"), missing);
    let directory = "error: cannot use the state file .: it is a directory; name the file in it\n";
    assert_eq!(refused("."), directory);
}

#[test]
fn a_user_who_may_not_read_is_told_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    run(&stage, FAST, &["--exit-when-complete", &target("a")]).end().with_code(0);
    let path = stage.path().join("state.db");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    let program = Program::new(stage.path(), ["history", "--state", "state.db"]);
    let program = if std::fs::File::open(&path).is_ok() {
        // Root may read everything, unless that is taken from it.
        program.under("setpriv", ["--bounding-set=-dac_override,-dac_read_search"])
    } else {
        program
    };
    let ended = program.end().with_code(74);
    let todo = "this user must be able to read it and its directory; a service's state file is read as root";
    let said = format!("error: cannot use the state file state.db: unable to open database file; {todo}\n");
    assert_eq!(ended.stderr, said);
}

#[test]
fn a_file_of_the_first_version_is_opened_by_this_one() {
    let stage = Stage::new(&jobs([
        ("a", "{status = \"Succeeded\", imported = 1}"),
        ("b", "{status = \"Failed\", failed = 2}"),
    ]));
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/state-schema-1.db");
    std::fs::copy(old, stage.path().join("state.db")).unwrap();
    let before = history(&stage, &[]);
    assert_eq!(names(&lines(&before)), ["job.first_seen", "job.first_seen", "job.failed_users", "job.completed"]);
    let ended = run(&stage, FAST, &["--exit-when-complete", &target("a"), &target("b")]).end().with_code(10);
    assert_eq!(names(&events_of(&ended.stdout, "a")), ["job.status_changed", "job.completed"]);
    assert_eq!(events_of(&ended.stdout, "b").len(), 0, "it was over");
    assert_eq!(history(&stage, &[]), format!("{before}{}", job_lines(&ended.stdout)));
}
