//! What is known of a job when a command prints its result.
//!
//! Filled by `wait`, `status` and `list`; rendered by their files here.

use std::time::Duration;

use cognito_import_watch_core::domain::{Counts, JobIdentity, JobSnapshot, JobStatus, PollError, Timestamp, Verdict};

use super::table::{Align, Column};
use crate::json::{Object, time};
use crate::sink::phrase::NOT_STARTED;
use crate::text::{duration, error_of, one_line, wrap};

/// One job of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct JobReport {
    /// Which job.
    pub job: JobIdentity,
    /// The last answer that showed it; `None` when there was none.
    pub snapshot: Option<JobSnapshot>,
    /// When that answer arrived.
    pub observed_at: Option<Timestamp>,
    /// How its watch ended; `None` when it is not over.
    pub verdict: Option<Verdict>,
    /// Why the newest poll showed nothing; `None` when it did.
    pub error: Option<PollError>,
}

impl JobReport {
    /// Whether the job was seen to be over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|seen| seen.status.is_terminal())
    }

    /// `CompletionDate` − `StartDate`, where both are known.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        let snapshot = self.snapshot.as_ref()?;
        Some(snapshot.completed_at?.since(snapshot.started_at?))
    }

    fn status(&self) -> Option<&JobStatus> {
        self.snapshot.as_ref().map(|seen| &seen.status)
    }

    /// The keys of a job of `wait --output json`.
    pub(crate) fn object(&self) -> Object {
        let seen = self.snapshot.as_ref();
        let counts = seen.map(|seen| seen.counts);
        Object::new()
            .with("user_pool_id", self.job.target.pool.as_str())
            .with("job_id", self.job.target.job.as_str())
            .with("job_name", self.job.job_name.as_deref())
            .with("name", self.job.display_name())
            .with("status", seen.map(|seen| seen.status.as_str()))
            .with("verdict", self.verdict.map(Verdict::as_str))
            .with("imported_users", counts.map(|counts| counts.imported))
            .with("skipped_users", counts.map(|counts| counts.skipped))
            .with("failed_users", counts.map(|counts| counts.failed))
            .with("created_at", time(seen.and_then(|seen| seen.created_at)))
            .with("started_at", time(seen.and_then(|seen| seen.started_at)))
            .with("completed_at", time(seen.and_then(|seen| seen.completed_at)))
            .with("completion_message", seen.and_then(|seen| seen.completion_message.as_deref()))
            .with("observed_at", time(self.observed_at))
    }

    /// The keys of [`JobReport::object`], and why the newest poll showed nothing.
    pub(crate) fn object_with_error(&self) -> Object {
        self.object()
            .with("error_kind", self.error.as_ref().map(|error| error.kind.as_str()))
            .with("error", self.error.as_ref().map(|error| error.message.as_str()))
    }

    /// The status safe to print; quoted when it is not one we know, so that no line begins with text of the service.
    pub(crate) fn status_cell(&self) -> String {
        match self.status() {
            Some(JobStatus::Unrecognized(word)) => format!("\"{}\"", one_line(word)),
            Some(status) => status.as_str().to_owned(),
            None => "-".to_owned(),
        }
    }

    /// The three counters, a cell each.
    pub(crate) fn count_cells(&self) -> [String; 3] {
        let counts = self.snapshot.as_ref().map(|seen| seen.counts);
        let cell = |count: fn(Counts) -> u64| counts.map_or_else(|| "-".to_owned(), |counts| count(counts).to_string());
        [cell(|counts| counts.imported), cell(|counts| counts.skipped), cell(|counts| counts.failed)]
    }

    /// The name safe to print, empty where there is none.
    pub(crate) fn name_cell(&self) -> String {
        self.job.display_name().map(one_line).unwrap_or_default()
    }

    /// What there is to say beside the table: an error, else the service's last words, else what a job needs to start.
    pub(crate) fn note(&self) -> Option<String> {
        let message = self.snapshot.as_ref().and_then(|seen| seen.completion_message.as_deref());
        let words = match (&self.error, message) {
            (Some(error), _) => error_of(&error.message, &self.job.target.to_string()),
            (None, Some(message)) => format!("\"{}\"", one_line(message)),
            (None, None) if self.status() == Some(&JobStatus::Created) => NOT_STARTED.to_owned(),
            (None, None) => return None,
        };
        let took = self.elapsed().map_or_else(String::new, |elapsed| format!(" took {}", duration(elapsed)));
        Some(format!("{}:{took} {words}", self.job.target))
    }
}

/// The columns of the counters.
pub(crate) const COUNT_COLUMNS: [Column; 3] = [
    Column { title: "IMPORTED", align: Align::Right },
    Column { title: "SKIPPED", align: Align::Right },
    Column { title: "FAILED", align: Align::Right },
];

/// The notes of the jobs, set off from the table above them; lines after a note's first are set in.
pub(crate) fn notes(jobs: &[JobReport], columns: Option<usize>) -> String {
    let mut text = String::new();
    for note in jobs.iter().filter_map(JobReport::note) {
        if text.is_empty() {
            text.push('\n');
        }
        text.push_str(&match columns {
            Some(columns) => wrap(&note, columns, columns.saturating_sub(2)).join("\n  "),
            None => note,
        });
        text.push('\n');
    }
    text
}
