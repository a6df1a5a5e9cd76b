//! Whose turn it is where not all can be asked at once: the one who may wait least, by its class.
//!
//! A job that moves may change any moment, one that sleeps was the same for long. So those that move go first, and of
//! one class the longest unasked. But nobody starves: those that sleep have a latest time, a little more than one
//! round of all jobs at the ceiling. While that is far off they let those that move go first; when it comes near,
//! those that move share what the others leave of the rate. Jobs that are new have their latest times spread over such
//! a round. All of that adds up to the rate that is reached, so that taking the earliest latest time first keeps it.

use std::time::Duration;

use super::job::JobSlot;
use super::rate::reached;
use crate::domain::Tick;

/// How many rounds of all jobs at the ceiling a job that sleeps may wait. What it is above 1 goes to those that move. The
/// gap between two looks at one that moves among 300 that do not, without lists, as a multiple of the wanted one in 99
/// of 100 looks; 1.2 leaves nothing of the 1.2 rounds after which nobody is to be unseen:
///
/// | rounds | over 5 pools | over 50 pools | sleeping ones seen within s, 99 of 100 |
/// | --- | --- | --- | --- |
/// | 1.12 | 1.62 | 1.50 | 66.4 |
/// | 1.15 | 1.29 | 1.10 | 67.9 |
/// | 1.18 | 1.00 | 1.00 | 68.1 |
/// | 1.2 | 1.00 | 1.00 | 68.1 |
const PATIENCE: f64 = 1.18;

/// The same for new jobs and, while there are any, for all: the sooner a status is known, the sooner we know who moves,
/// and 1.15 rounds are promised for the first one.
const PATIENCE_AT_FIRST: f64 = 1.1;

/// How much more it counts that one is late which does not move. A pool and its lane may get in each other's way; that
/// is to cost those that move, but not all they have. So many of 3,000 random plans (1,500 at 9) had a job that was
/// unseen for longer than 1.2 rounds and three requests:
///
/// | | plans | over by s at the most |
/// | --- | --- | --- |
/// | 4 | 5 | 2.1 |
/// | 9 | 2 of 1,500 | 3.1 |
/// | 19 | 15 | 6.7 |
const HASTE: u32 = 4;

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
        if job.is_doubted() {
            Self::Moving
        } else if job.is_new() {
            Self::New
        } else if job.is_active() {
            Self::Moving
        } else {
            Self::Sleeping
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

/// How long jobs wait from one question to the next where a ceiling binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// One that moves.
    pub(super) moving: Duration,
    /// One that does not.
    pub(super) patient: Duration,
    /// So long before its latest time one that does not move lets no other go first: what it may wait longer than a
    /// round.
    pub(super) margin: Duration,
}

impl Round {
    /// A round where both ceilings of a place bind. Those that sleep are not asked about more often than once in
    /// `interval`.
    pub(super) fn of(pool: Share<'_>, lane: Share<'_>, interval: Duration) -> Self {
        let patient = pool.patient().max(lane.patient());
        Self {
            moving: pool.moving(patient, interval).max(lane.moving(patient, interval)),
            patient,
            margin: pool.margin().max(lane.margin()),
        }
    }
}

/// Who shares which ceiling, in requests per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share<'a>(pub(super) &'a Crowd, pub(super) f64);

impl Share<'_> {
    /// How often a round of all at the ceiling goes into the wait of one that does not move.
    fn patience(self) -> f64 {
        if self.0.new > 0 { PATIENCE_AT_FIRST } else { PATIENCE }
    }

    /// A round of all at the ceiling, in seconds.
    fn all(self) -> f64 {
        f64::from(self.0.size()) / self.1
    }

    fn patient(self) -> Duration {
        seconds(self.all() * self.patience())
    }

    fn margin(self) -> Duration {
        seconds(self.all() * (self.patience() - 1.0))
    }

    /// What the others leave of the rate, shared by those that move.
    fn moving(self, patient: Duration, interval: Duration) -> Duration {
        let Self(crowd, ceiling) = self;
        let moving = f64::from(crowd.moving);
        // While there are new ones, their round is everybody's.
        let others = match crowd.new {
            0 if crowd.sleeping == 0 => 0.0,
            0 => f64::from(crowd.sleeping) / patient.max(interval).as_secs_f64(),
            _ => f64::from(crowd.size()) / patient.as_secs_f64(),
        };
        seconds(moving / (reached(ceiling) - others))
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
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

    /// That of a job which moves, asked about at `asked` and due again at `due`.
    pub(super) fn of_moving(asked: Tick, due: Tick) -> Self {
        Self { class: Class::Moving, asked, due, interval: Duration::ZERO, rank: None, lets_go: 0 }
    }

    /// That of a reading of so many pages which begins in this turn.
    pub(super) fn of_pages(self, pages: u32) -> Self {
        match self.class {
            Class::Moving => self,
            Class::Sleeping | Class::New => Self { lets_go: self.lets_go + pages.min(MOST_PAGES), ..self },
        }
    }

    /// The latest time of what has its turn at this place.
    pub(super) fn latest(&self, now: Tick, place: &Standing) -> Tick {
        let round = &place.round;
        let at = match (self.class, self.rank) {
            (Class::Moving, _) => self.asked.plus(round.moving).min(now.plus(round.margin)),
            (Class::Sleeping | Class::New, Some(rank)) => self.asked.plus(round.patient.mul_f64(place.share(rank))),
            // Jitter makes it due earlier than it has to be asked about.
            (Class::Sleeping | Class::New, None) => self.asked.plus(round.patient.max(self.interval)),
        };
        let latest = self.due.max(at).plus(place.spacing * self.lets_go);
        match self.class {
            Class::Moving => latest,
            Class::Sleeping | Class::New => latest.minus(now.since(latest) * HASTE),
        }
    }
}

