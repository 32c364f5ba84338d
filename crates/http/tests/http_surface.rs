//! Paths, methods, headers and limits: RFC 9110, RFC 6749 sections 3.1, 3.2 and 5.1, RFC 9700 sections 4.2,
//! 4.12 and 4.16.

use bytes::Bytes;
use chancery_core::event::Event;
use chancery_core::offered::Endpoint;
use chancery_testkit::{Answer, NegativeTable, Refused, TestProvider};
use http::{HeaderName, HeaderValue, Method, Request};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A request as it goes over the wire.
fn raw(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from(body.to_owned()));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap_or_default();
    *request.uri_mut() = target.parse().unwrap_or_default();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap_or(HeaderName::from_static("x-broken"));
        request
            .headers_mut()
            .append(name, HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("")));
    }
    request
}

/// HTTP-01, HTTP-03, HTTP-04, HTTP-10: what is there, letter by letter; features that are not there have no
/// path.
#[test]
fn nothing_else_is_served() {
    let kit = TestProvider::new();
    for path in ["/authorize", "/token", "/userinfo", "/introspect", "/revoke", "/jwks", "/interaction/in_x"]
    {
        assert_ne!(kit.send(raw("GET", path, &[], "")).status, 404, "{path}");
    }
    for path in [
        "//",
        "/auth",
        "/me",
        "/register",
        "/reg",
        "/device_authorization",
        "/device",
        "/par",
        "/request",
        "/backchannel",
        "/end_session",
        "/session/end",
        "/challenge",
        "/credential",
        "/token/introspection",
        "/authorize/",
        "/AUTHORIZE",
        "/Token",
        "//token",
        "/token/",
        "/token/x",
        "/./token",
        "/x/../token",
        "/%74oken",
        "/token;x",
        "/token%00",
        "/interaction/",
        "/interaction/a/b",
        "/.well-known",
        "/.well-known/",
        "/.well-known/webfinger",
        "/.well-known/openid-configuration/",
        "/.well-known/openid-configuration/x",
        "/oidc/token",
        "/favicon.svg",
    ] {
        for method in ["GET", "POST", "OPTIONS", "BREW"] {
            let answer = kit.send(raw(method, path, &[FORM], "")).expect_status(404);
            assert_eq!(
                (answer.header("content-type"), answer.text()),
                (Some("text/plain; charset=utf-8"), "Not Found")
            );
            assert!(answer.events.is_empty(), "{path}");
        }
    }
}

