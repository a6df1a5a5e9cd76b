//! Reads a scenario and checks what TOML cannot: ranges, order, and ids given twice.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;

use super::faults::FaultRule;
use super::pools::{AccountRule, JobRule, PoolRule};
use super::sections::{
    ClockSection, CsvSection, ErrorsSection, JobsSection, ListSection, MessagesSection, QuotaSection, SignatureSection,
};

/// What exists in the simulator and how it behaves. The default is one account with one pool and no faults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    pub(crate) clock: ClockSection,
    pub(crate) jobs: JobsSection,
    pub(crate) csv: CsvSection,
    pub(crate) list: ListSection,
    pub(crate) quota: QuotaSection,
    pub(crate) signature: SignatureSection,
    pub(crate) errors: ErrorsSection,
    pub(crate) messages: MessagesSection,
    pub(crate) account: Vec<AccountRule>,
    pub(crate) pool: Vec<PoolRule>,
    pub(crate) fault: Vec<FaultRule>,
}

impl Scenario {
    /// Reads a scenario file's text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)
            .map_err(|error| ScenarioError::new(text, error.span().unwrap_or(0..0), error.message().to_owned()))?;
        scenario.check().map_err(|(span, message)| ScenarioError::new(text, span, message))?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), (Range<usize>, String)> {
        let numbers = [
            ("clock.speed", self.clock.speed, 0.001, 1e7),
            ("jobs.rows_per_second", self.jobs.rows_per_second, 0.001, 1e9),
            ("jobs.too_many", self.jobs.too_many, 0.0, 1.0),
            ("quota.user_pool_resource_read", self.quota.user_pool_resource_read, 0.1, 1e6),
            ("quota.user_pool_resource_update", self.quota.user_pool_resource_update, 0.1, 1e6),
            ("quota.user_pool_update", self.quota.user_pool_update, 0.1, 1e6),
            ("quota.user_creation", self.quota.user_creation, 0.1, 1e6),
            ("quota.user_list", self.quota.user_list, 0.1, 1e6),
            ("quota.per_pool", self.quota.per_pool, 0.1, 1e6),
        ];
        for (key, value, least, most) in numbers {
            if !(least..=most).contains(&value) {
                return Err((0..0, format!("`{key}` is {value}; it must be between {least} and {most}")));
            }
        }
        let mut seen = BTreeSet::new();
        for account in &self.account {
            if !seen.insert(account.id.get_ref().0.as_str()) {
                return Err((account.id.span(), format!("account {} is given twice", account.id.get_ref().0)));
            }
        }
        for pool in &self.pool {
            self.check_pool(pool, &mut seen)?;
        }
        self.fault.iter().try_for_each(check_fault)
    }

    fn check_pool<'a>(&self, pool: &'a PoolRule, seen: &mut BTreeSet<&'a str>) -> Result<(), (Range<usize>, String)> {
        if let Some(id) = &pool.id {
            if !seen.insert(&id.get_ref().0) {
                return Err((id.span(), format!("pool {} is given twice", id.get_ref().0)));
            }
            if let Some(region) = &pool.region {
                return Err((region.span(), "a pool's region is in its id; drop `region` or `id`".into()));
            }
        }
        let mut jobs = BTreeSet::new();
        for job in &pool.job {
            if let Some(id) = job.id.as_ref().filter(|id| !jobs.insert(&id.get_ref().0)) {
                return Err((id.span(), format!("job {} is given twice", id.get_ref().0)));
            }
            check_script(job)?;
        }
        Ok(())
    }
}

fn check_script(job: &JobRule) -> Result<(), (Range<usize>, String)> {
    let Some(script) = &job.script else { return Ok(()) };
    let Some((last, before)) = script.get_ref().split_last() else {
        return Err((script.span(), "a script needs at least one step".into()));
    };
    if before.iter().any(|step| step.polls.is_none() && step.lasts.is_none()) {
        return Err((script.span(), "a step without `polls` or `for` never ends; only the last may be so".into()));
    }
    if last.polls.is_some() || last.lasts.is_some() {
        return Err((script.span(), "the last step stays; it takes neither `polls` nor `for`".into()));
    }
    if before.iter().any(|step| step.polls == Some(0)) {
        return Err((script.span(), "`polls` must be at least 1".into()));
    }
    Ok(())
}

fn check_fault(fault: &FaultRule) -> Result<(), (Range<usize>, String)> {
    if let Some(to) = fault.to.as_ref().filter(|to| Some(to.get_ref()) <= fault.from.as_ref()) {
        return Err((to.span(), "`to` must be later than `from`".into()));
    }
    if let Some(last) = fault.last.as_ref().filter(|last| *last.get_ref() < fault.first.unwrap_or(1)) {
        return Err((last.span(), "`last` must not be before `first`".into()));
    }
    if let Some(ratio) = fault.ratio.as_ref().filter(|ratio| !(0.0..=1.0).contains(ratio.get_ref())) {
        return Err((ratio.span(), "`ratio` must be between 0 and 1".into()));
    }
    Ok(())
}

/// A scenario that cannot be used, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// From 1; 0 where the fault has no one place.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The key on that line, empty where there is none.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

impl ScenarioError {
    fn new(text: &str, span: Range<usize>, message: String) -> Self {
        if span == (0..0) {
            return Self { line: 0, column: 0, key: String::new(), message };
        }
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let source = text.lines().nth(line).unwrap_or_default();
        let key = source.split('=').next().unwrap_or_default().trim().to_owned();
        Self { line: line + 1, column: before[start..].chars().count() + 1, key, message }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.key.as_str()) {
            (0, _) => write!(f, "{}", self.message),
            (line, "") => write!(f, "line {line}, column {}: {}", self.column, self.message),
            (line, key) => write!(f, "line {line}, column {}, at `{key}`: {}", self.column, self.message),
        }
    }
}

impl std::error::Error for ScenarioError {}
