//! What an answer shows, and what has to come of it: a question about a job alone shows that job, a page of a list many.
//!
//! Called by [`World`] around each answer.

use std::collections::BTreeMap;

use cognito_import_watch_core::schedule::{Batch, PollResult, Question};

use super::process::{Counts, Flight};
use super::story::{By, Fact, Shown};
use super::world::World;

/// How long a job that a list left in doubt may wait until it is asked about alone, in milliseconds.
const DOUBT: i64 = 20_000;

/// What an answer shows.
#[derive(Debug)]
pub(super) struct Answer {
    by: By,
    asked: i64,
    /// By target; what was observed of it is gone from here.
    shown: BTreeMap<String, Shown>,
}

/// What lists did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lists {
    /// Jobs that one of them showed and that were observed by it.
    pub(super) observed: usize,
    /// Those of them that were left in doubt.
    pub(super) doubted: usize,
    /// Jobs on pages that were too late for them.
    pub(super) late: usize,
}

impl World {
    /// What an answer shows that is about to be handled.
    pub(super) fn what_it_shows(&self, flight: &Flight, result: &PollResult) -> Answer {
        let asked = flight.asked;
        let (by, shown) = match (&flight.question, result) {
            (Question::Describe(target), PollResult::Failed(error)) => {
                (By::Describe, [(target.to_string(), Shown::Failure(error.kind.as_str()))].into())
            }
            (Question::Describe(target), PollResult::Job(..) | PollResult::Page(_)) => {
                let target = target.to_string();
                let sight = self.service.job(&target).expect("it was shown").sight.clone();
                (By::Describe, [(target, Shown::Job(sight))].into())
            }
            (Question::List { pool, .. }, PollResult::Page(page)) => {
                let shown = page.jobs.iter().map(|(job, _)| {
                    let target = format!("{pool}/{job}");
                    let sight = self.service.listed(&target, self.now).expect("it was shown").clone();
                    (target, Shown::Job(sight))
                });
                (By::List, shown.collect())
            }
            (Question::List { .. }, PollResult::Failed(_) | PollResult::Job(..)) => (By::List, BTreeMap::new()),
        };
        Answer { by, asked, shown }
    }

    /// A job is observed by the answer that is being handled: what has to be told of it.
    pub(super) fn hear(&mut self, target: &str) -> Vec<Fact> {
        let Some(answer) = &mut self.answer else { panic!("{target} is observed without an answer") };
        let (by, asked) = (answer.by, answer.asked);
        let Some(shown) = answer.shown.remove(target) else { panic!("{target} is observed and was not shown") };
        if let (By::List, Shown::Job(sight)) = (by, &shown) {
            self.check_may_be_observed(target, asked);
            let story = self.memory.mind.entry(target.to_owned()).or_default();
            self.lists.observed += 1;
            if story.is_doubtful(sight) {
                self.lists.doubted += 1;
                self.doubts.entry(target.to_owned()).or_insert(self.now);
            }
        }
        let watch = self.watch(target);
        let now = self.now;
        let story = self.memory.mind.entry(target.to_owned()).or_default();
        let facts = story.hear(&watch, now, by, shown);
        if story.is_settled() {
            self.doubts.remove(target);
        }
        self.heard.insert(target.to_owned(), now);
        self.check_deadline(target, &facts);
        facts
    }

    /// Lists stand for questions about jobs where the owner says so, and never for a newer answer about one.
    fn check_may_be_observed(&self, target: &str, asked: i64) {
        assert_eq!(self.config.batch, Batch::Auto, "{target} is observed by a list");
        self.check_is_asked_about(target);
        assert!(!self.is_asked(target), "{target} is observed by a list while it is asked about alone");
        let heard = self.heard.get(target).filter(|_| self.memory.story(target).is_some_and(|story| !story.is_empty()));
        assert!(
            heard.is_none_or(|heard| *heard <= asked),
            "{target} is observed by a list that was asked for at {asked}, before the answer at {heard:?}"
        );
    }

    /// Whether a question about this job alone is on its way.
    fn is_asked(&self, target: &str) -> bool {
        let is_it = |flight: &Flight| match &flight.question {
            Question::Describe(asked) => flight.answer == Counts::Yes && asked.to_string() == target,
            Question::List { .. } => false,
        };
        self.process.as_ref().is_some_and(|process| process.flights.values().any(is_it))
    }

    /// What an answer showed was observed, unless a newer answer is there or on its way; what a list shows that is in
    /// doubt may be passed over, for the job is asked about alone.
    pub(super) fn check_all_was_observed(&mut self, answer: &Answer) {
        for (target, shown) in &answer.shown {
            match (answer.by, shown) {
                (By::Describe, _) => panic!("an answer about {target} is passed over"),
                (By::List, Shown::Failure(_)) => {}
                (By::List, Shown::Job(sight)) => {
                    let story = self.memory.story(target);
                    let known = story.is_some_and(|story| story.known().is_some());
                    let over = story.is_some_and(|story| story.is_over());
                    let watched = self.config.names(target) || known && self.config.watches(target);
                    let since = self.watched_since.get(target).copied().unwrap_or(i64::MIN);
                    let heard = self.heard.get(target).copied().unwrap_or(i64::MIN);
                    if self.config.batch != Batch::Auto || !watched || over || since >= answer.asked {
                        continue;
                    }
                    if heard >= answer.asked
                        || self.is_asked(target)
                        || self.memory.story(target).is_some_and(|story| story.is_doubtful(sight))
                    {
                        self.lists.late += usize::from(heard > answer.asked);
                        continue;
                    }
                    panic!("{target} is on a page of {} and passed over: {sight:?}", answer.asked);
                }
            }
        }
    }

    /// The lines that were told of what a question may show, and that may not be kept yet.
    pub(super) fn behind(&self, question: &Question) -> Vec<String> {
        match question {
            Question::Describe(target) => self.memory.under_way(&target.to_string()).cloned().collect(),
            Question::List { pool, .. } => self.memory.under_way_of(pool.as_str(), &self.config).cloned().collect(),
        }
    }

    /// A list is asked for where something of its pool is to be found or seen.
    pub(super) fn check_is_listed(&self, pool: &str) {
        if self.config.watches_all_of(pool) {
            return;
        }
        assert_eq!(self.config.batch, Batch::Auto, "{pool} is listed");
        let is_open = |target: &str| {
            let is_over = self.memory.story(target).is_some_and(|story| story.is_over());
            self.config.watches(target) && !is_over && target.split('/').next() == Some(pool)
        };
        let jobs = self.service.jobs.iter().map(|job| job.target.as_str());
        assert!(jobs.chain(super::operations::NAMED).any(is_open), "{pool} is listed and nothing of it is watched");
    }

    /// What a list left in doubt is asked about alone before long.
    pub(super) fn check_doubts(&mut self) {
        self.doubts.retain(|target, _| self.config.watches(target));
        for (target, since) in &self.doubts {
            let is_fair = self.fair_since <= *since;
            assert!(!is_fair || self.now - since <= DOUBT, "{target} is left in doubt since {since}");
        }
    }
}
