//! RFC 9701, JWT Response for OAuth Token Introspection: asked for by `Accept`, or by registration; signed, or signed and
//! encrypted.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use chancery_core::endpoint::introspection::ASKER_UNAUTHENTICATED;
use chancery_core::endpoint::introspection::signed::JWT_NOT_ACCEPTED;
use chancery_core::issue::authorization_response::NOTHING_SIGNS;
use chancery_core::offered::Endpoint;
use chancery_jose::{CompactJwe, DecryptionKey, EncryptionKeyType, SigningAlgorithm, SystemRandom};
use chancery_testkit::{
    Answer, Hostile, NegativeTable, Refused, SECRET, TestProvider, TestProviderBuilder, VerifiedJwt,
    assert_refused, seconds,
};
use serde_json::{Value, json};

const JWT: &str = "application/token-introspection+jwt";
const JSON: &str = "application/json; charset=utf-8";
const LONG: &str = "a-secret-of-sixty-four-characters-or-more-is-long-enough-for-hs512";

/// A resource server as a client, which may see the tokens of `machine`.
fn inspector(id: &str, more: Value) -> String {
    let mut metadata = json!({"client_id": id, "client_secret": LONG, "response_types": [],
        "grant_types": ["client_credentials"], "chancery": {"introspects": ["machine", "jwt"]}});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

fn builder() -> TestProviderBuilder {
    TestProvider::builder().client(&inspector("plain", json!({})))
}

fn asked(kit: &TestProvider, client: &str, token: &str, accept: &str) -> Answer {
    kit.introspection_request(client, token).header("accept", accept).send()
}

/// The JWT, verified, with all that section 5 demands of it.
fn opened(kit: &TestProvider, client: &str, jwt: &str) -> VerifiedJwt {
    let jwt = kit.try_verify(jwt, client).unwrap();
    assert_eq!(jwt.header.typ.as_deref(), Some("token-introspection+jwt"));
    assert_eq!(jwt.names, ["iss", "aud", "iat", "token_introspection"], "neither sub nor exp");
    assert_eq!((&jwt.claims["iss"], &jwt.claims["aud"]), (&json!(kit.issuer().as_str()), &json!(client)));
    assert_eq!(jwt.claims["iat"], kit.now().secs());
    jwt
}

/// INTRO-08: by `Accept`, with RS256 by default: the same members as without it, within `token_introspection`; what is
/// inactive is wrapped, too, and says nothing else.
#[test]
fn by_accept() {
    let kit = builder().build();
    let tokens = kit.tokens("alice", "machine", "openid read");
    let (opaque, signed) = (tokens.member("access_token"), kit.tokens("alice", "jwt", "read"));
    let signed = signed.member("access_token");
    for token in
        [opaque, signed, tokens.member("refresh_token"), "at_unknown", "x", signed.trim_end_matches('A')]
    {
        for client in ["plain", "api", "machine"] {
            let plain = kit.introspect(client, token);
            assert_eq!(plain.header("content-type"), Some(JSON));
            let answer = asked(&kit, client, token, JWT).expect_status(200);
            assert_eq!(answer.header("content-type"), Some(JWT));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.event_names(), ["introspected"]);
            let jwt = opened(&kit, client, answer.text());
            assert_eq!(jwt.header.alg.name(), "RS256");
            assert_eq!(&jwt.claims["token_introspection"], plain.json());
            // It is no access token (section 8.1).
            assert!(!kit.is_active(client, answer.text()));
            assert_eq!(kit.userinfo(answer.text()).status, 401);
        }
    }
}

/// INTRO-08: which `Accept` means what to a client that is not registered for JWTs.
#[test]
fn what_accept_means() {
    let kit = builder().build();
    for (accept, is_jwt) in [
        (JWT, true),
        ("Application/Token-Introspection+Jwt", true),
        ("application/token-introspection+jwt, application/json;q=0.9", true),
        ("application/json, application/token-introspection+jwt", true),
        ("application/json, application/token-introspection+jwt;q=0.9", false),
        ("application/token-introspection+jwt;q=0", false),
        ("*/*", false),
        ("application/*", false),
        ("application/json", false),
        ("application/jwt", false),
        ("text/html", false),
        ("", false),
    ] {
        let answer = asked(&kit, "plain", "x", accept).expect_status(200);
        let expected = if is_jwt { JWT } else { JSON };
        assert_eq!(answer.header("content-type"), Some(expected), "{accept}");
    }
    let twice = kit.introspection_request("plain", "x").header("accept", "text/plain").header("accept", JWT);
    assert_eq!(twice.send().expect_status(200).header("content-type"), Some(JWT));
}