/// Whoever looks for a page in a browser finds one, also where a form was posted before; whoever asks for anything else, and
/// every other endpoint, is answered as ever.
#[test]
fn a_browser_finds_a_page_where_there_is_none() {
    let kit = TestProvider::new();
    let browser = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    for (method, path, status, allow) in [
        ("GET", "/nowhere", 404, None),
        ("POST", "/nowhere", 404, None),
        ("GET", "/interaction", 405, Some("POST")),
        ("PUT", "/authorize", 405, Some("GET, POST")),
    ] {
        let answer = kit.send(raw(method, path, &[browser], "")).expect_status(status);
        assert!(answer.text().contains("data-page=\"not-found\""), "{path}: {}", answer.text());
        assert!(!answer.text().contains("nowhere"), "nothing of the request is shown: {}", answer.text());
        assert_eq!(answer.header("allow"), allow, "{path}");
        assert!(answer.header("content-security-policy").is_some() && answer.events.is_empty());
        let other = kit.send(raw(method, path, &[("accept", "*/*")], "")).expect_status(status);
        assert_eq!(other.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
    }
    // Also where the path ends like that of an endpoint, so that the service may be mounted at a wrong place: whoever has
    // made up the path learns nothing of it.
    let suspected = TestProvider::new().send(raw("GET", "/oidc/token", &[browser], "")).expect_status(404);
    assert!(suspected.text().contains("data-page=\"not-found\"") && !suspected.text().contains("mount"));
    assert!(
        matches!(suspected.events.as_slice(), [Event::MountedElsewhere { .. }]),
        "{:?}",
        suspected.events
    );
    let head = kit.send(raw("HEAD", "/nowhere", &[browser], "")).expect_status(404);
    assert!(head.body.is_empty() && head.header("content-length").is_some_and(|length| length.len() > 2));
    let token = kit.send(raw("GET", "/token", &[browser], "")).expect_status(405);
    assert_eq!(token.text(), "Method Not Allowed");
}

/// HTTP-02, HTTP-07, HTTP-08, GAP-12: another method is told which ones there are (RFC 9110 section 15.5.6).
#[test]
fn each_path_says_which_methods_it_has() {
    let kit = TestProvider::new();
    for (path, allow) in [
        ("/authorize", "GET, POST"),
        ("/interaction", "POST"),
        ("/interaction/in_x", "GET, POST"),
        ("/token", "POST, OPTIONS"),
        ("/introspect", "POST, OPTIONS"),
        ("/revoke", "POST, OPTIONS"),
        ("/userinfo", "GET, HEAD, POST, OPTIONS"),
        ("/jwks", "GET, HEAD, OPTIONS"),
        ("/.well-known/openid-configuration", "GET, HEAD, OPTIONS"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW", "get"] {
            let answer = kit.send(raw(method, path, &[FORM], ""));
            let is_there = allow.split(", ").any(|there| there == method);
            assert_eq!(answer.status == 405, !is_there, "{method} {path}: {}", answer.status);
            if !is_there {
                assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
                assert!(answer.events.is_empty());
            }
        }
    }
}

/// GAP-12: HEAD is safe (RFC 9110 section 9.2.1): the headers of GET, no content, and nothing written.
#[test]
fn head_has_no_effect() {
    let kit = TestProvider::new();
    let token = kit.tokens("alice", "web", "openid");
    let bearer = format!("Bearer {}", token.member("access_token"));
    for path in ["/jwks", "/.well-known/openid-configuration", "/userinfo"] {
        let get = kit.send(raw("GET", path, &[("authorization", &bearer)], "")).expect_status(200);
        kit.counting.reset();
        let head = kit.send(raw("HEAD", path, &[("authorization", &bearer)], "")).expect_status(200);
        assert_eq!((head.body.len(), kit.counting.writes()), (0, 0), "{path}");
        assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
    }
    let request = kit.authorization_request("web").scope("openid");
    kit.counting.reset();
    let mut head = request.to_http();
    *head.method_mut() = Method::HEAD;
    assert_eq!((kit.send(head).status.as_u16(), kit.counting.writes()), (405, 0));
}

/// HTTP-14, HTTP-15, HTTP-16, HTTP-17, HTTP-18, HTTP-19: RFC 6749 section 5.1 and RFC 9700 section 4.12, for
/// answers of every kind, refusals included.
#[test]
fn who_may_store_an_answer_and_what_it_is() {
    const JSON: Option<&str> = Some("application/json; charset=utf-8");
    const HTML: Option<&str> = Some("text/html; charset=utf-8");
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid");
    let access = tokens.member("access_token").to_owned();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid");
    let page = request.open(&ua).expect_page("login");
    let refused = request.clone().set("prompt", "none").open(&ua);
    let error = request.clone().without("client_id").open(&ua);
    let way_on = ua.get("/interaction/in_x");
    let form_post = request.clone().set("prompt", "none").set("response_mode", "form_post").open(&ua);
    let stored = page.login("bob").expect_page("consent");
    for (name, answer, content_type) in [
        ("tokens", &tokens, JSON),
        ("token, refused", &kit.token_request("web").send(), JSON),
        ("token, unauthorized", &kit.token_request("web").secret("x").send(), JSON),
        ("UserInfo", &kit.userinfo(&access), JSON),
        ("UserInfo, refused", &kit.userinfo("x"), JSON),
        ("introspection", &kit.introspect("web", &access), JSON),
        ("introspection, refused", &kit.request("/introspect", "web").send(), JSON),
        ("revocation", &kit.revoke("web", "x"), None),
        ("revocation, refused", &kit.request("/revoke", "web").send(), JSON),
        ("a page", page.answer(), HTML),
        ("an error page", error.answer(), HTML),
        ("a stored page", stored.answer(), HTML),
        ("a way on", way_on.answer(), HTML),
        ("form_post", form_post.answer(), HTML),
        ("a redirect", refused.answer(), None),
        ("no path", &kit.get("/x"), Some("text/plain; charset=utf-8")),
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
        assert_eq!(answer.header("content-type"), content_type, "{name}");
    }
    assert_eq!(tokens.header("pragma"), Some("no-cache"), "RFC 6749 section 5.1");
    assert_eq!((kit.revoke("web", "x").status.as_u16(), kit.revoke("web", "x").body.len()), (200, 0));
    assert_eq!(refused.answer().status, 303, "RFC 9700 section 4.12: never 307");
    for (path, content_type) in [
        ("/jwks", "application/jwk-set+json; charset=utf-8"),
        ("/.well-known/openid-configuration", JSON.unwrap_or("")),
    ] {
        let answer = kit.get(path);
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=600"), "{path}");
    }
}

/// RFC 9700 sections 4.2.4 and 4.16: no referrer, no frame, no guessing of types, on every answer; and a
/// request id.
#[test]
fn every_answer_is_protected() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid");
    let tabs =
        [request.open(&ua), request.clone().set("prompt", "none").open(&ua), ua.get("/interaction/in_x")];
    let mut answers: Vec<Answer> = tabs.iter().map(|tab| tab.answer().clone()).collect();
    answers.extend([kit.get("/jwks"), kit.get("/x"), kit.get("/token"), kit.token_request("web").send()]);
    let mut ids = Vec::new();
    for answer in answers {
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
        assert_eq!(answer.header("server"), None);
        ids.push(answer.header("x-request-id").unwrap_or_default().to_owned());
        if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert!(policy.contains("base-uri 'none'") && !policy.contains("unsafe"), "{policy}");
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "each request has its own id");
}

