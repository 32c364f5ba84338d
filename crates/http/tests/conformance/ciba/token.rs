//! Modules about who may have the tokens.

use chancery_jose::SigningAlgorithm::Rs256;
use chancery_testkit::ClientKey;
use serde_json::json;

use super::suite::{GRANT, Shown, Suite, Variant, in_each, in_variants, not_authenticated};
use crate::fapi::suite::refused;

/// fapi-ciba-id1-ensure-wrong-auth-req-id-in-token-endpoint-request
#[test]
fn another_client() {
    in_each(|suite| {
        let auth_req_id = suite.accepted(0, &suite.request(0));
        Suite::says(&suite.poll(1, &auth_req_id), &["invalid_grant"]);
        assert_eq!(suite.decide("allow"), 1);
        Suite::says(&suite.poll(1, &auth_req_id), &["invalid_grant"]);
        // It is the first client's all the same.
        assert_eq!(suite.poll(0, &auth_req_id).status, 200);
    });
}

/// fapi-ciba-id1-ensure-wrong-client-id-in-token-endpoint-request
#[test]
fn the_certificate_of_another_client() {
    in_variants(
        |variant| !variant.has_assertions(),
        |suite| {
            let auth_req_id = suite.accepted(0, &suite.request(0));
            let shown =
                Shown { client_id: Some(suite.ids[1].clone()), certificate: Some(0), ..Shown::default() };
            refused(&suite.poll_with(&auth_req_id, &shown), &["invalid_client"]);
        },
    );
}

/// fapi-ciba-id1-ensure-without-client-assertion-in-token-endpoint-request,
/// fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails,
/// fapi-ciba-id1-ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds
#[test]
fn assertions() {
    let rsa = ClientKey::generate(Rs256);
    in_variants(Variant::has_assertions, |suite| {
        let auth_req_id = suite.accepted(0, &suite.request(0));
        let shows = |assertion: Option<String>| {
            let client_id = assertion.is_none().then(|| suite.ids[0].clone());
            let shown = Shown { client_id, assertion, certificate: Some(0) };
            suite.token(&[("grant_type", GRANT), ("auth_req_id", &auth_req_id)], &shown)
        };
        not_authenticated(&shows(None));
        let claims = suite.assertion_claims(0, suite.issuer());
        let by_rsa = rsa.sign(&json!({"kid": suite.keys[0].kid()}), &claims);
        refused(&shows(Some(by_rsa)), &["invalid_client"]);
        let for_issuer = suite.assertion(0, &suite.assertion_claims(0, suite.issuer()));
        Suite::says(&shows(Some(for_issuer)), &["authorization_pending"]);
    });
}

/// fapi-ciba-id1-refresh-token
#[test]
fn refresh_tokens() {
    in_each(|suite| {
        let mut last = String::new();
        for n in [0, 1] {
            let tokens = suite.outcome(n, &suite.request(n));
            let refresh = |n: usize, token: &str| {
                suite.token(&[("grant_type", "refresh_token"), ("refresh_token", token)], &suite.shown(n))
            };
            let again = refresh(n, tokens.member("refresh_token")).expect_status(200);
            assert_eq!(again.header("cache-control"), Some("no-store"));
            assert_eq!(again["token_type"], "Bearer");
            let [before, after] = [&tokens, &again].map(|tokens| suite.kit.id_token(tokens, &suite.ids[n]));
            // OIDC Core section 12.2.
            for name in ["iss", "sub", "aud", "auth_time", "acr"] {
                assert_eq!(before.claims[name], after.claims[name], "{name}");
            }
            assert_eq!(suite.resource(n, again.member("access_token")).status, 200);
            assert_eq!(suite.resource(1 - n, again.member("access_token")).status, 401);
            let given = again["refresh_token"].as_str().unwrap_or(tokens.member("refresh_token"));
            given.clone_into(&mut last);
            Suite::says(&refresh(1 - n, &last), &["invalid_grant"]);
        }
        assert!(!last.is_empty());
    });
}
