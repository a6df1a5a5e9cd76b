//! The HTTP client: rustls with ring, the proxy of the environment, the trust of the environment.
//!
//! [`super::Sources`] makes one and every SDK client shares it, those of STS, SSO and instance metadata too.
//! Proxies are for the way out: a request to this machine (loopback) or to its link (instance and container
//! metadata, which a proxy would answer with its own credentials) never goes through one.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::answer::host_of;
use super::settings::{Environment, SourceError};
use super::trust;

/// The client for an environment.
///
/// # Errors
/// When `AWS_CA_BUNDLE` names a file that cannot be used.
pub(super) fn client(environment: Environment) -> Result<SharedHttpClient, SourceError> {
    let (trust, proxy) = match environment {
        Environment::Ambient => (trust::ambient()?, ProxyConfig::from_env()),
        Environment::Isolated => (trust::none()?, ProxyConfig::disabled()),
    };
    Ok(SharedHttpClient::new(Client {
        plain: pooled(trust::none()?, ProxyConfig::disabled()),
        near: pooled(trust.clone(), ProxyConfig::disabled()),
        far: pooled(trust, proxy),
        routes: Mutex::default(),
    }))
}

/// A client of the SDK with a connection pool per set of timeouts.
fn pooled(trust: TlsContext, proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(trust.clone()).build()
    })
}

type Timeouts = (Option<Duration>, Option<Duration>);

/// A client for each way a request can go. Each is made when the first request needs it, for whoever talks TLS has to
/// parse every certificate of the system first.
struct Client {
    /// To this machine or its link in plain HTTP.
    plain: SharedHttpClient,
    /// To this machine or its link.
    near: SharedHttpClient,
    /// Out, through a proxy where there is one.
    far: SharedHttpClient,
    routes: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let route = routes.entry(timeouts).or_insert_with(|| {
            SharedHttpConnector::new(Route {
                settings: settings.clone(),
                components: components.clone(),
                plain: Lazy::new(&self.plain),
                near: Lazy::new(&self.near),
                far: Lazy::new(&self.far),
            })
        });
        route.clone()
    }
}

/// Chooses the way of each request by its host.
struct Route {
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
    plain: Lazy,
    near: Lazy,
    far: Lazy,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Route")
    }
}

impl HttpConnector for Route {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = match is_near(request.uri()) {
            true if request.uri().starts_with("http://") => &self.plain,
            true => &self.near,
            false => &self.far,
        };
        way.connector(&self.settings, &self.components).call(request)
    }
}

/// A connector that is made on its first use.
struct Lazy {
    client: SharedHttpClient,
    connector: Arc<OnceLock<SharedHttpConnector>>,
}

impl Lazy {
    fn new(client: &SharedHttpClient) -> Self {
        Self { client: client.clone(), connector: Arc::default() }
    }

    fn connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> &SharedHttpConnector {
        self.connector.get_or_init(|| self.client.http_connector(settings, components))
    }
}

/// Whether a URL leads to this machine or no farther than its link.
fn is_near(url: &str) -> bool {
    let Some(host) = host_of(url) else { return false };
    // Without the port: what follows the last colon, unless that colon is part of a bracketed address.
    let name = match host.rsplit_once(':') {
        Some((name, _)) if !name.starts_with('[') || name.ends_with(']') => name,
        Some(_) | None => &host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    match name.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            // fd00:ec2:: is where instance and container metadata live.
            address.is_loopback()
                || address.is_unicast_link_local()
                || address.segments().starts_with(&[0xfd00, 0xec2])
                || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback() || address.is_link_local())
        }
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests;