/// HTTP-20, PROXY-01..04: what the request says about itself moves no URL and no cookie.
#[test]
fn forged_headers_change_nothing() {
    let kit = TestProvider::new();
    let forged: &[(&str, &str)] = &[
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "81"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-original-url", "/token"),
        ("x-rewrite-url", "/token"),
        ("x-http-method-override", "POST"),
    ];
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        let (plain, other) = (kit.get(path), kit.send(raw("GET", path, forged, "")));
        assert_eq!(plain.body, other.body, "{path}");
    }
    let target = kit.authorization_request("web").scope("openid").to_http().uri().to_string();
    let away = kit.send(raw("GET", &target, forged, "")).expect_status(303);
    assert!(away.header("location").is_some_and(|to| to.starts_with(&format!("https://id.example{target}"))));
    let brought = format!("{target}&chancery_brought_home=1");
    let page = kit.send(raw("GET", &brought, forged, "")).expect_status(200);
    assert!(page.text().contains("action=\"https://id.example/interaction\""), "{}", page.text());
    assert!(!page.text().contains("evil.example"));
    let cookie = page.header("set-cookie").unwrap_or_default();
    assert!(
        cookie.starts_with("__Host-browser-") && cookie.contains("Secure") && !cookie.contains("evil"),
        "{cookie}"
    );
    let absolute = kit.send(raw("GET", "https://evil.example/.well-known/openid-configuration", forged, ""));
    assert_eq!(absolute.body, kit.get("/.well-known/openid-configuration").body);
    let silent = format!("{brought}&prompt=none");
    let location = kit.send(raw("GET", &silent, forged, "")).expect_status(303);
    assert!(location.header("location").is_some_and(|to| to.contains("iss=https%3A%2F%2Fid.example")));
}

/// FR-18: one or more blanks stand between scheme and credentials (RFC 9110 section 11.4), wherever the
/// header is read.
#[test]
fn blanks_before_credentials() {
    let kit = TestProvider::new();
    let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    let good = kit.client_credentials_request("web").to_http();
    let basic = good.headers()["authorization"].to_str().unwrap_or_default().replacen("Basic ", "", 1);
    let form = String::from_utf8_lossy(good.body()).into_owned();
    for scheme in ["Basic ", "Basic  ", "basic     "] {
        let header = format!("{scheme}{basic}");
        let answer = kit.send(raw("POST", "/token", &[FORM, ("authorization", &header)], &form));
        assert_eq!(answer.status, 200, "{scheme:?} {}", answer.text());
    }
    for scheme in ["Bearer ", "Bearer  ", "BEARER    "] {
        let header = format!("{scheme}{token}");
        assert_eq!(
            kit.send(raw("GET", "/userinfo", &[("authorization", &header)], "")).status,
            200,
            "{scheme:?}"
        );
    }
}

