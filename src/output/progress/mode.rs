//! Whether progress is shown, and in which form.
//!
//! Called by the edge of `wait`.

use std::ffi::OsStr;

use crate::telemetry::Reader;

/// What `--progress` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressChoice {
    /// A live display on a terminal, a line for each change elsewhere, nothing with --quiet.
    #[default]
    Auto,
    /// As auto, but also with --quiet and on a terminal that calls itself dumb.
    Always,
    /// Nothing.
    Never,
}

/// What `--quiet` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Volume {
    /// It was not given.
    #[default]
    Usual,
    /// It was given.
    Quiet,
}

/// In which form progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// Not at all.
    Nothing,
    /// A line for each change that the log does not tell, and one after a minute of silence.
    Lines,
    /// A display that is drawn anew, below the lines of the log.
    Live {
        /// Columns of the terminal.
        columns: usize,
    },
}

impl ProgressChoice {
    /// The form for the reader of stderr; `term` is the value of TERM.
    #[must_use]
    pub fn resolve(self, volume: Volume, reader: Reader, term: Option<&OsStr>) -> ProgressMode {
        let dumb = term.is_some_and(|term| term == "dumb");
        match (self, volume, reader) {
            (Self::Never, _, _) | (Self::Auto, Volume::Quiet, _) => ProgressMode::Nothing,
            (Self::Auto, Volume::Usual, Reader::Terminal { .. }) if dumb => ProgressMode::Lines,
            (Self::Auto | Self::Always, _, Reader::Terminal { columns }) => ProgressMode::Live { columns },
            (Self::Auto | Self::Always, _, Reader::Other) => ProgressMode::Lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_a_live_display_and_everybody_else_lines() {
        let terminal = Reader::Terminal { columns: 100 };
        let dumb = Some(OsStr::new("dumb"));
        let live = ProgressMode::Live { columns: 100 };
        let auto = ProgressChoice::Auto;
        assert_eq!(auto.resolve(Volume::Usual, terminal, None), live);
        assert_eq!(auto.resolve(Volume::Usual, terminal, dumb), ProgressMode::Lines);
        assert_eq!(auto.resolve(Volume::Usual, Reader::Other, None), ProgressMode::Lines);
        assert_eq!(auto.resolve(Volume::Quiet, terminal, None), ProgressMode::Nothing);
        assert_eq!(ProgressChoice::Always.resolve(Volume::Quiet, terminal, dumb), live);
        assert_eq!(ProgressChoice::Always.resolve(Volume::Quiet, Reader::Other, None), ProgressMode::Lines);
        assert_eq!(ProgressChoice::Never.resolve(Volume::Usual, terminal, None), ProgressMode::Nothing);
    }
}
