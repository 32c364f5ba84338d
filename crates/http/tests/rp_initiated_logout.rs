//! OpenID Connect RP-Initiated Logout 1.0: who is asked, who is signed out, and where the person goes.

use chancery_core::endpoint::end_session::{
    LOGOUT_CLIENT_MISSING, LOGOUT_CLIENT_UNKNOWN, LOGOUT_HINT_INVALID, LOGOUT_STATE_TOO_LONG,
    POST_LOGOUT_URI_UNREGISTERED,
};
use chancery_core::error::Reason;
use chancery_core::interaction::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST, FORM_TOO_OLD, FORM_WITHOUT_COOKIE,
};
use chancery_http::{Html, Locale, Page, Pages, PlainPages};
use chancery_jose::{SigningAlgorithm, base64url};
use chancery_testkit::{NegativeTable, Refused, Tab, TestProvider, UserAgent, hours, millis};
use chancery_types::params;
use http::Request;

/// Pages in English and German, as far as the marker of the language goes.
struct Languages;

impl Pages for Languages {
    fn locales(&self) -> Vec<&str> {
        vec!["en", "de"]
    }

    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let plain = PlainPages.page(page, locale);
        Html::new(plain.as_str().replace("lang=\"en\"", &format!("lang=\"{}\"", locale.as_str())))
    }
}

/// A client that may bring people back after a logout. As it has a logout URI, its ID tokens have `sid`.
const RP: &str = r#"{"client_id":"rp","client_name":"The Shop","client_secret":"a-secret-of-forty-three-characters-for-test",
    "redirect_uris":["https://rp.example/cb"],"id_token_signed_response_alg":"ES256",
    "client_uri":"https://rp.example/","backchannel_logout_uri":"https://rp.example/logout",
    "post_logout_redirect_uris":["https://rp.example/bye","https://rp.example/out?x=1"],
    "chancery":{"consent":"implied"}}"#;

/// The same without `sid`.
const PLAIN: &str = r#"{"client_id":"plain","client_secret":"a-secret-of-forty-three-characters-for-test",
    "redirect_uris":["https://plain.example/cb"],"id_token_signed_response_alg":"ES256",
    "post_logout_redirect_uris":["https://plain.example/bye"],"chancery":{"consent":"implied"}}"#;

fn provider() -> TestProvider {
    TestProvider::builder().client(PLAIN).client(RP).build()
}

/// The account signs in to the client in this browser; returns the ID token.
fn sign_in(ua: &UserAgent<'_>, account: &str, client: &str) -> String {
    let kit = ua.provider();
    let request = kit.authorization_request(client).scope("openid").set("prompt", "login");
    let code = request.open(ua).login(account).expect_code();
    kit.exchange(&code).expect_status(200).member("id_token").to_owned()
}

/// The address of a logout request.
fn logout(parameters: &[(&str, &str)]) -> String {
    format!("/logout?{}", params::encode(parameters.iter().copied()))
}

/// Whether this account's session is alive, as far as `prompt=none` tells.
fn is_signed_in(ua: &UserAgent<'_>) -> bool {
    let request = ua.provider().authorization_request("rp").scope("openid").set("prompt", "none");
    ua.open(&request).is_answered_with("code")
}

/// oidcc-rp-initiated-logout, OUT-01: a hint of the session signs out at once, the `state` comes back as it was and
/// with nothing else, and the person is signed out.
#[test]
fn a_hint_that_agrees_signs_out_at_once() {
    for client in ["rp", "plain"] {
        let kit = provider();
        let ua = kit.user_agent();
        let (hint, state) = (sign_in(&ua, "alice", client), "s".repeat(128));
        let uri = format!("https://{client}.example/bye");
        let tab = ua.follow_from_another_site(&logout(&[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", &uri),
            ("state", &state),
        ]));
        let arrival = tab.expect_arrival();
        assert_eq!((arrival.uri.as_str(), arrival.mode), (uri.as_str(), "query"));
        assert_eq!(arrival.parameters, [("state".to_owned(), state)]);
        assert_eq!(tab.event_names(), ["session_ended"]);
        assert!(!is_signed_in(&ua));
        assert_eq!(ua.session_cookie(), None);
    }
}

