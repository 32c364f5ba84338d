//! What a person has here (OWASP ASVS 5.0 section 7.5), on the built-in pages.

use chancery_pages::Templates;
use chancery_testkit::{Tab, TestProvider, days};
use serde_json::json;

/// The items of the list of sessions.
fn sessions(tab: &Tab<'_, '_>) -> Vec<String> {
    let html = tab.answer().text();
    let list = html.split("aria-labelledby=\"sessions\"").nth(1).unwrap_or_default();
    let list = list.split("</ul>").next().unwrap_or_default();
    list.split("<li>").skip(1).map(str::to_owned).collect()
}

/// A session has its time by the clock, for machines and for people without scripts, and the applications that it is used
/// for, with their marks and in the language of the page.
#[test]
fn a_session_shows_its_time_and_its_applications() {
    let mut kit = TestProvider::builder().pages(Templates::built_in());
    for (id, name, german) in
        [("a", "<Albums>", "<Alben>"), ("b", "Books", "B\u{fc}cher"), ("c", "", ""), ("d", "Diary", "")]
    {
        let mut client = json!({"client_id": id, "redirect_uris": ["https://app.example/cb"]});
        [("client_name", name), ("client_name#de", german)]
            .into_iter()
            .filter(|(_, name)| !name.is_empty())
            .for_each(|(member, name)| client[member] = name.into());
        kit = kit.client(&client.to_string());
    }
    let kit = kit.build();
    let (desk, ua) = (kit.user_agent(), kit.user_agent());
    let _ = desk.get("/account").expect_page("login").login("alice").expect_page("account");
    ["a", "b"].iter().for_each(|client| desk.has_visited(client));
    kit.clock.advance(days(3));
    let tab = ua.get("/account").expect_page("login").login("alice").expect_page("account");
    let [this, other] = &*sessions(&tab) else { panic!("two sessions: {}", tab.answer().text()) };
    assert!(!this.contains("Used for"), "nothing yet: {this}");
    for shown in [
        "Signed in 3 days ago <span class=\"clock\">(<time datetime=\"2027-01-15T08:00:00.000Z\">2027-01-15 08:00 UTC</time>)",
        "Used for <span class=\"app\"><span class=\"mark hue-",
        "<bdi>Books</bdi>,</span></span> <span",
        "<bdi>&lt;Albums&gt;</bdi></span></span></small>",
    ] {
        assert!(other.contains(shown), "{shown}: {other}");
    }
    assert!(tab.answer().text().contains(" defer></script>"), "which writes the time of the browser");

    ["c", "d"].iter().for_each(|client| desk.has_visited(client));
    let tab = ua.get("/account?chancery_language=de").expect_page("account");
    let [_, other] = &*sessions(&tab) else { panic!("two sessions: {}", tab.answer().text()) };
    for shown in [
        "Genutzt f\u{fc}r ",
        "<bdi>Diary</bdi>,</span>",
        "<bdi>c</bdi>,</span>",
        "<bdi>B\u{fc}cher</bdi></span></span> und 1 weitere</small>",
    ] {
        assert!(other.contains(shown), "{shown}: {other}");
    }
}
