//! Writing a JWE (RFC 7516 section 5.1).

use zeroize::Zeroizing;

use super::{
    ContentEncryptionAlgorithm, EncryptionKey, Fill, KeyManagementAlgorithm, SharedKey, agreement,
    content::{self, GCM_IV_LENGTH},
    key_wrap,
};
use crate::{Error, base64url, json};

/// For whom a JWE is encrypted.
#[derive(Clone, Copy)]
pub enum Recipient<'a> {
    /// The holder of the private half of this key.
    Public(&'a EncryptionKey),
    /// The holder of the same key.
    Shared(&'a SharedKey),
}

/// What the protected header of a JWE will say, and with it how the content is encrypted.
///
/// ```
/// # mod chancery {
/// #     pub use chancery_jose::SystemRandom;
/// #     pub mod jose {
/// #         pub use chancery_jose::{ContentEncryptionAlgorithm, DecryptionKey};
/// #         pub use chancery_jose::{EncryptionKeyType, KeyManagementAlgorithm};
/// #     }
/// # }
/// # use chancery_jose::{CompactJwe, JweWriter, Recipient};
/// use chancery::SystemRandom;
/// use chancery::jose::{ContentEncryptionAlgorithm, DecryptionKey, EncryptionKeyType};
/// use chancery::jose::KeyManagementAlgorithm;
/// let key = DecryptionKey::generate(EncryptionKeyType::P256)?;
/// let random = |buffer: &mut [u8]| SystemRandom.fill(buffer);
///
/// let writer = JweWriter {
///     cty: Some("JWT"),
///     ..JweWriter::new(KeyManagementAlgorithm::EcdhEs, ContentEncryptionAlgorithm::A128Gcm)
/// };
/// let jwe = writer.encrypt(Recipient::Public(key.public_jwk()), b"content", &random)?;
///
/// let decrypted = CompactJwe::parse(&jwe)?.decrypt(&key, &random)?;
/// assert_eq!(decrypted.plaintext(), b"content");
/// assert_eq!(decrypted.header().cty.as_deref(), Some("JWT"));
/// # Ok::<(), chancery_jose::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct JweWriter<'a> {
    /// How the recipient learns the key.
    pub alg: KeyManagementAlgorithm,
    /// How the content is encrypted.
    pub enc: ContentEncryptionAlgorithm,
    /// The media type of the whole JWE.
    pub typ: Option<&'a str>,
    /// The media type of the content: `JWT` for a JWT inside (RFC 7519 section 5.2).
    pub cty: Option<&'a str>,
    /// The issuer, repeated from the claims inside (RFC 7519 section 5.3).
    pub iss: Option<&'a str>,
    /// The audience, repeated from the claims inside.
    pub aud: Option<&'a str>,
}

/// The content encryption key, and what tells it to the recipient.
struct Provided {
    cek: Zeroizing<Vec<u8>>,
    encrypted_key: Vec<u8>,
    /// Members of the header, as JSON with a leading comma.
    members: String,
}

impl<'a> JweWriter<'a> {
    /// A header of `alg` and `enc` alone.
    #[must_use]
    pub fn new(alg: KeyManagementAlgorithm, enc: ContentEncryptionAlgorithm) -> Self {
        Self { alg, enc, typ: None, cty: None, iss: None, aud: None }
    }

    /// Encrypts `plaintext` and names the key by its `kid`. `random` fills a buffer with random bytes:
    /// content encryption keys and initialisation vectors come from there. Ephemeral keys and the seed of OAEP are
    /// drawn by the cryptographic library.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`]; [`Error::InvalidKey`] for numbers that are no RSA key; [`Error::Library`].
    pub fn encrypt(
        &self,
        recipient: Recipient<'_>,
        plaintext: &[u8],
        random: Fill<'_>,
    ) -> Result<String, Error> {
        let Provided { cek, encrypted_key, members } = match recipient {
            Recipient::Public(key) if key.fits(self.alg) => self.provide_to_public(key, random)?,
            Recipient::Shared(key) if key.fits(self.alg, self.enc) => self.provide_to_shared(key, random)?,
            _ => return Err(Error::KeyNotForAlgorithm),
        };
        let kid = match recipient {
            Recipient::Public(key) => key.kid(),
            Recipient::Shared(_) => None,
        };
        let mut out = base64url::encode(self.header(kid, &members));
        let mut iv = vec![0; self.enc.iv_length()];
        random(&mut iv);
        let (ciphertext, tag) = content::seal(self.enc, &cek, &iv, out.as_bytes(), plaintext)?;
        for part in [&encrypted_key, &iv, &ciphertext, &tag] {
            out.push('.');
            base64url::append(&mut out, part);
        }
        Ok(out)
    }

    fn header(&self, kid: Option<&str>, members: &str) -> String {
        let mut json = format!(r#"{{"alg":"{}","enc":"{}""#, self.alg, self.enc);
        for (name, value) in
            [("typ", self.typ), ("cty", self.cty), ("kid", kid), ("iss", self.iss), ("aud", self.aud)]
        {
            if let Some(value) = value {
                json.push_str(",\"");
                json.push_str(name);
                json.push_str("\":");
                json::write_string(&mut json, value);
            }
        }
        json.push_str(members);
        json.push('}');
        json
    }

    fn provide_to_public(&self, key: &EncryptionKey, random: Fill<'_>) -> Result<Provided, Error> {
        if self.alg.is_rsa() {
            let cek = self.random_cek(random);
            let encrypted_key = key.encrypt_by_rsa(self.alg, &cek)?;
            return Ok(Provided { cek, encrypted_key, members: String::new() });
        }
        let (ephemeral, secret) = key.agree_by_ephemeral_key()?;
        let derived = agreement::derive(&secret, self.alg, self.enc, b"", b"").ok_or(Error::Library)?;
        let members = format!(r#","epk":{}"#, ephemeral.to_ephemeral_json());
        if self.alg == KeyManagementAlgorithm::EcdhEs {
            return Ok(Provided { cek: derived, encrypted_key: Vec::new(), members });
        }
        let cek = self.random_cek(random);
        let encrypted_key = key_wrap::wrap(&derived, &cek)?;
        Ok(Provided { cek, encrypted_key, members })
    }

    fn provide_to_shared(
        &self,
        SharedKey { key, .. }: &SharedKey,
        random: Fill<'_>,
    ) -> Result<Provided, Error> {
        use KeyManagementAlgorithm::{A128GcmKw, A192GcmKw, A256GcmKw, Dir};
        if self.alg == Dir {
            return Ok(Provided { cek: key.clone(), encrypted_key: Vec::new(), members: String::new() });
        }
        let cek = self.random_cek(random);
        if !matches!(self.alg, A128GcmKw | A192GcmKw | A256GcmKw) {
            let encrypted_key = key_wrap::wrap(key, &cek)?;
            return Ok(Provided { cek, encrypted_key, members: String::new() });
        }
        let mut iv = [0; GCM_IV_LENGTH];
        random(&mut iv);
        let (encrypted_key, tag) = content::gcm_seal(key, &iv, b"", &cek)?;
        let members = format!(r#","iv":"{}","tag":"{}""#, base64url::encode(iv), base64url::encode(tag));
        Ok(Provided { cek, encrypted_key, members })
    }

    fn random_cek(&self, random: Fill<'_>) -> Zeroizing<Vec<u8>> {
        let mut cek = Zeroizing::new(vec![0; self.enc.key_length()]);
        random(&mut cek);
        cek
    }
}
