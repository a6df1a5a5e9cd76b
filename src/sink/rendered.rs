//! An event about a job in every form it is told in, made once: what is kept, and told again as it was.
//!
//! Made where an answer was judged, kept by [`crate::ledger`], told by [`super::log`].

use cognito_import_watch_core::domain::{JobEvent, Target, Timestamp};
use tracing::Level;
use uuid::Uuid;

use super::{EventLine, phrase};

/// An event about a job, ready to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedEvent {
    /// When the answer that showed it arrived.
    pub at: Timestamp,
    /// Which job.
    pub target: Target,
    /// How loud it is.
    pub level: Level,
    /// Its name, such as `job.completed`.
    pub event: Box<str>,
    /// Its id: the same fact has the same id.
    pub event_id: Uuid,
    /// Its JSON form: one line, without its end.
    pub line: Box<str>,
    /// The job in words for a person, safe to print.
    pub subject: Box<str>,
    /// The event in words for a person, safe to print.
    pub phrase: Box<str>,
}

impl RenderedEvent {
    /// The event as told by the observer `instance`.
    #[must_use]
    pub fn of(event: &JobEvent, instance: Uuid) -> Self {
        let line = EventLine::render(event, instance);
        Self {
            at: line.at,
            target: event.job.target.clone(),
            level: line.level,
            event: line.event.into(),
            event_id: line.event_id,
            line: line.json.into(),
            subject: phrase::subject(&event.job).into(),
            phrase: phrase::job(event).into(),
        }
    }
}
