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

/// How soon what the manager did not take is offered again.
const SECOND_TRY: Duration = Duration::from_secs(1);

/// How long a reload may keep the loop waiting before that counts as stuck. Reading the config takes milliseconds, and
/// asking for the settings of a new account's profile seconds.
const LONGEST_RELOAD: Duration = Duration::from_secs(60);

/// What the service manager hears of this daemon.
pub struct Service {
    manager: Arc<Manager>,
    pulse: Pulse,
    /// Whether READY=1 is to be sent at the next turn.
    ready: Ready,
    /// When a reload began that the manager was not told of yet.
    reload_began: Option<NotifyState<'static>>,
    ending: Ending,
    /// Before this nothing that is owed is offered again.
    deaf_until: Tick,
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
    /// The scheduler is about to begin.
    Owed,
    /// It is about to begin with another config.
    OwedAgain,
    Told,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    NotYet,
    /// The manager is to be told, with this line.
    Owed(String),
    Told,
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
            reload_began: None,
            ending: Ending::NotYet,
            deaf_until: Tick::ZERO,
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
        let word = if self.owes() { Some(self.deaf_until) } else { self.line_at };
        word.into_iter().chain(self.feeds_at).min()
    }

    /// Whether there is something that the manager must hear: it waits for it.
    fn owes(&self) -> bool {
        self.ready != Ready::Told || matches!(self.ending, Ending::Owed(_))
    }

    /// Something changed that the status line may show.
    pub fn changed(&mut self, now: Tick) {
        if self.manager.is_there() && self.ready == Ready::Told && self.ending == Ending::NotYet {
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
        let owes = self.owes();
        let due = if owes { Some(self.deaf_until) } else { self.line_at };
        if due.is_none_or(|at| at > now) {
            return;
        }
        if self.ending != Ending::NotYet {
            if !self.settle(None) {
                self.deaf_until = now.plus(SECOND_TRY);
            }
            return;
        }
        let began = Instant::now();
        let line = self.whole(line());
        self.line_at = None;
        self.silent_until = now.plus(BETWEEN_LINES.max(began.elapsed() * SHARE_OF_COUNTING));
        let told = if owes {
            self.settle(Some(&line))
        } else {
            line == self.line || self.manager.tell(&[NotifyState::Status(&line)])
        };
        if told {
            self.line = line;
        } else {
            // A line that it did not take is dropped: the next is newer.
            self.deaf_until = self.silent_until.max(now.plus(SECOND_TRY));
        }
    }

    /// Offers what is owed, in the order in which it came about, up to what the manager does not take. Gives whether it took
    /// everything.
    fn settle(&mut self, line: Option<&str>) -> bool {
        if let Some(time) = &self.reload_began {
            // RELOADING and its time belong into one datagram.
            if !self.manager.tell(&[NotifyState::Reloading, time.clone()]) {
                return false;
            }
            self.reload_began = None;
        }
        if self.ready != Ready::Told {
            let status = line.map(NotifyState::Status);
            let states: Vec<NotifyState<'_>> = [NotifyState::Ready].into_iter().chain(status).collect();
            if !self.manager.tell(&states) {
                return false;
            }
            self.ready = Ready::Told;
        }
        if let Ending::Owed(line) = &self.ending {
            if !self.manager.tell(&[NotifyState::Stopping, NotifyState::Status(line)]) {
                return false;
            }
            self.ending = Ending::Told;
        }
        true
    }

    fn feed(&mut self, now: Tick) {
        let Some(interval) = self.manager.feeding() else { return };
        let next = match self.pulse.check(Instant::now()) {
            Ok(()) if self.manager.tell(&[NotifyState::Watchdog]) => interval,
            Ok(()) => SECOND_TRY.min(interval),
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
        // Each reload is told, even right behind another: systemd waits for one that began after its own signal.
        if self.ready != Ready::Owed
            && let Ok(time) = NotifyState::monotonic_usec_now()
        {
            self.ready = Ready::OwedAgain;
            let told = self.manager.tell(&[NotifyState::Reloading, time.clone()]);
            self.reload_began = (!told).then_some(time);
        }
        Keeper { manager: Arc::clone(&self.manager), pulse: self.pulse.clone() }
    }

    /// The reload is over; `rejected` says what is wrong with a config that was not taken.
    pub fn reloaded(&mut self, rejected: Option<String>) {
        self.rejected = rejected;
    }

    /// The daemon is about to end, for this reason.
    pub fn stopping(&mut self, reason: &str) {
        if self.ending != Ending::NotYet {
            return;
        }
        (self.ending, self.line_at) = (Ending::Owed(format!("stopping ({reason})")), None);
        // A watch that is over before it began has been ready all the same: without that word systemd takes it for failed.
        self.settle(None);
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
