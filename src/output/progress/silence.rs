//! The line that breaks a silence: what is known, and as of when.
//!
//! Called by [`super::model`] when nothing was printed for a while.

use cognito_import_watch_core::domain::{Counts, JobStatus, Timestamp};
use tracing::Level;

use super::model::{Moment, ProgressModel, Row};
use crate::json::{Object, time};
use crate::sink::{level, phrase};
use crate::telemetry::record::Record;
use crate::text::time_of_day;

fn last_good_poll(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "no good poll yet".to_owned(), |time| format!("last good poll {}", time_of_day(time)))
}

/// The line about the one job that is not over.
pub(super) fn of_one(row: &Row, now: Moment) -> Record {
    let view = &row.view;
    let words = [
        Some(row.status()),
        view.counts.map(phrase::counts),
        phrase::progress(view.percent, view.eta),
        Some(last_good_poll(view.last_good_poll)),
    ];
    let object = unchanged(now, 1, view.counts, view.last_good_poll)
        .with("user_pool_id", row.target.pool.as_str())
        .with("job_id", row.target.job.as_str())
        .with("name", view.name.as_deref())
        .with("status", view.status.as_ref().map(JobStatus::as_str));
    Record::Rendered {
        level: Level::INFO,
        timestamp: now.time.to_string(),
        line: object.finish(),
        subject: Some(row.name()),
        phrase: words.into_iter().flatten().collect::<Vec<_>>().join("  "),
    }
}

/// The line about several jobs, none of which is over.
pub(super) fn of_many(model: &ProgressModel, open: &[&Row], now: Moment) -> Record {
    // The oldest of the open jobs' good polls: what is shown is at least as new.
    let polled = open.iter().map(|row| row.view.last_good_poll).min().flatten();
    let total = model.total();
    Record::Rendered {
        level: Level::INFO,
        timestamp: now.time.to_string(),
        line: unchanged(now, open.len(), Some(total), polled).finish(),
        subject: None,
        phrase: format!("{}  {}  {}", model.summary(), phrase::counts(total), last_good_poll(polled)),
    }
}

fn unchanged(now: Moment, open_jobs: usize, counts: Option<Counts>, polled: Option<Timestamp>) -> Object {
    Object::new()
        .with("timestamp", now.time.to_string())
        .with("level", level::word(Level::INFO))
        .with("message", "no change")
        .with("open_jobs", open_jobs)
        .with("imported_users", counts.map(|counts| counts.imported))
        .with("skipped_users", counts.map(|counts| counts.skipped))
        .with("failed_users", counts.map(|counts| counts.failed))
        .with("last_good_poll", time(polled))
}
