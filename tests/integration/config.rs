//! What is watched, and from where it is told: files, variables and flags.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{FAST, POOL, Program, Stage, events, events_of, jobs, target};

const DONE: &str = r#"{status = "Succeeded", imported = 1}"#;

fn asked(stage: Stage) -> BTreeSet<String> {
    stage.close().iter().filter_map(|entry| entry["job_id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn every_problem_of_a_file_is_told_with_its_place_before_any_call() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let bad = "\
[poll]
initial_interval = \"5m\"
jitter = 2
[throtle]
[[job]]
target = \"import-a\"
[[pool]]
id = \"us-west-2_X\"
max_failed_users = -1
";
    let places = ["2:20", "3:10", "4:2", "6:10", "9:20"];
    for command in [&["check"][..], &["run"], &["wait"], &["status"], &["run", "--exit-when-complete"]] {
        let ended = stage.configured(bad, command).end().with_code(78);
        assert_eq!(ended.stdout, "", "{command:?}");
        for place in places {
            assert!(ended.stderr.contains(&format!(".toml:{place}\n")), "{command:?} {place}\n{ended}");
        }
        assert!(ended.stderr.contains("did you mean") && ended.stderr.contains("^^^"), "{ended}");
    }
    let problems = stage.configured(bad, ["check", "--output", "json"]).end().with_code(78).json();
    let found = problems["problems"].as_array().unwrap();
    let told: Vec<String> = found.iter().map(|problem| format!("{}:{}", problem["line"], problem["column"])).collect();
    assert_eq!((problems["ok"].clone(), told), (json!(false), places.map(str::to_owned).to_vec()));
    assert_eq!(asked(stage), BTreeSet::new());
}

#[test]
fn a_good_file_is_checked_without_network_and_its_cost_told() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let config = format!("[[job]]\ntarget = \"{}\"\n[[pool]]\nid = \"eu-west-1_OTHER\"\n", target("a"));
    let ended = stage.configured(&config, ["check", "--output", "json"]).end().with_code(0);
    let cost = ended.json();
    assert_eq!((&cost["ok"], &cost["problems"]), (&json!(true), &json!([])));
    let regions: Vec<&Value> = cost["lanes"].as_array().unwrap().iter().map(|lane| &lane["region"]).collect();
    assert_eq!(regions.len(), 2, "{cost}");
    assert!(stage.configured(&config, ["check"]).end().with_code(0).stdout.starts_with("the config is good\n"));
    assert_eq!(asked(stage), BTreeSet::new());
}

#[test]
fn a_region_that_disagrees_with_a_pool_is_refused_before_any_call() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let typed = target("a");
    let commands =
        [vec!["wait", &typed], vec!["run", "--exit-when-complete", &typed], vec!["status", &typed], vec!["list", POOL]];
    for command in commands {
        let ended = stage.program(&command).args(["--region", "eu-west-1"]).end().with_code(2);
        assert!(ended.stderr.contains("us-west-2") && ended.stderr.contains("eu-west-1"), "{ended}");
    }
    // In a file it is the file that is wrong.
    let file = format!("[[job]]\ntarget = \"{typed}\"\nregion = \"eu-west-1\"\n");
    stage.configured(&file, ["wait"]).end().with_code(78);
    // A region that nobody knows is nowhere, unless an endpoint says where.
    let nowhere = || Program::new(stage.path(), ["wait", "mars-north-1_X/import-a", "--timeout", "0"]);
    nowhere().env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x").end().with_code(2);
    assert_eq!(asked(stage), BTreeSet::new());
    let stage = Stage::new(&jobs([("a", DONE)]));
    // AWS's own region never disagrees.
    stage.program(["wait", &typed, "--region", "us-west-2"]).env("AWS_REGION", "eu-west-1").end().with_code(0);
}

