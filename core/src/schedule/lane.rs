//! The rate of one account and region: a bucket for the lane over buckets for each of its pools.
//!
//! A bucket spaces requests evenly and saves nothing up, so that any T seconds hold at most rate × T + 1
//! requests. That is to hold where they arrive: a request that was late, on the way or in this machine, is closer to
//! the next one there than it was here. So the next one waits for as long as the answer took longer than usual, as far
//! as that costs next to nothing of the rate. And nothing is sent into a silence: what waits together here, for credentials say, would leave together.
//!
//! A pool has one bucket for all its requests and one for each operation, for so the service counts. A throttle cuts
//! that of its operation, once for all the requests that were on their way; a second pool throttled within a second
//! cuts the lane, and so does one that had hardly been asked for. `rate.rs` says how a rate comes back.

use std::time::Duration;

use super::Ceilings;
use super::rate::Bucket;
use crate::domain::{ErrorKind, PollError, Tick, Timestamp};

/// Two pools throttled within this time mean that the account's quota is used up, not a pool's.
const TOGETHER: Duration = Duration::from_secs(1);

/// A pool that was not asked for so many times the time between two requests at its ceiling is throttled for what
/// others use of the account's quota, not for what it had itself.
const IDLE: f64 = 3.0;

/// The most of a hint to stay away that is honoured.
const LONGEST_HINT: Duration = Duration::from_secs(5 * 60);

/// How long an answer is waited for before one more request is sent into a silence: the default request timeout.
/// The first request of a lane is alone as long, for it opens the connection and loads the credentials.
const SILENCE: Duration = Duration::from_secs(10);

/// So many requests without an answer make a silence, where answers usually come before the next request is due. One
/// that hangs alone is none: those behind it are answered.
const MOST_UNANSWERED: f64 = 3.0;

/// So many answers must have come before the quickest of them is taken for the usual.
const USUAL_AFTER: u32 = 8;

/// The index of a pool in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolBucket(u32);

/// What is asked, as the service counts it: per pool and operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// DescribeUserImportJob.
    Describe,
    /// ListUserImportJobs.
    List,
}

/// A request that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The pool it is about.
    pub pool: PoolBucket,
    /// What it asks.
    pub operation: Operation,
    /// When it was sent.
    pub sent: Tick,
    /// The time since the request for the same pool before it.
    pub gap: Duration,
}

/// What became of a request, as far as the quota goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// Answered, or failed for another reason than the quota.
    Through,
    /// Given up, or failed before the service could count it.
    Unknown,
    /// Throttled, with or without a hint of how long to stay away.
    Throttled(Option<Duration>),
}

impl Passage {
    /// What a failed request tells.
    #[must_use]
    pub fn of_failure(error: &PollError) -> Self {
        match error.kind {
            ErrorKind::Throttled => Self::Throttled(error.retry_after),
            // It may never have reached the service.
            ErrorKind::Transient => Self::Unknown,
            ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid => Self::Through,
        }
    }
}

/// A change of the lane's rate that is worth telling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RateChange {
    /// The rate was cut.
    Throttled {
        /// What is left, in requests per second.
        requests_per_second: f64,
        /// The first cut of the episode.
        since: Timestamp,
    },
    /// The rate is back at its ceiling.
    Recovered {
        /// The ceiling, in requests per second.
        requests_per_second: f64,
        /// The first cut of the episode.
        since: Timestamp,
    },
}

/// One account and region.
#[derive(Debug)]
pub struct Lane {
    bucket: Bucket,
    pools: Vec<PoolRates>,
    per_pool: f64,
    in_flight: usize,
    max_in_flight: usize,
    /// Requests sent since the newest answer.
    unanswered: u32,
    last_sent: Tick,
    quickest: Quickest,
    last_throttled: Option<(Tick, PoolBucket)>,
    cut_since: Option<Timestamp>,
    /// Whether a throttle came since the rate was looked at.
    is_cut_anew: bool,
}

/// The buckets of one pool.
#[derive(Debug)]
struct PoolRates {
    /// Every request: the ceiling of the config.
    all: Bucket,
    describe: Bucket,
    list: Bucket,
    last_sent: Option<Tick>,
}

impl PoolRates {
    fn new(ceiling: f64) -> Self {
        Self { all: Bucket::new(ceiling), describe: Bucket::new(ceiling), list: Bucket::new(ceiling), last_sent: None }
    }

    fn each(&mut self) -> [&mut Bucket; 3] {
        [&mut self.all, &mut self.describe, &mut self.list]
    }

    fn of(&self, operation: Operation) -> &Bucket {
        match operation {
            Operation::Describe => &self.describe,
            Operation::List => &self.list,
        }
    }

