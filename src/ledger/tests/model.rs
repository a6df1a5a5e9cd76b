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
    let batch = state.batch(usize::MAX);
    assert_eq!(state.written(&batch), 0, "they had nothing to tell");
}

#[test]
fn of_too_many_events_that_wait_to_be_written_the_oldest_told_are_let_go_and_counted() {
    let mut state = State::new(limits(), 0);
    state.add_outlet("log", 0, Vec::new(), 0);
    state.health = Health::Unwritable;
    for round in 0..25_000_u32 {
        state.record(record(&(round % 5).to_string(), 2));
        if round < 20_000 {
            let last = state.tellable(0, 100).last().unwrap().seq;
            state.taken(0, last);
        }
    }
    assert!(state.pending.len() <= 10_001, "{}", state.pending.len());
    let batch = state.batch(usize::MAX);
    let kept: Vec<i64> = batch.changes.iter().map(|pending| pending.last).collect();
    assert!(kept.is_sorted() && kept.last() == Some(&50_000));
    // What nobody was told is there.
    assert!((20_001..=25_000).all(|change| kept.binary_search(&(change * 2)).is_ok()));
    let missing = state.written(&batch);
    assert_eq!(missing, 50_000 - 2 * u64::try_from(kept.len()).unwrap());
    assert!(missing > 0);
    let nothing = state.batch(usize::MAX);
    assert_eq!(state.written(&nothing), 0, "counted once");
}

#[test]
fn what_is_let_go_while_it_is_being_written_is_not_missing() {
    let mut state = State::new(limits(), 0);
    state.add_outlet("log", 0, Vec::new(), 0);
    state.health = Health::Unwritable;
    let tell = |state: &mut State, rounds: u32| {
        for round in 0..rounds {
            state.record(record(&(round % 5).to_string(), 2));
            let last = state.tellable(0, 100).last().unwrap().seq;
            state.taken(0, last);
        }
    };
    // A write of the first hundred is under way while the rest comes.
    tell(&mut state, 9_000);
    let batch = state.batch(100);
    tell(&mut state, 2_000);
    assert!(state.pending.front().unwrap().ticket > 100, "they are let go");
    let (first, rest) = (state.written(&batch), state.batch(usize::MAX));
    let kept = batch.changes.len() + rest.changes.len();
    assert_eq!(first + state.written(&rest), 2 * u64::try_from(11_000 - kept).unwrap());
    assert!(first > 0, "others are");
}

#[test]
fn what_a_sink_still_waits_for_is_not_let_go() {
    let mut state = State::new(limits(), 0);
    state.add_outlet("log", 0, Vec::new(), 0);
    state.health = Health::Unwritable;
    for round in 0..11_500_u32 {
        state.record(record(&(round % 5).to_string(), 1));
    }
    let batch = state.batch(usize::MAX);
    assert_eq!((batch.changes.len(), state.written(&batch)), (11_500, 0));
}

/// A state whose sink is told everything there is at once.
fn telling(limits: Limits, events: usize) -> (State, i64) {
    let mut state = State::new(limits, 0);
    state.add_outlet("log", 0, Vec::new(), 0);
    state.record(record("a", events));
    let batch = state.batch(usize::MAX);
    state.written(&batch);
    let last = state.tellable(0, 100).last().unwrap().seq;
    state.telling(0, last);
    (state, last)
}

#[test]
fn a_sink_that_is_stuck_keeps_no_more_than_its_bound_beside_what_it_is_being_told() {
    let (mut state, _) = telling(Limits { outbox_events: 150, ..limits() }, 100);
    for _ in 0..1_000 {
        state.record(record("b", 1));
        let batch = state.batch(usize::MAX);
        state.written(&batch);
        state.bound(0);
    }
    assert_eq!((state.outlets[0].queue.len(), state.outlets[0].dropped), (150, 950));
    assert_eq!(state.outlets[0].cursor, 0, "what it is being told may be told again");
    // It took them after all: what was dropped is behind it too.
    state.taken(0, 100);
    assert_eq!(state.outlets[0].cursor, 1_050);
    assert_eq!(state.tellable(0, 1).last().map(|untold| untold.seq), Some(1_051));
}

