//! The ledger that keeps a file.
//!
//! Opened by `run`. Its threads are `writer` and one `outbox` for each sink; the caller never waits for a disk.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cognito_import_watch_core::domain::{Target, Timestamp};
use rusqlite::Connection;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::api::{Ledger, Ticket};
use super::error::{Kind, LedgerError};
use super::figures::FiguresOf;
use super::open::{self, Lock};
use super::outbox::{self, Sink};
use super::record::{Record, RecordedJob};
use super::schema::STEPS;
use super::state::{Health, Stage, State};
use super::store::{self, Numbered};
use super::writer::Writer;
use crate::clock::wall_time;

/// Which file, and what is kept in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// The file. Its directory must exist.
    pub path: PathBuf,
    /// What becomes of a damaged one.
    pub on_corrupt: OnCorrupt,
    /// How much is kept.
    pub limits: Limits,
}

/// What becomes of a damaged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCorrupt {
    /// It stays, and nothing starts.
    #[default]
    Stop,
    /// It is moved aside, and a new one begun.
    SetAside,
}

/// How much is kept. Jobs are kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For how long events are kept that every sink took.
    pub keep_events: Duration,
    /// How many events are kept at the most, of those that every sink took.
    pub max_events: u64,
    /// How long an event waits for a sink that does not take it.
    pub outbox_age: Duration,
    /// How many events wait for a sink that does not take them.
    pub outbox_events: usize,
}

/// How long to wait before something that failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// A write, after the first, the second and every further failure in a row.
    pub write: [Duration; 3],
    /// A sink that refused.
    pub sink: Duration,
}

impl Default for Pauses {
    /// 100 ms, 500 ms and 1 s; 1 s.
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { write: [second / 10, second / 2, second], sink: second }
    }
}

/// Something its owner must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Nothing can be written: events are told from memory.
    Unwritable {
        /// Why.
        error: String,
    },
    /// The present state is written.
    Writable {
        /// Events that were told meanwhile and are not in the history: too many waited.
        missing: u64,
    },
    /// The file was gone, and a new one was begun in its place.
    BegunAnew,
    /// A sink did not take events for too long: they are told to it no more.
    Dropped {
        /// Which sink.
        sink: &'static str,
        /// How many.
        count: u64,
    },
}

/// A ledger with what it remembers.
#[derive(Debug)]
pub struct Opened {
    /// The ledger.
    pub ledger: FileLedger,
    /// Every job that was ever kept.
    pub jobs: Vec<RecordedJob>,
    /// Where the damaged file is that this one was begun in place of.
    pub set_aside: Option<PathBuf>,
}

/// The ledger that keeps a file.
#[derive(Debug)]
pub struct FileLedger {
    path: PathBuf,
    instance: Uuid,
    shared: Arc<Shared>,
    settled: watch::Receiver<u64>,
    last: i64,
    pauses: Pauses,
    start: Option<Start>,
}

/// What is needed to start the threads.
#[derive(Debug)]
struct Start {
    connection: Connection,
    lock: Lock,
    limits: Limits,
}

impl FileLedger {
    /// Opens the file, or makes it. Nothing is told before [`FileLedger::start`].
    ///
    /// # Errors
    /// When another process uses the file, it is of a later version or another program, damaged, or cannot be
    /// written.
    pub fn open(settings: &FileSettings) -> Result<Opened, LedgerError> {
        let path = open::real_path(&settings.path)?;
        let lock = open::lock(&path)?;
        let (content, set_aside) = match Content::read(&path) {
            Err(error) if error.is_corrupt() && settings.on_corrupt == OnCorrupt::SetAside => {
                let aside = open::set_aside(&path, wall_time())?;
                (Content::read(&path)?, Some(aside))
            }
            content => (content?, None),
        };
        let (sender, settled) = watch::channel(0);
        let ledger = Self {
            path,
            instance: content.instance,
            shared: Arc::new(Shared::new(State::new(settings.limits, content.last), sender)),
            settled,
            last: content.last,
            pauses: Pauses::default(),
            start: Some(Start { connection: content.connection, lock, limits: settings.limits }),
        };
        Ok(Opened { ledger, jobs: content.jobs, set_aside })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its figures are read, by whoever has no hold of the ledger itself.
    #[must_use]
    pub fn figures(&self) -> FiguresOf {
        FiguresOf(Arc::clone(&self.shared))
    }

    /// The number of the last event that is kept, now and whenever it changes.
    #[must_use]
    pub fn kept(&self) -> watch::Receiver<i64> {
        self.shared.kept.subscribe()
    }

    /// Waits so long before it tries again, once it is started.
    pub fn set_pauses(&mut self, pauses: Pauses) {
        self.pauses = pauses;
    }

    /// Starts to write, and to tell the sinks, beginning with what was kept and not told before.
    ///
    /// # Errors
    /// When the file cannot be read, or a thread cannot be started.
    pub fn start(
        &mut self,
        sinks: Vec<Box<dyn Sink>>,
        notify: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<(), LedgerError> {
        let Some(Start { connection, lock, limits }) = self.start.take() else { return Ok(()) };
        drop(self.shared.notify.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(notify)));
        for sink in &sinks {
            let (cursor, untold, left_out) = self.outlet(&connection, sink.name(), limits)?;
            self.shared.lock().add_outlet(sink.name(), cursor, untold, left_out);
        }
        let Pauses { write, sink: after_refusal } = self.pauses;
        let writer = Writer::new(self.path.clone(), limits, write, connection, self.instance, lock);
        let shared = Arc::clone(&self.shared);
        self.spawn("ledger", move || writer.run(&shared))?;
        for (index, sink) in sinks.into_iter().enumerate() {
            let shared = Arc::clone(&self.shared);
            self.spawn(sink.name(), move || outbox::run(sink, index, after_refusal, &shared))?;
        }
        Ok(())
    }

    /// A sink's cursor, and what is to be told to it. A new sink begins with what comes.
    fn outlet(
        &self,
        connection: &Connection,
        sink: &str,
        limits: Limits,
    ) -> Result<(i64, Vec<Numbered>, u64), LedgerError> {
        let sqlite = |error| LedgerError::sqlite(&self.path, &error);
        match store::cursor(connection, sink).map_err(sqlite)? {
            Some(cursor) => {
                let (untold, left_out) = store::untold(connection, cursor, limits.outbox_events)
                    .map_err(|error| open::unreadable(&self.path, error))?;
                Ok((cursor, untold, left_out))
            }
            None => {
                connection
                    .execute("INSERT INTO cursors (sink, seq) VALUES (?1, ?2)", (sink, self.last))
                    .map_err(sqlite)?;
                Ok((self.last, Vec::new(), 0))
            }
        }
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), LedgerError> {
        self.shared.lock().threads += 1;
        let started = thread::Builder::new().name(name.to_owned()).spawn(run);
        started
            .map(drop)
            .map_err(|error| LedgerError::new(&self.path, Kind::Refused { reason: format!("no thread: {error}") }))
    }
}

impl Ledger for FileLedger {
    fn instance(&self) -> Uuid {
        self.instance
    }

