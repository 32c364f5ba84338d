//! Private keys and root secrets over [`Documents`], sealed with AES-256-GCM-SIV.
//!
//! All of a realm's are one document, so that every change of the set is one compare-and-set: of two who change it at one
//! moment, the second sees what the first has done. The times that a key carries do the rest, on every node by itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chancery_jose::{PrivateKey, RootSecret, SealingKey, SigningAlgorithm, base64url};
use chancery_store::{Changed, Document, DocumentKind, Put, Revision};
use chancery_types::{RealmId, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Documents, Keeper};
use crate::error::Fault;
use crate::ports::{KeyEntry, PortFuture, PrivateKeys, Random, RootSecretEntry, Watcher};
use crate::rotation::{KeyTimes, succeed};

/// Private keys over [`Documents`]. Without the wrapping key the store holds nothing of use.
pub struct SealedKeys {
    documents: Arc<Documents>,
    sealing: SealingKey,
    random: Arc<dyn Random>,
    opened: Arc<RwLock<Opened>>,
}

/// Private keys by realm and `kid`, opened and parsed once: a key never changes under its name.
#[derive(Default)]
struct Opened {
    keys: HashMap<(RealmId, Box<str>), Arc<PrivateKey>>,
    /// How often a realm's set was written.
    generations: HashMap<RealmId, u64>,
    /// How often any realm's set may have been.
    of_all: u64,
}

impl Keeper for RwLock<Opened> {
    /// Also the keys are opened again, so that one that is removed from the set is not kept in memory.
    fn forget(&self, document: &Changed) {
        if document.kind == DocumentKind::SEALED_KEYS {
            let mut opened = self.write().unwrap_or_else(PoisonError::into_inner);
            opened.keys.retain(|(realm, _), _| *realm != document.realm);
            *opened.generations.entry(document.realm.clone()).or_default() += 1;
        }
    }

    fn forget_all(&self) {
        let mut opened = self.write().unwrap_or_else(PoisonError::into_inner);
        opened.keys.clear();
        opened.of_all += 1;
    }

    /// Signing goes on: what a key may do does not depend on the store.
    fn cut_off(&self) {}
}

/// Version 1 of the stored form, after the version byte.
#[derive(Default, Serialize, Deserialize)]
struct KeyRing {
    keys: Vec<SealedKey>,
    secrets: Vec<SealedSecret>,
}

#[derive(Serialize, Deserialize)]
struct SealedKey {
    kid: Box<str>,
    times: KeyTimes,
    /// A private JWK under the seal, in base64url; bound to realm and `kid`.
    sealed: Box<str>,
}

#[derive(Serialize, Deserialize)]
struct SealedSecret {
    version: u32,
    /// 32 bytes under the seal, in base64url; bound to realm and version.
    sealed: Box<str>,
}

const VERSION: u8 = 1;

/// The document's name; there is one in each realm.
const NAME: &str = "keys";

/// How often a change is tried again when others were faster. Each time, one of them was done.
const TRIES: usize = 32;

/// What became of one algorithm in a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// What it signs.
    pub alg: SigningAlgorithm,
    /// The key that takes over: a new one, or one that was going to already.
    pub kid: Box<str>,
    /// From when it signs.
    pub sign_from: Timestamp,
}

