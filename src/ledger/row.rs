//! A job's state as text: one JSON object, as it stands in the column `state`.
//!
//! Written and read by `store`; public for the fuzz targets alone. Keys are short words; a change of their meaning is a new schema.

use cognito_import_watch_core::domain::track::{Mark, StoredFailure};
use cognito_import_watch_core::domain::{
    AccountId, Counts, ErrorKind, JobSnapshot, JobStatus, PollError, StoredTrack, Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    known: Option<Known>,
    failed_told: u64,
    high_rank: u8,
    marks: Vec<String>,
    progress_at: i64,
    progress: [u64; 3],
    pace_from: Option<(i64, u64)>,
    changed: i64,
    last_good: Option<i64>,
    unknown_told: Vec<Box<str>>,
    /// Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deadlines_told: Vec<u64>,
    failing: Option<Failing>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    job_name: Option<Box<str>>,
    status: String,
    counts: [u64; 3],
    created_at: Option<i64>,
    started_at: Option<i64>,
    completed_at: Option<i64>,
    completion_message: Option<Box<str>>,
    account: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failing {
    since: i64,
    kind: String,
    message: String,
    streak: u32,
    told: Vec<String>,
    not_found: Option<i64>,
    refused_told: Vec<String>,
}

/// The state as text.
#[must_use]
pub fn write(track: &StoredTrack) -> String {
    let row = Row {
        known: track.known.as_ref().map(|known| Known {
            job_name: known.job_name.clone(),
            status: known.status.as_str().to_owned(),
            counts: three(known.counts),
            created_at: known.created_at.map(Timestamp::as_millis),
            started_at: known.started_at.map(Timestamp::as_millis),
            completed_at: known.completed_at.map(Timestamp::as_millis),
            completion_message: known.completion_message.clone(),
            account: known.account.as_ref().map(|account| account.as_str().to_owned()),
        }),
        failed_told: track.failed_told,
        high_rank: track.high_rank,
        marks: track.marks.iter().map(|mark| mark.as_str().to_owned()).collect(),
        progress_at: track.progress.0.as_millis(),
        progress: three(track.progress.1),
        pace_from: track.pace_from.map(|(from, done)| (from.as_millis(), done)),
        changed: track.changed.as_millis(),
        last_good: track.last_good.map(Timestamp::as_millis),
        unknown_told: track.unknown_told.clone(),
        deadlines_told: track.deadlines_told.clone(),
        failing: track.failing.as_ref().map(|failing| Failing {
            since: failing.since.as_millis(),
            kind: failing.error.kind.as_str().to_owned(),
            message: failing.error.message.clone(),
            streak: failing.streak,
            told: kinds(&failing.told),
            not_found: failing.not_found.map(Timestamp::as_millis),
            refused_told: kinds(&failing.refused_told),
        }),
    };
    // Numbers, texts and lists are always JSON; what were not would be told as damaged when it is read.
    serde_json::to_string(&row).unwrap_or_default()
}

/// The state of a text.
///
/// # Errors
/// What is wrong with the text.
pub fn read(text: &str) -> Result<StoredTrack, String> {
    let row: Row = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(StoredTrack {
        known: row.known.map(snapshot).transpose()?,
        failed_told: row.failed_told,
        high_rank: row.high_rank,
        marks: row.marks.iter().map(|word| mark(word)).collect::<Result<_, _>>()?,
        progress: (Timestamp::from_millis(row.progress_at), counts(row.progress)),
        pace_from: row.pace_from.map(|(from, done)| (Timestamp::from_millis(from), done)),
        changed: Timestamp::from_millis(row.changed),
        last_good: row.last_good.map(Timestamp::from_millis),
        unknown_told: row.unknown_told,
        deadlines_told: row.deadlines_told,
        failing: row.failing.map(failure).transpose()?,
    })
}

fn snapshot(known: Known) -> Result<JobSnapshot, String> {
    let account = known.account.map(|account| account.parse::<AccountId>()).transpose();
    Ok(JobSnapshot {
        job_name: known.job_name,
        status: JobStatus::from_wire(&known.status),
        counts: counts(known.counts),
        created_at: known.created_at.map(Timestamp::from_millis),
        started_at: known.started_at.map(Timestamp::from_millis),
        completed_at: known.completed_at.map(Timestamp::from_millis),
        completion_message: known.completion_message,
        account: account.map_err(|error| error.to_string())?,
    })
}

fn failure(failing: Failing) -> Result<StoredFailure, String> {
    Ok(StoredFailure {
        since: Timestamp::from_millis(failing.since),
        error: PollError::new(kind(&failing.kind)?, failing.message),
        streak: failing.streak,
        told: failing.told.iter().map(|word| kind(word)).collect::<Result<_, _>>()?,
        not_found: failing.not_found.map(Timestamp::from_millis),
        refused_told: failing.refused_told.iter().map(|word| kind(word)).collect::<Result<_, _>>()?,
    })
}

fn three(counts: Counts) -> [u64; 3] {
    [counts.imported, counts.skipped, counts.failed]
}

fn counts([imported, skipped, failed]: [u64; 3]) -> Counts {
    Counts { imported, skipped, failed }
}

fn kinds(kinds: &[ErrorKind]) -> Vec<String> {
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

fn kind(word: &str) -> Result<ErrorKind, String> {
    ErrorKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| format!("unknown kind of error {word:?}"))
}

fn mark(word: &str) -> Result<Mark, String> {
    Mark::ALL.into_iter().find(|mark| mark.as_str() == word).ok_or_else(|| format!("unknown mark {word:?}"))
}
