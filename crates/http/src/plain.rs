//! Pages without a design, for tests: correct HTML in English. People get those of the crate `chancery-pages`.

use std::fmt::Write as _;
use std::time::Duration;

use chancery_core::interaction::view::{
    AccountView, AccountsView, ClientView, ConsentView, CustomView, FormView, LoginProblem, LoginView,
    LogoutConfirmView, LogoutDoneView, LogoutFramesView, ResourceView, SignUpProblem, SignUpView,
    SignedInView, Wait,
};
use chancery_core::policy::{DetailMember, DetailText, DetailValue};
use chancery_core::ports::SignUpRefusal;

use crate::pages::{
    Content, FormMarkup, FrontPageView, Html, MessageMarkup, Page, Pages, Retry, TrialClients,
};
use crate::{Locale, pages};

mod approvals;
mod device;
mod error;
mod own_account;

/// Legible at any width, in the light and in the dark, in the colours of the system.
const STYLE: &str = ":root{color-scheme:light dark}\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem}\
    main{overflow-wrap:anywhere}\
    h1{font-size:1.625rem;line-height:1.25}h2{font-size:1.0625rem;margin:2rem 0 .5rem}\
    ul{padding:0;list-style:none}li,section{padding:.75rem 0;border-top:1px solid #8888}\
    input:not([type=checkbox],[type=hidden]){box-sizing:border-box;width:100%;padding:.625rem;font:inherit}\
    button{padding:.625rem 1rem;font:inherit}";

/// Pages for tests, and where a design has no page of its own: correct and accessible, in English.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainPages;

impl Pages for PlainPages {
    fn page(&self, page: Page<'_>, _locale: &Locale) -> Html {
        let (name, title, body) = match page.content {
            Content::Accounts(view, form) => ("accounts", "Choose an account", accounts(view, form)),
            Content::ApprovalDone(view, list) => {
                ("approval-done", approvals::done_title(view), approvals::done(view, list))
            }
            Content::Approvals(view, list) => {
                ("approvals", approvals::title(view), approvals::list(view, list))
            }
            Content::Approve(view, form) => ("approve", "Do you want this?", approvals::approve(view, form)),
            Content::ChangePassword(view, form) => {
                ("change-password", "Change the password", own_account::change_password(view, form))
            }
            Content::ConfirmEnd(view, form) => {
                ("confirm-end", own_account::confirm_title(view), own_account::confirm(view, form))
            }
            Content::OwnAccount(view) => ("account", "Your account", own_account::overview(view)),
            Content::ConfirmDevice(view, form) => {
                ("confirm-device", "Is this your device?", device::confirm(view, form))
            }
            Content::DeviceDone(view) => ("device-done", device::done_title(view), device::done(view)),
            Content::UserCode(view, form) => ("user-code", "Connect a device", device::user_code(view, form)),
            Content::Consent(view, form) => ("consent", "Allow access", consent(view, form)),
            Content::Custom(view, form) => ("custom", "One more step", custom(view, form)),
            Content::Error(view, retry) => ("error", "Authorization error", error::page(view, retry)),
            Content::FrontPage(view) => ("front-page", "Sign-in service", front_page(view)),
            Content::NotFound => ("not-found", "There is no page here", NOT_FOUND.to_owned()),
            Content::FormPost(form) => ("form_post", "Continue", submitting(form, page.nonce)),
            Content::Login(view, form) => ("login", "Sign in", login(view, form)),
            Content::LogoutConfirm(view, form) => ("logout-confirm", "Sign out?", logout_confirm(view, form)),
            Content::LogoutDone(view, form) => ("logout-done", logout_title(view), logout_done(view, form)),
            Content::LogoutFrames(view, next, form) => {
                ("logout-frames", "Signed out", logout_frames(view, (next, form), page.nonce))
            }
            Content::Repost(form) => ("repost", "Continue", submitting(form, page.nonce)),
            Content::WebMessage(message) => ("web_message", "One moment", sending(message, page.nonce)),
            Content::SignUp(view, form) => ("sign-up", "Create an account", sign_up(view, form)),
            Content::SignedIn(view, restart) => {
                ("signed-in", "Nothing left to do here", signed_in(view, restart))
            }
        };
        Html::new(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <style nonce=\"{}\">{STYLE}</style></head>\
             <body><main data-page=\"{name}\"><h1>{title}</h1>{body}</main></body></html>\n",
            Html::escape(page.nonce)
        ))
    }
}

