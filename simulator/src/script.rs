//! A scripted job: a fixed sequence of what successive answers show.

use crate::clock::{Moment, millis};
use crate::scenario::StepRule;

/// The script's place in its sequence. Its time begins with the first answer that shows it, so that a test need not be
/// quick.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Each with all that it shows.
    steps: Vec<StepRule>,
    at: usize,
    since: Option<Moment>,
    answers: u64,
    /// When a step that has started, and one that is over, were first entered.
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
}

impl Script {
    pub(crate) fn new(rules: &[StepRule]) -> Self {
        let mut shown = StepRule { status: Some("Created".into()), ..StepRule::default() };
        (shown.imported, shown.skipped, shown.failed) = (Some(0), Some(0), Some(0));
        let mut steps = Vec::with_capacity(rules.len());
        for rule in rules.iter().cloned() {
            // The message belongs to its status; all else stays until it is said anew.
            let message = shown.message.filter(|_| rule.status.is_none());
            shown = StepRule {
                polls: rule.polls,
                lasts: rule.lasts,
                status: rule.status.or(shown.status),
                imported: rule.imported.or(shown.imported),
                skipped: rule.skipped.or(shown.skipped),
                failed: rule.failed.or(shown.failed),
                message: rule.message.or(message),
                omit: rule.omit.or(shown.omit),
                set: rule.set.or(shown.set),
            };
            steps.push(shown.clone());
        }
        Self { steps, at: 0, since: None, answers: 0, started: None, completed: None }
    }

    /// Moves on to now, counts one answer that shows the job, and tells what it shows.
    pub(crate) fn look(&mut self, now: Moment) -> StepRule {
        let mut since = *self.since.get_or_insert(now);
        loop {
            self.enter(since);
            let Some(step) = self.steps.get(self.at) else { return StepRule::default() };
            let end = step.lasts.as_ref().map(|lasts| since.saturating_add(millis(lasts.0)));
            since = match end.filter(|end| *end <= now) {
                _ if step.polls.is_some_and(|polls| self.answers >= polls) => now,
                Some(end) => end,
                None => break,
            };
            (self.at, self.answers) = (self.at + 1, 0);
        }
        self.since = Some(since);
        self.answers += 1;
        self.steps[self.at].clone()
    }

    /// Keeps the dates at which the job was first seen to have started and to be over.
    fn enter(&mut self, at: Moment) {
        let status = self.steps.get(self.at).and_then(|step| step.status.as_deref());
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
        Script::new(scenario.pool[0].get_ref().job[0].get_ref().script.as_ref().unwrap())
    }

    fn status(script: &mut Script, now: i64) -> String {
        script.look(now).status.unwrap()
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
        assert_eq!(status(&mut script, 1_000_000), "Succeeded");
        assert_eq!((script.started, script.completed), (Some(91_000), Some(93_000)));
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
        assert_eq!(script.look(0).message.as_deref(), Some("m"));
        let shown = script.look(1);
        assert_eq!((shown.imported, shown.failed, shown.message), (Some(5), Some(2), None));
    }
}
