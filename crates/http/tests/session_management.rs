//! OpenID Connect Session Management 1.0: `session_state` in authorization responses, the frame that compares it
//! with the browser's state, and the cookie that has this state. The script of the frame runs in Chromium in
//! `e2e/browser`; here the kit's browser computes what it answers.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use chancery_testkit::{AuthorizationRequest, TestProvider, TestProviderBuilder, UserAgent, days};
use http::Method;

const METADATA: &str = "/.well-known/openid-configuration";
const OPERATOR: &str = "https://operator.example";

fn builder() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.session.management = true;
        config.compatibility.implicit = true;
        config.compatibility.hybrid = true;
    })
}

fn provider() -> TestProvider {
    let all = "\"code\",\"id_token\",\"id_token token\",\"code id_token\",\"code token\",\"code id_token token\",\"none\"";
    builder()
        .client(&format!(
            r#"{{"client_id":"all","client_secret":"a-secret-of-forty-three-characters-for-test",
                "redirect_uris":["https://all.example:8443/cb"],"response_types":[{all}],
                "grant_types":["authorization_code","implicit"],"id_token_signed_response_alg":"ES256",
                "post_logout_redirect_uris":["https://all.example:8443/bye"],
                "chancery":{{"consent":"implied","pkce_optional":true}}}}"#
        ))
        .build()
}

fn request(kit: &TestProvider, client: &str) -> AuthorizationRequest {
    kit.authorization_request(client).scope("openid")
}

fn silent(kit: &TestProvider, client: &str) -> AuthorizationRequest {
    request(kit, client).set("prompt", "none")
}

/// What an operator's page sends to the frame after this response.
fn told(ua: &UserAgent<'_>, request: &AuthorizationRequest) -> String {
    let arrival = ua.open(request).expect_arrival();
    let state = arrival.value("session_state").expect("a session state");
    format!("{} {state}", request.value("client_id").unwrap_or_default())
}

/// Somebody signs in at the operator's client; returns its message to the frame.
fn sign_in(ua: &UserAgent<'_>, account: &str) -> String {
    let request = request(ua.provider(), "operator").set("prompt", "login");
    let arrival = request.open(ua).login(account).expect_arrival();
    format!("operator {}", arrival.value("session_state").expect("a session state"))
}

/// oidcc-session-management-discovery-endpoint-verification
#[test]
fn it_is_announced() {
    let metadata = provider().get(METADATA);
    assert_eq!(metadata["check_session_iframe"], "https://id.example/check-session");
    assert_eq!(metadata["end_session_endpoint"], "https://id.example/logout");
}

/// oidcc-session-management-rp-initiated-logout
///
/// In every flow: `unchanged` while the person is signed in, `changed` as soon as the client has signed them out, and the
/// state that is told then is `unchanged` again.
#[test]
fn the_frame_notices_a_logout() {
    let kit = provider();
    for response_type in
        ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"]
    {
        let ua = kit.user_agent();
        let of_type = |request: AuthorizationRequest| {
            request.set("response_type", response_type).set("nonce", "a nonce")
        };
        let arrival = of_type(request(&kit, "all")).open(&ua).login("alice").expect_arrival();
        let message = format!("all {}", arrival.value("session_state").expect("a session state"));
        assert_eq!(ua.asks_frame("https://all.example:8443", &message), "unchanged", "{response_type}");
        let confirm = ua.follow_from_another_site("/logout").expect_page("logout-confirm");
        assert_eq!(ua.asks_frame("https://all.example:8443", &message), "unchanged", "not answered yet");
        let _ = confirm.submit(&[], ("action", "logout"));
        assert_eq!(ua.asks_frame("https://all.example:8443", &message), "changed", "{response_type}");

        let error = of_type(silent(&kit, "all")).open(&ua).expect_error("login_required");
        let message = format!("all {}", error.value("session_state").expect("a session state"));
        assert_eq!(ua.asks_frame("https://all.example:8443", &message), "unchanged", "nobody is signed in");
        let _ = sign_in(&ua, "bob");
        assert_eq!(ua.asks_frame("https://all.example:8443", &message), "changed", "now somebody is");
    }
}

