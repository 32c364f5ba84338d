//! The certificate with which a peer has shown that it has a private key, and the chain that it sent along.

use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;

use chancery_jose::{PublicJwk, base64url, sha256};
use chancery_types::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{KeyUsage, SubjectAltName};

use crate::DistinguishedName;

/// How many bytes the certificates of a chain may have together. Anybody can send them, and each connection
/// keeps its own.
const LONGEST: usize = 16 * 1024;

/// How many certificates a chain may have.
const MOST: usize = 10;

/// A certificate and its chain, as DER. It is parsed only when it is asked for what it says.
pub struct ClientCertificate {
    leaf: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    thumbprint: OnceLock<[u8; 32]>,
}

/// Why a chain of certificates is not taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CertificateError {
    /// It has no certificate.
    Empty,
    /// It has more than 10 certificates, or more than 16 KiB.
    TooLong,
    /// The certificate cannot be read.
    Malformed,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there is no certificate",
            Self::TooLong => "the certificates are more than 10 or larger than 16 KiB",
            Self::Malformed => "the certificate cannot be read",
        })
    }
}

impl std::error::Error for CertificateError {}

chancery_types::debug_as_display!(CertificateError);

impl ClientCertificate {
    /// Of these certificates, the peer's own first.
    ///
    /// # Errors
    /// If there is none, or if they are more or larger than anybody needs.
    pub fn new(certificates: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, CertificateError> {
        let mut all = Vec::new();
        for certificate in certificates {
            let so_far: usize = all.iter().map(|known: &CertificateDer<'_>| known.len()).sum();
            if all.len() == MOST || so_far + certificate.len() > LONGEST {
                return Err(CertificateError::TooLong);
            }
            all.push(CertificateDer::from(certificate));
        }
        let mut all = all.into_iter();
        let leaf = all.next().ok_or(CertificateError::Empty)?;
        Ok(Self { leaf, chain: all.collect(), thumbprint: OnceLock::new() })
    }

    /// The peer's own certificate, as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.leaf
    }

    /// Those that it sent along, as DER.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.chain.iter().map(|certificate| &**certificate)
    }

    pub(crate) fn leaf(&self) -> &CertificateDer<'static> {
        &self.leaf
    }

    pub(crate) fn intermediates(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The SHA-256 digest of its own certificate (RFC 8705 section 3.1, `x5t#S256`).
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        *self.thumbprint.get_or_init(|| sha256(&self.leaf))
    }

    /// What the certificate says.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`].
    pub fn read(&self) -> Result<ReadCertificate, CertificateError> {
        ReadCertificate::parse(&self.leaf)
    }
}

/// The certificates in PEM, as DER; `None` if one cannot be read. What else it has is left out.
#[must_use]
pub fn certificates_of_pem(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    CertificateDer::pem_slice_iter(pem).map(|der| der.ok().map(|der| der.to_vec())).collect()
}

/// Shows the thumbprint only.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientCertificate").field(&base64url::encode(self.thumbprint())).finish()
    }
}

/// What a certificate says. Nothing of it was verified.
pub struct ReadCertificate {
    certificate: Certificate,
    /// The alternative names of its subject, of which there are none without the extension.
    names: Vec<GeneralName>,
    /// Whether its key may sign, which a client does in a handshake (RFC 5280 section 4.2.1.3).
    may_sign: bool,
}

