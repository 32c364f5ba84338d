//! An application's own prompt on pages of another origin: what the person enters goes, as JSON, to an address
//! of the application (OIDC Core section 3.1.2.1; Fetch, section "CORS protocol").

#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;

use bytes::Bytes;
use chancery_core::error::Fault;
use chancery_core::interaction::{Next, Step};
use chancery_core::model::{CustomPromptName, PromptName};
use chancery_core::policy::{AuthorizationPolicy, CustomPrompt, PersonView, RequestView};
use chancery_core::ports::BoxFuture;
use chancery_core::request::PageError;
use chancery_http::{OwnForm, Service};
use chancery_testkit::{Answer, FrontEnd, TestProvider, UserAgent};
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Method, Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};

/// Everybody has to accept the terms, each time.
struct Terms;

impl AuthorizationPolicy for Terms {
    fn prompts(&self) -> Vec<PromptName> {
        ["login", "terms", "consent"].map(|name| PromptName::parse(name).unwrap()).into()
    }

    async fn custom_prompt(
        &self,
        _: &CustomPromptName,
        _: RequestView<'_>,
        _: PersonView<'_>,
    ) -> Result<Option<CustomPrompt>, Fault> {
        Ok(Some(CustomPrompt::new(json!({"version": 7}))))
    }
}

async fn accept(form: &OwnForm) -> Result<Next, PageError> {
    assert_ne!(form.field("accepted"), Some("13"), "nobody has thought of that");
    match form.step().await? {
        ControlFlow::Continue(Step::Custom(step)) if form.field("accepted") == Some("7") => {
            Ok(step.done().await?)
        }
        ControlFlow::Continue(other) => form.press(other).await,
        ControlFlow::Break(next) => Ok(next),
    }
}

fn application(service: &Service, request: Request<Bytes>) -> BoxFuture<'_, Response<Full<Bytes>>> {
    Box::pin(async move {
        match service.own_form(request.map(Full::new)).await {
            Ok(form) => form.respond(accept(&form)).await,
            Err(answer) => answer,
        }
    })
}

fn provider() -> TestProvider {
    let location = "https://login.id.example/".to_owned().try_into().unwrap();
    TestProvider::builder()
        .authorization_policy(Terms)
        .application("/terms", application)
        .configure(|config| config.interaction.location = Some(location))
        .build()
}

fn pages<'u, 'k>(ua: &'u UserAgent<'k>) -> FrontEnd<'u, 'k> {
    ua.front_end("https://login.id.example")
}

fn view(ua: &UserAgent<'_>) -> Answer {
    let arrival = ua.provider().authorization_request("web").scope("openid").open(ua).expect_arrival();
    pages(ua).view(arrival.value("interaction").unwrap())
}

/// What the page sends to the application.
fn sent(ua: &UserAgent<'_>, view: &Answer, entered: Value) -> Request<Bytes> {
    let mut request = pages(ua).to_post("terms", view, entered);
    *request.uri_mut() = "/terms".parse().unwrap();
    request
}

/// POL-08
#[test]
fn an_own_prompt_is_answered_at_an_address_of_the_application() {
    let kit = provider();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let terms = view(&ua);
    assert_eq!((&terms["prompt"], &terms["data"]), (&json!("terms"), &json!({"version": 7})));
    assert_eq!(terms["account"]["label"], "alice");
    let again = pages(&ua).send(sent(&ua, &terms, json!({"accepted": "6"})));
    assert_eq!(again["prompt"], "terms", "{}", again.text());
    let allowed = pages(&ua).send(sent(&ua, &again, json!({"accepted": "7"}))).expect_status(200);
    assert!(allowed.member("redirect_to").starts_with("https://web.example/cb?code="), "{}", allowed.text());
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://login.id.example"));
    assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
    let refused = pages(&ua).post("abort", &view(&ua), json!({}));
    assert!(refused.member("redirect_to").contains("error=access_denied"), "{}", refused.text());
}

/// A panic of the application's code is answered so that the script of the page can read it.
#[test]
fn a_panic_of_the_application_is_json_for_its_page() {
    let kit = provider();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let answer = pages(&ua).send(sent(&ua, &view(&ua), json!({"accepted": "13"}))).expect_status(500);
    assert_eq!(answer["error"], "server_error");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://login.id.example"));
    assert!(answer.event_names().contains(&"faulted") && !answer.text().contains("thought of"));
}

/// The preflight of the application's address is answered there, for the pages alone.
#[test]
fn the_application_answers_a_preflight() {
    let kit = provider();
    let ua = kit.user_agent();
    for (origin, expected) in [("https://login.id.example", Some("POST")), ("https://evil.example", None)] {
        let mut request = ua.front_end(origin).to_http(&Method::OPTIONS, "/terms", None);
        request.headers_mut().insert("access-control-request-method", "POST".parse().unwrap());
        let answer = kit.send(request).expect_status(204);
        assert_eq!(answer.header("access-control-allow-methods"), expected, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin").is_some(), expected.is_some(), "{origin}");
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[test]
fn what_others_send_to_the_application_is_not_read() {
    let kit = provider();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    for browser in [&ua, &other] {
        browser.signed_in("alice");
        browser.has_consented("alice", "web", "openid");
    }
    let (terms, _) = (view(&ua), view(&other));
    let request = || sent(&ua, &terms, json!({"accepted": "7"}));
    let with = |name: http::HeaderName, value: &str| {
        let mut request = request();
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let mut without_origin = request();
    without_origin.headers_mut().remove(ORIGIN);
    let mut not_json = request();
    *not_json.body_mut() = Bytes::from_static(b"accepted=7");
    for (row, request, status) in [
        ("another origin", with(ORIGIN, "https://evil.example"), 403),
        ("our own origin", with(ORIGIN, "https://id.example"), 403),
        ("no origin", without_origin, 403),
        ("text", with(CONTENT_TYPE, "text/plain"), 400),
        ("a form", with(CONTENT_TYPE, "application/x-www-form-urlencoded"), 400),
        ("no JSON", not_json, 400),
        ("no text", sent(&ua, &terms, json!({"accepted": 7})), 400),
    ] {
        let answer = kit.send(request).expect_status(status);
        assert_eq!(
            (&answer["error"], &answer["redirect_to"]),
            (&json!("invalid_request"), &Value::Null),
            "{row}"
        );
    }
    // What is named like a field of the form is none.
    let hidden = json!({"accepted": "7", "token": "x", "request": "client_id=post"});
    assert!(kit.send(sent(&other, &terms, hidden.clone()))["redirect_to"].is_null(), "another browser");
    assert!(
        kit.send(sent(&ua, &terms, hidden)).member("redirect_to").starts_with("https://web.example/cb?code=")
    );
}
