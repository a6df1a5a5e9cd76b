//! `history` and `status --recorded`: what the state file says, beside the daemon that writes it.

use std::io;
use std::ops::ControlFlow;

use cognito_import_watch_core::domain::{ErrorKind, JobIdentity, PollError, Target};

use super::console::Console;
use super::state;
use crate::cli::{HistoryArgs, Output, Shared, Since, StatusArgs};
use crate::clock::wall_time;
use crate::exit::{CommandError, Exit};
use crate::ledger::{Filter, Reader, RecordedJob};
use crate::output::{JobReport, history as rendered, status};
use crate::sink::RenderedEvent;

/// How much text is printed at once, in bytes.
const PRINTED_AT_ONCE: usize = 64 * 1024;

/// Prints recorded events, oldest first.
///
/// # Errors
/// When no state file is named or it cannot be read, the config is wrong, or the result cannot be printed.
pub(super) fn history(args: &HistoryArgs, shared: &Shared, console: &Console) -> Result<Exit, CommandError> {
    let path = state::to_read(args.state.as_deref(), &args.config, shared, console)?;
    let since = args.since.map(|since| match since {
        Since::Ago(ago) => wall_time().minus(ago),
        Since::At(time) => time,
    });
    let filter = Filter { target: args.target.clone(), since };
    let reader = Reader::open(&path).map_err(|error| state::unusable(&error))?;
    match shared.output {
        Output::Json => lines(&reader, &filter, console),
        Output::Text => table(&reader, &filter, console),
    }
}

/// Prints the lines as they are read: there may be more of them than there is memory.
fn lines(reader: &Reader, filter: &Filter, console: &Console) -> Result<Exit, CommandError> {
    let mut text = String::new();
    let mut printed = Ok(ControlFlow::Continue(()));
    let mut take = |event: RenderedEvent| {
        rendered::line(&event, &mut text);
        if text.len() >= PRINTED_AT_ONCE {
            printed = console.part(&text);
            text.clear();
        }
        matches!(printed, Ok(ControlFlow::Continue(())))
    };
    let read = reader.history(filter, &mut take);
    if printed?.is_continue() {
        console.result(&text)?;
    }
    read.map_err(|error| state::unusable(&error))?;
    Ok(Exit::Success)
}

/// Prints a table, whose columns are as wide as their widest cell: all rows are needed first.
fn table(reader: &Reader, filter: &Filter, console: &Console) -> Result<Exit, CommandError> {
    let mut rows = rendered::Rows::default();
    let mut take = |event: RenderedEvent| {
        rows.push(&event);
        true
    };
    reader.history(filter, &mut take).map_err(|error| state::unusable(&error))?;
    Ok(console.conclude(&rows.text(console.style(&io::stdout()).columns), Exit::Success))
}

/// Prints where jobs were when they were last seen.
///
/// # Errors
/// As [`history`].
pub(super) fn recorded(args: &StatusArgs, shared: &Shared, console: &Console) -> Result<Exit, CommandError> {
    let path = state::to_read(args.state.as_deref(), &args.config, shared, console)?;
    let jobs = Reader::open(&path).and_then(|reader| reader.jobs()).map_err(|error| state::unusable(&error))?;
    let reports = if args.targets.is_empty() {
        jobs.into_iter().filter(|job| job.retired.is_none()).map(report).collect()
    } else {
        chosen(&args.targets, &jobs)
    };
    let exit = if reports.iter().any(is_unknown) { Exit::NotFound } else { Exit::Success };
    let text = match shared.output {
        Output::Json => status::json(&reports, &[]) + "\n",
        Output::Text => status::text(&reports, &[], console.style(&io::stdout()).columns),
    };
    Ok(console.conclude(&text, exit))
}

fn chosen(targets: &[Target], jobs: &[RecordedJob]) -> Vec<JobReport> {
    let mut reports: Vec<JobReport> = Vec::new();
    for target in targets {
        if reports.iter().any(|report| report.job.target == *target) {
            continue;
        }
        let job = jobs.iter().find(|job| job.target == *target).cloned();
        reports.push(job.map_or_else(|| unknown(target.clone()), report));
    }
    reports
}

fn report(job: RecordedJob) -> JobReport {
    let known = job.track.known;
    let over = known.as_ref().is_some_and(|known| known.status.is_terminal());
    JobReport {
        job: JobIdentity {
            target: job.target,
            job_name: known.as_ref().and_then(|known| known.job_name.clone()),
            name: job.name,
            account: job.account,
        },
        snapshot: known,
        observed_at: job.track.last_good,
        verdict: job.verdict.filter(|_| over),
        error: job.track.failing.map(|failing| failing.error),
    }
}

fn unknown(target: Target) -> JobReport {
    JobReport {
        job: JobIdentity { target, job_name: None, name: None, account: None },
        snapshot: None,
        observed_at: None,
        verdict: None,
        error: Some(PollError::new(ErrorKind::NotFound, "the state file knows nothing of this job")),
    }
}

/// Whether nothing was recorded; a job that was not found either was at least asked about.
fn is_unknown(report: &JobReport) -> bool {
    let not_found = report.error.as_ref().is_some_and(|error| error.kind == ErrorKind::NotFound);
    report.snapshot.is_none() && not_found
}
