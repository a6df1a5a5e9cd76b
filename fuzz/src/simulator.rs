//! The simulator's readers: requests of any client, scenarios and CSVs of its users.

use std::sync::LazyLock;

use cognito_import_simulator::Scenario;
use cognito_import_simulator::fuzzing::{InMemory, read_csv};
use tokio::runtime::{Builder, Runtime};

use crate::printable::assert_still;

/// Jobs of every kind, and no quota in the way.
const SCENARIO: &str = r#"
[quota]
per_pool = 1000000
user_pool_resource_read = 1000000
[[pool]]
id = "us-west-2_EXAMPLE"
users = ["known"]
[[pool.job]]
id = "import-real"
[[pool.job]]
id = "import-scripted"
script = [{ polls = 1, status = "InProgress", imported = 3 }, { status = "Succeeded", set = { Odd = [1, 2] } }]
[[pool]]
id = "eu-west-1_EMPTY"
"#;

static RULES: LazyLock<Scenario> = LazyLock::new(|| match Scenario::parse(SCENARIO) {
    Ok(scenario) => scenario,
    Err(error) => panic!("{error}"),
});

fn runtime() -> Runtime {
    match Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("no runtime: {error}"),
    }
}

thread_local! {
    static RUNTIME: Runtime = runtime();
}

fn exchange(simulator: &InMemory, sent: &[u8]) -> Vec<u8> {
    RUNTIME.with(|runtime| runtime.block_on(simulator.exchange(sent)))
}

/// Bytes on a connection; or, after `signed <Operation>` and the end of the line, the body of a call that is signed
/// right. Whatever comes is answered as HTTP, and never with a fault of the server.
pub fn request(data: &[u8]) {
    let simulator = InMemory::new(RULES.clone(), 7);
    let sent = match data.strip_prefix(b"signed ") {
        None => data.to_vec(),
        Some(call) => {
            let line = call.iter().position(|byte| *byte == b'\n').unwrap_or(call.len());
            let (operation, body) = call.split_at(line);
            let body = body.get(1..).unwrap_or_default();
            let Some(sent) = simulator.signed(&String::from_utf8_lossy(operation), body) else { return };
            sent
        }
    };
    let answer = exchange(&simulator, &sent);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 ") || answer.starts_with(b"HTTP/1.0 "));
    assert!(!answer.starts_with(b"HTTP/1.1 5"), "{}", String::from_utf8_lossy(&answer));
}

/// A scenario and, after a form feed, a CSV: the scenario is used or refused at its place, and the CSV is read by its
/// rules.
pub fn files(data: &[u8]) {
    let (scenario, csv) = match data.iter().position(|byte| *byte == 0x0c) {
        Some(end) => (data.get(..end).unwrap_or_default(), data.get(end + 1..).unwrap_or_default()),
        None => (data, [].as_slice()),
    };
    let Ok(text) = std::str::from_utf8(scenario) else { return };
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => {
            let line = text.split('\n').nth(error.line.wrapping_sub(1)).unwrap_or_default();
            assert!((1..=text.split('\n').count()).contains(&error.line), "{error}");
            assert!((1..=line.chars().count() + 1).contains(&error.column), "{error}");
            assert_still(&error.to_string());
            return;
        }
    };
    if let Some((rows, users)) = read_csv(&scenario, csv) {
        assert!(users <= rows, "{users} users of {rows} rows");
    }
    // A fault may be that there is no answer.
    if !text.contains("fault") {
        let simulator = InMemory::new(scenario, 7);
        let lists = simulator.signed("ListUserImportJobs", br#"{"UserPoolId":"us-west-2_EXAMPLE","MaxResults":60}"#);
        let answer = exchange(&simulator, &lists.unwrap_or_default());
        let is_answered = answer.starts_with(b"HTTP/1.1 ") && !answer.starts_with(b"HTTP/1.1 5");
        assert!(is_answered, "{}", String::from_utf8_lossy(&answer));
    }
}