/// Logout: two calls of the store.
#[test]
fn a_logout_takes_two_trips() {
    let kit = provider();
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    let (tab, trips) = kit.trips(|| ua.follow_from_another_site(&logout(&[("id_token_hint", &hint)])));
    let _ = tab.expect_page("logout-done");
    assert_eq!(trips, 2);
}

/// oidcc-rp-initiated-logout-no-state, OUT-10: without `state` there is none; the query of the registered URI stays.
#[test]
fn the_registered_address_stays_as_it_is() {
    let kit = provider();
    for (asked, state, reached, query) in [
        ("https://rp.example/bye", None, "https://rp.example/bye", ""),
        ("https://rp.example/out?x=1", None, "https://rp.example/out", "x=1"),
        ("https://rp.example/out?x=1", Some("a b"), "https://rp.example/out", "x=1&state=a+b"),
    ] {
        let ua = kit.user_agent();
        let hint = sign_in(&ua, "alice", "rp");
        let mut parameters = vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", asked)];
        parameters.extend(state.map(|state| ("state", state)));
        let arrival = ua.follow_from_another_site(&logout(&parameters)).expect_arrival();
        let pairs = arrival.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!((arrival.uri.as_str(), params::encode(pairs).as_str()), (reached, query));
    }
}

/// oidcc-rp-initiated-logout-no-params, oidcc-rp-initiated-logout-only-state
///
/// OUT-05, OUT-07, OUT-11: whoever is not proved to be meant is asked, and signed out when they say so.
#[test]
fn without_a_hint_the_person_is_asked() {
    for parameters in [&[][..], &[("state", "s")], &[("client_id", "rp")], &[("logout_hint", "alice")]] {
        let kit = provider();
        let ua = kit.user_agent();
        sign_in(&ua, "alice", "rp");
        let asked = ua.follow_from_another_site(&logout(parameters)).expect_page("logout-confirm");
        assert!(asked.page().text.contains("alice"), "{}", asked.page().text);
        assert!(is_signed_in(&ua), "a link signs nobody out");
        let labels: Vec<String> = asked.form().buttons.into_iter().map(|button| button.value).collect();
        assert_eq!(labels, ["logout", "stay"]);
        let done = asked.submit(&[], ("action", "logout")).expect_page("logout-done");
        assert_eq!(done.event_names(), ["session_ended"]);
        assert!(!is_signed_in(&ua));
    }
}

/// oidcc-rp-initiated-logout-no-post-logout-redirect-uri: a page of ours, with a way to the client.
#[test]
fn without_an_address_the_person_stays_here() {
    let kit = provider();
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    let done = ua.follow_from_another_site(&logout(&[("id_token_hint", &hint), ("state", "s")]));
    assert_eq!(done.expect_page("logout-done").page().links, ["https://rp.example/"]);
    assert!(!is_signed_in(&ua));
}

/// oidcc-rp-initiated-logout-no-id-token-hint, OUT-04: without a client nobody vouches for the address, and the
/// page says that something is wrong. With a client it is the registered one, and the person has said yes.
#[test]
fn an_address_needs_a_client() {
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "alice", "rp");
    let target = ("post_logout_redirect_uri", "https://rp.example/bye");
    lead_to_a_page(
        &ua,
        vec![(vec![target], &LOGOUT_CLIENT_MISSING), (vec![target, ("state", "s")], &LOGOUT_CLIENT_MISSING)],
    );
    let asked = ua.follow_from_another_site(&logout(&[target])).expect_page("logout-confirm");
    let _ = asked.submit(&[], ("action", "logout")).expect_page("logout-done");

    sign_in(&ua, "alice", "rp");
    let asked = ua.follow_from_another_site(&logout(&[target, ("client_id", "rp"), ("state", "s")]));
    let asked = asked.expect_page("logout-confirm");
    assert!(asked.page().text.contains("The Shop"), "{}", asked.page().text);
    let arrival = asked.submit(&[], ("action", "logout")).expect_arrival();
    assert_eq!((arrival.uri.as_str(), arrival.value("state")), (target.1, Some("s")));
    assert!(!is_signed_in(&ua));
}

