//! RFC 9449 sections 4.2, 4.3, 8, 9 and 11.1: what is wrong with a proof, its single use, and nonces.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod sqlite_file;

use std::cell::Cell;
use std::sync::Arc;

use chancery_core::profile::Profile;
use chancery_jose::SigningAlgorithm::{Es256, Hs256, Ps256, Rs256};
use chancery_jose::base64url;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    Answer, ClientKey, ClientRequest, DpopKey, NegativeTable, Refused, SECRET, TestProvider,
    TestProviderBuilder, check_refused_by_name, seconds,
};
use http::{HeaderValue, Method};
use serde_json::{Map, Value, json};
use sqlite_file::sqlite_file;

fn builder() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| config.dpop.offered = true)
}

fn with_nonces() -> TestProviderBuilder {
    builder().configure(|config| config.dpop.require_nonce = true)
}

/// Claims with others in their place; `null` stands for none.
fn with(claims: &Value, others: Value) -> Value {
    let mut claims: Map<String, Value> = claims.as_object().unwrap().clone();
    claims.extend(others.as_object().unwrap().clone());
    claims.retain(|_, value| !value.is_null());
    claims.into()
}

/// Proofs that break one rule each, as somebody makes them who has a good one, with the name of the reason.
fn bad_proofs(key: &DpopKey, good: &Value, now: i64) -> Vec<(&'static str, &'static str, Vec<String>)> {
    let header = |more: Value| with(&json!({"typ": "dpop+jwt", "jwk": key.key().public()}), more);
    let signed =
        |name, reason, header: Value, claims: Value| (name, reason, vec![key.key().sign(&header, &claims)]);
    let claims = |name, reason, others: Value| signed(name, reason, header(json!({})), with(good, others));
    let headed = |name, reason, others: Value| signed(name, reason, header(others), good.clone());
    let proof = key.proof(good);
    let [head, payload, signature] = proof.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let unsigned = |alg: &str, signature: &str| {
        let header = header(json!({"alg": alg})).to_string();
        vec![format!("{}.{payload}.{signature}", base64url::encode(header))]
    };
    let other = ClientKey::generate(Es256);
    let shared = ClientKey::of_secret(Hs256, SECRET);
    let rs256 = ClientKey::generate(Rs256);
    let of = |key: &ClientKey, jwk: Value| vec![key.sign(&json!({"typ": "dpop+jwt", "jwk": jwk}), good)];
    let mut private = key.key().public();
    private["d"] = "A".repeat(43).into();
    let mut for_encryption = key.key().public();
    for_encryption["use"] = "enc".into();
    let mut off_curve = key.key().public();
    off_curve["y"] = off_curve["x"].clone();
    let oct = json!({"kty": "oct", "k": base64url::encode(SECRET)});
    let long = "j".repeat(257);
    vec![
        ("two headers", "dpop_header_repeated", vec![proof.clone(), proof.clone()]),
        ("two proofs in one header", "dpop_proof_malformed", vec![format!("{proof}, {proof}")]),
        ("an empty header", "dpop_proof_malformed", vec![String::new()]),
        ("no JWT", "dpop_proof_malformed", vec!["nonsense".into()]),
        ("two parts", "dpop_proof_malformed", vec![format!("{head}.{payload}")]),
        ("four parts", "dpop_proof_malformed", vec![format!("{proof}.{signature}")]),
        ("padding", "dpop_proof_malformed", vec![format!("{proof}=")]),
        ("claims that are no object", "dpop_proof_malformed", vec![format!("{head}.W10.{signature}")]),
        (
            "longer than 16 KiB",
            "dpop_proof_malformed",
            vec![key.proof(&with(good, json!({"x": "x".repeat(16 * 1024)})))],
        ),
        headed("a critical extension", "dpop_proof_malformed", json!({"crit": ["x"], "x": 1})),
        headed("an unencoded payload", "dpop_proof_malformed", json!({"b64": false})),
        claims("no jti", "dpop_proof_incomplete", json!({"jti": null})),
        claims("an empty jti", "dpop_proof_incomplete", json!({"jti": ""})),
        claims("a long jti", "dpop_proof_incomplete", json!({"jti": long})),
        claims("jti that is no text", "dpop_proof_malformed", json!({"jti": 7})),
        claims("no htm", "dpop_proof_incomplete", json!({"htm": null})),
        claims("no htu", "dpop_proof_incomplete", json!({"htu": null})),
        claims("no iat", "dpop_proof_incomplete", json!({"iat": null})),
        claims("iat that is no number", "dpop_proof_malformed", json!({"iat": now.to_string()})),
        claims("nonce that is no text", "dpop_proof_malformed", json!({"nonce": 7})),
        headed("no typ", "dpop_type_wrong", json!({"typ": null})),
        headed("another typ", "dpop_type_wrong", json!({"typ": "JWT"})),
        headed("typ of an access token", "dpop_type_wrong", json!({"typ": "at+jwt"})),
        ("alg none", "dpop_algorithm_wrong", unsigned("none", "")),
        ("alg none with a signature", "dpop_algorithm_wrong", unsigned("none", signature)),
        (
            "no alg",
            "dpop_proof_malformed",
            vec![format!("{}.{payload}.{signature}", base64url::encode(header(json!({})).to_string()))],
        ),
        ("an unknown alg", "dpop_algorithm_wrong", unsigned("ES256K", signature)),
        ("alg of another key", "dpop_key_wrong", unsigned("ES384", signature)),
        ("an HMAC", "dpop_algorithm_wrong", of(&shared, oct.clone())),
        ("an algorithm that is not offered", "dpop_algorithm_wrong", of(&rs256, rs256.public())),
        headed("no jwk", "dpop_key_wrong", json!({"jwk": null})),
        headed("a private key", "dpop_key_wrong", json!({"jwk": private})),
        headed("a symmetric key", "dpop_key_wrong", json!({"jwk": oct})),
        headed("a key for encryption", "dpop_key_wrong", json!({"jwk": for_encryption})),
        headed("a point off the curve", "dpop_key_wrong", json!({"jwk": off_curve})),
        headed("jwk that is no key", "dpop_key_wrong", json!({"jwk": "x"})),
        headed("kid instead of jwk", "dpop_key_wrong", json!({"jwk": null, "kid": key.thumbprint()})),
        headed("jwk of another", "dpop_signature_wrong", json!({"jwk": other.public()})),
        ("another signature", "dpop_signature_wrong", vec![format!("{head}.{payload}.{}", "A".repeat(86))]),
        ("no signature", "dpop_signature_wrong", vec![format!("{head}.{payload}.")]),
        claims("another method", "dpop_method_wrong", json!({"htm": "PUT"})),
        claims(
            "the method in another case",
            "dpop_method_wrong",
            json!({"htm": good["htm"].as_str().unwrap().to_lowercase()}),
        ),
        claims("an empty method", "dpop_method_wrong", json!({"htm": ""})),
        claims("another endpoint", "dpop_target_wrong", json!({"htu": "https://id.example/revoke"})),
        claims("another host", "dpop_target_wrong", json!({"htu": "https://evil.example/token"})),
        claims("another scheme", "dpop_target_wrong", json!({"htu": "http://id.example/token"})),
        claims("another port", "dpop_target_wrong", json!({"htu": "https://id.example:8443/token"})),
        claims(
            "a slash at the end",
            "dpop_target_wrong",
            json!({"htu": format!("{}/", good["htu"].as_str().unwrap())}),
        ),
        claims("a path alone", "dpop_target_wrong", json!({"htu": "/token"})),
        claims("no URI", "dpop_target_wrong", json!({"htu": "x y"})),
        claims("an old one", "dpop_proof_expired", json!({"iat": now - 60})),
        claims("an hour old", "dpop_proof_expired", json!({"iat": now - 3600})),
        claims("of 1970", "dpop_proof_expired", json!({"iat": 0})),
        claims("one of the future", "dpop_proof_not_yet_valid", json!({"iat": now + 61})),
        claims("an hour in the future", "dpop_proof_not_yet_valid", json!({"iat": now + 3600})),
        claims("its end is past", "dpop_proof_expired", json!({"exp": now - 60})),
        claims("its beginning is to come", "dpop_proof_not_yet_valid", json!({"nbf": now + 61})),
        claims("a nonce that nobody gave", "dpop_nonce_unknown", json!({"nonce": "x"})),
    ]
}

