//! Digests of names that can be guessed: account ids, client ids, user names.
//!
//! A plain digest of a handle reveals nothing, because handles are random. Names can be guessed: somebody
//! with a stolen table could simply try them. Records are therefore filed and tagged under an HMAC of the
//! name.

use chancery_jose::KeyedHash;
use chancery_types::RealmId;

use crate::error::Fault;
use crate::ports::DynPrivateKeys;

/// The key for these digests.
///
/// It is derived from the **oldest** root secret of the realm, which is kept for as long as the realm exists:
/// a consent is kept for a year and must be found after any number of rotations. A newer root secret changes
/// what is sealed and derived from then on, but never where a record is found.
pub struct NameKey(KeyedHash);

impl NameKey {
    /// Derives the key from the realm's root secrets.
    ///
    /// # Errors
    /// A fault of the source, or no root secret.
    pub async fn load(keys: &dyn DynPrivateKeys, realm: &RealmId) -> Result<Self, Fault> {
        let secrets = keys.secrets(realm).await?;
        let oldest = secrets.iter().min_by_key(|root| root.version);
        let oldest = oldest.ok_or_else(|| Fault::internal("there is no root secret"))?;
        Ok(Self(KeyedHash::new(&oldest.secret.derive("names"))))
    }

    /// HMAC-SHA-256 over the purpose and the names.
    #[must_use]
    pub fn digest(&self, purpose: &str, names: &[&str]) -> [u8; 32] {
        self.0.digest(std::iter::once(purpose).chain(names.iter().copied()).map(str::as_bytes))
    }
}
