//! The response mode `web_message`: draft-sakimura-oauth-wmrm-00 sections 4.1, 5 and 8.

use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_testkit::{
    Answer, AuthorizationRequest, NegativeTable, Refused, TestProvider, TestProviderBuilder, UserAgent,
};
use serde_json::json;

fn client(id: &str, modes: &str, redirect_uri: &str) -> String {
    format!(
        r#"{{"client_id":"{id}","token_endpoint_auth_method":"none","id_token_signed_response_alg":"ES256",
            "redirect_uris":["{redirect_uri}"]{modes}}}"#
    )
}

const MODES: &str = r#","response_modes":["query","web_message"]"#;

/// Loopback addresses are for native clients, and those are asked each time by default (RFC 8252 section 8.6).
const NATIVE: &str = r#","application_type":"native","chancery":{"consent":"implied"}"#;

fn builder() -> TestProviderBuilder {
    TestProvider::builder()
        .configure(|config| config.response_modes.web_message = true)
        .client(&client("spa", MODES, "https://spa.example:8443/app/cb?x=1"))
        .client(&client("local", &format!("{MODES}{NATIVE}"), "http://127.0.0.1:3000/cb"))
        .client(&client("plain", "", "https://plain.example/cb"))
}

fn kit() -> TestProvider {
    builder().build()
}

fn person<'k>(kit: &'k TestProvider, client: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, "openid");
    ua
}

fn request(kit: &TestProvider, client: &str) -> AuthorizationRequest {
    kit.authorization_request(client).scope("openid").set("response_mode", "web_message")
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether nobody may frame this answer.
fn is_unframeable(answer: &Answer) -> bool {
    header(answer, "content-security-policy").is_some_and(|policy| policy.contains("frame-ancestors 'none'"))
        && header(answer, "x-frame-options") == Some("DENY")
}

/// RMODE-12: the message goes to the origin of the redirect URI, as browsers write it, and its page can be framed
/// by that origin alone.
#[test]
fn a_code_goes_to_the_origin_of_the_redirect_uri() {
    let kit = kit();
    for (client, origin) in [("spa", "https://spa.example:8443"), ("local", "http://127.0.0.1:3000")] {
        let ua = person(&kit, client);
        let tab = request(&kit, client).set("state", "s").set("prompt", "none").open(&ua);
        let arrival = tab.expect_arrival();
        assert_eq!((arrival.mode, &*arrival.uri), ("web_message", origin));
        assert_eq!(arrival.names(), ["code", "iss", "state"]);
        assert_eq!(header(tab.answer(), "x-frame-options"), None);
        let policy = header(tab.answer(), "content-security-policy").unwrap_or_default();
        let nonce =
            policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default();
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; form-action 'none'; \
                 script-src 'nonce-{nonce}'; frame-ancestors {origin}; base-uri 'none'"
            )
        );
        assert_eq!(header(tab.answer(), "cache-control"), Some("no-store"));
        assert!(!tab.answer().text().contains("'*'") && !tab.answer().text().contains("\"*\""));
        let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
        assert!(tokens["id_token"].is_string());
    }
}

/// RMODE-12: errors go the same way, and all pages before the answer stay unframeable.
#[test]
fn errors_go_the_same_way_and_pages_cannot_be_framed() {
    let kit = kit();
    let ua = kit.user_agent();
    let silent = request(&kit, "spa").set("state", "s").set("prompt", "none");
    let tab = silent.open(&ua);
    let arrival = tab.expect_error("login_required");
    assert_eq!((arrival.mode, &*arrival.uri), ("web_message", "https://spa.example:8443"));
    assert_eq!(tab.answer().status, 200);
    assert!(!is_unframeable(tab.answer()));

    let login = request(&kit, "spa").open(&ua).expect_page("login");
    assert!(is_unframeable(login.answer()));
    let consent = login.login("alice").expect_page("consent");
    assert!(is_unframeable(consent.answer()));
    let arrival = consent.deny().expect_error("access_denied");
    assert_eq!(arrival.mode, "web_message");
    let allowed = request(&kit, "spa").open(&ua).expect_page("consent").allow();
    assert_eq!(allowed.expect_arrival().mode, "web_message");
    let _ = kit.exchange(&allowed.expect_code()).expect_status(200);
    // An error page is for a person, whatever the request says.
    let unknown = request(&kit, "spa").set("redirect_uri", "https://evil.example/cb").open(&ua);
    assert!(is_unframeable(unknown.expect_page("error").answer()));
}

