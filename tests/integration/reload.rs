//! The config is read again on SIGHUP: resolved whole, compared, swapped, or refused.

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{FAST, Program, Running, Stage, events_of, jobs, names, target};

const RUNNING: &str = "{status = \"InProgress\"}";

/// A daemon on a file that the test changes.
struct Daemon {
    running: Running,
    file: PathBuf,
}

impl Daemon {
    fn start(stage: &Stage, config: &str) -> Self {
        let file = stage.file("reloaded.toml", config);
        let running = stage.program(["run"]).arg("--config").arg(&file).start();
        running.event("daemon.started");
        Self { running, file }
    }

    fn reload(&self, config: &str) {
        std::fs::write(&self.file, config).unwrap();
        self.running.signal("HUP");
    }

    fn stop(self) -> String {
        self.running.signal("TERM");
        self.running.end().with_code(0).stdout
    }
}

fn config(settings: &str, names: &[&str]) -> String {
    let jobs: String = names.iter().map(|name| format!("[[job]]\ntarget = \"{}\"\n", target(name))).collect();
    format!("{settings}{jobs}")
}

fn asked(stage: &Stage, name: &str) -> usize {
    let id = format!("import-{name}");
    stage.record().iter().filter(|entry| entry["job_id"] == id.as_str()).count()
}

#[test]
fn a_wrong_file_changes_nothing_and_is_told_as_check_tells_it() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let daemon = Daemon::start(&stage, &config(FAST, &["a"]));
    daemon.running.event("job.first_seen");
    daemon.reload("[poll]\njiter = 0.1\n");
    let told = daemon.running.event("daemon.reload_rejected");
    let said = told["error"].as_str().unwrap();
    assert!(said.contains("reloaded.toml:2:1") && said.contains("did you mean"), "{said}");
    let checked = Program::new(stage.path(), ["check", "--config"]).arg(&daemon.file).end().with_code(78).stderr;
    assert_eq!(said.trim_end(), checked.trim_end());
    let before = asked(&stage, "a");
    stage.recorded(|_| asked(&stage, "a") > before + 3);
    // Put right it is taken.
    daemon.reload(&config(FAST, &["a"]));
    daemon.running.event("daemon.reloaded");
    std::fs::remove_file(&daemon.file).unwrap();
    daemon.running.signal("HUP");
    daemon.running.line(|line| line.contains("daemon.reload_rejected") && line.contains("cannot read"));
    assert_eq!(names(&events_of(&daemon.stop(), "a")), ["job.first_seen"]);
}

#[test]
fn what_is_added_is_watched_what_is_gone_is_left_alone_and_what_is_put_back_is_remembered() {
    let stage = Stage::new(&jobs([("a", RUNNING), ("b", RUNNING), ("c", RUNNING)]));
    let settings = format!("{FAST}[state]\npath = \"{}\"\n", stage.path().join("state.db").display());
    let daemon = Daemon::start(&stage, &config(&settings, &["a", "b"]));
    let seen = |name: &str| {
        let id = format!("\"job_id\":\"import-{name}\"");
        daemon.running.line(move |line| line.contains("job.first_seen") && line.contains(&id));
    };
    seen("a");
    seen("b");
    daemon.reload(&config(&settings, &["b", "c"]));
    seen("c");
    // What was on its way when the file was read may still come.
    let gone = asked(&stage, "a");
    let others = asked(&stage, "b");
    stage.recorded(|_| asked(&stage, "b") > others + 5);
    assert!(asked(&stage, "a") <= gone + 1);
    daemon.reload(&config(&settings, &["a", "b", "c"]));
    stage.recorded(|_| asked(&stage, "a") > gone + 3);
    let log = daemon.stop();
    for name in ["a", "b", "c"] {
        assert_eq!(names(&events_of(&log, name)), ["job.first_seen"], "{name}");
    }
    let counts: Vec<Value> = crate::harness::events(&log)
        .into_iter()
        .filter(|event| event["event"] == "daemon.reloaded")
        .map(|event| event["jobs"].clone())
        .collect();
    assert_eq!(counts, [2, 3]);
}

#[test]
fn a_job_is_not_asked_about_before_its_last_answer_is_kept_or_told_nor_after_a_reload() {
    let steps: String =
        (1..=9).map(|done| format!("{{polls = 1, status = \"InProgress\", imported = {done}}},")).collect();
    let stage = Stage::new(&jobs([("a", &*format!("{steps} {RUNNING}"))]));
    let state = stage.path().join("state.db");
    let pace = "[poll]\ninitial_interval = \"1500ms\"\njitter = 0\n";
    let settings = config(&format!("{pace}[state]\npath = {state:?}\n"), &["a"]);
    let daemon = Daemon::start(&stage, &settings);
    daemon.running.event("job.first_seen");
    // From here on nobody else can write the file.
    let locked = rusqlite::Connection::open(&state).unwrap();
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = asked(&stage, "a");
    stage.recorded(|_| asked(&stage, "a") > before);
    daemon.reload(&settings);
    daemon.running.event("daemon.reloaded");
    // Now what it was answered is told from memory, and so it may ask again.
    let unwritable = daemon.running.event("daemon.state_unwritable");
    let record = stage.recorded(|_| asked(&stage, "a") > before + 1);
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (next, told) = (time(&record[before + 1]["time"]), time(&unwritable["timestamp"]));
    assert!(next >= told, "asked again {:?} before", told.duration_since(next));
    drop(locked);
    daemon.stop();
}

#[test]
fn what_a_restart_alone_puts_in_force_is_named() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let daemon = Daemon::start(&stage, &config(FAST, &["a"]));
    daemon.reload(&config(&format!("{FAST}[state]\npath = \"state.db\"\n"), &["a"]));
    daemon.running.line(|line| line.contains("\"key\":\"state\"") && line.contains("after a restart"));
    assert!(!stage.path().join("state.db").exists());
    // What is in force already is not named, whatever the last file said.
    daemon.reload(&config(FAST, &["a", "b"]));
    daemon.running.line(|line| line.contains("daemon.reloaded") && line.contains("\"jobs\":2"));
    let log = daemon.stop();
    assert_eq!(log.lines().filter(|line| line.contains("after a restart")).count(), 1, "{log}");
}

#[test]
fn a_state_file_that_was_removed_does_not_keep_a_new_config_from_being_taken() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}"), ("b", RUNNING)]));
    let state = stage.path().join("state.db");
    let settings = format!("{FAST}[state]\npath = \"{}\"\n", state.display());
    let daemon = Daemon::start(&stage, &config(&settings, &["a"]));
    daemon.running.event("job.completed");
    std::fs::remove_file(&state).unwrap();
    daemon.reload(&config(&settings, &["a", "b"]));
    daemon.running.line(|line| line.contains("job.first_seen") && line.contains("import-b"));
    assert!(!daemon.stop().contains("daemon.reload_rejected"));
}

#[test]
fn targets_on_the_command_line_stay_whatever_the_file_says() {
    let stage = Stage::new(&jobs([("a", RUNNING), ("b", RUNNING)]));
    let file = stage.file("reloaded.toml", FAST);
    let running = stage.program(["run", &target("a")]).arg("--config").arg(&file).start();
    running.event("job.first_seen");
    std::fs::write(&file, config(FAST, &["b"])).unwrap();
    running.signal("HUP");
    running.line(|line| line.contains("job.first_seen") && line.contains("import-b"));
    let before = asked(&stage, "a");
    stage.recorded(|_| asked(&stage, "a") > before + 3);
    running.signal("TERM");
    running.end().with_code(0);
}