const NOT_FOUND: &str = "<p>The address may be mistyped, or belong to a step that is over. \
    Go back to the application and start again.</p>";

fn login(view: &LoginView, form: &FormMarkup) -> String {
    let problem = view.problem.map(said);
    let alert = alert(problem.as_deref());
    let described = if problem.is_none() { "" } else { " aria-describedby=\"problem\"" };
    let username = Html::escape(view.username.as_deref().unwrap_or(""));
    let sign_up = if view.offers_sign_up {
        button("action", "create", "Create an account", " formnovalidate")
    } else {
        String::new()
    };
    let fields = format!(
        "{}{alert}<p><label>Username<br><input name=\"username\" autocomplete=\"username\" required \
         autocapitalize=\"none\" value=\"{username}\"{described}></label></p>\
         <p><label>Password<br><input type=\"password\" name=\"password\" required \
         autocomplete=\"current-password\"{described}></label></p>{}{}{}{}",
        continuing_to(&view.client),
        button("action", "login", "Sign in", ""),
        sign_up,
        button("action", "cancel", "Cancel", " formnovalidate"),
        documents(&view.client)
    );
    in_form(form, &fields)
}

fn front_page(view: &FrontPageView) -> String {
    let [metadata, keys] = [&view.metadata, &view.keys].map(|address| Html::escape(address));
    let trial = view.trial.as_ref().map_or_else(String::new, |clients| {
        let TrialClients { public, confidential, machine, secret, machine_secret, username, .. } = clients;
        let [public, confidential, machine, secret, machine_secret, username] =
            [public, confidential, machine, secret, machine_secret, username].map(|text| Html::escape(text));
        format!(
            "<h2>Connect your own application</h2><p>Clients: <code>{public}</code> without a secret; \
             <code>{confidential}</code> with the secret <code>{secret}</code>; <code>{machine}</code> with the secret \
             <code>{machine_secret}</code>. \
             Sign in as <code>{username}</code>.</p>"
        )
    });
    format!(
        "<p>This is the sign-in service {}. Open the application that you want to use.</p>{trial}\
         <p><a href=\"{metadata}\">Metadata</a> <a href=\"{keys}\">Keys</a></p>",
        Html::escape(&view.issuer)
    )
}

/// A time that somebody waits or waited, as [`Wait::told`] rounds it.
fn wait(time: Duration) -> String {
    match Wait::told(time) {
        Wait::Seconds(1) => "1 second".to_owned(),
        Wait::Seconds(seconds) => format!("{seconds} seconds"),
        Wait::Minutes(minutes) => format!("{minutes} minutes"),
    }
}

/// What a login page says of a problem.
fn said(problem: LoginProblem) -> String {
    match problem {
        LoginProblem::Refused => "The name or the password is wrong.".into(),
        LoginProblem::Throttled(time) => {
            format!("Too many attempts. Wait {} and try again.", wait(time))
        }
        LoginProblem::Busy => "Too many people are signing in at this moment. Try again.".into(),
        LoginProblem::Stale => "This page was open too long or in another browser. Sign in once more.".into(),
        LoginProblem::NoCookies => {
            "Your browser did not send our cookie. Allow cookies for this site and try again.".into()
        }
        // What has no words of its own yet is a login that did not succeed.
        _ => "You are not signed in. Try again.".into(),
    }
}

/// What a page says that comes again because nobody has looked at its form.
fn once_more(form: &FormView) -> String {
    let said = form.not_looked_at.map(|why| match why {
        LoginProblem::NoCookies => said(why),
        _ => "This page was open too long, or something has changed. Look at it once more.".to_owned(),
    });
    alert(said.as_deref())
}

fn alert(problem: Option<&str>) -> String {
    problem.map_or_else(String::new, |problem| format!("<p role=\"alert\" id=\"problem\">{problem}</p>"))
}

