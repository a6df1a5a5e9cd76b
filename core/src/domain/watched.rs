//! A job that is watched, and what its owner says of it: made from the config, and handed through everything.

use std::sync::Arc;
use std::time::Duration;

use super::{AccountId, JobPolicy, Target};

/// The job that is watched, as its owner described it.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedJob {
    /// Which job.
    pub target: Target,
    /// What its owner says of it; jobs of which the same is said share it.
    pub terms: Arc<Terms>,
}

/// What an owner says of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Its name in the config.
    pub name: Option<Box<str>>,
    /// Its account, where it is known without a call.
    pub account: Option<AccountId>,
    /// When it is good, late or stuck.
    pub policy: Arc<JobPolicy>,
    /// The least time between two [`JobFact::Progress`](super::JobFact::Progress).
    pub progress_interval: Duration,
}

impl Default for Terms {
    /// As where a config says nothing.
    fn default() -> Self {
        Self { name: None, account: None, policy: Arc::default(), progress_interval: Duration::from_secs(30) }
    }
}
