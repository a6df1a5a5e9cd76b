//! Which characters a terminal or a log may be sent, by Unicode's own tables, not by the product's.
//!
//! Called by every target that reads what the product would print.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Characters as ranges, in order.
struct Set(Vec<(char, char)>);

/// Control characters, format characters, ends of lines, and whatever else shows nothing: none of it may be printed of a
/// text of others. The two variation selectors that choose between text and emoji are harmless.
static HIDDEN: LazyLock<Set> =
    LazyLock::new(|| Set::of(r"[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\x{fe0e}\x{fe0f}]]"));

/// What moves the cursor, ends the line or turns the direction of writing: what a line of somebody's own file must be rid
/// of when it is shown to them.
static MOVING: LazyLock<Set> = LazyLock::new(|| Set::of(r"[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]"));

impl Set {
    fn of(class: &str) -> Self {
        let parsed = regex_syntax::parse(class).map(regex_syntax::hir::Hir::into_kind);
        match parsed {
            Ok(HirKind::Class(Class::Unicode(class))) => {
                Self(class.ranges().iter().map(|range| (range.start(), range.end())).collect())
            }
            other => panic!("{class} is not a class of characters: {other:?}"),
        }
    }

    fn contains(&self, c: char) -> bool {
        let next = self.0.partition_point(|(start, _)| *start <= c);
        next.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, end)| c <= *end)
    }
}

/// Fails unless the text is one line without a hidden character, and without what a pipeline would run.
pub fn assert_one_line(text: &str) {
    let hidden = text.chars().find(|c| HIDDEN.contains(*c));
    assert!(hidden.is_none(), "{hidden:?} is in {text:?}");
    assert!(!text.contains("##"), "a pipeline may look for ## in {text:?}");
}

/// Fails unless the text is lines, each of which [`assert_one_line`] lets pass.
pub fn assert_lines(text: &str) {
    text.split('\n').for_each(assert_one_line);
}

/// Fails unless the text is one line that stays where it is printed.
pub fn assert_still(text: &str) {
    let moving = text.chars().find(|c| MOVING.contains(*c));
    assert!(moving.is_none(), "{moving:?} is in {text:?}");
}

/// Fails unless the text is lines that stay where they are printed.
pub fn assert_still_lines(text: &str) {
    text.split('\n').for_each(assert_still);
}

/// Fails unless the text is one JSON object in one line; gives the object.
pub fn assert_json_line(text: &str) -> serde_json::Map<String, serde_json::Value> {
    assert!(!text.contains(['\n', '\r']), "more than one line: {text:?}");
    match serde_json::from_str(text) {
        Ok(object) => object,
        Err(error) => panic!("not a JSON object ({error}): {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_know_the_usual_suspects() {
        for c in ['\n', '\u{1b}', '\u{9b}', '\u{ad}', '\u{202e}', '\u{200b}', '\u{2028}', '\u{e0041}', '\u{feff}'] {
            assert!(HIDDEN.contains(c), "{c:?}");
        }
        for c in ['a', ' ', 'ä', '漢', '\u{fe0f}', '…', '\u{301}'] {
            assert!(!HIDDEN.contains(c) && !MOVING.contains(c), "{c:?}");
        }
        assert!(MOVING.contains('\u{61c}') && !MOVING.contains('\u{ad}'));
    }
}
