//! Sealing of data that is stored or handed out and must come back unread and unchanged: AES-256-GCM-SIV (RFC
//! 8452), which stays secure even if a nonce should repeat.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{Error, hmac_sha256};

const NONCE_LENGTH: usize = 12;

/// A secret of 256 bits from which keys for different purposes are derived, so that no two purposes share
/// one.
pub struct RootSecret(Zeroizing<[u8; 32]>);

impl RootSecret {
    /// Takes 32 bytes that were drawn at random.
    #[must_use]
    pub fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// The key for the purpose that `label` names: HKDF-Expand with SHA-256 and one block of output (RFC 5869
    /// section 2.3); the extraction is left out because the secret is uniform already (section 3.3).
    #[must_use]
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac_sha256(self.0.as_slice(), &[label.as_bytes(), &[1]].concat()))
    }

    /// The sealing key for the purpose that `label` names.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn sealing_key(&self, label: &str) -> Result<SealingKey, Error> {
        SealingKey::new(&self.derive(label))
    }
}

/// A key that seals and opens. It cannot be printed.
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    /// Takes 32 random bytes.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn new(key: &[u8; 32]) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).map_err(|_| Error::Library)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals `plaintext`, bound to `aad`, and returns the nonce, the ciphertext and its tag. The nonce has to
    /// be drawn at random for each call.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn seal(&self, nonce: [u8; NONCE_LENGTH], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let mut in_out = Vec::with_capacity(plaintext.len() + AES_256_GCM_SIV.tag_len());
        in_out.extend_from_slice(plaintext);
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut in_out)
            .map_err(|_| Error::Library)?;
        Ok([&nonce, in_out.as_slice()].concat())
    }

    /// Opens what [`Self::seal`] made with the same key and `aad`; `None` for everything else.
    #[must_use]
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
        let mut in_out = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.0.open_in_place(nonce, Aad::from(aad), &mut in_out).ok()?.len();
        in_out.truncate(length);
        Some(in_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 8452 appendix C.2.
    #[test]
    fn published_vector() {
        let key: [u8; 32] =
            bytes("0100000000000000000000000000000000000000000000000000000000000000").try_into().unwrap();
        let nonce = bytes("030000000000000000000000").try_into().unwrap();
        let sealed = SealingKey::new(&key).unwrap().seal(nonce, b"", &bytes("0100000000000000")).unwrap();
        assert_eq!(sealed, [&nonce[..], &bytes("c2ef328e5c71c83b843122130f7364b761e0b97427e3df28")].concat());
    }

    #[test]
    fn nothing_else_opens() {
        let root = RootSecret::new(Zeroizing::new([7; 32]));
        let key = root.sealing_key("keys").unwrap();
        for plaintext in [&b""[..], b"x", &[9; 3000]] {
            let sealed = key.seal([1; 12], b"realm/kid", plaintext).unwrap();
            assert_eq!(sealed.len(), 12 + plaintext.len() + 16);
            assert_eq!(key.open(b"realm/kid", &sealed).unwrap().as_slice(), plaintext);
            assert!(key.open(b"realm/kie", &sealed).is_none());
            assert!(root.sealing_key("cookies").unwrap().open(b"realm/kid", &sealed).is_none());
            for at in 0..sealed.len().min(64) {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(key.open(b"realm/kid", &changed).is_none(), "{at}");
                assert!(key.open(b"realm/kid", &sealed[..at.min(sealed.len() - 1)]).is_none(), "{at}");
            }
        }
    }

    /// RFC 5869 appendix A.1: the first block of the OKM from the PRK. The label there is not text, so the
    /// test calls the primitive.
    #[test]
    fn derivation_is_hkdf_expand() {
        let prk = bytes("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        let okm = bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
        assert_eq!(hmac_sha256(&prk, &[&bytes("f0f1f2f3f4f5f6f7f8f9")[..], &[1]].concat()).to_vec(), okm);
        let root = RootSecret::new(Zeroizing::new(prk.try_into().unwrap()));
        assert_ne!(root.derive("a"), root.derive("b"));
        assert_eq!(root.derive("a"), root.derive("a"));
    }
}
