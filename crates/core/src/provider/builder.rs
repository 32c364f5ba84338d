//! Builds a provider and reports everything that is wrong with it at once.

use std::sync::Arc;
use std::task::Waker;

use arc_swap::ArcSwap;
use chancery_jose::{SigningAlgorithm, SystemRandom};
use chancery_store::StateStore;
use chancery_types::nearest::did_you_mean;
use chancery_types::{Issuer, RealmId, ResourceUri, Scope, Scopes};
use chancery_x509::Authorities;

use super::Provider;
use super::resource_servers;
use super::snapshot::{Components, Snapshot};
use crate::approved::Approvals;
use crate::asked::Asked;
use crate::client::{UnusedClients, unknown_resources};
use crate::config::Config;
use crate::context::Env;
use crate::endpoint::token::extension::{DynExtensionGrant, ExtensionGrants};
use crate::error::{Complaint, Complaints, listed};
use crate::fetch::{DynFetch, NoFetch};
use crate::keys::KeySet;
use crate::limits::Limits;
use crate::model::IdTokenAlgorithm;
use crate::names::NameKey;
use crate::notifier::{DynNotifier, Notifying};
use crate::outbox::Outbox;
use crate::policy::{
    DefaultAuthorizationPolicy, DefaultClientPolicy, DefaultTokenPolicy, DynAuthorizationPolicy,
    DynClientPolicy, DynDetailType, DynTokenPolicy, PromptOrder,
};
use crate::ports::{
    Clock, Configured, DynAccounts, DynPrivateKeys, DynRegistry, DynWatcher, EventSink, FoundEventSink,
    Random, SystemClock,
};
use crate::published_keys::PublishedKeys;
use crate::published_requests::PublishedRequests;
use crate::request::Recognised;
use crate::rule::authorization_details::DetailTypes;
use crate::rule::claims::ClaimsRule;
use crate::rule::scope::ScopeRule;

/// The parts that have no default.
pub struct Parts {
    /// The realm of the stores that belongs to this provider. It must never change.
    pub realm: RealmId,
    /// The issuer: the `iss` of tokens and the beginning of every URL.
    pub issuer: Issuer,
    /// Stores the protocol's records.
    pub store: Arc<dyn StateStore>,
    /// Clients and resource servers.
    pub registry: Arc<dyn DynRegistry>,
    /// The accounts of people.
    pub accounts: Arc<dyn DynAccounts>,
    /// Private keys.
    pub keys: Arc<dyn DynPrivateKeys>,
}

/// A provider that has not been checked yet. Each `with_…` replaces a default.
pub struct Builder {
    parts: Parts,
    clock: Arc<dyn Clock>,
    fetch: Arc<dyn DynFetch>,
    random: Arc<dyn Random>,
    events: Option<Arc<dyn EventSink>>,
    notifier: Option<Arc<dyn DynNotifier>>,
    worker: Waker,
    components: Components,
}

