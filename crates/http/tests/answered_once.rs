//! One interaction has one answer, whatever page of it is open, and however often and at what moment its step
//! is repeated.

use chancery_core::interaction::form_token::FORM_ANSWERED;
use chancery_testkit::{SECRET, Tab, TestProvider, UserAgent, millis, minutes, seconds};

/// INT-06, INT-10..14: answered twice, loaded after the end, or gone back to: a page with a way on, and no
/// second code.
#[test]
fn what_was_answered_is_not_answered_again() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid").open(&ua);
    let consent = login.login("alice").expect_page("consent");
    let code = consent.allow().expect_code();
    let _ = consent.reload().expect_way_on();
    kit.clock.advance(seconds(11));
    // The back button up to the login page changes nothing.
    for late in [consent.allow(), consent.deny(), login.login("alice"), login.cancel()] {
        let _ = late.expect_way_on();
        late.expect_refused_form(&FORM_ANSWERED);
    }
    assert_eq!(consent.reload().restart().expect_code().client, "web");
    let _ = kit.exchange(&code).expect_status(200);
}

/// Where a person can say no: the page's name, and how the browser of somebody comes there.
type NoPage = (&'static str, for<'u, 'k> fn(&'u UserAgent<'k>) -> Tab<'u, 'k>);

/// Pages of alice with the buttons for no and for yes, each of a stored interaction and of a first page.
const NO_PAGES: [NoPage; 5] = [
    ("a stored consent", |ua| {
        let request = ua.provider().authorization_request("web").scope("openid");
        ua.open(&request).login("alice").expect_page("consent")
    }),
    ("a first consent", |ua| {
        ua.signed_in("alice");
        ua.open(&ua.provider().authorization_request("web").scope("openid")).expect_page("consent")
    }),
    ("a first choice", |ua| {
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        let request =
            ua.provider().authorization_request("web").scope("openid").set("prompt", "select_account");
        ua.open(&request).expect_page("accounts")
    }),
    ("a stored choice", |ua| {
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        let claims = r#"{"id_token":{"sub":{"value":"alice"}}}"#;
        let request = ua.provider().authorization_request("web").scope("openid").set("claims", claims);
        let request = request.set("prompt", "login");
        ua.open(&request).expect_page("login").login("bob").expect_page("accounts")
    }),
    ("a login beside a session", |ua| {
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        let request = ua.provider().authorization_request("web").scope("openid").set("prompt", "login");
        ua.open(&request).expect_page("login")
    }),
];

/// Says no by the page's own button.
fn say_no<'u, 'k>(tab: &Tab<'u, 'k>) -> Tab<'u, 'k> {
    if tab.page().name == "consent" { tab.deny() } else { tab.cancel() }
}

/// Says yes, as alice.
fn say_yes<'u, 'k>(tab: &Tab<'u, 'k>) -> Tab<'u, 'k> {
    match tab.page().name.as_str() {
        "consent" => tab.allow(),
        "accounts" => tab.choose("alice"),
        _ => tab.login("alice"),
    }
}

/// INT-06: a no is an answer, from whatever page: within seconds every repetition leads where it led, and
/// afterwards to a way on. Nothing is agreed to and nothing granted.
#[test]
fn a_no_cannot_become_a_yes() {
    for (what, page) in NO_PAGES {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let page = page(&ua);
        let first = say_no(&page).expect_error("access_denied");
        for _ in 0..2 {
            let repeated = say_yes(&page);
            let again = repeated.expect_error("access_denied");
            assert_eq!(again.value("error_description"), first.value("error_description"), "{what}");
            assert_eq!(repeated.event_names(), [""; 0], "{what}");
        }
        kit.clock.advance(seconds(11));
        for late in [say_yes(&page), say_no(&page)] {
            let _ = late.expect_way_on();
            late.expect_refused_form(&FORM_ANSWERED);
        }
        if what.ends_with("consent") {
            let _ = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
        }
    }
}

/// INT-06, FR-11: a step is answered once, also on a first page. Its repetition by the same browser within
/// seconds leads where the answer led, whatever the button; later to a way on.
#[test]
fn the_repetition_of_a_step_leads_where_its_answer_led() {
    for (what, page) in NO_PAGES.into_iter().filter(|(what, _)| *what != "a stored choice") {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let page = page(&ua);
        let code = say_yes(&page).expect_code();
        for repeated in [say_yes(&page), say_no(&page)] {
            assert_eq!(repeated.expect_code().code, code.code, "{what}");
            assert_eq!(repeated.event_names(), [""; 0], "{what}");
        }
        kit.clock.advance(seconds(11));
        for late in [say_yes(&page), say_no(&page)] {
            let _ = late.expect_way_on();
            late.expect_refused_form(&FORM_ANSWERED);
        }
        let _ = kit.exchange(&code).expect_status(200);
    }
}

/// FR-11: for ten seconds, and not a moment longer.
#[test]
fn a_repetition_counts_for_ten_seconds() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let consent = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
    let code = consent.allow().expect_code();
    kit.clock.advance(seconds(10));
    assert_eq!(consent.allow().expect_code().code, code.code);
    kit.clock.advance(millis(1));
    let _ = consent.allow().expect_way_on();
    let _ = kit.exchange(&code).expect_status(200);
}

