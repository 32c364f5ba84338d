//! OIDC Core sections 3.1.2.1, 3.1.2.3, 3.1.2.4 and 5.5.1.1: when a person is asked, and when the client is
//! told that they would have to be.

use chancery_core::interaction::prompt::{
    ACR_NOT_MET, ACR_UNREACHABLE, CONSENT_MISSING, CONSENT_NATIVE, LOGIN_TOO_OLD, NO_SESSION, OTHER_PERSON,
};
use chancery_testkit::{
    AuthorizationRequest, NegativeTable, Refused, Tab, TestProvider, assert_refused, days, hours, millis,
    minutes, seconds,
};
use serde_json::Value;

const PASSWORD: &str = "urn:chancery:acr:password";

/// `claims` that ask for this in the ID token.
fn id_token_claims(what: &str) -> String {
    format!("{{\"id_token\":{{{what}}}}}")
}

/// An OpenID request of the client `web`.
fn openid(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("web").scope("openid")
}

/// The claims of the ID token that comes of a tab's code.
#[track_caller]
fn id_token(kit: &TestProvider, tab: &Tab<'_, '_>) -> Value {
    kit.id_token(&kit.exchange(&tab.expect_code()).expect_status(200), "web").claims
}

/// The ID token of a person for the client `web`.
fn hint(kit: &TestProvider, account: &str) -> String {
    kit.tokens(account, "web", "openid").member("id_token").to_owned()
}

/// POL-01, POL-09: the first unmet check decides, in the order login, account, consent; each page comes once.
#[test]
fn login_comes_before_account_and_consent() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let everything = openid(&kit).set("prompt", "consent select_account login");
    let login = everything.open(&ua).expect_page("login");
    // A login chose the account, too.
    let _ = login.login("alice").expect_page("consent").allow().expect_code();
    kit.clock.advance(seconds(1));
    let _ = everything.open(&ua).expect_page("login");
    let accounts = openid(&kit).set("prompt", "consent select_account").open(&ua).expect_page("accounts");
    let _ = accounts.choose("alice").expect_page("consent").allow().expect_code();
}

/// POL-04, POL-05, A10, oidcc-prompt-none-not-logged-in: with `prompt=none` the client is told; no page, no
/// cookie, no write.
#[test]
fn prompt_none_shows_no_page_and_sets_no_cookie() {
    let kit = TestProvider::new();
    let silent = || openid(&kit).set("prompt", "none");
    let ua = kit.user_agent();
    kit.counting.reset();
    let refused = silent().open(&ua);
    let arrival = refused.expect_error("login_required");
    assert_eq!(arrival.names(), ["error", "error_description", "state", "iss"]);
    assert_refused!(refused, NO_SESSION);
    assert_eq!(refused.answer().header("set-cookie"), None);
    assert_eq!((ua.session_cookie(), ua.browser_cookie()), (None, None));

    ua.signed_in("alice");
    let refused = silent().open(&ua);
    let _ = refused.expect_error("consent_required");
    assert_refused!(refused, CONSENT_MISSING);
    assert_eq!(refused.answer().header("set-cookie"), None);
    assert_eq!(kit.counting.writes(), 1, "what signed her in");

    ua.has_consented("alice", "web", "openid");
    let _ = silent().open(&ua).expect_code();
    kit.clock.advance(seconds(2));
    let refused = silent().set("max_age", "1").open(&ua);
    let _ = refused.expect_error("login_required");
    assert_refused!(refused, LOGIN_TOO_OLD);
}

