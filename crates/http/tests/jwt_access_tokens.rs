//! RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: by each algorithm, of opaque tokens beside them, and what they tell
//! about the person's authentication.

#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_core::error::Fault;
use chancery_core::model::{Claims, Client, Entitlement, ResourceServer};
use chancery_core::policy::{JwtDraft, TokenPolicy};
use chancery_jose::{
    CompactJwe, DecryptionKey, EncryptionKeyType, SigningAlgorithm, SystemRandom, base64url,
};
use chancery_testkit::{
    Answer, NegativeTable, Refused, SECRET, TestProvider, TestProviderBuilder, hours, minutes, seconds,
};
use serde_json::{Value, json};

fn server(uri: &str, more: Value) -> ResourceServer {
    let mut server = json!({"uri": uri, "scopes": ["read"], "introspected_by": ["api"]});
    server.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(server).unwrap()
}

/// A client of these resource servers.
fn client(resources: &[&str]) -> String {
    json!({"client_id": "app", "client_secret": SECRET, "redirect_uris": ["https://app.example/cb"],
        "id_token_signed_response_alg": "RS256",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "chancery": {"resources": resources, "refresh_tokens": "always", "consent": "implied"}})
    .to_string()
}

/// The tokens of a person for all of these, of which the first one is named.
fn granted(kit: &TestProvider, scope: &str, resources: &[&str]) -> Answer {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request = kit.authorization_request("app").scope(scope);
    let request = resources.iter().fold(request, |request, uri| request.param("resource", uri));
    let code = request.open(&ua).expect_code();
    let exchange =
        resources.iter().take(1).fold(kit.code_request(&code), |sent, uri| sent.param("resource", uri));
    exchange.send().expect_status(200)
}

fn refreshed(kit: &TestProvider, tokens: &Answer, uri: &str) -> Answer {
    let refresh_token = tokens.member("refresh_token");
    kit.refresh_request("app", refresh_token).param("resource", uri).send().expect_status(200)
}

/// AT-07: RFC 9068 section 2.1: signed with whatever algorithm the resource server says, RS256 among them; opaque tokens
/// and JWTs for one client beside each other, out of one grant.
#[test]
fn each_algorithm() {
    let algorithms: Vec<SigningAlgorithm> =
        SigningAlgorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric()).collect();
    let uri = |alg: &SigningAlgorithm| format!("https://{}.example", alg.name().to_lowercase());
    let mut builder = TestProvider::builder().own_keys(&algorithms);
    for alg in &algorithms {
        let more = json!({"format": "jwt", "alg": alg.name()});
        builder = builder.resource_server(server(&uri(alg), more));
    }
    let mut named: Vec<String> = algorithms.iter().map(uri).collect();
    named.truncate(8);
    named.push("https://opaque.example".to_owned());
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let all: Vec<String> = algorithms.iter().map(uri).collect();
    let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
    all.push("https://opaque.example");
    let kit =
        builder.resource_server(server("https://opaque.example", json!({}))).client(&client(&all)).build();
    for alg in &algorithms {
        let own = kit.client_credentials_request("app").param("resource", &uri(alg)).param("scope", "read");
        let own = own.send().expect_status(200);
        let jwt = kit.try_verify(own.member("access_token"), "app").unwrap();
        assert!(jwt.header.alg.is_same_as(*alg), "{}", alg.name());
        assert_eq!(jwt.header.typ.as_deref(), Some("at+jwt"));
        assert!(jwt.header.kid.is_some());
        assert_eq!(jwt.names, ["iss", "sub", "aud", "client_id", "jti", "iat", "exp", "scope"]);
        assert_eq!((&jwt.claims["sub"], &jwt.claims["aud"]), (&json!("app"), &json!(uri(alg))));
        assert!(kit.is_active("api", own.member("access_token")), "{}", alg.name());
    }
    let mut tokens = granted(&kit, "read", &named);
    for resource in &named {
        tokens = refreshed(&kit, &tokens, resource);
        let token = tokens.member("access_token");
        assert_eq!(token.starts_with("at_"), *resource == "https://opaque.example", "{resource}");
        assert_eq!(kit.introspect("api", token)["aud"], *resource);
    }
}

