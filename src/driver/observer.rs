//! Whom the loop tells what happens.
//!
//! Each command that watches jobs has one: `run` keeps and tells, `wait` shows.

use std::time::Duration;

use cognito_import_watch_core::domain::track::AskedBy;
use cognito_import_watch_core::domain::{JobEvent, Memory, PollError, Tick, UserPoolId};
use cognito_import_watch_core::schedule::{JobView, LaneIndex, News, Now, Question, RateChange, Scheduler};

use crate::signal::Signal;
use crate::source::BoxFuture;

/// A request that was answered: with jobs, or with why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll<'a> {
    /// Whose quota it used.
    pub lane: LaneIndex,
    /// What was asked.
    pub by: AskedBy,
    /// From sending it to the answer.
    pub took: Duration,
    /// Why it showed nothing; `None` when it did.
    pub error: Option<&'a PollError>,
}

/// Where what happens goes. Nothing here may block or ask anything back.
pub trait Observer {
    /// A poll of a job was answered, or failed. `memory` says whether what is kept of the job is out of date.
    fn observed(&mut self, job: &JobView, events: &[JobEvent], memory: Memory, now: Now);

    /// A request was answered. What it brought is told after this.
    fn answered(&mut self, _poll: Poll<'_>) {}

    /// From now on these lanes are asked, and no others.
    fn lanes_changed(&mut self, _lanes: &[LaneIndex]) {}

    /// All that came in was handled; now something else is waited for.
    fn waits(&self, _scheduler: &Scheduler) {}

    /// What a request has to wait for: an answer about a job must be kept before the next one can take its place.
    fn before(&mut self, _question: &Question) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// A pool's list could not be read; `next_poll` is `None` when it is given up.
    fn pool_failed(&mut self, pool: &UserPoolId, error: &PollError, next_poll: Option<Duration>, news: News);

    /// A pool's list can be read again, after a failure that was told.
    fn pool_recovered(&mut self, pool: &UserPoolId);

    /// The list of a pool that is not watched as a whole could not be read: its jobs are asked about one by one.
    fn list_failed(&mut self, pool: &UserPoolId, error: &PollError);

    /// The rate of a lane was cut, or is back.
    fn rate_changed(&mut self, lane: LaneIndex, change: RateChange);

    /// We were asked to stop, or to do something else.
    fn signalled(&mut self, signal: Signal, scheduler: &Scheduler, now: Now);

    /// When [`Observer::wake`] is wanted next.
    fn wakes_at(&self) -> Option<Tick> {
        None
    }

    /// The time of [`Observer::wakes_at`] has come.
    fn wake(&mut self, _scheduler: &Scheduler, _now: Now) {}
}
