//! What the config language has and this version has not: refused with a word, so that nobody waits for it.
//! Called by [`resolve`](super::resolve). Each function goes when its feature comes.

use super::file::HttpFile;
use super::problem::Problem;

/// Metrics and probes.
pub(super) fn http(file: &HttpFile, problems: &mut Vec<Problem>) {
    if let Some(listen) = &file.listen {
        let message = "this version does not listen for HTTP: it has neither metrics nor probes";
        problems.push(Problem::new(listen.place, "http.listen", message).help("leave http.listen out".to_owned()));
    }
}
