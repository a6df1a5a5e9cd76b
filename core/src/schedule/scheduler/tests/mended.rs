//! Tests of a reload that repairs or widens what is watched, and of lists that are odd.

use super::memory::{named, pool, replacement};
use super::*;

fn job_id(id: &str) -> JobId {
    id.parse().unwrap()
}

fn page(jobs: &[(&str, JobSnapshot)], next: Option<&str>) -> PollResult {
    let jobs = jobs.iter().map(|(id, shown)| (job_id(id), shown.clone())).collect();
    PollResult::Page(PoolPage { jobs, next: next.map(str::to_owned), date: None })
}

fn called(name: &str, status: &str) -> JobSnapshot {
    JobSnapshot { job_name: Some(name.into()), ..shown(status, 0) }
}

fn filtered(pattern: &str) -> NewPool {
    let filter = PoolFilter { job_name: Some(pattern.parse().unwrap()), ignore_completed_before: 86_400 * SECOND };
    NewPool { filter, ..pool(Vec::new()) }
}

/// Shows two jobs of different names, one to a page: the first is over, the other ends as failed after a minute.
fn of_two_names() -> Service {
    Box::new(|question, now| {
        let last = called("x", if now < 60 * SECOND { "InProgress" } else { "Failed" });
        let first = called("y", "Succeeded");
        let result = match question {
            Question::Describe(target) => {
                PollResult::Job(if target.job == job_id("import-y") { first } else { last }, None)
            }
            Question::List { token: None, .. } => page(&[("import-x", last)], Some("2")),
            Question::List { .. } => page(&[("import-y", first)], None),
        };
        (result, SECOND / 10)
    })
}

#[test]
fn a_watch_that_ends_does_not_end_before_the_list_was_read_for_the_jobs_that_are_wanted_now() {
    // At rest, and while either page is on its way.
    for at in [20_000, 50, 600, 1_150] {
        let mut world = World::new(settings(when_over()), of_two_names());
        world.watch("us-west-2_A/import-x");
        world.feed(Input::Pool(filtered("y")));
        world.run(Duration::from_millis(at));
        world.feed(replacement(Vec::new(), vec![filtered("x")]));
        assert!(!world.scheduler.is_over());
        world.run(200 * SECOND);
        assert!(world.verdicts().contains(&Some(Verdict::Failed)), "{at}: {:?}", world.verdicts());
    }
}

#[test]
fn a_job_that_is_named_in_one_account_and_found_by_its_pool_in_another_is_watched_once_as_its_owner_says() {
    let mut world = World::new(settings(Ending::WhenStopped), of_two_names());
    world.watch_with("us-west-2_A/import-x", 1, |policy| policy.expected_users = Some(7));
    world.watch_pool();
    world.run(30 * SECOND);
    let views: Vec<JobView> = world.scheduler.views(world.now()).collect();
    let of_x: Vec<&JobView> = views.iter().filter(|view| view.watched.target.job == job_id("import-x")).collect();
    assert_eq!((views.len(), of_x.len()), (2, 1));
    assert_eq!(of_x[0].watched.terms.policy.expected_users, Some(7));
}

#[test]
fn a_job_that_a_page_shows_twice_is_watched_once() {
    let twice = || page(&[("import-a", shown("Created", 0)), ("import-a", shown("Created", 0))], None);
    let answer = move |question: &Question, _| match question {
        Question::Describe(_) => (job("Created"), SECOND / 10),
        Question::List { .. } => (twice(), SECOND / 10),
    };
    let mut world = World::new(settings(Ending::WhenStopped), Box::new(answer));
    world.watch_pool();
    world.run(100 * SECOND);
    assert_eq!(world.scheduler.job_count(), 1);
    assert_eq!(world.names(), ["job.first_seen"]);
}

#[test]
fn a_list_that_goes_round_is_a_failure_that_may_pass() {
    let answer = |question: &Question, now: Duration| match question {
        Question::List { .. } if now < 60 * SECOND => (page(&[], Some("round")), SECOND / 10),
        Question::List { .. } => (page(&[("import-a", shown("Created", 0))], None), SECOND / 10),
        Question::Describe(_) => (job("Created"), SECOND / 10),
    };
    let mut world = World::new(settings(Ending::WhenStopped), Box::new(answer));
    world.watch_pool();
    world.run(60 * SECOND);
    assert!(world.sent.len() < 20, "{} requests", world.sent.len());
    let told = world.pool_failures.iter().filter(|news| **news == News::Tell).count();
    assert_eq!(told, 1);
    world.run(120 * SECOND);
    assert_eq!(world.scheduler.job_count(), 1);
}

#[test]
fn what_was_refused_is_asked_for_at_once_after_a_reload() {
    let answer = |question: &Question, now: Duration| {
        let result = match question {
            _ if now < 60 * SECOND => failed(ErrorKind::Denied),
            Question::List { .. } => page(&[("import-b", shown("Succeeded", 0))], None),
            Question::Describe(_) => job("Succeeded"),
        };
        (result, SECOND / 10)
    };
    // Another job keeps the watch from its end.
    for ending in [Ending::WhenStopped, when_over()] {
        let waits =
            |question: &Question| matches!(question, Question::Describe(target) if target.job == job_id("import-c"));
        let service = move |question: &Question, now| {
            if waits(question) { (job("Created"), SECOND / 10) } else { answer(question, now) }
        };
        let mut world = World::new(settings(ending), Box::new(service));
        world.watch("us-west-2_B/import-a");
        world.watch("us-west-2_C/import-c");
        world.watch_pool();
        world.run(70 * SECOND);
        let jobs = ["us-west-2_B/import-a", "us-west-2_C/import-c"].map(|target| named(&world, target));
        world.feed(replacement(jobs.to_vec(), vec![pool(Vec::new())]));
        world.run(80 * SECOND);
        let ended = world.verdicts().into_iter().filter(|verdict| *verdict == Some(Verdict::Succeeded)).count();
        assert_eq!(ended, 2, "{ending:?}: {:?}", world.verdicts());
        assert_eq!(world.scheduler.pools_given_up().count(), 0);
    }
}
