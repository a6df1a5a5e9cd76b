//! A source made of several: each pool and each job is asked for by its own.
//!
//! For accounts of a config that are the same AWS account: they share a quota, and each asks with credentials of its own.

use std::collections::HashMap;
use std::sync::Arc;

use cognito_import_watch_core::domain::{AccountId, ErrorKind, JobSnapshot, PollError, Target, UserPoolId};

use super::api::{Answer, BoxFuture, JobPage, JobSource, PageToken};

/// Who asks for what.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    of_pool: HashMap<UserPoolId, Arc<dyn JobSource>>,
    /// The jobs that somebody else asks for than for their pool.
    of_job: HashMap<Target, Arc<dyn JobSource>>,
}

impl Routes {
    /// Has a source asked for a pool, and for its jobs unless they have one of their own. The first one stays.
    pub fn add_pool(&mut self, pool: &UserPoolId, source: &Arc<dyn JobSource>) {
        if !self.of_pool.contains_key(pool) {
            self.of_pool.insert(pool.clone(), Arc::clone(source));
        }
    }

    /// Has a source asked for a job, and for its pool where nobody else is.
    pub fn add_job(&mut self, target: &Target, source: &Arc<dyn JobSource>) {
        self.add_pool(&target.pool, source);
        if self.of_pool.get(&target.pool).is_some_and(|of_pool| !Arc::ptr_eq(of_pool, source)) {
            self.of_job.insert(target.clone(), Arc::clone(source));
        }
    }

    fn source(&self, pool: &UserPoolId) -> Result<&Arc<dyn JobSource>, PollError> {
        let missing = || PollError::new(ErrorKind::Transient, format!("nobody asks for {pool}"));
        self.of_pool.get(pool).ok_or_else(missing)
    }
}

impl JobSource for Routes {
    fn describe<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Answer<JobSnapshot>, PollError>> {
        match self.of_job.get(target).map_or_else(|| self.source(&target.pool), Ok) {
            Ok(source) => source.describe(target),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn list<'a>(
        &'a self,
        pool: &'a UserPoolId,
        page_size: u8,
        token: Option<&'a PageToken>,
    ) -> BoxFuture<'a, Result<Answer<JobPage>, PollError>> {
        match self.source(pool) {
            Ok(source) => source.list(pool, page_size, token),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn account(&self) -> Option<AccountId> {
        self.of_pool.values().find_map(|source| source.account())
    }
}
