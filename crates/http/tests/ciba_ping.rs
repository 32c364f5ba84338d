//! OpenID Connect CIBA Core 1.0 section 10.2: a client that polls is told when it is worth while.

#![expect(clippy::panic, reason = "tests")]

use chancery_testkit::{
    Backchannel, Fetched, TestProvider, minutes, names, notification_endpoint, notification_token, seconds,
};
use chancery_types::iana::BackchannelTokenDeliveryMode::{Ping, Poll};
use serde_json::{Value, json};

fn provider() -> TestProvider {
    let kit = TestProvider::builder().configure(|config| {
        config.ciba.offered = true;
        config.ciba.delivery_modes = vec![Poll, Ping];
    });
    let kit = kit.build();
    kit.put_ciba_client("till", "ping", json!({}));
    kit.put_ciba_client("poller", "poll", json!({}));
    kit.fetch.answers(&notification_endpoint("till"), 204, "");
    kit
}

fn sent(kit: &TestProvider) -> Vec<Fetched> {
    let _ = kit.deliver();
    kit.fetch.asked()
}

/// What it says, and nothing else: no token, no decision.
#[track_caller]
fn expect_ping(sent: &[Fetched], till: &Backchannel<'_>) {
    let [ping] = sent else { panic!("one ping: {sent:?}") };
    assert_eq!(ping.url, notification_endpoint("till"));
    assert_eq!(ping.content_type, "application/json");
    assert_eq!(ping.authorization, Some(format!("Bearer {}", notification_token("till"))));
    let body: Value = serde_json::from_str(ping.form.as_deref().unwrap_or_default()).unwrap_or_default();
    assert_eq!(body, json!({"auth_req_id": till.id()}));
}

/// CIBA-14: after a yes and after a no the client hears once that it can ask, and then it learns which it
/// was.
#[test]
fn a_client_is_told_that_it_can_ask() {
    let kit = provider();
    for (is_yes, told) in [(true, None), (false, Some("access_denied"))] {
        let till = kit.backchannel("till", "openid");
        assert_eq!(till.answer.member_names(), ["auth_req_id", "expires_in", "interval"]);
        assert!(sent(&kit).is_empty(), "nothing is decided");
        kit.clock.advance(seconds(7));
        let _ = till.expect_error("authorization_pending");
        till.decide(is_yes);
        expect_ping(&sent(&kit), &till);
        assert!(sent(&kit).is_empty(), "told once");
        match told {
            None => {
                let answer = till.poll().expect_status(200);
                assert!(answer["id_token"].is_string() && answer["access_token"].is_string());
            }
            Some(code) => drop(till.expect_error(code)),
        }
    }
    let poller = kit.backchannel("poller", "openid");
    poller.decide(true);
    assert!(sent(&kit).is_empty(), "a client that polls is told nothing");
    let _ = poller.poll().expect_status(200);
}

/// Section 10.2: nobody is told of the end of a time that the client knows.
#[test]
fn nobody_is_told_that_time_is_over() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    kit.clock.advance(minutes(11));
    assert!(sent(&kit).is_empty());
    let _ = till.expect_error("expired_token");
}

/// fapi-ciba-id1-ping-backchannel-notification-endpoint-response-has-body,
/// fapi-ciba-id1-ping-backchannel-notification-endpoint-response-401,
/// fapi-ciba-id1-ping-backchannel-notification-endpoint-response-403,
/// fapi-ciba-id1-ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry,
/// fapi-ciba-id1-ping-backchannel-notification-endpoint-return-redirect-request: whatever the client's endpoint answers,
/// the client can poll; what may be better later is tried again, while the
/// answer is of use, and redirects are not followed.
#[test]
fn whatever_the_endpoint_answers_nothing_is_lost() {
    for (status, is_final) in [
        (200, true),
        (301, true),
        (307, true),
        (400, true),
        (401, true),
        (403, true),
        (404, true),
        (429, false),
        (500, false),
        (503, false),
    ] {
        let kit = provider();
        let till = kit.backchannel("till", "openid");
        kit.fetch.answers(&notification_endpoint("till"), status, "{\"location\": 1}");
        till.decide(true);
        let events = kit.deliver();
        let name = if status < 300 { "decision_notified" } else { "decision_notification_failed" };
        assert_eq!(names(&events), [name], "{status}");
        expect_ping(&kit.fetch.asked(), &till);
        kit.clock.advance(seconds(3));
        assert_eq!(sent(&kit).is_empty(), is_final, "{status}");
        kit.fetch.answers(&notification_endpoint("till"), 204, "");
        kit.clock.advance(minutes(2));
        assert_eq!(sent(&kit).is_empty(), is_final, "{status}");
        kit.clock.advance(minutes(5));
        assert!(sent(&kit).is_empty(), "{status}: heard");
        let _ = till.poll().expect_status(200);
    }
}

/// An endpoint that nobody answers at is tried until the answer is of no use any more.
#[test]
fn an_endpoint_that_is_down_is_given_up_in_the_end() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    kit.fetch.goes_down(&notification_endpoint("till"));
    till.decide(true);
    let mut attempts = 0;
    for _ in 0..40 {
        attempts += sent(&kit).len();
        kit.clock.advance(seconds(30));
    }
    assert!((4..=20).contains(&attempts), "{attempts}");
    kit.fetch.answers(&notification_endpoint("till"), 204, "");
    kit.clock.advance(minutes(30));
    assert!(sent(&kit).is_empty(), "given up");
}

/// The token of each request is its own, and a request of a client that is told must have one.
#[test]
fn each_request_has_its_own_token() {
    let kit = provider();
    let token = "x".repeat(1023) + "=";
    let request = kit.backchannel_request("till", "openid").param("client_notification_token", &token);
    let till = kit.backchannel_by("till", request);
    let other = kit.backchannel("till", "openid");
    till.decide(true);
    let pings = sent(&kit);
    let [ping] = pings.as_slice() else { panic!("{pings:?}") };
    assert_eq!(ping.authorization, Some(format!("Bearer {token}")));
    other.decide(false);
    expect_ping(&sent(&kit), &other);

    let without = kit.backchannel_request("till", "openid").send().expect_status(400);
    assert_eq!(without["error"], "invalid_request");
    for bad in [&"x".repeat(1025), "with space", "k\u{f6}ln", "a=b", "", "a\r\nX: y"] {
        let request = kit.backchannel_request("till", "openid").param("client_notification_token", bad);
        assert_eq!(request.send().expect_status(400)["error"], "invalid_request", "{bad:?}");
    }
}

/// A client that has gone meanwhile is told nothing.
#[test]
fn a_client_that_has_gone_is_told_nothing() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    till.decide(true);
    kit.remove_client("till");
    assert!(sent(&kit).is_empty());
}

/// An endpoint that takes the ping and never answers is given up after five seconds, and told again; the client polls
/// meanwhile.
#[test]
fn an_endpoint_that_hangs_holds_nobody_up() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    kit.fetch.hangs(&notification_endpoint("till"));
    till.decide(true);
    let mut hanging = Box::pin(kit.provider.deliver(kit.now()));
    let mut is_over = || {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        (0..500).any(|_| hanging.as_mut().poll(&mut context).is_ready())
    };
    assert!(!is_over(), "it hangs");
    kit.clock.advance(seconds(5));
    assert!(is_over(), "it is given up");
    drop(hanging);
    expect_ping(&kit.fetch.asked(), &till);
    kit.clock.advance(seconds(3));
    let _ = till.poll().expect_status(200);
}