    fn of_mut(&mut self, operation: Operation) -> &mut Bucket {
        match operation {
            Operation::Describe => &mut self.describe,
            Operation::List => &mut self.list,
        }
    }

    /// That of the operation that may do less.
    fn rate(&self, now: Tick) -> f64 {
        self.describe.rate(now).min(self.list.rate(now))
    }
}

/// The shortest time from sending to the answer: the way there and back when nothing holds it up.
#[derive(Debug)]
struct Quickest {
    time: Duration,
    answers: u32,
}

impl Quickest {
    fn note(&mut self, took: Duration) {
        self.time = self.time.min(took);
        self.answers = self.answers.saturating_add(1);
    }

    /// Zero until it is known, which errs on the slow side.
    fn usual(&self) -> Duration {
        if self.answers < USUAL_AFTER { Duration::ZERO } else { self.time }
    }
}

impl Lane {
    /// A lane without pools.
    #[must_use]
    pub fn new(ceilings: &Ceilings) -> Self {
        Self {
            bucket: Bucket::new(ceilings.per_lane()),
            pools: Vec::new(),
            per_pool: ceilings.per_pool(),
            in_flight: 0,
            max_in_flight: ceilings.in_flight(),
            unanswered: 0,
            last_sent: Tick::ZERO,
            quickest: Quickest { time: Duration::MAX, answers: 0 },
            last_throttled: None,
            cut_since: None,
            is_cut_anew: false,
        }
    }

    /// Changes the ceilings; a rate that was cut stays cut.
    pub fn set_ceilings(&mut self, ceilings: &Ceilings) {
        self.bucket.set_ceiling(ceilings.per_lane());
        for bucket in self.pools.iter_mut().flat_map(PoolRates::each) {
            bucket.set_ceiling(ceilings.per_pool());
        }
        self.per_pool = ceilings.per_pool();
        self.max_in_flight = ceilings.in_flight();
    }

    /// Makes room for one more pool.
    pub fn add_pool(&mut self) -> PoolBucket {
        let slot = PoolBucket(u32::try_from(self.pools.len()).unwrap_or(u32::MAX));
        self.pools.push(PoolRates::new(self.per_pool));
        slot
    }

    /// The pool's number as a part of how many there are, above 0 up to 1.
    #[must_use]
    pub fn phase(&self, pool: PoolBucket) -> f64 {
        (f64::from(pool.0) + 1.0) / (self.pools.len() as f64).max(f64::from(pool.0) + 1.0)
    }

    /// When a request of this kind for this pool may be sent; `None` while too many are on their way.
    #[must_use]
    pub fn ready_at(&self, now: Tick, pool: PoolBucket, operation: Operation) -> Option<Tick> {
        if self.in_flight >= self.max_in_flight {
            return None;
        }
        let usual = self.quickest.usual();
        let heard = if self.is_silent() { self.last_sent.plus(SILENCE) } else { Tick::ZERO };
        let of_pool = self
            .pools
            .get(pool.0 as usize)
            .map_or(Tick::ZERO, |rates| rates.all.ready_at(usual).max(rates.of(operation).ready_at(usual)));
        Some(now.max(heard).max(self.bucket.ready_at(usual)).max(of_pool))
    }

    /// When the lane's own bucket lets the next request through, whatever the pools' say.
    #[must_use]
    pub fn opens_at(&self) -> Tick {
        self.bucket.ready_at(self.quickest.usual())
    }

    /// When the pool's own bucket lets the next request through: the earlier, the longer ago it was used.
    #[must_use]
    pub fn pool_ready_at(&self, pool: PoolBucket) -> Tick {
        self.pools.get(pool.0 as usize).map_or(Tick::ZERO, |rates| rates.all.next())
    }

    /// How long a request that is sent now keeps the lane from sending another one, or the pool, where it is for the
    /// same.
    #[must_use]
    pub fn keeps_busy(&self, now: Tick, pool: Option<PoolBucket>) -> Duration {
        let lane = self.bucket.interval(now);
        let pool = pool.and_then(|pool| self.pools.get(pool.0 as usize));
        pool.map_or(lane, |rates| rates.all.interval(now).max(lane))
    }

    /// Takes the permit for one request that is sent now.
    pub fn take(&mut self, now: Tick, pool: PoolBucket, operation: Operation) -> Permit {
        self.in_flight += 1;
        let usual = self.quickest.usual();
        self.bucket.take(now, usual);
        let mut gap = Duration::MAX;
        if let Some(rates) = self.pools.get_mut(pool.0 as usize) {
            rates.all.take(now, usual);
            rates.of_mut(operation).take(now, usual);
            gap = rates.last_sent.replace(now).map_or(Duration::MAX, |last| now.since(last));
        }
        self.unanswered = self.unanswered.saturating_add(1);
        self.last_sent = now;
        Permit { pool, operation, sent: now, gap }
    }

