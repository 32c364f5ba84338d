//! CIBA Core section 8, RFC 10027 section 6.1: the person's side of what clients ask for in the background: the
//! list of what waits, and the page on which one of it is approved or refused.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use chancery_core::config::Config;
use chancery_core::records::{Decision, Found, GrantBody};
use chancery_testkit::{
    Backchannel, HtmlPage, NegativeTable, Refused, Tab, TestProvider, UserAgent, minutes, refusals, seconds,
    wait,
};
use http::{HeaderValue, Method};
use serde_json::json;

/// What is asked for if a test does not say.
const SCOPE: &str = "openid email";

fn provider(change: impl FnOnce(&mut Config)) -> TestProvider {
    let kit = TestProvider::builder().configure(|config| {
        config.ciba.offered = true;
        config.ciba.person_limit = 100;
    });
    with_clients(kit.configure(change).build())
}

fn with_clients(kit: TestProvider) -> TestProvider {
    for (id, name) in [("bank", "The Bank"), ("shop", "The <Shop>")] {
        kit.put_ciba_client(id, "poll", json!({"client_name": name}));
    }
    kit
}

struct Wanted<'a> {
    client: &'a str,
    account: &'a str,
    params: &'a [(&'a str, &'a str)],
    message: Option<&'a str>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { client: "bank", account: "alice", params: &[("scope", SCOPE)], message: Some("W4SCT") }
    }
}

fn ask<'k>(kit: &'k TestProvider, wanted: &Wanted<'_>) -> Backchannel<'k> {
    let Wanted { client, account, params, message } = *wanted;
    let request = kit.request("/backchannel", client).param("login_hint", account);
    let message = message.map(|message| ("binding_message", message));
    let params = params.iter().copied().chain(message);
    let request = params.fold(request, |request, (name, value)| request.param(name, value));
    kit.backchannel_by(client, request)
}

fn asked(kit: &TestProvider) -> Backchannel<'_> {
    ask(kit, &Wanted::default())
}

fn person<'k>(kit: &'k TestProvider, account: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in(account);
    ua
}

/// The page says that there is nothing to decide, and nothing else.
#[track_caller]
fn expect_nothing(tab: &Tab<'_, '_>, status: u16, said: &str) {
    assert_eq!((tab.page().name.as_str(), tab.answer().status.as_u16()), ("approvals", status));
    assert!(tab.page().text.contains(said), "{}", tab.page().text);
    for secret in ["Bank", "Shop", "W4SCT", "alice", "198.18.0.1"] {
        assert!(!tab.answer().text().contains(secret), "{secret}: {}", tab.page().text);
    }
}

/// CIBA Core section 7.1, RFC 10027 section 6.1.14: who asks, for what, since when, from where and for how long, the
/// binding message, and a way to refuse that is as easy as the other. Whatever a client has written is text.
#[test]
fn the_page_says_what_is_asked() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    kit.clock.advance(minutes(3));
    let ua = person(&kit, "alice");
    let tab = ua.follow_from_another_site(&request.link()).expect_page("approve");
    let text = tab.page().text;
    for shown in ["The Bank", "alice", "W4SCT", "openid", "email", "3 minutes ago", "198.18.0.1", "7 minutes"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let html = tab.answer().text();
    assert!(html.find("value=\"deny\"") < html.find("value=\"allow\""), "Enter refuses");
    let policy = tab.answer().header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"), "{policy}");
    assert_eq!(tab.answer().header("x-frame-options"), Some("DENY"));
    assert_eq!(tab.answer().header("cache-control"), Some("no-store"));
    request.expect_waiting();

    let message = "<b>\"from your bank\"</b>";
    let wanted = Wanted { client: "shop", message: Some(message), ..Wanted::default() };
    let tab = ua.get(&ask(&kit, &wanted).link()).expect_page("approve");
    assert!(tab.page().text.contains(message) && tab.page().text.contains("The <Shop>"));
    assert!(!tab.answer().text().contains("<b>"));
    let tab = ua.get(&ask(&kit, &Wanted { message: None, ..Wanted::default() }).link());
    assert!(!tab.expect_page("approve").page().text.contains("Message"));
}