/// OUT-09: who stays signed in goes where the client wanted, too.
#[test]
fn a_person_may_stay_signed_in() {
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "alice", "rp");
    let asked = ua.follow_from_another_site(&logout(&[("client_id", "rp")]));
    let stayed = asked.submit(&[], ("action", "stay")).expect_page("logout-done");
    assert!(stayed.page().text.contains("still signed in") && stayed.events().is_empty());
    let target = ("post_logout_redirect_uri", "https://rp.example/bye");
    let asked = ua.follow_from_another_site(&logout(&[("client_id", "rp"), target]));
    assert_eq!(asked.submit(&[], ("action", "stay")).expect_arrival().uri, target.1);
    assert!(is_signed_in(&ua));
}

/// OUT-02, OUT-03: an expired hint counts, also after a change of keys; that of a session that is not the
/// browser's does not, and the person is asked.
#[test]
fn an_old_hint_counts_for_its_session() {
    let kit = provider();
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    kit.clock.advance(hours(50));
    let _ = ua.follow_from_another_site(&logout(&[("id_token_hint", &hint)])).expect_page("logout-done");
    assert!(!is_signed_in(&ua));

    sign_in(&ua, "alice", "rp");
    let another = ua.follow_from_another_site(&logout(&[("id_token_hint", &hint)]));
    let _ = another.expect_page("logout-confirm");
    let bob = kit.user_agent();
    sign_in(&bob, "bob", "plain");
    let of_alice = sign_in(&kit.user_agent(), "alice", "plain");
    let _ =
        bob.follow_from_another_site(&logout(&[("id_token_hint", &of_alice)])).expect_page("logout-confirm");
    assert!(is_signed_in(&ua) && is_signed_in(&bob));
}

/// Nobody is signed in: that is no error, and the person goes where the client wants.
#[test]
fn nobody_to_sign_out_is_no_error() {
    let kit = provider();
    let hint = sign_in(&kit.user_agent(), "alice", "rp");
    let ua = kit.user_agent();
    let target = ("post_logout_redirect_uri", "https://rp.example/bye");
    for known in [("id_token_hint", hint.as_str()), ("client_id", "rp")] {
        let arrival = ua.follow_from_another_site(&logout(&[known, target])).expect_arrival();
        assert_eq!(arrival.uri, target.1);
    }
    let (tab, trips) = kit.trips(|| ua.follow_from_another_site("/logout"));
    assert_eq!(trips, 0);
    let said = |tab: Tab<'_, '_>| tab.expect_page("logout-done").page().text;
    assert!(said(tab).contains("You are not signed in"));
    // Whoever has signed out of an application is signed out here, too.
    assert!(said(ua.follow_from_another_site(&logout(&[("client_id", "rp")]))).contains("Signed out"));
}

