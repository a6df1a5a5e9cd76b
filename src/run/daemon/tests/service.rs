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
const MOST_JOBS: usize = 6;

/// So many jobs are on a page.
const PAGE: usize = 2;

/// A job as it is.
#[derive(Clone, Debug)]
pub(super) struct TrueJob {
    pub(super) target: String,
    pub(super) birth: Birth,
    pub(super) sight: Sight,
    pub(super) completed: Option<i64>,
}

impl TrueJob {
    pub(super) fn is_over(&self) -> bool {
        self.completed.is_some()
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
}

impl Service {
    pub(super) fn new(now: i64) -> Self {
        let mut service = Self { jobs: Vec::new(), faults: BTreeMap::new(), latency: Duration::from_millis(30) };
        for pool in POOLS {
            service.create(pool, Birth::New, now);
            service.create(pool, Birth::New, now);
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
        self.jobs.push(TrueJob { target: format!("{pool}/import-{number}"), birth, sight, completed });
    }

    pub(super) fn advance(&mut self, job: usize, status: &'static str, now: i64) {
        let Some(job) = self.jobs.get_mut(job).filter(|job| !job.is_over()) else { return };
        job.sight.status = status;
        job.completed = job.sight.is_over().then_some(now);
    }

    pub(super) fn count(&mut self, job: usize, more: [u64; 3]) {
        let Some(job) = self.jobs.get_mut(job).filter(|job| !job.is_over()) else { return };
        for (count, more) in job.sight.counts.iter_mut().zip(more) {
            *count += more;
        }
    }

    pub(super) fn fail(&mut self, subject: &str, fault: Fault, times: usize) {
        self.faults.entry(subject.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }

    /// From now on every answer is good.
    pub(super) fn heal(&mut self) {
        self.faults.clear();
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
            Question::List { pool, token } => PollResult::Page(self.page(pool, token.as_deref(), date)),
        }
    }

    fn describe(&self, target: &Target, date: Option<Timestamp>) -> PollResult {
        match self.job(&target.to_string()) {
            Some(job) => PollResult::Job(snapshot(job), date),
            None => failed(ErrorKind::NotFound),
        }
    }

    fn page(&self, pool: &UserPoolId, token: Option<&str>, date: Option<Timestamp>) -> PoolPage {
        let newest_first: Vec<&TrueJob> = self.of_pool(pool.as_str()).collect();
        let end = token.map_or(newest_first.len(), |token| token.parse().unwrap());
        let begin = end.saturating_sub(PAGE);
        let jobs = newest_first[begin..end].iter().rev().map(|job| {
            let target: Target = job.target.parse().unwrap();
            (target.job, snapshot(job))
        });
        PoolPage { jobs: jobs.collect(), next: (begin > 0).then(|| begin.to_string()), date }
    }

    fn of_pool(&self, pool: &str) -> impl Iterator<Item = &TrueJob> {
        let prefix = format!("{pool}/");
        self.jobs.iter().filter(move |job| job.target.starts_with(&prefix))
    }
}

fn snapshot(job: &TrueJob) -> JobSnapshot {
    let [imported, skipped, failed] = job.sight.counts;
    JobSnapshot {
        job_name: Some("nightly \"customers\"".into()),
        status: JobStatus::from_wire(job.sight.status),
        counts: Counts { imported, skipped, failed },
        created_at: job.sight.created.map(Timestamp::from_millis),
        started_at: None,
        completed_at: job.completed.map(Timestamp::from_millis),
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