fn sign_up(view: &SignUpView, form: &FormMarkup) -> String {
    let problem = view.problem.map(|problem| match problem {
        SignUpProblem::NotLookedAt(LoginProblem::Stale | LoginProblem::Refused) => {
            "This page was open too long or in another browser. Try again.".to_owned()
        }
        SignUpProblem::NotLookedAt(problem) => said(problem),
        SignUpProblem::Refused(why) => match why {
            SignUpRefusal::NameTaken => "This name is taken. Choose another one.".to_owned(),
            SignUpRefusal::PasswordTooShort(shortest) => {
                format!("The password must have at least {shortest} characters.")
            }
            SignUpRefusal::PasswordTooCommon => "This password is too easy to guess.".to_owned(),
            SignUpRefusal::PasswordIsName => "The password must not be the name.".to_owned(),
            SignUpRefusal::PasswordUnacceptable => {
                "The password has characters that cannot be typed everywhere.".to_owned()
            }
            // What has no words of its own yet is a name that nobody can have.
            _ => "This name cannot be used.".to_owned(),
        },
    });
    let alert = alert(problem.as_deref());
    let described = if problem.is_none() { "" } else { " aria-describedby=\"problem\"" };
    let (rule, told) = match (view.shortest_password, &problem) {
        (Some(shortest), Some(_)) => {
            (said_of_password(shortest), " aria-describedby=\"password-rule problem\"")
        }
        (Some(shortest), None) => (said_of_password(shortest), " aria-describedby=\"password-rule\""),
        (None, _) => (String::new(), described),
    };
    let username = Html::escape(view.username.as_deref().unwrap_or(""));
    let fields = format!(
        "{}{alert}<p><label>Username<br><input name=\"username\" autocomplete=\"username\" required \
         autocapitalize=\"none\" value=\"{username}\"{described}></label></p>\
         <p><label>Password<br><input type=\"password\" name=\"password\" required \
         autocomplete=\"new-password\"{told}></label>{rule}</p>{}{}{}{}",
        continuing_to(&view.client),
        button("action", "create", "Create an account", ""),
        button("action", "login", "I have an account", " formnovalidate"),
        button("action", "cancel", "Cancel", " formnovalidate"),
        documents(&view.client)
    );
    in_form(form, &fields)
}

fn said_of_password(shortest: usize) -> String {
    format!("<br><small id=\"password-rule\">At least {shortest} characters</small>")
}

fn consent(view: &ConsentView, form: &FormMarkup) -> String {
    let mut list = String::new();
    for wish in view.scopes.iter().chain(&view.claims) {
        let _ = write!(list, "<li><code>{}</code></li>", Html::escape(wish));
    }
    let resources: String = view.resources.iter().map(resource).collect();
    let details: String = view.details.iter().map(|detail| self::detail(&detail.text("en"))).collect();
    let fields = format!(
        "{}<p><strong>{}</strong> asks for access to the account <strong>{}</strong>:</p><ul>{list}</ul>{resources}{details}{}{}{}{}",
        once_more(&view.form),
        Html::escape(&view.client.name),
        Html::escape(&view.account.label),
        view.account_page.as_deref().map_or_else(String::new, withdrawable),
        documents(&view.client),
        button("action", "allow", "Allow", ""),
        button("action", "deny", "Deny", "")
    );
    in_form(form, &fields)
}

/// Where the person can withdraw what they allow.
fn withdrawable(account_page: &str) -> String {
    format!(
        "<p>You can withdraw this later in <a href=\"{}\">your account</a>.</p>",
        Html::escape(account_page)
    )
}

/// What one authorization details object asks for (RFC 9396 section 3.1).
fn detail(text: &DetailText) -> String {
    let mut list = String::new();
    for DetailMember { label, values } in &text.members {
        let values: Vec<Html> = values.iter().map(value).collect();
        let values: Vec<&str> = values.iter().map(Html::as_str).collect();
        let _ = write!(list, "<dt>{}</dt><dd>{}</dd>", Html::escape(label), values.join("<br>"));
    }
    format!("<h2>{}</h2><dl>{list}</dl>", Html::escape(&text.title))
}

fn value(value: &DetailValue) -> Html {
    Html::escape(match value {
        DetailValue::Text(text) => text,
        DetailValue::Flag(true) => "yes",
        DetailValue::Flag(false) => "no",
        // Nothing, and what a later version knows besides.
        DetailValue::Nothing | _ => "\u{2013}",
    })
}

