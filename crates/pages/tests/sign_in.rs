//! Signing in on the built-in page, and signing in again (OIDC Core section 3.1.2.1, `prompt=login`, `max_age`).

use std::time::Duration;

use chancery_pages::Templates;
use chancery_testkit::{SECRET, Tab, TestProvider};

fn provider() -> TestProvider {
    let client = format!(
        r#"{{"client_id":"shop","client_name":"Corner Shop","client_secret":"{SECRET}",
            "redirect_uris":["https://shop.example/cb"]}}"#
    );
    TestProvider::builder().client(&client).pages(Templates::built_in()).build()
}

#[track_caller]
fn expect(tab: &Tab<'_, '_>, is_again: bool, username: &str) {
    let html = tab.answer().text();
    let title = if is_again { "<h1>Confirm that it is you</h1>" } else { "<h1>Sign in</h1>" };
    assert!(html.contains(title), "{title}: {html}");
    assert_eq!(html.contains("<span class=\"name\">"), is_again, "{html}");
    let field = format!("<input id=\"username\" name=\"username\" type=\"text\" value=\"{username}\"");
    assert!(html.contains(&field), "{field}: {html}");
}

/// Whoever is signed in and has to sign in again sees who they are, with the name filled in.
#[test]
fn a_person_confirms_that_it_is_they() {
    let kit = provider();
    let ua = kit.user_agent();
    let login = kit.authorization_request("shop").scope("openid").open(&ua).expect_page("login");
    expect(&login, false, "");
    let _ = login.login("alice").expect_page("consent").allow().expect_code();
    kit.clock.advance(Duration::from_secs(60));
    for (name, value) in [("prompt", "login"), ("max_age", "30")] {
        let request = kit.authorization_request("shop").scope("openid").param(name, value);
        let again = request.open(&ua).expect_page("login");
        expect(&again, true, "alice");
        let wrong = again.login_wrongly("alice").expect_page("login");
        expect(&wrong, true, "alice");
        assert_eq!(wrong.answer().text().matches("The username or password is wrong.").count(), 1);
        // Somebody else types their own name.
        let other = again.login_wrongly("bob").expect_page("login");
        expect(&other, false, "bob");
        let _ = again.login("alice").expect_code();
        kit.clock.advance(Duration::from_secs(60));
    }
}

/// The client's hint goes before what we know, and nobody is told who was signed in before.
#[test]
fn nobody_else_is_addressed() {
    let kit = provider();
    let ua = kit.user_agent();
    let hinted = kit.authorization_request("shop").scope("openid").param("login_hint", "bob");
    expect(&hinted.open(&ua).expect_page("login"), false, "bob");
    let login = kit.authorization_request("shop").scope("openid").open(&ua).expect_page("login");
    let _ = login.login("alice").expect_page("consent").allow().expect_code();
    let choose = kit.authorization_request("shop").scope("openid").param("prompt", "select_account");
    let another = choose.open(&ua).expect_page("accounts").choose_another().expect_page("login");
    expect(&another, false, "");
    let stranger = kit.user_agent();
    let plain = kit.authorization_request("shop").scope("openid").param("prompt", "login");
    expect(&plain.open(&stranger).expect_page("login"), false, "");
}

/// The script that shows a password is a file of ours, and the only one that its page may run.
#[test]
fn a_password_can_be_shown() {
    let kit = provider();
    let ua = kit.user_agent();
    let login = kit.authorization_request("shop").scope("openid").open(&ua).expect_page("login");
    let html = login.answer().text();
    let (before, address) = html.split_once("\" src=\"").unwrap();
    let (address, rest) = address.split_once('"').unwrap();
    assert_eq!(&rest[..16], " defer></script>", "{rest}");
    assert_eq!(html.matches("<script").count(), 1);
    let nonce = before.rsplit_once("nonce=\"").unwrap().1;
    let policy = login.answer().header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("; script-src 'nonce-{nonce}';")), "{policy}");
    // Without scripts there is no button.
    assert!(html.split("class=\"reveal\"").nth(1).unwrap().split('>').next().unwrap().ends_with(" hidden"));
    let file = ua.get(address).answer().clone().expect_status(200);
    assert_eq!(file.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
    for unwanted in ["innerHTML", "eval", "localStorage", "http"] {
        assert!(!file.text().contains(unwanted), "{unwanted}");
    }
    // A page without a password runs nothing.
    let consent = login.login("alice").expect_page("consent");
    let policy = consent.answer().header("content-security-policy").unwrap();
    assert!(!policy.contains("script-src"), "{policy}");
}
