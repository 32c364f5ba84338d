//! The examples of the standards. The files in `vectors/` hold them word for word, without the line breaks
//! that the standards add for display.
#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_jose::{
    Compact, EncodedHeader, Error, HmacKey, JwkSet, PrivateKey, PublicJwk, SigningAlgorithm, assemble,
};
use chancery_jose::{base64url, json::Object};

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("vectors/", $name)).trim_end()
    };
}

const JOE: &[u8] = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

/// A private JWK, a JWS and its payload: the JWS verifies, with the key itself and with its public half read
/// back.
fn verifies(jwk: &str, jws: &str, payload: &[u8]) -> PrivateKey {
    let key = PrivateKey::from_jwk(jwk.as_bytes()).unwrap();
    let read_back = PublicJwk::parse(key.public_jwk().to_json().as_bytes()).unwrap();
    assert_eq!(&read_back, key.public_jwk());
    for public in [key.public_jwk(), &read_back] {
        let verified = Compact::parse(jws).unwrap().verify(&public.verifying_key().unwrap()).unwrap();
        assert_eq!(verified.payload(), payload);
    }
    key
}

fn secret_of(jwk: &str) -> Vec<u8> {
    base64url::decode(&Object::parse(jwk.as_bytes()).unwrap().required("k").unwrap()).unwrap()
}

/// Signs the signing input of `jws` again; for algorithms whose signatures are always the same.
fn resigned(key: &PrivateKey, algorithm: SigningAlgorithm, jws: &str) -> String {
    let signing_input = Compact::parse(jws).unwrap().signing_input().to_owned();
    let signature = key.sign(algorithm, signing_input.as_bytes()).unwrap();
    assemble(signing_input, &signature)
}

/// RFC 7515 appendix A.1, HS256.
#[test]
fn rfc7515_a1() {
    let jws = vector!("rfc7515-a1.jws.txt");
    let key = HmacKey::new(SigningAlgorithm::Hs256, &secret_of(vector!("rfc7515-a1.jwk.json"))).unwrap();
    let parsed = Compact::parse(jws).unwrap();
    assert_eq!(parsed.header().typ.as_deref(), Some("JWT"));
    assert_eq!(parsed.header().alg, SigningAlgorithm::Hs256);
    assert_eq!(
        assemble(parsed.signing_input().to_owned(), &key.sign(parsed.signing_input().as_bytes())),
        jws
    );
    let verified = parsed.verify(&key).unwrap();
    assert_eq!(verified.payload(), JOE);
    assert_eq!(verified.claims().unwrap().iss.as_deref(), Some("joe"));
}

/// RFC 7515 appendix A.2, RS256. The header is `{"alg":"RS256"}`, which is what we write too.
#[test]
fn rfc7515_a2() {
    let jws = vector!("rfc7515-a2.jws.txt");
    let key = verifies(vector!("rfc7515-a2.jwk.json"), jws, JOE);
    assert_eq!(resigned(&key, SigningAlgorithm::Rs256, jws), jws);
    let header = EncodedHeader::new(SigningAlgorithm::Rs256, None, None);
    assert_eq!(header.signing_input(JOE), Compact::parse(jws).unwrap().signing_input());
}

/// RFC 7515 appendix A.3, ES256.
#[test]
fn rfc7515_a3() {
    verifies(vector!("rfc7515-a3.jwk.json"), vector!("rfc7515-a3.jws.txt"), JOE);
}

/// RFC 7515 appendix A.4, ES512.
#[test]
fn rfc7515_a4() {
    verifies(vector!("rfc7515-a4.jwk.json"), vector!("rfc7515-a4.jws.txt"), b"Payload");
}

/// RFC 7515 appendix A.5: an unsecured JWS is refused.
#[test]
fn rfc7515_a5() {
    assert_eq!(Compact::parse(vector!("rfc7515-a5.jws.txt")).err(), Some(Error::UnknownAlgorithm));
}

/// RFC 7515 appendix E: an unknown critical header parameter is refused. JOSE-13
#[test]
fn rfc7515_e() {
    assert_eq!(Compact::parse(vector!("rfc7515-e.jws.txt")).err(), Some(Error::UnknownCritical));
}

/// RFC 7517 appendix A.1 and A.2. The EC key of the set is for encryption and left out.
#[test]
fn rfc7517_a() {
    let set = JwkSet::parse(vector!("rfc7517-a1.jwks.json").as_bytes()).unwrap();
    let kids: Vec<_> = set.keys().iter().map(PublicJwk::kid).collect();
    assert_eq!(kids, [Some("2011-04-29")]);
    assert_eq!(set.keys()[0].alg(), Some(SigningAlgorithm::Rs256));
    assert_eq!(JwkSet::parse(set.to_json().as_bytes()).unwrap(), set);

    let private = vector!("rfc7517-a2.jwks.json");
    assert_eq!(JwkSet::parse(private.as_bytes()).err(), Some(Error::PrivateMember));
    let keys = Object::parse(private.as_bytes()).unwrap();
    let keys: Vec<&serde_json::value::RawValue> =
        serde_json::from_str(keys.raw("keys").unwrap().get()).unwrap();
    assert_eq!(PrivateKey::from_jwk(keys[0].get().as_bytes()).err(), Some(Error::NotForSignatures));
    assert_eq!(PrivateKey::from_jwk(keys[1].get().as_bytes()).unwrap().public_jwk(), &set.keys()[0]);
}

