//! Modules about what a client answers when it is told of a decision.

use chancery_testkit::{Fetched, hours, minutes};
use serde_json::{Value, json};

use super::suite::{PINGED, Variant, in_variants};

/// A ping as CIBA Core section 10.2 has it: the client's token, and in the body nothing but the request's name.
#[track_caller]
pub(crate) fn check(ping: &Fetched, auth_req_id: &str, token: &str) {
    assert_eq!(ping.authorization.as_deref(), Some(&*format!("Bearer {token}")));
    assert_eq!(ping.content_type, "application/json");
    let body: Value = serde_json::from_str(ping.form.as_deref().expect("a body")).expect("JSON");
    assert_eq!(body, json!({"auth_req_id": auth_req_id}));
}

/// fapi-ciba-id1-ping-backchannel-notification-endpoint-response-has-body,
/// fapi-ciba-id1-ping-backchannel-notification-endpoint-response-401,
/// fapi-ciba-id1-ping-backchannel-notification-endpoint-response-403,
/// fapi-ciba-id1-ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry,
/// fapi-ciba-id1-ping-backchannel-notification-endpoint-return-redirect-request
#[test]
fn whatever_the_client_answers() {
    let answers = [
        (200, "Backchannel Notification Endpoint returns a HTTP 200 OK response with a body."),
        (204, ""),
        (301, ""),
        (302, ""),
        (307, ""),
        (401, "Unauthorized, even though the token is valid."),
        (403, "Forbidden, even though the token is valid."),
    ];
    in_variants(Variant::has_pings, |suite| {
        for (status, body) in answers {
            println!("{status}"); // shown when the test fails
            suite.kit.fetch.answers(PINGED, status, body);
            let auth_req_id = suite.accepted(0, &suite.request(0));
            assert_eq!(suite.decide("allow"), 1);
            suite.check_told(0, &auth_req_id);
            // Who has answered is not told again while the tokens wait; a redirect is no answer, and not followed.
            for _ in 0..8 {
                suite.kit.clock.advance(minutes(1));
                suite.kit.run_once();
                let asked = suite.kit.fetch.asked();
                assert!(asked.iter().all(|sent| sent.url == PINGED), "{asked:?}");
                assert!(asked.is_empty() || matches!(status, 300..=399), "told again: {asked:?}");
            }
            // The tokens are there all the same.
            assert_eq!(suite.poll(0, &auth_req_id).status, 200);
            for _ in 0..3 {
                suite.kit.clock.advance(hours(1));
                suite.kit.run_once();
            }
            assert_eq!(suite.kit.fetch.asked(), [], "over");
        }
    });
}

/// A client that cannot be reached, or cannot answer now, gets its tokens all the same: it may ask (CIBA Core section
/// 10.1), and was told as soon as it could be.
#[test]
fn nobody_is_there() {
    in_variants(Variant::has_pings, |suite| {
        for trouble in [None, Some(500), Some(503)] {
            match trouble {
                None => suite.kit.fetch.goes_down(PINGED),
                Some(status) => suite.kit.fetch.answers(PINGED, status, ""),
            }
            let auth_req_id = suite.accepted(0, &suite.request(0));
            assert_eq!(suite.decide("allow"), 1);
            assert!(!suite.pings().is_empty(), "tried");
            assert_eq!(suite.poll(0, &auth_req_id).status, 200);
            suite.kit.fetch.answers(PINGED, 204, "");
            for _ in 0..3 {
                suite.kit.clock.advance(hours(1));
                suite.kit.run_once();
            }
            let later = suite.pings().len();
            suite.kit.clock.advance(hours(1));
            assert_eq!((suite.pings(), later <= 1), (vec![], true), "told once more at most");
        }
    });
}
