//! The simulator as its clients see it, over loopback.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::time::Duration;

use cognito_import_simulator::{Client, ClientError, Options, Scenario, Simulator};
use serde_json::{Value, json};

const HEADER: &str = "cognito:username,name,given_name,family_name,middle_name,nickname,preferred_username,profile,\
                      picture,website,email,email_verified,gender,birthdate,zoneinfo,locale,phone_number,\
                      phone_number_verified,address,updated_at,cognito:mfa_enabled";
const POOL: &str = "us-west-2_EXAMPLE";
const ROLE: &str = "arn:aws:iam::123456789012:role/CognitoUserImport";

/// A row that is imported.
fn good(name: &str) -> String {
    format!("{name},,,,,,,,,,{name}@example.com,TRUE,,02/01/1985,,,,,1 Any Street\\, Town,,FALSE")
}

/// A row that fails: no attribute is verified.
fn bad(name: &str) -> String {
    format!("{name},,,,,,,,,,{name}@example.com,,,,,,,,,,FALSE")
}

fn csv(rows: impl IntoIterator<Item = String>) -> String {
    rows.into_iter().fold(HEADER.to_owned(), |text, row| format!("{text}\n{row}"))
}

struct Stage {
    simulator: Simulator,
    client: Client,
    record: tempfile::NamedTempFile,
}

/// A simulator with one pool, a fast clock and no quotas in the way; `more` goes at the end of the scenario.
async fn stage(more: &str) -> Stage {
    stage_with(&format!("[quota]\nper_pool = 1000\nuser_pool_resource_read = 1000\n[[pool]]\nid = \"{POOL}\"\n{more}"))
        .await
}

async fn stage_with(scenario: &str) -> Stage {
    let record = tempfile::NamedTempFile::new().unwrap();
    let options = Options {
        scenario: Scenario::parse(scenario).unwrap(),
        seed: Some(1),
        record: Some(record.path().to_owned()),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let account = &simulator.accounts()[0];
    let region = &simulator.pools()[0].region;
    let client = Client::new(simulator.addr(), &account.access_key_id, &account.secret_access_key, region);
    Stage { simulator, client, record }
}

impl Stage {
    async fn create(&self, name: &str) -> Value {
        let input = json!({"JobName": name, "UserPoolId": POOL, "CloudWatchLogsRoleArn": ROLE});
        self.client.call("CreateUserImportJob", &input).await.unwrap()["UserImportJob"].take()
    }

    async fn call(&self, operation: &str, job: &Value) -> Result<Value, ClientError> {
        let input = json!({"UserPoolId": POOL, "JobId": job["JobId"]});
        Ok(self.client.call(operation, &input).await?["UserImportJob"].take())
    }

    async fn describe(&self, job_id: &str) -> Result<Value, ClientError> {
        self.call("DescribeUserImportJob", &json!({"JobId": job_id})).await
    }

    /// Creates, uploads and starts a job, and follows it to its end.
    async fn run(&self, csv: String) -> Value {
        let job = self.create("test").await;
        self.client.upload(job["PreSignedUrl"].as_str().unwrap(), csv).await.unwrap();
        assert_eq!(self.call("StartUserImportJob", &job).await.unwrap()["Status"], "Pending");
        self.end_of(&job).await
    }

    async fn end_of(&self, job: &Value) -> Value {
        loop {
            let shown = self.call("DescribeUserImportJob", job).await.unwrap();
            if shown.get("CompletionDate").is_some() {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The record once it has so many lines.
    async fn record(&self, lines: usize) -> Vec<Value> {
        loop {
            let text = std::fs::read_to_string(self.record.path()).unwrap();
            let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            if entries.len() >= lines {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn counts(job: &Value) -> (u64, u64, u64) {
    let count = |key: &str| job[key].as_u64().unwrap();
    (count("ImportedUsers"), count("SkippedUsers"), count("FailedUsers"))
}

fn code(error: ClientError) -> String {
    match error {
        ClientError::Service { code, .. } => code,
        ClientError::Transport(text) => text,
    }
}

#[tokio::test]
async fn a_job_runs_from_created_to_succeeded_with_true_counts() {
    let stage = stage("users = [\"old\"]\n[clock]\nspeed = 1000").await;
    let end = stage.run(csv([good("a"), good("b"), good("c"), good("old"), bad("d")])).await;
    assert_eq!((end["Status"].as_str(), counts(&end)), (Some("Succeeded"), (3, 1, 1)));
    assert_eq!(end["CompletionMessage"], "Import Job Completed Successfully.");
    // The same file again: everybody exists, which is too many.
    let end = stage.run(csv([good("a"), good("b"), good("c"), good("old"), bad("d")])).await;
    assert_eq!((end["Status"].as_str(), counts(&end)), (Some("Failed"), (0, 4, 1)));
    stage.simulator.shutdown().await;
}

#[tokio::test]
async fn a_script_shows_the_sample_of_the_api_page() {
    let script = r#"
        [[pool.job]]
        id = "import-sample"
        script = [
            {polls = 1, status = "Created"},
            {status = "Succeeded", imported = 99, failed = 1, message = "", omit = ["StartDate", "CompletionDate"]},
        ]"#;
    let stage = stage(script).await;
    assert_eq!(stage.describe("import-sample").await.unwrap()["Status"], "Created");
    let shown = stage.describe("import-sample").await.unwrap();
    assert_eq!((shown["Status"].as_str(), counts(&shown)), (Some("Succeeded"), (99, 0, 1)));
    for absent in ["StartDate", "CompletionDate", "CompletionMessage"] {
        assert_eq!(shown.get(absent), None);
    }
}

#[tokio::test]
async fn the_record_tells_what_each_answer_showed_and_whether_it_was_whole() {
    let faults = r#"
        [[pool.job]]
        id = "import-a"
        script = [{status = "InProgress", imported = 5}]
        [[fault]]
        name = "half"
        first = 2
        last = 2
        answer = {kind = "cut"}
        [[fault]]
        first = 3
        last = 3
        answer = {kind = "reset"}
        [[fault]]
        first = 4
        last = 4
        answer = {kind = "throttle", retry_after = "2s"}"#;
    let stage = stage(faults).await;
    assert_eq!(stage.describe("import-a").await.unwrap()["ImportedUsers"], 5);
    assert!(matches!(stage.describe("import-a").await, Err(ClientError::Transport(_))));
    assert!(matches!(stage.describe("import-a").await, Err(ClientError::Transport(_))));
    assert_eq!(code(stage.describe("import-a").await.unwrap_err()), "TooManyRequestsException");
    let entries = stage.record(4).await;
    let column = |key: &str| entries.iter().map(|entry| entry[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("complete"), [json!(true), json!(false), json!(false), json!(true)]);
    assert_eq!(column("fault"), [json!(null), json!("half"), json!("fault-2"), json!("fault-3")]);
    assert_eq!(column("http_status"), [json!(200), json!(200), json!(null), json!(400)]);
    assert_eq!(column("imported"), [json!(5), json!(5), json!(null), json!(null)]);
    assert_eq!(entries[3]["error"], "TooManyRequestsException");
    assert!(entries.iter().all(|entry| entry["account"] == "123456789012" && entry["job_id"] == "import-a"));
}
