//! Values of the scenario that are checked as they are read, so that an error points at its place.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

macro_rules! checked {
    ($name:ident($inner:ty) from $raw:ty, $read:expr, $expects:literal) => {
        #[doc = concat!("Is ", $expects, ".")]
        #[derive(Clone, Debug, PartialEq, PartialOrd)]
        pub(crate) struct $name(pub(crate) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let (raw, read) = (<$raw>::deserialize(deserializer)?, $read as fn(&$raw) -> Option<$inner>);
                read(&raw).map(Self).ok_or_else(|| D::Error::custom(format!("`{raw}` is not {}", $expects)))
            }
        }
    };
}

checked!(PoolId(String) from String, |id| is_pool_id(id).then(|| id.clone()), "a pool id such as us-west-2_EXAMPLE");
checked!(JobId(String) from String, |id| is_job_id(id).then(|| id.clone()), "a job id such as import-mAgUtd8PMm");
checked!(AccountId(String) from String, |id| is_account(id).then(|| id.clone()), "an account of twelve digits");
checked!(RoleArn(String) from String, |arn| is_role_arn(arn).then(|| arn.clone()), "a role such as arn:aws:iam::123456789012:role/watch");
checked!(Period(Duration) from String, |text| read_period(text), "a duration such as \"30s\" or \"1h30m\"");
checked!(Rate(f64) from f64, |rate| (0.001..=1e9).contains(rate).then_some(*rate), "between 0.001 and 1e9");
checked!(Share(f64) from f64, |share| (0.0..=1.0).contains(share).then_some(*share), "between 0 and 1");

/// `[\w-]+_[0-9a-zA-Z]+`, at most 55 characters.
pub(crate) fn is_pool_id(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    text.len() <= 55
        && text.rsplit_once('_').is_some_and(|(region, own)| {
            let filled = !region.is_empty() && !own.is_empty();
            filled && region.bytes().all(word) && own.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// `import-[0-9a-zA-Z-]+`, at most 55 characters.
pub(crate) fn is_job_id(text: &str) -> bool {
    let own = text.strip_prefix("import-").unwrap_or_default();
    text.len() <= 55 && !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", "", account, role]
        if is_account(account) && role.strip_prefix("role/").is_some_and(|name| !name.is_empty()))
}

impl RoleArn {
    /// The account, and the name without its path.
    pub(crate) fn parts(&self) -> (&str, &str) {
        (self.0.split(':').nth(4).unwrap_or_default(), self.0.rsplit('/').next().unwrap_or_default())
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_period(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() && text != "0" {
        let (number, unit) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let (unit, next) = unit.split_at(unit.find(|letter: char| letter.is_ascii_digit()).unwrap_or(unit.len()));
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        let (_, millis) = units.into_iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(millis)?))?;
        rest = next;
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
