//! JWT Secured Authorization Response Mode for OAuth 2.0 (JARM): responses that are signed, and encrypted for clients
//! that want it so.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::event::Event;
use chancery_core::issue::authorization_response::NOTHING_SIGNS;
use chancery_core::issue::encrypted::ENCRYPTION_KEY_MISSING;
use chancery_core::issue::id_token::SECRET_ENDED;
use chancery_core::request::response::{
    RESPONSE_MODE_UNENCRYPTED, RESPONSE_MODE_UNREGISTERED, RESPONSE_MODE_UNSAFE, RESPONSE_MODE_UNSUPPORTED,
};
use chancery_core::rotation::KeyEnd;
use chancery_jose::{
    Compact, CompactJwe, DecryptionKey, EncryptionKeyType, JwtClaims, KeyManagementAlgorithm as Alg,
    SharedKey, SigningAlgorithm, SystemRandom,
};
use chancery_testkit::{
    Arrival, AuthorizationRequest, Code, TestProvider, TestProviderBuilder, UserAgent, VerifiedJwt,
    assert_refused, hours, minutes, seconds,
};
use serde_json::{Value, json};

/// A secret that is long enough for each HMAC.
const LONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const TYPES: [&str; 6] =
    ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

fn client(id: &str, more: &Value) -> String {
    let mut metadata = json!({
        "client_id": id, "client_secret": LONG, "redirect_uris": [format!("https://{id}.example/cb?a=1")],
        "id_token_signed_response_alg": "ES256", "authorization_signed_response_alg": "ES256",
        "response_types": ([&TYPES[..], &["none"]].concat()),
    });
    for (name, value) in more.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    metadata.to_string()
}

fn builder() -> TestProviderBuilder {
    TestProvider::builder()
        .configure(|config| {
            config.response_modes.jwt = true;
            config.compatibility.implicit = true;
            config.compatibility.hybrid = true;
        })
        .client(&client("bank", &json!({})))
}

fn kit() -> TestProvider {
    builder().build()
}

fn person<'k>(kit: &'k TestProvider, client: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, "openid");
    ua
}

fn request(kit: &TestProvider, client: &str, mode: &str) -> AuthorizationRequest {
    kit.authorization_request(client).scope("openid").set("nonce", "n").set("response_mode", mode)
}

/// What the client finds in its response (JARM section 2.4): the JWT alone, ours, for this client, still good.
#[track_caller]
fn verified(kit: &TestProvider, jwt: &str, client: &str) -> VerifiedJwt {
    let payload = Compact::parse(jwt).unwrap().unverified_payload().to_vec();
    assert!(JwtClaims::parse(&payload).is_ok(), "no claim is there twice");
    let jwt = kit.try_verify(jwt, client).unwrap();
    assert_eq!((&jwt.claims["iss"], &jwt.claims["aud"]), (&json!(kit.issuer().as_str()), &json!(client)));
    assert_eq!(jwt.claims["exp"], kit.now().secs() + 120, "JARM section 2.1: 10 minutes at most");
    assert_eq!(jwt.names[..3], ["iss", "aud", "exp"]);
    jwt
}

#[track_caller]
fn opened(kit: &TestProvider, arrival: &Arrival, client: &str) -> VerifiedJwt {
    assert!(arrival.names().iter().all(|name| ["a", "response"].contains(name)), "{arrival:?}");
    verified(kit, arrival.value("response").unwrap(), client)
}

fn code(request: &AuthorizationRequest, jwt: &VerifiedJwt) -> Code {
    Code {
        code: jwt.claims["code"].as_str().unwrap().to_owned(),
        client: request.value("client_id").unwrap().to_owned(),
        redirect_uri: request.value("redirect_uri").map(str::to_owned),
        verifier: request.verifier().map(str::to_owned),
    }
}

/// What the response was sent in.
fn decrypted(jwe: &str, key: Option<&DecryptionKey>) -> String {
    let jwe = CompactJwe::parse(jwe).unwrap();
    let random = |buffer: &mut [u8]| SystemRandom.fill(buffer);
    let opened = match key {
        Some(key) => jwe.decrypt(key, &random),
        None => {
            let (alg, enc) = (jwe.header().alg, jwe.header().enc);
            let key = SharedKey::from_client_secret(alg, enc, LONG.as_bytes()).unwrap();
            jwe.decrypt_with_shared(&key, &random)
        }
    };
    String::from_utf8(opened.unwrap().plaintext().to_vec()).unwrap()
}

