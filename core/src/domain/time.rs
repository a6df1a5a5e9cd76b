//! The two clocks, as data: wall time for what is told, monotonic time for what is waited for.

use std::fmt;
use std::time::Duration;

/// A point in wall time: milliseconds since 1970-01-01T00:00:00Z, as the service counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
        let time = jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        write!(f, "{time:.3}")
    }
}

/// A point in monotonic time: the time since the process began to schedule.
///
/// It never goes backwards and does not know what o'clock it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(Duration);

impl Tick {
    /// The first moment.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// A tick from the time since the process began to schedule.
    #[must_use]
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The time since the process began to schedule.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// This tick and `later` more, at most the end of the range.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }
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
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string().len(), "9999-12-30T22:00:00.999Z".len());
    }

    #[test]
    fn adding_stops_at_the_end_of_the_range() {
        assert_eq!(Timestamp::from_millis(i64::MAX).plus(Duration::from_secs(1)).as_millis(), i64::MAX);
        assert_eq!(Tick::from_start(Duration::MAX).plus(Duration::from_secs(1)).as_duration(), Duration::MAX);
    }
}
