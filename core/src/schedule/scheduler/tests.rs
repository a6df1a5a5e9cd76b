use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::domain::{
    Counts, ErrorKind, JobEvent, JobFact, JobPolicy, JobSnapshot, JobStatus, JobTrack, Limit, Memory, Terms, Timestamp,
    WatchedJob,
};
use crate::schedule::{
    BackoffPolicy, Batch, Ceilings, News, PollResult, PoolFilter, PoolPage, Question, RateChange, Replacement, Request,
};

mod clocks;
mod counts;
mod ends;
mod filters;
mod forecasts;
mod lists;
mod memory;
mod mended;
mod pools;
mod properties;
mod replaced;

const SECOND: Duration = Duration::from_secs(1);

/// What the service answers, and how long it takes.
type Service = Box<dyn FnMut(&Question, Duration) -> (PollResult, Duration)>;

/// A scheduler, the time, and a service: it checks at every step what must always hold.
struct World {
    scheduler: Scheduler,
    service: Service,
    now: Duration,
    /// How far our wall clock is off, in milliseconds.
    wrong_by: i64,
    answers: Vec<(Duration, u64, PollResult)>,
    in_flight: BTreeMap<u64, Question>,
    sent: Vec<(Duration, Question)>,
    /// The lanes of those that were sent.
    lanes: Vec<LaneIndex>,
    events: Vec<(Duration, JobEvent)>,
    rates: Vec<RateChange>,
    pool_failures: Vec<News>,
    pool_recoveries: usize,
    list_failures: usize,
    wakes: usize,
}

impl World {
    fn new(settings: Settings, service: Service) -> Self {
        Self {
            scheduler: Scheduler::new(settings, Tick::ZERO),
            service,
            now: Duration::ZERO,
            wrong_by: 0,
            answers: Vec::new(),
            in_flight: BTreeMap::new(),
            sent: Vec::new(),
            lanes: Vec::new(),
            events: Vec::new(),
            rates: Vec::new(),
            pool_failures: Vec::new(),
            pool_recoveries: 0,
            list_failures: 0,
            wakes: 0,
        }
    }

    fn now(&self) -> Now {
        let wall = Timestamp::from_millis(1_700_000_000_000 + self.wrong_by).plus(self.now);
        Now { tick: Tick::from_start(self.now), wall }
    }

    fn feed(&mut self, input: Input) {
        let actions = self.scheduler.handle(self.now(), input);
        for action in actions {
            match action {
                Action::Send(request) => {
                    let busy = self.in_flight.values().any(|question| *question == request.question);
                    assert!(!busy, "two polls of one job at once: {:?}", request.question);
                    let (result, takes) = (self.service)(&request.question, self.now);
                    self.answers.push((self.now + takes, request.id, result));
                    self.in_flight.insert(request.id, request.question.clone());
                    self.sent.push((self.now, request.question));
                    self.lanes.push(request.lane);
                }
                Action::Observed { events, .. } => {
                    self.events.extend(events.into_iter().map(|event| (self.now, event)));
                }
                Action::PoolFailed { news, .. } => self.pool_failures.push(news),
                Action::ListFailed { .. } => self.list_failures += 1,
                Action::PoolRecovered { .. } => self.pool_recoveries += 1,
                Action::RateChanged(_, change) => self.rates.push(change),
            }
        }
    }

    fn watch(&mut self, job: &str) {
        self.watch_with(job, 0, |_| {});
    }

    fn watch_with(&mut self, job: &str, lane: usize, change: impl FnOnce(&mut JobPolicy)) {
        let mut policy = JobPolicy { max_failed_users: Limit::Any, ..JobPolicy::default() };
        change(&mut policy);
        self.feed(Input::Job(NewJob { lane: LaneIndex(lane), job: watched(job, policy), known: None }));
    }

