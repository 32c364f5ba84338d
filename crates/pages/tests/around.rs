//! What stands around every page: whose it is, and its language (OIDC Core section 3.1.2.1, `ui_locales`; RFC 9110
//! section 12.5.4), which the person can choose.

use chancery_core::event::Event;
use chancery_core::offered::Endpoint;
use chancery_pages::{Accent, Brand, Logo, Templates};
use chancery_testkit::{SECRET, Tab, TestProvider, UserAgent, seconds};
use serde_json::json;

const LANGUAGE: &str = "chancery_language";

fn provider() -> TestProvider {
    with(Templates::built_in())
}

fn with(pages: Templates) -> TestProvider {
    let client = format!(
        r#"{{"client_id":"shop","client_name":"Corner Shop","client_secret":"{SECRET}",
            "redirect_uris":["https://shop.example/cb"]}}"#
    );
    TestProvider::builder().client(&client).pages(pages).build()
}

fn opened<'u, 'k>(kit: &TestProvider, ua: &'u UserAgent<'k>) -> Tab<'u, 'k> {
    kit.authorization_request("shop").scope("openid").open(ua).expect_page("login")
}

fn language<'a>(tab: &'a Tab<'_, '_>) -> &'a str {
    let after = tab.answer().text().split_once("<html lang=\"").map_or("", |(_, after)| after);
    after.split('"').next().unwrap_or_default()
}

/// The link of a page to itself in another language.
#[track_caller]
fn link(tab: &Tab<'_, '_>, language: &str) -> String {
    let html = tab.answer().text();
    let end = format!("{LANGUAGE}={language}\"");
    assert!(html.contains(&end), "no way to {language}: {html}");
    let before = html.split_once(&end).map_or("", |(before, _)| before);
    let address = before.rsplit_once("href=\"").map_or("", |(_, address)| address).replace("&amp;", "&");
    format!("{address}{LANGUAGE}={language}")
}

/// Presses the button of a page that has no address for the other language.
#[track_caller]
fn press<'u, 'k>(tab: &Tab<'u, 'k>, language: &str, username: &str) -> Tab<'u, 'k> {
    let html = tab.answer().text();
    let button = format!("form=\"form\" name=\"{LANGUAGE}\" value=\"{language}\"");
    assert!(html.contains(&button), "no button {language}: {html}");
    let mut fields = tab.form().fields;
    fields.retain(|(name, _)| name != "username" && name != "password");
    fields.push(("username".to_owned(), username.to_owned()));
    fields.push(("password".to_owned(), "typed by halves".to_owned()));
    fields.push((LANGUAGE.to_owned(), language.to_owned()));
    tab.post(&tab.form().action, &fields)
}

fn sets_language(tab: &Tab<'_, '_>) -> bool {
    let cookies = tab.answer().headers.get_all("set-cookie").iter();
    cookies.map(|cookie| cookie.to_str().unwrap_or_default()).any(|cookie| cookie.contains("language-"))
}

/// What a person has chosen is kept, on every page and for the next request, and goes before what the client and the
/// browser want.
#[test]
fn a_person_chooses_the_language_by_a_link() {
    let kit = provider();
    let ua = kit.user_agent();
    let login = opened(&kit, &ua);
    assert_eq!(language(&login), "en");
    let german = login.follow(&link(&login, "de")).expect_page("login");
    assert_eq!(language(&german), "de");
    assert!(sets_language(&german));
    assert!(german.answer().text().contains("aria-current=\"true\">Deutsch"));
    let consent = german.login("alice").expect_page("consent");
    assert_eq!(language(&consent), "de");
    let english = consent.follow(&link(&consent, "en")).expect_page("consent");
    assert_eq!(language(&english), "en");
    let german = english.follow(&link(&english, "de")).expect_page("consent");
    let _ = german.allow().expect_code();
    let request =
        kit.authorization_request("shop").scope("openid").param("ui_locales", "en").param("prompt", "login");
    assert_eq!(language(&request.open(&ua).expect_page("login")), "de");
    assert_eq!(language(&ua.get("/authorize?client_id=nobody").expect_page("error")), "de");
    // Another browser has chosen nothing.
    let other = kit.user_agent();
    assert_eq!(language(&opened(&kit, &other)), "en");
}

