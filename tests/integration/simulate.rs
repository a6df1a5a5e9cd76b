//! `simulate`: the simulator as a command, for clients that are not ours.

use crate::harness::{Program, target};

const SCENARIO: &str = "\
[[pool]]
id = \"us-west-2_EXAMPLE\"
[[pool.job]]
id = \"import-a\"
script = [{status = \"Succeeded\"}]
";

#[test]
fn it_says_where_it_listens_and_with_which_keys_and_serves_until_a_signal() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("scenario.toml"), SCENARIO).unwrap();
    let arguments = ["simulate", "--listen", "127.0.0.1:0", "--scenario", "scenario.toml", "--record", "record"];
    let simulator = Program::new(directory.path(), arguments).args(["--output", "json"]).start();
    let hello: serde_json::Value = serde_json::from_str(&simulator.line(|_| true)).unwrap();
    let (url, account) = (hello["endpoint_url"].as_str().unwrap(), &hello["accounts"][0]);
    assert_eq!(hello["pools"][0]["id"], "us-west-2_EXAMPLE");
    let wait = Program::new(directory.path(), ["wait", &target("a"), "--endpoint-url", url])
        .env("AWS_ACCESS_KEY_ID", account["access_key_id"].as_str().unwrap())
        .env("AWS_SECRET_ACCESS_KEY", account["secret_access_key"].as_str().unwrap());
    wait.end().with_code(0);
    simulator.signal("TERM");
    simulator.end().with_code(0);
    let record = std::fs::read_to_string(directory.path().join("record")).unwrap();
    assert_eq!(record.lines().count(), 1, "{record}");
}

#[test]
fn a_scenario_that_is_wrong_is_78_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("bad.toml"), "[clock]\nspeed = \"fast\"\n").unwrap();
    let simulate = |file: &str| {
        Program::new(directory.path(), ["simulate", "--listen", "127.0.0.1:0", "--scenario", file]).end().with_code(78)
    };
    let wrong = simulate("bad.toml");
    assert!(wrong.stderr.contains("bad.toml: line 2, column 9"), "{wrong}");
    simulate("missing.toml");
}