    fn watch_pool(&mut self) {
        self.feed(Input::Pool(NewPool {
            lane: LaneIndex(0),
            id: "us-west-2_A".parse().unwrap(),
            name: None,
            terms: Arc::default(),
            filter: PoolFilter { job_name: None, ignore_completed_before: 86_400 * SECOND },
            known: Vec::new(),
        }));
    }

    /// Runs until the watch is over, nothing is left to happen, or the time has come.
    fn run(&mut self, until: Duration) {
        while !self.scheduler.is_over() {
            let wake = self.scheduler.next_wake(self.now().tick).map(|tick| tick.as_duration());
            let answer = self.answers.iter().map(|(at, ..)| *at).min();
            let Some(next) = wake.into_iter().chain(answer).min() else { return };
            if next > until {
                self.now = until;
                return;
            }
            self.now = self.now.max(next);
            match self.answers.iter().position(|(at, ..)| *at <= self.now) {
                Some(index) => {
                    let (_, id, result) = self.answers.swap_remove(index);
                    self.in_flight.remove(&id);
                    self.feed(Input::Answered { id, result });
                }
                None => {
                    self.wakes += 1;
                    self.feed(Input::Wake);
                }
            }
        }
    }

    fn seconds(&self) -> Vec<f64> {
        self.sent.iter().map(|(at, _)| (at.as_secs_f64() * 100.0).round() / 100.0).collect()
    }

    fn names(&self) -> Vec<&'static str> {
        self.events.iter().map(|(_, event)| event.fact.name()).collect()
    }

    fn given_up(&self) -> Vec<Verdict> {
        self.scheduler.pools_given_up().map(|(_, verdict, _)| verdict).collect()
    }

    fn verdicts(&self) -> Vec<Option<Verdict>> {
        self.scheduler.views(self.now()).map(|view| view.verdict).collect()
    }
}

fn watched(target: &str, policy: JobPolicy) -> WatchedJob {
    WatchedJob {
        target: target.parse().unwrap(),
        terms: Arc::new(Terms { policy: Arc::new(policy), ..Terms::default() }),
    }
}

fn settings(ending: Ending) -> Settings {
    Settings {
        backoff: BackoffPolicy::new(2 * SECOND, 30 * SECOND, 1.5, 0.0).unwrap(),
        ceilings: Ceilings::default(),
        batch: Batch::Never,
        ending,
        seed: 1,
    }
}

fn when_over() -> Ending {
    Ending::WhenOver { timeout: None, unobserved: Some(900 * SECOND) }
}

fn until(timeout: u32) -> Ending {
    Ending::WhenOver { timeout: Some(timeout * SECOND), unobserved: None }
}

fn shown(status: &str, failed: u64) -> JobSnapshot {
    JobSnapshot {
        job_name: None,
        status: JobStatus::from_wire(status),
        counts: Counts { imported: 0, skipped: 0, failed },
        created_at: Some(Timestamp::from_millis(1_700_000_000_000)),
        started_at: None,
        completed_at: None,
        completion_message: None,
        account: None,
    }
}

fn job(status: &str) -> PollResult {
    PollResult::Job(shown(status, 0), None)
}

fn failed(kind: ErrorKind) -> PollResult {
    PollResult::Failed(PollError::new(kind, "no"))
}

/// Answers by the time of the question, at once.
fn at_time(answer: impl Fn(u64) -> PollResult + 'static) -> Service {
    Box::new(move |_, now| (answer(now.as_secs()), Duration::ZERO))
}

#[test]
fn an_unchanged_job_is_polled_at_growing_intervals_and_a_change_starts_them_again() {
    let mut world =
        World::new(settings(Ending::WhenStopped), at_time(|now| job(if now < 50 { "Created" } else { "Pending" })));
    world.watch("us-west-2_A/import-a");
    world.run(70 * SECOND);
    assert_eq!(world.seconds(), [0.0, 2.0, 5.0, 9.5, 16.25, 26.38, 41.56, 64.34, 66.34, 69.34]);
    assert_eq!(world.names(), ["job.first_seen", "job.status_changed"]);
}

