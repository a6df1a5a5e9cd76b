//! Accounts of the config that are one AWS account share its quota: by what arrived at the simulator.

use serde_json::Value;

use crate::ceilings::arrivals;
use crate::harness::{ACCOUNT, Stage};

const CONFIG: &str = "\
[poll]
initial_interval = \"50ms\"
max_interval = \"50ms\"
batch = \"never\"
[throttle]
requests_per_second = 20
requests_per_second_per_pool = 20
";

/// Two pools with jobs that never end, and a role for each of two accounts of the config.
fn stage() -> Stage {
    let pool = |name: &str| {
        format!(
            "[[pool]]\nid = \"us-west-2_{name}\"\naccount = \"{ACCOUNT}\"\n[[pool.job]]\nid = \"import-j\"\ncount = 5\n\
             script = [{{status = \"InProgress\"}}]\n"
        )
    };
    let role = |name: &str| format!("[[role]]\narn = \"arn:aws:iam::{ACCOUNT}:role/{name}\"\n");
    let quota = "[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n";
    Stage::new(&format!("{quota}{}{}{}{}", pool("A"), pool("B"), role("a"), role("b")))
}

fn account(name: &str, keys: &str) -> String {
    format!("[[account]]\nname = \"{name}\"\n{keys}\n")
}

fn jobs(pool: &str, account: &str) -> String {
    let job = |number| format!("[[job]]\ntarget = \"us-west-2_{pool}/import-j-{number}\"\naccount = \"{account}\"\n");
    (1..=5).map(job).collect()
}

/// What arrived of Describe by then, in order.
fn flood(config: &str, requests: usize) -> Vec<Value> {
    let stage = stage();
    let program = stage.keyed(["run", "--log-format", "json", "--config"]);
    let running = program.arg(stage.config(config)).env("AWS_ENDPOINT_URL", stage.url()).start();
    stage.asked(requests);
    running.signal("TERM");
    let log = running.end().with_code(0).stdout;
    assert!(!log.contains("\"level\":\"warn\""), "{log}");
    let mut record: Vec<Value> =
        stage.close().into_iter().filter(|entry| entry["operation"] == "DescribeUserImportJob").collect();
    record.sort_by(|a, b| a["at"].as_f64().unwrap().total_cmp(&b["at"].as_f64().unwrap()));
    record
}

/// Checks that all of it took about as long as one ceiling demands; two would need half the time. How evenly requests
/// arrive where the machine is busy is for the tests of ceilings.
#[track_caller]
fn assert_one_ceiling(record: &[Value]) {
    let at = arrivals(record);
    let (took, least) = (at[at.len() - 1] - at[0], (at.len() - 1) as f64 / 20.0);
    assert!(took > 0.85 * least, "{} requests within {took:.3} s, which take {least:.3} s", at.len());
}

#[test]
fn two_roles_of_one_account_have_one_ceiling_together_and_each_its_own_keys() {
    let role = |name: &str| account(name, &format!("role_arn = \"arn:aws:iam::{ACCOUNT}:role/{name}\""));
    let record = flood(&format!("{CONFIG}{}{}{}{}", role("a"), role("b"), jobs("A", "a"), jobs("B", "b")), 60);
    assert_one_ceiling(&record);
    for pool in ["us-west-2_A", "us-west-2_B"] {
        let count = record.iter().filter(|entry| entry["user_pool_id"] == pool).count();
        assert!(count * 3 > record.len(), "{pool} has its share: {count} of {}", record.len());
    }
    assert!(record.iter().all(|entry| entry["error"].is_null()));
}

#[test]
fn accounts_that_turn_out_to_be_one_have_one_ceiling_from_then_on() {
    // Nothing but an answer tells whose the keys of the environment are.
    let config = format!(
        "{CONFIG}{}{}{}{}",
        account("a", ""),
        account("b", "region = \"us-west-2\""),
        jobs("A", "a"),
        jobs("B", "b")
    );
    let record = flood(&config, 80);
    // The first answer of each tells it; both lanes may have sent one more by then.
    assert_one_ceiling(&record[6..]);
    let pools: Vec<&Value> = record[6..].iter().map(|entry| &entry["user_pool_id"]).collect();
    assert!(pools.iter().filter(|pool| *pool == &"us-west-2_A").count() * 3 > pools.len(), "{pools:?}");
    // And nothing was asked twice at once, or lost: the ten jobs take turns.
    let turns = |pool: &str, number: usize| {
        let id = format!("import-j-{number}");
        record.iter().filter(|entry| entry["user_pool_id"] == pool && entry["job_id"] == id.as_str()).count()
    };
    let turns: Vec<usize> =
        ["us-west-2_A", "us-west-2_B"].into_iter().flat_map(|pool| (1..=5).map(move |n| turns(pool, n))).collect();
    assert!(turns.iter().max().unwrap() - turns.iter().min().unwrap() <= 3, "{turns:?}");
}
