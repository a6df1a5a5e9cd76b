//! Where a command prints: results on stdout, errors on stderr. A closed stdout ends one-shot commands quietly.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::cli::{Color, Shared};
use crate::clock::wall_time;
use crate::config::{LogFormat, LogLevel};
use crate::exit::{CommandError, Exit};
use crate::telemetry::{self, ColorChoice, LogSettings, PlainScreen, Printer, Screen, TextStyle};

/// How long lines that are not written yet are waited for at the end.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The streams of the process, and how they are to be written to.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    color: ColorChoice,
}

impl Console {
    /// The process's own streams.
    #[must_use]
    pub fn new(shared: &Shared) -> Self {
        let color = match shared.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { color }
    }

    /// Prints a result. Where nobody reads it any more that is no error.
    ///
    /// # Errors
    /// When stdout cannot be written to, such as a full disk.
    pub fn result(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CommandError::new(Exit::File, format!("cannot write to stdout: {error}")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Prints why a command failed.
    pub fn error(&self, error: &CommandError) {
        let text = error.message.trim_end();
        // A message with places in a file names itself an error already.
        let text = if text.starts_with("error") { text.to_owned() } else { format!("error: {text}") };
        self.note(&text);
    }

    /// Prints a line for the person at the terminal, beside the result.
    pub fn note(&self, text: &str) {
        // Nothing is left to tell it to where stderr is closed.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// How text on stdout looks.
    #[must_use]
    pub fn stdout_style(&self) -> TextStyle {
        let reader = TextStyle::of(&io::stdout()).reader;
        self.style(reader)
    }

    /// How text on stderr looks.
    #[must_use]
    pub fn stderr_style(&self) -> TextStyle {
        todo!()
    }
}
