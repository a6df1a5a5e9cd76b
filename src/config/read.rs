//! Reads a config file and the files of `conf.d` beside it. The only file of this room that touches the disk.
//! Called by the commands, before [`resolve`](super::resolve) and again on reload.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::source::{MAX_SOURCE_BYTES, Source};

/// A file that cannot be read.
#[derive(Debug)]
pub struct ReadError {
    path: PathBuf,
    cause: io::Error,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the config file {}: {}", self.path.display(), self.cause)?;
        if self.cause.kind() == io::ErrorKind::PermissionDenied {
            f.write_str(": the user that this runs as must be able to read it, under systemd one of the service's own (mode 644)")?;
        }
        Ok(())
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// The file, then `conf.d/*.toml` beside it in lexical order of their names. Hidden files are passed over; without
/// the directory there are none.
///
/// # Errors
/// When a file or the directory is there and cannot be read.
pub fn read_sources(path: &Path) -> Result<Vec<Source>, ReadError> {
    let mut sources = vec![read(path)?];
    let directory = path.parent().unwrap_or(Path::new("")).join("conf.d");
    for path in parts(&directory).map_err(|cause| ReadError { path: directory, cause })? {
        sources.push(read(&path)?);
    }
    Ok(sources)
}

fn parts(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.extension().is_some_and(|extension| extension == "toml") && !hidden {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// One file, or as much of it as shows that it is too long.
fn read(path: &Path) -> Result<Source, ReadError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|cause| ReadError { path: path.to_owned(), cause })?;
    Ok(Source::new(path.display().to_string(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_may_not_be_read_says_who_must_be_able_to() {
        let told = |kind: io::ErrorKind| ReadError { path: "/etc/x.toml".into(), cause: kind.into() }.to_string();
        let denied = told(io::ErrorKind::PermissionDenied);
        assert!(
            denied.starts_with("cannot read the config file /etc/x.toml: permission denied: the user "),
            "{denied}"
        );
        assert!(denied.ends_with("(mode 644)"), "{denied}");
        assert!(!told(io::ErrorKind::NotFound).contains("user"));
    }
}
