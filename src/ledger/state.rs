//! What the threads of a ledger share: what is to be written, what is to be told, and how far both are.
//!
//! Pure data under one lock; it decides, the threads perform.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::{Target, Timestamp};
use tokio::time::Instant;

use super::figures::Figures;
use super::file::Limits;
use super::outlet::{Outlet, Untold};
use super::record::{Record, Urgency};
use super::store::{Change, Numbered};
use crate::sink::RenderedEvent;

/// How long a write may take before its events are told without it.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a state of which only the last good poll is new may wait to be written.
const LATER: Duration = Duration::from_secs(30);

/// How long a cursor that moved waits for a write that takes it along.
const CURSOR_WAITS: Duration = Duration::from_millis(200);

/// From how many changes on, while nothing can be written, those that were overtaken are let go.
const MOST_CHANGES: usize = 10_000;

/// How many more of them are let go then, so that it need not be done for each.
const ROOM: usize = MOST_CHANGES / 10;

/// Whether writes succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// They do.
    Good,
    /// Events are told from memory.
    Unwritable,
}

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// Nothing more comes; what is there is still written and told.
    Draining,
    /// Whatever is left is left.
    Closed,
}

/// A change that is not written yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) ticket: u64,
    /// The number of the last event up to here.
    pub(super) last: i64,
    pub(super) change: Change,
    since: Instant,
}

impl Pending {
    /// How many events are in it.
    fn events(&self) -> usize {
        match &self.change {
            Change::Job(_, events) => events.len(),
            Change::Retired(..) => 0,
        }
    }
}

/// What is written in one transaction.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) changes: Vec<Arc<Pending>>,
    pub(super) later: Vec<(Target, Arc<Change>)>,
    /// Events that an earlier file held: they are in this one too as long as a sink waits for them.
    pub(super) again: BTreeMap<i64, Arc<RenderedEvent>>,
    pub(super) cursors: BTreeMap<&'static str, i64>,
}

/// All that is shared.
#[derive(Debug)]
pub(super) struct State {
    pub(super) pending: VecDeque<Arc<Pending>>,
    /// The states of jobs of which only the time of the last good poll is new, since when.
    later: BTreeMap<Target, Arc<Change>>,
    later_since: Option<Instant>,
    /// When so many changes wait, those that were overtaken are let go.
    thin_at: usize,
    /// Events that were let go: they were told, and the history lacks them.
    missing: u64,
    /// The newest time by the service's clock.
    date: Option<Timestamp>,
    pub(super) outlets: Vec<Outlet>,
    pub(super) health: Health,
    pub(super) stage: Stage,
    /// The last event that is written.
    pub(super) written: i64,
    /// When the last write succeeded.
    wrote: Option<Instant>,
    /// How many did.
    commits: u64,
    /// Threads that have not ended.
    pub(super) threads: usize,
    limits: Limits,
    last: i64,
    next_ticket: u64,
    settled: u64,
}

impl State {
    pub(super) fn new(limits: Limits, last: i64) -> Self {
        Self {
            pending: VecDeque::new(),
            later: BTreeMap::new(),
            later_since: None,
            thin_at: MOST_CHANGES,
            missing: 0,
            date: None,
            outlets: Vec::new(),
            health: Health::Good,
            stage: Stage::Open,
            written: last,
            wrote: None,
            commits: 0,
            threads: 0,
            limits,
            last,
            next_ticket: 1,
            settled: 0,
        }
    }

    /// A sink, with what it has not been told yet. That ages from now on: by a clock that was set meanwhile it might be
    /// dropped as too old before it was ever offered.
    pub(super) fn add_outlet(&mut self, name: &'static str, cursor: i64, untold: Vec<Numbered>, dropped: u64) {
        self.outlets.push(Outlet::new(name, cursor, untold, dropped));
    }

    /// Takes a record in: to be written, and its events to be told after that.
    pub(super) fn record(&mut self, mut record: Record) -> u64 {
        let target = record.target.clone();
        self.date = self.date.max(record.date);
        match record.urgency {
            Urgency::AtOnce => drop(self.later.remove(&target)),
            Urgency::Whenever => {
                self.later.insert(target, Arc::new(Change::Job(Box::new(record), Vec::new())));
                self.later_since.get_or_insert_with(Instant::now);
                return 0;
            }
        }
        let events: Vec<(i64, Arc<RenderedEvent>)> = std::mem::take(&mut record.events)
            .into_iter()
            .map(|event| {
                self.last += 1;
                (self.last, Arc::new(event))
            })
            .collect();
        self.outlets.iter_mut().for_each(|outlet| outlet.queue_up(&events));
        self.push(Change::Job(Box::new(record), events))
    }

