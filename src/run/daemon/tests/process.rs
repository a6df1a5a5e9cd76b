//! One life of the daemon: the real scheduler, observer and ledger, and the requests that are on their way.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use cognito_import_watch_core::domain::{Tick, Timestamp};
use cognito_import_watch_core::schedule::{Ending, Input, Now, Question, Replacement, Scheduler, Settings};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use uuid::Uuid;

use super::super::{Daemon, DaemonLog, state};
use super::operations::{Beginning, Keeps};
use super::recorder::{PATIENCE, Recorder};
use crate::config::{Overrides, Plan, Source};
use crate::ledger::{
    FileLedger, FileSettings, Ledger, Limits, MemoryLedger, Notice, OnCorrupt, Opened, Pauses, RecordedJob,
};
use crate::run::engine::{self, Lanes};
use crate::run::load;
use crate::sink::LogSink;
use crate::source::BoxFuture;

/// A request that was not answered yet.
pub(super) struct Flight {
    pub(super) question: Question,
    /// When it was to be asked, whatever it has to wait for since.
    pub(super) asked: i64,
    /// The lines that were under way then of what it is about.
    pub(super) behind: Vec<String>,
    /// What it waits for before it is sent.
    pub(super) wait: Option<BoxFuture<'static, ()>>,
    /// When the answer comes, once it was sent.
    pub(super) arrives: Option<i64>,
    pub(super) answer: Counts,
}

/// Whether anybody still asks for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Yes,
    /// The job was taken out of the config since.
    No,
}

/// One life of the daemon.
pub(super) struct Process {
    pub(super) scheduler: Scheduler,
    pub(super) daemon: Daemon,
    pub(super) flights: BTreeMap<u64, Flight>,
    pub(super) notices: Receiver<Notice>,
    started: i64,
}

/// What a process begins with.
pub(super) struct Start<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) lanes: &'a mut Lanes,
    pub(super) beginning: &'a Beginning,
    pub(super) plan: Plan,
    pub(super) path: &'a Path,
    pub(super) sinks: &'a [Recorder],
    pub(super) life: u32,
    pub(super) stopped_in_order: bool,
    pub(super) now: i64,
}

/// A process that has not begun to watch, what its file knew, and what it is to watch.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) jobs: Vec<RecordedJob>,
    pub(super) inputs: Vec<Input>,
}

impl Start<'_> {
    /// As `run` does it.
    pub(super) fn start(self) -> Started {
        let (file, jobs) = match self.beginning.keeps {
            Keeps::File => {
                let Opened { ledger, jobs, .. } = open(self.path, self.beginning);
                (Some(ledger), jobs)
            }
            Keeps::Nothing => (None, Vec::new()),
        };
        let moved = state::moved(&self.plan, &jobs);
        let known = state::known(jobs.clone());
        let wall = Timestamp::from_millis(self.now);
        let now = Now { tick: Tick::ZERO, wall };
        let watched = self.runtime.block_on(engine::watched(&self.plan, self.lanes, &known, now)).unwrap();
        let instance = file.as_ref().map_or_else(Uuid::new_v4, Ledger::instance);
        let log = Arc::new(DaemonLog::new(LogSink::new(instance), None, (self.plan.jobs.len(), self.plan.pools.len())));
        let (send, notices) = channel();
        let ledger: Box<dyn Ledger> = match file {
            Some(mut file) => {
                file.set_pauses(Pauses { write: [Duration::from_millis(1); 3], sink: Duration::from_millis(1) });
                let sinks = self.sinks.iter().map(|sink| sink.sink(self.life, self.path, self.stopped_in_order));
                file.start(sinks.collect(), move |notice| drop(send.send(notice))).unwrap();
                Box::new(file)
            }
            None => {
                let sinks = self.sinks.to_vec();
                Box::new(MemoryLedger::new(instance, move |event| sinks.iter().for_each(|sink| sink.take(&event.line))))
            }
        };
        let mut daemon = Daemon {
            ledger,
            log,
            lanes: self.lanes.names(),
            tickets: HashMap::new(),
            newest: None,
            readiness: Arc::default(),
        };
        daemon.note(moved, wall);
        let Replacement { backoff, ceilings, batch, jobs: named, pools } = watched;
        let settings = Settings { backoff, ceilings, batch, ending: Ending::WhenStopped, seed: u64::from(self.life) };
        let inputs = named.into_iter().map(Input::Job).chain(pools.into_iter().map(Input::Pool)).collect();
        let scheduler = Scheduler::new(settings, Tick::ZERO);
        let process = Process { scheduler, daemon, flights: BTreeMap::new(), notices, started: self.now };
        Started { process, jobs, inputs }
    }
}

