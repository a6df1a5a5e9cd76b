//! From `tracing` to lines: a layer that renders a record at once and hands it to the printer.
//!
//! Built by [`super::setup`]. Spans are not printed.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tracing::callsite::Identifier;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::printer::{Keep, Printer};
use super::record::{Record, is_ours};
use super::setup::{LogFormat, WallClock};

/// The layer.
pub struct LogLayer {
    pub(super) format: LogFormat,
    pub(super) clock: WallClock,
    pub(super) printer: Printer,
    /// The places in libraries that reported a problem. Each is told once: a poll that fails every few seconds is told
    /// by our own events, and a library's record without its words adds nothing the second time.
    pub(super) libraries: Mutex<HashSet<Identifier>>,
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if !is_ours(metadata.target()) {
            let mut told = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
            if !told.insert(metadata.callsite()) {
                return;
            }
        }
        let record = Record::of(event);
        let keep = keep(&record);
        let now = (self.clock)();
        self.printer.print(self.format.render(record, now), keep);
    }
}

/// Events are not dropped, nor is what an operator must know, as long as memory can hold them.
fn keep(record: &Record) -> Keep {
    match record {
        Record::Rendered { .. } => Keep::Always,
        Record::Diagnostic { level, .. } if *level <= Level::INFO => Keep::Always,
        Record::Diagnostic { .. } => Keep::WhereThereIsRoom,
    }
}
