//! What each process was answered about each job, by the simulator's record, and whether it must have taken it.
//!
//! A process names itself in the user agent of its requests: an answer to one that was killed is never taken for
//! another's, however late it was recorded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::scene::REQUEST_TIMEOUT_SECONDS;

/// How a process ended, as far as its last answers are concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    /// When it ended by itself and in good order: what it was answered it told.
    pub(super) stopped: Option<f64>,
    /// The pool whose jobs it was told to leave alone.
    pub(super) left_out: Option<&'static str>,
}

/// Which call brought an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// One about this job alone.
    Describe,
    /// A list that shows it with others.
    List,
}

/// One answer about a job.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) by: By,
    /// Seconds from the simulator's start to the request's arrival.
    at: f64,
    /// The same by a clock of whole seconds, as `Date` is.
    pub(super) age: f64,
    pub(super) status: String,
    /// Imported, skipped, failed.
    pub(super) counts: [u64; 3],
    /// Whether the process has it: it asked the same again, or ended cleanly. A list's is not for sure while the job may be
    /// asked about alone.
    pub(super) taken: bool,
    /// When the process asked the same again, in seconds from the simulator's start.
    pub(super) next: Option<f64>,
}

impl Answer {
    pub(super) fn failed(&self) -> u64 {
        self.counts[2]
    }
}

/// The answers about one job, by the number of the process, in their order.
pub(super) type Answers = BTreeMap<usize, Vec<Answer>>;

/// What a process calls itself: the value of `AWS_EXECUTION_ENV`.
pub(super) fn name(process: usize) -> String {
    format!("life-{process}")
}

/// The `poll.batch` of a process: every other one sees jobs by lists, where that is worth it.
pub(super) fn batch(process: usize) -> &'static str {
    if process.is_multiple_of(2) { "auto" } else { "never" }
}

/// The number of the process that sent a request.
fn process(entry: &Value) -> Option<usize> {
    let agent = entry["user_agent"].as_str()?;
    agent.split_whitespace().find_map(|word| word.strip_prefix("exec-env/life-"))?.parse().ok()
}

/// How many requests a process has sent.
pub(super) fn requests(record: &[Value], number: usize) -> usize {
    record.iter().filter(|entry| process(entry) == Some(number)).count()
}

/// A question that one process asked about a job or a pool, or its answer, in their order.
type Asked<'a> = BTreeMap<(usize, String), Vec<&'a Value>>;

/// The questions of this kind, by their process and what it was about.
fn asked<'a>(record: &'a [Value], operation: &str, subject: fn(&Value) -> String) -> Asked<'a> {
    let mut asked: Asked<'_> = BTreeMap::new();
    for entry in record.iter().filter(|entry| entry["operation"] == operation) {
        let process = process(entry).unwrap_or_else(|| panic!("nobody's request: {entry}"));
        asked.entry((process, subject(entry))).or_default().push(entry);
    }
    asked.values_mut().for_each(|entries| entries.sort_by(|one, other| at(one).total_cmp(&at(other))));
    asked
}

/// Each of these questions, and when the next of them was asked.
fn with_next<'a>(entries: &[&'a Value]) -> impl Iterator<Item = (&'a Value, Option<f64>)> {
    let next = entries.iter().skip(1).map(|next| Some(at(next))).chain([None]);
    let next: Vec<Option<f64>> = next.collect();
    entries.iter().copied().zip(next)
}

