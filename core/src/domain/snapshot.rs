//! What one answer of the service showed of a job.

use serde::{Deserialize, Serialize};

use super::{AccountId, JobStatus, Timestamp};

/// The three counters of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counts {
    /// Users imported.
    pub imported: u64,
    /// Users skipped, for they existed before.
    pub skipped: u64,
    /// Users that could not be imported.
    pub failed: u64,
}

impl Counts {
    /// Rows dealt with so far.
    #[must_use]
    pub fn done(self) -> u64 {
        self.imported.saturating_add(self.skipped).saturating_add(self.failed)
    }

    /// Whether none of the three is above that of `later`.
    #[must_use]
    pub fn is_within(self, later: Self) -> bool {
        self.imported <= later.imported && self.skipped <= later.skipped && self.failed <= later.failed
    }
}

/// One observation of a job: the fields of `UserImportJobType` that we use.
///
/// There is no field for the pre-signed upload URL, so that it cannot be shown. No field but the status and
/// the counters is ever required: the service's own sample answers leave out every date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSnapshot {
    /// `JobName`, as the service gave it: it may hold any character, a newline too.
    pub job_name: Option<Box<str>>,
    /// `Status`.
    pub status: JobStatus,
    /// `ImportedUsers`, `SkippedUsers`, `FailedUsers`.
    pub counts: Counts,
    /// `CreationDate`.
    pub created_at: Option<Timestamp>,
    /// `StartDate`.
    pub started_at: Option<Timestamp>,
    /// `CompletionDate`.
    pub completed_at: Option<Timestamp>,
    /// `CompletionMessage`: opaque text.
    pub completion_message: Option<Box<str>>,
    /// The account named in `CloudWatchLogsRoleArn`.
    pub account: Option<AccountId>,
}
