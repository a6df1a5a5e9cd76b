//! Why a state file cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::{MOST_CHARACTERS_OF_AN_ERROR, one_line_of};

/// A state file that cannot be used, and what to do.
#[derive(Debug)]
pub struct LedgerError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Another daemon uses it.
    InUse { pid: Option<u32> },
    /// Made by a later version.
    Newer { schema: i64, known: i64 },
    /// A database of something else.
    Foreign,
    /// Not a database, a damaged one, or one with something in it that was never written.
    Corrupt { reason: String },
    /// There is none.
    Missing,
    /// Its directory does not exist.
    NoDirectory,
    /// The operating system or SQLite refuses.
    Refused { reason: String },
    /// This user may not read it.
    Unreadable { reason: String },
}

impl LedgerError {
    /// SQLite's words may be several lines, and what was never written may be anything: a reason becomes one line.
    pub(super) fn new(path: &Path, kind: Kind) -> Self {
        let one_line = |reason: String| one_line_of(reason.trim(), MOST_CHARACTERS_OF_AN_ERROR);
        let kind = match kind {
            Kind::Corrupt { reason } => Kind::Corrupt { reason: one_line(reason) },
            Kind::Refused { reason } => Kind::Refused { reason: one_line(reason) },
            Kind::Unreadable { reason } => Kind::Unreadable { reason: one_line(reason) },
            Kind::InUse { .. } | Kind::Newer { .. } | Kind::Foreign | Kind::Missing | Kind::NoDirectory => kind,
        };
        Self { path: path.to_owned(), kind }
    }

    /// An error of SQLite.
    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let kind = if is_corrupt(error) {
            Kind::Corrupt { reason: error.to_string() }
        } else {
            Kind::Refused { reason: error.to_string() }
        };
        Self::new(path, kind)
    }

    /// Whether the operating system or SQLite refuses, which somebody may put right.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.kind, Kind::Refused { .. })
    }

    /// Whether there is no file.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.kind, Kind::Missing)
    }

    /// Whether a new file could take the place of a damaged one.
    pub(super) fn is_corrupt(&self) -> bool {
        matches!(self.kind, Kind::Corrupt { .. })
    }
}

/// Whether an error of SQLite means that the file's content is damaged.
pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::InUse { pid: Some(pid) } => write!(
                f,
                "the state file {path} is in use by process {pid}; stop that one, or give this one a state.path of its own"
            ),
            Kind::InUse { pid: None } => write!(
                f,
                "the state file {path} is in use by another process; stop that one, or give this one a state.path of its own"
            ),
            Kind::Newer { schema, known } => write!(
                f,
                "the state file {path} was made by a later version: its schema is {schema}, this version knows {known}; \
                 use that version, or another state.path"
            ),
            Kind::Foreign => {
                write!(f, "{path} is a database of another program; choose another state.path")
            }
            Kind::Corrupt { reason } => write!(
                f,
                "the state file {path} is damaged: {reason}; restore it, move it away, or set state.on_corrupt = \"set_aside\" to \
                 begin anew: facts are then told again, under the same ids"
            ),
            Kind::Missing => write!(
                f,
                "there is no state file {path}; `run` makes it; name the one that its daemon.started tells as `state`"
            ),
            Kind::NoDirectory => {
                write!(f, "the state file {path} cannot be made: its directory does not exist; create it")
            }
            Kind::Refused { reason } => write!(f, "cannot use the state file {path}: {reason}"),
            Kind::Unreadable { reason } => write!(
                f,
                "cannot use the state file {path}: {reason}; this user must be able to read it and its directory; \
                 a service's state file is read as root"
            ),
        }
    }
}

impl std::error::Error for LedgerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_told_in_one_line() {
        let said = |reason: &str| {
            let kind = Kind::Corrupt { reason: reason.to_owned() };
            LedgerError::new(Path::new("state.db"), kind).to_string()
        };
        let words = "*** in database main ***\nFragmentation of 48 bytes reported as 0 on page 2\n";
        assert!(said(words).contains("main ***\\nFragmentation of 48 bytes reported as 0 on page 2; restore it"));
        assert!(said("unknown verdict \u{202e}\u{1b}[2J").contains("\\u{202e}\\u{1b}[2J; restore"));
    }
}
