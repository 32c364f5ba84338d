//! What the engine asks of the world, as traits that are implemented with `async fn` and held as objects.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use chancery_jose::{EncryptedKey, EncryptionKey, PublicJwk};
use chancery_store::{Put, Revision};
use chancery_types::{ClientId, RealmId, ResourceUri, Timestamp};
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::event::{Event, Occasion};
use crate::model::{Client, ResourceServer};
use crate::rotation::KeyTimes;

mod accounts;
pub use accounts::{
    Accounts, Browser, ClaimsQuery, DynAccounts, HintedSubject, LoginHintToken, LoginOutcome, LoginRefusal,
    Room, UserCodeCheck, UserCodeQuery,
};

mod password_change;
pub use password_change::{PasswordChangeOutcome, PasswordRefusal};

mod sign_up;
pub use sign_up::{SignUpOutcome, SignUpRefusal};

pub use chancery_types::{BoxFuture, port_object};

/// The time. Asked once per request, by the HTTP layer.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine: the default.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the default of the port `Clock`; everybody else gets `now`"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A cryptographic source of random bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer. A source that cannot must not return.
    fn fill(&self, buffer: &mut [u8]);
}

impl Random for chancery_jose::SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        (*self).fill(buffer);
    }
}

/// Looks whether what was kept still holds, because other nodes and commands change it, too. What several
/// ports of a provider share is asked once.
pub trait Watcher: Send + Sync {
    /// Called before a request is answered, at most once a second: looks what has changed, forgets it, and
    /// says at what time it has looked. Who has looked less than a second ago, for another realm, need not
    /// look again.
    fn look(&self, now: Timestamp) -> impl Future<Output = Result<Timestamp, Fault>> + Send;
}

chancery_types::port_object! {
    /// [`Watcher`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynWatcher for Watcher {
        async fn look<'a>(&'a self, now: Timestamp) -> Result<Timestamp, Fault>;
    }
}

/// What a program has given to its [`Registry`].
#[derive(Clone, Default)]
pub struct Configured {
    /// Clients.
    pub clients: Vec<Arc<Client>>,
    /// Resource servers.
    pub resource_servers: Vec<Arc<ResourceServer>>,
    /// Whether there are no other resource servers.
    pub has_all_resource_servers: bool,
}

/// Clients and resource servers.
pub trait Registry: Send + Sync {
    /// The client of this id.
    fn client(
        &self,
        realm: &RealmId,
        id: &ClientId,
    ) -> impl Future<Output = Result<Option<Arc<Client>>, Fault>> + Send;

    /// The resource server of this identifier.
    fn resource_server(
        &self,
        realm: &RealmId,
        uri: &ResourceUri,
    ) -> impl Future<Output = Result<Option<Arc<ResourceServer>>, Fault>> + Send;

    /// Who looks for changes, when clients are kept after they were read. By default nobody: they are read
    /// each time.
    fn watcher(&self) -> Option<Arc<dyn DynWatcher>> {
        None
    }

    /// What the program itself has given to the registry, so that mistakes are found when the provider is built. It
    /// must not wait. By default nothing is known without looking it up.
    fn configured(&self, _realm: &RealmId) -> Configured {
        Configured::default()
    }

    /// Stores a client; `seen` is `None` for a new one, whose id must not be that of an account either (RFC
    /// 9068 section 5): a resource server could take the client for the person. Whoever keeps accounts in a
    /// store of their own looks there before they register a client under an id that somebody chose. A
    /// registry that can only be read answers a fault.
    fn put_client(
        &self,
        _realm: &RealmId,
        _seen: Option<Revision>,
        _client: Arc<Client>,
    ) -> impl Future<Output = Result<Put, Fault>> + Send {
        async { Err(Fault::internal("this registry can only be read")) }
    }

