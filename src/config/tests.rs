//! The room as a whole: texts and flags in, plans and diagnostics out.

use std::time::Duration;

use super::*;

fn one(text: &str) -> Vec<Source> {
    vec![Source::new("test.toml", text)]
}

fn plan(text: &str) -> Plan {
    resolve(&one(text), &Overrides::default()).unwrap_or_else(|problems| panic!("{}", problems.render(Style::Plain)))
}

#[test]
fn an_empty_file_means_the_defaults_and_watches_nothing() {
    assert_eq!(plan(""), Plan::default());
    assert!(plan("").is_empty());
}

#[test]
fn a_job_a_pool_and_an_account_are_planned() {
    let plan = plan(
        "[[account]]\nname = 'prod'\nrole_arn = 'arn:aws:iam::123456789012:role/watch'\n\
         [[job]]\ntarget = 'us-west-2_A/import-a'\naccount = 'prod'\nexpected_users = 12\n\
         [[pool]]\nid = 'us-west-2_B'\ndeadline = '2d'\n",
    );
    let job = &plan.jobs[0];
    assert_eq!(
        plan.account(job.account).and_then(AccountPlan::id).map(|id| id.to_string()),
        Some("123456789012".into())
    );
    assert_eq!(job.policy.expected_users, Some(12));
    assert_eq!(plan.pools[0].policy.deadline, Some(Duration::from_secs(2 * 86_400)));
    assert_eq!(plan.pools[0].account, AccountRef::DEFAULT);
}
