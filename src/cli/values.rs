//! What a flag or an argument may say: each value read from its text, with words for a wrong one.
//!
//! Called by clap while it reads the command line.

use std::time::Duration;

use cognito_import_watch_core::domain::{Limit, Target, Timestamp, UserPoolId};

use crate::config::{LogFormat, LogLevel, parse_duration};

/// The beginning of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// At this time.
    At(Timestamp),
}

/// A job or a whole pool, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// One job.
    Job(Target),
    /// Every job of a pool.
    Pool(UserPoolId),
}

/// A job as it is typed.
pub(super) fn target(text: &str) -> Result<Target, String> {
    text.parse().map_err(|error: cognito_import_watch_core::domain::TargetError| error.to_string())
}

/// A pool as it is typed.
pub(super) fn pool(text: &str) -> Result<UserPoolId, String> {
    text.parse().map_err(|error: cognito_import_watch_core::domain::TargetError| error.to_string())
}

/// A job or a whole pool.
pub(super) fn watched(text: &str) -> Result<Watched, String> {
    if text.contains('/') {
        return target(text).map(Watched::Job);
    }
    pool(text).map(Watched::Pool).or_else(|_| target(text).map(Watched::Job))
}

/// So long ago, or a time.
pub(super) fn since(text: &str) -> Result<Since, String> {
    let time = text.trim().parse::<jiff::Timestamp>();
    if let Ok(time) = time {
        return Ok(Since::At(Timestamp::from_millis(time.as_millisecond())));
    }
    parse_duration(text)
        .map(Since::Ago)
        .map_err(|error| format!("{error}; or write a time with its zone, such as 2026-11-22T17:00:00Z"))
}

/// A number or `any`.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    match text.trim() {
        "any" => Ok(Limit::Any),
        number => number.parse().map(Limit::AtMost).map_err(|_| "write a whole number, or any".to_owned()),
    }
}

/// A level of the log.
pub(super) fn log_level(text: &str) -> Result<LogLevel, String> {
    word(text, LogLevel::WORDS)
}

/// A form of the log.
pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    word(text, LogFormat::WORDS)
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("write one of: {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_begins_so_long_ago_or_at_a_time() {
        assert_eq!(since("1h30m"), Ok(Since::Ago(Duration::from_secs(5_400))));
        let at = Since::At(Timestamp::from_millis(1_548_271_708_000));
        assert_eq!((since("2019-01-23T19:28:28Z"), since("2019-01-23T20:28:28+01:00")), (Ok(at), Ok(at)));
        assert!(since("yesterday").unwrap_err().contains("write a time with its zone"));
        assert!(since("90").unwrap_err().contains("90s"));
    }

    #[test]
    fn a_target_and_a_pool_are_told_apart() {
        assert!(matches!(watched("us-west-2_X/import-a"), Ok(Watched::Job(_))));
        assert!(matches!(watched("us-west-2_X"), Ok(Watched::Pool(_))));
        assert!(watched("import-a").unwrap_err().contains("write <user-pool-id>/import-a"));
    }
}
