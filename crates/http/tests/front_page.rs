//! The page at the issuer's own address, and the icon: RFC 9110 section 9.3, and the rules of every page.

use chancery_core::offered::Endpoint;
use chancery_http::TrialClients;
use chancery_testkit::{Answer, NegativeTable, Refused, TestProvider};
use http::Method;

fn clients() -> TrialClients {
    TrialClients {
        public: "demo-spa".to_owned(),
        confidential: "demo-web".to_owned(),
        machine: "demo-api".to_owned(),
        secret: "s3cret<".to_owned(),
        machine_secret: "s3cret<".to_owned(),
        username: "demo".to_owned(),
        has_own_password: false,
        program: None,
    }
}

fn for_trying_out() -> TestProvider {
    let mut kit = TestProvider::new();
    kit.service = kit.service.clone().with_trial_clients(clients());
    kit
}

fn asked_for(kit: &TestProvider, method: Method, path: &str) -> Answer {
    let mut request = kit.anonymous_request(path).get().to_http();
    *request.method_mut() = method;
    kit.send(request)
}

/// It says whose address this is, and leads to what programs read; nothing is stored, nothing is loaded.
#[test]
fn the_issuer_s_address_answers() {
    let kit = TestProvider::new();
    let answer = kit.get("/").expect_status(200);
    let page = answer.text();
    for part in [
        "data-page=\"front-page\"",
        "https://id.example",
        "href=\"https://id.example/.well-known/openid-configuration\"",
        "href=\"https://id.example/jwks\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("secret"), "clients are shown only where somebody has said which: {page}");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    for part in ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("script-src"), "{policy}");
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.event_names(), Vec::<&str>::new());
    assert_eq!(kit.trips(|| kit.get("/")).1, 0, "it asks the store nothing");
}

/// PROXY-05: under a prefix, with and without the slash that some clients put at its end, and where the framework has
/// taken the prefix off.
#[test]
fn an_issuer_with_a_path_answers_there() {
    let kit = TestProvider::builder().issuer("https://id.example/oidc").build();
    for path in ["/oidc", "/oidc/", "/"] {
        let mut request = kit.anonymous_request("/").get().to_http();
        *request.uri_mut() = path.parse().unwrap_or_default();
        let answer = kit.send(request).expect_status(200);
        let link = "href=\"https://id.example/oidc/.well-known/openid-configuration\"";
        assert!(answer.text().contains(link), "{path}");
    }
}

/// HEAD gets what GET would get, without the page (RFC 9110 section 9.3.2).
#[test]
fn head_is_answered_like_get() {
    let kit = TestProvider::new();
    for path in ["/", "/favicon.ico"] {
        let answer = asked_for(&kit, Method::HEAD, path).expect_status(200);
        assert!(answer.body.is_empty(), "{path}");
        assert!(answer.header("content-length").is_some_and(|length| length != "0"), "{path}");
    }
}

/// Browsers ask for the icon by themselves.
#[test]
fn there_is_an_icon() {
    let kit = TestProvider::new();
    let answer = kit.get("/favicon.ico").expect_status(200);
    assert_eq!(answer.header("content-type"), Some("image/x-icon"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=86400"));
    assert!(answer.body.starts_with(&[0, 0, 1, 0]), "an ICO");
    let policy = kit.get("/").header("content-security-policy").unwrap_or_default().to_owned();
    assert!(policy.contains("img-src 'self'"), "pages may show it: {policy}");
}

/// A provider for trying things out tells which clients there are, escaped like everything else.
#[test]
fn trial_clients_are_shown_where_they_are_named() {
    let kit = for_trying_out();
    let answer = kit.get("/").expect_status(200);
    for part in ["demo-spa", "demo-web", "demo-api", "s3cret&lt;", "demo</code>"] {
        assert!(answer.text().contains(part), "{part} in {}", answer.text());
    }
    assert!(!answer.text().contains("s3cret<"));
}

/// CORS-01: no script of another origin reads it, least of all the secret.
#[test]
fn it_is_for_no_script() {
    let kit = for_trying_out();
    let origin = "http://localhost:5173";
    let answer = kit.anonymous_request("/").get().header("origin", origin).send().expect_status(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
}

/// A page of another host that leads to this machine, by DNS rebinding or by a proxy, is told no secret, whatever else it
/// asks for.
#[test]
fn trial_clients_are_for_the_issuer_s_own_host() {
    let kit = for_trying_out();
    let told = |host: &str, path: &str| {
        let mut request = kit.anonymous_request("/").get().to_http();
        *request.uri_mut() = path.parse().expect("a path");
        request.headers_mut().insert("host", host.parse().expect("a header"));
        kit.send(request).expect_status(200).text().contains("s3cret")
    };
    for host in ["id.example", "ID.EXAMPLE", "id.example:443"] {
        assert!(told(host, "/"), "{host}");
    }
    for host in [
        "evil.example",
        "id.example.evil.example",
        "id.example:3000",
        "id.example.",
        "127.0.0.1",
        "x@id.example",
    ] {
        for path in ["/", "/?chancery_brought_home=1", "/?chancery_language=en"] {
            assert!(!told(host, path), "{host} {path}");
        }
    }
}

/// An application that has its own page there switches ours off, and the icon likewise.
#[test]
fn both_can_be_off() {
    for (endpoint, path, other) in
        [(Endpoint::FrontPage, "/", "/favicon.ico"), (Endpoint::Icon, "/favicon.ico", "/")]
    {
        let kit =
            TestProvider::builder().configure(|config| config.endpoints.switch(endpoint, false)).build();
        assert_eq!(kit.get(path).status, 404, "{path}");
        assert_eq!(kit.get(other).status, 200, "{other}");
    }
}

/// Bad input: other methods and other paths.
#[test]
fn nothing_else_is_there() {
    let kit = TestProvider::new();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        let answer = asked_for(&kit, method.clone(), "/");
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let request = |path: &str| kit.anonymous_request(path).get();
    NegativeTable::new(&kit)
        .row("two slashes", request("//"), Refused::Status(404))
        .row("an index", request("/index.html"), Refused::Status(404))
        .row("another icon", request("/favicon.ico/"), Refused::Status(404))
        .row("below the icon", request("/favicon.ico/x"), Refused::Status(404))
        .run();
}
