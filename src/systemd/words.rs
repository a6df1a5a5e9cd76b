//! The status line: what is watched, what moves, what cannot be polled.
//!
//! Made by `run` of every job as it stands, shown by `systemctl status`.

use std::collections::BTreeMap;

use cognito_import_watch_core::domain::{Counts, JobIdentity, JobStatus, PollError, Verdict};

use crate::sink::phrase;
use crate::text::{one_line, one_line_of};

/// The most characters of the line. systemd throws away datagrams beyond 4,096 bytes, and a character has up to four.
const MOST_CHARACTERS: usize = 700;

/// How many jobs are named in each part of the line.
const NAMED: usize = 3;

/// Counts of everything watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    jobs: usize,
    pools: usize,
    statuses: BTreeMap<String, usize>,
    moving: Named,
    failing: Named,
}

/// The first few jobs of a kind in words, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    first: Vec<String>,
    count: usize,
}

impl Census {
    /// Of so many pools, without a job.
    #[must_use]
    pub fn of_pools(pools: usize) -> Self {
        Self { pools, ..Self::default() }
    }

    /// Counts a job: its status and counters as far as they are known, how it ended, and the error of its last poll.
    pub fn count(
        &mut self,
        job: &JobIdentity,
        seen: Option<(&JobStatus, Counts)>,
        verdict: Option<Verdict>,
        error: Option<&PollError>,
    ) {
        self.jobs += 1;
        let status = seen.map_or_else(|| "not seen yet".to_owned(), |(status, _)| one_line(status.as_str()));
        *self.statuses.entry(status).or_default() += 1;
        if verdict.is_some() {
            return;
        }
        if let Some((JobStatus::Pending | JobStatus::InProgress | JobStatus::Stopping, counts)) = seen {
            self.moving.add(|| format!("{} ({})", phrase::subject(job), phrase::counts(counts)));
        }
        if let Some(error) = error {
            self.failing.add(|| format!("{} ({})", phrase::subject(job), error.kind));
        }
    }

    /// The line, safe to print.
    #[must_use]
    pub fn line(&self) -> String {
        let number = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let statuses: Vec<String> = self.statuses.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let mut line = format!("watching {}, {}", number(self.jobs, "job"), number(self.pools, "pool"));
        if !statuses.is_empty() {
            line.push_str(&format!(": {}", statuses.join(", ")));
        }
        self.moving.write("moving", &mut line);
        self.failing.write("cannot be polled", &mut line);
        one_line_of(&line, MOST_CHARACTERS)
    }
}

impl Named {
    fn add(&mut self, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(words());
        }
    }

    fn write(&self, what: &str, line: &mut String) {
        if self.count == 0 {
            return;
        }
        line.push_str(&format!("; {what}: {}", self.first.join(", ")));
        match self.count - self.first.len() {
            0 => {}
            more => line.push_str(&format!(" and {more} more")),
        }
    }
}

#[cfg(test)]
mod tests {
    use cognito_import_watch_core::domain::ErrorKind;

    use super::*;
    use crate::sink::samples::identity;

    const COUNTS: Counts = Counts { imported: 12, skipped: 0, failed: 1 };

    #[test]
    fn the_line_counts_by_status_and_names_what_moves_and_what_fails() {
        let mut census = Census::of_pools(1);
        assert_eq!(census.line(), "watching 0 jobs, 1 pool");
        let denied = PollError::new(ErrorKind::Denied, "no");
        census.count(&identity("nightly"), Some((&JobStatus::InProgress, COUNTS)), None, None);
        census.count(&identity("orders"), None, None, Some(&denied));
        census.count(&identity("old"), Some((&JobStatus::Succeeded, COUNTS)), Some(Verdict::Succeeded), None);
        assert_eq!(
            census.line(),
            "watching 3 jobs, 1 pool: 1 InProgress, 1 Succeeded, 1 not seen yet; moving: nightly (12 imported, 0 \
             skipped, 1 failed); cannot be polled: orders (denied)"
        );
        for _ in 0..5 {
            census.count(&identity("more"), Some((&JobStatus::Pending, COUNTS)), None, None);
        }
        assert!(census.line().contains("and 3 more; cannot"), "{}", census.line());
    }

    #[test]
    fn a_hostile_name_makes_one_short_harmless_line() {
        for name in ["two\nSTOPPING=1\nREADY=1", "\u{1b}[31m\u{202e}x", &"ü\u{1f980}".repeat(5_000)] {
            let mut census = Census::default();
            let status = JobStatus::Unrecognized(name.into());
            for _ in 0..3 {
                census.count(&identity(name), Some((&JobStatus::Pending, COUNTS)), None, None);
                census.count(&identity(name), Some((&status, COUNTS)), None, None);
            }
            let line = census.line();
            assert!(!line.chars().any(char::is_control) && !line.contains('\u{202e}'), "{line}");
            assert!(line.replace('\\', "\\\\").len() < 3_500, "{} bytes", line.len());
        }
    }
}