/// JARM-01, JARM-02, JARM-03, JARM-08, RMODE-04: every response type in every mode: where the JWT stands, what is in
/// it, and that nothing stands beside it; and which modes must not carry tokens.
#[test]
fn every_response_type_in_every_mode() {
    let encrypted = json!({"authorization_encrypted_response_alg": "dir"});
    let kit = builder().client(&client("sealed", &encrypted)).build();
    for client in ["bank", "sealed"] {
        let ua = person(&kit, client);
        for response_type in TYPES {
            let by_default = if response_type == "code" { "query" } else { "fragment" };
            for (mode, carried) in [
                ("jwt", by_default),
                ("query.jwt", "query"),
                ("fragment.jwt", "fragment"),
                ("form_post.jwt", "form_post"),
            ] {
                let request = request(&kit, client, mode).set("response_type", response_type);
                let tab = request.open(&ua);
                let arrival = tab.expect_arrival();
                let is_readable = client == "bank" && mode == "query.jwt" && response_type != "code";
                if is_readable {
                    assert_eq!(arrival.mode, "fragment");
                    let _ = tab.expect_error("invalid_request");
                    assert_refused!(tab, RESPONSE_MODE_UNENCRYPTED);
                    continue;
                }
                assert_eq!(arrival.mode, carried, "{response_type} {mode}");
                let names = if carried == "query" { vec!["a", "response"] } else { vec!["response"] };
                assert_eq!(arrival.names(), names, "{response_type} {mode}");
                let jwt = match client {
                    "bank" => arrival.value("response").unwrap().to_owned(),
                    _ => decrypted(arrival.value("response").unwrap(), None),
                };
                let jwt = verified(&kit, &jwt, client);
                let has = |part| response_type.split(' ').any(|word| word == part);
                let mut names = vec!["iss", "aud", "exp"];
                names.extend(has("code").then_some("code"));
                if has("token") {
                    names.extend(["access_token", "token_type", "expires_in", "scope"]);
                    assert_eq!(jwt.claims["expires_in"], 3600, "JARM section 2.1: a number");
                    let userinfo = kit.userinfo(jwt.claims["access_token"].as_str().unwrap());
                    assert_eq!(userinfo.expect_status(200)["sub"], "alice");
                }
                names.extend(has("id_token").then_some("id_token"));
                names.push("state");
                assert_eq!(jwt.names, names, "{response_type} {mode}");
                assert_eq!(jwt.claims["state"], "a state of the client");
                if has("code") {
                    assert_eq!(kit.exchange(&code(&request, &jwt)).status, 200);
                }
            }
        }
    }
}

/// JARM-03, JARM-07: what is refused is told in a JWT of the same mode, wherever it is refused; and what is allowed
/// without giving anything, too.
#[test]
fn errors_are_inside() {
    let kit = kit();
    let ua = kit.user_agent();
    for (mode, carried) in [("jwt", "query"), ("fragment.jwt", "fragment"), ("form_post.jwt", "form_post")] {
        let asked = |name: &str, value: &str| request(&kit, "bank", mode).set(name, value);
        for (request, error) in [
            (asked("prompt", "none"), "login_required"),
            (asked("prompt", "nonsense"), "invalid_request"),
            (asked("code_challenge", "short"), "invalid_request"),
            (asked("max_age", "x"), "invalid_request"),
        ] {
            let tab = request.open(&ua);
            let arrival = tab.expect_arrival();
            assert_eq!((arrival.mode, tab.answer().status.is_success()), (carried, carried == "form_post"));
            let jwt = opened(&kit, &arrival, "bank");
            assert_eq!(jwt.claims["error"], error, "{:?}", jwt.claims);
            assert_eq!(jwt.claims["state"], "a state of the client");
            assert!(jwt.claims["code"].is_null());
        }
    }
    let consent =
        request(&kit, "bank", "jwt").open(&ua).expect_page("login").login("alice").expect_page("consent");
    let jwt = opened(&kit, &consent.deny().expect_arrival(), "bank");
    assert_eq!(jwt.names, ["iss", "aud", "exp", "error", "error_description", "state"]);
    assert_eq!(jwt.claims["error"], "access_denied");
    let none = request(&kit, "bank", "jwt").set("response_type", "none").without("state");
    let allowed = none.open(&ua).expect_page("consent").allow();
    assert_eq!(opened(&kit, &allowed.expect_arrival(), "bank").names, ["iss", "aud", "exp"]);
}

