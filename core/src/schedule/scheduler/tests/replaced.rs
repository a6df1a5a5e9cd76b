//! Tests of what is watched in place of something else.

use super::lists::{Pool, all, auto, watch};
use super::memory::{named, pool, replacement};
use super::*;
use crate::domain::track::{AskedBy, Observation, Outcome};

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

fn target(job: usize) -> String {
    format!("{POOL}/import-{job}")
}

/// The same jobs, and lists where they are worth it.
fn with_lists(jobs: Vec<NewJob>) -> Input {
    let Input::Replace(mut new) = replacement(jobs, Vec::new()) else { panic!("it is one") };
    new.batch = Batch::Auto;
    Input::Replace(new)
}

fn is_list(sent: &(Duration, Question)) -> bool {
    matches!(sent.1, Question::List { .. })
}

/// Runs until the answer to the first list is there, and the next page waits for its turn.
fn one_page_of_many(world: &mut World) {
    while !world.sent.iter().any(is_list) || world.in_flight.values().any(|sent| matches!(sent, Question::List { .. }))
    {
        let next = world.now + SECOND / 100;
        world.run(next);
    }
}

#[test]
fn no_page_is_asked_for_of_a_list_that_nobody_needs_any_more() {
    let of_many = || World::new(auto(Ending::WhenStopped), Pool::new(|_| all(300, "Created")).service());
    let nothing: fn(&World) -> Input = |_| replacement(vec![], vec![]);
    let no_lists: fn(&World) -> Input =
        |world| replacement((0..300).map(|job| named(world, &target(job))).collect(), Vec::new());
    for (change, described) in [(nothing, false), (no_lists, true)] {
        let mut world = of_many();
        watch(&mut world, 0..300);
        one_page_of_many(&mut world);
        let asked = world.sent.len();
        let new = change(&world);
        world.feed(new);
        world.run(world.now + 200 * SECOND);
        assert_eq!(world.sent[asked..].iter().filter(|sent| is_list(sent)).count(), 0);
        assert_eq!(world.sent.len() > asked, described);
        let unseen = world.scheduler.views(world.now()).filter(|view| view.track.known().is_none()).count();
        assert_eq!(unseen, 0, "what a list was to show is asked about");
        // And it is read again when it is wanted again.
        let jobs = (0..300).map(|job| named(&world, &target(job))).collect();
        world.feed(with_lists(jobs));
        world.run(world.now + 60 * SECOND);
        assert!(world.sent[asked..].iter().any(is_list));
    }
}

#[test]
fn lists_of_the_account_that_a_job_left_are_not_read_for_it() {
    let mut world = World::new(auto(Ending::WhenStopped), Pool::new(|_| all(8, "Created")).service());
    watch(&mut world, 0..8);
    world.run(10 * SECOND);
    let mut jobs: Vec<NewJob> = (0..8).map(|job| named(&world, &target(job))).collect();
    jobs.iter_mut().skip(1).for_each(|job| job.lane = LaneIndex(1));
    let asked = world.sent.len();
    world.feed(with_lists(jobs));
    world.run(300 * SECOND);
    let of_lane = |lane| {
        let sent = world.sent.iter().zip(&world.lanes).skip(asked);
        sent.filter(move |(sent, of)| is_list(sent) && **of == LaneIndex(lane)).count()
    };
    assert_eq!(of_lane(0), 0, "one job alone is asked about alone");
    assert!(of_lane(1) > 0);
}

#[test]
fn a_list_that_was_asked_for_before_a_job_was_put_back_is_not_taken_for_newer() {
    let shows = Pool::new(|_| all(8, "Created"));
    // Lists take a second, and what they show is Created for ever; in truth each job moved on at once.
    let truth = Pool::new(|now| all(8, if now < SECOND { "Created" } else { "Paused" }));
    let service = Box::new(move |question: &Question, now: Duration| match question {
        Question::List { .. } => (shows.answer(question, now), SECOND),
        Question::Describe(_) => (truth.answer(question, now), SECOND / 100),
    });
    let mut world = World::new(auto(Ending::WhenStopped), service);
    watch(&mut world, 0..8);
    world.run(2 * SECOND);
    while !world.in_flight.values().any(|sent| matches!(sent, Question::List { .. })) {
        let next = world.now + SECOND / 100;
        world.run(next);
    }
    let mut known = named(&world, &target(3));
    let mut track = known.known.take().unwrap_or_default();
    let newer = Observation {
        sent: Tick::ZERO,
        arrived: Tick::ZERO,
        at: world.now().wall,
        outcome: Outcome::Seen { snapshot: shown("Paused", 0), date: None, by: AskedBy::Describe },
    };
    *track = track.step(&known.job, newer).next;
    let stored = track.stored(Tick::ZERO, world.now().wall);
    known.known = Some(Box::new(JobTrack::restored(stored, Tick::ZERO, world.now().wall)));
    let rest = |world: &World| -> Vec<NewJob> {
        (0..8).filter(|job| *job != 3).map(|job| named(world, &target(job))).collect()
    };
    // One request at a time: the list is answered before the job can be asked about alone.
    for jobs in [rest(&world), rest(&world).into_iter().chain([known]).collect()] {
        let Input::Replace(mut new) = with_lists(jobs) else { panic!("it is one") };
        new.ceilings = Ceilings::new(5.0, 2.0, 1).unwrap();
        world.feed(Input::Replace(new));
    }
    world.run(world.now + 3 * SECOND);
    let of_job = |event: &&(Duration, JobEvent)| event.1.job.target.to_string() == target(3);
    let told: Vec<&str> = world.events.iter().filter(of_job).map(|(_, event)| event.fact.name()).collect();
    assert!(!told.contains(&"job.status_changed"), "{told:?}");
}

#[test]
fn a_lane_has_questions_while_a_job_of_it_is_open_or_a_pool_is_read() {
    let (here, there) = (LaneIndex(0), LaneIndex(1));
    let mut world = World::new(
        settings(Ending::WhenStopped),
        at_time(|now| job(if now < 20 { "InProgress" } else { "Succeeded" })),
    );
    let questions = |world: &World| [here, there].map(|lane| world.scheduler.has_questions(lane));
    assert_eq!(questions(&world), [false, false]);
    world.watch("us-west-2_A/import-a");
    assert_eq!(questions(&world), [true, false]);
    world.run(100 * SECOND);
    assert_eq!(questions(&world), [false, false]);
    world.feed(replacement(vec![named(&world, "us-west-2_A/import-a")], Vec::new()));
    assert_eq!(questions(&world), [false, false]);
    world.feed(replacement(Vec::new(), vec![NewPool { lane: there, ..pool(Vec::new()) }]));
    assert_eq!(questions(&world), [false, true]);
    world.feed(replacement(Vec::new(), Vec::new()));
    assert_eq!(questions(&world), [false, false]);
}
