//! Whether text is coloured, and how many columns it has.
//!
//! Called by the command line's edge, once for stdout and once for stderr.

use std::ffi::OsStr;

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// Colour on a terminal, unless NO_COLOR is set or TERM is `dumb`.
    #[default]
    Auto,
    /// Colour, whoever reads.
    Always,
    /// No colour.
    Never,
}

/// Who reads a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A person, on a terminal of this width.
    Terminal {
        /// Columns of the terminal.
        columns: usize,
    },
    /// A file, a pipe, a log collector.
    Other,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// With ANSI escape sequences.
    On,
    /// Plain.
    Off,
}

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether it is coloured.
    pub color: Color,
    /// Columns to fit it into; without, a record is exactly one line, however long.
    pub columns: Option<usize>,
}

/// Columns of a terminal that does not tell.
const USUAL_COLUMNS: usize = 80;

impl Reader {
    /// Who reads `stream`.
    #[must_use]
    pub fn of(stream: &(impl std::io::IsTerminal + std::os::fd::AsFd)) -> Self {
        if !stream.is_terminal() {
            return Self::Other;
        }
        let columns = terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0));
        Self::Terminal { columns: columns.filter(|&columns| columns > 0).unwrap_or(USUAL_COLUMNS) }
    }
}

impl ColorChoice {
    /// Whether to colour what `reader` reads. `no_color` and `term` are the values of NO_COLOR, which counts when
    /// it is not empty (<https://no-color.org>), and of TERM.
    #[must_use]
    pub fn resolve(self, reader: Reader, no_color: Option<&OsStr>, term: Option<&OsStr>) -> Color {
        let unwanted = no_color.is_some_and(|value| !value.is_empty()) || term.is_some_and(|term| term == "dumb");
        match (self, reader) {
            (Self::Always, _) => Color::On,
            (Self::Auto, Reader::Terminal { .. }) if !unwanted => Color::On,
            (Self::Auto | Self::Never, _) => Color::Off,
        }
    }
}

impl TextStyle {
    /// The style for `reader`.
    #[must_use]
    pub fn of(reader: Reader, color: Color) -> Self {
        let columns = match reader {
            Reader::Terminal { columns } => Some(columns),
            Reader::Other => None,
        };
        Self { color, columns }
    }
}

/// A way to set text off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Dim,
    Bold,
    Red,
    Yellow,
    Green,
    Blue,
}

impl Color {
    /// The text in that colour, or as it is.
    #[must_use]
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Dim => 2,
            Paint::Bold => 1,
            Paint::Red => 31,
            Paint::Yellow => 33,
            Paint::Green => 32,
            Paint::Blue => 34,
        };
        match self {
            Self::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_beats_the_terminal() {
        let terminal = Reader::Terminal { columns: 80 };
        let set = Some(OsStr::new("1"));
        assert_eq!(ColorChoice::Auto.resolve(terminal, None, None), Color::On);
        assert_eq!(ColorChoice::Auto.resolve(terminal, Some(OsStr::new("")), None), Color::On);
        assert_eq!(ColorChoice::Auto.resolve(terminal, set, None), Color::Off);
        assert_eq!(ColorChoice::Auto.resolve(terminal, None, Some(OsStr::new("dumb"))), Color::Off);
        assert_eq!(ColorChoice::Auto.resolve(Reader::Other, None, None), Color::Off);
        assert_eq!(ColorChoice::Always.resolve(Reader::Other, set, None), Color::On);
        assert_eq!(ColorChoice::Never.resolve(terminal, None, None), Color::Off);
    }

    #[test]
    fn a_file_is_no_terminal() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(Reader::of(&file), Reader::Other);
    }
}
