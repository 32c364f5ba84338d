//! What a person sees before they agree (OIDC Core section 3.1.2.4), and the chooser of accounts.

use chancery_core::event::Event;
use chancery_pages::Templates;
use chancery_testkit::{SECRET, Tab, TestProvider};
use serde_json::json;

fn provider() -> TestProvider {
    let client = format!(
        r#"{{"client_id":"shop","client_name":"Corner Shop","client_secret":"{SECRET}",
            "redirect_uris":["https://shop.example/cb"]}}"#
    );
    let names = [("email", "See your <post>"), ("email#de", "Ihre Post sehen")];
    let descriptions = [("email", "Also those that others share with you")];
    let pages = Templates::built_in().with_scopes(names.into_iter(), descriptions.into_iter());
    TestProvider::builder().client(&client).pages(pages).build()
}

#[track_caller]
fn expect(tab: &Tab<'_, '_>, parts: &[&str]) {
    let html = tab.answer().text();
    for part in parts {
        assert!(html.contains(part), "{part}: {html}");
    }
}

/// Who is asked, and the very values that the client gets; a claim that is asked for by itself, too. Nothing of what is
/// not asked for, and nothing that would be read as markup.
#[test]
fn what_is_shared_is_shown_by_its_value() {
    let kit = provider();
    kit.accounts.set_claim("alice", "name", json!("Alice <b>\u{202e}Example"));
    let ua = kit.user_agent();
    let claims = r#"{"userinfo":{"birthdate":null}}"#;
    let request = kit.authorization_request("shop").scope("openid profile email").param("claims", claims);
    let consent = request.open(&ua).expect_page("login").login("alice").expect_page("consent");
    expect(
        &consent,
        &[
            "<span class=\"name\"><bdi>Alice &lt;b&gt;Example</bdi><small><bdi>alice@example.org</bdi></small></span>",
            "Username: <bdi class=\"value\">alice</bdi>",
            "Email address: <bdi class=\"value\">alice@example.org</bdi>",
            "<details class=\"rest\">",
        ],
    );
    let html = consent.answer().text();
    assert!(
        !html.contains("+49 30 123456") && !html.contains("1700000000") && !html.contains("<b>"),
        "{html}"
    );
    assert_eq!(html.matches("Corner Shop").count(), 2, "in the title and once on the page: {html}");
    let _ = consent.allow().expect_code();
}

