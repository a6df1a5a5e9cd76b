//! What is known of the jobs that are waited for, and which lines it gives: decisions only, with time as data.
//!
//! Fed by [`super::show`]; the live display is laid out by [`super::frame`].

use std::collections::HashMap;
use std::time::Duration;

use cognito_import_watch_core::domain::{Counts, JobEvent, JobFact, JobStatus, Phase, Target, Tick, Timestamp};
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use super::mode::ProgressMode;
use super::silence;
use crate::sink::{EventLine, level, phrase};
use crate::telemetry::record::Record;
use crate::text::one_line;

/// Without a terminal, one line comes after this much silence: some runners kill a job that says nothing.
pub const SILENCE: Duration = Duration::from_secs(60);

/// How often a live display is drawn anew, for its clocks.
const FRAME: Duration = Duration::from_secs(1);

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// On the monotonic clock.
    pub tick: Tick,
    /// On the wall clock.
    pub time: Timestamp,
}

/// What is known of a job; the default is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobProgress {
    /// The configured name, else the job's own, as it came.
    pub name: Option<Box<str>>,
    /// Its status.
    pub status: Option<JobStatus>,
    /// Its counters.
    pub counts: Option<Counts>,
    /// 0 to 100, where the total is known.
    pub percent: Option<f64>,
    /// Time left, where the total is known.
    pub eta: Option<Duration>,
    /// When the newest answer arrived that showed it.
    pub last_good_poll: Option<Timestamp>,
}

/// A job that is waited for.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) target: Target,
    pub(super) view: JobProgress,
    /// When it is asked about next.
    pub(super) next_poll: Option<Tick>,
    /// When its watch ended.
    pub(super) ended: Option<Tick>,
}

impl Row {
    /// What the job is called, safe to print.
    pub(super) fn name(&self) -> String {
        let name = self.view.name.as_deref().map(one_line).filter(|name| !name.trim().is_empty());
        name.unwrap_or_else(|| self.target.to_string())
    }

    /// Whether it moves, waits, or is over; a job never seen waits.
    pub(super) fn phase(&self) -> Phase {
        if self.ended.is_some() {
            return Phase::Terminal;
        }
        self.view.status.as_ref().map_or(Phase::Waiting, JobStatus::phase)
    }

    /// Its status, safe to print, in a word where it is one that we know.
    pub(super) fn status(&self) -> String {
        self.view.status.as_ref().map_or_else(|| "not seen".to_owned(), |status| one_line(status.as_str()))
    }
}

/// What is known of all of them.
#[derive(Debug)]
pub struct ProgressModel {
    mode: ProgressMode,
    logged: LevelFilter,
    instance: Uuid,
    pub(super) started: Tick,
    pub(super) rows: Vec<Row>,
    index: HashMap<Target, usize>,
    /// When the newest line was printed, here or by the log.
    newest_line: Tick,
    /// When [`ProgressModel::tick`] was last called.
    ticked: Tick,
}

impl ProgressModel {
    /// Nothing is known yet. The log tells events up to the level `logged`; `instance` is the observer.
    #[must_use]
    pub fn new(mode: ProgressMode, logged: LevelFilter, instance: Uuid, now: Moment) -> Self {
        Self {
            mode,
            logged,
            instance,
            started: now.tick,
            rows: Vec::new(),
            index: HashMap::new(),
            newest_line: now.tick,
            ticked: now.tick,
        }
    }

    /// In which form progress is shown.
    #[must_use]
    pub fn mode(&self) -> ProgressMode {
        self.mode
    }

    /// A job that is waited for, and the name its owner gave it.
    pub fn add(&mut self, target: &Target, name: Option<&str>) {
        let view = JobProgress { name: name.map(Into::into), ..JobProgress::default() };
        self.row(target).view = view;
    }

    /// What is known of a job now, and when it is asked about next; never again where its watch is over.
    pub fn observe(&mut self, target: &Target, view: JobProgress, next_poll: Option<Duration>, now: Moment) {
        let row = self.row(target);
        row.next_poll = next_poll.map(|wait| now.tick.plus(wait));
        row.ended = if next_poll.is_none() { row.ended.or(Some(now.tick)) } else { None };
        row.view = view;
    }

    fn row(&mut self, target: &Target) -> &mut Row {
        let next = self.rows.len();
        let index = *self.index.entry(target.clone()).or_insert(next);
        if index == next {
            self.rows.push(Row { target: target.clone(), view: JobProgress::default(), next_poll: None, ended: None });
        }
        // The index holds places of `rows` only, and rows are never taken out.
        &mut self.rows[index]
    }

    /// The line to print for an event, unless the log tells it. The live display shows most changes by itself: only
    /// an end, a job to be started and a warning get a line above it.
    pub fn event(&mut self, event: &JobEvent, now: Moment) -> Option<Record> {
        let is_logged = level::of_job(event) <= self.logged;
        let wanted = match self.mode {
            ProgressMode::Nothing => false,
            ProgressMode::Lines => true,
            ProgressMode::Live { .. } => is_for_above_the_display(event),
        };
        if is_logged || wanted {
            self.newest_line = now.tick;
        }
        (wanted && !is_logged).then(|| {
            let line = EventLine::render(event, self.instance);
            Record::Rendered {
                level: line.level,
                timestamp: line.at.to_string(),
                line: line.json,
                subject: Some(phrase::subject(&event.job)),
                phrase: phrase::job(event),
            }
        })
    }

