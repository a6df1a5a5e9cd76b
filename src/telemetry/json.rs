//! The JSON form of a record: one flat object in one line.
//!
//! Called by [`super::layer`] with `--log-format json`.

use cognito_import_watch_core::domain::Timestamp;

use super::record::Record;
use crate::json::Object;
use crate::sink::level;

/// The line of a record that was logged `now`. An event's line is the one that was rendered with it.
#[must_use]
pub fn line(record: Record, now: Timestamp) -> String {
    match record {
        Record::Rendered { line, .. } => line,
        Record::Diagnostic { level, target, message, fields } => {
            let mut object = Object::new()
                .with("timestamp", now.to_string())
                .with("level", level::word(level))
                .with("message", message)
                .with("target", target);
            for (name, value) in fields {
                object = match name {
                    "timestamp" | "level" | "message" | "target" => object.with(&format!("field_{name}"), value),
                    name => object.with(name, value),
                };
            }
            object.finish()
        }
    }
}
