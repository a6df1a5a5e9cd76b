//! What people use instead: each job polled by itself, without a thought for the others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::time::Duration;

use cognito_import_watch_core::schedule::BackoffPolicy;

use crate::cognito::Operation;
use crate::cognito::life::STAGES;
use crate::ours::Scene;
use crate::record::Record;
use crate::time::{Nanos, SECOND, nanos};

/// How long a poller of one job waits.
#[derive(Clone, Debug)]
pub enum Peer {
    /// Always so long after an answer, whatever it was: a loop in a shell.
    Fixed(Nanos),
    /// The `backoff` crate as it comes: 0.5 s growing by 1.5 to 60 s, each shortened or lengthened by up to a half,
    /// from the start again at a change. That it gives up after 15 minutes is left out: it would see nothing more.
    BackoffDefaults,
    /// Intervals of ours, without anything that several jobs have in common.
    PerJob(BackoffPolicy),
    /// The waiters of the AWS SDKs with their defaults: between 2 s and a bound that doubles from 2 s to 120 s, in
    /// whole seconds, evenly by chance, until the longest wait (here: the run). By the specification an error that no
    /// acceptor names ends the wait; here a throttle is retried, which is kinder to them.
    /// <https://smithy.io/2.0/additional-specs/waiters.html#waiter-retries>
    Waiter,
}

/// The defaults of Smithy's waiters, in seconds.
const WAITER_MIN: u64 = 2;
const WAITER_MAX: u64 = 120;

/// What the last poll brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brought {
    Change,
    Nothing,
    Throttle,
}

/// A job's own state, as its poller keeps it.
#[derive(Clone, Copy, Debug, Default)]
struct Timer {
    interval: Nanos,
    attempts: u32,
    /// What was seen last, if anything: the stage and one, and the users imported.
    seen: (u32, u64),
}

impl Peer {
    /// How long after the answer the next request is sent.
    fn wait(
        &self,
        timer: &mut Timer,
        brought: Brought,
        takes: Nanos,
        left: Nanos,
        random: &mut fastrand::Rng,
    ) -> Nanos {
        timer.attempts += 1;
        match self {
            Self::Fixed(interval) => *interval,
            Self::BackoffDefaults => {
                let interval = match brought {
                    Brought::Change => SECOND / 2,
                    Brought::Nothing | Brought::Throttle => timer.interval.max(SECOND / 2),
                };
                timer.interval = (interval * 3 / 2).min(60 * SECOND);
                (interval as f64 * (0.5 + random.f64())) as Nanos
            }
            Self::PerJob(backoff) => {
                let before = match brought {
                    Brought::Change => None,
                    Brought::Nothing | Brought::Throttle => (timer.interval > 0).then_some(timer.interval),
                };
                let interval = backoff.after(before.map(Duration::from_nanos));
                timer.interval = nanos(interval);
                nanos(backoff.jittered(interval, random.f64())).saturating_sub(takes)
            }
            Self::Waiter => {
                let ceiling = (WAITER_MAX as f64 / WAITER_MIN as f64).log2() + 1.0;
                let most =
                    if f64::from(timer.attempts) > ceiling { WAITER_MAX } else { WAITER_MIN << (timer.attempts - 1) };
                let delay = random.u64(WAITER_MIN..=most) * SECOND;
                if left.saturating_sub(delay) <= WAITER_MIN * SECOND { left } else { delay }
            }
        }
    }

    /// The time over which pollers that were not started together are spread.
    fn spread(&self) -> Nanos {
        match self {
            Self::Fixed(interval) => *interval,
            Self::BackoffDefaults => 60 * SECOND,
            Self::PerJob(backoff) => nanos(backoff.max()),
            Self::Waiter => WAITER_MAX * SECOND,
        }
    }

