//! Which claims a client gets, and where: OIDC Core sections 2, 3.1.3.6, 5.3.2, 5.4 and 5.5.

use chancery_core::model::ConsentAnswer;
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{
    Answer, AuthorizationRequest, NegativeTable, Refused, SECRET, TestProvider, VerifiedJwt, claims_of_scope,
};
use chancery_types::{Scope, Scopes};
use serde_json::{Value, json};

fn sorted(names: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
    names.sort();
    names
}

fn asking(kit: &TestProvider, scope: &str, claims: &Value) -> AuthorizationRequest {
    kit.authorization_request("web").scope(scope).set("claims", &claims.to_string())
}

/// What a person who is signed in and has answered like this lets the client see: UserInfo and ID token.
fn seen(kit: &TestProvider, request: &AuthorizationRequest, answer: ConsentAnswer) -> (Answer, VerifiedJwt) {
    let client = request.value("client_id").unwrap_or_default();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_answered("alice", client, answer);
    let tokens = kit.exchange(&request.open(&ua).expect_code()).expect_status(200);
    (kit.userinfo(tokens.member("access_token")).expect_status(200), kit.id_token(&tokens, client))
}

fn allowed(scopes: &str) -> ConsentAnswer {
    ConsentAnswer { scopes: Scopes::parse(scopes).unwrap_or_default(), ..ConsentAnswer::default() }
}

/// CLAIM-10, CLAIM-15: each scope stands for its claims in UserInfo (OIDC Core section 5.4), and for none in
/// the ID token.
#[test]
fn scopes_stand_for_claims() {
    let kit = TestProvider::new();
    for scope in ["openid", "openid email", "openid profile", "openid phone", "openid address"] {
        let request = kit.authorization_request("web").scope(scope);
        let (userinfo, token) = seen(&kit, &request, allowed(scope));
        let claims = scope.split(' ').flat_map(claims_of_scope).chain(&["sub"]);
        assert_eq!(sorted(userinfo.member_names()), sorted(claims.copied()), "{scope}");
        let own = ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "sub"];
        assert_eq!(sorted(token.names), own, "CLAIM-08, CLAIM-12, CLAIM-13: {scope}");
    }
}

/// CLAIM-06: single claims (OIDC Core section 5.5), each where it was asked for.
#[test]
fn claims_come_where_they_were_asked_for() {
    let kit = TestProvider::new();
    let request = asking(
        &kit,
        "openid",
        &json!({
            "userinfo": {"name": null, "email": {"essential": true}, "locale": {"value": "en"}},
            "id_token": {"nickname": {"essential": false}, "zoneinfo": {"values": []}, "address": {}},
        }),
    );
    let claims = ["name", "email", "locale", "nickname", "zoneinfo", "address"].map(Box::from).to_vec();
    let (userinfo, token) = seen(&kit, &request, ConsentAnswer { claims, ..allowed("openid") });
    assert_eq!(sorted(userinfo.member_names()), ["email", "locale", "name", "sub"]);
    assert_eq!(userinfo["locale"], "en");
    assert_eq!((&token.claims["nickname"], &token.claims["email"]), (&"alice".into(), &Value::Null));
    assert_eq!(token.claims["address"], json!({"country": "DE", "locality": "Berlin"}));
    assert_eq!(token.claims["zoneinfo"], "Europe/Berlin");
}