/// The page that answers a form has no address. Its form shows it again, with the name that was typed and what is wrong
/// with it, and nothing of it is looked at or counted.
#[test]
fn a_person_chooses_the_language_by_the_form() {
    let kit = provider();
    let ua = kit.user_agent();
    let wrong = opened(&kit, &ua).login_wrongly("alice").expect_page("login");
    let german = press(&wrong, "de", "alice").expect_page("login");
    assert_eq!(language(&german), "de");
    assert!(sets_language(&german));
    let html = german.answer().text();
    assert!(html.contains("name=\"username\" type=\"text\" value=\"alice\""), "{html}");
    assert!(html.contains("oder das Passwort ist falsch") && !html.contains("typed by halves"), "{html}");
    let looked_at = |event: &Event| matches!(event, Event::LoginFailed { .. } | Event::LoginSucceeded { .. });
    assert!(!german.events().iter().any(looked_at), "{:?}", german.event_names());
    let consent = german.login("alice").expect_page("consent");
    assert_eq!(language(&consent), "de");
    let _ = consent.allow().expect_code();
    // A page that has an address, too: there it would have forgotten what was typed.
    let again = kit.authorization_request("shop").scope("openid").set("prompt", "login").open(&ua);
    let wrong = again.expect_page("login").login_wrongly("alice").expect_page("login");
    let english = press(&wrong, "en", "alice").expect_page("login");
    assert!(
        english.answer().text().contains("The username or password is wrong."),
        "{}",
        english.page().text
    );
    // It is a page's own sentence that comes again, whatever the field says.
    let mut fields = wrong.form().fields;
    fields
        .iter_mut()
        .filter(|(name, _)| name == "kept_problem")
        .for_each(|(_, kept)| *kept = "<b>Call us</b>".into());
    fields.push((LANGUAGE.to_owned(), "en".to_owned()));
    let html = wrong.post(&wrong.form().action, &fields).answer().text().to_owned();
    assert!(!html.contains("role=\"alert\"") && !html.contains("Call us"), "{html}");
}

