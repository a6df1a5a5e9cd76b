//! How far one sink is: what it has not taken yet, what it is being told, and what was dropped.
//!
//! Pure data, part of [`State`](super::state::State).

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use super::file::Limits;
use super::store::Numbered;
use crate::sink::RenderedEvent;

/// An event that a sink has not taken yet.
#[derive(Clone, Debug)]
pub(super) struct Untold {
    pub(super) seq: i64,
    pub(super) event: Arc<RenderedEvent>,
    since: Instant,
}

/// How far a sink is.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) name: &'static str,
    /// In the order of their numbers.
    pub(super) queue: VecDeque<Untold>,
    /// The last event that it took, or that was dropped: it is told none up to here again.
    pub(super) cursor: i64,
    /// Events that were dropped and not told about yet.
    pub(super) dropped: u64,
    /// The last of the events that it is being told, 0 while it is told nothing.
    pub(super) telling: i64,
    /// The last event that was dropped.
    dropped_to: i64,
    saved: i64,
    moved: Option<Instant>,
}

impl Outlet {
    /// A sink with what it has not been told yet. That ages from now on.
    pub(super) fn new(name: &'static str, cursor: i64, untold: Vec<Numbered>, dropped: u64) -> Self {
        let since = Instant::now();
        let queue = untold.into_iter().map(|(seq, event)| Untold { seq, event: Arc::new(event), since }).collect();
        Self { name, queue, cursor, dropped, telling: 0, dropped_to: 0, saved: cursor, moved: None }
    }

    /// More to be told.
    pub(super) fn queue_up(&mut self, events: &[(i64, Arc<RenderedEvent>)]) {
        let since = Instant::now();
        let untold = events.iter().map(|(seq, event)| Untold { seq: *seq, event: Arc::clone(event), since });
        self.queue.extend(untold);
    }

    /// Whether it is still to be told this event.
    pub(super) fn waits_for(&self, seq: i64) -> bool {
        self.queue.binary_search_by_key(&seq, |untold| untold.seq).is_ok()
    }

    /// It took everything up to this event.
    pub(super) fn taken(&mut self, seq: i64) {
        self.telling = 0;
        while self.queue.pop_front_if(|untold| untold.seq <= seq).is_some() {}
        self.move_to(seq);
    }

    /// Drops, of what is offered to it, what has waited for too long or is too much, but nothing that it is being told.
    pub(super) fn bound(&mut self, limits: &Limits, offered: i64) {
        let from = self.queue.partition_point(|untold| untold.seq <= self.telling);
        let many = self.queue.len().saturating_sub(limits.outbox_events);
        let excess = self.queue.iter().skip(from).enumerate().take_while(|(index, untold)| {
            untold.seq <= offered && (*index < many || untold.since.elapsed() > limits.outbox_age)
        });
        let count = excess.count();
        let Some(last) = self.queue.drain(from..from + count).next_back() else { return };
        self.dropped = self.dropped.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.dropped_to = last.seq;
        self.move_to(self.cursor);
    }

    /// Moves the cursor up to this event, and behind those dropped next to it.
    fn move_to(&mut self, seq: i64) {
        let gone = seq.max(self.dropped_to);
        let to = self.queue.front().map_or(gone, |untold| gone.min(untold.seq - 1));
        if to > self.cursor {
            self.cursor = to;
            self.moved.get_or_insert_with(Instant::now);
        }
    }

    /// Since when its cursor is ahead of the one that is written.
    pub(super) fn moved(&self) -> Option<Instant> {
        self.moved
    }

    /// Whether its cursor is ahead of the one that is written.
    pub(super) fn is_ahead(&self) -> bool {
        self.cursor > self.saved
    }

    /// A write succeeded, with this cursor of it.
    pub(super) fn saved(&mut self, cursor: Option<i64>) {
        self.saved = cursor.map_or(self.saved, |cursor| self.saved.max(cursor));
        if !self.is_ahead() {
            self.moved = None;
        }
    }
}