/// CIBA-14: a yes is the decision, with how the person has authenticated, and grants what was shown; a no is one,
/// too. Neither is remembered as a consent.
#[test]
fn a_decision() {
    let kit = provider(|_| {});
    let (yes, no) = (asked(&kit), asked(&kit));
    let ua = person(&kit, "alice");
    let signed_in = kit.now();
    kit.clock.advance(minutes(1));
    let done = ua.get(&yes.link()).allow().expect_page("approval-done");
    assert!(done.page().text.contains("The Bank") && done.page().text.contains("Approved"));
    let Some(Decision::Approved { granted, .. }) = yes.decision() else { panic!("{:?}", yes.decision()) };
    assert_eq!(granted.scopes.to_string(), SCOPE);
    assert_eq!(granted.authentication.account.as_str(), "alice");
    assert_eq!(granted.authentication.time().secs(), signed_in.secs());
    assert!(granted.authentication.acr.is_some() || !granted.authentication.factors.is_empty());
    let grant = granted.grant.key(&kit.env().realm);
    let stored: Option<Found<GrantBody>> = wait(kit.env().records().get(kit.now(), grant)).expect("a store");
    assert!(stored.is_some());

    let done = ua.get(&no.link()).deny().expect_page("approval-done");
    assert!(done.page().text.contains("Refused"), "{}", done.page().text);
    no.expect_refused("declined");
    // The next one asks again, for everything.
    let text = ua.get(&asked(&kit).link()).expect_page("approve").page().text;
    assert!(text.contains("openid") && text.contains("email"), "{text}");
}

/// The list has what waits for this person and nothing else: not what was decided, or is over, or belongs to
/// somebody else, or to a client that is gone.
#[test]
fn what_waits() {
    let kit = provider(|_| {});
    let ua = person(&kit, "alice");
    assert!(ua.get("/approvals").expect_page("approvals").page().text.contains("Nothing waits"));
    let old = ask(&kit, &Wanted { message: Some("OLD-1"), ..Wanted::default() });
    kit.clock.advance(minutes(9));
    let first = ask(&kit, &Wanted { message: Some("ONE-1"), ..Wanted::default() });
    kit.clock.advance(seconds(1));
    let second = ask(&kit, &Wanted { message: Some("TWO-2"), client: "shop", ..Wanted::default() });
    let theirs = ask(&kit, &Wanted { message: Some("BOB-3"), account: "bob", ..Wanted::default() });
    let tab = ua.get("/approvals").expect_page("approvals");
    let text = tab.page().text;
    let at = |shown: &str| text.find(shown).unwrap_or_else(|| panic!("{shown}: {text}"));
    assert!(at("OLD-1") < at("ONE-1") && at("ONE-1") < at("TWO-2"), "{text}");
    assert!(text.contains("The <Shop>") && !text.contains("BOB-3"), "{text}");
    for request in [&old, &first, &second] {
        assert!(tab.answer().text().contains(&format!("{}\"", request.link())));
    }
    kit.clock.advance(minutes(1));
    let _ = ua.get(&first.link()).allow().expect_page("approval-done");
    kit.remove_client("shop");
    let text = ua.get("/approvals").page().text;
    assert!(text.contains("Nothing waits"), "{text}");
    theirs.expect_waiting();
}

/// Whoever is not signed in does that first, and learns nothing before; then the way leads on.
#[test]
fn signing_in_first() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    let ua = kit.user_agent();
    let (tab, trips) = kit.trips(|| ua.follow_from_another_site(&request.link()));
    let tab = tab.expect_page("login");
    assert_eq!(trips, 0);
    for secret in ["Bank", "W4SCT", "value=\"alice\""] {
        assert!(!tab.answer().text().contains(secret), "{secret}");
    }
    let tab = tab.login_wrongly("alice").expect_page("login").login("alice").expect_page("approve");
    let _ = tab.allow().expect_page("approval-done");
    assert!(matches!(request.decision(), Some(Decision::Approved { .. })));

    let next = asked(&kit);
    let other = kit.user_agent();
    let tab = other.get("/approvals").expect_page("login").login("alice").expect_page("approvals");
    assert!(tab.answer().text().contains(&next.link()), "{}", tab.page().text);
    // Who goes away has decided nothing.
    let tab = kit.user_agent();
    let tab = tab.get(&next.link()).submit(&[], ("action", "cancel"));
    expect_nothing(&tab, 200, "Nothing was decided");
    next.expect_waiting();
}

