//! The reference: what has to be told of one job, from the answers about it and nothing else.
//!
//! There are no notes of what was done; every question ("was that told before?", "since when?") is put to the story so
//! far. Written from the table of events, not from the state machine.

use std::collections::BTreeMap;

use cognito_import_watch_core::domain::Timestamp;
use serde_json::Value;

/// The job as an answer showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) status: &'static str,
    /// Imported, skipped, failed.
    pub(super) counts: [u64; 3],
    /// `CreationDate`, in milliseconds.
    pub(super) created: Option<i64>,
}

impl Sight {
    /// The place of the status in the documented order; none for a word that is not documented.
    fn rank(&self) -> Option<usize> {
        match self.status {
            "Created" => Some(0),
            "Pending" => Some(1),
            "InProgress" => Some(2),
            "Stopping" => Some(3),
            "Stopped" | "Succeeded" | "Failed" | "Expired" => Some(4),
            _ => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.rank() == Some(4)
    }

    fn failed(&self) -> u64 {
        self.counts[2]
    }

    fn counters(&self) -> [String; 3] {
        self.counts.map(|count| count.to_string())
    }
}

/// Which call brought an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// One about this job alone.
    Describe,
    /// A list, which may be behind.
    List,
}

/// What an answer showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Job(Sight),
    /// Nothing, for this reason.
    Failure(&'static str),
}

/// Something that has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// The name of its event, and what makes it this fact.
    pub(super) key: Vec<String>,
    /// Some further fields of its event.
    pub(super) says: BTreeMap<&'static str, Value>,
}

impl Fact {
    fn new(key: impl IntoIterator<Item = String>) -> Self {
        Self { key: key.into_iter().collect(), says: BTreeMap::new() }
    }

    fn saying(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.says.insert(field, value.into());
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.key[0]
    }

    fn is(&self, name: &str, last: &str) -> bool {
        self.name() == name && self.key.iter().any(|part| part == last)
    }
}

/// Who observes which job, under which rules.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// The observer's id.
    pub(super) instance: String,
    /// Pool and job.
    pub(super) target: [String; 2],
    /// In seconds.
    pub(super) deadline: Option<u64>,
    pub(super) max_failed_users: Option<u64>,
}

impl Watch {
    /// A fact of the job: the same for every observer.
    fn of_job<const N: usize>(&self, name: &str, key: [&str; N]) -> Fact {
        let parts = [name].into_iter().chain(self.target.iter().map(String::as_str)).chain(key);
        Fact::new(parts.map(str::to_owned))
    }

    /// A fact of this observer.
    fn of_observer<const N: usize>(&self, name: &str, key: [&str; N]) -> Fact {
        let mut fact = self.of_job(name, key);
        fact.key.insert(1, self.instance.clone());
        fact
    }
}

/// One answer and what it had to tell.
#[derive(Clone, Debug)]
struct Entry {
    /// When it arrived.
    at: i64,
    shown: Shown,
    by: By,
    /// Whether it counts: a step back does when two answers about this job alone show it.
    counts: bool,
    told: Vec<Fact>,
}

/// Every answer about a job that said something new, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Story(Vec<Entry>);

/// How long a counter's move waits to be told, how long "not found" may pass, when a job is stalled, when an upload URL
/// lapses, and when a job is about to expire; in milliseconds.
const PROGRESS: i64 = 30_000;
const GRACE: i64 = 30_000;
const STALL: i64 = 30 * 60_000;
const LAPSE: i64 = 15 * 60_000;
const EXPIRY: i64 = 23 * 3_600_000;

impl Story {
    /// The last state that counts.
    pub(super) fn known(&self) -> Option<&Sight> {
        self.seen().next_back().map(|(_, sight)| sight)
    }

