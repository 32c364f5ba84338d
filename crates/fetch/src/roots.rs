//! Which certificate authorities are trusted.

use std::fmt;
use std::sync::Arc;

use chancery_core::error::Fault;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// What is said of PEM that cannot be read.
const BROKEN: &str = "it is broken: a certificate has a line -----BEGIN CERTIFICATE----- before it and -----END CERTIFICATE----- behind it; put the file there anew";

/// The certificate authorities whose certificates are accepted.
#[derive(Clone, Debug)]
pub struct Roots(pub(crate) RootCertStore);

impl Default for Roots {
    /// Those that Mozilla trusts. They are built in, so that a container without any files of its own can check
    /// certificates.
    fn default() -> Self {
        Self(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }
}

impl Roots {
    /// Trusts the certificates of a PEM file as well, be they an authority's or a server's own.
    ///
    /// # Errors
    /// [`BadRoots`] if there is no certificate, or one that cannot be read.
    pub fn and(mut self, pem: &[u8]) -> Result<Self, BadRoots> {
        let before = self.0.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| BadRoots(BROKEN.to_owned()))?;
            self.0.add(certificate).map_err(|error| BadRoots(error.to_string()))?;
        }
        if self.0.len() == before {
            return Err(BadRoots("it has no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----; `openssl x509 -inform der` converts DER".to_owned()));
        }
        Ok(self)
    }
}

/// TLS for HTTP/1.1 to servers for which these vouch.
///
/// # Errors
/// [`Fault::internal`] if TLS cannot be set up.
pub fn client_config(roots: Roots) -> Result<ClientConfig, Fault> {
    // The provider is named, because rustls cannot choose by itself if a dependency enables a second one.
    let mut tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| Fault::internal("TLS to other servers").because(error))?
        .with_root_certificates(roots.0)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

/// Certificates that cannot be trusted because they cannot be read.
#[derive(Clone, PartialEq, Eq)]
pub struct BadRoots(String);

impl fmt::Display for BadRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRoots {}

chancery_core::error::debug_as_display!(BadRoots);