/// The request with these DPoP headers.
fn carrying<'k>(request: ClientRequest<'k>, fields: &[String]) -> ClientRequest<'k> {
    fields.iter().fold(request, |request, field| request.header("dpop", field))
}

/// DPOP-02, DPOP-03, DPOP-04, DPOP-06, DPOP-08, DPOP-20: RFC 9449 section 4.3 at the token endpoint: each bad proof is
/// refused by its own reason, and uses up neither code nor refresh token, nor the `jti`.
#[test]
fn a_bad_proof_uses_nothing_up() {
    let kit = builder().build();
    let key = DpopKey::generate(Es256);
    let code = kit.code("alice", "web", "openid offline_access");
    let refresh_token =
        kit.tokens("alice", "spa", "openid offline_access").member("refresh_token").to_owned();
    let good = key.claims(&kit, &Method::POST, "/token", None);
    let requests = [
        kit.code_request(&code),
        kit.refresh_request("spa", &refresh_token),
        kit.client_credentials_request("web"),
    ];
    let mut table = NegativeTable::new(&kit);
    for (name, reason, fields) in bad_proofs(&key, &good, kit.now().secs()) {
        for request in &requests {
            let answer = carrying(request.clone(), &fields).send();
            check_refused_by_name(&answer, "invalid_dpop_proof", reason);
            let refused = Refused::Json(400, "invalid_dpop_proof");
            table = table.row(name, carrying(request.clone(), &fields), refused);
        }
    }
    table.run();
    let [code, refresh, own] = requests;
    let _ = code.header("dpop", &key.proof(&good)).send().expect_status(200);
    let _ = key.prove(refresh).send().expect_status(200);
    let _ = key.prove(own).send().expect_status(200);
}

