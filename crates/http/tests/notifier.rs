//! CIBA Core section 8: how people, or whoever tells them, hear that something waits for their approval.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::{Arc, Mutex};

use chancery_core::config::Config;
use chancery_core::error::Fault;
use chancery_core::event::{Event, NotificationFailure};
use chancery_core::notifier::{ApprovalRequest, Notifier};
use chancery_testkit::{
    Backchannel, CIBA_GRANT, Fetched, Task, TestProvider, TestProviderBuilder, let_others_take, minutes,
    names, race, seconds, wait,
};
use chancery_types::Params;
use serde_json::json;

const HOOK: &str = "https://hook.example/ciba?key=operator";

/// What an application was told, and how it answers.
#[derive(Clone, Default)]
struct Told {
    heard: Arc<Mutex<Vec<String>>>,
    fails: Arc<Mutex<bool>>,
    hangs: bool,
}

impl Notifier for Told {
    async fn notify(&self, request: &ApprovalRequest<'_>) -> Result<(), Fault> {
        let ApprovalRequest { account, client, client_name, binding_message, link, .. } = request;
        let heard = format!("{account} {client} {client_name} {binding_message:?} {link}");
        self.heard.lock().expect("heard").push(heard);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        match *self.fails.lock().expect("fails") {
            true => Err(Fault::unavailable("the phone is off")),
            false => Ok(()),
        }
    }
}

impl Told {
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().expect("heard"))
    }
}

fn provider(change: impl FnOnce(TestProviderBuilder) -> TestProviderBuilder) -> TestProvider {
    let offered = |config: &mut Config| {
        config.ciba.offered = true;
        config.ciba.person_limit = 100;
    };
    let kit = change(TestProvider::builder().configure(offered)).build();
    kit.put_client(
        &json!({"client_id": "bank", "client_name": "The Bank", "redirect_uris": ["https://bank.example/cb"],
            "client_secret": "a-secret-of-forty-three-characters-for-test",
            "id_token_signed_response_alg": "ES256", "grant_types": ["authorization_code", CIBA_GRANT],
            "backchannel_token_delivery_mode": "poll", "backchannel_logout_uri": "https://bank.example/logout", "chancery": {"consent": "implied"}})
        .to_string(),
    );
    kit
}

fn hooked() -> TestProvider {
    let kit = provider(|kit| kit.configure(|config: &mut Config| config.ciba.notify.url = HOOK.into()));
    kit.fetch.answers(HOOK, 204, "");
    kit
}

fn asked(kit: &TestProvider) -> Backchannel<'_> {
    let request = kit.backchannel_request("bank", "openid").param("binding_message", "W4SCT");
    kit.backchannel_by("bank", request)
}

/// The one parameter of a notice.
fn notice(sent: &Fetched) -> String {
    let form = Params::parse(sent.form.as_deref().expect("a POST")).expect("a form");
    let fields: Vec<_> = form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let [(name, token)] = fields.as_slice() else { panic!("only the notice: {fields:?}") };
    assert_eq!(name, "approval_request");
    token.clone()
}

/// CIBA-11: an application hears once of each request: who is asked by whom, with what message, and where to decide.
#[test]
fn an_application_is_told() {
    let told = Told::default();
    let kit = provider(|kit| kit.notifier(told.clone()));
    let request = asked(&kit);
    assert_eq!(names(&kit.deliver()), ["approval_notified"]);
    let link = format!("https://id.example{}", request.link());
    assert_eq!(told.heard(), [format!("alice bank The Bank Some(\"W4SCT\") {link}")]);
    assert!(kit.deliver().is_empty() && told.heard().is_empty(), "told once");
    // The link is the one of the page.
    let ua = kit.user_agent();
    ua.signed_in("alice");
    assert_eq!(ua.follow_from_another_site(&request.link()).page().name, "approve");
}

/// An operator's web hook gets a signed notice, of a type of its own and without a secret.
#[test]
fn a_web_hook_is_told() {
    let kit = hooked();
    let request = asked(&kit);
    kit.clock.advance(seconds(2));
    assert_eq!(names(&kit.deliver()), ["approval_notified"]);
    let sent = kit.fetch.asked();
    let [sent] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((sent.url.as_str(), sent.is_of_stranger), (HOOK, false));
    let jwt = notice(sent);
    let verified = kit.try_verify(&jwt, "bank").expect("a token that verifies");
    assert_eq!(verified.header.typ.as_deref(), Some("approval-request+jwt"));
    let mut claims = ["iss", "sub", "aud", "iat", "exp", "jti"].to_vec();
    claims.extend(["client_id", "client_name", "binding_message", "approval_uri", "expires_at"]);
    assert_eq!(verified.names, claims);
    let now = kit.now().secs();
    for (name, expected) in [
        ("iss", json!("https://id.example")),
        ("sub", json!("alice")),
        ("aud", json!(HOOK)),
        ("iat", json!(now)),
        ("exp", json!(now + 120)),
        ("client_id", json!("bank")),
        ("client_name", json!("The Bank")),
        ("binding_message", json!("W4SCT")),
        ("approval_uri", json!(format!("https://id.example{}", request.link()))),
        ("expires_at", json!(now + 598)),
    ] {
        assert_eq!(verified.claims[name], expected, "{name}");
    }
    assert!(!jwt.contains("ba_") && !verified.claims.to_string().contains("ba_"), "no auth_req_id");
    // It is good for nothing at the provider itself.
    let hint = format!("/logout?id_token_hint={jwt}");
    assert_eq!(kit.user_agent().get(&hint).page().name, "error");
}

