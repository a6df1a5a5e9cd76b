//! Draws the fault of a request from the scenario's rules.

use std::time::Duration;

use serde_json::Value;
use toml::Spanned;

use crate::clock::{Moment, millis};
use crate::random::Random;
use crate::scenario::{AnswerKind, FaultClock, FaultRule};

/// A rule, with its own count of the requests it matched and its own chance.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) name: String,
    pub(crate) rule: FaultRule,
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
    /// Real time since the start, and the job's clock.
    pub(crate) elapsed: Duration,
    pub(crate) now: Moment,
}

/// The rules of a scenario.
pub(crate) fn arm(rules: &[Spanned<FaultRule>], random: &Random) -> Vec<Fault> {
    let arm = |(number, rule): (u64, &Spanned<FaultRule>)| {
        let rule = rule.get_ref().clone();
        let name = rule.name.clone().unwrap_or_else(|| format!("fault-{number}"));
        Fault { name, rule, matched: 0, random: random.branch(number) }
    };
    (1..).zip(rules).map(arm).collect()
}

/// The first rule that applies. Every rule counts the requests that it matches.
pub(crate) fn draw(faults: &mut [Fault], asked: &Asked<'_>) -> Option<Fault> {
    let hits: Vec<bool> = faults.iter_mut().map(|fault| fault.hits(asked)).collect();
    faults.iter().zip(hits).find(|(_, hit)| *hit).map(|(fault, _)| fault.clone())
}

impl Fault {
    fn hits(&mut self, asked: &Asked<'_>) -> bool {
        let fits = |wanted: Option<&str>, asked: Option<&str>| wanted.is_none() || wanted == asked;
        let rule = &self.rule;
        // A list names no job; a change still finds the job in its answer.
        let in_list = asked.operation == "ListUserImportJobs" && matches!(rule.answer, AnswerKind::Show(_));
        let matches = fits(rule.operation.as_deref(), Some(asked.operation))
            && fits(rule.account.as_ref().map(|id| id.0.as_str()), asked.account)
            && fits(rule.region.as_deref(), asked.region)
            && fits(rule.pool.as_ref().map(|id| id.0.as_str()), asked.pool)
            && (in_list || fits(rule.job.as_ref().map(|id| id.0.as_str()), asked.job))
            && (in_list || fits(rule.job_name.as_deref(), asked.job_name));
        if !matches {
            return false;
        }
        self.matched += 1;
        let at = match rule.clock {
            FaultClock::Real => millis(asked.elapsed),
            FaultClock::Job => asked.now,
        };
        let window = rule.from.as_ref().map_or(0, |from| millis(from.0))
            ..rule.to.as_ref().map_or(Moment::MAX, |to| millis(to.0));
        let counted = rule.first.unwrap_or(1)..=rule.last.unwrap_or(u64::MAX);
        // Always drawn, so that a window does not move the draws after it.
        let chance = self.random.fraction();
        let lucky = rule.ratio.as_ref().is_none_or(|ratio| chance < ratio.0);
        window.contains(&at) && counted.contains(&self.matched) && lucky
    }

    /// Changes what an answer shows of the jobs that a `show` fault is for.
    pub(crate) fn alter(&self, answer: &mut Value) {
        let AnswerKind::Show(change) = &self.rule.answer else { return };
        let alter = |job: &mut Value| {
            let id = self.rule.job.as_ref().is_none_or(|id| job["JobId"] == id.0);
            let name = self.rule.job_name.as_ref().is_none_or(|name| job["JobName"] == *name);
            job.as_object_mut().filter(|_| id && name).into_iter().for_each(|job| change.apply(job));
        };
        answer.get_mut("UserImportJob").into_iter().for_each(alter);
        answer.get_mut("UserImportJobs").and_then(Value::as_array_mut).into_iter().flatten().for_each(alter);
    }
}
