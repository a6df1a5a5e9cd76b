//! Tests of pools: which jobs are found, when the list is read again, and one that cannot be read.

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
        assert_eq!(world.scheduler.pools().map(|pool| pool.failing).collect::<Vec<_>>(), [None]);
        world.run(700 * SECOND);
        assert_eq!(world.scheduler.pools().map(|pool| pool.failing).collect::<Vec<_>>(), [Some(kind)]);
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

#[test]
fn a_pools_jobs_are_found_those_created_later_too_and_each_watched_once() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        pool_of(|now| {
            let mut jobs = vec![(0, "Succeeded"), (1, "Created"), (2, "Created"), (3, "Created"), (4, "InProgress")];
            jobs.truncate(if now < 60 { 4 } else { 5 });
            jobs
        }),
    );
    world.watch("us-west-2_A/import-1");
    world.watch_pool();
    world.run(200 * SECOND);
    assert_eq!(world.scheduler.job_count(), 5);
    assert_eq!(world.names().iter().filter(|name| **name == "job.first_seen").count(), 5);
}

#[test]
fn a_pool_is_complete_when_it_was_read_and_every_job_is_over() {
    let mut world = World::new(
        settings(when_over()),
        pool_of(|now| vec![(0, "Succeeded"), (1, "Stopped"), (2, if now < 30 { "Pending" } else { "Succeeded" })]),
    );
    world.watch_pool();
    world.run(300 * SECOND);
    assert!(world.scheduler.is_over());
    assert_eq!(world.names().iter().filter(|name| **name == "job.completed").count(), 3);
}

#[test]
fn jobs_that_were_over_long_ago_are_left_alone() {
    let mut world = World::new(
        settings(when_over()),
        Box::new(|question, _| {
            let long_ago = |status| JobSnapshot {
                completed_at: Some(Timestamp::from_millis(1_600_000_000_000)),
                created_at: Some(Timestamp::from_millis(1_600_000_000_000)),
                ..shown(status, 0)
            };
            let result = match question {
                Question::Describe(_) => PollResult::Job(long_ago("Expired"), None),
                Question::List { .. } => PollResult::Page(PoolPage {
                    jobs: vec![
                        ("import-old".parse().unwrap(), long_ago("Succeeded")),
                        ("import-open".parse().unwrap(), long_ago("Created")),
                    ],
                    next: None,
                    date: None,
                }),
            };
            (result, Duration::ZERO)
        }),
    );
    world.watch_pool();
    world.run(300 * SECOND);
    let watched: Vec<String> = world.scheduler.views(world.now()).map(|view| view.watched.target.to_string()).collect();
    assert_eq!(watched, ["us-west-2_A/import-open"]);
}

#[test]
fn a_pool_that_is_refused_is_given_up_by_a_watch_that_ends() {
    let mut world = World::new(settings(when_over()), at_time(|_| failed(ErrorKind::Denied)));
    world.watch_pool();
    world.run(300 * SECOND);
    assert!(world.scheduler.is_over());
    assert_eq!(world.pool_failures, [News::Keep, News::Tell]);
    assert_eq!(world.given_up(), [Verdict::AccessDenied]);
}

#[test]
fn a_pool_that_cannot_be_read_is_never_a_success() {
    let ends = |ending, until: u32| {
        let mut world = World::new(settings(ending), at_time(|_| failed(ErrorKind::Transient)));
        world.watch_pool();
        world.run(until * SECOND);
        assert!(world.scheduler.is_over(), "{:?}", world.now);
        (world.given_up(), world.now)
    };
    let (verdict, at) = ends(until(0), 100);
    assert_eq!((verdict, at < 12 * SECOND), (vec![Verdict::Unobservable], true));
    assert_eq!(ends(until(30), 100).0, [Verdict::Unobservable]);
    let (verdict, at) = ends(when_over(), 3_600);
    assert_eq!((verdict, (900..931).contains(&at.as_secs())), (vec![Verdict::Unobservable], true));
}

#[test]
fn a_pool_is_looked_at_once_with_all_its_jobs() {
    let mut world = World::new(
        settings(until(0)),
        pool_of(|_| (0..70).map(|number| (number, if number < 35 { "Succeeded" } else { "Pending" })).collect()),
    );
    world.watch_pool();
    world.run(3_600 * SECOND);
    assert!(world.scheduler.is_over());
    assert_eq!(world.given_up(), []);
    let late = world.verdicts().iter().filter(|verdict| **verdict == Some(Verdict::DeadlineExceeded)).count();
    assert_eq!((world.scheduler.job_count(), late), (70, 35));
}

#[test]
fn a_reading_that_broke_off_is_made_up_for() {
    let jobs = |now: u64| if now < 20 { 2 } else { 21 };
    let mut inner = pool_of(move |now| (0..jobs(now)).map(|number| (number, "Created")).collect());
    let mut failures = 3;
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(move |question, now| {
            let is_later_page = matches!(question, Question::List { token: Some(_), .. });
            if is_later_page && now > 20 * SECOND && failures > 0 {
                failures -= 1;
                return (failed(ErrorKind::Transient), Duration::from_millis(10));
            }
            inner(question, now)
        }),
    );
    world.watch_pool();
    world.run(300 * SECOND);
    assert_eq!(world.scheduler.job_count(), 21);
    assert_eq!(world.pool_failures.len(), 3);
}

#[test]
fn a_job_that_is_watched_by_name_does_not_hide_those_behind_it() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        pool_of(|now| (0..if now < 20 { 2 } else { 9 }).map(|number| (number, "Created")).collect()),
    );
    world.watch("us-west-2_A/import-8");
    world.watch_pool();
    world.run(200 * SECOND);
    assert_eq!(world.scheduler.job_count(), 9);
}

#[test]
fn a_list_that_cannot_be_read_for_long_is_told_once_and_asked_for_at_growing_intervals() {
    let mut inner = pool_of(|_| vec![(0, "Created")]);
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(move |question, now| match question {
            Question::List { .. } if now < 3_600 * SECOND => (failed(ErrorKind::Transient), Duration::from_millis(10)),
            Question::List { .. } | Question::Describe(_) => inner(question, now),
        }),
    );
    world.watch_pool();
    world.run(3_700 * SECOND);
    let told = world.pool_failures.iter().filter(|news| **news == News::Tell).count();
    assert_eq!((told, world.pool_recoveries), (1, 1));
    assert!(world.pool_failures.len() < 140, "{}", world.pool_failures.len());
}

#[test]
fn a_pool_that_comes_due_while_its_list_fails_is_read_again() {
    // From the failure on one of its jobs is left: nothing that a list would be asked for.
    let jobs = |now: Duration| {
        let mut jobs = lists::all(if now < 60 * SECOND { 10 } else { 11 }, "InProgress");
        if now >= 60 * SECOND {
            jobs[1..10].iter_mut().for_each(|(_, job)| *job = shown("Succeeded", 0));
        }
        jobs
    };
    let pool = lists::Pool::new(jobs);
    let mut has_failed = false;
    let mut world = World::new(
        lists::auto(Ending::WhenStopped),
        Box::new(move |question, now| match question {
            Question::List { .. } if now > 5 * SECOND && !std::mem::replace(&mut has_failed, true) => {
                (failed(ErrorKind::Transient), 60 * SECOND)
            }
            Question::List { .. } | Question::Describe(_) => (pool.answer(question, now), SECOND / 100),
        }),
    );
    world.watch_pool();
    world.run(200 * SECOND);
    assert_eq!((world.list_failures, world.pool_failures.len()), (1, 0), "it was not read for new jobs");
    assert_eq!(world.scheduler.job_count(), 11);
}
