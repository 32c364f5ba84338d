//! RFC 6749, The OAuth 2.0 Authorization Framework: section 2.3, client authentication.
//! Config     `[client_authentication]`, and `secret_method` of a client
//! Discovery  token_endpoint_auth_methods_supported, introspection_endpoint_auth_methods_supported,
//!            revocation_endpoint_auth_methods_supported
//!
//! Every endpoint that clients call directly authenticates them here. The client id that a request claims is
//! returned with every result, even a refusal, for the log.

use std::sync::Arc;

use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode};
use chancery_types::{ClientId, Params, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::{Call, Env};
use crate::error::{Failure, Reason, Refusal, Remedy};
use crate::event::RefusedClient;
use crate::model::{Client, SecretMethod};
use crate::policy::ClientPolicy;

pub(crate) mod presented;
use presented::{Presented, Proof};

pub(crate) mod secret;

/// `[client_authentication]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientAuthenticationConfig {
    /// How a client may send its secret. A single client can be stricter than this, never laxer.
    pub secret_method: SecretMethod,
}

/// Authenticates clients.
pub struct Authenticator {
    /// `[client_authentication]`
    pub config: ClientAuthenticationConfig,
    /// Decides which origins' scripts may call as which client.
    pub policy: Arc<dyn ClientPolicy>,
}

/// A client that has authenticated. Only [`Authenticator::authenticate`] makes one.
///
/// ```
/// # use chancery_core::{client::AuthenticatedClient, model::Client};
/// fn read(client: &AuthenticatedClient) -> &Client { client.client() }
/// ```
///
/// ```compile_fail,E0451
/// # use chancery_core::{client::AuthenticatedClient, model::Client};
/// fn forge(client: std::sync::Arc<Client>) -> AuthenticatedClient { AuthenticatedClient { client } }
/// ```
pub struct AuthenticatedClient {
    client: Arc<Client>,
}

impl AuthenticatedClient {
    /// The client that was authenticated.
    #[must_use]
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// How a refusal names the client: a public one has proved nothing.
    pub(crate) fn when_refused(&self) -> RefusedClient {
        let id = self.client.id().clone();
        if self.client.is_public() { RefusedClient::Claimed(id) } else { RefusedClient::Authenticated(id) }
    }
}

/// A request whose client could not be authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unauthenticated {
    /// The client that the request claims to come from, for our own log. `None` also if no client has this
    /// id: the value may be a secret in the wrong place.
    pub claimed: Option<ClientId>,
    /// What is sent to the peer.
    pub failure: Failure,
}

impl<E: Into<Failure>> From<E> for Unauthenticated {
    fn from(failure: E) -> Self {
        Self { claimed: None, failure: failure.into() }
    }
}

reasons! {
    /// Scripts of this origin may not call as this client.
    pub ORIGIN_NOT_ALLOWED = Reason {
        name: "origin_not_allowed",
        code: ErrorCode::InvalidRequest,
        description: "the origin is not allowed for this client",
        section: "Fetch, section CORS protocol",
    };
    /// No client with this id is registered in the realm.
    CLIENT_UNKNOWN = authentication_failed("client_unknown");
    /// The client is disabled in the registry.
    CLIENT_DISABLED = authentication_failed("client_disabled");
    /// The client uses an authentication method other than the one it is registered for.
    METHOD_UNREGISTERED = authentication_failed("client_authentication_method_unregistered");
    /// The client secret is not one of the client's.
    SECRET_WRONG = authentication_failed("client_secret_wrong");
    /// The client secret was valid once and has expired.
    SECRET_EXPIRED = authentication_failed("client_secret_expired");
    /// Too many wrong secrets were sent for this client from this network. Requests for it from other
    /// networks are not slowed down.
    SECRETS_THROTTLED = Reason {
        name: "client_secrets_throttled",
        code: ErrorCode::InvalidClient,
        description: "too many wrong client secrets",
        section: "RFC 6749 section 2.3.1",
    };
}

/// The reasons that a peer must not be able to distinguish.
const fn authentication_failed(name: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidClient,
        description: "client authentication failed",
        section: "RFC 6749 section 5.2",
    }
}

