//! From a pending request to the view of its next page.

use std::net::IpAddr;

use chancery_jose::sha256;
use chancery_types::handle::{Handle, Interaction};
use chancery_types::{Params, Scopes};
use zeroize::Zeroizing;

use super::approval::Waiting;
use super::approvals::{self, ApprovalProblem, reference};
use super::form_token::{FormToken, challenge};
use super::known::{account_view, by_label, shared};
use super::pending::{Pending, Purpose};
use super::prompt::{self, LOGIN_REQUESTED, Needed};
use super::user_code::{self, UserCodeProblem};
use super::view::{
    AccountView, AccountsView, ApproveView, ClientView, ConfirmDeviceView, ConsentView, CustomView,
    FormAction, FormView, LoginProblem, LoginView, ResourceView, SignUpProblem, SignUpView, SignedInView,
    View, shown as shown_name,
};
use super::{Decided, Entrance, Outcome};
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::event::Event;
use crate::model::{CustomPromptName, PromptName, ResourceScopes};
use crate::ports::SignUpRefusal;
use crate::records::InteractionId;
use crate::request::Addressed;
use crate::session::{SignedIn, choice};

/// The field that says where the request is stored, for pages that post to another address than
/// [`FormAction`] names.
pub(super) const STORED_AT: &str = "interaction";

/// The field in which a form keeps what its page says of what was typed, for whoever chooses another language there.
const KEPT: &str = "kept_problem";

/// A browser cookie to be set, when there was none.
pub(super) type FreshBrowser = Option<Zeroizing<[u8; 16]>>;

/// Which page is shown, and what it repeats.
pub(super) struct Shown {
    prompt: PromptName,
    problem: Option<LoginProblem>,
    /// Why the form was not looked at, if it was not.
    not_looked_at: Option<LoginProblem>,
    typed: Option<String>,
    /// What an application says to its own page.
    said: Option<String>,
    /// What is wrong with a new account.
    unfit: Option<SignUpProblem>,
    /// Whether the session of the account that was chosen has ended.
    choice_has_ended: bool,
}

impl Shown {
    /// The page of a prompt, as it is shown first.
    pub(super) fn of(prompt: PromptName) -> Self {
        Self {
            prompt,
            problem: None,
            not_looked_at: None,
            typed: None,
            said: None,
            unfit: None,
            choice_has_ended: false,
        }
    }

    /// The page of a prompt once more, because its form was not looked at.
    pub(super) fn once_more(self, why: LoginProblem) -> Self {
        Self { not_looked_at: Some(why), ..self }
    }

    /// The login page once more.
    pub(super) fn login(problem: Option<LoginProblem>, typed: Option<String>) -> Self {
        Self { problem, typed, ..Self::of(PromptName::Login) }
    }

    /// The sign-up page once more.
    pub(super) fn sign_up(unfit: Option<SignUpProblem>, typed: Option<String>) -> Self {
        Self { unfit, typed, ..Self::of(PromptName::Create) }
    }

    /// The login page in another language, as its form has it.
    pub(super) fn login_as_it_was(form: &Params<'_>) -> Self {
        let problem = match form.one(KEPT) {
            Ok(Some(REFUSED)) => Some(LoginProblem::Refused),
            _ => None,
        };
        Self::login(problem, typed(form))
    }

    /// The sign-up page in another language, as its form has it.
    pub(super) fn sign_up_as_it_was(form: &Params<'_>, shortest_password: Option<usize>) -> Self {
        let kept = form.one(KEPT).ok().flatten();
        let refusals = [
            SignUpRefusal::NameTaken,
            SignUpRefusal::NameUnacceptable,
            SignUpRefusal::PasswordTooCommon,
            SignUpRefusal::PasswordIsName,
            SignUpRefusal::PasswordUnacceptable,
        ];
        let mut refusals = refusals.into_iter().chain(shortest_password.map(SignUpRefusal::PasswordTooShort));
        let problem = refusals.find(|refusal| kept == Some(refusal.as_str()));
        Self::sign_up(problem.map(SignUpProblem::Refused), typed(form))
    }

    /// The chooser once more, because whoever was chosen is not signed in any more.
    pub(super) fn choice_ended() -> Self {
        Self { choice_has_ended: true, ..Self::of(PromptName::SelectAccount) }
    }

    /// The chooser in another language, as its form has it.
    pub(super) fn chooser_as_it_was(form: &Params<'_>) -> Self {
        match form.one(KEPT) {
            Ok(Some(ENDED)) => Self::choice_ended(),
            _ => Self::of(PromptName::SelectAccount),
        }
    }