/// INT-15: a stored request waits for an hour, and not a moment longer; then its page says so and has a way
/// on.
#[test]
fn a_stored_request_waits_for_an_hour() {
    for (waits, is_over) in [(minutes(60), false), (minutes(60) + millis(1), true)] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let login = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
        let consent = login.login("alice").expect_page("consent");
        kit.clock.advance(waits);
        let tab = consent.reload();
        if is_over {
            let _ = tab.expect_way_on();
            let _ = consent.allow().expect_way_on();
        } else {
            let _ = tab.expect_page("consent");
            let _ = consent.allow().expect_code();
        }
    }
}

/// A client that may ask for these scopes, and is registered again with others later.
fn client(scopes: &str) -> String {
    format!(
        r#"{{"client_id":"c","client_secret":"{SECRET}","redirect_uris":["https://c.example/cb"],
            "id_token_signed_response_alg":"ES256","scope":"{scopes}"}}"#
    )
}

/// A request that was good when it was stored and is none any more, because its client has changed meanwhile,
/// is refused to the client, once: the other page of the same request has a way on only.
#[test]
fn a_stored_request_that_is_none_any_more() {
    let kit = TestProvider::builder().client(&client("openid email")).build();
    let ua = kit.user_agent();
    let login = kit.authorization_request("c").scope("email").open(&ua).expect_page("login");
    let consent = login.login("alice").expect_page("consent");
    kit.put_client(&client("openid"));
    kit.clock.advance(seconds(1));
    let refused = consent.allow().expect_error("invalid_scope");
    assert_eq!(consent.reload().expect_error("invalid_scope"), refused, "the same answer again");
    kit.put_client(&client("openid email"));
    kit.clock.advance(seconds(11));
    let _ = consent.allow().expect_way_on();
}

/// The same when another page of the request was answered before: the client has its answer and gets no
/// second one.
#[test]
fn a_stored_request_that_was_answered_elsewhere() {
    let kit = TestProvider::builder().client(&client("openid email")).build();
    let ua = kit.user_agent();
    let login = kit.authorization_request("c").scope("email").open(&ua).expect_page("login");
    let (one, other) = (login.login("alice"), login.login("alice"));
    assert_ne!(one.expect_page("consent").address(), other.clone().expect_page("consent").address());
    let code = login.login("alice").expect_page("consent").allow().expect_code();
    kit.put_client(&client("openid"));
    kit.clock.advance(seconds(11));
    for late in [other.reload(), other.allow()] {
        let _ = late.expect_way_on();
    }
    assert_eq!(
        kit.exchange(&code).expect_status(400)["error"],
        "invalid_grant",
        "none of its scopes is left"
    );
}

/// FR-11: the client has exchanged the code of the first click when the second arrives. Shown again, the code
/// would end what came of it; the request is answered anew instead.
#[test]
fn a_repetition_after_the_exchange_does_no_harm() {
    for (what, page) in NO_PAGES.into_iter().filter(|(what, _)| what.ends_with("consent")) {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let page = page(&ua);
        let code = page.allow().expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        let again = page.allow().expect_code();
        assert_ne!(again.code, code.code, "{what}");
        let _ = kit.exchange(&again).expect_status(200);
        assert!(kit.is_active("web", tokens.member("access_token")), "{what}");
    }
}

