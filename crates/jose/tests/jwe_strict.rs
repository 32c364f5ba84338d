//! What must not decrypt, and what must not be read as a JWE or as a key for one.
#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_jose::{
    CompactJwe, ContentEncryptionAlgorithm as Enc, DecryptionKey, EncryptionKey, EncryptionKeyType, Error,
    JweWriter, JwkSet, KeyManagementAlgorithm as Alg, PublicJwk, Recipient, SharedKey, SystemRandom,
    base64url,
};

const RSA: &str = include_str!("vectors/rfc7516-a1.jwk.json");
const P384: &str = include_str!("vectors/rfc7520-5-4.jwk.json");
const P256: &str = include_str!("vectors/rfc7520-5-5.jwk.json");
const ED25519: &str = include_str!("vectors/rfc8037-a1.jwk.json");
const X25519: &str = r#"{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#;

fn random(buffer: &mut [u8]) {
    SystemRandom.fill(buffer);
}

/// A key that decrypts, of either nature.
enum Key {
    Private(Box<DecryptionKey>),
    Shared(SharedKey),
}

impl Key {
    fn encrypt(&self, alg: Alg, enc: Enc, plaintext: &[u8]) -> String {
        let recipient = match self {
            Self::Private(key) => Recipient::Public(key.public_jwk()),
            Self::Shared(key) => Recipient::Shared(key),
        };
        JweWriter::new(alg, enc).encrypt(recipient, plaintext, &random).unwrap()
    }

    fn decrypt(&self, jwe: &str) -> Result<Vec<u8>, Error> {
        let jwe = CompactJwe::parse(jwe)?;
        let decrypted = match self {
            Self::Private(key) => jwe.decrypt(key, &random)?,
            Self::Shared(key) => jwe.decrypt_with_shared(key, &random)?,
        };
        Ok(decrypted.plaintext().to_vec())
    }
}

/// Each algorithm with each key that fits it.
fn keys(enc: Enc) -> Vec<(Alg, Key)> {
    let rsa = || DecryptionKey::from_jwk(RSA.as_bytes()).unwrap();
    let of_type = |key_type| match key_type {
        EncryptionKeyType::Rsa => rsa(),
        other => DecryptionKey::generate(other).unwrap(),
    };
    let mut all = Vec::new();
    for key_type in EncryptionKeyType::ALL {
        for alg in key_type.algorithms() {
            all.push((alg, Key::Private(Box::new(of_type(key_type)))));
        }
    }
    for alg in Alg::ALL.into_iter().filter(|alg| alg.is_symmetric()) {
        all.push((alg, Key::Shared(SharedKey::from_client_secret(alg, enc, b"a secret").unwrap())));
    }
    assert_eq!(all.len(), 4 + 4 * 4 + 7);
    all
}

/// JOSE-09: every pair of algorithms, for plaintexts around the block length.
#[test]
fn every_pair_of_algorithms() {
    for enc in Enc::ALL {
        for (alg, key) in keys(enc) {
            for length in [0, 1, 15, 16, 17, 1000] {
                let plaintext: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
                let jwe = key.encrypt(alg, enc, &plaintext);
                assert_eq!(key.decrypt(&jwe).unwrap(), plaintext, "{alg} {enc} {length}");
                assert_ne!(jwe, key.encrypt(alg, enc, &plaintext), "{alg} {enc}: nothing was drawn");
            }
        }
    }
}

/// Every byte of every part, changed by one bit: nothing decrypts, and no change but one that is visible to
/// everybody gets another error than the rest.
#[test]
fn tampering() {
    for enc in Enc::ALL {
        for (alg, key) in keys(enc) {
            let jwe = key.encrypt(alg, enc, b"attack at dawn");
            let parts: Vec<Vec<u8>> = jwe.split('.').map(|part| base64url::decode(part).unwrap()).collect();
            for part in 0..5 {
                for at in 0..parts[part].len() {
                    let mut changed = parts.clone();
                    changed[part][at] ^= 1;
                    let text: Vec<String> = changed.iter().map(base64url::encode).collect();
                    let error = key.decrypt(&text.join(".")).unwrap_err();
                    let is_visible = part == 0 && error != Error::Decryption;
                    assert!(is_visible || error == Error::Decryption, "{alg} {enc} part {part}: {error}");
                }
            }
        }
    }
}

