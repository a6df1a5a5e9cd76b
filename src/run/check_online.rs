//! The part of `check --online` that asks: each right of each account on each pool is tried once, and each named job
//! looked for, within the ceilings.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;
use std::sync::Arc;

use cognito_import_watch_core::domain::{ErrorKind, JobId, PollError, Target, UserPoolId};
use cognito_import_watch_core::schedule::Batch;
use cognito_import_watch_core::schedule::lane::{Operation, PoolBucket};

use super::engine::{Keys, Lanes};
use super::pace::{Pace, Patience};
use crate::clock::Clock;
use crate::config::{AccountRef, CredentialsPlan, Plan};
use crate::exit::CommandError;
use crate::output::online::{Asked, OnlineReport, Outcome, Right};
use crate::source::{BoxFuture, JobSource};

/// One more try tells a fault that lasts from one that passed.
const PATIENCE: Patience = Patience { throttled: 5, transient: 2 };

/// So many named jobs of a pool are looked for: a second one costs a call and seldom tells more.
const MOST_JOBS: usize = 20;

/// So many failures in a row that are the same but for what was asked about, and the rest of an account and region is
/// not asked: it is the credentials or the network.
const GIVEN_UP_AFTER: u32 = 2;

/// A job id of the right form that no job has: those of the service are random.
const NO_JOB: &str = "import-0000000000";

/// What is tried of a pool.
#[derive(Debug, Default)]
struct Trial<'a> {
    jobs: Vec<&'a JobId>,
    finds: bool,
}

/// Tries all that a plan will ask.
///
/// # Errors
/// When AWS's own settings cannot be used.
pub(super) async fn try_all(plan: &Plan) -> Result<OnlineReport, CommandError> {
    let mut trials: BTreeMap<(AccountRef, &UserPoolId), Trial<'_>> = BTreeMap::new();
    for job in &plan.jobs {
        trials.entry((job.account, &job.target.pool)).or_default().jobs.push(&job.target.job);
    }
    for pool in &plan.pools {
        trials.entry((pool.account, &pool.id)).or_default().finds = true;
    }
    let mut lanes = Lanes::new(&Keys::Planned)?;
    let clock = Clock::start();
    let mut askers: BTreeMap<(AccountRef, &str), Asker> = BTreeMap::new();
    let mut report = OnlineReport::default();
    for ((account, pool), trial) in trials {
        let asker = match askers.entry((account, pool.region())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let source = lanes.source(plan, account, pool.region()).await?;
                new.insert(Asker::new(plan, account, source, Pace::new(&plan.ceilings, clock, PATIENCE)))
            }
        };
        let lists = trial.finds || plan.poll.batch == Batch::Auto;
        asker.pool(pool, &trial.jobs, lists, &mut report).await;
    }
    Ok(report)
}

/// Asks for one account in one region.
struct Asker {
    name: Option<String>,
    role: Option<String>,
    source: Arc<dyn JobSource>,
    pace: Pace,
    /// The last failure, without what was asked about, and how often it came in a row.
    failing: Option<(PollError, u32)>,
}

impl Asker {
    fn new(plan: &Plan, account: AccountRef, source: Arc<dyn JobSource>, pace: Pace) -> Self {
        let account = plan.account(account);
        let role = match account.map(|account| &account.credentials) {
            Some(CredentialsPlan::Role { arn, .. }) => Some(arn.clone()),
            None | Some(CredentialsPlan::Default | CredentialsPlan::Profile(_)) => None,
        };
        Self { name: account.and_then(|account| account.name.clone()), role, source, pace, failing: None }
    }

    async fn pool(&mut self, pool: &UserPoolId, jobs: &[&JobId], lists: bool, report: &mut OnlineReport) {
        let bucket = self.pace.add_pool();
        let mut newest = None;
        if lists {
            let source = Arc::clone(&self.source);
            // One job is as much as the right costs; it is looked for by itself where none is named.
            let list = || -> BoxFuture<'_, _> { source.list(pool, 1, None) };
            let answer = self.ask(bucket, Operation::List, &format!("{pool}"), list).await;
            newest = answer.as_ref().ok().and_then(|answer| answer.value.jobs.first().map(|(job, _)| job.clone()));
            let outcome = outcome(answer);
            // A pool that is not there, or does not answer, is no more there for the other right.
            let goes_on = match &outcome {
                Outcome::Good => true,
                Outcome::Failed(error) => error.kind == ErrorKind::Denied || !jobs.is_empty(),
                Outcome::NotAsked(_) => !jobs.is_empty(),
            };
            let is_missing = outcome.error().is_some_and(|error| error.kind == ErrorKind::NotFound);
            report.asked.push(self.asked(pool, None, Right::List, outcome));
            if is_missing || !goes_on {
                return;
            }
        }
        if jobs.is_empty() && newest.is_none() {
            let outcome = self.right_to_describe(bucket, pool).await;
            report.asked.push(self.asked(pool, None, Right::Describe, outcome));
        }
        let newest: Vec<&JobId> = newest.iter().filter(|_| jobs.is_empty()).collect();
        for job in jobs.iter().copied().take(MOST_JOBS).chain(newest) {
            let target = Target { pool: pool.clone(), job: job.clone() };
            let source = Arc::clone(&self.source);
            let describe = || -> BoxFuture<'_, _> { source.describe(&target) };
            let answer = self.ask(bucket, Operation::Describe, &format!("{target}"), describe).await;
            report.asked.push(self.asked(pool, Some(job), Right::Describe, outcome(answer)));
        }
        report.jobs_left_out += jobs.len().saturating_sub(MOST_JOBS);
    }

