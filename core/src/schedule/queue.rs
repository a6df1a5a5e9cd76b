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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schedule::Ceilings;

    /// A lane with a place for each of these times, at which a job is due there.
    fn due(seconds: &[u64]) -> (LaneSlot, Vec<Place>) {
        let mut slot = LaneSlot { lane: Lane::new(&Ceilings::default()), places: Vec::new() };
        let place = |(index, seconds): (usize, &u64)| {
            slot.places.push(index);
            let due = Tick::from_start(Duration::from_secs(*seconds));
            let ready = BinaryHeap::from([Reverse((due, Item::Job(index)))]);
            Place { lane: LaneIndex(0), bucket: slot.lane.add_pool(), ready, watched: None }
        };
        let places = seconds.iter().enumerate().map(place).collect();
        (slot, places)
    }

    #[test]
    fn the_longest_due_goes_first_and_of_equals_that_of_the_pool_that_came_first() {
        let (mut slot, mut places) = due(&[2, 1, 1]);
        let now = Tick::from_start(Duration::from_secs(3));
        let order: Vec<Item> =
            std::iter::from_fn(|| next_of(&mut slot, &mut places, now)).map(|(item, ..)| item).collect();
        assert_eq!(order, [Item::Job(1), Item::Job(2), Item::Job(0)]);
    }
}
