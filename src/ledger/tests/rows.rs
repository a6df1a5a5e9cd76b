//! A job's state as text, and the statements.

use std::collections::BTreeMap;

use cognito_import_watch_core::domain::track::{Mark, StoredFailure};
use cognito_import_watch_core::domain::{ErrorKind, PollError};
use proptest::prelude::*;

use super::super::{open, row, schema, store};
use super::*;

fn times() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn counts() -> impl Strategy<Value = Counts> {
    any::<[u64; 3]>().prop_map(|[imported, skipped, failed]| Counts { imported, skipped, failed })
}

fn texts() -> impl Strategy<Value = Box<str>> {
    any::<String>().prop_map(Into::into)
}

prop_compose! {
    fn snapshots()(
        job_name in prop::option::of(texts()), status in ".{0,12}|Created|Failed", counts in counts(),
        created_at in prop::option::of(times()), started_at in prop::option::of(times()),
        completed_at in prop::option::of(times()), completion_message in prop::option::of(texts()),
        account in prop::option::of("[0-9]{12}")
    ) -> JobSnapshot {
        JobSnapshot {
            job_name, status: JobStatus::from_wire(&status), counts, created_at, started_at, completed_at,
            completion_message, account: account.map(|account| account.parse().unwrap()),
        }
    }
}

prop_compose! {
    fn failures()(
        since in times(), kind in prop::sample::select(&ErrorKind::ALL[..]), message in any::<String>(),
        streak in 1_u32..3, told in prop::collection::vec(prop::sample::select(&ErrorKind::ALL[..]), 0..3),
        not_found in prop::option::of(times()),
        refused_told in prop::collection::vec(prop::sample::select(&ErrorKind::ALL[..]), 0..3)
    ) -> StoredFailure {
        StoredFailure { since, error: PollError::new(kind, message), streak, told, not_found, refused_told }
    }
}

prop_compose! {
    fn tracks()(
        known in prop::option::of(snapshots()), failed_told in any::<u64>(), high_rank in any::<u8>(),
        marks in prop::collection::vec(prop::sample::select(&Mark::ALL[..]), 0..5), progress in (times(), counts()),
        pace_from in prop::option::of((times(), any::<u64>())), changed in times(),
        last_good in prop::option::of(times()), unknown_told in prop::collection::vec(texts(), 0..3),
        deadlines_told in prop::collection::vec(any::<u64>(), 0..3), failing in prop::option::of(failures())
    ) -> StoredTrack {
        StoredTrack {
            known, failed_told, high_rank, marks, progress, pace_from, changed, last_good, unknown_told,
            deadlines_told, failing,
        }
    }
}

proptest! {
    #[test]
    fn a_state_is_read_as_it_was_written(track in tracks()) {
        prop_assert_eq!(row::read(&row::write(&track)), Ok(track));
    }

    #[test]
    fn no_text_is_more_than_wrong(text in ".{0,200}") {
        drop(row::read(&text));
    }

    /// Valid JSON with one thing changed is read or refused, never misread into a panic.
    #[test]
    fn a_state_with_a_byte_changed_is_read_or_refused(track in tracks(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = row::write(&track).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(row::read(&String::from_utf8_lossy(&bytes)));
    }
}

#[test]
fn only_events_that_every_sink_took_are_removed_the_oldest_first_and_no_job() {
    let place = Place::new();
    let mut connection = open::connect(&place.path(), schema::STEPS).unwrap();
    let told = record("a", 1).events.remove(0);
    let day = Duration::from_secs(86_400);
    let events = (1..=10).map(|number| {
        let at = NOW.plus(day * u32::try_from(number).unwrap());
        (number, Arc::new(RenderedEvent { at, ..numbered(&told, usize::try_from(number).unwrap()) }))
    });
    let change = store::Change::Job(Box::new(record("a", 0)), events.collect());
    store::write(&mut connection, [&change], &BTreeMap::new(), &BTreeMap::new()).unwrap();
    let left = |connection: &rusqlite::Connection| {
        store::untold(connection, 0, 100).unwrap().0.iter().map(|(seq, _)| *seq).collect::<Vec<_>>()
    };
    assert_eq!(store::remove_events(&connection, 0, Some(NOW.plus(day * 100)), 1).unwrap(), 0);
    assert_eq!(
        store::remove_events(&connection, 10, Some(NOW.plus(day * 3)), 100).unwrap(),
        2,
        "older than three days"
    );
    assert_eq!(left(&connection), [3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(
        store::remove_events(&connection, 6, Some(NOW), 2).unwrap(),
        4,
        "two are to stay, and four are not told"
    );
    assert_eq!(left(&connection), [7, 8, 9, 10]);
    assert_eq!(store::jobs(&connection).unwrap().len(), 1);
}

#[test]
fn numbers_go_on_where_they_were_though_every_event_is_gone() {
    let place = Place::new();
    let mut connection = open::connect(&place.path(), schema::STEPS).unwrap();
    let event = Arc::new(record("a", 1).events.remove(0));
    let change = store::Change::Job(Box::new(record("a", 0)), vec![(7, event)]);
    store::write(&mut connection, [&change], &BTreeMap::new(), &BTreeMap::from([("log", 7)])).unwrap();
    assert_eq!(store::remove_events(&connection, 7, Some(NOW.plus(Duration::from_secs(1))), 100).unwrap(), 1);
    assert_eq!(store::last_number(&connection).unwrap(), 7);
    // A cursor never goes back.
    store::write(&mut connection, [], &BTreeMap::new(), &BTreeMap::from([("log", 5)])).unwrap();
    assert_eq!(store::cursor(&connection, "log").unwrap(), Some(7));
}

#[test]
fn a_clock_that_was_wrong_for_a_while_costs_no_history() {
    let place = Place::new();
    let mut connection = open::connect(&place.path(), schema::STEPS).unwrap();
    let told = record("a", 1).events.remove(0);
    let year = Duration::from_secs(365 * 86_400);
    // By their own clock: long ago, now, before the epoch's first year, next year, now.
    let times = [NOW.minus(year), NOW, NOW.minus(year * 50), NOW.plus(year), NOW];
    let events = times.into_iter().zip(1..).map(|(at, seq)| (seq, Arc::new(RenderedEvent { at, ..told.clone() })));
    let change = store::Change::Job(Box::new(record("a", 0)), events.collect());
    store::write(&mut connection, [&change], &BTreeMap::new(), &BTreeMap::new()).unwrap();
    let month = Duration::from_secs(30 * 86_400);
    assert_eq!(store::remove_events(&connection, 5, None, 100).unwrap(), 0, "no time is known");
    assert_eq!(store::remove_events(&connection, 5, Some(NOW.minus(month)), 100).unwrap(), 1);
    let left = store::untold(&connection, 0, 100).unwrap().0;
    assert_eq!(left.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [2, 3, 4, 5]);
}
