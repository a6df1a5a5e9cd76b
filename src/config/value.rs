//! The kinds of values a config file holds: how each is read, and what is said of one that is not it.
//! Used by [`file`](super::file), whose tables are made of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use cognito_import_watch_core::domain::{InvalidPattern, Limit, NamePattern, Target, UserPoolId};
use toml::de::DeValue;

use super::duration::{InvalidDuration, format_duration, parse_duration};
use super::problem::{Shown, listed, nearest};

/// Why a value is not of its kind.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) message: String,
    /// The right value as TOML, where it can be told; or other advice.
    pub(super) cure: Option<Cure>,
}

/// What to do about a value.
#[derive(Debug)]
pub(super) enum Cure {
    /// Write this after the key.
    Write(String),
    /// Advice in words.
    Advice(String),
}

impl Mismatch {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cure: None }
    }

    fn write(mut self, value: impl Into<String>) -> Self {
        self.cure = Some(Cure::Write(value.into()));
        self
    }

    pub(super) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.cure = Some(Cure::Advice(advice.into()));
        self
    }

    fn expected(what: &str, found: &DeValue<'_>) -> Self {
        Self::new(format!("expected {what}, found {}", kind(found)))
    }
}

/// A kind of value.
pub(super) trait Value: Sized {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch>;
}

/// One of a few words.
pub(super) trait Word: Copy + 'static {
    /// Every word with its meaning.
    const WORDS: &'static [(&'static str, Self)];
}

/// `a string`, `an integer`, …
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// An integer as it is, where it fits.
fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// An integer or a float as it is, where it is a number at all.
fn float(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(_) =>
        {
            #[expect(clippy::cast_precision_loss, reason = "the ranges end far below the first integer that is lost")]
            integer(value).map(|integer| integer as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::String(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Reads a number within a range.
pub(super) fn number(value: &DeValue<'_>, range: RangeInclusive<f64>) -> Result<f64, Mismatch> {
    let bounds = format!("a number within {} and {}", range.start(), range.end());
    match value {
        DeValue::Integer(_) | DeValue::Float(_) => float(value)
            .filter(|number| range.contains(number))
            .ok_or_else(|| Mismatch::new(format!("{} is out of range: write {bounds}", number_text(value)))),
        DeValue::String(text) => Err(quoted_number(value, text, &bounds)),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err(Mismatch::expected(&bounds, value))
        }
    }
}

/// Reads a whole number within a range.
pub(super) fn count(value: &DeValue<'_>, range: RangeInclusive<u64>) -> Result<u64, Mismatch> {
    if *range.end() > i64::MAX.unsigned_abs() {
        let bounds = format!("a whole number, at least {}", range.start());
        whole(value, range, &bounds)
    } else {
        let bounds = format!("a whole number within {} and {}", range.start(), range.end());
        whole(value, range, &bounds)
    }
}

/// Reads a whole number within a range, which messages call `bounds`.
fn whole(value: &DeValue<'_>, range: RangeInclusive<u64>, bounds: &str) -> Result<u64, Mismatch> {
    match value {
        DeValue::Integer(_) => integer(value)
            .and_then(|integer| u64::try_from(integer).ok())
            .filter(|count| range.contains(count))
            .ok_or_else(|| Mismatch::new(format!("{} is out of range: write {bounds}", number_text(value)))),
        DeValue::String(text) => Err(quoted_number(value, text, bounds)),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err(Mismatch::expected(bounds, value))
        }
    }
}

/// A number as it was written, cut.
fn number_text(value: &DeValue<'_>) -> String {
    let text = match value {
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::String(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            String::new()
        }
    };
    // The parser takes for a number whatever begins like one.
    let mut shown: String = text.chars().take(24).flat_map(char::escape_debug).collect();
    if text.chars().nth(24).is_some() {
        shown.push('…');
    }
    shown
}

fn quoted_number(value: &DeValue<'_>, text: &str, bounds: &str) -> Mismatch {
    let mismatch = Mismatch::expected(bounds, value);
    if text.len() < 24 && text.trim().parse::<f64>().is_ok_and(f64::is_finite) {
        mismatch.write(text.trim())
    } else {
        mismatch
    }
}

impl Value for String {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        value.as_str().map(Self::from).ok_or_else(|| Mismatch::expected("a string", value))
    }
}

impl<T: Word> Value for T {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let words = || T::WORDS.iter().map(|(word, _)| *word);
        let Some(text) = value.as_str() else { return Err(Mismatch::expected(&listed(words()), value)) };
        T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let mismatch = Mismatch::new(format!("unknown word {}: write {}", Shown(text), listed(words())));
            match nearest(text, words()) {
                Some(word) => mismatch.advice(format!("did you mean \"{word}\"?")),
                None => mismatch,
            }
        })
    }
}

