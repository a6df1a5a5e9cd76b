//! One flat JSON object whose keys keep the order in which they were put.
//!
//! Called by everything of ours that prints JSON in one line: events, log records, results.

use std::time::Duration;

use cognito_import_watch_core::domain::Timestamp;
use serde_json::Value;

/// A JSON object being written.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    /// An object without a key.
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    /// The object with one more key; a value that is not known is null.
    pub(crate) fn with(self, key: &str, value: impl Into<Value>) -> Self {
        self.with_json(key, &value.into().to_string())
    }

    /// The object with one more key, whose value is JSON already.
    pub(crate) fn with_json(mut self, key: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&Value::from(key).to_string());
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// The text of the object, in one line.
    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A time in RFC 3339 with milliseconds, or null.
pub(crate) fn time(time: Option<Timestamp>) -> Value {
    time.map(|time| time.to_string()).into()
}

/// A duration as a number of seconds, to the millisecond. Whole seconds keep their point (`30.0`), for some
/// stores take the type of a field from the first value they see.
pub(crate) fn seconds(duration: Duration) -> Value {
    round(duration.as_secs_f64(), 1_000.0)
}

/// A fraction to two places.
pub(crate) fn fraction(number: f64) -> Value {
    round(number, 100.0)
}

fn round(number: f64, places: f64) -> Value {
    ((number * places).round() / places).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_text_is_escaped() {
        let line =
            Object::new().with("z", "a\n\"b\"").with("a", None::<u64>).with_json("list", "[1,2]").with("n", 7_u64);
        assert_eq!(line.finish(), r#"{"z":"a\n\"b\"","a":null,"list":[1,2],"n":7}"#);
        assert_eq!(Object::new().finish(), "{}");
    }

    #[test]
    fn durations_are_seconds_to_the_millisecond() {
        assert_eq!(seconds(Duration::from_micros(12_345_678)).to_string(), "12.346");
        assert_eq!(seconds(Duration::from_secs(30)).to_string(), "30.0");
        assert_eq!(fraction(f64::NAN), Value::Null);
    }
}
