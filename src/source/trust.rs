//! Whom TLS trusts: the system's certificates, or those of `AWS_CA_BUNDLE`.
//!
//! Read once by [`super::connector`]. The Rust SDK does not read the variable.

use std::path::Path;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::settings::SourceError;

/// The variable, as the AWS CLI and boto3 know it.
const VARIABLE: &str = "AWS_CA_BUNDLE";

/// The trust of a process that reads its environment.
///
/// The bundle *replaces* the system's certificates. That is what the variable means to the AWS CLI and to boto3,
/// and whoever narrows his trust to one company's certificate must not find it widened by one of his tools.
///
/// # Errors
/// When the file cannot be read or holds no certificate that can be used.
pub(super) fn ambient() -> Result<TlsContext, SourceError> {
    match std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        Some(path) => bundle(Path::new(&path)),
        None => context(TrustStore::default()),
    }
}

/// Trust in no one: for a process that talks plain HTTP to itself.
pub(super) fn none() -> Result<TlsContext, SourceError> {
    context(TrustStore::empty())
}

fn bundle(path: &Path) -> Result<TlsContext, SourceError> {
    let wrong = |what: String| {
        SourceError::new(format!(
            "{VARIABLE}: {}: {what}; it must name a PEM file with the certificates to trust",
            path.display()
        ))
    };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let text = String::from_utf8_lossy(&text);
    let usable: Vec<&str> = sections(&text).filter(|section| is_usable(section)).collect();
    if usable.is_empty() {
        return Err(wrong("no usable certificate in it".to_owned()));
    }
    let unusable = sections(&text).count() - usable.len();
    if unusable > 0 {
        // Like the system's own store: an odd certificate among many is common, and no reason to trust nobody.
        tracing::warn!(file = %path.display(), unusable, "certificates of the bundle cannot be used");
    }
    let store = usable.into_iter().fold(TrustStore::empty(), |store, section| store.with_pem_certificate(section));
    context(store)
}

/// The certificates of a PEM text, without what stands between them.
fn sections(text: &str) -> impl Iterator<Item = &str> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    text.match_indices(BEGIN).filter_map(move |(start, _)| {
        let section = text.get(start..)?;
        section.get(..section.find(END)? + END.len())
    })
}

/// Whether the connector can use a certificate; it would panic over one that it cannot.
fn is_usable(section: &str) -> bool {
    CertificateDer::from_pem_slice(section.as_bytes())
        .is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
}

fn context(store: TrustStore) -> Result<TlsContext, SourceError> {
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|error| SourceError::new(format!("cannot prepare TLS: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_is_refused_with_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.pem");
        let error = bundle(&missing).unwrap_err().to_string();
        assert!(error.starts_with("AWS_CA_BUNDLE: ") && error.contains("missing.pem"), "{error}");

        let empty = directory.path().join("empty.pem");
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        for text in ["", "hello", broken, "-----BEGIN CERTIFICATE-----\nMIIB"] {
            std::fs::write(&empty, text).unwrap();
            let error = bundle(&empty).unwrap_err().to_string();
            assert!(error.contains("no usable certificate"), "{error}");
        }
    }

    #[test]
    fn the_usable_certificates_of_a_bundle_are_trusted() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bundle.pem");
        let good = include_str!("testdata/authority.pem");
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        std::fs::write(&file, format!("# Our own\n{broken}subject=/CN=x\n{good}")).unwrap();
        assert!(bundle(&file).is_ok());
    }
}
