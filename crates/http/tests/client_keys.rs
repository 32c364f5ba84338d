//! The keys of clients (RFC 7591 section 2, RFC 7517, OIDC Core section 10): which ones verify what a client
//! has signed.

#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_jose::SigningAlgorithm::{Ed25519, EdDsa, Es256, Es384, Es512, Hs256, Hs512, Rs256};
use chancery_testkit::{Answer, ClientKey, TestProvider, assert_refused, seconds};
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
