//! Modules about how clients authenticate by `private_key_jwt`.

use chancery_jose::SigningAlgorithm::Rs256;
use chancery_testkit::{Answer, ClientKey};
use serde_json::{Value, json};

use super::sent::Sent;
use super::suite::{Plan, Shown, Suite, Variant, in_variants, refused};

/// What the suite accepts for a client that did not authenticate.
const CODES: [&str; 2] = ["invalid_client", "invalid_request"];

/// With each variant whose clients have assertions.
fn asserted(module: impl Fn(&Suite)) {
    in_variants(Variant::has_assertions, module);
}

/// Claims of an assertion that are changed like this.
type Change = fn(&Suite, &mut Value);

/// What PAR and token endpoint answer to an assertion with these claims; the token endpoint last.
fn answers(suite: &Suite, change: Change) -> Vec<Answer> {
    let changed = || {
        let mut claims = suite.assertion_claims(0);
        change(suite, &mut claims);
        Some(suite.assertion(0, &claims))
    };
    let request = suite.request(0);
    let response = Sent::new(suite, 0, &request).end().expect_code().clone();
    let mut answers = Vec::new();
    if suite.variant.is_pushed() {
        let mut sent = Sent::new(suite, 0, &suite.request(0));
        sent.shown.assertion = changed();
        answers.push(sent.push());
    }
    let shown = Shown { assertion: changed(), ..suite.shown(0) };
    answers.push(suite.redeem(&request, &response, &shown));
    answers
}

/// At PAR and token endpoint the assertion is refused.
fn all_refuse(suite: &Suite, change: Change) {
    for answer in answers(suite, change) {
        refused(&answer, &CODES);
    }
}

/// At PAR and token endpoint the assertion is good.
fn all_accept(suite: &Suite, change: Change) {
    for answer in answers(suite, change) {
        assert!(answer.status.is_success(), "{}", answer.text());
    }
}

/// fapi1-advanced-final-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails,
/// fapi2-security-profile-final-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails,
/// fapi2-security-profile-id2-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails,
/// fapi1-advanced-final-ensure-client-assertion-with-wrong-aud-fails,
/// fapi2-security-profile-final-ensure-client-assertion-with-wrong-aud-fails,
/// fapi2-security-profile-id2-ensure-client-assertion-with-wrong-aud-fails,
/// fapi1-advanced-final-ensure-client-assertion-with-no-sub-fails,
/// fapi2-security-profile-final-ensure-client-assertion-with-no-sub-fails,
/// fapi2-security-profile-id2-ensure-client-assertion-with-no-sub-fails,
/// fapi1-advanced-final-ensure-client-assertion-with-wrong-iss-fails,
/// fapi1-advanced-final-ensure-client-assertion-with-wrong-sub-fails,
/// fapi1-advanced-final-par-ensure-client-assertion-with-wrong-aud-fails,
/// fapi1-advanced-final-par-ensure-client-assertion-with-wrong-iss-fails,
/// fapi1-advanced-final-par-ensure-client-assertion-with-wrong-sub-fails,
/// fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails,
/// fapi2-security-profile-id2-par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails
#[test]
fn bad_claims() {
    let changes: [Change; 9] = [
        |suite, claims| claims["exp"] = (suite.kit.now().secs() - 300).into(),
        |_, claims| claims["aud"] = "https://other.example".into(),
        |_, claims| claims["sub"] = Value::Null,
        |_, claims| {
            claims.as_object_mut().and_then(|claims| claims.remove("sub"));
        },
        |_, claims| claims["iss"] = "suite2".into(),
        |_, claims| claims["sub"] = "suite2".into(),
        |suite, claims| claims["nbf"] = (suite.kit.now().secs() + 70).into(),
        |_, claims| claims["aud"] = json!(["https://other.example", "https://another.example"]),
        |_, claims| claims["aud"] = json!([]),
    ];
    asserted(|suite| changes.iter().for_each(|change| all_refuse(suite, *change)));
}

/// fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted,
/// fapi2-security-profile-id2-par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted
#[test]
fn a_clock_that_is_8_seconds_fast() {
    asserted(|suite| {
        all_accept(suite, |suite, claims| {
            claims["nbf"] = (suite.kit.now().secs() + 8).into();
            claims["iat"] = claims["nbf"].clone();
        });
    });
}

/// fapi1-advanced-final-ensure-signed-client-assertion-with-RS256-fails,
/// fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails,
/// fapi2-security-profile-id2-ensure-signed-client-assertion-with-RS256-fails,
/// fapi1-advanced-final-ensure-client-assertion-in-token-endpoint,
/// fapi2-security-profile-final-ensure-client-assertion-in-token-endpoint,
/// fapi2-security-profile-id2-ensure-client-assertion-in-token-endpoint
#[test]
fn another_algorithm_and_none_at_all() {
    let rsa = ClientKey::generate(Rs256);
    asserted(|suite| {
        let request = suite.request(0);
        let response = Sent::new(suite, 0, &request).end().expect_code().clone();
        let assertion = rsa.sign(&json!({"kid": suite.keys[0].kid()}), &suite.assertion_claims(0));
        for assertion in [Some(assertion), None] {
            let answer = suite.redeem(&request, &response, &Shown { assertion, ..suite.shown(0) });
            refused(&answer, &CODES);
        }
    });
}

/// fapi1-advanced-final-ensure-client-assertion-with-iss-aud-succeeds,
/// fapi1-advanced-final-par-test-pushed-authorization-url-as-audience-for-client-JWT-assertion,
/// fapi2-security-profile-id2-par-test-pushed-authorization-url-as-audience-for-client-JWT-assertion,
/// fapi1-advanced-final-par-token-endpoint-url-as-audience-for-client-JWT-assertion,
/// fapi2-security-profile-id2-par-test-token-endpoint-url-as-audience-for-client-JWT-assertion,
/// fapi1-advanced-final-test-array-as-audience-for-client-JWT-assertion,
/// fapi2-security-profile-id2-test-array-as-audience-for-client-JWT-assertion,
/// fapi2-security-profile-id2-ensure-client-assertion-with-token-endpoint-aud-succeeds
#[test]
fn audiences_before_fapi_2() {
    in_variants(
        |variant| variant.has_assertions() && variant.plan() != Plan::Final,
        |suite| {
            all_accept(suite, |_, _| {});
            all_accept(suite, |suite, claims| claims["aud"] = suite.url("/token").into());
            all_accept(suite, |suite, claims| claims["aud"] = json!([suite.issuer(), suite.url("/token")]));
            if suite.variant.is_pushed() {
                let mut sent = Sent::new(suite, 0, &suite.request(0));
                let mut claims = suite.assertion_claims(0);
                claims["aud"] = suite.url("/par").into();
                sent.shown.assertion = Some(suite.assertion(0, &claims));
                let _ = sent.push().expect_status(201);
            }
        },
    );
}

/// fapi2-security-profile-final-par-test-array-as-audience-fails,
/// fapi2-security-profile-final-par-test-par-endpoint-url-as-audience-fails,
/// fapi2-security-profile-final-par-test-token-endpoint-url-as-audience-fails
#[test]
fn audiences_of_fapi_2() {
    in_variants(
        |variant| variant.has_assertions() && variant.plan() == Plan::Final,
        |suite| {
            all_accept(suite, |_, _| {});
            all_refuse(suite, |suite, claims| claims["aud"] = suite.url("/token").into());
            all_refuse(suite, |suite, claims| claims["aud"] = suite.url("/par").into());
            all_refuse(suite, |suite, claims| claims["aud"] = json!([suite.issuer()]));
            all_refuse(suite, |suite, claims| claims["aud"] = json!([suite.issuer(), suite.url("/par")]));
        },
    );
}
