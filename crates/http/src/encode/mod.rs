//! How answers look on the wire: one encoder per form, each the only one of its kind.

mod error_body;
pub(crate) use error_body::{SHORTLY, error_body, retry_after};

mod bearer_challenge;
pub(crate) use bearer_challenge::bearer_challenge;

mod authorization_response;
pub(crate) use authorization_response::{Encoded, authorization_response};

mod page;
pub(crate) use page::{Form, page, page_policy, protect};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

/// What goes out: complete and small, which makes every framework's adapter short.
pub(crate) type HttpResponse = Response<Full<Bytes>>;

/// JSON for this peer alone (RFC 6749 section 5.1: `no-store`).
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    private(status, HeaderValue::from_static("application/json; charset=utf-8"), body)
}

/// A body for this peer alone.
pub(crate) fn private(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> HttpResponse {
    let mut answer = empty(status);
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    *answer.body_mut() = Full::new(body.into());
    answer
}

const HEADERS: usize = 12;

/// Neither body nor content type: a client library fails over an empty body that has one.
pub(crate) fn empty(status: StatusCode) -> HttpResponse {
    let mut answer = Response::new(Full::default());
    // Room for all that an answer may get, here and from hyper: growing would hash the names again.
    answer.headers_mut().reserve(HEADERS);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A sentence for somebody who came by a wrong way.
pub(crate) fn text(status: StatusCode, sentence: &'static str) -> HttpResponse {
    private(status, HeaderValue::from_static("text/plain; charset=utf-8"), sentence)
}

/// 405 with the methods that there are (RFC 9110 section 15.5.6).
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
