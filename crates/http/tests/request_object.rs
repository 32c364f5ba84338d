//! RFC 9101, JWT-Secured Authorization Request (JAR), and OIDC Core section 6: request objects by value.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use chancery_core::config::Config;
use chancery_jose::SigningAlgorithm::{self, Es256, Es384, Hs256, Hs512, Rs256};
use chancery_jose::{base64url, unsecured};
use chancery_testkit::{
    AuthorizationRequest, ClientKey, Hostile, NegativeTable, Refused, TestProvider, check_refused_by_name,
    minutes, seconds,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";

/// A secret that is long enough for every HMAC.
const LONG: &str = "a-secret-of-sixty-four-characters-or-more-is-long-enough-for-hs512";

/// Metadata of a client that has this key, and what else is said.
fn client(id: &str, key: &ClientKey, more: Value) -> String {
    let mut metadata = json!({"client_id": id, "client_secret": LONG, "jwks": key.jwks(),
        "id_token_signed_response_alg": "ES256", "chancery": {"consent": "implied"},
        "redirect_uris": ["https://app.example/cb", "https://app.example/other"]});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

/// A provider with the client `app`, and the client's key.
fn with_app(change: impl FnOnce(&mut Config), more: Value) -> (TestProvider, ClientKey) {
    let (kit, key) = (TestProvider::builder().configure(change).build(), ClientKey::generate(Es256));
    kit.put_client(&client("app", &key, more));
    (kit, key)
}

/// What `app` asks for.
fn asked(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("app").scope("openid").set("nonce", "a nonce")
}

/// As a POST from a page of our own site, which is answered at once.
fn posted(request: AuthorizationRequest) -> http::Request<bytes::Bytes> {
    let mut request = request.to_http_post();
    request.headers_mut().insert("sec-fetch-site", http::HeaderValue::from_static("same-origin"));
    request
}

/// The claims of a request object that is good now.
fn claims(kit: &TestProvider, request: &AuthorizationRequest) -> Value {
    let mut claims = json!({"iss": request.value("client_id"), "aud": ISSUER, "exp": kit.now().secs() + 60});
    for name in ["client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge"] {
        claims[name] = request.value(name).into();
    }
    claims["code_challenge_method"] = "S256".into();
    claims
}

/// Those claims with these in their place; null leaves one out.
fn changed(claims: &Value, changes: &Value) -> Value {
    let mut changed = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        changed[name] = value.clone();
    }
    changed.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    changed
}

/// JAR-01, JAR-02, JAR-03, JAR-09, JAR-10, META-22: by every algorithm, with `client_id` alone beside it.
#[test]
fn a_client_signs_its_request() {
    let kit = TestProvider::new();
    let signed = SigningAlgorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric());
    let keys = signed.map(|alg| (alg, ClientKey::generate(alg)));
    let shared = [Hs256, Hs512].map(|alg| (alg, ClientKey::of_secret(alg, LONG)));
    for (alg, key) in keys.chain(shared) {
        let own = if alg.is_symmetric() { ClientKey::generate(Es256).jwks() } else { key.jwks() };
        let id = format!("app-{alg}");
        let more = json!({"request_object_signing_alg": alg.name(), "jwks": own});
        kit.put_client(&client(&id, &ClientKey::generate(Es256), more));
        let request = kit.authorization_request(&id).scope("openid").set("nonce", "n");
        let object = key.request_object(&request.encode(), ISSUER, kit.now());
        let code = request.by_value(&object).open(&kit.user_agent()).login("alice").expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        assert_eq!(kit.id_token(&tokens, &id).claims["nonce"], "n", "{alg}");
    }
}

