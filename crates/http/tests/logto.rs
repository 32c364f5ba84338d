//! What applications of the fork by Logto rely on, each behind a setting of its own under `[compatibility]`:
//! looser redirect URIs (RFC 9700 section 2.1 demands exact string matching), and an empty `scope` (RFC 6749
//! section 3.3).

#![expect(clippy::indexing_slicing, clippy::panic, reason = "tests")]

use chancery_core::client::{RegistrationRules, register};
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::offered::{CompatibilityConfig, EndpointSet, Offered};
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{NegativeTable, Refused, SECRET, TestProvider};
use chancery_types::params;
use serde_json::{Value, json};

/// Changes one setting.
type Change = fn(&mut CompatibilityConfig);

const WILDCARDS: Change = |to| to.wildcard_redirect_uris = true;
const ANY_SCHEME: Change = |to| to.any_redirect_scheme = true;
const NORMALISED: Change = |to| to.normalised_redirect_match = true;
const STRICT: Change = |_| ();

/// What is wrong with the redirect URI of such a client, where this is loosened for everybody.
fn complaint(loosened: Change, uri: &str, members: &Value) -> Option<String> {
    let mut compatibility = CompatibilityConfig { implicit: true, ..CompatibilityConfig::default() };
    loosened(&mut compatibility);
    let offered = Offered::at(EndpointSet::default(), &compatibility);
    let kit = TestProvider::new();
    let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, kit.now());
    let mut metadata = json!({ "token_endpoint_auth_method": "none", "redirect_uris": [uri] });
    for (name, value) in members.as_object().into_iter().flatten() {
        metadata[name] = value.clone();
    }
    let complaints = register(metadata.to_string().as_bytes(), &*kit.env().random, &rules).err()?;
    assert!(complaints.iter().all(|complaint| complaint.setting == "redirect_uris"), "{complaints:?}");
    Some(complaints.first()?.rule.to_string())
}

/// A provider with one client, and whether a request of it with this `redirect_uri` goes on.
fn goes_on(kit: &TestProvider, uri: &str) -> bool {
    let tab = kit.authorization_request("app").scope("openid").set("redirect_uri", uri);
    let ua = kit.user_agent();
    match &*tab.open(&ua).page().name {
        "login" => true,
        "error" => false,
        other => panic!("{other} for {uri}"),
    }
}

fn kit(loosened: Change, members: &Value) -> TestProvider {
    let mut metadata = json!({ "client_id": "app", "token_endpoint_auth_method": "none" });
    for (name, value) in members.as_object().into_iter().flatten() {
        metadata[name] = value.clone();
    }
    let builder = TestProvider::builder().configure(|to| loosened(&mut to.compatibility));
    builder.client(&metadata.to_string()).build()
}

/// LOGTO-01, LOGTO-02, MIG-12: any scheme, with the setting of the server or of the client; but nothing that a
/// browser runs or opens itself, and for tokens in redirects no other than `https`.
#[test]
fn any_scheme_can_be_permitted() {
    let (web, native) = (json!({}), json!({ "application_type": "native" }));
    let with_tokens = json!({ "response_types": ["id_token"] });
    let own = json!({ "chancery": { "any_redirect_scheme": true } });
    for uri in [
        "app:/cb",
        "app://callback",
        "io.logto.app://callback",
        "http://app.example/cb",
        "http://127.0.0.1:3000/cb",
        "http://localhost/cb",
        "capacitor://localhost/cb",
        "chrome-extension://abcdef/cb",
    ] {
        for members in [&web, &native] {
            assert_eq!(complaint(ANY_SCHEME, uri, members), None, "{uri}");
        }
        assert_eq!(complaint(STRICT, uri, &own), None, "{uri}");
        assert!(complaint(STRICT, uri, &web).is_some(), "{uri}");
        assert!(complaint(WILDCARDS, uri, &web).is_some(), "{uri}");
        assert!(complaint(ANY_SCHEME, uri, &with_tokens).is_some(), "{uri}");
    }
    for never in [
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://app.example",
        "data:text/html,x",
        "DATA:text/html,x",
        "vbscript:x",
        "blob:https://app.example/x",
        "filesystem:https://app.example/x",
        "file:///etc/passwd",
        "about:blank",
        "view-source:https://app.example",
        "https:/app.example/cb",
        "https:app.example",
        "https:///cb",
        "app:/cb#x",
        "app://user@host/cb",
        "/cb",
    ] {
        for members in [&web, &native, &own, &with_tokens] {
            assert!(complaint(ANY_SCHEME, never, members).is_some(), "{never}");
        }
    }
}

