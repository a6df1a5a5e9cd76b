//! The sinks: what they took outlives the process that told it, and they do as they are told.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::operations::Mood;
use crate::ledger::{Delivery, Filter, Reader, Sink};
use crate::sink::RenderedEvent;

/// Only a hang takes so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The world behind a sink.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    pub(super) name: &'static str,
    inner: Arc<(Mutex<Inner>, Condvar)>,
}

#[derive(Debug)]
struct Inner {
    mood: Mood,
    /// Whether it ever did not take what it was told in this life.
    lagged: bool,
    /// Which process is listened to; none between two.
    life: Option<u32>,
    /// Every line that was taken, in order, repeats and all.
    taken: Vec<String>,
    /// Where in `taken` this life begins.
    born: usize,
    /// Nothing that was taken before may be told in this life.
    all_told: bool,
    early: Early,
    /// How often that changed.
    changes: u32,
    /// Lines that were told before they were in the file.
    too_early: Vec<String>,
}

/// Whether events may be told that are not in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Early {
    /// The disk refuses.
    May,
    MustNot,
}

impl Recorder {
    pub(super) fn new(name: &'static str) -> Self {
        let inner = Inner {
            mood: Mood::Takes,
            lagged: false,
            life: None,
            taken: Vec::new(),
            born: 0,
            all_told: false,
            early: Early::MustNot,
            changes: 0,
            too_early: Vec::new(),
        };
        Self { name, inner: Arc::new((Mutex::new(inner), Condvar::new())) }
    }

    /// The sink of a process. Where the one before stopped in order, nothing is to be told again.
    pub(super) fn sink(&self, life: u32, path: &Path, stopped_in_order: bool) -> Box<dyn Sink> {
        let mut inner = self.lock();
        inner.life = Some(life);
        inner.lagged = inner.mood != Mood::Takes;
        inner.born = inner.taken.len();
        inner.all_told = stopped_in_order;
        drop(inner);
        Box::new(Puppet { recorder: self.clone(), life, path: path.to_owned(), told: Vec::new() })
    }

    pub(super) fn set_mood(&self, mood: Mood) {
        let mut inner = self.lock();
        inner.mood = mood;
        inner.lagged |= mood != Mood::Takes;
        drop(inner);
        self.inner.1.notify_all();
    }

    /// Whether it takes what it is told, and did all the time since the process began.
    pub(super) fn keeps_up(&self) -> bool {
        !self.lock().lagged
    }

    pub(super) fn mood(&self) -> Mood {
        self.lock().mood
    }

    pub(super) fn set_early(&self, early: Early) {
        let mut inner = self.lock();
        inner.early = early;
        inner.changes += 1;
    }

    /// Hears nothing more of the process that tells it.
    pub(super) fn hang_up(&self) {
        self.lock().life = None;
        self.inner.1.notify_all();
    }

    /// Takes a line that no ledger kept.
    pub(super) fn take(&self, line: &str) {
        self.lock().taken.push(line.to_owned());
    }

    /// Waits until this line is taken.
    pub(super) fn wait_for(&self, line: &str) {
        let missing = |inner: &mut Inner| !inner.taken.iter().rev().any(|taken| taken == line);
        let (inner, waited) = self.inner.1.wait_timeout_while(self.lock(), PATIENCE, missing).unwrap();
        drop(inner);
        assert!(!waited.timed_out(), "{} is never told {line}", self.name);
    }

    /// Every line that was ever taken.
    pub(super) fn taken(&self) -> BTreeSet<String> {
        self.lock().taken.iter().cloned().collect()
    }

    /// Every line in the order in which it was taken.
    pub(super) fn all(&self) -> Vec<String> {
        self.lock().taken.clone()
    }

    /// Lines that were told before they were in the file, since this was asked last.
    pub(super) fn too_early(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().too_early)
    }

    /// Whether what was taken in this life is in the order of `made`, and nothing in it was made up or told twice.
    pub(super) fn check(&self, made: &HashMap<String, usize>) {
        let inner = self.lock();
        let (before, now) = inner.taken.split_at(inner.born);
        let (before, now) = (if inner.all_told { before.to_vec() } else { Vec::new() }, now.to_vec());
        drop(inner);
        let mut last = None;
        for line in &now {
            let number = made.get(line);
            assert!(number.is_some(), "{} is told what never happened: {line}", self.name);
            assert!(number > last, "{} is told out of order: {line}", self.name);
            assert!(!before.contains(line), "{} is told again although all was told: {line}", self.name);
            last = number;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.0.lock().unwrap()
    }
}

/// The sink of one process.
struct Puppet {
    recorder: Recorder,
    life: u32,
    path: PathBuf,
    told: Vec<String>,
}

impl Puppet {
    /// Whether all that is told is in the file.
    fn are_kept(&self, events: &[Arc<RenderedEvent>]) -> bool {
        let Ok(reader) = Reader::open(&self.path) else { return true };
        events.iter().all(|event| {
            let mut kept = false;
            let filter = Filter { target: Some(event.target.clone()), since: None };
            let mut take = |read: RenderedEvent| {
                kept |= read == **event;
                !kept
            };
            reader.history(&filter, &mut take).map_or(true, |()| kept)
        })
    }

    fn answer(&self, inner: &mut Inner) -> Delivery {
        if inner.life != Some(self.life) {
            return Delivery::Refused;
        }
        match inner.mood {
            Mood::Takes => {
                inner.taken.extend(self.told.iter().cloned());
                self.recorder.inner.1.notify_all();
                Delivery::Taken
            }
            Mood::Stalls => Delivery::Pending,
            Mood::Refuses => Delivery::Refused,
        }
    }
}

impl Sink for Puppet {
    fn name(&self) -> &'static str {
        self.recorder.name
    }

    fn tell(&mut self, events: &[Arc<RenderedEvent>]) -> Delivery {
        self.told = events.iter().map(|event| event.line.to_string()).collect();
        // A look at the file during which the rule changes shows nothing.
        let Inner { early, changes, .. } = *self.recorder.lock();
        let kept = early == Early::May || self.are_kept(events);
        let mut inner = self.recorder.lock();
        if !kept && inner.changes == changes && inner.life == Some(self.life) {
            inner.too_early.extend(self.told.iter().cloned());
        }
        self.answer(&mut inner)
    }

    fn confirm(&mut self, patience: Duration) -> Delivery {
        let stalls = |inner: &mut Inner| inner.life == Some(self.life) && inner.mood == Mood::Stalls;
        let waited = self.recorder.inner.1.wait_timeout_while(self.recorder.lock(), patience, stalls).unwrap();
        let mut inner = waited.0;
        self.answer(&mut inner)
    }
}
