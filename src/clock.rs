//! The one place where clocks are read: both at once, so that what is told and what is waited for agree.

use std::time::Duration;

use cognito_import_watch_core::domain::{Tick, Timestamp};
use cognito_import_watch_core::schedule::Now;
use tokio::time::Instant;

/// The clocks of one process. Monotonic time is tokio's, so that paused time drives the tests.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Begins to count monotonic time.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Both clocks, now.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { tick: Tick::from_start(self.start.elapsed()), wall: wall_time() }
    }

    /// A tick as tokio's timers want it; a tick beyond their range is half a year away.
    #[must_use]
    pub fn instant(&self, tick: Tick) -> Instant {
        const FAR: Duration = Duration::from_secs(180 * 86_400);
        self.start.checked_add(tick.as_duration()).unwrap_or(Instant::now() + FAR)
    }
}

/// The wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
pub fn wall_time() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