/// The response goes to the scheme that was permitted, and the policy of the page that leads there does not
/// restrict where its form may end.
#[test]
fn a_response_goes_to_any_scheme() {
    let kit = kit(ANY_SCHEME, &json!({ "redirect_uris": ["app://callback"] }));
    let ua = kit.user_agent();
    let tab =
        kit.authorization_request("app").scope("openid").open(&ua).login("alice").expect_page("consent");
    let policy = tab.answer().header("content-security-policy").expect("a policy").to_owned();
    assert!(!policy.contains("form-action"), "{policy}");
    let tab = tab.allow();
    assert_eq!(tab.expect_arrival().uri, "app://callback");
    assert_eq!(kit.exchange(&tab.expect_code()).status, 200);
}

/// LOGTO-09, LOGTO-10, LOGTO-11: what a wildcard can be registered in.
#[test]
fn wildcards_are_registered_where_they_mean_something() {
    let own = json!({ "chancery": { "wildcard_redirect_uris": true } });
    for uri in [
        "https://*.example.com/cb",
        "https://pr-*.web.example.com/cb",
        "https://app.example.com/*",
        "https://app.example.com/*/cb?x=1",
    ] {
        assert_eq!(complaint(WILDCARDS, uri, &json!({})), None, "{uri}");
        assert_eq!(complaint(STRICT, uri, &own), None, "{uri}");
        for strict in [STRICT, ANY_SCHEME, NORMALISED] {
            let said = complaint(strict, uri, &json!({})).expect("a complaint");
            assert!(said.contains("must not have a wildcard"), "{uri}: {said}");
        }
    }
    for uri in [
        "https://*/cb",
        "https://*.com/cb",
        "https://app.*/cb",
        "https://app.*.com/cb",
        "https://*.0.0.1/cb",
        "https://[::1]/*",
        "https://app.example.com:*/cb",
        "https://app.example.com/cb?x=*",
        "https://app.example.com/cb#*",
        "https://*@app.example.com/cb",
        "https://app.example.com/../*",
        "http://*.example.com/cb",
        "htt*://app.example.com/cb",
    ] {
        assert!(complaint(WILDCARDS, uri, &json!({})).is_some(), "{uri}");
        assert!(complaint(STRICT, uri, &own).is_some(), "{uri}");
    }
}

/// LOGTO-12, LOGTO-13: what a registered wildcard admits. The crate `types` has the whole table.
#[test]
fn a_wildcard_admits_what_it_stands_for() {
    let members = json!({ "redirect_uris": ["https://*.example.com/cb", "https://app.example.org/in/*"] });
    let kit = kit(WILDCARDS, &members);
    for uri in [
        "https://a.example.com/cb",
        "https://A.Example.com:443/cb",
        "https://app.example.org/in/",
        "https://app.example.org/in/a/b",
    ] {
        assert!(goes_on(&kit, uri), "{uri}");
    }
    for uri in [
        "https://example.com/cb",
        "https://a.b.example.com/cb",
        "https://*.example.com/cb",
        "http://a.example.com/cb",
        "https://a.example.com:8443/cb",
        "https://a.example.com/CB",
        "https://a.example.com/cb?x=1",
        "https://a.example.com/cb#x",
        "https://a@b.example.com/cb",
        "https://evil.example\\.example.com/cb",
        "https://evil.example%2f.example.com/cb",
        "https://evil.example/.example.com/cb",
        "https://evil.example?.example.com/cb",
        "https://app.example.org/in",
        "https://app.example.org/in/../out",
        "https://app.example.org/in/%2e%2e/out",
        "https://app.example.org/in/..%2fout",
        "https://app.example.org/in/..\\out",
        "https://app.example.org/in/*",
        "https://xapp.example.org/in/a",
        "javascript:alert(1)//https://a.example.com/cb",
    ] {
        assert!(!goes_on(&kit, uri), "{uri}");
    }
}

