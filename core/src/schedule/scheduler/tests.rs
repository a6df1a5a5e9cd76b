use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::track::WatchedJob;
use crate::domain::{
    Counts, ErrorKind, JobEvent, JobFact, JobPolicy, JobSnapshot, JobStatus, JobTrack, Limit, Memory, Timestamp,
};
use crate::schedule::{
    BackoffPolicy, Batch, Ceilings, News, PollResult, PoolPage, Question, RateChange, Replacement, Request,
};

mod clocks;
mod counts;
mod ends;
mod lists;
mod memory;
mod pools;
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
    events: Vec<(Duration, JobEvent)>,
    rates: Vec<RateChange>,
    pool_failures: Vec<News>,
    pool_recoveries: usize,
    list_failures: usize,
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
            events: Vec::new(),
            rates: Vec::new(),
            pool_failures: Vec::new(),
            pool_recoveries: 0,
            list_failures: 0,
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
        let job = WatchedJob {
            target: job.parse().unwrap(),
            name: None,
            account: None,
            policy: Arc::new(policy),
            progress_interval: 30 * SECOND,
        };
        self.feed(Input::Job(NewJob { lane: LaneIndex(lane), job, known: None }));
    }

    fn watch_pool(&mut self) {
        self.feed(Input::Pool(NewPool {
            lane: LaneIndex(0),
            id: "us-west-2_A".parse().unwrap(),
            account: None,
            policy: Arc::new(JobPolicy::default()),
            progress_interval: 30 * SECOND,
            ignore_completed_before: 86_400 * SECOND,
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
                None => self.feed(Input::Wake),
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

#[test]
fn a_pools_jobs_are_found_those_created_later_too_and_each_watched_once() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        pool_of(|now| {
            let mut jobs = vec![(0, "Succeeded"), (1, "Created"), (2, "Created"), (3, "Created"), (4, "InProgress")];
            jobs.truncate(if now < 60 { 4 } else { 5 });
            jobs
        }),
    );
    world.watch("us-west-2_A/import-1");
    world.watch_pool();
    world.run(200 * SECOND);
    assert_eq!(world.scheduler.job_count(), 5);
    assert_eq!(world.names().iter().filter(|name| **name == "job.first_seen").count(), 5);
}

#[test]
fn a_pool_is_complete_when_it_was_read_and_every_job_is_over() {
    let mut world = World::new(
        settings(when_over()),
        pool_of(|now| vec![(0, "Succeeded"), (1, "Stopped"), (2, if now < 30 { "Pending" } else { "Succeeded" })]),
    );
    world.watch_pool();
    world.run(300 * SECOND);
    assert!(world.scheduler.is_over());
    assert_eq!(world.names().iter().filter(|name| **name == "job.completed").count(), 3);
}

#[test]
fn jobs_that_were_over_long_ago_are_left_alone() {
    let mut world = World::new(
        settings(when_over()),
        Box::new(|question, _| {
            let long_ago = |status| JobSnapshot {
                completed_at: Some(Timestamp::from_millis(1_600_000_000_000)),
                created_at: Some(Timestamp::from_millis(1_600_000_000_000)),
                ..shown(status, 0)
            };
            let result = match question {
                Question::Describe(_) => PollResult::Job(long_ago("Expired"), None),
                Question::List { .. } => PollResult::Page(PoolPage {
                    jobs: vec![
                        ("import-old".parse().unwrap(), long_ago("Succeeded")),
                        ("import-open".parse().unwrap(), long_ago("Created")),
                    ],
                    next: None,
                    date: None,
                }),
            };
            (result, Duration::ZERO)
        }),
    );
    world.watch_pool();
    world.run(300 * SECOND);
    let watched: Vec<String> = world.scheduler.views(world.now()).map(|view| view.watched.target.to_string()).collect();
    assert_eq!(watched, ["us-west-2_A/import-open"]);
}

#[test]
fn a_pool_that_is_refused_is_given_up_by_a_watch_that_ends() {
    let mut world = World::new(settings(when_over()), at_time(|_| failed(ErrorKind::Denied)));
    world.watch_pool();
    world.run(300 * SECOND);
    assert!(world.scheduler.is_over());
    assert_eq!(world.pool_failures, [News::Keep, News::Tell]);
    assert_eq!(world.given_up(), [Verdict::AccessDenied]);
}

#[test]
fn a_pool_that_cannot_be_read_is_never_a_success() {
    let ends = |ending, until: u32| {
        let mut world = World::new(settings(ending), at_time(|_| failed(ErrorKind::Transient)));
        world.watch_pool();
        world.run(until * SECOND);
        assert!(world.scheduler.is_over(), "{:?}", world.now);
        (world.given_up(), world.now)
    };
    let (verdict, at) = ends(until(0), 100);
    assert_eq!((verdict, at < 12 * SECOND), (vec![Verdict::Unobservable], true));
    assert_eq!(ends(until(30), 100).0, [Verdict::Unobservable]);
    let (verdict, at) = ends(when_over(), 3_600);
    assert_eq!((verdict, (900..931).contains(&at.as_secs())), (vec![Verdict::Unobservable], true));
}

#[test]
fn a_pool_is_looked_at_once_with_all_its_jobs() {
    let mut world = World::new(
        settings(until(0)),
        pool_of(|_| (0..70).map(|number| (number, if number < 35 { "Succeeded" } else { "Pending" })).collect()),
    );
    world.watch_pool();
    world.run(3_600 * SECOND);
    assert!(world.scheduler.is_over());
    assert_eq!(world.given_up(), []);
    let late = world.verdicts().iter().filter(|verdict| **verdict == Some(Verdict::DeadlineExceeded)).count();
    assert_eq!((world.scheduler.job_count(), late), (70, 35));
}

#[test]
fn a_reading_that_broke_off_is_made_up_for() {
    let jobs = |now: u64| if now < 20 { 2 } else { 21 };
    let mut inner = pool_of(move |now| (0..jobs(now)).map(|number| (number, "Created")).collect());
    let mut failures = 3;
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(move |question, now| {
            let is_later_page = matches!(question, Question::List { token: Some(_), .. });
            if is_later_page && now > 20 * SECOND && failures > 0 {
                failures -= 1;
                return (failed(ErrorKind::Transient), Duration::from_millis(10));
            }
            inner(question, now)
        }),
    );
    world.watch_pool();
    world.run(300 * SECOND);
    assert_eq!(world.scheduler.job_count(), 21);
    assert_eq!(world.pool_failures.len(), 3);
}

#[test]
fn a_job_that_is_watched_by_name_does_not_hide_those_behind_it() {
    let mut world = World::new(
        settings(Ending::WhenStopped),
        pool_of(|now| (0..if now < 20 { 2 } else { 9 }).map(|number| (number, "Created")).collect()),
    );
    world.watch("us-west-2_A/import-8");
    world.watch_pool();
    world.run(200 * SECOND);
    assert_eq!(world.scheduler.job_count(), 9);
}

#[test]
fn a_list_that_cannot_be_read_for_long_is_told_once_and_asked_for_at_growing_intervals() {
    let mut inner = pool_of(|_| vec![(0, "Created")]);
    let mut world = World::new(
        settings(Ending::WhenStopped),
        Box::new(move |question, now| match question {
            Question::List { .. } if now < 3_600 * SECOND => (failed(ErrorKind::Transient), Duration::from_millis(10)),
            Question::List { .. } | Question::Describe(_) => inner(question, now),
        }),
    );
    world.watch_pool();
    world.run(3_700 * SECOND);
    let told = world.pool_failures.iter().filter(|news| **news == News::Tell).count();
    assert_eq!((told, world.pool_recoveries), (1, 1));
    assert!(world.pool_failures.len() < 140, "{}", world.pool_failures.len());
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

/// A made-up service: each job moves along its order at its own times; some answers fail, some are slow.
fn made_up_service(seed: u64, bad: f64) -> Service {
    let mut random = fastrand::Rng::with_seed(seed);
    Box::new(move |question, now| {
        let takes = Duration::from_millis(random.u64(1..400));
        if random.f64() < bad {
            let kinds = [ErrorKind::Throttled, ErrorKind::Transient, ErrorKind::NotFound, ErrorKind::Denied];
            return (failed(kinds[random.usize(0..kinds.len())]), takes);
        }
        let Question::Describe(target) = question else { panic!("no pool is watched") };
        let pace = 5 + target.job.as_str().bytes().map(u64::from).sum::<u64>() % 40;
        let order = ["Created", "Pending", "InProgress", "Succeeded"];
        let step = usize::try_from(now.as_secs() / pace).unwrap().min(3);
        (PollResult::Job(shown(order[step], now.as_secs() / pace), None), takes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Against any service and seed: each job ends once, with what it showed; the ceilings hold in every window;
    /// no poll overlaps another of the same job (held by `World`).
    #[test]
    fn every_job_ends_once_and_the_ceilings_hold(
        seed in any::<u64>(), jobs in 1_usize..40, pools in 1_usize..5, lanes in 1_usize..3, bad in 0.0_f64..0.6
    ) {
        let mut settings = settings(Ending::WhenStopped);
        settings.seed = seed;
        settings.backoff = BackoffPolicy::default();
        let mut world = World::new(settings, made_up_service(seed, bad));
        for number in 0..jobs {
            let pool = number % pools;
            world.watch_with(&format!("us-west-2_{pool}/import-{number}"), pool % lanes, |_| {});
        }
        world.run(7_200 * SECOND);
        for number in 0..jobs {
            let id = format!("import-{number}");
            let told = world.events.iter().filter(|(_, event)| event.job.target.job.as_str() == id);
            let ends = told.filter(|(_, event)| event.fact.name() == "job.completed").count();
            prop_assert_eq!(ends, 1, "{} ended {} times", id, ends);
        }
        let lane_of = |question: &Question| match question {
            Question::Describe(target) => target.pool.as_str()["us-west-2_".len()..].parse::<usize>().unwrap() % lanes,
            Question::List { .. } => 0,
        };
        for lane in 0..lanes {
            let sent: Vec<f64> = world
                .sent
                .iter()
                .filter(|(_, question)| lane_of(question) == lane)
                .map(|(at, _)| at.as_secs_f64())
                .collect();
            for (first, from) in sent.iter().enumerate() {
                for (more, to) in sent[first..].iter().enumerate().take(200) {
                    prop_assert!(more as f64 <= 5.0 * (to - from) + 1e-6);
                }
            }
        }
    }

    /// Two runs of the same seed are the same run.
    #[test]
    fn a_seed_replays(seed in any::<u64>()) {
        let run = || {
            let mut world = World::new(settings(when_over()), made_up_service(seed, 0.3));
            for number in 0..10 {
                world.watch(&format!("us-west-2_A/import-{number}"));
            }
            world.run(1_000 * SECOND);
            (world.seconds(), world.names())
        };
        prop_assert_eq!(run(), run());
    }
}
