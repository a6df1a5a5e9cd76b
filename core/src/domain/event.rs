//! The facts that are told about a job, and the identity of each.
//!
//! The same fact has the same id, whoever observed it and however often: [`JobEvent::id`].

use std::time::Duration;

use uuid::Uuid;

use super::{AccountId, Counts, ErrorKind, JobStatus, PollError, Target, Timestamp, Verdict};

/// The namespace of event ids. It never changes: consumers drop repeats by id.
pub const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x7c1f_5b0e_9a34_4d8a_8a57_3f0b_6c2d_91e4);

/// The version of the event's form; fields are only ever added to it.
pub const EVENT_SCHEMA: u32 = 1;

/// Which job an event is about, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobIdentity {
    /// The job.
    pub target: Target,
    /// `JobName`, as the service gave it.
    pub job_name: Option<Box<str>>,
    /// The name its owner gave it in the config.
    pub name: Option<Box<str>>,
    /// The account the pool is in.
    pub account: Option<AccountId>,
}

impl JobIdentity {
    /// The configured name, else the job's own.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.name.as_deref().or(self.job_name.as_deref())
    }
}

/// A fact about a job, with the observation that showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobEvent {
    /// When the answer arrived.
    pub at: Timestamp,
    /// Which job.
    pub job: JobIdentity,
    /// The job's status then; `None` when none was ever seen.
    pub status: Option<JobStatus>,
    /// The job's counters then; `None` when none were ever seen.
    pub counts: Option<Counts>,
    /// What is told.
    pub fact: JobFact,
}

/// What is told about a job.
#[derive(Clone, Debug, PartialEq)]
pub enum JobFact {
    /// The first observation ever of the job.
    FirstSeen,
    /// The status differs from the last one known.
    StatusChanged {
        /// The last one known.
        previous: JobStatus,
    },
    /// FailedUsers rose above the highest told.
    FailedUsers {
        /// The highest told before.
        previous: u64,
        /// How many more.
        new: u64,
    },
    /// A counter moved and the status did not.
    Progress {
        /// 0 to 100, where the total is known.
        percent: Option<f64>,
        /// Time left at the pace seen so far, where the total is known.
        eta: Option<Duration>,
    },
    /// The job is over.
    Completed {
        /// By its policy.
        verdict: Verdict,
        /// `CompletionDate` − `StartDate`, where both are known.
        elapsed: Option<Duration>,
        /// `CompletionMessage`.
        completion_message: Option<Box<str>>,
        /// `CreationDate`.
        created_at: Option<Timestamp>,
        /// `StartDate`.
        started_at: Option<Timestamp>,
        /// `CompletionDate`.
        completed_at: Option<Timestamp>,
    },
    /// Something a person may want to look at.
    Warning(WarningKind),
    /// Polls of this job fail.
    PollFailed {
        /// The failure.
        error: PollError,
        /// The first failure of the episode.
        since: Timestamp,
        /// When the job is asked about next; `None` when it is not.
        next_poll: Option<Duration>,
    },
    /// The first success after [`JobFact::PollFailed`].
    PollRecovered {
        /// The kind of failure told last.
        error_kind: ErrorKind,
        /// The first failure of the episode.
        since: Timestamp,
    },
    /// Given up, or slowed down, because the pool or the job does not exist.
    NotFound {
        /// The failure.
        error: PollError,
        /// The first failure of the episode.
        since: Timestamp,
    },
    /// Given up, or slowed down, because we are refused.
    AccessDenied {
        /// The failure.
        error: PollError,
        /// The first failure of the episode.
        since: Timestamp,
    },
}

/// What a warning is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// Created 15 minutes after `CreationDate`: if no CSV was uploaded, the job can never run.
    UploadUrlLapsed,
    /// Created after 23 hours: it expires at 24 to 48.
    NearExpiry,
    /// Active, and nothing moved for so long.
    Stalled {
        /// Since the last change.
        unchanged_for: Duration,
    },
    /// The job shows an earlier status than before, twice.
    StatusWentBack {
        /// The later status it had shown before.
        previous: JobStatus,
    },
    /// A status this program does not know.
    UnknownStatus,
    /// Not over at its deadline.
    DeadlineExceeded {
        /// From `CreationDate`.
        deadline: Duration,
    },
}

