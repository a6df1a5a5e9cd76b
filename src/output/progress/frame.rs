//! The live display as lines: a table with a row for each job, the unfinished first where not all have room.
//!
//! Called by [`super::show`] about once a second.

use std::time::Duration;

use cognito_import_watch_core::domain::{Counts, Phase};

use super::model::{Moment, ProgressModel, Row};
use crate::sink::phrase;
use crate::text::{cut, duration, fit, pad};

/// The jobs that are shown at most; the others are counted in the line below.
pub const MOST_ROWS: usize = 10;

/// The columns of the numbers, each as wide as the widest it is to show.
const NUMBERS: [(&str, usize); 7] =
    [("IMPORTED", 8), ("SKIPPED", 7), ("FAILED", 6), ("DONE", 4), ("LEFT", 7), ("ELAPSED", 7), ("NEXT", 6)];

/// The column of the status.
const STATUS: (&str, usize) = ("STATUS", 10);

/// The least and the most that is left to the name.
const NAME: (usize, usize) = (12, 40);

impl ProgressModel {
    /// The lines of the display, none longer than `columns`; none at all while there is no job.
    #[must_use]
    pub fn frame(&self, columns: usize, now: Moment) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let numbers: usize = NUMBERS.iter().map(|(_, width)| width + 1).sum();
        let name = columns.saturating_sub(numbers + STATUS.1 + 1).clamp(NAME.0, NAME.1);
        let titles = NUMBERS.map(|(title, _)| title.to_owned());
        let mut lines = vec![line("NAME", STATUS.0, &titles, name)];
        let shown = self.rows_to_show();
        lines.extend(shown.iter().map(|row| line(&row.name(), &row.status(), &self.numbers(row, now), name)));
        if self.rows.len() > 1 {
            let elapsed = duration(whole_seconds(now.tick.since(self.started)));
            lines.push(format!("{}  {}  {elapsed}", self.summary(), phrase::counts(self.total())));
        }
        lines.into_iter().map(|line| cut(&line, columns)).collect()
    }

    /// All jobs in the order in which they were named; of too many those that move, then those that wait.
    fn rows_to_show(&self) -> Vec<&Row> {
        if self.rows.len() <= MOST_ROWS {
            return self.rows.iter().collect();
        }
        let of = |phase| self.rows.iter().filter(move |row| row.phase() == phase);
        of(Phase::Active).chain(of(Phase::Waiting)).take(MOST_ROWS).collect()
    }

    fn numbers(&self, row: &Row, now: Moment) -> [String; 7] {
        let view = &row.view;
        let count =
            |count: fn(Counts) -> u64| view.counts.map_or_else(|| "-".to_owned(), |counts| count(counts).to_string());
        let until = row.ended.unwrap_or(now.tick);
        [
            count(|counts| counts.imported),
            count(|counts| counts.skipped),
            count(|counts| counts.failed),
            view.percent.map_or_else(String::new, |percent| format!("{percent:.0}%")),
            view.eta.map_or_else(String::new, duration),
            duration(whole_seconds(until.since(self.started))),
            row.next_poll.map_or_else(String::new, |next| duration(whole_seconds(next.since(now.tick)))),
        ]
    }
}

fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}

fn line(name: &str, status: &str, numbers: &[String; 7], columns_of_name: usize) -> String {
    let mut line = format!("{} {}", fit(name, columns_of_name), fit(status, STATUS.1));
    for (number, (_, width)) in numbers.iter().zip(NUMBERS) {
        let room = width.saturating_sub(number.chars().count());
        line.push_str(&format!(" {}{number}", pad("", room)));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use cognito_import_watch_core::domain::{JobStatus, Target, Tick};
    use tracing::level_filters::LevelFilter;
    use uuid::Uuid;

    use super::super::mode::ProgressMode;
    use super::super::model::JobProgress;
    use super::*;
    use crate::sink::samples::{NOW, long_name};
    use crate::text::width;

    fn after(seconds: u64) -> Moment {
        let elapsed = Duration::from_secs(seconds);
        Moment { tick: Tick::from_start(elapsed), time: NOW.plus(elapsed) }
    }

    fn target(number: usize) -> Target {
        format!("us-west-2_EXAMPLE/import-{number}").parse().unwrap()
    }

    fn model() -> ProgressModel {
        ProgressModel::new(ProgressMode::Live { columns: 80 }, LevelFilter::WARN, Uuid::nil(), after(0))
    }

    fn view(status: JobStatus) -> JobProgress {
        JobProgress {
            status: Some(status),
            counts: Some(Counts { imported: 12, skipped: 0, failed: 1 }),
            ..JobProgress::default()
        }
    }

    #[test]
    fn one_job_takes_one_line() {
        let mut model = model();
        let seen = JobProgress {
            name: Some("nightly customers of the north".into()),
            percent: Some(45.2),
            eta: Some(Duration::from_secs(200)),
            ..view(JobStatus::InProgress)
        };
        model.observe(&target(1), seen, Some(Duration::from_secs(30)), after(60));
        assert_eq!(
            model.frame(80, after(80)),
            [
                "NAME              STATUS     IMPORTED SKIPPED FAILED DONE    LEFT ELAPSED   NEXT",
                "nightly …he north InProgress       12       0      1  45%  3m 20s  1m 20s    10s",
            ]
        );
    }

    #[test]
    fn a_job_never_seen_is_shown_too_and_one_that_is_over_stands_still() {
        let mut model = model();
        model.add(&target(1), Some("first"));
        model.observe(&target(2), view(JobStatus::Succeeded), None, after(5));
        assert_eq!(
            model.frame(80, after(80)),
            [
                "NAME              STATUS     IMPORTED SKIPPED FAILED DONE    LEFT ELAPSED   NEXT",
                "first             not seen          -       -      -               1m 20s",
                "us-west-…import-2 Succeeded        12       0      1                   5s",
                "2 jobs: 1 waiting, 0 active, 1 over  12 imported, 0 skipped, 1 failed  1m 20s",
            ]
        );
    }

    #[test]
    fn of_hundreds_of_jobs_ten_are_shown_those_that_move_first() {
        let mut model = model();
        for number in 0..300 {
            let status = if number % 100 == 99 { JobStatus::InProgress } else { JobStatus::Created };
            model.observe(&target(number), view(status), Some(Duration::from_secs(4)), after(1));
        }
        let frame = model.frame(100, after(2));
        assert_eq!(frame.len(), 1 + MOST_ROWS + 1);
        assert_eq!(frame.iter().filter(|line| line.contains("InProgress")).count(), 3);
        assert!(frame.get(1).is_some_and(|line| line.contains("InProgress")), "{frame:#?}");
        assert!(frame.last().is_some_and(|line| line.starts_with("300 jobs: 297 waiting, 3 active, 0 over")));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_nor_harmful() {
        for name in [long_name(), "日本語".repeat(30), "\u{1b}[2J\n\u{202e}".to_owned()] {
            let mut model = model();
            let seen = JobProgress { name: Some(name.into()), ..view(JobStatus::from_wire("\u{7}unknown\n")) };
            model.observe(&target(1), seen.clone(), None, after(1));
            model.observe(&target(2), seen, None, after(1));
            for columns in [1, 30, 79, 80, 200] {
                for line in model.frame(columns, after(2)) {
                    assert!(width(&line) <= columns, "{columns}: {line}");
                    assert!(!line.contains(char::is_control), "{line}");
                }
            }
        }
    }
}