/// The scripts of a page that a wildcard admits may call the token endpoint (Fetch, "CORS protocol").
#[test]
fn scripts_of_an_admitted_page_may_call() {
    let kit = kit(WILDCARDS, &json!({ "redirect_uris": ["https://*.example.com/cb"] }));
    for (origin, expected) in [
        ("https://a.example.com", true),
        ("https://a.b.example.com", false),
        ("https://*.example.com", false),
        ("https://a.example.com.evil.example", false),
        ("null", false),
    ] {
        let answer = kit.token_request("app").header("origin", origin).send();
        assert_eq!(answer.header("access-control-allow-origin").is_some(), expected, "{origin}");
    }
}

/// The token request has to repeat the URI that was sent, not the registered pattern (RFC 6749 section 4.1.3).
#[test]
fn the_admitted_uri_is_part_of_the_code() {
    let kit = kit(WILDCARDS, &json!({ "redirect_uris": ["https://*.example.com/cb"] }));
    let ua = kit.user_agent();
    let request = kit.authorization_request("app").scope("openid");
    let request = request.set("redirect_uri", "https://a.example.com/cb");
    let tab = request.open(&ua).login("alice").expect_page("consent").allow();
    assert_eq!(tab.expect_arrival().uri, "https://a.example.com/cb");
    let code = tab.expect_code();
    for other in ["https://b.example.com/cb", "https://*.example.com/cb"] {
        let answer = kit.code_request(&code).set("redirect_uri", other).send();
        assert_eq!(answer.expect_status(400)["error"], "invalid_grant", "{other}");
    }
    assert_eq!(kit.exchange(&code).status, 200);
}

/// LOGTO-15, MIG-12: other spellings of a registered URI, with the setting of the server or of the client. The
/// response goes to the one that was sent.
#[test]
fn equivalent_spellings_can_be_permitted() {
    let uris = json!(["https://RP.example.com", "https://rp.example.com/a%20b/cb?x=1"]);
    let members = json!({ "redirect_uris": uris });
    let own = json!({ "redirect_uris": uris, "chancery": { "normalised_redirect_match": true } });
    let (by_server, by_client) = (kit(NORMALISED, &members), kit(STRICT, &own));
    let (strict, only_wildcards) = (kit(STRICT, &members), kit(WILDCARDS, &members));
    for uri in [
        "https://rp.example.com/",
        "https://rp.example.com",
        "HTTPS://rp.EXAMPLE.com:443",
        "https://rp.example.com/./x/..",
        "https://rp.example.com:443/a%20b/%63b?x=1",
        "https://rp.example.com/c/../a%20b/cb?x=1",
    ] {
        assert!(goes_on(&by_server, uri) && goes_on(&by_client, uri), "{uri}");
        assert!(!goes_on(&strict, uri) && !goes_on(&only_wildcards, uri), "{uri}");
    }
    for uri in [
        "https://rp.example.com/x",
        "https://rp.example.com./",
        "https://rp.example.com/?",
        "https://rp.example.com/a%20b/cb?x=2",
        "https://rp.example.com/a%20b/CB?x=1",
        "https://rp.example.com/a%20b%2fcb?x=1",
        "https://rp.example.com:8443/",
        "http://rp.example.com/",
        "https://user@rp.example.com/",
        "https://rp.example.com/#",
    ] {
        assert!(!goes_on(&by_server, uri) && !goes_on(&by_client, uri), "{uri}");
    }
    let ua = by_server.user_agent();
    let request = by_server.authorization_request("app").scope("openid");
    let tab = request.set("redirect_uri", "https://rp.example.com/").open(&ua).login("alice").allow();
    assert_eq!(tab.expect_arrival().uri, "https://rp.example.com/");
    let code = tab.expect_code();
    let registered = by_server.code_request(&code).set("redirect_uri", "https://RP.example.com").send();
    assert_eq!(registered.expect_status(400)["error"], "invalid_grant");
}

