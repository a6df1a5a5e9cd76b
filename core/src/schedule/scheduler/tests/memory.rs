//! What is known from before, and what stays when the watch is replaced.

use super::*;

const A: &str = "us-west-2_A/import-a";
const B: &str = "us-west-2_A/import-b";

pub(super) fn named(world: &World, target: &str) -> NewJob {
    NewJob { lane: LaneIndex(0), job: watched(target, JobPolicy::default()), known: known(world, target).map(Box::new) }
}

/// What a ledger would know of a job: the way through its plain form is part of it.
fn known(world: &World, target: &str) -> Option<JobTrack> {
    let now = world.now();
    let view = world.scheduler.views(now).find(|view| view.watched.target.to_string() == target)?;
    Some(JobTrack::restored(view.track.stored(now.tick, now.wall), Tick::ZERO, now.wall))
}

pub(super) fn pool(known: Vec<(JobId, JobTrack)>) -> NewPool {
    NewPool {
        lane: LaneIndex(0),
        id: "us-west-2_A".parse().unwrap(),
        name: None,
        terms: Arc::default(),
        filter: PoolFilter { job_name: None, ignore_completed_before: 86_400 * SECOND },
        known,
    }
}

pub(super) fn replacement(jobs: Vec<NewJob>, pools: Vec<NewPool>) -> Input {
    Input::Replace(Box::new(Replacement {
        backoff: settings(Ending::WhenStopped).backoff,
        ceilings: Ceilings::default(),
        batch: Batch::Never,
        jobs,
        pools,
    }))
}

#[test]
fn a_job_that_was_over_is_not_asked_about_again_and_one_that_was_not_is_told_on() {
    let mut before = World::new(settings(Ending::WhenStopped), at_time(|_| job("Succeeded")));
    before.watch(A);
    before.run(SECOND);
    let mut early = World::new(settings(Ending::WhenStopped), at_time(|_| job("Pending")));
    early.watch(B);
    early.run(SECOND);

    let mut after = World::new(settings(when_over()), at_time(|_| job("Succeeded")));
    after.feed(Input::Job(named(&before, A)));
    after.feed(Input::Job(named(&early, B)));
    after.run(100 * SECOND);
    assert_eq!(after.sent.len(), 1);
    assert_eq!(after.names(), ["job.status_changed", "job.completed"]);
    assert_eq!(after.verdicts(), [Some(Verdict::Succeeded); 2]);
    assert!(after.scheduler.is_over());
}

#[test]
fn a_pools_job_that_changed_while_down_is_told_however_long_ago_that_was() {
    let mut before = World::new(settings(Ending::WhenStopped), at_time(|_| job("InProgress")));
    before.watch(A);
    before.run(SECOND);
    let ended =
        || JobSnapshot { completed_at: Some(Timestamp::from_millis(1_600_000_000_000)), ..shown("Succeeded", 0) };
    let service: Service = Box::new(move |question, _| match question {
        Question::Describe(_) => (PollResult::Job(ended(), None), Duration::ZERO),
        Question::List { .. } => {
            let jobs = ["a", "old"].map(|job| (format!("import-{job}").parse().unwrap(), ended()));
            (PollResult::Page(PoolPage { jobs: jobs.into(), next: None, date: None }), Duration::ZERO)
        }
    });
    let mut after = World::new(settings(when_over()), service);
    let track = known(&before, A).unwrap();
    after.feed(Input::Pool(pool(vec![("import-a".parse().unwrap(), track)])));
    after.run(100 * SECOND);
    assert_eq!(after.names(), ["job.status_changed", "job.completed"]);
    assert_eq!(after.scheduler.job_count(), 1, "the other one was over long ago");
}

#[test]
fn what_stays_keeps_its_interval_and_its_state_and_what_goes_is_asked_no_more() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| job("Created")));
    world.watch(A);
    world.watch(B);
    world.run(20 * SECOND);
    let before = world.sent.len();
    world.feed(replacement(vec![named(&world, A)], Vec::new()));
    world.run(100 * SECOND);
    assert_eq!(world.scheduler.job_count(), 1);
    let later: Vec<_> = world.sent[before..].iter().map(|(at, question)| (at.as_secs(), question.clone())).collect();
    assert!(later.iter().all(|(_, question)| *question == Question::Describe(A.parse().unwrap())), "{later:?}");
    assert!(later[0].0 >= 26, "the interval began anew: {later:?}");
    assert_eq!(world.names(), ["job.first_seen", "job.first_seen"]);
}

#[test]
fn an_answer_about_a_job_that_went_meanwhile_tells_nothing() {
    let service: Service = Box::new(|_, _| (job("Created"), 2 * SECOND));
    let mut world = World::new(settings(when_over()), service);
    world.watch(A);
    world.feed(replacement(Vec::new(), Vec::new()));
    assert!(world.scheduler.is_over());
    world.now += 3 * SECOND;
    world.feed(Input::Answered { id: 0, result: job("Succeeded") });
    assert_eq!((world.names().len(), world.scheduler.is_waiting()), (0, false));
}

#[test]
fn a_job_on_another_account_is_asked_there_and_keeps_what_is_known() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| job("Created")));
    world.watch(A);
    world.run(SECOND);
    let moved = NewJob { lane: LaneIndex(1), ..named(&world, A) };
    let actions = world.scheduler.handle(world.now(), replacement(vec![moved], Vec::new()));
    assert!(actions.is_empty(), "{actions:?}");
    world.now = 10 * SECOND;
    let actions = world.scheduler.handle(world.now(), Input::Wake);
    let [Action::Send(request)] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(request.lane, LaneIndex(1));
    let answered = world.scheduler.handle(world.now(), Input::Answered { id: request.id, result: job("Created") });
    let [Action::Observed { events, memory, .. }] = &answered[..] else { panic!("{answered:?}") };
    assert_eq!((events.len(), *memory), (0, Memory::Holds));
}

