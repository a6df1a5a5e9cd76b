//! The service: accounts with their quota, pools with theirs, and the jobs in them.

use cognito_import_watch_core::domain::{JobId, JobSnapshot, Target, TargetError, UserPoolId};
use cognito_import_watch_core::schedule::PoolPage;

use super::{Bucket, Life};
use crate::time::{Nanos, wall};

/// The number of a job in the model; the scheduler counts them alike.
pub type JobIndex = usize;

/// What is asked, as the quotas tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// DescribeUserImportJob.
    Describe,
    /// ListUserImportJobs.
    List,
}

/// What an account may ask.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Requests per second of an account and region, over all operations.
    pub per_account: f64,
    /// Requests per second of a pool, for each operation.
    pub per_pool: f64,
    /// How many seconds of a rate its bucket saves up; it holds one request at least.
    pub burst: f64,
    /// The most jobs on a page.
    pub page: usize,
}

impl Default for Quota {
    /// As documented: 20, 5, and pages of 60. A second's worth is saved up, which is not documented.
    fn default() -> Self {
        Self { per_account: 20.0, per_pool: 5.0, burst: 1.0, page: 60 }
    }
}

#[derive(Clone, Debug)]
struct Pool {
    id: UserPoolId,
    account: usize,
    describe: Bucket,
    list: Bucket,
    /// Its jobs, in the order of their creation.
    jobs: Vec<JobIndex>,
}

#[derive(Clone, Debug)]
struct Job {
    target: Target,
    life: Life,
}

/// The service.
#[derive(Clone, Debug)]
pub struct Cognito {
    quota: Quota,
    accounts: Vec<Bucket>,
    pools: Vec<Pool>,
    jobs: Vec<Job>,
    /// The pool and account of each job, apart from the rest: they are looked up with every request.
    places: Vec<(u32, u32)>,
    outage: std::ops::Range<Nanos>,
}

impl Cognito {
    /// A service with so many accounts, and nothing in them.
    #[must_use]
    pub fn new(quota: Quota, accounts: usize) -> Self {
        let bucket = Bucket::new(quota.per_account, quota.per_account * quota.burst);
        Self {
            quota,
            accounts: vec![bucket; accounts],
            pools: Vec::new(),
            jobs: Vec::new(),
            places: Vec::new(),
            outage: 0..0,
        }
    }

    /// A service with one account, so many pools, and so many jobs of one life spread over them.
    ///
    /// # Errors
    /// When a job's id is not taken.
    pub fn alike(quota: Quota, jobs: usize, pools: usize, life: Life) -> Result<Self, TargetError> {
        let mut cognito = Self::new(quota, 1);
        for _ in 0..pools {
            cognito.add_pool(0)?;
        }
        for job in 0..jobs {
            cognito.add_job(job % pools, life)?;
        }
        Ok(cognito)
    }

    /// Throttles everything for a while.
    pub fn throttle_all(&mut self, during: std::ops::Range<Nanos>) {
        self.outage = during;
    }

    /// Adds a pool to an account, and gives its number.
    ///
    /// # Errors
    /// Never: the id is well formed.
    pub fn add_pool(&mut self, account: usize) -> Result<usize, TargetError> {
        let bucket = Bucket::new(self.quota.per_pool, self.quota.per_pool * self.quota.burst);
        let id = format!("us-west-2_{}", self.pools.len()).parse()?;
        self.pools.push(Pool { id, account, describe: bucket.clone(), list: bucket, jobs: Vec::new() });
        Ok(self.pools.len() - 1)
    }

