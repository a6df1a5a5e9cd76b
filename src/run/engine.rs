//! Puts a plan to work: its lanes, their sources, the scheduler over them and the driver around it.

use std::collections::HashMap;
use std::sync::Arc;

use cognito_import_watch_core::domain::track::WatchedJob;
use cognito_import_watch_core::domain::{JobTrack, StoredTrack, Target, Terms, UserPoolId, Verdict};
use cognito_import_watch_core::schedule::{Ending, Input, NewJob, NewPool, Now, Replacement, Scheduler, Settings};
use uuid::Uuid;

pub(super) use super::lanes::{Keys, LaneName, Lanes};
use crate::clock::Clock;
use crate::config::Plan;
use crate::driver::{Driver, Ended, Observer, OnHangup};
use crate::exit::CommandError;
use crate::output::{JobReport, LostPool};
use crate::signal::Signals;

/// A plan ready to run.
#[derive(Debug)]
pub(super) struct Engine {
    /// What is watched, as long as accounts of it may turn out to be one. The scheduler holds it too, in less room.
    plan: Option<Arc<Plan>>,
    /// The loop.
    pub(super) driver: Driver,
    /// What to begin with.
    pub(super) inputs: Vec<Input>,
    /// The accounts and regions, as the scheduler numbers them.
    pub(super) lanes: Lanes,
    /// Both clocks.
    pub(super) clock: Clock,
}

/// What is known of jobs from before.
pub(super) type Known = HashMap<Target, StoredTrack>;

/// Makes the engine of a plan. No call is made.
///
/// # Errors
/// When AWS's own settings cannot be used.
pub(super) async fn build(plan: Arc<Plan>, ending: Ending, keys: &Keys, known: &Known) -> Result<Engine, CommandError> {
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
    let watched = watched(&plan, &mut lanes, known, clock.now()).await?;
    let jobs = watched.jobs.into_iter().map(Input::Job);
    let inputs = jobs.chain(watched.pools.into_iter().map(Input::Pool)).collect();
    let plan = lanes.may_join().then_some(plan);
    Ok(Engine { plan, driver: Driver::new(scheduler, lanes.sources(), clock), inputs, lanes, clock })
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
    lanes.begin();
    let mut lanes_of_pools = Vec::new();
    for pool in &plan.pools {
        lanes_of_pools.push(lanes.of_pool(plan, pool.account, &pool.id).await?);
    }
    let (mut jobs, mut shared) = (Vec::new(), Shared::default());
    for job in &plan.jobs {
        let lane = lanes.of_job(plan, job.account, &job.target).await?;
        jobs.push(NewJob {
            lane,
            job: WatchedJob {
                target: job.target.clone(),
                terms: shared.of(Terms {
                    name: job.name.as_deref().map(Into::into),
                    account: lanes.account(lane),
                    policy: Arc::new(job.policy.clone()),
                    progress_interval: plan.log.progress_interval,
                }),
            },
            known: known.get(&job.target).map(track).map(Box::new),
        });
    }
    let mut pools = Vec::new();
    let mut known_of: HashMap<&UserPoolId, Vec<(&Target, &StoredTrack)>> = HashMap::new();
    for (target, stored) in known {
        known_of.entry(&target.pool).or_default().push((target, stored));
    }
    for (pool, lane) in plan.pools.iter().zip(lanes_of_pools) {
        let of_pool = known_of.remove(&pool.id).unwrap_or_default().into_iter();
        pools.push(NewPool {
            lane,
            id: pool.id.clone(),
            name: pool.name.as_deref().map(Into::into),
            terms: shared.of(Terms {
                name: None,
                account: lanes.account(lane),
                policy: Arc::new(pool.policy.clone()),
                progress_interval: plan.log.progress_interval,
            }),
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

/// Gives out the same terms once: of many jobs mostly the same is said.
#[derive(Default)]
struct Shared(Vec<Arc<Terms>>);

impl Shared {
    /// How many are looked through: those of jobs that a file has near each other.
    const RECENT: usize = 16;

    fn of(&mut self, terms: Terms) -> Arc<Terms> {
        let recent = self.0.iter().rev().take(Self::RECENT);
        if let Some(same) = recent.into_iter().find(|shared| ***shared == terms) {
            return Arc::clone(same);
        }
        let terms = Arc::new(terms);
        // Nobody shares a name of its own.
        if terms.name.is_none() {
            self.0.push(Arc::clone(&terms));
        }
        terms
    }
}

impl Engine {
    /// What makes the scheduler watch another plan. Accounts and regions that stay keep their lane.
    ///
    /// # Errors
    /// When AWS's own settings cannot be used; nothing has changed then.
    pub(super) async fn replace(&mut self, plan: Arc<Plan>, known: &Known) -> Result<Input, CommandError> {
        let lanes = self.lanes.clone();
        self.replace_in(lanes, plan, known).await
    }

    async fn replace_in(&mut self, mut lanes: Lanes, plan: Arc<Plan>, known: &Known) -> Result<Input, CommandError> {
        let replacement = watched(&plan, &mut lanes, known, self.clock.now()).await?;
        self.driver.set_sources(lanes.sources());
        self.plan = lanes.may_join().then_some(plan);
        self.lanes = lanes;
        Ok(Input::Replace(Box::new(replacement)))
    }

    /// Runs until everything is over, or a signal says otherwise, as [`Driver::run`] does. Accounts that turn out to
    /// be the same one share its quota from then on.
    pub(super) async fn run(
        &mut self,
        mut inputs: Vec<Input>,
        signals: &mut Signals,
        hangup: OnHangup,
        observer: &mut dyn Observer,
    ) -> Ended {
        loop {
            if let Some(ended) = self.driver.run(inputs, signals, hangup, observer).await {
                return ended;
            }
            let mut lanes = self.lanes.clone();
            let (true, Some(plan)) = (lanes.learn(self.driver.accounts()), self.plan.clone()) else {
                self.lanes = lanes;
                inputs = Vec::new();
                continue;
            };
            // What is watched stays, and with it all that is known: nothing has to be told of before.
            inputs = match self.replace_in(lanes, plan, &Known::new()).await {
                Ok(input) => {
                    observer.lanes_changed(&self.lanes.in_use());
                    vec![input]
                }
                Err(error) => {
                    tracing::warn!(error = %error.message, "accounts that are one keep separate quotas");
                    Vec::new()
                }
            };
        }
    }

    /// Every job as it stands, in the order they were added.
    pub(super) fn reports(&self) -> Vec<JobReport> {
        self.driver
            .scheduler()
            .views(self.clock.now())
            .map(|view| JobReport {
                job: view.track.identity(&view.watched),
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
