//! Modules about requests at the backchannel authentication endpoint that are refused, and how clients authenticate
//! there.

use chancery_jose::SigningAlgorithm::Rs256;
use chancery_jose::base64url;
use chancery_testkit::{Answer, ClientKey};
use serde_json::{Value, json};

use super::suite::{Shown, Suite, Variant, in_each, in_variants, invalid_request, not_authenticated};

/// A claim with this value, or without one.
type Change = (&'static str, fn(&Suite) -> Value);

fn claims(suite: &Suite, (name, value): &Change) -> Value {
    let mut claims = suite.request(0);
    match value(suite) {
        Value::Null => claims.as_object_mut().and_then(|claims| claims.remove(*name)),
        value => claims.as_object_mut().and_then(|claims| claims.insert((*name).to_owned(), value)),
    };
    claims
}

fn in_seconds(suite: &Suite, from_now: i64) -> Value {
    (suite.kit.now().secs() + from_now).into()
}

/// fapi-ciba-id1-ensure-request-object-missing-aud-fails, fapi-ciba-id1-ensure-request-object-bad-aud-fails,
/// fapi-ciba-id1-ensure-request-object-missing-iss-fails, fapi-ciba-id1-ensure-request-object-bad-iss-fails,
/// fapi-ciba-id1-ensure-request-object-missing-exp-fails, fapi-ciba-id1-ensure-request-object-expired-exp-fails,
/// fapi-ciba-id1-ensure-request-object-exp-is-70-minutes-in-future-fails,
/// fapi-ciba-id1-ensure-request-object-missing-iat-fails, fapi-ciba-id1-ensure-request-object-missing-nbf-fails,
/// fapi-ciba-id1-ensure-request-object-nbf-is-10-minutes-in-future-fails,
/// fapi-ciba-id1-ensure-request-object-nbf-is-70-minutes-in-past-fails,
/// fapi-ciba-id1-ensure-request-object-missing-jti-fails
#[test]
fn claims_of_the_request_object() {
    let changes: [Change; 16] = [
        ("aud", |_| Value::Null),
        ("aud", |_| "https://www.other1.example.com/".into()),
        ("aud", |_| json!(["https://www.other1.example.com/"])),
        ("aud", |_| json!([])),
        ("iss", |_| Value::Null),
        ("iss", |suite| suite.ids[1].clone().into()),
        ("exp", |_| Value::Null),
        ("exp", |suite| in_seconds(suite, -3600)),
        ("exp", |suite| in_seconds(suite, 70 * 60)),
        ("iat", |_| Value::Null),
        ("nbf", |_| Value::Null),
        ("nbf", |suite| in_seconds(suite, 10 * 60)),
        ("nbf", |suite| in_seconds(suite, -70 * 60)),
        ("jti", |_| Value::Null),
        ("jti", |_| 7.into()),
        ("exp", |_| "soon".into()),
    ];
    in_each(|suite| {
        for change in &changes {
            println!("{}: {}", change.0, change.1(suite)); // shown when the test fails
            invalid_request(&suite.ask(0, &claims(suite, change)));
        }
        assert_eq!(suite.decide("allow"), 0, "nobody is asked");
    });
}

/// fapi-ciba-id1-ensure-request-object-signature-algorithm-is-none-fails,
/// fapi-ciba-id1-ensure-request-object-signature-algorithm-is-bad-fails,
/// fapi-ciba-id1-ensure-request-object-signature-algorithm-is-RS256-fails,
/// fapi-ciba-id1-ensure-request-object-signed-by-other-client-fails,
/// fapi-ciba-id1-ensure-unsigned-backchannel-authorization-request-fails
#[test]
fn signatures_of_the_request_object() {
    let rsa = ClientKey::generate(Rs256);
    in_each(|suite| {
        let request = suite.request(0);
        let none = [json!({"alg": "none"}), request.clone()].map(|part| base64url::encode(part.to_string()));
        let good = suite.signed(0, &request);
        let (text, _) = good.rsplit_once('.').expect("a JWS");
        let (_, other) = suite.signed(0, &suite.request(0)).rsplit_once('.').map_or_else(
            || (String::new(), String::new()),
            |(text, signature)| (text.to_owned(), signature.to_owned()),
        );
        let objects = [
            format!("{}.", none.join(".")),
            none.join("."),
            format!("{text}.{other}"),
            format!("{text}."),
            rsa.sign(&json!({"kid": suite.keys[0].kid()}), &request),
            suite.keys[1].sign(&json!({"kid": suite.keys[1].kid()}), &request),
            suite.keys[1].sign(&json!({"kid": suite.keys[0].kid()}), &request),
            String::new(),
        ];
        for object in objects {
            invalid_request(&suite.ask_by(0, &object));
        }

        let plain: Vec<(String, String)> = request
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().map_or(value.to_string(), str::to_owned)))
            .collect();
        let plain: Vec<(&str, &str)> = plain.iter().map(|(name, value)| (&**name, &**value)).collect();
        let shown = || suite.authenticated(0, &suite.endpoint_url());
        invalid_request(&suite.ask_with(&plain, &shown()));
        // CIBA Core section 7.1.1: beside a request object nothing but what authenticates the client.
        let beside = [("request", good.as_str()), ("login_hint", "alice")];
        invalid_request(&suite.ask_with(&beside, &shown()));
        assert_eq!(suite.decide("allow"), 0, "nobody is asked");
    });
}

