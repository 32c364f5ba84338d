//! What OpenID Connect adds to an authorization request: OIDC Core sections 3.1.2.1 and 3.1.2.2.

use chancery_jose::SigningAlgorithm;
use chancery_testkit::{
    AuthorizationRequest, HandClock, NegativeTable, Refused, SECRET, TestProvider, UserAgent, hours, millis,
    minutes, seconds,
};
use serde_json::{Value, json};

fn person<'k>(kit: &'k TestProvider, client: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, "openid email");
    ua
}

fn web(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("web").scope("openid email")
}

/// AUTHZ-34: OIDC Core section 3.1.2.1, `max_age`: an authentication that is older does not count; `0` is
/// `prompt=login`.
#[test]
fn max_age_bounds_the_age_of_the_authentication() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web");
    kit.clock.advance(millis(400));
    let _ = web(&kit).set("max_age", "0").set("prompt", "none").open(&ua).expect_error("login_required");
    let login = web(&kit).set("max_age", "0").open(&ua).expect_page("login");
    let _ = web(&kit).set("max_age", "1").open(&ua).expect_code();
    kit.clock.set(HandClock::START + seconds(10));
    let _ = web(&kit).set("max_age", "10").open(&ua).expect_code();
    kit.clock.advance(millis(1));
    let _ = web(&kit).set("max_age", "10").open(&ua).expect_page("login");
    let _ = web(&kit).set("max_age", "10").set("prompt", "none").open(&ua).expect_error("login_required");
    // However long the person takes over it: what comes of a login for the request is fresh.
    kit.clock.advance(minutes(5));
    let code = login.login("alice").expect_code();
    let token = kit.id_token(&kit.exchange(&code), "web");
    assert_eq!(token.claims["auth_time"], (HandClock::START + seconds(310)).secs());
}

/// AUTHZ-35, OIDC Core section 3.1.2.1: what is an ID token of ours to this client, by its claims and its
/// type (RFC 8725 section 3.11), although our own key has signed all of these.
#[test]
fn a_hint_is_an_id_token() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web");
    let now = kit.now().secs();
    let good = json!({"iss": kit.issuer().as_str(), "sub": "alice", "aud": "web", "iat": now, "exp": now + 60,
        "auth_time": now});
    let hinted = |header: Value, claims: &Value| {
        web(&kit).set("id_token_hint", &kit.sign(&header, claims)).set("prompt", "none").open(&ua)
    };
    for header in [json!({}), json!({"typ": "JWT"}), json!({"typ": "jwt"})] {
        let _ = hinted(header, &good).expect_code();
    }
    for typ in ["at+jwt", "application/at+jwt", "dpop+jwt", "logout+jwt", ""] {
        let _ = hinted(json!({"typ": typ}), &good).expect_error("invalid_request");
    }
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!("spa")),
        ("aud", json!(["spa", "post"])),
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("auth_time", Value::Null),
        ("sub", Value::Null),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        if claims[name].is_null() {
            let _ = claims.as_object_mut().map(|all| all.remove(name));
        }
        let _ = hinted(json!({}), &claims).expect_error("invalid_request");
    }
    let mut another = good.clone();
    another["sub"] = json!("bob");
    let _ = hinted(json!({}), &another).expect_error("login_required");
}

/// AUTHZ-35: an ID token that the client got before it was registered for an HMAC is still one, and so is one
/// signed with its secret.
#[test]
fn a_hint_from_before_the_algorithm_was_changed() {
    let kit = TestProvider::new();
    let client = |alg: &str| {
        format!(
            r#"{{"client_id":"c","client_secret":"{SECRET}","redirect_uris":["https://c.example/cb"],
                "id_token_signed_response_alg":"{alg}"}}"#
        )
    };
    kit.put_client(&client("ES256"));
    let before = kit.tokens("alice", "c", "openid").member("id_token").to_owned();
    kit.put_client(&client("HS256"));
    kit.clock.advance(seconds(1));
    let after = kit.tokens("alice", "c", "openid").member("id_token").to_owned();
    let ua = person(&kit, "c");
    let hinted = |hint: &str| {
        let request = kit.authorization_request("c").scope("openid").set("prompt", "none");
        request.set("id_token_hint", hint).open(&ua)
    };
    let _ = (hinted(&before).expect_code(), hinted(&after).expect_code());
    kit.put_client(&client("ES256"));
    kit.clock.advance(seconds(1));
    let _ = hinted(&before).expect_code();
    let _ = hinted(&after).expect_error("invalid_request");
}

