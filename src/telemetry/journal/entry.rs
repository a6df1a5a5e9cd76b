//! The journal's form of a record: the fields of an entry, as one flat JSON object of texts.
//!
//! Called by [`crate::telemetry::setup`] with `--log-format journald`. On its way to [`super::socket`] an entry is a
//! line like any other.

use cognito_import_watch_core::domain::Timestamp;
use serde_json::{Map, Value};
use tracing::Level;

use super::message_id;
use crate::telemetry::console;
use crate::telemetry::record::Record;

/// The name that `journalctl -t` knows us by.
pub const IDENTIFIER: &str = "cognito-import-watch";

/// The longest name of a field.
const LONGEST_NAME: usize = 64;

/// The entry of a record that was logged `now`.
///
/// An event's fields are those of its JSON line in upper case, but for `message`, whose place the words for a person
/// take; what is unknown is left out.
#[must_use]
pub fn entry(record: &Record, now: Timestamp) -> String {
    let mut fields = Map::new();
    match record {
        Record::Rendered { line, .. } => {
            let written: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
            if let Some(event) = written.get("event").and_then(Value::as_str) {
                fields.insert("MESSAGE_ID".to_owned(), message_id::of(event).into());
            }
            for (key, value) in written.iter().filter(|(key, _)| *key != "message") {
                put(&mut fields, key, value);
            }
        }
        Record::Diagnostic { target, fields: logged, .. } => {
            put(&mut fields, "timestamp", &now.to_string().into());
            put(&mut fields, "target", &target.as_str().into());
            for (key, value) in logged {
                put(&mut fields, key, value);
            }
        }
    }
    let level = match record {
        Record::Rendered { level, .. } | Record::Diagnostic { level, .. } => *level,
    };
    let fixed =
        [("MESSAGE", console::words(record)), ("PRIORITY", priority(level)), ("SYSLOG_IDENTIFIER", IDENTIFIER.into())];
    for (name, value) in fixed {
        fields.insert(name.to_owned(), value.into());
    }
    Value::Object(fields).to_string()
}

fn put(fields: &mut Map<String, Value>, key: &str, value: &Value) {
    let text = match value {
        Value::Null => return,
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    fields.insert(name(key), text.into());
}

/// The journal takes names of capitals, digits and underscores, which begin with a capital.
fn name(key: &str) -> String {
    let valid = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = key.chars().map(valid).skip_while(|c| !c.is_ascii_uppercase()).take(LONGEST_NAME).collect();
    match name.as_str() {
        "" => "FIELD".to_owned(),
        // They mean something to the journal.
        "MESSAGE" | "MESSAGE_ID" | "PRIORITY" => format!("FIELD_{name}"),
        _ => name,
    }
}

/// The levels of syslog.
fn priority(level: Level) -> String {
    let number = match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    };
    number.to_string()
}

#[cfg(test)]
mod tests {
    use tracing::level_filters::LevelFilter;

    use super::*;
    use crate::sink::LogSink;
    use crate::sink::samples::{daemon_events, job_events, lane_events};
    use crate::telemetry::LogFormat;
    use crate::telemetry::capture::printed;

    fn entries(log: impl FnOnce()) -> Vec<Map<String, Value>> {
        let text = printed(LevelFilter::TRACE, LogFormat::Journal, log);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn log_every_event(text: &str) {
        let sink = LogSink::new(uuid::Uuid::from_u128(1));
        job_events(text).iter().for_each(|event| sink.job(event));
        lane_events().iter().for_each(|event| sink.lane(event));
        daemon_events(text).iter().for_each(|event| sink.daemon(event));
    }

    #[test]
    fn an_event_has_its_fields_in_upper_case_and_a_phrase_as_its_message() {
        let events = entries(|| log_every_event("nightly\ncustomers"));
        let changed = events.iter().find(|entry| entry["EVENT"] == "job.status_changed").unwrap();
        assert_eq!(changed["MESSAGE"], "nightly\\ncustomers  Created → InProgress  12 imported, 0 skipped, 1 failed");
        assert_eq!(changed["JOB_ID"], "import-mAgUtd8PMm");
        assert_eq!(changed["USER_POOL_ID"], "us-west-2_EXAMPLE");
        assert_eq!(changed["JOB_NAME"], "nightly\ncustomers");
        assert_eq!(changed["IMPORTED_USERS"], "12");
        assert_eq!(changed["PREVIOUS_STATUS"], "Created");
        assert_eq!(changed["PRIORITY"], "6");
        assert_eq!(changed["SYSLOG_IDENTIFIER"], IDENTIFIER);
        assert_eq!(changed["MESSAGE_ID"], message_id::of("job.status_changed"));
        let lost = events.iter().find(|entry| entry["EVENT"] == "job.not_found").unwrap();
        assert!(lost["PRIORITY"] == "3" && lost.get("STATUS").is_none(), "{lost:?}");
        assert!(events.iter().any(|entry| entry["EVENT"] == "lane.throttled" && entry["PRIORITY"] == "4"));
    }

    #[test]
    fn every_name_is_one_that_the_journal_takes() {
        let valid = |name: &str| {
            name.len() <= 64
                && name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        };
        let all = entries(|| {
            log_every_event("a");
            tracing::debug!(priority = 9, message_id = "x", "tells");
        });
        for entry in &all {
            assert!(entry.keys().all(|name| valid(name)), "{entry:?}");
        }
        let last = all.last().unwrap();
        assert_eq!((&last["PRIORITY"], &last["FIELD_PRIORITY"]), (&"7".into(), &"9".into()));
        assert_eq!(last["MESSAGE"], "tells priority=9 message_id=x");
        for hostile in ["_boot_id", "0day", "", "ü", "a b", &"x".repeat(200)] {
            assert!(valid(&name(hostile)), "{hostile} becomes {}", name(hostile));
        }
    }
}