    pub(super) fn retire(&mut self, jobs: Vec<Target>, at: Timestamp) {
        for job in &jobs {
            self.later.remove(job);
        }
        if !jobs.is_empty() {
            self.push(Change::Retired(jobs, Some(at)));
        }
    }

    pub(super) fn readmit(&mut self, jobs: Vec<Target>) {
        if !jobs.is_empty() {
            self.push(Change::Retired(jobs, None));
        }
    }

    fn push(&mut self, change: Change) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.pending.push_back(Arc::new(Pending { ticket, last: self.last, change, since: Instant::now() }));
        if self.health == Health::Unwritable && self.pending.len() > self.thin_at {
            self.thin_out();
            let len = self.pending.len();
            self.thin_at = if len > MOST_CHANGES { 2 * len } else { MOST_CHANGES };
        }
        ticket
    }

    /// Lets go of states that newer ones overtook: first those without events, then the oldest of those whose events no
    /// sink waits for. The history will lack these events.
    fn thin_out(&mut self) {
        let mut newest: BTreeMap<Target, u64> = BTreeMap::new();
        for pending in &self.pending {
            if let Change::Job(record, _) = &pending.change {
                newest.insert(record.target.clone(), pending.ticket);
            }
        }
        let outlets = &self.outlets;
        let waited_for = |seq: i64| outlets.iter().any(|outlet| outlet.waits_for(seq));
        // How many events an overtaken state has, where nobody waits for them.
        let events_of_the_past = |pending: &Pending| match &pending.change {
            Change::Job(record, events) => {
                let overtaken = newest.get(&record.target).is_some_and(|ticket| *ticket > pending.ticket);
                let untold = events.last().is_some_and(|(seq, _)| waited_for(*seq));
                (overtaken && !untold).then_some(events.len())
            }
            Change::Retired(..) => None,
        };
        self.pending.retain(|pending| events_of_the_past(pending) != Some(0));
        let mut excess = match self.pending.len().saturating_sub(MOST_CHANGES) {
            0 => 0,
            excess => excess + ROOM,
        };
        let missing = &mut self.missing;
        self.pending.retain(|pending| match events_of_the_past(pending) {
            Some(events) if excess > 0 => {
                excess -= 1;
                *missing = missing.saturating_add(u64::try_from(events).unwrap_or(u64::MAX));
                false
            }
            Some(_) | None => true,
        });
    }

    /// The newest time by the service's clock, as far as it was shown; none later than `now`, for that is what it is by
    /// ours. Where the two disagree the earlier one is the one that removes nothing too soon.
    pub(super) fn trusted(&self, now: Timestamp) -> Option<Timestamp> {
        self.date.map(|date| date.min(now))
    }

    /// The last event that every sink took.
    pub(super) fn told(&self) -> i64 {
        self.outlets.iter().map(|outlet| outlet.cursor).min().unwrap_or(i64::MAX)
    }

    /// When there is something to write; `None` while there is not.
    pub(super) fn write_due(&self) -> Option<Instant> {
        let now = Instant::now();
        let pending = (!self.pending.is_empty()).then_some(now);
        let later = self.later_since.map(|since| since + LATER);
        let cursors = self.outlets.iter().filter_map(|outlet| outlet.moved().map(|moved| moved + CURSOR_WAITS));
        let due = pending.into_iter().chain(later).chain(cursors).min();
        match self.stage {
            Stage::Open => due,
            Stage::Draining | Stage::Closed => due.map(|_| now),
        }
    }

    /// What is to be written now, but no more changes than `most`.
    pub(super) fn batch(&self, most: usize) -> Batch {
        let changes: Vec<_> = self.pending.iter().take(most).map(Arc::clone).collect();
        // Behind every change, so that none of these is older than what it replaces.
        let is_all = changes.len() == self.pending.len();
        let later = self.later.iter().filter(|_| is_all).map(|(target, change)| (target.clone(), Arc::clone(change)));
        Batch { changes, later: later.collect(), again: BTreeMap::new(), cursors: self.cursors() }
    }

    /// The cursors that moved since they were written.
    fn cursors(&self) -> BTreeMap<&'static str, i64> {
        self.outlets.iter().filter(|outlet| outlet.is_ahead()).map(|outlet| (outlet.name, outlet.cursor)).collect()
    }

    /// Completes the first batch of a file that is begun anew. Every sink gets its cursor, moved or not: the next process
    /// would take one without for new. The events that were written and wait for a sink come along.
    pub(super) fn begin_anew(&self, batch: &mut Batch) {
        batch.cursors = self.outlets.iter().map(|outlet| (outlet.name, outlet.cursor)).collect();
        let waiting = self.outlets.iter().flat_map(|outlet| &outlet.queue).filter(|untold| untold.seq <= self.written);
        batch.again = waiting.map(|untold| (untold.seq, Arc::clone(&untold.event))).collect();
    }

    /// A batch is written. Gives how many events the history lacks that were told since the last one was.
    pub(super) fn written(&mut self, batch: &Batch) -> u64 {
        let newest = batch.changes.last().map_or(0, |pending| pending.ticket);
        // What was let go while it was being written is not missing after all.
        let mut let_go: usize = batch.changes.iter().map(|pending| pending.events()).sum();
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.ticket <= newest) {
            self.written = self.written.max(pending.last);
            let_go = let_go.saturating_sub(pending.events());
        }
        self.missing = self.missing.saturating_sub(u64::try_from(let_go).unwrap_or(u64::MAX));
        self.settled = self.settled.max(newest);
        self.wrote = Some(Instant::now());
        self.commits = self.commits.saturating_add(1);
        self.thin_at = MOST_CHANGES;
        for (target, written) in &batch.later {
            // What has come meanwhile is written in its turn.
            if self.later.get(target).is_some_and(|now| Arc::ptr_eq(now, written)) {
                self.later.remove(target);
            }
        }
        self.later_since = if self.later.is_empty() { None } else { Some(Instant::now()) };
        for outlet in &mut self.outlets {
            outlet.saved(batch.cursors.get(outlet.name).copied());
        }
        self.health = Health::Good;
        std::mem::take(&mut self.missing)
    }

    /// What a sink is to be told now.
    pub(super) fn tellable(&self, outlet: usize, most: usize) -> Vec<Untold> {
        let Some(outlet) = self.outlets.get(outlet) else { return Vec::new() };
        outlet.queue.iter().take_while(|untold| untold.seq <= self.offered()).take(most).cloned().collect()
    }

    /// The last event that may be told: while writes succeed, the last that is written.
    fn offered(&self) -> i64 {
        match self.health {
            Health::Good => self.written,
            Health::Unwritable => i64::MAX,
        }
    }

    /// When the oldest change will have waited for its write for too long.
    pub(super) fn impatient_at(&self) -> Option<Instant> {
        // What came while a write hung begins to wait for its own when that one is done.
        let since =
            self.pending.front().map(|pending| self.wrote.map_or(pending.since, |wrote| wrote.max(pending.since)));
        since.map(|since| since + PATIENCE).filter(|_| self.health == Health::Good)
    }

    /// A sink is being told everything up to this event.
    pub(super) fn telling(&mut self, outlet: usize, seq: i64) {
        if let Some(outlet) = self.outlets.get_mut(outlet) {
            outlet.telling = seq;
        }
    }

    /// A sink took everything up to this event.
    pub(super) fn taken(&mut self, outlet: usize, seq: i64) {
        if let Some(outlet) = self.outlets.get_mut(outlet) {
            outlet.taken(seq);
        }
    }

    /// A sink did not take what it was told.
    pub(super) fn refused(&mut self, outlet: usize) {
        self.telling(outlet, 0);
        self.bound(outlet);
    }

    /// Drops what has waited for a sink for too long, or is too much. While writes succeed a sink that waits for one
    /// loses nothing.
    pub(super) fn bound(&mut self, outlet: usize) {
        let (limits, offered) = (self.limits, self.offered());
        if let Some(outlet) = self.outlets.get_mut(outlet) {
            outlet.bound(&limits, offered);
        }
    }

    /// The newest ticket whose record is kept, or whose events were told without, or can neither be kept nor told: then
    /// polling goes on all the same.
    pub(super) fn settled(&mut self) -> u64 {
        if self.health == Health::Unwritable {
            let told = self.told();
            let given_up = |pending: &&Arc<Pending>| pending.last <= told || pending.since.elapsed() >= PATIENCE;
            let done = self.pending.iter().take_while(given_up).last();
            self.settled = self.settled.max(done.map_or(0, |pending| pending.ticket));
        }
        self.settled
    }

    /// How it is doing.
    pub(super) fn figures(&self) -> Figures {
        Figures {
            health: self.health,
            commits: self.commits,
            changes_waiting: self.pending.len() + self.later.len(),
            events_waiting: self.outlets.iter().map(|outlet| (outlet.name, outlet.queue.len())).collect(),
        }
    }

    /// Whether nothing is left to write or to tell.
    pub(super) fn is_drained(&self) -> bool {
        self.pending.is_empty()
            && self.later.is_empty()
            && self.outlets.iter().all(|outlet| outlet.queue.is_empty() && outlet.moved().is_none())
    }
}

impl Batch {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.later.is_empty() && self.cursors.is_empty()
    }
}
