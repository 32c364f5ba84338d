//! Which scripts may read an answer: the Fetch standard's CORS protocol; RFC 9700 section 2.6; draft for
//! browser-based apps.

use chancery_testkit::{Answer, ClientRequest, NegativeTable, Refused, TestProvider};
use http::Method;

const SPA: &str = "https://spa.example";
const EVIL: &str = "https://evil.example";

/// What an answer says to other origins: who, with what exposed, varying by what.
fn said(answer: &Answer) -> (Option<&str>, Option<&str>, Option<&str>) {
    assert_eq!(answer.header("access-control-allow-credentials"), None, "CORS-06");
    let exposed = answer.header("access-control-expose-headers");
    (answer.header("access-control-allow-origin"), exposed, answer.header("vary"))
}

fn preflight(kit: &TestProvider, path: &str, method: &str) -> Answer {
    let request =
        kit.anonymous_request(path).header("origin", EVIL).header("access-control-request-method", method);
    let mut request = request.header("access-control-request-headers", "authorization, x-custom").to_http();
    *request.method_mut() = Method::OPTIONS;
    kit.send(request)
}

/// CORS-01, CORS-04: public documents are for everybody.
#[test]
fn metadata_and_keys_are_for_everybody() {
    let kit = TestProvider::new();
    for path in ["/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        for origin in [EVIL, "null"] {
            let answer = kit.anonymous_request(path).get().header("origin", origin).send().expect_status(200);
            assert_eq!(said(&answer).0, Some("*"), "{path}");
        }
        assert_eq!(said(&kit.get(path)).0, Some("*"), "{path}");
    }
}

/// CORS-02, CORS-07: preflights are always allowed, because they come before the client is known.
#[test]
fn preflights() {
    let kit = TestProvider::new();
    for (path, methods) in [
        ("/token", "POST"),
        ("/introspect", "POST"),
        ("/revoke", "POST"),
        ("/userinfo", "GET, HEAD, POST"),
        ("/jwks", "GET, HEAD"),
        ("/.well-known/openid-configuration", "GET, HEAD"),
    ] {
        let answer = preflight(&kit, path, "POST").expect_status(204);
        assert_eq!(said(&answer).0, Some(EVIL), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), Some(methods), "{path}");
        assert_eq!(answer.header("access-control-allow-headers"), Some("authorization, x-custom"), "{path}");
        assert_eq!(answer.header("access-control-max-age"), Some("3600"), "{path}");
        assert_eq!((answer.header("vary"), answer.body.len()), (Some("Origin"), 0), "{path}");
    }
}

/// CORS-01: what a person sees is for no script: no preflight, no permission, whoever asks.
#[test]
fn pages_are_for_no_script() {
    let kit = TestProvider::new();
    for path in ["/authorize", "/interaction", "/interaction/in_x"] {
        let answer = preflight(&kit, path, "GET").expect_status(405);
        assert_eq!(said(&answer), (None, None, None), "{path}");
    }
    let mut request = kit.authorization_request("spa").scope("openid").to_http();
    request.headers_mut().insert("origin", http::HeaderValue::from_static(SPA));
    assert_eq!(said(&kit.send(request)), (None, None, None));
}

/// CORS-04, CORS-05, CORS-07: a page of the client's own origin reads everything, refusals and challenges
/// included.
#[test]
fn a_clients_page_reads_its_answers() {
    let kit = TestProvider::builder().unauthenticated_introspection().build();
    let code = kit.code("alice", "spa", "openid");
    let expected = (Some(SPA), Some("DPoP-Nonce, WWW-Authenticate, X-Request-Id"), Some("Origin"));
    let exchanged = kit.code_request(&code).header("origin", SPA).send().expect_status(200);
    assert_eq!(said(&exchanged), expected);
    let token = exchanged.member("access_token");
    let answers = [
        kit.token_request("spa").header("origin", SPA).send().expect_status(400),
        kit.introspection_request("spa", token).header("origin", SPA).send().expect_status(200),
        kit.anonymous_request("/userinfo")
            .get()
            .header("authorization", &format!("Bearer {token}"))
            .header("origin", SPA)
            .send()
            .expect_status(200),
        kit.anonymous_request("/userinfo").get().header("origin", SPA).send().expect_status(401),
        kit.revocation_request("spa", token).header("origin", SPA).send().expect_status(200),
    ];
    for answer in answers {
        assert_eq!(said(&answer), expected, "{}", answer.text());
    }
}

/// CORS-04: without `Origin` nothing is permitted to anybody, and caches know that it depends on it.
#[test]
fn without_an_origin_nothing_is_said() {
    let kit = TestProvider::new();
    let answer = kit.token_request("spa").send();
    assert_eq!(said(&answer), (None, None, Some("Origin")));
}

/// CORS-08: another origin's script neither reads the answer nor causes it.
#[test]
fn a_foreign_page_can_do_nothing() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "spa", "openid");
    for origin in [
        EVIL,
        "null",
        "https://spa.example.evil.example",
        "http://spa.example",
        "https://spa.example:8443",
        "",
    ] {
        let answer = kit.code_request(&code).header("origin", origin).send().expect_status(400);
        assert_eq!((said(&answer).0, &answer["error"]), (None, &"invalid_request".into()), "{origin}");
        assert!(!answer.text().contains("example"), "the text repeats nothing: {}", answer.text());
    }
    assert_eq!(kit.exchange(&code).status, 200, "the code was not used up");
}

