//! The API for pages on another origin (`interaction.location`): GET gives what a page shows, POST takes what
//! the person has entered, both as JSON.
//!
//! It is guarded as the forms of our own pages are, and besides by the `Origin` of the one place that may use
//! it. A script of any other origin can neither read an answer nor send JSON, which takes a preflight (Fetch,
//! section "CORS protocol").

use std::ops::ControlFlow;

use bytes::Bytes;
use chancery_core::context::Call;
use chancery_core::error::{Failure, Reason, Refusal};
use chancery_core::interaction::{Location, Next, Outcome, Step};
use chancery_core::offered::Endpoint;
use chancery_core::request::PageError;
use chancery_jose::json::Object;
use chancery_types::Params;
use chancery_types::iana::ErrorCode;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::bodies::BodyError;
use crate::cross_site::NOT_OF_FRONT_END;
use crate::encode::{HttpResponse, empty, error_body, method_not_allowed, text};
use crate::form::{self, URL_LIMIT, URL_TOO_LONG};
use crate::locale;
use crate::person;
use crate::route::Route;
use crate::site::Site;
use crate::view_json::view_json;

chancery_core::reasons! {
    /// The body is not a JSON object with the members that the page has to send.
    FRONT_END_BODY = Reason {
        name: "front_end_body",
        code: ErrorCode::InvalidRequest,
        description: "the body must be a JSON object with the members that this page sends",
        section: "RFC 8259 section 4",
    };
    /// What was sent is not what the page with this form asks.
    FRONT_END_PAGE = Reason {
        name: "front_end_page",
        code: ErrorCode::InvalidRequest,
        description: "the form is of another page",
        section: "OIDC Core section 3.1.2.3",
    };
}

/// What the pages send, by the last segment of the path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Login,
    Account,
    Consent,
    Create,
    Abort,
    /// Whatever the page of an application's own sends to the application.
    Own,
}

impl Sent {
    fn at(segment: &str) -> Option<Self> {
        match segment {
            "login" => Some(Self::Login),
            "account" => Some(Self::Account),
            "consent" => Some(Self::Consent),
            "create" => Some(Self::Create),
            "abort" => Some(Self::Abort),
            _ => None,
        }
    }

    /// Whether the page of this step sends it.
    fn answers(self, step: &Step<'_>) -> bool {
        matches!(
            (self, step),
            (Self::Abort, _)
                | (Self::Login, Step::Login(_) | Step::SignUp(_))
                | (Self::Create, Step::SignUp(_) | Step::Login(_))
                | (Self::Account, Step::SelectAccount(_))
                | (Self::Consent, Step::Consent(_))
                | (Self::Own, _)
        )
    }
}

/// Where the pages are, if this route is the API for them.
pub(crate) fn of_route<'s>(site: &'s Site, route: Route<'_>) -> Option<&'s Location> {
    site.provider.pages_location().filter(|_| route.endpoint == Endpoint::Interaction)
}

/// Whether the body is read: the header shows that it comes from the pages, and is JSON.
pub(crate) fn reads_body(location: &Location, parts: &Parts) -> bool {
    parts.method == Method::POST && check_header(location, parts).is_ok()
}

/// Checks what the header shows.
fn check_header(location: &Location, parts: &Parts) -> Result<(), Refusal> {
    if parts.uri.path().len() + parts.uri.query().map_or(0, str::len) > URL_LIMIT {
        return URL_TOO_LONG.refused();
    }
    if !is_of_front_end(location, &parts.headers) {
        return NOT_OF_FRONT_END.refused();
    }
    if parts.method == Method::POST { form::has_json_content_type(&parts.headers) } else { Ok(()) }
}

/// Whether the one `Origin` of the request is that of the pages. Browsers send it with everything that a
/// script of another origin asks for with credentials.
fn is_of_front_end(location: &Location, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next().filter(|_| origins.next().is_none());
    origin.is_some_and(|origin| origin == location.origin())
}