/// DPOP-02, DPOP-05, DPOP-20: the same at UserInfo, with 401, and `ath` (RFC 9449 sections 4.3 and 7.1).
#[test]
fn a_bad_proof_shows_nobody() {
    let kit = builder().build();
    let key = DpopKey::generate(Es256);
    let tokens = key.prove(kit.code_request(&kit.code("alice", "spa", "openid"))).send().expect_status(200);
    let token = tokens.member("access_token");
    let good = key.claims(&kit, &Method::GET, "/userinfo", Some(token));
    let of_token = |others: Value| vec![key.proof(&with(&good, others))];
    let mut proofs = bad_proofs(&key, &good, kit.now().secs());
    proofs.extend([
        ("no ath", "dpop_proof_incomplete", of_token(json!({"ath": null}))),
        ("ath that is no text", "dpop_proof_malformed", of_token(json!({"ath": 7}))),
        ("an empty ath", "dpop_token_wrong", of_token(json!({"ath": ""}))),
        ("the token itself", "dpop_token_wrong", of_token(json!({"ath": token}))),
        (
            "ath with padding",
            "dpop_token_wrong",
            of_token(json!({"ath": format!("{}=", good["ath"].as_str().unwrap())})),
        ),
        (
            "a proof for the token endpoint",
            "dpop_target_wrong",
            of_token(json!({"htu": "https://id.example/token"})),
        ),
        ("a proof for POST", "dpop_method_wrong", of_token(json!({"htm": "POST"}))),
    ]);
    let request = kit.anonymous_request("/userinfo").get().header("authorization", &format!("DPoP {token}"));
    let mut table = NegativeTable::new(&kit);
    for (name, reason, fields) in proofs {
        let answer = carrying(request.clone(), &fields).send();
        check_refused_by_name(&answer, "invalid_dpop_proof", reason);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("DPoP ") && challenge.contains("error=\"invalid_dpop_proof\""),
            "{challenge}"
        );
        let refused = Refused::Json(401, "invalid_dpop_proof");
        table = table.row(name, carrying(request.clone(), &fields), refused);
    }
    table.run();
    assert_eq!(request.header("dpop", &key.proof(&good)).send().status, 200);
}

