//! base64url without padding (RFC 7515 section 2). Lenient decoders accept several spellings of the same
//! bytes; this one accepts exactly one, so that a token cannot be respelled.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::Error;

/// Encodes bytes.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Encodes to the end of `out`.
pub fn append(out: &mut String, bytes: impl AsRef<[u8]>) {
    URL_SAFE_NO_PAD.encode_string(bytes, out);
}

/// Decodes text.
///
/// # Errors
/// [`Error::Base64`] for padding, whitespace, another alphabet, an impossible length, or bits that are left
/// over and not zero.
pub fn decode(text: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515 appendix C, and each way to spell the same bytes differently.
    #[test]
    fn one_spelling_only() {
        assert_eq!(encode([3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").unwrap(), [3, 236, 255, 224, 193]);
        assert!(decode("").unwrap().is_empty());
        for twin in
            ["A-z_4MF", "A-z_4ME=", "A-z_4ME\n", " A-z_4ME", "A+z/4ME", "A-z_4M E", "A", "A-z_4", "Ä-z_"]
        {
            assert_eq!(decode(twin), Err(Error::Base64), "{twin:?}");
        }
    }
}
