//! Which accounts of a config share a quota, and who asks for what then.

use super::*;
use crate::config::{Overrides, Source, resolve};

const TWO_ROLES: &str = "\
[[account]]\nname = 'a'\nrole_arn = 'arn:aws:iam::123456789012:role/a'\n\
[[account]]\nname = 'b'\nrole_arn = 'arn:aws:iam::123456789012:role/b'\n\
[[account]]\nname = 'c'\nrole_arn = 'arn:aws:iam::210987654321:role/a'\n\
[[account]]\nname = 'd'\nendpoint_url = 'http://127.0.0.1:1'\n";

fn plan(text: &str) -> Plan {
    resolve(&[Source::new("watch.toml", text)], &Overrides::default()).unwrap()
}

/// The lanes of these pools, each `(id, account)`.
async fn lanes_of(pools: &[(&str, &str)]) -> (Lanes, Vec<usize>) {
    let pools = pools.iter().map(|(id, account)| format!("[[pool]]\nid = '{id}'\naccount = '{account}'\n"));
    let plan = plan(&format!("{TWO_ROLES}{}", pools.collect::<String>()));
    let mut lanes = Lanes::new(&Keys::Planned).unwrap();
    let mut indexes = Vec::new();
    for pool in &plan.pools {
        indexes.push(lanes.of_pool(&plan, pool.account, &pool.id).await.unwrap().0);
    }
    (lanes, indexes)
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

#[tokio::test]
async fn two_roles_of_one_account_share_its_quota_in_each_region() {
    let pools = [
        ("us-west-2_A", "a"),
        ("us-west-2_B", "b"),
        ("us-west-2_C", "c"),
        ("eu-west-1_A", "b"),
        ("eu-west-1_B", "a"),
        ("us-west-2_D", "d"),
    ];
    let (lanes, indexes) = lanes_of(&pools).await;
    assert_eq!(indexes, [0, 0, 1, 2, 2, 3]);
    let accounts: Vec<_> = lanes.names().iter().map(LaneName::account).collect();
    let [one, other] = ["123456789012", "210987654321"].map(|id| Some(account(id)));
    assert_eq!(accounts, [one.clone(), other, one, None]);
}

#[tokio::test]
async fn an_account_that_turns_out_to_be_another_joins_its_lane_and_stays_there() {
    let (mut lanes, indexes) = lanes_of(&[("us-west-2_A", "a"), ("us-west-2_D", "d"), ("eu-west-1_D", "d")]).await;
    assert_eq!(indexes, [0, 1, 2]);
    assert!(!lanes.learn(&[None, None, Some(account("123456789012"))]), "alone in its region");
    assert!(lanes.learn(&[None, Some(account("123456789012"))]));
    assert!(!lanes.learn(&[None, Some(account("123456789012"))]), "once");
    let plan = plan(&format!("{TWO_ROLES}[[pool]]\nid = 'us-west-2_E'\naccount = 'd'\n"));
    let pool = &plan.pools[0];
    assert_eq!(lanes.of_pool(&plan, pool.account, &pool.id).await.unwrap(), LaneIndex(0));
}

#[tokio::test]
async fn in_a_shared_lane_each_account_asks_with_its_own_credentials() {
    let text = format!(
        "{TWO_ROLES}[[pool]]\nid = 'us-west-2_A'\naccount = 'a'\n\
         [[job]]\ntarget = 'us-west-2_B/import-b'\naccount = 'b'\n\
         [[job]]\ntarget = 'us-west-2_A/import-b'\naccount = 'b'\n\
         [[job]]\ntarget = 'us-west-2_A/import-a'\n"
    );
    let plan = plan(&text);
    let mut lanes = Lanes::new(&Keys::Planned).unwrap();
    lanes.of_pool(&plan, plan.pools[0].account, &plan.pools[0].id).await.unwrap();
    for job in &plan.jobs {
        assert_eq!(lanes.of_job(&plan, job.account, &job.target).await.unwrap(), LaneIndex(0));
    }
    // The endpoints are nobody's here: whose credentials are missing tells who was asked.
    let sources = lanes.sources();
    assert_eq!(sources.len(), 1);
    let routes = format!("{:?}", sources[0]);
    let of_job = routes.split("of_job").nth(1).unwrap();
    assert!(of_job.contains("role/b") && !of_job.contains("role/a"), "{of_job}");
    assert_eq!(of_job.matches("import-b").count(), 1, "{of_job}");
}
