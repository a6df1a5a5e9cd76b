//! Writes that fail, sinks that are slow or gone.

use super::super::{schema, testing};
use super::*;

/// Has every write of a job fail, or no longer.
fn forbid(path: &Path) {
    let sql = "CREATE TRIGGER no BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'forbidden'); END";
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn allow(path: &Path) {
    rusqlite::Connection::open(path).unwrap().execute_batch("DROP TRIGGER no").unwrap();
}

/// A ledger with one sink, and its notices.
fn started(place: &Place, delivery: Delivery) -> (Box<FileLedger>, Strings, Receiver<Notice>) {
    started_with(&place.settings(), delivery)
}

fn started_with(settings: &FileSettings, delivery: Delivery) -> (Box<FileLedger>, Strings, Receiver<Notice>) {
    let mut ledger = FileLedger::open(settings).unwrap().ledger;
    let (sink, strings) = puppet("log", delivery);
    let (send, notices) = channel();
    ledger.start(vec![sink], move |notice| drop(send.send(notice))).unwrap();
    (Box::new(ledger), strings, notices)
}

#[test]
fn what_cannot_be_written_is_told_once_from_memory_and_written_when_it_can_be() {
    let place = Place::new();
    let (mut ledger, strings, notices) = started(&place, Delivery::Taken);
    ledger.record(record("a", 1));
    assert_eq!(strings.next(), "import-a 0");
    forbid(&place.path());
    let ticket = ledger.record(record("b", 2));
    let Notice::Unwritable { error } = notices.recv_timeout(PATIENCE).unwrap() else { panic!("another notice") };
    assert!(error.contains("forbidden"), "{error}");
    let figures = ledger.figures();
    let now = figures.read();
    assert_eq!((now.health, now.changes_waiting), (Health::Unwritable, 1));
    assert_eq!([strings.next(), strings.next()], ["import-b 0", "import-b 1"]);
    // What was told counts as settled, and more is told at once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, ledger.settled(ticket)).await }).unwrap();
    ledger.record(record("c", 1));
    assert_eq!(strings.next(), "import-c 0");
    allow(&place.path());
    assert_eq!(notices.recv_timeout(PATIENCE).unwrap(), Notice::Writable { missing: 0 });
    ledger.close(PATIENCE);
    let then = figures.read();
    // It keeps what tells the notices.
    drop(figures);
    let waits = [("log", 0)];
    assert_eq!((then.health, then.changes_waiting, &*then.events_waiting), (Health::Good, 0, &waits[..]));
    assert!(then.commits > now.commits, "{} and then {}", now.commits, then.commits);
    assert_eq!((strings.rest().len(), notices.iter().count()), (0, 0), "nothing is told twice");
    assert_eq!(history(&place.path()), ["import-a 0", "import-b 0", "import-b 1", "import-c 0"]);
    assert_eq!(place.open().jobs.len(), 3);
    let (ledger, strings, _) = started(&place, Delivery::Taken);
    ledger.close(PATIENCE);
    assert_eq!(strings.rest(), [""; 0]);
}

#[test]
fn what_was_kept_and_not_told_is_told_the_next_time() {
    let place = Place::new();
    let (mut ledger, strings, _notices) = started(&place, Delivery::Taken);
    ledger.record(record("a", 2));
    assert_eq!([strings.next(), strings.next()], ["import-a 0", "import-a 1"]);
    strings.set(Delivery::Pending);
    ledger.record(record("b", 2));
    assert_eq!([strings.next(), strings.next()], ["import-b 0", "import-b 1"]);
    // It never says that it has them.
    ledger.close(Duration::from_millis(100));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let (ledger, strings, _notices) = loop {
        // The threads let go of the file when they end.
        match FileLedger::open(&place.settings()).map(drop) {
            Ok(()) => break started(&place, Delivery::Taken),
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
    };
    ledger.close(PATIENCE);
    let told = strings.rest();
    assert!(told.ends_with(&["import-b 0".to_owned(), "import-b 1".to_owned()]), "{told:?}");
}

#[test]
fn a_sink_that_takes_nothing_holds_up_neither_the_file_nor_another_sink() {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    let (slow, _slow) = puppet("slow", Delivery::Pending);
    let (good, strings) = puppet("good", Delivery::Taken);
    ledger.start(vec![slow, good], |_| {}).unwrap();
    for job in ["a", "b", "c"] {
        ledger.record(record(job, 1));
        assert_eq!(strings.next(), format!("import-{job} 0"));
    }
    assert_eq!(history(&place.path()).len(), 3);
    Box::new(ledger).close(Duration::ZERO);
}

#[test]
fn what_too_many_wait_for_is_dropped_and_counted() {
    let place = Place::new();
    let settings = FileSettings { limits: Limits { outbox_events: 3, ..limits() }, ..place.settings() };
    let (mut ledger, strings, notices) = started_with(&settings, Delivery::Refused);
    ledger.record(record("a", 10));
    assert_eq!(notices.recv_timeout(PATIENCE).unwrap(), Notice::Dropped { sink: "log", count: 7 });
    strings.set(Delivery::Taken);
    ledger.close(PATIENCE);
    let told = strings.rest();
    assert!(told.ends_with(&["import-a 7", "import-a 8", "import-a 9"].map(str::to_owned)), "{told:?}");
    assert_eq!(history(&place.path()).len(), 10, "they are in the history");
}

#[test]
fn a_new_sink_is_told_what_comes_and_not_what_was() {
    let place = Place::new();
    let (mut ledger, _strings, _) = started(&place, Delivery::Taken);
    ledger.record(record("a", 1));
    ledger.close(PATIENCE);
    let mut ledger = place.open().ledger;
    let (sink, strings) = puppet("webhook", Delivery::Taken);
    ledger.start(vec![sink], |_| {}).unwrap();
    ledger.record(record("b", 1));
    Box::new(ledger).close(PATIENCE);
    assert_eq!(strings.rest(), ["import-b 0"]);
}

#[test]
fn a_file_that_was_removed_is_begun_anew_and_that_is_told() {
    let place = Place::new();
    let (mut ledger, strings, notices) = started(&place, Delivery::Taken);
    let instance = ledger.instance();
    ledger.record(record("a", 1));
    assert_eq!(strings.next(), "import-a 0");
    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(schema::with_suffix(&place.path(), suffix)).unwrap();
    }
    ledger.record(record("b", 1));
    assert_eq!(strings.next(), "import-b 0");
    assert_eq!(notices.recv_timeout(PATIENCE).unwrap(), Notice::BegunAnew);
    ledger.close(PATIENCE);
    assert_eq!(history(&place.path()), ["import-b 0"]);
    let again = place.open();
    assert_eq!((again.ledger.instance(), again.jobs.len()), (instance, 1));
}

#[test]
fn what_nobody_took_before_the_file_was_removed_or_since_is_told_after_a_crash() {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    let ((stuck, stuck_strings), (good, good_strings)) =
        (puppet("log", Delivery::Pending), puppet("webhook", Delivery::Taken));
    let (send, notices) = channel();
    ledger.start(vec![stuck, good], move |notice| drop(send.send(notice))).unwrap();
    ledger.record(record("a", 2));
    assert_eq!([stuck_strings.next(), stuck_strings.next()], ["import-a 0", "import-a 1"]);
    assert_eq!([good_strings.next(), good_strings.next()], ["import-a 0", "import-a 1"]);
    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(schema::with_suffix(&place.path(), suffix)).unwrap();
    }
    ledger.record(record("b", 1));
    assert_eq!(notices.recv_timeout(PATIENCE).unwrap(), Notice::BegunAnew);
    let next = Place::new();
    testing::survives(&testing::hold(&place.path()), &place.path(), &next.path());
    Box::new(ledger).close(Duration::ZERO);
    assert_eq!(testing::cursors(&next.path()).len(), 2, "no sink is new");
    assert_eq!(history(&next.path()), ["import-a 0", "import-a 1", "import-b 0"]);
    let (mut ledger, strings, _notices) = started(&next, Delivery::Taken);
    ledger.record(record("c", 1));
    ledger.close(PATIENCE);
    assert_eq!(strings.rest(), ["import-a 0", "import-a 1", "import-b 0", "import-c 0"]);
}

