//! One import job's life: when its status changes, and whether its counters move in between.

use cognito_import_watch_core::domain::{Counts, JobSnapshot, JobStatus};

use crate::time::{NEVER, Nanos, wall};

/// How many statuses a job of the model goes through.
pub const STAGES: usize = 4;

/// What happens to a job, by simulated time. It was created before the start of the watch.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// When somebody starts it; [`NEVER`] for one that sleeps.
    pub started: Nanos,
    /// When it goes from Pending to InProgress.
    pub importing: Nanos,
    /// When it succeeds.
    pub ended: Nanos,
    /// The time that one user takes; `None` where the counters move at the end alone.
    pub per_user: Option<Nanos>,
}

impl Life {
    /// A job that nobody starts.
    pub const SLEEPING: Self = Self { started: NEVER, importing: NEVER, ended: NEVER, per_user: None };

    /// A job that imports all the time, without showing any of it.
    pub const STILL: Self = Self { started: 0, importing: 0, ended: NEVER, per_user: None };

    /// A job that imports all the time, a user each `per_user`.
    #[must_use]
    pub fn moving(per_user: Nanos) -> Self {
        Self { per_user: Some(per_user), ..Self::STILL }
    }

    /// How far it is: 0 Created, 1 Pending, 2 InProgress, 3 Succeeded.
    #[must_use]
    pub fn stage(&self, now: Nanos) -> usize {
        [self.started, self.importing, self.ended].into_iter().filter(|at| *at <= now).count()
    }

    /// When it came to this stage; 0 for the first.
    #[must_use]
    pub fn since(&self, stage: usize) -> Nanos {
        match stage {
            0 => 0,
            1 => self.started,
            2 => self.importing,
            _over => self.ended,
        }
    }

    /// Whether it is started and not over.
    #[must_use]
    pub fn is_active(&self, now: Nanos) -> bool {
        self.started <= now && now < self.ended
    }

    /// The users imported so far.
    #[must_use]
    pub fn imported(&self, now: Nanos) -> u64 {
        let done = now.min(self.ended).saturating_sub(self.importing);
        self.per_user.map_or(0, |per_user| done / per_user)
    }

    /// What the service shows of it.
    #[must_use]
    pub fn snapshot(&self, now: Nanos) -> JobSnapshot {
        let stage = self.stage(now);
        JobSnapshot {
            job_name: None,
            status: status(stage),
            counts: Counts { imported: self.imported(now), skipped: 0, failed: 0 },
            created_at: Some(wall(0)),
            started_at: (stage > 0).then(|| wall(self.started)),
            completed_at: (stage == STAGES - 1).then(|| wall(self.ended)),
            completion_message: None,
            account: None,
        }
    }
}

fn status(stage: usize) -> JobStatus {
    match stage {
        0 => JobStatus::Created,
        1 => JobStatus::Pending,
        2 => JobStatus::InProgress,
        _over => JobStatus::Succeeded,
    }
}

/// The stage of a status that was seen; `None` for one that the model never shows.
#[must_use]
pub fn stage_of(seen: &JobStatus) -> Option<usize> {
    (0..STAGES).find(|stage| status(*stage) == *seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    #[test]
    fn a_job_goes_from_created_to_succeeded_and_counts_on_its_way() {
        let life = Life { started: SECOND, importing: 3 * SECOND, ended: 10 * SECOND, per_user: Some(2 * SECOND) };
        let seen: Vec<_> = [0, 1, 3, 7, 20].map(|at| life.snapshot(at * SECOND)).into_iter().collect();
        let words: Vec<_> = seen.iter().map(|shown| shown.status.as_str().to_owned()).collect();
        assert_eq!(words, ["Created", "Pending", "InProgress", "InProgress", "Succeeded"]);
        assert_eq!(seen.iter().map(|shown| shown.counts.imported).collect::<Vec<_>>(), [0, 0, 0, 2, 3]);
        assert!(seen.iter().enumerate().all(|(at, shown)| stage_of(&shown.status) == Some([0, 1, 2, 2, 3][at])));
    }
}
