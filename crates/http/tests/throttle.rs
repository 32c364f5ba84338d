//! How guessing is slowed down, and whom that never hinders (OWASP ASVS 5.0 section 6.3.1).

#![expect(clippy::panic, reason = "tests")]

use chancery_core::event::Event;
use chancery_testkit::{Mood, Stranger, Tab, TestProvider, UserAgent, days, hours, minutes, seconds};

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

/// An unknown name, a disabled account and a wrong password look the same, and leave the same: a record for
/// the name, one for the network and one for both together, which are gone after a quarter of an hour.
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

/// After five failures the wait doubles with each; meanwhile the password is not looked at, also when it is
/// right.
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
        assert_eq!(
            (throttled.answer().status.as_u16(), kit.accounts.attempts()),
            (429, looked_at),
            "{wait} s"
        );
        kit.clock.advance(seconds(1));
    }
    // Whoever waits is let in, and other names were never hindered.
    let _ = login_page(&kit.user_agent(), &kit).login("bob").expect_page("consent");
    let _ = tab.login("alice").expect_page("consent");
}

/// The typed name counts however it is written; another name does not; an unknown name is throttled like a
/// known one.
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

/// A network that tries many names has to wait, too; an IPv6 customer is one network, and other networks are
/// not.
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
        let typed = [
            ("username", "alice".to_owned()),
            ("password", format!("guess {n}")),
            ("action", "login".to_owned()),
        ];
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

/// A second passes, in which the stranger guesses.
fn second_of(stranger: &Stranger<'_>, name: &str) {
    stranger.guess(name);
    stranger.provider().clock.advance(seconds(1));
}

/// The seconds until a right password is let in, tried each second while the stranger goes on.
fn waits(ua: &UserAgent<'_>, stranger: &Stranger<'_>, name: &str) -> u32 {
    for waited in 0..600 {
        stranger.guess(name);
        if login_page(ua, stranger.provider()).login(name).answer().status != 429 {
            return waited;
        }
        stranger.provider().clock.advance(seconds(1));
    }
    panic!("kept out for ten minutes")
}

/// One guess a second from changing networks, for as long as anybody looks: a browser that has signed in
/// before never waits; one that has not waits for seconds, and no longer the longer it takes.
#[test]
fn a_stranger_who_never_stops_keeps_nobody_out() {
    for knows_peers in [true, false] {
        let builder = TestProvider::builder();
        let kit = if knows_peers { builder } else { builder.without_peers() }.build();
        let stranger = Stranger::new(&kit);
        let known = kit.user_agent();
        let _ = login_page(&known, &kit).login("alice").expect_page("consent");
        (0..150).for_each(|_| second_of(&stranger, "alice"));
        for second in 0..150 {
            known.comes_back_later();
            assert_eq!(waits(&known, &stranger, "alice"), 0, "second {second}, peers {knows_peers}");
            kit.clock.advance(seconds(1));
        }
        for _ in 0..3 {
            let waited = waits(&kit.user_agent(), &stranger, "alice");
            assert!(waited <= 5, "{waited} s, peers {knows_peers}");
            (0..100).for_each(|_| second_of(&stranger, "alice"));
        }
    }
}

/// The stranger sits in the same network and guesses one name after the other: the same.
#[test]
fn a_neighbour_who_never_stops_keeps_nobody_out() {
    let kit = TestProvider::new();
    let (known, fresh, neighbour) = (kit.user_agent(), kit.user_agent(), kit.user_agent());
    let _ = login_page(&known, &kit).login("alice").expect_page("consent");
    known.comes_back_later();
    let page = login_page(&neighbour, &kit);
    let guess = |n: u32| {
        let _ = page.login_wrongly(&format!("name-{n}"));
        kit.clock.advance(seconds(1));
    };
    (0..100).for_each(guess);
    assert_eq!(login_page(&known, &kit).login("alice").answer().status, 200);
    let waited = (100..130).take_while(|n| {
        let is_refused = login_page(&fresh, &kit).login("bob").answer().status == 429;
        guess(*n);
        is_refused
    });
    assert!(waited.count() <= 5);
}