#[test]
fn while_the_directory_is_gone_everything_is_told_and_when_it_is_back_the_file_is_begun_anew() {
    let place = Place::new();
    let directory = place.0.path().join("state");
    std::fs::create_dir(&directory).unwrap();
    let settings = FileSettings { path: directory.join("state.db"), ..place.settings() };
    let (mut ledger, strings, notices) = started_with(&settings, Delivery::Taken);
    ledger.record(record("a", 1));
    assert_eq!(strings.next(), "import-a 0");
    std::fs::remove_dir_all(&directory).unwrap();
    ledger.record(record("b", 1));
    assert_eq!(strings.next(), "import-b 0");
    assert!(matches!(notices.recv_timeout(PATIENCE), Ok(Notice::Unwritable { .. })));
    std::fs::create_dir(&directory).unwrap();
    assert_eq!(notices.recv_timeout(PATIENCE).unwrap(), Notice::Writable { missing: 0 });
    assert_eq!(notices.recv_timeout(PATIENCE).unwrap(), Notice::BegunAnew);
    ledger.record(record("c", 1));
    ledger.close(PATIENCE);
    assert_eq!(history(&settings.path), ["import-b 0", "import-c 0"]);
    assert_eq!((strings.rest(), notices.iter().count()), (vec!["import-c 0".to_owned()], 0));
}

#[test]
fn another_file_in_its_place_is_left_alone() {
    let place = Place::new();
    let (mut ledger, strings, notices) = started(&place, Delivery::Taken);
    ledger.record(record("a", 1));
    assert_eq!(strings.next(), "import-a 0");
    let other = place.0.path().join("other");
    std::fs::write(&other, "somebody's").unwrap();
    std::fs::rename(&other, place.path()).unwrap();
    ledger.record(record("b", 1));
    assert_eq!(strings.next(), "import-b 0", "from memory");
    let Ok(Notice::Unwritable { error }) = notices.recv_timeout(PATIENCE) else { panic!("another notice") };
    assert!(error.contains("another file is in its place"), "{error}");
    ledger.close(Duration::ZERO);
    assert_eq!(std::fs::read(place.path()).unwrap(), b"somebody's");
}