/// INTRO-09, META-20: by registration: signed with each algorithm, and encrypted; whatever `Accept` admits it, and never
/// in plain text.
#[test]
fn by_registration() {
    let key = DecryptionKey::generate(EncryptionKeyType::P256).unwrap();
    let jwks = json!({"keys": [serde_json::from_str::<Value>(&key.public_jwk().to_json()).unwrap()]});
    let asymmetric = SigningAlgorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric());
    let keys: Vec<SigningAlgorithm> = asymmetric.collect();
    let mut builder = builder().own_keys(&keys);
    for alg in SigningAlgorithm::ALL {
        let more = json!({"introspection_signed_response_alg": alg.name()});
        builder = builder.client(&inspector(alg.name(), more));
    }
    let sealed = [
        (
            "sealed",
            json!({"introspection_encrypted_response_alg": "ECDH-ES", "jwks": jwks}),
            "RS256",
            "A128CBC-HS256",
        ),
        (
            "both",
            json!({"introspection_signed_response_alg": "ES256", "jwks": jwks,
            "introspection_encrypted_response_alg": "ECDH-ES+A128KW", "introspection_encrypted_response_enc": "A256GCM"}),
            "ES256",
            "A256GCM",
        ),
    ];
    for (id, more, ..) in &sealed {
        builder = builder.client(&inspector(id, more.clone()));
    }
    let kit = builder.build();
    let token = kit.tokens("alice", "machine", "read").member("access_token").to_owned();
    let plain = kit.introspect("plain", &token);
    let unasked = |client: &str| kit.introspection_request(client, &token).send().expect_status(200);
    for alg in SigningAlgorithm::ALL {
        for answer in [
            unasked(alg.name()),
            asked(&kit, alg.name(), &token, "*/*"),
            asked(&kit, alg.name(), &token, JWT),
        ] {
            assert_eq!(answer.header("content-type"), Some(JWT));
            let jwt = opened(&kit, alg.name(), answer.text());
            assert!(jwt.header.alg.is_same_as(alg), "{}", alg.name());
            assert_eq!(&jwt.claims["token_introspection"], plain.json());
        }
        assert_refused!(asked(&kit, alg.name(), &token, "application/json"), JWT_NOT_ACCEPTED);
    }
    for (id, _, alg, enc) in &sealed {
        let answer = unasked(id);
        let random = |buffer: &mut [u8]| SystemRandom.fill(buffer);
        let jwe = CompactJwe::parse(answer.text()).unwrap();
        assert_eq!(jwe.header().enc.name(), *enc);
        let decrypted = jwe.decrypt(&key, &random).unwrap();
        assert_eq!(decrypted.header().cty.as_deref(), Some("JWT"));
        let inside = String::from_utf8(decrypted.plaintext().to_vec()).unwrap();
        let jwt = opened(&kit, id, &inside);
        assert_eq!(jwt.header.alg.name(), *alg);
        assert_eq!(&jwt.claims["token_introspection"], plain.json());
    }
}

/// Section 5: a resource server is told of its own scopes; whoever got the token, of all.
#[test]
fn scopes_are_narrowed_to_the_asker() {
    let kit = builder().build();
    let token = kit.tokens("alice", "machine", "openid email read").member("access_token").to_owned();
    for (client, scope) in [("api", "read"), ("machine", "openid email read"), ("plain", "openid email read")]
    {
        let answer = asked(&kit, client, &token, JWT).expect_status(200);
        let jwt = opened(&kit, client, answer.text());
        assert_eq!(jwt.claims["token_introspection"]["scope"], scope, "{client}");
    }
}

