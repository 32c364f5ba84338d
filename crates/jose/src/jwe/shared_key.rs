//! A key that both sides know.

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};
use crate::Error;

/// A key that sender and recipient share, for one algorithm. It cannot be printed.
pub struct SharedKey {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryptionAlgorithm,
    pub(super) key: Zeroizing<Vec<u8>>,
}

impl SharedKey {
    /// Takes the octets of the key: for `dir` as many as `enc` needs, otherwise 16, 24 or 32 of them.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] when the algorithm is not symmetric, or when the key has another length.
    pub fn new(
        alg: KeyManagementAlgorithm,
        enc: ContentEncryptionAlgorithm,
        key: &[u8],
    ) -> Result<Self, Error> {
        if !alg.is_symmetric() || key.len() != length(alg, enc) {
            return Err(Error::KeyNotForAlgorithm);
        }
        Ok(Self { alg, enc, key: Zeroizing::new(key.to_vec()) })
    }

    /// Derives the key from a client secret: the left-most octets of its SHA-2 hash (OpenID Connect Core 1.0
    /// section 10.2).
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] when the algorithm is not symmetric.
    pub fn from_client_secret(
        alg: KeyManagementAlgorithm,
        enc: ContentEncryptionAlgorithm,
        secret: &[u8],
    ) -> Result<Self, Error> {
        let length = length(alg, enc);
        let hash = match length {
            ..=32 => &digest::SHA256,
            33..=48 => &digest::SHA384,
            _ => &digest::SHA512,
        };
        let digest = digest::digest(hash, secret);
        Self::new(alg, enc, digest.as_ref().get(..length).ok_or(Error::Library)?)
    }

    /// Whether it was made for these algorithms.
    #[must_use]
    pub fn fits(&self, alg: KeyManagementAlgorithm, enc: ContentEncryptionAlgorithm) -> bool {
        alg == self.alg && (alg != KeyManagementAlgorithm::Dir || enc == self.enc)
    }
}

fn length(alg: KeyManagementAlgorithm, enc: ContentEncryptionAlgorithm) -> usize {
    alg.wrapping_key_length().unwrap_or(enc.key_length())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    /// JOSE-08: each length comes from the hash that OpenID Connect Core 1.0 section 10.2 names for it.
    #[test]
    fn keys_from_a_secret() {
        use {ContentEncryptionAlgorithm as Enc, KeyManagementAlgorithm as Alg};
        let of = |alg, enc| {
            SharedKey::from_client_secret(alg, enc, b"abc").map(|shared| base64url::encode(&*shared.key))
        };
        // FIPS 180-4, the examples for "abc".
        let sha256 = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        let sha384 = "ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP_W-2AhgcroefMI1i67KE0yCWn";
        let sha512 = "3a81oZNherrMQXNJriBBMRLm-k6JqX6iCp7u5ktV05ohkpkqJ0_BqDa6PCOj_uu9RU1EI2Q86A4qmslPpUyknw";
        for (alg, enc, want) in [
            (Alg::A128Kw, Enc::A256CbcHs512, &sha256[..21]),
            (Alg::A192GcmKw, Enc::A128Gcm, &sha256[..32]),
            (Alg::A256Kw, Enc::A128Gcm, sha256),
            (Alg::Dir, Enc::A128Gcm, &sha256[..21]),
            (Alg::Dir, Enc::A192Gcm, &sha256[..32]),
            (Alg::Dir, Enc::A128CbcHs256, sha256),
            (Alg::Dir, Enc::A192CbcHs384, sha384),
            (Alg::Dir, Enc::A256CbcHs512, sha512),
        ] {
            let derived = of(alg, enc).unwrap();
            assert!(derived.starts_with(want) && derived.len() <= want.len() + 1, "{alg} {enc} {derived}");
        }
        for asymmetric in Alg::ALL.into_iter().filter(|alg| !alg.is_symmetric()) {
            assert_eq!(of(asymmetric, Enc::A128Gcm), Err(Error::KeyNotForAlgorithm), "{asymmetric}");
        }
    }
}
