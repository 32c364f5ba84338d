//! The login page: what a wrong password leaves, how guessing is slowed down, and how a login changes the session.

use chancery_testkit::{Mood, NegativeTable, Refused, Tab, TestProvider, UserAgent, minutes, password_of, seconds};

/// The page that a client's link shows to a stranger.
fn login_page<'u, 'k>(ua: &'u UserAgent<'k>, kit: &TestProvider) -> Tab<'u, 'k> {
    ua.open(&kit.authorization_request("web").scope("openid")).expect_page("login")
}

/// Types a wrong password as many times.
fn guess<'u, 'k>(tab: &Tab<'u, 'k>, name: &str, times: usize) -> Tab<'u, 'k> {
    let mut tab = tab.clone();
    for _ in 0..times {
        let typed = [("username".to_owned(), name.to_owned()), ("password".to_owned(), "a guess".to_owned())];
        tab = tab.submit(&typed, ("action", "login")).expect_page("login");
    }
    tab
}

/// A wrong password keeps the request and what was typed as a name, never the password.
#[test]
fn a_wrong_password_keeps_the_request() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = login_page(&ua, &kit).login_wrongly("alice").expect_page("login");
    assert_eq!(tab.event_names(), ["login_failed", "prompt_shown"]);
    let username = tab.form().fields.iter().find(|(name, _)| name == "username").map(|(_, value)| value.clone());
    assert_eq!(username.as_deref(), Some("alice"));
    assert!(!tab.answer().text().contains("a wrong password"));
    assert_eq!(ua.session_cookie(), None);
    assert_eq!(tab.login("alice").expect_page("consent").allow().expect_code().client, "web");
}

/// An unknown name, a disabled account and a wrong password look the same, and leave the same: a record for the name, one
/// for the network and one for both together, which are gone after a quarter of an hour.
#[test]
fn a_wrong_password_leaves_three_records_for_minutes() {
    let mut pages = Vec::new();
    for name in ["alice", "nobody", "bob", "NoBody ", "\u{fc}\u{202e}'\"<"] {
        let kit = TestProvider::new();
        kit.accounts.disable("bob");
        let ua = kit.user_agent();
        ua.comes_from("192.0.2.7");
        let tab = login_page(&ua, &kit);
        kit.counting.reset();
        let tab = guess(&tab, name, 1);
        assert_eq!(kit.counting.writes(), 3, "{name}");
        pages.push((tab.page().text.clone(), tab.answer().status, kit.counting.total()));
        let _ = guess(&tab, name, 2);
        kit.clock.advance(minutes(15) - seconds(1));
        assert_eq!(kit.run_once(), 0, "{name}");
        kit.clock.advance(seconds(2));
        assert_eq!(kit.run_once(), 3, "{name}: three failures are three records, and nothing else was there");
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "{pages:#?}");
}

/// After five failures the wait doubles with each; meanwhile the password is not looked at, also when it is right.
#[test]
fn the_wait_doubles() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let mut tab = guess(&login_page(&ua, &kit), "alice", 5);
    assert_eq!(kit.accounts.attempts(), 5);
    for wait in [1, 2, 4, 8, 16] {
        tab = guess(&tab, "alice", 1);
        let looked_at = kit.accounts.attempts();
        kit.clock.advance(seconds(wait - 1));
        let throttled = tab.login("alice").expect_page("login");
        assert_eq!(throttled.event_names(), ["login_throttled", "prompt_shown"]);
        assert_eq!((throttled.answer().status.as_u16(), kit.accounts.attempts()), (429, looked_at), "{wait} s");
        kit.clock.advance(seconds(1));
    }
    // Whoever waits is let in, and other names were never hindered.
    let _ = login_page(&kit.user_agent(), &kit).login("bob").expect_page("consent");
    let _ = tab.login("alice").expect_page("consent");
}

/// The typed name counts however it is written; another name does not; an unknown name is throttled like a known one.
#[test]
fn names_are_counted_apart() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = login_page(&ua, &kit);
    for known in ["alice", "nobody"] {
        for name in ["", " ", ""] {
            let _ = guess(&tab, &format!("{}{name}", known.to_uppercase()), 2);
        }
        let throttled = guess(&tab, known, 1);
        assert_eq!(throttled.event_names(), ["login_throttled", "prompt_shown"], "{known}");
    }
    assert_eq!(guess(&tab, "somebody", 1).event_names(), ["login_failed", "prompt_shown"]);
}

/// A network that tries many names has to wait, too; an IPv6 customer is one network, and other networks are not.
#[test]
fn a_network_that_tries_many_names_has_to_wait() {
    let kit = TestProvider::new();
    let (ua, neighbour, other) = (kit.user_agent(), kit.user_agent(), kit.user_agent());
    ua.comes_from("2001:db8:1:2::1");
    neighbour.comes_from("2001:db8:1:2:ffff::2");
    other.comes_from("2001:db8:1:3::1");
    let tab = login_page(&ua, &kit);
    for n in 0..51 {
        let _ = guess(&tab, &format!("name-{n}"), 1);
    }
    let looked_at = kit.accounts.attempts();
    let throttled = login_page(&neighbour, &kit).login("alice").expect_page("login");
    assert_eq!((throttled.answer().status.as_u16(), kit.accounts.attempts()), (429, looked_at));
    let _ = login_page(&other, &kit).login("alice").expect_page("consent");
    kit.clock.advance(seconds(1));
    let _ = login_page(&neighbour, &kit).login("alice").expect_page("consent");
}