#[test]
fn a_job_that_is_no_longer_named_stays_with_its_pool() {
    let mut world = World::new(settings(Ending::WhenStopped), pool_of(|_| vec![(0, "Created")]));
    world.watch_pool();
    world.run(SECOND);
    let target = world.scheduler.views(world.now()).next().unwrap().watched.target.to_string();
    for (jobs, pools) in [(vec![named(&world, &target)], vec![pool(Vec::new())]), (Vec::new(), vec![pool(Vec::new())])]
    {
        world.feed(replacement(jobs, pools));
        world.run(world.now + 60 * SECOND);
        assert_eq!((world.scheduler.job_count(), world.scheduler.pool_count()), (1, 1));
    }
    assert_eq!(world.names(), ["job.first_seen"]);
}

#[test]
fn a_job_that_is_named_and_remembered_by_its_pool_is_watched_once_when_both_come_at_once() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| job("Created")));
    world.watch(A);
    world.run(20 * SECOND);
    let remembered = known(&world, A).unwrap();
    world.feed(replacement(Vec::new(), Vec::new()));
    let named =
        NewJob { lane: LaneIndex(0), job: watched(A, JobPolicy::default()), known: Some(Box::new(remembered.clone())) };
    world.feed(replacement(vec![named], vec![pool(vec![("import-a".parse().unwrap(), remembered)])]));
    assert_eq!((world.scheduler.job_count(), world.scheduler.pool_count()), (1, 1));
}

#[test]
fn a_pool_that_is_no_longer_watched_is_not_read_and_put_back_tells_nothing_again() {
    let mut world = World::new(settings(Ending::WhenStopped), pool_of(|_| vec![(0, "Created")]));
    world.watch_pool();
    world.run(20 * SECOND);
    let target = world.scheduler.views(world.now()).next().unwrap().watched.target.clone();
    let remembered = known(&world, &target.to_string()).unwrap();
    world.feed(replacement(Vec::new(), Vec::new()));
    let asked = world.sent.len();
    world.run(200 * SECOND);
    assert_eq!((world.sent.len(), world.scheduler.job_count(), world.scheduler.pool_count()), (asked, 0, 0));
    world.feed(replacement(Vec::new(), vec![pool(vec![(target.job, remembered)])]));
    world.run(300 * SECOND);
    assert_eq!((world.scheduler.job_count(), world.scheduler.pool_count()), (1, 1));
    assert!(world.sent.len() > asked + 2);
    assert_eq!(world.names(), ["job.first_seen"]);
}

#[test]
fn a_watch_that_is_replaced_daily_for_years_does_not_grow() {
    // An answer takes so long that each replacement finds requests on their way.
    let service: Service = Box::new(|question, _| match question {
        Question::Describe(_) => (job("Created"), 2 * SECOND),
        Question::List { .. } => (PollResult::Page(PoolPage { jobs: Vec::new(), next: None, date: None }), 2 * SECOND),
    });
    let mut world = World::new(settings(Ending::WhenStopped), service);
    for day in 0..1_000_u32 {
        let named = |number: u32| NewJob {
            lane: LaneIndex(0),
            job: watched(&format!("us-west-2_B/import-{number}"), JobPolicy::default()),
            known: None,
        };
        let pools = if day % 2 == 0 { vec![pool(Vec::new())] } else { Vec::new() };
        let watched = pools.len();
        world.feed(replacement(vec![named(day), named(day + 1)], pools));
        world.run(world.now + 3 * SECOND);
        assert_eq!((world.scheduler.job_count(), world.scheduler.pool_count()), (2, watched));
    }
    let Scheduler { jobs, pools, places, agenda, in_flight, .. } = &world.scheduler;
    let queued: usize = places.iter().map(|place| place.waiting()).sum();
    assert_eq!((jobs.len(), pools.len(), places.len()), (2, 0, 2));
    assert!(agenda.len() + queued + in_flight.len() <= 6, "{agenda:?} {queued} {in_flight:?}");
    // Each was seen, and under its own name.
    let seen: Vec<String> = world.events.iter().map(|(_, event)| event.job.target.job.to_string()).collect();
    let named: Vec<String> = (0..=1_000).map(|number| format!("import-{number}")).collect();
    let missing: Vec<_> = named.iter().filter(|job| !seen.contains(job)).collect();
    assert!(missing.len() <= 1, "{missing:?}");
}

#[test]
fn what_moves_up_as_another_goes_keeps_its_turn_and_its_answer() {
    const C: &str = "us-west-2_C/import-c";
    let service: Service = Box::new(|_, _| (job("Created"), SECOND));
    let mut world = World::new(settings(Ending::WhenStopped), service);
    for target in [A, B, C] {
        world.watch(target);
    }
    let of_c = || Question::Describe(C.parse().unwrap());
    world.run(20 * SECOND);
    while !world.in_flight.values().any(|question| *question == of_c()) {
        world.run(world.now + SECOND / 10);
    }
    // The answer about C comes when A is gone and C is where B was.
    let before = world.sent.len();
    world.feed(replacement(vec![named(&world, B), named(&world, C)], Vec::new()));
    world.run(200 * SECOND);
    for target in [B, C] {
        let asked = |(_, question): &&(Duration, Question)| *question == Question::Describe(target.parse().unwrap());
        assert!((6..14).contains(&world.sent[before..].iter().filter(asked).count()), "{:?}", &world.sent[before..]);
    }
    assert_eq!(world.names(), ["job.first_seen"; 3]);
}
