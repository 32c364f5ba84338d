//! What we need of the person: one state machine for built-in pages and an application's own.
//!
//! `pending` is a request that waits for its person, `prompt` says what is needed next, `page` shows it;
//! `form` makes a step of what comes back, `step` answers it, `grant` says what is granted, and `commit`
//! writes. `front_end` is the way to pages on another origin.
//!
//! The first page of a request is the answer to it and stores nothing: its form carries the request. Only
//! when the person has authenticated and more is needed does a record hold the request, under the person's
//! session.
//! Config     `[interaction]`
//! Discovery  none

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::ClaimsWriter;
use chancery_types::handle::{Handle, Interaction, RotatingHandle, Session};
use chancery_types::iana::{Display, ErrorCode};
use chancery_types::{ClientId, Issuer, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::context::{Call, Env};
use crate::error::{Complaint, Fault, Reason, SectionCheck};
use crate::issue::TokenIssuer;
use crate::keys::KeySet;
use crate::model::{Acr, Client, PromptName};
use crate::offered::Component;
use crate::request::{Addressed, AuthorizationResponse, NO_PROMPT, Rules, UnregisteredUri, Unsealed};
use crate::session::{BrowserState, Sessions};

pub mod account;
mod answered;
pub mod approval;
pub mod approvals;
mod carried;
mod client_notification;
pub(crate) mod commit;
pub mod consent;
pub mod custom_step;
pub mod device;
pub mod form;
pub mod form_token;
pub(crate) mod front_end;
mod grant;
pub(crate) mod known;
mod location;
pub(crate) mod page;
mod password;
mod sign_up;
pub(crate) mod pending;
pub mod prompt;
pub(crate) mod pushed;
pub mod step;
pub(crate) mod stored;
pub mod throttle;
pub mod user_code;
mod user_code_guesses;
pub mod view;
pub(crate) mod visit;

pub use account::{AccountConfig, AccountNews, AccountPages};
pub use approvals::ApprovalProblem;
pub use commit::{CONSENT_WITHDRAWN, DECLINED};
pub use custom_step::CustomStep;
pub use location::Location;
pub(crate) use pending::Pending;
pub use sign_up::SignUpConfig;
pub use step::{ApproveStep, ConfirmDeviceStep, ConsentStep, LoginStep, SelectAccountStep, SignUpStep, Step};
pub use user_code::{DeviceAuthorizationConfig, UserCodeProblem};
pub use view::PostLogoutTarget;

/// The field and the parameter by which a person chooses the language of a page. A form that has it is not looked at
/// otherwise: its page comes again.
pub const LANGUAGE: &str = "chancery_language";

/// How long a stored interaction is kept after its time, so that whoever comes back to its page finds a way
/// on.
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
    /// The pages, if they are on another origin and ask for what they show.
    #[serde(with = "location::optional")]
    pub location: Option<Location>,
    /// How many requests for such pages this process stores at most, of those that do not fit into a URL.
    pub anonymous_limit: usize,
    /// Whether the classes of `acr_values` are as binding as an essential `acr` (RFC 9470 section 5).
    pub acr_values_are_essential: bool,
}

impl Default for InteractionConfig {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(3600),
            consent: Duration::from_secs(365 * 86_400),
            location: None,
            anonymous_limit: 1000,
            acr_values_are_essential: false,
        }
    }
}

impl InteractionConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        SectionCheck::of("interaction")
            .lifetimes(&[("lifetime", self.lifetime), ("consent", self.consent)])
            .demand(
                self.anonymous_limit > 0,
                "anonymous_limit",
                "must be at least 1",
                "OIDC Core section 3.1.2.1",
            )
            .complaints()
    }

    /// What is wrong with it for this issuer.
    #[must_use]
    pub fn complaints_at(&self, issuer: &Issuer) -> Vec<Complaint> {
        self.location.iter().filter_map(|location| location.complaint(issuer)).collect()
    }
}

/// What happens next, in the browser. While it is decided, the client's answer is still [`Unsealed`].
pub struct Next<R = AuthorizationResponse> {
    /// What the browser gets.
    pub outcome: Outcome<R>,
    /// The new list of the session cookie, active session first; `None` to leave the cookie alone.
    pub sessions: Option<Vec<RotatingHandle<Session>>>,
    /// The new browser cookie; `None` to leave the cookie alone.
    pub browser: Option<Zeroizing<[u8; 16]>>,
    /// The new cookie of the names that have signed in from this browser; `None` to leave the cookie alone.
    pub devices: Option<String>,
    /// The new cookie that tells scripts whether anything has changed about who is signed in; `None` to leave the
    /// cookie alone.
    pub browser_state: Option<BrowserState>,
    /// Where GET shows what comes next, for a page that answers a form.
    pub entrance: Option<Entrance>,
    /// What a page may tell developers, and nobody else: which URI its request named that the client has not registered.
    pub unregistered: Option<Box<UnregisteredUri>>,
}

impl<R> Next<R> {
    /// The same, with the browser's state if that is watched here, and this changes it or tells it to a client.
    pub(crate) fn monitored(self, call: &Call, sessions: &Sessions) -> Self {
        let is_told = self.sessions.is_some() || matches!(self.outcome, Outcome::Respond(_));
        if !sessions.are_monitored() || !is_told || self.browser_state.is_some() {
            return self;
        }
        let list = self.sessions.as_deref().unwrap_or(&call.sessions);
        Self { browser_state: Some(BrowserState::of(list)), ..self }
    }
}

