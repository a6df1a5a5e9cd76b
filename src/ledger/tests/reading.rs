//! Readers beside a daemon that runs, starts or has ended.

use super::*;

/// A state file with a job and its events in it, whose daemon has ended.
fn ended(events: usize) -> Place {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    ledger.record(record("a", events));
    Box::new(ledger).close(PATIENCE);
    place
}

/// What is in the directory of the file.
fn names(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.0.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_reader_leaves_nothing_beside_the_file_of_a_daemon_that_has_ended() {
    let place = ended(1);
    let before = names(&place);
    assert!(before.iter().all(|name| !name.ends_with("-wal") && !name.ends_with("-shm")), "{before:?}");
    let reader = Reader::open(&place.path()).unwrap();
    assert_eq!(reader.jobs().unwrap().len(), 1);
    assert_eq!(names(&place), before, "while it is read");
    drop(reader);
    assert_eq!(history(&place.path()), ["import-a 0"]);
    assert_eq!(names(&place), before);
}

#[test]
fn a_reader_sees_what_a_daemon_writes_that_starts_after_it() {
    let place = ended(1);
    let opened = || Reader::open(&place.path()).unwrap();
    let (beside, after) = (opened(), opened());
    let read = |reader: &Reader| reader.jobs().unwrap().len();
    assert_eq!((read(&beside), read(&after)), (1, 1));
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    let ticket = ledger.record(record("b", 1));
    while !ledger.is_settled(ticket) {
        std::thread::yield_now();
    }
    assert_eq!(read(&beside), 2);
    drop(beside);
    Box::new(ledger).close(PATIENCE);
    assert_eq!(read(&after), 2);
}

#[test]
fn a_reader_by_a_link_sees_what_is_not_in_the_file_itself_yet() {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    let ticket = ledger.record(record("a", 1));
    while !ledger.is_settled(ticket) {
        std::thread::yield_now();
    }
    let link = place.0.path().join("link.db");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    assert_eq!(history(&link), ["import-a 0"]);
    Box::new(ledger).close(PATIENCE);
}

#[test]
fn a_history_of_many_reads_is_whole_in_its_order_and_ends_when_it_is_told_to() {
    // Twice as many as are read at once, and then one more.
    for events in [2_000, 2_001] {
        let place = ended(events);
        let expected: Vec<String> = (0..events).map(|number| format!("import-a {number}")).collect();
        assert_eq!(history(&place.path()), expected);
    }
    let place = ended(1_500);
    let mut taken = 0;
    let mut take = |_| {
        taken += 1;
        taken < 1_200
    };
    Reader::open(&place.path()).unwrap().history(&Filter::default(), &mut take).unwrap();
    assert_eq!(taken, 1_200);
}
