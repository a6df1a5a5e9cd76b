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

/// One answer about a job.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Seconds from the simulator's start to the request's arrival, by a clock of whole seconds, as `Date` is.
    pub(super) age: f64,
    pub(super) status: String,
    pub(super) failed: u64,
    /// Whether the process has it: it asked about the job again, or ended cleanly.
    pub(super) taken: bool,
    /// When the process asked about the job again, in seconds from the simulator's start.
    pub(super) next: Option<f64>,
}

/// The answers about one job, by the number of the process, in their order.
pub(super) type Answers = BTreeMap<usize, Vec<Answer>>;

/// What a process calls itself: the value of `AWS_EXECUTION_ENV`.
pub(super) fn name(process: usize) -> String {
    format!("life-{process}")
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

/// The answers about each job, by pool and job.
pub(super) fn answers(record: &[Value], ends: &[End]) -> BTreeMap<(String, String), Answers> {
    let mut asked: BTreeMap<(String, String), BTreeMap<usize, Vec<&Value>>> = BTreeMap::new();
    for entry in record.iter().filter(|entry| entry["operation"] == "DescribeUserImportJob") {
        let job = (text(&entry["user_pool_id"]), text(&entry["job_id"]));
        let process = process(entry).unwrap_or_else(|| panic!("nobody's request: {entry}"));
        asked.entry(job).or_default().entry(process).or_default().push(entry);
    }
    let of_process = |(process, mut entries): (usize, Vec<&Value>), pool: &str| {
        entries.sort_by(|one, other| at(one).total_cmp(&at(other)));
        let next = entries.iter().skip(1).map(|next| Some(at(next))).chain([None]);
        let shown = entries.iter().zip(next).filter(|(entry, _)| entry["status"].is_string());
        let answers = shown.map(|(entry, next)| answer(entry, next, &ends[process], pool)).collect();
        (process, answers)
    };
    asked
        .into_iter()
        .map(|(job, processes)| {
            let answers = processes.into_iter().map(|process| of_process(process, &job.0)).collect();
            (job, answers)
        })
        .collect()
}

fn answer(entry: &Value, next: Option<f64>, end: &End, pool: &str) -> Answer {
    let (at, time) = (at(entry), seconds(&entry["time"]));
    // An answer that came later than that may have been given up at the very moment at which it came.
    let in_time = match next {
        Some(next) => next - at < REQUEST_TIMEOUT_SECONDS,
        None => {
            end.stopped.is_some_and(|stopped| stopped - time < REQUEST_TIMEOUT_SECONDS) && end.left_out != Some(pool)
        }
    };
    Answer {
        age: at - time.fract(),
        status: text(&entry["status"]),
        failed: entry["failed"].as_u64().unwrap(),
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
    all.flat_map(|(job, it)| [(job.as_str(), it.status.clone()), (job.as_str(), it.failed.to_string())]).collect()
}
