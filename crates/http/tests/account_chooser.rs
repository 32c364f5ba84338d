//! OIDC Core section 3.1.2.1, `prompt=select_account`: several people in one browser.

#![expect(clippy::indexing_slicing, reason = "tests")]

use chancery_core::interaction::form_token::FORM_OF_FORMER_SESSION;
use chancery_core::interaction::prompt::SESSION_ENDED;
use chancery_testkit::{NegativeTable, Refused, Tab, TestProvider, UserAgent, assert_refused, seconds};

/// The chooser of the client `web`.
fn chooser<'u, 'k>(ua: &'u UserAgent<'k>) -> Tab<'u, 'k> {
    let request = ua.provider().authorization_request("web").scope("openid");
    ua.open(&request.set("prompt", "select_account")).expect_page("accounts")
}

/// Who the tab's code is for.
#[track_caller]
fn subject(tab: &Tab<'_, '_>, kit: &TestProvider) -> String {
    let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
    kit.id_token(&tokens, "web").claims["sub"].as_str().unwrap_or_default().to_owned()
}

/// How many sessions the cookie lists.
fn listed(ua: &UserAgent<'_>) -> usize {
    ua.session_cookie().map_or(0, |list| list.split('.').count())
}

/// Everybody of the chooser, in its order.
fn people(tab: &Tab<'_, '_>) -> Vec<String> {
    let form = tab.form();
    form.buttons.into_iter().filter(|button| button.name == "account").map(|button| button.label).collect()
}

/// POL-01, INT-19: another account is one more session in the list; the first stays, and choosing goes back
/// to it.
#[test]
fn a_second_account_is_one_more_session() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    for person in ["alice", "bob"] {
        ua.has_consented(person, "web", "openid");
    }
    ua.signed_in("alice");
    assert_eq!(people(&chooser(&ua)), ["alice"]);
    let login = chooser(&ua).choose_another().expect_page("login");
    assert_eq!(subject(&login.login("bob"), &kit), "bob");
    assert_eq!((listed(&ua), people(&chooser(&ua))), (2, vec!["bob".to_owned(), "alice".to_owned()]));
    // The client that asks for nobody gets whoever is active.
    let plain = kit.authorization_request("web").scope("openid");
    assert_eq!(subject(&plain.open(&ua), &kit), "bob");
    assert_eq!(subject(&chooser(&ua).choose("alice"), &kit), "alice");
    assert_eq!(subject(&plain.open(&ua), &kit), "alice");
    assert_eq!(people(&chooser(&ua)), ["alice", "bob"]);
}

/// Choosing moves a handle to the front of the cookie; but for grant with code, and the answer, nothing is
/// written.
#[test]
fn choosing_writes_no_session() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    for person in ["alice", "bob"] {
        ua.has_consented(person, "web", "openid");
        ua.signed_in(person);
        ua.has_visited("web");
    }
    let page = chooser(&ua);
    let before = ua.session_cookie().unwrap_or_default();
    kit.counting.reset();
    let done = page.choose("alice");
    assert_eq!((kit.counting.writes(), done.event_names()), (2, vec!["authorization_granted"]));
    let mut moved: Vec<&str> = before.split('.').collect();
    moved.reverse();
    assert_eq!(ua.session_cookie(), Some(moved.join(".")));
    // The page itself wrote nothing, and neither did `another`.
    let (_, _) = (subject(&done, &kit), kit.counting.reset());
    let _ = chooser(&ua).choose_another().expect_page("login");
    assert_eq!(kit.counting.writes(), 0);
}

/// The chosen person may still have to consent; the page after that belongs to them.
#[test]
fn consent_is_asked_of_the_chosen_person() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.signed_in("bob");
    ua.has_consented("bob", "web", "openid");
    let consent = chooser(&ua).choose("alice").expect_page("consent");
    assert!(consent.page().text.contains("alice"));
    let reloaded = consent.reload().expect_page("consent");
    assert_eq!(subject(&reloaded.allow(), &kit), "alice");
}

/// Whoever has to sign in has chosen; a login page is not followed by the chooser.
#[test]
fn a_login_is_a_choice() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid").set("prompt", "select_account");
    let login = request.open(&ua).expect_page("login");
    assert_eq!(subject(&login.login("alice"), &kit), "alice");
}

