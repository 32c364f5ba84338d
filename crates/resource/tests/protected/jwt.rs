//! RFC 9068 section 4 and RFC 8725 section 3: access tokens that are JWTs, and the keys of their issuer.

use chancery_core::model::ResourceServer;
use chancery_jose::{SigningAlgorithm, base64url};
use chancery_testkit::{ClientKey, SECRET, TestProvider, hours, minutes, seconds};
use serde_json::{Value, json};

use crate::api::{API, Api, JWKS, METADATA};

/// RFC 9068 section 2.2: the handler has everything that the token says, by its type.
#[test]
fn a_good_token_reaches_the_handler() {
    let api = Api::new();
    let now = api.kit.now().secs();
    let tokens = api.kit.tokens("alice", "jwt", "read");
    let told = api.get(tokens.member("access_token"));
    assert_eq!(
        (told.status, &told.body["subject"], &told.body["client"]),
        (200, &json!("alice"), &json!("jwt"))
    );
    assert_eq!((&told.body["scope"], &told.body["audience"]), (&json!("read"), &json!([API])));
    assert_eq!((&told.body["issued_at"], &told.body["expires_at"]), (&json!(now), &json!(now + 300)));
    assert_eq!((&told.body["auth_time"], &told.body["amr"]), (&json!(now), &json!(["pwd"])));
    let own = api.get(&api.token("read write"));
    assert_eq!((own.status, &own.body["subject"], &own.body["client"]), (200, &json!("jwt"), &json!("jwt")));
    let mut claims = api.claims();
    claims["groups"] = json!(["staff"]);
    assert_eq!(api.get(&api.signed(&claims)).body["claims"], json!({"groups": r#"["staff"]"#}));
}

/// RFC 9068 section 2.1: whatever algorithm the provider signs with, and only those that the resource names.
#[test]
fn each_algorithm() {
    use SigningAlgorithm::{Ed25519, Es256, Ps256, Rs256};
    let of = |alg: SigningAlgorithm, accepted: &[SigningAlgorithm]| {
        let server =
            json!({"uri": "https://notes.example", "scopes": ["read"], "format": "jwt", "alg": alg.name()});
        let server: ResourceServer = serde_json::from_value(server).unwrap();
        let client = json!({"client_id": "app", "client_secret": SECRET, "response_types": [],
            "grant_types": ["client_credentials"], "chancery": {"default_resource": "https://notes.example"}});
        let kit = TestProvider::builder().own_keys(&[Rs256, alg]).resource_server(server);
        let kit = kit.client(&client.to_string());
        let api = Api::at("https://notes.example", kit, |builder| builder.algorithms(accepted));
        let token = api.kit.client_credentials_request("app").param("scope", "read").send();
        api.get(token.expect_status(200).member("access_token")).reason
    };
    for alg in [Es256, Ps256, Rs256, Ed25519] {
        assert_eq!(of(alg, &[alg]), "", "{alg}");
        let others: Vec<SigningAlgorithm> =
            [Es256, Ps256, Rs256].into_iter().filter(|one| *one != alg).collect();
        assert_eq!(of(alg, &others), "jwt_access_token_algorithm_wrong", "{alg}");
    }
}

/// Section 4: the issuer is asked once, not at each request; its keys are asked for again when they are old.
#[test]
fn keys_are_kept() {
    let api = Api::new();
    for _ in 0..50 {
        assert_eq!(api.get(&api.token("read")).status, 200);
    }
    assert_eq!(api.wire.asked(), [METADATA, JWKS]);
    api.kit.clock.advance(minutes(9));
    assert_eq!(api.get(&api.token("read")).status, 200);
    assert!(api.wire.asked().is_empty());
    api.kit.clock.advance(minutes(2));
    assert_eq!(api.get(&api.token("read")).status, 200);
    assert_eq!(api.wire.asked(), [JWKS]);
}

/// OIDC Core section 10.1.1: a key that nobody has seen is fetched at once; a flood of names that nobody has makes one
/// request a minute.
#[test]
fn a_new_key_is_found_and_a_flood_is_not_passed_on() {
    let api = Api::new();
    assert_eq!(api.get(&api.token("read")).status, 200);
    let (old, new) =
        (ClientKey::generate(SigningAlgorithm::Es256), ClientKey::generate(SigningAlgorithm::Es256));
    let signed =
        |key: &ClientKey, api: &Api| key.sign(&json!({"typ": "at+jwt", "kid": key.kid()}), &api.claims());
    assert_eq!(api.get(&signed(&new, &api)).reason, "jwt_access_token_key_unknown");
    api.wire.asked();
    api.kit.clock.advance(minutes(1));
    api.wire.answers(JWKS, 200, json!({"keys": [old.public(), new.public()]}).to_string());
    assert_eq!(api.get(&signed(&new, &api)).reason, "");
    assert_eq!(api.wire.asked(), [JWKS]);
    for second in 0..120 {
        for _ in 0..5 {
            let stranger = api.kit.sign(&json!({"typ": "at+jwt"}), &api.claims());
            assert_eq!(api.get(&stranger).reason, "jwt_access_token_key_unknown", "{second}");
        }
        assert_eq!(api.get(&signed(&old, &api)).reason, "", "{second}");
        api.kit.clock.advance(seconds(1));
    }
    assert!(api.wire.asked().len() <= 2, "at most one a minute");
    api.wire.answers(JWKS, 200, json!({"keys": [new.public()]}).to_string());
    api.kit.clock.advance(minutes(10));
    assert_eq!(api.get(&signed(&old, &api)).reason, "jwt_access_token_key_unknown", "it was withdrawn");
}

/// While the provider is down its keys are good for a day; if it never answered, nothing can be said (503).
#[test]
fn a_provider_that_is_down() {
    let api = Api::new();
    for url in [METADATA, "https://id.example/.well-known/openid-configuration"] {
        api.wire.hangs(url);
    }
    let down = api.get(&api.token("read"));
    assert_eq!(
        (down.status, &*down.challenge, &down.body["error"]),
        (503, "", &json!("temporarily_unavailable"))
    );
    for _ in 0..20 {
        assert_eq!(api.get(&api.token("read")).status, 503);
    }
    assert_eq!(api.wire.asked().len(), 2, "a failure is believed for a while");
    api.wire.recovers();
    api.kit.clock.advance(seconds(10));
    assert_eq!(api.get(&api.token("read")).status, 200);
    for (url, status) in [(METADATA, 500), (JWKS, 500)] {
        api.wire.answers(url, status, "");
    }
    api.wire.hangs("https://id.example/.well-known/openid-configuration");
    api.kit.clock.advance(hours(23));
    assert_eq!(api.get(&api.token("read")).status, 200);
    api.kit.clock.advance(hours(2));
    assert_eq!(api.get(&api.token("read")).status, 503);
}

/// RFC 8414 section 3.3: metadata of another issuer is not used; a document at the other address is.
#[test]
fn metadata_is_of_the_issuer() {
    let api = Api::new();
    let other =
        json!({"issuer": "https://evil.example", "jwks_uri": "https://evil.example/jwks"}).to_string();
    api.wire.answers(METADATA, 200, other);
    assert_eq!(api.get(&api.token("read")).status, 200);
    let configuration = "https://id.example/.well-known/openid-configuration";
    assert_eq!(api.wire.asked(), [METADATA, configuration, JWKS]);
    let api = Api::new();
    for url in [METADATA, configuration] {
        api.wire.answers(url, 200, json!({"issuer": "https://id.example/", "jwks_uri": JWKS}).to_string());
    }
    assert_eq!(api.get(&api.token("read")).status, 503);
}

/// RFC 7519 section 4.1.4: a little leeway for clocks that differ, and no more.
#[test]
fn clocks_may_differ_a_little() {
    let api = Api::with(TestProvider::builder(), |builder| builder.clock_tolerance(seconds(10)));
    let now = api.kit.now().secs();
    let with = |name: &str, at: i64| {
        let mut claims = api.claims();
        claims[name] = at.into();
        api.get(&api.signed(&claims)).reason
    };
    assert_eq!(with("exp", now - 9), "");
    assert_eq!(with("exp", now - 10), "access_token_expired");
    for name in ["nbf", "iat"] {
        assert_eq!(with(name, now + 10), "", "{name}");
        assert_eq!(with(name, now + 11), "access_token_not_yet_valid", "{name}");
    }
}

/// What is no good access token of this issuer for this resource: each by the one rule that it breaks.
#[test]
fn what_must_not_be_accepted() {
    let api = Api::new();
    let now = api.kit.now().secs();
    let provider_key: Value = {
        let keys: Value = serde_json::from_slice(&api.kit.get("/jwks").body).unwrap();
        keys["keys"].as_array().unwrap().iter().find(|key| key["alg"] == "ES256").unwrap().clone()
    };
    let changed = |name: &str, value: Value| {
        let mut claims = api.claims();
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
        };
        api.signed(&claims)
    };
    let typed = |typ: Value| api.kit.sign(&json!({"typ": typ}), &api.claims());
    let unsigned = |alg: &str| {
        let header = json!({"typ": "at+jwt", "alg": alg, "kid": provider_key["kid"]});
        format!("{}.", [&header, &api.claims()].map(|part| base64url::encode(part.to_string())).join("."))
    };
    // RFC 8725 section 2.1: the public key as the secret of an HMAC.
    let confused = ClientKey::of_secret(SigningAlgorithm::Hs256, &provider_key.to_string());
    let confused = confused.sign(&json!({"typ": "at+jwt", "kid": provider_key["kid"]}), &api.claims());
    let stranger = ClientKey::generate(SigningAlgorithm::Es256);
    let of_stranger = |header: Value| stranger.sign(&header, &api.claims());
    let good = api.signed(&api.claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let other_payload = api.signed(&json!({"sub": "bob"}));
    let mixed = format!("{}.{signature}", other_payload.rsplit_once('.').unwrap().0);
    let id_token = api.kit.tokens("alice", "jwt", "openid read").member("id_token").to_owned();
    let rows = [
        ("an ID token", id_token, "jwt_access_token_type_wrong"),
        ("no typ", api.kit.sign(&json!({}), &api.claims()), "jwt_access_token_type_wrong"),
        ("typ JWT", typed(json!("JWT")), "jwt_access_token_type_wrong"),
        ("typ of a logout token", typed(json!("logout+jwt")), "jwt_access_token_type_wrong"),
        ("typ of a proof", typed(json!("dpop+jwt")), "jwt_access_token_type_wrong"),
        ("typ that is no text", typed(json!(1)), "jwt_access_token_malformed"),
        ("alg none", unsigned("none"), "jwt_access_token_algorithm_wrong"),
        ("alg None", unsigned("None"), "jwt_access_token_algorithm_wrong"),
        ("no signature", unsigned("ES256"), "jwt_access_token_signature_wrong"),
        ("an HMAC with the public key", confused, "jwt_access_token_algorithm_wrong"),
        ("an algorithm of another key", unsigned("PS256"), "jwt_access_token_key_unknown"),
        (
            "a key of a stranger",
            of_stranger(json!({"typ": "at+jwt", "kid": stranger.kid()})),
            "jwt_access_token_key_unknown",
        ),
        (
            "under the name of a known key",
            of_stranger(json!({"typ": "at+jwt", "kid": provider_key["kid"]})),
            "jwt_access_token_signature_wrong",
        ),
        ("under no name", of_stranger(json!({"typ": "at+jwt"})), "jwt_access_token_signature_wrong"),
        (
            "that brings its key",
            of_stranger(json!({"typ": "at+jwt", "jwk": stranger.public()})),
            "jwt_access_token_signature_wrong",
        ),
        (
            "with crit",
            api.kit.sign(&json!({"typ": "at+jwt", "crit": ["exp"]}), &api.claims()),
            "jwt_access_token_malformed",
        ),
        ("a cut signature", format!("{head}."), "jwt_access_token_signature_wrong"),
        ("a signature of another", mixed, "jwt_access_token_signature_wrong"),
        ("another issuer", changed("iss", json!("https://evil.example")), "access_token_issuer_wrong"),
        (
            "the issuer with a slash",
            changed("iss", json!("https://id.example/")),
            "access_token_issuer_wrong",
        ),
        ("no issuer", changed("iss", Value::Null), "jwt_access_token_malformed"),
        ("another audience", changed("aud", json!("https://api.example")), "access_token_audience_wrong"),
        (
            "the audience with a slash",
            changed("aud", json!("https://jwt-api.example/")),
            "access_token_audience_wrong",
        ),
        (
            "the audience in capitals",
            changed("aud", json!("https://JWT-API.example")),
            "access_token_audience_wrong",
        ),
        ("UserInfo's audience", changed("aud", json!(["https://id.example"])), "access_token_audience_wrong"),
        ("no audience", changed("aud", Value::Null), "access_token_audience_wrong"),
        ("an empty audience", changed("aud", json!([])), "access_token_audience_wrong"),
        ("an audience that is no text", changed("aud", json!([{"uri": API}])), "jwt_access_token_malformed"),
        ("expired", changed("exp", json!(now - 30)), "access_token_expired"),
        ("no end", changed("exp", Value::Null), "jwt_access_token_malformed"),
        ("an end as text", changed("exp", json!("9999999999")), "jwt_access_token_malformed"),
        ("valid later", changed("nbf", json!(now + 31)), "access_token_not_yet_valid"),
        ("issued later", changed("iat", json!(now + 31)), "access_token_not_yet_valid"),
        ("no time of issue", changed("iat", Value::Null), "jwt_access_token_malformed"),
        ("no subject", changed("sub", Value::Null), "jwt_access_token_malformed"),
        ("no client", changed("client_id", Value::Null), "jwt_access_token_malformed"),
        ("no name", changed("jti", Value::Null), "jwt_access_token_malformed"),
        ("scopes in an array", changed("scope", json!(["read"])), "jwt_access_token_malformed"),
        (
            "a confirmation of an unknown kind",
            changed("cnf", json!({"jwk": {}})),
            "jwt_access_token_malformed",
        ),
        ("an opaque token", "at_opaque".to_owned(), "access_token_no_jwt_and_no_introspection"),
        ("five parts", format!("{good}.x.y"), "access_token_no_jwt_and_no_introspection"),
        ("two dots", "..".to_owned(), "jwt_access_token_malformed"),
        ("17 KiB", format!("{good}{}", "A".repeat(17 * 1024)), "jwt_access_token_malformed"),
    ];
    assert_eq!(api.get(&good).status, 200);
    for (name, token, reason) in rows {
        let told = api.get(&token);
        assert_eq!((told.status, &*told.reason), (401, reason), "{name}: {told:?}");
        assert!(
            told.challenge.starts_with("Bearer realm=\"https://jwt-api.example\", error=\"invalid_token\"")
        );
        assert_eq!(told.body["error"], "invalid_token", "{name}");
    }
}
