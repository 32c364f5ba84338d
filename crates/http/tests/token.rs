//! RFC 6749 section 3.2, the token endpoint, as far as all grant types have it in common.

use bytes::Bytes;
use chancery_core::endpoint::token::{GRANT_TYPE_MISSING, GRANT_TYPE_UNREGISTERED, GRANT_TYPE_UNSUPPORTED};
use chancery_core::error::MALFORMED_PARAMETER;
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{ClientKey, NegativeTable, Refused, SECRET, TestProvider, assert_refused, basic};
use http::{Method, Request};

/// TOKEN-05, TOKEN-06, TOKEN-08, HTTP-14, HTTP-16, HTTP-18 (RFC 6749 section 5.1; order: ours)
#[test]
fn a_successful_response() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    assert_eq!(
        tokens.member_names(),
        ["access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"]
    );
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &3600.into()));
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    assert_eq!(tokens.header("pragma"), Some("no-cache"));
    assert_eq!(tokens.header("content-type"), Some("application/json; charset=utf-8"));
}

/// TOKEN-06, AT-13: lifetimes of the formats.
#[test]
fn expires_in_is_the_life_of_the_token() {
    let kit = TestProvider::new();
    let life =
        |client: &str| kit.client_credentials_request(client).send().expect_status(200)["expires_in"].clone();
    assert_eq!((life("machine"), life("jwt")), (600.into(), 300.into()));
    let jwt = kit.tokens("alice", "jwt", "read");
    assert_eq!(jwt["expires_in"], 300);
    let own = kit.client_credentials_request("machine").send();
    kit.clock.advance(chancery_testkit::seconds(600) - chancery_testkit::millis(1));
    assert!(kit.is_active("machine", own.member("access_token")));
    kit.clock.advance(chancery_testkit::millis(1));
    assert!(!kit.is_active("machine", own.member("access_token")));
}

/// TOKEN-07: without any scope the member is absent (RFC 6749 section 3.3: a scope has at least one
/// character).
#[test]
fn an_empty_scope_is_left_out() {
    let kit = TestProvider::new();
    let own = kit.client_credentials_request("web").send().expect_status(200);
    assert_eq!(own.member_names(), ["access_token", "token_type", "expires_in"]);
}

/// TOKEN-01, TOKEN-02, TOKEN-03, HTTP-15: each check comes before the next.
#[test]
fn checks_in_their_order() {
    let kit = TestProvider::new();
    // The body before the client.
    let json = kit.token_request("web").secret("wrong").header("content-type", "application/json").send();
    assert_refused!(json, "invalid_request", "content_type_unsupported");
    // The client before the grant type.
    let wrong =
        kit.token_request("web").secret("wrong").param("grant_type", "x").param("grant_type", "y").send();
    assert_refused!(wrong, "invalid_client", "client_secret_wrong");
    // Twice before unknown; missing; unknown before not registered.
    let twice = kit.token_request("web").param("grant_type", "x").param("grant_type", "y").send();
    assert_refused!(twice, MALFORMED_PARAMETER);
    assert_refused!(kit.token_request("web").send(), GRANT_TYPE_MISSING);
    assert_refused!(kit.token_request("web").param("grant_type", "").send(), GRANT_TYPE_MISSING);
    for unknown in
        ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "Authorization_Code"]
    {
        assert_refused!(kit.token_request("web").param("grant_type", unknown).send(), GRANT_TYPE_UNSUPPORTED);
    }
    let unregistered =
        kit.token_request("api").param("grant_type", "refresh_token").param("refresh_token", "rt_x").send();
    assert_refused!(unregistered, GRANT_TYPE_UNREGISTERED);
    assert_eq!(unregistered.header("cache-control"), Some("no-store"));
    let public = kit.client_credentials_request("spa").send();
    assert_refused!(public, GRANT_TYPE_UNREGISTERED);
    let nobody = kit.token_request("web").unauthenticated().param("grant_type", "authorization_code").send();
    assert_refused!(nobody, "invalid_request", "no_authentication_mechanism");
    // What the grant type needs comes after that it is known; what another one needs does not matter.
    let code = kit.token_request("spa").param("grant_type", "authorization_code");
    assert_refused!(code.send(), "invalid_request", "code_missing");
    let refresh =
        kit.token_request("spa").param("grant_type", "refresh_token").param("code", "1").param("code", "2");
    assert_refused!(refresh.send(), "invalid_request", "refresh_token_missing");
    assert_refused!(code.param("grant_type", "authorization_code").send(), MALFORMED_PARAMETER);
}

/// TOKEN-04, PARM-07: what a grant type does not know may come as it likes.
#[test]
fn what_is_unknown_is_ignored() {
    let kit = TestProvider::new();
    let request = kit.client_credentials_request("web").param("nonsense", "1").param("nonsense", "2");
    let request =
        request.param("code", "1").param("code", "2").param("refresh_token", "1").param("refresh_token", "2");
    let _ = request.send().expect_status(200);
}

