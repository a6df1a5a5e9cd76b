//! Events leave through `tracing`: one tracing event each, on a target of its own.
//!
//! Called by the driver for every event; [`crate::telemetry`] prints what arrives. The native fields serve
//! subscribers that store fields; `line` is the JSON form as it was rendered, `subject` and `phrase` the words for
//! a person.

use cognito_import_watch_core::domain::{JobEvent, JobStatus};
use tracing::Level;
use uuid::Uuid;

use super::{DaemonEvent, EventLine, LaneEvent, phrase};

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
        let line = EventLine::render(event, self.instance);
        emit!(
            line.level,
            event = line.event,
            event_id = %line.event_id,
            timestamp = %line.at,
            user_pool_id = event.job.target.pool.as_str(),
            job_id = event.job.target.job.as_str(),
            job_name = event.job.job_name.as_deref(),
            name = event.job.display_name(),
            region = event.job.target.pool.region(),
            account = event.job.account.as_ref().map(|account| account.as_str()),
            status = event.status.as_ref().map(JobStatus::as_str),
            imported_users = event.counts.map(|counts| counts.imported),
            skipped_users = event.counts.map(|counts| counts.skipped),
            failed_users = event.counts.map(|counts| counts.failed),
            line = line.json.as_str(),
            subject = phrase::subject(&event.job),
            phrase = phrase::job(event),
            "{}",
            line.message
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
