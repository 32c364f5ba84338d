//! RFC 7523, JWT Profile for OAuth 2.0 Client Authentication; RFC 7521 section 4.2; OIDC Core section 9:
//! `private_key_jwt` and `client_secret_jwt`, at every endpoint that authenticates clients.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use chancery_core::error::Refusal;
use chancery_core::model::Client;
use chancery_core::offered::AssertionAudience;
use chancery_core::policy::{AssertionView, ClientPolicy};
use chancery_http::Peer;
use chancery_jose::SigningAlgorithm::{self, Es256, Es384, Hs256, Hs384, Hs512, Rs256};
use chancery_jose::base64url;
use chancery_testkit::{
    ClientKey, ClientRequest, NegativeTable, Refused, TestProvider, assert_refused, check_refused_by_name,
    millis, seconds,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";

/// The endpoints that authenticate clients, each with a request that is complete but for that.
const ENDPOINTS: [(&str, &[(&str, &str)]); 3] = [
    ("/token", &[("grant_type", "client_credentials")]),
    ("/introspect", &[("token", "x")]),
    ("/revoke", &[("token", "x")]),
];

/// A secret that is long enough for every HMAC.
const LONG: &str = "a-secret-of-sixty-four-characters-or-more-is-long-enough-for-hs512";

fn request<'k>(kit: &'k TestProvider, at: usize, assertion: &str) -> ClientRequest<'k> {
    let (path, parameters) = ENDPOINTS[at];
    let request = kit.anonymous_request(path).assertion(assertion);
    parameters.iter().fold(request, |request, (name, value)| request.param(name, value))
}

