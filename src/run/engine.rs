//! Puts a plan to work: its lanes, their sources, the scheduler over them and the driver around it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::track::WatchedJob;
use cognito_import_watch_core::domain::{AccountId, JobTrack, StoredTrack, Target, Verdict};
use cognito_import_watch_core::schedule::{
    Ending, Input, LaneIndex, NewJob, NewPool, Now, Replacement, Scheduler, Settings,
};
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::{AccountPlan, AccountRef, CredentialsPlan, Plan};
use crate::driver::Driver;
use crate::exit::{CommandError, Exit};
use crate::output::{JobReport, LostPool};
use crate::source::{Credentials, Environment, JobSource, SourceError, SourceSettings, Sources};

/// A plan ready to run.
#[derive(Debug)]
pub(super) struct Engine {
    /// The loop.
    pub(super) driver: Driver,
    /// What to begin with.
    pub(super) inputs: Vec<Input>,
    /// The accounts and regions, as the scheduler numbers them.
    pub(super) lanes: Lanes,
    /// Both clocks.
    pub(super) clock: Clock,
}

/// An account and region.
#[derive(Clone, Debug)]
pub(super) struct LaneName {
    /// The region.
    pub(super) region: String,
    source: Arc<dyn JobSource>,
    seen: Option<AccountId>,
}

impl LaneName {
    /// The account, as far as it is known by now: from the role or the credentials, else from what a job showed.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.source.account().or_else(|| self.seen.clone())
    }

    /// Learns the account from an answer.
    pub(super) fn learn(&mut self, account: Option<&AccountId>) {
        if self.seen.is_none() {
            self.seen = account.cloned();
        }
    }
}

/// Where a process may take credentials from.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// From where the plan says.
    Planned,
    /// These, one for each account of the plan; nothing of the environment is read.
    Given(Vec<Credentials>),
}

/// What is known of jobs from before.
pub(super) type Known = HashMap<Target, StoredTrack>;

/// Makes the engine of a plan. No call is made.
///
/// # Errors
/// When AWS's own settings cannot be used.
pub(super) async fn build(plan: &Plan, ending: Ending, keys: &Keys, known: &Known) -> Result<Engine, CommandError> {
    let clock = Clock::start();
    let settings = Settings {
        backoff: plan.poll.backoff.clone(),
        ceilings: plan.ceilings.clone(),
        batch: plan.poll.batch,
        ending,
        seed: Uuid::new_v4().as_u64_pair().0,
    };
    let scheduler = Scheduler::new(settings, clock.now().tick);
    let mut lanes = Lanes::new(keys)?;
    let watched = watched(plan, &mut lanes, known, clock.now()).await?;
    let jobs = watched.jobs.into_iter().map(Input::Job);
    let inputs = jobs.chain(watched.pools.into_iter().map(Input::Pool)).collect();
    Ok(Engine { driver: Driver::new(scheduler, lanes.sources(), clock), inputs, lanes, clock })
}

/// What a plan watches, with what is known of it.
///
/// # Errors
/// When AWS's own settings cannot be used.
pub(super) async fn watched(
    plan: &Plan,
    lanes: &mut Lanes,
    known: &Known,
    now: Now,
) -> Result<Replacement, CommandError> {
    let track = |stored: &StoredTrack| JobTrack::restored(stored.clone(), now.tick, now.wall);
    let mut jobs = Vec::new();
    for job in &plan.jobs {
        let lane = lanes.of(plan, job.account, job.target.pool.region()).await?;
        jobs.push(NewJob {
            lane,
            job: WatchedJob {
                target: job.target.clone(),
                name: job.name.as_deref().map(Into::into),
                account: lanes.account(lane),
                policy: Arc::new(job.policy.clone()),
                progress_interval: plan.log.progress_interval,
            },
            known: known.get(&job.target).map(track).map(Box::new),
        });
    }
    let mut pools = Vec::new();
    for pool in &plan.pools {
        let lane = lanes.of(plan, pool.account, pool.id.region()).await?;
        let of_pool = known.iter().filter(|(target, _)| target.pool == pool.id);
        pools.push(NewPool {
            lane,
            id: pool.id.clone(),
            name: pool.name.as_deref().map(Into::into),
            account: lanes.account(lane),
            policy: Arc::new(pool.policy.clone()),
            progress_interval: plan.log.progress_interval,
            filter: pool.filter(),
            known: of_pool.map(|(target, stored)| (target.job.clone(), track(stored))).collect(),
        });
    }
    Ok(Replacement {
        backoff: plan.poll.backoff.clone(),
        ceilings: plan.ceilings.clone(),
        batch: plan.poll.batch,
        jobs,
        pools,
    })
}

impl Engine {
    /// What makes the scheduler watch another plan. Accounts and regions that stay keep their lane.
    ///
    /// # Errors
    /// When AWS's own settings cannot be used; nothing has changed then.
    pub(super) async fn replace(&mut self, plan: &Plan, known: &Known) -> Result<Input, CommandError> {
        let mut lanes = self.lanes.clone();
        let replacement = watched(plan, &mut lanes, known, self.clock.now()).await?;
        self.driver.set_sources(lanes.sources());
        self.lanes = lanes;
        Ok(Input::Replace(Box::new(replacement)))
    }

