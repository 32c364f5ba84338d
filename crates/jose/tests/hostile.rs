//! 100,000 generated inputs for each parser, made by damaging valid ones: no panic, and only what the key has
//! signed verifies. The generator has a fixed seed, so that a failure comes again.
#![expect(clippy::indexing_slicing, reason = "tests")]

use chancery_jose::{
    ClaimsWriter, Compact, CompactJwe, ContentEncryptionAlgorithm, DecryptionKey, EncodedHeader,
    EncryptionKey, EncryptionKeyType, HmacKey, JweWriter, JwkSet, JwtClaims, KeyManagementAlgorithm,
    PrivateKey, PublicJwk, Recipient, RootSecret, SharedKey, SigningAlgorithm, Verifier, assemble, json,
};
use chancery_seeded::Seeded;
use zeroize::Zeroizing;

const ROUNDS: usize = 100_000;

const RSA: &str = include_str!("vectors/rfc7520-rsa-private.jwk.json");
const RSA_PUBLIC: &str = include_str!("vectors/rfc7520-rsa-public.jwk.json");
const P256: &str = include_str!("vectors/rfc7515-a3.jwk.json");
const P521_PUBLIC: &str = include_str!("vectors/rfc7520-ec-public.jwk.json");
const ED25519: &str = include_str!("vectors/rfc8037-a1.jwk.json");
const P384_ENC: &str = include_str!("vectors/rfc7520-5-4.jwk.json");
const X25519: &str =
    r#"{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","use":"enc"}"#;

/// Pieces that parsers stumble over.
const PIECES: [&[u8]; 25] = [
    b".",
    b"..",
    b"=",
    b"\"",
    b"\\u0061",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-1",
    b"1e999",
    b"\"alg\":\"none\"",
    b"\"crit\":[\"b64\"]",
    b"\"kty\":\"oct\"",
    b"\"d\":\"AA\"",
    b"\xff",
    b"\xf0\x9f",
    b"\0",
    b"eyJhbGciOiJub25lIn0",
    b"AAAA",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Damages what is good.
struct Generator(Seeded);

impl Generator {
    fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit)
    }

    /// One to four damages.
    fn damage(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let upto = at + self.below((bytes.len() - at).min(40) + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = b"AZaz09-_.\"{}"[self.below(12)],
                2 => drop(bytes.drain(at..upto)),
                3 => bytes.truncate(at),
                4 => {
                    let copy = bytes[at..upto].to_vec();
                    let to = self.below(bytes.len() + 1);
                    drop(bytes.splice(to..to, copy));
                }
                _ => drop(bytes.splice(at..at, PIECES[self.below(PIECES.len())].iter().copied())),
            }
        }
        bytes
    }

    fn text(&mut self) -> String {
        let length = self.below(12);
        (0..length).map(|_| char::from_u32(self.below(0x1_1000) as u32).unwrap_or('\u{fffd}')).collect()
    }
}

/// What was signed, under one key, is all that verifies with that key.
#[test]
fn damaged_tokens() {
    let pairs =
        [(RSA, SigningAlgorithm::Rs256), (P256, SigningAlgorithm::Es256), (ED25519, SigningAlgorithm::EdDsa)]
            .map(|(jwk, algorithm)| (PrivateKey::from_jwk(jwk.as_bytes()).unwrap(), algorithm));
    let secret = HmacKey::new(SigningAlgorithm::Hs256, &[3; 32]).unwrap();
    let payload =
        br#"{"iss":"https://op.example","aud":["a","b"],"exp":1300819380,"nested":{"a":[1,2.5,null]}}"#;

    let mut tokens: Vec<(String, Box<dyn Verifier>)> = Vec::new();
    for (key, algorithm) in &pairs {
        let input = EncodedHeader::new(*algorithm, Some(key.kid()), Some("JWT")).signing_input(payload);
        let signature = key.sign(*algorithm, input.as_bytes()).unwrap();
        tokens.push((assemble(input, &signature), Box::new(key.public_jwk().verifying_key().unwrap())));
    }
    let input = EncodedHeader::new(SigningAlgorithm::Hs256, None, None).signing_input(payload);
    let signature = secret.sign(input.as_bytes());
    tokens.push((assemble(input, &signature), Box::new(secret)));
    for (token, key) in &tokens {
        assert!(Compact::parse(token).unwrap().verify(key.as_ref()).is_ok());
    }

    let mut generator = Generator(Seeded::new(0x9e37_79b9_7f4a_7c15));
    let (mut parsed, mut verified) = (0, 0);
    for _ in 0..ROUNDS {
        let (token, key) = &tokens[generator.below(tokens.len())];
        let damaged = generator.damage(token.as_bytes());
        let Ok(text) = str::from_utf8(&damaged) else { continue };
        let Ok(compact) = Compact::parse(text) else { continue };
        parsed += 1;
        // Read by callers that look for the issuer first.
        let _ = JwtClaims::parse(compact.unverified_payload());
        if compact.verify(key.as_ref()).is_ok() {
            verified += 1;
            assert_eq!(text, token, "verified and never signed");
        }
    }
    // Two damages can undo each other, which must stay rare; and many inputs must get past the parser, or the
    // loop would show nothing about signatures.
    assert!(parsed > ROUNDS / 20 && verified < ROUNDS / 20, "{parsed} parsed, {verified} verified");
}

