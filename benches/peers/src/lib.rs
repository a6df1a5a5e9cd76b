//! What the bare loop, the floor and the endpoint of `benches/peers.py` share: settings from the environment.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;

/// Why a program of the benches ends early; it is printed by `main`.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What a loop is asked to do. The keys are the AWS variables'.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where requests go: `http://127.0.0.1:1234` or `https://localhost:1234`.
    pub endpoint: String,
    /// The pool of the job.
    pub pool: String,
    /// The job to ask about.
    pub job: String,
    /// How long to sleep after each answer.
    pub pause: Duration,
    /// How many loops run beside each other.
    pub loops: usize,
    /// How many answers are enough for each loop, were the job over or not.
    pub polls: u64,
    /// The file of the certificates to trust.
    pub authority: Option<PathBuf>,
}

impl Settings {
    /// What the environment says.
    ///
    /// # Errors
    /// When a variable is missing or is no number.
    pub fn from_env() -> Result<Self, Failure> {
        Ok(Self {
            endpoint: required("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")?,
            pool: required("POOL")?,
            job: required("JOB")?,
            pause: Duration::from_secs_f64(required("PAUSE")?.parse()?),
            loops: optional("LOOPS").map_or(Ok(1), |loops| loops.parse())?,
            polls: optional("POLLS").map_or(Ok(u64::MAX), |polls| polls.parse())?,
            authority: optional("AWS_CA_BUNDLE").map(PathBuf::from),
        })
    }
}

/// Runs loops beside each other until all have ended.
///
/// # Errors
/// The first failure of one.
pub async fn beside_each_other<L>(loops: usize, one: impl Fn() -> L) -> Result<(), Failure>
where
    L: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut running: JoinSet<_> = (0..loops).map(|_| one()).collect();
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// A variable that has to be set.
///
/// # Errors
/// When it is not, with its name.
pub fn required(name: &str) -> Result<String, Failure> {
    optional(name).ok_or_else(|| format!("{name} is not set").into())
}

/// A variable that may be set.
#[must_use]
pub fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a job of this status moves no more.
#[must_use]
pub fn is_over(status: &str) -> bool {
    matches!(status, "Succeeded" | "Failed" | "Stopped" | "Expired")
}
