//! The way out: a thread for each sink tells it what is kept, in order, and moves its cursor.
//!
//! Started by [`FileLedger`](super::FileLedger). A sink that is slow or gone holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::file::{Notice, Shared};
use super::state::{Health, Stage};
use crate::sink::RenderedEvent;

/// How many events a sink is told at once.
const MOST_AT_ONCE: usize = 100;

/// How long a sink that refused is left alone.
const PAUSE: Duration = Duration::from_secs(1);

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

/// Tells one sink until the ledger is closed.
pub(super) fn run(mut sink: Box<dyn Sink>, index: usize, shared: &Shared) {
    while let Some((last, events)) = next(index, shared) {
        let mut delivery = sink.tell(&events);
        while delivery == Delivery::Pending && shared.lock().stage != Stage::Closed {
            delivery = sink.confirm(PAUSE);
        }
        let mut state = shared.lock();
        match delivery {
            Delivery::Taken => {
                state.taken(index, last);
                shared.changed(&mut state);
            }
            Delivery::Pending | Delivery::Refused => {
                state.bound(index);
                tell_dropped(index, shared, state);
                shared.pause(PAUSE);
            }
        }
    }
    let mut state = shared.lock();
    state.threads -= 1;
    shared.changed(&mut state);
}

/// Waits for events that may be told; `None` at the end.
fn next(index: usize, shared: &Shared) -> Option<(i64, Vec<Arc<RenderedEvent>>)> {
    let mut state = shared.lock();
    loop {
        if state.stage == Stage::Closed {
            return None;
        }
        state.bound(index);
        if state.outlets.get(index).is_some_and(|outlet| outlet.dropped > 0) {
            tell_dropped(index, shared, state);
            state = shared.lock();
            continue;
        }
        let tellable = state.tellable(index, MOST_AT_ONCE);
        if let Some(last) = tellable.last() {
            return Some((last.seq, tellable.iter().map(|untold| Arc::clone(&untold.event)).collect()));
        }
        let impatient = state.impatient_at(index);
        if impatient.is_some_and(|at| at <= Instant::now()) && state.health == Health::Good {
            state.health = Health::Unwritable;
            shared.changed(&mut state);
            drop(state);
            shared.notify(Notice::Unwritable { error: "a write takes longer than ten seconds".to_owned() });
            state = shared.lock();
            continue;
        }
        state = shared.wait(state, impatient);
    }
}

fn tell_dropped(index: usize, shared: &Shared, mut state: std::sync::MutexGuard<'_, super::state::State>) {
    let Some(outlet) = state.outlets.get_mut(index) else { return };
    let (sink, count) = (outlet.name, std::mem::take(&mut outlet.dropped));
    if count > 0 {
        shared.changed(&mut state);
        drop(state);
        shared.notify(Notice::Dropped { sink, count });
    }
}