/// Parts that are too short, too long, exchanged or of another JWE.
#[test]
fn parts_of_other_lengths() {
    for enc in Enc::ALL {
        for (alg, key) in keys(enc) {
            let jwe = key.encrypt(alg, enc, b"attack at dawn");
            let other = key.encrypt(alg, enc, b"attack at dusk");
            let parts: Vec<Vec<u8>> = jwe.split('.').map(|part| base64url::decode(part).unwrap()).collect();
            let others: Vec<Vec<u8>> =
                other.split('.').map(|part| base64url::decode(part).unwrap()).collect();
            for part in 1..5 {
                let cut = parts[part].split_last().map_or(Vec::new(), |(_, rest)| rest.to_vec());
                let longer = [&parts[part][..], &[0]].concat();
                let doubled = [&parts[part][..], &parts[part][..]].concat();
                let long = vec![7; 4000];
                for damaged in [Vec::new(), cut, longer, doubled, long, others[part].clone()] {
                    if damaged == parts[part] {
                        continue;
                    }
                    let mut changed = parts.clone();
                    changed[part] = damaged;
                    let text: Vec<String> = changed.iter().map(base64url::encode).collect();
                    let error = key.decrypt(&text.join(".")).unwrap_err();
                    let is_public = error == Error::PartLength && part != 3;
                    assert!(is_public || error == Error::Decryption, "{alg} {enc} part {part}: {error}");
                }
            }
        }
    }
}

/// A JWE for one key does not decrypt with another of the same kind, and a key of another kind is refused.
#[test]
fn other_keys() {
    let enc = Enc::A128Gcm;
    for (alg, key) in keys(enc) {
        let jwe = key.encrypt(alg, enc, b"x");
        for (other_alg, other) in keys(enc) {
            let error = match (&key, &other) {
                (Key::Shared(_), Key::Shared(_)) if alg == other_alg => continue,
                (Key::Private(a), Key::Private(b)) if a.public_jwk() == b.public_jwk() => continue,
                _ => other.decrypt(&jwe).unwrap_err(),
            };
            assert!(matches!(error, Error::Decryption | Error::KeyNotForAlgorithm), "{alg} {other_alg}");
        }
        if alg.is_symmetric() {
            let other = Key::Shared(SharedKey::from_client_secret(alg, enc, b"another secret").unwrap());
            assert_eq!(other.decrypt(&jwe), Err(Error::Decryption), "{alg}");
        }
    }
}

