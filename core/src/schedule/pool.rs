//! One watched pool: which of the jobs that its list shows are to be watched, and when its list is read again.

mod state;

use std::collections::HashSet;
use std::time::Duration;

use super::BackoffPolicy;
use super::job::{Look, SLOW, is_fresh};
use super::rules::PoolRules;
use super::settings::Ending;
use crate::domain::track::ASK_AGAIN;
use crate::domain::{
    ErrorKind, JobId, JobSnapshot, PollError, Target, Tick, Timestamp, UserPoolId, Verdict, WatchedJob,
};
pub(super) use state::PoolState;
use state::{Begun, Gone, Read, Until};

/// One page of ListUserImportJobs, newest job first.
#[derive(Clone, Debug)]
pub struct PoolPage {
    /// The jobs on it.
    pub jobs: Vec<(JobId, JobSnapshot)>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
    /// The `Date` of the answer.
    pub date: Option<Timestamp>,
}

/// Whether a failure to read a list is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The second in a row, of a kind that was not told in this episode, or the end of the watch.
    Tell,
    /// Told before, or perhaps gone the next time.
    Keep,
}

/// A pool whose jobs are found by itself.
#[derive(Debug)]
pub(super) struct PoolSlot {
    pub(super) id: UserPoolId,
    pub(super) place: usize,
    pub(super) state: PoolState,
    pub(super) rules: PoolRules,
    /// The newest job that the last whole reading showed, and the one that this reading did.
    newest: Option<JobId>,
    newest_now: Option<JobId>,
    read: Read,
    until: Until,
    begun: Begun,
    look: Look,
    interval: Option<Duration>,
    added: Tick,
    last_good: Option<Tick>,
    failing: Option<Failing>,
    gone: Gone,
}

/// An unbroken row of failures.
#[derive(Clone, Debug)]
struct Failing {
    error: PollError,
    streak: u32,
    failures: u32,
    told: Vec<ErrorKind>,
}

/// What a page brought, and what to do after it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) jobs: Vec<WatchedJob>,
    pub(super) then: Then,
    /// Whether a failure had been told that is over now.
    pub(super) recovered: bool,
}

/// What to do after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Behind it there may be more that is new.
    ReadOn,
    /// Begin again at this time.
    At(Tick),
    /// That was the last time.
    End,
}

impl PoolSlot {
    pub(super) fn new(new: &super::NewPool, place: usize, now: Tick) -> Self {
        Self {
            rules: PoolRules::of(new),
            id: new.id.clone(),
            place,
            state: PoolState::Waiting(now),
            newest: None,
            newest_now: None,
            read: Read::Never,
            until: Until::TheEnd,
            begun: Begun::SinceChange,
            look: Look::Usual,
            interval: None,
            added: now,
            last_good: None,
            failing: None,
            gone: Gone::No,
        }
    }

    /// Whether the pool is no longer watched.
    pub(super) fn is_gone(&self) -> bool {
        self.gone == Gone::Yes
    }

    /// Why its list could not be read the last time.
    pub(super) fn failing(&self) -> Option<ErrorKind> {
        self.failing.as_ref().map(|failing| failing.error.kind)
    }

    /// From here on the pool is no longer watched, nor read.
    pub(super) fn go(&mut self) {
        self.gone = Gone::Yes;
        self.state = PoolState::Over(None);
    }

    /// Takes over what its owner says of it now. What was read of it stays, unless other jobs are wanted now: then the
    /// list is read again, to its end. So is one that could not be read, for that may have been repaired. Says when.
    pub(super) fn change(&mut self, new: &super::NewPool, now: Tick) -> Option<Tick> {
        let rules = PoolRules::of(new);
        let other_jobs = rules.filter != self.rules.filter;
        self.rules = rules;
        if other_jobs {
            self.read = Read::Never;
            self.until = Until::TheEnd;
        }
        match self.state {
            PoolState::Waiting(_) if other_jobs || self.failing.is_some() => {}
            PoolState::Over(Some(_)) => {}
            PoolState::Reading | PoolState::InFlight if other_jobs => {
                self.begun = Begun::BeforeChange;
                return None;
            }
            PoolState::Waiting(_)
            | PoolState::Due
            | PoolState::Reading
            | PoolState::InFlight
            | PoolState::Over(None) => return None,
        }
        self.end_reading(Until::TheEnd);
        self.state = PoolState::Waiting(now);
        Some(now)
    }

    /// Whether the list was read to its end once, or is not read any more.
    pub(super) fn is_done(&self) -> bool {
        self.read == Read::Once || self.is_over()
    }