    /// When [`ProgressModel::tick`] is wanted next: as the silence ends, or as a live display is to be drawn anew.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Tick> {
        match self.mode {
            ProgressMode::Nothing => None,
            // Without an open job there is no line to print, and so no end of the silence.
            ProgressMode::Lines => self.open().next().map(|_| self.newest_line.plus(SILENCE)),
            ProgressMode::Live { .. } => Some(self.ticked.plus(FRAME)),
        }
    }

    fn open(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.ended.is_none())
    }

    /// The line to print after [`SILENCE`], while a job is not over; a live display is never silent.
    pub fn tick(&mut self, now: Moment) -> Option<Record> {
        self.ticked = now.tick;
        match self.mode {
            ProgressMode::Nothing | ProgressMode::Live { .. } => return None,
            ProgressMode::Lines if now.tick.since(self.newest_line) < SILENCE => return None,
            ProgressMode::Lines => {}
        }
        let open: Vec<&Row> = self.open().collect();
        let record = match open.as_slice() {
            [] => return None,
            [row] => silence::of_one(row, now),
            open => silence::of_many(self, open, now),
        };
        self.newest_line = now.tick;
        Some(record)
    }

    /// The users of all jobs together.
    pub(super) fn total(&self) -> Counts {
        self.rows.iter().filter_map(|row| row.view.counts).fold(Counts::default(), |sum, counts| Counts {
            imported: sum.imported.saturating_add(counts.imported),
            skipped: sum.skipped.saturating_add(counts.skipped),
            failed: sum.failed.saturating_add(counts.failed),
        })
    }

    /// How many jobs there are in each phase: `3 jobs: 1 waiting, 1 active, 1 over`.
    pub(super) fn summary(&self) -> String {
        let count = |phase| self.rows.iter().filter(|row| row.phase() == phase).count();
        format!(
            "{} jobs: {} waiting, {} active, {} over",
            self.rows.len(),
            count(Phase::Waiting),
            count(Phase::Active),
            count(Phase::Terminal)
        )
    }
}

