//! RFC 7591 section 2.2 and OpenID Connect Dynamic Client Registration 1.0 section 2.1: client metadata in several
//! languages and scripts.

use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_http::{Content, Html, Locale, Page, Pages, PlainPages};
use chancery_testkit::{AuthorizationRequest, NegativeTable, Refused, Tab, TestProvider, UserAgent};
use http::Method;
use serde_json::{Map, Value, json};

/// The plain pages as they would be in German, too. Beside each stands what the client has registered.
struct TwoLanguages;

impl Pages for TwoLanguages {
    fn locales(&self) -> Vec<&str> {
        vec!["en", "de"]
    }

    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let client = match page.content {
            Content::Login(view, _) => Some(&view.client),
            Content::Consent(view, _) => Some(&view.client),
            Content::LogoutConfirm(view, _) => view.client.as_ref(),
            Content::LogoutDone(view, _) => view.client.as_ref(),
            _ => None,
        };
        let html = PlainPages.page(page, locale);
        let html = Html::new(html.as_str().replace("lang=\"en\"", &format!("lang=\"{}\"", locale.as_str())));
        let Some(client) = client else { return html };
        let told = [&client.client_uri, &client.logo_uri, &client.policy_uri, &client.tos_uri];
        let told: Vec<&str> = told.into_iter().map(|uri| uri.as_deref().unwrap_or("-")).collect();
        let heard = format!("[{} {} {}]", locale.as_str(), client.name, told.join(" "));
        Html::new(format!("{html}{}", Html::escape(&heard)))
    }
}

fn provider() -> TestProvider {
    let kit = TestProvider::builder().pages(TwoLanguages).configure(|config| {
        config.registration.access = RegistrationAccess::Open;
        config.registration.management = true;
        config.registration.network_quota = 0;
    });
    kit.build()
}

fn photos() -> Value {
    json!({
        "redirect_uris": ["https://rp.example/cb"],
        "post_logout_redirect_uris": ["https://rp.example/bye"],
        "client_name": "Photos",
        "client_name#de": "Fotos",
        "client_name#ja-Jpan-JP": "\u{5199}\u{771f}",
        "client_uri": "https://rp.example/",
        "client_uri#de": "https://rp.example/de",
        "logo_uri": "https://rp.example/logo.png",
        "logo_uri#DE": "https://logos.example/de.png",
        "policy_uri#de-DE": "https://rp.example/datenschutz",
        "tos_uri#en": "https://rp.example/terms",
    })
}

#[track_caller]
fn expect_heard(tab: &Tab<'_, '_>, heard: &str) {
    let text = tab.answer().text();
    assert!(text.contains(heard), "{heard}: {text}");
}

/// REG-01, CMETA-04: what was sent in a language comes back under the name that it came with, and is kept; the
/// operators' own registrations have it as well.
#[test]
fn it_is_registered_and_returned() {
    let kit = provider();
    let given = kit.register(&photos()).expect_status(201);
    let read = kit.send(kit.management_request(&Method::GET, &given, None)).expect_status(200);
    let localized = |of: &Value| -> Map<String, Value> {
        let members = of.as_object().expect("an object").iter().filter(|(name, _)| name.contains('#'));
        members.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    assert_eq!(localized(given.json()), localized(&photos()));
    assert_eq!(localized(read.json()), localized(&photos()));
    // An update replaces all of them (RFC 7592 section 2.2).
    let change = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"],
        "client_name#fr": "Photos \u{e0} moi", "client_name#de": null });
    let changed = kit.send(kit.management_request(&Method::PUT, &given, Some(&change))).expect_status(200);
    assert_eq!(Value::from(localized(changed.json())), json!({ "client_name#fr": "Photos \u{e0} moi" }));
}