#[test]
fn a_job_that_is_named_twice_or_found_by_its_pool_is_watched_once() {
    let stage = Stage::new(&jobs([("named", DONE), ("found", DONE)]));
    let config =
        format!("{FAST}[[job]]\ntarget = \"{}\"\nname = \"mine\"\n[[pool]]\nid = \"{POOL}\"\n", target("named"));
    // Typed again: once more is once.
    let run = stage.configured(&config, ["run", "--exit-when-complete", &target("named"), &target("named"), POOL]);
    let log = run.end().with_code(0).stdout;
    for name in ["named", "found"] {
        let told: Vec<Value> = events_of(&log, name).iter().map(|event| event["event"].clone()).collect();
        assert_eq!(told, ["job.first_seen", "job.completed"], "{name}");
    }
    let named = |name: &str| events_of(&log, name)[0]["name"].clone();
    assert_eq!((named("named"), named("found")), (json!("mine"), json!("found")));
    let described = stage.close();
    let described: Vec<&Value> =
        described.iter().filter(|entry| entry["operation"] == "DescribeUserImportJob").collect();
    assert_eq!(described.len(), 2, "each once: both were over");
}

#[test]
fn a_pool_is_complete_when_its_list_was_read_and_every_job_found_is_over() {
    let pool = "us-west-2_MANY";
    let scenario = format!(
        "[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n[list]\ncap = 3\n[[pool]]\nid = \"{pool}\"\n\
         [[pool.job]]\nid = \"import-new\"\ncount = 7\n\
         script = [{{polls = 2, status = \"InProgress\"}}, {{status = \"Succeeded\"}}]\n\
         [[pool.job]]\nid = \"import-old\"\ncreated_ago = \"3d\"\n\
         script = [{{status = \"Failed\", omit = [\"StartDate\", \"CompletionDate\"]}}]\n"
    );
    let stage = Stage::new(&scenario);
    let log = stage.configured(FAST, ["run", "--exit-when-complete", pool]).end().with_code(0).stdout;
    let over: BTreeSet<String> = events(&log)
        .iter()
        .filter(|event| event["event"] == "job.completed")
        .map(|event| event["job_id"].as_str().unwrap().to_owned())
        .collect();
    let new: BTreeSet<String> = (1..=7).map(|number| format!("import-new-{number}")).collect();
    assert_eq!(over, new, "what was over long before is left alone");
    let stopping = events(&log).into_iter().find(|event| event["event"] == "daemon.stopping").unwrap();
    assert_eq!(
        (&stopping["jobs"], &stopping["pools"], &stopping["reason"]),
        (&json!(7), &json!(1), &json!("complete"))
    );
}

#[test]
fn a_job_that_appears_in_a_watched_pool_later_is_watched_too() {
    let stage = Stage::new(&jobs([("first", DONE)]));
    let run = stage.configured(FAST, ["run", POOL]).start();
    run.event("job.completed");
    let role = "arn:aws:iam::123456789012:role/logs";
    let made = stage.call(
        "CreateUserImportJob",
        &json!({ "UserPoolId": POOL, "JobName": "second", "CloudWatchLogsRoleArn": role }),
    );
    let id = made["UserImportJob"]["JobId"].as_str().unwrap().to_owned();
    let seen = run.line(|line| line.contains("job.first_seen") && line.contains(&id));
    assert_eq!(serde_json::from_str::<Value>(&seen).unwrap()["status"], "Created");
    run.signal("TERM");
    run.end().with_code(0);
}

#[test]
fn a_whole_config_may_be_a_variable_but_not_two_configs() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let config = format!("{FAST}[[job]]\ntarget = \"{}\"\n", target("a"));
    let with_text = |command: &[&str], text: &str| stage.program(command).env("COGNITO_IMPORT_WATCH_CONFIG_TOML", text);
    assert_eq!(with_text(&["wait", "--output", "json"], &config).end().with_code(0).json()["exit_code"], 0);
    let wrong = with_text(&["wait"], "[poll]\nmultiplier = 99\n").end().with_code(78);
    assert!(wrong.stderr.contains("COGNITO_IMPORT_WATCH_CONFIG_TOML:2:14"), "{wrong}");
    let path = stage.file("file.toml", &config);
    with_text(&["wait"], &config).env("COGNITO_IMPORT_WATCH_CONFIG", &path).end().with_code(2);
    stage.program(["wait"]).env("COGNITO_IMPORT_WATCH_CONFIG", &path).end().with_code(0);
    // Set to nothing is not set.
    let unset = with_text(&["wait", &target("a")], "").env("COGNITO_IMPORT_WATCH_CONFIG_TOML", "");
    unset.end().with_code(0);
}

