//! What a page of a pool's list changes: the jobs on it are observed, and new ones found.
//!
//! Called with the answers to list requests.

use std::collections::HashMap;

use super::{Scheduler, watched_of};
use crate::domain::track::{AskedBy, Outcome};
use crate::domain::{ErrorKind, JobId, PollError, Tick};
use crate::schedule::agenda::Appointment;
use crate::schedule::job::{State, Timing};
use crate::schedule::place::Held;
use crate::schedule::pool::{PoolPage, PoolState, Then};
use crate::schedule::reader::{Finds, Seat};
use crate::schedule::{Action, Batch, NewJob, Now};

impl Scheduler {
    pub(super) fn page_read(&mut self, now: Now, place: usize, sent: Tick, page: PoolPage, actions: &mut Vec<Action>) {
        let Some(slot) = self.places.get_mut(place) else { return };
        if page.next.is_some() && page.next.as_deref() == slot.reader.token() {
            return self.page_failed(now, place, goes_round(), actions);
        }
        let first = slot.reader.page(page.jobs.len(), page.next.clone());
        if slot.reader.finds() == Finds::Jobs {
            self.find_jobs(now, place, &page, actions);
        }
        self.observe_page(now, place, sent, first, page, actions);
        let Some(slot) = self.places.get(place) else { return };
        if slot.reader.reads_on(self.expects(place)) {
            self.read_on(place);
        } else {
            self.end_reading(now, place);
        }
    }

    /// Watches the jobs of a page that nobody knew.
    fn find_jobs(&mut self, now: Now, place: usize, page: &PoolPage, actions: &mut Vec<Action>) {
        let Some(slot) = self.places.get(place) else { return };
        let watched = watched_of(&slot.pool, &self.places, &self.jobs);
        let is_watched = |id: &JobId| watched.contains(id);
        let Some(slot) = self.places.get_mut(place) else { return };
        let Some(index) = slot.watched else { return };
        let Some(pool) = self.pools.get_mut(index) else { return };
        let lane = slot.lane;
        let found = pool.page(page, is_watched, now, &self.settings.backoff, self.random.f64());
        if found.recovered {
            actions.push(Action::PoolRecovered { pool: pool.id.clone() });
        }
        match found.then {
            Then::ReadOn => {}
            Then::At(at) => {
                slot.reader.found_all();
                self.agenda.push(at, Appointment::Pool(index));
            }
            Then::End => slot.reader.found_all(),
        }
        self.more_time_to_look();
        for job in found.jobs {
            self.add_job(NewJob { lane, job, known: None }, now);
        }
    }

    /// Observes the jobs of a page; the first of them has `first` newer ones before it.
    fn observe_page(
        &mut self,
        now: Now,
        place: usize,
        sent: Tick,
        first: u32,
        page: PoolPage,
        actions: &mut Vec<Action>,
    ) {
        let (Batch::Auto, Some(slot)) = (self.settings.batch, self.places.get(place)) else { return };
        let mut shown: HashMap<JobId, (u32, _)> =
            (first..).zip(page.jobs).map(|(seat, (job, snapshot))| (job, (seat, snapshot))).collect();
        let is_shown = |index: &usize| {
            let job = self.jobs.get(*index).filter(|job| job.state.is_open())?;
            Some((*index, shown.remove(&job.id)?))
        };
        let seen: Vec<_> = slot.jobs.iter().filter_map(is_shown).collect();
        for (index, (seat, snapshot)) in seen {
            let Some(job) = self.jobs.get_mut(index) else { continue };
            job.seat = Seat::At(seat);
            let is_known = job.past().track.known().is_some();
            let timing = match job.state {
                // It was taken out of the config and put back meanwhile: what is known of it may be newer.
                _ if is_known && job.asked > sent => continue,
                State::Expected(_) => Timing::Due,
                // It was asked about alone meanwhile, or is being.
                _ if job.past().track.newest().is_some_and(|newest| newest > sent) => continue,
                State::InFlight | State::Over(_) | State::Gone => continue,
                State::Ready(_) => Timing::Due,
                State::Waiting(_) => Timing::Early,
            };
            let outcome = Outcome::Seen { snapshot, date: page.date, by: AskedBy::List };
            self.observed(now, index, sent, outcome, timing, actions);
        }
    }