/// Right passwords of one name at one moment are all let in: from one network, and from one browser.
#[test]
fn right_logins_at_the_same_moment_are_never_refused() {
    for is_known in [false, true] {
        let kit = TestProvider::new();
        // Longer than several trips to the store, so that all of them are on their way.
        kit.accounts.take_longer(16);
        for seed in 0..5 {
            let ua = kit.user_agent();
            if is_known {
                let _ = login_page(&ua, &kit).login("alice").expect_page("consent");
                ua.comes_back_later();
            }
            let tabs: Vec<_> = (0..12).map(|_| login_page(&ua, &kit)).collect();
            let typed = |tab: &Tab<'_, '_>| tab.to_http(&right("alice"), ("action", "login"));
            let answers = kit.send_at_once(seed, tabs.iter().map(typed).collect());
            let refused = answers.iter().filter(|answer| answer.status != 303).count();
            assert_eq!(refused, 0, "seed {seed}, known {is_known}");
        }
    }
}

fn right(name: &str) -> [(String, String); 2] {
    [("username".to_owned(), name.to_owned()), ("password".to_owned(), chancery_testkit::password_of(name))]
}

/// The cookie of a known browser opens nothing, is good for its own name only, and whoever copied it is
/// counted; the browser that it was copied from is not, from its next login on.
#[test]
fn the_cookie_of_a_known_browser_is_no_credential() {
    let kit = TestProvider::new();
    let alice = kit.user_agent();
    let _ = login_page(&alice, &kit).login("alice").expect_page("consent");
    let first = alice.devices_cookie().unwrap();
    alice.comes_back_later();
    let thief = alice.with_the_same_cookies();
    // A login page is shown, and guesses are counted as anybody's.
    let throttled = guess(&login_page(&thief, &kit), "alice", 7);
    assert_eq!(throttled.event_names(), ["login_throttled", "prompt_shown"]);
    // The owner's count is the same until the owner signs in the next time.
    kit.clock.advance(seconds(2));
    let _ = login_page(&alice, &kit).login("alice").expect_page("consent");
    assert_ne!(alice.devices_cookie().unwrap(), first, "it is new at each login");
    alice.comes_back_later();
    let _ = guess(&login_page(&thief, &kit), "alice", 12);
    let _ = login_page(&alice, &kit).login("alice").expect_page("consent");
    // Another's name has no count of its own in this browser.
    let stranger = Stranger::new(&kit);
    (0..110).for_each(|_| stranger.guess("bob"));
    alice.comes_back_later();
    assert_eq!(login_page(&alice, &kit).login("bob").answer().status, 429);
    // Nor does a wrong password put a name into the cookie.
    let fresh = kit.user_agent();
    let _ = login_page(&fresh, &kit).login_wrongly("alice");
    assert_eq!(fresh.devices_cookie(), None);
}

/// One browser is known for several names, each apart; what was typed in another spelling is the same name.
#[test]
fn a_browser_is_known_for_several_names() {
    let kit = TestProvider::new();
    let (ua, stranger) = (kit.user_agent(), Stranger::new(&kit));
    for name in ["alice", "bob"] {
        let _ = login_page(&ua, &kit).login(name);
        ua.comes_back_later();
    }
    for name in ["alice", "bob"] {
        (0..110).for_each(|_| stranger.guess(name));
        let typed = [("username".to_owned(), format!(" {}", name.to_uppercase())), right(name)[1].clone()];
        let tab = login_page(&ua, &kit).submit(&typed, ("action", "login"));
        assert_ne!(tab.answer().status, 429, "{name}");
        ua.comes_back_later();
    }
}