/// JARM-04, META-21: RS256 unless the client says otherwise; an HMAC has the client's secret as its key, and no `kid`.
#[test]
fn the_algorithm_is_the_clients() {
    let kit = kit();
    for (alg, more) in [
        ("RS256", json!({"authorization_signed_response_alg": null})),
        ("RS256", json!({"authorization_signed_response_alg": "RS256"})),
        ("ES256", json!({"authorization_signed_response_alg": "ES256"})),
        ("HS256", json!({"authorization_signed_response_alg": "HS256"})),
        ("HS384", json!({"authorization_signed_response_alg": "HS384"})),
        ("HS512", json!({"authorization_signed_response_alg": "HS512"})),
    ] {
        let mut metadata: Value = serde_json::from_str(&client("bank", &more)).unwrap();
        if metadata["authorization_signed_response_alg"].is_null() {
            metadata.as_object_mut().unwrap().remove("authorization_signed_response_alg");
        }
        kit.put_client(&metadata.to_string());
        let ua = person(&kit, "bank");
        let jwt = opened(&kit, &request(&kit, "bank", "jwt").open(&ua).expect_arrival(), "bank");
        let header = jwt.header;
        assert_eq!((header.alg.name(), header.kid.is_some()), (alg, !alg.starts_with("HS")));
        assert!(jwt.claims["code"].is_string());
    }
}

/// JARM-05: signed, then encrypted: for a key of the client, or with one that is derived from its secret.
#[test]
fn a_response_is_encrypted() {
    let kit = kit();
    let keys: Vec<_> = EncryptionKeyType::ALL
        .into_iter()
        .map(|of| (of.algorithms().next().unwrap(), Some(DecryptionKey::generate(of).unwrap())))
        .chain([(Alg::Dir, None), (Alg::A256Kw, None)])
        .collect();
    for (alg, key) in keys {
        let mut more = json!({"authorization_encrypted_response_alg": alg});
        let mut enc = "A128CBC-HS256";
        if let Some(key) = &key {
            let public: Value = serde_json::from_str(&key.public_jwk().to_json()).unwrap();
            more["jwks"] = json!({"keys": [public]});
            enc = "A256GCM";
            more["authorization_encrypted_response_enc"] = json!(enc);
        }
        kit.put_client(&client("bank", &more));
        let ua = person(&kit, "bank");
        let silent = request(&kit, "bank", "jwt").set("prompt", "none");
        for (tab, name) in [(silent.open(&ua), "code"), (silent.open(&kit.user_agent()), "error")] {
            let arrival = tab.expect_arrival();
            assert_eq!(arrival.names(), ["a", "response"]);
            let jwe = arrival.value("response").unwrap();
            let header: Value = serde_json::from_slice(
                &chancery_jose::base64url::decode(jwe.split('.').next().unwrap()).unwrap(),
            )
            .unwrap();
            assert_eq!((&header["cty"], &header["enc"]), (&json!("JWT"), &json!(enc)));
            assert_eq!((&header["iss"], &header["aud"]), (&json!(kit.issuer().as_str()), &json!("bank")));
            let jwt = verified(&kit, &decrypted(jwe, key.as_ref()), "bank");
            assert!(jwt.claims[name].is_string(), "{alg} {:?}", jwt.claims);
        }
    }
}

/// JARM section 2.1: parameters of extensions are inside as well; the redirect URI keeps its own query, but never a
/// second `response`.
#[test]
fn parameters_of_others() {
    let uri = "https://bank.example/cb?x=%20&response=old&state=s";
    let kit = builder().configure(|config| config.session.management = true).build();
    kit.put_client(&client("bank", &json!({"redirect_uris": [uri]})));
    let ua = person(&kit, "bank");
    let tab = request(&kit, "bank", "jwt").open(&ua);
    let arrival = tab.expect_arrival();
    assert_eq!(arrival.names(), ["x", "state", "response"]);
    let jwt = verified(&kit, arrival.value("response").unwrap(), "bank");
    assert_eq!(jwt.names, ["iss", "aud", "exp", "code", "state", "session_state"]);
    assert_eq!(jwt.claims["state"], "a state of the client");
}

