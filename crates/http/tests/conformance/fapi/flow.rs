//! Modules about the whole way, and about what a request may ask for.

use serde_json::json;

use super::sent::Sent;
use super::suite::{CALLBACK, CLIENTS, End, Plan, Suite, Variant, in_each, in_variants};

/// fapi1-advanced-final, fapi2-security-profile-final-happy-flow, fapi2-security-profile-id2-happy-flow
#[test]
fn two_clients() {
    in_each(|suite| {
        let first = suite.outcome(0, &suite.request(0));
        let second = suite.outcome(1, &suite.request(1));
        assert_ne!(first.member("access_token"), second.member("access_token"));
        if suite.variant.is_openid() {
            // What a resource says about itself (FAPI 1.0 part 1 section 6.2.1).
            let token = first.member("access_token");
            let ask = |more: &[(&str, &str)]| suite.resource_spelled(0, token, str::to_owned, more);
            let id = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a";
            let answer = ask(&[("x-fapi-interaction-id", id)]);
            assert_eq!(answer.header("x-fapi-interaction-id"), Some(id));
            assert!(answer.header("date").is_some_and(|date| date.ends_with(" GMT")));
            assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
            for accept in ["application/json; charset=utf-8", "application/json, application/*+json, */*"] {
                let _ = ask(&[("accept", accept)]).expect_status(200);
            }
            let made = ask(&[]);
            assert_eq!(made.header("x-fapi-interaction-id").map(str::len), Some(id.len()));
            let query = suite.kit.anonymous_request("/userinfo").get();
            let query = query.param("access_token", token);
            assert!(matches!(query.send().status.as_u16(), 400 | 401));
        }
    });
}

/// fapi1-advanced-final-access-token-type-header-case-sensitivity,
/// fapi2-security-profile-final-access-token-type-header-case-sensitivity,
/// fapi2-security-profile-id2-access-token-type-header-case-sensitivity
#[test]
fn the_scheme_in_other_letters() {
    in_variants(Variant::is_openid, |suite| {
        let token = suite.outcome(0, &suite.request(0)).member("access_token").to_owned();
        for spell in [str::to_lowercase, str::to_uppercase] {
            let _ = suite.resource_spelled(0, &token, spell, &[]).expect_status(200);
        }
    });
}

/// fapi1-advanced-final-user-rejects-authentication,
/// fapi2-security-profile-final-user-rejects-authentication,
/// fapi2-security-profile-id2-user-rejects-authentication
#[test]
fn nobody_signs_in() {
    in_each(|suite| {
        let sent = Sent::new(suite, 0, &suite.request(0));
        let ua = suite.kit.user_agent();
        let tab = Suite::open(&ua, &sent.address().expect("an address")).expect_page("login").cancel();
        let End::Client(response) = sent.end_of(&tab) else { panic!("the client was not told") };
        assert_eq!(response.get("error").map(String::as_str), Some("access_denied"));
        assert_eq!(response.get("code"), None);
    });
}

/// fapi1-advanced-final-ensure-authorization-request-without-state-success,
/// fapi2-security-profile-final-ensure-authorization-request-without-state-success,
/// fapi2-security-profile-id2-ensure-authorization-request-without-state-success
#[test]
fn without_state() {
    in_each(|suite| {
        let _ = suite.outcome(0, &suite.request(0).without("state"));
    });
}

/// fapi2-security-profile-final-ensure-authorization-request-without-nonce-success,
/// fapi2-security-profile-id2-ensure-authorization-request-without-nonce-success
#[test]
fn without_nonce() {
    in_variants(
        |variant| variant.plan() != Plan::Advanced,
        |suite| {
            let _ = suite.outcome(0, &suite.request(0).without("nonce"));
        },
    );
}

/// fapi1-advanced-final-ensure-request-object-with-64-char-nonce-success,
/// fapi2-security-profile-final-ensure-authorization-request-with-64-char-nonce-success,
/// fapi2-security-profile-id2-ensure-request-object-with-64-char-nonce-success,
/// fapi1-advanced-final-ensure-request-object-with-long-nonce,
/// fapi2-security-profile-final-ensure-authorization-request-with-long-nonce,
/// fapi2-security-profile-id2-ensure-request-object-with-long-nonce
#[test]
fn long_nonces() {
    in_variants(Variant::is_openid, |suite| {
        for length in [43, 64, 384] {
            let _ = suite.outcome(0, &suite.request(0).set("nonce", &"n".repeat(length)));
        }
    });
}

/// fapi1-advanced-final-ensure-request-object-with-long-state,
/// fapi2-security-profile-final-ensure-authorization-request-with-long-state,
/// fapi2-security-profile-id2-ensure-request-object-with-long-state
#[test]
fn long_states() {
    in_each(|suite| {
        for length in [128, 384, 1000] {
            let _ = suite.outcome(0, &suite.request(0).set("state", &"s".repeat(length)));
        }
    });
}

/// fapi1-advanced-final-ensure-other-scope-order-succeeds,
/// fapi2-security-profile-final-ensure-other-scope-order-succeeds,
/// fapi2-security-profile-id2-ensure-other-scope-order-succeeds
#[test]
fn scopes_in_another_order() {
    in_variants(Variant::is_openid, |suite| {
        let _ = suite.outcome(0, &suite.request(0).scope("email profile openid"));
    });
}

