//! Simulated time: nanoseconds since the start of the watch.
//!
//! An integer, so that two runs from one seed are the same to the last digit.

use std::time::Duration;

use cognito_import_watch_core::domain::{Tick, Timestamp};
use cognito_import_watch_core::schedule::Now;

/// Nanoseconds since the start of the watch, or a number of them.
pub type Nanos = u64;

/// One second.
pub const SECOND: Nanos = 1_000_000_000;

/// One millisecond.
pub const MILLISECOND: Nanos = SECOND / 1_000;

/// What never happens.
pub const NEVER: Nanos = Nanos::MAX;

/// Wall time at the start of the watch. Any would do: only differences count.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Seconds as nanoseconds, rounded down; a negative number is none.
#[must_use]
pub fn seconds(seconds: f64) -> Nanos {
    (seconds * SECOND as f64) as Nanos
}

/// Nanoseconds as seconds.
#[must_use]
pub fn as_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

/// Both clocks of the scheduler at a time of ours.
#[must_use]
pub fn clocks(at: Nanos) -> Now {
    let elapsed = Duration::from_nanos(at);
    Now { tick: Tick::from_start(elapsed), wall: wall(at) }
}

/// Wall time.
#[must_use]
pub fn wall(at: Nanos) -> Timestamp {
    START.plus(Duration::from_nanos(at))
}

/// A duration of the scheduler's.
#[must_use]
pub fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(NEVER)
}
