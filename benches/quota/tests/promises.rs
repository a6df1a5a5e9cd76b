//! The promises that need the order of polls by class, lists, a rate that remembers, and one that yields.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::time::Duration;

use cognito_import_quota::cognito::{Cognito, Life, Neighbour, Quota, Way};
use cognito_import_quota::ours::{Asking, Ours, Scene};
use cognito_import_quota::population::{DEFAULT, FULL, Poller, neighbour, outage, start, stress, usual};
use cognito_import_quota::record::Window;
use cognito_import_quota::time::{as_seconds, seconds};
use cognito_import_watch_core::schedule::{BackoffPolicy, Ceilings};
use proptest::prelude::*;

#[test]
fn a_moving_job_is_seen_at_its_interval_however_many_sleep() {
    for case in usual::CASES {
        let figures = usual::figures(&Poller::ours(DEFAULT, Asking::Lists), case, 1).unwrap();
        assert!(figures.stretch.1 <= 1.1, "{case:?}: {figures:?}");
    }
}

/// Whether a pool's ceiling lets nobody starve and leaves the moving job its interval too, where each job is asked
/// about alone: its counters move every 7 s, so that it is to be asked about once in 2.6 s on average.
fn leaves_enough(case: usual::Case) -> bool {
    let jobs = (case.sleeping + 1) as f64 / case.pools as f64;
    // The others are asked about once in an interval or in 1.2 rounds, whichever is longer.
    let others = (jobs - 1.0) / (1.2 * jobs / DEFAULT.pool).max(24.0);
    case.pools > 1 || DEFAULT.pool - others > 1.0 / 2.6
}

#[test]
fn a_moving_job_is_seen_at_its_interval_without_lists_too_where_that_starves_nobody() {
    for case in usual::CASES {
        let figures = usual::figures(&Poller::ours(DEFAULT, Asking::PerJob), case, 1).unwrap();
        if leaves_enough(case) {
            assert!(figures.stretch.1 <= 1.1, "{case:?}: {figures:?}");
        } else {
            // It has what is left, a third of a request per second.
            assert!(figures.stretch.0 <= 2.0 && figures.moving.0 <= 4.0, "{case:?}: {figures:?}");
            assert!(figures.sleeping.1 <= 1.2 * 301.0 / 2.0, "{case:?}: {figures:?}");
        }
    }
}

#[test]
fn jobs_that_are_all_due_at_once_have_their_first_status_as_soon_as_the_whole_quota_allows() {
    for pools in [4, 50] {
        let case = start::Case { jobs: 1_000, pools, rates: FULL, way: Way::UNEVEN };
        for asking in [Asking::PerJob, Asking::Lists] {
            let figures = start::figures(&Poller::ours(FULL, asking), case, 2.0 * case.bound(), 1).unwrap();
            assert_eq!(figures.unseen, 0, "{case:?} {asking:?}");
            assert!(figures.last <= 1.15 * case.bound(), "{case:?} {asking:?}: {figures:?}");
        }
    }
}

fn within_a_twentieth_of_the_best(case: stress::Case) {
    let (ours, oracle) = (stress::ours(case, 1).unwrap(), case.oracle().unwrap());
    assert!(ours.latency.0 <= 1.05 * oracle.quantile(0.5), "{case:?}: {ours:?}, {oracle:?}");
    assert!(ours.latency.1 <= 1.05 * oracle.quantile(0.99), "{case:?}: {ours:?}, {oracle:?}");
    assert!(ours.throttled < 0.5, "{case:?}: {ours:?}");
}

#[test]
fn under_stress_lists_are_within_a_twentieth_of_the_best() {
    for rates in [DEFAULT, FULL] {
        for jobs in [1_000, 10_000] {
            within_a_twentieth_of_the_best(stress::Case { jobs, rates, asking: Asking::Lists, way: Way::EVEN });
        }
    }
}

