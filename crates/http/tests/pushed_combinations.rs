//! RFC 9126 beside other specifications: request objects (RFC 9101), response types and JARM, prompts, pages on another
//! origin, and profiles that demand the push.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use chancery_core::config::Config;
use chancery_core::offered::PkceOptional;
use chancery_core::profile::Profile;
use chancery_core::request::response::RESPONSE_MODE_UNREGISTERED;
use chancery_core::rule::pkce;
use chancery_jose::SigningAlgorithm::{self, Es256, Rs256};
use chancery_jose::{
    ContentEncryptionAlgorithm, EncryptionKeyType, JweWriter, JwkSet, KeyManagementAlgorithm, Recipient,
    SystemRandom, unsecured,
};
use chancery_testkit::{
    AuthorizationRequest, ClientKey, ClientRequest, NegativeTable, Refused, SECRET, Tab, TestProvider,
    UserAgent, assert_refused, check_refused_by_name, minutes, password_of, seconds,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";

fn provider(change: impl FnOnce(&mut Config)) -> TestProvider {
    let offered = |config: &mut Config| {
        config.pushed_requests.offered = true;
        config.dpop.offered = true;
        config.mtls.certificate_bound_access_tokens = true;
    };
    TestProvider::builder().own_keys(&[Rs256, Es256]).configure(offered).configure(change).build()
}

/// A provider with a client `app` that signs.
fn with_app(change: impl FnOnce(&mut Config), more: &Value) -> (TestProvider, ClientKey) {
    let (kit, key) = (provider(change), ClientKey::generate(Es256));
    let mut metadata = json!({"client_id": "app", "client_secret": SECRET, "jwks": key.jwks(),
        "redirect_uris": ["https://app.example/cb"], "id_token_signed_response_alg": "ES256"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    kit.put_client(&metadata.to_string());
    (kit, key)
}

fn asked(kit: &TestProvider, client: &str) -> AuthorizationRequest {
    kit.authorization_request(client).scope("openid").set("nonce", "a nonce")
}

/// A browser of somebody who has nothing to decide any more.
fn person<'k>(kit: &'k TestProvider, client: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, "openid");
    ua
}

/// The request is used up.
#[track_caller]
fn check_used(pushed: &AuthorizationRequest, ua: &UserAgent<'_>) {
    let tab = pushed.open(ua).expect_page("error");
    check_refused_by_name(&tab, "invalid_request_uri", "pushed_request_used");
}

/// PAR-01, JARM-01: every response type in every mode that it may have, and each is answered once.
#[test]
fn every_response_type_in_every_mode() {
    let types =
        ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token", "none"];
    let (kit, _) = with_app(
        |config| {
            config.response_modes.jwt = true;
            config.compatibility.implicit = true;
            config.compatibility.hybrid = true;
        },
        &json!({"response_types": types, "authorization_signed_response_alg": "ES256"}),
    );
    let ua = person(&kit, "app");
    for response_type in types {
        let has = |part| response_type.split(' ').any(|word| word == part);
        let is_front = has("token") || has("id_token");
        let by_default = if is_front { "fragment" } else { "query" };
        for (mode, carried) in [
            ("", by_default),
            ("form_post", "form_post"),
            ("jwt", by_default),
            ("fragment.jwt", "fragment"),
            ("form_post.jwt", "form_post"),
        ] {
            let request = asked(&kit, "app").set("response_type", response_type).set("response_mode", mode);
            let pushed = kit.push(&request);
            let arrival = pushed.open(&ua).expect_arrival();
            assert_eq!(arrival.mode, carried, "{response_type} {mode}");
            let told = match arrival.value("response") {
                Some(jwt) => kit.try_verify(jwt, "app").unwrap().claims,
                None => arrival.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect(),
            };
            assert_eq!(arrival.value("response").is_some(), mode.ends_with("jwt"), "{response_type} {mode}");
            assert_eq!(told["state"], "a state of the client");
            for (name, expected) in
                [("code", has("code")), ("id_token", has("id_token")), ("access_token", has("token"))]
            {
                assert_eq!(told[name].is_string(), expected, "{response_type} {mode}: {name}");
            }
            check_used(&pushed, &ua);
        }
    }
}

/// JARM-01, PAR-18: an error is in the JWT as well, and uses nothing up. A mode for which the client is not registered is
/// told to who pushes.
#[test]
fn errors_in_signed_responses() {
    let (kit, _) = with_app(
        |config| config.response_modes.jwt = true,
        &json!({
        "response_modes": ["query", "jwt"], "authorization_signed_response_alg": "ES256"}),
    );
    let silent = kit.push(&asked(&kit, "app").set("prompt", "none").set("response_mode", "jwt"));
    for _ in 0..2 {
        let arrival = silent.open(&kit.user_agent()).expect_arrival();
        assert_eq!(arrival.names(), ["response"]);
        let told = kit.try_verify(arrival.value("response").unwrap(), "app").unwrap().claims;
        assert_eq!(told["error"], "login_required");
    }
    let _ = silent.open(&person(&kit, "app")).expect_arrival();
    check_used(&silent, &kit.user_agent());
    let other = kit.push_request(&asked(&kit, "app").set("response_mode", "form_post.jwt")).send();
    assert_refused!(other.expect_status(400), RESPONSE_MODE_UNREGISTERED);
}

/// Says yes on the page of this prompt.
fn answer<'u, 'k>(tab: &Tab<'u, 'k>, prompt: &str) -> Tab<'u, 'k> {
    match prompt {
        "login" => tab.login("alice"),
        "consent" => tab.allow(),
        "login consent" => tab.login("alice").expect_page("consent").allow(),
        _ => tab.choose("alice"),
    }
}

/// PAR-17, `par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`: also where a page is shown to somebody
/// who is signed in and has agreed: each visit asks, and the first answer is the only one.
#[test]
fn a_second_visit_before_the_answer() {
    let kit = provider(|_| {});
    for prompt in ["login", "consent", "login consent", "select_account"] {
        let ua = person(&kit, "web");
        let elsewhere = person(&kit, "web");
        let pushed = kit.push(&asked(&kit, "web").set("prompt", prompt));
        let first = prompt.split(' ').next().unwrap();
        let first = if first == "select_account" { "accounts" } else { first };
        let open = |ua| pushed.open(ua).expect_page(first);
        let tabs = [open(&ua), open(&ua), open(&elsewhere)];
        let [left, answered, other] = &tabs;
        let code = answer(answered, prompt).expect_code();
        let _ = kit.exchange(&code).expect_status(200);
        for late in [left, other] {
            let late = if prompt.starts_with("login") { late.login("alice") } else { answer(late, prompt) };
            let _ = late.expect_way_on();
        }
        check_used(&pushed, &ua);
        check_used(&pushed, &elsewhere);
    }
}

/// PAR-19: what was pushed is shown by pages on another origin for as long as by others, whose URL does not name the
/// request; its end moves once.
#[test]
fn pages_on_another_origin() {
    let kit = provider(|config| {
        config.interaction.location = "https://login.id.example/".to_owned().try_into().ok();
    });
    let ua = kit.user_agent();
    let pages = ua.front_end("https://login.id.example");
    let pushed = kit.push(&asked(&kit, "web").set("state", "secretstate"));
    let handle = pushed.value("request_uri").unwrap().rsplit_once(':').unwrap().1.to_owned();
    kit.clock.advance(seconds(59));
    let sent_to = |ua: &UserAgent<'_>, pushed: &AuthorizationRequest| {
        let arrival = pushed.open(ua).expect_arrival();
        assert_eq!(arrival.uri, "https://login.id.example/");
        let interaction = arrival.value("interaction").unwrap().to_owned();
        assert!(!interaction.contains(&handle) && !interaction.contains("secretstate"));
        interaction
    };
    let (first, second) = (sent_to(&ua, &pushed), sent_to(&ua, &pushed));
    kit.clock.advance(minutes(40));
    let view = pages.view(&first).expect_status(200);
    assert!(!view.text().contains("secretstate"));
    let login = json!({"username": "alice", "password": password_of("alice")});
    let next = pages.post("login", &view, login.clone()).expect_status(200);
    let next = next.member("redirect_to").rsplit_once("interaction=").unwrap().1.to_owned();
    let consent = pages.view(&next).expect_status(200);
    let done = pages.post("consent", &consent, json!({"allow": true})).expect_status(200);
    let to = done.member("redirect_to");
    assert!(to.starts_with("https://web.example/cb?") && to.contains("code=") && to.contains("secretstate"));
    check_used(&pushed, &ua);
    // The other visit was overtaken.
    let late = pages.view(&second);
    assert!(!late.text().contains("code="), "{}", late.text());

    let pushed = kit.push(&asked(&kit, "web"));
    let _ = sent_to(&kit.user_agent(), &pushed);
    kit.clock.advance(minutes(59));
    let another = kit.user_agent();
    let late = sent_to(&another, &pushed);
    kit.clock.advance(minutes(1));
    let over = another.front_end("https://login.id.example").view(&late);
    assert!(!over.status.is_server_error() && over["prompt"] != "login", "{}", over.text());
}

