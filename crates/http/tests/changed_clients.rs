//! Clients that an operator changes (`client::change_fetching`, `chancery client update|disable|enable`).

use chancery_core::client::NotRegistered;
use chancery_testkit::TestProvider;

const DISABLED: &str = r#"{"chancery":{"enabled":false}}"#;
const ENABLED: &str = r#"{"chancery":{"enabled":true}}"#;

/// What was issued to a client that is disabled ends at that moment, and stays at its end when the client is enabled
/// again; people are asked for their consent anew. The client itself goes on with its secret.
#[test]
fn a_disabled_client_loses_everything() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let code = kit.code("alice", "web", "openid");
    let machine = kit.client_credentials_request("machine").send().expect_status(200);
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    for client in ["web", "machine"] {
        kit.change_client(client, DISABLED).expect("a good change");
    }
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401);
    assert_eq!(kit.exchange(&code).expect_status(401)["error"], "invalid_client");
    assert_eq!(kit.client_credentials_request("machine").send().status, 401);
    let _ = kit.authorization_request("web").scope("openid").open(&ua).expect_page("error");

    for client in ["web", "machine"] {
        kit.change_client(client, ENABLED).expect("a good change");
    }
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401);
    let refused = kit.refresh("web", tokens.member("refresh_token")).expect_status(400);
    assert_eq!(refused["error"], "invalid_grant");
    assert_eq!(kit.exchange(&code).expect_status(400)["error"], "invalid_grant");
    let seen = kit.introspect("machine", machine.member("access_token"));
    assert_eq!(seen["active"], false);
    let _ = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
    assert_eq!(kit.client_credentials_request("machine").send().status, 200);
    let _ = kit.tokens("bob", "web", "openid");
}

/// Any other change leaves what was issued alone, as far as the client is still registered for it.
#[test]
fn a_changed_client_keeps_its_tokens() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid profile offline_access");
    kit.change_client("web", r#"{"client_name":"Another","contacts":["ops@web.example"]}"#)
        .expect("a good change");
    kit.change_client("web", ENABLED).expect("a good change");
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 200);
    kit.change_client("web", r#"{"scope":"openid"}"#).expect("a good change");
    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    assert_eq!(userinfo.member_names(), ["sub"]);
    let _ = kit.refresh("web", tokens.member("refresh_token")).expect_status(200);
}

/// What comes out of a change is judged like a new client, all at once, and an id cannot change.
#[test]
fn what_is_not_changed() {
    let kit = TestProvider::new();
    let before = kit.client_revision("web");
    for (patch, settings) in [
        ("nonsense", &["metadata"][..]),
        (r#"{"client_id":"other"}"#, &["client_id"]),
        (r#"{"client_secret":"x"}"#, &["client_secret"]),
        (r#"{"redirect_uris":["http://web.example/"],"logo_uri":"data:x"}"#, &["logo_uri", "redirect_uris"]),
        (r#"{"token_endpoint_auth_method":"none"}"#, &["grant_types"]),
        (r#"{"sector_identifier_uri":"https://web.example/sector"}"#, &["sector_identifier_uri"]),
    ] {
        let NotRegistered { complaints, .. } = kit.change_client("web", patch).expect_err("complaints");
        let mut found: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
        found.sort_unstable();
        assert_eq!(found, settings, "{patch}");
    }
    assert_eq!(kit.client_revision("web"), before);
}