/// DPOP-04, DPOP-06: what a good proof may have: other members, `nbf` and `exp`, and every spelling of the same URI
/// (RFC 3986 sections 6.2.2 and 6.2.3); up to a minute from either side.
#[test]
fn a_good_proof_is_taken() {
    let kit = builder().build();
    let key = DpopKey::generate(Es256);
    let now = kit.now().secs();
    let rows = [
        json!({}),
        json!({"x": {"y": [1]}, "sub": "s", "aud": ["a"], "iss": "i"}),
        json!({"nbf": now, "exp": now + 60}),
        json!({"nbf": now + 60, "exp": now - 59}),
        json!({"iat": now - 59}),
        json!({"iat": now - 10}),
        json!({"iat": now + 10}),
        json!({"iat": now + 60}),
        json!({"iat": now as f64 + 0.5}),
        json!({"jti": "j".repeat(256)}),
        json!({"ath": "of no meaning here"}),
        json!({"htu": "https://id.example/token?a=b"}),
        json!({"htu": "https://id.example/token#f"}),
        json!({"htu": "HTTPS://ID.EXAMPLE/token"}),
        json!({"htu": "https://id.example:443/token"}),
        json!({"htu": "https://id.example/%74oken"}),
        json!({"htu": "https://id.example/a/../token"}),
    ];
    for others in rows {
        let proof = key.proof(&with(&key.claims(&kit, &Method::POST, "/token", None), others.clone()));
        let answer = kit.client_credentials_request("web").header("dpop", &proof).send();
        assert_eq!(answer.status, 200, "{others} {}", answer.text());
    }
    let header = json!({"typ": "application/dpop+jwt", "jwk": key.key().public(), "kid": "k", "x5c": ["x"]});
    let proof = key.key().sign(&header, &key.claims(&kit, &Method::POST, "/token", None));
    let _ = kit.client_credentials_request("web").header("dpop", &proof).send().expect_status(200);
}

/// DPOP-04: the address is that of the issuer, with its path, whatever the request says about its host.
#[test]
fn the_target_comes_from_the_issuer() {
    let kit = builder().issuer("https://id.example/oidc").build();
    let key = DpopKey::generate(Es256);
    let _ = key.prove(kit.client_credentials_request("web")).send().expect_status(200);
    for (host, htu) in
        [("evil.example", "https://evil.example/oidc/token"), ("id.example", "https://id.example/token")]
    {
        let claims = with(&key.claims(&kit, &Method::POST, "/oidc/token", None), json!({"htu": htu}));
        let request = kit.client_credentials_request("web").header("dpop", &key.proof(&claims));
        let mut request = request.to_http();
        request.headers_mut().insert("host", HeaderValue::from_static(host));
        check_refused_by_name(&kit.send(request), "invalid_dpop_proof", "dpop_target_wrong");
    }
}

/// Where clients with certificates have another address of an endpoint (RFC 8705 section 5), a proof names the one
/// that is called. That of another endpoint is as wrong as ever, and so is it without this setting.
#[test]
fn the_address_for_clients_with_certificates_is_a_target() {
    let kit = builder().configure(|to| to.mtls.endpoint_aliases = "https://mtls.id.example".into()).build();
    let key = DpopKey::generate(Es256);
    let ask = |kit: &TestProvider, htu: &str| {
        let claims = with(&key.claims(kit, &Method::POST, "/token", None), json!({"htu": htu}));
        kit.client_credentials_request("web").header("dpop", &key.proof(&claims)).send()
    };
    for htu in
        ["https://mtls.id.example/token", "https://MTLS.id.example:443/token?a=b", "https://id.example/token"]
    {
        let _ = ask(&kit, htu).expect_status(200);
    }
    for htu in [
        "https://mtls.id.example/revoke",
        "https://mtls.id.example.evil.example/token",
        "https://mtls.id.example",
    ] {
        check_refused_by_name(&ask(&kit, htu), "invalid_dpop_proof", "dpop_target_wrong");
    }
    let without = builder().build();
    let answer = ask(&without, "https://mtls.id.example/token");
    check_refused_by_name(&answer, "invalid_dpop_proof", "dpop_target_wrong");
}

