//! From an open request to the view of its next page.

use chancery_types::handle::Handle;
use zeroize::Zeroizing;

use chancery_jose::sha256;

use super::form_token::{FormStep, FormToken};
use super::prompt::{self, Needed};
use super::view::{
    AccountView, AccountsView, ClientView, ConsentView, FormAction, FormView, LoginProblem, LoginView, SignedInView,
    View,
};
use super::{Interactions, Next, Open, Outcome, Place};
use crate::error::Fault;
use crate::event::Event;
use crate::model::Client;
use crate::records::InteractionId;
use crate::request::Prompts;
use crate::session::{SignedIn, choice};

/// Longest name of a client on a page, in characters.
const LONGEST_NAME: usize = 80;

/// A browser cookie to be set, when there was none.
type FreshBrowser = Option<Zeroizing<[u8; 16]>>;

impl Interactions {
    /// The page that is needed. Nothing is stored for it.
    pub(crate) async fn page(
        &self,
        open: &Open<'_>,
        needed: Needed,
        problem: Option<LoginProblem>,
        typed: Option<String>,
    ) -> Result<Next, Fault> {
        let client = open.request.addressed().client.id().clone();
        // OIDC Core section 3.1.2.1: with `prompt=none` no page is shown.
        if open.request.asked().prompts == Prompts::Silent {
            return self.refuse_once(open, &needed.reason().into()).await;
        }
        let (step, prompt) = match needed {
            Needed::Login(_) => (FormStep::Login, "login"),
            Needed::SelectAccount(_) => (FormStep::SelectAccount, "select_account"),
            Needed::Consent(_) => (FormStep::Consent, "consent"),
            Needed::Impossible(why) => return self.refuse_once(open, &why.into()).await,
        };
        let (form, browser) = self.form(open, step)?;
        let view = match step {
            FormStep::Login => View::Login(LoginView {
                client: client_view(&open.request.addressed().client),
                username: typed.or_else(|| open.request.asked().login_hint.as_deref().map(str::to_owned)),
                problem,
                form,
            }),
            FormStep::SelectAccount => {
                let everybody = self.sessions.everybody(open.call, open.env).await?;
                let expected = open.request.asked().expected.as_deref();
                let accounts: Vec<AccountView> = everybody.iter().map(|who| account_view(who, expected)).collect();
                View::Accounts(AccountsView {
                    client: client_view(&open.request.addressed().client),
                    expects_another: expected.is_some() && !accounts.iter().any(|account| account.is_expected),
                    accounts,
                    form,
                })
            }
            FormStep::Consent => self.consent_view(open, form)?,
        };
        open.env.record(open.call, &Event::PromptShown { client, prompt });
        Ok(Next { outcome: Outcome::Page(Box::new(view)), sessions: None, browser, devices: None })
    }

    fn consent_view(&self, open: &Open<'_>, form: FormView) -> Result<View, Fault> {
        let person = open.person.as_ref().ok_or_else(|| Fault::internal("a consent page without a person"))?;
        let asked = self.to_consent(open);
        Ok(View::Consent(ConsentView {
            client: client_view(&open.request.addressed().client),
            account: account_view(person, None),
            scopes: asked.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            claims: asked.claims,
            resource: open.request.asked().resource.as_ref().map(|server| server.uri.clone()),
            form,
        }))
    }

    /// What the consent page asks: what is undecided, or everything when that is what was wished, or nothing new is asked.
    pub(super) fn to_consent(&self, open: &Open<'_>) -> prompt::Undecided {
        let authentication = open.person.as_ref().map(|person| &person.found.body.authentication);
        let undecided = prompt::undecided(&open.request, &self.facts(open, authentication));
        let is_wished = self.needed(open) == Some(Needed::Consent(&prompt::CONSENT_REQUESTED));
        if is_wished || (undecided.scopes.is_empty() && undecided.claims.is_empty()) {
            let everything = super::ConsentAnswer::default();
            let asked = open.request.asked();
            let claims = self.rules.claims.undecided(&asked.claims, &asked.scopes, &everything);
            return prompt::Undecided { scopes: asked.scopes.clone(), claims };
        }
        undecided
    }

