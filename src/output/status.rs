//! The result of `status`: one line of JSON, or a table.
//!
//! Called by `status` when every job was asked about once.

use super::lost::{self, LostPool, with_pools};
use super::report::{COUNT_COLUMNS, JobReport, notes};
use super::table::{Column, table};
use crate::json::Object;

/// One line of JSON, without its end: `jobs`, with the keys of `wait` and `error_kind` and `error`.
#[must_use]
pub fn json(jobs: &[JobReport], lost: &[LostPool]) -> String {
    with_pools(Object::new().with_json("jobs", &array(jobs)), lost).finish()
}

pub(super) fn array(jobs: &[JobReport]) -> String {
    let jobs: Vec<String> = jobs.iter().map(|job| job.object_with_error().finish()).collect();
    format!("[{}]", jobs.join(","))
}

/// A table with a row for each job: one line, on a terminal two, with the name above the target.
#[must_use]
pub fn text(jobs: &[JobReport], lost: &[LostPool], columns: Option<usize>) -> String {
    let [imported, skipped, failed] = COUNT_COLUMNS;
    let mut head = vec![Column::words("STATUS"), imported, skipped, failed, Column::words("JOB")];
    if columns.is_none() {
        head.push(Column::words("NAME"));
    }
    let rows = jobs.iter().map(|job| {
        let mut row = vec![job.status_cell()];
        row.extend(job.count_cells());
        row.extend(job_cells(job, job.job.target.to_string(), columns));
        row
    });
    format!("{}{}{}", table(&head, rows.collect(), columns), notes(jobs, columns), lost::lines(lost, columns))
}

/// The id and the name: two cells, or on a terminal one of two lines.
pub(super) fn job_cells(job: &JobReport, id: String, columns: Option<usize>) -> Vec<String> {
    let name = job.name_cell();
    match columns {
        None => vec![id, name],
        Some(_) if name.trim().is_empty() => vec![id],
        Some(_) => vec![format!("{name}\n{id}")],
    }
}
