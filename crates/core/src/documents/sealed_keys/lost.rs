//! Keys of which the wrapping key is lost, and those that take their place.

use chancery_jose::{EncryptionKeyType, SigningAlgorithm};
use chancery_store::{Document, Revision};
use chancery_types::{RealmId, Timestamp};

use super::{SealedKeys, document, root_name};
use crate::documents::key_ring::{self, KeyRing};
use crate::error::Fault;
use crate::rotation::KeyTimes;

/// How much of what is sealed in a store a wrapping key opens: everything, nothing, or with a damaged store something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Openable {
    /// The sealed private keys and root secrets.
    pub sealed: usize,
    /// Those that the wrapping key opens.
    pub opened: usize,
}

impl SealedKeys {
    /// How much of a realm's set the wrapping key opens.
    ///
    /// # Errors
    /// A fault of the store, or a damaged set.
    pub async fn openable(&self, realm: &RealmId) -> Result<Openable, Fault> {
        let (ring, _) = self.ring(realm).await?;
        let keys = ring.keys.iter().chain(&ring.encryption);
        let keys = keys.map(|key| self.unseal(realm, &key.kid, &key.sealed).is_ok());
        let secrets = ring.secrets.iter();
        let secrets =
            secrets.map(|secret| self.unseal(realm, &root_name(secret.version), &secret.sealed).is_ok());
        let all: Vec<bool> = keys.chain(secrets).collect();
        Ok(Openable { sealed: all.len(), opened: all.iter().filter(|is_open| **is_open).count() })
    }

    /// The set that takes the place of one that nobody can open any more: a new key for each of these algorithms and types, which
    /// is used at once, and a root secret of a version that none of the lost ones has, so that nothing that was made with one of
    /// them is taken for something that was made with it.
    ///
    /// It is not stored: its revision is that of the set which it replaces. Whoever stores it ends in the same step what
    /// depended on the lost ones: records that are found by an HMAC of a name are found no more, and the secrets of clients
    /// that are sealed with a root secret cannot be opened
    /// ([`without_sealed_secrets`](crate::client::without_sealed_secrets)).
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library; a symmetric algorithm; no set that could be replaced.
    pub async fn successors(
        &self,
        realm: &RealmId,
        algorithms: &[SigningAlgorithm],
        types: &[EncryptionKeyType],
        now: Timestamp,
    ) -> Result<Document, Fault> {
        let (lost, seen) = self.ring(realm).await?;
        let seen: Revision = seen.ok_or_else(|| Fault::internal("there are no keys to replace"))?;
        let newest = lost.secrets.iter().map(|secret| secret.version).max().unwrap_or(0);
        let version = newest.checked_add(1).ok_or_else(|| Fault::internal("no version is left"))?;
        let mut ring = KeyRing { secrets: vec![self.sealed_secret(realm, version)?], ..KeyRing::default() };
        let mut made = Vec::new();
        for alg in algorithms {
            if !made.iter().any(|jwk: &chancery_jose::PublicJwk| jwk.fits(*alg)) {
                let key = key_ring::signing_key(*alg)?;
                ring.keys.push(self.sealed_key(realm, &key, KeyTimes::first(now))?);
                made.push(key.public_jwk().clone());
            }
        }
        for key_type in types {
            let key = key_ring::decryption_key(*key_type)?;
            ring.encryption.push(self.sealed_encryption_key(realm, &key, KeyTimes::first(now))?);
        }
        Ok(Document { revision: seen, ..document(&ring)? })
    }
}
