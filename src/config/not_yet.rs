//! What the config language has and this version has not: refused with a word, so that nobody waits for it.
//! Called by [`resolve`](super::resolve). Each function goes when its feature comes.

use super::file::LogFormatWord;
use super::plan::LogFormat;
use super::problem::{Problem, Written};

/// The journal's own protocol.
pub(super) fn log_format(format: &Written<LogFormatWord>, problems: &mut Vec<Problem>) -> LogFormat {
    match format.value {
        LogFormatWord::Known(format) => format,
        LogFormatWord::Journald => {
            let message = "this version does not write to journald in its own format";
            let help = "write format = \"json\": the journal keeps each line as it is".to_owned();
            problems.push(Problem::new(format.place, "log.format", message).help(help));
            LogFormat::default()
        }
    }
}
