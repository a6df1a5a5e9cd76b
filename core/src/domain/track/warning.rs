//! What an answer warns of: an upload URL that lapsed, an expiry that is near, a job that stands still, goes back, shows
//! what nobody knows, or is late.
//!
//! Called by [`JobTrack::step`].

use std::time::Duration;

use super::{JobTrack, NEAR_EXPIRY, StepBack, Told, UPLOAD_URL_LIFE};
use crate::domain::event::{JobFact, WarningKind};
use crate::domain::{JobSnapshot, JobStatus, Phase, Timestamp, WatchedJob};

/// How many unknown statuses of one job are remembered; a job that shows more is told each time.
const UNKNOWN_REMEMBERED: usize = 16;

/// How many of the deadlines told of one job are remembered, the newest.
const DEADLINES_REMEMBERED: usize = 16;

impl JobTrack {
    pub(super) fn warn(
        &mut self,
        job: &WatchedJob,
        before: Option<JobSnapshot>,
        snapshot: &JobSnapshot,
        service_now: Timestamp,
        facts: &mut Vec<JobFact>,
    ) {
        let mut tell = |told: &mut Told, due: bool, kind: WarningKind| {
            if due && *told == Told::NotYet {
                *told = Told::Told;
                facts.push(JobFact::Warning(kind));
            }
        };
        let age = snapshot.created_at.map(|created| service_now.since(created)).unwrap_or_default();
        let waiting = snapshot.status == JobStatus::Created;
        tell(&mut self.lapsed_told, waiting && age >= UPLOAD_URL_LIFE, WarningKind::UploadUrlLapsed);
        tell(&mut self.near_expiry_told, waiting && age >= NEAR_EXPIRY, WarningKind::NearExpiry);
        if let Some(limit) = job.terms.policy.stall_after {
            let here = self.newest.zip(self.changed_here).map(|(now, changed)| now.since(changed));
            let unchanged_for = service_now.since(self.changed).max(here.unwrap_or_default());
            let stalled = snapshot.status.phase() == Phase::Active && unchanged_for >= limit;
            tell(&mut self.stalled_told, stalled, WarningKind::Stalled { unchanged_for });
        }
        match (snapshot.status.rank(), &snapshot.status) {
            (Some(rank), _) => {
                if let Some(before) = before.filter(|_| rank < self.high_rank) {
                    facts.push(JobFact::Warning(WarningKind::StatusWentBack { previous: before.status }));
                }
                self.high_rank = rank;
                self.step_back = StepBack::None;
            }
            (None, status) => {
                if !self.unknown_told.iter().any(|told| **told == *status.as_str()) {
                    if self.unknown_told.len() < UNKNOWN_REMEMBERED {
                        self.unknown_told.push(status.as_str().into());
                    }
                    let status_moved = before.is_none_or(|before| before.status != *status);
                    if status_moved {
                        facts.push(JobFact::Warning(WarningKind::UnknownStatus));
                    }
                }
            }
        }
        if let Some(deadline) = job.terms.policy.deadline {
            let late = snapshot.created_at.is_some() && age >= deadline;
            if late && !self.knows_as_told(deadline) {
                facts.push(JobFact::Warning(WarningKind::DeadlineExceeded { deadline }));
            }
        }
    }

    /// Whether it was told that this deadline passed; from here on it was. One that the config has changed since is
    /// another, and one that an earlier version did not note is the first that is asked about.
    fn knows_as_told(&mut self, deadline: Duration) -> bool {
        let seconds = deadline.as_secs();
        if self.deadlines_told.contains(&seconds) {
            return true;
        }
        if self.deadlines_told.len() >= DEADLINES_REMEMBERED {
            self.deadlines_told.remove(0);
        }
        self.deadlines_told.push(seconds);
        std::mem::take(&mut self.deadline_told) == Told::Told
    }
}
