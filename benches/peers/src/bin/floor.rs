//! The floor: one connection of hyper, the SDK's own signer, serde_json, and nothing else. Run by `benches/peers.py`.

use std::path::Path;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use cognito_import_peers::{Failure, Settings, beside_each_other, is_over, required};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const TARGET: &str = "AWSCognitoIdentityProviderService.DescribeUserImportJob";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let settings = Arc::new(Settings::from_env()?);
    beside_each_other(settings.loops, || poll(Arc::clone(&settings))).await
}

async fn poll(settings: Arc<Settings>) -> Result<(), Failure> {
    let region = required("AWS_REGION")?;
    let keys =
        Credentials::new(required("AWS_ACCESS_KEY_ID")?, required("AWS_SECRET_ACCESS_KEY")?, None, None, "environment");
    let identity = keys.into();
    let mut connection = connect(&settings).await?;
    let body = format!(r#"{{"UserPoolId":"{}","JobId":"{}"}}"#, settings.pool, settings.job);
    let url = format!("{}/", settings.endpoint);
    let host = url.split('/').nth(2).unwrap_or_default();
    for _ in 0..settings.polls {
        let mut request = Request::post("/")
            .header("host", host)
            .header("content-type", CONTENT_TYPE)
            .header("x-amz-target", TARGET)
            .body(Full::new(Bytes::from(body.clone())))?;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name("cognito-idp")
            .time(now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = [("host", host), ("content-type", CONTENT_TYPE), ("x-amz-target", TARGET)];
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
        let (signature, _) = sign(signable, &parameters)?.into_parts();
        signature.apply_to_request_http1x(&mut request);
        connection.ready().await?;
        let answer = connection.send_request(request).await?.into_body().collect().await?.to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        if is_over(answer["UserImportJob"]["Status"].as_str().ok_or("an answer without a status")?) {
            break;
        }
        if !settings.pause.is_zero() {
            tokio::time::sleep(settings.pause).await;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a signature holds the time of day")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

async fn connect(settings: &Settings) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let (scheme, address) = settings.endpoint.split_once("://").ok_or("the endpoint is no URL")?;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    match (scheme, &settings.authority) {
        ("https", Some(authority)) => {
            let name = address.split(':').next().unwrap_or_default().to_owned();
            spoken(tls(authority)?.connect(ServerName::try_from(name)?, stream).await?).await
        }
        _ => spoken(stream).await,
    }
}

fn tls(authority: &Path) -> Result<TlsConnector, Failure> {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(authority)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn spoken<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