    /// Gives back the place of a request that is answered now, or given up, and learns how it went.
    pub fn answered(&mut self, now: Tick, permit: Permit, passage: Passage) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let silent = self.is_silent();
        self.unanswered = 0;
        let took = now.since(permit.sent);
        // After a silence all is spaced from the answer.
        let late = if silent { Duration::ZERO } else { took.saturating_sub(self.quickest.usual()) };
        self.quickest.note(took);
        self.bucket.answered(permit.sent, late);
        if let Some(rates) = self.pools.get_mut(permit.pool.0 as usize) {
            rates.all.answered(permit.sent, late);
            rates.of_mut(permit.operation).answered(permit.sent, late);
            if silent {
                rates.all.heard(now);
            }
        }
        if silent {
            self.bucket.heard(now);
            self.pools.iter_mut().filter(|rates| rates.all.is_open()).for_each(|rates| rates.all.heard(now));
        }
        match passage {
            Passage::Through => {
                self.bucket.let_through(now, permit.sent);
                if let Some(rates) = self.pools.get_mut(permit.pool.0 as usize) {
                    rates.of_mut(permit.operation).let_through(now, permit.sent);
                }
            }
            Passage::Unknown => {}
            Passage::Throttled(hint) => self.throttled(now, permit, hint),
        }
    }

    fn throttled(&mut self, now: Tick, permit: Permit, hint: Option<Duration>) {
        self.is_cut_anew = true;
        let another = self.last_throttled.is_some_and(|(at, pool)| pool != permit.pool && now.since(at) <= TOGETHER);
        let idle = permit.gap.as_secs_f64() * self.per_pool >= IDLE;
        if another || idle {
            self.bucket.cut(now, permit.sent);
        }
        self.last_throttled = Some((now, permit.pool));
        if let Some(rates) = self.pools.get_mut(permit.pool.0 as usize) {
            rates.of_mut(permit.operation).cut(now, permit.sent);
            if let Some(hint) = hint {
                rates.all.stay_away(now.plus(hint.min(LONGEST_HINT)));
            }
        }
    }

    /// Whether so many requests were sent since the newest answer that one has to be waited for: one, while the lane
    /// never had any.
    fn is_silent(&self) -> bool {
        let most = match self.quickest.answers {
            0 => 1.0,
            _ => MOST_UNANSWERED + (self.quickest.usual().as_secs_f64() * self.bucket.ceiling()).floor(),
        };
        f64::from(self.unanswered) >= most
    }

    /// The rate the lane has now, in requests per second: its own, or that of its pools together if that is less.
    #[must_use]
    pub fn rate(&self, now: Tick) -> f64 {
        let pools: f64 = self.pools.iter().map(|rates| rates.rate(now)).sum();
        self.bucket.rate(now).min(pools)
    }

    /// The rate it has where no throttle cuts it, in requests per second.
    #[must_use]
    pub fn ceiling(&self) -> f64 {
        let pools: f64 = self.pools.iter().map(|rates| rates.all.ceiling()).sum();
        self.bucket.ceiling().min(pools)
    }

    /// Requests on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether a cut was told by [`Lane::change`] that is not over yet.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut_since.is_some()
    }

    /// Whether the rate was cut or came back since this was asked last.
    pub fn change(&mut self, now: Tick, wall: Timestamp) -> Option<RateChange> {
        // Summing up the pools each time something happens would cost more than all else here.
        if self.cut_since.is_none() && !std::mem::take(&mut self.is_cut_anew) {
            return None;
        }
        let (rate, ceiling) = (self.rate(now), self.ceiling());
        match self.cut_since {
            None if rate < ceiling => {
                self.cut_since = Some(wall);
                Some(RateChange::Throttled { requests_per_second: rate, since: wall })
            }
            Some(since) if rate >= ceiling => {
                self.cut_since = None;
                Some(RateChange::Recovered { requests_per_second: ceiling, since })
            }
            None | Some(_) => None,
        }
    }

    /// When the rate is back at its ceiling, so that it can be told; `None` where nothing was cut, and while nothing
    /// is let through.
    #[must_use]
    pub fn recovers_at(&self, now: Tick) -> Option<Tick> {
        self.cut_since?;
        let pools = self.pools.iter().flat_map(|rates| [&rates.describe, &rates.list]);
        pools.map(|bucket| bucket.whole_at(now)).fold(self.bucket.whole_at(now), |a, b| Some(a?.max(b?)))
    }
}

#[cfg(test)]
mod tests;
