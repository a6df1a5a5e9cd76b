//! What time alone brings: jobs and pools that are due, and the end of the watch.
//!
//! Called by [`Scheduler::handle`] after every input.

use std::time::Duration;

use super::{Scheduler, TimeLeft};
use crate::domain::{Memory, Tick};
use crate::schedule::Action;
use crate::schedule::agenda::Appointment;
use crate::schedule::job::{JobSlot, State};
use crate::schedule::pool::{PoolSlot, PoolState};
use crate::schedule::reader::{Depth, Finds};
use crate::schedule::turn::{Class, Round, Share, Standing, Turn};

/// How long the last look at all jobs may take after the time is up; what is not looked at by then is decided by
/// what is known. A watch that only looks once has the time besides that its pools' ceiling asks for.
const LAST_LOOK: Duration = Duration::from_secs(10);

impl Scheduler {
    /// When the watch's time is up, every job gets one last look, at once; the time for that is bounded too.
    pub(super) fn end_of_time(&mut self, now: Tick, actions: &mut Vec<Action>) {
        match self.time {
            TimeLeft::Until(Some(end)) if end <= now => {
                self.time = TimeLeft::Up(now.plus(LAST_LOOK));
                for (index, job) in self.jobs.iter_mut().enumerate() {
                    job.look_last();
                    if let State::Waiting(_) = job.state {
                        job.state = State::Waiting(now);
                        self.agenda.push(now, Appointment::Job(index));
                    }
                }
                for (index, pool) in self.pools.iter_mut().enumerate() {
                    let look = pool.look_last(now, &self.settings.backoff);
                    if let Some(at) = look {
                        self.agenda.push(at, Appointment::Pool(index));
                    }
                }
                self.stop_finding();
            }
            TimeLeft::Up(end) if end <= now => {
                self.time = TimeLeft::Ended;
                for index in 0..self.jobs.len() {
                    let Some(job) = self.jobs.get_mut(index) else { continue };
                    job.look_no_more();
                    match job.state {
                        State::Waiting(_) | State::Ready(_) | State::Expected(_) => {
                            job.state = State::Over(job.past().unseen_at_the_end(now, &self.settings.backoff));
                            self.recount(index);
                            actions.push(Action::Observed { job: index, events: Vec::new(), memory: Memory::Holds });
                        }
                        State::InFlight | State::Over(_) | State::Gone => {}
                    }
                }
                for pool in &mut self.pools {
                    pool.look_no_more(now, &self.settings.backoff);
                }
                self.stop_finding();
            }
            TimeLeft::Until(_) | TimeLeft::Up(_) | TimeLeft::Ended | TimeLeft::Stopped => {}
        }
    }

    /// Readings that go on do so for their jobs alone, where the pool is not read any more.
    fn stop_finding(&mut self) {
        for pool in self.pools.iter().filter(|pool| pool.is_over()) {
            if let Some(place) = self.places.get_mut(pool.place) {
                place.reader.found_all();
            }
        }
    }

    /// Moves what is due from the agenda to its lane.
    pub(super) fn take_due(&mut self, now: Tick) {
        let (jobs, pools) = (&self.jobs, &self.pools);
        if self.agenda.is_crowded(jobs.len() + pools.len()) {
            self.agenda.retain(|due, appointment| holds(jobs, pools, due, appointment));
        }
        while let Some((due, appointment)) = self.agenda.first() {
            let holds = holds(&self.jobs, &self.pools, due, appointment);
            // An appointment that another one took the place of is dropped, also when it is not due: it wakes nobody.
            if holds && due > now {
                break;
            }
            self.agenda.pop();
            match appointment {
                Appointment::Job(index) if holds => self.queue_job(index, due),
                Appointment::Pool(index) if holds => self.pool_is_due(index, due, now),
                Appointment::Job(_) | Appointment::Pool(_) => {}
            }
        }
    }

    /// Notes when a job that moves is due, so that its lane is free then.
    pub(super) fn expect(&mut self, index: usize) {
        let Some(job) = self.jobs.get(index) else { return };
        let (State::Waiting(due), Some(Class::Moving)) = (job.state, job.counted) else { return };
        let lane = self.places.get(job.place()).map(|place| place.lane);
        if let Some(lane) = lane.and_then(|lane| self.lanes.get_mut(&lane)) {
            lane.coming.insert((due, index));
        }
    }

    /// Forgets when a job is due that is asked about before, or is shown before by a list.
    pub(super) fn expect_no_more(&mut self, index: usize) {
        let Some(job) = self.jobs.get(index) else { return };
        let (State::Waiting(due) | State::Expected(due)) = job.state else { return };
        let lane = self.places.get(job.place()).map(|place| place.lane);
        if let Some(lane) = lane.and_then(|lane| self.lanes.get_mut(&lane)) {
            lane.coming.remove(&(due, index));
        }
    }

    /// Has a job wait for its lane; it is due since `due`.
    pub(super) fn queue_job(&mut self, index: usize, due: Tick) {
        let Some(job) = self.jobs.get_mut(index) else { return };
        job.state = State::Ready(due);
        self.recount(index);
        let Some(job) = self.jobs.get(index) else { return };
        let (Some(class), Some(place)) = (job.counted, self.places.get_mut(job.place())) else { return };
        place.queue(class, job.asked, index);
        self.is_busy(job.place());
    }

    /// Has the next page of a place's list wait for its turn.
    pub(super) fn queue_page(&mut self, place: usize, turn: Turn) {
        if let Some(slot) = self.places.get_mut(place) {
            slot.page = Some(turn);
            self.is_busy(place);
        }
    }

    fn is_busy(&mut self, place: usize) {
        let Some(slot) = self.places.get(place) else { return };
        if let Some(lane) = self.lanes.get_mut(&slot.lane) {
            lane.busy.insert(place);
        }
        self.touched.insert(slot.lane);
    }

    /// What decides about the turns of a place.
    pub(super) fn standing(&self, place: usize) -> Option<Standing> {
        let place = self.places.get(place)?;
        let lane = self.lanes.get(&place.lane)?;
        let (ceilings, backoff) = (&self.settings.ceilings, &self.settings.backoff);
        let pool = Share(&place.crowd, ceilings.per_pool());
        let interval = backoff.jittered(backoff.max(), 1.0);
        Some(Standing {
            round: Round::of(pool, Share(&lane.crowd, ceilings.per_lane()), interval),
            spacing: Duration::from_secs_f64(1.0 / ceilings.per_pool()),
            size: place.crowd.size(),
            phase: lane.lane.phase(place.bucket),
        })
    }

    fn pool_is_due(&mut self, index: usize, due: Tick, now: Tick) {
        let Some(pool) = self.pools.get_mut(index) else { return };
        let place = pool.place;
        let Some(slot) = self.places.get(place) else { return };
        if slot.reader.is_idle() {
            pool.state = PoolState::Reading;
            self.begin_reading(place, Turn::of_pool(due), now, Depth::of(0), Finds::Jobs);
        } else {
            pool.state = PoolState::Due;
        }
    }
}

/// Whether what was planned for a time is still to be done then.
fn holds(jobs: &[JobSlot], pools: &[PoolSlot], due: Tick, appointment: Appointment) -> bool {
    match appointment {
        Appointment::Job(index) => jobs.get(index).is_some_and(|job| job.state == State::Waiting(due)),
        Appointment::Pool(index) => pools.get(index).is_some_and(|pool| pool.state == PoolState::Waiting(due)),
    }
}