/// POL-05, POL-11: the code of each check with `prompt=none`.
#[test]
fn each_check_has_its_code() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let silent = || openid(&kit).set("prompt", "none");
    let bob = silent().set("id_token_hint", &hint(&kit, "bob")).open(&ua);
    let _ = bob.expect_error("login_required");
    assert_refused!(bob, OTHER_PERSON);
    let native = kit.authorization_request("native").scope("openid").set("prompt", "none");
    ua.has_consented("alice", "native", "openid");
    let native = native.open(&ua);
    let _ = native.expect_error("consent_required");
    assert_refused!(native, CONSENT_NATIVE);
    let unreachable =
        silent().set("claims", &id_token_claims(r#""acr":{"essential":true,"value":"gold"}"#)).open(&ua);
    let _ = unreachable.expect_error("unmet_authentication_requirements");
    assert_refused!(unreachable, ACR_UNREACHABLE);
}

/// POL-06, AUTHZ-31, A10: `prompt=login` shows a login form though somebody is signed in, and gives a newer
/// `auth_time`.
#[test]
fn prompt_login_asks_again() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let first = openid(&kit).open(&ua).login("alice").expect_page("consent").allow();
    let before = id_token(&kit, &first);
    kit.clock.advance(seconds(5));
    let login = openid(&kit).set("prompt", "login").open(&ua).expect_page("login");
    let again = login.login_wrongly("alice").expect_page("login");
    let after = id_token(&kit, &again.login("alice"));
    assert_eq!(after["auth_time"].as_i64(), before["auth_time"].as_i64().map(|time| time + 5));
    assert_eq!((&after["acr"], &after["amr"][0]), (&Value::from(PASSWORD), &Value::from("pwd")));
}

/// POL-06: a page that was left open does not satisfy `prompt=login` of a later request, and neither does its
/// form token.
#[test]
fn an_older_token_does_not_satisfy_prompt_login() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let old = kit.authorization_request("post").scope("openid").open(&ua).expect_page("login");
    kit.clock.advance(minutes(1));
    let _ = openid(&kit).open(&ua).login("alice").expect_page("consent").allow().expect_code();
    kit.clock.advance(minutes(1));
    let login = openid(&kit).set("prompt", "login").open(&ua).expect_page("login");
    let (mut form, old) = (login.form(), old.form());
    let token = old.fields.iter().find(|(name, _)| name == "token").cloned().into_iter();
    form.fields.retain(|(name, _)| name == "request");
    form.fields.extend(token);
    let shown = login.post(&form.action, &form.fields).expect_page("login");
    assert_eq!(shown.event_names(), ["refused", "prompt_shown"]);
}

/// POL-10: exactly the age that is allowed passes; a login for this request satisfies every `max_age`.
#[test]
fn an_age_of_exactly_max_age_passes() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = openid(&kit).set("max_age", "600");
    kit.clock.advance(seconds(600));
    let token = id_token(&kit, &request.open(&ua));
    assert!(token["auth_time"].is_i64());
    kit.clock.advance(millis(1));
    let login = request.open(&ua).expect_page("login");
    kit.clock.advance(seconds(3));
    let newer = id_token(&kit, &login.login("alice"));
    assert_eq!(newer["auth_time"], kit.now().secs());
}

/// AUTHZ-34, POL-10: `max_age=0` is a login each time, and with `prompt=none` an error.
#[test]
fn max_age_of_zero_is_a_login() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    kit.clock.advance(millis(1));
    let zero = openid(&kit).set("max_age", "0");
    let _ = zero.open(&ua).expect_page("login").login("alice").expect_code();
    kit.clock.advance(millis(1));
    let _ = zero.clone().set("prompt", "none").open(&ua).expect_error("login_required");
    let _ = zero.open(&ua).expect_page("login");
}

/// FR-01: the server's clock is set back after a login. What was done for the request is known without it:
/// `prompt=login` and `max_age=0` ask again, as does an age that cannot be known; and a login for the request
/// is enough, whatever the clock does between page and form.
#[test]
fn a_clock_that_was_set_back_spares_no_login() {
    let ahead = |kit: &TestProvider| kit.clock.set(kit.now() + minutes(2));
    let back = |kit: &TestProvider| kit.clock.set(kit.now() - minutes(2));
    for (name, value) in [("prompt", "login"), ("max_age", "0"), ("max_age", "60"), ("max_age", "600")] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.has_consented("alice", "web", "openid");
        ahead(&kit);
        let _ = openid(&kit).open(&ua).login("alice").expect_code();
        back(&kit);
        let silent = openid(&kit).set(name, value);
        if name == "max_age" {
            let _ = silent.clone().set("prompt", "none").open(&ua).expect_error("login_required");
        }
        let login = silent.open(&ua).expect_page("login");
        let token = id_token(&kit, &login.login("alice"));
        assert_eq!(token["auth_time"], kit.now().secs(), "{name}={value}");
        // Set back between the page and its form, and between a login and the consent after it.
        let page = openid(&kit).set(name, value).set("scope", "openid email").open(&ua);
        let page = if page.page().name == "login" { page } else { continue };
        back(&kit);
        let consent = page.login("alice").expect_page("consent");
        back(&kit);
        let _ = consent.reload().expect_page("consent").allow().expect_code();
    }
}