/// Of several people in one browser, the one whom the hint means is signed out; else the active one is asked,
/// or whom `logout_hint` means. All of them when the person says so.
#[test]
fn of_several_people_one_is_meant() {
    let kit = provider();
    let ua = kit.user_agent();
    let of_alice = sign_in(&ua, "alice", "rp");
    let of_bob = sign_in_as_another(&ua, "bob");
    let _ = ua.follow_from_another_site(&logout(&[("id_token_hint", &of_alice)])).expect_page("logout-done");
    assert!(is_signed_in(&ua), "bob is still here");

    sign_in_as_another(&ua, "alice");
    let text = |parameters: &[(&str, &str)]| {
        let asked = ua.follow_from_another_site(&logout(parameters)).expect_page("logout-confirm");
        asked.page().text.split("Sign out of all").next().unwrap().to_owned()
    };
    let signed_in_as = |text: &str, who: &str| text.contains(&format!("here as  {who}"));
    assert!(signed_in_as(&text(&[]), "alice"), "{}", text(&[]));
    assert!(signed_in_as(&text(&[("logout_hint", "bob")]), "bob"));
    // The active session ends: bob is there, and is not taken for alice unasked.
    let asked = ua.follow_from_another_site("/logout");
    let _ = asked.submit(&[], ("action", "logout")).expect_page("logout-done");
    assert!(!is_signed_in(&ua));
    let _ = kit.authorization_request("rp").scope("openid").open(&ua).expect_page("accounts");

    sign_in_as_another(&ua, "alice");
    let asked = ua.follow_from_another_site("/logout");
    let done = asked.submit(&[], ("action", "logout_all")).expect_page("logout-done");
    assert_eq!(done.event_names(), ["session_ended", "session_ended"]);
    assert_eq!(ua.session_cookie(), None);
    let _ = ua.follow_from_another_site(&logout(&[("id_token_hint", &of_bob)])).expect_page("logout-done");
}

/// Signs in beside whoever is signed in.
fn sign_in_as_another(ua: &UserAgent<'_>, account: &str) -> String {
    let kit = ua.provider();
    let request = kit.authorization_request("rp").scope("openid").set("prompt", "select_account");
    let login = request.open(ua).expect_page("accounts").choose_another().expect_page("login");
    let code = login.login(account).expect_code();
    kit.exchange(&code).expect_status(200).member("id_token").to_owned()
}

/// OUT-01: a client may post the request; from its own site it comes without cookies, and is brought home.
#[test]
fn a_client_may_post_the_request() {
    let kit = provider();
    let ua = kit.user_agent();
    let (target, long, unknown) =
        (("post_logout_redirect_uri", "https://rp.example/bye"), "x".repeat(4096), "u".repeat(5000));
    for state in ["s", long.as_str()] {
        let hint = sign_in(&ua, "alice", "rp");
        let fields = [target, ("client_id", "rp"), ("state", state), ("unknown", unknown.as_str())];
        let asked = ua.post_from_another_site("/logout", &fields).expect_page("logout-confirm");
        assert!(asked.events().is_empty() && is_signed_in(&ua));
        let fields = [("id_token_hint", hint.as_str()), target, ("state", state), ("unknown", &unknown)];
        let arrival = ua.post_from_another_site("/logout", &fields).expect_arrival();
        assert_eq!((arrival.uri.as_str(), arrival.value("state")), (target.1, Some(state)));
        assert!(!is_signed_in(&ua));
    }
}

/// OUT-06, OUT-07: the form of the page is of one browser, one request and one session, for an hour.
#[test]
fn the_form_is_of_its_page() {
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "alice", "rp");
    let asked = ua.follow_from_another_site(&logout(&[("client_id", "rp")])).expect_page("logout-confirm");
    let other = ua.follow_from_another_site(&logout(&[("state", "x")])).expect_page("logout-confirm");
    let field = |tab: &Tab<'_, '_>, name: &str| {
        tab.form().fields.iter().find(|(have, _)| have == name).unwrap().1.clone()
    };
    let press = ("action", "logout");
    let swapped =
        asked.submit(&[("token".into(), field(&other, "token"))], press).expect_page("logout-confirm");
    swapped.expect_refused_form(&FORM_OF_ANOTHER_REQUEST);
    let forged = asked.submit(&[("token".into(), "AAAA".into())], press).expect_page("logout-confirm");
    forged.expect_refused_form(&FORM_FOREIGN);
    assert!(forged.page().text.contains("Choose once more"));
    // The token of a login page is none of a logout page.
    let login = kit.authorization_request("rp").scope("openid").set("prompt", "login").open(&ua);
    asked.submit(&[("token".into(), field(&login, "token"))], press).expect_refused_form(&FORM_FOREIGN);

    let copied = ua.with_the_same_cookies();
    copied.lose_browser_cookie();
    let request = asked.to_http(&[], press);
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let pairs = params::Params::parse(&body).unwrap().filtered(|name| name != "action");
    let pairs: Vec<(String, String)> = pairs.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let elsewhere = copied.get("/logout").expect_page("logout-confirm");
    elsewhere.submit(&pairs, press).expect_refused_form(&FORM_OF_ANOTHER_BROWSER);
    copied.lose_browser_cookie();
    elsewhere.submit(&pairs, press).expect_refused_form(&FORM_WITHOUT_COOKIE);
    assert!(is_signed_in(&ua));

    kit.clock.advance(hours(1) + millis(1));
    asked.submit(&[], press).expect_refused_form(&FORM_TOO_OLD);
    assert!(is_signed_in(&ua));
    // A double click finds the session ended, which is what it wanted.
    let asked = ua.get("/logout").expect_page("logout-confirm");
    let _ = (
        asked.submit(&[], press).expect_page("logout-done"),
        asked.submit(&[], press).expect_page("logout-done"),
    );
}

