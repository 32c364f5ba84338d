//! Shared secrets (RFC 7518 section 3.2).

use aws_lc_rs::hmac;

use crate::{Error, SigningAlgorithm, Verifier};

/// A secret that both sides know, for one of the HS algorithms. It cannot be printed.
pub struct HmacKey {
    algorithm: SigningAlgorithm,
    key: hmac::Key,
}

impl HmacKey {
    /// Takes the octets of the secret, such as a client secret (OpenID Connect Core 1.0 section 10.1).
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] when the algorithm is not symmetric; [`Error::SecretTooShort`] when the
    /// secret is shorter than the output of the hash: 32, 48 or 64 bytes.
    pub fn new(algorithm: SigningAlgorithm, secret: &[u8]) -> Result<Self, Error> {
        let hmac_algorithm = match algorithm {
            SigningAlgorithm::Hs256 => hmac::HMAC_SHA256,
            SigningAlgorithm::Hs384 => hmac::HMAC_SHA384,
            SigningAlgorithm::Hs512 => hmac::HMAC_SHA512,
            _ => return Err(Error::KeyNotForAlgorithm),
        };
        if secret.len() < algorithm.hash().length() {
            return Err(Error::SecretTooShort);
        }
        Ok(Self { algorithm, key: hmac::Key::new(hmac_algorithm, secret) })
    }

    /// The algorithm it was made for.
    #[must_use]
    pub fn alg(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Signs `input`.
    #[must_use]
    pub fn sign(&self, input: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, input).as_ref().to_vec()
    }
}

impl Verifier for HmacKey {
    fn verify(&self, algorithm: SigningAlgorithm, input: &[u8], signature: &[u8]) -> Result<(), Error> {
        if algorithm != self.algorithm {
            return Err(Error::KeyNotForAlgorithm);
        }
        hmac::verify(&self.key, input, signature).map_err(|_| Error::Signature)
    }
}
