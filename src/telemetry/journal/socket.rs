//! The socket of the journal: an entry is a datagram, or where it is too large a sealed file in memory.
//!
//! Written to by the thread of [`crate::telemetry::printer`], which may wait for it: an event counts as told when
//! the journal's queue has taken it.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use super::wire;
use crate::telemetry::Screen;

/// Where the journal listens.
pub const PATH: &str = "/run/systemd/journal/socket";

/// How long a journal that is gone is waited for, once; it is restarted in less. What is not taken by then is refused,
/// and as long as it stays away the next is refused at once: events wait in the state file.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// The journal, as something that lines are written to.
#[derive(Debug)]
pub struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
    is_away: bool,
}

impl Journal {
    /// The one that listens at `path`, [`PATH`] outside of tests.
    ///
    /// # Errors
    /// When nothing is there.
    pub fn open(path: &Path) -> io::Result<Self> {
        path.metadata()?;
        Ok(Self { socket: UnixDatagram::unbound()?, path: path.to_owned(), is_away: false })
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match self.socket.send_to(bytes, &self.path) {
            Ok(_) => Ok(()),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::MSGSIZE | Errno::NOBUFS) => self.send_as_file(bytes),
                _ => Err(error),
            },
        }
    }

    #[cfg(target_os = "linux")]
    fn send_as_file(&self, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write as _;

        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr};

        let memory = memfd_create("cognito-import-watch-entry", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = std::fs::File::from(memory);
        file.write_all(bytes)?;
        // Only what can no longer change is read.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        let files = [file.as_fd()];
        rights.push(SendAncillaryMessage::ScmRights(&files));
        let address = SocketAddrUnix::new(&self.path)?;
        sendmsg_addr(&self.socket, &address, &[], &mut rights, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn send_as_file(&self, _: &[u8]) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

impl Screen for Journal {
    fn line(&mut self, line: &str) -> io::Result<()> {
        let bytes = wire::bytes(line);
        let mut looks = if self.is_away { 0 } else { PATIENCE.as_millis() / LOOK.as_millis() };
        let sent = loop {
            match self.send(&bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_gone(&error) && looks > 0 => {
                    looks -= 1;
                    thread::sleep(LOOK);
                }
                sent => break sent,
            }
        };
        self.is_away = sent.is_err();
        // A broken pipe would mean that nobody will ever read again; a journal comes back.
        sent.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => io::Error::other(error),
            _ => error,
        })
    }

    fn frame(&mut self, _: &[String]) -> io::Result<()> {
        Ok(())
    }
}

/// Whether what is written to `stream` goes to the journal: systemd says so by JOURNAL_STREAM, whose value is the
/// device and the inode of the stream that it made. Whoever redirected it since has another.
#[must_use]
pub fn is_journal(stream: &impl AsFd, variable: Option<&str>) -> bool {
    let Ok(stream) = stream.as_fd().try_clone_to_owned() else { return false };
    let Ok(metadata) = std::fs::File::from(stream).metadata() else { return false };
    variable.is_some_and(|variable| variable == format!("{}:{}", metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests;
