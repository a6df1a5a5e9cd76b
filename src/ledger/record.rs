//! What is kept: a job's state as of an answer with the events that the answer caused, and what is read back.

use cognito_import_watch_core::domain::{AccountId, StoredTrack, Target, Timestamp, Verdict};

use crate::sink::RenderedEvent;

/// A job's new state and the events it caused. They are kept together or not at all.
#[derive(Clone, Debug)]
pub struct Record {
    /// When the answer arrived.
    pub at: Timestamp,
    /// The time by the service's clock, as the newest good answer showed it.
    pub date: Option<Timestamp>,
    /// Which job.
    pub target: Target,
    /// Its name in the config.
    pub name: Option<Box<str>>,
    /// Its account, as far as it is known.
    pub account: Option<AccountId>,
    /// What is known of it now.
    pub track: StoredTrack,
    /// How its watch ended; `None` while it goes on.
    pub verdict: Option<Verdict>,
    /// What is to be told.
    pub events: Vec<RenderedEvent>,
    /// How soon it has to be kept.
    pub urgency: Urgency,
}

/// How soon a record has to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// At once: without it something would be told twice, or not at all.
    AtOnce,
    /// With the next one, or after half a minute: only the time of the last good poll is new.
    Whenever,
}

/// A job as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedJob {
    /// Which job.
    pub target: Target,
    /// Its name in the config.
    pub name: Option<Box<str>>,
    /// Its account, as far as it was known.
    pub account: Option<AccountId>,
    /// What was known of it.
    pub track: StoredTrack,
    /// How its watch ended; `None` when it had not.
    pub verdict: Option<Verdict>,
    /// When it was first seen.
    pub first_seen: Option<Timestamp>,
    /// Since when it is no longer in the config.
    pub retired: Option<Timestamp>,
}
