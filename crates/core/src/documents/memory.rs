//! Clients and keys in memory: for development and tests.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chancery_jose::{
    DecryptionKey, EncryptedKey, EncryptionKeyType, PrivateKey, RootSecret, SigningAlgorithm, SystemRandom,
};
use chancery_store::{Put, Revision};
use chancery_types::{ClientId, RealmId, ResourceUri, Timestamp};
use serde_json::Value;
use zeroize::Zeroizing;

use super::given_servers::GivenServers;
use super::key_ring;
use crate::client::{Registered, RegistrationRules, register};
use crate::error::{Complaint, Complaints, Fault};
use crate::model::{Client, ResourceServer};
use crate::offered::Offered;
use crate::ports::{Configured, EncryptionKeyEntry, KeyEntry, PrivateKeys, Registry, RootSecretEntry};
use crate::rotation::{KeyEnd, KeyTimes};

/// Clients and resource servers in memory, the same for every realm that asks.
pub struct MemoryRegistry {
    known: RwLock<Known>,
    offered: Offered,
}

#[derive(Default)]
struct Known {
    clients: BTreeMap<ClientId, Arc<Client>>,
    resource_servers: GivenServers,
    changes: u64,
}

impl Known {
    /// Stores the client under a new revision.
    fn put(&mut self, client: Client) -> Revision {
        self.changes += 1;
        let revision = Revision(self.changes);
        self.clients.insert(client.id().clone(), Arc::new(client.seen_at(revision)));
        revision
    }

    /// Why the client of this id cannot be written over the state `seen`; `None` if it can.
    fn contradicts(&self, id: &ClientId, seen: Option<Revision>) -> Option<Put> {
        match (self.clients.get(id).map(|client| client.revision()), seen) {
            (have, seen) if have == seen => None,
            (Some(_), None) => Some(Put::Occupied),
            _ => Some(Put::Stale),
        }
    }
}