/// DPOP-02: RS256 only where it is offered, and never against the demands of a profile, that of the server or that of
/// one client (FAPI 2.0 Security Profile section 5.4.1).
#[test]
fn rs256_is_taken_where_it_is_offered_and_not_forbidden() {
    let rs256 = |builder: TestProviderBuilder| {
        builder.configure(|config| config.dpop.algorithms = vec![Rs256, Ps256, Es256])
    };
    let key = ClientKey::generate(Rs256);
    let proof = |kit: &TestProvider| key.proof(&Method::POST, "https://id.example/token", "once", kit.now());
    let kit = rs256(builder()).build();
    let request = kit.client_credentials_request("web").header("dpop", &proof(&kit));
    let _ = request.send().expect_status(200);
    // One client that is held to a profile, at the token endpoint and at UserInfo.
    let authentication = ClientKey::generate(Ps256);
    let client = json!({"client_id": "bank", "redirect_uris": ["https://bank.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "PS256",
        "jwks": authentication.jwks(), "id_token_signed_response_alg": "ES256", "response_types": [],
        "grant_types": ["client_credentials"], "dpop_bound_access_tokens": true,
        "chancery": {"profile": "fapi2-security"}});
    kit.put_client(&client.to_string());
    let jti = Cell::new(0);
    let request = || {
        jti.set(jti.get() + 1);
        let assertion =
            authentication.assertion("bank", "https://id.example", &jti.get().to_string(), kit.now());
        kit.anonymous_request("/token").param("grant_type", "client_credentials").assertion(&assertion)
    };
    let answer = request().header("dpop", &proof(&kit)).send().expect_status(400);
    check_refused_by_name(&answer, "invalid_dpop_proof", "dpop_algorithm_wrong");
    let _ = DpopKey::generate(Ps256).prove(request()).send().expect_status(200);
    check_refused_by_name(&request().send(), "invalid_request", "dpop_proof_missing");
    let server = rs256(builder()).configure(|config| config.profile = Profile::Fapi2Security);
    let metadata = server.without_clients().build().get("/.well-known/openid-configuration");
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["PS256", "ES256"]));
}

/// DPOP-11, DPOP-18: GAP: of the same proof at the same moment at two providers over one store one is taken, and its
/// tokens stay.
#[test]
fn of_64_at_once_at_two_nodes_one_is_taken() {
    let store = Arc::new(MemoryStore::new());
    let one = builder().store(store.clone()).build();
    one_is_taken(&one, &builder().store(store).keys_of(&one).build(), 10);
}

/// DPOP-18: the same over one file.
#[test]
fn of_64_at_once_at_two_nodes_one_is_taken_on_sqlite() {
    let store = sqlite_file("proofs");
    let one = builder().store(store.clone()).build();
    one_is_taken(&one, &builder().store(store).keys_of(&one).build(), 4);
}

fn one_is_taken(one: &TestProvider, two: &TestProvider, rounds: u32) {
    let key = DpopKey::generate(Es256);
    let tokens = key.prove(one.code_request(&one.code("alice", "web", "openid"))).send().expect_status(200);
    let token = tokens.member("access_token");
    for round in 0..rounds {
        let at_token = key.prove(one.client_credentials_request("machine")).to_http();
        let at_userinfo = key.userinfo(one, token).to_http();
        for (request, status) in [(at_token, 400), (at_userinfo, 401)] {
            let answers: Vec<Answer> = std::thread::scope(|scope| {
                let send = |n: usize| {
                    let (kit, request) = (if n.is_multiple_of(2) { one } else { two }, request.clone());
                    scope.spawn(move || kit.send(request))
                };
                let all: Vec<_> = (0..64).map(send).collect();
                all.into_iter().map(|answer| answer.join().unwrap()).collect()
            });
            let (taken, refused): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(taken.len(), 1, "round {round}");
            for answer in refused {
                assert_eq!((answer.status.as_u16(), answer.member("error")), (status, "invalid_dpop_proof"));
            }
            if let Some(token) = taken[0].json().get("access_token") {
                assert!(two.is_active("machine", token.as_str().unwrap()), "round {round}");
            }
        }
    }
}

/// DPOP-11: a replay with a code ends nothing of what the code gave; another key may use the same `jti`.
#[test]
fn a_replay_is_refused_for_as_long_as_the_proof_could_be_used() {
    let kit = builder().build();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es256));
    let code = kit.code("alice", "web", "openid");
    let request = key.prove(kit.code_request(&code));
    let tokens = request.send().expect_status(200);
    check_refused_by_name(&request.send(), "invalid_dpop_proof", "dpop_proof_replayed");
    assert!(kit.is_active("web", tokens.member("access_token")));
    let future =
        with(&key.claims(&kit, &Method::POST, "/token", None), json!({"iat": kit.now().secs() + 60}));
    let own = kit.client_credentials_request("web").header("dpop", &key.proof(&future));
    let _ = own.send().expect_status(200);
    let same_jti = with(&other.claims(&kit, &Method::POST, "/token", None), json!({"jti": future["jti"]}));
    let another = kit.client_credentials_request("web").header("dpop", &other.proof(&same_jti));
    let _ = another.send().expect_status(200);
    for _ in 0..119 {
        kit.clock.advance(seconds(1));
        let _ = kit.run_once();
        check_refused_by_name(&own.send(), "invalid_dpop_proof", "dpop_proof_replayed");
    }
    kit.clock.advance(seconds(1));
    check_refused_by_name(&own.send(), "invalid_dpop_proof", "dpop_proof_expired");
}

