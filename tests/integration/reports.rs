//! The files that `wait` writes beside its result: the Markdown summary and the JUnit report.

use std::fs::read_to_string;
use std::path::Path;

use crate::harness::{FAST, Program, Stage, jobs, target};

/// A name that would break out of a table, of a code span and of an attribute.
const NAME: &str = r#"a|b `c` <img src=x> \" & @team \u202E ![x](https://x)"#;

fn stage() -> Stage {
    let ends = [
        ("good", r#"{status = "Succeeded", imported = 3}"#),
        ("faulty", r#"{status = "Succeeded", imported = 99, failed = 1}"#),
        ("running", r#"{status = "InProgress", imported = 2}"#),
    ];
    let hostile = format!(
        "[[pool.job]]\nid = \"import-hostile\"\nname = \"{NAME}\"\n\
         script = [{{status = \"Failed\", message = \"{NAME}\"}}]\n"
    );
    Stage::new(&(jobs(ends) + &hostile))
}

fn wait(stage: &Stage, names: &[&str]) -> Program {
    let targets = names.iter().map(|name| target(name));
    stage.configured(FAST, std::iter::once("wait".to_owned()).chain(targets))
}

/// The files of a directory that are none of the stage's own.
fn left_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "record" && !name.starts_with("watch-"));
    names.sort();
    names
}

#[test]
fn both_files_tell_what_stdout_tells_and_nothing_else_is_left() {
    let stage = stage();
    let flags = ["--summary", "summary.md", "--junit", "import.xml", "--output", "json"];
    let ended = wait(&stage, &["good", "faulty"]).args(flags).end().with_code(13);
    assert_eq!(ended.json()["exit_code"], 13);
    let summary = read_to_string(stage.path().join("summary.md")).unwrap();
    assert!(summary.starts_with("## Cognito user import: too many failed users\n\nExit code 13 after "), "{summary}");
    let rows: Vec<&str> = summary.lines().filter(|line| line.contains("/import-")).collect();
    assert!(rows[0].contains("`faulty`") && rows[1].contains("`good`") && rows.len() == 2, "{summary}");
    let junit = read_to_string(stage.path().join("import.xml")).unwrap();
    assert!(junit.contains(r#"tests="2" failures="1" errors="0""#), "{junit}");
    assert!(junit.contains(r#"<failure type="too_many_failed_users""#), "{junit}");
    assert_eq!(left_in(stage.path()), ["import.xml", "summary.md"]);
}

#[test]
fn each_flag_has_its_variable_and_the_summary_goes_by_default_where_github_shows_it() {
    let stage = stage();
    stage.file("step.md", "an earlier step, without the end of its line");
    wait(&stage, &["good"]).env("GITHUB_STEP_SUMMARY", "step.md").end().with_code(0);
    wait(&stage, &["faulty"]).env("GITHUB_STEP_SUMMARY", "step.md").end().with_code(13);
    let step = read_to_string(stage.path().join("step.md")).unwrap();
    let headings: Vec<&str> = step.lines().filter(|line| line.starts_with('#')).collect();
    assert!(step.starts_with("an earlier step, without the end of its line\n## "), "{step}");
    assert_eq!(headings, ["## Cognito user import: succeeded", "## Cognito user import: too many failed users"]);

    let both = wait(&stage, &["good"]).env("GITHUB_STEP_SUMMARY", "no/such/step.md");
    let both = both.env("COGNITO_IMPORT_WATCH_SUMMARY", "own.md").env("COGNITO_IMPORT_WATCH_JUNIT", "own.xml");
    both.end().with_code(0);
    assert_eq!(left_in(stage.path()), ["own.md", "own.xml", "step.md"]);

    let none = wait(&stage, &["good"]).env("GITHUB_STEP_SUMMARY", "").env("COGNITO_IMPORT_WATCH_JUNIT", "");
    none.end().with_code(0);
    assert_eq!(left_in(stage.path()), ["own.md", "own.xml", "step.md"]);
}

#[test]
fn what_the_service_says_is_text_in_both() {
    let stage = stage();
    wait(&stage, &["hostile"]).args(["--summary", "s.md", "--junit", "j.xml"]).end().with_code(10);
    let summary = read_to_string(stage.path().join("s.md")).unwrap();
    let shown = "``a\\|b `c` <img src=x> \" & @team \\u{202e} ![x](https://x)``";
    assert_eq!(summary.matches(shown).count(), 2, "{summary}");
    let junit = read_to_string(stage.path().join("j.xml")).unwrap();
    let shown = "a|b `c` &lt;img src=x&gt; &quot; &amp; @team \\u{202e} ![x](https://x)";
    assert!(junit.contains(&format!("name=\"{shown} (import-hostile)\"")), "{junit}");
    assert!(!junit.contains("<img") && !junit.contains('\u{202e}'), "{junit}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_at_once_and_the_result_is_printed_after_one_look() {
    let stage = stage();
    let stated = [("--summary", "no/such/s.md"), ("--junit", "no/such/j.xml"), ("--junit", ".")];
    let run = |(flag, path): (&str, &str), name: &str| {
        wait(&stage, &[name]).args([flag, path, "--output", "json", "--timeout", "1h"]).start()
    };
    let started: Vec<_> = stated.iter().map(|at| (at, run(*at, "good"), run(*at, "running"))).collect();
    for ((flag, path), good, running) in started {
        let ended = good.end().with_code(74);
        let result = ended.json();
        assert_eq!((&result["exit_code"], &result["verdict"]), (&74.into(), &"succeeded".into()));
        let told = format!("{path}: ");
        assert!(
            ended.stderr.contains(&told) && ended.stderr.contains(&format!("name another file with {flag}")),
            "{ended}"
        );
        assert_eq!(ended.stderr.matches("error: ").count(), 1, "once\n{ended}");
        assert_eq!(running.end().with_code(74).json()["jobs"][0]["status"], "InProgress");
    }
    let step = wait(&stage, &["good"]).env("GITHUB_STEP_SUMMARY", "no/such/step.md").end().with_code(74);
    assert!(step.stderr.contains("GITHUB_STEP_SUMMARY"), "{step}");
}

#[test]
fn a_file_that_is_lost_at_the_end_costs_neither_the_result_nor_the_other_file() {
    let stage = stage();
    for (flag, other) in [("--summary", "--junit"), ("--junit", "--summary")] {
        let flags = [flag, "/dev/full", other, "kept", "--output", "json"];
        let ended = wait(&stage, &["good"]).args(flags).end().with_code(74);
        assert_eq!((&ended.json()["exit_code"], &ended.json()["verdict"]), (&74.into(), &"succeeded".into()));
        assert!(ended.stderr.contains("/dev/full"), "{ended}");
        let kept = read_to_string(stage.path().join("kept")).unwrap();
        assert!(kept.contains("import-good"), "{kept}");
        std::fs::remove_file(stage.path().join("kept")).unwrap();
    }
}

#[test]
fn both_are_written_at_the_deadline_unseen_refused_and_after_a_signal() {
    let files =
        |name: &str| ["--summary".to_owned(), format!("{name}.md"), "--junit".to_owned(), format!("{name}.xml")];
    let ends = [("HUP", 129), ("INT", 130), ("TERM", 143)].map(|(signal, code)| {
        let stage = stage();
        let running = wait(&stage, &["running"]).args(files(signal)).start();
        (signal, code, stage, running)
    });
    for (signal, code, stage, running) in ends {
        stage.asked(1);
        running.signal(signal);
        running.end().with_code(code);
        let junit = read_to_string(stage.path().join(format!("{signal}.xml"))).unwrap();
        assert!(
            junit.contains(r#"tests="1" failures="0" errors="1""#) && junit.contains("interrupted: 2 imported"),
            "{junit}"
        );
        let summary = read_to_string(stage.path().join(format!("{signal}.md"))).unwrap();
        assert!(summary.contains(&format!("interrupted\n\nExit code {code} ")), "{summary}");
    }
    let stage = stage();
    let late = wait(&stage, &["running"]).args(files("late")).args(["--timeout", "0"]).start();
    let unseen = Program::new(stage.path(), ["wait", &target("good"), "--endpoint-url", "http://127.0.0.1:1"]);
    let keys = |program: Program| program.env("AWS_ACCESS_KEY_ID", "AKIA").env("AWS_SECRET_ACCESS_KEY", "no");
    let unseen = keys(unseen).args(files("unseen")).args(["--timeout", "0"]).start();
    let refused = keys(wait(&stage, &["good"])).args(files("refused")).start();
    for (name, running, code, verdict) in [
        ("late", late, 124, "deadline_exceeded"),
        ("unseen", unseen, 75, "unobservable"),
        ("refused", refused, 77, "access_denied"),
    ] {
        running.end().with_code(code);
        let junit = read_to_string(stage.path().join(format!("{name}.xml"))).unwrap();
        assert!(junit.contains(&format!("<error type=\"{verdict}\"")), "{junit}");
        assert!(
            read_to_string(stage.path().join(format!("{name}.md"))).unwrap().contains(&format!("Exit code {code} "))
        );
    }
}

#[test]
fn a_report_replaces_an_older_one_and_follows_its_link() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = stage();
    stage.file("real.xml", "an older and much longer report".repeat(1_000).as_str());
    std::os::unix::fs::symlink("real.xml", stage.path().join("link.xml")).unwrap();
    wait(&stage, &["good"]).args(["--junit", "link.xml"]).end().with_code(0);
    let report = read_to_string(stage.path().join("real.xml")).unwrap();
    assert!(report.starts_with("<?xml") && report.ends_with("</testsuites>\n"), "{report}");
    assert!(stage.path().join("link.xml").is_symlink());
    let readable = stage.path().join("real.xml").metadata().unwrap().permissions().mode() & 0o044;
    let made = stage.path().join("other").with_extension("md");
    std::fs::write(&made, "").unwrap();
    assert_eq!(readable, made.metadata().unwrap().permissions().mode() & 0o044, "as any file that is made here");
}
