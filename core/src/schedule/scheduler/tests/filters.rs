//! Tests of a pool's filters: which jobs are watched by name and by age, under which name, and what a change of the
//! filters brings.

use super::memory::{named, pool, replacement};
use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// Job ids with names and states, newest first; every answer shows them as they are at the time.
fn pool_with(jobs: impl Fn(Duration) -> Vec<(&'static str, &'static str, JobSnapshot)> + 'static) -> Service {
    Box::new(move |question, now| {
        let jobs = jobs(now).into_iter().map(|(id, name, shown)| {
            (id.parse::<JobId>().unwrap(), JobSnapshot { job_name: Some(name.into()), ..shown })
        });
        let jobs: Vec<_> = jobs.collect();
        let result = match question {
            Question::Describe(target) => jobs
                .into_iter()
                .find(|(id, _)| *id == target.job)
                .map_or(failed(ErrorKind::NotFound), |(_, shown)| PollResult::Job(shown, None)),
            Question::List { .. } => PollResult::Page(PoolPage { jobs, next: None, date: None }),
        };
        (result, Duration::ZERO)
    })
}

fn filtered(pattern: Option<&str>) -> NewPool {
    let filter = PoolFilter { job_name: pattern.map(|pattern| pattern.parse().unwrap()), ignore_completed_before: DAY };
    NewPool { filter, ..pool(Vec::new()) }
}

fn over(ago: Duration) -> JobSnapshot {
    let at = Timestamp::from_millis(1_700_000_000_000 - ago.as_millis() as i64);
    JobSnapshot { created_at: Some(at), completed_at: Some(at), ..shown("Succeeded", 0) }
}

/// The ids of the watched jobs and what they are called.
fn watched_jobs(world: &World) -> Vec<(String, Option<String>)> {
    let views = world.scheduler.views(world.now());
    let mut jobs: Vec<_> = views
        .map(|view| (view.watched.target.job.to_string(), view.watched.terms.name.as_deref().map(str::to_owned)))
        .collect();
    jobs.sort();
    jobs
}

fn ids(world: &World) -> Vec<String> {
    watched_jobs(world).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn jobs_whose_name_matches_are_watched_those_created_later_too() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        pool_with(|now| {
            let mut jobs = vec![
                ("import-b", "weekly-1", shown("Created", 0)),
                ("import-a", "nightly-1", shown("InProgress", 0)),
                ("import-0", "nightly-0", over(DAY + SECOND)),
            ];
            if now > 40 * SECOND {
                jobs.insert(0, ("import-d", "weekly-2", shown("InProgress", 0)));
                jobs.insert(0, ("import-c", "nightly-2", shown("Created", 0)));
            }
            jobs
        }),
    );
    world.feed(Input::Pool(filtered(Some("nightly-*"))));
    world.run(20 * SECOND);
    assert_eq!(ids(&world), ["import-a"], "one is of another name, one was over long ago");
    world.run(100 * SECOND);
    assert_eq!(ids(&world), ["import-a", "import-c"]);
    let told: Vec<&str> = world.events.iter().filter_map(|(_, event)| event.job.job_name.as_deref()).collect();
    assert_eq!(told, ["nightly-1", "nightly-2"], "nothing is told of the others");
    let asked = |id: &str| world.sent.iter().any(|(_, question)| format!("{question:?}").contains(id));
    assert!(asked("import-a") && !asked("import-b") && !asked("import-0"));
}

#[test]
fn a_job_that_is_named_is_watched_whatever_its_pools_filter_says() {
    let jobs = || vec![("import-a", "weekly", shown("Created", 0)), ("import-b", "weekly", shown("Created", 0))];
    let mut world = World::new(settings(Ending::WhenStopped), pool_with(move |_| jobs()));
    world.watch("us-west-2_A/import-a");
    world.feed(Input::Pool(filtered(Some("nightly-*"))));
    world.run(100 * SECOND);
    assert_eq!(watched_jobs(&world), [("import-a".to_owned(), None)]);
}

