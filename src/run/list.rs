//! `list`: a pool's import jobs, newest first.

use std::io;
use std::time::Duration;

use cognito_import_watch_core::domain::{ErrorKind, JobIdentity, PollError, Target, UserPoolId, Verdict};
use cognito_import_watch_core::schedule::Ceilings;
use cognito_import_watch_core::schedule::lane::{Lane, PoolSlot};

use super::console::Console;
use super::engine::{Keys, Lanes};
use super::{load, status};
use crate::cli::{ListArgs, Output, Shared};
use crate::clock::Clock;
use crate::config::{Overrides, PlannedPool, Selection};
use crate::exit::{CommandError, Exit};
use crate::output::{JobReport, PoolReport, list};
use crate::source::{Answer, JobPage, JobSource, MAX_PAGE_SIZE, PageToken};

/// How often a page is asked for before its pool is given up: a throttle or a fault of the network passes.
const TRIES: u32 = 5;

/// The most of a hint to stay away that is honoured: a person waits.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The wait before a page is asked for again.
const BEFORE_NEXT_TRY: Duration = Duration::from_secs(1);

/// Lists pools.
///
/// # Errors
/// When the config or the command line is wrong, AWS's own settings cannot be used, or the result cannot be printed.
pub(super) async fn list(args: ListArgs, shared: Shared, console: &Console) -> Result<Exit, CommandError> {
    let overrides = Overrides { pools: args.pools, selection: Selection::Only, ..load::overrides(&shared) };
    let plan = load::plan_to_watch(&args.config, &overrides, console)?;
    let mut lanes = Lanes::new(&plan, &Keys::Planned)?;
    let mut pools = Vec::new();
    for pool in &plan.pools {
        let source = lanes.source(pool.account, pool.id.region()).await?;
        let mut pace = Pace::new(&plan.ceilings);
        pools.push(read(&*source, pool, &mut pace).await);
    }
    console.result(&match shared.output {
        Output::Json => list::json(&pools) + "\n",
        Output::Text => list::text(&pools, console.style(&io::stdout()).columns),
    })?;
    let failed: Vec<Verdict> = pools.iter().filter_map(|pool| pool.error.as_ref()).map(verdict).collect();
    Ok(status::exit(&failed))
}

async fn read(source: &dyn JobSource, pool: &PlannedPool, pace: &mut Pace) -> PoolReport {
    let mut report = PoolReport { pool: pool.id.clone(), jobs: Vec::new(), error: None };
    let mut token: Option<PageToken> = None;
    loop {
        match page(source, &pool.id, token.as_ref(), pace).await {
            Ok(answer) => {
                let observed_at = Some(pace.clock.now().wall);
                report.jobs.extend(answer.value.jobs.into_iter().map(|(job, snapshot)| JobReport {
                    job: JobIdentity {
                        target: Target { pool: pool.id.clone(), job },
                        job_name: snapshot.job_name.clone(),
                        name: None,
                        account: snapshot.account.clone(),
                    },
                    verdict: pool.policy.judge(&snapshot.status, snapshot.counts),
                    snapshot: Some(snapshot),
                    observed_at,
                    error: None,
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

async fn page(
    source: &dyn JobSource,
    pool: &UserPoolId,
    token: Option<&PageToken>,
    pace: &mut Pace,
) -> Result<Answer<JobPage>, PollError> {
    let mut tried = 1;
    loop {
        let error = match pace.ask(source.list(pool, MAX_PAGE_SIZE, token)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let most = match error.kind {
            ErrorKind::Throttled | ErrorKind::Transient => TRIES,
            // A refusal is asked for once more before it counts.
            ErrorKind::Denied => 2,
            ErrorKind::NotFound | ErrorKind::Invalid => 1,
        };
        if tried >= most {
            return Err(error);
        }
        tried += 1;
        tokio::time::sleep(error.retry_after.unwrap_or(BEFORE_NEXT_TRY).min(LONGEST_WAIT)).await;
    }
}

/// Keeps the requests for one pool under the pool's ceiling.
struct Pace {
    lane: Lane,
    bucket: PoolSlot,
    clock: Clock,
}

impl Pace {
    fn new(ceilings: &Ceilings) -> Self {
        let mut lane = Lane::new(ceilings);
        let bucket = lane.add_pool();
        Self { lane, bucket, clock: Clock::start() }
    }

    /// Makes one more request as soon as it may be sent.
    async fn ask<T>(&mut self, request: impl Future<Output = T>) -> T {
        let now = self.clock.now().tick;
        if let Some(at) = self.lane.ready_at(now, self.bucket) {
            tokio::time::sleep_until(self.clock.instant(at)).await;
        }
        let sent = self.clock.now().tick;
        self.lane.take(sent, self.bucket);
        let answer = request.await;
        self.lane.answered(self.clock.now().tick, self.bucket, sent);
        answer
    }
}

fn verdict(error: &PollError) -> Verdict {
    match error.kind {
        ErrorKind::Throttled | ErrorKind::Transient => Verdict::Unobservable,
        ErrorKind::NotFound => Verdict::NotFound,
        ErrorKind::Denied => Verdict::AccessDenied,
        ErrorKind::Invalid => Verdict::Invalid,
    }
}
