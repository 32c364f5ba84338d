//! Reading a JWE (RFC 7516 section 5.2): first what everybody can see, then the key, then the content.

use zeroize::Zeroizing;

use super::{
    ContentEncryptionAlgorithm, DecryptionKey, EncryptedKey, EncryptionKey, Fill, KeyManagementAlgorithm,
    SharedKey, agreement,
    content::{self, GCM_IV_LENGTH},
    key_wrap,
};
use crate::{Error, base64url, json::Object};

/// The longest JWE that is read, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// The length of the tag of AES-GCM in octets (RFC 7518 section 4.7.1.2).
const GCM_TAG_LENGTH: usize = 16;

/// Whether this JWT is encrypted rather than signed: it has five parts (RFC 7516 section 9).
#[must_use]
pub fn is_encrypted(jwt: &str) -> bool {
    jwt.bytes().filter(|byte| *byte == b'.').count() == 4
}

/// A JWE that is well formed but not yet decrypted.
pub struct CompactJwe<'a> {
    header: JweHeader,
    parameters: Parameters,
    /// The encoded header, which the tag protects together with the content.
    aad: &'a str,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

/// What the protected header says (RFC 7516 section 4.1). Keys and URLs in it (`jwk`, `jku`, `x5c`, `x5u`)
/// are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JweHeader {
    /// `alg`
    pub alg: KeyManagementAlgorithm,
    /// `enc`
    pub enc: ContentEncryptionAlgorithm,
    /// `kid`, which names the recipient's key.
    pub kid: Option<String>,
    /// `typ`, the media type of the whole JWE.
    pub typ: Option<String>,
    /// `cty`, the media type of the plaintext: `JWT` for a nested JWT (RFC 7519 section 5.2).
    pub cty: Option<String>,
}

/// The members of the header that belong to one family of algorithms.
enum Parameters {
    None,
    /// RFC 7518 section 4.6.1
    Agreement {
        ephemeral: Box<EncryptionKey>,
        apu: Vec<u8>,
        apv: Vec<u8>,
    },
    /// RFC 7518 section 4.7.1
    GcmKeyWrap {
        iv: Vec<u8>,
        tag: Vec<u8>,
    },
}

/// A header and plaintext that were encrypted for our key. Only decryption makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    header: JweHeader,
    plaintext: Vec<u8>,
}

