//! Tests of what one more answer adds to what is known of a job.

use std::sync::Arc;

use super::*;
use crate::domain::{ErrorKind, JobStatus, Terms, WarningKind};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A job, the time, and what it has told: each call is one more answer.
struct Watch {
    job: WatchedJob,
    track: JobTrack,
    now: Duration,
    told: Vec<JobEvent>,
}

impl Watch {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut JobPolicy)) -> Self {
        let mut policy = JobPolicy::default();
        change(&mut policy);
        let job = WatchedJob {
            target: "us-west-2_EXAMPLE/import-a".parse().unwrap(),
            terms: Arc::new(Terms { policy: Arc::new(policy), ..Terms::default() }),
        };
        Self { job, track: JobTrack::default(), now: Duration::ZERO, told: Vec::new() }
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus(self.now)
    }

    fn answer(&mut self, outcome: Outcome) -> (Vec<&'static str>, Pace) {
        self.now += SECOND;
        let arrived = Tick::from_start(self.now);
        let sent = Tick::from_start(self.now - SECOND / 2);
        let step = self.track.step(&self.job, Observation { sent, arrived, at: self.wall(), outcome });
        let names = step.events.iter().map(|event| event.fact.name()).collect();
        self.track = step.next;
        self.told.extend(step.events);
        (names, step.pace)
    }

    fn describe(&mut self, snapshot: JobSnapshot) -> (Vec<&'static str>, Pace) {
        self.answer(Outcome::Seen { snapshot, date: None, by: AskedBy::Describe })
    }

    fn list(&mut self, snapshot: JobSnapshot) -> (Vec<&'static str>, Pace) {
        self.answer(Outcome::Seen { snapshot, date: None, by: AskedBy::List })
    }

    fn fail(&mut self, kind: ErrorKind) -> (Vec<&'static str>, Pace) {
        self.answer(Outcome::Failed(PollError::new(kind, "no")))
    }

    fn last_fact(&self) -> &JobFact {
        &self.told.last().unwrap().fact
    }
}

fn shown(status: &str) -> JobSnapshot {
    counted(status, 0, 0, 0)
}

fn counted(status: &str, imported: u64, skipped: u64, failed: u64) -> JobSnapshot {
    JobSnapshot {
        job_name: Some("nightly".into()),
        status: JobStatus::from_wire(status),
        counts: Counts { imported, skipped, failed },
        created_at: Some(Timestamp::from_millis(1_700_000_000_000)),
        started_at: None,
        completed_at: None,
        completion_message: None,
        account: None,
    }
}

#[test]
fn a_first_observation_tells_first_seen_then_failed_users_then_completed() {
    let mut watch = Watch::new();
    let (told, pace) = watch.describe(counted("Succeeded", 99, 0, 1));
    assert_eq!(told, ["job.first_seen", "job.failed_users", "job.completed"]);
    assert_eq!(pace, Pace::Over(Verdict::TooManyFailedUsers));
}

#[test]
fn a_step_in_one_jump_tells_one_change() {
    let mut watch = Watch::new();
    watch.describe(shown("Created"));
    let (told, pace) = watch.describe(counted("Succeeded", 5, 0, 0));
    assert_eq!(told, ["job.status_changed", "job.completed"]);
    assert_eq!(pace, Pace::Over(Verdict::Succeeded));
    assert_eq!(watch.describe(counted("Succeeded", 5, 0, 0)).0, [""; 0], "a second look at a job that is over");
}

#[test]
fn a_poll_that_shows_nothing_new_tells_nothing_and_grows_the_interval() {
    let mut watch = Watch::new();
    assert_eq!(watch.describe(shown("Pending")).1, Pace::Restart);
    assert_eq!(watch.describe(shown("Pending")), (vec![], Pace::Grow));
}

#[test]
fn failed_users_are_told_once_per_new_high() {
    let mut watch = Watch::new();
    watch.describe(counted("InProgress", 0, 0, 2));
    assert_eq!(watch.describe(counted("InProgress", 9, 0, 2)).0, [""; 0]);
    assert_eq!(watch.describe(counted("InProgress", 9, 0, 5)).0, ["job.failed_users"]);
    assert_eq!(*watch.last_fact(), JobFact::FailedUsers { previous: 2, new: 3 });
    watch.describe(counted("InProgress", 9, 0, 3));
    assert_eq!(watch.describe(counted("InProgress", 9, 0, 4)).0, [""; 0], "below the highest told");
}

