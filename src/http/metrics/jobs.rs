//! The part of a scrape that grows with the jobs. All series of a metric follow each other, so that the jobs are gone
//! through once for each of these metrics: that takes time, where to keep them all would take memory.
//!
//! Written by [`scrape`](super::scrape), a page of jobs at a time.

use std::collections::BTreeMap;

use cognito_import_watch_core::domain::{JobStatus, Timestamp, UserPoolId};

use super::family::{
    Family, JOB_CHANGED, JOB_COMPLETED, JOB_CREATED, JOB_DEADLINE, JOB_EXPECTED, JOB_FAILING, JOB_OBSERVED,
    JOB_STALLS_AFTER, JOB_STATUS, JOB_USERS, JOBS,
};
use super::text::Text;
use crate::ask::JobRow;

/// A metric of single jobs, and what it says of one.
pub(super) struct OfJobs {
    pub(super) family: &'static Family,
    pub(super) write: fn(&mut Text, &JobRow),
}

/// All of them, in the order of a scrape.
pub(super) const OF_JOBS: [OfJobs; 10] = [
    OfJobs { family: &JOB_STATUS, write: status },
    OfJobs { family: &JOB_USERS, write: users },
    OfJobs { family: &JOB_EXPECTED, write: expected },
    OfJobs { family: &JOB_FAILING, write: failing },
    OfJobs { family: &JOB_OBSERVED, write: observed },
    OfJobs { family: &JOB_CHANGED, write: changed },
    OfJobs { family: &JOB_STALLS_AFTER, write: stalls_after },
    OfJobs { family: &JOB_CREATED, write: created },
    OfJobs { family: &JOB_COMPLETED, write: completed },
    OfJobs { family: &JOB_DEADLINE, write: deadline },
];

/// Pool, job and name, as labels.
fn labels(row: &JobRow) -> [&str; 3] {
    let target = &row.job.target;
    [target.pool.as_str(), target.job.as_str(), row.job.display_name().unwrap_or_default()]
}

fn status(text: &mut Text, row: &JobRow) {
    let [pool, job, name] = labels(row);
    let status = row.snapshot.as_ref().map_or("", |snapshot| snapshot.status.as_str());
    let verdict = row.verdict.map_or("", |verdict| verdict.as_str());
    text.sample(&JOB_STATUS, &[pool, job, name, status, verdict], 1_u64);
}

fn users(text: &mut Text, row: &JobRow) {
    let [pool, job, name] = labels(row);
    let Some(counts) = row.snapshot.as_ref().map(|snapshot| snapshot.counts) else { return };
    for (outcome, count) in [("imported", counts.imported), ("skipped", counts.skipped), ("failed", counts.failed)] {
        text.sample(&JOB_USERS, &[pool, job, name, outcome], count);
    }
}

fn expected(text: &mut Text, row: &JobRow) {
    if let Some(users) = row.policy.expected_users {
        text.sample(&JOB_EXPECTED, &labels(row), users);
    }
}

fn failing(text: &mut Text, row: &JobRow) {
    let [pool, job, name] = labels(row);
    if let Some(error) = &row.error {
        text.sample(&JOB_FAILING, &[pool, job, name, error.kind.as_str()], 1_u64);
    }
}

fn observed(text: &mut Text, row: &JobRow) {
    text.sample(&JOB_OBSERVED, &labels(row), row.observed_at.unwrap_or_default());
}

fn changed(text: &mut Text, row: &JobRow) {
    at(text, &JOB_CHANGED, row, row.changed_at);
}

fn stalls_after(text: &mut Text, row: &JobRow) {
    if let Some(after) = row.policy.stall_after {
        text.sample(&JOB_STALLS_AFTER, &labels(row), after.as_secs_f64());
    }
}

fn created(text: &mut Text, row: &JobRow) {
    at(text, &JOB_CREATED, row, row.snapshot.as_ref().and_then(|snapshot| snapshot.created_at));
}

fn completed(text: &mut Text, row: &JobRow) {
    at(text, &JOB_COMPLETED, row, row.snapshot.as_ref().and_then(|snapshot| snapshot.completed_at));
}

fn deadline(text: &mut Text, row: &JobRow) {
    let created = row.snapshot.as_ref().and_then(|snapshot| snapshot.created_at);
    at(text, &JOB_DEADLINE, row, created.zip(row.policy.deadline).map(|(created, limit)| created.plus(limit)));
}

fn at(text: &mut Text, family: &Family, row: &JobRow, at: Option<Timestamp>) {
    if let Some(at) = at {
        text.sample(family, &labels(row), at);
    }
}

/// How many jobs of each pool have which status.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<UserPoolId, BTreeMap<&'static str, u64>>);

impl Tally {
    /// Counts a job in.
    pub(super) fn add(&mut self, row: &JobRow) {
        let status = row.snapshot.as_ref().map_or("unseen", |snapshot| word(&snapshot.status));
        let pool = &row.job.target.pool;
        let counts = match self.0.get_mut(pool) {
            Some(counts) => counts,
            None => self.0.entry(pool.clone()).or_default(),
        };
        *counts.entry(status).or_default() += 1;
    }

    /// Writes the numbers.
    pub(super) fn write(&self, text: &mut Text) {
        text.begin(&JOBS);
        for (pool, counts) in &self.0 {
            for (status, count) in counts {
                text.sample(&JOBS, &[pool.as_str(), status], *count);
            }
        }
    }
}

/// The status as one of few words, whatever the service says one day.
fn word(status: &JobStatus) -> &'static str {
    match status {
        JobStatus::Created => "Created",
        JobStatus::Pending => "Pending",
        JobStatus::InProgress => "InProgress",
        JobStatus::Stopping => "Stopping",
        JobStatus::Stopped => "Stopped",
        JobStatus::Succeeded => "Succeeded",
        JobStatus::Failed => "Failed",
        JobStatus::Expired => "Expired",
        JobStatus::Unrecognized(_) => "unrecognized",
    }
}
