//! The result of `list`: one line of JSON, or a table for each pool.
//!
//! Called by `list` when every pool was read to its end.

use cognito_import_watch_core::domain::{PollError, UserPoolId};

use super::report::{COUNT_COLUMNS, JobReport};
use super::status;
use super::table::{Column, table};
use crate::json::Object;
use crate::text::{error_of, wrap};

/// The jobs of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolReport {
    /// The pool.
    pub pool: UserPoolId,
    /// Its jobs, newest first.
    pub jobs: Vec<JobReport>,
    /// Why its jobs could not be read, or not all of them.
    pub error: Option<PollError>,
}

/// One line of JSON, without its end: `pools`, each with `user_pool_id`, `jobs` as of `status`, `error_kind` and
/// `error`.
#[must_use]
pub fn json(pools: &[PoolReport]) -> String {
    let pools: Vec<String> = pools
        .iter()
        .map(|pool| {
            Object::new()
                .with("user_pool_id", pool.pool.as_str())
                .with_json("jobs", &status::array(&pool.jobs))
                .with("error_kind", pool.error.as_ref().map(|error| error.kind.as_str()))
                .with("error", pool.error.as_ref().map(|error| error.message.as_str()))
                .finish()
        })
        .collect();
    Object::new().with_json("pools", &format!("[{}]", pools.join(","))).finish()
}

/// A heading and a table for each pool, with a row for each job: one line, on a terminal two, with the name above
/// the id.
#[must_use]
pub fn text(pools: &[PoolReport], columns: Option<usize>) -> String {
    pools.iter().map(|pool| pool_text(pool, columns)).collect::<Vec<_>>().join("\n")
}

fn pool_text(pool: &PoolReport, columns: Option<usize>) -> String {
    let heading = match (&pool.error, pool.jobs.len()) {
        (Some(error), _) => {
            format!("{}: {}", pool.pool, error_of(&error.message, pool.pool.as_str()))
        }
        (None, 0) => format!("{}: no import jobs", pool.pool),
        (None, 1) => format!("{}: 1 import job", pool.pool),
        (None, count) => format!("{}: {count} import jobs, newest first", pool.pool),
    };
    let heading = match columns {
        Some(columns) => wrap(&heading, columns, columns.saturating_sub(2)).join("\n  "),
        None => heading,
    };
    if pool.jobs.is_empty() {
        return heading + "\n";
    }
    let [imported, skipped, failed] = COUNT_COLUMNS;
    let mut head =
        vec![Column::words("STATUS"), Column::words("CREATED"), imported, skipped, failed, Column::words("JOB")];
    if columns.is_none() {
        head.push(Column::words("NAME"));
    }
    let rows = pool.jobs.iter().map(|job| {
        let mut row = vec![job.status_cell(), created_cell(job)];
        row.extend(job.count_cells());
        row.extend(status::job_cells(job, job.job.target.job.to_string(), columns));
        row
    });
    format!("{heading}\n{}", table(&head, rows.collect(), columns))
}

/// `CreationDate` in UTC to the minute, such as `2026-11-22 17:03`.
fn created_cell(job: &JobReport) -> String {
    let created = job.snapshot.as_ref().and_then(|seen| seen.created_at);
    created.map_or_else(
        || "-".to_owned(),
        |created| created.to_string().chars().take(16).collect::<String>().replace('T', " "),
    )
}