/// JARM-01: a message with a JWT, where both settings are on and the client is registered for it.
#[test]
fn a_message_can_be_a_jwt() {
    let modes = json!({"response_modes": ["web_message.jwt"]});
    let build = |is_on: bool| {
        let builder = builder().configure(move |config| config.response_modes.web_message = is_on);
        builder.client(&client("spa", &json!({}))).build()
    };
    let kit = build(true);
    let ua = person(&kit, "spa");
    let tab = request(&kit, "spa", "web_message.jwt").open(&ua);
    let _ = tab.expect_error("invalid_request");
    assert_refused!(tab, RESPONSE_MODE_UNREGISTERED);
    kit.put_client(&client("spa", &modes));
    let ua = person(&kit, "spa");
    let arrival = request(&kit, "spa", "web_message.jwt").open(&ua).expect_arrival();
    assert_eq!((arrival.mode, &*arrival.uri), ("web_message", "https://spa.example"));
    assert!(opened(&kit, &arrival, "spa").claims["code"].is_string());

    let kit = build(false);
    let ua = person(&kit, "spa");
    let tab = request(&kit, "spa", "web_message.jwt").open(&ua);
    assert_refused!(tab, RESPONSE_MODE_UNSUPPORTED);
}

/// RMODE-05, META-11: what a client gets that is registered for certain modes. If that is JWTs alone, they are its
/// default as well, also for what it is refused.
#[test]
fn a_clients_own_modes_and_its_default() {
    let kit = kit();
    // The registered modes, the mode that is asked for, what carries the response, whether as a JWT, and the refusal.
    for (modes, asked, carried, is_jwt, refusal) in [
        (json!(["jwt"]), "jwt", "query", true, None),
        (json!(["jwt"]), "query.jwt", "query", true, None),
        (json!(["jwt"]), "", "query", true, None),
        (json!(["query.jwt"]), "jwt", "query", true, None),
        (json!(["form_post.jwt"]), "", "form_post", true, None),
        (json!(["web_message.jwt", "fragment.jwt"]), "", "fragment", true, None),
        (json!(["query", "jwt"]), "", "query", false, None),
        (json!(["jwt"]), "query", "query", true, Some(&RESPONSE_MODE_UNREGISTERED)),
        (json!(["jwt"]), "fragment", "query", true, Some(&RESPONSE_MODE_UNREGISTERED)),
        (json!(["jwt"]), "fragment.jwt", "query", true, Some(&RESPONSE_MODE_UNREGISTERED)),
        (json!(["jwt"]), "nonsense", "query", true, Some(&RESPONSE_MODE_UNSUPPORTED)),
        (json!(["form_post.jwt"]), "jwt", "form_post", true, Some(&RESPONSE_MODE_UNREGISTERED)),
        (json!(["query"]), "jwt", "query", false, Some(&RESPONSE_MODE_UNREGISTERED)),
        (json!(["form_post"]), "form_post.jwt", "query", false, Some(&RESPONSE_MODE_UNREGISTERED)),
    ] {
        let is_message = modes.to_string().contains("web_message");
        let kit = if is_message {
            builder().configure(|config| config.response_modes.web_message = true).build()
        } else {
            builder().keys_of(&kit).build()
        };
        kit.put_client(&client("bank", &json!({"response_modes": modes})));
        let ua = person(&kit, "bank");
        let tab = request(&kit, "bank", asked).open(&ua);
        let arrival = tab.expect_arrival();
        assert_eq!(arrival.mode, carried, "{modes} {asked}");
        let error = match is_jwt {
            true => opened(&kit, &arrival, "bank").claims["error"].as_str().map(str::to_owned),
            false => arrival.value("error").map(str::to_owned),
        };
        assert_eq!(error.as_deref(), refusal.map(|why| why.code.as_str()), "{modes} {asked}");
        assert_eq!(refusals(tab.events()), refusal.iter().map(|why| why.name).collect::<Vec<_>>());
    }
}