/// What is wrong with a new password is said in the other language, too, and what was ticked stays so.
#[test]
fn a_new_password_that_was_refused_is_told_in_the_other_language() {
    let kit = provider();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = ua.get("/account/password").expect_page("change-password");
    for (current, new, again, said) in [
        ("wrong", "another new one", "another new one", "Das bisherige Passwort ist falsch."),
        ("wrong", "another new one", "and another", "nicht gleich"),
        ("wrong", "short", "short", "8 Zeichen"),
    ] {
        let mut fields = page.form().fields;
        fields.retain(|(name, _)| !["current", "new", "again"].contains(&name.as_str()));
        let typed = [("current", current), ("new", new), ("again", again), ("keeps_others", "yes")];
        let typed = typed.into_iter().chain([("action", "change")]);
        fields.extend(typed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let refused = page.post(&page.form().action, &fields).expect_page("change-password");
        let mut fields = refused.form().fields;
        fields.retain(|(name, _)| !["current", "new", "again", "keeps_others"].contains(&name.as_str()));
        fields.push(("keeps_others".to_owned(), "yes".to_owned()));
        fields.push((LANGUAGE.to_owned(), "de".to_owned()));
        let german = refused.post(&refused.form().action, &fields).expect_page("change-password");
        let html = german.answer().text();
        assert!(html.contains("role=\"alert\"") && html.contains(said), "{said}: {html}");
        assert!(html.contains("value=\"yes\" checked"), "{html}");
        assert!(german.event_names().is_empty(), "nothing is looked at: {:?}", german.event_names());
    }
}

/// The chooser says in the other language, too, that whoever was chosen is not signed in any more.
#[test]
fn a_choice_that_has_ended_is_told_in_the_other_language() {
    let kit = provider();
    let ua = kit.user_agent();
    ua.signed_in("bob");
    ua.signed_in("alice");
    let request = kit.authorization_request("shop").scope("openid").param("prompt", "select_account");
    let chooser = request.open(&ua).expect_page("accounts");
    kit.accounts.disable("bob");
    let again = chooser.choose("B").expect_page("accounts");
    assert!(again.answer().text().contains("no longer signed in"), "{}", again.page().text);
    let mut fields = again.form().fields;
    fields.push((LANGUAGE.to_owned(), "de".to_owned()));
    let german = again.post(&again.form().action, &fields).expect_page("accounts");
    let html = german.answer().text();
    assert!(html.contains("role=\"alert\"") && html.contains("nicht mehr angemeldet"), "{html}");
}

/// An address can name our own parameters with other characters, and has them once.
#[test]
fn a_language_that_is_written_with_percent_signs_is_one() {
    let kit = provider();
    let ua = kit.user_agent();
    let address = opened(&kit, &ua).address().to_owned();
    let german = ua.get(&format!("{address}&chancery%5Flanguage=de")).expect_page("login");
    assert_eq!(language(&german), "de");
    let english = german.follow(&link(&german, "en")).expect_page("login");
    assert_eq!(language(&english), "en");
}

/// The page of an address at which there is nothing has the other language, too, and says nothing of the address.
#[test]
fn the_page_of_an_empty_address_has_the_other_language() {
    let kit = provider();
    let ua = kit.user_agent();
    let get = |path: &str| {
        let mut request = ua.to_http_get(path);
        request.headers_mut().insert("accept", "text/html".parse().unwrap());
        kit.send(request).expect_status(404)
    };
    let english = get("/nowhere?token=x");
    assert!(english.text().contains(&format!("href=\"?{LANGUAGE}=de\"")), "{}", english.text());
    assert!(!english.text().contains("nowhere") && !english.text().contains("token"), "{}", english.text());
    let german = get(&format!("/nowhere?{LANGUAGE}=de"));
    assert!(german.text().contains("<html lang=\"de\">"), "{}", german.text());
    assert!(german.header("set-cookie").is_some_and(|cookie| cookie.contains("language-")));
}

/// So do a new account, a new password, and what ends something or somebody's session.
#[test]
fn answers_to_forms_have_the_other_language() {
    let mut kit = TestProvider::builder().pages(Templates::built_in());
    kit = kit.configure(|config| config.sign_up.offered = true);
    let kit = kit.build();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let create = login.submit(&[], ("action", "create")).expect_page("sign-up");
    let typed = [("username", "alice"), ("password", "correct horse battery")];
    let typed = typed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let taken = create.submit(&typed, ("action", "create")).expect_page("sign-up");
    let said = "aria-invalid=\"true\"";
    assert!(taken.answer().text().contains(said), "{}", taken.answer().text());
    let german = press(&taken, "de", "alice").expect_page("sign-up");
    assert!(german.answer().text().contains(said), "{}", german.answer().text());
    ua.signed_in("alice");
    kit.user_agent().signed_in("alice");
    for (address, name) in [
        ("/account/password", "change-password"),
        ("/account/sessions", "confirm-end"),
        ("/logout", "logout-confirm"),
    ] {
        let page = ua.get(&format!("{address}?{LANGUAGE}=en")).expect_page(name);
        let again = page.post(&page.form().action, &page.form().fields).expect_page(name);
        assert_eq!(language(&press(&again, "de", "").expect_page(name)), "de");
    }
    let asked = ua.get("/logout").expect_page("logout-confirm");
    let gone = asked.submit(&[], ("action", "logout")).expect_page("logout-done");
    assert!(gone.answer().text().contains("ist bei diesem Dienst abgemeldet"), "{}", gone.page().text);
    let english = switch(&gone, "en").expect_page("logout-done");
    assert!(english.answer().text().contains("is signed out of this service"), "{}", english.page().text);
}

/// Presses the button of a page that answers a form: it sends that form once more.
#[track_caller]
fn switch<'u, 'k>(tab: &Tab<'u, 'k>, language: &str) -> Tab<'u, 'k> {
    let html = tab.answer().text();
    let button = format!("form=\"switch\" name=\"{LANGUAGE}\" value=\"{language}\"");
    assert!(html.contains(&button), "no button {language}: {html}");
    let policy = tab.answer().header("content-security-policy").unwrap_or_default();
    assert!(!policy.contains("form-action 'none'"), "{policy}");
    let mut fields = tab.form().fields;
    fields.push((LANGUAGE.to_owned(), language.to_owned()));
    tab.post(&tab.form().action, &fields)
}

/// So do the last pages, which say what was decided: nothing is decided by it once more, also when the device has what it
/// was given.
#[test]
fn the_last_pages_have_the_other_language() {
    let offered = |config: &mut chancery_core::config::Config| {
        config.device_authorization.offered = true;
        config.ciba.offered = true;
    };
    let kit = TestProvider::builder().pages(Templates::built_in()).configure(offered).build();
    kit.put_device_client("tv", json!({"token_endpoint_auth_method": "none"}));
    kit.put_ciba_client("till", "poll", json!({}));
    let ua = kit.user_agent();
    let expect = |tab: &Tab<'_, '_>, name: &str, words: [&str; 2]| {
        let german = switch(tab, "de").expect_page(name);
        assert!(german.answer().text().contains(words[1]), "{}", german.page().text);
        let english = switch(&german, "en").expect_page(name);
        assert!(english.answer().text().contains(words[0]), "{}", english.page().text);
        assert_eq!([german.events(), english.events()].concat(), [], "{name}");
    };
    const CONNECTED: [&str; 2] = ["Your device is connected", "Ger\u{e4}t ist verbunden"];
    let device = kit.device("tv", "openid");
    let confirm = ua.enter_user_code(device.user_code()).confirm_device().expect_page("login");
    let done = confirm.login("alice").expect_page("consent").allow().expect_page("device-done");
    expect(&done, "device-done", CONNECTED);
    kit.clock.advance(seconds(10));
    let _ = device.poll().expect_status(200);
    expect(&done, "device-done", CONNECTED);
    let refused = ua.enter_user_code(kit.device("tv", "openid").user_code()).deny();
    expect(&refused.expect_page("device-done"), "device-done", ["gets no access", "keinen Zugriff"]);

    let asked = kit.backchannel("till", "openid");
    let approve = ua.get(&asked.link()).expect_page("approve");
    let done = approve.submit(&[], ("action", "allow")).expect_page("approval-done");
    expect(&done, "approval-done", ["Approved", "Zugestimmt"]);

    ua.signed_in("bob");
    let leaving = |action| ua.get("/logout").expect_page("logout-confirm").submit(&[], ("action", action));
    expect(&leaving("stay"), "logout-done", ["still signed in", "weiterhin bei diesem Dienst"]);
    assert!(ua.session_cookie().is_some());
    expect(&leaving("logout"), "logout-done", ["Still signed in in this browser", "weiterhin angemeldet"]);
    assert!(ua.session_cookie().is_some(), "the other one stays");
}

/// The parameter is ours: no client and no record sees it.
#[test]
fn the_request_stays_what_it_was() {
    let kit = provider();
    let ua = kit.user_agent();
    let login = opened(&kit, &ua);
    let german = login.follow(&link(&login, "de")).expect_page("login");
    let carried = german.form().fields.into_iter().find(|(name, _)| name == "request").unwrap().1;
    assert!(carried.contains("client_id=shop") && !carried.contains(LANGUAGE), "{carried}");
    assert_eq!(
        german.answer().text().matches(&format!("{LANGUAGE}=")).count(),
        1,
        "only the link to English"
    );
}

/// Name, logo, colour and links; the logo is a file of ours, which browsers keep and which can do nothing.
#[test]
fn pages_show_whose_they_are() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let brand = Brand {
        name: Some("Lantern & Sons".to_owned()),
        logo: Logo::new(svg).ok(),
        accent: Accent::parse("#ffd400").ok(),
        help: Some("https://lantern.example/help?a&b".to_owned()),
        privacy: Some("https://lantern.example/privacy".to_owned()),
        imprint: Some("mailto:office@lantern.example".to_owned()),
        forgot_password: Some("https://lantern.example/forgot".to_owned()),
        create_account: Some("https://lantern.example/join".to_owned()),
    };
    let kit = with(Templates::built_in().with_brand(brand));
    let ua = kit.user_agent();
    let login = opened(&kit, &ua);
    let error = ua.get("/authorize?client_id=nobody").expect_page("error");
    for tab in [&login, &error] {
        let html = tab.answer().text();
        for shown in [
            "<span>Lantern &amp; Sons</span>",
            "href=\"https://lantern.example/help?a&amp;b\"",
            "href=\"https://lantern.example/privacy\"",
            "href=\"mailto:office@lantern.example\"",
            "--accent: #ffd400;",
            "--on-accent: #000000;",
            "<p class=\"host\">",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
    }
    for shown in ["https://lantern.example/forgot", "https://lantern.example/join"] {
        assert!(login.answer().text().contains(&format!("<a href=\"{shown}\"")), "{shown}");
    }
    // The provider itself has this name, too.
    let own = ua.get("/account").expect_page("login");
    for shown in ["to continue to your account", "<title>Sign in · Lantern &amp; Sons</title>"] {
        assert!(own.answer().text().contains(shown), "{shown}: {}", own.answer().text());
    }
    let html = login.answer().text();
    let logo = html.split("<header class=\"brand\"><img src=\"").nth(1).unwrap().split('"').next().unwrap();
    let file = ua.get(logo);
    let file = file.answer().clone().expect_status(200);
    assert_eq!(file.text(), svg);
    assert_eq!(file.header("content-type"), Some("image/svg+xml"));
    assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    let policy = file.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && policy.ends_with("; sandbox"), "{policy}");
}