    /// Whether nothing was ever heard of the job, not even a failure.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_over(&self) -> bool {
        self.known().is_some_and(Sight::is_over)
    }

    /// Whether the last answer was the job, and counted.
    pub(super) fn is_settled(&self) -> bool {
        self.0.last().is_some_and(|entry| entry.counts)
    }

    /// What has to be told of an answer that arrived at `at`.
    pub(super) fn hear(&mut self, watch: &Watch, at: i64, by: By, shown: Shown) -> Vec<Fact> {
        let (counts, told) = match &shown {
            Shown::Job(sight) => {
                let counts = match by {
                    By::Describe => self.counts(sight),
                    By::List => !self.is_doubtful(sight),
                };
                let mut told = if counts { self.seen_now(watch, at, sight) } else { Vec::new() };
                told.extend(self.recovered(watch));
                (counts, told)
            }
            Shown::Failure(kind) => (false, self.failed(watch, at, kind)),
        };
        if !(told.is_empty() && self.adds_nothing(by, &shown)) {
            self.0.push(Entry { at, shown, by, counts, told: told.clone() });
        }
        told
    }

    /// Whether a list that shows this is to be confirmed by an answer about the job alone: it may be behind what is
    /// known, and that a job is over is not told for the sake of a list alone where nothing else was ever seen of it.
    pub(super) fn is_doubtful(&self, listed: &Sight) -> bool {
        let Some(known) = self.known() else { return listed.is_over() };
        let fewer = listed.counts.iter().zip(known.counts).any(|(now, before)| *now < before);
        fewer || self.is_back(listed)
    }

    /// Whether it is the same again, more often than matters.
    fn adds_nothing(&self, by: By, shown: &Shown) -> bool {
        let repeats = self.0.iter().rev().take_while(|entry| entry.by == by && entry.shown == *shown).count();
        match shown {
            Shown::Job(_) => repeats >= 1,
            Shown::Failure(_) => repeats >= 2,
        }
    }

    fn seen(&self) -> impl DoubleEndedIterator<Item = (&Entry, &Sight)> {
        self.0.iter().filter(|entry| entry.counts).filter_map(|entry| match &entry.shown {
            Shown::Job(sight) => Some((entry, sight)),
            Shown::Failure(_) => None,
        })
    }

    fn told(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter().flat_map(|entry| &entry.told)
    }

    /// The latest place in the documented order.
    fn rank(&self) -> Option<usize> {
        self.seen().rev().find_map(|(_, sight)| sight.rank())
    }

    fn is_back(&self, sight: &Sight) -> bool {
        sight.rank().zip(self.rank()).is_some_and(|(now, before)| now < before)
    }

    fn counts(&self, sight: &Sight) -> bool {
        let is_word = |entry: &&Entry| match entry.shown {
            Shown::Job(_) => entry.counts || entry.by == By::Describe,
            Shown::Failure(_) => false,
        };
        let before = self.0.iter().rev().find(is_word);
        !self.is_back(sight) || before.is_some_and(|before| !before.counts)
    }

    fn seen_now(&self, watch: &Watch, at: i64, sight: &Sight) -> Vec<Fact> {
        let before = self.known();
        let moved = before.is_none_or(|before| before.status != sight.status);
        let mut told = Vec::new();
        match before {
            None => told.push(watch.of_job("job.first_seen", [])),
            Some(before) if moved => {
                told.push(watch.of_job("job.status_changed", [sight.status]).saying("previous_status", before.status))
            }
            Some(_) => {}
        }
        let highest = self.seen().map(|(_, sight)| sight.failed()).max().unwrap_or(0);
        if sight.failed() > highest {
            let fact = watch.of_job("job.failed_users", [&sight.failed().to_string()]);
            let fact = fact.saying("previous_failed_users", highest);
            told.push(fact.saying("new_failed_users", sight.failed() - highest));
        }
        let [a, b, c] = sight.counters();
        if !moved && self.progress_is_due(at, sight) {
            told.push(watch.of_job("job.progress", [&a, &b, &c]));
        }
        if sight.is_over() {
            if moved {
                told.push(watch.of_job("job.completed", [sight.status]).saying("verdict", verdict(watch, sight)));
            }
        } else {
            told.extend(self.warnings(watch, at, sight));
        }
        told
    }

    /// Counters that differ from those told last, half a minute after they were told.
    fn progress_is_due(&self, at: i64, sight: &Sight) -> bool {
        let mut before = None;
        let mut last = (0, [0; 3]);
        for (entry, seen) in self.seen() {
            let told = entry.told.iter().any(|fact| fact.name() == "job.progress");
            if told || before != Some(seen.status) {
                last = (entry.at, seen.counts);
            }
            before = Some(seen.status);
        }
        last.1 != sight.counts && at - last.0 >= PROGRESS
    }

    fn warnings(&self, watch: &Watch, at: i64, sight: &Sight) -> Vec<Fact> {
        let before = self.known();
        let age = sight.created.map_or(0, |created| (date(at) - created).max(0));
        let waits = sight.status == "Created";
        let mut told = Vec::new();
        let mut warn = |due: bool, kind: &str, rest: &[&str]| {
            let mut fact = watch.of_job("job.warning", [kind]);
            fact.key.extend(rest.iter().map(|part| (*part).to_owned()));
            if due {
                told.push(fact);
            }
        };
        let once = |kind: &str, rest: &str| {
            let told = |fact: &Fact| fact.is("job.warning", kind) && fact.is("job.warning", rest);
            !self.told().any(told)
        };
        warn(waits && age >= LAPSE && once("upload_url_lapsed", "upload_url_lapsed"), "upload_url_lapsed", &[]);
        warn(waits && age >= EXPIRY && once("near_expiry", "near_expiry"), "near_expiry", &[]);
        let [a, b, c] = sight.counters();
        warn(self.is_stalled(at, sight), "stalled", &[sight.status, &a, &b, &c]);
        if let Some(before) = before.filter(|_| self.is_back(sight)) {
            warn(true, "status_went_back", &[before.status, sight.status]);
        }
        warn(sight.rank().is_none() && once("unknown_status", sight.status), "unknown_status", &[sight.status]);
        if let Some(deadline) = watch.deadline {
            let late = sight.created.is_some() && age >= i64::try_from(deadline).unwrap() * 1_000;
            let deadline = deadline.to_string();
            warn(late && once("deadline_exceeded", &deadline), "deadline_exceeded", &[&deadline]);
        }
        told
    }

    /// Whether an active job shows what it showed half an hour ago, and that was not told since.
    fn is_stalled(&self, at: i64, sight: &Sight) -> bool {
        let same = |seen: &Sight| (seen.status, seen.counts) == (sight.status, sight.counts);
        let since: Vec<&Entry> = self.seen().rev().take_while(|(_, seen)| same(seen)).map(|(entry, _)| entry).collect();
        let told = since.iter().flat_map(|entry| &entry.told).any(|fact| fact.is("job.warning", "stalled"));
        let long = since.last().is_some_and(|first| date(at) - date(first.at) >= STALL);
        sight.status != "Created" && long && !told
    }

    /// The failures since the last good answer.
    fn episode(&self) -> &[Entry] {
        let length = self.0.iter().rev().take_while(|entry| matches!(entry.shown, Shown::Failure(_))).count();
        &self.0[self.0.len() - length..]
    }

    fn failed(&self, watch: &Watch, at: i64, kind: &'static str) -> Vec<Fact> {
        let episode = self.episode();
        let is_kind = |entry: &Entry| entry.shown == Shown::Failure(kind);
        let since = time(episode.first().map_or(at, |first| first.at));
        let told_before =
            |name: &str, kind: &str| episode.iter().flat_map(|entry| &entry.told).any(|fact| fact.is(name, kind));
        let mut told = Vec::new();
        if !episode.is_empty() && !told_before("job.poll_failed", kind) {
            told.push(watch.of_observer("job.poll_failed", [kind, &since]));
        }
        let first_of_kind = episode.iter().find(|entry| is_kind(entry)).map_or(at, |entry| entry.at);
        let refused = match kind {
            "not_found" if at - first_of_kind >= GRACE => Some("job.not_found"),
            "denied" if episode.last().is_some_and(is_kind) => Some("job.access_denied"),
            _ => None,
        };
        if let Some(name) = refused.filter(|name| !told_before(name, &since)) {
            told.push(watch.of_observer(name, [&since]));
        }
        told
    }

    fn recovered(&self, watch: &Watch) -> Option<Fact> {
        let episode = self.episode();
        let mut failed = episode.iter().flat_map(|entry| &entry.told).filter(|fact| fact.name() == "job.poll_failed");
        let kind = failed.next_back()?.key[4].clone();
        Some(watch.of_observer("job.poll_recovered", [&kind, &time(episode.first()?.at)]))
    }
}

fn verdict(watch: &Watch, sight: &Sight) -> &'static str {
    match sight.status {
        "Succeeded" if watch.max_failed_users.is_some_and(|most| sight.failed() > most) => "too_many_failed_users",
        "Succeeded" => "succeeded",
        "Failed" => "failed",
        "Stopped" => "stopped",
        _ => "expired",
    }
}

/// The same moment by the service's clock, which shows whole seconds.
fn date(at: i64) -> i64 {
    at - at % 1_000
}

fn time(millis: i64) -> String {
    Timestamp::from_millis(millis).to_string()
}
