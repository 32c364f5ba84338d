//! The certificates of clients in the TLS handshake (RFC 8446 section 4.3.2, RFC 8705 section 6.1).
//!
//! The handshake asks for one, takes any, and goes on without. It shows that the peer has the private key; whose the
//! certificate is, and who vouches for it, is for the method to decide by which a client authenticates.

use std::sync::Arc;

use chancery_x509::ClientCertificate;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// Takes any certificate whose key the peer has.
#[derive(Debug)]
pub(super) struct AnyCertificate(pub(super) Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: clients choose among all that they have.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    /// Anything within the limits of [`ClientCertificate`], because the connection keeps it.
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        match ClientCertificate::new(all.map(|certificate| certificate.to_vec())) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(_) => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What the peer has shown.
pub(super) fn shown(certificates: Option<&[CertificateDer<'_>]>) -> Option<Arc<ClientCertificate>> {
    let all = certificates?.iter().map(|certificate| certificate.to_vec());
    ClientCertificate::new(all).ok().map(Arc::new)
}
