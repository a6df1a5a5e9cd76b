//! What a job of the scheduler is doing, and what it is to do next: the words in which [`JobSlot`](super::JobSlot)
//! decides.

use std::time::Duration;

use crate::domain::{ErrorKind, JobTrack, Phase, Tick, Verdict};

/// What decides how long it may wait to be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) enum Rhythm {
    /// It was never asked about; the how manieth such of its pool it was, counted from 0.
    New {
        /// From 0.
        rank: u32,
    },
    /// Its interval, before jitter; `None` where the first is yet to come.
    Asked(Option<Duration>),
}

impl Rhythm {
    pub(super) fn interval(self) -> Option<Duration> {
        match self {
            Self::New { .. } => None,
            Self::Asked(interval) => interval,
        }
    }
}

/// What its past says of when it is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is being imported.
    Active,
    /// It waits to be started, is over, or was not seen yet.
    Quiet,
    /// It is refused, or was not found.
    Refused,
}

impl Standing {
    pub(super) fn of(track: &JobTrack) -> Self {
        match track.failing().map(|error| error.kind) {
            Some(ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid) => return Self::Refused,
            None | Some(ErrorKind::Throttled | ErrorKind::Transient) => {}
        }
        match track.known().map(|known| known.status.phase()) {
            Some(Phase::Active) => Self::Active,
            Some(Phase::Waiting | Phase::Terminal) | None => Self::Quiet,
        }
    }
}

/// Where in the cycle of polls a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) enum State {
    /// Asked about at this time.
    Waiting(Tick),
    /// Due since this time, until its lane lets it.
    Ready(Tick),
    /// The answer is on its way.
    InFlight,
    /// Due since this time, and a list that is being read should show it.
    Expected(Tick),
    /// Not asked about any more.
    Over(Verdict),
    /// No longer watched.
    Gone,
}

impl State {
    /// Whether it is asked about again.
    pub(in crate::schedule) fn is_open(self) -> bool {
        match self {
            Self::Waiting(_) | Self::Ready(_) | Self::InFlight | Self::Expected(_) => true,
            Self::Over(_) | Self::Gone => false,
        }
    }
}

/// Whether lists are believed about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) enum Lists {
    /// They are.
    Trusted,
    /// The last one that showed it was behind what is known: it is asked about alone until one agrees.
    Behind,
}

/// Whether the next answer is to confirm the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirm {
    /// It is not.
    Nothing,
    /// It is.
    LastAnswer,
}

/// Whether an answer about a job came when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) enum Timing {
    /// It did.
    Due,
    /// A list showed it that was read for others: no reason to ask less often.
    Early,
}

/// How much time the watch has left, for a job and for a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) enum Look {
    /// As much as it takes.
    Usual,
    /// The watch's time is up: the next answer is the last. A throttle is no answer: it is asked again.
    Last,
    /// The time for that is up too: whatever comes next is the last.
    Final,
}

/// What the scheduler is to do with a job after an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::schedule) enum Next {
    /// Ask at this time.
    At(Tick),
    /// It was throttled: ask as soon as the lane lets us. It is due since this time.
    WhenAllowed(Tick),
    /// Ask no more.
    Over(Verdict),
}