#[test]
fn what_a_stuck_sink_refuses_after_all_is_told_again() {
    let (mut state, _) = telling(Limits { outbox_events: 150, ..limits() }, 100);
    state.record(record("b", 100));
    let batch = state.batch(usize::MAX);
    state.written(&batch);
    state.bound(0);
    assert_eq!((state.outlets[0].queue.len(), state.outlets[0].dropped), (150, 50));
    state.refused(0);
    assert_eq!((state.outlets[0].cursor, state.tellable(0, 1)[0].seq), (0, 1));
    state.taken(0, 100);
    assert_eq!((state.outlets[0].cursor, state.tellable(0, 1)[0].seq), (150, 151));
}

#[test]
fn nothing_can_be_written_or_told_and_still_no_more_than_the_bounds_is_kept() {
    let (mut state, _) = telling(Limits { outbox_events: 150, ..limits() }, 100);
    state.health = Health::Unwritable;
    for number in 0..15_000_u32 {
        state.record(record(&(number % 5).to_string(), 1));
        state.bound(0);
    }
    assert_eq!(state.outlets[0].queue.len(), 150);
    assert!(state.pending.len() <= 10_001, "{}", state.pending.len());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_hangs_is_noticed_after_ten_seconds_whether_it_holds_events_or_not() {
    for events in [0, 1] {
        let mut state = State::new(limits(), 0);
        state.add_outlet("log", 0, Vec::new(), 0);
        let ticket = state.record(record("a", events));
        tokio::time::advance(Duration::from_secs(5)).await;
        state.record(record("b", 1));
        let at = state.impatient_at().unwrap();
        assert_eq!(at - tokio::time::Instant::now(), Duration::from_secs(5));
        assert_eq!(state.tellable(0, 10).len(), 0);
        tokio::time::advance(Duration::from_secs(5)).await;
        state.health = Health::Unwritable;
        assert_eq!((state.impatient_at(), state.tellable(0, 10).len()), (None, events + 1));
        // Where it can be told to nobody either, polling goes on all the same.
        assert_eq!(state.settled(), ticket);
        // The write ends well after all, and what came meanwhile is not late by that.
        let batch = state.batch(1);
        state.written(&batch);
        assert_eq!(state.impatient_at().unwrap() - tokio::time::Instant::now(), Duration::from_secs(10));
        let batch = state.batch(usize::MAX);
        state.written(&batch);
        assert_eq!((state.settled(), state.impatient_at()), (ticket + 1, None));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_told_before_the_start_ages_from_then_on_whatever_our_clock_says() {
    let mut state = State::new(Limits { outbox_age: Duration::from_secs(60), ..limits() }, 2);
    let event = record("a", 1).events.remove(0);
    let untold = [(1, RenderedEvent { at: Timestamp::from_millis(0), ..event.clone() }), (2, event)];
    state.add_outlet("log", 0, untold.into(), 0);
    state.bound(0);
    assert_eq!(state.tellable(0, 10).len(), 2);
    tokio::time::advance(Duration::from_secs(61)).await;
    state.bound(0);
    assert_eq!((state.tellable(0, 10).len(), state.outlets[0].dropped), (0, 2));
}

#[test]
fn the_earlier_of_two_clocks_is_trusted() {
    let mut state = State::new(limits(), 0);
    assert_eq!(state.trusted(NOW), None, "no answer yet");
    let hour = Duration::from_secs(3_600);
    state.record(record("a", 0));
    state.record(Record { date: None, ..record("a", 0) });
    state.record(Record { date: Some(NOW.minus(hour)), urgency: Urgency::Whenever, ..record("a", 0) });
    assert_eq!(state.trusted(NOW.plus(hour)), Some(NOW));
    assert_eq!(state.trusted(NOW.minus(hour * 5)), Some(NOW.minus(hour * 5)));
}
