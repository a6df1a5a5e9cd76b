//! What happens to the daemon itself: it is stopped and goes on, its log is not read, its state directory goes, it may
//! open no more files. It goes on, and says what was.

use std::collections::BTreeSet;
use std::io::{PipeReader, Read as _};
use std::time::Duration;

use serde_json::Value;

use crate::ceilings::{arrivals, assert_within};
use crate::harness::{FAST, Program, Running, Stage, events, events_of, jobs, lines, names, shown, target};

const STATE: &str = "[state]\npath = \"state/state.db\"\n";

/// Long enough for the time limits of a test to pass in a process that stands still.
const STILL: Duration = Duration::from_secs(2);

fn stage(scenario: &str) -> Stage {
    let stage = Stage::new(scenario);
    std::fs::create_dir(stage.path().join("state")).unwrap();
    stage
}

fn run(stage: &Stage, settings: &str, targets: &[String]) -> Program {
    stage.configured(&format!("{settings}{STATE}"), ["run"]).args(targets)
}

fn stop(running: Running) -> String {
    running.signal("TERM");
    running.end().with_code(0).stdout
}

/// Has it stand still; nothing that is asked for happens meanwhile.
fn stand_still(running: &Running) {
    running.signal("STOP");
    std::thread::sleep(STILL);
    running.signal("CONT");
}

/// A job that shows another number of failed users at each poll, which is told each time.
fn restless(polls: usize) -> String {
    let steps: String =
        (1..=polls).map(|failed| format!("{{polls = 1, status = \"InProgress\", failed = {failed}}},")).collect();
    format!("{steps} {{status = \"Succeeded\", failed = {polls}}}")
}

fn history(stage: &Stage) -> Vec<Value> {
    let program = Program::new(stage.path(), ["history", "--state", "state/state.db", "--output", "json"]);
    lines(&program.end().with_code(0).stdout)
}

/// Ends a daemon whose log nobody reads until then. Gives the log.
fn stopped_and_read(running: Running, mut pipe: PipeReader) -> String {
    running.signal("TERM");
    let reader = std::thread::spawn(move || {
        let mut log = String::new();
        pipe.read_to_string(&mut log).unwrap();
        log
    });
    running.end().with_code(0);
    reader.join().unwrap()
}

#[test]
fn a_daemon_that_stood_still_sends_no_burst_and_tells_no_story() {
    let all: Vec<String> = (0..12).map(|number| format!("j{number}")).collect();
    let stage = stage(&jobs(all.iter().map(|name| (name.as_str(), "{status = \"InProgress\"}"))));
    let settings = "[poll]\ninitial_interval = \"200ms\"\nmax_interval = \"200ms\"\nrequest_timeout = \"500ms\"\n\
                    [throttle]\nrequests_per_second = 15\nrequests_per_second_per_pool = 15\n\
                    [policy]\ndeadline = \"1h\"\n";
    let targets: Vec<String> = all.iter().map(|name| target(name)).collect();
    let running = run(&stage, settings, &targets).start();
    for _ in 0..2 {
        stage.asked(stage.record().len() + 15);
        stand_still(&running);
    }
    stage.asked(stage.record().len() + 30);
    let told = names(&events(&stop(running)));
    let about_jobs: Vec<_> = told.iter().filter(|name| name.starts_with("job.")).collect();
    assert_eq!(about_jobs, vec!["job.first_seen"; 12]);
    let record = stage.close();
    let at = arrivals(&record);
    assert_within(15.0, &at, "lane");
    let gaps = at.windows(2).filter(|pair| pair[1] - pair[0] > STILL.as_secs_f64() * 0.8).count();
    assert_eq!(gaps, 2, "it stood still");
}

#[test]
fn a_wait_that_stood_still_for_longer_than_it_may_see_nothing_goes_on() {
    // Most of the time a question is on its way.
    let late = "[[fault]]\nanswer = { kind = \"delay\", for = \"200ms\" }\n";
    let stage = stage(&(jobs([("a", "{polls = 12, status = \"InProgress\"}, {status = \"Succeeded\"}")]) + late));
    let config = FAST.replace("[throttle]", "request_timeout = \"400ms\"\n[throttle]");
    let wait = stage.configured(&config, ["wait", &target("a"), "--unobserved-timeout", "1s"]);
    let wait = wait.args(["--output", "json"]).start();
    stage.asked(4);
    stand_still(&wait);
    let asked = stage.record().len();
    assert_eq!(wait.end().with_code(0).json()["verdict"], "succeeded");
    assert!(asked < 10, "it stood still: {asked}");
}