/// What was encrypted for a key is all that decrypts with it.
#[test]
fn damaged_encrypted_tokens() {
    use {ContentEncryptionAlgorithm as Enc, KeyManagementAlgorithm as Alg};
    // The key that stands in for one that does not open must not be the one that was drawn for writing.
    let drawn = |buffer: &mut [u8]| buffer.fill(0x5a);
    let zero = |buffer: &mut [u8]| buffer.fill(0);
    let p256 = DecryptionKey::generate(EncryptionKeyType::P256).unwrap();
    let x25519 = DecryptionKey::generate(EncryptionKeyType::X25519).unwrap();
    let shared = |alg, enc| (alg, enc, SharedKey::from_client_secret(alg, enc, b"secret").unwrap());
    let of_secret = [
        shared(Alg::A128GcmKw, Enc::A128Gcm),
        shared(Alg::A192Kw, Enc::A192CbcHs384),
        shared(Alg::Dir, Enc::A256Gcm),
    ];

    let write = |alg, enc, recipient| JweWriter::new(alg, enc).encrypt(recipient, b"{}", &drawn).unwrap();
    let mut tokens: Vec<(String, Result<&DecryptionKey, &SharedKey>)> = Vec::new();
    for (alg, enc, key) in [
        (Alg::EcdhEs, Enc::A128CbcHs256, &p256),
        (Alg::EcdhEsA192Kw, Enc::A256Gcm, &p256),
        (Alg::EcdhEsA256Kw, Enc::A256CbcHs512, &x25519),
    ] {
        tokens.push((write(alg, enc, Recipient::Public(key.public_jwk())), Ok(key)));
    }
    for (alg, enc, key) in &of_secret {
        tokens.push((write(*alg, *enc, Recipient::Shared(key)), Err(key)));
    }

    let mut generator = Generator(Seeded::new(0x1357_9bdf_0246_8ace));
    let (mut parsed, mut decrypted) = (0, 0);
    for _ in 0..ROUNDS {
        let (token, key) = &tokens[generator.below(tokens.len())];
        let damaged = generator.damage(token.as_bytes());
        let Ok(text) = str::from_utf8(&damaged) else { continue };
        let Ok(jwe) = CompactJwe::parse(text) else { continue };
        parsed += 1;
        let outcome = match key {
            Ok(key) => jwe.decrypt(key, &zero),
            Err(key) => jwe.decrypt_with_shared(key, &zero),
        };
        if outcome.is_ok() {
            decrypted += 1;
            assert_eq!(text, token, "decrypted and never encrypted");
        }
    }
    // Fewer than of signed tokens, because the length of most parts is fixed.
    assert!(parsed > ROUNDS / 40 && decrypted < ROUNDS / 20, "{parsed} parsed, {decrypted} decrypted");
}

