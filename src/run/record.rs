//! A job as the ledger keeps it after an answer.
//!
//! Used by `run` and `wait`, which differ in the ledger they give it to.

use cognito_import_watch_core::domain::{JobEvent, Memory};
use cognito_import_watch_core::schedule::{JobView, Now};
use uuid::Uuid;

use crate::ledger::{Record, Urgency};
use crate::sink::RenderedEvent;

/// The job's state and the events that its last answer caused, as told by the observer `instance`.
pub(super) fn of(job: &JobView, events: &[JobEvent], memory: Memory, instance: Uuid, now: Now) -> Record {
    Record {
        at: now.wall,
        date: job.track.date(),
        target: job.watched.target.clone(),
        name: job.watched.terms.name.clone(),
        account: job.track.identity(&job.watched).account,
        track: job.track.stored(now.tick, now.wall),
        verdict: job.verdict,
        events: events.iter().map(|event| RenderedEvent::of(event, instance)).collect(),
        urgency: match memory {
            Memory::OutOfDate => Urgency::AtOnce,
            Memory::Holds => Urgency::Whenever,
        },
    }
}
