//! A new password.

use chancery_core::event::Event;
use chancery_testkit::{Mood, Tab, TestProvider, minutes, password_of, seconds};
use chancery_types::AccountId;
use http::header::SET_COOKIE;

use super::{NEW, arrive, follow, is_signed_in, links, signs_in_with};

fn typed(current: &str, new: &str) -> [(String, String); 3] {
    [("current", current), ("new", new), ("again", new)].map(|(name, value)| (name.into(), value.into()))
}

#[track_caller]
pub(super) fn change<'u, 'k>(tab: &Tab<'u, 'k>, current: &str, new: &str) -> Tab<'u, 'k> {
    tab.clone().expect_page("change-password").submit(&typed(current, new), ("action", "change"))
}

/// A new password: the one that was is worth nothing, the other sessions have ended, what applications had is worth
/// nothing either, and this session goes on under a new secret (OWASP ASVS 5.0 sections 6.2.2 and 7.4.3).
#[test]
fn a_password_is_changed() {
    let kit = TestProvider::new();
    let (ua, other, theirs) = (kit.user_agent(), kit.user_agent(), kit.user_agent());
    let _ = arrive(&other, "alice");
    let _ = arrive(&theirs, "bob");
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let tab = arrive(&ua, "alice");
    let before = ua.session_cookie();
    let page = follow(&tab, "password").expect_page("change-password");
    assert!(page.page().text.contains("At least 8 characters"), "{}", page.page().text);
    let done = change(&page, &password_of("alice"), NEW).expect_page("account");
    assert!(done.page().text.contains("Your password was changed."));
    let names = done.event_names();
    assert_eq!(names.first(), Some(&"password_changed"));
    assert!(names[1..].iter().all(|name| *name == "session_ended") && names.len() == 3, "{names:?}");
    assert_eq!(
        done.events()[0],
        Event::PasswordChanged {
            account: AccountId::parse("alice").expect("an account id"),
            keeps_others: false,
        }
    );
    assert_ne!(ua.session_cookie(), before);
    assert_eq!((is_signed_in(&ua), is_signed_in(&other), is_signed_in(&theirs)), (true, false, true));
    assert!(!kit.is_active("web", tokens.member("refresh_token")));
    assert!(!signs_in_with(&kit, "alice", &password_of("alice")) && signs_in_with(&kit, "alice", NEW));
    // A copy of the cookie as it was is good for nobody.
    let thief = kit.user_agent();
    thief.sets_cookie("session", &before.expect("a session"));
    kit.clock.advance(seconds(31));
    assert!(!is_signed_in(&thief) && is_signed_in(&ua));
}

/// Whoever wants to stays signed in elsewhere.
#[test]
fn a_password_is_changed_and_others_go_on() {
    let kit = TestProvider::new();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    let _ = arrive(&other, "alice");
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let page = follow(&arrive(&ua, "alice"), "password");
    let mut fields = page.form().fields;
    fields.retain(|(name, _)| !["current", "new", "again"].contains(&name.as_str()));
    fields.extend(typed(&password_of("alice"), NEW));
    fields.extend(
        [("keeps_others", "yes"), ("action", "change")].map(|(name, value)| (name.into(), value.into())),
    );
    let done = page.post(&page.form().action, &fields).expect_page("account");
    assert_eq!(done.event_names(), ["password_changed"]);
    assert!(is_signed_in(&other) && is_signed_in(&ua) && kit.is_active("web", tokens.member("access_token")));
    assert!(signs_in_with(&kit, "alice", NEW));
}

/// What is wrong with it is said, and nothing has changed. A new one that is not accepted costs no attempt.
#[test]
fn a_password_is_not_changed() {
    let kit = TestProvider::new();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    let _ = arrive(&other, "alice");
    let page = follow(&arrive(&ua, "alice"), "password");
    let attempts = kit.accounts.attempts();
    let right = password_of("alice");
    for (current, new, again, reason, said) in [
        ("wrong", NEW, NEW, "wrong_password", "The current password is wrong."),
        ("", NEW, NEW, "wrong_password", "The current password is wrong."),
        (&*right, NEW, "another new one", "passwords_differ", "The new passwords differ."),
        (&right, "short", "short", "password_too_short", "at least 8 characters"),
        (&right, "", "", "password_too_short", "at least 8 characters"),
        (&right, &right, &right, "password_unchanged", "is the current one"),
    ] {
        let mut fields = typed(current, new);
        fields[2].1 = again.to_owned();
        let tab = page.submit(&fields, ("action", "change")).expect_page("change-password");
        assert!(tab.page().text.contains(said), "{said}: {}", tab.page().text);
        assert!(!tab.answer().text().contains(NEW) && !tab.answer().text().contains(&right), "{reason}");
        let [Event::PasswordChangeRefused { reason: told, .. }] = tab.events() else {
            panic!("{:?}", tab.events())
        };
        assert_eq!(*told, reason);
    }
    assert_eq!(kit.accounts.attempts(), attempts + 1, "only a wrong one was looked at");
    assert!(is_signed_in(&other) && signs_in_with(&kit, "alice", &right));

    kit.accounts.be(Mood::Busy);
    let busy = change(&page, &right, NEW);
    assert_eq!((busy.answer().status.as_u16(), busy.answer().header("retry-after").is_some()), (503, true));
    kit.accounts.be(Mood::Answering);
    // Where the application's accounts cannot do it, there is neither a link nor a page.
    kit.accounts.keep_passwords();
    let refused = page.submit(&typed(&right, NEW), ("action", "change")).expect_page("account");
    assert!(links(&refused, "password").is_empty() && refused.event_names().is_empty());
    let _ = ua.get("/account/password").expect_page("account");
    assert!(signs_in_with(&kit, "alice", &right));
}

