//! Planning ahead: what `check --online` finds out, and what `iam-policy` asks for.

use serde_json::{Value, json};

use crate::harness::{ACCOUNT, Ended, FAST, POOL, Program, Stage, jobs, target};

const DONE: &str = r#"{status = "Succeeded", imported = 1}"#;

/// IAM does not allow an operation on the pool.
fn denies(operation: &str) -> String {
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/ci is not authorized to perform: cognito-idp:{operation} on resource: \
         arn:aws:cognito-idp:us-west-2:{ACCOUNT}:userpool/{POOL} because no identity-based policy allows it"
    );
    format!(
        "[[fault]]\noperation = \"{operation}\"\n\
         answer = {{kind = \"error\", code = \"AccessDeniedException\", message = \"{message}\", message_key = \"Message\"}}\n"
    )
}

fn named(names: &[&str]) -> String {
    names.iter().map(|name| format!("[[job]]\ntarget = \"{}\"\n", target(name))).collect()
}

fn check(stage: &Stage, config: &str, code: i32) -> Value {
    stage.configured(config, ["check", "--online", "--output", "json"]).end().with_code(code).json()
}

/// Each try: what was asked, about which job, and what came of it.
fn tries(report: &Value) -> Vec<[&str; 3]> {
    let tries = report["online"].as_array().unwrap().iter();
    tries
        .map(|tried| {
            let action = tried["action"].as_str().unwrap().strip_prefix("cognito-idp:").unwrap();
            let kind = tried["error_kind"].as_str().unwrap_or("ok");
            [action, tried["job_id"].as_str().unwrap_or_default(), kind]
        })
        .collect()
}

#[test]
fn each_right_on_each_pool_and_each_named_job_is_tried_once() {
    let stage = Stage::new(&jobs([("a", DONE), ("b", DONE)]));
    let config = FAST.to_owned() + &named(&["a", "b"]);
    let report = check(&stage, &config, 0);
    let good = [
        ["ListUserImportJobs", "", "ok"],
        ["DescribeUserImportJob", "import-a", "ok"],
        ["DescribeUserImportJob", "import-b", "ok"],
    ];
    assert_eq!(tries(&report), good);
    assert_eq!(
        (&report["ok"], &report["exit_code"], &report["lanes"][0]["jobs"]),
        (&json!(true), &json!(0), &json!(2))
    );

    let never = FAST.replace("[poll]\n", "[poll]\nbatch = \"never\"\n") + &named(&["a"]);
    assert_eq!(tries(&check(&stage, &never, 0)), [["DescribeUserImportJob", "import-a", "ok"]]);
    // Of a pool without named jobs the newest shows whether they may be asked about.
    let whole = format!("{FAST}[[pool]]\nid = \"{POOL}\"\n");
    assert_eq!(tries(&check(&stage, &whole, 0)).len(), 2);
    let text = stage.configured(&config, ["check", "--online"]).end().with_code(0).stdout;
    assert!(text.starts_with("the config is good\n") && text.contains("ok      ListUserImportJobs"), "{text}");
    assert_eq!(stage.close().len(), 3 + 1 + 2 + 3);
}

#[test]
fn a_right_that_is_missing_is_named_with_its_resource() {
    for (operation, other) in
        [("ListUserImportJobs", "DescribeUserImportJob"), ("DescribeUserImportJob", "ListUserImportJobs")]
    {
        let stage = Stage::new(&(jobs([("a", DONE)]) + &denies(operation)));
        let config = FAST.to_owned() + &named(&["a"]);
        let report = check(&stage, &config, 77);
        let of = |action: &str| {
            let tries = report["online"].as_array().unwrap();
            tries.iter().find(|tried| tried["action"] == format!("cognito-idp:{action}")).unwrap().clone()
        };
        assert_eq!(of(other)["ok"], true);
        let denied = of(operation);
        assert_eq!(denied["missing_action"], format!("cognito-idp:{operation}"));
        let resource = format!("arn:aws:cognito-idp:us-west-2:{ACCOUNT}:userpool/{POOL}");
        assert_eq!(denied["missing_resource"], resource.as_str());
        assert_eq!((&report["ok"], &report["exit_code"]), (&json!(false), &json!(77)));
        let text = stage.configured(&config, ["check", "--online"]).end().with_code(77).stdout;
        assert!(text.contains(&format!("allow cognito-idp:{operation} on arn:aws:cognito-idp:us-west-2:")), "{text}");
    }
}

