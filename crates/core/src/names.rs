//! Digests of names that can be guessed: account ids, client ids, user names.
//!
//! Handles are random, so that a plain digest of one tells nothing. A name can be guessed, and whoever reads a stolen
//! table would only have to try: therefore records are filed and tagged under an HMAC.

use chancery_jose::KeyedHash;
use chancery_types::RealmId;

use crate::error::Fault;
use crate::ports::PrivateKeys;

/// The key of these digests.
///
/// It comes from the **oldest** root secret of the realm, which is kept for as long as the realm lives: a consent is
/// filed for a year, and has to be found after any number of rotations. A newer root secret changes what is sealed and
/// drawn from then on, never where a record is found.
pub struct NameKey(KeyedHash);

impl NameKey {
    /// Asks for the realm's root secrets.
    ///
    /// # Errors
    /// A fault of the source, or no root secret.
    pub async fn load(keys: &dyn PrivateKeys, realm: &RealmId) -> Result<Self, Fault> {
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