/// What is no cookie of ours, or too old, is nobody's; it never fails a request.
#[test]
fn other_cookies_are_nobody() {
    let kit = TestProvider::new();
    let alice = kit.user_agent();
    let _ = login_page(&alice, &kit).login("alice").expect_page("consent");
    let good = alice.devices_cookie().unwrap();
    let stranger = Stranger::new(&kit);
    let is_known = |cookie: &str| {
        (0..110).for_each(|_| stranger.guess("alice"));
        let ua = kit.user_agent();
        ua.comes_from("203.0.113.77");
        ua.sets_cookie("devices", cookie);
        let tab = login_page(&ua, &kit).login("alice");
        kit.clock.advance(minutes(3));
        tab.answer().status != 429
    };
    assert!(is_known(&good));
    let mut changed = good.clone().into_bytes();
    changed[20] ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    let other = TestProvider::builder().realm("other").build();
    let foreign = other.user_agent();
    let _ = login_page(&foreign, &other).login("alice").expect_page("consent");
    let of_another_realm = foreign.devices_cookie().unwrap();
    let cut = &good[..good.len() - 4];
    for bad in ["", "x", "AAAAAQ", cut, &changed, &of_another_realm, &good.repeat(3), &"A".repeat(3000)] {
        assert!(!is_known(bad), "{bad}");
    }
    kit.clock.advance(days(366));
    assert!(!is_known(&good), "it is a year old");
}

/// FR-12: who guesses is told 429 with the real waiting time, on the page and in `Retry-After`; nobody is
/// told so because others have much to do.
#[test]
fn the_wait_is_told() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let mut tab = guess(&login_page(&ua, &kit), "alice", 6);
    for (wait, text) in [(1, "1 second"), (2, "2 seconds"), (4, "4 seconds")] {
        let throttled = tab.login("alice");
        assert_eq!(throttled.answer().status, 429);
        assert_eq!(throttled.answer().header("retry-after"), Some(wait.to_string().as_str()));
        assert!(
            throttled.page().text.contains(&format!("Wait {text} and try again")),
            "{}",
            throttled.page().text
        );
        kit.clock.advance(seconds(wait));
        tab = guess(&throttled, "alice", 1);
    }
    while tab.answer().header("retry-after") != Some("900") {
        let wait = tab.answer().header("retry-after").and_then(|wait| wait.parse().ok()).unwrap_or(0);
        kit.clock.advance(seconds(wait));
        tab = guess(&tab, "alice", 1);
    }
    assert!(tab.page().text.contains("Wait 15 minutes and try again"), "{}", tab.page().text);
}

/// FR-12: too much work at this moment is 503 with `Retry-After`, a text and an event of its own, and leaves
/// nothing, also under a name that strangers guess. A source of accounts that is broken: 503.
#[test]
fn busy_and_broken_accounts() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = login_page(&ua, &kit);
    kit.accounts.be(Mood::Busy);
    kit.counting.reset();
    let busy = tab.login("alice").expect_page("login");
    assert_eq!((busy.answer().status.as_u16(), busy.answer().header("retry-after")), (503, Some("1")));
    assert_eq!(busy.event_names(), ["login_busy", "prompt_shown"]);
    assert!(busy.page().text.contains("Too many people are signing in"), "{}", busy.page().text);
    assert_eq!((kit.counting.writes(), kit.accounts.attempts()), (0, 0), "a busy login writes nothing");
    kit.accounts.be(Mood::Answering);
    let stranger = Stranger::new(&kit);
    (0..100).for_each(|_| stranger.guess("alice"));
    kit.accounts.be(Mood::Busy);
    kit.counting.reset();
    assert_eq!(tab.login("alice").event_names(), ["login_busy", "prompt_shown"]);
    assert_eq!(kit.counting.writes(), 0);
    kit.accounts.be(Mood::Broken);
    let broken = tab.login("alice").expect_page("error");
    assert_eq!((broken.answer().status.as_u16(), broken.event_names()), (503, vec!["faulted"]));
    assert!(broken.answer().text().contains(broken.answer().header("x-request-id").unwrap_or("none")));
    kit.accounts.be(Mood::Answering);
    let _ = tab.login("alice");
}

