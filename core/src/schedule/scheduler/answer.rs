//! What an answer changes: the lane learns how the request went, the job or the pool what it showed.
//!
//! Called by [`Scheduler::handle`].

use std::cmp::Reverse;
use std::time::Duration;

use super::Scheduler;
use crate::domain::track::{AskedBy, Observation, Outcome};
use crate::domain::{ErrorKind, JobFact, PollError, Tick};
use crate::schedule::job::{Next, State};
use crate::schedule::pool::PoolPage;
use crate::schedule::queue::Item;
use crate::schedule::{Action, NewJob, Now, PollResult};

impl Scheduler {
    pub(super) fn answered(&mut self, now: Now, id: u64, result: PollResult, actions: &mut Vec<Action>) {
        let Some((item, sent, place)) = self.in_flight.remove(&id) else { return };
        self.pay_back(place, sent, now.tick, &result);
        let Some(item) = item else { return };
        match (item, result) {
            (Item::Job(job), PollResult::Job(snapshot, date)) => {
                let outcome = Outcome::Seen { snapshot, date, by: AskedBy::Describe };
                self.observed(now, job, sent, outcome, actions);
            }
            (Item::Job(job), PollResult::Failed(error)) => {
                self.observed(now, job, sent, Outcome::Failed(error), actions);
            }
            (Item::Job(job), PollResult::Page(_)) => {
                let error = PollError::new(ErrorKind::Transient, "the answer was about something else");
                self.observed(now, job, sent, Outcome::Failed(error), actions);
            }
            (Item::Pool(pool), PollResult::Page(page)) => self.page_read(now, pool, page, actions),
            (Item::Pool(pool), PollResult::Failed(error)) => self.page_failed(now, pool, error, actions),
            (Item::Pool(pool), PollResult::Job(..)) => {
                let error = PollError::new(ErrorKind::Transient, "the answer was about something else");
                self.page_failed(now, pool, error, actions);
            }
        }
    }

    /// Tells the lane how the request went.
    fn pay_back(&mut self, place: usize, sent: Tick, now: Tick, result: &PollResult) {
        let Some(place) = self.places.get(place) else { return };
        let Some(slot) = self.lanes.get_mut(&place.lane) else { return };
        slot.lane.answered(now, place.bucket, sent);
        if let PollResult::Failed(PollError { kind: ErrorKind::Throttled, retry_after, .. }) = result {
            slot.lane.throttled(now, place.bucket, sent, *retry_after);
        }
    }

    fn observed(&mut self, now: Now, index: usize, sent: Tick, outcome: Outcome, actions: &mut Vec<Action>) {
        let Some(job) = self.jobs.get_mut(index) else { return };
        if let Outcome::Seen { snapshot, date, .. } = &outcome {
            job.seen(now.tick, snapshot, date.unwrap_or(now.wall));
        }
        let step = job.track.step(&job.watched, Observation { sent, arrived: now.tick, at: now.wall, outcome });
        job.track = step.next;
        let mut events = step.events;
        let random = self.random.f64();
        let next = job.next(step.pace, sent, now.tick, &self.settings.backoff, self.settings.ending, random);
        let next_poll = match next {
            Next::At(at) => {
                job.state = State::Waiting(at);
                self.agenda.push(Reverse((at, Item::Job(index))));
                Some(at.since(now.tick))
            }
            Next::WhenAllowed(due) => {
                job.state = State::Ready(due);
                Some(self.wait_for_lane(index, due, now.tick))
            }
            Next::Over(verdict) => {
                job.state = State::Over(verdict);
                self.open_jobs -= 1;
                None
            }
        };
        for event in &mut events {
            if let JobFact::PollFailed { next_poll: told, .. } = &mut event.fact {
                *told = next_poll;
            }
        }
        actions.push(Action::Observed { job: index, events, memory: step.memory });
    }

    /// Puts a throttled job back into its lane; it keeps its turn.
    fn wait_for_lane(&mut self, index: usize, due: Tick, now: Tick) -> Duration {
        let Some(place) = self.jobs.get(index).map(|job| job.place).and_then(|place| self.places.get_mut(place)) else {
            return Duration::ZERO;
        };
        place.ready.push(Reverse((due, Item::Job(index))));
        self.lanes
            .get(&place.lane)
            .and_then(|slot| slot.lane.ready_at(now, place.bucket))
            .map_or(Duration::ZERO, |at| at.since(now))
    }

    fn page_read(&mut self, now: Now, index: usize, page: PoolPage, actions: &mut Vec<Action>) {
        let Some(pool) = self.pools.get_mut(index) else { return };
        let found = pool.page(page, now, &self.settings.backoff, self.random.f64());
        if found.recovered {
            actions.push(Action::PoolRecovered { pool: pool.id.clone() });
        }
        let place = pool.place;
        self.agenda.extend(found.next.map(|at| Reverse((at, Item::Pool(index)))));
        self.more_time_to_look();
        let Some(lane) = self.places.get(place).map(|place| place.lane) else { return };
        for job in found.jobs {
            self.add_job(NewJob { lane, job, known: None }, now);
        }
    }

    fn page_failed(&mut self, now: Now, index: usize, error: PollError, actions: &mut Vec<Action>) {
        let Some(pool) = self.pools.get_mut(index) else { return };
        let (next, news) = pool.failed(error.clone(), now.tick, &self.settings.backoff, self.settings.ending);
        self.agenda.extend(next.map(|at| Reverse((at, Item::Pool(index)))));
        let next_poll = next.map(|at| at.since(now.tick));
        actions.push(Action::PoolFailed { pool: pool.id.clone(), error, next_poll, news });
    }
}
