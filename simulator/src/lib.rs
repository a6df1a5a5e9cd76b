//! A local Amazon Cognito for user import jobs, for any AWS SDK or the AWS CLI.
//!
//! It listens on one port, with TLS where it has a certificate, and speaks AWS JSON 1.1, the upload of the CSV, and STS's
//! AssumeRole, with real signatures, quotas and errors. A [`Scenario`] says what exists, how jobs run, and what goes wrong; `docs/simulator.md` tells which of its behaviours
//! are known, inferred or chosen.
//!
//! ```text
//! server ─▶ rpc ─▶ fault ─▶ sigv4 ─▶ quota ─▶ api ─▶ world (pools, users, jobs)
//!    │        │                 └─▶ sts (keys of roles)
//!    │        └──▶ upload ─────────────────────────▶ import (csv) or script, on the job's clock
//!    └─▶ record: a line when an answer has gone out
//! ```
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use cognito_import_simulator::{Client, Options, Simulator};
//!
//! let simulator = Simulator::start(Options::default()).await?;
//! let (account, pool) = (&simulator.accounts()[0], &simulator.pools()[0]);
//! let client = Client::new(simulator.addr(), &account.access_key_id, &account.secret_access_key, &pool.region);
//! let answer = client.call("GetCSVHeader", &serde_json::json!({"UserPoolId": pool.id})).await?;
//! assert_eq!(answer["CSVHeader"][0], "name");
//! simulator.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod api;
mod client;
mod clock;
mod csv;
mod fault;
#[doc(hidden)]
pub mod fuzzing;
mod import;
mod operation;
mod quota;
mod random;
mod record;
mod rpc;
mod scenario;
mod script;
mod server;
mod sigv4;
mod sts;
mod tls;
mod upload;
mod wire;
mod world;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use client::{Client, ClientError};
pub use scenario::{Scenario, ScenarioError};
pub use tls::TlsFiles;

/// How a simulator is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What exists and how it behaves.
    pub scenario: Scenario,
    /// Makes ids and the ratio of faults the same in every run.
    pub seed: Option<u64>,
    /// A file that gets one JSON line per answer; an existing one is replaced.
    pub record: Option<PathBuf>,
    /// The certificate of a simulator that speaks TLS, and nothing else then.
    pub tls: Option<TlsFiles>,
}

impl Default for Options {
    /// A free port of the loopback interface, and the default scenario.
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen, scenario: Scenario::default(), seed: None, record: None, tls: None }
    }
}

/// Why a simulator cannot start: the address cannot be listened on, the record cannot be written, or the certificate
/// cannot be used.
#[derive(Debug)]
pub struct StartError {
    what: String,
    cause: io::Error,
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// An account of the simulator. Its keys open nothing else, and are the same in every run unless the scenario has others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// Twelve digits.
    pub id: String,
    /// Such as `AKIASIMU123456789012`.
    pub access_key_id: String,
    /// Such as `simulator-secret-access-key-123456789012`.
    pub secret_access_key: String,
    /// Only where the scenario demands one.
    pub session_token: Option<String>,
}

/// A user pool of the simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolInfo {
    /// Such as `us-west-2_EXAMPLE`.
    pub id: String,
    /// The part of the id before `_`.
    pub region: String,
    /// The id of the account that owns it.
    pub account: String,
    /// Its friendly name.
    pub name: String,
}

/// A running simulator. It stops when it is dropped, or in good order by [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    shared: Arc<server::Shared>,
    stop: watch::Sender<()>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Listens, and serves in background tasks of the current tokio runtime.
    ///
    /// # Errors
    /// The address cannot be listened on, the record cannot be written, or the certificate cannot be used.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { listen, scenario, seed, record, tls } = options;
        let unusable =
            |(path, cause): (PathBuf, _)| StartError { what: format!("cannot use {} for TLS", path.display()), cause };
        let acceptor = tls.as_ref().map(tls::acceptor).transpose().map_err(unusable)?;
        let failed = |cause| StartError { what: format!("cannot listen on {listen}"), cause };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let create = |path: PathBuf| match File::create(&path) {
            Ok(file) => Ok(Arc::new(Mutex::new(file))),
            Err(cause) => Err(StartError { what: format!("cannot write the record {}", path.display()), cause }),
        };
        let recorder = record.map(create).transpose()?;
        let shared =
            Arc::new(server::Shared { world: Mutex::new(world::World::new(scenario, seed)), recorder, acceptor });
        let (stop, stopped) = watch::channel(());
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared), stopped));
        Ok(Self { addr, shared, stop, server })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where clients find it: `http://127.0.0.1:9230`, or `https`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.shared.scheme(), self.addr)
    }

    /// All accounts, by id.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountInfo> {
        record::lock(&self.shared.world).accounts.values().cloned().collect()
    }

    /// All pools that exist now, by id.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolInfo> {
        record::lock(&self.shared.world).pools.values().map(|pool| pool.info.clone()).collect()
    }

    /// Stops within a second: answers under way are finished, hanging ones broken off.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The server has a deadline of its own; if it panicked there is nothing left to stop.
        drop(self.server.await);
    }
}