/// AT-05: RFC 9068 section 2.2.1, RFC 9470 section 6: how and when the person authenticated, the same in every token of
/// the grant however late; not for a client's own token, and not if the resource server is not to know.
#[test]
fn how_the_person_authenticated() {
    let (jwt, opaque) = ("https://jwt.example", "https://opaque.example");
    let (no_jwt, no_opaque) = ("https://no-jwt.example", "https://no-opaque.example");
    let all = [jwt, opaque, no_jwt, no_opaque];
    let kit = TestProvider::builder()
        .resource_server(server(jwt, json!({"format": "jwt"})))
        .resource_server(server(opaque, json!({})))
        .resource_server(server(no_jwt, json!({"format": "jwt", "authentication": false})))
        .resource_server(server(no_opaque, json!({"authentication": false})))
        .client(&client(&all))
        .build();
    let signed_in = kit.now().secs();
    let mut tokens = granted(&kit, "read", &all);
    for _ in 0..2 {
        kit.clock.advance(hours(3));
        for (resource, is_told) in [(jwt, true), (opaque, true), (no_jwt, false), (no_opaque, false)] {
            tokens = refreshed(&kit, &tokens, resource);
            let token = tokens.member("access_token");
            let seen = kit.introspect("api", token);
            let expected = if is_told {
                (json!(signed_in), json!("urn:chancery:acr:password"))
            } else {
                (Value::Null, Value::Null)
            };
            assert_eq!((seen["auth_time"].clone(), seen["acr"].clone()), expected, "{resource}");
            assert_eq!(seen["amr"], Value::Null, "RFC 9470 registers the other two alone");
            if !token.starts_with("at_") {
                let claims = kit.try_verify(token, "app").unwrap().claims;
                assert_eq!((claims["auth_time"].clone(), claims["acr"].clone()), expected, "{resource}");
                assert_eq!(claims["amr"], if is_told { json!(["pwd"]) } else { Value::Null }, "{resource}");
            }
        }
    }
    let own = kit.client_credentials_request("app").param("resource", jwt).send().expect_status(200);
    let claims = kit.try_verify(own.member("access_token"), "app").unwrap().claims;
    assert!(["auth_time", "acr", "amr"].iter().all(|name| claims[*name].is_null()), "{claims}");
    let seen = kit.introspect("app", tokens.member("refresh_token"));
    assert!(seen["active"] == true && seen["auth_time"].is_null(), "{}", seen.text());
}

/// Says more about each token.
struct Tenant;

impl TokenPolicy for Tenant {
    async fn claims(&self, what: &Entitlement, _: &Client) -> Result<Claims, Fault> {
        let mut claims = Claims::default();
        let resource = what.target.resource.as_ref().map(|server| server.uri.as_str().to_owned());
        claims.set("tenant", "t1").set("groups", &["a", "b"]).set("for", &resource);
        for name in ["acr", "amr", "auth_time", "sub", "aud", "acr#de"] {
            claims.set(name, "a lie");
        }
        Ok(claims)
    }

    async fn jwt(&self, draft: &mut JwtDraft<'_>) -> Result<(), Fault> {
        draft.extra.set("roles", &["admin"]);
        Ok(())
    }
}

/// AT-10, AT-11, AT-04: RFC 9068 sections 2.2.2 and 2.2.3.1: an application's claims, of either form, which know their
/// resource server and replace nothing of the protocol; and all of it encrypted for a resource server alone.
#[test]
fn extra_claims_and_encryption() {
    let key = DecryptionKey::generate(EncryptionKeyType::P256).unwrap();
    let (jwt, opaque, sealed) = ("https://jwt.example", "https://opaque.example", "https://sealed.example");
    let encryption = json!({"alg": "ECDH-ES", "enc": "A256GCM", "key": key.public_jwk().to_json()});
    let kit = TestProvider::builder()
        .token_policy(Tenant)
        .resource_server(server(jwt, json!({"format": "jwt"})))
        .resource_server(server(opaque, json!({})))
        .resource_server(server(sealed, json!({"format": "jwt", "encryption": encryption})))
        .client(&client(&[jwt, opaque, sealed]))
        .build();
    let tokens = granted(&kit, "read", &[jwt, opaque, sealed]);
    let claims = kit.try_verify(tokens.member("access_token"), "app").unwrap().claims;
    let of_opaque = refreshed(&kit, &tokens, opaque);
    let seen = kit.introspect("api", of_opaque.member("access_token"));
    let of_sealed = refreshed(&kit, &of_opaque, sealed);
    let token = of_sealed.member("access_token");
    let random = |buffer: &mut [u8]| SystemRandom.fill(buffer);
    let decrypted = CompactJwe::parse(token).unwrap().decrypt(&key, &random).unwrap();
    assert_eq!(decrypted.header().cty.as_deref(), Some("at+jwt"));
    let inside = String::from_utf8(decrypted.plaintext().to_vec()).unwrap();
    let sealed_claims = kit.try_verify(&inside, "app").unwrap().claims;
    for (claims, resource, roles) in [
        (&claims, jwt, json!(["admin"])),
        (seen.json(), opaque, Value::Null),
        (&sealed_claims, sealed, json!(["admin"])),
    ] {
        assert_eq!((&claims["tenant"], &claims["groups"]), (&json!("t1"), &json!(["a", "b"])), "{resource}");
        assert_eq!((&claims["for"], &claims["aud"]), (&json!(resource), &json!(resource)));
        assert_eq!((&claims["roles"], &claims["sub"]), (&roles, &json!("alice")), "{resource}");
        assert_eq!(claims["acr"], "urn:chancery:acr:password", "{resource}");
        assert!(claims["auth_time"].is_number() && claims["acr#de"].is_null(), "{resource}");
    }
    // As it is, it is nobody's token here.
    assert!(!kit.is_active("api", token) && kit.is_active("api", &inside));
}

