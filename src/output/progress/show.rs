//! Progress as `wait` calls it: the model's lines go to the printer among those of the log, its frame below them.
//!
//! Called by `wait` for everything the driver observes, and about once a second.

use std::time::Duration;

use cognito_import_watch_core::domain::{JobEvent, Target};

use super::mode::ProgressMode;
use super::model::{JobView, Moment, ProgressModel};
use crate::telemetry::record::Record;
use crate::telemetry::{Keep, LogFormat, Printer};

/// The display of `wait`.
pub struct Progress {
    model: ProgressModel,
    mode: ProgressMode,
    format: LogFormat,
    printer: Printer,
}

impl Progress {
    /// The display of `model`, in the form of the log, by the printer of the log.
    #[must_use]
    pub fn new(model: ProgressModel, format: LogFormat, printer: Printer) -> Self {
        Self { mode: model.mode(), model, format, printer }
    }

    /// A job that is waited for, and the name its owner gave it.
    pub fn add(&mut self, target: &Target, name: Option<&str>) {
        self.model.add(target, name);
    }

    /// What is known of a job now, and when it is asked about next; never again where its watch is over.
    pub fn observe(&mut self, target: &Target, view: JobView, next_poll: Option<Duration>, now: Moment) {
        self.model.observe(target, view, next_poll, now);
        self.draw(now);
    }

    /// An event, which the log was told before.
    pub fn event(&mut self, event: &JobEvent, now: Moment) {
        let record = self.model.event(event, now);
        self.print(record, now);
    }

    /// Time passed.
    pub fn tick(&mut self, now: Moment) {
        let record = self.model.tick(now);
        self.print(record, now);
        self.draw(now);
    }

    /// The terminal has another width now.
    pub fn resize(&mut self, columns: usize) {
        match &mut self.mode {
            ProgressMode::Live { columns: known } => *known = columns,
            ProgressMode::Lines | ProgressMode::Nothing => {}
        }
    }

    /// Takes the display away; lines stay.
    pub fn finish(self) {
        self.printer.show(Vec::new());
    }

    fn print(&self, record: Option<Record>, now: Moment) {
        if let Some(record) = record {
            self.printer.print(self.format.render(record, now.time), Keep::Always);
        }
    }

    fn draw(&self, now: Moment) {
        match self.mode {
            ProgressMode::Live { columns } => self.printer.show(self.model.frame(columns, now)),
            ProgressMode::Lines | ProgressMode::Nothing => {}
        }
    }
}
