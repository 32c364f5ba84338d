//! The endpoints that a person's browser visits: authorization, interaction and logout. They answer with pages and
//! redirects, never with JSON.

use bytes::Bytes;
use chancery_core::context::{Call, PostedAgain};
use chancery_core::error::{Failure, Refusal};
use chancery_core::interaction::view::{
    ChangePasswordView, LoginProblem, LoginView, PasswordProblem, SignUpProblem, SignUpView, UserCodeView,
    View,
};
use chancery_core::interaction::{ApprovalProblem, Next, Outcome, UserCodeProblem};
use chancery_core::offered::Endpoint;
use chancery_core::request::{AuthorizationResponse, PageError};
use chancery_types::Params;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use crate::bodies::BodyError;
use crate::cross_site::{FORM_OF_ANOTHER_ORIGIN, REDIRECTED, Source, names_another_host};
use crate::encode::{
    BUSY_RETRY_AFTER, Encoded, Form, HttpResponse, authorization_response, post_logout_address, retry_after,
    see_other,
};
use crate::form::{self, URL_LIMIT, URL_TOO_LONG};
use crate::front_page;
use crate::pages::{Content, FormMarkup, LANGUAGE, Retry};
use crate::route::Route;
use crate::site::Site;
use crate::{Locale, locale};

/// The answer to a person's browser.
pub(crate) async fn answer(
    site: &Site,
    call: Call,
    route: Route<'_>,
    parts: &Parts,
    body: Result<&Bytes, BodyError>,
) -> HttpResponse {
    let mut call = of_browser(site, call, parts);
    let sent = body.as_ref().ok().copied();
    let params = match read(site, route, parts, body) {
        Ok(params) => params,
        Err(failure) => {
            let error = site.unread(&call, route.endpoint, failure, &parts.headers);
            return site.error_page(&call, &error, retry(route, parts, false));
        }
    };
    let chosen = chosen_language(site, &params);
    if let Some(locale) = &chosen {
        call.language = Some(locale.as_str().into());
    }
    let mut answer = decided(site, call, route, (parts, sent), params).await;
    if let Some(locale) = chosen {
        site.cookies.set_language(&locale, answer.headers_mut());
    }
    answer
}

/// The language that the person has chosen with this request.
pub(crate) fn chosen_language(site: &Site, params: &Params<'_>) -> Option<Locale> {
    Locale::chosen(params.one(LANGUAGE).ok()??, &site.pages.locales())
}

/// The address at which GET shows the page of this request again.
fn shown_at(site: &Site, route: Route<'_>, parts: &Parts) -> Option<Box<str>> {
    let address = site.address(route);
    if parts.method == Method::POST {
        return route.below.map(|_| address.into());
    }
    let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) else {
        return Some(address.into());
    };
    let params = form::query(Some(query)).ok()?;
    let is_own = |name: &str| [REDIRECTED, LANGUAGE].contains(&name);
    // Without any of our own parameters, which is nearly always, the query stays as it came.
    if !params.iter().any(|(name, _)| is_own(name)) {
        return Some(format!("{address}?{query}").into());
    }
    let others: Vec<_> = params.iter().filter(|(name, _)| !is_own(name)).collect();
    Some(match others.as_slice() {
        [] => address.into(),
        others => format!("{address}?{}", chancery_types::params::encode(others.iter().copied())).into(),
    })
}

/// The address at which GET shows what comes next, where the page of this request answers a form.
fn entered_at(site: &Site, route: Route<'_>, parts: &Parts, next: &Next) -> Option<Box<str>> {
    if parts.method != Method::POST {
        return None;
    }
    let address = match (route.below, next.entrance.as_ref()) {
        (Some(_), _) => site.address(route),
        (None, Some(entrance)) => site.address_of_entrance(entrance),
        (None, None) => return None,
    };
    (address.len() <= URL_LIMIT).then(|| address.into())
}

/// What the forms of our pages carry besides what a person types or presses.
const CARRIED: [&str; 5] = ["request", "token", "interaction", "user_code", "ui_locales"];

