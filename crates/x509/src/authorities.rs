//! RFC 5280 section 6: whether an authority that is trusted vouches for a certificate.

use std::fmt;
use std::time::Duration;

use chancery_types::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

use crate::ClientCertificate;

/// What is said of PEM that cannot be read.
const BROKEN: &str = "it is broken: a certificate has a line -----BEGIN CERTIFICATE----- before it and -----END CERTIFICATE----- behind it; put the file there anew";

/// The certificate authorities that may vouch for clients. There are few, and none is trusted by default: whoever
/// they let have a name is the client of that name (RFC 8705 section 7.4).
#[derive(Clone, Debug, Default)]
pub struct Authorities(Vec<TrustAnchor<'static>>);

/// Why no authority vouches for a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Untrusted {
    /// It cannot be read, or has a critical extension that is not understood.
    Malformed,
    /// Its time is over, or that of one of its chain.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// It is not for clients (RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.12).
    NotForClients,
    /// No chain leads to an authority that is trusted.
    Unknown,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "the certificate cannot be read, or has a critical extension that is not understood"
            }
            Self::Expired => "the certificate has expired, or one of its chain has",
            Self::NotYetValid => "the certificate is not valid yet",
            Self::NotForClients => "the certificate is not for clients",
            Self::Unknown => "no authority that is trusted vouches for the certificate",
        })
    }
}

impl std::error::Error for Untrusted {}

chancery_types::debug_as_display!(Untrusted, BadAuthorities);

/// Certificates that cannot be those of authorities.
#[derive(Clone, PartialEq, Eq)]
pub struct BadAuthorities(String);

impl fmt::Display for BadAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadAuthorities {}

impl Authorities {
    /// Trusts the certificates of a PEM file as well.
    ///
    /// # Errors
    /// [`BadAuthorities`] if there is no certificate, or one that cannot be read.
    pub fn and(mut self, pem: &[u8]) -> Result<Self, BadAuthorities> {
        let before = self.0.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| BadAuthorities(BROKEN.to_owned()))?;
            let anchor = webpki::anchor_from_trusted_cert(&certificate)
                .map_err(|error| BadAuthorities(error.to_string()))?;
            self.0.push(anchor.to_owned());
        }
        if self.0.len() == before {
            return Err(BadAuthorities("it has no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----; `openssl x509 -inform der` converts DER".to_owned()));
        }
        Ok(self)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them vouches for the certificate, over the chain that the peer sent along: signatures,
    /// times, basic constraints, names that an authority is limited to, and that it is for clients.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, certificate: &ClientCertificate, now: Timestamp) -> Result<(), Untrusted> {
        let seconds = u64::try_from(now.secs()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let leaf = EndEntityCert::try_from(certificate.leaf()).map_err(|_| Untrusted::Malformed)?;
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        let (chain, usage) = (certificate.intermediates(), KeyUsage::client_auth());
        leaf.verify_for_usage(algorithms, &self.0, chain, now, usage, None, None).map_err(
            |error| match error {
                Error::CertExpired { .. } => Untrusted::Expired,
                Error::CertNotValidYet { .. } => Untrusted::NotYetValid,
                Error::RequiredEkuNotFoundContext(_) | Error::CaUsedAsEndEntity => Untrusted::NotForClients,
                _ => Untrusted::Unknown,
            },
        )?;
        // webpki leaves this extension to its callers.
        match certificate.read() {
            Ok(read) if read.may_sign() => Ok(()),
            Ok(_) => Err(Untrusted::NotForClients),
            Err(_) => Err(Untrusted::Malformed),
        }
    }
}
