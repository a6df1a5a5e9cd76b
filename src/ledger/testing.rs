//! A disk that a test has in its hand: it refuses, stands still, and keeps what it held when a process died.
//!
//! Used by the tests of rooms that put a ledger to work.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::schema::with_suffix;

/// The tables whose writes fail on a disk that refuses.
const TABLES: [&str; 3] = ["jobs", "events", "cursors"];

/// Has every write fail from now on.
pub(crate) fn refuse(path: &Path) {
    let triggers = TABLES.into_iter().flat_map(|table| {
        ["INSERT", "UPDATE"].map(|change| {
            format!(
                "CREATE TRIGGER no_{change}_{table} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END;"
            )
        })
    });
    open(path).execute_batch(&triggers.collect::<String>()).unwrap();
}

/// Lets writes pass again.
pub(crate) fn allow(path: &Path) {
    let triggers = TABLES
        .into_iter()
        .flat_map(|table| ["INSERT", "UPDATE"].map(|change| format!("DROP TRIGGER IF EXISTS no_{change}_{table};")));
    open(path).execute_batch(&triggers.collect::<String>()).unwrap();
}

/// A disk that stands still: as long as this lives, a write neither succeeds nor fails, for two seconds at the least.
pub(crate) struct Still(#[expect(dead_code, reason = "held, not used")] Connection);

/// Has the disk stand still, once a write that is under way has ended.
pub(crate) fn hold(path: &Path) -> Still {
    let connection = open(path);
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    Still(connection)
}

/// What the next process finds when the one that writes `from` dies while the disk stands still.
pub(crate) fn survives(_: &Still, from: &Path, to: &Path) {
    // The main file first: pages that a checkpoint moves meanwhile are in the log as well.
    for suffix in ["", "-wal"] {
        match std::fs::copy(with_suffix(from, suffix), with_suffix(to, suffix)) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => panic!("{}: {error}", from.display()),
        }
    }
}

/// How far each sink was told, by the file.
pub(crate) fn cursors(path: &Path) -> BTreeMap<String, i64> {
    let connection = open(path);
    let mut cursors = connection.prepare("SELECT sink, seq FROM cursors").unwrap();
    let rows = cursors.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The number and the line of each event in the file, in order.
pub(crate) fn numbered(path: &Path) -> Vec<(i64, String)> {
    let connection = open(path);
    let mut events = connection.prepare("SELECT seq, line FROM events ORDER BY seq").unwrap();
    let rows = events.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    // Only a hang takes so long.
    connection.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    connection
}
