//! Lists that stand for questions about single jobs.

use proptest::prelude::*;

use super::*;

/// A pool whose jobs a closure gives, oldest first, at any time; the list shows them newest first, 60 to a page, as
/// they were `lag` ago.
pub(super) struct Pool {
    jobs: Box<dyn Fn(Duration) -> Vec<(String, JobSnapshot)>>,
    lag: Duration,
}

impl Pool {
    pub(super) fn new(jobs: impl Fn(Duration) -> Vec<(String, JobSnapshot)> + 'static) -> Self {
        Self { jobs: Box::new(jobs), lag: Duration::ZERO }
    }

    pub(super) fn service(self) -> Service {
        Box::new(move |question, now| (self.answer(question, now), Duration::from_millis(10)))
    }

    pub(super) fn answer(&self, question: &Question, now: Duration) -> PollResult {
        match question {
            Question::Describe(target) => (self.jobs)(now)
                .into_iter()
                .find(|(id, _)| *id == target.job.as_str())
                .map_or(failed(ErrorKind::NotFound), |(_, shown)| PollResult::Job(shown, None)),
            Question::List { token, .. } => {
                let jobs = (self.jobs)(now.saturating_sub(self.lag));
                let from: usize = token.as_deref().map_or(0, |token| token.parse().unwrap());
                let page = jobs.iter().rev().skip(from).take(60);
                PollResult::Page(PoolPage {
                    jobs: page.map(|(id, shown)| (id.parse().unwrap(), shown.clone())).collect(),
                    next: (from + 60 < jobs.len()).then(|| (from + 60).to_string()),
                    date: None,
                })
            }
        }
    }
}

pub(super) fn all(count: usize, status: &'static str) -> Vec<(String, JobSnapshot)> {
    (0..count).map(|number| (format!("import-{number}"), shown(status, 0))).collect()
}

pub(super) fn auto(ending: Ending) -> Settings {
    Settings { batch: Batch::Auto, ..settings(ending) }
}

fn lists(world: &World) -> usize {
    world.sent.iter().filter(|(_, question)| matches!(question, Question::List { .. })).count()
}

fn describes(world: &World) -> usize {
    world.sent.len() - lists(world)
}

/// Watches these jobs of the pool A.
pub(super) fn watch(world: &mut World, jobs: impl IntoIterator<Item = usize>) {
    for job in jobs {
        world.watch(&format!("us-west-2_A/import-{job}"));
    }
}

#[test]
fn jobs_that_are_due_together_are_shown_by_one_list() {
    let mut world = World::new(auto(Ending::WhenStopped), Pool::new(|_| all(60, "Created")).service());
    watch(&mut world, 0..60);
    world.run(600 * SECOND);
    assert_eq!(world.names().len(), 60);
    assert!(describes(&world) <= 2, "the first job is asked about before the others are there: {}", describes(&world));
    assert!(lists(&world) <= 30, "{} lists in ten minutes", lists(&world));
    for view in world.scheduler.views(world.now()) {
        let unseen = world.now().tick.since(view.track.newest().unwrap());
        assert!(unseen <= 31 * SECOND, "{} was unseen for {unseen:?}", view.watched.target);
    }
}

#[test]
fn one_job_is_asked_about_alone_and_so_is_each_where_lists_are_not_wanted() {
    let mut one = World::new(auto(Ending::WhenStopped), Pool::new(|_| all(60, "Created")).service());
    watch(&mut one, [7]);
    one.run(600 * SECOND);
    assert_eq!(lists(&one), 0);
    let mut never = World::new(settings(Ending::WhenStopped), Pool::new(|_| all(60, "Created")).service());
    watch(&mut never, 0..60);
    never.run(600 * SECOND);
    assert_eq!(lists(&never), 0);
}

#[test]
fn a_job_that_moves_is_not_slowed_down_by_those_that_sleep() {
    let jobs = |now: Duration| {
        let mut jobs = all(200, "Created");
        jobs[199].1 =
            JobSnapshot { counts: Counts { imported: now.as_secs(), ..Counts::default() }, ..shown("InProgress", 0) };
        jobs
    };
    let mut world = World::new(auto(Ending::WhenStopped), Pool::new(jobs).service());
    watch(&mut world, 0..200);
    world.run(60 * SECOND);
    let before = world.sent.len();
    let mut last = world.now;
    let mut longest = Duration::ZERO;
    while world.now < 600 * SECOND {
        let until = world.now + SECOND / 10;
        world.run(until);
        let newest = world.scheduler.view(199, world.now()).unwrap().track.newest().unwrap().as_duration();
        if newest > last {
            longest = longest.max(newest - last);
            last = newest;
        }
    }
    assert!(longest <= Duration::from_millis(2_600), "the moving job was unseen for {longest:?}");
    // One call every two seconds for the one that moves, and the four pages for each round of those that sleep.
    assert!(world.sent.len() - before <= 270 + 4 * 24, "{}", world.sent.len() - before);
}