/// Metadata of a client that has one key, and what else is said.
fn signing(client: &str, key: &ClientKey, more: Value) -> String {
    let mut metadata = json!({"client_id": client, "response_types": [], "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": key.jwks()});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

/// Metadata of a client whose secret is the key of an HMAC.
fn sharing(client: &str, more: Value) -> String {
    let mut metadata = json!({"client_id": client, "response_types": [], "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_jwt", "client_secret": LONG});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

/// A client `signs` with an ES256 key, and a client `shares` with a secret.
fn with_clients() -> (TestProvider, ClientKey) {
    let (kit, key) = (TestProvider::new(), ClientKey::generate(Es256));
    kit.put_client(&signing("signs", &key, json!({})));
    kit.put_client(&sharing("shares", json!({})));
    (kit, key)
}

/// The claims of an assertion that is good now.
fn claims(kit: &TestProvider, client: &str, jti: &str) -> Value {
    json!({"iss": client, "sub": client, "aud": ISSUER, "jti": jti, "iat": kit.now().secs(),
        "exp": kit.now().secs() + 60})
}

/// CAUTH-15, CAUTH-16, META-13, META-15: by every algorithm at every endpoint, with and without `client_id`.
#[test]
fn a_client_authenticates_with_what_it_has_signed() {
    let kit = TestProvider::new();
    let signed = SigningAlgorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric());
    let keys: Vec<_> = signed
        .map(|alg| {
            let (client, key) = (format!("signs-{alg}"), ClientKey::generate(alg));
            kit.put_client(&signing(&client, &key, json!({"token_endpoint_auth_signing_alg": alg.name()})));
            (client, key)
        })
        .chain([Hs256, Hs384, Hs512].map(|alg| {
            let client = format!("shares-{alg}");
            kit.put_client(&sharing(&client, json!({"token_endpoint_auth_signing_alg": alg.name()})));
            (client, ClientKey::of_secret(alg, LONG))
        }))
        .collect();
    for (client, key) in &keys {
        for at in 0..ENDPOINTS.len() {
            let assertion = |jti: &str| key.assertion(client, ISSUER, jti, kit.now());
            let _ = request(&kit, at, &assertion(&format!("{at}"))).send().expect_status(200);
            let named = request(&kit, at, &assertion(&format!("{at} named"))).param("client_id", client);
            let _ = named.send().expect_status(200);
        }
    }
}

/// OIDC Core section 9: a person's tokens, with a code and with a refresh token.
#[test]
fn every_grant_can_be_had_with_an_assertion() {
    let (kit, key) = (TestProvider::new(), ClientKey::generate(Es256));
    kit.put_client(&signing(
        "app",
        &key,
        json!({"response_types": ["code"], "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["https://app.example/cb"], "id_token_signed_response_alg": "ES256"}),
    ));
    let code = kit.code("alice", "app", "openid offline_access");
    let assertion = |jti| key.assertion("app", ISSUER, jti, kit.now());
    let tokens = kit.code_request(&code).assertion(&assertion("1")).send().expect_status(200);
    assert_eq!(kit.id_token(&tokens, "app").claims["sub"], "alice");
    let refresh = kit.refresh_request("app", tokens.member("refresh_token")).assertion(&assertion("2"));
    let _ = refresh.send().expect_status(200);
}

/// RFC 7523 section 3 and RFC 8725 section 3.11: types of JWTs, with and without, whatever their case.
#[test]
fn an_assertion_may_say_what_it_is() {
    let (kit, key) = with_clients();
    for (n, header) in [
        json!({}),
        json!({"typ": "JWT"}),
        json!({"typ": "jwt"}),
        json!({"typ": "application/jwt"}),
        json!({"typ": "client-authentication+jwt"}),
        json!({"typ": "application/client-authentication+jwt"}),
        json!({"kid": key.kid(), "cty": "JWT", "jku": "https://evil.example/", "jwk": {"kty": "oct"}}),
    ]
    .into_iter()
    .enumerate()
    {
        let assertion = key.sign(&header, &claims(&kit, "signs", &n.to_string()));
        let answer = request(&kit, 0, &assertion).send();
        assert_eq!(answer.status, 200, "{header}");
    }
}

/// `oidcc-ensure-client-assertion-with-iss-aud-succeeds`, RFC 7519 section 4.1.3: the issuer may stand in an array, if it stands alone.
#[test]
fn the_audience_is_the_issuer() {
    let (kit, key) = with_clients();
    for (n, aud) in [json!(ISSUER), json!([ISSUER]), json!([ISSUER, ISSUER])].into_iter().enumerate() {
        let mut claims = claims(&kit, "signs", &n.to_string());
        claims["aud"] = aud;
        let _ = request(&kit, 0, &key.sign(&json!({}), &claims)).send().expect_status(200);
    }
}

/// Other audiences than the issuer, at each endpoint: whether they are good with `assertion_audience =
/// "endpoints"`. Never, if somebody else could be meant, too.
const AUDIENCES: [(&str, [bool; 3]); 16] = [
    (r#""https://id.example/token""#, [true, true, true]),
    (r#"["https://id.example/token"]"#, [true, true, true]),
    (r#"["https://id.example","https://id.example/token"]"#, [true, true, true]),
    (r#""https://id.example/introspect""#, [false, true, false]),
    (r#""https://id.example/revoke""#, [false, false, true]),
    (r#"["https://id.example/token","https://id.example/revoke"]"#, [false, false, true]),
    (r#"["https://id.example","https://evil.example"]"#, [false, false, false]),
    (r#"["https://evil.example/token"]"#, [false, false, false]),
    (r#""https://id.example/""#, [false, false, false]),
    (r#""https://id.example/token/""#, [false, false, false]),
    (r#""https://id.example/token?x""#, [false, false, false]),
    (r#""https://ID.example/token""#, [false, false, false]),
    (r#""http://id.example/token""#, [false, false, false]),
    (r#""https://id.example/authorize""#, [false, false, false]),
    (r#""/token""#, [false, false, false]),
    (r#"[]"#, [false, false, false]),
];

/// CAUTH-17, CAUTH-18: an assertion for anybody else but the issuer is refused by default; with a
/// compatibility setting of the server or of the client, the URLs of the token endpoint and of the called
/// endpoint are good, too (draft-ietf-oauth-rfc7523bis section 4).
#[test]
fn endpoints_are_an_audience_by_a_setting_alone() {
    let key = ClientKey::generate(Es256);
    for (server, client) in [("issuer", "issuer"), ("endpoints", "issuer"), ("issuer", "endpoints")] {
        let is_lax = server == "endpoints" || client == "endpoints";
        let audience =
            if server == "endpoints" { AssertionAudience::Endpoints } else { AssertionAudience::Issuer };
        let kit = TestProvider::builder()
            .configure(|config| config.compatibility.assertion_audience = audience)
            .client(&signing("signs", &key, json!({"chancery": {"assertion_audience": client}})))
            .build();
        for (aud, is_good) in AUDIENCES {
            for (at, is_good) in is_good.into_iter().enumerate() {
                let mut claims = claims(&kit, "signs", &format!("{aud} {at}"));
                claims["aud"] = serde_json::from_str(aud).unwrap();
                let answer = request(&kit, at, &key.sign(&json!({}), &claims)).send();
                if is_lax && is_good {
                    assert_eq!(answer.status, 200, "{aud} at {}", ENDPOINTS[at].0);
                } else {
                    check_refused_by_name(&answer, "invalid_client", "assertion_audience_wrong");
                }
            }
        }
    }
}

/// Where the issuer has a path and the endpoints were moved, their URLs are what the metadata says.
#[test]
fn a_moved_endpoint_is_an_audience_where_it_is() {
    let key = ClientKey::generate(Es256);
    let kit = TestProvider::builder()
        .issuer("https://id.example/tenant")
        .configure(|config| {
            config.routes.set(chancery_core::offered::Endpoint::Token, "/connect/token");
            config.compatibility.assertion_audience = AssertionAudience::Endpoints;
        })
        .client(&signing("signs", &key, json!({})))
        .build();
    for (aud, status) in [
        ("https://id.example/tenant", 200),
        ("https://id.example/tenant/connect/token", 200),
        ("https://id.example/connect/token", 401),
        ("https://id.example/tenant/token", 401),
        ("https://id.example", 401),
    ] {
        let assertion = key.assertion("signs", aud, aud, kit.now());
        let request = kit.anonymous_request("/connect/token").assertion(&assertion);
        let answer = request.param("grant_type", "client_credentials").send();
        assert_eq!(answer.status, status, "{aud}");
    }
}

/// RFC 7523 section 3, `exp`, `nbf`, `iat`: to the millisecond, with ten seconds for the client's clock.
#[test]
fn an_assertion_is_good_for_its_time() {
    let (kit, key) = with_clients();
    let now = kit.now().secs();
    let rows = [
        ("from now for an hour", json!({"iat": now, "exp": now + 3600}), "200"),
        ("no longer", json!({"iat": now, "exp": now + 3601}), "assertion_lifetime_too_long"),
        ("an hour that has begun", json!({"iat": now - 3590, "exp": now + 10}), "200"),
        (
            "a day that ends soon",
            json!({"iat": now - 86_400, "exp": now + 10}),
            "assertion_lifetime_too_long",
        ),
        ("without a beginning", json!({"iat": null, "exp": now + 3600}), "200"),
        ("too long without one", json!({"iat": null, "exp": now + 3601}), "assertion_lifetime_too_long"),
        ("for ever", json!({"iat": null, "exp": 253_402_300_799_i64}), "assertion_lifetime_too_long"),
        ("ended nine seconds ago", json!({"exp": now - 9}), "200"),
        ("ended ten seconds ago", json!({"exp": now - 10}), "assertion_expired"),
        ("ended long ago", json!({"exp": 1}), "assertion_expired"),
        ("a clock that is ten seconds ahead", json!({"iat": now + 10, "nbf": now + 10}), "200"),
        ("issued later", json!({"iat": now + 11}), "assertion_not_yet_valid"),
        ("good later", json!({"nbf": now + 11}), "assertion_not_yet_valid"),
        ("half a second", json!({"iat": now as f64 + 10.5}), "assertion_not_yet_valid"),
    ];
    for (name, times, expected) in rows {
        let mut claims = claims(&kit, "signs", name);
        for (claim, value) in times.as_object().unwrap() {
            claims[claim] = value.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(claim);
            }
        }
        let answer = request(&kit, 0, &key.sign(&json!({}), &claims)).send();
        match expected {
            "200" => assert_eq!(answer.status, 200, "{name}"),
            reason => check_refused_by_name(&answer, "invalid_client", reason),
        }
    }
}

/// CAUTH-19: an assertion is good once, at whichever endpoint, until it has expired anyway.
#[test]
fn an_assertion_is_used_up() {
    let (kit, key) = with_clients();
    let assertion = key.assertion("signs", ISSUER, "once", kit.now());
    let _ = request(&kit, 0, &assertion).send().expect_status(200);
    for at in 0..ENDPOINTS.len() {
        assert_refused!(request(&kit, at, &assertion).send(), "invalid_client", "assertion_replayed");
    }
    // The same `jti` in another assertion is the same one; that of another client is another one.
    let again = key.sign(&json!({"typ": "JWT"}), &claims(&kit, "signs", "once"));
    assert_refused!(request(&kit, 0, &again).send(), "invalid_client", "assertion_replayed");
    let others = ClientKey::of_secret(Hs256, LONG).assertion("shares", ISSUER, "once", kit.now());
    let _ = request(&kit, 0, &others).send().expect_status(200);
    // It is good for 60 seconds and the tolerance; the mark lives exactly as long.
    kit.clock.advance(millis(69_999));
    assert_refused!(request(&kit, 0, &assertion).send(), "invalid_client", "assertion_replayed");
    kit.clock.advance(millis(1));
    let _ = kit.run_once();
    assert_refused!(request(&kit, 0, &assertion).send(), "invalid_client", "assertion_expired");
    let later = key.assertion("signs", ISSUER, "once", kit.now());
    let _ = request(&kit, 0, &later).send().expect_status(200);
}

/// Of all who send the same assertion at the same moment one is served, in whatever order they meet.
#[test]
fn of_many_with_one_assertion_one_is_served() {
    let (kit, key) = with_clients();
    for seed in 0..200 {
        let assertion = key.assertion("signs", ISSUER, &format!("race {seed}"), kit.now());
        let requests = (0..8).map(|n| request(&kit, n % 3, &assertion).to_http()).collect();
        let answers = kit.send_at_once(seed, requests);
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "seed {seed}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            check_refused_by_name(answer, "invalid_client", "assertion_replayed");
        }
    }
}

/// What was refused for another reason is not used up: nobody can spend a client's assertion by sending it
/// in a request that is refused anyway.
#[test]
fn a_refused_assertion_is_not_used_up() {
    let (kit, key) = with_clients();
    let assertion = key.assertion("signs", ISSUER, "late", kit.now());
    kit.put_client(&signing("signs", &key, json!({"chancery": {"enabled": false}})));
    assert_refused!(request(&kit, 0, &assertion).send(), "invalid_client", "client_disabled");
    kit.put_client(&signing("signs", &key, json!({})));
    let beside = request(&kit, 0, &assertion).param("client_secret", LONG);
    assert_refused!(beside.send(), "invalid_client", "assertion_not_alone");
    let named = request(&kit, 0, &assertion).param("client_id", "web");
    assert_refused!(named.send(), "invalid_request", "client_id_mismatch");
    let from_elsewhere = request(&kit, 0, &assertion).header("origin", "https://evil.example");
    assert_refused!(from_elsewhere.send(), "invalid_request", "origin_not_allowed");
    let _ = request(&kit, 0, &assertion).send().expect_status(200);
}

/// The store that does not answer is no refusal, and the assertion is good again afterwards.
#[test]
fn without_the_store_nobody_is_let_in() {
    let (kit, key) = with_clients();
    let assertion = key.assertion("signs", ISSUER, "down", kit.now());
    kit.failing.fail_at(1);
    let _ = request(&kit, 1, &assertion).send().expect_status(503);
    kit.failing.fail_at(0);
    let _ = request(&kit, 1, &assertion).send().expect_status(200);
}

/// META-15, CONF-07: what is not offered is neither announced, nor can a client be registered for it, nor is
/// it taken of one that was registered before.
#[test]
fn algorithms_and_methods_follow_from_each_other() {
    let key = ClientKey::generate(Es256);
    let rows: [(&[SigningAlgorithm], &[&str]); 4] = [
        (&[Es256, Hs256], &["client_secret_jwt", "private_key_jwt"]),
        (&[Hs384], &["client_secret_jwt"]),
        (&[Rs256], &["private_key_jwt"]),
        (&[], &[]),
    ];
    for (algorithms, methods) in rows {
        let kit = TestProvider::builder()
            .configure(|config| config.client_authentication.assertion_algorithms = algorithms.to_vec())
            .build();
        let metadata = kit.get("/.well-known/openid-configuration");
        for endpoint in ["token", "introspection", "revocation"] {
            let announced = &metadata[&*format!("{endpoint}_endpoint_auth_methods_supported")];
            let with_jwt: Vec<&str> =
                announced.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let with_jwt: Vec<&str> =
                with_jwt.into_iter().filter(|method| method.ends_with("_jwt")).collect();
            assert_eq!(with_jwt, methods);
            let announced = &metadata[&*format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
            let names: Vec<&str> = algorithms.iter().map(|alg| alg.name()).collect();
            assert_eq!(announced.as_array().map_or(0, Vec::len), names.len());
            assert!(names.is_empty() || *announced == json!(names));
        }
        let shared = ClientKey::of_secret(Hs256, LONG);
        let rows = [
            ("signs", signing("signs", &key, json!({})), &key, Es256),
            ("shares", sharing("shares", json!({})), &shared, Hs256),
        ];
        for (client, metadata, key, alg) in rows {
            let method = if client == "signs" { "private_key_jwt" } else { "client_secret_jwt" };
            let registered = kit.registry.put(&metadata);
            assert_eq!(registered.is_ok(), methods.contains(&method), "{client}: {registered:?}");
            let answer = request(&kit, 0, &key.assertion(client, ISSUER, "1", kit.now())).send();
            match (registered.is_ok(), algorithms.contains(&alg)) {
                (true, true) => assert_eq!(answer.status, 200),
                (true, false) => {
                    check_refused_by_name(&answer, "invalid_client", "assertion_algorithm_wrong");
                }
                (false, _) => check_refused_by_name(&answer, "invalid_client", "client_unknown"),
            }
        }
    }
}

/// An HMAC assertion is a guess at the secret and is slowed down as such (RFC 6749 section 2.3.1); what is
/// signed by a key is none, so a client that goes on with an old key stops nobody behind its network. From
/// another network the client feels nothing.
#[test]
fn guessing_by_assertions_is_slowed_down() {
    let (kit, key) = with_clients();
    let send = |assertion: &str, from: &str| {
        let mut request = request(&kit, 0, assertion).to_http();
        request.extensions_mut().insert(Peer(from.parse().unwrap()));
        kit.send(request)
    };
    let right = |jti: &str| ClientKey::of_secret(Hs256, LONG).assertion("shares", ISSUER, jti, kit.now());
    for n in 0..11 {
        let guess = format!("a guess of at least thirty-two characters {n}");
        let guess =
            ClientKey::of_secret(Hs256, &guess).assertion("shares", ISSUER, &n.to_string(), kit.now());
        check_refused_by_name(&send(&guess, "192.0.2.7"), "invalid_client", "assertion_signature_wrong");
    }
    check_refused_by_name(&send(&right("1"), "192.0.2.7"), "invalid_client", "client_secrets_throttled");
    let _ = send(&right("2"), "192.0.2.8").expect_status(200);

    let old = ClientKey::generate(Es256);
    for n in 0..50 {
        let signed = old.sign(&json!({}), &claims(&kit, "signs", &format!("old {n}")));
        check_refused_by_name(&send(&signed, "192.0.2.9"), "invalid_client", "assertion_signature_wrong");
    }
    let good = key.assertion("signs", ISSUER, "good", kit.now());
    let _ = send(&good, "192.0.2.9").expect_status(200);
}

/// An application can demand more of an assertion, and is asked before it is used up.
#[test]
fn a_policy_can_demand_more() {
    struct Typed;
    impl ClientPolicy for Typed {
        fn assertion(&self, client: &Client, assertion: &AssertionView<'_>) -> Result<(), Refusal> {
            let is_typed = assertion.header.is_type("client-authentication+jwt");
            assert_eq!(assertion.claims.sub.as_deref(), Some(client.id().as_str()));
            if is_typed { Ok(()) } else { Err((&chancery_core::client::ORIGIN_NOT_ALLOWED).into()) }
        }
    }
    let key = ClientKey::generate(Es256);
    let kit = TestProvider::builder().client_policy(Typed).client(&signing("signs", &key, json!({}))).build();
    let claims = claims(&kit, "signs", "1");
    let untyped = request(&kit, 0, &key.sign(&json!({}), &claims)).send();
    assert_refused!(untyped, "invalid_request", "origin_not_allowed");
    let typed = key.sign(&json!({"typ": "client-authentication+jwt"}), &claims);
    let _ = request(&kit, 0, &typed).send().expect_status(200);
}

/// CAUTH-15, CAUTH-16, CAUTH-21: whatever is wrong with an assertion, the answer is the same; the event alone
/// says what it was.
#[test]
fn failures_differ_in_the_event_alone() {
    let (kit, key) = with_clients();
    let now = kit.now();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&kit, "signs", "x");
        claims[name] = value;
        key.sign(&json!({}), &claims)
    };
    let without = |name: &str| {
        let mut claims = claims(&kit, "signs", "x");
        claims.as_object_mut().unwrap().remove(name);
        key.sign(&json!({}), &claims)
    };
    let headed = |header: Value| key.sign(&header, &claims(&kit, "signs", "x"));
    let unsigned = |alg: &str| {
        let header = json!({"alg": alg}).to_string();
        format!(
            "{}.{}.",
            base64url::encode(header),
            base64url::encode(claims(&kit, "signs", "x").to_string())
        )
    };
    let by = |key: &ClientKey, client: &str| key.assertion(client, ISSUER, "x", now);
    let good = by(&key, "signs");
    let (other, es384) = (ClientKey::generate(Es256), ClientKey::generate(Es384));
    // RFC 8725 section 2.1: the public key as the secret of an HMAC.
    let confused = ClientKey::of_secret(Hs256, &key.jwks().to_string());
    let rows = [
        ("assertion_malformed", "x".to_owned()),
        ("assertion_malformed", "a.b.c".to_owned()),
        ("assertion_malformed", format!("{good}.")),
        ("assertion_malformed", format!("{good}=")),
        ("assertion_malformed", format!(" {good}")),
        ("assertion_malformed", good.replace('.', "..")),
        ("assertion_malformed", format!("{good}{}", "A".repeat(17 * 1024))),
        ("assertion_malformed", headed(json!({"crit": ["exp"], "exp": 1}))),
        ("assertion_malformed", headed(json!({"b64": false, "crit": ["b64"]}))),
        ("assertion_malformed", with("exp", json!("tomorrow"))),
        ("assertion_malformed", with("exp", json!(-1))),
        ("assertion_malformed", with("aud", json!(1))),
        ("assertion_malformed", with("jti", json!(1))),
        ("assertion_malformed", with("sub", json!(["signs"]))),
        ("assertion_malformed", key.sign(&json!({}), &json!([]))),
        ("assertion_algorithm_wrong", unsigned("none")),
        ("assertion_algorithm_wrong", unsigned("None")),
        ("assertion_algorithm_wrong", unsigned("RS1")),
        ("assertion_algorithm_wrong", by(&confused, "signs")),
        ("assertion_algorithm_wrong", by(&key, "shares")),
        ("assertion_type_wrong", headed(json!({"typ": "dpop+jwt"}))),
        ("assertion_type_wrong", headed(json!({"typ": "oauth-authz-req+jwt"}))),
        ("assertion_type_wrong", headed(json!({"typ": "at+jwt"}))),
        ("assertion_type_wrong", headed(json!({"typ": "logout+jwt"}))),
        ("assertion_type_wrong", headed(json!({"typ": ""}))),
        ("assertion_issuer_wrong", without("iss")),
        ("assertion_issuer_wrong", with("iss", json!("web"))),
        ("assertion_issuer_wrong", with("iss", json!(ISSUER))),
        ("assertion_audience_wrong", without("aud")),
        ("assertion_audience_wrong", with("aud", json!([]))),
        ("assertion_audience_wrong", with("aud", json!("https://id.example/token"))),
        ("assertion_audience_wrong", with("aud", json!([ISSUER, "https://evil.example"]))),
        ("assertion_without_expiry", without("exp")),
        ("assertion_expired", with("exp", json!(now.secs() - 10))),
        ("assertion_not_yet_valid", with("nbf", json!(now.secs() + 60))),
        ("assertion_lifetime_too_long", with("exp", json!(now.secs() + 86_400))),
        ("assertion_without_jti", without("jti")),
        ("assertion_without_jti", with("jti", json!(""))),
        ("assertion_key_unknown", by(&other, "signs")),
        ("assertion_key_unknown", by(&es384, "signs")),
        ("assertion_key_unknown", headed(json!({"kid": "another"}))),
        ("assertion_signature_wrong", other.sign(&json!({"kid": key.kid()}), &claims(&kit, "signs", "x"))),
        ("assertion_signature_wrong", other.sign(&json!({}), &claims(&kit, "signs", "x"))),
        ("assertion_signature_wrong", good[..good.len() - 4].to_owned() + "AAAA"),
        ("assertion_signature_wrong", good[..good.rfind('.').unwrap() + 1].to_owned()),
        ("client_unknown", by(&key, "nobody")),
        ("client_unknown", with("sub", json!("nobody"))),
        ("client_authentication_method_unregistered", by(&key, "web")),
        ("client_authentication_method_unregistered", by(&key, "spa")),
        ("client_authentication_method_unregistered", by(&ClientKey::of_secret(Hs256, LONG), "web")),
    ];
    for (n, (reason, assertion)) in rows.iter().enumerate() {
        for at in 0..ENDPOINTS.len() {
            let answer = request(&kit, at, assertion).send();
            assert_eq!(answer.status, 401, "row {n}: {reason}, {:?}", answer.events);
            check_refused_by_name(&answer, "invalid_client", reason);
            assert_eq!(answer["error_description"], "client authentication failed", "{reason}");
        }
    }
    // Nothing of that has used the good one up.
    let _ = request(&kit, 0, &good).send().expect_status(200);
}

/// CAUTH-15..18, CAUTH-21: at each endpoint.
#[test]
fn assertions_that_must_not_be_taken() {
    let (kit, key) = with_clients();
    let failed = Refused::Json(401, "invalid_client");
    let malformed = Refused::Json(400, "invalid_request");
    let good = key.assertion("signs", ISSUER, "good", kit.now());
    let forged = ClientKey::generate(Es256).assertion("signs", ISSUER, "forged", kit.now());
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let mut table = NegativeTable::new(&kit);
    for (at, (path, _)) in ENDPOINTS.into_iter().enumerate() {
        let by = |assertion: &str| request(&kit, at, assertion);
        let rows = [
            ("a forged one", by(&forged), failed),
            ("not its own type", by(&good).without("client_assertion_type"), malformed),
            ("a type without assertion", by(&good).without("client_assertion"), malformed),
            ("an empty assertion", by(""), malformed),
            ("another type", by(&good).set("client_assertion_type", saml), failed),
            ("the type in capitals", by(&good).set("client_assertion_type", &saml.to_uppercase()), failed),
            ("two assertions", by(&good).param("client_assertion", &good), malformed),
            ("two types", by(&good).param("client_assertion_type", saml), malformed),
            ("another client", by(&good).param("client_id", "shares"), malformed),
            ("a secret beside it", by(&good).param("client_secret", LONG), failed),
            ("a header beside it", by(&good).header("authorization", "Basic d2ViOng="), failed),
            ("an unknown client", by(&key.assertion("nobody", ISSUER, "x", kit.now())), failed),
            ("a client with a secret", by(&key.assertion("web", ISSUER, "x", kit.now())), failed),
            ("a public client", by(&key.assertion("spa", ISSUER, "x", kit.now())), failed),
            ("the public key as secret", by(&confused(&kit, &key)), failed),
            (
                "the token endpoint",
                by(&key.assertion("signs", "https://id.example/token", "x", kit.now())),
                failed,
            ),
            ("another server", by(&key.assertion("signs", "https://evil.example", "x", kit.now())), failed),
            ("for nobody", by(&key.assertion("signs", "", "x", kit.now())), failed),
            ("no `jti`", by(&key.assertion("signs", ISSUER, "", kit.now())), failed),
            ("an old one", by(&key.assertion("signs", ISSUER, "x", kit.now() - seconds(70))), failed),
            ("an early one", by(&key.assertion("signs", ISSUER, "x", kit.now() + seconds(11))), failed),
            ("its proof of a key", by(&key.proof(&"POST".parse().unwrap(), ISSUER, "x", kit.now())), failed),
            ("its request object", by(&key.request_object("client_id=signs", ISSUER, kit.now())), failed),
        ];
        for (name, request, refused) in rows {
            table = table.row(format!("{path}: {name}"), request, refused);
        }
        let method = "private_key_jwt client without an assertion";
        let named = kit.anonymous_request(path).param("client_id", "signs");
        table = table.row(format!("{path}: {method}"), named.clone(), failed);
        table = table.row(format!("{path}: a secret"), named.param("client_secret", LONG), failed);
        let shared = kit.anonymous_request(path).param("client_id", "shares").param("client_secret", LONG);
        table = table.row(format!("{path}: the secret of an HMAC itself"), shared, failed);
    }
    table.run();
    let _ = request(&kit, 0, &good).send().expect_status(200);
}

/// RFC 8725 section 2.1: signed by an HMAC whose key is the client's public key.
fn confused(kit: &TestProvider, key: &ClientKey) -> String {
    ClientKey::of_secret(Hs256, &key.public().to_string()).assertion("signs", ISSUER, "x", kit.now())
}
