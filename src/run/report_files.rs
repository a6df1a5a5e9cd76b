//! The files that `wait` writes beside its result: the summary, which is appended to, and the JUnit report, which is
//! replaced.
//!
//! Called by `wait`: before its first poll, for a mistyped directory must not be found out after an hour, and at its end.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use cognito_import_watch_core::domain::Timestamp;
use tempfile::NamedTempFile;

use crate::cli::WaitArgs;
use crate::exit::{CommandError, Exit};
use crate::output::{WaitResult, junit, summary};

/// What to say where a file cannot be written.
const SUMMARY: &str = "name another file with --summary";
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY names it: unset that, or name another file with --summary";
const JUNIT: &str = "name another file with --junit";

/// The files that were asked for.
#[derive(Debug)]
pub(super) struct ReportFiles {
    /// With what to do where it cannot be written.
    summary: Option<(PathBuf, &'static str)>,
    junit: Option<PathBuf>,
}

impl ReportFiles {
    /// Those that the command line and the environment name.
    pub(super) fn of(args: &WaitArgs) -> Self {
        let named = args.summary.clone().map(|path| (path, SUMMARY));
        let summary = named.or_else(|| args.step_summary.clone().map(|path| (path, STEP_SUMMARY)));
        Self { summary, junit: args.junit.clone() }
    }

    /// Tries whether they can be written, which leaves an empty summary where there was none. Gives what is wrong.
    pub(super) fn try_out(&self) -> Vec<CommandError> {
        let summary = self.summary.as_ref().map(|(path, todo)| told("summary", path, todo, try_to_append(path)));
        let junit = self.junit.as_ref().map(|path| told("JUnit report", path, JUNIT, try_to_replace(path)));
        summary.into_iter().chain(junit).filter_map(Result::err).collect()
    }

    /// Writes the JUnit report.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_junit(&self, result: &WaitResult, ended_at: Timestamp) -> Result<(), CommandError> {
        let Some(path) = &self.junit else { return Ok(()) };
        let written = junit::xml(result, ended_at).and_then(|text| replace(path, &text));
        told("JUnit report", path, JUNIT, written)
    }

    /// Appends the summary.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_summary(&self, result: &WaitResult) -> Result<(), CommandError> {
        let Some((path, todo)) = &self.summary else { return Ok(()) };
        told("summary", path, todo, append(path, &summary::markdown(result)))
    }
}

fn told(what: &str, path: &Path, todo: &str, done: io::Result<()>) -> Result<(), CommandError> {
    let words = |error| format!("cannot write the {what} {}: {error}; {todo}", path.display());
    done.map_err(|error| CommandError::new(Exit::File, words(error)))
}

/// To open a pipe may take until there is a reader.
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.file_type().is_fifo())
}

fn try_to_append(path: &Path) -> io::Result<()> {
    if is_pipe(path) {
        return Ok(());
    }
    OpenOptions::new().append(true).create(true).open(path).map(drop)
}

/// The text behind what the file holds, a line of its own between them.
fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let found = file.metadata()?;
    let before = if found.is_file() && found.len() > 0 { "\n" } else { "" };
    file.write_all(format!("{before}{text}").as_bytes())
}

fn try_to_replace(path: &Path) -> io::Result<()> {
    match Place::of(path) {
        Place::File(place) => beside(&place).map(drop).or_else(|error| in_place_or(&place, error).map(drop)),
        Place::Other if is_pipe(path) => Ok(()),
        Place::Other => OpenOptions::new().write(true).open(path).map(drop),
    }
}

/// The text as the whole of the file: a reader finds the old one or the new one, never a part.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = match Place::of(path) {
        Place::File(place) => {
            let renamed = beside(&place).and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.persist(&place).map_err(|error| error.error)
            });
            match renamed {
                Ok(_) => return Ok(()),
                Err(error) => {
                    let file = in_place_or(&place, error)?;
                    file.set_len(0)?;
                    file
                }
            }
        }
        Place::Other => OpenOptions::new().write(true).open(path)?,
    };
    file.write_all(text.as_bytes())
}

/// Where a report goes.
enum Place {
    /// A file that is there or is to be, its links followed.
    File(PathBuf),
    /// A device, a pipe, or a directory.
    Other,
}

impl Place {
    fn of(path: &Path) -> Self {
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if place.metadata().is_ok_and(|found| !found.is_file()) { Self::Other } else { Self::File(place) }
    }
}

/// A new file in the same directory, readable as any file the process makes: other users collect reports.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let make = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
    tempfile::Builder::new().prefix(".junit-").make_in(directory, make)
}

/// The file itself, where it alone can be written, as one that is mounted into a container; else the error.
fn in_place_or(path: &Path, error: io::Error) -> io::Result<File> {
    OpenOptions::new().write(true).open(path).map_err(|_| error)
}
