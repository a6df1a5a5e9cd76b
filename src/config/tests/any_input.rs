//! Whatever the bytes: a plan or a clear word, never a panic.

use proptest::prelude::*;

use super::*;

const DEFAULT: &str = include_str!("../../../config/cognito-import-watch.toml");
const SYSTEMD: &str = include_str!("../../../config/examples/systemd.toml");
const TWELVE: &str = include_str!("../../../tests/config/bad/twelve-kinds.toml");

/// Resolves and shows; what is said fits the text.
fn is_handled(bytes: &[u8]) {
    let Err(problems) = resolve(&[Source::new("any.toml", bytes)], &Overrides::default()) else { return };
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(problems.count() > 0);
    for problem in problems.iter() {
        let Origin::File(excerpt) = &problem.origin else { panic!("{problem} is not of the command line") };
        assert!((1..=lines).contains(&excerpt.line) && excerpt.column >= 1, "{problem}");
        let shown = problem.render(Style::Plain);
        let place = format!("--> any.toml:{}:{}", excerpt.line, excerpt.column);
        assert!(shown.contains(&place), "{place} is not in\n{shown}");
        let turns = |c| matches!(c, '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let printable = |c: char| c == '\n' || !c.is_control() && !turns(c);
        assert!(shown.chars().all(printable), "{shown:?}");
        assert!(problem.to_string().chars().all(|c| c != '\n' && printable(c)), "{problem}");
    }
}

fn one(bytes: &[u8]) -> String {
    let problems = resolve(&[Source::new("any.toml", bytes)], &Overrides::default()).unwrap_err();
    assert_eq!(problems.count(), 1, "{problems}");
    is_handled(bytes);
    problems.to_string()
}

#[test]
fn a_file_that_is_no_text_is_refused_with_the_cure() {
    assert_eq!(one(b"[poll]\njitter = \xff\n"), "any.toml:2:10: the file is not UTF-8 from here on");
    assert_eq!(one(b"\xff\xfe[\x00p\x00"), "any.toml:1:1: the file is UTF-16, not UTF-8");
    assert!(one(b"[log]\nlevel = \"in\0fo\"\n").starts_with("any.toml:2:"));
    assert!(one("polls = 1 # \u{8a}\u{202e}\u{61c}\u{1b}[2J".as_bytes()).starts_with("any.toml:1:"));
    assert!(one(b"\x7fELF").starts_with("any.toml:1:"));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_problem_and_move_no_caret() {
    plan("\u{feff}[poll]\r\njitter = 0.1\r\n");
    assert!(one("\u{feff}polls = 1\r\n".as_bytes()).starts_with("any.toml:1:1: "));
    assert!(one(b"[poll]\r\njitter = 2\r\n").starts_with("any.toml:2:10: "));
    assert!(
        one("[[job]]\ntarget='us-west-2_A/import-a'\nname = \"ä漢\" #\t🎉\nx = 1".as_bytes())
            .starts_with("any.toml:4:1: ")
    );
}

#[test]
fn names_that_are_offered_are_spelled_out() {
    for meant in ["prod", "staging"] {
        let text = format!(
            "[[account]]\nname = \"sta\\u061cging\"\n[[job]]\ntarget = 'us-west-2_A/import-a'\naccount = '{meant}'\n"
        );
        is_handled(text.as_bytes());
        let problems = resolve(&[source(&text)], &Overrides::default()).unwrap_err();
        assert!(problems.render(Style::Plain).contains("\"sta\\u{61c}ging\""), "{}", problems.render(Style::Plain));
    }
}

/// The parser takes it for a number, so as to go on.
#[test]
fn what_only_begins_as_a_number_is_spelled_out() {
    let text = "[poll]\njitter = -2_A/i\u{1f}\u{202e}ort-a";
    is_handled(text.as_bytes());
    let said = problems(text).join("\n");
    assert!(said.contains("-2A/i\\u{1f}\\u{202e}ort-a is out of range"), "{said}");
}

#[test]
fn the_caret_keeps_its_place_behind_a_hidden_secret_of_any_script() {
    let said = one("[poll]\nsecret = 'пароль漢' x\n".as_bytes());
    assert!(said.starts_with("any.toml:2:20: "), "{said}");
    assert!(one(b"[poll]\ntoken = \xd0\xbf\xd0\xb0\xff\n").starts_with("any.toml:2:11: "));
}

#[test]
fn a_file_too_long_or_nested_too_deep_is_refused() {
    assert_eq!(one(&vec![b'#'; 10_000_000]), "any.toml:1:1: the file is longer than 4 MiB");
    for deep in
        ["a=".to_owned() + &"[".repeat(100_000), "a=".to_owned() + &"{b=".repeat(100_000), "a.".repeat(100_000) + "b=1"]
    {
        is_handled(deep.as_bytes());
        assert!(resolve(&[source(&deep)], &Overrides::default()).is_err());
    }
}

#[test]
fn a_file_of_nothing_but_errors_is_told_in_short() {
    for line in ["[\n", "x\n", "= = =\n", "[[job]]\n", "x = 1e\n", "\"\"\"\n", "\u{202e}\n"] {
        let text = line.repeat(200_000 / line.len());
        let problems = resolve(&[source(&text)], &Overrides::default()).unwrap_err();
        assert!(problems.render(Style::Plain).len() < 100_000, "{line:?}");
    }
}

#[test]
fn a_broken_line_does_not_hide_the_others_nor_is_it_told_twice() {
    let said = problems(
        "[poll]\njitter 0.1\nmultiplier = 20\n[[account]\nname = 'x'\n[[job]]\ntarget = 'us-west-2_A/import-a'\naccount = 'x'\nx = 1\n",
    );
    let starts: Vec<&str> = said.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(starts, ["test.toml:2:8", "test.toml:3:14", "test.toml:4:11", "test.toml:9:1"], "{said:#?}");
}

proptest! {
    #[test]
    fn any_bytes_are_handled(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        is_handled(&bytes);
    }

    #[test]
    fn any_pieces_of_toml_are_handled(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "\n", "\r\n", " ", "#", "poll", "job",
            "account", "name", "target", "jitter", "1", "-", "1.5", "inf", "nan", "true", "2020-01-01", "\"30s\"",
            "'us-west-2_A/import-a'", "\u{202e}", "é", "\0", "\t", "\u{feff}",
        ]), 0..60)
    ) {
        is_handled(pieces.concat().as_bytes());
    }

    #[test]
    fn a_file_with_some_bytes_changed_is_handled(
        base in proptest::sample::select(vec![DEFAULT, SYSTEMD, TWELVE]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let mut bytes = base.as_bytes().to_vec();
        for (index, kind, byte) in changes {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => { let from = at.saturating_sub(20); bytes.drain(from..at); }
            }
        }
        is_handled(&bytes);
    }

    #[test]
    fn any_value_of_any_key_is_handled(
        key in proptest::sample::select(every_key()),
        value in "(\"[a-z0-9:/_.-]{0,12}\"|-?[0-9]{0,20}(\\.[0-9]{1,3})?|true|\\[\\]|\\{\\})",
    ) {
        is_handled(format!("{key} = {value}\n").as_bytes());
    }
}

/// Each key under its header.
fn every_key() -> Vec<String> {
    let under = |table: documents::Table| -> Vec<String> {
        table.keys().map(|key| format!("{}\n{key}", table.header)).collect()
    };
    documents::tables().into_iter().flat_map(under).collect()
}