/// DPOP-09, DPOP-10: RFC 9449 sections 8 and 9: where nonces are demanded, an answer has one, and with it the proof is
/// good at every endpoint and on every node, however wrong the clock of the client is (DPOP-07).
#[test]
fn nonces() {
    let store = Arc::new(MemoryStore::new());
    let kit = with_nonces().store(store.clone()).build();
    let node = with_nonces().store(store).keys_of(&kit).build();
    let key = DpopKey::generate(Es256);
    let code = kit.code("alice", "web", "openid");
    let refused = key.prove(kit.code_request(&code)).send().expect_status(400);
    check_refused_by_name(&refused, "use_dpop_nonce", "dpop_nonce_missing");
    let nonce = refused.header("dpop-nonce").unwrap();
    let is_nonce = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(nonce.bytes().all(is_nonce), "section 8.1: {nonce}");
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    key.keep_nonce(&refused);
    let tokens = key.prove(kit.code_request(&code)).send().expect_status(200);
    assert_eq!(tokens.header("dpop-nonce"), None, "it has the newest one");
    let token = tokens.member("access_token");
    assert_eq!(key.userinfo(&node, token).send().status, 200, "another node");
    let claims = key.claims(&kit, &Method::GET, "/userinfo", Some(token));
    let skewed = key.proof(&with(&claims, json!({"iat": kit.now().secs() + 86_400})));
    let request = kit.anonymous_request("/userinfo").get().header("authorization", &format!("DPoP {token}"));
    assert_eq!(request.header("dpop", &skewed).send().status, 200);

    let stranger = DpopKey::generate(Es256);
    let tokens = key.prove(kit.client_credentials_request("web")).send().expect_status(200);
    let refused = stranger.userinfo(&kit, tokens.member("access_token")).send().expect_status(401);
    check_refused_by_name(&refused, "use_dpop_nonce", "dpop_nonce_missing");
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("DPoP ") && challenge.contains("error=\"use_dpop_nonce\""), "{challenge}");
    assert_eq!(refused.header("dpop-nonce"), Some(nonce));
    assert_eq!(kit.tokens("alice", "web", "openid").header("dpop-nonce"), None, "no proof, no nonce");
}

/// DPOP-09: the key of the nonces follows the root secret on every node alike: when there is another one, a node that has
/// not heard of it yet and one that has accept each other's nonces.
#[test]
fn nonces_outlive_the_root_secret() {
    let store = Arc::new(MemoryStore::new());
    let kit = with_nonces().own_keys(&[Rs256, Es256]).store(store.clone()).build();
    let node = with_nonces().store(store).keys_of(&kit).build();
    let nonce_of = |kit: &TestProvider| {
        let answer = DpopKey::generate(Es256).prove(kit.client_credentials_request("web")).send();
        check_refused_by_name(&answer, "use_dpop_nonce", "dpop_nonce_missing");
        answer.header("dpop-nonce").unwrap().to_owned()
    };
    let key = DpopKey::generate(Es256);
    let is_taken = |kit: &TestProvider, nonce: &str| {
        let claims = with(&key.claims(kit, &Method::POST, "/token", None), json!({"nonce": nonce}));
        let proof = key.proof(&claims);
        kit.client_credentials_request("web").header("dpop", &proof).send().status == 200
    };
    let former = nonce_of(&kit);
    kit.keys.add_secret();
    kit.clock.advance(seconds(2));
    let new = nonce_of(&kit);
    node.clock.advance(seconds(2));
    assert_eq!(new, nonce_of(&node), "of the same time, every node gives the same");
    assert_ne!(new, former);
    for kit in [&kit, &node] {
        for nonce in [&former, &new] {
            assert!(is_taken(kit, nonce));
        }
    }
}

