//! Progress as `wait` calls it: the model's lines go to the printer among those of the log, its frame below them.
//!
//! Called by `wait` for everything the driver observes, and when the model wants to be.

use std::time::Duration;

use cognito_import_watch_core::domain::{JobEvent, Target, Tick};

use super::mode::ProgressMode;
use super::model::{JobProgress, Moment, ProgressModel};
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
    pub fn observe(&mut self, target: &Target, view: JobProgress, next_poll: Option<Duration>, now: Moment) {
        self.model.observe(target, view, next_poll, now);
        self.draw(now);
    }

    /// An event, which the log was told before.
    pub fn event(&mut self, event: &JobEvent, now: Moment) {
        let record = self.model.event(event, now);
        self.print(record, now);
    }

    /// When [`Progress::tick`] is wanted next.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Tick> {
        self.model.wakes_at()
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Sender, channel};

    use cognito_import_watch_core::domain::{JobFact, JobStatus};
    use tracing::level_filters::LevelFilter;
    use uuid::Uuid;

    use super::*;
    use crate::sink::samples::{NOW, event};
    use crate::telemetry::capture::plain;
    use crate::telemetry::{Flushed, Screen};

    /// Tells what it is given.
    struct Told(Sender<String>);

    impl Screen for Told {
        fn line(&mut self, line: &str) -> io::Result<()> {
            self.0.send(format!("line {line}")).map_err(io::Error::other)
        }

        fn frame(&mut self, lines: &[String]) -> io::Result<()> {
            self.0.send(format!("frame of {}", lines.len())).map_err(io::Error::other)
        }
    }

    fn shown(mode: ProgressMode) -> Vec<String> {
        let (told, lines) = channel();
        let printer = Printer::start(Told(told), |count| count.to_string()).unwrap();
        let now = Moment { tick: Tick::ZERO, time: NOW };
        let model = ProgressModel::new(mode, LevelFilter::WARN, Uuid::nil(), now);
        let mut progress = Progress::new(model, plain(None), printer.clone());
        let created = event("a", JobStatus::Created, JobFact::FirstSeen);
        progress.add(&created.job.target, Some("a"));
        progress.event(&created, now);
        progress.tick(now);
        progress.finish();
        assert_eq!(printer.close(Duration::from_secs(60)), Flushed::Everything);
        lines.iter().collect()
    }

    #[test]
    fn a_live_display_is_drawn_below_its_lines_and_taken_away() {
        let shown = shown(ProgressMode::Live { columns: 80 });
        assert_eq!(shown.iter().filter(|told| told.starts_with("line 17:03:22 INFO  a  Created, not")).count(), 1);
        assert_eq!(shown.last().map(String::as_str), Some("frame of 0"));
    }

    #[test]
    fn lines_have_no_display_and_nothing_has_no_lines() {
        let frames = |told: &&String| told.starts_with("frame") && !told.ends_with(" 0");
        let lines = shown(ProgressMode::Lines);
        assert_eq!(lines.iter().filter(|told| told.starts_with("line ")).count(), 1);
        assert_eq!(lines.iter().filter(frames).count(), 0);
        let nothing = shown(ProgressMode::Nothing);
        assert_eq!(nothing.iter().filter(|told| told.starts_with("line ")).count(), 0);
        assert_eq!(nothing.iter().filter(frames).count(), 0);
    }
}