/// Guesses at the current one are counted as those at a login of this browser, and by the same count.
#[test]
fn guesses_are_throttled() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let page = follow(&arrive(&ua, "alice"), "password");
    for _ in 0..6 {
        let tab = change(&page, "a guess", NEW);
        assert!(tab.page().text.contains("wrong"), "{}", tab.page().text);
    }
    let attempts = kit.accounts.attempts();
    let waits = change(&page, &password_of("alice"), NEW).expect_page("change-password");
    assert_eq!(waits.answer().status.as_u16(), 429);
    assert!(waits.answer().header("retry-after").is_some() && waits.page().text.contains("Wait"));
    assert_eq!(kit.accounts.attempts(), attempts, "not looked at");
    let login = ua.get("/account?prompt=login").login("alice");
    assert_eq!(login.answer().status.as_u16(), 429, "the same count");
    kit.clock.advance(minutes(1));
    let _ = change(&page, &password_of("alice"), NEW).expect_page("account");
}

/// They are counted by the name that is typed at a login, however pages call the person: so a thief of a session gets no
/// guesses beside those at a login, and whoever is called as another person signs in makes nobody wait.
#[test]
fn guesses_are_counted_by_the_name_that_is_typed() {
    let kit = TestProvider::new();
    kit.accounts.is_called("bob", "alice");
    let bob = kit.user_agent();
    let _ = arrive(&bob, "bob");
    let thief = kit.user_agent();
    thief.comes_from("203.0.113.9");
    thief.sets_cookie("session", &bob.session_cookie().expect("a session"));
    let page = follow(&thief.get("/account").expect_page("account"), "password");
    // So it is what a password manager files the new password under.
    let named = page.form().fields.into_iter().find(|(name, _)| name == "username");
    assert_eq!(named.map(|(_, value)| value).as_deref(), Some("bob"));
    for _ in 0..6 {
        let _ = change(&page, "a guess", NEW).expect_page("change-password");
    }
    assert_eq!(change(&page, "a guess", NEW).answer().status.as_u16(), 429);
    for (name, status) in [("bob", 429), ("alice", 303)] {
        let stranger = kit.user_agent();
        stranger.comes_from("203.0.113.9");
        let login = stranger.get("/account").expect_page("login");
        let answer = kit.send(login.to_http(
            &[("username".into(), name.into()), ("password".into(), password_of(name))],
            ("action", "login"),
        ));
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text());
    }
}

/// FR-11: the same form twice, one after the other or at the same moment, is one change, and both answers say so.
#[test]
fn the_same_change_twice() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let page = follow(&arrive(&ua, "alice"), "password");
    let request = page.to_http(&typed(&password_of("alice"), NEW), ("action", "change"));
    let _ = change(&page, &password_of("alice"), NEW).expect_page("account");
    let answer = kit.send(request);
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    assert!(answer.headers.get(SET_COOKIE).is_none() && answer.events.is_empty(), "{:?}", answer.events);
    assert!(is_signed_in(&ua));

    for seed in 0..100 {
        let kit = TestProvider::builder().seed(seed).build();
        let ua = kit.user_agent();
        let page = follow(&arrive(&ua, "alice"), "password");
        let request = || page.to_http(&typed(&password_of("alice"), NEW), ("action", "change"));
        let answers = kit.send_at_once(seed, vec![request(), request()]);
        let changed: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(changed, [303, 303], "seed {seed}: {}", answers[1].text());
        assert!(signs_in_with(&kit, "alice", NEW), "seed {seed}");
    }
}

/// What is typed into a page that the browser has kept, after its change was made, is another change: nobody is told that
/// it was made while it was not.
#[test]
fn another_change_by_the_same_page() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let page = follow(&arrive(&ua, "alice"), "password");
    let _ = change(&page, &password_of("alice"), NEW).expect_page("account");
    let again = change(&page, NEW, "another new one of hers").expect_page("change-password");
    assert!(again.page().text.contains("Try again"), "{}", again.page().text);
    assert!(signs_in_with(&kit, "alice", NEW));
    let done = change(&again, NEW, "another new one of hers").expect_page("account");
    assert!(done.page().text.contains("Your password was changed."));
    assert!(signs_in_with(&kit, "alice", "another new one of hers") && is_signed_in(&ua));
}

/// What happens to the account while the password is looked at: nobody stays signed in by it who may not.
#[test]
fn an_account_that_changes_meanwhile() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let page = follow(&arrive(&ua, "alice"), "password");
    kit.accounts.meanwhile(|people| people.disable("alice"));
    let tab = change(&page, &password_of("alice"), NEW);
    assert!(!tab.event_names().contains(&"password_changed"), "{:?}", tab.event_names());
    assert!(!is_signed_in(&ua));
}