/// What is posted for the page of this request once more. What a client has sent a person with is all there, as in the form of
/// a page that passes it on.
fn posted_again(
    site: &Site,
    route: Route<'_>,
    (parts, body): (&Parts, Option<&Bytes>),
    next: &Result<Next, PageError>,
) -> Option<Box<PostedAgain>> {
    let is_without_form = match next {
        Ok(Next { outcome: Outcome::Page(view), .. }) => matches!(**view, View::SignedIn(_)),
        Ok(_) => false,
        Err(_) => true,
    };
    if parts.method != Method::POST || !is_without_form {
        return None;
    }
    let params = form::body(&parts.headers, Ok(body?)).ok()?;
    let is_kept = |name: &str| match is_of_clients(route) {
        true => name != LANGUAGE,
        false => CARRIED.contains(&name),
    };
    let fields = params.iter().filter(|(name, _)| is_kept(name));
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some(Box::new(PostedAgain { address: site.address(route).into(), fields }))
}

/// The answer to a request that could be read.
async fn decided(
    site: &Site,
    mut call: Call,
    route: Route<'_>,
    (parts, body): (&Parts, Option<&Bytes>),
    params: Params<'_>,
) -> HttpResponse {
    // A form is told by it that its page comes again. An address only says in which language.
    let is_our_form = parts.method == Method::POST && !is_of_clients(route);
    let params = if is_our_form { params } else { params.filtered(|name| name != LANGUAGE) };
    if let Ok(Some(ui_locales)) = params.one("ui_locales") {
        call.languages.splice(0..0, locale::wishes(Some(ui_locales), None));
    }
    if route.endpoint == Endpoint::FrontPage {
        call.shown_at = shown_at(site, route, parts);
        return front_page::answer(site, &call, parts);
    }
    let provider = &site.provider;
    // The boxes: an answer is not to hold the room that only another one needs. The most frequent one has none.
    let next = match (route.endpoint, route.below) {
        (Endpoint::Interaction, None) => Box::pin(provider.answer_first(&call, params)).await,
        (Endpoint::Interaction, Some(_))
            if parts.method == Method::GET && came_by_another_host(site, parts, &params) =>
        {
            return see_other(&format!("{}?{REDIRECTED}=1", site.address(route)));
        }
        (Endpoint::Interaction, Some(handle)) if parts.method == Method::GET => {
            provider.interaction(&call, handle).await
        }
        (Endpoint::Interaction, Some(handle)) => Box::pin(provider.answer(&call, handle, params)).await,
        (Endpoint::UserCode, _) if parts.method == Method::POST => {
            provider.enter_user_code(&call, params).await
        }
        (Endpoint::Approvals, _) if came_by_another_host(site, parts, &params) => {
            return see_other(&format!("{}?{REDIRECTED}=1", site.address(route)));
        }
        (Endpoint::Approvals, link) => provider.approvals(&call, link, params).await,
        (Endpoint::Account, _) if parts.method == Method::POST => {
            provider.change_account(&call, params).await
        }
        (Endpoint::Account, _) if came_by_another_host(site, parts, &params) => {
            return redirect_to_get(site, &call, route, &params);
        }
        (Endpoint::Account, below) => provider.account(&call, below, params).await,
        (Endpoint::LogoutConfirmation, _) => Box::pin(provider.confirm_logout(&call, params)).await,
        _ if comes_from_another_site(site, parts, &params) || came_by_another_host(site, parts, &params) => {
            return redirect_to_get(site, &call, route, &params);
        }
        (Endpoint::EndSession, _) => {
            Box::pin(provider.end_session(&call, params.filtered(|name| name != REDIRECTED))).await
        }
        (Endpoint::UserCode, _) => provider.user_code(&call, params).await,
        _ => provider.authorize(&call, params.filtered(|name| name != REDIRECTED)).await,
    };
    if matches!(&next, Err(_) | Ok(Next { outcome: Outcome::Page(_), .. })) {
        call.shown_at = shown_at(site, route, parts);
        call.entered_at = next.as_ref().ok().and_then(|next| entered_at(site, route, parts, next));
        call.posted_again = posted_again(site, route, (parts, body), &next);
    }
    match next {
        Ok(next) => response_to(site, &call, &parts.headers, next),
        Err(error) => {
            site.error_page(&call, &error, retry(route, parts, matches!(error.failure, Failure::Broken(_))))
        }
    }
}

