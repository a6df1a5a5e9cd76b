//! The usual: one import runs in each account, and the jobs that sleep must not keep it from being seen.
//!
//! Only one import job is active per account at a time. Its counters move in every second account. The others
//! are Created, over one pool or several.

use cognito_import_watch_core::domain::TargetError;

use super::{DEFAULT, Poller, Size, merged};
use crate::cognito::{Cognito, Life, Neighbour, Quota, Way};
use crate::ours::{Asking, Scene};
use crate::peer::Begin;
use crate::record::{Record, Window, quantile};
use crate::table::{Table, number};
use crate::time::SECOND;

const ACCOUNTS: usize = 4;
const WINDOW: Window = Window { from: 600 * SECOND, to: 3_600 * SECOND, until: 3_900 * SECOND };

/// The pools of an account, and how many jobs sleep in them.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Sleeping jobs of an account.
    pub sleeping: usize,
    /// Pools of an account.
    pub pools: usize,
}

/// Every case.
pub const CASES: [Case; 7] = [
    Case { sleeping: 0, pools: 1 },
    Case { sleeping: 20, pools: 1 },
    Case { sleeping: 20, pools: 5 },
    Case { sleeping: 20, pools: 20 },
    Case { sleeping: 300, pools: 1 },
    Case { sleeping: 300, pools: 5 },
    Case { sleeping: 300, pools: 50 },
];

/// A scene of a case.
///
/// # Errors
/// When a job's id is not taken.
pub fn scene(case: Case, seed: u64) -> Result<Scene, TargetError> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut cognito = Cognito::new(Quota::default(), ACCOUNTS);
    for account in 0..ACCOUNTS {
        let pools = (0..case.pools).map(|_| cognito.add_pool(account)).collect::<Result<Vec<_>, _>>()?;
        let moving = random.usize(..=case.sleeping);
        for job in 0..=case.sleeping {
            let life = match (job == moving, account % 2) {
                (false, _) => Life::SLEEPING,
                (true, 0) => Life::STILL,
                (true, _) => Life::moving(7 * SECOND),
            };
            let pool = pools.get(job % case.pools).copied().unwrap_or_default();
            cognito.add_job(pool, life)?;
        }
    }
    Ok(Scene { cognito, way: Way::UNEVEN, neighbour: Neighbour::default(), window: WINDOW, seed })
}

/// The figures of one poller.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The gap between two looks at the moving job, as a multiple of the wanted one: median and one in a hundred.
    pub stretch: (f64, f64),
    /// The latency of a change of the moving job in seconds: median and one in a hundred.
    pub moving: (f64, f64),
    /// The same of a sleeping job.
    pub sleeping: (f64, f64),
    /// Calls per minute and account.
    pub calls: f64,
    /// Throttled calls in percent.
    pub throttled: f64,
}

/// What a poller reaches.
///
/// # Errors
/// When a scene cannot be made.
pub fn figures(poller: &Poller, case: Case, seeds: u64) -> Result<Figures, TargetError> {
    let mut record: Record = merged(poller, Begin::Spread, seeds, |seed| scene(case, seed))?;
    let minutes = (WINDOW.until - WINDOW.from) as f64 / (60 * SECOND) as f64;
    Ok(Figures {
        stretch: (quantile(&mut record.stretch, 0.5), quantile(&mut record.stretch, 0.99)),
        moving: (record.moving.quantile(0.5), record.moving.quantile(0.99)),
        sleeping: (record.sleeping.quantile(0.5), record.sleeping.quantile(0.99)),
        calls: record.sent_between(WINDOW.from, WINDOW.until) / record.accounts() / minutes,
        throttled: record.throttled_percent(WINDOW.from, WINDOW.until),
    })
}

/// All of it. The stretch of the moving job is to be at most 1.1 in 99 of 100 looks.
///
/// # Errors
/// When a scene cannot be made.
pub fn table(size: Size) -> Result<Table, TargetError> {
    let mut table = Table::new(
        "usual: 1 moving job in each account; latencies in s",
        &[
            "sleeping",
            "pools",
            "poller",
            "gap/wanted p50",
            "p99 (<= 1.1)",
            "moving p50",
            "p99",
            "sleeping p50",
            "p99",
            "calls/min",
            "throttled %",
        ],
    );
    for case in CASES {
        let ours =
            [("ours", Poller::ours(DEFAULT, Asking::Lists)), ("ours, no lists", Poller::ours(DEFAULT, Asking::PerJob))];
        for (name, poller) in ours.into_iter().chain(Poller::peers()) {
            let figures = figures(&poller, case, size.seeds)?;
            let numbers = [
                figures.stretch.0,
                figures.stretch.1,
                figures.moving.0,
                figures.moving.1,
                figures.sleeping.0,
                figures.sleeping.1,
                figures.calls,
                figures.throttled,
            ];
            let head = [case.sleeping.to_string(), case.pools.to_string(), name.to_owned()];
            table.row(head.into_iter().chain(numbers.map(number)).collect());
        }
    }
    Ok(table)
}
