//! A server that answers given bytes, and a process with a given environment. For the tests of this room.

use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cognito_import_watch_core::domain::{JobSnapshot, PollError, Target};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Answer, Credentials, Environment, JobSource, SourceSettings, Sources};

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// These bytes, and the connection stays.
    Bytes(Vec<u8>),
    /// These bytes, and the connection closes.
    Cut(Vec<u8>),
    /// Nothing, ever.
    Hang,
    /// The connection is reset.
    Reset,
}

/// An answer of HTTP, its length included.
pub(super) fn http(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    Reply::Bytes(format!("{text}\r\n{body}").into_bytes())
}

/// An error of the service in its usual form.
pub(super) fn error(code: &str, message: &str) -> Reply {
    http(400, &[("x-amzn-errortype", &format!("{code}:"))], &format!(r#"{{"__type":"{code}","message":"{message}"}}"#))
}

/// A good answer of DescribeUserImportJob.
pub(super) fn job(fields: &str) -> Reply {
    http(200, &[], &format!(r#"{{"UserImportJob":{{{fields}}}}}"#))
}

/// A server on this machine that answers the first request with the first reply and so on; the last one repeats.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    tls: Option<Arc<rustls::ServerConfig>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::listen(replies, None)
    }

    /// With the certificate in `testdata`, for `localhost` and `127.0.0.1`.
    pub(super) fn start_tls(replies: impl IntoIterator<Item = Reply>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_slice(include_bytes!("testdata/server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("testdata/server.key")).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::listen(replies, Some(Arc::new(config)))
    }

    fn listen(replies: impl IntoIterator<Item = Reply>, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), tls: tls.clone(), requests: Arc::default() };
        let replies: Arc<Vec<Reply>> = Arc::new(replies.into_iter().collect());
        let requests = Arc::clone(&server.requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (replies, requests, tls) = (Arc::clone(&replies), Arc::clone(&requests), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serve(BufReader::new(stream), &replies, &requests),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        serve(BufReader::new(rustls::StreamOwned::new(connection, stream)), &replies, &requests);
                    }
                });
            }
        });
        server
    }

    pub(super) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far: head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: BufReader<impl Read + Write>, replies: &[Reply], requests: &Mutex<Vec<String>>) {
    loop {
        let next = requests.lock().unwrap().len();
        let reply = replies.get(next).or(replies.last()).unwrap().clone();
        if let Reply::Reset = reply {
            // Closing a connection with input that nobody read makes the kernel send a reset.
            if stream.get_mut().read(&mut [0]).unwrap_or(0) > 0 {
                requests.lock().unwrap().push("a request that was reset".to_owned());
            }
            return;
        }
        let Some(request) = read_request(&mut stream) else { return };
        requests.lock().unwrap().push(request);
        let (bytes, stays) = match reply {
            Reply::Bytes(bytes) => (bytes, true),
            Reply::Cut(bytes) => (bytes, false),
            Reply::Hang | Reply::Reset => loop {
                std::thread::park();
            },
        };
        if stream.get_mut().write_all(&bytes).and_then(|()| stream.get_mut().flush()).is_err() || !stays {
            return;
        }
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

/// The marks that no output may hold.
pub(super) const KEY_ID: &str = "AKIAMARKEDMARKEDMARK";
pub(super) const SECRET_KEY: &str = "marked+secret/access+key";
pub(super) const SESSION_TOKEN: &str = "marked-session-token//==";

/// Keys that are given, not found.
pub(super) fn keys() -> Credentials {
    Credentials::Static {
        access_key_id: KEY_ID.into(),
        secret_access_key: SECRET_KEY.into(),
        session_token: Some(SESSION_TOKEN.into()),
    }
}

pub(super) fn settings(credentials: Credentials, endpoint_url: Option<String>) -> SourceSettings {
    SourceSettings {
        account_name: None,
        credentials,
        region: "us-west-2".into(),
        sts_region: None,
        endpoint_url,
        request_timeout: Duration::from_secs(10),
    }
}

/// A source in an isolated process that asks `server`.
pub(super) async fn source(server: &Server) -> Arc<dyn JobSource> {
    let settings = settings(keys(), Some(server.url()));
    Sources::new(Environment::Isolated).unwrap().open(&settings).await.unwrap()
}

pub(super) fn target() -> Target {
    "us-west-2_EXAMPLE/import-mAgUtd8PMm".parse().unwrap()
}

pub(super) async fn describe(server: &Server) -> Result<Answer<JobSnapshot>, PollError> {
    source(server).await.describe(&target()).await
}

/// What a source in the environment of this process is told, as one line: `<kind>: <message>`, or the status.
pub(super) async fn ask_ambient(credentials: Credentials, endpoint_url: Option<String>) -> String {
    let mut sources = match Sources::new(Environment::Ambient) {
        Ok(sources) => sources,
        Err(error) => return format!("refused: {error}"),
    };
    let source = match sources.open(&settings(credentials, endpoint_url)).await {
        Ok(source) => source,
        Err(error) => return format!("refused: {error}"),
    };
    let account = source.account().map(|account| account.to_string());
    match source.describe(&target()).await {
        Ok(answer) => {
            let after = source.account().map(|account| account.to_string());
            format!("{} account {account:?} then {after:?}", answer.value.status)
        }
        Err(error) => format!("{}: {error}", error.kind),
    }
}

const CHILD: &str = "COGNITO_IMPORT_WATCH_TEST_CHILD";
const TOLD: &str = "told by the child: ";

/// Runs `ask` when this process is the child that [`child`] started, and says so.
pub(super) fn is_child(ask: impl Future<Output = String>) -> bool {
    is_child_in(tokio::runtime::Builder::new_current_thread().enable_all(), ask)
}

/// The same with a clock that jumps to the next time-out whenever nothing else happens: for those who wait for nothing.
pub(super) fn is_hasty_child(ask: impl Future<Output = String>) -> bool {
    is_child_in(tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true), ask)
}

fn is_child_in(runtime: &mut tokio::runtime::Builder, ask: impl Future<Output = String>) -> bool {
    if std::env::var_os(CHILD).is_none() {
        return false;
    }
    let runtime = runtime.build().unwrap();
    println!("\n{TOLD}{}", runtime.block_on(ask).replace('\n', "\\n"));
    true
}

/// Runs one test of this binary in a process of its own with these variables and no others, and gives what it told.
pub(super) fn child(test: &str, variables: &[(&str, &str)]) -> String {
    let (_, test) = test.split_once("::").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env_clear()
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let told = text.lines().find_map(|line| line.strip_prefix(TOLD)).map(str::to_owned);
    told.unwrap_or_else(|| panic!("the child told nothing:\n{text}"))
}

/// The name of the test this stands in, for [`child`].
macro_rules! this_test {
    () => {{
        fn here() {}
        std::any::type_name_of_val(&here).trim_end_matches("::here")
    }};
}
pub(super) use this_test;