/// Checks what the header shows. The body of a form that another origin posts is not even read.
pub(crate) fn check_header(site: &Site, route: Route<'_>, parts: &Parts) -> Result<(), Refusal> {
    if parts.uri.path().len() + parts.uri.query().map_or(0, str::len) > URL_LIMIT {
        return URL_TOO_LONG.refused();
    }
    let is_form = parts.method == Method::POST && !is_of_clients(route);
    match Source::of(&parts.headers, site.provider.issuer()) {
        Source::CrossSite | Source::SameSite if is_form => FORM_OF_ANOTHER_ORIGIN.refused(),
        _ => Ok(()),
    }
}

/// Whether clients send people to this endpoint.
fn is_of_clients(route: Route<'_>) -> bool {
    matches!(route.endpoint, Endpoint::Authorization | Endpoint::EndSession)
}

/// What the browser says of itself: its cookies, and the languages of its person.
pub(crate) fn of_browser(site: &Site, mut call: Call, parts: &Parts) -> Call {
    let accept_language = locale::accepted(&parts.headers);
    call.sessions = site.cookies.sessions(&parts.headers);
    call.browser = site.cookies.browser(&parts.headers);
    call.devices = site.cookies.devices(&parts.headers);
    call.browser_state = site.cookies.state(&parts.headers);
    if parts.method == Method::POST {
        call.cookies = site.cookies.others(&parts.headers);
    }
    call.languages = locale::wishes(None, accept_language.as_deref());
    let chosen = site.cookies.language(&parts.headers);
    let chosen = chosen.and_then(|tag| Locale::chosen(tag, &site.pages.locales()));
    call.language = chosen.map(|locale| locale.as_str().into());
    let browser = parts.headers.get(USER_AGENT);
    call.user_agent = browser.map(|browser| String::from_utf8_lossy(browser.as_bytes()).into());
    call
}

/// Reads the parameters: from the query for GET, from the body for POST.
pub(crate) fn read<'p>(
    site: &Site,
    route: Route<'_>,
    parts: &'p Parts,
    body: Result<&'p Bytes, BodyError>,
) -> Result<Params<'p>, Failure> {
    check_header(site, route, parts)?;
    if parts.method != Method::POST {
        return Ok(form::query(parts.uri.query())?);
    }
    form::body(&parts.headers, body)
}

/// Whether this POST lacks our cookies because another site made it.
fn comes_from_another_site(site: &Site, parts: &Parts, params: &Params<'_>) -> bool {
    let without_cookies = match Source::of(&parts.headers, site.provider.issuer()) {
        // A redirected request would come from our own site, so the mark does not count here.
        Source::CrossSite => true,
        Source::Unknown => !site.cookies.has_any(&parts.headers) && !params.has(REDIRECTED),
        Source::Ours | Source::SameSite => false,
    };
    parts.method == Method::POST && without_cookies
}

/// Whether the browser used another host name than the issuer's and was not redirected yet. If the name is
/// still another one after the redirect, it is a proxy's, not the browser's.
fn came_by_another_host(site: &Site, parts: &Parts, params: &Params<'_>) -> bool {
    names_another_host(parts, site.provider.issuer()) && !params.has(REDIRECTED)
}

/// Sends a request to the issuer's own address: by a redirect to GET, with which browsers send Lax cookies;
/// or, if it is too long for a URL, by a page whose form posts it from our origin.
fn redirect_to_get(site: &Site, call: &Call, route: Route<'_>, params: &Params<'_>) -> HttpResponse {
    let endpoint = site.address(route);
    let others = params.iter().filter(|(name, _)| *name != REDIRECTED);
    let fields: Vec<(&str, &str)> = others.chain([(REDIRECTED, "1")]).collect();
    let address = format!("{endpoint}?{}", chancery_types::params::encode(fields.iter().copied()));
    if address.len() - site.provider.issuer().origin().len() <= URL_LIMIT {
        return see_other(&address);
    }
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = FormMarkup { action: endpoint, fields: fields.collect() };
    site.page(call, StatusCode::OK, Content::Repost(&form), Form::SubmitsItself)
}