    /// Adds a job to a pool, newer than those before it, and gives its number.
    ///
    /// # Errors
    /// When there is no such pool.
    pub fn add_job(&mut self, pool: usize, life: Life) -> Result<JobIndex, TargetError> {
        let index = self.jobs.len();
        let (id, account) = self.pools.get(pool).map_or(("", 0), |pool| (pool.id.as_str(), pool.account));
        let target = format!("{id}/import-{index}").parse()?;
        self.jobs.push(Job { target, life });
        self.places.push((pool as u32, account as u32));
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.jobs.push(index);
        }
        Ok(index)
    }

    /// How many accounts there are.
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// How many pools there are.
    #[must_use]
    pub fn pool_count(&self) -> usize {
        self.pools.len()
    }

    /// How many jobs there are.
    #[must_use]
    pub fn job_count(&self) -> usize {
        self.jobs.len()
    }

    /// The calls that show every job of an account once by lists.
    #[must_use]
    pub fn pages(&self, account: usize) -> usize {
        let pools = self.pools.iter().filter(|pool| pool.account == account);
        pools.map(|pool| pool.jobs.len().div_ceil(self.quota.page)).sum()
    }

    /// A job's id in the form that the scheduler takes.
    #[must_use]
    pub fn target(&self, job: JobIndex) -> Option<&Target> {
        self.jobs.get(job).map(|job| &job.target)
    }

    /// A job's pool and account.
    #[must_use]
    pub fn place(&self, job: JobIndex) -> Option<(usize, usize)> {
        self.places.get(job).map(|(pool, account)| (*pool as usize, *account as usize))
    }

    /// A job's life; one that is not there sleeps.
    #[must_use]
    pub fn life(&self, job: JobIndex) -> Life {
        self.jobs.get(job).map_or(Life::SLEEPING, |job| job.life)
    }

    /// The number of a pool by its id.
    #[must_use]
    pub fn pool_of(&self, id: &UserPoolId) -> Option<usize> {
        let (_region, number) = id.as_str().rsplit_once('_')?;
        number.parse().ok().filter(|pool| *pool < self.pools.len())
    }

    /// The number of a job by its id.
    #[must_use]
    pub fn job_of(&self, id: &JobId) -> Option<JobIndex> {
        let (_import, number) = id.as_str().rsplit_once('-')?;
        number.parse().ok().filter(|job| *job < self.jobs.len())
    }

    /// Whether a request that arrives now is let through; it takes its tokens then. A pool that is not there has
    /// no quota either.
    pub fn admit(&mut self, now: Nanos, pool: usize, operation: Operation) -> bool {
        let Some(pool) = self.pools.get_mut(pool) else { return false };
        let Some(account) = self.accounts.get_mut(pool.account) else { return false };
        let bucket = match operation {
            Operation::Describe => &mut pool.describe,
            Operation::List => &mut pool.list,
        };
        let admitted = !self.outage.contains(&now) && account.has(now) && bucket.has(now);
        if admitted {
            account.take(now);
            bucket.take(now);
        }
        admitted
    }

    /// Whether another caller's request is let through.
    pub fn admit_other(&mut self, now: Nanos, account: usize) -> bool {
        let Some(account) = self.accounts.get_mut(account) else { return false };
        let admitted = !self.outage.contains(&now) && account.has(now);
        if admitted {
            account.take(now);
        }
        admitted
    }

    /// What Describe shows.
    #[must_use]
    pub fn describe(&self, now: Nanos, job: JobIndex) -> Option<JobSnapshot> {
        self.jobs.get(job).map(|job| job.life.snapshot(now))
    }

    /// What List shows: a page, newest job first, from a token on.
    #[must_use]
    pub fn list(&self, now: Nanos, pool: usize, token: Option<&str>) -> Option<PoolPage> {
        let jobs = &self.pools.get(pool)?.jobs;
        let from: usize = token.map_or(Some(0), |token| token.parse().ok())?;
        let shown = jobs.iter().rev().skip(from).take(self.quota.page).filter_map(|index| {
            let job = self.jobs.get(*index)?;
            Some((job.target.job.clone(), job.life.snapshot(now)))
        });
        let next = from + self.quota.page;
        Some(PoolPage {
            jobs: shown.collect(),
            next: (next < jobs.len()).then(|| next.to_string()),
            date: Some(wall(now)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    fn service(quota: Quota, pools: usize, jobs: usize) -> Cognito {
        let mut cognito = Cognito::new(quota, 1);
        for _ in 0..pools {
            let pool = cognito.add_pool(0).unwrap();
            for _ in 0..jobs {
                cognito.add_job(pool, Life::STILL).unwrap();
            }
        }
        cognito
    }

    #[test]
    fn a_pool_is_throttled_by_operation_and_the_account_over_all() {
        let mut cognito = service(Quota::default(), 4, 0);
        let mut admitted = |pool, operation| (0..10).filter(|_| cognito.admit(0, pool, operation)).count();
        assert_eq!(admitted(0, Operation::Describe), 5);
        assert_eq!(admitted(0, Operation::List), 5);
        assert_eq!(admitted(1, Operation::Describe) + admitted(2, Operation::Describe), 10);
        assert_eq!(admitted(3, Operation::Describe), 0, "the account's twenty are used up");
        assert!(!cognito.admit_other(0, 0) && cognito.admit_other(SECOND, 0));
    }

    #[test]
    fn a_refused_request_takes_no_token() {
        let mut cognito = service(Quota { burst: 0.0, ..Quota::default() }, 1, 0);
        let admitted = (0..1_000).filter(|millis| cognito.admit(millis * SECOND / 1_000, 0, Operation::Describe));
        assert_eq!(admitted.count(), 5);
    }

    #[test]
    fn a_list_shows_the_newest_first_page_by_page() {
        let cognito = service(Quota { page: 50, ..Quota::default() }, 2, 120);
        let mut token = None;
        let mut sizes = Vec::new();
        let mut seen = Vec::new();
        loop {
            let page = cognito.list(0, 1, token.as_deref()).unwrap();
            sizes.push(page.jobs.len());
            seen.extend(page.jobs.iter().map(|(id, _)| cognito.job_of(id).unwrap()));
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [50, 50, 20]);
        assert_eq!(seen, (120..240).rev().collect::<Vec<_>>());
        assert_eq!(cognito.pages(0), 6);
    }

    #[test]
    fn an_outage_throttles_everyone() {
        let mut cognito = service(Quota::default(), 1, 1);
        cognito.throttle_all(SECOND..2 * SECOND);
        assert!(cognito.admit(0, 0, Operation::Describe));
        assert!(!cognito.admit(SECOND, 0, Operation::Describe) && !cognito.admit_other(SECOND, 0));
        assert!(cognito.admit(2 * SECOND, 0, Operation::Describe));
    }
}
