//! One realm with two people, four clients and one resource server, and a clock in hand.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chancery_core::client::{AuthenticatedClient, Authenticator, RegistrationRules, register};
use chancery_core::context::{Call, Env, RequestId};
use chancery_core::endpoint::introspection::{Introspection, IntrospectionEndpoint};
use chancery_core::endpoint::revocation::RevocationEndpoint;
use chancery_core::endpoint::token::TokenEndpoint;
use chancery_core::endpoint::userinfo::{UserInfo, UserInfoEndpoint};
use chancery_core::error::Failure;
use chancery_core::event::Event;
use chancery_core::issue::{TokenIssuer, TokenResponse};
use chancery_core::keys::KeySet;
use chancery_core::model::{
    Account, Authentication, Claims, ClaimsRequest, Client, GrantId, Granted, ResourceScopes, ResourceServer,
    TokenFormat,
};
use chancery_core::names::NameKey;
use chancery_core::policy::{DefaultClientPolicy, DefaultTokenPolicy, TokenPolicy};
use chancery_core::ports::{
    Accounts, ClaimsQuery, EventSink, KeyEntry, PortFuture, PrivateKeys, Random, Registry, RootSecretEntry,
};
use chancery_core::records::{AuthorizationCodeBody, GrantBody};
use chancery_core::rotation::KeyTimes;
use chancery_core::rule::claims::ClaimsRule;
use chancery_core::rule::scope::{self, ScopeRule};
use chancery_jose::{Compact, PrivateKey, SigningAlgorithm, Verified, base64url, sha256};
use chancery_store::{Change, Record, Redeemed, Revision, Revoked, StateStore, Stored, Tags, Updated};
use chancery_store_memory::MemoryStore;
use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::{
    AccountId, Alias, ClientId, Issuer, Key, Kind, Params, RealmId, ResourceUri, Scope, Scopes, Tag, Timestamp,
};
use zeroize::Zeroizing;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const REDIRECT_URI: &str = "https://app.example/cb";
const SERVER: &str = "https://api.example";

/// Runs a future to its end. Nothing here waits for anything but another thread's lock.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        std::thread::yield_now();
    }
}

