//! Encryption (RFC 7516; OIDC Core section 10.2): for our keys, and for those of clients.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use chancery_core::keys::KeySet;
use chancery_core::model::ResourceServer;
use chancery_core::rotation::KeyEnd;
use chancery_jose::{
    CompactJwe, ContentEncryptionAlgorithm as Enc, Decrypted, DecryptionKey, EncryptionKey,
    EncryptionKeyType, Error, JweWriter, JwkSet, KeyManagementAlgorithm as Alg, Recipient, SharedKey,
    SigningAlgorithm, SystemRandom, base64url,
};
use chancery_testkit::{SECRET, TestProvider, assert_refused, hours, minutes, seconds, wait};
use serde_json::{Value, json};

fn random(buffer: &mut [u8]) {
    SystemRandom.fill(buffer);
}

fn jwks(kit: &TestProvider) -> JwkSet {
    JwkSet::parse(kit.get("/jwks").expect_status(200).text().as_bytes()).unwrap()
}

/// The published key of this name.
fn published(kit: &TestProvider, alg: Alg, kid: &str) -> Option<EncryptionKey> {
    jwks(kit).encryption_keys(alg).find(|key| key.kid() == Some(kid)).cloned()
}

fn encrypted(key: &EncryptionKey, alg: Alg) -> String {
    JweWriter::new(alg, Enc::A128CbcHs256).encrypt(Recipient::Public(key), b"content", &random).unwrap()
}

/// What the provider makes of a JWE.
fn decrypted(kit: &TestProvider, jwe: &str) -> Result<Vec<u8>, Error> {
    let keys = wait(KeySet::load(&*kit.env().private_keys, &kit.env().realm)).unwrap();
    let decrypted = wait(keys.decrypt(kit.env(), kit.now(), CompactJwe::parse(jwe)?)).unwrap()?;
    Ok(decrypted.plaintext().to_vec())
}

