//! What pages on another origin are told: the views of the built-in pages as JSON, or where the browser goes.

use chancery_core::error::Fault;
use chancery_core::interaction::Outcome;
use chancery_core::interaction::view::{
    AccountView, ClientView, FormView, LoginProblem, ResourceView, SharedClaim, SignUpProblem, View,
};
use chancery_core::offered::Endpoint;
use chancery_core::policy::{DetailMember, DetailText, DetailValue, DetailView};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::encode::{
    BUSY_RETRY_AFTER, Encoded, HttpResponse, authorization_response, error_body, json as json_answer,
    post_logout_address, retry_after,
};
use crate::form::URL_LIMIT;
use crate::locale;
use crate::pages::MessageMarkup;
use crate::route::Route;
use crate::site::Site;

/// The answer to what the pages have asked or sent.
pub(crate) fn view_json(site: &Site, outcome: &Outcome) -> HttpResponse {
    let body = match outcome {
        Outcome::Page(view) => return view_answer(site, view),
        Outcome::Stored { handle, client } => {
            json!({"redirect_to": site.address_of_stored(handle, client)})
        }
        Outcome::Account(reference) => json!({"redirect_to": site.address_of_account(reference)}),
        Outcome::Sealed(text) => json!({"redirect_to": site.address_of_pages(text)}),
        Outcome::Approvals(link) => json!({"redirect_to": site.address_of_approvals(link.as_deref())}),
        Outcome::Leave(target) => json!({"redirect_to": post_logout_address(target)}),
        Outcome::Respond(response) => match authorization_response(response) {
            Encoded::Redirect(address) => json!({"redirect_to": address}),
            Encoded::FormPost(form) => {
                json!({"form_post": {"action": form.action, "fields": object(form.fields)}})
            }
            // Sent by the pages themselves, so that the client hears it from their origin.
            Encoded::WebMessage(MessageMarkup { origin, json }) => {
                let message: Value = serde_json::from_str(&json).unwrap_or_default();
                json!({"web_message": {"origin": origin, "message": message}})
            }
        },
    };
    json_answer(StatusCode::OK, body.to_string())
}

fn view_answer(site: &Site, view: &View) -> HttpResponse {
    let body = match view {
        View::Login(view) => {
            let wait = match view.problem {
                Some(LoginProblem::Throttled(wait)) => Some(wait),
                Some(LoginProblem::Busy) => Some(BUSY_RETRY_AFTER),
                _ => None,
            };
            let own = json!({
                "username": view.username,
                "problem": view.problem.map(problem),
                "retry_after": wait.map(|wait| wait.as_millis().div_ceil(1_000).max(1)),
                "acr_values": view.acr_values.iter().map(|acr| &*acr.0).collect::<Vec<_>>(),
                "challenge": view.challenge,
                "offers_sign_up": view.offers_sign_up,
            });
            let mut answer = json_answer(
                view.problem.map_or(StatusCode::OK, status),
                page("login", &view.client, &view.form, own).to_string(),
            );
            if let Some(wait) = wait {
                retry_after(&mut answer, wait);
            }
            return answer;
        }
        View::SignUp(view) => {
            let wait = match view.problem {
                Some(SignUpProblem::NotLookedAt(LoginProblem::Throttled(wait))) => Some(wait),
                Some(SignUpProblem::NotLookedAt(LoginProblem::Busy)) => Some(BUSY_RETRY_AFTER),
                _ => None,
            };
            let own = json!({
                "username": view.username,
                "shortest_password": view.shortest_password,
                "problem": view.problem.map(|problem| problem.as_str()),
                "retry_after": wait.map(|wait| wait.as_millis().div_ceil(1_000).max(1)),
            });
            let code = match view.problem {
                Some(SignUpProblem::NotLookedAt(problem)) => status(problem),
                _ => StatusCode::OK,
            };
            let page = page("create", &view.client, &view.form, own);
            let mut answer = json_answer(code, page.to_string());
            if let Some(wait) = wait {
                retry_after(&mut answer, wait);
            }
            return answer;
        }
        View::Accounts(view) => {
            let accounts: Vec<Value> = view.accounts.iter().map(account).collect();
            let own = json!({
                "accounts": accounts,
                "expects_another": view.expects_another,
                "choice_has_ended": view.choice_has_ended,
            });
            page("select_account", &view.client, &view.form, own)
        }
        View::Consent(view) => {
            let own = json!({
                "account": account(&view.account),
                "scopes": view.scopes,
                "claims": view.claims,
                "shared": view.shared.iter().map(shared).collect::<Vec<_>>(),
                "unknown": view.unknown,
                "resources": view.resources.iter().map(resource).collect::<Vec<_>>(),
                "details": view.details.iter().map(|detail| self::detail(detail, &view.form)).collect::<Vec<_>>(),
                "account_page": view.account_page,
            });
            page("consent", &view.client, &view.form, own)
        }
        View::Custom(view) => {
            let own = json!({
                "account": account(&view.account),
                "data": view.data,
                "problem": view.problem,
            });
            page(view.prompt.as_str(), &view.client, &view.form, own)
        }
        View::SignedIn(view) => {
            let endpoint = site.address(Route::at(Endpoint::Authorization));
            let restart = view.restart.as_ref().map(|query| format!("{endpoint}?{query}"));
            json!({"over": {
                "is_answered": view.is_answered,
                "client": view.client.as_ref().map(client),
                "way_on": view.client.as_ref().and_then(ClientView::way_on),
                "restart": restart.filter(|address| address.len() <= URL_LIMIT),
            }})
        }
        // There is no such page where the pages are on another origin.
        View::ChangePassword(_)
        | View::ConfirmEnd(_)
        | View::OwnAccount(_)
        | View::ApprovalDone(_)
        | View::Approvals(_)
        | View::Approve(_)
        | View::ConfirmDevice(_)
        | View::DeviceDone(_)
        | View::UserCode(_)
        | View::LogoutConfirm(_)
        | View::LogoutDone(_)
        | View::LogoutFrames(_) => {
            let fault = Fault::internal("a page of another flow in an interaction");
            return error_body(&fault.into(), site.provider.issuer());
        }
    };
    json_answer(StatusCode::OK, body.to_string())
}

