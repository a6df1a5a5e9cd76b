//! The statements: a batch of records in one transaction, and everything that is read back.
//!
//! Used by `writer` on its connection and by [`reader`](super::reader) on one that cannot write.

use std::collections::BTreeMap;
use std::sync::Arc;

use cognito_import_watch_core::domain::{AccountId, Target, TargetError, Timestamp, Verdict};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Statement, TransactionBehavior, params, params_from_iter};
use uuid::Uuid;

use super::record::{Record, RecordedJob};
use super::row;
use crate::sink::{RenderedEvent, level};

/// How many events are removed in one transaction at most: others may want to write.
const REMOVED_AT_ONCE: i64 = 1_000;

/// Something to be written.
#[derive(Debug)]
pub(super) enum Change {
    /// A job's new state and its events, each with its number.
    Job(Box<Record>, Vec<(i64, Arc<RenderedEvent>)>),
    /// Jobs that are not in the config since then, or before, or are in it.
    Retired(Vec<Target>, Option<Timestamp>),
}

/// An event as it was kept.
pub(super) type Numbered = (i64, RenderedEvent);

/// What is read and cannot be understood, or cannot be read.
#[derive(Debug)]
pub(super) enum ReadError {
    Sqlite(rusqlite::Error),
    Content(String),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Writes all of it, or nothing.
pub(super) fn write<'a>(
    connection: &mut Connection,
    changes: impl IntoIterator<Item = &'a Change>,
    again: &BTreeMap<i64, Arc<RenderedEvent>>,
    cursors: &BTreeMap<&'static str, i64>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut write_job = transaction.prepare(WRITE_JOB)?;
    let mut write_event = transaction.prepare(WRITE_EVENT)?;
    let mut retire = transaction.prepare(RETIRE)?;
    for change in changes {
        match change {
            Change::Job(record, events) => {
                job_to(&mut write_job, record)?;
                for (seq, event) in events {
                    event_to(&mut write_event, *seq, event)?;
                }
            }
            Change::Retired(jobs, at) => {
                let at = at.map(Timestamp::as_millis);
                for job in jobs {
                    retire.execute(params![job.pool.as_str(), job.job.as_str(), at])?;
                }
            }
        }
    }
    for (seq, event) in again {
        event_to(&mut write_event, *seq, event)?;
    }
    drop((write_job, write_event, retire));
    for (sink, seq) in cursors {
        transaction.execute(MOVE_CURSOR, params![sink, seq])?;
    }
    transaction.commit()
}

const WRITE_JOB: &str = "INSERT INTO jobs (pool, job, name, account, status, verdict, first_seen, retired, state) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8) ON CONFLICT DO UPDATE SET \
     name = excluded.name, account = excluded.account, status = excluded.status, verdict = excluded.verdict, \
     first_seen = coalesce(first_seen, excluded.first_seen), retired = NULL, state = excluded.state";

/// A commit that was reported as failed may have reached the disk all the same: the same number is the same event.
const WRITE_EVENT: &str = "INSERT OR REPLACE INTO events (seq, at, pool, job, event, event_id, level, line, subject, phrase) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Jobs of which it is said again are left as they are: since when they are not watched stays.
const RETIRE: &str = "UPDATE jobs SET retired = ?3 WHERE pool = ?1 AND job = ?2 AND (retired IS NULL) <> (?3 IS NULL)";

const MOVE_CURSOR: &str =
    "INSERT INTO cursors (sink, seq) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)";

fn job_to(statement: &mut Statement<'_>, record: &Record) -> rusqlite::Result<usize> {
    let known = record.track.known.as_ref();
    statement.execute(params![
        record.target.pool.as_str(),
        record.target.job.as_str(),
        record.name,
        record.account.as_ref().map(|account| account.as_str()),
        known.map(|known| known.status.as_str()),
        record.verdict.map(Verdict::as_str),
        known.map(|_| record.at.as_millis()),
        row::write(&record.track),
    ])
}

fn event_to(statement: &mut Statement<'_>, seq: i64, event: &RenderedEvent) -> rusqlite::Result<usize> {
    statement.execute(params![
        seq,
        event.at.as_millis(),
        event.target.pool.as_str(),
        event.target.job.as_str(),
        event.event,
        event.event_id.to_string(),
        level::word(event.level),
        event.line,
        event.subject,
        event.phrase,
    ])
}

/// The observer's id; made when there is none yet.
pub(super) fn instance(connection: &Connection) -> Result<Uuid, ReadError> {
    keep_instance(connection, Uuid::new_v4())?;
    let text: String = connection.query_row("SELECT value FROM meta WHERE key = 'instance'", [], |row| row.get(0))?;
    text.parse().map_err(|_| ReadError::Content(format!("the instance {text:?} is no UUID")))
}

/// Keeps this id where there is none yet.
pub(super) fn keep_instance(connection: &Connection, instance: Uuid) -> rusqlite::Result<()> {
    let insert = "INSERT INTO meta (key, value) VALUES ('instance', ?1) ON CONFLICT DO NOTHING";
    connection.execute(insert, [instance.to_string()]).map(drop)
}

/// The highest number ever given to an event that anybody may know of.
pub(super) fn last_number(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(seq) FROM cursors), 0))",
        [],
        |row| row.get(0),
    )
}

/// How far a sink was told; `None` for a sink that was never told anything.
pub(super) fn cursor(connection: &Connection, sink: &str) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT seq FROM cursors WHERE sink = ?1", [sink], |row| row.get(0)).optional()
}

