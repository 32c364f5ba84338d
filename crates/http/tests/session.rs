//! Sessions: their cookies (RFC 6265bis section 4.1), their lifetime, and their `sid` for each client (OIDC
//! Back-Channel Logout section 2.1).

#![expect(clippy::expect_used, reason = "tests")]

use std::time::Duration;

use chancery_core::interaction::prompt::SESSION_FULL;
use chancery_core::records::SessionBody;
use chancery_store::kit::Method;
use chancery_testkit::{
    NegativeTable, Refused, TestProvider, UserAgent, assert_refused, days, hours, millis, minutes, seconds,
    wait,
};
use chancery_types::handle::{RotatingHandle, Session};
use http::HeaderValue;

/// The Set-Cookie lines of alice's login at this issuer.
fn cookie_lines(kit: &TestProvider) -> Vec<String> {
    let ua = kit.user_agent();
    ua.has_consented("alice", "web", "openid");
    let page = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let done = page.login("alice");
    let lines = |answer: &chancery_testkit::Answer| -> Vec<String> {
        let lines = answer.headers.get_all("set-cookie").iter();
        lines.filter_map(|line| line.to_str().ok()).map(str::to_owned).collect()
    };
    [lines(page.answer()), lines(done.answer())].concat()
}

/// alice is signed in and has agreed to what `web` asks for.
fn signed_in(kit: &TestProvider) -> UserAgent<'_> {
    let ua = kit.user_agent();
    ua.has_consented("alice", "web", "openid");
    ua.signed_in("alice");
    ua
}

/// Whether somebody is signed in, as far as `prompt=none` tells.
fn is_signed_in(ua: &UserAgent<'_>) -> bool {
    let request = ua.provider().authorization_request("web").scope("openid").set("prompt", "none");
    ua.open(&request).is_answered_with("code")
}

/// SESS-02, SESS-03, HTTP-20, PROXY-01: names, paths and attributes follow the issuer.
#[test]
fn cookies_follow_the_issuer() {
    for (issuer, prefix, end) in [
        ("https://id.example", "__Host-", "; Path=/; HttpOnly; SameSite=Lax; Secure"),
        ("https://id.example/realm", "__Secure-", "; Path=/realm; HttpOnly; SameSite=Lax; Secure"),
        ("http://localhost:3000", "", "; Path=/; HttpOnly; SameSite=Lax"),
    ] {
        let kit = TestProvider::builder().issuer(issuer).build();
        let lines = cookie_lines(&kit);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with(&format!("{prefix}browser-")), "{lines:?}");
        assert!(lines[1].starts_with(&format!("{prefix}session-")), "{lines:?}");
        assert!(lines[2].starts_with(&format!("{prefix}devices-")), "{lines:?}");
        assert!(lines.iter().all(|line| line.ends_with(end)), "{lines:?}");
        assert!(lines[1].contains("; Max-Age=7776000; "), "{lines:?}");
        assert!(lines[2].contains("; Max-Age=31536000; "), "a known browser outlives sessions: {lines:?}");
    }
    let names = |realm| {
        let lines = cookie_lines(&TestProvider::builder().realm(realm).build());
        lines.iter().map(|line| line.split('=').next().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_ne!(names("one"), names("two"), "two realms at one host do not share cookies");
}

/// SESS-05..07, AT-02: the cookie's value is a handle; only its digest is stored.
#[test]
fn the_cookie_is_a_handle() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let _ = kit.authorization_request("web").scope("openid").open(&ua).login("alice").expect_page("consent");
    let value = ua.session_cookie().unwrap_or_default();
    assert!(value.len() > 60 && !kit.interleaved.has_written(&value));
}

/// SESS-09, SESS-10: no session without a login, whatever is asked; pages before that set the browser cookie
/// only.
#[test]
fn there_is_no_session_without_a_login() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid").open(&ua);
    let _ = login.login_wrongly("alice").expect_page("login");
    let _ = login.cancel().expect_error("access_denied");
    let _ = kit.authorization_request("web").scope("openid").set("prompt", "none").open(&ua);
    assert_eq!(ua.session_cookie(), None);
    // The browser cookie is made once.
    let before = ua.browser_cookie();
    let _ = kit.authorization_request("post").scope("openid").open(&ua).expect_page("login");
    assert_eq!(ua.browser_cookie(), before);
}

