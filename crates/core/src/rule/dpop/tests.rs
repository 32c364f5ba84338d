//! The parser of proofs, with what anybody may send.

use chancery_jose::PrivateKey;
use chancery_seeded::Seeded;
use serde_json::Value;

use super::*;
use crate::context::DpopHeader;

fn header(fields: &[&str]) -> DpopHeader {
    DpopHeader { fields: fields.iter().map(|field| (*field).into()).collect(), method: "POST".into() }
}

/// The proof of RFC 9449 section 4.1, figure 2, and the thumbprint of its key in figure 9.
#[test]
fn the_example_of_the_standard() {
    let proof = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik",
        "VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR",
        "nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE",
        "QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj",
        "oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia",
        "WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg",
        "4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
    );
    let header = header(&[proof]);
    let sent = Sent::read(&header).unwrap();
    assert_eq!((&*sent.jti, &*sent.htm), ("-BwC3ESc6acc2lTc", "POST"));
    assert_eq!(
        (&*sent.htu, sent.iat),
        ("https://server.example.com/token", Timestamp::from_secs(1_562_262_616))
    );
    assert_eq!(sent.verify().unwrap().to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

/// No input causes a panic, and everything that is read is as the standard demands, judged by another parser.
#[test]
fn generated_proofs() {
    let key = PrivateKey::generate(SigningAlgorithm::Es256).unwrap();
    let public = key.public_jwk().to_json();
    let private = key.to_jwk().unwrap().to_string();
    let mut seeded = Seeded::new(1);
    let mut next = |limit: usize| seeded.below(limit);
    let keys: [&str; 9] =
        [&public, &public, &public, &private, "{}", "null", "[]", r#"{"kty":"oct","k":"AAAA"}"#, "7"];
    let algorithms =
        [[r#""ES256""#; 6].as_slice(), &[r#""none""#, r#""HS256""#, "null", r#""es256""#]].concat();
    let types = [r#""dpop+jwt""#, r#""JWT""#, "1", r#""application/dpop+jwt""#];
    let good = [r#""POST""#, r#""https://id.example/token""#, r#""x""#, r#""""#, r#""\u0000""#];
    let texts = [&good, &good, &good, ["null", "{}", "1", "[]", "true"].as_slice()].concat();
    let bad = ["0", "-1", "1e400", "1.8e9", "\"1800000000\"", "null", "9007199254740993", "[]"];
    let numbers = [["1800000000"; 24].as_slice(), &bad].concat();
    let (mut read, mut verified) = (0, 0);
    for _ in 0..100_000 {
        // Mostly there, mostly once.
        let mut object = |members: &[(&str, &[&str])]| {
            let mut all = Vec::new();
            for (name, values) in members {
                let times = [0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1][next(16)];
                all.extend((0..times).map(|_| format!("\"{name}\":{}", values[next(values.len())])));
            }
            format!("{{{}}}", all.join(","))
        };
        let head = object(&[("alg", &algorithms), ("typ", &types), ("jwk", &keys)]);
        let claims = object(&[
            ("jti", &texts),
            ("htm", &texts),
            ("htu", &texts),
            ("iat", &numbers),
            ("exp", &numbers[..1]),
            ("nonce", &texts[..1]),
        ]);
        let input = [head.as_str(), &claims].map(base64url::encode).join(".");
        let signature = key.sign(SigningAlgorithm::Es256, input.as_bytes()).unwrap();
        let mut text = format!("{input}.{}", base64url::encode(signature));
        if next(10) == 0 {
            let at = next(text.len());
            text.replace_range(at..=at, [".", "=", "", "A", "\0", "\u{e4}", ", ", " "][next(8)]);
        }
        let header = match next(50) {
            0 => header(&[&text, &text]),
            1 => header(&[]),
            _ => header(&[&text]),
        };
        let Ok(sent) = Sent::read(&header) else { continue };
        read += 1;
        let part = |n: usize| -> Value {
            serde_json::from_slice(&base64url::decode(text.split('.').nth(n).unwrap()).unwrap()).unwrap()
        };
        let (head, claims) = (part(0), part(1));
        assert!(header.fields.len() == 1 && head["alg"] != "none", "{head}");
        assert!(
            claims["jti"] == *sent.jti && claims["htm"] == *sent.htm && claims["htu"] == *sent.htu,
            "{claims}"
        );
        assert_eq!(claims["iat"].as_f64().map(|iat| iat as i64), Some(sent.iat.secs()), "{claims}");
        if let Ok(thumbprint) = sent.verify() {
            verified += 1;
            assert!(head["jwk"].get("d").is_none() && head["alg"] == "ES256", "{head}");
            assert_eq!(thumbprint.to_string(), key.public_jwk().thumbprint());
        }
    }
    assert!(read > 1_000 && verified > 500, "only {read} were read, {verified} verified");
}