/// FR-02: cookies of others, of whatever octets and in however many lines, hide neither what binds the form
/// to its browser nor a session.
#[test]
fn cookies_of_others_change_nothing() {
    for foreign in
        [&b"greeting=Gr\xc3\xbc\xc3\x9f"[..], b"latin=\xfc", b"\xff", b"quoted=\"a; b=\"", b"=", b"comma=a,b"]
    {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let tab = kit.authorization_request("operator").scope("openid").open(&ua).expect_page("login");
        let form = tab.form();
        let mut request = kit.anonymous_request(&form.action.replace("https://id.example", ""));
        for (name, value) in
            form.fields.iter().filter(|(name, _)| !matches!(name.as_str(), "username" | "password"))
        {
            request = request.param(name, value);
        }
        let cookie =
            tab.answer().header("set-cookie").unwrap_or("").split(';').next().unwrap_or("").to_owned();
        let login =
            request.param("username", "alice").param("password", &chancery_testkit::password_of("alice"));
        let login = login.param("action", "login").to_http();
        let with = |mut request: Request<Bytes>, lines: &[&[u8]]| {
            request.headers_mut().remove("cookie");
            for line in lines {
                request
                    .headers_mut()
                    .append("cookie", HeaderValue::from_bytes(line).unwrap_or(HeaderValue::from_static("x")));
            }
            kit.send(request)
        };
        let answer = with(login, &[&[foreign, b"; ", cookie.as_bytes()].concat()]);
        assert_eq!(answer.status, 303, "{foreign:?} {}", answer.text());
        assert!(answer.header("location").is_some_and(|to| to.contains("code=")), "{foreign:?}");
        let sessions = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        let session =
            sessions.filter(|line| line.contains("session-")).find_map(|line| line.split(';').next());
        let silent = kit.authorization_request("operator").scope("openid").set("prompt", "none").to_http();
        for lines in
            [&[foreign, session.unwrap_or("").as_bytes()][..], &[session.unwrap_or("").as_bytes(), foreign]]
        {
            let answer = with(silent.clone(), lines);
            assert!(
                answer.header("location").is_some_and(|to| to.contains("code=")),
                "{foreign:?} {}",
                answer.text()
            );
        }
    }
}

/// FR-19: what a person begins under another name than the issuer's goes on under the issuer's before anybody
/// types; a proxy that rewrites `Host` makes no loop of it.
#[test]
fn a_person_is_led_to_the_issuer_s_own_name() {
    const MARKED: &str = "chancery_brought_home=1";
    let kit = TestProvider::builder().issuer("https://id.example:8443").build();
    let target = kit.authorization_request("web").scope("openid").to_http().uri().to_string();
    for host in [
        "127.0.0.1:8443",
        "id.example",
        "id.example:443",
        "www.id.example:8443",
        "evil.example",
        "id.example:",
    ] {
        let away = kit.send(raw("GET", &target, &[("host", host)], "")).expect_status(303);
        let home = away.header("location").unwrap_or_default().to_owned();
        assert_eq!(home, format!("https://id.example:8443{target}&{MARKED}"), "{host}");
        assert!(
            away.header("set-cookie").is_none() && away.events.is_empty(),
            "nothing is begun under {host}"
        );
        // The proxy says the same name again: the page is shown.
        let path = home.replace("https://id.example:8443", "");
        let page = kit.send(raw("GET", &path, &[("host", host)], "")).expect_status(200);
        assert!(page.text().contains("data-page=\"login\"") && !page.text().contains(MARKED), "{host}");

        let stored = kit.send(raw("GET", "/interaction/in_x", &[("host", host)], "")).expect_status(303);
        let home = format!("https://id.example:8443/interaction/in_x?{MARKED}");
        assert_eq!(stored.header("location"), Some(home.as_str()), "{host}");
        let page = kit.send(raw("GET", &format!("/interaction/in_x?{MARKED}"), &[("host", host)], ""));
        assert_ne!(page.status, 303, "{host}");

        let mut posted = kit.authorization_request("web").scope("openid").to_http_post();
        posted
            .headers_mut()
            .insert("host", HeaderValue::from_str(host).unwrap_or(HeaderValue::from_static("x")));
        posted.headers_mut().insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        let away = kit.send(posted).expect_status(303);
        assert!(away.header("location").is_some_and(|to| to.ends_with(MARKED)), "{host}");
    }
    for host in ["id.example:8443", "ID.example:8443"] {
        assert_eq!(kit.send(raw("GET", &target, &[("host", host)], "")).status, 200, "{host}");
    }
    let absolute = format!("https://id.example:8443{target}");
    assert_eq!(
        kit.send(raw("GET", &absolute, &[("host", "evil.example")], "")).status,
        200,
        "the target is what counts"
    );
    // What clients call has no page that could not be finished.
    assert_eq!(kit.send(raw("POST", "/token", &[FORM, ("host", "10.0.0.7:8080")], "")).status, 400);
    assert_eq!(kit.send(raw("GET", "/jwks", &[("host", "10.0.0.7:8080")], "")).status, 200);
}