/// SESS-11: two weeks without use end a session; its end is moved at most once per hour, or per tenth of a shorter
/// time.
#[test]
fn the_idle_end_moves_once_per_hour() {
    for (idle, once) in [(days(14), hours(1)), (hours(5), minutes(30))] {
        the_idle_end_moves(idle, once);
    }
}

fn the_idle_end_moves(idle: Duration, once: Duration) {
    let kit = TestProvider::builder().configure(|config| config.session.idle = idle).build();
    let ua = signed_in(&kit);
    ua.has_visited("web");
    let request = kit.authorization_request("web").scope("openid");
    let visit = || {
        let (tab, trips) = kit.trips(|| request.open(&ua));
        (tab.is_answered_with("code") && trips == 4, kit.counting.of(Method::Update))
    };
    kit.clock.advance(once);
    assert_eq!(visit(), (true, 0));
    kit.clock.advance(millis(1));
    assert_eq!(visit(), (true, 1), "the end is moved");
    kit.clock.advance(once);
    assert_eq!(visit(), (true, 0));
    kit.clock.advance(idle - once - millis(1));
    assert!(is_signed_in(&ua));
    kit.clock.advance(once * 2);
    let _ = request.clone().set("prompt", "login").open(&ua).login("alice").expect_code();
    assert_eq!(visit(), (true, 0), "a login has moved it");
    kit.clock.advance(idle);
    assert!(!is_signed_in(&ua));
    let _ = request.open(&ua).expect_page("login");
}

/// SESS-11: after 90 days a new login is due, used or not; both ends can be configured, and no tolerance is
/// added (SESS-18).
#[test]
fn the_absolute_end_does_not_move() {
    let kit = TestProvider::new();
    let ua = signed_in(&kit);
    for _ in 0..8 {
        kit.clock.advance(days(10));
        assert!(is_signed_in(&ua));
    }
    ua.has_consented("alice", "web", "openid");
    kit.clock.advance(days(10) - millis(1));
    assert!(is_signed_in(&ua));
    let kept = ua.session_cookie().expect("a session");
    kit.clock.advance(millis(1));
    assert!(!is_signed_in(&ua));
    ua.sets_cookie("session", &kept);
    assert!(!is_signed_in(&ua), "also in a browser that keeps its cookie");

    let kit = TestProvider::builder()
        .configure(|config| (config.session.idle, config.session.absolute) = (minutes(10), minutes(25)))
        .build();
    let ua = kit.user_agent();
    ua.has_consented("alice", "web", "openid");
    let _ = kit.authorization_request("web").scope("openid").open(&ua).login("alice").expect_code();
    let kept = ua.session_cookie().expect("a session");
    for left in [true, true, false] {
        kit.clock.advance(minutes(9));
        ua.sets_cookie("session", &kept);
        assert_eq!(is_signed_in(&ua), left);
    }
}