/// OUT-16: section 2: in every response mode, in responses and error responses, also those of a request that is refused
/// before anybody is looked for; without a blank.
#[test]
fn every_response_of_an_openid_request_has_it() {
    let kit = provider();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for (response_type, mode) in [
        ("code", "query"),
        ("code", "fragment"),
        ("code", "form_post"),
        ("id_token", "fragment"),
        ("id_token", "form_post"),
        ("none", "query"),
    ] {
        for (name, value) in [("prompt", "none"), ("prompt", "login none"), ("max_age", "-1")] {
            let request = request(&kit, "all").set("response_type", response_type).set("nonce", "n");
            let arrival = request.set("response_mode", mode).set(name, value).open(&ua).expect_arrival();
            let state = arrival.value("session_state").expect("a session state");
            let (digest, salt) = state.split_once('.').expect("a salt");
            assert_eq!((arrival.mode, digest.len(), salt.len()), (mode, 64, 22), "{state}");
            assert_eq!(arrival.value("error").is_some(), value != "none", "{arrival:?}");
            assert_eq!(ua.asks_frame("https://all.example:8443", &format!("all {state}")), "unchanged");
        }
    }
    // Who says no on the page, and whose answer is repeated.
    let stranger = kit.user_agent();
    let page = request(&kit, "operator").open(&stranger);
    for tab in [page.cancel(), page.cancel()] {
        assert!(tab.expect_error("access_denied").value("session_state").is_some());
    }
    let page = request(&kit, "operator").open(&stranger);
    let first = page.login("alice").expect_arrival();
    let again = page.login("alice").expect_arrival();
    assert!(first.value("session_state").is_some() && again.value("session_state").is_some());
}

/// Section 3.2: no two values are the same, so that two clients, or one with two responses, cannot tell by them that
/// it was the same browser.
#[test]
fn no_value_comes_twice() {
    let kit = provider();
    let ua = kit.user_agent();
    let values: BTreeSet<String> = (0..10)
        .flat_map(|_| [told(&ua, &silent(&kit, "operator")), told(&ua, &silent(&kit, "all"))])
        .collect();
    assert_eq!(values.len(), 20);
}

/// Section 3.2: the state changes when the set of people changes, or the one who is active, and not when a client joins,
/// is answered silently, or a page is shown.
#[test]
fn it_changes_with_who_is_signed_in() {
    let kit = provider();
    let ua = kit.user_agent();
    let alice = sign_in(&ua, "alice");
    let ask = |message: &str| ua.asks_frame(OPERATOR, message);
    assert_eq!(ask(&alice), "unchanged");
    let state = ua.state_cookie();
    let silent_later = told(&ua, &silent(&kit, "operator"));
    let _ = silent(&kit, "all").open(&ua).expect_code();
    let _ = request(&kit, "operator").set("prompt", "select_account").open(&ua).expect_page("accounts");
    let _ = request(&kit, "operator")
        .set("prompt", "login")
        .open(&ua)
        .expect_page("login")
        .login_wrongly("alice");
    assert_eq!((ask(&alice), ask(&silent_later), ua.state_cookie()), ("unchanged", "unchanged", state));

    let bob = sign_in(&ua, "bob");
    assert_eq!((ask(&alice), ask(&bob)), ("changed", "unchanged"), "somebody joins");
    let chooser = request(&kit, "operator").set("prompt", "select_account").open(&ua);
    let chosen = chooser.choose("alice").expect_arrival();
    let alice_again = format!("operator {}", chosen.value("session_state").expect("a session state"));
    assert_eq!((ask(&bob), ask(&alice_again)), ("changed", "unchanged"), "another one is active");
    let renewed = sign_in(&ua, "alice");
    assert_eq!((ask(&alice_again), ask(&renewed)), ("changed", "unchanged"), "signed in once more");
    let confirm = ua.follow_from_another_site("/logout").expect_page("logout-confirm");
    let _ = confirm.submit(&[], ("action", "logout_all"));
    assert_eq!(ask(&renewed), "changed", "everybody has left");
    let cookie = ua.state_cookie();
    let _ = sign_in(&ua, "alice");
    assert_ne!(ua.state_cookie(), cookie);
}

/// A session that was ended elsewhere, or by its time: the cookie cannot know, but the next client that asks learns it,
/// and with it all others. The session cookie stays, because another tab may sign in at this moment.
#[test]
fn who_looks_first_tells_the_others() {
    for by_time in [false, true] {
        let kit = provider();
        let ua = kit.user_agent();
        let message = sign_in(&ua, "alice");
        if by_time {
            kit.clock.advance(days(15))
        } else {
            ua.ends_session()
        }
        assert_eq!(ua.asks_frame(OPERATOR, &message), "unchanged", "nobody has looked");
        let sessions = ua.session_cookie();
        let error = silent(&kit, "all").open(&ua).expect_error("login_required");
        assert_eq!(ua.asks_frame(OPERATOR, &message), "changed");
        let now = format!("all {}", error.value("session_state").expect("a session state"));
        assert_eq!(ua.asks_frame("https://all.example:8443", &now), "unchanged");
        assert_eq!(ua.session_cookie(), sessions);
    }
}

