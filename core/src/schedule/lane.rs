//! The rate of one account and region: a bucket for the lane over a bucket for each of its pools.
//!
//! A bucket spaces requests evenly and saves nothing up, so that any T seconds hold at most rate × T + 1
//! requests. That is to hold where they arrive: a request that was late, on the way or in this machine, is closer to
//! the next one there than it was here. So the next one waits for as long as the answer took longer than usual. And
//! nothing is sent into a silence: what waits together here, for credentials say, would leave together.
//!
//! A throttle halves the pool's rate, once for all the requests that were on their way; a second pool throttled within
//! a second halves the lane's. A rate that was cut doubles every [`DOUBLING`] until it is back at its ceiling.

use std::time::Duration;

use super::Ceilings;
use crate::domain::{Tick, Timestamp};

/// How long a rate that was cut takes to double.
pub const DOUBLING: Duration = Duration::from_secs(5);

/// What a throttle leaves of a rate.
const CUT: f64 = 0.5;

/// The lowest rate of a bucket, in requests per second, where its ceiling is not lower still: enough to notice
/// the end of a throttle, too little to be a part of its cause.
const FLOOR: f64 = 0.5;

/// Two pools throttled within this time mean that the account's quota is used up, not a pool's.
const TOGETHER: Duration = Duration::from_secs(1);

/// The most of a hint to stay away that is honoured.
const LONGEST_HINT: Duration = Duration::from_secs(5 * 60);

/// How long an answer is waited for before one more request is sent into a silence: the default request timeout.
/// The first request of a lane is alone as long, for it opens the connection and loads the credentials.
const SILENCE: Duration = Duration::from_secs(10);

/// So many requests without an answer make a silence, where answers usually come before the next request is due. One
/// that hangs alone is none: those behind it are answered.
const MOST_UNANSWERED: f64 = 3.0;

/// By which part of it two requests are spaced further than the rate asks for: timers are not exact.
const SLACK: f64 = 0.01;

/// And by how much more, but for no more than [`MOST_SLACK`] of it: of two requests the first may be longer on its way
/// than the second, and its answer all the quicker.
const WAY_SLACK: Duration = Duration::from_millis(2);

/// The most of [`WAY_SLACK`], as a part of the spacing.
const MOST_SLACK: f64 = 0.04;

/// The most that the next request waits for one that is late. What takes longer is taken for a slow service, not for
/// a slow way there.
const MOST_LATE: Duration = Duration::from_millis(100);

/// So many answers must have come before the quickest of them is taken for the usual.
const USUAL_AFTER: u32 = 8;

/// The index of a pool in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolBucket(u32);

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
    pools: Vec<Bucket>,
    per_pool: f64,
    in_flight: usize,
    max_in_flight: usize,
    /// Requests sent since the newest answer.
    unanswered: u32,
    last_sent: Tick,
    quickest: Quickest,
    last_throttled: Option<(Tick, PoolBucket)>,
    cut_since: Option<Timestamp>,
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

/// Evenly spaced permits.
#[derive(Debug)]
struct Bucket {
    ceiling: f64,
    /// The rate right after the last cut, and when that was.
    cut: Option<(f64, Tick)>,
    next: Tick,
    /// When the newest request was sent, while it is not answered.
    open: Option<Tick>,
}

impl Bucket {
    fn new(ceiling: f64) -> Self {
        Self { ceiling, cut: None, next: Tick::ZERO, open: None }
    }

    fn rate(&self, now: Tick) -> f64 {
        self.cut.map_or(self.ceiling, |(rate, at)| {
            let doublings = now.since(at).as_secs_f64() / DOUBLING.as_secs_f64();
            (rate * doublings.exp2()).min(self.ceiling)
        })
    }

    fn take(&mut self, now: Tick) {
        self.next = now.plus(self.interval(now));
        self.open = Some(now);
    }

    fn interval(&self, now: Tick) -> Duration {
        spacing(self.rate(now))
    }

    /// When the next request may be sent: not while the newest is late, for then it may just be arriving. Where
    /// answers usually take longer than an interval, no answer tells nothing.
    fn ready_at(&self, usual: Duration) -> Tick {
        match self.open {
            Some(sent) if usual < self.interval(sent) => self.next.plus(MOST_LATE),
            Some(_) | None => self.next,
        }
    }

    /// The request sent at `sent` was answered, `late` later than usual.
    fn answered(&mut self, sent: Tick, late: Duration) {
        if self.open == Some(sent) {
            self.open = None;
            self.next = self.next.plus(late.min(MOST_LATE));
        }
    }

    /// A silence ended now: what was sent into it arrived now at the latest, and the next one is spaced from here.
    fn heard(&mut self, now: Tick) {
        self.next = self.next.max(now.plus(self.interval(now)));
    }

    /// Halves the rate, unless the request was sent before the last cut: it is part of the same burst.
    fn cut(&mut self, now: Tick, sent: Tick) {
        if self.cut.is_some_and(|(_, at)| sent < at) {
            return;
        }
        let rate = (self.rate(now) * CUT).max(FLOOR.min(self.ceiling));
        self.cut = Some((rate, now));
        self.next = self.next.max(now.plus(spacing(rate)));
    }

    /// When the rate is at its ceiling again; now, where it is.
    fn whole_at(&self, now: Tick) -> Tick {
        self.cut.map_or(now, |(rate, at)| {
            let doublings = (self.ceiling / rate).log2();
            now.max(at.plus(DOUBLING.mul_f64(doublings.max(0.0)) + Duration::from_millis(1)))
        })
    }
}