/// SESS-17, INT-28, CLAIM-14: `sid` names a session for one client: stable, 43 characters, another for each
/// client and each login, and the same on introspection.
#[test]
fn sid_is_the_name_of_a_session_for_a_client() {
    let kit = TestProvider::new();
    let sid = |ua: &UserAgent<'_>, client: &str| {
        let request =
            kit.authorization_request(client).scope("openid").set("claims", r#"{"id_token":{"sid":null}}"#);
        let tokens = kit.exchange(&request.open(ua).expect_code()).expect_status(200);
        let sid = kit.id_token(&tokens, client).claims["sid"].as_str().unwrap_or_default().to_owned();
        assert_eq!(kit.introspect(client, tokens.member("access_token"))["sid"], *sid);
        sid
    };
    let (ua, other) = (signed_in(&kit), signed_in(&kit));
    ua.has_consented("alice", "post", "openid");
    let first = sid(&ua, "web");
    assert_eq!(first.len(), 43);
    kit.clock.advance(hours(5));
    assert_eq!(sid(&ua, "web"), first);
    assert_ne!(sid(&ua, "post"), first);
    assert_ne!(sid(&other, "web"), first);
    // Signing in again keeps the session, and its name.
    let again = kit.authorization_request("web").scope("openid").set("prompt", "login").open(&ua);
    let _ = again.expect_page("login").login("alice").expect_code();
    assert_eq!(sid(&ua, "web"), first);
    // Without asking, a client that has no logout URI is not told.
    let plain = kit.exchange(&kit.authorization_request("web").scope("openid").open(&ua).expect_code());
    assert!(kit.id_token(&plain, "web").claims["sid"].is_null());
}

/// SESS-19: a client may have several grants in one session; a new one leaves the others alone.
#[test]
fn two_grants_in_one_session() {
    let kit = TestProvider::new();
    let ua = signed_in(&kit);
    let request = kit.authorization_request("web").scope("openid");
    let tokens = || kit.exchange(&request.open(&ua).expect_code()).expect_status(200);
    let (one, two) = (tokens(), tokens());
    assert!([&one, &two].iter().all(|tokens| kit.is_active("web", tokens.member("access_token"))));
    assert_ne!(one.member("access_token"), two.member("access_token"));
}

/// SESS-20, SESS-21, SESS-22: what was granted in a session ends with it: code, access and refresh token;
/// what was granted for the time when the person is away does not.
#[test]
fn what_hangs_on_a_session_ends_with_it() {
    let kit = TestProvider::new();
    let ua = signed_in(&kit);
    ua.has_consented("alice", "operator", "openid");
    ua.has_consented("alice", "web", "openid offline_access");
    let code = |client, scope: &str| kit.authorization_request(client).scope(scope).open(&ua).expect_code();
    let bound = kit.exchange(&code("operator", "openid")).expect_status(200);
    let away = kit.exchange(&code("web", "openid offline_access")).expect_status(200);
    let (bound_code, away_code) = (code("operator", "openid"), code("web", "openid offline_access"));
    ua.ends_session();
    for name in ["access_token", "refresh_token"] {
        assert!(!kit.is_active("operator", bound.member(name)), "{name}");
        assert!(kit.is_active("web", away.member(name)), "{name}");
    }
    assert_eq!(kit.userinfo(bound.member("access_token")).status, 401);
    assert_eq!(kit.exchange(&bound_code).expect_status(400).member("error"), "invalid_grant");
    let refreshed = kit.refresh("operator", bound.member("refresh_token")).expect_status(400);
    assert_eq!(refreshed.member("error"), "invalid_grant");
    let _ = kit.exchange(&away_code).expect_status(200);
    let _ = kit.refresh("web", away.member("refresh_token")).expect_status(200);
}

/// What the store holds of the active session.
fn stored(ua: &UserAgent<'_>) -> SessionBody {
    let (env, list) = (ua.provider().env(), ua.session_cookie().unwrap_or_default());
    let handle =
        RotatingHandle::<Session>::parse(list.split('.').next().unwrap_or_default()).expect("a handle");
    let found = wait(env.records().get(ua.provider().now(), handle.key(&env.realm))).expect("the store");
    found.expect("a live session").body
}

