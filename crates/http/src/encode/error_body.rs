//! The JSON error body of the token, introspection and revocation endpoints (RFC 6749 section 5.2, RFC 7009
//! section 2.2.1, RFC 7662 section 2.3).

use std::borrow::Cow;
use std::time::Duration;

use chancery_core::endpoint::backchannel_authentication;
use chancery_core::error::{Failure, FaultKind, Reason, Remedy};
use chancery_types::Issuer;
use chancery_types::iana::ErrorCode;
use http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::{HttpResponse, json};
use crate::form::{BODY_TOO_LONG, URL_TOO_LONG};

/// The `Retry-After` of a server that is busy.
pub(crate) const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorCode,
    #[serde(skip_serializing_if = "str::is_empty")]
    error_description: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

/// The answer to a failed request of a client.
pub(crate) fn error_body(failure: &Failure, issuer: &Issuer) -> HttpResponse {
    match failure {
        Failure::Broken(fault) => broken(fault.kind()),
        Failure::Refused(refusal) => refused(refusal.reason, refusal.remedy.as_ref(), issuer.as_str()),
    }
}

/// The answer to a failed backchannel authentication request (CIBA Core section 13), which has codes of its own, and 403
/// for what is denied before anybody was asked.
pub(crate) fn backchannel_error(failure: &Failure, issuer: &Issuer) -> HttpResponse {
    let Failure::Refused(refusal) = failure else { return error_body(failure, issuer) };
    let code = backchannel_authentication::error_code(refusal.reason.code);
    let Reason { name, description, section, .. } = *refusal.reason;
    let told = Reason { name, code, description, section };
    let mut answer = refused(&told, refusal.remedy.as_ref(), issuer.as_str());
    if code == ErrorCode::AccessDenied {
        *answer.status_mut() = StatusCode::FORBIDDEN;
    }
    answer
}

/// The answer to a refused request.
pub(super) fn refused(reason: &Reason, remedy: Option<&Remedy>, realm: &str) -> HttpResponse {
    let (status, scope, retry_after) = match remedy {
        Some(Remedy::RetryAfter(wait)) => (StatusCode::TOO_MANY_REQUESTS, None, Some(*wait)),
        Some(Remedy::Scope(scope)) => (status(reason), Some(&**scope), None),
        Some(Remedy::Authentication { .. } | Remedy::Offered(_) | Remedy::Registered(_)) | None => {
            (status(reason), None, None)
        }
    };
    let error_description = reason.told(remedy);
    let mut answer = body(status, &ErrorBody { error: reason.code, error_description, scope });
    if let Some(wait) = retry_after {
        self::retry_after(&mut answer, wait);
    }
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 section 15.5.2 demands a challenge with every 401, even if the client did not use the
        // header.
        insert(&mut answer, WWW_AUTHENTICATE, &challenge("Basic", realm, reason));
    }
    answer
}

/// 503 or 500, without any details.
pub(super) fn broken(kind: FaultKind) -> HttpResponse {
    let (status, error_description) = match kind {
        FaultKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "try again later"),
        FaultKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here"),
    };
    let error_description = Cow::Borrowed(error_description);
    let mut answer = body(status, &ErrorBody { error: kind.code(), error_description, scope: None });
    if kind == FaultKind::Unavailable {
        retry_after(&mut answer, BUSY_RETRY_AFTER);
    }
    answer
}

/// Sets `Retry-After` in whole seconds, rounded up (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(answer: &mut HttpResponse, wait: Duration) {
    insert(answer, RETRY_AFTER, &wait.as_millis().div_ceil(1_000).max(1).to_string());
}

fn body(status: StatusCode, body: &ErrorBody<'_>) -> HttpResponse {
    json(status, serde_json::to_vec(body).unwrap_or_default())
}

/// A challenge with realm, `error` and `error_description`, as RFC 6750 section 3 defines it for `Bearer`.
fn challenge(scheme: &str, realm: &str, reason: &Reason) -> String {
    format!("{scheme} realm=\"{realm}\"{}", error_parameters(reason))
}

