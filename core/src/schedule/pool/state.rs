//! What a watched pool is doing: the words in which [`PoolSlot`](super::PoolSlot) decides.

use crate::domain::{Tick, Verdict};

/// Whether it is still in the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// It is.
    No,
    /// The pool is no longer watched.
    Yes,
}

/// Where in the cycle of readings a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) enum PoolState {
    /// Read at this time.
    Waiting(Tick),
    /// Due, while the list is being read for another reason.
    Due,
    /// Being read; the next page waits for its lane.
    Reading,
    /// The page is on its way.
    InFlight,
    /// Not read any more; with a verdict where that is a loss.
    Over(Option<Verdict>),
}

/// Whether the list was ever read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// It never was.
    Never,
    /// It was, once or more often.
    Once,
}

/// How far a reading goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// To the end of the list: the reading before broke off, or there was none.
    TheEnd,
    /// To the newest job of the reading before: behind it there is nothing new.
    AKnownJob,
}

/// When the reading that is under way began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// Since other jobs are wanted.
    SinceChange,
    /// Before: it shows nothing of those on its first pages.
    BeforeChange,
}
