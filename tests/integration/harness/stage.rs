//! A simulator on a thread of its own, with its record, and a directory for the files of a test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cognito_import_simulator::{AccountInfo, Client, Options, Scenario, Simulator, TlsFiles};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::program::{DEADLINE, Program};

/// How often the record is looked at by a test that waits for it.
const LOOK: Duration = Duration::from_millis(5);

/// A running simulator. It ends with the stage.
pub(crate) struct Stage {
    directory: TempDir,
    url: String,
    account: AccountInfo,
    client: Client,
    configs: AtomicUsize,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Stage {
    /// The first account of the scenario is the one whose keys the binary gets.
    pub(crate) fn new(scenario: &str) -> Self {
        Self::start(scenario, None)
    }

    /// The same with a certificate, over TLS.
    pub(crate) fn with_tls(scenario: &str, files: TlsFiles) -> Self {
        Self::start(scenario, Some(files))
    }

    fn start(scenario: &str, tls: Option<TlsFiles>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let scenario = Scenario::parse(scenario).unwrap_or_else(|error| panic!("{error}\n{scenario}"));
        let options = Options {
            scenario,
            seed: Some(1),
            record: Some(directory.path().join("record")),
            tls,
            ..Options::default()
        };
        let (send, receive) = channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            runtime().block_on(async {
                let simulator = Simulator::start(options).await.unwrap();
                let account = simulator.accounts().swap_remove(0);
                let region = simulator.pools().swap_remove(0).region;
                send.send((simulator.addr(), simulator.url(), account, region)).unwrap();
                // Told to stop, or left alone by a test that failed.
                drop(stopped.await);
                simulator.shutdown().await;
            });
        });
        let (addr, url, account, region) = receive.recv().unwrap();
        let client = Client::new(addr, &account.access_key_id, &account.secret_access_key, &region);
        let (stop, thread) = (Some(stop), Some(thread));
        Self { directory, url, account, client, configs: AtomicUsize::new(1), stop, thread }
    }

    /// The binary with the account's keys, asking the simulator.
    pub(crate) fn program<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Program {
        self.keyed(arguments).args(["--endpoint-url", &self.url])
    }

    /// The binary with the account's keys, asking whom its settings name.
    pub(crate) fn keyed<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Program {
        self.with_keys(Program::new(self.path(), arguments))
    }

    /// A shell or the like that runs the binary, with the account's keys, asking the simulator, in quick succession.
    pub(crate) fn shell<A: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Program {
        self.with_keys(Program::with_ours_on_the_path(program, self.path(), arguments))
            .env("COGNITO_IMPORT_WATCH_ENDPOINT_URL", &self.url)
            .env("COGNITO_IMPORT_WATCH_INITIAL_INTERVAL", "20ms")
            .env("COGNITO_IMPORT_WATCH_MAX_INTERVAL", "50ms")
    }

    fn with_keys(&self, program: Program) -> Program {
        let AccountInfo { access_key_id, secret_access_key, session_token, .. } = &self.account;
        let program = program.env("AWS_ACCESS_KEY_ID", access_key_id).env("AWS_SECRET_ACCESS_KEY", secret_access_key);
        match session_token {
            Some(token) => program.env("AWS_SESSION_TOKEN", token),
            None => program,
        }
    }

    /// The same with a config file of this text.
    pub(crate) fn configured<A: AsRef<std::ffi::OsStr>>(
        &self,
        config: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Program {
        self.program(arguments).arg("--config").arg(self.config(config))
    }

    /// A config file of this text.
    pub(crate) fn config(&self, text: &str) -> PathBuf {
        // One file each: an earlier child may still be reading its own.
        let number = self.configs.fetch_add(1, Ordering::Relaxed);
        self.file(&format!("watch-{number}.toml"), text)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file in the test's directory.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Calls an operation of the service as somebody else.
    pub(crate) fn call(&self, operation: &str, input: &Value) -> Value {
        runtime().block_on(self.client.call(operation, input)).unwrap()
    }

    /// The answers so far, in the order in which they were finished.
    pub(crate) fn record(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path().join("record")).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until the record is as wanted.
    #[track_caller]
    pub(crate) fn recorded(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..DEADLINE.as_millis() / LOOK.as_millis() {
            let record = self.record();
            if wanted(&record) {
                return record;
            }
            thread::sleep(LOOK);
        }
        panic!("the record does not come to it: {:#?}", self.record());
    }

    /// Waits until the service was asked so often.
    #[track_caller]
    pub(crate) fn asked(&self, times: usize) {
        self.recorded(|record| record.len() >= times);
    }

    /// Ends the simulator, so that its record is whole.
    pub(crate) fn close(mut self) -> Vec<Value> {
        self.shut();
        self.record()
    }

    fn shut(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A simulator that panicked has said so itself.
            drop(thread.join());
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shut();
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
