//! What the config language has and this version has not: refused with a word, so that nobody waits for it.
//! Called by [`resolve`](super::resolve). Each function goes when its feature comes.

use super::file::{HttpFile, LogFormatWord, StateFile};
use super::plan::{LogFormat, StatePlan};
use super::problem::{Problem, Shown, Written};

/// A state file other than `"auto"` and `"none"`.
pub(super) fn state(file: &StateFile, problems: &mut Vec<Problem>) -> StatePlan {
    let Some(path) = &file.path else { return StatePlan::default() };
    if let Some((_, plan)) = StatePlan::WORDS.iter().find(|(word, _)| *word == path.value.0) {
        return *plan;
    }
    let message = format!("this version keeps no state file, so {} cannot be used", Shown(&path.value.0));
    problems.push(Problem::new(path.place, "state.path", message).help("write path = \"auto\" or \"none\"".to_owned()));
    StatePlan::default()
}

/// Metrics and probes.
pub(super) fn http(file: &HttpFile, problems: &mut Vec<Problem>) {
    if let Some(listen) = &file.listen {
        let message = "this version does not listen for HTTP: it has neither metrics nor probes";
        problems.push(Problem::new(listen.place, "http.listen", message).help("leave http.listen out".to_owned()));
    }
}

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
