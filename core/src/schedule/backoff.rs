//! How long to wait between two polls of one job. The only file that names the `backoff` crate.
//!
//! The crate is asked for one thing, the next interval after a given one, and kept from the rest: it gives up
//! after 15 minutes by default, adds jitter past its cap, and reads a clock of its own.

use std::fmt;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// The growth of a job's poll interval, checked when it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct BackoffPolicy {
    initial: Duration,
    max: Duration,
    multiplier: f64,
    jitter: f64,
}

/// Why settings make no backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidBackoff {
    /// The initial interval is zero: that would be a busy loop.
    InitialIsZero,
    /// The initial interval is longer than the longest.
    InitialAboveMax,
    /// The multiplier is not within 1 to 10.
    Multiplier,
    /// The jitter is not within 0 to 0.9.
    Jitter,
}

impl fmt::Display for InvalidBackoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InitialIsZero => "initial_interval must be longer than 0",
            Self::InitialAboveMax => "initial_interval must not be longer than max_interval",
            Self::Multiplier => "multiplier must be within 1 and 10",
            Self::Jitter => "jitter must be within 0 and 0.9",
        })
    }
}

impl std::error::Error for InvalidBackoff {}

impl Default for BackoffPolicy {
    /// 2 s growing by 1.5 to 30 s, shortened by up to a fifth.
    fn default() -> Self {
        Self { initial: Duration::from_secs(2), max: Duration::from_secs(30), multiplier: 1.5, jitter: 0.2 }
    }
}

impl BackoffPolicy {
    /// A policy of these numbers.
    ///
    /// # Errors
    /// When a number is outside its range: `0 < initial ≤ max`, multiplier 1–10, jitter 0–0.9.
    pub fn new(initial: Duration, max: Duration, multiplier: f64, jitter: f64) -> Result<Self, InvalidBackoff> {
        if initial.is_zero() {
            return Err(InvalidBackoff::InitialIsZero);
        }
        if initial > max {
            return Err(InvalidBackoff::InitialAboveMax);
        }
        if !(1.0..=10.0).contains(&multiplier) {
            return Err(InvalidBackoff::Multiplier);
        }
        if !(0.0..=0.9).contains(&jitter) {
            return Err(InvalidBackoff::Jitter);
        }
        Ok(Self { initial, max, multiplier, jitter })
    }

    /// The first interval.
    #[must_use]
    pub fn initial(&self) -> Duration {
        self.initial
    }

    /// The longest interval.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The part of an interval that jitter takes off at the most.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The factor by which the interval grows.
    #[must_use]
    pub fn multiplier(&self) -> f64 {
        self.multiplier
    }

    /// The interval after `previous`, before jitter: the first where there was none, never above the longest.
    #[must_use]
    pub fn after(&self, previous: Option<Duration>) -> Duration {
        let Some(previous) = previous else { return self.initial };
        let mut growth = ExponentialBackoff {
            current_interval: previous,
            randomization_factor: 0.0,
            multiplier: self.multiplier,
            max_interval: self.max,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        // The crate answers with the interval it holds and grows it for the next call.
        let _held = growth.next_backoff();
        growth.next_backoff().unwrap_or(self.max).clamp(self.initial, self.max)
    }

    /// `interval` shortened by a random part: by up to `jitter` of it. `random` is within 0 and 1.
    #[must_use]
    pub fn jittered(&self, interval: Duration, random: f64) -> Duration {
        let shortened = interval.as_secs_f64() * (1.0 - self.jitter * random.clamp(0.0, 1.0));
        // Rounding may have made it longer, or too long for a duration.
        Duration::try_from_secs_f64(shortened).map_or(interval, |shortened| shortened.min(interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(initial: u64, max: u64, multiplier: f64) -> BackoffPolicy {
        BackoffPolicy::new(SECOND * initial as u32, SECOND * max as u32, multiplier, 0.0).unwrap()
    }

    fn intervals(policy: &BackoffPolicy, count: usize) -> Vec<f64> {
        let mut interval = None;
        std::iter::repeat_with(|| {
            interval = Some(policy.after(interval));
            interval.unwrap().as_secs_f64()
        })
        .take(count)
        .collect()
    }

    #[test]
    fn intervals_grow_to_the_longest_and_stay_there() {
        assert_eq!(intervals(&policy(5, 60, 2.0), 6), [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]);
        assert_eq!(intervals(&policy(2, 30, 1.0), 3), [2.0, 2.0, 2.0]);
        assert_eq!(intervals(&policy(40, 100, 2.0), 4), [40.0, 80.0, 100.0, 100.0]);
        assert_eq!(intervals(&policy(1_000, 7_200, 2.0), 4), [1_000.0, 2_000.0, 4_000.0, 7_200.0], "hours too");
    }

    #[test]
    fn it_never_gives_up_nor_leaves_its_range_in_a_year_of_polls() {
        let policy = BackoffPolicy::default();
        let mut interval = None;
        for _ in 0..1_051_200 {
            let next = policy.after(interval);
            assert!(next >= policy.initial() && next <= policy.max());
            interval = Some(next);
        }
    }

    #[test]
    fn what_was_set_is_what_is_in_force() {
        let policy = BackoffPolicy::new(SECOND, SECOND * 60, 2.5, 0.5).unwrap();
        assert_eq!((policy.initial(), policy.max()), (SECOND, SECOND * 60));
        assert!((policy.multiplier() - 2.5).abs() + (policy.jitter() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn jitter_only_shortens() {
        let policy = BackoffPolicy::new(SECOND, SECOND * 60, 2.0, 0.5).unwrap();
        assert_eq!(policy.jittered(SECOND * 60, 0.0), SECOND * 60);
        assert_eq!(policy.jittered(SECOND * 60, 1.0), SECOND * 30);
        // Neither number has a floating point number of its own.
        for interval in [Duration::from_millis(70_644_700_037_184), Duration::MAX] {
            let policy = BackoffPolicy::new(interval, interval, 2.0, 1e-300).unwrap();
            assert_eq!(policy.jittered(interval, 0.5), interval);
        }
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        let new = BackoffPolicy::new;
        assert_eq!(new(Duration::ZERO, SECOND, 2.0, 0.0), Err(InvalidBackoff::InitialIsZero));
        assert_eq!(new(SECOND * 2, SECOND, 2.0, 0.0), Err(InvalidBackoff::InitialAboveMax));
        for multiplier in [0.0, 0.99, 10.01, f64::NAN, f64::INFINITY] {
            assert_eq!(new(SECOND, SECOND, multiplier, 0.0), Err(InvalidBackoff::Multiplier));
        }
        for jitter in [-0.1, 0.91, f64::NAN] {
            assert_eq!(new(SECOND, SECOND, 2.0, jitter), Err(InvalidBackoff::Jitter));
        }
        assert_eq!(InvalidBackoff::Jitter.to_string(), "jitter must be within 0 and 0.9");
    }

    proptest! {
        #[test]
        fn each_interval_is_at_least_the_one_before(
            initial in 1_u64..100_000, more in 0_u64..1_000_000, multiplier in 1.0_f64..=10.0
        ) {
            let initial = Duration::from_millis(initial);
            let policy = BackoffPolicy::new(initial, initial + Duration::from_millis(more), multiplier, 0.0).unwrap();
            let seen = intervals(&policy, 50);
            prop_assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert_eq!(seen[0], policy.initial().as_secs_f64());
        }
    }
}