/// A key that names an algorithm is used for that one only (RFC 8725 section 3.1).
#[test]
fn keys_with_alg() {
    let bound = RSA.replacen('{', r#"{"alg":"RSA-OAEP-256","#, 1);
    let bound = DecryptionKey::from_jwk(bound.as_bytes()).unwrap();
    let free = DecryptionKey::from_jwk(RSA.as_bytes()).unwrap();
    for alg in EncryptionKeyType::Rsa.algorithms() {
        let jwe = JweWriter::new(alg, Enc::A128Gcm)
            .encrypt(Recipient::Public(free.public_jwk()), b"x", &random)
            .unwrap();
        let outcome = CompactJwe::parse(&jwe).unwrap().decrypt(&bound, &random).err();
        let want = if alg == Alg::RsaOaep256 { None } else { Some(Error::KeyNotForAlgorithm) };
        assert_eq!(outcome, want, "{alg}");
        let outcome = JweWriter::new(alg, Enc::A128Gcm)
            .encrypt(Recipient::Public(bound.public_jwk()), b"x", &random)
            .err();
        assert_eq!(outcome, want, "{alg}");
    }
}

/// RFC 7516 section 11.5: the content is decrypted with a random key when the holder of the private key could
/// not open the encrypted one, or opened something of another length.
#[test]
fn a_substitute_for_what_does_not_open() {
    let key = Key::Private(Box::new(DecryptionKey::from_jwk(RSA.as_bytes()).unwrap()));
    for enc in Enc::ALL {
        let jwe = key.encrypt(Alg::RsaOaep256, enc, b"x");
        for opened in [None, Some(vec![]), Some(vec![7; 5]), Some(vec![7; 64]), Some(vec![0; 200])] {
            let drawn = std::cell::Cell::new(0);
            let random = |buffer: &mut [u8]| drawn.set(drawn.get() + buffer.len());
            let opened = opened.map(zeroize::Zeroizing::new);
            let outcome = CompactJwe::parse(&jwe).unwrap().decrypt_with_opened(opened, &random);
            assert_eq!(outcome.err(), Some(Error::Decryption), "{enc}");
            assert!(drawn.get() >= 16, "{enc}");
        }
    }
}

fn with_header(header: &str) -> String {
    let parts = [&b""[..], &[1; 12], &[2; 20], &[3; 16]].map(base64url::encode);
    format!("{}.{}", base64url::encode(header), parts.join("."))
}

/// JAR-18, JOSE-13: the header of a JWE, one row per rule.
#[test]
fn headers() {
    let epk = |jwk: &str| format!(r#"{{"alg":"ECDH-ES","enc":"A128GCM","epk":{jwk}}}"#);
    let good = r#"{"alg":"dir","enc":"A128GCM"}"#;
    assert!(CompactJwe::parse(&with_header(good)).is_ok());
    assert!(CompactJwe::parse(&with_header(&epk(X25519))).is_ok());
    let p256 = EncryptionKey::parse(
        DecryptionKey::from_jwk(P256.as_bytes()).unwrap().public_jwk().to_json().as_bytes(),
    );
    let p256 = p256.unwrap().to_json();
    assert!(CompactJwe::parse(&with_header(&epk(&p256))).is_ok());

    let y = r#""y":""#;
    let off_curve = p256.replacen(&p256[p256.find(y).unwrap() + 5..][..4], "AAAA", 1);
    for (rule, header, want) in [
        (
            "RFC 7516 section 4.1.13: crit",
            r#"{"alg":"dir","enc":"A128GCM","crit":["x"],"x":1}"#.to_owned(),
            Error::UnknownCritical,
        ),
        (
            "RFC 8725 section 3.6: zip",
            r#"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#.to_owned(),
            Error::Compressed,
        ),
        ("zip of another kind", r#"{"alg":"dir","enc":"A128GCM","zip":null}"#.to_owned(), Error::Compressed),
        ("no alg", r#"{"enc":"A128GCM"}"#.to_owned(), Error::MissingMember),
        ("no enc", r#"{"alg":"dir"}"#.to_owned(), Error::MissingMember),
        ("alg is no string", r#"{"alg":["dir"],"enc":"A128GCM"}"#.to_owned(), Error::MemberType),
        ("alg none", r#"{"alg":"none","enc":"A128GCM"}"#.to_owned(), Error::UnknownAlgorithm),
        ("a signature algorithm", r#"{"alg":"HS256","enc":"A128GCM"}"#.to_owned(), Error::UnknownAlgorithm),
        ("RSA1_5", r#"{"alg":"RSA1_5","enc":"A128GCM"}"#.to_owned(), Error::UnknownAlgorithm),
        (
            "PBES2",
            r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"AAAA"}"#.to_owned(),
            Error::UnknownAlgorithm,
        ),
        ("an unknown enc", r#"{"alg":"dir","enc":"XC20P"}"#.to_owned(), Error::UnknownAlgorithm),
        ("alg twice", r#"{"alg":"dir","alg":"dir","enc":"A128GCM"}"#.to_owned(), Error::DuplicateMember),
        ("kid is no string", r#"{"alg":"dir","enc":"A128GCM","kid":1}"#.to_owned(), Error::MemberType),
        ("no JSON", "alg".to_owned(), Error::Json),
        (
            "RFC 7518 section 4.6.1.1: epk",
            r#"{"alg":"ECDH-ES","enc":"A128GCM"}"#.to_owned(),
            Error::MissingMember,
        ),
        ("epk is no object", epk("\"x\""), Error::Json),
        ("epk with a private part", epk(P256), Error::PrivateMember),
        ("epk is RSA", epk(r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#), Error::ModulusSize),
        ("epk is symmetric", epk(r#"{"kty":"oct","k":"AAAA"}"#), Error::PrivateMember),
        ("epk is for signatures", epk(&X25519.replace('}', r#","use":"sig"}"#)), Error::NotForEncryption),
        ("epk on Ed25519", epk(&X25519.replace("X25519", "Ed25519")), Error::UnknownCurve),
        ("epk on an unknown curve", epk(&X25519.replace("X25519", "X448")), Error::UnknownCurve),
        ("epk too short", epk(r#"{"kty":"OKP","crv":"X25519","x":"AAAA"}"#), Error::CoordinateLength),
        ("RFC 8725 section 3.4: epk off the curve", epk(&off_curve), Error::InvalidKey),
        (
            "RFC 7748 section 6.1: epk of small order",
            epk(&format!(r#"{{"kty":"OKP","crv":"X25519","x":"{}"}}"#, base64url::encode([0; 32]))),
            Error::InvalidKey,
        ),
        ("apu is no string", epk(X25519).replace("\"enc\"", r#""apu":1,"enc""#), Error::MemberType),
        ("apv is no base64url", epk(X25519).replace("\"enc\"", r#""apv":"=","enc""#), Error::Base64),
        (
            "RFC 7518 section 4.7.1: iv",
            r#"{"alg":"A128GCMKW","enc":"A128GCM","tag":"AAAAAAAAAAAAAAAAAAAAAA"}"#.to_owned(),
            Error::MissingMember,
        ),
        (
            "tag",
            r#"{"alg":"A128GCMKW","enc":"A128GCM","iv":"AAAAAAAAAAAAAAAA"}"#.to_owned(),
            Error::MissingMember,
        ),
        (
            "a short iv",
            r#"{"alg":"A128GCMKW","enc":"A128GCM","iv":"AAAA","tag":"AAAAAAAAAAAAAAAAAAAAAA"}"#.to_owned(),
            Error::PartLength,
        ),
        (
            "a short tag",
            r#"{"alg":"A128GCMKW","enc":"A128GCM","iv":"AAAAAAAAAAAAAAAA","tag":"AAAA"}"#.to_owned(),
            Error::PartLength,
        ),
    ] {
        assert_eq!(CompactJwe::parse(&with_header(&header)).err(), Some(want), "{rule}");
    }
}

#[test]
fn forms() {
    let good = with_header(r#"{"alg":"dir","enc":"A128GCM"}"#);
    let parts: Vec<&str> = good.split('.').collect();
    let with = |at: usize, part: &str| {
        let mut parts = parts.clone();
        parts[at] = part;
        parts.join(".")
    };
    for (rule, text, want) in [
        ("five parts", String::new(), Error::NotCompactJwe),
        ("three parts, as a JWS has", parts[..3].join("."), Error::NotCompactJwe),
        ("four parts", parts[..4].join("."), Error::NotCompactJwe),
        ("six parts", format!("{good}.AAAA"), Error::NotCompactJwe),
        ("JSON serialisation", r#"{"protected":"AAAA"}"#.to_owned(), Error::NotCompactJwe),
        ("no padding", format!("{good}="), Error::Base64),
        ("no white space", format!(" {good}"), Error::Base64),
        ("RFC 7516 section 5.2 step 10: no key beside dir", with(1, "AAAA"), Error::PartLength),
        ("a short vector", with(2, "AAAA"), Error::PartLength),
        ("a short tag", with(4, "AAAA"), Error::PartLength),
        ("no tag", with(4, ""), Error::PartLength),
        ("16 KiB", with(3, &"A".repeat(17 * 1024)), Error::TooLong),
    ] {
        assert_eq!(CompactJwe::parse(&text).err(), Some(want), "{rule}");
    }
}

/// JOSE-09: keys that are none for encryption.
#[test]
fn keys_for_encryption() {
    let public = |private: &str| DecryptionKey::from_jwk(private.as_bytes()).unwrap().public_jwk().to_json();
    let (rsa, p256) = (public(RSA), public(P256));
    for good in [&rsa, &p256, X25519] {
        assert!(EncryptionKey::parse(good.as_bytes()).is_ok(), "{good}");
    }
    let with = |jwk: &str, member: &str| {
        let without_use = jwk.replace(r#""use":"enc","#, "");
        without_use.replacen('{', &format!("{{{member},"), 1)
    };
    let x25519 = |first: u8, between: u8, last: u8| {
        let x = [&[first], &[between; 30][..], &[last]].concat();
        format!(r#"{{"kty":"OKP","crv":"X25519","x":"{}"}}"#, base64url::encode(x))
    };
    for (rule, jwk, want) in [
        ("a private key", RSA.to_owned(), Error::PrivateMember),
        ("a symmetric key", r#"{"kty":"oct","k":"AAAA"}"#.to_owned(), Error::PrivateMember),
        ("a key for signatures", with(&rsa, r#""use":"sig""#), Error::NotForEncryption),
        ("another use", with(&rsa, r#""use":"tls""#), Error::NotForEncryption),
        ("key_ops for signatures", with(&p256, r#""key_ops":["verify"]"#), Error::NotForEncryption),
        ("key_ops twice", with(&p256, r#""key_ops":["deriveKey","deriveKey"]"#), Error::KeyOperations),
        ("key_ops against use", with(&rsa, r#""use":"sig","key_ops":["wrapKey"]"#), Error::KeyOperations),
        ("a signature algorithm", with(&rsa, r#""alg":"RS256""#), Error::UnknownAlgorithm),
        ("RSA1_5", with(&rsa, r#""alg":"RSA1_5""#), Error::UnknownAlgorithm),
        ("an algorithm of another type", with(&rsa, r#""alg":"ECDH-ES""#), Error::KeyNotForAlgorithm),
        ("a symmetric algorithm", with(&p256, r#""alg":"dir""#), Error::KeyNotForAlgorithm),
        (
            "Ed25519",
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#.to_owned(),
            Error::UnknownCurve,
        ),
        ("RFC 7748 section 6.1: the point zero", x25519(0, 0, 0), Error::InvalidKey),
        ("the point one", x25519(1, 0, 0), Error::InvalidKey),
        ("the prime of the field, which is zero", x25519(0xed, 0xff, 0x7f), Error::InvalidKey),
        ("one less than the prime", x25519(0xec, 0xff, 0x7f), Error::InvalidKey),
        ("zero with the bit that does not count", x25519(0, 0, 0x80), Error::InvalidKey),
        ("RSA below 2048 bits", r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(), Error::ModulusSize),
        (
            "RSA above 8192 bits",
            format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, base64url::encode([0xff; 2048])),
            Error::ModulusSize,
        ),
    ] {
        assert_eq!(EncryptionKey::parse(jwk.as_bytes()).err(), Some(want), "{rule}");
    }
    for key_ops in [r#"["encrypt"]"#, r#"["wrapKey"]"#, r#"["deriveKey"]"#, r#"["deriveBits","x"]"#] {
        let jwk = with(&p256, &format!(r#""use":"enc","key_ops":{key_ops}"#));
        assert!(EncryptionKey::parse(jwk.as_bytes()).is_ok(), "{key_ops}");
    }

    // A key for encryption verifies nothing, and one for signatures decrypts nothing.
    for for_encryption in [&rsa, &p256] {
        assert_eq!(PublicJwk::parse(for_encryption.as_bytes()).err(), Some(Error::NotForSignatures));
    }
    assert_eq!(PublicJwk::parse(X25519.as_bytes()).err(), Some(Error::UnknownCurve));
    assert_eq!(DecryptionKey::from_jwk(ED25519.as_bytes()).err(), Some(Error::UnknownCurve));
}

#[test]
fn private_keys() {
    let other = DecryptionKey::generate(EncryptionKeyType::P384).unwrap().to_jwk().unwrap();
    let d_of_other = other.split(r#""d":""#).nth(1).unwrap();
    let exchanged = format!("{}\"d\":\"{d_of_other}", P384.split(r#""d":""#).next().unwrap());
    for (rule, jwk, want) in [
        ("no private part", X25519.to_owned(), Error::IncompletePrivateKey),
        ("another private part", exchanged, Error::InvalidKey),
        ("a short private part", X25519.replace('}', r#","d":"AAAA"}"#), Error::InvalidKey),
        (
            "another of X25519",
            X25519.replace('}', &format!(r#","d":"{}"}}"#, base64url::encode([9; 32]))),
            Error::InvalidKey,
        ),
        ("RSA without its primes", RSA.replace("\"p\":", "\"x\":"), Error::IncompletePrivateKey),
        ("RSA with more primes", RSA.replacen('{', r#"{"oth":[],"#, 1), Error::IncompletePrivateKey),
        ("for signatures", P384.replace(r#""use":"enc""#, r#""use":"sig""#), Error::NotForEncryption),
    ] {
        assert_eq!(DecryptionKey::from_jwk(jwk.as_bytes()).err(), Some(want), "{rule}");
    }
}

/// JOSE-09: from a set, the keys for encryption that fit an algorithm, in their order; one without `use`
/// serves for both.
#[test]
fn sets() {
    let without_use = P256.replace(r#""use":"enc","#, "");
    let p256 = DecryptionKey::from_jwk(without_use.as_bytes()).unwrap();
    let both = p256.public_jwk().to_json().replace(r#""use":"enc","#, "");
    let rsa = DecryptionKey::from_jwk(RSA.as_bytes()).unwrap().with_kid("rsa").public_jwk().to_json();
    let set = JwkSet::parse(format!(r#"{{"keys":[{rsa},{both},{X25519}]}}"#).as_bytes()).unwrap();
    let kids = |alg| set.encryption_keys(alg).map(|key| key.kid().unwrap_or("-")).collect::<Vec<_>>();
    assert_eq!(kids(Alg::RsaOaep256), ["rsa"]);
    assert_eq!(kids(Alg::EcdhEsA256Kw), ["meriadoc.brandybuck@buckland.example", "-"]);
    assert!(kids(Alg::Dir).is_empty());
    assert_eq!(set.keys().len(), 1);
    assert_eq!(JwkSet::parse(set.to_json().as_bytes()).unwrap(), set);
    assert_eq!(
        JwkSet::parse(format!(r#"{{"keys":[{rsa},{RSA}]}}"#).as_bytes()).err(),
        Some(Error::PrivateMember)
    );
}
