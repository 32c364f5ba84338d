//! Both directions against the npm package `jose`, an independent implementation: for every algorithm it
//! verifies what we sign and we verify what it signs, with keys that the other side made. The script is
//! `e2e/jose/interop.mjs`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use chancery_jose::{
    ClaimsWriter, Compact, EncodedHeader, Error, HmacKey, JwkSet, PrivateKey, PublicJwk, SigningAlgorithm,
    Verifier, assemble, base64url,
};
use chancery_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Question {
    ours: Vec<Ours>,
    set: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ours {
    alg: SigningAlgorithm,
    private_jwk: Option<Box<RawValue>>,
    public_jwk: Option<Box<RawValue>>,
    secret: Option<String>,
    jws: String,
}

#[derive(Deserialize)]
struct Answer {
    ours: Vec<Checked>,
    theirs: Vec<Theirs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    payload: String,
    header: TheirHeader,
    thumbprint: Option<String>,
    via_set: Option<String>,
    tampered_is_refused: bool,
    their_jws: String,
}

#[derive(Deserialize)]
struct TheirHeader {
    alg: SigningAlgorithm,
    kid: Option<String>,
    typ: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Theirs {
    alg: SigningAlgorithm,
    private_jwk: Option<Box<RawValue>>,
    public_jwk: Option<Box<RawValue>>,
    secret: Option<String>,
    jws: String,
    thumbprint: Option<String>,
}

enum Key {
    Pair(Box<PrivateKey>),
    Secret(Box<HmacKey>),
}

impl Key {
    fn kid(&self) -> Option<&str> {
        match self {
            Self::Pair(pair) => Some(pair.kid()),
            Self::Secret(_) => None,
        }
    }

    fn sign(&self, alg: SigningAlgorithm, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Pair(pair) => pair.sign(alg, input).unwrap(),
            Self::Secret(secret) => secret.sign(input),
        }
    }

    fn verifies(&self, jws: &str) -> Result<chancery_jose::Verified, Error> {
        match self {
            Self::Pair(pair) => Compact::parse(jws)?.verify(&pair.public_jwk().verifying_key()?),
            Self::Secret(secret) => Compact::parse(jws)?.verify(secret.as_ref()),
        }
    }
}

fn ask(question: &Question) -> Answer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/jose");
    assert!(folder.join("node_modules/jose").is_dir(), "e2e/jose/node_modules is missing: run ./test");
    let mut node = Command::new("node")
        .arg("interop.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is missing: run ./test");
    node.stdin.take().unwrap().write_all(&serde_json::to_vec(question).unwrap()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "interop.mjs failed: see its message above");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// What both sides put into their tokens.
fn check_claims(verified: &chancery_jose::Verified, alg: SigningAlgorithm) {
    assert!(verified.header().is_type("application/at+jwt"), "{alg}");
    let claims = verified.claims().unwrap();
    assert_eq!(claims.iss.as_deref(), Some("https://op.example"), "{alg}");
    assert_eq!(claims.sub.as_deref(), Some("älice"), "{alg}");
    assert_eq!(claims.aud, ["a", "b"], "{alg}");
    assert_eq!(claims.exp, Some(Timestamp::from_secs(4_102_444_800)), "{alg}");
    assert_eq!(claims.raw("nested").unwrap().get(), r#"{"a":[1,2.5]}"#, "{alg}");
}

/// JOSE-08
#[test]
fn npm_jose_and_we_understand_each_other() {
    let secret = base64url::encode([0xa5; 64]);
    let keys = SigningAlgorithm::ALL.map(|alg| {
        if alg.is_symmetric() {
            Key::Secret(Box::new(HmacKey::new(alg, &base64url::decode(&secret).unwrap()).unwrap()))
        } else {
            Key::Pair(Box::new(PrivateKey::generate(alg).unwrap()))
        }
    });
    let public = keys.iter().filter_map(|key| match key {
        Key::Pair(pair) => Some(pair.public_jwk().clone()),
        Key::Secret(_) => None,
    });
    let set = raw(&JwkSet::new(public.collect(), Vec::new()).unwrap().to_json());

    let mut claims = ClaimsWriter::new();
    claims
        .string("iss", "https://op.example")
        .string("sub", "älice")
        .strings("aud", ["a", "b"])
        .date("exp", Timestamp::from_secs(4_102_444_800))
        .raw("nested", &raw(r#"{"a":[1,2.5]}"#));
    let claims = claims.finish();
    let ours = SigningAlgorithm::ALL.iter().zip(&keys).map(|(&alg, key)| {
        let input = EncodedHeader::new(alg, key.kid(), Some("at+jwt")).signing_input(claims.as_bytes());
        let signature = key.sign(alg, input.as_bytes());
        let jws = assemble(input, &signature);
        let (private_jwk, public_jwk, secret) = match key {
            Key::Pair(pair) => {
                (Some(raw(&pair.to_jwk().unwrap())), Some(raw(&pair.public_jwk().to_json())), None)
            }
            Key::Secret(_) => (None, None, Some(secret.clone())),
        };
        Ours { alg, private_jwk, public_jwk, secret, jws }
    });
    let question = Question { ours: ours.collect(), set };
    let answer = ask(&question);

    // Ours, verified by them; and what they signed with our private keys.
    assert_eq!(answer.ours.len(), SigningAlgorithm::ALL.len());
    for ((alg, key), checked) in SigningAlgorithm::ALL.into_iter().zip(&keys).zip(&answer.ours) {
        assert_eq!(checked.payload, claims, "{alg}");
        assert_eq!((checked.header.alg, checked.header.kid.as_deref()), (alg, key.kid()), "{alg}");
        assert_eq!(checked.header.typ, "at+jwt", "{alg}");
        assert!(checked.tampered_is_refused, "{alg}");
        if let Key::Pair(pair) = key {
            assert_eq!(checked.thumbprint, Some(pair.public_jwk().thumbprint()), "{alg}");
            assert_eq!(checked.via_set.as_deref(), Some("älice"), "{alg}");
        }
        check_claims(&key.verifies(&checked.their_jws).unwrap(), alg);
    }

    // Theirs, verified by us; and what we sign with their private keys.
    assert_eq!(answer.theirs.len(), SigningAlgorithm::ALL.len());
    for theirs in &answer.theirs {
        let alg = theirs.alg;
        let key = match (&theirs.private_jwk, &theirs.secret) {
            (Some(jwk), _) => Key::Pair(Box::new(PrivateKey::from_jwk(jwk.get().as_bytes()).unwrap())),
            (None, secret) => {
                let secret = base64url::decode(secret.as_ref().unwrap()).unwrap();
                Key::Secret(Box::new(HmacKey::new(alg, &secret).unwrap()))
            }
        };
        check_claims(&key.verifies(&theirs.jws).unwrap(), alg);
        let Key::Pair(pair) = &key else { continue };
        let public = PublicJwk::parse(theirs.public_jwk.as_ref().unwrap().get().as_bytes()).unwrap();
        assert_eq!(Some(public.thumbprint()), theirs.thumbprint, "{alg}");
        assert_eq!(pair.kid(), public.thumbprint(), "{alg}");
        check_claims(
            &Compact::parse(&theirs.jws).unwrap().verify(&public.verifying_key().unwrap()).unwrap(),
            alg,
        );
        let signature = pair.sign(alg, b"input").unwrap();
        public.verifying_key().unwrap().verify(alg, b"input", &signature).unwrap();
    }
}
