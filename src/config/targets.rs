//! The jobs and pools of a plan: those of the file, then those of the command line, each once.
//! Called by [`resolve`](super::resolve).

use std::collections::HashMap;
use std::hash::Hash;

use cognito_import_watch_core::domain::{JobPolicy, UserPoolId};

use super::accounts::Accounts;
use super::file::{ConfigFile, JobFile, PoolFile};
use super::overrides::{Overrides, Selection};
use super::plan::{AccountRef, Plan, PlannedJob, PlannedPool};
use super::problem::{At, Place, Problem, Shown, Written};
use super::resolve::lay_policy;
use super::value::Name;

/// Every job and pool, complete. `policy` is what holds where neither a table nor a flag says otherwise.
pub(super) fn of(
    file: &ConfigFile,
    overrides: &Overrides,
    policy: &JobPolicy,
    accounts: &Accounts,
    problems: &mut Vec<Problem>,
) -> (Vec<PlannedJob>, Vec<PlannedPool>) {
    let mut pools = file_pools(&file.pool, policy, accounts, problems);
    let mut jobs = file_jobs(&file.job, policy, &pools, accounts, problems);
    let typed = typed(overrides, policy, &jobs, &pools, accounts, problems);
    if overrides.selection == Selection::Only && !(overrides.targets.is_empty() && overrides.pools.is_empty()) {
        jobs.retain(|job| overrides.targets.contains(&job.target) || overrides.pools.contains(&job.target.pool));
        pools.retain(|pool| overrides.pools.contains(&pool.id));
    }
    jobs.extend(typed.0);
    pools.extend(typed.1);
    lay_flags(&mut jobs, &mut pools, overrides, problems);
    (jobs, pools)
}

fn file_pools(
    files: &[PoolFile],
    policy: &JobPolicy,
    accounts: &Accounts,
    problems: &mut Vec<Problem>,
) -> Vec<PlannedPool> {
    let mut seen = HashMap::new();
    let mut pools = Vec::new();
    for file in files {
        let account = match &file.account {
            Some(name) => accounts.find(name, "pool.account", problems),
            None => AccountRef::DEFAULT,
        };
        let Some(id) = &file.id else { continue };
        if is_repeated(&mut seen, &id.value.0, id.place, "pool.id", "pool", problems) {
            continue;
        }
        check_region(&file.region, &id.value.0, id.place, "pool.region", problems);
        accounts.check(account, &id.value.0, At::File(id.place), "pool.id", problems);
        let mut policy = policy.clone();
        lay_policy(&mut policy, &file.policy);
        pools.push(PlannedPool {
            id: id.value.0.clone(),
            name: file.name.as_ref().map(|name| name.value.0.clone()),
            account,
            job_name: file.job_name.as_ref().map(|pattern| pattern.value.0.clone()),
            policy,
            ignore_completed_before: file
                .ignore_completed_before
                .as_ref()
                .map_or(Plan::IGNORE_COMPLETED_BEFORE, |written| written.value.0),
        });
    }
    pools
}

fn file_jobs(
    files: &[JobFile],
    policy: &JobPolicy,
    pools: &[PlannedPool],
    accounts: &Accounts,
    problems: &mut Vec<Problem>,
) -> Vec<PlannedJob> {
    let account_of: HashMap<&UserPoolId, AccountRef> = pools.iter().map(|pool| (&pool.id, pool.account)).collect();
    let mut seen = HashMap::new();
    let mut jobs = Vec::new();
    for file in files {
        let named = file.account.as_ref().map(|name| accounts.find(name, "job.account", problems));
        let Some(target) = &file.target else { continue };
        if is_repeated(&mut seen, &target.value.0, target.place, "job.target", "job", problems) {
            continue;
        }
        let pool = &target.value.0.pool;
        // A pool belongs to one account: what the file says of the pool holds for its jobs.
        let account = named.or_else(|| account_of.get(pool).copied()).unwrap_or(AccountRef::DEFAULT);
        check_region(&file.region, pool, target.place, "job.region", problems);
        accounts.check(account, pool, At::File(target.place), "job.target", problems);
        let mut policy = policy.clone();
        lay_policy(&mut policy, &file.policy);
        policy.expected_users = file.expected_users.as_ref().map(|written| written.value);
        jobs.push(PlannedJob {
            target: target.value.0.clone(),
            name: file.name.as_ref().map(|name| name.value.0.clone()),
            account,
            policy,
        });
    }
    jobs
}

