//! The algorithms of a JWE: `alg` (RFC 7518 section 4.1) and `enc` (section 5.1).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
use crate::algorithm::unknown;

/// How the recipient learns the content encryption key: `alg`.
///
/// Never read, so that nothing can ask for them: `RSA1_5`, whose padding tells an attacker about the key (RFC
/// 8725 section 3.2), and the PBES2 algorithms, whose count of iterations the sender chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyManagementAlgorithm {
    /// RSAES OAEP with SHA-1 and MGF1 with SHA-1, the only OAEP of RFC 7518. OAEP needs no hash function that
    /// resists collisions, and many implementations know no other.
    RsaOaep,
    /// RSAES OAEP with SHA-256
    RsaOaep256,
    /// RSAES OAEP with SHA-384
    RsaOaep384,
    /// RSAES OAEP with SHA-512
    RsaOaep512,
    /// ECDH with an ephemeral key, which agrees upon the content encryption key itself.
    EcdhEs,
    /// ECDH with an ephemeral key that wraps with A128KW.
    EcdhEsA128Kw,
    /// ECDH with an ephemeral key that wraps with A192KW.
    EcdhEsA192Kw,
    /// ECDH with an ephemeral key that wraps with A256KW.
    EcdhEsA256Kw,
    /// AES key wrap with a shared key of 128 bits
    A128Kw,
    /// AES key wrap with a shared key of 192 bits
    A192Kw,
    /// AES key wrap with a shared key of 256 bits
    A256Kw,
    /// AES-GCM with a shared key of 128 bits around the content encryption key
    A128GcmKw,
    /// AES-GCM with a shared key of 192 bits around the content encryption key
    A192GcmKw,
    /// AES-GCM with a shared key of 256 bits around the content encryption key
    A256GcmKw,
    /// A shared key that encrypts the content itself
    Dir,
}

impl KeyManagementAlgorithm {
    /// All algorithms, the asymmetric ones first.
    pub const ALL: [Self; 15] = [
        Self::RsaOaep,
        Self::RsaOaep256,
        Self::RsaOaep384,
        Self::RsaOaep512,
        Self::EcdhEs,
        Self::EcdhEsA128Kw,
        Self::EcdhEsA192Kw,
        Self::EcdhEsA256Kw,
        Self::A128Kw,
        Self::A192Kw,
        Self::A256Kw,
        Self::A128GcmKw,
        Self::A192GcmKw,
        Self::A256GcmKw,
        Self::Dir,
    ];

    /// From its registered name, which is case-sensitive (RFC 7516 section 4.1.1).
    ///
    /// ```
    /// # mod chancery { pub mod jose { pub use chancery_jose::KeyManagementAlgorithm; } }
    /// use chancery::jose::KeyManagementAlgorithm;
    /// assert_eq!(KeyManagementAlgorithm::parse("ECDH-ES"), Some(KeyManagementAlgorithm::EcdhEs));
    /// assert_eq!(KeyManagementAlgorithm::parse("RSA1_5"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The registered name, as `alg` carries it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaOaep => "RSA-OAEP",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::RsaOaep384 => "RSA-OAEP-384",
            Self::RsaOaep512 => "RSA-OAEP-512",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA192Kw => "ECDH-ES+A192KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
            Self::A128Kw => "A128KW",
            Self::A192Kw => "A192KW",
            Self::A256Kw => "A256KW",
            Self::A128GcmKw => "A128GCMKW",
            Self::A192GcmKw => "A192GCMKW",
            Self::A256GcmKw => "A256GCMKW",
            Self::Dir => "dir",
        }
    }

    /// Whether both sides share one secret.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        !self.is_rsa() && !self.is_agreement()
    }

    pub(super) const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaOaep | Self::RsaOaep256 | Self::RsaOaep384 | Self::RsaOaep512)
    }

    pub(super) const fn is_agreement(self) -> bool {
        matches!(self, Self::EcdhEs | Self::EcdhEsA128Kw | Self::EcdhEsA192Kw | Self::EcdhEsA256Kw)
    }

    /// The length in octets of the key that AES wraps with, for the algorithms that wrap.
    pub(super) const fn wrapping_key_length(self) -> Option<usize> {
        match self {
            Self::EcdhEsA128Kw | Self::A128Kw | Self::A128GcmKw => Some(16),
            Self::EcdhEsA192Kw | Self::A192Kw | Self::A192GcmKw => Some(24),
            Self::EcdhEsA256Kw | Self::A256Kw | Self::A256GcmKw => Some(32),
            Self::RsaOaep | Self::RsaOaep256 | Self::RsaOaep384 | Self::RsaOaep512 => None,
            Self::EcdhEs | Self::Dir => None,
        }
    }
}