/// FR-01: a wait that was set while the clock was ahead keeps nobody out longer than the longest wait of its
/// rule, once the clock is right again: neither one's own wait, nor that for a place behind strangers, nor
/// that for a time that was told.
#[test]
fn a_clock_that_was_ahead_locks_nobody_out() {
    let right_again = |kit: &TestProvider| kit.clock.set(chancery_testkit::HandClock::START);
    // The seconds until a right password is let in by whoever waits as told.
    let waits = |kit: &TestProvider, ua: &UserAgent<'_>| {
        let mut waited = 0;
        while waited <= 1000 {
            let tab = login_page(ua, kit).login("alice");
            let Some(told) = tab.answer().header("retry-after") else { return waited };
            let told: u64 = told.parse().unwrap();
            kit.clock.advance(seconds(told));
            waited += told;
        }
        panic!("kept out for more than {waited} s")
    };
    for ahead in [minutes(2), minutes(20), minutes(120), days(10)] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        kit.clock.advance(ahead);
        let mut tab = guess(&login_page(&ua, &kit), "alice", 6);
        while tab.answer().header("retry-after") != Some("900") {
            let wait = tab.answer().header("retry-after").and_then(|wait| wait.parse().ok()).unwrap_or(0);
            kit.clock.advance(seconds(wait));
            tab = guess(&tab, "alice", 1);
        }
        right_again(&kit);
        assert!(waits(&kit, &ua) <= 900, "own wait, ahead {ahead:?}");
        // A guess more is braked as ever.
        let other = kit.user_agent();
        let _ = guess(&login_page(&other, &kit), "bob", 6);
        assert_eq!(login_page(&other, &kit).login("bob").answer().status, 429);

        let kit = TestProvider::new();
        let (stranger, told, fresh) = (Stranger::new(&kit), kit.user_agent(), kit.user_agent());
        kit.clock.advance(ahead);
        (0..150).for_each(|_| stranger.guess("alice"));
        assert_eq!(login_page(&told, &kit).login("alice").answer().status, 429);
        right_again(&kit);
        assert!(waits(&kit, &fresh) <= 31, "behind strangers, ahead {ahead:?}");
        assert!(waits(&kit, &told) <= 31, "a time that was told, ahead {ahead:?}");
        // A count is forgotten as if it had been made now, although right passwords go on taking their places in it.
        for _ in 0..20 {
            let _ = login_page(&kit.user_agent(), &kit).login("alice");
            kit.clock.advance(minutes(1));
        }
        let at_once = [(); 2].map(|()| login_page(&kit.user_agent(), &kit).login("alice").answer().status);
        assert!(at_once.iter().all(|status| *status == 200), "a count of the future, ahead {ahead:?}");
    }
}

/// FR-13: who was meant, by which client, from where and why; never what was typed.
#[test]
fn an_event_says_who_was_meant() {
    let kit = TestProvider::new();
    kit.accounts.disable("bob");
    let ua = kit.user_agent();
    ua.comes_from("2001:db8:1:2:3::4");
    let tab = login_page(&ua, &kit);
    let mut digests = Vec::new();
    for (typed, account, why) in [
        ("alice", Some("alice"), "wrong_password"),
        (" ALICE", Some("alice"), "wrong_password"),
        ("nobody", None, "unknown_name"),
        ("bob", Some("bob"), "wrong_password"),
    ] {
        let failed = guess(&tab, typed, 1);
        let [Event::LoginFailed { attempt, reason }, _] = failed.events() else {
            panic!("{:?}", failed.events())
        };
        assert_eq!((attempt.account.as_ref().map(|id| id.as_str()), *reason), (account, why), "{typed}");
        let network = failed.answer().told_network();
        assert_eq!((attempt.client.as_str(), network.as_deref()), ("web", Some("2001:db8:1:2::/64")));
        digests.push(attempt.name_digest.clone());
        let told = format!("{:?}", failed.events());
        assert!(!told.contains(typed.trim()) || account.is_some(), "{told}");
        assert!(!told.contains("a guess"), "{told}");
    }
    assert!(digests[0] == digests[1] && digests[0] != digests[2], "{digests:?}");
    let disabled = tab.login("bob");
    let [Event::LoginFailed { reason, .. }, _] = disabled.events() else { panic!("{:?}", disabled.events()) };
    assert_eq!(*reason, "disabled");
    let throttled = guess(&tab, "nobody", 6);
    let [Event::LoginThrottled { attempt, wait }, _] = throttled.events() else {
        panic!("{:?}", throttled.events())
    };
    assert_eq!((&attempt.name_digest, *wait), (&digests[2], seconds(1)));
}

