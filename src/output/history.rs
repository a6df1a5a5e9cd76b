//! The result of `history`: the event lines as they were told, or a table.
//!
//! Called by `history` with what the state file holds.

use super::table::{Column, table};
use crate::sink::{RenderedEvent, level};

/// Adds the line of an event, byte for byte as it was told.
pub fn line(event: &RenderedEvent, text: &mut String) {
    text.push_str(&event.line);
    text.push('\n');
}

/// The rows of a table of events, in UTC.
#[derive(Debug, Default)]
pub struct Rows(Vec<Vec<String>>);

impl Rows {
    /// Adds an event.
    pub fn push(&mut self, event: &RenderedEvent) {
        let time = event.at.to_string().chars().take(19).collect::<String>().replace('T', " ");
        self.0.push(vec![
            time,
            level::word(event.level).to_owned(),
            event.subject.to_string(),
            event.phrase.to_string(),
        ]);
    }

    /// The table.
    #[must_use]
    pub fn text(self, columns: Option<usize>) -> String {
        if self.0.is_empty() {
            return "no events are recorded\n".to_owned();
        }
        table(&["TIME", "LEVEL", "JOB", "EVENT"].map(Column::words), self.0, columns)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sink::samples::job_events;

    #[test]
    fn each_event_is_a_line_as_it_was_told_or_a_row() {
        let events: Vec<_> = job_events("nightly").iter().map(|event| RenderedEvent::of(event, Uuid::nil())).collect();
        let (mut lines, mut rows) = (String::new(), Rows::default());
        for event in &events {
            line(event, &mut lines);
            rows.push(event);
        }
        assert!(lines.lines().eq(events.iter().map(|event| &*event.line)) && lines.ends_with('\n'));
        let rows = rows.text(None);
        assert_eq!(rows.lines().count(), events.len() + 1);
        assert!(rows.lines().nth(1).is_some_and(|row| row.starts_with("2026-11-22 17:03:22  info ")), "{rows}");
        assert_eq!(Rows::default().text(Some(80)), "no events are recorded\n");
    }
}
