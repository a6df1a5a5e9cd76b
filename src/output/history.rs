//! The result of `history`: the event lines as they were told, or a table.
//!
//! Called by `history` with what the state file holds.

use super::table::{Column, table};
use crate::sink::{RenderedEvent, level};

/// The lines of the events, byte for byte as they were told.
#[must_use]
pub fn json(events: &[RenderedEvent]) -> String {
    events.iter().flat_map(|event| [&*event.line, "\n"]).collect()
}

/// A table with a row for each event, in UTC.
#[must_use]
pub fn text(events: &[RenderedEvent], columns: Option<usize>) -> String {
    if events.is_empty() {
        return "no events are recorded\n".to_owned();
    }
    let head = ["TIME", "LEVEL", "JOB", "EVENT"].map(Column::words);
    let rows = events.iter().map(|event| {
        let time = event.at.to_string().chars().take(19).collect::<String>().replace('T', " ");
        vec![time, level::word(event.level).to_owned(), event.subject.to_string(), event.phrase.to_string()]
    });
    table(&head, rows.collect(), columns)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sink::samples::job_events;

    #[test]
    fn each_event_is_a_line_as_it_was_told_or_a_row() {
        let events: Vec<_> = job_events("nightly").iter().map(|event| RenderedEvent::of(event, Uuid::nil())).collect();
        let lines = json(&events);
        assert!(lines.lines().eq(events.iter().map(|event| &*event.line)) && lines.ends_with('\n'));
        let rows = text(&events, None);
        assert_eq!(rows.lines().count(), events.len() + 1);
        assert!(rows.lines().nth(1).is_some_and(|row| row.starts_with("2026-11-22 17:03:22  info ")), "{rows}");
        assert_eq!((json(&[]).as_str(), text(&[], Some(80)).as_str()), ("", "no events are recorded\n"));
    }
}
