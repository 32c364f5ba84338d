//! One method per endpoint, over one immutable snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use chancery_jose::{SigningAlgorithm, SystemRandom};
use chancery_store::{Revision, StateStore};
use chancery_types::iana::ErrorCode;
use chancery_types::{AccountId, ClientId, Issuer, Params, RealmId, Timestamp};

use crate::client::ClientAuthentication;
use crate::config::Config;
use crate::context::{Call, Env, RequestId};
use crate::discovery::{self, Announced, Document, Routes};
use crate::endpoint::authorization::AuthorizationEndpoint;
pub use crate::endpoint::introspection::Introspection;
use crate::endpoint::introspection::IntrospectionEndpoint;
use crate::endpoint::revocation::RevocationEndpoint;
use crate::endpoint::token::TokenEndpoint;
pub use crate::endpoint::userinfo::UserInfo;
use crate::endpoint::userinfo::UserInfoEndpoint;
use crate::error::{Complaint, Failure, Fault, PageError};
use crate::event::{Endpoint, Event};
use crate::interaction::throttle::Throttle;
use crate::interaction::{Interactions, Next, consent};
use crate::issue::authorization_code::Codes;
use crate::issue::{TokenIssuer, TokenResponse};
use crate::keys::KeySet;
use crate::model::Acr;
use crate::policy::{
    AuthorizationPolicy, ClientPolicy, DefaultAuthorizationPolicy, DefaultClientPolicy, DefaultTokenPolicy, TokenPolicy,
};
use crate::ports::{Accounts, Clock, EventSink, PrivateKeys, Random, Registry, SystemClock, Unheard};
use crate::request::Rules;
use crate::rule::claims::ClaimsRule;
use crate::rule::scope::ScopeRule;
use crate::session::Sessions;
use crate::worker;

/// What nobody can choose for you.
pub struct Parts {
    /// Which realm of the stores is this provider's. Never changes.
    pub realm: RealmId,
    /// The name in the tokens, and the beginning of every URL.
    pub issuer: Issuer,
    /// Where the protocol's records are.
    pub store: Arc<dyn StateStore>,
    /// Clients and resource servers.
    pub registry: Arc<dyn Registry>,
    /// People.
    pub accounts: Arc<dyn Accounts>,
    /// Private keys.
    pub keys: Arc<dyn PrivateKeys>,
}

/// A provider before it is checked. Each `with_…` replaces a default.
pub struct Builder {
    parts: Parts,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    events: Arc<dyn EventSink>,
    components: Components,
}

/// What a snapshot is made of, beside the keys.
struct Components {
    config: Config,
    authorization_policy: Arc<dyn AuthorizationPolicy>,
    token_policy: Arc<dyn TokenPolicy>,
    client_policy: Arc<dyn ClientPolicy>,
    ui_locales: Vec<String>,
}

impl Builder {
    /// With all defaults: the system's clock and randomness, the default policies, and nobody who hears of events.
    #[must_use]
    pub fn new(parts: Parts, config: Config) -> Self {
        Self {
            parts,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            events: Arc::new(Unheard),
            components: Components {
                config,
                authorization_policy: Arc::new(DefaultAuthorizationPolicy),
                token_policy: Arc::new(DefaultTokenPolicy),
                client_policy: Arc::new(DefaultClientPolicy),
                ui_locales: Vec::new(),
            },
        }
    }

    /// Another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Another source of random bytes.
    #[must_use]
    pub fn with_random(self, random: Arc<dyn Random>) -> Self {
        Self { random, ..self }
    }

    /// Somebody who hears of events.
    #[must_use]
    pub fn with_events(self, events: Arc<dyn EventSink>) -> Self {
        Self { events, ..self }
    }

    /// Other decisions about authorization requests.
    #[must_use]
    pub fn with_authorization_policy(mut self, policy: Arc<dyn AuthorizationPolicy>) -> Self {
        self.components.authorization_policy = policy;
        self
    }

    /// Other decisions about tokens.
    #[must_use]
    pub fn with_token_policy(mut self, policy: Arc<dyn TokenPolicy>) -> Self {
        self.components.token_policy = policy;
        self
    }

    /// Other decisions about clients.
    #[must_use]
    pub fn with_client_policy(mut self, policy: Arc<dyn ClientPolicy>) -> Self {
        self.components.client_policy = policy;
        self
    }

