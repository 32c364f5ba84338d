//! Private keys and root secrets in [`Documents`], sealed with AES-256-GCM-SIV (RFC 8452).
//!
//! All those of a realm are one document, so that every change of the set is one compare-and-set: of two
//! changes at the same moment, the second is made on the result of the first. The times that a key carries do
//! the rest, on every node by itself.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chancery_jose::{
    DecryptionKey, EncryptedKey, EncryptionKeyType, PrivateKey, RootSecret, SealingKey, SigningAlgorithm,
    base64url,
};
use chancery_store::{Changed, Document, DocumentKind, Put, Revision};
use chancery_types::{RealmId, Timestamp};
use zeroize::Zeroizing;

use super::key_ring::{self, KeyRing, Made, SealedKey, SealedSecret, lasts, rotate};
use super::{Cache, Documents};
use crate::error::Fault;
use crate::ports::{DynWatcher, EncryptionKeyEntry, KeyEntry, PrivateKeys, Random, RootSecretEntry};
use crate::rotation::{KeyTimes, succeed};

mod lost;
pub use self::lost::Openable;

/// Private keys in [`Documents`]. Without the wrapping key, the contents of the store are useless.
pub struct SealedKeys {
    documents: Arc<Documents>,
    sealing: SealingKey,
    random: Arc<dyn Random>,
    opened: Arc<RwLock<Opened>>,
}

/// Private keys by realm and `kid`, opened and parsed once: the key of a `kid` never changes.
#[derive(Default)]
struct Opened {
    keys: HashMap<(RealmId, Box<str>), Arc<PrivateKey>>,
    encryption: HashMap<(RealmId, Box<str>), Arc<DecryptionKey>>,
    /// How often the set of a realm was invalidated by itself.
    generations: HashMap<RealmId, u64>,
    /// How often the sets of all realms were invalidated together.
    of_all: u64,
}

impl Cache for RwLock<Opened> {
    /// Drops the opened keys as well, so that a key that was removed from the set does not stay in memory.
    fn invalidate(&self, document: &Changed) {
        if document.kind == DocumentKind::SEALED_KEYS {
            let mut opened = self.write().unwrap_or_else(PoisonError::into_inner);
            opened.keys.retain(|(realm, _), _| *realm != document.realm);
            opened.encryption.retain(|(realm, _), _| *realm != document.realm);
            *opened.generations.entry(document.realm.clone()).or_default() += 1;
        }
    }

    fn invalidate_all(&self) {
        let mut opened = self.write().unwrap_or_else(PoisonError::into_inner);
        opened.keys.clear();
        opened.encryption.clear();
        opened.of_all += 1;
    }

    /// The keys stay, so that signing goes on: their own times say when they end.
    fn store_unavailable(&self) {}
}

const VERSION: u8 = 1;

/// The id of the document, of which each realm has one.
const NAME: &str = "keys";

/// How often a change is tried when others are faster. One of those succeeds each time, so this is enough.
const TRIES: usize = 32;

/// What a change of the set has done.
enum Change<T> {
    /// The set has changed and must be written.
    Made(T),
    /// The set is as it was.
    None(T),
}

/// The outcome of a rotation for one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The algorithm.
    pub alg: SigningAlgorithm,
    /// The key that takes over: a new one, or one that a rotation under way had chosen already.
    pub kid: Box<str>,
    /// When it begins to sign.
    pub sign_from: Timestamp,
}

/// A key for encryption that a rotation has made or chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotatedEncryption {
    /// Its type.
    pub key_type: EncryptionKeyType,
    /// The key that takes over.
    pub kid: Box<str>,
    /// When it is the only one of its type in the JWKS.
    pub alone_from: Timestamp,
}