/// JOSE-06: a key for encryption is published with `use`, until its successor is alone; what was encrypted
/// for it decrypts until it is retired, and not any more then.
#[test]
fn our_keys_for_encryption_are_rotated() {
    let kit = TestProvider::builder().own_keys(&[SigningAlgorithm::Rs256]).build();
    assert!(!kit.get("/jwks").text().contains(r#""use":"enc""#), "there is none by itself");
    let add = |key_type| kit.keys.add_encryption_key(key_type, kit.now()).unwrap();
    let (rsa, p256) = (add(EncryptionKeyType::Rsa), add(EncryptionKeyType::P256));
    kit.clock.advance(minutes(1));

    assert!(kit.get("/jwks").text().contains(r#""use":"enc""#));
    assert_eq!(jwks(&kit).keys().len(), 1, "they verify nothing");
    let mut messages = Vec::new();
    for (kid, algorithms) in
        [(&rsa, EncryptionKeyType::Rsa.algorithms()), (&p256, EncryptionKeyType::P256.algorithms())]
    {
        for alg in algorithms {
            messages.push((kid, encrypted(&published(&kit, alg, kid).unwrap(), alg)));
        }
    }
    for (_, jwe) in &messages {
        assert_eq!(decrypted(&kit, jwe).unwrap(), b"content");
    }

    let young = add(EncryptionKeyType::Rsa);
    kit.keys.end(&rsa, KeyEnd::new(kit.now() + minutes(10), hours(1)));
    kit.clock.advance(minutes(1));
    assert!([&rsa, &young].iter().all(|kid| published(&kit, Alg::RsaOaep, kid).is_some()));
    kit.clock.advance(minutes(9));
    assert_eq!(published(&kit, Alg::RsaOaep, &rsa), None);
    assert!(published(&kit, Alg::RsaOaep, &young).is_some());
    assert!(messages.iter().all(|(_, jwe)| decrypted(&kit, jwe).is_ok()), "what is on its way arrives");
    kit.clock.advance(hours(1));
    for (kid, jwe) in &messages {
        let want = if *kid == &rsa { Err(Error::KeyNotForAlgorithm) } else { Ok(b"content".to_vec()) };
        assert_eq!(decrypted(&kit, jwe), want);
    }
}

/// Keys that nobody has, that sign, or that were removed; another algorithm; a foreign message.
#[test]
fn what_does_not_decrypt() {
    let kit = TestProvider::builder().own_keys(&[SigningAlgorithm::Rs256]).build();
    let p256 = kit.keys.add_encryption_key(EncryptionKeyType::P256, kit.now()).unwrap();
    kit.clock.advance(minutes(1));
    let key = published(&kit, Alg::EcdhEs, &p256).unwrap();
    let parse = |json: String| EncryptionKey::parse(json.as_bytes()).unwrap();
    let named = |kid: &str| parse(key.to_json().replace(&*p256, kid));
    let good = encrypted(&key, Alg::EcdhEs);
    assert_eq!(decrypted(&kit, &good).unwrap(), b"content");

    // Without `kid`, for the key that is published.
    let nameless = parse(key.to_json().replace(&format!(r#""kid":"{p256}","#), ""));
    assert_eq!(decrypted(&kit, &encrypted(&nameless, Alg::EcdhEs)).unwrap(), b"content");

    let signing = jwks(&kit).keys()[0].kid().unwrap().to_owned();
    for kid in ["unknown", "", &signing] {
        let jwe = encrypted(&named(kid), Alg::EcdhEs);
        assert_eq!(decrypted(&kit, &jwe), Err(Error::KeyNotForAlgorithm), "{kid}");
    }
    let foreign = DecryptionKey::generate(EncryptionKeyType::P256).unwrap().with_kid(&p256);
    let jwe = encrypted(foreign.public_jwk(), Alg::EcdhEsA256Kw);
    assert_eq!(decrypted(&kit, &jwe), Err(Error::Decryption));
    let on_another_curve = DecryptionKey::generate(EncryptionKeyType::P384).unwrap().with_kid(&p256);
    let jwe = encrypted(on_another_curve.public_jwk(), Alg::EcdhEs);
    assert_eq!(decrypted(&kit, &jwe), Err(Error::Decryption));
    let rsa = DecryptionKey::generate(EncryptionKeyType::Rsa).unwrap().with_kid(&p256);
    let jwe = encrypted(rsa.public_jwk(), Alg::RsaOaep);
    assert_eq!(decrypted(&kit, &jwe), Err(Error::KeyNotForAlgorithm));

    kit.keys.remove(&p256);
    assert_eq!(decrypted(&kit, &good), Err(Error::KeyNotForAlgorithm));
}

/// A client that decrypts.
struct Decrypting {
    id: &'static str,
    key: Option<DecryptionKey>,
}

impl Decrypting {
    /// A client with a key of this type and a secret.
    fn with_key(id: &'static str, key_type: EncryptionKeyType) -> Self {
        Self { id, key: Some(DecryptionKey::generate(key_type).unwrap()) }
    }

    /// A client with a secret alone.
    fn with_secret(id: &'static str) -> Self {
        Self { id, key: None }
    }

    /// Its metadata, with more members.
    fn metadata(&self, more: &Value) -> String {
        let mut metadata = json!({
            "client_id": self.id, "client_secret": SECRET,
            "redirect_uris": [format!("https://{}.example/cb", self.id)],
            "id_token_signed_response_alg": "ES256", "userinfo_signed_response_alg": "ES256",
            "grant_types": ["authorization_code", "refresh_token"], "chancery": {"refresh_tokens": "always"},
        });
        if let Some(key) = &self.key {
            let public: Value = serde_json::from_str(&key.public_jwk().to_json()).unwrap();
            metadata["jwks"] = json!({ "keys": [public] });
        }
        for (name, value) in more.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        metadata.to_string()
    }

    fn decrypt(&self, jwe: &str) -> Result<Decrypted, Error> {
        let jwe = CompactJwe::parse(jwe)?;
        match &self.key {
            Some(key) => jwe.decrypt(key, &random),
            None => {
                let (alg, enc) = (jwe.header().alg, jwe.header().enc);
                jwe.decrypt_with_shared(&SharedKey::from_client_secret(alg, enc, SECRET.as_bytes())?, &random)
            }
        }
    }

    /// The signed JWT inside, whose encryption is checked.
    #[track_caller]
    fn opened(&self, kit: &TestProvider, jwe: &str, alg: Alg, enc: Enc) -> String {
        let protected: Value =
            serde_json::from_slice(&base64url::decode(jwe.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(protected["cty"], "JWT");
        assert_eq!((&protected["iss"], &protected["aud"]), (&json!(kit.issuer().as_str()), &json!(self.id)));
        assert_eq!(protected["kid"], json!(self.key.as_ref().map(DecryptionKey::kid)));
        let decrypted = self.decrypt(jwe).unwrap();
        assert_eq!((decrypted.header().alg, decrypted.header().enc), (alg, enc));
        String::from_utf8(decrypted.plaintext().to_vec()).unwrap()
    }
}

/// JOSE-08, 09, 10, META-18, META-19: every algorithm once, with every type of key, and every content
/// encryption: the ID token of each token response and UserInfo are signed, then encrypted for the client.
#[test]
fn every_algorithm_once() {
    let kit = TestProvider::new();
    let mut clients = Vec::new();
    for key_type in EncryptionKeyType::ALL {
        clients.extend(key_type.algorithms().map(|alg| (alg, Some(key_type))));
    }
    clients.extend(Alg::ALL.into_iter().filter(|alg| alg.is_symmetric()).map(|alg| (alg, None)));
    for ((alg, key_type), enc) in clients.into_iter().zip(Enc::ALL.into_iter().cycle()) {
        let client = match key_type {
            Some(key_type) => Decrypting::with_key("sealed", key_type),
            None => Decrypting::with_secret("sealed"),
        };
        kit.put_client(&client.metadata(&json!({
            "id_token_encrypted_response_alg": alg, "id_token_encrypted_response_enc": enc,
            "userinfo_encrypted_response_alg": alg, "userinfo_encrypted_response_enc": enc,
        })));
        let tokens = kit.tokens("alice", "sealed", "openid phone");
        let again = kit.refresh("sealed", tokens.member("refresh_token")).expect_status(200);
        let userinfo = kit.userinfo(again.member("access_token")).expect_status(200);
        assert_eq!(userinfo.header("content-type"), Some("application/jwt"));
        for (jwe, is_id_token) in
            [(tokens.member("id_token"), true), (again.member("id_token"), true), (userinfo.text(), false)]
        {
            let jwt = client.opened(&kit, jwe, alg, enc);
            let jwt = kit.try_verify(&jwt, "sealed").unwrap();
            assert_eq!((&jwt.claims["sub"], &jwt.claims["aud"]), (&json!("alice"), &json!("sealed")));
            assert_eq!(jwt.claims["auth_time"].is_number(), is_id_token);
        }
    }
}

/// CMETA-11: without `enc` it is A128CBC-HS256 (OIDC Registration section 2); one response can be encrypted
/// and the other not; and a public client can have a key.
#[test]
fn one_member_is_enough() {
    let kit = TestProvider::new();
    let client = Decrypting::with_key("some", EncryptionKeyType::P256);
    let all = |more: Value| {
        let mut metadata: Value = serde_json::from_str(&client.metadata(&more)).unwrap();
        metadata.as_object_mut().unwrap().remove("client_secret");
        metadata["token_endpoint_auth_method"] = json!("none");
        metadata.to_string()
    };
    kit.put_client(&all(json!({"id_token_encrypted_response_alg": "ECDH-ES"})));
    let tokens = kit.tokens("alice", "some", "openid");
    let jwt = client.opened(&kit, tokens.member("id_token"), Alg::EcdhEs, Enc::A128CbcHs256);
    assert!(kit.try_verify(&jwt, "some").is_ok());
    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    assert!(kit.try_verify(userinfo.text(), "some").is_ok(), "signed alone");

    kit.put_client(&all(json!({"userinfo_encrypted_response_alg": "ECDH-ES+A256KW"})));
    let tokens = kit.tokens("alice", "some", "openid");
    let id_token = kit.id_token(&tokens, "some");
    assert_eq!(id_token.claims["sub"], "alice");
    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    let jwt = client.opened(&kit, userinfo.text(), Alg::EcdhEsA256Kw, Enc::A128CbcHs256);
    assert!(kit.try_verify(&jwt, "some").is_ok());
}

/// JOSE-09: of several keys the first for encryption that fits, whatever the others are for.
#[test]
fn the_key_that_fits() {
    let kit = TestProvider::new();
    let client = Decrypting::with_key("many", EncryptionKeyType::P256);
    let own: Value = serde_json::from_str(&client.key.as_ref().unwrap().public_jwk().to_json()).unwrap();
    let other = |key_type| -> Value {
        let key = DecryptionKey::generate(key_type).unwrap();
        serde_json::from_str(&key.public_jwk().to_json()).unwrap()
    };
    let with = |mut key: Value, name: &str, value: &str| {
        key[name] = json!(value);
        key
    };
    let keys = json!({"keys": [
        other(EncryptionKeyType::Rsa),
        with(other(EncryptionKeyType::P256), "use", "sig"),
        with(other(EncryptionKeyType::P256), "alg", "ECDH-ES"),
        with(other(EncryptionKeyType::P384), "kty", "unknown"),
        own,
        other(EncryptionKeyType::P256),
    ]});
    kit.put_client(&client.metadata(&json!({
        "jwks": keys, "id_token_encrypted_response_alg": "ECDH-ES+A128KW",
        "id_token_encrypted_response_enc": "A256GCM",
    })));
    let tokens = kit.tokens("alice", "many", "openid");
    let _ = client.opened(&kit, tokens.member("id_token"), Alg::EcdhEsA128Kw, Enc::A256Gcm);
}

/// OIDC Core section 3.3.2.11: the ID token that goes through the browser is encrypted, too; and a refusal
/// goes to the client as the response would have (CLAIM-21).
#[test]
fn what_goes_through_the_browser() {
    let kit = TestProvider::builder().configure(|to| to.compatibility.hybrid = true).build();
    let client = Decrypting::with_secret("front");
    kit.put_client(&client.metadata(&json!({
        "id_token_encrypted_response_alg": "A128GCMKW", "id_token_encrypted_response_enc": "A192CBC-HS384",
        "client_secret_expires_at": kit.now().secs() + 100, "response_types": ["code id_token"],
        "grant_types": ["authorization_code", "implicit"], "chancery": {},
    })));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "front", "openid");
    let request = || {
        let request = kit.authorization_request("front").set("response_type", "code id_token");
        request.scope("openid").set("nonce", "n")
    };
    let arrival = request().open(&ua).expect_arrival();
    let beside = client.opened(&kit, arrival.value("id_token").unwrap(), Alg::A128GcmKw, Enc::A192CbcHs384);
    let beside = kit.try_verify(&beside, "front").unwrap();
    assert_eq!((&beside.claims["sub"], beside.claims["c_hash"].is_string()), (&json!("alice"), true));

    kit.clock.advance(seconds(100));
    let arrival = request().open(&ua).expect_arrival();
    assert_eq!((arrival.value("error"), arrival.value("code")), (Some("unauthorized_client"), None));
    assert_eq!(arrival.value("id_token"), None);
}

/// OIDC Back-Channel Logout section 2.6, OUT-12: a logout token is encrypted as ID tokens are; an RP that gets
/// encrypted ones rejects any other.
#[test]
fn logout_tokens_are_encrypted() {
    const URL: &str = "https://told.example/logout";
    let kit = TestProvider::new();
    let client = Decrypting::with_key("told", EncryptionKeyType::P384);
    kit.put_client(&client.metadata(&json!({
        "id_token_encrypted_response_alg": "ECDH-ES+A192KW", "backchannel_logout_uri": URL,
    })));
    kit.fetch.answers(URL, 200, "");
    let ua = kit.user_agent();
    let tab = kit.authorization_request("told").scope("openid").open(&ua).expect_page("login");
    let code = tab.login("alice").expect_page("consent").allow().expect_code();
    let tokens = kit.exchange(&code).expect_status(200);
    let hint = client.decrypt(tokens.member("id_token")).unwrap();
    let hint = str::from_utf8(hint.plaintext()).unwrap();
    let _ = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}")).expect_page("logout-done");
    kit.clock.advance(seconds(1));
    let _ = kit.deliver();
    let sent = kit.fetch.asked();
    let token = sent[0].form.as_deref().unwrap().strip_prefix("logout_token=").unwrap();
    let inside = client.opened(&kit, token, Alg::EcdhEsA192Kw, Enc::A128CbcHs256);
    assert_eq!(kit.try_verify(&inside, "told").unwrap().header.typ.as_deref(), Some("logout+jwt"));
}

/// JOSE-09: keys that the client publishes: fetched when they are needed, and again when none of them fits.
/// While the other server is down, the last good ones are used.
#[test]
fn keys_that_the_client_publishes() {
    const URL: &str = "https://published.example/jwks";
    let kit = TestProvider::new();
    let client = Decrypting::with_key("published", EncryptionKeyType::P256);
    let mut metadata: Value =
        serde_json::from_str(&client.metadata(&json!({"id_token_encrypted_response_alg": "ECDH-ES"})))
            .unwrap();
    metadata.as_object_mut().unwrap().remove("jwks");
    metadata["jwks_uri"] = json!(URL);
    kit.put_client(&metadata.to_string());
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "published", "openid");
    let exchange = || {
        kit.clock.advance(minutes(2));
        kit.exchange(&kit.authorization_request("published").scope("openid").open(&ua).expect_code())
    };

    assert_refused!(exchange(), "invalid_client", "encryption_keys_unavailable");
    kit.fetch.answers(URL, 200, r#"{"keys":[]}"#.to_owned());
    assert_refused!(exchange(), "invalid_client", "encryption_key_missing");
    let public: Value = serde_json::from_str(&client.key.as_ref().unwrap().public_jwk().to_json()).unwrap();
    kit.fetch.answers(URL, 200, json!({"keys": [public]}).to_string());
    let tokens = exchange().expect_status(200);
    let _ = client.opened(&kit, tokens.member("id_token"), Alg::EcdhEs, Enc::A128CbcHs256);
    kit.fetch.answers(URL, 503, String::new());
    kit.clock.advance(minutes(20));
    let again = kit.refresh("published", tokens.member("refresh_token")).expect_status(200);
    let _ = client.opened(&kit, again.member("id_token"), Alg::EcdhEs, Enc::A128CbcHs256);
}

/// DISC-04
#[test]
fn discovery_lists_what_can_be_encrypted() {
    let kit = TestProvider::new();
    let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
    for response in ["id_token", "userinfo", "introspection"] {
        let algs: Vec<&str> = Alg::ALL.iter().map(|alg| alg.name()).collect();
        let encs: Vec<&str> = Enc::ALL.iter().map(|enc| enc.name()).collect();
        assert_eq!(metadata.json()[format!("{response}_encryption_alg_values_supported")], json!(algs));
        assert_eq!(metadata.json()[format!("{response}_encryption_enc_values_supported")], json!(encs));
    }
    let all = metadata.text();
    assert!(!all.contains("RSA1_5") && !all.contains("PBES2"), "{all}");
}

/// AT-08: access tokens that only the resource server can read: signed, then encrypted for it.
#[test]
fn access_tokens_for_one_resource_server_alone() {
    let api = DecryptionKey::generate(EncryptionKeyType::P256).unwrap();
    let server: ResourceServer = serde_json::from_value(json!({
        "uri": "https://sealed-api.example", "scopes": ["read"], "format": "jwt", "introspected_by": ["api"],
        "encryption": {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "key": api.public_jwk().to_json()},
    }))
    .unwrap();
    let client = json!({
        "client_id": "c", "client_secret": SECRET, "redirect_uris": ["https://c.example/cb"],
        "id_token_signed_response_alg": "ES256", "grant_types": ["authorization_code", "client_credentials"],
        "chancery": {"default_resource": "https://sealed-api.example"},
    });
    let kit = TestProvider::builder().resource_server(server).client(&client.to_string()).build();
    let of_client = kit.client_credentials_request("c").param("scope", "read").send().expect_status(200);
    let of_person = kit.tokens("alice", "c", "openid email read");
    for (tokens, subject) in [(&of_client, "c"), (&of_person, "alice")] {
        let token = tokens.member("access_token");
        let decrypted = CompactJwe::parse(token).unwrap().decrypt(&api, &random).unwrap();
        assert_eq!(decrypted.header().cty.as_deref(), Some("at+jwt"));
        assert_eq!(decrypted.header().kid.as_deref(), Some(api.kid()));
        let inside = String::from_utf8(decrypted.plaintext().to_vec()).unwrap();
        let jwt = kit.try_verify(&inside, "c").unwrap();
        assert_eq!((jwt.header.typ.as_deref(), &jwt.claims["sub"]), (Some("at+jwt"), &json!(subject)));
        assert_eq!(jwt.claims["aud"], "https://sealed-api.example");
        // As it is, it is nobody's token here; the resource server can ask about what is inside.
        assert_eq!(kit.introspect("api", token).json()["active"], false);
        assert_eq!(kit.introspect("api", &inside).json()["active"], true);
        assert_eq!(kit.userinfo(token).status, 401);
    }
    // UserInfo cannot be asked with it, so that the claims stand in the ID token (OIDC Core section 5.4).
    assert_eq!(kit.id_token(&of_person, "c").claims["email"], "alice@example.org");
}

/// RFC 6750 section 3.1: UserInfo knows no `invalid_client`. A token is not at fault if no answer can be made for its
/// client.
#[test]
fn userinfo_for_a_client_that_cannot_be_answered() {
    const URL: &str = "https://published.example/jwks";
    let encrypted = json!({"jwks_uri": URL, "userinfo_encrypted_response_alg": "ECDH-ES"});
    let ending = |more: Value| {
        let mut more = more;
        more["client_secret_expires_at"] = json!(TestProvider::new().now().secs() + 100);
        more
    };
    let rows = [
        (encrypted.clone(), None, "encryption_keys_unavailable"),
        (encrypted.clone(), Some(r#"{"keys":[]}"#), "encryption_key_missing"),
        (encrypted, Some(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#), "encryption_keys_unavailable"),
        (ending(json!({"userinfo_signed_response_alg": "HS256"})), None, "client_secret_ended"),
        (ending(json!({"userinfo_encrypted_response_alg": "A128KW"})), None, "client_secret_ended"),
    ];
    for (more, document, why) in rows {
        let kit = TestProvider::new();
        kit.put_client(&Decrypting::with_secret("client").metadata(&more));
        if let Some(document) = document {
            kit.fetch.answers(URL, 200, document);
        }
        let tokens = kit.tokens("alice", "client", "openid");
        kit.clock.advance(seconds(100));
        let refused = kit.userinfo(tokens.member("access_token")).expect_status(400);
        chancery_testkit::check_refused_by_name(&refused, "invalid_request", why);
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer realm=\"https://id.example\", error=\"invalid_request\""));
    }
}

/// CLAIM-21: a key from a secret that has expired encrypts nothing, and the refusal uses nothing up.
#[test]
fn a_secret_that_has_expired() {
    let kit = TestProvider::new();
    let client = Decrypting::with_secret("expiring");
    let metadata = |more: Value| {
        let mut all = json!({
            "userinfo_encrypted_response_alg": "dir", "client_secret_expires_at": kit.now().secs() + 100,
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.metadata(&all)
    };
    kit.put_client(&metadata(json!({})));
    let tokens = kit.tokens("alice", "expiring", "openid");
    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    let _ = client.opened(&kit, userinfo.text(), Alg::Dir, Enc::A128CbcHs256);
    kit.clock.advance(seconds(100));
    assert_refused!(kit.userinfo(tokens.member("access_token")), "invalid_request", "client_secret_ended");
}

/// What only the client can read: neither another client nor somebody who has changed it.
#[test]
fn nobody_else_reads_it() {
    let kit = TestProvider::new();
    let client = Decrypting::with_key("reader", EncryptionKeyType::X25519);
    kit.put_client(&client.metadata(&json!({"id_token_encrypted_response_alg": "ECDH-ES"})));
    let tokens = kit.tokens("alice", "reader", "openid");
    let jwe = tokens.member("id_token");
    assert!(client.decrypt(jwe).is_ok());
    let other = Decrypting::with_key("other", EncryptionKeyType::X25519);
    assert_eq!(other.decrypt(jwe).err(), Some(Error::Decryption));
    let last = if jwe.ends_with('A') { "g" } else { "A" };
    let changed = format!("{}{last}", &jwe[..jwe.len() - 1]);
    assert!(client.decrypt(&changed).is_err());

    // It is no hint as it is: the client decrypts it first (OIDC Core section 3.1.2.1).
    let ua = kit.user_agent();
    let hint =
        |hint: &str| kit.authorization_request("reader").scope("openid").set("id_token_hint", hint).open(&ua);
    let _ = hint(jwe).expect_error("invalid_request");
    let inside = String::from_utf8(client.decrypt(jwe).unwrap().plaintext().to_vec()).unwrap();
    let _ = hint(&inside).expect_page("login");
}

/// A key with which everybody would agree upon the same secret (RFC 7748 section 6.1) is none: it cannot be
/// registered, and if it is published nothing is encrypted for it, which is no fault of ours.
#[test]
fn points_of_small_order_are_no_keys() {
    const URL: &str = "https://weak.example/jwks";
    let point = |first: u8, between: u8, last: u8| {
        let x = [&[first], &[between; 30][..], &[last]].concat();
        json!({"keys": [{"kty": "OKP", "crv": "X25519", "x": base64url::encode(x)}]})
    };
    let kit = TestProvider::new();
    let client = Decrypting::with_secret("weak");
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for keys in [
        point(0, 0, 0),
        point(1, 0, 0),
        point(0xec, 0xff, 0x7f),
        point(0xed, 0xff, 0x7f),
        point(0xee, 0xff, 0x7f),
        point(0, 0, 0x80),
    ] {
        let alg = "ECDH-ES+A128KW";
        let registered = json!({"jwks": keys, "id_token_encrypted_response_alg": alg});
        let complaints = kit.registry.put(&client.metadata(&registered)).unwrap_err();
        assert!(complaints.iter().any(|complaint| &*complaint.setting == "jwks"), "{complaints:?}");

        kit.fetch.answers(URL, 200, keys.to_string());
        let published = json!({"jwks_uri": URL, "id_token_encrypted_response_alg": alg});
        kit.put_client(&client.metadata(&published));
        ua.has_consented("alice", "weak", "openid");
        kit.clock.advance(minutes(2));
        let code = kit.authorization_request("weak").scope("openid").open(&ua).expect_code();
        assert_refused!(kit.exchange(&code), "invalid_client", "encryption_key_missing");
    }
}