/// Login, consent and logout show the client in the language of the page; what is not registered in it is shown as
/// it was registered without a language, or else in the one that there is.
#[test]
fn pages_show_the_client_in_their_language() {
    let english = "Photos https://rp.example/ https://rp.example/logo.png https://rp.example/datenschutz \
                   https://rp.example/terms]";
    let german = "Fotos https://rp.example/de https://logos.example/de.png https://rp.example/datenschutz \
                  https://rp.example/terms]";
    for (locales, page, heard) in
        [("en", "en", english), ("fr", "en", english), ("de", "de", german), ("de-AT", "de", german)]
    {
        let heard = format!("[{page} {heard}");
        let kit = provider();
        let client = kit.register(&photos()).expect_status(201).member("client_id").to_owned();
        let ua: UserAgent<'_> = kit.user_agent();
        let request: AuthorizationRequest =
            kit.authorization_request(&client).scope("openid").param("ui_locales", locales);
        let login = request.open(&ua).expect_page("login");
        expect_heard(&login, &heard);
        let consent = login.login("alice").expect_page("consent");
        expect_heard(&consent, &heard);
        let _ = consent.allow().expect_code();
        let logout = ua.follow_from_another_site(&format!("/logout?client_id={client}&ui_locales={locales}"));
        expect_heard(&logout, &heard);
        expect_heard(&logout.submit(&[], ("action", "logout")), &heard);
    }
}

/// Where the person can go on from a page is shown in the language of the page as well: to where the client wants a
/// login to begin, which is the same in all languages and is told at whom (OIDC Core section 4), or else to its home page.
/// After a logout it is the home page, if there is one.
#[test]
fn the_way_on_leads_to_the_page_in_the_language() {
    let begin = "https://rp.example/begin";
    let (begins, begins_so) = (
        "https://rp.example/begin?iss=https%3A%2F%2Fid.example",
        "https://rp.example/begin?a=b&iss=https%3A%2F%2Fid.example",
    );
    let nowhere_else = json!({ "client_uri": null, "client_uri#de": null });
    for (locales, login, changes, home, on) in [
        ("en", None, json!({}), "https://rp.example/", "https://rp.example/"),
        ("fr", None, json!({}), "https://rp.example/", "https://rp.example/"),
        ("de", None, json!({}), "https://rp.example/de", "https://rp.example/de"),
        ("de-AT", None, json!({}), "https://rp.example/de", "https://rp.example/de"),
        ("de", Some(begin), json!({}), "https://rp.example/de", begins),
        ("en", Some(begin), nowhere_else.clone(), begins, begins),
        ("en", Some("https://rp.example/begin?a=b"), nowhere_else, begins_so, begins_so),
        ("en", None, json!({ "client_uri": null }), "https://rp.example/de", "https://rp.example/de"),
    ] {
        let kit = provider();
        let mut metadata = photos();
        let members = metadata.as_object_mut().expect("an object");
        members.extend(changes.as_object().expect("an object").clone());
        members.extend(login.map(|uri| ("initiate_login_uri".to_owned(), json!(uri))));
        members.retain(|_, value| !value.is_null());
        let client = kit.register(&metadata).expect_status(201).member("client_id").to_owned();
        let ua = kit.user_agent();
        let request = kit.authorization_request(&client).scope("openid").param("ui_locales", locales);
        let consent = request.open(&ua).expect_page("login").login("alice").expect_page("consent");
        let _ = consent.allow().expect_code();
        let answered = consent.reload();
        let wrong = request.set("redirect_uri", "https://rp.example/other").open(&ua).expect_page("error");
        let out = format!("/logout?client_id={client}&ui_locales={locales}");
        let asked = ua.follow_from_another_site(&out).expect_page("logout-confirm");
        let done = asked.submit(&[], ("action", "logout")).expect_page("logout-done");
        for (page, to) in [(answered.expect_way_on(), on), (wrong, on), (done, home)] {
            let links = page.page().links;
            assert!(links.iter().any(|link| link == to), "{locales} {to}: {links:?}");
            for other in ["https://rp.example/", "https://rp.example/de", begin, begins] {
                assert!(
                    other == to || !links.iter().any(|link| link == other),
                    "{locales} {other}: {links:?}"
                );
            }
        }
    }
}

