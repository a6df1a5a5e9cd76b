//! Tests of a watch whose time is up, to the moment.

use super::*;

const SOON: Duration = Duration::from_millis(10);

#[test]
fn a_throttle_that_comes_when_the_last_look_is_over_is_the_last_answer() {
    let mut world =
        World::new(settings(until(1)), Box::new(|_, _| (failed(ErrorKind::Throttled), Duration::from_secs(12))));
    world.watch("us-west-2_A/import-a");
    world.run(100 * SECOND);
    assert_eq!((world.seconds(), world.now), (vec![0.0], 12 * SECOND));
    assert_eq!(world.verdicts(), [Some(Verdict::Unobservable)]);
}

#[test]
fn what_waits_for_its_lane_when_the_last_look_is_over_is_not_asked_any_more() {
    let mut world = World::new(
        settings(until(1)),
        Box::new(|question, _| {
            let Question::Describe(target) = question else { panic!("no pool is watched") };
            (job("InProgress"), if target.job.as_str() == "import-5" { 30 * SECOND } else { SOON })
        }),
    );
    for number in 0..40 {
        world.watch(&format!("us-west-2_A/import-{number}"));
    }
    world.run(100 * SECOND);
    assert!(world.scheduler.is_over() && world.now > 30 * SECOND);
    assert!(world.sent.iter().all(|(at, _)| *at < 11 * SECOND), "{:?}", world.sent.last());
}

#[test]
fn a_watch_that_goes_on_past_a_jobs_deadline_asks_no_faster() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| job("InProgress")));
    world.watch_with("us-west-2_A/import-a", 0, |policy| policy.deadline = Some(33 * SECOND));
    world.run(93 * SECOND);
    let late = world.seconds().into_iter().filter(|at| *at > 33.0).count();
    assert!((2..=3).contains(&late), "{:?}", world.seconds());
}

#[test]
fn a_last_look_is_not_repeated_when_the_poll_that_it_overtook_would_have_come() {
    let mut world = World::new(
        settings(until(10)),
        Box::new(|question, now| match question {
            Question::List { .. } if now < 10 * SECOND => (failed(ErrorKind::Transient), Duration::ZERO),
            Question::List { .. } => {
                (PollResult::Page(PoolPage { jobs: Vec::new(), next: None, date: None }), Duration::ZERO)
            }
            Question::Describe(target) if now >= 10 * SECOND && target.pool.as_str() == "us-west-2_C" => {
                (job("InProgress"), 30 * SECOND)
            }
            Question::Describe(_) => (job("InProgress"), Duration::ZERO),
        }),
    );
    world.watch("us-west-2_B/import-b");
    world.watch("us-west-2_C/import-c");
    world.watch_pool();
    world.run(100 * SECOND);
    assert!(world.scheduler.is_over() && world.now >= 40 * SECOND, "{:?}", world.now);
    assert!(world.seconds().into_iter().all(|at| at < 12.0), "{:?}", world.seconds());
    assert_eq!(world.given_up(), []);
}

#[test]
fn a_watch_that_looks_once_has_ten_seconds_and_the_time_that_the_ceiling_asks_for() {
    let mut world = World::new(settings(until(0)), at_time(|_| failed(ErrorKind::Throttled)));
    for number in 0..61 {
        world.watch(&format!("us-west-2_A/import-{number}"));
    }
    world.run(3_600 * SECOND);
    assert_eq!((world.scheduler.is_over(), world.now), (true, (10 + 60 / 2) * SECOND));
}

#[test]
fn a_pool_that_is_throttled_to_the_end_is_given_up_when_the_last_look_is_over() {
    for (takes, end) in [(Duration::ZERO, 11 * SECOND), (12 * SECOND, 12 * SECOND)] {
        let mut world = World::new(settings(until(1)), Box::new(move |_, _| (failed(ErrorKind::Throttled), takes)));
        world.watch_pool();
        world.run(100 * SECOND);
        assert_eq!((world.given_up(), world.now), (vec![Verdict::Unobservable], end));
    }
}