impl SealedKeys {
    /// Keys over documents. The wrapping key is the operator's: without it nothing can be opened.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub fn new(documents: Arc<Documents>, wrapping: &RootSecret, random: Arc<dyn Random>) -> Result<Self, Fault> {
        let sealing = wrapping.sealing_key("chancery private key").map_err(broken)?;
        let opened = Arc::<RwLock<Opened>>::default();
        documents.tell(&opened);
        Ok(Self { documents, sealing, random, opened })
    }

    /// Makes what a realm needs before it can sign anything, as far as it is not there: a key of each of these algorithms,
    /// and the first root secret. To be repeated as often as one likes, also by several at one moment.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library; a symmetric algorithm.
    pub async fn begin(&self, realm: &RealmId, algorithms: &[SigningAlgorithm]) -> Result<(), Fault> {
        let mut made = Made::default();
        self.change(realm, |ring| {
            let mut is_changed = false;
            for alg in algorithms {
                if !self.has_key(realm, ring, *alg)? {
                    ring.keys.push(self.sealed_key(realm, made.key(*alg)?, KeyTimes::FROM_THE_BEGINNING)?);
                    is_changed = true;
                }
            }
            if ring.secrets.is_empty() {
                ring.secrets.push(self.sealed_secret(realm, 1)?);
                is_changed = true;
            }
            Ok(((), is_changed))
        })
        .await
    }

    /// Puts a key in the place of those of each of these algorithms, which sign until `sign_from` and count until the
    /// longest token that they have signed has ended: `longest` after. Leave the caches of the JWKS their time (10 minutes)
    /// between `now`, from when the new key is published, and `sign_from`.
    ///
    /// Where a key takes over at `sign_from` or before it already, it stays the one. Where one was going to later, it never
    /// signs.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library; a symmetric algorithm.
    pub async fn rotate(
        &self,
        realm: &RealmId,
        algorithms: &[SigningAlgorithm],
        now: Timestamp,
        sign_from: Timestamp,
        longest: Duration,
    ) -> Result<Vec<Rotated>, Fault> {
        let mut made = Made::default();
        self.change(realm, |ring| {
            let mut rotated = Vec::new();
            for alg in algorithms {
                let mut of_alg = Vec::new();
                for key in &mut ring.keys {
                    if self.private_key(realm, key)?.public_jwk().fits(*alg) {
                        of_alg.push(key);
                    }
                }
                let mut times: Vec<&mut KeyTimes> = of_alg.iter_mut().map(|key| &mut key.times).collect();
                let under_way = succeed(&mut times, now, sign_from, longest);
                let key = match under_way.and_then(|at| of_alg.into_iter().nth(at)) {
                    Some(key) => key,
                    None => {
                        let times = KeyTimes { publish_at: now, sign_from, end: None };
                        ring.keys.push(self.sealed_key(realm, made.key(*alg)?, times)?);
                        // It was just pushed.
                        let Some(key) = ring.keys.last_mut() else { continue };
                        key
                    }
                };
                rotated.push(Rotated { alg: *alg, kid: key.kid.clone(), sign_from: key.times.sign_from });
            }
            Ok((rotated, true))
        })
        .await
    }

    /// Removes a key: nothing that it signed counts any more, not even as proof of a past login. For a key that is no secret
    /// any more; rotate with a `sign_from` of `now` before, or nothing signs in its place.
    ///
    /// # Errors
    /// A fault of the store, or when there is no such key.
    pub async fn remove(&self, realm: &RealmId, kid: &str) -> Result<(), Fault> {
        self.change(realm, |ring| {
            let before = ring.keys.len();
            ring.keys.retain(|key| *key.kid != *kid);
            if ring.keys.len() == before {
                return Err(Fault::internal(format!("there is no key {kid}")));
            }
            Ok(((), true))
        })
        .await
    }

    /// Removes the keys that have counted until before this time, and says how many. Leave them as long as a session lives:
    /// what they signed still proves a past login.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn forget(&self, realm: &RealmId, ended_before: Timestamp) -> Result<usize, Fault> {
        self.change(realm, |ring| {
            let before = ring.keys.len();
            ring.keys.retain(|key| key.times.end.is_none_or(|end| end.count_until() >= ended_before));
            let forgotten = before - ring.keys.len();
            Ok((forgotten, forgotten > 0))
        })
        .await
    }

    /// Makes a root secret, with which everything new is sealed from then on. What older ones sealed can still be read.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn add_secret(&self, realm: &RealmId) -> Result<u32, Fault> {
        self.change(realm, |ring| {
            let newest = ring.secrets.iter().map(|secret| secret.version).max().unwrap_or(0);
            let version = newest.saturating_add(1);
            ring.secrets.push(self.sealed_secret(realm, version)?);
            Ok((version, true))
        })
        .await
    }

    /// One compare-and-set of the whole set: the step is made again on what others have made of it meanwhile. Says whether
    /// it has changed anything.
    async fn change<T>(
        &self,
        realm: &RealmId,
        mut step: impl FnMut(&mut KeyRing) -> Result<(T, bool), Fault>,
    ) -> Result<T, Fault> {
        for _ in 0..TRIES {
            let (mut ring, seen) = self.ring(realm).await?;
            let (outcome, is_changed) = step(&mut ring)?;
            if !is_changed {
                return Ok(outcome);
            }
            let mut body = vec![VERSION];
            serde_json::to_writer(&mut body, &ring).map_err(|error| Fault::internal(error.to_string()))?;
            let document =
                Document { id: NAME.into(), aliases: Vec::new(), body: body.into(), revision: Revision::NONE };
            if let Put::Done(_) = self.documents.put(realm, DocumentKind::SEALED_KEYS, seen, document).await? {
                return Ok(outcome);
            }
        }
        Err(Fault::unavailable("the keys are being changed by others; try again"))
    }

    /// The set as it is stored, empty when nothing is, and which state of it this is.
    async fn ring(&self, realm: &RealmId) -> Result<(KeyRing, Option<Revision>), Fault> {
        let Some(document) = self.documents.store().get(realm, DocumentKind::SEALED_KEYS, NAME).await? else {
            return Ok((KeyRing::default(), None));
        };
        match document.body.split_first() {
            Some((&VERSION, json)) => {
                let ring = serde_json::from_slice(json);
                let ring = ring.map_err(|error| Fault::internal(format!("the stored keys are damaged: {error}")))?;
                Ok((ring, Some(document.revision)))
            }
            _ => Err(Fault::internal("the stored keys are of an unknown version")),
        }
    }

    fn has_key(&self, realm: &RealmId, ring: &KeyRing, alg: SigningAlgorithm) -> Result<bool, Fault> {
        for key in ring.keys.iter().filter(|key| key.times.end.is_none()) {
            if self.private_key(realm, key)?.public_jwk().fits(alg) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn sealed_key(&self, realm: &RealmId, key: &PrivateKey, times: KeyTimes) -> Result<SealedKey, Fault> {
        let jwk = key.to_jwk().map_err(broken)?;
        let sealed = self.seal(realm, key.kid(), jwk.as_bytes())?;
        Ok(SealedKey { kid: key.kid().into(), times, sealed })
    }

    fn sealed_secret(&self, realm: &RealmId, version: u32) -> Result<SealedSecret, Fault> {
        let mut secret = Zeroizing::new([0; 32]);
        self.random.fill(&mut *secret);
        Ok(SealedSecret { version, sealed: self.seal(realm, &root_name(version), secret.as_slice())? })
    }

    fn seal(&self, realm: &RealmId, name: &str, content: &[u8]) -> Result<Box<str>, Fault> {
        let mut nonce = [0; 12];
        self.random.fill(&mut nonce);
        let sealed = self.sealing.seal(nonce, &sealed_for(realm, name), content).map_err(broken)?;
        Ok(base64url::encode(sealed).into())
    }

    fn unseal(&self, realm: &RealmId, name: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let sealed = base64url::decode(sealed).map_err(broken)?;
        let opened = self.sealing.open(&sealed_for(realm, name), &sealed);
        opened.ok_or_else(|| Fault::internal(format!("the key {name} was sealed under another wrapping key")))
    }

    /// The private key, parsed; opened only the first time.
    fn private_key(&self, realm: &RealmId, key: &SealedKey) -> Result<Arc<PrivateKey>, Fault> {
        if let Some(opened) = self.opened(realm, &key.kid) {
            return Ok(opened);
        }
        let jwk = self.unseal(realm, &key.kid, &key.sealed)?;
        let opened = Arc::new(PrivateKey::from_jwk(&jwk).map_err(broken)?.with_kid(&key.kid));
        let mut all = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        all.keys.insert((realm.clone(), key.kid.clone()), Arc::clone(&opened));
        Ok(opened)
    }

    fn opened(&self, realm: &RealmId, kid: &str) -> Option<Arc<PrivateKey>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.keys.get(&(realm.clone(), kid.into())).cloned()
    }
}