/// AUTHZ-37: what the client registered applies when the request says nothing.
#[test]
fn the_clients_default_max_age() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"bank","token_endpoint_auth_method":"none","redirect_uris":["https://bank.example/cb"],
                "default_max_age":10,"default_acr_values":["urn:example:a"],"id_token_signed_response_alg":"ES256"}"#,
        )
        .build();
    let ua = person(&kit, "bank");
    let bank = || kit.authorization_request("bank").scope("openid");
    let _ = bank().open(&ua).expect_code();
    kit.clock.advance(seconds(11));
    let _ = bank().open(&ua).expect_page("login");
    let _ = bank().set("prompt", "none").open(&ua).expect_error("login_required");
    let _ = bank().set("max_age", "11").open(&ua).expect_code();
}

/// AUTHZ-37, AUTHZ-38: classes are a wish (OIDC Core section 3.1.2.1): the token says which one it was.
#[test]
fn acr_values_are_voluntary() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web");
    let request = web(&kit).set("acr_values", "urn:example:gold urn:example:silver").set("prompt", "none");
    let token = kit.id_token(&kit.exchange(&request.open(&ua).expect_code()), "web");
    let plain = kit.id_token(&kit.exchange(&web(&kit).open(&ua).expect_code()), "web");
    assert_eq!(token.claims["acr"], plain.claims["acr"]);
    assert!(token.claims["acr"].is_string());
    // An essential class of `claims` stands beside them.
    let claims = r#"{"id_token":{"acr":{"essential":true,"values":["urn:example:gold"]}}}"#;
    let _ = request.set("claims", claims).open(&ua).expect_error("unmet_authentication_requirements");
}

/// AUTHZ-35: an ID token of ours for this client, expired or not, says whom the client expects.
#[test]
fn a_hint_names_the_person() {
    let kit = TestProvider::new();
    let hint = kit.tokens("alice", "web", "openid").member("id_token").to_owned();
    kit.clock.advance(hours(2));
    let alice = person(&kit, "web");
    let hinted = || web(&kit).set("id_token_hint", &hint);
    let _ = hinted().set("prompt", "none").open(&alice).expect_code();
    let bob = kit.user_agent();
    bob.signed_in("bob");
    bob.has_consented("bob", "web", "openid email");
    let _ = web(&kit).set("prompt", "none").open(&bob).expect_code();
    let _ = hinted().set("prompt", "none").open(&bob).expect_error("login_required");
    let _ = hinted().open(&bob).expect_page("accounts");
}

