//! A job's state as it is kept for the next process: plain data, with wall time in place of monotonic time.
//!
//! Made and read by whatever keeps a ledger; only the form of a file is its business, the meaning is here.

use super::{Failing, JobTrack, StepBack, Told};
use crate::domain::{Counts, ErrorKind, JobSnapshot, PollError, Tick, Timestamp};

/// From how many failures of a kind on their number makes no difference.
const STREAK_KEPT: u32 = 2;

/// All that must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTrack {
    /// The last state known.
    pub known: Option<JobSnapshot>,
    /// The highest FailedUsers told.
    pub failed_told: u64,
    /// Where in the documented order the job has been.
    pub high_rank: u8,
    /// What is noted or told once.
    pub marks: Vec<Mark>,
    /// When progress was told last, and the counters told.
    pub progress: (Timestamp, Counts),
    /// The first active observation, and the rows done then.
    pub pace_from: Option<(Timestamp, u64)>,
    /// When status or counters changed last, by the service's clock.
    pub changed: Timestamp,
    /// The last good poll.
    pub last_good: Option<Timestamp>,
    /// The unknown statuses told.
    pub unknown_told: Vec<Box<str>>,
    /// The deadlines told, in seconds.
    pub deadlines_told: Vec<u64>,
    /// The failures that go on.
    pub failing: Option<StoredFailure>,
}

/// Something that is noted or told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// A Describe showed a step back that is not confirmed yet.
    StepBackShown,
    /// The warning `upload_url_lapsed`.
    LapsedTold,
    /// The warning `near_expiry`.
    NearExpiryTold,
    /// The warning `stalled`, since the last change.
    StalledTold,
    /// The warning `deadline_exceeded`, of a deadline that is not among [`StoredTrack::deadlines_told`].
    DeadlineTold,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 5] =
        [Self::StepBackShown, Self::LapsedTold, Self::NearExpiryTold, Self::StalledTold, Self::DeadlineTold];

    /// A word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StepBackShown => "step_back_shown",
            Self::LapsedTold => "upload_url_lapsed",
            Self::NearExpiryTold => "near_expiry",
            Self::StalledTold => "stalled",
            Self::DeadlineTold => "deadline_exceeded",
        }
    }
}

/// An unbroken row of failed polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFailure {
    /// The first failure.
    pub since: Timestamp,
    /// The last failure, without the service's hint when to ask again: that counted for the next poll of that process.
    pub error: PollError,
    /// How many of its kind in a row, 2 for two or more.
    pub streak: u32,
    /// The kinds told in this episode, the last one last.
    pub told: Vec<ErrorKind>,
    /// When "not found" was seen first in this episode.
    pub not_found: Option<Timestamp>,
    /// The kinds for which it was told that we are refused.
    pub refused_told: Vec<ErrorKind>,
}

impl JobTrack {
    /// What is to be kept of the job, seen from `tick`, which is the moment `wall`.
    #[must_use]
    pub fn stored(&self, tick: Tick, wall: Timestamp) -> StoredTrack {
        let at = |then: Tick| wall.minus(tick.since(then));
        let told = [
            (self.step_back == StepBack::ShownOnce, Mark::StepBackShown),
            (self.lapsed_told == Told::Told, Mark::LapsedTold),
            (self.near_expiry_told == Told::Told, Mark::NearExpiryTold),
            (self.stalled_told == Told::Told, Mark::StalledTold),
            (self.deadline_told == Told::Told, Mark::DeadlineTold),
        ];
        StoredTrack {
            known: self.known.clone(),
            failed_told: self.failed_told,
            high_rank: self.high_rank,
            marks: told.into_iter().filter(|(told, _)| *told).map(|(_, mark)| mark).collect(),
            progress: (at(self.progress.0), self.progress.1),
            pace_from: self.pace_from.map(|(from, done)| (at(from), done)),
            changed: self.changed,
            last_good: self.last_good,
            unknown_told: self.unknown_told.clone(),
            deadlines_told: self.deadlines_told.clone(),
            failing: self.failing.as_ref().map(|failing| StoredFailure {
                since: failing.since,
                error: without_hint(&failing.error),
                streak: failing.streak.min(STREAK_KEPT),
                told: failing.told.clone(),
                not_found: failing.not_found.map(at),
                refused_told: failing.refused_told.clone(),
            }),
        }
    }

    /// The job as a process before this one knew it, seen from `tick`, which is the moment `wall`. Times that are
    /// yet to come, by a clock that was set back, count as now.
    #[must_use]
    pub fn restored(stored: StoredTrack, tick: Tick, wall: Timestamp) -> Self {
        let at = |then: Timestamp| tick.minus(wall.since(then));
        let has = |mark| stored.marks.contains(&mark);
        let told = |mark| if has(mark) { Told::Told } else { Told::NotYet };
        Self {
            step_back: if has(Mark::StepBackShown) { StepBack::ShownOnce } else { StepBack::None },
            lapsed_told: told(Mark::LapsedTold),
            near_expiry_told: told(Mark::NearExpiryTold),
            stalled_told: told(Mark::StalledTold),
            deadline_told: told(Mark::DeadlineTold),
            failed_told: stored.failed_told,
            high_rank: stored.high_rank,
            progress: (at(stored.progress.0), stored.progress.1),
            pace_from: stored.pace_from.map(|(from, done)| (at(from), done)),
            changed: stored.changed,
            changed_here: None,
            // No request of this process was sent before.
            newest: None,
            last_good: stored.last_good,
            date: None,
            failing: stored.failing.map(|failing| Failing {
                since: failing.since,
                error: failing.error,
                streak: failing.streak,
                told: failing.told,
                not_found: failing.not_found.map(at),
                refused_told: failing.refused_told,
            }),
            unknown_told: stored.unknown_told,
            deadlines_told: stored.deadlines_told,
            known: stored.known,
        }
    }

    /// Whether a memory of `self` would do for `other`. The times of the newest answers make no difference to what
    /// is told.
    pub(super) fn says_the_same_as(&self, other: &Self) -> bool {
        let failing = |track: &Self| {
            track.failing.as_ref().map(|failing| Failing {
                streak: failing.streak.min(STREAK_KEPT),
                error: without_hint(&failing.error),
                ..failing.clone()
            })
        };
        self.known == other.known
            && self.failed_told == other.failed_told
            && self.high_rank == other.high_rank
            && self.step_back == other.step_back
            && self.progress == other.progress
            && self.pace_from == other.pace_from
            && self.changed == other.changed
            && self.lapsed_told == other.lapsed_told
            && self.near_expiry_told == other.near_expiry_told
            && self.stalled_told == other.stalled_told
            && self.deadline_told == other.deadline_told
            && self.deadlines_told == other.deadlines_told
            && self.unknown_told == other.unknown_told
            && failing(self) == failing(other)
    }
}

/// An error as it is kept.
fn without_hint(error: &PollError) -> PollError {
    PollError { retry_after: None, ..error.clone() }
}
