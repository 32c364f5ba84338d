//! OpenID Connect RP-Initiated Logout 1.0 section 2, where several people are signed in in one browser: every page that says
//! that somebody is signed out says who, and who is not.

use chancery_testkit::{Tab, TestProvider, UserAgent};
use chancery_types::params;

const SECRET: &str = "a-secret-of-forty-three-characters-for-test";

/// A client with these members, too.
fn client(id: &str, more: &str) -> String {
    format!(
        r#"{{"client_id":"{id}","client_secret":"{SECRET}","redirect_uris":["https://{id}.example/cb"],
            "id_token_signed_response_alg":"ES256","backchannel_logout_uri":"https://{id}.example/logout",
            "post_logout_redirect_uris":["https://{id}.example/bye"],"chancery":{{"consent":"implied"}}{more}}}"#
    )
}

fn provider() -> TestProvider {
    let frames = r#","frontchannel_logout_uri":"https://framed.example/out""#;
    TestProvider::builder().client(&client("rp", "")).client(&client("framed", frames)).build()
}

/// Signs in to the client, beside whoever is signed in already; returns the ID token.
fn sign_in(ua: &UserAgent<'_>, account: &str, client: &str) -> String {
    let kit = ua.provider();
    let request = kit.authorization_request(client).scope("openid").set("prompt", "select_account");
    let tab = request.open(ua);
    let tab = if tab.page().name == "accounts" { tab.choose_another() } else { tab };
    kit.exchange(&tab.login(account).expect_code()).expect_status(200).member("id_token").to_owned()
}

/// The address of a logout request.
fn logout(parameters: &[(&str, &str)]) -> String {
    format!("/logout?{}", params::encode(parameters.iter().copied()))
}

/// These people are said to be signed out, and these to be signed in still, for whom there is a button.
#[track_caller]
fn expect(tab: &Tab<'_, '_>, signed_out: &[&str], left: &[&str]) {
    let text = tab.page().text;
    let list = |people: &[&str]| people.join(", ");
    assert!(text.contains(&format!("Signed out: {}.", list(signed_out))), "{text}");
    match left {
        [] => assert!(text.contains("Nobody else is signed in in this browser."), "{text}"),
        left => {
            assert!(text.contains(&format!("Still signed in in this browser: {}.", list(left))), "{text}")
        }
    }
    let html = tab.answer().text();
    assert_eq!(html.contains("value=\"logout_all\""), !left.is_empty(), "{html}");
}

/// By the client's hint, with and without its frames, and by the form of our own page.
#[test]
fn a_page_says_who_is_signed_out_and_who_is_not() {
    for client in ["rp", "framed"] {
        for by_hint in [true, false] {
            let kit = provider();
            let ua = kit.user_agent();
            sign_in(&ua, "bob", client);
            let hint = sign_in(&ua, "alice", client);
            let name = if client == "framed" { "logout-frames" } else { "logout-done" };
            let done = match by_hint {
                true => ua.follow_from_another_site(&logout(&[("id_token_hint", &hint)])),
                false => ua.get(&logout(&[("client_id", client)])).submit(&[], ("action", "logout")),
            };
            let done = done.expect_page(name);
            expect(&done, &["alice"], &["bob"]);
            let all = done.submit(&[], ("action", "logout_all")).expect_page(name);
            expect(&all, &["alice", "bob"], &[]);
            assert_eq!(all.event_names(), ["session_ended"]);
            assert_eq!(ua.session_cookie(), None);
            // A double click finds nobody, and says the same.
            expect(&done.submit(&[], ("action", "logout_all")), &["alice", "bob"], &[]);
        }
    }
}

/// Nobody was beside the person: the page says that, too.
#[test]
fn whoever_was_alone_reads_that_nobody_is_left() {
    let kit = provider();
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    expect(&ua.follow_from_another_site(&logout(&[("id_token_hint", &hint)])), &["alice"], &[]);
    sign_in(&ua, "alice", "rp");
    let asked = ua.get("/logout");
    expect(&asked.submit(&[], ("action", "logout")), &["alice"], &[]);
    // Who has signed in since is not signed out by the same form.
    sign_in(&ua, "bob", "rp");
    expect(&asked.submit(&[], ("action", "logout")), &["alice"], &["bob"]);
    sign_in(&ua, "alice", "rp");
    let text = asked.submit(&[], ("action", "logout")).page().text;
    assert!(text.contains("You are signed out here.") && text.contains("alice, bob."), "{text}");
}

/// The same page in another language, and its form in another browser.
#[test]
fn the_page_can_be_had_again_by_its_browser_only() {
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "bob", "rp");
    let hint = sign_in(&ua, "alice", "rp");
    let done = ua.follow_from_another_site(&logout(&[("id_token_hint", &hint)]));
    expect(&done.post(&done.form().action, &done.form().fields), &["alice"], &["bob"]);
    let request = done.to_http(&[], ("action", "logout_all"));
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let fields = params::Params::parse(&body).unwrap();
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let stranger = kit.user_agent();
    sign_in(&stranger, "bob", "rp");
    let asked = stranger.get("/logout").post("/logout/confirm", &fields).expect_page("logout-confirm");
    assert!(asked.page().text.contains("bob") && !asked.page().text.contains("alice"));
}

/// Whoever goes back to the application does so without a page, and the others stay signed in.
#[test]
fn back_at_the_application_nobody_reads_anything() {
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "bob", "rp");
    let hint = sign_in(&ua, "alice", "rp");
    let target = ("post_logout_redirect_uri", "https://rp.example/bye");
    let arrival = ua.follow_from_another_site(&logout(&[("id_token_hint", &hint), target])).expect_arrival();
    assert_eq!(arrival.uri, target.1);
    let asked = ua.get("/logout").expect_page("logout-confirm");
    assert!(asked.page().text.contains("bob") && !asked.page().text.contains("alice"));
}

/// Who leaves the account chooser of `/account` is not told that nobody is signed in.
#[test]
fn whoever_chooses_nobody_reads_who_is_signed_in() {
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "bob", "rp");
    sign_in(&ua, "alice", "rp");
    let _ = ua.get("/logout").submit(&[], ("action", "logout"));
    let left = ua.get("/account").expect_page("accounts").cancel().expect_page("logout-done");
    let text = left.page().text;
    assert!(text.contains("Still signed in in this browser: bob.") && !text.contains("Nobody"), "{text}");
}
