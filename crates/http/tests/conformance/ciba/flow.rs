//! Modules about requests that a person decides, or does not.

use chancery_testkit::seconds;
use serde_json::Value;

use super::suite::{SCOPE, Suite, in_each};

/// fapi-ciba-id1: two clients, each with its own certificate; the second one asks for a class of authentication and
/// a lifetime, and what it got is good once.
#[test]
fn two_clients() {
    in_each(|suite| {
        let tokens = suite.outcome(0, &suite.request(0));
        let access_token = tokens.member("access_token");
        let in_query = format!("/userinfo?access_token={access_token}");
        let request = suite.kit.anonymous_request(&in_query).get().certificate(&suite.certificates[0]);
        assert!(request.send().status.is_client_error(), "no token in the query");
        for accept in ["application/json; charset=utf-8", "application/json, application/*+json, */*"] {
            let request = suite.kit.anonymous_request("/userinfo").get();
            let request = request.header("authorization", &format!("Bearer {access_token}"));
            let request = request.header("accept", accept).certificate(&suite.certificates[0]);
            assert_eq!(request.send().status, 200, "{accept}");
        }

        let auth_req_id = suite.accepted(1, &suite.request(1));
        let tokens = suite.outcome_of(1, &auth_req_id);
        let id_token = suite.kit.id_token(&tokens, &suite.ids[1]);
        assert_eq!(id_token.claims["acr"], suite.acr());
        suite.kit.clock.advance(seconds(10));
        Suite::says(&suite.poll(1, &auth_req_id), &["invalid_grant"]);
    });
}

/// fapi-ciba-id1-user-rejects-authentication
#[test]
fn a_person_who_says_no() {
    in_each(|suite| {
        let auth_req_id = suite.accepted(0, &suite.request(0));
        suite.still_pending(0, &auth_req_id);
        assert_eq!(suite.decide("deny"), 1);
        suite.check_told(0, &auth_req_id);
        Suite::says(&suite.poll(0, &auth_req_id), &["access_denied"]);
        // It stays so.
        suite.kit.clock.advance(seconds(10));
        Suite::says(&suite.poll(0, &auth_req_id), &["access_denied", "invalid_grant"]);
    });
}

/// fapi-ciba-id1-auth-req-id-expired
#[test]
fn a_person_who_does_not_come() {
    in_each(|suite| {
        let mut request = suite.request(0);
        request["requested_expiry"] = 10.into();
        let answer = suite.ask(0, &request);
        assert_eq!(answer["expires_in"], 10);
        let auth_req_id = suite.check_accepted(&answer);
        for _ in [(); 2] {
            Suite::says(&suite.poll(0, &auth_req_id), &["authorization_pending", "slow_down"]);
            suite.kit.clock.advance(seconds(5));
        }
        let _ = suite.pings(); // may say that it has expired
        suite.kit.clock.advance(seconds(5));
        Suite::says(&suite.poll(0, &auth_req_id), &["expired_token"]);
        assert_eq!(suite.decide("allow"), 0, "too late");
        suite.kit.clock.advance(seconds(10));
        assert_ne!(suite.poll(0, &auth_req_id).status, 200);
    });
}

/// fapi-ciba-id1-ensure-authorization-request-with-binding-message-succeeds,
/// fapi-ciba-id1-ensure-other-scope-order-succeeds, fapi-ciba-id1-ensure-requested-expiry-as-string-succeeds
#[test]
fn spellings_that_are_good() {
    let reversed = SCOPE.split(' ').rev().collect::<Vec<_>>().join(" ");
    let changes: [(&str, Value); 4] = [
        ("binding_message", "1234".into()),
        ("scope", reversed.into()),
        ("requested_expiry", "30".into()),
        ("requested_expiry", 30.into()),
    ];
    in_each(|suite| {
        for (name, value) in &changes {
            let mut request = suite.request(0);
            request[*name] = value.clone();
            let answer = suite.ask(0, &request);
            if *name == "requested_expiry" {
                assert_eq!(answer["expires_in"], 30);
            }
            let _ = suite.outcome_of(0, &suite.check_accepted(&answer));
        }
    });
}

/// fapi-ciba-id1-multiple-call-to-token-endpoint
#[test]
fn a_client_without_patience() {
    in_each(|suite| {
        let auth_req_id = suite.accepted(0, &suite.request(0));
        suite.still_pending(0, &auth_req_id);
        for _ in 0..20 {
            Suite::says(&suite.poll(0, &auth_req_id), &["authorization_pending", "slow_down"]);
        }
        assert_eq!(suite.decide("allow"), 1);
        suite.check_told(0, &auth_req_id);
    });
}
