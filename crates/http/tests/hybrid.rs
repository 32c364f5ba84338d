//! OpenID Connect Core 1.0 section 3.3, the hybrid flow; OAuth 2.0 Multiple Response Types section 5; RFC 9700
//! section 2.1.2, for which it is off by default.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

use chancery_core::endpoint::token::authorization_code::CODE_USED;
use chancery_core::request::response::RESPONSE_MODE_UNSAFE;
use chancery_core::request::validated::{
    NONCE_MISSING, OPENID_MISSING_FOR_ID_TOKEN, RESPONSE_TYPE_UNSUPPORTED,
};
use chancery_core::rule::pkce::MISSING;
use chancery_jose::{base64url, sha256};
use chancery_testkit::{
    Arrival, AuthorizationRequest, NegativeTable, Refused, SECRET, Tab, TestProvider, UserAgent, VerifiedJwt,
    assert_refused, minutes, seconds,
};
use serde_json::json;

const TYPES: [&str; 3] = ["code id_token", "code token", "code id_token token"];

fn kit() -> TestProvider {
    let client = |id: &str, more: &str| {
        format!(
            r#"{{"client_id":"{id}","client_secret":"{SECRET}","redirect_uris":["https://{id}.example/cb"],
                "response_types":["code","code id_token","token code","id_token token code"],
                "grant_types":["authorization_code","implicit","refresh_token"],
                "id_token_signed_response_alg":"ES256"{more}}}"#
        )
    };
    TestProvider::builder()
        .configure(|to| to.compatibility.hybrid = true)
        .client(&client("site", ""))
        .client(&client("of-jwt-api", r#","chancery":{"default_resource":"https://jwt-api.example"}"#))
        .build()
}

fn request(kit: &TestProvider, response_type: &str) -> AuthorizationRequest {
    let request = kit.authorization_request("site").set("response_type", response_type);
    request.scope("openid email").set("nonce", "a nonce")
}

/// Somebody who has nothing to decide any more.
fn person(kit: &TestProvider) -> UserAgent<'_> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "site", "openid email");
    ua
}

/// Half of the digest (OIDC Core section 3.3.2.11).
fn half(text: &str) -> String {
    base64url::encode(sha256(text.as_bytes()).split_at(16).0)
}

/// The ID token of the response, checked as a client has to (OIDC Core section 3.3.2.12).
fn id_token(kit: &TestProvider, arrival: &Arrival) -> Option<VerifiedJwt> {
    let jwt = kit.try_verify(arrival.value("id_token")?, "site").expect("an ID token that verifies");
    assert_eq!(jwt.claims["nonce"], "a nonce");
    assert_eq!(jwt.claims["c_hash"].as_str(), arrival.value("code").map(half).as_deref());
    assert_eq!(jwt.claims["at_hash"].as_str(), arrival.value("access_token").map(half).as_deref());
    assert!(jwt.claims["s_hash"].is_null());
    Some(jwt)
}

