//! What the scheduler shows of accounts, regions and pools as they stand, for whoever watches the watcher.
//!
//! Called when somebody asks; what it costs grows with the pools, not with the jobs.

use std::collections::BTreeSet;

use super::Scheduler;
use crate::domain::{ErrorKind, Tick, UserPoolId};
use crate::schedule::LaneIndex;

/// An account and region as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneView {
    /// Which one.
    pub lane: LaneIndex,
    /// The rate it has now: its own, or that of its pools together if that is less.
    pub requests_per_second: f64,
    /// The same where no throttle cuts it.
    pub max_requests_per_second: f64,
    /// Requests on their way.
    pub in_flight: usize,
    /// Whether a throttle cut the rate that is not back yet.
    pub is_throttled: bool,
}

/// A pool that is watched as a whole, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolView<'a> {
    /// Which one.
    pub pool: &'a UserPoolId,
    /// Why its list could not be read the last time; `None` when it could, or was not read yet.
    pub failing: Option<ErrorKind>,
}

impl Scheduler {
    /// The accounts and regions where something is watched.
    pub fn lanes(&self, now: Tick) -> impl Iterator<Item = LaneView> {
        let used = self.places.iter().filter(|place| place.is_used()).map(|place| place.lane);
        let used: BTreeSet<LaneIndex> = used.collect();
        self.lanes.iter().filter(move |(index, _)| used.contains(index)).map(move |(index, slot)| LaneView {
            lane: *index,
            requests_per_second: slot.lane.rate(now),
            max_requests_per_second: slot.lane.ceiling(),
            in_flight: slot.lane.in_flight(),
            is_throttled: slot.lane.is_cut(),
        })
    }

    /// Whether anything is left to ask of this account and region: it has a job that is not over, or a pool that is read.
    /// Where there is not, only an input that brings in more changes that.
    #[must_use]
    pub fn has_questions(&self, lane: LaneIndex) -> bool {
        let is_there = |place: usize| self.places.get(place).is_some_and(|place| place.lane == lane);
        self.lanes.get(&lane).is_some_and(|slot| slot.crowd.size() > 0)
            || self.pools.iter().any(|pool| !pool.is_over() && is_there(pool.place))
    }

    /// The pools that are watched as a whole.
    pub fn pools(&self) -> impl Iterator<Item = PoolView<'_>> {
        let watched = self.pools.iter().filter(|pool| !pool.is_gone());
        watched.map(|pool| PoolView { pool: &pool.id, failing: pool.failing() })
    }
}
