//! The course of a real import job, computed from the job's clock.
//!
//! Rows are read as the clock passes them, so a look at a job costs what has happened since the last one; what the job
//! showed at an earlier moment can still be told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Seek};

use crate::clock::{Moment, millis};
use crate::csv::{Columns, Lines, Schema, Survey, User, survey};
use crate::scenario::{Counters, Scenario};

/// The states that a real job passes through, named as in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    Pending,
    InProgress,
    Stopping,
    Stopped,
    Succeeded,
    Failed,
    Expired,
}

impl Status {
    /// Whether it counts against the account's active jobs.
    pub(crate) fn is_active(self) -> bool {
        match self {
            Self::Pending | Self::InProgress | Self::Stopping => true,
            Self::Created | Self::Stopped | Self::Succeeded | Self::Failed | Self::Expired => false,
        }
    }
}

/// How many rows met each fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) imported: u32,
    pub(crate) skipped: u32,
    pub(crate) failed: u32,
}

/// What a job shows at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) status: Status,
    pub(crate) counts: Counts,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
    pub(crate) message: Option<String>,
}

/// An uploaded file and what a look over it told.
#[derive(Debug)]
pub(crate) struct Upload {
    file: File,
    survey: Survey,
}

impl Upload {
    /// Reads the file once; it may be 100 MB, so not on a thread that answers requests. `bytes` is what was sent,
    /// which may be more than was kept.
    pub(crate) fn read(mut file: File, bytes: u64) -> io::Result<Self> {
        file.rewind()?;
        let survey = survey(BufReader::new(&file), bytes)?;
        file.rewind()?;
        Ok(Self { file, survey })
    }
}

/// A job that was made by `CreateUserImportJob`, or by a scenario without a script.
#[derive(Debug, Default)]
pub(crate) struct Import {
    pub(crate) hashing: Option<String>,
    /// A later upload replaces it until the job starts.
    pub(crate) upload: Option<Upload>,
    pub(crate) run: Option<Run>,
}

/// A started job.
#[derive(Debug)]
pub(crate) struct Run {
    started: Moment,
    stopped: Option<Moment>,
    /// None where the file cannot be imported.
    columns: Option<Columns>,
    lines: Lines<BufReader<File>>,
    total: u64,
    /// The counts after each row that was read, the last row last.
    counts: Vec<Counts>,
}

impl Import {
    /// Starts the job. The caller has seen to it that it is Created and has a file.
    pub(crate) fn start(&mut self, now: Moment, schema: &Schema, scenario: &Scenario) {
        let Some(Upload { file, survey }) = self.upload.take() else { return };
        let mut lines = Lines(BufReader::new(file));
        // The header was read before.
        drop(lines.next());
        let columns = Columns::check(&survey, schema, &scenario.csv, self.hashing.as_deref());
        let total = columns.as_ref().map_or(0, |_| survey.rows);
        self.run = Some(Run { started: now, stopped: None, columns, lines, total, counts: Vec::new() });
    }

    /// Asks the job to stop. The caller has seen to it that it runs.
    pub(crate) fn stop(&mut self, now: Moment) {
        if let Some(run) = &mut self.run {
            run.stopped.get_or_insert(now);
        }
    }

    /// Reads the rows that the clock has passed; users that are imported go into the pool.
    pub(crate) fn advance(
        &mut self,
        now: Moment,
        schema: &Schema,
        scenario: &Scenario,
        users: &mut BTreeMap<String, User>,
    ) {
        let Some(run) = &mut self.run else { return };
        let due = run.rows_done(now, scenario);
        let Some(columns) = &run.columns else { return };
        while (run.counts.len() as u64) < due {
            let mut counts = run.counts.last().copied().unwrap_or_default();
            // The file was read whole before; a disk that fails now fails the row.
            let line = run.lines.next().and_then(Result::ok).unwrap_or_default();
            match columns.judge(&line, schema, &scenario.csv) {
                Ok(user) if users.contains_key(&user.name) => counts.skipped += 1,
                Ok(user) => {
                    counts.imported += 1;
                    users.insert(user.name.clone(), user);
                }
                Err(_) => counts.failed += 1,
            }
            run.counts.push(counts);
        }
    }

    /// What the job shows at a moment that it has been advanced to.
    pub(crate) fn snapshot(&self, created: Moment, at: Moment, scenario: &Scenario) -> Snapshot {
        let expires = created.saturating_add(millis(scenario.jobs.expires_after.0));
        let expired = Some(expires).filter(|expires| *expires <= at);
        match self.run.as_ref().filter(|run| run.started <= at) {
            Some(run) => run.snapshot(at, scenario),
            None => Snapshot {
                status: expired.map_or(Status::Created, |_| Status::Expired),
                counts: Counts::default(),
                started: None,
                completed: expired,
                message: expired.map(|_| scenario.messages.expired.clone()),
            },
        }
    }
}

impl Run {
    fn snapshot(&self, at: Moment, scenario: &Scenario) -> Snapshot {
        let messages = &scenario.messages;
        let done = usize::try_from(self.rows_done(at, scenario)).unwrap_or(usize::MAX).min(self.counts.len());
        let counts = done.checked_sub(1).map(|last| self.counts[last]).unwrap_or_default();
        let not_imported = f64::from(counts.failed) + f64::from(counts.skipped);
        let end = self.end(scenario).min(self.stop_end(scenario));
        let (status, message) = match self.stopped.filter(|stopped| *stopped <= at) {
            Some(_) if at >= end => (Status::Stopped, Some(&messages.stopped)),
            Some(_) => (Status::Stopping, None),
            None if at < self.begins(scenario) => (Status::Pending, None),
            None if self.columns.is_none() => (Status::Failed, Some(&messages.unparsable)),
            None if at < end => (Status::InProgress, None),
            None if not_imported > scenario.jobs.too_many.0 * self.total as f64 => {
                (Status::Failed, Some(&messages.too_many))
            }
            None => (Status::Succeeded, Some(&messages.succeeded)),
        };
        let told = message.is_some() || scenario.jobs.counters == Counters::Running;
        Snapshot {
            status,
            counts: if told { counts } else { Counts::default() },
            started: Some(self.started),
            completed: message.map(|_| end),
            message: message.cloned(),
        }
    }

    fn begins(&self, scenario: &Scenario) -> Moment {
        self.started.saturating_add(millis(scenario.jobs.pending.0))
    }

    /// When all rows are done, or the file was found unfit.
    fn end(&self, scenario: &Scenario) -> Moment {
        let lasts = (self.total as f64 * 1_000.0 / scenario.jobs.rows_per_second.0).ceil() as Moment;
        self.begins(scenario).saturating_add(lasts)
    }

    /// A job that is asked to stop goes on importing until it has stopped.
    fn stop_end(&self, scenario: &Scenario) -> Moment {
        self.stopped.map_or(Moment::MAX, |stopped| stopped.saturating_add(millis(scenario.jobs.stopping.0)))
    }

    fn rows_done(&self, at: Moment, scenario: &Scenario) -> u64 {
        let at = at.min(self.stop_end(scenario));
        if at >= self.end(scenario) {
            return self.total;
        }
        let running = (at - self.begins(scenario)).max(0) as f64;
        ((running * scenario.jobs.rows_per_second.0 / 1_000.0) as u64).min(self.total)
    }
}