impl MemoryRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self { known: RwLock::default(), offered: Offered::default() }
    }

    /// For a provider that does not offer what it does by default ([`Config::offered`](crate::config::Config::offered)):
    /// clients are registered for that.
    #[must_use]
    pub fn offering(self, offered: Offered) -> Self {
        Self { offered, ..self }
    }

    /// Adds a client of this metadata, as [`MemoryRegistry::put`] does. A client that needs a secret has to bring it, because
    /// nobody would see the one that is made; and no other may have its `client_id`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn with_client(self, metadata: &str) -> Result<Self, Complaints> {
        let registered = self.registered(metadata)?;
        if self.read(|known| known.clients.contains_key(registered.client.id())) {
            let rule = "is that of a client that was added before: give each client an id of its own, or replace the one that is \
                there with `put`";
            let complaint = Complaint::new("client_id", rule, "RFC 7591 section 3.2.1");
            return Err(of_client(metadata, vec![complaint].into()));
        }
        if self.keep(registered).is_some() {
            let rule = "is missing: give the client one of at least 32 characters, or register it with `put`, which makes one \
                and returns it";
            let complaint = Complaint::new("client_secret", rule, "RFC 7591 section 3.2.1");
            return Err(of_client(metadata, vec![complaint].into()));
        }
        Ok(self)
    }

    /// Adds a resource server. No other may have its URI: [`Provider::new`](crate::provider::Provider::new) complains about two
    /// of one.
    #[must_use]
    pub fn with_resource_server(self, server: ResourceServer) -> Self {
        self.change(|known| {
            known.resource_servers.add(server);
            known.changes += 1;
        });
        self
    }

    /// Registers a client or replaces the one of the same `client_id`, and returns the secret if one was
    /// made. Its metadata is JSON (RFC 7591 section 2), or what begins with [`Client::web`], [`Client::spa`],
    /// [`Client::native`] or [`Client::machine`]. A member that means nothing here is refused, because it could be a
    /// misspelt one.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn put(&self, metadata: &str) -> Result<Option<Zeroizing<String>>, Complaints> {
        Ok(self.keep(self.registered(metadata)?))
    }

    fn registered(&self, metadata: &str) -> Result<Registered, Complaints> {
        let now = Timestamp::from_millis(0);
        // Whether the provider that will use it has a `Fetch` is not known here.
        let rules = RegistrationRules {
            can_fetch: true,
            are_unused_members_refused: true,
            ..RegistrationRules::new(&self.offered, &SigningAlgorithm::ALL, now)
        };
        let registered = register(metadata.as_bytes(), &SystemRandom, &rules);
        registered.map_err(|complaints| of_client(metadata, complaints))
    }

    /// Stores the client, and returns the secret if one was made.
    fn keep(&self, registered: Registered) -> Option<Zeroizing<String>> {
        // Replacing a client, or putting it again after a restart, is no new registration: its tokens stay
        // valid.
        self.change(|known| known.put(registered.client.configured()));
        registered.secret_to_show
    }

    /// Removes a client.
    pub fn remove(&self, id: &ClientId) {
        self.change(|known| {
            known.clients.remove(id);
            known.changes += 1;
        });
    }

    fn change<T>(&self, step: impl FnOnce(&mut Known) -> T) -> T {
        step(&mut self.known.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for MemoryRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry for MemoryRegistry {
    async fn client(&self, _: &RealmId, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        Ok(self.read(|known| known.clients.get(id).cloned()))
    }

    async fn resource_server(
        &self,
        _: &RealmId,
        uri: &ResourceUri,
    ) -> Result<Option<Arc<ResourceServer>>, Fault> {
        Ok(self.read(|known| known.resource_servers.get(uri).cloned()))
    }

    fn configured(&self, _: &RealmId) -> Configured {
        self.read(|known| Configured {
            clients: known.clients.values().cloned().collect(),
            resource_servers: known.resource_servers.all(),
            has_all_resource_servers: true,
        })
    }

    async fn put_client(
        &self,
        _: &RealmId,
        seen: Option<Revision>,
        client: Arc<Client>,
    ) -> Result<Put, Fault> {
        Ok(self.change(|known| match known.contradicts(client.id(), seen) {
            Some(put) => put,
            None => Put::Done(known.put(Arc::unwrap_or_clone(client))),
        }))
    }

    async fn remove_client(&self, _: &RealmId, seen: Revision, id: &ClientId) -> Result<Put, Fault> {
        Ok(self.change(|known| match known.contradicts(id, Some(seen)) {
            Some(put) => put,
            None => {
                known.clients.remove(id);
                known.changes += 1;
                Put::Done(Revision(known.changes))
            }
        }))
    }

    async fn clients(
        &self,
        _: &RealmId,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<Arc<Client>>, Fault> {
        Ok(self.read(|known| {
            let later = known.clients.iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
            later.take(limit).map(|(_, client)| Arc::clone(client)).collect()
        }))
    }
}

/// What is wrong with a client, by its name: a program registers several.
fn of_client(metadata: &str, complaints: Complaints) -> Complaints {
    let sent = serde_json::from_str::<Value>(metadata).unwrap_or_default();
    let Some(id) = sent.get("client_id").and_then(Value::as_str) else { return complaints };
    complaints.about(format!("client {id:?}"))
}

/// Keys in memory, the same for every realm that asks. They are lost when it is dropped.
pub struct MemoryKeys {
    held: RwLock<Held>,
}

struct Held {
    keys: Vec<(KeyEntry, Arc<PrivateKey>)>,
    encryption: Vec<(EncryptionKeyEntry, Arc<DecryptionKey>)>,
    /// Oldest first.
    secrets: Vec<Zeroizing<[u8; 32]>>,
    changes: u64,
}

impl MemoryKeys {
    /// Makes one key for each algorithm, which signs at once, and one root secret.
    ///
    /// # Errors
    /// A fault of the cryptographic library, and for a symmetric algorithm.
    pub fn generate(algorithms: &[SigningAlgorithm]) -> Result<Self, Fault> {
        let (keys, encryption) = (Vec::new(), Vec::new());
        let held = Held { keys, encryption, secrets: vec![random_bytes()], changes: 0 };
        let keys = Self { held: RwLock::new(held) };
        for alg in algorithms {
            keys.add(*alg, Timestamp::from_millis(0), Timestamp::from_millis(0))?;
        }
        Ok(keys)
    }

    /// Makes one more key and returns its `kid`.
    ///
    /// # Errors
    /// A fault of the cryptographic library, and for a symmetric algorithm.
    pub fn add(
        &self,
        alg: SigningAlgorithm,
        publish_at: Timestamp,
        sign_from: Timestamp,
    ) -> Result<Box<str>, Fault> {
        let key = key_ring::signing_key(alg)?;
        let kid: Box<str> = key.kid().into();
        let times = KeyTimes { publish_at, sign_from, end: None, made_at: None };
        let entry = KeyEntry { jwk: key.public_jwk().clone(), times };
        self.change(|held| held.keys.push((entry, Arc::new(key))));
        Ok(kid)
    }

    /// Makes a key for which others can encrypt, and returns its `kid`.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub fn add_encryption_key(
        &self,
        key_type: EncryptionKeyType,
        publish_at: Timestamp,
    ) -> Result<Box<str>, Fault> {
        let key = key_ring::decryption_key(key_type)?;
        let kid: Box<str> = key.kid().into();
        let times = KeyTimes { publish_at, sign_from: publish_at, end: None, made_at: None };
        let entry = EncryptionKeyEntry { jwk: key.public_jwk().clone(), times };
        self.change(|held| held.encryption.push((entry, Arc::new(key))));
        Ok(kid)
    }

    /// Sets until when a key signs and is valid, or is published and decrypts.
    pub fn end(&self, kid: &str, end: KeyEnd) {
        self.change(|held| {
            for (entry, _) in held.keys.iter_mut().filter(|(_, key)| key.kid() == kid) {
                entry.times.end = Some(end);
            }
            for (entry, _) in held.encryption.iter_mut().filter(|(_, key)| key.kid() == kid) {
                entry.times.end = Some(end);
            }
        });
    }

    /// Removes a key, which invalidates everything that it signed, and with which nothing is decrypted any
    /// more.
    pub fn remove(&self, kid: &str) {
        self.change(|held| {
            held.keys.retain(|(_, key)| key.kid() != kid);
            held.encryption.retain(|(_, key)| key.kid() != kid);
        });
    }

    /// Makes a root secret, which seals everything new from then on.
    pub fn add_secret(&self) {
        self.change(|held| held.secrets.push(random_bytes()));
    }

    fn change(&self, step: impl FnOnce(&mut Held)) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.changes += 1;
        step(&mut held);
    }

    fn read<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PrivateKeys for MemoryKeys {
    async fn list(&self, _: &RealmId) -> Result<Vec<KeyEntry>, Fault> {
        Ok(self.read(|held| held.keys.iter().map(|(entry, _)| entry.clone()).collect()))
    }

    async fn sign(&self, _: &RealmId, kid: &str, input: &[u8]) -> Result<Vec<u8>, Fault> {
        let found =
            |held: &Held| held.keys.iter().find(|(_, key)| key.kid() == kid).map(|(_, key)| key.clone());
        let key = self.read(found).ok_or_else(|| Fault::internal(format!("there is no key {kid}")))?;
        let alg = key.alg().ok_or_else(|| Fault::internal(format!("the key {kid} has no algorithm")))?;
        key.sign(alg, input).map_err(|error| Fault::internal(error.to_string()))
    }

    async fn encryption_keys(&self, _: &RealmId) -> Result<Vec<EncryptionKeyEntry>, Fault> {
        Ok(self.read(|held| held.encryption.iter().map(|(entry, _)| entry.clone()).collect()))
    }

    async fn decrypt(
        &self,
        _: &RealmId,
        kid: &str,
        encrypted: EncryptedKey<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        let found = |held: &Held| {
            held.encryption.iter().find(|(_, key)| key.kid() == kid).map(|(_, key)| key.clone())
        };
        let key = self.read(found).ok_or_else(|| Fault::internal(format!("there is no key {kid}")))?;
        Ok(key.open(encrypted))
    }

    async fn secrets(&self, _: &RealmId) -> Result<Vec<RootSecretEntry>, Fault> {
        let numbered = |held: &Held| {
            let versions = (1..).zip(&held.secrets);
            versions
                .map(|(version, secret)| RootSecretEntry { version, secret: RootSecret::new(secret.clone()) })
                .collect()
        };
        let mut secrets: Vec<RootSecretEntry> = self.read(numbered);
        secrets.reverse();
        Ok(secrets)
    }

    fn generation(&self, _: &RealmId) -> u64 {
        self.read(|held| held.changes)
    }
}

/// 32 random bytes.
fn random_bytes() -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    SystemRandom.fill(&mut *bytes);
    bytes
}