/// The jobs and pools of the command line that the file does not name.
fn typed(
    overrides: &Overrides,
    policy: &JobPolicy,
    jobs: &[PlannedJob],
    pools: &[PlannedPool],
    accounts: &Accounts,
    problems: &mut Vec<Problem>,
) -> (Vec<PlannedJob>, Vec<PlannedPool>) {
    let mut more_jobs: Vec<PlannedJob> = Vec::new();
    for target in &overrides.targets {
        if jobs.iter().chain(&more_jobs).any(|job| job.target == *target) {
            continue;
        }
        let pool = pools.iter().find(|pool| pool.id == target.pool);
        let account = pool.map_or(AccountRef::DEFAULT, |pool| pool.account);
        accounts.check(account, &target.pool, At::CommandLine("TARGET"), "", problems);
        more_jobs.push(PlannedJob {
            target: target.clone(),
            name: None,
            account,
            policy: pool.map_or(policy, |pool| &pool.policy).clone(),
        });
    }
    let mut more_pools: Vec<PlannedPool> = Vec::new();
    for id in &overrides.pools {
        if pools.iter().chain(&more_pools).any(|pool| pool.id == *id) {
            continue;
        }
        accounts.check(AccountRef::DEFAULT, id, At::CommandLine("POOL"), "", problems);
        more_pools.push(PlannedPool {
            id: id.clone(),
            name: None,
            account: AccountRef::DEFAULT,
            job_name: None,
            policy: policy.clone(),
            ignore_completed_before: Plan::IGNORE_COMPLETED_BEFORE,
        });
    }
    (more_jobs, more_pools)
}

/// What was typed, over the settings of every job and pool.
fn lay_flags(jobs: &mut [PlannedJob], pools: &mut [PlannedPool], overrides: &Overrides, problems: &mut Vec<Problem>) {
    let policies = jobs.iter_mut().map(|job| &mut job.policy).chain(pools.iter_mut().map(|pool| &mut pool.policy));
    for policy in policies {
        policy.max_failed_users = overrides.max_failed_users.unwrap_or(policy.max_failed_users);
        policy.max_skipped_users = overrides.max_skipped_users.unwrap_or(policy.max_skipped_users);
        policy.all_skipped = overrides.all_skipped.unwrap_or(policy.all_skipped);
    }
    if let Some(region) = &overrides.region {
        let ids = jobs.iter().map(|job| &job.target.pool).chain(pools.iter().map(|pool| &pool.id));
        if let Some(pool) = ids.into_iter().find(|pool| pool.region() != region) {
            let message = format!("{} disagrees with {pool}, which is in {}", Shown(region), pool.region());
            problems.push(
                Problem::typed("--region", message)
                    .help("leave --region out: the region is part of the pool id".to_owned()),
            );
        }
    }
    match (overrides.expected_users, &mut *jobs, pools.is_empty()) {
        (None, ..) => {}
        (Some(0), ..) => problems.push(Problem::typed("--expected-users", "a job is to import at least 1 user")),
        (Some(users), [job], true) => job.policy.expected_users = Some(users),
        (Some(_), [], true) => {}
        (Some(_), ..) => problems.push(
            Problem::typed("--expected-users", "the number is of one job, and several are watched")
                .help("write expected_users under each [[job]] of a config file".to_owned()),
        ),
    }
}

/// Whether the same job or pool was named before in the files.
fn is_repeated<T: Clone + Eq + Hash + std::fmt::Display>(
    seen: &mut HashMap<T, Place>,
    value: &T,
    place: Place,
    key: &str,
    what: &str,
    problems: &mut Vec<Problem>,
) -> bool {
    let Some(first) = seen.get(value) else {
        seen.insert(value.clone(), place);
        return false;
    };
    problems.push(
        Problem::new(place, key, format!("the {what} {value} is named twice"))
            .other(*first, "named first here")
            .help("keep one of them".to_owned()),
    );
    true
}

fn check_region(
    region: &Option<Written<Name>>,
    pool: &UserPoolId,
    pool_place: Place,
    key: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(region) = region.as_ref().filter(|region| region.value.0 != pool.region()) else { return };
    let message = format!("{pool} is in {}, not in {}", pool.region(), Shown(&region.value.0));
    problems.push(
        Problem::new(region.place, key, message)
            .other(pool_place, "the pool id says so")
            .help("leave region out: it is part of the pool id".to_owned()),
    );
}
