//! RFC 9101 section 6.1 and OIDC Core sections 6.3.1 and 10.2: request objects that are encrypted.

#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_core::config::Config;
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::rotation::KeyEnd;
use chancery_jose::SigningAlgorithm::{self, Es256, Rs256};
use chancery_jose::{
    ContentEncryptionAlgorithm as Enc, DecryptionKey, EncryptionKey, EncryptionKeyType, JweWriter, JwkSet,
    KeyManagementAlgorithm as Alg, Recipient, SharedKey, SystemRandom, base64url, unsecured,
};
use chancery_testkit::{
    AuthorizationRequest, ClientKey, NegativeTable, Refused, SECRET, TestProvider, check_refused_by_name,
    hours, minutes, password_of, refusals,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";

mod confidential;
mod refused;

/// A provider with keys of these types, whose client `app` signs and encrypts, and the client's key.
fn with_app(
    types: &[EncryptionKeyType],
    change: impl FnOnce(&mut Config),
    more: &Value,
) -> (TestProvider, ClientKey) {
    let kit = TestProvider::builder()
        .own_keys(&[Rs256, Es256])
        .configure(|to| {
            to.request_objects.encryption_algorithms = Alg::ALL.to_vec();
            change(to);
        })
        .build();
    for key_type in types {
        kit.keys.add_encryption_key(*key_type, kit.now()).unwrap();
    }
    // Nobody has a key that is younger than their copy of the JWKS.
    kit.clock.advance(minutes(1));
    let key = ClientKey::generate(Es256);
    kit.put_client(&metadata("app", &key, more));
    (kit, key)
}

fn metadata(id: &str, key: &ClientKey, more: &Value) -> String {
    let mut metadata = json!({"client_id": id, "client_secret": SECRET, "jwks": key.jwks(),
        "id_token_signed_response_alg": "ES256", "chancery": {"consent": "implied"},
        "redirect_uris": ["https://app.example/cb"]});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

fn asked(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("app").scope("openid").set("nonce", "a nonce of nobody else")
}

fn random(buffer: &mut [u8]) {
    SystemRandom.fill(buffer);
}

/// The key that the provider publishes for this algorithm.
fn published(kit: &TestProvider, alg: Alg) -> EncryptionKey {
    let jwks = JwkSet::parse(kit.get("/jwks").text().as_bytes()).unwrap();
    jwks.encryption_keys(alg).next().unwrap().clone()
}

/// A signed JWT, encrypted.
fn nested(recipient: Recipient<'_>, (alg, enc): (Alg, Enc), signed: &str) -> String {
    let writer = JweWriter { cty: Some("JWT"), ..JweWriter::new(alg, enc) };
    writer.encrypt(recipient, signed.as_bytes(), &random).unwrap()
}

/// The request object of this request, encrypted for the published key of P-256.
fn sealed(kit: &TestProvider, key: &ClientKey, request: &AuthorizationRequest) -> String {
    let signed = key.request_object(&request.encode(), ISSUER, kit.now());
    nested(Recipient::Public(&published(kit, Alg::EcdhEs)), (Alg::EcdhEs, Enc::A128Gcm), &signed)
}

/// As a POST from a page of our own site, which is answered at once.
fn posted(request: AuthorizationRequest) -> http::Request<bytes::Bytes> {
    let mut request = request.to_http_post();
    request.headers_mut().insert("sec-fetch-site", http::HeaderValue::from_static("same-origin"));
    request
}

/// JAR-17, JOSE-08: by every algorithm, for every type of key, with every content encryption.
#[test]
fn every_algorithm_once() {
    for (key_type, encs) in EncryptionKeyType::ALL.into_iter().zip([0, 1, 2, 3, 4]) {
        let (kit, key) = with_app(&[key_type], |_| {}, &json!({}));
        for (alg, enc) in key_type.algorithms().zip(Enc::ALL.into_iter().cycle().skip(encs)) {
            let request = asked(&kit);
            let signed = key.request_object(&request.encode(), ISSUER, kit.now());
            let object = nested(Recipient::Public(&published(&kit, alg)), (alg, enc), &signed);
            let code = request.by_value(&object).open(&kit.user_agent()).login("alice").expect_code();
            let tokens = kit.exchange(&code).expect_status(200);
            let nonce = &kit.id_token(&tokens, "app").claims["nonce"];
            assert_eq!(nonce, "a nonce of nobody else", "{alg} {enc}");
        }
    }
    let (kit, key) = with_app(&[], |_| {}, &json!({"request_object_encryption_alg": "dir"}));
    let symmetric = Alg::ALL.into_iter().filter(|alg| alg.is_symmetric());
    for (alg, enc) in symmetric.flat_map(|alg| Enc::ALL.map(|enc| (alg, enc))) {
        let shared = SharedKey::from_client_secret(alg, enc, SECRET.as_bytes()).unwrap();
        let request = asked(&kit);
        let signed = key.request_object(&request.encode(), ISSUER, kit.now());
        let object = nested(Recipient::Shared(&shared), (alg, enc), &signed);
        let _ = request.by_value(&object).open(&kit.user_agent()).expect_page("login");
    }
}

/// JAR-17: by reference, the same.
#[test]
fn an_encrypted_object_is_fetched() {
    let uri = "https://app.example/request.jwt";
    let (kit, key) = with_app(&[EncryptionKeyType::P256], |_| {}, &json!({"request_uris": [uri]}));
    let request = asked(&kit);
    kit.fetch.answers(uri, 200, sealed(&kit, &key, &request));
    let _ = request.by_reference(uri).open(&kit.user_agent()).login("alice").expect_code();
}

/// JAR-20: what a client registers says what it may use, and demands nothing of its request objects.
#[test]
fn others_than_the_registered_are_taken_and_none() {
    let registered = json!({"request_object_encryption_alg": "RSA-OAEP-256"});
    let types = [EncryptionKeyType::P256, EncryptionKeyType::Rsa];
    let (kit, key) = with_app(&types, |_| {}, &registered);
    let request = asked(&kit);
    let plain = key.request_object(&request.encode(), ISSUER, kit.now());
    for object in [plain, sealed(&kit, &key, &request)] {
        let _ = request.clone().by_value(&object).open(&kit.user_agent()).login("alice").expect_code();
    }
}

/// RFC 9101 section 10.5, JAR-23: whoever demands a signature gets one that was encrypted, and on every page.
#[test]
fn what_was_signed_inside_counts_as_signed() {
    let more = json!({"require_signed_request_object": true, "chancery": {"consent": "ask"}});
    let (kit, key) = with_app(&[EncryptionKeyType::P256], |_| {}, &more);
    let request = asked(&kit);
    let ua = kit.user_agent();
    let tab = request.clone().by_value(&sealed(&kit, &key, &request)).open(&ua).login("alice");
    let _ = tab.expect_page("consent").reload().allow().expect_code();
}

/// OIDC Core section 6.1: what was encrypted without being signed is unsigned, which needs the setting.
#[test]
fn encryption_is_no_signature() {
    for (is_allowed, more) in [
        (true, json!({})),
        (true, json!({"request_object_signing_alg": "ES256"})),
        (true, json!({"require_signed_request_object": true})),
        (false, json!({})),
    ] {
        let set = |to: &mut Config| to.compatibility.unsigned_request_object = is_allowed;
        let (kit, key) = with_app(&[EncryptionKeyType::P256], set, &more);
        let request = asked(&kit);
        let signed = key.request_object(&request.encode(), ISSUER, kit.now());
        let claims = base64url::decode(signed.split('.').nth(1).unwrap()).unwrap();
        let text = String::from_utf8(claims.clone()).unwrap();
        for inside in [text, unsecured(&claims)] {
            let public = published(&kit, Alg::EcdhEs);
            let object = nested(Recipient::Public(&public), (Alg::EcdhEs, Enc::A128Gcm), &inside);
            let ua = kit.user_agent();
            let tab = request.clone().set("request", &object).open(&ua);
            if is_allowed && more == json!({}) {
                let _ = tab.expect_page("login");
            } else {
                check_refused_by_name(&tab, "invalid_request_object", "request_object_not_opened");
            }
        }
    }
}

/// DISC-03: what is announced is what is set, and what there is a key for.
#[test]
fn it_is_announced() {
    let members =
        ["request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported"];
    let seen = |kit: &TestProvider| {
        let metadata = kit.get("/.well-known/openid-configuration");
        members.map(|member| metadata.json()[member].clone())
    };
    let all = json!(Enc::ALL);
    let by_default = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    by_default.keys.add_encryption_key(EncryptionKeyType::Rsa, by_default.now()).unwrap();
    by_default.clock.advance(minutes(1));
    assert_eq!(seen(&by_default), [Value::Null, Value::Null]);

    let some = |to: &mut Config| {
        to.request_objects.encryption_algorithms = vec![Alg::RsaOaep256, Alg::EcdhEsA256Kw];
    };
    let (kit, _) = with_app(&[], some, &json!({}));
    assert_eq!(seen(&kit), [Value::Null, Value::Null], "no key");
    let p256 = kit.keys.add_encryption_key(EncryptionKeyType::P256, kit.now()).unwrap();
    kit.clock.advance(minutes(1));
    assert_eq!(seen(&kit), [json!(["ECDH-ES+A256KW"]), all.clone()]);
    kit.keys.add_encryption_key(EncryptionKeyType::Rsa, kit.now()).unwrap();
    kit.keys.end(&p256, KeyEnd::new(kit.now() + minutes(2), hours(1)));
    kit.clock.advance(minutes(1));
    assert_eq!(seen(&kit)[0], json!(["RSA-OAEP-256", "ECDH-ES+A256KW"]));
    kit.clock.advance(minutes(1));
    assert_eq!(seen(&kit)[0], json!(["RSA-OAEP-256"]), "a retired key is not published");

    let (kit, _) = with_app(&[], |to| to.request_objects.encryption_algorithms = vec![Alg::Dir], &json!({}));
    assert_eq!(seen(&kit), [json!(["dir"]), all]);
    let (kit, _) = with_app(
        &[EncryptionKeyType::P256],
        |to| (to.request_objects.by_value, to.request_objects.by_reference) = (false, false),
        &json!({}),
    );
    assert_eq!(seen(&kit), [Value::Null, Value::Null], "where request objects are off");
}

/// OIDC Core section 10.2.1, JOSE-06: what is on its way when a key is replaced arrives, until the key is
/// retired.
#[test]
fn keys_are_rotated() {
    let (kit, key) = with_app(&[EncryptionKeyType::P256], |_| {}, &json!({}));
    let request = asked(&kit);
    let old = published(&kit, Alg::EcdhEs);
    let open = |to: &EncryptionKey| {
        let signed = key.request_object(&request.encode(), ISSUER, kit.now());
        let object = nested(Recipient::Public(to), (Alg::EcdhEs, Enc::A128Gcm), &signed);
        let ua = kit.user_agent();
        let tab = request.clone().set("request", &object).open(&ua);
        (tab.answer().status == 200, refusals(tab.events()))
    };
    kit.keys.add_encryption_key(EncryptionKeyType::P256, kit.now()).unwrap();
    kit.keys.end(old.kid().unwrap(), KeyEnd::new(kit.now() + minutes(10), hours(1)));
    kit.clock.advance(minutes(10));
    let new = published(&kit, Alg::EcdhEs);
    assert_ne!(new, old);
    assert!(open(&old).0 && open(&new).0);
    kit.clock.advance(hours(1));
    assert!(open(&new).0);
    assert_eq!(open(&old), (false, vec!["request_object_not_opened"]));
    // Without `kid` it is for the newest key of its curve.
    kit.keys.add_encryption_key(EncryptionKeyType::X25519, kit.now()).unwrap();
    kit.clock.advance(minutes(1));
    let nameless = |key: &EncryptionKey| {
        let mut jwk: Value = serde_json::from_str(&key.to_json()).unwrap();
        jwk.as_object_mut().unwrap().remove("kid");
        EncryptionKey::parse(jwk.to_string().as_bytes()).unwrap()
    };
    assert!(open(&nameless(&new)).0);
    assert!(!open(&nameless(&old)).0);
}

/// OIDC Core section 10.2: any of the client's secrets that have not expired, and only of a client that is
/// registered for it.
#[test]
fn keys_of_secrets() {
    let registered = json!({"request_object_encryption_alg": "A128KW"});
    let (kit, key) = with_app(&[], |_| {}, &registered);
    let new = kit.replace_secret("app", kit.now() + minutes(5));
    let request = asked(&kit);
    let open = |secret: &str| {
        let shared = SharedKey::from_client_secret(Alg::A128Kw, Enc::A128Gcm, secret.as_bytes()).unwrap();
        let signed = key.request_object(&request.encode(), ISSUER, kit.now());
        let object = nested(Recipient::Shared(&shared), (Alg::A128Kw, Enc::A128Gcm), &signed);
        let ua = kit.user_agent();
        let tab = request.clone().set("request", &object).open(&ua);
        (tab.answer().status == 200, refusals(tab.events()))
    };
    assert!(open(SECRET).0 && open(&new).0);
    kit.clock.advance(minutes(5));
    assert!(open(&new).0);
    assert_eq!(open(SECRET), (false, vec!["request_object_not_opened"]));
    kit.replace_client(&metadata("app", &key, &json!({"request_object_encryption_alg": "ECDH-ES"})));
    assert_eq!(open(SECRET), (false, vec!["request_object_encryption_wrong"]));
}

/// Neither decryption nor the sealed form costs a trip to the store.
#[test]
fn as_many_trips_as_without() {
    let (kit, key) = with_app(&[EncryptionKeyType::P256], |_| {}, &json!({}));
    let request = asked(&kit);
    let by_value = request.clone().by_value(&sealed(&kit, &key, &request));
    let trips = |request: &AuthorizationRequest| {
        let ua = kit.user_agent();
        let (tab, page) = kit.trips(|| request.open(&ua).expect_page("login"));
        (page, kit.trips(|| tab.login("alice").expect_code()).1)
    };
    assert_eq!(trips(&by_value), trips(&request));
}

/// META-22, CMETA-07: `enc` has a default and needs `alg`; what is not offered is refused, and so is a symmetric
/// algorithm for a client without a secret.
#[test]
fn what_a_client_registers() {
    let offered = |to: &mut Config| {
        to.registration.access = RegistrationAccess::Open;
        to.request_objects.encryption_algorithms = vec![Alg::RsaOaep256, Alg::A128Kw];
    };
    let kit = TestProvider::builder().configure(offered).build();
    let register = |more: Value| {
        let mut asked = json!({"redirect_uris": ["https://app.example/cb"]});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        kit.register(&asked)
    };
    let (alg, enc) = ("request_object_encryption_alg", "request_object_encryption_enc");
    for (more, want) in [
        (json!({}), [Value::Null, Value::Null]),
        (json!({alg: "RSA-OAEP-256"}), [json!("RSA-OAEP-256"), json!("A128CBC-HS256")]),
        (json!({alg: "A128KW", enc: "A256GCM"}), [json!("A128KW"), json!("A256GCM")]),
    ] {
        let answer = register(more).expect_status(201);
        assert_eq!([alg, enc].map(|member| answer.json()[member].clone()), want);
    }
    for bad in [
        json!({enc: "A256GCM"}),
        json!({alg: "RSA-OAEP"}),
        json!({alg: "RSA1_5"}),
        json!({alg: "PBES2-HS256+A128KW"}),
        json!({alg: "none"}),
        json!({alg: ["RSA-OAEP-256"]}),
        json!({alg: "RSA-OAEP-256", enc: "A128CBC"}),
        json!({alg: "A128KW", "token_endpoint_auth_method": "none"}),
    ] {
        let answer = register(bad.clone());
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{bad}");
    }
}