/// LOGTO-01, LOGTO-12, LOGTO-15: `post_logout_redirect_uris` are registered and matched by the same rules.
#[test]
fn addresses_after_a_logout_are_loosened_alike() {
    let uris = json!(["https://*.example.com/bye", "https://RP.example.com"]);
    let members = |uris: &Value| json!({ "redirect_uris": ["https://a.example/cb"], "post_logout_redirect_uris": uris });
    let plain = json!(["https://RP.example.com"]);
    let both: Change = |to| (to.wildcard_redirect_uris, to.normalised_redirect_match) = (true, true);
    let rows: [(Change, &Value, &str, bool); 9] = [
        (both, &uris, "https://a.example.com/bye", true),
        (both, &uris, "https://rp.example.com/", true),
        (both, &uris, "https://a.b.example.com/bye", false),
        (both, &uris, "https://*.example.com/bye", false),
        (both, &uris, "javascript:alert(1)", false),
        (both, &uris, "https://rp.example.com/#", false),
        (WILDCARDS, &uris, "https://rp.example.com/", false),
        (STRICT, &plain, "https://RP.example.com", true),
        (STRICT, &plain, "https://rp.example.com/", false),
    ];
    for (loosened, uris, asked, expected) in rows {
        let kit = kit(loosened, &members(uris));
        let ua = kit.user_agent();
        let query = [("client_id", "app"), ("post_logout_redirect_uri", asked), ("state", "s")];
        let tab = ua.get(&format!("/logout?{}", params::encode(query.into_iter())));
        match expected {
            true => assert_eq!(tab.expect_arrival().value("state"), Some("s"), "{asked}"),
            false => drop(tab.expect_page("error")),
        }
    }
}

/// What is loosened is for clients that an operator registers, not for those that register themselves.
#[test]
fn nobody_registers_by_itself_what_is_loosened() {
    let kit = TestProvider::builder()
        .configure(|to| {
            to.registration.network_quota = 0;
            to.registration.access = RegistrationAccess::Open;
            WILDCARDS(&mut to.compatibility);
            ANY_SCHEME(&mut to.compatibility);
        })
        .build();
    let with = |uri: &str| json!({ "redirect_uris": [uri] });
    assert_eq!(kit.register(&with("https://app.example/cb")).status, 201);
    for uri in ["https://*.app.example/cb", "https://app.example/*", "app:/cb", "http://app.example/cb"] {
        let answer = kit.register(&with(uri)).expect_status(400);
        assert_eq!(answer["error"], "invalid_redirect_uri", "{uri}");
    }
}

/// LOGTO-03: `"scope": ""` in a token response, in a JWT access token and in introspection, with the setting of
/// the server or of the client that reads it; otherwise there is no `scope`.
#[test]
fn an_empty_scope_can_be_sent() {
    let client = |own: Value| {
        json!({
            "client_secret": SECRET, "token_endpoint_auth_method": "client_secret_basic", "response_types": [],
            "grant_types": ["client_credentials"], "chancery": own,
        })
    };
    let api = "https://jwt-api.example";
    let rows: [(Change, Value, Option<&str>); 3] = [
        (STRICT, json!({ "default_resource": api }), None),
        (|to| to.empty_scope_members = true, json!({ "default_resource": api }), Some("")),
        (STRICT, json!({ "default_resource": api, "empty_scope_members": true }), Some("")),
    ];
    for (loosened, own, expected) in rows {
        let kit = kit(loosened, &client(own));
        let answer = kit.client_credentials_request("app").send().expect_status(200);
        assert_eq!(answer["scope"].as_str(), expected);
        let token = answer.member("access_token");
        let jwt = kit.try_verify(token, "app").expect("a JWT");
        assert_eq!(jwt.claims["scope"].as_str(), expected);
        let introspected = kit.introspect("app", token).expect_status(200);
        assert_eq!((&introspected["active"], introspected["scope"].as_str()), (&true.into(), expected));
    }
}

/// LOGTO-14: a pattern is nobody's default, and is never compared literally.
#[test]
fn what_must_not_match() {
    let kit = kit(WILDCARDS, &json!({ "redirect_uris": ["https://*.example.com/cb"] }));
    let page = Refused::Page(400, "invalid_request");
    let request = kit.authorization_request("app").scope("openid");
    NegativeTable::new(&kit)
        .row("none, and a pattern is registered", request.clone().without("redirect_uri"), page)
        .row("an empty one", request.clone().set("redirect_uri", ""), page)
        .row("the pattern itself", request.clone().set("redirect_uri", "https://*.example.com/cb"), page)
        .row("two", request.clone().param("redirect_uri", "https://a.example.com/cb"), page)
        .run();
}
