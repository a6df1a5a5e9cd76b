//! What must hold.

use std::collections::BTreeSet;
use std::time::Duration;

use cognito_import_watch_core::domain::Memory as Kept;
use cognito_import_watch_core::domain::event::id_of;
use cognito_import_watch_core::schedule::Question;
use serde_json::Value;

use super::operations::{Birth, Disk, Keeps, MAX_INTERVAL, Mood};
use super::process::{Counts, jobs};
use super::story::Fact;
use super::world::World;
use crate::ledger::testing::{cursors, numbered};
use crate::ledger::{Record, RecordedJob};

/// Jobs that were over for longer when their pool's list first showed them are left alone; in milliseconds.
const LONG_AGO: i64 = 24 * 3_600_000;

/// How long requests may wait for their turn, in milliseconds.
const TURNS: i64 = 15_000;

impl World {
    /// An answer tells what the reference says, in that order, and its record is kept at once.
    pub(super) fn check_what_is_told(expected: &[Fact], record: &Record, kept: Kept) {
        let told: Vec<String> = record.events.iter().map(|event| event.event_id.to_string()).collect();
        let facts: Vec<String> = expected.iter().map(|fact| id_of(&fact.key).to_string()).collect();
        let names: Vec<&str> = record.events.iter().map(|event| &*event.line).collect();
        assert_eq!(told, facts, "told {names:#?} in place of {expected:#?}");
        for (fact, event) in expected.iter().zip(&record.events) {
            let line: Value = serde_json::from_str(&event.line).unwrap();
            assert_eq!(line["event"], fact.name());
            assert_eq!(line["event_id"], event.event_id.to_string());
            for (field, value) in &fact.says {
                assert_eq!(line[field], *value, "{field} of {line}");
            }
        }
        assert!(told.is_empty() || kept == Kept::OutOfDate, "what is told would be told again: {names:?}");
    }

    /// Nothing is asked twice at once, nor about a job that is over, or not watched, or old.
    pub(super) fn check_question(&self, question: &Question) {
        let process = self.process.as_ref().unwrap();
        let same = |other: &Question| match (question, other) {
            (Question::List { pool, .. }, Question::List { pool: other, .. }) => pool == other,
            (one, other) => one == other,
        };
        let twice = process.flights.values().any(|flight| same(&flight.question) && flight.answer == Counts::Yes);
        assert!(!twice, "asked twice at once: {question:?}");
        match question {
            Question::Describe(target) => self.check_is_asked_about(&target.to_string()),
            Question::List { pool, .. } => self.check_is_listed(pool.as_str()),
        }
    }

    /// A job may be asked about, or shown by a list.
    pub(super) fn check_is_asked_about(&self, target: &str) {
        assert!(self.config.watches(target), "{target} is asked about and not watched");
        let story = self.memory.story(target);
        assert!(!story.is_some_and(|story| story.is_over()), "{target} is asked about again after it was over");
        let old = self.service.job(target).is_some_and(|job| job.birth == Birth::OverLongAgo);
        // One that was named once stays when its pool is watched in its place.
        let named = self.configs.iter().any(|config| config.names(target));
        assert!(!old || story.is_some_and(|story| !story.is_empty()) || named, "{target} was over long ago");
    }

    /// A request is sent only when all that was told before of the jobs that it may show is in the file, or was taken by
    /// every sink.
    pub(super) fn check_nothing_is_lost_by(&self, behind: &[String]) {
        if self.beginning.keeps == Keeps::Nothing || behind.is_empty() {
            return;
        }
        let file: BTreeSet<String> = numbered(&self.file()).into_iter().map(|(_, line)| line).collect();
        for line in behind.iter().filter(|line| !file.contains(*line)) {
            let told = self.sinks.iter().all(|sink| sink.taken().contains(line));
            // A small outbox gives events up, and says so, while they can be neither kept nor told.
            let given_up = self.disk == Disk::Refuses && self.beginning.has_small_outbox();
            assert!(told || given_up, "asked on, although a crash would lose {line}");
        }
    }

    /// Each sink was told what happened, in order, once, and not before it was kept. `alarmed` is whether the ledger
    /// said that it cannot keep it, although the disk is good by now.
    pub(super) fn check_sinks(&self, alarmed: bool) {
        for sink in &self.sinks {
            let too_early = sink.too_early();
            assert!(too_early.is_empty() || alarmed, "{} is told before it is kept: {too_early:#?}", sink.name);
            if self.beginning.keeps == Keeps::File {
                sink.check(&self.made);
            }
        }
    }

    /// The deadline is counted from CreationDate and looked at when it comes, whatever happened since.
    pub(super) fn check_deadline(&self, target: &str, told: &[Fact]) {
        let late = |fact: &&Fact| fact.key.iter().any(|part| part == "deadline_exceeded");
        let (Some(fact), Some(job)) = (told.iter().find(late), self.service.job(target)) else { return };
        let seconds: i64 = fact.key.last().unwrap().parse().unwrap();
        let deadline = job.sight.created.unwrap() + seconds * 1_000;
        if self.fair_since + 2 * millis(MAX_INTERVAL) < deadline {
            let waits = TURNS + 2 * millis(self.service.latency);
            assert!(
                self.now - deadline <= waits,
                "{target} is looked at {} ms after its deadline",
                self.now - deadline
            );
        }
    }

