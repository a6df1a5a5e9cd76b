//! The room as a whole: records in, events out, and what is there the next time.

mod damage;
mod model;
mod reading;
mod rows;
mod threads;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use cognito_import_watch_core::domain::{
    Counts, JobFact, JobSnapshot, JobStatus, JobTrack, StoredTrack, Target, Tick, Timestamp,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::sink::RenderedEvent;
use crate::sink::samples::{NOW, event};

/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn target(job: &str) -> Target {
    format!("us-west-2_EXAMPLE/import-{job}").parse().unwrap()
}

fn snapshot(status: JobStatus) -> JobSnapshot {
    JobSnapshot {
        job_name: Some("nightly".into()),
        status,
        counts: Counts { imported: 1, skipped: 2, failed: 3 },
        created_at: Some(NOW),
        started_at: None,
        completed_at: None,
        completion_message: Some("a\n\"b\"".into()),
        account: Some("123456789012".parse().unwrap()),
    }
}

fn track(status: JobStatus) -> StoredTrack {
    StoredTrack { known: Some(snapshot(status)), ..JobTrack::default().stored(Tick::ZERO, NOW) }
}

/// A record of a job with so many events.
fn record(job: &str, events: usize) -> Record {
    let told = event(job, JobStatus::Pending, JobFact::FirstSeen);
    let told = RenderedEvent { target: target(job), ..RenderedEvent::of(&told, Uuid::nil()) };
    Record {
        at: NOW,
        date: Some(NOW),
        target: target(job),
        name: Some("mine".into()),
        account: None,
        track: track(JobStatus::Pending),
        verdict: None,
        events: (0..events).map(|number| numbered(&told, number)).collect(),
        urgency: Urgency::AtOnce,
    }
}

/// The same event with a line of its own.
fn numbered(event: &RenderedEvent, number: usize) -> RenderedEvent {
    RenderedEvent { line: format!("{} {number}", event.target.job).into(), ..event.clone() }
}

fn limits() -> Limits {
    Limits {
        keep_events: Duration::from_secs(86_400 * 3_650),
        max_events: 1_000_000,
        outbox_age: Duration::from_secs(86_400 * 3_650),
        outbox_events: 1_000,
    }
}

/// A directory with a state file in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    fn settings(&self) -> FileSettings {
        FileSettings { path: self.path(), on_corrupt: OnCorrupt::Stop, limits: limits() }
    }

    fn open(&self) -> Opened {
        FileLedger::open(&self.settings()).unwrap()
    }
}

/// A sink that does what it is told, and shows what it was told.
struct Puppet {
    name: &'static str,
    obeys: Arc<(Mutex<Delivery>, Condvar)>,
    told: Sender<String>,
}

/// The strings of a puppet.
struct Strings {
    obeys: Arc<(Mutex<Delivery>, Condvar)>,
    told: Receiver<String>,
}

fn puppet(name: &'static str, obeys: Delivery) -> (Box<dyn Sink>, Strings) {
    let (send, told) = channel();
    let obeys = Arc::new((Mutex::new(obeys), Condvar::new()));
    (Box::new(Puppet { name, obeys: Arc::clone(&obeys), told: send }), Strings { obeys, told })
}

impl Sink for Puppet {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tell(&mut self, events: &[Arc<RenderedEvent>]) -> Delivery {
        // Before it shows what it was told: whoever sees that may change it for what comes next.
        let delivery = *self.obeys.0.lock().unwrap();
        for event in events {
            self.told.send(event.line.to_string()).ok();
        }
        delivery
    }

    fn confirm(&mut self, patience: Duration) -> Delivery {
        let (obeys, changed) = &*self.obeys;
        let pending = |delivery: &mut Delivery| *delivery == Delivery::Pending;
        *changed.wait_timeout_while(obeys.lock().unwrap(), patience, pending).unwrap().0
    }
}