/// CLAIM-05: a claim whose value is none of those that were requested is left out (OIDC Core section 5.5.1),
/// except where a scope asks for it as well, and for claims of the protocol.
#[test]
fn a_claim_with_another_value_is_left_out() {
    let kit = TestProvider::new();
    kit.accounts.set_claim("alice", "name#de", json!("Alicia"));
    for (name, wish, is_there) in [
        ("locale", json!({"value": "en"}), true),
        ("locale", json!({"value": "xx"}), false),
        ("locale", json!({"essential": true, "value": "xx"}), false),
        ("locale", json!({"values": ["xx", "en"]}), true),
        ("locale", json!({"values": ["xx", "EN"]}), false),
        ("locale", json!({"values": ["xx"], "value": "en"}), true),
        ("locale", json!({"values": [["en"], {"en": "en"}, 1, null, true]}), false),
        ("locale", json!({"value": null}), false),
        ("updated_at", json!({"value": 1_700_000_000}), true),
        ("updated_at", json!({"value": "1700000000"}), false),
        ("email_verified", json!({"value": true}), true),
        ("email_verified", json!({"value": false}), false),
        ("address", json!({"value": {"locality": "Berlin", "country": "DE"}}), true),
        ("address", json!({"value": {"country": "DE"}}), false),
        ("name#de", json!({"value": "Alicia"}), true),
        ("name#de", json!({"value": "Alice"}), false),
    ] {
        let claim: Box<str> = name.split('#').next().unwrap_or_default().into();
        let answer = ConsentAnswer { claims: vec![claim], ..allowed("openid") };
        let request = asking(&kit, "openid", &json!({"userinfo": {name: wish}, "id_token": {name: wish}}));
        let (userinfo, token) = seen(&kit, &request, answer);
        let have = [userinfo.member_names(), token.names].map(|names| names.contains(&name.to_owned()));
        assert_eq!(have, [is_there, is_there], "{name} {wish}");
    }
    let request = asking(&kit, "openid email", &json!({"userinfo": {"email": {"value": "x@example.org"}}}));
    let (userinfo, _) = seen(&kit, &request, allowed("openid email"));
    assert_eq!(userinfo["email"], "alice@example.org");
    let wishes = json!({"id_token": {"acr": {"values": ["urn:x"]}, "amr": {"value": 1}}});
    let (_, token) = seen(&kit, &asking(&kit, "openid", &wishes), allowed("openid"));
    assert!(token.claims["acr"].is_string() && token.claims["amr"].is_array(), "{}", token.claims);
}

/// CLAIM-16: a client may be registered to get the claims of scopes in its ID tokens, too; not by default.
#[test]
fn claims_of_scopes_in_the_id_token() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"both","token_endpoint_auth_method":"none","redirect_uris":["https://both.example/cb"],
                "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","refresh_token"],
                "chancery":{"scope_claims_in_id_token":true,"refresh_tokens":"always"}}"#,
        )
        .build();
    let request = kit.authorization_request("both").scope("openid email phone");
    let declined = Scopes::parse("phone").unwrap_or_default();
    let answer = ConsentAnswer { rejected_scopes: declined, ..allowed("openid email") };
    let (userinfo, token) = seen(&kit, &request, answer);
    for (answer, from) in [(&userinfo["email"], "UserInfo"), (&token.claims["email"], "the ID token")] {
        assert_eq!(answer, "alice@example.org", "{from}");
    }
    assert_eq!(token.claims["email_verified"], true);
    assert!(!token.names.iter().any(|name| name.starts_with("phone") || name == "name"), "{}", token.claims);
    // It is the same after a refresh.
    let tokens = kit.tokens("alice", "both", "openid email");
    let refreshed = kit.refresh("both", tokens.member("refresh_token")).expect_status(200);
    assert_eq!(kit.id_token(&refreshed, "both").claims["email"], "alice@example.org");
    // By default there is nothing of it.
    let request = kit.authorization_request("web").scope("openid email");
    assert_eq!(seen(&kit, &request, allowed("openid email")).1.claims["email"], Value::Null);
}

/// OIDC Core section 5.2: `claims_locales` chooses among the languages of a claim, and the best one comes
/// without a tag, in UserInfo and ID token.
#[test]
fn claims_in_the_language_that_the_client_prefers() {
    let kit = TestProvider::builder()
        .configure(|config| config.claims.locales = ["de", "ja-Kana-JP"].map(str::to_owned).to_vec())
        .build();
    let metadata = kit.get("/.well-known/openid-configuration");
    assert_eq!(metadata["claims_locales_supported"], json!(["de", "ja-Kana-JP"]));
    let without = TestProvider::new().get("/.well-known/openid-configuration");
    assert_eq!(without["claims_locales_supported"], Value::Null);
    for (name, value) in [("name", "A"), ("name#de-CH", "B"), ("name#ja-Kana-JP", "C"), ("nickname#fr", "D")]
    {
        kit.accounts.set_claim("alice", name, json!(value));
    }
    for (locales, name) in [
        ("de", "B"),
        ("ja de", "C"),
        ("xx ja-kana-jp", "C"),
        ("fr", "A"),
        ("", "A"),
        ("<script> \u{202e} de--CH", "A"),
        (&*"fr-FR ".repeat(500), "A"),
    ] {
        let request = asking(&kit, "openid profile", &json!({"id_token": {"name": null, "name#ja": null}}));
        let request = request.set("claims_locales", locales);
        let (userinfo, token) = seen(&kit, &request, allowed("openid profile"));
        assert_eq!((&userinfo["name"], &token.claims["name"]), (&json!(name), &json!(name)), "{locales}");
        assert_eq!(userinfo["name#de-CH"].is_string(), name == "A", "{locales}");
        assert_eq!(token.claims["name#ja-Kana-JP"], "C", "asked for with its tag: {locales}");
        assert_eq!(userinfo["nickname"], if locales.starts_with("fr") { "D" } else { "alice" }, "{locales}");
    }
}