#[test]
fn progress_is_told_at_most_once_in_its_interval_and_no_move_is_forgotten() {
    let mut watch = Watch::with(|policy| policy.expected_users = Some(100));
    watch.describe(shown("InProgress"));
    assert_eq!(watch.describe(counted("InProgress", 10, 0, 0)), (vec![], Pace::Restart));
    watch.now += MINUTE;
    assert_eq!(watch.describe(counted("InProgress", 10, 0, 0)).0, ["job.progress"]);
    let JobFact::Progress { percent, eta } = watch.last_fact() else { panic!("no progress") };
    assert_eq!(*percent, Some(10.0));
    assert_eq!(*eta, Some(Duration::from_secs(62 * 9)));
    assert_eq!(watch.describe(counted("InProgress", 20, 0, 0)).0, [""; 0]);
}

#[test]
fn a_step_back_is_told_only_when_a_second_describe_shows_it() {
    let mut watch = Watch::new();
    watch.describe(shown("InProgress"));
    assert_eq!(watch.describe(shown("Pending")), (vec![], Pace::AskAgain(ASK_AGAIN)));
    assert_eq!(watch.describe(shown("InProgress")), (vec![], Pace::Grow), "it was a stale answer");
    watch.describe(shown("Pending"));
    assert_eq!(watch.describe(shown("Pending")).0, ["job.status_changed", "job.warning"]);
    assert_eq!(*watch.last_fact(), JobFact::Warning(WarningKind::StatusWentBack { previous: JobStatus::InProgress }));
    assert_eq!(watch.describe(shown("Pending")).0, [""; 0]);
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.status_changed"], "and forward again");
}

#[test]
fn a_list_alone_tells_no_step_back_and_no_end_at_first_sight() {
    let mut watch = Watch::new();
    assert_eq!(watch.list(shown("Succeeded")), (vec![], Pace::AskAgain(Duration::ZERO)));
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.first_seen"]);
    assert_eq!(watch.list(shown("Created")).1, Pace::AskAgain(Duration::ZERO));
    assert_eq!(watch.list(shown("Created")).1, Pace::AskAgain(Duration::ZERO));
    assert_eq!(watch.list(shown("Succeeded")).0, ["job.status_changed", "job.completed"]);
}

#[test]
fn an_unknown_status_warns_once_and_is_polled_on() {
    let mut watch = Watch::new();
    watch.describe(shown("InProgress"));
    assert_eq!(watch.describe(shown("Paused")), (vec!["job.status_changed", "job.warning"], Pace::Restart));
    assert_eq!(watch.describe(shown("Paused")).0, [""; 0]);
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.status_changed"]);
    assert_eq!(watch.describe(shown("Paused")).0, ["job.status_changed"]);
    assert_eq!(watch.describe(shown("Draining")).0, ["job.status_changed", "job.warning"]);
}

#[test]
fn a_job_nobody_starts_is_told_at_fifteen_minutes_and_at_twenty_three_hours() {
    let mut watch = Watch::new();
    watch.describe(shown("Created"));
    watch.now = 15 * MINUTE;
    assert_eq!(watch.describe(shown("Created")).0, ["job.warning"]);
    assert_eq!(*watch.last_fact(), JobFact::Warning(WarningKind::UploadUrlLapsed));
    assert_eq!(watch.describe(shown("Created")).0, [""; 0]);
    watch.now = 23 * 60 * MINUTE - 2 * SECOND;
    assert_eq!(watch.describe(shown("Created")).0, [""; 0]);
    assert_eq!(watch.describe(shown("Created")).0, ["job.warning"]);
    assert_eq!(*watch.last_fact(), JobFact::Warning(WarningKind::NearExpiry));
}

