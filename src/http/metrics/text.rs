//! Prometheus's text format, version 0.0.4: one line for each sample, under the help and the type of its metric.
//!
//! Called by the files of this room that have something to say.

use std::fmt::Write as _;

use cognito_import_watch_core::domain::Timestamp;

use super::family::Family;

/// The most characters of a label's value: as many as of the service's texts anywhere.
const MOST_CHARACTERS: usize = 128;

/// A piece of a scrape that is being written.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// The help and the type of a metric; its samples follow, and those of no other.
    pub fn begin(&mut self, family: &Family) {
        let Family { name, kind, help, .. } = family;
        self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.as_str()));
    }

    /// A sample with the values of the metric's labels.
    pub fn sample(&mut self, family: &Family, values: &[&str], value: impl Into<Value>) {
        self.line(family.name, "", family.labels.iter().copied().zip(values.iter().copied()), value.into());
    }

    /// The only sample of a metric without labels, under its head.
    pub fn single(&mut self, family: &Family, value: impl Into<Value>) {
        self.begin(family);
        self.sample(family, &[], value);
    }

    /// The samples of a histogram: how many were at most each bound, of how many, and their sum in seconds.
    pub fn histogram(&mut self, family: &Family, values: &[&str], counts: impl Iterator<Item = (f64, u64)>, sum: f64) {
        let labels = || family.labels.iter().copied().zip(values.iter().copied());
        let mut total = 0;
        for (bound, count) in counts {
            total += count;
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
            self.line(family.name, "_bucket", labels().chain([("le", bound.as_str())]), total.into());
        }
        self.line(family.name, "_sum", labels(), sum.into());
        self.line(family.name, "_count", labels(), total.into());
    }

    /// What was written since this was asked last.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }

    fn line<'a>(
        &mut self,
        name: &str,
        suffix: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        Value(value): Value,
    ) {
        self.push(format_args!("{name}{suffix}"));
        let mut before = '{';
        for (label, value) in labels {
            self.push(format_args!("{before}{label}=\""));
            self.escaped(value);
            self.0.push('"');
            before = ',';
        }
        self.push(format_args!("{} {value}\n", if before == ',' { "}" } else { "" }));
    }

    /// A label's value. Other control characters than a line's end and a tab have no place in it, and a reader of the
    /// format takes one of them for the end of everything.
    fn escaped(&mut self, value: &str) {
        for character in value.chars().take(MOST_CHARACTERS) {
            match character {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                '\t' => self.0.push('\t'),
                other if other.is_control() => self.0.push(char::REPLACEMENT_CHARACTER),
                other => self.0.push(other),
            }
        }
    }

    fn push(&mut self, words: std::fmt::Arguments<'_>) {
        // A string takes whatever it is given.
        self.0.write_fmt(words).unwrap_or_default();
    }
}

/// The value of a sample.
#[derive(Clone, Copy, Debug)]
pub struct Value(f64);

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        // What is lost beyond 2^53 is lost in every reader of the format.
        Self(count as f64)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self(count as f64)
    }
}

impl From<bool> for Value {
    fn from(holds: bool) -> Self {
        Self(f64::from(u8::from(holds)))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl From<Timestamp> for Value {
    /// Seconds since 1970.
    fn from(at: Timestamp) -> Self {
        Self(at.as_millis() as f64 / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::metrics::family::{JOB_FAILING, POLL_SECONDS, POOLS};

    fn written(write: impl FnOnce(&mut Text)) -> String {
        let mut text = Text::default();
        write(&mut text);
        text.take()
    }

    #[test]
    fn a_metric_without_labels_has_none() {
        let text = written(|text| text.single(&POOLS, 3_usize));
        let name = POOLS.name;
        assert_eq!(text, format!("# HELP {name} {}\n# TYPE {name} gauge\n{name} 3\n", POOLS.help));
    }

    #[test]
    fn whatever_a_job_is_called_stays_within_its_label() {
        let names = [
            ("night\"ly\\\njob", r#"night\"ly\\\njob"#),
            ("a\0b\r\u{1b}[31m\u{85}c", "a\u{fffd}b\u{fffd}\u{fffd}[31m\u{fffd}c"),
            ("tab\there ünï 😀", "tab\there ünï 😀"),
            ("", ""),
        ];
        for (name, escaped) in names {
            let text = written(|text| text.sample(&JOB_FAILING, &["us-west-2_A", "import-1", name, "denied"], 1_u64));
            let labels =
                format!(r#"{{user_pool_id="us-west-2_A",job_id="import-1",name="{escaped}",error_kind="denied"}}"#);
            assert_eq!(text, format!("{}{labels} 1\n", JOB_FAILING.name));
        }
        let long = written(|text| text.sample(&JOB_FAILING, &["a", "b", &"é".repeat(1_000), "c"], 1_u64));
        assert_eq!(long.matches('é').count(), MOST_CHARACTERS);
    }

    #[test]
    fn a_histogram_counts_up_to_all_of_them() {
        let counts = [(0.25, 2), (1.0, 0), (f64::INFINITY, 3)].into_iter();
        let text = written(|text| text.histogram(&POLL_SECONDS, &["1", "r", "list"], counts, 12.5));
        let lines: Vec<&str> = text.lines().map(|line| line.split_once("operation=\"list\"").unwrap().1).collect();
        assert_eq!(lines, [",le=\"0.25\"} 2", ",le=\"1\"} 2", ",le=\"+Inf\"} 5", "} 12.5", "} 5"]);
        assert!(
            text.contains("_seconds_bucket{account=\"1\",")
                && text.contains("_seconds_sum{")
                && text.contains("_count{")
        );
    }

    #[test]
    fn numbers_are_written_in_full() {
        for (value, text) in [
            (Value::from(9_007_199_254_740_992_u64), "9007199254740992"),
            (Timestamp::from_millis(1_795_000_000_123).into(), "1795000000.123"),
            (0.0.into(), "0"),
            (true.into(), "1"),
        ] {
            assert_eq!(written(|page| page.sample(&POOLS, &[], value)), format!("{} {text}\n", POOLS.name));
        }
    }
}