/// CLAIM-06, CLAIM-10: what the person declined stays hidden, and the rest is given.
#[test]
fn declined_claims_stay_hidden() {
    let kit = TestProvider::new();
    let request = asking(
        &kit,
        "openid email phone",
        &json!({"userinfo": {"name": null, "nickname": null}, "id_token": {"name": null}}),
    );
    let answer = ConsentAnswer {
        claims: vec!["nickname".into()],
        rejected_claims: vec!["name".into()],
        rejected_scopes: Scopes::parse("phone").unwrap_or_default(),
        ..allowed("openid email")
    };
    let (userinfo, token) = seen(&kit, &request, answer);
    assert_eq!(sorted(userinfo.member_names()), ["email", "email_verified", "nickname", "sub"]);
    assert_eq!(token.claims["name"], Value::Null);
}

/// The person sees each single claim that is asked for (OIDC Core section 3.1.2.4), and nothing that needs no
/// consent.
#[test]
fn single_claims_are_asked_about() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = asking(
        &kit,
        "openid",
        &json!({"userinfo": {"birthdate": null}, "id_token": {"acr": null, "sub": null}}),
    );
    let tab = request.open(&ua).expect_page("consent");
    assert!(tab.page().text.contains("birthdate") && !tab.page().text.contains("acr"), "{}", tab.page().text);
    let tokens = kit.exchange(&tab.allow().expect_code());
    assert_eq!(kit.userinfo(tokens.member("access_token"))["birthdate"], "1990-01-02");
    let _ = request.set("prompt", "none").open(&ua).expect_code();
}

/// CLAIM-04, CLAIM-23: what nobody knows is ignored, also where it is a word of some language.
#[test]
fn unknown_claims_are_ignored() {
    let kit = TestProvider::new();
    let odd = json!({"userinfo": {"__proto__": null, "constructor": {"value": 1}, "unknown": null, "": null, "\u{e4}": null},
        "id_token": {"toString": {"essential": true}}, "verified_claims": {"x": 1}});
    let (userinfo, _) = seen(&kit, &asking(&kit, "openid", &odd), allowed("openid"));
    assert_eq!(userinfo.member_names(), ["sub"]);
}

