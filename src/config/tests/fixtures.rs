//! Bad files in `tests/config/bad`, each with its exact messages beside it.

use std::path::{Path, PathBuf};

use super::*;

fn bad_files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/bad");
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

fn diagnose(path: &Path) -> Diagnostics {
    let name = path.file_name().unwrap().to_string_lossy();
    resolve(&[Source::new(name, std::fs::read(path).unwrap())], &Overrides::default())
        .err()
        .unwrap_or_else(|| panic!("{} is accepted", path.display()))
}

/// With `UPDATE_EXPECTED=1` the messages are written instead, for a person to read before they are committed.
#[test]
fn each_bad_file_is_told_with_the_messages_beside_it() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let files = bad_files();
    assert!(files.len() > 25, "only {} bad files", files.len());
    for path in files {
        let said = diagnose(&path).render(Style::Plain) + "\n";
        let beside = path.with_extension("txt");
        if update {
            std::fs::write(&beside, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        assert!(said == expected, "{} is told as\n\n{said}\nand not as\n\n{expected}", path.display());
    }
}

#[test]
fn twelve_problems_of_twelve_kinds_get_twelve_carets_in_the_right_places() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/bad/twelve-kinds.toml");
    let problems = diagnose(&path);
    let found: Vec<(usize, usize, &str, &str)> = problems
        .iter()
        .map(|diagnostic| match &diagnostic.origin {
            Origin::File(excerpt) => {
                (excerpt.line, excerpt.column, excerpt.marked(), diagnostic.key.as_deref().unwrap_or_default())
            }
            Origin::CommandLine(flag) => panic!("{flag}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            (3, 20, "\"1m\"", "poll.initial_interval"),
            (5, 1, "multipliers", "poll.multipliers"),
            (6, 10, "1.5", "poll.jitter"),
            (7, 19, "10", "poll.request_timeout"),
            (8, 9, "\"allways\"", "poll.batch"),
            (11, 17, "many", ""),
            (14, 12, "true", "policy.deadline"),
            (15, 1, "deadline", ""),
            (23, 11, "\"prodd\"", "job.account"),
            (26, 10, "\"us-west-2_EXAMPLE/import-a\"", "job.target"),
            (28, 1, "[[job]]", "job.target"),
            (33, 10, "\"eu-west-1\"", "pool.region"),
        ]
    );
    // The carets of the rendering stand under the marked text.
    let rendered = problems.render(Style::Plain);
    assert_eq!(rendered.matches("error: ").count(), 12);
    for (line, column, marked, _) in found {
        let place = format!("--> twelve-kinds.toml:{line}:{column}\n");
        let after = rendered.split(&place).nth(1).unwrap_or_else(|| panic!("{place} is not in\n{rendered}"));
        let lines: Vec<&str> = after.lines().take(3).collect();
        let caret = lines[2].find('^').unwrap();
        assert_eq!(lines[1].get(caret..caret + marked.len()), Some(marked));
        assert_eq!(lines[2].trim_end().len(), caret + marked.len(), "{}", lines[2]);
    }
}

#[test]
fn colour_is_there_only_when_asked_for() {
    let problems = diagnose(&bad_files()[0]);
    assert!(!problems.render(Style::Plain).contains('\u{1b}'));
    assert!(problems.render(Style::Colored).contains('\u{1b}'));
}

#[test]
fn no_secret_of_a_file_is_repeated() {
    for name in ["secrets-are-hidden", "endpoint-of-another-form"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/config/bad/{name}.toml"));
        let problems = diagnose(&path);
        let said = format!("{}\n{problems}\n{problems:?}", problems.render(Style::Plain));
        for secret in ["AKIA", "wJalr", "bPxRfi", "hunter2"] {
            assert!(!said.contains(secret), "{secret} is in\n{said}");
        }
    }
}