/// A page that names its own sign-in: a second account of the same browser, and a way to another one.
#[test]
fn another_account_of_the_same_person() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    let ua = person(&kit, "bob");
    let tab = ua.get(&request.link());
    expect_nothing(&tab, 404, "Nothing waits for you here");
    let tab = ua.get(&format!("{}?prompt=login", request.link())).expect_page("login");
    let tab = tab.login("alice").expect_page("approve");
    assert!(tab.page().text.contains("alice"));
    // From then on it is found beside the active session, without becoming it.
    let _ = ua.get("/approvals?prompt=login").expect_page("login").login("bob").expect_page("approvals");
    let _ = ua.get(&request.link()).expect_page("approve").allow().expect_page("approval-done");
    assert!(ua.get("/approvals").page().text.contains("bob"), "the active one stays");
}

/// AUTHZ-37: a login that is too old, or of too low a class, is made anew, for this request, by the person who is
/// asked and nobody else.
#[test]
fn signing_in_again() {
    let kit = provider(|_| {});
    let ua = person(&kit, "alice");
    let aged = ask(&kit, &Wanted { params: &[("scope", SCOPE), ("max_age", "60")], ..Wanted::default() });
    assert_eq!(ua.get(&aged.link()).page().name, "approve");
    kit.clock.advance(minutes(2));
    let tab = ua.get(&aged.link()).expect_page("login");
    assert!(tab.page().text.contains("The Bank"));
    let tab = tab.login("alice").expect_page("approve");
    let again = kit.now();
    let _ = tab.allow().expect_page("approval-done");
    let Some(Decision::Approved { granted, .. }) = aged.decision() else { panic!("not approved") };
    assert_eq!(granted.authentication.time().secs(), again.secs());

    let aged = ask(&kit, &Wanted { params: &[("scope", SCOPE), ("max_age", "60")], ..Wanted::default() });
    kit.clock.advance(minutes(2));
    // The browser has both now: it is asked who goes on, and the other one gets no further.
    let tab = ua.get(&aged.link()).expect_page("login").login("bob").expect_page("accounts");
    let _ = tab.choose("bob").expect_page("accounts");
    aged.expect_waiting();
    let _ = tab.choose("alice").expect_page("login");
}

/// `acr_values`: a class that can be reached is asked for at once; one that cannot is left to the client to see.
#[test]
fn the_class_of_the_login() {
    let kit = TestProvider::builder().acr("urn:example:two").configure(|config| config.ciba.offered = true);
    let kit = with_clients(kit.build());
    let ua = person(&kit, "alice");
    for (acr, page) in [("urn:example:two", "login"), ("urn:example:other", "approve")] {
        let params = [("scope", SCOPE), ("acr_values", acr)];
        let request = ask(&kit, &Wanted { params: &params, ..Wanted::default() });
        assert_eq!(ua.get(&request.link()).page().name, page, "{acr}");
    }
}

/// An approval: the request, the grant, the decision. Beside them stand the session, once for finding the person,
/// and the consent.
#[test]
fn trips() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    let ua = person(&kit, "alice");
    ua.has_visited("bank");
    let (tab, trips) = kit.trips(|| ua.get(&request.link()).expect_page("approve"));
    assert_eq!(trips, 1 + 2 + 1, "the request; the session, active and asked; consent");
    let (_, trips) = kit.trips(|| tab.allow().expect_page("approval-done"));
    assert_eq!(trips, 3 + 2, "an approval; session and consent");
    let (_, trips) = kit.trips(|| ua.get("/approvals").expect_page("approvals"));
    assert_eq!(trips, 2, "the session and the list");
}