    /// The languages of the pages, to be announced as `ui_locales_supported` (OIDC Discovery section 3).
    #[must_use]
    pub fn with_ui_locales(mut self, locales: impl IntoIterator<Item = String>) -> Self {
        self.components.ui_locales = locales.into_iter().collect();
        self
    }

    /// Checks everything and builds the first snapshot.
    ///
    /// # Errors
    /// Everything that is wrong, at once; also that keys or store do not answer.
    pub async fn build(self) -> Result<Arc<Provider>, Vec<Complaint>> {
        let Self { parts, clock, random, events, components } = self;
        let Parts { realm, issuer, store, registry, accounts, keys: private_keys } = parts;
        let env = Env { realm, issuer, store, registry, accounts, private_keys, random, events };
        let now = clock.now();
        let mut complaints = components.config.complaints();
        if let Err(fault) = env.registry.revision(&env.realm).await {
            complaints.push(Complaint::new("registry", fault.message(), "configuration"));
        }
        let snapshot = match Snapshot::make(&components, &env, now).await {
            Ok(snapshot) => snapshot,
            Err(fault) => {
                complaints.push(Complaint::new("keys", fault.message(), "configuration"));
                return Err(complaints);
            }
        };
        if !snapshot.keys.can_sign(SigningAlgorithm::Rs256, now) {
            let rule = "must have an RS256 key that signs now: every client may rely on it";
            complaints.push(Complaint::new("keys", rule, "OIDC Core section 15.1"));
        }
        if !complaints.is_empty() {
            return Err(complaints);
        }
        let snapshot = ArcSwap::from_pointee(snapshot);
        Ok(Arc::new(Provider { env, clock, components, snapshot, asked_at: AtomicI64::new(now.millis()) }))
    }
}

/// Everything that a request is answered with; made once and never changed, only replaced as a whole.
pub struct Snapshot {
    /// The metadata (RFC 8414 section 3.2).
    pub discovery: Document,
    /// The JWK Set (RFC 7517 section 5).
    pub jwks: Document,
    keys: Arc<KeySet>,
    keys_revision: Revision,
    /// When a key changes its state by itself.
    old_at: Option<Timestamp>,
    interactions: Arc<Interactions>,
    authorization: AuthorizationEndpoint,
    token: TokenEndpoint,
    introspection: IntrospectionEndpoint,
    revocation: RevocationEndpoint,
    userinfo: UserInfoEndpoint,
}

impl Snapshot {
    /// Assembles the components by name, one after the other.
    async fn make(components: &Components, env: &Env, now: Timestamp) -> Result<Self, Fault> {
        let Components { config, authorization_policy, token_policy, client_policy, ui_locales } = components;
        // Asked before the keys are read: what changes in between is found by the next question.
        let keys_revision = env.private_keys.revision(&env.realm).await?;
        let keys = Arc::new(KeySet::load(env).await?);

        let claims = ClaimsRule::new(config.claims.clone());
        let scope = ScopeRule::new(&config.scopes, claims.scopes());
        let interactions = Arc::new(Interactions {
            rules: Rules {
                scope: scope.clone(),
                claims: claims.clone(),
                keys: Arc::clone(&keys),
                issuer: env.issuer.clone(),
                policy: Arc::clone(authorization_policy),
            },
            sessions: Sessions::new(config.session.clone()),
            code: Codes {
                config: config.authorization_code.clone(),
                access_token: config.access_token.clone(),
                policy: Arc::clone(token_policy),
            },
            config: config.interaction.clone(),
            throttle: Throttle::new(config.throttle.clone()),
            reachable: vec![Acr(Acr::PASSWORD.into())],
        });
        let issuer = Arc::new(TokenIssuer {
            keys: Arc::clone(&keys),
            policy: Arc::clone(token_policy),
            claims: Arc::new(claims.clone()),
            access_token: config.access_token.clone(),
            id_token: config.id_token.clone(),
            refresh_token: config.refresh_token.clone(),
        });
        let announced = Announced {
            issuer: &env.issuer,
            routes: &config.routes,
            keys: &keys,
            interactions: &interactions,
            ui_locales,
            config: &config.discovery,
        };
        Ok(Self {
            discovery: discovery::metadata(&announced, now),
            jwks: Document::new(keys.jwks_json(now)),
            keys_revision,
            old_at: keys.next_change(now),
            authorization: AuthorizationEndpoint::new(Arc::clone(&interactions)),
            token: TokenEndpoint { issuer: Arc::clone(&issuer), scopes: Arc::new(scope) },
            introspection: IntrospectionEndpoint { issuer: Arc::clone(&issuer), policy: Arc::clone(client_policy) },
            revocation: RevocationEndpoint { issuer: Arc::clone(&issuer), policy: Arc::clone(client_policy) },
            userinfo: UserInfoEndpoint { issuer, claims: Arc::new(claims) },
            interactions,
            keys,
        })
    }
}

