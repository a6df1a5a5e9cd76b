//! `/api/events`: what was told, as server-sent events.

use super::client::{Events, get};
use super::{address, config};
use crate::harness::{Program, Running, Stage, jobs};

const STEPS: &str = "{polls = 2, status = \"Created\"}, {polls = 2, status = \"Pending\"}, {polls = 2, status = \"InProgress\"}, {status = \"Succeeded\"}";

fn started(stage: &Stage, names: &[&str]) -> Running {
    let state = format!("[state]\npath = \"{}\"\n", stage.path().join("state.db").display());
    stage.configured(&config(&state, names), ["run"]).start()
}

fn history(stage: &Stage) -> Vec<String> {
    let state = stage.path().join("state.db");
    let told = Program::new(stage.path(), ["history", "--output", "json", "--state"]).arg(&state).end().with_code(0);
    told.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn events_come_as_they_are_kept_byte_for_byte_as_history_prints_them() {
    let stage = Stage::new(&jobs([("a", STEPS)]));
    let running = started(&stage, &["a"]);
    let mut events = Events::open(address(&running), None);
    let mut told = Vec::new();
    while told.last().is_none_or(|event: &super::client::Event| event.name != "job.completed") {
        told.push(events.next().expect("the stream goes on"));
    }
    assert_eq!(told[0].name, "job.first_seen");
    let lines: Vec<String> = told.iter().map(|event| event.data.clone()).collect();
    assert_eq!(lines, history(&stage));
    for event in &told {
        assert!(event.data.contains(&format!("\"event\":\"{}\"", event.name)), "{event:?}");
    }
    // Whoever comes later gets the same, and who comes back the rest.
    let address = address(&running);
    assert_eq!(Events::open(address, None).take(told.len()), told);
    assert_eq!(Events::open(address, Some(&told[0].id)).next().as_ref(), told.get(1));
    // Of another file: everything.
    let unknown = "0b5bd5cc-4a4c-4b5c-8a5e-0123456789ab:1";
    assert_eq!(Events::open(address, Some(unknown)).take(told.len()), told);
    assert_eq!(Events::open(address, Some("nonsense")).next().as_ref(), told.first());
    running.signal("TERM");
    running.end().with_code(0);
    assert_eq!(events.next(), None);
}

#[test]
fn a_stream_goes_on_after_a_restart_where_it_was() {
    let stage = Stage::new(&jobs([("a", STEPS), ("b", STEPS)]));
    let running = started(&stage, &["a"]);
    running.event("job.completed");
    let last = Events::open(address(&running), None).take(2).pop().unwrap();
    running.signal("TERM");
    running.end().with_code(0);
    let running = started(&stage, &["a", "b"]);
    let mut events = Events::open(address(&running), Some(&last.id));
    let kept = history(&stage);
    assert_eq!(events.next().map(|event| event.data).as_ref(), kept.get(2));
    // What comes live has the next numbers, and ids that no event had before.
    let mut ids = vec![last.id];
    loop {
        let event = events.next().expect("the stream goes on");
        assert!(!ids.contains(&event.id), "{event:?}");
        let done = event.name == "job.completed" && event.data.contains("import-b");
        ids.push(event.id);
        if done {
            break;
        }
    }
}

#[test]
fn without_a_state_file_it_says_what_to_set() {
    let stage = Stage::new(&jobs([("a", STEPS)]));
    let running = stage.configured(&config("", &["a"]), ["run"]).start();
    let answer = get(address(&running), "/api/events");
    assert!(answer.status == 404 && answer.reason().contains("state.path"), "{answer:?}");
}

#[test]
fn there_are_eight_streams_at_once_and_one_that_ends_makes_room() {
    let stage = Stage::new(&jobs([("a", STEPS)]));
    let running = started(&stage, &["a"]);
    let address = address(&running);
    let mut streams: Vec<Events> = (0..8).map(|_| Events::open(address, None)).collect();
    for stream in &mut streams {
        assert!(stream.next().is_some());
    }
    let refused = get(address, "/api/events");
    assert!(refused.status == 503 && refused.head.contains("retry-after: "), "{refused:?}");
    drop(streams.pop());
    for _ in 0..1_000 {
        let mut stream = Events::open(address, None);
        if stream.next().is_some() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no room is made");
}