/// Whoever has come to an error of no application's goes to the issuer's own page, from there to what they have here, and
/// to help. What is off is not linked.
#[test]
fn no_page_is_a_dead_end() {
    let help = || Brand { help: Some("https://lantern.example/help".to_owned()), ..Brand::default() };
    let link = |address: &str| format!("<a class=\"button secondary\" href=\"{address}\">");
    let (home, account) = (link("https://id.example"), link("https://id.example/account"));
    let to_help = "<a class=\"button quiet\" href=\"https://lantern.example/help\">";
    for (off, expected) in [
        (&[][..], Some(&home)),
        (&[Endpoint::FrontPage], Some(&account)),
        (&[Endpoint::FrontPage, Endpoint::Account], None),
    ] {
        for brand in [Brand::default(), help()] {
            let has_help = brand.help.is_some();
            let kit = TestProvider::builder().pages(Templates::built_in().with_brand(brand));
            let kit = kit.configure(|config| off.iter().for_each(|one| config.endpoints.switch(*one, false)));
            let kit = kit.build();
            let ua = kit.user_agent();
            let error = ua.get("/authorize?client_id=nobody").expect_page("error");
            let html = error.answer().text();
            for way in [&home, &account] {
                assert_eq!(html.contains(way.as_str()), expected == Some(way), "{off:?}: {html}");
            }
            assert_eq!(html.contains(to_help), has_help, "{off:?}: {html}");
        }
    }
    let kit = with(Templates::built_in().with_brand(help()));
    let ua = kit.user_agent();
    let front = ua.get("/").expect_page("front-page");
    for shown in [&*account, to_help] {
        assert!(front.answer().text().contains(shown), "{shown}");
    }
    // Who has signed out, or has stayed, and came from no application.
    ua.signed_in("alice");
    let confirm = ua.get("/logout").expect_page("logout-confirm");
    for (action, words) in [("stay", "Your account"), ("logout", "Sign in again")] {
        let done = confirm.submit(&[], ("action", action)).expect_page("logout-done");
        assert!(done.answer().text().contains(&format!("{account}{words}</a>")), "{}", done.answer().text());
    }
}