#[test]
fn a_list_that_is_behind_is_not_believed() {
    let jobs = |now: Duration| all(10, if now < 100 * SECOND { "Pending" } else { "InProgress" });
    let pool = Pool { lag: 60 * SECOND, ..Pool::new(jobs) };
    let mut world = World::new(auto(Ending::WhenStopped), pool.service());
    watch(&mut world, 0..10);
    world.run(400 * SECOND);
    let changes = world.names().iter().filter(|name| **name == "job.status_changed").count();
    let back = world.names().iter().filter(|name| **name == "job.warning").count();
    assert_eq!((changes, back), (10, 0));
}

#[test]
fn a_job_first_seen_over_in_a_list_is_asked_about_alone_before_it_counts() {
    let mut world = World::new(auto(when_over()), Pool::new(|_| all(50, "Succeeded")).service());
    watch(&mut world, 0..50);
    world.run(100 * SECOND);
    assert!(world.scheduler.is_over());
    assert_eq!(describes(&world), 50);
    assert_eq!(world.names().iter().filter(|name| **name == "job.completed").count(), 50);
}

#[test]
fn a_change_that_a_list_shows_is_told_without_asking_again() {
    let jobs = |now: Duration| all(50, if now < 100 * SECOND { "InProgress" } else { "Succeeded" });
    let mut world = World::new(auto(when_over()), Pool::new(jobs).service());
    watch(&mut world, 0..50);
    world.run(400 * SECOND);
    assert!(world.scheduler.is_over());
    assert!(describes(&world) <= 10, "{}", describes(&world));
    assert_eq!(world.verdicts(), [Some(Verdict::Succeeded); 50]);
}

#[test]
fn jobs_too_deep_for_a_list_to_be_worth_it_are_asked_about_alone() {
    let mut world = World::new(auto(Ending::WhenStopped), Pool::new(|_| all(600, "Created")).service());
    watch(&mut world, [0, 1, 2]);
    world.run(3_600 * SECOND);
    assert!(lists(&world) <= 3, "looked for on the first pages once: {}", lists(&world));
    assert_eq!(world.scheduler.job_count(), 3);
}

#[test]
fn a_list_is_read_as_deep_as_it_saves_calls() {
    let mut world = World::new(auto(Ending::WhenStopped), Pool::new(|_| all(150, "Created")).service());
    watch(&mut world, 0..150);
    world.run(60 * SECOND);
    let before = (lists(&world), describes(&world));
    world.run(600 * SECOND);
    let rounds = 540.0 / 24.0;
    let (lists, describes) = (lists(&world) - before.0, describes(&world) - before.1);
    assert!(lists as f64 <= 3.0 * rounds + 3.0 && describes <= 10, "{lists} lists, {describes} describes");
}

#[test]
fn a_list_that_is_refused_is_told_and_costs_one_call_an_hour() {
    let pool = Pool::new(|_| all(10, "Created"));
    let mut world = World::new(
        auto(Ending::WhenStopped),
        Box::new(move |question, now| match question {
            Question::List { .. } => (failed(ErrorKind::Denied), Duration::from_millis(10)),
            Question::Describe(_) => (pool.answer(question, now), Duration::from_millis(10)),
        }),
    );
    watch(&mut world, 0..10);
    world.run(7_000 * SECOND);
    assert_eq!((lists(&world), world.list_failures), (2, 2));
    assert_eq!(world.names().iter().filter(|name| **name == "job.first_seen").count(), 10);
    assert!(!world.names().contains(&"job.poll_failed"));
}

#[test]
fn a_list_that_is_throttled_for_long_does_not_keep_its_jobs_from_being_asked_about() {
    let pool = Pool::new(|_| all(10, "Created"));
    let mut world = World::new(
        auto(Ending::WhenStopped),
        Box::new(move |question, now| match question {
            Question::List { .. } => (failed(ErrorKind::Throttled), Duration::from_millis(10)),
            Question::Describe(_) => (pool.answer(question, now), Duration::from_millis(10)),
        }),
    );
    watch(&mut world, 0..10);
    world.run(600 * SECOND);
    assert_eq!(world.names(), ["job.first_seen"; 10]);
    for view in world.scheduler.views(world.now()) {
        let unseen = world.now().tick.since(view.track.newest().unwrap());
        assert!(unseen <= 60 * SECOND, "{} was unseen for {unseen:?}", view.watched.target);
    }
}