/// What is asked for at one resource server.
fn resource(resource: &ResourceView) -> String {
    let mut list = String::new();
    for scope in &resource.scopes {
        let _ = write!(list, "<li><code>{}</code></li>", Html::escape(scope));
    }
    let name = resource.name.as_deref().map_or_else(String::new, |name| format!("{} ", Html::escape(name)));
    let uri = Html::escape(resource.uri.as_str());
    format!("<p>Access to {name}<code>{uri}</code>:</p><ul>{list}</ul>")
}

fn accounts(view: &AccountsView, form: &FormMarkup) -> String {
    let mut fields = continuing_to(&view.client) + &once_more(&view.form);
    if view.choice_has_ended {
        fields.push_str("<p role=\"alert\">That account is not signed in here any more.</p>");
    }
    if view.expects_another {
        fields.push_str("<p role=\"alert\">The application expects a person who is not signed in here.</p>");
    }
    for account in &view.accounts {
        let choice = button("account", &account.choice, &account.label, "");
        let expected = if account.is_expected { " (expected by the application)" } else { "" };
        let _ = write!(fields, "<p>{choice}{expected}</p>");
    }
    fields.push_str(&button("action", "another", "Use another account", ""));
    fields.push_str(&button("action", "cancel", "Cancel", ""));
    in_form(form, &fields)
}

fn logout_confirm(view: &LogoutConfirmView, form: &FormMarkup) -> String {
    let asked = match (&view.client, view.problem) {
        (_, Some(why)) => format!(
            "<p role=\"alert\">The application's request cannot be answered ({}), but you can sign out here.</p>",
            Html::escape(why.description)
        ),
        (Some(client), None) => {
            format!("<p><strong>{}</strong> asks to sign you out.</p>", Html::escape(&client.name))
        }
        (None, None) => String::new(),
    };
    let told = view.unregistered.as_ref().map_or(String::new(), error::unregistered);
    let stale = if view.is_stale {
        "<p role=\"alert\">This page was open too long or in another browser. Choose once more.</p>"
    } else {
        ""
    };
    let label = Html::escape(&view.account.label);
    let mut fields = format!(
        "{asked}{told}{stale}<p>You are signed in here as <strong>{label}</strong>.</p>{}",
        button("action", "logout", "Sign out", "")
    );
    if !view.others.is_empty() {
        let _ = write!(fields, "<p>Also signed in: {}.</p>", labels(&view.others));
        fields.push_str(&button("action", "logout_all", "Sign out of all accounts", ""));
    }
    fields.push_str(&button("action", "stay", "Stay signed in", ""));
    if let Some(client) = view.client.as_ref().filter(|_| view.problem.is_none()) {
        fields.push_str(&documents(client));
    }
    in_form(form, &fields)
}

fn logout_title(view: &LogoutDoneView) -> &'static str {
    match view {
        LogoutDoneView { is_still_signed_in: true, .. } => "Still signed in",
        LogoutDoneView { was_signed_in: true, .. } => "Signed out",
        LogoutDoneView { .. } => "You are not signed in",
    }
}

fn logout_done(view: &LogoutDoneView, form: &FormMarkup) -> String {
    let mut html = who_is_gone(view);
    if !view.others.is_empty() && !view.again.is_empty() {
        html.push_str(&in_form(form, &button("action", "logout_all", "Sign out of all accounts", "")));
    }
    if let Some((client, address)) =
        view.client.as_ref().and_then(|client| Some((client, client.way_on_signed_out()?)))
    {
        let (address, name) = (Html::escape(address), Html::escape(&client.name));
        let _ = write!(html, "<p><a href=\"{address}\">Go on to {name}</a></p>");
    }
    html.push_str(&view.client.as_ref().map_or_else(String::new, documents));
    html
}

/// Who is signed out, and who is not.
fn who_is_gone(view: &LogoutDoneView) -> String {
    let mut html = match view {
        LogoutDoneView { is_still_signed_in: true, .. } => "<p>You are still signed in here.</p>",
        LogoutDoneView { was_signed_in: true, .. } => "<p>You are signed out here.</p>",
        LogoutDoneView { others, .. } if others.is_empty() => "<p>Nobody is signed in here.</p>",
        LogoutDoneView { .. } => "",
    }
    .to_owned();
    if !view.signed_out.is_empty() {
        let _ = write!(html, "<p>Signed out: {}.</p>", labels(&view.signed_out));
    }
    if !view.others.is_empty() {
        let _ = write!(html, "<p>Still signed in in this browser: {}.</p>", labels(&view.others));
    } else if !view.signed_out.is_empty() {
        html.push_str("<p>Nobody else is signed in in this browser.</p>");
    }
    html
}