/// A duration: `"30s"`, `"1h30m"`, `"0"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period(pub(super) Duration);

impl Value for Period {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let refused = |error: InvalidDuration| {
            let mismatch = Mismatch::new(error.to_string());
            match error.instead() {
                Some(instead) => mismatch.write(format!("\"{instead}\"")),
                None => mismatch,
            }
        };
        match value {
            DeValue::String(text) => parse_duration(text).map(Self).map_err(|error| match error {
                InvalidDuration::Form => Mismatch::new(format!("{} is {error}", Shown(text))),
                InvalidDuration::BareNumber(_)
                | InvalidDuration::Untidy(_)
                | InvalidDuration::Negative
                | InvalidDuration::TooLong => refused(error),
            }),
            DeValue::Integer(_) => Err(refused(match integer(value) {
                Some(seconds) if seconds < 0 => InvalidDuration::Negative,
                Some(seconds) => InvalidDuration::BareNumber(format!("{seconds}s")),
                None => InvalidDuration::TooLong,
            })),
            DeValue::Float(_) => Err(refused(match float(value).map(Duration::try_from_secs_f64) {
                Some(Ok(duration)) => InvalidDuration::BareNumber(format_duration(duration)),
                Some(Err(_)) | None => InvalidDuration::Form,
            })),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Err(Mismatch::expected("a duration like \"30s\", \"5m\" or \"1h30m\"", value))
            }
        }
    }
}

/// A duration longer than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PositivePeriod(pub(super) Duration);

impl Value for PositivePeriod {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let Period(duration) = Period::read(value)?;
        if duration.is_zero() { Err(Mismatch::new("the duration must be longer than 0")) } else { Ok(Self(duration)) }
    }
}

/// A duration longer than 0, or `"none"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaybePeriod(pub(super) Option<Duration>);

impl Value for MaybePeriod {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        if value.as_str() == Some("none") {
            return Ok(Self(None));
        }
        let Period(duration) = Period::read(value)?;
        if duration.is_zero() {
            Err(Mismatch::new("the duration must be longer than 0; for never, write none").write("\"none\""))
        } else {
            Ok(Self(Some(duration)))
        }
    }
}

/// A number of users, or `"any"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserLimit(pub(super) Limit);

impl Value for UserLimit {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        if value.as_str() == Some("any") {
            return Ok(Self(Limit::Any));
        }
        if let Some(text) = value.as_str()
            && nearest(text, ["any"]).is_some()
        {
            return Err(Mismatch::new(format!("{} is neither a number nor \"any\"", Shown(text))).write("\"any\""));
        }
        let most = whole(value, 0..=u64::MAX, "a whole number, at least 0, or \"any\"")?;
        Ok(Self(Limit::AtMost(most)))
    }
}

/// A text for people or for reference: not empty, one line, at most 128 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) String);

impl Value for Name {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let name = String::read(value)?;
        let long = name.chars().count();
        if name.trim().is_empty() {
            Err(Mismatch::new("the name is empty"))
        } else if long > 128 {
            Err(Mismatch::new(format!("the name is too long: {long} characters, at most 128")))
        } else if name.chars().any(char::is_control) {
            Err(Mismatch::new("the name holds a control character; write it in one line"))
        } else {
            Ok(Self(name))
        }
    }
}

/// A pattern for the names of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(pub(super) NamePattern);

impl Value for Pattern {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        String::read(value)?.parse().map(Self).map_err(|error: InvalidPattern| Mismatch::new(error.to_string()))
    }
}

/// Any text that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl Value for Text {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let text = String::read(value)?;
        if text.trim().is_empty() { Err(Mismatch::new("the text is empty")) } else { Ok(Self(text)) }
    }
}

/// A target: `<user-pool-id>/<job-id>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TargetText(pub(super) Target);

impl Value for TargetText {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        String::read(value)?.parse().map(Self).map_err(|error| Mismatch::new(format!("{error}")))
    }
}

/// A user pool's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolId(pub(super) UserPoolId);

impl Value for PoolId {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        String::read(value)?.parse().map(Self).map_err(|error| Mismatch::new(format!("{error}")))
    }
}
