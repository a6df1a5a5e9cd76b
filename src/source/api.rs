//! The remote side in our own words: what can be asked of the service, and what an answer is.
//!
//! The driver polls through [`JobSource`]; `cognito.rs` beside this file has the one that asks Amazon Cognito, and tests
//! answer from memory.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use cognito_import_watch_core::domain::{AccountId, JobId, JobSnapshot, PollError, Target, Timestamp, UserPoolId};

/// A future behind a pointer, so that the trait can be used as an object and a poll in flight costs one allocation.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// The answer's `Date` header: the service's clock, to whole seconds. `None` where it is missing or unreadable.
    pub date: Option<Timestamp>,
}

/// One page of a pool's jobs, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPage {
    /// The jobs, in the order of the answer; without those that had no status or an id of an unexpected form.
    pub jobs: Vec<(JobId, JobSnapshot)>,
    /// Where the next page begins; `None` on the last. A page may be empty and not the last.
    pub next: Option<PageToken>,
}

/// Where a page begins: the service's `PaginationToken`, opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(Box<str>);

impl PageToken {
    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PageToken {
    fn from(token: &str) -> Self {
        Self(token.into())
    }
}

/// The most jobs of one page, by the service model. An answer may hold fewer and not be the last.
pub const MAX_PAGE_SIZE: u8 = 60;

/// What the watcher needs of Amazon Cognito, for the pools of one account in one region.
///
/// One call is one HTTP request: no retry, and an end within the request timeout. Every error is classified.
pub trait JobSource: fmt::Debug + Send + Sync {
    /// Asks about one job (`DescribeUserImportJob`).
    ///
    /// # Errors
    /// Whatever kept the job from being seen, by class.
    fn describe<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Answer<JobSnapshot>, PollError>>;

    /// Asks for one page of a pool's jobs (`ListUserImportJobs`), of at most `page_size` jobs (1 to
    /// [`MAX_PAGE_SIZE`]; a number outside is taken to the nearer end).
    ///
    /// # Errors
    /// Whatever kept the page from being seen, by class.
    fn list<'a>(
        &'a self,
        pool: &'a UserPoolId,
        page_size: u8,
        token: Option<&'a PageToken>,
    ) -> BoxFuture<'a, Result<Answer<JobPage>, PollError>>;

    /// The account, as far as it is known without a call: from the role's ARN, else from the credentials in use.
    fn account(&self) -> Option<AccountId>;
}
