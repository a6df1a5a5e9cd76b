//! The notes of a run: who was looked at when, and what was sent.

use super::{Latency, Spacing};
use crate::cognito::life::STAGES;
use crate::cognito::{Cognito, JobIndex, Operation};
use crate::time::{NEVER, Nanos, SECOND, as_seconds};

/// The part of a run that counts.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Changes count from here on: what was before is start-up.
    pub from: Nanos,
    /// Changes count until here.
    pub to: Nanos,
    /// The end of the run. Changes have from `to` until here to be seen; one that is not is seen now.
    pub until: Nanos,
}

#[derive(Clone, Copy, Debug)]
struct Sight {
    first: Nanos,
    last: Nanos,
    stage: usize,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Record {
    window: Window,
    sights: Vec<Sight>,
    /// The latency of changes of jobs that were started.
    pub moving: Latency,
    /// The latency of changes of jobs that sleep.
    pub sleeping: Latency,
    /// By stage, the latencies in seconds of the jobs that came to it.
    pub found: [Vec<f64>; STAGES],
    /// By how much the gap between two looks at a started job was longer than wanted: 1 is as wanted.
    pub stretch: Vec<f64>,
    /// The longest time that a job was not looked at, from the very start.
    pub longest_unseen: Nanos,
    /// Our requests by account and second.
    pub sent: Vec<Vec<u32>>,
    /// Those of them that were throttled.
    pub throttled: Vec<Vec<u32>>,
    /// Another caller's requests by second, and those of them that were throttled.
    pub others: Vec<(u32, u32)>,
    lanes: Vec<Spacing>,
    pools: Vec<[Spacing; 2]>,
}

impl Record {
    /// Notes on a run against this service. `ceilings` are the rates of an account and of a pool's operation that
    /// are never to be passed, in requests per second, where there are any.
    #[must_use]
    pub fn new(cognito: &Cognito, window: Window, ceilings: Option<(f64, f64)>) -> Self {
        let length = usize::try_from(window.until / SECOND).unwrap_or(usize::MAX - 1) + 1;
        let by_second = vec![vec![0; length]; cognito.account_count()];
        let spaced = |rate: Option<f64>, count| rate.map_or(Vec::new(), |rate| vec![Spacing::new(rate); count]);
        let pools = spaced(ceilings.map(|(_, pool)| pool), cognito.pool_count());
        Self {
            window,
            sights: vec![Sight { first: NEVER, last: 0, stage: 0 }; cognito.job_count()],
            moving: Latency::default(),
            sleeping: Latency::default(),
            found: Default::default(),
            stretch: Vec::new(),
            longest_unseen: 0,
            sent: by_second.clone(),
            throttled: by_second,
            others: vec![(0, 0); length],
            lanes: spaced(ceilings.map(|(lane, _)| lane), cognito.account_count()),
            pools: pools.into_iter().map(|pool| [pool.clone(), pool]).collect(),
        }
    }

    /// A request was sent.
    pub fn sent(&mut self, at: Nanos, account: usize, pool: usize, operation: Operation) {
        count(&mut self.sent, account, at);
        if let Some(lane) = self.lanes.get_mut(account) {
            lane.request(at);
        }
        if let Some([describe, list]) = self.pools.get_mut(pool) {
            match operation {
                Operation::Describe => describe.request(at),
                Operation::List => list.request(at),
            }
        }
    }

    /// A request of ours was throttled.
    pub fn throttled(&mut self, at: Nanos, account: usize) {
        count(&mut self.throttled, account, at);
    }

    /// Another caller asked.
    pub fn other(&mut self, at: Nanos, admitted: bool) {
        if let Some((asked, refused)) = second(&mut self.others, at) {
            *asked += 1;
            *refused += u32::from(!admitted);
        }
    }

    /// A job was looked at and is known to be at this stage; one that is over is not looked at any more. `wanted` is the gap since the last look that was
    /// wanted, where it is known.
    pub fn looked(&mut self, at: Nanos, cognito: &Cognito, job: JobIndex, stage: usize, wanted: Option<Nanos>) {
        let Some(sight) = self.sights.get_mut(job).filter(|sight| sight.stage < STAGES - 1) else { return };
        let life = cognito.life(job);
        if sight.first == NEVER {
            sight.first = at;
        } else if let Some(wanted) = wanted
            && sight.last >= self.window.from
            && life.is_active(sight.last)
        {
            self.stretch.push(as_seconds(at - sight.last) / as_seconds(wanted));
        }
        for stage in sight.stage + 1..=stage {
            let since = life.since(stage);
            if since > 0
                && let Some(found) = self.found.get_mut(stage)
            {
                found.push(as_seconds(at.saturating_sub(since)));
            }
        }
        sight.stage = sight.stage.max(stage);
        let last = std::mem::replace(&mut sight.last, at);
        self.gap(last, at, life.is_active(last));
    }