impl SealedKeys {
    /// The keys in these documents. The operator keeps the wrapping key, without which nothing can be opened.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub fn new(
        documents: Arc<Documents>,
        wrapping: &RootSecret,
        random: Arc<dyn Random>,
    ) -> Result<Self, Fault> {
        let sealing = wrapping.sealing_key("chancery private key").map_err(broken)?;
        let opened = Arc::<RwLock<Opened>>::default();
        documents.register(&opened);
        Ok(Self { documents, sealing, random, opened })
    }

    /// Makes what a realm needs and does not have yet: a key for each of these algorithms, and the first root
    /// secret. It may be repeated at any time, even by several callers at once. The keys sign at once, whatever the
    /// clock says later; `now` is kept to tell how old they are.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library; a symmetric algorithm.
    pub async fn begin(
        &self,
        realm: &RealmId,
        algorithms: &[SigningAlgorithm],
        now: Timestamp,
    ) -> Result<(), Fault> {
        let mut made = Made::default();
        self.change(realm, |ring| {
            let mut is_changed = false;
            for alg in algorithms {
                if !lasts(&ring.keys, |key| Ok(self.private_key(realm, key)?.public_jwk().fits(*alg)))? {
                    let key = made.key(alg.name(), || key_ring::signing_key(*alg))?;
                    ring.keys.push(self.sealed_key(realm, key, KeyTimes::first(now))?);
                    is_changed = true;
                }
            }
            if ring.secrets.is_empty() {
                ring.secrets.push(self.sealed_secret(realm, 1)?);
                is_changed = true;
            }
            Ok(if is_changed { Change::Made(()) } else { Change::None(()) })
        })
        .await
    }

    /// Makes what a realm needs and does not have yet for others to encrypt: a key of each of these types. It
    /// may be repeated at any time, even by several callers at once.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library.
    pub async fn begin_encryption(
        &self,
        realm: &RealmId,
        types: &[EncryptionKeyType],
        now: Timestamp,
    ) -> Result<(), Fault> {
        let mut made = Made::default();
        self.change(realm, |ring| {
            let mut is_changed = false;
            for key_type in types {
                if !lasts(&ring.encryption, |key| self.is_of_type(realm, key, *key_type))? {
                    let key = made.key(key_type.name(), || key_ring::decryption_key(*key_type))?;
                    ring.encryption.push(self.sealed_encryption_key(realm, key, KeyTimes::first(now))?);
                    is_changed = true;
                }
            }
            Ok(if is_changed { Change::Made(()) } else { Change::None(()) })
        })
        .await
    }

    /// Replaces the keys of each of these algorithms by a new one, which is published `now` and signs from
    /// `sign_from` on. The old ones sign until then, and stay valid for `longest` after that, until their
    /// last tokens have expired. Leave caches of the JWKS enough time (10 minutes) between `now` and
    /// `sign_from`.
    ///
    /// If a key is already going to take over at `sign_from` or before, no new one is made. One that was
    /// going to take over later never signs.
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
                let (kid, sign_from) = rotate(
                    &mut ring.keys,
                    |key| Ok(self.private_key(realm, key)?.public_jwk().fits(*alg)),
                    |end| succeed(end, now, sign_from, longest),
                    || {
                        let times = KeyTimes { publish_at: now, sign_from, end: None, made_at: None };
                        let key = made.key(alg.name(), || key_ring::signing_key(*alg))?;
                        self.sealed_key(realm, key, times)
                    },
                )?;
                rotated.push(Rotated { alg: *alg, kid, sign_from });
            }
            Ok(Change::Made(rotated))
        })
        .await
    }

    /// Replaces the keys of each of these types for which others encrypt. The new ones are published `now`; the
    /// old ones stay published until `alone_from` and decrypt for `longest` after that. A rotation that is
    /// under way already makes no more keys.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library.
    pub async fn rotate_encryption(
        &self,
        realm: &RealmId,
        types: &[EncryptionKeyType],
        now: Timestamp,
        alone_from: Timestamp,
        longest: Duration,
    ) -> Result<Vec<RotatedEncryption>, Fault> {
        let mut made = Made::default();
        self.change(realm, |ring| {
            let mut rotated = Vec::new();
            for key_type in types {
                let (kid, alone_from) = rotate(
                    &mut ring.encryption,
                    |key| self.is_of_type(realm, key, *key_type),
                    |end| succeed(end, now, alone_from, longest),
                    || {
                        let times =
                            KeyTimes { publish_at: now, sign_from: alone_from, end: None, made_at: None };
                        let key = made.key(key_type.name(), || key_ring::decryption_key(*key_type))?;
                        self.sealed_encryption_key(realm, key, times)
                    },
                )?;
                rotated.push(RotatedEncryption { key_type: *key_type, kid, alone_from });
            }
            Ok(Change::Made(rotated))
        })
        .await
    }

    /// Removes a key that is no longer secret. Nothing that it signed is valid any more, not even as proof of
    /// a past login, and nothing is decrypted with it. Rotate with a `sign_from` of `now` first; otherwise no key signs in its place.
    ///
    /// # Errors
    /// A fault of the store, or when there is no such key.
    pub async fn remove(&self, realm: &RealmId, kid: &str) -> Result<(), Fault> {
        self.change(realm, |ring| {
            let before = ring.length();
            ring.retain(|key| *key.kid != *kid);
            if ring.length() == before {
                return Err(Fault::internal(format!("there is no key {kid}")));
            }
            Ok(Change::Made(()))
        })
        .await
    }

    /// Removes the keys that have not been valid since this time, and returns how many they were. Keep them
    /// for as long as a session lives, because an ID token that they signed still proves a past login
    /// (`id_token_hint`, OIDC Core section 3.1.2.1).
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn forget(&self, realm: &RealmId, ended_before: Timestamp) -> Result<usize, Fault> {
        self.change(realm, |ring| {
            let before = ring.length();
            ring.retain(|key| key.times.end.is_none_or(|end| end.count_until() >= ended_before));
            let forgotten = before - ring.length();
            Ok(if forgotten > 0 { Change::Made(forgotten) } else { Change::None(forgotten) })
        })
        .await
    }

    /// Makes a root secret, which seals everything new from then on. What older ones sealed can still be
    /// opened.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn add_secret(&self, realm: &RealmId) -> Result<u32, Fault> {
        self.change(realm, |ring| {
            let newest = ring.secrets.iter().map(|secret| secret.version).max().unwrap_or(0);
            let version = newest.saturating_add(1);
            ring.secrets.push(self.sealed_secret(realm, version)?);
            Ok(Change::Made(version))
        })
        .await
    }

    /// Changes the set by compare-and-set. When somebody else has changed it meanwhile, the step is repeated
    /// on the result.
    async fn change<T>(
        &self,
        realm: &RealmId,
        mut step: impl FnMut(&mut KeyRing) -> Result<Change<T>, Fault>,
    ) -> Result<T, Fault> {
        for _ in 0..TRIES {
            let (mut ring, seen) = self.ring(realm).await?;
            let outcome = match step(&mut ring)? {
                Change::Made(outcome) => outcome,
                Change::None(outcome) => return Ok(outcome),
            };
            let document = document(&ring)?;
            if let Put::Done(_) = self.documents.put(realm, DocumentKind::SEALED_KEYS, seen, document).await?
            {
                return Ok(outcome);
            }
        }
        Err(Fault::unavailable("the keys are being changed by somebody else; try again"))
    }

    /// The stored set with its revision, or an empty set if nothing is stored.
    async fn ring(&self, realm: &RealmId) -> Result<(KeyRing, Option<Revision>), Fault> {
        let Some(document) = self.documents.store().get(realm, DocumentKind::SEALED_KEYS, NAME).await? else {
            return Ok((KeyRing::default(), None));
        };
        match document.body.split_first() {
            Some((&VERSION, json)) => {
                let ring = serde_json::from_slice(json);
                let ring =
                    ring.map_err(|error| Fault::internal(format!("the stored keys are damaged: {error}")))?;
                Ok((ring, Some(document.revision)))
            }
            _ => Err(Fault::internal("the stored keys have an unknown version")),
        }
    }

    fn is_of_type(&self, realm: &RealmId, key: &SealedKey, of: EncryptionKeyType) -> Result<bool, Fault> {
        Ok(self.decryption_key(realm, key)?.public_jwk().key_type() == of)
    }

    fn sealed_key(&self, realm: &RealmId, key: &PrivateKey, times: KeyTimes) -> Result<SealedKey, Fault> {
        let jwk = key.to_jwk().map_err(broken)?;
        let sealed = self.seal(realm, key.kid(), jwk.as_bytes())?;
        Ok(SealedKey { kid: key.kid().into(), times, sealed })
    }

    fn sealed_encryption_key(
        &self,
        realm: &RealmId,
        key: &DecryptionKey,
        times: KeyTimes,
    ) -> Result<SealedKey, Fault> {
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
        opened.ok_or_else(|| {
            Fault::internal(format!(
                "{} in the store cannot be opened: it was sealed with another wrapping key; put back the one that this \
                 store was made with",
                told(name)
            ))
        })
    }

    /// The parsed private key, which is opened the first time only.
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

    /// The parsed key that decrypts, which is opened the first time only.
    fn decryption_key(&self, realm: &RealmId, key: &SealedKey) -> Result<Arc<DecryptionKey>, Fault> {
        let at = (realm.clone(), key.kid.clone());
        let known = self.opened.read().unwrap_or_else(PoisonError::into_inner).encryption.get(&at).cloned();
        if let Some(opened) = known {
            return Ok(opened);
        }
        let jwk = self.unseal(realm, &key.kid, &key.sealed)?;
        let opened = Arc::new(DecryptionKey::from_jwk(&jwk).map_err(broken)?.with_kid(&key.kid));
        let mut all = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        all.encryption.insert(at, Arc::clone(&opened));
        Ok(opened)
    }

    fn opened(&self, realm: &RealmId, kid: &str) -> Option<Arc<PrivateKey>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.keys.get(&(realm.clone(), kid.into())).cloned()
    }
}

