//! Makes text of others safe to print in one line, and fits text to columns of a terminal.
//!
//! Called wherever a name, a message or a status of the service reaches a terminal or a log in text form.

use std::time::Duration;

use cognito_import_watch_core::domain::Timestamp;
use unicode_width::UnicodeWidthStr as _;

/// The most characters of a text of others that are printed; the service's own names and messages have no more.
pub const MOST_CHARACTERS: usize = 128;

/// The most characters of an error in words of ours: it may say what was tried and what to do next.
pub const MOST_CHARACTERS_OF_AN_ERROR: usize = 1_024;

/// The text in one line: control characters and invisible ones escaped (`\n`, `\u{202e}`), cut at
/// [`MOST_CHARACTERS`] with `…`.
///
/// The second of two `#` is escaped as well: Azure Pipelines and GitHub's runner look for `##vso[` and `##[` anywhere in
/// a line and run what follows. What they look for at the beginning of a line (`::error::`) stays as it is,
/// for no line of ours begins with such text.
#[must_use]
pub fn one_line(text: &str) -> String {
    one_line_of(text, MOST_CHARACTERS)
}

/// Like [`one_line`], cut at `most` characters.
#[must_use]
pub fn one_line_of(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut characters = 0;
    let mut before = ' ';
    for c in text.chars() {
        let printed = if is_unsafe(c) || (c == '#' && before == '#') { escaped(c) } else { String::from(c) };
        before = c;
        characters += printed.chars().count();
        if characters > most {
            line.push('…');
            break;
        }
        line.push_str(&printed);
    }
    line
}

fn escaped(c: char) -> String {
    match c {
        '\n' | '\r' | '\t' => c.escape_default().to_string(),
        _ => c.escape_unicode().to_string(),
    }
}

/// Whether a character moves the cursor, turns the direction of writing, or hides: Unicode's categories Cc, Cf,
/// Zl and Zp, and the other characters that it calls ignorable by default; and the two that XML cannot hold. The two
/// variation selectors that choose between text and emoji are harmless and common.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A duration for a person: `0.4s`, `12s`, `1m 20s`, `2h 5m`, `1d 3h`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large}{large_unit}"),
        small => format!("{large}{large_unit} {small}{small_unit}"),
    };
    match seconds {
        0..10 if duration.subsec_millis() >= 100 => format!("{seconds}.{}s", duration.subsec_millis() / 100),
        0..60 => format!("{seconds}s"),
        60..3_600 => two(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        86_400.. => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// The time of day in UTC, such as `17:03:22`.
#[must_use]
pub fn time_of_day(time: Timestamp) -> String {
    time.to_string().split_once('T').map_or_else(String::new, |(_, time)| time.chars().take(8).collect())
}

/// How many columns of a terminal the text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to `columns` at the most, its last column `…` where something was cut.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    format!("{}…", text.get(..fitting(text, columns - 1)).unwrap_or_default())
}

/// Where the part of the text that fits into `columns` ends. Measured by whole strings, not by characters, for a
/// sequence of several characters may be narrower than their sum.
fn fitting(text: &str, columns: usize) -> usize {
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
    ends.take_while(|&end| text.get(..end).map_or(0, width) <= columns).last().unwrap_or(0)
}

/// The text cut in its middle to `columns` at the most: names that begin alike often end differently.
#[must_use]
pub fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns || columns < 3 {
        return cut(text, columns);
    }
    let tail_columns = (columns - 1) / 2;
    let head = text.get(..fitting(text, columns - 1 - tail_columns)).unwrap_or_default();
    let starts = text.char_indices().rev().map(|(start, _)| start);
    let tail_start = starts.take_while(|&start| text.get(start..).map_or(0, width) <= tail_columns).last();
    format!("{head}…{}", tail_start.and_then(|start| text.get(start..)).unwrap_or_default())
}

/// The text with spaces behind it up to `columns`; longer text stays as it is.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// A name at exactly `columns`: cut in its middle or filled up.
#[must_use]
pub fn fit(name: &str, columns: usize) -> String {
    pad(&cut_middle(name, columns), columns)
}

/// The text broken into lines of at most `first` columns, then `rest`: between pieces, which two spaces set apart,
/// where that will do, else between words, else within a word. There is always one line.
#[must_use]
pub fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = Lines { done: Vec::new(), line: String::new(), first, rest };
    for piece in text.split("  ") {
        if lines.fits("  ", piece) {
            lines.append("  ", piece);
        } else if !lines.line.is_empty() && width(piece) <= rest {
            lines.end();
            lines.append("", piece);
        } else {
            lines.append_words(piece);
        }
    }
    lines.finish()
}

struct Lines {
    done: Vec<String>,
    line: String,
    first: usize,
    rest: usize,
}

impl Lines {
    fn room(&self) -> usize {
        if self.done.is_empty() { self.first } else { self.rest }.max(1)
    }

    fn fits(&self, space: &str, text: &str) -> bool {
        let before = if self.line.is_empty() { 0 } else { width(&self.line) + width(space) };
        before + width(text) <= self.room()
    }

    fn append(&mut self, space: &str, text: &str) {
        if !self.line.is_empty() {
            self.line.push_str(space);
        }
        self.line.push_str(text);
    }

    fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.done.push(line);
        }
    }

    fn append_words(&mut self, piece: &str) {
        let mut space = "  ";
        for mut word in piece.split(' ') {
            if !self.fits(space, word) {
                self.end();
            }
            while !self.fits("", word) {
                let first = word.chars().next().map_or(0, char::len_utf8);
                let (head, tail) = word.split_at(fitting(word, self.room()).max(first));
                self.line.push_str(head);
                self.end();
                word = tail;
            }
            self.append(space, word);
            space = " ";
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.end();
        if self.done.is_empty() {
            self.done.push(String::new());
        }
        self.done
    }
}

/// An error about `subject` in one line beside which the subject stands already: its place is not said twice.
#[must_use]
pub fn error_of(message: &str, subject: &str) -> String {
    let rest = message.strip_prefix(subject).and_then(|rest| rest.strip_prefix(" in "));
    let words = rest.and_then(|rest| rest.split_once(": ")).map_or(message, |(_, words)| words);
    one_line_of(words, MOST_CHARACTERS_OF_AN_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_say_twice_what_it_is_about() {
        assert_eq!(error_of("a_B/import-c in a: no answer", "a_B/import-c"), "no answer");
        assert_eq!(error_of("no answer: in time", "a_B/import-c"), "no answer: in time");
    }
    use proptest::prelude::*;

    #[test]
    fn control_and_bidi_characters_are_escaped() {
        assert_eq!(one_line("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(one_line("\u{1b}[31m\u{7f}\u{9b}"), "\\u{1b}[31m\\u{7f}\\u{9b}");
        assert_eq!(one_line("a\u{202e}b\u{2066}c\u{200b}\u{feff}\u{2028}"), {
            "a\\u{202e}b\\u{2066}c\\u{200b}\\u{feff}\\u{2028}"
        });
        assert_eq!(one_line("\u{fffe}\u{ffff}"), "\\u{fffe}\\u{ffff}", "XML cannot hold them");
        assert_eq!(one_line("Ünïcode ✔️ 日本語 \"quoted\" C:\\x"), "Ünïcode ✔️ 日本語 \"quoted\" C:\\x");
    }

    #[test]
    fn what_a_pipeline_would_run_is_broken_up() {
        assert_eq!(one_line("x ##vso[task.setvariable]"), "x #\\u{23}vso[task.setvariable]");
        assert_eq!(one_line("##[error]###"), "#\\u{23}[error]#\\u{23}\\u{23}");
        assert_eq!(one_line("job #1"), "job #1");
    }

    #[test]
    fn text_is_cut_at_128_characters() {
        let whole = "ä".repeat(128);
        assert_eq!(one_line(&whole), whole);
        assert_eq!(one_line(&"ä".repeat(129)), format!("{whole}…"));
        assert_eq!(one_line(&"\u{1b}".repeat(10_000)), format!("{}…", "\\u{1b}".repeat(21)));
    }

    #[test]
    fn a_wide_character_counts_as_two_columns() {
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 8), "日本語  ");
        assert_eq!(fit("日本語", 4), "日… ");
        assert_eq!(fit("日本語", 5), "日…語");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("abc", 1), "…");
    }

    #[test]
    fn a_duration_is_shown_in_its_two_largest_units() {
        let shown = |millis: u64| duration(Duration::from_millis(millis));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(450), "0.4s");
        assert_eq!(shown(9_999), "9.9s");
        assert_eq!(shown(59_999), "59s");
        assert_eq!(shown(80_000), "1m 20s");
        assert_eq!(shown(3_600_000), "1h");
        assert_eq!(shown(7_500_000), "2h 5m");
        assert_eq!(shown(97_200_000), "1d 3h");
    }

    #[test]
    fn the_time_of_day_is_that_of_utc() {
        assert_eq!(time_of_day(Timestamp::from_millis(1_548_271_708_512)), "19:28:28");
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_end() {
        assert_eq!(cut_middle("import-customers-part-01", 20), "import-cus…s-part-01");
        assert_eq!(cut_middle("import-customers-part-01", 24), "import-customers-part-01");
        assert_eq!(cut_middle("abcd", 2), "a…");
    }

    #[test]
    fn words_are_wrapped_and_long_ones_broken() {
        assert_eq!(wrap("Created → InProgress  12 imported", 20, 12), ["Created → InProgress", "12 imported"]);
        assert_eq!(wrap("a abcdefghij", 3, 4), ["a", "abcd", "efgh", "ij"]);
        assert_eq!(wrap("InProgress  12 imported, 0 skipped", 20, 40), ["InProgress", "12 imported, 0 skipped"]);
        assert_eq!(wrap("", 3, 4), [""]);
        assert_eq!(wrap("日本", 1, 1), ["日", "本"]);
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_short_harmless_line(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert!(line.chars().count() <= MOST_CHARACTERS + 1);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_unsafe(c)));
            prop_assert!(!line.contains("##"));
        }

        #[test]
        fn fitted_text_takes_exactly_its_columns(text in any::<String>(), columns in 0_usize..100) {
            let line = one_line(&text);
            prop_assert!(width(&cut(&line, columns)) <= columns);
            prop_assert!(width(&cut_middle(&line, columns)) <= columns);
            prop_assert_eq!(width(&fit(&line, columns)), columns);
        }

        #[test]
        fn wrapped_text_keeps_every_word_and_the_width(text in any::<String>(), columns in 2_usize..40) {
            let line = one_line(&text);
            let wrapped = wrap(&line, columns, columns);
            prop_assert!(wrapped.iter().all(|line| width(line) <= columns));
            let without_spaces = |text: &str| text.replace(' ', "");
            prop_assert_eq!(without_spaces(&wrapped.concat()), without_spaces(&line));
        }
    }
}
