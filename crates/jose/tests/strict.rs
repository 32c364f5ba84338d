//! What must not be accepted, one row per MUST NOT.
#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_jose::{
    Compact, EncodedHeader, Error, HmacKey, JwkSet, PrivateKey, PublicJwk, SigningAlgorithm, Verifier,
    assemble, base64url,
};

const RSA: &str = include_str!("vectors/rfc7520-rsa-private.jwk.json");
const RSA_PUBLIC: &str = include_str!("vectors/rfc7520-rsa-public.jwk.json");
const P256: &str = include_str!("vectors/rfc7515-a3.jwk.json");
const P521: &str = include_str!("vectors/rfc7520-ec-private.jwk.json");
const P521_PUBLIC: &str = include_str!("vectors/rfc7520-ec-public.jwk.json");
const ED25519: &str = include_str!("vectors/rfc8037-a1.jwk.json");

fn jws(header: &str, payload: &str) -> String {
    format!("{}.{}.{}", base64url::encode(header), base64url::encode(payload), base64url::encode([7; 64]))
}

fn private(jwk: &str) -> PrivateKey {
    PrivateKey::from_jwk(jwk.as_bytes()).unwrap()
}

fn signed(key: &PrivateKey, algorithm: SigningAlgorithm) -> String {
    let input = EncodedHeader::new(algorithm, None, None).signing_input(b"{}");
    let signature = key.sign(algorithm, input.as_bytes()).unwrap();
    assemble(input, &signature)
}

