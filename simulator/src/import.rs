//! The course of a real import job, computed from the job's clock.
//!
//! Rows are read as the clock passes them, so a look at a job costs what has happened since the last one; what the job
//! showed at an earlier moment can still be told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Seek};

use crate::clock::{Moment, millis};
use crate::csv::{Columns, Lines, RowVerdict, Schema, Survey, User, survey};
use crate::scenario::{Counters, Scenario};

/// The states that a real job passes through.
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
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Expired => "Expired",
        }
    }

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
#[derive(Debug)]
pub(crate) struct Import {
    created: Moment,
    hashing: Option<String>,
    upload: Option<Upload>,
    run: Option<Run>,
}

/// A started job.
#[derive(Debug)]
struct Run {
    started: Moment,
    stopped: Option<Moment>,
    /// None where the file cannot be imported.
    rows: Option<Rows>,
    total: u64,
    /// The counts after each row that was read, the last row last.
    counts: Vec<Counts>,
}

#[derive(Debug)]
struct Rows {
    columns: Columns,
    lines: Lines<BufReader<File>>,
}

impl Import {
    pub(crate) fn new(created: Moment, hashing: Option<String>) -> Self {
        Self { created, hashing, upload: None, run: None }
    }

    pub(crate) fn hashing(&self) -> Option<&str> {
        self.hashing.as_deref()
    }

    /// Takes an uploaded file; a later one replaces it until the job starts.
    pub(crate) fn receive(&mut self, upload: Upload) {
        self.upload = Some(upload);
    }

    pub(crate) fn has_upload(&self) -> bool {
        self.upload.is_some()
    }

    /// Starts the job. The caller has seen to it that it is Created and has a file.
    pub(crate) fn start(&mut self, now: Moment, schema: &Schema, scenario: &Scenario) {
        let Some(Upload { file, survey }) = self.upload.take() else { return };
        let mut lines = Lines(BufReader::new(file));
        let rows = match (lines.next(), Columns::check(&survey, schema, &scenario.csv, self.hashing())) {
            (Some(Ok(_)), Ok(columns)) => Some(Rows { columns, lines }),
            (None | Some(_), _) => None,
        };
        self.run = Some(Run { started: now, stopped: None, rows, total: survey.rows, counts: Vec::new() });
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
        let Some(rows) = &mut run.rows else { return };
        while (run.counts.len() as u64) < due {
            let mut counts = run.counts.last().copied().unwrap_or_default();
            match rows.lines.next() {
                Some(Ok(line)) => match rows.columns.judge(&line, schema, &scenario.csv) {
                    RowVerdict::Fit(user) if users.contains_key(&user.name) => counts.skipped += 1,
                    RowVerdict::Fit(user) => {
                        counts.imported += 1;
                        users.insert(user.name.clone(), user);
                    }
                    RowVerdict::Failed(_) => counts.failed += 1,
                },
                // The file was read whole before; a disk that fails now fails the rows.
                Some(Err(_)) | None => counts.failed += 1,
            }
            run.counts.push(counts);
        }
    }

    /// What the job shows at a moment that it has been advanced to.
    pub(crate) fn snapshot(&self, at: Moment, scenario: &Scenario) -> Snapshot {
        let mut snapshot = Snapshot {
            status: Status::Created,
            counts: Counts::default(),
            started: None,
            completed: None,
            message: None,
        };
        let expires = self.created.saturating_add(millis(scenario.jobs.expires_after.0));
        match self.run.as_ref().filter(|run| run.started <= at) {
            Some(run) => run.show(&mut snapshot, at, scenario),
            None if expires <= at => {
                snapshot.status = Status::Expired;
                snapshot.completed = Some(expires);
                snapshot.message = Some(scenario.messages.expired.clone());
            }
            None => {}
        }
        snapshot
    }
}

impl Run {
    fn show(&self, snapshot: &mut Snapshot, at: Moment, scenario: &Scenario) {
        let messages = &scenario.messages;
        snapshot.started = Some(self.started);
        let done = usize::try_from(self.rows_done(at, scenario)).unwrap_or(usize::MAX).min(self.counts.len());
        let counts = done.checked_sub(1).map(|last| self.counts[last]).unwrap_or_default();
        let stopping = self.stopped.filter(|stopped| *stopped <= at);
        let end = self.end(scenario).min(self.stop_end(scenario).unwrap_or(Moment::MAX));
        let (status, message) = match stopping {
            Some(_) if at >= end => (Status::Stopped, Some(&messages.stopped)),
            Some(_) => (Status::Stopping, None),
            None if at < self.begins(scenario) => (Status::Pending, None),
            None if self.rows.is_none() => (Status::Failed, Some(&messages.unparsable)),
            None if at < end => (Status::InProgress, None),
            None if self.too_many(counts, scenario) => (Status::Failed, Some(&messages.too_many)),
            None => (Status::Succeeded, Some(&messages.succeeded)),
        };
        snapshot.status = status;
        snapshot.message = message.cloned();
        snapshot.completed = message.map(|_| end);
        if message.is_some() || scenario.jobs.counters == Counters::Running {
            snapshot.counts = counts;
        }
    }

    fn too_many(&self, counts: Counts, scenario: &Scenario) -> bool {
        let not_imported = f64::from(counts.failed) + f64::from(counts.skipped);
        self.total > 0 && not_imported > scenario.jobs.too_many * self.total as f64
    }

    fn begins(&self, scenario: &Scenario) -> Moment {
        self.started.saturating_add(millis(scenario.jobs.pending.0))
    }

    /// When all rows are done, or the file was found unfit.
    fn end(&self, scenario: &Scenario) -> Moment {
        let rows = if self.rows.is_some() { self.total } else { 0 };
        let lasts = (rows as f64 * 1_000.0 / scenario.jobs.rows_per_second).ceil() as Moment;
        self.begins(scenario).saturating_add(lasts)
    }

    /// A job that is asked to stop goes on importing until it has stopped.
    fn stop_end(&self, scenario: &Scenario) -> Option<Moment> {
        self.stopped.map(|stopped| stopped.saturating_add(millis(scenario.jobs.stopping.0)))
    }

    fn rows_done(&self, at: Moment, scenario: &Scenario) -> u64 {
        let at = at.min(self.stop_end(scenario).unwrap_or(Moment::MAX));
        if self.rows.is_none() || at < self.begins(scenario) {
            return 0;
        }
        if at >= self.end(scenario) {
            return self.total;
        }
        let done = ((at - self.begins(scenario)) as f64 * scenario.jobs.rows_per_second / 1_000.0) as u64;
        done.min(self.total)
    }
}
