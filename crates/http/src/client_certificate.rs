//! RFC 9440, Client-Cert HTTP Header Field, and the header fields of Envoy and nginx for the same purpose: the
//! certificate of a client, as a proxy that is trusted hands it on.
//!
//! Whoever could send such a field to us by itself could be any client. Therefore it is refused from everybody but the
//! proxies, and so is one whose name differs in `_` and `-` only: some proxies and frameworks take these for the same,
//! and hand on a field that they should have overwritten.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chancery_core::error::Reason;
use chancery_types::iana::ErrorCode;
use chancery_x509::{CertificateError, ClientCertificate};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The certificate that the peer has shown in the handshake, as a request extension that is set by whoever accepts
/// the connection.
#[derive(Clone, Debug)]
pub struct PeerCertificate(pub Arc<ClientCertificate>);

/// In which header fields the trusted proxies hand on the certificates of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedCertificate {
    /// `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
    ClientCert,
    /// `X-Forwarded-Client-Cert` of Envoy, with `Cert` or `Chain`, of one proxy.
    Envoy,
    /// A field of this name with PEM in percent-encoding, as nginx has it in `$ssl_client_escaped_cert`.
    EscapedPem(HeaderName),
}

/// The longest value that is read. The largest chain fits, whichever way it is written.
const LONGEST: usize = 32 * 1024;

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");
const ENVOY: HeaderName = HeaderName::from_static("x-forwarded-client-cert");

chancery_core::reasons! {
    /// The request has the header field in which the proxies hand on certificates, and does not come from one of
    /// them (`http.client_certificate_proxies`).
    FROM_STRANGER = Reason {
        name: "certificate_header_from_stranger",
        code: ErrorCode::InvalidRequest,
        description: "a client certificate in a header field is only taken from a trusted proxy",
        section: "RFC 9440 section 4",
    };
    /// The request has the header field in which the proxies hand on certificates twice, or beside it one whose name
    /// differs in `_` and `-` only. The proxy has to remove what clients send.
    NOT_ALONE = Reason {
        name: "certificate_header_not_alone",
        code: ErrorCode::InvalidRequest,
        description: "there is more than one client certificate in the header",
        section: "RFC 9440 section 4",
    };
    /// The proxy has handed on a certificate in another form than the setting says.
    UNREADABLE = Reason {
        name: "certificate_header_malformed",
        code: ErrorCode::InvalidRequest,
        description: "the client certificate in the header cannot be read",
        section: "RFC 9440 section 2",
    };
    /// The certificates that the proxy has handed on are more than 10, or larger than 16 KiB.
    TOO_LONG = Reason {
        name: "certificate_header_too_long",
        code: ErrorCode::InvalidRequest,
        description: "the client certificate in the header is too long",
        section: "RFC 9440 section 4",
    };
}

impl ForwardedCertificate {
    /// The header fields, the one with the certificate first.
    fn names(&self) -> Vec<HeaderName> {
        match self {
            Self::ClientCert => vec![CLIENT_CERT, CLIENT_CERT_CHAIN],
            Self::Envoy => vec![ENVOY],
            Self::EscapedPem(name) => vec![name.clone()],
        }
    }

    /// The certificate in the header of a request; `None` if its peer has shown none to the proxy.
    ///
    /// # Errors
    /// If it was not the proxy alone that has written it, or if it cannot be read.
    pub(crate) fn read(
        &self,
        headers: &HeaderMap,
        is_of_proxy: bool,
    ) -> Result<Option<Arc<ClientCertificate>>, &'static Reason> {
        let names = self.names();
        let is_twin = |found: &HeaderName| {
            let is_same =
                |name: &HeaderName| name.as_str().replace('_', "-") == found.as_str().replace('_', "-");
            !names.contains(found) && names.iter().any(is_same)
        };
        if !is_of_proxy && headers.keys().any(|found| names.contains(found) || is_twin(found)) {
            return Err(&FROM_STRANGER);
        }
        let is_doubled = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
        if headers.keys().any(is_twin) || names.iter().any(is_doubled) {
            return Err(&NOT_ALONE);
        }
        let values: Vec<Option<&[u8]>> =
            names.iter().map(|name| headers.get(name).map(HeaderValue::as_bytes)).collect();
        if values.iter().flatten().map(|value| value.len()).sum::<usize>() > LONGEST {
            return Err(&TOO_LONG);
        }
        let certificates = match (self, values.as_slice()) {
            (Self::ClientCert, [certificate, chain]) => structured(*certificate, *chain),
            (Self::Envoy, [Some(value)]) => envoy(value),
            (Self::EscapedPem(_), [Some(value)]) => escaped_pem(value),
            _ => Some(Vec::new()),
        };
        match ClientCertificate::new(certificates.ok_or(&UNREADABLE)?) {
            Ok(certificate) => Ok(Some(Arc::new(certificate))),
            Err(CertificateError::Empty) => Ok(None),
            Err(CertificateError::TooLong) => Err(&TOO_LONG),
            Err(CertificateError::Malformed) => Err(&UNREADABLE),
        }
    }
}

