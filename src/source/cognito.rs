//! [`JobSource`] over the AWS SDK: DescribeUserImportJob and ListUserImportJobs.
//!
//! [`super::Sources`] makes one for each account and region; the driver polls through the trait.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::SdkError;
use aws_sdk_cognitoidentityprovider::operation::list_user_import_jobs::ListUserImportJobsOutput;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use cognito_import_watch_core::domain::{AccountId, ErrorKind, JobId, JobSnapshot, PollError, Target, UserPoolId};

use super::account::Account;
use super::answer::{Observer, Seen};
use super::api::{Answer, BoxFuture, JobPage, JobSource, MAX_PAGE_SIZE, PageToken};
use super::classify::{Question, classify, empty};
use super::failure::{Failure, OperationError, of_call};
use super::settings::SourceSettings;
use super::snapshot::{listed, snapshot};

/// Amazon Cognito, as one account sees it in one region.
#[derive(Debug)]
pub(super) struct Cognito {
    client: Client,
    account: Arc<Account>,
    account_name: Option<String>,
    region: String,
    patience: Duration,
    /// Pools of which it was told that not every job can be read.
    told: Mutex<HashSet<UserPoolId>>,
}

impl Cognito {
    pub(super) fn new(client: Client, account: Arc<Account>, settings: &SourceSettings) -> Self {
        Self {
            client,
            account,
            account_name: settings.account_name.clone(),
            region: settings.region.clone(),
            patience: settings.request_timeout,
            told: Mutex::default(),
        }
    }

    async fn describe(&self, target: &Target) -> Result<Answer<JobSnapshot>, PollError> {
        let about = About { operation: "DescribeUserImportJob", pool: &target.pool, job: Some(&target.job) };
        self.ready(&about).await?;
        let observer = Observer::default();
        let result = self
            .client
            .describe_user_import_job()
            .user_pool_id(target.pool.as_str())
            .job_id(target.job.as_str())
            .customize()
            .interceptor(observer.clone())
            .send()
            .await;
        let seen = observer.seen();
        match result {
            Ok(output) => match output.user_import_job().and_then(|job| snapshot(job, &self.account.secrets())) {
                Some(value) => Ok(Answer { value, date: seen.date }),
                None => Err(empty(&self.question(&about), &seen)),
            },
            Err(error) => Err(self.failed(&error, &about, &seen).await),
        }
    }

    async fn list(
        &self,
        pool: &UserPoolId,
        page_size: u8,
        token: Option<&PageToken>,
    ) -> Result<Answer<JobPage>, PollError> {
        let about = About { operation: "ListUserImportJobs", pool, job: None };
        self.ready(&about).await?;
        let observer = Observer::default();
        let result = self
            .client
            .list_user_import_jobs()
            .user_pool_id(pool.as_str())
            .max_results(i32::from(page_size.clamp(1, MAX_PAGE_SIZE)))
            .set_pagination_token(token.map(|token| token.as_str().to_owned()))
            .customize()
            .interceptor(observer.clone())
            .send()
            .await;
        let seen = observer.seen();
        match result {
            Ok(output) => match page(&output, &self.account.secrets()) {
                Some((value, unreadable)) => {
                    self.tell_unreadable(pool, unreadable);
                    Ok(Answer { value, date: seen.date })
                }
                None => Err(empty(&self.question(&about), &seen)),
            },
            Err(error) => Err(self.failed(&error, &about, &seen).await),
        }
    }

    /// Tells, once for each pool, that jobs of it stay unseen.
    fn tell_unreadable(&self, pool: &UserPoolId, count: usize) {
        if count > 0 && self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(pool.clone()) {
            tracing::warn!(
                user_pool_id = %pool,
                count,
                "jobs of the pool cannot be read: no status, or an id of an unexpected form; they are passed over"
            );
        }
    }

    /// Credentials first, so that the request's time is the request's.
    async fn ready(&self, about: &About<'_>) -> Result<(), PollError> {
        let fault = match self.account.ready().await {
            Ok(()) => return Ok(()),
            Err(fault) => fault,
        };
        Err(classify(&Failure::Credentials(fault), &self.question(about), &Seen::default()))
    }

    async fn failed<E: OperationError>(
        &self,
        error: &SdkError<E, HttpResponse>,
        about: &About<'_>,
        seen: &Seen,
    ) -> PollError {
        let error = classify(&of_call(error, seen), &self.question(about), seen);
        if error.kind == ErrorKind::Denied {
            self.account.renew().await;
        }
        error
    }

    fn question<'a>(&'a self, about: &About<'a>) -> Question<'a> {
        Question {
            operation: about.operation,
            pool: about.pool,
            job: about.job,
            region: &self.region,
            account: self.account.id(),
            account_name: self.account_name.as_deref(),
            role: self.account.role(),
            profile: self.account.profile(),
            renewal: self.account.renewal(),
            secrets: self.account.secrets(),
            patience: self.patience,
        }
    }
}

/// What one call asks about.
struct About<'a> {
    operation: &'static str,
    pool: &'a UserPoolId,
    job: Option<&'a JobId>,
}

/// A page and how many of its entries are left out, for they had no status or an id of an unexpected form; `None` when
/// the answer holds neither jobs nor a token: then it is none of Cognito's.
fn page(output: &ListUserImportJobsOutput, secrets: &[String]) -> Option<(JobPage, usize)> {
    let next = output.pagination_token().filter(|token| !token.is_empty()).map(PageToken::from);
    if output.user_import_jobs.is_none() && next.is_none() {
        return None;
    }
    let all = output.user_import_jobs();
    let jobs: Vec<_> = all.iter().filter_map(|job| listed(job, secrets)).collect();
    let unreadable = all.len() - jobs.len();
    Some((JobPage { jobs, next }, unreadable))
}

impl JobSource for Cognito {
    fn describe<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Answer<JobSnapshot>, PollError>> {
        Box::pin(Self::describe(self, target))
    }

    fn list<'a>(
        &'a self,
        pool: &'a UserPoolId,
        page_size: u8,
        token: Option<&'a PageToken>,
    ) -> BoxFuture<'a, Result<Answer<JobPage>, PollError>> {
        Box::pin(Self::list(self, pool, page_size, token))
    }

    fn account(&self) -> Option<AccountId> {
        self.account.id()
    }
}

#[cfg(test)]
mod tests;
