//! The shell of each pipeline in `deploy/pipelines`, and of the README's step, as their runners run it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{POOL, Program, Stage, jobs, target};

const GITHUB: &str = include_str!("../../deploy/pipelines/github-actions.yml");
const GITLAB: &str = include_str!("../../deploy/pipelines/gitlab-ci.yml");
const README: &str = include_str!("../../README.md");

/// A variable that the tests set in place of the pipeline.
const TIMEOUT: &str = "COGNITO_IMPORT_WATCH_TIMEOUT";

/// How long a build with optimizations may take where nothing of it was built before.
const BUILD: Duration = Duration::from_secs(3_600);

/// How a job ends: its name, what the pipeline waits for at the most, the code of `wait`, how often it is run.
struct Case {
    job: &'static str,
    timeout: Option<&'static str>,
    code: i32,
    tries: usize,
}

const CASES: [Case; 6] = [
    Case { job: "good", timeout: None, code: 0, tries: 1 },
    Case { job: "failed", timeout: None, code: 10, tries: 1 },
    Case { job: "faulty", timeout: None, code: 13, tries: 1 },
    Case { job: "broken", timeout: Some("0"), code: 75, tries: 3 },
    Case { job: "running", timeout: Some("0"), code: 124, tries: 3 },
    Case { job: "late", timeout: Some("0"), code: 0, tries: 2 },
];

