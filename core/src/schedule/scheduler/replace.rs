//! What is watched is replaced while the scheduler runs: what stays keeps its state, interval and turn.
//!
//! Called by [`Scheduler::handle`] when a config was read again.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Scheduler;
use crate::domain::track::WatchedJob;
use crate::domain::{Target, Tick, UserPoolId};
use crate::schedule::job::State;
use crate::schedule::queue::Item;
use crate::schedule::{LaneIndex, NewJob, NewPool, Now, Replacement};

impl Scheduler {
    pub(super) fn replace(&mut self, new: Replacement, now: Now) {
        self.settings.backoff = new.backoff;
        self.settings.ceilings = new.ceilings;
        for slot in self.lanes.values_mut() {
            slot.lane.set_ceilings(&self.settings.ceilings);
        }
        let mut jobs: HashMap<Target, NewJob> =
            new.jobs.iter().map(|job| (job.job.target.clone(), job.clone())).collect();
        let pools: HashMap<UserPoolId, NewPool> =
            new.pools.iter().map(|pool| (pool.id.clone(), pool.clone())).collect();
        for index in 0..self.jobs.len() {
            let Some(slot) = self.jobs.get(index).filter(|slot| slot.state != State::Gone) else { continue };
            let target = &slot.watched.target;
            let of_pool = |pool: &NewPool| (pool.lane, watched_of_pool(pool, target));
            let stays =
                jobs.remove(target).map(|job| (job.lane, job.job)).or_else(|| pools.get(&target.pool).map(of_pool));
            match stays {
                Some((lane, job)) => self.change_job(index, lane, job, now),
                None => self.drop_job(index),
            }
        }
        // In the order of the config: it is the order in which they are first asked about. Before the pools, so that a
        // new pool that knows the job from before sees that it is watched.
        for job in new.jobs.into_iter().filter(|job| jobs.contains_key(&job.job.target)) {
            self.add_job(job, now);
        }
        self.replace_pools(new.pools, now);
        self.sweep();
    }

    /// Forgets the jobs and pools that are gone: a daemon whose config changes daily must not grow. A place stays, for
    /// its pool may be put back, and its ceiling holds across that.
    fn sweep(&mut self) {
        let jobs = new_numbers(self.jobs.iter().map(|job| job.state != State::Gone));
        let pools = new_numbers(self.pools.iter().map(|pool| !pool.is_gone()));
        self.jobs.retain(|job| job.state != State::Gone);
        self.pools.retain(|pool| !pool.is_gone());
        let renumbered = |item: Item| match item {
            Item::Job(job) => jobs.get(job).copied().flatten().map(Item::Job),
            Item::Pool(pool) => pools.get(pool).copied().flatten().map(Item::Pool),
        };
        let queued = |Reverse((due, item))| Some(Reverse((due, renumbered(item)?)));
        self.agenda = std::mem::take(&mut self.agenda).into_iter().filter_map(queued).collect();
        for place in &mut self.places {
            place.ready = std::mem::take(&mut place.ready).into_iter().filter_map(queued).collect();
            place.watched = place.watched.and_then(|pool| pools.get(pool).copied().flatten());
        }
        // The lane still learns how the requests of what is gone went.
        for (item, ..) in self.in_flight.values_mut() {
            *item = item.and_then(renumbered);
        }
    }

    fn replace_pools(&mut self, pools: Vec<NewPool>, now: Now) {
        let mut pools: Vec<Option<NewPool>> = pools.into_iter().map(Some).collect();
        for slot in self.pools.iter_mut().filter(|slot| !slot.is_gone()) {
            let lane = self.places.get(slot.place).map(|place| place.lane);
            let same = |pool: &Option<NewPool>| {
                pool.as_ref().is_some_and(|pool| pool.id == slot.id && Some(pool.lane) == lane)
            };
            match pools.iter_mut().find(|pool| same(pool)).and_then(Option::take) {
                Some(pool) => slot.change(pool),
                None => {
                    slot.go();
                    if let Some(place) = self.places.get_mut(slot.place) {
                        place.watched = None;
                    }
                }
            }
        }
        for pool in pools.into_iter().flatten() {
            self.add_pool(pool, now);
        }
    }

    /// Takes over what the owner says of a job now. On another account it waits for its turn there.
    fn change_job(&mut self, index: usize, lane: LaneIndex, job: WatchedJob, now: Now) {
        let place = self.place(lane, &job.target.pool);
        let Some(slot) = self.jobs.get_mut(index) else { return };
        let policy_changed = slot.watched.policy != job.policy;
        slot.watched = job;
        let left = slot.place;
        if policy_changed {
            // Whose end is known is over already: it may get another verdict, and is counted no more.
            slot.judge_anew();
        }
        if left == place {
            return;
        }
        slot.lane = lane;
        slot.place = place;
        if let State::Ready(_) = slot.state {
            slot.state = State::Waiting(now.tick);
            self.agenda.push(Reverse((now.tick, Item::Job(index))));
            self.take_out(left, index);
        }
    }

    fn drop_job(&mut self, index: usize) {
        let Some(slot) = self.jobs.get_mut(index) else { return };
        if slot.state.is_open() {
            self.open_jobs -= 1;
        }
        slot.state = State::Gone;
        let place = slot.place;
        self.take_out(place, index);
    }

    fn take_out(&mut self, place: usize, job: usize) {
        if let Some(place) = self.places.get_mut(place) {
            place.ready.retain(|Reverse((_, item)): &Reverse<(Tick, Item)>| *item != Item::Job(job));
        }
    }
}

/// Where those that stay are, once those that do not are gone.
fn new_numbers(stays: impl Iterator<Item = bool>) -> Vec<Option<usize>> {
    let mut next = 0..;
    stays.map(|stays| if stays { next.next() } else { None }).collect()
}

/// A job that was found by its pool, or was named and is no longer.
fn watched_of_pool(pool: &NewPool, target: &Target) -> WatchedJob {
    WatchedJob {
        target: target.clone(),
        name: None,
        account: pool.account.clone(),
        policy: std::sync::Arc::clone(&pool.policy),
        progress_interval: pool.progress_interval,
    }
}