/// What the browser gets.
pub enum Outcome<R = AuthorizationResponse> {
    /// A page.
    Page(Box<view::View>),
    /// A redirect to the page of a stored interaction.
    Stored {
        /// Its handle.
        handle: Handle<Interaction>,
        /// Who asks.
        client: ClientId,
    },
    /// A redirect to the pages on another origin, with the request sealed in this text.
    Sealed(String),
    /// A redirect to a page of the person's account: what stands behind the address of the first one.
    Account(String),
    /// A redirect to the page of what waits for the person, or to the one request that it names.
    Approvals(Option<String>),
    /// The answer to the client.
    Respond(R),
    /// A redirect to the client after a logout (OIDC RP-Initiated Logout section 3).
    Leave(PostLogoutTarget),
}

/// Where a person comes in by GET who is at a page that answers a form, whose own address shows nothing. A page of a stored
/// interaction needs none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// The authorization endpoint, with this query.
    Request(String),
    /// A page of their account: what stands behind the address of the first one.
    Account(String),
    /// The page of what waits for them, or the one request that it names.
    Approvals(Option<String>),
    /// The page for the code that a device shows.
    UserCode,
    /// The logout endpoint, for this client.
    Logout(Option<String>),
}

/// What was decided; [`Interactions::respond`] makes it what happens next.
pub(crate) type Decided = Next<Unsealed>;

impl<R> From<Outcome<R>> for Next<R> {
    fn from(outcome: Outcome<R>) -> Self {
        Self {
            outcome,
            sessions: None,
            browser: None,
            devices: None,
            browser_state: None,
            entrance: None,
            unregistered: None,
        }
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
    /// Pages on another origin ask for one client and mean the interaction of another.
    pub INTERACTION_OF_ANOTHER_CLIENT = Reason {
        name: "interaction_of_another_client",
        code: ErrorCode::InvalidRequest,
        description: "the interaction is another client's",
        section: "OIDC Core section 3.1.2.3",
    };
}

/// Everything that an interaction is decided with; built once per snapshot.
pub struct Interactions {
    /// The list of checks.
    pub rules: Rules,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Makes codes and the client's responses.
    pub issuer: Arc<TokenIssuer>,
    /// Lifetimes of interactions and consents.
    pub config: InteractionConfig,
    /// Whether every request for pages on another origin is stored, because they find it by its client.
    pub is_stored_by_client: bool,
    /// Whether people can make accounts for themselves.
    pub sign_up: SignUpConfig,
    /// The pages for the request of another device.
    pub device_authorization: DeviceAuthorizationConfig,
    /// The address of the page of what waits for a person.
    pub approvals: Box<str>,
    /// The pages of a person's account.
    pub account: AccountPages,
    /// The provider as a client of its own.
    pub itself: Arc<Client>,
    /// Against guessing.
    pub throttle: throttle::Throttle,
    /// The authentication context classes that can be reached here.
    pub reachable: Vec<Acr>,
}

impl Component for Interactions {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        let prompts = self.rules.prompts.iter().map(PromptName::as_str);
        metadata
            .strings("acr_values_supported", self.reachable.iter().map(|acr| &*acr.0))
            .strings("prompt_values_supported", std::iter::once(NO_PROMPT).chain(prompts))
            .strings(
                "display_values_supported",
                [Display::Page, Display::Popup, Display::Touch].map(Display::as_str),
            );
    }
}

impl Interactions {
    fn keys(&self) -> &KeySet {
        &self.rules.keys
    }

    /// The query that starts the same request again, from the browser alone: `None` for a client whose requests
    /// need its signature, because what a page carries is not signed any more, and for a request that its client
    /// has encrypted. A pushed one can be referred to until it is answered.
    fn restart(&self, addressed: &Addressed<'_>) -> Option<String> {
        let can_restart = match &addressed.pushed {
            Some(pushed) => !pushed.is_answered(),
            None => !addressed.is_confidential && !self.rules.resolver.demands_signature(&addressed.client),
        };
        can_restart.then(|| addressed.carrier().into_text())
    }

    /// The one end of every page, form and step: what the client is to be told becomes the response that its
    /// browser carries.
    ///
    /// # Errors
    /// A fault of the signer.
    pub(crate) async fn respond(&self, call: &Call, env: &Env, decided: Decided) -> Result<Next, Fault> {
        let Decided { outcome, sessions, browser, devices, browser_state, entrance, unregistered } =
            decided.monitored(call, &self.sessions);
        let outcome = match outcome {
            Outcome::Page(view) => Outcome::Page(view),
            Outcome::Stored { handle, client } => Outcome::Stored { handle, client },
            Outcome::Sealed(text) => Outcome::Sealed(text),
            Outcome::Account(reference) => Outcome::Account(reference),
            Outcome::Approvals(reference) => Outcome::Approvals(reference),
            Outcome::Leave(target) => Outcome::Leave(target),
            Outcome::Respond(mut unsealed) => {
                // OIDC Session Management section 2: in responses and in error responses.
                if let (Some(state), true) = (&browser_state, unsealed.is_openid) {
                    let session_state = state.session_state(env, unsealed.client.id(), &unsealed.uri);
                    unsealed.parameters.push(("session_state", session_state));
                }
                Outcome::Respond(self.issuer.authorization_response(call, env, unsealed).await?)
            }
        };
        Ok(Next { outcome, sessions, browser, devices, browser_state, entrance, unregistered })
    }
}
