//! The way out: a thread for each sink tells it what is kept, in order, and moves its cursor.
//!
//! Started by [`FileLedger`](super::FileLedger). A sink that is slow or gone holds up nobody else.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::file::{Notice, Shared};
use super::state::{Health, Stage, State};
use crate::sink::RenderedEvent;

/// How many events a sink is told at once.
const MOST_AT_ONCE: usize = 100;

/// How long a sink is waited for at a time.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a sink did with events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It has them all: they are never told to it again.
    Taken,
    /// It is not known yet.
    Pending,
    /// It does not have them all: they are told again.
    Refused,
}

/// Where events go. It runs on a thread of its own and may wait.
pub trait Sink: Send {
    /// Its name in the state file. It never changes.
    fn name(&self) -> &'static str;

    /// Takes events, in their order.
    fn tell(&mut self, events: &[Arc<RenderedEvent>]) -> Delivery;

    /// What became of the events told last, after waiting no longer than `patience`.
    fn confirm(&mut self, patience: Duration) -> Delivery;
}

/// Tells one sink until the ledger is closed. One that refused is left alone for a `pause`.
pub(super) fn run(mut sink: Box<dyn Sink>, index: usize, pause: Duration, shared: &Shared) {
    while let Some((last, events)) = next(index, shared) {
        let mut delivery = sink.tell(&events);
        while delivery == Delivery::Pending && shared.lock().stage != Stage::Closed {
            look_after(index, shared, shared.lock());
            delivery = sink.confirm(PATIENCE);
        }
        let mut state = shared.lock();
        match delivery {
            Delivery::Taken => {
                state.taken(index, last);
                shared.changed(&mut state);
            }
            Delivery::Pending | Delivery::Refused => {
                state.refused(index);
                look_after(index, shared, state);
                shared.pause(pause);
            }
        }
    }
    let mut state = shared.lock();
    state.threads -= 1;
    shared.changed(&mut state);
}

/// Waits for events that may be told; `None` at the end.
fn next(index: usize, shared: &Shared) -> Option<(i64, Vec<Arc<RenderedEvent>>)> {
    loop {
        look_after(index, shared, shared.lock());
        // Looked at under the same lock as what is waited for: an end that came meanwhile wakes nobody again.
        let mut state = shared.lock();
        if state.stage == Stage::Closed {
            return None;
        }
        let tellable = state.tellable(index, MOST_AT_ONCE);
        if let Some(last) = tellable.last() {
            state.telling(index, last.seq);
            return Some((last.seq, tellable.iter().map(|untold| Arc::clone(&untold.event)).collect()));
        }
        let impatient = state.impatient_at();
        drop(shared.wait(state, impatient));
    }
}

/// What has to be noticed however long a sink takes: a write that takes too long, and events that wait for too long.
fn look_after(index: usize, shared: &Shared, mut state: MutexGuard<'_, State>) {
    let late = state.impatient_at().is_some_and(|at| at <= Instant::now());
    if late {
        state.health = Health::Unwritable;
    }
    state.bound(index);
    let dropped = state.outlets.get_mut(index).map(|outlet| (outlet.name, std::mem::take(&mut outlet.dropped)));
    if late || dropped.is_some_and(|(_, count)| count > 0) {
        shared.changed(&mut state);
    }
    shared.settle(&mut state);
    drop(state);
    if late {
        shared.notify(Notice::Unwritable { error: "a write takes longer than ten seconds".to_owned() });
    }
    if let Some((sink, count)) = dropped.filter(|(_, count)| *count > 0) {
        shared.notify(Notice::Dropped { sink, count });
    }
}
