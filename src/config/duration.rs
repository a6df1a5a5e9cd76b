//! Durations as people write them: `30s`, `5m`, `1h30m`, `1d`, `0`.
//! Used by the readers of the config file and of the command line.

use std::fmt;
use std::time::Duration;

/// The longest duration that is accepted: ten years. A sum of times stays far from the end of any clock.
pub const MAX_DURATION: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The units, the longest first, with their milliseconds. A day is 24 hours.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is no duration, with the right form spelled out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidDuration {
    /// A number without a unit; holds what to write instead.
    BareNumber(String),
    /// Only white space or capitals are wrong; holds what to write instead.
    Untidy(String),
    /// A number below zero.
    Negative,
    /// Longer than [`MAX_DURATION`].
    TooLong,
    /// Anything else.
    Form,
}

impl InvalidDuration {
    /// What to write instead, where that is known.
    #[must_use]
    pub fn instead(&self) -> Option<&str> {
        match self {
            Self::BareNumber(instead) | Self::Untidy(instead) => Some(instead),
            Self::Negative | Self::TooLong | Self::Form => None,
        }
    }
}

impl fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BareNumber(instead) => write!(f, "a bare number is not a duration: write {instead}"),
            Self::Untidy(instead) => write!(f, "not a duration: write {instead}"),
            Self::Negative => f.write_str("a duration is not below 0"),
            Self::TooLong => f.write_str("the duration is too long: at most 3650d"),
            Self::Form => f.write_str("not a duration: write it like 30s, 5m, 1h30m or 1d"),
        }
    }
}

impl std::error::Error for InvalidDuration {}

/// Reads a duration: whole numbers with the units `d`, `h`, `m`, `s` and `ms`, from the longest to the
/// shortest, each at most once; or `0`. White space around it is dropped.
///
/// # Errors
/// When the text has another form, or is longer than [`MAX_DURATION`].
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidDuration::BareNumber(format!("{}s", cut(text))));
    }
    if text.starts_with('-') {
        return Err(InvalidDuration::Negative);
    }
    parse_units(text).map_err(|error| match error {
        InvalidDuration::Form => {
            let tidy: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
            match parse_units(&tidy) {
                Ok(_) => InvalidDuration::Untidy(tidy),
                Err(_) => InvalidDuration::Form,
            }
        }
        other @ (InvalidDuration::BareNumber(_)
        | InvalidDuration::Untidy(_)
        | InvalidDuration::Negative
        | InvalidDuration::TooLong) => other,
    })
}

fn parse_units(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (unit, tail) = tail.split_at(letters);
        // The iterator goes on where it stopped: a shorter unit never comes before a longer one.
        let (_, factor) = units.find(|(name, _)| *name == unit).ok_or(InvalidDuration::Form)?;
        if number.is_empty() {
            return Err(InvalidDuration::Form);
        }
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor));
        millis = part.and_then(|part| millis.checked_add(part)).ok_or(InvalidDuration::TooLong)?;
        rest = tail;
    }
    let duration = Duration::from_millis(millis);
    match duration {
        _ if text.is_empty() => Err(InvalidDuration::Form),
        _ if duration > MAX_DURATION => Err(InvalidDuration::TooLong),
        _ => Ok(duration),
    }
}

/// A duration in the form that [`parse_duration`] reads, whole milliseconds.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in UNITS {
        if millis >= factor {
            text.push_str(&format!("{}{unit}", millis / factor));
            millis %= factor;
        }
    }
    if text.is_empty() { "0".into() } else { text }
}

/// A number of any length, short enough for a message.
fn cut(digits: &str) -> &str {
    digits.get(..20).unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in
            [("30s", 30.0), ("5m", 300.0), ("1h30m", 5_400.0), ("1d", 86_400.0), ("0", 0.0), ("0s", 0.0)]
        {
            assert_eq!(parse_duration(text).map(|d| d.as_secs_f64()), Ok(seconds), "{text}");
        }
        assert_eq!(parse_duration(" 1d2h3m4s5ms "), Ok(Duration::from_millis(93_784_005)));
        assert_eq!(parse_duration("3650d"), Ok(MAX_DURATION));
    }

    #[test]
    fn a_bare_number_is_refused_with_the_right_form() {
        let refused = |text: &str| parse_duration(text).map_err(|error| error.to_string());
        assert_eq!(refused("30"), Err("a bare number is not a duration: write 30s".into()));
        assert_eq!(refused("1h 30M"), Err("not a duration: write 1h30m".into()));
        assert!(refused(&"9".repeat(10_000)).is_err_and(|message| message.len() < 100));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", " ", "s", "1.5h", "1x", "30m1h", "1s1s", "1m30", "5min", "٣s", "1s\u{0}", "1sm"] {
            assert_eq!(parse_duration(text), Err(InvalidDuration::Form), "{text:?}");
        }
        assert_eq!(parse_duration("-5s"), Err(InvalidDuration::Negative));
        for text in ["3650d1ms", "99999999999999999999d", "18446744073709551615s"] {
            assert_eq!(parse_duration(text), Err(InvalidDuration::TooLong), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0_u64..=315_360_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse_duration(&text);
        }
    }
}
