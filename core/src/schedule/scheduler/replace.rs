//! What is watched is replaced while the scheduler runs: what stays keeps its state, interval and turn.
//!
//! Called by [`Scheduler::handle`] when a config was read again.

use std::collections::HashMap;

use super::{Scheduler, watched_of};
use crate::domain::{Target, UserPoolId, Verdict, WatchedJob};
use crate::schedule::agenda::Appointment;
use crate::schedule::job::State;
use crate::schedule::place::Item;
use crate::schedule::reader::Seat;
use crate::schedule::rules::PoolRules;
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
            let Some(place) = self.places.get(slot.place()) else { continue };
            let target = &slot.target(&place.pool);
            let past = slot.past();
            let known = past.track.known();
            // By its pool it was found, or is now that it is named no longer.
            let of_pool = pools.get(&target.pool).filter(|pool| known.is_none_or(|job| pool.filter.wants_name(job)));
            let named = jobs.remove(target).map(|job| (job.lane, job.job));
            let stays =
                named.or_else(|| of_pool.map(|pool| (pool.lane, PoolRules::of(pool).job(target.clone(), known))));
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
        self.drop_readings(now);
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
        self.agenda.renumber(renumbered);
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
        let mut remembered = Vec::new();
        for (index, slot) in self.pools.iter_mut().enumerate().filter(|(_, slot)| !slot.is_gone()) {
            let lane = self.places.get(slot.place).map(|place| place.lane);
            let same = |pool: &Option<NewPool>| {
                pool.as_ref().is_some_and(|pool| pool.id == slot.id && Some(pool.lane) == lane)
            };
            match pools.iter_mut().find(|pool| same(pool)).and_then(Option::take) {
                Some(pool) => {
                    let other_jobs = pool.filter != slot.rules.filter;
                    if let Some(again) = slot.change(&pool, now.tick) {
                        self.agenda.push(again, Appointment::Pool(index));
                    }
                    if other_jobs {
                        let watched = watched_of(&slot.id, &self.places, &self.jobs);
                        remembered.extend(slot.rules.remembered(pool, &watched, now.wall));
                    }
                }
                None => {
                    slot.go();
                    if let Some(place) = self.places.get_mut(slot.place) {
                        place.watched = None;
                        place.reader.found_all();
                    }
                }
            }
        }
        for job in remembered {
            self.add_job(job, now);
        }
        for pool in pools.into_iter().flatten() {
            self.add_pool(pool, now);
        }
    }

    /// Takes over what the owner says of a job now. On another account it waits for its turn there.
    fn change_job(&mut self, index: usize, lane: LaneIndex, job: WatchedJob, now: Now) {
        let place = self.place(lane, &job.target.pool);
        let Some(slot) = self.jobs.get_mut(index) else { return };
        let policy_changed = slot.terms.policy != job.terms.policy;
        slot.terms = job.terms;
        if policy_changed {
            // Whose end is known is over already: it may get another verdict, and is counted no more.
            slot.judge_anew();
        }
        if slot.place() == place {
            self.ask_again(index, place, now);
            self.recount(index);
            return;
        }
        let goes_on = std::mem::replace(&mut slot.state, State::Gone);
        let left = slot.place();
        self.recount(index);
        let Some(slot) = self.jobs.get_mut(index) else { return };
        slot.move_to(place);
        slot.seat = Seat::Behind(0);
        slot.state = match goes_on {
            State::Ready(_) | State::Expected(_) => State::Waiting(now.tick),
            State::Waiting(_) | State::InFlight | State::Over(_) | State::Gone => goes_on,
        };
        if slot.state == State::Waiting(now.tick) {
            self.agenda.push(now.tick, Appointment::Job(index));
        }
        if let Some(left) = self.places.get_mut(left) {
            left.jobs.retain(|job| *job != index);
        }
        if let Some(place) = self.places.get_mut(place) {
            place.jobs.push(index);
        }
        self.recount(index);
    }

    /// Has a job asked about at once that is refused, or was given up for that: it may have been repaired.
    fn ask_again(&mut self, index: usize, place: usize, now: Now) {
        let Some(slot) = self.jobs.get_mut(index).filter(|slot| slot.is_refused()) else { return };
        match slot.state {
            State::Waiting(_) => {}
            State::Over(Verdict::AccessDenied | Verdict::NotFound | Verdict::Invalid) => {
                if let Some(place) = self.places.get_mut(place) {
                    place.jobs.retain(|job| *job != index);
                    place.over.retain(|job| *job != index);
                    place.jobs.push(index);
                }
            }
            State::Over(_) | State::Ready(_) | State::InFlight | State::Expected(_) | State::Gone => return,
        }
        slot.state = State::Waiting(now.tick);
        self.agenda.push(now.tick, Appointment::Job(index));
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
