//! The certificates of clients (RFC 5280, RFC 8705): what they say, whom they name, and who vouches for them.
//!
//! Nothing here was shown to be true by being read. A TLS handshake proves that the peer has the private key of
//! a certificate; [`Authorities`] say whether somebody trusted has signed it, and a [`CertificateSubject`] or a
//! registered certificate whether it is that of a client.

mod client_certificate;
pub use client_certificate::{CertificateError, ClientCertificate, ReadCertificate, certificates_of_pem};

mod prepared;

mod distinguished_name;
pub use distinguished_name::{DistinguishedName, NameError};

mod subject;
pub use subject::{CertificateSubject, SubjectError};

mod authorities;
pub use authorities::{Authorities, BadAuthorities, Untrusted};
