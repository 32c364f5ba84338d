//! The account page (OWASP ASVS 5.0 sections 6.2 and 7.5): what a person has here, seen and ended by them,
//! and a new password.

#![expect(clippy::panic, reason = "tests")]

use chancery_core::interaction::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_SESSION, FORM_TOO_OLD, FORM_WITHOUT_COOKIE,
};
use chancery_core::offered::Endpoint;
use chancery_testkit::{
    Answer, HtmlPage, NegativeTable, Refused, Tab, TestProvider, UserAgent, days, hours, millis, minutes,
    password_of, refusals, seconds,
};
use http::header::COOKIE;
use http::{HeaderValue, Method};
use serde_json::json;

mod lists;
mod password;
use password::change;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
    Version/18.5 Mobile/15E148 Safari/604.1";
const NEW: &str = "a new password of hers";

/// The account signs in at the account page itself, by this browser.
#[track_caller]
fn arrive<'u, 'k>(ua: &'u UserAgent<'k>, account: &str) -> Tab<'u, 'k> {
    ua.get("/account").expect_page("login").login(account).expect_page("account")
}

/// The links of the page to what lies below it.
fn links(tab: &Tab<'_, '_>, below: &str) -> Vec<String> {
    let prefix = format!("{}/account/{below}", tab_origin());
    tab.page().links.into_iter().filter(|link| link.starts_with(&prefix)).collect()
}

fn tab_origin() -> &'static str {
    "https://id.example"
}

/// Follows the only link to a page below.
#[track_caller]
fn follow<'u, 'k>(tab: &Tab<'u, 'k>, below: &str) -> Tab<'u, 'k> {
    let found = links(tab, below);
    let [link] = found.as_slice() else { panic!("one link to {below}: {:?}", tab.page().links) };
    tab.follow(link)
}

#[track_caller]
fn end<'u, 'k>(tab: &Tab<'u, 'k>) -> Tab<'u, 'k> {
    tab.clone().expect_page("confirm-end").submit(&[], ("action", "end"))
}

fn is_signed_in(ua: &UserAgent<'_>) -> bool {
    ua.get("/account").page().name == "account"
}

/// Signs in at the account page with this password.
fn signs_in_with(kit: &TestProvider, account: &str, password: &str) -> bool {
    let ua = kit.user_agent();
    let fields =
        [("username", account), ("password", password)].map(|(name, value)| (name.into(), value.into()));
    ua.get("/account").expect_page("login").submit(&fields, ("action", "login")).page().name == "account"
}

/// A person who is not signed in does that first, for nobody's application, and arrives where they wanted to go, also
/// from a link of another site. Nothing of it is kept by anybody, nor framed.
#[test]
fn whoever_is_not_signed_in_does_that_first() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = ua.follow_from_another_site("/account").expect_page("login");
    assert!(login.page().text.contains("id.example"), "{}", login.page().text);
    let tab = login.login("alice").expect_page("account");
    assert_eq!(tab.address(), "/account");
    assert!(tab.page().text.contains("alice"));
    let headers = |name: &str| tab.answer().header(name);
    assert_eq!((headers("cache-control"), headers("x-frame-options")), (Some("no-store"), Some("DENY")));
    let policy = headers("content-security-policy").unwrap_or_default();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"), "{policy}");
    // Each page below leads there as well.
    for below in ["/account/password", "/account/nonsense", "/account/session"] {
        let other = kit.user_agent();
        let tab = other.get(below).expect_page("login").login("alice");
        let expected = if below == "/account/password" { "change-password" } else { "account" };
        let _ = tab.expect_page(expected);
    }
    // Whoever wants to go on as somebody else, or as another one of those who are signed in.
    let tab = ua.get("/account?prompt=login").expect_page("login").login("bob").expect_page("account");
    assert!(tab.page().text.contains("bob"));
    let tab = ua.get("/account?prompt=select_account").expect_page("accounts").choose("alice");
    assert!(tab.expect_page("account").page().text.contains("alice"));
    // Who has gone gets no page of anybody's.
    let ua = kit.user_agent();
    let left = ua.get("/account").expect_page("login").cancel().expect_page("logout-done");
    assert!(left.page().text.contains("You are not signed in"), "{}", left.page().text);
}