pub(crate) struct World {
    pub(crate) env: Env,
    pub(crate) now: Timestamp,
    pub(crate) trips: Arc<Counted>,
    pub(crate) people: Arc<People>,
    pub(crate) registered: Arc<Registered>,
    events: Arc<Heard>,
    authenticator: Authenticator,
    token: TokenEndpoint,
    introspection: IntrospectionEndpoint,
    revocation: RevocationEndpoint,
    userinfo: UserInfoEndpoint,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_policy(Arc::new(DefaultTokenPolicy))
    }

    pub(crate) fn with_policy(policy: Arc<dyn TokenPolicy>) -> Self {
        let realm = RealmId::parse("test").unwrap();
        let store = Arc::new(Counted { store: MemoryStore::new(), count: AtomicUsize::new(0) });
        let people = Arc::new(People(Mutex::default()));
        for name in ["alice", "bob"] {
            let account = Account::new(AccountId::parse(name).unwrap(), name);
            people.0.lock().unwrap().insert(name.to_owned(), account);
        }
        let random = Arc::new(Counter(AtomicU64::new(0)));
        let registered = Arc::new(Registered::new(&*random));
        let events = Arc::new(Heard(Mutex::default()));
        let names = run(NameKey::load(&**KEYS, &realm)).unwrap();
        let env = Env {
            realm,
            issuer: Issuer::parse("https://op.example").unwrap(),
            store: store.clone(),
            registry: registered.clone(),
            accounts: people.clone(),
            private_keys: KEYS.clone(),
            random,
            events: events.clone(),
            names,
            guessing: Default::default(),
        };
        let claims = Arc::new(ClaimsRule::new(Default::default()));
        let extra = ["read", "write"].map(|text| chancery_types::Scope::parse(text).unwrap());
        let scopes =
            ScopeRule::new(&scope::ScopesConfig { extra: extra.into(), ..Default::default() }, claims.scopes());
        let issuer = Arc::new(TokenIssuer {
            claims: Arc::clone(&claims),
            keys: Arc::new(run(KeySet::load(&*env.private_keys, &env.realm)).unwrap()),
            policy,
            authorization_code: Default::default(),
            access_token: Default::default(),
            id_token: Default::default(),
            refresh_token: Default::default(),
        });
        Self {
            env,
            now: Timestamp::from_secs(1_800_000_000),
            trips: store,
            people,
            registered,
            events,
            authenticator: Authenticator { config: Default::default(), policy: Arc::new(DefaultClientPolicy) },
            token: TokenEndpoint { issuer: issuer.clone(), scopes: Arc::new(scopes), offered: Arc::default() },
            introspection: IntrospectionEndpoint { issuer: issuer.clone(), policy: Arc::new(DefaultClientPolicy) },
            revocation: RevocationEndpoint { issuer: issuer.clone(), policy: Arc::new(DefaultClientPolicy) },
            userinfo: UserInfoEndpoint { issuer, claims },
        }
    }

    pub(crate) fn wait(&mut self, by: Duration) {
        self.now = self.now + by;
    }

    pub(crate) fn call(&self, authorization: Option<String>) -> Call {
        let mut call = Call::new(self.now, RequestId("r".into()));
        call.authorization = authorization.map(Zeroizing::new);
        call
    }

    /// A grant of alice and its code, as the authorization endpoint writes them.
    pub(crate) fn code(&self, client: &str, scopes: &str) -> String {
        let alice = self.people.0.lock().unwrap()["alice"].clone();
        let grant = GrantId::new(self.env.partition(), *self.env.secret::<16>());
        let code = Handle::<AuthorizationCode>::new(grant.partition(), self.env.secret());
        let scopes = Scopes::parse(scopes).unwrap();
        let is_for_server = client == "web" && !scopes.contains(Scope::OPENID);
        let resource = ResourceScopes { resource: ResourceUri::parse(SERVER).unwrap(), scopes: scopes.clone() };
        let granted = Granted {
            registration: self.registered.clients.lock().unwrap()[client].registration(),
            client: ClientId::parse(client).unwrap(),
            grant,
            granted_at: self.now,
            authentication: Authentication::by_password(&alice, self.now),
            sid: "the-sid".into(),
            scopes,
            resources: if is_for_server { vec![resource] } else { Vec::new() },
            claims: ClaimsRequest { locales: Some("de en".into()), ..ClaimsRequest::default() },
        };
        let records = self.env.records();
        let key = grant.key(&self.env.realm);
        let far = self.now + Duration::from_secs(91 * 86_400);
        let body = GrantBody { granted };
        let grant_record = records.new(key, None, Tags::default(), far, &body).unwrap();
        let body = AuthorizationCodeBody {
            deadline: self.now + Duration::from_secs(60),
            redirect_uri: REDIRECT_URI.into(),
            redirect_uri_was_sent: true,
            code_challenge: Some(base64url::encode(sha256(VERIFIER.as_bytes())).into()),
            nonce: Some("the-nonce".into()),
            granted: body.granted,
        };
        let life = self.now + Duration::from_secs(3660);
        let code_record = records.new(code.key(&self.env.realm), Some(key), Tags::default(), life, &body).unwrap();
        run(records.insert(self.now, &[grant_record, code_record])).unwrap();
        code.reveal()
    }

    pub(crate) fn exchange(&self, client: &str, code: &str) -> Result<TokenResponse, Failure> {
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}&{}",
            identity(client)
        );
        self.tokens(&form)
    }

    pub(crate) fn refresh(&self, client: &str, token: &str) -> Result<TokenResponse, Failure> {
        self.tokens(&format!("grant_type=refresh_token&refresh_token={token}&{}", identity(client)))
    }

    pub(crate) fn tokens(&self, form: &str) -> Result<TokenResponse, Failure> {
        let params = Params::parse(form).unwrap();
        let client = self.authenticated(&params)?;
        run(self.token.respond(&self.call(None), &self.env, &client, &params))
    }

    fn authenticated(&self, params: &Params<'_>) -> Result<AuthenticatedClient, Failure> {
        let client = run(self.authenticator.authenticate(&self.call(None), &self.env, params));
        client.map_err(|unauthenticated| unauthenticated.failure)
    }

    pub(crate) fn introspect(&self, client: &str, token: &str) -> Introspection {
        let form = format!("token={token}&{}", identity(client));
        let params = Params::parse(&form).unwrap();
        let client = self.authenticated(&params).unwrap();
        run(self.introspection.respond(&self.call(None), &self.env, &client, &params)).unwrap()
    }

    /// An introspection or a revocation, as it is refused.
    pub(crate) fn refused_forms(&self, form: &str) -> [(&'static str, String); 2] {
        let params = Params::parse(form).unwrap();
        let call = self.call(None);
        let client = match self.authenticated(&params) {
            Ok(client) => client,
            Err(failure) => return [refused::<()>(Err(failure.clone())), refused::<()>(Err(failure))],
        };
        let introspection = run(self.introspection.respond(&call, &self.env, &client, &params));
        [refused(introspection), refused(run(self.revocation.respond(&call, &self.env, &client, &params)))]
    }

    pub(crate) fn is_active(&self, token: &str) -> bool {
        self.introspect("inspector", token) != Introspection::Inactive
    }

    pub(crate) fn revoke(&self, client: &str, token: &str) {
        let form = format!("token={token}&{}", identity(client));
        let params = Params::parse(&form).unwrap();
        let client = self.authenticated(&params).unwrap();
        run(self.revocation.respond(&self.call(None), &self.env, &client, &params)).unwrap();
    }

    pub(crate) fn userinfo(&self, token: &str) -> Result<UserInfo, Failure> {
        self.userinfo_by(Some(format!("Bearer {token}")), "", "")
    }

    pub(crate) fn userinfo_by(&self, header: Option<String>, query: &str, form: &str) -> Result<UserInfo, Failure> {
        let (query, form) = (Params::parse(query).unwrap(), Params::parse(form).unwrap());
        run(self.userinfo.respond(&self.call(header), &self.env, &query, &form))
    }

    pub(crate) fn verified(&self, jwt: &str) -> Verified {
        let keys = &self.userinfo.issuer.keys;
        keys.verify_jwt(self.now, Compact::parse(jwt).unwrap()).unwrap()
    }

    /// What was heard since the last time, by name.
    pub(crate) fn heard(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.events.0.lock().unwrap())
    }

    /// The trips that this took.
    pub(crate) fn trips<T>(&self, what: impl FnOnce() -> T) -> (T, usize) {
        let before = self.trips.count.load(Ordering::Relaxed);
        let output = what();
        (output, self.trips.count.load(Ordering::Relaxed) - before)
    }
}