/// RFC 7517 appendix A.3: symmetric keys are no public keys.
#[test]
fn rfc7517_a3() {
    assert_eq!(JwkSet::parse(vector!("rfc7517-a3.jwks.json").as_bytes()).err(), Some(Error::PrivateMember));
}

/// RFC 7638 section 3.1; RFC 8037 appendix A.3. JOSE-02
#[test]
fn thumbprints() {
    let rsa = PublicJwk::parse(vector!("rfc7638-3-1.jwk.json").as_bytes()).unwrap();
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let ed25519 = PrivateKey::from_jwk(vector!("rfc8037-a1.jwk.json").as_bytes()).unwrap();
    assert_eq!(ed25519.public_jwk().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(ed25519.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// RFC 8037 appendices A.1, A.2, A.4 and A.5.
#[test]
fn rfc8037_a() {
    let jws = vector!("rfc8037-a4.jws.txt");
    let key = verifies(vector!("rfc8037-a1.jwk.json"), jws, b"Example of Ed25519 signing");
    assert_eq!(resigned(&key, SigningAlgorithm::EdDsa, jws), jws);
    let public = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let public = PublicJwk::parse(public.as_bytes()).unwrap();
    assert_eq!(public.thumbprint(), key.public_jwk().thumbprint());
    Compact::parse(jws).unwrap().verify(&public.verifying_key().unwrap()).unwrap();
}

/// RFC 7520 sections 3.1 to 3.4: private and public halves belong together; a coordinate that begins with a
/// zero octet keeps it.
#[test]
fn rfc7520_3() {
    for (private, public) in [
        (vector!("rfc7520-ec-private.jwk.json"), vector!("rfc7520-ec-public.jwk.json")),
        (vector!("rfc7520-rsa-private.jwk.json"), vector!("rfc7520-rsa-public.jwk.json")),
    ] {
        let private = PrivateKey::from_jwk(private.as_bytes()).unwrap();
        assert_eq!(private.kid(), "bilbo.baggins@hobbiton.example");
        assert_eq!(private.public_jwk(), &PublicJwk::parse(public.as_bytes()).unwrap());
    }
    let written = PublicJwk::parse(vector!("rfc7520-ec-public.jwk.json").as_bytes()).unwrap().to_json();
    let x = Object::parse(written.as_bytes()).unwrap().required("x").unwrap();
    assert_eq!(x, "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt");
}

/// RFC 7520 sections 4.1 (RS256), 4.2 (PS384) and 4.3 (ES512).
#[test]
fn rfc7520_4_1_to_4_3() {
    let rsa = vector!("rfc7520-rsa-private.jwk.json");
    let payload =
        "It\u{2019}s a dangerous business, Frodo, going out your door. You step onto the road, and if you \
                   don't keep your feet, there\u{2019}s no knowing where you might be swept off to."
            .as_bytes();
    let key = verifies(rsa, vector!("rfc7520-4-1.jws.txt"), payload);
    assert_eq!(
        resigned(&key, SigningAlgorithm::Rs256, vector!("rfc7520-4-1.jws.txt")),
        vector!("rfc7520-4-1.jws.txt")
    );
    verifies(rsa, vector!("rfc7520-4-2.jws.txt"), payload);
    verifies(vector!("rfc7520-ec-private.jwk.json"), vector!("rfc7520-4-3.jws.txt"), payload);
}

/// RFC 7520 sections 4.4 (HS256) and 4.5, whose detached content is not supported: the payload that stands
/// there, none, is not what was signed. JOSE-13
#[test]
fn rfc7520_4_4_and_4_5() {
    let key = HmacKey::new(SigningAlgorithm::Hs256, &secret_of(vector!("rfc7520-oct.jwk.json"))).unwrap();
    let jws = Compact::parse(vector!("rfc7520-4-4.jws.txt")).unwrap();
    assert_eq!(jws.header().kid.as_deref(), Some("018c0ae5-4d9b-471b-bfd6-eef314bc7037"));
    jws.verify(&key).unwrap();
    let detached = Compact::parse(vector!("rfc7520-4-5.jws.txt")).unwrap();
    assert_eq!(detached.verify(&key), Err(Error::Signature));
}
