//! Whether the daemon does what it is there for: what `/readyz` tells.
//!
//! Noted by `run` and the ledger's threads, asked by `answer`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is known so far. Until [`Readiness::watches`] is called the daemon is starting.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Standing>);

#[derive(Debug, Default)]
struct Standing {
    /// The accounts and regions in use by their numbers; `None` while the daemon starts.
    lanes: Option<BTreeMap<usize, Lane>>,
    unwritable: Option<String>,
    rejected: Option<String>,
    stops: bool,
}

#[derive(Debug)]
struct Lane {
    name: String,
    answer: Option<Answer>,
}

/// How the service answered an account in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With what was asked for.
    Good,
    /// By refusing it: that is told in the log, and put right elsewhere.
    Refused,
}

/// Whether it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It is; what there is to say all the same.
    Yes(Option<String>),
    /// It is not, for this reason.
    No(String),
}

impl Readiness {
    /// These accounts and regions are asked from now on. One that had an answer needs no other.
    pub fn watches(&self, lanes: impl IntoIterator<Item = (usize, String)>) {
        let mut standing = self.lock();
        let before = standing.lanes.take().unwrap_or_default();
        let lanes = lanes.into_iter().map(|(number, name)| {
            let answer = before.get(&number).and_then(|lane| lane.answer);
            (number, Lane { name, answer })
        });
        standing.lanes = Some(lanes.collect());
    }

    /// Of these alone there is something left to ask: what has no answer by now and is none of them needs none, such as
    /// a region whose jobs are all over since an earlier run.
    pub fn asks_only(&self, is_asked: impl Fn(usize) -> bool) {
        if let Some(lanes) = &mut self.lock().lanes {
            lanes.retain(|number, lane| lane.answer.is_some() || is_asked(*number));
        }
    }

    /// The service answered a request of this account and region. One good answer is enough for good.
    pub fn answered(&self, lane: usize, answer: Answer) {
        let mut standing = self.lock();
        let lane = standing.lanes.as_mut().and_then(|lanes| lanes.get_mut(&lane));
        if let Some(lane) = lane.filter(|lane| lane.answer != Some(Answer::Good)) {
            lane.answer = Some(answer);
        }
    }

    /// The config was read again and is wrong: what was in force stays so.
    pub fn rejected(&self, error: &str) {
        // The first line says where; the whole is in the log.
        self.lock().rejected = Some(error.lines().next().unwrap_or_default().to_owned());
    }

    /// The config was read again and is in force.
    pub fn accepted(&self) {
        self.lock().rejected = None;
    }

    /// The state cannot be written.
    pub fn unwritable(&self, error: String) {
        self.lock().unwritable = Some(error);
    }

    /// The state can be written again.
    pub fn writable(&self) {
        self.lock().unwritable = None;
    }

    /// The daemon was told to stop, or is done.
    pub fn stops(&self) {
        self.lock().stops = true;
    }

    /// Whether it is ready, and why not.
    #[must_use]
    pub fn check(&self) -> Ready {
        let standing = self.lock();
        if standing.stops {
            return Ready::No("the daemon is stopping".to_owned());
        }
        let Some(lanes) = &standing.lanes else { return Ready::No("the daemon is starting".to_owned()) };
        if let Some(error) = &standing.unwritable {
            return Ready::No(format!("the state cannot be written: {error}"));
        }
        if let Some(names) = names(lanes, None) {
            return Ready::No(format!("no answer yet from {names}; the log says why"));
        }
        let rejected = standing.rejected.as_ref();
        let rejected =
            rejected.map(|error| format!("the config before is in force; the new one was rejected: {error}"));
        let refused = names(lanes, Some(Answer::Refused));
        let refused = refused.map(|names| format!("nothing but refusals from {names}; the log says why"));
        let said: Vec<String> = refused.into_iter().chain(rejected).collect();
        Ready::Yes((!said.is_empty()).then(|| said.join("; ")))
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first of those that were answered so, and how many more there are.
fn names(lanes: &BTreeMap<usize, Lane>, answer: Option<Answer>) -> Option<String> {
    let mut such = lanes.values().filter(|lane| lane.answer == answer);
    let first = such.next()?;
    Some(match such.count() {
        0 => first.name.clone(),
        more => format!("{} and {more} more", first.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no(reason: &str) -> Ready {
        Ready::No(reason.to_owned())
    }

    #[test]
    fn it_is_ready_when_every_account_and_region_was_answered() {
        let readiness = Readiness::default();
        assert_eq!(readiness.check(), no("the daemon is starting"));
        readiness.watches([(0, "us-west-2".to_owned()), (1, "eu-west-1".to_owned()), (2, "eu-west-2".to_owned())]);
        readiness.answered(1, Answer::Good);
        readiness.answered(9, Answer::Good);
        assert_eq!(readiness.check(), no("no answer yet from us-west-2 and 1 more; the log says why"));
        readiness.answered(2, Answer::Refused);
        assert_eq!(readiness.check(), no("no answer yet from us-west-2; the log says why"));
        readiness.answered(0, Answer::Good);
        readiness.answered(0, Answer::Refused);
        let said = "nothing but refusals from eu-west-2; the log says why";
        assert_eq!(readiness.check(), Ready::Yes(Some(said.to_owned())));
        readiness.answered(2, Answer::Good);
        assert_eq!(readiness.check(), Ready::Yes(None));
        // A reload: what was answered stays so, what is gone is not waited for.
        readiness.watches([(1, "eu-west-1".to_owned())]);
        assert_eq!(readiness.check(), Ready::Yes(None));
        readiness.watches([(1, "eu-west-1".to_owned()), (3, "us-east-1".to_owned())]);
        assert_eq!(readiness.check(), no("no answer yet from us-east-1; the log says why"));
    }

    #[test]
    fn where_nothing_is_left_to_ask_no_answer_is_waited_for_until_the_config_is_read_again() {
        let lanes = || [(0, "us-west-2".to_owned()), (1, "eu-west-1".to_owned()), (2, "eu-west-2".to_owned())];
        let readiness = Readiness::default();
        readiness.asks_only(|_| false);
        assert_eq!(readiness.check(), no("the daemon is starting"));
        readiness.watches(lanes());
        readiness.answered(2, Answer::Refused);
        readiness.asks_only(|lane| lane == 1);
        assert_eq!(readiness.check(), no("no answer yet from eu-west-1; the log says why"));
        readiness.asks_only(|_| false);
        let said = "nothing but refusals from eu-west-2; the log says why";
        assert_eq!(readiness.check(), Ready::Yes(Some(said.to_owned())));
        readiness.watches(lanes());
        assert_eq!(readiness.check(), no("no answer yet from us-west-2 and 1 more; the log says why"));
    }

    #[test]
    fn a_state_that_cannot_be_written_and_a_stop_make_it_unready_and_a_rejected_config_does_not() {
        let readiness = Readiness::default();
        readiness.watches([]);
        readiness.rejected("watch.toml:2:1: unknown key\n  |\n");
        let said = "the config before is in force; the new one was rejected: watch.toml:2:1: unknown key";
        assert_eq!(readiness.check(), Ready::Yes(Some(said.to_owned())));
        readiness.unwritable("no room".to_owned());
        assert_eq!(readiness.check(), no("the state cannot be written: no room"));
        readiness.writable();
        readiness.accepted();
        assert_eq!(readiness.check(), Ready::Yes(None));
        readiness.stops();
        assert_eq!(readiness.check(), no("the daemon is stopping"));
    }
}