    /// The run is over: who was not seen since is unseen so far.
    pub fn close(&mut self, cognito: &Cognito) {
        for job in 0..self.sights.len() {
            let Some(sight) = self.sights.get(job).copied() else { continue };
            if sight.stage < STAGES - 1 {
                self.gap(sight.last, self.window.until, cognito.life(job).is_active(sight.last));
            }
        }
    }

    fn gap(&mut self, last: Nanos, at: Nanos, active: bool) {
        // An answer that is on its way at the end may come after it.
        self.longest_unseen = self.longest_unseen.max(at.saturating_sub(last));
        let (from, to) = (last.max(self.window.from), at.min(self.window.to));
        if from < to {
            let latency = if active { &mut self.moving } else { &mut self.sleeping };
            latency.add(from, to, at);
        }
    }

    /// Takes over what another run of the same kind measured.
    pub fn merge(&mut self, other: &Self) {
        self.sights.extend_from_slice(&other.sights);
        self.moving.merge(&other.moving);
        self.sleeping.merge(&other.sleeping);
        self.stretch.extend_from_slice(&other.stretch);
        for (found, more) in self.found.iter_mut().zip(&other.found) {
            found.extend_from_slice(more);
        }
        self.longest_unseen = self.longest_unseen.max(other.longest_unseen);
        self.sent.extend_from_slice(&other.sent);
        self.throttled.extend_from_slice(&other.throttled);
        for ((asked, refused), (more, more_refused)) in self.others.iter_mut().zip(&other.others) {
            *asked += more;
            *refused += more_refused;
        }
        self.lanes.extend_from_slice(&other.lanes);
        self.pools.extend_from_slice(&other.pools);
    }

    /// When each job was first looked at, in seconds; infinite for one that never was.
    #[must_use]
    pub fn first_looks(&self) -> Vec<f64> {
        let seconds = |first| if first == NEVER { f64::INFINITY } else { as_seconds(first) };
        self.sights.iter().map(|sight| seconds(sight.first)).collect()
    }

    /// Our requests from one second to another, over all accounts and runs.
    #[must_use]
    pub fn sent_between(&self, from: Nanos, to: Nanos) -> f64 {
        sum(&self.sent, from, to)
    }

    /// The part of our requests from one second to another that was throttled, in percent.
    #[must_use]
    pub fn throttled_percent(&self, from: Nanos, to: Nanos) -> f64 {
        100.0 * sum(&self.throttled, from, to) / self.sent_between(from, to).max(1.0)
    }

    /// How many accounts were used, over all runs.
    #[must_use]
    pub fn accounts(&self) -> f64 {
        self.sent.len() as f64
    }

    /// The part of another caller's requests from one second to another that was throttled, in percent.
    #[must_use]
    pub fn others_throttled_percent(&self, from: Nanos, to: Nanos) -> f64 {
        let (mut asked, mut refused) = (0.0, 0.0);
        for (more, more_refused) in self.others.get(seconds_of(from, to, self.others.len())).into_iter().flatten() {
            asked += f64::from(*more);
            refused += f64::from(*more_refused);
        }
        100.0 * refused / f64::max(asked, 1.0)
    }

    /// By how many requests a lane passed its ceiling at the most; below 0 when none did.
    #[must_use]
    pub fn lane_over(&self) -> f64 {
        self.lanes.iter().map(Spacing::over).fold(f64::NEG_INFINITY, f64::max)
    }

    /// By how many requests a pool's operation passed its ceiling at the most; below 0 when none did.
    #[must_use]
    pub fn pool_over(&self) -> f64 {
        self.pools.iter().flatten().map(Spacing::over).fold(f64::NEG_INFINITY, f64::max)
    }
}

fn second<T>(counts: &mut [T], at: Nanos) -> Option<&mut T> {
    counts.get_mut(usize::try_from(at / SECOND).ok()?)
}

fn count(counts: &mut [Vec<u32>], account: usize, at: Nanos) {
    if let Some(count) = counts.get_mut(account).and_then(|counts| second(counts, at)) {
        *count += 1;
    }
}

fn seconds_of(from: Nanos, to: Nanos, length: usize) -> std::ops::Range<usize> {
    let of = |at: Nanos| usize::try_from(at / SECOND).unwrap_or(usize::MAX).min(length);
    of(from)..of(to).max(of(from))
}

fn sum(counts: &[Vec<u32>], from: Nanos, to: Nanos) -> f64 {
    let of = |counts: &Vec<u32>| -> f64 {
        counts.get(seconds_of(from, to, counts.len())).into_iter().flatten().map(|count| f64::from(*count)).sum()
    };
    counts.iter().map(of).sum()
}