/// The set in its stored form.
fn document(ring: &KeyRing) -> Result<Document, Fault> {
    let mut body = vec![VERSION];
    serde_json::to_writer(&mut body, ring).map_err(|error| Fault::internal(error.to_string()))?;
    Ok(Document { id: NAME.into(), aliases: Vec::new(), body: body.into(), revision: Revision::NONE })
}

/// The associated data of a seal, so that a sealed key cannot be moved to another realm or name.
fn sealed_for(realm: &RealmId, name: &str) -> Vec<u8> {
    [realm.as_str().as_bytes(), &[0], name.as_bytes()].concat()
}

const ROOT: &str = "root-";

fn root_name(version: u32) -> String {
    format!("{ROOT}{version}")
}

/// What has this name, for whoever reads of it.
fn told(name: &str) -> String {
    match name.strip_prefix(ROOT) {
        Some(version) => format!("the root secret of version {version}"),
        None => format!("the key {name}"),
    }
}

fn broken(error: chancery_jose::Error) -> Fault {
    Fault::internal(error.to_string())
}

impl PrivateKeys for SealedKeys {
    async fn list(&self, realm: &RealmId) -> Result<Vec<KeyEntry>, Fault> {
        let (ring, _) = self.ring(realm).await?;
        let entry = |key: &SealedKey| {
            let jwk = self.private_key(realm, key)?.public_jwk().clone();
            Ok(KeyEntry { jwk, times: key.times })
        };
        ring.keys.iter().map(entry).collect()
    }

