//! The service's truth, and how it answers.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cognito_import_watch_core::domain::{
    Counts, ErrorKind, JobSnapshot, JobStatus, PollError, Target, Timestamp, UserPoolId,
};
use cognito_import_watch_core::schedule::{PollResult, PoolPage, Question};

use super::operations::{Birth, Fault, POOLS};
use super::story::Sight;

/// So many jobs a pool holds at the most.
const MOST_JOBS: usize = 12;

/// And so many at first.
const FIRST_JOBS: usize = 4;

/// A job as it is.
#[derive(Clone, Debug)]
pub(super) struct TrueJob {
    pub(super) target: String,
    pub(super) birth: Birth,
    pub(super) sight: Sight,
    pub(super) completed: Option<i64>,
    /// How it was from each moment on, but the last; and since when it is as it is.
    past: Vec<(i64, Sight)>,
    since: i64,
}

impl TrueJob {
    pub(super) fn is_over(&self) -> bool {
        self.completed.is_some()
    }

    fn was_made_by(&self, moment: i64) -> bool {
        self.past.first().map_or(self.since, |(from, _)| *from) <= moment
    }

    /// How it was at a moment; before it was made, how it began.
    fn at(&self, moment: i64) -> &Sight {
        let known_by = self.past.iter().rev().find(|(from, _)| *from <= moment).or(self.past.first());
        known_by.filter(|_| moment < self.since).map_or(&self.sight, |(_, sight)| sight)
    }

    fn becomes(&mut self, sight: Sight, now: i64) {
        let was = std::mem::replace(&mut self.sight, sight);
        self.past.push((std::mem::replace(&mut self.since, now), was));
    }
}

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    /// In the order of their making.
    pub(super) jobs: Vec<TrueJob>,
    /// How the next answers fail, by target or pool.
    faults: BTreeMap<String, VecDeque<Fault>>,
    pub(super) latency: Duration,
    /// How far lists are behind.
    pub(super) lag: Duration,
    page: usize,
}

impl Service {
    pub(super) fn new(page: usize, now: i64) -> Self {
        let (latency, lag) = (Duration::from_millis(30), Duration::ZERO);
        let mut service = Self { jobs: Vec::new(), faults: BTreeMap::new(), latency, lag, page };
        for pool in POOLS {
            for _ in 0..FIRST_JOBS {
                service.create(pool, Birth::New, now);
            }
        }
        service
    }

    pub(super) fn create(&mut self, pool: &str, birth: Birth, now: i64) {
        let number = self.of_pool(pool).count();
        if number == MOST_JOBS {
            return;
        }
        let ago = |millis| Some(now - millis);
        let (status, created, completed) = match birth {
            Birth::New => ("Created", Some(now), None),
            Birth::OverNow => ("Succeeded", ago(120_000), ago(60_000)),
            Birth::OverLongAgo => ("Failed", ago(50 * 3_600_000), ago(48 * 3_600_000)),
        };
        let sight = Sight { status, counts: [0; 3], created };
        let target = format!("{pool}/import-{number}");
        self.jobs.push(TrueJob { target, birth, sight, completed, past: Vec::new(), since: now });
    }

    pub(super) fn advance(&mut self, job: usize, status: &'static str, now: i64) {
        let Some(job) = self.jobs.get_mut(job).filter(|job| !job.is_over()) else { return };
        job.becomes(Sight { status, ..job.sight.clone() }, now);
        job.completed = job.sight.is_over().then_some(now);
    }

    pub(super) fn count(&mut self, job: usize, more: [u64; 3], now: i64) {
        let Some(job) = self.jobs.get_mut(job).filter(|job| !job.is_over()) else { return };
        let mut sight = job.sight.clone();
        for (count, more) in sight.counts.iter_mut().zip(more) {
            *count += more;
        }
        job.becomes(sight, now);
    }

