//! Tests of a pool whose list is read again and again, and of one that cannot be read.

use super::*;

/// When the list was asked for, and from where on.
fn lists(world: &World) -> Vec<(u64, Option<&str>)> {
    world
        .sent
        .iter()
        .filter_map(|(at, question)| match question {
            Question::List { token, .. } => Some((at.as_secs(), token.as_deref())),
            Question::Describe(_) => None,
        })
        .collect()
}

fn page(jobs: &[&str], next: Option<&str>) -> PollResult {
    PollResult::Page(PoolPage {
        jobs: jobs.iter().map(|job| (job.parse().unwrap(), shown("Created", 0))).collect(),
        next: next.map(str::to_owned),
        date: None,
    })
}

#[test]
fn a_list_is_read_to_its_end_once_and_then_to_a_job_that_is_known() {
    let mut world =
        World::new(settings(Ending::WhenStopped), pool_of(|_| (0..5).map(|number| (number, "Created")).collect()));
    world.watch_pool();
    world.run(40 * SECOND);
    let tokens: Vec<Option<&str>> = lists(&world).into_iter().map(|(_, token)| token).collect();
    assert_eq!(tokens, [None, Some("2"), Some("4"), None]);
}

#[test]
fn a_job_that_moved_to_the_next_page_meanwhile_does_not_end_the_reading() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(|question, now| {
            let result = match question {
                Question::Describe(_) => job("Created"),
                Question::List { .. } if now < 20 * SECOND => page(&["import-0"], None),
                Question::List { token, .. } => match token.as_deref() {
                    None => page(&["import-4", "import-3"], Some("2")),
                    Some("2") => page(&["import-3", "import-2"], Some("4")),
                    Some(_) => page(&["import-1", "import-0"], Some("never")),
                },
            };
            (result, Duration::ZERO)
        }),
    );
    world.watch_pool();
    world.run(50 * SECOND);
    assert_eq!(world.scheduler.job_count(), 5);
    assert!(lists(&world).iter().all(|(_, token)| *token != Some("never")));
}

#[test]
fn a_job_is_left_alone_when_it_was_over_longer_ago_than_asked_for() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        at_time(|_| {
            let ended = |millis: i64| JobSnapshot {
                completed_at: Some(Timestamp::from_millis(1_700_000_000_000 - 86_400_000 - millis)),
                ..shown("Succeeded", 0)
            };
            let jobs = vec![("import-0".parse().unwrap(), ended(0)), ("import-1".parse().unwrap(), ended(1))];
            PollResult::Page(PoolPage { jobs, next: None, date: None })
        }),
    );
    world.watch_pool();
    let watched: Vec<String> = world.scheduler.views(world.now()).map(|view| view.watched.target.to_string()).collect();
    assert_eq!(watched, [""; 0], "nothing was answered yet");
    world.run(Duration::ZERO);
    let watched: Vec<String> = world.scheduler.views(world.now()).map(|view| view.watched.target.to_string()).collect();
    assert_eq!(watched, ["us-west-2_A/import-0"]);
}

#[test]
fn jobs_of_two_pools_may_have_the_same_id() {
    let mut world = World::new(settings(Ending::WhenStopped), pool_of(|_| vec![(0, "Created")]));
    world.watch("us-west-2_B/import-0");
    world.watch_pool();
    world.run(20 * SECOND);
    assert_eq!(world.scheduler.job_count(), 2);
}

#[test]
fn a_job_that_is_named_while_its_pool_is_read_is_watched_once() {
    let mut world = World::new(settings(Ending::WhenStopped), pool_of(|_| vec![(0, "Created")]));
    world.watch_pool();
    world.watch("us-west-2_A/import-0");
    world.run(20 * SECOND);
    assert_eq!(world.scheduler.job_count(), 1);
}

#[test]
fn a_pool_that_is_refused_is_asked_for_once_more_and_then_slowly_by_a_watch_that_goes_on() {
    for kind in [ErrorKind::Denied, ErrorKind::NotFound, ErrorKind::Invalid] {
        let mut world = World::new(settings(Ending::WhenStopped), at_time(move |_| failed(kind)));
        world.watch_pool();
        world.run(700 * SECOND);
        assert_eq!(lists(&world), [0, 1, 301, 601].map(|at| (at, None)));
        assert_eq!(world.pool_failures, [News::Keep, News::Tell, News::Keep, News::Keep]);
    }
}

#[test]
fn failures_of_kinds_that_alternate_are_no_news() {
    let mut failures = 0;
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(move |_, _| {
            failures += 1;
            let kind = if failures % 2 == 0 { ErrorKind::Denied } else { ErrorKind::Transient };
            (failed(kind), Duration::ZERO)
        }),
    );
    world.watch_pool();
    world.run(100 * SECOND);
    assert!(world.pool_failures.len() > 5 && !world.pool_failures.contains(&News::Tell));
}

#[test]
fn at_the_deadline_a_pool_that_was_read_long_ago_is_unobservable() {
    let ends = |timeout| {
        let mut world = World::new(
            settings(until(timeout)),
            Box::new(|question, now| {
                let result = match question {
                    Question::Describe(_) => job("Created"),
                    Question::List { .. } if now < 10 * SECOND => page(&["import-0"], None),
                    Question::List { .. } => failed(ErrorKind::Transient),
                };
                (result, Duration::ZERO)
            }),
        );
        world.watch_pool();
        world.run(1_000 * SECOND);
        assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)]);
        world.given_up()
    };
    assert_eq!(ends(20), [], "the list was not to be read again");
    assert_eq!(ends(50), [], "it was read less than two longest intervals ago");
    assert_eq!(ends(120), [Verdict::Unobservable]);
}
