//! What a template sees: the views as plain values, with words for scopes and claims.

use chancery_core::interaction::view::{
    AccountView, AccountsView, ClientView, ConsentView, LoginProblem, LoginView, LogoutConfirmView,
    LogoutDoneView, LogoutFramesView, ResourceView, SharedClaim, SignUpProblem, SignUpView, SignedInView,
    Wait,
};
use chancery_core::policy::{DetailMember, DetailText, DetailValue, DetailView};
use chancery_core::ports::SignUpRefusal;
use chancery_http::{CONTINUE, Content, FormMarkup, Retry, SEND_MESSAGE, SUBMIT};
use minijinja::value::{Kwargs, Value};
use minijinja::{Error, context};

use crate::brand::fingerprint;
use crate::messages::Messages;

mod approvals;
mod device;
mod error;
mod own_account;
mod front_page;

/// The template file of a page; empty if it has none yet, and then the plain page is shown.
pub(crate) fn template(content: Content<'_>) -> &'static str {
    match content {
        Content::Accounts(..) => "accounts.html",
        Content::ApprovalDone(..) => "approval_done.html",
        Content::Approvals(..) => "approvals.html",
        Content::Approve(..) => "approve.html",
        Content::ChangePassword(..) => "change_password.html",
        Content::ConfirmDevice(..) => "confirm_device.html",
        Content::ConfirmEnd(..) => "confirm_end.html",
        Content::Consent(..) => "consent.html",
        Content::DeviceDone(_) => "device_done.html",
        Content::Error(..) => "error.html",
        Content::FormPost(_) => "form_post.html",
        Content::Login(view, _) if view.again.is_some() => "login_again.html",
        Content::FrontPage(_) => "front_page.html",
        Content::Login(..) => "login.html",
        Content::LogoutConfirm(..) => "logout_confirm.html",
        Content::LogoutDone(..) => "logout_done.html",
        Content::LogoutFrames(..) => "logout_frames.html",
        Content::NotFound => "not_found.html",
        Content::OwnAccount(_) => "account.html",
        Content::Repost(_) => "repost.html",
        Content::SignUp(..) => "sign_up.html",
        Content::SignedIn(..) => "signed_in.html",
        Content::UserCode(..) => "user_code.html",
        Content::WebMessage(_) => "web_message.html",
        _ => "",
    }
}

/// The client that a page is about.
pub(crate) fn client_of(content: Content<'_>) -> Option<&ClientView> {
    match content {
        Content::Accounts(view, _) => Some(&view.client),
        Content::ApprovalDone(view, _) => Some(&view.client),
        Content::Approve(view, _) => Some(&view.client),
        Content::ConfirmDevice(view, _) => Some(&view.client),
        Content::Consent(view, _) => Some(&view.client),
        Content::DeviceDone(view) => Some(&view.client),
        Content::Login(view, _) => Some(&view.client),
        Content::LogoutConfirm(view, _) => view.client.as_ref().filter(|_| view.problem.is_none()),
        Content::LogoutDone(view, _) => view.client.as_ref(),
        // A page that goes on waits for everything in it, and should not for a picture.
        Content::LogoutFrames(view, next, _) => view.done.client.as_ref().filter(|_| next.is_none()),
        Content::SignUp(view, _) => Some(&view.client),
        Content::SignedIn(view, _) => view.client.as_ref(),
        _ => None,
    }
}

/// The values of a page's template, in addition to those that every page has.
pub(crate) fn values(content: Content<'_>, messages: &Messages) -> Result<Value, Error> {
    Ok(match content {
        Content::Accounts(view, markup) => accounts(view, markup),
        Content::ApprovalDone(view, list) => approvals::done(view, list),
        Content::Approvals(view, list) => approvals::list(view, list, messages)?,
        Content::Approve(view, markup) => approvals::approve(view, markup, messages)?,
        Content::ChangePassword(view, markup) => own_account::change_password(view, markup, messages)?,
        Content::ConfirmEnd(view, markup) => own_account::confirm(view, markup, messages)?,
        Content::OwnAccount(view) => own_account::overview(view, messages)?,
        Content::ConfirmDevice(view, markup) => device::confirm(view, markup, messages)?,
        Content::Consent(view, markup) => consent(view, markup, messages)?,
        Content::DeviceDone(view) => device::done(view),
        Content::Error(view, retry) => error::page(view, retry),
        Content::FormPost(markup) => context! { page => "form_post", form => form(markup), submit => SUBMIT },
        Content::FrontPage(view) => front_page::front_page(view),
        Content::Login(view, markup) => login(view, markup, messages)?,
        Content::LogoutConfirm(view, markup) => logout_confirm(view, markup),
        Content::LogoutDone(view, markup) => logout_done(view, markup),
        Content::LogoutFrames(view, next, markup) => logout_frames(view, next, markup),
        Content::NotFound => context! { page => "not-found" },
        Content::Repost(markup) => context! { page => "repost", form => form(markup), submit => SUBMIT },
        Content::SignUp(view, markup) => sign_up(view, markup, messages)?,
        Content::SignedIn(view, restart) => signed_in(view, restart),
        Content::UserCode(view, markup) => device::user_code(view, markup, messages)?,
        Content::WebMessage(message) => context! {
            page => "web_message",
            json => message.json.as_str(),
            origin => message.origin.as_str(),
            send => SEND_MESSAGE,
        },
        _ => context! {},
    })
}

fn accounts(view: &AccountsView, markup: &FormMarkup) -> Value {
    context! {
        page => "accounts",
        problem => view.form.not_looked_at.map(not_looked_at),
        client => client(&view.client),
        form => form(markup),
        accounts => view.accounts.iter().map(account).collect::<Vec<_>>(),
        expects_another => view.expects_another,
        choice_has_ended => view.choice_has_ended,
    }
}

fn consent(view: &ConsentView, markup: &FormMarkup, messages: &Messages) -> Result<Value, Error> {
    let origin = view.form.target.as_ref().and_then(|target| target.origin());
    let site = origin.as_deref().and_then(|origin| origin.split_once("://"));
    Ok(context! {
        page => "consent",
        problem => view.form.not_looked_at.map(not_looked_at),
        client => client(&view.client),
        account => account(&view.account),
        form => form(markup),
        wishes => wishes(&view.scopes, &view.claims, (&view.shared, &view.unknown), messages)?,
        resources => resources(&view.resources, messages)?,
        details => details(&view.details, messages)?,
        site => site.map(|(_, host)| host),
        is_for_device => view.form.target.is_none(),
        account_page => view.account_page.as_deref(),
    })
}

/// The resource servers, with what is asked for there.
fn resources(resources: &[ResourceView], messages: &Messages) -> Result<Vec<Value>, Error> {
    resources.iter().map(|at| resource(at, messages)).collect()
}

fn resource(at: &ResourceView, messages: &Messages) -> Result<Value, Error> {
    let wishes = wishes(&at.scopes, &[], (&[], &[]), messages)?;
    Ok(context! { uri => at.uri.as_str(), name => at.name.as_deref(), wishes })
}

/// The authorization details (RFC 9396 section 3.1), each with a title and a list of facts.
fn details(details: &[DetailView], messages: &Messages) -> Result<Vec<Value>, Error> {
    let none = || Kwargs::from_iter(std::iter::empty::<(&str, Value)>());
    let fact = |value: &DetailValue| match value {
        DetailValue::Text(text) => Ok(Value::from(text.as_str())),
        DetailValue::Flag(true) => messages.sentence("consent.detail.yes", &none()),
        DetailValue::Flag(false) => messages.sentence("consent.detail.no", &none()),
        DetailValue::Nothing | _ => messages.sentence("consent.detail.nothing", &none()),
    };
    let mut all = Vec::with_capacity(details.len());
    for detail in details {
        let DetailText { title, members } = detail.text(messages.language());
        let mut facts = Vec::with_capacity(members.len());
        for DetailMember { label, values } in members {
            let values = values.iter().map(fact).collect::<Result<Vec<_>, _>>()?;
            facts.push(context! { label, values });
        }
        all.push(context! { title, facts });
    }
    Ok(all)
}

/// The list of requested scopes and claims, each with what the client gets to know by it, or that nothing is known.
fn wishes(
    scopes: &[String],
    claims: &[String],
    (shared, unknown): (&[SharedClaim], &[String]),
    messages: &Messages,
) -> Result<Vec<Value>, Error> {
    let by_scope =
        |scope: &str| shared.iter().filter(move |claim| claim.scope.as_deref() == Some(scope)).collect();
    let by_itself = |name: &str| {
        shared.iter().filter(move |claim| claim.scope.is_none() && claim.claim == name).collect()
    };
    let known = |name: &String, shared| if unknown.contains(name) { None } else { Some(shared) };
    let scopes = scopes.iter().map(|name| wish("scope", name, known(name, by_scope(name)), messages));
    let claims = claims.iter().map(|name| wish("claim", name, known(name, by_itself(name)), messages));
    scopes.chain(claims).collect()
}

/// One line of the list, where nothing is known without anything that is shared. A scope or claim without a sentence is
/// shown as the client wrote it.
fn wish(
    kind: &str,
    name: &str,
    shared: Option<Vec<&SharedClaim>>,
    messages: &Messages,
) -> Result<Value, Error> {
    let id = format!("{kind}.{name}");
    let text = if messages.has(&id) && id != "scope.unknown" {
        plain(&id, messages)?
    } else {
        let code = Value::from_safe_string(format!("<code>{}</code>", chancery_http::Html::escape(name)));
        messages.sentence("scope.unknown", &Kwargs::from_iter([("scope", code)]))?
    };
    let described = format!("{id}.description");
    let description = if messages.has(&described) { Some(plain(&described, messages)?) } else { None };
    let is_unknown = shared.is_none();
    let shared = shared.unwrap_or_default();
    let several = shared.len() > 1;
    let mut values = Vec::with_capacity(shared.len());
    for SharedClaim { claim, value, .. } in shared {
        // A time that machines compare tells a person nothing.
        let said = match claim.as_str() {
            "updated_at" => None,
            "locale" => language(value, messages)?,
            _ => said(value, messages)?,
        };
        let Some(said) = said else { continue };
        let id = format!("label.{claim}");
        let label = match several {
            false => None,
            true if messages.has(&id) => Some(plain(&id, messages)?),
            true => Some(Value::from(claim.as_str())),
        };
        values.push(context! { label, value => said });
    }
    Ok(context! { text, description, values, is_unknown, icon => icon(name) })
}

/// The name of a language (OIDC Core section 5.1), and beside it the tag as it is shared, if that says more. One that has no
/// name is its tag.
fn language(tag: &serde_json::Value, messages: &Messages) -> Result<Option<Value>, Error> {
    let primary =
        tag.as_str().and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default().to_lowercase();
    let said = said(tag, messages)?;
    let Some(name) = messages.text(&format!("locale.{primary}")) else { return Ok(said) };
    Ok(said.map(|tag| match tag.as_str() == Some(&*primary) {
        true => Value::from(name),
        false => Value::from(format!("{name} ({tag})")),
    }))
}

/// A sentence without arguments.
fn plain(id: &str, messages: &Messages) -> Result<Value, Error> {
    messages.sentence(id, &Kwargs::from_iter(std::iter::empty::<(&str, Value)>()))
}

/// The most characters of a value: what a person sees of themselves is short, but for an address.
const LONGEST: usize = 160;

/// What a claim says, as a person reads it. An address is one of its lines (OIDC Core section 5.1.1); of what else has
/// members they see no more than that it is there.
fn said(value: &serde_json::Value, messages: &Messages) -> Result<Option<Value>, Error> {
    let short = |text: &str| Value::from(text.chars().take(LONGEST).collect::<String>());
    Ok(match value {
        serde_json::Value::String(text) => Some(short(text)),
        serde_json::Value::Bool(true) => Some(plain("consent.detail.yes", messages)?),
        serde_json::Value::Bool(false) => Some(plain("consent.detail.no", messages)?),
        serde_json::Value::Number(number) => Some(short(&number.to_string())),
        serde_json::Value::Object(members) => {
            let line = |name| members.get(name).and_then(serde_json::Value::as_str);
            let parts = ["street_address", "postal_code", "locality", "region", "country"];
            let parts: Vec<&str> = parts.into_iter().filter_map(line).collect();
            let whole = line("formatted").map_or_else(|| parts.join(", "), str::to_owned);
            (!whole.is_empty()).then(|| short(&whole))
        }
        _ => None,
    })
}

fn icon(name: &str) -> &'static str {
    match name {
        "openid" | "preferred_username" | "nickname" => "person",
        "email" | "email_verified" => "mail",
        "address" => "home",
        "phone" | "phone_number" | "phone_number_verified" => "phone",
        "offline_access" | "updated_at" | "zoneinfo" => "clock",
        "profile" | "name" | "given_name" | "family_name" | "middle_name" | "picture" | "gender"
        | "birthdate" | "locale" | "website" => "card",
        _ => "key",
    }
}