/// A person is called the same on every page, whether or not a client asks.
#[test]
fn a_person_has_one_name() {
    let kit = TestProvider::builder().pages(Templates::built_in());
    let kit = kit.configure(|config| config.ciba.offered = true).build();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let consent = login.login("alice").expect_page("consent");
    let name = consent.answer().text().split("<span class=\"name\">").nth(1).unwrap_or_default();
    let name = name.split("</span>").next().unwrap_or_default();
    assert!(name.contains("alice Example") && name.contains('@'), "{name}");
    for (address, page) in [
        ("/account", "account"),
        ("/account/password", "change-password"),
        ("/logout", "logout-confirm"),
        ("/approvals", "approvals"),
    ] {
        let tab = ua.get(address).expect_page(page);
        assert!(tab.answer().text().contains(name), "{address}: {}", tab.answer().text());
    }
}

/// Each page names the icon where it is: below the path of the issuer, where browsers would not look by themselves.
#[test]
fn the_icon_is_found() {
    for issuer in ["https://id.example", "https://id.example/oidc"] {
        let kit = TestProvider::builder().issuer(issuer).pages(Templates::built_in()).build();
        let ua = kit.user_agent();
        let page = ua.get(&kit.path("/authorize?client_id=nobody")).expect_page("error");
        let icon = format!("{issuer}/favicon.ico");
        assert!(page.answer().text().contains(&format!("<link rel=\"icon\" href=\"{icon}\">")), "{issuer}");
        let icon = kit.get("/favicon.ico").expect_status(200);
        assert_eq!(icon.header("content-type"), Some("image/x-icon"));
    }
    let off = |config: &mut chancery_core::config::Config| config.endpoints.switch(Endpoint::Icon, false);
    let kit = TestProvider::builder().configure(off).pages(Templates::built_in()).build();
    let ua = kit.user_agent();
    let page = ua.get("/").expect_page("front-page");
    assert!(!page.answer().text().contains("rel=\"icon\""));
}