#[test]
fn a_job_that_no_list_shows_is_asked_about_alone() {
    let pool = Pool::new(|_| all(10, "Created"));
    let mut world = World::new(
        auto(Ending::WhenStopped),
        Box::new(move |question, now| {
            let mut answer = pool.answer(question, now);
            if let PollResult::Page(page) = &mut answer {
                page.jobs.retain(|(job, _)| job.as_str() != "import-3");
            }
            (answer, Duration::from_millis(10))
        }),
    );
    watch(&mut world, 0..10);
    world.run(300 * SECOND);
    let asked = |question: &Question| *question == Question::Describe("us-west-2_A/import-3".parse().unwrap());
    let alone = world.sent.iter().filter(|(_, question)| asked(question)).count();
    assert!(alone >= 10, "{alone}");
    assert!(describes(&world) - alone <= 3, "{}", describes(&world));
}

#[test]
fn a_last_look_at_many_jobs_of_a_pool_takes_few_calls() {
    let jobs = |_| {
        let mut jobs = all(100, "InProgress");
        jobs[5].1 = shown("Succeeded", 0);
        jobs
    };
    let mut world = World::new(auto(until(0)), Pool::new(jobs).service());
    watch(&mut world, 0..100);
    world.run(100 * SECOND);
    assert!(world.scheduler.is_over());
    let late = world.verdicts().iter().filter(|verdict| **verdict == Some(Verdict::DeadlineExceeded)).count();
    assert_eq!((late, world.verdicts()[5]), (99, Some(Verdict::Succeeded)));
    assert!(world.sent.len() <= 6, "{}", world.sent.len());
}

#[test]
fn the_jobs_that_a_pool_shows_are_seen_with_its_list() {
    let mut world = World::new(auto(Ending::WhenStopped), Pool::new(|_| all(130, "InProgress")).service());
    world.watch_pool();
    world.run(10 * SECOND);
    assert_eq!(world.names(), vec!["job.first_seen"; 130]);
    assert_eq!(describes(&world), 0);
    world.run(300 * SECOND);
    assert!(describes(&world) <= 5 && lists(&world) <= 3 * 18, "{} {}", describes(&world), lists(&world));
}

/// A pool whose jobs move at their own times, whose answers may fail, come late, or show an old list.
fn made_up_pool(seed: u64, bad: f64, lag: u64, jobs: usize) -> Service {
    let mut random = fastrand::Rng::with_seed(seed);
    let pool = Pool {
        lag: Duration::from_secs(lag),
        ..Pool::new(move |now| {
            let moved = |number: usize| {
                let pace = 5 + u64::try_from(number).unwrap() * 7 % 40;
                let order = ["Created", "Pending", "InProgress", "Succeeded"];
                let step = usize::try_from(now.as_secs() / pace).unwrap().min(3);
                (format!("import-{number}"), shown(order[step], (now.as_secs() / pace).min(9)))
            };
            (0..jobs).map(moved).collect()
        })
    };
    Box::new(move |question, now| {
        let takes = Duration::from_millis(random.u64(1..400));
        if random.f64() < bad {
            let kinds = [ErrorKind::Throttled, ErrorKind::Transient, ErrorKind::NotFound, ErrorKind::Denied];
            return (failed(kinds[random.usize(0..kinds.len())]), takes);
        }
        (pool.answer(question, now), takes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever fails or lags: each job ends once, well, with every FailedUsers told at most once; nothing is asked
    /// twice at once (held by `World`); the ceilings hold for all requests and per pool.
    #[test]
    fn with_lists_too_every_job_ends_once_and_the_ceilings_hold(
        seed in any::<u64>(), jobs in 1_usize..150, named in 0_usize..40, bad in 0.0_f64..0.5, lag in 0_u64..40
    ) {
        let mut world = World::new(Settings { seed, ..auto(Ending::WhenStopped) }, made_up_pool(seed, bad, lag, jobs));
        watch(&mut world, 0..named.min(jobs));
        world.watch_pool();
        world.run(7_200 * SECOND);
        prop_assert_eq!(world.scheduler.job_count(), jobs);
        let mut ids = std::collections::BTreeSet::new();
        for (_, event) in &world.events {
            if event.fact.name() == "job.completed" || event.fact.name() == "job.failed_users" {
                let id = (event.job.target.to_string(), event.fact.name(), event.counts.unwrap().failed);
                prop_assert!(ids.insert(id.clone()), "told twice: {:?}", id);
            }
        }
        prop_assert_eq!(ids.iter().filter(|(_, name, _)| *name == "job.completed").count(), jobs);
        let sent: Vec<f64> = world.sent.iter().map(|(at, _)| at.as_secs_f64()).collect();
        for (first, from) in sent.iter().enumerate() {
            for (more, to) in sent[first..].iter().enumerate().take(100) {
                prop_assert!(more as f64 <= 2.0 * (to - from) + 1e-6);
            }
        }
    }
}
