//! How answers are encoded: one encoder for each kind of answer.

mod error_body;
pub(crate) use error_body::{BUSY_RETRY_AFTER, backchannel_error, error_body, retry_after};

mod token_challenge;
pub use token_challenge::{Challenge, token_challenge};

mod registration_error;
pub(crate) use registration_error::registration_error;

mod authorization_response;
pub(crate) use authorization_response::{Encoded, authorization_response, in_query, post_logout_address};

mod page;
pub(crate) use page::{Form, MayBeFramed, framed_anywhere, page, page_policy, protect};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

/// An answer. Its body is complete and small, which makes adapters for frameworks short.
pub(crate) type HttpResponse = Response<Full<Bytes>>;

/// JSON that nobody may store (RFC 6749 section 5.1).
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    private(status, HeaderValue::from_static("application/json; charset=utf-8"), body)
}

/// A body that nobody may store.
pub(crate) fn private(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> HttpResponse {
    let mut answer = empty(status);
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    *answer.body_mut() = Full::new(body.into());
    answer
}

const HEADERS: usize = 12;

/// An answer without body and content type: client libraries fail if an empty body has one.
pub(crate) fn empty(status: StatusCode) -> HttpResponse {
    let mut answer = Response::new(Full::default());
    // There is room for all headers of an answer, including hyper's, because growing would hash the names
    // again.
    answer.headers_mut().reserve(HEADERS);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A plain sentence, for requests that no endpoint answers.
pub(crate) fn text(status: StatusCode, sentence: impl Into<Bytes>) -> HttpResponse {
    private(status, HeaderValue::from_static("text/plain; charset=utf-8"), sentence)
}

/// 405 with the allowed methods (RFC 9110 section 15.5.6).
pub(crate) fn method_not_allowed(methods: &[Method]) -> HttpResponse {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if let Ok(allow) = HeaderValue::from_str(&names.join(", ")) {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}

/// 303, so that the next request is a GET whatever this one was (RFC 9700 section 4.12).
pub(crate) fn see_other(address: &str) -> HttpResponse {
    let mut answer = empty(StatusCode::SEE_OTHER);
    if let Ok(location) = HeaderValue::from_str(address) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}