/// A repeated click shows once more what came of the first; from another page it was decided.
#[test]
fn a_double_click_shows_the_same() {
    let kit = provider(|_| {});
    let ua = person(&kit, "alice");
    for refuses in [false, true] {
        let request = asked(&kit);
        let (tab, other) = (ua.get(&request.link()), ua.get(&request.link()));
        let press = |tab: &Tab<'_, '_>| if refuses { tab.deny() } else { tab.allow() }.page();
        let first = press(&tab);
        assert_eq!(first.name, "approval-done");
        for again in [press(&tab), tab.deny().page(), tab.allow().page()] {
            assert_eq!(again.text, first.text);
        }
        expect_nothing(&other.allow(), 200, "answered before");
        expect_nothing(&ua.get(&request.link()), 200, "answered before");
        let is_approved = matches!(request.decision(), Some(Decision::Approved { .. }));
        assert_eq!(is_approved, !refuses);
    }
}

/// Two requests at once are two decisions.
#[test]
fn two_requests_at_once() {
    let kit = provider(|_| {});
    let ua = person(&kit, "alice");
    let (one, two) = (asked(&kit), ask(&kit, &Wanted { client: "shop", ..Wanted::default() }));
    let (first, second) = (ua.get(&one.link()), ua.get(&two.link()));
    let _ = second.deny().expect_page("approval-done");
    one.expect_waiting();
    let _ = first.allow().expect_page("approval-done");
    two.expect_refused("declined");
    assert!(matches!(one.decision(), Some(Decision::Approved { .. })));
}

/// Of 64 approvals and denials at once, by as many pages, one decides; the others see that, and leave no grant.
fn one_decides(kit: &TestProvider, rounds: u64) {
    let ua = person(kit, "alice");
    for round in 0..rounds {
        let request = asked(kit);
        let press = |n: usize| {
            let button = if n.is_multiple_of(2) { "allow" } else { "deny" };
            ua.get(&request.link()).expect_page("approve").to_http(&[], ("action", button))
        };
        let answers = kit.send_at_once(round, (0..64).map(press).collect());
        let done = |answer: &&chancery_testkit::Answer| HtmlPage::read(answer.text()).name == "approval-done";
        assert_eq!(answers.iter().filter(done).count(), 1, "{round}");
        assert!(answers.iter().all(|answer| answer.status == 200));
        let Some(decision) = request.decision() else { panic!("{round}: nobody has decided") };
        let env = kit.env();
        let tag = env.records().tags(Some(&request.found().body.account), None, None).account.expect("a tag");
        let grants: Vec<Found<GrantBody>> =
            wait(env.records().list_tagged(kit.now(), tag, None, 100)).expect("a store");
        let kept: Vec<_> = grants.iter().map(|found| found.key).collect();
        match decision {
            Decision::Approved { granted, .. } => {
                assert_eq!(kept, [granted.grant.key(&env.realm)], "{round}")
            }
            Decision::Refused { .. } => assert!(kept.is_empty(), "{round}"),
        }
        for key in kept {
            wait(env.records().revoke(kit.now(), key)).expect("a store");
        }
    }
}

#[test]
fn of_64_decisions_at_once_one_counts() {
    one_decides(&provider(|_| {}), 10);
}

/// GAP-07: a page that was left is taken up again by its link, also on another device; what is over says so.
#[test]
fn left_and_over() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    let (phone, laptop) = (person(&kit, "alice"), person(&kit, "alice"));
    let left = phone.get(&request.link()).expect_page("approve");
    let here = laptop.get(&request.link()).expect_page("approve");
    kit.clock.advance(minutes(10));
    for tab in [left.allow(), here.deny(), laptop.get(&request.link())] {
        expect_nothing(&tab, 200, "time of this request is over");
    }
    request.expect_waiting();
    let gone = ask(&kit, &Wanted { client: "shop", ..Wanted::default() });
    let tab = laptop.get(&gone.link()).expect_page("approve");
    kit.remove_client("shop");
    expect_nothing(&tab.allow(), 200, "time of this request is over");
    gone.expect_waiting();
}