/// Section 7: discovery names the algorithms, and none of them where the endpoint is off.
#[test]
fn discovery() {
    let metadata = |kit: &TestProvider| kit.get("/.well-known/openid-configuration").expect_status(200);
    let members = [
        "introspection_signing_alg_values_supported",
        "introspection_encryption_alg_values_supported",
        "introspection_encryption_enc_values_supported",
    ];
    let on = metadata(&builder().build());
    assert!(members.iter().all(|member| on[*member].as_array().is_some_and(|values| !values.is_empty())));
    assert_eq!(on[members[0]], json!(["RS256", "ES256", "HS256", "HS384", "HS512"]));
    let off =
        TestProvider::builder().configure(|to| to.endpoints.switch(Endpoint::Introspection, false)).build();
    assert!(members.iter().all(|member| metadata(&off)[*member].is_null()));
}

/// A JWT takes as many trips as the answer in plain text: 1 for an opaque token, 2 for a JWT access token.
#[test]
fn trips() {
    let kit = builder().build();
    let opaque = kit.tokens("alice", "machine", "read");
    let signed = kit.tokens("alice", "jwt", "read");
    for (tokens, expected) in [(opaque, 1), (signed, 2)] {
        let token = tokens.member("access_token");
        let (_, plain) = kit.trips(|| kit.introspect("plain", token));
        let (_, jwt) = kit.trips(|| asked(&kit, "plain", token, JWT).expect_status(200));
        assert_eq!((plain, jwt), (expected, expected));
    }
}

/// RFC 9110 section 12.5.1: 10,000 generated header fields: an answer, one way or the other.
#[test]
fn generated_headers() {
    let kit = builder().build();
    let hostile = Hostile::new(9701);
    for round in 0..10_000 {
        let text: String = hostile.text(round % 60).chars().filter(|c| matches!(*c, ' '..='~')).collect();
        let accept = match round % 3 {
            0 => text,
            1 => format!("{JWT};{text}"),
            _ => format!("{text},{JWT}"),
        };
        let answer = asked(&kit, "plain", "x", &accept);
        assert_eq!(answer.status, 200, "{accept:?}");
    }
}

/// INTRO-01, INTRO-09: what gets no answer, neither signed nor in plain text.
#[test]
fn what_is_refused() {
    let kit =
        builder().client(&inspector("signed", json!({"introspection_signed_response_alg": "ES256"}))).build();
    let token = kit.tokens("alice", "spa", "openid").member("access_token").to_owned();
    let with =
        |client: &str, accept: &str| kit.introspection_request(client, &token).header("accept", accept);
    let bad = Refused::Json(400, "invalid_request");
    NegativeTable::new(&kit)
        .row("a client that does not authenticate", with("spa", JWT), bad)
        .row("without a token", with("plain", JWT).without("token"), bad)
        .row("two tokens", with("plain", JWT).param("token", "x"), bad)
        .row("a wrong secret", with("plain", JWT).secret("wrong"), Refused::Json(401, "invalid_client"))
        .row("JSON for one that is registered", with("signed", "application/json"), bad)
        .row("not at all for one that is registered", with("signed", &format!("{JWT};q=0")), bad)
        .row("a page for one that is registered", with("signed", "text/html"), bad)
        .run();
    assert_refused!(with("spa", JWT).send(), ASKER_UNAUTHENTICATED);
    assert_refused!(with("signed", "application/json, text/*").send(), JWT_NOT_ACCEPTED);

    // What a client is registered for, it can get: META-20.
    let complaints = |more: Value| {
        let mut metadata: Value = serde_json::from_str(&inspector("late", more)).unwrap();
        metadata["client_secret"] = SECRET.into();
        kit.put_client_fetching(&metadata.to_string()).is_err()
    };
    for more in [
        json!({"introspection_signed_response_alg": "none"}),
        json!({"introspection_signed_response_alg": "HS512"}),
        json!({"introspection_encrypted_response_alg": "ECDH-ES"}),
        json!({"introspection_encrypted_response_alg": "RSA1_5"}),
        json!({"introspection_encrypted_response_enc": "A128GCM"}),
        json!({"introspection_encrypted_response_alg": "dir", "introspection_encrypted_response_enc": "A128"}),
    ] {
        assert!(complaints(more.clone()), "{more}");
    }
    assert!(!complaints(json!({"introspection_signed_response_alg": "HS256"})));
    // An older client may be registered for what nothing signs any more: it gets nothing in plain text.
    kit.put_client(&inspector("late", json!({"introspection_signed_response_alg": "PS512"})));
    kit.clock.advance(seconds(2));
    assert_refused!(with("late", JWT).send(), NOTHING_SIGNS);
}