/// A proxy on this machine that nobody has named brings the stranger and the person: taken for one network,
/// the stranger's guesses would make the person wait for a quarter of an hour, again and again.
#[test]
fn a_stranger_behind_the_same_unnamed_proxy_keeps_nobody_out() {
    for proxy in ["127.0.0.1", "::1"] {
        let kit = TestProvider::new();
        let stranger = kit.user_agent();
        stranger.comes_from(proxy);
        let page = login_page(&stranger, &kit);
        for second in 0..1800 {
            if second % 2 == 0 {
                let _ = page.login_wrongly("alice");
            }
            if second % 300 == 299 {
                let alice = kit.user_agent();
                alice.comes_from(proxy);
                let status = login_page(&alice, &kit).login("alice").answer().status;
                assert_ne!(status, 429, "{proxy}, second {second}");
            }
            kit.clock.advance(seconds(1));
        }
    }
}

/// Inputs with other names: the person reads the same as after a wrong password, and the log says what is missing. Fields that
/// are there and empty are the person's own mistake.
#[test]
fn a_login_form_without_its_fields_says_so() {
    for (fields, is_missing) in [
        (&[("email", "alice"), ("pass", "secret")][..], true),
        (&[("email", "alice"), ("password", "secret")], true),
        (&[("username", ""), ("password", "")], false),
    ] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let page = login_page(&ua, &kit).expect_page("login");
        let form = page.form();
        let hidden = form.fields.into_iter().filter(|(name, _)| !["username", "password"].contains(&&**name));
        let typed = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let refused = page.post(&form.action, &hidden.chain(typed).collect::<Vec<_>>()).expect_page("login");
        let failed = refused.events().iter().find_map(|event| match event {
            Event::LoginFailed { attempt, reason } => Some((*reason, attempt.name_digest.is_empty())),
            _ => None,
        });
        assert_eq!(failed, is_missing.then_some(("fields_missing", true)), "{fields:?}");
    }
}

/// FR-13: a login after which no session is begun is in the log as well, with what was wrong; the page says the same each time.
#[test]
fn a_login_that_is_good_for_nothing_says_why() {
    for why in ["account_missing", "account_changed", "disabled"] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let tab = login_page(&ua, &kit);
        kit.accounts.meanwhile(move |accounts| match why {
            "account_missing" => accounts.remove("alice"),
            "account_changed" => accounts.sign_out_everywhere("alice"),
            _ => accounts.disable("alice"),
        });
        let refused = tab.login("alice").expect_page("login");
        let [Event::LoginFailed { attempt, reason }, Event::PromptShown { .. }] = refused.events() else {
            panic!("{why}: {:?}", refused.events())
        };
        assert_eq!((*reason, attempt.account.as_ref().map(|id| id.as_str())), (why, Some("alice")));
        assert!(!attempt.name_digest.is_empty());
    }
    // Where no name was typed, there is none to digest.
    let kit = TestProvider::new();
    kit.accounts.knows_by(|_| Some("alice".to_owned()));
    kit.accounts.knows_since(kit.now() - hours(1));
    let ua = kit.user_agent();
    let page = kit
        .authorization_request("web")
        .scope("openid")
        .set("prompt", "login")
        .open(&ua)
        .expect_page("login");
    let form = page.form();
    let hidden = form.fields.into_iter().filter(|(name, _)| !["username", "password"].contains(&&**name));
    let refused = page.post(&form.action, &hidden.collect::<Vec<_>>()).expect_page("login");
    let [Event::LoginFailed { attempt, reason }, _] = refused.events() else {
        panic!("{:?}", refused.events())
    };
    assert_eq!((*reason, &*attempt.name_digest), ("login_too_old", ""));
}

/// An application's `find` that answers with another person than it was asked for has answered with nobody: nobody is signed
/// in, whoever was stays so no longer, and what was issued before is good for nothing.
#[test]
fn an_account_with_another_id_is_nobodys() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid");
    let _ = ua.open(&request).expect_page("login").login("alice").expect_page("consent");
    let tokens = kit.tokens("alice", "spa", "openid");
    kit.accounts.confuses("alice", "bob");
    let stranger = kit.user_agent();
    let refused = login_page(&stranger, &kit).login("alice").expect_page("login");
    let [Event::LoginFailed { reason, .. }, ..] = refused.events() else { panic!("{:?}", refused.events()) };
    assert_eq!(*reason, "account_missing");
    let _ = ua.open(&request).expect_page("login");
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401);
}
