use proptest::prelude::*;

use super::*;
use crate::domain::{ErrorKind, Limit};

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
            name: None,
            account: None,
            policy: Arc::new(policy),
            progress_interval: 30 * SECOND,
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
    watch.now = 23 * 60 * MINUTE;
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
        watch.job.policy = Arc::new(JobPolicy { deadline: Some(minutes * MINUTE), ..JobPolicy::default() });
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
    watch.job.policy = Arc::new(JobPolicy { deadline: Some(5 * MINUTE), ..JobPolicy::default() });
    assert_eq!(watch.describe(shown("InProgress")).0, ["job.warning"], "another one");
}

#[test]
fn a_plateau_is_measured_by_the_services_clock() {
    let date = |minutes: u32| Some(Timestamp::from_millis(1_700_000_000_000).plus(minutes * MINUTE));
    let seen = |minutes| Outcome::Seen { snapshot: shown("InProgress"), date: date(minutes), by: AskedBy::Describe };
    let mut watch = Watch::new();
    watch.answer(seen(0));
    // Ours ran ahead, across a restart too.
    watch.now += 300 * MINUTE;
    assert_eq!(watch.answer(seen(1)).0, [""; 0]);
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
    watch.now += 30 * SECOND;
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

/// What may come back from a poll.
fn outcomes() -> impl Strategy<Value = (Outcome, u64, bool)> {
    let status = prop_oneof![
        Just("Created"),
        Just("Pending"),
        Just("InProgress"),
        Just("Stopping"),
        Just("Stopped"),
        Just("Succeeded"),
        Just("Failed"),
        Just("Expired"),
        Just("Paused"),
        Just("Draining"),
        Just(""),
    ];
    let seen = (status, 0_u64..5, 0_u64..5, 0_u64..5, any::<bool>(), prop::option::of(0_i64..200_000)).prop_map(
        |(status, imported, skipped, failed, by_list, age)| Outcome::Seen {
            snapshot: JobSnapshot {
                created_at: age.map(|age| Timestamp::from_millis(1_700_000_000_000 - age * 1000)),
                ..counted(status, imported, skipped, failed)
            },
            date: None,
            by: if by_list { AskedBy::List } else { AskedBy::Describe },
        },
    );
    let failed = prop::sample::select(&ErrorKind::ALL[..]).prop_map(|kind| Outcome::Failed(PollError::new(kind, "no")));
    (prop_oneof![4 => seen, 1 => failed], 0_u64..2_000, prop::bool::weighted(0.1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// A process that remembers what the last one stored tells and asks what that one would have, whatever comes.
    #[test]
    fn a_restart_changes_nothing(
        answers in prop::collection::vec((outcomes(), any::<bool>()), 0..60), started in 0_u64..1_000
    ) {
        let with = |policy: &mut JobPolicy| {
            policy.deadline = Some(Duration::from_secs(3_600));
            policy.expected_users = Some(1_000);
        };
        let (mut one, mut other) = (Watch::with(with), Watch::with(with));
        // The monotonic clock of the other one, against the wall's: each process begins to count anew.
        let mut start = Duration::ZERO;
        for ((outcome, wait, _), restart) in answers {
            one.now += Duration::from_secs(wait);
            let (wall, tick) = (one.wall(), Tick::from_start(one.now - start));
            if restart {
                let stored = other.track.stored(tick, wall);
                start = one.now.saturating_sub(Duration::from_secs(started));
                other.track = JobTrack::restored(stored.clone(), Tick::from_start(one.now - start), wall);
                prop_assert_eq!(other.track.stored(Tick::from_start(one.now - start), wall), stored);
            }
            let before = one.track.clone();
            let (_, pace) = one.answer(outcome.clone());
            let told = one.told.split_off(0);
            let tick = Tick::from_start(one.now - start);
            let observation = Observation { sent: tick, arrived: tick, at: one.wall(), outcome };
            let step = other.track.step(&other.job, observation);
            prop_assert_eq!(&step.events, &told);
            prop_assert_eq!(step.pace, pace);
            prop_assert!(step.memory == Memory::OutOfDate || told.is_empty());
            prop_assert_eq!(step.memory == Memory::Holds, before.says_the_same_as(&one.track));
            other.track = step.next;
        }
    }

    /// The promise, against any answers in any order: each change told once, in a chain without a gap; each new
    /// high of FailedUsers told; the end told once and last; late answers change nothing.
    #[test]
    fn whatever_comes_the_facts_form_one_true_story(
        answers in prop::collection::vec(outcomes(), 0..60), max_failed in 0_u64..5
    ) {
        let mut watch = Watch::with(|policy| {
            policy.deadline = Some(Duration::from_secs(3_600));
            policy.max_failed_users = Limit::AtMost(max_failed);
        });
        let mut last_told: Option<JobStatus> = None;
        let mut highest_failed = 0;
        let mut over = false;
        let mut unknown = Vec::new();
        for (outcome, wait, late) in answers {
            if over { break; }
            watch.now += Duration::from_secs(wait);
            let told_before = watch.told.len();
            if late {
                let Some(newest) = watch.track.newest() else { continue };
                let sent = Tick::from_start(newest.as_duration().saturating_sub(Duration::from_millis(1)));
                let observation = Observation { sent, arrived: Tick::from_start(watch.now), at: watch.wall(), outcome };
                let step = watch.track.step(&watch.job, observation);
                prop_assert_eq!(step.pace, Pace::Unchanged);
                prop_assert!(step.events.is_empty() && step.next == watch.track);
                continue;
            }
            let before = watch.track.known().cloned();
            let (_, pace) = watch.answer(outcome.clone());
            let known = watch.track.known().cloned();
            let events = &watch.told[told_before..];

            // What is known changes only by an answer that shows it.
            if known != before {
                let Outcome::Seen { snapshot, .. } = &outcome else { panic!("a failure changed what is known") };
                prop_assert_eq!(known.as_ref(), Some(snapshot));
            }
            for event in events {
                match &event.fact {
                    JobFact::FirstSeen => {
                        prop_assert!(last_told.is_none());
                        last_told.clone_from(&event.status);
                    }
                    JobFact::StatusChanged { previous } => {
                        prop_assert_eq!(Some(previous), last_told.as_ref());
                        prop_assert_ne!(&event.status, &last_told);
                        last_told.clone_from(&event.status);
                    }
                    JobFact::FailedUsers { previous, new } => {
                        prop_assert_eq!(*previous, highest_failed);
                        highest_failed = previous + new;
                        prop_assert_eq!(Some(highest_failed), event.counts.map(|counts| counts.failed));
                    }
                    JobFact::Completed { verdict, .. } => {
                        prop_assert_eq!(pace, Pace::Over(*verdict));
                        prop_assert!(event.status.as_ref().is_some_and(JobStatus::is_terminal));
                    }
                    JobFact::Warning(WarningKind::UnknownStatus) => {
                        let status = event.status.clone().unwrap();
                        prop_assert!(!unknown.contains(&status));
                        unknown.push(status);
                    }
                    JobFact::Warning(WarningKind::StatusWentBack { previous }) => {
                        prop_assert_ne!(Some(previous), event.status.as_ref());
                    }
                    JobFact::Progress { .. } | JobFact::Warning(_) | JobFact::PollFailed { .. }
                    | JobFact::PollRecovered { .. } | JobFact::NotFound { .. } | JobFact::AccessDenied { .. } => {}
                }
            }
            // What was told is what is known.
            prop_assert_eq!(last_told.as_ref(), known.as_ref().map(|known| &known.status));
            if let Some(known) = &known {
                prop_assert!(known.counts.failed <= highest_failed);
            }
            over = matches!(pace, Pace::Over(_));
            let completions = watch.told.iter().filter(|e| matches!(e.fact, JobFact::Completed { .. })).count();
            prop_assert_eq!(completions, usize::from(over));
        }
    }

    /// Any accepted answer is never asked for again, and any doubted one is: nothing is dropped in silence.
    #[test]
    fn an_answer_is_accepted_or_asked_for_again(answers in prop::collection::vec(outcomes(), 0..40)) {
        let mut watch = Watch::new();
        for (outcome, wait, _) in answers {
            watch.now += Duration::from_secs(wait);
            let (_, pace) = watch.answer(outcome.clone());
            if let Outcome::Seen { snapshot, .. } = outcome {
                let accepted = watch.track.known() == Some(&snapshot);
                prop_assert!(accepted || matches!(pace, Pace::AskAgain(_)));
            }
            if matches!(pace, Pace::Over(_)) { break; }
        }
    }
}
