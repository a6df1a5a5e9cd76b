//! The scheduler: everything that happens comes in as an [`Input`], everything to do goes out as an [`Action`].
//!
//! One heap of due times serves all jobs; what is due waits in its lane until the lane lets it. A job is
//! in one place at a time, so that it is never polled twice at once and never forgotten. What an input costs does not
//! depend on how many jobs sleep.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use super::agenda::{Agenda, Appointment};
use super::job::{JobSlot, JobView, Rhythm, State};
use super::lane::Lane;
use super::message::{Action, Input, LaneIndex, NewJob, NewPool, Now, Settings};
use super::place::{LaneSlot, Place, Sent};
use super::pool::PoolSlot;
use super::settings::Ending;
use super::turn::Class;
use crate::domain::{JobId, PollError, Tick, UserPoolId, Verdict};

/// Decides when to ask what.
#[derive(Debug)]
pub struct Scheduler {
    settings: Settings,
    random: fastrand::Rng,
    lanes: BTreeMap<LaneIndex, LaneSlot>,
    /// When a lane is to be looked at again.
    wakes: BTreeSet<(Tick, LaneIndex)>,
    /// The lanes where something happened that may let a request through.
    touched: BTreeSet<LaneIndex>,
    places: Vec<Place>,
    place_of: HashMap<(LaneIndex, UserPoolId), usize>,
    jobs: Vec<JobSlot>,
    pools: Vec<PoolSlot>,
    agenda: Agenda,
    in_flight: HashMap<u64, Sent>,
    next_id: u64,
    requests: u64,
    open_jobs: usize,
    time: TimeLeft,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeLeft {
    /// Until this time, or without end.
    Until(Option<Tick>),
    /// The last look at each job is under way, until this time.
    Up(Tick),
    /// The time for the last look is up too.
    Ended,
    /// Stopped from outside.
    Stopped,
}

impl Scheduler {
    /// A scheduler with nothing to watch.
    #[must_use]
    pub fn new(settings: Settings, now: Tick) -> Self {
        let end = match settings.ending {
            Ending::WhenStopped => None,
            Ending::WhenOver { timeout, .. } => timeout.map(|timeout| now.plus(timeout)),
        };
        Self {
            random: fastrand::Rng::with_seed(settings.seed),
            settings,
            lanes: BTreeMap::new(),
            wakes: BTreeSet::new(),
            touched: BTreeSet::new(),
            places: Vec::new(),
            place_of: HashMap::new(),
            jobs: Vec::new(),
            pools: Vec::new(),
            agenda: Agenda::default(),
            in_flight: HashMap::new(),
            next_id: 0,
            requests: 0,
            open_jobs: 0,
            time: TimeLeft::Until(end),
        }
    }

