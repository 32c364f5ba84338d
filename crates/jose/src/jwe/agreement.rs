//! Elliptic Curve Diffie-Hellman with an ephemeral key of the sender (RFC 7518 section 4.6, RFC 8037 section
//! 3.2).

use aws_lc_rs::{
    agreement::{Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519, agree},
    kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest},
};
use zeroize::Zeroizing;

use super::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};
use crate::{
    Error,
    jwk::{Curve, Numbers, point},
};

/// The agreement on the curve of this key; `None` for keys of other types.
pub(super) fn algorithm_of(key: &Numbers) -> Option<&'static Algorithm> {
    match key {
        Numbers::Ec { curve: Curve::P256, .. } => Some(&ECDH_P256),
        Numbers::Ec { curve: Curve::P384, .. } => Some(&ECDH_P384),
        Numbers::Ec { curve: Curve::P521, .. } => Some(&ECDH_P521),
        Numbers::X25519 { .. } => Some(&X25519),
        Numbers::Rsa { .. } | Numbers::Ed25519 { .. } => None,
    }
}

/// The secret Z. `None` for a peer on another curve, and when the secret would be zero because the peer's
/// point has a small order (RFC 7748 section 6.1).
pub(super) fn agree_upon(own: &PrivateKey, peer: &Numbers) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = match peer {
        Numbers::Ec { x, y, .. } => point(x, y),
        Numbers::X25519 { x } => x.clone(),
        Numbers::Rsa { .. } | Numbers::Ed25519 { .. } => return None,
    };
    let peer = UnparsedPublicKey::new(algorithm_of(peer)?, bytes);
    agree(own, peer, (), |secret| Ok(Zeroizing::new(secret.to_vec()))).ok()
}

/// The public half of a private key.
pub(super) fn public_half(own: &PrivateKey) -> Result<Numbers, Error> {
    let public = own.compute_public_key().map_err(|_| Error::Library)?;
    let bytes = public.as_ref();
    let curve = if *own.algorithm() == X25519 {
        return Numbers::x25519(bytes.to_vec());
    } else if *own.algorithm() == ECDH_P256 {
        Curve::P256
    } else if *own.algorithm() == ECDH_P384 {
        Curve::P384
    } else {
        Curve::P521
    };
    let (x, y) = bytes
        .split_first()
        .and_then(|(_uncompressed, rest)| rest.split_at_checked(curve.length()))
        .ok_or(Error::Library)?;
    Numbers::ec(curve, x.to_vec(), y.to_vec())
}

/// The key that Concat KDF with SHA-256 makes of Z (RFC 7518 section 4.6.2), which is the single-step KDF of
/// NIST SP 800-56C: the content encryption key for ECDH-ES alone, otherwise the key that wraps it.
pub(super) fn derive(
    secret: &[u8],
    alg: KeyManagementAlgorithm,
    enc: ContentEncryptionAlgorithm,
    apu: &[u8],
    apv: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (name, length) = match alg.wrapping_key_length() {
        Some(length) => (alg.name(), length),
        None => (enc.name(), enc.key_length()),
    };
    let mut other_info = Vec::new();
    for field in [name.as_bytes(), apu, apv] {
        other_info.extend(u32::try_from(field.len()).ok()?.to_be_bytes());
        other_info.extend(field);
    }
    let bits = u32::try_from(length).ok()? * 8;
    other_info.extend(bits.to_be_bytes());

    let mut key = Zeroizing::new(vec![0; length]);
    let sha256 = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256)?;
    sskdf_digest(sha256, secret, &other_info, &mut key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    /// RFC 7518 appendix C: Alice's ephemeral key, Bob's key, and the key that both derive.
    #[test]
    fn published_vector() {
        let number = |text: &str| base64url::decode(text).unwrap();
        let bob = Numbers::ec(
            Curve::P256,
            number("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"),
            number("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"),
        )
        .unwrap();
        let alice =
            PrivateKey::from_private_key(&ECDH_P256, &number("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"))
                .unwrap();
        let secret = agree_upon(&alice, &bob).unwrap();
        let (alg, enc) = (KeyManagementAlgorithm::EcdhEs, ContentEncryptionAlgorithm::A128Gcm);
        let key = derive(&secret, alg, enc, b"Alice", b"Bob").unwrap();
        assert_eq!(base64url::encode(&*key), "VqqN6vgjbSBcIijNcacQGg");
    }

    /// RFC 8037 appendix A.6.
    #[test]
    fn x25519() {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        let bob = Numbers::x25519(base64url::decode("3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08").unwrap())
            .unwrap();
        let ephemeral = PrivateKey::from_private_key(
            &X25519,
            &bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
        );
        let ephemeral = ephemeral.unwrap_or_else(|_| panic!("32 octets"));
        let public = base64url::decode("hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo").unwrap();
        assert!(matches!(public_half(&ephemeral), Ok(Numbers::X25519 { x }) if x == public));
        let secret = agree_upon(&ephemeral, &bob).unwrap();
        assert_eq!(
            secret.as_slice(),
            bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        );
        // Points of small order (RFC 7748 section 6.1).
        for small in [[0; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            assert!(agree_upon(&ephemeral, &Numbers::X25519 { x: small.to_vec() }).is_none());
            assert_eq!(Numbers::x25519(small.to_vec()).err(), Some(Error::InvalidKey));
        }
    }
}
