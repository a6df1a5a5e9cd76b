//! Tests of the rate of one account and region.

use super::*;
use crate::schedule::rate::{FLOOR, spacing};
use proptest::prelude::*;

mod moments;

const WALL: Timestamp = Timestamp::from_millis(0);

fn at(millis: u64) -> Tick {
    Tick::from_start(Duration::from_millis(millis))
}

fn lane(per_lane: f64, per_pool: f64, pools: usize) -> (Lane, Vec<PoolBucket>) {
    let mut lane = Lane::new(&Ceilings::new(per_lane, per_pool, 16).unwrap());
    let slots = (0..pools).map(|_| lane.add_pool()).collect();
    (lane, slots)
}

fn permit(pool: PoolBucket, sent: Tick) -> Permit {
    Permit { pool, operation: Operation::Describe, sent, gap: Duration::ZERO }
}

/// Answers, with no word of the quota.
fn answer(lane: &mut Lane, now: Tick, pool: PoolBucket, sent: Tick) {
    lane.answered(now, permit(pool, sent), Passage::Through);
}

/// Sends and has it throttled.
fn throttle(lane: &mut Lane, now: Tick, pool: PoolBucket, sent: Tick, hint: Option<Duration>) {
    lane.answered(now, permit(pool, sent), Passage::Throttled(hint));
}

fn ready(lane: &Lane, now: Tick, pool: PoolBucket) -> Option<Tick> {
    lane.ready_at(now, pool, Operation::Describe)
}

/// Sends as fast as the lane allows over a way that holds requests up, each by this many milliseconds there and
/// back, on top of the usual; gives the times of arrival.
fn flood_over_a_network(lane: &mut Lane, pool: PoolBucket, usual: u64, held_up: &[(u64, u64)]) -> Vec<Tick> {
    let (mut now, mut on_their_way, mut arrived) = (Tick::ZERO, Vec::new(), Vec::new());
    for (there, back) in held_up {
        loop {
            let ready = ready(lane, now, pool);
            on_their_way.sort_unstable();
            let first: Option<&(Tick, Tick)> = on_their_way.first();
            match (ready, first.copied()) {
                (Some(ready), answer) if answer.is_none_or(|(at, _)| ready < at) => {
                    now = now.max(ready);
                    break;
                }
                (_, Some((at, sent))) => {
                    now = now.max(at);
                    on_their_way.remove(0);
                    answer(lane, now, pool, sent);
                }
                (_, None) => unreachable!("a lane without requests on their way is ready at some time"),
            }
        }
        lane.take(now, pool, Operation::Describe);
        let arrival = now.plus(Duration::from_millis(usual / 2 + there));
        arrived.push(arrival);
        on_their_way.push((arrival.plus(Duration::from_millis(usual / 2 + back)), now));
    }
    arrived.sort_unstable();
    arrived
}

/// Sends as fast as the lane allows until `end` and answers at once; gives the times.
fn flood(lane: &mut Lane, pools: &[PoolBucket], mut now: Tick, end: Tick) -> Vec<(Tick, PoolBucket)> {
    let mut sent = Vec::new();
    loop {
        let next = pools.iter().map(|pool| (ready(lane, now, *pool).unwrap(), *pool)).min().unwrap();
        if next.0 > end {
            return sent;
        }
        now = next.0;
        lane.take(now, next.1, Operation::Describe);
        answer(lane, now, next.1, now);
        sent.push(next);
    }
}

