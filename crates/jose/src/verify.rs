//! Verifying signatures with a public key.

use aws_lc_rs::signature::{
    self, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents,
};

use crate::{
    Error, HmacKey, PublicJwk, SigningAlgorithm,
    jwk::{Numbers, point},
};

/// What can verify a signature: a [`VerifyingKey`] or an [`HmacKey`], and nothing else.
pub trait Verifier: sealed::Sealed {
    /// Verifies `signature` over `input`.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] when the key has another type, curve, `alg` or nature;
    /// [`Error::Signature`].
    fn verify(&self, algorithm: SigningAlgorithm, input: &[u8], signature: &[u8]) -> Result<(), Error>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::VerifyingKey {}
    impl Sealed for super::HmacKey {}
    impl<V: Sealed> Sealed for &V {}
}

impl<V: Verifier> Verifier for &V {
    fn verify(&self, algorithm: SigningAlgorithm, input: &[u8], signature: &[u8]) -> Result<(), Error> {
        (**self).verify(algorithm, input, signature)
    }
}

/// A public key, parsed once for every algorithm that it allows.
#[derive(Clone)]
pub struct VerifyingKey {
    by_algorithm: Vec<(SigningAlgorithm, ParsedPublicKey)>,
}

impl VerifyingKey {
    /// Parses the numbers of a JWK. One that has `alg` allows that algorithm only (RFC 8725 section 3.1).
    pub(crate) fn new(jwk: &PublicJwk) -> Result<Self, Error> {
        let parse = |algorithm| match &jwk.key {
            Numbers::Rsa { n, e } => {
                let parameters = rsa_parameters(algorithm).ok_or(Error::KeyNotForAlgorithm)?;
                RsaPublicKeyComponents { n, e }
                    .to_parsed_public_key(parameters)
                    .map_err(|_| Error::InvalidKey)
            }
            Numbers::Ec { curve, x, y } => {
                ParsedPublicKey::new(curve.verification(), point(x, y)).map_err(|_| Error::InvalidKey)
            }
            Numbers::Ed25519 { x } => {
                ParsedPublicKey::new(&signature::ED25519, x).map_err(|_| Error::InvalidKey)
            }
            Numbers::X25519 { .. } => Err(Error::KeyNotForAlgorithm),
        };
        let by_algorithm = SigningAlgorithm::ALL
            .into_iter()
            .filter(|algorithm| jwk.fits(*algorithm))
            .map(|algorithm| Ok((algorithm, parse(algorithm)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self { by_algorithm })
    }
}

impl Verifier for VerifyingKey {
    fn verify(&self, algorithm: SigningAlgorithm, input: &[u8], signature: &[u8]) -> Result<(), Error> {
        let (_, key) =
            self.by_algorithm.iter().find(|(own, _)| *own == algorithm).ok_or(Error::KeyNotForAlgorithm)?;
        key.verify_sig(input, signature).map_err(|_| Error::Signature)
    }
}

/// PSS salts are as long as the hash (RFC 7518 section 3.5), which is the library's default.
fn rsa_parameters(algorithm: SigningAlgorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        SigningAlgorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        SigningAlgorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        SigningAlgorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        SigningAlgorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        SigningAlgorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        SigningAlgorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}