    async fn sign(&self, realm: &RealmId, kid: &str, input: &[u8]) -> Result<Vec<u8>, Fault> {
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
    }

    async fn encryption_keys(&self, realm: &RealmId) -> Result<Vec<EncryptionKeyEntry>, Fault> {
        let (ring, _) = self.ring(realm).await?;
        let entry = |key: &SealedKey| {
            let jwk = self.decryption_key(realm, key)?.public_jwk().clone();
            Ok(EncryptionKeyEntry { jwk, times: key.times })
        };
        ring.encryption.iter().map(entry).collect()
    }

    async fn decrypt(
        &self,
        realm: &RealmId,
        kid: &str,
        encrypted: EncryptedKey<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        let (ring, _) = self.ring(realm).await?;
        let key = ring.encryption.iter().find(|key| *key.kid == *kid);
        let key = key.ok_or_else(|| Fault::internal(format!("there is no key {kid}")))?;
        Ok(self.decryption_key(realm, key)?.open(encrypted))
    }

    async fn secrets(&self, realm: &RealmId) -> Result<Vec<RootSecretEntry>, Fault> {
        let (ring, _) = self.ring(realm).await?;
        let open = |SealedSecret { version, sealed }: &SealedSecret| {
            let name = root_name(*version);
            let opened = self.unseal(realm, &name, sealed)?;
            let bytes = opened.as_slice().try_into();
            let bytes: [u8; 32] =
                bytes.map_err(|_| Fault::internal(format!("{} has the wrong length", told(&name))))?;
            Ok(RootSecretEntry { version: *version, secret: RootSecret::new(Zeroizing::new(bytes)) })
        };
        let mut secrets = ring.secrets.iter().map(open).collect::<Result<Vec<_>, Fault>>()?;
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.version));
        Ok(secrets)
    }

    fn generation(&self, realm: &RealmId) -> u64 {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.of_all + opened.generations.get(realm).copied().unwrap_or_default()
    }

    fn watcher(&self) -> Option<Arc<dyn DynWatcher>> {
        Some(self.documents.clone())
    }
}
