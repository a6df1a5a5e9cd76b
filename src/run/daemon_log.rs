//! What the daemon tells about itself, from whichever thread notices it.
//!
//! Used by `daemon`, and by the ledger's threads through the notices they give.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cognito_import_watch_core::domain::Timestamp;
use cognito_import_watch_core::schedule::Scheduler;

use crate::clock::wall_time;
use crate::http::metrics::{Meters, ReloadOutcome};
use crate::ledger::Notice;
use crate::sink::{DaemonEvent, DaemonFact, LogSink};

/// The daemon's word about itself.
pub(super) struct DaemonLog {
    sink: LogSink,
    started_at: Timestamp,
    state: Option<PathBuf>,
    counts: Mutex<Counts>,
    meters: Arc<Meters>,
}

struct Counts {
    jobs: usize,
    pools: usize,
    /// How often each event was told.
    told: BTreeMap<&'static str, u64>,
}

impl DaemonLog {
    /// Of a daemon that starts now, with so many jobs and pools.
    pub(super) fn new(sink: LogSink, state: Option<PathBuf>, (jobs, pools): (usize, usize)) -> Self {
        let counts = Mutex::new(Counts { jobs, pools, told: BTreeMap::new() });
        let started_at = wall_time();
        Self { sink, started_at, state, counts, meters: Arc::new(Meters::new(started_at)) }
    }

    /// Where its events are logged.
    pub(super) fn sink(&self) -> &LogSink {
        &self.sink
    }

    /// What is counted, for whoever asks.
    pub(super) fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// The state file, as it is told.
    pub(super) fn state(&self) -> Option<String> {
        self.state.as_ref().map(|path| path.display().to_string())
    }

    /// Counts what is watched now.
    pub(super) fn count(&self, scheduler: &Scheduler) {
        self.planned(scheduler.job_count(), scheduler.pool_count());
    }

    /// So much is watched now.
    pub(super) fn planned(&self, jobs: usize, pools: usize) {
        let mut counts = self.lock();
        (counts.jobs, counts.pools) = (jobs, pools);
    }

    /// Tells a fact.
    pub(super) fn tell(&self, fact: DaemonFact) {
        self.meters.told(fact.name());
        match &fact {
            DaemonFact::Reloaded => self.meters.reloaded(ReloadOutcome::Taken(wall_time())),
            DaemonFact::ReloadRejected { .. } => self.meters.reloaded(ReloadOutcome::Rejected),
            DaemonFact::Started { .. }
            | DaemonFact::StateUnwritable { .. }
            | DaemonFact::Stopping { .. }
            | DaemonFact::Stopped => {}
        }
        let (jobs, pools, count) = {
            let mut counts = self.lock();
            let told = counts.told.entry(fact.name()).or_default();
            let count = *told;
            *told += 1;
            (counts.jobs, counts.pools, count)
        };
        self.sink.daemon(&DaemonEvent { at: wall_time(), started_at: self.started_at, count, jobs, pools, fact });
    }

    /// Tells what the ledger noticed.
    pub(super) fn notice(&self, notice: Notice) {
        match notice {
            Notice::Unwritable { error } => {
                self.tell(DaemonFact::StateUnwritable { state: self.state().unwrap_or_default(), error });
            }
            Notice::Writable { missing: 0 } => {
                tracing::info!("state can be written again; what was missed is in it");
            }
            Notice::Writable { missing } => {
                tracing::error!(
                    missing,
                    "state can be written again; too many events waited, and its history lacks some that were told"
                );
            }
            Notice::BegunAnew => {
                tracing::error!(
                    state = self.state(),
                    "state file was gone and is begun anew; after a restart facts are told again under the same ids"
                );
            }
            Notice::Dropped { sink, count } => {
                self.meters.dropped(sink, count);
                tracing::error!(sink, dropped = count, "events dropped untold; nobody took them for too long");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