/// A session that counts 200 clients asks for one new login, which begins a new session and ends the full one
/// with what hangs on it. Afterwards nothing is asked any more.
#[test]
fn a_full_session_begins_anew() {
    let kit = TestProvider::builder().unauthenticated_introspection().build();
    let ua = signed_in(&kit);
    ua.has_consented("alice", "post", "openid");
    ua.has_consented("alice", "spa", "openid");
    let old = kit.exchange(&kit.authorization_request("spa").scope("openid").open(&ua).expect_code());
    for n in 0..199 {
        ua.has_visited(&format!("client-{n}"));
    }
    // A client that is counted already is not asked.
    let _ = kit.authorization_request("spa").scope("openid").open(&ua).expect_code();
    let request = kit.authorization_request("web").scope("openid");
    let silent =
        |client: &str| kit.authorization_request(client).scope("openid").set("prompt", "none").open(&ua);
    assert_refused!(silent("web"), SESSION_FULL);
    let done = request.open(&ua).expect_page("login").login("alice");
    let _ = done.expect_code();
    assert_eq!(done.event_names(), ["login_succeeded", "authorization_granted", "session_ended"]);
    assert!(!kit.is_active("spa", old.member("access_token")));
    assert_eq!(participants(&ua), ["web"]);
    for client in ["web", "post", "spa", "web"] {
        let _ = silent(client).expect_code();
    }
    assert_eq!(ua.session_cookie().unwrap_or_default().split('.').count(), 1);
}

/// The clients that take part in the active session.
fn participants(ua: &UserAgent<'_>) -> Vec<String> {
    stored(ua).clients.iter().map(|one| one.client.to_string()).collect()
}

/// Whoever signs in for a client and gives it nothing is not signed in to it: `/account` does not name it, and it does not hear
/// of a logout. It takes part once it is answered, and that costs no call of the store of its own.
#[test]
fn a_client_that_is_given_nothing_takes_no_part() {
    const SHOP: &str = r#"{"client_id":"shop","client_name":"Shop","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://shop.example/cb"],"backchannel_logout_uri":"https://shop.example/logout"}"#;
    let kit = TestProvider::builder().client(SHOP).build();
    let ua = kit.user_agent();
    let request = kit.authorization_request("shop").scope("openid");
    // A new session, one that another login renews, and one that is chosen.
    for prompt in ["", "login", "select_account"] {
        let page = request.clone().set("prompt", prompt).open(&ua);
        let page = if prompt == "select_account" { page.choose("alice") } else { page.login("alice") };
        let consent = page.expect_page("consent");
        assert_eq!(participants(&ua), [""; 0], "{prompt}: the person still decides");
        let _ = consent.deny().expect_error("access_denied");
        assert_eq!(participants(&ua), [""; 0], "{prompt}");
        let account = ua.get("/account").expect_page("account");
        assert!(!account.page().text.contains("Shop"), "{prompt}: {}", account.page().text);
    }
    let asked = ua.get("/logout").expect_page("logout-confirm");
    let _ = asked.submit(&[], ("action", "logout")).expect_page("logout-done");
    assert_eq!(kit.deliver(), []);

    let consent = request.open(&ua).login("alice").expect_page("consent");
    let (answer, trips) = kit.trips(|| consent.allow());
    let _ = answer.expect_code();
    assert_eq!((participants(&ua), trips), (vec!["shop".to_owned()], 9));
    let asked = ua.get("/logout").expect_page("logout-confirm");
    let _ = asked.submit(&[], ("action", "logout")).expect_page("logout-done");
    kit.fetch.answers("https://shop.example/logout", 200, "");
    assert_eq!(kit.deliver().len(), 1);
}

/// A second login keeps the session's books: the client of its request takes part, and the absolute end
/// moves.
#[test]
fn a_second_login_keeps_the_books() {
    let kit = TestProvider::new();
    let ua = signed_in(&kit);
    ua.has_visited("web");
    ua.has_consented("alice", "post", "openid");
    for _ in 0..8 {
        kit.clock.advance(days(10));
        assert!(is_signed_in(&ua));
    }
    for page in ["login", "consent"] {
        let mut request = kit.authorization_request("post").scope("openid").set("prompt", "login");
        if page == "consent" {
            request = request.set("prompt", "login consent");
        }
        let done = request.open(&ua).expect_page("login").login("alice");
        let done = if page == "consent" { done.expect_page("consent").allow() } else { done };
        let _ = done.expect_code();
        let session = stored(&ua);
        assert_eq!(
            (participants(&ua), session.absolute_end),
            (vec!["web".to_owned(), "post".to_owned()], kit.now() + days(90))
        );
    }
    ua.has_consented("alice", "web", "openid");
    for _ in 0..8 {
        kit.clock.advance(days(10));
        assert!(is_signed_in(&ua), "170 days after the first login, 80 after the last");
    }
    kit.clock.advance(days(10));
    assert!(!is_signed_in(&ua));
}

