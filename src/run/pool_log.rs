//! What is logged about reading a pool's list. There is no event for it: the facts are its jobs'.

use std::time::Duration;

use cognito_import_watch_core::domain::{PollError, UserPoolId};
use cognito_import_watch_core::schedule::News;

/// Logs that a list could not be read: a warning where that is news.
pub(super) fn failed(pool: &UserPoolId, error: &PollError, next_poll: Option<Duration>, news: News) {
    let next_poll_seconds = next_poll.map(|next| next.as_secs_f64());
    match news {
        News::Tell => {
            tracing::warn!(user_pool_id = %pool, error_kind = %error.kind, %error, next_poll_seconds, "pool list failed");
        }
        News::Keep => {
            tracing::debug!(user_pool_id = %pool, error_kind = %error.kind, %error, next_poll_seconds, "pool list failed");
        }
    }
}

/// Logs that a list can be read again.
pub(super) fn recovered(pool: &UserPoolId) {
    tracing::info!(user_pool_id = %pool, "pool list can be read again");
}

/// Logs that a list was no help in observing the pool's jobs, which are asked about one by one.
pub(super) fn list_failed(pool: &UserPoolId, error: &PollError) {
    tracing::debug!(user_pool_id = %pool, error_kind = %error.kind, %error, "list failed, jobs are asked about one by one");
}