/// A push as `bank` has to make it.
fn push_by_assertion<'k>(
    kit: &'k TestProvider,
    key: &ClientKey,
    jti: &str,
    request: &AuthorizationRequest,
) -> ClientRequest<'k> {
    let assertion = key.assertion("bank", kit.issuer().as_str(), jti, kit.now());
    kit.push_request(request).set("client_id", "bank").assertion(&assertion)
}

/// FAPI-05, PAR-20: the profile of a server switches the push on, and demands it; that of one client demands it of this
/// one.
#[test]
fn a_profile_demands_the_push() {
    let key = ClientKey::generate(Es256);
    let bank = |profile: Profile| {
        json!({"client_id": "bank", "jwks": key.jwks(), "redirect_uris": ["https://bank.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256",
            "chancery": {"profile": profile.as_str()}})
        .to_string()
    };
    let strict = TestProvider::builder().without_clients();
    let strict = strict
        .configure(|config| {
            config.profile = Profile::Fapi2Security;
            config.dpop.offered = true;
        })
        .build();
    let loose = provider(|_| {});
    for (kit, own) in [(&strict, Profile::Baseline), (&loose, Profile::Fapi2Security)] {
        kit.put_client(&bank(own));
        let (ua, request) = (kit.user_agent(), asked(kit, "bank"));
        check_refused_by_name(&request.open(&ua), "invalid_request", "request_not_pushed");
        let pushed = push_by_assertion(kit, &key, "1", &request).send().expect_status(201);
        assert!(pushed["expires_in"].as_u64().is_some_and(|lifetime| lifetime < 600));
        let pushed = request.by_reference(pushed.member("request_uri"));
        let _ = pushed.open(&ua).login("alice").expect_page("consent").allow().expect_code();
    }
    let metadata = strict.get("/.well-known/openid-configuration");
    assert_eq!(metadata["pushed_authorization_request_endpoint"], "https://id.example/par");
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    let _ = asked(&loose, "web").open(&loose.user_agent()).expect_page("login");
}

/// A provider that exempts clients with a secret from PKCE, and a client `bank` of FAPI 1.0 with its key.
fn with_bank() -> (TestProvider, ClientKey) {
    let (kit, key) = with_app(
        |config| {
            config.compatibility.hybrid = true;
            config.compatibility.pkce_optional = PkceOptional::Confidential;
        },
        &json!({}),
    );
    kit.put_client(
        &json!({"client_id": "bank", "jwks": key.jwks(), "redirect_uris": ["https://bank.example/cb"],
            "response_types": ["code id_token"], "grant_types": ["authorization_code", "implicit"],
            "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256",
            "chancery": {"profile": "fapi1-advanced"}})
        .to_string(),
    );
    (kit, key)
}

/// FAPI-03, FAPI 1.0 part 2 section 5.2.2-18: a profile demands PKCE with S256 of what is pushed, even where
/// a setting exempts its client from it; of a signed request at the front it does not.
#[test]
fn a_profile_demands_pkce_of_what_is_pushed() {
    let (kit, key) = with_bank();
    let request = asked(&kit, "bank").set("response_type", "code id_token");
    let signed = |request: &AuthorizationRequest| {
        let more = json!({"iss": "bank", "nbf": kit.now().secs()});
        request.clone().by_value(&object(&kit, &key, request, &more))
    };
    let without = signed(&request.clone().without_pkce());
    let _ = without.open(&kit.user_agent()).expect_page("login");
    assert_refused!(push_by_assertion(&kit, &key, "1", &without).send().expect_status(400), pkce::MISSING);
    let _ = push_by_assertion(&kit, &key, "2", &signed(&request)).send().expect_status(201);
}

/// JAR-15, JAR-16, FAPI 2.0 Message Signing section 5.3.1-5: under a profile, too, an object is good for as long as it
/// says, with and without a type of its own. What comes of one push is answered once.
#[test]
fn an_object_is_good_until_it_ends() {
    let (kit, key) = with_bank();
    let request = asked(&kit, "bank").set("response_type", "code id_token");
    let now = kit.now().secs();
    let claims = claims(&kit, &request, &json!({"iss": "bank", "nbf": now, "jti": "the same"}));
    let ua = person(&kit, "bank");
    let mut jti = 0;
    for header in [json!({"typ": "oauth-authz-req+jwt"}), json!({"typ": "JWT"}), json!({})] {
        let signed = request.clone().by_value(&key.sign(&header, &claims));
        for _ in 0..2 {
            let _ = signed.open(&ua).expect_code();
            jti += 1;
            let push = push_by_assertion(&kit, &key, &jti.to_string(), &signed).send().expect_status(201);
            let pushed = signed.clone().by_reference(push.member("request_uri"));
            let _ = pushed.open(&ua).expect_code();
            check_used(&pushed, &ua);
        }
    }
    kit.clock.advance(seconds(70));
    let ended = request.by_value(&key.sign(&json!({}), &claims));
    check_refused_by_name(&ended.open(&ua), "invalid_request_object", "request_object_expired");
    let late = push_by_assertion(&kit, &key, "late", &ended).send();
    check_refused_by_name(&late, "invalid_request_object", "request_object_expired");
}

/// The request object of this request, with these changes of its claims; null leaves one out.
fn object(kit: &TestProvider, key: &ClientKey, request: &AuthorizationRequest, changes: &Value) -> String {
    let header = json!({"kid": key.kid(), "typ": "oauth-authz-req+jwt"});
    key.sign(&header, &claims(kit, request, changes))
}

fn claims(kit: &TestProvider, request: &AuthorizationRequest, changes: &Value) -> Value {
    let mut claims = json!({"iss": "app", "aud": ISSUER, "exp": kit.now().secs() + 60});
    for name in [
        "client_id",
        "response_type",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ] {
        claims[name] = json!(request.value(name));
    }
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// PAR-06, JAR-03, JAR-23: of a push with a request object only the object counts, whatever stands beside it, also where
/// parameters are merged at the front; and it satisfies who demands a signature.
#[test]
fn of_a_pushed_object_nothing_beside_it_counts() {
    for is_merging in [false, true] {
        let (kit, key) =
            with_app(|config| config.compatibility.request_object_merging = is_merging, &json!({}));
        let request = asked(&kit, "app").without("state");
        let text = object(&kit, &key, &request, &json!({}));
        let push = kit.push_request(&request.clone().by_value(&text));
        let beside = [
            ("scope", "openid email"),
            ("state", "outside"),
            ("nonce", "outside"),
            ("prompt", "none"),
            ("response_mode", "form_post"),
            ("redirect_uri", "https://evil.example/"),
            ("response_type", "id_token"),
            ("registration", "{}"),
            ("claims", "{"),
            ("code_challenge_method", "plain"),
        ];
        let push = beside.iter().fold(push, |push, (name, value)| push.param(name, value));
        let pushed = push.send().expect_status(201);
        let pushed = request.clone().by_reference(pushed.member("request_uri"));
        let ua = kit.user_agent();
        let arrival = pushed.open(&ua).login("alice").expect_page("consent").allow().expect_arrival();
        assert_eq!((arrival.mode, arrival.uri.as_str()), ("query", "https://app.example/cb"));
        assert_eq!(arrival.names(), ["code", "iss"], "merging: {is_merging}");
        let second = asked(&kit, "app");
        let text = object(&kit, &key, &second, &json!({}));
        let push = kit.push_request(&second.clone().by_value(&text)).param("nonce", "outside").send();
        let code = second.by_reference(push.expect_status(201).member("request_uri")).open(&ua).expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        assert_eq!(kit.id_token(&tokens, "app").claims["nonce"], "a nonce");
    }

    let (kit, key) = with_app(|_| {}, &json!({"require_signed_request_object": true}));
    let request = asked(&kit, "app");
    let unsigned = kit.push_request(&request).send().expect_status(400);
    check_refused_by_name(&unsigned, "invalid_request", "request_unsigned");
    let text = object(&kit, &key, &request, &json!({}));
    let pushed = kit.push(&request.clone().by_value(&text));
    let ua = kit.user_agent();
    let code = pushed.open(&ua).login("alice").expect_page("consent").allow().expect_code();
    let _ = kit.exchange(&code).expect_status(200);
}

/// PAR-03: a pushed request waits no longer than its object is good, and its first page gives the person the time that
/// everybody has.
#[test]
fn an_object_ends_what_was_pushed() {
    let (kit, key) = with_app(|_| {}, &json!({}));
    let request = asked(&kit, "app");
    let push = |ends: i64| {
        let text = object(&kit, &key, &request, &json!({"exp": kit.now().secs() + ends}));
        kit.push_request(&request.clone().by_value(&text)).send()
    };
    // The clock of the client may be ten seconds behind.
    for (ends, expected) in [(3600, 60), (60, 60), (20, 20), (1, 1), (0, 1), (-9, 1)] {
        assert_eq!(push(ends).expect_status(201)["expires_in"], expected, "{ends}");
    }
    check_refused_by_name(&push(-10), "invalid_request_object", "request_object_expired");
    let pushed = push(20).expect_status(201);
    let pushed = request.clone().by_reference(pushed.member("request_uri"));
    kit.clock.advance(seconds(19));
    let ua = kit.user_agent();
    let login = pushed.open(&ua).expect_page("login");
    kit.clock.advance(minutes(30));
    let _ = login.login("alice").expect_page("consent");
    let pushed = push(20).expect_status(201);
    kit.clock.advance(seconds(20));
    let over = request.by_reference(pushed.member("request_uri")).open(&ua).expect_page("error");
    check_refused_by_name(&over, "invalid_request_uri", "pushed_request_unknown");
}

/// An object that is encrypted for the provider.
fn encrypted(kit: &TestProvider, text: &str) -> String {
    let (alg, enc) = (KeyManagementAlgorithm::EcdhEs, ContentEncryptionAlgorithm::A128Gcm);
    let jwks = JwkSet::parse(kit.get("/jwks").text().as_bytes()).unwrap();
    let key = jwks.encryption_keys(alg).next().unwrap().clone();
    let writer = JweWriter { cty: Some("JWT"), ..JweWriter::new(alg, enc) };
    writer.encrypt(Recipient::Public(&key), text.as_bytes(), &|buffer| SystemRandom.fill(buffer)).unwrap()
}

/// JAR-17: a pushed object can be encrypted, and what is wrong inside is not told.
#[test]
fn an_encrypted_object_is_pushed() {
    let (kit, key) = with_app(
        |config| config.request_objects.encryption_algorithms = KeyManagementAlgorithm::ALL.to_vec(),
        &json!({}),
    );
    kit.keys.add_encryption_key(EncryptionKeyType::P256, kit.now()).unwrap();
    kit.clock.advance(minutes(1));
    let request = asked(&kit, "app");
    let push =
        |text: &str| kit.push_request(&request.clone().by_value(text)).param("state", "outside").send();
    let pushed = push(&encrypted(&kit, &object(&kit, &key, &request, &json!({})))).expect_status(201);
    let pushed = request.clone().by_reference(pushed.member("request_uri"));
    let ua = kit.user_agent();
    let login = pushed.open(&ua).expect_page("login");
    assert!(!login.answer().text().contains("a nonce"));
    let arrival = login.login("alice").expect_page("consent").allow().expect_arrival();
    assert_eq!(arrival.value("state"), Some("a state of the client"));
    let foreign = ClientKey::generate(Es256);
    for inside in [object(&kit, &foreign, &request, &json!({})), "nonsense".to_owned(), "a.b.c".to_owned()] {
        check_refused_by_name(
            &push(&encrypted(&kit, &inside)),
            "invalid_request_object",
            "request_object_not_opened",
        );
    }
    // What its client has signed well is told like any other mistake.
    let expired = object(&kit, &key, &request, &json!({"exp": kit.now().secs() - 60}));
    check_refused_by_name(
        &push(&encrypted(&kit, &expired)),
        "invalid_request_object",
        "request_object_expired",
    );
}

/// PAR-07, JAR-05, JAR-06, JAR-08, JAR-12: objects that are refused at the push, where nothing is stored for them.
#[test]
fn objects_that_are_refused() {
    let (kit, key) = with_app(|_| {}, &json!({}));
    let request = asked(&kit, "app");
    let pushed = |text: &str| kit.push_request(&request.clone().by_value(text));
    let of = |changes: Value| pushed(&object(&kit, &key, &request, &changes));
    let now = kit.now().secs();
    let invalid = Refused::Json(400, "invalid_request_object");
    let typed = |typ: &str| {
        pushed(&key.sign(&json!({"kid": key.kid(), "typ": typ}), &claims(&kit, &request, &json!({}))))
    };
    let good = object(&kit, &key, &request, &json!({}));
    let unsigned = unsecured(claims(&kit, &request, &json!({})).to_string().as_bytes());
    let strange = ClientKey::of_secret(SigningAlgorithm::Hs256, SECRET);
    let with_secret = strange.sign(&json!({}), &claims(&kit, &request, &json!({})));
    let mut table = NegativeTable::new(&kit);
    for (what, changes) in [
        ("PAR-07: no client_id", json!({"client_id": null})),
        ("PAR-07: another client_id", json!({"client_id": "web"})),
        ("another issuer", json!({"iss": "web"})),
        ("no issuer", json!({"iss": null})),
        ("another audience", json!({"aud": "https://other.example"})),
        ("the audience is the endpoint", json!({"aud": "https://id.example/par"})),
        ("no audience", json!({"aud": null})),
        ("it has ended", json!({"exp": now - 60})),
        ("it begins later", json!({"nbf": now + 60})),
        ("exp is a text", json!({"exp": "soon"})),
        ("JAR-06: an object inside", json!({"request": good})),
        ("JAR-06: a reference inside", json!({"request_uri": "urn:ietf:params:oauth:request_uri:x"})),
        ("a list", json!({"scope": ["openid", "email"]})),
    ] {
        table = table.row(what, of(changes), invalid);
    }
    let of_parameters = [
        (
            "no redirect URI that is registered",
            json!({"redirect_uri": "https://evil.example/"}),
            "invalid_request",
        ),
        ("no response type", json!({"response_type": null}), "invalid_request"),
        (
            "a response type that is not registered",
            json!({"response_type": "id_token"}),
            "unsupported_response_type",
        ),
        ("no PKCE", json!({"code_challenge": null, "code_challenge_method": null}), "invalid_request"),
        ("no scope that is known", json!({"scope": "x", "nonce": null}), "invalid_scope"),
    ];
    for (what, changes, code) in of_parameters {
        table = table.row(what, of(changes), Refused::Json(400, code));
    }
    table
        .row("JAR-08: unsigned", pushed(&unsigned), invalid)
        .row("signed with the secret", pushed(&with_secret), invalid)
        .row("a token of another kind", typed("at+jwt"), invalid)
        .row("a proof", typed("dpop+jwt"), invalid)
        .row("not a JWT", pushed("x"), invalid)
        .row("16 KiB", of(json!({"state": "s".repeat(16 * 1024)})), invalid)
        .row("two objects", pushed(&good).param("request", &good), Refused::Json(400, "invalid_request"))
        .row(
            "an object and a reference",
            pushed(&good).param("request_uri", "https://app.example/r"),
            Refused::Json(400, "invalid_request"),
        )
        .row(
            "another client's object",
            kit.push_request(&asked(&kit, "web")).param("request", &good),
            invalid,
        )
        .run();
    let _ = pushed(&good).send().expect_status(201);
}
