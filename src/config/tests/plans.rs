//! Right files and the plans they mean.

use std::time::Duration;

use cognito_import_watch_core::domain::{JobPolicy, Limit};
use cognito_import_watch_core::schedule::{BackoffPolicy, Batch};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_empty_file_means_the_defaults_and_watches_nothing() {
    assert_eq!(plan(""), Plan::default());
    assert!(plan("").is_empty());
    assert_eq!(resolve(&[], &Overrides::default()), Ok(Plan::default()));
}

#[test]
fn every_setting_reaches_the_plan() {
    let plan = plan(
        "[poll]\ninitial_interval = '1s'\nmax_interval = '1m'\nmultiplier = 2\njitter = 0\nrequest_timeout = '5s'\nbatch = 'never'\n\
         [throttle]\nrequests_per_second = 10\nrequests_per_second_per_pool = 0.5\nmax_in_flight = 3\n\
         [log]\nformat = 'json'\nlevel = 'debug'\nprogress_interval = '0'\n\
         [state]\npath = 'x/y.db'\non_corrupt = 'set_aside'\nkeep_events = '1d'\nmax_events = 5\noutbox_age = '2h'\noutbox_events = 6\n",
    );
    assert_eq!(plan.poll.backoff, BackoffPolicy::new(SECOND, SECOND * 60, 2.0, 0.0).unwrap());
    assert_eq!((plan.poll.request_timeout, plan.poll.batch), (SECOND * 5, Batch::Never));
    let ceilings = &plan.ceilings;
    assert_eq!((ceilings.per_lane(), ceilings.per_pool(), ceilings.in_flight()), (10.0, 0.5, 3));
    let log = LogPlan { format: LogFormat::Json, level: LogLevel::Debug, progress_interval: Duration::ZERO };
    let state = StatePlan {
        path: StatePath::File("x/y.db".into()),
        on_corrupt: OnCorrupt::SetAside,
        keep_events: SECOND * 86_400,
        max_events: 5,
        outbox_age: SECOND * 7_200,
        outbox_events: 6,
    };
    assert_eq!((plan.log, plan.state), (log, state));
    assert_eq!(super::plan("[state]\npath = 'none'\n").state.path, StatePath::None);
}

#[test]
fn a_policy_is_set_for_all_and_again_for_a_job_or_a_pool() {
    let plan = plan(
        "[policy]\nmax_failed_users = 5\ndeadline = '1d'\nstall_after = 'none'\n\
         [[job]]\ntarget = 'us-west-2_A/import-a'\nmax_failed_users = 'any'\nexpected_users = 12\n\
         [[job]]\ntarget = 'us-west-2_A/import-b'\ndeadline = 'none'\n\
         [[pool]]\nid = 'us-west-2_A'\nmax_skipped_users = 0\nnot_found_grace = '1m'\nignore_completed_before = '1h'\n",
    );
    let (first, second, pool) = (&plan.jobs[0].policy, &plan.jobs[1].policy, &plan.pools[0]);
    assert_eq!((first.max_failed_users, first.deadline), (Limit::Any, Some(SECOND * 86_400)));
    assert_eq!((first.expected_users, second.expected_users), (Some(12), None));
    assert_eq!((second.max_failed_users, second.deadline), (Limit::AtMost(5), None));
    assert_eq!((pool.policy.max_failed_users, pool.policy.max_skipped_users), (Limit::AtMost(5), Limit::AtMost(0)));
    assert_eq!((pool.policy.not_found_grace, pool.ignore_completed_before), (SECOND * 60, SECOND * 3_600));
    assert_eq!((first.stall_after, first.max_skipped_users), (None, Limit::Any));
}