#[test]
fn what_nobody_read_is_told_when_somebody_reads_again() {
    let stage = stage(&jobs([("a", &*restless(120))]));
    let targets = [target("a")];
    let first = run(&stage, FAST, &targets).start();
    first.event("job.failed_users");
    let first = stop(first);
    // The next one's log has no reader. Polling and keeping go on.
    let (before, asked) = (history(&stage).len(), stage.record().len());
    let second = run(&stage, FAST, &targets).into_a_closed_pipe().start();
    stage.asked(asked + 30);
    assert_eq!(stop(second), "");
    let kept = history(&stage).len();
    assert!(kept >= before + 25, "{kept} after {before}");
    let third = run(&stage, FAST, &targets).start();
    third.line(|line| line.contains("job.completed"));
    let third = stop(third);
    let told: Vec<Value> = [first, third].iter().flat_map(|log| events_of(log, "a")).collect();
    assert!(told == history(&stage), "in one order, each once, as it was kept");
    let highs: BTreeSet<u64> = told.iter().filter_map(|event| event["failed_users"].as_u64()).collect();
    assert!((1..=120).all(|high| highs.contains(&high)), "{highs:?}");
}

#[test]
fn a_reader_that_stands_still_holds_up_nothing_and_gets_everything_when_it_goes_on() {
    const POLLS: usize = 250;
    let stage = stage(&jobs([("a", &*restless(POLLS))]));
    let (program, pipe) = run(&stage, FAST, &[target("a")]).into_a_pipe();
    let running = program.start();
    // A pipe holds 64 KiB: some 120 events.
    let over = |record: &[Value]| record.iter().any(|entry| entry["status"] == "Succeeded");
    stage.recorded(over);
    let log = stopped_and_read(running, pipe);
    let again = run(&stage, FAST, &[target("a")]).arg("--exit-when-complete").end().with_code(13).stdout;
    let told: Vec<Value> = [log, again].iter().flat_map(|log| events_of(log, "a")).collect();
    assert_eq!(told.len(), POLLS + 3, "the first sight, each new high, the end and its completion");
    assert!(told == history(&stage), "in one order, each once, as it was kept");
}

#[test]
fn what_waits_for_a_reader_that_stands_still_is_bounded_and_what_is_dropped_is_told() {
    let names = ["a", "b", "c", "d"];
    let script = restless(100);
    let stage = stage(&jobs(names.map(|name| (name, &*script))));
    let settings = format!("{FAST}{STATE}outbox_events = 50\n");
    let program = stage.configured(&settings, ["run"]).args(names.map(target));
    let (program, pipe) = program.into_a_pipe();
    let running = program.start();
    let over = |record: &[Value]| -> BTreeSet<String> {
        let over = shown(record).filter(|(_, job)| job["status"] == "Succeeded");
        over.map(|(_, job)| job["job_id"].to_string()).collect()
    };
    stage.recorded(|record| over(record).len() == names.len());
    // It looks once a second whether too much waits.
    std::thread::sleep(STILL);
    let log = stopped_and_read(running, pipe);
    let dropped: u64 = lines(&log).iter().filter_map(|line| line["dropped"].as_u64()).sum();
    assert!(dropped > 50, "{dropped}");
    let told =
        lines(&log).iter().filter(|line| line["event"].as_str().is_some_and(|name| name.starts_with("job."))).count();
    assert_eq!(told as u64 + dropped, history(&stage).len() as u64);
}