    /// Takes in what happened and says what to do.
    #[must_use]
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Wake => {}
            Input::Job(new) => drop(self.add_job(new, now)),
            Input::Pool(new) => self.add_pool(new, now),
            Input::Replace(replacement) => self.replace(*replacement, now),
            Input::Answered { id, result } => self.answered(now, id, result, &mut actions),
            Input::Stop => self.time = TimeLeft::Stopped,
        }
        self.end_of_time(now.tick, &mut actions);
        self.take_due(now.tick);
        self.serve_lanes(now, &mut actions);
        actions
    }

    /// When [`Input::Wake`] is wanted next; `None` while only an answer can change anything.
    #[must_use]
    pub fn next_wake(&self, now: Tick) -> Option<Tick> {
        if self.time == TimeLeft::Stopped || self.is_over() {
            return None;
        }
        // What comes due while every lane is closed is none the earlier for being looked at.
        let open = self.lanes.values().map(|slot| slot.lane.opens_at()).min().unwrap_or(now);
        let due = self.agenda.first().map(|(due, _)| due.max(open));
        let end = match self.time {
            TimeLeft::Until(end) => end,
            TimeLeft::Up(end) => Some(end),
            TimeLeft::Ended | TimeLeft::Stopped => None,
        };
        let lane = self.wakes.first().map(|(at, _)| *at);
        due.into_iter().chain(end).chain(lane).min().map(|at| at.max(now))
    }

    /// Whether every job is over and every pool was read, so that the watch may end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let ends = match self.settings.ending {
            Ending::WhenStopped => false,
            Ending::WhenOver { .. } => true,
        };
        let pools_done = match self.time {
            TimeLeft::Until(_) | TimeLeft::Stopped => self.pools.iter().all(PoolSlot::is_done),
            TimeLeft::Up(_) | TimeLeft::Ended => self.pools.iter().all(PoolSlot::is_over),
        };
        ends && self.open_jobs == 0 && pools_done
    }

    /// Whether a request is on its way.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Requests sent so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// How many jobs are watched, over or not.
    #[must_use]
    pub fn job_count(&self) -> usize {
        self.jobs.iter().filter(|job| job.state != State::Gone).count()
    }

    /// How many of the jobs watched are not over.
    #[must_use]
    pub fn open_jobs(&self) -> usize {
        self.open_jobs
    }

    /// How many pools are watched.
    #[must_use]
    pub fn pool_count(&self) -> usize {
        self.pools.iter().filter(|pool| !pool.is_gone()).count()
    }

    /// The pools whose list could not be read, and why they were given up.
    pub fn pools_given_up(&self) -> impl Iterator<Item = (&UserPoolId, Verdict, Option<&PollError>)> {
        self.pools.iter().filter_map(|pool| {
            let (verdict, error) = pool.given_up()?;
            Some((&pool.id, verdict, error))
        })
    }

    /// The numbers of the jobs, for [`Scheduler::view`]; some may be of jobs that are gone. [`Input::Replace`] numbers
    /// them anew, and nothing else does: a new job gets the next number.
    #[must_use]
    pub fn numbers(&self) -> Range<usize> {
        0..self.jobs.len()
    }

    /// One job as it stands.
    #[must_use]
    pub fn view(&self, job: usize, now: Now) -> Option<JobView> {
        self.view_of(self.jobs.get(job)?, now)
    }

    /// Every job as it stands, in the order they were added.
    pub fn views(&self, now: Now) -> impl Iterator<Item = JobView> {
        self.jobs.iter().filter_map(move |slot| self.view_of(slot, now))
    }

    fn view_of(&self, slot: &JobSlot, now: Now) -> Option<JobView> {
        let place = self.places.get(slot.place()).filter(|_| slot.state != State::Gone)?;
        Some(slot.view(&place.pool, place.lane, now))
    }

    fn place(&mut self, lane: LaneIndex, pool: &UserPoolId) -> usize {
        if let Some(place) = self.place_of.get(&(lane, pool.clone())) {
            return *place;
        }
        let slot = self.lanes.entry(lane).or_insert_with(|| LaneSlot::new(Lane::new(&self.settings.ceilings)));
        let bucket = slot.lane.add_pool();
        let place = self.places.len();
        self.places.push(Place::new(lane, pool.clone(), bucket));
        self.place_of.insert((lane, pool.clone()), place);
        place
    }

    /// Gives the job's index.
    fn add_job(&mut self, new: NewJob, now: Now) -> usize {
        let NewJob { lane, job, known } = new;
        let place = self.place(lane, &job.target.pool);
        let mut slot = JobSlot::new(job, place, now.tick);
        slot.rhythm = Rhythm::New { rank: self.places.get(place).map_or(0, |place| place.crowd.new_jobs()) };
        if let Some(known) = known {
            slot.remember(*known, now);
        }
        match self.time {
            TimeLeft::Up(_) => slot.look_last(),
            TimeLeft::Ended => slot.look_no_more(),
            TimeLeft::Until(_) | TimeLeft::Stopped => {}
        }
        self.more_time_to_look();
        let index = self.jobs.len();
        if slot.state.is_open() {
            self.agenda.push(now.tick, Appointment::Job(index));
        }
        if let Some(place) = self.places.get_mut(place) {
            place.jobs.push(index);
        }
        self.jobs.push(slot);
        self.recount(index);
        index
    }

    fn add_pool(&mut self, new: NewPool, now: Now) {
        let lane = new.lane;
        let place = self.place(lane, &new.id);
        let watched = watched_of(&new.id, &self.places, &self.jobs);
        let index = self.pools.len();
        let mut pool = PoolSlot::new(&new, place, now.tick);
        match self.time {
            TimeLeft::Up(_) => drop(pool.look_last(now.tick, &self.settings.backoff)),
            TimeLeft::Ended => pool.look_no_more(now.tick, &self.settings.backoff),
            TimeLeft::Until(_) | TimeLeft::Stopped => {}
        }
        let jobs = pool.rules.remembered(new, &watched, now.wall);
        self.pools.push(pool);
        self.more_time_to_look();
        if let Some(place) = self.places.get_mut(place) {
            place.watched = Some(index);
        }
        self.agenda.push(now.tick, Appointment::Pool(index));
        for job in jobs {
            self.add_job(job, now);
        }
    }

    /// A watch that only looks once has the time that one more request takes at its pool's ceiling.
    fn more_time_to_look(&mut self) {
        if let TimeLeft::Up(end) = &mut self.time
            && self.settings.ending.looks_once()
        {
            *end = end.plus(Duration::from_secs_f64(1.0 / self.settings.ceilings.per_pool()));
        }
    }

    /// Counts a job among those that share its ceilings, by what it is now.
    fn recount(&mut self, index: usize) {
        let Some(job) = self.jobs.get_mut(index) else { return };
        let class = job.state.is_open().then(|| Class::of(job));
        let was = std::mem::replace(&mut job.counted, class);
        if was == class {
            return;
        }
        let Some(place) = self.places.get_mut(job.place()) else { return };
        let lane = self.lanes.get_mut(&place.lane).map(|slot| &mut slot.crowd);
        for crowd in [Some(&mut place.crowd), lane].into_iter().flatten() {
            if let Some(was) = was {
                crowd.leave(was);
            }
            if let Some(class) = class {
                crowd.enter(class);
            }
        }
        match (was, class) {
            (None, Some(_)) => self.open_jobs += 1,
            (Some(_), None) => self.open_jobs -= 1,
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Ends the watch of every job that is not over: it was interrupted.
    pub fn interrupt(&mut self) {
        for index in 0..self.jobs.len() {
            if let Some(job) = self.jobs.get_mut(index).filter(|job| job.state.is_open()) {
                job.state = State::Over(Verdict::Interrupted);
                self.recount(index);
            }
        }
        self.time = TimeLeft::Stopped;
    }
}

/// The ids of a pool's jobs that are watched, over or not, whoever's quota they use.
fn watched_of(pool: &UserPoolId, places: &[Place], jobs: &[JobSlot]) -> HashSet<JobId> {
    let of_pool = places.iter().enumerate().filter(|(_, place)| place.pool == *pool);
    let at = of_pool.flat_map(|(index, place)| place.jobs.iter().chain(&place.over).map(move |job| (index, *job)));
    let watched = at.filter_map(|(place, job)| Some((place, jobs.get(job)?)));
    let watched = watched.filter(|(place, job)| job.place() == *place && job.state != State::Gone);
    watched.map(|(_, job)| job.id.clone()).collect()
}

mod answer;
mod due;
mod overview;
mod page;
mod replace;
mod send;

pub use overview::{LaneView, PoolView};

#[cfg(test)]
mod tests;
