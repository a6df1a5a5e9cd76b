//! Which room may name which: the table of the crate's documentation, as data.
//!
//! The sources are read as [`super::paths`] does.

use std::collections::BTreeSet;

use super::paths::{code_of, names, paths};
use super::root;

/// What the files of one place must not name, and why.
struct Rule {
    /// The beginning of the files' paths.
    place: &'static str,
    /// Files there that are the exception.
    but: &'static str,
    /// The beginnings of paths in the code; one that ends in `_` stands for all crates that begin so.
    never: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 22] = [
    Rule {
        place: "src/ledger",
        but: "",
        never: &[
            "cognito_import_watch_core::schedule",
            "crate::source",
            "crate::config",
            "crate::output",
            "crate::telemetry",
            "crate::driver",
            "crate::run",
            "crate::cli",
            "tracing::info",
            "tracing::warn",
            "tracing::error",
        ],
        reason: "memory keeps what it is given, whoever asked for it and whoever is told",
    },
    Rule { place: "src/", but: "src/ledger/", never: &["rusqlite"], reason: "one room knows how memory is kept" },
    Rule {
        place: "core/src/",
        but: "",
        never: &[
            "tokio",
            "tracing",
            "aws_",
            "hyper",
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
            "std::io",
            "std::time::Instant",
            "std::time::SystemTime",
            "jiff::Zoned::now",
            "cognito_import_watch",
            "cognito_import_simulator",
        ],
        reason: "core decides; it has no input, no output and no clock",
    },
    Rule {
        place: "core/src/domain/",
        but: "",
        never: &["crate::schedule", "fastrand", "backoff"],
        reason: "the nouns know nothing of when they are asked about",
    },
    Rule {
        place: "core/src/",
        but: "core/src/schedule/backoff.rs",
        never: &[
            "backoff::ExponentialBackoff",
            "backoff::backoff",
            "backoff::exponential",
            "backoff::Clock",
            "backoff::future",
        ],
        reason: "the crate is not maintained, and its defaults bite: one file keeps it from the rest",
    },
    Rule {
        place: "src/",
        but: "src/systemd/",
        never: &["sd_notify"],
        reason: "one room speaks to the service manager",
    },
    Rule { place: "src/", but: "", never: &["backoff::", "fastrand"], reason: "how long to wait is decided in core" },
    Rule {
        place: "src/",
        but: "src/source/",
        never: &["aws_", "rustls"],
        reason: "one room speaks to AWS, so that errors are classified once and nothing secret leaves it",
    },
    Rule {
        place: "src/config",
        but: "",
        never: &[
            "tokio",
            "tracing",
            "crate::source",
            "crate::sink",
            "crate::telemetry",
            "crate::output",
            "crate::driver",
            "crate::run",
            "crate::cli",
            "crate::signal",
            "crate::exit",
        ],
        reason: "a config is resolved from text alone: no network, no clock, no log",
    },
    Rule {
        place: "src/source",
        but: "",
        never: &[
            "cognito_import_watch_core::schedule",
            "crate::config",
            "crate::sink",
            "crate::telemetry",
            "crate::output",
            "crate::driver",
            "crate::run",
            "crate::cli",
        ],
        reason: "an answer means the same whoever asked and whenever",
    },
    Rule {
        place: "src/sink",
        but: "",
        never: &[
            "tokio",
            "cognito_import_watch_core::schedule",
            "crate::source",
            "crate::config",
            "crate::output",
            "crate::driver",
            "crate::run",
            "crate::cli",
        ],
        reason: "sinks hear of facts and never ask back",
    },
    Rule {
        place: "src/telemetry",
        but: "",
        never: &[
            "cognito_import_watch_core::schedule",
            "crate::source",
            "crate::config",
            "crate::output",
            "crate::driver",
            "crate::run",
            "crate::cli",
        ],
        reason: "the log prints what it is given",
    },
    Rule {
        place: "src/systemd",
        but: "",
        never: &[
            "cognito_import_watch_core::schedule",
            "crate::source",
            "crate::config",
            "crate::output",
            "crate::driver",
            "crate::run",
            "crate::cli",
        ],
        reason: "the service manager hears what the daemon tells it, whatever is watched",
    },
    Rule {
        place: "src/output",
        but: "",
        never: &[
            "cognito_import_watch_core::schedule",
            "crate::source",
            "crate::config",
            "crate::driver",
            "crate::run",
            "crate::cli",
        ],
        reason: "a result is rendered from what is known, wherever it comes from",
    },
    Rule {
        place: "src/http",
        but: "",
        never: &[
            "cognito_import_watch_core::schedule",
            "crate::source",
            "crate::config",
            "crate::driver",
            "crate::run",
            "crate::cli",
            "rusqlite",
        ],
        reason: "callers are told what is known; nothing they ask for reaches the service or the scheduler's insides",
    },
    Rule {
        place: "src/",
        but: "src/http/",
        never: &["hyper::", "hyper_util", "http_body_util", "listenfd"],
        reason: "one room speaks HTTP to callers; the SDK has its own client",
    },
    Rule {
        place: "src/ask.rs",
        but: "",
        never: &[
            "cognito_import_watch_core::schedule",
            "crate::source",
            "crate::config",
            "crate::driver",
            "crate::run",
        ],
        reason: "whoever asks about the jobs learns nothing of how they are scheduled",
    },
    Rule {
        place: "src/driver",
        but: "",
        never: &["crate::config", "crate::cli", "crate::run", "crate::output", "crate::sink", "crate::telemetry"],
        reason: "the loop only performs; who watches it is its caller's business",
    },
    Rule {
        place: "src/",
        but: "src/run/",
        never: &["crate::run", "cognito_import_simulator"],
        reason: "only the commands put rooms together, and the simulator is reached over HTTP like AWS",
    },
    Rule {
        place: "simulator/src/",
        but: "",
        never: &["aws_", "cognito_import_watch", "cognito_import_watch_core", "tracing"],
        reason: "the simulator knows nothing of the daemon, else both could be wrong in the same way",
    },
    Rule {
        place: "benches/peers/src/",
        but: "",
        never: &["cognito_import_watch", "cognito_import_watch_core", "cognito_import_simulator"],
        reason: "what the daemon is measured beside shares nothing with it",
    },
    Rule {
        place: "benches/quota/src/",
        but: "",
        never: &[
            "tokio",
            "aws_",
            "hyper",
            "std::net",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
            "cognito_import_watch",
            "cognito_import_simulator",
        ],
        reason: "the quota simulation runs core on simulated time: it has no clock and no network",
    },
];