    /// The page of the application's own prompt once more.
    pub(super) fn custom(prompt: CustomPromptName, problem: String) -> Self {
        Self { said: Some(problem), ..Self::of(PromptName::Custom(prompt)) }
    }
}

/// How the field [`KEPT`] names a wrong name or password.
const REFUSED: &str = "refused";

/// How it names an account whose session has ended.
const ENDED: &str = "ended";

/// The name that was typed.
fn typed(form: &Params<'_>) -> Option<String> {
    form.one("username").ok().flatten().filter(|typed| !typed.is_empty()).map(str::to_owned)
}

/// The page of a prompt. Nothing is stored for it.
pub(super) async fn page(pending: &Pending<'_>, shown: Shown) -> Result<Decided, Fault> {
    if pending.is_used_up() {
        return lost(pending, true);
    }
    if let Some(next) = pending.decided()? {
        return Ok(next);
    }
    let Shown { prompt, problem, not_looked_at, typed, said, unfit, choice_has_ended } = shown;
    let (token, browser) = token(pending, &prompt)?;
    let mut form = form(pending, &token, not_looked_at)?;
    let kept = match (problem, unfit) {
        (Some(LoginProblem::Refused), _) => Some(REFUSED),
        (_, Some(SignUpProblem::Refused(refusal))) => Some(refusal.as_str()),
        _ => choice_has_ended.then_some(ENDED),
    };
    form.fields.extend(kept.map(|kept| (KEPT, kept.to_owned())));
    let client = ClientView::of(&pending.client, &pending.env.issuer);
    let name = prompt.as_str().into();
    let person = || pending.person.as_ref().ok_or_else(|| Fault::internal("a page that needs a person"));
    let view = match prompt {
        PromptName::ConfirmDevice => {
            let Some(waiting @ Waiting::Device { user_code, .. }) = pending.waits() else {
                return Err(Fault::internal("a device that does not wait"));
            };
            let origin = waiting.origin();
            View::ConfirmDevice(ConfirmDeviceView {
                client,
                user_code: pending.by.device_authorization.user_code_mask.show(user_code),
                asked_before: pending.call.now.since(origin.at),
                address: origin.address.as_deref().map(str::to_owned),
                is_from_here: is_from_here(pending.call, origin.address.as_deref()),
                device: origin.device.as_deref().map(shown_name),
                form,
            })
        }
        PromptName::Login => View::Login(LoginView {
            client,
            again: match confirming(pending, typed.as_deref()) {
                Some(who) => Some(account_view(pending, who, false).await?),
                None => None,
            },
            username: typed.or_else(|| known_name(pending)),
            problem: problem.or(not_looked_at),
            acr_values: prompt::wanted_acr(&pending.asked),
            challenge: challenge(&token),
            offers_sign_up: pending.by.sign_up.offered,
            form,
        }),
        PromptName::Create => View::SignUp(SignUpView {
            client,
            username: typed,
            problem: unfit.or(not_looked_at.map(SignUpProblem::NotLookedAt)),
            shortest_password: pending.env.accounts.shortest_password(&pending.env.realm),
            form,
        }),
        PromptName::SelectAccount => {
            let everybody = pending.by.sessions.everybody(pending.call, pending.env).await?;
            let expected = &pending.asked.expected;
            let is_expected = |who: &SignedIn| pending.by.sessions.is_one_of(&pending.client, who, expected);
            let mut accounts = Vec::with_capacity(everybody.len());
            for who in &everybody {
                accounts.push(account_view(pending, who, is_expected(who)).await?);
            }
            let expects_another = !expected.is_empty() && !accounts.iter().any(|account| account.is_expected);
            View::Accounts(AccountsView { client, expects_another, choice_has_ended, accounts, form })
        }
        PromptName::Consent => {
            let asked = pending.to_consent();
            let (shared, unknown) = shared(pending, person()?, &asked).await?;
            View::Consent(ConsentView {
                client,
                account: account_view(pending, person()?, false).await?,
                scopes: texts(&asked.access.scopes),
                shared,
                unknown,
                claims: asked.claims,
                resources: asked.access.resources.iter().map(|at| resource_view(pending, at)).collect(),
                details: pending.by.rules.details.views(pending.details()),
                account_page: pending.by.account.address.as_deref().map(str::to_owned),
                form,
            })
        }
        PromptName::Approve => {
            let Some(Waiting::Backchannel(found)) = pending.waits() else {
                return Err(Fault::internal("nothing waits to be approved"));
            };
            let (asked, now) = (pending.to_approve(), pending.call.now);
            let (shared, unknown) = shared(pending, person()?, &asked).await?;
            View::Approve(ApproveView {
                client,
                account: account_view(pending, person()?, false).await?,
                binding_message: found.body.binding_message.as_deref().map(str::to_owned),
                scopes: texts(&asked.access.scopes),
                shared,
                unknown,
                claims: asked.claims,
                resources: asked.access.resources.iter().map(|at| resource_view(pending, at)).collect(),
                details: pending.by.rules.details.views(pending.details()),
                asked_before: now.since(found.body.origin.at),
                ends_in: found.body.awaited.deadline.since(now),
                address: found.body.origin.address.as_deref().map(str::to_owned),
                form,
            })
        }
        PromptName::Custom(prompt) => View::Custom(CustomView {
            client,
            account: account_view(pending, person()?, false).await?,
            data: pending.data_of(&prompt),
            prompt,
            problem: said,
            form,
        }),
    };
    let (client, account) = (pending.client.id().clone(), pending.account());
    pending.env.record(pending.call, &Event::PromptShown { client, prompt: name, account });
    Ok(Decided { browser, entrance: entrance(pending), ..Outcome::Page(Box::new(view)).into() })
}

