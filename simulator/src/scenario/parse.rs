//! Reads a scenario and checks what its types cannot: order, and ids given twice.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::rules::{AccountRule, FaultRule, PoolRule, RoleRule, StepRule};
use super::sections::{
    ClockSection, CsvSection, ErrorsSection, JobsSection, ListSection, MessagesSection, QuotaSection, SignatureSection,
};

/// The most jobs that a scenario makes: a slip of a digit in `count` is not to use up the memory.
const MOST_JOBS: u64 = 100_000;

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
    pub(crate) account: Vec<Spanned<AccountRule>>,
    pub(crate) role: Vec<Spanned<RoleRule>>,
    pub(crate) pool: Vec<Spanned<PoolRule>>,
    pub(crate) fault: Vec<Spanned<FaultRule>>,
}

impl Scenario {
    /// Reads a scenario file's text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)
            .map_err(|error| ScenarioError::at(text, error.span().unwrap_or_default(), error.message()))?;
        scenario.check().map_err(|(span, message)| ScenarioError::at(text, span, &message))?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), (Range<usize>, String)> {
        once("account", self.account.iter().map(|rule| (rule.span(), rule.get_ref().id.0.as_str())))?;
        once("role", self.role.iter().map(|rule| (rule.span(), rule.get_ref().arn.0.as_str())))?;
        once("pool", self.pool.iter().map(|rule| (rule.span(), rule.get_ref().id.as_ref().map_or("", |id| &id.0))))?;
        let mut jobs = 0;
        for (span, pool) in self.pool.iter().map(|pool| (pool.span(), pool.get_ref())) {
            once("job", pool.job.iter().map(|rule| (rule.span(), rule.get_ref().id.as_ref().map_or("", |id| &id.0))))?;
            if pool.id.is_some() && pool.region.is_some() {
                return Err((span, "a pool's region is in its id; drop `region` or `id`".into()));
            }
            for job in &pool.job {
                let script = job.get_ref().script.as_deref().map_or(Ok(()), check_script);
                script.map_err(|message| (job.span(), message.to_owned()))?;
                jobs += u64::from(job.get_ref().count.unwrap_or(1));
                if jobs > MOST_JOBS {
                    return Err((job.span(), format!("these would be more than {MOST_JOBS} jobs")));
                }
            }
        }
        for (span, fault) in self.fault.iter().map(|fault| (fault.span(), fault.get_ref())) {
            if fault.to.is_some() && fault.to <= fault.from {
                return Err((span, "`to` must be later than `from`".into()));
            }
            if fault.last.is_some_and(|last| last < fault.first.unwrap_or(1)) {
                return Err((span, "`last` must not be before `first`".into()));
            }
        }
        Ok(())
    }
}

/// No id but the empty one may come twice.
fn once<'a>(what: &str, ids: impl Iterator<Item = (Range<usize>, &'a str)>) -> Result<(), (Range<usize>, String)> {
    let mut seen = BTreeSet::from([""]);
    let mut repeated = ids.filter(|(_, id)| !seen.insert(id) && !id.is_empty());
    repeated.next().map_or(Ok(()), |(span, id)| Err((span, format!("{what} {id} is given twice"))))
}

fn check_script(script: &[StepRule]) -> Result<(), &'static str> {
    let ends = |step: &StepRule| step.polls.is_some() || step.lasts.is_some();
    match script.split_last() {
        None => Err("a script needs at least one step"),
        Some((last, _)) if ends(last) => Err("the last step stays; it takes neither `polls` nor `for`"),
        Some((_, before)) if !before.iter().all(ends) => {
            Err("a step without `polls` or `for` never ends; only the last may be so")
        }
        Some(_) if script.iter().any(|step| step.polls == Some(0)) => Err("`polls` must be at least 1"),
        Some(_) => Ok(()),
    }
}

/// A scenario that cannot be used, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The key, or the table, on that line.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

impl ScenarioError {
    fn at(text: &str, span: Range<usize>, message: &str) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let key = text.lines().nth(line).and_then(|line| line.split('=').next()).unwrap_or_default().trim();
        let column = before[start..].chars().count() + 1;
        Self { line: line + 1, column, key: printable(key), message: printable(message) }
    }
}

/// A piece of somebody's file, and words that may quote one, in one line: whatever a terminal would act on is spelled out.
fn printable(text: &str) -> String {
    let spelled = |c: char| match c {
        '"' | '\'' | '\\' => c.to_string(),
        other => other.escape_debug().to_string(),
    };
    text.chars().map(spelled).collect()
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}, at `{}`: {}", self.line, self.column, self.key, self.message)
    }
}

impl std::error::Error for ScenarioError {}

#[cfg(test)]
mod tests;
