//! What is counted of the requests of one account and region.
//!
//! Told by the daemon's observer after every poll: a few additions, no lock and no allocation.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cognito_import_watch_core::domain::track::AskedBy;
use cognito_import_watch_core::domain::{AccountId, ErrorKind};

/// The bounds of [`POLL_SECONDS`](super::family::POLL_SECONDS) in seconds, up to the default request timeout.
const BOUNDS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, f64::INFINITY];

/// What was asked, in the order of a scrape.
pub(super) const OPERATIONS: [(AskedBy, &str); 2] = [(AskedBy::Describe, "describe"), (AskedBy::List, "list")];

/// The counters of one account and region.
#[derive(Debug)]
pub struct LaneMeters {
    /// The region.
    pub(super) region: Box<str>,
    account: OnceLock<AccountId>,
    describe: Polls,
    list: Polls,
}

/// The polls of one operation.
#[derive(Debug, Default)]
struct Polls {
    ok: AtomicU64,
    failed: [AtomicU64; ErrorKind::ALL.len()],
    /// Those that took up to each bound and longer than the one before.
    took: [AtomicU64; BOUNDS.len()],
    microseconds: AtomicU64,
}

/// What was counted of one operation, at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PollCounts {
    /// By outcome.
    pub(super) outcomes: [(&'static str, u64); ErrorKind::ALL.len() + 1],
    /// How many took up to each bound and longer than the one before.
    pub(super) took: [(f64, u64); BOUNDS.len()],
    /// How long all of them took, in seconds.
    pub(super) seconds: f64,
}

impl LaneMeters {
    /// Of a region; whose account it is may become known later.
    #[must_use]
    pub fn new(region: &str) -> Self {
        Self { region: region.into(), account: OnceLock::new(), describe: Polls::default(), list: Polls::default() }
    }

    /// The account, as far as it is known.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.account.get()
    }

    /// The account is known now; it stays what it was first said to be.
    pub fn learn(&self, account: AccountId) {
        // A second word about it changes nothing.
        drop(self.account.set(account));
    }

    /// A poll was answered, or failed for a reason of this kind.
    pub fn answered(&self, by: AskedBy, failed: Option<ErrorKind>, took: Duration) {
        let polls = self.of(by);
        let outcome = match failed {
            None => Some(&polls.ok),
            Some(kind) => {
                ErrorKind::ALL.iter().zip(&polls.failed).find(|(known, _)| **known == kind).map(|(_, count)| count)
            }
        };
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().zip(&polls.took).find(|(bound, _)| seconds <= **bound).map(|(_, count)| count);
        for count in outcome.into_iter().chain(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        polls.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub(super) fn counts(&self, by: AskedBy) -> PollCounts {
        let polls = self.of(by);
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut counts = PollCounts::default();
        let failed = ErrorKind::ALL.iter().map(|kind| kind.as_str()).zip(polls.failed.iter().map(read));
        let outcomes = [("ok", read(&polls.ok))].into_iter().chain(failed);
        counts.outcomes.iter_mut().zip(outcomes).for_each(|(to, from)| *to = from);
        let took = BOUNDS.iter().copied().zip(polls.took.iter().map(read));
        counts.took.iter_mut().zip(took).for_each(|(to, from)| *to = from);
        counts.seconds = Duration::from_micros(read(&polls.microseconds)).as_secs_f64();
        counts
    }

    fn of(&self, by: AskedBy) -> &Polls {
        match by {
            AskedBy::Describe => &self.describe,
            AskedBy::List => &self.list,
        }
    }
}

impl PollCounts {
    /// Adds those of another lane of the same account and region.
    pub(super) fn add(&mut self, other: &Self) {
        let outcomes = self.outcomes.iter_mut().zip(other.outcomes);
        outcomes.for_each(|(count, (word, more))| *count = (word, count.1 + more));
        let took = self.took.iter_mut().zip(other.took);
        took.for_each(|(count, (bound, more))| *count = (bound, count.1 + more));
        self.seconds += other.seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_poll_is_counted_once_by_what_became_of_it_and_how_long_it_took() {
        let lane = LaneMeters::new("us-west-2");
        lane.answered(AskedBy::Describe, None, Duration::from_millis(10));
        lane.answered(AskedBy::Describe, None, Duration::from_millis(11));
        for kind in ErrorKind::ALL {
            lane.answered(AskedBy::Describe, Some(kind), Duration::from_secs(60));
        }
        let counts = lane.counts(AskedBy::Describe);
        let outcomes = [("ok", 2), ("throttled", 1), ("transient", 1), ("not_found", 1), ("denied", 1), ("invalid", 1)];
        assert_eq!(counts.outcomes, outcomes);
        assert_eq!((counts.took[0], counts.took[1]), ((0.01, 1), (0.025, 1)));
        assert_eq!(counts.took.last(), Some(&(f64::INFINITY, 5)));
        assert!((counts.seconds - 300.021).abs() < 1e-9);
        let list = lane.counts(AskedBy::List);
        assert_eq!(list.outcomes.map(|(_, count)| count), [0; 6]);
        let mut both = PollCounts::default();
        both.add(&counts);
        both.add(&counts);
        assert_eq!((both.outcomes[0], both.took[10]), (("ok", 4), (f64::INFINITY, 10)));
    }
}