fn logout_confirm(view: &LogoutConfirmView, markup: &FormMarkup) -> Value {
    context! {
        page => "logout-confirm",
        // Who is doubtful does not lend the page a name.
        client => view.client.as_ref().filter(|_| view.problem.is_none()).map(client),
        form => form(markup),
        account => account(&view.account),
        others => view.others.iter().map(account).collect::<Vec<_>>(),
        problem => view.problem.map(|why| context! { code => why.code.as_str(), reason => why.description }),
        unregistered => view.unregistered.as_ref().map(error::unregistered),
        is_stale => view.is_stale,
    }
}

fn logout_frames(view: &LogoutFramesView, next: Option<&str>, markup: &FormMarkup) -> Value {
    let frames: Vec<String> = view.frames.iter().map(|frame| frame.as_str().to_owned()).collect();
    context! { page => "logout-frames", frames, next, go_on => CONTINUE, ..logout_done(&view.done, markup) }
}

fn logout_done(view: &LogoutDoneView, markup: &FormMarkup) -> Value {
    let accounts = |all: &[AccountView]| all.iter().map(account).collect::<Vec<_>>();
    context! {
        page => "logout-done",
        form => (!view.again.is_empty()).then(|| form(markup)),
        signed_out => accounts(&view.signed_out),
        others => accounts(&view.others),
        client => view.client.as_ref().map(client),
        was_signed_in => view.was_signed_in,
        is_still_signed_in => view.is_still_signed_in,
        way_on => view.client.as_ref().and_then(ClientView::way_on_signed_out),
    }
}

