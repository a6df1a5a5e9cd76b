//! The record: one JSON line per answer, written when the answer has left or was broken off.
//!
//! Each connection has one [`Exchange`]; the server fills it in while it answers, the connection's stream tells it when
//! the bytes have left. The format is in `docs/simulator.md`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// One answer. Fields that do not apply are null.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Entry {
    /// When the request arrived: seconds since the simulator started, on the monotonic clock.
    pub(crate) at: f64,
    /// The same in real time.
    pub(crate) time: String,
    pub(crate) operation: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) user_pool_id: Option<String>,
    pub(crate) job_id: Option<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) error: Option<String>,
    /// What the answer showed of one job, if it was about one.
    pub(crate) status: Option<String>,
    pub(crate) imported: Option<u64>,
    pub(crate) skipped: Option<u64>,
    pub(crate) failed: Option<u64>,
    /// What a list showed.
    pub(crate) jobs: Option<Vec<ShownJob>>,
    /// Whether it was written whole.
    pub(crate) complete: bool,
    /// The fault that shaped it.
    pub(crate) fault: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) user_agent: Option<String>,
}

/// A job as a list showed it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownJob {
    pub(crate) job_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) imported: Option<u64>,
    pub(crate) skipped: Option<u64>,
    pub(crate) failed: Option<u64>,
}

impl ShownJob {
    fn of(job: &Value) -> Self {
        let (text, number) = (|key: &str| job[key].as_str().map(str::to_owned), |key: &str| job[key].as_u64());
        Self {
            job_id: text("JobId"),
            status: text("Status"),
            imported: number("ImportedUsers"),
            skipped: number("SkippedUsers"),
            failed: number("FailedUsers"),
        }
    }
}

impl Entry {
    /// Takes down what an answer shows of jobs.
    pub(crate) fn showed(&mut self, answer: &Value) {
        if let Some(job) = answer.get("UserImportJob").map(ShownJob::of) {
            self.job_id = job.job_id.or(self.job_id.take());
            (self.status, self.imported, self.skipped, self.failed) =
                (job.status, job.imported, job.skipped, job.failed);
        }
        if let Some(jobs) = answer.get("UserImportJobs").and_then(Value::as_array) {
            self.jobs = Some(jobs.iter().map(ShownJob::of).collect());
        }
    }
}

/// The file, shared by all connections.
#[derive(Debug)]
pub(crate) struct Recorder(Mutex<File>);

impl Recorder {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(File::create(path)?)))
    }

    fn write(&self, entry: &Entry) {
        let Ok(mut line) = serde_json::to_vec(entry) else { return };
        line.push(b'\n');
        // A record that cannot be written must not change what clients see; its readers notice the gap.
        drop(lock(&self.0).write_all(&line));
    }
}

/// The answer under way on one connection.
#[derive(Debug)]
pub(crate) struct Exchange {
    recorder: Option<Arc<Recorder>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Entry>,
    handed_over: bool,
    reset: bool,
}

impl Exchange {
    pub(crate) fn new(recorder: Option<Arc<Recorder>>) -> Self {
        Self { recorder, state: Mutex::default() }
    }

    /// A request has arrived.
    pub(crate) fn open(&self, entry: Entry) {
        let mut state = lock(&self.state);
        // The body was handed over and the next request is here: the answer was received.
        self.close(&mut state);
        state.open = Some(entry);
        state.handed_over = false;
    }

    /// Adds to the entry of the answer under way.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = &mut lock(&self.state).open {
            change(entry);
        }
    }

    /// The connection is to be reset rather than closed.
    pub(crate) fn demand_reset(&self) {
        lock(&self.state).reset = true;
    }

    pub(crate) fn reset_demanded(&self) -> bool {
        lock(&self.state).reset
    }

    pub(crate) fn body_handed_over(&self) {
        lock(&self.state).handed_over = true;
    }

    /// All bytes handed over so far have left.
    pub(crate) fn flushed(&self) {
        let mut state = lock(&self.state);
        if state.handed_over {
            self.close(&mut state);
        }
    }

    /// The connection is over; an answer that has not left by now never will.
    pub(crate) fn ended(&self) {
        let mut state = lock(&self.state);
        state.handed_over = false;
        self.close(&mut state);
    }

    fn close(&self, state: &mut State) {
        if let Some(mut entry) = state.open.take() {
            entry.complete = state.handed_over;
            if let Some(recorder) = &self.recorder {
                recorder.write(&entry);
            }
        }
        state.handed_over = false;
    }
}

/// Locks; a holder that panicked left nothing half-done here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
