//! The socket of the service manager, by the protocol of `sd_notify`.
//!
//! Used by [`super::service`], which knows when to say what.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

/// Takes what the service manager is told: one datagram a call.
pub trait Notify: Send + Sync {
    /// Sends a datagram, without waiting.
    ///
    /// # Errors
    /// When nobody takes it, or not now ([`io::ErrorKind::WouldBlock`]).
    fn send(&self, states: &[NotifyState<'_>]) -> io::Result<()>;
}

/// The socket named by NOTIFY_SOCKET.
#[derive(Debug)]
struct Socket(SocketAddr);

impl Socket {
    /// A path, or a name behind an `@` that stands nowhere in the file system.
    fn named(name: &OsStr) -> io::Result<Self> {
        match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(name),
        }
        .map(Self)
    }
}

impl Notify for Socket {
    fn send(&self, states: &[NotifyState<'_>]) -> io::Result<()> {
        let text: String = states.iter().map(|state| format!("{state}\n")).collect();
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not hold up the loop, which is what sends this: some ten datagrams fill its queue.
        socket.set_nonblocking(true)?;
        socket.connect_addr(&self.0)?;
        socket.send(text.as_bytes()).map(drop)
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
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Self::absent();
        };
        match Socket::named(&name) {
            Ok(socket) => Self::new(Box::new(socket), sd_notify::watchdog_enabled()),
            Err(error) => {
                tracing::warn!(%error, "NOTIFY_SOCKET names no socket");
                Self::absent()
            }
        }
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

    /// Tells it something, if it takes that at once; gives whether it did. The first time it does not is logged: what is
    /// watched goes on.
    pub fn tell(&self, states: &[NotifyState<'_>]) -> bool {
        let Some(notify) = &self.notify else { return true };
        match notify.send(states) {
            Ok(()) => true,
            Err(error) => {
                if !self.has_failed.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "service manager cannot be notified");
                }
                false
            }
        }
    }
}
