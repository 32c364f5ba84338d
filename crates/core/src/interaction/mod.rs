//! What we need of the person (architecture section 9): one state machine for built-in pages and an application's own.
//!
//! The first page of a request is the answer to it and stores nothing: its form carries the request. Only when the
//! person has authenticated and more is needed does a record hold the request, under the person's session.
//! Config     `[interaction]`
//! Discovery  none

use std::time::Duration;

use chancery_jose::{ClaimsWriter, sha256};
use chancery_types::handle::{Handle, Interaction, RotatingHandle, Session};
use chancery_types::iana::{Display, ErrorCode, Prompt};
use chancery_types::{AccountId, Key, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::context::{Call, Env};
use crate::error::{Fault, PageError, Reason, Refusal};
use crate::event::{Endpoint, Event, RefusedClient};
use crate::issue::authorization_code;
use crate::keys::{KeySet, no_signer};
use crate::model::{Acr, Authentication, ConsentAnswer, StepDone};
use crate::offered::Component;
use crate::records::{ConsentBody, Found, InteractionId};
use crate::request::{Addressed, AuthorizationResponse, Received, Refused, Rules, ValidatedAuthorizationRequest};
use crate::session::{Sessions, SignedIn, Visited};

pub(crate) mod commit;
pub mod consent;
pub mod device;
pub mod form_token;
mod page;
pub mod prompt;
pub mod step;
pub mod throttle;
pub mod view;

pub use commit::CONSENT_WITHDRAWN;
use prompt::{Facts, Needed};
pub use step::{ConsentStep, LoginStep, SelectAccountStep};

/// How long a stored interaction is kept after its time, so that whoever comes back to its page finds a way on.
const KEPT: Duration = Duration::from_secs(86_400);

/// `[interaction]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InteractionConfig {
    /// How long a person has to answer, from the first page on.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
    /// How long a consent is remembered.
    #[serde(with = "crate::duration")]
    pub consent: Duration,
}

impl Default for InteractionConfig {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(3600), consent: Duration::from_secs(365 * 86_400) }
    }
}

/// What happens next, in the browser.
pub struct Next {
    /// What the browser gets.
    pub outcome: Outcome,
    /// The new list of the session cookie, active session first; `None` to leave the cookie alone.
    pub sessions: Option<Vec<RotatingHandle<Session>>>,
    /// The new browser cookie; `None` to leave the cookie alone.
    pub browser: Option<Zeroizing<[u8; 16]>>,
    /// The new cookie of the names that have signed in from this browser; `None` to leave the cookie alone.
    pub devices: Option<String>,
}

/// What the browser gets.
pub enum Outcome {
    /// A page.
    Page(Box<view::View>),
    /// A redirect to the page of a stored interaction.
    Stored(Handle<Interaction>),
    /// The answer to the client.
    Respond(AuthorizationResponse),
}

impl From<Outcome> for Next {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, sessions: None, browser: None, devices: None }
    }
}

reasons! {
    /// Nothing of what was asked for was granted.
    pub NOTHING_GRANTED = Reason {
        name: "nothing_granted",
        code: ErrorCode::AccessDenied,
        description: "nothing of what was asked for was granted",
        section: "RFC 6749 section 4.1.2.1",
    };
    /// No key signs the client's ID tokens at this moment.
    pub NOTHING_SIGNS = Reason {
        name: "nothing_signs",
        code: ErrorCode::TemporarilyUnavailable,
        description: "no key signs ID tokens at this moment",
        section: "RFC 6749 section 4.1.2.1",
    };
}

/// Everything that an interaction is decided with; built once per snapshot.
pub struct Interactions {
    /// The list of checks.
    pub rules: Rules,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Lifetimes of codes and grants.
    pub code: authorization_code::Codes,
    /// Lifetimes of interactions and consents.
    pub config: InteractionConfig,
    /// Against guessing.
    pub throttle: throttle::Throttle,
    /// The authentication context classes that can be reached here.
    pub reachable: Vec<Acr>,
}

/// Where a request waits for its person.
enum Place {
    /// In the page's form.
    Form,
    /// In a record.
    Stored { handle: Handle<Interaction>, key: Key },
}

/// A request that waits for its person.
pub(crate) struct Open<'a> {
    call: &'a Call,
    env: &'a Env,
    request: ValidatedAuthorizationRequest<'a>,
    /// Which interaction it is; `None` before any page was shown.
    interaction: Option<InteractionId>,
    /// t₀: when the request was first seen.
    first_seen: Timestamp,
    done: Vec<StepDone>,
    place: Place,
    person: Option<SignedIn>,
    /// Whether somebody is signed in beside the active session, which has ended.
    others_are_there: bool,
    /// Whose request it is: of the person who is signed in, or has just authenticated.
    account: Option<AccountId>,
    /// The consent that was standing.
    standing: Option<Found<ConsentBody>>,
    /// What counts as agreed.
    consent: ConsentAnswer,
    /// What the person has allowed in this step, to be remembered.
    allowed: Option<prompt::Undecided>,
}

impl Component for Interactions {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata
            .strings("acr_values_supported", self.reachable.iter().map(|acr| &*acr.0))
            .strings("prompt_values_supported", Prompt::ALL.iter().map(|value| value.as_str()))
            .strings("display_values_supported", [Display::Page, Display::Popup, Display::Touch].map(Display::as_str));
    }
}