    /// What a consent page asks, in one digest: what is allowed has to be what was shown.
    pub(super) fn shown(&self, open: &Open<'_>) -> [u8; 32] {
        let asked = self.to_consent(open);
        let resource = open.request.asked().resource.as_ref().map_or("", |server| server.uri.as_str());
        sha256([asked.scopes.to_string().as_str(), &asked.claims.join(" "), resource].join("\n").as_bytes())
    }

    /// The form of a page, and a browser cookie if there is none yet.
    fn form(&self, open: &Open<'_>, step: FormStep) -> Result<(FormView, FreshBrowser), Fault> {
        let (browser, fresh) = match &open.call.browser {
            Some(cookie) => (sha256(&**cookie), None),
            None => {
                let fresh = open.env.secret::<16>();
                (sha256(&*fresh), Some(fresh))
            }
        };
        let fresh_interaction = || InteractionId::from_bytes(*open.env.secret::<16>());
        let token = FormToken {
            step,
            interaction: open.interaction.unwrap_or_else(fresh_interaction),
            subject: open.subject(),
            browser,
            session: open.person.as_ref().map(|person| person.found.key),
            first_seen: open.first_seen,
            issued_at: open.call.now,
            done: open.done.clone(),
            shown: if step == FormStep::Consent { self.shown(open) } else { [0; 32] },
        };
        let token = token.seal(open.env, self.keys())?;
        let action = match &open.place {
            Place::Form => FormAction::First,
            Place::Stored { handle, .. } => FormAction::Stored(again(handle)?),
        };
        let addressed = open.request.addressed();
        let form = FormView {
            action,
            // Also where the request is stored: if its record is gone when the form comes back, it can be started again.
            fields: vec![("request", addressed.carrier().into_text()), ("token", token)],
            target: addressed.target.uri().clone(),
            ui_locales: open.request.asked().ui_locales.clone(),
        };
        Ok((form, fresh))
    }

    /// The page for a request that cannot go on: it was answered, or its session is gone.
    pub(super) fn lost(&self, open: &Open<'_>, is_answered: bool) -> Next {
        let addressed = open.request.addressed();
        lost_page(Some(&addressed.client), Some(addressed.carrier().into_text()), is_answered)
    }
}

/// The page for a request that cannot go on. Never a dead end: the same request can be started again, or the client's
/// own page is a click away.
pub(super) fn lost_page(client: Option<&Client>, restart: Option<String>, is_answered: bool) -> Next {
    let way_on = client.and_then(Client::way_on).map(str::to_owned);
    let client = client.map(client_view);
    Outcome::Page(Box::new(View::SignedIn(SignedInView { client, way_on, restart, is_answered }))).into()
}

/// The same handle once more, for the form of its page.
fn again(
    handle: &Handle<chancery_types::handle::Interaction>,
) -> Result<Handle<chancery_types::handle::Interaction>, Fault> {
    Handle::parse(&handle.reveal()).map_err(|_| Fault::internal("a handle that cannot be read back"))
}

fn client_view(client: &Client) -> ClientView {
    let description = &client.metadata().description;
    let shown = |text: &str| text.chars().filter(|c| is_shown(*c)).take(LONGEST_NAME).collect::<String>();
    let name = client.name().map(shown).filter(|name| !name.trim().is_empty());
    ClientView {
        name: name.unwrap_or_else(|| shown(client.id().as_str())),
        client_uri: description.client_uri.as_deref().map(str::to_owned),
        policy_uri: description.policy_uri.as_deref().map(str::to_owned),
        tos_uri: description.tos_uri.as_deref().map(str::to_owned),
    }
}

/// Control characters and those that turn the direction of writing would let a name pass itself off as something else.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn account_view(who: &SignedIn, expected: Option<&str>) -> AccountView {
    AccountView {
        choice: choice(&who.found.key),
        label: who.account.label.chars().filter(|c| is_shown(*c)).take(LONGEST_NAME).collect(),
        is_expected: expected == Some(who.account.id.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_turn_the_direction_of_writing() {
        let shown: String = "Bank\u{202e}knaB\u{0007}\u{200f}".chars().filter(|c| is_shown(*c)).collect();
        assert_eq!(shown, "BankknaB");
    }
}