/// How these people are called.
fn labels(people: &[AccountView]) -> String {
    let labels: Vec<_> = people.iter().map(|one| Html::escape(&one.label).to_string()).collect();
    labels.join(", ")
}

/// What the page of a client may do in a frame of ours: be itself.
const SANDBOX: &str = "allow-scripts allow-same-origin allow-forms";

fn logout_frames(view: &LogoutFramesView, (next, form): (Option<&str>, &FormMarkup), nonce: &str) -> String {
    let mut html = match next {
        Some(_) => who_is_gone(&view.done) + "<p>The applications are told.</p>",
        None => logout_done(&view.done, form),
    };
    for frame in &view.frames {
        let _ = write!(
            html,
            "<iframe hidden title=\"\" sandbox=\"{}\" src=\"{}\"></iframe>",
            SANDBOX,
            Html::escape(frame.as_str())
        );
    }
    if let Some(next) = next {
        let (next, nonce) = (Html::escape(next), Html::escape(nonce));
        let _ = write!(
            html,
            "<p><a id=\"continue\" href=\"{next}\">Continue</a></p>\
             <noscript><meta http-equiv=\"refresh\" content=\"0;url={next}\"></noscript>\
             <script nonce=\"{nonce}\">{}</script>",
            pages::CONTINUE
        );
    }
    html
}

fn signed_in(view: &SignedInView, restart: Retry<'_>) -> String {
    let name = Html::escape(view.client.as_ref().map_or("the application", |client| &client.name));
    let text = if view.is_answered {
        "This request was answered already."
    } else {
        "This request has ended: it took too long, you were signed out, or your browser does not keep our cookies."
    };
    let mut html = format!("<p>{text} Go back to {name}, and start again if you need to.</p>");
    if let Retry::At(address) = restart {
        let _ = write!(html, "<p><a href=\"{}\">Start again</a></p>", Html::escape(address));
    }
    if let Some(address) = view.client.as_ref().and_then(ClientView::way_on) {
        let _ = write!(html, "<p><a href=\"{}\">Go on to {name}</a></p>", Html::escape(address));
    }
    html
}

fn submitting(form: &FormMarkup, nonce: &str) -> String {
    let form = in_form(form, "<p>You are sent on.</p><button>Continue</button>");
    format!("{form}<script nonce=\"{}\">{}</script>", Html::escape(nonce), pages::SUBMIT)
}

fn sending(message: &MessageMarkup, nonce: &str) -> String {
    let [json, origin, nonce] = [&*message.json, &*message.origin, nonce].map(Html::escape);
    format!(
        "<p id=\"message\" data-json=\"{json}\" data-origin=\"{origin}\">You can close this window.</p>\
         <p><a href=\"{origin}\">Go to the application</a></p>\
         <script nonce=\"{nonce}\">{}</script>",
        pages::SEND_MESSAGE
    )
}

/// Only the application knows what it wants to ask; without a page of its own the person can cancel.
fn custom(view: &CustomView, form: &FormMarkup) -> String {
    let fields = format!(
        "{}{}<p>This step is not available here.</p>{}",
        once_more(&view.form),
        continuing_to(&view.client),
        button("action", "cancel", "Cancel", "")
    );
    in_form(form, &fields)
}

fn in_form(form: &FormMarkup, fields: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{}\">{}{fields}</form>",
        Html::escape(&form.action),
        form.hidden_inputs()
    )
}

fn button(name: &str, value: &str, label: &str, attributes: &str) -> String {
    let (value, label) = (Html::escape(value), Html::escape(label));
    format!("<button name=\"{name}\" value=\"{value}\"{attributes}>{label}</button> ")
}

fn continuing_to(client: &ClientView) -> String {
    format!("<p>to continue to <strong>{}</strong></p>", Html::escape(&client.name))
}

fn documents(client: &ClientView) -> String {
    let mut html = String::new();
    for (address, name) in [(&client.policy_uri, "Privacy policy"), (&client.tos_uri, "Terms of service")] {
        if let Some(address) = address {
            let _ = write!(html, "<p><a href=\"{}\">{name}</a></p>", Html::escape(address));
        }
    }
    html
}
