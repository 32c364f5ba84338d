//! Initiating User Registration via OpenID Connect 1.0: the sign-up page, `prompt=create`, and what they tell
//! strangers.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use chancery_core::config::Config;
use chancery_core::event::Event;
use chancery_core::interaction::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST,
};
use chancery_store::StateStore;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    Answer, AuthorizationRequest, FrontEnd, HtmlPage, NegativeTable, Refused, Stranger, Tab, TestProvider,
    UserAgent, hours,
};
use http::header::ORIGIN;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

const PASSWORD: &str = "analytical engine";
const PAGES: &str = "https://login.id.example";

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
    let [Event::SignedUp { client, account }, ..] = consent.events() else {
        panic!("{:?}", consent.events())
    };
    assert_eq!((client.as_str(), account.as_str()), ("web", "ada"));
    assert!(consent.answer().network.is_some());
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

/// The browser in which an account was made is one that has signed in before: strangers who guess the new name keep
/// it waiting no more than any other.
#[test]
fn the_browser_is_known_for_the_new_name() {
    let kit = provider();
    let ua = kit.user_agent();
    let page = openid(&kit).set("prompt", "create").open(&ua);
    let _ = create(&page, "Ada").expect_page("consent").allow().expect_code();
    let stranger = Stranger::new(&kit);
    (0..110).for_each(|_| stranger.guess("ada"));
    let login = |ua: &UserAgent<'_>| {
        let tab = openid(&kit).set("prompt", "login").open(ua).expect_page("login");
        tab.submit(&typed("ada", PASSWORD), ("action", "login")).answer().status.as_u16()
    };
    assert_eq!((login(&ua), login(&kit.user_agent())), (200, 429));
}

/// Where it was switched off since, a page that is still open makes no account.
#[test]
fn a_page_from_before_makes_no_account() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let on =
        TestProvider::builder().store(Arc::clone(&store)).configure(|to| to.sign_up.offered = true).build();
    let off = TestProvider::builder().store(store).keys_of(&on).build();
    let ua = on.user_agent();
    let page = openid(&on).open(&ua).submit(&[], ("action", "create")).expect_page("sign-up");
    let answer = off.send(page.to_http(&typed("ada", PASSWORD), ("action", "create")));
    assert_eq!(answer.event_names(), ["prompt_shown"]);
    assert_eq!(HtmlPage::read(answer.text()).name, "login");
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

/// The page says what the password needs before anything is typed, bound to its field (WCAG 2.2 sections 1.3.1 and
/// 3.3.2), and beside it what was wrong.
#[test]
fn what_a_password_needs_is_told_first() {
    let kit = provider();
    let ua = kit.user_agent();
    let page = openid(&kit).set("prompt", "create").open(&ua).expect_page("sign-up");
    let short = page.submit(&typed("ada", "short"), ("action", "create")).expect_page("sign-up");
    for (tab, described) in [(&page, "\"password-rule\""), (&short, "\"password-rule problem\"")] {
        let html = tab.answer().text();
        let field = html.split("<input type=\"password\"").nth(1).unwrap().split('>').next().unwrap();
        assert!(field.contains(&format!("aria-describedby={described}")), "{field}");
        assert!(html.contains("<small id=\"password-rule\">At least 8 characters</small>"), "{html}");
    }
    let kit = with_remote_pages(true, 20);
    assert_eq!(demanded(&kit.user_agent())["shortest_password"], 8);
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

/// A form that is not looked at leads back to its page, or to where its button leads, whatever fields the page has:
/// an application's own may have others than ours. Who is signed in by now does not answer for whoever signs in or
/// up.
#[test]
fn a_form_that_is_not_looked_at_leads_back_to_its_page() {
    for is_signed_in in [false, true] {
        for (page, action, names, again) in [
            ("sign-up", Some("create"), &["username", "password"][..], "sign-up"),
            ("sign-up", Some("create"), &["email"], "sign-up"),
            ("sign-up", Some("create"), &[], "sign-up"),
            ("sign-up", None, &["email"], "sign-up"),
            ("sign-up", Some("somewhere"), &["username", "username"], "sign-up"),
            ("sign-up", Some("login"), &[], "login"),
            ("login", Some("login"), &["username", "password"], "login"),
            ("login", None, &["signature"], "login"),
            ("login", Some("login"), &[], "login"),
            ("login", Some("create"), &[], "sign-up"),
            ("login", Some("create"), &["username"], "sign-up"),
        ] {
            let kit = provider();
            let (ua, other) = (kit.user_agent(), kit.user_agent());
            let shown = |ua: &UserAgent<'_>| -> Vec<(String, String)> {
                let login = openid(&kit).open(ua).expect_page("login");
                let tab = if page == "login" { login } else { login.submit(&[], ("action", "create")) };
                let fields = tab.expect_page(page).form().fields;
                fields.into_iter().filter(|(name, _)| !["username", "password"].contains(&&**name)).collect()
            };
            let mut fields = shown(&other);
            fields.extend(names.iter().map(|name| ((*name).to_owned(), "x".to_owned())));
            fields.extend(action.map(|action| ("action".to_owned(), action.to_owned())));
            let tab = openid(&kit).open(&ua).expect_page("login");
            if is_signed_in {
                let _ = tab.login("alice").expect_page("consent").allow().expect_code();
                let _ = openid(&kit).open(&ua).expect_code();
            }
            let tab = tab.post("/interaction", &fields);
            tab.expect_refused_form(&FORM_OF_ANOTHER_BROWSER);
            let tab = tab.expect_page(again);
            assert!(tab.page().text.contains("open too long"), "{page} {action:?} {names:?}");
        }
    }
}

