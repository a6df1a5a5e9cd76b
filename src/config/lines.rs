//! The lines and sections of a text, found once and then looked up.
//! Used where offsets become places for people, and where a broken line explains what stands near it.

use std::ops::Range;

/// Where the lines and sections of one text begin.
pub(super) struct Lines {
    length: usize,
    /// The first byte of each line.
    lines: Vec<usize>,
    /// The first byte of each line that opens a table, after that of the text.
    sections: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let mut lines = Vec::new();
        let mut sections = vec![0];
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            lines.push(start);
            if start > 0 && line.trim_start().starts_with('[') {
                sections.push(start);
            }
            start += line.len();
        }
        if text.is_empty() || text.ends_with('\n') {
            lines.push(start);
        }
        Self { length: text.len(), lines, sections }
    }

    /// The number of the line that holds an offset, from 1.
    pub(super) fn number(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// The line that holds an offset, with its end.
    pub(super) fn line(&self, offset: usize) -> Range<usize> {
        around(&self.lines, offset, self.length)
    }

    /// The section that holds an offset: from its header up to the next one.
    pub(super) fn section(&self, offset: usize) -> Range<usize> {
        around(&self.sections, offset, self.length)
    }

    /// The first byte of each section.
    pub(super) fn sections(&self) -> impl Iterator<Item = usize> {
        self.sections.iter().copied()
    }
}

fn around(starts: &[usize], offset: usize, length: usize) -> Range<usize> {
    let next = starts.partition_point(|start| *start <= offset);
    let start = next.checked_sub(1).and_then(|at| starts.get(at)).copied().unwrap_or(0);
    start..starts.get(next).copied().unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_finds_its_line_and_its_section() {
        let text = "a = 1\r\n[b]\nc = 2\n\n [[d]]";
        let lines = Lines::of(text);
        let at = |piece: &str| text.find(piece).unwrap();
        let line = |piece: &str| (lines.number(at(piece)), &text[lines.line(at(piece))]);
        assert_eq!(line("= 1"), (1, "a = 1\r\n"));
        assert_eq!(line("c ="), (3, "c = 2\n"));
        assert_eq!(line("d"), (5, " [[d]]"));
        assert_eq!(lines.number(text.len()), 5);
        assert_eq!(&text[lines.section(0)], "a = 1\r\n");
        assert_eq!(&text[lines.section(at("2"))], "[b]\nc = 2\n\n");
        assert_eq!(&text[lines.section(text.len())], " [[d]]");
    }

    #[test]
    fn the_end_of_a_text_that_ends_its_last_line_is_a_line_of_its_own() {
        assert_eq!((Lines::of("").number(0), Lines::of("").line(0)), (1, 0..0));
        assert_eq!((Lines::of("a\n").number(2), Lines::of("a\n").line(2)), (2, 2..2));
    }
}
