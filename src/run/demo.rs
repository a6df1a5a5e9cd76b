//! `demo`: everything on this machine. A local Cognito, real import jobs in it, the real daemon on them.
//!
//! It takes nothing from the environment: the keys are the simulator's, and no AWS file or variable is read.

use std::io;
use std::time::Duration;

use cognito_import_simulator::{Client, ClientError, Options, Scenario, Simulator};
use cognito_import_watch_core::schedule::Ending;
use serde_json::{Value, json};

use super::console::{Console, Log};
use super::daemon::{self, Remembered, signals};
use super::engine::Keys;
use crate::cli::{Output, Shared};
use crate::config::{LogLevel, Overrides, Plan, Source, resolve};
use crate::driver::Ended;
use crate::exit::{CommandError, Exit};
use crate::output::status;
use crate::source::Credentials;
use crate::telemetry::{LogFormat, PlainScreen};

const SCENARIO: &str = include_str!("demo/scenario.toml");
const CONFIG: &str = include_str!("demo/config.toml");

/// The jobs: where each is created, its name there, and its place in the config.
const JOBS: [(&str, &str, &str); 4] = [
    ("us-east-1_SHOP", "customers-2026", "JOB_CUSTOMERS"),
    ("eu-central-1_BILLING", "contacts", "JOB_INVOICES"),
    ("ap-southeast-2_SUPPORT", "agents", "JOB_STOPPED"),
    ("ap-southeast-2_SUPPORT", "agents-old", "JOB_FORGOTTEN"),
];

/// The accounts, in the order of the config.
const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];

/// What comes before the log.
const INTRODUCTION: &str = "\
A local Cognito, four user import jobs in three accounts, and the daemon watching them.
60 customers, some of them faulty or there already; 90 contacts whose account is throttled
for a while; an import that is stopped half-way; and a job that nobody starts.
No AWS account is used. It ends by itself in less than a minute.
";

/// Runs the demonstration.
///
/// # Errors
/// When the simulator cannot start or does not do what it is asked.
pub(super) async fn demo(shared: &Shared, console: &Console) -> Result<Exit, CommandError> {
    let mut signals = signals()?;
    let scenario = Scenario::parse(SCENARIO).map_err(internal)?;
    let simulator = Simulator::start(Options { scenario, ..Options::default() }).await.map_err(internal)?;
    let world = World::new(&simulator);
    let mut config = CONFIG.replace("ENDPOINT", &format!("http://{}", simulator.addr()));
    let mut jobs = Vec::new();
    for (pool, name, place) in JOBS {
        let job = world.create(pool, name).await.map_err(internal)?;
        config = config.replace(place, &job.id);
        jobs.push(job);
    }
    let plan = plan(&config)?;
    if shared.output == Output::Text {
        console.result(&format!("{INTRODUCTION}\n"))?;
    }

    let format = match shared.output {
        Output::Text => LogFormat::Text(console.style(&io::stdout())),
        Output::Json => LogFormat::Json,
    };
    let log = Log::start(LogLevel::Info, format, PlainScreen(io::stdout()))?;
    let owners = tokio::spawn(async move { world.act(&jobs).await });
    let ending = Ending::WhenOver { timeout: None, unobserved: None };
    let watched = {
        let keys = Keys::Given(keys(&simulator, &plan));
        // Nothing of the environment: no state directory either.
        let memory = Remembered { opened: None, printer: log.printer() };
        daemon::watch(plan, ending, &keys, memory, None, None, &mut signals).await
    };
    log.close();
    owners.abort();
    let acted = owners.await;
    simulator.shutdown().await;

    let watched = watched?;
    if let Ok(Err(error)) = acted {
        return Err(internal(error));
    }
    let jobs = watched.reports;
    console.result(&match shared.output {
        Output::Json => status::json(&jobs, &[]) + "\n",
        Output::Text => format!(
            "\n{}\n`wait` on these jobs would end with code {}: {}.\n",
            status::text(&jobs, &[], console.style(&io::stdout()).columns),
            watched.exit.code(),
            watched.exit.meaning()
        ),
    })?;
    Ok(match watched.ended {
        Ended::Over => Exit::Success,
        Ended::Signalled(signal) => signal.exit(),
    })
}

fn plan(config: &str) -> Result<Plan, CommandError> {
    resolve(&[Source::new("demo/config.toml", config)], &Overrides::default()).map_err(internal)
}

