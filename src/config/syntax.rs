//! TOML to a tree, and every syntax error at once. The only file that calls the TOML parser.
//!
//! The parser recovers from a bad value by itself. After a broken key or header it stops, so the broken line (or the
//! section under a broken header) is blanked and the rest parsed again: one bad line does not hide the others.
//! Called by [`resolve`](super::resolve).

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::lines::Lines;
use super::problem::Shown;

/// How often the text is mended before what there is has to do.
const ROUNDS: usize = 4;

/// The most errors of one text that are looked into: what has more is no config file.
const MOST_ERRORS: usize = 200;

/// One text, as far as it can be understood.
pub(super) struct Mended {
    /// The text with broken lines blanked; every offset is that of the original.
    text: String,
    /// Every syntax error, in the order of the text, at most one per line.
    pub(super) errors: Vec<SyntaxError>,
    /// The lines and sections that were blanked, in no order.
    pub(super) left_out: Vec<Range<usize>>,
}

impl Mended {
    /// A text of which nothing can be read.
    pub(super) fn nothing() -> Self {
        Self { text: String::new(), errors: Vec::new(), left_out: Vec::new() }
    }

    /// What is written.
    pub(super) fn table(&self) -> DeTable<'_> {
        DeTable::parse_recoverable(&self.text).0.into_inner()
    }
}

/// A place where the text is not TOML.
pub(super) struct SyntaxError {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    /// Where a key that is given twice was given first.
    pub(super) first: Option<Range<usize>>,
}

/// Reads a text as far as it goes.
pub(super) fn mend(text: &str) -> Mended {
    let lines = Lines::of(text);
    let mut mended = Mended { text: text.to_owned(), ..Mended::nothing() };
    for round in 0..ROUNDS {
        let (table, found) = DeTable::parse_recoverable(&mended.text);
        let table = table.into_inner();
        let mut broken = Vec::new();
        for error in found.iter().take(MOST_ERRORS) {
            let span = within(text, error.span().unwrap_or(0..0));
            let duplicate = error.message() == "duplicate key";
            let contained = duplicate || holds(&table, span.start);
            if !contained {
                let section = lines.section(span.start);
                let line = lines.line(span.start);
                // What follows a broken header belongs to nobody.
                let of_header = text.get(line.clone()).is_some_and(|line| line.trim_start().starts_with('['));
                broken.push(if of_header { section } else { line });
            }
            // What a mended text complains about anew is an echo of the mending, but for what the parser had
            // not come to before.
            if round == 0 || contained {
                let first = if duplicate { first_given(&table, text, &lines, &span) } else { None };
                let message = reword(text, &lines, &span, error.message());
                mended.errors.push(SyntaxError { span, message, first });
            }
        }
        if found.len() > MOST_ERRORS {
            broken.push(0..text.len());
        }
        if broken.is_empty() {
            break;
        }
        for range in broken {
            blank(&mut mended.text, range.clone());
            mended.left_out.push(range);
        }
    }
    mended.errors.sort_by_key(|error| (error.span.start, error.span.end));
    mended.errors.dedup_by_key(|error| lines.number(error.span.start));
    mended
}

/// The parser's words, but for those that mislead.
fn reword(text: &str, lines: &Lines, span: &Range<usize>, message: &str) -> String {
    let line = lines.line(span.start);
    let before = text.get(line.start..span.start).unwrap_or_default().trim_end();
    let after = text.get(span.start..line.end).unwrap_or_default().trim_start();
    if before.ends_with('=') && (after.is_empty() || after.starts_with('#')) {
        return "no value after `=`".into();
    }
    let marked = text.get(span.clone()).unwrap_or_default();
    if message == "duplicate key" {
        return format!("{} is given twice", Shown(marked));
    }
    if message.starts_with("string values must be quoted") {
        return "a string stands in quotation marks".into();
    }
    message.into()
}

/// Spaces in place of a piece of text; line ends stay, so that no offset moves.
fn blank(text: &mut String, range: Range<usize>) {
    let spaces: String = text
        .get(range.clone())
        .unwrap_or_default()
        .bytes()
        .map(|byte| if byte == b'\n' || byte == b'\r' { char::from(byte) } else { ' ' })
        .collect();
    if spaces.len() == range.len() {
        text.replace_range(range, &spaces);
    }
}

/// A span moved onto the bounds of characters inside the text.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    start..text.ceil_char_boundary(span.end.clamp(start, text.len()))
}

/// Whether some value of the tree stands at an offset: then the tree is whole, whatever the value is worth.
fn holds(table: &DeTable<'_>, offset: usize) -> bool {
    table.iter().any(|(_, value)| value_holds(value, offset))
}

fn value_holds(value: &toml::Spanned<DeValue<'_>>, offset: usize) -> bool {
    match value.get_ref() {
        DeValue::Table(table) => holds(table, offset),
        DeValue::Array(items) => items.iter().any(|item| value_holds(item, offset)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            (value.span().start..=value.span().end).contains(&offset)
        }
    }
}

/// Where a key or a header that is given twice was given first.
fn first_given(table: &DeTable<'_>, text: &str, lines: &Lines, span: &Range<usize>) -> Option<Range<usize>> {
    let header = text.get(lines.line(span.start)).unwrap_or_default().trim();
    if !header.starts_with('[') {
        return first_of(table, text.get(span.clone()), span.start);
    }
    // The tree holds the second header by now.
    let key = text.get(span.clone())?;
    let earlier = lines.sections().take_while(|start| *start < lines.line(span.start).start);
    earlier.map(|start| lines.line(start)).find_map(|line| {
        let first = text.get(line.clone())?;
        let at = first.find(key)?;
        let same = first.trim_start().trim_start_matches('[').trim_start().starts_with(key);
        same.then(|| line.start + at..line.start + at + key.len())
    })
}

/// The nearest key of that text before an offset: in a config file, the one that was given first.
fn first_of(table: &DeTable<'_>, key: Option<&str>, before: usize) -> Option<Range<usize>> {
    let key = key?;
    let mut nearest: Option<Range<usize>> = None;
    let mut keep = |span: Range<usize>| {
        if nearest.as_ref().is_none_or(|kept| kept.start < span.start) {
            nearest = Some(span);
        }
    };
    for (name, value) in table {
        if name.get_ref() == key && name.span().end <= before {
            keep(name.span());
        }
        let found = match value.get_ref() {
            DeValue::Table(table) => first_of(table, Some(key), before),
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| item.get_ref().as_table())
                .filter_map(|table| first_of(table, Some(key), before))
                .max_by_key(|span| span.start),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        if let Some(span) = found {
            keep(span);
        }
    }
    nearest
}