    /// Stores a new client whose id the engine has made of random bytes, so that nobody else can have it. By default
    /// as any other.
    fn add_client(
        &self,
        realm: &RealmId,
        client: Arc<Client>,
    ) -> impl Future<Output = Result<Put, Fault>> + Send {
        self.put_client(realm, None, client)
    }

    /// Removes a client as it was seen.
    fn remove_client(
        &self,
        _realm: &RealmId,
        _seen: Revision,
        _id: &ClientId,
    ) -> impl Future<Output = Result<Put, Fault>> + Send {
        async { Err(Fault::internal("this registry can only be read")) }
    }

    /// Clients in the order of their ids, after the given one.
    fn clients(
        &self,
        _realm: &RealmId,
        _after: Option<&ClientId>,
        _limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<Client>>, Fault>> + Send {
        async { Err(Fault::internal("this registry cannot be listed")) }
    }
}

chancery_types::port_object! {
    /// [`Registry`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynRegistry for Registry {
        async fn client<'a>(
            &'a self,
            realm: &'a RealmId,
            id: &'a ClientId,
        ) -> Result<Option<Arc<Client>>, Fault>;
        async fn resource_server<'a>(
            &'a self,
            realm: &'a RealmId,
            uri: &'a ResourceUri,
        ) -> Result<Option<Arc<ResourceServer>>, Fault>;
        async fn put_client<'a>(
            &'a self,
            realm: &'a RealmId,
            seen: Option<Revision>,
            client: Arc<Client>,
        ) -> Result<Put, Fault>;
        async fn add_client<'a>(&'a self, realm: &'a RealmId, client: Arc<Client>) -> Result<Put, Fault>;
        async fn remove_client<'a>(
            &'a self,
            realm: &'a RealmId,
            seen: Revision,
            id: &'a ClientId,
        ) -> Result<Put, Fault>;
        async fn clients<'a>(
            &'a self,
            realm: &'a RealmId,
            after: Option<&'a ClientId>,
            limit: usize,
        ) -> Result<Vec<Arc<Client>>, Fault>;
        fn configured(&self, realm: &RealmId) -> Configured;
        fn watcher(&self) -> Option<Arc<dyn DynWatcher>>;
    }
}

/// A signing key, as everybody may know it.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// The public half, with `kid` and `alg`.
    pub jwk: PublicJwk,
    /// When it is published, signs and counts.
    pub times: KeyTimes,
}

/// A secret from which the engine derives its own keys: form tokens, refresh rotation.
pub struct RootSecretEntry {
    /// Its number; what is derived names it.
    pub version: u32,
    /// The secret itself; only keys derived from it are used.
    pub secret: chancery_jose::RootSecret,
}

/// A key for which others encrypt, as everybody may know it.
#[derive(Clone, Debug)]
pub struct EncryptionKeyEntry {
    /// The public half, with `kid`.
    pub jwk: EncryptionKey,
    /// When it is published and decrypts.
    pub times: KeyTimes,
}

/// Where private keys are: a file, PKCS#11, a cloud KMS. The only asynchronous part of cryptography.
pub trait PrivateKeys: Send + Sync {
    /// All keys that are not forgotten yet. One that has counted is listed for as long as a session lives:
    /// what it signed still proves a past login (`id_token_hint`, OIDC Core section 3.1.2.1). One that is no
    /// secret any more is not listed.
    fn list(&self, realm: &RealmId) -> impl Future<Output = Result<Vec<KeyEntry>, Fault>> + Send;