/// JOSE-13
#[test]
fn tokens() {
    let good = jws(r#"{"alg":"ES256"}"#, "{}");
    assert!(Compact::parse(&good).is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let header = |json: &str| jws(json, "{}");
    let nested = "[".repeat(40) + &"]".repeat(40);
    let padded = |at: usize| {
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[at].push('=');
        parts.join(".")
    };
    for (rule, token, want) in [
        ("RFC 7515 section 7.1: three parts", String::new(), Error::NotCompact),
        ("one part", parts[0].to_owned(), Error::NotCompact),
        ("two parts", parts[..2].join("."), Error::NotCompact),
        ("four parts", format!("{good}.AAAA"), Error::NotCompact),
        ("five parts, as a JWE has", format!("{good}.AAAA.AAAA"), Error::NotCompact),
        ("trailing dot", format!("{good}."), Error::NotCompact),
        ("JSON serialisation", format!(r#"{{"payload":"{}"}}"#, parts[1]), Error::NotCompact),
        ("RFC 7515 section 2: no padding", padded(0), Error::Base64),
        ("no padding", padded(1), Error::Base64),
        ("no padding", padded(2), Error::Base64),
        ("no white space", format!("{good}\n"), Error::Base64),
        ("no white space", format!(" {good}"), Error::Base64),
        ("no white space", good.replacen('.', ". ", 1), Error::Base64),
        ("no NUL", format!("{good}\0"), Error::Base64),
        ("the URL-safe alphabet", format!("{}.ab+/.{}", parts[0], parts[2]), Error::Base64),
        ("letters of ASCII", format!("{}.äbcd.{}", parts[0], parts[2]), Error::Base64),
        ("left-over bits are zero", format!("{}.e31.{}", parts[0], parts[2]), Error::Base64),
        ("left-over bits are zero", format!("{}.{}.AB", parts[0], parts[1]), Error::Base64),
        ("RFC 7515 section 4: the header is an object", header("[]"), Error::Json),
        ("a header", format!(".{}.{}", parts[1], parts[2]), Error::Json),
        ("one object", header(r#"{"alg":"ES256"}{}"#), Error::Json),
        (
            "UTF-8",
            format!("{}.e30.AAAA", base64url::encode(b"{\"alg\":\"ES256\",\"kid\":\"\xff\"}")),
            Error::Json,
        ),
        ("names are unique", header(r#"{"alg":"ES256","alg":"ES256"}"#), Error::DuplicateMember),
        ("names are unique", header(r#"{"alg":"ES256","x":1,"x":2}"#), Error::DuplicateMember),
        (
            "names are unique, escaped",
            header(r#"{"alg":"HS256","\u0061lg":"ES256"}"#),
            Error::DuplicateMember,
        ),
        ("names are unique inside", header(r#"{"alg":"ES256","jwk":{"d":1,"d":2}}"#), Error::DuplicateMember),
        ("nesting has a limit", header(&format!(r#"{{"alg":"ES256","x":{}}}"#, nested)), Error::TooDeep),
        ("section 4.1.1: alg is there", header("{}"), Error::MissingMember),
        ("alg is a string", header(r#"{"alg":256}"#), Error::MemberType),
        ("alg is a string", header(r#"{"alg":null}"#), Error::MemberType),
        ("alg is known", header(r#"{"alg":"XS256"}"#), Error::UnknownAlgorithm),
        ("alg is no JWE algorithm", header(r#"{"alg":"RSA-OAEP-256"}"#), Error::UnknownAlgorithm),
        ("alg keeps its case", header(r#"{"alg":"es256"}"#), Error::UnknownAlgorithm),
        ("RFC 8725 section 3.2: not none", header(r#"{"alg":"none"}"#), Error::UnknownAlgorithm),
        ("not none in any case", header(r#"{"alg":"NoNe"}"#), Error::UnknownAlgorithm),
        ("kid is a string", header(r#"{"alg":"ES256","kid":1}"#), Error::MemberType),
        ("typ is a string", header(r#"{"alg":"ES256","typ":["JWT"]}"#), Error::MemberType),
        ("cty is a string", header(r#"{"alg":"ES256","cty":{}}"#), Error::MemberType),
        (
            "section 4.1.11: crit is understood",
            header(r#"{"alg":"ES256","crit":["x"],"x":1}"#),
            Error::UnknownCritical,
        ),
        ("crit is not empty", header(r#"{"alg":"ES256","crit":[]}"#), Error::UnknownCritical),
        (
            "crit names no registered member",
            header(r#"{"alg":"ES256","crit":["alg"]}"#),
            Error::UnknownCritical,
        ),
        ("RFC 7797", header(r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#), Error::UnknownCritical),
        ("RFC 7797", header(r#"{"alg":"ES256","b64":false}"#), Error::UnencodedPayload),
        ("RFC 7797", header(r#"{"alg":"ES256","b64":true}"#), Error::UnencodedPayload),
        ("the limit of 16 KiB", jws(r#"{"alg":"ES256"}"#, &"x".repeat(12_300)), Error::TooLong),
    ] {
        assert_eq!(Compact::parse(&token).err(), Some(want), "{rule}: {token:.80}");
    }
    assert!(Compact::parse(&jws(r#"{"alg":"ES256"}"#, &"x".repeat(12_200))).is_ok(), "just below the limit");
}

/// RFC 8725 sections 2.1, 3.1 and 3.2.
#[test]
fn keys_and_algorithms_that_do_not_belong_together() {
    use SigningAlgorithm::{Ed25519, EdDsa, Es256, Es384, Es512, Hs256, Hs384, Hs512, Ps256, Rs256, Rs384};
    let p384 = PrivateKey::generate(Es384).unwrap();
    let rsa = private(RSA);
    let rs256 = private(&RSA.replacen('{', r#"{"alg":"RS256","#, 1));

    for (key, algorithm) in [
        (&p384, Es256),
        (&p384, Es512),
        (&p384, Rs256),
        (&p384, EdDsa),
        (&rsa, Es256),
        (&rsa, Hs256),
        (&rs256, Ps256),
    ] {
        assert_eq!(key.sign(algorithm, b"x"), Err(Error::KeyNotForAlgorithm), "{algorithm}");
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let verifying = key.public_jwk().verifying_key().unwrap();
        let verified = Compact::parse(&jws(&header, "{}")).unwrap().verify(&verifying);
        assert_eq!(verified.err(), Some(Error::KeyNotForAlgorithm), "{algorithm}");
    }
    // A key without `alg` serves each algorithm of its type; one with `alg` that one only.
    for (key, algorithm, want) in [
        (&rsa, Rs256, Ok(())),
        (&rsa, Rs384, Ok(())),
        (&rsa, Ps256, Ok(())),
        (&rs256, Rs256, Ok(())),
        (&rs256, Rs384, Err(Error::KeyNotForAlgorithm)),
    ] {
        let token = signed(&rsa, algorithm);
        let verifying = key.public_jwk().verifying_key().unwrap();
        assert_eq!(Compact::parse(&token).unwrap().verify(&verifying).map(|_| ()), want, "{algorithm}");
    }
    // The two names of Ed25519 (RFC 9864 section 2.2).
    let ed25519 = private(&ED25519.replacen('{', r#"{"alg":"Ed25519","#, 1));
    let verifying = ed25519.public_jwk().verifying_key().unwrap();
    assert!(Compact::parse(&signed(&ed25519, EdDsa)).unwrap().verify(&verifying).is_ok());

    // A public key as shared secret: JSON and numbers are known to everyone, but a verifying key does no
    // HMAC.
    let public = rsa.public_jwk();
    let forger = HmacKey::new(Hs256, public.to_json().as_bytes()).unwrap();
    let input = EncodedHeader::new(Hs256, None, None).signing_input(b"{}");
    let forged = assemble(input.clone(), &forger.sign(input.as_bytes()));
    let verified = Compact::parse(&forged).unwrap().verify(&public.verifying_key().unwrap());
    assert_eq!(verified.err(), Some(Error::KeyNotForAlgorithm));
    // And the reverse: a shared secret verifies no other algorithm.
    let secret = HmacKey::new(Hs256, &[1; 64]).unwrap();
    for algorithm in [Rs256, Es256, Ed25519, Hs384, Hs512] {
        assert_eq!(
            secret.verify(algorithm, b"x", &secret.sign(b"x")),
            Err(Error::KeyNotForAlgorithm),
            "{algorithm}"
        );
    }
    // RFC 7518 section 3.2: a secret is at least as long as the hash.
    for (algorithm, length) in [(Hs256, 32), (Hs384, 48), (Hs512, 64)] {
        assert_eq!(
            HmacKey::new(algorithm, &vec![1; length - 1]).err(),
            Some(Error::SecretTooShort),
            "{algorithm}"
        );
        assert!(HmacKey::new(algorithm, &vec![1; length]).is_ok(), "{algorithm}");
    }
    assert_eq!(HmacKey::new(Rs256, &[1; 64]).err(), Some(Error::KeyNotForAlgorithm));
    assert_eq!(PrivateKey::generate(Hs256).err(), Some(Error::KeyNotForAlgorithm));
}

/// Signatures of the right key in a wrong form.
#[test]
fn signatures_have_one_form() {
    for (key, algorithm) in [
        (private(RSA), SigningAlgorithm::Rs256),
        (private(RSA), SigningAlgorithm::Ps256),
        (private(P256), SigningAlgorithm::Es256),
        (private(P521), SigningAlgorithm::Es512),
        (private(ED25519), SigningAlgorithm::EdDsa),
    ] {
        let verifying = key.public_jwk().verifying_key().unwrap();
        let good = key.sign(algorithm, b"input").unwrap();
        assert_eq!(verifying.verify(algorithm, b"input", &good), Ok(()), "{algorithm}");
        let flipped = [&[good[0] ^ 1], &good[1..]].concat();
        let zero = vec![0; good.len()];
        let longer = [&good[..], &[0]].concat();
        let led = [&[0], &good[..]].concat();
        for wrong in
            [&flipped, &zero, &longer, &led, &good[1..].to_vec(), &good[..good.len() - 1].to_vec(), &vec![]]
        {
            assert_eq!(verifying.verify(algorithm, b"input", wrong), Err(Error::Signature), "{algorithm}");
        }
        assert_eq!(verifying.verify(algorithm, b"inpuT", &good), Err(Error::Signature), "{algorithm}");
    }
    // ECDSA signatures in DER, as X.509 has them, are not those of JWA (RFC 7518 section 3.4).
    let der = [&[0x30, 68, 2, 32], &[0x11; 32][..], &[2, 32], &[0x22; 32]].concat();
    let verifying = private(P256).public_jwk().verifying_key().unwrap();
    assert_eq!(verifying.verify(SigningAlgorithm::Es256, b"input", &der), Err(Error::Signature));
}

/// JOSE-02, JOSE-03
#[test]
fn public_keys() {
    let p521 = P521_PUBLIC.trim();
    let with = |members: &str| p521.replacen('{', &format!("{{{members},"), 1);
    let without_use = p521.replace(r#""use": "sig","#, "");
    let with_only = |members: &str| without_use.replacen('{', &format!("{{{members},"), 1);
    let rsa = |n: &[u8], e: &[u8]| {
        format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, base64url::encode(n), base64url::encode(e))
    };
    let n2048 = [&[0xc0], &[0x55; 254][..], &[1]].concat();
    let ec = |crv: &str, x: &[u8], y: &[u8]| {
        format!(
            r#"{{"kty":"EC","crv":"{crv}","x":"{}","y":"{}"}}"#,
            base64url::encode(x),
            base64url::encode(y)
        )
    };
    for (rule, jwk, want) in [
        ("RFC 7517 section 4: an object", "[]".to_owned(), Error::Json),
        ("one object", format!("{p521} {p521}"), Error::Json),
        ("an object", p521.replace('}', ""), Error::Json),
        ("names are unique", with(r#""kid":"a""#), Error::DuplicateMember),
        ("names are unique inside", with(r#""x":{"a":1,"a":1}"#), Error::DuplicateMember),
        ("kty is there", r#"{"crv":"P-256"}"#.to_owned(), Error::MissingMember),
        ("kty is a string", r#"{"kty":1}"#.to_owned(), Error::MemberType),
        ("kty is known", r#"{"kty":"AKP","alg":"ML-DSA-44","pub":""}"#.to_owned(), Error::UnknownKeyType),
        ("kty keeps its case", p521.replace("\"EC\"", "\"ec\""), Error::UnknownKeyType),
        ("symmetric keys are no public keys", r#"{"kty":"oct","k":"AA"}"#.to_owned(), Error::PrivateMember),
        ("nor without k", r#"{"kty":"oct"}"#.to_owned(), Error::PrivateMember),
        ("private EC keys are not public", P256.to_owned(), Error::PrivateMember),
        ("private RSA keys are not public", RSA.to_owned(), Error::PrivateMember),
        ("private OKP keys are not public", ED25519.to_owned(), Error::PrivateMember),
        ("even with null", with(r#""d":null"#), Error::PrivateMember),
        ("section 4.2: use", with_only(r#""use":"enc""#), Error::NotForSignatures),
        ("use is a string", with_only(r#""use":["sig"]"#), Error::MemberType),
        ("section 4.3: key_ops", with_only(r#""key_ops":["deriveKey"]"#), Error::NotForSignatures),
        ("key_ops of a private key", with_only(r#""key_ops":["sign"]"#), Error::NotForSignatures),
        ("key_ops is not empty", with_only(r#""key_ops":[]"#), Error::NotForSignatures),
        ("key_ops has nothing twice", with_only(r#""key_ops":["verify","verify"]"#), Error::KeyOperations),
        ("key_ops agrees with use", with(r#""key_ops":["encrypt"]"#), Error::KeyOperations),
        ("key_ops agrees with use", with_only(r#""use":"enc","key_ops":["verify"]"#), Error::KeyOperations),
        ("key_ops is an array", with_only(r#""key_ops":"verify""#), Error::MemberType),
        ("section 4.4: alg fits kty", with(r#""alg":"RS256""#), Error::KeyNotForAlgorithm),
        ("alg fits crv", with(r#""alg":"ES256""#), Error::KeyNotForAlgorithm),
        ("alg is no HMAC", with(r#""alg":"HS512""#), Error::KeyNotForAlgorithm),
        ("alg is known", with(r#""alg":"ECDH-ES""#), Error::UnknownAlgorithm),
        ("alg is not none", with(r#""alg":"none""#), Error::UnknownAlgorithm),
        (
            "kid is a string",
            without_use.replace(r#""bilbo.baggins@hobbiton.example""#, "1"),
            Error::MemberType,
        ),
        ("RFC 7518 section 6.2.1.1: crv is known", ec("secp256k1", &[1; 32], &[1; 32]), Error::UnknownCurve),
        ("crv is there", p521.replace("crv", "curve"), Error::MissingMember),
        ("crv fits the coordinates", p521.replace("P-521", "P-256"), Error::CoordinateLength),
        ("section 6.2.1.2: full length", ec("P-256", &[1; 31], &[1; 32]), Error::CoordinateLength),
        ("full length", ec("P-256", &[1; 32], &[1; 33]), Error::CoordinateLength),
        ("section 6.2.1.3: y is there", p521.replace("\"y\"", "\"Y\""), Error::MissingMember),
        ("a point on the curve", ec("P-256", &[1; 32], &[1; 32]), Error::InvalidKey),
        ("not the origin", ec("P-384", &[0; 48], &[0; 48]), Error::InvalidKey),
        ("coordinates below the field", ec("P-256", &[255; 32], &[255; 32]), Error::InvalidKey),
        ("coordinates in base64url", p521.replace("\"AH", "\"=H"), Error::Base64),
        (
            "coordinates are strings",
            r#"{"kty":"EC","crv":"P-256","x":1,"y":"AA"}"#.to_owned(),
            Error::MemberType,
        ),
        (
            "RFC 7518 section 3.3: 2048 bits",
            rsa(&[&[0xc0], &[0x55; 127][..]].concat(), &[1, 0, 1]),
            Error::ModulusSize,
        ),
        ("2047 bits", rsa(&[&[0x7f], &[0x55; 255][..]].concat(), &[1, 0, 1]), Error::ModulusSize),
        ("no more than 8192 bits", rsa(&[&[1], &[0x55; 1024][..]].concat(), &[1, 0, 1]), Error::ModulusSize),
        (
            "section 6.3.1.1: no leading zero",
            rsa(&[&[0], &n2048[..]].concat(), &[1, 0, 1]),
            Error::LeadingZero,
        ),
        ("no leading zero", rsa(&n2048, &[0, 1, 0, 1]), Error::LeadingZero),
        ("an odd exponent", rsa(&n2048, &[1, 0, 2]), Error::Exponent),
        ("an exponent above 1", rsa(&n2048, &[1]), Error::Exponent),
        ("a short exponent", rsa(&n2048, &[1, 0, 0, 0, 1]), Error::Exponent),
        ("an odd modulus", rsa(&[&n2048[..255], &[2]].concat(), &[1, 0, 1]), Error::InvalidKey),
        ("numbers", rsa(&[], &[]), Error::InvalidKey),
        (
            "RFC 8037: a curve that signs",
            r#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#.to_owned(),
            Error::UnknownCurve,
        ),
        ("32 octets", r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#.to_owned(), Error::CoordinateLength),
        ("the limit of 16 KiB", with(&format!(r#""x5c":["{}"]"#, "A".repeat(16 * 1024))), Error::TooLong),
    ] {
        assert_eq!(PublicJwk::parse(jwk.as_bytes()).err(), Some(want), "{rule}: {jwk:.100}");
    }

    // What is not understood is ignored; `alg` and `use` are filled in when only one is possible.
    let key = PublicJwk::parse(with(r#""x5t":"AA","ext":true"#).as_bytes()).unwrap();
    assert_eq!(key.alg(), Some(SigningAlgorithm::Es512));
    assert!(PublicJwk::parse(with_only(r#""key_ops":["sign","verify"]"#).as_bytes()).is_ok());
    let bare = PublicJwk::parse(without_use.as_bytes()).unwrap().to_json();
    assert!(bare.starts_with(r#"{"kty":"EC","use":"sig","alg":"ES512","kid":"bilbo"#), "{bare}");
    assert_eq!(PublicJwk::parse(RSA_PUBLIC.as_bytes()).unwrap().alg(), None);
}

/// JOSE-02
#[test]
fn private_keys() {
    let p256 = P256.trim();
    let one_is = |jwk: &str, name: &str, value: &str| {
        let at = jwk.find(&format!("\"{name}\": \"")).unwrap() + name.len() + 5;
        let end = at + jwk[at..].find('"').unwrap();
        format!("{}{value}{}", &jwk[..at], &jwk[end..])
    };
    let renamed = |jwk: &str, name: &str| jwk.replace(&format!("\"{name}\""), "\"unknown\"");
    // The order of P-256.
    let n256 = [
        255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 188, 230, 250, 173, 167, 23,
        158, 132, 243, 185, 202, 194, 252, 99, 37, 81,
    ];
    for (rule, jwk, want) in [
        ("a public key signs nothing", P521_PUBLIC.to_owned(), Error::IncompletePrivateKey),
        ("a symmetric key is none", r#"{"kty":"oct","k":"AAAA"}"#.to_owned(), Error::UnknownKeyType),
        ("members are not empty", one_is(p256, "d", ""), Error::CoordinateLength),
        (
            "RFC 7518 section 6.2.2.1: full length",
            one_is(p256, "d", &base64url::encode([1; 31])),
            Error::CoordinateLength,
        ),
        ("d fits x and y", one_is(p256, "d", &base64url::encode([1; 32])), Error::InvalidKey),
        ("d is not 0", one_is(p256, "d", &base64url::encode([0; 32])), Error::InvalidKey),
        ("d is below the order", one_is(p256, "d", &base64url::encode(n256)), Error::InvalidKey),
        ("d fits x (RFC 8037)", one_is(ED25519, "d", &base64url::encode([1; 32])), Error::InvalidKey),
        ("d has 32 octets", one_is(ED25519, "d", &base64url::encode([1; 33])), Error::CoordinateLength),
        ("section 6.3.2: all of p, q, dp, dq, qi", renamed(RSA, "p"), Error::IncompletePrivateKey),
        ("all of them", renamed(RSA, "dq"), Error::IncompletePrivateKey),
        ("all of them", renamed(RSA, "qi"), Error::IncompletePrivateKey),
        ("d", renamed(RSA, "d"), Error::IncompletePrivateKey),
        ("section 6.3.2.7: two primes", RSA.replacen('{', r#"{"oth":[],"#, 1), Error::IncompletePrivateKey),
        ("p and q make n", one_is(RSA, "p", &base64url::encode([3; 128])), Error::InvalidKey),
        ("d belongs to e", one_is(RSA, "d", &base64url::encode([3; 256])), Error::InvalidKey),
        ("use", RSA.replace("\"sig\"", "\"enc\""), Error::NotForSignatures),
        ("key_ops", p256.replacen('{', r#"{"key_ops":["verify"],"#, 1), Error::NotForSignatures),
        ("alg fits", p256.replacen('{', r#"{"alg":"ES384","#, 1), Error::KeyNotForAlgorithm),
        ("names are unique", p256.replacen('{', r#"{"d":"AA","#, 1), Error::DuplicateMember),
        (
            "the limit",
            p256.replacen('{', &format!(r#"{{"a":"{}","#, "x".repeat(16 * 1024)), 1),
            Error::TooLong,
        ),
    ] {
        assert_eq!(PrivateKey::from_jwk(jwk.as_bytes()).err(), Some(want), "{rule}");
    }
}

/// JOSE-02, JOSE-04
#[test]
fn sets() {
    let rsa = private(RSA);
    let p256 = private(P256);
    let set = JwkSet::new(vec![rsa.public_jwk().clone(), p256.public_jwk().clone()], Vec::new()).unwrap();
    let json = set.to_json();
    assert_eq!(JwkSet::parse(json.as_bytes()).unwrap(), set);
    for private_member in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""] {
        assert!(!json.contains(private_member), "{private_member}");
    }
    let twice = vec![rsa.public_jwk().clone(), p256.with_kid(rsa.kid()).public_jwk().clone()];
    assert_eq!(JwkSet::new(twice, Vec::new()).err(), Some(Error::DuplicateKeyId));

    let public = rsa.public_jwk().to_json();
    for (text, want) in [
        ("{}".to_owned(), Error::MissingMember),
        (r#"{"keys":{}}"#.to_owned(), Error::MemberType),
        (r#"{"keys":[],"keys":[]}"#.to_owned(), Error::DuplicateMember),
        (format!(r#"{{"keys":[{}]}}"#, public.replacen('{', r#"{"kty":"EC","#, 1)), Error::DuplicateMember),
        (format!(r#"{{"keys":[{public},{RSA}]}}"#), Error::PrivateMember),
        (r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.to_owned(), Error::PrivateMember),
        (format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(64 * 1024)), Error::TooLong),
        (public.clone(), Error::MissingMember),
    ] {
        assert_eq!(JwkSet::parse(text.as_bytes()).err(), Some(want), "{text:.80}");
    }
    // RFC 7517 section 5: what cannot be used is left out.
    let mixed = format!(
        r#"{{"x":1,"keys":[{{"kty":"new"}},{{"kty":"RSA"}},1,{public},{{"kty":"EC","crv":"P-999"}}]}}"#
    );
    let mixed = JwkSet::parse(mixed.as_bytes()).unwrap();
    assert_eq!(mixed.keys(), [rsa.public_jwk().clone()]);

    let candidates = |kid, algorithm| set.candidates(kid, algorithm).count();
    assert_eq!(candidates(None, SigningAlgorithm::Ps256), 1);
    assert_eq!(candidates(Some(rsa.kid()), SigningAlgorithm::Rs256), 1);
    assert_eq!(candidates(Some(rsa.kid()), SigningAlgorithm::Es256), 0);
    assert_eq!(candidates(Some("another"), SigningAlgorithm::Rs256), 0);
    assert_eq!(candidates(None, SigningAlgorithm::Es384), 0);
    assert_eq!(candidates(None, SigningAlgorithm::Hs256), 0);
}

/// JOSE-13: limits are exact: the longest document and the largest key are taken, one more is not.
#[test]
fn limits_are_exact() {
    let padded = |json: &str, length: usize| {
        let json = json.trim_end().trim_end_matches('}').to_owned() + ",\"x\":\"";
        let blanks = length - json.len() - 2;
        format!("{json}{}\"}}", "x".repeat(blanks))
    };
    const LONGEST_KEY: usize = 16 * 1024;
    let set = format!(r#"{{"keys":[{RSA_PUBLIC}]}}"#);
    let longest = [LONGEST_KEY, LONGEST_KEY, 64 * 1024];
    for (more, is_taken) in [(0, true), (1, false)] {
        let [public, private, keys] = longest.map(|length| length + more);
        let outcomes = [
            PublicJwk::parse(padded(RSA_PUBLIC, public).as_bytes()).err(),
            PrivateKey::from_jwk(padded(RSA, private).as_bytes()).err(),
            JwkSet::parse(padded(&set, keys).as_bytes()).err(),
        ];
        let expected = if is_taken { [None, None, None] } else { [const { Some(Error::TooLong) }; 3] };
        assert_eq!(outcomes, expected, "{more} more than the longest");
    }
    let longest_token = |more: usize| {
        let input = format!("{}.e30.", base64url::encode(r#"{"alg":"RS256"}"#));
        let signature = "A".repeat(16 * 1024 + more - input.len());
        Compact::parse(&format!("{input}{signature}")).err()
    };
    assert_eq!((longest_token(0), longest_token(4)), (None, Some(Error::TooLong)));
    let with_exponent = |octets: &[u8]| {
        let mut key: serde_json::Map<String, serde_json::Value> = serde_json::from_str(RSA_PUBLIC).unwrap();
        key.insert("e".to_owned(), base64url::encode(octets).into());
        PublicJwk::parse(serde_json::to_string(&key).unwrap().as_bytes()).err()
    };
    assert_eq!(with_exponent(&[1, 0, 0, 1]), None);
    assert_eq!(with_exponent(&[1, 0, 0, 0, 1]), Some(Error::Exponent));
}

/// RFC 7518 section 3.1: each algorithm of a key signs what its public half verifies, and what no other
/// algorithm does.
#[test]
fn every_algorithm_is_itself() {
    use SigningAlgorithm::{Ed25519, EdDsa, Es256, Es512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let without_alg = |jwk: &str| {
        let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(jwk).unwrap();
        object.remove("alg");
        serde_json::to_string(&object).unwrap()
    };
    let rows = [
        (RSA, [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512].as_slice()),
        (P256, &[Es256]),
        (P521, &[Es512]),
        (ED25519, &[EdDsa, Ed25519]),
    ];
    for (jwk, algorithms) in rows {
        let key = private(&without_alg(jwk));
        let verifying = key.public_jwk().verifying_key().unwrap();
        for alg in algorithms {
            let token = signed(&key, *alg);
            assert!(Compact::parse(&token).unwrap().verify(&verifying).is_ok(), "{alg}");
            let [_, payload, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
            for other in algorithms.iter().filter(|other| *other != alg) {
                let header = EncodedHeader::new(*other, None, None).signing_input(b"");
                let header = header.trim_end_matches('.').to_owned();
                let forged = format!("{header}.{payload}.{signature}");
                assert!(Compact::parse(&forged).unwrap().verify(&verifying).is_err(), "{alg} as {other}");
            }
        }
    }
}

/// RFC 7515 section 4.1.9: media types in a short and a long form, whatever their case; and what is in front
/// of a signature that nobody has looked at can be read as it was sent.
#[test]
fn types_and_payloads() {
    let header = |typ: &str| jws(&format!(r#"{{"alg":"RS256","typ":"{typ}"}}"#), r#"{"a":1}"#);
    for (typ, is_it) in [
        ("at+jwt", true),
        ("AT+JWT", true),
        ("application/at+jwt", true),
        ("APPLICATION/at+JWT", true),
        ("jwt", false),
        ("", false),
        ("at+jwt2", false),
        ("application/", false),
        ("application/x/at+jwt", false),
        ("text/at+jwt", false),
    ] {
        let text = header(typ);
        let compact = Compact::parse(&text).unwrap();
        assert_eq!(compact.header().is_type("at+jwt"), is_it, "{typ}");
        assert_eq!(compact.header().is_type("application/at+jwt"), is_it, "{typ}");
        assert_eq!(compact.unverified_payload(), br#"{"a":1}"#);
    }
    let untyped = jws(r#"{"alg":"RS256"}"#, "{}");
    assert!(!Compact::parse(&untyped).unwrap().header().is_type("at+jwt"));
}