#[test]
fn a_pool_or_a_job_that_does_not_exist_is_told_and_the_worst_decides_the_code() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let gone = FAST.to_owned() + &named(&["a", "gone"]);
    assert_eq!(tries(&check(&stage, &gone, 15))[2], ["DescribeUserImportJob", "import-gone", "not_found"]);
    let wrong = format!("{FAST}[[pool]]\nid = \"us-west-2_WRONG\"\n[[pool]]\nid = \"eu-west-1_EXAMPLE\"\n");
    assert_eq!(tries(&check(&stage, &wrong, 15)), [["ListUserImportJobs", "", "not_found"]; 2]);
    let denied = Stage::new(&(jobs([("a", DONE)]) + &denies("ListUserImportJobs")));
    check(&denied, &gone, 77);
}

#[test]
fn where_the_credentials_are_wrong_or_nobody_answers_the_rest_is_not_tried() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let config =
        FAST.to_owned() + &(0..9).map(|pool| format!("[[pool]]\nid = \"us-west-2_P{pool}\"\n")).collect::<String>();
    let tried =
        |report: &Value| report["online"].as_array().unwrap().iter().filter(|tried| tried["tried"] == true).count();
    let program = stage.configured(&config, ["check", "--online", "--output", "json"]);
    let ended = program.env("AWS_SECRET_ACCESS_KEY", "not-the-secret").end().with_code(77);
    let report = ended.json();
    // Both rights on the first pool, then one line for each of the others.
    assert_eq!((tried(&report), tries(&report).len()), (2, 10));
    assert!(tries(&report).iter().all(|[_, _, kind]| *kind == "denied"));
    assert!(
        ended.stdout.contains("the signature was refused") && !ended.output().contains("not-the-secret"),
        "{ended}"
    );

    let path = stage.file("nobody.toml", &config);
    let nobody = Program::new(stage.path(), ["check", "--online", "--output", "json", "--config"])
        .arg(path)
        .args(["--endpoint-url", "http://127.0.0.1:9"])
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    let report = nobody.end().with_code(75).json();
    assert_eq!((tried(&report), &report["online"][8]["error_kind"]), (2, &json!("transient")));
}

#[test]
fn the_right_to_describe_is_tried_where_no_job_is_known() {
    let pool = format!("{FAST}[[pool]]\nid = \"{POOL}\"\n");
    let denied = Stage::new(&(jobs([("a", DONE)]) + &denies("ListUserImportJobs")));
    let good = [["ListUserImportJobs", "", "denied"], ["DescribeUserImportJob", "", "ok"]];
    assert_eq!(tries(&check(&denied, &pool, 77)), good);
    let empty = format!("[[pool]]\nid = \"{POOL}\"\naccount = \"{ACCOUNT}\"\n");
    let report = check(&Stage::new(&(empty + &denies("DescribeUserImportJob"))), &pool, 77);
    assert_eq!(tries(&report), [["ListUserImportJobs", "", "ok"], ["DescribeUserImportJob", "", "denied"]]);
    assert_eq!(report["online"][1]["missing_action"], "cognito-idp:DescribeUserImportJob");
}

#[test]
fn what_is_tried_online_keeps_the_ceilings() {
    let pools: Vec<String> = (0..6).map(|number| format!("us-west-2_P{number}")).collect();
    let scenario: String =
        pools.iter().map(|pool| format!("[[pool]]\nid = \"{pool}\"\naccount = \"{ACCOUNT}\"\n")).collect();
    let stage = Stage::new(&scenario);
    let config: String = pools.iter().map(|pool| format!("[[pool]]\nid = \"{pool}\"\n")).collect();
    let ceilings = "[throttle]\nrequests_per_second = 10\nrequests_per_second_per_pool = 10\n";
    stage.configured(&(ceilings.to_owned() + &config), ["check", "--online"]).end().with_code(0);
    let at: Vec<f64> = stage.close().iter().filter_map(|entry| entry["at"].as_f64()).collect();
    // The pools are empty: each right is tried all the same.
    assert_eq!(at.len(), 2 * pools.len());
    assert!(at[11] - at[0] >= 11.0 / 10.0, "{at:?}");
}

