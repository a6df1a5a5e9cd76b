//! Tests of the very moments and numbers at which the rate changes.

use super::*;

/// Asks and is answered so many times, each after `took` milliseconds, and says when the last answer came.
fn usually(lane: &mut Lane, pool: PoolBucket, took: u64, times: u32) -> Tick {
    let mut now = Tick::ZERO;
    for _ in 0..times {
        let sent = ready(lane, now, pool).unwrap();
        lane.take(sent, pool, Operation::Describe);
        now = sent.plus(Duration::from_millis(took));
        answer(lane, now, pool, sent);
    }
    now
}

#[test]
fn answers_that_usually_take_an_interval_are_not_waited_for_from_the_ninth_request_on() {
    let waits = |answers| {
        let (mut lane, pools) = lane(20.0, 20.0, 1);
        let now = usually(&mut lane, pools[0], 53, answers);
        let sent = ready(&lane, now, pools[0]).unwrap();
        lane.take(sent, pools[0], Operation::Describe);
        ready(&lane, sent, pools[0]).unwrap().since(sent)
    };
    assert_eq!(waits(7), Duration::from_millis(100) + super::spacing(20.0), "what is usual is not known yet");
    assert_eq!(waits(8), super::spacing(20.0));
}

#[test]
fn as_many_as_are_on_a_long_way_and_three_more_make_a_silence() {
    let (mut lane, pools) = lane(20.0, 20.0, 1);
    let now = usually(&mut lane, pools[0], 200, 8);
    let mut sent = ready(&lane, now, pools[0]).unwrap();
    for _ in 0..7 {
        assert!(sent.since(now) < Duration::from_secs(1));
        lane.take(sent, pools[0], Operation::Describe);
        let next = ready(&lane, sent, pools[0]).unwrap();
        assert!(next > sent);
        sent = next;
    }
    assert!(sent.since(now) >= Duration::from_secs(10), "{:?}", sent.since(now));
}

#[test]
fn a_request_that_was_sent_when_the_rate_was_cut_is_no_longer_of_the_same_burst() {
    let (mut lane, pools) = lane(20.0, 4.0, 1);
    throttle(&mut lane, at(1_000), pools[0], at(990), None);
    throttle(&mut lane, at(1_000), pools[0], at(999), None);
    assert!((lane.rate(at(1_000)) - 2.0).abs() < 1e-9);
    throttle(&mut lane, at(1_000), pools[0], at(1_000), None);
    assert!((lane.rate(at(1_000)) - 1.0).abs() < 1e-9);
}

#[test]
fn after_a_cut_the_next_request_is_spaced_by_what_is_left_of_the_rate() {
    let (mut lane, pools) = lane(20.0, 8.0, 1);
    throttle(&mut lane, at(1_000), pools[0], at(1_000), None);
    assert_eq!(ready(&lane, at(1_000), pools[0]), Some(at(1_000).plus(super::spacing(4.0))));
}

#[test]
fn a_rate_that_was_cut_is_back_a_minute_for_each_halving_after_something_is_let_through() {
    for halvings in 1..=2_u64 {
        let (mut lane, pools) = lane(20.0, 4.0, 2);
        assert_eq!(lane.recovers_at(at(0)), None);
        for _ in 0..halvings {
            throttle(&mut lane, at(1_000), pools[0], at(1_000), None);
        }
        let _told = lane.change(at(1_000), WALL);
        assert_eq!(lane.recovers_at(at(1_000)), None);
        answer(&mut lane, at(2_000), pools[0], at(1_500));
        assert_eq!(lane.recovers_at(at(2_000)), Some(at(2_001 + 60_000 * halvings)));
        assert_eq!(lane.recovers_at(at(200_000)), Some(at(200_000)), "it was, and is to be told now");
    }
}

#[test]
fn changed_ceilings_are_in_force_at_once_and_a_rate_that_was_cut_stays_cut() {
    let (mut lane, pools) = lane(5.0, 2.0, 1);
    throttle(&mut lane, at(0), pools[0], at(0), None);
    lane.set_ceilings(&Ceilings::new(12.0, 8.0, 1).unwrap());
    assert!((lane.rate(at(0)) - 1.0).abs() < 1e-9);
    answer(&mut lane, at(1_000), pools[0], at(500));
    assert!((lane.rate(at(600_000)) - 8.0).abs() < 1e-9);
    let another = lane.add_pool();
    assert!((lane.rate(at(600_000)) - 12.0).abs() < 1e-9, "of two pools together, the lane's own");
    lane.take(at(600_000), another, Operation::Describe);
    assert_eq!(ready(&lane, at(600_000), pools[0]), None, "one on its way is the most");
}
