//! `list`: a pool's import jobs, newest first.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use cognito_import_watch_core::domain::{ErrorKind, JobIdentity, PollError, Target, UserPoolId, Verdict};
use cognito_import_watch_core::schedule::Ceilings;
use cognito_import_watch_core::schedule::lane::{Lane, Operation, Passage, PoolBucket};

use super::console::Console;
use super::engine::{Keys, Lanes};
use super::{load, status};
use crate::cli::{ListArgs, Output, Shared};
use crate::clock::Clock;
use crate::config::{AccountRef, Overrides, PlannedPool, Selection};
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
    let mut lanes = Lanes::new(&Keys::Planned)?;
    let clock = Clock::start();
    let mut paces: BTreeMap<(AccountRef, &str), Pace> = BTreeMap::new();
    let mut pools = Vec::new();
    for pool in &plan.pools {
        let region = pool.id.region();
        let source = lanes.source(&plan, pool.account, region).await?;
        let pace = paces.entry((pool.account, region)).or_insert_with(|| Pace::new(&plan.ceilings, clock));
        pools.push(read(&*source, pool, pace).await);
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
    let bucket = pace.lane.add_pool();
    loop {
        match page(source, &pool.id, token.as_ref(), pace, bucket).await {
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
    bucket: PoolBucket,
) -> Result<Answer<JobPage>, PollError> {
    let mut tried = 1;
    loop {
        let error = match pace.ask(bucket, source.list(pool, MAX_PAGE_SIZE, token)).await {
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
        match error.kind {
            // The lane waits.
            ErrorKind::Throttled => {}
            ErrorKind::Transient | ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid => {
                tokio::time::sleep(BEFORE_NEXT_TRY).await;
            }
        }
    }
}

/// Keeps the requests of one account and region under its ceiling, and those for a pool under the pool's.
struct Pace {
    lane: Lane,
    clock: Clock,
}

impl Pace {
    fn new(ceilings: &Ceilings, clock: Clock) -> Self {
        Self { lane: Lane::new(ceilings), clock }
    }

    /// Makes one more request as soon as it may be sent.
    async fn ask<T>(
        &mut self,
        bucket: PoolBucket,
        request: impl Future<Output = Result<T, PollError>>,
    ) -> Result<T, PollError> {
        let now = self.clock.now().tick;
        if let Some(at) = self.lane.ready_at(now, bucket, Operation::List) {
            tokio::time::sleep_until(self.clock.instant(at)).await;
        }
        let sent = self.clock.now().tick;
        let permit = self.lane.take(sent, bucket, Operation::List);
        let answer = request.await;
        let now = self.clock.now().tick;
        let passage = match answer.as_ref().map_err(Passage::of_failure) {
            Ok(_) => Passage::Through,
            Err(Passage::Throttled(hint)) => Passage::Throttled(hint.map(|hint| hint.min(LONGEST_WAIT))),
            Err(passage) => passage,
        };
        self.lane.answered(now, permit, passage);
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
