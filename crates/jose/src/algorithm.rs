//! The signature algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Hash};

/// How a JWS is signed. `none` has no value here, so nothing can ask for it (RFC 8725 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512
    Rs512,
    /// RSASSA-PSS with SHA-256
    Ps256,
    /// RSASSA-PSS with SHA-384
    Ps384,
    /// RSASSA-PSS with SHA-512
    Ps512,
    /// ECDSA on P-256 with SHA-256
    Es256,
    /// ECDSA on P-384 with SHA-384
    Es384,
    /// ECDSA on P-521 with SHA-512
    Es512,
    /// Ed25519 under its older name, which RFC 9864 section 4.1.2 deprecates.
    EdDsa,
    /// Ed25519 under its own name.
    Ed25519,
    /// HMAC with SHA-256
    Hs256,
    /// HMAC with SHA-384
    Hs384,
    /// HMAC with SHA-512
    Hs512,
}

impl SigningAlgorithm {
    /// All algorithms, the asymmetric ones first.
    pub const ALL: [Self; 14] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Ed25519,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// From its registered name, which is case-sensitive (RFC 7515 section 4.1.1). `none` is unknown.
    ///
    /// ```
    /// # mod chancery { pub use chancery_jose::SigningAlgorithm; }
    /// use chancery::SigningAlgorithm;
    /// assert_eq!(SigningAlgorithm::parse("ES256"), Some(SigningAlgorithm::Es256));
    /// assert_eq!(SigningAlgorithm::parse("es256"), None);
    /// assert_eq!(SigningAlgorithm::parse("none"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The registered name, as `alg` carries it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether signer and verifier share one secret.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// The hash function, which also makes `at_hash` (OpenID Connect Core 1.0 section 3.1.3.6). Ed25519
    /// hashes with SHA-512 (RFC 8032 section 5.1).
    #[must_use]
    pub const fn hash(self) -> Hash {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Hs256 => Hash::Sha256,
            Self::Rs384 | Self::Ps384 | Self::Es384 | Self::Hs384 => Hash::Sha384,
            Self::Rs512 | Self::Ps512 | Self::Es512 | Self::Hs512 | Self::EdDsa | Self::Ed25519 => {
                Hash::Sha512
            }
        }
    }

    /// Whether both are the same algorithm; true for the two names of Ed25519 (RFC 9864 section 2.2).
    #[must_use]
    pub fn is_same_as(self, other: Self) -> bool {
        let canonical = |algorithm| if algorithm == Self::EdDsa { Self::Ed25519 } else { algorithm };
        canonical(self) == canonical(other)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SigningAlgorithm {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::parse(name).ok_or(Error::UnknownAlgorithm)
    }
}

impl Serialize for SigningAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SigningAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| unknown(&name, Self::ALL.map(Self::name)))
    }
}

/// What is wrong with a name in a configuration or a registration, for whoever has written it.
pub(crate) fn unknown<E: de::Error>(name: &str, known: impl AsRef<[&'static str]>) -> E {
    E::custom(format_args!("{name:?} is none of {}", known.as_ref().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(SigningAlgorithm::parse(algorithm.name()), Some(algorithm));
            let json = serde_json::to_string(&algorithm).unwrap();
            assert_eq!(json, format!("\"{algorithm}\""));
            assert_eq!(serde_json::from_str::<SigningAlgorithm>(&json).unwrap(), algorithm);
        }
        for unknown in ["none", "None", "NONE", "", "rs256", "RS1", "ES256K", "Ed448", "dir", " RS256"] {
            assert_eq!(unknown.parse::<SigningAlgorithm>(), Err(Error::UnknownAlgorithm), "{unknown}");
            let error = serde_json::from_value::<SigningAlgorithm>(unknown.into()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{unknown:?} is none of RS256, RS384, ")), "{error}");
        }
    }

    #[test]
    fn only_ed25519_has_two_names() {
        for a in SigningAlgorithm::ALL {
            for b in SigningAlgorithm::ALL {
                let both_ed25519 =
                    a.hash() == Hash::Sha512 && a.name().starts_with("Ed") && b.name().starts_with("Ed");
                assert_eq!(a.is_same_as(b), a == b || both_ed25519, "{a} {b}");
            }
        }
    }
}