/// A provider whose pages are on another origin.
fn with_remote_pages(offered: bool, quota: u32) -> TestProvider {
    let location = format!("{PAGES}/").try_into().unwrap();
    TestProvider::builder()
        .configure(|config| {
            config.interaction.location = Some(location);
            (config.sign_up.offered, config.sign_up.network_quota) = (offered, quota);
        })
        .build()
}

fn pages<'u, 'k>(ua: &'u UserAgent<'k>) -> FrontEnd<'u, 'k> {
    ua.front_end(PAGES)
}

/// What the pages show first.
#[track_caller]
fn view(ua: &UserAgent<'_>, request: &AuthorizationRequest) -> Answer {
    let arrival = request.open(ua).expect_arrival();
    pages(ua).view(arrival.value("interaction").unwrap()).expect_status(200)
}

fn demanded(ua: &UserAgent<'_>) -> Answer {
    view(ua, &openid(ua.provider()).set("prompt", "create"))
}

fn entered(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password})
}

#[track_caller]
fn create_remotely(ua: &UserAgent<'_>, view: &Answer, username: &str) -> Answer {
    pages(ua).post("create", view, entered(username, PASSWORD))
}

/// What the pages show where they are sent on.
#[track_caller]
fn next_view(ua: &UserAgent<'_>, answer: &Answer) -> Answer {
    let address = answer.member("redirect_to");
    let interaction = address.strip_prefix(&format!("{PAGES}/?interaction=")).unwrap();
    pages(ua).view(interaction).expect_status(200)
}

/// Section 4.1: the same on pages of another origin, which the login page leads to as well.
#[test]
fn a_new_account_is_made_on_pages_of_another_origin() {
    let kit = with_remote_pages(true, 20);
    let ua = kit.user_agent();
    let page = demanded(&ua);
    assert_eq!((&page["prompt"], &page["problem"]), (&json!("create"), &Value::Null));
    let made = create_remotely(&ua, &page, "ada").expect_status(200);
    assert_eq!(made.event_names(), ["signed_up", "login_succeeded"]);
    assert_eq!(made.header("access-control-allow-origin"), Some(PAGES));
    assert_eq!(made.header("access-control-allow-credentials"), Some("true"));
    let consent = next_view(&ua, &made);
    assert_eq!((&consent["prompt"], &consent["account"]["label"]), (&json!("consent"), &json!("ada")));
    let allowed = pages(&ua).post("consent", &consent, json!({"allow": true})).expect_status(200);
    let back = allowed.member("redirect_to");
    assert!(back.starts_with("https://web.example/cb?code="), "{back}");
    let _ = openid(&kit).set("prompt", "none").open(&ua).expect_code();
    // From the login page and back, with nothing entered.
    let other = kit.user_agent();
    let login = view(&other, &openid(&kit));
    assert_eq!((&login["prompt"], &login["offers_sign_up"]), (&json!("login"), &json!(true)));
    let page = pages(&other).post("create", &login, json!({}));
    assert_eq!((&page["prompt"], &page["problem"]), (&json!("create"), &Value::Null));
    let login = pages(&other).post("login", &page, entered("", ""));
    assert_eq!((&login["prompt"], &login["problem"]), (&json!("login"), &Value::Null));
    let again = pages(&other).post("create", &login, entered("byron", PASSWORD));
    assert_eq!((&again["prompt"], again.event_names()), (&json!("create"), vec!["prompt_shown"]));
    assert_eq!(next_view(&other, &create_remotely(&other, &again, "byron"))["prompt"], "consent");
}

/// What is wrong has the name that the events have, and nobody is signed in.
#[test]
fn pages_of_another_origin_are_told_what_is_wrong() {
    let kit = with_remote_pages(true, 20);
    for (number, (username, password, problem)) in [
        ("alice", PASSWORD, "name_taken"),
        ("", PASSWORD, "name_unacceptable"),
        ("a\nb", PASSWORD, "name_unacceptable"),
        ("ada", "short", "password_too_short"),
        ("ada", "", "password_too_short"),
    ]
    .into_iter()
    .enumerate()
    {
        let ua = kit.user_agent();
        let again = pages(&ua).post("create", &demanded(&ua), entered(username, password)).expect_status(200);
        assert_eq!(
            (&again["prompt"], &again["problem"]),
            (&json!("create"), &json!(problem)),
            "{username:?}"
        );
        assert_eq!(again["username"].as_str().unwrap_or(""), username);
        assert_eq!(again.event_names(), ["sign_up_refused", "prompt_shown"], "{username:?}");
        assert_eq!((&again["redirect_to"], ua.session_cookie()), (&Value::Null, None));
        assert!(!again.text().contains(PASSWORD));
        let made = create_remotely(&ua, &again, &format!("new{number}"));
        assert_eq!(next_view(&ua, &made)["prompt"], "consent");
    }
}