impl Interactions {
    fn keys(&self) -> &KeySet {
        &self.rules.keys
    }

    /// Reads a request from its first byte to its last check.
    pub(crate) async fn read<'a>(
        &self,
        env: &Env,
        received: Received<'a>,
    ) -> Result<Result<ValidatedAuthorizationRequest<'a>, Refused<'a>>, PageError> {
        let addressed = received.resolve().address(env).await?;
        Ok(addressed.validate(&self.rules))
    }

    /// A client is told no; the person's browser carries it.
    pub(crate) fn refuse(&self, call: &Call, env: &Env, addressed: &Addressed<'_>, why: &Refusal) -> Next {
        let client = RefusedClient::Claimed(addressed.client.id().clone());
        env.record_failure(call, Endpoint::Authorization, Some(client), &why.clone().into());
        Outcome::Respond(addressed.refuse(env, why)).into()
    }

    /// The answer when nothing signs this client's ID tokens at this moment. What is broken is told to whoever hears of
    /// events; the client hears that it can come back.
    pub(crate) fn without_signer(
        &self,
        call: &Call,
        env: &Env,
        request: &ValidatedAuthorizationRequest<'_>,
    ) -> Option<Next> {
        let addressed = request.addressed();
        let alg = addressed.client.metadata().openid.id_token_signed_response_alg;
        let is_openid = request.asked().scopes.contains(Scope::OPENID);
        if !is_openid || alg.is_symmetric() || self.keys().can_sign(alg, call.now) {
            return None;
        }
        env.record(call, &Event::Faulted { endpoint: Endpoint::Authorization, fault: no_signer(alg) });
        Some(self.refuse(call, env, addressed, &(&NOTHING_SIGNS).into()))
    }

    /// Finds the person and their standing consent.
    pub(crate) async fn open<'a>(
        &self,
        call: &'a Call,
        env: &'a Env,
        request: ValidatedAuthorizationRequest<'a>,
        first_seen: Timestamp,
        done: Vec<StepDone>,
    ) -> Result<Open<'a>, Fault> {
        let person = self.sessions.person(call, env, request.asked().expected.as_deref()).await?;
        let mut open = Open {
            call,
            env,
            request,
            interaction: None,
            first_seen,
            done,
            place: Place::Form,
            person: None,
            others_are_there: false,
            account: None,
            standing: None,
            consent: ConsentAnswer::default(),
            allowed: None,
        };
        match person {
            Some(person) => self.belongs_to(&mut open, &person.account.id.clone(), Some(person)).await?,
            None if call.sessions.len() > 1 => {
                open.others_are_there = !self.sessions.everybody(call, env).await?.is_empty();
            }
            None => {}
        }
        Ok(open)
    }

    /// The request now belongs to this account, whose standing consent is read; to this session of it, if it has one.
    async fn belongs_to(
        &self,
        open: &mut Open<'_>,
        account: &AccountId,
        person: Option<SignedIn>,
    ) -> Result<(), Fault> {
        let client = &open.request.addressed().client;
        let found = consent::standing(open.call, open.env, account, client).await?;
        let stored = found.as_ref().map(|found| found.body.answer.clone()).unwrap_or_default();
        open.consent = self.rules.policy.standing_consent(client, account, stored).await?;
        open.standing = found;
        open.account = Some(account.clone());
        open.person = person;
        Ok(())
    }

    /// What has still to be asked.
    pub(crate) fn needed(&self, open: &Open<'_>) -> Option<Needed> {
        let authentication = open.person.as_ref().map(|person| &person.found.body.authentication);
        self.needed_with(open, authentication)
    }

    fn needed_with(&self, open: &Open<'_>, authentication: Option<&Authentication>) -> Option<Needed> {
        let needed = prompt::needed(&open.request, &self.facts(open, authentication), open.call.now);
        let client = open.request.addressed().client.id();
        let visited =
            open.person.as_ref().map(|person| self.sessions.visited(open.call.now, &person.found.body, client));
        match (needed, visited) {
            // A full session begins anew with a login; the one that a login for this request began has room.
            (None, Some(Visited::Full)) if !open.done.contains(&StepDone::Login) => {
                Some(Needed::Login(&prompt::SESSION_FULL))
            }
            (needed, _) => needed,
        }
    }

    fn facts<'a>(&'a self, open: &'a Open<'_>, authentication: Option<&'a Authentication>) -> Facts<'a> {
        Facts {
            authentication,
            others_are_there: open.others_are_there,
            consent: &open.consent,
            done: &open.done,
            reachable: &self.reachable,
            claims: &self.rules.claims,
        }
    }
}

impl Open<'_> {
    /// What was done in one session, was not done in another: a login there is none here, and what one account has allowed,
    /// another has not.
    fn goes_on_in(&mut self, session: Option<Key>, account: &AccountId) {
        let person = self.person.as_ref();
        if person.is_none_or(|person| person.account.id != *account) {
            self.done.retain(|step| *step != StepDone::Consent);
        }
        if person.is_none_or(|person| Some(person.found.key) != session) {
            self.done.retain(|step| *step != StepDone::Login);
        }
    }

    /// What a form token is bound to: the parameters, or the handle of the record that holds them.
    fn subject(&self) -> [u8; 32] {
        match &self.place {
            Place::Form => self.request.addressed().carrier().digest(),
            Place::Stored { key, .. } => sha256(key.as_bytes()),
        }
    }
}
