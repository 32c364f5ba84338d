//! The authorization request and its answer: RFC 6749 sections 3.1 and 4.1.1 to 4.1.2.1, RFC 9207 section 2.
//! What OpenID Connect adds stands in `openid_request.rs`, where the answer may go in `redirect_uri.rs`.

use chancery_core::request::addressed::CLIENT_UNKNOWN;
use chancery_core::request::validated::RESPONSE_TYPE_MISSING;
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{
    AuthorizationRequest, ClientKey, NegativeTable, Refused, TestProvider, UserAgent, assert_refused,
};

/// A browser whose person has nothing more to decide for these scopes.
fn person<'k>(kit: &'k TestProvider, client: &str, scope: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, scope);
    ua
}

fn web(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("web").scope("openid")
}

/// AUTHZ-45, ERR-10: `code`, `state` if it was sent, `iss` (RFC 9207 section 2); and one event.
#[test]
fn a_client_gets_code_state_and_issuer() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    let tab = web(&kit).open(&ua);
    assert_eq!(tab.expect_arrival().names(), ["code", "state", "iss"]);
    assert_eq!(tab.event_names(), ["authorization_granted"]);
    assert_eq!(kit.exchange(&tab.expect_code()).status, 200);
    let without = web(&kit).without("state").open(&ua);
    assert_eq!(without.expect_arrival().names(), ["code", "iss"]);
}

/// RFC 6749 section 4.1.2: `state` is the exact value that was received; also in errors, up to 4 KiB.
#[test]
fn the_state_comes_back_unchanged() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    for state in ["a b+c", "%41&error=x#\"<'>", "\u{e4}\u{1f511}", "\r\nSet-Cookie: a=b", &"x".repeat(4096)] {
        for mode in ["query", "fragment", "form_post"] {
            let request = web(&kit).set("state", state).set("response_mode", mode);
            let _ = request.post(&ua).expect_code();
            let _ = request.clone().set("prompt", "none login").post(&ua).expect_error("invalid_request");
        }
    }
}

/// AUTHZ-01, PARM-07: what has no meaning here is ignored (RFC 6749 section 3.1), also twice; all others go
/// together.
#[test]
fn unknown_parameters_are_ignored() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    let request =
        web(&kit).param("x", "1").param("x", "2").param("audience", "https://a.example").param("", "");
    let request = request.param("client_secret", "1").param("client_secret", "2").param("__proto__", "1");
    let _ = request.param("Scope", "none").open(&ua).expect_code();
    let all = web(&kit)
        .set("acr_values", "a b")
        .set("claims", r#"{"userinfo":{}}"#)
        .set("claims_locales", "de en")
        .set("display", "popup")
        .set("login_hint", "alice")
        .set("max_age", "86400")
        .set("nonce", "n")
        .set("response_mode", "query")
        .set("ui_locales", "de fr");
    let _ = all.open(&ua).expect_code();
}

/// PARM-08, RFC 6749 section 3.1: a parameter without a value counts as omitted.
#[test]
fn empty_parameters_count_as_omitted() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    let mut request = web(&kit).set("state", "");
    for name in
        ["claims", "id_token_hint", "max_age", "nonce", "prompt", "registration", "request", "request_uri"]
    {
        request = request.set(name, "");
    }
    assert_eq!(request.open(&ua).expect_arrival().names(), ["code", "iss"]);
    let missing = web(&kit).set("response_type", "").open(&ua);
    assert_refused!(missing, RESPONSE_TYPE_MISSING);
    let nobody = web(&kit).set("client_id", "").open(&ua).expect_page("error");
    assert_refused!(nobody, "invalid_request", "client_id_missing");
}

/// PARM-12, HTTP-09: GET by the query, POST by the body, and never a mixture (OIDC Core section 3.1.2.1).
#[test]
fn get_and_post_are_both_there() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    let _ = web(&kit).open(&ua).expect_code();
    let _ = web(&kit).post(&ua).expect_code();
    let mut request = web(&kit).without("client_id").to_http_post();
    *request.uri_mut() = "/authorize?client_id=web".parse().unwrap_or_default();
    request.headers_mut().insert("sec-fetch-site", http::HeaderValue::from_static("same-origin"));
    let answer = kit.send(request).expect_status(400);
    assert_eq!(chancery_testkit::refusals(&answer.events), ["client_id_missing"]);
}