/// JARM section 4, RMODE-02, META-21: off by default, and then missing everywhere: an algorithm is left out of the
/// registration, and encryption, which would be missed, is refused.
#[test]
fn it_is_off_by_default() {
    const ALGORITHMS: &str = "authorization_signing_alg_values_supported";
    let members = [
        ALGORITHMS,
        "authorization_encryption_alg_values_supported",
        "authorization_encryption_enc_values_supported",
    ];
    let metadata = |kit: &TestProvider| kit.get("/.well-known/openid-configuration").expect_status(200);
    let open = |is_on| {
        let open = move |config: &mut chancery_core::config::Config| {
            config.response_modes.jwt = is_on;
            config.registration.access = RegistrationAccess::Open;
            config.registration.network_quota = 0;
        };
        TestProvider::builder().configure(open).build()
    };
    let (on, off) = (open(true), open(false));
    let found = metadata(&on);
    assert_eq!(
        found["response_modes_supported"],
        json!(["query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"])
    );
    assert_eq!(found[ALGORITHMS], json!(["RS256", "ES256", "HS256", "HS384", "HS512"]));
    assert!(members.iter().all(|name| found[*name].as_array().is_some_and(|values| !values.is_empty())));
    let found = metadata(&off);
    assert!(members.iter().all(|name| found[*name].is_null()));
    assert_eq!(found["response_modes_supported"], json!(["query", "fragment", "form_post"]));
    for mode in ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message.jwt"] {
        let ua = person(&off, "web");
        let _ = request(&off, "web", mode).open(&ua).expect_error("unsupported_response_mode");
    }

    let name = "authorization_signed_response_alg";
    for (more, is_on, is_off) in [
        (json!({name: "ES256"}), Ok(json!("ES256")), Ok(Value::Null)),
        (
            json!({"authorization_signing_alg_values_supported": ["XS1", "ES256"]}),
            Ok(json!("ES256")),
            Ok(Value::Null),
        ),
        (json!({}), Ok(Value::Null), Ok(Value::Null)),
        (json!({name: "none"}), Err(()), Err(())),
        (json!({name: "PS512"}), Err(()), Err(())),
        (json!({"authorization_encrypted_response_enc": "A128GCM"}), Err(()), Err(())),
        (json!({"authorization_encrypted_response_alg": "nonsense"}), Err(()), Err(())),
        (json!({"authorization_encrypted_response_alg": "ECDH-ES"}), Err(()), Err(())),
        (
            json!({"authorization_encrypted_response_alg": "dir", "token_endpoint_auth_method": "none"}),
            Err(()),
            Err(()),
        ),
        (json!({name: "HS256", "token_endpoint_auth_method": "none"}), Err(()), Ok(Value::Null)),
        (json!({"authorization_encrypted_response_alg": "dir"}), Ok(Value::Null), Err(())),
        (json!({"response_modes": ["jwt"]}), Ok(Value::Null), Err(())),
    ] {
        for (kit, expected) in [(&on, &is_on), (&off, &is_off)] {
            let mut sent = json!({"redirect_uris": ["https://rp.example/cb"]});
            sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let answer = kit.register(&sent);
            match expected {
                Ok(value) => {
                    assert_eq!(answer.expect_status(201)[name], *value, "{sent}");
                }
                Err(()) => {
                    let refused = answer.expect_status(400);
                    assert_eq!(refused["error"], "invalid_client_metadata", "{sent}");
                }
            }
        }
    }
}

/// JARM-06: for what cannot be signed or encrypted at the moment its client hears why, in plain text, and nothing else
/// leaves the server: neither code nor token, nor what the error would have been.
#[test]
fn without_a_key_nothing_leaks() {
    const JWKS: &str = "https://bank.example/jwks";
    let key = DecryptionKey::generate(EncryptionKeyType::P256).unwrap();
    let jwks = format!(r#"{{"keys":[{}]}}"#, key.public_jwk().to_json());
    let published = json!({"jwks_uri": JWKS, "authorization_encrypted_response_alg": "ECDH-ES"});
    let hmac = json!({"authorization_signed_response_alg": "HS256"});
    let derived = json!({"authorization_encrypted_response_alg": "dir"});
    let unavailable = "encryption_keys_unavailable";
    for (more, document, why) in [
        (&hmac, "", SECRET_ENDED.name),
        (&derived, "", SECRET_ENDED.name),
        (&published, "", unavailable),
        (&published, "nonsense", unavailable),
        (&published, r#"{"keys":[]}"#, ENCRYPTION_KEY_MISSING.name),
        (&json!({}), "", NOTHING_SIGNS.name),
    ] {
        let kit = builder().own_keys(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256]).build();
        let mut more = more.clone();
        more["id_token_signed_response_alg"] = json!("RS256");
        more["client_secret_expires_at"] = json!(kit.now().secs() + 100);
        kit.put_client(&client("bank", &more));
        let status = if document.is_empty() { 503 } else { 200 };
        kit.fetch.answers(JWKS, status, document);
        let ua = person(&kit, "bank");
        if why == SECRET_ENDED.name {
            kit.clock.advance(seconds(100));
        }
        if why == NOTHING_SIGNS.name {
            end_es256(&kit);
        }
        for response_type in TYPES {
            for (mode, ua) in [("jwt", &ua), ("form_post.jwt", &ua), ("jwt", &kit.user_agent())] {
                let request = request(&kit, "bank", mode).set("response_type", response_type);
                let tab = request.set("prompt", "none").open(ua);
                let arrival = tab.expect_arrival();
                let names: Vec<&str> = arrival.names().into_iter().filter(|name| *name != "a").collect();
                assert_eq!(names, ["error", "error_description", "state", "iss"], "{why}");
                assert_eq!(refusals(tab.events()).last(), Some(&why), "{:?}", tab.events());
                let words = arrival.value("error_description").unwrap();
                assert!(!words.contains("authentication"), "nobody has authenticated: {words}");
                let is_over = why == NOTHING_SIGNS.name;
                let _ =
                    tab.expect_error(if is_over { "temporarily_unavailable" } else { "unauthorized_client" });
            }
        }
        // What has a key again is sent as it should be.
        if why == unavailable {
            kit.fetch.answers(JWKS, 200, jwks.clone());
            kit.clock.advance(hours(1));
            let arrival = request(&kit, "bank", "jwt").set("prompt", "none").open(&ua).expect_arrival();
            let jwt = decrypted(arrival.value("response").unwrap(), Some(&key));
            assert!(verified(&kit, &jwt, "bank").claims["code"].is_string());
        }
    }
}

/// JARM-06: a key can end while the person reads a page. Then nothing is made either, whoever says yes.
#[test]
fn a_key_that_ends_behind_a_page() {
    let kit = builder().own_keys(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256]).build();
    kit.put_client(&client("bank", &json!({"id_token_signed_response_alg": "RS256"})));
    let ua = kit.user_agent();
    let login = request(&kit, "bank", "jwt").open(&ua).expect_page("login");
    let consent = login.login("alice").expect_page("consent");
    end_es256(&kit);
    let tab = consent.allow();
    let arrival = tab.expect_error("temporarily_unavailable");
    assert_eq!(arrival.names(), ["a", "error", "error_description", "state", "iss"]);
    assert_eq!(tab.event_names(), ["refused"], "no grant was made");
}

