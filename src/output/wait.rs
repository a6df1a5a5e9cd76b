//! The result of `wait`: one line of JSON, or a table.
//!
//! Called by `wait` at its end, also when it was interrupted.

use std::time::Duration;

use cognito_import_watch_core::domain::Verdict;

use super::lost::{self, LostPool, with_pools};
use super::report::{COUNT_COLUMNS, JobReport, notes};
use super::status::job_cells;
use super::table::{Column, table};
use crate::json::{Object, seconds};
use crate::text::duration;

/// How a `wait` ended.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitResult {
    /// The verdict of the job that decided the exit code.
    pub verdict: Verdict,
    /// The exit code.
    pub exit_code: u8,
    /// From the start of the command to now.
    pub elapsed: Duration,
    /// Requests sent to look at jobs.
    pub polls: u64,
    /// Every job, in the order in which they were named.
    pub jobs: Vec<JobReport>,
    /// The pools whose jobs could not be found.
    pub lost_pools: Vec<LostPool>,
}

impl WaitResult {
    /// One line of JSON, without its end. All keys are always present; what is unknown is null.
    #[must_use]
    pub fn json(&self) -> String {
        let jobs: Vec<String> = self.jobs.iter().map(|job| job.object().finish()).collect();
        let object = Object::new()
            .with("verdict", self.verdict.as_str())
            .with("exit_code", self.exit_code)
            .with("elapsed_seconds", seconds(self.elapsed))
            .with("polls", self.polls)
            .with_json("jobs", &format!("[{}]", jobs.join(",")));
        with_pools(object, &self.lost_pools).finish()
    }

    /// A table with a row for each job, on a terminal with the name above the target, what was said of each, and what decided; within the columns of a terminal
    /// where there is one. No line begins with text of the service.
    #[must_use]
    pub fn text(&self, columns: Option<usize>) -> String {
        let [imported, skipped, failed] = COUNT_COLUMNS;
        let mut head =
            vec![Column::words("STATUS"), Column::words("VERDICT"), imported, skipped, failed, Column::words("JOB")];
        if columns.is_none() {
            head.push(Column::words("NAME"));
        }
        let rows = self.jobs.iter().map(|job| {
            let mut row = vec![job.status_cell(), words(job.verdict)];
            row.extend(job.count_cells());
            row.extend(job_cells(job, job.job.target.to_string(), columns));
            row
        });
        let verdict = words(Some(self.verdict));
        format!(
            "{}{}{}\n{verdict}: exit code {} after {}, {} poll{}\n",
            table(&head, rows.collect(), columns),
            notes(&self.jobs, columns),
            lost::lines(&self.lost_pools, columns),
            self.exit_code,
            duration(self.elapsed),
            self.polls,
            if self.polls == 1 { "" } else { "s" },
        )
    }
}

/// A verdict in words; `-` where there is none.
pub(super) fn words(verdict: Option<Verdict>) -> String {
    verdict.map_or_else(|| "-".to_owned(), |verdict| verdict.as_str().replace('_', " "))
}