/// A language has its name in the language of the page, and its tag where that says more; one without a name is its tag.
#[test]
fn a_language_has_a_name() {
    let kit = provider();
    for (tag, english, german) in [
        ("de-DE", "German (de-DE)", "Deutsch (de-DE)"),
        ("de", "German", "Deutsch"),
        ("pt_BR", "Portuguese (pt_BR)", "Portugiesisch (pt_BR)"),
        ("EN", "English (EN)", "Englisch (EN)"),
        ("gsw-CH", "gsw-CH", "gsw-CH"),
        ("<b>", "&lt;b&gt;", "&lt;b&gt;"),
        ("de-<b>", "German (de-&lt;b&gt;)", "Deutsch (de-&lt;b&gt;)"),
    ] {
        kit.accounts.set_claim("alice", "locale", json!(tag));
        for (language, shown) in [("en", english), ("de", german)] {
            let ua = kit.user_agent();
            let request = kit.authorization_request("shop").scope("openid");
            let request =
                request.param("claims", r#"{"userinfo":{"locale":null}}"#).set("ui_locales", language);
            let consent = request.open(&ua).expect_page("login").login("alice").expect_page("consent");
            expect(&consent, &[&format!("<bdi class=\"value\">{shown}</bdi>")]);
        }
    }
}

/// A scope of the operator's own has words, in each language; any other is shown as the client wrote it.
#[test]
fn scopes_have_the_operator_s_words() {
    let kit = provider();
    let ua = kit.user_agent();
    let request = kit.authorization_request("shop").scope("openid email");
    let consent = request.open(&ua).expect_page("login").login("alice").expect_page("consent");
    expect(&consent, &["See your &lt;post&gt;<small>Also those that others share with you</small>"]);
    let german = kit
        .authorization_request("shop")
        .scope("openid email")
        .param("ui_locales", "de")
        .param("prompt", "consent");
    expect(&german.open(&ua).expect_page("consent"), &["Ihre Post sehen<small>Also those"]);
}

/// Presses a button that stands outside of the form.
fn press<'u, 'k>(tab: &Tab<'u, 'k>, name: &str, value: &str) -> Tab<'u, 'k> {
    let mut fields = tab.form().fields;
    fields.push((name.to_owned(), value.to_owned()));
    tab.post(&tab.form().action, &fields)
}

/// What the chooser's buttons send for this person.
#[track_caller]
fn choice(tab: &Tab<'_, '_>, account: &str) -> String {
    let email = format!("{account}@example.org");
    let html = tab.answer().text();
    let line = html.split("<li>").skip(1).find(|line| line.contains(&email)).unwrap_or_default();
    let value = line.split_once("name=\"account\" value=\"").map_or("", |(_, rest)| rest);
    assert!(!value.is_empty(), "no {account}: {html}");
    value.split('"').next().unwrap_or_default().to_owned()
}

/// "Not you?" leads to the chooser, and from there to another account or back; nothing was agreed to.
#[test]
fn the_account_can_be_switched_on_the_consent_page() {
    let kit = provider();
    let ua = kit.user_agent();
    let request = kit.authorization_request("shop").scope("openid email");
    let consent = request.open(&ua).expect_page("login").login("alice").expect_page("consent");
    let chooser = press(&consent, "action", "switch").expect_page("accounts");
    let of_bob = chooser.choose_another().expect_page("login").login("bob").expect_page("consent");
    expect(&of_bob, &["bob@example.org"]);
    let chooser = press(&of_bob, "action", "switch").expect_page("accounts");
    expect(&chooser, &["alice Example", "bob Example", "alice@example.org"]);
    let back = press(&chooser, "account", &choice(&chooser, "alice")).expect_page("consent");
    expect(&back, &["alice@example.org"]);
    let _ = back.allow().expect_code();
}

/// An account is removed from the browser: its session ends, and nobody takes its place unasked.
#[test]
fn an_account_is_removed_from_the_browser() {
    let kit = provider();
    let ua = kit.user_agent();
    for person in ["alice", "bob"] {
        let request = kit.authorization_request("shop").scope("openid").param("prompt", "login");
        let next = request.open(&ua).expect_page("login").login(person).expect_page("consent");
        let _ = next.allow().expect_code();
    }
    let request = kit.authorization_request("shop").scope("openid").param("prompt", "select_account");
    let chooser = request.open(&ua).expect_page("accounts");
    // Bob is the one who is signed in, alice stands beside.
    let left = press(&chooser, "forget", &choice(&chooser, "alice")).expect_page("accounts");
    assert!(
        left.events()
            .iter()
            .any(|event| matches!(event, Event::SessionEnded { account, .. } if account.as_str() == "alice"))
    );
    assert!(!left.answer().text().contains("alice@example.org"));
    let _ = press(&left, "account", &choice(&left, "bob")).expect_code();
    // The last one: then somebody has to sign in.
    let chooser = request.open(&ua).expect_page("accounts");
    let login = press(&chooser, "forget", &choice(&chooser, "bob")).expect_page("login");
    assert!(!login.answer().text().contains("bob@example.org"));
    let silent = kit.authorization_request("shop").scope("openid").param("prompt", "none");
    let _ = silent.open(&ua).expect_error("login_required");
}

/// The active account is removed while another is signed in: that one is offered, and not taken.
#[test]
fn nobody_takes_the_place_of_who_was_removed() {
    let kit = provider();
    let ua = kit.user_agent();
    for person in ["alice", "bob"] {
        let request = kit.authorization_request("shop").scope("openid").param("prompt", "login");
        let next = request.open(&ua).expect_page("login").login(person).expect_page("consent");
        let _ = next.allow().expect_code();
    }
    let request = kit.authorization_request("shop").scope("openid").param("prompt", "select_account");
    let chooser = request.open(&ua).expect_page("accounts");
    let left = press(&chooser, "forget", &choice(&chooser, "bob")).expect_page("accounts");
    assert!(left.answer().text().contains("alice@example.org"));
    assert!(!left.answer().text().contains("bob@example.org"));
    let silent = kit.authorization_request("shop").scope("openid").param("prompt", "none");
    let refused = silent.open(&ua).expect_arrival();
    assert_eq!(refused.value("code"), None, "alice was not chosen");
    let _ = kit.authorization_request("shop").scope("openid").open(&ua).expect_page("accounts");
}

/// Choices of others, of other browsers, and of nobody: the page comes again, and nobody is signed out.
#[test]
fn only_accounts_of_this_browser_are_removed() {
    let kit = provider();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    for (ua, person) in [(&ua, "alice"), (&other, "bob")] {
        let request = kit.authorization_request("shop").scope("openid");
        let next = request.open(ua).expect_page("login").login(person).expect_page("consent");
        let _ = next.allow().expect_code();
    }
    let request = kit.authorization_request("shop").scope("openid").param("prompt", "select_account");
    let of_bob = choice(&request.open(&other).expect_page("accounts"), "bob");
    for wrong in [of_bob.as_str(), "x", "alice", "../alice", "\u{0}"] {
        let chooser = request.open(&ua).expect_page("accounts");
        let again = press(&chooser, "forget", wrong);
        assert!(!again.events().iter().any(|event| matches!(event, Event::SessionEnded { .. })), "{wrong}");
    }
    // A page of another site cannot do it.
    let chooser = request.open(&ua).expect_page("accounts");
    let mut fields = chooser.form().fields;
    fields.push(("forget".to_owned(), choice(&chooser, "alice")));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let foreign = ua.post_from_another_site("/interaction", &fields);
    assert!(!foreign.events().iter().any(|event| matches!(event, Event::SessionEnded { .. })));
    let silent = kit.authorization_request("shop").scope("openid").param("prompt", "none");
    let _ = silent.open(&ua).expect_code();
}