/// SESS-02, SESS-03: four people fit; a fifth login ends the session that was active longest ago, with what
/// hangs on it.
#[test]
fn a_fifth_login_ends_the_oldest_session() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let (mut tokens, names) = (Vec::new(), ["alice", "bob", "carol", "dave", "erin"]);
    for name in names {
        kit.accounts.add(name);
        ua.has_consented(name, "web", "openid");
        let request = kit.authorization_request("web").scope("openid").set("prompt", "login");
        kit.clock.advance(seconds(1));
        let tab = request.open(&ua).expect_page("login").login(name);
        let is_full = name == "erin";
        assert_eq!(tab.event_names().contains(&"session_ended"), is_full, "{name}: {:?}", tab.event_names());
        tokens.push(kit.exchange(&tab.expect_code()).expect_status(200));
    }
    assert_eq!(
        (listed(&ua), people(&chooser(&ua))),
        (4, ["erin", "dave", "carol", "bob"].map(str::to_owned).into())
    );
    for (name, tokens) in names.iter().zip(&tokens) {
        assert_eq!(kit.is_active("web", tokens.member("access_token")), *name != "alice", "{name}");
    }
}

/// SESS-08, SESS-10, SESS-12: a dead handle takes nobody's place: it is dropped from the list, not a live
/// one, and the next one is active.
#[test]
fn a_dead_handle_leaves_the_list() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    for name in ["alice", "bob", "carol", "dave"] {
        kit.accounts.add(name);
        ua.signed_in(name);
        ua.has_consented(name, "web", "openid");
    }
    ua.ends_session();
    assert_eq!(
        (listed(&ua), people(&chooser(&ua))),
        (4, ["carol", "bob", "alice"].map(str::to_owned).into())
    );
    kit.clock.advance(seconds(1));
    let login = kit.authorization_request("web").scope("openid").set("prompt", "login").open(&ua);
    let done = login.expect_page("login").login("dave");
    assert!(!done.event_names().contains(&"session_ended"), "{:?}", done.event_names());
    let _ = done.expect_code();
    assert_eq!(people(&chooser(&ua)), ["dave", "carol", "bob", "alice"]);
    ua.ends_session();
    assert_eq!(subject(&chooser(&ua).choose("bob"), &kit), "bob");
    assert_eq!(listed(&ua), 3);
}

/// SESS-12: when the active session has ended, nobody takes its place unasked: neither silently, nor with a
/// code for the one who is signed in beside it. The client that expects that person gets them.
#[test]
fn nobody_takes_the_place_of_the_active_person() {
    type End = fn(&TestProvider, &UserAgent<'_>);
    let ends: [(&str, End); 4] = [
        ("signed out", |_, ua| ua.ends_session()),
        ("disabled", |kit, _| kit.accounts.disable("alice")),
        ("removed", |kit, _| kit.accounts.remove("alice")),
        ("signed out everywhere", |kit, _| kit.accounts.sign_out_everywhere("alice")),
    ];
    for (how, end) in ends {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        for person in ["bob", "alice"] {
            ua.has_consented(person, "web", "openid");
            ua.signed_in(person);
        }
        end(&kit, &ua);
        let plain = || kit.authorization_request("web").scope("openid");
        let silent = plain().set("prompt", "none").open(&ua);
        let _ = silent.expect_error("login_required");
        assert_refused!(silent, SESSION_ENDED);
        let page = plain().open(&ua).expect_page("accounts");
        assert_eq!(people(&page), ["bob"], "{how}");
        let hint = plain().set("claims", r#"{"id_token":{"sub":{"value":"bob"}}}"#).set("prompt", "none");
        assert_eq!(subject(&hint.open(&ua), &kit), "bob", "{how}");
        assert_eq!(subject(&page.choose("bob"), &kit), "bob", "{how}");
        assert_eq!((listed(&ua), subject(&plain().open(&ua), &kit)), (1, "bob".to_owned()), "{how}");
    }
}

/// Signing in as somebody else stays possible, and asking for a login is not answered with a choice.
#[test]
fn instead_of_the_one_who_is_gone_another_may_sign_in() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.has_consented("alice", "web", "openid");
    ua.signed_in("bob");
    ua.signed_in("alice");
    ua.ends_session();
    let plain = kit.authorization_request("web").scope("openid");
    let _ = plain.clone().set("prompt", "login").open(&ua).expect_page("login");
    let page = plain.open(&ua).expect_page("accounts");
    let _ = page.cancel().expect_error("access_denied");
    assert_eq!(subject(&page.choose_another().expect_page("login").login("alice"), &kit), "alice");
    assert_eq!(people(&chooser(&ua)), ["alice", "bob"]);
}

/// The chooser offers only who is really there: a session that ended meanwhile is not chosen but asked about
/// again, and the page says why.
#[test]
fn a_session_that_ended_cannot_be_chosen() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("bob");
    ua.signed_in("alice");
    let page = chooser(&ua);
    let says_why = |tab: &Tab<'_, '_>| tab.page().text.contains("not signed in here any more");
    assert!(!says_why(&page));
    kit.accounts.disable("bob");
    let again = page.choose("bob").expect_page("accounts");
    assert_eq!(people(&again), ["alice"]);
    assert!(says_why(&again), "{}", again.page().text);
    let nobody = page.post(&page.form().action, &page.form().fields).expect_page("accounts");
    assert!(!says_why(&nobody), "nobody was chosen");
    ua.ends_session();
    let nobody = page.choose("alice");
    assert!(!nobody.is_answered_with("code"));
    assert!(["accounts", "login"].contains(&nobody.page().name.as_str()), "{}", nobody.page().name);
}