#[test]
fn jobs_that_start_together_are_spread_by_the_ceiling() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| job("Created")));
    for pool in 0..4 {
        for number in 0..25 {
            world.watch(&format!("us-west-2_{pool}/import-{number}"));
        }
    }
    world.run(1_000 * SECOND);
    let mut first: BTreeMap<String, Duration> = BTreeMap::new();
    for (at, question) in &world.sent {
        first.entry(format!("{question:?}")).or_insert(*at);
    }
    assert_eq!(first.len(), 100);
    let bound = Duration::from_secs_f64(99.0 / 5.0 * 1.15);
    assert!(first.values().all(|at| *at <= bound), "{:?}", first.values().max());
}

#[test]
fn nobody_starves_where_the_ceiling_binds() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| job("InProgress")));
    for pool in 0..4 {
        for number in 0..100 {
            world.watch_with(&format!("us-west-2_{pool}/import-{number}"), 0, |policy| policy.stall_after = None);
        }
    }
    world.run(600 * SECOND);
    let mut last: BTreeMap<String, Duration> = BTreeMap::new();
    for (at, question) in &world.sent {
        let before = last.insert(format!("{question:?}"), *at);
        let unseen = *at - before.unwrap_or_default();
        assert!(unseen.as_secs_f64() <= 1.2 * 400.0 / 5.0, "{question:?} was unseen for {unseen:?}");
    }
    assert_eq!(last.len(), 400);
}

#[test]
fn the_watch_is_over_when_every_job_is() {
    let mut world =
        World::new(settings(when_over()), at_time(|now| job(if now < 20 { "InProgress" } else { "Succeeded" })));
    world.watch("us-west-2_A/import-a");
    world.watch("us-west-2_B/import-b");
    world.run(100 * SECOND);
    assert_eq!(world.verdicts(), [Some(Verdict::Succeeded); 2]);
    assert!(world.scheduler.is_over() && world.scheduler.next_wake(world.now().tick).is_none());
}

#[test]
fn a_refused_job_is_given_up_by_a_watch_that_ends_and_asked_slowly_by_one_that_does_not() {
    for (kind, verdict) in [
        (ErrorKind::Denied, Verdict::AccessDenied),
        (ErrorKind::Invalid, Verdict::Invalid),
        (ErrorKind::NotFound, Verdict::NotFound),
    ] {
        let mut ends = World::new(settings(when_over()), at_time(move |_| failed(kind)));
        ends.watch("us-west-2_A/import-a");
        ends.run(600 * SECOND);
        assert_eq!(ends.verdicts(), [Some(verdict)]);
        let mut goes_on = World::new(
            settings(Ending::WhenStopped),
            at_time(move |now| if now < 400 { failed(kind) } else { job("Pending") }),
        );
        goes_on.watch("us-west-2_A/import-a");
        goes_on.run(700 * SECOND);
        let slow = goes_on.seconds().windows(2).any(|pair| (pair[1] - pair[0] - 300.0).abs() < 0.1);
        assert!(slow, "{kind}: {:?}", goes_on.seconds());
        assert!(goes_on.names().ends_with(&["job.first_seen", "job.poll_recovered"]), "{:?}", goes_on.names());
    }
}

#[test]
fn a_throttle_is_told_slows_the_lane_down_and_its_end_is_told_too() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        at_time(|now| if (10..40).contains(&now) { failed(ErrorKind::Throttled) } else { job("InProgress") }),
    );
    world.watch("us-west-2_A/import-a");
    world.run(100 * SECOND);
    let in_storm = world.seconds().iter().filter(|at| (12.0..40.0).contains(*at)).count();
    assert!(in_storm <= 28, "at most one a second: {in_storm}");
    assert_eq!(world.names(), ["job.first_seen", "job.poll_failed", "job.poll_recovered"]);
    assert!(matches!(world.rates[..], [RateChange::Throttled { .. }, RateChange::Recovered { .. }]));
}

