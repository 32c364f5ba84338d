//! What a test says of its provider before it is built.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Waker;

use chancery_core::config::Config;
use chancery_core::documents::{MemoryKeys, MemoryRegistry};
use chancery_core::endpoint::token::extension::{DynExtensionGrant, ExtensionGrant};
use chancery_core::error::Complaint;
use chancery_core::model::ResourceServer;
use chancery_core::notifier::{DynNotifier, Notifier};
use chancery_core::policy::{
    AuthorizationPolicy, ClientPolicy, DetailType, DynAuthorizationPolicy, DynClientPolicy, DynDetailType,
    DynTokenPolicy, TokenPolicy,
};
use chancery_core::provider::{Builder, Parts};
use chancery_http::{ForwardedCertificate, Pages, TrustedProxies, service};
use chancery_jose::SigningAlgorithm;
use chancery_store::StateStore;
use chancery_store::kit::{Counting, Failing};
use chancery_store_memory::MemoryStore;
use chancery_types::{Issuer, RealmId};
use chancery_x509::Authorities;

use crate::clients::{READY_MADE, resource_servers};
use crate::clock::HandClock;
use crate::events::RecordedEvents;
use crate::fetch::ScriptedFetch;
use crate::interleaved::{Interleaved, wait};
use crate::keys::TestKeys;
use crate::people::TestAccounts;
use crate::provider::{Application, TestProvider};
use crate::random::SeededRandom;
use crate::realms::Realms;
use crate::registry::TestRegistry;

/// Where requests come from that say nothing else (RFC 2544 appendix C.2.2: a network for tests).
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1));

/// A provider before it is built.
pub struct TestProviderBuilder {
    issuer: String,
    realm: String,
    seed: u64,
    store: Arc<dyn StateStore>,
    config: Config,
    clients: Vec<String>,
    resource_servers: Vec<ResourceServer>,
    registry: Arc<TestRegistry>,
    keys: Option<Arc<MemoryKeys>>,
    authorization_policy: Option<Arc<dyn DynAuthorizationPolicy>>,
    token_policy: Option<Arc<dyn DynTokenPolicy>>,
    client_policy: Option<Arc<dyn DynClientPolicy>>,
    extension_grants: Vec<Arc<dyn DynExtensionGrant>>,
    detail_types: Vec<Arc<dyn DynDetailType>>,
    pages: Option<Arc<dyn Pages>>,
    ui_locales: Vec<String>,
    mounted_at: Option<String>,
    proxies: TrustedProxies,
    forwarded: Option<(ForwardedCertificate, TrustedProxies)>,
    authorities: Authorities,
    peer: Option<IpAddr>,
    notifier: Option<Arc<dyn DynNotifier>>,
    worker: Waker,
    acr: Option<String>,
    has_claim_sources: bool,
    application: Option<(String, Application)>,
    realms: Option<Realms>,
}

impl TestProviderBuilder {
    /// With all defaults, on memory.
    pub(crate) fn new() -> Self {
        Self {
            issuer: "https://id.example".to_owned(),
            realm: "main".to_owned(),
            seed: 1,
            store: Arc::new(MemoryStore::new()),
            config: Config::default(),
            clients: READY_MADE.iter().map(|metadata| (*metadata).to_owned()).collect(),
            resource_servers: resource_servers(),
            registry: Arc::default(),
            keys: None,
            authorization_policy: None,
            token_policy: None,
            client_policy: None,
            extension_grants: Vec::new(),
            detail_types: Vec::new(),
            pages: None,
            ui_locales: Vec::new(),
            mounted_at: None,
            proxies: TrustedProxies::default(),
            forwarded: None,
            authorities: Authorities::default(),
            peer: Some(PEER),
            notifier: None,
            worker: Waker::noop().clone(),
            acr: None,
            has_claim_sources: false,
            application: None,
            realms: None,
        }
    }

