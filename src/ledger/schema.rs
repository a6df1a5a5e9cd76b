//! The tables of the state file, and how an older file becomes a newer one.
//!
//! Called when a file is opened to be written. A schema is never changed: the next one is one more step.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, TransactionBehavior};

use super::error::{Kind, LedgerError};

/// Marks a file as ours: the bytes `CImW`.
pub(super) const APPLICATION_ID: i64 = 0x4349_6d57;

/// What makes each schema of the one before; the first makes it of nothing. From the first release on a new key in a
/// job's state (`row`) is a new schema too, even if its step changes no table: a program that does not know the key takes
/// the state for damaged, where a newer schema has it say that a later version made the file.
pub(super) const STEPS: &[&str] = &[FIRST];

const FIRST: &str = "
    -- The observer's id, under the key 'instance'.
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    -- Times are milliseconds since 1970. `state` is JSON and says it all; status and verdict are there to be read.
    CREATE TABLE jobs (
        pool TEXT NOT NULL, job TEXT NOT NULL, name TEXT, account TEXT, status TEXT, verdict TEXT,
        first_seen INTEGER, retired INTEGER, state TEXT NOT NULL,
        PRIMARY KEY (pool, job)
    ) STRICT, WITHOUT ROWID;
    -- History and outbox in one: an event is told to a sink when the sink's cursor has passed it.
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, pool TEXT NOT NULL, job TEXT NOT NULL,
        event TEXT NOT NULL, event_id TEXT NOT NULL, level TEXT NOT NULL,
        line TEXT NOT NULL, subject TEXT NOT NULL, phrase TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_of_a_job ON events (pool, job, seq);
    CREATE TABLE cursors (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Which schema a file has; 0 for an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The newest schema of `steps`.
pub(super) fn newest(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// Brings a file to the newest schema in one transaction. A copy of what it was is kept beside it.
pub(super) fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), LedgerError> {
    let sqlite = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let from = version(connection).map_err(sqlite)?;
    let missing = steps.get(usize::try_from(from).unwrap_or(usize::MAX)..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    if from > 0 {
        keep_copy(connection, path, &copy_of(path, from))?;
    }
    step_up(connection, missing, newest(steps)).map_err(sqlite)
}

fn step_up(connection: &mut Connection, missing: &[&str], newest: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest)?;
    transaction.commit()
}

/// Copies the file, and has the copy on the disk before it returns.
fn keep_copy(connection: &Connection, path: &Path, copy: &Path) -> Result<(), LedgerError> {
    let refused = |error: io::Error| {
        let reason = format!("cannot keep a copy of it as {}: {error}", copy.display());
        LedgerError::new(path, Kind::Refused { reason })
    };
    // A copy that was broken off is of no use; a whole one of the same schema is older than this file.
    drop(std::fs::remove_file(copy));
    // SQLite would make it for everyone to read; it takes an empty file for none.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(copy).map_err(refused)?;
    let name = ToSqlOutput::Borrowed(ValueRef::Text(copy.as_os_str().as_bytes()));
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| LedgerError::sqlite(path, &error))?;
    file.sync_all().map_err(refused)?;
    match copy.parent() {
        Some(directory) => File::open(directory).and_then(|directory| directory.sync_all()).map_err(refused),
        None => Ok(()),
    }
}

/// Where the copy of a file of an older schema is kept.
pub(super) fn copy_of(path: &Path, schema: i64) -> PathBuf {
    with_suffix(path, &format!(".schema-{schema}"))
}

/// A path with something after its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
