//! Checks a request's members as the service does: all of them, then one error that lists what is wrong.

use serde_json::Value;

use crate::scenario::{Failure, is_job_id, is_pool_id};

/// Collects what is wrong with an input.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    value: &'a Value,
    faults: Vec<String>,
    /// Whether a member has the wrong JSON type, so that the rest is not even looked at.
    unreadable: bool,
}

impl<'a> Input<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self { value, faults: Vec::new(), unreadable: !value.is_object() }
    }

    pub(crate) fn pool_id(&mut self) -> &'a str {
        self.required("UserPoolId", 55, r"[\w-]+_[0-9a-zA-Z]+", |text| is_pool_id(text) || text.len() > 55)
    }

    pub(crate) fn job_id(&mut self) -> &'a str {
        self.required("JobId", 55, r"import-[0-9a-zA-Z-]+", |text| is_job_id(text) || text.len() > 55)
    }

    /// A text that must be there; empty where it is not.
    pub(crate) fn required(&mut self, name: &str, longest: usize, pattern: &str, fits: fn(&str) -> bool) -> &'a str {
        self.present(name);
        self.optional(name, longest, pattern, fits).unwrap_or_default()
    }

    /// A text that may be there.
    pub(crate) fn optional(
        &mut self,
        name: &str,
        longest: usize,
        pattern: &str,
        fits: fn(&str) -> bool,
    ) -> Option<&'a str> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let text = value.as_str();
        self.unreadable |= text.is_none();
        let text = text?;
        let (quoted, empty, long) = (format!("'{text}'"), text.is_empty(), text.chars().count() > longest);
        let told = |constraint: &str| fault(&quoted, name, constraint);
        self.faults.extend(empty.then(|| told("have length greater than or equal to 1")));
        self.faults.extend(long.then(|| told(&format!("have length less than or equal to {longest}"))));
        let misfit = !empty && !fits(text);
        self.faults.extend(misfit.then(|| told(&format!("satisfy regular expression pattern: {pattern}"))));
        Some(text)
    }

    pub(crate) fn required_number(&mut self, name: &str, least: i64, most: i64) -> usize {
        self.present(name);
        self.number(name, least, most).unwrap_or(0)
    }

    /// A number that may be there.
    pub(crate) fn number(&mut self, name: &str, least: i64, most: i64) -> Option<usize> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let number = value.as_i64();
        self.unreadable |= number.is_none();
        let (number, quoted) = (number?, format!("'{value}'"));
        let (small, large) = ("greater than or equal to", "less than or equal to");
        let bounds = [(number < least, small, least), (number > most, large, most)];
        let broken = bounds.iter().filter(|(broken, ..)| *broken);
        self.faults.extend(broken.map(|(_, side, bound)| fault(&quoted, name, &format!("have value {side} {bound}"))));
        usize::try_from(number).ok()
    }

    /// A text out of a fixed set.
    pub(crate) fn one_of(&mut self, name: &str, choices: &[&str]) -> Option<&'a str> {
        let text = self.optional(name, 2_048, "", |_| true)?;
        let set = format!("satisfy enum value set: [{}]", choices.join(", "));
        self.faults.extend((!choices.contains(&text)).then(|| fault(&format!("'{text}'"), name, &set)));
        Some(text)
    }

    fn present(&mut self, name: &str) {
        let absent = self.value.get(name).is_none_or(Value::is_null);
        self.faults.extend(absent.then(|| fault("null", name, "not be null")));
    }

    /// Fails with everything that was found wrong.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let (count, all) = (self.faults.len(), self.faults.join("; "));
        match count {
            _ if self.unreadable => Err(Failure::bare(400, "SerializationException")),
            0 => Ok(()),
            1 => Err(Failure::invalid_parameter(format!("1 validation error detected: {all}"))),
            _ => Err(Failure::invalid_parameter(format!("{count} validation errors detected: {all}"))),
        }
    }
}

/// A broken constraint in the service's words, which begin a member's name with a small letter.
fn fault(value: &str, name: &str, constraint: &str) -> String {
    let at = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
    format!("Value {value} at '{at}' failed to satisfy constraint: Member must {constraint}")
}

/// The names of jobs and pools.
pub(crate) const NAME: &str = r"[\w\s+=,.@-]+";

/// Whether a text is all of [`NAME`].
pub(crate) fn is_name(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_ \t\n\r+=,.@-".contains(letter))
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
