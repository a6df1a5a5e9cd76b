//! The state machine of one job: what is known of it, and what one more answer adds.
//!
//! [`JobTrack::step`] is a function of data: no clock, no randomness. The scheduler calls it with every answer
//! and performs what the [`Step`] says.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{JobEvent, JobFact, JobIdentity};
use super::{Counts, JobPolicy, JobSnapshot, Phase, PollError, Tick, Timestamp, Verdict, WatchedJob};

/// The life of the pre-signed upload URL: `X-Amz-Expires=899` in the service's answers, rounded up.
pub const UPLOAD_URL_LIFE: Duration = Duration::from_secs(15 * 60);

/// The age at which a job that nobody started is about to expire: it does at 24 to 48 hours.
pub const NEAR_EXPIRY: Duration = Duration::from_secs(23 * 60 * 60);

/// How soon a surprising answer is asked for once more before it counts: the SDK has learnt the clock's skew by
/// then, and a role made seconds ago may have become visible.
pub const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How an answer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// DescribeUserImportJob: about this job alone.
    Describe,
    /// ListUserImportJobs: its consistency with Describe is not documented.
    List,
}

/// One answer about a job, or the lack of one.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When the request was sent.
    pub sent: Tick,
    /// When the answer arrived.
    pub arrived: Tick,
    /// The same in wall time.
    pub at: Timestamp,
    /// What it showed.
    pub outcome: Outcome,
}

/// What an answer showed.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The job.
    Seen {
        /// As it was shown.
        snapshot: JobSnapshot,
        /// The `Date` of the answer: a job's age is taken against the service's clock, not ours.
        date: Option<Timestamp>,
        /// By which question.
        by: AskedBy,
    },
    /// Nothing.
    Failed(PollError),
}

/// When to ask about the job next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It moved: start again at the initial interval.
    Restart,
    /// Nothing new, or a passing fault: the next longer interval.
    Grow,
    /// Ask this job alone once more after so long: the answer does not count yet.
    AskAgain(Duration),
    /// The answer was a throttle: as soon as the lane lets us, after the hint where there was one.
    WhenAllowed(Option<Duration>),
    /// It stays refused: give up, or ask slowly.
    Refused(Verdict),
    /// It is over.
    Over(Verdict),
    /// The answer was older than what is known: nothing changes.
    Unchanged,
}

/// What one observation adds.
#[must_use]
#[derive(Clone, Debug)]
pub struct Step {
    /// The job as it is known now.
    pub next: JobTrack,
    /// What is to be told, in this order.
    pub events: Vec<JobEvent>,
    /// When to ask next.
    pub pace: Pace,
    /// Whether a memory of the job is out of date.
    pub memory: Memory,
}

/// Whether what is kept of a job for the next process still says what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// All but the time of the last good poll.
    Holds,
    /// No: without the new state a restart would tell something twice, or not at all.
    OutOfDate,
}