    pub(super) fn fail(&mut self, subject: &str, fault: Fault, times: usize) {
        self.faults.entry(subject.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }

    /// From now on every answer is good, and shows what is.
    pub(super) fn heal(&mut self) {
        self.faults.clear();
        self.lag = Duration::ZERO;
    }

    /// Whether the next answers are good.
    pub(super) fn is_good(&self) -> bool {
        self.faults.values().all(VecDeque::is_empty)
    }

    pub(super) fn job(&self, target: &str) -> Option<&TrueJob> {
        self.jobs.iter().find(|job| job.target == target)
    }

    pub(super) fn answer(&mut self, question: &Question, now: i64) -> PollResult {
        let subject = match question {
            Question::Describe(target) => target.to_string(),
            Question::List { pool, .. } => pool.to_string(),
        };
        if let Some(fault) = self.faults.get_mut(&subject).and_then(VecDeque::pop_front) {
            return failed(kind(fault));
        }
        // The `Date` of an answer has whole seconds.
        let date = Some(Timestamp::from_millis(now - now % 1_000));
        match question {
            Question::Describe(target) => self.describe(target, date),
            Question::List { pool, token } => PollResult::Page(self.page(pool, token.as_deref(), date, now)),
        }
    }

    /// How a list shows a job now, where it does.
    pub(super) fn listed(&self, target: &str, now: i64) -> Option<&Sight> {
        Some(self.job(target)?.at(self.behind(now)))
    }

    /// The moment that lists show now.
    fn behind(&self, now: i64) -> i64 {
        now - i64::try_from(self.lag.as_millis()).unwrap()
    }

    fn describe(&self, target: &Target, date: Option<Timestamp>) -> PollResult {
        match self.job(&target.to_string()) {
            Some(job) => PollResult::Job(snapshot(job, &job.sight), date),
            None => failed(ErrorKind::NotFound),
        }
    }

    fn page(&self, pool: &UserPoolId, token: Option<&str>, date: Option<Timestamp>, now: i64) -> PoolPage {
        let moment = self.behind(now);
        let oldest_first: Vec<&TrueJob> = self.of_pool(pool.as_str()).collect();
        // Of what it was shown to begin with a list knows all that is older.
        let shown = || oldest_first.iter().take_while(|job| job.was_made_by(moment)).count();
        let end = token.map_or_else(shown, |token| token.parse().unwrap());
        let begin = end.saturating_sub(self.page);
        let jobs = oldest_first[begin..end].iter().rev().map(|job| {
            let target: Target = job.target.parse().unwrap();
            (target.job, snapshot(job, job.at(moment)))
        });
        PoolPage { jobs: jobs.collect(), next: (begin > 0).then(|| begin.to_string()), date }
    }

    fn of_pool(&self, pool: &str) -> impl Iterator<Item = &TrueJob> {
        let prefix = format!("{pool}/");
        self.jobs.iter().filter(move |job| job.target.starts_with(&prefix))
    }
}

fn snapshot(job: &TrueJob, sight: &Sight) -> JobSnapshot {
    let [imported, skipped, failed] = sight.counts;
    JobSnapshot {
        job_name: Some("nightly \"customers\"".into()),
        status: JobStatus::from_wire(sight.status),
        counts: Counts { imported, skipped, failed },
        created_at: sight.created.map(Timestamp::from_millis),
        started_at: None,
        completed_at: job.completed.filter(|_| sight.is_over()).map(Timestamp::from_millis),
        completion_message: None,
        account: None,
    }
}

fn failed(kind: ErrorKind) -> PollResult {
    PollResult::Failed(PollError::new(kind, "no"))
}

fn kind(fault: Fault) -> ErrorKind {
    match fault {
        Fault::Throttled => ErrorKind::Throttled,
        Fault::Transient => ErrorKind::Transient,
        Fault::NotFound => ErrorKind::NotFound,
        Fault::Denied => ErrorKind::Denied,
        Fault::Invalid => ErrorKind::Invalid,
    }
}
