//! Stress: far more moving jobs than the quota can follow. It cannot happen in the service as documented, where one
//! import runs at a time; it shows whether the quota is used up, and fairly.

use cognito_import_watch_core::domain::TargetError;

use super::{DEFAULT, FULL, Poller, Rates, Size, merged};
use crate::cognito::{Cognito, Life, Neighbour, Quota, Way};
use crate::oracle::Oracle;
use crate::ours::{Asking, Scene};
use crate::peer::Begin;
use crate::record::Window;
use crate::table::{Table, number};
use crate::time::{SECOND, as_seconds, seconds};

/// Jobs of a pool; the service allows 1,000 over a pool's life.
const JOBS_OF_A_POOL: usize = 480;

/// There are at least so many pools, so that no pool's quota binds before the account's.
const LEAST_POOLS: usize = 20;

/// The longest interval by default: who keeps it is asked for no more.
const INTERVAL: f64 = 30.0;

/// So many moving jobs in one account.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How many.
    pub jobs: usize,
    /// The ceilings.
    pub rates: Rates,
    /// Whether lists may be used.
    pub asking: Asking,
    /// The way to the service.
    pub way: Way,
}

impl Case {
    fn pools(self) -> usize {
        self.jobs.div_ceil(JOBS_OF_A_POOL).max(LEAST_POOLS)
    }

    fn cognito(self) -> Result<Cognito, TargetError> {
        Cognito::alike(Quota::default(), self.jobs, self.pools(), Life::STILL)
    }

    /// The best that can be done with the ceilings, by somebody who keeps the intervals too.
    ///
    /// # Errors
    /// When a job's id is not taken.
    pub fn oracle(self) -> Result<Oracle, TargetError> {
        let calls = match self.asking {
            Asking::PerJob => self.jobs,
            Asking::Lists => self.cognito()?.pages(0).min(self.jobs),
        };
        Ok(Oracle::new(calls, self.rates.over(self.pools())).no_sooner_than(INTERVAL))
    }

    /// Two turns of the oracle to settle, one and a half to measure, and as much for the last changes to be seen.
    fn window(self) -> Result<Window, TargetError> {
        let turn = self.oracle()?.turn;
        let (from, to, until) = (turn * 2.0 + 60.0, turn * 3.5 + 120.0, turn * 5.0 + 180.0);
        Ok(Window { from: seconds(from), to: seconds(to), until: seconds(until) })
    }

    fn scene(self, window: Window, seed: u64) -> Result<Scene, TargetError> {
        Ok(Scene { cognito: self.cognito()?, way: self.way, neighbour: Neighbour::default(), window, seed })
    }
}

/// What stress came to.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The latency of a change in seconds: median and one in a hundred.
    pub latency: (f64, f64),
    /// Calls per second.
    pub calls: f64,
    /// Throttled calls in percent.
    pub throttled: f64,
}

fn measured(poller: &Poller, case: Case, window: Window, seeds: u64) -> Result<Figures, TargetError> {
    let record = merged(poller, Begin::Spread, seeds, |seed| case.scene(window, seed))?;
    let time = as_seconds(window.until - window.from) * record.accounts();
    Ok(Figures {
        latency: (record.moving.quantile(0.5), record.moving.quantile(0.99)),
        calls: record.sent_between(window.from, window.until) / time,
        throttled: record.throttled_percent(window.from, window.until),
    })
}

/// What the scheduler reaches.
///
/// # Errors
/// When a scene cannot be made.
pub fn ours(case: Case, seeds: u64) -> Result<Figures, TargetError> {
    measured(&Poller::ours(case.rates, case.asking), case, case.window()?, seeds)
}

/// All of it. Ours is to be at most 1.05 times the oracle's, with less than 0.5 % throttled. Peers know no ceiling
/// and are watched for an hour.
///
/// # Errors
/// When a scene cannot be made.
pub fn table(size: Size) -> Result<Table, TargetError> {
    let mut table = Table::new(
        "stress: moving jobs in one account; latency of a change in s; the oracle keeps ceilings and intervals",
        &[
            "jobs",
            "ceilings",
            "way",
            "poller",
            "p50",
            "p99",
            "oracle p50",
            "p99",
            "p50/oracle (<= 1.05)",
            "p99/oracle",
            "calls/s",
            "throttled % (< 0.5)",
        ],
    );
    for jobs in size.jobs.map_or(vec![1_000, 10_000, 100_000], |jobs| vec![jobs]) {
        // So many jobs are their own average.
        let seeds = if jobs > 10_000 { 1 } else { size.seeds };
        for rates in [DEFAULT, FULL] {
            for asking in [Asking::PerJob, Asking::Lists] {
                for (way_name, way) in [("even", Way::EVEN), ("uneven", Way::UNEVEN)] {
                    let case = Case { jobs, rates, asking, way };
                    let name = match asking {
                        Asking::PerJob => "ours, no lists",
                        Asking::Lists => "ours",
                    };
                    let ceilings = format!("{}/{}", rates.lane, rates.pool);
                    table.row(row(case, &ceilings, way_name, name, ours(case, seeds)?, Some(case.oracle()?)));
                }
            }
        }
        let case = Case { jobs, rates: FULL, asking: Asking::PerJob, way: Way::UNEVEN };
        let window = Window { from: 600 * SECOND, to: 1_800 * SECOND, until: 3_600 * SECOND };
        for (name, peer) in Poller::peers() {
            table.row(row(case, "-", "uneven", name, measured(&peer, case, window, seeds)?, None));
        }
    }
    Ok(table)
}

fn row(case: Case, ceilings: &str, way: &str, name: &str, ours: Figures, oracle: Option<Oracle>) -> Vec<String> {
    let best = |part| oracle.map_or(f64::NAN, |oracle| oracle.quantile(part));
    let numbers = [
        ours.latency.0,
        ours.latency.1,
        best(0.5),
        best(0.99),
        ours.latency.0 / best(0.5),
        ours.latency.1 / best(0.99),
        ours.calls,
        ours.throttled,
    ];
    let head = [case.jobs.to_string(), ceilings.to_owned(), way.to_owned(), name.to_owned()];
    head.into_iter().chain(numbers.map(number)).collect()
}
