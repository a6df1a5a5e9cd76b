//! Tests of what is watched in place of something else.

use super::memory::{named, pool, replacement};
use super::*;

const POOL: &str = "us-west-2_A";

/// A pool with one job, and after a minute with two.
fn growing() -> Service {
    pool_of(|now| (0..if now < 60 { 1 } else { 2 }).map(|number| (number, "Created")).collect())
}

#[test]
fn a_pool_in_place_of_another_is_read_and_the_other_is_not() {
    let mut world = World::new(settings(Ending::WhenStopped), growing());
    world.watch_pool();
    world.run(SECOND);
    let asked = world.sent.len();
    let other = NewPool { id: "us-west-2_B".parse().unwrap(), ..pool(Vec::new()) };
    world.feed(replacement(Vec::new(), vec![other]));
    world.run(100 * SECOND);
    assert_eq!((world.scheduler.pool_count(), world.scheduler.job_count()), (1, 2));
    let pool_of = |question: &Question| match question {
        Question::Describe(target) => target.pool.to_string(),
        Question::List { pool, .. } => pool.to_string(),
    };
    assert!(world.sent[asked..].iter().all(|(_, question)| pool_of(question) == "us-west-2_B"));
}

#[test]
fn a_job_that_its_pool_shows_after_a_change_is_watched_as_its_owner_says_now() {
    for lane in [LaneIndex(0), LaneIndex(1)] {
        let mut world = World::new(settings(Ending::WhenStopped), growing());
        world.watch_pool();
        world.run(SECOND);
        let policy = Arc::new(JobPolicy { stall_after: None, ..JobPolicy::default() });
        let account = Some("123456789012".parse().unwrap());
        let terms = Arc::new(Terms { name: None, account, policy, progress_interval: SECOND });
        let changed = NewPool { lane, terms, ..pool(Vec::new()) };
        world.feed(replacement(Vec::new(), vec![changed.clone()]));
        world.run(100 * SECOND);
        let views: Vec<JobView> = world.scheduler.views(world.now()).collect();
        assert_eq!(views.len(), 2);
        for view in views {
            assert_eq!((view.lane, &view.watched.terms), (lane, &changed.terms));
            assert_eq!(view.watched.target.pool.as_str(), POOL);
        }
    }
}

#[test]
fn a_job_that_is_over_is_judged_by_the_policy_as_it_is_now() {
    let mut world = World::new(settings(when_over()), at_time(|_| PollResult::Job(shown("Succeeded", 3), None)));
    world.watch_with("us-west-2_A/import-a", 0, |policy| policy.max_failed_users = Limit::AtMost(2));
    world.run(SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::TooManyFailedUsers)]);
    let mut job = named(&world, "us-west-2_A/import-a");
    for (limit, verdict) in [(3, Verdict::Succeeded), (3, Verdict::Succeeded), (0, Verdict::TooManyFailedUsers)] {
        Arc::make_mut(&mut job.job.terms).policy =
            Arc::new(JobPolicy { max_failed_users: Limit::AtMost(limit), ..JobPolicy::default() });
        world.feed(replacement(vec![job.clone()], Vec::new()));
        assert_eq!((world.verdicts(), world.scheduler.is_over()), (vec![Some(verdict)], true));
    }
}

#[test]
fn a_job_that_waits_for_its_lane_waits_on_its_other_account_and_those_behind_it_stay() {
    let mut world = World::new(settings(Ending::WhenStopped), Box::new(|_, _| (job("Created"), SECOND)));
    let targets = ["a", "b", "c"].map(|id| format!("{POOL}/import-{id}"));
    for target in &targets {
        world.watch(target);
    }
    world.run(SECOND);
    assert_eq!(world.sent.len(), 1, "the first request of a lane is alone");
    let mut jobs: Vec<NewJob> = targets.iter().map(|target| named(&world, target)).collect();
    jobs[1].lane = LaneIndex(1);
    world.now = 2 * SECOND;
    let actions = world.scheduler.handle(world.now(), replacement(jobs, Vec::new()));
    let sent: Vec<(LaneIndex, String)> = actions
        .iter()
        .map(|action| match action {
            Action::Send(Request { lane, question: Question::Describe(target), .. }) => (*lane, target.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sent, [(LaneIndex(0), targets[2].clone()), (LaneIndex(1), targets[1].clone())]);
}