#[test]
fn a_lane_shows_its_rate_and_what_is_on_its_way_and_one_where_nothing_is_watched_is_not_shown() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(|_, now| match now.as_secs() {
            10..40 => (failed(ErrorKind::Throttled), Duration::ZERO),
            _ => (job("InProgress"), SECOND),
        }),
    );
    world.watch("us-west-2_A/import-a");
    let shown = |world: &World| -> Vec<(usize, f64, f64, usize, bool)> {
        let lanes = world.scheduler.lanes(world.now().tick);
        lanes
            .map(|at| {
                let rates = (at.requests_per_second, at.max_requests_per_second);
                (at.lane.0, rates.0, rates.1, at.in_flight, at.is_throttled)
            })
            .collect()
    };
    assert_eq!(shown(&world), [(0, 2.0, 2.0, 1, false)]);
    world.run(39 * SECOND);
    let [(0, rate, max, 0, true)] = shown(&world)[..] else { panic!("{:?}", shown(&world)) };
    assert!(rate < 1.0 && max == 2.0, "{rate} of {max}");
    world.run(400 * SECOND);
    assert!(matches!(shown(&world)[..], [(0, 2.0, 2.0, _, false)]), "{:?}", shown(&world));
    let mut moved = memory::named(&world, "us-west-2_A/import-a");
    moved.lane = LaneIndex(3);
    world.feed(memory::replacement(vec![moved], Vec::new()));
    assert_eq!(shown(&world).iter().map(|(lane, ..)| *lane).collect::<Vec<_>>(), [3]);
}

#[test]
fn the_next_poll_told_with_a_failure_is_the_one_that_happens() {
    let mut world = World::new(settings(Ending::WhenStopped), at_time(|_| failed(ErrorKind::Transient)));
    world.watch("us-west-2_A/import-a");
    world.run(20 * SECOND);
    let (at, JobEvent { fact: JobFact::PollFailed { next_poll, .. }, .. }) = &world.events[0] else {
        panic!("{:?}", world.events)
    };
    let after = world.sent.iter().map(|(sent, _)| *sent).find(|sent| sent > at).unwrap();
    assert_eq!(*next_poll, Some(after - *at));
}

#[test]
fn a_stopped_scheduler_sends_nothing_more_and_takes_what_is_on_its_way() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(|_, _| (PollResult::Job(shown("InProgress", 0), None), SECOND)),
    );
    world.watch("us-west-2_A/import-a");
    world.feed(Input::Stop);
    world.run(100 * SECOND);
    assert_eq!(world.sent.len(), 1);
    assert_eq!(world.names(), ["job.first_seen"]);
    assert!(!world.scheduler.is_waiting());
    world.scheduler.interrupt();
    assert_eq!(world.verdicts(), [Some(Verdict::Interrupted)]);
}

/// A pool of `jobs` jobs, newest first, two to a page; job 0 is the oldest.
fn pool_of(jobs: impl Fn(u64) -> Vec<(u64, &'static str)> + 'static) -> Service {
    Box::new(move |question, now| {
        let jobs = jobs(now.as_secs());
        let result = match question {
            Question::Describe(target) => jobs
                .iter()
                .find(|(number, _)| target.job.as_str() == format!("import-{number}"))
                .map_or(failed(ErrorKind::NotFound), |(_, status)| job(status)),
            Question::List { token, .. } => {
                let from: usize = token.as_deref().map_or(0, |token| token.parse().unwrap());
                let page = jobs.iter().rev().skip(from).take(2);
                PollResult::Page(PoolPage {
                    jobs: page
                        .map(|(number, status)| (format!("import-{number}").parse().unwrap(), shown(status, 0)))
                        .collect(),
                    next: (from + 2 < jobs.len()).then(|| (from + 2).to_string()),
                    date: None,
                })
            }
        };
        (result, Duration::from_millis(10))
    })
}