    /// Runs one poller for each job through a scene.
    #[must_use]
    pub fn run(&self, scene: Scene, begin: Begin) -> Record {
        let Scene { mut cognito, way, neighbour, window, seed } = scene;
        let mut record = Record::new(&cognito, window, None);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut timers = vec![Timer::default(); cognito.job_count()];
        let mut other_asks = neighbour.next(0, &mut random);
        let spread = match begin {
            Begin::Together => 1,
            Begin::Spread => self.spread(),
        };
        // By the time at which a request comes to the service.
        let mut arrivals: BinaryHeap<Reverse<(Nanos, u32)>> = (0..u32::try_from(timers.len()).unwrap_or(u32::MAX))
            .map(|job| Reverse((random.u64(..spread), job)))
            .collect();
        while let Some(mut next) = arrivals.peek_mut() {
            let Reverse((now, index)) = *next;
            if now > window.until {
                break;
            }
            while other_asks <= now {
                record.other(other_asks, cognito.admit_other(other_asks, 0));
                other_asks = neighbour.next(other_asks, &mut random);
            }
            let job = index as usize;
            let (Some((pool, account)), Some(timer)) = (cognito.place(job), timers.get_mut(job)) else { break };
            let takes = way.draw(&mut random);
            let answered = now + takes / 2;
            record.sent(now, account, pool, Operation::Describe);
            let brought = if cognito.admit(now, pool, Operation::Describe) {
                let life = cognito.life(job);
                let stage = life.stage(now);
                record.looked(answered, &cognito, job, stage, None);
                if stage == STAGES - 1 {
                    PeekMut::pop(next);
                    continue;
                }
                let shown = (stage as u32 + 1, life.imported(now));
                let changed = std::mem::replace(&mut timer.seen, shown) != shown;
                if changed { Brought::Change } else { Brought::Nothing }
            } else {
                record.throttled(now, account);
                Brought::Throttle
            };
            let left = window.until.saturating_sub(answered);
            let wait = self.wait(timer, brought, takes, left, &mut random);
            next.0 = (answered + wait + way.least / 2, index);
        }
        drop(arrivals);
        record.close(&cognito);
        record
    }
}

/// How the pollers of several jobs begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// All at once.
    Together,
    /// Spread over their longest interval.
    Spread,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{as_seconds, seconds};

    fn waits(peer: &Peer, brought: Brought, count: usize) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(1);
        let mut timer = Timer::default();
        (0..count).map(|_| as_seconds(peer.wait(&mut timer, brought, 0, seconds(1e6), &mut random))).collect()
    }

    #[test]
    fn a_waiter_waits_between_two_seconds_and_a_bound_that_doubles() {
        let waits = waits(&Peer::Waiter, Brought::Nothing, 1_000);
        for (attempt, wait) in waits.iter().enumerate() {
            let most = if attempt < 6 { 2.0 * f64::from(1 << attempt) } else { 120.0 };
            assert!((2.0..=most).contains(wait), "{wait} at retry {attempt}");
        }
        assert_eq!(waits[0], 2.0);
        let later: f64 = waits[100..].iter().sum::<f64>() / 900.0;
        assert!((59.0..63.0).contains(&later), "the mean is {later}");
    }

    #[test]
    fn a_waiter_asks_once_more_at_the_end_of_its_time() {
        let mut timer = Timer { attempts: 20, ..Timer::default() };
        let left = 3 * SECOND;
        let wait = Peer::Waiter.wait(&mut timer, Brought::Nothing, 0, left, &mut fastrand::Rng::with_seed(1));
        assert_eq!(wait, left);
    }

    #[test]
    fn the_crates_defaults_grow_to_a_minute_and_a_half() {
        let waits = waits(&Peer::BackoffDefaults, Brought::Throttle, 1_000);
        assert!((0.25..0.75).contains(&waits[0]));
        assert!(waits[50..].iter().all(|wait| (30.0..=90.0).contains(wait)));
    }

    #[test]
    fn our_intervals_grow_while_nothing_changes_and_start_again_at_a_change() {
        let peer = Peer::PerJob(BackoffPolicy::default());
        let waits = waits(&peer, Brought::Nothing, 20);
        assert!((1.6..=2.0).contains(&waits[0]) && (24.0..=30.0).contains(&waits[19]), "{waits:?}");
        let changes = self::waits(&peer, Brought::Change, 20);
        assert!(changes.iter().all(|wait| (1.6..=2.0).contains(wait)));
    }
}
