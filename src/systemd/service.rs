//! What the service manager is owed, and when: that we are ready, a sign of life, what is watched.
//!
//! Held by the daemon's observer, which the loop wakes at [`Service::wakes_at`]: the signs of life come from the loop
//! itself, and only while its [`Pulse`] is there.

use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::Tick;
use sd_notify::NotifyState;
use tokio::time::Instant;

use super::Manager;
use crate::pulse::Pulse;
use crate::text::{MOST_CHARACTERS_OF_AN_ERROR, one_line_of};

/// The least time between two status lines.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

/// Of the time that passes, counting a hundred thousand jobs may take one part in so many.
const SHARE_OF_COUNTING: u32 = 100;

/// How soon a loop without a pulse is looked at again: it may have been held up from outside.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// How long a reload may keep the loop waiting before that counts as stuck. Reading the config takes milliseconds, and
/// asking for the settings of a new account's profile seconds.
const LONGEST_RELOAD: Duration = Duration::from_secs(60);

/// What the service manager hears of this daemon.
pub struct Service {
    manager: Arc<Manager>,
    pulse: Pulse,
    /// Whether READY=1 is to be sent at the next turn.
    ready: Ready,
    /// When the next sign of life is due; `None` where none is wanted.
    feeds_at: Option<Tick>,
    /// When the status line is to be made anew; `None` while nothing changed.
    line_at: Option<Tick>,
    /// Before this there is no new line.
    silent_until: Tick,
    line: String,
    /// What is wrong with a config that was rejected.
    rejected: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    /// The scheduler is about to begin, or to begin with another config.
    Owed,
    Told,
    Over,
}

impl Service {
    /// The daemon whose loop has this pulse, under this manager.
    #[must_use]
    pub fn new(manager: Manager, pulse: Pulse) -> Self {
        let feeds_at = manager.feeding().map(|_| Tick::ZERO);
        Self {
            manager: Arc::new(manager),
            pulse,
            ready: Ready::Owed,
            feeds_at,
            line_at: None,
            silent_until: Tick::ZERO,
            line: String::new(),
            rejected: None,
        }
    }

    /// A daemon that no service manager started.
    #[must_use]
    pub fn absent() -> Self {
        Self::new(Manager::absent(), Pulse::start())
    }

    /// When [`Service::wake`] is wanted.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Tick> {
        if !self.manager.is_there() {
            return None;
        }
        let ready = (self.ready == Ready::Owed).then_some(Tick::ZERO);
        ready.into_iter().chain(self.feeds_at).chain(self.line_at).min()
    }

    /// Something changed that the status line may show.
    pub fn changed(&mut self, now: Tick) {
        if self.manager.is_there() && self.ready == Ready::Told {
            self.line_at.get_or_insert(self.silent_until.max(now));
        }
    }

    /// Sends what is due by `now`. `line` counts everything watched.
    pub fn wake(&mut self, now: Tick, line: impl FnOnce() -> String) {
        if !self.manager.is_there() {
            return;
        }
        if self.feeds_at.is_some_and(|at| at <= now) {
            self.feed(now);
        }
        let owed = self.ready == Ready::Owed;
        if !owed && self.line_at.is_none_or(|at| at > now) {
            return;
        }
        let began = Instant::now();
        let line = self.whole(line());
        self.line_at = None;
        self.silent_until = now.plus(BETWEEN_LINES.max(began.elapsed() * SHARE_OF_COUNTING));
        if owed {
            self.ready = Ready::Told;
            self.manager.tell(&[NotifyState::Ready, NotifyState::Status(&line)]);
        } else if line != self.line {
            self.manager.tell(&[NotifyState::Status(&line)]);
        }
        self.line = line;
    }

    fn feed(&mut self, now: Tick) {
        let Some(interval) = self.manager.feeding() else { return };
        let next = match self.pulse.check(Instant::now()) {
            Ok(()) => {
                self.manager.tell(&[NotifyState::Watchdog]);
                interval
            }
            Err(stuck) => {
                tracing::error!(reason = %stuck, "watchdog is not fed");
                SECOND_LOOK.min(interval)
            }
        };
        self.feeds_at = Some(now.plus(next));
    }

    fn whole(&self, line: String) -> String {
        let line = match &self.rejected {
            None => line,
            Some(error) => {
                // Cut short, so that what is watched fits too.
                let error = one_line_of(error, MOST_CHARACTERS_OF_AN_ERROR / 4);
                format!("configuration rejected, the one in force stays ({error}); {line}")
            }
        };
        // systemd takes one of two away when it reads the line, and drops what ends with a single one.
        line.replace('\\', "\\\\")
    }

    /// A reload begins. The keeper stands in for the loop until it is over.
    pub fn reloading(&mut self) -> Keeper {
        // RELOADING and its time belong into one datagram.
        if self.ready == Ready::Told
            && let Ok(time) = NotifyState::monotonic_usec_now()
        {
            self.manager.tell(&[NotifyState::Reloading, time]);
            self.ready = Ready::Owed;
        }
        Keeper { manager: Arc::clone(&self.manager), pulse: self.pulse.clone() }
    }

    /// The reload is over; `rejected` says what is wrong with a config that was not taken.
    pub fn reloaded(&mut self, rejected: Option<String>) {
        self.rejected = rejected;
    }

    /// The daemon is about to end, for this reason.
    pub fn stopping(&mut self, reason: &str) {
        if self.ready == Ready::Over {
            return;
        }
        // A watch that is over before it began has been ready all the same: without that word systemd takes it for failed.
        if self.ready == Ready::Owed {
            self.manager.tell(&[NotifyState::Ready]);
        }
        let line = format!("stopping ({reason})");
        self.manager.tell(&[NotifyState::Stopping, NotifyState::Status(&line)]);
        (self.ready, self.line_at) = (Ready::Over, None);
    }
}

/// Gives signs of life while the loop waits for a reload.
pub struct Keeper {
    manager: Arc<Manager>,
    pulse: Pulse,
}

impl Keeper {
    /// Performs a reload. Signs of life are given for a minute at the most.
    pub async fn during<T>(self, reload: impl Future<Output = T>) -> T {
        self.pulse.pauses_until(Instant::now() + LONGEST_RELOAD);
        let Some(interval) = self.manager.feeding() else { return reload.await };
        let mut reload = std::pin::pin!(reload);
        loop {
            if self.pulse.check(Instant::now()).is_ok() {
                self.manager.tell(&[NotifyState::Watchdog]);
            }
            match tokio::time::timeout(interval, &mut reload).await {
                Ok(done) => return done,
                Err(_) => continue,
            }
        }
    }
}

#[cfg(test)]
mod tests;
