//! A reader that goes away: one-shot commands end quietly, the daemon goes on.

use crate::harness::{FAST, POOL, Program, Stage, jobs, target};

fn stage() -> Stage {
    Stage::new(&jobs([("good", r#"{status = "Succeeded"}"#), ("running", r#"{status = "InProgress"}"#)]))
}

#[test]
fn a_closed_stdout_ends_one_shot_commands_quietly_with_their_own_code() {
    let stage = stage();
    let config = format!("{FAST}[[job]]\ntarget = \"{}\"\n", target("good"));
    let commands: [(&[&str], i32); 6] = [
        (&["wait", &target("good")], 0),
        (&["wait", &target("running"), "--timeout", "0"], 124),
        (&["status", &target("good")], 0),
        (&["list", POOL], 0),
        (&["check"], 0),
        (&["run", "--exit-when-complete", &target("good")], 0),
    ];
    let start = |(command, code)| (stage.configured(&config, command).into_a_closed_pipe().start(), code);
    for (running, code) in commands.map(start) {
        let ended = running.end().with_code(code);
        assert!(!ended.stderr.contains("error"), "{ended}");
    }
    for page in [&["schema"][..], &["man"], &["completions", "bash"], &["--help"], &["--version"]] {
        let ended = Program::new(stage.path(), page).into_a_closed_pipe().end().with_code(0);
        assert_eq!(ended.stderr, "", "{page:?}");
    }
}

#[test]
fn a_long_history_ends_quietly_when_its_reader_goes_and_tells_of_a_full_disk() {
    let stage = stage();
    let config = format!("{FAST}[state]\npath = \"state.db\"\n");
    stage.configured(&config, ["run", "--exit-when-complete", &target("good")]).end().with_code(0);
    let many = "WITH RECURSIVE number (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM number WHERE n < 4000) \
                INSERT INTO events SELECT n, at, pool, job, event, event_id, level, line, subject, phrase \
                FROM number, (SELECT * FROM events WHERE seq = 1)";
    rusqlite::Connection::open(stage.path().join("state.db")).unwrap().execute_batch(many).unwrap();
    for output in ["json", "text"] {
        let history = || Program::new(stage.path(), ["history", "--state", "state.db", "--output", output]);
        let lines = history().end().with_code(0).stdout.lines().count();
        assert_eq!(lines, if output == "json" { 3_003 } else { 3_004 });
        let ended = history().into_a_closed_pipe().end().with_code(0);
        assert_eq!(ended.stderr, "", "{output}");
        let ended = history().onto_a_full_disk().end().with_code(74);
        assert!(ended.stderr.starts_with("error: cannot write to stdout"), "{ended}");
    }
}

#[test]
fn a_daemon_whose_reader_has_gone_keeps_watching() {
    let moves: String =
        (1..500).map(|imported| format!("{{polls = 1, status = \"InProgress\", imported = {imported}}},")).collect();
    let stage = Stage::new(&jobs([("moving", &*format!("{moves}{{status = \"InProgress\"}}"))]));
    let config = format!("{FAST}[log]\nprogress_interval = \"1ms\"\n");
    let run = stage.configured(&config, ["run", &target("moving")]).start();
    run.event("job.progress");
    run.stop_reading();
    let before = stage.record().len();
    stage.asked(before + 20);
    run.signal("TERM");
    run.end().with_code(0);
}

#[test]
fn a_daemon_whose_disk_is_full_keeps_watching() {
    let stage = stage();
    let run = stage.configured(FAST, ["run", &target("running")]).onto_a_full_disk().start();
    stage.asked(20);
    run.signal("TERM");
    run.end().with_code(0);
}