/// JAR-03, JAR-22: what stands outside counts for nothing, neither beside another value nor alone.
#[test]
fn only_the_object_counts() {
    let (kit, key) = with_app(|_| {}, json!({}));
    let request = asked(&kit);
    let object = key.sign(&json!({}), &changed(&claims(&kit, &request), &json!({"state": null})));
    let mixed = request.clone().set("request", &object).set("redirect_uri", "https://app.example/other");
    let mixed = mixed.set("nonce", "another").set("state", "outside").set("prompt", "none");
    let arrival = mixed.open(&kit.user_agent()).login("alice").expect_arrival();
    assert_eq!(arrival.uri, "https://app.example/cb");
    assert_eq!(arrival.names(), ["code", "iss"], "no state");
}

/// JAR-07: the JSON of a parameter.
#[test]
fn values_of_json_are_parameters() {
    let (kit, key) = with_app(|_| {}, json!({}));
    let request = asked(&kit);
    let ua = kit.user_agent();
    let open = |changes: Value| {
        let object = key.sign(&json!({}), &changed(&claims(&kit, &request), &changes));
        request.clone().by_value(&object).open(&ua)
    };
    let _ = open(json!({})).login("alice").expect_code();
    kit.clock.advance(minutes(10));
    for good in [
        json!({"max_age": 3600}),
        json!({"max_age": "3600"}),
        json!({"claims": {"id_token": {"auth_time": {"essential": true}}}}),
        json!({"claims": r#"{"id_token":{"auth_time":null}}"#}),
        json!({"unknown": [1, {"a": null}]}),
        json!({"login_hint": ""}),
        json!({"aud": ["https://elsewhere.example", ISSUER]}),
        json!({"exp": null}),
        json!({"iat": kit.now().secs() + 3600}),
        json!({"nbf": kit.now().secs() + 8}),
        json!({"sub": "somebody", "jti": "1"}),
    ] {
        let tab = open(good.clone());
        assert!(tab.expect_arrival().value("code").is_some(), "{good}");
    }
    let _ = open(json!({"max_age": 60})).expect_page("login");
    for bad in [
        json!({"nonce": 7}),
        json!({"state": ["a", "b"]}),
        json!({"scope": {"openid": true}}),
        json!({"login_hint": "a\u{0}b"}),
        json!({"prompt": false, "display": [1]}),
    ] {
        let object = key.sign(&json!({}), &changed(&claims(&kit, &request), &bad));
        let arrival =
            request.clone().set("request", &object).open(&ua).expect_error("invalid_request_object");
        assert!(arrival.uri.starts_with("https://app.example/"), "{bad}");
    }
}

/// JAR-04: once the object is verified, its parameters say where and how an error goes.
#[test]
fn errors_go_where_the_object_says() {
    let (kit, key) = with_app(|_| {}, json!({}));
    let changes = json!({"response_mode": "fragment", "state": "inside", "prompt": "none login"});
    let request = asked(&kit);
    let object = key.sign(&json!({}), &changed(&claims(&kit, &request), &changes));
    let arrival = request.by_value(&object).open(&kit.user_agent()).expect_arrival();
    assert_eq!((arrival.mode, arrival.value("state")), ("fragment", Some("inside")));
    assert_eq!(arrival.value("error"), Some("invalid_request"));
}

/// AUTHZ-44, META-23, JAR-23: for one client, or for all.
#[test]
fn a_signature_can_be_demanded() {
    let demanded = json!({"require_signed_request_object": true});
    for (kit, key) in
        [with_app(|_| {}, demanded), with_app(|to| to.request_objects.required = true, json!({}))]
    {
        let (ua, request) = (kit.user_agent(), asked(&kit));
        let _ = request.open(&ua).expect_error("invalid_request");
        let object = key.request_object(&request.encode(), ISSUER, kit.now());
        // The object has expired when the person comes back; it was good when the request was first seen.
        let tab = request.by_value(&object).open(&ua);
        kit.clock.advance(minutes(5));
        let tab = tab.login_wrongly("alice").expect_page("login");
        let _ = tab.login("alice").expect_code();
    }
}

/// The form of a page carries what was signed; nothing in it can be changed on the way.
#[test]
fn what_was_signed_stays_so_on_every_page() {
    let demanded = json!({"require_signed_request_object": true, "chancery": {"consent": "ask"}});
    let (kit, key) = with_app(|_| {}, demanded);
    let (ua, request) = (kit.user_agent(), asked(&kit));
    let object = key.request_object(&request.encode(), ISSUER, kit.now());
    let tab = request.clone().by_value(&object).open(&ua);
    // Another request in the place of the signed one.
    let form = tab.form();
    let other = request.clone().scope("openid email").encode();
    let fields: Vec<(String, String)> = form
        .fields
        .iter()
        .map(|(name, value)| (name.clone(), if name == "request" { other.clone() } else { value.clone() }))
        .chain([("username".into(), "alice".into()), ("password".into(), "x".into())])
        .collect();
    let refused = tab.post(&form.action, &fields);
    let _ = refused.expect_error("invalid_request");
    check_refused_by_name(&refused, "invalid_request", "request_unsigned");
    // The signed one is asked for consent on a stored page, and answered.
    let consent = tab.login("alice").expect_page("consent");
    let _ = consent.reload().allow().expect_code();
}

/// OIDC Core section 6.1, JAR-05: with the setting, an OpenID request is put together from both.
#[test]
fn parameters_are_merged_by_a_setting_alone() {
    let (kit, key) = with_app(|to| to.compatibility.request_object_merging = true, json!({}));
    let request = asked(&kit);
    let inner = json!({"iss": "app", "aud": ISSUER, "nonce": "inside", "prompt": "login"});
    let object = key.sign(&json!({}), &inner);
    let mixed = request.clone().set("request", &object);
    let ua = kit.user_agent();
    let tab = mixed.open(&ua).login("alice");
    let code = tab.expect_code();
    assert_eq!(tab.expect_arrival().value("state"), request.value("state"));
    let tokens = kit.exchange(&code).expect_status(200);
    assert_eq!(kit.id_token(&tokens, "app").claims["nonce"], "inside");

    // Neither without `openid` outside, nor for a client that signs everything, nor by default.
    let refused = |kit: &TestProvider, request: AuthorizationRequest| {
        let ua = kit.user_agent();
        let tab = request.open(&ua);
        check_refused_by_name(&tab, "invalid_request_object", "request_object_client_wrong");
    };
    refused(&kit, mixed.clone().scope("profile"));
    kit.replace_client(&client("app", &key, json!({"require_signed_request_object": true})));
    refused(&kit, mixed.clone());
    let (kit, key) = with_app(|_| {}, json!({}));
    refused(&kit, asked(&kit).set("request", &key.sign(&json!({}), &inner)));
}

/// JAR-08: unsigned request objects need the setting; then a client that is registered for an algorithm still
/// signs.
#[test]
fn nothing_unsigned_without_the_setting() {
    fn by_default(_: &mut Config) {}
    fn allowed(to: &mut Config) {
        to.compatibility.unsigned_request_object = true;
    }
    fn allowed_and_signed(to: &mut Config) {
        allowed(to);
        to.request_objects.required = true;
    }
    let none = json!({"request_object_signing_alg": "none"});
    for more in [json!({}), none] {
        let (kit, _) = with_app(allowed, more);
        let request = asked(&kit);
        let inner = changed(&claims(&kit, &request), &json!({"iss": null, "aud": null, "exp": null}));
        let object = unsecured(inner.to_string().as_bytes());
        let _ = request.by_value(&object).open(&kit.user_agent()).login("alice").expect_code();
    }
    let refused = [
        (by_default as fn(&mut Config), json!({})),
        (allowed, json!({"request_object_signing_alg": "ES256"})),
        (allowed, json!({"require_signed_request_object": true})),
        (allowed_and_signed, json!({})),
    ];
    for (change, more) in refused {
        let (kit, _) = with_app(change, more.clone());
        let request = asked(&kit);
        let object = unsecured(claims(&kit, &request).to_string().as_bytes());
        let ua = kit.user_agent();
        let tab = request.set("request", &object).open(&ua);
        let _ = tab.expect_error("invalid_request_object");
        check_refused_by_name(&tab, "invalid_request_object", "request_object_algorithm_wrong");
    }
}

/// JAR-08: an algorithm that is not offered, of a client that has a key for it.
#[test]
fn only_what_is_offered_is_taken() {
    for (offered, is_taken) in [(Es256, true), (Es384, false)] {
        let (kit, key) = with_app(|to| to.request_objects.algorithms = vec![offered], json!({}));
        let request = asked(&kit);
        let object = key.request_object(&request.encode(), ISSUER, kit.now());
        let ua = kit.user_agent();
        let tab = request.set("request", &object).open(&ua);
        if is_taken {
            let _ = tab.expect_page("login");
        } else {
            check_refused_by_name(&tab, "invalid_request_object", "request_object_algorithm_wrong");
        }
    }
}

/// JAR-11: an HMAC with a secret that has expired.
#[test]
fn an_expired_secret_signs_nothing() {
    let (kit, _) = with_app(|_| {}, json!({"request_object_signing_alg": "HS256"}));
    let old = ClientKey::of_secret(Hs256, LONG);
    let new = ClientKey::of_secret(Hs256, &kit.replace_secret("app", kit.now() + minutes(5)));
    let arrives = |key: &ClientKey| {
        let request = asked(&kit);
        let object = key.request_object(&request.encode(), ISSUER, kit.now());
        request.set("request", &object).set("prompt", "none").open(&kit.user_agent()).answer().status == 200
    };
    assert!(arrives(&old) && arrives(&new), "while they overlap");
    kit.clock.advance(minutes(5));
    assert!(!arrives(&old) && arrives(&new));
}

/// A signature costs no trip to the store.
#[test]
fn as_many_trips_as_without() {
    let (kit, key) = with_app(|_| {}, json!({}));
    let ua = kit.user_agent();
    let request = asked(&kit);
    let object = key.request_object(&request.encode(), ISSUER, kit.now());
    let by_value = request.clone().by_value(&object);
    let page = |request: &AuthorizationRequest| kit.trips(|| request.open(&ua).expect_page("login"));
    assert_eq!(page(&by_value).1, page(&request).1);
    let (tab, _) = page(&by_value);
    let (_, signed) = kit.trips(|| tab.login("alice").expect_code());
    let code = |request: &AuthorizationRequest| kit.trips(|| request.open(&ua).expect_code()).1;
    assert_eq!(code(&by_value), code(&request));
    let plain = kit.user_agent();
    let tab = request.open(&plain);
    assert_eq!(kit.trips(|| tab.login("alice").expect_code()).1, signed);
}

/// DISC-03
#[test]
fn it_is_announced() {
    let metadata = |change: fn(&mut Config)| {
        let kit = TestProvider::builder().configure(change).build();
        kit.get("/.well-known/openid-configuration").json().clone()
    };
    let all: Vec<_> = SigningAlgorithm::ALL.iter().map(|alg| alg.name()).collect();
    let member = "request_object_signing_alg_values_supported";
    let by_default = metadata(|_| {});
    assert_eq!(
        (&by_default["request_parameter_supported"], &by_default[member]),
        (&json!(true), &json!(all))
    );
    assert_eq!(by_default["require_signed_request_object"], Value::Null);
    let strict = metadata(|to| {
        to.request_objects.algorithms = vec![Es256];
        to.request_objects.required = true;
    });
    assert_eq!(
        (&strict[member], &strict["require_signed_request_object"]),
        (&json!(["ES256"]), &json!(true))
    );
    let lax = metadata(|to| to.compatibility.unsigned_request_object = true);
    assert_eq!(lax[member].as_array().unwrap().last(), Some(&json!("none")));
    let off = metadata(|to| to.request_objects.by_value = false);
    assert_eq!(off["request_parameter_supported"], false);
}

/// 100,000 generated objects: none is taken, none breaks anything.
#[test]
fn generated_objects_are_refused() {
    let (kit, key) = with_app(|to| to.compatibility.unsigned_request_object = true, json!({}));
    let request = asked(&kit);
    let good = key.request_object(&request.encode(), ISSUER, kit.now());
    let parts: Vec<&str> = good.split('.').collect();
    let hostile = Hostile::new(9101);
    for round in 0..100_000_usize {
        let text = hostile.text(round % 60);
        let object = match round % 6 {
            0 => text,
            1 => format!("{}.{}.{}", parts[0], base64url::encode(&text), parts[2]),
            2 => format!("{}.{}.{}", base64url::encode(&text), parts[1], parts[2]),
            3 => format!("{}.{}.{}", parts[0], parts[1], base64url::encode(&text)),
            4 => good.get(..round % good.len()).unwrap_or_default().to_owned(),
            _ => {
                let claims = json!({"client_id": "other", "claims": text, "max_age": round, "request": text});
                unsecured(claims.to_string().as_bytes())
            }
        };
        if object.is_empty() {
            continue;
        }
        let answer = kit.send(posted(request.clone().set("request", &object)));
        let location = answer.header("location").unwrap_or_default();
        assert!(location.contains("error=invalid_request"), "{object}: {}", answer.status);
    }
}

/// JAR-02, JAR-05, JAR-06, JAR-08, JAR-09, JAR-10, JAR-12, JAR-13, JAR-16, JAR-24, AUTHZ-20,
/// RFC 8725 sections 3.1, 3.2, 3.9 and 3.11.
#[test]
fn what_is_refused() {
    let (kit, key) = with_app(|_| {}, json!({"request_object_signing_alg": "ES256"}));
    let big = ClientKey::generate(Rs256);
    kit.put_client(&client("any", &key, json!({})));
    kit.put_client(&client("other", &ClientKey::generate(Es256), json!({})));
    let now = kit.now().secs();
    let request = asked(&kit);
    let good = claims(&kit, &request);
    let signed = |changes: Value| key.sign(&json!({}), &changed(&good, &changes));
    let by = |object: &str| posted(request.clone().set("request", object));
    let object = Refused::Client("invalid_request_object");
    let parameter = Refused::Client("invalid_request");
    let compact = signed(json!({}));
    let (input, signature) = compact.rsplit_once('.').unwrap();
    let stranger = ClientKey::generate(Es256);
    let of_any = changed(&good, &json!({"iss": "any", "client_id": "any"}));
    let any = |object: &str| posted(request.clone().set("client_id", "any").set("request", object));
    let mut table = NegativeTable::new(&kit)
        .row("no JWT", by("x"), object)
        .row("without signature", by(&format!("{input}.")), object)
        .row("two parts", by(input), object)
        .row("five parts", by("e30.e30.e30.e30.e30"), object)
        .row("another signature", by(&format!("{input}.{}", base64url::encode([7; 64]))), object)
        .row(
            "other claims under it",
            by(&format!("{}.{signature}", {
                let header = input.split('.').next().unwrap();
                format!(
                    "{header}.{}",
                    base64url::encode(changed(&good, &json!({"scope": "openid email"})).to_string())
                )
            })),
            object,
        )
        .row("a stranger's key", by(&stranger.sign(&json!({}), &good)), object)
        .row("a kid of nobody", by(&key.sign(&json!({"kid": "x"}), &good)), object)
        .row("the key in its header", by(&stranger.sign(&json!({"jwk": stranger.public()}), &good)), object)
        .row("none", by(&unsecured(good.to_string().as_bytes())), object)
        .row(
            "another algorithm than registered",
            by(&ClientKey::generate(Es384).sign(&json!({}), &good)),
            object,
        )
        .row(
            "an HMAC with the public key",
            by(&ClientKey::of_secret(Hs256, &key.public().to_string()).sign(&json!({}), &good)),
            object,
        )
        .row(
            "an HMAC with a secret that is no key",
            any(&ClientKey::of_secret(Hs256, LONG).sign(&json!({}), &of_any)),
            object,
        )
        .row("RSA without an RSA key", any(&big.sign(&json!({}), &of_any)), object)
        .row(
            "RSA of 16,384 bits",
            any(&{
                let header = base64url::encode(r#"{"alg":"RS256"}"#);
                format!("{header}.{}.{}", base64url::encode(of_any.to_string()), base64url::encode([7; 2048]))
            }),
            object,
        )
        .row("compressed", by(&key.sign(&json!({"zip": "DEF", "crit": ["zip"]}), &good)), object)
        .row("critical", by(&key.sign(&json!({"crit": ["x"], "x": 1}), &good)), object)
        .row("an access token", by(&key.sign(&json!({"typ": "at+jwt"}), &good)), object)
        .row("a client assertion", by(&key.assertion("app", ISSUER, "1", kit.now())), object)
        .row("17 KiB", by(&signed(json!({"state": "x".repeat(17 * 1024)}))), object)
        .row("a long request inside", by(&signed(json!({"login_hint": "\u{fc}".repeat(3000)}))), parameter)
        .row("an array", by(&key.sign(&json!({}), &json!([1]))), object)
        .row(
            "both",
            posted(request.clone().set("request", &compact).set("request_uri", "https://app.example/r")),
            parameter,
        )
        .row("twice", posted(request.clone().set("request", &compact).param("request", &compact)), parameter)
        .row(
            "of another client",
            posted(request.clone().set("client_id", "other").set("request", &compact)),
            object,
        )
        .row(
            "nobody's",
            posted(request.clone().set("client_id", "nobody").set("request", &compact)),
            Refused::Page(400, "invalid_client"),
        )
        .row(
            "nobody named",
            posted(request.clone().without("client_id").set("request", &compact)),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "no redirect URI that can be trusted",
            posted(request.clone().by_value("x")),
            Refused::Page(400, "invalid_request_object"),
        )
        .row(
            "a foreign redirect URI inside",
            by(&signed(json!({"redirect_uri": "https://evil.example/"}))),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "only outside: redirect_uri",
            by(&signed(json!({"redirect_uri": null}))),
            Refused::Page(400, "invalid_request"),
        )
        .row("only outside: scope", by(&signed(json!({"scope": null}))), parameter)
        .row("only outside: code_challenge", by(&signed(json!({"code_challenge": null}))), parameter)
        .row("only outside: response_type", by(&signed(json!({"response_type": null}))), parameter);
    for changes in [
        json!({"client_id": "other"}),
        json!({"client_id": null}),
        json!({"client_id": ["app"]}),
        json!({"response_type": "id_token"}),
        json!({"request": "x"}),
        json!({"request": ""}),
        json!({"request_uri": "https://app.example/r"}),
        json!({"iss": null}),
        json!({"iss": "other"}),
        json!({"aud": null}),
        json!({"aud": []}),
        json!({"aud": "https://id.example/"}),
        json!({"aud": "https://id.example/authorize"}),
        json!({"exp": now - 10}),
        json!({"exp": "soon"}),
        json!({"exp": -1}),
        json!({"nbf": now + 11}),
        json!({"nbf": true}),
        json!({"iat": now + 11, "exp": null}),
        json!({"iat": "now"}),
        json!({"state": null, "nonce": {}}),
    ] {
        table = table.row(changes.to_string(), by(&signed(changes)), object);
    }
    table.run();

    let kit = TestProvider::builder().configure(|to| to.request_objects.by_value = false).build();
    let request = kit.authorization_request("web").scope("openid").set("request", "x");
    NegativeTable::new(&kit).row("off", request, Refused::Client("request_not_supported")).run();
}

/// The time of a request object has ten seconds on either side and no more.
#[test]
fn a_clock_may_be_a_little_off() {
    let (kit, key) = with_app(|_| {}, json!({}));
    let request = asked(&kit);
    let good = claims(&kit, &request);
    let object = key.sign(&json!({}), &good);
    let opens = || request.clone().set("request", &object).open(&kit.user_agent()).page().name == "login";
    kit.clock.advance(seconds(69));
    assert!(opens());
    kit.clock.advance(seconds(1));
    assert!(!opens());
}
