//! Several files, and the command line over them.

use std::time::Duration;

use cognito_import_watch_core::domain::Limit;
use cognito_import_watch_core::domain::policy::AllSkipped;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn files(texts: &[(&str, &str)]) -> Vec<Source> {
    texts.iter().map(|(name, text)| Source::new(*name, *text)).collect()
}

fn targets(plan: &Plan) -> Vec<String> {
    plan.jobs.iter().map(|job| job.target.to_string()).collect()
}

fn typed(targets: &[&str]) -> Overrides {
    Overrides { targets: targets.iter().map(|target| target.parse().unwrap()).collect(), ..Overrides::default() }
}

#[test]
fn arrays_of_several_files_append_and_tables_join() {
    let sources = files(&[
        ("main.toml", "[poll]\njitter = 0\n[[job]]\ntarget = 'us-west-2_A/import-a'\naccount = 'x'\n"),
        ("conf.d/10.toml", "[[account]]\nname = 'x'\n[[job]]\ntarget = 'us-west-2_A/import-b'\n"),
        ("conf.d/20.toml", "[poll]\nmultiplier = 2\n[[job]]\ntarget = 'us-west-2_A/import-c'\n"),
    ]);
    let plan = resolve(&sources, &Overrides::default()).unwrap();
    assert_eq!(targets(&plan), ["us-west-2_A/import-a", "us-west-2_A/import-b", "us-west-2_A/import-c"]);
    assert_eq!((plan.poll.backoff.jitter(), plan.poll.backoff.multiplier()), (0.0, 2.0));
    assert_eq!(plan.jobs[0].account.index(), 1);
}

#[test]
fn a_value_given_in_two_files_names_both_places() {
    let sources = files(&[("main.toml", "[poll]\njitter = 0\n"), ("conf.d/10.toml", "\npoll = { jitter = 0.1 }\n")]);
    let problems = resolve(&sources, &Overrides::default()).unwrap_err();
    assert_eq!(
        problems.render(Style::Plain),
        "\
error: poll.jitter: the value is given twice
 --> conf.d/10.toml:2:19
  |
2 | poll = { jitter = 0.1 }
  |                   ^^^
  |
note: first given here
 --> main.toml:2:10
  |
2 | jitter = 0
  |          -
help: keep one of them; files in conf.d add to the main file and cannot replace its values"
    );
}

#[test]
fn the_same_job_in_two_files_is_an_error_that_names_the_first_place() {
    let job = "[[job]]\ntarget = 'us-west-2_A/import-a'\n";
    let problems = resolve(&files(&[("a.toml", job), ("b.toml", job)]), &Overrides::default()).unwrap_err();
    let [problem] = &problems.iter().collect::<Vec<_>>()[..] else { panic!("{problems}") };
    assert_eq!(problem.to_string(), "b.toml:2:10: job.target: the job us-west-2_A/import-a is named twice");
    assert_eq!(problem.other.as_ref().map(|(place, _)| place.to_string()), Some("a.toml:2:10".into()));
}

#[test]
fn problems_come_in_the_order_of_the_files_and_the_command_line_first() {
    let sources = files(&[("a.toml", "x = 1\n[poll]\ny = 1\n"), ("b.toml", "z = 1\n")]);
    let overrides = Overrides { endpoint_url: Some("nowhere".into()), ..Overrides::default() };
    let problems = resolve(&sources, &overrides).unwrap_err();
    let places: Vec<_> =
        problems.iter().map(|problem| problem.to_string().split(": ").next().unwrap().to_owned()).collect();
    assert_eq!(places, ["--endpoint-url", "a.toml:1:1", "a.toml:3:1", "b.toml:1:1"]);
    assert_eq!((problems.fault(), problems.count()), (Fault::Usage, 4));
    assert_eq!(resolve(&sources, &Overrides::default()).unwrap_err().fault(), Fault::Config);
}

#[test]
fn a_target_typed_twice_or_named_by_the_file_is_watched_once_with_the_files_settings() {
    let text = "[[job]]\ntarget = 'us-west-2_A/import-a'\nname = 'nightly'\n";
    let overrides = typed(&["us-west-2_A/import-a", "us-west-2_A/import-b", "us-west-2_A/import-b"]);
    let plan = plan_with(text, &overrides);
    assert_eq!(targets(&plan), ["us-west-2_A/import-a", "us-west-2_A/import-b"]);
    assert_eq!(plan.jobs[0].name.as_deref(), Some("nightly"));
    assert_eq!(targets(&resolve(&[], &overrides).unwrap()), ["us-west-2_A/import-a", "us-west-2_A/import-b"]);
}

#[test]
fn a_typed_target_of_a_listed_pool_gets_the_pools_account_and_policy() {
    let text = "[[account]]\nname = 'x'\n[[pool]]\nid = 'us-west-2_A'\naccount = 'x'\nmax_failed_users = 3\n";
    let plan = plan_with(text, &typed(&["us-west-2_A/import-a"]));
    assert_eq!(plan.jobs[0].account, plan.pools[0].account);
    assert_eq!(plan.jobs[0].policy.max_failed_users, Limit::AtMost(3));
}

