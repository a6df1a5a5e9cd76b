//! Events leave through `tracing`: one tracing event each, on a target of its own.
//!
//! Called by the driver for every event; [`crate::telemetry`] prints what arrives. The native fields serve
//! subscribers that store fields; `line` is the JSON form as it was rendered, `subject` and `phrase` the words for
//! a person.

use cognito_import_watch_core::domain::JobEvent;
use serde_json::{Map, Value};
use tracing::Level;
use uuid::Uuid;

use super::{DaemonEvent, EventLine, LaneEvent, RenderedEvent, phrase};

/// The `tracing` target of events. Everything else that is logged is a diagnostic and may change.
pub const EVENT_TARGET: &str = "cognito_import_watch::event";

/// Where events become log records.
#[derive(Clone, Debug)]
pub struct LogSink {
    instance: Uuid,
}

/// The level of a callsite is fixed when the program is compiled, so each level has its own.
macro_rules! emit {
    ($level:expr, $($fields:tt)*) => {
        match $level {
            Level::ERROR => tracing::event!(target: EVENT_TARGET, Level::ERROR, $($fields)*),
            Level::WARN => tracing::event!(target: EVENT_TARGET, Level::WARN, $($fields)*),
            Level::INFO => tracing::event!(target: EVENT_TARGET, Level::INFO, $($fields)*),
            Level::DEBUG => tracing::event!(target: EVENT_TARGET, Level::DEBUG, $($fields)*),
            Level::TRACE => tracing::event!(target: EVENT_TARGET, Level::TRACE, $($fields)*),
        }
    };
}

impl LogSink {
    /// The log of the observer `instance`, whose id is part of the ids of facts about itself.
    #[must_use]
    pub fn new(instance: Uuid) -> Self {
        Self { instance }
    }

    /// Logs an event about a job.
    pub fn job(&self, event: &JobEvent) {
        self.rendered(&RenderedEvent::of(event, self.instance));
    }

    /// Logs an event about a job that was rendered before. The native fields are those of its line.
    pub fn rendered(&self, event: &RenderedEvent) {
        let fields: Map<String, Value> = serde_json::from_str(&event.line).unwrap_or_default();
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let number = |key: &str| fields.get(key).and_then(Value::as_u64);
        emit!(
            event.level,
            event = &*event.event,
            event_id = %event.event_id,
            timestamp = %event.at,
            user_pool_id = event.target.pool.as_str(),
            job_id = event.target.job.as_str(),
            job_name = text("job_name"),
            name = text("name"),
            region = event.target.pool.region(),
            account = text("account"),
            status = text("status"),
            imported_users = number("imported_users"),
            skipped_users = number("skipped_users"),
            failed_users = number("failed_users"),
            line = &*event.line,
            subject = &*event.subject,
            phrase = &*event.phrase,
            "{}",
            text("message").unwrap_or_default()
        );
    }

    /// Logs an event about a lane.
    pub fn lane(&self, event: &LaneEvent) {
        let line = EventLine::render_lane(event, self.instance);
        emit!(
            line.level,
            event = line.event,
            event_id = %line.event_id,
            timestamp = %line.at,
            region = &*event.region,
            account = event.account.as_ref().map(|account| account.as_str()),
            line = line.json.as_str(),
            phrase = phrase::lane(event),
            "{}",
            line.message
        );
    }

    /// Logs an event about the daemon.
    pub fn daemon(&self, event: &DaemonEvent) {
        let line = EventLine::render_daemon(event, self.instance);
        emit!(
            line.level,
            event = line.event,
            event_id = %line.event_id,
            timestamp = %line.at,
            line = line.json.as_str(),
            phrase = phrase::daemon(event),
            "{}",
            line.message
        );
    }
}