    /// Another issuer.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = issuer.to_owned();
        self
    }

    /// Another realm.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.realm = realm.to_owned();
        self
    }

    /// Other random bytes.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Another store than one in memory, or that of another provider.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn StateStore>) -> Self {
        self.store = store;
        self
    }

    /// Another configuration.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Lets public clients introspect their own tokens, for tests that ask what became of these.
    #[must_use]
    pub fn unauthenticated_introspection(self) -> Self {
        self.configure(|config| config.compatibility.unauthenticated_introspection = true)
    }

    /// One more client, from RFC 7591 metadata with a `client_id`.
    #[must_use]
    pub fn client(mut self, metadata: &str) -> Self {
        self.clients.push(metadata.to_owned());
        self
    }

    /// None of the ready-made clients.
    #[must_use]
    pub fn without_clients(mut self) -> Self {
        self.clients.clear();
        self
    }

    /// One more resource server.
    #[must_use]
    pub fn resource_server(mut self, server: ResourceServer) -> Self {
        self.resource_servers.push(server);
        self
    }

    /// A registry that other realms share; what is registered here is for this realm only.
    #[must_use]
    pub fn registry(mut self, registry: Arc<TestRegistry>) -> Self {
        self.registry = registry;
        self
    }

    /// Mounted with other realms behind one Service, through which all its requests go.
    #[must_use]
    pub fn behind(mut self, realms: &Realms) -> Self {
        self.realms = Some(realms.clone());
        self
    }

    /// Keys of its own, which a test can change; there has to be RS256 among them.
    #[must_use]
    pub fn own_keys(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        self.keys = Some(Arc::new(made_keys(algorithms)));
        self
    }

    /// The keys of another provider; with its store, too, it is another node of the same, or the same one
    /// started again.
    #[must_use]
    pub fn keys_of(mut self, other: &TestProvider) -> Self {
        self.keys = Some(Arc::clone(&other.keys));
        self
    }

    /// Other decisions about authorization requests.
    #[must_use]
    pub fn authorization_policy(mut self, policy: impl AuthorizationPolicy + 'static) -> Self {
        self.authorization_policy = Some(Arc::new(policy));
        self
    }

    /// Other decisions about tokens.
    #[must_use]
    pub fn token_policy(mut self, policy: impl TokenPolicy + 'static) -> Self {
        self.token_policy = Some(Arc::new(policy));
        self
    }

    /// Other decisions about clients.
    #[must_use]
    pub fn client_policy(mut self, policy: impl ClientPolicy + 'static) -> Self {
        self.client_policy = Some(Arc::new(policy));
        self
    }

    /// A grant type of the application's own.
    #[must_use]
    pub fn extension_grant(mut self, grant: impl ExtensionGrant + 'static) -> Self {
        self.config.extension_grants.push(grant.grant_type().clone());
        self.extension_grants.push(Arc::new(grant));
        self
    }

    /// A type of authorization details.
    #[must_use]
    pub fn detail_type(mut self, detail_type: impl DetailType + 'static) -> Self {
        self.config.authorization_details_types.push(detail_type.name().to_owned());
        self.detail_types.push(Arc::new(detail_type));
        self
    }

    /// Other pages than the plain ones.
    #[must_use]
    pub fn pages(mut self, pages: impl Pages + 'static) -> Self {
        self.pages = Some(Arc::new(pages));
        self
    }

    /// With pages in these languages.
    #[must_use]
    pub fn ui_locales(mut self, locales: &[&str]) -> Self {
        self.ui_locales = locales.iter().map(|&locale| locale.to_owned()).collect();
        self
    }

    /// Below another path than the issuer's.
    #[must_use]
    pub fn mounted_at(mut self, path: &str) -> Self {
        self.mounted_at = Some(path.to_owned());
        self
    }

    /// Behind these proxies.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Where these proxies hand on certificates in these header fields.
    #[must_use]
    pub fn forwarded_certificates(
        mut self,
        forwarded: ForwardedCertificate,
        proxies: TrustedProxies,
    ) -> Self {
        self.forwarded = Some((forwarded, proxies));
        self
    }

    /// With authorities that vouch for clients.
    #[must_use]
    pub fn client_authorities(mut self, authorities: Authorities) -> Self {
        self.authorities = authorities;
        self
    }

    /// Sets who tells people what waits for them.
    #[must_use]
    pub fn notifier(mut self, notifier: impl Notifier + 'static) -> Self {
        self.notifier = Some(Arc::new(notifier));
        self
    }

    /// With somebody who is woken when there is something to send.
    #[must_use]
    pub fn worker(mut self, worker: Waker) -> Self {
        self.worker = worker;
        self
    }

    /// In a program that does not say where requests come from.
    #[must_use]
    pub fn without_peers(mut self) -> Self {
        self.peer = None;
        self
    }

    /// The provider.
    ///
    /// # Panics
    /// When something is wrong with it.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> TestProvider {
        self.try_build().unwrap_or_else(|complaints| panic!("{complaints:#?}"))
    }

    /// Others assert claims about people, too: `claim_types_supported` says so.
    #[must_use]
    pub fn claim_sources(mut self) -> Self {
        self.has_claim_sources = true;
        self
    }

    /// People can reach this class, too.
    #[must_use]
    pub fn acr(mut self, acr: &str) -> Self {
        self.acr = Some(acr.to_owned());
        self
    }

    /// An application that answers the requests for this path by itself.
    #[must_use]
    pub fn application(mut self, path: &str, application: Application) -> Self {
        self.application = Some((path.to_owned(), application));
        self
    }

    /// The provider, or everything that is wrong with its configuration.
    ///
    /// # Errors
    /// What is wrong.
    pub fn try_build(self) -> Result<TestProvider, Vec<Complaint>> {
        let clock = Arc::new(HandClock::new());
        let random = Arc::new(SeededRandom::new(self.seed));
        let accounts = TestAccounts::new();
        let accounts = if self.has_claim_sources { accounts.known_to_others() } else { accounts };
        let accounts = Arc::new(match &self.acr {
            Some(acr) => accounts.reaching(acr),
            None => accounts,
        });
        let events = Arc::new(RecordedEvents::default());
        let realm = RealmId::parse(&self.realm).expect("a realm");
        let offered = self.config.offered();
        let own = self
            .resource_servers
            .into_iter()
            .fold(MemoryRegistry::new().offering(offered.clone()), |registry, server| {
                registry.with_resource_server(server)
            });
        let registry = self.registry.begin(realm.clone(), own);
        let fetch = Arc::new(ScriptedFetch::new(Arc::clone(&clock)));
        let keys = self.keys.unwrap_or_else(shared_keys);
        let key_service = Arc::new(TestKeys::new(Arc::clone(&keys)));
        let interleaved = Arc::new(Interleaved::new(self.store));
        let failing = Arc::new(Failing::new(Arc::clone(&interleaved) as Arc<dyn StateStore>));
        let counting = Arc::new(Counting::new(Arc::clone(&failing) as Arc<dyn StateStore>));
        let parts = Parts {
            realm,
            issuer: Issuer::parse(&self.issuer).expect("an issuer"),
            store: Arc::clone(&counting) as Arc<dyn StateStore>,
            registry: self.registry.clone(),
            accounts: accounts.clone(),
            keys: key_service.clone(),
        };
        let mut builder = Builder::new(parts, self.config)
            .with_clock(clock.clone())
            .with_random(random.clone())
            .with_events(events.clone())
            .with_ui_locales(self.ui_locales)
            .with_fetch(fetch.clone())
            .with_client_authorities(self.authorities)
            .with_worker(self.worker);
        if let Some(notifier) = self.notifier {
            builder = builder.with_notifier(notifier);
        }
        if let Some(policy) = self.authorization_policy {
            builder = builder.with_authorization_policy(policy);
        }
        if let Some(policy) = self.token_policy {
            builder = builder.with_token_policy(policy);
        }
        if let Some(policy) = self.client_policy {
            builder = builder.with_client_policy(policy);
        }
        for grant in self.extension_grants {
            builder = builder.with_extension_grant(grant);
        }
        for detail_type in self.detail_types {
            builder = builder.with_detail_type(detail_type);
        }
        let provider = wait(builder.build())?;
        let mut service = service(Arc::clone(&provider)).with_trusted_proxies(self.proxies);
        if let Some((forwarded, proxies)) = self.forwarded {
            service = service.with_forwarded_certificates(forwarded, proxies);
        }
        if let Some(pages) = self.pages {
            service = service.with_pages(pages);
        }
        if let Some(path) = self.mounted_at {
            service = service.mounted_at(&path);
        }
        if let Some(realms) = &self.realms {
            realms.mount(provider.issuer().clone(), service.clone());
        }
        let registrations = Mutex::default();
        let kit = TestProvider {
            clock,
            random,
            accounts,
            registry,
            registry_of_realms: self.registry,
            keys,
            key_service,
            fetch,
            events,
            counting,
            failing,
            interleaved,
            provider,
            service,
            registrations,
            offered,
            peer: self.peer,
            application: self.application,
            realms: self.realms,
        };
        self.clients.iter().for_each(|metadata| kit.put_client(metadata));
        Ok(kit)
    }
}

/// Making an RSA key takes longer than most tests.
fn shared_keys() -> Arc<MemoryKeys> {
    static KEYS: OnceLock<Arc<MemoryKeys>> = OnceLock::new();
    let made = || Arc::new(made_keys(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256]));
    Arc::clone(KEYS.get_or_init(made))
}

fn made_keys(algorithms: &[SigningAlgorithm]) -> MemoryKeys {
    MemoryKeys::generate(algorithms).expect("keys")
}