/// OIDC Core section 3.1.2.1: a login as one person is none as the other, who is chosen afterwards.
#[test]
fn a_login_counts_for_who_signed_in() {
    for (name, value) in [("prompt", "login"), ("max_age", "0")] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.has_consented("alice", "web", "openid");
        ua.signed_in("alice");
        let claims = id_token_claims(r#""sub":{"value":"alice"}"#);
        let request = openid(&kit).set("claims", &claims).set(name, value);
        let chooser = request.open(&ua).expect_page("login").login("bob").expect_page("accounts");
        let login = chooser.choose("alice").expect_page("login");
        let _ = login.login("alice").expect_code();
    }
}

/// AUTHZ-37: `default_max_age` of the client counts where the request says nothing.
#[test]
fn the_client_can_have_a_default_max_age() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"strict","client_secret":"a-secret-of-forty-three-characters-for-test",
                "redirect_uris":["https://strict.example/cb"],"default_max_age":60}"#,
        )
        .build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "strict", "openid");
    let request = kit.authorization_request("strict").scope("openid");
    kit.clock.advance(seconds(60));
    let _ = request.open(&ua).expect_code();
    kit.clock.advance(seconds(1));
    let _ = request.open(&ua).expect_page("login");
    let _ = request.set("max_age", "3600").open(&ua).expect_code();
}

/// GAP-01, POL-11, POL-12, A10: another person than the one of `id_token_hint` is refused, also after signing
/// in.
#[test]
fn the_hinted_person_and_nobody_else() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = openid(&kit).set("id_token_hint", &hint(&kit, "alice"));
    let chooser = request.open(&ua).expect_page("login").login("bob").expect_page("accounts");
    assert!(chooser.page().text.contains("expects a person who is not signed in"), "{}", chooser.page().text);
    // Choosing the wrong person again leads back to the same question.
    let chooser = chooser.choose("bob").expect_page("accounts");
    let login = chooser.choose_another().expect_page("login");
    let done = login.login("alice");
    let done = if done.page().name == "consent" { done.allow() } else { done };
    assert_eq!(id_token(&kit, &done)["sub"], "alice");
    // bob is still signed in, behind alice; whom the client expects is found in the list without a question.
    let expected_bob = openid(&kit).set("id_token_hint", &hint(&kit, "bob"));
    assert_eq!(id_token(&kit, &expected_bob.set("prompt", "none").open(&ua))["sub"], "bob");
}

/// AUTHZ-35, oidcc-id-token-hint: the hint may have expired long ago, and it has to be ours and this
/// client's.
#[test]
fn an_expired_hint_is_a_hint() {
    let kit = TestProvider::new();
    let (token, foreign) =
        (hint(&kit, "alice"), kit.tokens("alice", "post", "openid").member("id_token").to_owned());
    kit.clock.advance(days(30));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let silent = openid(&kit).set("prompt", "none");
    assert_eq!(id_token(&kit, &silent.clone().set("id_token_hint", &token).open(&ua))["sub"], "alice");
    let _ = silent.set("id_token_hint", &foreign).open(&ua).expect_error("invalid_request");
}