/// The cookie: readable in frames of other sites, for as long as a session can live, at this provider's paths only, and
/// a digest that is no handle of anything. It is set when it changes, and not each time.
#[test]
fn the_cookie() {
    for (issuer, expected) in [
        ("https://id.example", "; Max-Age=7776000; Path=/; SameSite=None; Secure"),
        ("https://id.example/a/b", "; Max-Age=7776000; Path=/a/b; SameSite=None; Secure"),
        // Browsers refuse SameSite=None without Secure, and all ports of a loopback host are one site.
        ("http://localhost:3000", "; Max-Age=7776000; Path=/; SameSite=Lax"),
    ] {
        let kit = builder().issuer(issuer).build();
        let ua = kit.user_agent();
        let tab = request(&kit, "operator").open(&ua).login("alice");
        let lines: Vec<&str> =
            tab.answer().headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()).collect();
        let line = lines.iter().find(|line| line.contains("state-")).expect("the browser's state");
        assert!(line.ends_with(expected), "{line}");
        let state = ua.state_cookie().expect("a state");
        assert_eq!(state.len(), 43);
        let sessions = ua.session_cookie().expect("a session");
        assert!(!sessions.contains(&state));
        for sort in ["session", "browser"] {
            let thief = kit.user_agent();
            thief.sets_cookie(sort, &state);
            let _ = silent(&kit, "operator").open(&thief).expect_error("login_required");
        }
        let tab = silent(&kit, "operator").open(&ua);
        assert!(tab.answer().header("set-cookie").is_none(), "it has not changed");
        assert_eq!(ua.asks_frame(OPERATOR, &told(&ua, &silent(&kit, "operator"))), "unchanged");
    }
}

/// The frame: pages of any origin may frame it, it runs its own script and nothing else, and nobody keeps it.
#[test]
fn the_frame() {
    for (issuer, path) in
        [("https://id.example", "/check-session"), ("https://id.example/a", "/a/check-session")]
    {
        let kit = builder().issuer(issuer).build();
        assert_eq!(kit.get(METADATA).member("check_session_iframe"), format!("https://id.example{path}"));
        let ua = kit.user_agent();
        let frame = ua.follow_from_another_site(path);
        let answer = frame.answer();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-frame-options"), None);
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(answer.header("set-cookie").is_none());
        let policy = answer.header("content-security-policy").expect("a policy");
        let html = answer.text();
        let nonce = html.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
        assert_eq!(
            policy,
            format!("default-src 'none'; script-src 'nonce-{nonce}'; form-action 'none'; base-uri 'none'")
        );
        assert!(!kit.get(path).text().contains(nonce), "a nonce is for one answer");
        assert!(!html.contains("localStorage") && !html.contains("sessionStorage"));
        assert_eq!((html.matches("<script").count(), html.matches("</script").count()), (1, 1));
        assert!(frame.events().is_empty());
    }
}

/// Two providers on one host have a cookie each, and what happens at one changes nothing at the other.
#[test]
fn realms_do_not_disturb_each_other() {
    let realm = |name: &str, issuer: &str| builder().realm(name).issuer(issuer).build();
    for issuers in [
        ["https://id.example/one", "https://id.example/two"],
        ["https://id.example", "https://id.example/two"],
        ["https://id.example/one", "https://id.example/one/two"],
    ] {
        let [one, two] = [realm("one", issuers[0]), realm("two", issuers[1])];
        let here = one.user_agent();
        let there = here.at(&two);
        let message = sign_in(&here, "alice");
        let other = sign_in(&there, "bob");
        assert_eq!(here.asks_frame(OPERATOR, &message), "unchanged", "{issuers:?}");
        let _ = there.follow_from_another_site(&two.path("/logout")).submit(&[], ("action", "logout"));
        assert_eq!(there.asks_frame(OPERATOR, &other), "changed", "{issuers:?}");
        assert_eq!(here.asks_frame(OPERATOR, &message), "unchanged", "{issuers:?}");
    }
}

/// Off, which is the default: no member, no path, no parameter, no cookie.
#[test]
fn it_is_off_unless_it_is_switched_on() {
    let kit = TestProvider::new();
    assert!(kit.get(METADATA).json().get("check_session_iframe").is_none());
    assert_eq!(kit.get("/check-session").status, 404);
    let ua = kit.user_agent();
    let arrival = request(&kit, "operator").open(&ua).login("alice").expect_arrival();
    assert_eq!(arrival.names(), ["code", "state", "iss"]);
    let _ = ua.follow_from_another_site("/logout").submit(&[], ("action", "logout"));
    assert_eq!(
        silent(&kit, "operator").open(&ua).expect_error("login_required").value("session_state"),
        None
    );
    assert_eq!(ua.state_cookie(), None);
    // Nor when somebody looks for a session that has ended elsewhere.
    let _ = request(&kit, "operator").open(&ua).login("alice").expect_code();
    ua.ends_session();
    let _ = silent(&kit, "operator").open(&ua).expect_error("login_required");
    assert_eq!(ua.state_cookie(), None);
}

