//! The result of `check --online`: what was tried of each account and pool, and what is missing.
//!
//! Filled by `check --online`, printed behind what the plan costs.

use cognito_import_watch_core::domain::region::Partition;
use cognito_import_watch_core::domain::{AccountId, ErrorKind, JobId, PollError, UserPoolId};
use serde_json::{Value, json};

use super::table::{Column, table};
use crate::text::{MOST_CHARACTERS_OF_AN_ERROR, error_of, one_line, one_line_of, wrap};

/// All that was tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnlineReport {
    /// Each right on each pool, and each named job.
    pub asked: Vec<Asked>,
    /// Named jobs that were not looked for, because there are many in their pool.
    pub jobs_left_out: usize,
}

/// One right that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The account's name in the file; none for the default credential chain.
    pub account: Option<String>,
    /// The account, where it is known without a call.
    pub account_id: Option<AccountId>,
    /// The role that is assumed, where one is.
    pub role: Option<String>,
    /// The pool.
    pub pool: UserPoolId,
    /// The job that was asked about; none for a list.
    pub job: Option<JobId>,
    /// The right.
    pub right: Right,
    /// What came of it.
    pub outcome: Outcome,
}

/// A right on a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// DescribeUserImportJob.
    Describe,
    /// ListUserImportJobs.
    List,
}

impl Right {
    fn operation(self) -> &'static str {
        match self {
            Self::Describe => "DescribeUserImportJob",
            Self::List => "ListUserImportJobs",
        }
    }
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was answered.
    Good,
    /// It was not.
    Failed(PollError),
    /// It was not tried: the ones before it in its account and region failed alike, for a reason of both.
    NotAsked(PollError),
}

impl Outcome {
    /// Why there was no answer.
    #[must_use]
    pub fn error(&self) -> Option<&PollError> {
        match self {
            Self::Good => None,
            Self::Failed(error) | Self::NotAsked(error) => Some(error),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Failed(error) => match error.kind {
                ErrorKind::Throttled => "throttled",
                ErrorKind::Transient => "no answer",
                ErrorKind::NotFound => "not found",
                ErrorKind::Denied => "denied",
                ErrorKind::Invalid => "refused",
            },
            Self::NotAsked(_) => "not tried",
        }
    }
}

impl OnlineReport {
    /// Every failure.
    pub fn errors(&self) -> impl Iterator<Item = &PollError> {
        self.asked.iter().filter_map(|asked| asked.outcome.error())
    }

    /// As JSON: an array of what was tried.
    #[must_use]
    pub fn json(&self) -> Value {
        self.asked.iter().map(Asked::json).collect()
    }

    /// A table with a row for each try, and below it what each failure means.
    #[must_use]
    pub fn text(&self, columns: Option<usize>) -> String {
        let head = ["RESULT", "ACTION", "ACCOUNT", "TARGET"].map(Column::words);
        let default = self.default_name();
        let rows = self.asked.iter().map(|asked| {
            let account = one_line(asked.account.as_deref().unwrap_or(&default));
            vec![asked.outcome.word().to_owned(), asked.right.operation().to_owned(), account, asked.target()]
        });
        let mut text = format!("\n{}", table(&head, rows.collect(), columns));
        let mut lines: Vec<String> = self.asked.iter().filter_map(Asked::note).collect();
        match self.jobs_left_out {
            0 => {}
            1 => lines.push("1 more job was not looked for; there are many in its pool".to_owned()),
            more => lines.push(format!("{more} more jobs were not looked for; there are many in their pool")),
        }
        if !lines.is_empty() {
            text.push('\n');
        }
        for line in lines {
            text.push_str(&match columns {
                Some(columns) => wrap(&line, columns, columns.saturating_sub(2)).join("\n  "),
                None => line,
            });
            text.push('\n');
        }
        text
    }
}

impl OnlineReport {
    /// What the default credentials are called, as `iam-policy` does: not as an account of the file.
    fn default_name(&self) -> String {
        let mut name = "default".to_owned();
        while self.asked.iter().any(|asked| asked.account.as_deref() == Some(&name)) {
            name.push_str("-credentials");
        }
        name
    }
}

