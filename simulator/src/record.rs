//! The record: one JSON line per answer, written when the answer has gone out or was broken off.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

/// The file, shared by all answers.
pub(crate) type Recorder = Arc<Mutex<File>>;

/// The line of one answer. It writes itself when it is dropped: with the body of the answer, or with a request that
/// never gets one.
#[derive(Debug)]
pub(crate) struct Entry {
    recorder: Option<Recorder>,
    line: Map<String, Value>,
}

impl Entry {
    /// What is not noted stays null.
    pub(crate) fn new(recorder: Option<Recorder>) -> Self {
        let keys = "at time operation account region user_pool_id job_id role http_status error status imported skipped \
                    failed jobs fault request_id user_agent";
        let mut line: Map<_, _> = keys.split_whitespace().map(|key| (key.to_owned(), Value::Null)).collect();
        line.insert("complete".into(), false.into());
        Self { recorder, line }
    }

    pub(crate) fn note(&mut self, key: &str, value: impl Into<Value>) {
        self.line.insert(key.to_owned(), value.into());
    }

    /// What an answer shows of a job, or of a list of jobs.
    pub(crate) fn note_shown(&mut self, answer: &Value) {
        let names = ["JobId", "Status", "ImportedUsers", "SkippedUsers", "FailedUsers"];
        let keys = ["job_id", "status", "imported", "skipped", "failed"].map(str::to_owned);
        let shown = |job: &Value| keys.clone().into_iter().zip(names.map(|name| job[name].clone()));
        if answer["UserImportJob"].is_object() {
            self.line.extend(shown(&answer["UserImportJob"]));
        }
        if let Some(jobs) = answer["UserImportJobs"].as_array() {
            self.note("jobs", jobs.iter().map(|job| shown(job).collect()).collect::<Vec<Map<_, _>>>());
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(recorder) = &self.recorder {
            let line = format!("{}\n", Value::Object(std::mem::take(&mut self.line)));
            // A record that cannot be written must not change what clients see; its readers notice the gap.
            drop(lock(recorder).write_all(line.as_bytes()));
        }
    }
}

/// Locks; a holder that panicked left nothing half-done here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
