//! The certificate that the simulator shows where it speaks TLS. Read once by [`Simulator::start`](crate::Simulator).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate and its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// What accepts TLS connections; an error names the file.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, (PathBuf, io::Error)> {
    let TlsFiles { certificate, key } = files;
    let of = |path: &Path| {
        let path = path.to_owned();
        move |error: Box<dyn std::error::Error + Send + Sync>| (path, io::Error::other(error))
    };
    let read = |path: &Path| std::fs::read(path).map_err(|error| of(path)(error.into()));
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(certificate)?).collect();
    let certificates = certificates.map_err(|error| of(certificate)(error.into()))?;
    if certificates.is_empty() {
        return Err(of(certificate)("no certificate in it".into()));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| of(key)(error.into()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| of(certificate)(error.into()))?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| of(key)(error.into()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
