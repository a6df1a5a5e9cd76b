//! Any bytes as the state file: read beside a daemon, and opened by one.
//!
//! Bytes that begin as SQLite's files do are the file. Others are changes to one that the first version made: the offset
//! in three bytes, how many bytes, and these.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use cognito_import_watch::ledger::{FileLedger, FileSettings, Filter, Limits, OnCorrupt, Reader};
use cognito_import_watch::output::{JobReport, history, status};
use cognito_import_watch::sink::RenderedEvent;
use cognito_import_watch_core::domain::JobIdentity;
use tempfile::TempDir;

use crate::printable::assert_still;

/// A state file of the first version, with jobs and events in it.
const WHOLE: &[u8] = include_bytes!("../../tests/data/state-schema-1.db");

/// How SQLite's files begin.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// In `$TMPDIR`, which had better be in memory: every commit waits for the disk.
static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| match tempfile::tempdir() {
    Ok(directory) => directory,
    Err(error) => panic!("no temporary directory: {error}"),
});

/// Both give content or an error of one line. Who set a damaged file aside has a new one to write to.
pub fn fuzz(data: &[u8]) {
    for file in std::fs::read_dir(DIRECTORY.path()).into_iter().flatten().flatten() {
        drop(std::fs::remove_file(file.path()));
    }
    let path = DIRECTORY.path().join("state.db");
    if let Err(error) = std::fs::write(&path, content(data)) {
        panic!("{} cannot be written: {error}", path.display());
    }
    match Reader::open(&path) {
        Ok(reader) => read(&reader),
        Err(error) => assert_still(&error.to_string()),
    }
    let on_corrupt = if data.len().is_multiple_of(2) { OnCorrupt::Stop } else { OnCorrupt::SetAside };
    open(path, on_corrupt);
}

fn content(data: &[u8]) -> Vec<u8> {
    if data.starts_with(MAGIC) {
        return data.to_vec();
    }
    let mut bytes = WHOLE.to_vec();
    let mut rest = data;
    while let [a, b, c, length, tail @ ..] = rest {
        let offset = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let (change, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        let at = offset % bytes.len();
        bytes.iter_mut().skip(at).zip(change).for_each(|(to, from)| *to = *from);
        rest = tail;
    }
    bytes
}

fn read(reader: &Reader) {
    match reader.jobs() {
        Ok(jobs) => {
            let reports = jobs.into_iter().map(|job| JobReport {
                job: JobIdentity { target: job.target, job_name: None, name: job.name, account: job.account },
                snapshot: job.track.known,
                observed_at: job.track.last_good,
                verdict: job.verdict,
                error: job.track.failing.map(|failing| failing.error),
            });
            let reports: Vec<JobReport> = reports.collect();
            drop((status::json(&reports, &[]), status::text(&reports, &[], Some(80))));
        }
        Err(error) => assert_still(&error.to_string()),
    }
    let (mut lines, mut rows, mut count) = (String::new(), history::Rows::default(), 0);
    let mut take = |event: RenderedEvent| {
        history::line(&event, &mut lines);
        rows.push(&event);
        count += 1;
        count < 100
    };
    match reader.history(&Filter::default(), &mut take) {
        Ok(()) => drop(rows.text(None)),
        Err(error) => assert_still(&error.to_string()),
    }
}

fn open(path: PathBuf, on_corrupt: OnCorrupt) {
    let day = Duration::from_secs(86_400);
    let limits = Limits { keep_events: day, max_events: 100, outbox_age: day, outbox_events: 100 };
    match FileLedger::open(&FileSettings { path, on_corrupt, limits }) {
        Ok(opened) => {
            if let Some(aside) = &opened.set_aside {
                assert!(aside.exists() && opened.jobs.is_empty());
            }
        }
        Err(error) => assert_still(&error.to_string()),
    }
}