/// The simulator's keys for each account of the plan; the default account is not used.
fn keys(simulator: &Simulator, plan: &Plan) -> Vec<Credentials> {
    let accounts = simulator.accounts();
    let of = |id: &str| {
        accounts.iter().find(|account| account.id == id).map(|account| Credentials::Static {
            access_key_id: account.access_key_id.clone(),
            secret_access_key: account.secret_access_key.clone(),
            session_token: None,
        })
    };
    let named = ACCOUNTS.iter().filter_map(|id| of(id));
    of(ACCOUNTS[0]).into_iter().chain(named).take(plan.accounts.len()).collect()
}

fn internal(error: impl std::fmt::Display) -> CommandError {
    CommandError::new(Exit::Internal, format!("the demonstration broke off: {error}"))
}

/// A job as its owner knows it.
struct Job {
    pool: &'static str,
    id: String,
    upload_url: String,
}

/// The people who own the jobs: they create, upload, start and stop.
struct World {
    clients: Vec<(String, Client)>,
}

impl World {
    fn new(simulator: &Simulator) -> Self {
        let accounts = simulator.accounts();
        let client = |pool: &cognito_import_simulator::PoolInfo| {
            let account = accounts.iter().find(|account| account.id == pool.account)?;
            let client =
                Client::new(simulator.addr(), &account.access_key_id, &account.secret_access_key, &pool.region);
            Some((pool.id.clone(), client))
        };
        Self { clients: simulator.pools().iter().filter_map(client).collect() }
    }

    async fn call(&self, pool: &str, operation: &str, input: Value) -> Result<Value, ClientError> {
        match self.clients.iter().find(|(id, _)| id == pool) {
            Some((_, client)) => client.call(operation, &input).await,
            None => Err(ClientError::Transport(format!("there is no pool {pool}"))),
        }
    }

    async fn create(&self, pool: &'static str, name: &str) -> Result<Job, ClientError> {
        let account = match pool {
            "us-east-1_SHOP" => ACCOUNTS[0],
            "eu-central-1_BILLING" => ACCOUNTS[1],
            _ => ACCOUNTS[2],
        };
        let role = format!("arn:aws:iam::{account}:role/import-logs");
        let input = json!({ "UserPoolId": pool, "JobName": name, "CloudWatchLogsRoleArn": role });
        let answer = self.call(pool, "CreateUserImportJob", input).await?;
        let text = |key: &str| {
            let value = answer.get("UserImportJob").and_then(|job| job.get(key)).and_then(Value::as_str);
            value.map(str::to_owned).ok_or_else(|| ClientError::Transport(format!("the new job has no {key}")))
        };
        Ok(Job { pool, id: text("JobId")?, upload_url: text("PreSignedUrl")? })
    }

    /// Uploads a CSV of `good` rows, `faulty` ones and some of users that are there already, and starts the job.
    async fn start(&self, job: &Job, good: usize, faulty: usize, there: usize) -> Result<(), ClientError> {
        let header = self.call(job.pool, "GetCSVHeader", json!({ "UserPoolId": job.pool })).await?;
        let columns: Vec<&str> =
            header.get("CSVHeader").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut csv = columns.join(",") + "\n";
        let rows = (1..=there)
            .map(|number| (format!("customer-{number}"), "true"))
            .chain((0..good).map(|number| (format!("new-{number}"), "true")))
            .chain((0..faulty).map(|number| (format!("faulty-{number}"), "false")));
        for (name, verified) in rows {
            let value = |column: &&str| match *column {
                "cognito:username" => name.clone(),
                "email" => format!("{name}@example.com"),
                "email_verified" => verified.to_owned(),
                "phone_number_verified" | "cognito:mfa_enabled" => "false".to_owned(),
                _ => String::new(),
            };
            csv.push_str(&columns.iter().map(value).collect::<Vec<_>>().join(","));
            csv.push('\n');
        }
        if let Some((_, client)) = self.clients.iter().find(|(id, _)| id == job.pool) {
            client.upload(&job.upload_url, csv).await?;
        }
        self.call(job.pool, "StartUserImportJob", json!({ "UserPoolId": job.pool, "JobId": job.id })).await?;
        Ok(())
    }

    /// What the owners do while the daemon watches.
    async fn act(&self, jobs: &[Job]) -> Result<(), ClientError> {
        let [customers, contacts, agents, ..] = jobs else { return Ok(()) };
        let pause = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        pause(2).await;
        self.start(customers, 52, 5, 3).await?;
        pause(1).await;
        self.start(contacts, 90, 0, 0).await?;
        pause(1).await;
        self.start(agents, 120, 0, 0).await?;
        pause(6).await;
        self.call(agents.pool, "StopUserImportJob", json!({ "UserPoolId": agents.pool, "JobId": agents.id })).await?;
        Ok(())
    }
}
