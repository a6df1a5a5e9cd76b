//! Whose turn it is where not all can be asked at once: the one who may wait least, by its class.
//!
//! A job that moves may change any moment, one that sleeps was the same for long. So those that move go first, and of
//! one class the longest unasked. But nobody starves: those that sleep have a latest time, a little more than one
//! round of all jobs at the ceiling, and those that move share what that leaves of the rate. Jobs that are new have
//! their latest times spread over such a round. All of that adds up to the rate that is reached, so that taking the
//! earliest latest time first keeps it.

use std::time::Duration;

use super::job::JobSlot;
use super::rate::reached;
use crate::domain::{Phase, Tick};

/// How many rounds of all jobs at the ceiling a job that sleeps may wait. What it is above 1 goes to those that move.
const PATIENCE: f64 = 1.18;

/// The same for new jobs and, while there are any, for all: the sooner a status is known, the sooner we know who moves.
const PATIENCE_AT_FIRST: f64 = 1.1;

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

/// How many jobs of each class share a ceiling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Crowd {
    moving: u32,
    sleeping: u32,
    new: u32,
}

impl Crowd {
    pub(super) fn enter(&mut self, class: Class) {
        let count = self.count_mut(class);
        *count = count.saturating_add(1);
    }

    pub(super) fn leave(&mut self, class: Class) {
        let count = self.count_mut(class);
        *count = count.saturating_sub(1);
    }

    fn count_mut(&mut self, class: Class) -> &mut u32 {
        match class {
            Class::Moving => &mut self.moving,
            Class::Sleeping => &mut self.sleeping,
            Class::New => &mut self.new,
        }
    }

    /// How many jobs are new.
    pub(super) fn new_jobs(&self) -> u32 {
        self.new
    }

    /// All of them.
    pub(super) fn size(&self) -> u32 {
        self.moving.saturating_add(self.sleeping).saturating_add(self.new)
    }

    /// How long a job of this class waits from one question to the next where the ceiling, in requests per second,
    /// binds.
    pub(super) fn round(&self, class: Class, ceiling: f64) -> Duration {
        let (moving, size) = (f64::from(self.moving), f64::from(self.size()));
        // While there are new ones, their round is everybody's.
        let (patience, patient) = if self.new > 0 { (PATIENCE_AT_FIRST, size) } else { (PATIENCE, size - moving) };
        let patience = patience * size / ceiling;
        let seconds = match class {
            Class::Sleeping | Class::New => patience,
            Class::Moving if self.moving == 0 => 0.0,
            Class::Moving => moving / (reached(ceiling) - patient / patience),
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
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
}

impl Turn {
    /// That of a list which is read to find jobs.
    pub(super) fn of_pool(due: Tick) -> Self {
        Self { class: Class::Sleeping, asked: due, due, interval: Duration::ZERO, rank: Some(0) }
    }

    /// That of a job which moves, asked about at `asked` and due again at `due`.
    pub(super) fn of_moving(asked: Tick, due: Tick) -> Self {
        Self { class: Class::Moving, asked, due, interval: Duration::ZERO, rank: None }
    }

    /// The latest time, where its class comes round so and its pool has so many jobs. Jitter makes a job that sleeps
    /// due earlier than it has to be asked about.
    pub(super) fn latest(&self, round: Duration, size: u32) -> Tick {
        let wait = match (self.rank, self.class) {
            (Some(rank), _) => round.mul_f64(share(rank, size)),
            (None, Class::Moving) => round,
            (None, Class::Sleeping | Class::New) => round.max(self.interval),
        };
        self.due.max(self.asked.plus(wait))
    }
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

    fn crowd(moving: u32, sleeping: u32) -> Crowd {
        Crowd { moving, sleeping, new: 0 }
    }

    #[test]
    fn the_times_of_all_classes_add_up_to_the_ceiling() {
        for (moving, sleeping) in [(1, 1), (1, 300), (50, 250), (300, 1), (1_000, 1_000)] {
            let crowd = crowd(moving, sleeping);
            let share = |count: u32, class| f64::from(count) / crowd.round(class, 5.0).as_secs_f64();
            let used = share(moving, Class::Moving) + share(sleeping, Class::Sleeping);
            assert!((used - 5.0).abs() < 1e-6, "{moving} and {sleeping} use {used} of 5 requests per second");
        }
    }

    #[test]
    fn alone_in_its_class_a_job_waits_for_one_round() {
        assert_eq!(crowd(100, 0).round(Class::Moving, 5.0), Duration::from_secs(20));
        assert_eq!(crowd(0, 100).round(Class::Sleeping, 5.0), Duration::from_secs(22));
        assert_eq!(Crowd::default().round(Class::Moving, 5.0), Duration::ZERO);
    }

    #[test]
    fn one_that_moves_waits_little_however_many_sleep() {
        let crowd = crowd(1, 300);
        assert!(crowd.round(Class::Moving, 5.0) < Duration::from_millis(2_200));
        assert!(crowd.round(Class::Sleeping, 5.0) < Duration::from_millis(66_300));
    }

    #[test]
    fn those_that_move_leave_new_ones_their_round() {
        let crowd = Crowd { moving: 100, sleeping: 0, new: 300 };
        let used = 100.0 / crowd.round(Class::Moving, 5.0).as_secs_f64();
        assert!((used - 5.0 * (1.0 - 1.0 / PATIENCE)).abs() < 1e-6, "{used} of 5 requests per second");
    }

    #[test]
    fn new_ones_are_spread_over_their_round() {
        assert!((share(0, 100) - 0.01).abs() < 1e-9 && (share(99, 100) - 1.0).abs() < 1e-9);
        assert!((share(0, 0) - 1.0).abs() < 1e-9);
    }
}
