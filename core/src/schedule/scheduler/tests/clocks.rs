//! Our wall clock is wrong or is set, the process is stopped, the machine sleeps: the service's clock counts.

use std::cell::Cell;
use std::rc::Rc;

use super::*;

const A: &str = "us-west-2_A/import-a";
const HOURS: i64 = 5 * 3_600_000;

/// A service whose clock is right; ours is slow by the time that the machine slept.
fn on_time(slept: &Rc<Cell<Duration>>, takes: Duration, answer: impl Fn(u64) -> PollResult + 'static) -> Service {
    let slept = Rc::clone(slept);
    Box::new(move |_, now| {
        let time = now + slept.get();
        let date = Timestamp::from_millis(1_700_000_000_000).plus(time);
        let answer = match answer(time.as_secs()) {
            PollResult::Job(snapshot, _) => PollResult::Job(snapshot, Some(date)),
            other => other,
        };
        (answer, takes)
    })
}

fn warnings(world: &World) -> Vec<u64> {
    let warned = world.events.iter().filter(|(_, event)| event.fact.name() == "job.warning");
    warned.map(|(at, _)| at.as_secs()).collect()
}

#[test]
fn a_wall_clock_that_is_set_moves_no_deadline_and_warns_of_nothing() {
    let run = |set: &[(u64, i64)], ending: Ending| {
        let mut world = World::new(settings(ending), on_time(&Rc::default(), SECOND / 10, |_| job("Created")));
        world.watch_with(A, 0, |policy| policy.deadline = Some(3_000 * SECOND));
        for (at, wrong_by) in set {
            world.run(Duration::from_secs(*at));
            world.wrong_by = *wrong_by;
        }
        world.run(4_000 * SECOND);
        (world.seconds(), warnings(&world), world.verdicts())
    };
    for ending in [when_over(), Ending::WhenStopped] {
        let right = run(&[], ending);
        // upload_url_lapsed, and the deadline.
        assert_eq!(right.1.len(), 2);
        assert!((900..=931).contains(&right.1[0]) && (3_000..=3_001).contains(&right.1[1]), "{:?}", right.1);
        assert_eq!(
            run(&[(100, HOURS), (200, -HOURS), (300, 8_760 * 3_600_000), (400, -8_760 * 3_600_000)], ending),
            right
        );
    }
}

#[test]
fn a_deadline_that_is_changed_while_our_clock_is_wrong_counts_by_the_services() {
    for wrong_by in [0, HOURS, -HOURS] {
        let mut world = World::new(settings(when_over()), on_time(&Rc::default(), SECOND / 10, |_| job("Created")));
        world.watch(A);
        world.run(100 * SECOND);
        world.wrong_by = wrong_by;
        let now = world.now();
        let view = world.scheduler.views(now).next().unwrap();
        let (mut watched, track) = (view.watched.clone(), view.track.clone());
        Arc::make_mut(&mut watched.terms).policy =
            Arc::new(JobPolicy { deadline: Some(600 * SECOND), ..JobPolicy::default() });
        let job = NewJob { lane: LaneIndex(0), job: watched, known: Some(Box::new(track)) };
        world.feed(Input::Replace(Box::new(Replacement {
            backoff: settings(when_over()).backoff,
            ceilings: Ceilings::default(),
            batch: Batch::Never,
            jobs: vec![job],
            pools: Vec::new(),
        })));
        world.run(3_000 * SECOND);
        assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)]);
        assert!((599..=631).contains(&world.now.as_secs()), "{:?}", world.now);
    }
}

#[test]
fn a_restart_with_a_wrong_clock_leaves_the_deadline_where_it_was() {
    for wrong_by in [0, HOURS, -HOURS] {
        let start = 1_700_000_000_000_i64;
        let known = JobTrack::restored(
            JobTrack::default()
                .step(
                    &watched(A, JobPolicy::default()),
                    crate::domain::track::Observation {
                        sent: Tick::ZERO,
                        arrived: Tick::ZERO,
                        at: Timestamp::from_millis(start),
                        outcome: crate::domain::track::Outcome::Seen {
                            snapshot: shown("InProgress", 0),
                            date: None,
                            by: crate::domain::track::AskedBy::Describe,
                        },
                    },
                )
                .next
                .stored(Tick::ZERO, Timestamp::from_millis(start)),
            Tick::ZERO,
            Timestamp::from_millis(start + wrong_by),
        );
        let mut world = World::new(settings(when_over()), on_time(&Rc::default(), SECOND / 10, |_| job("InProgress")));
        world.wrong_by = wrong_by;
        let job = watched(A, JobPolicy { deadline: Some(600 * SECOND), ..JobPolicy::default() });
        world.feed(Input::Job(NewJob { lane: LaneIndex(0), job, known: Some(Box::new(known)) }));
        world.run(3_000 * SECOND);
        assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)]);
        assert_eq!(world.now.as_secs(), 600, "wrong by {wrong_by}");
        assert_eq!(world.names(), ["job.warning"], "wrong by {wrong_by}");
    }
}

#[test]
fn after_hours_of_sleep_a_deadline_that_passed_is_noticed_at_the_next_answer() {
    let slept = Rc::new(Cell::new(Duration::ZERO));
    let mut world = World::new(settings(when_over()), on_time(&slept, SECOND / 10, |_| job("InProgress")));
    world.watch_with(A, 0, |policy| policy.deadline = Some(3_600 * SECOND));
    world.run(100 * SECOND);
    slept.set(7_200 * SECOND);
    world.wrong_by = 7_200_000;
    world.run(1_000 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)]);
    assert!(world.now <= 131 * SECOND, "an interval, not hours: {:?}", world.now);
}