/// How a pool stands in its lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) round: Round,
    /// The time between two requests at its own ceiling.
    pub(super) spacing: Duration,
    /// How many jobs it has.
    pub(super) size: u32,
    /// Its part of all pools' numbers, above 0 up to 1: so that the new jobs of all pools are spread, not only those
    /// of each.
    pub(super) phase: f64,
}

impl Standing {
    /// The part of a round after which the job is due that was the `rank`th new one of its pool, counted from 0.
    fn share(&self, rank: u32) -> f64 {
        let turn = f64::from(rank) + self.phase;
        turn / (f64::from(rank) + 1.0).max(f64::from(self.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(24);

    fn crowd(moving: u32, sleeping: u32, new: u32) -> Crowd {
        Crowd { moving, sleeping, new }
    }

    /// A round where only one ceiling of 5 requests per second binds.
    fn round(crowd: Crowd, interval: Duration) -> Round {
        Round::of(Share(&crowd, 5.0), Share(&crowd, 5.0), interval)
    }

    fn standing(round: Round) -> Standing {
        Standing { round, spacing: Duration::from_millis(500), size: 100, phase: 1.0 }
    }

    #[test]
    fn the_times_of_all_classes_add_up_to_the_rate_that_is_reached() {
        for (moving, sleeping) in [(1, 1), (1, 300), (50, 250), (300, 1), (1_000, 1_000)] {
            let round = round(crowd(moving, sleeping, 0), Duration::ZERO);
            let used =
                f64::from(moving) / round.moving.as_secs_f64() + f64::from(sleeping) / round.patient.as_secs_f64();
            assert!((used - reached(5.0)).abs() < 1e-6, "{moving} and {sleeping} use {used} requests per second");
        }
    }

    #[test]
    fn those_that_sleep_ask_for_no_more_than_their_interval_does() {
        let few = round(crowd(1, 20, 0), INTERVAL);
        assert!((1.0 / few.moving.as_secs_f64() - (reached(5.0) - 20.0 / 24.0)).abs() < 1e-6, "{few:?}");
        assert!(round(crowd(0, 100, 0), INTERVAL).moving.is_zero());
    }

    #[test]
    fn those_that_move_leave_new_ones_their_round() {
        let round = round(crowd(100, 0, 300), INTERVAL);
        let used = 100.0 / round.moving.as_secs_f64();
        assert!((used - (reached(5.0) - 5.0 / PATIENCE_AT_FIRST)).abs() < 1e-6, "{used} requests per second");
        assert_eq!(round.patient, Duration::from_secs_f64(80.0 * PATIENCE_AT_FIRST));
    }

    #[test]
    fn new_ones_are_spread_over_their_round() {
        let standing = standing(round(crowd(0, 0, 100), INTERVAL));
        assert!((standing.share(0) - 0.01).abs() < 1e-9 && (standing.share(99) - 1.0).abs() < 1e-9);
        let first_of_two = Standing { size: 0, phase: 0.5, ..standing };
        assert!((first_of_two.share(0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn one_that_moves_goes_first_until_the_latest_time_of_the_others_is_near() {
        let standing = standing(round(crowd(50, 50, 0), INTERVAL));
        let at = |seconds| Tick::from_start(Duration::from_secs_f64(seconds));
        let moving = Turn::of_moving(at(0.0), at(2.0));
        let sleeping = Turn { class: Class::Sleeping, interval: INTERVAL, lets_go: 1, ..moving };
        // 24 s is more than a round and its patience, and half a second for one that goes before it.
        assert_eq!(sleeping.latest(at(5.0), &standing), at(24.5));
        assert_eq!(moving.latest(at(5.0), &standing), at(5.0).plus(standing.round.margin));
        assert_eq!(moving.latest(at(100.0), &standing), at(0.0).plus(standing.round.moving));
    }

    #[test]
    fn one_that_sleeps_and_is_late_is_ever_more_so() {
        let standing = standing(round(crowd(0, 100, 0), INTERVAL));
        let at = |seconds| Tick::from_start(Duration::from_secs(seconds));
        let sleeping = Turn { class: Class::Sleeping, interval: INTERVAL, ..Turn::of_moving(at(6), at(6)) };
        assert_eq!(sleeping.latest(at(30), &standing), at(30));
        assert_eq!(sleeping.latest(at(32), &standing), at(30).minus(Duration::from_secs(2) * HASTE));
    }

    #[test]
    fn a_list_may_let_go_a_request_for_each_of_its_pages_unless_it_is_read_for_one_that_moves() {
        let moving = Turn::of_moving(Tick::ZERO, Tick::ZERO);
        assert_eq!(moving.of_pages(6).lets_go, 0);
        let sleeping = Turn { class: Class::Sleeping, lets_go: 1, ..moving };
        assert_eq!(sleeping.of_pages(6).lets_go, 7);
        assert_eq!(sleeping.of_pages(u32::MAX).lets_go, 1 + MOST_PAGES);
    }
}