/// What all pages have, beside what is only this one's.
fn page(prompt: &str, of: &ClientView, form: &FormView, own: Value) -> Value {
    let fields = form.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let mut page = json!({
        "prompt": prompt,
        "client": client(of),
        "target": form.target.as_ref().map(|target| target.as_str()),
        "ui_locales": locale::wishes(form.ui_locales.as_deref(), None),
        "form": object(fields.collect()),
    });
    if let (Value::Object(page), Value::Object(own)) = (&mut page, own) {
        page.extend(form.not_looked_at.map(|why| ("problem".to_owned(), problem(why).into())));
        page.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
    }
    page
}

fn object(fields: Vec<(String, String)>) -> Value {
    fields.into_iter().map(|(name, value)| (name, value.into())).collect::<Map<_, _>>().into()
}

fn client(client: &ClientView) -> Value {
    let ClientView { name, client_uri, logo_uri, policy_uri, tos_uri, .. } = client;
    json!({
        "name": name,
        "client_uri": client_uri,
        "logo_uri": logo_uri,
        "policy_uri": policy_uri,
        "tos_uri": tos_uri,
    })
}

fn account(account: &AccountView) -> Value {
    let AccountView { choice, label, name, email, is_expected } = account;
    json!({"choice": choice, "label": label, "name": name, "email": email, "is_expected": is_expected})
}

fn shared(shared: &SharedClaim) -> Value {
    let SharedClaim { claim, scope, value } = shared;
    json!({"claim": claim, "scope": scope, "value": value})
}

fn resource(resource: &ResourceView) -> Value {
    let ResourceView { uri, name, scopes } = resource;
    json!({"uri": uri.as_str(), "name": name, "scopes": scopes})
}

/// An authorization details object, and what it says to a person, in the first language that the request asks for.
fn detail(detail: &DetailView, form: &FormView) -> Value {
    let language = form.ui_locales.as_deref().and_then(|locales| locales.split(' ').next()).unwrap_or("en");
    let DetailText { title, members } = detail.text(language);
    let member = |DetailMember { label, values }: &DetailMember| {
        let values: Vec<Value> = values.iter().map(value).collect();
        json!({"label": label, "values": values})
    };
    let members: Vec<Value> = members.iter().map(member).collect();
    json!({"detail": detail.detail(), "title": title, "members": members})
}

fn value(value: &DetailValue) -> Value {
    match value {
        DetailValue::Text(text) => text.as_str().into(),
        DetailValue::Flag(flag) => (*flag).into(),
        DetailValue::Nothing | _ => Value::Null,
    }
}

fn problem(problem: LoginProblem) -> &'static str {
    match problem {
        LoginProblem::Refused => "refused",
        LoginProblem::Throttled(_) => "throttled",
        LoginProblem::Busy => "busy",
        LoginProblem::Stale => "stale",
        // What a later version knows besides.
        LoginProblem::NoCookies | _ => "no_cookies",
    }
}

/// The status of the same page of ours.
fn status(problem: LoginProblem) -> StatusCode {
    match problem {
        LoginProblem::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
        LoginProblem::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    }
}