    /// Whether jobs of a pool may be asked about, of which none is known: one that does not exist is not found where
    /// they may.
    async fn right_to_describe(&mut self, bucket: PoolBucket, pool: &UserPoolId) -> Outcome {
        let Ok(job) = JobId::from_str(NO_JOB) else { return Outcome::Good };
        let target = Target { pool: pool.clone(), job };
        let source = Arc::clone(&self.source);
        let describe = || -> BoxFuture<'_, _> {
            Box::pin(async { source.describe(&target).await.map(drop).or_else(|error| of_no_job(error, &target)) })
        };
        outcome(self.ask(bucket, Operation::Describe, pool.as_str(), describe).await)
    }

    fn asked(&self, pool: &UserPoolId, job: Option<&JobId>, right: Right, outcome: Outcome) -> Asked {
        Asked {
            account: self.name.clone(),
            account_id: self.source.account(),
            role: self.role.clone(),
            pool: pool.clone(),
            job: job.cloned(),
            right,
            outcome,
        }
    }

    /// Asks, unless the last answers say that it is of no use.
    async fn ask<'a, T>(
        &mut self,
        bucket: PoolBucket,
        operation: Operation,
        subject: &str,
        request: impl Fn() -> BoxFuture<'a, Result<T, PollError>>,
    ) -> Result<T, Unanswered> {
        if let Some((error, GIVEN_UP_AFTER..)) = &self.failing {
            return Err(Unanswered::NotAsked(error.clone()));
        }
        let answer = self.pace.persist(bucket, operation, request).await;
        self.failing = match (answer.as_ref().err().map(|error| without(error, subject)), self.failing.take()) {
            (None, _) => None,
            (Some(error), Some((last, times))) if error == last => Some((error, times + 1)),
            (Some(error), _) => Some((error, 1)),
        };
        answer.map_err(Unanswered::Failed)
    }
}

/// What an error about [`NO_JOB`] says of the right: that the job is not found is no fault, that the pool is not is one.
fn of_no_job(mut error: PollError, target: &Target) -> Result<(), PollError> {
    let (pool, subject) = (target.pool.as_str(), target.to_string());
    let words = error.message.strip_prefix(&subject).unwrap_or(&error.message);
    if error.kind == ErrorKind::NotFound && !words.contains(pool) {
        return Ok(());
    }
    // Nobody knows the job: the pool is what was asked about.
    error.message = format!("{pool}{words}");
    Err(error)
}

/// Why there is no answer.
enum Unanswered {
    Failed(PollError),
    /// The last answers of the account and region were all this error.
    NotAsked(PollError),
}

fn outcome<T>(answer: Result<T, Unanswered>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Good,
        Err(Unanswered::Failed(error)) => Outcome::Failed(error),
        Err(Unanswered::NotAsked(error)) => Outcome::NotAsked(error),
    }
}

/// An error without the place it begins with. One about a right or a pool still names that.
fn without(error: &PollError, subject: &str) -> PollError {
    let words = error.message.strip_prefix(subject).and_then(|rest| rest.split_once(": ")).map(|(_, words)| words);
    PollError::new(error.kind, words.unwrap_or(&error.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_made_up_shows_the_right_by_not_being_found() {
        let target = Target { pool: "us-west-2_A".parse().unwrap(), job: NO_JOB.parse().unwrap() };
        let told = |kind, words: &str| {
            of_no_job(PollError::new(kind, format!("{target} in us-west-2: {words}")), &target)
                .map_err(|error| error.message)
        };
        assert_eq!(told(ErrorKind::NotFound, "User import job import-0000000000 does not exist."), Ok(()));
        let missing = "us-west-2_A in us-west-2: User pool us-west-2_A does not exist.".to_owned();
        assert_eq!(told(ErrorKind::NotFound, "User pool us-west-2_A does not exist."), Err(missing));
        assert_eq!(told(ErrorKind::Denied, "denied"), Err("us-west-2_A in us-west-2: denied".to_owned()));
    }
}
