//! From `tracing` to lines: a layer that renders a record at once and hands it to the printer.
//!
//! Built by [`super::setup`]. Spans are not printed.

use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::printer::{Keep, Printer};
use super::record::Record;
use super::setup::{LogFormat, WallClock};

/// The layer.
pub struct LogLayer {
    pub(super) format: LogFormat,
    pub(super) clock: WallClock,
    pub(super) printer: Printer,
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let record = Record::of(event);
        let keep = keep(&record);
        let now = (self.clock)();
        self.printer.print(self.format.render(record, now), keep);
    }
}

/// Events are never dropped, nor is what an operator must know.
fn keep(record: &Record) -> Keep {
    match record {
        Record::Rendered { .. } => Keep::Always,
        Record::Diagnostic { level, .. } if *level <= Level::INFO => Keep::Always,
        Record::Diagnostic { .. } => Keep::WhereThereIsRoom,
    }
}