impl ReadCertificate {
    /// Reads the DER of a certificate.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`], also if one of the extensions that are looked at is there twice.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let read = || {
            let certificate = Certificate::from_der(der)?;
            let tbs = certificate.tbs_certificate();
            let names = tbs.get_extension::<SubjectAltName>()?;
            let names = names.map_or_else(Vec::new, |(_, SubjectAltName(names))| names);
            let usage = tbs.get_extension::<KeyUsage>()?;
            let may_sign = usage.is_none_or(|(_, usage)| usage.digital_signature());
            Ok::<_, x509_cert::der::Error>(Self { certificate, names, may_sign })
        };
        read().map_err(|_| CertificateError::Malformed)
    }

    /// Whether its time has begun and has not ended.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        let ends = seconds(self.certificate.tbs_certificate().validity().not_after);
        self.has_begun(now) && ends.is_some_and(|ends| now.secs() <= ends)
    }

    /// When its time begins; `None` for a time that cannot be expressed.
    #[must_use]
    pub fn begins(&self) -> Option<Timestamp> {
        seconds(self.certificate.tbs_certificate().validity().not_before).map(Timestamp::from_secs)
    }

    /// When its time ends; `None` for a time that cannot be expressed.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        seconds(self.certificate.tbs_certificate().validity().not_after).map(Timestamp::from_secs)
    }

    /// Whether its time has begun.
    #[must_use]
    pub fn has_begun(&self, now: Timestamp) -> bool {
        let begins = seconds(self.certificate.tbs_certificate().validity().not_before);
        begins.is_some_and(|begins| begins <= now.secs())
    }

    /// Whether its key may sign.
    #[must_use]
    pub fn may_sign(&self) -> bool {
        self.may_sign
    }

    /// How long its key is, if that is one for RSA.
    #[must_use]
    pub fn rsa_bits(&self) -> Option<usize> {
        let info = self.certificate.tbs_certificate().subject_public_key_info();
        let (modulus, _) =
            rsa_numbers(info.subject_public_key.as_bytes().filter(|_| info.algorithm.oid == RSA)?)?;
        let unused = modulus.first().map_or(0, |byte| byte.leading_zeros());
        (modulus.len() * 8).checked_sub(usize::try_from(unused).ok()?)
    }

    /// Whether it was signed with MD5 or SHA-1, which RFC 9325 section 4.5 forbids.
    #[must_use]
    pub fn is_signed_with_a_broken_hash(&self) -> bool {
        BROKEN_SIGNATURES.contains(&self.certificate.signature_algorithm().oid)
    }

    /// Its subject; `None` if no other can be equal to it.
    #[must_use]
    pub fn subject(&self) -> Option<DistinguishedName> {
        DistinguishedName::of(self.certificate.tbs_certificate().subject())
    }

    /// The `dNSName`s of its subject.
    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The `uniformResourceIdentifier`s of its subject.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| match name {
            GeneralName::UniformResourceIdentifier(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The `rfc822Name`s of its subject.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| match name {
            GeneralName::Rfc822Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The `iPAddress`es of its subject: 4 or 16 octets (RFC 5280 section 4.2.1.6).
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.names.iter().filter_map(|name| match name {
            GeneralName::IpAddress(octets) => {
                let octets = octets.as_bytes();
                let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
                v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
            }
            _ => None,
        })
    }

    /// Its key as a JWK, by which it can be compared with others; `None` for one that no JWK here can be.
    #[must_use]
    pub fn key(&self) -> Option<PublicJwk> {
        let info = self.certificate.tbs_certificate().subject_public_key_info();
        let bits = info.subject_public_key.as_bytes()?;
        let members = match info.algorithm.oid {
            RSA => {
                let (n, e) = rsa_numbers(bits)?;
                format!(r#""kty":"RSA","n":"{}","e":"{}""#, base64url::encode(n), base64url::encode(e))
            }
            EC => {
                let curve: ObjectIdentifier = info.algorithm.parameters.as_ref()?.decode_as().ok()?;
                let name = CURVES.iter().find(|(oid, _)| *oid == curve)?.1;
                let point = bits.strip_prefix(&[4])?;
                let (x, y) = point.split_at_checked(point.len() / 2)?;
                let (x, y) = (base64url::encode(x), base64url::encode(y));
                format!(r#""kty":"EC","crv":"{name}","x":"{x}","y":"{y}""#)
            }
            ED25519 => format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, base64url::encode(bits)),
            _ => return None,
        };
        PublicJwk::parse(format!("{{{members}}}").as_bytes()).ok()
    }
}

fn seconds(time: x509_cert::time::Time) -> Option<i64> {
    i64::try_from(time.to_unix_duration().as_secs()).ok()
}

/// `md5WithRSAEncryption`, `sha1WithRSAEncryption` and `ecdsa-with-SHA1`.
const BROKEN_SIGNATURES: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),
];
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const CURVES: [(ObjectIdentifier, &str); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), "P-256"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "P-384"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "P-521"),
];

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let read = || {
        let mut reader = SliceReader::new(der)?;
        let numbers = reader.sequence(|fields| {
            let n = UintRef::decode(fields)?;
            let e = UintRef::decode(fields)?;
            Ok::<_, x509_cert::der::Error>((n.as_bytes(), e.as_bytes()))
        })?;
        reader.finish()?;
        Ok::<_, x509_cert::der::Error>(numbers)
    };
    read().ok()
}
