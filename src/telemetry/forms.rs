//! Tests of every event in both forms, through the whole of the log.

use serde_json::Value;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use super::capture::{plain, printed};
use super::{Color, LogFormat, TextStyle};
use crate::sink::samples::{daemon_events, job_events, lane_events, long_name};
use crate::sink::{EventLine, LogSink};
use crate::text::width;

const INSTANCE: Uuid = Uuid::from_u128(0x0123_4567_89ab_4def_8123_4567_89ab_cdef);

fn log_every_event(text: &str) {
    let sink = LogSink::new(INSTANCE);
    job_events(text).iter().for_each(|event| sink.job(event));
    lane_events().iter().for_each(|event| sink.lane(event));
    daemon_events(text).iter().for_each(|event| sink.daemon(event));
}

fn number_of_events() -> usize {
    job_events("").len() + lane_events().len() + daemon_events("").len()
}

fn hostile_names() -> [String; 7] {
    [
        "two\nlines\r\n::error::injected".into(),
        "::error file=x::injected".into(),
        "\u{1b}]0;title\u{7}\u{1b}[31mred\u{9b}2J".into(),
        "\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}\u{2028}\u{0}".into(),
        "\"},{\"event\":\"job.completed\\".into(),
        "##[error]##vso[task.complete result=Failed]".into(),
        "n".repeat(10_000),
    ]
}

/// Compares with a file of `tests/data`; with UPDATE_EXPECTED in the environment it is written anew.
fn assert_expected(file: &str, actual: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(actual == expected, "{file} differs; with UPDATE_EXPECTED=1 it becomes:\n{actual}");
}

#[test]
fn every_event_is_readable_at_80_columns_with_a_name_of_128_characters() {
    let text = printed(LevelFilter::INFO, plain(Some(80)), || log_every_event(&long_name()));
    assert_expected("events-at-80-columns.txt", &text);
    for line in text.lines() {
        assert!(width(line) <= 80, "{} columns: {line}", width(line));
    }
}

#[test]
fn every_event_is_one_line_where_nobody_looks() {
    let text = printed(LevelFilter::INFO, plain(None), || log_every_event("nightly customers"));
    assert_expected("events.txt", &text);
}

#[test]
fn every_event_is_coloured_by_its_level() {
    let format = LogFormat::Text(TextStyle { color: Color::On, columns: Some(80) });
    let text = printed(LevelFilter::INFO, format, || log_every_event("nightly customers"));
    let shown = text.replace('\u{1b}', "<ESC>");
    assert_expected("events-in-colour.txt", &shown);
}

#[test]
fn every_event_keeps_its_fields_and_their_order_in_json() {
    let text = printed(LevelFilter::INFO, LogFormat::Json, || log_every_event("nightly customers"));
    assert_expected("events.jsonl", &text);
}

#[test]
fn the_json_log_prints_the_very_line_that_was_rendered() {
    let events = job_events("a\u{1b}\n\"b\" ü \u{202e}");
    let rendered: Vec<String> = events.iter().map(|event| EventLine::render(event, INSTANCE).json).collect();
    let sink = LogSink::new(INSTANCE);
    let text = printed(LevelFilter::INFO, LogFormat::Json, || events.iter().for_each(|event| sink.job(event)));
    assert_eq!(text, rendered.join("\n") + "\n");
}

#[test]
fn a_hostile_name_makes_one_harmless_line_of_text() {
    for name in hostile_names() {
        let text = printed(LevelFilter::TRACE, plain(None), || log_every_event(&name));
        assert_eq!(text.lines().count(), number_of_events(), "{text}");
        for line in text.lines() {
            assert!(line.starts_with("17:03:22 "), "{line}");
            assert!(!line.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{2028}']), "{line}");
            assert!(!line.chars().any(char::is_control), "{line}");
            assert!(!line.contains("##"), "{line}");
            assert!(line.chars().count() < 1_500, "{line}");
        }
    }
}

#[test]
fn a_hostile_name_leaves_a_terminal_alone() {
    for name in hostile_names() {
        let text = printed(LevelFilter::TRACE, plain(Some(80)), || log_every_event(&name));
        for line in text.lines() {
            assert!(line.starts_with("17:03:22 ") || line.starts_with("             │ "), "{line}");
            assert!(!line.chars().any(char::is_control) && width(line) <= 80, "{line}");
        }
    }
}

#[test]
fn a_hostile_name_is_kept_as_it_is_in_json() {
    for name in hostile_names() {
        let text = printed(LevelFilter::TRACE, LogFormat::Json, || log_every_event(&name));
        assert_eq!(text.split_terminator('\n').count(), number_of_events());
        for line in text.split_terminator('\n') {
            let value: Value = serde_json::from_str(line).unwrap();
            if let Some(job_name) = value.get("job_name") {
                assert_eq!(job_name, &Value::from(name.as_str()));
            }
        }
    }
}

#[test]
fn a_record_that_is_no_event_is_one_flat_object() {
    let log = || {
        let error = std::io::Error::other("disk full\nreally");
        tracing::debug!(%error, tries = 3, level = "x", late = 1.5, "poll put off");
    };
    assert_eq!(
        printed(LevelFilter::DEBUG, LogFormat::Json, log),
        "{\"timestamp\":\"2026-11-22T17:03:22.123Z\",\"level\":\"debug\",\"message\":\"poll put off\",\
         \"target\":\"cognito_import_watch::telemetry::forms\",\"error\":\"disk full\\nreally\",\"tries\":3,\
         \"field_level\":\"x\",\"late\":1.5}\n"
    );
    assert_eq!(
        printed(LevelFilter::DEBUG, plain(None), log),
        "17:03:22 DEBUG poll put off error=\"disk full\\nreally\" tries=3 level=x late=1.5\n"
    );
}

#[test]
fn a_level_lets_through_what_is_as_loud() {
    let log = || {
        tracing::info!("told");
        tracing::debug!("not told");
    };
    let text = printed(LevelFilter::INFO, plain(None), log);
    assert!(text.ends_with(" told\n") && !text.contains("not told"), "{text}");
    assert_eq!(printed(LevelFilter::OFF, plain(None), log), "");
}

#[test]
fn no_word_of_a_library_is_printed_and_none_below_warn() {
    const MARK: &str = "AKIAMARKEDMARKED";
    for format in [LogFormat::Json, plain(None)] {
        let text = printed(LevelFilter::TRACE, format, || {
            tracing::warn!(target: "aws_config::profile", token = MARK, "failed with {MARK}");
            tracing::error!(target: "hyper_util::client", url = ?MARK, "{MARK}");
            tracing::info!(target: "aws_smithy_runtime::client", body = MARK, "sent {MARK}");
            tracing::trace!(target: "hyper::proto", body = MARK, "read {MARK}");
            tracing::warn!(target: "cognito_import_watchmaker", "{MARK}");
        });
        assert!(!text.contains(MARK), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("aws_config::profile") && text.contains("hyper_util::client"), "{text}");
        assert!(text.contains("its words are withheld"), "{text}");
    }
}
