//! The stored set of a realm's keys, and what a change does to it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chancery_jose::{DecryptionKey, EncryptionKeyType, PrivateKey, SigningAlgorithm};
use chancery_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::rotation::KeyTimes;

/// Version 1 of the stored form, which follows the version byte.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct KeyRing {
    pub(super) keys: Vec<SealedKey>,
    /// Those for which others encrypt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) encryption: Vec<SealedKey>,
    pub(super) secrets: Vec<SealedSecret>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SealedKey {
    pub(super) kid: Box<str>,
    pub(super) times: KeyTimes,
    /// A sealed private JWK in base64url, bound to realm and `kid`.
    pub(super) sealed: Box<str>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SealedSecret {
    pub(super) version: u32,
    /// 32 sealed bytes in base64url, bound to realm and version.
    pub(super) sealed: Box<str>,
}

impl KeyRing {
    pub(super) fn length(&self) -> usize {
        self.keys.len() + self.encryption.len()
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(&SealedKey) -> bool) {
        self.keys.retain(&is_kept);
        self.encryption.retain(is_kept);
    }
}

/// Whether one of these keys is of the kind that is asked for and nothing is to replace it.
pub(super) fn lasts(
    keys: &[SealedKey],
    is_of_kind: impl Fn(&SealedKey) -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    for key in keys.iter().filter(|key| key.times.end.is_none()) {
        if is_of_kind(key)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends the keys of one kind and returns the one that takes over, and when: one that was going to, or a new one.
pub(super) fn rotate(
    keys: &mut Vec<SealedKey>,
    is_of_kind: impl Fn(&SealedKey) -> Result<bool, Fault>,
    end: impl FnOnce(&mut [&mut KeyTimes]) -> Option<usize>,
    make: impl FnOnce() -> Result<SealedKey, Fault>,
) -> Result<(Box<str>, Timestamp), Fault> {
    let mut of_kind = Vec::new();
    for key in &mut *keys {
        if is_of_kind(key)? {
            of_kind.push(key);
        }
    }
    let mut times: Vec<&mut KeyTimes> = of_kind.iter_mut().map(|key| &mut key.times).collect();
    let under_way = end(&mut times);
    if let Some(key) = under_way.and_then(|at| of_kind.into_iter().nth(at)) {
        return Ok((key.kid.clone(), key.times.sign_from));
    }
    let made = make()?;
    let takes_over = (made.kid.clone(), made.times.sign_from);
    keys.push(made);
    Ok(takes_over)
}

/// A new key that signs.
pub(super) fn signing_key(alg: SigningAlgorithm) -> Result<PrivateKey, Fault> {
    if alg.is_symmetric() {
        // OIDC Core section 10.1
        return Err(Fault::internal(format!(
            "there is no key for {alg}: it signs with the secret of a client, without a key of the provider. Name an algorithm \
             with a key pair, such as {} or {}",
            SigningAlgorithm::Rs256,
            SigningAlgorithm::Es256
        )));
    }
    PrivateKey::generate(alg).map_err(|error| Fault::internal(error.to_string()))
}

/// A new key for which others encrypt.
pub(super) fn decryption_key(key_type: EncryptionKeyType) -> Result<DecryptionKey, Fault> {
    DecryptionKey::generate(key_type).map_err(|error| Fault::internal(error.to_string()))
}

/// The keys that were made for a change: each is made once, however often the change is tried.
pub(super) struct Made<K>(BTreeMap<&'static str, K>);

impl<K> Default for Made<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K> Made<K> {
    pub(super) fn key(
        &mut self,
        kind: &'static str,
        make: impl FnOnce() -> Result<K, Fault>,
    ) -> Result<&K, Fault> {
        Ok(match self.0.entry(kind) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => place.insert(make()?),
        })
    }
}
