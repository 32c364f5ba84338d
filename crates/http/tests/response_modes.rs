//! How an authorization response is carried: OAuth 2.0 Multiple Response Type Encoding Practices section 2.1,
//! OAuth 2.0 Form Post Response Mode, RFC 6749 section 3.1.2.

use chancery_testkit::{AuthorizationRequest, NegativeTable, Refused, TestProvider, UserAgent};

fn kit() -> TestProvider {
    TestProvider::builder()
        .client(
            r#"{"client_id":"queried","token_endpoint_auth_method":"none",
                "redirect_uris":["https://queried.example/cb?tenant=1&state=old&st%61te=older&x=%20"]}"#,
        )
        .client(
            r#"{"client_id":"picky","token_endpoint_auth_method":"none","response_modes":["form_post","fragment"],
                "redirect_uris":["https://picky.example/cb"]}"#,
        )
        .build()
}

fn person<'k>(kit: &'k TestProvider, client: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, "openid");
    ua
}

fn request(kit: &TestProvider, client: &str, mode: &str) -> AuthorizationRequest {
    kit.authorization_request(client).scope("openid").set("response_mode", mode)
}

/// RMODE-01: `query` is the default of `response_type=code`.
#[test]
fn a_code_comes_in_the_query() {
    let kit = kit();
    let ua = person(&kit, "web");
    for request in [
        request(&kit, "web", "query"),
        request(&kit, "web", ""),
        kit.authorization_request("web").scope("openid"),
    ] {
        let tab = request.open(&ua);
        let arrival = tab.expect_arrival();
        assert_eq!((arrival.mode, arrival.uri.as_str()), ("query", "https://web.example/cb"));
        assert_eq!(arrival.names(), ["code", "state", "iss"]);
        assert_eq!(kit.exchange(&tab.expect_code()).status, 200);
    }
}

/// RMODE-06: the redirect URI's own query is kept (RFC 6749 section 3.1.2); what the response has, too, is
/// there once.
#[test]
fn the_query_of_the_redirect_uri_is_kept() {
    let kit = kit();
    let ua = person(&kit, "queried");
    let tab = request(&kit, "queried", "query").open(&ua);
    let location = tab.answer().header("location").unwrap_or_default();
    assert!(location.starts_with("https://queried.example/cb?tenant=1&x=%20&code=ac_"), "{location}");
    assert_eq!(tab.expect_arrival().names(), ["tenant", "x", "code", "state", "iss"]);
    assert_eq!(kit.exchange(&tab.expect_code()).status, 200);
    let error =
        request(&kit, "queried", "query").set("prompt", "x").open(&ua).expect_error("invalid_request");
    assert_eq!(error.names(), ["tenant", "x", "error", "error_description", "state", "iss"]);
}

/// RMODE-07, RMODE-08: the fragment holds the response and nothing else; the query stays.
#[test]
fn a_fragment_is_added() {
    let kit = kit();
    let ua = person(&kit, "queried");
    let tab = request(&kit, "queried", "fragment").open(&ua);
    let arrival = tab.expect_arrival();
    assert_eq!(arrival.mode, "fragment");
    assert_eq!(arrival.uri, "https://queried.example/cb?tenant=1&state=old&st%61te=older&x=%20");
    assert_eq!(arrival.names(), ["code", "state", "iss"]);
    assert_eq!(kit.exchange(&tab.expect_code()).status, 200);
    let without = request(&kit, "queried", "fragment").without("state").open(&ua);
    assert_eq!(without.expect_arrival().names(), ["code", "iss"], "RMODE-08");
}

/// RMODE-09: a form that submits itself, with a button for whoever has no JavaScript; nobody stores it (Form
/// Post Response Mode section 4), and everything in it is escaped.
#[test]
fn a_form_is_posted() {
    let kit = kit();
    let ua = person(&kit, "queried");
    let state = "\"><script>alert(1)</script>&amp;'\u{e4} +%41\r\n";
    let tab = request(&kit, "queried", "form_post").set("state", state).open(&ua);
    let arrival = tab.expect_arrival();
    assert_eq!(arrival.mode, "form_post");
    assert_eq!(arrival.uri, "https://queried.example/cb?tenant=1&state=old&st%61te=older&x=%20");
    assert_eq!(arrival.names(), ["code", "state", "iss"]);
    assert_eq!(arrival.value("state"), Some(state));
    let answer = tab.answer();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(!answer.text().contains("<script>alert"), "{}", answer.text());
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'nonce-"), "{policy}");
    assert!(!policy.contains("form-action") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(kit.exchange(&tab.expect_code()).status, 200);
}

/// ERR-09, RMODE-09: errors are carried as codes are, and a form with an error is 200, too.
#[test]
fn errors_are_carried_the_same_way() {
    let kit = kit();
    let ua = kit.user_agent();
    for (mode, status) in [("query", 303), ("fragment", 303), ("form_post", 200)] {
        let tab = request(&kit, "web", mode).set("prompt", "none").open(&ua);
        let arrival = tab.expect_error("login_required");
        assert_eq!((arrival.mode, tab.answer().status.as_u16()), (mode, status));
        assert_eq!(arrival.names(), ["error", "error_description", "state", "iss"]);
    }
}

/// RMODE-02, ERR-15: the default mode carries the refusal of an unknown one.
#[test]
fn an_unknown_mode_is_refused_by_the_default_one() {
    let kit = kit();
    let ua = person(&kit, "web");
    for mode in
        ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message", "QUERY", "form_post ", "x"]
    {
        let arrival = request(&kit, "web", mode).open(&ua).expect_error("unsupported_response_mode");
        assert_eq!(arrival.mode, "query", "{mode}");
    }
}

/// RMODE-05, META-11
#[test]
fn only_registered_modes_of_a_client_that_names_them() {
    let kit = kit();
    let ua = person(&kit, "picky");
    for mode in ["form_post", "fragment"] {
        assert_eq!(request(&kit, "picky", mode).open(&ua).expect_arrival().mode, mode);
    }
    let _ = request(&kit, "picky", "query").open(&ua).expect_error("invalid_request");
    let _ = kit.authorization_request("picky").scope("openid").open(&ua).expect_error("invalid_request");
}

/// RMODE-02, RMODE-05, PARM-09
#[test]
fn modes_that_must_not_carry_a_code() {
    let kit = kit();
    NegativeTable::new(&kit)
        .row(
            "an unknown mode",
            request(&kit, "web", "nonsense"),
            Refused::Client("unsupported_response_mode"),
        )
        .row("a signed mode", request(&kit, "web", "query.jwt"), Refused::Client("unsupported_response_mode"))
        .row(
            "two modes",
            request(&kit, "web", "query fragment"),
            Refused::Client("unsupported_response_mode"),
        )
        .row(
            "twice",
            request(&kit, "web", "form_post").param("response_mode", "query"),
            Refused::Client("invalid_request"),
        )
        .row("an unregistered mode", request(&kit, "picky", "query"), Refused::Client("invalid_request"))
        .row(
            "the default, unregistered",
            kit.authorization_request("picky"),
            Refused::Client("invalid_request"),
        )
        .run();
}
