//! The text form of a record: time of day in UTC, level, name, words.
//!
//! Called by [`super::layer`] with `--log-format text`, and by the display of `wait` for its lines.

use cognito_import_watch_core::domain::Timestamp;
use serde_json::Value;
use tracing::Level;

use super::record::{Record, is_ours};
use super::style::{Paint, TextStyle};
use crate::text::{MOST_CHARACTERS_OF_AN_ERROR, fit, one_line_of, pad, time_of_day, width, wrap};

/// Columns before the name: `17:03:22 INFO  `.
const MARGIN: usize = 15;

/// Terminals narrower than this are not fitted: the words would stand in a column of their own.
const NARROWEST: usize = 40;

/// The text of a record that was logged `now`; without columns in the style, one line.
#[must_use]
pub fn text(record: &Record, now: Timestamp, style: TextStyle) -> String {
    match record {
        Record::Rendered { level, timestamp, subject, phrase, .. } => {
            let time = timestamp.split_once('T').and_then(|(_, time)| time.get(..8)).unwrap_or_default();
            lay_out(time, *level, subject.as_deref(), phrase, style)
        }
        Record::Diagnostic { level, target, message, fields } => {
            lay_out(&time_of_day(now), *level, None, &diagnostic(target, message, fields), style)
        }
    }
}

/// The words of a record in one line, safe to print, without its time and level.
#[must_use]
pub fn words(record: &Record) -> String {
    match record {
        Record::Rendered { subject: Some(subject), phrase, .. } => format!("{subject}  {phrase}"),
        Record::Rendered { subject: None, phrase, .. } => phrase.clone(),
        Record::Diagnostic { target, message, fields, .. } => diagnostic(target, message, fields),
    }
}

fn diagnostic(target: &str, message: &str, fields: &[(&'static str, Value)]) -> String {
    let mut words = one_line_of(message, MOST_CHARACTERS_OF_AN_ERROR);
    for (name, value) in fields {
        words.push_str(&format!(" {name}={}", shown(value)));
    }
    // Of our own the words say enough; a library's are withheld.
    if !is_ours(target) {
        words.push_str(&format!(" target={}", one_line_of(target, MOST_CHARACTERS_OF_AN_ERROR)));
    }
    words
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => one_line_of(text, MOST_CHARACTERS_OF_AN_ERROR),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    if text.is_empty() || text.contains([' ', '"', '=']) { format!("\"{}\"", text.replace('"', "\\\"")) } else { text }
}

/// One record: `subject` and `phrase` are safe to print already.
fn lay_out(time: &str, level: Level, subject: Option<&str>, phrase: &str, style: TextStyle) -> String {
    let color = style.color;
    let columns = style.columns.filter(|&columns| columns >= NARROWEST);
    let subject = match (subject, columns) {
        (Some(subject), Some(columns)) => Some(fit(subject, (columns / 4).clamp(12, 32))),
        (Some(subject), None) => Some(subject.to_owned()),
        (None, _) => None,
    };
    let head = format!("{} {} ", color.paint(Paint::Dim, time), color.paint(paint(level), &pad(word(level), 5)));
    let name = subject.as_deref().map_or_else(String::new, |name| format!("{}  ", color.paint(Paint::Bold, name)));
    let Some(columns) = columns else {
        return format!("{head}{name}{phrase}");
    };
    let first = columns - MARGIN - subject.as_deref().map_or(0, |name| width(name) + 2);
    let more = format!("\n{}{} ", " ".repeat(MARGIN - 2), color.paint(Paint::Dim, "│"));
    format!("{head}{name}{}", wrap(phrase, first, columns - MARGIN).join(&more))
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

fn paint(level: Level) -> Paint {
    match level {
        Level::ERROR => Paint::Red,
        Level::WARN => Paint::Yellow,
        Level::INFO => Paint::Green,
        Level::DEBUG => Paint::Blue,
        Level::TRACE => Paint::Dim,
    }
}