/// Sessions with what is known of browser, place and time, this one first; whatever a browser calls itself is text.
#[test]
fn sessions_are_shown() {
    let kit = TestProvider::new();
    let (phone, ua, other) = (kit.user_agent(), kit.user_agent(), kit.user_agent());
    phone.calls_itself(SAFARI);
    phone.comes_from("2001:db8:1:2:3:4:5:6");
    let _ = arrive(&phone, "alice");
    other.calls_itself("<b>Evil</b>/1 (\"'&)");
    let _ = arrive(&other, "alice");
    let _ = arrive(&kit.user_agent(), "bob");
    kit.clock.advance(days(3));
    phone.has_consented("alice", "web", "openid");
    let _ = kit.authorization_request("web").scope("openid").open(&phone).expect_code();
    kit.clock.advance(hours(5));
    ua.calls_itself(FIREFOX);
    ua.comes_from("203.0.113.9");
    let tab = arrive(&ua, "alice");
    let text = tab.page().text;
    let at = |shown: &str| text.find(shown).unwrap_or_else(|| panic!("{shown}: {text}"));
    assert!(at("Firefox on Linux") < at("Safari on iPhone"), "{text}");
    assert!(at("Safari on iPhone") < at("Unknown browser"), "the one that was used last: {text}");
    for shown in
        ["(this one)", "203.0.113.9", "2001:db8:1:2::/64", "signed in 3 days ago", "used 5 hours ago"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert_eq!(text.matches("signed in").count(), 3 + 1, "three, and the heading: {text}");
    assert!(!tab.answer().text().contains("Evil"));
    // That of somebody else is not among them, nor one that has ended, in whatever way.
    kit.clock.advance(days(15));
    let text = arrive(&kit.user_agent(), "alice").page().text;
    assert!(!text.contains("Firefox") && !text.contains("Safari"), "{text}");
}

/// A session says since when it is, by the clock, and what it is used for: the three that came last by their names. One that
/// is another client by now has none, nor has the provider itself, at whose page the person has signed in.
#[test]
fn sessions_name_their_applications() {
    let kit = TestProvider::new();
    let (desk, ua) = (kit.user_agent(), kit.user_agent());
    let _ = arrive(&desk, "alice");
    ["web", "post", "native", "spa", "operator"].iter().for_each(|client| desk.has_visited(client));
    kit.clock.advance(days(3));
    let tab = arrive(&ua, "alice");
    for shown in
        ["signed in 3 days ago ( 2027-01-15T08:00:00.000Z )", "used for operator, spa, native and 2 more"]
    {
        for text in [tab.page().text, follow(&tab, "session?").expect_page("confirm-end").page().text] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }
    assert_eq!(tab.page().text.matches("used for").count(), 1, "{}", tab.page().text);
    kit.replace_client(&json!({"client_id": "spa", "redirect_uris": ["https://spa.example/cb"]}).to_string());
    let text = ua.get("/account").expect_page("account").page().text;
    assert!(text.contains("used for operator, native, post and 1 more"), "{text}");
}

/// Where a provider is tried out, nobody has to know that `::/64` is the machine itself.
#[test]
fn a_session_on_the_same_machine() {
    let kit = TestProvider::builder().issuer("http://localhost:3000").build();
    for address in ["::1", "127.0.0.1"] {
        let ua = kit.user_agent();
        ua.comes_from(address);
        let text = arrive(&ua, "alice").page().text;
        assert!(text.contains("from this machine") && !text.contains("from ::"), "{text}");
        assert!(!text.contains(address), "{text}");
    }
}

/// The one is ended and no other, with the tokens that live with it, and its clients are told (OIDC Back-Channel
/// Logout section 2.5). The one in which the page is shown is not offered: there is a page for that.
#[test]
fn one_session_ends() {
    let kit = TestProvider::new();
    kit.put_client(
        &json!({"client_id": "told", "client_secret": "a-secret-of-forty-three-characters-for-test",
            "redirect_uris": ["https://told.example/cb"], "chancery": {"consent": "implied"},
            "backchannel_logout_uri": "https://told.example/logout"})
        .to_string(),
    );
    kit.fetch.answers("https://told.example/logout", 200, "");
    let (lost, ua, third) = (kit.user_agent(), kit.user_agent(), kit.user_agent());
    lost.calls_itself(SAFARI);
    let _ = arrive(&lost, "alice");
    let code = kit.authorization_request("told").scope("openid").open(&lost).expect_code();
    let tokens = kit.exchange(&code).expect_status(200);
    third.calls_itself("Mozilla/5.0 (Windows NT 10.0) Chrome/1 Safari/1");
    let _ = arrive(&third, "alice");

    let tab = arrive(&ua, "alice");
    assert_eq!(links(&tab, "session?").len(), 2);
    assert_eq!(links(&tab, "sessions").len(), 1);
    assert!(tab.page().links.contains(&"https://id.example/logout".to_owned()));
    let named = |name: &str| {
        let pages =
            links(&tab, "session?").into_iter().map(|link| tab.follow(&link).expect_page("confirm-end"));
        pages.into_iter().find(|page| page.page().text.contains(name)).expect("its page")
    };
    let confirm = named("Safari on iPhone");
    assert!(is_signed_in(&lost) && kit.is_active("told", tokens.member("access_token")));
    let done = end(&confirm).expect_page("account");
    assert!(done.page().text.contains("The session has ended."), "{}", done.page().text);
    assert_eq!(done.event_names(), ["session_ended"]);
    assert!(!kit.is_active("told", tokens.member("access_token")));
    assert_eq!((is_signed_in(&lost), is_signed_in(&third), is_signed_in(&ua)), (false, true, true));
    kit.run_once();
    assert_eq!(kit.fetch.asked().len(), 1, "the client was told");
    // The same button once more, and the same link.
    let again = end(&confirm).expect_page("account");
    assert!(again.page().text.contains("had ended before") && again.event_names().is_empty());
    let again = confirm.reload().expect_page("account");
    assert!(again.page().text.contains("had ended before"), "{}", again.page().text);
    // What a redirect brought is said for a minute, and in this session only.
    assert!(done.reload().page().text.contains("The session has ended."));
    assert!(!third.get(done.address()).page().text.contains("The session has ended."));
    kit.clock.advance(seconds(61));
    assert!(!done.reload().page().text.contains("The session has ended."));
}

/// All others end at once, however many they are, and nobody else's.
#[test]
fn all_other_sessions_end() {
    let kit = TestProvider::new();
    let others: Vec<UserAgent<'_>> = (0..64).map(|_| kit.user_agent()).collect();
    others.iter().for_each(|other| other.signed_in("alice"));
    let theirs = kit.user_agent();
    theirs.signed_in("bob");
    let ua = kit.user_agent();
    let tab = arrive(&ua, "alice");
    assert_eq!(links(&tab, "session?").len(), 64);
    let confirm = follow(&tab, "sessions").expect_page("confirm-end");
    assert!(confirm.page().text.contains("64 sessions"), "{}", confirm.page().text);
    let done = end(&confirm).expect_page("account");
    assert!(done.page().text.contains("All other sessions have ended."));
    assert_eq!(done.event_names(), ["session_ended"; 64]);
    assert!(others.iter().all(|other| !is_signed_in(other)) && is_signed_in(&theirs) && is_signed_in(&ua));
    let again = end(&confirm).expect_page("account");
    assert!(again.event_names().is_empty());
    // With nothing to end there is no page for it.
    assert!(links(&again, "sessions").is_empty());
    assert!(follow_address(&ua, "/account/sessions").contains("had ended before"));
}

fn follow_address(ua: &UserAgent<'_>, address: &str) -> String {
    ua.get(address).expect_page("account").page().text
}

/// An application with what it may, and since when. Withdrawn, it has nothing any more, is asked about again, and no
/// other one of hers or the same one of somebody else's is touched.
#[test]
fn an_application_is_withdrawn() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let theirs = kit.tokens("bob", "web", "openid offline_access");
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid email offline_access");
    let code =
        |client: &str, scope: &str| kit.authorization_request(client).scope(scope).open(&ua).expect_code();
    let tokens = kit.exchange(&code("web", "openid email offline_access")).expect_status(200);
    let kept = kit.exchange(&code("operator", "openid")).expect_status(200);
    kit.clock.advance(days(2));
    ua.signed_in("alice");
    let refreshed = |client: &str, before: &Answer| {
        kit.refresh(client, before.member("refresh_token")).expect_status(200)
    };
    let (tokens, kept, theirs) =
        (refreshed("web", &tokens), refreshed("operator", &kept), refreshed("web", &theirs));
    let tab = ua.get("/account").expect_page("account");
    let text = tab.page().text;
    for shown in ["The Web App", "email", "offline_access", "Let in 2 days ago, last sign-in 2 days ago"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert_eq!(links(&tab, "application?").len(), 2, "also the one for which nobody was asked");
    let confirm = follow(&tab, "application?client_id=web").expect_page("confirm-end");
    assert!(confirm.page().text.contains("The Web App") && confirm.page().text.contains("email"));
    let done = end(&confirm).expect_page("account");
    assert!(done.page().text.contains("was withdrawn"));
    assert!(!links(&done, "application?").iter().any(|link| link.ends_with("=web")), "{}", done.page().text);
    assert_eq!(done.event_names(), ["consent_withdrawn", "grant_ended"]);
    for name in ["access_token", "refresh_token"] {
        assert!(!kit.is_active("web", tokens.member(name)), "{name}");
        assert!(kit.is_active("operator", kept.member(name)), "{name}");
        assert!(kit.is_active("web", theirs.member(name)), "{name}");
    }
    let _ = kit.refresh("web", tokens.member("refresh_token")).expect_status(400);
    let _ = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
    let again = end(&confirm).expect_page("account");
    assert!(again.page().text.contains("had ended before") && again.event_names().is_empty());
}

/// The consent page says where: what was allowed there can be withdrawn there.
#[test]
fn the_consent_page_leads_here() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let consent = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
    assert!(
        consent.page().links.contains(&"https://id.example/account".to_owned()),
        "{:?}",
        consent.page().links
    );
    let _ = consent.allow().expect_code();
    let tab = ua.get("/account").expect_page("account");
    let _ = end(&follow(&tab, "application?")).expect_page("account");
    let _ = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
}

