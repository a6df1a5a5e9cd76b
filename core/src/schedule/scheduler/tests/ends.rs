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
