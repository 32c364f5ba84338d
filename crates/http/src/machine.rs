//! The endpoints that clients call: token, introspection, revocation, UserInfo. All but introspection ignore `Accept`,
//! which libraries set carelessly.

use bytes::Bytes;
use chancery_core::client::ORIGIN_NOT_ALLOWED;
use chancery_core::context::{Call, DpopHeader};
use chancery_core::endpoint::{ClientRequest, ClientResponse};
use chancery_core::error::Failure;
use chancery_core::offered::{Caller, Endpoint};
use chancery_types::Params;
use http::header::{ACCEPT, ORIGIN, PRAGMA, USER_AGENT};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::bodies::BodyError;
use crate::cors::{self, CorsPolicy};
use crate::encode::{
    Challenge, HttpResponse, backchannel_error, empty, error_body, json, private, token_challenge,
};
use crate::form;
use crate::route::Route;
use crate::site::Site;

static DPOP: HeaderName = HeaderName::from_static("dpop");
static DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The answer to a client's request.
pub(crate) async fn answer(
    site: &Site,
    mut call: Call,
    route: Route<'_>,
    parts: &Parts,
    body: Result<&Bytes, BodyError>,
) -> HttpResponse {
    let origin = parts.headers.get(ORIGIN);
    let mut cors_policy = CorsPolicy::of(route);
    if route.endpoint == Endpoint::DeviceAuthorization {
        let device = parts.headers.get(USER_AGENT);
        call.user_agent = device.map(|device| String::from_utf8_lossy(device.as_bytes()).into());
    }
    let result = match read(&mut call, route.endpoint, parts, body) {
        Err(failure) => Err(record_failure(site, &call, route, failure)),
        Ok(params) => client_response(site, &call, route, parts, params).await,
    };
    if matches!(&result, Err(Failure::Refused(refusal)) if *refusal.reason == ORIGIN_NOT_ALLOWED) {
        cors_policy = CorsPolicy::SameOrigin;
    }
    let mut answer = result.unwrap_or_else(|failure| match route.caller() {
        Caller::Bearer => {
            let algorithms = site.provider.dpop_algorithms();
            let challenge = Challenge {
                realm: site.provider.issuer().as_str(),
                dpop: algorithms.as_deref(),
                uses_dpop: call.uses_dpop(),
                metadata: None,
            };
            token_challenge(&failure, &challenge)
        }
        _ => match route.endpoint {
            Endpoint::BackchannelAuthentication => backchannel_error(&failure, site.provider.issuer()),
            _ => error_body(&failure, site.provider.issuer()),
        },
    });
    if let Some(nonce) = site.provider.dpop_nonce(&call).and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        answer.headers_mut().insert(&DPOP_NONCE, nonce);
    }
    cors::allow_origin(&mut answer, cors_policy, origin);
    answer
}

/// Reads headers and body, but no parameters from the query (RFC 6749 section 3.2, RFC 9700 section 4.3.2).
fn read<'b>(
    call: &mut Call,
    endpoint: Endpoint,
    parts: &Parts,
    body: Result<&'b Bytes, BodyError>,
) -> Result<Params<'b>, Failure> {
    // An origin that is not ASCII cannot be allowed, like `null`.
    call.dpop = dpop(parts);
    call.origin = parts.headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("null").into());
    // Nobody else looks at it (RFC 9701 section 4).
    call.accept = if endpoint == Endpoint::Introspection { accept(parts) } else { None };
    call.authorization = form::authorization(&parts.headers)?;
    if parts.method != Method::POST {
        return Ok(Params::default());
    }
    form::body(&parts.headers, body)
}

/// The Accept header; its lines are one list (RFC 9110 section 5.3).
fn accept(parts: &Parts) -> Option<Box<str>> {
    let lines: Vec<_> =
        parts.headers.get_all(ACCEPT).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    (!lines.is_empty()).then(|| lines.join(",").into())
}

/// The DPoP header (RFC 9449 section 4.1). What is no text is no JWT either.
fn dpop(parts: &Parts) -> Option<DpopHeader> {
    if !parts.headers.contains_key(&DPOP) {
        return None;
    }
    let fields = parts.headers.get_all(&DPOP).iter();
    let fields = fields.map(|field| String::from_utf8_lossy(field.as_bytes()).into()).collect();
    Some(DpopHeader { fields, method: parts.method.as_str().into() })
}

fn record_failure(site: &Site, call: &Call, route: Route<'_>, failure: Failure) -> Failure {
    site.refused(call, route.endpoint, &failure);
    failure
}

async fn client_response(
    site: &Site,
    call: &Call,
    route: Route<'_>,
    parts: &Parts,
    form: Params<'_>,
) -> Result<HttpResponse, Failure> {
    let query = match route.caller() {
        Caller::Bearer => form::query(parts.uri.query())
            .map_err(|refusal| record_failure(site, call, route, refusal.into()))?,
        _ => Params::default(),
    };
    let request = ClientRequest { query, form };
    let mut answer = match site.provider.client_request(call, route.endpoint, &request).await? {
        ClientResponse::Json(object) => json(StatusCode::OK, object),
        ClientResponse::Created(object) => json(StatusCode::CREATED, object),
        ClientResponse::Jwt { media_type, jwt } => {
            private(StatusCode::OK, HeaderValue::from_static(media_type), jwt)
        }
        ClientResponse::Done => empty(StatusCode::OK),
    };
    // RFC 6749 section 5.1 demands this in a token response, in addition to `Cache-Control: no-store`.
    if route.endpoint == Endpoint::Token {
        answer.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    }
    Ok(answer)
}
