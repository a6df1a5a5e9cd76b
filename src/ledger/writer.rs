//! The thread that writes: whatever waits goes into one transaction, and what fails is tried again.
//!
//! Started by [`FileLedger`](super::FileLedger); nobody waits for it but the end.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;
use uuid::Uuid;

use super::file::{Limits, Notice, Shared};
use super::open;
use super::schema::STEPS;
use super::state::{Batch, Health, Stage};
use super::store;
use crate::clock::wall_time;

/// The most changes of one transaction.
const MOST_AT_ONCE: usize = 5_000;

/// After how many failures in a row events are told from memory.
const TRIES: usize = 3;

/// How often old events are looked for.
const TIDY: Duration = Duration::from_secs(60 * 60);

/// How often as long as no answer has shown the time.
const TIDY_WITHOUT_TIME: Duration = Duration::from_secs(5);

/// The file and what is known of it.
pub(super) struct Writer {
    path: PathBuf,
    limits: Limits,
    /// After the first, the second and every further failure in a row.
    pauses: [Duration; 3],
    /// `None` after a failure: what SQLite remembers of a disk that failed is worth nothing.
    connection: Option<Connection>,
    /// The file that was opened; `None` where that is not known.
    file: Option<FileId>,
    /// Whether it was gone since the last write.
    begun_anew: BegunAnew,
    /// The observer.
    instance: Uuid,
    /// Held as long as the file is.
    lock: open::Lock,
}

impl Writer {
    /// The writer of a file that is open.
    pub(super) fn new(
        path: PathBuf,
        limits: Limits,
        pauses: [Duration; 3],
        connection: Connection,
        instance: Uuid,
        lock: open::Lock,
    ) -> Self {
        let file = FileId::of(&path).ok();
        Self { path, limits, pauses, connection: Some(connection), file, begun_anew: BegunAnew::No, instance, lock }
    }

    /// Writes until the ledger is closed.
    pub(super) fn run(mut self, shared: &Shared) {
        let mut failures = 0_usize;
        let mut tidy_at = Instant::now();
        while let Some(mut batch) = next(shared, tidy_at) {
            if tidy_at <= Instant::now() && failures == 0 {
                tidy_at = Instant::now() + self.tidy(shared);
            }
            if batch.is_empty() {
                continue;
            }
            match self.write(&mut batch, shared) {
                Ok(begun_anew) => {
                    failures = 0;
                    done(shared, &batch);
                    if begun_anew == BegunAnew::Yes {
                        shared.notify(Notice::BegunAnew);
                    }
                }
                Err(error) => {
                    self.connection = None;
                    failures += 1;
                    if failures >= TRIES {
                        unwritable(shared, error);
                    }
                    let pause = self.pauses.get(failures - 1).or(self.pauses.last()).copied().unwrap_or_default();
                    shared.pause(pause);
                }
            }
        }
        // The last one to close it makes one file of it again.
        drop(self.connection.take());
        drop(self.lock);
        let mut state = shared.lock();
        state.threads -= 1;
        shared.changed(&mut state);
    }

    fn write(&mut self, batch: &mut Batch, shared: &Shared) -> Result<BegunAnew, String> {
        self.look_at_the_file()?;
        match self.begun_anew {
            BegunAnew::No => {}
            BegunAnew::Yes => shared.lock().begin_anew(batch),
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let connection = self.connection.insert(connection);
        let later = batch.later.iter().map(|(_, change)| &**change);
        let changes = batch.changes.iter().map(|pending| &pending.change).chain(later);
        store::write(connection, changes, &batch.again, &batch.cursors).map_err(|error| error.to_string())?;
        self.file = self.file.or_else(|| FileId::of(&self.path).ok());
        Ok(std::mem::replace(&mut self.begun_anew, BegunAnew::No))
    }

    /// A file that was removed takes writes as if nothing were wrong, and so does one that another took the place of.
    fn look_at_the_file(&mut self) -> Result<(), String> {
        match (self.file, FileId::of(&self.path)) {
            (Some(opened), Ok(there)) if opened != there => {
                Err("another file is in its place; stop the daemon before the file is exchanged".to_owned())
            }
            (Some(_), Err(error)) if error.kind() == ErrorKind::NotFound => {
                (self.connection, self.file, self.begun_anew) = (None, None, BegunAnew::Yes);
                Ok(())
            }
            (Some(_) | None, Ok(_) | Err(_)) => Ok(()),
        }
    }

    /// Opens the file again. Where it is gone, a new one gets the same observer.
    fn connect(&self) -> Result<Connection, String> {
        let connection = open::connect(&self.path, STEPS).map_err(|error| error.to_string())?;
        store::keep_instance(&connection, self.instance).map_err(|error| error.to_string())?;
        Ok(connection)
    }

    /// Removes old events, and says when to look again. How old they are is counted to the service's time: our clock may
    /// be a year ahead.
    fn tidy(&self, shared: &Shared) -> Duration {
        let state = shared.lock();
        let (told, today) = (state.told(), state.trusted(wall_time()));
        drop(state);
        let before = today.map(|today| today.minus(self.limits.keep_events));
        let removed = self
            .connection
            .as_ref()
            .map(|connection| store::remove_events(connection, told, before, self.limits.max_events));
        match removed {
            // There may be more.
            Some(Ok(removed)) if removed > 0 => Duration::ZERO,
            // What cannot be removed now is old in an hour too.
            Some(Ok(_) | Err(_)) | None if before.is_some() => TIDY,
            Some(Ok(_) | Err(_)) | None => TIDY_WITHOUT_TIME,
        }
    }
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file of this name.
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// Whether a file was gone and a new one begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BegunAnew {
    No,
    Yes,
}

/// Waits for something to write; `None` at the end. An empty batch is a wake-up for tidying.
fn next(shared: &Shared, tidy_at: Instant) -> Option<Batch> {
    let mut state = shared.lock();
    loop {
        let due = state.write_due();
        match state.stage {
            Stage::Closed => return None,
            Stage::Draining if state.is_drained() => {
                state.stage = Stage::Closed;
                shared.changed(&mut state);
                return None;
            }
            Stage::Open | Stage::Draining => {}
        }
        let now = Instant::now();
        if due.is_some_and(|due| due <= now) || tidy_at <= now {
            return Some(state.batch(MOST_AT_ONCE));
        }
        state = shared.wait(state, due.into_iter().chain([tidy_at]).min());
    }
}

fn done(shared: &Shared, batch: &Batch) {
    let mut state = shared.lock();
    let was = state.health;
    let missing = state.written(batch);
    shared.changed(&mut state);
    drop(state);
    if was == Health::Unwritable {
        shared.notify(Notice::Writable { missing });
    }
}

fn unwritable(shared: &Shared, error: String) {
    let mut state = shared.lock();
    let was = std::mem::replace(&mut state.health, Health::Unwritable);
    shared.changed(&mut state);
    drop(state);
    if was == Health::Good {
        shared.notify(Notice::Unwritable { error });
    }
}