    /// How many jobs the list has still to show: none, where the owner wants no lists any more.
    fn expects(&self, place: usize) -> usize {
        if self.settings.batch == Batch::Never {
            return 0;
        }
        let jobs = self.places.get(place).into_iter().flat_map(|place| &place.jobs);
        let is_expected = |job: &&usize| matches!(self.jobs.get(**job).map(|job| job.state), Some(State::Expected(_)));
        jobs.filter(is_expected).count()
    }

    /// Jobs that the list should have shown and did not are asked about alone.
    fn end_reading(&mut self, now: Now, place: usize) {
        let Some(slot) = self.places.get_mut(place) else { return };
        let seat = slot.reader.end();
        self.is_read(now, place, Some(seat));
    }

    /// Ends the readings whose next page is not asked for yet and that nobody needs any more: what is watched changed.
    pub(super) fn drop_readings(&mut self, now: Now) {
        for place in 0..self.places.len() {
            let is_needed = self.expects(place) > 0;
            let Some(slot) = self.places.get_mut(place) else { continue };
            if slot.page.is_some() && slot.reader.finds() == Finds::Nothing && !is_needed {
                slot.page = None;
                slot.reader.end();
                self.is_read(now, place, None);
            }
        }
    }

    /// What waited for a reading goes on: jobs that it did not show, those that are worth a list of their own, and the
    /// pool, where it came due meanwhile.
    fn is_read(&mut self, now: Now, place: usize, seat: Option<Seat>) {
        let Some(slot) = self.places.get_mut(place) else { return };
        slot.held = Held::default();
        self.ask_alone(place, seat);
        let pool = self.places.get(place).and_then(|place| place.watched);
        if let Some(index) = pool
            && let Some(pool) = self.pools.get_mut(index)
            && pool.state == PoolState::Due
        {
            pool.state = PoolState::Waiting(now.tick);
            self.agenda.push(now.tick, Appointment::Pool(index));
        }
    }

    pub(super) fn page_failed(&mut self, now: Now, place: usize, error: PollError, actions: &mut Vec<Action>) {
        let Some(slot) = self.places.get_mut(place) else { return };
        let finds = slot.reader.finds();
        slot.reader.failed(error.kind, now.tick);
        let pool = slot.watched.filter(|_| finds == Finds::Jobs);
        match pool.and_then(|index| Some((index, self.pools.get_mut(index)?))) {
            Some((index, pool)) => {
                let (next, news) = pool.failed(error.clone(), now.tick, &self.settings.backoff, self.settings.ending);
                if let Some(at) = next {
                    self.agenda.push(at, Appointment::Pool(index));
                }
                let next_poll = next.map(|at| at.since(now.tick));
                actions.push(Action::PoolFailed { pool: pool.id.clone(), error, next_poll, news });
            }
            None => actions.push(Action::ListFailed { pool: slot.pool.clone(), error }),
        }
        self.is_read(now, place, None);
    }

    /// Has the jobs that a list should have shown wait for their turn again.
    fn ask_alone(&mut self, place: usize, seat: Option<Seat>) {
        let jobs = self.places.get(place).map(|place| place.jobs.clone()).unwrap_or_default();
        for index in jobs {
            let Some(job) = self.jobs.get_mut(index) else { continue };
            if let State::Expected(due) = job.state {
                job.seat = seat.unwrap_or(job.seat);
                self.queue_job(index, due);
            }
        }
    }
}

/// The error of a list whose next page is the one that was asked for.
fn goes_round() -> PollError {
    PollError::new(ErrorKind::Transient, "the list goes round: its next page is the one it was asked for")
}
