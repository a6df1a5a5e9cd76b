//! Draws the fault of a request from the scenario's rules.

use std::time::Duration;

use crate::clock::{Moment, millis};
use crate::random::Random;
use crate::scenario::{AnswerKind, FaultClock, FaultRule, ShownChange};

/// The rules, each with its own count and its own chance.
#[derive(Debug)]
pub(crate) struct Faults(Vec<Armed>);

#[derive(Debug)]
struct Armed {
    name: String,
    rule: FaultRule,
    matched: u64,
    random: Random,
}

/// A request as the rules see it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a str,
    pub(crate) account: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) pool: Option<&'a str>,
    pub(crate) job: Option<&'a str>,
    pub(crate) job_name: Option<&'a str>,
    /// Real time since the start.
    pub(crate) elapsed: Duration,
    pub(crate) now: Moment,
}

/// The fault that a request met.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) name: String,
    pub(crate) answer: AnswerKind,
    /// The one job that a change is for; all jobs of the answer where absent.
    pub(crate) job: Option<String>,
    pub(crate) job_name: Option<String>,
}

impl Faults {
    pub(crate) fn new(rules: &[FaultRule], random: &Random) -> Self {
        let arm = |(number, rule): (usize, &FaultRule)| Armed {
            name: rule.name.clone().unwrap_or_else(|| format!("fault-{}", number + 1)),
            rule: rule.clone(),
            matched: 0,
            random: random.branch(number as u64 + 1),
        };
        Self(rules.iter().enumerate().map(arm).collect())
    }

    /// The first rule that applies. Every rule counts the requests that it matches.
    pub(crate) fn draw(&mut self, asked: &Asked<'_>) -> Option<Drawn> {
        let mut drawn = None;
        for armed in &mut self.0 {
            let hit = armed.hits(asked);
            if hit && drawn.is_none() {
                drawn = Some(Drawn {
                    name: armed.name.clone(),
                    answer: armed.rule.answer.clone(),
                    job: armed.rule.job.as_ref().map(|job| job.0.clone()),
                    job_name: armed.rule.job_name.clone(),
                });
            }
        }
        drawn
    }
}

impl Armed {
    fn hits(&mut self, asked: &Asked<'_>) -> bool {
        let rule = &self.rule;
        if !self.matches(asked) {
            return false;
        }
        self.matched += 1;
        let at = match rule.clock {
            FaultClock::Real => millis(asked.elapsed),
            FaultClock::Job => asked.now,
        };
        let from = rule.from.map_or(0, |from| millis(from.0));
        let to = rule.to.as_ref().map_or(Moment::MAX, |to| millis(to.get_ref().0));
        let last = rule.last.as_ref().map_or(u64::MAX, |last| *last.get_ref());
        let counted = (rule.first.unwrap_or(1)..=last).contains(&self.matched);
        let in_window = (from..to).contains(&at);
        // Always drawn, so that a window does not move the draws after it.
        let chance = rule.ratio.as_ref().is_none_or(|ratio| self.random.fraction() < *ratio.get_ref());
        counted && in_window && chance
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        fn fits(wanted: Option<&str>, asked: Option<&str>) -> bool {
            wanted.is_none() || wanted == asked
        }
        let rule = &self.rule;
        // A list names no job; a change still finds the job in its answer.
        let in_list = asked.operation == "ListUserImportJobs" && rule.answer.change().is_some();
        fits(rule.operation.as_deref(), Some(asked.operation))
            && fits(rule.account.as_ref().map(|id| id.0.as_str()), asked.account)
            && fits(rule.region.as_deref(), asked.region)
            && fits(rule.pool.as_ref().map(|id| id.0.as_str()), asked.pool)
            && (in_list
                || fits(rule.job.as_ref().map(|id| id.0.as_str()), asked.job)
                    && fits(rule.job_name.as_deref(), asked.job_name))
    }
}

impl ShownChange {
    /// Overrides members of a job's answer.
    pub(crate) fn apply(&self, job: &mut serde_json::Map<String, serde_json::Value>) {
        let numbers = [("ImportedUsers", self.imported), ("SkippedUsers", self.skipped), ("FailedUsers", self.failed)];
        for (key, number) in numbers {
            if let Some(number) = number {
                job.insert(key.into(), number.into());
            }
        }
        if let Some(status) = &self.status {
            job.insert("Status".into(), status.as_str().into());
        }
        match self.message.as_deref() {
            Some("") => drop(job.remove("CompletionMessage")),
            Some(message) => drop(job.insert("CompletionMessage".into(), message.into())),
            None => {}
        }
        for key in &self.omit {
            job.remove(key);
        }
        for (key, value) in &self.set {
            if let Ok(value) = serde_json::to_value(value) {
                job.insert(key.clone(), value);
            }
        }
    }
}
