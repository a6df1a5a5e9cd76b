//! `list`: a pool's import jobs, newest first.

use std::collections::{BTreeMap, HashMap};
use std::io;

use cognito_import_watch_core::domain::{JobIdentity, Target, Verdict};
use cognito_import_watch_core::schedule::lane::Operation;

use super::console::Console;
use super::engine::{Keys, Lanes};
use super::pace::{Pace, Patience, verdict};
use super::{load, status};
use crate::cli::{ListArgs, Output, Shared};
use crate::clock::Clock;
use crate::config::{AccountRef, Overrides, Plan, PlannedJob, PlannedPool, Selection};
use crate::exit::{CommandError, Exit};
use crate::output::{JobReport, PoolReport, list};
use crate::source::{JobSource, MAX_PAGE_SIZE, PageToken};

/// A throttle or a fault of the network passes.
const PATIENCE: Patience = Patience { throttled: 5, transient: 5 };

/// Lists pools.
///
/// # Errors
/// When the config or the command line is wrong, AWS's own settings cannot be used, or the result cannot be printed.
pub(super) async fn list(args: ListArgs, shared: Shared, console: &Console) -> Result<Exit, CommandError> {
    let overrides = Overrides { pools: args.pools, selection: Selection::Only, ..load::overrides(&shared) };
    let plan = load::plan_to_watch(&args.config, &overrides, console)?;
    let named = named(&plan);
    let mut lanes = Lanes::new(&Keys::Planned)?;
    let clock = Clock::start();
    let mut paces: BTreeMap<(AccountRef, &str), Pace> = BTreeMap::new();
    let mut pools = Vec::new();
    for pool in &plan.pools {
        let region = pool.id.region();
        let source = lanes.source(&plan, pool.account, region).await?;
        let pace = paces.entry((pool.account, region)).or_insert_with(|| Pace::new(&plan.ceilings, clock, PATIENCE));
        pools.push(read(&*source, pool, &named, pace).await);
    }
    let failed: Vec<Verdict> = pools.iter().filter_map(|pool| pool.error.as_ref()).map(verdict).collect();
    let text = match shared.output {
        Output::Json => list::json(&pools) + "\n",
        Output::Text => list::text(&pools, console.style(&io::stdout()).columns),
    };
    Ok(console.conclude(&text, status::exit(&failed)))
}

/// The jobs that the config names: what it says of them holds here too.
fn named(plan: &Plan) -> HashMap<&Target, &PlannedJob> {
    plan.jobs.iter().map(|job| (&job.target, job)).collect()
}

async fn read(
    source: &dyn JobSource,
    pool: &PlannedPool,
    named: &HashMap<&Target, &PlannedJob>,
    pace: &mut Pace,
) -> PoolReport {
    let mut report = PoolReport { pool: pool.id.clone(), jobs: Vec::new(), error: None };
    let mut token: Option<PageToken> = None;
    let bucket = pace.add_pool();
    loop {
        let page = || source.list(&pool.id, MAX_PAGE_SIZE, token.as_ref());
        match pace.persist(bucket, Operation::List, page).await {
            Ok(answer) => {
                let observed_at = Some(pace.clock().now().wall);
                report.jobs.extend(answer.value.jobs.into_iter().map(|(job, snapshot)| {
                    let target = Target { pool: pool.id.clone(), job };
                    let named = named.get(&target);
                    let policy = named.map_or(&pool.policy, |job| &job.policy);
                    JobReport {
                        verdict: policy.judge(&snapshot.status, snapshot.counts),
                        job: JobIdentity {
                            target,
                            job_name: snapshot.job_name.clone(),
                            name: named.and_then(|job| job.name.as_deref()).map(Into::into),
                            account: snapshot.account.clone(),
                        },
                        snapshot: Some(snapshot),
                        observed_at,
                        error: None,
                    }
                }));
                token = answer.value.next;
                if token.is_none() {
                    return report;
                }
            }
            Err(error) => {
                report.error = Some(error);
                return report;
            }
        }
    }
}
