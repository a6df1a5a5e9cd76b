//! The two clocks, as data: wall time for what is told, monotonic time for what is waited for.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in wall time: milliseconds since 1970-01-01T00:00:00Z, as the service counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A timestamp from milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this; zero when `earlier` is in fact later (two clocks may disagree).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The time `earlier` before this, at least the beginning of the range.
    #[must_use]
    pub fn minus(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(earlier.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This time and `later` more, at most the end of the range.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(later.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, e.g. `2026-11-22T17:04:09.123Z`; a time outside the years −9999 to
    /// 9999 is shown at the end of that range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.0.is_negative() { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let time = jiff::Timestamp::from_millisecond(self.0).unwrap_or(end);
        write!(f, "{time:.3}")
    }
}

/// A point in monotonic time: the time since the process began to schedule; what a process before this one saw is
/// before its start.
///
/// It never goes backwards and does not know what o'clock it is. It reaches 292 years to both sides of the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tick(i64);

impl Tick {
    /// The first moment of the process.
    pub const ZERO: Self = Self(0);

    /// A tick from the time since the process began to schedule.
    #[must_use]
    pub fn from_start(elapsed: Duration) -> Self {
        Self(nanos(elapsed))
    }

    /// The time since the process began to schedule; zero before that.
    #[must_use]
    pub fn as_duration(self) -> Duration {
        self.since(Self::ZERO)
    }

    /// The time from `earlier` to this; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This tick and `later` more, at most the end of the range.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(nanos(later)))
    }

    /// The tick `earlier` before this, at least the beginning of the range.
    #[must_use]
    pub fn minus(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(earlier)))
    }
}

/// Nanoseconds, at most 292 years of them.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_went_back_counts_as_no_time() {
        assert_eq!(Timestamp::from_millis(1_000).since(Timestamp::from_millis(5_000)), Duration::ZERO);
        assert_eq!(Tick::ZERO.since(Tick::from_start(Duration::from_secs(1))), Duration::ZERO);
    }

    #[test]
    fn wall_time_is_shown_in_rfc_3339_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(1_548_271_708_512).to_string(), "2019-01-23T19:28:28.512Z");
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-30T22:00:00.999Z");
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "-009999-01-02T01:59:59.000Z");
    }

    #[test]
    fn what_happened_before_the_start_is_as_long_ago_as_it_was() {
        let hour = Duration::from_secs(3_600);
        let before = Tick::ZERO.minus(hour);
        assert_eq!(Tick::ZERO.plus(hour).since(before), hour * 2);
        assert_eq!((before.as_duration(), before.plus(hour)), (Duration::ZERO, Tick::ZERO));
    }

    #[test]
    fn adding_stops_at_the_end_of_the_range() {
        assert_eq!(Timestamp::from_millis(i64::MAX).plus(Duration::from_secs(1)).as_millis(), i64::MAX);
        let end = Tick::from_start(Duration::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert!(end.as_duration() > Duration::from_secs(200 * 365 * 86_400));
    }
}