/// An OpenID Provider: everything that the HTTP layer calls.
pub struct Provider {
    env: Env,
    clock: Arc<dyn Clock>,
    components: Components,
    snapshot: ArcSwap<Snapshot>,
    /// When registry and keys were asked last whether they have moved, in milliseconds.
    asked_at: AtomicI64,
}

/// A question on its way. Whoever asks may go away in the middle of it, as a peer does that breaks off its request: then it
/// was not asked, and the next one asks.
struct Asking<'a> {
    asked_at: &'a AtomicI64,
    before: i64,
    is_over: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.asked_at.store(self.before, Ordering::Relaxed);
        }
    }
}

/// For how long a snapshot may be used without asking whether it still holds.
const FRESH: Duration = Duration::from_secs(1);

impl Provider {
    /// A provider with all defaults: `Builder::new(parts, config).build()`.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub async fn new(parts: Parts, config: Config) -> Result<Arc<Self>, Vec<Complaint>> {
        Builder::new(parts, config).build().await
    }

    /// Its name.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.env.issuer
    }

    /// Its realm in the stores.
    #[must_use]
    pub fn realm(&self) -> &RealmId {
        &self.env.realm
    }

    /// Where its facts come from.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The paths of its endpoints.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.components.config.routes
    }

    /// How long a session cookie can be of use.
    #[must_use]
    pub fn session_lifetime(&self) -> Duration {
        self.components.config.session.absolute
    }

    /// The time, for the HTTP layer to ask once per request.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What requests are answered with at this moment.
    #[must_use]
    pub fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Asks accounts, registry and keys whether they have moved, if nobody has within a second, and makes a new snapshot
    /// when the keys have, or when the time of one has come. When that fails, the old snapshot is used further, and the fault is
    /// told to the event sink.
    pub async fn refresh(&self, now: Timestamp) {
        let asked_at = self.asked_at.load(Ordering::Relaxed);
        let old_at = self.snapshot.load().old_at.filter(|at| *at <= now);
        // A question that failed is not asked again by every request, also when the time of a key has come.
        let was_asked = old_at.is_none_or(|at| at.millis() <= asked_at);
        let is_fresh = was_asked && (0..millis(FRESH)).contains(&now.millis().saturating_sub(asked_at));
        let swap = || self.asked_at.compare_exchange(asked_at, now.millis(), Ordering::Relaxed, Ordering::Relaxed);
        // Of several requests at the same moment one asks; the others go on with what there is.
        if is_fresh || swap().is_err() {
            return;
        }
        let mut asking = Asking { asked_at: &self.asked_at, before: asked_at, is_over: false };
        let answer = self.ask(now, old_at.is_some()).await;
        asking.is_over = true;
        if let Err(fault) = answer {
            let request = RequestId("refresh".into());
            self.env.events.record(now, &request, &Event::Faulted { endpoint: Endpoint::Metadata, fault });
        }
    }

    async fn ask(&self, now: Timestamp, is_old: bool) -> Result<(), Fault> {
        // Each is asked, also when another does not answer: nothing may be believed longer than a second.
        let accounts = self.env.accounts.refresh(&self.env.realm).await;
        let registry = self.env.registry.revision(&self.env.realm).await;
        let keys = self.env.private_keys.revision(&self.env.realm).await?;
        if is_old || keys != self.snapshot.load().keys_revision {
            self.snapshot.store(Arc::new(Snapshot::make(&self.components, &self.env, now).await?));
        }
        accounts.and(registry.map(drop))
    }

    /// The authorization endpoint, GET and POST (RFC 6749 section 3.1).
    ///
    /// # Errors
    /// A page for the person.
    pub async fn authorize(&self, call: &Call, params: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.authorization.authorize(call, &self.env, params).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Authorization, None, failure))
    }

    /// The form of a first page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn answer_first(&self, call: &Call, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.interactions.answer_form(call, &self.env, &form).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Interaction, None, failure))
    }

    /// The page of a stored interaction.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn interaction(&self, call: &Call, handle: &str) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.interactions.stored_page(call, &self.env, handle).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Interaction, None, failure))
    }

    /// The form of a stored interaction's page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn answer(&self, call: &Call, handle: &str, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.interactions.answer_stored(call, &self.env, handle, &form).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Interaction, None, failure))
    }

    /// The token endpoint (RFC 6749 section 3.2).
    ///
    /// # Errors
    /// A refusal or a fault; then nothing was used up.
    pub async fn token(&self, call: &Call, params: &Params<'_>) -> Result<TokenResponse, Failure> {
        let snapshot = self.snapshot.load_full();
        let response = snapshot.token.respond(call, &self.env, params).await;
        response.inspect_err(|failure| self.record(call, Endpoint::Token, Some(params), failure))
    }

    /// The introspection endpoint (RFC 7662 section 2).
    ///
    /// # Errors
    /// A refusal or a fault.
    pub async fn introspect(&self, call: &Call, params: &Params<'_>) -> Result<Introspection, Failure> {
        let snapshot = self.snapshot.load_full();
        let answer = snapshot.introspection.respond(call, &self.env, params).await;
        answer.inspect_err(|failure| self.record(call, Endpoint::Introspection, Some(params), failure))
    }

    /// The revocation endpoint (RFC 7009 section 2).
    ///
    /// # Errors
    /// A refusal or a fault.
    pub async fn revoke(&self, call: &Call, params: &Params<'_>) -> Result<(), Failure> {
        let snapshot = self.snapshot.load_full();
        let answer = snapshot.revocation.respond(call, &self.env, params).await;
        answer.inspect_err(|failure| self.record(call, Endpoint::Revocation, Some(params), failure))
    }

    /// UserInfo (OIDC Core section 5.3); `form` is the body of a POST, else empty. The query is looked at only to refuse a
    /// token in it (RFC 9700 section 4.3.2).
    ///
    /// # Errors
    /// A refusal or a fault.
    pub async fn userinfo(&self, call: &Call, query: &Params<'_>, form: &Params<'_>) -> Result<UserInfo, Failure> {
        let snapshot = self.snapshot.load_full();
        let answer = snapshot.userinfo.respond(call, &self.env, query, form).await;
        answer.inspect_err(|failure| self.record(call, Endpoint::UserInfo, None, failure))
    }

    /// Whether a page of this origin may read what the endpoints answer to this client. Where no client is named, the
    /// caller holds a bearer token already, and has nothing to win.
    ///
    /// # Errors
    /// A fault of the registry.
    pub async fn allows_origin(&self, client_id: Option<&str>, origin: &str) -> Result<bool, Fault> {
        let Some(client_id) = client_id else { return Ok(true) };
        let Ok(client_id) = ClientId::parse(client_id) else { return Ok(false) };
        let client = self.env.registry.client(&self.env.realm, &client_id).await?;
        Ok(client.is_some_and(|client| self.components.client_policy.origin(&client, origin)))
    }

    /// Withdraws what a person agreed to for a client, and ends every grant of the client that rests on it. Returns how
    /// many grants ended.
    ///
    /// # Errors
    /// A fault of the store; then calling it again goes on where it stopped.
    pub async fn withdraw_consent(&self, call: &Call, account: &AccountId, client: &ClientId) -> Result<u64, Fault> {
        consent::withdraw(call, &self.env, account, client).await
    }

    /// What has to be done from time to time: removes what has expired, and says how many records.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn run_once(&self, now: Timestamp) -> Result<u64, Fault> {
        worker::run_once(&self.env, now).await
    }

    /// Tells of a request that did not go well. The client is named when it was authenticated.
    fn record(&self, call: &Call, endpoint: Endpoint, params: Option<&Params<'_>>, failure: &Failure) {
        let event = match failure {
            Failure::Broken(fault) => Event::Faulted { endpoint, fault: fault.clone() },
            Failure::Refused(refusal) => {
                let was_authenticated = refusal.reason.code != ErrorCode::InvalidClient;
                let presented = params.and_then(|params| ClientAuthentication::read(call, params).ok());
                let client = presented.and_then(|presented| ClientId::parse(presented.client_id()).ok());
                Event::Refused { endpoint, reason: refusal.reason, client: client.filter(|_| was_authenticated) }
            }
        };
        self.env.record(call, &event);
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