/// The answer to the pages.
pub(crate) async fn answer(
    site: &Site,
    call: Call,
    route: Route<'_>,
    parts: &Parts,
    body: Result<&Bytes, BodyError>,
    location: &Location,
) -> HttpResponse {
    let sent = route.below.map(Sent::at);
    let mut answer = match (sent, &parts.method) {
        (Some(None), _) => text(StatusCode::NOT_FOUND, "Not Found"),
        (None, &Method::OPTIONS) => preflight(site, location, parts, Method::GET),
        (Some(_), &Method::OPTIONS) => preflight(site, location, parts, Method::POST),
        (None, &Method::GET) => {
            let mut call = person::of_browser(site, call, parts);
            let meant = meant(site, &mut call, parts, location);
            let next = match &meant {
                Ok(interaction) => site.provider.interaction_view(&call, interaction).await,
                Err(failure) => {
                    Err(site.unread(&call, Endpoint::Interaction, failure.clone(), &parts.headers))
                }
            };
            told(site, &call, &parts.headers, meant.as_deref().unwrap_or_default(), next)
        }
        (Some(Some(sent)), &Method::POST) => {
            let mut call = person::of_browser(site, call, parts);
            let entered = meant(site, &mut call, parts, location)
                .and_then(|interaction| Ok(fields(sent, form::complete(body)?, &interaction)?));
            let next = match &entered {
                Ok(fields) => take(site, &call, sent, fields).await,
                Err(failure) => {
                    Err(site.unread(&call, Endpoint::Interaction, failure.clone(), &parts.headers))
                }
            };
            let interaction =
                entered.as_ref().ok().and_then(|fields| fields.one("interaction").ok().flatten());
            told(site, &call, &parts.headers, interaction.unwrap_or_default(), next)
        }
        (None, _) => method_not_allowed(&[Method::GET, Method::OPTIONS]),
        (Some(_), _) => method_not_allowed(&[Method::POST, Method::OPTIONS]),
    };
    allow(&mut answer, location, &parts.headers);
    answer
}

/// The interaction that is meant: that of the URL, or else that of the client in this browser, if the pages find
/// it so.
fn meant(site: &Site, call: &mut Call, parts: &Parts, location: &Location) -> Result<String, Failure> {
    check_header(location, parts)?;
    let query = form::query(parts.uri.query())?;
    let mut interaction = query.one("interaction")?;
    if let Some(by_client) = site.provider.interactions_by_client() {
        let client = form::single_header(&parts.headers, &*by_client.header)?;
        let client = client.filter(|client| !client.is_empty()).or(query.one(&by_client.parameter)?);
        let held = site.cookies.interaction(&parts.headers, client);
        call.held_interaction = held.map(Into::into);
        interaction = interaction.or(held);
        call.meant_client = client.map(Into::into);
    }
    Ok(interaction.unwrap_or_default().to_owned())
}

/// What the person has entered.
async fn take(site: &Site, call: &Call, sent: Sent, fields: &Params<'_>) -> Result<Next, PageError> {
    match site.provider.step(call, fields).await? {
        ControlFlow::Break(next) => Ok(next),
        ControlFlow::Continue(step) if sent.answers(&step) => Ok(step.press(fields).await?),
        ControlFlow::Continue(_) => {
            let error = PageError::from(&FRONT_END_PAGE);
            error.record(call, site.provider.env(), Endpoint::Interaction);
            Err(error)
        }
    }
}

/// The fields that the form of a built-in page has: those that the view has given, and what the person has
/// entered. A form that does not say where its request is means this interaction.
fn fields(sent: Sent, body: &[u8], interaction: &str) -> Result<Params<'static>, Refusal> {
    let body = Object::parse(body).map_err(|_| Refusal::from(&FRONT_END_BODY))?;
    let form = body.raw("form").and_then(|form| Object::parse(form.get().as_bytes()).ok());
    let form = form.ok_or(&FRONT_END_BODY)?;
    let text = |object: &Object<'_>, name: &str| -> Result<Option<String>, Refusal> {
        let text = object.string(name).map_err(|_| Refusal::from(&FRONT_END_BODY))?;
        if text.as_deref().is_some_and(|text| text.contains('\0')) {
            return FRONT_END_BODY.refused();
        }
        Ok(text)
    };
    let required = |name| text(&body, name)?.ok_or(Refusal::from(&FRONT_END_BODY));
    let is_true = |name| body.raw(name).and_then(|value| serde_json::from_str::<bool>(value.get()).ok());
    let mut fields = Vec::new();
    for name in ["request", "interaction", "token"] {
        fields.extend(text(&form, name)?.map(|value| (name, value)));
    }
    if !fields.iter().any(|(name, _)| ["request", "interaction"].contains(name)) {
        fields.push(("interaction", interaction.to_owned()));
    }
    match sent {
        Sent::Login => {
            fields.extend([("username", required("username")?), ("password", required("password")?)]);
            fields.push(("action", "login".to_owned()));
        }
        Sent::Create => {
            for name in ["username", "password"] {
                fields.extend(text(&body, name)?.map(|value| (name, value)));
            }
            fields.push(("action", "create".to_owned()));
        }
        Sent::Account if is_true("another") == Some(true) => fields.push(("action", "another".to_owned())),
        Sent::Account => match text(&body, "forget")? {
            Some(choice) => fields.push(("forget", choice)),
            None => fields.push(("account", required("account")?)),
        },
        Sent::Consent if is_true("switch") == Some(true) => fields.push(("action", "switch".to_owned())),
        Sent::Consent => {
            let allow = is_true("allow").ok_or(&FRONT_END_BODY)?;
            fields.push(("action", if allow { "allow" } else { "deny" }.to_owned()));
        }
        Sent::Abort => fields.push(("action", "cancel".to_owned())),
        Sent::Own => {
            for (name, _) in
                body.iter().filter(|(name, _)| !["form", "interaction", "request", "token"].contains(name))
            {
                fields.extend(text(&body, name)?.map(|value| (name, value)));
            }
        }
    }
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The fields of what one of the application's own steps is answered by, at an address of the application.
pub(crate) fn own_fields(
    site: &Site,
    call: &mut Call,
    parts: &Parts,
    body: Result<&Bytes, BodyError>,
    location: &Location,
) -> Result<Params<'static>, Failure> {
    let interaction = meant(site, call, parts, location)?;
    Ok(fields(Sent::Own, form::complete(body)?, &interaction)?)
}

