//! The least IAM policies of plans.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::*;

fn statement(sid: &str, actions: &[&str], resources: &[&str]) -> Json {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

const BOTH: [&str; 2] = ["cognito-idp:DescribeUserImportJob", "cognito-idp:ListUserImportJobs"];

#[test]
fn jobs_and_pools_need_both_rights_on_their_pools_alone() {
    let plan = plan(
        "[[job]]\ntarget = 'us-west-2_B/import-a'\n[[job]]\ntarget = 'us-west-2_B/import-b'\n\
         [[pool]]\nid = 'cn-north-1_A'\n[[pool]]\nid = 'us-gov-east-1_A'\n[[account]]\nname = 'unused'\n",
    );
    let [only] = &plan.policies()[..] else { panic!() };
    assert_eq!((only.name.as_str(), only.identity.as_str()), ("default", "the default credentials"));
    let pools = [
        "arn:aws-cn:cognito-idp:cn-north-1:*:userpool/cn-north-1_A",
        "arn:aws-us-gov:cognito-idp:us-gov-east-1:*:userpool/us-gov-east-1_A",
        "arn:aws:cognito-idp:us-west-2:*:userpool/us-west-2_B",
    ];
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement("WatchImports", &BOTH, &pools)] });
    assert_eq!(only.documents, [policy]);
}

#[test]
fn where_lists_are_never_used_only_pools_need_them() {
    let plan = plan(
        "[poll]\nbatch = 'never'\n[[job]]\ntarget = 'us-west-2_A/import-a'\n[[job]]\ntarget = 'us-west-2_B/import-a'\n\
         [[pool]]\nid = 'us-west-2_B'\n",
    );
    let statements = json!([
        statement("WatchImports", &BOTH, &["arn:aws:cognito-idp:us-west-2:*:userpool/us-west-2_B"]),
        statement("WatchNamedImports", &BOTH[..1], &["arn:aws:cognito-idp:us-west-2:*:userpool/us-west-2_A"]),
    ]);
    assert_eq!(plan.policies()[0].documents[0]["Statement"], statements);
}

#[test]
fn roles_have_a_policy_each_and_the_default_credentials_assume_them() {
    let plan = plan(
        "[[account]]\nname = 'prod'\nrole_arn = 'arn:aws:iam::123456789012:role/watch'\nexternal_id = 'secret-handshake'\n\
         [[account]]\nname = 'again'\nrole_arn = 'arn:aws:iam::123456789012:role/watch'\n\
         [[account]]\nname = 'default'\nprofile = 'lab'\n[[account]]\nname = 'idle'\nrole_arn = 'arn:aws:iam::000000000000:role/idle'\n\
         [[pool]]\nid = 'us-west-2_A'\naccount = 'prod'\n[[pool]]\nid = 'us-west-2_B'\naccount = 'again'\n\
         [[pool]]\nid = 'us-west-2_C'\naccount = 'default'\n",
    );
    let policies = plan.policies();
    let names: Vec<_> = policies.iter().map(|identity| (identity.name.as_str(), identity.identity.as_str())).collect();
    assert_eq!(
        names,
        [
            ("default-credentials", "the default credentials"),
            ("prod", "the role arn:aws:iam::123456789012:role/watch"),
            ("again", "the role arn:aws:iam::123456789012:role/watch"),
            ("default", "the profile lab"),
        ]
    );
    let statements = |index: usize| policies[index].documents[0]["Statement"].clone();
    let role = "arn:aws:iam::123456789012:role/watch";
    assert_eq!(statements(0), json!([statement("AssumeWatchRoles", &["sts:AssumeRole"], &[role])]));
    let pool = "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_A";
    assert_eq!(statements(1), json!([statement("WatchImports", &BOTH, &[pool])]));
    assert!(!format!("{policies:?}").contains("secret-handshake"));
}

#[test]
fn a_role_is_assumed_by_its_source_profile_and_an_account_without_credentials_is_the_default_identity() {
    let text = "[[account]]\nname = 'prod'\nrole_arn = 'arn:aws:iam::123456789012:role/watch'\nsource_profile = 'ops'\n\
         [[account]]\nname = 'lab'\nrole_arn = 'arn:aws:iam::000000000000:role/watch'\n\
         [[account]]\nname = 'bare'\n[[account]]\nname = 'profile ops'\nprofile = 'x'\n\
         [[pool]]\nid = 'us-west-2_A'\naccount = 'prod'\n[[pool]]\nid = 'us-west-2_B'\naccount = 'lab'\n\
         [[pool]]\nid = 'us-west-2_C'\naccount = 'bare'\n[[job]]\ntarget = 'us-west-2_C/import-a'\n";
    let policies = plan(text).policies();
    let shown: Vec<_> =
        policies.iter().map(|of| (of.name.as_str(), of.identity.as_str(), of.accounts.join(","))).collect();
    assert_eq!(
        shown,
        [
            ("default", "the default credentials", "bare".to_owned()),
            ("prod", "the role arn:aws:iam::123456789012:role/watch", "prod".to_owned()),
            ("lab", "the role arn:aws:iam::000000000000:role/watch", "lab".to_owned()),
            ("profile ops-credentials", "the profile ops", String::new()),
        ]
    );
    let statements = |index: usize| policies[index].documents[0]["Statement"].clone();
    let assume = |role| statement("AssumeWatchRoles", &["sts:AssumeRole"], &[role]);
    let pool = "arn:aws:cognito-idp:us-west-2:*:userpool/us-west-2_C";
    let default = json!([statement("WatchImports", &BOTH, &[pool]), assume("arn:aws:iam::000000000000:role/watch")]);
    assert_eq!(statements(0), default);
    assert_eq!(statements(3), json!([assume("arn:aws:iam::123456789012:role/watch")]));
}

#[test]
fn what_is_too_long_for_a_policy_is_spread_over_as_few_as_hold_it() {
    let pools: BTreeSet<String> = (0..500).map(|pool| format!("us-west-2_EXAMPLE{pool}")).collect();
    let text: String = pools.iter().map(|pool| format!("[[pool]]\nid = '{pool}'\n")).collect();
    let documents = plan(&text).policies().swap_remove(0).documents;
    let mut allowed = BTreeSet::new();
    let lengths: Vec<usize> = documents.iter().map(|document| document.to_string().len()).collect();
    for document in &documents {
        assert_eq!(document["Version"], "2012-10-17");
        for statement in document["Statement"].as_array().unwrap() {
            let resources = statement["Resource"].as_array().unwrap();
            allowed.extend(resources.iter().map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned()));
        }
    }
    assert_eq!(allowed, pools);
    assert!(lengths.iter().all(|length| *length <= 6_144), "{lengths:?}");
    // One more pool would not have fitted into any but the last.
    assert!(lengths[..lengths.len() - 1].iter().all(|length| *length > 6_000), "{lengths:?}");
}