/// What an answer means: what was not taken is sent again, with another `jti`, later each time, and never after the
/// person has decided, or when the time is over; redirects are not followed.
#[test]
fn what_an_answer_means() {
    for (status, is_tried_again) in [
        (200, false),
        (204, false),
        (302, false),
        (400, false),
        (404, false),
        (408, true),
        (429, true),
        (503, true),
    ] {
        let kit = hooked();
        kit.fetch.answers(HOOK, status, "");
        let _request = asked(&kit);
        let _ = kit.deliver();
        let first: Vec<Fetched> = kit.fetch.asked();
        assert_eq!(first.len(), 1, "{status}");
        kit.clock.advance(seconds(2));
        let _ = kit.deliver();
        let second = kit.fetch.asked();
        assert_eq!(!second.is_empty(), is_tried_again, "{status}");
        if let ([first], [second]) = (first.as_slice(), second.as_slice()) {
            assert_ne!(notice(first), notice(second), "{status}");
        }
    }
    for ends in ["decided", "over", "gone"] {
        let kit = hooked();
        kit.fetch.goes_down(HOOK);
        let request = asked(&kit);
        let events = kit.deliver();
        let retried = matches!(
            events.as_slice(),
            [Event::ApprovalNotificationFailed {
                why: NotificationFailure::Unreachable(_),
                retry_in: Some(_),
                ..
            }]
        );
        assert!(retried, "{events:?}");
        kit.fetch.answers(HOOK, 204, "");
        let _ = kit.fetch.asked();
        match ends {
            "decided" => {
                let ua = kit.user_agent();
                ua.signed_in("alice");
                let _ = ua.get(&request.link()).deny();
            }
            "over" => kit.clock.advance(minutes(10)),
            _ => kit.remove_client("bank"),
        }
        kit.clock.advance(seconds(2));
        let _ = kit.deliver();
        assert!(kit.fetch.asked().is_empty(), "{ends}");
        kit.clock.advance(minutes(30));
        assert!(kit.deliver().is_empty(), "{ends}: nothing is left");
    }
}

/// An application that fails is told again until it hears, and the request waits meanwhile.
#[test]
fn an_application_that_fails_is_told_again() {
    let told = Told::default();
    *told.fails.lock().expect("fails") = true;
    let kit = provider(|kit| kit.notifier(told.clone()));
    let request = asked(&kit);
    for wait in [seconds(0), seconds(2), seconds(3), seconds(5)] {
        kit.clock.advance(wait);
        assert_eq!(names(&kit.deliver()), ["approval_notification_failed"]);
    }
    assert_eq!(told.heard().len(), 4);
    request.expect_waiting();
    *told.fails.lock().expect("fails") = false;
    kit.clock.advance(seconds(10));
    assert_eq!(names(&kit.deliver()), ["approval_notified"]);
    // Until the time of the request is over, and not a day long.
    *told.fails.lock().expect("fails") = true;
    let _request = asked(&kit);
    let mut last = Vec::new();
    for _ in 0..20 {
        last.extend(kit.deliver());
        kit.clock.advance(minutes(1));
    }
    let given_up = matches!(last.last(), Some(Event::ApprovalNotificationFailed { retry_in: None, .. }));
    assert!(given_up || last.len() < 20, "{last:?}");
    assert!(kit.deliver().is_empty());
}

/// One that hangs keeps its own places: clients are told of the ends of sessions meanwhile, and people can decide.
#[test]
fn one_that_hangs_delays_nobody_else() {
    let told = Told { hangs: true, ..Told::default() };
    let kit = provider(|kit| kit.notifier(told.clone()));
    kit.fetch.answers("https://bank.example/logout", 200, "");
    let requests: Vec<_> = (0..100).map(|_| asked(&kit)).collect();
    let ua = kit.user_agent();
    let tab = kit.authorization_request("bank").scope("openid").open(&ua);
    let _ = tab.login("alice").expect_code();
    let first: Task<'_, ()> = Box::pin(async {
        let mut hanging = Box::pin(kit.provider.deliver(kit.now()));
        for _ in 0..500 {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(hanging.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(told.heard().len(), 32, "so many at once");
        kit.end_sessions("alice");
        kit.clock.advance(seconds(1));
        let mut next = Box::pin(kit.provider.deliver(kit.now()));
        for _ in 0..500 {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            if next.as_mut().poll(&mut context).is_ready() {
                break;
            }
        }
        assert_eq!(kit.fetch.asked().len(), 1, "the client is told");
        let_others_take(1).await;
    });
    race(1, vec![first]);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let _ = ua.get(&requests.first().expect("a request").link()).allow().expect_page("approval-done");
}

/// Nobody is told where nobody wants to hear, and an application goes before a web hook.
#[test]
fn who_is_told() {
    let kit = provider(|kit| kit);
    let _request = asked(&kit);
    assert!(kit.deliver().is_empty() && kit.fetch.asked().is_empty());
    let told = Told::default();
    let kit = provider(|kit| {
        let kit = kit.notifier(told.clone());
        kit.configure(|config: &mut Config| config.ciba.notify.url = HOOK.into())
    });
    let _request = asked(&kit);
    let _ = kit.deliver();
    assert_eq!((told.heard().len(), kit.fetch.asked().len()), (1, 0));
    // What was stored for a notifier that is gone is removed.
    let _ = wait(async { kit.provider.deliver(kit.now()).await });
}