/// Pages that a request brings each time it begins: the page's name, and the request's `prompt`.
const EACH_TIME: [(&str, &str); 3] =
    [("consent", "consent"), ("login", "login"), ("accounts", "select_account")];

/// INT-06, FR-11: gone back to, after the client has exchanged the code. Where the person would be asked the same once
/// more, they are told that they have answered already, at once and later, and no second code reaches the client.
#[test]
fn a_page_that_was_answered_does_not_come_again_without_a_word() {
    for (page, prompt) in EACH_TIME {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        let request = kit.authorization_request("web").scope("openid").set("prompt", prompt);
        let first = request.open(&ua).expect_page(page);
        let tokens = kit.exchange(&say_yes(&first).expect_code()).expect_status(200);
        for waits in [0, 11] {
            kit.clock.advance(seconds(waits));
            for late in [say_yes(&first), say_no(&first)] {
                let _ = late.expect_way_on();
                late.expect_refused_form(&FORM_ANSWERED);
            }
        }
        assert!(kit.is_active("web", tokens.member("access_token")), "{page}");
        let anew = say_yes(&first).restart().expect_page(page);
        let _ = kit.exchange(&say_yes(&anew).expect_code()).expect_status(200);
    }
}

/// A repetition is the same browser's: another one with the same form gets nothing of the answer.
#[test]
fn nobody_else_is_led_where_the_answer_led() {
    for (what, page) in NO_PAGES.into_iter().filter(|(what, _)| *what != "a stored choice") {
        let kit = TestProvider::new();
        let (ua, other) = (kit.user_agent(), kit.user_agent());
        let page = page(&ua);
        let _ = say_yes(&page).expect_code();
        let form = page.form();
        let mut fields = form.fields.clone();
        fields.push(("action".to_owned(), "allow".to_owned()));
        for stranger in ["nobody", "alice"] {
            if stranger != "nobody" {
                other.signed_in(stranger);
            }
            let shown = other.get("/interaction/x").post(&form.action, &fields);
            assert!(!shown.event_names().contains(&"consent_given"), "{what}");
            let is_told = shown.is_answered_with("code") && stranger == "nobody";
            assert!(!is_told, "{what}: {:?}", shown.event_names());
        }
    }
}

/// INT-06, FR-11: a step that is answered twice at the same moment has one code, and both answers lead there.
#[test]
fn of_two_answers_at_once_one_counts() {
    for (what, page) in NO_PAGES.into_iter().filter(|(what, _)| what.ends_with("consent")) {
        for seed in 0..50 {
            let kit = TestProvider::new();
            let ua = kit.user_agent();
            let answer = page(&ua).to_http(&[], ("action", "allow"));
            let answers = kit.send_at_once(seed, vec![answer; 3]);
            let to: Vec<_> =
                answers.iter().map(|answer| answer.header("location").unwrap_or_default()).collect();
            assert!(
                to[0].contains("code=") && to.iter().all(|other| *other == to[0]),
                "{what}, seed {seed}: {to:?}"
            );
        }
    }
}

/// INT-06: yes and no at the same moment have one answer, and a yes that lost is not remembered.
#[test]
fn of_yes_and_no_at_once_one_counts() {
    let (mut yes, mut no) = (0, 0);
    for (what, page) in NO_PAGES.into_iter().filter(|(what, _)| what.ends_with("consent")) {
        for seed in 0..100 {
            let kit = TestProvider::new();
            let ua = kit.user_agent();
            let page = page(&ua);
            let requests =
                vec![page.to_http(&[], ("action", "allow")), page.to_http(&[], ("action", "deny"))];
            let answers = kit.send_at_once(seed, requests);
            let is_code = |answer: &chancery_testkit::Answer| {
                answer.header("location").is_some_and(|to| to.contains("code="))
            };
            let codes = answers.iter().filter(|answer| is_code(answer)).count();
            assert!(
                codes != 1 || answers.iter().any(|answer| answer.text().contains("signed-in")),
                "{what} {seed}"
            );
            let later = kit.authorization_request("web").scope("openid").open(&ua);
            assert_eq!(
                later.is_answered_with("code"),
                codes > 0,
                "{what}, seed {seed}: what was told is what stands"
            );
            if codes > 0 { yes += 1 } else { no += 1 }
        }
    }
    assert!(yes > 20 && no > 20, "both orders have to happen: {yes}, {no}");
}
