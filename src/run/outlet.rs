//! The log as a sink of the ledger: an event is taken when its line is written.
//!
//! Used by `run`, which has the ledger tell it from a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Delivery, Sink};
use crate::sink::{LogSink, RenderedEvent};
use crate::telemetry::{Mark, Printer, Written};

/// The log as a sink.
pub(super) struct LogOutlet {
    log: LogSink,
    printer: Printer,
    /// Between these the events told last were printed.
    told: Option<(Mark, Mark)>,
}

impl LogOutlet {
    /// What is logged by `log` and written by `printer`.
    pub(super) fn new(log: LogSink, printer: Printer) -> Self {
        Self { log, printer, told: None }
    }
}

impl Sink for LogOutlet {
    fn name(&self) -> &'static str {
        "log"
    }

    fn tell(&mut self, events: &[Arc<RenderedEvent>]) -> Delivery {
        let before = self.printer.mark();
        for event in events {
            self.log.rendered(event);
        }
        self.told = Some((before, self.printer.mark()));
        self.confirm(Duration::ZERO)
    }

    fn confirm(&mut self, patience: Duration) -> Delivery {
        let Some((before, after)) = self.told else { return Delivery::Refused };
        match self.printer.wait_for(before, after, patience) {
            Written::All => Delivery::Taken,
            Written::NotYet => Delivery::Pending,
            Written::NotAll => Delivery::Refused,
        }
    }
}
