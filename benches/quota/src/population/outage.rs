//! An outage: the service throttles everything for a minute. During it next to nothing is to be sent; after it the
//! rate is to come back soon.

use cognito_import_watch_core::domain::TargetError;

use super::{DEFAULT, FULL, Poller, Size, merged};
use crate::cognito::{Cognito, Life, Neighbour, Quota, Way};
use crate::ours::{Asking, Scene};
use crate::peer::Begin;
use crate::record::{Record, Window};
use crate::table::{Table, number};
use crate::time::{Nanos, SECOND};

const BEGINS: Nanos = 300 * SECOND;
const ENDS: Nanos = 360 * SECOND;
const UNTIL: Nanos = 600 * SECOND;

/// The rate is back when five seconds hold nine tenths of what they held before.
const STRETCH: Nanos = 5 * SECOND;

/// Jobs that all move, in one account.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How many.
    pub jobs: usize,
    /// Over how many pools.
    pub pools: usize,
    /// The way to the service.
    pub way: Way,
}

fn scene(case: Case, seed: u64) -> Result<Scene, TargetError> {
    let mut cognito = Cognito::alike(Quota::default(), case.jobs, case.pools, Life::STILL)?;
    cognito.throttle_all(BEGINS..ENDS);
    let window = Window { from: BEGINS, to: ENDS, until: UNTIL };
    Ok(Scene { cognito, way: case.way, neighbour: Neighbour::default(), window, seed })
}

/// What an outage came to, in requests per second.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Answered well in the minute before.
    pub before: f64,
    /// Sent in the whole minute of it.
    pub during: f64,
    /// Sent from its eleventh second on.
    pub later: f64,
    /// Answered well from the eleventh to the twentieth second after it, as a part of those before.
    pub back: f64,
    /// Seconds after it until the rate is back; infinite when it is not within the run.
    pub back_after: f64,
}

/// What a poller does.
///
/// # Errors
/// When a scene cannot be made.
pub fn figures(poller: &Poller, case: Case, seeds: u64) -> Result<Figures, TargetError> {
    let record = merged(poller, Begin::Spread, seeds, |seed| scene(case, seed))?;
    let before = good(&record, BEGINS - 60 * SECOND, BEGINS);
    let back_after = (0..(UNTIL - ENDS) / SECOND).find(|second| {
        let from = ENDS + second * SECOND;
        good(&record, from, from + STRETCH) >= 0.9 * before
    });
    Ok(Figures {
        before,
        during: rate(&record, BEGINS, ENDS),
        later: rate(&record, BEGINS + 10 * SECOND, ENDS),
        back: good(&record, ENDS + 10 * SECOND, ENDS + 20 * SECOND) / before,
        back_after: back_after.map_or(f64::INFINITY, |seconds| seconds as f64),
    })
}

fn rate(record: &Record, from: Nanos, to: Nanos) -> f64 {
    record.sent_between(from, to) / record.accounts() / ((to - from) / SECOND) as f64
}

fn good(record: &Record, from: Nanos, to: Nanos) -> f64 {
    rate(record, from, to) * (1.0 - record.throttled_percent(from, to) / 100.0)
}

/// All of it.
///
/// # Errors
/// When a scene cannot be made.
pub fn table(size: Size) -> Result<Table, TargetError> {
    let case = |way| Case { jobs: size.jobs.unwrap_or(1_000), pools: 20, way };
    let mut table = Table::new(
        "outage: 1000 moving jobs (or --jobs) over 20 pools, everything throttled for a minute; requests/s",
        &[
            "poller",
            "ceilings",
            "way",
            "before",
            "during (<= 1)",
            "after its first 10 s",
            "10 to 20 s after, of before (>= 0.9)",
            "back after s (<= 10)",
        ],
    );
    for (ceilings, rates) in [("5/2", DEFAULT), ("20/5", FULL)] {
        for (name, asking) in [("ours, no lists", Asking::PerJob), ("ours", Asking::Lists)] {
            for (way_name, way) in [("even", Way::EVEN), ("uneven", Way::UNEVEN)] {
                let figures = figures(&Poller::ours(rates, asking), case(way), size.seeds)?;
                table.row(row(name, ceilings, way_name, figures));
            }
        }
    }
    for (name, peer) in Poller::peers() {
        table.row(row(name, "-", "uneven", figures(&peer, case(Way::UNEVEN), size.seeds)?));
    }
    Ok(table)
}

fn row(name: &str, ceilings: &str, way: &str, figures: Figures) -> Vec<String> {
    let Figures { before, during, later, back, back_after } = figures;
    let numbers = [before, during, later, back, back_after].map(number);
    [name.to_owned(), ceilings.to_owned(), way.to_owned()].into_iter().chain(numbers).collect()
}
