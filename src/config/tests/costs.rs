//! What a plan costs, as `check` tells it. The numbers are held against the scheduler where they are made, in core.

use std::time::Duration;

use super::*;
use crate::config::cost::{Calls, CeilingKey};

const SECOND: Duration = Duration::from_secs(1);

/// Jobs of one pool, by an account where one is named.
fn jobs(pool: &str, count: usize, more: &str) -> String {
    (0..count).map(|job| format!("[[job]]\ntarget = 'us-west-2_{pool}/import-{job}'\n{more}\n")).collect()
}

fn warnings(cost: &PlanCost) -> Vec<String> {
    cost.warnings.iter().map(ToString::to_string).collect()
}

fn calls(calls: &Calls) -> [f64; 2] {
    [calls.per_minute.round(), calls.per_minute_after_changes.round()]
}

#[test]
fn the_cost_of_a_plan_is_counted_for_each_account_and_region() {
    let mut text = String::from("[poll]\njitter = 0\n[[account]]\nname = 'prod'\n[[pool]]\nid = 'eu-west-1_P'\n");
    for pool in ["A", "B", "C"] {
        text.push_str(&jobs(pool, 50, "account = 'prod'"));
    }
    let cost = plan(&text).cost();
    let [europe, america] = &cost.lanes[..] else { panic!("{cost:?}") };
    let name = |lane: &LaneCost| (lane.accounts[0].clone(), lane.region.clone(), lane.jobs, lane.pools);
    assert_eq!(name(europe), (None, "eu-west-1".to_owned(), 0, 1));
    assert_eq!(name(america), (Some("prod".to_owned()), "us-west-2".to_owned(), 150, 0));
    assert_eq!((calls(&europe.likely), europe.likely.longest_unseen), ([2.0, 32.0], SECOND * 30));
    // One list for each pool, every 30 s; one by one 5 a second at the most.
    assert_eq!((calls(&america.likely), calls(&america.without_lists)), ([6.0, 90.0], [294.0, 294.0]));
    assert_eq!((america.ceiling_per_minute, europe.ceiling_per_minute), (300.0, 120.0));
    assert_eq!(
        europe.to_string(),
        "the default credentials, eu-west-1: 0 jobs and 1 pool; 2 calls a minute while nothing changes, 32 after \
         changes, at most 120; a change is seen within 30s"
    );
    assert_eq!(
        america.to_string(),
        "account \"prod\", us-west-2: 150 jobs and 0 pools; 6 calls a minute while nothing changes, 90 after changes, at \
         most 300; a change is seen within 31s (without lists 294 and 294 calls, and within 37s)"
    );
    assert_eq!(
        warnings(&cost),
        [
            "account \"prod\", us-west-2: only lists keep poll.max_interval, 30s: one round takes 37s where they are not \
          allowed (cognito-idp:ListUserImportJobs), or show the jobs far down"
        ]
    );
}

#[test]
fn where_lists_are_never_used_the_ceilings_alone_decide() {
    let text = String::from("[poll]\nbatch = 'never'\n") + &jobs("P", 100, "") + &jobs("Q", 1, "");
    let cost = plan(&text).cost();
    let lane = &cost.lanes[0];
    assert_eq!(lane.likely, lane.without_lists);
    // The full pool at its ceiling, and the other one at an interval of 27 s on average.
    assert_eq!(calls(&lane.likely)[0], 121.0);
    assert_eq!(lane.likely.tightest, CeilingKey::Pool);
    assert_eq!(
        warnings(&cost),
        [
            "the default credentials, us-west-2: one round at the ceiling takes 1m1s, longer than poll.max_interval, 30s: \
          raise [throttle] requests_per_second_per_pool, or max_interval"
        ]
    );
}

#[test]
fn the_lanes_ceiling_is_named_where_many_pools_share_it() {
    let text: String = (0..200).map(|pool| jobs(&format!("P{pool}"), 1, "")).collect();
    let cost = plan(&text).cost();
    assert_eq!(cost.lanes[0].likely.tightest, CeilingKey::Lane);
    assert!(
        warnings(&cost)[0].ends_with(
            "takes 49s, longer than poll.max_interval, 30s: raise [throttle] requests_per_second, or max_interval"
        ),
        "{cost:?}"
    );
}

#[test]
fn ceilings_above_the_quota_are_warned_of() {
    let text =
        String::from("[throttle]\nrequests_per_second = 50\nrequests_per_second_per_pool = 6\n") + &jobs("P", 1, "");
    let cost = plan(&text).cost();
    assert!(matches!(cost.warnings[..], [CostWarning::LaneAboveQuota { .. }, CostWarning::PoolAboveQuota { .. }]));
    assert_eq!(cost.lanes[0].likely.longest_unseen, SECOND * 30);
}

#[test]
fn accounts_of_one_aws_account_share_its_ceiling_and_are_named_together() {
    let account = |name: &str, role: &str, id: &str| {
        format!("[[account]]\nname = '{name}'\nrole_arn = 'arn:aws:iam::{id}:role/{role}'\n")
    };
    let one = "123456789012";
    let mut text = account("a", "x", one) + &account("b", "y", one) + &account("c", "x", "000000000000");
    for (name, pools) in [("a", 0..90), ("b", 90..180), ("c", 180..181)] {
        pools.for_each(|pool| text.push_str(&jobs(&format!("P{pool}"), 1, &format!("account = '{name}'"))));
    }
    let cost = plan(&text).cost();
    let lanes: Vec<(Vec<Option<&str>>, usize)> =
        cost.lanes.iter().map(|lane| (lane.accounts.iter().map(Option::as_deref).collect(), lane.jobs)).collect();
    assert_eq!(lanes, [(vec![Some("a"), Some("b")], 180), (vec![Some("c")], 1)]);
    let [warning] = &warnings(&cost)[..] else { panic!("{cost:?}") };
    assert!(warning.starts_with("accounts \"a\" and \"b\" (one AWS account), us-west-2: one round"), "{warning}");
}