/// The page's own address, if GET shows the page again.
fn retry(route: Route<'_>, parts: &Parts, is_fault: bool) -> Retry<'static> {
    match route.below {
        Some(_) => Retry::At(""),
        _ if is_fault && parts.method == Method::GET => Retry::At(""),
        _ => Retry::No,
    }
}

/// The response to what the engine decided, with the cookies.
pub(crate) fn response_to(site: &Site, call: &Call, sent: &HeaderMap, mut next: Next) -> HttpResponse {
    let mut answer = match &mut next.outcome {
        Outcome::Page(view) => {
            let locale = site.locale(call, view.ui_locales());
            view.speak(locale.as_str());
            if let View::LogoutConfirm(view) = &mut **view {
                view.unregistered = site.told_to_developers(next.unregistered.as_deref());
            }
            view_page(site, call, view)
        }
        Outcome::Stored { handle, client } => see_other(&site.address_of_stored(handle, client)),
        Outcome::Account(reference) => see_other(&site.address_of_account(reference)),
        Outcome::Approvals(link) => see_other(&site.address_of_approvals(link.as_deref())),
        Outcome::Sealed(text) => see_other(&site.address_of_pages(text)),
        Outcome::Respond(response) => respond(site, call, response),
        Outcome::Leave(target) => see_other(&post_logout_address(target)),
    };
    set_cookies(site, call, sent, &next, &mut answer);
    answer
}

/// The cookies that the engine has decided on.
pub(crate) fn set_cookies(
    site: &Site,
    call: &Call,
    sent: &HeaderMap,
    next: &Next,
    answer: &mut HttpResponse,
) {
    if let (Outcome::Stored { handle, client }, Some(_)) =
        (&next.outcome, site.provider.interactions_by_client())
    {
        site.cookies.set_interaction(call.now, (client.as_str(), handle), sent, answer.headers_mut());
    }
    if let Some(sessions) = &next.sessions {
        site.cookies.set_sessions(sessions, answer.headers_mut());
    }
    if let Some(browser) = &next.browser {
        site.cookies.set_browser(browser, answer.headers_mut());
    }
    if let Some(devices) = &next.devices {
        site.cookies.set_devices(devices, answer.headers_mut());
    }
    if let Some(state) = &next.browser_state
        && call.browser_state.as_deref() != Some(state.as_str())
    {
        site.cookies.set_state(state, answer.headers_mut());
    }
}

fn respond(site: &Site, call: &Call, response: &AuthorizationResponse) -> HttpResponse {
    match authorization_response(response) {
        Encoded::Redirect(address) => see_other(&address),
        Encoded::FormPost(form) => {
            site.page(call, StatusCode::OK, Content::FormPost(&form), Form::SubmitsItself)
        }
        Encoded::WebMessage(message) => {
            site.page(call, StatusCode::OK, Content::WebMessage(&message), Form::Continues)
        }
    }
}

fn view_page(site: &Site, call: &Call, view: &View) -> HttpResponse {
    match view {
        View::Accounts(view) => form_page(site, call, Content::Accounts(view, &site.markup(&view.form))),
        View::Approvals(view) => {
            // Whoever is not asked learns as little as from a page that does not exist.
            let is_unknown = view.problem == Some(ApprovalProblem::Unknown);
            let status = if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::OK };
            let list = site.address_of_approvals(None);
            site.page(call, status, Content::Approvals(view, &list), Form::None)
        }
        View::ApprovalDone(view) => {
            let list = site.address_of_approvals(None);
            site.page(call, StatusCode::OK, Content::ApprovalDone(view, &list), Form::None)
        }
        View::Approve(view) => form_page(site, call, Content::Approve(view, &site.markup(&view.form))),
        View::ChangePassword(view) => {
            form_page(site, call, Content::ChangePassword(view, &account_markup(site, &view.fields)))
        }
        View::ConfirmDevice(view) => {
            form_page(site, call, Content::ConfirmDevice(view, &site.markup(&view.form)))
        }
        View::ConfirmEnd(view) => {
            form_page(site, call, Content::ConfirmEnd(view, &account_markup(site, &view.fields)))
        }
        View::Consent(view) => form_page(site, call, Content::Consent(view, &site.markup(&view.form))),
        View::Custom(view) => form_page(site, call, Content::Custom(view, &site.markup(&view.form))),
        View::Login(view) => form_page(site, call, Content::Login(view, &site.markup(&view.form))),
        View::SignUp(view) => form_page(site, call, Content::SignUp(view, &site.markup(&view.form))),
        View::LogoutConfirm(view) => {
            let markup = logout_markup(site, &view.fields);
            form_page(site, call, Content::LogoutConfirm(view, &markup))
        }
        View::LogoutDone(view) => {
            let markup = logout_markup(site, &view.again);
            site.page(call, StatusCode::OK, Content::LogoutDone(view, &markup), Form::None)
        }
        View::LogoutFrames(view) => {
            let next = view.next.as_ref().map(post_logout_address);
            let form = if next.is_some() { Form::Continues } else { Form::None };
            let markup = logout_markup(site, &view.done.again);
            site.page(call, StatusCode::OK, Content::LogoutFrames(view, next.as_deref(), &markup), form)
        }
        View::OwnAccount(view) => site.page(call, StatusCode::OK, Content::OwnAccount(view), Form::None),
        View::DeviceDone(view) => site.page(call, StatusCode::OK, Content::DeviceDone(view), Form::None),
        View::UserCode(view) => {
            let markup = FormMarkup::new(site.address(Route::at(Endpoint::UserCode)), &view.fields);
            form_page(site, call, Content::UserCode(view, &markup))
        }
        View::SignedIn(view) => {
            let endpoint = site.address(Route::at(Endpoint::Authorization));
            let restart = view.restart.as_ref().map(|query| format!("{endpoint}?{query}"));
            let restart =
                restart.as_deref().filter(|address| address.len() <= URL_LIMIT).map_or(Retry::No, Retry::At);
            site.page(call, StatusCode::OK, Content::SignedIn(view, restart), Form::None)
        }
    }
}

