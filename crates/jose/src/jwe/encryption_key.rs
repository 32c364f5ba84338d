//! A public key that somebody can be sent something secret with.

use std::fmt;

use aws_lc_rs::{
    agreement::PrivateKey,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
        OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
    },
    signature::RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

use super::{KeyManagementAlgorithm, agreement};
use crate::{
    Error,
    json::Object,
    jwk::{self, Curve, Numbers, Purpose},
};

/// A public key for encryption: RSA, an elliptic curve, or X25519 (RFC 7517; RFC 7518 section 6; RFC 8037
/// section 2). All other keys are refused, symmetric and private ones in particular.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionKey {
    pub(super) key: Numbers,
    pub(super) kid: Option<Box<str>>,
    pub(super) alg: Option<KeyManagementAlgorithm>,
}

/// The types of keys for encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EncryptionKeyType {
    /// RSA, for the RSA-OAEP algorithms
    Rsa,
    /// The curve P-256, for the ECDH-ES algorithms
    P256,
    /// The curve P-384, for the ECDH-ES algorithms
    P384,
    /// The curve P-521, for the ECDH-ES algorithms
    P521,
    /// The curve X25519, for the ECDH-ES algorithms
    X25519,
}

impl EncryptionKeyType {
    /// All types.
    pub const ALL: [Self; 5] = [Self::Rsa, Self::P256, Self::P384, Self::P521, Self::X25519];

    /// The name of the curve, or of the key type that has none.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::X25519 => "X25519",
        }
    }

    /// The algorithms for which a key of this type can be used.
    pub fn algorithms(self) -> impl Iterator<Item = KeyManagementAlgorithm> {
        KeyManagementAlgorithm::ALL.into_iter().filter(move |alg| match self {
            Self::Rsa => alg.is_rsa(),
            Self::P256 | Self::P384 | Self::P521 | Self::X25519 => alg.is_agreement(),
        })
    }
}

impl EncryptionKey {
    /// Reads a public JWK. Members that are not understood are ignored (RFC 7517 section 4), certificates
    /// among them.
    ///
    /// # Errors
    /// The rule that it breaks: see [`Error`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        Self::read(&jwk::public(json)?, Purpose::Encrypt)
    }

    pub(super) fn read(jwk: &Object<'_>, purpose: Purpose) -> Result<Self, Error> {
        let key = Numbers::read(jwk)?;
        if matches!(key, Numbers::Ed25519 { .. }) {
            return Err(Error::UnknownCurve);
        }
        purpose.check(jwk)?;
        let alg = match jwk.string("alg")? {
            Some(name) => Some(KeyManagementAlgorithm::parse(&name).ok_or(Error::UnknownAlgorithm)?),
            None => None,
        };
        let kid = jwk.string("kid")?.map(String::into_boxed_str);
        let read = Self { key, kid, alg };
        match alg {
            Some(alg) if read.key_type().algorithms().all(|own| own != alg) => Err(Error::KeyNotForAlgorithm),
            _ => Ok(read),
        }
    }

    /// The key's name, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm that the key is meant for, if it names one.
    #[must_use]
    pub fn alg(&self) -> Option<KeyManagementAlgorithm> {
        self.alg
    }

    /// Its type and curve.
    #[must_use]
    pub fn key_type(&self) -> EncryptionKeyType {
        match &self.key {
            Numbers::Rsa { .. } => EncryptionKeyType::Rsa,
            Numbers::Ec { curve: Curve::P256, .. } => EncryptionKeyType::P256,
            Numbers::Ec { curve: Curve::P384, .. } => EncryptionKeyType::P384,
            Numbers::Ec { curve: Curve::P521, .. } => EncryptionKeyType::P521,
            // Keys on Ed25519 are refused when they are read.
            Numbers::X25519 { .. } | Numbers::Ed25519 { .. } => EncryptionKeyType::X25519,
        }
    }

    /// Whether a content encryption key may be sent to it by this algorithm. A key that names an algorithm is
    /// used for that one only.
    #[must_use]
    pub fn fits(&self, alg: KeyManagementAlgorithm) -> bool {
        self.alg.is_none_or(|own| own == alg) && self.key_type().algorithms().any(|of_type| of_type == alg)
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638 section 3).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }

    /// The JWK with its members in a fixed order: always `use` with `enc`, and `alg` and `kid` if they are
    /// known.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        self.write_members(&mut out);
        out.push('}');
        out
    }

    pub(super) fn write_members(&self, out: &mut String) {
        self.key.write_described(out, "enc", self.alg.map(|alg| alg.name()), self.kid.as_deref());
    }

    /// Encrypts a content encryption key by RSA-OAEP (RFC 7518 section 4.3).
    pub(super) fn encrypt_by_rsa(&self, alg: KeyManagementAlgorithm, cek: &[u8]) -> Result<Vec<u8>, Error> {
        let (Numbers::Rsa { n, e }, Some(oaep)) = (&self.key, oaep(alg)) else {
            return Err(Error::KeyNotForAlgorithm);
        };
        let key: Result<PublicEncryptingKey, _> = RsaPublicKeyComponents { n, e }.try_into();
        let key = OaepPublicEncryptingKey::new(key.map_err(|_| Error::InvalidKey)?);
        let mut out = vec![0; n.len()];
        let encrypted = key.map_err(|_| Error::InvalidKey)?.encrypt(oaep, cek, &mut out, None);
        Ok(encrypted.map_err(|_| Error::Library)?.to_vec())
    }

    /// A new ephemeral key and the secret that it and this key agree upon (RFC 7518 section 4.6).
    pub(super) fn agree_by_ephemeral_key(&self) -> Result<(Self, Zeroizing<Vec<u8>>), Error> {
        let algorithm = agreement::algorithm_of(&self.key).ok_or(Error::KeyNotForAlgorithm)?;
        let ephemeral = PrivateKey::generate(algorithm).map_err(|_| Error::Library)?;
        // The curve is the same, and points of small order are no keys.
        let secret = agreement::agree_upon(&ephemeral, &self.key).ok_or(Error::Library)?;
        Ok((Self { key: agreement::public_half(&ephemeral)?, kid: None, alg: None }, secret))
    }

    /// The value of `epk` (RFC 7518 section 4.6.1.1).
    pub(super) fn to_ephemeral_json(&self) -> String {
        let mut out = String::from("{");
        self.key.write_kty(&mut out);
        self.key.write_members(&mut out);
        out.push('}');
        out
    }
}

/// Shows the thumbprint only.
impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncryptionKey").field(&self.thumbprint()).finish()
    }
}

pub(super) fn oaep(alg: KeyManagementAlgorithm) -> Option<&'static OaepAlgorithm> {
    match alg {
        KeyManagementAlgorithm::RsaOaep => Some(&OAEP_SHA1_MGF1SHA1),
        KeyManagementAlgorithm::RsaOaep256 => Some(&OAEP_SHA256_MGF1SHA256),
        KeyManagementAlgorithm::RsaOaep384 => Some(&OAEP_SHA384_MGF1SHA384),
        KeyManagementAlgorithm::RsaOaep512 => Some(&OAEP_SHA512_MGF1SHA512),
        _ => None,
    }
}
