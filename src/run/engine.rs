//! Puts a plan to work: its lanes, their sources, the scheduler over them and the driver around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cognito_import_watch_core::domain::track::WatchedJob;
use cognito_import_watch_core::domain::{AccountId, Verdict};
use cognito_import_watch_core::schedule::{Ending, Input, LaneIndex, NewJob, NewPool, Scheduler, Settings};
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::{AccountRef, CredentialsPlan, Plan};
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
    pub(super) lanes: Vec<LaneName>,
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

/// Makes the engine of a plan. No call is made.
///
/// # Errors
/// When AWS's own settings cannot be used.
pub(super) async fn build(plan: &Plan, ending: Ending, keys: &Keys) -> Result<Engine, CommandError> {
    let clock = Clock::start();
    let settings = Settings {
        backoff: plan.poll.backoff.clone(),
        ceilings: plan.ceilings.clone(),
        ending,
        seed: Uuid::new_v4().as_u64_pair().0,
    };
    let scheduler = Scheduler::new(settings, clock.now().tick);
    let mut lanes = Lanes::new(plan, keys)?;
    let mut inputs = Vec::new();
    for job in &plan.jobs {
        let lane = lanes.of(job.account, job.target.pool.region()).await?;
        inputs.push(Input::Job(NewJob {
            lane,
            job: WatchedJob {
                target: job.target.clone(),
                name: job.name.as_deref().map(Into::into),
                account: lanes.account(lane),
                policy: Arc::new(job.policy.clone()),
                progress_interval: plan.log.progress_interval,
            },
        }));
    }
    for pool in &plan.pools {
        let lane = lanes.of(pool.account, pool.id.region()).await?;
        inputs.push(Input::Pool(NewPool {
            lane,
            id: pool.id.clone(),
            account: lanes.account(lane),
            policy: Arc::new(pool.policy.clone()),
            progress_interval: plan.log.progress_interval,
            ignore_completed_before: pool.ignore_completed_before,
        }));
    }
    let sources = lanes.names.iter().map(|lane| Arc::clone(&lane.source)).collect();
    Ok(Engine { driver: Driver::new(scheduler, sources, clock), inputs, lanes: lanes.names, clock })
}

impl Engine {
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

/// One source at a time, each made when it is first needed.
pub(super) struct Lanes<'a> {
    plan: &'a Plan,
    keys: &'a Keys,
    sources: Sources,
    index: BTreeMap<(AccountRef, String), LaneIndex>,
    names: Vec<LaneName>,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(plan: &'a Plan, keys: &'a Keys) -> Result<Self, CommandError> {
        let environment = match keys {
            Keys::Planned => Environment::Ambient,
            Keys::Given(_) => Environment::Isolated,
        };
        let sources = Sources::new(environment).map_err(|error| unusable(&error))?;
        Ok(Self { plan, keys, sources, index: BTreeMap::new(), names: Vec::new() })
    }

    /// The source of an account in a region.
    pub(super) async fn source(
        &mut self,
        account: AccountRef,
        region: &str,
    ) -> Result<Arc<dyn JobSource>, CommandError> {
        let settings = SourceSettings {
            credentials: self.credentials(account),
            region: region.to_owned(),
            endpoint_url: self.plan.account(account).and_then(|account| account.endpoint_url.clone()),
            request_timeout: self.plan.poll.request_timeout,
        };
        self.sources.open(&settings).await.map_err(|error| unusable(&error))
    }

    async fn of(&mut self, account: AccountRef, region: &str) -> Result<LaneIndex, CommandError> {
        let key = (account, region.to_owned());
        if let Some(lane) = self.index.get(&key) {
            return Ok(*lane);
        }
        let source = self.source(account, region).await?;
        let lane = LaneIndex(self.names.len());
        self.names.push(LaneName { region: region.to_owned(), source, seen: None });
        self.index.insert(key, lane);
        Ok(lane)
    }

    fn account(&self, lane: LaneIndex) -> Option<AccountId> {
        self.names.get(lane.0).and_then(LaneName::account)
    }

    fn credentials(&self, account: AccountRef) -> Credentials {
        if let Keys::Given(given) = self.keys
            && let Some(credentials) = given.get(account.index())
        {
            return credentials.clone();
        }
        match self.plan.account(account).map(|account| &account.credentials) {
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