    /// Whether the list is not read any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, PoolState::Over(_))
    }

    /// Why the pool's jobs could not be found, and the last failure.
    pub(super) fn given_up(&self) -> Option<(Verdict, Option<&PollError>)> {
        match self.state {
            PoolState::Over(verdict) => Some((verdict?, self.failing.as_ref().map(|failing| &failing.error))),
            PoolState::Waiting(_) | PoolState::Due | PoolState::Reading | PoolState::InFlight => None,
        }
    }

    /// Whether its list may be read now without being early: half of the time to the next reading is over.
    pub(super) fn is_soon(&self, now: Tick) -> bool {
        match self.state {
            PoolState::Waiting(at) => {
                let read = self.last_good.unwrap_or(self.added);
                self.failing.is_none() && read.plus(at.since(read) / 2) <= now
            }
            PoolState::Due => true,
            PoolState::Reading | PoolState::InFlight | PoolState::Over(_) => false,
        }
    }

    /// How many pages a reading that begins now goes through at the least: all, or the newest.
    pub(super) fn pages_to_read(&self) -> u32 {
        match self.until {
            Until::TheEnd => u32::MAX,
            Until::AKnownJob => 1,
        }
    }

    /// The watch's time is up: a list that was never read gets one last look, one that was needs none.
    /// Says when to look.
    pub(super) fn look_last(&mut self, now: Tick, backoff: &BackoffPolicy) -> Option<Tick> {
        self.look = Look::Last;
        match (self.state, self.read) {
            (PoolState::Waiting(_) | PoolState::Due | PoolState::Reading, Read::Once) => {
                self.state = PoolState::Over(self.verdict_at_the_end(now, backoff));
                None
            }
            (PoolState::Waiting(_), Read::Never) => {
                self.state = PoolState::Waiting(now);
                Some(now)
            }
            (PoolState::Due | PoolState::Reading, Read::Never) | (PoolState::InFlight | PoolState::Over(_), _) => None,
        }
    }

    /// The time for the last look is up too.
    pub(super) fn look_no_more(&mut self, now: Tick, backoff: &BackoffPolicy) {
        self.look = Look::Final;
        match self.state {
            PoolState::Waiting(_) | PoolState::Due | PoolState::Reading => {
                self.state = PoolState::Over(self.verdict_at_the_end(now, backoff));
            }
            PoolState::InFlight | PoolState::Over(_) => {}
        }
    }

    /// What it means that the watch ends now.
    fn verdict_at_the_end(&self, now: Tick, backoff: &BackoffPolicy) -> Option<Verdict> {
        let failed = match self.failing.as_ref().map(|failing| failing.error.kind) {
            Some(ErrorKind::NotFound) => Verdict::NotFound,
            Some(ErrorKind::Denied) => Verdict::AccessDenied,
            Some(ErrorKind::Invalid) => Verdict::Invalid,
            Some(ErrorKind::Throttled | ErrorKind::Transient) => Verdict::Unobservable,
            None => return (self.read == Read::Never).then_some(Verdict::Unobservable),
        };
        let is_known = self.read == Read::Once && self.last_good.is_some_and(|good| is_fresh(good, now, backoff));
        (!is_known).then_some(failed)
    }

    /// The reading failed; the next one begins at the newest job and goes to the end. As with a job, a refusal is
    /// asked for once more before it counts. Says when to read again, if ever, and whether to tell.
    pub(super) fn failed(
        &mut self,
        error: PollError,
        now: Tick,
        backoff: &BackoffPolicy,
        ending: Ending,
    ) -> (Option<Tick>, News) {
        self.end_reading(Until::TheEnd);
        let (kind, streak, told) = self.note_failure(error);
        let refused = match kind {
            ErrorKind::Throttled | ErrorKind::Transient => None,
            ErrorKind::NotFound => Some(Verdict::NotFound),
            ErrorKind::Denied => Some(Verdict::AccessDenied),
            ErrorKind::Invalid => Some(Verdict::Invalid),
        };
        let over = match (ending, refused) {
            (Ending::WhenStopped, _) => None,
            (Ending::WhenOver { .. }, Some(_)) if streak < 2 => None,
            (Ending::WhenOver { .. }, Some(verdict)) => Some(Some(verdict)),
            (Ending::WhenOver { unobserved, .. }, None) => self.time_is_up(kind, now, backoff, unobserved),
        };
        if let Some(verdict) = over {
            self.state = PoolState::Over(verdict);
            return (None, News::Tell);
        }
        let at = match (kind, refused) {
            (ErrorKind::Throttled, _) => now,
            (_, Some(_)) if streak < 2 => now.plus(ASK_AGAIN),
            (_, Some(_)) => now.plus(SLOW),
            (_, None) => {
                let interval = backoff.after(self.interval);
                self.interval = Some(interval);
                now.plus(interval)
            }
        };
        self.state = PoolState::Waiting(at);
        (Some(at), told)
    }

    fn note_failure(&mut self, error: PollError) -> (ErrorKind, u32, News) {
        let kind = error.kind;
        let failing = self.failing.get_or_insert_with(|| Failing {
            error: error.clone(),
            streak: 0,
            failures: 0,
            told: Vec::new(),
        });
        failing.failures = failing.failures.saturating_add(1);
        failing.streak = if failing.error.kind == kind { failing.streak.saturating_add(1) } else { 1 };
        failing.error = error;
        if failing.streak < 2 || failing.told.contains(&kind) {
            return (kind, failing.streak, News::Keep);
        }
        failing.told.push(kind);
        (kind, failing.streak, News::Tell)
    }

    /// The verdict where the watch of this pool ends with a failure that may pass: the outer `None` is "not yet".
    fn time_is_up(
        &self,
        kind: ErrorKind,
        now: Tick,
        backoff: &BackoffPolicy,
        unobserved: Option<Duration>,
    ) -> Option<Option<Verdict>> {
        match (self.look, kind) {
            (Look::Last, ErrorKind::Throttled) => None,
            (Look::Last | Look::Final, _) => Some(self.verdict_at_the_end(now, backoff)),
            (Look::Usual, _) => {
                let unseen = now.since(self.last_good.unwrap_or(self.added));
                // As with a job, a single failure after a long silence proves nothing.
                let again = self.failing.as_ref().is_some_and(|failing| failing.failures > 1);
                (again && unobserved.is_some_and(|limit| unseen >= limit)).then_some(Some(Verdict::Unobservable))
            }
        }
    }

    /// The jobs of a page that are new to us: not among those that `is_watched`. `random` is within 0 and 1.
    pub(super) fn page(
        &mut self,
        page: &PoolPage,
        is_watched: impl Fn(&JobId) -> bool,
        now: super::Now,
        backoff: &BackoffPolicy,
        random: f64,
    ) -> Found {
        let date = page.date.unwrap_or(now.wall);
        let mut shown = HashSet::new();
        let is_new = |id: &JobId, snapshot: &JobSnapshot| !is_watched(id) && self.wants(snapshot, date);
        let new = page.jobs.iter().filter(|(id, snapshot)| is_new(id, snapshot) && shown.insert(id));
        let jobs = new.map(|(id, snapshot)| self.job(id.clone(), Some(snapshot))).collect();
        let met_known = page.jobs.iter().any(|(id, _)| Some(id) == self.newest.as_ref());
        if self.newest_now.is_none() {
            self.newest_now = page.jobs.first().map(|(id, _)| id.clone());
        }
        self.last_good = Some(now.tick);
        // Newest come first.
        let known_from_here = met_known && self.until == Until::AKnownJob;
        let then = if page.next.is_some() && !known_from_here {
            Then::ReadOn
        } else if self.begun == Begun::BeforeChange {
            self.end_reading(Until::TheEnd);
            Then::At(now.tick)
        } else {
            self.read = Read::Once;
            self.newest = self.newest_now.take().or(self.newest.take());
            self.end_reading(Until::AKnownJob);
            match self.look {
                Look::Usual => Then::At(now.tick.plus(backoff.jittered(backoff.max(), random))),
                Look::Last | Look::Final => Then::End,
            }
        };
        // One that breaks off at its second page every time is no reading.
        let recovered = then != Then::ReadOn && self.failing.take().is_some_and(|failing| !failing.told.is_empty());
        if then != Then::ReadOn {
            self.interval = None;
        }
        self.state = match then {
            Then::ReadOn => PoolState::Reading,
            Then::At(at) => PoolState::Waiting(at),
            Then::End => PoolState::Over(None),
        };
        Found { jobs, then, recovered }
    }

    fn end_reading(&mut self, until: Until) {
        self.newest_now = None;
        self.begun = Begun::SinceChange;
        self.until = until;
    }

    /// One of its jobs; `known` is what is known of it.
    pub(super) fn job(&self, job: JobId, known: Option<&JobSnapshot>) -> WatchedJob {
        self.rules.job(Target { pool: self.id.clone(), job }, known)
    }

    /// Whether a job that is not watched is to be.
    pub(super) fn wants(&self, job: &JobSnapshot, now: Timestamp) -> bool {
        self.rules.filter.wants(job, now)
    }
}
