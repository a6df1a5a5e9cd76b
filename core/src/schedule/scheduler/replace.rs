//! What is watched is replaced while the scheduler runs: what stays keeps its state, interval and turn.
//!
//! Called by [`Scheduler::handle`] when a config was read again.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Scheduler;
use crate::domain::track::WatchedJob;
use crate::domain::{Target, UserPoolId};
use crate::schedule::job::State;
use crate::schedule::place::Appointment;
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
        self.replace_pools(new.pools, now);
        // In the order of the config: it is the order in which they are first asked about.
        for job in new.jobs.into_iter().filter(|job| jobs.contains_key(&job.job.target)) {
            self.add_job(job, now);
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
            slot.judge_anew(now);
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
