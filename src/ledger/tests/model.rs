//! What the threads share, against any order of what they do.

use proptest::prelude::*;

use super::super::state::{Health, State};
use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A job changes, with so many events.
    Record(u8, usize),
    /// A poll shows nothing new.
    Seen(u8),
    /// A write succeeds, or fails for the third time.
    Write(usize),
    Fail,
    /// A sink takes what it may be told, but no more than so many.
    Tell(usize, usize),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..4, 0_usize..4).prop_map(|(job, events)| Step::Record(job, events)),
        2 => (0_u8..4).prop_map(Step::Seen),
        3 => (1_usize..5).prop_map(Step::Write),
        1 => Just(Step::Fail),
        4 => (0_usize..2, 1_usize..4).prop_map(|(outlet, most)| Step::Tell(outlet, most)),
    ]
}

proptest! {
    /// Each sink is told every event once and in order, none before it is written unless nothing can be; a record
    /// counts as settled only when it is written or told; at the end nothing is left.
    #[test]
    fn every_event_is_told_once_in_order_and_after_its_write(steps in prop::collection::vec(steps(), 0..80)) {
        let mut state = State::new(limits(), 0);
        state.add_outlet("one", 0, Vec::new(), 0);
        state.add_outlet("two", 0, Vec::new(), 0);
        let mut made: i64 = 0;
        let mut told: [Vec<i64>; 2] = [Vec::new(), Vec::new()];
        let mut tickets: Vec<(u64, i64)> = Vec::new();
        let mut written: i64 = 0;
        let mut settled = 0;
        let finish = [Step::Write(10_000), Step::Tell(0, 10_000), Step::Tell(1, 10_000), Step::Write(10_000)];
        for step in steps.into_iter().chain(finish) {
            match step {
                Step::Record(job, events) => {
                    made += i64::try_from(events).unwrap();
                    tickets.push((state.record(record(&job.to_string(), events)), made));
                }
                Step::Seen(job) => {
                    let seen = Record { urgency: Urgency::Whenever, ..record(&job.to_string(), 0) };
                    prop_assert_eq!(state.record(seen), 0);
                }
                Step::Write(most) => {
                    let batch = state.batch(most);
                    written = batch.changes.last().map_or(written, |pending| pending.last.max(written));
                    state.written(&batch);
                }
                Step::Fail => state.health = Health::Unwritable,
                Step::Tell(outlet, most) => {
                    let tellable = state.tellable(outlet, most);
                    for untold in &tellable {
                        prop_assert!(untold.seq <= written || state.health == Health::Unwritable);
                        told[outlet].push(untold.seq);
                    }
                    if let Some(last) = tellable.last() {
                        state.taken(outlet, last.seq);
                    }
                }
            }
            let now = state.settled();
            prop_assert!(now >= settled);
            settled = now;
            let everywhere = told.iter().map(|told| told.last().copied().unwrap_or(0)).min().unwrap();
            for (ticket, last) in &tickets {
                prop_assert!(*ticket > settled || *last <= written.max(everywhere), "ticket {} of {:?}", ticket, state);
            }
        }
        for told in told {
            prop_assert_eq!(told, (1..=made).collect::<Vec<_>>());
        }
        prop_assert!(state.is_drained());
    }
}

#[test]
fn a_burst_of_changes_is_one_write() {
    let mut state = State::new(limits(), 0);
    for job in 0..1_000 {
        state.record(record(&job.to_string(), 2));
    }
    assert_eq!(state.batch(5_000).changes.len(), 1_000);
}

#[test]
fn while_nothing_can_be_written_the_newest_state_of_each_job_is_what_stays() {
    let mut state = State::new(limits(), 0);
    state.health = Health::Unwritable;
    for round in 0..30_000_u32 {
        state.record(record(&(round % 5).to_string(), 0));
    }
    assert!(state.pending.len() <= 10_001, "{}", state.pending.len());
    let newest = state.pending.back().unwrap().ticket;
    assert_eq!(newest, 30_000);
}
