//! OAuth 2.0 Multiple Response Types section 4: the response type `none`.

use chancery_core::interaction::prompt::{CONSENT_MISSING, NO_SESSION};
use chancery_core::request::validated::RESPONSE_TYPE_UNREGISTERED;
use chancery_core::rule::claims::WITHOUT_TOKENS;
use chancery_testkit::{
    AuthorizationRequest, NegativeTable, Refused, SECRET, TestProvider, UserAgent, assert_refused, days,
    seconds,
};

fn kit() -> TestProvider {
    TestProvider::builder()
        .client(&format!(
            r#"{{"client_id":"shop","client_secret":"{SECRET}","redirect_uris":["https://shop.example/cb?x=1"],
                "response_types":["none"],"id_token_signed_response_alg":"ES256"}}"#
        ))
        .client(
            r#"{"client_id":"app","application_type":"native","token_endpoint_auth_method":"none",
                "redirect_uris":["com.example.app:/cb"],"response_types":["code","none"]}"#,
        )
        .build()
}

fn request(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("shop").set("response_type", "none").scope("openid email").without_pkce()
}

fn person(kit: &TestProvider) -> UserAgent<'_> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "shop", "openid email");
    ua
}

/// AUTHZ-46, RMODE-01: `state` and `iss` alone, in the query, after login and consent, which is remembered. Nothing
/// is issued.
#[test]
fn the_answer_says_yes_and_nothing_else() {
    let kit = kit();
    let ua = kit.user_agent();
    let tab = request(&kit).open(&ua).expect_page("login").login("alice").expect_page("consent").allow();
    let arrival = tab.expect_arrival();
    assert_eq!((arrival.mode, arrival.uri.as_str()), ("query", "https://shop.example/cb"));
    assert_eq!(arrival.names(), ["x", "state", "iss"]);
    assert_eq!(tab.event_names(), ["consent_given", "authorization_granted"]);
    let arrival = request(&kit).without("state").set("prompt", "none").open(&ua).expect_arrival();
    assert_eq!(arrival.names(), ["x", "iss"], "the consent is remembered");
    assert_eq!(kit.withdraw_consent("alice", "shop").0, 0, "there is no grant");
    assert_refused!(request(&kit).set("prompt", "none").open(&ua), CONSENT_MISSING);
}

/// RMODE-02: every mode carries it.
#[test]
fn every_mode_is_good() {
    let kit = kit();
    let ua = person(&kit);
    for mode in ["query", "fragment", "form_post"] {
        let arrival = request(&kit).set("response_mode", mode).open(&ua).expect_arrival();
        assert_eq!(arrival.mode, mode);
        assert_eq!(arrival.value("state"), Some("a state of the client"));
    }
}

/// PKCE-05: there is no code to protect.
#[test]
fn a_challenge_is_ignored() {
    let kit = kit();
    let ua = person(&kit);
    let with = request(&kit).pkce("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    for request in [with.clone(), with.set("code_challenge_method", "plain")] {
        assert_eq!(request.open(&ua).expect_arrival().names(), ["x", "state", "iss"]);
    }
}

/// POL-18: any program on the device can imitate a native client, but there is nothing to get.
#[test]
fn a_native_client_is_not_asked_about_each_time() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "app", "openid");
    let request = |response_type| {
        let request = kit.authorization_request("app").scope("openid");
        request.set("response_type", response_type).set("prompt", "none")
    };
    let _ = request("code").open(&ua).expect_error("consent_required");
    assert_eq!(request("none").open(&ua).expect_arrival().names(), ["state", "iss"]);
}

/// INT-06, INT-10..14: a step that is repeated leads to the client again; later there is a page with a way on.
/// Who has said no first has said no.
#[test]
fn it_is_answered_once() {
    let kit = kit();
    for says_yes in [true, false] {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let consent = request(&kit).open(&ua).expect_page("consent");
        let first = if says_yes { consent.allow() } else { consent.deny() };
        for again in [first, consent.allow(), consent.deny()] {
            let error = again.expect_arrival().value("error").map(str::to_owned);
            assert_eq!(error.as_deref(), (!says_yes).then_some("access_denied"));
        }
        kit.clock.advance(seconds(11));
        let _ = consent.allow().expect_way_on();
        let _ = kit.withdraw_consent("alice", "shop");
    }
}

/// Nothing is written but what a visit changes in the session: one call of the store less than for a code,
/// and no look whether a consent that nothing rests on still stands.
#[test]
fn it_costs_less_than_a_code() {
    let kit = kit();
    let ua = person(&kit);
    let trips = || kit.trips(|| request(&kit).open(&ua).expect_arrival()).1;
    assert_eq!(trips(), 3, "the client is new to the session");
    assert_eq!(trips(), 2);
    kit.clock.advance(days(2));
    assert_eq!(trips(), 3, "the idle end moves");
}

/// AUTHZ-08, CLAIM-02, AUTHZ-46: what has to be refused as with any other response type.
#[test]
fn requests_that_must_be_refused() {
    let kit = kit();
    let ua = kit.user_agent();
    assert_refused!(request(&kit).set("prompt", "none").open(&ua), NO_SESSION);
    let claims = r#"{"id_token":{"email":null}}"#;
    assert_refused!(request(&kit).set("claims", claims).open(&ua), WITHOUT_TOKENS);
    let other = kit.authorization_request("web").set("response_type", "none").scope("openid");
    assert_refused!(other.open(&ua), RESPONSE_TYPE_UNREGISTERED);
    let client = Refused::Client("invalid_request");
    NegativeTable::new(&kit)
        .row("empty claims", request(&kit).set("claims", "{}"), client)
        .row("max_age without openid", request(&kit).scope("email").set("max_age", "1"), client)
        .row("no scope", request(&kit).without("scope"), Refused::Client("invalid_scope"))
        .row("a code", request(&kit).set("response_type", "code"), Refused::Client("unauthorized_client"))
        .row(
            "none with another",
            request(&kit).set("response_type", "none code"),
            Refused::Client("unsupported_response_type"),
        )
        .row(
            "a foreign redirect URI",
            request(&kit).set("redirect_uri", "https://evil.example/"),
            Refused::Page(400, "invalid_request"),
        )
        .run();
}