impl<'a> CompactJwe<'a> {
    /// Reads five parts of base64url and the header, strictly. Nothing here depends on a key.
    ///
    /// # Errors
    /// [`Error::TooLong`] above 16 KiB; [`Error::NotCompactJwe`]; [`Error::Base64`]; [`Error::Json`] and
    /// [`Error::DuplicateMember`] of the header; [`Error::UnknownAlgorithm`]; [`Error::UnknownCritical`];
    /// [`Error::Compressed`]; the rule that an ephemeral key breaks; [`Error::PartLength`].
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(Error::NotCompactJwe);
        let (aad, encrypted_key, iv, ciphertext, tag) = (part()?, part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(Error::NotCompactJwe);
        }
        let json = base64url::decode(aad)?;
        let members = Object::parse(&json)?;
        let header = JweHeader::read(&members)?;
        let jwe = Self {
            parameters: Parameters::read(header.alg, &members)?,
            header,
            aad,
            encrypted_key: base64url::decode(encrypted_key)?,
            iv: base64url::decode(iv)?,
            ciphertext: base64url::decode(ciphertext)?,
            tag: base64url::decode(tag)?,
        };
        if jwe.iv.len() != jwe.header.enc.iv_length() || jwe.tag.len() != jwe.header.enc.tag_length() {
            return Err(Error::PartLength);
        }
        // RFC 7516 section 5.2 step 10.
        let has_no_key =
            matches!(jwe.header.alg, KeyManagementAlgorithm::EcdhEs | KeyManagementAlgorithm::Dir);
        if has_no_key && !jwe.encrypted_key.is_empty() {
            return Err(Error::PartLength);
        }
        Ok(jwe)
    }

    /// The protected header. Anybody can encrypt for a public key, so that it says nothing about the sender.
    #[must_use]
    pub fn header(&self) -> &JweHeader {
        &self.header
    }

    /// What the holder of the private key has to open; `None` for algorithms with a shared key.
    #[must_use]
    pub fn encrypted_key(&self) -> Option<EncryptedKey<'_>> {
        match &self.parameters {
            Parameters::Agreement { ephemeral, .. } => Some(EncryptedKey::EcdhEs(self.header.alg, ephemeral)),
            _ if self.header.alg.is_rsa() => {
                Some(EncryptedKey::RsaOaep(self.header.alg, &self.encrypted_key))
            }
            _ => None,
        }
    }

    /// Decrypts with a private key.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] when the key has another type or `alg`; [`Error::Decryption`] for
    /// everything that only the holder of the key can find out.
    pub fn decrypt(self, key: &DecryptionKey, random: Fill<'_>) -> Result<Decrypted, Error> {
        let encrypted = self.encrypted_key().filter(|encrypted| key.public_jwk().fits(encrypted.alg()));
        let opened = key.open(encrypted.ok_or(Error::KeyNotForAlgorithm)?);
        self.decrypt_with_opened(opened, random)
    }

    /// Decrypts with what the holder of the private key made of [`Self::encrypted_key`]: `None` when it does
    /// not open. Decryption goes on with a random key then, so that nobody learns from the answer or the time
    /// what was wrong (RFC 7516 section 11.5).
    ///
    /// # Errors
    /// [`Error::Decryption`].
    pub fn decrypt_with_opened(
        self,
        opened: Option<Zeroizing<Vec<u8>>>,
        random: Fill<'_>,
    ) -> Result<Decrypted, Error> {
        let JweHeader { alg, enc, .. } = self.header;
        let cek = opened.and_then(|opened| match &self.parameters {
            Parameters::Agreement { apu, apv, .. } => {
                let derived = agreement::derive(&opened, alg, enc, apu, apv)?;
                match alg {
                    KeyManagementAlgorithm::EcdhEs => Some(derived),
                    _ => key_wrap::unwrap(&derived, &self.encrypted_key),
                }
            }
            _ => Some(opened),
        });
        self.decrypt_content(cek, random)
    }

    /// Decrypts with a shared key; the sender may have taken any of several.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] when the key was made for another algorithm; [`Error::Decryption`].
    pub fn decrypt_with_shared(&self, shared: &SharedKey, random: Fill<'_>) -> Result<Decrypted, Error> {
        if !shared.fits(self.header.alg, self.header.enc) {
            return Err(Error::KeyNotForAlgorithm);
        }
        let cek = match &self.parameters {
            Parameters::GcmKeyWrap { iv, tag } => {
                content::gcm_open(&shared.key, iv, b"", &self.encrypted_key, tag)
            }
            _ if self.header.alg == KeyManagementAlgorithm::Dir => Some(shared.key.clone()),
            _ => key_wrap::unwrap(&shared.key, &self.encrypted_key),
        };
        self.decrypt_content(cek, random)
    }

    fn decrypt_content(&self, cek: Option<Zeroizing<Vec<u8>>>, random: Fill<'_>) -> Result<Decrypted, Error> {
        let enc = self.header.enc;
        let mut substitute = Zeroizing::new(vec![0; enc.key_length()]);
        random(&mut substitute);
        let cek = cek.filter(|cek| cek.len() == enc.key_length()).unwrap_or(substitute);
        let plaintext = content::open(enc, &cek, &self.iv, self.aad.as_bytes(), &self.ciphertext, &self.tag);
        Ok(Decrypted { header: self.header.clone(), plaintext: plaintext.ok_or(Error::Decryption)? })
    }
}

impl JweHeader {
    fn read(header: &Object<'_>) -> Result<Self, Error> {
        if header.has("crit") {
            return Err(Error::UnknownCritical);
        }
        // RFC 8725 section 3.6: the length of what was compressed tells about it, and little input makes much
        // output.
        if header.has("zip") {
            return Err(Error::Compressed);
        }
        Ok(Self {
            alg: header.required("alg")?.parse()?,
            enc: header.required("enc")?.parse()?,
            kid: header.string("kid")?,
            typ: header.string("typ")?,
            cty: header.string("cty")?,
        })
    }
}

impl Parameters {
    fn read(alg: KeyManagementAlgorithm, header: &Object<'_>) -> Result<Self, Error> {
        use KeyManagementAlgorithm::{A128GcmKw, A192GcmKw, A256GcmKw};
        if alg.is_agreement() {
            let epk = header.raw("epk").ok_or(Error::MissingMember)?;
            let ephemeral = EncryptionKey::parse(epk.get().as_bytes())?;
            if !ephemeral.fits(alg) {
                return Err(Error::KeyNotForAlgorithm);
            }
            let info = |name| header.string(name)?.as_deref().map_or(Ok(Vec::new()), base64url::decode);
            return Ok(Self::Agreement {
                ephemeral: Box::new(ephemeral),
                apu: info("apu")?,
                apv: info("apv")?,
            });
        }
        if matches!(alg, A128GcmKw | A192GcmKw | A256GcmKw) {
            let iv = base64url::decode(&header.required("iv")?)?;
            let tag = base64url::decode(&header.required("tag")?)?;
            if iv.len() != GCM_IV_LENGTH || tag.len() != GCM_TAG_LENGTH {
                return Err(Error::PartLength);
            }
            return Ok(Self::GcmKeyWrap { iv, tag });
        }
        Ok(Self::None)
    }
}

impl Decrypted {
    /// The header.
    #[must_use]
    pub fn header(&self) -> &JweHeader {
        &self.header
    }

    /// The plaintext.
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.plaintext
    }

    /// The plaintext as text, if it is UTF-8.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        String::from_utf8(self.plaintext).ok()
    }
}
