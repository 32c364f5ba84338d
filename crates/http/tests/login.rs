//! The login page, and how a login changes the session. How guessing is slowed down stands in `throttle.rs`.

use chancery_testkit::{Mood, NegativeTable, Refused, Tab, TestProvider, UserAgent, password_of, seconds};

/// The page that a client's link shows to a stranger.
fn login_page<'u, 'k>(ua: &'u UserAgent<'k>, kit: &TestProvider) -> Tab<'u, 'k> {
    ua.open(&kit.authorization_request("web").scope("openid")).expect_page("login")
}

/// A wrong password keeps the request and what was typed as a name, never the password.
#[test]
fn a_wrong_password_keeps_the_request() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = login_page(&ua, &kit).login_wrongly("alice").expect_page("login");
    assert_eq!(tab.event_names(), ["login_failed", "prompt_shown"]);
    let username =
        tab.form().fields.iter().find(|(name, _)| name == "username").map(|(_, value)| value.clone());
    assert_eq!(username.as_deref(), Some("alice"));
    assert!(!tab.answer().text().contains("a wrong password"));
    assert_eq!(ua.session_cookie(), None);
    assert_eq!(tab.login("alice").expect_page("consent").allow().expect_code().client, "web");
}

/// SESS-16: a name or a password that is empty authenticates nobody, and is not even tried.
#[test]
fn empty_input_is_not_tried() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = login_page(&ua, &kit);
    for (name, password) in [("", "x"), ("alice", ""), ("  ", "x"), ("", "")] {
        let typed = [("username".to_owned(), name.to_owned()), ("password".to_owned(), password.to_owned())];
        let again = tab.submit(&typed, ("action", "login")).expect_page("login");
        assert_eq!(again.event_names(), ["prompt_shown"]);
    }
    assert_eq!((kit.accounts.attempts(), ua.session_cookie()), (0, None));
    // An account id of 300 characters is none.
    let long = "a".repeat(300);
    kit.accounts.add(&long);
    assert_eq!(tab.login(&long).expect_page("login").event_names(), ["login_failed", "prompt_shown"]);
}

/// AUTHZ-41: `login_hint` fills in the name, escaped; nobody is told whether it exists.
#[test]
fn the_hint_fills_in_the_name() {
    let kit = TestProvider::new();
    for hint in ["alice", "nobody@example.org", "\"><script>alert(1)</script>"] {
        let ua = kit.user_agent();
        let tab = kit.authorization_request("web").scope("openid").set("login_hint", hint).open(&ua);
        let form = tab.expect_page("login").form();
        assert!(form.fields.contains(&("username".to_owned(), hint.to_owned())), "{:?}", form.fields);
    }
}

/// SESS-15: `auth_time` is when the person signed in, not when the page was shown or the code exchanged.
#[test]
fn auth_time_is_the_time_of_the_login() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = login_page(&ua, &kit);
    kit.clock.advance(seconds(100));
    let signed_in_at = kit.now().secs();
    let consent = login.login("alice").expect_page("consent");
    kit.clock.advance(seconds(100));
    let code = consent.allow().expect_code();
    kit.clock.advance(seconds(10));
    let token = kit.id_token(&kit.exchange(&code).expect_status(200), "web");
    assert_eq!(token.claims["auth_time"], signed_in_at);
}

/// SESS-13, SESS-14, INT-18: signing in again as the same account keeps the session and what hangs on it,
/// renews its authentication and its secret; the former secret is good for 30 s.
#[test]
fn a_second_login_renews_the_session() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let first = kit.exchange(&login_page(&ua, &kit).login("alice").allow().expect_code()).expect_status(200);
    let (stolen, before) = (ua.with_the_same_cookies(), ua.session_cookie());
    kit.clock.advance(seconds(60));
    let again = kit.authorization_request("web").scope("openid").set("prompt", "login").open(&ua);
    let code = again.expect_page("login").login("alice").expect_code();
    let second = kit.exchange(&code).expect_status(200);
    assert_ne!(ua.session_cookie(), before);
    let time = |answer| kit.id_token(answer, "web").claims["auth_time"].as_i64();
    assert_eq!(time(&second), time(&first).map(|time| time + 60));
    assert!(kit.is_active("web", first.member("access_token")), "the session is the same");
    let silent = kit.authorization_request("web").scope("openid").set("prompt", "none");
    kit.clock.advance(seconds(30));
    let _ = silent.open(&stolen).expect_code();
    kit.clock.advance(seconds(1));
    let _ = silent.open(&stolen).expect_error("login_required");
    let _ = silent.open(&ua).expect_code();
}