/// OIDC Core section 5.5.1: nobody else's token may be the answer to a request for one `sub`; also when the
/// hint names another one, or when `value` is none that anybody can have.
#[test]
fn a_requested_subject_is_the_only_one() {
    let kit = TestProvider::new();
    let hint = kit.tokens("alice", "web", "openid").member("id_token").to_owned();
    let ua = person(&kit, "web");
    let silent = |claims: &str| web(&kit).set("claims", claims).set("prompt", "none");
    let _ = silent(r#"{"id_token":{"sub":{"value":"alice"}}}"#).open(&ua).expect_code();
    let _ = silent(r#"{"id_token":{"sub":{"value":"alice"}}}"#)
        .set("id_token_hint", &hint)
        .open(&ua)
        .expect_code();
    let _ = silent(r#"{"id_token":{"sub":{"value":"bob"}}}"#).open(&ua).expect_error("login_required");
    let contradiction = silent(r#"{"id_token":{"sub":{"value":"bob"}}}"#).set("id_token_hint", &hint);
    let _ = contradiction.open(&ua).expect_error("invalid_request");
    let _ = silent(r#"{"id_token":{"sub":{"value":5}}}"#).open(&ua).expect_error("invalid_request");
    // It is the same person whom UserInfo is about.
    let _ = silent(r#"{"userinfo":{"sub":{"value":"alice"}}}"#).open(&ua).expect_code();
    let _ = silent(r#"{"userinfo":{"sub":{"value":"bob"}}}"#).open(&ua).expect_error("login_required");
    let both = |userinfo: &str| {
        silent(&format!(
            r#"{{"id_token":{{"sub":{{"values":["bob","alice"]}}}},"userinfo":{{"sub":{userinfo}}}}}"#
        ))
    };
    let _ = both(r#"{"value":"alice"}"#).open(&ua).expect_code();
    let _ = both(r#"{"value":"bob"}"#).open(&ua).expect_error("login_required");
    let _ = both(r#"{"value":"carol"}"#).open(&ua).expect_error("invalid_request");
}

/// RFC 8725 section 3.12: a signed UserInfo answer has issuer, audience and subject of an ID token, and is
/// none.
#[test]
fn a_signed_userinfo_answer_is_no_hint() {
    for alg in ["ES256", "HS256"] {
        let kit = TestProvider::builder()
            .client(&format!(
                r#"{{"client_id":"signed","client_secret":"a-secret-of-forty-three-characters-for-test",
                    "redirect_uris":["https://signed.example/cb"],"id_token_signed_response_alg":"{alg}",
                    "userinfo_signed_response_alg":"{alg}"}}"#
            ))
            .build();
        let tokens = kit.tokens("alice", "signed", "openid");
        let answer = kit.userinfo(tokens.member("access_token")).expect_status(200);
        let ua = person(&kit, "signed");
        let hinted = |hint: &str| {
            let request = kit.authorization_request("signed").scope("openid").set("prompt", "none");
            request.set("id_token_hint", hint).open(&ua)
        };
        let _ = hinted(answer.text()).expect_error("invalid_request");
        let _ = hinted(tokens.member("id_token")).expect_code();
    }
}

/// AUTHZ-36: a client with HS256 gets hints that its own secret signed, and no other client can use them.
/// They can still be read when the secret has ended: nothing is given for a hint.
#[test]
fn a_hint_signed_with_the_clients_secret() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"shared","client_secret":"a-secret-of-forty-three-characters-for-test",
                "client_secret_expires_at":1800000060,"redirect_uris":["https://shared.example/cb"],"id_token_signed_response_alg":"HS256"}"#,
        )
        .build();
    let hint = kit.tokens("alice", "shared", "openid").member("id_token").to_owned();
    let ua = person(&kit, "shared");
    let request = kit.authorization_request("shared").scope("openid").set("prompt", "none");
    let hinted = request.set("id_token_hint", &hint);
    let _ = hinted.open(&ua).expect_code();
    let _ = web(&kit).set("id_token_hint", &hint).open(&ua).expect_error("invalid_request");
    kit.clock.advance(minutes(1));
    let code = hinted.open(&ua).expect_code();
    assert_eq!(kit.exchange(&code).expect_status(401)["error"], "invalid_client");
}

/// AUTHZ-51: what the request said is kept with the code, and comes out of its exchange.
#[test]
fn a_code_keeps_what_was_asked_for() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web");
    kit.clock.advance(seconds(30));
    let request =
        web(&kit).set("nonce", "n-0S6_WzA2Mj \"\u{e4}").set("claims", r#"{"id_token":{"email":null}}"#);
    let code = request.open(&ua).expect_code();
    kit.clock.advance(seconds(20));
    let answer = kit.exchange(&code).expect_status(200);
    let token = kit.id_token(&answer, "web");
    assert_eq!(token.claims["nonce"], "n-0S6_WzA2Mj \"\u{e4}");
    assert_eq!(token.claims["auth_time"], HandClock::START.secs());
    assert_eq!(token.claims["iat"], (HandClock::START + seconds(50)).secs());
    assert_eq!(token.claims["email"], "alice@example.org");
    assert!(token.claims["acr"].is_string() && token.claims["amr"].is_array(), "{}", token.claims);
    let plain = kit.id_token(&kit.exchange(&web(&kit).open(&ua).expect_code()), "web");
    assert_eq!(
        (&plain.claims["nonce"], &plain.claims["email"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
}

/// AUTHZ-41: the hint fills in the name, the locales choose the language; both survive a wrong password.
#[test]
fn hints_help_the_person() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = web(&kit).set("login_hint", "alice@\"><h0st1le>").set("ui_locales", "de en");
    let tab = request.open(&ua).expect_page("login");
    let name = |tab: &chancery_testkit::Tab<'_, '_>| {
        tab.form().fields.iter().find(|(name, _)| name == "username").map(|(_, value)| value.clone())
    };
    assert_eq!(name(&tab).as_deref(), Some("alice@\"><h0st1le>"));
    assert!(!tab.answer().text().contains("<h0st1le>"));
}

/// OIDC Core section 3.1.2.1: languages and displays that nobody has here are no error.
#[test]
fn wishes_that_cannot_be_met_are_no_error() {
    let kit = TestProvider::new();
    let ua = person(&kit, "web");
    for (name, value) in [
        ("ui_locales", "tlh xx-YY"),
        ("ui_locales", "!!! \u{e4} --"),
        ("claims_locales", "tlh"),
        ("claims_locales", "\u{e4} ,;q=1"),
        ("display", "wap"),
        ("display", "nonsense"),
        ("login_hint", "somebody else"),
    ] {
        let _ = web(&kit).set(name, value).open(&ua).expect_code();
        let _ =
            web(&kit).set(name, value).set("prompt", "login").open(&kit.user_agent()).expect_page("login");
    }
}

/// AUTHZ-29, AUTHZ-31, AUTHZ-32, AUTHZ-33, AUTHZ-35
#[test]
fn openid_requests_that_must_be_refused() {
    let kit = TestProvider::new();
    let (web, client) = (|| web(&kit), Refused::Client("invalid_request"));
    let tokens = kit.tokens("alice", "web", "openid");
    let hint = tokens.member("id_token").to_owned();
    let others = kit.tokens("alice", "spa", "openid").member("id_token").to_owned();
    // The same keys, another name: tests share them.
    let other = TestProvider::builder().issuer("https://other.example").build();
    let foreign = other.tokens("alice", "web", "openid").member("id_token").to_owned();
    let jwt = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    let strangers =
        TestProvider::builder().own_keys(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256]).build();
    let forged = strangers.tokens("alice", "web", "openid").member("id_token").to_owned();
    let mut parts: Vec<&str> = hint.split('.').collect();
    parts[0] = "eyJhbGciOiJub25lIn0";
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    let mut table = NegativeTable::new(&kit)
        .row("a hint for another client", web().set("id_token_hint", &others), client)
        .row("a hint of another issuer", web().set("id_token_hint", &foreign), client)
        .row("a hint of unknown keys", web().set("id_token_hint", &forged), client)
        .row("a hint that nobody signed", web().set("id_token_hint", &unsigned), client)
        .row("a hint with another header", web().set("id_token_hint", &parts.join(".")), client)
        .row("a cut hint", web().set("id_token_hint", &hint[..hint.len() - 4]), client)
        .row("an access token as hint", web().set("id_token_hint", tokens.member("access_token")), client)
        .row("a name as hint", web().set("id_token_hint", "alice"), client)
        .row(
            "a JWT access token as hint",
            kit.authorization_request("jwt").scope("openid").set("id_token_hint", &jwt),
            client,
        )
        .row("none with login", web().set("prompt", "none login"), client)
        .row("login with none", web().set("prompt", "consent none"), client)
        .row("an unknown prompt", web().set("prompt", "create"), client)
        .row("an unknown prompt beside a known", web().set("prompt", "login create"), client)
        .row("a prompt in capitals", web().set("prompt", "NONE"), client)
        .row("a long nonce", web().set("nonce", &"x".repeat(4097)), client)
        .row("none without a session", web().set("prompt", "none"), Refused::Client("login_required"));
    for age in ["-1", "+1", "1.5", "1e3", " 1", "0x10", "x", "99999999999999999999"] {
        table = table.row(format!("max_age={age}"), web().set("max_age", age), client);
    }
    for (name, value) in [
        ("acr_values", "a"),
        ("claims", r#"{"userinfo":{}}"#),
        ("claims_locales", "de"),
        ("id_token_hint", hint.as_str()),
        ("max_age", "10"),
        ("nonce", "n"),
    ] {
        let plain = kit.authorization_request("machine").scope("read").set(name, value);
        table = table.row(format!("{name} without openid"), plain, client);
    }
    table.run();
}

/// OIDC Core sections 5.5.1 and 5.5.1.1: of several subjects any will do, not only the first.
#[test]
fn any_of_several_subjects_will_do() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    for values in [r#"["alice","bob"]"#, r#"["bob","alice"]"#, r#"["nobody","bob","alice"]"#] {
        let claims = format!(r#"{{"id_token":{{"sub":{{"values":{values}}}}}}}"#);
        let request =
            kit.authorization_request("web").scope("openid").set("prompt", "none").set("claims", &claims);
        let _ = request.open(&ua).expect_code();
    }
}