fn settings(path: &Path, beginning: &Beginning) -> FileSettings {
    let ever = Duration::from_secs(u64::from(u32::MAX));
    let limits = Limits { keep_events: ever, max_events: u64::MAX, outbox_age: ever, outbox_events: beginning.outbox };
    FileSettings { path: path.to_owned(), on_corrupt: OnCorrupt::Stop, limits }
}

/// Opens a file that nobody uses. Other tests of this process start programs, and each of those has a copy of every
/// descriptor, the lock's too, until it begins to run.
fn open(path: &Path, beginning: &Beginning) -> Opened {
    let patience = Instant::now() + PATIENCE;
    loop {
        match FileLedger::open(&settings(path, beginning)) {
            Ok(opened) => return opened,
            Err(error) => assert!(Instant::now() < patience, "{error}"),
        }
    }
}

/// What a file knows that nobody uses.
pub(super) fn jobs(path: &Path, beginning: &Beginning) -> Vec<RecordedJob> {
    open(path, beginning).jobs
}

/// A config file's plan.
pub(super) fn plan(text: &str) -> Plan {
    load::resolve_to_watch(&[Source::new("watch.toml", text)], &Overrides::default()).unwrap()
}

impl Process {
    /// Both clocks at a moment of the world.
    pub(super) fn at(&self, now: i64) -> Now {
        let since = Duration::from_millis(u64::try_from(now - self.started).unwrap());
        Now { tick: Tick::from_start(since), wall: Timestamp::from_millis(now) }
    }

    /// When something happens by itself, in whole milliseconds.
    pub(super) fn next(&self, now: i64) -> Option<i64> {
        let wake = self.scheduler.next_wake(self.at(now).tick).map(|tick| {
            let millis = tick.as_duration().as_nanos().div_ceil(1_000_000);
            self.started + i64::try_from(millis).unwrap()
        });
        wake.into_iter().chain(self.flights.values().filter_map(|flight| flight.arrives)).min()
    }

    /// The request whose answer is here.
    pub(super) fn arrived(&self, now: i64) -> Option<u64> {
        self.flights.iter().find(|(_, flight)| flight.arrives.is_some_and(|at| at <= now)).map(|(id, _)| *id)
    }

    /// Whether what a request waits for has come. Where it is `sure` to come, it is waited for.
    pub(super) fn is_free(&mut self, runtime: &Runtime, id: u64, sure: bool) -> bool {
        let Some(flight) = self.flights.get_mut(&id) else { return false };
        let Some(wait) = &mut flight.wait else { return true };
        let free = runtime.block_on(async {
            if sure {
                tokio::time::timeout(PATIENCE, wait).await.expect("a record is never settled");
                return true;
            }
            tokio::select! {
                biased;
                () = wait => true,
                () = std::future::ready(()) => false,
            }
        });
        if free {
            flight.wait = None;
        }
        free
    }

    /// The process is no more; what it did not keep by then is lost. Gives what it still said.
    pub(super) fn end(self, patience: Duration) -> Vec<Notice> {
        self.daemon.ledger.close(patience);
        let mut said = Vec::new();
        loop {
            match self.notices.recv_timeout(PATIENCE) {
                Ok(notice) => said.push(notice),
                Err(RecvTimeoutError::Disconnected) => return said,
                Err(RecvTimeoutError::Timeout) => panic!("the threads do not end"),
            }
        }
    }
}

/// The state file of a life, in a directory of its own.
pub(super) fn path(home: &Path, life: u32) -> PathBuf {
    home.join(life.to_string()).join("state.db")
}