/// Where the person comes back to this request, as long as it is not stored.
fn entrance(pending: &Pending<'_>) -> Option<Entrance> {
    match &pending.purpose {
        _ if pending.stored_at.is_some() => None,
        Purpose::Respond(addressed) => pending.by.restart(addressed).map(Entrance::Request),
        Purpose::Visit(visit) => Some(visit.entrance()),
        Purpose::Decide(waiting) => Some(match &**waiting {
            Waiting::Backchannel(found) => Entrance::Approvals(Some(reference(&found.key))),
            Waiting::Device { .. } => Entrance::UserCode,
        }),
    }
}

/// Whether a device has asked from the address of this browser, or both are on the machine of the provider, which has
/// several addresses of its own.
fn is_from_here(call: &Call, address: Option<&str>) -> bool {
    let there = address.and_then(|address| address.parse::<IpAddr>().ok());
    call.peer.zip(there).is_some_and(|(here, there)| {
        here == there || here.to_canonical().is_loopback() && there.to_canonical().is_loopback()
    })
}

/// Who is signed in already and has to sign in again, unless another name was typed than theirs.
fn confirming<'p>(pending: &'p Pending<'_>, typed: Option<&str>) -> Option<&'p SignedIn> {
    let why = match pending.needed()? {
        Needed::Login(why) => why,
        _ => return None,
    };
    // A visitor who asks for the login page wants to be somebody else.
    let wants_another = matches!(pending.purpose, Purpose::Visit(_)) && std::ptr::eq(why, &LOGIN_REQUESTED);
    let who = pending.person.as_ref().filter(|_| !wants_another)?;
    let is_theirs = |typed: &str| who.account.username.as_deref().is_some_and(|name| name == typed.trim());
    typed.is_none_or(is_theirs).then_some(who)
}

/// The name of whoever signs in, as far as it is known before they type it.
fn known_name(pending: &Pending<'_>) -> Option<String> {
    let of_session = || confirming(pending, None)?.account.username.as_deref();
    pending.asked.login_hint.as_deref().or_else(of_session).map(str::to_owned)
}

fn resource_view(pending: &Pending<'_>, at: &ResourceScopes) -> ResourceView {
    let servers = &pending.asked.resources.servers;
    let server = servers.iter().find(|server| server.uri == at.resource);
    let name = server.and_then(|server| server.name.as_deref()).map(shown_name);
    ResourceView { uri: at.resource.clone(), name, scopes: texts(&at.scopes) }
}

