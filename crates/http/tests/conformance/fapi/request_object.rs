//! Modules about what is in a request object, and what stands beside it.

use chancery_jose::unsecured;
use chancery_testkit::ClientKey;
use chancery_types::Params;
use serde_json::{Value, json};

use super::sent::Sent;
use super::suite::{CALLBACK, Plan, Suite, Variant, in_each, in_variants};

/// The errors that the suite accepts for a bad object.
const BAD_OBJECT: [&str; 4] =
    ["invalid_request", "invalid_request_object", "invalid_request_uri", "access_denied"];

const MINUTE: i64 = 60;

/// With each variant that has request objects.
fn signed(module: impl Fn(&Suite)) {
    in_variants(Variant::is_signed, module);
}

/// A request of the first client that is changed like this is refused.
#[track_caller]
fn refused(suite: &Suite, change: impl FnOnce(Sent<'_>) -> Sent<'_>) {
    change(Sent::new(suite, 0, &suite.request(0))).end().expect_refused(&BAD_OBJECT);
}

/// fapi1-advanced-final-ensure-request-object-with-multiple-aud-succeeds,
/// fapi2-security-profile-final-ensure-request-object-with-multiple-aud-succeeds,
/// fapi2-security-profile-id2-ensure-request-object-with-multiple-aud-succeeds
#[test]
fn one_of_several_audiences() {
    signed(|suite| {
        let audience = json!([suite.issuer(), "https://other.example"]);
        let _ = Sent::new(suite, 0, &suite.request(0)).with("aud", audience).end().expect_code();
    });
}

/// fapi2-security-profile-final-ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted,
/// fapi2-security-profile-id2-ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted
#[test]
fn a_clock_that_is_8_seconds_fast() {
    signed(|suite| {
        let nbf = suite.kit.now().secs() + 8;
        let _ = Sent::new(suite, 0, &suite.request(0)).with("nbf", nbf).end().expect_code();
    });
}

/// fapi1-advanced-final-ensure-request-object-without-exp-fails,
/// fapi2-security-profile-final-ensure-request-object-without-exp-fails,
/// fapi2-security-profile-id2-ensure-request-object-without-exp-fails,
/// fapi1-advanced-final-ensure-request-object-without-nbf-fails,
/// fapi2-security-profile-final-ensure-request-object-without-nbf-fails,
/// fapi2-security-profile-id2-ensure-request-object-without-nbf-fails
#[test]
fn no_time() {
    signed(|suite| {
        refused(suite, |sent| sent.without("exp"));
        refused(suite, |sent| sent.without("nbf"));
    });
}

/// fapi1-advanced-final-ensure-expired-request-object-fails,
/// fapi2-security-profile-final-ensure-expired-request-object-fails,
/// fapi2-security-profile-id2-ensure-expired-request-object-fails,
/// fapi1-advanced-final-ensure-request-object-with-exp-over-60-fails,
/// fapi2-security-profile-final-ensure-request-object-with-exp-over-60-fails,
/// fapi2-security-profile-id2-ensure-request-object-with-exp-over-60-fails,
/// fapi1-advanced-final-ensure-request-object-with-nbf-over-60-fails,
/// fapi2-security-profile-final-ensure-request-object-with-nbf-over-60-fails,
/// fapi2-security-profile-id2-ensure-request-object-with-nbf-over-60-fails
#[test]
fn bad_times() {
    signed(|suite| {
        let now = suite.kit.now().secs();
        for (nbf, exp) in [
            (-10 * MINUTE, -5 * MINUTE),
            (0, 70 * MINUTE),
            (-70 * MINUTE, 5 * MINUTE),
            (5 * MINUTE, 10 * MINUTE),
        ] {
            refused(suite, |sent| sent.with("nbf", now + nbf).with("exp", now + exp));
        }
    });
}

/// fapi1-advanced-final-ensure-request-object-with-bad-aud-fails,
/// fapi2-security-profile-final-ensure-request-object-with-bad-aud-fails,
/// fapi2-security-profile-id2-ensure-request-object-with-bad-aud-fails
#[test]
fn another_audience() {
    signed(|suite| {
        refused(suite, |sent| sent.with("aud", "https://other.example"));
        refused(suite, |sent| sent.with("aud", json!(["https://other.example"])));
        refused(suite, |sent| sent.without("aud"));
    });
}

/// fapi1-advanced-final-par-pushed-authorization-url-as-audience-in-request-object
#[test]
fn an_endpoint_is_no_audience() {
    in_variants(
        |variant| variant.plan() == Plan::Advanced && variant.is_pushed(),
        |suite| refused(suite, |sent| sent.with("aud", suite.url("/par"))),
    );
}

/// fapi1-advanced-final-ensure-signed-request-object-with-RS256-fails,
/// fapi2-security-profile-final-ensure-signed-request-object-with-RS256-fails,
/// fapi2-security-profile-id2-ensure-signed-request-object-with-RS256-fails,
/// fapi1-advanced-final-ensure-request-object-signature-algorithm-is-not-none,
/// fapi2-security-profile-final-ensure-request-object-signature-algorithm-is-not-none,
/// fapi2-security-profile-id2-ensure-request-object-signature-algorithm-is-not-none,
/// fapi1-advanced-final-ensure-request-object-with-invalid-signature-fails,
/// fapi2-security-profile-final-ensure-request-object-with-invalid-signature-fails,
/// fapi2-security-profile-id2-ensure-request-object-with-invalid-signature-fails,
/// fapi1-advanced-final-ensure-matching-key-in-authorization-request,
/// fapi2-security-profile-final-ensure-matching-key-in-authorization-request,
/// fapi2-security-profile-id2-ensure-matching-key-in-authorization-request
#[test]
fn bad_signatures() {
    let rsa = ClientKey::generate(chancery_jose::SigningAlgorithm::Rs256);
    signed(|suite| {
        refused(suite, |sent| sent.object(|header, claims| rsa.sign(header, claims)));
        refused(suite, |sent| sent.object(|_, claims| unsecured(claims.to_string().as_bytes())));
        refused(suite, |sent| sent.object(|header, claims| suite.keys[1].sign(header, claims)));
        refused(suite, |sent| {
            sent.object(|header, claims| {
                let jwt = suite.keys[0].sign(header, claims);
                // The last character has bits that do not count: the first one is changed.
                let (text, signature) = jwt.rsplit_once('.').expect("a signature");
                let first = if signature.starts_with('A') { "B" } else { "A" };
                format!("{text}.{first}{}", &signature[1..])
            })
        });
    });
}

/// fapi1-advanced-final-ensure-request-object-without-scope-fails,
/// fapi1-advanced-final-ensure-request-object-without-nonce-fails,
/// fapi1-advanced-final-ensure-request-object-without-redirect-uri-fails,
/// fapi2-security-profile-final-ensure-request-object-without-redirect-uri-fails,
/// fapi2-security-profile-id2-ensure-request-object-without-redirect-uri-fails
#[test]
fn nothing_beside_the_object_makes_up_for_what_it_lacks() {
    in_each(|suite| {
        let request = suite.request(0);
        let value = |name: &str| request.value(name).unwrap_or_default().to_owned();
        let is_advanced = suite.variant.plan() == Plan::Advanced;
        refused(suite, |sent| sent.without("redirect_uri").beside("redirect_uri", &value("redirect_uri")));
        if is_advanced {
            refused(suite, |sent| sent.without("nonce").beside("nonce", &value("nonce")));
            refused(suite, |sent| sent.without("scope").beside("scope", &value("scope")));
        }
    });
}

/// fapi1-advanced-final-state-only-outside-request-object-not-used,
/// fapi2-security-profile-final-state-only-outside-request-object-not-used,
/// fapi2-security-profile-id2-state-only-outside-request-object-not-used
#[test]
fn a_state_beside_the_object_is_not_used() {
    in_each(|suite| {
        let sent = Sent::new(suite, 0, &suite.request(0)).without("state").beside("state", "outside");
        let end = sent.end();
        let response = end.expect_code();
        assert_eq!(response.get("state"), None);
    });
}

/// fapi1-advanced-final-ensure-different-nonce-inside-and-outside-request-object,
/// fapi2-security-profile-final-ensure-different-nonce-inside-and-outside-request-object,
/// fapi2-security-profile-id2-ensure-different-nonce-inside-and-outside-request-object,
/// fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object,
/// fapi2-security-profile-id2-ensure-different-state-inside-and-outside-request-object
#[test]
fn other_values_beside_the_object_are_not_used() {
    in_each(|suite| {
        let request = suite.request(0);
        let sent = Sent::new(suite, 0, &request);
        let sent =
            sent.beside("nonce", "outside").beside("state", "outside").beside("redirect_uri", CALLBACK);
        let end = sent.end();
        // The response is compared with the `state` inside by whoever reads it.
        let tokens = suite.redeem(&request, end.expect_code(), &suite.shown(0)).expect_status(200);
        if suite.variant.is_openid() {
            let id_token = suite.kit.id_token(&tokens, "suite");
            assert_eq!(id_token.claims["nonce"].as_str(), request.value("nonce"));
        }
    });
}

/// fapi2-security-profile-final-ensure-unsigned-request-at-par-endpoint-fails,
/// fapi2-security-profile-id2-ensure-unsigned-request-at-par-endpoint-fails,
/// fapi1-advanced-final-ensure-authorization-request-without-request-object-fails
#[test]
fn a_client_that_has_to_sign_sends_its_request_plainly() {
    signed(|suite| {
        let request = suite.request(0);
        if suite.variant.is_pushed() {
            let form = request.encode();
            let form = Params::parse(&form).expect("a query");
            let form: Vec<_> = form.iter().collect();
            let answer = suite.post("/par", &form, &suite.authenticated_beside_client_id(0));
            super::suite::refused(&answer, &BAD_OBJECT);
        }
        let ua = suite.kit.user_agent();
        Sent::new(suite, 0, &request).end_of(&request.open(&ua)).expect_refused(&BAD_OBJECT);
    });
}

/// fapi1-advanced-final-par-authorization-request-containing-request_uri,
/// fapi2-security-profile-final-par-authorization-request-containing-request_uri,
/// fapi2-security-profile-id2-par-authorization-request-containing-request_uri
#[test]
fn a_pushed_object_refers_to_nothing() {
    in_variants(
        |variant| variant.is_signed() && variant.is_pushed(),
        |suite| {
            let uri = Value::from("urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c");
            refused(suite, |sent| sent.with("request_uri", uri));
        },
    );
}
