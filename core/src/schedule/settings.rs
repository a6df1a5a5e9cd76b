//! The ceilings that the owner of the quota sets.

use std::fmt;
use std::time::Duration;

/// The most requests per second we allow ourselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Ceilings {
    per_lane: f64,
    per_pool: f64,
    in_flight: usize,
}

/// Whether jobs of one pool are asked for together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Batch {
    /// `ListUserImportJobs` where it costs fewer calls.
    #[default]
    Auto,
    /// `DescribeUserImportJob` only.
    Never,
}

/// When the watch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Never by itself. A job that is refused is asked about slowly, for it may be repaired; a deadline is told
    /// and the job watched on.
    WhenStopped,
    /// When every job is over. A job that is refused or past its policy's deadline counts as over.
    WhenOver {
        /// The most time the watch may take; after one last look at each job it is over. Zero looks once.
        timeout: Option<Duration>,
        /// How long no poll of a job may succeed before it counts as unobservable.
        unobserved: Option<Duration>,
    },
}

impl Ending {
    /// Whether each job is looked at once and no more.
    #[must_use]
    pub fn looks_once(self) -> bool {
        match self {
            Self::WhenStopped => false,
            Self::WhenOver { timeout, .. } => timeout == Some(Duration::ZERO),
        }
    }
}

/// Why numbers make no ceilings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidCeiling {
    /// A rate is not within 0.1 and 10000 requests per second.
    Rate,
    /// No request may be in flight.
    InFlight,
}

impl fmt::Display for InvalidCeiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rate => "a rate must be within 0.1 and 10000 requests per second",
            Self::InFlight => "max_in_flight must be at least 1",
        })
    }
}

impl std::error::Error for InvalidCeiling {}

impl Default for Ceilings {
    /// 5 requests/s per account and region and 2 per pool. Cognito's own quotas are 20 (category
    /// `UserPoolResourceRead`, shared by all callers) and 5 (per pool and operation).
    fn default() -> Self {
        Self { per_lane: 5.0, per_pool: 2.0, in_flight: 16 }
    }
}

impl Ceilings {
    /// Ceilings of these numbers: requests per second of an account and region, of one pool, and requests in
    /// flight in an account and region.
    ///
    /// # Errors
    /// When a rate is not within 0.1 and 10000, or `in_flight` is 0.
    pub fn new(per_lane: f64, per_pool: f64, in_flight: usize) -> Result<Self, InvalidCeiling> {
        let fits = |rate: f64| (0.1..=10_000.0).contains(&rate);
        if !fits(per_lane) || !fits(per_pool) {
            return Err(InvalidCeiling::Rate);
        }
        if in_flight == 0 {
            return Err(InvalidCeiling::InFlight);
        }
        Ok(Self { per_lane, per_pool, in_flight })
    }

    /// Requests per second of one account and region.
    #[must_use]
    pub fn per_lane(&self) -> f64 {
        self.per_lane
    }

    /// Requests per second of one pool.
    #[must_use]
    pub fn per_pool(&self) -> f64 {
        self.per_pool
    }

    /// Requests in flight in one account and region.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        for rate in [0.0, 0.09, 10_000.1, f64::NAN] {
            assert_eq!(Ceilings::new(rate, 1.0, 1), Err(InvalidCeiling::Rate), "{rate}");
            assert_eq!(Ceilings::new(1.0, rate, 1), Err(InvalidCeiling::Rate), "{rate}");
        }
        assert_eq!(Ceilings::new(10_000.0, 0.1, 0), Err(InvalidCeiling::InFlight));
        assert!(Ceilings::new(10_000.0, 0.1, 1).is_ok());
        assert_eq!(InvalidCeiling::InFlight.to_string(), "max_in_flight must be at least 1");
    }

    #[test]
    fn what_was_set_is_what_is_in_force() {
        let ceilings = Ceilings::new(7.5, 2.5, 3).unwrap();
        assert!((ceilings.per_lane() - 7.5).abs() + (ceilings.per_pool() - 2.5).abs() < 1e-9);
        assert_eq!(ceilings.in_flight(), 3);
    }

    #[test]
    fn only_a_timeout_of_zero_looks_once() {
        let over = |timeout| Ending::WhenOver { timeout, unobserved: None };
        let endings = [over(Some(Duration::ZERO)), over(Some(Duration::from_secs(1))), over(None), Ending::WhenStopped];
        assert_eq!(endings.map(Ending::looks_once), [true, false, false, false]);
    }
}