    fn record(&mut self, record: Record) -> Ticket {
        let mut state = self.shared.lock();
        let ticket = state.record(record);
        self.shared.changed(&mut state);
        Ticket(ticket)
    }

    fn is_settled(&self, ticket: Ticket) -> bool {
        *self.settled.borrow() >= ticket.0
    }

    fn settled(&self, ticket: Ticket) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut settled = self.settled.clone();
        Box::pin(async move {
            // Where the threads are gone there is nothing left to wait for.
            drop(settled.wait_for(|settled| *settled >= ticket.0).await);
        })
    }

    fn retire(&mut self, jobs: Vec<Target>, at: Timestamp) {
        let mut state = self.shared.lock();
        state.retire(jobs, at);
        self.shared.changed(&mut state);
    }

    fn readmit(&mut self, jobs: Vec<Target>) {
        let mut state = self.shared.lock();
        state.readmit(jobs);
        self.shared.changed(&mut state);
    }

    fn close(self: Box<Self>, patience: Duration) {
        let end = Instant::now() + patience;
        let mut state = self.shared.lock();
        state.stage = Stage::Draining;
        self.shared.changed(&mut state);
        while state.threads > 0 && Instant::now() < end {
            state = self.shared.wait(state, Some(end));
        }
        state.stage = Stage::Closed;
        self.shared.changed(&mut state);
    }
}

/// What a file holds when it is opened.
struct Content {
    connection: Connection,
    instance: Uuid,
    last: i64,
    jobs: Vec<RecordedJob>,
}

impl Content {
    fn read(path: &Path) -> Result<Self, LedgerError> {
        let connection = open::connect(path, STEPS)?;
        open::check(&connection, path)?;
        open::sync(path)?;
        let instance = store::instance(&connection).map_err(|error| open::unreadable(path, error))?;
        let last = store::last_number(&connection).map_err(|error| LedgerError::sqlite(path, &error))?;
        let jobs = store::jobs(&connection).map_err(|error| open::unreadable(path, error))?;
        Ok(Self { connection, instance, last, jobs })
    }
}

type Notify = Arc<dyn Fn(Notice) + Send + Sync>;

/// The state under its lock, and how its threads wake each other.
pub(super) struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    settled: watch::Sender<u64>,
    /// The number of the last event that is written.
    kept: watch::Sender<i64>,
    notify: Mutex<Option<Notify>>,
}

impl Shared {
    fn new(state: State, settled: watch::Sender<u64>) -> Self {
        let kept = watch::Sender::new(state.written);
        Self { state: Mutex::new(state), wake: Condvar::new(), settled, kept, notify: Mutex::new(None) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for the state to change.
    pub(super) fn changed(&self, state: &mut State) {
        self.settle(state);
        self.wake.notify_all();
    }

    /// Lets those go on who wait for a record. Time alone may settle one.
    pub(super) fn settle(&self, state: &mut State) {
        self.kept.send_if_modified(|known| std::mem::replace(known, state.written) != state.written);
        let settled = state.settled();
        self.settled.send_if_modified(|known| {
            let newer = settled > *known;
            *known = settled.max(*known);
            newer
        });
    }

    /// Waits until the state changes, or until a time.
    pub(super) fn wait<'a>(&self, state: MutexGuard<'a, State>, until: Option<Instant>) -> MutexGuard<'a, State> {
        match until {
            None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Waits out a time, unless the end comes first.
    pub(super) fn pause(&self, pause: Duration) {
        let end = Instant::now() + pause;
        let mut state = self.lock();
        while state.stage != Stage::Closed && Instant::now() < end {
            state = self.wait(state, Some(end));
        }
    }

    /// Tells the owner. Never called with the state locked.
    pub(super) fn notify(&self, notice: Notice) {
        let notify = self.notify.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(notify) = notify {
            notify(notice);
        }
    }

    /// Whether writes succeed.
    pub(super) fn health(&self) -> Health {
        self.lock().health
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("health", &self.health()).finish_non_exhaustive()
    }
}
