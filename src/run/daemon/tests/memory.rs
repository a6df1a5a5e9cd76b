//! What has to survive: the stories that the daemon has in mind, those that its file knows, and those on their way there.

use std::collections::{BTreeMap, BTreeSet};

use cognito_import_watch_core::domain::StoredTrack;

use super::operations::Config;
use super::story::Story;
use crate::ledger::RecordedJob;

/// What the daemon has to know, by what it was shown and what its disk took.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By target.
    pub(super) mind: BTreeMap<String, Story>,
    file: BTreeMap<String, Story>,
    /// What showed nothing new. It comes into the file with anything else that is written, or not: after the file was
    /// removed it may be all that a new one knows of a job.
    perhaps: BTreeMap<String, Vec<(StoredTrack, Story)>>,
    /// Told to the ledger, in this order, and not in the file yet.
    under_way: Vec<Noted>,
    /// The lines of the file.
    pub(super) history: Vec<String>,
}

/// A job's story after an answer, and the lines that the answer caused.
#[derive(Debug)]
struct Noted {
    target: String,
    story: Story,
    lines: Vec<String>,
}

impl Memory {
    /// The ledger was told of an answer about a job.
    pub(super) fn noted(&mut self, target: &str, lines: Vec<String>) {
        let story = self.mind.get(target).cloned().unwrap_or_default();
        self.under_way.push(Noted { target: target.to_owned(), story, lines });
    }

    /// The ledger was told of an answer that showed nothing new.
    pub(super) fn seen(&mut self, target: &str, track: StoredTrack) {
        let story = self.mind.get(target).cloned().unwrap_or_default();
        let perhaps = self.perhaps.entry(target.to_owned()).or_default();
        if self.file.contains_key(target) {
            perhaps.clear();
        }
        perhaps.push((track, story));
    }

    /// The file was read: what it knows was kept.
    pub(super) fn read(&mut self, jobs: &[RecordedJob]) {
        for job in jobs {
            let target = job.target.to_string();
            let perhaps = self.perhaps.get(&target).into_iter().flatten();
            if let Some((_, story)) = perhaps.rev().find(|(track, _)| *track == job.track) {
                self.file.entry(target).or_insert_with(|| story.clone());
            }
        }
    }

    /// All that was under way is in the file.
    pub(super) fn kept(&mut self) {
        for Noted { target, story, lines } in self.under_way.drain(..) {
            self.file.insert(target, story);
            self.history.extend(lines);
        }
    }

    /// The lines about a job that may not be in the file yet.
    pub(super) fn under_way(&self, target: &str) -> impl Iterator<Item = &String> {
        self.under_way.iter().filter(move |noted| noted.target == target).flat_map(|noted| &noted.lines)
    }

    /// The lines that may not be in the file yet about the jobs of a pool that are watched.
    pub(super) fn under_way_of(&self, pool: &str, config: &Config) -> impl Iterator<Item = &String> {
        let is_of = move |noted: &&Noted| noted.target.split('/').next() == Some(pool) && config.watches(&noted.target);
        self.under_way.iter().filter(is_of).flat_map(|noted| &noted.lines)
    }

    /// Whether the file lacks something.
    pub(super) fn is_behind(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// The process died.
    pub(super) fn died(&mut self) {
        self.mind.clear();
        self.under_way.clear();
    }

    /// The file is gone.
    pub(super) fn lost(&mut self) {
        self.file.clear();
        self.perhaps.clear();
        self.history.clear();
    }

    /// The file was removed under the process, and holds this now. Jobs that the process left alone, for they were over
    /// long ago, are known to nobody any more: these it holds.
    pub(super) fn begun_anew(&mut self, history: Vec<String>, held: &BTreeSet<String>) {
        self.mind.retain(|target, _| held.contains(target));
        self.file.clear();
        self.history = history;
    }

    /// A process, new or not, watches by this config from now on: what it does not watch it forgets, and what it begins
    /// to watch it looks up.
    pub(super) fn watch(&mut self, config: &Config) {
        self.mind.retain(|target, _| config.watches(target));
        for (target, story) in self.file.iter().filter(|(target, _)| config.watches(target)) {
            self.mind.entry(target.clone()).or_insert_with(|| story.clone());
        }
    }

    /// What the file knows of a job.
    pub(super) fn in_file(&self, target: &str) -> Option<&Story> {
        self.file.get(target)
    }

    /// How many jobs the file knows.
    pub(super) fn in_file_count(&self) -> usize {
        self.file.len()
    }

    /// What is known of a job.
    pub(super) fn story(&self, target: &str) -> Option<&Story> {
        self.mind.get(target)
    }
}