/// The newest `most` events after `seq`, in their order, and how many older ones were left out.
pub(super) fn untold(connection: &Connection, seq: i64, most: usize) -> Result<(Vec<Numbered>, u64), ReadError> {
    let count: i64 = connection.query_row("SELECT count(*) FROM events WHERE seq > ?1", [seq], |row| row.get(0))?;
    let count = usize::try_from(count).unwrap_or(0);
    let left_out = count.saturating_sub(most);
    let sql = format!("SELECT {EVENT} FROM events WHERE seq > ?1 ORDER BY seq LIMIT -1 OFFSET ?2");
    let mut statement = connection.prepare(&sql)?;
    let offset = i64::try_from(left_out).unwrap_or(i64::MAX);
    let events = statement.query_map(params![seq, offset], |row| Ok(event(row)))?;
    let events = events.map(|event| event?).collect::<Result<_, ReadError>>()?;
    Ok((events, u64::try_from(left_out).unwrap_or(u64::MAX)))
}

/// Which events are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this job alone.
    pub target: Option<Target>,
    /// Of answers that arrived then or later.
    pub since: Option<Timestamp>,
}

/// The first `most` events after number `after` that pass the filter, in the order in which they were kept.
pub(super) fn history(
    connection: &Connection,
    filter: &Filter,
    after: i64,
    most: usize,
) -> Result<Vec<Numbered>, ReadError> {
    let mut sql = format!("SELECT {EVENT} FROM events WHERE seq > ?");
    let mut values = vec![Value::from(after)];
    if let Some(target) = &filter.target {
        sql.push_str(" AND pool = ? AND job = ?");
        values.extend([target.pool.as_str(), target.job.as_str()].map(|text| Value::from(text.to_owned())));
    }
    if let Some(since) = filter.since {
        sql.push_str(" AND at >= ?");
        values.push(since.as_millis().into());
    }
    sql.push_str(" ORDER BY seq LIMIT ?");
    values.push(i64::try_from(most).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare(&sql)?;
    let events = statement.query_map(params_from_iter(values), |row| Ok(event(row)))?;
    events.map(|event| event?).collect()
}

const EVENT: &str = "seq, at, pool, job, event_id, event, level, line, subject, phrase";

fn event(row: &Row<'_>) -> Result<Numbered, ReadError> {
    let level: String = row.get(6)?;
    let id: String = row.get(4)?;
    let event = RenderedEvent {
        at: Timestamp::from_millis(row.get(1)?),
        target: target(row.get(2)?, row.get(3)?)?,
        event_id: id.parse().map_err(|_| ReadError::Content(format!("the event id {id:?} is no UUID")))?,
        event: row.get(5)?,
        level: level::of_word(&level).ok_or_else(|| ReadError::Content(format!("unknown level {level:?}")))?,
        line: row.get(7)?,
        subject: row.get(8)?,
        phrase: row.get(9)?,
    };
    Ok((row.get(0)?, event))
}

fn target(pool: String, job: String) -> Result<Target, ReadError> {
    Ok(Target { pool: pool.parse().map_err(wrong)?, job: job.parse().map_err(wrong)? })
}

fn wrong(error: TargetError) -> ReadError {
    ReadError::Content(error.to_string())
}

/// Every job that was ever kept, by pool and job.
pub(super) fn jobs(connection: &Connection) -> Result<Vec<RecordedJob>, ReadError> {
    let mut statement = connection
        .prepare("SELECT pool, job, name, account, verdict, first_seen, retired, state FROM jobs ORDER BY pool, job")?;
    let jobs = statement.query_map([], |row| Ok(job(row)))?;
    jobs.map(|job| job?).collect()
}

fn job(row: &Row<'_>) -> Result<RecordedJob, ReadError> {
    let account: Option<String> = row.get(3)?;
    let verdict: Option<String> = row.get(4)?;
    let state: String = row.get(7)?;
    let of_word = |word: String| {
        let found = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == word);
        found.ok_or_else(|| ReadError::Content(format!("unknown verdict {word:?}")))
    };
    Ok(RecordedJob {
        target: target(row.get(0)?, row.get(1)?)?,
        name: row.get(2)?,
        account: account.map(|text| text.parse::<AccountId>()).transpose().map_err(wrong)?,
        track: row::read(&state).map_err(|error| ReadError::Content(format!("the state of a job: {error}")))?,
        verdict: verdict.map(of_word).transpose()?,
        first_seen: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        retired: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
    })
}

/// Removes the oldest events, of those that every sink was told: those older than `before`, up to the first that is
/// not, and those not among the newest `most`; of some only, where there are many. Gives how many.
pub(super) fn remove_events(
    connection: &Connection,
    told: i64,
    before: Option<Timestamp>,
    most: u64,
) -> rusqlite::Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let last: i64 = connection.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0))?;
    let old = match before {
        Some(before) => {
            let young = "SELECT seq FROM events WHERE at >= ?1 ORDER BY seq LIMIT 1";
            let young: Option<i64> = connection.query_row(young, [before.as_millis()], |row| row.get(0)).optional()?;
            young.map_or(last, |young| young - 1)
        }
        None => 0,
    };
    connection.execute(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= ?1 ORDER BY seq LIMIT ?2)",
        params![told.min(old.max(last.saturating_sub(most))), REMOVED_AT_ONCE],
    )
}