/// Resource servers and authorization details of what lives are shown, and what was granted to an earlier client of the
/// id is not.
#[test]
fn an_application_that_is_another_one_by_now() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "jwt", "read");
    let _ = kit.exchange(&kit.authorization_request("jwt").scope("read").open(&ua).expect_code());
    let text = ua.get("/account").expect_page("account").page().text;
    assert!(text.contains("https://jwt-api.example") && text.contains("read"), "{text}");
    kit.replace_client(
        &json!({"client_id": "jwt", "client_secret": "a-secret-of-forty-three-characters-for-test",
            "redirect_uris": ["https://jwt.example/cb"]})
        .to_string(),
    );
    let tab = ua.get("/account").expect_page("account");
    assert!(links(&tab, "application?").is_empty(), "{}", tab.page().text);
    let _ = ua.get("/account/application?client_id=jwt").expect_page("account");
}

/// Whoever has signed in longer ago than `account.fresh_login` does it again before anything ends, and then arrives at
/// the page they wanted (OWASP ASVS 5.0 section 7.5.2). To look needs no login.
#[test]
fn a_login_has_to_be_fresh() {
    for (configured, fresh) in [(None, minutes(15)), (Some(minutes(2)), minutes(2))] {
        let kit = TestProvider::builder().configure(|config| {
            if let Some(fresh) = configured {
                config.account.fresh_login = fresh;
            }
        });
        let kit = kit.build();
        let (ua, other) = (kit.user_agent(), kit.user_agent());
        let _ = arrive(&other, "alice");
        let tab = arrive(&ua, "alice");
        ua.has_consented("alice", "web", "openid");
        let tab = tab.reload();
        let [session, application] =
            [links(&tab, "session?"), links(&tab, "application?")].map(|mut links| links.remove(0));
        kit.clock.advance(fresh);
        let confirm = tab.follow(&session).expect_page("confirm-end");
        kit.clock.advance(millis(1));
        for address in [session.as_str(), &application, "https://id.example/account/sessions"] {
            let login = tab.follow(address).expect_page("login");
            assert!(is_signed_in(&ua), "who only looks is not asked");
            // Whoever does not want to goes back.
            let _ = login.cancel().expect_page("account");
        }
        assert!(is_signed_in(&other));
        // The form of a page that was open meanwhile is not obeyed either.
        let login = end(&confirm).expect_page("login");
        assert!(is_signed_in(&other));
        let confirm = login.login("alice").expect_page("confirm-end");
        let done = end(&confirm).expect_page("account");
        assert!(done.page().text.contains("The session has ended.") && !is_signed_in(&other));
        // Somebody else who signs in there ends nothing of hers.
        kit.clock.advance(fresh + millis(1));
        let _ = tab.follow(&application).expect_page("login").login("bob").expect_page("account");
        let _ = ua.get("/account?prompt=select_account").choose("alice").expect_page("account");
        assert_eq!(links(&ua.get("/account"), "application?").len(), 1);
    }
}

