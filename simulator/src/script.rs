//! A scripted job: a fixed sequence of what successive answers show.

use crate::clock::{Moment, millis};
use crate::scenario::{ShownChange, StepRule};

/// The script's place in its sequence. Its time begins with the first answer that shows it, so that a test need not be
/// quick.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    steps: Vec<Step>,
    at: usize,
    since: Option<Moment>,
    answers: u64,
    /// When a step that has started, and one that is over, were first entered.
    started: Option<Moment>,
    completed: Option<Moment>,
}

#[derive(Clone, Debug)]
struct Step {
    polls: Option<u64>,
    lasts: Option<Moment>,
    shown: ShownChange,
}

/// What a script shows at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScriptView<'a> {
    pub(crate) shown: &'a ShownChange,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
}

impl Script {
    pub(crate) fn new(rules: &[StepRule]) -> Self {
        let mut shown = ShownChange { status: Some("Created".into()), ..ShownChange::default() };
        (shown.imported, shown.skipped, shown.failed) = (Some(0), Some(0), Some(0));
        let mut steps = Vec::with_capacity(rules.len());
        for rule in rules {
            // The message belongs to its status; all else stays until it is said anew.
            if rule.status.is_some() {
                shown.message = None;
            }
            shown = ShownChange {
                status: rule.status.clone().or(shown.status),
                imported: rule.imported.or(shown.imported),
                skipped: rule.skipped.or(shown.skipped),
                failed: rule.failed.or(shown.failed),
                message: rule.message.clone().or(shown.message),
                omit: rule.omit.clone().unwrap_or(shown.omit),
                set: if rule.set.is_empty() { shown.set } else { rule.set.clone() },
            };
            let lasts = rule.lasts.map(|period| millis(period.0));
            steps.push(Step { polls: rule.polls, lasts, shown: shown.clone() });
        }
        Self { steps, at: 0, since: None, answers: 0, started: None, completed: None }
    }

    /// Moves on to now, and counts one answer that shows the job.
    pub(crate) fn look(&mut self, now: Moment) -> Option<ScriptView<'_>> {
        let mut since = *self.since.get_or_insert(now);
        loop {
            self.enter(since);
            let step = self.steps.get(self.at)?;
            let timed_out = step.lasts.map(|lasts| since.saturating_add(lasts)).filter(|end| *end <= now);
            since = match timed_out {
                _ if step.polls.is_some_and(|polls| self.answers >= polls) => now,
                Some(end) => end,
                None => break,
            };
            (self.at, self.answers) = (self.at + 1, 0);
        }
        self.since = Some(since);
        self.answers += 1;
        let shown = &self.steps.get(self.at)?.shown;
        Some(ScriptView { shown, started: self.started, completed: self.completed })
    }

    /// Keeps the dates at which the job was first seen to have started and to be over.
    fn enter(&mut self, at: Moment) {
        let status = self.steps.get(self.at).and_then(|step| step.shown.status.as_deref());
        if !matches!(status, Some("Created" | "Expired")) {
            self.started.get_or_insert(at);
        }
        if matches!(status, Some("Stopped" | "Succeeded" | "Failed" | "Expired")) {
            self.completed.get_or_insert(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Script;
    use crate::scenario::Scenario;

    fn script(steps: &str) -> Script {
        let text = format!("[[pool]]\nid = \"us-west-2_X\"\n[[pool.job]]\nscript = [{steps}]");
        let scenario = Scenario::parse(&text).unwrap();
        Script::new(scenario.pool[0].job[0].script.as_ref().unwrap().get_ref())
    }

    fn status(script: &mut Script, now: i64) -> String {
        script.look(now).unwrap().shown.status.clone().unwrap()
    }

    #[test]
    fn steps_end_after_so_many_answers_or_so_much_time_and_the_last_stays() {
        let mut script =
            script(r#"{polls = 2, status = "Created"}, {for = "2s", status = "InProgress"}, {status = "Succeeded"}"#);
        assert_eq!(status(&mut script, 50_000), "Created");
        assert_eq!(status(&mut script, 90_000), "Created");
        assert_eq!(status(&mut script, 91_000), "InProgress");
        assert_eq!(status(&mut script, 92_999), "InProgress");
        assert_eq!(status(&mut script, 93_000), "Succeeded");
        let view = script.look(1_000_000).unwrap();
        assert_eq!((view.started, view.completed), (Some(91_000), Some(93_000)));
    }

    #[test]
    fn steps_that_nobody_looked_at_are_passed_over() {
        let mut script = script(r#"{for = "1s"}, {for = "1s", status = "Pending"}, {status = "Stopped"}"#);
        assert_eq!(status(&mut script, 0), "Created");
        assert_eq!(status(&mut script, 5_000), "Stopped");
    }

    #[test]
    fn what_a_step_does_not_say_stays_but_for_the_message() {
        let mut script = script(
            r#"{polls = 1, status = "InProgress", imported = 5, message = "m"}, {status = "Failed", failed = 2}"#,
        );
        assert_eq!(script.look(0).unwrap().shown.message.as_deref(), Some("m"));
        let shown = script.look(1).unwrap().shown.clone();
        assert_eq!((shown.imported, shown.failed, shown.message), (Some(5), Some(2), None));
    }
}