#[test]
fn a_flag_may_be_a_variable_and_the_flag_wins() {
    let stage = Stage::new(&jobs([("bad", r#"{status = "Succeeded", imported = 1, failed = 2}"#)]));
    let wait = || stage.program(["wait", &target("bad")]).env("COGNITO_IMPORT_WATCH_OUTPUT", "json");
    let allowed = wait().env("COGNITO_IMPORT_WATCH_MAX_FAILED_USERS", "any").end().with_code(0);
    assert_eq!(allowed.json()["verdict"], "succeeded");
    let flag = wait().env("COGNITO_IMPORT_WATCH_MAX_FAILED_USERS", "any").args(["--max-failed-users", "1"]);
    flag.end().with_code(13);
    wait().env("COGNITO_IMPORT_WATCH_MAX_FAILED_USERS", "some").end().with_code(2);
}

#[test]
fn files_beside_the_config_are_read_too() {
    let stage = Stage::new(&jobs([("a", DONE), ("b", DONE)]));
    std::fs::create_dir(stage.path().join("conf.d")).unwrap();
    stage.file("conf.d/b.toml", &format!("[[job]]\ntarget = \"{}\"\n", target("b")));
    stage.file("conf.d/ignored.txt", "not toml");
    let config = format!("{FAST}[[job]]\ntarget = \"{}\"\n", target("a"));
    let result = stage.configured(&config, ["wait", "--output", "json"]).end().with_code(0).json();
    assert_eq!(result["jobs"].as_array().map(Vec::len), Some(2));
    stage.file("conf.d/c.toml", &format!("[poll]\njitter = 0.1\n[[job]]\ntarget = \"{}\"\n", target("a")));
    let twice = stage.configured(&format!("{config}[log]\nlevel = \"info\"\n"), ["wait"]).end().with_code(78);
    assert!(twice.stderr.contains("named twice"), "{twice}");
}

#[test]
fn each_account_is_asked_with_its_own_credentials() {
    let scenario = "\
[[account]]
id = \"111111111111\"
[[account]]
id = \"222222222222\"
[[pool]]
id = \"us-west-2_ONE\"
account = \"111111111111\"
[[pool.job]]
id = \"import-a\"
script = [{status = \"Succeeded\"}]
[[pool]]
id = \"eu-west-1_TWO\"
account = \"222222222222\"
[[pool.job]]
id = \"import-b\"
script = [{status = \"Succeeded\"}]
";
    let stage = Stage::new(scenario);
    let keys = "[second]\naws_access_key_id = AKIASIMU222222222222\n\
                aws_secret_access_key = simulator-secret-access-key-222222222222\n";
    let keys = stage.file("keys", keys);
    let config = format!(
        "{FAST}[[account]]\nname = \"other\"\nprofile = \"second\"\n[[job]]\ntarget = \"us-west-2_ONE/import-a\"\n\
         [[job]]\ntarget = \"eu-west-1_TWO/import-b\"\naccount = \"other\"\n"
    );
    let run = stage.configured(&config, ["run", "--exit-when-complete"]).env("AWS_SHARED_CREDENTIALS_FILE", keys);
    run.end().with_code(0);
    let asked: BTreeSet<(String, String)> = stage
        .close()
        .iter()
        .map(|entry| ["account", "user_pool_id"].map(|key| entry[key].as_str().unwrap().to_owned()).into())
        .collect();
    let pairs = [("111111111111", "us-west-2_ONE"), ("222222222222", "eu-west-1_TWO")];
    assert_eq!(asked, pairs.map(|(account, pool)| (account.to_owned(), pool.to_owned())).into());
}