#[test]
fn a_pool_may_have_a_name_and_a_pattern_for_its_jobs() {
    let text =
        "[[pool]]\nid = 'us-west-2_A'\nname = 'customers'\njob_name = 'nightly-*'\n[[pool]]\nid = 'us-west-2_B'\n";
    let plan = plan_with(text, &Overrides { pools: vec!["us-west-2_C".parse().unwrap()], ..Overrides::default() });
    let [named, plain, typed] = &plan.pools[..] else { panic!("{plan:?}") };
    assert_eq!((named.name.as_deref(), named.job_name.as_ref().unwrap().as_str()), (Some("customers"), "nightly-*"));
    assert_eq!([&plain.job_name, &typed.job_name], [&None, &None]);
    let said = problems("[[pool]]\nid = 'us-west-2_A'\njob_name = 'nightly-[0-9]'\n");
    assert!(said.len() == 1 && said[0].contains("no job's name holds '['"), "{said:?}");
}

#[test]
fn accounts_are_referred_to_by_name_and_the_default_chain_is_always_there() {
    let plan = plan(
        "[[job]]\ntarget = 'us-west-2_A/import-a'\naccount = 'prod'\n\
         [[job]]\ntarget = 'us-west-2_B/import-a'\n\
         [[pool]]\nid = 'eu-west-1_C'\naccount = 'lab'\n\
         [[account]]\nname = 'prod'\nrole_arn = 'arn:aws:iam::123456789012:role/path/watch'\nexternal_id = 'x1'\n\
         session_name = 'nightly'\nsource_profile = 'base'\n\
         [[account]]\nname = 'lab'\nprofile = 'lab'\nendpoint_url = 'http://[::1]:9229'\nregion = 'eu-west-1'\n",
    );
    let account = |account| plan.account(account).unwrap();
    let prod = account(plan.jobs[0].account);
    let role = CredentialsPlan::Role {
        arn: "arn:aws:iam::123456789012:role/path/watch".into(),
        external_id: Some("x1".into()),
        session_name: Some("nightly".into()),
        source_profile: Some("base".into()),
    };
    assert_eq!((prod.name.as_deref(), &prod.credentials), (Some("prod"), &role));
    assert_eq!(prod.id().map(|id| id.to_string()).as_deref(), Some("123456789012"));
    assert_eq!(plan.jobs[1].account, AccountRef::DEFAULT);
    assert_eq!(account(AccountRef::DEFAULT), &AccountPlan::default());
    let lab = account(plan.pools[0].account);
    assert_eq!(lab.credentials, CredentialsPlan::Profile("lab".into()));
    assert_eq!((lab.endpoint_url.as_deref(), lab.region.as_deref()), (Some("http://[::1]:9229"), Some("eu-west-1")));
}

#[test]
fn a_job_whose_pool_is_listed_is_asked_for_by_the_pools_account_unless_it_names_one() {
    let plan = plan(
        "[[account]]\nname = 'a'\n[[account]]\nname = 'b'\n\
         [[job]]\ntarget = 'us-west-2_A/import-a'\n[[job]]\ntarget = 'us-west-2_A/import-b'\naccount = 'b'\n\
         [[pool]]\nid = 'us-west-2_A'\naccount = 'a'\nmax_failed_users = 'any'\n",
    );
    let names: Vec<_> = plan.jobs.iter().map(|job| plan.account(job.account).unwrap().name.as_deref()).collect();
    assert_eq!(names, [Some("a"), Some("b")]);
    assert_eq!(plan.jobs[0].policy, JobPolicy::default(), "the job's settings are not the pool's");
}

#[test]
fn a_longest_interval_below_the_first_one_lowers_it_unless_both_are_written() {
    let backoff = |text: &str| plan(text).poll.backoff;
    assert_eq!(backoff("[poll]\nmax_interval = '1s'\n").initial(), SECOND);
    assert_eq!(problems("[poll]\nmax_interval = '1s'\ninitial_interval = '2s'").len(), 1);
}

#[test]
fn a_region_that_aws_has_not_goes_with_an_endpoint() {
    let job = "[[job]]\ntarget = 'local_A/import-a'\n";
    assert!(problems(job)[0].contains("which AWS has not"));
    let endpoint = Some("http://127.0.0.1:9229".to_owned());
    plan_with(job, &Overrides { endpoint_url: endpoint, ..Overrides::default() });
    plan_with(job, &Overrides { aws_endpoint: AwsEndpoint::Set, ..Overrides::default() });
}