/// A stranger who types a person's name from elsewhere does not keep the person out; only guessing from many networks does.
#[test]
fn strangers_do_not_lock_a_person_out() {
    let kit = TestProvider::new();
    let (stranger, alice) = (kit.user_agent(), kit.user_agent());
    stranger.comes_from("198.51.100.7");
    alice.comes_from("203.0.113.9");
    let mut tab = login_page(&stranger, &kit);
    for _ in 0..15 {
        tab = guess(&tab, "alice", 1);
        kit.clock.advance(minutes(1));
    }
    let _ = login_page(&alice, &kit).login("alice").expect_page("consent");

    for n in 0..101 {
        let bot = kit.user_agent();
        bot.comes_from(&format!("192.0.2.{n}"));
        let _ = guess(&login_page(&bot, &kit), "bob", 1);
    }
    let bob = kit.user_agent();
    bob.comes_from("203.0.113.10");
    assert_eq!(login_page(&bob, &kit).login("bob").expect_page("login").answer().status, 429);
}

/// Nor can a stranger keep a person waiting for long by guessing from many networks, nor a whole network by its own
/// guesses: what somebody else causes is a wait of half a minute.
#[test]
fn what_strangers_and_neighbours_cause_is_a_short_wait() {
    let kit = TestProvider::new();
    let guess_when_possible = |from: &str, name: &str| {
        let bot = kit.user_agent();
        bot.comes_from(from);
        while login_page(&bot, &kit).login_wrongly(name).answer().status == 429 {
            kit.clock.advance(seconds(1));
        }
    };
    for n in 0..112 {
        guess_when_possible(&format!("2001:db8:1:{n:x}::1"), "alice");
    }
    for n in 0..62 {
        guess_when_possible("198.51.100.7", &format!("name-{n}"));
    }
    for from in ["203.0.113.1", "198.51.100.7"] {
        let alice = kit.user_agent();
        alice.comes_from(from);
        let mut waited = 0;
        while login_page(&alice, &kit).login("alice").answer().status == 429 {
            kit.clock.advance(seconds(1));
            waited += 1;
        }
        assert!(waited <= 30, "{waited} s from {from}");
    }
}

/// A right password takes away what was counted: mistyping now and then is no attack.
#[test]
fn a_right_password_clears_the_failures_before_it() {
    let kit = TestProvider::new();
    for _ in 0..6 {
        let ua = kit.user_agent();
        ua.comes_from("192.0.2.7");
        let _ = guess(&login_page(&ua, &kit), "alice", 3).login("alice").expect_page("consent");
    }
}

/// Of thirty guesses at the same moment no more are looked at than of thirty in a row.
#[test]
fn guesses_at_the_same_moment_are_counted() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = login_page(&ua, &kit);
    let cookie = tab.answer().header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let guesses = (0..30).map(|n| {
        let form = tab.form();
        let typed =
            [("username", "alice".to_owned()), ("password", format!("guess {n}")), ("action", "login".to_owned())];
        let hidden = form.fields.iter().filter(|(name, _)| name != "username" && name != "password");
        let pairs: Vec<(&str, &str)> = hidden
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(typed.iter().map(|(name, value)| (*name, value.as_str())))
            .collect();
        http::Request::post("/interaction")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &cookie)
            .body(chancery_types::params::encode(pairs.into_iter()).into())
            .unwrap()
    });
    let answers = kit.send_at_once(7, guesses.collect());
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 429));
    assert!((1..=6).contains(&kit.accounts.attempts()), "{} were looked at", kit.accounts.attempts());
}

/// Only failures are remembered: signing in often is no attack.
#[test]
fn good_logins_are_not_counted() {
    let kit = TestProvider::new();
    for _ in 0..60 {
        let ua = kit.user_agent();
        ua.comes_from("192.0.2.7");
        let _ = login_page(&ua, &kit).login("alice").expect_page("consent");
    }
}

/// Too much work at this moment: not looked at, nothing counted. A source of accounts that is broken: 503.
#[test]
fn busy_and_broken_accounts() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = login_page(&ua, &kit);
    kit.accounts.be(Mood::Busy);
    kit.counting.reset();
    let busy = tab.login("alice").expect_page("login");
    assert_eq!(busy.answer().status, 429);
    kit.clock.advance(minutes(16));
    assert_eq!(kit.run_once(), 0, "what was counted before the password was to be looked at is taken back");
    assert_eq!(busy.event_names(), ["login_throttled", "prompt_shown"]);
    kit.accounts.be(Mood::Broken);
    let broken = tab.login("alice").expect_page("error");
    assert_eq!((broken.answer().status.as_u16(), broken.event_names()), (503, vec!["faulted"]));
    assert!(broken.answer().text().contains(broken.answer().header("x-request-id").unwrap_or("none")));
    kit.accounts.be(Mood::Answering);
    let _ = tab.login("alice").expect_page("consent");
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

/// SESS-13, SESS-14, INT-18: signing in again as the same account keeps the session and what hangs on it, renews its
/// authentication and its secret; the former secret is good for 30 s.
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
    let login = kit.authorization_request("web").scope("openid").set("prompt", "select_account").open(&victim);
    let consent = login.expect_page("accounts").choose_another().login("alice").expect_page("consent");
    assert_ne!(attacker.session_cookie(), victim.session_cookie());
    // The attacker is still bob and nobody else.
    let seen = kit.authorization_request("web").scope("openid").set("prompt", "select_account").open(&attacker);
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
