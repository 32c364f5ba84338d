//! Encryption of the content (RFC 7518 section 5).

use aws_lc_rs::{
    aead::{self, AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{
        AES_128, AES_192, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
        PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    hmac,
};
use zeroize::Zeroizing;

use super::ContentEncryptionAlgorithm;
use crate::{Error, constant_time_eq};

/// What GCM uses as nonce, of 96 bits (RFC 7518 section 5.3).
pub(super) const GCM_IV_LENGTH: usize = 12;

/// The ciphertext and its authentication tag.
pub(super) fn seal(
    enc: ContentEncryptionAlgorithm,
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    match composite(enc) {
        Some(parts) => parts.seal(key, iv, aad, plaintext),
        None => gcm_seal(key, iv, aad, plaintext),
    }
}

/// The plaintext, if key, vector, additional data, ciphertext and tag belong together. The lengths of vector
/// and tag were checked before.
pub(super) fn open(
    enc: ContentEncryptionAlgorithm,
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Vec<u8>> {
    match composite(enc) {
        Some(parts) => parts.open(key, iv, aad, ciphertext, tag),
        None => gcm_open(key, iv, aad, ciphertext, tag).map(|plaintext| plaintext.to_vec()),
    }
}

/// AES-GCM (RFC 7518 section 5.3); the length of the key says which.
pub(super) fn gcm_seal(
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let key = gcm_key(key).ok_or(Error::Library)?;
    let nonce = Nonce::try_assume_unique_for_key(iv).map_err(|_| Error::Library)?;
    let mut in_out = plaintext.to_vec();
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut in_out);
    Ok((in_out, tag.map_err(|_| Error::Library)?.as_ref().to_vec()))
}

/// What [`gcm_seal`] sealed.
pub(super) fn gcm_open(
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
    gcm_key(key)?.open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, &mut plaintext).ok()?;
    Some(plaintext)
}

fn gcm_key(key: &[u8]) -> Option<LessSafeKey> {
    let algorithm: &'static aead::Algorithm = match key.len() {
        16 => &AES_128_GCM,
        24 => &AES_192_GCM,
        32 => &AES_256_GCM,
        _ => return None,
    };
    Some(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?))
}

/// AES-CBC with HMAC (RFC 7518 section 5.2): the first half of the key authenticates, the second encrypts.
struct Composite {
    hash: hmac::Algorithm,
    /// Of the encrypting half, of the authenticating half and of the tag.
    half: usize,
}

fn composite(enc: ContentEncryptionAlgorithm) -> Option<Composite> {
    match enc {
        ContentEncryptionAlgorithm::A128CbcHs256 => Some(Composite { hash: hmac::HMAC_SHA256, half: 16 }),
        ContentEncryptionAlgorithm::A192CbcHs384 => Some(Composite { hash: hmac::HMAC_SHA384, half: 24 }),
        ContentEncryptionAlgorithm::A256CbcHs512 => Some(Composite { hash: hmac::HMAC_SHA512, half: 32 }),
        ContentEncryptionAlgorithm::A128Gcm
        | ContentEncryptionAlgorithm::A192Gcm
        | ContentEncryptionAlgorithm::A256Gcm => None,
    }
}

impl Composite {
    /// Section 5.2.2.1.
    fn seal(&self, key: &[u8], iv: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let (mac_key, cbc_key) = key.split_at_checked(self.half).ok_or(Error::Library)?;
        let cipher = cipher_key(cbc_key).and_then(|key| PaddedBlockEncryptingKey::cbc_pkcs7(key).ok());
        let context = EncryptionContext::Iv128(iv.try_into().map_err(|_| Error::Library)?);
        let mut in_out = plaintext.to_vec();
        cipher.ok_or(Error::Library)?.less_safe_encrypt(&mut in_out, context).map_err(|_| Error::Library)?;
        let tag = self.tag(mac_key, iv, aad, &in_out).ok_or(Error::Library)?;
        Ok((in_out, tag))
    }

    /// Section 5.2.2.2. Nothing is decrypted before the tag is known to be right, so that the padding tells
    /// nothing about the key.
    fn open(&self, key: &[u8], iv: &[u8], aad: &[u8], ciphertext: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
        let (mac_key, cbc_key) = key.split_at_checked(self.half)?;
        if !constant_time_eq(&self.tag(mac_key, iv, aad, ciphertext)?, tag) {
            return None;
        }
        let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher_key(cbc_key)?).ok()?;
        let mut in_out = ciphertext.to_vec();
        let length = cipher.decrypt(&mut in_out, DecryptionContext::Iv128(iv.try_into().ok()?)).ok()?.len();
        in_out.truncate(length);
        Some(in_out)
    }

    /// The first half of the HMAC over the additional data, the vector, the ciphertext and the length of the
    /// additional data in bits.
    fn tag(&self, mac_key: &[u8], iv: &[u8], aad: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
        let mut context = hmac::Context::with_key(&hmac::Key::new(self.hash, mac_key));
        for part in [aad, iv, ciphertext, &bits.to_be_bytes()] {
            context.update(part);
        }
        context.sign().as_ref().get(..self.half).map(<[u8]>::to_vec)
    }
}

fn cipher_key(key: &[u8]) -> Option<UnboundCipherKey> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        32 => &AES_256,
        _ => return None,
    };
    UnboundCipherKey::new(algorithm, key).ok()
}
