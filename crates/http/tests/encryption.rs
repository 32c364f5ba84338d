//! Encryption (RFC 7516; OIDC Core section 10.2): for our keys, and for those of clients.

#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_core::keys::KeySet;
use chancery_core::rotation::KeyEnd;
use chancery_jose::{
    CompactJwe, ContentEncryptionAlgorithm as Enc, DecryptionKey, EncryptionKey, EncryptionKeyType, Error,
    JweWriter, JwkSet, KeyManagementAlgorithm as Alg, Recipient, SigningAlgorithm, SystemRandom,
};
use chancery_testkit::{TestProvider, hours, minutes, wait};

fn random(buffer: &mut [u8]) {
    SystemRandom.fill(buffer);
}

fn jwks(kit: &TestProvider) -> JwkSet {
    JwkSet::parse(kit.get("/jwks").expect_status(200).text().as_bytes()).unwrap()
}

/// The published key of this name.
fn published(kit: &TestProvider, alg: Alg, kid: &str) -> Option<EncryptionKey> {
    jwks(kit).encryption_keys(alg).find(|key| key.kid() == Some(kid)).cloned()
}

fn encrypted(key: &EncryptionKey, alg: Alg) -> String {
    JweWriter::new(alg, Enc::A128CbcHs256).encrypt(Recipient::Public(key), b"content", &random).unwrap()
}

/// What the provider makes of a JWE.
fn decrypted(kit: &TestProvider, jwe: &str) -> Result<Vec<u8>, Error> {
    let keys = wait(KeySet::load(&*kit.env().private_keys, &kit.env().realm)).unwrap();
    let decrypted = wait(keys.decrypt(kit.env(), kit.now(), CompactJwe::parse(jwe)?)).unwrap()?;
    Ok(decrypted.plaintext().to_vec())
}

/// JOSE-06: a key for encryption is published with `use`, until its successor is alone; what was encrypted for
/// it decrypts until it is retired, and not any more then.
#[test]
fn our_keys_for_encryption_are_rotated() {
    let kit = TestProvider::builder().own_keys(&[SigningAlgorithm::Rs256]).build();
    assert!(!kit.get("/jwks").text().contains(r#""use":"enc""#), "there is none by itself");
    let add = |key_type| kit.keys.add_encryption_key(key_type, kit.now()).unwrap();
    let (rsa, p256) = (add(EncryptionKeyType::Rsa), add(EncryptionKeyType::P256));
    kit.clock.advance(minutes(1));

    assert!(kit.get("/jwks").text().contains(r#""use":"enc""#));
    assert_eq!(jwks(&kit).keys().len(), 1, "they verify nothing");
    let mut messages = Vec::new();
    for (kid, algorithms) in
        [(&rsa, EncryptionKeyType::Rsa.algorithms()), (&p256, EncryptionKeyType::P256.algorithms())]
    {
        for alg in algorithms {
            messages.push((kid, encrypted(&published(&kit, alg, kid).unwrap(), alg)));
        }
    }
    for (_, jwe) in &messages {
        assert_eq!(decrypted(&kit, jwe).unwrap(), b"content");
    }

    let young = add(EncryptionKeyType::Rsa);
    kit.keys.end(&rsa, KeyEnd::new(kit.now() + minutes(10), hours(1)));
    kit.clock.advance(minutes(1));
    assert!([&rsa, &young].iter().all(|kid| published(&kit, Alg::RsaOaep, kid).is_some()));
    kit.clock.advance(minutes(9));
    assert_eq!(published(&kit, Alg::RsaOaep, &rsa), None);
    assert!(published(&kit, Alg::RsaOaep, &young).is_some());
    assert!(messages.iter().all(|(_, jwe)| decrypted(&kit, jwe).is_ok()), "what is on its way arrives");
    kit.clock.advance(hours(1));
    for (kid, jwe) in &messages {
        let want = if *kid == &rsa { Err(Error::KeyNotForAlgorithm) } else { Ok(b"content".to_vec()) };
        assert_eq!(decrypted(&kit, jwe), want);
    }
}

/// Keys that nobody has, that sign, or that were removed; another algorithm; a foreign message.
#[test]
fn what_does_not_decrypt() {
    let kit = TestProvider::builder().own_keys(&[SigningAlgorithm::Rs256]).build();
    let p256 = kit.keys.add_encryption_key(EncryptionKeyType::P256, kit.now()).unwrap();
    kit.clock.advance(minutes(1));
    let key = published(&kit, Alg::EcdhEs, &p256).unwrap();
    let parse = |json: String| EncryptionKey::parse(json.as_bytes()).unwrap();
    let named = |kid: &str| parse(key.to_json().replace(&*p256, kid));
    let good = encrypted(&key, Alg::EcdhEs);
    assert_eq!(decrypted(&kit, &good).unwrap(), b"content");

    // Without `kid`, for the key that is published.
    let nameless = parse(key.to_json().replace(&format!(r#""kid":"{p256}","#), ""));
    assert_eq!(decrypted(&kit, &encrypted(&nameless, Alg::EcdhEs)).unwrap(), b"content");

    let signing = jwks(&kit).keys()[0].kid().unwrap().to_owned();
    for kid in ["unknown", "", &signing] {
        let jwe = encrypted(&named(kid), Alg::EcdhEs);
        assert_eq!(decrypted(&kit, &jwe), Err(Error::KeyNotForAlgorithm), "{kid}");
    }
    let foreign = DecryptionKey::generate(EncryptionKeyType::P256).unwrap().with_kid(&p256);
    let jwe = encrypted(foreign.public_jwk(), Alg::EcdhEsA256Kw);
    assert_eq!(decrypted(&kit, &jwe), Err(Error::Decryption));
    let on_another_curve = DecryptionKey::generate(EncryptionKeyType::P384).unwrap().with_kid(&p256);
    let jwe = encrypted(on_another_curve.public_jwk(), Alg::EcdhEs);
    assert_eq!(decrypted(&kit, &jwe), Err(Error::Decryption));
    let rsa = DecryptionKey::generate(EncryptionKeyType::Rsa).unwrap().with_kid(&p256);
    let jwe = encrypted(rsa.public_jwk(), Alg::RsaOaep);
    assert_eq!(decrypted(&kit, &jwe), Err(Error::KeyNotForAlgorithm));

    kit.keys.remove(&p256);
    assert_eq!(decrypted(&kit, &good), Err(Error::KeyNotForAlgorithm));
}