fn texts(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

/// The token of a page's form, and a browser cookie if there is none yet.
fn token(pending: &Pending<'_>, prompt: &PromptName) -> Result<(String, FreshBrowser), Fault> {
    let (browser, fresh) = browser(pending);
    let token = FormToken {
        prompt: prompt.clone(),
        interaction: pending.interaction.unwrap_or_else(|| fresh_interaction(pending.env)),
        subject: pending.subject(),
        source: pending.purpose.source(),
        browser,
        session: pending.session(),
        first_seen: pending.first_seen,
        issued_at: pending.call.now,
        done: pending.done.clone(),
        shown: pending.shown(prompt),
    };
    Ok((token.seal(pending.env, pending.by.keys())?, fresh))
}

/// What is posted for a page that answers a form of this browser, in another language.
pub(super) fn repeats(pending: &Pending<'_>, prompt: &PromptName) -> Result<FormView, Fault> {
    let (token, _) = token(pending, prompt)?;
    form(pending, &token, None)
}

/// The digest of the browser cookie, and the cookie if there is none yet.
pub(super) fn browser(pending: &Pending<'_>) -> ([u8; 32], FreshBrowser) {
    browser_of(pending.call, pending.env)
}

/// The same for a page of no request.
pub(super) fn browser_of(call: &Call, env: &Env) -> ([u8; 32], FreshBrowser) {
    match &call.browser {
        Some(cookie) => (sha256(&**cookie), None),
        None => {
            let fresh = env.secret::<16>();
            (sha256(&*fresh), Some(fresh))
        }
    }
}

/// A new interaction.
pub(super) fn fresh_interaction(env: &Env) -> InteractionId {
    InteractionId::from_bytes(*env.secret::<16>())
}

/// The form of a page.
fn form(pending: &Pending<'_>, token: &str, not_looked_at: Option<LoginProblem>) -> Result<FormView, Fault> {
    // Also where the request is stored: if its record is gone when the form comes back, it can be started
    // again.
    let mut fields = vec![("request", pending.carrier()?.into_text()), ("token", token.to_owned())];
    let action = match &pending.stored_at {
        None => FormAction::First,
        Some(handle) => {
            fields.push((STORED_AT, handle.reveal()));
            FormAction::Stored(again(handle)?)
        }
    };
    let target = match &pending.purpose {
        Purpose::Respond(addressed) => Some(addressed.target.uri().clone()),
        Purpose::Decide(_) | Purpose::Visit(_) => None,
    };
    let (ui_locales, parameters) = (pending.asked.ui_locales.clone(), pending.asked.own.clone());
    Ok(FormView { action, fields, target, not_looked_at, ui_locales, parameters })
}

/// The page for a request that cannot go on: it was answered, or its session is gone. That of another device is taken
/// up again by its code.
pub(super) fn lost(pending: &Pending<'_>, is_answered: bool) -> Result<Decided, Fault> {
    match &pending.purpose {
        Purpose::Respond(addressed) => {
            Ok(lost_page(pending.env, Some(addressed), pending.by.restart(addressed), is_answered))
        }
        Purpose::Visit(visit) => Ok(visit.outcome()),
        Purpose::Decide(waiting) => match &**waiting {
            Waiting::Backchannel(found) => Ok(approvals::told(ApprovalProblem::Undecided, Some(found.key))),
            Waiting::Device { user_code, .. } => {
                let (by, call, env) = pending.world();
                let typed = by.device_authorization.user_code_mask.show(user_code);
                user_code::page(&by, call, env, Some(typed), Some(UserCodeProblem::Stale))
            }
        },
    }
}

/// The page for a request that cannot go on. Never a dead end: the same request can be started again, or the
/// client's own page is a click away.
pub(super) fn lost_page(
    env: &Env,
    addressed: Option<&Addressed<'_>>,
    restart: Option<String>,
    is_answered: bool,
) -> Decided {
    let client = addressed.map(|addressed| ClientView::of(&addressed.client, &env.issuer));
    let ui_locales = addressed.and_then(|addressed| addressed.params.one("ui_locales").ok()?);
    let ui_locales = ui_locales.map(Box::from);
    Outcome::Page(Box::new(View::SignedIn(SignedInView { client, restart, is_answered, ui_locales }))).into()
}

/// The same handle once more, for the form of its page.
fn again(handle: &Handle<Interaction>) -> Result<Handle<Interaction>, Fault> {
    Handle::parse(&handle.reveal()).map_err(|_| Fault::internal("a handle that cannot be read back"))
}

/// A person whom no client expects.
pub(crate) fn person_view(who: &SignedIn) -> AccountView {
    AccountView { choice: choice(&who.found.key), ..by_label(&who.account) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::RequestId;

    #[test]
    fn a_device_asks_from_the_address_of_the_browser() {
        let mut call = Call::new(chancery_types::Timestamp::from_secs(1), RequestId("x".into()));
        assert!(!is_from_here(&call, Some("192.0.2.1")) && !is_from_here(&call, None));
        for (here, there, is_here) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("::1", "127.0.0.1", true),
            ("127.0.0.1", "192.0.2.1", false),
            ("192.0.2.1", "nowhere", false),
        ] {
            call.peer = here.parse().ok();
            assert_eq!(is_from_here(&call, Some(there)), is_here, "{here}, {there}");
        }
    }
}
