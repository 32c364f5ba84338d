//! OIDC Core section 3.1.2.3: the methods by which people are authenticated are out of scope, so that an application which
//! knows a person already may say so, by whatever comes with the form of its login page.

use chancery_testkit::{AuthorizationRequest, Tab, TestProvider, UserAgent, hours, seconds};
use serde_json::{Value, json};

fn openid(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("web").scope("openid")
}

fn login_page<'u>(kit: &'u TestProvider, ua: &'u UserAgent<'u>) -> Tab<'u, 'u> {
    openid(kit).open(ua).expect_page("login")
}

#[track_caller]
fn id_token(kit: &TestProvider, tab: &Tab<'_, '_>) -> Value {
    kit.id_token(&kit.exchange(&tab.expect_code()).expect_status(200), "web").claims
}

/// Posts the form of the page with these fields besides the hidden ones.
fn post<'u>(page: &Tab<'u, 'u>, typed: &[(&str, &str)]) -> Tab<'u, 'u> {
    let form = page.form();
    let hidden = form.fields.into_iter().filter(|(name, _)| !["username", "password"].contains(&&**name));
    let typed = typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    page.post(&form.action, &hidden.chain(typed).collect::<Vec<_>>())
}

/// A cookie of the application, another field, and the address of the client: each of them may say who it is. The ID
/// token says how the application knows it.
#[test]
fn the_application_says_who_it_is() {
    for (by, typed) in [
        ("cookie", &[][..]),
        ("cookie", &[("username", ""), ("password", "")]),
        ("cookie", &[("username", "  "), ("password", "x")]),
        ("cookie", &[("username", "bob"), ("password", "")]),
        ("field", &[("ticket", "t-alice")]),
        ("peer", &[]),
    ] {
        let kit = TestProvider::new();
        kit.accounts.knows_by(move |posted| match by {
            "cookie" => Some(posted.cookie("house")?.to_owned()),
            "field" => Some(posted.field("ticket")?.strip_prefix("t-")?.to_owned()),
            _ => posted.peer.filter(|peer| peer.to_string() == "192.0.2.77").map(|_| "alice".to_owned()),
        });
        let ua = kit.user_agent();
        ua.has_cookie("house", "alice");
        ua.comes_from("192.0.2.77");
        let claims = id_token(&kit, &post(&login_page(&kit, &ua), typed).expect_page("consent").allow());
        assert_eq!((&claims["sub"], &claims["amr"]), (&json!("alice"), &json!(["swk"])), "{by} {typed:?}");
        assert_eq!(kit.accounts.attempts(), 0, "no password was looked at");
    }
}

/// Whoever types a name and a password wants to be that person.
#[test]
fn what_is_typed_counts_first() {
    let kit = TestProvider::new();
    kit.accounts.knows_by(|posted| posted.cookie("house").map(str::to_owned));
    let ua = kit.user_agent();
    ua.has_cookie("house", "alice");
    let wrong = login_page(&kit, &ua).login_wrongly("bob").expect_page("login");
    assert!(wrong.event_names().contains(&"login_failed"));
    let done = wrong.login("bob").expect_page("consent").allow();
    assert_eq!(id_token(&kit, &done)["sub"], "bob");
}

/// POL-10: a client that wants a newer login than the application's own gets one, and learns when it was.
#[test]
fn an_old_session_of_the_application_is_no_new_login() {
    for (asked, age, is_good) in [
        (None, 3600, true),
        (Some(("max_age", "7200")), 3600, true),
        (Some(("max_age", "3600")), 3600, true),
        (Some(("max_age", "3599")), 3600, false),
        (Some(("max_age", "0")), 1, false),
        (Some(("prompt", "login")), 1, false),
        (Some(("prompt", "login")), 3600, false),
    ] {
        let kit = TestProvider::new();
        kit.clock.advance(hours(2));
        kit.accounts.knows_by(|posted| posted.cookie("house").map(str::to_owned));
        let before = kit.now();
        kit.accounts.knows_since(before);
        kit.clock.advance(seconds(age));
        let ua = kit.user_agent();
        ua.has_cookie("house", "alice");
        let request = asked.into_iter().fold(openid(&kit), |request, (name, value)| request.set(name, value));
        let page = request.open(&ua).expect_page("login");
        let name = format!("{asked:?} {age}");
        if is_good {
            let claims = id_token(&kit, &post(&page, &[]).expect_page("consent").allow());
            assert_eq!(claims["auth_time"], before.secs(), "{name}");
            continue;
        }
        let again = post(&page, &[]).expect_page("login");
        assert!(again.answer().text().contains("alert"), "{name}");
        // Who signs in to the application once more, after the client has asked, has done what it wants.
        kit.clock.advance(seconds(2));
        kit.accounts.knows_since(kit.now());
        kit.clock.advance(seconds(2));
        let claims = id_token(&kit, &post(&again, &[]).expect_page("consent").allow());
        assert_eq!(claims["auth_time"], kit.now().secs() - 2, "{name}");
    }
}

