//! The house rules that a compiler does not check: which room may name which, and what the lock file may hold.
//!
//! The rules are the table of the crate's documentation, as data. Rust is read as far as this needs: comments and
//! texts are passed over, and every path is taken, those in braces too.

use std::collections::BTreeSet;
use std::path::Path;

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

const RULES: [Rule; 20] = [
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

/// The rooms of the root package, so that `super::super::sink` is taken for what it is.
const ROOMS: [&str; 11] =
    ["cli", "config", "driver", "http", "ledger", "output", "run", "sink", "source", "telemetry", "signal"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

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

/// The code without comments and texts.
fn code_of(text: &str) -> String {
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
fn paths(code: &str) -> BTreeSet<String> {
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

fn names(path: &str, never: &str) -> bool {
    let own = absolute(path);
    if never.ends_with('_') || never.ends_with("::") {
        return own.starts_with(never);
    }
    own.strip_prefix(never).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
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

fn table(path: &str) -> toml::Table {
    std::fs::read_to_string(root().join(path)).unwrap().parse().unwrap()
}

fn dependencies(manifest: &str) -> BTreeSet<String> {
    table(manifest)["dependencies"].as_table().unwrap().keys().cloned().collect()
}

#[test]
fn the_manifests_keep_core_and_the_simulator_apart_from_the_rest() {
    let core = dependencies("core/Cargo.toml");
    let known =
        ["backoff", "fastrand", "jiff", "postcard", "serde", "serde_json", "smol_str", "uuid"].map(str::to_owned);
    assert!(core.is_subset(&known.into()), "core takes data and gives data; what is new here? {core:?}");
    let simulator = dependencies("simulator/Cargo.toml");
    let foreign = |name: &&String| name.starts_with("aws") || name.starts_with("cognito-import-watch");
    assert_eq!(simulator.iter().find(foreign), None);
    assert!(!dependencies("Cargo.toml").contains("backoff"));
}

#[test]
fn the_lock_file_holds_one_http_stack_and_one_tls() {
    let lock = table("Cargo.lock");
    let versions = |name: &str| -> Vec<String> {
        let packages = lock["package"].as_array().unwrap().iter();
        let named = packages.filter(|package| package["name"].as_str() == Some(name));
        named.map(|package| package["version"].as_str().unwrap().to_owned()).collect()
    };
    for once in ["hyper", "rustls", "tokio", "http", "h2", "ring"] {
        assert!(versions(once).len() <= 1, "{once}: {:?}", versions(once));
    }
    assert!(versions("hyper")[0].starts_with("1."), "hyper 0.14 has known vulnerabilities");
    assert!(versions("rustls")[0].starts_with("0.23."), "rustls 0.21 has known vulnerabilities");
    for never in ["aws-lc-sys", "aws-lc-rs", "openssl", "openssl-sys", "native-tls", "reqwest"] {
        assert_eq!(versions(never), Vec::<String>::new(), "{never}");
    }
}