/// How the content is encrypted and protected: `enc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentEncryptionAlgorithm {
    /// AES-CBC with 128 bits and HMAC-SHA-256: what a client gets that names none (OpenID Connect
    /// Registration 1.0 section 2).
    #[default]
    A128CbcHs256,
    /// AES-CBC with 192 bits and HMAC-SHA-384
    A192CbcHs384,
    /// AES-CBC with 256 bits and HMAC-SHA-512
    A256CbcHs512,
    /// AES-GCM with 128 bits
    A128Gcm,
    /// AES-GCM with 192 bits
    A192Gcm,
    /// AES-GCM with 256 bits
    A256Gcm,
}

impl ContentEncryptionAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 6] = [
        Self::A128CbcHs256,
        Self::A192CbcHs384,
        Self::A256CbcHs512,
        Self::A128Gcm,
        Self::A192Gcm,
        Self::A256Gcm,
    ];

    /// From its registered name, which is case-sensitive (RFC 7516 section 4.1.2).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The registered name, as `enc` carries it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A192CbcHs384 => "A192CBC-HS384",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A192Gcm => "A192GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The length of the content encryption key in octets (RFC 7518 sections 5.2.3 to 5.3).
    pub(super) const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A192Gcm => 24,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A192CbcHs384 => 48,
            Self::A256CbcHs512 => 64,
        }
    }

    /// The length of the initialisation vector in octets.
    pub(super) const fn iv_length(self) -> usize {
        match self {
            Self::A128CbcHs256 | Self::A192CbcHs384 | Self::A256CbcHs512 => 16,
            Self::A128Gcm | Self::A192Gcm | Self::A256Gcm => 12,
        }
    }

    /// The length of the authentication tag in octets.
    pub(super) const fn tag_length(self) -> usize {
        match self {
            Self::A128CbcHs256 | Self::A128Gcm | Self::A192Gcm | Self::A256Gcm => 16,
            Self::A192CbcHs384 => 24,
            Self::A256CbcHs512 => 32,
        }
    }
}

macro_rules! text {
    ($algorithm:ty) => {
        impl fmt::Display for $algorithm {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $algorithm {
            type Err = Error;
            fn from_str(name: &str) -> Result<Self, Error> {
                Self::parse(name).ok_or(Error::UnknownAlgorithm)
            }
        }

        impl Serialize for $algorithm {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $algorithm {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::parse(&name).ok_or_else(|| unknown(&name, Self::ALL.map(Self::name)))
            }
        }
    };
}

text!(KeyManagementAlgorithm);
text!(ContentEncryptionAlgorithm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for alg in KeyManagementAlgorithm::ALL {
            assert_eq!(alg.name().parse(), Ok(alg));
            assert_eq!(serde_json::from_str::<KeyManagementAlgorithm>(&format!("\"{alg}\"")).unwrap(), alg);
        }
        for enc in ContentEncryptionAlgorithm::ALL {
            assert_eq!(enc.name().parse(), Ok(enc));
            assert_eq!(serde_json::to_string(&enc).unwrap(), format!("\"{enc}\""));
        }
        for never in ["RSA1_5", "PBES2-HS256+A128KW", "none", "", "DIR", "rsa-oaep", "RSA-OAEP-1", "A128GCM"]
        {
            assert_eq!(never.parse::<KeyManagementAlgorithm>(), Err(Error::UnknownAlgorithm), "{never}");
        }
        for never in ["A128CBC", "none", "", "a128gcm", "XC20P", "A512GCM", "dir"] {
            assert_eq!(never.parse::<ContentEncryptionAlgorithm>(), Err(Error::UnknownAlgorithm), "{never}");
        }
    }
}
