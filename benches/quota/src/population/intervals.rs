//! Intervals: what a change's latency costs in calls, for imports as they are: one after another in an account, each
//! from seconds to an hour. A job that nobody has started yet is watched like the others.

use std::time::Duration;

use cognito_import_watch_core::domain::TargetError;
use cognito_import_watch_core::schedule::BackoffPolicy;

use super::{Poller, Size, merged};
use crate::cognito::{Cognito, Life, Neighbour, Quota, Way};
use crate::ours::{Asking, Ours, Scene};
use crate::peer::{Begin, Peer};
use crate::record::{Window, quantile};
use crate::table::{Table, number};
use crate::time::{NEVER, Nanos, SECOND, seconds};

/// How many jobs of an account share a pool.
const JOBS_OF_A_POOL: usize = 20;

/// Imports of one account that run one after another.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How many.
    pub jobs: usize,
    /// The shortest and the longest import in seconds; their logarithms are spread evenly.
    pub takes: (f64, f64),
    /// The part of them whose counters move while they run, a step in 0.5 to 20 s. Whether the service moves them
    /// before the end is not documented.
    pub counting: f64,
}

fn scene(case: Case, seed: u64) -> Result<Scene, TargetError> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut cognito = Cognito::new(Quota::default(), 1);
    let pools = case.jobs.div_ceil(JOBS_OF_A_POOL);
    for _ in 0..pools {
        cognito.add_pool(0)?;
    }
    // A lone job is waited for from its start; several have their turns.
    let mut free: Nanos = if case.jobs == 1 { 0 } else { seconds(60.0 * random.f64()) };
    for job in 0..case.jobs {
        let importing = free + seconds(1.0 + 9.0 * random.f64());
        let (short, long) = case.takes;
        let ended = importing + seconds(short * (long / short).powf(random.f64()));
        let per_user = (random.f64() < case.counting).then(|| seconds(0.5 + 19.5 * random.f64()));
        let life = Life { started: free, importing, ended, per_user };
        cognito.add_job(job % pools, life)?;
        free = ended + seconds(5.0 + 115.0 * random.f64());
    }
    let until = free + 600 * SECOND;
    let window = Window { from: 0, to: NEVER, until };
    Ok(Scene { cognito, way: Way::UNEVEN, neighbour: Neighbour::default(), window, seed })
}

/// Cost and gain.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Calls for each job, from the start of the watch to its end.
    pub calls: f64,
    /// Calls per minute of the whole watch.
    pub per_minute: f64,
    /// The latency of an end in seconds: mean, median and one in a hundred.
    pub end: (f64, f64, f64),
    /// The latency of a start in seconds: mean, and one in a hundred; none where the job had started before.
    pub start: (f64, f64),
}

/// What a poller pays and gets.
///
/// # Errors
/// When a scene cannot be made.
pub fn figures(poller: &Poller, case: Case, seeds: u64) -> Result<Figures, TargetError> {
    let begin = if case.jobs == 1 { Begin::Together } else { Begin::Spread };
    let mut record = merged(poller, begin, seeds, |seed| scene(case, seed))?;
    let calls = record.sent_between(0, NEVER);
    let minutes = record.sent.iter().map(|seconds| seconds.len() as f64).sum::<f64>() / 60.0;
    let runs = record.accounts();
    let [_created, start, _importing, end] = &mut record.found;
    Ok(Figures {
        calls: calls / (case.jobs as f64 * runs),
        per_minute: calls / minutes,
        end: (mean(end), quantile(end, 0.5), quantile(end, 0.99)),
        start: (mean(start), quantile(start, 0.99)),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The scheduler at its default ceilings with intervals from `initial` s, growing by `multiplier`, to `longest` s.
#[must_use]
pub fn with_intervals(initial: f64, multiplier: f64, longest: f64) -> Poller {
    let backoff = BackoffPolicy::new(
        Duration::from_secs_f64(initial),
        Duration::from_secs_f64(longest),
        multiplier,
        BackoffPolicy::default().jitter(),
    );
    Poller::Ours(Ours { backoff: backoff.unwrap_or_default(), asking: Asking::Lists, ..Ours::default() })
}

/// All of it.
///
/// # Errors
/// When a scene cannot be made.
pub fn table(size: Size) -> Result<Table, TargetError> {
    let mut table = Table::new(
        "intervals: imports one after another in an account; what the latency of a change costs in calls",
        &[
            "jobs",
            "each takes s",
            "counters move",
            "poller",
            "calls/job",
            "calls/min",
            "end seen: mean s",
            "p50",
            "p99",
            "start: mean s",
            "p99",
        ],
    );
    let ours = [
        ("ours: 2 s x1.5 to 30 s (default)", (2.0, 1.5, 30.0)),
        ("ours: 1 s x1.5 to 15 s", (1.0, 1.5, 15.0)),
        ("ours: 2 s x2 to 30 s", (2.0, 2.0, 30.0)),
        ("ours: 2 s x1.25 to 30 s", (2.0, 1.25, 30.0)),
        ("ours: 2 s x1.5 to 10 s", (2.0, 1.5, 10.0)),
        ("ours: 2 s x1.5 to 60 s", (2.0, 1.5, 60.0)),
        ("ours: 5 s x1.5 to 30 s", (5.0, 1.5, 30.0)),
        ("ours: always 5 s", (5.0, 1.0, 5.0)),
        ("ours: always 2 s", (2.0, 1.0, 2.0)),
    ];
    let pollers: Vec<(&str, Poller)> = ours
        .into_iter()
        .map(|(name, (initial, multiplier, longest))| (name, with_intervals(initial, multiplier, longest)))
        .chain(Poller::peers().into_iter().filter(|(_, peer)| !matches!(peer, Poller::Peer(Peer::PerJob(_)))))
        .collect();
    for jobs in size.jobs.map_or(vec![1, 10, 100], |jobs| vec![jobs]) {
        for (takes, counting) in [((2.0, 60.0), 0.5), ((2.0, 3_600.0), 0.0), ((2.0, 3_600.0), 1.0)] {
            let case = Case { jobs, takes, counting };
            // As many imports in each row, however many are watched at a time.
            let seeds = size.seeds * (100 / jobs as u64).max(1);
            for (name, poller) in &pollers {
                let Figures { calls, per_minute, end, start } = figures(poller, case, seeds)?;
                let numbers = [calls, per_minute, end.0, end.1, end.2, start.0, start.1].map(number);
                let head =
                    [jobs.to_string(), format!("{} to {}", takes.0, takes.1), counting.to_string(), (*name).to_owned()];
                table.row(head.into_iter().chain(numbers).collect());
            }
        }
    }
    Ok(table)
}
