//! RFC 7591, dynamic client registration, and OpenID Connect Dynamic Client Registration 1.0 section 3.

#![expect(clippy::indexing_slicing, reason = "tests")]

use std::net::IpAddr;

use chancery_core::endpoint::registration::{RegistrationAccess, RegistrationConfig, TOO_MANY_REGISTRATIONS};
use chancery_http::Peer;
use chancery_testkit::{
    NegativeTable, Refused, TestProvider, TestProviderBuilder, assert_refused, json_request, minutes,
};
use http::{Method, Request};
use serde_json::{Value, json};

fn open() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.registration = RegistrationConfig {
            access: RegistrationAccess::Open,
            network_quota: 0,
            ..RegistrationConfig::default()
        };
    })
}

/// The least that a web client says of itself.
fn web() -> Value {
    json!({ "redirect_uris": ["https://rp.example/cb"] })
}

/// `web()` with this member.
fn with(member: &str, value: Value) -> Value {
    let mut metadata = web();
    metadata[member] = value;
    metadata
}

/// REG-01, CONF-04: by default there is no such endpoint, and discovery does not name one.
#[test]
fn by_default_nobody_registers_clients() {
    let kit = TestProvider::new();
    assert_eq!(kit.register(&web()).status, 404);
    let metadata = "/.well-known/openid-configuration";
    assert_eq!(kit.get(metadata).json().get("registration_endpoint"), None);
    let kit = open().build();
    assert_eq!(kit.get(metadata)["registration_endpoint"], "https://id.example/register");
}

/// META-15: an algorithm for assertions means nothing where none are signed, and is left out. (PyPI's idpyoidc
/// names one beside every method.)
#[test]
fn an_algorithm_without_assertions_is_left_out() {
    let kit = open().build();
    let member = "token_endpoint_auth_signing_alg";
    let of_method = |method: Option<&str>, alg: &str| {
        let mut metadata = with(member, json!(alg));
        if let Some(method) = method {
            metadata["token_endpoint_auth_method"] = json!(method);
        }
        metadata
    };
    for method in [None, Some("client_secret_basic"), Some("client_secret_post"), Some("none")] {
        for alg in ["RS256", "ES256", "HS256", "EdDSA"] {
            let metadata = of_method(method, alg);
            let answer = kit.register(&metadata).expect_status(201);
            assert_eq!(answer.json().get(member), None, "{method:?} with {alg}");
        }
        for alg in ["none", "RS1", "rs256"] {
            let metadata = of_method(method, alg);
            let _ = kit.register(&metadata).expect_status(400);
        }
    }
}

/// REG-01, REG-03, REG-04, REG-11, META-02: the answer has what was registered and what was made.
#[test]
fn a_client_is_registered() {
    let kit = open().build();
    let clients = kit.clients();
    let mut metadata = web();
    metadata["client_name"] = json!("A client of tests");
    metadata["contacts"] = json!(["ops@rp.example"]);
    let answer = kit.register(&metadata).expect_status(201);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.event_names(), ["client_registered"]);
    assert_eq!(kit.clients(), clients + 1);

    assert_eq!(answer["client_id_issued_at"], kit.now().secs());
    assert_eq!(answer["client_secret_expires_at"], 0);
    assert_eq!(answer.member("client_secret").len(), 43);
    assert_eq!(answer["client_name"], "A client of tests");
    assert_eq!(answer["contacts"], json!(["ops@rp.example"]));
    assert_eq!(answer["redirect_uris"], json!(["https://rp.example/cb"]));
    assert_eq!(answer["grant_types"], json!(["authorization_code"]));
    assert_eq!(answer["response_types"], json!(["code"]));
    assert_eq!(answer["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(answer["id_token_signed_response_alg"], "RS256");
    for absent in ["chancery", "registration_access_token", "registration_client_uri"] {
        assert_eq!(answer.json().get(absent), None, "{absent}");
    }
    let tokens = kit.tokens("alice", answer.member("client_id"), "openid profile email");
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 200);
}

/// REG-04, META-14: a public client gets no secret.
#[test]
fn a_public_client_gets_no_secret() {
    let kit = open().build();
    let answer = kit.register(&with("token_endpoint_auth_method", json!("none"))).expect_status(201);
    for absent in ["client_secret", "client_secret_expires_at"] {
        assert_eq!(answer.json().get(absent), None, "{absent}");
    }
    let _ = kit.tokens("alice", answer.member("client_id"), "openid");
}

