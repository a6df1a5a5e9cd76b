//! A small signing client: one request, one answer, no retries. For demonstrations and tests.

use std::fmt;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::clock::wall_time;
use crate::sigv4::{Keys, Scope, authorize, format_date};

/// Calls one endpoint as one account in one region.
#[derive(Clone, Debug)]
pub struct Client {
    addr: SocketAddr,
    keys: Keys,
    region: String,
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The service answered with an error.
    Service {
        /// The HTTP status.
        status: u16,
        /// The error's type, such as `ResourceNotFoundException`.
        code: String,
        /// Its text, empty where there is none.
        message: String,
    },
    /// There was no whole answer, or it made no sense.
    Transport(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { status, code, message } => write!(f, "{code} ({status}): {message}"),
            Self::Transport(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ClientError {}

impl Client {
    /// A client with an account's keys, see [`Simulator::accounts`](crate::Simulator::accounts).
    #[must_use]
    pub fn new(addr: SocketAddr, access_key_id: &str, secret_access_key: &str, region: &str) -> Self {
        let keys = Keys { id: access_key_id.to_owned(), secret: secret_access_key.to_owned(), token: None };
        Self { addr, keys, region: region.to_owned() }
    }

    /// Calls an operation, such as `DescribeUserImportJob`.
    ///
    /// # Errors
    /// The service's error, or what went wrong on the way.
    pub async fn call(&self, operation: &str, input: &Value) -> Result<Value, ClientError> {
        let body = Bytes::from(input.to_string());
        let stamp = format_date(wall_time());
        let mut request = Request::post("/")
            .header("host", self.addr.to_string())
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
            .header("x-amz-date", &stamp);
        if let Some(token) = &self.keys.token {
            request = request.header("x-amz-security-token", token);
        }
        let (mut parts, ()) = request.body(()).map_err(transport)?.into_parts();
        let scope =
            Scope { day: stamp[..8].to_owned(), region: self.region.clone(), service: "cognito-idp".to_owned() };
        let authorization = authorize(&parts, &body, &self.keys, &scope, &stamp);
        parts.headers.insert("authorization", authorization.parse().map_err(transport)?);
        let (status, answer) = self.send(Request::from_parts(parts, Full::new(body))).await?;
        let value: Option<Value> = serde_json::from_slice(&answer).ok();
        let text = |key: &str| value.as_ref().and_then(|value| value.get(key)).and_then(Value::as_str);
        match (&value, status) {
            (Some(value), 200) => Ok(value.clone()),
            (None, 200) => Err(ClientError::Transport("the answer is not JSON".into())),
            (_, status) => Err(ClientError::Service {
                status,
                code: text("__type").unwrap_or_default().to_owned(),
                message: text("message").or(text("Message")).unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Uploads a CSV to a job's `PreSignedUrl`.
    ///
    /// # Errors
    /// S3's error, or what went wrong on the way.
    pub async fn upload(&self, url: &str, csv: impl Into<Bytes>) -> Result<(), ClientError> {
        let target = url.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
        let (host, path) = target.ok_or_else(|| ClientError::Transport("not an http URL".into()))?;
        let request = Request::put(format!("/{path}"))
            .header("host", host)
            .header("x-amz-server-side-encryption", "aws:kms")
            .body(Full::new(csv.into()))
            .map_err(transport)?;
        let (status, answer) = self.send(request).await?;
        if status == 200 {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let element = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>"))?;
            Some(rest.split_once("</")?.0.to_owned())
        };
        let (code, message) = (element("Code").unwrap_or_default(), element("Message").unwrap_or_default());
        Err(ClientError::Service { status, code, message })
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), ClientError> {
        let stream = TcpStream::connect(self.addr).await.map_err(transport)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(transport)?;
        let exchange = async {
            let answer: Response<_> = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            Ok((status, answer.into_body().collect().await?.to_bytes()))
        };
        // The connection is driven here rather than in a task, so that nothing outlives the call.
        tokio::pin!(exchange, connection);
        let finished = tokio::select! {
            biased;
            answer = &mut exchange => answer,
            ended = &mut connection => match ended {
                Ok(()) => exchange.await,
                Err(error) => Err(error),
            },
        };
        finished.map_err(|error: hyper::Error| transport(error))
    }
}

fn transport(error: impl std::error::Error) -> ClientError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ClientError::Transport(text)
}