/// The answer of an application's own step to the pages.
pub(crate) fn own_answer(
    site: &Site,
    call: &Call,
    (headers, interaction): (&HeaderMap, &str),
    next: Result<Next, PageError>,
    location: &Location,
) -> HttpResponse {
    let mut answer = told(site, call, headers, interaction, next);
    allow(&mut answer, location, headers);
    answer
}

/// The answer to the pages where something has panicked.
pub(crate) fn broken(
    site: &Site,
    failure: &Failure,
    headers: &HeaderMap,
    location: &Location,
) -> HttpResponse {
    let mut answer = error_body(failure, site.provider.issuer());
    allow(&mut answer, location, headers);
    answer
}

/// The answer to the preflight for an address of the application.
pub(crate) fn own_preflight(site: &Site, parts: &Parts, location: &Location) -> HttpResponse {
    let mut answer = preflight(site, location, parts, Method::POST);
    allow(&mut answer, location, &parts.headers);
    answer
}

/// What the engine has decided, as JSON, with the cookies.
fn told(
    site: &Site,
    call: &Call,
    sent: &HeaderMap,
    interaction: &str,
    next: Result<Next, PageError>,
) -> HttpResponse {
    match next {
        Ok(mut next) => {
            if let Outcome::Page(view) = &mut next.outcome {
                // The best comes last, and stays.
                let wishes = locale::wishes(view.ui_locales(), None).into_iter();
                wishes.chain(call.languages.iter().cloned()).rev().for_each(|wish| view.speak(&wish));
            }
            let mut answer = view_json(site, &next.outcome);
            person::set_cookies(site, call, sent, &next, &mut answer);
            if let Outcome::Respond(_) = next.outcome {
                site.cookies.clear_interaction(interaction, sent, answer.headers_mut());
            }
            answer
        }
        Err(error) => {
            let mut answer = error_body(&error.failure, site.provider.issuer());
            match &error.failure {
                Failure::Refused(why) if *why.reason == NOT_OF_FRONT_END => {
                    *answer.status_mut() = StatusCode::FORBIDDEN;
                }
                // 401 would challenge the browser.
                _ if answer.status() == StatusCode::UNAUTHORIZED => {
                    *answer.status_mut() = StatusCode::BAD_REQUEST;
                    answer.headers_mut().remove(WWW_AUTHENTICATE);
                }
                _ => {}
            }
            answer
        }
    }
}

/// The answer to OPTIONS: what the pages may send.
fn preflight(site: &Site, location: &Location, parts: &Parts, method: Method) -> HttpResponse {
    if !parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return method_not_allowed(&[method, Method::OPTIONS]);
    }
    let mut answer = empty(StatusCode::NO_CONTENT);
    if is_of_front_end(location, &parts.headers) {
        let headers = answer.headers_mut();
        let by_client = site.provider.interactions_by_client().map(|by_client| &*by_client.header);
        let allowed = by_client.filter(|header| !header.is_empty());
        let allowed = allowed.map_or("Content-Type".to_owned(), |header| format!("Content-Type, {header}"));
        if let Ok(allowed) = HeaderValue::from_str(&allowed) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        if let Ok(method) = HeaderValue::from_str(method.as_str()) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method);
        }
    }
    answer
}

/// Lets scripts of the pages read the answer, and nobody else's.
fn allow(answer: &mut HttpResponse, location: &Location, headers: &HeaderMap) {
    let out = answer.headers_mut();
    out.insert(VARY, HeaderValue::from_static("Origin"));
    if !is_of_front_end(location, headers) {
        return;
    }
    if let Ok(origin) = HeaderValue::from_str(location.origin()) {
        out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        out.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        let exposed = HeaderValue::from_static("Retry-After, X-Request-Id");
        out.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}
