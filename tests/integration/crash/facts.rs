//! What was told: the lines of all processes, and the key of each event, computed from its line alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

/// The namespace of the ids: written out, for it must never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c1f5b0e_9a34_4d8a_8a57_3f0b6c2d91e4);

/// What makes a fact this fact: the event's name and the members of its key.
pub(super) type Key = Vec<String>;

/// The events about jobs, one line each, in the order in which they were told. A kill may have cut the last line.
pub(super) fn job_lines(log: &str) -> impl Iterator<Item = &str> {
    log.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .filter(|line| line.contains("\"event\":\"job."))
}

/// A line as JSON.
#[track_caller]
pub(super) fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// The key of an event about a job, as the contract has it.
pub(super) fn key(event: &Value, instance: Uuid) -> Key {
    let name = text(&event["event"]);
    let kind = text(&event["kind"]);
    let observed = || instance.to_string();
    let (observer, members): (Option<String>, &[&str]) = match (name.as_str(), kind.as_str()) {
        ("job.first_seen", _) => (None, &[]),
        ("job.status_changed" | "job.completed", _) => (None, &["status"]),
        ("job.failed_users", _) => (None, &["failed_users"]),
        ("job.progress", _) => (None, &["imported_users", "skipped_users", "failed_users"]),
        ("job.warning", "status_went_back") => (None, &["kind", "previous_status", "status"]),
        ("job.warning", "unknown_status") => (None, &["kind", "status"]),
        ("job.warning", "deadline_exceeded") => (None, &["kind", "deadline_seconds"]),
        ("job.poll_failed" | "job.poll_recovered", _) => (Some(observed()), &["error_kind", "since"]),
        ("job.not_found" | "job.access_denied", _) => (Some(observed()), &["since"]),
        _ => panic!("an event that these jobs do not cause: {event}"),
    };
    let job = ["user_pool_id", "job_id"].iter().chain(members).map(|member| text(&event[*member]));
    [name].into_iter().chain(observer).chain(job).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // Whole seconds, in the key of a deadline.
        Value::Number(number) if number.is_f64() => format!("{}", number.as_f64().unwrap() as u64),
        other => other.to_string(),
    }
}

/// The key of every fact that these lines tell, with its events. Each id must be that of its key: then no id has two.
#[track_caller]
pub(super) fn by_key<'a>(lines: impl Iterator<Item = &'a str>, instance: Uuid) -> BTreeMap<Key, Vec<Value>> {
    let mut told: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for line in lines.filter(|line| known.insert(*line)) {
        let event = parsed(line);
        let key = key(&event, instance);
        let id = Uuid::new_v5(&NAMESPACE, serde_json::to_string(&key).unwrap().as_bytes());
        assert_eq!(event["event_id"], id.to_string().as_str(), "{key:?}: {line}");
        told.entry(key).or_default().push(event);
    }
    told
}
