//! OpenID Connect Front-Channel Logout 1.0: the page that loads the clients' logout URIs, and goes on.

#![expect(clippy::expect_used, reason = "tests")]

use chancery_core::offered::Endpoint;
use chancery_testkit::{Tab, TestProvider, UserAgent};

const SECRET: &str = "a-secret-of-forty-three-characters-for-test";

/// A client with this logout URI, in a browser.
fn client(id: &str, logout: &str) -> String {
    format!(
        r#"{{"client_id":"{id}","client_secret":"{SECRET}","redirect_uris":["https://{id}.example/cb"],
            "id_token_signed_response_alg":"ES256","frontchannel_logout_uri":"https://{id}.example{logout}",
            "post_logout_redirect_uris":["https://{id}.example/bye?x=1"],"chancery":{{"consent":"implied"}}}}"#
    )
}

fn provider() -> TestProvider {
    TestProvider::builder().client(&client("one", "/out")).client(&client("two", "/out?a=%22b")).build()
}

/// alice signs in to the client in this browser; returns the ID token and its `sid`.
fn sign_in(ua: &UserAgent<'_>, client: &str) -> (String, String) {
    let kit = ua.provider();
    let tab = kit.authorization_request(client).scope("openid").open(ua);
    let tab = if tab.is_answered_with("code") { tab } else { tab.login("alice") };
    let answer = kit.exchange(&tab.expect_code()).expect_status(200);
    let id_token = kit.id_token(&answer, client);
    let sid = id_token.claims.get("sid").and_then(|sid| sid.as_str()).expect("a sid").to_owned();
    (answer.member("id_token").to_owned(), sid)
}

/// The addresses of the frames, as a browser reads them.
fn frames(tab: &Tab<'_, '_>) -> Vec<String> {
    let html = tab.answer().text();
    let sources = html.split("<iframe ").skip(1).filter_map(|rest| rest.split("src=\"").nth(1));
    sources.filter_map(|rest| rest.split('"').next()).map(|text| text.replace("&amp;", "&")).collect()
}

/// oidcc-frontchannel-logout-discovery-endpoint-verification
#[test]
fn it_is_announced() {
    let metadata = TestProvider::new().get("/.well-known/openid-configuration");
    assert_eq!(metadata["frontchannel_logout_supported"], true);
    assert_eq!(metadata["frontchannel_logout_session_supported"], true);
    let kit =
        TestProvider::builder().configure(|config| config.endpoints.switch(Endpoint::EndSession, false));
    let metadata = kit.build().get("/.well-known/openid-configuration").json().clone();
    assert_eq!(metadata["frontchannel_logout_supported"], false, "there is no page that could load frames");
}

/// A client that somebody registered is loaded without being asked for: its page can be no more than itself.
#[test]
fn no_frame_takes_the_person_elsewhere() {
    let kit = provider();
    let ua = kit.user_agent();
    let (hint, _) = sign_in(&ua, "one");
    let _ = sign_in(&ua, "two");
    let page = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}"));
    let html = page.answer().text();
    let tags: Vec<&str> = html.split("<iframe ").skip(1).filter_map(|rest| rest.split('>').next()).collect();
    assert_eq!(tags.len(), 2);
    for tag in tags {
        assert!(tag.contains(r#"sandbox="allow-scripts allow-same-origin allow-forms""#), "{tag}");
    }
}

/// A host may have characters that end a directive or a policy: what cannot be named is not admitted, and takes
/// nothing from the others.
#[test]
fn no_client_writes_into_the_policy() {
    for host in ["evil;sandbox", "evil,sandbox", "evil;script-src", "evil'none'"] {
        let kit = provider();
        kit.put_client(&client("evil", "/out").replace("evil.example", host));
        let ua = kit.user_agent();
        let (hint, _) = sign_in(&ua, "one");
        let _ = sign_in(&ua, "evil");
        let tab = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}"));
        let policy = tab
            .expect_page("logout-frames")
            .answer()
            .header("content-security-policy")
            .expect("a policy")
            .to_owned();
        assert!(policy.contains("frame-src https://one.example;") && !policy.contains(host), "{policy}");
    }
}

/// oidcc-frontchannel-rp-initiated-logout
///
/// Every client of the session is loaded with `iss` and `sid` and nothing else; then the page goes on by itself, with
/// a script or without.
#[test]
fn the_page_loads_and_goes_on() {
    let kit = provider();
    let ua = kit.user_agent();
    let (hint, one) = sign_in(&ua, "one");
    let (_, two) = sign_in(&ua, "two");
    let next = "&post_logout_redirect_uri=https%3A%2F%2Fone.example%2Fbye%3Fx%3D1&state=a%22b";
    let tab = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}{next}"));
    let tab = tab.expect_page("logout-frames");
    let issuer = "iss=https%3A%2F%2Fid.example";
    assert_eq!(
        frames(&tab),
        [
            format!("https://one.example/out?{issuer}&sid={one}"),
            format!("https://two.example/out?a=%22b&{issuer}&sid={two}")
        ]
    );
    assert_eq!(tab.page().links, ["https://one.example/bye?x=1&state=a%22b"]);
    let html = tab.answer().text();
    assert!(html.contains("content=\"0;url=https://one.example/bye?x=1&amp;state=a%22b\""), "{html}");
    assert!(html.contains("window.onload=go") && html.contains("id=\"continue\""), "{html}");
    assert_eq!(tab.event_names(), ["session_ended"]);
    assert_eq!(ua.session_cookie(), None);
    let silent = kit.authorization_request("one").scope("openid").set("prompt", "none").open(&ua);
    let _ = silent.expect_error("login_required");
}

