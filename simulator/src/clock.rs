//! The two clocks: real time for `Date`, signatures and the upload URL, and the job's clock, which may run faster.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::scenario::{ClockSection, ShownDates};

/// A moment on the job's clock, in milliseconds since the simulator started; negative for what came before.
pub(crate) type Moment = i64;

/// Both clocks; they show the same time when the simulator starts.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    started: Instant,
    wall: Timestamp,
    section: ClockSection,
}

impl Clock {
    pub(crate) fn start(section: &ClockSection) -> Self {
        Self { started: Instant::now(), wall: wall_time(), section: section.clone() }
    }

    /// Real time since the simulator started, on the monotonic clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Now on the job's clock.
    pub(crate) fn now(&self) -> Moment {
        millis(self.elapsed().mul_f64(self.section.speed.0))
    }

    /// The date shown for a moment, in seconds since the epoch.
    pub(crate) fn date_of(&self, moment: Moment) -> f64 {
        let since_start = match self.section.dates {
            ShownDates::Real if moment > 0 => (moment as f64 / self.section.speed.0) as Moment,
            ShownDates::Real | ShownDates::Job => moment,
        };
        self.wall.as_millisecond().saturating_add(since_start) as f64 / 1_000.0
    }
}

/// The machine's time of day, read anew each time, for it may be set right while we run.
#[expect(clippy::disallowed_methods, reason = "the simulator is an edge of its own, and this its one place")]
pub(crate) fn wall_time() -> Timestamp {
    Timestamp::now()
}

/// A time so much later, or earlier, and no further than there are dates.
pub(crate) fn shift(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// Whole milliseconds of a duration, the longest possible where it does not fit.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