/// A form without an `action` goes to the address at which its page was shown. That is a mistake of the page, and no client's.
#[test]
fn a_form_without_an_action_is_no_request() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = web(&kit).open(&ua).expect_page("login");
    let answer = tab.post("/authorize?client_id=web", &tab.form().fields).expect_page("error");
    assert_refused!(answer, "invalid_request", "form_without_action");
    let no_form = web(&kit).without("client_id").post(&ua).expect_page("error");
    assert_refused!(no_form, "invalid_request", "client_id_missing");
}

/// PARM-10, ERR-10: a doubled `state` is nobody's, so the refusal has none.
#[test]
fn a_doubled_state_is_left_out() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    let tab = web(&kit).param("state", "another").open(&ua);
    assert_eq!(tab.expect_error("invalid_request").names(), ["error", "error_description", "iss"]);
    assert_eq!(tab.event_names(), ["refused"], "ERR-20");
}

/// AUTHZ-22: known scopes in the order asked for, each once; unknown ones do not disturb.
#[test]
fn scopes_are_those_that_are_known() {
    let kit = TestProvider::new();
    let tokens = kit.exchange(&kit.code("alice", "web", "profile openid openid nonsense email profile read"));
    let known = kit.introspect("web", tokens.expect_status(200).member("access_token"));
    assert_eq!(known["scope"], "profile openid email");
}

/// AUTHZ-26, AUTHZ-30, AUTHZ-48: nothing that is known is nothing that could be granted; the code for it is
/// RFC 6749's. Without `openid` the scopes are those of the client's resource server.
#[test]
fn a_request_for_nothing_is_refused() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    for scope in ["nonsense", "read", ""] {
        let _ = web(&kit).set("scope", scope).open(&ua).expect_error("invalid_scope");
    }
    let _ = web(&kit).without("scope").open(&ua).expect_error("invalid_scope");
    let tokens = kit.tokens("alice", "machine", "read nonsense");
    assert_eq!((&tokens["scope"], &tokens["id_token"]), (&"read".into(), &serde_json::Value::Null));
}

/// AUTHZ-28: the defaults of OpenID Connect belong to OpenID Connect requests; plain OAuth goes on without
/// them.
#[test]
fn defaults_of_openid_do_not_touch_plain_oauth() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"plain","token_endpoint_auth_method":"none","redirect_uris":["https://plain.example/cb"],
                "default_max_age":1,"require_auth_time":true,"default_acr_values":["x"],
                "chancery":{"default_resource":"https://api.example"}}"#,
        )
        .build();
    let ua = person(&kit, "plain", "read openid");
    kit.clock.advance(chancery_testkit::minutes(1));
    let _ = kit.authorization_request("plain").scope("read").open(&ua).expect_code();
    let _ = kit.authorization_request("plain").scope("openid").open(&ua).expect_page("login");
}

/// AUTHZ-08: the client asks for what it is not registered for.
#[test]
fn an_unregistered_response_type_is_unauthorized() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"mute","client_secret":"a-secret-of-forty-three-characters-for-test",
                "redirect_uris":["https://mute.example/cb"],"response_types":[],"grant_types":["client_credentials"]}"#,
        )
        .build();
    let ua = kit.user_agent();
    let _ = kit.authorization_request("mute").scope("openid").open(&ua).expect_error("unauthorized_client");
}

/// AUTHZ-04: whether there is such a client, and nothing else, can be seen.
#[test]
fn an_unknown_client_is_told_to_the_person() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    for id in ["nobody", "web ", "WEB", "we\u{df}", "x\0", &"x".repeat(300)] {
        let tab = web(&kit).set("client_id", id).open(&ua).expect_page("error");
        if !id.contains('\0') {
            assert_refused!(tab, CLIENT_UNKNOWN);
        }
        assert_eq!(tab.answer().status, 400);
    }
    kit.remove_client("web");
    let gone = web(&kit).open(&ua).expect_page("error");
    assert_refused!(gone, CLIENT_UNKNOWN);
}

/// AUTHZ-03, AUTHZ-04, AUTHZ-05, AUTHZ-07, AUTHZ-17, AUTHZ-18, AUTHZ-19, AUTHZ-21, ERR-10, ERR-11, PARM-09,
/// PARM-10, PARM-09: the longest request is taken, one byte more is not; the page says so, because nothing of
/// it was read.
#[test]
fn the_longest_request() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web", "openid");
    // A URL has to be shorter.
    let request = kit.authorization_request("web").scope("openid");
    let beside = request.clone().param("ui_locales", "").encode().len();
    let with = |length: usize| request.clone().param("ui_locales", &"x".repeat(length - beside));
    let _ = with(16 * 1024 - 1).post(&ua).expect_code();
    let _ = with(16 * 1024).post(&ua).expect_code();
    for longer in [16 * 1024 + 1, 20 * 1024] {
        let refused = with(longer).post(&ua);
        assert_refused!(refused, "invalid_request", "request_too_long");
    }
}

