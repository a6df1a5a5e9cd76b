//! A simulator with a client and a record, and the CSVs that tests upload.

use std::io;
use std::time::Duration;

use cognito_import_simulator::{Client, ClientError, Options, Scenario, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const HEADER: &str = "cognito:username,name,given_name,family_name,middle_name,nickname,preferred_username,\
                                 profile,picture,website,email,email_verified,gender,birthdate,zoneinfo,locale,\
                                 phone_number,phone_number_verified,address,updated_at,cognito:mfa_enabled";
pub(crate) const POOL: &str = "us-west-2_EXAMPLE";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/CognitoUserImport";

/// Fast, and without quotas in the way; a test that sets one of these keys has its own.
const DEFAULTS: &str = "clock.speed = 1000
quota.per_pool = 100000
quota.user_pool_resource_read = 100000
quota.user_pool_resource_update = 100000
";

/// A row that is imported, with some columns set otherwise.
pub(crate) fn row(name: &str, columns: &[(&str, &str)]) -> String {
    let email = format!("{name}@example.com");
    let usual =
        [("cognito:username", name), ("email", &email), ("email_verified", "TRUE"), ("cognito:mfa_enabled", "FALSE")];
    let value = |column: &str| {
        let find =
            |pairs: &[(&str, &str)]| pairs.iter().find(|(key, _)| *key == column).map(|(_, value)| (*value).to_owned());
        find(columns).or(find(&usual)).unwrap_or_default()
    };
    HEADER.split(',').map(value).collect::<Vec<_>>().join(",")
}

pub(crate) fn good(name: &str) -> String {
    row(name, &[])
}

/// A row that fails: no attribute is verified.
pub(crate) fn bad(name: &str) -> String {
    row(name, &[("email_verified", "")])
}

pub(crate) fn csv(rows: impl IntoIterator<Item = String>) -> String {
    rows.into_iter().fold(HEADER.to_owned(), |text, row| format!("{text}\n{row}"))
}

pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    record: tempfile::NamedTempFile,
}

impl Stage {
    /// Keys such as `jobs.too_many = 0.1`, one a line; then the pool, whose keys come in `pool`.
    pub(crate) async fn new(keys: &str, pool: &str) -> Self {
        let unset = |line: &&str| !keys.contains(line.split(" =").next().unwrap());
        let defaults: Vec<&str> = DEFAULTS.lines().filter(unset).collect();
        let text = format!("{}\n{keys}\n[[pool]]\nid = \"{POOL}\"\n{pool}", defaults.join("\n"));
        let record = tempfile::NamedTempFile::new().unwrap();
        let options = Options {
            scenario: Scenario::parse(&text).unwrap(),
            seed: Some(1),
            record: Some(record.path().to_owned()),
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let account = &simulator.accounts()[0];
        let client = Client::new(simulator.addr(), &account.access_key_id, &account.secret_access_key, "us-west-2");
        Self { simulator, client, record }
    }

    /// Calls an operation on the pool.
    pub(crate) async fn call(&self, operation: &str, mut input: Value) -> Result<Value, ClientError> {
        input["UserPoolId"] = json!(POOL);
        self.client.call(operation, &input).await
    }

    pub(crate) async fn create(&self) -> Value {
        let input = json!({"JobName": "test", "CloudWatchLogsRoleArn": ROLE});
        self.call("CreateUserImportJob", input).await.unwrap()["UserImportJob"].take()
    }

    /// Describe, Start or Stop.
    pub(crate) async fn on(&self, operation: &str, job: &Value) -> Result<Value, ClientError> {
        let operation = format!("{operation}UserImportJob");
        Ok(self.call(&operation, json!({"JobId": job["JobId"]})).await?["UserImportJob"].take())
    }

    pub(crate) async fn describe(&self, job_id: &str) -> Result<Value, ClientError> {
        self.on("Describe", &json!({"JobId": job_id})).await
    }

    /// A job with its CSV, not yet started.
    pub(crate) async fn uploaded(&self, csv: String) -> Value {
        let job = self.create().await;
        self.client.upload(job["PreSignedUrl"].as_str().unwrap(), csv).await.unwrap();
        job
    }

    /// Creates, uploads and starts a job, and follows it to its end.
    pub(crate) async fn run(&self, csv: String) -> Value {
        let job = self.uploaded(csv).await;
        self.on("Start", &job).await.unwrap();
        self.until(&job, |shown| shown.get("CompletionDate").is_some()).await
    }

    /// Describes a job until it shows what is waited for.
    pub(crate) async fn until(&self, job: &Value, there: impl Fn(&Value) -> bool) -> Value {
        loop {
            let shown = self.on("Describe", job).await.unwrap();
            if there(&shown) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The record once it has so many lines.
    pub(crate) async fn record(&self, lines: usize) -> Vec<Value> {
        loop {
            let text = std::fs::read_to_string(self.record.path()).unwrap();
            let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            if entries.len() >= lines {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Sends bytes and reads until the server closes, or asks for the body.
    pub(crate) async fn raw(&self, request: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.simulator.addr()).await?;
        let closing = request.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
        stream.write_all(closing.as_bytes()).await?;
        let mut answer = Vec::new();
        while stream.read_buf(&mut answer).await? > 0 && !answer.starts_with(b"HTTP/1.1 100") {}
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// Status, imported, skipped, failed.
pub(crate) fn shown(job: &Value) -> (&str, u64, u64, u64) {
    let count = |key: &str| job[key].as_u64().unwrap();
    (job["Status"].as_str().unwrap(), count("ImportedUsers"), count("SkippedUsers"), count("FailedUsers"))
}

/// The error's type and text.
pub(crate) fn error<T: std::fmt::Debug>(result: Result<T, ClientError>) -> (String, String) {
    match result.unwrap_err() {
        ClientError::Service { code, message, .. } => (code, message),
        ClientError::Transport(text) => ("transport".into(), text),
    }
}
