//! What holds in any population: the ceiling, and that nobody starves.

use std::time::Duration;

use cognito_import_quota::cognito::{Cognito, Life, Neighbour, Quota, Rhythm, Way};
use cognito_import_quota::ours::{Asking, Ours, Scene};
use cognito_import_quota::record::{Record, Window};
use cognito_import_quota::time::{Nanos, SECOND, as_seconds, seconds};
use cognito_import_watch_core::domain::TargetError;
use cognito_import_watch_core::schedule::{BackoffPolicy, Ceilings};
use proptest::prelude::*;

/// A population: for each pool the lives of its jobs.
type Pools = Vec<Vec<Life>>;

fn life() -> impl Strategy<Value = Life> {
    prop_oneof![
        4 => Just(Life::SLEEPING),
        4 => Just(Life::STILL),
        2 => (1_u64..40).prop_map(|per_user| Life::moving(per_user * SECOND)),
        1 => (0_u64..300, 1_u64..10, 1_u64..300).prop_map(|(started, pending, takes)| {
            let importing = (started + pending) * SECOND;
            Life { started: started * SECOND, importing, ended: importing + takes * SECOND, per_user: None }
        }),
    ]
}

fn pools() -> impl Strategy<Value = Pools> {
    proptest::collection::vec(proptest::collection::vec(life(), 1..60), 1..8)
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![Just(Way::EVEN), Just(Way::UNEVEN), Just(Way { least: 5_000_000, more: 200_000_000 })]
}

fn asking() -> impl Strategy<Value = Asking> {
    prop_oneof![Just(Asking::PerJob), Just(Asking::Lists)]
}

fn service(pools: &Pools, quota: Quota) -> Result<Cognito, TargetError> {
    let mut cognito = Cognito::new(quota, 1);
    for lives in pools {
        let pool = cognito.add_pool(0)?;
        for life in lives {
            cognito.add_job(pool, *life)?;
        }
    }
    Ok(cognito)
}

fn run(ours: &Ours, cognito: Cognito, way: Way, neighbour: Neighbour, until: Nanos, seed: u64) -> Record {
    let window = Window { from: 0, to: until, until };
    ours.run(Scene { cognito, way, neighbour, window, seed })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_stretch_of_time_holds_more_requests_than_the_ceiling_allows(
        pools in pools(), way in way(), asking in asking(), lane in 0.5_f64..20.0, pool in 0.2_f64..5.0,
        other in 0.0_f64..20.0, outage in 0_u64..300, burst in 0.1_f64..2.0, seed in 0_u64..1_000,
    ) {
        let mut cognito = service(&pools, Quota { burst, ..Quota::default() })?;
        cognito.throttle_all(outage * SECOND..(outage + 60) * SECOND);
        let ours = Ours { ceilings: Ceilings::new(lane, pool, 16).unwrap(), asking, ..Ours::default() };
        let neighbour = Neighbour::new(vec![(100 * SECOND, other), (200 * SECOND, 0.0)], Rhythm::Chance);
        let record = run(&ours, cognito, way, neighbour, 420 * SECOND, seed);
        prop_assert!(record.sent_between(0, 420 * SECOND) > 10.0);
        prop_assert!(record.lane_over() <= 1e-6, "{} requests over {lane}/s of the lane", record.lane_over());
        prop_assert!(record.pool_over() <= 1e-6, "{} requests over {pool}/s of a pool", record.pool_over());
    }

    #[test]
    fn nobody_is_unseen_for_longer_than_the_interval_and_a_turn_of_all_jobs(
        pools in pools(), asking in asking(), lane in 1.0_f64..15.0, pool in 0.5_f64..4.0, longest in 5_u64..60,
        seed in 0_u64..1_000,
    ) {
        let turn_of = |jobs: usize, rate: f64| jobs as f64 / rate;
        let turn = pools.iter().map(|jobs| turn_of(jobs.len(), pool)).fold(
            turn_of(pools.iter().map(Vec::len).sum(), lane),
            f64::max,
        );
        let longest = Duration::from_secs(longest);
        let backoff = BackoffPolicy::new(Duration::from_secs(2), longest, 1.5, 0.2).unwrap();
        let ours = Ours { backoff, ceilings: Ceilings::new(lane, pool, 16).unwrap(), asking };
        // Two requests may be before it in the end, and its own is on its way.
        let slack = 3.0 / lane.min(pool) + 1.0;
        let bound = 1.2 * turn + longest.as_secs_f64() + slack;
        let until = seconds(3.0 * bound + 120.0);
        let record = run(&ours, service(&pools, Quota::default())?, Way::EVEN, Neighbour::default(), until, seed);
        let unseen = as_seconds(record.longest_unseen);
        prop_assert!(unseen <= bound, "somebody is unseen for {unseen} s, more than {bound} s");
    }
}
