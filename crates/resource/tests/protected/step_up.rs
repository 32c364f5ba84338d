//! RFC 9470: an API that demands another authentication, and the way there and back.

use std::ops::ControlFlow;

use bytes::Bytes;
use chancery_core::interaction::{Next, Step};
use chancery_core::model::{Acr, Amr};
use chancery_core::ports::BoxFuture;
use chancery_core::request::PageError;
use chancery_http::{Content, Html, Locale, OwnForm, Page, Pages, PlainPages, Service};
use chancery_testkit::{Answer, Tab, TestProvider, TestProviderBuilder, minutes, password_of, seconds};
use http::{Request, Response};
use http_body_util::Full;
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

/// Section 3: `max_age` is in whole seconds, in the challenge as in the comparison.
#[test]
fn an_age_is_in_whole_seconds() {
    let api = api(TestProvider::builder());
    let mut claims = api.claims();
    claims["auth_time"] = (api.kit.now().secs() - 1).into();
    let token = api.signed(&claims);
    api.kit.clock.advance(std::time::Duration::from_millis(400));
    let layer = api.resource.layer().max_age(std::time::Duration::from_millis(1900));
    let refused = api.send(&layer, bearer(&token));
    assert!(refused.challenge.contains(", max_age=\"1\", "), "{} {}", refused.status, refused.challenge);
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

/// What a password and a code of the moment reach together.
const GOLD: &str = "urn:example:gold";

/// The code of the moment.
const CODE: &str = "314159";

/// The application's login page, which asks for a code, too, and posts to the application.
struct WithCode;

impl Pages for WithCode {
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let Content::Login(_, form) = page.content else { return PlainPages.page(page, locale) };
        Html::new(format!(
            r#"<!doctype html><html lang="en"><title>Sign in</title><main data-page="login">
            <form method="post" action="/sign-in">{}<input name="username"><input name="password" type="password">
            <input name="code"><button name="action" value="login">Sign in</button></form></main></html>"#,
            form.hidden_inputs()
        ))
    }
}

/// Whoever has the code as well has reached the higher class.
async fn sign_in(form: &OwnForm) -> Result<Next, PageError> {
    let step = match form.step().await? {
        ControlFlow::Continue(Step::Login(step)) => step,
        ControlFlow::Continue(other) => return form.press(other).await,
        ControlFlow::Break(next) => return Ok(next),
    };
    let (step, who) = match step.password(form.login()).await? {
        ControlFlow::Continue(right) => right,
        ControlFlow::Break(next) => return Ok(next),
    };
    let who = match form.field("code") {
        Some(CODE) => who.and(Amr::ONE_TIME_PASSWORD, step.now()).reaching(Acr(GOLD.into())),
        _ => who,
    };
    Ok(step.authenticated(who).await?)
}

fn application(service: &Service, request: Request<Bytes>) -> BoxFuture<'_, Response<Full<Bytes>>> {
    Box::pin(async move {
        match service.own_form(request.map(Full::new)).await {
            Ok(form) => form.respond(sign_in(&form)).await,
            Err(page) => page,
        }
    })
}

/// The whole way to a higher class (section 2, figure 1), with a login that reaches it: the route refuses the token of a
/// password alone and names the class, the authorization request asks for it, the person signs in again although there is a
/// session, and the new token is let through. The former one is not.
#[test]
fn there_and_back_to_a_higher_class() {
    let kit = TestProvider::builder().acr(GOLD).pages(WithCode).application("/sign-in", application);
    let api = api(kit.configure(|config| config.interaction.acr_values_are_essential = true));
    let ua = api.kit.user_agent();
    let authorize = || api.kit.authorization_request("jwt").scope("openid read");
    let typed = |code: &str| {
        let typed = [("username", "alice"), ("password", &password_of("alice")), ("code", code)];
        typed.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let tokens =
        |tab: &Tab<'_, '_>| -> Answer { api.kit.code_request(&tab.expect_code()).send().expect_status(200) };
    let login = authorize().open(&ua).expect_page("login");
    let first = tokens(&login.submit(&typed(""), ("action", "login")).expect_page("consent").allow());
    let read =
        |tokens: &Answer, acr_values: &[&str]| told(&api, tokens.member("access_token"), acr_values, None);
    assert_eq!(read(&first, &[]).status, 200, "a route without demands");
    let refused = read(&first, &[GOLD]);
    assert_eq!((refused.status, &refused.body["error"]), (401, &json!("insufficient_user_authentication")));
    let acr_values = refused.challenge.split("acr_values=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(acr_values, GOLD);

    let login = || authorize().param("acr_values", acr_values).open(&ua).expect_page("login");
    // The password once more leads to an error, and not to a token that is refused again.
    let again = login().submit(&typed(""), ("action", "login"));
    let _ = again.expect_error("unmet_authentication_requirements");
    let second = tokens(&login().submit(&typed(CODE), ("action", "login")));
    let passed = read(&second, &[GOLD]);
    assert_eq!((passed.status, &passed.body["acr"]), (200, &json!(GOLD)), "{}", passed.reason);
    assert_eq!(passed.body["amr"], json!(["pwd", "otp"]));
    assert_eq!(read(&first, &[GOLD]).status, 401, "what was issued before stays what it was");
    // The session has the class from now on.
    let third = tokens(&authorize().param("acr_values", acr_values).open(&ua));
    assert_eq!(read(&third, &[GOLD]).status, 200);
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
