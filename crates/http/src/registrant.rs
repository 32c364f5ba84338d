//! The endpoints for whoever registers and manages clients (RFC 7591 section 3, RFC 7592 section 2).

use bytes::Bytes;
use chancery_core::context::Call;
use chancery_core::endpoint::registration::{RegistrationError, RegistrationResponse};
use chancery_core::error::Refusal;
use chancery_core::offered::Verb;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use crate::bodies::BodyError;
use crate::encode::{HttpResponse, empty, json, registration_error};
use crate::form;
use crate::route::Route;
use crate::site::Site;

/// What is checked before a body is read.
pub(crate) fn check_header(headers: &HeaderMap) -> Result<(), Refusal> {
    form::authorization(headers)?;
    form::has_json_content_type(headers)
}

/// The answer to a registrant.
pub(crate) async fn answer(
    site: &Site,
    mut call: Call,
    route: Route<'_>,
    parts: &Parts,
    body: Result<&Bytes, BodyError>,
) -> HttpResponse {
    let answer = match read(&mut call, parts, body) {
        Err(error) => {
            site.refused(&call, route.endpoint, &error.failure());
            Err(error)
        }
        Ok(metadata) => respond(site, &call, route, &parts.method, metadata).await,
    };
    match answer {
        Ok(RegistrationResponse::Created(object)) => json(StatusCode::CREATED, object),
        Ok(RegistrationResponse::Current(object)) => json(StatusCode::OK, object),
        Ok(RegistrationResponse::Removed) => empty(StatusCode::NO_CONTENT),
        Err(error) => registration_error(&error, site.provider.issuer()),
    }
}

/// Reads the headers and the body, which is empty for GET and DELETE.
fn read<'b>(
    call: &mut Call,
    parts: &Parts,
    body: Result<&'b Bytes, BodyError>,
) -> Result<&'b [u8], RegistrationError> {
    call.authorization = form::authorization(&parts.headers)?;
    if !matches!(parts.method, Method::POST | Method::PUT) {
        return Ok(&[]);
    }
    form::has_json_content_type(&parts.headers)?;
    Ok(form::complete(body)?)
}

async fn respond(
    site: &Site,
    call: &Call,
    route: Route<'_>,
    method: &Method,
    metadata: &[u8],
) -> Result<RegistrationResponse, RegistrationError> {
    let provider = &site.provider;
    let Some(client_id) = route.below else { return provider.register(call, metadata).await };
    let verb = match *method {
        Method::PUT => Verb::Put,
        Method::DELETE => Verb::Delete,
        _ => Verb::Get,
    };
    provider.configure_client(call, verb, client_id, metadata).await
}