/// fapi-ciba-id1-ensure-authorization-request-with-multiple-hints-fails
#[test]
fn hints() {
    in_each(|suite| {
        let mut two = suite.request(0);
        two["login_hint"] = "join@example.com".into();
        two["login_hint_token"] = "xxxxxxxxxxxxxxxxxxxx".into();
        invalid_request(&suite.ask(0, &two));
        let mut right_and_wrong = suite.request(0);
        right_and_wrong["id_token_hint"] = "x.y.z".into();
        invalid_request(&suite.ask(0, &right_and_wrong));
        invalid_request(&suite.ask(0, &claims(suite, &("login_hint", |_| Value::Null))));
        assert_eq!(suite.decide("allow"), 0, "nobody is asked");
    });
}

/// fapi-ciba-id1-ensure-authorization-request-with-potentially-bad-binding-message
#[test]
fn a_message_that_no_page_can_show_well() {
    let message = format!("1234 \u{1f44d}\u{1f3ff} 品川 {}", "Lorem ipsum dolor sit amet, ".repeat(16));
    in_each(|suite| {
        let mut request = suite.request(0);
        request["binding_message"] = message.clone().into();
        Suite::says(&suite.ask(0, &request), &["invalid_binding_message"]);
    });
}

/// fapi-ciba-id1-ensure-different-client-id-and-issuer-in-backchannel-authorization-request,
/// fapi-ciba-id1-ensure-wrong-client-id-in-backchannel-authorization-request
#[test]
fn the_certificate_of_another_client() {
    in_variants(
        |variant| !variant.has_assertions(),
        |suite| {
            let object = suite.signed(0, &suite.request(0));
            let mixed = |client: usize, certificate: Option<usize>| {
                let client_id = Some(suite.ids[client].clone());
                let shown = Shown { client_id, certificate, ..Shown::default() };
                suite.ask_with(&[("request", &object)], &shown)
            };
            for answer in [mixed(1, Some(0)), mixed(0, Some(1)), mixed(0, None), mixed(1, None)] {
                assert_eq!((answer.status.as_u16(), answer.member("error")), (401, "invalid_client"));
            }
            // Authenticated, but the object is another's.
            invalid_request(&mixed(1, Some(1)));
            let _ = suite.check_accepted(&mixed(0, Some(0)));
        },
    );
}

/// The answer to a good request of a client that shows this.
fn shows(suite: &Suite, assertion: Option<String>) -> Answer {
    let client_id = assertion.is_none().then(|| suite.ids[0].clone());
    let shown = Shown { client_id, assertion, certificate: None };
    suite.ask_with(&[("request", &suite.signed(0, &suite.request(0)))], &shown)
}

/// fapi-ciba-id1-ensure-without-client-assertion-in-backchannel-authorization-request,
/// fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails
#[test]
fn assertions_that_are_missing_or_bad() {
    let rsa = ClientKey::generate(Rs256);
    in_variants(Variant::has_assertions, |suite| {
        not_authenticated(&shows(suite, None));
        let good = suite.assertion_claims(0, &suite.endpoint_url());
        not_authenticated(&shows(suite, Some(rsa.sign(&json!({"kid": suite.keys[0].kid()}), &good))));
        let of_another = suite.assertion_claims(0, "https://other.example");
        not_authenticated(&shows(suite, Some(suite.assertion(0, &of_another))));
        let expired = {
            let mut claims = suite.assertion_claims(0, suite.issuer());
            claims["exp"] = in_seconds(suite, -300);
            claims
        };
        not_authenticated(&shows(suite, Some(suite.assertion(0, &expired))));

        // CIBA Core section 7.1: each of the three addresses is the provider's.
        let token_endpoint = format!("{}/token", suite.issuer());
        for audience in [suite.issuer(), &token_endpoint, &suite.endpoint_url()] {
            let assertion = suite.assertion(0, &suite.assertion_claims(0, audience));
            let _ = suite.check_accepted(&shows(suite, Some(assertion)));
        }
    });
}