/// REG-02, CMETA-04, OIDC Registration section 2: what the client cannot decide, and what nobody knows, is
/// dropped.
#[test]
fn what_the_client_cannot_decide_is_dropped() {
    let kit = open().build();
    let mut metadata = web();
    for (member, value) in [
        ("client_id", json!("web")),
        ("client_id_issued_at", json!(1)),
        ("client_secret", json!("x")),
        ("client_secret_expires_at", json!(1)),
        ("registration_access_token", json!("x")),
        ("chancery", json!({ "consent": "implied", "pkce_optional": true, "nonsense": 1 })),
        ("nonsense", json!({ "a": 1 })),
        ("client_uri", json!("")),
        ("logo_uri", Value::Null),
    ] {
        metadata[member] = value;
    }
    let answer = kit.register(&metadata).expect_status(201);
    assert_ne!(answer["client_id"], "web");
    assert_ne!(answer["client_secret"], "x");
    assert_eq!(answer["client_id_issued_at"], kit.now().secs());
    assert_eq!(answer["client_secret_expires_at"], 0);
    for absent in ["chancery", "nonsense", "client_uri", "logo_uri", "registration_access_token"] {
        assert_eq!(answer.json().get(absent), None, "{absent}");
    }
    // Consent is asked for, and PKCE is demanded.
    let ua = kit.user_agent();
    let request = kit.authorization_request(answer.member("client_id")).scope("openid");
    let _ = request.open(&ua).login("alice").expect_page("consent");
    let request = request.without("code_challenge").without("code_challenge_method");
    let _ = request.open(&ua).expect_error("invalid_request");
}

/// A registered secret that an HMAC needs can be used on every node.
#[test]
fn a_client_may_have_its_id_tokens_signed_with_its_secret() {
    let kit = open().build();
    let answer = kit.register(&with("id_token_signed_response_alg", json!("HS256"))).expect_status(201);
    assert!(answer.member("client_secret").len() >= 32);
    let tokens = kit.tokens("alice", answer.member("client_id"), "openid");
    let header = tokens.member("id_token").split('.').next().unwrap().to_owned();
    assert!(header.starts_with("eyJhbGciOiJIUzI1NiJ9") || header.contains("IUzI1Ni"), "{header}");
}

/// One network registers so many clients within an hour, and others are not concerned.
#[test]
fn one_network_has_a_quota() {
    let kit = TestProvider::builder()
        .configure(|config| {
            config.registration.access = RegistrationAccess::Open;
            config.registration.network_quota = 2;
        })
        .build();
    let mut elsewhere = kit.registration_request(&web());
    elsewhere.extensions_mut().insert(Peer(IpAddr::from([203, 0, 113, 9])));
    for _ in 0..2 {
        let _ = kit.register(&web()).expect_status(201);
        let _ = kit.register(&json!({})).expect_status(400);
    }
    kit.clock.advance(minutes(59));
    let refused = kit.register(&web()).expect_status(429);
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_refused!(refused, TOO_MANY_REGISTRATIONS);
    assert_eq!(kit.send(elsewhere).status, 201);
    kit.clock.advance(minutes(1));
    let _ = kit.register(&web()).expect_status(201);
}

/// Whoever has many networks registers no more than everybody together may; an initial access token has policies of its
/// own (`initial_access_token.rs`).
#[test]
fn all_networks_together_have_a_quota() {
    let kit = TestProvider::builder()
        .configure(|config| {
            config.registration.access = RegistrationAccess::Open;
            config.registration.total_quota = 3;
        })
        .build();
    let from = |last: u8| {
        let mut request = kit.registration_request(&web());
        request.extensions_mut().insert(Peer(IpAddr::from([203, 0, 113, last])));
        kit.send(request)
    };
    for network in 1..=3 {
        let _ = from(network).expect_status(201);
    }
    let clients = kit.clients();
    let refused = from(4).expect_status(429);
    assert_eq!(refused.header("retry-after"), Some("3600"));
    assert_refused!(refused, TOO_MANY_REGISTRATIONS);
    assert_eq!(kit.clients(), clients);
    kit.clock.advance(minutes(60));
    let _ = from(4).expect_status(201);
}

