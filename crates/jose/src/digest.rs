//! Hashes, HMAC, and comparison in constant time.

use aws_lc_rs::{constant_time, digest, hmac};

use crate::base64url;

/// The hash function inside a signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Hash {
    /// base64url of the left half of the hash over `text`: the value of `at_hash` and `c_hash` (OpenID
    /// Connect Core 1.0 sections 3.1.3.6 and 3.3.2.11).
    ///
    /// ```
    /// # use chancery_jose::Hash;
    /// // The access token and its hash of OpenID Connect Core 1.0 appendix A.3.
    /// let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    /// assert_eq!(Hash::Sha256.left_half(access_token), "77QmUPtjPfzWtF2AnpK9RQ");
    /// ```
    #[must_use]
    pub fn left_half(self, text: &str) -> String {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        let whole = digest::digest(algorithm, text.as_bytes());
        base64url::encode(whole.as_ref().split_at(self.length() / 2).0)
    }

    /// Length of the output in bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// SHA-256 of all parts, each with its length in front, so that different lists never form the same input.
#[must_use]
pub fn sha256_of_parts(parts: impl IntoIterator<Item: AsRef<[u8]>>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        let part = part.as_ref();
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// HMAC with SHA-256 (RFC 2104).
#[must_use]
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref());
    out
}

/// HMAC with SHA-256 (RFC 2104) under a key that is prepared once and cannot be printed.
pub struct KeyedHash(hmac::Key);

impl KeyedHash {
    /// Takes 32 bytes that were drawn at random.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The digest of all parts, each with its length in front, so that different lists never form the same
    /// input.
    #[must_use]
    pub fn digest<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

/// Whether two secrets are equal, in a time that depends on their length alone.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// FIPS 180-4 example; RFC 4231 section 4.3 (test case 2).
    #[test]
    fn published_vectors() {
        assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let hash = KeyedHash::new(&[7; 32]);
        let of =
            |parts: &[&str]| (hash.digest(parts.iter().map(|part| part.as_bytes())), sha256_of_parts(parts));
        let one_message = [&3_u64.to_be_bytes()[..], b"abc"].concat();
        assert_eq!(of(&["abc"]), (hmac_sha256(&[7; 32], &one_message), sha256(&one_message)));
        let lists: [&[&str]; 6] = [&["ab", "c"], &["a", "bc"], &["abc"], &["abc", ""], &["", "abc"], &[]];
        for (n, one) in lists.iter().enumerate() {
            let differ = |other: &&[&str]| of(one).0 != of(other).0 && of(one).1 != of(other).1;
            assert!(lists.iter().skip(n + 1).all(differ), "{one:?}");
        }
        assert_ne!(of(&["abc"]).0, KeyedHash::new(&[8; 32]).digest([&b"abc"[..]]));
    }

    #[test]
    fn equality() {
        assert!(constant_time_eq(b"secret", b"secret"));
        assert!(!constant_time_eq(b"secret", b"secreT"));
        assert!(!constant_time_eq(b"secret", b"secret1"));
        assert!(constant_time_eq(b"", b""));
    }

    #[test]
    fn halves_have_half_the_length() {
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            assert_eq!(base64url::decode(&hash.left_half("x")).unwrap().len(), hash.length() / 2);
        }
    }
}
