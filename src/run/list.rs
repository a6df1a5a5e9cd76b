//! `list`: a pool's import jobs, newest first.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use cognito_import_watch_core::domain::{ErrorKind, JobIdentity, PollError, Target, Verdict};
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
    // Where the pages so far began: a service that gives one of them again would be asked for ever.
    let mut begun = HashSet::new();
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
                let Some(next) = &token else { return report };
                if !begun.insert(next.as_str().to_owned()) {
                    report.error = Some(going_round(pool));
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

fn going_round(pool: &PlannedPool) -> PollError {
    let region = pool.id.region();
    let words = "the answers lead back to a page that was read already: the list is not whole; try again, or check the \
                 endpoint";
    PollError::new(ErrorKind::Transient, format!("{} in {region}: {words}", pool.id))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cognito_import_watch_core::domain::{AccountId, JobSnapshot, UserPoolId};
    use cognito_import_watch_core::schedule::Ceilings;

    use super::*;
    use crate::source::{Answer, BoxFuture, JobPage};

    /// Of these pages without jobs each leads to the next, and the last to the first.
    #[derive(Debug)]
    struct Round(&'static [&'static str]);

    impl JobSource for Round {
        fn describe<'a>(&'a self, _: &'a Target) -> BoxFuture<'a, Result<Answer<JobSnapshot>, PollError>> {
            Box::pin(async { Err(PollError::new(ErrorKind::Invalid, "nobody asks")) })
        }

        fn list<'a>(
            &'a self,
            _: &'a UserPoolId,
            _: u8,
            token: Option<&'a PageToken>,
        ) -> BoxFuture<'a, Result<Answer<JobPage>, PollError>> {
            let at = token.and_then(|token| self.0.iter().position(|page| *page == token.as_str()));
            let next = at.map_or(0, |at| (at + 1) % self.0.len());
            let page = JobPage { jobs: Vec::new(), next: Some(PageToken::from(self.0[next])) };
            Box::pin(async { Ok(Answer { value: page, date: None }) })
        }

        fn account(&self) -> Option<AccountId> {
            None
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_ends_where_its_pages_go_round() {
        let pool = PlannedPool {
            id: "us-west-2_A".parse().unwrap(),
            name: None,
            account: AccountRef::DEFAULT,
            job_name: None,
            policy: Default::default(),
            ignore_completed_before: Duration::ZERO,
        };
        for pages in [&["a"][..], &["a", "b", "c"]] {
            let mut pace = Pace::new(&Ceilings::default(), Clock::start(), PATIENCE);
            let (source, named) = (Round(pages), HashMap::new());
            let report = read(&source, &pool, &named, &mut pace);
            let report = tokio::time::timeout(Duration::from_secs(3_600), report).await.unwrap();
            let error = report.error.unwrap();
            assert_eq!(error.kind, ErrorKind::Transient);
            assert!(error.message.starts_with("us-west-2_A in us-west-2: the answers lead back"), "{error}");
        }
    }
}