/// fapi1-advanced-final-ensure-valid-pkce-succeeds
#[test]
fn pkce_without_par() {
    in_variants(
        |variant| !variant.is_pushed(),
        |suite| {
            let request = suite.request(0).pkce("a-verifier-of-forty-three-characters-at-least");
            let _ = suite.outcome(0, &request);
        },
    );
}

/// fapi2-security-profile-final-test-claims-parameter-identity-claims,
/// fapi2-security-profile-id2-test-claims-parameter-identity-claims
#[test]
fn single_claims() {
    in_variants(
        |variant| variant.is_openid() && variant.plan() != Plan::Advanced,
        |suite| {
            for member in [json!(null), json!({"essential": true}), json!({"essential": false})] {
                let claims = json!({"id_token": {"email": member}, "userinfo": {"given_name": member}});
                let request = suite.request(0).scope("openid").set("claims", &claims.to_string());
                let tokens = suite.outcome(0, &request);
                let id_token = suite.kit.id_token(&tokens, CLIENTS[0]);
                assert!(id_token.claims["email"].is_string(), "{member}");
                let userinfo = suite.resource(0, tokens.member("access_token"));
                assert!(userinfo["given_name"].is_string(), "{member}");
            }
        },
    );
}

/// fapi1-advanced-final-ensure-response-mode-query
///
/// Nothing of the response is in the query as it is.
#[test]
fn response_mode_query() {
    in_variants(
        |variant| variant.plan() == Plan::Advanced,
        |suite| {
            let sent = Sent::new(suite, 0, &suite.request(0)).with("response_mode", "query");
            let address = match sent.address() {
                Ok(address) => address,
                Err(answer) => return super::suite::refused(&answer, &["invalid_request"]),
            };
            let ua = suite.kit.user_agent();
            let tab = Suite::open(&ua, &address);
            if tab.is_answered_with("error") {
                let arrival = tab.expect_arrival();
                assert_eq!(arrival.value("code"), None);
                assert_eq!(arrival.value("error"), Some("invalid_request"));
            } else {
                sent.end_of(&tab).expect_refused(&["invalid_request"]);
            }
        },
    );
}

/// fapi1-advanced-final-ensure-response-type-code-fails,
/// fapi2-security-profile-final-ensure-response-type-code-idtoken-fails,
/// fapi2-security-profile-id2-ensure-response-type-code-idtoken-fails,
/// fapi2-security-profile-final-ensure-response-type-token-fails,
/// fapi2-security-profile-id2-ensure-response-type-token-fails
#[test]
fn response_types() {
    // The last one is good only where the request is pushed.
    const CODES: [&str; 3] = ["unsupported_response_type", "invalid_request", "unauthorized_client"];
    in_each(|suite| {
        let types: &[&str] = match suite.variant.plan() {
            // `code` wants a signed response, and there is none without a response mode.
            Plan::Advanced => &["code", "token"],
            _ => &["code id_token", "token", "id_token", "code token", "none"],
        };
        for response_type in types {
            let request = suite.request(0).set("response_type", response_type).without("response_mode");
            let sent = Sent::new(suite, 0, &request);
            let address = match sent.address() {
                Ok(address) => address,
                Err(answer) => {
                    super::suite::refused(&answer, &CODES);
                    continue;
                }
            };
            let ua = suite.kit.user_agent();
            let arrival = Suite::open(&ua, &address).expect_arrival();
            assert_eq!((arrival.value("code"), arrival.value("state")), (None, Some("YxC4e0nXzB")));
            assert!(CODES[..2].contains(&arrival.value("error").unwrap_or_default()), "{response_type}");
        }
    });
}

/// fapi1-advanced-final-ensure-redirect-uri-in-authorization-request,
/// fapi2-security-profile-final-ensure-redirect-uri-in-authorization-request,
/// fapi2-security-profile-id2-ensure-redirect-uri-in-authorization-request
#[test]
fn no_redirect_uri() {
    in_each(|suite| {
        Sent::new(suite, 0, &suite.request(0).without("redirect_uri"))
            .end()
            .expect_refused(&["invalid_request"]);
    });
}

/// What stands beside the reference changes nothing: the response goes where the pushed request said.
#[test]
fn a_response_goes_where_the_pushed_request_says() {
    in_variants(Variant::is_pushed, |suite| {
        let sent = Sent::new(suite, 1, &suite.request(1)).beside("redirect_uri", CALLBACK);
        let ua = suite.kit.user_agent();
        let tab = Suite::open(&ua, &sent.address().expect("an address")).login("alice");
        let tab = if tab.page().name == "consent" { tab.allow() } else { tab };
        let arrival = tab.expect_arrival();
        let in_query = arrival.parameters.iter().filter(|(name, _)| name.starts_with("dummy")).count();
        assert_eq!(in_query == 2, !suite.is_hybrid());
        assert_eq!(arrival.uri.ends_with("?dummy1=lorem&dummy2=ipsum"), suite.is_hybrid());
    });
}
