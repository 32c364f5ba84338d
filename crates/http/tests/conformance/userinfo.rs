//! Modules about UserInfo and the claims that it returns.

use std::collections::BTreeSet;

use chancery_testkit::{Answer, TestProvider, claims_of_scope};
use serde_json::json;

use crate::suite::{Suite, in_each_flow};

/// UserInfo, asked for in one of the ways in which a token can be shown.
fn check_userinfo(way: impl Fn(&TestProvider, &str) -> Answer) {
    in_each_flow(|suite| {
        let outcome = suite.outcome(&suite.kit.user_agent(), &suite.request());
        let answer = way(&suite.kit, outcome.tokens.member("access_token")).expect_status(200);
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
    let suite = Suite::with_client("signed", json!({"userinfo_signed_response_alg": "RS256"}));
    let outcome = suite.outcome(&suite.kit.user_agent(), &suite.of("signed"));
    assert_eq!(outcome.userinfo.header("content-type"), Some("application/jwt"));
    let jwt = suite.kit.try_verify(outcome.userinfo.text(), "signed").expect("a JWT that verifies");
    assert_eq!(jwt.header.alg, chancery_jose::SigningAlgorithm::Rs256);
    assert_eq!(jwt.claims["iss"], suite.kit.issuer().as_str());
    assert_eq!(jwt.claims["aud"], "signed");
    assert_eq!(jwt.claims["sub"], outcome.id_token.claims["sub"]);
    assert!(jwt.claims["nonce"].is_null());
}

/// A request with a scope, for whose values UserInfo must have all claims and no other.
fn check_scope(scope: &str) {
    in_each_flow(|suite| {
        let outcome = suite.outcome(&suite.kit.user_agent(), &suite.request().scope(scope));
        let names: BTreeSet<String> = outcome.userinfo.member_names().into_iter().collect();
        let claims = scope.split(' ').flat_map(claims_of_scope).chain(&["sub"]);
        assert_eq!(names, claims.map(|name| (*name).to_owned()).collect());
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
        let outcome = suite.succeeds_with("claims", r#"{"userinfo":{"name":{"essential":true}}}"#);
        assert_eq!(outcome.userinfo["name"], "alice Example");
    });
}