/// Byte sequences may come without their padding (RFC 9651 section 4.2.7).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// RFC 9440 section 2: a byte sequence, and a list of such. A byte sequence without bytes is no certificate: some
/// proxies write it when there is none.
fn structured(certificate: Option<&[u8]>, chain: Option<&[u8]>) -> Option<Vec<Vec<u8>>> {
    let Some(certificate) = certificate else { return chain.is_none().then(Vec::new) };
    let leaf = byte_sequence(certificate)?;
    let chain = chain.filter(|chain| !chain.trim_ascii().is_empty());
    if leaf.is_empty() {
        return chain.is_none().then(Vec::new);
    }
    let mut all = vec![leaf];
    for item in chain.into_iter().flat_map(|chain| chain.split(|octet| *octet == b',')) {
        all.push(byte_sequence(item).filter(|der| !der.is_empty())?);
    }
    Some(all)
}

/// RFC 9651 section 3.3.5: base64 between colons.
fn byte_sequence(item: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(item.trim_ascii().strip_prefix(b":")?.strip_suffix(b":")?).ok()
}

/// `$ssl_client_escaped_cert`, which is empty if there is none.
fn escaped_pem(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    match value.trim_ascii() {
        b"" => Some(Vec::new()),
        escaped => pem(escaped),
    }
}

/// The certificates of PEM in percent-encoding (RFC 3986 section 2.1), of which there is at least one.
fn pem(escaped: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut decoded = Vec::with_capacity(escaped.len());
    let mut octets = escaped.iter();
    while let Some(octet) = octets.next() {
        if *octet == b'%' {
            let digit =
                |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (high, low) = (digit(octets.next()?)?, digit(octets.next()?)?);
            decoded.push(high << 4 | low);
        } else {
            decoded.push(*octet);
        }
    }
    chancery_x509::certificates_of_pem(&decoded).filter(|certificates| !certificates.is_empty())
}

/// The one element of `X-Forwarded-Client-Cert`. If there are several, each proxy on the way has added one, and which
/// of them is the client's depends on how the first one treats what clients send.
fn envoy(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let (mut certificate, mut chain) = (None, None);
    let mut rest = text;
    while !rest.is_empty() {
        let (key, value) = rest.split_once('=')?;
        let (value, after) = envoy_value(value)?;
        let known = match key.trim() {
            key if key.eq_ignore_ascii_case("Cert") => Some(&mut certificate),
            key if key.eq_ignore_ascii_case("Chain") => Some(&mut chain),
            _ => None,
        };
        if let Some(known) = known
            && known.replace(value).is_some()
        {
            return None;
        }
        rest = match after.split_at_checked(1) {
            None => after,
            // A comma would begin the next element.
            Some((separator, more)) => (separator == ";" && !more.is_empty()).then_some(more)?,
        };
    }
    let certificate = match certificate {
        Some(certificate) => Some(pem(certificate.as_bytes())?),
        None => None,
    };
    match (certificate, chain) {
        (certificate, Some(chain)) => {
            let chain = pem(chain.as_bytes())?;
            let begins_with = |leaf: &Vec<Vec<u8>>| leaf.as_slice() == chain.get(..1).unwrap_or_default();
            certificate.as_ref().is_none_or(begins_with).then_some(chain)
        }
        (Some(certificate), None) => (certificate.len() == 1).then_some(certificate),
        (None, None) => None,
    }
}

/// A value, in quotes or without, and what stands behind it. What is escaped in a quoted one stays as it is, because
/// no certificate has anything to escape.
fn envoy_value(text: &str) -> Option<(&str, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Some(text.split_at(text.find([';', ',']).unwrap_or(text.len())));
    };
    let mut is_escaped = false;
    for (at, found) in quoted.char_indices() {
        match found {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some((quoted.get(..at)?, quoted.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}