#[test]
fn age_is_taken_against_the_date_of_the_answer() {
    let mut watch = Watch::new();
    let date = watch.wall().plus(16 * MINUTE);
    let outcome = Outcome::Seen { snapshot: shown("Created"), date: Some(date), by: AskedBy::Describe };
    assert_eq!(watch.answer(outcome).0, ["job.first_seen", "job.warning"]);
}

#[test]
fn an_active_job_that_does_not_move_is_told_once_per_plateau() {
    let mut watch = Watch::new();
    watch.describe(counted("InProgress", 1, 0, 0));
    watch.now += 30 * MINUTE;
    assert_eq!(watch.describe(counted("InProgress", 1, 0, 0)).0, ["job.warning"]);
    assert_eq!(watch.describe(counted("InProgress", 1, 0, 0)).0, [""; 0]);
    assert_eq!(watch.describe(counted("InProgress", 2, 0, 0)).0, ["job.progress"]);
    watch.now += 30 * MINUTE;
    assert_eq!(watch.describe(counted("InProgress", 2, 0, 0)).0, ["job.warning"]);
}

#[test]
fn a_job_stalls_by_our_clock_too_for_the_services_is_read_in_whole_seconds() {
    let mut watch = Watch::with(|policy| policy.stall_after = Some(2 * SECOND));
    let date = Some(watch.wall());
    let mut seen = |status: &str| {
        let outcome = Outcome::Seen { snapshot: shown(status), date, by: AskedBy::Describe };
        watch.answer(outcome).0
    };
    assert_eq!(seen("InProgress"), ["job.first_seen"]);
    assert_eq!([seen("InProgress"), seen("InProgress")], [vec![], vec!["job.warning"]]);
}

#[test]
fn a_job_that_waits_to_be_started_is_never_stalled() {
    let mut watch = Watch::with(|policy| policy.stall_after = Some(SECOND));
    watch.describe(shown("Created"));
    assert_eq!(watch.describe(shown("Created")).0, [""; 0]);
}

#[test]
fn a_deadline_is_told_once_and_counts_from_creation() {
    let mut watch = Watch::with(|policy| policy.deadline = Some(10 * MINUTE));
    watch.describe(shown("InProgress"));
    watch.now = 10 * MINUTE;
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.warning"]);
    assert_eq!(watch.describe(shown("InProgress")).0, [""; 0]);
    let mut dateless = shown("InProgress");
    dateless.created_at = None;
    let mut watch = Watch::with(|policy| policy.deadline = Some(Duration::ZERO));
    assert_eq!(watch.describe(dateless).0, ["job.first_seen"], "no CreationDate, no deadline");
}

#[test]
fn each_deadline_is_told_once_whatever_the_config_says_meanwhile() {
    let mut watch = Watch::with(|policy| policy.deadline = Some(10 * MINUTE));
    let changed_to = |watch: &mut Watch, minutes: u32| {
        Arc::make_mut(&mut watch.job.terms).policy =
            Arc::new(JobPolicy { deadline: Some(minutes * MINUTE), ..JobPolicy::default() });
    };
    watch.now = 10 * MINUTE;
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.first_seen", "job.warning"]);
    changed_to(&mut watch, 20);
    assert_eq!(watch.describe(shown("InProgress")).0, [""; 0], "it has not passed");
    watch.now = 20 * MINUTE;
    let before = watch.track.clone();
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.warning"]);
    assert!(!before.says_the_same_as(&watch.track), "a restart must know of it");
    let ids: Vec<_> = watch.told.iter().map(|event| event.id(uuid::Uuid::nil())).collect();
    assert_ne!(ids[1], ids[2]);
    for minutes in [10, 20] {
        changed_to(&mut watch, minutes);
        assert_eq!(watch.describe(shown("InProgress")).0, [""; 0], "told before");
    }
    // More than are remembered: the oldest is told again, under the same id.
    for minutes in (1..20).filter(|minutes| *minutes != 10) {
        changed_to(&mut watch, minutes);
        assert_eq!(watch.describe(shown("InProgress")).0, ["job.warning"]);
        assert_eq!(watch.describe(shown("InProgress")).0, [""; 0]);
    }
    changed_to(&mut watch, 10);
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.warning"]);
    assert_eq!(watch.told.last().unwrap().id(uuid::Uuid::nil()), ids[1]);
    assert_eq!(watch.track.stored(Tick::ZERO, watch.wall()).deadlines_told.len(), 16);
}