/// CORS-09: as long as no client is known, the page may read why.
#[test]
fn before_the_client_is_known_errors_can_be_read() {
    let kit = TestProvider::new();
    let readable = |request: ClientRequest<'_>| {
        let answer = request.header("origin", EVIL).send().expect_status(400);
        assert_eq!(said(&answer).0, Some(EVIL), "{}", answer.text());
    };
    readable(kit.anonymous_request("/token").param("grant_type", "refresh_token"));
    readable(kit.anonymous_request("/token").header("content-type", "application/json"));
    readable(kit.token_request("spa").param("client_id", "web"));
    readable(kit.anonymous_request("/token").header("authorization", "Basic ?"));
}

/// CORS-11: the origins of the client's redirect URIs, whatever its authentication; our own origin; and
/// whoever holds a token may show it to UserInfo.
#[test]
fn whose_origins_are_allowed() {
    let kit = TestProvider::new();
    let readers = |request: ClientRequest<'_>, origin: &str| {
        let answer = request.header("origin", origin).send();
        said(&answer).0.map(str::to_owned)
    };
    assert_eq!(
        readers(kit.token_request("web"), "https://web.example").as_deref(),
        Some("https://web.example")
    );
    assert_eq!(readers(kit.token_request("web"), SPA), None);
    assert_eq!(
        readers(kit.token_request("spa"), "https://id.example").as_deref(),
        Some("https://id.example")
    );
    assert_eq!(readers(kit.token_request("native"), "http://127.0.0.1").as_deref(), Some("http://127.0.0.1"));
    assert_eq!(readers(kit.token_request("native"), "com.example.app"), None);
    let token = kit.tokens("alice", "spa", "openid").member("access_token").to_owned();
    let bearer = format!("Bearer {token}");
    let userinfo = kit.anonymous_request("/userinfo").get().header("authorization", &bearer);
    assert_eq!(readers(userinfo, EVIL).as_deref(), Some(EVIL));
    // UserInfo knows no `client_id`.
    let userinfo = kit.anonymous_request("/userinfo").param("access_token", &token).param("client_id", "web");
    assert_eq!(readers(userinfo, EVIL).as_deref(), Some(EVIL));
}

/// FR-14: an origin has one spelling (RFC 6454 section 6.2), however a redirect URI is written; the redirect
/// URI itself stays what it is.
#[test]
fn a_redirect_uri_may_be_spelled_otherwise_than_its_origin() {
    let kit = TestProvider::new();
    for (redirect_uri, origin) in [
        ("https://app.example:443/cb", "https://app.example"),
        ("https://APP.Example/cb", "https://app.example"),
        ("https://app.example:/cb", "https://app.example"),
        ("https://app.example:8443/cb", "https://app.example:8443"),
        ("https://[2001:DB8:0::1]/cb", "https://[2001:db8::1]"),
    ] {
        kit.put_client(&format!(
            r#"{{"client_id":"spelled","redirect_uris":["{redirect_uri}"],"token_endpoint_auth_method":"none"}}"#
        ));
        let readers = |origin: &str| {
            let answer = kit.token_request("spelled").header("origin", origin).send();
            said(&answer).0.map(str::to_owned)
        };
        assert_eq!(readers(origin).as_deref(), Some(origin), "{redirect_uri}");
        for other in
            ["https://app.example:443", "https://APP.Example", "https://app.example:80", "http://app.example"]
        {
            assert_eq!(readers(other), None, "{redirect_uri} {other}");
        }
        let request = kit.authorization_request("spelled").scope("openid").set("prompt", "none");
        let ua = kit.user_agent();
        let asked = |uri: &str| request.clone().set("redirect_uri", uri).open(&ua).answer().status.as_u16();
        assert_eq!(asked(redirect_uri), 303, "{redirect_uri}");
        if redirect_uri != format!("{origin}/cb") {
            assert_eq!(asked(&format!("{origin}/cb")), 400, "{redirect_uri}");
        }
    }
}

/// CORS-08, CORS-11
#[test]
fn origins_that_must_be_refused() {
    let kit = TestProvider::builder().unauthenticated_introspection().build();
    let tokens = kit.tokens("alice", "spa", "openid offline_access");
    let refresh = kit.refresh_request("spa", tokens.member("refresh_token"));
    let access = tokens.member("access_token");
    let refused = Refused::Json(400, "invalid_request");
    let mut table = NegativeTable::new(&kit)
        .row("introspection", kit.introspection_request("spa", access).header("origin", EVIL), refused)
        .row("revocation", kit.revocation_request("spa", access).header("origin", EVIL), refused)
        .row(
            "an unknown client",
            kit.token_request("spa")
                .by_method("none")
                .unauthenticated()
                .param("client_id", "nobody")
                .header("origin", EVIL),
            refused,
        )
        .row(
            "an id that no client can have",
            kit.anonymous_request("/token").param("client_id", "\u{e4}").header("origin", EVIL),
            refused,
        )
        .row(
            "a confidential client",
            kit.client_credentials_request("machine").header("origin", EVIL),
            refused,
        );
    for origin in [
        EVIL,
        "null",
        "https://SPA.example",
        "https://spa.example/",
        "https://spa.example:443",
        "spa.example",
    ] {
        table =
            table.row(format!("refresh from {origin}"), refresh.clone().header("origin", origin), refused);
    }
    table.run();
    assert!(kit.is_active("spa", access), "nothing was revoked");
}