#[test]
fn a_daemon_that_may_open_no_more_files_says_so_recovers_and_does_not_spin() {
    let scenario = jobs([("a", &*restless(200))])
        + "[[fault]]\njob = \"import-a\"\nfirst = 4\nlast = 8\nanswer = { kind = \"reset\" }\n";
    let stage = stage(&scenario);
    let settings = "[poll]\ninitial_interval = \"100ms\"\nmax_interval = \"200ms\"\n[throttle]\n\
                    requests_per_second = 1000\nrequests_per_second_per_pool = 1000\n";
    let running = run(&stage, settings, &[target("a")]).start();
    running.event("job.first_seen");
    // No more than it has.
    running.descriptors(4);
    let failed = running.event("job.poll_failed");
    assert_eq!(failed["error_kind"], "transient", "{failed}");
    running.signal("HUP");
    let rejected = running.event("daemon.reload_rejected");
    assert!(rejected["error"].as_str().unwrap().contains("Too many open files"), "{rejected}");
    let before = running.cpu();
    std::thread::sleep(STILL);
    let spent = running.cpu() - before;
    assert!(spent < 100, "{spent} hundredths of a second of processor time in two seconds");
    running.descriptors(256);
    running.event("job.poll_recovered");
    running.signal("HUP");
    running.event("daemon.reloaded");
    running.line(|line| line.contains("\"failed_users\":20,"));
    let told = events_of(&stop(running), "a");
    assert!(told == history(&stage), "in one order, each once, as it was kept");
}

#[test]
fn a_daemon_that_may_open_too_few_files_says_so_at_its_start() {
    let stage = stage(&jobs([("a", "{status = \"Succeeded\"}")]));
    for most in 6..24 {
        let program = run(&stage, FAST, &[target("a")]).arg("--exit-when-complete").with_descriptors(most);
        let ended = program.end();
        match ended.code() {
            0 => assert!(ended.stdout.contains("daemon.stopped")),
            1 => assert!(ended.stderr.contains("Too many open files") && ended.stderr.contains("ulimit -n"), "{ended}"),
            // Enough to start, too few for all of it.
            2 | 74 => assert!(ended.stderr.contains("open"), "{most}: {ended}"),
            _ => panic!("{most}: {ended}"),
        }
    }
}

#[test]
fn a_state_directory_that_goes_is_told_and_one_that_comes_back_is_written_to() {
    let stage = stage(&jobs([("a", &*restless(200))]));
    let running = run(&stage, FAST, &[target("a")]).start();
    running.event("job.failed_users");
    std::fs::remove_dir_all(stage.path().join("state")).unwrap();
    assert_eq!(running.event("daemon.state_unwritable")["level"], "error");
    let asked = stage.record().len();
    stage.asked(asked + 20);
    std::fs::create_dir(stage.path().join("state")).unwrap();
    running.line(|line| line.contains("state can be written again"));
    running.line(|line| line.contains("begun anew"));
    running.event("job.completed");
    let log = stop(running);
    let highs = events_of(&log, "a").iter().filter(|event| event["event"] == "job.failed_users").count();
    assert_eq!(highs, 200);
    assert_eq!(log.matches("daemon.state_unwritable").count(), 1);
    let again = run(&stage, FAST, &[target("a")]).arg("--exit-when-complete").end().with_code(13);
    assert_eq!(events_of(&again.stdout, "a").len(), 0, "{again}");
}

#[test]
fn a_config_that_is_read_again_while_an_answer_is_on_its_way_loses_and_repeats_nothing() {
    let late = "[[fault]]\nanswer = { kind = \"delay\", for = \"300ms\" }\n";
    let script = "{polls = 2, status = \"Pending\"}, {polls = 2, status = \"InProgress\"}, {status = \"Succeeded\"}";
    let stage = stage(&(jobs([("a", script)]) + late));
    let running = run(&stage, FAST, &[target("a")]).start();
    running.event("daemon.started");
    let mut reloads = 0;
    while !stage.record().iter().any(|entry| entry["status"] == "Succeeded") {
        running.signal("HUP");
        reloads += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    running.event("job.completed");
    let log = stop(running);
    let expected = ["job.first_seen", "job.status_changed", "job.status_changed", "job.completed"];
    assert_eq!(names(&events_of(&log, "a")), expected);
    assert!(reloads > 5 && log.contains("daemon.reloaded"), "{reloads}");
    // Never two at once: each arrives when the one before was answered.
    let at = arrivals(&stage.close());
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 0.3), "{at:?}");
}