fn login(view: &LoginView, markup: &FormMarkup, messages: &Messages) -> Result<Value, Error> {
    let problem = view.problem.map(name_of);
    let wait = match view.problem {
        Some(LoginProblem::Throttled(time)) => Some(wait(Wait::told(time), messages)?),
        _ => None,
    };
    Ok(context! {
        page => "login",
        again => view.again.as_ref().map(account),
        client => client(&view.client),
        form => form(markup),
        username => view.username.as_deref().unwrap_or(""),
        problem,
        wait,
        offers_sign_up => view.offers_sign_up,
    })
}

fn name_of(problem: LoginProblem) -> &'static str {
    match problem {
        LoginProblem::Refused => "refused",
        LoginProblem::Throttled(_) => "throttled",
        LoginProblem::Busy => "busy",
        LoginProblem::Stale => "stale",
        LoginProblem::NoCookies => "no_cookies",
        // What has no words of its own yet is a login that did not succeed.
        _ => "refused",
    }
}

/// Why nobody has looked at what was answered.
fn not_looked_at(why: LoginProblem) -> &'static str {
    match why {
        LoginProblem::NoCookies => "no_cookies",
        _ => "stale",
    }
}

fn sign_up(view: &SignUpView, markup: &FormMarkup, messages: &Messages) -> Result<Value, Error> {
    let wait = match view.problem {
        Some(SignUpProblem::NotLookedAt(LoginProblem::Throttled(time))) => {
            Some(wait(Wait::told(time), messages)?)
        }
        _ => None,
    };
    let refused = match view.problem {
        Some(SignUpProblem::Refused(why)) => Some(why),
        _ => None,
    };
    let problem = view.problem.map(|problem| match problem {
        // What has no words of its own yet is a name that nobody can have.
        SignUpProblem::Refused(why) if !messages.has(&format!("sign_up.problem.{}", why.as_str())) => {
            "name_unacceptable"
        }
        problem => problem.as_str(),
    });
    let shortest = match refused {
        Some(SignUpRefusal::PasswordTooShort(shortest)) => shortest,
        _ => 0,
    };
    Ok(context! {
        page => "sign-up",
        client => client(&view.client),
        form => form(markup),
        username => view.username.as_deref().unwrap_or(""),
        problem,
        wait,
        shortest,
        shortest_password => view.shortest_password,
        is_refused => refused.is_some(),
        is_of_name => refused.is_some_and(|why| why.is_of_name()),
    })
}

