//! The socket of the service manager, by the protocol of `sd_notify`.
//!
//! Used by [`super::service`], which knows when to say what.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

/// Takes what the service manager is told: one datagram a call.
pub trait Notify: Send + Sync {
    /// Sends a datagram.
    ///
    /// # Errors
    /// When nobody takes it.
    fn send(&self, states: &[NotifyState<'_>]) -> io::Result<()>;
}

/// The socket named by NOTIFY_SOCKET.
#[derive(Debug)]
struct Socket;

impl Notify for Socket {
    fn send(&self, states: &[NotifyState<'_>]) -> io::Result<()> {
        sd_notify::notify(states)
    }
}

/// The service manager that started this process, if one did.
pub struct Manager {
    notify: Option<Box<dyn Notify>>,
    watchdog: Option<Duration>,
    /// Whether it was told that it cannot be reached: once is enough.
    has_failed: AtomicBool,
}

impl Manager {
    /// The one that the environment names: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    #[must_use]
    pub fn of_environment() -> Self {
        if std::env::var_os("NOTIFY_SOCKET").is_none_or(|path| path.is_empty()) {
            return Self::absent();
        }
        Self::new(Box::new(Socket), sd_notify::watchdog_enabled())
    }

    /// None: nothing is sent.
    #[must_use]
    pub fn absent() -> Self {
        Self { notify: None, watchdog: None, has_failed: AtomicBool::new(false) }
    }

    /// One that wants a sign of life within each `watchdog`, where it says so.
    #[must_use]
    pub fn new(notify: Box<dyn Notify>, watchdog: Option<Duration>) -> Self {
        Self { notify: Some(notify), watchdog, has_failed: AtomicBool::new(false) }
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.notify.is_some()
    }

    /// How often it gets a sign of life: twice in the time after which it would act. `None` where it wants none.
    #[must_use]
    pub fn feeding(&self) -> Option<Duration> {
        self.watchdog.map(|watchdog| watchdog / 2).filter(|half| !half.is_zero())
    }

    /// Tells it something. Where it cannot be reached that is logged, once: what is watched goes on.
    pub fn tell(&self, states: &[NotifyState<'_>]) {
        let Some(notify) = &self.notify else { return };
        if let Err(error) = notify.send(states)
            && !self.has_failed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "service manager cannot be notified");
        }
    }
}