/// REG-05: the code says what kind of member is wrong, the description which one, and nothing is stored.
#[test]
fn what_is_wrong_is_named() {
    let kit = open().build();
    let clients = kit.clients();
    for (metadata, code, named) in [
        (with("contacts", json!(["nobody"])), "invalid_client_metadata", "contacts"),
        (with("client_name", json!(7)), "invalid_client_metadata", "client_name"),
        (with("grant_types", json!(["password"])), "invalid_client_metadata", "grant_types"),
        (with("application_type", json!("desktop")), "invalid_client_metadata", "application_type"),
        (with("redirect_uris", json!(["https://rp.example/#x"])), "invalid_redirect_uri", "redirect_uris"),
        (json!({}), "invalid_redirect_uri", "redirect_uris"),
        (
            json!({ "client_name": 7, "redirect_uris": ["http://rp.example/"] }),
            "invalid_client_metadata",
            "redirect_uris",
        ),
    ] {
        let answer = kit.register(&metadata).expect_status(400);
        assert_eq!(answer["error"], code, "{metadata}");
        assert!(answer.member("error_description").contains(named), "{metadata}: {}", answer.text());
        assert_eq!(answer.header("www-authenticate"), None);
    }
    assert_eq!(kit.clients(), clients);
}

/// Every member with a URI, and how a client with it would be registered.
const URIS: &[&str] = &[
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "logo_uri#de",
    "initiate_login_uri",
    "jwks_uri",
    "sector_identifier_uri",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
    "post_logout_redirect_uris",
    "request_uris",
    "redirect_uris",
];

/// What no member with a URI takes.
const HOSTILE_URIS: &[&str] = &[
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "about:blank",
    "blob:https://rp.example/x",
    "https://user@rp.example/cb",
    "https://user:password@rp.example/cb",
    "https://rp.example/cb#fragment",
    "https://rp.example/cb#",
    "https://*.example/cb",
    "https://10.0.0.1/cb",
    "https://127.0.0.1/cb",
    "https://169.254.169.254/latest",
    "https://192.168.1.1/cb",
    "https://[::1]/cb",
    "https://[fd00::1]/cb",
    "https://[::ffff:10.0.0.1]/cb",
    "https://2130706433/cb",
    "https://0x7f.1/cb",
    "https://127.1/cb",
    "https://%31%30.0.0.1/cb",
    "//rp.example/cb",
    "/cb",
    "rp.example",
    "https:///cb",
    "https://rp.example/\u{a0}",
    "https://rp.example/ x",
    "https://rp.ex\u{e4}mple/",
];

/// CMETA-06, META-06, META-16, META-28, META-30..32: no member leads to code, to an address, or to somebody else than it seems.
#[test]
fn hostile_uris_are_refused_in_every_member() {
    let kit = open().build();
    let clients = kit.clients();
    for member in URIS {
        for uri in HOSTILE_URIS {
            // The fragment of a request_uri tells versions apart (OIDC Core section 6.2).
            if *member == "request_uris" && uri.starts_with("https://rp.example/cb#") {
                continue;
            }
            for of in ["web", "native"] {
                let mut metadata = web();
                metadata["application_type"] = json!(of);
                metadata[*member] = if member.ends_with("uris") { json!([uri]) } else { json!(uri) };
                let answer = kit.register(&metadata);
                let code = if *member == "redirect_uris" {
                    "invalid_redirect_uri"
                } else {
                    "invalid_client_metadata"
                };
                assert_eq!((answer.status.as_u16(), &answer["error"]), (400, &json!(code)), "{metadata}");
                let said = answer.member("error_description");
                assert!(said.contains(member.trim_end_matches("#de")), "{metadata}: {said}");
            }
        }
    }
    for uri in ["http://rp.example/login", "https://rp.example/#login", "rp://login"] {
        let answer = kit.register(&with("initiate_login_uri", json!(uri))).expect_status(400);
        assert_eq!(answer["error"], "invalid_client_metadata", "{uri}");
    }
    for uri in ["https://localhost/", "http://a.localhost./x"] {
        assert_eq!(kit.register(&with("logo_uri", json!(uri))).status, 400, "{uri}");
    }
    assert_eq!(kit.clients(), clients);
}