/// GAP-01: the chooser says whom the client expects, and choosing somebody else does not help.
#[test]
fn the_expected_person_is_marked() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    for name in ["alice", "bob"] {
        ua.signed_in(name);
        ua.has_consented(name, "web", "openid");
    }
    let claims = r#"{"id_token":{"sub":{"value":"alice"}}}"#;
    let request = kit.authorization_request("web").scope("openid").set("claims", claims);
    // alice is in the list, though bob is active: she is taken without a question.
    assert_eq!(subject(&request.open(&ua), &kit), "alice");
    let page = request.set("prompt", "select_account").open(&ua).expect_page("accounts");
    assert!(page.page().text.contains("expected by the application"), "{}", page.page().text);
    let again = page.choose("bob").expect_page("accounts");
    assert_eq!(subject(&again.choose("alice"), &kit), "alice");
}

/// GAP-01: the chooser says that the client expects somebody who is not there, and says so in no other case.
#[test]
fn an_expected_person_who_is_not_there() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let expecting = |sub: Option<&str>| {
        let request = kit.authorization_request("web").scope("openid").set("prompt", "select_account");
        let claims = sub.map(|sub| format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#));
        let request = claims.iter().fold(request, |request, claims| request.set("claims", claims));
        let text = request.open(&ua).expect_page("accounts").page().text;
        (
            text.contains("expects a person who is not signed in here"),
            text.contains("expected by the application"),
        )
    };
    assert_eq!(expecting(None), (false, false));
    assert_eq!(expecting(Some("alice")), (false, true));
    assert_eq!(expecting(Some("bob")), (true, false));
}

/// GAP-01, OIDC Core section 3.1.2.1, `prompt=login`: a login that the client asked for is one in the session
/// that it began. Whoever signs in as somebody else and then chooses the expected person, who is signed in
/// here, has to show that it is them.
#[test]
fn a_login_counts_for_the_session_that_it_began() {
    for looks_at_bob_first in [false, true] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        for name in ["alice", "bob"] {
            ua.signed_in(name);
            ua.has_consented(name, "web", "openid");
        }
        kit.clock.advance(seconds(60));
        let claims = r#"{"id_token":{"sub":{"value":"alice"}}}"#;
        let request =
            kit.authorization_request("web").scope("openid").set("claims", claims).set("prompt", "login");
        let mut page = request.open(&ua).expect_page("login").login("bob").expect_page("accounts");
        if looks_at_bob_first {
            page = page.choose("bob").expect_page("accounts");
        }
        let login = page.choose("alice").expect_page("login");
        let token = kit.id_token(&kit.exchange(&login.login("alice").expect_code()), "web");
        assert_eq!(
            (&token.claims["sub"], &token.claims["auth_time"]),
            (&"alice".into(), &kit.now().secs().into())
        );
    }
}

