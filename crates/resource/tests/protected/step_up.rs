//! RFC 9470: an API that demands another authentication, and the way there and back.

use chancery_testkit::{Answer, TestProvider, TestProviderBuilder, minutes, seconds};
use serde_json::json;

use crate::api::{Api, Told, bearer};

fn api(kit: TestProviderBuilder) -> Api {
    Api::with(kit, |builder| builder)
}

fn told(api: &Api, token: &str, acr_values: &[&str], max_age: Option<u64>) -> Told {
    let layer = api.resource.layer().acr_values(acr_values.iter().copied());
    let layer = match max_age {
        Some(age) => layer.max_age(seconds(age)),
        None => layer,
    };
    api.send(&layer, bearer(token))
}

/// Section 3: what is demanded stands in the challenge, both even if one is missed.
#[test]
fn the_challenge() {
    let api = api(TestProvider::builder());
    let now = api.kit.now().secs();
    let with = |acr: Option<&str>, age: Option<i64>| {
        let mut claims = api.claims();
        if let Some(acr) = acr {
            claims["acr"] = acr.into();
        }
        if let Some(age) = age {
            claims["auth_time"] = (now - age).into();
        }
        api.signed(&claims)
    };
    for (token, acr_values, max_age) in [
        (with(Some("silver"), None), &["gold", "silver"][..], None),
        (with(None, Some(60)), &[], Some(60)),
        (with(Some("gold"), Some(0)), &["gold"], Some(1)),
        (with(None, None), &[], None),
    ] {
        assert_eq!(told(&api, &token, acr_values, max_age).status, 200, "{acr_values:?} {max_age:?}");
    }
    for (token, acr_values, max_age, parameters) in [
        (with(None, Some(0)), &["gold", "silver"][..], None, ", acr_values=\"gold silver\", "),
        (with(Some("bronze"), Some(0)), &["gold"], None, ", acr_values=\"gold\", "),
        (with(Some("golden"), Some(0)), &["gold"], None, ", acr_values=\"gold\", "),
        (with(Some("gold"), Some(61)), &[], Some(60), ", max_age=\"60\", "),
        (with(Some("gold"), None), &[], Some(60), ", max_age=\"60\", "),
        (with(Some("gold"), Some(-31)), &[], Some(60), ", max_age=\"60\", "),
        (with(Some("gold"), Some(1)), &["gold"], Some(0), ", acr_values=\"gold\", max_age=\"0\", "),
        (with(Some("bronze"), Some(9)), &["gold"], Some(60), ", acr_values=\"gold\", max_age=\"60\", "),
    ] {
        let refused = told(&api, &token, acr_values, max_age);
        assert_eq!(
            (refused.status, &refused.body["error"]),
            (401, &json!("insufficient_user_authentication"))
        );
        assert!(refused.challenge.contains(parameters), "{} {parameters}", refused.challenge);
        assert!(refused.challenge.starts_with(
            "Bearer realm=\"https://jwt-api.example\", error=\"insufficient_user_authentication\", error_description=\""
        ));
    }
}

/// The whole way (section 2, figure 1): refused for its age, authorization with the `max_age` of the challenge, which asks
/// the person again although there is a session, a new token, which is taken.
#[test]
fn there_and_back_by_age() {
    let api = api(TestProvider::builder());
    let ua = api.kit.user_agent();
    ua.signed_in("alice");
    let exchanged = |code| -> Answer { api.kit.code_request(&code).send().expect_status(200) };
    let authorize = || api.kit.authorization_request("jwt").scope("openid read");
    let first = exchanged(authorize().open(&ua).allow().expect_code());
    let read = |tokens: &Answer| told(&api, tokens.member("access_token"), &[], Some(120));
    assert_eq!(read(&first).status, 200);
    api.kit.clock.advance(minutes(3));
    let refused = read(&first);
    assert_eq!(refused.reason, "access_token_authentication_too_old");
    let max_age = refused.challenge.split("max_age=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = authorize().param("max_age", max_age).open(&ua);
    let second = exchanged(page.login("alice").expect_code());
    assert_eq!(read(&second).status, 200);
    assert_eq!(read(&second).body["auth_time"], api.kit.now().secs());
}

/// Section 5, with `interaction.acr_values_are_essential`: the class of the challenge is asked for on the way; where it cannot be
/// reached, the client is told, instead of getting a token that is refused again.
#[test]
fn there_and_back_by_class() {
    let essential = |kit: TestProviderBuilder| {
        api(kit.configure(|config| config.interaction.acr_values_are_essential = true))
    };
    let (gold, password) = ("urn:example:gold", "urn:chancery:acr:password");
    let api = essential(TestProvider::builder());
    let ua = api.kit.user_agent();
    ua.signed_in("alice");
    let authorize = || api.kit.authorization_request("jwt").scope("openid read");
    let code = authorize().param("acr_values", password).open(&ua).allow().expect_code();
    let tokens = api.kit.code_request(&code).send().expect_status(200);
    let token = tokens.member("access_token");
    assert_eq!(told(&api, token, &[gold, password], None).body["acr"], password);
    let refused = told(&api, token, &[gold], None);
    assert_eq!(refused.reason, "access_token_authentication_too_weak");
    let acr_values = refused.challenge.split("acr_values=\"").nth(1).unwrap().split('"').next().unwrap();
    let unmet = authorize().param("acr_values", acr_values).open(&ua);
    let _ = unmet.expect_error("unmet_authentication_requirements");
    // One of several is enough (OIDC Core section 5.5.1.1).
    let either = format!("{gold} {password}");
    let _ = authorize().param("acr_values", &either).open(&ua).expect_code();
    // Unless an operator says so, they are a wish.
    let wish = Api::new();
    let ua = wish.kit.user_agent();
    ua.signed_in("alice");
    let _ = wish
        .kit
        .authorization_request("jwt")
        .scope("openid read")
        .param("acr_values", gold)
        .open(&ua)
        .allow()
        .expect_code();
}

/// UserInfo is a protected resource, too, with demands of its own (`[userinfo]`).
#[test]
fn userinfo() {
    let kit = TestProvider::builder().configure(|config| config.userinfo.max_age = Some(minutes(2))).build();
    let token = |kit: &TestProvider| kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    let first = token(&kit);
    assert_eq!(kit.userinfo(&first).status, 200);
    kit.clock.advance(minutes(3));
    let refused = kit.userinfo(&first).expect_status(401);
    assert_eq!(refused["error"], "insufficient_user_authentication");
    assert_eq!(
        refused.header("www-authenticate"),
        Some(
            "Bearer realm=\"https://id.example\", error=\"insufficient_user_authentication\", \
             error_description=\"a more recent authentication is required\", max_age=\"120\""
        )
    );
    assert_eq!(kit.userinfo(&token(&kit)).status, 200, "after a new login");
    let kit = TestProvider::builder();
    let kit = kit.configure(|config| {
        config.userinfo = serde_json::from_str(r#"{"acr_values":["gold","silver"]}"#).unwrap()
    });
    let kit = kit.build();
    let refused = kit.userinfo(&token(&kit)).expect_status(401);
    assert!(refused.header("www-authenticate").unwrap().ends_with(", acr_values=\"gold silver\""));
    let without = TestProvider::new();
    assert_eq!(without.userinfo(&token(&without)).status, 200);
}