/// What is read as a public key is one, in a form that is read again as the same.
#[test]
fn damaged_keys() {
    let set = format!(r#"{{"keys":[{RSA_PUBLIC},{P521_PUBLIC}]}}"#);
    let public_ed25519 = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let seeds = [RSA_PUBLIC, P521_PUBLIC, public_ed25519, P256, ED25519, RSA, P384_ENC, X25519, set.as_str()];
    let mut generator = Generator(Seeded::new(0x2545_f491_4f6c_dd1d));
    let mut read = 0;
    for _ in 0..ROUNDS {
        let seed = seeds[generator.below(seeds.len())];
        let damaged = generator.damage(seed.as_bytes());
        if let Ok(key) = PublicJwk::parse(&damaged) {
            read += 1;
            assert_eq!(PublicJwk::parse(key.to_json().as_bytes()), Ok(key.clone()));
            assert!(key.verifying_key().is_ok());
        }
        if let Ok(key) = EncryptionKey::parse(&damaged) {
            read += 1;
            assert_eq!(EncryptionKey::parse(key.to_json().as_bytes()), Ok(key));
        }
        if let Ok(key) = DecryptionKey::from_jwk(&damaged) {
            read += 1;
            let again = DecryptionKey::from_jwk(key.to_jwk().unwrap().as_bytes()).unwrap();
            assert_eq!(again.public_jwk(), key.public_jwk());
        }
        if let Ok(set) = JwkSet::parse(&damaged) {
            assert_eq!(JwkSet::parse(set.to_json().as_bytes()), Ok(set));
        }
        if let Ok(key) = PrivateKey::from_jwk(&damaged) {
            read += 1;
            let again = PrivateKey::from_jwk(key.to_jwk().unwrap().as_bytes()).unwrap();
            assert_eq!(again.public_jwk(), key.public_jwk());
        }
    }
    assert!(read > ROUNDS / 100, "{read} read");
}

/// The check of duplicates and the reader of objects agree on each input that is an object.
#[test]
fn damaged_claims() {
    let seed = br#"{"iss":"https://op.example","aud":["a","b"],"exp":1300819380,"x":{"a":[1,{"b":null,"c":-2.5e3}]}}"#;
    let mut generator = Generator(Seeded::new(0x0123_4567_89ab_cdef));
    let mut read = 0;
    for _ in 0..ROUNDS {
        let damaged = generator.damage(seed);
        let is_object = damaged.trim_ascii_start().first() == Some(&b'{');
        let object = json::Object::parse(&damaged);
        if is_object {
            assert_eq!(object.is_ok(), json::check(&damaged).is_ok(), "{}", damaged.escape_ascii());
        }
        if let Ok(claims) = JwtClaims::parse(&damaged) {
            read += 1;
            assert!(object.is_ok());
            let mut writer = ClaimsWriter::new();
            writer.string_if("iss", claims.iss.as_deref());
            for (name, value) in claims.others() {
                writer.raw(name, value);
            }
            let again = JwtClaims::parse(writer.finish().as_bytes()).unwrap();
            assert_eq!(again.iss, claims.iss);
            assert_eq!(again.others().count(), claims.others().count());
        }
    }
    assert!(read > ROUNDS / 100, "{read} read");
}

/// Any text and any bytes come back as they were: claims through the writer, keys through a private JWK, a
/// payload through signing and verifying, a secret through sealing.
#[test]
fn round_trips() {
    let mut generator = Generator(Seeded::new(0xdead_beef_cafe_f00d));
    let sealing = RootSecret::new(Zeroizing::new([9; 32])).sealing_key("test").unwrap();
    for round in 0..300 {
        let algorithm = [
            SigningAlgorithm::Es256,
            SigningAlgorithm::Es384,
            SigningAlgorithm::Es512,
            SigningAlgorithm::Ed25519,
        ][round % 4];
        let kid = generator.text();
        let key = PrivateKey::generate(algorithm).unwrap().with_kid(&kid);
        let jwk = key.to_jwk().unwrap();
        let key = PrivateKey::from_jwk(jwk.as_bytes()).unwrap();
        assert_eq!((key.kid(), key.alg()), (kid.as_str(), Some(algorithm)));
        assert_eq!(key.to_jwk().unwrap(), jwk);

        let (name, value) = (format!("x{}", generator.text()), generator.text());
        let mut claims = ClaimsWriter::new();
        claims.string("sub", &value).string(&name, &value);
        let input = EncodedHeader::new(algorithm, Some(&kid), None).signing_input(claims.finish().as_bytes());
        let signature = key.sign(algorithm, input.as_bytes()).unwrap();
        let token = assemble(input, &signature);
        let verified =
            Compact::parse(&token).unwrap().verify(&key.public_jwk().verifying_key().unwrap()).unwrap();
        assert_eq!(verified.header().kid, Some(kid));
        let claims = verified.claims().unwrap();
        assert_eq!(
            (claims.sub.as_deref(), claims.string(&name).unwrap()),
            (Some(value.as_str()), Some(value.clone()))
        );

        let sealed = sealing.seal([round as u8; 12], name.as_bytes(), jwk.as_bytes()).unwrap();
        assert_eq!(sealing.open(name.as_bytes(), &sealed).unwrap().as_slice(), jwk.as_bytes());
    }
    let rsa = PrivateKey::generate(SigningAlgorithm::Ps256).unwrap();
    let jwk = rsa.to_jwk().unwrap();
    assert_eq!(PrivateKey::from_jwk(jwk.as_bytes()).unwrap().to_jwk().unwrap(), jwk);
}
