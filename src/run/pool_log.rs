//! What is logged about reading a pool's list. There is no event for it: the facts are its jobs'.

use std::time::Duration;

use cognito_import_watch_core::domain::{PollError, UserPoolId};
use cognito_import_watch_core::schedule::News;

/// Logs that a list could not be read: an error where the pool is given up, else a warning where that is news.
pub(super) fn failed(pool: &UserPoolId, error: &PollError, next_poll: Option<Duration>, news: News) {
    let Some(next_poll) = next_poll else {
        tracing::error!(
            user_pool_id = %pool, error_kind = %error.kind, %error,
            "pool is given up, jobs of it that are not known yet are not found: mend what the error says and start again"
        );
        return;
    };
    let next_poll_seconds = next_poll.as_secs_f64();
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

#[cfg(test)]
mod tests {
    use cognito_import_watch_core::domain::ErrorKind;
    use tracing::level_filters::LevelFilter;

    use super::*;
    use crate::telemetry::capture::{plain, printed};

    fn told(next_poll: Option<Duration>, news: News) -> String {
        let pool: UserPoolId = "us-west-2_A".parse().unwrap();
        let error = PollError::new(ErrorKind::Denied, "no right");
        printed(LevelFilter::INFO, plain(None), || failed(&pool, &error, next_poll, news))
    }

    #[test]
    fn a_pool_that_is_given_up_is_told_as_an_error_without_the_name_of_a_module() {
        for news in [News::Tell, News::Keep] {
            let text = told(None, news);
            assert!(text.contains(" ERROR pool is given up") && text.contains("start again"), "{text}");
            assert!(text.contains("us-west-2_A") && !text.contains("::"), "{text}");
        }
    }

    #[test]
    fn a_list_that_fails_is_a_warning_once() {
        let text = told(Some(Duration::from_secs(2)), News::Tell);
        assert!(text.contains(" WARN ") && text.contains("next_poll_seconds=2"), "{text}");
        assert_eq!(told(Some(Duration::from_secs(2)), News::Keep), "");
    }
}
