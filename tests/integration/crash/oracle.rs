//! What must have been told, by what each process was answered: a model of one job, apart from the product's own.
//!
//! An answer that was taken for sure is followed; one that may have been lost with its process is followed and not
//! followed. Where no way leads through all answers with every fact on it told, something was lost.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::facts::Key;
use super::scene::Job;
use super::seen::{Answer, Answers, By, seconds};

/// What was told of a job.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// By any process, in any order.
    pub(super) facts: &'a BTreeMap<Key, Vec<Value>>,
    /// In its order, where a process begins where the last one ended. `None` where the disk fails: what was told from
    /// memory may not be kept, and a process begins where some process was once.
    pub(super) story: Option<&'a [Key]>,
}

impl Told<'_> {
    /// Whether these facts were told; where there is an order, at this place of it.
    fn has(&self, facts: &[Key], place: usize) -> bool {
        let ordered: Vec<&Key> = facts.iter().filter(|fact| is_ordered(fact)).collect();
        let in_order = self.story.is_none_or(|story| story.iter().skip(place).take(ordered.len()).eq(ordered));
        in_order && facts.iter().all(|fact| self.facts.contains_key(fact))
    }
}

/// Whether the answer that causes a fact is known exactly: a deadline may pass while an answer is on its way, and the
/// record has no failures.
pub(super) fn is_ordered(fact: &Key) -> bool {
    match fact[0].as_str() {
        "job.first_seen" | "job.status_changed" | "job.failed_users" | "job.completed" => true,
        "job.warning" => fact[3] != "deadline_exceeded",
        _ => false,
    }
}

/// What a process knows of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    status: Option<String>,
    rank: u8,
    /// Imported, skipped, failed.
    counts: [u64; 3],
    /// A step back was shown once.
    back: bool,
    failed: u64,
    unknown: BTreeSet<String>,
    /// How many facts were told that have an order.
    told: usize,
}

fn rank(status: &str) -> Option<u8> {
    match status {
        "Created" => Some(0),
        "Pending" => Some(1),
        "InProgress" => Some(2),
        "Stopping" => Some(3),
        _ if is_over(status) => Some(4),
        _ => None,
    }
}

fn is_over(status: &str) -> bool {
    matches!(status, "Stopped" | "Succeeded" | "Failed" | "Expired")
}

impl Known {
    /// Whether a list that shows this is to be confirmed by an answer about the job alone.
    fn doubts(&self, listed: &Answer) -> bool {
        let fewer = listed.counts.iter().zip(self.counts).any(|(now, before)| *now < before);
        let back = rank(&listed.status).is_some_and(|rank| rank < self.rank);
        fewer || back || self.status.is_none() && is_over(&listed.status)
    }

    /// What an answer adds, and what has to be told of it.
    fn step(&self, answer: &Answer, job: &Job) -> (Self, Vec<Key>) {
        let mut next = self.clone();
        let mut facts = Vec::new();
        if answer.by == By::List && self.doubts(answer) {
            return (next, facts);
        }
        let back = rank(&answer.status).is_some_and(|rank| rank < self.rank);
        if back && !self.back {
            next.back = true;
            return (next, facts);
        }
        let mut fact = |name: &str, members: &[&str]| {
            let key = [name, job.pool, &job.id].into_iter().chain(members.iter().copied());
            facts.push(key.map(str::to_owned).collect::<Key>());
        };
        let status = answer.status.as_str();
        let moved = self.status.as_deref() != Some(status);
        match &self.status {
            None => fact("job.first_seen", &[]),
            Some(_) if moved => fact("job.status_changed", &[status]),
            Some(_) => {}
        }
        if answer.failed() > self.failed {
            fact("job.failed_users", &[&answer.failed().to_string()]);
        }
        next.failed = self.failed.max(answer.failed());
        next.counts = answer.counts;
        if is_over(status) {
            if moved {
                fact("job.completed", &[status]);
            }
        } else {
            match rank(status) {
                Some(rank) => {
                    if back {
                        let previous = self.status.as_deref().unwrap_or_default();
                        fact("job.warning", &["status_went_back", previous, status]);
                    }
                    next.rank = rank;
                }
                None => {
                    if next.unknown.insert(status.to_owned()) {
                        fact("job.warning", &["unknown_status", status]);
                    }
                }
            }
            if let Some(deadline) = job.deadline.filter(|deadline| answer.age >= *deadline as f64) {
                fact("job.warning", &["deadline_exceeded", &deadline.to_string()]);
            }
        }
        next.told += facts.iter().filter(|fact| is_ordered(fact)).count();
        next.back = false;
        next.status = Some(answer.status.clone());
        (next, facts)
    }
}

