//! Reads Rust as far as the rules of the rooms need: comments and texts are passed over, and every path is taken, those in
//! braces too.

use std::collections::BTreeSet;

/// The rooms of the root package, so that `super::super::sink` is taken for what it is.
const ROOMS: [&str; 12] =
    ["cli", "config", "driver", "http", "ledger", "output", "run", "sink", "source", "systemd", "telemetry", "signal"];

/// The code without comments and texts.
pub(super) fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        code.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with("//") {
            rest.find('\n').map_or("", |end| &rest[end..])
        } else if let Some(text) = rest.strip_prefix('"') {
            let hashes = code.len() - code.trim_end_matches('#').len();
            let raw = code.trim_end_matches('#').ends_with('r');
            after_text(text, raw.then_some(hashes))
        } else if let Some(end) = length_of_character(rest) {
            &rest[end..]
        } else {
            code.push(rest.chars().next().unwrap());
            &rest[1..]
        };
    }
    code + rest
}

/// What follows a text whose opening mark was read. A raw one has no escapes and ends with as many `#`.
fn after_text(text: &str, raw: Option<usize>) -> &str {
    let end = match raw {
        Some(hashes) => format!("\"{}", "#".repeat(hashes)),
        None => "\"".to_owned(),
    };
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        if text.as_bytes()[at..].starts_with(end.as_bytes()) {
            return &text[at + end.len()..];
        }
        at += if *byte == b'\\' && raw.is_none() { 2 } else { 1 };
    }
    ""
}

/// The length of a character in marks; a lifetime is none.
fn length_of_character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    if first == '\\' {
        return inner[2..].find('\'').map(|end| end + 4);
    }
    inner[first.len_utf8()..].starts_with('\'').then_some(first.len_utf8() + 2)
}

/// Every path of two parts or more, those in braces with what stands before the brace.
pub(super) fn paths(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut prefixes, mut path): (Vec<String>, String) = (Vec::new(), String::new());
    let mut rest = code;
    while let Some(next) = rest.chars().next() {
        let word = rest.len() - rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        if word > 0 {
            if !path.ends_with("::") {
                path.clear();
            }
            path.push_str(&rest[..word]);
            let whole = format!("{}{path}", prefixes.last().map_or("", String::as_str));
            if whole.contains("::") || rest[word..].starts_with("::") {
                found.insert(whole);
            }
            rest = &rest[word..];
            continue;
        }
        if rest.starts_with("::") {
            path.push_str("::");
            rest = &rest[2..];
            continue;
        }
        match next {
            '{' if path.ends_with("::") => {
                prefixes.push(format!("{}{path}", prefixes.last().map_or("", String::as_str)));
            }
            // A block within braces of a path does not occur; its end must only not be taken for theirs.
            '{' => prefixes.push(String::new()),
            '}' => drop(prefixes.pop()),
            _ => {}
        }
        if !next.is_whitespace() {
            path.clear();
        }
        rest = &rest[next.len_utf8()..];
    }
    found
}

/// `super::super::room` from within a room is `crate::room`.
fn absolute(path: &str) -> String {
    let own = path.trim_start_matches("super::");
    let room = own.split("::").next().unwrap_or_default();
    let leaves = path.starts_with("super::super::") && ROOMS.contains(&room);
    if leaves { format!("crate::{own}") } else { path.to_owned() }
}

/// Whether a path is one that must not be named.
pub(super) fn names(path: &str, never: &str) -> bool {
    let own = absolute(path);
    if never.ends_with('_') || never.ends_with("::") {
        return own.starts_with(never);
    }
    own.strip_prefix(never).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn the_reader_of_rust_sees_every_path_and_nothing_in_comments_and_texts() {
    let text = r##"
        //! tokio::a
        use crate::{config::{Plan, Source}, sink, text as words};
        use super::super::source::Answer;
        fn f<'a>(x: &'a str) -> char { let y = "tokio::b \" tokio::c"; let z = '"'; aws_config::load(); '\'' }
        const R: &str = r#"tokio::d " tokio::e"#; // tokio::f
        struct S { at: std::time::Instant }
    "##;
    let paths = paths(&code_of(text));
    for path in
        ["crate::config::Plan", "crate::config::Source", "crate::sink", "aws_config::load", "std::time::Instant"]
    {
        assert!(paths.contains(path), "{path} is not in {paths:?}");
    }
    assert!(!paths.iter().any(|path| path.starts_with("tokio")), "{paths:?}");
    assert!(paths.iter().any(|path| names(path, "crate::source")), "{paths:?}");
    assert!(paths.iter().any(|path| names(path, "aws_")));
    assert!(!names("crate::configuration", "crate::config") && names("tokio::time::sleep", "tokio"));
}
