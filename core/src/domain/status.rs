//! The status of a user import job, as `UserImportJobStatusType` of the service model names it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the service said a job's `Status` is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobStatus {
    /// Created, not started: someone still has to upload the CSV and start it.
    Created,
    /// Started, not importing yet.
    Pending,
    /// Importing users.
    InProgress,
    /// Asked to stop, still importing.
    Stopping,
    /// Over: stopped by its owner.
    Stopped,
    /// Over: every row was read. Rows may have failed all the same.
    Succeeded,
    /// Over: the job failed. Users may have been imported all the same.
    Failed,
    /// Over: not started in time (24–48 hours after creation).
    Expired,
    /// A status this program does not know; it is polled on. The text is the service's, unchecked.
    Unrecognized(Box<str>),
}

/// Where in its life a job is, as far as watching it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Waiting to be started.
    Waiting,
    /// Started and moving; a status we do not know counts as moving.
    Active,
    /// Over; never moves again.
    Terminal,
}

impl JobStatus {
    /// The statuses that the service documents.
    pub const KNOWN: [Self; 8] = [
        Self::Created,
        Self::Pending,
        Self::InProgress,
        Self::Stopping,
        Self::Stopped,
        Self::Succeeded,
        Self::Failed,
        Self::Expired,
    ];

    /// Reads the service's word; any other word is kept as [`JobStatus::Unrecognized`].
    #[must_use]
    pub fn from_wire(word: &str) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|status| status.as_str() == word)
            .unwrap_or_else(|| Self::Unrecognized(word.into()))
    }

    /// The service's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "Created",
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Expired => "Expired",
            Self::Unrecognized(word) => word,
        }
    }

    /// Where in its life a job with this status is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            Self::Created => Phase::Waiting,
            Self::Pending | Self::InProgress | Self::Stopping | Self::Unrecognized(_) => Phase::Active,
            Self::Stopped | Self::Succeeded | Self::Failed | Self::Expired => Phase::Terminal,
        }
    }

    /// Whether the job is over.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.phase() == Phase::Terminal
    }

    /// How far along the documented order this status is; `None` for a status we do not know.
    /// A job that shows a lower rank than before took a step back, which has no documented meaning.
    #[must_use]
    pub fn rank(&self) -> Option<u8> {
        match self {
            Self::Created => Some(0),
            Self::Pending => Some(1),
            Self::InProgress => Some(2),
            Self::Stopping => Some(3),
            Self::Stopped | Self::Succeeded | Self::Failed | Self::Expired => Some(4),
            Self::Unrecognized(_) => None,
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_word_is_read_back_as_itself() {
        for status in JobStatus::KNOWN {
            assert_eq!(JobStatus::from_wire(status.as_str()), status);
            assert_eq!(status.is_terminal(), status.rank() == Some(4));
        }
    }

    #[test]
    fn a_status_is_shown_as_the_services_word_in_a_column_too() {
        assert_eq!(format!("{:<8}|{}", JobStatus::Pending, JobStatus::from_wire("Paused")), "Pending |Paused");
    }

    #[test]
    fn an_unknown_word_is_kept_and_counts_as_moving() {
        let status = JobStatus::from_wire("Paused");
        assert_eq!(status.as_str(), "Paused");
        assert_eq!(status.phase(), Phase::Active);
        assert_eq!(status.rank(), None);
    }
}
