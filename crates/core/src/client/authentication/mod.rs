//! RFC 6749, The OAuth 2.0 Authorization Framework: section 2.3, client authentication.
//! Config     `[client_authentication]`, and `secret_method` of a client
//! Discovery  *_endpoint_auth_methods_supported of the endpoints that clients call
//!
//! Every endpoint that clients call directly authenticates them here. The client id that a request claims is
//! returned with every result, even a refusal, for the log.

use std::sync::Arc;

use chancery_jose::SigningAlgorithm;
use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode};
use chancery_types::{ClientId, Params};
use chancery_x509::Authorities;
use serde::{Deserialize, Serialize};

use crate::client::meets;
use crate::context::{Call, Env};
use crate::error::{Failure, Reason};
use crate::event::{ClientMethods, Origins, RefusedClient};
use crate::keys::KeySet;
use crate::model::{Client, SecretMethod};
use crate::offered::{AssertionAudience, Endpoint, MutualTlsConfig, Routes};
use crate::policy::DynClientPolicy;
use crate::profile::Floor;

pub(crate) mod assertion;
use assertion::SIGNATURE_WRONG;

pub(crate) mod certificate;

pub(crate) mod presented;
use presented::{Presented, Proof};

pub(crate) mod secret;

/// `[client_authentication]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientAuthenticationConfig {
    /// What clients may sign their assertions with. Without a symmetric algorithm there is no
    /// `client_secret_jwt`, and without an asymmetric one no `private_key_jwt`.
    pub assertion_algorithms: Vec<SigningAlgorithm>,
    /// How a client may send its secret. A single client can be stricter than this, never laxer.
    pub secret_method: SecretMethod,
}

impl Default for ClientAuthenticationConfig {
    fn default() -> Self {
        Self { assertion_algorithms: SigningAlgorithm::ALL.to_vec(), secret_method: SecretMethod::default() }
    }
}

/// Authenticates clients.
pub struct Authenticator {
    /// `[client_authentication]`
    pub config: ClientAuthenticationConfig,
    /// `[mtls]`
    pub mutual_tls: MutualTlsConfig,
    /// Who vouches for certificates.
    pub authorities: Arc<Authorities>,
    /// Whom the assertions of every client may be for.
    pub audience: AssertionAudience,
    /// Where the endpoints are.
    pub routes: Routes,
    /// The keys of the realm, which open the secrets that are keys of an HMAC.
    pub keys: Arc<KeySet>,
    /// What each client is held to.
    pub floor: Floor,
    /// Decides which origins' scripts may call as which client.
    pub policy: Arc<dyn DynClientPolicy>,
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
    /// What it has used and what it is registered for, if that is why. For our own log.
    pub methods: Option<ClientMethods>,
    /// Where the script comes from and where it has to come from, if that is why. For our own log.
    pub origins: Option<Origins>,
}

impl Unauthenticated {
    const fn of(claimed: Option<ClientId>, failure: Failure) -> Self {
        Self { claimed, failure, methods: None, origins: None }
    }
}

