//! What watching many jobs costs this process: memory for each and time for each answer, by the scheduler alone.
//!
//! Called by `main` for the table `scale`; each row is measured in a process of its own, for memory that one row gave
//! back would be taken again by the next.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::{Counts, JobId, JobSnapshot, JobStatus, Target, Terms, WatchedJob};
use cognito_import_watch_core::schedule::{
    Action, BackoffPolicy, Batch, Ceilings, Ending, Input, LaneIndex, NewJob, NewPool, Now, PollResult, PoolFilter,
    PoolPage, Question, Scheduler, Settings,
};

use crate::table::{Table, number};
use crate::time::{SECOND, clocks, nanos};

/// The most jobs on a page of a list.
const PAGE: usize = 60;

/// Who is watched.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// So many jobs,
    pub jobs: usize,
    /// in so many pools,
    pub pools: usize,
    /// of so many accounts.
    pub accounts: usize,
    /// What each of them shows, as the service writes it.
    pub status: &'static str,
    /// Whether each is named, or its pool is watched as a whole.
    pub named: Named,
}

/// How the jobs come to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Each by its name.
    Each,
    /// All by their pools.
    ByPool,
}

const fn row(jobs: usize, pools: usize, accounts: usize, status: &'static str, named: Named) -> Row {
    Row { jobs, pools, accounts, status, named }
}

/// The rows of the table.
pub const ROWS: [Row; 8] = [
    row(1_000, 10, 1, "Created", Named::ByPool),
    row(10_000, 500, 100, "Created", Named::ByPool),
    row(10_000, 500, 100, "InProgress", Named::ByPool),
    row(10_000, 500, 100, "Created", Named::Each),
    row(100_000, 500, 100, "Created", Named::ByPool),
    row(100_000, 500, 100, "InProgress", Named::ByPool),
    row(100_000, 500, 100, "Created", Named::Each),
    row(100_000, 500, 100, "InProgress", Named::Each),
];

/// The word with which the program is told to measure one row.
pub const ROW: &str = "scale-row";

/// How long the jobs are watched, in simulated time.
const WATCHED_FOR: u64 = 120 * SECOND;

/// Measures every row.
///
/// # Errors
/// When a process for it cannot be started, or dies.
pub fn table() -> std::io::Result<Table> {
    let head = ["jobs", "pools", "accounts", "status", "watched by", "bytes per job", "CPU µs per request"];
    let mut table = Table::new("scale: the scheduler alone, for two simulated minutes", &head);
    let program = std::env::current_exe()?;
    for (index, row) in ROWS.iter().enumerate() {
        let output = Command::new(&program).args([ROW, &index.to_string()]).output()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut figures = printed.split_whitespace().map(|figure| figure.parse().map_or("-".to_owned(), number));
        let mut figure = || figures.next().unwrap_or_default();
        table.row(vec![
            row.jobs.to_string(),
            row.pools.to_string(),
            row.accounts.to_string(),
            row.status.to_owned(),
            match row.named {
                Named::Each => "name".to_owned(),
                Named::ByPool => "pool".to_owned(),
            },
            figure(),
            figure(),
        ]);
    }
    Ok(table)
}

/// What one row took: bytes of memory for each job, and microseconds of CPU for each request with its answer, with a
/// space between them; `None` where there is no such row.
#[must_use]
pub fn measured(index: &str) -> Option<String> {
    let (bytes, micros) = ROWS.get(index.parse::<usize>().ok()?)?.measure();
    Some(format!("{bytes} {micros}"))
}

impl Row {
    fn measure(self) -> (f64, f64) {
        let mut service = Service::new(self);
        let idle = resident();
        let mut scheduler = Scheduler::new(settings(), clocks(0).tick);
        for input in service.inputs() {
            service.feed(&mut scheduler, 0, input);
        }
        let began = cpu_micros();
        let mut now = 0;
        while now < WATCHED_FOR {
            let Some(wake) = scheduler.next_wake(clocks(now).tick) else { break };
            now = nanos(wake.as_duration()).max(now + 1);
            service.feed(&mut scheduler, now, Input::Wake);
        }
        let took = cpu_micros().saturating_sub(began);
        let bytes = resident().saturating_sub(idle);
        (bytes as f64 / self.jobs as f64, took as f64 / service.answers.max(1) as f64)
    }
}