impl Authenticator {
    /// Finds the one mechanism in the request, looks the client up and checks its proof.
    ///
    /// An unknown or disabled client, a wrong method and a wrong secret all give the same answer and take the
    /// time of one digest.
    ///
    /// # Errors
    /// A refusal with `invalid_request` if there is no mechanism or more than one, if it is malformed or
    /// contradicts `client_id`, or if a script of a foreign origin calls; with `invalid_client` if the proof
    /// is invalid (RFC 6749 section 5.2); or a fault of the registry.
    pub async fn authenticate(
        &self,
        call: &Call,
        env: &Env,
        params: &Params<'_>,
    ) -> Result<AuthenticatedClient, Unauthenticated> {
        let Presented { client_id, proof } = Presented::read(call, params)?;
        let client = match ClientId::parse(&client_id) {
            Ok(id) => env.registry.client(&env.realm, &id).await?,
            Err(_) => None,
        };
        let claimed = client.as_ref().map(|client| client.id().clone());
        let refused =
            |reason: &'static Reason| Unauthenticated { claimed: claimed.clone(), failure: reason.into() };
        // Checked first, because a script that may not read the answer must not have any effect either.
        if !self.may_be_called_from(call, env, client.as_deref()) {
            return Err(refused(&ORIGIN_NOT_ALLOWED));
        }
        let Proof::Secret { secret, .. } = &proof else {
            return self.verified(call.now, &proof, client).map_err(refused);
        };
        // A correct secret has to wait too, or the delay would reveal which one is correct.
        let (guessing, network) = (&env.guessing.client_secrets, call.network());
        if let Some(wait) = guessing.wait(call.now, network.as_deref(), &client_id) {
            let refusal = Refusal { reason: &SECRETS_THROTTLED, remedy: Some(Remedy::RetryAfter(wait)) };
            return Err(Unauthenticated { claimed, failure: refusal.into() });
        }
        self.verified(call.now, &proof, client).map_err(|reason| {
            // Unknown clients are counted too, so that the delay does not reveal which clients exist.
            if *reason != SECRET_EXPIRED && *reason != CLIENT_DISABLED {
                guessing.failed(call.now, network.as_deref(), &client_id, secret);
            }
            Unauthenticated { claimed, failure: reason.into() }
        })
    }

    /// Whether the request comes from outside any script, from one of our own pages, or from an origin of the
    /// client (Fetch, section "CORS protocol").
    fn may_be_called_from(&self, call: &Call, env: &Env, client: Option<&Client>) -> bool {
        let Some(origin) = call.origin.as_deref() else { return true };
        origin == env.issuer.origin() || client.is_some_and(|client| self.policy.origin(client, origin))
    }

    fn verified(
        &self,
        now: Timestamp,
        proof: &Proof,
        client: Option<Arc<Client>>,
    ) -> Result<AuthenticatedClient, &'static Reason> {
        let Some(client) = client else {
            proof.take_the_time();
            return Err(&CLIENT_UNKNOWN);
        };
        match (client.metadata().flow.token_endpoint_auth_method, proof) {
            (ClientAuthenticationMethod::None, Proof::None) => {}
            (
                method @ (ClientAuthenticationMethod::ClientSecretBasic
                | ClientAuthenticationMethod::ClientSecretPost),
                Proof::Secret { sent_by, secret },
            ) if method == *sent_by || self.takes_either(&client) => {
                let same = client.secrets().iter().filter(|known| known.digest.matches(secret));
                match same.map(|known| known.is_good(now)).max() {
                    Some(true) => {}
                    Some(false) => return Err(&SECRET_EXPIRED),
                    None => return Err(&SECRET_WRONG),
                }
            }
            (_, proof) => {
                proof.take_the_time();
                return Err(&METHOD_UNREGISTERED);
            }
        }
        if client.is_enabled() { Ok(AuthenticatedClient { client }) } else { Err(&CLIENT_DISABLED) }
    }

    /// RFC 6749 section 2.3.1 defines two ways to send the same secret, and many client libraries use both
    /// for the same client.
    fn takes_either(&self, client: &Client) -> bool {
        self.config.secret_method == SecretMethod::Either
            && client.metadata().own.secret_method == SecretMethod::Either
    }
}
