//! What holds for a job whatever answers come, in whatever order.

use proptest::prelude::*;

use super::*;
use crate::domain::Limit;

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