/// AT-13: the lifetime is that of the resource server, or of the form.
#[test]
fn lifetimes() {
    let servers = [
        ("https://jwt.example", json!({"format": "jwt"}), 300),
        ("https://opaque.example", json!({}), 3600),
        ("https://long.example", json!({"format": "jwt", "lifetime": "2h"}), 7200),
        ("https://short.example", json!({"lifetime": "30s"}), 30),
    ];
    let all: Vec<&str> = servers.iter().map(|(uri, ..)| *uri).collect();
    let builder: TestProviderBuilder =
        servers.iter().fold(TestProvider::builder(), |builder, (uri, more, _)| {
            builder.resource_server(server(uri, more.clone()))
        });
    let kit = builder.client(&client(&all)).build();
    let mut tokens = granted(&kit, "read", &all);
    for (uri, _, seconds_of_life) in &servers {
        tokens = refreshed(&kit, &tokens, uri);
        assert_eq!(tokens["expires_in"], *seconds_of_life, "{uri}");
    }
    // A code is remembered for as long as the longest of these tokens lives, and then ends them.
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request = all
        .iter()
        .fold(kit.authorization_request("app").scope("read"), |request, uri| request.param("resource", uri));
    let code = request.open(&ua).expect_code();
    kit.clock.advance(seconds(59));
    let last = kit.code_request(&code).param("resource", "https://long.example").send().expect_status(200);
    kit.clock.advance(minutes(119));
    assert!(kit.is_active("api", last.member("access_token")));
    assert_eq!(kit.exchange(&code)["error"], "invalid_grant");
    assert!(!kit.is_active("api", last.member("access_token")));
}

/// RFC 9068 sections 4 and 5, RFC 8725 section 3.11: what is no JWT access token for whoever takes it.
#[test]
fn what_is_refused() {
    let kit = TestProvider::builder()
        .resource_server(server("https://rs.example", json!({"format": "jwt", "alg": "RS256"})))
        .client(&client(&["https://rs.example"]))
        .build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let tokens = kit.exchange(
        &kit.authorization_request("app")
            .scope("openid read")
            .set("resource", "https://rs.example")
            .open(&ua)
            .expect_code(),
    );
    let good = tokens.member("access_token").to_owned();
    let claims = kit.try_verify(&good, "app").unwrap().claims;
    assert_eq!(kit.userinfo(&good).status, 200);
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        kit.sign(&json!({"typ": "at+jwt"}), &claims)
    };
    let parts: Vec<&str> = good.split('.').collect();
    let with_header = |header: &str| [&base64url::encode(header), parts[1], parts[2]].join(".");
    let bearer =
        |token: &str| kit.anonymous_request("/userinfo").header("authorization", &format!("Bearer {token}"));
    let mut table = NegativeTable::new(&kit);
    let rows = [
        ("of another type", kit.sign(&json!({"typ": "JWT"}), &claims)),
        ("without a type", kit.sign(&json!({}), &claims)),
        ("an answer of introspection", kit.sign(&json!({"typ": "token-introspection+jwt"}), &claims)),
        ("of another issuer", changed("iss", json!("https://other.example"))),
        ("for the resource server alone", changed("aud", json!("https://rs.example"))),
        ("for nobody", changed("aud", json!([]))),
        ("about another person", changed("sub", json!("bob"))),
        ("of another client", changed("client_id", json!("web"))),
        ("that has expired", changed("exp", json!(kit.now().secs()))),
        ("without an end", changed("exp", Value::Null)),
        ("of no grant", changed("jti", json!("AAAA"))),
        ("with none", with_header(r#"{"typ":"at+jwt","alg":"none"}"#)),
        ("with an HMAC", with_header(r#"{"typ":"at+jwt","alg":"HS256"}"#)),
        ("cut", good.trim_end_matches(|c: char| c != '.').to_owned()),
        ("twice", format!("{good}.{good}")),
    ];
    for (name, token) in &rows {
        assert!(!kit.is_active("api", token), "{name}");
        table = table.row(*name, bearer(token), Refused::Json(401, "invalid_token"));
    }
    table.run();
    // The same claims under the right type are a token: it is the key that vouches.
    assert_eq!(kit.userinfo(&kit.sign(&json!({"typ": "at+jwt"}), &claims)).status, 200);
}