/// How much was asked for.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Answers that were taken for sure.
    pub(super) taken: usize,
    /// Answers that may have been lost with their process.
    pub(super) perhaps: usize,
}

/// Checks that what was seen of a job was told.
#[track_caller]
pub(super) fn everything_was_told(job: &Job, answers: &Answers, told: Told<'_>) -> Checked {
    let mut checked = Checked::default();
    let mut ever = BTreeSet::from([Known::default()]);
    let mut now = ever.clone();
    for (process, answers) in answers {
        if told.story.is_none() {
            now.clone_from(&ever);
        }
        for answer in answers {
            let mut after = if answer.taken { BTreeSet::new() } else { now.clone() };
            let mut lost = Vec::new();
            for known in &now {
                let (next, facts) = known.step(answer, job);
                if told.has(&facts, known.told) {
                    after.insert(next);
                } else {
                    lost.push((known, facts));
                }
            }
            assert!(
                !after.is_empty(),
                "seen and not told, or told and not seen: process {process} was answered {answer:?} of {}\n\
                 what it may have known, and should have told: {lost:#?}\nwhat was told: {:#?}",
                job.id,
                told.story
            );
            if answer.taken {
                checked.taken += 1
            } else {
                checked.perhaps += 1
            }
            ever.extend(after.iter().cloned());
            now = after;
        }
    }
    if let Some(story) = told.story {
        let rest = now.iter().map(|known| &story[known.told..]).min_by_key(|rest| rest.len());
        assert!(rest.is_some_and(<[Key]>::is_empty), "told of {} and never seen: {rest:#?}", job.id);
    }
    checked
}

/// Checks that the deadline of a job was told under one id, at the first answer behind it and by no other; whether it
/// was told at all. `start` is the wall time of the creation.
#[track_caller]
pub(super) fn deadline_is_unmoved(job: &Job, answers: &Answers, told: Told<'_>, start: f64) -> bool {
    let Some(deadline) = job.deadline else { return false };
    let warned: Vec<_> = told
        .facts
        .iter()
        .filter(|(key, _)| key[0] == "job.warning" && key[2] == job.id && key[3] == "deadline_exceeded")
        .flat_map(|(key, events)| events.iter().map(move |event| (key, event)))
        .collect();
    // A step back may have to be shown once more, and a list that is behind what was shown before may be in doubt.
    let mut before = ([0; 3], 0);
    let late = answers.values().flatten().find(|answer| {
        let rank = rank(&answer.status);
        let is_behind = rank.is_some_and(|rank| rank < before.1);
        let has_fewer = answer.counts.iter().zip(before.0).any(|(now, before)| *now < before);
        before.1 = before.1.max(rank.unwrap_or(0));
        before.0 = [0, 1, 2].map(|place| answer.counts[place].max(before.0[place]));
        let is_late = answer.taken && answer.age >= deadline as f64 && !is_over(&answer.status) && rank != Some(0);
        is_late && !is_behind && (answer.by == By::Describe || !has_fewer)
    });
    for (count, (key, event)) in warned.iter().enumerate() {
        assert_eq!(key[4], deadline.to_string(), "{event}");
        let at = seconds(&event["timestamp"]) - start;
        // Times are told in milliseconds, and so is the creation date.
        assert!(at >= deadline as f64 - 0.002, "{} s before its deadline: {event}", deadline as f64 - at);
        // Told again from memory by a later process, it is told later; the first time is never late.
        if count == 0 || told.story.is_some() {
            let by = late.and_then(|answer| answer.next);
            assert!(by.is_none_or(|by| at <= by + 0.002), "told at {at} s, not by {by:?} s: {event}");
        }
    }
    !warned.is_empty()
}