/// SESS-13: a choice that was sent with the cookie from before a login, and is answered after it, does not
/// bring a former secret back into the cookie, whichever of the sessions has the new one.
#[test]
fn a_choice_in_a_slow_tab_brings_no_former_secret_back() {
    let names = ["carol", "bob", "alice"];
    let renewed: [&[&str]; 6] = [&[], &["alice"], &["bob"], &["carol"], &["bob", "carol"], &names];
    for renewed in renewed {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        kit.accounts.add("carol");
        for name in names.iter().rev() {
            ua.has_consented(name, "web", "openid");
            ua.signed_in(name);
        }
        let slow = ua.with_the_same_cookies();
        let (page, before) = (chooser(&slow), slow.session_cookie());
        assert_eq!(people(&page), names);
        for name in renewed {
            let login = kit.authorization_request("web").scope("openid").set("prompt", "login").open(&ua);
            let _ = login.expect_page("login").login(name).expect_code();
        }
        assert_eq!(subject(&page.choose("alice"), &kit), "alice");
        let is_moved = slow.session_cookie() != before;
        assert_eq!(is_moved, renewed.is_empty(), "{renewed:?}");
        // One browser has one cookie: that of the answer that came last and had one.
        kit.clock.advance(seconds(31));
        let mut still_there = people(&chooser(if is_moved { &slow } else { &ua }));
        still_there.sort();
        assert_eq!(still_there, ["alice", "bob", "carol"], "{renewed:?}");
    }
}

/// INT-16: whoever does not want to choose goes back; a form of another account's choice is of no use.
#[test]
fn cancelling_the_choice() {
    let kit = TestProvider::new();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    ua.signed_in("alice");
    other.signed_in("bob");
    let _ = chooser(&ua).cancel().expect_error("access_denied");
    let (mine, theirs) = (chooser(&ua), chooser(&other).form());
    let choice =
        theirs.buttons.iter().find(|button| button.name == "account").map(|button| button.value.clone());
    let mut fields = mine.form().fields;
    fields.push(("account".to_owned(), choice.unwrap_or_default()));
    let again = mine.post(&mine.form().action, &fields).expect_page("accounts");
    assert_eq!(people(&again), ["alice"]);
}

/// OIDC Core section 3.1.2.1: one row per choice that cannot be made.
#[test]
fn choices_that_cannot_be_made() {
    let kit = TestProvider::new();
    let request = || kit.authorization_request("web").scope("openid");
    let impossible = r#"{"id_token":{"sub":{"value":"alice"}}}"#;
    NegativeTable::new(&kit)
        .row("silently", request().set("prompt", "select_account none"), Refused::Client("invalid_request"))
        .row(
            "of one person, silently",
            request().set("claims", impossible).set("prompt", "none"),
            Refused::Client("login_required"),
        )
        .row(
            "without a page before",
            kit.anonymous_request("/interaction").param("account", "x").param("action", "another"),
            Refused::Page(400, "invalid_request"),
        )
        .run();
}

/// Two logins of one browser at the same moment: whoever signs in with a request that still names the former secret
/// of another session is asked once more, so that the current one stays in the cookie.
#[test]
fn a_login_does_not_bring_back_a_former_secret() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid").set("prompt", "login");
    let _ = request.open(&ua).login("bob").allow().expect_code();
    // In flight: alice signs in while bob's session gets another secret.
    let in_flight = ua.with_the_same_cookies();
    let login = request.open(&in_flight).expect_page("login");
    let _ = request.open(&ua).login("bob").expect_code();
    let before = in_flight.session_cookie();
    let again = login.login("alice").expect_page("login");
    again.expect_refused_form(&FORM_OF_FORMER_SESSION);
    assert_eq!(in_flight.session_cookie(), before);
    // The browser has the new cookie by now, and both stay signed in.
    let _ = request.open(&ua).login("alice").allow().expect_code();
    kit.clock.advance(std::time::Duration::from_secs(31));
    let chooser = request.clone().set("prompt", "select_account").open(&ua).expect_page("accounts");
    assert_eq!(subject(&chooser.choose("bob"), &kit), "bob");
}
