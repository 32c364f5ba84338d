//! JOSE, and the only crate of Chancery that touches cryptography: signatures (JWS, RFC 7515), encryption
//! (JWE, RFC 7516), keys (JWK, RFC 7517 and RFC 8037), algorithms (JWA, RFC 7518 and RFC 9864), claims (JWT,
//! RFC 7519), and beside them the few symmetric primitives that the rest needs: digests, sealing at rest and
//! digests of client secrets.
//!
//! What comes from outside is read strictly, as RFC 8725 asks: a duplicate member, an unknown critical
//! extension, padding, `none`, or a key that does not fit the algorithm is an [`Error`], never a guess. A key
//! is parsed once and used often. Everything here is plain computation, so that the owner of the private keys
//! decides where it runs.
//!
//! ```
//! use chancery_jose::{Compact, EncodedHeader, PrivateKey, SigningAlgorithm, assemble};
//!
//! let key = PrivateKey::generate(SigningAlgorithm::Es256)?;
//! let header = EncodedHeader::new(SigningAlgorithm::Es256, Some(key.kid()), Some("JWT"));
//! let signing_input = header.signing_input(br#"{"sub":"alice"}"#);
//! let signature = key.sign(SigningAlgorithm::Es256, signing_input.as_bytes())?;
//! let token = assemble(signing_input, &signature);
//!
//! let verified = Compact::parse(&token)?.verify(&key.public_jwk().verifying_key()?)?;
//! assert_eq!(verified.claims()?.sub.as_deref(), Some("alice"));
//! # Ok::<(), chancery_jose::Error>(())
//! ```
//!
//! A private key cannot be printed:
//!
//! ```
//! let key = chancery_jose::PrivateKey::generate(chancery_jose::SigningAlgorithm::Es256).unwrap();
//! println!("{:?}", key.public_jwk());
//! ```
//! ```compile_fail,E0277
//! let key = chancery_jose::PrivateKey::generate(chancery_jose::SigningAlgorithm::Es256).unwrap();
//! println!("{:?}", key);
//! ```
//!
//! and a public key cannot be passed where a shared secret is wanted (RFC 8725 section 2.1):
//!
//! ```
//! # use chancery_jose::{Error, HmacKey, SigningAlgorithm};
//! fn right(secret: &[u8]) -> Result<HmacKey, Error> { HmacKey::new(SigningAlgorithm::Hs256, secret) }
//! ```
//! ```compile_fail,E0308
//! # use chancery_jose::{Error, HmacKey, PublicJwk, SigningAlgorithm};
//! fn confused(jwk: &PublicJwk) -> Result<HmacKey, Error> { HmacKey::new(SigningAlgorithm::Hs256, jwk) }
//! ```

mod error;
pub use error::Error;

pub mod base64url;
pub mod json;

mod digest;
pub use digest::{Hash, KeyedHash, constant_time_eq, hmac_sha256, sha256, sha256_of_parts};

mod algorithm;
pub use algorithm::SigningAlgorithm;

mod jwk;
pub use jwk::PublicJwk;

mod jwk_set;
pub use jwk_set::JwkSet;

mod verify;
pub use verify::{Verifier, VerifyingKey};

mod hmac_key;
pub use hmac_key::HmacKey;

mod rsa_der;

mod private_key;
pub use private_key::PrivateKey;

mod compact;
pub use compact::{Compact, EncodedHeader, Header, Verified, assemble, parse_unsecured, unsecured};

mod claims;
pub use claims::JwtClaims;

mod claims_writer;
pub use claims_writer::ClaimsWriter;

mod jwe;
pub use jwe::{
    CompactJwe, ContentEncryptionAlgorithm, Decrypted, DecryptionKey, EncryptedKey, EncryptionKey,
    EncryptionKeyType, JweHeader, JweWriter, KeyManagementAlgorithm, Recipient, SharedKey, is_encrypted,
};

mod random;
pub use random::SystemRandom;

mod sealing;
pub use sealing::{RootSecret, SealingKey};

mod secret_digest;
pub use secret_digest::SecretDigest;