    /// Signs with the key of this `kid` and its registered algorithm; a JWS signature (RFC 7518 section 3).
    ///
    /// The engine has no timer: a signer that is far away answers [`Fault::unavailable`] by itself when a
    /// second has passed, so that the client is told to come back (503). Nothing was used up then, and
    /// verification goes on.
    fn sign(
        &self,
        realm: &RealmId,
        kid: &str,
        input: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;

    /// The keys for which clients encrypt: by default none.
    fn encryption_keys(
        &self,
        _realm: &RealmId,
    ) -> impl Future<Output = Result<Vec<EncryptionKeyEntry>, Fault>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Opens what a client has encrypted for the key of this `kid` (RFC 7516 section 5.2): the content
    /// encryption key, or for ECDH-ES the secret that was agreed upon. `None` when it does not open: that is
    /// the client's fault and not to be told apart from later ones (section 11.5).
    fn decrypt(
        &self,
        _realm: &RealmId,
        kid: &str,
        _encrypted: EncryptedKey<'_>,
    ) -> impl Future<Output = Result<Option<Zeroizing<Vec<u8>>>, Fault>> + Send {
        async move { Err(Fault::unavailable(format!("the source of the key {kid} decrypts nothing"))) }
    }

    /// Root secrets, newest first; never empty. One that is forgotten takes with it what was sealed under it,
    /// such as the secrets of clients that are registered for an HMAC. The oldest must never be: the names of
    /// records and the pairwise subjects of people (OIDC Core section 8.1) are derived from it.
    fn secrets(&self, realm: &RealmId) -> impl Future<Output = Result<Vec<RootSecretEntry>, Fault>> + Send;

    /// Moves whenever keys or root secrets may have changed: then they are listed again. Asked often, so that
    /// it must not wait; whoever has to look elsewhere does so in [`PrivateKeys::watcher`]. By default they
    /// never change.
    fn generation(&self, _realm: &RealmId) -> u64 {
        0
    }

    /// Who looks for changes of the keys, if anybody has to.
    fn watcher(&self) -> Option<Arc<dyn DynWatcher>> {
        None
    }
}

chancery_types::port_object! {
    /// [`PrivateKeys`] as an object, as the engine holds them: whatever implements that trait is one.
    pub trait DynPrivateKeys for PrivateKeys {
        async fn list<'a>(&'a self, realm: &'a RealmId) -> Result<Vec<KeyEntry>, Fault>;
        async fn sign<'a>(
            &'a self,
            realm: &'a RealmId,
            kid: &'a str,
            input: &'a [u8],
        ) -> Result<Vec<u8>, Fault>;
        async fn encryption_keys<'a>(&'a self, realm: &'a RealmId) -> Result<Vec<EncryptionKeyEntry>, Fault>;
        async fn decrypt<'a>(
            &'a self,
            realm: &'a RealmId,
            kid: &'a str,
            encrypted: EncryptedKey<'a>,
        ) -> Result<Option<Zeroizing<Vec<u8>>>, Fault>;
        async fn secrets<'a>(&'a self, realm: &'a RealmId) -> Result<Vec<RootSecretEntry>, Fault>;
        fn generation(&self, realm: &RealmId) -> u64;
        fn watcher(&self) -> Option<Arc<dyn DynWatcher>>;
    }
}

/// Hears what happened.
pub trait EventSink: Send + Sync {
    /// Must not block.
    fn record(&self, occasion: &Occasion<'_>, event: &Event);
}

/// Nobody hears what happened. A program that wants to hear of nothing, not even of faults, gives it to
/// [`Builder::with_events`](crate::provider::Builder::with_events).
#[derive(Clone, Copy, Debug)]
pub struct NoopEventSink;

impl EventSink for NoopEventSink {
    fn record(&self, _: &Occasion<'_>, _: &Event) {}
}

/// Where events go while the program has given no sink: to whoever was found for them, if anybody.
#[derive(Default)]
pub(crate) struct FoundEventSink(OnceLock<Arc<dyn EventSink>>);

impl FoundEventSink {
    /// Has this sink hear what happens from now on, unless another one was found before.
    pub(crate) fn find(&self, sink: Arc<dyn EventSink>) {
        let _the_first_one_stays = self.0.set(sink);
    }
}

impl EventSink for FoundEventSink {
    fn record(&self, occasion: &Occasion<'_>, event: &Event) {
        if let Some(sink) = self.0.get() {
            sink.record(occasion, event);
        }
    }
}
