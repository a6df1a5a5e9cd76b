//! Files that are wrong, locked, older or newer.

use super::super::{open, schema};
use super::*;

fn refused(place: &Place) -> String {
    FileLedger::open(&place.settings()).map(|_| "opened".to_owned()).unwrap_or_else(|error| error.to_string())
}

/// A state file with one record in it.
fn written() -> Place {
    let place = Place::new();
    let mut ledger = place.open().ledger;
    ledger.start(Vec::new(), |_| {}).unwrap();
    ledger.record(record("a", 1));
    Box::new(ledger).close(PATIENCE);
    place
}

#[test]
fn one_process_uses_a_file_and_its_number_is_told() {
    let place = Place::new();
    let first = place.open();
    let words = format!("in use by process {}", std::process::id());
    assert!(refused(&place).contains(&words), "{}", refused(&place));
    drop(first);
    assert_eq!(refused(&place), "opened");
}

#[test]
fn an_older_file_is_brought_up_to_date_and_kept_aside() {
    let place = written();
    let steps = [schema::STEPS[0], "ALTER TABLE jobs ADD COLUMN colour TEXT"];
    drop(open::connect(&place.path(), &steps).unwrap());
    let connection = open::connect(&place.path(), &steps).unwrap();
    assert_eq!(schema::version(&connection).unwrap(), 2);
    let colours: i64 =
        connection.query_row("SELECT count(*) FROM jobs WHERE colour IS NULL", [], |row| row.get(0)).unwrap();
    assert_eq!(colours, 1);
    drop(connection);
    assert_eq!(history(&schema::copy_of(&place.path(), 1)), ["import-a 0"]);
    // This version knows the first schema.
    assert!(refused(&place).contains("its schema is 2, this version knows 1"), "{}", refused(&place));
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let place = written();
    let steps = [schema::STEPS[0], "DROP TABLE events; DROP TABLE no_such_table"];
    assert!(open::connect(&place.path(), &steps).is_err());
    assert_eq!(history(&place.path()), ["import-a 0"]);
    assert_eq!(place.open().jobs.len(), 1);
}

#[test]
fn a_row_that_was_never_written_is_damage() {
    for (damage, words) in [
        ("UPDATE jobs SET state = '{}'", "the state of a job: missing field"),
        ("UPDATE jobs SET job = 'x'", "not a job id"),
        ("UPDATE jobs SET verdict = 'odd'", "unknown verdict"),
        ("UPDATE jobs SET account = '1'", "twelve digits"),
        ("UPDATE meta SET value = 'x'", "no UUID"),
    ] {
        let place = written();
        rusqlite::Connection::open(place.path()).unwrap().execute_batch(damage).unwrap();
        let said = refused(&place);
        assert!(said.contains("is damaged") && said.contains(words), "{damage}: {said}");
        let settings = FileSettings { on_corrupt: OnCorrupt::SetAside, ..place.settings() };
        let opened = FileLedger::open(&settings).unwrap();
        assert!(opened.jobs.is_empty() && opened.set_aside.is_some_and(|aside| aside.exists()), "{damage}");
    }
}

#[test]
fn pages_that_are_damaged_are_found_when_the_file_is_opened() {
    let place = written();
    let mut bytes = std::fs::read(place.path()).unwrap();
    for byte in bytes.iter_mut().skip(4_096) {
        *byte = 0x5a;
    }
    std::fs::write(place.path(), bytes).unwrap();
    assert!(refused(&place).contains("is damaged"), "{}", refused(&place));
    let cut = written();
    let bytes = std::fs::read(cut.path()).unwrap();
    std::fs::write(cut.path(), &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused(&cut).contains("is damaged"), "{}", refused(&cut));
}

#[test]
fn an_empty_file_is_a_new_one_and_a_directory_is_none() {
    let place = Place::new();
    std::fs::write(place.path(), "").unwrap();
    assert_eq!(refused(&place), "opened");
    let place = Place::new();
    std::fs::create_dir(place.path()).unwrap();
    assert!(refused(&place).contains("cannot use the state file"), "{}", refused(&place));
}

#[test]
fn nobody_else_may_read_what_is_kept() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let place = written();
    // A name that is no text.
    let path = place.0.path().join(std::ffi::OsStr::from_bytes(b"\xff.db"));
    std::fs::rename(place.path(), &path).unwrap();
    drop(open::connect(&path, &[schema::STEPS[0], "SELECT 1"]).unwrap());
    let copy = schema::copy_of(&path, 1);
    assert_eq!(history(&copy), ["import-a 0"]);
    for path in [path, copy] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}
