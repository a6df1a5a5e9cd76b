//! What is watched is replaced while the scheduler runs: what stays keeps its state, interval and turn.
//!
//! Called by [`Scheduler::handle`] when a config was read again.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Scheduler;
use crate::domain::track::WatchedJob;
use crate::domain::{Target, UserPoolId};
use crate::schedule::job::State;
use crate::schedule::place::{Appointment, Item};
use crate::schedule::reader::Seat;
use crate::schedule::{LaneIndex, NewJob, NewPool, Now, Replacement};

impl Scheduler {
    pub(super) fn replace(&mut self, new: Replacement, now: Now) {
        self.settings.backoff = new.backoff;
        self.settings.ceilings = new.ceilings;
        self.settings.batch = new.batch;
        for (index, slot) in &mut self.lanes {
            slot.lane.set_ceilings(&self.settings.ceilings);
            self.touched.insert(*index);
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
        let job = |index: usize| jobs.get(index).copied().flatten();
        let pool = |index: usize| pools.get(index).copied().flatten();
        let renumbered = |appointment: Appointment| match appointment {
            Appointment::Job(index) => job(index).map(Appointment::Job),
            Appointment::Pool(index) => pool(index).map(Appointment::Pool),
        };
        let kept = |Reverse((due, appointment))| Some(Reverse((due, renumbered(appointment)?)));
        self.agenda = std::mem::take(&mut self.agenda).into_iter().filter_map(kept).collect();
        for place in &mut self.places {
            place.renumber(job);
            place.watched = place.watched.and_then(pool);
        }
        for lane in self.lanes.values_mut() {
            let kept = |(due, index)| Some((due, job(index)?));
            lane.coming = std::mem::take(&mut lane.coming).into_iter().filter_map(kept).collect();
        }
        // The lane still learns how the requests of what is gone went.
        for sent in self.in_flight.values_mut() {
            sent.item = sent.item.and_then(|item| match item {
                Item::Job(index) => job(index).map(Item::Job),
                Item::Page(_) => Some(item),
            });
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
                        place.reader.found_all();
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
        if policy_changed {
            // Whose end is known is over already: it may get another verdict, and is counted no more.
            slot.judge_anew();
        }
        if slot.place == place {
            self.recount(index);
            return;
        }
        let goes_on = std::mem::replace(&mut slot.state, State::Gone);
        self.recount(index);
        let Some(slot) = self.jobs.get_mut(index) else { return };
        slot.lane = lane;
        slot.place = place;
        slot.seat = Seat::Behind(0);
        slot.state = match goes_on {
            State::Ready(_) | State::Expected(_) => State::Waiting(now.tick),
            State::Waiting(_) | State::InFlight | State::Over(_) | State::Gone => goes_on,
        };
        if slot.state == State::Waiting(now.tick) {
            self.agenda.push(Reverse((now.tick, Appointment::Job(index))));
        }
        if let Some(place) = self.places.get_mut(place) {
            place.jobs.push(index);
        }
        self.recount(index);
    }

    fn drop_job(&mut self, index: usize) {
        let Some(slot) = self.jobs.get_mut(index) else { return };
        slot.state = State::Gone;
        self.recount(index);
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