/// FR-19: a default port may be said or not.
#[test]
fn the_default_port_is_no_other_name() {
    let kit = TestProvider::new();
    let target = kit.authorization_request("web").scope("openid").to_http().uri().to_string();
    for (host, status) in
        [("id.example", 200), ("id.example:443", 200), ("id.example:80", 303), ("id.example:8443", 303)]
    {
        assert_eq!(kit.send(raw("GET", &target, &[("host", host)], "")).status, status, "{host}");
    }
}

/// HTTP-12, PROXY-05: an issuer with a path. Everything stands below it, and cookies go nowhere else.
#[test]
fn below_a_path() {
    let kit = TestProvider::builder().issuer("https://id.example/oidc").mounted_at("/oidc").build();
    for path in [
        "/oidc/.well-known/openid-configuration",
        "/oidc/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/oidc",
    ] {
        let metadata = kit.send(raw("GET", path, &[], "")).expect_status(200);
        assert_eq!(metadata["issuer"], "https://id.example/oidc", "{path}");
        assert_eq!(metadata["token_endpoint"], "https://id.example/oidc/token", "{path}");
        assert_eq!(metadata["jwks_uri"], "https://id.example/oidc/jwks", "{path}");
    }
    let ua = kit.user_agent();
    let tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let cookie = tab.answer().header("set-cookie").unwrap_or_default().to_owned();
    assert!(cookie.starts_with("__Secure-") && cookie.contains("Path=/oidc;"), "{cookie}");
    let code = tab.login("alice").expect_page("consent").allow().expect_code();
    let tokens = kit.exchange(&code).expect_status(200);
    assert_eq!(kit.id_token(&tokens, "web").claims["iss"], "https://id.example/oidc");
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 200);
}

/// PROXY-06: a proxy may strip the issuer's path, or put another one in its place.
#[test]
fn the_mount_path_may_be_another_one() {
    let kit = TestProvider::builder().issuer("https://id.example/oidc").mounted_at("/inside").build();
    for path in ["/inside/.well-known/openid-configuration", "/.well-known/openid-configuration"] {
        let metadata = kit.send(raw("GET", path, &[], "")).expect_status(200);
        assert_eq!(metadata["token_endpoint"], "https://id.example/oidc/token", "{path}");
    }
    for path in ["/inside/token", "/token", "/oidc/token"] {
        assert_eq!(kit.send(raw("POST", path, &[FORM], "")).status, 400, "{path}");
    }
}

/// HTTP-05: routes are absolute and plain; what is not is said at construction.
#[test]
fn routes_can_be_moved() {
    let kit = TestProvider::builder()
        .configure(|config| config.routes.set(Endpoint::Token, "/connect/token"))
        .build();
    assert_eq!(kit.send(raw("POST", "/connect/token", &[FORM], "")).status, 400);
    assert_eq!(kit.send(raw("POST", "/token", &[FORM], "")).status, 404);
    assert_eq!(
        kit.get("/.well-known/openid-configuration")["token_endpoint"],
        "https://id.example/connect/token"
    );
    for wrong in ["token", "", "//token", "/connect//token", "/token/", "/jwks", "/interaction/token"] {
        let built =
            TestProvider::builder().configure(|config| config.routes.set(Endpoint::Token, wrong)).try_build();
        let complaints = built.err().unwrap_or_default();
        assert!(
            complaints.iter().any(|complaint| complaint.setting.starts_with("routes.")),
            "{wrong}: {complaints:?}"
        );
    }
}

