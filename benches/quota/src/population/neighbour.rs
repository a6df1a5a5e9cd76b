//! A neighbour: another caller of the account begins to ask, and is not to be crowded out by us.

use cognito_import_watch_core::domain::TargetError;

use super::{DEFAULT, FULL, Poller, Rates, Size, merged};
use crate::cognito::{Cognito, Life, Neighbour, Quota, Rhythm, Way};
use crate::ours::{Asking, Scene};
use crate::peer::Begin;
use crate::record::Window;
use crate::table::{Table, number};
use crate::time::{Nanos, SECOND};

const BEGINS: Nanos = 120 * SECOND;
const UNTIL: Nanos = 720 * SECOND;

/// So long the neighbour may be disturbed.
const GRACE: Nanos = 10 * SECOND;

/// Who shares an account with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 15 requests/s, evenly, from its beginning on.
    Even,
    /// 15 requests/s on average, by chance, from its beginning on.
    Chance,
    /// 5, 15, 10, 0 and 18 requests/s on average, two minutes each.
    Varying,
}

/// Jobs that all move beside a neighbour.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How many jobs.
    pub jobs: usize,
    /// Over how many pools.
    pub pools: usize,
    /// Who is beside us.
    pub shape: Shape,
    /// How many seconds of its quota the account saves up.
    pub burst: f64,
}

fn scene(case: Case, seed: u64) -> Result<Scene, TargetError> {
    let quota = Quota { burst: case.burst, ..Quota::default() };
    let cognito = Cognito::alike(quota, case.jobs, case.pools, Life::STILL)?;
    let turns = (0..).map(|turn| BEGINS + turn * 120 * SECOND);
    let neighbour = match case.shape {
        Shape::Even => Neighbour::new(vec![(BEGINS, 15.0)], Rhythm::Even),
        Shape::Chance => Neighbour::new(vec![(BEGINS, 15.0)], Rhythm::Chance),
        Shape::Varying => Neighbour::new(turns.zip([5.0, 15.0, 10.0, 0.0, 18.0]).collect(), Rhythm::Chance),
    };
    let window = Window { from: BEGINS, to: UNTIL - 120 * SECOND, until: UNTIL };
    Ok(Scene { cognito, way: Way::UNEVEN, neighbour, window, seed })
}

/// How both fared.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The neighbour's throttled requests in percent, within its first ten seconds.
    pub first: f64,
    /// The same, from then on.
    pub later: f64,
    /// Our requests per second before it came.
    pub alone: f64,
    /// Our requests per second from ten seconds after that on.
    pub beside: f64,
    /// Our throttled requests in percent, from then on.
    pub throttled: f64,
}

/// What a poller does.
///
/// # Errors
/// When a scene cannot be made.
pub fn figures(poller: &Poller, case: Case, seeds: u64) -> Result<Figures, TargetError> {
    let record = merged(poller, Begin::Spread, seeds, |seed| scene(case, seed))?;
    let rate =
        |from: Nanos, to: Nanos| record.sent_between(from, to) / record.accounts() / ((to - from) / SECOND) as f64;
    let settled = BEGINS + GRACE;
    Ok(Figures {
        first: record.others_throttled_percent(BEGINS, settled),
        later: record.others_throttled_percent(settled, UNTIL),
        alone: rate(BEGINS - 60 * SECOND, BEGINS),
        beside: rate(settled, UNTIL),
        throttled: record.throttled_percent(settled, UNTIL),
    })
}

/// All of it. The neighbour is to have less than 1 % of its requests throttled once ten seconds have passed.
///
/// # Errors
/// When a scene cannot be made.
pub fn table(size: Size) -> Result<Table, TargetError> {
    let jobs = size.jobs.unwrap_or(1_000);
    let mut table = Table::new(
        format!("neighbour: another caller beside {jobs} moving jobs over 20 pools"),
        &[
            "neighbour",
            "burst",
            "poller",
            "ceilings",
            "its throttled %, first 10 s",
            "later (< 1)",
            "ours/s alone",
            "beside it",
            "ours throttled %",
        ],
    );
    let shapes = [
        ("15/s evenly", Shape::Even, 1.0),
        ("15/s", Shape::Chance, 1.0),
        ("15/s", Shape::Chance, 0.25),
        ("0 to 18/s", Shape::Varying, 1.0),
    ];
    for (shape_name, shape, burst) in shapes {
        let case = Case { jobs, pools: 20, shape, burst };
        // How the neighbour fares beside next to nobody: what it does to itself.
        let nobody = Rates { lane: 0.1, pool: 0.1 };
        for (ceilings, rates) in [("0.1/0.1", nobody), ("5/2", DEFAULT), ("20/5", FULL)] {
            for (name, asking) in [("ours, no lists", Asking::PerJob), ("ours", Asking::Lists)] {
                let figures = figures(&Poller::ours(rates, asking), case, size.seeds)?;
                table.row(row(shape_name, burst, name, ceilings, figures));
            }
        }
        for (name, peer) in Poller::peers() {
            table.row(row(shape_name, burst, name, "-", figures(&peer, case, size.seeds)?));
        }
    }
    Ok(table)
}

fn row(shape: &str, burst: f64, name: &str, ceilings: &str, figures: Figures) -> Vec<String> {
    let Figures { first, later, alone, beside, throttled } = figures;
    let head = [shape.to_owned(), format!("{burst} s"), name.to_owned(), ceilings.to_owned()];
    head.into_iter().chain([first, later, alone, beside, throttled].map(number)).collect()
}
