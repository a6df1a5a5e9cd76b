//! Whose turn it is where not all can be asked at once.
//!
//! A job that moves may change any moment, one that sleeps was the same for long. So those that move go first, the
//! longest unasked before the others. But nobody starves: one that sleeps has a latest time, a little more than one
//! round of all jobs at the ceiling, and goes before all others when it has come. Jobs that are new have their latest
//! times spread over such a round. As that is slower than the ceiling, they never ask for all of it.

use std::time::Duration;

use super::job::JobSlot;
use crate::domain::{Phase, Tick};

/// How many rounds of all jobs at the ceiling a job that sleeps may wait. What it is above 1 goes to those that move.
const PATIENCE: f64 = 1.18;

/// The same for new jobs and, while there are any, for all: the sooner a status is known, the sooner we know who moves.
const PATIENCE_AT_FIRST: f64 = 1.1;

/// The pages of a pool that had as many jobs as the service allows, a thousand.
const MOST_PAGES: u32 = 17;

/// What lets us expect a change of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Pending, InProgress or Stopping; also one whose last answer is to be confirmed.
    Moving,
    /// Created, refused, or asked in vain so far.
    Sleeping,
    /// Not asked about yet.
    New,
}

impl Class {
    pub(super) const ALL: [Self; 3] = [Self::Moving, Self::Sleeping, Self::New];

    pub(super) fn of(job: &JobSlot) -> Self {
        let phase = job.track.known().map(|known| known.status.phase());
        match (phase, job.is_refused()) {
            _ if job.is_doubted() => Self::Moving,
            _ if job.is_new() => Self::New,
            (Some(Phase::Active), false) => Self::Moving,
            (Some(Phase::Active | Phase::Waiting | Phase::Terminal) | None, _) => Self::Sleeping,
        }
    }
}

/// How many jobs share a ceiling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Crowd {
    size: u32,
    new: u32,
}

impl Crowd {
    pub(super) fn enter(&mut self, class: Class) {
        self.size = self.size.saturating_add(1);
        self.new = self.new.saturating_add(u32::from(class == Class::New));
    }

    pub(super) fn leave(&mut self, class: Class) {
        self.size = self.size.saturating_sub(1);
        self.new = self.new.saturating_sub(u32::from(class == Class::New));
    }

    /// How many jobs are new.
    pub(super) fn new_jobs(&self) -> u32 {
        self.new
    }

    /// All of them.
    pub(super) fn size(&self) -> u32 {
        self.size
    }

    /// How long a job that does not move may wait where the ceiling, in requests per second, binds. While there are
    /// new ones, their round is everybody's.
    pub(super) fn round(&self, ceiling: f64) -> Duration {
        let patience = if self.new > 0 { PATIENCE_AT_FIRST } else { PATIENCE };
        Duration::try_from_secs_f64(patience * f64::from(self.size) / ceiling).unwrap_or(Duration::MAX)
    }
}

/// What decides when a job, or a list that shows it, has its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) class: Class,
    /// When it was asked about last.
    pub(super) asked: Tick,
    /// Since when it waits.
    pub(super) due: Tick,
    /// The interval that it is to be asked in, before jitter.
    pub(super) interval: Duration,
    /// For a new job, the how manieth new one of its pool it is, counted from 0.
    pub(super) rank: Option<u32>,
    /// How many requests to its pool it may let go before it.
    pub(super) lets_go: u32,
}

impl Turn {
    /// That of a list which is read to find jobs.
    pub(super) fn of_pool(due: Tick) -> Self {
        Self { class: Class::Sleeping, asked: due, due, interval: Duration::ZERO, rank: Some(0), lets_go: 0 }
    }

    /// That of a reading of so many pages which begins in this turn.
    pub(super) fn of_pages(self, pages: u32) -> Self {
        match self.class {
            Class::Moving => self,
            Class::Sleeping | Class::New => Self { lets_go: self.lets_go + pages.min(MOST_PAGES), ..self },
        }
    }

    /// The latest time of what does not move, where a round takes so long, its pool has so many jobs and as many
    /// requests per second. Jitter makes a job due earlier than it has to be asked about.
    pub(super) fn latest(&self, round: Duration, size: u32, per_pool: f64) -> Tick {
        let wait = match self.rank {
            Some(rank) => round.mul_f64(share(rank, size)),
            None => round.max(self.interval),
        };
        let lets_go = Duration::from_secs_f64(f64::from(self.lets_go) / per_pool);
        self.due.max(self.asked.plus(wait)).plus(lets_go)
    }
}

/// What goes before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// What does not move and had to be asked about at this time.
    Late(Tick),
    /// What moves and was asked about then.
    Moves(Tick),
    /// What does not move and may wait until then.
    Waits(Tick),
}

/// The part of a round after which the job is due that was the `rank`th new one of its pool, counted from 0, where
/// the pool has `size` jobs.
fn share(rank: u32, size: u32) -> f64 {
    let turn = f64::from(rank) + 1.0;
    turn / turn.max(f64::from(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ones_are_spread_over_their_round() {
        assert!((share(0, 100) - 0.01).abs() < 1e-9 && (share(99, 100) - 1.0).abs() < 1e-9);
        assert!((share(0, 0) - 1.0).abs() < 1e-9);
    }
}