/// PARM-05, PARM-14, PARM-15: bounds of what a stranger may send, each at its edge.
#[test]
fn what_is_too_long_is_refused() {
    let kit = TestProvider::new();
    let body = |length: usize| format!("grant_type=x&client_id=web&y={}", "y".repeat(length - 29));
    let post = |body: &str| kit.send(raw("POST", "/token", &[FORM], body));
    assert_eq!(post(&body(64 * 1024)).expect_status(401)["error"], "invalid_client");
    let over = post(&body(64 * 1024 + 1)).expect_status(413);
    assert_eq!(
        (chancery_testkit::refusals(&over.events), &over["error"]),
        (vec!["body_too_long"], &"invalid_request".into())
    );
    // The `?` is not counted.
    let target = |length: usize| format!("/authorize?client_id=nobody&y={}", "y".repeat(length - 30));
    let at_edge = kit.send(raw("GET", &target(8193), &[], "")).expect_status(400);
    assert_eq!(chancery_testkit::refusals(&at_edge.events), ["authorization_client_unknown"]);
    let over = kit.send(raw("GET", &target(8194), &[], "")).expect_status(414);
    assert_eq!(chancery_testkit::refusals(&over.events), ["url_too_long"]);
    for broken in ["a=%", "a=%g0", "%ff=a", "a=%00", &"a=1&".repeat(201)] {
        let answer = post(&format!("client_id=web&{broken}")).expect_status(400);
        assert_eq!(chancery_testkit::refusals(&answer.events), ["malformed_parameter"], "{broken:.20}");
    }
}

/// HTTP-01, HTTP-02, PARM-12: no credential and no parameter of a POST may stand in the address (RFC 6749
/// sections 2.3.1 and 3.2, RFC 9700 section 4.3.2), and nothing is reached by another method or path.
#[test]
fn what_must_reach_no_endpoint() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid");
    let tokens = kit.tokens("alice", "web", "openid");
    let access = tokens.member("access_token").to_owned();
    let good = kit.code_request(&code).to_http();
    let form = String::from_utf8_lossy(good.body()).into_owned();
    let basic = good.headers()["authorization"].to_str().unwrap_or_default().to_owned();
    let headers: &[(&str, &str)] = &[FORM, ("authorization", &basic)];
    let (missing, query) = (Refused::Json(400, "invalid_request"), format!("/token?{form}"));
    NegativeTable::new(&kit)
        .row("a token request by GET", raw("GET", &query, headers, ""), Refused::Status(405))
        .row("a token request in the query of a POST", raw("POST", &query, headers, ""), missing)
        .row("a token request without a type", raw("POST", "/token", &headers[1..], &form), missing)
        .row("another case", raw("POST", "/TOKEN", headers, &form), Refused::Status(404))
        .row("a slash more", raw("POST", "/token/", headers, &form), Refused::Status(404))
        .row(
            "an overridden method",
            raw("GET", "/token", &[("x-http-method-override", "POST")], ""),
            Refused::Status(405),
        )
        .row(
            "an access token in the query",
            raw("GET", &format!("/userinfo?access_token={access}"), &[], ""),
            missing,
        )
        .row(
            "a revocation by GET",
            raw("GET", &format!("/revoke?token={access}"), headers, ""),
            Refused::Status(405),
        )
        .row(
            "a revocation in the query",
            raw("POST", &format!("/revoke?token={access}"), headers, ""),
            missing,
        )
        .row(
            "an introspection by GET",
            raw("GET", &format!("/introspect?token={access}"), headers, ""),
            Refused::Status(405),
        )
        .run();
    assert_eq!(kit.exchange(&code).status, 200, "the code was never reached");
    assert!(kit.is_active("web", &access));
}
