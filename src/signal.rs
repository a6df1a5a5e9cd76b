//! Signals of the operating system as data: the driver never sees a signal's number.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::mpsc;

use crate::exit::Exit;

/// What the outside asks of a running command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// SIGHUP: the terminal is gone, or a daemon is to read its config again.
    Hangup,
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: the service manager or the orchestrator.
    Terminate,
}

impl Signal {
    /// The code of a command that a signal ended.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::Hangup => Exit::Hangup,
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }

    /// The signal's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Where signals come from.
#[derive(Debug)]
pub enum Signals {
    /// The operating system.
    System(Box<SystemSignals>),
    /// The caller, who embeds what runs; when the sender is gone, no signal comes.
    Channel(mpsc::Receiver<Signal>),
}

/// The signals that this process listens to.
#[derive(Debug)]
pub struct SystemSignals {
    hangup: Stream,
    interrupt: Stream,
    terminate: Stream,
}

impl Signals {
    /// Listens; from here on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self::System(Box::new(SystemSignals {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })))
    }

    /// The next signal. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        match self {
            Self::System(system) => {
                tokio::select! {
                    Some(()) = system.terminate.recv() => Signal::Terminate,
                    Some(()) = system.interrupt.recv() => Signal::Interrupt,
                    Some(()) = system.hangup.recv() => Signal::Hangup,
                    else => std::future::pending().await,
                }
            }
            Self::Channel(signals) => match signals.recv().await {
                Some(signal) => signal,
                None => std::future::pending().await,
            },
        }
    }
}