/// What chooses no language changes nothing: foreign tags, several values, a cookie that somebody has planted, and a form
/// that another site posts.
#[test]
fn whatever_else_is_sent_chooses_nothing() {
    let kit = provider();
    for wrong in ["fr", "", "%22%3e%3cscript%3e", "de&chancery_language=en", "de%0d%0aset-cookie:x", "de-DE"]
    {
        let ua = kit.user_agent();
        let opened = ua.get(&format!("/authorize?client_id=nobody&{LANGUAGE}={wrong}"));
        let page = opened.expect_page("error");
        assert_eq!(language(&page), "en", "{wrong}");
        assert!(!sets_language(&page) && !page.answer().text().contains("<script>"), "{wrong}");
    }
    let ua = kit.user_agent();
    let login = opened(&kit, &ua);
    let mut fields = login.form().fields;
    fields.push((LANGUAGE.to_owned(), "de".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let foreign = ua.post_from_another_site("/interaction", &fields).expect_page("error");
    assert!(!sets_language(&foreign));
    assert_eq!(language(&opened(&kit, &ua)), "en");
    // Files that nobody has.
    for name in ["logo.png", "..", "%2e%2e%2fetc", "logo-0000000000000000.svg", ""] {
        let file = ua.get(&format!("/pages/{name}"));
        assert_eq!(file.answer().status, 404, "{name}");
    }
}
