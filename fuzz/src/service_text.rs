//! Any names, statuses, messages and errors of a service, in every form that is printed.
//!
//! The first byte is the terminal's columns (none below 20), the second the fact that is told, the third the form; then
//! come the texts, with a zero byte between two.

use std::time::Duration;

use cognito_import_watch::output::progress::{JobProgress, Moment, ProgressMode, ProgressModel};
use cognito_import_watch::output::{JobReport, LostPool, PoolReport, WaitResult, history, list, status};
use cognito_import_watch::sink::RenderedEvent;
use cognito_import_watch::telemetry::record::Record;
use cognito_import_watch::telemetry::{Color, LogFormat, TextStyle};
use cognito_import_watch::text;
use cognito_import_watch_core::domain::{
    Counts, ErrorKind, JobEvent, JobFact, JobIdentity, JobSnapshot, JobStatus, PollError, Target, Tick, Timestamp,
    Verdict, WarningKind,
};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use crate::printable::{assert_json_line, assert_lines, assert_one_line};

/// 2026-11-22T17:03:22.123Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_367_002_123);

/// Texts of the service as they came.
struct Texts {
    job_name: Option<Box<str>>,
    name: Option<Box<str>>,
    status: JobStatus,
    message: Option<Box<str>>,
    error: PollError,
}

/// Text forms hold no hidden character and nothing that a pipeline would run, JSON forms are one object in one line that
/// says what the service said.
pub fn fuzz(data: &[u8]) {
    let [columns, fact, form, rest @ ..] = data else { return };
    let Ok(target) = "us-west-2_EXAMPLE/import-mAgUtd8PMm".parse::<Target>() else { return };
    let columns = (*columns >= 20).then(|| usize::from(*columns));
    let words: Vec<String> = rest.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into()).collect();
    let word = |index: usize| words.get(index).map(|word| Box::from(word.as_str()));
    let texts = Texts {
        job_name: word(0),
        name: word(1),
        status: JobStatus::from_wire(&word(2).unwrap_or_default()),
        message: word(3),
        error: PollError::new(
            ErrorKind::ALL[usize::from(*fact) % ErrorKind::ALL.len()],
            format!("{target} in us-west-2: {}", word(4).unwrap_or_default()),
        ),
    };
    let job = JobIdentity { target, job_name: texts.job_name.clone(), name: texts.name.clone(), account: None };
    match form % 5 {
        0 => lines_of(&texts, columns.unwrap_or(40)),
        1 => event(&job, &texts, *fact, columns),
        2 => results(&job, &texts, *fact, columns),
        3 => diagnostics(&texts, columns),
        _ => progress(&job, &texts, columns),
    }
}

/// Text that stands for itself in one line, and how it is fitted.
fn lines_of(texts: &Texts, columns: usize) {
    let all = [texts.job_name.as_deref(), texts.name.as_deref(), texts.message.as_deref()];
    for text in all.into_iter().flatten() {
        let line = text::one_line(text);
        assert_one_line(&line);
        assert!(line.chars().count() <= text::MOST_CHARACTERS + 1);
        assert!(text::width(&text::cut(&line, columns)) <= columns);
        assert!(text::width(&text::cut_middle(&line, columns)) <= columns);
        assert_eq!(text::width(&text::fit(&line, columns)), columns, "{line:?}");
        for piece in text::wrap(&line, columns, columns) {
            assert!(text::width(&piece) <= columns, "{piece:?} of {line:?} in {columns} columns");
            assert_one_line(&piece);
        }
        assert_one_line(&text::error_of(text, "us-west-2_EXAMPLE"));
    }
}

fn event(job: &JobIdentity, texts: &Texts, fact: u8, columns: Option<usize>) {
    let event = JobEvent {
        at: NOW,
        job: job.clone(),
        status: Some(texts.status.clone()),
        counts: Some(Counts { imported: fact.into(), skipped: u64::MAX, failed: 1 }),
        fact: fact_of(texts, fact),
    };
    let rendered = RenderedEvent::of(&event, Uuid::nil());
    let line = assert_json_line(&rendered.line);
    assert_eq!(line.get("job_name").and_then(|name| name.as_str()), texts.job_name.as_deref());
    assert_eq!(line.get("status").and_then(|status| status.as_str()), Some(texts.status.as_str()));
    assert_one_line(&rendered.subject);
    assert_one_line(&rendered.phrase);
    let record = Record::Rendered {
        level: rendered.level,
        timestamp: rendered.at.to_string(),
        line: rendered.line.to_string(),
        subject: Some(rendered.subject.to_string()),
        phrase: rendered.phrase.to_string(),
    };
    told(record, columns);
    let mut line = String::new();
    history::line(&rendered, &mut line);
    assert_json_line(line.trim_end_matches('\n'));
    for columns in [None, columns] {
        let mut rows = history::Rows::default();
        rows.push(&rendered);
        is_a_result(&rows.text(columns), columns);
    }
}