/// DPOP-10: RFC 9449 section 8.2: a client that goes on gets each new nonce with a success, and is never refused. No
/// nonce lives for longer than five minutes.
#[test]
fn a_new_nonce_comes_with_a_success() {
    let kit = with_nonces().build();
    let key = DpopKey::generate(Es256);
    key.keep_nonce(&key.prove(kit.client_credentials_request("web")).send().expect_status(400));
    let (mut given, mut lived) = (kit.now(), Vec::new());
    for _ in 0..60 {
        kit.clock.advance(seconds(10));
        let answer = key.prove(kit.client_credentials_request("web")).send().expect_status(200);
        if answer.header("dpop-nonce").is_some() {
            lived.push(kit.now().since(given));
            given = kit.now();
        }
        key.keep_nonce(&answer);
    }
    assert_eq!(lived.len(), 4, "every 150 seconds: {lived:?}");
    let is_taken = || key.prove(kit.client_credentials_request("web")).send().status == 200;
    let mut seconds_taken = 0;
    while is_taken() {
        kit.clock.advance(seconds(1));
        seconds_taken += 1;
    }
    assert!((150..=300).contains(&seconds_taken), "{seconds_taken}");
}

/// DPOP-09: RFC 9449 section 8: forged, foreign, expired and future nonces. Each answer has a good one, and nothing is
/// used up.
#[test]
fn nonces_that_are_not_ours() {
    let kit = with_nonces().build();
    let foreign = with_nonces().own_keys(&[Rs256, Es256]).build();
    let neighbour = with_nonces().keys_of(&kit).issuer("https://other.example").build();
    let nonce_of = |kit: &TestProvider| {
        let answer = DpopKey::generate(Es256).prove(kit.client_credentials_request("web")).send();
        answer.header("dpop-nonce").unwrap().to_owned()
    };
    let old = nonce_of(&kit);
    for kit in [&kit, &foreign, &neighbour] {
        kit.clock.advance(seconds(301));
    }
    let (good, foreign, neighbour) = (nonce_of(&kit), nonce_of(&foreign), nonce_of(&neighbour));
    let mut flipped = base64url::decode(&good).unwrap();
    flipped[19] ^= 1;
    let mut other_version = base64url::decode(&good).unwrap();
    other_version[3] ^= 1;
    let key = DpopKey::generate(Es256);
    let tokens = |nonce: Value| {
        let claims = with(&key.claims(&kit, &Method::POST, "/token", None), json!({"nonce": nonce}));
        kit.client_credentials_request("web").header("dpop", &key.proof(&claims))
    };
    let refused = Refused::Json(400, "use_dpop_nonce");
    let mut table = NegativeTable::new(&kit);
    for (name, nonce) in [
        ("none", Value::Null),
        ("empty", "".into()),
        ("expired", old.into()),
        ("of other keys", foreign.into()),
        ("of another issuer", neighbour.into()),
        ("forged", base64url::encode(&flipped).into()),
        ("of another version", base64url::encode(&other_version).into()),
        ("too short", good[..8].into()),
        ("too long", format!("{good}AAAA").into()),
        ("padded", format!("{good}=").into()),
        ("long", "A".repeat(4096).into()),
        ("not ASCII", "\u{e4}\u{0}".into()),
    ] {
        assert_eq!(tokens(nonce.clone()).send().header("dpop-nonce"), Some(&*good), "{name}");
        table = table.row(name, tokens(nonce), refused);
    }
    table.run();
    assert_eq!(tokens(good.into()).send().status, 200);
}

/// A proof that is wrong is told so, and not sent for a nonce: with another signature, or for another request.
#[test]
fn a_nonce_mends_nothing_else() {
    let kit = with_nonces().build();
    let key = DpopKey::generate(Es256);
    key.keep_nonce(&key.prove(kit.client_credentials_request("web")).send().expect_status(400));
    let good = key.claims(&kit, &Method::POST, "/token", None);
    // With a nonce `iat` is not looked at, and a nonce that was given is known.
    let of_time = ["dpop_proof_expired", "dpop_proof_not_yet_valid", "dpop_nonce_unknown"];
    for (name, reason, fields) in bad_proofs(&key, &good, kit.now().secs()) {
        if !of_time.contains(&reason) {
            let answer = carrying(kit.client_credentials_request("web"), &fields).send();
            assert_eq!(answer["error"], "invalid_dpop_proof", "{name}");
        }
    }
    assert_eq!(kit.client_credentials_request("web").header("dpop", &key.proof(&good)).send().status, 200);
}
