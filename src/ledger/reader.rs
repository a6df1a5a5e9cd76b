//! Reads a state file beside the daemon that writes it.
//!
//! Used by `history` and by `status --recorded`. It cannot write, so that it can break nothing.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::{Kind, LedgerError};
use super::open;
use super::record::RecordedJob;
use super::schema::{self, STEPS};
use super::store;
pub use super::store::Filter;
use crate::sink::RenderedEvent;

/// A state file that is read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Connection,
}

impl Reader {
    /// Opens the file to read.
    ///
    /// # Errors
    /// When there is none, it is not ours, of another version, damaged, or may not be read.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        match path.metadata() {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(LedgerError::new(path, Kind::Missing));
            }
            Err(error) => return Err(LedgerError::new(path, Kind::Refused { reason: error.to_string() })),
        }
        let connection = connect(path).map_err(|error| LedgerError::sqlite(path, &error))?;
        open::is_ours(&connection, path, STEPS)?;
        let schema = schema::version(&connection).map_err(|error| LedgerError::sqlite(path, &error))?;
        if schema < schema::newest(STEPS) {
            let reason = format!("its schema is {schema}, an older one; start the daemon once to bring it up to date");
            return Err(LedgerError::new(path, Kind::Refused { reason }));
        }
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Every job that was ever kept, by pool and job.
    ///
    /// # Errors
    /// When the file cannot be read or holds what was never written.
    pub fn jobs(&self) -> Result<Vec<RecordedJob>, LedgerError> {
        store::jobs(&self.connection).map_err(|error| open::unreadable(&self.path, error))
    }

    /// Hands each event that passes the filter to `take`, in the order in which they were kept; `take` ends the
    /// reading by answering `false`.
    ///
    /// # Errors
    /// When the file cannot be read or holds what was never written.
    pub fn history(&self, filter: &Filter, take: &mut dyn FnMut(RenderedEvent) -> bool) -> Result<(), LedgerError> {
        store::history(&self.connection, filter, take).map_err(|error| open::unreadable(&self.path, error))
    }
}

/// A connection that cannot write. Where the directory may not be written to either, SQLite can read a file that
/// nobody has open only as one that does not change.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let open = |uri: String| -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(2))?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        Ok(connection)
    };
    let uri = uri_of(path);
    let in_use = schema::with_suffix(path, "-wal").exists();
    open(format!("{uri}?mode=ro")).or_else(|error| {
        let refused =
            matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly));
        if refused && !in_use { open(format!("{uri}?immutable=1")) } else { Err(error) }
    })
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
