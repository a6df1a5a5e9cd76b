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
fn a_daemon_whose_reader_has_gone_keeps_watching() {
    let stage = stage();
    let run = stage.configured(FAST, ["run", &target("running"), "--log-level", "debug"]).start();
    run.event("job.first_seen");
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