/// RMODE-13: nothing in the response ends the script or the attribute that holds it.
#[test]
fn hostile_values_stay_values() {
    let kit = kit();
    let ua = person(&kit, "spa");
    let state = "</script><script>alert(1)</script>\u{2028}\u{2029}&amp;\"'<!--\\";
    let tab = request(&kit, "spa").set("state", state).open(&ua);
    assert_eq!(tab.expect_arrival().value("state"), Some(state));
    let html = tab.answer().text();
    for raw in ["alert(1)<", "<!--", "\u{2028}", "\u{2029}"] {
        assert!(!html.contains(raw), "{raw:?}: {html}");
    }
    assert_eq!(html.matches("</script>").count(), 1, "{html}");
}

/// RMODE-12: tokens go the same way where they are permitted.
#[test]
fn tokens_go_the_same_way() {
    let kit = builder()
        .configure(|config| config.compatibility.hybrid = true)
        .client(&client(
            "hybrid",
            r#","response_modes":["web_message"],"response_types":["code id_token"]"#,
            "https://hybrid.example/cb",
        ))
        .build();
    let ua = person(&kit, "hybrid");
    let request = request(&kit, "hybrid").set("response_type", "code id_token").set("nonce", "n");
    let arrival = request.open(&ua).expect_arrival();
    assert_eq!(arrival.mode, "web_message");
    assert!(arrival.value("code").is_some() && arrival.value("id_token").is_some(), "{arrival:?}");
}

/// RMODE-12: the mode is announced where it is on, and there alone.
#[test]
fn it_is_off_by_default() {
    let modes =
        |kit: &TestProvider| kit.get("/.well-known/openid-configuration")["response_modes_supported"].clone();
    assert_eq!(modes(&TestProvider::new()), json!(["query", "fragment", "form_post"]));
    assert_eq!(modes(&kit()), json!(["query", "fragment", "form_post", "web_message"]));
    let kit = TestProvider::new();
    let refused = request(&kit, "web").open(&person(&kit, "web")).expect_error("unsupported_response_mode");
    assert_eq!(refused.mode, "query");
    let native = json!({"application_type": "native", "redirect_uris": ["com.example.app:/cb"]});
    for (is_on, more, is_good) in [
        (true, json!({}), true),
        (false, json!({}), false),
        (true, native, false),
        (
            true,
            json!({"redirect_uris": ["https://a.example/cb", "com.example.app:/cb"], "application_type": "native"}),
            false,
        ),
    ] {
        let kit = TestProvider::builder()
            .configure(move |config| {
                config.response_modes.web_message = is_on;
                config.registration.access = RegistrationAccess::Open;
            })
            .build();
        let mut metadata = json!({
            "redirect_uris": ["https://a.example/cb"],
            "response_modes": ["query", "web_message"],
            "token_endpoint_auth_method": "none",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            metadata[name] = value.clone();
        }
        let answer = kit.register(&metadata);
        assert_eq!(answer.status, if is_good { 201 } else { 400 }, "{metadata}: {}", answer.text());
        assert!(is_good || answer["error"] == "invalid_client_metadata", "{}", answer.text());
    }
}

/// AUTHZ-42, RMODE-02, RMODE-05: the relay mode, which sends the response to another origin, is refused on a page;
/// clients that are not registered for the mode are told so in their own one.
#[test]
fn messages_that_must_not_be_sent() {
    let kit = kit();
    let ua = person(&kit, "plain");
    let arrival = request(&kit, "plain").set("prompt", "none").open(&ua).expect_error("invalid_request");
    assert_eq!(arrival.mode, "query");
    let relay = "https://api.example";
    NegativeTable::new(&kit)
        .row("a client without the mode", request(&kit, "plain"), Refused::Client("invalid_request"))
        .row(
            "relay mode",
            request(&kit, "spa").set("web_message_uri", relay).set("web_message_target", "apiFrame"),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "relay mode without a target",
            request(&kit, "spa").set("web_message_uri", relay).set("prompt", "none"),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "relay mode, twice",
            request(&kit, "spa").set("web_message_uri", relay).param("web_message_uri", relay),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "a redirect URI of the same origin that is not registered",
            request(&kit, "spa").set("redirect_uri", "https://spa.example:8443/other"),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "two modes",
            request(&kit, "spa").set("response_mode", "web_message query"),
            Refused::Client("unsupported_response_mode"),
        )
        .row(
            "the mode twice",
            request(&kit, "spa").param("response_mode", "query"),
            Refused::Client("invalid_request"),
        )
        .row(
            "a signed mode",
            request(&kit, "spa").set("response_mode", "web_message.jwt"),
            Refused::Client("unsupported_response_mode"),
        )
        .run();
    // Where the mode is not asked for, the parameter means nothing.
    let ua = person(&kit, "spa");
    let request = kit.authorization_request("spa").scope("openid").set("web_message_uri", relay);
    assert_eq!(request.open(&ua).expect_arrival().mode, "query");
}
