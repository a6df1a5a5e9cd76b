//! The tables of the scenario that say what exists: accounts, pools, their users and their jobs.

use serde::Deserialize;
use toml::Spanned;

use super::values::{AccountId, JobId, Period, PoolId};

/// `[[account]]`: its test keys, where the derived ones do not suit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRule {
    pub(crate) id: Spanned<AccountId>,
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
    /// Where set, requests must carry it.
    pub(crate) session_token: Option<String>,
}

/// `[[pool]]`: a user pool.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PoolRule {
    /// Drawn at random where absent.
    pub(crate) id: Option<Spanned<PoolId>>,
    /// The first account where absent.
    pub(crate) account: Option<AccountId>,
    /// Only where the id is absent.
    pub(crate) region: Option<Spanned<String>>,
    pub(crate) name: Option<String>,
    /// Email alone where absent.
    pub(crate) auto_verified: Option<Vec<Contact>>,
    pub(crate) mfa: Mfa,
    /// Attributes that every user must have.
    pub(crate) required: Vec<String>,
    /// Custom attributes, without `custom:`.
    pub(crate) custom: Vec<String>,
    /// Usernames that exist at the start.
    pub(crate) users: Vec<String>,
    pub(crate) job: Vec<JobRule>,
}

/// An attribute that Cognito can verify.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contact {
    Email,
    PhoneNumber,
}

impl Contact {
    /// Its name in the API and in the CSV.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
        }
    }
}

/// A pool's setting for multi-factor authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Mfa {
    #[default]
    Off,
    Optional,
    On,
}

impl Mfa {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Optional => "OPTIONAL",
            Self::On => "ON",
        }
    }
}

/// `[[pool.job]]`: an import job that exists at the start.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct JobRule {
    /// Drawn at random where absent.
    pub(crate) id: Option<Spanned<JobId>>,
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
    /// How long ago it was created.
    pub(crate) created_ago: Period,
    /// So many alike, `-1`, `-2`, … added to id and name.
    pub(crate) count: Option<u32>,
    /// What answers show, in turn. Without one the job is a real one that waits for its CSV.
    pub(crate) script: Option<Spanned<Vec<StepRule>>>,
}

/// One step of a script. What a step does not say stays as it was in the step before.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StepRule {
    /// Ends after so many answers that showed it.
    pub(crate) polls: Option<u64>,
    /// Ends after so long on the job's clock.
    #[serde(rename = "for")]
    pub(crate) lasts: Option<Period>,
    pub(crate) status: Option<String>,
    pub(crate) imported: Option<u64>,
    pub(crate) skipped: Option<u64>,
    pub(crate) failed: Option<u64>,
    /// Empty: none is shown.
    pub(crate) message: Option<String>,
    /// Members left out of the answer.
    pub(crate) omit: Option<Vec<String>>,
    /// Members put into the answer as they stand.
    pub(crate) set: toml::Table,
}

/// Members of a job's answer that are overridden.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ShownChange {
    pub(crate) status: Option<String>,
    pub(crate) imported: Option<u64>,
    pub(crate) skipped: Option<u64>,
    pub(crate) failed: Option<u64>,
    pub(crate) message: Option<String>,
    pub(crate) omit: Vec<String>,
    pub(crate) set: toml::Table,
}
