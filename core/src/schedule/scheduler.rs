//! The scheduler: everything that happens comes in as an [`Input`], everything to do goes out as an [`Action`].
//!
//! One heap of due times serves all jobs; a job that is due waits in its lane until the lane lets it. A job is
//! in one place at a time, so that it is never polled twice at once and never forgotten.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::time::Duration;

use super::job::{JobSlot, JobView, State};
use super::lane::Lane;
use super::message::{Action, Input, LaneIndex, NewJob, NewPool, Now, Question, Request, Settings};
use super::pool::{PoolSlot, PoolState};
use super::queue::{Item, LaneSlot, Place, next_of};
use super::settings::Ending;
use crate::domain::{JobId, Memory, PollError, Tick, UserPoolId, Verdict};

/// How long the last look at all jobs may take after the time is up; what is not looked at by then is decided by
/// what is known. A watch that only looks once has the time besides that its pools' ceiling asks for.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// Decides when to ask what.
#[derive(Debug)]
pub struct Scheduler {
    settings: Settings,
    random: fastrand::Rng,
    lanes: BTreeMap<LaneIndex, LaneSlot>,
    places: Vec<Place>,
    place_of: HashMap<(LaneIndex, UserPoolId), usize>,
    jobs: Vec<JobSlot>,
    pools: Vec<PoolSlot>,
    agenda: BinaryHeap<Reverse<(Tick, Item)>>,
    /// What is on its way, unless nobody watches it any more, since when, and on which place's account.
    in_flight: HashMap<u64, (Option<Item>, Tick, usize)>,
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
            places: Vec::new(),
            place_of: HashMap::new(),
            jobs: Vec::new(),
            pools: Vec::new(),
            agenda: BinaryHeap::new(),
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
            Input::Job(new) => self.add_job(new, now),
            Input::Pool(new) => self.add_pool(new, now),
            Input::Replace(replacement) => self.replace(*replacement, now),
            Input::Answered { id, result } => self.answered(now, id, result, &mut actions),
            Input::Stop => self.time = TimeLeft::Stopped,
        }
        self.end_of_time(now.tick, &mut actions);
        self.take_due(now.tick);
        self.send(now.tick, &mut actions);
        for (index, slot) in &mut self.lanes {
            actions.extend(slot.lane.change(now.tick, now.wall).map(|change| Action::RateChanged(*index, change)));
        }
        actions
    }

    /// When [`Input::Wake`] is wanted next; `None` while only an answer can change anything.
    #[must_use]
    pub fn next_wake(&self, now: Tick) -> Option<Tick> {
        if self.time == TimeLeft::Stopped || self.is_over() {
            return None;
        }
        let due = self.agenda.peek().map(|Reverse((due, _))| *due);
        let end = match self.time {
            TimeLeft::Until(end) => end,
            TimeLeft::Up(end) => Some(end),
            TimeLeft::Ended | TimeLeft::Stopped => None,
        };
        let lanes = self.lanes.values().flat_map(|slot| {
            let ready = slot
                .places
                .iter()
                .filter_map(|place| self.places.get(*place))
                .filter(|place| !place.ready.is_empty())
                .filter_map(|place| slot.lane.ready_at(now, place.bucket))
                .min();
            ready.into_iter().chain(slot.lane.recovers_at(now))
        });
        due.into_iter().chain(end).chain(lanes).min()
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

    /// One job as it stands.
    #[must_use]
    pub fn view(&self, job: usize, now: Now) -> Option<JobView<'_>> {
        self.jobs.get(job).filter(|slot| slot.state != State::Gone).map(|slot| slot.view(now))
    }

    /// Every job as it stands, in the order they were added.
    pub fn views(&self, now: Now) -> impl Iterator<Item = JobView<'_>> {
        self.jobs.iter().filter(|slot| slot.state != State::Gone).map(move |slot| slot.view(now))
    }

    fn place(&mut self, lane: LaneIndex, pool: &UserPoolId) -> usize {
        if let Some(place) = self.place_of.get(&(lane, pool.clone())) {
            return *place;
        }
        let slot = self
            .lanes
            .entry(lane)
            .or_insert_with(|| LaneSlot { lane: Lane::new(&self.settings.ceilings), places: Vec::new() });
        let bucket = slot.lane.add_pool();
        let place = self.places.len();
        slot.places.push(place);
        self.places.push(Place { lane, bucket, ready: BinaryHeap::new(), watched: None });
        self.place_of.insert((lane, pool.clone()), place);
        place
    }

    fn add_job(&mut self, new: NewJob, now: Now) {
        let NewJob { lane, job, known } = new;
        let place = self.place(lane, &job.target.pool);
        if let Some(pool) = self.places.get(place).and_then(|place| place.watched)
            && let Some(pool) = self.pools.get_mut(pool)
        {
            pool.note(&job.target.job);
        }
        let mut slot = JobSlot::new(job, lane, place, now.tick);
        if let Some(known) = known {
            slot.remember(*known, now);
        }
        match self.time {
            TimeLeft::Up(_) => slot.look_last(),
            TimeLeft::Ended => slot.look_no_more(),
            TimeLeft::Until(_) | TimeLeft::Stopped => {}
        }
        self.more_time_to_look();
        if slot.state.is_open() {
            self.agenda.push(Reverse((now.tick, Item::Job(self.jobs.len()))));
            self.open_jobs += 1;
        }
        self.jobs.push(slot);
    }

    fn add_pool(&mut self, new: NewPool, now: Now) {
        let lane = new.lane;
        let place = self.place(lane, &new.id);
        let of_pool = |slot: &&JobSlot| slot.place == place && slot.state != State::Gone;
        let watched: HashSet<JobId> =
            self.jobs.iter().filter(of_pool).map(|slot| slot.watched.target.job.clone()).collect();
        let mut remembered = new.known.clone();
        remembered.retain(|(job, _)| !watched.contains(job));
        let noted = remembered.iter().map(|(job, _)| job.clone()).chain(watched);
        let index = self.pools.len();
        let mut pool = PoolSlot::new(new, place, now.tick, noted);
        match self.time {
            TimeLeft::Up(_) => drop(pool.look_last(now.tick, &self.settings.backoff)),
            TimeLeft::Ended => pool.look_no_more(now.tick, &self.settings.backoff),
            TimeLeft::Until(_) | TimeLeft::Stopped => {}
        }
        let jobs: Vec<NewJob> = remembered
            .into_iter()
            .filter(|(_, track)| track.known().is_none_or(|known| pool.wanted(known, now.wall)))
            .map(|(job, track)| NewJob { lane, job: pool.job(job), known: Some(Box::new(track)) })
            .collect();
        self.pools.push(pool);
        self.more_time_to_look();
        if let Some(place) = self.places.get_mut(place) {
            place.watched = Some(index);
        }
        self.agenda.push(Reverse((now.tick, Item::Pool(index))));
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

    /// When the watch's time is up, every job gets one last look, at once; the time for that is bounded too.
    fn end_of_time(&mut self, now: Tick, actions: &mut Vec<Action>) {
        match self.time {
            TimeLeft::Until(Some(end)) if end <= now => {
                self.time = TimeLeft::Up(now.plus(LAST_LOOK));
                for (index, job) in self.jobs.iter_mut().enumerate() {
                    job.look_last();
                    if let State::Waiting(_) = job.state {
                        job.state = State::Waiting(now);
                        self.agenda.push(Reverse((now, Item::Job(index))));
                    }
                }
                for (index, pool) in self.pools.iter_mut().enumerate() {
                    let look = pool.look_last(now, &self.settings.backoff);
                    self.agenda.extend(look.map(|at| Reverse((at, Item::Pool(index)))));
                }
            }
            TimeLeft::Up(end) if end <= now => {
                self.time = TimeLeft::Ended;
                for (index, job) in self.jobs.iter_mut().enumerate() {
                    job.look_no_more();
                    match job.state {
                        State::Waiting(_) | State::Ready(_) => {
                            job.state = State::Over(job.unseen_at_the_end(now, &self.settings.backoff));
                            self.open_jobs -= 1;
                            actions.push(Action::Observed { job: index, events: Vec::new(), memory: Memory::Holds });
                        }
                        State::InFlight | State::Over(_) | State::Gone => {}
                    }
                }
                for pool in &mut self.pools {
                    pool.look_no_more(now, &self.settings.backoff);
                }
            }
            TimeLeft::Until(_) | TimeLeft::Up(_) | TimeLeft::Ended | TimeLeft::Stopped => {}
        }
    }

    /// Moves what is due from the agenda to its lane.
    fn take_due(&mut self, now: Tick) {
        while let Some(Reverse((due, item))) = self.agenda.peek().copied() {
            if due > now {
                break;
            }
            self.agenda.pop();
            let place = match item {
                Item::Job(index) => match self.jobs.get_mut(index) {
                    // An entry that was overtaken by an earlier one of the same job is passed over.
                    Some(job) if job.state == State::Waiting(due) => {
                        job.state = State::Ready(due);
                        job.place
                    }
                    Some(_) | None => continue,
                },
                Item::Pool(index) => match self.pools.get_mut(index) {
                    Some(pool) if pool.state == PoolState::Waiting(due) => {
                        pool.state = PoolState::Ready;
                        pool.place
                    }
                    Some(_) | None => continue,
                },
            };
            if let Some(place) = self.places.get_mut(place) {
                place.ready.push(Reverse((due, item)));
            }
        }
    }

    /// Sends what the lanes let through, the longest due first.
    fn send(&mut self, now: Tick, actions: &mut Vec<Action>) {
        if self.time == TimeLeft::Stopped {
            return;
        }
        for (index, slot) in &mut self.lanes {
            while let Some((item, bucket, place)) = next_of(slot, &mut self.places, now) {
                let question = match item {
                    // What is not asked about any more since it was due is passed over.
                    Item::Job(job) => self.jobs.get_mut(job).filter(|job| job.is_ready()).map(|job| {
                        job.state = State::InFlight;
                        job.polls += 1;
                        Question::Describe(job.watched.target.clone())
                    }),
                    Item::Pool(pool) => {
                        self.pools.get_mut(pool).filter(|pool| pool.state == PoolState::Ready).map(|pool| {
                            pool.state = PoolState::InFlight;
                            Question::List { pool: pool.id.clone(), token: pool.token().map(str::to_owned) }
                        })
                    }
                };
                let Some(question) = question else { continue };
                slot.lane.take(now, bucket);
                let id = self.next_id;
                self.next_id += 1;
                self.requests += 1;
                self.in_flight.insert(id, (Some(item), now, place));
                actions.push(Action::Send(Request { id, lane: *index, question }));
            }
        }
    }

    /// Ends the watch of every job that is not over: it was interrupted.
    pub fn interrupt(&mut self) {
        for job in &mut self.jobs {
            match job.state {
                State::Waiting(_) | State::Ready(_) | State::InFlight => job.state = State::Over(Verdict::Interrupted),
                State::Over(_) | State::Gone => {}
            }
        }
        self.open_jobs = 0;
        self.time = TimeLeft::Stopped;
    }
}

mod answer;
mod replace;

#[cfg(test)]
mod tests;
