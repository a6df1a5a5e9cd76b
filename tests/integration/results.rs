//! What the one-shot commands print, and that stdout holds nothing else.

use serde_json::{Value, json};

use crate::harness::{FAST, POOL, Stage, events, jobs, lines, names, target};

/// The sample answer of the service's API page: no dates and no message.
const SAMPLE: &str = r#"
    {status = "Succeeded", imported = 99, failed = 1, message = "",
     omit = ["CreationDate", "StartDate", "CompletionDate", "CompletionMessage"]}"#;

/// A job with everything that the service can tell.
const FULL: &str = r#"
    {status = "Succeeded", imported = 12, skipped = 3, message = "Import Job Completed Successfully.",
     set = {CreationDate = 1548271708.512, StartDate = 1548271709.5, CompletionDate = 1.548271712E9}}"#;

fn time(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn the_json_of_wait_is_the_contracts_key_by_key() {
    let stage = Stage::new(&jobs([("full", FULL), ("sample", SAMPLE)]));
    let named = format!("[[job]]\ntarget = \"{}\"\nname = \"nightly customers\"\n", target("full"));
    let config = format!("{FAST}{named}[[job]]\ntarget = \"{}\"\n", target("sample"));
    let ended = stage.configured(&config, ["wait", "--output", "json"]).end().with_code(13);
    let result = ended.json();
    let elapsed = result["elapsed_seconds"].as_f64().unwrap();
    assert!(elapsed > 0.0 && elapsed < 60.0, "{elapsed}");
    let seen: Vec<&Value> = result["jobs"].as_array().unwrap().iter().map(|job| &job["observed_at"]).collect();
    assert!(time(seen[0]) <= time(seen[1]), "asked in the order of the file");
    // Byte for byte but for what depends on the clock: the keys, their order, the values and what is null.
    let expected = format!(
        concat!(
            r#"{{"verdict":"too_many_failed_users","exit_code":13,"elapsed_seconds":{elapsed},"polls":2,"jobs":["#,
            r#"{{"user_pool_id":"{pool}","job_id":"import-full","job_name":"full","name":"nightly customers","#,
            r#""status":"Succeeded","verdict":"succeeded","imported_users":12,"skipped_users":3,"failed_users":0,"#,
            r#""created_at":"2019-01-23T19:28:28.512Z","started_at":"2019-01-23T19:28:29.500Z","#,
            r#""completed_at":"2019-01-23T19:28:32.000Z","completion_message":"Import Job Completed Successfully.","#,
            r#""observed_at":{first}}},"#,
            r#"{{"user_pool_id":"{pool}","job_id":"import-sample","job_name":"sample","name":"sample","#,
            r#""status":"Succeeded","verdict":"too_many_failed_users","imported_users":99,"skipped_users":0,"#,
            r#""failed_users":1,"created_at":null,"started_at":null,"completed_at":null,"completion_message":null,"#,
            r#""observed_at":{second}}}]}}"#,
            "\n"
        ),
        elapsed = result["elapsed_seconds"],
        pool = POOL,
        first = seen[0],
        second = seen[1],
    );
    assert_eq!(ended.stdout, expected);
}

#[test]
fn the_sample_of_the_api_page_is_13_unless_a_failed_user_is_allowed() {
    let stage = Stage::new(&jobs([("sample", SAMPLE)]));
    let wait = |flags: &[&str]| {
        let arguments = ["wait", &target("sample"), "--log-format", "json"].map(str::to_owned);
        stage.program(arguments).args(flags).start()
    };
    let (strict, any, one) = (wait(&[]), wait(&["--max-failed-users", "any"]), wait(&["--max-failed-users", "1"]));
    let run = stage.configured(FAST, ["run", "--exit-when-complete", &target("sample")]).start();
    any.end().with_code(0);
    one.end().with_code(0);
    let strict = strict.end().with_code(13);
    let told: Vec<Value> = events(&strict.stderr).into_iter().filter(|event| event["level"] != "info").collect();
    assert_eq!(names(&told), ["job.failed_users", "job.completed"], "{strict}");
    let failed = &told[0];
    let members = ["level", "status", "imported_users", "failed_users", "previous_failed_users", "new_failed_users"];
    assert_eq!(
        members.map(|key| failed[key].clone()),
        [json!("warn"), json!("Succeeded"), json!(99), json!(1), json!(0), json!(1)]
    );
    let run = run.end().with_code(13);
    let logged = events(&run.stdout);
    let of_job: Vec<Value> = logged.into_iter().filter(|event| event["job_id"].is_string()).collect();
    assert_eq!(names(&of_job), ["job.first_seen", "job.failed_users", "job.completed"]);
    let completed = &of_job[2];
    assert_eq!(completed["verdict"], "too_many_failed_users");
    for unknown in ["elapsed_seconds", "completion_message", "created_at", "started_at", "completed_at"] {
        assert_eq!(completed.get(unknown), Some(&Value::Null), "{unknown}");
    }
}

#[test]
fn skipped_users_count_only_where_the_owner_says_so() {
    let stage = Stage::new(&jobs([
        ("some", r#"{status = "Succeeded", imported = 5, skipped = 3}"#),
        ("all", r#"{status = "Failed", skipped = 3}"#),
        ("mixed", r#"{status = "Failed", imported = 1, skipped = 3}"#),
        ("none", r#"{status = "Failed"}"#),
    ]));
    let cases: [(&str, &[&str], i32); 9] = [
        ("some", &[], 0),
        ("some", &["--max-skipped-users", "3"], 0),
        ("some", &["--max-skipped-users", "2"], 14),
        ("some", &["--max-skipped-users", "any"], 0),
        ("all", &[], 10),
        ("all", &["--allow-all-skipped"], 0),
        ("mixed", &["--allow-all-skipped"], 10),
        ("none", &["--allow-all-skipped"], 10),
        ("all", &["--max-skipped-users", "any"], 10),
    ];
    let start = |(job, flags, code)| (stage.program(["wait", &target(job)]).args(flags).start(), job, flags, code);
    for (running, job, flags, code) in cases.map(start) {
        assert_eq!(running.end().code(), code, "{job} {flags:?}");
    }
}

#[test]
fn stdout_holds_only_the_result_whatever_is_logged() {
    let script = r#"{polls = 1, status = "Created"}, {polls = 1, status = "InProgress"}, {status = "Succeeded"}"#;
    let stage = Stage::new(&jobs([("a", script), ("b", script)]));
    let wait = |job: &str, form: &str| {
        let log = ["--log-level", "trace", "--log-format", form, "--progress", "always"];
        stage.configured(FAST, ["wait", &target(job), "--output", form]).args(log).start()
    };
    let (json, text) = (wait("a", "json"), wait("b", "text"));
    let json = json.end().with_code(0);
    assert_eq!(json.json()["polls"], 3);
    let text = text.end().with_code(0);
    let lines: Vec<&str> = text.stdout.lines().collect();
    let [head, row, "", note, "", end] = lines[..] else { panic!("{text}") };
    assert!(note.starts_with(&format!("{}: ", target("b"))), "{note}");
    assert_eq!(
        head.split_whitespace().collect::<Vec<_>>(),
        ["STATUS", "VERDICT", "IMPORTED", "SKIPPED", "FAILED", "JOB", "NAME"]
    );
    let job = target("b");
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["Succeeded", "succeeded", "0", "0", "0", &job, "b"]);
    assert!(end.starts_with("succeeded: exit code 0 after ") && end.ends_with(", 3 polls"), "{end}");
    for told in [&json.stderr, &text.stderr] {
        assert!(told.contains("InProgress"), "the log is on stderr: {told}");
    }
}

#[test]
fn a_job_that_nobody_started_is_told_at_once() {
    let stage = Stage::new(&jobs([("new", r#"{polls = 2, status = "Created"}, {status = "Expired"}"#)]));
    let ended = stage.configured(FAST, ["wait", &target("new")]).end().with_code(12);
    let said = ended.stderr.lines().filter(|line| line.contains("call StartUserImportJob")).count();
    assert_eq!(said, 1, "{ended}");
}

#[test]
fn a_quiet_wait_says_nothing_but_its_result() {
    let stage = Stage::new(&jobs([("sample", SAMPLE)]));
    let ended = stage.program(["wait", &target("sample"), "--quiet", "--output", "json"]).end().with_code(13);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.json()["exit_code"], 13);
}

#[test]
fn status_and_list_show_what_failed_and_end_with_0() {
    let stage = Stage::new(&jobs([
        ("old", r#"{status = "Failed", imported = 14, failed = 32, message = "Too many users have failed."}"#),
        ("new", r#"{status = "InProgress", imported = 4}"#),
    ]));
    let text = stage.program(["status", &target("old"), &target("new")]).start();
    let json = stage.program(["status", &target("old"), &target("new"), "--output", "json"]).start();
    let list = stage.program(["list", POOL, "--output", "json"]).start();
    let text = text.end().with_code(0);
    for words in ["Failed", "InProgress", "14", "32", "import-old", "Too many users have failed."] {
        assert!(text.stdout.contains(words), "{words}\n{text}");
    }
    let json = json.end().with_code(0).json();
    let seen = |jobs: &Value| -> Vec<Value> {
        let jobs = jobs.as_array().unwrap().iter();
        jobs.map(|job| json!([job["job_id"], job["status"], job["imported_users"], job["failed_users"]])).collect()
    };
    let old = json!(["import-old", "Failed", 14, 32]);
    let new = json!(["import-new", "InProgress", 4, 0]);
    assert_eq!(seen(&json["jobs"]), [old.clone(), new.clone()]);
    assert_eq!(json["jobs"][0]["verdict"], "failed");
    assert_eq!(json["jobs"][1]["verdict"], Value::Null, "a look is no verdict on a job that runs");
    let list = list.end().with_code(0).json();
    let mut listed = seen(&list["pools"][0]["jobs"]);
    listed.sort_by_key(Value::to_string);
    assert_eq!(listed, [new, old]);
}

#[test]
fn list_reads_every_page_newest_first() {
    let scenario = format!(
        "[list]\ncap = 50\n[[pool]]\nid = \"{POOL}\"\n{}",
        ["1h", "2h", "3h"]
            .map(|age| format!(
                "[[pool.job]]\nid = \"import-{age}\"\ncreated_ago = \"{age}\"\ncount = 40\nscript = [{{status = \"Succeeded\"}}]\n"
            ))
            .concat()
    );
    let stage = Stage::new(&scenario);
    let listed = stage.program(["list", POOL, "--output", "json"]).end().with_code(0).json();
    let jobs = listed["pools"][0]["jobs"].as_array().unwrap();
    let ages: Vec<&str> = jobs.iter().map(|job| &job["job_id"].as_str().unwrap()[7..9]).collect();
    assert_eq!(ages, [["1h"; 40], ["2h"; 40], ["3h"; 40]].concat());
    let text = stage.program(["list", POOL]).end().with_code(0);
    assert!(text.stdout.starts_with(&format!("{POOL}: 120 import jobs, newest first\n")), "{text}");
    assert_eq!(text.stdout.lines().count(), 122);
}

#[test]
fn status_and_list_have_a_code_for_each_way_not_to_see() {
    let fault = |job: &str, answer: &str| format!("[[fault]]\njob = \"import-{job}\"\nanswer = {answer}\n");
    let running = r#"{status = "InProgress"}"#;
    let stage = Stage::new(
        &(jobs([("broken", running), ("denied", running), ("good", running)])
            + &fault("broken", "{ kind = \"internal\" }")
            + &fault("denied", "{ kind = \"error\", code = \"NotAuthorizedException\" }")
            + "[[pool]]\nid = \"us-west-2_BROKEN\"\n[[fault]]\npool = \"us-west-2_BROKEN\"\nanswer = { kind = \"reset\" }\n"
            + "[[pool]]\nid = \"us-west-2_DENIED\"\n[[fault]]\npool = \"us-west-2_DENIED\"\nanswer = { kind = \"error\", code = \"AccessDeniedException\" }\n"),
    );
    let cases = [
        (vec!["status".to_owned(), target("missing")], 15, "not_found"),
        (vec!["status".to_owned(), target("broken")], 75, "transient"),
        (vec!["status".to_owned(), target("denied")], 77, "denied"),
        (vec!["status".to_owned(), target("good"), target("denied"), target("missing")], 77, "denied"),
        (vec!["list".to_owned(), "us-west-2_MISSING".to_owned()], 15, "not_found"),
        (vec!["list".to_owned(), "us-west-2_BROKEN".to_owned()], 75, "transient"),
        (vec!["list".to_owned(), "us-west-2_DENIED".to_owned()], 77, "denied"),
    ];
    let start = |(arguments, code, kind)| (stage.program(arguments).args(["--output", "json"]).start(), code, kind);
    for (running, code, kind) in cases.map(start) {
        let ended = running.end().with_code(code);
        assert!(ended.stdout.contains(&format!("\"error_kind\":\"{kind}\"")), "{ended}");
    }
}

#[test]
fn text_of_the_service_is_one_harmless_line_everywhere() {
    let script = r#"{status = "Pau\u001b[31msed\n::error::x", message = "::error::\u202e\nlast\u0007 words"}"#;
    let named = jobs([("odd", script)]).replace("name = \"odd\"", "name = \"##[error]\\u001b[2J\\nodd\"");
    let stage = Stage::new(&named);
    let arguments =
        |command: &[&str]| stage.configured(FAST, command.iter().map(|word| (*word).to_owned()).chain([target("odd")]));
    let wait = arguments(&["wait", "--timeout", "0", "--log-level", "debug"]).start();
    let status = arguments(&["status"]).start();
    let list = stage.program(["list", POOL]).start();
    let run = arguments(&["run", "--log-format", "text", "--log-level", "debug"]).start();
    let json = arguments(&["run", "--log-format", "json"]).start();
    run.line(|line| line.contains("Pau"));
    run.signal("TERM");
    let first = json.event("job.first_seen");
    json.signal("TERM");
    for ended in [wait, status, list, run].map(crate::harness::Running::end) {
        let output = ended.output();
        assert!(output.contains("Pau"), "{ended}");
        assert!(!output.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{output:?}");
        for line in output.lines() {
            assert!(!line.starts_with("::") && !line.starts_with("##"), "{line}");
        }
    }
    assert_eq!(first["job_name"], "##[error]\u{1b}[2J\nodd", "JSON has it as it is");
    assert!(!lines(&json.end().with_code(0).stdout).is_empty());
}
