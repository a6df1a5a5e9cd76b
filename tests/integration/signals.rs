//! What signals do to the daemon. Their exit codes are tested with all others.

use crate::harness::{FAST, Running, Stage, events, jobs, lines, names, target};

const RUNNING: (&str, &str) = ("running", r#"{status = "InProgress"}"#);

fn run(stage: &Stage) -> Running {
    let config = FAST.replace("[throttle]", "request_timeout = \"50s\"\n[throttle]");
    stage.configured(&config, ["run", &target("running")]).start()
}

/// The time between two events, in seconds.
fn between(log: &str, first: &str, last: &str) -> f64 {
    let told = events(log);
    let at = |name: &str| -> jiff::Timestamp {
        let event = told.iter().find(|event| event["event"] == name).unwrap();
        event["timestamp"].as_str().unwrap().parse().unwrap()
    };
    at(last).duration_since(at(first)).as_secs_f64()
}

/// The first question is on its way when the daemon reads its signals.
fn stage_with(fault: &str) -> Stage {
    Stage::new(&format!("{}[[fault]]\nanswer = {fault}\n", jobs([RUNNING])))
}

#[test]
fn a_poll_that_hangs_does_not_hold_up_the_end_of_the_daemon() {
    let stage = stage_with("{ kind = \"hang\" }");
    let run = run(&stage);
    run.event("daemon.started");
    run.signal("TERM");
    let ended = run.end().with_code(0);
    assert_eq!(names(&events(&ended.stdout)), ["daemon.started", "daemon.stopping", "daemon.stopped"]);
    // The deadline of five seconds, not the request's own of fifty.
    let waited = between(&ended.stdout, "daemon.stopping", "daemon.stopped");
    assert!((4.0..30.0).contains(&waited), "{waited}");
}

#[test]
fn a_second_signal_ends_the_daemon_at_once() {
    let stage = stage_with("{ kind = \"hang\" }");
    for second in ["TERM", "INT"] {
        let run = run(&stage);
        run.event("daemon.started");
        run.signal("TERM");
        run.event("daemon.stopping");
        run.signal(second);
        let ended = run.end().with_code(0);
        let waited = between(&ended.stdout, "daemon.stopping", "daemon.stopped");
        assert!(waited < 4.0, "the deadline of five seconds was waited for: {waited}");
    }
}

#[test]
fn an_answer_that_is_on_its_way_is_told_before_the_end() {
    let stage = stage_with("{ kind = \"delay\", for = \"500ms\" }");
    let run = run(&stage);
    run.event("daemon.started");
    run.signal("TERM");
    let ended = run.end().with_code(0);
    let told = names(&events(&ended.stdout));
    assert_eq!(told, ["daemon.started", "daemon.stopping", "job.first_seen", "daemon.stopped"], "{ended}");
}

#[test]
fn a_hangup_does_not_end_the_daemon() {
    let stage = Stage::new(&jobs([RUNNING]));
    let run = run(&stage);
    run.event("job.first_seen");
    run.signal("HUP");
    run.line(|line| line.contains("\"level\":\"warn\""));
    let before = stage.record().len();
    stage.asked(before + 5);
    run.signal("TERM");
    let ended = run.end().with_code(0);
    assert!(lines(&ended.stdout).iter().any(|line| line["reason"] == "SIGTERM"), "{ended}");
}

#[test]
fn an_idle_daemon_ends_without_waiting() {
    let stage = Stage::new(&jobs([("over", r#"{status = "Succeeded"}"#)]));
    let run = stage.configured(FAST, ["run", &target("over")]).start();
    run.event("job.completed");
    run.signal("INT");
    let ended = run.end().with_code(0);
    assert_eq!(names(&events(&ended.stdout)).last().map(String::as_str), Some("daemon.stopped"));
}
