//! The part of a scrape that does not grow with the jobs: the process, the requests, the state, the configuration.
//!
//! Written at the beginning of each [`scrape`](super::scrape).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::family::{
    BUILD, COMPLETED, EVENTS, EVENTS_DROPPED, EVENTS_WAITING, LANE_CEILING, LANE_IN_FLIGHT, LANE_RATE, LANE_THROTTLED,
    LOG_DROPPED, POLL_SECONDS, POLLS, POOL_FAILING, POOLS, RELOAD_AT, RELOAD_GOOD, RELOADS, STATE_COMMITS,
    STATE_WAITING, STATE_WRITABLE, WARNINGS,
};
use super::lane::{LaneMeters, OPERATIONS, PollCounts};
use super::meters::Meters;
use super::process;
use super::text::Text;
use crate::ask::Overview;
use crate::ledger::{FiguresOf, Health};
use crate::telemetry::Printer;

/// What answers `/metrics`, with the places where figures are read that the loop is not asked for.
pub struct Metrics {
    /// What the daemon counts.
    pub meters: Arc<Meters>,
    /// Of the state file; `None` where nothing is kept.
    pub ledger: Option<FiguresOf>,
    /// Of the log.
    pub printer: Printer,
}

/// An account and region, as labels.
type Lane = [String; 2];

/// What is known of an account and region. Two of the config that are one, or whose accounts are not known yet, are told
/// as one.
#[derive(Debug, Default)]
struct LaneFigures {
    polls: [PollCounts; OPERATIONS.len()],
    now: Option<RateNow>,
}

#[derive(Clone, Copy, Debug, Default)]
struct RateNow {
    requests_per_second: f64,
    max_requests_per_second: f64,
    in_flight: usize,
    is_throttled: bool,
}

impl Metrics {
    /// Writes all of that part. `overview` is what the loop said of its lanes and pools.
    pub(super) fn write_all(&self, text: &mut Text, overview: &Overview) {
        text.begin(&BUILD);
        text.sample(&BUILD, &[env!("CARGO_PKG_VERSION")], 1_u64);
        process::write(text, self.meters.started_at());
        lanes(text, &by_labels(&self.meters.lanes(), overview));
        self.write_events(text);
        self.write_state(text);
        self.write_reloads(text);
        pools(text, overview);
    }

    fn write_events(&self, text: &mut Text) {
        text.begin(&EVENTS);
        self.meters.events().for_each(|(event, count)| text.sample(&EVENTS, &[event], count));
        text.begin(&WARNINGS);
        self.meters.warnings().for_each(|(kind, count)| text.sample(&WARNINGS, &[kind], count));
        text.begin(&COMPLETED);
        self.meters.verdicts().for_each(|(verdict, count)| text.sample(&COMPLETED, &[verdict], count));
        text.single(&LOG_DROPPED, self.printer.ever_dropped());
    }

    fn write_state(&self, text: &mut Text) {
        let Some(figures) = self.ledger.as_ref().map(FiguresOf::read) else { return };
        text.single(&STATE_WRITABLE, figures.health == Health::Good);
        text.single(&STATE_COMMITS, figures.commits);
        text.single(&STATE_WAITING, figures.changes_waiting);
        text.begin(&EVENTS_WAITING);
        for (sink, waiting) in &figures.events_waiting {
            text.sample(&EVENTS_WAITING, &[sink], *waiting);
        }
        text.begin(&EVENTS_DROPPED);
        for (sink, _) in &figures.events_waiting {
            text.sample(&EVENTS_DROPPED, &[sink], self.meters.dropped_by(sink));
        }
    }

    fn write_reloads(&self, text: &mut Text) {
        text.begin(&RELOADS);
        self.meters.reloads().for_each(|(outcome, count)| text.sample(&RELOADS, &[outcome], count));
        text.single(&RELOAD_GOOD, self.meters.is_last_reload_good());
        text.single(&RELOAD_AT, self.meters.configured_at());
    }
}

fn by_labels(meters: &[Arc<LaneMeters>], overview: &Overview) -> BTreeMap<Lane, LaneFigures> {
    let mut lanes: BTreeMap<Lane, LaneFigures> = BTreeMap::new();
    for (index, lane) in meters.iter().enumerate() {
        let account = lane.account().map(|account| account.as_str().to_owned()).unwrap_or_default();
        let figures = lanes.entry([account, lane.region.to_string()]).or_default();
        for ((by, _), polls) in OPERATIONS.iter().zip(&mut figures.polls) {
            polls.add(&lane.counts(*by));
        }
        for row in overview.lanes.iter().filter(|row| row.lane == index) {
            let now = figures.now.get_or_insert_default();
            now.requests_per_second += row.requests_per_second;
            now.max_requests_per_second += row.max_requests_per_second;
            now.in_flight += row.in_flight;
            now.is_throttled |= row.is_throttled;
        }
    }
    lanes
}

fn lanes(text: &mut Text, lanes: &BTreeMap<Lane, LaneFigures>) {
    text.begin(&POLLS);
    for ([account, region], figures) in lanes {
        for ((_, operation), polls) in OPERATIONS.iter().zip(&figures.polls) {
            for (outcome, count) in polls.outcomes {
                text.sample(&POLLS, &[account, region, operation, outcome], count);
            }
        }
    }
    text.begin(&POLL_SECONDS);
    for ([account, region], figures) in lanes {
        for ((_, operation), polls) in OPERATIONS.iter().zip(&figures.polls) {
            text.histogram(&POLL_SECONDS, &[account, region, operation], polls.took.into_iter(), polls.seconds);
        }
    }
    let used = || lanes.iter().filter_map(|(labels, figures)| Some((labels, figures.now?)));
    text.begin(&LANE_RATE);
    used().for_each(|([a, r], now)| text.sample(&LANE_RATE, &[a, r], now.requests_per_second));
    text.begin(&LANE_CEILING);
    used().for_each(|([a, r], now)| text.sample(&LANE_CEILING, &[a, r], now.max_requests_per_second));
    text.begin(&LANE_IN_FLIGHT);
    used().for_each(|([a, r], now)| text.sample(&LANE_IN_FLIGHT, &[a, r], now.in_flight));
    text.begin(&LANE_THROTTLED);
    used().for_each(|([a, r], now)| text.sample(&LANE_THROTTLED, &[a, r], now.is_throttled));
}

fn pools(text: &mut Text, overview: &Overview) {
    text.single(&POOLS, overview.pools.len());
    text.begin(&POOL_FAILING);
    for pool in &overview.pools {
        if let Some(kind) = pool.failing {
            text.sample(&POOL_FAILING, &[pool.pool.as_str(), kind.as_str()], 1_u64);
        }
    }
}