/// The name of the reason of a refusal, and what the wire says.
pub(crate) fn refused<T>(outcome: Result<T, Failure>) -> (&'static str, String) {
    match outcome {
        Err(Failure::Refused(refusal)) => {
            (refusal.reason.name, format!("{} {}", refusal.reason.code, refusal.reason.description))
        }
        Err(Failure::Broken(fault)) => panic!("{fault}"),
        Ok(_) => panic!("was not refused"),
    }
}

/// Every client but the public ones authenticates by post.
fn identity(client: &str) -> String {
    match client {
        "app" | "native" => format!("client_id={client}"),
        _ => format!("client_id={client}&client_secret={SECRET}"),
    }
}

pub(crate) struct Registered {
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
    pub(crate) has_server: AtomicBool,
}

impl Registered {
    fn new(random: &dyn Random) -> Self {
        let clients = Mutex::new(Self::registered(random, Timestamp::from_secs(0)));
        Self { clients, has_server: AtomicBool::new(true) }
    }

    /// All clients are removed, and others of the same ids are registered.
    pub(crate) fn replace(&self, random: &dyn Random, now: Timestamp) {
        *self.clients.lock().unwrap() = Self::registered(random, now);
    }

    fn registered(random: &dyn Random, now: Timestamp) -> BTreeMap<String, Arc<Client>> {
        let public = r#""token_endpoint_auth_method":"none""#;
        let by_post = format!(r#""token_endpoint_auth_method":"client_secret_post","client_secret":"{SECRET}""#);
        let code =
            format!(r#""redirect_uris":["{REDIRECT_URI}"],"grant_types":["authorization_code","refresh_token"]"#);
        let machine = r#""grant_types":["client_credentials"],"response_types":[],"redirect_uris":[]"#;
        let all = [
            format!(r#"{{"client_id":"app",{public},{code}}}"#),
            format!(r#"{{"client_id":"native",{public},{code},"application_type":"web"}}"#),
            format!(
                r#"{{"client_id":"web",{by_post},{code},"userinfo_signed_response_alg":"ES256",
                "id_token_signed_response_alg":"ES256","backchannel_logout_uri":"https://app.example/out",
                "chancery":{{"refresh_tokens":"always","default_resource":"{SERVER}"}}}}"#
            ),
            format!(
                r#"{{"client_id":"machine",{by_post},{machine},"scope":"read",
                "chancery":{{"default_resource":"{SERVER}"}}}}"#
            ),
            format!(r#"{{"client_id":"plain",{by_post},{machine}}}"#),
            format!(
                r#"{{"client_id":"hmac",{by_post},{code},"client_secret_expires_at":1800000100,
                "id_token_signed_response_alg":"HS256","userinfo_signed_response_alg":"HS256"}}"#
            ),
            format!(
                r#"{{"client_id":"inspector",{by_post},{machine},
                "chancery":{{"introspects":["app","web","machine","plain"]}}}}"#
            ),
        ];
        let rules =
            RegistrationRules { keys: None, offered: None, algorithms: None, are_weak_secrets_allowed: false, now };
        let client = |json: String| match register(json.as_bytes(), random, &rules) {
            Ok(done) => (done.client.id().to_string(), Arc::new(done.client)),
            Err(complaints) => panic!("{json}: {complaints:?}"),
        };
        all.into_iter().map(client).collect()
    }

    pub(crate) fn remove(&self, client: &str) {
        self.clients.lock().unwrap().remove(client);
    }
}