/// Answers at once, with the same for all jobs.
struct Service {
    row: Row,
    answers: u64,
}

impl Service {
    fn new(row: Row) -> Self {
        Self { row, answers: 0 }
    }

    fn per_pool(&self) -> usize {
        self.row.jobs / self.row.pools
    }

    fn inputs(&self) -> Vec<Input> {
        let terms = Arc::new(Terms::default());
        let lane = |pool: usize| LaneIndex(pool % self.row.accounts);
        let pool = |number: usize| format!("us-west-2_{number:09}").parse().ok();
        match self.row.named {
            Named::ByPool => (0..self.row.pools)
                .filter_map(|number| {
                    Some(Input::Pool(NewPool {
                        lane: lane(number),
                        id: pool(number)?,
                        terms: Arc::clone(&terms),
                        name: None,
                        filter: PoolFilter { job_name: None, ignore_completed_before: Duration::from_secs(86_400) },
                        known: Vec::new(),
                    }))
                })
                .collect(),
            Named::Each => (0..self.row.jobs)
                .filter_map(|number| {
                    let pool_number = number / self.per_pool();
                    let target = Target { pool: pool(pool_number)?, job: id(number % self.per_pool())? };
                    let job = WatchedJob { target, terms: Arc::clone(&terms) };
                    Some(Input::Job(NewJob { lane: lane(pool_number), job, known: None }))
                })
                .collect(),
        }
    }

    fn feed(&mut self, scheduler: &mut Scheduler, now: u64, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for action in scheduler.handle(clocks(now), input) {
                if let Action::Send(request) = action {
                    self.answers += 1;
                    inputs
                        .push(Input::Answered { id: request.id, result: self.answer(&request.question, clocks(now)) });
                }
            }
        }
    }

    fn answer(&self, question: &Question, now: Now) -> PollResult {
        match question {
            Question::Describe(_) => PollResult::Job(self.snapshot(), Some(now.wall)),
            Question::List { token, .. } => {
                let from: usize = token.as_deref().and_then(|token| token.parse().ok()).unwrap_or(0);
                let to = (from + PAGE).min(self.per_pool());
                let jobs = (from..to).filter_map(|job| Some((id(job)?, self.snapshot())));
                let next = (to < self.per_pool()).then(|| to.to_string());
                PollResult::Page(PoolPage { jobs: jobs.collect(), next, date: Some(now.wall) })
            }
        }
    }

    fn snapshot(&self) -> JobSnapshot {
        let status = JobStatus::from_wire(self.row.status);
        let started = status != JobStatus::Created;
        let created = clocks(0).wall;
        JobSnapshot {
            job_name: Some("nightly-customers".into()),
            counts: if started { Counts { imported: 123_456, skipped: 78, failed: 9 } } else { Counts::default() },
            status,
            created_at: Some(created),
            started_at: started.then_some(created),
            completed_at: None,
            completion_message: None,
            account: "123456789012".parse().ok(),
        }
    }
}

/// The id of a pool's job, as long as the service's.
fn id(number: usize) -> Option<JobId> {
    format!("import-{number:010}").parse().ok()
}

fn settings() -> Settings {
    Settings {
        backoff: BackoffPolicy::default(),
        ceilings: Ceilings::default(),
        batch: Batch::Auto,
        ending: Ending::WhenStopped,
        seed: 1,
    }
}

/// CPU that this process took, in microseconds; 0 where the system does not say.
fn cpu_micros() -> u64 {
    // The times are the 14th and 15th field, in hundredths of a second; the second one, the name, ends with a bracket.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10_000
}

/// The process's resident memory in bytes; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