/// Four trips: session, consent, grant with code, and the consent once more; the other sessions of the list
/// are not read.
#[test]
fn only_the_active_session_is_read() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("bob");
    ua.signed_in("bob");
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    ua.has_visited("web");
    let (tab, trips) = kit.trips(|| kit.authorization_request("web").scope("openid").open(&ua));
    assert_eq!((tab.is_answered_with("code"), trips), (true, 4));
}

/// SESS-12: cookies that are damaged, doubled, foreign or many are no cookies; nothing fails.
#[test]
fn damaged_cookies_are_no_cookies() {
    let kit = TestProvider::new();
    let ua = signed_in(&kit);
    let name = cookie_lines(&kit)[1].split('=').next().unwrap_or("").to_owned();
    let good = ua.session_cookie().unwrap_or_default();
    let answered = |cookie: &str| {
        let request = kit.authorization_request("web").scope("openid").set("prompt", "none");
        let mut request = request.to_http();
        let value = HeaderValue::from_bytes(cookie.as_bytes()).expect("a header value");
        request.headers_mut().insert("cookie", value);
        let answer = kit.send(request).expect_status(303);
        answer.header("location").unwrap_or_default().contains("code=")
    };
    assert!(answered(&format!("{name}={good}")));
    assert!(answered(&format!("other=1; {name}={good}; {name}x=2")));
    assert!(answered(&format!("{name}={good}.{good}.{good}.{good}.{good}.garbage")));
    let other = good.replace(|c: char| c.is_ascii_digit(), "z");
    for bad in ["", "x", ".", "....", "\u{fc}", &other, &good[1..], &format!("{good}A"), &"A".repeat(5000)] {
        assert!(!answered(&format!("{name}={bad}")), "{bad}");
    }
}

/// INT-03: one row per session that is none.
#[test]
fn sessions_that_are_none() {
    let kit = TestProvider::new();
    let name = cookie_lines(&kit)[1].split('=').next().unwrap_or("").to_owned();
    let ended = {
        let ua = signed_in(&kit);
        let value = ua.session_cookie().unwrap_or_default();
        ua.ends_session();
        value
    };
    let other_realm = TestProvider::builder().realm("other").seed(7).build();
    let foreign = signed_in(&other_realm).session_cookie().unwrap_or_default();
    let with = |value: &str| {
        let mut request = kit.authorization_request("web").scope("openid").set("prompt", "none").to_http();
        let value = HeaderValue::from_str(&format!("{name}={value}")).expect("a header value");
        request.headers_mut().insert("cookie", value);
        request
    };
    kit.clock.advance(seconds(1));
    NegativeTable::new(&kit)
        .row("one that has ended", with(&ended), Refused::Client("login_required"))
        .row("one of another realm", with(&foreign), Refused::Client("login_required"))
        .row("a list of nothing", with("..."), Refused::Client("login_required"))
        .run();
}

/// HTTP-09, A11: a request that another site posts comes without Lax cookies; it is brought home by GET, or
/// by a page when it is too long for that, and finds its person there.
#[test]
fn a_post_of_another_site_finds_its_person() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let short = kit.authorization_request("web").scope("openid");
    let long = short.clone().param("a parameter that is ignored", &"x".repeat(20_000));
    for request in [&short, &long] {
        let tab = request.post(&ua);
        assert_eq!(kit.exchange(&tab.expect_code()).status, 200);
    }
    let stranger = kit.user_agent();
    for request in [&short, &long] {
        let login = request.post(&stranger).expect_page("login");
        let done = login.login("alice");
        assert_eq!(kit.exchange(&done.expect_code()).status, 200);
        stranger.clear_cookies();
    }
}
