//! The server's own certificate and key as they are read from their files. What every client would refuse is refused
//! here, with what to do about it.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use chancery_types::Timestamp;
use chancery_x509::ReadCertificate;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::access::Access;

/// What is said of PEM that cannot be read.
const BROKEN: &str = "is broken: a certificate has a line -----BEGIN CERTIFICATE----- before it and -----END CERTIFICATE----- behind it; put the file there anew";

/// A new certificate needs no restart.
pub(crate) const RENEW: &str =
    "renew it; a running server takes the new one when it gets SIGHUP (`systemctl reload chancery`)";

/// A certificate that ends within this time is warned of. Most are renewed a month before their end.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// What is said of a certificate that nobody has renewed in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Soon(String),
    Ended(String),
}

/// What is to be said of the certificate in this file, which ends then.
pub(crate) fn ending(path: &Path, ends: Timestamp, now: Timestamp) -> Option<Ending> {
    let (file, end) = (path.display(), moment(ends));
    // It is valid for the whole of its last second (RFC 5280 section 4.1.2.5).
    if now.secs() > ends.secs() {
        return Some(Ending::Ended(format!("{file}: ended on {end}, and every client refuses it: {RENEW}")));
    }
    let is_soon = (now + SOON).secs() > ends.secs();
    is_soon.then(|| Ending::Soon(format!("{file}: ends on {end}, in less than 14 days: {RENEW}")))
}

/// The end of the server's own certificate, the first of the chain.
pub(super) fn end(chain: &[CertificateDer<'_>]) -> Option<Timestamp> {
    ReadCertificate::parse(chain.first()?).ok()?.ends()
}

/// The chain, the server's own first, if clients can accept it now.
pub(super) fn chain(path: &Path, now: Timestamp) -> Result<Vec<CertificateDer<'static>>, String> {
    let about = |what: &dyn std::fmt::Display| format!("tls.certificate: {}: {what}", path.display());
    let pem = std::fs::read(path).map_err(|error| about(&error))?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| about(&BROKEN))?;
    let Some(own) = certificates.first() else {
        let what = match PrivateKeyDer::from_pem_slice(&pem) {
            Ok(_) => "has a private key and no certificate: were tls.certificate and tls.key exchanged?",
            Err(_) => {
                "has no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----; `openssl x509 -inform der` converts DER"
            }
        };
        return Err(about(&what));
    };
    let own = ReadCertificate::parse(own).map_err(|_| {
        about(
            &"its first certificate cannot be read: put the file there anew, as the authority has issued it",
        )
    })?;
    match fault(&own, now) {
        None => Ok(certificates),
        Some(what) => Err(about(&what)),
    }
}

/// Why clients refuse this certificate, and what to do.
fn fault(certificate: &ReadCertificate, now: Timestamp) -> Option<String> {
    if !certificate.has_begun(now) {
        let begins = certificate.begins().map(moment).unwrap_or_default();
        return Some(format!(
            "is not valid before {begins}, and now it is {}: set the clock of this machine right, or wait until then",
            moment(now)
        ));
    }
    if !certificate.is_valid_at(now) {
        let ended = certificate.ends().map(moment).unwrap_or_default();
        return Some(format!("ended on {ended}, and every client refuses it: {RENEW}"));
    }
    if let Some(bits) = certificate.rsa_bits().filter(|bits| *bits < 2048) {
        return Some(format!(
            "its key is RSA with {bits} bits, and clients demand 2048 or more (RFC 9325 section 4.5): get a certificate for a \
             new key, best one of P-256"
        ));
    }
    certificate.is_signed_with_a_broken_hash().then(|| {
        "is signed with MD5 or SHA-1, which clients refuse (RFC 9325 section 4.5): get one that is signed with SHA-256"
            .to_owned()
    })
}

/// A day and its time as people write them.
fn moment(at: Timestamp) -> String {
    let written = at.rfc3339();
    let (day, time) = written.split_once('T').unwrap_or((&written, ""));
    format!("{day} at {} UTC", time.split('.').next().unwrap_or_default())
}

/// The private key, which nobody else may read.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let about = |what: &dyn std::fmt::Display| format!("tls.key: {}: {what}", path.display());
    let mut file = std::fs::File::open(path).map_err(|error| about(&error))?;
    let metadata = file.metadata().map_err(|error| about(&error))?;
    Access::of(&metadata).check_key().map_err(|what| about(&what))?;
    let mut pem = Zeroizing::new(Vec::new());
    file.read_to_end(&mut pem).map_err(|error| about(&error))?;
    let is_encrypted = pem.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let what = match CertificateDer::from_pem_slice(&pem) {
            Ok(_) => "has a certificate and no private key: were tls.certificate and tls.key exchanged?",
            Err(_) if is_encrypted => {
                "the key is encrypted: write it without a passphrase, as with `openssl pkey -in OLD -out NEW`, and of mode 600"
            }
            Err(_) => "has no private key: it must be PEM, with -----BEGIN PRIVATE KEY-----",
        };
        about(&what)
    })
}

/// What PEM has of a key behind a passphrase (RFC 7468 section 11, RFC 1421 section 4.6.1.1).
const ENCRYPTED: &[u8] = b"ENCRYPTED";
