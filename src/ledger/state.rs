//! What the threads of a ledger share: what is to be written, what is to be told, and how far both are.
//!
//! Pure data under one lock; it decides, the threads perform.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::{Target, Timestamp};
use tokio::time::Instant;

use super::file::Limits;
use super::record::{Record, Urgency};
use super::store::{Change, Numbered};
use crate::clock::wall_time;
use crate::sink::RenderedEvent;

/// How long a write may take before its events are told without it.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a state of which only the last good poll is new may wait to be written.
const LATER: Duration = Duration::from_secs(30);

/// How long a cursor that moved waits for a write that takes it along.
const CURSOR_WAITS: Duration = Duration::from_millis(200);

/// From how many changes on, while nothing can be written, those that were overtaken are let go.
const MOST_CHANGES: usize = 10_000;

/// Whether writes succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
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
}

/// An event that a sink has not taken yet.
#[derive(Clone, Debug)]
pub(super) struct Untold {
    pub(super) seq: i64,
    pub(super) event: Arc<RenderedEvent>,
    since: Instant,
}

/// What is written in one transaction.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) changes: Vec<Arc<Pending>>,
    pub(super) later: Vec<(Target, Arc<Change>)>,
    pub(super) cursors: BTreeMap<&'static str, i64>,
}

