//! Makes text of others safe to print in one line, and fits text to columns of a terminal.
//!
//! Called wherever a name, a message or a status of the service reaches a terminal or a log in text form.

use unicode_width::UnicodeWidthStr as _;

/// The most characters of a text of others that are printed; the service's own names and messages have no more.
pub const MOST_CHARACTERS: usize = 128;

/// The text in one line: control characters and invisible ones escaped (`\n`, `\u{202e}`), cut at
/// [`MOST_CHARACTERS`] with `…`.
///
/// The second of two `#` is escaped as well: Azure Pipelines and GitHub's runner look for `##vso[` and `##[` anywhere in
/// a line and run what follows. What they look for at the beginning of a line (`::error::`) stays as it is,
/// for no line of ours begins with such text.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut characters = 0;
    let mut before = ' ';
    for c in text.chars() {
        let printed = if is_unsafe(c) || (c == '#' && before == '#') { escaped(c) } else { String::from(c) };
        before = c;
        characters += printed.chars().count();
        if characters > MOST_CHARACTERS {
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
/// Zl and Zp, and the other characters that it calls ignorable by default. The two variation selectors that
/// choose between text and emoji are harmless and common.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
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
    // By whole strings, not by characters: a sequence of several characters may be narrower than their sum.
    let mut end = 0;
    for (start, c) in text.char_indices() {
        let next = start + c.len_utf8();
        if text.get(..next).map_or(0, width) >= columns {
            break;
        }
        end = next;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The text with spaces behind it up to `columns`; longer text stays as it is.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text at exactly `columns`: cut or filled up.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    pad(&cut(text, columns), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_and_bidi_characters_are_escaped() {
        assert_eq!(one_line("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(one_line("\u{1b}[31m\u{7f}\u{9b}"), "\\u{1b}[31m\\u{7f}\\u{9b}");
        assert_eq!(one_line("a\u{202e}b\u{2066}c\u{200b}\u{feff}\u{2028}"), {
            "a\\u{202e}b\\u{2066}c\\u{200b}\\u{feff}\\u{2028}"
        });
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
        assert_eq!(fit("日本語", 4), "日… ");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 8), "日本語  ");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("abc", 1), "…");
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
            prop_assert_eq!(width(&fit(&line, columns)), columns);
        }
    }
}