fn form_page(site: &Site, call: &Call, content: Content<'_>) -> HttpResponse {
    let problem = match content {
        Content::Login(LoginView { problem, .. }, _) => *problem,
        Content::SignUp(SignUpView { problem: Some(SignUpProblem::NotLookedAt(problem)), .. }, _) => {
            Some(*problem)
        }
        Content::ChangePassword(
            ChangePasswordView { problem: Some(PasswordProblem::NotLookedAt(problem)), .. },
            _,
        ) => Some(*problem),
        // A wait is told as a login's is.
        Content::UserCode(UserCodeView { problem: Some(UserCodeProblem::Throttled(wait)), .. }, _) => {
            Some(LoginProblem::Throttled(*wait))
        }
        _ => None,
    };
    // RFC 6585 section 4, RFC 9110 sections 15.6.4 and 10.2.3.
    let (status, wait) = match problem {
        Some(LoginProblem::Throttled(wait)) => (StatusCode::TOO_MANY_REQUESTS, Some(wait)),
        Some(LoginProblem::Busy) => (StatusCode::SERVICE_UNAVAILABLE, Some(BUSY_RETRY_AFTER)),
        _ => (StatusCode::OK, None),
    };
    let mut answer = site.page(call, status, content, Form::Pressed);
    if let Some(wait) = wait {
        retry_after(&mut answer, wait);
    }
    answer
}

/// Every form of the logout pages is posted to the same address.
fn logout_markup(site: &Site, fields: &[(&'static str, String)]) -> FormMarkup {
    FormMarkup::new(site.address(Route::at(Endpoint::LogoutConfirmation)), fields)
}

/// Every form of the account pages is posted to the first of them.
fn account_markup(site: &Site, fields: &[(&'static str, String)]) -> FormMarkup {
    FormMarkup::new(site.address_of_account(""), fields)
}