/// The time between two requests at this rate.
fn spacing(rate: f64) -> Duration {
    let even = Duration::from_secs_f64(1.0 / rate);
    even + even.mul_f64(SLACK) + WAY_SLACK.min(even.mul_f64(MOST_SLACK))
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
        }
    }

    /// Changes the ceilings; a rate that was cut stays cut.
    pub fn set_ceilings(&mut self, ceilings: &Ceilings) {
        self.bucket.ceiling = ceilings.per_lane();
        for pool in &mut self.pools {
            pool.ceiling = ceilings.per_pool();
        }
        self.per_pool = ceilings.per_pool();
        self.max_in_flight = ceilings.in_flight();
    }

    /// Makes room for one more pool.
    pub fn add_pool(&mut self) -> PoolBucket {
        let slot = PoolBucket(u32::try_from(self.pools.len()).unwrap_or(u32::MAX));
        self.pools.push(Bucket::new(self.per_pool));
        slot
    }

    /// When a request for this pool may be sent; `None` while too many are on their way.
    #[must_use]
    pub fn ready_at(&self, now: Tick, pool: PoolBucket) -> Option<Tick> {
        if self.in_flight >= self.max_in_flight {
            return None;
        }
        let usual = self.quickest.usual();
        let heard = if self.is_silent() { self.last_sent.plus(SILENCE) } else { Tick::ZERO };
        let of_pool = self.pools.get(pool.0 as usize).map_or(Tick::ZERO, |bucket| bucket.ready_at(usual));
        Some(now.max(heard).max(self.bucket.ready_at(usual)).max(of_pool))
    }

    /// When the pool's own bucket lets the next request through: the earlier, the longer ago it was used.
    #[must_use]
    pub fn pool_ready_at(&self, pool: PoolBucket) -> Tick {
        self.pools.get(pool.0 as usize).map_or(Tick::ZERO, |bucket| bucket.next)
    }

    /// Takes the permit for one request that is sent now.
    pub fn take(&mut self, now: Tick, pool: PoolBucket) {
        self.in_flight += 1;
        self.bucket.take(now);
        if let Some(bucket) = self.pools.get_mut(pool.0 as usize) {
            bucket.take(now);
        }
        self.unanswered = self.unanswered.saturating_add(1);
        self.last_sent = now;
    }

    /// Gives back the place of a request for this pool that was sent at `sent` and is answered now, or given up.
    pub fn answered(&mut self, now: Tick, pool: PoolBucket, sent: Tick) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let silent = self.is_silent();
        self.unanswered = 0;
        let took = now.since(sent);
        let late = took.saturating_sub(self.quickest.usual());
        self.quickest.note(took);
        self.bucket.answered(sent, late);
        if let Some(bucket) = self.pools.get_mut(pool.0 as usize) {
            bucket.answered(sent, late);
            if silent {
                bucket.heard(now);
            }
        }
        if silent {
            self.bucket.heard(now);
            self.pools.iter_mut().filter(|bucket| bucket.open.is_some()).for_each(|bucket| bucket.heard(now));
        }
    }

    /// Whether so many requests were sent since the newest answer that one has to be waited for: one, while the lane
    /// never had any.
    fn is_silent(&self) -> bool {
        let most = match self.quickest.answers {
            0 => 1.0,
            _ => MOST_UNANSWERED + (self.quickest.usual().as_secs_f64() * self.bucket.ceiling).floor(),
        };
        f64::from(self.unanswered) >= most
    }

    /// Slows down: a request sent at `sent` was throttled, with or without a hint of how long to stay away.
    pub fn throttled(&mut self, now: Tick, pool: PoolBucket, sent: Tick, hint: Option<Duration>) {
        let another = self.last_throttled.is_some_and(|(at, other)| other != pool && now.since(at) <= TOGETHER);
        if another {
            self.bucket.cut(now, sent);
        }
        self.last_throttled = Some((now, pool));
        if let Some(bucket) = self.pools.get_mut(pool.0 as usize) {
            bucket.cut(now, sent);
            if let Some(hint) = hint {
                bucket.next = bucket.next.max(now.plus(hint.min(LONGEST_HINT)));
            }
        }
    }

    /// The rate the lane has now, in requests per second: its own, or that of its pools together if that is less.
    #[must_use]
    pub fn rate(&self, now: Tick) -> f64 {
        let pools: f64 = self.pools.iter().map(|bucket| bucket.rate(now)).sum();
        self.bucket.rate(now).min(pools)
    }

    fn ceiling(&self) -> f64 {
        let pools: f64 = self.pools.iter().map(|bucket| bucket.ceiling).sum();
        self.bucket.ceiling.min(pools)
    }

    /// Whether the rate was cut or came back since this was asked last.
    pub fn change(&mut self, now: Tick, wall: Timestamp) -> Option<RateChange> {
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

    /// When the rate is back at its ceiling, so that it can be told; `None` where nothing was cut.
    #[must_use]
    pub fn recovers_at(&self, now: Tick) -> Option<Tick> {
        self.cut_since?;
        Some(self.pools.iter().map(|pool| pool.whole_at(now)).fold(self.bucket.whole_at(now), Tick::max))
    }
}

#[cfg(test)]
mod tests;