    /// When nothing troubled the polls for long enough, all there is to see is known.
    pub(super) fn check_nobody_starves(&self, passed: Duration) {
        let long = 4 * millis(MAX_INTERVAL);
        if self.now - self.fair_since >= long && millis(passed) >= long && self.service.is_good() && !self.is_held() {
            self.check_all_is_known();
        }
    }

    fn is_held(&self) -> bool {
        self.disk == Disk::Still
            || self.sinks.iter().any(|sink| sink.mood() != Mood::Takes)
            || self.process.as_ref().is_none_or(|process| process.flights.values().any(|flight| flight.wait.is_some()))
    }

    /// Every job that is watched is known as it is.
    pub(super) fn check_all_is_known(&self) {
        for job in self.service.jobs.iter().filter(|job| self.config.watches(&job.target)) {
            let story = self.memory.story(&job.target);
            let known = story.and_then(|story| story.known());
            let long_ago = job.completed.is_some_and(|completed| self.now - completed > LONG_AGO);
            if known.is_none() && long_ago && !self.config.names(&job.target) {
                continue;
            }
            assert_eq!(known, Some(&job.sight), "{} is not known as it is", job.target);
            assert!(story.is_some_and(|story| story.is_over() || story.is_settled()), "{} is in doubt", job.target);
        }
    }

    /// The file of a process that ended holds what was kept and nothing else, and no sink's cursor is ahead of it.
    pub(super) fn check_the_file(&self) {
        if self.beginning.keeps == Keeps::Nothing {
            return;
        }
        let events = numbered(&self.file());
        let lines: Vec<&String> = events.iter().map(|(_, line)| line).collect();
        assert_eq!(lines, self.memory.history.iter().collect::<Vec<_>>(), "the history");
        let cursors = cursors(&self.file());
        for sink in &self.sinks {
            let (taken, cursor) = (sink.taken(), cursors[sink.name]);
            let passed = events.iter().filter(|(number, line)| *number <= cursor && !taken.contains(line)).count();
            let dropped = self.dropped.get(sink.name).copied().unwrap_or(0);
            assert!(passed as u64 <= dropped, "{} never took {passed} events, {dropped} were dropped", sink.name);
        }
    }

    /// A file that was begun anew holds what a sink has not taken, and nothing that the one before did not hold.
    pub(super) fn check_what_is_still_to_be_told(&self, history: &[String]) {
        let both: Vec<&String> = self.memory.history.iter().filter(|line| history.contains(line)).collect();
        assert_eq!(both, history.iter().collect::<Vec<_>>(), "made up, or out of order");
        for sink in self.sinks.iter().filter(|_| !self.beginning.has_small_outbox()) {
            let taken = sink.taken();
            let lost = self.memory.history.iter().find(|line| !taken.contains(*line) && !history.contains(line));
            assert_eq!(lost, None, "{} is never told", sink.name);
        }
    }

    /// A process that starts knows of each job what was kept of it.
    pub(super) fn check_what_is_remembered(&self, jobs: &[RecordedJob]) {
        for job in jobs {
            let target = job.target.to_string();
            let story = self.memory.in_file(&target).unwrap_or_else(|| panic!("{target} was never kept"));
            let known = job.track.known.as_ref();
            let known = known.map(|known| (known.status.as_str(), known.counts.imported, known.counts.failed));
            let seen = story.known().map(|sight| (sight.status, sight.counts[0], sight.counts[2]));
            assert_eq!(known, seen, "{target}");
            assert_eq!(job.first_seen.is_some(), known.is_some(), "{target}");
        }
        assert_eq!(jobs.len(), self.memory.in_file_count());
    }

    /// At the end every sink has all that is in the history but what was dropped, and the file says what is watched.
    pub(super) fn check_all_is_told(&self) {
        if self.beginning.keeps == Keeps::Nothing {
            let mut made: Vec<(&usize, &String)> = self.made.iter().map(|(line, number)| (number, line)).collect();
            made.sort();
            for sink in &self.sinks {
                assert_eq!(sink.all(), made.iter().map(|(_, line)| (*line).clone()).collect::<Vec<_>>());
            }
            return;
        }
        for sink in &self.sinks {
            let taken = sink.taken();
            let missing = self.memory.history.iter().filter(|line| !taken.contains(*line)).count();
            let dropped = self.dropped.get(sink.name).copied().unwrap_or(0);
            assert!(missing as u64 <= dropped, "{} never took {missing} events, {dropped} were dropped", sink.name);
        }
        for job in jobs(&self.file(), &self.beginning) {
            let watched = self.config.watches(&job.target.to_string());
            assert_eq!(job.retired.is_none(), watched, "{} is retired: {:?}", job.target, job.retired);
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}