impl WarningKind {
    /// The word in events.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::UploadUrlLapsed => "upload_url_lapsed",
            Self::NearExpiry => "near_expiry",
            Self::Stalled { .. } => "stalled",
            Self::StatusWentBack { .. } => "status_went_back",
            Self::UnknownStatus => "unknown_status",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
        }
    }
}

impl JobFact {
    /// The event's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::FirstSeen => "job.first_seen",
            Self::StatusChanged { .. } => "job.status_changed",
            Self::FailedUsers { .. } => "job.failed_users",
            Self::Progress { .. } => "job.progress",
            Self::Completed { .. } => "job.completed",
            Self::Warning(_) => "job.warning",
            Self::PollFailed { .. } => "job.poll_failed",
            Self::PollRecovered { .. } => "job.poll_recovered",
            Self::NotFound { .. } => "job.not_found",
            Self::AccessDenied { .. } => "job.access_denied",
        }
    }
}

impl JobEvent {
    /// The event's id: a version-5 UUID in [`EVENT_NAMESPACE`] over the JSON array of [`JobEvent::key`].
    ///
    /// `instance` is the observer; it is part of the key only of facts about the observer's own polls.
    #[must_use]
    pub fn id(&self, instance: Uuid) -> Uuid {
        id_of(&self.key(instance))
    }

    /// The event's name and what makes this fact this fact.
    #[must_use]
    pub fn key(&self, instance: Uuid) -> Vec<String> {
        let status = || self.status.as_ref().map_or_else(String::new, |status| status.as_str().to_owned());
        let counts = self.counts.unwrap_or_default();
        let mut key = vec![self.fact.name().to_owned()];
        if self.is_of_the_observer() {
            key.push(instance.to_string());
        }
        key.push(self.job.target.pool.to_string());
        key.push(self.job.target.job.to_string());
        match &self.fact {
            JobFact::FirstSeen => {}
            JobFact::StatusChanged { .. } | JobFact::Completed { .. } => key.push(status()),
            JobFact::FailedUsers { .. } => key.push(counts.failed.to_string()),
            JobFact::Progress { .. } => key.extend(counters(counts)),
            JobFact::Warning(kind) => {
                key.push(kind.as_str().to_owned());
                match kind {
                    WarningKind::UploadUrlLapsed | WarningKind::NearExpiry => {}
                    WarningKind::Stalled { .. } => {
                        key.push(status());
                        key.extend(counters(counts));
                    }
                    WarningKind::StatusWentBack { previous } => {
                        key.push(previous.as_str().to_owned());
                        key.push(status());
                    }
                    WarningKind::UnknownStatus => key.push(status()),
                    WarningKind::DeadlineExceeded { deadline } => key.push(deadline.as_secs().to_string()),
                }
            }
            JobFact::PollFailed { error, since, .. } => {
                key.push(error.kind.as_str().to_owned());
                key.push(since.to_string());
            }
            JobFact::PollRecovered { error_kind, since } => {
                key.push(error_kind.as_str().to_owned());
                key.push(since.to_string());
            }
            JobFact::NotFound { since, .. } | JobFact::AccessDenied { since, .. } => key.push(since.to_string()),
        }
        key
    }

    fn is_of_the_observer(&self) -> bool {
        match &self.fact {
            JobFact::FirstSeen
            | JobFact::StatusChanged { .. }
            | JobFact::FailedUsers { .. }
            | JobFact::Progress { .. }
            | JobFact::Completed { .. }
            | JobFact::Warning(_) => false,
            JobFact::PollFailed { .. }
            | JobFact::PollRecovered { .. }
            | JobFact::NotFound { .. }
            | JobFact::AccessDenied { .. } => true,
        }
    }
}

/// The id of any event: a version-5 UUID over the JSON array of its key, without white space.
#[must_use]
pub fn id_of(key: &[String]) -> Uuid {
    let json = serde_json::Value::from(key).to_string();
    Uuid::new_v5(&EVENT_NAMESPACE, json.as_bytes())
}

fn counters(counts: Counts) -> [String; 3] {
    [counts.imported, counts.skipped, counts.failed].map(|count| count.to_string())
}

#[cfg(test)]
mod tests;