/// AUTHZ-06, AUTHZ-50, oidcc-server, oidcc-scope-email, oidcc-userinfo-get, oidcc-alternate-happy-flow
///
/// CLAIM-17, RMODE-01, oidcc-ensure-request-with-valid-pkce-succeeds: everything that was asked for is there,
/// in the fragment; the code is good for tokens of its own; both ID tokens speak of the same person, and neither
/// has the claims of the scopes, which are at UserInfo (OIDC Core sections 3.3.3.6 and 5.4).
#[test]
fn code_and_tokens() {
    let kit = kit();
    let ua = person(&kit);
    for (response_type, names) in [
        ("code id_token", &["code", "id_token", "state", "iss"][..]),
        ("id_token code", &["code", "id_token", "state", "iss"]),
        ("code token", &["code", "access_token", "token_type", "expires_in", "scope", "state", "iss"]),
        (
            "token id_token code",
            &["code", "access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"],
        ),
    ] {
        let tab = request(&kit, response_type).open(&ua);
        let arrival = tab.expect_arrival();
        assert_eq!((arrival.mode, arrival.uri.as_str()), ("fragment", "https://site.example/cb"));
        assert_eq!(arrival.names(), names);
        let first = id_token(&kit, &arrival);
        let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
        let second = kit.id_token(&tokens, "site");
        assert_eq!(second.claims["at_hash"], half(tokens.member("access_token")));
        for jwt in [first.as_ref().unwrap_or(&second), &second] {
            assert!(jwt.claims["email"].is_null(), "{}", jwt.claims);
            for name in ["iss", "sub", "aud", "nonce", "auth_time", "acr", "amr"] {
                assert_eq!(jwt.claims[name], second.claims[name], "{name}");
            }
        }
        let of_front = arrival.value("access_token");
        assert_ne!(of_front, Some(tokens.member("access_token")));
        for token in of_front.into_iter().chain([tokens.member("access_token")]) {
            let answer = kit.userinfo(token).expect_status(200);
            assert_eq!((&answer["sub"], &answer["email"]), (&json!("alice"), &json!("alice@example.org")));
            assert_eq!(kit.introspect("site", token)["scope"], "openid email");
        }
    }
}

/// oidcc-codereuse, oidcc-codereuse-30seconds, RFC 6749 section 4.1.2: a code that comes twice ends everything
/// that came of the authorization, also what came beside it.
#[test]
fn a_replayed_code_ends_the_tokens_beside_it() {
    let kit = kit();
    let ua = person(&kit);
    for wait in [0, 30] {
        let tab = request(&kit, "code id_token token").open(&ua);
        let arrival = tab.expect_arrival();
        let code = tab.expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        kit.clock.advance(seconds(wait));
        assert_refused!(kit.exchange(&code), CODE_USED);
        for token in [arrival.value("access_token").unwrap_or_default(), tokens.member("access_token")] {
            assert_refused!(kit.userinfo(token), "invalid_token", "access_token_unknown");
        }
    }
}

/// AUTHZ-24, oidcc-refresh-token: there is a code, so that `offline_access` counts; but a refresh token never goes
/// through the browser (RFC 6749 section 4.2.2).
#[test]
fn refresh_tokens_come_from_the_token_endpoint() {
    let kit = kit();
    for response_type in TYPES {
        let ua = person(&kit);
        ua.has_consented("alice", "site", "openid email offline_access");
        let tab = request(&kit, response_type).scope("openid offline_access").open(&ua);
        let arrival = tab.expect_arrival();
        assert_eq!(arrival.value("refresh_token"), None);
        let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
        ua.ends_session();
        let refreshed = kit.refresh("site", tokens.member("refresh_token")).expect_status(200);
        let again = kit.id_token(&refreshed, "site");
        assert_eq!(again.claims["sub"], "alice");
        assert!(again.claims["c_hash"].is_null() && again.claims["nonce"].is_null());
        if let Some(token) = arrival.value("access_token") {
            let _ = kit.userinfo(token).expect_status(200);
            let _ = kit.revoke("site", refreshed.member("refresh_token")).expect_status(200);
            assert_eq!(kit.userinfo(token).status, 401, "it belongs to the same grant");
        }
    }
}

/// AUTHZ-16, AUTHZ-27, oidcc-ensure-request-without-nonce-succeeds-for-code-flow: `nonce` is needed where an ID token goes through
/// the browser, and there alone; the same holds for `openid`.
#[test]
fn code_and_access_token_need_no_nonce() {
    let kit = kit();
    let ua = person(&kit);
    let arrival = request(&kit, "code token").without("nonce").open(&ua).expect_arrival();
    assert!(arrival.value("access_token").is_some());
    let tab = request(&kit, "code token").without("nonce").scope("email").open(&ua);
    assert_eq!(tab.expect_arrival().value("scope"), Some("email"));
    let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
    assert!(tokens["id_token"].is_null());
    for response_type in ["code id_token", "code id_token token"] {
        let tab = request(&kit, response_type).without("nonce").open(&ua);
        assert_eq!(tab.expect_error("invalid_request").mode, "fragment");
        assert_refused!(tab, NONCE_MISSING);
        let request = request(&kit, response_type).scope("email");
        let tab = request.open(&ua);
        assert_eq!(tab.expect_error("invalid_request").mode, "fragment");
        assert_refused!(tab, OPENID_MISSING_FOR_ID_TOKEN);
    }
}