fn is_for_above_the_display(event: &JobEvent) -> bool {
    match event.fact {
        JobFact::FirstSeen => event.status == Some(JobStatus::Created),
        JobFact::Completed { .. }
        | JobFact::Warning(_)
        | JobFact::FailedUsers { .. }
        | JobFact::PollFailed { .. }
        | JobFact::PollRecovered { .. }
        | JobFact::NotFound { .. }
        | JobFact::AccessDenied { .. } => true,
        JobFact::StatusChanged { .. } | JobFact::Progress { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::mode::ProgressMode::{Lines, Live, Nothing};
    use super::*;
    use crate::sink::samples::{NOW, event, job_events};
    use crate::telemetry::capture::plain;

    fn after(seconds: u64) -> Moment {
        let elapsed = Duration::from_secs(seconds);
        Moment { tick: Tick::from_start(elapsed), time: NOW.plus(elapsed) }
    }

    fn model(mode: ProgressMode, logged: LevelFilter) -> ProgressModel {
        ProgressModel::new(mode, logged, Uuid::nil(), after(0))
    }

    fn target(number: usize) -> Target {
        format!("us-west-2_EXAMPLE/import-{number}").parse().unwrap()
    }

    fn running(imported: u64) -> JobProgress {
        JobProgress {
            name: Some("nightly customers".into()),
            status: Some(JobStatus::InProgress),
            counts: Some(Counts { imported, skipped: 0, failed: 1 }),
            percent: Some(45.0),
            eta: Some(Duration::from_secs(200)),
            last_good_poll: Some(after(50).time),
        }
    }

    fn told(record: Option<Record>) -> Option<String> {
        record.map(|record| plain(None).render(record, NOW))
    }

    const NEXT: Option<Duration> = Some(Duration::from_secs(4));

    #[test]
    fn lines_tell_each_change_that_the_log_does_not() {
        let change = event("a", JobStatus::InProgress, JobFact::StatusChanged { previous: JobStatus::Created });
        let mut quiet_log = model(Lines, LevelFilter::WARN);
        assert_eq!(
            told(quiet_log.event(&change, after(1))).as_deref(),
            Some("17:03:22 INFO  a  Created → InProgress  12 imported, 0 skipped, 1 failed")
        );
        assert_eq!(model(Lines, LevelFilter::INFO).event(&change, after(1)), None);
        assert_eq!(model(Nothing, LevelFilter::OFF).event(&change, after(1)), None);
    }

    #[test]
    fn every_event_is_told_once_by_the_log_or_by_the_lines() {
        for event in job_events("a") {
            for logged in [LevelFilter::OFF, LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO] {
                let by_the_log = level::of_job(&event) <= logged;
                let by_us = model(Lines, logged).event(&event, after(1)).is_some();
                assert!(by_the_log != by_us, "{event:?} at {logged}");
            }
        }
    }

    #[test]
    fn a_job_to_be_started_is_told_above_a_live_display_and_a_change_is_not() {
        let mut live = model(Live { columns: 80 }, LevelFilter::WARN);
        let created = event("a", JobStatus::Created, JobFact::FirstSeen);
        let line = told(live.event(&created, after(1))).unwrap_or_default();
        assert!(line.contains("upload the CSV and call StartUserImportJob"), "{line}");
        let change = event("a", JobStatus::InProgress, JobFact::StatusChanged { previous: JobStatus::Created });
        assert_eq!(live.event(&change, after(1)), None);
    }

    #[test]
    fn a_minute_of_silence_is_broken_by_one_line() {
        let mut model = model(Lines, LevelFilter::WARN);
        model.add(&target(1), None);
        model.observe(&target(1), running(12), NEXT, after(2));
        assert_eq!(model.tick(after(59)), None);
        assert_eq!(
            told(model.tick(after(60))).as_deref(),
            Some(
                "17:04:22 INFO  nightly customers  InProgress  12 imported, 0 skipped, 1 failed  45 %, 3m 20s left  \
                 last good poll 17:04:12"
            )
        );
        assert_eq!(model.tick(after(61)), None);
        assert!(model.tick(after(120)).is_some());
    }

    #[test]
    fn nobody_is_woken_before_the_silence_ends_and_a_live_display_each_second() {
        let at = |seconds| Some(after(seconds).tick);
        let mut lines = model(Lines, LevelFilter::WARN);
        assert_eq!(lines.wakes_at(), None);
        lines.observe(&target(1), running(12), NEXT, after(2));
        assert_eq!(lines.wakes_at(), at(60));
        let change = event("a", JobStatus::InProgress, JobFact::StatusChanged { previous: JobStatus::Created });
        assert!(lines.event(&change, after(30)).is_some());
        assert_eq!(lines.wakes_at(), at(90));
        assert!(lines.tick(after(90)).is_some());
        assert_eq!(lines.wakes_at(), at(150));
        // All is over: a time in the past would wake them without end.
        lines.observe(&target(1), running(12), None, after(200));
        assert_eq!(lines.wakes_at(), None);

        let mut live = model(Live { columns: 80 }, LevelFilter::WARN);
        assert_eq!(live.wakes_at(), at(1));
        assert_eq!(live.tick(after(1)), None);
        assert_eq!(live.wakes_at(), at(2));
        assert_eq!(model(Nothing, LevelFilter::WARN).wakes_at(), None);
    }

    #[test]
    fn a_line_of_the_log_breaks_the_silence_too() {
        let mut model = model(Lines, LevelFilter::WARN);
        model.observe(&target(1), running(12), NEXT, after(2));
        let warned = event("a", JobStatus::InProgress, JobFact::FailedUsers { previous: 0, new: 1 });
        assert_eq!(model.event(&warned, after(30)), None);
        assert_eq!(model.tick(after(89)), None);
        assert!(model.tick(after(90)).is_some());
    }

    #[test]
    fn the_silence_of_many_jobs_is_one_line_and_that_of_none_no_line() {
        let mut model = model(Lines, LevelFilter::WARN);
        assert_eq!(model.tick(after(60)), None);
        model.add(&target(1), Some("first"));
        model.observe(&target(2), running(12), NEXT, after(2));
        model.observe(&target(3), running(30), None, after(2));
        assert_eq!(
            told(model.tick(after(60))).as_deref(),
            Some(
                "17:04:22 INFO  3 jobs: 1 waiting, 1 active, 1 over  42 imported, 0 skipped, 2 failed  no good poll yet"
            )
        );
        for number in 1..=3 {
            model.observe(&target(number), running(12), None, after(70));
        }
        assert_eq!(model.tick(after(1_000)), None);
    }

    #[test]
    fn a_line_after_silence_is_one_flat_object_in_json() {
        let mut model = model(Lines, LevelFilter::WARN);
        model.observe(&target(1), running(12), NEXT, after(2));
        let record = model.tick(after(60)).unwrap();
        assert_eq!(
            crate::telemetry::LogFormat::Json.render(record, NOW),
            "{\"timestamp\":\"2026-11-22T17:04:22.123Z\",\"level\":\"info\",\"message\":\"no change\",\
             \"open_jobs\":1,\"imported_users\":12,\"skipped_users\":0,\"failed_users\":1,\
             \"last_good_poll\":\"2026-11-22T17:04:12.123Z\",\"user_pool_id\":\"us-west-2_EXAMPLE\",\
             \"job_id\":\"import-1\",\"name\":\"nightly customers\",\"status\":\"InProgress\"}"
        );
    }

    #[test]
    fn no_line_begins_with_a_name() {
        let mut model = model(Lines, LevelFilter::WARN);
        let view = JobProgress { name: Some("::error::a\n::error::b".into()), ..running(1) };
        model.observe(&target(1), view, NEXT, after(2));
        let line = told(model.tick(after(60))).unwrap_or_default();
        assert!(line.starts_with("17:04:22 INFO  ::error::a\\n::error::b"), "{line}");
    }
}
