//! A small signing client: one request, one answer, no retries. For demonstrations and tests.

use std::fmt;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::http::request::Builder;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::AccountInfo;
use crate::clock::wall_time;
use crate::sigv4::{authorize, escape, format_date};

/// Calls one endpoint as one account in one region.
#[derive(Clone, Debug)]
pub struct Client {
    addr: SocketAddr,
    keys: AccountInfo,
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
        let [access_key_id, secret_access_key, region] = [access_key_id, secret_access_key, region].map(str::to_owned);
        let keys = AccountInfo { id: String::new(), access_key_id, secret_access_key, session_token: None };
        Self { addr, keys, region }
    }

    /// A client with temporary keys, such as [`assume_role`](Self::assume_role) gives.
    #[must_use]
    pub fn with_keys(addr: SocketAddr, keys: AccountInfo, region: &str) -> Self {
        Self { addr, keys, region: region.to_owned() }
    }

    /// Calls an operation of Cognito, such as `DescribeUserImportJob`.
    ///
    /// # Errors
    /// The service's error, or what went wrong on the way.
    pub async fn call(&self, operation: &str, input: &Value) -> Result<Value, ClientError> {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"));
        let (status, answer) = self.signed(request, "cognito-idp", input.to_string().into()).await?;
        let value: Result<Value, _> = serde_json::from_slice(&answer);
        if status == 200 {
            return value.map_err(transport);
        }
        let value = value.unwrap_or_default();
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let message = text("message").or(text("Message")).unwrap_or_default();
        Err(ClientError::Service { status, code: text("__type").unwrap_or_default(), message })
    }

    /// Assumes a role for as long as its rule says, and gives its temporary keys.
    ///
    /// # Errors
    /// The error of STS, or what went wrong on the way.
    pub async fn assume_role(&self, arn: &str, external_id: Option<&str>) -> Result<AccountInfo, ClientError> {
        let external_id = external_id.map(|id| format!("&ExternalId={}", escape(id))).unwrap_or_default();
        let form = format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=client&RoleArn={}", escape(arn));
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let (status, answer) = self.signed(request, "sts", (form + &external_id).into()).await?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let text = |name: &str| element(&answer, name).to_owned();
        if status != 200 {
            return Err(ClientError::Service { status, code: text("Code"), message: text("Message") });
        }
        Ok(AccountInfo {
            id: arn.split(':').nth(4).unwrap_or_default().to_owned(),
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey"),
            session_token: Some(text("SessionToken")),
        })
    }

    /// Signs a request for a service, and sends it.
    async fn signed(&self, request: Builder, service: &str, body: Bytes) -> Result<(u16, Bytes), ClientError> {
        let stamp = format_date(wall_time());
        let mut request = request.header("host", self.addr.to_string()).header("x-amz-date", &stamp);
        if let Some(token) = &self.keys.session_token {
            request = request.header("x-amz-security-token", token);
        }
        let (mut parts, ()) = request.body(()).map_err(transport)?.into_parts();
        let authorization = authorize(&parts, &body, &self.keys, (&self.region, service), &stamp);
        parts.headers.insert("authorization", authorization.parse().map_err(transport)?);
        self.send(Request::from_parts(parts, Full::new(body))).await
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
            .body(Full::new(csv.into()));
        let (status, answer) = self.send(request.map_err(transport)?).await?;
        if status == 200 {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let text = |name: &str| element(&answer, name).to_owned();
        Err(ClientError::Service { status, code: text("Code"), message: text("Message") })
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), ClientError> {
        let stream = TcpStream::connect(self.addr).await.map_err(transport)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(transport)?;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            Ok((answer.status().as_u16(), answer.into_body().collect().await?.to_bytes()))
        };
        tokio::pin!(exchange);
        // The connection is driven here rather than in a task, so that nothing outlives the call.
        let answer: hyper::Result<(u16, Bytes)> = tokio::select! {
            biased;
            answer = &mut exchange => answer,
            ended = connection => match ended {
                Ok(()) => exchange.await,
                Err(error) => Err(error),
            },
        };
        answer.map_err(transport)
    }
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
    rest.split_once("</").map_or("", |(text, _)| text)
}

fn transport(error: impl std::error::Error) -> ClientError {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    ClientError::Transport(causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
}
