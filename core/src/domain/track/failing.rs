//! An unbroken row of failed polls: what of it is told, and when a refusal counts.
//!
//! Called by [`JobTrack::step`].

use serde::{Deserialize, Serialize};

use super::{ASK_AGAIN, JobTrack, Pace};
use crate::domain::event::JobFact;
use crate::domain::{ErrorKind, PollError, Tick, Timestamp, Verdict, WatchedJob};

/// An unbroken row of failed polls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Failing {
    /// The first failure, in wall time.
    pub(super) since: Timestamp,
    /// The last failure.
    pub(super) error: PollError,
    /// How many of its kind in a row.
    pub(super) streak: u32,
    /// The kinds told in this episode, the last one last.
    pub(super) told: Vec<ErrorKind>,
    /// When "not found" was seen first in this episode.
    pub(super) not_found: Option<Tick>,
    /// Told that we are refused, by kind.
    pub(super) refused_told: Vec<ErrorKind>,
}

impl JobTrack {
    pub(super) fn recovered(&mut self) -> Option<JobFact> {
        let failing = self.failing.take()?;
        failing.told.last().map(|kind| JobFact::PollRecovered { error_kind: *kind, since: failing.since })
    }

    pub(super) fn failed(
        &mut self,
        job: &WatchedJob,
        error: PollError,
        now: Tick,
        at: Timestamp,
    ) -> (Vec<JobFact>, Pace) {
        let first = self.failing.is_none();
        let failing = self.failing.get_or_insert_with(|| Failing {
            since: at,
            error: error.clone(),
            streak: 0,
            told: Vec::new(),
            not_found: None,
            refused_told: Vec::new(),
        });
        failing.streak = if failing.error.kind == error.kind { failing.streak.saturating_add(1) } else { 1 };
        failing.error = error.clone();
        let mut facts = Vec::new();
        // Each kind once an episode: two kinds that alternate are one episode, not a stream of news.
        if !first && !failing.told.contains(&error.kind) {
            failing.told.push(error.kind);
            facts.push(JobFact::PollFailed { error: error.clone(), since: failing.since, next_poll: None });
        }
        let since = failing.since;
        let pace = match error.kind {
            ErrorKind::Throttled => Pace::WhenAllowed(error.retry_after),
            ErrorKind::Transient => Pace::Grow,
            ErrorKind::NotFound => {
                let seen_first = *failing.not_found.get_or_insert(now);
                if now.since(seen_first) < job.terms.policy.not_found_grace {
                    Pace::Grow
                } else {
                    failing.refuse(&mut facts, ErrorKind::NotFound, || JobFact::NotFound { error, since });
                    Pace::Refused(Verdict::NotFound)
                }
            }
            ErrorKind::Denied | ErrorKind::Invalid if failing.streak < 2 => Pace::AskAgain(ASK_AGAIN),
            ErrorKind::Denied => {
                failing.refuse(&mut facts, ErrorKind::Denied, || JobFact::AccessDenied { error, since });
                Pace::Refused(Verdict::AccessDenied)
            }
            ErrorKind::Invalid => Pace::Refused(Verdict::Invalid),
        };
        (facts, pace)
    }
}

impl Failing {
    fn refuse(&mut self, facts: &mut Vec<JobFact>, kind: ErrorKind, fact: impl FnOnce() -> JobFact) {
        if !self.refused_told.contains(&kind) {
            self.refused_told.push(kind);
            facts.push(fact());
        }
    }
}