/// Every Rust file under a directory, by its path from the root.
fn sources(directory: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(directory)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{}/{name}", directory.trim_end_matches('/'));
        if root().join(&path).is_dir() {
            found.extend(sources(&path));
        } else if path.ends_with(".rs") {
            let text = std::fs::read_to_string(root().join(&path)).unwrap();
            found.push((path, text));
        }
    }
    found
}

#[test]
fn no_room_names_what_it_must_not() {
    let files: Vec<(String, BTreeSet<String>)> =
        ["src", "core/src", "simulator/src", "benches/peers/src", "benches/quota/src"]
            .into_iter()
            .flat_map(sources)
            .map(|(path, text)| (path, paths(&code_of(&text))))
            .collect();
    let mut broken = Vec::new();
    for rule in &RULES {
        let within = |path: &str| path.starts_with(rule.place) && (rule.but.is_empty() || !path.starts_with(rule.but));
        let place: Vec<_> = files.iter().filter(|(path, _)| within(path)).collect();
        assert!(!place.is_empty(), "nothing is at {}", rule.place);
        for (file, paths) in place {
            let bad = paths.iter().filter(|path| rule.never.iter().any(|never| names(path, never)));
            broken.extend(bad.map(|path| format!("{file} names {path}: {}", rule.reason)));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
