//! Modules about UserInfo and the claims that it returns.

use chancery_jose::SigningAlgorithm;
use chancery_testkit::{Answer, TestProvider, claims_of_scope};
use serde_json::json;

use crate::suite::{Flow, in_each_flow, in_flows};

fn has_userinfo(flow: Flow) -> bool {
    flow.returns("code") || flow.returns("token")
}

/// UserInfo, asked for in one of the ways in which a token can be shown.
fn check_userinfo(way: impl Fn(&TestProvider, &str) -> Answer) {
    in_flows(has_userinfo, |suite| {
        let outcome = suite.outcome(&suite.kit.user_agent(), &suite.request());
        let token = outcome.access_token.expect("an access token");
        let answer = way(&suite.kit, &token).expect_status(200);
        assert_eq!(answer["sub"], outcome.id_token.claims["sub"]);
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    });
}

/// oidcc-userinfo-get
#[test]
fn userinfo_get() {
    check_userinfo(|kit, token| kit.userinfo(token));
}

/// oidcc-userinfo-post-header
#[test]
fn userinfo_post_header() {
    let bearer = |token: &str| format!("Bearer {token}");
    check_userinfo(|kit, token| {
        kit.anonymous_request("/userinfo").header("authorization", &bearer(token)).send()
    });
}

/// oidcc-userinfo-post-body
#[test]
fn userinfo_post_body() {
    check_userinfo(|kit, token| kit.anonymous_request("/userinfo").param("access_token", token).send());
}

/// oidcc-userinfo-rs256: a JWT of the algorithm that the client is registered with, for this client, without
/// a nonce.
#[test]
fn userinfo_rs256() {
    in_flows(has_userinfo, |suite| {
        suite.put_client("signed", json!({"userinfo_signed_response_alg": "RS256"}));
        let outcome = suite.outcome(&suite.kit.user_agent(), &suite.of("signed"));
        let userinfo = outcome.userinfo.expect("an answer of UserInfo");
        assert_eq!(userinfo.header("content-type"), Some("application/jwt"));
        let jwt = suite.kit.try_verify(userinfo.text(), "signed").expect("a JWT that verifies");
        assert_eq!(jwt.header.alg, SigningAlgorithm::Rs256);
        assert_eq!(jwt.claims["iss"], suite.kit.issuer().as_str());
        assert_eq!(jwt.claims["aud"], "signed");
        assert_eq!(jwt.claims["sub"], outcome.id_token.claims["sub"]);
        assert!(jwt.claims["nonce"].is_null());
    });
}

/// A request with a scope, for whose values UserInfo must have all claims and no other; or the ID token, if there
/// is nothing to ask UserInfo with.
fn check_scope(scope: &str) {
    in_each_flow(|suite| {
        let outcome = suite.outcome(&suite.kit.user_agent(), &suite.request().scope(scope));
        let claims: Vec<&str> = scope.split(' ').flat_map(claims_of_scope).copied().collect();
        let has = |names: &[String]| claims.iter().all(|claim| names.iter().any(|name| name == claim));
        match &outcome.userinfo {
            Some(userinfo) => {
                let names = userinfo.member_names();
                assert!(has(&names) && names.len() == claims.len() + 1, "{names:?}");
            }
            None => assert!(has(&outcome.id_token.names), "{:?}", outcome.id_token.names),
        }
    });
}

/// oidcc-scope-profile
#[test]
fn scope_profile() {
    check_scope("openid profile");
}

/// oidcc-scope-email
#[test]
fn scope_email() {
    check_scope("openid email");
}

/// oidcc-scope-address
#[test]
fn scope_address() {
    check_scope("openid address");
}

/// oidcc-scope-phone
#[test]
fn scope_phone() {
    check_scope("openid phone");
}

/// oidcc-scope-all
#[test]
fn scope_all() {
    check_scope("openid profile email address phone");
}

/// oidcc-claims-essential
#[test]
fn claims_essential() {
    in_each_flow(|suite| {
        let place = if has_userinfo(suite.flow) { "userinfo" } else { "id_token" };
        let claims = json!({place: {"name": {"essential": true}}}).to_string();
        assert_eq!(suite.succeeds_with("claims", &claims).claim("name"), "alice Example");
    });
}
