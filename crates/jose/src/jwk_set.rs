//! A set of public keys (RFC 7517 section 5).

use crate::{EncryptionKey, Error, KeyManagementAlgorithm, PublicJwk, SigningAlgorithm, json::Object};

/// The longest JWK Set that is read, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// Public keys, in the order of the set: those for signatures and those for encryption. A key of which the
/// set does not say what it is for is both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<PublicJwk>,
    encryption_keys: Vec<EncryptionKey>,
}

impl JwkSet {
    /// A set to be published.
    ///
    /// # Errors
    /// [`Error::DuplicateKeyId`] when two keys have the same `kid`.
    pub fn new(keys: Vec<PublicJwk>, encryption_keys: Vec<EncryptionKey>) -> Result<Self, Error> {
        let mut kids: Vec<&str> = keys.iter().filter_map(PublicJwk::kid).collect();
        kids.extend(encryption_keys.iter().filter_map(EncryptionKey::kid));
        kids.sort_unstable();
        if kids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(Error::DuplicateKeyId);
        }
        Ok(Self { keys, encryption_keys })
    }

    /// Reads a set, at most 64 KiB. Keys that cannot be used here (unknown type, curve or algorithm, missing
    /// members, out of range) are left out, as RFC 7517 section 5 says; a set that contains
    /// private or symmetric keys is refused, and so is one with duplicate members.
    ///
    /// # Errors
    /// The rule that it breaks: see [`Error`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        let set = Object::parse(json)?;
        let members = set.raw("keys").ok_or(Error::MissingMember)?;
        let members: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(members.get()).map_err(|_| Error::MemberType)?;

        let mut set = Self::default();
        for member in members {
            match PublicJwk::parse(member.get().as_bytes()) {
                Ok(key) => set.keys.push(key),
                Err(Error::PrivateMember) => return Err(Error::PrivateMember),
                Err(_) => {}
            }
            if let Ok(key) = EncryptionKey::parse(member.get().as_bytes()) {
                set.encryption_keys.push(key);
            }
        }
        Ok(set)
    }

    /// All keys for signatures.
    #[must_use]
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }

    /// The keys that may verify a signature of this algorithm; when the header has a `kid`, only those of
    /// that name.
    pub fn candidates(
        &self,
        kid: Option<&str>,
        algorithm: SigningAlgorithm,
    ) -> impl Iterator<Item = &PublicJwk> {
        self.keys.iter().filter(move |key| key.fits(algorithm) && (kid.is_none() || key.kid() == kid))
    }

    /// The keys for which something may be encrypted by this algorithm.
    pub fn encryption_keys(&self, alg: KeyManagementAlgorithm) -> impl Iterator<Item = &EncryptionKey> {
        self.encryption_keys.iter().filter(move |key| key.fits(alg))
    }

    /// The set as JSON: public members only, in a fixed order.
    #[must_use]
    pub fn to_json(&self) -> String {
        let keys = self.keys.iter().map(PublicJwk::to_json);
        let keys: Vec<String> = keys.chain(self.encryption_keys.iter().map(EncryptionKey::to_json)).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}