fn policy(stage: &Stage, config: &str, arguments: &[&str]) -> Ended {
    stage.configured(config, ["iam-policy"]).args(arguments).end()
}

const TWO_ACCOUNTS: &str = r#"
[[account]]
name = "prod"
role_arn = "arn:aws:iam::123456789012:role/watch"
external_id = "handshake"
[[pool]]
id = "us-west-2_A"
account = "prod"
[[pool]]
id = "cn-north-1_B"
"#;

#[test]
fn the_policy_of_one_identity_is_a_document_as_iam_takes_it() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let ended = policy(&stage, &named(&["a"]), &[]).with_code(0);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.stderr.as_str(), &document["Version"]), ("", &json!("2012-10-17")));
    let statement = &document["Statement"][0];
    assert_eq!(statement["Action"], json!(["cognito-idp:DescribeUserImportJob", "cognito-idp:ListUserImportJobs"]));
    assert_eq!(statement["Resource"], json!([format!("arn:aws:cognito-idp:us-west-2:*:userpool/{POOL}")]));
    assert_eq!(policy(&stage, &named(&["a"]), &["--output", "json"]).with_code(0).json(), document);
    assert!(stage.close().is_empty(), "no call is made");
}

#[test]
fn several_identities_have_their_policies_by_name() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let ended = policy(&stage, TWO_ACCOUNTS, &["--output", "json"]).with_code(0);
    let all = ended.json();
    let sids = |document: &Value| {
        let statements = document["Statement"].as_array().unwrap();
        statements.iter().map(|statement| statement["Sid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sids(&all["default"]), ["WatchImports", "AssumeWatchRoles"]);
    assert_eq!(
        all["default"]["Statement"][0]["Resource"][0],
        "arn:aws-cn:cognito-idp:cn-north-1:*:userpool/cn-north-1_B"
    );
    assert_eq!(sids(&all["prod"]), ["WatchImports"]);
    assert!(ended.stderr.contains("prod is for the role arn:aws:iam::123456789012:role/watch"), "{ended}");
    assert!(!ended.output().contains("handshake"), "{ended}");
    let one = policy(&stage, TWO_ACCOUNTS, &["--output", "json", "--account", "prod"]).with_code(0);
    assert_eq!((one.json(), one.stderr.as_str()), (all["prod"].clone(), ""));
    let unknown = policy(&stage, TWO_ACCOUNTS, &["--account", "lab"]).with_code(2);
    assert!(unknown.stderr.contains("policies are for: default, prod"), "{unknown}");
    let idle = TWO_ACCOUNTS.to_owned() + "[[account]]\nname = \"lab\"\n";
    let idle = policy(&stage, &idle, &["--account", "lab"]).with_code(2);
    assert!(idle.stderr.contains("the account lab needs no policy"), "{idle}");
    Program::new(stage.path(), ["iam-policy"]).end().with_code(2);
    policy(&stage, "[[pool]]\n", &[]).with_code(78);
}

#[test]
fn five_hundred_pools_are_spread_over_policies_that_iam_takes() {
    let stage = Stage::new(&jobs([("a", DONE)]));
    let config: String = (0..500).map(|pool| format!("[[pool]]\nid = \"us-west-2_EXAMPLE{pool}\"\n")).collect();
    let ended = policy(&stage, &config, &["--output", "json"]).with_code(0);
    let all = ended.json();
    let policies = all.as_object().unwrap();
    let resources = |policy: &Value| policy["Statement"][0]["Resource"].as_array().unwrap().len();
    assert_eq!(policies.values().map(resources).sum::<usize>(), 500);
    assert!(policies.len() > 1 && policies.values().all(|policy| policy.to_string().len() <= 6_144));
    assert!(policies.keys().all(|name| name.starts_with("default-")));
    let warning = format!("warning: default needs {} policies", policies.len());
    assert!(ended.stderr.contains(&warning), "{ended}");
}
