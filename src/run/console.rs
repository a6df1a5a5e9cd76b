//! Where a command prints: results on stdout, errors on stderr. A closed stdout ends one-shot commands quietly.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::cli::Shared;
use crate::clock::wall_time;
use crate::config::{LogLevel, Style};
use crate::exit::{CommandError, Exit};
use crate::telemetry::journal::socket;
use crate::telemetry::{self, Color, ColorChoice, Journal, LogFormat, LogSettings, Printer, Reader, Screen, TextStyle};

/// How long lines that are not written yet are waited for at the end.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The streams of the process, and how they are to be written to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Console {
    color: ColorChoice,
}

impl Console {
    /// The process's own streams.
    pub(super) fn new(shared: &Shared) -> Self {
        Self { color: shared.color }
    }

    /// Prints a result. Where nobody reads it any more that is no error.
    ///
    /// # Errors
    /// When stdout cannot be written to, such as a full disk.
    pub(super) fn result(&self, text: &str) -> Result<(), CommandError> {
        self.part(text).map(drop)
    }

    /// Prints a part of a result; breaks where nobody reads it any more, so that the rest can be left out.
    ///
    /// # Errors
    /// As [`Self::result`].
    pub(super) fn part(&self, text: &str) -> Result<ControlFlow<()>, CommandError> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            Err(error) => Err(CommandError::new(Exit::File, format!("cannot write to stdout: {error}"))),
        }
    }

    /// Prints a result, and gives the code to end with: `exit`, or that of a stdout that cannot be written to where
    /// that one wins.
    pub(super) fn conclude(&self, text: &str, exit: Exit) -> Exit {
        match self.result(text) {
            Ok(()) => exit,
            Err(error) => {
                self.error(&error);
                if exit.outweighs(error.exit) { exit } else { error.exit }
            }
        }
    }

    /// Prints why a command failed.
    pub(super) fn error(&self, error: &CommandError) {
        let text = error.message.trim_end();
        // A message with places in a file calls itself an error already.
        let named = text.starts_with("error") || text.starts_with('\u{1b}');
        self.note(&if named { text.to_owned() } else { format!("error: {text}") });
    }

    /// Prints a line for the person at the terminal, beside the result.
    pub(super) fn note(&self, text: &str) {
        // Where stderr is closed there is nobody left to tell.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// The look of text on a stream.
    pub(super) fn style(&self, stream: &(impl IsTerminal + AsFd)) -> TextStyle {
        let reader = Reader::of(stream);
        let variable = |name| std::env::var_os(name);
        let color = self.color.resolve(reader, variable("NO_COLOR").as_deref(), variable("TERM").as_deref());
        TextStyle::of(reader, color)
    }

    /// The look of problems in a config file.
    pub(super) fn diagnostics(&self) -> Style {
        match self.style(&io::stderr()).color {
            Color::On => Style::Colored,
            Color::Off => Style::Plain,
        }
    }
}

/// The log of a command while it runs. Its last lines are written when it is closed.
pub(super) struct Log {
    printer: Printer,
}

impl Log {
    /// Starts the log of this process.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        level: LogLevel,
        format: LogFormat,
        screen: impl Screen + 'static,
    ) -> Result<Self, CommandError> {
        let settings = LogSettings { level: filter(level), format };
        let (subscriber, printer) = telemetry::start(settings, Arc::new(wall_time), screen)
            .map_err(|error| CommandError::new(Exit::Internal, format!("cannot start the log: {error}")))?;
        // A second start in one process changes nothing: the first log goes on.
        drop(tracing::subscriber::set_global_default(subscriber));
        Ok(Self { printer })
    }

    /// Starts the log of this process in systemd's journal.
    ///
    /// # Errors
    /// When there is no journal, or no thread can be started.
    pub(super) fn to_journal(level: LogLevel) -> Result<Self, CommandError> {
        let path = Path::new(socket::PATH);
        let journal = Journal::open(path).map_err(|error| {
            let todo = "write log.format = \"json\", or \"auto\", where there is no systemd";
            CommandError::new(Exit::File, format!("cannot log to the journal at {}: {error}; {todo}", path.display()))
        })?;
        Self::start(level, LogFormat::Journal, journal)
    }

    /// What has to stand among the lines of the log.
    pub(super) fn printer(&self) -> Printer {
        self.printer.clone()
    }

    /// Writes what is still to be written.
    pub(super) fn close(self) {
        // What is not written by then has no reader.
        let _flushed = self.printer.close(LAST_LINES);
    }
}

/// The level of ours in the words of `tracing`.
pub(super) fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