fn raw(body: impl AsRef<[u8]>) -> Request<bytes::Bytes> {
    json_request(&Method::POST, "/register", None, body.as_ref())
}

/// REG-01, REG-05, REG-12, CMETA-02…07: bad input: the standard's error, and nothing is stored.
#[test]
fn what_is_not_registered() {
    let kit = open().build();
    let clients = kit.clients();
    let post = |metadata: Value| kit.registration_request(&metadata);
    let many: Vec<String> = (0..10_000).map(|n| format!("https://rp.example/{n}")).collect();
    let some: Vec<String> = (0..101).map(|n| format!("https://rp.example/{n}")).collect();
    let mut form = post(web());
    form.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let mut untyped = post(web());
    untyped.headers_mut().remove("content-type");
    let mut get = post(web());
    *get.method_mut() = Method::GET;
    let mut preflight = post(json!({}));
    *preflight.method_mut() = Method::OPTIONS;
    let private = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI" }] });
    let symmetric = json!({ "keys": [{ "kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }] });
    let mut both = with("jwks", json!({ "keys": [] }));
    both["jwks_uri"] = json!("https://rp.example/jwks");
    let metadata = Refused::Json(400, "invalid_client_metadata");
    let malformed = Refused::Json(400, "invalid_request");
    NegativeTable::new(&kit)
        .row("no body", raw(""), malformed)
        .row("an array", raw("[]"), malformed)
        .row("null", raw("null"), malformed)
        .row("no JSON", raw("{"), malformed)
        .row("two objects", raw("{}{}"), malformed)
        .row("no UTF-8", raw(b"{\"client_name\":\"\xff\"}"), malformed)
        .row("a member twice", raw(r#"{"client_name":"a","client_name":"b"}"#), malformed)
        .row("nested deeply", raw(format!("{{\"x\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000))), malformed)
        .row("a form", form, malformed)
        .row("no content type", untyped, malformed)
        .row("by GET", get, Refused::Status(405))
        .row("a preflight", preflight, Refused::Status(405))
        .row(
            "10,000 redirect URIs",
            post(json!({ "redirect_uris": many })),
            Refused::Json(413, "invalid_request"),
        )
        .row(
            "101 redirect URIs",
            post(json!({ "redirect_uris": some })),
            Refused::Json(400, "invalid_redirect_uri"),
        )
        .row(
            "redirect_uris of numbers",
            post(json!({ "redirect_uris": [1] })),
            Refused::Json(400, "invalid_redirect_uri"),
        )
        .row(
            "an empty redirect URI",
            post(json!({ "redirect_uris": [""] })),
            Refused::Json(400, "invalid_redirect_uri"),
        )
        .row("a private key", post(with("jwks", private)), metadata)
        .row("a symmetric key", post(with("jwks", symmetric)), metadata)
        .row("jwks with jwks_uri", post(both), metadata)
        .row("client_credentials", post(with("grant_types", json!(["client_credentials"]))), metadata)
        .row("an unknown method", post(with("token_endpoint_auth_method", json!("magic"))), metadata)
        .row("an unknown response type", post(with("response_types", json!(["magic"]))), metadata)
        .row("an unknown algorithm", post(with("id_token_signed_response_alg", json!("RS1"))), metadata)
        .row("an unsigned ID token", post(with("id_token_signed_response_alg", json!("none"))), metadata)
        .row("an unknown subject type", post(with("subject_type", json!("magic"))), metadata)
        .row(
            "an HMAC without a secret",
            post(json!({
                "redirect_uris": ["https://rp.example/cb"],
                "token_endpoint_auth_method": "none",
                "id_token_signed_response_alg": "HS256",
            })),
            metadata,
        )
        .row("a protection that is not there", post(with("dpop_bound_access_tokens", json!(true))), metadata)
        .row("a name that misleads", post(with("client_name", json!("a\u{202e}b"))), metadata)
        .row("a malformed scope", post(with("scope", json!("a  \"b"))), metadata)
        .row("a negative age", post(with("default_max_age", json!(-1))), metadata)
        .run();
    assert_eq!(kit.clients(), clients);
}