/// The waiting time in words.
fn wait(wait: Wait, messages: &Messages) -> Result<Value, Error> {
    let (id, count) = match wait {
        Wait::Seconds(1) => ("wait.second", 0),
        Wait::Seconds(count) => ("wait.seconds", count),
        Wait::Minutes(count) => ("wait.minutes", count),
    };
    let count = (count > 0).then_some(("count", Value::from(count)));
    messages.sentence(id, &Kwargs::from_iter(count))
}

fn signed_in(view: &SignedInView, restart: Retry<'_>) -> Value {
    let restart = match restart {
        Retry::At(address) => Some(address),
        Retry::No => None,
    };
    context! {
        page => "signed-in",
        client => view.client.as_ref().map(client),
        is_answered => view.is_answered,
        way_on => view.client.as_ref().and_then(ClientView::way_on),
        restart,
    }
}

/// How many colours the style sheet has for clients.
const HUES: u64 = 12;

pub(crate) fn client(view: &ClientView) -> Value {
    context! {
        name => view.name.as_str(),
        initial => initial(&view.name),
        hue => fingerprint(view.id.as_bytes()) % HUES,
        client_uri => view.client_uri.as_deref(),
        policy_uri => view.policy_uri.as_deref(),
        tos_uri => view.tos_uri.as_deref(),
    }
}

/// A person in two lines: how they are called, and by what they tell this account from others of theirs.
fn account(view: &AccountView) -> Value {
    let label = view.name.as_deref().unwrap_or(&view.label);
    let detail = view.email.as_deref().unwrap_or(&view.label);
    let detail = Some(detail).filter(|detail| *detail != label);
    context! {
        choice => view.choice.as_str(),
        label,
        detail,
        initial => initial(label),
        is_expected => view.is_expected,
    }
}

/// The letter that stands for a name.
fn initial(name: &str) -> String {
    let letter = name.chars().find(|c| c.is_alphanumeric()).or(name.chars().next());
    letter.map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

pub(crate) fn form(markup: &FormMarkup) -> Value {
    let field =
        |(name, value): &(String, String)| context! { name => name.as_str(), value => value.as_str() };
    context! { action => markup.action.as_str(), fields => markup.fields.iter().map(field).collect::<Vec<_>>() }
}
