//! Checks a request's members as the service does: all of them, then one error that lists what is wrong.

use serde_json::Value;

use crate::scenario::{is_job_id, is_pool_id};
use crate::wire::Failure;

/// Collects what is wrong with an input.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    value: &'a Value,
    faults: Vec<String>,
    /// A member of the wrong JSON type cannot even be read.
    unreadable: Option<String>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self { value, faults: Vec::new(), unreadable: None }
    }

    pub(crate) fn pool_id(&mut self) -> &'a str {
        self.required("UserPoolId", 55, r"[\w-]+_[0-9a-zA-Z]+", |text| is_pool_id(text) || text.len() > 55)
    }

    pub(crate) fn job_id(&mut self) -> &'a str {
        self.required("JobId", 55, r"import-[0-9a-zA-Z-]+", |text| is_job_id(text) || text.len() > 55)
    }

    /// A text that must be there; empty where it is wrong.
    pub(crate) fn required(
        &mut self,
        name: &str,
        longest: usize,
        pattern: &str,
        matches: impl Fn(&str) -> bool,
    ) -> &'a str {
        match self.optional(name, longest, pattern, matches) {
            Some(text) => text,
            None => {
                if self.value.get(name).is_none_or(Value::is_null) {
                    self.fault("null", name, "Member must not be null");
                }
                ""
            }
        }
    }

    /// A text that may be there.
    pub(crate) fn optional(
        &mut self,
        name: &str,
        longest: usize,
        pattern: &str,
        matches: impl Fn(&str) -> bool,
    ) -> Option<&'a str> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let Some(text) = value.as_str() else {
            self.unreadable = Some(name.to_owned());
            return None;
        };
        let quoted = format!("'{text}'");
        if text.is_empty() {
            self.fault(&quoted, name, "Member must have length greater than or equal to 1");
        }
        if text.chars().count() > longest {
            self.fault(&quoted, name, &format!("Member must have length less than or equal to {longest}"));
        }
        if !text.is_empty() && !matches(text) {
            self.fault(&quoted, name, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
        Some(text)
    }

    /// A number from `least` to `most`.
    pub(crate) fn number(&mut self, name: &str, least: u64, most: u64) -> Option<usize> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let Some(number) = value.as_i64() else {
            self.unreadable = Some(name.to_owned());
            return None;
        };
        let quoted = format!("'{number}'");
        let size = u64::try_from(number).unwrap_or(0);
        if number < 0 || size < least {
            self.fault(&quoted, name, &format!("Member must have value greater than or equal to {least}"));
        }
        if size > most {
            self.fault(&quoted, name, &format!("Member must have value less than or equal to {most}"));
        }
        usize::try_from(size).ok()
    }

    pub(crate) fn required_number(&mut self, name: &str, least: u64, most: u64) -> usize {
        if self.value.get(name).is_none_or(Value::is_null) {
            self.fault("null", name, "Member must not be null");
        }
        self.number(name, least, most).unwrap_or(0)
    }

    /// A text out of a fixed set.
    pub(crate) fn one_of(&mut self, name: &str, choices: &[&str]) -> Option<&'a str> {
        let text = self.optional(name, 2_048, "", |_| true)?;
        if !choices.contains(&text) {
            let set = choices.join(", ");
            self.fault(&format!("'{text}'"), name, &format!("Member must satisfy enum value set: [{set}]"));
        }
        Some(text)
    }

    /// Notes what is wrong with a member, in the service's words.
    fn fault(&mut self, value: &str, name: &str, constraint: &str) {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        let at: String = first.into_iter().chain(letters).collect();
        self.faults.push(format!("Value {value} at '{at}' failed to satisfy constraint: {constraint}"));
    }

    /// # Errors
    /// Everything that was found wrong.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.unreadable.is_some() || !self.value.is_object() {
            return Err(Failure::bare(400, "SerializationException"));
        }
        match self.faults.as_slice() {
            [] => Ok(()),
            [one] => Err(Failure::invalid_parameter(format!("1 validation error detected: {one}"))),
            many => {
                let text = format!("{} validation errors detected: {}", many.len(), many.join("; "));
                Err(Failure::invalid_parameter(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Input;

    fn message(value: &Value, read: impl Fn(&mut Input<'_>)) -> String {
        let mut input = Input::new(value);
        read(&mut input);
        let failure = input.finish().unwrap_err();
        failure.message.unwrap_or(failure.code)
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_in_the_services_words() {
        let value = json!({"UserPoolId": "x", "MaxResults": 61});
        let text = message(&value, |input| {
            input.pool_id();
            input.required_number("MaxResults", 1, 60);
        });
        assert_eq!(
            text,
            "2 validation errors detected: Value 'x' at 'userPoolId' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [\\w-]+_[0-9a-zA-Z]+; Value '61' at 'maxResults' failed to satisfy \
             constraint: Member must have value less than or equal to 60"
        );
        let text = message(&json!({}), |input| drop(input.job_id().to_owned()));
        assert!(text.starts_with("1 validation error detected: Value null at 'jobId' failed"), "{text}");
        let long = json!({"UserPoolId": format!("a_{}", "b".repeat(60))});
        let text = message(&long, |input| drop(input.pool_id().to_owned()));
        assert!(text.ends_with("Member must have length less than or equal to 55"), "{text}");
    }

    #[test]
    fn a_member_of_the_wrong_type_cannot_be_read() {
        assert_eq!(
            message(&json!({"UserPoolId": 5}), |input| drop(input.pool_id().to_owned())),
            "SerializationException"
        );
    }
}
