//! What may be asked of the loop about the jobs while it runs: questions over a bounded channel, a page at a time.
//!
//! Asked by [`crate::http`], answered by [`crate::driver`] between two turns of its loop.

use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::{
    ErrorKind, JobIdentity, JobPolicy, JobSnapshot, PollError, Timestamp, UserPoolId, Verdict,
};
use tokio::sync::{mpsc, oneshot};

/// How many jobs are looked at for one page: what a page takes is time that the loop has not.
pub const JOBS_OF_A_PAGE: usize = 256;

/// How many questions wait to be answered; further ones wait to be asked.
const WAITING: usize = 16;

/// How long an answer is waited for. The loop answers in milliseconds, unless it reads the config again or is stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question to the loop.
#[derive(Debug)]
pub enum Ask {
    /// The jobs as they stand: a page of them.
    Jobs {
        /// Where the last page ended; `None` for the first one.
        after: Option<Cursor>,
        /// Where the answer goes. Whoever asked may have gone.
        reply: oneshot::Sender<Result<JobsPage, AskError>>,
    },
    /// The accounts, regions and pools as they stand.
    Overview {
        /// Where the answer goes. Whoever asked may have gone.
        reply: oneshot::Sender<Overview>,
    },
}

/// Where a page of jobs ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Of which numbering of the jobs: they are numbered anew when the config is read again.
    pub(crate) edition: u64,
    /// The first job of the next page.
    pub(crate) next: usize,
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobsPage {
    /// The jobs, in the order in which they came to be watched.
    pub jobs: Vec<JobRow>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Cursor>,
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// Which job; its region is that of its pool.
    pub job: JobIdentity,
    /// The last answer that showed it; `None` when there was none.
    pub snapshot: Option<JobSnapshot>,
    /// When that answer arrived.
    pub observed_at: Option<Timestamp>,
    /// When status or counters changed last, by the service's clock; `None` where it was never seen.
    pub changed_at: Option<Timestamp>,
    /// When it is good, late or stuck.
    pub policy: Arc<JobPolicy>,
    /// How the watch of it ended; `None` while it goes on.
    pub verdict: Option<Verdict>,
    /// Why the newest poll showed nothing; `None` when it did.
    pub error: Option<PollError>,
    /// When the first of the polls failed that have failed since; `None` while they succeed.
    pub failing_since: Option<Timestamp>,
    /// The time until the next poll; `None` while one is on its way and when the job is over.
    pub next_poll: Option<Duration>,
    /// Requests made about this job alone, since the start.
    pub polls: u32,
    /// Percent done, 0 to 100, where the total is known.
    pub percent: Option<f64>,
    /// Time left, where the total is known.
    pub eta: Option<Duration>,
}

/// The accounts, regions and pools as they stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// The accounts and regions where something is watched.
    pub lanes: Vec<LaneRow>,
    /// The pools that are watched as a whole.
    pub pools: Vec<PoolRow>,
}

/// An account and region as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneRow {
    /// Which one, as the loop numbers them.
    pub lane: usize,
    /// The rate it has now.
    pub requests_per_second: f64,
    /// The rate it has where no throttle cuts it.
    pub max_requests_per_second: f64,
    /// Requests on their way.
    pub in_flight: usize,
    /// Whether a throttle cut the rate that is not back yet.
    pub is_throttled: bool,
}

/// A pool that is watched as a whole, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolRow {
    /// Which one.
    pub pool: UserPoolId,
    /// Why its list could not be read the last time; `None` when it could, or was not read yet.
    pub failing: Option<ErrorKind>,
}

/// Why a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskError {
    /// The config was read again between two pages: begin with the first one.
    Replaced,
    /// The loop has ended, or does not answer.
    Silent,
}

/// Asks the loop.
#[derive(Clone, Debug)]
pub struct Asker(mpsc::Sender<Ask>);

/// The loop's end of it.
pub type Asks = mpsc::Receiver<Ask>;

/// Both ends of a channel for questions.
#[must_use]
pub fn channel() -> (Asker, Asks) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Asker(sender), receiver)
}

impl Asker {
    /// The jobs as they stand: the page that begins where `after` ended.
    ///
    /// # Errors
    /// When the jobs were numbered anew since the last page, or the loop does not answer within five seconds.
    pub async fn jobs(&self, after: Option<Cursor>) -> Result<JobsPage, AskError> {
        self.ask(|reply| Ask::Jobs { after, reply }).await?
    }

    /// The accounts, regions and pools as they stand.
    ///
    /// # Errors
    /// When the loop does not answer within five seconds.
    pub async fn overview(&self) -> Result<Overview, AskError> {
        self.ask(|reply| Ask::Overview { reply }).await
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, AskError> {
        let asked = async {
            let (reply, answer) = oneshot::channel();
            self.0.send(question(reply)).await.map_err(|_| AskError::Silent)?;
            answer.await.map_err(|_| AskError::Silent)
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(AskError::Silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_has_ended_or_hangs_is_told_as_silent() {
        let (asker, asks) = channel();
        assert_eq!(asker.jobs(None).await, Err(AskError::Silent));
        drop(asks);
        assert_eq!(asker.jobs(None).await, Err(AskError::Silent));
    }
}
