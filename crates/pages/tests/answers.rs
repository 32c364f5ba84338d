//! Pages that answer a form: how one comes back to them, and in which language.

use chancery_pages::Templates;
use chancery_testkit::{Tab, TestProvider, minutes};
use serde_json::json;

const LANGUAGE: &str = "chancery_language";

fn provider() -> TestProvider {
    let offered = |config: &mut chancery_core::config::Config| {
        config.device_authorization.offered = true;
        config.ciba.offered = true;
        config.sign_up.offered = true;
    };
    let kit = TestProvider::builder().pages(Templates::built_in()).configure(offered).build();
    kit.put_device_client("tv", json!({"token_endpoint_auth_method": "none"}));
    kit.put_ciba_client("till", "poll", json!({}));
    kit
}

/// Where the script of the page has a person come back.
fn entered_at(tab: &Tab<'_, '_>) -> Option<String> {
    let html = tab.answer().text();
    let address = html.split_once(" data-entered-at=\"")?.1.split('"').next()?.replace("&amp;", "&");
    assert!(html.contains(" defer></script>"), "nothing reads it: {html}");
    let policy = tab.answer().header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("; script-src 'nonce-"), "{policy}");
    Some(address)
}

/// The form of a page once more, as if it had come from another tab: it is not looked at.
fn spoilt<'u, 'k>(tab: &Tab<'u, 'k>) -> Tab<'u, 'k> {
    let mut fields = tab.form().fields;
    fields.iter_mut().filter(|(name, _)| name == "token").for_each(|(_, value)| value.clear());
    tab.post(&tab.form().action, &fields)
}

/// Whoever goes back to a page that answers a form, or loads it again, comes to the same request by GET: the page says where,
/// and there it is. A page that answers a GET needs none, and no script for it.
#[test]
fn one_comes_back_by_get() {
    let kit = provider();
    let ua = kit.user_agent();
    let check = |answer: Tab<'_, '_>, (name, address, there): (&str, &str, &str)| {
        let answer = answer.expect_page(name);
        let at = entered_at(&answer).unwrap_or_default();
        assert!(at.starts_with(&format!("https://id.example{address}")), "{name}: {at}");
        let shown = ua.get(&at).expect_page(there);
        assert_eq!(entered_at(&shown), None, "{at}: {}", shown.answer().text());
    };
    let request = kit.authorization_request("web").scope("openid");
    let login = request.open(&ua).expect_page("login");
    assert_eq!(entered_at(&login), None);
    check(login.login_wrongly("alice"), ("login", "/authorize?response_type=code&client_id=web&", "login"));
    check(spoilt(&login), ("login", "/authorize?response_type=code&client_id=web&", "login"));
    let create = login.submit(&[], ("action", "create"));
    check(create, ("sign-up", "/authorize?response_type=code&client_id=web&", "login"));

    let device = kit.device("tv", "openid");
    let unknown = ua.enter_user_code("BBBB-BBBB");
    check(unknown, ("user-code", "/device", "user-code"));
    check(ua.enter_user_code(device.user_code()), ("confirm-device", "/device", "user-code"));
    let confirmed = ua.enter_user_code(device.user_code()).confirm_device();
    check(confirmed, ("login", "/device", "user-code"));
    let asked = kit.backchannel("till", "openid");
    let approve = ua.get(&asked.link()).expect_page("login");
    let link = asked.link();
    check(approve.login_wrongly("alice"), ("login", &link, "login"));

    let login = ua.get("/account/password").expect_page("login");
    check(login.login_wrongly("alice"), ("login", "/account/password", "login"));
    let consent = request.open(&ua).login("alice").expect_page("consent");
    assert!(!consent.answer().text().contains("<script"), "{}", consent.answer().text());
    check(spoilt(&consent), ("consent", "/interaction/", "consent"));
    let chooser = request.clone().set("prompt", "select_account").open(&ua).expect_page("accounts");
    assert!(!chooser.answer().text().contains("<script"), "{}", chooser.answer().text());
    check(spoilt(&chooser), ("accounts", "/authorize?response_type=code&client_id=web&", "accounts"));
    check(chooser.choose_another(), ("login", "/authorize?response_type=code&client_id=web&", "accounts"));

    kit.user_agent().signed_in("alice");
    for (path, name) in [("/account/password", "change-password"), ("/account/sessions", "confirm-end")] {
        let page = ua.get(path).expect_page(name);
        // Without a button.
        check(page.post(&page.form().action, &page.form().fields), (name, path, name));
    }
    let leaving = ua.get("/logout?client_id=web").expect_page("logout-confirm");
    check(spoilt(&leaving), ("logout-confirm", "/logout?client_id=web", "logout-confirm"));
    let left = leaving.submit(&[], ("action", "logout"));
    check(left, ("logout-done", "/logout?client_id=web", "logout-done"));
}

/// A request that may not be in an address, or has to be signed, cannot be come back to.
#[test]
fn not_every_request_has_an_address() {
    let kit = provider();
    let ua = kit.user_agent();
    let long = "x".repeat(8_000);
    let request = kit.authorization_request("web").scope("openid").set("nonce", "n").set("login_hint", &long);
    let login = ua.post(&request).expect_page("login");
    assert_eq!(entered_at(&login.login_wrongly("alice").expect_page("login")), None, "it would be too long");
}

/// What is posted for a page once more, by the button for another language.
#[track_caller]
fn switched<'u, 'k>(tab: &Tab<'u, 'k>, language: &str, name: &str) -> Tab<'u, 'k> {
    let html = tab.answer().text();
    let button = format!("form=\"switch\" name=\"{LANGUAGE}\" value=\"{language}\"");
    assert!(html.contains(&button), "no button: {html}");
    let policy = tab.answer().header("content-security-policy").unwrap_or_default();
    assert!(!policy.contains("form-action 'none'"), "{policy}");
    let mut fields = tab.form().fields;
    fields.push((LANGUAGE.to_owned(), language.to_owned()));
    let other = tab.post(&tab.form().action, &fields).expect_page(name);
    let html = other.answer().text();
    assert!(html.contains(&format!("<html lang=\"{language}\">")), "{html}");
    other
}

/// A page that has no form because nothing is left to do can be had in another language, too, and so can that of an error;
/// nothing that was typed stands in it.
#[test]
fn a_page_at_the_end_has_the_other_language() {
    let kit = provider();
    let ua = kit.user_agent();
    ua.has_consented("alice", "web", "openid");
    let login = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let _ = login.login("alice").expect_code();
    kit.clock.advance(minutes(5));
    let answered = login.login("alice").expect_page("signed-in");
    assert!(!answered.answer().text().contains("password"), "{}", answered.answer().text());
    let german = switched(&answered, "de", "signed-in");
    let _ = switched(&german, "en", "signed-in");

    // Of a client, and of one of our forms.
    let wrong = [("client_id", "web"), ("redirect_uri", "https://evil.example/?a=<b>")];
    let wrong = wrong.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let error = login.post("https://id.example/authorize", &wrong).expect_page("error");
    let german = switched(&error, "de", "error");
    assert!(german.answer().text().contains("redirect_uri does not match"), "{}", german.answer().text());
    let _ = switched(&german, "en", "error");
    let lost = [("request", "client_id=nobody"), ("password", "s3cret"), ("token", "x")];
    let lost = lost.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let error = login.post("https://id.example/interaction", &lost).expect_page("error");
    assert!(!error.answer().text().contains("s3cret"), "{}", error.answer().text());
    let _ = switched(&error, "de", "error");
}