/// Section 3.2: of several people who are signed in, one who is not the active one leaves by a logout of their client.
#[test]
fn it_changes_with_those_who_are_not_active() {
    let kit = provider();
    let ua = kit.user_agent();
    let tab = request(&kit, "all").open(&ua).login("alice");
    let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
    let bob = sign_in(&ua, "bob");
    let logout = format!("/logout?id_token_hint={}", tokens.member("id_token"));
    let _ = ua.follow_from_another_site(&logout).expect_page("logout-done");
    assert_eq!(ua.asks_frame(OPERATOR, &bob), "changed");
    let now = told(&ua, &silent(&kit, "operator"));
    assert_eq!(ua.asks_frame(OPERATOR, &now), "unchanged", "bob is still signed in");
}

/// A native client has no page that could ask, but its response has the parameter all the same (section 2: MUST); a
/// page without an origin does not get `unchanged` for it, because the frame does not answer it.
#[test]
fn a_private_use_scheme_has_no_origin() {
    let kit = provider();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "native", "openid");
    let request = silent(&kit, "native").set("redirect_uri", "com.example.app:/cb");
    let message = told(&ua, &request);
    for origin in ["com.example.app:", "com.example.app://", "https://id.example", ""] {
        assert_eq!(ua.asks_frame(origin, &message), "changed", "{origin}");
    }
    let loopback = told(&ua, &silent(&kit, "native"));
    assert_eq!(ua.asks_frame("http://127.0.0.1:4711", &loopback), "unchanged");
    assert_eq!(ua.asks_frame("http://127.0.0.1:4712", &loopback), "changed");
}

/// Bad input: a value is worth nothing for another client, another origin, another browser or another state, and what is
/// no OpenID request gets none.
#[test]
fn what_must_not_be() {
    let kit = provider();
    let ua = kit.user_agent();
    let message = sign_in(&ua, "alice");
    let (client, state) = message.split_once(' ').expect("client and state");
    let (digest, salt) = state.split_once('.').expect("a salt");
    assert_eq!(ua.asks_frame(OPERATOR, &message), "unchanged");
    for origin in [
        "https://all.example:8443",
        "http://operator.example",
        "https://operator.example:8443",
        "null",
        "",
        "*",
    ] {
        assert_eq!(ua.asks_frame(origin, &message), "changed", "{origin}");
    }
    for message in [
        format!("all {state}"),
        format!("{client} {digest}.AAAAAAAAAAAAAAAAAAAAAA"),
        format!("{client} {salt}.{digest}"),
        format!("{client} {digest}"),
        format!("{client} ."),
        format!("{client} {}", ua.state_cookie().unwrap_or_default()),
    ] {
        assert_eq!(ua.asks_frame(OPERATOR, &message), "changed", "{message}");
    }
    let other = kit.user_agent();
    sign_in(&other, "alice");
    assert_eq!(other.asks_frame(OPERATOR, &message), "changed", "another browser of the same person");

    // A cookie that somebody planted is put right with the next answer.
    for planted in ["", "x", "%20", &"a".repeat(4000)] {
        let line = format!("{planted}; Max-Age=100");
        ua.plants_state(&line);
        assert_eq!(ua.asks_frame(OPERATOR, &message), "changed", "{planted}");
        let _ = silent(&kit, "operator").open(&ua).expect_code();
        assert_eq!(ua.asks_frame(OPERATOR, &message), "unchanged", "{planted}");
    }

    // RFC 6749 alone, and errors that go to no client.
    for scope in ["", "profile", "openidx", "OPENID"] {
        let tab = request(&kit, "operator").scope(scope).set("prompt", "x").open(&ua);
        assert_eq!(tab.expect_arrival().value("session_state"), None, "{scope}");
    }
    let page = request(&kit, "operator").set("redirect_uri", "https://evil.example/").open(&ua);
    let page = page.expect_page("error");
    assert_eq!(page.answer().header("x-frame-options"), Some("DENY"), "only the one page can be framed");

    for method in [Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS, Method::DELETE] {
        let mut request = kit.anonymous_request("/check-session").header("origin", OPERATOR).to_http();
        *request.method_mut() = method.clone();
        let answer = kit.send(request);
        assert_eq!(
            (answer.status.as_u16(), answer.header("access-control-allow-origin")),
            (405, None),
            "{method}"
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{method}");
    }
    for path in ["/check-session/", "/check-session/x", "/Check-session"] {
        assert_eq!(kit.get(path).status, 404, "{path}");
    }
}