impl Strings {
    fn set(&self, delivery: Delivery) {
        *self.obeys.0.lock().unwrap() = delivery;
        self.obeys.1.notify_all();
    }

    fn next(&self) -> String {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    /// Everything, once the sink is gone.
    fn rest(self) -> Vec<String> {
        self.told.iter().collect()
    }
}

/// Everything in the file.
fn history(path: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut take = |event: RenderedEvent| {
        lines.push(event.line.to_string());
        true
    };
    Reader::open(path).unwrap().history(&Filter::default(), &mut take).unwrap();
    lines
}

#[test]
fn what_is_recorded_is_told_and_there_the_next_time() {
    let place = Place::new();
    let Opened { mut ledger, jobs, set_aside } = place.open();
    assert_eq!((jobs.len(), set_aside), (0, None));
    let instance = ledger.instance();
    let (sink, strings) = puppet("log", Delivery::Taken);
    ledger.start(vec![sink], |notice| panic!("{notice:?}")).unwrap();
    ledger.record(record("a", 2));
    ledger.record(Record { urgency: Urgency::Whenever, ..record("a", 0) });
    ledger.record(Record { verdict: Some(cognito_import_watch_core::domain::Verdict::Failed), ..record("b", 1) });
    ledger.retire(vec![target("b")], NOW);
    Box::new(ledger).close(PATIENCE);
    assert_eq!(strings.rest(), ["import-a 0", "import-a 1", "import-b 0"]);
    assert_eq!(history(&place.path()), ["import-a 0", "import-a 1", "import-b 0"]);

    let Opened { ledger, jobs, .. } = place.open();
    assert_eq!(ledger.instance(), instance);
    let known: Vec<_> = jobs.iter().map(|job| (job.target.clone(), job.retired, job.track.clone())).collect();
    let pending = || track(JobStatus::Pending);
    assert_eq!(known, [(target("a"), None, pending()), (target("b"), Some(NOW), pending())]);
    assert_eq!((jobs[0].first_seen, jobs[0].name.as_deref()), (Some(NOW), Some("mine")));
}

#[test]
fn a_record_can_be_waited_for() {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    let ticket = ledger.record(record("a", 1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, ledger.settled(ticket)).await }).unwrap();
    assert_eq!(history(&place.path()), ["import-a 0"]);
    Box::new(ledger).close(PATIENCE);
}

#[test]
fn a_job_that_was_retired_and_is_seen_again_is_watched_and_was_first_seen_long_ago() {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    ledger.record(record("a", 0));
    ledger.retire(vec![target("a")], NOW);
    ledger.record(Record { at: Timestamp::from_millis(0), ..record("a", 0) });
    Box::new(ledger).close(PATIENCE);
    let jobs = place.open().jobs;
    assert_eq!((jobs[0].retired, jobs[0].first_seen), (None, Some(NOW)));
}

#[test]
fn a_job_that_is_over_and_put_back_is_watched_though_no_answer_says_so() {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    ledger.record(record("a", 0));
    ledger.record(record("b", 0));
    ledger.retire(vec![target("a"), target("b")], NOW);
    ledger.readmit(vec![target("a")]);
    Box::new(ledger).close(PATIENCE);
    let retired: Vec<_> = place.open().jobs.iter().map(|job| job.retired).collect();
    assert_eq!(retired, [None, Some(NOW)]);
}

#[test]
fn saying_again_which_jobs_are_watched_changes_nothing() {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    ledger.record(record("a", 0));
    ledger.record(record("b", 0));
    ledger.retire(vec![target("b")], NOW);
    ledger.readmit(vec![target("a")]);
    ledger.retire(vec![target("b")], NOW.plus(Duration::from_secs(60)));
    Box::new(ledger).close(PATIENCE);
    let retired: Vec<_> = place.open().jobs.iter().map(|job| job.retired).collect();
    assert_eq!(retired, [None, Some(NOW)]);
}
