//! The checks of the table's rows about STS, and TLS.

use std::sync::Arc;

use cognito_import_simulator::{AccountInfo, Client, ClientError, Options, Simulator, TlsFiles};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::checks::{Check, checks};
use crate::stage::{POOL, Stage, error};

const WATCH: &str = "arn:aws:iam::222222222222:role/path/watch";
const GUARDED: &str = "arn:aws:iam::222222222222:role/guarded";
const SHORT: &str = "arn:aws:iam::123456789012:role/short";

/// A pool in each of two accounts, and roles.
async fn stage() -> Stage {
    let more = format!(
        "account = \"123456789012\"
        [[pool]]\nid = \"us-west-2_OTHER\"\naccount = \"222222222222\"
        [[role]]\narn = \"{WATCH}\"
        [[role]]\narn = \"{GUARDED}\"\nexternal_id = \"a b+c\"
        [[role]]\narn = \"{SHORT}\"\nlasts = \"0\"
        [[fault]]\noperation = \"AssumeRole\"\nregion = \"eu-west-1\"\nanswer = {{kind = \"throttle\"}}"
    );
    Stage::new("", &more).await
}

async fn header_of(stage: &Stage, keys: AccountInfo, pool: &str) -> Result<Value, ClientError> {
    let client = Client::with_keys(stage.simulator.addr(), keys, "us-west-2");
    client.call("GetCSVHeader", &json!({"UserPoolId": pool})).await
}

fn status(refused: Result<AccountInfo, ClientError>) -> (u16, String) {
    match refused.unwrap_err() {
        ClientError::Service { status, code, .. } => (status, code),
        ClientError::Transport(text) => (0, text),
    }
}

pub(crate) fn all() -> Vec<(&'static str, Check)> {
    checks! {
        "sts-assume-role" => async |_| {
            let stage = stage().await;
            let keys = stage.client.assume_role(WATCH, None).await.unwrap();
            assert!(keys.access_key_id.starts_with("ASIA") && keys.session_token.is_some());
            // They are those of the role's account, and of no other.
            assert!(header_of(&stage, keys.clone(), "us-west-2_OTHER").await.is_ok());
            assert_eq!(error(header_of(&stage, keys.clone(), POOL).await).0, "ResourceNotFoundException");
            for wrong in [
                AccountInfo { session_token: None, ..keys.clone() },
                AccountInfo { session_token: Some("other".into()), ..keys.clone() },
            ] {
                assert_eq!(error(header_of(&stage, wrong, POOL).await).0, "UnrecognizedClientException");
            }
            let record = stage.record(1).await;
            assert_eq!(record[0]["operation"], "AssumeRole");
            assert_eq!((&record[0]["account"], &record[0]["role"]), (&json!("123456789012"), &json!(WATCH)));
        },
        "sts-denied" => async |_| {
            let stage = stage().await;
            let nobody = "arn:aws:iam::222222222222:role/nobody";
            assert_eq!(status(stage.client.assume_role(nobody, None).await), (403, "AccessDenied".into()));
            for (id, granted) in [(None, false), (Some("a b"), false), (Some("a b+c"), true)] {
                assert_eq!(stage.client.assume_role(GUARDED, id).await.is_ok(), granted, "{id:?}");
            }
        },
        "sts-signature" => async |_| {
            let stage = stage().await;
            let addr = stage.simulator.addr();
            for (key, secret, code) in [
                ("AKIANOBODY", "x", "InvalidClientTokenId"),
                ("AKIASIMU123456789012", "x", "SignatureDoesNotMatch"),
            ] {
                let refused = Client::new(addr, key, secret, "us-west-2").assume_role(WATCH, None).await;
                assert_eq!(status(refused), (403, code.into()));
            }
            let form = "Action=AssumeRole&Version=2011-06-15";
            let unsigned = format!(
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
                form.len()
            );
            let answer = stage.raw(&unsigned).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("<Code>MissingAuthenticationToken</Code>"), "{answer}");
        },
        "sts-errors" => async |_| {
            let stage = stage().await;
            assert_eq!(status(stage.client.assume_role("", None).await), (400, "ValidationError".into()));
            let keys = &stage.simulator.accounts()[0];
            let far = Client::new(stage.simulator.addr(), &keys.access_key_id, &keys.secret_access_key, "eu-west-1");
            assert_eq!(status(far.assume_role(WATCH, None).await), (400, "Throttling".into()));
        },
        "sts-expired" => async |_| {
            let stage = stage().await;
            let keys = stage.client.assume_role(SHORT, None).await.unwrap();
            assert_eq!(error(header_of(&stage, keys, POOL).await).0, "ExpiredTokenException");
        },
    }
}

#[tokio::test]
async fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["cognito.test".into()]).unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&certificate, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let files = TlsFiles { certificate: certificate.clone(), key };
    let simulator = Simulator::start(Options { tls: Some(files), ..Options::default() }).await.unwrap();
    assert_eq!(simulator.url(), format!("https://{}", simulator.addr()));

    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let stream = TcpStream::connect(simulator.addr()).await.unwrap();
    let name = ServerName::try_from("cognito.test").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 404"));

    let account = &simulator.accounts()[0];
    let plain = Client::new(simulator.addr(), &account.access_key_id, &account.secret_access_key, "us-east-1");
    assert_eq!(error(plain.call("ListUserImportJobs", &json!({})).await).0, "transport");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_with_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["a".into()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["a".into()]).unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let good = file("good.pem", &issued.cert.pem());
    let (foreign, empty) = (file("foreign.pem", &other.signing_key.serialize_pem()), file("empty.pem", ""));
    for (certificate, key, named) in [
        (good.clone(), directory.path().join("missing"), "missing"),
        (empty.clone(), foreign.clone(), "empty.pem"),
        (good.clone(), empty, "empty.pem"),
        (good, foreign, "foreign.pem"),
    ] {
        let files = TlsFiles { certificate, key };
        let refused = Simulator::start(Options { tls: Some(files), ..Options::default() }).await.unwrap_err();
        assert!(refused.to_string().contains(named), "{named}: {refused}");
    }
}
