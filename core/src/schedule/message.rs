//! What the scheduler is told and what it says: plain data, so that both can be logged and tested.

use std::sync::Arc;
use std::time::Duration;

use super::lane::RateChange;
use super::pool::{News, PoolPage};
use super::rules::PoolFilter;
use super::settings::{Batch, Ending};
use super::{BackoffPolicy, Ceilings};
use crate::domain::{
    JobEvent, JobId, JobSnapshot, JobTrack, Memory, PollError, Target, Terms, Tick, Timestamp, UserPoolId, WatchedJob,
};

/// Both clocks, read together.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic: what is waited for.
    pub tick: Tick,
    /// Wall: what is told.
    pub wall: Timestamp,
}

/// How the scheduler behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The interval of a job.
    pub backoff: BackoffPolicy,
    /// The rate of a lane and of its pools.
    pub ceilings: Ceilings,
    /// Whether lists stand for questions about single jobs.
    pub batch: Batch,
    /// When the watch ends.
    pub ending: Ending,
    /// The seed of the jitter.
    pub seed: u64,
}

/// The index of an account and region, as the caller numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneIndex(pub usize);

/// A job to watch.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The account and region whose quota it uses.
    pub lane: LaneIndex,
    /// The job.
    pub job: WatchedJob,
    /// What is known of it from before. One that was over is not asked about again.
    pub known: Option<Box<JobTrack>>,
}

/// A pool whose jobs are to be found and watched.
#[derive(Clone, Debug)]
pub struct NewPool {
    /// The account and region whose quota it uses.
    pub lane: LaneIndex,
    /// The pool.
    pub id: UserPoolId,
    /// What its owner calls it: the jobs found are called by this and their own name.
    pub name: Option<Arc<str>>,
    /// What else is said of the jobs found.
    pub terms: Arc<Terms>,
    /// Which of its jobs are watched.
    pub filter: PoolFilter,
    /// Its jobs that are known from before. Those that were not over are watched on, whatever the list shows.
    pub known: Vec<(JobId, JobTrack)>,
}

/// What is watched from now on, in place of what was.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The interval of a job.
    pub backoff: BackoffPolicy,
    /// The rate of a lane and of its pools.
    pub ceilings: Ceilings,
    /// Whether lists stand for questions about single jobs.
    pub batch: Batch,
    /// Every job that is named. One that is watched already keeps its state, interval and turn.
    pub jobs: Vec<NewJob>,
    /// Every pool. One that is watched already keeps its jobs and how far it was read.
    pub pools: Vec<NewPool>,
}

/// A request that the scheduler wants sent now. Every request is answered by one [`Input::Answered`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Names the request in its answer.
    pub id: u64,
    /// Whose quota it uses.
    pub lane: LaneIndex,
    /// What is asked.
    pub question: Question,
}

/// What is asked of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// DescribeUserImportJob.
    Describe(Target),
    /// ListUserImportJobs, from this token on.
    List {
        /// Of this pool.
        pool: UserPoolId,
        /// Where the page begins; `None` for the newest job.
        token: Option<String>,
    },
}

/// What a request brought.
#[derive(Clone, Debug)]
pub enum PollResult {
    /// A job, and the `Date` of the answer.
    Job(JobSnapshot, Option<Timestamp>),
    /// A page of a pool's jobs.
    Page(PoolPage),
    /// Nothing.
    Failed(PollError),
}

/// What happens to the scheduler.
#[derive(Clone, Debug)]
pub enum Input {
    /// The time of [`Scheduler::next_wake`](super::Scheduler::next_wake) has come.
    Wake,
    /// Watch this job too.
    Job(NewJob),
    /// Watch this pool too.
    Pool(NewPool),
    /// Watch this and nothing else.
    Replace(Box<Replacement>),
    /// A request was answered, or was given up.
    Answered {
        /// The request.
        id: u64,
        /// What it brought.
        result: PollResult,
    },
    /// Send nothing more.
    Stop,
}

/// What the scheduler wants done, in this order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send this request.
    Send(Request),
    /// A job was observed, or was not: tell these facts, and show its state.
    Observed {
        /// Which job, for [`Scheduler::view`](super::Scheduler::view).
        job: usize,
        /// What is to be told; often nothing.
        events: Vec<JobEvent>,
        /// Whether what is kept of it has to be written anew.
        memory: Memory,
    },
    /// A pool's list could not be read.
    PoolFailed {
        /// The pool.
        pool: UserPoolId,
        /// Why.
        error: PollError,
        /// When it is asked for next; `None` when it is given up.
        next_poll: Option<Duration>,
        /// Whether that is worth telling.
        news: News,
    },
    /// A pool's list can be read again, after a failure that was told.
    PoolRecovered {
        /// The pool.
        pool: UserPoolId,
    },
    /// The list of a pool that is not watched as a whole could not be read: its jobs are asked about one by one.
    ListFailed {
        /// The pool.
        pool: UserPoolId,
        /// Why.
        error: PollError,
    },
    /// The rate of a lane was cut, or is back.
    RateChanged(LaneIndex, RateChange),
}