#[test]
fn a_deadline_that_an_earlier_version_told_is_not_told_again() {
    let mut watch = Watch::with(|policy| policy.deadline = Some(10 * MINUTE));
    watch.now = 10 * MINUTE;
    watch.describe(shown("InProgress"));
    let mut stored = watch.track.stored(Tick::from_start(watch.now), watch.wall());
    // As it was kept then.
    stored.deadlines_told.clear();
    stored.marks.push(Mark::DeadlineTold);
    watch.track = JobTrack::restored(stored, Tick::from_start(watch.now), watch.wall());
    assert_eq!(watch.describe(shown("InProgress")).0, [""; 0]);
    Arc::make_mut(&mut watch.job.terms).policy =
        Arc::new(JobPolicy { deadline: Some(5 * MINUTE), ..JobPolicy::default() });
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.warning"], "another one");
}

#[test]
fn a_plateau_is_measured_by_the_services_clock() {
    let date = |minutes: u32| Some(Timestamp::from_millis(1_700_000_000_000).plus(minutes * MINUTE));
    let seen = |minutes| Outcome::Seen { snapshot: shown("InProgress"), date: date(minutes), by: AskedBy::Describe };
    let mut watch = Watch::new();
    watch.answer(seen(0));
    // Ours ran ahead across a restart.
    let stored = watch.track.stored(Tick::from_start(watch.now), watch.wall());
    watch.now += 300 * MINUTE;
    watch.track = JobTrack::restored(stored, Tick::ZERO, watch.wall());
    assert_eq!(watch.answer(seen(29)).0, [""; 0]);
    // Or stood still while the machine slept.
    assert_eq!(watch.answer(seen(30)).0, ["job.warning"]);
    assert_eq!(*watch.last_fact(), JobFact::Warning(WarningKind::Stalled { unchanged_for: 30 * MINUTE }));
}

#[test]
fn failures_are_told_at_the_second_of_a_kind_and_once_per_kind_and_episode() {
    let mut watch = Watch::new();
    watch.describe(shown("InProgress"));
    assert_eq!(watch.fail(ErrorKind::Transient), (vec![], Pace::Grow));
    assert_eq!(watch.fail(ErrorKind::Transient), (vec!["job.poll_failed"], Pace::Grow));
    assert_eq!(watch.fail(ErrorKind::Transient).0, [""; 0]);
    assert_eq!(watch.fail(ErrorKind::Throttled), (vec!["job.poll_failed"], Pace::WhenAllowed(None)));
    assert_eq!(watch.fail(ErrorKind::Transient).0, [""; 0]);
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.poll_recovered"]);
    assert_eq!(watch.describe(shown("InProgress")).0, [""; 0]);
    watch.fail(ErrorKind::Transient);
    assert_eq!(watch.describe(shown("InProgress")).0, [""; 0], "one failure was never told");
}

/// It counted for the next poll of the process that was told; a new one each time must not make each failure worth a
/// commit.
#[test]
fn the_hint_when_to_ask_again_is_not_kept() {
    let mut watch = Watch::new();
    let throttled = |seconds| {
        let error = PollError::new(ErrorKind::Throttled, "throttled");
        Outcome::Failed(PollError { retry_after: Some(Duration::from_secs(seconds)), ..error })
    };
    for seconds in [30, 20, 10] {
        watch.answer(throttled(seconds));
    }
    let (tick, before) = (Tick::from_start(watch.now), watch.track.clone());
    let kept = before.stored(tick, watch.wall()).failing;
    assert_eq!(kept.map(|failing| failing.error.retry_after), Some(None));
    let observation = Observation { sent: tick, arrived: tick, at: watch.wall(), outcome: throttled(5) };
    assert_eq!(before.step(&watch.job, observation).memory, Memory::Holds);
}

