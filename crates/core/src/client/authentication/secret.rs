//! RFC 6749, The OAuth 2.0 Authorization Framework: section 2.3.1, a secret in the Authorization header.
//! Config     none
//! Discovery  none
//!
//! RFC 7617 defines the header; RFC 6749 section 2.3.1 adds that id and secret are form-encoded first.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chancery_types::iana::ErrorCode;
use chancery_types::params;
use zeroize::Zeroizing;

use crate::context::credentials;
use crate::error::Reason;

/// Padding is optional; otherwise each value has exactly one spelling.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

reasons! {
    /// What follows `Basic` is not the base64 of `client_id:client_secret`.
    HEADER_MALFORMED = Reason {
        name: "authorization_header_malformed",
        code: ErrorCode::InvalidRequest,
        description: "invalid authorization header value format",
        section: "RFC 7617 section 2",
    };
    /// The client id or secret in the Authorization header is not form-urlencoded, which RFC 6749 section
    /// 2.3.1 requires of Basic authentication.
    HEADER_ENCODING = Reason {
        name: "authorization_header_encoding",
        code: ErrorCode::InvalidRequest,
        description: "client_id and client_secret in the authorization header are not properly encoded",
        section: "RFC 6749 section 2.3.1",
    };
    /// The Authorization header names a client but its secret is empty.
    SECRET_EMPTY = Reason {
        name: "authorization_header_without_secret",
        code: ErrorCode::InvalidRequest,
        description: "client_secret must be provided in the Authorization header",
        section: "RFC 6749 section 2.3.1",
    };
}

/// Reads id and secret from the value of an Authorization header.
pub(super) fn read_basic(header: &str) -> Result<(Box<str>, Zeroizing<String>), &'static Reason> {
    let credentials = credentials(header, "Basic").ok_or(&HEADER_MALFORMED)?;
    let pair = Zeroizing::new(BASE64.decode(credentials).map_err(|_| &HEADER_MALFORMED)?);
    let pair = std::str::from_utf8(&pair).map_err(|_| &HEADER_ENCODING)?;
    let (id, secret) = pair.split_once(':').ok_or(&HEADER_MALFORMED)?;
    let id = decode(id)?;
    let secret = decode(secret)?;
    if secret.is_empty() { Err(&SECRET_EMPTY) } else { Ok((id.as_str().into(), secret)) }
}

/// Id and secret consist of visible ASCII and spaces (RFC 6749 appendices A.1 and A.2), form-encoded
/// (appendix B).
fn decode(text: &str) -> Result<Zeroizing<String>, &'static Reason> {
    let decoded = Zeroizing::new(params::decode(text).map_err(|_| &HEADER_ENCODING)?.into_owned());
    if decoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        Ok(decoded)
    } else {
        Err(&HEADER_ENCODING)
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD as BASE64_STANDARD;

    use chancery_seeded::Seeded;

    use super::*;

    fn basic(pair: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    /// CAUTH-09, CAUTH-10, FR-18
    #[test]
    fn what_is_well_formed_is_read() {
        let rows = [
            (basic("app:secret"), "app", "secret"),
            (basic("a%3Ab:s%25+%2B"), "a:b", "s% +"),
            (basic("app:a:b=&c"), "app", "a:b=&c"),
            (basic("app:secret").replace("Basic", "bAsIc"), "app", "secret"),
            (basic("app:secret").replace(' ', "   "), "app", "secret"),
            (basic("app:se").trim_end_matches('=').to_owned(), "app", "se"),
        ];
        for (header, id, secret) in rows {
            let (read_id, read_secret) = read_basic(&header).map_err(|reason| reason.name).unwrap();
            assert_eq!((&*read_id, read_secret.as_str()), (id, secret), "{header}");
        }
    }

    /// CAUTH-09, CAUTH-10, CAUTH-11
    #[test]
    fn what_is_malformed_is_refused() {
        let rows = [
            ("Basic".to_owned(), &HEADER_MALFORMED),
            ("Bearer abc".to_owned(), &HEADER_MALFORMED),
            (basic("app:secret") + " ", &HEADER_MALFORMED),
            (basic("app"), &HEADER_MALFORMED),
            ("Basic YXBw_-==".to_owned(), &HEADER_MALFORMED),
            ("Basic YXBwOnM===".to_owned(), &HEADER_MALFORMED),
            (basic("app:%"), &HEADER_ENCODING),
            (basic("app:%zz"), &HEADER_ENCODING),
            (basic("app:%00"), &HEADER_ENCODING),
            (basic("\u{e4}:secret"), &HEADER_ENCODING),
            (basic("app:%C3%A4"), &HEADER_ENCODING),
            (basic("app:"), &SECRET_EMPTY),
        ];
        for (header, reason) in rows {
            assert_eq!(read_basic(&header).err().map(|reason| reason.name), Some(reason.name), "{header}");
        }
    }

    /// No input causes a panic, and everything that is accepted is visible ASCII.
    #[test]
    fn generated_headers() {
        let mut seeded = Seeded::new(1);
        let alphabet =
            ["Basic", " ", ":", "%", "%3A", "+", "=", "YXBwOnNlY3JldA", "\u{e4}", "\0", "a", "/", "_"];
        let mut read = 0;
        for round in 0..100_000_u32 {
            let text = seeded.text(&alphabet, 7);
            let header = if round % 2 == 0 { basic(&text) } else { text };
            if let Ok((id, secret)) = read_basic(&header) {
                read += 1;
                assert!(id.bytes().chain(secret.bytes()).all(|byte| (0x20..=0x7e).contains(&byte)));
            }
        }
        assert!(read > 100, "only {read} were well formed");
    }
}