/// `ui_locales` reaches the pages before and after the form.
#[test]
fn the_pages_speak_the_language_of_the_request() {
    let kit = TestProvider::builder().client(RP).pages(Languages).build();
    let ua = kit.user_agent();
    sign_in(&ua, "alice", "rp");
    let asked = ua.follow_from_another_site(&logout(&[("ui_locales", "de"), ("client_id", "rp")]));
    assert_eq!(asked.page().lang, "de");
    assert_eq!(asked.submit(&[], ("action", "stay")).page().lang, "de");
}

/// oidcc-rp-initiated-logout-discovery-endpoint-verification: announced and served, unless it is off; then the form
/// of its page is still taken.
#[test]
fn the_endpoint_can_be_off() {
    let kit = provider();
    let metadata = kit.get("/.well-known/openid-configuration");
    assert_eq!(metadata["end_session_endpoint"], "https://id.example/logout");
    let endpoint = chancery_core::offered::Endpoint::EndSession;
    let kit = TestProvider::builder().configure(|config| config.endpoints.switch(endpoint, false)).build();
    assert!(kit.get("/.well-known/openid-configuration")["end_session_endpoint"].is_null());
    assert_eq!(kit.get("/logout").status, 404);
    // HTTP-11
    let form = kit.anonymous_request("/logout/confirm").send();
    assert_eq!((form.status.as_u16(), form.event_names()), (200, vec!["refused"]));
}

/// A request that is wrong, and why.
type Wrong<'p> = (Vec<(&'p str, &'p str)>, &'static Reason);

const BYE: &str = "https://rp.example/bye";

/// Each of them leads to a page and nowhere else, and nobody is signed out unasked.
#[track_caller]
fn lead_to_a_page(ua: &UserAgent<'_>, rows: Vec<Wrong<'_>>) {
    for (mut parameters, why) in rows {
        if !parameters.iter().any(|(name, _)| *name == "post_logout_redirect_uri") {
            parameters.push(("post_logout_redirect_uri", BYE));
        }
        let address = logout(&parameters);
        let asked = ua.follow_from_another_site(&address).expect_page("logout-confirm");
        asked.expect_refused_form(why);
        assert!(asked.page().text.contains("cannot be answered"), "{address}");
        // What is wrong is still wrong after the page.
        let stayed = asked.submit(&[], ("action", "stay")).expect_page("logout-done");
        assert!(stayed.page().text.contains("still signed in"));
        let nobody = ua.provider().user_agent();
        let tab = nobody.follow_from_another_site(&address).expect_page("error");
        tab.expect_refused_form(why);
        assert_eq!(tab.answer().status, 400, "{address}");
    }
    assert!(is_signed_in(ua));
}

/// None of these addresses is one that the client of a good hint has registered.
#[track_caller]
fn addresses_lead_to_a_page(addresses: &[&'static str]) {
    let kit = provider();
    let ua = kit.user_agent();
    let good = sign_in(&ua, "alice", "rp");
    let row = |uri: &&'static str| {
        (vec![("id_token_hint", &*good), ("post_logout_redirect_uri", *uri)], &POST_LOGOUT_URI_UNREGISTERED)
    };
    lead_to_a_page(&ua, addresses.iter().map(row).collect());
}

