//! The encryption examples of the standards, word for word in `vectors/`.
#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_jose::{
    Compact, CompactJwe, ContentEncryptionAlgorithm, DecryptionKey, EncryptionKey, Error, JweWriter,
    KeyManagementAlgorithm, PrivateKey, Recipient, SharedKey, base64url,
};

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("vectors/", $name)).trim_end()
    };
}

/// RFC 7520 figure 72.
const FELLOWSHIP: &str = "You can trust us to stick with you through thick and thin–to the bitter end. And \
    you can trust us to keep any secret of yours–closer than you keep it yourself. But you cannot trust us \
    to let you face trouble alone, and go off without a word. We are your friends, Frodo.";

fn zero(buffer: &mut [u8]) {
    buffer.fill(0);
}

fn decrypts(jwk: &str, jwe: &str) -> Vec<u8> {
    let key = DecryptionKey::from_jwk(jwk.as_bytes()).unwrap();
    let again = DecryptionKey::from_jwk(key.to_jwk().unwrap().as_bytes()).unwrap();
    assert_eq!(again.public_jwk(), key.public_jwk());
    let public = EncryptionKey::parse(key.public_jwk().to_json().as_bytes()).unwrap();
    assert_eq!(&public, key.public_jwk());

    let decrypted = CompactJwe::parse(jwe).unwrap().decrypt(&again, &zero).unwrap();
    let header = decrypted.header();
    let ours = JweWriter::new(header.alg, header.enc)
        .encrypt(Recipient::Public(&public), decrypted.plaintext(), &zero)
        .unwrap();
    let read_back = CompactJwe::parse(&ours).unwrap().decrypt(&key, &zero).unwrap();
    assert_eq!(read_back.plaintext(), decrypted.plaintext());
    decrypted.plaintext().to_vec()
}

fn shared(jwe: &str, key: &str) -> Result<Vec<u8>, Error> {
    let jwe = CompactJwe::parse(jwe)?;
    let key = SharedKey::new(jwe.header().alg, jwe.header().enc, &base64url::decode(key)?)?;
    Ok(jwe.decrypt_with_shared(&key, &zero)?.plaintext().to_vec())
}

/// RFC 7516 appendix A.1, RSA-OAEP and A256GCM.
#[test]
fn rfc7516_a1() {
    let plaintext = decrypts(vector!("rfc7516-a1.jwk.json"), vector!("rfc7516-a1.jwe.txt"));
    assert_eq!(plaintext, b"The true sign of intelligence is not knowledge but imagination.");
}

/// RFC 7516 appendix A.3, A128KW and A128CBC-HS256. With the key and the vector of the example we write the
/// same JWE, byte by byte.
#[test]
fn rfc7516_a3() {
    let jwe = vector!("rfc7516-a3.jwe.txt");
    let key = "GawgguFyGrWKav7AX4VKUg";
    assert_eq!(shared(jwe, key).unwrap(), b"Live long and prosper.");

    let (alg, enc) = (KeyManagementAlgorithm::A128Kw, ContentEncryptionAlgorithm::A128CbcHs256);
    let key = SharedKey::new(alg, enc, &base64url::decode(key).unwrap()).unwrap();
    let random = |buffer: &mut [u8]| match buffer.len() {
        32 => buffer.copy_from_slice(&[
            4, 211, 31, 197, 84, 157, 252, 254, 11, 100, 157, 250, 63, 170, 106, 206, 107, 124, 212, 45, 111,
            107, 9, 219, 200, 177, 0, 240, 143, 156, 44, 207,
        ]),
        _ => buffer.copy_from_slice(b"\x03\x16<\x0c+Chillicothe"),
    };
    let ours = JweWriter::new(alg, enc).encrypt(Recipient::Shared(&key), b"Live long and prosper.", &random);
    assert_eq!(ours.unwrap(), jwe);
}

/// RFC 7520 sections 5.2, 5.4 and 5.5: RSA-OAEP, ECDH-ES+A128KW on P-384, ECDH-ES on P-256.
#[test]
fn rfc7520_with_private_keys() {
    for (jwk, jwe) in [
        (vector!("rfc7520-5-2.jwk.json"), vector!("rfc7520-5-2.jwe.txt")),
        (vector!("rfc7520-5-4.jwk.json"), vector!("rfc7520-5-4.jwe.txt")),
        (vector!("rfc7520-5-5.jwk.json"), vector!("rfc7520-5-5.jwe.txt")),
    ] {
        assert_eq!(decrypts(jwk, jwe), FELLOWSHIP.as_bytes());
    }
}

/// RFC 7520 sections 5.6 to 5.8: dir, A256GCMKW, A128KW.
#[test]
fn rfc7520_with_shared_keys() {
    for (jwe, key) in [
        (vector!("rfc7520-5-6.jwe.txt"), "XctOhJAkA-pD9Lh7ZgW_2A"),
        (vector!("rfc7520-5-7.jwe.txt"), "qC57l_uxcm7Nm3K-ct4GFjx8tM1U8CZ0NLBvdQstiS8"),
        (vector!("rfc7520-5-8.jwe.txt"), "GZy6sIZ6wl9NJOKB-jnmVQ"),
    ] {
        assert_eq!(shared(jwe, key).unwrap(), FELLOWSHIP.as_bytes());
    }
}

/// RFC 7520 section 6: a signature inside.
#[test]
fn rfc7520_nested() {
    let jws = decrypts(vector!("rfc7520-5-2.jwk.json"), vector!("rfc7520-6.jwe.txt"));
    let signer = PrivateKey::from_jwk(vector!("rfc7520-6.jwk.json").as_bytes()).unwrap();
    let jws = Compact::parse(str::from_utf8(&jws).unwrap()).unwrap();
    let verified = jws.verify(&signer.public_jwk().verifying_key().unwrap());
    assert_eq!(verified.unwrap().claims().unwrap().iss.as_deref(), Some("hobbiton.example"));
}

/// RFC 7516 appendix A.2 and RFC 7520 sections 5.1, 5.3 and 5.9: RSA1_5, PBES2 and `zip` are never read.
#[test]
fn what_is_never_read() {
    for (jwe, want) in [
        (vector!("rfc7516-a2.jwe.txt"), Error::UnknownAlgorithm),
        (vector!("rfc7520-5-1.jwe.txt"), Error::UnknownAlgorithm),
        (vector!("rfc7520-5-3.jwe.txt"), Error::UnknownAlgorithm),
        (vector!("rfc7520-5-9.jwe.txt"), Error::Compressed),
    ] {
        assert_eq!(CompactJwe::parse(jwe).err(), Some(want));
    }
}