/// `error` and `error_description` of a challenge, behind its realm.
pub(super) fn error_parameters(reason: &Reason) -> String {
    let mut text = format!(", error=\"{}\"", reason.code);
    if !reason.description.is_empty() {
        text.push_str(", error_description=\"");
        text.push_str(reason.description);
        text.push('"');
    }
    text
}

pub(super) fn insert(answer: &mut HttpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// The status is 400 except for failed client authentication (RFC 6749 section 5.2) and bad tokens (RFC 6750
/// section 3.1). Errors of HTTP have their own status with the same body.
fn status(reason: &Reason) -> StatusCode {
    match reason.code {
        _ if *reason == BODY_TOO_LONG => StatusCode::PAYLOAD_TOO_LARGE,
        _ if *reason == URL_TOO_LONG => StatusCode::URI_TOO_LONG,
        ErrorCode::InvalidClient | ErrorCode::InvalidToken | ErrorCode::InsufficientUserAuthentication => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use chancery_core::error::{Fault, Refusal};
    use http::header::{CACHE_CONTROL, CONTENT_TYPE};
    use http_body_util::BodyExt as _;

    pub(crate) fn reason(code: ErrorCode, description: &'static str) -> &'static Reason {
        Box::leak(Box::new(Reason { name: "of_a_test", code, description, section: "none" }))
    }

    pub(crate) fn issuer() -> Issuer {
        Issuer::parse("https://id.example").unwrap()
    }

    pub(crate) fn text(answer: HttpResponse) -> String {
        let mut body = Box::pin(answer.into_body().collect());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match body.as_mut().poll(&mut context) {
            std::task::Poll::Ready(Ok(all)) => String::from_utf8(all.to_bytes().to_vec()).unwrap(),
            _ => panic!("a full body is there at once"),
        }
    }

    pub(crate) fn header(answer: &HttpResponse, name: HeaderName) -> &str {
        answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// ERR-01, ERR-02, HTTP-15, HTTP-18
    #[test]
    fn a_refusal_is_json_that_nobody_stores() {
        let answer = error_body(&reason(ErrorCode::InvalidGrant, "the grant is not good").into(), &issuer());
        assert_eq!(answer.status(), 400);
        assert_eq!(header(&answer, CACHE_CONTROL), "no-store");
        assert_eq!(header(&answer, CONTENT_TYPE), "application/json; charset=utf-8");
        assert_eq!(text(answer), r#"{"error":"invalid_grant","error_description":"the grant is not good"}"#);
        let silent = error_body(&reason(ErrorCode::AccessDenied, "").into(), &issuer());
        assert_eq!(text(silent), r#"{"error":"access_denied"}"#);
    }

    /// CAUTH-08
    #[test]
    fn a_failed_authentication_is_challenged() {
        let answer = error_body(&reason(ErrorCode::InvalidClient, "no").into(), &issuer());
        assert_eq!(answer.status(), 401);
        assert_eq!(
            header(&answer, WWW_AUTHENTICATE),
            r#"Basic realm="https://id.example", error="invalid_client", error_description="no""#
        );
    }

    #[test]
    fn too_many_requests_say_when_to_come_back() {
        let wait = Some(Remedy::RetryAfter(Duration::from_secs(30)));
        let refusal = Refusal { reason: reason(ErrorCode::InvalidClient, "slow down"), remedy: wait };
        let answer = error_body(&refusal.into(), &issuer());
        assert_eq!((answer.status().as_u16(), header(&answer, RETRY_AFTER)), (429, "30"));
    }

    /// ERR-03
    #[test]
    fn a_fault_has_no_details() {
        let busy = error_body(&Fault::unavailable("SECRET-TEXT").into(), &issuer());
        assert_eq!((busy.status().as_u16(), header(&busy, RETRY_AFTER)), (503, "1"));
        assert_eq!(
            text(busy),
            r#"{"error":"temporarily_unavailable","error_description":"try again later"}"#
        );
        let broken = error_body(&Fault::internal("SECRET-TEXT").into(), &issuer());
        assert_eq!(broken.status(), 500);
        assert!(!text(broken).contains("SECRET-TEXT"));
    }
}
