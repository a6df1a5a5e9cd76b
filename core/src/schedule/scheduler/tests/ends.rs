//! Tests of how a watch ends: deadlines, last looks, and time that is up.

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

#[test]
fn a_timeout_of_zero_looks_once_at_each_job() {
    let mut world = World::new(settings(until(0)), at_time(|_| job("InProgress")));
    for number in 0..60 {
        world.watch(&format!("us-west-2_A/import-{number}"));
    }
    world.run(3_600 * SECOND);
    assert_eq!(world.sent.len(), 60);
    assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded); 60]);
}

#[test]
fn a_throttle_is_no_look() {
    let mut world = World::new(
        settings(until(0)),
        Box::new(|_, now| {
            let result = if now < 3 * SECOND { failed(ErrorKind::Throttled) } else { job("InProgress") };
            (result, Duration::from_millis(10))
        }),
    );
    world.watch("us-west-2_A/import-a");
    world.run(3_600 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)]);
    let mut forever = World::new(settings(until(0)), at_time(|_| failed(ErrorKind::Throttled)));
    forever.watch("us-west-2_A/import-a");
    forever.run(3_600 * SECOND);
    assert_eq!(forever.verdicts(), [Some(Verdict::Unobservable)]);
    assert!(forever.now < 12 * SECOND, "{:?}", forever.now);
}

#[test]
fn one_last_poll_happens_at_the_deadline() {
    let mut world =
        World::new(settings(until(40)), at_time(|now| job(if now < 40 { "InProgress" } else { "Succeeded" })));
    world.watch("us-west-2_A/import-a");
    world.run(100 * SECOND);
    assert_eq!(world.seconds().last(), Some(&40.0));
    assert_eq!(world.verdicts(), [Some(Verdict::Succeeded)]);
}

#[test]
fn at_the_deadline_a_running_job_is_late_and_an_unseen_one_unobservable() {
    let ends = |good_until: u64| {
        let mut world = World::new(
            settings(until(300)),
            at_time(move |now| if now < good_until { job("InProgress") } else { failed(ErrorKind::Transient) }),
        );
        world.watch("us-west-2_A/import-a");
        world.run(400 * SECOND);
        world.verdicts()[0]
    };
    assert_eq!(ends(400), Some(Verdict::DeadlineExceeded));
    assert_eq!(ends(299), Some(Verdict::DeadlineExceeded), "seen well less than two longest intervals ago");
    assert_eq!(ends(200), Some(Verdict::Unobservable));
    assert_eq!(ends(0), Some(Verdict::Unobservable));
}

#[test]
fn the_last_look_does_not_wait_for_a_lane_that_is_told_to_stay_away() {
    let mut world = World::new(
        settings(until(30)),
        at_time(|now| {
            if now < 20 {
                return job("InProgress");
            }
            let hint = Some(300 * SECOND);
            PollResult::Failed(PollError { retry_after: hint, ..PollError::new(ErrorKind::Throttled, "no") })
        }),
    );
    world.watch("us-west-2_A/import-a");
    world.run(600 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)]);
    assert!(world.now <= 41 * SECOND, "{:?}", world.now);
}

#[test]
fn a_job_that_cannot_be_observed_ends_after_the_unobserved_timeout() {
    let mut world = World::new(settings(when_over()), at_time(|_| failed(ErrorKind::Transient)));
    world.watch("us-west-2_A/import-a");
    world.run(3_600 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::Unobservable)]);
    assert!(world.now >= 900 * SECOND && world.now <= 931 * SECOND, "{:?}", world.now);
}

#[test]
fn a_denied_last_look_is_asked_once_more() {
    let mut world = World::new(settings(until(0)), at_time(|_| failed(ErrorKind::Denied)));
    world.watch("us-west-2_A/import-a");
    world.run(100 * SECOND);
    assert_eq!(world.seconds(), [0.0, 1.0]);
    assert_eq!(world.verdicts(), [Some(Verdict::AccessDenied)]);
}

#[test]
fn a_policys_deadline_is_looked_at_when_it_comes() {
    let mut ends = World::new(settings(when_over()), at_time(|_| job("InProgress")));
    ends.watch_with("us-west-2_A/import-a", 0, |policy| policy.deadline = Some(33 * SECOND));
    ends.run(100 * SECOND);
    assert_eq!(ends.seconds().last(), Some(&33.0));
    assert_eq!(ends.verdicts(), [Some(Verdict::DeadlineExceeded)]);
    assert_eq!(ends.names(), ["job.first_seen", "job.warning"]);
    let mut goes_on = World::new(settings(Ending::WhenStopped), at_time(|_| job("InProgress")));
    goes_on.watch_with("us-west-2_A/import-a", 0, |policy| policy.deadline = Some(33 * SECOND));
    goes_on.run(100 * SECOND);
    assert_eq!(goes_on.verdicts(), [None]);
    assert_eq!(goes_on.names(), ["job.first_seen", "job.warning"]);
}

#[test]
fn a_job_seen_well_is_late_not_unobservable_when_the_lane_is_busy() {
    let mut busy = settings(until(32));
    busy.backoff = BackoffPolicy::new(SECOND, SECOND, 1.0, 0.0).unwrap();
    let mut world = World::new(busy, at_time(|_| job("InProgress")));
    for number in 0..40 {
        world.watch(&format!("us-west-2_A/import-{number}"));
    }
    world.run(100 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded); 40]);
}

#[test]
fn the_unobserved_timeout_is_noticed_when_it_ends() {
    let mut slow = settings(when_over());
    slow.backoff = BackoffPolicy::new(SECOND, 3_600 * SECOND, 10.0, 0.0).unwrap();
    let mut world = World::new(slow, at_time(|_| failed(ErrorKind::Transient)));
    world.watch("us-west-2_A/import-a");
    world.run(7_200 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::Unobservable)]);
    assert!(world.now < 902 * SECOND, "{:?}", world.now);
}
