//! Reads a state file beside the daemon that writes it.
//!
//! Used by `history` and by `status --recorded`. It cannot write, so that it can break nothing.

use std::cell::RefCell;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{Kind, LedgerError};
use super::open;
use super::record::RecordedJob;
use super::schema::{self, STEPS};
use super::store;
pub use super::store::Filter;
use crate::sink::RenderedEvent;

/// How many events are read at once: whoever takes them may stand still, and the daemon cannot clean up its log of
/// changes while one is being read.
const EVENTS_AT_ONCE: usize = 1_000;

/// A state file that is read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// Links followed: what belongs to the file is beside the file itself.
    real: PathBuf,
    source: RefCell<Source>,
}

impl Reader {
    /// Opens the file to read.
    ///
    /// # Errors
    /// When there is none, it is not ours, of another version, damaged, or may not be read.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let real = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => LedgerError::new(path, Kind::Missing),
            io::ErrorKind::PermissionDenied => LedgerError::new(path, Kind::Unreadable { reason: error.to_string() }),
            _ => LedgerError::new(path, Kind::Refused { reason: error.to_string() }),
        })?;
        if real.is_dir() {
            let reason = "it is a directory; name the file in it".to_owned();
            return Err(LedgerError::new(path, Kind::Refused { reason }));
        }
        let source = Source::open(&real).map_err(|error| not_opened(path, &error))?;
        let reader = Self { path: path.to_owned(), real, source: RefCell::new(source) };
        reader.read(|connection| {
            open::is_ours(connection, path, STEPS)?;
            let schema = schema::version(connection).map_err(|error| LedgerError::sqlite(path, &error))?;
            if schema < schema::newest(STEPS) {
                let reason =
                    format!("its schema is {schema}, an older one; start the daemon once to bring it up to date");
                return Err(LedgerError::new(path, Kind::Refused { reason }));
            }
            Ok(())
        })?;
        Ok(reader)
    }

    /// Every job that was ever kept, by pool and job.
    ///
    /// # Errors
    /// When the file cannot be read or holds what was never written.
    pub fn jobs(&self) -> Result<Vec<RecordedJob>, LedgerError> {
        self.read(|connection| store::jobs(connection).map_err(|error| open::unreadable(&self.path, error)))
    }

    /// Hands each event that passes the filter to `take`, in the order in which they were kept; `take` ends the
    /// reading by answering `false`.
    ///
    /// # Errors
    /// When the file cannot be read or holds what was never written. Events may have been handed over by then.
    pub fn history(&self, filter: &Filter, take: &mut dyn FnMut(RenderedEvent) -> bool) -> Result<(), LedgerError> {
        let mut after = i64::MIN;
        loop {
            let events = self.read(|connection| {
                let events = store::history(connection, filter, after, EVENTS_AT_ONCE);
                events.map_err(|error| open::unreadable(&self.path, error))
            })?;
            let is_last = events.len() < EVENTS_AT_ONCE;
            for (seq, event) in events {
                after = seq;
                if !take(event) {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// The first `most` events after this number, with theirs, in the order in which they were kept.
    ///
    /// # Errors
    /// When the file cannot be read or holds what was never written.
    pub fn events_after(&self, number: i64, most: usize) -> Result<Vec<(i64, RenderedEvent)>, LedgerError> {
        self.read(|connection| {
            let events = store::history(connection, &Filter::default(), number, most);
            events.map_err(|error| open::unreadable(&self.path, error))
        })
    }

    /// What `read` reads; read again where a daemon began to write meanwhile.
    fn read<T>(&self, read: impl Fn(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let mut source = self.source.borrow_mut();
        loop {
            let answer = read(&source.connection);
            if source.is_up_to_date(&self.real) {
                return answer;
            }
            // Half of that answer may be from before, and half from after.
            *source = Source::open(&self.real).map_err(|error| not_opened(&self.path, &error))?;
        }
    }
}

/// A connection that cannot write.
#[derive(Debug)]
struct Source {
    connection: Connection,
    /// What the file was when it was taken for one that does not change; `None` where it is shared with a daemon.
    still: Option<Mark>,
}

impl Source {
    /// Opens a file that nobody has open as one that does not change. To share one, SQLite makes files beside it that
    /// whoever cannot write cannot remove, and that a daemon of another user could not use.
    fn open(path: &Path) -> rusqlite::Result<Self> {
        match Mark::of_unused(path) {
            Some(mark) => Self::still(path, mark).or_else(|error| Self::shared(path).map_err(|_| error)),
            None => Self::shared(path).or_else(|error| match Mark::of_unused(path) {
                // The daemon has ended since.
                Some(mark) => Self::still(path, mark),
                None => Err(error),
            }),
        }
    }

    fn still(path: &Path, mark: Mark) -> rusqlite::Result<Self> {
        Ok(Self { connection: connect(path, "immutable=1")?, still: Some(mark) })
    }

    fn shared(path: &Path) -> rusqlite::Result<Self> {
        Ok(Self { connection: connect(path, "mode=ro")?, still: None })
    }

    /// Whether what was read until now is what the file held.
    fn is_up_to_date(&self, path: &Path) -> bool {
        self.still.is_none() || self.still == Mark::of_unused(path)
    }
}

/// Tells a file from what it is after a change.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Mark {
    /// The mark of a file that nobody has open; `None` where somebody has, or has left work undone.
    fn of_unused(path: &Path) -> Option<Self> {
        if ["-wal", "-journal"].into_iter().any(|suffix| schema::with_suffix(path, suffix).exists()) {
            return None;
        }
        let file = path.metadata().ok()?;
        let changed = (file.ctime(), file.ctime_nsec());
        Some(Self { device: file.dev(), inode: file.ino(), bytes: file.len(), changed })
    }
}

fn connect(path: &Path, how: &str) -> rusqlite::Result<Connection> {
    let address = format!("{}?{how}", uri_of(path));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(&address, flags).map_err(|error| match error {
        // The address is for SQLite alone.
        rusqlite::Error::SqliteFailure(code, Some(said)) => {
            rusqlite::Error::SqliteFailure(code, Some(said.replace(&format!(": {address}"), "")))
        }
        other => other,
    })?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

/// Why a file cannot be opened to read.
fn not_opened(path: &Path, error: &rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            LedgerError::new(path, Kind::Unreadable { reason: error.to_string() })
        }
        Some(_) | None => LedgerError::sqlite(path, error),
    }
}

/// A path as SQLite reads it in an address.
fn uri_of(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
