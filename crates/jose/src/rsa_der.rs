//! The numbers inside the DER that the cryptographic library writes for RSA keys (RFC 8017 appendix A.1). It
//! reads only what that library wrote, so it knows three types and no more.

use zeroize::Zeroizing;

use crate::Error;

/// A private number, with the name of its member in a JWK.
pub(crate) type PrivateNumber = (&'static str, Zeroizing<Vec<u8>>);

/// Modulus and exponent of an `RSAPublicKey`.
pub(crate) fn public_numbers(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut fields = Reader(Reader(der).value(SEQUENCE)?);
    Ok((fields.integer()?.to_vec(), fields.integer()?.to_vec()))
}

/// Modulus and exponent of the `RSAPrivateKey` inside a PKCS #8 `PrivateKeyInfo`.
pub(crate) fn public_numbers_of_private(pkcs8: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut fields = private_key(pkcs8)?;
    Ok((fields.integer()?.to_vec(), fields.integer()?.to_vec()))
}

/// The private numbers of the `RSAPrivateKey` inside a PKCS #8 `PrivateKeyInfo`, with their names in a JWK
/// (RFC 7518 section 6.3.2).
pub(crate) fn private_numbers(pkcs8: &[u8]) -> Result<Vec<PrivateNumber>, Error> {
    let mut fields = private_key(pkcs8)?;
    for _n_e in 0..2 {
        fields.integer()?;
    }
    let names = ["d", "p", "q", "dp", "dq", "qi"].into_iter();
    names.map(|name| Ok((name, Zeroizing::new(fields.integer()?.to_vec())))).collect()
}

/// The fields of the `RSAPrivateKey` inside a PKCS #8 `PrivateKeyInfo` (RFC 5208 section 5), without the
/// version.
fn private_key(pkcs8: &[u8]) -> Result<Reader<'_>, Error> {
    let mut info = Reader(Reader(pkcs8).value(SEQUENCE)?);
    info.integer()?; // version
    info.value(SEQUENCE)?; // algorithm
    let mut fields = Reader(Reader(info.value(OCTET_STRING)?).value(SEQUENCE)?);
    fields.integer()?; // version
    Ok(fields)
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next value, which must have this tag.
    fn value(&mut self, tag: u8) -> Result<&'a [u8], Error> {
        let (&[found, short_length], mut rest) = self.0.split_first_chunk().ok_or(Error::Library)?;
        if found != tag {
            return Err(Error::Library);
        }
        let mut length = usize::from(short_length);
        if short_length & 0x80 != 0 {
            let (long_length, after) =
                rest.split_at_checked(usize::from(short_length & 0x7f)).ok_or(Error::Library)?;
            length = long_length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length).ok_or(Error::Library)?;
        self.0 = rest;
        Ok(content)
    }

    /// The octets of an unsigned integer, without the zero that keeps its sign.
    fn integer(&mut self) -> Result<&'a [u8], Error> {
        let content = self.value(INTEGER)?;
        Ok(content.strip_prefix(&[0]).unwrap_or(content))
    }
}
