//! Generated software statements and choices: whatever comes, nothing panics, and what is taken may be taken.

use chancery_jose::json::Object;
use chancery_jose::{SigningAlgorithm, base64url};
use chancery_seeded::Seeded;
use chancery_types::iana::{ClientAuthenticationMethod, SubjectType};
use chancery_types::{Issuer, Timestamp};
use serde_json::{Map, Value, json};

use super::OFFERED;
use crate::client::{SoftwareStatement, StatementIssuer};
use crate::model::client::choices::{self, Choices};

const NOW: i64 = 1_800_000_000;

#[test]
fn every_statement_is_checked() {
    let mut seeded = Seeded::new(1);
    let mut below = |limit: usize| seeded.below(limit);
    let here = Issuer::parse("https://op.example").unwrap();
    let issuers =
        [StatementIssuer { issuer: "https://publisher.example".into(), ..StatementIssuer::default() }];
    let names =
        ["alg", "typ", "iss", "aud", "exp", "nbf", "iat", "client_name", "jwks", "software_statement"];
    let values = [
        json!("RS256"),
        json!("ES256"),
        json!("HS256"),
        json!("none"),
        json!("JWT"),
        json!("at+jwt"),
        json!("https://publisher.example"),
        json!("https://op.example"),
        json!(["web", "https://op.example"]),
        json!(["web"]),
        json!(NOW),
        json!(NOW - 60),
        json!(NOW + 60),
        json!(-1),
        json!(1e300),
        json!(null),
        json!({ "keys": [] }),
        json!(""),
    ];
    let mut taken = 0;
    for _ in 0..100_000 {
        let mut header = json!({ "alg": "RS256" });
        let mut claims = json!({ "iss": "https://publisher.example" });
        for _ in 0..below(5) {
            let part = if below(3) == 0 { &mut header } else { &mut claims };
            part[names[below(names.len())]] = values[below(values.len())].clone();
        }
        let mut text = format!(
            "{}.{}.{}",
            base64url::encode(header.to_string()),
            base64url::encode(claims.to_string()),
            base64url::encode("signature")
        );
        if below(8) == 0 {
            let other = [".", "=", "", "A", "\u{0}", "\u{e4}"][below(6)];
            let at = below(text.len());
            text.replace_range(at..=at, other);
        }
        let Ok((compact, statement)) = SoftwareStatement::unverified(&issuers, &text) else { continue };
        let now = Timestamp::from_secs(NOW);
        let is_taken = statement.check(compact.header(), &here, now).is_ok();
        let sent = Object::parse(br#"{"client_name":"a","client_name#de":"b","jwks_uri":"c","chancery":1}"#)
            .unwrap();
        let over = statement.over(sent);
        let said = statement.claims();
        // What the statement says nothing about is the client's; what it says is not contradicted.
        assert_eq!(over.raw("client_name#de").is_some(), said.raw("client_name").is_none(), "{claims}");
        assert_eq!(over.raw("jwks_uri").is_some(), said.raw("jwks").is_none(), "{claims}");
        assert_eq!(over.raw("chancery").map(|raw| raw.get()), Some("1"), "{claims}");
        if !is_taken {
            continue;
        }
        taken += 1;
        let read = |part: usize| -> Value {
            serde_json::from_slice(&base64url::decode(text.split('.').nth(part).unwrap()).unwrap()).unwrap()
        };
        let (header, claims) = (read(0), read(1));
        assert!(["RS256", "PS256", "ES256"].contains(&header["alg"].as_str().unwrap()), "{header}");
        assert!(header.get("typ").is_none_or(|typ| typ == "JWT"), "{header}");
        assert_eq!(claims["iss"], "https://publisher.example");
        let aud = claims["aud"].to_string();
        assert!(claims.get("aud").is_none() || aud.contains("https://op.example"), "{claims}");
        assert!(claims["exp"].as_i64().is_none_or(|at| at > NOW - 10), "{claims}");
        assert!(claims["nbf"].as_i64().is_none_or(|at| at <= NOW + 10), "{claims}");
    }
    assert!(taken > 1_000, "{taken}");
}

#[test]
fn every_choice_is_picked_from() {
    let mut seeded = Seeded::new(1);
    let mut below = |limit: usize| seeded.below(limit);
    let names = [
        "subject_types_supported",
        "subject_type",
        "id_token_signing_alg_values_supported",
        "id_token_signed_response_alg",
        "id_token_encryption_alg_values_supported",
        "id_token_encryption_enc_values_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg",
        "introspection_signing_alg_values_supported",
        "client_name",
    ];
    let values = [
        "public",
        "pairwise",
        "RS256",
        "ES256",
        "PS512",
        "HS256",
        "none",
        "dir",
        "RSA1_5",
        "A128GCM",
        "private_key_jwt",
        "client_secret_jwt",
        "client_secret_basic",
        "tls_client_auth",
        "",
        "\u{e4}",
    ];
    let algorithms = [SigningAlgorithm::Rs256, SigningAlgorithm::Es256];
    let may_authenticate = |method| method != ClientAuthenticationMethod::ClientSecretBasic;
    let choices = Choices {
        offered: &OFFERED,
        demands: OFFERED.floor.server(),
        algorithms: &algorithms,
        subject_types: &[SubjectType::Public],
        may_authenticate: &may_authenticate,
    };
    let mut picked_some = 0;
    for _ in 0..100_000 {
        let mut sent = Map::new();
        for _ in 0..below(6) {
            let value = match below(6) {
                0 => json!(values[below(values.len())]),
                1 => json!({ "a": 1 }),
                2 => Value::Null,
                _ => (0..below(4)).map(|_| values[below(values.len())]).collect(),
            };
            sent.insert(names[below(names.len())].to_owned(), value);
        }
        let text = Value::from(sent.clone()).to_string();
        let object = Object::parse(text.as_bytes()).unwrap();
        let picked = choices.pick(&object);
        let counts = picked.over(object);
        for (name, value) in &sent {
            let Some(single) = choices::of(name) else { continue };
            let value_now = counts.raw(single).map(|raw| raw.get());
            if value_now == sent.get(single).map(Value::to_string).as_deref() {
                continue;
            }
            // Another value than was sent is one of the choices, and one that can be registered.
            let now: String = serde_json::from_str(value_now.unwrap()).unwrap();
            assert!(value.as_array().unwrap().iter().any(|one| *one == *now), "{text}: {single} {now}");
            let never = ["pairwise", "RSA1_5", "client_secret_basic", "tls_client_auth", "", "\u{e4}"];
            assert!(!never.contains(&&*now), "{text}: {single} {now}");
            assert!(now != "PS512" || single == "token_endpoint_auth_signing_alg", "{text}: {single}");
            assert!(now != "none" || single == "token_endpoint_auth_method", "{text}: {single}");
            picked_some += 1;
        }
    }
    assert!(picked_some > 5_000, "{picked_some}");
}
