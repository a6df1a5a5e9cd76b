//! The endpoint that all clients ask: any POST gets the same job, checked by nobody. Run by `benches/peers.py`.
//!
//! It must cost next to nothing, for it shares the machine with whom it measures. A GET tells what it counted.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cognito_import_peers::{Failure, optional};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What was asked so far. Times are seconds since 1970.
#[derive(Debug, Default)]
struct Counted {
    requests: u64,
    first: Option<Duration>,
    /// When an answer told for the first time that the job is over.
    told: Option<Duration>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    counted: Mutex<Counted>,
    running: Bytes,
    over: Bytes,
    /// How long after the first request the job is over.
    over_after: Option<Duration>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let over_after = optional("OVER_AFTER").map(|seconds| seconds.parse()).transpose()?.map(Duration::from_secs_f64);
    let shared = Arc::new(Shared {
        counted: Mutex::default(),
        running: job("InProgress", r#""ImportedUsers":4711"#),
        over: job(
            "Succeeded",
            r#""ImportedUsers":12000,"CompletionDate":1548271710.0,"CompletionMessage":"Import Job Completed Successfully.""#,
        ),
        over_after,
    });
    let tls = match (optional("TLS_CERTIFICATE"), optional("TLS_KEY")) {
        (Some(certificate), Some(key)) => Some(tls(Path::new(&certificate), Path::new(&key))?),
        _ => None,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, tls.clone(), Arc::clone(&shared)));
    }
}

fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Failure> {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from_pem_file(certificate)?], PrivateKeyDer::from_pem_file(key)?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// An answer as long as Cognito's: most of it is the upload URL with its session token.
fn job(status: &str, rest: &str) -> Bytes {
    let token = "IQoJb3JpZ2luX2VjEXAMPLE".repeat(40);
    Bytes::from(format!(
        r#"{{"UserImportJob":{{"JobName":"nightly customers","JobId":"import-load","UserPoolId":"us-west-2_EXAMPLE","PreSignedUrl":"https://aws-cognito-idp-user-import-pdx.s3.us-west-2.amazonaws.com/123456789012/us-west-2_EXAMPLE/import-load?X-Amz-Security-Token={token}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=899&X-Amz-Signature=0000000000000000000000000000000000000000000000000000000000000000","CreationDate":1548271708.512,"StartDate":1548271709.0,"Status":"{status}","CloudWatchLogsRoleArn":"arn:aws:iam::123456789012:role/service-role/Cognito-UserImport-Role","SkippedUsers":0,"FailedUsers":0,{rest}}}}}"#
    ))
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // A client that leaves is no failure.
    drop(stream.set_nodelay(true));
    match tls {
        None => served(stream, shared).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                served(stream, shared).await;
            }
        }
    }
}

async fn served<S: AsyncRead + AsyncWrite + Unpin>(stream: S, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Failure> {
    if request.method() == Method::GET {
        return Ok(Response::new(Full::new(shared.told())));
    }
    // Read to its end, so that the connection can be used again.
    request.into_body().collect().await?;
    let response = Response::builder()
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amzn-requestid", "00000000-0000-4000-8000-000000000000");
    Ok(response.body(Full::new(shared.next()))?)
}

impl Shared {
    fn next(&self) -> Bytes {
        let now = now();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.requests += 1;
        let first = *counted.first.get_or_insert(now);
        if self.over_after.is_none_or(|after| now < first + after) {
            return self.running.clone();
        }
        counted.told.get_or_insert(now);
        self.over.clone()
    }

    fn told(&self) -> Bytes {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let told = serde_json::json!({
            "requests": counted.requests,
            "first": seconds(counted.first),
            "told": seconds(counted.told),
        });
        Bytes::from(told.to_string())
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with the clock of another process")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
