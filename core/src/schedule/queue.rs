//! What is due in a lane, and which of it goes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::LaneIndex;
use super::lane::{Lane, PoolBucket};
use crate::domain::Tick;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    Job(usize),
    Pool(usize),
}

/// A pool's place in its lane, with what is due there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) lane: LaneIndex,
    pub(super) bucket: PoolBucket,
    pub(super) ready: BinaryHeap<Reverse<(Tick, Item)>>,
    pub(super) watched: Option<usize>,
}

/// A lane and its places.
#[derive(Debug)]
pub(super) struct LaneSlot {
    pub(super) lane: Lane,
    pub(super) places: Vec<usize>,
}

/// The longest due item that the lane lets through now, taken out of its queue. Of pools whose items are due
/// since the same time the one asked longest ago comes first, so that their queues end together.
pub(super) fn next_of(slot: &mut LaneSlot, places: &mut [Place], now: Tick) -> Option<(Item, PoolBucket, usize)> {
    let mut best: Option<(Tick, Tick, Item, usize)> = None;
    for index in &slot.places {
        let Some(place) = places.get(*index) else { continue };
        let Some(Reverse((due, item))) = place.ready.peek() else { continue };
        let allowed = slot.lane.ready_at(now, place.bucket).is_some_and(|at| at <= now);
        let order = (*due, slot.lane.pool_ready_at(place.bucket));
        if allowed && best.is_none_or(|(best_due, best_ready, ..)| order < (best_due, best_ready)) {
            best = Some((order.0, order.1, *item, *index));
        }
    }
    let (.., item, index) = best?;
    let place = places.get_mut(index)?;
    place.ready.pop();
    Some((item, place.bucket, index))
}