/// CLAIM-07: the operator's own scopes and claims.
#[test]
fn an_operators_own_claims() {
    let kit = TestProvider::builder()
        .configure(|config| {
            if let Ok(scope) = Scope::parse("membership") {
                config.claims.scopes.insert(scope, vec!["member_since".to_owned(), "tier".to_owned()]);
            }
            config.claims.extra.extend(["badge", "tier"].map(str::to_owned));
        })
        .build();
    kit.accounts.set_claim("alice", "member_since", json!(2019));
    kit.accounts.set_claim("alice", "badge", json!({"no": 7}));
    let metadata = kit.get("/.well-known/openid-configuration");
    let has =
        |list: &str, name: &str| metadata[list].as_array().is_some_and(|all| all.contains(&name.into()));
    assert!(
        has("scopes_supported", "membership")
            && has("claims_supported", "tier")
            && has("claims_supported", "badge")
    );
    let supported = metadata["claims_supported"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tiers = supported.iter().filter(|claim| **claim == "tier").count();
    assert_eq!(tiers, 1, "a claim of two scopes is announced once");
    let request = asking(&kit, "openid membership", &json!({"userinfo": {"badge": null}}));
    let (userinfo, _) =
        seen(&kit, &request, ConsentAnswer { claims: vec!["badge".into()], ..allowed("openid membership") });
    assert_eq!((&userinfo["member_since"], &userinfo["badge"]["no"]), (&json!(2019), &json!(7)));
}

/// CLAIM-09: whatever accounts say, the members of the protocol are the protocol's.
#[test]
fn accounts_cannot_replace_the_protocol() {
    let kit = TestProvider::new();
    for name in ["sub", "iss", "aud", "exp", "iat", "nonce", "auth_time", "acr", "amr", "at_hash", "sid"] {
        kit.accounts.set_claim("alice", name, json!("mallory"));
    }
    let wishes = json!({"userinfo": {"sub": null, "acr": null, "iss": null}, "id_token": {"acr": null, "sid": null, "auth_time": null}});
    let (userinfo, token) = seen(&kit, &asking(&kit, "openid email", &wishes), allowed("openid email"));
    assert_eq!(userinfo["sub"], "alice");
    assert!(!userinfo.text().contains("mallory"), "{}", userinfo.text());
    assert!(!token.claims.to_string().contains("mallory"), "{}", token.claims);
    assert_eq!(token.claims["sub"], "alice");
}

/// CLAIM-20: a claim that the person does not have is left out, not sent as null or empty (OIDC Core section
/// 5.3.2).
#[test]
fn what_is_not_there_is_left_out() {
    let kit = TestProvider::new();
    kit.accounts.set_claim("alice", "email", Value::Null);
    kit.accounts.set_claim("alice", "phone_number", json!(""));
    let request =
        asking(&kit, "openid email phone", &json!({"id_token": {"email": null, "email_verified": null}}));
    let (userinfo, token) = seen(&kit, &request, allowed("openid email phone"));
    assert_eq!(sorted(userinfo.member_names()), ["email_verified", "phone_number_verified", "sub"]);
    assert!(!token.names.contains(&"email".to_owned()), "{}", token.claims);
    assert_eq!(token.claims["email_verified"], true);
}

/// CLAIM-14: `sid` when a logout could need it, or when it is asked for.
#[test]
fn the_session_id_on_demand() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"logout","token_endpoint_auth_method":"none","redirect_uris":["https://logout.example/cb"],
                "id_token_signed_response_alg":"ES256","backchannel_logout_uri":"https://logout.example/bye"}"#,
        )
        .build();
    let sid = |request: AuthorizationRequest| seen(&kit, &request, allowed("openid")).1.claims["sid"].clone();
    assert_eq!(sid(kit.authorization_request("web").scope("openid")), Value::Null);
    assert!(sid(asking(&kit, "openid", &json!({"id_token": {"sid": null}}))).is_string());
    assert!(sid(kit.authorization_request("logout").scope("openid")).is_string());
}

/// CLAIM-17, CLAIM-18, CLAIM-19: `at_hash` is the left half of the digest of the token's algorithm.
#[test]
fn the_hash_of_the_access_token() {
    let kit = TestProvider::new();
    for alg in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
        kit.put_client(&format!(
            r#"{{"client_id":"hash","token_endpoint_auth_method":"none","redirect_uris":["https://hash.example/cb"],
                "id_token_signed_response_alg":"{}"}}"#,
            alg.name()
        ));
        let tokens = kit.tokens("alice", "hash", "openid");
        let token = kit.id_token(&tokens, "hash");
        assert_eq!(
            token.claims["at_hash"],
            alg.hash().left_half(tokens.member("access_token")),
            "{}",
            alg.name()
        );
        assert_eq!((token.header.alg, token.header.kid.is_some(), token.header.typ), (alg, true, None));
    }
}

/// CLAIM-01, CLAIM-03: the parameter is always understood, and says so.
#[test]
fn the_parameter_is_always_there() {
    let kit = TestProvider::new();
    assert_eq!(kit.get("/.well-known/openid-configuration")["claims_parameter_supported"], true);
}