/// Keys that were made for a change, once, however often it is tried.
#[derive(Default)]
struct Made(BTreeMap<&'static str, PrivateKey>);

impl Made {
    fn key(&mut self, alg: SigningAlgorithm) -> Result<&PrivateKey, Fault> {
        use std::collections::btree_map::Entry;
        Ok(match self.0.entry(alg.name()) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => place.insert(PrivateKey::generate(alg).map_err(broken)?),
        })
    }
}

/// What a seal is bound to, so that a sealed key cannot be moved to another realm or name.
fn sealed_for(realm: &RealmId, name: &str) -> Vec<u8> {
    [realm.as_str().as_bytes(), &[0], name.as_bytes()].concat()
}

fn root_name(version: u32) -> String {
    format!("root-{version}")
}

fn broken(error: chancery_jose::Error) -> Fault {
    Fault::internal(error.to_string())
}

impl PrivateKeys for SealedKeys {
    fn list<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<KeyEntry>> {
        Box::pin(async move {
            let (ring, _) = self.ring(realm).await?;
            let entry = |key: &SealedKey| {
                let jwk = self.private_key(realm, key)?.public_jwk().clone();
                Ok(KeyEntry { jwk, times: key.times })
            };
            ring.keys.iter().map(entry).collect()
        })
    }

    fn sign<'a>(&'a self, realm: &'a RealmId, kid: &'a str, input: &'a [u8]) -> PortFuture<'a, Vec<u8>> {
        Box::pin(async move {
            let key = match self.opened(realm, kid) {
                Some(key) => key,
                None => {
                    let (ring, _) = self.ring(realm).await?;
                    let key = ring.keys.iter().find(|key| *key.kid == *kid);
                    let key = key.ok_or_else(|| Fault::internal(format!("there is no key {kid}")))?;
                    self.private_key(realm, key)?
                }
            };
            let alg = key.alg().ok_or_else(|| Fault::internal(format!("the key {kid} has no algorithm")))?;
            key.sign(alg, input).map_err(broken)
        })
    }

    fn secrets<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<RootSecretEntry>> {
        Box::pin(async move {
            let (ring, _) = self.ring(realm).await?;
            let open = |SealedSecret { version, sealed }: &SealedSecret| {
                let name = root_name(*version);
                let opened = self.unseal(realm, &name, sealed)?;
                let bytes = opened.as_slice().try_into();
                let bytes: [u8; 32] = bytes.map_err(|_| Fault::internal(format!("{name} has the wrong length")))?;
                Ok(RootSecretEntry { version: *version, secret: RootSecret::new(Zeroizing::new(bytes)) })
            };
            let mut secrets = ring.secrets.iter().map(open).collect::<Result<Vec<_>, Fault>>()?;
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.version));
            Ok(secrets)
        })
    }

    fn generation(&self, realm: &RealmId) -> u64 {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.of_all + opened.generations.get(realm).copied().unwrap_or_default()
    }

    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        Some(self.documents.clone())
    }
}