/// Trips to the store: the session and what the page shows, each list by one trip for a hundred.
#[test]
fn trips_are_bounded() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab = arrive(&ua, "alice");
    let trips = |address: &str| kit.trips(|| ua.get(address)).1;
    assert_eq!(trips("/account"), 4, "session, sessions, consents, grants");
    assert_eq!(trips("/account/password"), 1);
    assert_eq!(trips("/account/application?client_id=web"), 6, "and the first page, because it has nothing");
    (0..250).for_each(|_| kit.user_agent().signed_in("alice"));
    assert_eq!(trips("/account"), 4, "251 sessions are read by parts");
    assert_eq!(kit.counting.writes(), 0, "to look writes nothing");
    let confirm = follow(&tab.reload(), "sessions");
    let (done, trips) = kit.trips(|| confirm.submit(&[], ("action", "end")));
    assert_eq!(trips, 1 + 3 + 250 + 4, "each session ends by a step of its own: {}", done.page().text);
}

/// The switch, and pages on another origin, where nobody could sign in.
#[test]
fn where_it_is_off() {
    let off = TestProvider::builder().configure(|config| config.endpoints.switch(Endpoint::Account, false));
    let elsewhere = TestProvider::builder().configure(|config| {
        config.interaction.location =
            Some("https://login.id.example/".to_owned().try_into().expect("a location"));
    });
    for kit in [off.build(), elsewhere.build()] {
        for path in ["/account", "/account/password", "/account/session?session=x"] {
            assert_eq!(kit.get(path).status.as_u16(), 404, "{path}");
        }
    }
    let kit =
        TestProvider::builder().configure(|config| config.endpoints.switch(Endpoint::Account, false)).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let consent = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
    assert!(!consent.page().text.contains("withdraw"), "{}", consent.page().text);
}

