//! A person who wants to see what waits for them, or what they have here, signs in first. No client asks for that: the provider itself does,
//! so that the page says nothing of the request to whoever has only followed a link.

use std::sync::Arc;

use chancery_types::iana::ResponseType;
use chancery_types::{Key, Params, Scopes, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::account::AccountPage;
use super::approvals::{self, ApprovalProblem, reference};
use super::commit::{SessionChange, Written, proceed, write, written_with};
use super::form_token::{open, seal};
use super::known::account_view;
use super::pending::{Pending, Purpose};
use super::view::{LogoutDoneView, View};
use super::{Decided, Entrance, Interactions, Outcome};
use crate::client::{RegistrationRules, register};
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::keys::KeySet;
use crate::model::{Carrier, ClaimsRequest, Client, OwnParameters, PromptName, TokenBinding};
use crate::offered::Offered;
use crate::request::{Asked, Prompts};
use crate::rule::resource::Requested;

/// The one parameter that a form carries.
const VISIT: &str = "visit";

/// Where the person goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Visit {
    /// To what waits for them: the request that their link has named, or all of them.
    Approvals(Option<Key>),
    /// To a page of their account.
    Account(AccountPage),
}

impl Visit {
    /// In plain text: what tells it from other requests.
    pub(super) fn plain(&self) -> Carrier {
        let place = match self {
            Self::Approvals(key) => key.as_ref().map(reference).unwrap_or_default(),
            // No reference of a request begins like this.
            Self::Account(page) => format!("/account{}", page.reference()),
        };
        Carrier::of(&std::iter::once((VISIT.to_owned(), place)).collect::<Params<'_>>())
    }

    /// What a form carries for it.
    pub(super) fn carrier(&self, env: &Env, keys: &KeySet) -> Result<Carrier, Fault> {
        let sealed = seal(env, keys, VISIT, self)?;
        Ok(Carrier::of(&std::iter::once((VISIT.to_owned(), sealed)).collect::<Params<'_>>()))
    }

    /// What a form has carried, if it is one.
    pub(super) fn read(env: &Env, keys: &KeySet, carrier: &str) -> Option<Self> {
        let params = Params::parse(carrier).ok()?;
        open(env, keys, VISIT, params.one(VISIT).ok()??)
    }

    /// The way on.
    pub(super) fn outcome(&self) -> Decided {
        match self {
            Self::Approvals(key) => Outcome::Approvals(key.as_ref().map(reference)).into(),
            Self::Account(page) => Outcome::Account(page.reference()).into(),
        }
    }

    /// Where the person comes back to it.
    pub(super) fn entrance(&self) -> Entrance {
        match self {
            Self::Approvals(key) => Entrance::Approvals(key.as_ref().map(reference)),
            Self::Account(page) => Entrance::Account(page.reference()),
        }
    }

    /// The page for whoever does not want to sign in, or not once more.
    pub(super) async fn left(&self, pending: &Pending<'_>) -> Result<Decided, Fault> {
        Ok(match self {
            Self::Approvals(key) => approvals::told(ApprovalProblem::Undecided, *key),
            Self::Account(_) if pending.person.is_some() => Self::Account(AccountPage::Overview).outcome(),
            Self::Account(_) => {
                let mut view = LogoutDoneView::default();
                for who in pending.by.sessions.everybody(pending.call, pending.env).await? {
                    view.others.push(account_view(pending, &who, false).await?);
                }
                Outcome::Page(Box::new(View::LogoutDone(view))).into()
            }
        })
    }

    /// How old the login may be with which the person arrives.
    fn max_age(&self, by: &Interactions) -> Option<u64> {
        match self {
            Self::Approvals(_) => None,
            Self::Account(page) => page.max_age(&by.account.config),
        }
    }
}

/// The login page for somebody who is not signed in, or has not for long, or who wants to be somebody else.
pub(super) async fn sign_in(
    by: &Arc<Interactions>,
    call: &Call,
    env: &Env,
    visit: Visit,
    wants: Option<PromptName>,
) -> Result<Decided, Fault> {
    proceed(&pending(by, call, env, visit, wants).with_person().await?).await
}

/// A visit as a request that waits for its person.
pub(super) fn pending<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    visit: Visit,
    wants: Option<PromptName>,
) -> Pending<'a> {
    let asked = Asked {
        response_type: ResponseType::None,
        scopes: Scopes::default(),
        ignored: Scopes::default(),
        withheld: Scopes::default(),
        resources: Requested::default(),
        claims: ClaimsRequest::default(),
        details: Vec::new(),
        prompts: Prompts::Asked(wants.into_iter().collect()),
        max_age: visit.max_age(by),
        acr_values: Vec::new(),
        nonce: None,
        code_challenge: None,
        code_binding: TokenBinding::None,
        expected: Vec::new(),
        login_hint: None,
        ui_locales: None,
        own: OwnParameters::default(),
    };
    Pending::visiting(by, call, env, Arc::clone(&by.itself), asked, visit)
}

/// The person has signed in.
pub(super) async fn arrived(pending: &Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    let Purpose::Visit(visit) = &pending.purpose else { return Err(Fault::internal("nobody visits")) };
    let next = visit.outcome();
    match write(pending, &change, Vec::new(), Some(&pending.client)).await? {
        Written::Lost => Ok(next),
        _ => written_with(pending, change, next).await,
    }
}

/// The provider as a client of itself, by whose name its own pages go. It is in no registry.
pub(crate) fn itself(env: &Env, now: Timestamp) -> Result<Arc<Client>, Fault> {
    let issuer = env.issuer.as_str();
    let name = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let metadata = json!({
        "client_id": issuer,
        "client_name": name,
        "grant_types": ["client_credentials"],
        "response_types": [],
    });
    let offered = Offered::default();
    let rules = RegistrationRules::new(&offered, &[], now);
    let made = register(metadata.to_string().as_bytes(), &*env.random, &rules);
    made.map(|made| Arc::new(made.client)).map_err(|complaints| {
        let said: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        Fault::internal(said.join("; "))
    })
}
