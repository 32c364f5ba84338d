//! Initiating User Registration via OpenID Connect 1.0: the sign-up page, `prompt=create`, and what they tell
//! strangers.

use chancery_core::config::Config;
use chancery_core::event::Event;
use chancery_core::interaction::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST,
};
use chancery_testkit::{AuthorizationRequest, NegativeTable, Refused, Tab, TestProvider, hours};
use serde_json::json;

const PASSWORD: &str = "analytical engine";

fn provider() -> TestProvider {
    with_quota(20)
}

fn with_quota(quota: u32) -> TestProvider {
    let offered =
        |config: &mut Config| (config.sign_up.offered, config.sign_up.network_quota) = (true, quota);
    TestProvider::builder().configure(offered).build()
}

fn openid(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("web").scope("openid")
}

fn typed(username: &str, password: &str) -> [(String, String); 2] {
    [("username".to_owned(), username.to_owned()), ("password".to_owned(), password.to_owned())]
}

#[track_caller]
fn create<'u, 'k>(tab: &Tab<'u, 'k>, username: &str) -> Tab<'u, 'k> {
    tab.submit(&typed(username, PASSWORD), ("action", "create"))
}

/// Section 4.1: the sign-up page comes at once, and whoever has made an account is signed in, goes on to the consent
/// and back to the client; the next time without a page.
#[test]
fn a_new_account_is_signed_in() {
    let kit = provider();
    let ua = kit.user_agent();
    let page = openid(&kit).set("prompt", "create").open(&ua).expect_page("sign-up");
    assert_eq!(page.event_names(), ["prompt_shown"]);
    let consent = create(&page, "ada").expect_page("consent");
    assert_eq!(consent.event_names(), ["signed_up", "login_succeeded", "prompt_shown"]);
    let [Event::SignedUp { client, account, network }, ..] = consent.events() else {
        panic!("{:?}", consent.events())
    };
    assert_eq!((client.as_str(), account.as_str(), network.is_some()), ("web", "ada", true));
    let claims = kit.id_token(&kit.exchange(&consent.allow().expect_code()).expect_status(200), "web").claims;
    assert_eq!((&claims["sub"], &claims["amr"]), (&json!("ada"), &json!(["pwd"])));
    let _ = openid(&kit).set("prompt", "none").open(&ua).expect_code();
    // Demanded again, the page comes again, also for a person who is signed in.
    let page = openid(&kit).set("prompt", "create").open(&ua).expect_page("sign-up");
    let _ = create(&page, "byron").expect_page("consent");
}

/// Who has an account signs in instead, and whoever has none finds the page from the login page. Nothing is stored on
/// the way.
#[test]
fn the_two_pages_lead_to_each_other() {
    let kit = provider();
    let ua = kit.user_agent();
    let login = openid(&kit).open(&ua).expect_page("login");
    let (page, trips) = kit.trips(|| login.submit(&[], ("action", "create")).expect_page("sign-up"));
    let login = page.submit(&[], ("action", "login")).expect_page("login");
    let _ = login.login("alice").expect_page("consent").allow().expect_code();
    assert_eq!(trips, 1, "whether the request was answered");
    // Section 4.1: the client must not assume that an account was made.
    let other = kit.user_agent();
    let page = openid(&kit).set("prompt", "create").open(&other).expect_page("sign-up");
    let _ = page.submit(&[], ("action", "login")).login("bob").expect_page("consent").allow().expect_code();
}

/// Section 4.2: it is announced only where it is offered, and unknown elsewhere.
#[test]
fn it_is_off_by_default() {
    let announced = |kit: &TestProvider| {
        let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
        metadata.json()["prompt_values_supported"].clone()
    };
    assert_eq!(announced(&provider()), json!(["none", "login", "select_account", "consent", "create"]));
    let off = TestProvider::new();
    assert_eq!(announced(&off), json!(["none", "login", "select_account", "consent"]));
    let ua = off.user_agent();
    let _ = openid(&off).set("prompt", "create").open(&ua).expect_error("invalid_request");
    let login = openid(&off).open(&ua).expect_page("login");
    assert!(login.form().buttons.iter().all(|button| button.value != "create"));
    // A button that was made up makes nothing.
    let mut fields = login.form().fields;
    fields.push(("action".to_owned(), "create".to_owned()));
    fields.iter_mut().find(|(name, _)| name == "username").unwrap().1 = "ada".to_owned();
    fields.iter_mut().find(|(name, _)| name == "password").unwrap().1 = PASSWORD.to_owned();
    let again = login.post(&login.form().action, &fields).expect_page("login");
    assert!(!again.is_answered_with("signed_up"));
    let _ = again.login("alice").expect_page("consent");
}

