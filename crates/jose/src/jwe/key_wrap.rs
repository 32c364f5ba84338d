//! AES key wrap (RFC 7518 section 4.4, RFC 3394).

use aws_lc_rs::{
    cipher::{AES_192, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey},
    key_wrap::{AES_128, AES_256, AesKek, KeyWrap},
};
use zeroize::Zeroizing;

use crate::{Error, constant_time_eq};

/// The length of a half block, by which a wrapped key is longer than the key.
pub(super) const OVERHEAD: usize = 8;

/// RFC 3394 section 2.2.3.1
const INITIAL_VALUE: [u8; 8] = [0xa6; 8];

/// Wraps a key of whole half blocks, two or more of them.
pub(super) fn wrap(wrapping_key: &[u8], key: &[u8]) -> Result<Vec<u8>, Error> {
    if wrapping_key.len() == 24 {
        return wrap_192(wrapping_key, key).ok_or(Error::Library);
    }
    let mut wrapped = vec![0; key.len() + OVERHEAD];
    let of_library = library_key(wrapping_key).ok_or(Error::Library)?;
    of_library.wrap(key, &mut wrapped).map_err(|_| Error::Library)?;
    Ok(wrapped)
}

/// What [`wrap`] wrapped with the same key; `None` for everything else.
pub(super) fn unwrap(wrapping_key: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if wrapping_key.len() == 24 {
        return unwrap_192(wrapping_key, wrapped);
    }
    let mut key = Zeroizing::new(vec![0; wrapped.len().checked_sub(OVERHEAD)?]);
    library_key(wrapping_key)?.unwrap(wrapped, &mut key).ok()?;
    Some(key)
}

fn library_key(wrapping_key: &[u8]) -> Option<AesKek> {
    let cipher = match wrapping_key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    AesKek::new(cipher, wrapping_key).ok()
}

/// RFC 3394 section 2.2.1 with a key of 192 bits, which the library's key wrap lacks. AES itself is the
/// library's.
fn wrap_192(wrapping_key: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let aes = EncryptingKey::ecb(UnboundCipherKey::new(&AES_192, wrapping_key).ok()?).ok()?;
    let mut halves = Zeroizing::new(half_blocks(key)?);
    let mut check = INITIAL_VALUE;
    let mut step: u64 = 0;
    for _ in 0..6 {
        for half in halves.iter_mut() {
            step += 1;
            let mut block = Zeroizing::new([check, *half].concat());
            aes.less_safe_encrypt(&mut block, EncryptionContext::None).ok()?;
            let (first, second) = block.split_at_checked(OVERHEAD)?;
            check = (u64::from_be_bytes(first.try_into().ok()?) ^ step).to_be_bytes();
            *half = second.try_into().ok()?;
        }
    }
    Some([check.as_slice(), halves.as_flattened()].concat())
}

/// RFC 3394 section 2.2.2.
fn unwrap_192(wrapping_key: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let aes = DecryptingKey::ecb(UnboundCipherKey::new(&AES_192, wrapping_key).ok()?).ok()?;
    let (check, key) = wrapped.split_first_chunk::<OVERHEAD>()?;
    let mut halves = Zeroizing::new(half_blocks(key)?);
    let mut check = *check;
    let mut step = 6 * u64::try_from(halves.len()).ok()?;
    for _ in 0..6 {
        for half in halves.iter_mut().rev() {
            let counted = (u64::from_be_bytes(check) ^ step).to_be_bytes();
            let mut block = Zeroizing::new([counted, *half].concat());
            aes.decrypt(&mut block, DecryptionContext::None).ok()?;
            let (first, second) = block.split_at_checked(OVERHEAD)?;
            check = first.try_into().ok()?;
            *half = second.try_into().ok()?;
            step -= 1;
        }
    }
    constant_time_eq(&check, &INITIAL_VALUE).then(|| Zeroizing::new(halves.as_flattened().to_vec()))
}

/// Two or more half blocks, and nothing left over.
fn half_blocks(key: &[u8]) -> Option<Vec<[u8; OVERHEAD]>> {
    let (halves, rest) = key.as_chunks();
    (halves.len() >= 2 && rest.is_empty()).then(|| halves.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 3394 sections 4.1 to 4.6.
    #[test]
    fn published_vectors() {
        let wrapping_key = bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let key = bytes("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        for (wrapping_length, key_length, wrapped) in [
            (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
            (24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
            (32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
            (24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
            (32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"),
            (32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"),
        ] {
            let (wrapping_key, key) = (&wrapping_key[..wrapping_length], &key[..key_length]);
            assert_eq!(wrap(wrapping_key, key).unwrap(), bytes(wrapped), "{wrapping_length} {key_length}");
            assert_eq!(unwrap(wrapping_key, &bytes(wrapped)).unwrap().as_slice(), key);
        }
    }

    #[test]
    fn nothing_else_is_unwrapped() {
        for wrapping_length in [16, 24, 32] {
            let wrapping_key = vec![7; wrapping_length];
            for key_length in [16, 24, 32, 48, 64] {
                let key: Vec<u8> = (0..key_length).collect();
                let wrapped = wrap(&wrapping_key, &key).unwrap();
                assert_eq!(unwrap(&wrapping_key, &wrapped).unwrap().as_slice(), key);
                for at in 0..wrapped.len() {
                    let mut changed = wrapped.clone();
                    changed[at] ^= 1;
                    assert!(unwrap(&wrapping_key, &changed).is_none(), "{wrapping_length} {at}");
                    assert!(unwrap(&wrapping_key, &wrapped[..at]).is_none(), "{wrapping_length} {at}");
                }
                assert!(unwrap(&vec![8; wrapping_length], &wrapped).is_none());
            }
            for not_whole in [0, 8, 17, 20] {
                assert!(wrap(&wrapping_key, &vec![1; not_whole]).is_err(), "{not_whole}");
            }
        }
        for no_key_of_aes in [0, 15, 31, 64] {
            assert!(wrap(&vec![1; no_key_of_aes], &[1; 16]).is_err());
            assert!(unwrap(&vec![1; no_key_of_aes], &[1; 24]).is_none());
        }
    }
}