/// A JWT of a resource server is one from the browser as well, and both end with their grant.
#[test]
fn a_jwt_for_a_resource_server() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request = kit.authorization_request("of-jwt-api").set("response_type", "code token");
    let tab = request.scope("openid read").open(&ua).expect_page("consent").allow();
    let arrival = tab.expect_arrival();
    assert_eq!(arrival.value("expires_in"), Some("300"));
    let token = arrival.value("access_token").unwrap_or_default();
    let jwt = kit.try_verify(token, "of-jwt-api").unwrap();
    assert_eq!(jwt.claims["aud"], json!(["https://jwt-api.example", kit.issuer().as_str()]));
    assert!(kit.is_active("api", token));
    let code = tab.expect_code();
    let _ = kit.exchange(&code).expect_status(200);
    assert_refused!(kit.exchange(&code), CODE_USED);
    assert!(!kit.is_active("api", token));
}

/// CLAIM-04, oidcc-claims-essential: what `claims` asks for in the ID token is in both.
#[test]
fn single_claims_are_in_both_id_tokens() {
    let kit = kit();
    let ua = person(&kit);
    let claims = r#"{"id_token":{"email":{"essential":true}},"userinfo":{"email":null}}"#;
    let tab = request(&kit, "code id_token").set("claims", claims).open(&ua);
    let first = id_token(&kit, &tab.expect_arrival()).unwrap();
    let second = kit.id_token(&kit.exchange(&tab.expect_code()).expect_status(200), "site");
    for jwt in [first, second] {
        assert_eq!(jwt.claims["email"], "alice@example.org");
    }
}

/// INT-06, INT-10..14: a double click leads to the same code, with tokens that work beside it.
#[test]
fn a_step_that_is_repeated() {
    for response_type in TYPES {
        let kit = kit();
        let ua = kit.user_agent();
        let login = request(&kit, response_type).open(&ua);
        let consent = login.login("alice").expect_page("consent");
        let (first, second) = (consent.allow(), consent.allow());
        let code = second.expect_code();
        assert_eq!(first.expect_code(), code);
        for tab in [&first, &second] {
            let arrival = tab.expect_arrival();
            let _ = id_token(&kit, &arrival);
            if let Some(token) = arrival.value("access_token") {
                let _ = kit.userinfo(token).expect_status(200);
            }
        }
        let _ = kit.exchange(&code).expect_status(200);
        // The client has used it: the request begins anew.
        let third = consent.allow();
        assert_ne!(third.expect_code(), code);
        kit.clock.advance(seconds(11));
        let _ = consent.allow().expect_way_on();
    }
}

/// RMODE-03, RMODE-09: the form is for all of it; the query is for none of it.
#[test]
fn the_modes_of_the_hybrid_flow() {
    let kit = kit();
    let ua = person(&kit);
    for response_type in TYPES {
        for mode in ["fragment", "form_post"] {
            let tab = request(&kit, response_type).set("response_mode", mode).open(&ua);
            let arrival = tab.expect_arrival();
            assert_eq!(arrival.mode, mode);
            let _ = id_token(&kit, &arrival);
            let _ = kit.exchange(&tab.expect_code()).expect_status(200);
        }
        let tab = request(&kit, response_type).set("response_mode", "query").open(&ua);
        assert_eq!(tab.expect_error("invalid_request").mode, "fragment");
        assert_refused!(tab, RESPONSE_MODE_UNSAFE);
        let error = request(&kit, response_type).set("response_mode", "form_post").set("prompt", "none");
        let arrival = error.open(&kit.user_agent()).expect_error("login_required");
        assert_eq!(arrival.mode, "form_post");
    }
}

