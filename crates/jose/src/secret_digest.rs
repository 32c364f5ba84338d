//! How a client secret is kept.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use aws_lc_rs::hmac;

use crate::{Error, base64url};

/// A salted digest of a client secret: HMAC-SHA-256 with the salt as key. It is fast, which is safe for
/// secrets that cannot be guessed because they were drawn at random or have at least 32 characters, but not
/// for passwords.
///
/// ```
/// # use chancery_jose::SecretDigest;
/// let digest = SecretDigest::new([7; 16], "gX1fBat3bVgX1fBat3bVgX1fBat3bVgX");
/// assert!(digest.matches("gX1fBat3bVgX1fBat3bVgX1fBat3bVgX"));
/// assert!(!digest.matches("another"));
/// let text = digest.to_string();
/// assert!(text.starts_with("hmac-sha256:"));
/// assert!(text.parse::<SecretDigest>()?.matches("gX1fBat3bVgX1fBat3bVgX1fBat3bVgX"));
/// # Ok::<(), chancery_jose::Error>(())
/// ```
#[derive(Clone)]
pub struct SecretDigest {
    salt: [u8; 16],
    digest: [u8; 32],
    /// The salt as a key: prepared once, used for every comparison.
    key: hmac::Key,
}

const PREFIX: &str = "hmac-sha256:";

impl SecretDigest {
    /// Digests a secret with a salt that was drawn at random.
    #[must_use]
    pub fn new(salt: [u8; 16], secret: &str) -> Self {
        let mut of_secret = Self::of(salt, [0; 32]);
        of_secret.digest.copy_from_slice(hmac::sign(&of_secret.key, secret.as_bytes()).as_ref());
        of_secret
    }

    /// A digest that no secret matches. Comparing with it takes as long as with a real one, so that the time
    /// does not show whether there is a real one.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::of([0; 16], [0; 32])
    }

    fn of(salt: [u8; 16], digest: [u8; 32]) -> Self {
        Self { salt, digest, key: hmac::Key::new(hmac::HMAC_SHA256, &salt) }
    }

    /// Whether this is the secret, compared in constant time.
    #[must_use]
    pub fn matches(&self, secret: &str) -> bool {
        hmac::verify(&self.key, secret.as_bytes(), &self.digest).is_ok()
    }
}

/// The text in which it is stored; it does not contain the secret.
impl fmt::Display for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}", base64url::encode(self.salt), base64url::encode(self.digest))
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(..)")
    }
}

impl FromStr for SecretDigest {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let (salt, digest) = text.strip_prefix(PREFIX)?.split_once(':')?;
            let salt = base64url::decode(salt).ok()?.try_into().ok()?;
            let digest = base64url::decode(digest).ok()?.try_into().ok()?;
            Some(Self::of(salt, digest))
        };
        read().ok_or(Error::SecretDigest)
    }
}

impl Serialize for SecretDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_back_and_nothing_else_is() {
        let digest = SecretDigest::new([1; 16], "s");
        let text = digest.to_string();
        let json = serde_json::to_string(&digest).unwrap();
        assert!(serde_json::from_str::<SecretDigest>(&json).unwrap().matches("s"));
        assert!(!digest.matches("S") && !digest.matches("") && !SecretDigest::new([2; 16], "S").matches("s"));
        assert_ne!(text, SecretDigest::new([2; 16], "s").to_string());
        assert_eq!(format!("{digest:?}"), "SecretDigest(..)");
        for wrong in
            ["", PREFIX, &text[1..], &text[..text.len() - 1], &format!("{text}A"), &text.replace(':', ";")]
        {
            assert_eq!(wrong.parse::<SecretDigest>().err(), Some(Error::SecretDigest), "{wrong}");
        }
    }
}
