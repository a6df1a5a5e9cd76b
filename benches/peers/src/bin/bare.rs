//! What a user of the Rust SDK would write: a loop around DescribeUserImportJob. Run by `benches/peers.py`.
//!
//! The same TLS, trust and settings as the product's, so that the difference is the product's own.

use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use cognito_import_peers::{Failure, Settings, beside_each_other, is_over};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let settings = Settings::from_env()?;
    let trust = match &settings.authority {
        Some(path) => TrustStore::empty().with_pem_certificate(std::fs::read(path)?),
        None => TrustStore::default(),
    };
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(TlsContext::builder().with_trust_store(trust).build()?)
        .build_https();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await;
    let client = Client::new(&config);
    let settings = Arc::new(settings);
    beside_each_other(settings.loops, || poll(client.clone(), Arc::clone(&settings))).await
}

async fn poll(client: Client, settings: Arc<Settings>) -> Result<(), Failure> {
    for _ in 0..settings.polls {
        let answer =
            client.describe_user_import_job().user_pool_id(&settings.pool).job_id(&settings.job).send().await?;
        let status = answer.user_import_job().and_then(|job| job.status()).ok_or("an answer without a status")?;
        if is_over(status.as_str()) {
            break;
        }
        if !settings.pause.is_zero() {
            tokio::time::sleep(settings.pause).await;
        }
    }
    Ok(())
}
