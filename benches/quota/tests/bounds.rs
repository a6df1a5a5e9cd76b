//! The bounds of each population, at small size: what the tables show in full.

use cognito_import_quota::cognito::Way;
use cognito_import_quota::ours::Asking;
use cognito_import_quota::population::{DEFAULT, FULL, Poller, intervals, neighbour, outage, start, stress, usual};

const BOTH: [Asking; 2] = [Asking::PerJob, Asking::Lists];

#[test]
fn a_moving_job_alone_is_seen_at_its_interval() {
    let case = usual::Case { sleeping: 0, pools: 1 };
    for asking in BOTH {
        let figures = usual::figures(&Poller::ours(DEFAULT, asking), case, 1).unwrap();
        assert!(figures.stretch.1 <= 1.1 && figures.throttled == 0.0, "{asking:?}: {figures:?}");
    }
}

#[test]
fn jobs_that_are_all_due_at_once_have_their_first_status_as_soon_as_the_default_ceilings_allow() {
    for pools in [1, 4, 50] {
        for way in [Way::EVEN, Way::UNEVEN] {
            for asking in BOTH {
                let case = start::Case { jobs: 300, pools, rates: DEFAULT, way };
                let figures =
                    start::figures(&Poller::ours(DEFAULT, asking), case, case.bound() * 1.5 + 60.0, 1).unwrap();
                assert_eq!(figures.unseen, 0, "{case:?} {asking:?}");
                assert!(figures.last <= 1.15 * case.bound(), "{case:?} {asking:?}: {figures:?}");
            }
        }
    }
}

#[test]
fn under_stress_a_poll_for_each_job_is_within_a_twentieth_of_the_best_where_the_way_is_even() {
    for rates in [DEFAULT, FULL] {
        let case = stress::Case { jobs: 1_000, rates, asking: Asking::PerJob, way: Way::EVEN };
        let (ours, oracle) = (stress::ours(case, 1).unwrap(), case.oracle().unwrap());
        assert!(ours.latency.0 <= 1.05 * oracle.quantile(0.5), "{case:?}: {ours:?}, {oracle:?}");
        assert!(ours.latency.1 <= 1.05 * oracle.quantile(0.99), "{case:?}: {ours:?}, {oracle:?}");
        assert!(ours.throttled < 0.5, "{case:?}: {ours:?}");
    }
}

#[test]
fn an_outage_is_sat_out_and_the_default_rate_is_back_within_ten_seconds() {
    let case = outage::Case { jobs: 400, pools: 20, way: Way::UNEVEN };
    let figures = outage::figures(&Poller::ours(DEFAULT, Asking::PerJob), case, 2).unwrap();
    assert!(figures.during <= 1.0 && figures.later <= 1.0, "{figures:?}");
    assert!(figures.back >= 0.9 && figures.back_after <= 10.0, "{figures:?}");
}

#[test]
fn during_an_outage_next_to_nothing_is_sent_at_any_ceiling() {
    for way in [Way::EVEN, Way::UNEVEN] {
        let case = outage::Case { jobs: 1_000, pools: 20, way };
        let figures = outage::figures(&Poller::ours(FULL, Asking::PerJob), case, 2).unwrap();
        assert!(figures.during <= 1.0, "{way:?}: {figures:?}");
    }
}

#[test]
fn polling_each_job_by_itself_crowds_a_neighbour_out() {
    let case = neighbour::Case { jobs: 1_000, pools: 20, shape: neighbour::Shape::Chance, burst: 1.0 };
    for (name, peer) in Poller::peers() {
        let figures = neighbour::figures(&peer, case, 1).unwrap();
        assert!(figures.later > 20.0, "{name}: {figures:?}");
    }
}

#[test]
fn our_intervals_see_an_end_sooner_than_a_fixed_one_and_far_sooner_than_the_waiters() {
    for (jobs, seeds) in [(1, 60), (10, 6), (100, 1)] {
        let case = intervals::Case { jobs, takes: (2.0, 600.0), counting: 0.5 };
        let of = |poller: &Poller| intervals::figures(poller, case, seeds).unwrap();
        let ours = of(&intervals::with_intervals(2.0, 1.5, 30.0));
        let [(_, fixed), _, _, _, (_, waiter)] = &Poller::peers();
        let (fixed, waiter) = (of(fixed), of(waiter));
        assert!(ours.end.0 <= 0.6 * fixed.end.0, "{jobs} jobs: {ours:?}, {fixed:?}");
        assert!(ours.end.0 <= 0.4 * waiter.end.0, "{jobs} jobs: {ours:?}, {waiter:?}");
        assert!(ours.end.2 <= 30.0, "{jobs} jobs: {ours:?}");
        // 300 calls a minute are the ceiling of an account.
        assert!(ours.per_minute < 150.0, "{jobs} jobs: {ours:?}");
    }
}

#[test]
fn a_run_repeats_from_its_seed() {
    let figures = || {
        let case = outage::Case { jobs: 50, pools: 5, way: Way::UNEVEN };
        format!("{:?}", outage::figures(&Poller::ours(FULL, Asking::Lists), case, 1).unwrap())
    };
    assert_eq!(figures(), figures());
}