#[test]
fn under_stress_the_quota_is_used_up_where_the_way_is_uneven() {
    for rates in [DEFAULT, FULL] {
        for asking in [Asking::PerJob, Asking::Lists] {
            within_a_twentieth_of_the_best(stress::Case { jobs: 1_000, rates, asking, way: Way::UNEVEN });
        }
    }
}

#[test]
fn after_an_outage_any_rate_is_back_within_ten_seconds() {
    for way in [Way::EVEN, Way::UNEVEN] {
        for rates in [DEFAULT, FULL] {
            let case = outage::Case { jobs: 1_000, pools: 20, way };
            let figures = outage::figures(&Poller::ours(rates, Asking::PerJob), case, 2).unwrap();
            assert!(figures.during <= 1.0, "{way:?} {rates:?}: {figures:?}");
            assert!(figures.back >= 0.9 && figures.back_after <= 10.0, "{way:?} {rates:?}: {figures:?}");
        }
    }
}

#[test]
fn a_neighbour_is_yielded_to_within_ten_seconds() {
    for shape in [neighbour::Shape::Even, neighbour::Shape::Chance] {
        for rates in [DEFAULT, FULL] {
            for asking in [Asking::PerJob, Asking::Lists] {
                let case = neighbour::Case { jobs: 1_000, pools: 20, shape, burst: 1.0 };
                let figures = neighbour::figures(&Poller::ours(rates, asking), case, 3).unwrap();
                assert!(figures.later < 1.0, "{shape:?} {rates:?} {asking:?}: {figures:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_unseen_for_longer_than_a_fifth_over_a_turn_or_the_interval(
        pools in proptest::collection::vec(proptest::collection::vec(0_u64..10, 1..60), 1..8),
        asking in prop_oneof![Just(Asking::PerJob), Just(Asking::Lists)],
        lane in 1.0_f64..15.0, pool in 0.5_f64..4.0, longest in 5_u64..60, seed in 0_u64..1_000,
    ) {
        let mut cognito = Cognito::new(Quota::default(), 1);
        for jobs in &pools {
            let index = cognito.add_pool(0)?;
            for class in jobs {
                let life = match class {
                    0..4 => Life::SLEEPING,
                    4..8 => Life::STILL,
                    class => Life::moving(seconds(*class as f64)),
                };
                cognito.add_job(index, life)?;
            }
        }
        let turn_of = |jobs: usize, rate: f64| jobs as f64 / rate;
        let lane_turn = turn_of(pools.iter().map(Vec::len).sum(), lane);
        let pool_turn = pools.iter().map(|jobs| turn_of(jobs.len(), pool)).fold(0.0, f64::max);
        let turn = lane_turn.max(pool_turn);
        // Where both ceilings bind at once, their spacings do not fit into each other: a pool that may ask again after
        // 1.5 of the lane's spacings asks after 2 where another one asked meanwhile. Some of the rate is lost to anyone.
        let both_bind = pools.len() > 1 && lane_turn.min(pool_turn) > 0.75 * turn;
        let patience = if both_bind { 1.4 } else { 1.2 };
        let backoff = BackoffPolicy::new(Duration::from_secs(2), Duration::from_secs(longest), 1.5, 0.2)?;
        let ours = Ours { backoff, ceilings: Ceilings::new(lane, pool, 16)?, asking };
        // A request of each bucket may be before it in the end, and its own is on its way.
        let slack = 3.0 / lane.min(pool) + 1.0;
        let bound = (patience * turn).max(longest as f64) + slack;
        let until = seconds(3.0 * bound + 120.0);
        let window = Window { from: 0, to: until, until };
        let scene = Scene { cognito, way: Way::EVEN, neighbour: Neighbour::default(), window, seed };
        let unseen = as_seconds(ours.run(scene).longest_unseen);
        prop_assert!(unseen <= bound, "somebody is unseen for {unseen} s, more than {bound} s");
    }
}
