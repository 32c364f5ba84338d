//! Private keys and root secrets over a [`DocumentStore`], sealed with AES-256-GCM-SIV.
//!
//! Changing the set is a compare-and-swap of one document; the times that a key carries do the rest, on every node by
//! itself (architecture, section 12).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chancery_jose::{PrivateKey, RootSecret as Wrapping, SealingKey, SigningAlgorithm, base64url};
use chancery_store::{Document, DocumentKind, DocumentStore, Put, Revision};
use chancery_types::{RealmId, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::ports::{Answer, KeyEntry, PrivateKeys, Random, RootSecret};

/// Private keys over a [`DocumentStore`]. Without the wrapping key the store holds nothing of use.
pub struct SealedKeys {
    store: Arc<dyn DocumentStore>,
    sealing: SealingKey,
    random: Arc<dyn Random>,
    /// Opened and parsed once: a key never changes under its name.
    opened: RwLock<Opened>,
}

/// Private keys by realm and `kid`.
type Opened = HashMap<(RealmId, Box<str>), Arc<PrivateKey>>;

/// Version 1 of the stored form, after the version byte. The document's name is the `kid`, or `root-` and the version.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    content: Content,
    publish_at: Timestamp,
    sign_from: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retire_at: Option<Timestamp>,
    /// base64url; bound to realm and name.
    sealed: Box<str>,
}

/// What is under the seal.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// A private JWK.
    SigningKey,
    /// 32 bytes.
    RootSecret(u32),
}

const VERSION: u8 = 1;

/// More keys than any realm has.
const LIMIT: usize = 1_000;

/// How often a change is tried again when another node was faster.
const TRIES: usize = 5;

impl SealedKeys {
    /// Keys over a store. The wrapping key is the operator's: without it nothing can be opened.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub fn new(store: Arc<dyn DocumentStore>, wrapping: &Wrapping, random: Arc<dyn Random>) -> Result<Self, Fault> {
        let sealing = wrapping.sealing_key("chancery private key").map_err(broken)?;
        Ok(Self { store, sealing, random, opened: RwLock::default() })
    }

    /// Makes a key and says its `kid`. It is published at one time and signs from another: leave the caches of the JWKS
    /// their time in between (10 minutes).
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library.
    pub async fn add(
        &self,
        realm: &RealmId,
        alg: SigningAlgorithm,
        publish_at: Timestamp,
        sign_from: Timestamp,
    ) -> Result<Box<str>, Fault> {
        let key = PrivateKey::generate(alg).map_err(broken)?;
        let jwk = key.to_jwk().map_err(broken)?;
        let stored = Stored {
            content: Content::SigningKey,
            publish_at,
            sign_from,
            retire_at: None,
            sealed: self.seal(realm, key.kid(), jwk.as_bytes())?,
        };
        match self.put(realm, key.kid(), None, &stored).await? {
            Put::Done(_) => Ok(key.kid().into()),
            Put::Stale | Put::Occupied => Err(Fault::internal("a new key has the name of another")),
        }
    }

    /// Makes a key in the place of those of its algorithm, which sign until `sign_from` and count until
    /// `others_retire_at`: not before the longest token they signed has ended.
    ///
    /// # Errors
    /// As [`SealedKeys::add`] and [`SealedKeys::retire`].
    pub async fn rotate(
        &self,
        realm: &RealmId,
        alg: SigningAlgorithm,
        publish_at: Timestamp,
        sign_from: Timestamp,
        others_retire_at: Timestamp,
    ) -> Result<Box<str>, Fault> {
        let before = self.list(realm).await?;
        let kid = self.add(realm, alg, publish_at, sign_from).await?;
        let of_alg = |entry: &&KeyEntry| entry.jwk.fits(alg) && entry.retire_at.is_none();
        for entry in before.iter().filter(of_alg) {
            if let Some(kid) = entry.jwk.kid() {
                self.retire(realm, kid, others_retire_at).await?;
            }
        }
        Ok(kid)
    }

    /// Says from when a key counts no more; with the present time at once, for an emergency.
    ///
    /// # Errors
    /// A fault of the store, or when there is no such key.
    pub async fn retire(&self, realm: &RealmId, kid: &str, at: Timestamp) -> Result<(), Fault> {
        for _ in 0..TRIES {
            let document = self.store.get(realm, DocumentKind::SEALED_KEY, kid).await?;
            let document = document.ok_or_else(|| Fault::internal(format!("there is no key {kid}")))?;
            let stored = Stored { retire_at: Some(at), ..decode(&document)? };
            if let Put::Done(_) = self.put(realm, kid, Some(document.revision), &stored).await? {
                return Ok(());
            }
        }
        Err(Fault::unavailable(format!("the key {kid} is being changed by others")))
    }

    /// Removes the keys that were retired before this time, and says how many.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn forget(&self, realm: &RealmId, retired_before: Timestamp) -> Result<usize, Fault> {
        let mut forgotten = 0;
        for document in self.documents(realm).await? {
            if decode(&document)?.retire_at.is_some_and(|at| at < retired_before) {
                let put = self.store.remove(realm, DocumentKind::SEALED_KEY, &document.id, document.revision).await?;
                forgotten += usize::from(matches!(put, Put::Done(_)));
            }
        }
        Ok(forgotten)
    }

    /// Makes a root secret, with which everything new is sealed from then on. What older ones sealed can still be read.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn add_secret(&self, realm: &RealmId, now: Timestamp) -> Result<u32, Fault> {
        for _ in 0..TRIES {
            let newest = self.secrets(realm).await?.first().map_or(0, |secret| secret.version);
            let version = newest.saturating_add(1);
            let id = format!("root-{version}");
            let mut secret = Zeroizing::new([0; 32]);
            self.random.fill(&mut *secret);
            let stored = Stored {
                content: Content::RootSecret(version),
                publish_at: now,
                sign_from: now,
                retire_at: None,
                sealed: self.seal(realm, &id, secret.as_slice())?,
            };
            if let Put::Done(_) = self.put(realm, &id, None, &stored).await? {
                return Ok(version);
            }
        }
        Err(Fault::unavailable("root secrets are being made by others"))
    }

    async fn documents(&self, realm: &RealmId) -> Result<Vec<Document>, Fault> {
        Ok(self.store.list(realm, DocumentKind::SEALED_KEY, None, LIMIT).await?)
    }

    async fn put(&self, realm: &RealmId, id: &str, seen: Option<Revision>, stored: &Stored) -> Result<Put, Fault> {
        let mut body = vec![VERSION];
        serde_json::to_writer(&mut body, stored).map_err(|error| Fault::internal(error.to_string()))?;
        let document = Document { id: id.into(), alias: None, body: body.into(), revision: Revision(0) };
        Ok(self.store.put(realm, DocumentKind::SEALED_KEY, seen, document).await?)
    }

    fn seal(&self, realm: &RealmId, id: &str, content: &[u8]) -> Result<Box<str>, Fault> {
        let mut nonce = [0; 12];
        self.random.fill(&mut nonce);
        let sealed = self.sealing.seal(nonce, &sealed_for(realm, id), content).map_err(broken)?;
        Ok(base64url::encode(sealed).into())
    }

    fn unseal(&self, realm: &RealmId, id: &str, stored: &Stored) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let sealed = base64url::decode(&stored.sealed).map_err(broken)?;
        let opened = self.sealing.open(&sealed_for(realm, id), &sealed);
        opened.ok_or_else(|| Fault::internal(format!("the key {id} was sealed under another wrapping key")))
    }

    /// The private key, parsed; opened only the first time.
    fn private_key(&self, realm: &RealmId, kid: &str, stored: &Stored) -> Result<Arc<PrivateKey>, Fault> {
        if let Some(key) = self.opened(realm, kid) {
            return Ok(key);
        }
        let jwk = self.unseal(realm, kid, stored)?;
        let key = Arc::new(PrivateKey::from_jwk(&jwk).map_err(broken)?.with_kid(kid));
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        opened.insert((realm.clone(), kid.into()), Arc::clone(&key));
        Ok(key)
    }

    fn opened(&self, realm: &RealmId, kid: &str) -> Option<Arc<PrivateKey>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.get(&(realm.clone(), kid.into())).cloned()
    }
}

