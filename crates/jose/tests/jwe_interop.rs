//! Both directions against the npm package `jose`, an independent implementation: for every pair of
//! algorithms and every type of key it decrypts what we encrypt and we decrypt what it encrypts, with keys
//! that the other side made. The script is `e2e/jose/jwe.mjs`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use chancery_jose::{
    CompactJwe, ContentEncryptionAlgorithm, DecryptionKey, EncryptionKeyType, JweWriter,
    KeyManagementAlgorithm, Recipient, SharedKey, SystemRandom, base64url,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Question {
    ours: Vec<Ours>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ours {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryptionAlgorithm,
    private_jwk: Option<Box<RawValue>>,
    public_jwk: Option<Box<RawValue>>,
    secret: Option<String>,
    jwe: String,
}

#[derive(Deserialize)]
struct Answer {
    ours: Vec<Checked>,
    theirs: Vec<Theirs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    plaintext: String,
    header: TheirHeader,
    their_jwe: String,
}

#[derive(Deserialize)]
struct TheirHeader {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryptionAlgorithm,
    kid: Option<String>,
    cty: String,
    iss: String,
    aud: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Theirs {
    alg: KeyManagementAlgorithm,
    private_jwk: Box<RawValue>,
    jwe: String,
}

enum Key {
    Private(DecryptionKey),
    Shared(SharedKey, Vec<u8>),
}

const PLAINTEXT: &str = r#"{"sub":"älice"}"#;

fn random(buffer: &mut [u8]) {
    SystemRandom.fill(buffer);
}

impl Key {
    fn recipient(&self) -> Recipient<'_> {
        match self {
            Self::Private(key) => Recipient::Public(key.public_jwk()),
            Self::Shared(key, _) => Recipient::Shared(key),
        }
    }

    fn decrypts(&self, jwe: &str) {
        let jwe = CompactJwe::parse(jwe).unwrap();
        let what = format!("{} {}", jwe.header().alg, jwe.header().enc);
        let decrypted = match self {
            Self::Private(key) => jwe.decrypt(key, &random),
            Self::Shared(key, _) => jwe.decrypt_with_shared(key, &random),
        };
        let decrypted = decrypted.expect(&what);
        assert_eq!(decrypted.plaintext(), PLAINTEXT.as_bytes(), "{what}");
        assert_eq!(decrypted.header().cty.as_deref(), Some("JWT"), "{what}");
    }
}

fn ask(question: &Question) -> Answer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/jose");
    assert!(folder.join("node_modules/jose").is_dir(), "e2e/jose/node_modules is missing: run ./test");
    let mut node = Command::new("node")
        .arg("jwe.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is missing: run ./test");
    node.stdin.take().unwrap().write_all(&serde_json::to_vec(question).unwrap()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "jwe.mjs failed: see its message above");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// How many octets a shared key has for these algorithms.
fn shared_length(alg: KeyManagementAlgorithm, enc: ContentEncryptionAlgorithm) -> usize {
    (1..=64).find(|length| SharedKey::new(alg, enc, &vec![0; *length]).is_ok()).unwrap()
}

/// JOSE-08, 09, 10
#[test]
fn npm_jose_and_we_decrypt_each_other() {
    let types = EncryptionKeyType::ALL.map(|key_type| (key_type, key_type.algorithms()));
    let mut cases: Vec<(KeyManagementAlgorithm, ContentEncryptionAlgorithm, Key)> = Vec::new();
    for (key_type, algorithms) in types {
        let jwk = DecryptionKey::generate(key_type).unwrap().to_jwk().unwrap();
        for alg in algorithms {
            for enc in ContentEncryptionAlgorithm::ALL {
                cases.push((alg, enc, Key::Private(DecryptionKey::from_jwk(jwk.as_bytes()).unwrap())));
            }
        }
    }
    for alg in KeyManagementAlgorithm::ALL.into_iter().filter(|alg| alg.is_symmetric()) {
        for enc in ContentEncryptionAlgorithm::ALL {
            let mut secret = vec![0; shared_length(alg, enc)];
            random(&mut secret);
            cases.push((alg, enc, Key::Shared(SharedKey::new(alg, enc, &secret).unwrap(), secret)));
        }
    }
    assert_eq!(cases.len(), (4 + 4 * 4 + 7) * 6);

    let ours = cases.iter().map(|(alg, enc, key)| {
        let writer = JweWriter {
            cty: Some("JWT"),
            iss: Some("https://op.example"),
            aud: Some("client"),
            ..JweWriter::new(*alg, *enc)
        };
        let jwe = writer.encrypt(key.recipient(), PLAINTEXT.as_bytes(), &random).unwrap();
        let (private_jwk, public_jwk, secret) = match key {
            Key::Private(key) => {
                (Some(raw(&key.to_jwk().unwrap())), Some(raw(&key.public_jwk().to_json())), None)
            }
            Key::Shared(_, secret) => (None, None, Some(base64url::encode(secret))),
        };
        Ours { alg: *alg, enc: *enc, private_jwk, public_jwk, secret, jwe }
    });
    let answer = ask(&Question { ours: ours.collect() });

    assert_eq!(answer.ours.len(), cases.len());
    for ((alg, enc, key), checked) in cases.iter().zip(&answer.ours) {
        assert_eq!(checked.plaintext, PLAINTEXT, "{alg} {enc}");
        assert_eq!((checked.header.alg, checked.header.enc), (*alg, *enc));
        let kid = match key {
            Key::Private(key) => Some(key.kid()),
            Key::Shared(..) => None,
        };
        assert_eq!(checked.header.kid.as_deref(), kid, "{alg} {enc}");
        assert_eq!(checked.header.cty, "JWT");
        assert_eq!(
            (checked.header.iss.as_str(), checked.header.aud.as_str()),
            ("https://op.example", "client")
        );
        key.decrypts(&checked.their_jwe);
    }

    // Keys that they made, once for each algorithm and type.
    assert_eq!(answer.theirs.len(), 4 + 4 * 4);
    for theirs in &answer.theirs {
        let key = DecryptionKey::from_jwk(theirs.private_jwk.get().as_bytes()).unwrap();
        assert!(key.public_jwk().fits(theirs.alg));
        Key::Private(key).decrypts(&theirs.jwe);
    }
}
