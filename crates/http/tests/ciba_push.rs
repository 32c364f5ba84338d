//! OpenID Connect CIBA Core 1.0 sections 10.3 and 12: a client gets its tokens sent, or the error.

#![expect(clippy::panic, reason = "tests")]

use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{
    CIBA_GRANT, Fetched, HtmlPage, SECRET, TestProvider, minutes, names, notification_endpoint,
    notification_token, seconds,
};
use chancery_types::iana::BackchannelTokenDeliveryMode::{Poll, Push};
use serde_json::{Value, json};

fn provider() -> TestProvider {
    let kit = TestProvider::builder().configure(|config| {
        config.ciba.offered = true;
        config.ciba.delivery_modes = vec![Push];
    });
    let kit = kit.build();
    kit.put_ciba_client("till", "push", json!({"grant_types": ["refresh_token"]}));
    kit.fetch.answers(&notification_endpoint("till"), 204, "");
    kit
}

fn sent(kit: &TestProvider) -> Vec<Fetched> {
    let _ = kit.deliver();
    kit.fetch.asked()
}

#[track_caller]
fn pushed(sent: &[Fetched]) -> Value {
    let [push] = sent else { panic!("one push: {sent:?}") };
    assert_eq!(push.url, notification_endpoint("till"));
    assert_eq!(push.content_type, "application/json");
    assert_eq!(push.authorization, Some(format!("Bearer {}", notification_token("till"))));
    serde_json::from_str(push.form.as_deref().unwrap_or_default()).unwrap_or_default()
}

/// CIBA-02, section 10.3.1: the tokens and the `auth_req_id`, and an ID token that vouches for all of them.
#[test]
fn tokens_are_sent_once() {
    let kit = provider();
    let till = kit.backchannel("till", "openid email offline_access");
    assert_eq!(till.answer.member_names(), ["auth_req_id", "expires_in"], "nobody polls");
    assert!(sent(&kit).is_empty(), "nothing is decided");
    till.decide(true);
    let body = pushed(&sent(&kit));
    assert_eq!((&body["auth_req_id"], &body["token_type"]), (&json!(till.id()), &json!("Bearer")));
    assert!(body["expires_in"].is_u64());
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    assert!(!access.is_empty() && !refresh.is_empty());
    let id_token = kit.try_verify(&text("id_token"), "till").unwrap_or_else(|why| panic!("{why:?}"));
    let claims = id_token.claims;
    assert_eq!(claims["at_hash"], Es256.hash().left_half(&access));
    assert_eq!(claims["urn:openid:params:jwt:claim:rt_hash"], Es256.hash().left_half(&refresh));
    assert_eq!(claims["urn:openid:params:jwt:claim:auth_req_id"], till.id());
    assert!(claims["auth_time"].is_u64() && claims["nonce"].is_null());
    let claims = kit.userinfo(&access).expect_status(200);
    assert_eq!(claims["sub"], "alice");
    let refreshed =
        kit.token_request("till").param("grant_type", "refresh_token").param("refresh_token", &refresh);
    let refreshed = refreshed.send().expect_status(200);
    assert!(refreshed["access_token"].is_string());
    assert!(sent(&kit).is_empty(), "sent once");
}

/// Section 12: the error and the `auth_req_id`, and no token.
#[test]
fn a_no_is_sent() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    till.decide(false);
    let body = pushed(&sent(&kit));
    assert_eq!((&body["auth_req_id"], &body["error"]), (&json!(till.id()), &json!("access_denied")));
    let names: Vec<_> = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["auth_req_id", "error", "error_description"]);
    let said = body["error_description"].as_str().unwrap_or_default();
    assert!(said.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{said}");
}

/// What does not arrive is sent again, and is the same: tokens are made once. What the client's endpoint refuses is not
/// sent again, and redirects are not followed.
#[test]
fn what_is_sent_again_is_the_same() {
    for (status, is_final) in [(301, true), (401, true), (403, true), (429, false), (500, false)] {
        let kit = provider();
        let till = kit.backchannel("till", "openid");
        kit.fetch.answers(&notification_endpoint("till"), status, "");
        till.decide(true);
        let events = kit.deliver();
        let first = pushed(&kit.fetch.asked());
        if is_final {
            assert_eq!(names(&events), ["grant_ended", "decision_notification_failed"], "{status}");
            assert_eq!(kit.userinfo(first["access_token"].as_str().unwrap_or_default()).status, 401);
        } else {
            assert_eq!(names(&events), ["decision_notification_failed"], "{status}");
        }
        kit.clock.advance(seconds(3));
        kit.fetch.answers(&notification_endpoint("till"), 200, "ignored");
        let again = sent(&kit);
        if is_final {
            assert!(again.is_empty(), "{status}");
        } else {
            assert_eq!(pushed(&again), first, "{status}");
            let _ = kit.userinfo(first["access_token"].as_str().unwrap_or_default()).expect_status(200);
        }
        kit.clock.advance(minutes(5));
        assert!(sent(&kit).is_empty(), "{status}");
    }
}