impl Builder {
    /// Starts with all defaults: the system's clock and randomness, the default policies, and no event sink.
    #[must_use]
    pub fn new(parts: Parts, config: Config) -> Self {
        Self {
            parts,
            clock: Arc::new(SystemClock),
            fetch: Arc::new(NoFetch),
            random: Arc::new(SystemRandom),
            events: None,
            notifier: None,
            worker: Waker::noop().clone(),
            components: Components {
                config,
                authorization_policy: Arc::new(DefaultAuthorizationPolicy),
                token_policy: Arc::new(DefaultTokenPolicy),
                client_policy: Arc::new(DefaultClientPolicy),
                extensions: ExtensionGrants::default(),
                details: DetailTypes::default(),
                authorities: Arc::default(),
                ui_locales: Vec::new(),
            },
        }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Replaces the source of random bytes.
    #[must_use]
    pub fn with_random(self, random: Arc<dyn Random>) -> Self {
        Self { random, ..self }
    }

    /// Sets how other servers are reached; by default none is.
    #[must_use]
    pub fn with_fetch(self, fetch: Arc<dyn DynFetch>) -> Self {
        Self { fetch, ..self }
    }

    /// Sets the event sink. Without one, the service of the crate `chancery` writes faults and
    /// mistakes in the mounting to standard error, some lines a minute; with [`NoopEventSink`] nobody hears of anything.
    ///
    /// [`NoopEventSink`]: crate::ports::NoopEventSink
    #[must_use]
    pub fn with_events(self, events: Arc<dyn EventSink>) -> Self {
        Self { events: Some(events), ..self }
    }

    /// Sets who tells people what waits for their approval (CIBA Core section 8), in the place of the web hook of
    /// `ciba.notify`.
    #[must_use]
    pub fn with_notifier(self, notifier: Arc<dyn DynNotifier>) -> Self {
        Self { notifier: Some(notifier), ..self }
    }

    /// Sets who is woken when there is something to send, to call [`Provider::deliver`] at once; without it, the
    /// next [`Provider::run_once`] sends it.
    #[must_use]
    pub fn with_worker(self, worker: Waker) -> Self {
        Self { worker, ..self }
    }

    /// Replaces the policy for authorization requests.
    #[must_use]
    pub fn with_authorization_policy(mut self, policy: Arc<dyn DynAuthorizationPolicy>) -> Self {
        self.components.authorization_policy = policy;
        self
    }

    /// Replaces the policy for tokens.
    #[must_use]
    pub fn with_token_policy(mut self, policy: Arc<dyn DynTokenPolicy>) -> Self {
        self.components.token_policy = policy;
        self
    }

    /// Replaces the policy for clients.
    #[must_use]
    pub fn with_client_policy(mut self, policy: Arc<dyn DynClientPolicy>) -> Self {
        self.components.client_policy = policy;
        self
    }

    /// Adds a grant type of the application's own (RFC 6749 section 4.5). A registry that the application makes by
    /// itself accepts clients with it when [`Config::extension_grants`] names it, too, before
    /// [`Config::offered`] is asked.
    #[must_use]
    pub fn with_extension_grant(mut self, grant: Arc<dyn DynExtensionGrant>) -> Self {
        let named = &mut self.components.config.extension_grants;
        if !named.contains(grant.grant_type()) {
            named.push(grant.grant_type().clone());
        }
        self.components.extensions.add(grant);
        self
    }

    /// Adds a type of authorization details (RFC 9396 section 2.1). Without any, the parameter is ignored. A registry that
    /// the application makes by itself accepts clients with it when [`Config::authorization_details_types`] names it,
    /// too, before [`Config::offered`] is asked.
    #[must_use]
    pub fn with_detail_type(mut self, detail_type: Arc<dyn DynDetailType>) -> Self {
        let named = &mut self.components.config.authorization_details_types;
        if !named.iter().any(|name| name == detail_type.name()) {
            named.push(detail_type.name().to_owned());
        }
        self.components.details.add(detail_type);
        self
    }

    /// Sets the certificate authorities that vouch for clients (RFC 8705 section 2.1). By default there are none.
    #[must_use]
    pub fn with_client_authorities(mut self, authorities: Authorities) -> Self {
        self.components.authorities = Arc::new(authorities);
        self
    }

    /// Sets the languages of the pages, announced as `ui_locales_supported` (OIDC Discovery section 3).
    #[must_use]
    pub fn with_ui_locales(mut self, locales: impl IntoIterator<Item = String>) -> Self {
        self.components.ui_locales = locales.into_iter().collect();
        self
    }

    /// Checks everything and builds the first snapshot.
    ///
    /// # Errors
    /// Everything that is wrong, at once, including keys or a store that do not answer.
    pub async fn build(self) -> Result<Arc<Provider>, Complaints> {
        let Self { parts, clock, fetch, random, events, notifier, worker, components } = self;
        let Parts { realm, issuer, store, registry, accounts, keys: private_keys } = parts;
        let now = clock.now();
        let given = registry.configured(&realm);
        let mut complaints = components.config.complaints();
        complaints.extend(components.config.interaction.complaints_at(&issuer));
        let has_authorities = !components.authorities.is_empty();
        complaints.extend(components.config.mtls.complaints(&issuer, has_authorities));
        complaints.extend(components.config.sign_up.complaints(accounts.can_sign_up(&realm)));
        complaints.extend(PromptOrder::complaints(&*components.authorization_policy));
        complaints.extend(components.extensions.complaints(&components.config.extension_grants));
        complaints.extend(components.details.complaints(&components.config.authorization_details_types));
        complaints.extend(Recognised::complaints(&*components.authorization_policy));
        complaints.extend(of_registry(&given, &components.config, &issuer));
        let names = match NameKey::load(&*private_keys, &realm).await {
            Ok(names) => names,
            Err(fault) => {
                complaints.push(Complaint::new("keys", fault.to_string(), "configuration"));
                return Err(complaints.into());
            }
        };
        let notifying = match (notifier, &components.config.ciba.notify.url) {
            (Some(notifier), _) => Notifying::Application(notifier),
            (None, url) if url.is_empty() => Notifying::Nobody,
            (None, url) => Notifying::WebHook(url.clone()),
        };
        let unheard = Arc::new(FoundEventSink::default());
        let events = events.unwrap_or_else(|| Arc::clone(&unheard) as _);
        let env = Env {
            realm,
            issuer,
            store,
            registry,
            accounts,
            private_keys,
            fetch,
            notifying,
            worker,
            random,
            events,
            names,
            limits: Limits::default(),
            approvals: Approvals::default(),
            published_keys: PublishedKeys::default(),
            published_requests: PublishedRequests::default(),
        };
        let watchers = watchers(&env);
        for watcher in &watchers {
            if let Err(fault) = watcher.look(now).await {
                complaints.push(Complaint::new("store", fault.to_string(), "configuration"));
            }
        }
        let snapshot = match Snapshot::make(&components, &env, now).await {
            Ok(snapshot) => snapshot,
            Err(fault) => {
                complaints.push(Complaint::new("keys", fault.to_string(), "configuration"));
                return Err(complaints.into());
            }
        };
        let permitted = &components.config.profile.demands().algorithms;
        match permitted.forbids(&SigningAlgorithm::Rs256) {
            None if !snapshot.keys.can_sign(SigningAlgorithm::Rs256, now) => {
                let rule = snapshot.keys.before_their_time(&[SigningAlgorithm::Rs256], now);
                let rule = rule.unwrap_or_else(|| {
                    "must have an RS256 key that signs now: every client may rely on it".to_owned()
                });
                complaints.push(Complaint::new("keys", rule, "OIDC Core section 15.1"));
            }
            Some(section) if !permitted.permitted().any(|alg| snapshot.keys.can_sign(*alg, now)) => {
                let names = listed(permitted.permitted().map(|alg| alg.name()));
                let permitted: Vec<_> = permitted.permitted().copied().collect();
                let rule = snapshot.keys.before_their_time(&permitted, now);
                let rule = rule.unwrap_or_else(|| format!("must have a key for {names} that signs now"));
                complaints.push(Complaint::new("keys", rule, section));
            }
            _ => {}
        }
        let alg = components.config.client_defaults.id_token_signed_response_alg;
        // That there is no key for RS256 is said already.
        let is_said = alg == SigningAlgorithm::Rs256;
        if !is_said && !alg.is_symmetric() && !snapshot.keys.can_sign(alg, now) {
            let rule = snapshot.keys.before_their_time(&[alg], now);
            let rule = rule.unwrap_or_else(|| format!("{alg} must be the algorithm of a key that signs now"));
            let setting = "client_defaults.id_token_signed_response_alg";
            complaints.push(Complaint::new(setting, rule, "OIDC Registration section 2"));
        }
        complaints.extend(unsigned(&given, &snapshot.keys));
        if !complaints.is_empty() {
            return Err(complaints.into());
        }
        let snapshot = ArcSwap::from_pointee(snapshot);
        let (asked, outbox, unused) = (Asked::at(now), Outbox::default(), UnusedClients::default());
        Ok(Arc::new(Provider { env, unheard, clock, components, snapshot, watchers, asked, outbox, unused }))
    }
}

/// What is wrong with the clients and resource servers that the program has given to its registry.
fn of_registry(given: &Configured, config: &Config, issuer: &Issuer) -> Vec<Complaint> {
    let servers = &given.resource_servers;
    let mut complaints = resource_servers::complaints(servers, Some(issuer));
    complaints.extend(resource_servers::ambiguous(servers, config));
    complaints.extend(resource_servers::forbidden(servers, config));
    let is_known = |uri: &ResourceUri| {
        !given.has_all_resource_servers || servers.iter().any(|server| server.uri == *uri)
    };
    for client in &given.clients {
        let mut unknown: Vec<_> = unknown_resources(client, is_known).map(|(_, uri)| uri.as_str()).collect();
        unknown.dedup();
        for uri in unknown {
            let setting = format!("client {:?}: chancery.resources", client.id().as_str());
            let rule = format!(
                "{uri} is no resource server of this provider: add it with `MemoryRegistry::with_resource_server`, or do not \
                 name it"
            );
            complaints.push(Complaint::new(setting, rule, "RFC 8707 section 2"));
        }
    }
    complaints.extend(unknown_scopes(given, config));
    complaints
}

/// The scopes of clients that neither the provider nor one of its resource servers knows, so that they could never be
/// granted; as far as all resource servers are known.
fn unknown_scopes(given: &Configured, config: &Config) -> Vec<Complaint> {
    if !given.has_all_resource_servers {
        return Vec::new();
    }
    let own = ScopeRule::new(&config.scopes, ClaimsRule::new(config.claims.clone()).scopes());
    let of_servers = given.resource_servers.iter().flat_map(|server| server.scopes.iter());
    let known: Vec<&str> = own.supported().iter().chain(of_servers).map(Scope::as_str).collect();
    let mut complaints = Vec::new();
    for client in &given.clients {
        let asked = client.scopes().into_iter().flat_map(Scopes::iter).map(Scope::as_str);
        for scope in asked.filter(|scope| !known.contains(scope)) {
            let near = did_you_mean(scope, known.iter().copied());
            let rule = format!(
                "{scope} is no scope of this provider or of one of its resource servers, and would never be granted: add it to \
                 the resource server or to `Config::scopes`, or leave it out{near}"
            );
            let setting = format!("client {:?}: scope", client.id().as_str());
            complaints.push(Complaint::new(setting, rule, "RFC 7591 section 2"));
        }
    }
    complaints
}

/// What the resource servers and clients that the program has given are to get signed, and no key can sign.
fn unsigned(given: &Configured, keys: &KeySet) -> Vec<Complaint> {
    let has_key = |alg| keys.has_key_for(alg);
    let mut complaints = resource_servers::unsigned(&given.resource_servers, has_key);
    for client in &given.clients {
        let metadata = client.metadata();
        let of_id_tokens = match metadata.openid.id_token_signed_response_alg {
            // That there is no key for RS256, the default, is said of the provider.
            IdTokenAlgorithm::Signed(SigningAlgorithm::Rs256) | IdTokenAlgorithm::Unsigned => None,
            IdTokenAlgorithm::Signed(alg) => Some(alg),
        };
        for (member, alg) in [
            ("id_token_signed_response_alg", of_id_tokens),
            ("userinfo_signed_response_alg", metadata.openid.userinfo_signed_response_alg),
            (
                "authorization_signed_response_alg",
                metadata.authorization_responses.authorization_signed_response_alg,
            ),
            (
                "introspection_signed_response_alg",
                metadata.introspection_responses.introspection_signed_response_alg,
            ),
        ] {
            if let Some(alg) = alg.filter(|alg| !alg.is_symmetric() && !has_key(*alg)) {
                let setting = format!("client {:?}: {member}", client.id().as_str());
                let rule = resource_servers::no_key(alg);
                complaints.push(Complaint::new(setting, rule, "RFC 7591 section 2"));
            }
        }
    }
    complaints
}

/// The watchers of all ports, each once, because most ports share one.
fn watchers(env: &Env) -> Vec<Arc<dyn DynWatcher>> {
    let mut watchers: Vec<Arc<dyn DynWatcher>> = Vec::new();
    let of_ports = [env.accounts.watcher(), env.registry.watcher(), env.private_keys.watcher()];
    for watcher in of_ports.into_iter().flatten() {
        if !watchers.iter().any(|known| std::ptr::addr_eq(Arc::as_ptr(known), Arc::as_ptr(&watcher))) {
            watchers.push(watcher);
        }
    }
    watchers
}

impl Provider {
    /// A provider with all defaults: `Builder::new(parts, config).build()`.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub async fn new(parts: Parts, config: Config) -> Result<Arc<Self>, Complaints> {
        Builder::new(parts, config).build().await
    }
}