/// A name or password that is not accepted is told; a name that is taken, too, and nobody is signed in.
#[test]
fn what_is_wrong_is_told() {
    let kit = provider();
    for (number, (username, password, told, reason)) in [
        ("alice", PASSWORD, "taken", "name_taken"),
        ("", PASSWORD, "cannot be used", "name_unacceptable"),
        ("a\nb", PASSWORD, "cannot be used", "name_unacceptable"),
        ("ada", "short", "at least 8", "password_too_short"),
        ("ada", "", "at least 8", "password_too_short"),
    ]
    .into_iter()
    .enumerate()
    {
        let ua = kit.user_agent();
        let page = openid(&kit).set("prompt", "create").open(&ua);
        let again = page.submit(&typed(username, password), ("action", "create")).expect_page("sign-up");
        assert!(again.page().text.contains(told), "{username:?} {}", again.page().text);
        assert_eq!(again.event_names(), ["sign_up_refused", "prompt_shown"], "{username:?}");
        let is_reason =
            |event: &Event| matches!(event, Event::SignUpRefused { reason: told, .. } if *told == reason);
        assert!(again.events().iter().any(is_reason), "{:?}", again.events());
        assert_eq!(ua.session_cookie(), None);
        assert!(!again.answer().text().contains(PASSWORD));
        // What was typed is not lost, and the next attempt goes on.
        let _ = create(&again, &format!("new{number}")).expect_page("consent");
    }
}

/// A network learns no more names within an hour than it may make accounts: each attempt counts, also those that
/// succeed and those that are refused because the name is taken; not those of which nothing could be learnt.
#[test]
fn a_network_has_a_quota() {
    let kit = with_quota(3);
    let ua = kit.user_agent();
    let page = openid(&kit).set("prompt", "create").open(&ua).expect_page("sign-up");
    for _ in 0..5 {
        let _ = page.submit(&typed("ada", "short"), ("action", "create")).expect_page("sign-up");
    }
    for name in ["alice", "bob", "alice"] {
        assert!(create(&page, name).page().text.contains("taken"));
    }
    let refused = create(&page, "ada").expect_page("sign-up");
    assert_eq!(refused.answer().status, 429);
    assert!(refused.answer().header("retry-after").is_some());
    assert!(!refused.page().text.contains("taken"));
    // The answer for a taken name is the same one.
    let taken = create(&page, "alice").expect_page("sign-up");
    assert_eq!((taken.answer().status, taken.page().text), (refused.answer().status, refused.page().text));
    // Another network is not affected, and the hour passes.
    let elsewhere = kit.user_agent();
    elsewhere.comes_from("203.0.113.9");
    let other = openid(&kit).set("prompt", "create").open(&elsewhere);
    let _ = create(&other, "byron").expect_page("consent");
    kit.clock.advance(hours(1));
    let page = openid(&kit).set("prompt", "create").open(&ua).expect_page("sign-up");
    let _ = create(&page, "ada").expect_page("consent");
}

/// A double click makes one account, and a race for a name has one winner.
#[test]
fn a_name_is_given_once() {
    let kit = provider();
    let (one, other) = (kit.user_agent(), kit.user_agent());
    let first = openid(&kit).set("prompt", "create").open(&one);
    let second = openid(&kit).set("prompt", "create").open(&other);
    let _ = create(&first, "ada").expect_page("consent");
    assert!(create(&second, "ada").expect_page("sign-up").page().text.contains("taken"));
    assert_eq!(other.session_cookie(), None);
}

/// Nobody can make a browser sign up: the form is bound to its page, as the login form is.
#[test]
fn the_form_is_bound_to_its_page() {
    let kit = provider();
    let ua = kit.user_agent();
    let page = openid(&kit).set("prompt", "create").open(&ua).expect_page("sign-up");
    let filled = |tab: &Tab<'_, '_>, token: &str| {
        let mut fields = tab.form().fields;
        for (name, value) in &mut fields {
            match name.as_str() {
                "username" => *value = "ada".to_owned(),
                "password" => *value = PASSWORD.to_owned(),
                "token" => *value = token.to_owned(),
                _ => {}
            }
        }
        fields.push(("action".to_owned(), "create".to_owned()));
        fields
    };
    let token = page.form().fields.into_iter().find(|(name, _)| name == "token").unwrap().1;
    let other = kit.user_agent();
    let stranger = openid(&kit).set("prompt", "create").open(&other).expect_page("sign-up");
    let another = openid(&kit).set("prompt", "create").set("state", "other").open(&ua).expect_page("sign-up");
    for (tab, token, why) in [
        (&stranger, token.as_str(), &FORM_OF_ANOTHER_BROWSER),
        (&another, token.as_str(), &FORM_OF_ANOTHER_REQUEST),
        (&page, "forged", &FORM_FOREIGN),
    ] {
        let again = tab.post("/interaction", &filled(tab, token));
        again.expect_refused_form(why);
        let again = again.expect_page("sign-up");
        assert!(again.page().text.contains("open too long"), "{}", again.page().text);
    }
    let _ = page.cancel().expect_error("access_denied");
}

/// Section 4: `create` and no page exclude each other.
#[test]
fn what_cannot_be_combined_is_refused() {
    let kit = provider();
    let request = || openid(&kit);
    NegativeTable::new(&kit)
        .row("create and none", request().set("prompt", "none create"), Refused::Client("invalid_request"))
        .row("another case", request().set("prompt", "Create"), Refused::Client("invalid_request"))
        .run();
}