    /// Every job as it stands, in the order they were added.
    pub(super) fn reports(&self) -> Vec<JobReport> {
        self.driver
            .scheduler()
            .views(self.clock.now())
            .map(|view| JobReport {
                job: view.track.identity(view.watched),
                snapshot: view.track.known().cloned(),
                observed_at: view.track.last_good(),
                verdict: view.verdict,
                error: view.track.failing().cloned(),
            })
            .collect()
    }

    /// The verdicts of all jobs, and of the pools whose jobs could not be found.
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let scheduler = self.driver.scheduler();
        let jobs = scheduler.views(self.clock.now()).filter_map(|view| view.verdict);
        jobs.chain(scheduler.pools_given_up().map(|(_, verdict, _)| verdict)).collect()
    }

    /// The pools whose jobs could not be found.
    pub(super) fn lost_pools(&self) -> Vec<LostPool> {
        let pools = self.driver.scheduler().pools_given_up();
        pools.map(|(pool, verdict, error)| LostPool { pool: pool.clone(), verdict, error: error.cloned() }).collect()
    }
}

/// The accounts and regions of a plan, each with its source, made when it is first needed.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    keys: Keys,
    sources: Sources,
    keys_of: Vec<LaneKey>,
    names: Vec<LaneName>,
}

/// What makes a lane this lane, and how its source was made.
#[derive(Clone, Debug, PartialEq)]
struct LaneKey {
    account: AccountPlan,
    region: String,
    request_timeout: Duration,
}

impl Lanes {
    pub(super) fn new(keys: &Keys) -> Result<Self, CommandError> {
        let environment = match keys {
            Keys::Planned => Environment::Ambient,
            Keys::Given(_) => Environment::Isolated,
        };
        let sources = Sources::new(environment).map_err(|error| unusable(&error))?;
        Ok(Self { keys: keys.clone(), sources, keys_of: Vec::new(), names: Vec::new() })
    }

    /// The names of the lanes, as the scheduler numbers them.
    pub(super) fn names(&self) -> Vec<LaneName> {
        self.names.clone()
    }

    /// The source of an account in a region.
    pub(super) async fn source(
        &mut self,
        plan: &Plan,
        account: AccountRef,
        region: &str,
    ) -> Result<Arc<dyn JobSource>, CommandError> {
        let settings = SourceSettings {
            credentials: self.credentials(plan, account),
            region: region.to_owned(),
            endpoint_url: plan.account(account).and_then(|account| account.endpoint_url.clone()),
            request_timeout: plan.poll.request_timeout,
        };
        self.sources.open(&settings).await.map_err(|error| unusable(&error))
    }

    fn sources(&self) -> Vec<Arc<dyn JobSource>> {
        self.names.iter().map(|lane| Arc::clone(&lane.source)).collect()
    }

    /// The lane of an account in a region. One that is known keeps its number.
    async fn of(&mut self, plan: &Plan, account: AccountRef, region: &str) -> Result<LaneIndex, CommandError> {
        let key = LaneKey {
            account: plan.account(account).cloned().unwrap_or_default(),
            region: region.to_owned(),
            request_timeout: plan.poll.request_timeout,
        };
        let same = |known: &LaneKey| known.account == key.account && known.region == key.region;
        let index = self.keys_of.iter().position(same);
        if let Some(index) = index
            && self.keys_of.get(index) == Some(&key)
        {
            return Ok(LaneIndex(index));
        }
        let source = self.source(plan, account, region).await?;
        match index.and_then(|index| Some((index, self.keys_of.get_mut(index)?, self.names.get_mut(index)?))) {
            Some((index, known, name)) => {
                *known = key;
                name.source = source;
                Ok(LaneIndex(index))
            }
            None => {
                self.keys_of.push(key);
                self.names.push(LaneName { region: region.to_owned(), source, seen: None });
                Ok(LaneIndex(self.names.len() - 1))
            }
        }
    }

    fn account(&self, lane: LaneIndex) -> Option<AccountId> {
        self.names.get(lane.0).and_then(LaneName::account)
    }

    fn credentials(&self, plan: &Plan, account: AccountRef) -> Credentials {
        if let Keys::Given(given) = &self.keys
            && let Some(credentials) = given.get(account.index())
        {
            return credentials.clone();
        }
        match plan.account(account).map(|account| &account.credentials) {
            None | Some(CredentialsPlan::Default) => Credentials::Default,
            Some(CredentialsPlan::Profile(name)) => Credentials::Profile(name.clone()),
            Some(CredentialsPlan::Role { arn, external_id }) => Credentials::Role {
                arn: arn.clone(),
                external_id: external_id.clone(),
                session_name: None,
                base_profile: None,
            },
        }
    }
}

fn unusable(error: &SourceError) -> CommandError {
    CommandError::new(Exit::Usage, error.to_string())
}