/// The policy admits the frames' origins and the page's own script, and nothing else.
#[test]
fn the_policy_admits_these_frames() {
    let kit = provider();
    let ua = kit.user_agent();
    let (hint, _) = sign_in(&ua, "one");
    sign_in(&ua, "two");
    let next = "&post_logout_redirect_uri=https%3A%2F%2Fone.example%2Fbye%3Fx%3D1";
    let tab = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}{next}"));
    let policy = tab.answer().header("content-security-policy").expect("a policy").to_owned();
    for directive in [
        "default-src 'none'",
        "frame-src https://one.example https://two.example",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "script-src 'nonce-",
    ] {
        assert!(policy.contains(directive), "{directive}: {policy}");
    }
    // Without an address nothing goes on, and nothing runs.
    let (hint, _) = sign_in(&ua, "one");
    let tab =
        ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}")).expect_page("logout-frames");
    let policy = tab.answer().header("content-security-policy").expect("a policy").to_owned();
    assert!(policy.contains("frame-src https://one.example;") && !policy.contains("script-src"), "{policy}");
    assert!(tab.page().text.contains("You are signed out") && !tab.answer().text().contains("<script"));
}

/// A session of 200 clients with long names: all are loaded, and the policy, which could not name them without a header
/// that proxies refuse, says only by which scheme.
#[test]
fn many_frames_do_not_make_a_long_header() {
    let host = |n: usize| format!("c{n:03}.{}.{}", "a".repeat(60), "b".repeat(60));
    let client = |n: usize| client(&host(n), "/out").replacen(&host(n), &format!("c{n:03}"), 1);
    for (clients, expected) in [(20, "frame-src https://c000.aaa"), (199, "frame-src https:;")] {
        let builder =
            (0..clients).fold(TestProvider::builder().client(&client(199)), |kit, n| kit.client(&client(n)));
        let kit = builder.build();
        let ua = kit.user_agent();
        let (hint, _) = sign_in(&ua, "c199");
        (0..clients).for_each(|n| ua.has_visited(&format!("c{n:03}")));
        let tab = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}"));
        let tab = tab.expect_page("logout-frames");
        assert_eq!(frames(&tab).len(), clients + 1);
        let policy = tab.answer().header("content-security-policy").expect("a policy");
        assert!(policy.contains(expected) && policy.len() < 4600, "{}: {policy}", policy.len());
    }
}

/// The longest URI that can be registered is loaded, with `iss` of a long issuer and `sid`.
#[test]
fn the_longest_uri_is_loaded() {
    let issuer = format!("https://id.example/{}", "p".repeat(200));
    let path = |length: usize| format!("/{}", "x".repeat(length - "https://one.example/".len()));
    let kit = TestProvider::builder().issuer(&issuer).client(&client("one", &path(1536))).build();
    let ua = kit.user_agent();
    let (hint, _) = sign_in(&ua, "one");
    let tab = ua.follow_from_another_site(&format!("{}?id_token_hint={hint}", kit.path("/logout")));
    assert_eq!(frames(&tab.expect_page("logout-frames")).len(), 1);
    let too_long = kit.registry.put(&client("one", &path(1537))).expect_err("it is refused");
    assert!(too_long.iter().any(|complaint| complaint.setting == "frontchannel_logout_uri"), "{too_long:?}");
}

/// Who has agreed on the page sees the same frames; all sessions that end are told.
#[test]
fn a_confirmed_logout_loads_frames_too() {
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "one");
    let asked = ua.follow_from_another_site("/logout").expect_page("logout-confirm");
    assert!(frames(&asked).is_empty());
    let done = asked.submit(&[], ("action", "logout")).expect_page("logout-frames");
    assert_eq!(frames(&done).len(), 1);
}

/// Bad input: what a client or a request says cannot leave its attribute, and a client that has gone is not loaded.
#[test]
fn what_must_not_be() {
    let kit = provider();
    let ua = kit.user_agent();
    let (hint, _) = sign_in(&ua, "one");
    sign_in(&ua, "two");
    kit.remove_client("two");
    let state = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let next = format!("&post_logout_redirect_uri=https%3A%2F%2Fone.example%2Fbye%3Fx%3D1&state={state}");
    let tab = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}{next}"));
    assert_eq!(frames(&tab).len(), 1);
    assert!(!tab.answer().text().contains("<script>alert"), "{}", tab.answer().text());
    // Nobody is signed in any more: nothing is loaded.
    let again = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}"));
    assert!(frames(&again.expect_page("logout-done")).is_empty());
}
