//! Tests of what a scheduler says of itself.

use super::*;

#[test]
fn what_is_watched_and_asked_is_counted() {
    let mut world = World::new(settings(Ending::WhenStopped), pool_of(|_| vec![(0, "Created"), (1, "Created")]));
    let counts =
        |world: &World| (world.scheduler.job_count(), world.scheduler.pool_count(), world.scheduler.requests());
    assert_eq!(counts(&world), (0, 0, 0));
    assert!(world.scheduler.view(0, world.now()).is_none());
    for number in 0..3 {
        world.watch(&format!("us-west-2_B/import-{number}"));
    }
    world.watch_pool();
    world.run(100 * SECOND);
    assert_eq!(counts(&world), (5, 1, world.sent.len() as u64));
    let polls: u64 = world.scheduler.views(world.now()).map(|view| u64::from(view.polls)).sum();
    let lists = world.sent.iter().filter(|(_, question)| matches!(question, Question::List { .. })).count() as u64;
    assert_eq!(polls, world.scheduler.requests() - lists);
    let first = world.scheduler.view(0, world.now()).map(|view| view.watched.target.to_string());
    assert_eq!(first.as_deref(), Some("us-west-2_B/import-0"));
}

#[test]
fn a_request_is_waited_for_until_it_is_answered() {
    let mut world = World::new(settings(when_over()), Box::new(|_, _| (job("Succeeded"), SECOND)));
    assert!(!world.scheduler.is_waiting());
    assert_eq!(world.scheduler.open_jobs(), 0);
    world.watch("us-west-2_A/import-a");
    world.watch("us-west-2_A/import-b");
    assert!(world.scheduler.is_waiting());
    assert_eq!(world.scheduler.open_jobs(), 2);
    world.run(100 * SECOND);
    assert!(!world.scheduler.is_waiting());
    assert_eq!(world.scheduler.open_jobs(), 0);
}

#[test]
fn where_the_ceiling_binds_nobody_is_woken_for_what_cannot_be_sent_yet() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| job("InProgress")));
    for number in 0..400 {
        world.watch_with(&format!("us-west-2_{}/import-{number}", number % 20), 0, |policy| policy.stall_after = None);
    }
    world.run(600 * SECOND);
    assert!(
        world.sent.len() > 2_900 && world.wakes < world.sent.len() * 11 / 10,
        "{} {}",
        world.wakes,
        world.sent.len()
    );
}

#[test]
fn a_lane_expects_each_moving_job_once_however_often_lists_show_it() {
    // One that changes all the time has lists read every two seconds, which show the others long before they are due.
    let shows = |now: Duration| {
        let mut jobs = lists::all(20, "InProgress");
        jobs[0].1.counts.imported = now.as_secs();
        jobs
    };
    let mut world = World::new(lists::auto(Ending::WhenStopped), lists::Pool::new(shows).service());
    lists::watch(&mut world, 0..20);
    world.run(600 * SECOND);
    let coming: usize = world.scheduler.lanes.values().map(|lane| lane.coming.len()).sum();
    assert!(coming <= 20, "{coming} of 20 jobs");
}
