//! Clients whose application is on the person's own machine, by the settings `chancery.http_loopback_redirects` and
//! `chancery.any_loopback_port`: RFC 8252
//! sections 7.3, 8.3 and 8.6 for clients that are no native applications.

#![expect(clippy::panic, reason = "tests")]

use chancery_core::client::{RegistrationRules, register};
use chancery_core::offered::{CompatibilityConfig, EndpointSet, Offered};
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{NegativeTable, Refused, TestProvider};
use serde_json::{Value, json};

fn metadata(members: Value) -> String {
    let mut metadata = json!({
        "client_id": "local",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://localhost/cb", "http://127.0.0.1/*", "http://[::1]/cb", "https://app.example/cb"],
        "post_logout_redirect_uris": ["http://localhost/bye"],
        "chancery": { "any_loopback_port": true, "http_loopback_redirects": true, "wildcard_redirect_uris": true },
    });
    if let (Some(metadata), Value::Object(members)) = (metadata.as_object_mut(), members) {
        metadata.extend(members);
    }
    metadata.to_string()
}

fn kit() -> TestProvider {
    TestProvider::builder().client(&metadata(json!({}))).build()
}

/// Opens a request with this redirect URI and says whether the person may go on.
fn goes_on(kit: &TestProvider, uri: &str) -> bool {
    let ua = kit.user_agent();
    let tab = kit.authorization_request("local").scope("openid").set("redirect_uri", uri).open(&ua);
    match tab.page().name.as_str() {
        "login" => true,
        "error" => false,
        other => panic!("{other} for {uri}"),
    }
}

/// AUTHZ-11, AUTHZ-12: any port of this machine, by the name `localhost`, too; and everything else as it was
/// registered.
#[test]
fn any_port_of_this_machine_is_good() {
    let kit = kit();
    for uri in [
        "http://localhost/cb",
        "http://localhost:5173/cb",
        "http://localhost:65535/cb",
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/any/where",
        "http://[::1]:4000/cb",
        "https://app.example/cb",
    ] {
        assert!(goes_on(&kit, uri), "{uri}");
    }
}

/// The code goes to the port that was named, and is exchanged by a page there: CORS-04.
#[test]
fn a_page_on_any_port_signs_in() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request =
        kit.authorization_request("local").scope("openid").set("redirect_uri", "http://localhost:5173/cb");
    let tab = request.open(&ua).expect_page("consent").allow();
    assert_eq!(tab.expect_arrival().uri, "http://localhost:5173/cb");
    let code = tab.expect_code();
    let origin = "http://localhost:5173";
    let tokens = kit.code_request(&code).header("origin", origin).send().expect_status(200);
    assert_eq!(tokens.header("access-control-allow-origin"), Some(origin));
}

/// RFC 8252 section 8.6: any program of the machine could be the client, so that the person is asked each time.
#[test]
fn the_person_is_asked_each_time() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "local", "openid");
    let request =
        kit.authorization_request("local").scope("openid").set("redirect_uri", "http://localhost:5173/cb");
    let _ = request.open(&ua).expect_page("consent");
    let _ = request.clone().set("prompt", "none").open(&ua).expect_error("consent_required");
}

/// After a logout, the person comes back to any port, too.
#[test]
fn a_logout_leads_back_to_any_port() {
    let kit = kit();
    let leads_back = |uri: &str| {
        let ua = kit.user_agent();
        let tab = ua.get(&format!("/logout?client_id=local&post_logout_redirect_uri={uri}"));
        tab.answer().header("location") == Some(uri)
    };
    assert!(leads_back("http://localhost:5173/bye"));
    for other in ["http://localhost:5173/", "http://127.0.0.1:5173/bye", "https://localhost:5173/bye"] {
        assert!(!leads_back(other), "{other}");
    }
}

/// Bad input: other hosts, schemes, paths and spellings are not this machine.
#[test]
fn nothing_else_is_this_machine() {
    let kit = kit();
    let mut table = NegativeTable::new(&kit);
    for uri in [
        "http://localhost:5173/",
        "http://localhost:5173/CB",
        "http://localhost:5173/cb?x=1",
        "http://localhost:5173/cb/../evil",
        "http://localhost:/cb",
        "http://localhost:65536/cb",
        "http://LOCALHOST:5173/cb",
        "http://localhost.:5173/cb",
        "http://localhost.evil.example:5173/cb",
        "http://evil.example/localhost/cb",
        "http://localhost@evil.example/cb",
        "http://a.localhost:5173/cb",
        "https://localhost:5173/cb",
        "http://127.0.0.2:5173/",
        "http://127.1:5173/",
        "http://127.0.0.1.evil.example:5173/",
        "http://127.0.0.1:5173/a/../b",
        "http://0.0.0.0:5173/cb",
        "http://[::1]:5173/",
        "http://[::ffff:127.0.0.1]:5173/cb",
        "https://app.example:5173/cb",
        "http://app.example/cb",
    ] {
        let request = kit.authorization_request("local").scope("openid").set("redirect_uri", uri);
        table = table.row(uri, request, Refused::Page(400, "invalid_request"));
    }
    table.run();
}

/// CORS-05. Bad input: pages of other origins read nothing.
#[test]
fn other_origins_read_nothing() {
    let kit = kit();
    for origin in [
        "http://localhost.evil.example:5173",
        "http://evil.example",
        "https://localhost:5173",
        "http://LOCALHOST:5173",
        "http://localhost:5173/",
        "http://localhost:99999",
        "http://[::2]:5173",
        "https://app.example:5173",
        "null",
        "",
    ] {
        let answer = kit.token_request("local").param("grant_type", "x").header("origin", origin).send();
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert_ne!(answer.status, 200);
    }
}

/// Bad input at registration: the setting permits `http` on loopback hosts alone, not for tokens in redirects (OIDC
/// Registration section 2), and not without it (RFC 9700 section 2.6); a client that has to match exactly has it
/// not.
#[test]
fn the_setting_permits_nothing_else() {
    let compatibility = CompatibilityConfig { implicit: true, ..CompatibilityConfig::default() };
    let offered = Offered::at(EndpointSet::default(), &compatibility);
    let kit = TestProvider::new();
    let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, kit.now());
    let complaints = |members: Value| {
        let refused = register(metadata(members).as_bytes(), &*kit.env().random, &rules).err();
        refused.map(|complaints| {
            complaints.into_iter().map(|complaint| complaint.to_string()).collect::<Vec<_>>()
        })
    };
    assert_eq!(complaints(json!({})), None);
    let without = json!({ "chancery": { "wildcard_redirect_uris": true } });
    let implicit = json!({ "response_types": ["id_token"], "grant_types": ["implicit"] });
    let exact = json!({ "chancery": { "any_loopback_port": true, "http_loopback_redirects": true, "profile": "fapi2-security" } });
    for (members, said) in [
        (json!({ "redirect_uris": ["http://192.168.0.1/cb"] }), "http is for loopback hosts alone"),
        (
            json!({ "redirect_uris": ["http://localhost.evil.example/cb"] }),
            "http is for loopback hosts alone",
        ),
        (json!({ "redirect_uris": ["http://*/cb"] }), "must have wildcards only in"),
        (without, "or chancery.http_loopback_redirects"),
        (implicit, "must be https"),
        (exact, "any_loopback_port"),
    ] {
        let found = complaints(members.clone()).unwrap_or_default();
        assert!(found.iter().any(|complaint| complaint.contains(said)), "{members}: {found:?}");
    }
}