/// POL-13, GAP-01: the same for `sub` of the `claims` parameter; a hint beside it does not make it void.
#[test]
fn the_person_that_claims_name_and_nobody_else() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("bob");
    ua.has_consented("bob", "web", "openid");
    let request = openid(&kit).set("claims", &id_token_claims(r#""sub":{"value":"alice"}"#));
    let _ = request.clone().set("prompt", "none").open(&ua).expect_error("login_required");
    let chooser = request.open(&ua).expect_page("accounts");
    let login = chooser.choose_another().expect_page("login");
    let _ = login.login("bob").expect_page("accounts");
    let done = login.login("alice").expect_page("consent").allow();
    assert_eq!(id_token(&kit, &done)["sub"], "alice");
    // Two names that differ: nobody is both.
    for name in ["alice", "bob"] {
        let both = request.clone().set("id_token_hint", &hint(&kit, "bob")).set("prompt", "none").open(&ua);
        let _ = both.expect_arrival();
        assert!(!both.is_answered_with("code"), "{name}");
    }
}

/// POL-14, POL-15: an essential `acr` that the session has passes, one that nobody reaches here is told to
/// the client at once and after a login, not asked for in a loop.
#[test]
fn an_essential_acr_is_reached_or_told() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let with = |acr: &str| openid(&kit).set("claims", &id_token_claims(&format!("\"acr\":{acr}")));
    let reachable = with(&format!(r#"{{"essential":true,"values":["gold","{PASSWORD}"]}}"#));
    let done = reachable.open(&ua).expect_page("login").login("alice").expect_page("consent").allow();
    assert_eq!(id_token(&kit, &done)["acr"], PASSWORD);
    let _ = reachable.open(&ua).expect_code();
    let _ = with(&format!(r#"{{"essential":true,"value":"{PASSWORD}"}}"#)).open(&ua).expect_code();
    for acr in [r#"{"essential":true,"values":["gold"]}"#, r#"{"essential":true,"value":"gold"}"#] {
        for browser in [&ua, &kit.user_agent()] {
            let told = with(acr).open(browser);
            let _ = told.expect_error("unmet_authentication_requirements");
            assert_refused!(told, ACR_UNREACHABLE);
        }
    }
    let malformed = with(r#"{"essential":true,"values":"gold"}"#).open(&ua);
    let _ = malformed.expect_error("invalid_request");
    assert_eq!(ACR_NOT_MET.code, NO_SESSION.code);
}

/// POL-16, AUTHZ-38: voluntary ones never make a login necessary; what was reached is told.
#[test]
fn voluntary_acr_values_never_ask() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    kit.clock.advance(hours(1));
    for request in [
        openid(&kit).set("acr_values", "gold silver"),
        openid(&kit).set("acr_values", &format!("gold {PASSWORD}")),
        openid(&kit).set("claims", &id_token_claims(r#""acr":{"values":["gold"]}"#)),
        openid(&kit).set("claims", &id_token_claims(r#""acr":null"#)),
    ] {
        assert_eq!(id_token(&kit, &request.open(&ua))["acr"], PASSWORD);
    }
}

/// GAP-02, AUTHZ-49, A12: the account of a live session was deleted, disabled, or signed out everywhere: a
/// login, no 500.
#[test]
fn a_session_without_a_good_account_is_nobody() {
    type Loss = fn(&TestProvider);
    let losses: [Loss; 3] = [
        |kit| kit.accounts.remove("alice"),
        |kit| kit.accounts.disable("alice"),
        |kit| kit.accounts.sign_out_everywhere("alice"),
    ];
    for lose in losses {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        let _ = openid(&kit).open(&ua).expect_code();
        lose(&kit);
        let _ = openid(&kit).set("prompt", "none").open(&ua).expect_error("login_required");
        let login = openid(&kit).open(&ua).expect_page("login");
        assert_eq!(login.login("bob").expect_page("consent").answer().status, 200);
    }
}

/// AUTHZ-32: one row per request that no page can help.
#[test]
fn what_no_page_can_help() {
    let kit = TestProvider::new();
    let plain = || openid(&kit);
    let told = Refused::Client;
    NegativeTable::new(&kit)
        .row("none without a session", plain().set("prompt", "none"), told("login_required"))
        .row("none and login", plain().set("prompt", "none login"), told("invalid_request"))
        .row("none and consent", plain().set("prompt", "consent none"), told("invalid_request"))
        .row("an unknown prompt", plain().set("prompt", "create"), told("invalid_request"))
        .row("a prompt in capitals", plain().set("prompt", "LOGIN"), told("invalid_request"))
        .row("a prompt with a comma", plain().set("prompt", "login,consent"), told("invalid_request"))
        .row("a negative max_age", plain().set("max_age", "-1"), told("invalid_request"))
        .row("a max_age of words", plain().set("max_age", "never"), told("invalid_request"))
        .row("a hint that is no token", plain().set("id_token_hint", "x.y.z"), told("invalid_request"))
        .row(
            "an acr that nobody reaches",
            plain().set("claims", &id_token_claims(r#""acr":{"essential":true,"value":"gold"}"#)),
            told("unmet_authentication_requirements"),
        )
        .run();
}