/// AUTHZ-09, RFC 9700 section 2.1.2: off by default, and beside the implicit flow.
#[test]
fn it_is_off_by_default() {
    let metadata = |response_type: &str| {
        format!(
            r#"{{"client_id":"new","client_secret":"{SECRET}","redirect_uris":["https://new.example/cb"],
                "response_types":["{response_type}"]}}"#
        )
    };
    let off = TestProvider::builder().configure(|to| to.compatibility.implicit = true).build();
    let ua = off.user_agent();
    for response_type in TYPES {
        let complaints = off.registry.put(&metadata(response_type)).unwrap_err();
        assert!(complaints.iter().any(|complaint| complaint.setting == "response_types"), "{complaints:?}");
        let tab = off.authorization_request("web").set("response_type", response_type).scope("openid");
        let tab = tab.set("nonce", "n").open(&ua);
        assert_eq!(tab.expect_error("unsupported_response_type").mode, "fragment");
        assert_refused!(tab, RESPONSE_TYPE_UNSUPPORTED);
    }
    let kit = kit();
    let discovery = kit.get("/.well-known/openid-configuration");
    assert_eq!(
        discovery["response_types_supported"],
        json!(["code", "code id_token", "code token", "code id_token token", "none"])
    );
    assert_eq!(
        discovery["grant_types_supported"],
        json!(["authorization_code", "implicit", "client_credentials", "refresh_token"])
    );
    assert!(kit.registry.put(&metadata("id_token token")).is_err());
}

/// As many calls of the store as for a code alone, before and at the exchange.
#[test]
fn it_costs_as_much_as_a_code() {
    let kit = kit();
    let ua = person(&kit);
    for response_type in TYPES {
        let request = request(&kit, response_type);
        let (tab, trips): (Tab<'_, '_>, u64) = kit.trips(|| request.open(&ua));
        assert_eq!(trips, 4, "{response_type}");
        let code = tab.expect_code();
        assert_eq!(kit.trips(|| kit.exchange(&code).expect_status(200)).1, 2, "{response_type}");
    }
}

/// What expires is swept: nothing of an authorization is left behind when its code was never exchanged.
#[test]
fn nothing_is_left_behind() {
    let kit = kit();
    let ua = person(&kit);
    for response_type in TYPES {
        let _ = request(&kit, response_type).open(&ua).expect_code();
        kit.clock.advance(minutes(62));
        let swept = kit.run_once();
        let expected = if response_type.contains(" token") { 3 } else { 2 };
        assert_eq!(swept, expected, "{response_type}: grant, code and access token");
    }
}

/// AUTHZ-07, AUTHZ-08, PKCE-04, oidcc-ensure-registered-redirect-uri: what must not lead to codes and tokens.
#[test]
fn requests_that_must_not_be_answered() {
    let kit = kit();
    let ua = person(&kit);
    assert_refused!(request(&kit, "code id_token token").without_pkce().open(&ua), MISSING);
    let client = Refused::Client("invalid_request");
    let mut table = NegativeTable::new(&kit);
    for response_type in TYPES {
        let request = || request(&kit, response_type);
        table = table
            .row(format!("{response_type}: no PKCE"), request().without_pkce(), client)
            .row(format!("{response_type}: plain"), request().set("code_challenge_method", "plain"), client)
            .row(format!("{response_type}: two nonces"), request().param("nonce", "x"), client)
            .row(
                format!("{response_type}: a foreign redirect URI"),
                request().set("redirect_uri", "https://evil.example/cb"),
                Refused::Page(400, "invalid_request"),
            )
            .row(
                format!("{response_type}: another client"),
                request().set("client_id", "web").set("redirect_uri", "https://web.example/cb"),
                Refused::Client("unauthorized_client"),
            );
    }
    for response_type in ["id_token", "id_token token", "token", "code none", "code  token", "code\ttoken"] {
        table = table.row(
            response_type,
            request(&kit, response_type),
            Refused::Client("unsupported_response_type"),
        );
    }
    table.run();
}