/// The quota is the one of our own page, and says when it ends.
#[test]
fn pages_of_another_origin_have_the_same_quota() {
    let kit = with_remote_pages(true, 2);
    let ua = kit.user_agent();
    let page = demanded(&ua);
    for name in ["alice", "bob"] {
        assert_eq!(create_remotely(&ua, &page, name)["problem"], "name_taken");
    }
    for name in ["ada", "alice"] {
        let waits = create_remotely(&ua, &page, name).expect_status(429);
        assert_eq!((&waits["prompt"], &waits["problem"]), (&json!("create"), &json!("throttled")), "{name}");
        let told = waits["retry_after"].as_u64().expect("seconds");
        assert!((1..=3600).contains(&told), "{told}");
        assert_eq!(waits.header("retry-after"), Some(told.to_string().as_str()));
        assert_eq!(ua.session_cookie(), None);
    }
    kit.clock.advance(hours(1));
    let made = create_remotely(&ua, &demanded(&ua), "ada");
    assert_eq!(next_view(&ua, &made)["prompt"], "consent");
}

/// Where it is not offered, nothing leads to it and nothing makes an account.
#[test]
fn pages_of_another_origin_cannot_make_what_is_not_offered() {
    let kit = with_remote_pages(false, 20);
    let ua = kit.user_agent();
    let _ = openid(&kit).set("prompt", "create").open(&ua).expect_error("invalid_request");
    let login = view(&ua, &openid(&kit));
    assert_eq!(login["offers_sign_up"], false);
    for sent in [json!({}), entered("ada", PASSWORD)] {
        let again = pages(&ua).post("create", &login, sent).expect_status(200);
        assert_eq!((&again["prompt"], &again["redirect_to"]), (&json!("login"), &Value::Null));
        assert!(!again.event_names().contains(&"signed_up"));
        assert_eq!(ua.session_cookie(), None);
    }
    // There is no such person afterwards.
    let login = pages(&ua).post("login", &view(&ua, &openid(&kit)), entered("ada", PASSWORD));
    assert_eq!(login["problem"], "refused");
}

/// Fetch, section "CORS protocol": no other origin makes an account in somebody's browser, and neither does the
/// form of another page.
#[test]
fn what_others_send_makes_no_account() {
    let kit = with_remote_pages(true, 20);
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    let page = demanded(&ua);
    let mut table = NegativeTable::new(&kit);
    for origin in ["https://evil.example", "https://id.example", "http://login.id.example", "null", ""] {
        let mut request = pages(&ua).to_post("create", &page, entered("ada", PASSWORD));
        request.headers_mut().insert(ORIGIN, HeaderValue::from_static(origin));
        table = table.row(format!("the origin {origin:?}"), request, Refused::Json(403, "invalid_request"));
    }
    let mut without = pages(&ua).to_post("create", &page, entered("ada", PASSWORD));
    without.headers_mut().remove(ORIGIN);
    let bad = Refused::Json(400, "invalid_request");
    let with = |value: Value| pages(&ua).to_post("create", &page, value);
    ua.signed_in("alice");
    let consent = view(&ua, &openid(&kit));
    table
        .row("no origin", without, Refused::Json(403, "invalid_request"))
        .row("GET", pages(&ua).to_http(&Method::GET, "/interaction/create", None), Refused::Status(405))
        .row("a number for a name", with(json!({"username": 1, "password": PASSWORD})), bad)
        .row("a list for a password", with(json!({"username": "ada", "password": [PASSWORD]})), bad)
        .row("a NUL", with(entered("a\0da", PASSWORD)), bad)
        .row("on a consent", pages(&ua).to_post("create", &consent, entered("ada", PASSWORD)), bad)
        .row("a consent on it", pages(&ua).to_post("consent", &page, json!({"allow": true})), bad)
        .row("a choice on it", pages(&ua).to_post("account", &page, json!({"another": true})), bad)
        .run();
    // Another browser gets a page of its own.
    let _ = demanded(&other);
    let again = create_remotely(&other, &page, "ada").expect_status(200);
    assert_eq!((&again["prompt"], &again["problem"]), (&json!("create"), &json!("stale")));
    assert_eq!(other.session_cookie(), None);
    // The name is still free.
    assert_eq!(next_view(&other, &create_remotely(&other, &again, "ada"))["prompt"], "consent");
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
