//! Clients that an operator changes (`client::change_fetching`, `chancery client update|disable|enable`).

use chancery_core::client::NotRegistered;
use chancery_core::event::Event;
use chancery_testkit::{Answer, TestProvider, refusals};
use chancery_types::params;

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

/// What an answer says to whoever sees it, whatever it calls itself and its client; of a page what is in it, below the nonce
/// of its head.
fn outside(answer: &Answer, client: &str) -> (u16, String) {
    let id = answer.header("x-request-id").unwrap_or("no id");
    let said = answer.text().split("<main").last().unwrap_or_default();
    (answer.status.as_u16(), said.replace(id, "ID").replace(client, "CLIENT"))
}

/// Wherever somebody uses a client that is disabled, the log says so, and names it; whoever has asked sees what an
/// unknown client, or a token of nobody, leads to.
#[test]
fn the_log_alone_says_that_a_client_is_disabled() {
    let kit = TestProvider::builder().configure(|to| {
        to.pushed_requests.offered = true;
        to.ciba.offered = true;
        to.device_authorization.offered = true;
    });
    let kit = kit.build();
    let ua = kit.user_agent();
    let tokens = kit.tokens("alice", "web", "openid");
    let login = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    kit.change_client("web", DISABLED).expect("a good change");
    kit.put_client(r#"{"client_id":"gone","client_secret":"a-secret-of-forty-three-characters-for-test","redirect_uris":["https://web.example/cb"]}"#);
    kit.remove_client("gone");

    let logout = |parameters: &[(&str, &str)]| {
        let query = params::encode(parameters.iter().copied());
        kit.user_agent().follow_from_another_site(&format!("/logout?{query}")).answer().clone()
    };
    let by_id = |id| logout(&[("client_id", id), ("post_logout_redirect_uri", "https://web.example/bye")]);
    let ask = |id: &str| {
        kit.authorization_request("web").set("client_id", id).open(&kit.user_agent()).answer().clone()
    };
    let mut rows = vec![
        ("authorization", ask("web"), ask("gone"), "authorization_client_disabled"),
        ("logout by client_id", by_id("web"), by_id("gone"), "logout_client_disabled"),
        (
            "logout by a hint",
            logout(&[("id_token_hint", tokens.member("id_token"))]),
            logout(&[("id_token_hint", "nonsense")]),
            "logout_hint_client_disabled",
        ),
        (
            "UserInfo",
            kit.userinfo(tokens.member("access_token")),
            kit.userinfo("at_unknown"),
            "access_token_client_disabled",
        ),
    ];
    for path in ["/token", "/par", "/device_authorization", "/backchannel", "/introspect", "/revoke"] {
        let by = |client: &str| kit.request(path, client).param("token", "at_unknown").send();
        rows.push((path, by("web"), by("gone"), "client_disabled"));
    }
    for (at, disabled, unknown, reason) in rows {
        assert_eq!(refusals(&disabled.events), [reason], "{at}");
        let named = disabled.events.iter().any(|event| {
            matches!(event, Event::Refused { client: Some(client), .. } if client.id().as_str() == "web")
        });
        assert!(named || at == "UserInfo", "{at}: {:?}", disabled.events);
        assert_eq!(outside(&disabled, "web"), outside(&unknown, "gone"), "{at}");
    }
    // Nor does a page that was open already say it.
    let late = login.login("alice").expect_page("error");
    assert_eq!(refusals(late.events()), ["authorization_client_disabled"]);
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