/// The answers about each job, by pool and job.
pub(super) fn answers(record: &[Value], ends: &[End]) -> BTreeMap<(String, String), Answers> {
    let describes = asked(record, "DescribeUserImportJob", |entry| {
        format!("{}/{}", text(&entry["user_pool_id"]), text(&entry["job_id"]))
    });
    let lists = asked(record, "ListUserImportJobs", |entry| text(&entry["user_pool_id"]));
    let mut last: BTreeMap<usize, f64> = BTreeMap::new();
    for ((process, _), entries) in describes.iter().chain(&lists) {
        let latest = last.entry(*process).or_default();
        *latest = entries.iter().map(|entry| at(entry)).fold(*latest, f64::max);
    }
    let mut answers: BTreeMap<(String, String), Answers> = BTreeMap::new();
    let mut add = |pool: &str, process: usize, job: &Value, answer: Answer| {
        let job = (pool.to_owned(), text(&job["job_id"]));
        answers.entry(job).or_default().entry(process).or_default().push(answer);
    };
    for ((process, target), entries) in &describes {
        let pool = target.split_once('/').expect("a target has two parts").0;
        for (entry, next) in with_next(entries).filter(|(entry, _)| entry["status"].is_string()) {
            add(pool, *process, entry, answer(By::Describe, entry, entry, next, &ends[*process], pool));
        }
    }
    for ((process, pool), entries) in lists.iter().filter(|((process, _), _)| batch(*process) == "auto") {
        for (entry, next) in with_next(entries) {
            for job in entry["jobs"].as_array().into_iter().flatten() {
                let alone = describes.get(&(*process, format!("{pool}/{}", text(&job["job_id"]))));
                // One that was on its way, or was about to leave, when the list's answer came: what the list shows of
                // that job is left to its answer.
                let from = at(entry) - REQUEST_TIMEOUT_SECONDS;
                // It may arrive after the next list, which left later: by as much as a new connection may take.
                let to = next.map(|next| next + REQUEST_TIMEOUT_SECONDS);
                let is_near = |alone: &&Value| at(alone) >= from && to.is_none_or(|to| at(alone) <= to);
                // One that was killed may have been about to ask.
                let is_known = ends[*process].stopped.is_some() || to.is_some_and(|to| last[process] > to);
                let mut answer = answer(By::List, entry, job, next, &ends[*process], pool);
                answer.taken &= is_known && !alone.into_iter().flatten().any(is_near);
                add(pool, *process, job, answer);
            }
        }
    }
    let in_order = |answers: &mut Vec<Answer>| answers.sort_by(|one, other| one.at.total_cmp(&other.at));
    answers.values_mut().flat_map(BTreeMap::values_mut).for_each(in_order);
    answers
}

/// What an answer showed of a job.
fn answer(by: By, entry: &Value, job: &Value, next: Option<f64>, end: &End, pool: &str) -> Answer {
    let (at, time) = (at(entry), seconds(&entry["time"]));
    // An answer that came later than that may have been given up at the very moment at which it came.
    let in_time = match next {
        Some(next) => next - at < REQUEST_TIMEOUT_SECONDS,
        None => {
            end.stopped.is_some_and(|stopped| stopped - time < REQUEST_TIMEOUT_SECONDS) && end.left_out != Some(pool)
        }
    };
    Answer {
        by,
        at,
        age: at - time.fract(),
        status: text(&job["status"]),
        counts: ["imported", "skipped", "failed"].map(|name| job[name].as_u64().unwrap()),
        taken: in_time && entry["complete"] == true,
        next,
    }
}

/// A time as seconds since 1970.
pub(super) fn seconds(time: &Value) -> f64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_duration().as_secs_f64()
}

fn at(entry: &Value) -> f64 {
    entry["at"].as_f64().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The wall time of the simulator's start, in seconds since 1970.
pub(super) fn start(record: &[Value]) -> f64 {
    let first = record.first().expect("somebody asked something");
    seconds(&first["time"]) - at(first)
}

/// Every status and every number of failed users that any answer showed of any job.
pub(super) fn shown(answers: &BTreeMap<(String, String), Answers>) -> BTreeSet<(&str, String)> {
    let all = answers.iter().flat_map(|((_, job), processes)| processes.values().flatten().map(move |it| (job, it)));
    all.flat_map(|(job, it)| [(job.as_str(), it.status.clone()), (job.as_str(), it.failed().to_string())]).collect()
}
