//! The rate of one account and region: a bucket for the lane over a bucket for each of its pools.
//!
//! A bucket spaces requests evenly and saves nothing up, so that any T seconds hold at most rate × T + 1
//! requests. A throttle halves the pool's rate, once for all the requests that were on their way; a second pool
//! throttled within a second halves the lane's. A rate that was cut doubles every [`DOUBLING`] until it is back
//! at its ceiling.

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

/// How long the first request of a lane is alone on its way. It opens the connection and loads the credentials;
/// a second one beside it would arrive closer behind it than it was sent.
const OPENING: Duration = Duration::from_secs(1);

/// By how much two requests are spaced further than the rate asks for: the time between sending and arriving
/// varies by some milliseconds, and the ceiling holds where they arrive.
const SLACK: f64 = 1.03;

/// The index of a pool in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolSlot(u32);

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
    opening: Opening,
    last_throttled: Option<(Tick, PoolSlot)>,
    cut_since: Option<Timestamp>,
}

#[derive(Debug)]
enum Opening {
    Unused,
    First { sent: Tick },
    Open,
}

/// Evenly spaced permits.
#[derive(Debug)]
struct Bucket {
    ceiling: f64,
    /// The rate right after the last cut, and when that was.
    cut: Option<(f64, Tick)>,
    next: Tick,
}

impl Bucket {
    fn new(ceiling: f64) -> Self {
        Self { ceiling, cut: None, next: Tick::ZERO }
    }

    fn rate(&self, now: Tick) -> f64 {
        self.cut.map_or(self.ceiling, |(rate, at)| {
            let doublings = now.since(at).as_secs_f64() / DOUBLING.as_secs_f64();
            (rate * doublings.exp2()).min(self.ceiling)
        })
    }

    fn take(&mut self, now: Tick) {
        self.next = now.plus(Duration::from_secs_f64(SLACK / self.rate(now)));
    }

    /// Halves the rate, unless the request was sent before the last cut: it is part of the same burst.
    fn cut(&mut self, now: Tick, sent: Tick) {
        if self.cut.is_some_and(|(_, at)| sent < at) {
            return;
        }
        let rate = (self.rate(now) * CUT).max(FLOOR.min(self.ceiling));
        self.cut = Some((rate, now));
        self.next = self.next.max(now.plus(Duration::from_secs_f64(SLACK / rate)));
    }