/// Somebody who is signed in here, too, is asked again where the client wants that, and the cookie of the application does
/// not answer for them.
#[test]
fn whoever_is_signed_in_here_is_asked_again() {
    let kit = TestProvider::new();
    kit.accounts.knows_by(|posted| posted.cookie("house").map(str::to_owned));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    ua.has_cookie("house", "alice");
    kit.accounts.knows_since(kit.now());
    kit.clock.advance(hours(1));
    for (name, value) in [("prompt", "login"), ("max_age", "0"), ("max_age", "60")] {
        let page = openid(&kit).set(name, value).open(&ua).expect_page("login");
        let again = post(&page, &[]).expect_page("login");
        assert!(again.answer().text().contains("alert"), "{name}");
        let claims = id_token(&kit, &again.login("alice"));
        assert_eq!(claims["auth_time"], kit.now().secs(), "{name}={value}: the password did it");
        kit.clock.advance(hours(1));
    }
}

/// The page of one browser is of no use in another: neither to whoever has stolen it, nor to whoever has planted it on
/// somebody whom the application knows.
#[test]
fn a_page_of_another_browser_signs_nobody_in() {
    let kit = TestProvider::new();
    kit.accounts.knows_by(|posted| posted.cookie("house").map(str::to_owned));
    let (alice, mallory) = (kit.user_agent(), kit.user_agent());
    alice.has_cookie("house", "alice");
    for (whose, by) in [(&alice, &mallory), (&mallory, &alice)] {
        let page = login_page(&kit, whose);
        let own = login_page(&kit, by).to_http(&[], ("action", "login"));
        let (mut head, body) = page.to_http(&[], ("action", "login")).into_parts();
        head.headers.insert("cookie", own.headers()["cookie"].clone());
        let answer = kit.send(http::Request::from_parts(head, body));
        assert!(answer.text().contains("data-page=\"login\""), "{}", answer.text());
        assert_eq!(answer.header("location"), None);
    }
}

/// Whom the application does not know, whom it may not let in, and what is not the application's to say.
#[test]
fn what_must_not_be_accepted() {
    let kit = TestProvider::new();
    kit.accounts.knows_by(|posted| posted.cookie("house").map(str::to_owned));
    let nobody = kit.user_agent();
    let _ = post(&login_page(&kit, &nobody), &[]).expect_page("login");
    for (name, cookies) in [
        ("a stranger", &[("house", "mallory")][..]),
        ("another cookie", &[("hous", "alice"), ("houses", "alice"), ("HOUSE", "alice")]),
        ("nothing in it", &[("house", "")]),
    ] {
        let ua = kit.user_agent();
        cookies.iter().for_each(|(name, value)| ua.has_cookie(name, value));
        let page = post(&login_page(&kit, &ua), &[]).expect_page("login");
        assert!(page.answer().text().contains("alert"), "{name}");
    }
    // The provider's own cookies are not shown to it, and none that came twice.
    let ua = kit.user_agent();
    let page = login_page(&kit, &ua);
    let ours = page.to_http(&[], ("action", "login"));
    let sent = ours.headers()["cookie"].to_str().unwrap_or_default().to_owned();
    let names: Vec<String> =
        sent.split("; ").filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())).collect();
    assert!(!names.is_empty(), "{sent}");
    kit.accounts.knows_by(move |posted| {
        names.iter().any(|name| posted.cookie(name).is_some()).then(|| "alice".to_owned())
    });
    let _ = post(&page, &[]).expect_page("login");
    kit.accounts.knows_by(|posted| posted.cookie("house").map(str::to_owned));
    let (mut head, body) = page.to_http(&[], ("action", "login")).into_parts();
    let twice = format!("house=alice; {sent}; house=alice");
    head.headers.insert("cookie", twice.parse().expect("a header"));
    assert!(kit.send(http::Request::from_parts(head, body)).text().contains("data-page=\"login\""));
    kit.accounts.knows_by(|_| Some("alice".to_owned()));
    kit.accounts.disable("alice");
    let _ = post(&login_page(&kit, &kit.user_agent()), &[]).expect_page("login");
}