/// A service of its own for each case, for `late` depends on how often it was asked.
fn stage() -> Stage {
    let ends = [
        ("good", r#"{status = "Succeeded", imported = 3}"#),
        ("failed", r#"{status = "Failed", failed = 3}"#),
        ("faulty", r#"{status = "Succeeded", imported = 99, failed = 1}"#),
        ("running", r#"{status = "InProgress"}"#),
        ("late", r#"{polls = 1, status = "InProgress"}, {status = "Succeeded"}"#),
        ("mAgUtd8PMm", r#"{status = "Succeeded", imported = 99, failed = 1}"#),
    ];
    let broken = "[[pool]]\nid = \"us-west-2_BROKEN\"\n[[fault]]\npool = \"us-west-2_BROKEN\"\n\
                  answer = { kind = \"gateway\", status = 502 }\n";
    Stage::new(&(jobs(ends) + broken))
}

fn target_of(case: &Case) -> String {
    if case.job == "broken" { "us-west-2_BROKEN/import-broken".to_owned() } else { target(case.job) }
}

fn yaml(text: &str) -> Value {
    serde_norway::from_str(text).unwrap()
}

/// The texts of a mapping, such as the variables of a step.
fn texts(mapping: &Value) -> Vec<(&str, &str)> {
    mapping.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect()
}

fn numbers(value: &Value) -> Vec<i64> {
    match value.as_array() {
        Some(all) => all.iter().map(|number| number.as_i64().unwrap()).collect(),
        None => vec![value.as_i64().unwrap()],
    }
}

/// The shell of the one step of the workflow that has any, and its variables.
fn of_github(workflow: &str) -> (String, Vec<(String, String)>) {
    let workflow = yaml(workflow);
    let steps = workflow["jobs"]["import"]["steps"].as_array().unwrap();
    let mut with_shell = steps.iter().filter(|step| step.get("run").is_some());
    let (step, None) = (with_shell.next().unwrap(), with_shell.next()) else { panic!("one step has a shell") };
    assert_eq!(step["shell"].as_str(), Some("bash"));
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    (step["run"].as_str().unwrap().to_owned(), texts(&step["env"]).into_iter().map(owned).collect())
}

fn with_timeout(program: Program, case: &Case) -> Program {
    match case.timeout {
        Some(timeout) => program.env(TIMEOUT, timeout),
        None => program,
    }
}

/// How many waits a summary tells of.
fn tries(summary: &Path) -> usize {
    std::fs::read_to_string(summary).unwrap().matches("## Cognito user import: ").count()
}

#[test]
fn github_tries_again_after_75_and_124_and_lets_13_pass() {
    let (shell, variables) = of_github(GITHUB);
    let started = CASES.map(|case| {
        let stage = stage();
        let script = stage.file("script.sh", &shell);
        // As the runner does it where a step says `shell: bash`.
        let mut step = stage.shell("bash", ["--noprofile", "--norc", "-eo", "pipefail"]).arg(script);
        for (name, value) in &variables {
            step = step.env(name, if name == "TARGET" { target_of(&case) } else { value.clone() });
        }
        let step = with_timeout(step.env("GITHUB_STEP_SUMMARY", "step.md"), &case).start();
        (case, stage, step)
    });
    for (case, stage, step) in started {
        let ended = step.end().with_code(if case.code == 13 { 0 } else { case.code });
        assert_eq!(tries(&stage.path().join("step.md")), case.tries, "{}\n{ended}", case.job);
        assert!(stage.path().join("import.xml").exists(), "{}", case.job);
        let warnings = ended.stdout.lines().filter(|line| line.starts_with("::warning::")).count();
        let expected = if case.code == 0 {
            case.tries - 1
        } else if case.tries == 1 {
            0
        } else {
            case.tries
        };
        assert_eq!(warnings, if case.code == 13 { 1 } else { expected }, "{ended}");
    }
}

#[test]
fn gitlab_is_told_the_codes_and_tries_again_after_75_and_124_and_lets_13_pass() {
    let pipeline = yaml(GITLAB);
    let job = &pipeline["wait-for-import"];
    let lines: Vec<&str> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let (again, most) = (numbers(&job["retry"]["exit_codes"]), job["retry"]["max"].as_i64().unwrap());
    let allowed = numbers(&job["allow_failure"]["exit_codes"]);
    assert_eq!((again.as_slice(), most, allowed.as_slice()), (&[75, 124][..], 2, &[13][..]));
    for shell in [&["sh", "-e"][..], &["bash", "-eo", "pipefail"]] {
        let started = CASES.map(|case| {
            let stage = stage();
            let script = stage.file("script.sh", &lines.join("\n"));
            let mut runs = 0;
            // What GitLab does with `retry`: the job is run again.
            let code = loop {
                let mut job_of = stage.shell(shell[0], &shell[1..]).arg(&script);
                for (name, value) in texts(&job["variables"]) {
                    job_of = job_of.env(name, value);
                }
                let ended = with_timeout(job_of.env("IMPORT_TARGET", target_of(&case)), &case).end();
                runs += 1;
                if !again.contains(&ended.code().into()) || runs > most {
                    break ended.code();
                }
            };
            (case, stage, code, runs)
        });
        for (case, stage, code, runs) in started {
            assert_eq!((code, runs as usize), (case.code, case.tries), "{}", case.job);
            for file in ["import.xml", "import.md"] {
                assert!(stage.path().join(file).exists(), "{file} of {}", case.job);
            }
        }
    }
    let kept = job["artifacts"]["reports"]["junit"].as_str();
    assert_eq!(kept, texts(&job["variables"]).iter().find(|(name, _)| name.ends_with("_JUNIT")).map(|(_, file)| *file));
}

#[test]
#[ignore = "needs make: the gate's stage `pipelines`"]
fn make_tries_again_after_75_and_124_and_lets_13_pass() {
    let makefile = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/pipelines/Makefile");
    let started = CASES.map(|case| {
        let stage = stage();
        let target = format!("TARGET={}", target_of(&case));
        let make = stage.shell("make", ["-f", makefile, "wait", &target]);
        let make = with_timeout(make, &case).start();
        (case, stage, make)
    });
    for (case, stage, make) in started {
        let passes = case.code == 0 || case.code == 13;
        let ended = make.end().with_code(if passes { 0 } else { 2 });
        assert!(passes || ended.stderr.contains(&format!("Error {}\n", case.code)), "{ended}");
        assert_eq!(tries(&stage.path().join("import.md")), case.tries, "{}\n{ended}", case.job);
        assert!(stage.path().join("import.xml").exists());
    }
}

#[test]
fn a_target_that_is_shell_is_text_to_every_pipeline() {
    let stage = stage();
    let (shell, _) = of_github(GITHUB);
    let evil = "x\"; touch owned; $(touch owned) `touch owned`";
    let script = stage.file("script.sh", &shell);
    stage.shell("bash", ["-e"]).arg(&script).env("TARGET", evil).end().with_code(2);
    let line = yaml(GITLAB)["wait-for-import"]["script"][0].as_str().unwrap().to_owned();
    stage.shell("sh", ["-c", &line]).env("IMPORT_TARGET", evil).end().with_code(2);
    assert!(!stage.path().join("owned").exists());
}

/// The commands of the README's step.
fn commands_of_the_readme() -> Vec<&'static str> {
    let block = README.split("<!-- run by a test: pipeline -->\n```sh\n").nth(1).expect("the README has the step");
    block.split("```").next().unwrap().lines().collect()
}

/// Runs the README's step in a shell that ends at the first failure, as pipelines do.
fn run_readme(stage: &Stage, commands: &[&str]) -> Program {
    stage.shell("sh", ["-e"]).arg(stage.file("step.sh", &commands.join("\n")))
}

#[test]
fn the_step_of_the_readme_does_what_it_says_in_at_most_five_commands() {
    let commands = commands_of_the_readme();
    assert!(commands.len() <= 5, "{commands:?}");
    assert_eq!(commands[0], "cargo install --locked --path .", "the gate runs this one too");
    let stage = stage();
    let job = target("mAgUtd8PMm");
    assert_eq!(job, format!("{POOL}/import-mAgUtd8PMm"));
    let ended = run_readme(&stage, &commands[1..]).end().with_code(13);
    assert!(ended.stdout.contains("too many failed users: exit code 13"), "{ended}");
    assert_eq!(tries(&stage.path().join("import.md")), 1);
    assert!(stage.path().join("import.xml").exists());
}

#[test]
#[ignore = "builds the program with optimizations: the gate's stage `pipelines`"]
fn the_step_of_the_readme_works_from_its_first_command_on() {
    let stage = stage();
    let root = env!("CARGO_MANIFEST_DIR");
    let commands = commands_of_the_readme();
    let installed = stage.path().join("installed");
    let path = format!("{}/bin:{}", installed.display(), std::env::var("PATH").unwrap());
    let home = std::env::var("HOME").unwrap();
    let usual = |name: &str, otherwise: &str| std::env::var(name).unwrap_or(format!("{home}/{otherwise}"));
    // The first command is for the checkout; what the rest writes stays in the test's directory.
    let (install, step) = (format!("(cd '{root}' && {})", commands[0]), &commands[1..]);
    let all: Vec<&str> = std::iter::once(install.as_str()).chain(step.iter().copied()).collect();
    let step = run_readme(&stage, &all)
        .env("CARGO_INSTALL_ROOT", &installed)
        .env("CARGO_HOME", usual("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", usual("RUSTUP_HOME", ".rustup"))
        .env("PATH", path);
    step.start().end_or_kill(BUILD).with_code(13);
    assert!(installed.join("bin/cognito-import-watch").exists());
}

#[test]
#[ignore = "needs shellcheck: the gate's stage `pipelines`"]
fn the_shell_of_each_pipeline_passes_shellcheck() {
    let stage = stage();
    let gitlab = yaml(GITLAB);
    let lines = gitlab["wait-for-import"]["script"].as_array().unwrap();
    let gitlab: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    // What make hands to the shell, whole: what `-n` prints.
    let makefile = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/pipelines/Makefile");
    let recipe = stage.shell("make", ["-n", "-f", makefile, "wait"]).end().with_code(0).stdout;
    let scripts = [
        ("bash", of_github(GITHUB).0),
        ("sh", gitlab.join("\n")),
        ("sh", recipe),
        ("sh", commands_of_the_readme().join("\n")),
    ];
    for (number, (shell, script)) in scripts.into_iter().enumerate() {
        // Each line of the pipelines' own variables is set outside.
        let file = stage.file(&format!("{number}.sh"), &script);
        stage.shell("shellcheck", ["--shell", shell, "--norc"]).arg(file).end().with_code(0);
    }
}