impl Registry for Registered {
    fn client<'a>(&'a self, _: &'a RealmId, id: &'a ClientId) -> PortFuture<'a, Option<Arc<Client>>> {
        let found = self.clients.lock().unwrap().get(id.as_str()).cloned();
        Box::pin(async move { Ok(found) })
    }

    fn resource_server<'a>(
        &'a self,
        _: &'a RealmId,
        uri: &'a ResourceUri,
    ) -> PortFuture<'a, Option<Arc<ResourceServer>>> {
        let server = ResourceServer {
            uri: ResourceUri::parse(SERVER).unwrap(),
            scopes: Scopes::parse("read write").unwrap(),
            format: TokenFormat::Jwt,
            lifetime: None,
            alg: SigningAlgorithm::Es256,
            introspected_by: vec![ClientId::parse("plain").unwrap()],
            userinfo: true,
        };
        let is_known = self.has_server.load(Ordering::Relaxed) && server.uri == *uri;
        let found = is_known.then(|| Arc::new(server));
        Box::pin(async move { Ok(found) })
    }
}

pub(crate) struct People(pub(crate) Mutex<BTreeMap<String, Account>>);

impl People {
    pub(crate) fn change(&self, name: &str, how: impl FnOnce(&mut Account)) {
        how(self.0.lock().unwrap().get_mut(name).unwrap());
    }
}

impl Accounts for People {
    fn find<'a>(&'a self, _: &'a RealmId, id: &'a AccountId) -> PortFuture<'a, Option<Account>> {
        let found = self.0.lock().unwrap().get(id.as_str()).cloned();
        Box::pin(async move { Ok(found) })
    }

    /// More than is asked for, and a lie about the subject.
    fn claims<'a>(&'a self, _: &'a RealmId, ask: ClaimsQuery<'a>) -> PortFuture<'a, Claims> {
        let mut claims = Claims::default();
        claims.set("sub", "mallory").set("name", ask.account.as_str()).set("email", "a@example.org");
        if ask.locales == Some("de en") {
            claims.set("zoneinfo", "Europe/Berlin");
        }
        Box::pin(async move { Ok(claims) })
    }
}

