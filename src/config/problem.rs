//! What is wrong, while it is being collected: places are offsets, nothing is rendered yet.
//! Filled by the readers and by `resolve`, which turns the whole into [`Diagnostics`](super::Diagnostics).

use std::fmt;

/// A piece of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which source.
    pub(super) source: usize,
    /// The first byte.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Where a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    /// In what was typed: the flag or argument.
    CommandLine(&'static str),
    /// In a file.
    File(Place),
}

/// What a problem rests on: decides whether a broken line nearby may be its true cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text is not TOML.
    Syntax,
    /// A key that should be in the table is not.
    Absence,
    /// A name that is used is given nowhere.
    Reference,
    /// What is written is wrong.
    Content,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) at: At,
    pub(super) kind: Kind,
    /// `poll.max_interval`; empty where no key is meant.
    pub(super) key: String,
    pub(super) message: String,
    /// What to do.
    pub(super) help: Option<String>,
    /// Another place that has to do with it, and what it is.
    pub(super) other: Option<(Place, &'static str)>,
}

impl Problem {
    pub(super) fn new(place: Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            at: At::File(place),
            kind: Kind::Content,
            key: key.into(),
            message: message.into(),
            help: None,
            other: None,
        }
    }

    /// A problem of what was typed.
    pub(super) fn typed(flag: &'static str, message: impl Into<String>) -> Self {
        Self {
            at: At::CommandLine(flag),
            kind: Kind::Content,
            key: String::new(),
            message: message.into(),
            help: None,
            other: None,
        }
    }

    pub(super) fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    pub(super) fn other(mut self, place: Place, what: &'static str) -> Self {
        self.other = Some((place, what));
        self
    }
}

/// A piece of somebody's input, quoted, safe to print in one line, cut at 64 characters.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 64;
        let cut: String = self.0.chars().take(MOST).flat_map(char::escape_debug).collect();
        let more = if self.0.chars().nth(MOST).is_some() { "…" } else { "" };
        write!(f, "\"{cut}{more}\"")
    }
}

/// The known word that is nearest to an unknown one, where one is near enough to be meant.
pub(super) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if unknown.len() > 100 {
        return None;
    }
    let tidy = unknown.trim().to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&tidy, &word.to_lowercase()), word))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

/// `"a", "b" or "c"`.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.into_iter().map(|word| Shown(word).to_string()).collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
        None => String::new(),
    }
}