/// OIDC Core section 3.1.2.6: where signed requests are off, one is refused as not supported,
/// however good it would be; nothing in it is read, so that it cannot contradict the parameters beside it.
#[test]
fn signed_requests_are_not_read_where_they_are_off() {
    let kit = TestProvider::builder().configure(|to| to.request_objects.by_value = false).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid");
    let _ = request.open(&ua).expect_code();
    for alg in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
        let inner = request.clone().set("redirect_uri", "https://evil.example/").set("state", "another");
        let object =
            ClientKey::generate(alg).request_object(&inner.encode(), kit.issuer().as_str(), kit.now());
        let refused = request.clone().set("request", &object).open(&ua).expect_error("request_not_supported");
        assert_eq!(refused.value("state"), Some("a state of the client"));
        // Without the parameters outside nobody knows to whom the answer would go (RFC 6749 section 4.1.2.1).
        let alone = request.clone().without("redirect_uri").without("client_id").set("request", &object);
        let _ = alone.open(&ua).expect_page("error");
    }
}

/// PARM-13
#[test]
fn requests_that_must_not_be_answered_with_a_code() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"small","token_endpoint_auth_method":"none","redirect_uris":["https://small.example/cb"],
                "scope":"openid email"}"#,
        )
        .build();
    let web = || web(&kit);
    let (page, client) = (Refused::Page(400, "invalid_request"), Refused::Client("invalid_request"));
    let mut table = NegativeTable::new(&kit)
        .row("no client", web().without("client_id"), page)
        .row("an empty client", web().set("client_id", ""), page)
        .row("two clients", web().param("client_id", "web"), page)
        .row("an unknown client", web().set("client_id", "nobody"), Refused::Page(400, "invalid_client"))
        .row("no response type", web().without("response_type"), client)
        .row(
            "a request object",
            web().set("request", "eyJhbGciOiJub25lIn0.e30."),
            Refused::Client("invalid_request_object"),
        )
        .row("a registration", web().set("registration", "{}"), Refused::Client("registration_not_supported"))
        .row(
            "a scope beyond the registration",
            kit.authorization_request("small").scope("openid profile"),
            Refused::Client("invalid_scope"),
        )
        .row("a long state", web().set("state", &"x".repeat(4097)), client);
    for uri in ["https://a.example/r", "urn:ietf:params:oauth:request_uri:x", "x"] {
        let refused = Refused::Client("invalid_request_uri");
        table = table.row(format!("request_uri={uri}"), web().set("request_uri", uri), refused);
    }
    for response_type in
        ["token", "id_token", "none code", "code token", "code  code", "code ", "CODE", "code id_token", "x"]
    {
        let refused = Refused::Client("unsupported_response_type");
        table = table.row(
            format!("response_type={response_type:?}"),
            web().set("response_type", response_type),
            refused,
        );
    }
    for scope in [
        "openid  email",
        " openid",
        "openid ",
        "openid \"x\"",
        "openid \\",
        "openid\temail",
        "openid \u{e4}",
        "\n",
    ] {
        table = table.row(
            format!("scope={scope:?}"),
            web().set("scope", scope),
            Refused::Client("invalid_scope"),
        );
    }
    for name in [
        "acr_values",
        "claims",
        "claims_locales",
        "code_challenge",
        "code_challenge_method",
        "display",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "registration",
        "request",
        "request_uri",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    ] {
        let doubled = web().without(name).param(name, "1").param(name, "1");
        table = table.row(format!("{name} twice"), doubled, client);
    }
    for (name, query) in [
        ("a broken escape", "/authorize?client_id=web&state=%"),
        ("bytes that are no text", "/authorize?client_id=web&state=%ff"),
        ("NUL", "/authorize?client_id=web&state=%00"),
        ("too many parameters", &format!("/authorize?client_id=web{}", "&a=1".repeat(300))),
    ] {
        table = table.row(name, to(query), page);
    }
    table.run();
}

fn to(target: &str) -> http::Request<bytes::Bytes> {
    let mut request = http::Request::new(bytes::Bytes::new());
    *request.uri_mut() = target.parse().unwrap_or_default();
    request
}