#[test]
fn a_job_in_a_pool_that_has_a_name_is_called_by_both() {
    let jobs = || vec![("import-a", "nightly-1", shown("Created", 0))];
    let mut world = World::new(settings(Ending::WhenStopped), pool_with(move |_| jobs()));
    let called = |name: &str| NewPool { name: Some(name.into()), ..pool(Vec::new()) };
    world.feed(Input::Pool(called("customers")));
    world.run(20 * SECOND);
    assert_eq!(watched_jobs(&world), [("import-a".to_owned(), Some("customers/nightly-1".to_owned()))]);
    assert!(world.events.iter().all(|(_, event)| event.job.name.as_deref() == Some("customers/nightly-1")));
    world.feed(replacement(Vec::new(), vec![called("clients")]));
    assert_eq!(watched_jobs(&world), [("import-a".to_owned(), Some("clients/nightly-1".to_owned()))]);
}

#[test]
fn a_job_without_a_name_matches_a_star_alone() {
    let filter = |pattern: &str| filtered(Some(pattern)).filter;
    let nameless = shown("Created", 0);
    assert!(filter("*").wants(&nameless, Timestamp::from_millis(0)));
    assert!(!filter("?*").wants(&nameless, Timestamp::from_millis(0)));
}

#[test]
fn what_is_known_from_before_is_watched_on_where_the_filter_still_wants_it() {
    let jobs = || vec![("import-a", "nightly", shown("Created", 0)), ("import-b", "weekly", shown("Created", 0))];
    let mut before = World::new(settings(Ending::WhenStopped), pool_with(move |_| jobs()));
    before.feed(Input::Pool(filtered(None)));
    before.run(20 * SECOND);
    let known = ["us-west-2_A/import-a", "us-west-2_A/import-b"].map(|target| {
        let NewJob { job, known, .. } = named(&before, target);
        (job.target.job, *known.unwrap())
    });

    let mut after = World::new(settings(Ending::WhenStopped), pool_with(move |_| jobs()));
    after.feed(Input::Pool(NewPool { known: known.to_vec(), name: Some("p".into()), ..filtered(Some("nightly")) }));
    assert_eq!(watched_jobs(&after), [("import-a".to_owned(), Some("p/nightly".to_owned()))]);
    after.run(100 * SECOND);
    assert_eq!(ids(&after), ["import-a"]);
}

#[test]
fn another_filter_is_in_force_at_once_for_what_is_watched_and_for_what_was_passed_over() {
    let jobs = || {
        vec![
            ("import-c", "weekly-2", shown("Created", 0)),
            ("import-b", "weekly-1", over(2 * DAY)),
            ("import-a", "nightly-1", shown("Created", 0)),
        ]
    };
    let mut world = World::new(settings(Ending::WhenStopped), pool_with(move |_| jobs()));
    world.feed(Input::Pool(filtered(Some("nightly-*"))));
    world.run(100 * SECOND);
    assert_eq!(ids(&world), ["import-a"]);
    world.feed(replacement(Vec::new(), vec![filtered(Some("weekly-*"))]));
    assert_eq!(ids(&world), [""; 0]);
    world.run(101 * SECOND);
    assert_eq!(ids(&world), ["import-c"]);
    let older = PoolFilter { job_name: None, ignore_completed_before: 3 * DAY };
    world.feed(replacement(Vec::new(), vec![NewPool { filter: older, ..pool(Vec::new()) }]));
    world.run(102 * SECOND);
    assert_eq!(ids(&world), ["import-a", "import-b", "import-c"]);
    let asked = world.sent.len();
    let older = PoolFilter { job_name: None, ignore_completed_before: 3 * DAY };
    world.feed(replacement(Vec::new(), vec![NewPool { filter: older, ..pool(Vec::new()) }]));
    assert_eq!(world.sent.len(), asked, "the same filter changes nothing");
}

#[test]
fn a_job_that_another_filter_lets_in_again_goes_on_from_what_is_known_of_it() {
    let jobs =
        |now: Duration| vec![("import-a", "nightly", shown(if now < 50 * SECOND { "Created" } else { "Pending" }, 0))];
    let mut world = World::new(settings(Ending::WhenStopped), pool_with(jobs));
    world.feed(Input::Pool(filtered(None)));
    world.run(40 * SECOND);
    let NewJob { job, known, .. } = named(&world, "us-west-2_A/import-a");
    let known = vec![(job.target.job, *known.unwrap())];
    for pattern in ["weekly", "n*"] {
        world.feed(replacement(Vec::new(), vec![NewPool { known: known.clone(), ..filtered(Some(pattern)) }]));
    }
    world.run(100 * SECOND);
    assert_eq!(world.names(), ["job.first_seen", "job.status_changed"], "it is not seen for the first time again");
    assert_eq!(ids(&world), ["import-a"]);
}