/// RFC 9700 section 4.7 (session fixation): cookies that somebody planted are worth nothing after the login.
#[test]
fn planted_cookies_are_worth_nothing() {
    let kit = TestProvider::new();
    let attacker = kit.user_agent();
    attacker.signed_in("bob");
    let _ = kit.authorization_request("web").scope("openid").open(&attacker).expect_page("consent");
    let victim = attacker.with_the_same_cookies();
    let login =
        kit.authorization_request("web").scope("openid").set("prompt", "select_account").open(&victim);
    let consent = login.expect_page("accounts").choose_another().login("alice").expect_page("consent");
    assert_ne!(attacker.session_cookie(), victim.session_cookie());
    // The attacker is still bob and nobody else.
    let seen =
        kit.authorization_request("web").scope("openid").set("prompt", "select_account").open(&attacker);
    assert!(!seen.expect_page("accounts").page().text.contains("alice"));
    let theirs = attacker.get(consent.address());
    assert!(!theirs.expect_page("signed-in").page().text.contains("alice"));
    let _ = consent.allow().expect_code();
}

/// RFC 9700 section 4.7: one row per login that is not looked at.
#[test]
fn logins_that_are_not_looked_at() {
    let kit = TestProvider::new();
    let row = |fields: &[(&str, &str)]| {
        let mut request = kit.anonymous_request("/interaction");
        for (name, value) in fields {
            request = request.param(name, value);
        }
        request
    };
    let password = password_of("alice");
    let request = kit.authorization_request("web").scope("openid").encode();
    let credentials = [("username", "alice"), ("password", password.as_str()), ("action", "login")];
    let with = |more: &[(&'static str, &str)]| row(&[&credentials[..], more].concat());
    NegativeTable::new(&kit)
        .row("no request", with(&[]), Refused::Page(400, "invalid_request"))
        .row(
            "two requests",
            with(&[("request", &request), ("request", &request)]),
            Refused::Page(400, "invalid_request"),
        )
        .row("a request that is none", with(&[("request", "%zz")]), Refused::Page(400, "invalid_request"))
        .row("a GET", with(&[("request", &request)]).get(), Refused::Status(405))
        .row(
            "another site's form",
            with(&[("request", &request)]).header("origin", "https://evil.example"),
            Refused::Page(400, "invalid_request"),
        )
        .run();
    assert_eq!(kit.accounts.attempts(), 0);
}

/// An attempt at which nobody could look, because the accounts did not answer, is none: it is neither counted
/// nor does it make anybody forget what was counted before.
#[test]
fn what_nobody_looked_at_does_not_count() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let page = || kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let guesses = |n: usize| (0..n).fold(page(), |tab, _| tab.login_wrongly("alice").expect_page("login"));
    let waits = |tab: &Tab<'_, '_>| tab.answer().header("retry-after").is_some();
    let break_down = || {
        kit.accounts.be(Mood::Broken);
        for _ in 0..20 {
            let broken = page().login("alice");
            assert!(broken.answer().status.is_server_error(), "{}", broken.answer().status);
        }
        kit.accounts.be(Mood::Answering);
    };
    // Six wrong passwords are looked at without a wait.
    break_down();
    let tab = guesses(3);
    assert!(!waits(&tab));
    break_down();
    let tab = guesses(2);
    assert!(!waits(&tab), "five in all");
    break_down();
    let tab = guesses(1);
    assert!(!waits(&tab), "the sixth");
    assert!(waits(&guesses(1)), "the seventh");
    assert_eq!(kit.accounts.attempts(), 6, "and it is not looked at");
}

/// A browser that has signed in before finds room where strangers have taken theirs.
#[test]
fn strangers_leave_room_for_a_known_browser() {
    let kit = TestProvider::new();
    let (known, stranger) = (kit.user_agent(), kit.user_agent());
    let request = kit.authorization_request("web").scope("openid").set("prompt", "login");
    let _ = request.open(&known).expect_page("login").login("alice").expect_page("consent");
    kit.accounts.be(Mood::BusyWithStrangers);
    assert_eq!(request.open(&stranger).expect_page("login").login("alice").answer().status, 503);
    assert_eq!(
        request.open(&known).expect_page("login").login("bob").answer().status,
        503,
        "known for another name only"
    );
    let _ = request.open(&known).expect_page("login").login("alice").expect_page("consent");
}
