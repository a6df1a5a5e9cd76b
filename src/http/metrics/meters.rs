//! What the daemon counts while it runs, for whoever scrapes it.
//!
//! Told by `run`'s observer and by what tells of the daemon itself; read by `fixed`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cognito_import_watch_core::domain::{JobFact, Timestamp, Verdict};

use super::lane::LaneMeters;

/// The names of all events.
pub(super) const EVENTS: [&str; 18] = [
    "job.first_seen",
    "job.status_changed",
    "job.failed_users",
    "job.progress",
    "job.completed",
    "job.warning",
    "job.poll_failed",
    "job.poll_recovered",
    "job.not_found",
    "job.access_denied",
    "lane.throttled",
    "lane.recovered",
    "daemon.started",
    "daemon.reloaded",
    "daemon.reload_rejected",
    "daemon.state_unwritable",
    "daemon.stopping",
    "daemon.stopped",
];

/// The kinds of `job.warning`.
pub(super) const WARNINGS: [&str; 6] =
    ["upload_url_lapsed", "near_expiry", "stalled", "status_went_back", "unknown_status", "deadline_exceeded"];

/// All that is counted.
#[derive(Debug)]
pub struct Meters {
    started_at: Timestamp,
    events: Words<{ EVENTS.len() }>,
    warnings: Words<{ WARNINGS.len() }>,
    verdicts: Words<{ Verdict::ALL.len() }>,
    reloads: Words<2>,
    is_last_reload_good: AtomicBool,
    /// When the configuration in force was read, in milliseconds since 1970.
    configured_at: AtomicI64,
    rest: Mutex<Rest>,
}

/// What is told so rarely that a lock does not matter.
#[derive(Debug, Default)]
struct Rest {
    lanes: Vec<Arc<LaneMeters>>,
    dropped: BTreeMap<&'static str, u64>,
}

/// A counter for each of some words.
#[derive(Debug)]
struct Words<const N: usize>([(&'static str, AtomicU64); N]);

impl<const N: usize> Words<N> {
    fn new(words: [&'static str; N]) -> Self {
        Self(words.map(|word| (word, AtomicU64::new(0))))
    }

    fn count(&self, word: &str) {
        if let Some((_, count)) = self.0.iter().find(|(known, _)| *known == word) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(word, count)| (*word, count.load(Ordering::Relaxed)))
    }
}

/// How reading the configuration again went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// It is in force, since then.
    Taken(Timestamp),
    /// It is wrong.
    Rejected,
}

impl Meters {
    /// Of a daemon that starts at `now`, with a configuration that was read then.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            started_at: now,
            events: Words::new(EVENTS),
            warnings: Words::new(WARNINGS),
            verdicts: Words::new(Verdict::ALL.map(Verdict::as_str)),
            reloads: Words::new(["taken", "rejected"]),
            is_last_reload_good: AtomicBool::new(true),
            configured_at: AtomicI64::new(now.as_millis()),
            rest: Mutex::default(),
        }
    }

    /// An event of this name was told.
    pub fn told(&self, event: &str) {
        self.events.count(event);
    }

    /// A fact about a job was told.
    pub fn told_of_job(&self, fact: &JobFact) {
        self.told(fact.name());
        match fact {
            JobFact::Completed { verdict, .. } => self.verdicts.count(verdict.as_str()),
            JobFact::Warning(kind) => self.warnings.count(kind.as_str()),
            JobFact::FirstSeen
            | JobFact::StatusChanged { .. }
            | JobFact::FailedUsers { .. }
            | JobFact::Progress { .. }
            | JobFact::PollFailed { .. }
            | JobFact::PollRecovered { .. }
            | JobFact::NotFound { .. }
            | JobFact::AccessDenied { .. } => {}
        }
    }

    /// The configuration was read again.
    pub fn reloaded(&self, outcome: ReloadOutcome) {
        match outcome {
            ReloadOutcome::Taken(at) => {
                self.reloads.count("taken");
                self.configured_at.store(at.as_millis(), Ordering::Relaxed);
            }
            ReloadOutcome::Rejected => self.reloads.count("rejected"),
        }
        self.is_last_reload_good.store(outcome != ReloadOutcome::Rejected, Ordering::Relaxed);
    }

    /// These are the accounts and regions from now on. What an earlier one counted is in it.
    pub fn set_lanes(&self, lanes: Vec<Arc<LaneMeters>>) {
        self.lock().lanes = lanes;
    }

    /// So many events were never told to a sink.
    pub fn dropped(&self, sink: &'static str, count: u64) {
        *self.lock().dropped.entry(sink).or_default() += count;
    }

    pub(super) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.events.read()
    }

    pub(super) fn warnings(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.warnings.read()
    }

    pub(super) fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.verdicts.read()
    }

    pub(super) fn reloads(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.reloads.read()
    }

    pub(super) fn is_last_reload_good(&self) -> bool {
        self.is_last_reload_good.load(Ordering::Relaxed)
    }

    pub(super) fn configured_at(&self) -> Timestamp {
        Timestamp::from_millis(self.configured_at.load(Ordering::Relaxed))
    }

    pub(super) fn lanes(&self) -> Vec<Arc<LaneMeters>> {
        self.lock().lanes.clone()
    }

    /// How many events a sink was never told.
    pub(super) fn dropped_by(&self, sink: &str) -> u64 {
        self.lock().dropped.get(sink).copied().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
