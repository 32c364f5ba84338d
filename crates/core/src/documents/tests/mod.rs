//! Registry and keys over the memory store; the key set with the clock in hand.

mod sealed_keys;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chancery_jose::{Compact, RootSecret, SigningAlgorithm, SystemRandom};
use chancery_store::kit::CountingDocuments;
use chancery_store::{Changed, Document, DocumentKind, DocumentStore, Put, Revision};
use chancery_store_memory::MemoryStore;
use chancery_types::{AccountId, ClientId, Issuer, RealmId, ResourceUri, Timestamp};
use zeroize::Zeroizing;

use super::{Cache, Documents, MemoryKeys, MemoryRegistry, SealedKeys, StoredRegistry};
use crate::client::{RegistrationRules, register};
use crate::context::Env;
use crate::error::{Fault, FaultKind};
use crate::event::Event;
use crate::keys::KeySet;
use crate::model::{Account, Client, ResourceServer, TokenFormat};
use crate::names::NameKey;
use crate::offered::Offered;
use crate::ports::{Accounts, DynRegistry, EventSink, PrivateKeys, Watcher as _};
use crate::rotation::KeyEnd;

/// Everything here answers at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn realm(name: &str) -> RealmId {
    RealmId::parse(name).unwrap()
}

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

fn secs(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn wrapping(byte: u8) -> RootSecret {
    RootSecret::new(Zeroizing::new([byte; 32]))
}

fn client(name: &str) -> Arc<Client> {
    let json = format!(r#"{{"client_id":"{name}","redirect_uris":["https://app.example/"]}}"#);
    let offered = Offered::default();
    let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, Timestamp::from_secs(7));
    Arc::new(
        register(json.as_bytes(), &SystemRandom, &rules)
            .map_err(|wrong| format!("{wrong:?}"))
            .unwrap()
            .client,
    )
}

/// Whatever the registry: what registration makes can be stored in it.
#[test]
fn clients_are_stored_changed_and_removed() {
    a_client_comes_and_goes(&StoredRegistry::new(documents()));
    a_client_comes_and_goes(&MemoryRegistry::new());
    let registry = StoredRegistry::new(documents());
    now(registry.put_client(&realm("one"), None, client("app"))).unwrap();
    assert!(now(registry.client(&realm("two"), &id("app"))).unwrap().is_none(), "realms do not meet");
}

fn a_client_comes_and_goes(registry: &dyn DynRegistry) {
    let one = realm("one");
    assert!(now(registry.client(&one, &id("app"))).unwrap().is_none());
    let Put::Done(first) = now(registry.put_client(&one, None, client("app"))).unwrap() else {
        panic!("refused")
    };
    assert_eq!(now(registry.put_client(&one, None, client("app"))).unwrap(), Put::Occupied);
    let read = now(registry.client(&one, &id("app"))).unwrap().unwrap();
    assert_eq!((read.revision(), read.id().as_str()), (first, "app"));
    let Put::Done(second) = now(registry.put_client(&one, Some(first), client("app"))).unwrap() else {
        panic!()
    };
    assert_eq!(now(registry.put_client(&one, Some(first), client("app"))).unwrap(), Put::Stale);
    assert_eq!(now(registry.client(&one, &id("app"))).unwrap().unwrap().revision(), second);
    now(registry.put_client(&one, None, client("b"))).unwrap();
    let listed = now(registry.clients(&one, Some(&id("app")), 10)).unwrap();
    assert_eq!(listed.iter().map(|client| client.id().as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(now(registry.remove_client(&one, first, &id("app"))).unwrap(), Put::Stale);
    assert!(matches!(now(registry.remove_client(&one, second, &id("app"))).unwrap(), Put::Done(_)));
    assert!(now(registry.client(&one, &id("app"))).unwrap().is_none());
}

/// A client that registers itself is one write: nobody looks for an account of an id that was drawn at random. An id
/// that somebody chose costs a look more.
#[test]
fn a_made_id_is_stored_without_a_look() {
    let counting = Arc::new(CountingDocuments::new(Arc::new(MemoryStore::new())));
    let registry = StoredRegistry::new(Documents::new(counting.clone()));
    let one = realm("one");
    assert!(matches!(now(registry.add_client(&one, client("made"))).unwrap(), Put::Done(_)));
    assert_eq!(counting.take(), [0, 0, 0]);
    assert!(matches!(now(registry.put_client(&one, None, client("chosen"))).unwrap(), Put::Done(_)));
    assert_eq!(counting.take(), [1, 0, 0]);
    assert_eq!(now(registry.add_client(&one, client("made"))).unwrap(), Put::Occupied);
}

/// RFC 9068 section 5: a client cannot take the id of an account, in this realm; one that is there can be
/// changed.
#[test]
fn a_client_cannot_have_the_id_of_an_account() {
    let store = Arc::new(MemoryStore::new());
    let registry = StoredRegistry::new(Documents::new(store.clone()));
    let (one, two) = (realm("one"), realm("two"));
    let Put::Done(first) = now(registry.put_client(&one, None, client("app"))).unwrap() else {
        panic!("refused")
    };
    for account in ["app", "b"] {
        let person =
            Document { id: account.into(), aliases: Vec::new(), body: [1].into(), revision: Revision::NONE };
        assert!(matches!(now(store.put(&one, DocumentKind::ACCOUNT, None, person)).unwrap(), Put::Done(_)));
    }
    assert_eq!(now(registry.put_client(&one, None, client("b"))).unwrap(), Put::Occupied);
    assert!(now(registry.client(&one, &id("b"))).unwrap().is_none(), "nothing was written");
    assert!(matches!(now(registry.put_client(&two, None, client("b"))).unwrap(), Put::Done(_)));
    assert!(matches!(now(registry.put_client(&one, Some(first), client("app"))).unwrap(), Put::Done(_)));
}

fn documents() -> Arc<Documents> {
    Documents::new(Arc::new(MemoryStore::new()))
}

/// Two nodes on one store, and a look of the first that finds what has changed.
fn two_nodes() -> (StoredRegistry, StoredRegistry, impl Fn()) {
    let store: Arc<dyn DocumentStore> = Arc::new(MemoryStore::new());
    let here = Documents::new(store.clone());
    let there = StoredRegistry::new(Documents::new(store));
    let registry = StoredRegistry::new(here.clone());
    let time = AtomicI64::new(0);
    let look = move || {
        let time = secs(time.fetch_add(1, Ordering::Relaxed));
        assert_eq!(now(here.look(time)).unwrap(), time);
    };
    (registry, there, look)
}

/// CMETA-02: what another node changes is seen when it is looked for, and not before.
#[test]
fn what_another_node_changes_is_seen() {
    let (here, there, look) = two_nodes();
    let one = realm("one");
    look();
    assert!(now(here.client(&one, &id("app"))).unwrap().is_none());
    let Put::Done(first) = now(there.put_client(&one, None, client("app"))).unwrap() else {
        panic!("refused")
    };
    assert!(now(here.client(&one, &id("app"))).unwrap().is_none(), "the negative answer is kept");
    look();
    let read = now(here.client(&one, &id("app"))).unwrap().unwrap();
    look();
    assert!(Arc::ptr_eq(&read, &now(here.client(&one, &id("app"))).unwrap().unwrap()), "parsed once");

    now(there.remove_client(&one, first, &id("app"))).unwrap();
    assert!(now(here.client(&one, &id("app"))).unwrap().is_some());
    look();
    assert!(now(here.client(&one, &id("app"))).unwrap().is_none());
}

/// The negative cache is bounded, and does not push out clients that exist.
#[test]
fn names_that_no_client_has_do_not_fill_memory() {
    let registry = StoredRegistry::new(documents());
    let one = realm("one");
    now(registry.put_client(&one, None, client("app"))).unwrap();
    let read = now(registry.client(&one, &id("app"))).unwrap().unwrap();
    for guess in 0..5_000 {
        assert!(now(registry.client(&one, &id(&format!("guess{guess}")))).unwrap().is_none());
    }
    assert!(registry.clients.absent(&one) <= 1_000);
    assert!(Arc::ptr_eq(&read, &now(registry.client(&one, &id("app"))).unwrap().unwrap()));
}

#[test]
fn resource_servers_are_configured_or_stored() {
    let json = r#"{"uri":"https://api.example","scopes":["read"],"format":"jwt","lifetime":"10m","introspected_by":["api"]}"#;
    let api: ResourceServer = serde_json::from_str(json).unwrap();
    assert_eq!((api.format, api.alg), (TokenFormat::Jwt, SigningAlgorithm::Es256));
    assert!(serde_json::from_str::<ResourceServer>(r#"{"uri":"https://api.example","ttl":1}"#).is_err());
    let other = ResourceServer { uri: ResourceUri::parse("https://other.example").unwrap(), ..api.clone() };
    let registry = StoredRegistry::new(documents()).with_resource_servers([api.clone()]);
    let one = realm("one");
    now(registry.put_resource_server(&one, None, &other)).unwrap();
    for expected in [&api, &other] {
        assert_eq!(&*now(registry.resource_server(&one, &expected.uri)).unwrap().unwrap(), expected);
    }
    assert!(
        now(registry.resource_server(&one, &ResourceUri::parse("https://x.example").unwrap()))
            .unwrap()
            .is_none()
    );
}

/// A stored resource server is parsed once, until it is written again.
#[test]
fn a_resource_server_that_another_node_changes_is_seen() {
    let (here, there, look) = two_nodes();
    let one = realm("one");
    let mut api: ResourceServer =
        serde_json::from_str(r#"{"uri":"https://api.example","scopes":["read"]}"#).unwrap();
    let Put::Done(first) = now(there.put_resource_server(&one, None, &api)).unwrap() else {
        panic!("refused")
    };
    look();
    let read = now(here.resource_server(&one, &api.uri)).unwrap().unwrap();
    look();
    assert!(Arc::ptr_eq(&read, &now(here.resource_server(&one, &api.uri)).unwrap().unwrap()), "parsed once");
    api.format = TokenFormat::Jwt;
    let put = now(there.put_resource_server(&one, Some(first), &api)).unwrap();
    assert!(matches!(put, Put::Done(_)), "{put:?}");
    assert_eq!(
        *now(there.resource_server(&one, &api.uri)).unwrap().unwrap(),
        api,
        "what it wrote itself it knows"
    );
    look();
    assert_eq!(*now(here.resource_server(&one, &api.uri)).unwrap().unwrap(), api);
}

#[test]
fn a_memory_registry_holds_what_it_is_given() {
    let registry =
        MemoryRegistry::new().with_client(&Client::spa("a").redirect("https://a.example")).unwrap();
    let one = realm("one");
    registry
        .put(r#"{"client_id":"b","redirect_uris":["https://b.example"],"chancery":{"enabled":false}}"#)
        .unwrap();
    assert!(!now(registry.client(&one, &id("b"))).unwrap().unwrap().is_enabled());
    assert_eq!(now(registry.clients(&one, Some(&id("a")), 5)).unwrap().len(), 1);
    registry.remove(&id("a"));
    assert!(now(registry.client(&one, &id("a"))).unwrap().is_none());
    assert!(registry.put("{}").is_err());
}

/// A program that registers several clients learns which of them is wrong, and that a secret would be lost.
#[test]
fn a_memory_registry_names_the_client() {
    let said = |client: &str| MemoryRegistry::new().with_client(client).err().unwrap().to_string();
    let wrong = said(&Client::spa("a").redirect("http://a.example"));
    assert!(wrong.starts_with("client \"a\": redirect_uris: \"http://a.example\" must be https"), "{wrong}");
    let lost = said(&Client::web("b").redirect("https://b.example"));
    assert!(lost.starts_with("client \"b\": client_secret: is missing: give the client one"), "{lost}");
    let known = Client::web("b").redirect("https://b.example").secret("a secret of at least 32 characters");
    assert!(MemoryRegistry::new().with_client(&known).is_ok());
    assert!(MemoryRegistry::new().put(&Client::web("b").redirect("https://b.example")).unwrap().is_some());
    assert!(!said("[]").starts_with("client"));
}

/// Nobody reads the notices of a registration in a program: so what would be left out is refused.
#[test]
fn a_memory_registry_refuses_what_would_mean_nothing() {
    let app = || Client::spa("a").redirect("https://a.example");
    let said = |client: &str| MemoryRegistry::new().put(client).unwrap_err().to_string();
    assert_eq!(
        said(&app().set("post_logout_redirct_uris", vec![serde_json::Value::from("https://a.example")])),
        "client \"a\": post_logout_redirct_uris: is not used here: correct its name or leave it out; did you mean \
         post_logout_redirect_uris? (RFC 7591 section 2)"
    );
    let twice = MemoryRegistry::new().with_client(&app()).unwrap().with_client(&app()).err().unwrap();
    assert_eq!(
        twice.to_string(),
        "client \"a\": client_id: is that of a client that was added before: give each client an id of its own, or \
         replace the one that is there with `put` (RFC 7591 section 3.2.1)"
    );
}

struct Nobody;

impl Accounts for Nobody {
    async fn find(&self, _: &RealmId, _: &AccountId) -> Result<Option<Account>, Fault> {
        Ok(None)
    }
}

impl EventSink for Nobody {
    fn record(&self, _: &crate::event::Occasion<'_>, _: &Event) {}
}

fn env(keys: Arc<MemoryKeys>) -> Env {
    let names = now(NameKey::load(&*keys, &realm("one"))).unwrap();
    Env {
        realm: realm("one"),
        issuer: Issuer::parse("https://op.example").unwrap(),
        store: Arc::new(MemoryStore::new()),
        registry: Arc::new(MemoryRegistry::new()),
        accounts: Arc::new(Nobody),
        private_keys: keys,
        notifying: Default::default(),
        worker: std::task::Waker::noop().clone(),
        random: Arc::new(SystemRandom),
        events: Arc::new(Nobody),
        names,
        fetch: Arc::new(crate::fetch::NoFetch),
        limits: Default::default(),
        approvals: Default::default(),
        published_keys: Default::default(),
        published_requests: Default::default(),
    }
}

/// JOSE-04, JOSE-05, JOSE-06: a set of keys by time. Every instant belongs to one signer, and nothing that
/// was signed becomes unverifiable before its key retires.
#[test]
fn keys_rotate_with_the_clock() {
    let keys = Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Es256]).unwrap());
    let env = env(keys.clone());
    let old = now(keys.list(&env.realm)).unwrap()[0].jwk.kid().unwrap().to_owned();
    let new = keys.add(SigningAlgorithm::Es256, secs(100), secs(700)).unwrap();
    keys.end(&old, KeyEnd::new(secs(700), Duration::from_secs(4_300)));
    let set = now(KeySet::load(&*env.private_keys, &env.realm)).unwrap();

    let sign = |at| now(set.sign_jwt(&env, secs(at), SigningAlgorithm::Es256, Some("at+jwt"), b"{}"));
    let signer = |token: &str| Compact::parse(token).unwrap().header().kid.clone().unwrap();
    let verifies = |at, token: &str| set.verify_jwt(secs(at), Compact::parse(token).unwrap()).is_ok();
    let early = sign(699).unwrap();
    let late = sign(700).unwrap();
    assert_eq!((signer(&early), signer(&late)), (old.clone(), new.to_string()));
    assert!(set.jwks_json(secs(99)).contains(&old) && !set.jwks_json(secs(99)).contains(&*new));
    assert!(set.jwks_json(secs(100)).contains(&*new));
    assert!(verifies(4_999, &early) && !verifies(5_000, &early) && verifies(5_000, &late));
    assert!(!set.jwks_json(secs(5_000)).contains(&old));
    let changes = [0, 100, 700, 5_000].map(|at| set.next_change(secs(at)));
    assert_eq!(changes, [Some(secs(100)), Some(secs(700)), Some(secs(5_000)), None]);

    keys.end(&new, KeyEnd::new(secs(800), Duration::from_secs(4_200)));
    let set = now(KeySet::load(&*env.private_keys, &env.realm)).unwrap();
    assert!(!set.can_sign(SigningAlgorithm::Es256, secs(800)));
    assert!(set.algorithms(secs(5_000)).is_empty());
    let refused = now(set.sign_jwt(&env, secs(5_000), SigningAlgorithm::Es256, None, b"{}")).unwrap_err();
    assert_eq!(refused.kind(), FaultKind::Unavailable);
}

/// JOSE-04: the set shows public members only; both names of Ed25519 are signed with one key.
#[test]
fn the_jwks_is_public() {
    let keys = Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256, SigningAlgorithm::Ed25519]).unwrap());
    let env = env(keys.clone());
    let set = now(KeySet::load(&*env.private_keys, &env.realm)).unwrap();
    let json = set.jwks_json(secs(1));
    for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""] {
        assert!(!json.contains(private), "{private}");
    }
    use SigningAlgorithm::{Ed25519, EdDsa, Rs256};
    assert_eq!(set.algorithms(secs(1)), [Rs256, EdDsa, Ed25519]);
    for alg in [Rs256, EdDsa, Ed25519] {
        let token = now(set.sign_jwt(&env, secs(1), alg, Some("JWT"), br#"{"sub":"a"}"#)).unwrap();
        let compact = Compact::parse(&token).unwrap();
        assert_eq!(compact.header().alg, alg);
        assert_eq!(set.verify_jwt(secs(1), compact).unwrap().payload(), br#"{"sub":"a"}"#);
    }
    keys.add_secret();
    let set = now(KeySet::load(&*env.private_keys, &env.realm)).unwrap();
    assert_eq!(set.newest().version, 2);
    assert!(set.derived(1).is_some() && set.derived(3).is_none());
    assert_eq!(keys.generation(&env.realm), 3);
}

/// What was changed by others.
#[derive(Default)]
struct Elsewhere(std::sync::Mutex<Vec<Box<str>>>);

impl Cache for Elsewhere {
    fn invalidate(&self, _: &Changed) {}

    fn invalidate_all(&self) {}

    fn changed_elsewhere(&self, document: &Changed) {
        self.0.lock().unwrap().push(document.id.clone());
    }
}

/// Own writes are told from those of others, also after one that was not done.
#[test]
fn what_others_have_changed_is_told() {
    let store: Arc<dyn DocumentStore> = Arc::new(MemoryStore::default());
    let (ours, theirs) = (Documents::new(store.clone()), Documents::new(store));
    let elsewhere = Arc::new(Elsewhere::default());
    ours.register(&elsewhere);
    let document = |id: &str| Document {
        id: id.into(),
        aliases: Vec::new(),
        body: vec![1].into(),
        revision: Revision::NONE,
    };
    let put = |documents: &Documents, id: &str| {
        now(documents.put(&realm("main"), DocumentKind::CLIENT, None, document(id))).unwrap()
    };
    let look = |secs| {
        now(ours.look(Timestamp::from_secs(secs))).unwrap();
        std::mem::take(&mut *elsewhere.0.lock().unwrap())
    };
    put(&theirs, "before");
    let _all = look(10);
    put(&ours, "own");
    put(&theirs, "their");
    assert_eq!(look(20), ["their".into()]);
    assert_eq!(put(&ours, "their"), Put::Occupied);
    let found = now(theirs.store().get(&realm("main"), DocumentKind::CLIENT, "their")).unwrap().unwrap();
    now(theirs.remove(&realm("main"), DocumentKind::CLIENT, "their", found.revision)).unwrap();
    assert_eq!(look(30), ["their".into()]);
    assert!(look(40).is_empty());
}