/// RFC 9449 section 5: what proves a key is not looked at as long as tokens are not bound to keys, and the
/// answer does not pretend that it was: the token is a bearer token, at UserInfo, too.
#[test]
fn a_proof_of_possession_binds_nothing() {
    let kit = TestProvider::new();
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    let proof = |path: &str, method: Method| {
        key.proof(&method, &format!("https://id.example{path}"), "once", kit.now())
    };
    let code = kit.code("alice", "web", "openid");
    let bound =
        kit.code_request(&code).header("dpop", &proof("/token", Method::POST)).send().expect_status(200);
    assert_eq!(bound["token_type"], "Bearer");
    let introspected = kit.introspect("web", bound.member("access_token"));
    assert_eq!(
        (&introspected["token_type"], &introspected["cnf"]),
        (&"Bearer".into(), &serde_json::Value::Null)
    );
    let (token, proof) = (bound.member("access_token"), proof("/userinfo", Method::GET));
    let request = |scheme: &str| {
        let request = kit.anonymous_request("/userinfo").get().header("dpop", &proof);
        request.header("authorization", &format!("{scheme} {token}")).send()
    };
    assert_eq!(request("Bearer").status, 200);
    // RFC 6750 section 3.1: a scheme that is not supported is no error of the token.
    let challenge = request("DPoP").expect_status(401).header("www-authenticate").map(str::to_owned);
    assert!(challenge.is_some_and(|told| told.starts_with("Bearer") && !told.contains("error=")));
}

/// PARM-12: a POST's query is no parameter.
#[test]
fn the_query_is_not_read() {
    let kit = TestProvider::new();
    let mut request = kit.token_request("web").to_http();
    *request.uri_mut() = "/token?grant_type=client_credentials".parse().expect("a target");
    assert_refused!(kit.send(request), GRANT_TYPE_MISSING);
}

/// PARM-01, PARM-02, PARM-03, PARM-04, HTTP-14
#[test]
fn the_form_of_the_body() {
    let kit = TestProvider::new();
    let request = |content_type: Option<&str>| {
        let mut request = Request::new(Bytes::from_static(b"grant_type=client_credentials"));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "/token".parse().expect("a target");
        request.headers_mut().insert("authorization", basic("web", SECRET));
        if let Some(content_type) = content_type {
            request.headers_mut().insert("content-type", content_type.parse().expect("a header value"));
        }
        request
    };
    for good in ["application/x-www-form-urlencoded; charset=bogus", "APPLICATION/x-www-form-urlencoded"] {
        let _ = kit.send(request(Some(good))).expect_status(200);
    }
    // Without a content type there are no parameters: the client is known by its header, the grant type is
    // missing.
    assert_refused!(kit.send(request(None)), GRANT_TYPE_MISSING);
    NegativeTable::new(&kit)
        .row("JSON", request(Some("application/json")), Refused::Json(400, "invalid_request"))
        .row(
            "multipart",
            request(Some("multipart/form-data; boundary=x")),
            Refused::Json(400, "invalid_request"),
        )
        .run();
}

/// TOKEN-01, HTTP-02, ERR-05, PARM-09, PARM-14, PARM-15
#[test]
fn what_must_not_be_answered() {
    let kit = TestProvider::new();
    let malformed = Refused::Json(400, "invalid_request");
    let request = || kit.client_credentials_request("web");
    let raw = |body: &'static [u8]| {
        let mut raw = request().to_http();
        *raw.body_mut() = Bytes::from_static(body);
        raw
    };
    NegativeTable::new(&kit)
        .row("by GET", request().get(), Refused::Status(405))
        .row("a doubled Authorization header", request().header("authorization", "Basic x"), malformed)
        .row(
            "a doubled content type",
            {
                let mut doubled = request().to_http();
                let form = doubled.headers()["content-type"].clone();
                doubled.headers_mut().append("content-type", form);
                doubled
            },
            malformed,
        )
        .row(
            "300 parameters",
            (0..300).fold(request(), |request, n| request.param(&format!("p{n}"), "1")),
            malformed,
        )
        .row(
            "a body of 70 KiB",
            request().param("x", &"x".repeat(70 * 1024)),
            Refused::Json(413, "invalid_request"),
        )
        .row("a broken escape", raw(b"grant_type=client_credentials&x=%zz"), malformed)
        .row("bytes that are no UTF-8", raw(b"grant_type=client_credentials&x=\xff"), malformed)
        .row("escaped bytes that are no UTF-8", raw(b"grant_type=client_credentials&x=%ff"), malformed)
        .row("NUL", raw(b"grant_type=client_credentials&x=%00"), malformed)
        .row("asking for HTML", kit.token_request("web").header("accept", "text/html"), malformed)
        .run();
    let by_get = request().get().send();
    assert_eq!(by_get.header("allow"), Some("POST, OPTIONS"));
}