/// CLAIM-02, CLAIM-22
#[test]
fn claims_parameters_that_must_be_refused() {
    let kit = TestProvider::new();
    let mut table = NegativeTable::new(&kit);
    for text in [
        "x",
        "[]",
        "null",
        "1",
        "\"\"",
        "{",
        r#"{"userinfo":null}"#,
        r#"{"userinfo":1}"#,
        r#"{"userinfo":[]}"#,
        r#"{"id_token":"sub"}"#,
        r#"{"userinfo":{"email":true}}"#,
        r#"{"userinfo":{"email":"x"}}"#,
        r#"{"userinfo":{"email":[]}}"#,
        r#"{"userinfo":{"email":{"essential":1}}}"#,
        r#"{"id_token":{"acr":{"values":"x"}}}"#,
        r#"{"id_token":{"acr":{"values":null}}}"#,
        r#"{"userinfo":{"email":null,"email":null}}"#,
        r#"{"userinfo":{"email":null,"\u0065mail":null}}"#,
        r#"{"userinfo":{"x":{"y":{"z":1,"z":2}}}}"#,
        r#"{"x":{"y":1,"y":2}}"#,
        r#"{"id_token":{"acr":{"value":"a","value":"b"}}}"#,
        r#"{"id_token":{"sub":{"value":5}}}"#,
        r#"{"id_token":{"sub":{"value":null}}}"#,
        r#"{"id_token":{"sub":{"values":[1,{}]}}}"#,
        r#"{"userinfo":{"sub":{"value":{}}}}"#,
        r#"{"id_token":{"iss":5}}"#,
        r#"{"userinfo":{"email":{"essential":null}}}"#,
        r#"{"userinfo":{"email":{"values":{"0":"a"}}}}"#,
        r#"["userinfo"]"#,
        r#"{"userinfo":{}} x"#,
        "{\"userinfo\":{\"\u{0}\":null}}",
        r#"{'userinfo':{}}"#,
        r#"{"userinfo":{},}"#,
    ] {
        let request = kit.authorization_request("web").scope("openid").set("claims", text);
        // A NUL does not get as far as to be a parameter.
        let refused = if text.contains('\0') {
            Refused::Page(400, "invalid_request")
        } else {
            Refused::Client("invalid_request")
        };
        table = table.row(format!("{text:?}"), request, refused);
    }
    let many: Vec<String> = (0..200).map(|n| format!(r#""email#{n}":null"#)).collect();
    let many = format!("{{\"userinfo\":{{{}}}}}", many.join(","));
    let deep = format!("{}{}", r#"{"userinfo":{"email":{"value":"#, "[".repeat(300));
    table = table.row(
        "deep",
        kit.authorization_request("web").scope("openid").set("claims", &deep),
        Refused::Client("invalid_request"),
    );
    let many = kit.authorization_request("web").scope("openid").set("claims", &many);
    table.row("a claim in 200 languages", many, Refused::Client("invalid_request")).run();
}

/// FR-10: OIDC Core section 5.5: both members are optional; members and claims that are not understood are
/// ignored, whatever their values.
#[test]
fn what_is_not_understood_is_ignored() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_answered("alice", "web", ConsentAnswer { claims: vec!["email".into()], ..allowed("openid") });
    for claims in [
        r#"{}"#,
        r#"{"access_token":{"x":null}}"#,
        r#"{"access_token":null,"x":[],"":1}"#,
        r#"{"id_token":{}}"#,
        r#"{"userinfo":{},"id_token":{}}"#,
        r#"{"USERINFO":1,"userinfo ":null}"#,
        r##"{"userinfo":{"x":true,"y":[1],"z":"","#":null,"#de":{},"verified_claims":5}}"##,
        r#"{"userinfo":{"x":{"essential":"yes","values":1}}}"#,
        r#"{"userinfo":{"email":{"purpose":"why","x":{"y":null}}}}"#,
        r#"{"id_token":{"acr":{"value":null}}}"#,
        r#"{"id_token":{"sub":{"values":[]}}}"#,
    ] {
        let request =
            kit.authorization_request("web").scope("openid").set("claims", claims).set("prompt", "none");
        let tokens = kit.exchange(&request.open(&ua).expect_code()).expect_status(200);
        let info = kit.userinfo(tokens.member("access_token")).expect_status(200);
        let has_email = info.member_names() == ["sub", "email"];
        assert_eq!(has_email, claims.contains("\"email\""), "{claims}: {}", info.text());
    }
}

/// FR-09: OIDC Core sections 5.2 and 5.5.2: a claim can be asked for in one language, in any case of the tag,
/// also less specifically than the person's; the page asks for the claim, whatever its language.
#[test]
fn a_claim_can_be_asked_for_in_one_language() {
    let kit = TestProvider::new();
    let said = json!({"name": "A", "name#de": "B", "name#ja-Kana-JP": "C", "name#de-CH": "D", "nickname#de": "E",
        "sub#de": "mallory", "auth_time#de": "mallory"});
    for (name, value) in said.as_object().into_iter().flatten() {
        kit.accounts.set_claim("alice", name, value.clone());
    }
    let answered = |claim: &str| ConsentAnswer { claims: vec![claim.into()], ..allowed("openid") };
    for (asked, names) in [
        ("name#de", &["name#de", "name#de-CH"][..]),
        ("name#DE", &["name#de", "name#de-CH"]),
        ("name#de-ch", &["name#de-CH"]),
        ("name#ja", &["name#ja-Kana-JP"]),
        ("name#ja-kana-jp", &["name#ja-Kana-JP"]),
        ("name#d", &[]),
        ("name#", &[]),
        ("name#de#de", &[]),
        ("name#fr", &[]),
        ("#de", &[]),
        ("sub#de", &[]),
        ("auth_time#de", &[]),
        ("nickname#de", &["nickname#de"]),
    ] {
        let claim = asked.split('#').next().unwrap_or_default();
        let request = asking(
            &kit,
            "openid",
            &json!({"userinfo": {asked: null}, "id_token": {asked: {"essential": true}}}),
        );
        let (userinfo, token) = seen(&kit, &request, answered(claim));
        let tagged = |all: Vec<String>| sorted(all.into_iter().filter(|name| name.contains('#')));
        assert_eq!(tagged(userinfo.member_names()), sorted(names.iter().copied()), "{asked}");
        assert_eq!(tagged(token.names), sorted(names.iter().copied()), "{asked}");
        assert!(
            !userinfo.text().contains("mallory") && userinfo["name"] == Value::Null,
            "{}",
            userinfo.text()
        );
    }
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let both = asking(&kit, "openid", &json!({"userinfo": {"nickname#de": null, "nickname#fr": null}}));
    let page = both.open(&ua).expect_page("consent");
    assert_eq!(page.page().text.matches("nickname").count(), 1, "{}", page.page().text);
    let tokens = kit.exchange(&page.allow().expect_code());
    assert_eq!(kit.userinfo(tokens.member("access_token"))["nickname#de"], "E");
    let _ = both.set("prompt", "none").open(&ua).expect_code();
    // What was declined is declined in every language, and what is not registered is not registered in any.
    let declined = ConsentAnswer { rejected_claims: vec!["name".into()], ..allowed("openid") };
    let request = asking(&kit, "openid", &json!({"userinfo": {"name#de": null}}));
    assert_eq!(seen(&kit, &request, declined).0.member_names(), ["sub"]);
    kit.put_client(&format!(
        r#"{{"client_id":"little","client_secret":"{SECRET}","redirect_uris":["https://little.example/cb"],
            "id_token_signed_response_alg":"ES256","scope":"openid","chancery":{{"consent":"implied"}}}}"#
    ));
    let request = kit.authorization_request("little").scope("openid");
    let request = request.set("claims", r#"{"userinfo":{"name#de":null}}"#);
    assert_eq!(seen(&kit, &request, ConsentAnswer::default()).0.member_names(), ["sub"]);
}

/// OIDC Core section 5.2: a claim in a certain language goes where the claim goes, and nowhere else.
#[test]
fn claims_in_other_languages_come_with_the_claim() {
    let kit = TestProvider::new();
    for name in ["name#ja", "name#de", "email#de", "sub#de", "iss#de"] {
        kit.accounts.set_claim("alice", name, json!("a value"));
    }
    let request = asking(&kit, "openid profile", &json!({"id_token": {"name": null}}));
    let (userinfo, token) = seen(&kit, &request, allowed("openid profile"));
    for (names, of) in [(userinfo.member_names(), "UserInfo"), (token.names, "the ID token")] {
        let tagged: Vec<&str> = names.iter().map(|name| &**name).filter(|name| name.contains('#')).collect();
        assert_eq!(sorted(tagged), ["name#de", "name#ja"], "{of}");
    }
}
