//! A job of the SDK as a snapshot of ours, field by field.
//!
//! Called by [`super::cognito`] on the very line after an answer arrives. The pre-signed URL has no field to go
//! to, and from the fields of text it is taken out; nothing here prints an SDK type, whose `Debug` would show it.

use aws_sdk_cognitoidentityprovider::types::UserImportJobType;
use cognito_import_watch_core::domain::{AccountId, Counts, JobId, JobSnapshot, JobStatus};

use super::answer::timestamp;
use super::redact::without_secrets;

/// The snapshot of a job, or `None` when the answer names no status: then there is nothing to know.
///
/// Nothing else is required, and nothing is checked: the service breaks the rules of its own model. A counter
/// below zero counts as zero, a time out of range as unknown. No text holds a pre-signed URL or one of `secrets`.
pub(super) fn snapshot(job: &UserImportJobType, secrets: &[String]) -> Option<JobSnapshot> {
    let text = |text: &str| without_secrets(text, secrets);
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Some(JobSnapshot {
        job_name: job.job_name().map(text),
        status: JobStatus::from_wire(&text(job.status()?.as_str())),
        counts: Counts {
            imported: count(job.imported_users()),
            skipped: count(job.skipped_users()),
            failed: count(job.failed_users()),
        },
        created_at: job.creation_date().and_then(timestamp),
        started_at: job.start_date().and_then(timestamp),
        completed_at: job.completion_date().and_then(timestamp),
        completion_message: job.completion_message().map(text),
        account: job.cloud_watch_logs_role_arn().and_then(AccountId::from_arn),
    })
}

/// A job of a list with its id, or `None` when it has no status or an id of another form than a job id.
pub(super) fn listed(job: &UserImportJobType, secrets: &[String]) -> Option<(JobId, JobSnapshot)> {
    Some((job.job_id()?.parse().ok()?, snapshot(job, secrets)?))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::primitives::DateTime;
    use aws_sdk_cognitoidentityprovider::types::UserImportJobStatusType;
    use cognito_import_watch_core::domain::Timestamp;

    use super::*;

    #[test]
    fn every_field_goes_to_its_place() {
        let job = UserImportJobType::builder()
            .job_name("nightly\ncustomers")
            .job_id("import-a")
            .user_pool_id("us-west-2_X")
            .pre_signed_url("https://bucket.example/?X-Amz-Signature=MARK")
            .creation_date(DateTime::from_secs_f64(1_548_271_708.512))
            .start_date(DateTime::from_secs(1_548_271_709))
            .completion_date(DateTime::from_secs(1_548_271_710))
            .status(UserImportJobStatusType::Succeeded)
            .cloud_watch_logs_role_arn("arn:aws:iam::123456789012:role/logs")
            .imported_users(99)
            .skipped_users(2)
            .failed_users(1)
            .completion_message("Import Job Completed Successfully.")
            .build();
        let expected = JobSnapshot {
            job_name: Some("nightly\ncustomers".into()),
            status: JobStatus::Succeeded,
            counts: Counts { imported: 99, skipped: 2, failed: 1 },
            created_at: Some(Timestamp::from_millis(1_548_271_708_512)),
            started_at: Some(Timestamp::from_millis(1_548_271_709_000)),
            completed_at: Some(Timestamp::from_millis(1_548_271_710_000)),
            completion_message: Some("Import Job Completed Successfully.".into()),
            account: AccountId::from_arn("arn:aws:iam::123456789012:role/logs"),
        };
        assert_eq!(listed(&job, &[]), Some(("import-a".parse().unwrap(), expected)));
    }

    #[test]
    fn a_bare_status_is_enough_and_odd_numbers_do_no_harm() {
        let job = UserImportJobType::builder()
            .status("Paused".into())
            .imported_users(-5)
            .creation_date(DateTime::from_secs(i64::MAX))
            .cloud_watch_logs_role_arn("not an arn")
            .build();
        let seen = snapshot(&job, &[]).unwrap();
        assert_eq!(seen.status, JobStatus::Unrecognized("Paused".into()));
        assert_eq!((seen.counts, seen.created_at, seen.account), (Counts::default(), None, None));
    }

    #[test]
    fn a_job_without_a_status_or_with_a_foreign_id_is_not_readable() {
        let job = UserImportJobType::builder();
        assert_eq!(snapshot(&job.clone().job_id("import-a").build(), &[]), None);
        let job = job.status(UserImportJobStatusType::Pending);
        assert_eq!(listed(&job.clone().build(), &[]), None);
        assert_eq!(listed(&job.job_id("export-a").build(), &[]), None);
    }

    #[test]
    fn no_text_brings_a_pre_signed_url_or_a_key_along() {
        let url = "https://bucket.example/MARK?X-Amz-Security-Token=MARK&X-Amz-Signature=MARK";
        let job = UserImportJobType::builder()
            .job_name(format!("a {url}"))
            .status(url.into())
            .completion_message(format!("MARKED-KEY  and {url} b"))
            .build();
        let seen = snapshot(&job, &["MARKED-KEY".to_owned()]).unwrap();
        assert_eq!(seen.job_name.as_deref(), Some("a [removed]"));
        assert_eq!(seen.status, JobStatus::Unrecognized("[removed]".into()));
        assert_eq!(seen.completion_message.as_deref(), Some("[removed]  and [removed] b"));
    }
}
