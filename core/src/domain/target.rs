//! Which job: user pool ids, job ids and the `<user-pool-id>/<job-id>` form of a target.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The most characters of a pool id and of a job id, by the service model.
pub const MAX_ID_LENGTH: usize = 55;

/// A user pool's id, such as `us-west-2_EXAMPLE`: `[\w-]+_[0-9a-zA-Z]+`, at most 55 ASCII characters.
/// Cheap to clone: the jobs of one pool share it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserPoolId(Arc<str>);

/// A user import job's id, such as `import-mAgUtd8PMm`: `import-[0-9a-zA-Z-]+`, at most 55 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(SmolStr);

/// An AWS account's id: twelve digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u64", from = "u64")]
pub struct AccountId(SmolStr);

/// One job of one pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The pool the job belongs to.
    pub pool: UserPoolId,
    /// The job.
    pub job: JobId,
}

/// Why a text is not a target, with the right form spelled out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError(String);

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TargetError {}

const FORM: &str = "write <user-pool-id>/<job-id>, e.g. us-west-2_EXAMPLE/import-mAgUtd8PMm";

impl UserPoolId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region the pool is in: the part before the last `_`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.rsplit_once('_').map_or("", |(region, _)| region)
    }
}

impl JobId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account in an ARN (`arn:aws:iam::123456789012:role/…`), where it names one.
    #[must_use]
    pub fn from_arn(arn: &str) -> Option<Self> {
        arn.strip_prefix("arn:")?.split(':').nth(3)?.parse().ok()
    }
}

impl From<AccountId> for u64 {
    fn from(id: AccountId) -> Self {
        // It was read as digits.
        id.0.parse().unwrap_or_default()
    }
}

impl From<u64> for AccountId {
    /// Of a number with more digits the last twelve.
    fn from(number: u64) -> Self {
        Self(format_smolstr!("{:012}", number % 1_000_000_000_000))
    }
}

impl FromStr for UserPoolId {
    type Err = TargetError;

    /// Reads a pool id; white space around it is dropped.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TargetError("the user pool id is empty; is a shell variable unset?".into()));
        }
        let name_ok =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let fits = text.rsplit_once('_').is_some_and(|(region, rest)| {
            name_ok(region) && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if !fits {
            return Err(TargetError(format!(
                "{} is not a user pool id; one looks like us-west-2_EXAMPLE: region, underscore, letters and digits",
                shown(text)
            )));
        }
        too_long(text, "user pool id")?;
        Ok(Self(text.into()))
    }
}

impl FromStr for JobId {
    type Err = TargetError;

    /// Reads a job id; white space around it is dropped.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TargetError("the job id is empty; is a shell variable unset?".into()));
        }
        let fits = text
            .strip_prefix("import-")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        if !fits {
            return Err(TargetError(format!(
                "{} is not a job id; one looks like import-mAgUtd8PMm (the JobId that CreateUserImportJob answered, not the job's name)",
                shown(text)
            )));
        }
        too_long(text, "job id")?;
        Ok(Self(text.into()))
    }
}

impl FromStr for AccountId {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(TargetError(format!("{} is not an account id of twelve digits", shown(text))))
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    /// Reads `<user-pool-id>/<job-id>`; white space around it and around its parts is dropped. A bare job id,
    /// an ARN or a console URL is refused with the right form spelled out.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TargetError(format!("the target is empty; is a shell variable unset? {FORM}")));
        }
        if text.contains("://") || text.starts_with("arn:") {
            return Err(TargetError(refuse_address(text)));
        }
        let Some((pool, job)) = text.split_once('/') else {
            return Err(TargetError(refuse_half(text)));
        };
        let in_target = |error: TargetError| TargetError(format!("{}: {error}", shown(text)));
        Ok(Self { pool: pool.parse().map_err(in_target)?, job: job.parse().map_err(in_target)? })
    }
}

/// A text that is a URL or an ARN: the target in it, where it holds one.
fn refuse_address(text: &str) -> String {
    let kind = if text.starts_with("arn:") { "an ARN" } else { "a URL" };
    let words = || text.split(['/', '?', '#', '&', '=', ':']);
    let pool = words().find_map(|word| word.parse::<UserPoolId>().ok().filter(known_region));
    // The last one: a console's path has words of the same form before it, such as `import-jobs`.
    let job = words().filter_map(|word| word.parse::<JobId>().ok()).next_back();
    match (pool, job) {
        (Some(pool), Some(job)) => format!("{} is {kind}; write {pool}/{job}", shown(text)),
        (Some(pool), None) => format!("{} is {kind}; write {pool}/<job-id>", shown(text)),
        (None, Some(job)) => format!("{} is {kind}; write <user-pool-id>/{job}", shown(text)),
        (None, None) => format!("{} is {kind}; {FORM}", shown(text)),
    }
}

fn known_region(pool: &UserPoolId) -> bool {
    super::region::Partition::of_region(pool.region()).is_some()
}