/// A world whose process stands still for so long while a request is on its way, which fails at the end of it.
fn stopped(ending: Ending, deadline: Option<Duration>, still: Duration, after: PollResult) -> World {
    let service = move |time: u64| if time < 100 { job("InProgress") } else { after.clone() };
    let mut world = World::new(settings(ending), on_time(&Rc::default(), SECOND / 10, service));
    world.watch_with(A, 0, |policy| policy.deadline = deadline);
    world.run(95 * SECOND);
    while world.in_flight.is_empty() {
        world.run(world.now + SECOND / 20);
    }
    world.answers[0].2 = failed(ErrorKind::Transient);
    world.now += still;
    world
}

#[test]
fn a_process_that_was_stopped_for_long_ends_no_watch_by_that() {
    let mut world = stopped(when_over(), None, 1_200 * SECOND, job("InProgress"));
    world.run(world.now + 100 * SECOND);
    assert_eq!(world.verdicts(), [None]);
    assert_eq!(world.names(), ["job.first_seen"], "a single failure is no news");
    // Where nothing can be seen after that either, it ends as it would have.
    let mut world = stopped(when_over(), None, 1_200 * SECOND, failed(ErrorKind::Transient));
    let still_until = world.now;
    world.run(world.now + 100 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::Unobservable)]);
    assert!(world.now <= still_until + 2 * SECOND, "{:?}", world.now);
}

#[test]
fn a_deadline_that_passed_while_the_process_was_stopped_is_looked_at_once_more() {
    let mut world = stopped(when_over(), Some(600 * SECOND), 1_200 * SECOND, job("InProgress"));
    world.run(world.now + 100 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)], "it was seen");
    let mut world = stopped(when_over(), Some(600 * SECOND), 1_200 * SECOND, job("Succeeded"));
    world.run(world.now + 100 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::Succeeded)]);
    let mut world = stopped(when_over(), Some(600 * SECOND), 1_200 * SECOND, failed(ErrorKind::Transient));
    world.run(world.now + 100 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::Unobservable)]);
}

/// Answers well at once for the first seconds, and later with a failure that takes ten of them.
fn slow_world(deadline: Option<Duration>, interval: u32) -> World {
    let mut slow = settings(when_over());
    slow.backoff = BackoffPolicy::new(interval * SECOND, 3_600 * SECOND, 1.5, 0.0).unwrap();
    let service: Service = Box::new(|_, now| {
        if now < SECOND { (job("InProgress"), Duration::ZERO) } else { (failed(ErrorKind::Transient), 10 * SECOND) }
    });
    let mut world = World::new(slow, service);
    world.watch_with(A, 0, |policy| policy.deadline = deadline);
    world.run(7_200 * SECOND);
    world
}

#[test]
fn what_ends_while_a_poll_fails_is_looked_at_soon_however_long_the_interval() {
    // The poll at the unobserved timeout is the first that fails.
    let world = slow_world(None, 1_000);
    assert_eq!(world.seconds(), [0.0, 900.0, 911.0]);
    assert_eq!(world.verdicts(), [Some(Verdict::Unobservable)]);
    // The deadline passes while one is on its way.
    let world = slow_world(Some(600 * SECOND), 595);
    assert_eq!(world.seconds(), [0.0, 595.0, 605.0]);
    assert_eq!(world.verdicts(), [Some(Verdict::DeadlineExceeded)], "seen within two intervals");
}

#[test]
fn a_pool_that_could_not_be_read_for_the_time_the_process_was_stopped_is_read_again() {
    let mut world = World::new(
        settings(when_over()),
        Box::new(|_, now| {
            let page = PollResult::Page(PoolPage { jobs: Vec::new(), next: Some(format!("{now:?}")), date: None });
            if now < 100 * SECOND { (page, SECOND) } else { (failed(ErrorKind::Transient), SECOND) }
        }),
    );
    world.watch_pool();
    world.run(50 * SECOND);
    assert!(!world.in_flight.is_empty());
    world.answers[0].2 = failed(ErrorKind::Transient);
    world.now += 1_200 * SECOND;
    let asked = world.sent.len();
    world.run(world.now + SECOND / 2);
    assert_eq!(world.given_up().len(), 0);
    world.run(world.now + 100 * SECOND);
    assert_eq!((world.given_up(), world.sent.len() > asked), (vec![Verdict::Unobservable], true));
}

#[test]
fn a_process_that_was_stopped_makes_up_for_nothing() {
    let service: Service = Box::new(|_, _| (job("InProgress"), SECOND / 20));
    let mut world = World::new(settings(Ending::WhenStopped), service);
    for number in 0..60 {
        world.watch(&format!("us-west-2_{}/import-{number}", number % 6));
    }
    world.run(300 * SECOND);
    world.now += 600 * SECOND;
    let again = world.now;
    world.run(world.now + 60 * SECOND);
    let sent: Vec<f64> = world.sent.iter().map(|(at, _)| at.as_secs_f64()).collect();
    let later = world.sent.iter().filter(|(at, _)| *at >= again).count();
    assert!(later > 100, "{later}");
    for (first, from) in sent.iter().enumerate() {
        for (more, to) in sent[first..].iter().enumerate().take(200) {
            assert!(more as f64 <= 5.0 * (to - from) + 1e-6, "{more} within {}", to - from);
        }
    }
}