/// An RSA key takes a while to make.
static KEYS: LazyLock<Arc<Keys>> = LazyLock::new(|| Arc::new(Keys::new()));

struct Keys(Vec<PrivateKey>);

impl Keys {
    fn new() -> Self {
        let key = |alg, kid| PrivateKey::generate(alg).unwrap().with_kid(kid);
        Self(vec![key(SigningAlgorithm::Rs256, "rsa"), key(SigningAlgorithm::Es256, "ec")])
    }
}

impl PrivateKeys for Keys {
    fn list<'a>(&'a self, _: &'a RealmId) -> PortFuture<'a, Vec<KeyEntry>> {
        let entry = |key: &PrivateKey| KeyEntry { jwk: key.public_jwk().clone(), times: KeyTimes::FROM_THE_BEGINNING };
        Box::pin(async move { Ok(self.0.iter().map(entry).collect()) })
    }

    fn sign<'a>(&'a self, _: &'a RealmId, kid: &'a str, input: &'a [u8]) -> PortFuture<'a, Vec<u8>> {
        let key = self.0.iter().find(|key| key.kid() == kid).unwrap();
        Box::pin(async move { Ok(key.sign(key.alg().unwrap(), input).unwrap()) })
    }

    fn secrets<'a>(&'a self, _: &'a RealmId) -> PortFuture<'a, Vec<RootSecretEntry>> {
        let secret = chancery_jose::RootSecret::new(Zeroizing::new([9; 32]));
        Box::pin(async move { Ok(vec![RootSecretEntry { version: 1, secret }]) })
    }
}

struct Heard(Mutex<Vec<&'static str>>);

impl EventSink for Heard {
    fn record(&self, _: Timestamp, _: &RequestId, event: &Event) {
        self.0.lock().unwrap().push(event.name());
    }
}

/// The same bytes in every run.
struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(32) {
            let block = sha256(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            part.copy_from_slice(&block[..part.len()]);
        }
    }
}

/// Counts the calls of the store.
pub(crate) struct Counted {
    store: MemoryStore,
    count: AtomicUsize,
}

impl Counted {
    fn counted(&self) -> &MemoryStore {
        self.count.fetch_add(1, Ordering::Relaxed);
        &self.store
    }
}

type Reply<'a, T> = chancery_store::StoreFuture<'a, T>;

impl StateStore for Counted {
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> Reply<'a, ()> {
        self.counted().insert(now, batch)
    }
    fn get(&self, now: Timestamp, key: Key) -> Reply<'_, Option<Stored>> {
        self.counted().get(now, key)
    }
    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> Reply<'_, Option<Stored>> {
        self.counted().get_by_alias(now, alias)
    }
    fn update<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Revision,
        change: Change,
        issue: &'a [Record],
    ) -> Reply<'a, Updated> {
        self.counted().update(now, key, seen, change, issue)
    }
    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> Reply<'a, Redeemed> {
        self.counted().redeem(now, key, issue)
    }
    fn revoke<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &'a [Record],
    ) -> Reply<'a, Revoked> {
        self.counted().revoke(now, key, seen, issue)
    }
    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> Reply<'_, u64> {
        self.counted().revoke_tagged(kind, tag)
    }
    fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> Reply<'_, Vec<Stored>> {
        self.counted().list_tagged(now, kind, tag, after, limit)
    }
    fn lease(&self, now: Timestamp, kind: Kind, until: Timestamp, limit: usize) -> Reply<'_, Vec<Stored>> {
        self.counted().lease(now, kind, until, limit)
    }
    fn sweep(&self, now: Timestamp, limit: usize) -> Reply<'_, u64> {
        self.counted().sweep(now, limit)
    }
}
