//! `/api/jobs`: the jobs as they stand, a page of them in memory at a time.
//!
//! Called by [`super::answer`].

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::body::AnswerBody;
use super::chunks::{Chunks, Gone};
use super::crowd::Caller;
use super::route::JobsWanted;
use crate::ask::{AskError, Asker, JobRow, JobsPage};
use crate::json::{seconds, time};
use crate::output::JobReport;

/// How many are answered at once; what they hold is a page each.
pub(super) const MOST: usize = 4;

/// The answer: one object, whose `jobs` come a page at a time. The first page is there before it begins.
///
/// # Errors
/// When the loop does not answer.
pub(super) async fn answer(
    asker: &Asker,
    wanted: JobsWanted,
    caller: &Arc<Caller>,
    place: OwnedSemaphorePermit,
) -> Result<AnswerBody, AskError> {
    let first = asker.jobs(None).await?;
    let (chunks, parts) = Chunks::to(caller);
    let asker = asker.clone();
    tokio::spawn(async move {
        let _place = place;
        // Else the loop ended, or the config was read again; or there is nobody to tell.
        if chunks.in_time(write(&asker, first, &wanted, &chunks)).await.is_ok() {
            chunks.end().await;
        }
    });
    Ok(AnswerBody::parts(parts, caller))
}

async fn write(asker: &Asker, first: JobsPage, wanted: &JobsWanted, chunks: &Chunks) -> Result<(), Gone> {
    let mut text = String::from("{\"jobs\":[");
    let (mut page, mut separator) = (first, "\n");
    loop {
        for job in page.jobs.into_iter().filter(|job| wanted.has(job)) {
            text.push_str(separator);
            text.push_str(&object(job));
            separator = ",\n";
        }
        if page.next.is_none() {
            text.push_str("\n]}\n");
            return chunks.send(text).await;
        }
        chunks.send(std::mem::take(&mut text)).await?;
        page = asker.jobs(page.next).await.map_err(|_| Gone)?;
    }
}

impl JobsWanted {
    fn has(&self, job: &JobRow) -> bool {
        let status = job.snapshot.as_ref().map(|seen| seen.status.as_str());
        self.pool.as_ref().is_none_or(|pool| *pool == job.job.target.pool)
            && self
                .status
                .as_deref()
                .is_none_or(|wanted| status.is_some_and(|status| status.eq_ignore_ascii_case(wanted)))
    }
}

/// A job with the keys of `status --output json`, and with those that only a daemon knows.
fn object(row: JobRow) -> String {
    let JobRow { job, snapshot, observed_at, verdict, error, failing_since, next_poll, polls, percent, eta, .. } = row;
    let (region, account) = (job.target.pool.region().to_owned(), job.account.clone());
    JobReport { job, snapshot, observed_at, verdict, error }
        .object_with_error()
        .with("region", region)
        .with("account", account.as_ref().map(|account| account.as_str()))
        .with("failing_since", time(failing_since))
        .with("next_poll_seconds", next_poll.map(seconds))
        .with("polls", polls)
        .with("percent", percent)
        .with("eta_seconds", eta.map(seconds))
        .finish()
}