impl<E: Into<Failure>> From<E> for Unauthenticated {
    fn from(failure: E) -> Self {
        Self::of(None, failure.into())
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
    authentication_failed_by(name, "RFC 6749 section 5.2")
}

const fn authentication_failed_by(name: &'static str, section: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidClient, description: "client authentication failed", section }
}

/// Whether a failure for this reason was an attempt with a secret that is not the client's. Unknown clients
/// are counted too, so that the delay does not reveal which clients exist.
fn is_wrong_guess(failure: &Failure) -> bool {
    let wrong = [&CLIENT_UNKNOWN, &METHOD_UNREGISTERED, &SECRET_WRONG, &SIGNATURE_WRONG];
    matches!(failure, Failure::Refused(refusal) if wrong.contains(&refusal.reason))
}

impl Authenticator {
    /// Finds the one mechanism in the request, looks the client up and checks its proof.
    ///
    /// An unknown or disabled client, a wrong method and a wrong secret all give the same answer and take the
    /// time of one digest. An assertion is answered alike, too, but not as fast for each client: its
    /// signature takes the time of the client's own key, and ids of clients are no secret.
    ///
    /// # Errors
    /// A refusal with `invalid_request` if there is no mechanism or more than one, if it is malformed or
    /// contradicts `client_id`, or if a script of a foreign origin calls; with `invalid_client` if the proof
    /// is invalid (RFC 6749 section 5.2); or a fault of the registry or the store.
    pub async fn authenticate(
        &self,
        call: &Call,
        env: &Env,
        endpoint: Endpoint,
        params: &Params<'_>,
    ) -> Result<AuthenticatedClient, Unauthenticated> {
        let Presented { client_id, proof } = Presented::read(call, params)?;
        let client = match ClientId::parse(&client_id) {
            Ok(id) => env.registry.client(&env.realm, &id).await?,
            Err(_) => None,
        };
        let claimed = client.as_ref().map(|client| client.id().clone());
        // Checked first, because a script that may not read the answer must not have any effect either.
        if !self.may_be_called_from(call, env, client.as_deref()) {
            let failure = (&ORIGIN_NOT_ALLOWED).into();
            let own = client.as_ref().map(|client| client.origins().join(" ")).unwrap_or_default();
            let origins = Some(Origins::of(call.origin.as_deref(), &own));
            return Err(Unauthenticated { origins, ..Unauthenticated::of(claimed, failure) });
        }
        let (wrong_secrets, network) = (&env.limits.client_secrets, call.network());
        let guess = proof.guess();
        // A correct secret has to wait too, or the delay would reveal which one is correct.
        if guess.is_some()
            && let Some(wait) = wrong_secrets.wait(call.now, network.as_deref(), &client_id)
        {
            return Err(Unauthenticated::of(claimed, SECRETS_THROTTLED.for_now(wait).into()));
        }
        let registered = client.as_ref().map(|client| client.metadata().flow.token_endpoint_auth_method);
        let verified = match client {
            Some(client) => self.verified(call, env, endpoint, &proof, client).await,
            None => {
                proof.take_the_time();
                CLIENT_UNKNOWN.refused()
            }
        };
        verified.map_err(|failure| {
            if let Some(guess) = guess.filter(|_| is_wrong_guess(&failure)) {
                wrong_secrets.failed(call.now, network.as_deref(), &client_id, guess);
            }
            let is_method = matches!(&failure, Failure::Refused(why) if *why.reason == METHOD_UNREGISTERED);
            let methods = registered
                .filter(|_| is_method)
                .map(|registered| ClientMethods { used: proof.method(), registered });
            Unauthenticated { methods, ..Unauthenticated::of(claimed, failure) }
        })
    }

    /// Whether the request comes from outside any script, from one of our own pages, or from an origin of the
    /// client (Fetch, section "CORS protocol").
    fn may_be_called_from(&self, call: &Call, env: &Env, client: Option<&Client>) -> bool {
        let Some(origin) = call.origin.as_deref() else { return true };
        origin == env.issuer.origin() || client.is_some_and(|client| self.policy.origin(client, origin))
    }

    /// Compares the proof with what the client is registered for.
    async fn verified(
        &self,
        call: &Call,
        env: &Env,
        endpoint: Endpoint,
        proof: &Proof<'_>,
        client: Arc<Client>,
    ) -> Result<AuthenticatedClient, Failure> {
        use ClientAuthenticationMethod::{
            ClientSecretBasic, ClientSecretJwt, ClientSecretPost, None as Public, PrivateKeyJwt,
            SelfSignedTlsClientAuth, TlsClientAuth,
        };
        match (client.metadata().flow.token_endpoint_auth_method, proof) {
            (Public, Proof::None) => {}
            (method @ (ClientSecretBasic | ClientSecretPost), Proof::Secret { sent_by, secret })
                if method == *sent_by || self.takes_either(&client) =>
            {
                let same = client.secrets().iter().filter(|known| known.digest.matches(secret));
                match same.map(|known| known.is_good(call.now)).max() {
                    Some(true) => {}
                    Some(false) => return SECRET_EXPIRED.refused(),
                    None => return SECRET_WRONG.refused(),
                }
            }
            (ClientSecretJwt | PrivateKeyJwt, Proof::Assertion(assertion)) => {
                self.asserted(call, env, endpoint, assertion, &client).await?;
            }
            // The request names its client, and its certificate is the proof (RFC 8705 section 2).
            (TlsClientAuth | SelfSignedTlsClientAuth, Proof::None) => {
                self.certified(call, env, &client).await?;
            }
            (_, proof) => {
                proof.take_the_time();
                return METHOD_UNREGISTERED.refused();
            }
        }
        if !client.is_enabled() {
            return CLIENT_DISABLED.refused();
        }
        meets(&client, client.demands(&self.floor))?;
        Ok(AuthenticatedClient { client })
    }

    /// RFC 6749 section 2.3.1 defines two ways to send the same secret, and many client libraries use both
    /// for the same client.
    fn takes_either(&self, client: &Client) -> bool {
        self.config.secret_method == SecretMethod::Either
            && client.metadata().own.secret_method == SecretMethod::Either
    }
}
