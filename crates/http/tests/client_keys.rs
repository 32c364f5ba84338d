//! The keys of clients (RFC 7591 section 2, RFC 7517, OIDC Core section 10): which ones verify what a client
//! has signed.

#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_jose::SigningAlgorithm::{Ed25519, EdDsa, Es256, Es384, Es512, Hs256, Hs512, Rs256};
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::event::Event;
use chancery_testkit::{
    Answer, ClientKey, TestProvider, assert_refused, check_refused_by_name, hours, millis, minutes, seconds,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";

/// A secret that is long enough for every HMAC.
const LONG: &str = "a-secret-of-sixty-four-characters-or-more-is-long-enough-for-hs512";

/// Metadata of a client that authenticates by this method, and what else is said.
fn metadata(client: &str, method: &str, more: Value) -> String {
    let mut metadata = json!({"client_id": client, "response_types": [], "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": method});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

/// A token request with this assertion.
fn send(kit: &TestProvider, assertion: &str) -> Answer {
    let request = kit.anonymous_request("/token").assertion(assertion);
    request.param("grant_type", "client_credentials").send()
}

/// A key of another type, curve or size never verifies, even if the client has it.
#[test]
fn each_algorithm_has_its_keys() {
    let kit = TestProvider::new();
    let keys = [Es256, Es384, Es512, Ed25519, Rs256].map(ClientKey::generate);
    let jwks: Vec<Value> = keys.iter().map(ClientKey::public).collect();
    kit.put_client(&metadata("many", "private_key_jwt", json!({"jwks": {"keys": jwks}})));
    let claims = |jti: &str| json!({"iss": "many", "sub": "many", "aud": ISSUER, "jti": jti, "exp": kit.now().secs() + 60});
    for (n, key) in keys.iter().enumerate() {
        let by_name = key.assertion("many", ISSUER, &format!("{n} named"), kit.now());
        let _ = send(&kit, &by_name).expect_status(200);
        let unnamed = key.sign(&json!({}), &claims(&format!("{n}")));
        let _ = send(&kit, &unnamed).expect_status(200);
        let under_anothers_name = keys[(n + 1) % keys.len()].kid();
        let wrong = key.sign(&json!({"kid": under_anothers_name}), &claims("wrong"));
        assert_refused!(send(&kit, &wrong), "invalid_client", "assertion_key_unknown");
    }
}

/// RFC 9864 section 2.2: the two names of Ed25519 are one algorithm.
#[test]
fn ed25519_has_two_names() {
    let kit = TestProvider::new();
    for (registered, used) in [(EdDsa, Ed25519), (Ed25519, EdDsa)] {
        let key = ClientKey::generate(used);
        let mut jwk = key.public();
        jwk.as_object_mut().unwrap().remove("alg");
        let more = json!({"jwks": {"keys": [jwk]}, "token_endpoint_auth_signing_alg": registered.name()});
        kit.put_client(&metadata("signs", "private_key_jwt", more));
        let assertion = key.assertion("signs", ISSUER, registered.name(), kit.now());
        let _ = send(&kit, &assertion).expect_status(200);
    }
}

/// OIDC Core section 10.1: while one secret replaces another, both sign assertions; one that has expired does
/// not. A secret that is too short for an algorithm is no key for it (RFC 7518 section 3.2).
#[test]
fn a_secret_signs_for_as_long_as_it_is_good() {
    let kit = TestProvider::new();
    kit.put_client(&metadata("shares", "client_secret_jwt", json!({"client_secret": LONG})));
    let new = kit.replace_secret("shares", kit.now() + seconds(100));
    let status = |secret: &str, jti: &str| {
        let key = ClientKey::of_secret(Hs512, secret);
        send(&kit, &key.assertion("shares", ISSUER, jti, kit.now())).status.as_u16()
    };
    assert_eq!((status(LONG, "1"), status(&new, "2")), (200, 200));
    kit.clock.advance(seconds(100));
    assert_eq!((status(LONG, "3"), status(&new, "4")), (401, 200));

    let short = &LONG[..40];
    kit.put_client(&metadata("short", "client_secret_jwt", json!({"client_secret": short})));
    let by = |alg| ClientKey::of_secret(alg, short).assertion("short", ISSUER, &format!("{alg}"), kit.now());
    let _ = send(&kit, &by(Hs256)).expect_status(200);
    let padded = [short, &"\0".repeat(24)].concat();
    let forged = ClientKey::of_secret(Hs512, &padded).assertion("short", ISSUER, "padded", kit.now());
    assert_refused!(send(&kit, &forged), "invalid_client", "assertion_key_unknown");
}

const URL: &str = "https://app.example/jwks";

/// A client `app` that publishes its keys, of which there are none yet.
fn with_publishing_client() -> TestProvider {
    let kit = TestProvider::new();
    kit.put_client(&metadata("app", "private_key_jwt", json!({"jwks_uri": URL})));
    kit
}

fn publishes(kit: &TestProvider, keys: &[&ClientKey]) {
    let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
    kit.fetch.answers(URL, 200, json!({"keys": keys}).to_string());
}

/// Sends an assertion signed with this key that was never sent before.
fn authenticate(kit: &TestProvider, key: &ClientKey) -> Answer {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let jti = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    send(kit, &key.assertion("app", ISSUER, &jti, kit.now()))
}

/// How often the document was fetched since it was asked last.
fn fetches(kit: &TestProvider) -> usize {
    kit.fetch.asked().len()
}

fn causes(answer: &Answer) -> usize {
    answer.events.iter().filter(|event| matches!(event, Event::ClientKeysUnavailable { .. })).count()
}

/// JOSE-11, `oidcc-registration-jwks-uri`: the keys are fetched when they are first needed, and kept.
#[test]
fn published_keys_are_fetched_once() {
    let (kit, key) = (with_publishing_client(), ClientKey::generate(Es256));
    publishes(&kit, &[&key]);
    for _ in 0..5 {
        let _ = authenticate(&kit, &key).expect_status(200);
    }
    kit.clock.advance(minutes(10) - millis(1));
    let _ = authenticate(&kit, &key).expect_status(200);
    assert_eq!(fetches(&kit), 1);
    kit.clock.advance(millis(1));
    let _ = authenticate(&kit, &key).expect_status(200);
    assert_eq!(fetches(&kit), 1, "a document is fresh for ten minutes");
    kit.put_client(&metadata("other", "private_key_jwt", json!({"jwks_uri": URL})));
    let other = key.assertion("other", ISSUER, "1", kit.now());
    let _ = send(&kit, &other).expect_status(200);
    assert_eq!(fetches(&kit), 0, "clients of one address share its keys");
}

/// CAUTH-20, JOSE-11, `oidcc-refresh-token-rp-key-rotation`, OIDC Core section 10.1.1: an unknown `kid`, or a
/// signature that does not verify, has the document fetched again, at most once a minute, whoever sends it.
#[test]
fn a_rotated_key_is_found() {
    let kit = with_publishing_client();
    let [old, new, never] = [Es256, Es256, Es256].map(ClientKey::generate);
    publishes(&kit, &[&old]);
    let _ = authenticate(&kit, &old).expect_status(200);
    publishes(&kit, &[&new]);
    assert_refused!(authenticate(&kit, &new), "invalid_client", "assertion_key_unknown");
    let _ = authenticate(&kit, &old).expect_status(200);
    kit.clock.advance(seconds(60) - millis(1));
    assert_refused!(authenticate(&kit, &new), "invalid_client", "assertion_key_unknown");
    assert_eq!(fetches(&kit), 1);
    kit.clock.advance(millis(1));
    let _ = authenticate(&kit, &new).expect_status(200);
    assert_refused!(authenticate(&kit, &old), "invalid_client", "assertion_key_unknown");
    assert_eq!(fetches(&kit), 1, "a minute later, once");
    // Whoever sends nonsense has it fetched once a minute and no more, and the client feels nothing.
    for _ in 0..10 {
        kit.clock.advance(seconds(30));
        for _ in 0..10 {
            assert_refused!(authenticate(&kit, &never), "invalid_client", "assertion_key_unknown");
        }
        let _ = authenticate(&kit, &new).expect_status(200);
    }
    assert_eq!(fetches(&kit), 5);
    // The same name for another key.
    let mut renamed = never.public();
    renamed["kid"] = new.kid().into();
    kit.fetch.answers(URL, 200, json!({"keys": [renamed]}).to_string());
    kit.clock.advance(seconds(60));
    let claims =
        json!({"iss": "app", "sub": "app", "aud": ISSUER, "jti": "renamed", "exp": kit.now().secs() + 60});
    let signed = never.sign(&json!({"kid": new.kid()}), &claims);
    let _ = send(&kit, &signed).expect_status(200);
}

/// JOSE-11: while the other server is down, the last good keys are used for a day; then nobody is let in, and
/// as soon as it is back the client is.
#[test]
fn the_last_good_keys_are_used_for_a_day() {
    let (kit, key) = (with_publishing_client(), ClientKey::generate(Es256));
    publishes(&kit, &[&key]);
    let _ = authenticate(&kit, &key).expect_status(200);
    kit.fetch.answers(URL, 503, "");
    kit.clock.advance(minutes(10));
    let told: Vec<usize> = (0..3).map(|_| causes(&authenticate(&kit, &key).expect_status(200))).collect();
    assert_eq!(told, [1, 0, 0], "whoever has tried says why, once a minute");
    kit.clock.advance(hours(24) - minutes(10) - millis(1));
    let _ = authenticate(&kit, &key).expect_status(200);
    kit.clock.advance(millis(1));
    assert_refused!(authenticate(&kit, &key), "invalid_client", "client_keys_unavailable");
    publishes(&kit, &[&key]);
    kit.clock.advance(seconds(60));
    let _ = authenticate(&kit, &key).expect_status(200);
}

/// A clock that was ahead when the keys were fetched locks nobody out.
#[test]
fn a_clock_that_was_ahead_keeps_no_old_keys() {
    let kit = with_publishing_client();
    let [old, new] = [Es256, Es256].map(ClientKey::generate);
    kit.clock.advance(hours(1000));
    publishes(&kit, &[&old]);
    let _ = authenticate(&kit, &old).expect_status(200);
    kit.clock.set(chancery_testkit::HandClock::START);
    publishes(&kit, &[&new]);
    let _ = authenticate(&kit, &new).expect_status(200);
    assert_refused!(authenticate(&kit, &old), "invalid_client", "assertion_key_unknown");
}

/// JOSE-11: of many who need the same keys at the same moment one fetches them.
#[test]
fn many_wait_for_one_fetch() {
    let key = ClientKey::generate(Es256);
    for seed in 0..20 {
        let kit = with_publishing_client();
        publishes(&kit, &[&key]);
        let requests = (0..40)
            .map(|n| {
                let assertion = key.assertion("app", ISSUER, &format!("{n}"), kit.now());
                let request = kit.anonymous_request("/token").assertion(&assertion);
                request.param("grant_type", "client_credentials").to_http()
            })
            .collect();
        let answers = kit.send_at_once(seed, requests);
        assert!(answers.iter().all(|answer| answer.status == 200), "seed {seed}");
        assert_eq!(fetches(&kit), 1, "seed {seed}");
    }
}

/// CMETA-09: whatever the other server answers that is no set of public keys, the client gets the same answer;
/// the cause is for the log.
#[test]
fn documents_that_must_not_be_used() {
    let key = ClientKey::generate(Es256);
    let good = key.jwks().to_string();
    let mut private = key.public();
    private["d"] = "AA".into();
    let many: Vec<Value> = vec![key.public(); 33];
    for (name, status, body) in [
        ("a redirect", 302, good.clone()),
        ("not found", 404, good.clone()),
        ("no content", 204, String::new()),
        ("an error", 500, good.clone()),
        ("nothing", 200, String::new()),
        ("a page", 200, "<html></html>".to_owned()),
        ("an array", 200, format!("[{good}]")),
        ("one key", 200, key.public().to_string()),
        ("cut off", 200, good[..good.len() - 1].to_owned()),
        ("more behind it", 200, format!("{good}{good}")),
        ("a private key", 200, json!({"keys": [key.public(), private]}).to_string()),
        ("a secret", 200, json!({"keys": [key.public(), {"kty": "oct", "k": "AA"}]}).to_string()),
        ("twice the same member", 200, format!(r#"{{"keys":[],{}"#, &good[1..])),
        ("33 keys", 200, json!({"keys": many}).to_string()),
        ("65 KiB", 200, format!("{good}{}", " ".repeat(65 * 1024))),
        ("deeply nested", 200, "[".repeat(10_000)),
    ] {
        let kit = with_publishing_client();
        kit.fetch.answers(URL, status, body);
        let answer = authenticate(&kit, &key);
        check_refused_by_name(&answer, "invalid_client", "client_keys_unavailable");
        assert_eq!(answer["error_description"], "client authentication failed", "{name}");
        assert_eq!(causes(&answer), 1, "{name}");
        assert_refused!(authenticate(&kit, &key), "invalid_client", "client_keys_unavailable");
        assert_eq!(fetches(&kit), 1, "{name}: a failure is believed for a minute");
        // It is well again a minute after.
        publishes(&kit, &[&key]);
        kit.clock.advance(seconds(60));
        let _ = authenticate(&kit, &key).expect_status(200);
    }
    // Nobody is there at all.
    let kit = with_publishing_client();
    let answer = authenticate(&kit, &key);
    check_refused_by_name(&answer, "invalid_client", "client_keys_unavailable");
    // A set without the key is a set.
    kit.fetch.answers(URL, 200, r#"{"keys":[]}"#);
    kit.clock.advance(seconds(60));
    assert_refused!(authenticate(&kit, &key), "invalid_client", "assertion_key_unknown");
    assert_refused!(send(&kit, "x"), "invalid_client", "assertion_malformed");
}

/// OIDC Core section 10.1: several keys need names. Those without cost whoever verifies them a bounded time: a
/// stranger makes us try no more than four.
#[test]
fn few_keys_are_tried() {
    let kit = TestProvider::new();
    let keys: Vec<ClientKey> = (0..32).map(|_| ClientKey::generate(Es256)).collect();
    for name in [None, Some("same")] {
        let named = |key: &ClientKey| {
            let mut jwk = key.public();
            jwk["kid"] = json!(name);
            jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            jwk
        };
        let jwks: Vec<Value> = keys.iter().map(named).collect();
        kit.put_client(&metadata("many", "private_key_jwt", json!({"jwks": {"keys": jwks}})));
        for (n, key) in keys.iter().enumerate() {
            let claims = json!({"iss": "many", "sub": "many", "aud": ISSUER, "jti": format!("{n} {name:?}"),
                "exp": kit.now().secs() + 60});
            let header = name.map_or_else(|| json!({}), |name| json!({ "kid": name }));
            let answer = send(&kit, &key.sign(&header, &claims));
            match n {
                0..4 => assert_eq!(answer.status, 200, "{n} {name:?}"),
                _ => assert_refused!(answer, "invalid_client", "assertion_signature_wrong"),
            }
        }
    }
}

/// Clients of strangers push nobody's keys out, which would be gone while the other server is down.
#[test]
fn many_clients_without_keys_push_none_out() {
    let (kit, key) = (with_publishing_client(), ClientKey::generate(Es256));
    publishes(&kit, &[&key]);
    let _ = authenticate(&kit, &key).expect_status(200);
    kit.fetch.answers(URL, 503, "");
    let stranger = ClientKey::generate(Es256);
    for n in 0..2_500 {
        kit.clock.advance(millis(400));
        let id = format!("stranger{n}");
        let uri = json!({"jwks_uri": format!("https://{id}.example/jwks")});
        kit.put_client(&metadata(&id, "private_key_jwt", uri));
        let _ = send(&kit, &stranger.assertion(&id, ISSUER, "x", kit.now()));
    }
    let _ = authenticate(&kit, &key).expect_status(200);
}

/// Nor do clients of strangers that publish keys, each at an address of its own.
#[test]
fn many_clients_with_keys_push_none_out() {
    let kit = TestProvider::builder().configure(|config| {
        config.registration.access = RegistrationAccess::Open;
        (config.registration.network_quota, config.registration.total_quota) = (0, 0);
    });
    let (kit, key) = (kit.build(), ClientKey::generate(Es256));
    kit.put_client(&metadata("app", "private_key_jwt", json!({"jwks_uri": URL})));
    publishes(&kit, &[&key]);
    let _ = authenticate(&kit, &key).expect_status(200);
    kit.fetch.answers(URL, 503, "");
    let stranger = ClientKey::generate(Es256);
    for n in 0..2_100 {
        kit.clock.advance(millis(400));
        let uri = format!("https://stranger{n}.example/jwks");
        kit.fetch.answers(&uri, 200, stranger.jwks().to_string());
        let asked = json!({"redirect_uris": ["https://stranger.example/cb"], "jwks_uri": uri,
            "token_endpoint_auth_method": "private_key_jwt"});
        let registered = kit.register(&asked).expect_status(201);
        let id = registered.member("client_id");
        let refused = send(&kit, &stranger.assertion(id, ISSUER, "x", kit.now()));
        assert_refused!(refused, "unauthorized_client", "grant_type_unregistered");
    }
    let _ = authenticate(&kit, &key).expect_status(200);
}