/// A disabled person, a removed one, and one whose everything was ended elsewhere see nothing and end nothing.
#[test]
fn people_who_may_not() {
    for what in ["disabled", "removed", "ended"] {
        let kit = TestProvider::new();
        let (ua, other) = (kit.user_agent(), kit.user_agent());
        let _ = arrive(&other, "alice");
        let tab = arrive(&ua, "alice");
        let confirm = follow(&tab, "sessions");
        match what {
            "disabled" => kit.accounts.disable("alice"),
            "removed" => kit.accounts.remove("alice"),
            _ => kit.accounts.sign_out_everywhere("alice"),
        }
        let tab = end(&confirm).expect_page("login");
        assert!(!tab.event_names().contains(&"session_ended"), "{what}: {:?}", tab.event_names());
        let _ = ua.get("/account").expect_page("login");
        assert_eq!(signs_in_with(&kit, "alice", &password_of("alice")), what == "ended", "{what}");
    }
}

/// A form is obeyed only as it was made: for this browser, this session, what it is about, and not too long ago. Each
/// row leaves everything as it is, and the page comes again.
#[test]
fn forms_that_are_not_obeyed() {
    let kit = TestProvider::new();
    let (ua, other, bob) = (kit.user_agent(), kit.user_agent(), kit.user_agent());
    let _ = arrive(&other, "alice");
    let _ = arrive(&bob, "bob");
    let tab = arrive(&ua, "alice");
    ua.has_consented("alice", "web", "openid");
    bob.has_consented("bob", "web", "openid");
    let confirm = follow(&tab, "session?");
    let token = confirm.form().fields[0].1.clone();
    let action = confirm.form().action;
    let of_bob = {
        let _ = arrive(&kit.user_agent(), "bob");
        follow(&bob.get("/account"), "session?").form().fields[0].1.clone()
    };
    let logout = ua.get("/logout").expect_page("logout-confirm").form().fields;
    let of_logout = logout.iter().find(|(name, _)| name == "token").map(|(_, value)| value.clone());
    let mut damaged = token.clone();
    damaged.replace_range(20..21, if &token[20..21] == "A" { "B" } else { "A" });

    let post = |ua: &UserAgent<'_>, token: &str| {
        let fields =
            [("token", token), ("action", "end")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let tab = ua.get("/account").post(&action, &fields);
        let others = tab.event_names().into_iter().filter(|name| *name != "refused").count();
        assert_eq!(others, 0, "{:?}", tab.event_names());
        (tab.page().name, refusals(tab.events()).join(" "))
    };
    let account = || "account".to_owned();
    for (name, forged) in [("none", ""), ("garbage", "garbage"), ("damaged", &damaged)] {
        assert_eq!(post(&ua, forged), (account(), FORM_FOREIGN.name.to_owned()), "{name}");
    }
    let of_logout = of_logout.expect("a token");
    assert_eq!(post(&ua, &of_logout), (account(), FORM_FOREIGN.name.to_owned()), "of another kind of form");
    // That of another person: in their browser, and in hers.
    assert_eq!(post(&bob, &token).1, FORM_OF_ANOTHER_BROWSER.name);
    assert_eq!(post(&ua, &of_bob).1, FORM_OF_ANOTHER_BROWSER.name);
    // She has switched to another session in the same browser.
    let both = ua.with_the_same_cookies();
    let _ = both.get("/account?prompt=login").login("bob").expect_page("account");
    assert_eq!(post(&both, &token).1, FORM_OF_ANOTHER_SESSION.name);
    let without = ua.with_the_same_cookies();
    without.lose_browser_cookie();
    let fields =
        [("token", &*token), ("action", "end")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let tab = without.get("/account");
    without.lose_browser_cookie();
    let tab = tab.post(&action, &fields);
    assert_eq!(refusals(tab.events()), [FORM_WITHOUT_COOKIE.name]);
    assert!(tab.page().text.contains("cookie"), "{}", tab.page().text);
    // Another button than that of its page does nothing.
    for button in ["language", "change", "", "logout"] {
        let fields =
            [("token", &*token), ("action", button)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let tab = ua.get("/account").post(&action, &fields);
        assert_eq!((tab.page().name, tab.event_names().len()), ("confirm-end".to_owned(), 0), "{button}");
    }
    assert!(is_signed_in(&other), "nothing has ended");
    // Fields beside it name nothing else: it is the session of its page that ends.
    kit.clock.advance(minutes(14));
    let fields = [("token", &*token), ("action", "end"), ("session", "x"), ("client_id", "web")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let done = ua.get("/account").post(&action, &fields).expect_page("account");
    assert_eq!(done.event_names(), ["session_ended"]);
    assert!(!is_signed_in(&other) && is_signed_in(&bob));
    assert_eq!(links(&done, "application?").len(), 1);

    let page = follow(&done, "password");
    kit.clock.advance(hours(1) + millis(1));
    let old = change(&page, &password_of("alice"), NEW).expect_page("change-password");
    assert_eq!(refusals(old.events()), [FORM_TOO_OLD.name]);
    assert!(signs_in_with(&kit, "alice", &password_of("alice")));
}

/// A link names what is hers, or nothing: sessions and applications of others, her own session, and garbage.
#[test]
fn links_that_lead_nowhere() {
    let kit = TestProvider::new();
    let (ua, bob, third) = (kit.user_agent(), kit.user_agent(), kit.user_agent());
    let _ = arrive(&third, "bob");
    let theirs = links(&arrive(&bob, "bob"), "session?").remove(0);
    bob.has_consented("bob", "web", "openid");
    let _ = arrive(&ua, "alice");
    // Her own session, as another browser of hers names it.
    let mine = links(&arrive(&kit.user_agent(), "alice"), "session?").remove(0);
    for link in [
        theirs.as_str(),
        "/account/session?session=",
        "/account/session?session=%00x",
        "/account/session?session=a&session=b",
        "/account/session?session=..%2f..%2fx",
        "/account/application?client_id=web",
        "/account/application?client_id=",
        "/account/application?client_id=%3Cscript%3E",
        "/account/application",
        "/account/../account",
        "/account/nonsense?news=abc",
        "/account?news=abc",
        "/account?prompt=none",
    ] {
        let tab = ua.get(link);
        let name = tab.page().name;
        assert!(["account", "error", ""].contains(&name.as_str()), "{link}: {name}");
        assert!(!tab.answer().text().contains("script>"), "{link}");
        assert!(tab.answer().status.as_u16() < 500, "{link}");
    }
    let _ = ua.get(&mine).expect_page("account");
    assert!(is_signed_in(&bob) && is_signed_in(&third));
    for link in ["/account/a/b", "/account/", "/accounts"] {
        assert_eq!(ua.get(link).answer().status.as_u16(), 404, "{link}");
    }
}

/// No other site's page posts here, by whichever header the browser says so, and no other method is taken.
#[test]
fn other_sites_and_methods() {
    let kit = TestProvider::new();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    let _ = arrive(&other, "alice");
    let tab = arrive(&ua, "alice");
    let confirm = follow(&tab, "sessions");
    let good = || confirm.to_http(&[], ("action", "end"));
    let mut table = NegativeTable::new(&kit);
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), Some("https://id.example")),
        (Some("cross-site"), Some("null")),
        (None, Some("https://evil.example")),
        (None, Some("https://id.example.evil.example")),
        (None, Some("http://id.example")),
    ] {
        let mut request = good();
        for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
            match value {
                Some(value) => drop(request.headers_mut().insert(name, HeaderValue::from_static(value))),
                None => drop(request.headers_mut().remove(name)),
            }
        }
        table = table.row(format!("{site:?} {origin:?}"), request, Refused::Page(400, "invalid_request"));
    }
    for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH] {
        let mut request = good();
        *request.method_mut() = method.clone();
        table = table.row(method.to_string(), request, Refused::Status(405));
    }
    let mut below = good();
    *below.uri_mut() = "/account/sessions".parse().expect("a path");
    table = table.row("a form below", below, Refused::Status(405));
    let mut json = good();
    json.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    table = table.row("JSON", json, Refused::Page(400, "invalid_request"));
    table.run();
    // Without any cookie the form is nobody's.
    let mut bare = good();
    bare.headers_mut().remove(COOKIE);
    let answer = kit.send(bare);
    assert_eq!(HtmlPage::read(answer.text()).name, "login");
    assert!(is_signed_in(&other));
}