/// oidcc-rp-initiated-logout-bad-id-token-hint, oidcc-rp-initiated-logout-modified-id-token-hint
///
/// OUT-02: a hint that is foreign, forged, unsigned or no ID token.
#[test]
fn a_wrong_hint_leads_to_a_page() {
    let kit = provider();
    let ua = kit.user_agent();
    let good = sign_in(&ua, "alice", "rp");
    let access_token = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    let of_post = kit.tokens("alice", "post", "openid").member("id_token").to_owned();
    let of_another = {
        let keys = [SigningAlgorithm::Rs256, SigningAlgorithm::Es256];
        let other = TestProvider::builder().own_keys(&keys).client(RP).build();
        sign_in(&other.user_agent(), "alice", "rp")
    };
    let payload = good.split('.').nth(1).unwrap();
    let unsigned = format!("{}.{payload}.", base64url::encode(r#"{"alg":"none"}"#));
    let mut forged = good.clone();
    forged.pop();
    forged.push(if good.ends_with('A') { 'B' } else { 'A' });
    let (hint, unknown, long) = (&LOGOUT_HINT_INVALID, &LOGOUT_CLIENT_UNKNOWN, "x".repeat(4097));
    let rows = vec![
        (vec![("id_token_hint", "nonsense")], hint),
        (vec![("id_token_hint", &*unsigned)], hint),
        (vec![("id_token_hint", &unsigned), ("client_id", "rp")], hint),
        (vec![("id_token_hint", &forged)], hint),
        (vec![("id_token_hint", &of_another)], hint),
        (vec![("id_token_hint", &access_token)], hint),
        (vec![("id_token_hint", &access_token), ("client_id", "jwt")], hint),
        (vec![("id_token_hint", &of_post), ("client_id", "rp")], hint),
        (vec![("id_token_hint", &good), ("client_id", "plain")], hint),
        (vec![("id_token_hint", &good), ("client_id", "nobody")], unknown),
        (vec![("client_id", "nobody")], unknown),
        (vec![("client_id", "no\u{e9}body")], unknown),
        (vec![("id_token_hint", &good), ("state", &long)], &LOGOUT_STATE_TOO_LONG),
    ];
    lead_to_a_page(&ua, rows);
    let asked = ua.follow_from_another_site(&logout(&[("id_token_hint", "nonsense")]));
    let _ = asked.submit(&[], ("action", "logout")).expect_page("logout-done");
    assert!(!is_signed_in(&ua), "the person can sign out all the same");
}

/// oidcc-rp-initiated-logout-bad-post-logout-redirect-uri
///
/// OUT-04: an address that nobody has registered, or another client.
#[test]
fn an_unregistered_address_leads_to_a_page() {
    let addresses = [
        "https://evil.example/",
        "https://rp.example/cb",
        "https://plain.example/bye",
        "javascript:alert(1)",
        "data:text/html,x",
        "/logout",
        "not a URI",
    ];
    addresses_lead_to_a_page(&addresses);
    let kit = provider();
    let ua = kit.user_agent();
    sign_in(&ua, "alice", "rp");
    lead_to_a_page(&ua, vec![(vec![("client_id", "post")], &POST_LOGOUT_URI_UNREGISTERED)]);
}

/// oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri
///
/// OUT-18: a registered address in any other spelling.
#[test]
fn an_altered_address_leads_to_a_page() {
    let addresses = [
        "https://rp.example/bye?foo=bar",
        "https://rp.example/bye?",
        "https://rp.example/bye/",
        "https://rp.example/bye#f",
        "https://rp.example:443/bye",
        "https://RP.example/bye",
        "https://rp.example/%62ye",
        "https://rp.example/x/../bye",
        "https://u@rp.example/bye",
        " https://rp.example/bye",
        "http://rp.example/bye",
        "https://rp.example/out",
    ];
    addresses_lead_to_a_page(&addresses);
}

/// Client metadata: what a post-logout URI may be is what a redirect URI may be.
#[test]
fn post_logout_uris_are_checked() {
    use chancery_core::client::{RegistrationRules, register};
    let kit = TestProvider::new();
    let offered = chancery_core::offered::Offered::default();
    let rules = RegistrationRules::new(&offered, &chancery_jose::SigningAlgorithm::ALL, kit.now());
    let complaints = |members: &str| {
        let metadata = format!(r#"{{"redirect_uris":["https://a.example/cb"],{members}}}"#);
        let complaints = register(metadata.as_bytes(), &*kit.random, &rules).err().unwrap_or_default();
        complaints.into_iter().map(|complaint| complaint.setting).collect::<Vec<_>>()
    };
    for good in [
        r#""post_logout_redirect_uris":["https://b.example/bye?x=1"]"#,
        r#""frontchannel_logout_uri":"https://a.example/fc?x","frontchannel_logout_session_required":true"#,
        r#""backchannel_logout_uri":"https://b.example/bc","backchannel_logout_session_required":false"#,
        r#""backchannel_logout_uri":"http://b.example/bc""#,
    ] {
        assert!(complaints(good).is_empty(), "{good}: {:?}", complaints(good));
    }
    // META-31
    for (name, bad) in [
        ("post_logout_redirect_uris", r#"["http://b.example/"]"#),
        ("post_logout_redirect_uris", r#"["javascript:alert(1)"]"#),
        ("post_logout_redirect_uris", r#"["https://b.example/#x"]"#),
        ("post_logout_redirect_uris", r#"["https://u@b.example/"]"#),
        ("post_logout_redirect_uris", r#"["app.example:/bye"]"#),
        ("post_logout_redirect_uris", r#""https://b.example/""#),
        ("frontchannel_logout_uri", r#""https://b.example/fc""#),
        ("frontchannel_logout_uri", r#""https://a.example:8443/fc""#),
        ("frontchannel_logout_uri", r#""http://a.example/fc""#),
        ("frontchannel_logout_uri", r#""https://a.example/fc#x""#),
        ("frontchannel_logout_uri", r#""javascript:alert(1)""#),
        ("backchannel_logout_uri", r#""https://b.example/#x""#),
        ("backchannel_logout_uri", r#""https://u:p@b.example/""#),
        ("backchannel_logout_uri", r#""ftp://b.example/""#),
        ("frontchannel_logout_session_required", r#""yes""#),
        ("backchannel_logout_session_required", "1"),
    ] {
        assert_eq!(complaints(&format!(r#""{name}":{bad}"#)), [name], "{bad}");
    }
    let public = r#""token_endpoint_auth_method":"none","backchannel_logout_uri":"http://b.example/bc""#;
    assert_eq!(complaints(public), ["backchannel_logout_uri"]);
}

/// Bad input.
#[test]
fn what_must_not_be() {
    let kit = provider();
    let post = |path: &str, from: &str| {
        let mut request = Request::post(path).header("sec-fetch-site", from);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(bytes::Bytes::from_static(b"action=logout")).unwrap()
    };
    let get = |path: &str| Request::get(path).body(bytes::Bytes::new()).unwrap();
    NegativeTable::new(&kit)
        .row("a doubled parameter", get("/logout?state=a&state=b"), Refused::Page(400, "invalid_request"))
        .row("a malformed one", get("/logout?state=%zz"), Refused::Page(400, "invalid_request"))
        .row(
            "a form of another site",
            post("/logout/confirm", "cross-site"),
            Refused::Page(400, "invalid_request"),
        )
        .row("of another origin", post("/logout/confirm", "same-site"), Refused::Page(400, "invalid_request"))
        .row("GET of the form", get("/logout/confirm"), Refused::Status(405))
        .row("a path below", get("/logout/confirm/x"), Refused::Status(404))
        .run();
}