/// Whichever page comes again after a form, it is in the language that the request asks for.
#[test]
fn a_page_that_comes_again_keeps_its_language() {
    let kit =
        TestProvider::builder().pages(TwoLanguages).configure(|config| config.sign_up.offered = true).build();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid").param("ui_locales", "de");
    let login = request.open(&ua).expect_page("login");
    let wrong = login.submit(
        &[("username".into(), "alice".into()), ("password".into(), "wrong".into())],
        ("action", "login"),
    );
    assert_eq!(wrong.expect_page("login").page().lang, "de");
    let sign_up = login.submit(&[], ("action", "create")).expect_page("sign-up");
    assert_eq!(sign_up.page().lang, "de");
    let short = sign_up.submit(
        &[("username".into(), "carol".into()), ("password".into(), "short".into())],
        ("action", "create"),
    );
    assert_eq!(short.expect_page("sign-up").page().lang, "de");
}

/// A client without a name in any form is called by its id, and one that has it in one language only by that.
#[test]
fn a_name_in_another_language_is_better_than_none() {
    let kit = provider();
    let ua = kit.user_agent();
    for (member, name, heard) in [
        ("client_name#ja", "\u{5199}\u{771f}", "\u{5199}\u{771f}"),
        ("tos_uri#de", "https://rp.example/t", ""),
    ] {
        let metadata = json!({ "redirect_uris": ["https://rp.example/cb"], member: name });
        let client = kit.register(&metadata).expect_status(201).member("client_id").to_owned();
        let login = kit.authorization_request(&client).scope("openid").open(&ua).expect_page("login");
        let called = if heard.is_empty() { &client } else { heard };
        expect_heard(&login, &format!("[en {called} "));
    }
}

/// META-05, META-06, CMETA-03: a member in a language is judged by the same rules as the one without, and there are
/// not too many.
#[test]
fn what_is_not_registered() {
    let kit = provider();
    let clients = kit.clients();
    let with = |members: Value| {
        let mut metadata = photos();
        let all = metadata.as_object_mut().expect("an object");
        all.extend(members.as_object().expect("an object").clone());
        kit.registration_request(&metadata)
    };
    let refused = Refused::Json(400, "invalid_client_metadata");
    let mut table = NegativeTable::new(&kit);
    for member in ["client_uri#fr", "logo_uri#fr", "policy_uri#fr-CA", "tos_uri#x-ours"] {
        for uri in [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://user@rp.example/",
            "https://rp.example/#fragment",
            "https://*.example/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://localhost/",
            "https://2130706433/",
            "/relative",
        ] {
            table = table.row("a hostile URI", with(json!({ member: uri })), refused);
        }
        table = table.row("no string", with(json!({ member: 7 })), refused);
    }
    for name in ["\u{202e}knaB", "a\u{0}b", "a\nb", "My\u{200b}Bank"] {
        table = table.row("a misleading name", with(json!({ "client_name#fr": name })), refused);
    }
    for tag in ["", "de_DE", "d", "1de", "de-", "de#ch", "\u{e4}\u{f6}", "abcdefghi", "de DE", "*"] {
        let member = format!("client_name#{tag}");
        table = table.row("no language tag", with(json!({ member: "x" })), refused);
    }
    let many: Map<String, Value> = (0..121).map(|n| (format!("client_name#x-{n}"), json!("x"))).collect();
    table
        .row("a language twice", with(json!({ "client_name#DE": "x" })), refused)
        .row("a name of objects", with(json!({ "client_name#fr": {} })), refused)
        .row("121 languages", with(many.into()), refused)
        .run();
    assert_eq!(kit.clients(), clients);
    // What nobody would show in a language is ignored like everything unknown.
    let unknown = json!({ "redirect_uris": ["https://rp.example/cb"], "redirect_uris#de": ["javascript:x"],
        "#": "x", "#de": "x", "contacts#de": "x", "chancery#de": {} });
    let given = kit.register(&unknown).expect_status(201);
    assert!(given.member_names().iter().all(|name| !name.contains('#')), "{}", given.text());
}