/// A text without a slash: half a target, or none at all.
fn refuse_half(text: &str) -> String {
    if let Ok(job) = text.parse::<JobId>() {
        format!("{job} is a job id alone, and job ids belong to a pool; write <user-pool-id>/{job}")
    } else if let Ok(pool) = text.parse::<UserPoolId>() {
        format!("{pool} is a user pool alone; write {pool}/<job-id>")
    } else {
        format!("{} is not a target; {FORM}", shown(text))
    }
}

fn too_long(text: &str, what: &str) -> Result<(), TargetError> {
    if text.len() <= MAX_ID_LENGTH {
        return Ok(());
    }
    Err(TargetError(format!(
        "{} is too long for a {what}: {} characters, at most {MAX_ID_LENGTH}",
        shown(text),
        text.len()
    )))
}

/// A piece of somebody's input, safe to print in one line.
fn shown(text: &str) -> String {
    const MOST: usize = 128;
    let mut cut: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        cut.push('…');
    }
    format!("\"{cut}\"")
}

impl fmt::Display for UserPoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pool, self.job)
    }
}

impl fmt::Debug for UserPoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Target>().err().map_or_else(|| panic!("{text} was accepted"), |error| error.to_string())
    }

    #[test]
    fn a_target_is_read_and_white_space_dropped() {
        for text in [
            "us-west-2_EXAMPLE/import-mAgUtd8PMm",
            "  us-west-2_EXAMPLE/import-mAgUtd8PMm\n",
            "us-west-2_EXAMPLE / import-mAgUtd8PMm",
        ] {
            let target: Result<Target, _> = text.parse();
            assert_eq!(target.map(|t| t.to_string()).as_deref(), Ok("us-west-2_EXAMPLE/import-mAgUtd8PMm"));
        }
    }

    #[test]
    fn an_empty_part_names_itself() {
        assert!(refused("us-west-2_X/").contains("the job id is empty; is a shell variable unset?"));
        assert!(refused("/import-a").contains("the user pool id is empty; is a shell variable unset?"));
        assert!(refused("  ").contains("the target is empty"));
    }

    #[test]
    fn half_a_target_an_arn_or_a_url_gets_the_right_form() {
        assert!(refused("import-abc").contains("write <user-pool-id>/import-abc"));
        assert!(refused("us-west-2_X").contains("write us-west-2_X/<job-id>"));
        assert!(
            refused("arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_X")
                .contains("write us-west-2_X/<job-id>")
        );
        assert!(
            refused("https://us-west-2.console.aws.amazon.com/cognito/v2/idp/user-pools/us-west-2_X/users/import-jobs/import-abc?region=us-west-2")
                .contains("write us-west-2_X/import-abc")
        );
    }

    #[test]
    fn ids_of_a_wrong_form_or_length_are_refused() {
        for text in [
            "uswest2/import-a",
            "us-west-2_/import-a",
            "_X/import-a",
            "us-west-2_X!/import-a",
            "us west-2_X/import-a",
            "us-west-2_X/job-a",
            "us-west-2_X/import-",
            "us-west-2_X/import-a_b",
            "us-west-2_X/import-ä",
            "us-west-2_X/import-a/b",
        ] {
            refused(text);
        }
        let long = format!("us-west-2_X/import-{}", "a".repeat(49));
        assert!(refused(&long).contains("56 characters, at most 55"));
        let fits = format!("us-west-2_X/import-{}", "a".repeat(48));
        assert!(fits.parse::<Target>().is_ok());
    }

    #[test]
    fn words_of_an_address_are_taken_for_a_pool_only_where_they_begin_with_a_region() {
        let error = refused("https://console.example/my_pools/import-abc");
        assert!(error.ends_with("is a URL; write <user-pool-id>/import-abc"), "{error}");
    }

    #[test]
    fn what_is_refused_is_quoted() {
        assert!(refused("import").starts_with("\"import\" is not a target; "));
        let long = "x".repeat(129);
        assert!(refused(&long[1..]).contains(&format!("\"{}\"", &long[1..])), "as a whole up to 128 characters");
        assert!(refused(&long).contains(&format!("\"{}…\"", &long[1..])));
    }

    #[test]
    fn hostile_input_is_shown_in_one_short_line() {
        let error = refused(&format!("\u{202e}\n{}", "x".repeat(5_000)));
        assert!(!error.contains('\n') && !error.contains('\u{202e}') && error.len() < 1_000, "{error}");
    }

    #[test]
    fn the_region_is_the_part_before_the_underscore() {
        let pool: Result<UserPoolId, _> = "eu-central-1_AbC9".parse();
        assert_eq!(pool.as_ref().map(UserPoolId::region), Ok("eu-central-1"));
    }

    #[test]
    fn an_account_is_read_from_an_arn() {
        let account = AccountId::from_arn("arn:aws:iam::123456789012:role/x");
        assert_eq!(account.as_ref().map(AccountId::as_str), Some("123456789012"));
        assert_eq!(account.map(|id| format!("{id:>13} {id:?}")).as_deref(), Some(" 123456789012 123456789012"));
        assert_eq!(AccountId::from_arn("arn:aws:iam::12:role/x"), None);
        assert_eq!(AccountId::from_arn("x"), None);
    }
}