#[test]
fn a_denied_answer_counts_at_the_second_time() {
    let mut watch = Watch::new();
    assert_eq!(watch.fail(ErrorKind::Denied), (vec![], Pace::AskAgain(ASK_AGAIN)));
    assert_eq!(
        watch.fail(ErrorKind::Denied),
        (vec!["job.poll_failed", "job.access_denied"], Pace::Refused(Verdict::AccessDenied))
    );
    assert_eq!(watch.fail(ErrorKind::Denied), (vec![], Pace::Refused(Verdict::AccessDenied)));
    assert_eq!(watch.describe(shown("Created")).0, ["job.first_seen", "job.poll_recovered"]);
}

#[test]
fn not_found_counts_after_its_grace() {
    let mut watch = Watch::new();
    assert_eq!(watch.fail(ErrorKind::NotFound), (vec![], Pace::Grow));
    assert_eq!(watch.fail(ErrorKind::NotFound), (vec!["job.poll_failed"], Pace::Grow));
    watch.now = 29 * SECOND;
    assert_eq!(watch.fail(ErrorKind::NotFound), (vec![], Pace::Grow));
    assert_eq!(watch.fail(ErrorKind::NotFound), (vec!["job.not_found"], Pace::Refused(Verdict::NotFound)));
}

#[test]
fn an_invalid_question_is_asked_once_more_and_then_refused() {
    let mut watch = Watch::new();
    assert_eq!(watch.fail(ErrorKind::Invalid).1, Pace::AskAgain(ASK_AGAIN));
    assert_eq!(watch.fail(ErrorKind::Invalid), (vec!["job.poll_failed"], Pace::Refused(Verdict::Invalid)));
}

#[test]
fn the_sample_answer_of_the_api_page_needs_no_date() {
    let mut watch = Watch::new();
    let mut sample = counted("Succeeded", 99, 0, 1);
    sample.created_at = None;
    sample.job_name = None;
    watch.describe(sample);
    let JobFact::Completed { verdict, elapsed, .. } = watch.last_fact() else { panic!("not completed") };
    assert_eq!((*verdict, *elapsed), (Verdict::TooManyFailedUsers, None));
}

#[test]
fn ids_are_the_same_for_every_observer_of_the_same_fact() {
    let (mut one, mut other) = (Watch::new(), Watch::new());
    other.now = 5 * MINUTE;
    for watch in [&mut one, &mut other] {
        watch.describe(shown("InProgress"));
        watch.describe(counted("Succeeded", 3, 0, 2));
    }
    let ids = |watch: &Watch, instance: u128| -> Vec<_> {
        watch.told.iter().map(|event| event.id(uuid::Uuid::from_u128(instance))).collect()
    };
    assert_eq!(ids(&one, 1), ids(&other, 2));
    let mut all = ids(&one, 1);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), one.told.len(), "and differ between facts");
}

#[test]
fn an_observers_own_facts_have_ids_of_their_own() {
    let mut watch = Watch::new();
    watch.fail(ErrorKind::Transient);
    watch.fail(ErrorKind::Transient);
    let event = watch.told.last().unwrap();
    assert_ne!(event.id(uuid::Uuid::from_u128(1)), event.id(uuid::Uuid::from_u128(2)));
    assert_eq!(event.key(uuid::Uuid::nil())[0], "job.poll_failed");
}

#[test]
fn it_is_known_since_when_a_job_is_as_it_is_and_cannot_be_seen() {
    let mut watch = Watch::new();
    watch.fail(ErrorKind::Transient);
    assert_eq!((watch.track.changed(), watch.track.failing_since()), (None, Some(watch.wall())));
    watch.describe(shown("Pending"));
    let pending = watch.wall();
    watch.describe(shown("Pending"));
    assert_eq!((watch.track.changed(), watch.track.failing_since()), (Some(pending), None));
    watch.fail(ErrorKind::Throttled);
    let failed = watch.wall();
    watch.fail(ErrorKind::Transient);
    assert_eq!((watch.track.changed(), watch.track.failing_since()), (Some(pending), Some(failed)));
    watch.describe(counted("Pending", 1, 0, 0));
    assert_eq!((watch.track.changed(), watch.track.failing_since()), (Some(watch.wall()), None));
}

mod memory;
mod order;
mod progress;
mod properties;