/// Tokens that never arrive are known to nobody, and their grant ends when they are given up: because time is over, or
/// because there is no client any more that they could be sent to. Until then it lives, and so does one whose tokens have
/// arrived.
#[test]
fn a_grant_ends_with_the_tokens_that_never_arrive() {
    for ends in ["over", "moved", "disabled", "arrived"] {
        let kit = provider();
        let till = kit.backchannel("till", "openid offline_access");
        kit.fetch.goes_down(&notification_endpoint("till"));
        till.decide(true);
        let body = pushed(&sent(&kit));
        let access = body["access_token"].as_str().unwrap_or_default();
        let _ = kit.userinfo(access).expect_status(200);
        match ends {
            "moved" => {
                let polls = json!({"backchannel_token_delivery_mode": "push",
                    "backchannel_client_notification_endpoint": "https://moved.example/ciba"});
                assert_eq!(kit.change_client("till", &polls.to_string()).err(), None);
                kit.fetch.answers("https://moved.example/ciba", 400, "");
            }
            "disabled" => {
                let disabled = json!({"chancery": {"enabled": false}});
                assert_eq!(kit.change_client("till", &disabled.to_string()).err(), None);
            }
            "arrived" => kit.fetch.answers(&notification_endpoint("till"), 204, ""),
            _ => {}
        }
        let mut events = Vec::new();
        for _ in 0..30 {
            kit.clock.advance(seconds(30));
            events.extend(kit.deliver());
        }
        let enabled = json!({"chancery": {"enabled": true}});
        assert_eq!(kit.change_client("till", &enabled.to_string()).err(), None);
        let has_ended = names(&events).contains(&"grant_ended");
        assert_eq!(has_ended, ends != "arrived", "{ends}: {:?}", names(&events));
        let of_grant = kit.refresh("till", body["refresh_token"].as_str().unwrap_or_default()).status;
        assert_eq!(of_grant == 200, ends == "arrived", "{ends}");
        let last = names(&events).last().copied();
        let expected = match ends {
            "arrived" => "decision_notified",
            "disabled" => "grant_ended",
            _ => "decision_notification_failed",
        };
        assert_eq!(last, Some(expected), "{ends}");
    }
}

/// A yes that is given twice, as by a second click, makes one set of tokens.
#[test]
fn a_second_click_sends_nothing_more() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = ua.get(&till.link()).expect_page("approve");
    let fields = page.form().fields;
    let fields: Vec<_> = fields.into_iter().chain([("action".to_owned(), "allow".to_owned())]).collect();
    let action = page.form().action;
    let _ = page.post(&action, &fields).expect_page("approval-done");
    let _ = page.post(&action, &fields).expect_page("approval-done");
    let _ = pushed(&sent(&kit));
    assert!(sent(&kit).is_empty());
}

/// The same in the same moment, whichever of the two is first at each step: an ordinary answer for both.
#[test]
fn two_clicks_at_once() {
    let kit = provider();
    for seed in 0..100 {
        let till = kit.backchannel("till", "openid");
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let page = ua.get(&till.link()).expect_page("approve");
        let click = || page.to_http(&[], ("action", "allow"));
        let answers = kit.send_at_once(seed, vec![click(), click()]);
        let pages: Vec<String> = answers
            .iter()
            .map(|answer| format!("{} {}", answer.status.as_u16(), HtmlPage::read(answer.text()).name))
            .collect();
        assert!(pages.iter().all(|page| page == "200 approval-done" || page == "200 approvals"), "{pages:?}");
        assert!(pages.iter().any(|page| page == "200 approval-done"), "{pages:?}");
        let body = pushed(&sent(&kit));
        let _ = kit.userinfo(body["access_token"].as_str().unwrap_or_default()).expect_status(200);
        assert!(sent(&kit).is_empty(), "{seed}");
    }
}

/// Whoever withdraws before the tokens have arrived withdraws the tokens.
#[test]
fn tokens_of_a_grant_that_has_ended_are_worth_nothing() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    kit.fetch.answers(&notification_endpoint("till"), 503, "");
    till.decide(true);
    let body = pushed(&sent(&kit));
    let access = body["access_token"].as_str().unwrap_or_default();
    let revoked = kit.request("/revoke", "till").param("token", access).send();
    let _ = revoked.expect_status(200);
    assert_eq!(kit.userinfo(access).status, 401);
}

/// Nothing can be fetched, neither by this client nor by another one.
#[test]
fn nobody_fetches_what_is_sent() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    till.decide(true);
    let polled =
        kit.token_request("till").param("grant_type", CIBA_GRANT).param("auth_req_id", till.id()).send();
    let polled = polled.expect_status(400);
    assert!(matches!(polled.member("error"), "unauthorized_client" | "unsupported_grant_type"));
    let without = kit.backchannel_request("till", "openid").send().expect_status(400);
    assert_eq!(without["error"], "invalid_request", "client_notification_token is required");
}

/// Section 10.3.1: the ID token has to vouch for the rest, so it is signed, also where others need not be.
#[test]
fn what_is_sent_is_signed() {
    let kit = TestProvider::builder().configure(|config| {
        config.ciba.offered = true;
        config.ciba.delivery_modes = vec![Poll, Push];
        config.compatibility.unsigned_id_token = true;
    });
    let kit = kit.build();
    let complaints = |mode: &str| {
        let metadata = json!({"client_id": mode, "client_secret": SECRET, "response_types": [],
            "grant_types": [CIBA_GRANT], "id_token_signed_response_alg": "none",
            "backchannel_token_delivery_mode": mode,
            "backchannel_client_notification_endpoint": notification_endpoint(mode)});
        kit.registry.put(&metadata.to_string()).err().map(|complaints| format!("{complaints:?}"))
    };
    assert_eq!(complaints("poll"), None);
    assert!(complaints("push").is_some_and(|text| text.contains("id_token_signed_response_alg")));
}