#[test]
fn with_only_what_is_named_the_rest_of_the_file_is_left_out() {
    let text = "[[job]]\ntarget = 'us-west-2_A/import-a'\n[[job]]\ntarget = 'us-west-2_B/import-b'\nname = 'b'\n\
                [[pool]]\nid = 'us-west-2_A'\n[[pool]]\nid = 'us-west-2_C'\n";
    let only = |overrides: Overrides| {
        let plan = plan_with(text, &Overrides { selection: Selection::Only, ..overrides });
        (targets(&plan), plan.pools.iter().map(|pool| pool.id.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(only(typed(&["us-west-2_B/import-b"])), (vec!["us-west-2_B/import-b".into()], vec![]));
    let pool = Overrides { pools: vec!["us-west-2_A".parse().unwrap()], ..Overrides::default() };
    assert_eq!(only(pool), (vec!["us-west-2_A/import-a".into()], vec!["us-west-2_A".into()]));
    let (jobs, pools) = only(Overrides::default());
    assert_eq!((jobs.len(), pools.len()), (2, 2));
}

#[test]
fn a_flag_wins_over_the_file_and_over_what_a_job_says() {
    let text = "[poll]\ninitial_interval = '5s'\nmax_interval = '20s'\n[log]\nlevel = 'warn'\nformat = 'text'\n\
                [[account]]\nname = 'role'\nrole_arn = 'arn:aws:iam::123456789012:role/x'\n\
                [[job]]\ntarget = 'us-west-2_A/import-a'\nmax_failed_users = 3\naccount = 'role'\n";
    let overrides = Overrides {
        profile: Some("mine".into()),
        endpoint_url: Some("http://localhost:1".into()),
        region: Some("us-west-2".into()),
        log_level: Some(LogLevel::Trace),
        log_format: Some(LogFormat::Json),
        max_interval: Some(SECOND),
        max_failed_users: Some(Limit::Any),
        max_skipped_users: Some(Limit::AtMost(1)),
        all_skipped: Some(AllSkipped::Meets),
        expected_users: Some(7),
        ..Overrides::default()
    };
    let plan = plan_with(text, &overrides);
    assert_eq!((plan.poll.backoff.initial(), plan.poll.backoff.max()), (SECOND, SECOND));
    assert_eq!((plan.log.level, plan.log.format), (LogLevel::Trace, LogFormat::Json));
    let policy = &plan.jobs[0].policy;
    assert_eq!((policy.max_failed_users, policy.max_skipped_users), (Limit::Any, Limit::AtMost(1)));
    assert_eq!((policy.all_skipped, policy.expected_users), (AllSkipped::Meets, Some(7)));
    // The profile is for those who have no credentials of their own, and assumes roles; the address is for all.
    assert_eq!(plan.accounts[0].credentials, CredentialsPlan::Profile("mine".into()));
    let CredentialsPlan::Role { source_profile, .. } = &plan.accounts[1].credentials else { panic!("a role") };
    assert_eq!(source_profile.as_deref(), Some("mine"));
    assert!(plan.accounts.iter().all(|account| account.endpoint_url.as_deref() == Some("http://localhost:1")));
}

#[test]
fn what_is_wrong_with_a_flag_is_told_of_the_flag() {
    let text = "[poll]\nmax_interval = '20s'\n[[job]]\ntarget = 'us-west-2_A/import-a'\n[[job]]\ntarget = 'us-west-2_A/import-b'\n";
    let wrong = Overrides {
        region: Some("eu-west-1".into()),
        profile: Some(String::new()),
        endpoint_url: Some("https://me:hunter2@host".into()),
        initial_interval: Some(SECOND * 60),
        expected_users: Some(7),
        ..Overrides::default()
    };
    assert_eq!(
        problems_with(text, &wrong),
        [
            "--endpoint-url: the address holds a user or a password, which is not sent; leave it out",
            "--expected-users: the number is of one job, and several are watched",
            "--initial-interval: 1m is longer than max_interval, 20s",
            "--profile: the value is empty; is a shell variable unset?",
            "--region: \"eu-west-1\" disagrees with us-west-2_A, which is in us-west-2",
        ]
    );
    let zero = Overrides { max_interval: Some(Duration::ZERO), expected_users: Some(0), ..Overrides::default() };
    assert_eq!(problems_with("", &zero).len(), 2);
    let unknown = problems_with("", &typed(&["mars_A/import-a"]));
    assert_eq!(unknown, ["TARGET: mars_A names the region \"mars\", which AWS has not"]);
}

#[test]
fn a_plan_without_a_job_can_be_refused_with_the_name_of_the_file() {
    let of_file = Diagnostics::nothing_to_watch(&[source("")]);
    assert_eq!(of_file.fault(), Fault::Config);
    assert!(of_file.render(Style::Plain).contains("--> test.toml"), "{}", of_file.render(Style::Plain));
    assert_eq!(Diagnostics::nothing_to_watch(&[]).fault(), Fault::Usage);
}

#[test]
fn the_files_of_conf_d_are_read_in_the_order_of_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let main = directory.path().join("main.toml");
    std::fs::write(&main, "").unwrap();
    let names = |sources: &[Source]| -> Vec<String> {
        sources.iter().map(|source| source.name().rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&read_sources(&main).unwrap()), ["main.toml"]);
    let parts = directory.path().join("conf.d");
    std::fs::create_dir(&parts).unwrap();
    for name in ["20-b.toml", "10-a.toml", "notes.txt", ".hidden.toml", "100.toml"] {
        std::fs::write(parts.join(name), "").unwrap();
    }
    assert_eq!(names(&read_sources(&main).unwrap()), ["main.toml", "10-a.toml", "100.toml", "20-b.toml"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.toml");
    let error = read_sources(&missing).unwrap_err().to_string();
    assert!(error.contains("missing.toml: No such file"), "{error}");
    std::fs::create_dir_all(directory.path().join("conf.d/part.toml")).unwrap();
    std::fs::write(&missing, "").unwrap();
    assert!(read_sources(&missing).unwrap_err().to_string().contains("conf.d/part.toml"));
}
