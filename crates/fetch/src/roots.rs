//! Which certificate authorities are trusted.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

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
            let certificate = certificate.map_err(|error| BadRoots(error.to_string()))?;
            self.0.add(certificate).map_err(|error| BadRoots(error.to_string()))?;
        }
        if self.0.len() == before {
            return Err(BadRoots("it contains no certificate".to_owned()));
        }
        Ok(self)
    }
}

/// Certificates that cannot be trusted because they cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRoots(String);

impl fmt::Display for BadRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRoots {}
