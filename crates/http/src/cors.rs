//! Which other origins' scripts may read an answer (Fetch, section "CORS protocol"). Credentials are never
//! allowed, because no answer to a script depends on a cookie.

use chancery_core::offered::Caller;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::encode::{HttpResponse, empty, method_not_allowed};
use crate::route::Route;

/// The origins whose scripts may read the answers of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CorsPolicy {
    /// No other origin.
    SameOrigin,
    /// Every origin, because the answers are public.
    Public,
    /// The origins that the client is registered with.
    ByClient,
}

impl CorsPolicy {
    /// CORS-01
    pub(crate) const fn of(route: Route<'_>) -> Self {
        match route.caller() {
            Caller::Anybody => Self::Public,
            Caller::Client | Caller::Bearer => Self::ByClient,
            // Whoever registers clients is no script of a page that anybody can open.
            Caller::Browser | Caller::Registrant => Self::SameOrigin,
        }
    }
}

/// The answer to OPTIONS. A preflight is always allowed, because it comes before the client is known.
pub(crate) fn preflight(route: Route<'_>, headers: &HeaderMap) -> HttpResponse {
    let methods = route.methods();
    let (Some(origin), true) = (headers.get(ORIGIN), headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD))
    else {
        let mut answer = method_not_allowed(&methods);
        answer.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
        return answer;
    };
    let mut answer = empty(StatusCode::NO_CONTENT);
    let out = answer.headers_mut();
    let names: Vec<&str> =
        methods.iter().filter(|method| **method != Method::OPTIONS).map(Method::as_str).collect();
    if let Ok(methods) = HeaderValue::from_str(&names.join(", ")) {
        out.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    if let Some(requested) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    out.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    out.insert(VARY, HeaderValue::from_static("Origin"));
    answer
}

/// Lets scripts of this origin read the answer.
pub(crate) fn allow_origin(answer: &mut HttpResponse, policy: CorsPolicy, origin: Option<&HeaderValue>) {
    let headers = answer.headers_mut();
    match policy {
        CorsPolicy::SameOrigin => {}
        // The header is the same for all origins, so that shared caches keep one copy.
        CorsPolicy::Public => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        CorsPolicy::ByClient => {
            headers.insert(VARY, HeaderValue::from_static("Origin"));
            if let Some(origin) = origin {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                let exposed = HeaderValue::from_static("DPoP-Nonce, WWW-Authenticate, X-Request-Id");
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chancery_core::offered::Endpoint;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    /// CORS-02, CORS-06
    #[test]
    fn a_preflight_is_allowed() {
        let requested = headers(&[
            (ORIGIN, "https://spa.example"),
            (ACCESS_CONTROL_REQUEST_METHOD, "POST"),
            (ACCESS_CONTROL_REQUEST_HEADERS, "authorization, dpop"),
        ]);
        let answer = preflight(Route::at(Endpoint::UserInfo), &requested);
        assert_eq!(answer.status(), 204);
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "https://spa.example");
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, POST");
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_HEADERS], "authorization, dpop");
        assert_eq!(answer.headers()[ACCESS_CONTROL_MAX_AGE], "3600");
        assert_eq!(answer.headers()[VARY], "Origin");
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    }

    /// CORS-03
    #[test]
    fn options_without_the_cors_headers_is_not_a_preflight() {
        let answer = preflight(Route::at(Endpoint::Token), &headers(&[(ORIGIN, "https://spa.example")]));
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[VARY]),
            (405, &HeaderValue::from_static("Origin"))
        );
    }

    /// CORS-01, CORS-04, CORS-05
    #[test]
    fn the_policy_follows_from_the_caller() {
        let origin = HeaderValue::from_static("https://spa.example");
        let allowed_origin = |route, origin| {
            let mut answer = empty(StatusCode::OK);
            allow_origin(&mut answer, CorsPolicy::of(route), origin);
            answer.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(allowed_origin(Route::at(Endpoint::Jwks), Some(&origin)).as_deref(), Some("*"));
        assert_eq!(allowed_origin(Route::at(Endpoint::Metadata), None).as_deref(), Some("*"));
        assert_eq!(
            allowed_origin(Route::at(Endpoint::Token), Some(&origin)).as_deref(),
            Some("https://spa.example")
        );
        assert_eq!(allowed_origin(Route::at(Endpoint::Token), None), None);
        assert_eq!(allowed_origin(Route::at(Endpoint::Authorization), Some(&origin)), None);
    }
}
