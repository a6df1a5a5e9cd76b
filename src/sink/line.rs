//! The JSON form of an event: rendered once, by pure functions, and printed, stored and told again as it is.
//!
//! Called by [`super::log`] for what is logged, and by whatever keeps events.

use cognito_import_watch_core::domain::event::{EVENT_SCHEMA, id_of};
use cognito_import_watch_core::domain::{JobEvent, JobFact, JobStatus, Timestamp, WarningKind};
use tracing::Level;
use uuid::Uuid;

use super::{DaemonEvent, DaemonFact, LaneEvent, level};
use crate::json::{Object, fraction, seconds, time};

/// An event as it is printed with `--log-format json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    /// When the answer that showed it arrived.
    pub at: Timestamp,
    /// How loud it is.
    pub level: Level,
    /// The constant words for it.
    pub message: &'static str,
    /// The event's name, such as `job.completed`.
    pub event: &'static str,
    /// The event's id: the same fact has the same id.
    pub event_id: Uuid,
    /// One flat JSON object in one line, without its end. Keys keep their order; what is unknown is null.
    pub json: String,
}

impl EventLine {
    /// The line of an event about a job, as told by the observer `instance`.
    #[must_use]
    pub fn render(event: &JobEvent, instance: Uuid) -> Self {
        let job = &event.job;
        let head = Head {
            at: event.at,
            level: level::of_job(event),
            message: level::job_message(&event.fact),
            event: event.fact.name(),
            event_id: event.id(instance),
        };
        let object = head
            .object()
            .with("user_pool_id", job.target.pool.as_str())
            .with("job_id", job.target.job.as_str())
            .with("job_name", job.job_name.as_deref())
            .with("name", job.display_name())
            .with("region", job.target.pool.region())
            .with("account", job.account.as_ref().map(|account| account.as_str()))
            .with("status", event.status.as_ref().map(JobStatus::as_str))
            .with("imported_users", event.counts.map(|counts| counts.imported))
            .with("skipped_users", event.counts.map(|counts| counts.skipped))
            .with("failed_users", event.counts.map(|counts| counts.failed));
        head.line(further_fields(object, &event.fact))
    }

    /// The line of an event about a lane, as told by the observer `instance`.
    #[must_use]
    pub fn render_lane(event: &LaneEvent, instance: Uuid) -> Self {
        let account = event.account.as_ref().map(|account| account.as_str());
        let head = Head {
            at: event.at,
            level: level::of_lane(event.change),
            message: level::lane_message(event.change),
            event: event.change.name(),
            event_id: id_of(&[
                event.change.name().to_owned(),
                instance.to_string(),
                account.unwrap_or_default().to_owned(),
                event.region.to_string(),
                event.since.to_string(),
            ]),
        };
        let object = head
            .object()
            .with("account", account)
            .with("region", &*event.region)
            .with("requests_per_second", fraction(event.requests_per_second))
            .with("since", time(Some(event.since)));
        head.line(object)
    }

    /// The line of an event about the daemon, as told by the observer `instance`.
    #[must_use]
    pub fn render_daemon(event: &DaemonEvent, instance: Uuid) -> Self {
        let head = Head {
            at: event.at,
            level: level::of_daemon(&event.fact),
            message: level::daemon_message(&event.fact),
            event: event.fact.name(),
            event_id: id_of(&[
                event.fact.name().to_owned(),
                instance.to_string(),
                event.started_at.to_string(),
                event.count.to_string(),
            ]),
        };
        let object = head.object().with("jobs", event.jobs).with("pools", event.pools);
        let object = match &event.fact {
            DaemonFact::Started { version, state } => {
                object.with("version", *version).with("state", state.as_deref().unwrap_or("none"))
            }
            DaemonFact::ReloadRejected { error } => object.with("error", error.as_str()),
            DaemonFact::StateUnwritable { state, error } => {
                object.with("state", state.as_str()).with("error", error.as_str())
            }
            DaemonFact::Stopping { reason } => object.with("reason", *reason),
            DaemonFact::Reloaded | DaemonFact::Stopped => object,
        };
        head.line(object)
    }
}

/// What every event begins with.
struct Head {
    at: Timestamp,
    level: Level,
    message: &'static str,
    event: &'static str,
    event_id: Uuid,
}

impl Head {
    fn object(&self) -> Object {
        Object::new()
            .with("timestamp", self.at.to_string())
            .with("level", level::word(self.level))
            .with("message", self.message)
            .with("event", self.event)
            .with("event_id", self.event_id.to_string())
            .with("schema", EVENT_SCHEMA)
    }

    fn line(self, object: Object) -> EventLine {
        let Self { at, level, message, event, event_id } = self;
        EventLine { at, level, message, event, event_id, json: object.finish() }
    }
}

fn further_fields(object: Object, fact: &JobFact) -> Object {
    match fact {
        JobFact::FirstSeen => object,
        JobFact::StatusChanged { previous } => object.with("previous_status", previous.as_str()),
        JobFact::FailedUsers { previous, new } => {
            object.with("previous_failed_users", *previous).with("new_failed_users", *new)
        }
        JobFact::Progress { percent, eta } => {
            object.with("percent", percent.map(fraction)).with("eta_seconds", eta.map(seconds))
        }
        JobFact::Completed { verdict, elapsed, completion_message, created_at, started_at, completed_at } => object
            .with("verdict", verdict.as_str())
            .with("elapsed_seconds", elapsed.map(seconds))
            .with("completion_message", completion_message.as_deref())
            .with("created_at", time(*created_at))
            .with("started_at", time(*started_at))
            .with("completed_at", time(*completed_at)),
        JobFact::Warning(kind) => {
            let object = object.with("kind", kind.as_str());
            match kind {
                WarningKind::UploadUrlLapsed | WarningKind::NearExpiry | WarningKind::UnknownStatus => object,
                WarningKind::Stalled { unchanged_for } => object.with("unchanged_seconds", seconds(*unchanged_for)),
                WarningKind::StatusWentBack { previous } => object.with("previous_status", previous.as_str()),
                WarningKind::DeadlineExceeded { deadline } => object.with("deadline_seconds", seconds(*deadline)),
            }
        }
        JobFact::PollFailed { error, since, next_poll } => object
            .with("error_kind", error.kind.as_str())
            .with("error", error.message.as_str())
            .with("since", time(Some(*since)))
            .with("next_poll_seconds", next_poll.map(seconds)),
        JobFact::PollRecovered { error_kind, since } => {
            object.with("error_kind", error_kind.as_str()).with("since", time(Some(*since)))
        }
        JobFact::NotFound { error, since } | JobFact::AccessDenied { error, since } => object
            .with("error_kind", error.kind.as_str())
            .with("error", error.message.as_str())
            .with("since", time(Some(*since))),
    }
}