/// What a seal is bound to, so that a sealed key cannot be moved to another realm or name.
fn sealed_for(realm: &RealmId, id: &str) -> Vec<u8> {
    [realm.as_str().as_bytes(), &[0], id.as_bytes()].concat()
}

fn decode(document: &Document) -> Result<Stored, Fault> {
    match document.body.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json)
            .map_err(|error| Fault::internal(format!("damaged key {}: {error}", document.id))),
        _ => Err(Fault::internal(format!("the key {} is of an unknown version", document.id))),
    }
}

fn broken(error: chancery_jose::Error) -> Fault {
    Fault::internal(error.to_string())
}

impl PrivateKeys for SealedKeys {
    fn list<'a>(&'a self, realm: &'a RealmId) -> Answer<'a, Vec<KeyEntry>> {
        Box::pin(async move {
            let mut entries = Vec::new();
            for document in self.documents(realm).await? {
                let stored = decode(&document)?;
                if stored.content == Content::SigningKey {
                    let jwk = self.private_key(realm, &document.id, &stored)?.public_jwk().clone();
                    let Stored { publish_at, sign_from, retire_at, .. } = stored;
                    entries.push(KeyEntry { jwk, publish_at, sign_from, retire_at });
                }
            }
            Ok(entries)
        })
    }

    fn sign<'a>(&'a self, realm: &'a RealmId, kid: &'a str, input: &'a [u8]) -> Answer<'a, Vec<u8>> {
        Box::pin(async move {
            let key = match self.opened(realm, kid) {
                Some(key) => key,
                None => {
                    let document = self.store.get(realm, DocumentKind::SEALED_KEY, kid).await?;
                    let document = document.ok_or_else(|| Fault::internal(format!("there is no key {kid}")))?;
                    self.private_key(realm, kid, &decode(&document)?)?
                }
            };
            let alg = key.alg().ok_or_else(|| Fault::internal(format!("the key {kid} has no algorithm")))?;
            key.sign(alg, input).map_err(broken)
        })
    }

    fn secrets<'a>(&'a self, realm: &'a RealmId) -> Answer<'a, Vec<RootSecret>> {
        Box::pin(async move {
            let mut secrets = Vec::new();
            for document in self.documents(realm).await? {
                let stored = decode(&document)?;
                if let Content::RootSecret(version) = stored.content {
                    let opened = self.unseal(realm, &document.id, &stored)?;
                    let bytes: [u8; 32] = opened
                        .as_slice()
                        .try_into()
                        .map_err(|_| Fault::internal(format!("{} has the wrong length", document.id)))?;
                    secrets.push(RootSecret { version, secret: Wrapping::new(Zeroizing::new(bytes)) });
                }
            }
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.version));
            Ok(secrets)
        })
    }

    fn revision<'a>(&'a self, realm: &'a RealmId) -> Answer<'a, Revision> {
        Box::pin(async move { Ok(self.store.revision(realm).await?) })
    }
}
