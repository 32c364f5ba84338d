//! Modules about codes and refresh tokens at the token endpoint.

use chancery_testkit::seconds;

use crate::suite::{Flow, check_entropy, in_each_flow, in_flows, through};

fn has_code(flow: Flow) -> bool {
    flow.returns("code")
}

/// The same code again after so many seconds.
fn check_codereuse(wait: u64) {
    in_flows(has_code, |suite| {
        let request = suite.request();
        let arrival = through(request.open(&suite.kit.user_agent()));
        let tokens = suite.exchange(&request, &arrival).expect_status(200);
        suite.kit.clock.advance(seconds(wait));
        let again = suite.exchange(&request, &arrival).expect_status(400);
        assert_eq!(again["error"], "invalid_grant");
        let token = tokens.member("access_token");
        assert_eq!(suite.kit.userinfo(token).status, 401, "the first access token is dead");
    });
}

/// oidcc-codereuse
#[test]
fn codereuse() {
    check_codereuse(0);
}

/// oidcc-codereuse-30seconds
#[test]
fn codereuse_30seconds() {
    check_codereuse(30);
}

/// oidcc-refresh-token
#[test]
fn refresh_token() {
    in_flows(has_code, |suite| {
        let (kit, ua) = (&suite.kit, suite.kit.user_agent());
        let scope = "openid offline_access";
        let login = |client| suite.outcome(&ua, &suite.of(client).scope(scope).set("prompt", "consent"));
        let (first, second) = (login("suite"), login("suite2"));
        let token = first.tokens().member("refresh_token");
        check_entropy(token);
        kit.clock.advance(seconds(5));
        let refreshed = kit.refresh_request("suite", token).param("scope", scope).send().expect_status(200);
        assert_eq!(refreshed.header("cache-control"), Some("no-store"));
        assert_ne!(refreshed["access_token"], first.tokens()["access_token"]);
        let (before, after) = (&first.id_token.claims, kit.id_token(&refreshed, "suite").claims);
        for name in ["iss", "sub", "aud", "auth_time", "azp"] {
            assert_eq!(after[name], before[name], "{name}");
        }
        assert!(after["iat"].as_i64() > before["iat"].as_i64());
        let theirs = second.tokens().member("refresh_token");
        assert_eq!(kit.refresh("suite", theirs).expect_status(400)["error"], "invalid_grant");
        assert_eq!(kit.refresh("suite2", theirs).status, 200, "and its owner keeps it");
    });
}

/// oidcc-server-client-secret-post
#[test]
fn server_client_secret_post() {
    in_flows(has_code, |suite| {
        let _ = suite.outcome(&suite.kit.user_agent(), &suite.of("suite-post"));
    });
}

/// oidcc-ensure-request-with-valid-pkce-succeeds
#[test]
fn valid_pkce() {
    in_each_flow(|suite| {
        let request = suite.request().pkce("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let arrival = through(request.open(&suite.kit.user_agent()));
        if !suite.flow.returns("code") {
            return; // a challenge without a code says nothing
        }
        let another = request.clone().pkce("another-verifier-of-forty-three-characters-x");
        assert_eq!(suite.exchange(&another, &arrival).expect_status(400)["error"], "invalid_grant");
        let _ = suite.exchange(&request, &arrival).expect_status(200);
    });
}
