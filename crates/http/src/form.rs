//! Reads the parameters of a request from its query or body (RFC 6749 appendix B).

use bytes::Bytes;
use chancery_core::error::{Failure, Fault, MALFORMED_PARAMETER, Reason, Refusal};
use chancery_types::Params;
use chancery_types::iana::ErrorCode;
use http::HeaderMap;
use http::header::{AUTHORIZATION, AsHeaderName, CONTENT_TYPE};
use zeroize::Zeroizing;

use crate::bodies::BodyError;

/// The longest path and query that is read.
pub(crate) const URL_LIMIT: usize = 8 * 1024;

chancery_core::reasons! {
    /// The body of the request is longer than this server reads.
    pub(crate) BODY_TOO_LONG = Reason {
        name: "body_too_long",
        code: ErrorCode::InvalidRequest,
        description: "the request body is too long",
        section: "RFC 9110 section 15.5.14",
    };
    /// The connection ended or stalled before the body was complete.
    BODY_BROKEN_OFF = Reason {
        name: "body_broken_off",
        code: ErrorCode::InvalidRequest,
        description: "the request body is incomplete",
        section: "RFC 9112 section 8",
    };
    /// The body is not `application/x-www-form-urlencoded`.
    CONTENT_TYPE_UNSUPPORTED = Reason {
        name: "content_type_unsupported",
        code: ErrorCode::InvalidRequest,
        description: "the request body must be application/x-www-form-urlencoded",
        section: "RFC 6749 appendix B",
    };
    /// The body of a registration is not `application/json`.
    NOT_JSON = Reason {
        name: "content_type_not_json",
        code: ErrorCode::InvalidRequest,
        description: "the request body must be application/json",
        section: "RFC 7591 section 3.1",
    };
    /// A header that may be sent only once is malformed or was sent several times.
    HEADER_DOUBLED = Reason {
        name: "header_doubled",
        code: ErrorCode::InvalidRequest,
        description: "a header is malformed or was sent more than once",
        section: "RFC 9110 section 5.3",
    };
    /// The URL of the request is longer than this server reads.
    pub(crate) URL_TOO_LONG = Reason {
        name: "url_too_long",
        code: ErrorCode::InvalidRequest,
        description: "the request is too long for a URL; send it by POST",
        section: "RFC 9110 section 15.5.15",
    };
}

/// The parameters of a query.
pub(crate) fn query(query: Option<&str>) -> Result<Params<'_>, Refusal> {
    Ok(Params::parse(query.unwrap_or(""))?)
}

/// Whether the content type is that of a form. Without a content type, the body is ignored.
pub(crate) fn has_form_content_type(headers: &HeaderMap) -> Result<bool, Refusal> {
    let Some(content_type) = single_header(headers, &CONTENT_TYPE)? else { return Ok(false) };
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return CONTENT_TYPE_UNSUPPORTED.refused();
    }
    Ok(true)
}

/// The parameters of a body.
pub(crate) fn body<'b>(
    headers: &HeaderMap,
    body: Result<&'b Bytes, BodyError>,
) -> Result<Params<'b>, Failure> {
    if !has_form_content_type(headers)? {
        return Ok(Params::default());
    }
    let body = complete(body)?;
    let text = std::str::from_utf8(body).map_err(|_| Refusal::from(&MALFORMED_PARAMETER))?;
    Ok(Params::parse(text).map_err(Refusal::from)?)
}

/// The body, if all of it was read.
pub(crate) fn complete(body: Result<&Bytes, BodyError>) -> Result<&Bytes, Failure> {
    body.map_err(|unread| match unread {
        BodyError::TooLong => Failure::from(&BODY_TOO_LONG),
        BodyError::Incomplete => Failure::from(&BODY_BROKEN_OFF),
        BodyError::OverBudget => Fault::unavailable("the memory for incomplete requests is used up").into(),
    })
}

/// Whether the content type is JSON (RFC 8259 section 11), whatever its parameters.
pub(crate) fn has_json_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type = single_header(headers, &CONTENT_TYPE)?.unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    if media_type.eq_ignore_ascii_case("application/json") { Ok(()) } else { NOT_JSON.refused() }
}

/// The Authorization header.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, Refusal> {
    Ok(single_header(headers, &AUTHORIZATION)?.map(|value| Zeroizing::new(value.to_owned())))
}

/// The value of a header that may be sent only once.
pub(crate) fn single_header(headers: &HeaderMap, name: impl AsHeaderName) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return HEADER_DOUBLED.refused();
    }
    value.map(|value| value.to_str().map_err(|_| Refusal::from(&HEADER_DOUBLED))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &[&str], text: &[u8]) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for value in content_type {
            headers.append(CONTENT_TYPE, value.parse().unwrap());
        }
        match body(&headers, Ok(&Bytes::copy_from_slice(text))) {
            Ok(params) => Ok(params.encode()),
            Err(Failure::Refused(refusal)) => Err(refusal.reason.name),
            Err(Failure::Broken(_)) => Err("broken"),
        }
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    /// PARM-01, PARM-02, PARM-03, PARM-04
    #[test]
    fn only_forms_are_read() {
        assert_eq!(read(&[FORM], b"a=1"), Ok("a=1".into()));
        assert_eq!(read(&["Application/X-WWW-Form-Urlencoded ; charset=bogus"], b"a=1"), Ok("a=1".into()));
        assert_eq!(read(&[], b"a=1"), Ok(String::new()));
        for other in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
            assert_eq!(read(&[other], b"a=1"), Err("content_type_unsupported"), "{other}");
        }
        assert_eq!(read(&[FORM, FORM], b"a=1"), Err("header_doubled"));
    }

    /// PARM-05
    #[test]
    fn hostile_bodies_are_refused() {
        for bad in [b"a=%".as_slice(), b"a=%zz", b"a=\xff", b"a=%ff", b"a=%00", b"a=\0"] {
            assert_eq!(read(&[FORM], bad), Err("malformed_parameter"), "{bad:?}");
        }
        assert_eq!(read(&[FORM], "a=1&".repeat(300).as_bytes()), Err("malformed_parameter"));
    }
}
