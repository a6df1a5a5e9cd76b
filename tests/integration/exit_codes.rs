//! Every exit code of the contract, by `wait` and by `run --exit-when-complete`. Code 1 has a unit test in `exit.rs`.

use crate::harness::{FAST, POOL, Program, Stage, jobs};

/// A job for each way to end.
const ENDS: [(&str, &str); 7] = [
    ("good", r#"{status = "Succeeded", imported = 3}"#),
    ("failed", r#"{status = "Failed", imported = 14, failed = 32}"#),
    ("stopped", r#"{status = "Stopped", imported = 7}"#),
    ("expired", r#"{status = "Expired"}"#),
    ("faulty", r#"{status = "Succeeded", imported = 99, failed = 1}"#),
    ("skipped", r#"{status = "Succeeded", imported = 1, skipped = 5}"#),
    ("running", r#"{status = "InProgress", imported = 2}"#),
];

/// A job for each way not to be seen, in a pool of its own: whatever is asked about it fails.
const UNSEEN: [(&str, &str); 3] = [
    ("broken", r#"{ kind = "gateway", status = 502 }"#),
    ("denied", r#"{ kind = "error", code = "AccessDeniedException", message = "no", message_key = "Message" }"#),
    ("invalid", r#"{ kind = "error", code = "InvalidParameterException", message = "1 validation error detected" }"#),
];

const POLICY: &str = "[policy]\nmax_skipped_users = 4\nnot_found_grace = \"0\"\n";

fn stage() -> Stage {
    let unseen = UNSEEN.iter().map(|(job, answer)| {
        format!(
            "[[pool]]\nid = \"{0}\"\n[[pool.job]]\nid = \"import-{job}\"\nscript = [{{status = \"InProgress\"}}]\n\
             [[fault]]\npool = \"{0}\"\nanswer = {answer}\n",
            pool(job)
        )
    });
    Stage::new(&(jobs(ENDS) + &unseen.collect::<String>()))
}

fn pool(job: &str) -> String {
    let is_unseen = UNSEEN.iter().any(|(unseen, _)| *unseen == job);
    if is_unseen { format!("us-west-2_{}", job.to_uppercase()) } else { POOL.to_owned() }
}

/// A job as it is typed.
fn target(job: &str) -> String {
    format!("{}/import-{job}", pool(job))
}

#[test]
fn each_end_of_a_job_has_its_code() {
    let stage = stage();
    let config = format!("{FAST}{POLICY}");
    let cases = [
        ("good", 0),
        ("failed", 10),
        ("stopped", 11),
        ("expired", 12),
        ("faulty", 13),
        ("skipped", 14),
        ("missing", 15),
        ("denied", 77),
        ("invalid", 2),
    ];
    let run = |command: &[&str], job: &str| {
        let target = target(job);
        stage.configured(&config, command.iter().copied().chain([target.as_str()])).start()
    };
    let started: Vec<_> = cases
        .iter()
        .map(|(job, code)| (job, code, run(&["wait"], job), run(&["run", "--exit-when-complete"], job)))
        .collect();
    for (job, code, wait, run) in started {
        assert_eq!((wait.end().code(), run.end().code()), (*code, *code), "{job}");
    }
}

#[test]
fn of_several_codes_the_contract_says_which_comes_first() {
    let stage = stage();
    let config = format!("{FAST}{POLICY}");
    // The order of the contract; each command line leaves out one more of the first.
    let ordered = [
        ("denied", 77),
        ("invalid", 2),
        ("missing", 15),
        ("failed", 10),
        ("expired", 12),
        ("stopped", 11),
        ("faulty", 13),
        ("skipped", 14),
        ("broken", 75),
        ("running", 124),
        ("good", 0),
    ];
    let started: Vec<_> = (0..ordered.len())
        .map(|first| {
            let arguments = ["wait", "--timeout", "0", "--output", "json"].map(str::to_owned).into_iter();
            // The decisive job comes last: its place on the command line must not matter.
            let targets = ordered[first..].iter().rev().map(|(job, _)| target(job));
            stage.configured(&config, arguments.chain(targets)).start()
        })
        .collect();
    for (running, (job, code)) in started.into_iter().zip(ordered) {
        let ended = running.end().with_code(code);
        let result = ended.json();
        let jobs = result["jobs"].as_array().unwrap();
        let decisive = jobs.iter().find(|seen| seen["job_id"] == format!("import-{job}")).unwrap();
        assert_eq!((&result["verdict"], &result["exit_code"]), (&decisive["verdict"], &code.into()), "{job}");
    }
}

#[test]
fn wrong_usage_is_2_before_any_call() {
    let stage = stage();
    let good = target("good");
    let cases: [&[&str]; 9] = [
        &["wait"],
        &["run"],
        &["status"],
        &["list"],
        &["wait", "import-good"],
        &["wait", &format!("{POOL}/")],
        &["wait", &good, "--timeout", "30"],
        &["wait", &good, "--no-such-flag"],
        &["check"],
    ];
    for case in cases {
        let ended = stage.program(case).end();
        assert_eq!((ended.code(), ended.stdout.as_str()), (2, ""), "{case:?}\n{ended}");
        assert!(!ended.stderr.trim().is_empty(), "{case:?}");
    }
    assert_eq!(stage.close().len(), 0);
}

#[test]
fn a_result_that_cannot_be_written_is_74_and_comes_before_what_it_says() {
    let stage = stage();
    let config = format!("{FAST}{POLICY}");
    for job in ["good", "failed", "missing"] {
        let ended = stage.configured(&config, ["wait", &target(job)]).onto_a_full_disk().end().with_code(74);
        assert!(ended.stderr.contains("stdout"), "{ended}");
    }
    let denied = stage.configured(&config, ["wait", &target("denied")]).onto_a_full_disk().start();
    for arguments in [vec!["status", &target("good")], vec!["list", POOL], vec!["check"]] {
        let file = format!("{config}[[job]]\ntarget = \"{}\"\n", target("good"));
        stage.configured(&file, arguments).onto_a_full_disk().end().with_code(74);
    }
    denied.end().with_code(74);
    Program::new(stage.path(), ["simulate", "--listen", "127.0.0.1:0", "--record", "no/such/folder"])
        .end()
        .with_code(74);
}

#[test]
fn a_signal_outweighs_a_result_that_cannot_be_written() {
    let stage = stage();
    let wait = stage.program(["wait", &target("running")]).onto_a_full_disk().start();
    stage.asked(1);
    wait.signal("TERM");
    let ended = wait.end().with_code(143);
    assert!(ended.stderr.contains("stdout"), "it says so all the same\n{ended}");
}

#[test]
fn a_service_that_never_answers_well_is_75() {
    let stage = stage();
    let never = stage.program(["wait", &target("broken"), "--timeout", "0"]).start();
    let given_up = stage.program(["wait", &target("broken"), "--unobserved-timeout", "300ms"]).start();
    let late = stage.program(["wait", &target("broken"), "--timeout", "300ms", "--initial-interval", "50ms"]).start();
    for running in [never, given_up, late] {
        running.end().with_code(75);
    }
}

#[test]
fn at_the_deadline_the_age_of_the_last_good_poll_tells_75_from_124() {
    let lost = r#"
        [[fault]]
        first = 2
        answer = { kind = "reset" }"#;
    let [fresh, stale] = [0, 1].map(|_| Stage::new(&(jobs(ENDS) + lost)));
    let wait = |stage: &Stage, longest: &str| {
        let flags = ["--timeout", "2s", "--initial-interval", "100ms", "--max-interval", longest];
        stage.program(["wait", &target("running")].into_iter().chain(flags)).start()
    };
    let (within, beyond) = (wait(&fresh, "30s"), wait(&stale, "100ms"));
    within.end().with_code(124);
    beyond.end().with_code(75);
}

#[test]
fn a_deadline_that_passes_while_a_job_runs_is_124() {
    let stage = stage();
    let running = target("running");
    let config = format!("{FAST}[policy]\ndeadline = \"1s\"\n");
    let started = [
        stage.program(["wait", &running, "--timeout", "0"]).start(),
        stage.program(["wait", &running, "--timeout", "300ms"]).start(),
        stage.configured(&config, ["wait", &running]).start(),
        stage.configured(&config, ["run", "--exit-when-complete", &running]).start(),
    ];
    for running in started {
        running.end().with_code(124);
    }
}

#[test]
fn run_is_75_when_the_deadline_finds_a_service_that_was_lost() {
    let lost = r#"
        [[fault]]
        first = 3
        answer = { kind = "internal" }"#;
    let stage = Stage::new(&(jobs(ENDS) + lost));
    let config = format!("{FAST}[policy]\ndeadline = \"1s\"\n");
    stage.configured(&config, ["run", "--exit-when-complete", &target("running")]).end().with_code(75);
}

#[test]
fn credentials_that_are_missing_or_wrong_are_77() {
    let stage = stage();
    let target = target("good");
    let wait = || stage.program(["wait", &target]);
    let missing = wait().without_env("AWS_ACCESS_KEY_ID").without_env("AWS_SECRET_ACCESS_KEY").start();
    let wrong_secret = wait().env("AWS_SECRET_ACCESS_KEY", "wrong").start();
    let wrong_key = wait().env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN").start();
    let list = stage.program(["list", POOL]).env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN").start();
    let status = stage.program(["status", &target]).env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN").start();
    for running in [missing, wrong_secret, wrong_key, list, status] {
        running.end().with_code(77);
    }
}

#[test]
fn a_config_that_is_wrong_or_names_no_job_is_78() {
    let stage = stage();
    for command in [&["wait"][..], &["run"], &["run", "--exit-when-complete"], &["status"], &["check"]] {
        for config in ["", "[poll]\nmultiplier = 99\n", "not toml"] {
            let ended = stage.configured(config, command).end().with_code(78);
            assert_eq!(ended.stdout, "", "{command:?}");
        }
        stage.program(command).args(["--config", "no-such-file.toml"]).end().with_code(78);
    }
    assert_eq!(stage.close().len(), 0);
}

#[test]
fn a_signal_ends_wait_with_its_code_and_the_result() {
    let started: Vec<_> = [("HUP", 129), ("INT", 130), ("TERM", 143)]
        .into_iter()
        .map(|(signal, code)| {
            let stage = stage();
            let wait = stage.program(["wait", &target("running"), &target("good"), "--output", "json"]).start();
            (signal, code, stage, wait)
        })
        .collect();
    for (signal, code, stage, running) in started {
        // It asked about both jobs; an answer that is still on its way is waited for.
        stage.asked(2);
        running.signal(signal);
        let ended = running.end().with_code(code);
        let result = ended.json();
        assert_eq!((&result["verdict"], &result["exit_code"]), (&"interrupted".into(), &code.into()));
        let [running, good] = result["jobs"].as_array().unwrap().as_slice() else { panic!("{ended}") };
        assert_eq!((&running["verdict"], &running["status"]), (&"interrupted".into(), &"InProgress".into()));
        assert_eq!((&good["verdict"], &good["status"]), (&"succeeded".into(), &"Succeeded".into()));
    }
}

#[test]
fn a_signal_ends_run_with_its_code_only_when_it_was_to_end_by_itself() {
    let stage = stage();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let start = |flags: &[&str]| {
            stage.program(["run", &target("running")].iter().copied().chain(flags.iter().copied())).start()
        };
        let (until_complete, daemon) = (start(&["--exit-when-complete"]), start(&[]));
        for running in [&until_complete, &daemon] {
            running.event("job.first_seen");
            running.signal(signal);
        }
        until_complete.end().with_code(code);
        daemon.end().with_code(0);
    }
}