/// An application's policy can still ask, and withdrawn consents take nothing along that they did not give.
#[test]
fn a_page_belongs_to_its_session() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    let ua = person(&kit, "alice");
    let tab = ua.get(&request.link()).expect_page("approve");
    let mut fields = tab.form().fields;
    fields.push(("action".to_owned(), "allow".to_owned()));
    // In a browser of nobody, and of somebody else; and of the same person elsewhere, where the page comes anew.
    expect_nothing(&kit.user_agent().get("/approvals").post("/interaction", &fields), 404, "Nothing waits");
    let bob = person(&kit, "bob");
    expect_nothing(&bob.get("/approvals").post("/interaction", &fields), 404, "Nothing waits");
    let elsewhere = person(&kit, "alice");
    let _ = elsewhere.get("/approvals").post("/interaction", &fields).expect_page("approve");
    request.expect_waiting();
    // What a form carries cannot be made.
    for made in ["approval=x", "visit=x", "approval=", "visit=&approval=x"] {
        let fields = [("request".to_owned(), made.to_owned()), ("action".to_owned(), "allow".to_owned())];
        let _ = ua.get("/approvals").post("/interaction", &fields).expect_page("error");
    }
    kit.clock.advance(minutes(61));
    expect_nothing(&tab.allow(), 200, "time of this request is over");
}

/// Another person's request, one that does not exist, and links that are none look the same, and each leads
/// nowhere.
#[test]
fn who_is_not_asked_learns_nothing() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    let ua = person(&kit, "bob");
    let (theirs, trips) = kit.trips(|| ua.get(&request.link()));
    let mut unlike = request.link();
    unlike.replace_range(20..21, if unlike.get(20..21) == Some("A") { "B" } else { "A" });
    let (unknown, same) = kit.trips(|| ua.get(&unlike));
    for tab in [&theirs, &unknown, &ua.get("/approvals/x"), &ua.get("/approvals/in_x")] {
        expect_nothing(tab, 404, "Nothing waits for you here");
    }
    let without = |tab: &Tab<'_, '_>, link: &str| {
        let text = tab.answer().text().replace(link, "");
        let (before, after) = text.split_once("<style nonce=\"").expect("a style");
        format!("{before}{}", after.split_once('"').map_or("", |(_, rest)| rest))
    };
    assert_eq!(without(&theirs, &request.link()), without(&unknown, &unlike));
    assert!(trips >= same, "{trips} {same}");
    request.expect_waiting();
    for tab in [ua.get(&request.link()), ua.get(&unlike)] {
        assert!(refusals(tab.events()).is_empty(), "nothing was refused: nothing was asked");
    }
}

/// While it is off, there is no such page.
#[test]
fn it_is_off_by_default() {
    let kit = TestProvider::new();
    assert_eq!(kit.get("/approvals").status, 404);
    assert_eq!(kit.get("/approvals/x").status, 404);
}

/// What comes from another site, or by other ways, is refused.
#[test]
fn what_is_refused() {
    let kit = provider(|_| {});
    let request = asked(&kit);
    let ua = person(&kit, "alice");
    let tab = ua.get(&request.link()).expect_page("approve");
    let from = |site: &'static str| {
        let mut request = tab.to_http(&[], ("action", "allow"));
        request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static(site));
        request
    };
    let with = |method: Method, path: &str| {
        let mut request = ua.to_http_get(path);
        *request.method_mut() = method;
        request
    };
    NegativeTable::new(&kit)
        .row("from another site", from("cross-site"), Refused::Page(400, "invalid_request"))
        .row("from another origin of the site", from("same-site"), Refused::Page(400, "invalid_request"))
        .row("posted to the list", with(Method::POST, "/approvals"), Refused::Status(405))
        .row("posted to the request", with(Method::POST, &request.link()), Refused::Status(405))
        .row("DELETE", with(Method::DELETE, &request.link()), Refused::Status(405))
        .row(
            "two prompts",
            ua.to_http_get("/approvals?prompt=login&prompt=none"),
            Refused::Page(400, "invalid_request"),
        )
        .row("below it", ua.to_http_get(&format!("{}/x", request.link())), Refused::Status(404))
        .run();
    request.expect_waiting();
}
