//! What one `tracing` record holds, as far as we print it.
//!
//! Built by [`super::layer`] of every record that is let through, and read by [`super::json`] and
//! [`super::console`].

use std::error::Error;
use std::fmt::Debug;

use serde_json::Value;
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::sink::EVENT_TARGET;

/// What is printed.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// An event that [`crate::sink`] rendered, or a line of the display of `wait`.
    Rendered {
        /// How loud it is.
        level: Level,
        /// When it was so, in RFC 3339.
        timestamp: String,
        /// Its JSON form.
        line: String,
        /// Which job it is about, safe to print; none where it is not about a job.
        subject: Option<String>,
        /// Words for a person, safe to print.
        phrase: String,
    },
    /// Anything else that is logged.
    Diagnostic {
        /// How loud it is.
        level: Level,
        /// Where it comes from.
        target: String,
        /// What it says.
        message: String,
        /// Its fields, in the order of the source.
        fields: Vec<(&'static str, Value)>,
    },
}

/// What is said in place of a library's own words.
const WITHHELD: &str = "a library reported a problem; its words are withheld, for they may hold secrets";

/// Whether records of this target are ours. Only ours are printed in full: libraries put requests, answers and
/// credentials into theirs.
#[must_use]
pub fn is_ours(target: &str) -> bool {
    OURS.iter().any(|ours| target == *ours || target.strip_prefix(ours).is_some_and(|rest| rest.starts_with("::")))
}

/// The crates whose records are ours.
pub(crate) const OURS: [&str; 3] = ["cognito_import_watch", "cognito_import_watch_core", "cognito_import_simulator"];

impl Record {
    /// What to print of a `tracing` event. Of a library's there is only where it comes from: its words are
    /// never looked at.
    #[must_use]
    pub fn of(event: &tracing::Event<'_>) -> Self {
        let metadata = event.metadata();
        let (level, target) = (*metadata.level(), metadata.target());
        if !is_ours(target) {
            let line = metadata.line().map(|line| ("source_line", line.into()));
            return Self::Diagnostic {
                level,
                target: target.to_owned(),
                message: WITHHELD.to_owned(),
                fields: line.into_iter().collect(),
            };
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if target == EVENT_TARGET {
            let mut take = |name| fields.take(name);
            return Self::Rendered {
                level,
                timestamp: take("timestamp").unwrap_or_default(),
                line: take("line").unwrap_or_default(),
                subject: take("subject"),
                phrase: take("phrase").unwrap_or_default(),
            };
        }
        let message = fields.take("message").unwrap_or_default();
        Self::Diagnostic { level, target: target.to_owned(), message, fields: fields.0 }
    }
}

#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(field, _)| *field == name)?;
        match self.0.remove(index).1 {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.into()));
    }

    /// An error with the errors behind it.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut words = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            words.push_str(": ");
            words.push_str(&error.to_string());
            source = error.source();
        }
        self.0.push((field.name(), words.into()));
    }
}
