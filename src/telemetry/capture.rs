//! What the log prints, for tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cognito_import_watch_core::domain::Timestamp;
use tracing::level_filters::LevelFilter;

use super::{Color, Flushed, LogFormat, LogSettings, PlainScreen, TextStyle, start};
use crate::sink::samples::NOW;

/// A place in memory to write to. A clone is the same place.
#[derive(Clone, Default)]
pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text format, in plain text.
pub(crate) fn plain(columns: Option<usize>) -> LogFormat {
    LogFormat::Text(TextStyle { color: Color::Off, columns })
}

/// What is printed of all that `log` logs, at [`NOW`].
pub(crate) fn printed(level: LevelFilter, format: LogFormat, log: impl FnOnce()) -> String {
    let paper = Paper::default();
    let clock = Arc::new(|| -> Timestamp { NOW });
    let (subscriber, printer) = start(LogSettings { level, format }, clock, PlainScreen(paper.clone())).unwrap();
    tracing::subscriber::with_default(subscriber, log);
    assert_eq!(printer.close(Duration::from_secs(60)), Flushed::Everything);
    paper.text()
}
