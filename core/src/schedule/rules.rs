//! What the owner of a pool says of its jobs: which are watched, and as what.
//!
//! Asked for each job that the pool's list shows first, and for those known from before.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::{NewJob, NewPool};
use crate::domain::{JobId, JobSnapshot, JobTrack, NamePattern, Target, Terms, Timestamp, WatchedJob};

/// Which jobs of a pool are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolFilter {
    /// Those whose name at Cognito matches; all without a pattern. A job without a name has an empty one.
    pub job_name: Option<NamePattern>,
    /// Not those that were over longer ago than this when they were seen first.
    pub ignore_completed_before: Duration,
}

impl PoolFilter {
    /// Whether a job is watched that was not watched before. One without a date is not known to be old.
    #[must_use]
    pub fn wants(&self, job: &JobSnapshot, now: Timestamp) -> bool {
        let last = job.completed_at.or(job.started_at).or(job.created_at);
        let old = last.is_some_and(|last| now.since(last) > self.ignore_completed_before);
        self.wants_name(job) && !(job.status.is_terminal() && old)
    }

    /// Whether a job's name matches; a name never changes.
    #[must_use]
    pub fn wants_name(&self, job: &JobSnapshot) -> bool {
        self.job_name.as_ref().is_none_or(|pattern| pattern.matches(job.job_name.as_deref().unwrap_or_default()))
    }
}

/// What the owner of a pool says of its jobs.
#[derive(Clone, Debug)]
pub(super) struct PoolRules {
    name: Option<Arc<str>>,
    terms: Arc<Terms>,
    pub(super) filter: PoolFilter,
}

impl PoolRules {
    pub(super) fn of(pool: &NewPool) -> Self {
        Self { name: pool.name.clone(), terms: Arc::clone(&pool.terms), filter: pool.filter.clone() }
    }

    /// One of its jobs; `known` is what is known of it.
    pub(super) fn job(&self, target: Target, known: Option<&JobSnapshot>) -> WatchedJob {
        let own = known.and_then(|known| known.job_name.as_deref());
        let terms = match self.name.as_deref() {
            None => Arc::clone(&self.terms),
            Some(pool) => Arc::new(Terms { name: Some(name_in(pool, own)), ..Terms::clone(&self.terms) }),
        };
        WatchedJob { target, terms }
    }

    /// Those of the pool's jobs known from before that are watched on, but for the ones that are watched already.
    pub(super) fn remembered(&self, pool: NewPool, watched: &HashSet<JobId>, now: Timestamp) -> Vec<NewJob> {
        let NewPool { lane, id, known, .. } = pool;
        let new = |(job, track): (JobId, JobTrack)| {
            let goes_on = !watched.contains(&job) && track.known().is_none_or(|known| self.filter.wants(known, now));
            let target = Target { pool: id.clone(), job };
            goes_on.then(|| NewJob { lane, job: self.job(target, track.known()), known: Some(Box::new(track)) })
        };
        known.into_iter().filter_map(new).collect()
    }
}

/// `customers/nightly`: the name of a job in a pool that has one.
fn name_in(pool: &str, job: Option<&str>) -> Box<str> {
    match job {
        Some(job) => format!("{pool}/{job}").into(),
        None => pool.into(),
    }
}