/// The names of the reasons for which something was refused.
fn refusals(events: &[Event]) -> Vec<&'static str> {
    let reason = |event: &Event| match event {
        Event::Refused { reason, .. } => Some(reason.name),
        _ => None,
    };
    events.iter().filter_map(reason).collect()
}

/// The one key for ES256 signs no more.
fn end_es256(kit: &TestProvider) {
    let silent = request(kit, "bank", "jwt").set("prompt", "none");
    let arrival = silent.open(&kit.user_agent()).expect_arrival();
    let response = Compact::parse(arrival.value("response").unwrap()).unwrap();
    let kid = response.header().kid.clone().unwrap();
    kit.keys.end(&kid, KeyEnd::new(kit.now() + seconds(5), minutes(5)));
    kit.clock.advance(seconds(10));
}

/// RFC 8725 section 3.12: a response is nothing else: no hint about a login, no access token, no assertion, no request
/// object. And a mode is one word that is known.
#[test]
fn what_a_response_is_not() {
    let kit = kit();
    let ua = person(&kit, "bank");
    let arrival = request(&kit, "bank", "jwt").open(&ua).expect_arrival();
    let response = arrival.value("response").unwrap();
    let hinted = request(&kit, "bank", "jwt").set("id_token_hint", response).open(&ua).expect_arrival();
    assert_eq!(opened(&kit, &hinted, "bank").claims["error"], "invalid_request");
    let object = request(&kit, "bank", "jwt").set("request", response).open(&ua).expect_arrival();
    assert_eq!(opened(&kit, &object, "bank").claims["error"], "invalid_request_object");
    assert_eq!(kit.userinfo(response).status, 401);
    for (mode, error) in [
        ("jwt ", "unsupported_response_mode"),
        ("JWT", "unsupported_response_mode"),
        ("query.JWT", "unsupported_response_mode"),
        (".jwt", "unsupported_response_mode"),
        ("jwt.jwt", "unsupported_response_mode"),
        ("query.jwt.jwt", "unsupported_response_mode"),
        ("query jwt", "unsupported_response_mode"),
        ("web_message.jwt", "unsupported_response_mode"),
    ] {
        let arrival = request(&kit, "bank", mode).open(&ua).expect_error(error);
        assert_eq!(arrival.mode, "query", "{mode}");
    }
    let twice = request(&kit, "bank", "jwt").param("response_mode", "query").open(&ua);
    assert_eq!(twice.expect_error("invalid_request").mode, "query");
    let plain = request(&kit, "bank", "query").set("response_type", "code id_token").open(&ua);
    assert_refused!(plain, RESPONSE_MODE_UNSAFE);
}
