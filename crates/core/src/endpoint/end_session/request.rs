//! OpenID Connect RP-Initiated Logout 1.0 sections 2 to 4: what a request says, checked.
//! Config     none
//! Discovery  none

use std::sync::Arc;

use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, Params};

use crate::context::Env;
use crate::error::{Failure, Fault, Reason};
use crate::interaction::PostLogoutTarget;
use crate::keys::KeySet;
use crate::model::{Carrier, Client, RedirectUse};
use crate::offered::RedirectLeniency;
use crate::past_login::{PastLogin, claimed_client};
use crate::request::{PageError, UnregisteredUri};

/// Longest `state`, in bytes; the same as for an authorization request.
const LONGEST_STATE: usize = 4096;

/// The parameters that mean something (section 2).
const KNOWN: &[&str] =
    &["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

reasons! {
    /// `id_token_hint` of a logout request is not an ID token that this server issued to the client.
    pub LOGOUT_HINT_INVALID = hint_unusable("logout_hint_invalid");
    /// `id_token_hint` of a logout request names a client that an operator has disabled; nothing else in it was read. The
    /// person sees the same page as for a hint that is not valid.
    pub LOGOUT_HINT_CLIENT_DISABLED = hint_unusable("logout_hint_client_disabled");
    /// A logout request has an address to go to, but nothing tells of which client it is.
    pub LOGOUT_CLIENT_MISSING = Reason {
        name: "logout_client_missing",
        code: ErrorCode::InvalidRequest,
        description: "post_logout_redirect_uri without id_token_hint or client_id",
        section: "OIDC RP-Initiated Logout section 2",
    };
    /// `client_id` of a logout request is unknown.
    pub LOGOUT_CLIENT_UNKNOWN = client_unusable("logout_client_unknown");
    /// `client_id` of a logout request is that of a client that an operator has disabled; the person sees the same page as
    /// for an unknown one.
    pub LOGOUT_CLIENT_DISABLED = client_unusable("logout_client_disabled");
    /// `post_logout_redirect_uri` is not one of those that the client has registered. The line of the log has it as
    /// `redirect_uri`; `chancery client show ID` lists those that are registered.
    pub POST_LOGOUT_URI_UNREGISTERED = Reason {
        name: "post_logout_uri_unregistered",
        code: ErrorCode::InvalidRequest,
        description: "post_logout_redirect_uri does not match any registered one",
        section: "OIDC RP-Initiated Logout section 3",
    };
    /// `state` of a logout request is longer than 4 KiB.
    pub LOGOUT_STATE_TOO_LONG = Reason {
        name: "logout_state_too_long",
        code: ErrorCode::InvalidRequest,
        description: "state is too long",
        section: "OIDC RP-Initiated Logout section 2",
    };
}

/// The reasons about a hint that nobody outside must be able to distinguish.
const fn hint_unusable(name: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidRequest,
        description: "could not validate id_token_hint",
        section: "OIDC RP-Initiated Logout section 2",
    }
}

/// The same about a `client_id`.
const fn client_unusable(name: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidClient,
        description: "client is invalid",
        section: "OIDC RP-Initiated Logout section 2",
    }
}

/// A logout request, as far as it is right: what is wrong is not used (section 4).
pub(super) struct LogoutRequest {
    /// Who asks.
    pub(super) client: Option<Arc<Client>>,
    /// Who asks, as far as that is only claimed: for our own log.
    pub(super) claimed: Option<ClientId>,
    /// The login that the hint proves.
    pub(super) login: Option<PastLogin>,
    /// Where the person goes afterwards.
    pub(super) target: Option<PostLogoutTarget>,
    /// Who is meant, in the client's words.
    pub(super) logout_hint: Option<Box<str>>,
    /// In which languages to show pages.
    pub(super) ui_locales: Option<Box<str>>,
    /// What is wrong with it.
    pub(super) problem: Option<&'static Reason>,
    /// The address to go to that the client has not registered.
    pub(super) unregistered: Option<Box<UnregisteredUri>>,
    /// The request as a form carries it.
    pub(super) carrier: Carrier,
}

impl LogoutRequest {
    /// Reads it. Client and hint vouch for each other; without a client, nobody vouches for an address.
    pub(super) async fn read(
        env: &Env,
        keys: &KeySet,
        loosened: RedirectLeniency,
        params: Params<'_>,
    ) -> Result<Self, Failure> {
        let params = params.filtered(|name| KNOWN.contains(&name));
        let hint = params.one("id_token_hint")?;
        let (client_id, state) = (params.one("client_id")?, params.one("state")?);
        let asked_uri = params.one("post_logout_redirect_uri")?;
        let mut request = Self {
            client: None,
            claimed: None,
            login: None,
            target: None,
            logout_hint: params.one("logout_hint")?.map(Box::from),
            ui_locales: params.one("ui_locales")?.map(Box::from),
            problem: None,
            unregistered: None,
            carrier: Carrier::of(&params),
        };
        if state.is_some_and(|state| state.len() > LONGEST_STATE) {
            return Ok(request.with_problem(&LOGOUT_STATE_TOO_LONG));
        }
        let named = match (client_id, hint) {
            (Some(id), _) => ClientId::parse(id).ok(),
            (None, Some(hint)) => claimed_client(hint),
            (None, None) if asked_uri.is_some() => return Ok(request.with_problem(&LOGOUT_CLIENT_MISSING)),
            (None, None) => return Ok(request),
        };
        let found = registered(env, named.as_ref()).await?;
        request.claimed = found.as_ref().map(|client| client.id().clone());
        let is_disabled = found.as_ref().is_some_and(|client| !client.is_enabled());
        let Some(client) = found.filter(|_| !is_disabled) else {
            return Ok(request.with_problem(match (client_id.is_some(), is_disabled) {
                (true, true) => &LOGOUT_CLIENT_DISABLED,
                (true, false) => &LOGOUT_CLIENT_UNKNOWN,
                (false, true) => &LOGOUT_HINT_CLIENT_DISABLED,
                (false, false) => &LOGOUT_HINT_INVALID,
            }));
        };
        if let Some(hint) = hint {
            request.login = PastLogin::read(hint, &client, keys, &env.issuer);
            if request.login.is_none() {
                return Ok(request.with_problem(&LOGOUT_HINT_INVALID));
            }
        }
        if let Some(asked) = asked_uri {
            let Some(uri) = client.post_logout_uri(asked, loosened) else {
                request.unregistered = Some(Box::new(UnregisteredUri {
                    client: Arc::clone(&client),
                    what_for: RedirectUse::Logout,
                    uri: asked.into(),
                    unregistrable: client.registrable(RedirectUse::Logout, asked, loosened).err(),
                }));
                request.client = Some(client);
                return Ok(request.with_problem(&POST_LOGOUT_URI_UNREGISTERED));
            };
            request.target = Some(PostLogoutTarget { uri, state: state.map(str::to_owned) });
        }
        request.client = Some(client);
        Ok(request)
    }

    /// The error of which the person is told, if something is wrong.
    pub(super) fn error(&self) -> Option<PageError> {
        Some(PageError {
            failure: self.problem?.into(),
            way_on: self.client.clone(),
            client: self.claimed.clone(),
            unregistered: self.unregistered.clone(),
            mistake: None,
        })
    }

    fn with_problem(self, why: &'static Reason) -> Self {
        Self { problem: Some(why), ..self }
    }
}

async fn registered(env: &Env, id: Option<&ClientId>) -> Result<Option<Arc<Client>>, Fault> {
    let Some(id) = id else { return Ok(None) };
    env.registry.client(&env.realm, id).await
}