fn fact_of(texts: &Texts, fact: u8) -> JobFact {
    let error = texts.error.clone();
    let previous = texts.status.clone();
    match fact % 16 {
        0 => JobFact::FirstSeen,
        1 => JobFact::StatusChanged { previous },
        2 => JobFact::FailedUsers { previous: fact.into(), new: u64::MAX },
        3 => JobFact::Progress { percent: Some(f64::from(fact)), eta: Some(Duration::from_secs(fact.into())) },
        4 => JobFact::Completed {
            verdict: Verdict::ALL[usize::from(fact) % Verdict::ALL.len()],
            elapsed: Some(Duration::MAX),
            completion_message: texts.message.clone(),
            created_at: Some(NOW),
            started_at: None,
            completed_at: Some(Timestamp::from_millis(i64::MIN)),
        },
        5 => JobFact::Warning(WarningKind::UploadUrlLapsed),
        6 => JobFact::Warning(WarningKind::NearExpiry),
        7 => JobFact::Warning(WarningKind::Stalled { unchanged_for: Duration::from_secs(u64::from(fact) * 1_000) }),
        8 => JobFact::Warning(WarningKind::StatusWentBack { previous }),
        9 => JobFact::Warning(WarningKind::UnknownStatus),
        10 => JobFact::Warning(WarningKind::DeadlineExceeded { deadline: Duration::from_secs(fact.into()) }),
        11 => JobFact::PollFailed { error, since: NOW, next_poll: Some(Duration::from_secs(30)) },
        12 => JobFact::PollRecovered { error_kind: error.kind, since: NOW },
        13 => JobFact::NotFound { error, since: NOW },
        14 => JobFact::AccessDenied { error, since: NOW },
        _ => JobFact::Progress { percent: None, eta: None },
    }
}

fn results(job: &JobIdentity, texts: &Texts, fact: u8, columns: Option<usize>) {
    let snapshot = JobSnapshot {
        job_name: texts.job_name.clone(),
        status: texts.status.clone(),
        counts: Counts { imported: u64::MAX, skipped: 0, failed: fact.into() },
        created_at: Some(NOW),
        started_at: Some(Timestamp::from_millis(i64::MAX)),
        completed_at: None,
        completion_message: texts.message.clone(),
        account: None,
    };
    let report = JobReport {
        job: job.clone(),
        snapshot: Some(snapshot),
        observed_at: Some(NOW),
        verdict: None,
        error: (fact > 127).then(|| texts.error.clone()),
    };
    let jobs = vec![JobReport { snapshot: None, ..report.clone() }, report];
    let pool = job.target.pool.clone();
    let lost = LostPool { pool: pool.clone(), verdict: Verdict::AccessDenied, error: Some(texts.error.clone()) };
    let pools = [PoolReport { pool, jobs: jobs.clone(), error: (fact.is_multiple_of(2)).then(|| texts.error.clone()) }];
    let result = WaitResult {
        verdict: Verdict::ALL[usize::from(fact) % Verdict::ALL.len()],
        exit_code: 10,
        elapsed: Duration::from_secs(fact.into()),
        polls: 1,
        jobs: jobs.clone(),
        lost_pools: vec![lost.clone()],
    };
    let lost = [lost];
    let found = assert_json_line(&status::json(&jobs, &lost));
    let name = found.get("jobs").and_then(|jobs| jobs.get(0)?.get("job_name")).and_then(|name| name.as_str());
    assert_eq!(name, texts.job_name.as_deref());
    assert_json_line(&list::json(&pools));
    assert_json_line(&result.json());
    for columns in [None, columns] {
        is_a_result(&status::text(&jobs, &lost, columns), columns);
        is_a_result(&list::text(&pools, columns), columns);
        is_a_result(&result.text(columns), columns);
    }
}

/// Where no terminal is, a pipeline may read: no line begins with text of the service.
fn is_a_result(text: &str, columns: Option<usize>) {
    assert_lines(text);
    if columns.is_none() {
        let command = text.lines().find(|line| line.trim_start().starts_with("::"));
        assert_eq!(command, None, "a pipeline would run this line");
    }
}

fn diagnostics(texts: &Texts, columns: Option<usize>) {
    let value = |text: &Option<Box<str>>| text.as_deref().into();
    let record = Record::Diagnostic {
        level: Level::WARN,
        target: "cognito_import_watch::run".to_owned(),
        message: "a constant message".to_owned(),
        fields: vec![
            ("job_name", value(&texts.job_name)),
            ("level", value(&texts.message)),
            ("error", texts.error.to_string().into()),
        ],
    };
    told(record, columns);
}

/// A record in both forms.
fn told(record: Record, columns: Option<usize>) {
    assert_json_line(&LogFormat::Json.render(record.clone(), NOW));
    let plain = |columns| LogFormat::Text(TextStyle { color: Color::Off, columns });
    let line = plain(None).render(record.clone(), NOW);
    assert_one_line(&line);
    assert!(line.starts_with("17:0"), "{line}");
    let fitted = plain(columns).render(record, NOW);
    assert_lines(&fitted);
    if let Some(columns) = columns.filter(|columns| *columns >= 40) {
        for line in fitted.lines() {
            assert!(text::width(line) <= columns, "{line:?} in {columns} columns");
        }
    }
}

fn progress(job: &JobIdentity, texts: &Texts, columns: Option<usize>) {
    let now = |seconds| Moment {
        tick: Tick::from_start(Duration::from_secs(seconds)),
        time: NOW.plus(Duration::from_secs(seconds)),
    };
    let view = JobProgress {
        name: job.display_name().map(Into::into),
        status: Some(texts.status.clone()),
        counts: Some(Counts { imported: u64::MAX, skipped: 1, failed: 0 }),
        percent: Some(45.0),
        eta: Some(Duration::from_secs(200)),
        last_good_poll: Some(NOW),
    };
    let mode = columns.map_or(ProgressMode::Lines, |columns| ProgressMode::Live { columns });
    let mut model = ProgressModel::new(mode, LevelFilter::WARN, Uuid::nil(), now(0));
    model.add(&job.target, job.name.as_deref());
    model.observe(&job.target, view, Some(Duration::from_secs(4)), now(1));
    if let Some(record) = model.tick(now(100)) {
        told(record, columns);
    }
    if let Some(columns) = columns {
        for line in model.frame(columns, now(2)) {
            assert_one_line(&line);
            assert!(text::width(&line) <= columns, "{line:?} in {columns} columns");
        }
    }
}
