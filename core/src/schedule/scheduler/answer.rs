//! What an answer changes: the lane learns how the request went, the job or the pool what it showed.
//!
//! Called by [`Scheduler::handle`].

use std::time::Duration;

use super::Scheduler;
use crate::domain::track::{AskedBy, Observation, Outcome, Pace};
use crate::domain::{ErrorKind, JobFact, PollError, Tick};
use crate::schedule::agenda::Appointment;
use crate::schedule::job::{Lists, Next, State, Timing};
use crate::schedule::lane::{Operation, Passage};
use crate::schedule::place::{Item, Sent};
use crate::schedule::{Action, Now, PollResult};

impl Scheduler {
    pub(super) fn answered(&mut self, now: Now, id: u64, result: PollResult, actions: &mut Vec<Action>) {
        let Some(request) = self.in_flight.remove(&id) else { return };
        self.pay_back(request, now.tick, &result);
        let sent = request.permit.sent;
        let Some(item) = request.item else { return };
        match item {
            Item::Job(job) => {
                let outcome = match result {
                    PollResult::Job(snapshot, date) => Outcome::Seen { snapshot, date, by: AskedBy::Describe },
                    PollResult::Failed(error) => Outcome::Failed(error),
                    PollResult::Page(_) => Outcome::Failed(another_answer()),
                };
                self.observed(now, job, sent, outcome, Timing::Due, actions);
            }
            Item::Page(place) => match result {
                PollResult::Page(page) => self.page_read(now, place, sent, page, actions),
                PollResult::Failed(error) => self.page_failed(now, place, error, actions),
                PollResult::Job(..) => self.page_failed(now, place, another_answer(), actions),
            },
        }
    }

    /// Tells the lane how the request went.
    fn pay_back(&mut self, request: Sent, now: Tick, result: &PollResult) {
        let Some(place) = self.places.get(request.place) else { return };
        let Some(slot) = self.lanes.get_mut(&place.lane) else { return };
        let passage = match result {
            PollResult::Job(..) | PollResult::Page(_) => Passage::Through,
            PollResult::Failed(error) => Passage::of_failure(error),
        };
        slot.lane.answered(now, request.permit, passage);
        self.touched.insert(place.lane);
    }

    pub(super) fn observed(
        &mut self,
        now: Now,
        index: usize,
        sent: Tick,
        outcome: Outcome,
        timing: Timing,
        actions: &mut Vec<Action>,
    ) {
        let Some(job) = self.jobs.get_mut(index) else { return };
        let Some(place) = self.places.get(job.place()) else { return };
        let by = match &outcome {
            Outcome::Seen { by, .. } => *by,
            Outcome::Failed(_) => AskedBy::Describe,
        };
        let good = match &outcome {
            Outcome::Seen { snapshot, date, .. } => Some((snapshot.created_at, date.unwrap_or(now.wall))),
            Outcome::Failed(_) => None,
        };
        let mut past = job.past();
        let step =
            past.track.step(&job.watched(&place.pool), Observation { sent, arrived: now.tick, at: now.wall, outcome });
        let is_doubted = matches!(step.pace, Pace::AskAgain(_));
        match (by, is_doubted) {
            // Said before, and asked about alone since.
            (AskedBy::List, true) if job.lists == Lists::Behind => return,
            (AskedBy::List, true) => job.lists = Lists::Behind,
            (AskedBy::List, false) => job.lists = Lists::Trusted,
            (AskedBy::Describe, _) => {}
        }
        self.expect_no_more(index);
        let Some(job) = self.jobs.get_mut(index) else { return };
        if let Some((created, service_now)) = good {
            past.seen(now.tick, created, service_now);
        }
        past.track = step.next;
        job.keep(&past);
        let mut events = step.events;
        let random = self.random.f64();
        let next =
            job.next(&past, step.pace, timing, sent, now.tick, &self.settings.backoff, self.settings.ending, random);
        let next_poll = match next {
            Next::At(at) => {
                job.state = State::Waiting(at);
                self.agenda.push(at, Appointment::Job(index));
                Some(at.since(now.tick))
            }
            Next::WhenAllowed(due) => {
                self.queue_job(index, due);
                Some(self.wait_for_lane(index, now.tick))
            }
            Next::Over(verdict) => {
                job.state = State::Over(verdict);
                None
            }
        };
        self.recount(index);
        self.expect(index);
        for event in &mut events {
            if let JobFact::PollFailed { next_poll: told, .. } = &mut event.fact {
                *told = next_poll;
            }
        }
        actions.push(Action::Observed { job: index, events, memory: step.memory });
    }

    /// How long the lane has a throttled job wait at the least.
    fn wait_for_lane(&self, index: usize, now: Tick) -> Duration {
        let place = self.jobs.get(index).and_then(|job| self.places.get(job.place()));
        let ready = place.and_then(|place| {
            let lane = &self.lanes.get(&place.lane)?.lane;
            lane.ready_at(now, place.bucket, Operation::Describe)
        });
        ready.map_or(Duration::ZERO, |at| at.since(now))
    }
}

/// The error of a request that was answered with the answer to another one.
fn another_answer() -> PollError {
    PollError::new(ErrorKind::Transient, "the answer was about something else")
}