    /// When the rate is at its ceiling again; `None` where it is.
    fn whole_at(&self, now: Tick) -> Option<Tick> {
        let (rate, at) = self.cut?;
        let doublings = (self.ceiling / rate).log2();
        let whole = at.plus(DOUBLING.mul_f64(doublings.max(0.0)) + Duration::from_millis(1));
        (whole > now).then_some(whole)
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
            opening: Opening::Unused,
            last_throttled: None,
            cut_since: None,
        }
    }

    /// Makes room for one more pool.
    pub fn add_pool(&mut self) -> PoolSlot {
        let slot = PoolSlot(u32::try_from(self.pools.len()).unwrap_or(u32::MAX));
        self.pools.push(Bucket::new(self.per_pool));
        slot
    }

    /// When a request for this pool may be sent; `None` while too many are on their way.
    #[must_use]
    pub fn ready_at(&self, now: Tick, pool: PoolSlot) -> Option<Tick> {
        if self.in_flight >= self.max_in_flight {
            return None;
        }
        let opened = match self.opening {
            Opening::First { sent } => sent.plus(OPENING),
            Opening::Unused | Opening::Open => Tick::ZERO,
        };
        Some(now.max(opened).max(self.bucket.next).max(self.pool_ready_at(pool)))
    }

    /// When the pool's own bucket lets the next request through: the earlier, the longer ago it was used.
    #[must_use]
    pub fn pool_ready_at(&self, pool: PoolSlot) -> Tick {
        self.pools.get(pool.0 as usize).map_or(Tick::ZERO, |bucket| bucket.next)
    }

    /// Takes the permit for one request that is sent now.
    pub fn take(&mut self, now: Tick, pool: PoolSlot) {
        self.in_flight += 1;
        self.bucket.take(now);
        if let Some(bucket) = self.pools.get_mut(pool.0 as usize) {
            bucket.take(now);
        }
        self.opening = match self.opening {
            Opening::Unused => Opening::First { sent: now },
            Opening::First { .. } | Opening::Open => Opening::Open,
        };
    }

    /// Gives back the place of a request that was answered, or was given up.
    pub fn answered(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.opening = Opening::Open;
    }

    /// Slows down: a request sent at `sent` was throttled, with or without a hint of how long to stay away.
    pub fn throttled(&mut self, now: Tick, pool: PoolSlot, sent: Tick, hint: Option<Duration>) {
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
        let whole = |bucket: &Bucket| bucket.whole_at(now).unwrap_or(now);
        Some(self.pools.iter().map(whole).fold(whole(&self.bucket), Tick::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WALL: Timestamp = Timestamp::from_millis(0);

    fn at(millis: u64) -> Tick {
        Tick::from_start(Duration::from_millis(millis))
    }

    fn lane(per_lane: f64, per_pool: f64, pools: usize) -> (Lane, Vec<PoolSlot>) {
        let mut lane = Lane::new(&Ceilings::new(per_lane, per_pool, 16).unwrap());
        let slots = (0..pools).map(|_| lane.add_pool()).collect();
        (lane, slots)
    }

    /// Sends as fast as the lane allows until `end` and answers at once; gives the times.
    fn flood(lane: &mut Lane, pools: &[PoolSlot], mut now: Tick, end: Tick) -> Vec<(Tick, PoolSlot)> {
        let mut sent = Vec::new();
        loop {
            let next = pools.iter().map(|pool| (lane.ready_at(now, *pool).unwrap(), *pool)).min().unwrap();
            if next.0 > end {
                return sent;
            }
            now = next.0;
            lane.take(now, next.1);
            lane.answered();
            sent.push(next);
        }
    }

    fn within_ceiling(sent: &[Tick], rate: f64) -> bool {
        sent.iter().enumerate().all(|(i, first)| {
            sent[i..]
                .iter()
                .enumerate()
                .all(|(more, last)| more as f64 <= rate * last.since(*first).as_secs_f64() + 1e-6)
        })
    }

    #[test]
    fn any_window_holds_at_most_rate_times_its_length_and_one() {
        let (mut lane, pools) = lane(5.0, 2.0, 4);
        let sent = flood(&mut lane, &pools, Tick::ZERO, at(20_000));
        let all: Vec<Tick> = sent.iter().map(|(tick, _)| *tick).collect();
        assert!(within_ceiling(&all, 5.0));
        for pool in &pools {
            let of_pool: Vec<Tick> = sent.iter().filter(|(_, p)| p == pool).map(|(tick, _)| *tick).collect();
            assert!(within_ceiling(&of_pool, 2.0));
        }
        assert!(sent.len() >= 97, "the ceiling is used: {}", sent.len());
    }

    #[test]
    fn a_burst_of_throttles_cuts_once() {
        let (mut lane, pools) = lane(20.0, 4.0, 1);
        for _ in 0..3 {
            lane.take(at(1_000), pools[0]);
        }
        for millis in [1_010, 1_020, 1_030] {
            lane.throttled(at(millis), pools[0], at(1_000), None);
        }
        assert!((lane.rate(at(1_010)) - 2.0).abs() < 0.01);
        assert!(lane.ready_at(at(1_030), pools[0]).unwrap() >= at(1_500));
    }

    #[test]
    fn a_second_pool_throttled_within_a_second_cuts_the_lane() {
        let (mut one, pools) = lane(6.0, 5.0, 3);
        one.throttled(at(1_000), pools[0], at(990), None);
        assert!((one.rate(at(1_000)) - 6.0).abs() < 0.01, "the other pools have room");
        one.throttled(at(1_500), pools[1], at(1_490), None);
        assert!((one.rate(at(1_500)) - 3.0).abs() < 0.01);
        let (mut apart, pools) = lane(6.0, 5.0, 3);
        apart.throttled(at(1_000), pools[0], at(990), None);
        apart.throttled(at(2_100), pools[1], at(2_090), None);
        assert!((apart.rate(at(2_100)) - 6.0).abs() < 0.01);
    }

    #[test]
    fn a_cut_and_its_end_are_told_once_with_the_same_since() {
        let (mut lane, pools) = lane(5.0, 2.0, 1);
        assert_eq!(lane.change(at(0), WALL), None);
        lane.throttled(at(1_000), pools[0], at(990), None);
        let since = Timestamp::from_millis(77);
        assert_eq!(lane.change(at(1_000), since), Some(RateChange::Throttled { requests_per_second: 1.0, since }));
        lane.throttled(at(1_100), pools[0], at(1_050), None);
        assert_eq!(lane.change(at(1_100), WALL), None);
        let whole = lane.recovers_at(at(1_100)).unwrap();
        assert_eq!(lane.change(whole, WALL), Some(RateChange::Recovered { requests_per_second: 2.0, since }));
        assert_eq!(lane.recovers_at(whole), None);
    }

    #[test]
    fn total_throttling_is_probed_slowly_and_forever() {
        let (mut lane, pools) = lane(5.0, 2.0, 1);
        let mut now = Tick::ZERO;
        let mut sent = 0;
        while now < at(60_000) {
            now = lane.ready_at(now, pools[0]).unwrap();
            lane.take(now, pools[0]);
            lane.answered();
            lane.throttled(now, pools[0], now, None);
            sent += 1;
        }
        assert!((25..=60).contains(&sent), "{sent}");
    }

    #[test]
    fn a_hint_is_honoured_up_to_five_minutes() {
        let (mut lane, pools) = lane(5.0, 2.0, 2);
        lane.throttled(at(0), pools[0], at(0), Some(Duration::from_secs(20)));
        assert_eq!(lane.ready_at(at(0), pools[0]), Some(at(20_000)));
        assert!(lane.ready_at(at(0), pools[1]).unwrap() < at(1_000));
        lane.throttled(at(0), pools[1], at(0), Some(Duration::from_secs(999_999)));
        assert_eq!(lane.ready_at(at(0), pools[1]), Some(at(300_000)));
    }

    #[test]
    fn requests_on_their_way_are_bounded_and_the_first_is_alone() {
        let mut lane = Lane::new(&Ceilings::new(10_000.0, 10_000.0, 2).unwrap());
        let pool = lane.add_pool();
        lane.take(at(0), pool);
        assert_eq!(lane.ready_at(at(5), pool), Some(at(1_000)), "for a second at the most");
        lane.answered();
        assert_eq!(lane.ready_at(at(5), pool), Some(at(5)));
        lane.take(at(5), pool);
        lane.take(at(6), pool);
        assert_eq!(lane.ready_at(at(7), pool), None);
        lane.answered();
        assert_eq!(lane.ready_at(at(7), pool), Some(at(7)));
    }

    proptest! {
        #[test]
        fn the_ceiling_holds_whatever_is_throttled(
            throttles in prop::collection::vec((0_u64..30_000, 0_usize..3), 0..30), rate in 0.2_f64..50.0
        ) {
            let (mut lane, pools) = lane(rate, rate / 2.0, 3);
            let mut throttles = throttles;
            throttles.sort_unstable();
            let mut sent = Vec::new();
            let mut now = Tick::ZERO;
            for (millis, pool) in throttles {
                sent.extend(flood(&mut lane, &pools, now, at(millis)));
                now = at(millis);
                lane.throttled(now, pools[pool], now, None);
            }
            let ticks: Vec<Tick> = sent.iter().map(|(tick, _)| *tick).collect();
            prop_assert!(within_ceiling(&ticks, rate));
            prop_assert!(lane.rate(now) >= FLOOR.min(rate) * 0.999);
        }
    }
}
