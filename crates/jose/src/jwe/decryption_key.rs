//! Private keys that decrypt.

use aws_lc_rs::{
    agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, X25519},
    encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der},
    rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use zeroize::Zeroizing;

use super::{
    EncryptionKey, EncryptionKeyType, KeyManagementAlgorithm,
    agreement::{agree_upon, algorithm_of, public_half},
    encryption_key::oaep,
};
use crate::{
    Error,
    json::Object,
    jwk::{MAX_LENGTH, Numbers, Purpose},
    private_key::{private_jwk, private_number, rsa_pair},
    rsa_der,
};

/// A private key, parsed once. It has no `Debug` and no `Display`; its content leaves only through
/// [`Self::to_jwk`].
pub struct DecryptionKey {
    private: Private,
    public: EncryptionKey,
    kid: Box<str>,
}

enum Private {
    Rsa(PrivateDecryptingKey),
    Agreement(agreement::PrivateKey),
}

/// What stands in a JWE for the holder of a private key (RFC 7518 section 4).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum EncryptedKey<'a> {
    /// The content encryption key, encrypted by this algorithm of RSA-OAEP (section 4.3).
    RsaOaep(KeyManagementAlgorithm, &'a [u8]),
    /// The sender's ephemeral key, for this algorithm of ECDH-ES (section 4.6).
    EcdhEs(KeyManagementAlgorithm, &'a EncryptionKey),
}

impl EncryptedKey<'_> {
    /// The algorithm.
    #[must_use]
    pub fn alg(&self) -> KeyManagementAlgorithm {
        match self {
            Self::RsaOaep(alg, _) | Self::EcdhEs(alg, _) => *alg,
        }
    }

    /// Whether it can have been made for this key: by its algorithm, and on its curve.
    #[must_use]
    pub fn can_be_for(&self, key: &EncryptionKey) -> bool {
        let is_of_curve = match self {
            Self::RsaOaep(..) => true,
            Self::EcdhEs(_, ephemeral) => ephemeral.key_type() == key.key_type(),
        };
        is_of_curve && key.fits(self.alg())
    }
}

impl DecryptionKey {
    /// Makes a new key; an RSA key has 2048 bits. Its name is its thumbprint, and it serves every algorithm
    /// of its type. As with [`PrivateKey::generate`](crate::PrivateKey::generate), the cryptographic library
    /// draws the random numbers.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn generate(key_type: EncryptionKeyType) -> Result<Self, Error> {
        let curve = match key_type {
            EncryptionKeyType::Rsa => {
                let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(|_| Error::Library)?;
                let (n, e) = rsa_der::public_numbers_of_private(pkcs8(&key)?.as_ref())?;
                let public = EncryptionKey { key: Numbers::rsa(n, e)?, kid: None, alg: None };
                return Ok(Self::new(Private::Rsa(key), public));
            }
            EncryptionKeyType::P256 => &ECDH_P256,
            EncryptionKeyType::P384 => &ECDH_P384,
            EncryptionKeyType::P521 => &ECDH_P521,
            EncryptionKeyType::X25519 => &X25519,
        };
        let key = agreement::PrivateKey::generate(curve).map_err(|_| Error::Library)?;
        let public = EncryptionKey { key: public_half(&key)?, kid: None, alg: None };
        Ok(Self::new(Private::Agreement(key), public))
    }

    /// Reads a private JWK. A key without `kid` is named by its thumbprint.
    ///
    /// # Errors
    /// The rule that it breaks: see [`Error`]. An RSA key needs all of `p`, `q`, `dp`, `dq`, `qi`.
    pub fn from_jwk(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        let jwk = Object::parse(json)?;
        let public = EncryptionKey::read(&jwk, Purpose::Decrypt)?;
        let Some(curve) = algorithm_of(&public.key) else {
            let pair = rsa_pair(&jwk, &public.key)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::Library)?;
            let key = PrivateDecryptingKey::from_pkcs8(der.as_ref()).map_err(|_| Error::InvalidKey)?;
            return Ok(Self::new(Private::Rsa(key), public));
        };
        let d = private_number(&jwk, "d")?;
        let key = agreement::PrivateKey::from_private_key(curve, &d).map_err(|_| Error::InvalidKey)?;
        if public_half(&key)? != public.key {
            return Err(Error::InvalidKey);
        }
        Ok(Self::new(Private::Agreement(key), public))
    }

    fn new(private: Private, public: EncryptionKey) -> Self {
        let kid = public.kid.clone().unwrap_or_else(|| public.thumbprint().into_boxed_str());
        Self { private, public: EncryptionKey { kid: Some(kid.clone()), ..public }, kid }
    }

    /// The same key under another name.
    #[must_use]
    pub fn with_kid(self, kid: &str) -> Self {
        let public = EncryptionKey { kid: Some(kid.into()), ..self.public };
        Self { private: self.private, public, kid: kid.into() }
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, with the same `kid` and `alg`.
    #[must_use]
    pub fn public_jwk(&self) -> &EncryptionKey {
        &self.public
    }

    /// The private JWK, for sealed storage. The text is wiped from memory when it is dropped.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn to_jwk(&self) -> Result<Zeroizing<String>, Error> {
        let d = |bytes: &[u8]| vec![("d", Zeroizing::new(bytes.to_vec()))];
        let numbers = match &self.private {
            Private::Rsa(key) => rsa_der::private_numbers(pkcs8(key)?.as_ref())?,
            Private::Agreement(key) if *key.algorithm() == X25519 => {
                let seed: Curve25519SeedBin<'_> = key.as_be_bytes().map_err(|_| Error::Library)?;
                d(seed.as_ref())
            }
            Private::Agreement(key) => {
                let number: EcPrivateKeyBin<'_> = key.as_be_bytes().map_err(|_| Error::Library)?;
                d(number.as_ref())
            }
        };
        Ok(private_jwk(|out| self.public.write_members(out), &numbers))
    }

    /// Opens what a sender has encrypted for this key: the content encryption key, or for ECDH-ES the secret
    /// Z that was agreed upon. `None` when it was not made for this key; the reason is nobody's business (RFC
    /// 7516 section 11.5).
    #[must_use]
    pub fn open(&self, encrypted: EncryptedKey<'_>) -> Option<Zeroizing<Vec<u8>>> {
        if !self.public.fits(encrypted.alg()) {
            return None;
        }
        match (&self.private, encrypted) {
            (Private::Rsa(key), EncryptedKey::RsaOaep(alg, encrypted)) => {
                let key = OaepPrivateDecryptingKey::new(key.clone()).ok()?;
                let mut out = Zeroizing::new(vec![0; key.min_output_size()]);
                let length = key.decrypt(oaep(alg)?, encrypted, &mut out, None).ok()?.len();
                out.truncate(length);
                Some(out)
            }
            (Private::Agreement(key), EncryptedKey::EcdhEs(_, ephemeral)) => agree_upon(key, &ephemeral.key),
            _ => None,
        }
    }
}

fn pkcs8(key: &PrivateDecryptingKey) -> Result<Pkcs8V1Der<'static>, Error> {
    key.as_der().map_err(|_| Error::Library)
}