impl Asked {
    fn target(&self) -> String {
        match &self.job {
            Some(job) => format!("{}/{job}", self.pool),
            None => self.pool.to_string(),
        }
    }

    /// What a failure means. Of those that were not tried the ones before them tell.
    fn note(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Good | Outcome::NotAsked(_) => None,
            Outcome::Failed(error) => {
                let target = self.target();
                let words = error_of(&error.message, &target);
                let missing =
                    self.missing().filter(|(action, resource)| !words.contains(&format!("{action} on {resource}")));
                let missing = missing.map(|(action, resource)| {
                    format!("{action} is missing on {}: ", one_line_of(&resource, MOST_CHARACTERS_OF_AN_ERROR))
                });
                Some(format!("{target}: {}{words}", missing.unwrap_or_default()))
            }
        }
    }

    /// The action that is not allowed, and on what, where that is the reason. The messages name it: see `source`.
    fn missing(&self) -> Option<(String, String)> {
        let message = &self.outcome.error()?.message;
        let action = format!("cognito-idp:{}", self.right.operation());
        if message.contains("allow sts:AssumeRole") {
            return Some(("sts:AssumeRole".to_owned(), self.role.clone()?));
        }
        message.contains(&format!("allow {action}")).then(|| (action, self.resource(message)))
    }

    /// The pool as IAM names it. The service's own words name the account where nothing else does: of a pool only its
    /// own account's identities are asked about rights.
    fn resource(&self, message: &str) -> String {
        let told = || message.split(' ').find_map(AccountId::from_arn);
        let account = self.account_id.clone().or_else(told);
        let account = account.as_ref().map_or("*", AccountId::as_str);
        let region = self.pool.region();
        let partition = Partition::of_region(region).map_or("aws", Partition::arn_name);
        format!("arn:{partition}:cognito-idp:{region}:{account}:userpool/{}", self.pool)
    }

    fn json(&self) -> Value {
        let error = self.outcome.error();
        let (missing_action, missing_resource) = self.missing().unzip();
        json!({
            "account": self.account, "account_id": self.account_id.as_ref().map(AccountId::as_str),
            "region": self.pool.region(), "user_pool_id": self.pool.as_str(),
            "job_id": self.job.as_ref().map(JobId::as_str),
            "action": format!("cognito-idp:{}", self.right.operation()),
            "ok": error.is_none(), "tried": !matches!(self.outcome, Outcome::NotAsked(_)),
            "error_kind": error.map(|error| error.kind.as_str()), "error": error.map(|error| error.message.as_str()),
            "missing_action": missing_action, "missing_resource": missing_resource,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(account: Option<&str>, role: Option<&str>, outcome: Outcome) -> Asked {
        Asked {
            account: account.map(str::to_owned),
            account_id: None,
            role: role.map(str::to_owned),
            pool: "us-west-2_A".parse().unwrap(),
            job: None,
            right: Right::List,
            outcome,
        }
    }

    #[test]
    fn a_role_that_is_refused_is_named_with_its_action() {
        let role = format!("arn:aws:iam::123456789012:role/{}", "watch".repeat(10));
        let error = PollError::new(
            ErrorKind::Denied,
            format!(
                "us-west-2_A in us-west-2, account bad ({role}): the role was refused (AccessDenied: User: arn…); \
                 allow sts:AssumeRole to this identity"
            ),
        );
        let asked = vec![asked(Some("bad"), Some(&role), Outcome::Failed(error))];
        let text = OnlineReport { asked, jobs_left_out: 0 }.text(None);
        assert!(text.contains(&format!("us-west-2_A: sts:AssumeRole is missing on {role}: the role was")), "{text}");
    }

    #[test]
    fn the_default_credentials_are_not_called_as_an_account_is() {
        let asked = vec![asked(None, None, Outcome::Good), asked(Some("default"), None, Outcome::Good)];
        let text = OnlineReport { asked, jobs_left_out: 0 }.text(None);
        assert_eq!(text.matches("default-credentials").count(), 1, "{text}");
    }
}