/// How far a sink is.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) name: &'static str,
    pub(super) queue: VecDeque<Untold>,
    /// The last event it took.
    pub(super) cursor: i64,
    /// Events that were dropped and not told about yet.
    pub(super) dropped: u64,
    saved: i64,
    moved: Option<Instant>,
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
    pub(super) outlets: Vec<Outlet>,
    pub(super) health: Health,
    pub(super) stage: Stage,
    /// The last event that is written.
    pub(super) written: i64,
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
            outlets: Vec::new(),
            health: Health::Good,
            stage: Stage::Open,
            written: last,
            threads: 0,
            limits,
            last,
            next_ticket: 1,
            settled: 0,
        }
    }

    /// A sink, with what it has not been told yet.
    pub(super) fn add_outlet(&mut self, name: &'static str, cursor: i64, untold: Vec<Numbered>, dropped: u64) {
        let (now, wall) = (Instant::now(), wall_time());
        let queue = untold.into_iter().map(|(seq, event)| {
            // From here on it ages by the clock that nobody sets.
            let since = now.checked_sub(wall.since(event.at)).unwrap_or(now);
            Untold { seq, event: Arc::new(event), since }
        });
        self.outlets.push(Outlet { name, queue: queue.collect(), cursor, dropped, saved: cursor, moved: None });
    }

    /// Takes a record in: to be written, and its events to be told after that.
    pub(super) fn record(&mut self, mut record: Record) -> u64 {
        let target = record.target.clone();
        match record.urgency {
            Urgency::AtOnce => drop(self.later.remove(&target)),
            Urgency::Whenever => {
                self.later.insert(target, Arc::new(Change::Job(Box::new(record), Vec::new())));
                self.later_since.get_or_insert_with(Instant::now);
                return 0;
            }
        }
        let since = Instant::now();
        let events: Vec<(i64, Arc<RenderedEvent>)> = std::mem::take(&mut record.events)
            .into_iter()
            .map(|event| {
                self.last += 1;
                (self.last, Arc::new(event))
            })
            .collect();
        for outlet in &mut self.outlets {
            outlet.queue.extend(events.iter().map(|(seq, event)| Untold {
                seq: *seq,
                event: Arc::clone(event),
                since,
            }));
        }
        self.push(Change::Job(Box::new(record), events))
    }

    pub(super) fn retire(&mut self, jobs: Vec<Target>, at: Timestamp) {
        for job in &jobs {
            self.later.remove(job);
        }
        if !jobs.is_empty() {
            self.push(Change::Retired(jobs, at));
        }
    }

    fn push(&mut self, change: Change) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.pending.push_back(Arc::new(Pending { ticket, last: self.last, change }));
        if self.health == Health::Unwritable && self.pending.len() > self.thin_at {
            self.thin_out();
            self.thin_at = MOST_CHANGES.max(2 * self.pending.len());
        }
        ticket
    }

    /// Lets go of states that newer ones overtook and whose events, if any, every sink took. The history lacks those.
    fn thin_out(&mut self) {
        let told = self.told();
        let mut newest: BTreeMap<Target, u64> = BTreeMap::new();
        for pending in &self.pending {
            if let Change::Job(record, _) = &pending.change {
                newest.insert(record.target.clone(), pending.ticket);
            }
        }
        self.pending.retain(|pending| match &pending.change {
            Change::Job(record, events) => {
                let overtaken = newest.get(&record.target).is_some_and(|ticket| *ticket > pending.ticket);
                let untold = events.last().is_some_and(|(seq, _)| *seq > told);
                !overtaken || untold
            }
            Change::Retired(..) => true,
        });
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
        let cursors = self.outlets.iter().filter_map(|outlet| outlet.moved.map(|moved| moved + CURSOR_WAITS));
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
        Batch { changes, later: later.collect(), cursors: self.cursors() }
    }

    /// The cursors that moved since they were written.
    fn cursors(&self) -> BTreeMap<&'static str, i64> {
        let moved = self.outlets.iter().filter(|outlet| outlet.cursor > outlet.saved);
        moved.map(|outlet| (outlet.name, outlet.cursor)).collect()
    }

    /// A batch is written.
    pub(super) fn written(&mut self, batch: &Batch) {
        let newest = batch.changes.last().map_or(0, |pending| pending.ticket);
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.ticket <= newest) {
            self.written = self.written.max(pending.last);
        }
        self.settled = self.settled.max(newest);
        self.thin_at = MOST_CHANGES;
        for (target, written) in &batch.later {
            // What has come meanwhile is written in its turn.
            if self.later.get(target).is_some_and(|now| Arc::ptr_eq(now, written)) {
                self.later.remove(target);
            }
        }
        self.later_since = if self.later.is_empty() { None } else { Some(Instant::now()) };
        for outlet in &mut self.outlets {
            if let Some(seq) = batch.cursors.get(outlet.name) {
                outlet.saved = outlet.saved.max(*seq);
            }
            if outlet.cursor == outlet.saved {
                outlet.moved = None;
            }
        }
        self.health = Health::Good;
    }

    /// What a sink is to be told now.
    pub(super) fn tellable(&self, outlet: usize, most: usize) -> Vec<Untold> {
        let Some(outlet) = self.outlets.get(outlet) else { return Vec::new() };
        let allowed = |untold: &&Untold| match self.health {
            Health::Good => untold.seq <= self.written,
            Health::Unwritable => true,
        };
        outlet.queue.iter().take_while(allowed).take(most).cloned().collect()
    }

    /// When the oldest event has waited for its write for too long.
    pub(super) fn impatient_at(&self, outlet: usize) -> Option<Instant> {
        let first = self.outlets.get(outlet)?.queue.front()?;
        (first.seq > self.written).then_some(first.since + PATIENCE)
    }

    /// A sink took everything up to this event.
    pub(super) fn taken(&mut self, outlet: usize, seq: i64) {
        if let Some(outlet) = self.outlets.get_mut(outlet) {
            while outlet.queue.pop_front_if(|untold| untold.seq <= seq).is_some() {}
            outlet.move_to(seq);
        }
    }

    /// Drops what has waited for a sink for too long, or is too much. A sink that waits for a write loses nothing.
    pub(super) fn bound(&mut self, outlet: usize) {
        let (limits, written) = (self.limits, self.written);
        let Some(outlet) = self.outlets.get_mut(outlet) else { return };
        loop {
            let many = outlet.queue.len() > limits.outbox_events;
            let excess =
                |untold: &mut Untold| untold.seq <= written && (many || untold.since.elapsed() > limits.outbox_age);
            let Some(untold) = outlet.queue.pop_front_if(excess) else { break };
            outlet.dropped += 1;
            outlet.move_to(untold.seq);
        }
    }

    /// The newest ticket whose record is kept, or whose events were told without.
    pub(super) fn settled(&mut self) -> u64 {
        if self.health == Health::Unwritable {
            let told = self.told();
            let done = self.pending.iter().take_while(|pending| pending.last <= told).last();
            self.settled = self.settled.max(done.map_or(0, |pending| pending.ticket));
        }
        self.settled
    }

    /// Whether nothing is left to write or to tell.
    pub(super) fn is_drained(&self) -> bool {
        self.pending.is_empty()
            && self.later.is_empty()
            && self.outlets.iter().all(|outlet| outlet.queue.is_empty() && outlet.moved.is_none())
    }
}

impl Batch {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.later.is_empty() && self.cursors.is_empty()
    }
}

impl Outlet {
    fn move_to(&mut self, seq: i64) {
        if seq > self.cursor {
            self.cursor = seq;
            self.moved.get_or_insert_with(Instant::now);
        }
    }
}
