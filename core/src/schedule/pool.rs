//! One watched pool: which of the jobs that its list shows are to be watched.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::settings::Ending;
use crate::domain::track::WatchedJob;
use crate::domain::{AccountId, ErrorKind, JobId, JobPolicy, JobSnapshot, Target, Timestamp, UserPoolId, Verdict};

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

/// A pool whose jobs are found by itself.
#[derive(Debug)]
pub(super) struct PoolSlot {
    pub(super) id: UserPoolId,
    pub(super) place: usize,
    account: Option<AccountId>,
    policy: Arc<JobPolicy>,
    progress_interval: Duration,
    ignore_completed_before: Duration,
    known: HashSet<JobId>,
    token: Option<String>,
    read: Read,
    last_failure: Option<ErrorKind>,
    given_up: Option<Verdict>,
    gone: Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    No,
    /// The pool is no longer watched.
    Yes,
}

/// How far the list was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// Never to its end.
    Never,
    /// Once to its end.
    Once,
}

/// When to read the list again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PoolPace {
    /// As soon as the lane lets us.
    AtOnce,
    /// Once more, before the refusal counts.
    Soon,
    /// After the first interval.
    Usual,
    /// Slowly: it may be repaired.
    Slow,
    /// Never again.
    GivenUp,
}

/// What to do after a page.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) jobs: Vec<WatchedJob>,
    pub(super) more: More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// The next page belongs to the same reading.
    NextPage,
    /// This reading is done.
    Done,
}

impl PoolSlot {
    pub(super) fn new(new: super::NewPool, place: usize, known: HashSet<JobId>) -> Self {
        Self {
            id: new.id,
            place,
            account: new.account,
            policy: new.policy,
            progress_interval: new.progress_interval,
            ignore_completed_before: new.ignore_completed_before,
            known,
            token: None,
            read: Read::Never,
            last_failure: None,
            given_up: None,
            gone: Gone::No,
        }
    }

    /// Whether the pool is no longer watched.
    pub(super) fn is_gone(&self) -> bool {
        self.gone == Gone::Yes
    }

    /// From here on the pool is no longer watched.
    pub(super) fn go(&mut self) {
        self.gone = Gone::Yes;
    }

    /// Takes over what its owner says of it now; what was read of it stays.
    pub(super) fn change(&mut self, new: super::NewPool) {
        self.account = new.account;
        self.policy = new.policy;
        self.progress_interval = new.progress_interval;
        self.ignore_completed_before = new.ignore_completed_before;
    }

    /// A job of this pool, as it is watched.
    pub(super) fn job(&self, id: JobId) -> WatchedJob {
        WatchedJob {
            target: Target { pool: self.id.clone(), job: id },
            name: None,
            account: self.account.clone(),
            policy: Arc::clone(&self.policy),
            progress_interval: self.progress_interval,
        }
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether the list was read to its end once, or cannot be read.
    pub(super) fn is_done(&self) -> bool {
        self.read == Read::Once || self.given_up.is_some()
    }

    /// Why the pool is not asked about any more.
    pub(super) fn given_up(&self) -> Option<Verdict> {
        self.given_up
    }

    /// A job of this pool that is watched for another reason.
    pub(super) fn note(&mut self, job: &JobId) {
        self.known.insert(job.clone());
    }

    /// The reading failed; the next one begins at the newest job. As with a job, a refusal is asked for once more
    /// before it counts.
    pub(super) fn failed(&mut self, kind: ErrorKind, ending: Ending) -> PoolPace {
        self.token = None;
        let again = self.last_failure.replace(kind) == Some(kind);
        let verdict = match kind {
            ErrorKind::Throttled => return PoolPace::AtOnce,
            ErrorKind::Transient => return PoolPace::Usual,
            ErrorKind::NotFound => Verdict::NotFound,
            ErrorKind::Denied => Verdict::AccessDenied,
            ErrorKind::Invalid => Verdict::Invalid,
        };
        match ending {
            Ending::WhenStopped | Ending::WhenOver { .. } if !again => PoolPace::Soon,
            Ending::WhenStopped => PoolPace::Slow,
            Ending::WhenOver { .. } => {
                self.given_up = Some(verdict);
                PoolPace::GivenUp
            }
        }
    }

    /// The jobs of a page that are new to us. Newest come first, so that a page with a job we know ends a
    /// reading, once the whole list has been read.
    pub(super) fn page(&mut self, page: PoolPage, now: Timestamp) -> Found {
        self.last_failure = None;
        let now = page.date.unwrap_or(now);
        let mut jobs = Vec::new();
        let mut met_known = false;
        for (id, snapshot) in page.jobs {
            if !self.known.insert(id.clone()) {
                met_known = true;
            } else if self.wanted(&snapshot, now) {
                jobs.push(self.job(id));
            }
        }
        let known_from_here = met_known && self.read == Read::Once;
        self.token = page.next.filter(|_| !known_from_here);
        let more = if self.token.is_some() {
            More::NextPage
        } else {
            self.read = Read::Once;
            More::Done
        };
        Found { jobs, more }
    }

    /// Jobs that were over long ago are left alone; one without a date is not known to be old.
    pub(super) fn wanted(&self, snapshot: &JobSnapshot, now: Timestamp) -> bool {
        let last = snapshot.completed_at.or(snapshot.started_at).or(snapshot.created_at);
        let old = last.is_some_and(|last| now.since(last) > self.ignore_completed_before);
        !(snapshot.status.is_terminal() && old)
    }
}
