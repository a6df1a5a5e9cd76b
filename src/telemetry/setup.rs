//! What is logged and in which form, and the start of it.
//!
//! Called once by every command, before anything else. RUST_LOG is not read.

use std::io;
use std::sync::{Arc, Mutex};

use cognito_import_watch_core::domain::Timestamp;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry};

use super::layer::LogLayer;
use super::printer::{Printer, Screen};
use super::record::{OURS, Record};
use super::style::TextStyle;
use super::{console, journal, json};

/// What o'clock it is.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person.
    Text(TextStyle),
    /// One flat object a line.
    Json,
    /// The fields of an entry of systemd's journal, for [`super::Journal`].
    Journal,
}

impl LogFormat {
    /// The text of a record that was logged `now`, without its end.
    #[must_use]
    pub fn render(self, record: Record, now: Timestamp) -> String {
        match self {
            Self::Text(style) => console::text(&record, now, style),
            Self::Json => json::line(record, now),
            Self::Journal => journal::entry::entry(&record, now),
        }
    }
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Records of ours up to this level; of libraries, warnings and errors at debug and trace.
    pub level: LevelFilter,
    /// The form.
    pub format: LogFormat,
}

/// Starts the thread that writes to `screen`. The subscriber is for
/// [`tracing::subscriber::set_global_default`]; the printer is to be closed at the end, and prints what has to
/// stand among the lines of the log.
///
/// # Errors
/// Where no thread can be started.
pub fn start(
    settings: LogSettings,
    clock: WallClock,
    screen: impl Screen + 'static,
) -> io::Result<(impl Subscriber + Send + Sync + 'static, Printer)> {
    let LogSettings { level, format } = settings;
    let told_at = Arc::clone(&clock);
    let printer = Printer::start(screen, move |dropped| format.render(dropped_records(dropped), told_at()))?;
    // What a library reports is told by our own events too, in words that may be shown.
    let libraries = if level >= LevelFilter::DEBUG { LevelFilter::WARN } else { LevelFilter::OFF };
    let filter = Targets::new().with_default(libraries).with_targets(OURS.map(|target| (target, level)));
    let layer = LogLayer { format, clock, printer: printer.clone(), libraries: Mutex::default() };
    Ok((Registry::default().with(layer.with_filter(filter)), printer))
}

fn dropped_records(count: u64) -> Record {
    Record::Diagnostic {
        level: Level::WARN,
        target: module_path!().to_owned(),
        message: "log records dropped: their reader was too slow, or could not be written to".to_owned(),
        fields: vec![("dropped", count.into())],
    }
}
