use std::sync::mpsc::{Receiver, Sender, channel};

use super::super::capture::Paper;
use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

/// A reader that takes a line only when it is let to, and tells what it took.
struct SlowReader {
    let_go: Receiver<io::Result<()>>,
    taken: Sender<String>,
}

impl Screen for SlowReader {
    fn line(&mut self, line: &str) -> io::Result<()> {
        let outcome = self.let_go.recv().unwrap_or(Ok(()));
        self.taken.send(line.to_owned()).ok();
        outcome
    }

    fn frame(&mut self, lines: &[String]) -> io::Result<()> {
        self.line(&format!("frame {}", lines.join("|")))
    }
}

fn slow() -> (Printer, Sender<io::Result<()>>, Receiver<String>) {
    let (go, let_go) = channel();
    let (taken, lines) = channel();
    let printer = Printer::start(SlowReader { let_go, taken }, |count| format!("{count} dropped")).unwrap();
    (printer, go, lines)
}

#[test]
fn a_reader_that_never_reads_blocks_nobody_and_closing_has_a_deadline() {
    let (printer, _go, _lines) = slow();
    for number in 0..10 {
        printer.print(number.to_string(), Keep::Always);
    }
    assert_eq!(printer.close(Duration::from_millis(10)), Flushed::Not { waiting: 10 });
}

#[test]
fn what_may_be_dropped_is_dropped_when_too_much_waits_and_its_number_is_told() {
    let (printer, go, lines) = slow();
    printer.print("taken".to_owned(), Keep::Always);
    let in_flight_or_waiting = MOST_LINES_WAITING + 1;
    for _ in 0..in_flight_or_waiting + 20 {
        printer.print("diagnostic".to_owned(), Keep::WhereThereIsRoom);
    }
    for _ in 0..50 {
        printer.print("event".to_owned(), Keep::Always);
    }
    drop(go);
    assert_eq!(printer.close(PATIENCE), Flushed::Everything);
    let lines: Vec<String> = lines.iter().collect();
    assert_eq!(lines.iter().filter(|line| *line == "event").count(), 50);
    let diagnostics = lines.iter().filter(|line| *line == "diagnostic").count();
    assert!((MOST_LINES_WAITING - 1..=in_flight_or_waiting).contains(&diagnostics), "{diagnostics}");
    let dropped = in_flight_or_waiting + 20 - diagnostics;
    assert_eq!(lines.last(), Some(&format!("{dropped} dropped")));
    assert_eq!(printer.ever_dropped(), u64::try_from(dropped).unwrap(), "counted, and kept when the end is reached");
}

#[test]
fn of_what_is_always_kept_no_more_waits_than_memory_can_hold_and_who_asks_learns_of_the_rest() {
    let (printer, go, lines) = slow();
    for _ in 0..=MOST_EVENTS_WAITING {
        printer.print("event".to_owned(), Keep::Always);
    }
    let before = printer.mark();
    for _ in 0..30 {
        printer.print("event".to_owned(), Keep::Always);
    }
    let after = printer.mark();
    drop(go);
    assert_eq!(printer.wait_for(before, after, PATIENCE), Written::NotAll);
    assert_eq!(printer.close(PATIENCE), Flushed::Everything);
    let lines: Vec<String> = lines.iter().collect();
    let events = lines.iter().filter(|line| *line == "event").count();
    assert!((MOST_EVENTS_WAITING..=MOST_EVENTS_WAITING + 1).contains(&events), "{events}");
    assert_eq!(lines.last(), Some(&format!("{} dropped", MOST_EVENTS_WAITING + 31 - events)));
}

#[test]
fn nobody_reads_any_more_and_nothing_happens() {
    let (printer, go, lines) = slow();
    printer.print("first".to_owned(), Keep::Always);
    go.send(Err(ErrorKind::BrokenPipe.into())).unwrap();
    assert_eq!(lines.recv().unwrap(), "first");
    assert_eq!(lines.recv().ok(), None, "the thread has ended");
    for _ in 0..5 {
        printer.print("more".to_owned(), Keep::Always);
    }
    assert_eq!(printer.close(PATIENCE), Flushed::Everything);
}

#[test]
fn lines_lost_to_a_full_disk_are_told_when_there_is_room_again() {
    let (printer, go, lines) = slow();
    for line in ["a", "b", "c"] {
        printer.print(line.to_owned(), Keep::Always);
    }
    for outcome in [Err(ErrorKind::StorageFull.into()), Err(ErrorKind::StorageFull.into()), Ok(())] {
        go.send(outcome).unwrap();
    }
    drop(go);
    assert_eq!(printer.close(PATIENCE), Flushed::Everything);
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["a", "b", "c", "2 dropped"]);
}

#[test]
fn only_the_newest_frame_is_drawn_and_below_every_line() {
    let (printer, go, lines) = slow();
    printer.print("a".to_owned(), Keep::Always);
    for frame in 0..10 {
        printer.show(vec![format!("{frame}")]);
    }
    printer.print("b".to_owned(), Keep::Always);
    drop(go);
    assert_eq!(printer.close(PATIENCE), Flushed::Everything);
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["a", "b", "frame 9"]);
}

#[test]
fn who_asks_learns_when_lines_are_written_or_lost() {
    let (printer, go, lines) = slow();
    let start = printer.mark();
    printer.print("a".to_owned(), Keep::Always);
    let first = printer.mark();
    assert_eq!(printer.wait_for(start, first, Duration::ZERO), Written::NotYet);
    go.send(Ok(())).unwrap();
    assert_eq!(printer.wait_for(start, first, PATIENCE), Written::All);
    printer.print("b".to_owned(), Keep::Always);
    go.send(Err(ErrorKind::StorageFull.into())).unwrap();
    assert_eq!(printer.wait_for(first, printer.mark(), PATIENCE), Written::NotAll);
    let third = printer.mark();
    printer.print("c".to_owned(), Keep::Always);
    go.send(Err(ErrorKind::BrokenPipe.into())).unwrap();
    assert_eq!(printer.wait_for(third, printer.mark(), PATIENCE), Written::NotAll);
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn nothing_is_written_after_the_end() {
    let paper = Paper::default();
    let printer = Printer::start(PlainScreen(paper.clone()), |count| count.to_string()).unwrap();
    printer.print("a".to_owned(), Keep::Always);
    assert_eq!(printer.close(PATIENCE), Flushed::Everything);
    printer.print("b".to_owned(), Keep::Always);
    printer.show(vec!["c".to_owned()]);
    assert_eq!(printer.close(PATIENCE), Flushed::Everything);
    assert_eq!(paper.text(), "a\n");
}

#[test]
fn a_stream_that_is_full_for_a_moment_loses_nothing() {
    struct Hesitant(Vec<u8>, usize);
    impl Write for Hesitant {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            match self.1 % 3 {
                0 => Err(ErrorKind::WouldBlock.into()),
                1 => Err(ErrorKind::Interrupted.into()),
                _ => self.0.write(bytes.get(..1).unwrap_or_default()),
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut out = Hesitant(Vec::new(), 0);
    write_whole(&mut out, b"whole").unwrap();
    assert_eq!(out.0, b"whole");
}
