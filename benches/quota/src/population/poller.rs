//! Who polls: the scheduler in one of its settings, or a peer.

use cognito_import_watch_core::domain::TargetError;
use cognito_import_watch_core::schedule::{BackoffPolicy, Ceilings};

use crate::ours::{Asking, Ours, Scene};
use crate::peer::{Begin, Peer};
use crate::record::Record;
use crate::time::SECOND;

/// Requests per second of a lane and of a pool.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Of an account and region.
    pub lane: f64,
    /// Of a pool.
    pub pool: f64,
}

/// The scheduler's own ceilings.
pub const DEFAULT: Rates = Rates { lane: 5.0, pool: 2.0 };

/// All that the service allows.
pub const FULL: Rates = Rates { lane: 20.0, pool: 5.0 };

impl Rates {
    /// What both allow together where so many pools are watched.
    #[must_use]
    pub fn over(self, pools: usize) -> f64 {
        self.lane.min(self.pool * pools as f64)
    }

    fn ceilings(self) -> Ceilings {
        // A rate outside the range of a ceiling is a mistake in a population; the defaults show it in every figure.
        Ceilings::new(self.lane, self.pool, 16).unwrap_or_default()
    }
}

/// Somebody who watches all jobs of a scene.
#[derive(Clone, Debug)]
pub enum Poller {
    /// The scheduler.
    Ours(Ours),
    /// Each job by itself.
    Peer(Peer),
}

impl Poller {
    /// The scheduler with its default intervals.
    #[must_use]
    pub fn ours(rates: Rates, asking: Asking) -> Self {
        Self::Ours(Ours { ceilings: rates.ceilings(), asking, ..Ours::default() })
    }

    /// What people use, in the order of the tables.
    #[must_use]
    pub fn peers() -> [(&'static str, Self); 5] {
        [
            ("fixed 30 s", Self::Peer(Peer::Fixed(30 * SECOND))),
            ("fixed 5 s", Self::Peer(Peer::Fixed(5 * SECOND))),
            ("per job, `backoff`'s defaults", Self::Peer(Peer::BackoffDefaults)),
            ("per job, our intervals", Self::Peer(Peer::PerJob(BackoffPolicy::default()))),
            ("AWS waiter, 2 to 120 s", Self::Peer(Peer::Waiter)),
        ]
    }

    /// Watches a scene. Peers begin as told; the scheduler is always given all jobs at once.
    #[must_use]
    pub fn run(&self, scene: Scene, begin: Begin) -> Record {
        match self {
            Self::Ours(ours) => ours.run(scene),
            Self::Peer(peer) => peer.run(scene, begin),
        }
    }
}

/// The notes of one poller on several runs, one for each seed, taken together.
///
/// # Errors
/// When a scene cannot be made.
pub fn merged(
    poller: &Poller,
    begin: Begin,
    seeds: u64,
    scene: impl Fn(u64) -> Result<Scene, TargetError>,
) -> Result<Record, TargetError> {
    let mut record = poller.run(scene(1)?, begin);
    for seed in 2..=seeds {
        record.merge(&poller.run(scene(seed)?, begin));
    }
    Ok(record)
}
