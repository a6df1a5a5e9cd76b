//! The start: many jobs are all due at once, and each wants its first status.

use cognito_import_watch_core::domain::TargetError;

use super::{DEFAULT, FULL, Poller, Rates, Size};
use crate::cognito::{Cognito, Life, Neighbour, Quota, Way};
use crate::ours::{Asking, Scene};
use crate::peer::Begin;
use crate::record::Window;
use crate::table::{Table, number};
use crate::time::{SECOND, seconds};

/// How long a start is watched.
const HOUR: f64 = 3_600.0;

/// Jobs that are all due at once.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How many.
    pub jobs: usize,
    /// Over how many pools.
    pub pools: usize,
    /// The ceilings.
    pub rates: Rates,
    /// The way to the service.
    pub way: Way,
}

impl Case {
    /// The time until the last of them can have been asked about, in seconds: the first needs no waiting.
    #[must_use]
    pub fn bound(self) -> f64 {
        (self.jobs - 1) as f64 / self.rates.over(self.pools)
    }

    fn scene(self, until: f64, seed: u64) -> Result<Scene, TargetError> {
        let cognito = Cognito::alike(Quota::default(), self.jobs, self.pools, Life::STILL)?;
        let until = seconds(until);
        let window = Window { from: 0, to: until / 2, until: until / SECOND * SECOND };
        Ok(Scene { cognito, way: self.way, neighbour: Neighbour::default(), window, seed })
    }
}

/// What a start came to.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The first look at half of the jobs, in seconds; infinite when it was not reached.
    pub half: f64,
    /// The first look at the last of those that were seen at all, in seconds.
    pub last: f64,
    /// How many jobs were not seen.
    pub unseen: usize,
    /// Throttled calls in percent.
    pub throttled: f64,
}

/// What a poller reaches within so many seconds.
///
/// # Errors
/// When a scene cannot be made.
pub fn figures(poller: &Poller, case: Case, until: f64, seed: u64) -> Result<Figures, TargetError> {
    let scene = case.scene(until, seed)?;
    let end = scene.window.until;
    let record = poller.run(scene, Begin::Together);
    let mut looks = record.first_looks();
    let half = crate::record::quantile(&mut looks, 0.5);
    let seen = looks.iter().filter(|look| look.is_finite());
    Ok(Figures {
        half,
        last: seen.copied().fold(0.0, f64::max),
        unseen: looks.iter().filter(|look| look.is_infinite()).count(),
        throttled: record.throttled_percent(0, end),
    })
}

/// All of it. The last of ours is to be seen within 1.15 times the bound.
///
/// # Errors
/// When a scene cannot be made.
pub fn table(size: Size) -> Result<Table, TargetError> {
    let jobs = size.jobs.unwrap_or(1_000);
    let mut table = Table::new(
        format!("start: {jobs} jobs due at once; time to a first status in s, within an hour"),
        &["pools", "ceilings", "way", "poller", "half", "last", "last/bound (<= 1.15)", "unseen", "throttled %"],
    );
    let ways = [("even", Way::EVEN), ("uneven", Way::UNEVEN)];
    for (pools, rates) in [(50, DEFAULT), (4, DEFAULT), (1, DEFAULT), (50, FULL), (4, FULL)] {
        for (way_name, way) in ways {
            let case = Case { jobs, pools, rates, way };
            let until = HOUR.max(case.bound() * 2.0);
            let figures = figures(&Poller::ours(rates, Asking::PerJob), case, until, 1)?;
            let ceilings = format!("{}/{}", rates.lane, rates.pool);
            table.row(row(case, &ceilings, way_name, "ours, no lists", figures, figures.last / case.bound()));
        }
        let case = Case { jobs, pools, rates, way: Way::UNEVEN };
        let figures = figures(&Poller::ours(rates, Asking::Lists), case, HOUR.max(case.bound() * 2.0), 1)?;
        let ceilings = format!("{}/{}", rates.lane, rates.pool);
        table.row(row(case, &ceilings, "uneven", "ours", figures, figures.last / case.bound()));
    }
    for (name, peer) in Poller::peers() {
        let case = Case { jobs, pools: 50, rates: FULL, way: Way::UNEVEN };
        let figures = figures(&peer, case, HOUR, 1)?;
        table.row(row(case, "-", "uneven", name, figures, f64::NAN));
    }
    Ok(table)
}

fn row(case: Case, ceilings: &str, way: &str, name: &str, figures: Figures, ratio: f64) -> Vec<String> {
    vec![
        case.pools.to_string(),
        ceilings.to_owned(),
        way.to_owned(),
        name.to_owned(),
        number(figures.half),
        number(figures.last),
        number(ratio),
        figures.unseen.to_string(),
        number(figures.throttled),
    ]
}
