//! Modules about the token endpoint.

use std::time::Duration;

use super::sent::Sent;
use super::suite::{CLIENTS, Plan, Shown, Suite, Variant, in_each, in_variants, refused};

/// A request of the first client, and the response to it.
fn authorized(
    suite: &Suite,
) -> (chancery_testkit::AuthorizationRequest, std::collections::BTreeMap<String, String>) {
    let request = suite.request(0);
    let response = Sent::new(suite, 0, &request).end().expect_code().clone();
    (request, response)
}

/// fapi1-advanced-final-ensure-pkce-code-verifier-required,
/// fapi2-security-profile-final-ensure-pkce-code-verifier-required,
/// fapi2-security-profile-id2-ensure-pkce-code-verifier-required,
/// fapi1-advanced-final-incorrect-pkce-code-verifier-rejected,
/// fapi2-security-profile-final-incorrect-pkce-code-verifier-rejected,
/// fapi2-security-profile-id2-incorrect-pkce-code-verifier-rejected
#[test]
fn bad_verifiers() {
    in_variants(Variant::is_pushed, |suite| {
        let (request, response) = authorized(suite);
        let without = request.clone().without_pkce();
        refused(&suite.redeem(&without, &response, &suite.shown(0)), &["invalid_grant"]);
        let other = request.clone().pkce("another-verifier-of-forty-three-characters-at-least");
        refused(&suite.redeem(&other, &response, &suite.shown(0)), &["invalid_grant"]);
        let _ = suite.redeem(&request, &response, &suite.shown(0)).expect_status(200);
    });
}

/// fapi1-advanced-final-ensure-client-id-in-token-endpoint,
/// fapi2-security-profile-final-ensure-client-id-in-token-endpoint,
/// fapi2-security-profile-id2-ensure-client-id-in-token-endpoint
#[test]
fn the_id_of_another_client() {
    in_each(|suite| {
        let (request, response) = authorized(suite);
        let shown = Shown { client_id: Some(CLIENTS[1].to_owned()), ..suite.shown(0) };
        let answer = suite.redeem(&request, &response, &shown);
        refused(&answer, &["invalid_client", "invalid_grant", "invalid_request"]);
        let _ = suite.redeem(&request, &response, &suite.shown(0)).expect_status(200);
    });
}

/// fapi1-advanced-final-ensure-mtls-holder-of-key-required,
/// fapi2-security-profile-final-ensure-holder-of-key-required,
/// fapi2-security-profile-id2-ensure-holder-of-key-required
#[test]
fn nothing_to_bind_a_token_to() {
    in_each(|suite| {
        let (request, response) = authorized(suite);
        let variant = suite.variant;
        let shown = match variant.has_proofs() {
            true => Shown { proof: None, ..suite.shown(0) },
            false => Shown { certificate: None, ..suite.shown(0) },
        };
        let codes: &[&str] = match (variant.has_proofs(), variant.has_assertions()) {
            // The final version permits invalid_dpop_proof as well.
            (true, _) => &["invalid_request", "invalid_grant"],
            (false, true) => &["invalid_request", "invalid_grant", "invalid_client"],
            (false, false) => &["invalid_request", "invalid_client"],
        };
        refused(&suite.redeem(&request, &response, &shown), codes);
        let _ = suite.redeem(&request, &response, &suite.shown(0)).expect_status(200);
    });
}

/// fapi1-advanced-final-ensure-authorization-code-is-bound-to-client,
/// fapi2-security-profile-final-ensure-authorization-code-is-bound-to-client,
/// fapi2-security-profile-id2-ensure-authorization-code-is-bound-to-client
#[test]
fn a_code_of_another_client() {
    in_each(|suite| {
        let (request, response) = authorized(suite);
        let answer = suite.redeem(&request, &response, &suite.shown(1)).expect_status(400);
        refused(&answer, &["invalid_grant"]);
        let _ = suite.redeem(&request, &response, &suite.shown(0)).expect_status(200);
    });
}

/// fapi1-advanced-final-attempt-reuse-authorisation-code-after-one-second,
/// fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second,
/// fapi2-security-profile-id2-attempt-reuse-authorization-code-after-one-second
#[test]
fn a_used_code() {
    in_each(|suite| {
        let (request, response) = authorized(suite);
        let tokens = suite.redeem(&request, &response, &suite.shown(0)).expect_status(200);
        suite.kit.clock.advance(Duration::from_secs(1));
        let again = suite.redeem(&request, &response, &suite.shown(0)).expect_status(400);
        refused(&again, &["invalid_grant"]);
        if suite.variant.is_openid() {
            assert_eq!(suite.resource(0, tokens.member("access_token")).status, 401);
        }
    });
}

/// fapi2-security-profile-final-ensure-token-endpoint-fails-with-expired-auth-code,
/// fapi2-security-profile-id2-ensure-token-endpoint-fails-with-expired-auth-code
#[test]
fn an_expired_code() {
    in_variants(
        |variant| variant.plan() != Plan::Advanced,
        |suite| {
            let (request, response) = authorized(suite);
            suite.kit.clock.advance(Duration::from_mins(1));
            let answer = suite.redeem(&request, &response, &suite.shown(0)).expect_status(400);
            refused(&answer, &["invalid_grant"]);
        },
    );
}

/// fapi1-advanced-final-refresh-token, fapi2-security-profile-final-refresh-token,
/// fapi2-security-profile-id2-refresh-token
#[test]
fn refresh_tokens() {
    in_each(|suite| {
        let (request, response) = authorized(suite);
        let tokens = suite.redeem(&request, &response, &suite.shown(0)).expect_status(200);
        let refresh_token = tokens.member("refresh_token");
        let refresh = |shown: &Shown| {
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
            suite.post("/token", &[form[0], form[1], ("scope", suite.variant.scope())], shown)
        };
        let good = suite.shown(0);
        // Without authentication, without what binds the tokens, and by another client.
        let stranger = Shown { assertion: None, client_id: None, ..suite.shown(0) };
        refused(&refresh(&stranger), &["invalid_client", "invalid_request", "invalid_grant"]);
        let unbound = match suite.variant.has_proofs() {
            true => Shown { proof: None, ..suite.shown(0) },
            false => Shown { certificate: None, ..suite.shown(0) },
        };
        refused(&refresh(&unbound), &["invalid_request", "invalid_grant", "invalid_client"]);
        refused(&refresh(&suite.shown(1)).expect_status(400), &["invalid_grant"]);

        let refreshed = refresh(&good).expect_status(200);
        assert_ne!(refreshed.member("access_token"), tokens.member("access_token"));
        if suite.variant.plan() != Plan::Advanced {
            // FAPI 2.0 Security Profile section 5.3.2.1-9.
            let successor = refreshed["refresh_token"].as_str().unwrap_or(refresh_token);
            assert_eq!(successor, refresh_token);
        }
        if suite.variant.is_openid() {
            let (before, after) =
                (suite.kit.id_token(&tokens, "suite"), suite.kit.id_token(&refreshed, "suite"));
            for name in ["iss", "sub", "aud", "auth_time"] {
                assert_eq!(before.claims[name], after.claims[name], "{name}");
            }
            let _ = suite.resource(0, refreshed.member("access_token")).expect_status(200);
        }
    });
}
