//! Values of the scenario that are checked as they are read, so that an error points at its place.

use std::time::Duration;

use serde::Deserialize;

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr, $expects:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub(crate) struct $name(pub(crate) String);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                if $check(text.as_str()) { Ok(Self(text)) } else { Err(format!("`{text}` is not {}", $expects)) }
            }
        }
    };
}

checked_text! {
    /// A user pool's id.
    PoolId, is_pool_id, "a user pool id such as us-west-2_EXAMPLE"
}
checked_text! {
    /// An import job's id.
    JobId, is_job_id, "a job id such as import-mAgUtd8PMm"
}
checked_text! {
    /// An AWS account.
    AccountId, is_account, "an account of twelve digits"
}

/// `[\w-]+_[0-9a-zA-Z]+`, at most 55 characters.
pub(crate) fn is_pool_id(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    text.rsplit_once('_').is_some_and(|(region, own)| {
        !region.is_empty() && region.bytes().all(word) && is_alphanumeric(own) && text.len() <= 55
    })
}

/// `import-[0-9a-zA-Z-]+`, at most 55 characters.
pub(crate) fn is_job_id(text: &str) -> bool {
    let own = text.strip_prefix("import-").unwrap_or_default();
    text.len() <= 55 && !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_alphanumeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A duration written as "500ms", "30s", "1h30m" or "0".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Period(pub(crate) Duration);

impl Period {
    /// Only for defaults.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        read_period(&text).map(Self).ok_or_else(|| format!("`{text}` is not a duration such as \"30s\" or \"1h30m\""))
    }
}

fn read_period(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let unit_millis: u64 = match &rest[..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(unit_millis)?))?;
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{is_job_id, is_pool_id, read_period};

    #[test]
    fn durations_add_up_and_a_bare_number_is_none() {
        assert_eq!(read_period("1h30m"), Some(Duration::from_secs(5_400)));
        assert_eq!(read_period("1d250ms"), Some(Duration::from_millis(86_400_250)));
        assert_eq!(read_period("0"), Some(Duration::ZERO));
        for wrong in ["", "30", "s", "30 s", "-1s", "1.5s", "1w"] {
            assert_eq!(read_period(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_are_checked_as_the_service_model_says() {
        assert!(is_pool_id("us-west-2_EXAMPLE") && is_pool_id("a_b_C1"));
        for wrong in ["us-west-2", "us-west-2_", "_X", "us-west-2_A-B", &format!("us-west-2_{}", "X".repeat(46))] {
            assert!(!is_pool_id(wrong), "{wrong}");
        }
        assert!(is_job_id("import-a-1"));
        for wrong in ["import-", "job-1", "import-a_b"] {
            assert!(!is_job_id(wrong), "{wrong}");
        }
    }
}