fn within_ceiling(sent: &[Tick], rate: f64) -> bool {
    sent.iter().enumerate().all(|(i, first)| {
        sent[i..].iter().enumerate().all(|(more, last)| more as f64 <= rate * last.since(*first).as_secs_f64() + 1e-6)
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
fn a_request_that_is_held_up_holds_up_the_next_but_not_for_long() {
    let (mut lane, pools) = lane(20.0, 20.0, 1);
    let pool = pools[0];
    lane.take(at(0), pool, Operation::Describe);
    answer(&mut lane, at(30), pool, at(0));
    assert_eq!(ready(&lane, at(30), pool), Some(at(30).plus(spacing(20.0))), "it may have arrived with its answer");
    lane.take(at(100), pool, Operation::Describe);
    assert_eq!(ready(&lane, at(100), pool), Some(at(100 + 100).plus(spacing(20.0))), "it may be arriving still");
    answer(&mut lane, at(10_000), pool, at(100));
    assert_eq!(ready(&lane, at(10_000), pool), Some(at(10_000)), "what takes so long is the service");
}

#[test]
fn a_way_whose_trips_vary_all_the_time_costs_a_hundredth_of_the_rate() {
    let (mut lane, pools) = lane(20.0, 20.0, 1);
    let held_up: Vec<(u64, u64)> = (0..1_000).map(|trip| (0, [0, 5, 80, 20, 0, 40][trip % 6])).collect();
    let arrived = flood_over_a_network(&mut lane, pools[0], 20, &held_up);
    // What was saved up is used up by then.
    let rate = 800.0 / arrived[999].since(arrived[199]).as_secs_f64();
    let even = 1.0 / spacing(20.0).as_secs_f64();
    assert!(rate > even * 0.985 && rate < even, "{rate} requests per second");
}

#[test]
fn an_even_way_costs_no_rate_however_long_it_is() {
    for usual in [0, 20, 200] {
        let (mut lane, pools) = lane(20.0, 20.0, 1);
        let arrived = flood_over_a_network(&mut lane, pools[0], usual, &[(0, 0); 100]);
        let rate = 80.0 / arrived[99].since(arrived[19]).as_secs_f64();
        assert!(rate > 19.0, "{rate} requests per second over a way of {usual} ms");
    }
}

#[test]
fn a_burst_of_throttles_cuts_once() {
    let (mut lane, pools) = lane(20.0, 4.0, 1);
    for _ in 0..3 {
        lane.take(at(1_000), pools[0], Operation::Describe);
    }
    for millis in [1_010, 1_020, 1_030] {
        throttle(&mut lane, at(millis), pools[0], at(1_000), None);
    }
    assert!((lane.rate(at(1_010)) - 2.0).abs() < 0.01);
    assert!(ready(&lane, at(1_030), pools[0]).unwrap() >= at(1_500));
}

#[test]
fn a_second_pool_throttled_within_a_second_cuts_the_lane() {
    let (mut one, pools) = lane(6.0, 5.0, 3);
    throttle(&mut one, at(1_000), pools[0], at(990), None);
    assert!((one.rate(at(1_000)) - 6.0).abs() < 0.01, "the other pools have room");
    throttle(&mut one, at(1_500), pools[1], at(1_490), None);
    assert!((one.rate(at(1_500)) - 3.0).abs() < 0.01);
    let (mut apart, pools) = lane(6.0, 5.0, 3);
    throttle(&mut apart, at(1_000), pools[0], at(990), None);
    throttle(&mut apart, at(2_100), pools[1], at(2_090), None);
    assert!((apart.rate(at(2_100)) - 6.0).abs() < 0.01);
}

#[test]
fn a_cut_and_its_end_are_told_once_with_the_same_since() {
    let (mut lane, pools) = lane(5.0, 2.0, 1);
    assert_eq!(lane.change(at(0), WALL), None);
    throttle(&mut lane, at(1_000), pools[0], at(990), None);
    let since = Timestamp::from_millis(77);
    assert_eq!(lane.change(at(1_000), since), Some(RateChange::Throttled { requests_per_second: 1.0, since }));
    throttle(&mut lane, at(1_100), pools[0], at(1_050), None);
    assert_eq!(lane.change(at(1_100), WALL), None);
    assert_eq!(lane.recovers_at(at(1_100)), None, "nothing is let through");
    answer(&mut lane, at(3_000), pools[0], at(2_900));
    let whole = lane.recovers_at(at(3_000)).unwrap();
    assert_eq!(lane.change(whole, WALL), Some(RateChange::Recovered { requests_per_second: 2.0, since }));
    assert_eq!(lane.recovers_at(whole), None);
}

#[test]
fn total_throttling_is_probed_slowly_and_forever() {
    let (mut lane, pools) = lane(5.0, 2.0, 1);
    let mut now = Tick::ZERO;
    let mut sent = 0;
    while now < at(60_000) {
        now = ready(&lane, now, pools[0]).unwrap();
        lane.take(now, pools[0], Operation::Describe);
        answer(&mut lane, now, pools[0], now);
        throttle(&mut lane, now, pools[0], now, None);
        sent += 1;
    }
    assert!((25..=60).contains(&sent), "{sent}");
}

#[test]
fn a_hint_is_honoured_up_to_five_minutes() {
    let (mut lane, pools) = lane(5.0, 2.0, 2);
    throttle(&mut lane, at(0), pools[0], at(0), Some(Duration::from_secs(20)));
    assert_eq!(ready(&lane, at(0), pools[0]), Some(at(20_000)));
    assert!(ready(&lane, at(0), pools[1]).unwrap() < at(1_000));
    throttle(&mut lane, at(0), pools[1], at(0), Some(Duration::from_secs(999_999)));
    assert_eq!(ready(&lane, at(0), pools[1]), Some(at(300_000)));
}

#[test]
fn requests_on_their_way_are_bounded_and_the_first_is_alone() {
    let mut lane = Lane::new(&Ceilings::new(10_000.0, 10_000.0, 2).unwrap());
    let pool = lane.add_pool();
    lane.take(at(0), pool, Operation::Describe);
    assert_eq!(ready(&lane, at(5), pool), Some(at(10_000)), "until it is answered, or its time is up");
    answer(&mut lane, at(1), pool, at(0));
    assert_eq!(ready(&lane, at(5), pool), Some(at(5)));
    lane.take(at(5), pool, Operation::Describe);
    lane.take(at(6), pool, Operation::Describe);
    assert_eq!(ready(&lane, at(7), pool), None);
    answer(&mut lane, at(6), pool, at(5));
    answer(&mut lane, at(6), pool, at(6));
    assert_eq!(ready(&lane, at(7), pool), Some(at(7)));
}

#[test]
fn what_was_held_up_for_long_is_spaced_from_its_answer() {
    let (mut lane, pools) = lane(20.0, 5.0, 2);
    lane.take(at(0), pools[0], Operation::Describe);
    answer(&mut lane, at(4_000), pools[0], at(0));
    assert!(ready(&lane, at(4_000), pools[1]).unwrap() >= at(4_050));
    assert!(ready(&lane, at(4_000), pools[0]).unwrap() >= at(4_200));
}

#[test]
fn nothing_is_sent_into_a_silence_and_one_that_hangs_alone_is_none() {
    let (mut lane, pools) = lane(20.0, 20.0, 1);
    let pool = pools[0];
    let send = |lane: &mut Lane, now: Tick| {
        let at = ready(lane, now, pool).unwrap();
        lane.take(at, pool, Operation::Describe);
        at
    };
    for _ in 0..20 {
        let sent = send(&mut lane, at(0));
        answer(&mut lane, sent.plus(Duration::from_millis(2)), pool, sent);
    }
    // Credentials are fetched anew: nothing that is sent is answered.
    let begin = ready(&lane, at(0), pool).unwrap();
    let sent: Vec<Tick> = (0..4).map(|_| send(&mut lane, begin)).collect();
    assert!(sent[2].since(begin) < Duration::from_secs(1));
    assert!(sent[3].since(sent[2]) >= Duration::from_secs(10));
    answer(&mut lane, sent[3], pool, sent[0]);
    // One that hangs, and those behind it are answered.
    send(&mut lane, sent[3]);
    let mut now = sent[3];
    for _ in 0..20 {
        let sent = send(&mut lane, now);
        assert!(sent.since(now) < Duration::from_secs(1));
        now = sent.plus(Duration::from_millis(2));
        answer(&mut lane, now, pool, sent);
    }
}

proptest! {
    #[test]
    fn the_ceiling_holds_where_requests_arrive_although_some_are_held_up(
        usual in 0_u64..40, held_up in prop::collection::vec((0_u64..50, 0_u64..50), 1..9)
    ) {
        // The usual is known from requests that nothing held up, and is all that was waited for then.
        let held_up: Vec<(u64, u64)> = std::iter::repeat_n((0, 0), 40).chain(held_up).collect();
        let (mut lane, pools) = lane(20.0, 20.0, 1);
        let arrived = flood_over_a_network(&mut lane, pools[0], usual, &held_up);
        prop_assert!(within_ceiling(&arrived, 20.0), "{arrived:?}");
    }

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
            throttle(&mut lane, now, pools[pool], now, None);
        }
        let ticks: Vec<Tick> = sent.iter().map(|(tick, _)| *tick).collect();
        prop_assert!(within_ceiling(&ticks, rate));
        prop_assert!(lane.rate(now) >= FLOOR.min(rate) * 0.999);
    }
}
