//! Opens a state file: one process each, the right program's, the right schema, undamaged.
//!
//! Called by [`FileLedger::open`](super::FileLedger::open), and by the writer when it tries again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cognito_import_watch_core::domain::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::error::{Kind, LedgerError};
use super::schema;
use super::store::ReadError;

/// How long another process that reads or copies the file is waited for.
const BUSY: Duration = Duration::from_secs(2);

/// The lock of a state file; it ends with the process.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

/// The file's own path: a link to it is the same file.
pub(super) fn real_path(path: &Path) -> Result<PathBuf, LedgerError> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => LedgerError::new(path, Kind::NoDirectory),
        _ => LedgerError::new(path, Kind::Refused { reason: error.to_string() }),
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = directory.canonicalize().map_err(refused)?;
    match path.file_name() {
        Some(name) => Ok(directory.join(name)),
        None => Err(LedgerError::new(path, Kind::Refused { reason: "it is not the path of a file".to_owned() })),
    }
}

/// Takes the lock, or tells who has it.
pub(super) fn lock(path: &Path) -> Result<Lock, LedgerError> {
    let refused = |error: io::Error| LedgerError::new(path, Kind::Refused { reason: error.to_string() });
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(schema::with_suffix(path, ".lock"))
        .map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Whoever took it this moment may not have written its number yet.
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(LedgerError::new(path, Kind::InUse { pid }));
        }
        Err(TryLockError::Error(error)) => return Err(refused(error)),
    }
    let write = |file: &mut File| -> io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(std::process::id().to_string().as_bytes())
    };
    // The number is for a person; on a full disk the lock holds without it.
    drop(write(&mut file));
    Ok(Lock(file))
}

/// Opens the file to write, of the newest schema. It is made where there is none.
pub(super) fn connect(path: &Path, steps: &[&str]) -> Result<Connection, LedgerError> {
    let refused = |error: io::Error| LedgerError::new(path, Kind::Refused { reason: error.to_string() });
    // SQLite would make it for everyone to read.
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(refused)?;
    let sqlite = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY).map_err(sqlite)?;
    is_ours(&connection, path, steps)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(sqlite)?;
    connection.pragma_update(None, "synchronous", "full").map_err(sqlite)?;
    connection.pragma_update(None, "journal_size_limit", 8 * 1024 * 1024).map_err(sqlite)?;
    schema::migrate(&mut connection, path, steps)?;
    Ok(connection)
}

/// Looks whose the file is and how new.
pub(super) fn is_ours(connection: &Connection, path: &Path, steps: &[&str]) -> Result<(), LedgerError> {
    let sqlite = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sqlite)?;
    if id != schema::APPLICATION_ID && (id != 0 || tables > 0) {
        return Err(LedgerError::new(path, Kind::Foreign));
    }
    let (schema, known) = (schema::version(connection).map_err(sqlite)?, schema::newest(steps));
    if schema > known {
        return Err(LedgerError::new(path, Kind::Newer { schema, known }));
    }
    Ok(())
}

/// Has what is read from the file on the disk too: a process that was killed while it wrote may have left to the system
/// what was not there yet, and a power cut would take it after it was told.
pub(super) fn sync(path: &Path) -> Result<(), LedgerError> {
    match File::open(schema::with_suffix(path, "-wal")).and_then(|log| log.sync_all()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LedgerError::new(path, Kind::Refused { reason: error.to_string() }))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Looks for damage, page by page.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    if said == "ok" { Ok(()) } else { Err(LedgerError::new(path, Kind::Corrupt { reason: said })) }
}

/// What was read could not be, or is not what we wrote.
pub(super) fn unreadable(path: &Path, error: ReadError) -> LedgerError {
    match error {
        ReadError::Sqlite(error) => LedgerError::sqlite(path, &error),
        ReadError::Content(reason) => LedgerError::new(path, Kind::Corrupt { reason }),
    }
}

/// Moves a damaged file and what belongs to it out of the way. Gives its new name.
pub(super) fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, LedgerError> {
    let stamp: String = now.to_string().chars().filter(char::is_ascii_digit).collect();
    let aside = schema::with_suffix(path, &format!(".damaged-{stamp}"));
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::rename(schema::with_suffix(path, suffix), schema::with_suffix(&aside, suffix)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(LedgerError::new(path, Kind::Refused { reason: error.to_string() })),
        }
    }
    Ok(aside)
}