/// All that is known of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobTrack {
    known: Option<JobSnapshot>,
    /// The highest FailedUsers told.
    failed_told: u64,
    /// Where in the documented order the job has been.
    high_rank: u8,
    /// Whether a Describe showed a step back that is not confirmed yet.
    step_back: StepBack,
    /// The counters of the last progress told, and when.
    progress: (Tick, Counts),
    /// Where the pace is measured from: the first active observation and the rows done then.
    pace_from: Option<(Tick, u64)>,
    /// When status or counters changed last, as we saw it, by the service's clock.
    changed: Timestamp,
    /// The same where this process saw it: the service's clock is read in whole seconds.
    changed_here: Option<Tick>,
    /// When the newest observation arrived.
    newest: Option<Tick>,
    /// The last good poll, in wall time.
    last_good: Option<Timestamp>,
    /// The same by the service's clock.
    date: Option<Timestamp>,
    lapsed_told: Told,
    near_expiry_told: Told,
    stalled_told: Told,
    /// A deadline was told, and an earlier version did not note which.
    deadline_told: Told,
    /// The deadlines told, in seconds: that makes them different facts.
    deadlines_told: Vec<u64>,
    unknown_told: Vec<Box<str>>,
    failing: Option<Failing>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum StepBack {
    #[default]
    None,
    ShownOnce,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Told {
    #[default]
    NotYet,
    Told,
}

impl JobTrack {
    /// The last state known, if any.
    #[must_use]
    pub fn known(&self) -> Option<&JobSnapshot> {
        self.known.as_ref()
    }

    /// The time of the last good poll.
    #[must_use]
    pub fn last_good(&self) -> Option<Timestamp> {
        self.last_good
    }

    /// The time by the service's clock at the last good poll of this process, where the answer showed it.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.date
    }

    /// When status or counters changed last, as far as was seen, by the service's clock; `None` where it was never
    /// seen.
    #[must_use]
    pub fn changed(&self) -> Option<Timestamp> {
        self.known.as_ref().map(|_| self.changed)
    }

    /// Who the job is, as far as is known.
    #[must_use]
    pub fn identity(&self, job: &WatchedJob) -> JobIdentity {
        JobIdentity {
            target: job.target.clone(),
            job_name: self.known.as_ref().and_then(|known| known.job_name.clone()),
            name: job.terms.name.clone(),
            account: job.terms.account.clone().or_else(|| self.known.as_ref().and_then(|known| known.account.clone())),
        }
    }

    /// When the newest observation arrived.
    #[must_use]
    pub fn newest(&self) -> Option<Tick> {
        self.newest
    }

    /// The last failure, while polls fail.
    #[must_use]
    pub fn failing(&self) -> Option<&PollError> {
        self.failing.as_ref().map(|failing| &failing.error)
    }

    /// When the first of the polls failed that have failed since, while they fail.
    #[must_use]
    pub fn failing_since(&self) -> Option<Timestamp> {
        self.failing.as_ref().map(|failing| failing.since)
    }

    /// Whether more than one poll in a row failed.
    #[must_use]
    pub fn failed_again(&self) -> bool {
        self.failing.as_ref().is_some_and(|failing| !failing.told.is_empty())
    }

    /// Percent done and time left, where the total is known. The pace is that since the job was first seen active.
    #[must_use]
    pub fn progress(&self, now: Tick, policy: &JobPolicy) -> (Option<f64>, Option<Duration>) {
        let (Some(total), Some(known)) = (policy.expected_users.filter(|total| *total > 0), self.known.as_ref()) else {
            return (None, None);
        };
        let done = known.counts.done();
        let percent = (ratio(done, total) * 1000.0).round().min(1000.0) / 10.0;
        let left = total.saturating_sub(done);
        let eta = if left == 0 {
            Some(Duration::ZERO)
        } else {
            self.pace_from.and_then(|(from, done_then)| {
                let moved = done.saturating_sub(done_then);
                let seconds = now.since(from).as_secs_f64();
                // While nothing moved that is infinite, and no duration.
                (seconds > 0.0)
                    .then(|| Duration::try_from_secs_f64((seconds * ratio(left, moved)).round()).ok())
                    .flatten()
            })
        };
        (Some(percent), eta)
    }

    /// What `observation` adds to what is known.
    pub fn step(&self, job: &WatchedJob, observation: Observation) -> Step {
        if self.newest.is_some_and(|newest| observation.sent < newest) {
            return Step { next: self.clone(), events: Vec::new(), pace: Pace::Unchanged, memory: Memory::Holds };
        }
        let mut next = self.clone();
        next.newest = Some(observation.arrived);
        let (facts, pace) = match observation.outcome {
            Outcome::Failed(error) => next.failed(job, error, observation.arrived, observation.at),
            Outcome::Seen { snapshot, date, by } => {
                next.date = date.or(next.date);
                next.seen(job, snapshot, date.unwrap_or(observation.at), observation.arrived, observation.at, by)
            }
        };
        let identity = next.identity(job);
        let events = facts
            .into_iter()
            .map(|fact| JobEvent {
                at: observation.at,
                job: identity.clone(),
                status: next.known.as_ref().map(|known| known.status.clone()),
                counts: next.known.as_ref().map(|known| known.counts),
                fact,
            })
            .collect();
        let memory = if self.says_the_same_as(&next) { Memory::Holds } else { Memory::OutOfDate };
        Step { next, events, pace, memory }
    }

    fn seen(
        &mut self,
        job: &WatchedJob,
        snapshot: JobSnapshot,
        service_now: Timestamp,
        now: Tick,
        at: Timestamp,
        by: AskedBy,
    ) -> (Vec<JobFact>, Pace) {
        self.last_good = Some(at);
        let mut facts = Vec::new();
        let recovered = self.recovered();
        let pace = match self.doubted(&snapshot, by) {
            Some(doubt) => doubt,
            None => self.accept(job, snapshot, service_now, now, &mut facts),
        };
        facts.extend(recovered);
        (facts, pace)
    }

    /// Whether the answer is to be asked for once more before it counts.
    fn doubted(&mut self, snapshot: &JobSnapshot, by: AskedBy) -> Option<Pace> {
        if self.known.is_none() && snapshot.status.is_terminal() && by == AskedBy::List {
            return Some(Pace::AskAgain(Duration::ZERO));
        }
        let fewer = |known: &JobSnapshot| !known.counts.is_within(snapshot.counts);
        if by == AskedBy::List && self.known.as_ref().is_some_and(fewer) {
            return Some(Pace::AskAgain(Duration::ZERO));
        }
        let back = snapshot.status.rank().is_some_and(|rank| rank < self.high_rank);
        match (back, self.step_back, by) {
            (false, StepBack::None | StepBack::ShownOnce, AskedBy::Describe | AskedBy::List) => {
                self.step_back = StepBack::None;
                None
            }
            (true, StepBack::ShownOnce, AskedBy::Describe) => None,
            (true, StepBack::None, AskedBy::Describe) => {
                self.step_back = StepBack::ShownOnce;
                Some(Pace::AskAgain(ASK_AGAIN))
            }
            (true, StepBack::None | StepBack::ShownOnce, AskedBy::List) => Some(Pace::AskAgain(Duration::ZERO)),
        }
    }

    fn accept(
        &mut self,
        job: &WatchedJob,
        snapshot: JobSnapshot,
        service_now: Timestamp,
        now: Tick,
        facts: &mut Vec<JobFact>,
    ) -> Pace {
        let before = self.known.replace(snapshot.clone());
        let status_moved = before.as_ref().is_none_or(|before| before.status != snapshot.status);
        let counts_moved = before.as_ref().is_some_and(|before| before.counts != snapshot.counts);
        let moved = status_moved || counts_moved;

        match &before {
            None => facts.push(JobFact::FirstSeen),
            Some(before) if status_moved => facts.push(JobFact::StatusChanged { previous: before.status.clone() }),
            Some(_) => {}
        }
        if snapshot.counts.failed > self.failed_told {
            facts.push(JobFact::FailedUsers {
                previous: self.failed_told,
                new: snapshot.counts.failed - self.failed_told,
            });
            self.failed_told = snapshot.counts.failed;
        }
        if moved {
            self.changed = service_now;
            self.changed_here = Some(now);
            self.stalled_told = Told::NotYet;
        }
        if self.pace_from.is_none() && snapshot.status.phase() == Phase::Active {
            self.pace_from = Some((now, snapshot.counts.done()));
        }
        if status_moved {
            self.progress = (now, snapshot.counts);
        } else {
            self.tell_progress(job, &snapshot, now, facts);
        }
        if let Some(verdict) = job.terms.policy.judge(&snapshot.status, snapshot.counts) {
            if status_moved {
                facts.push(completed(&snapshot, verdict));
            }
            return Pace::Over(verdict);
        }
        self.warn(job, before, &snapshot, service_now, facts);
        if moved { Pace::Restart } else { Pace::Grow }
    }

    /// Counters are told when they differ from those told last, however small the step between two polls was.
    fn tell_progress(&mut self, job: &WatchedJob, snapshot: &JobSnapshot, now: Tick, facts: &mut Vec<JobFact>) {
        let (told_at, told) = self.progress;
        if told != snapshot.counts && now.since(told_at) >= job.terms.progress_interval {
            self.progress = (now, snapshot.counts);
            let (percent, eta) = self.progress(now, &job.terms.policy);
            facts.push(JobFact::Progress { percent, eta });
        }
    }
}

fn completed(snapshot: &JobSnapshot, verdict: Verdict) -> JobFact {
    JobFact::Completed {
        verdict,
        elapsed: snapshot.started_at.zip(snapshot.completed_at).map(|(started, completed)| completed.since(started)),
        completion_message: snapshot.completion_message.clone(),
        created_at: snapshot.created_at,
        started_at: snapshot.started_at,
        completed_at: snapshot.completed_at,
    }
}

#[expect(clippy::cast_precision_loss, reason = "percent and time left need no more than 52 bits")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

mod failing;
mod stored;
mod warning;

use failing::Failing;

pub use stored::{Mark, StoredFailure, StoredTrack};

#[cfg(test)]
mod tests;
