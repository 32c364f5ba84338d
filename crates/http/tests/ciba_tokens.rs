//! CIBA Core sections 10.1 and 11: what a client gets after its person has decided, once.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod sqlite_file;

use chancery_core::config::Config;
use chancery_core::endpoint::backchannel_authentication::grant::{AUTH_REQ_ID_FOREIGN, AUTH_REQ_ID_USED};
use chancery_core::interaction::DECLINED;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{
    Answer, Backchannel, CIBA_GRANT, DpopKey, NegativeTable, Refused, TestProvider, UserAgent,
    assert_refused, minutes, refusals, seconds,
};
use serde_json::json;
use sqlite_file::sqlite_file;

fn offered(config: &mut Config) {
    config.ciba.offered = true;
    config.dpop.offered = true;
    config.ciba.person_limit = 1_000;
}

fn provider() -> TestProvider {
    with_clients(TestProvider::builder().configure(offered).build())
}

fn with_clients(kit: TestProvider) -> TestProvider {
    kit.put_ciba_client("till", "poll", json!({}));
    kit.put_ciba_client("other", "poll", json!({}));
    kit
}

/// The person who is asked, signed in.
fn alice(kit: &TestProvider) -> UserAgent<'_> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua
}

/// A request that its person has approved.
fn approved<'k>(kit: &'k TestProvider, scope: &str) -> Backchannel<'k> {
    let till = kit.backchannel("till", scope);
    till.decide(true);
    till
}

/// CIBA-10, CIBA-15, fapi-ciba-id1: pending until the person agrees, then tokens, whose ID token has no hash of a code and
/// none of the claims that only pushed ones need.
#[test]
fn a_client_gets_what_its_person_allows() {
    let kit = provider();
    let till = kit.backchannel("till", "openid profile offline_access");
    let _ = till.expect_error("authorization_pending");
    let ua = alice(&kit);
    let page = ua.get(&till.link()).expect_page("approve");
    kit.clock.advance(seconds(5));
    let _ = till.expect_error("authorization_pending");
    let _ = page.allow().expect_page("approval-done");
    let tokens = till.poll().expect_status(200);
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    assert_eq!(
        (&tokens["token_type"], &tokens["scope"]),
        (&json!("Bearer"), &json!("openid profile offline_access"))
    );
    let id_token = kit.id_token(&tokens, "till");
    assert_eq!((&id_token.claims["sub"], &id_token.claims["aud"]), (&json!("alice"), &json!("till")));
    assert!(id_token.claims["auth_time"].is_number() && id_token.claims["acr"].is_string());
    for absent in ["c_hash", "s_hash", "nonce", "urn:openid:params:jwt:claim:auth_req_id"] {
        assert!(id_token.claims[absent].is_null(), "{absent}");
    }
    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    assert_eq!(userinfo["sub"], "alice");
    let refreshed = kit.refresh("till", tokens.member("refresh_token")).expect_status(200);
    let again = kit.id_token(&refreshed, "till");
    for same in ["iss", "sub", "aud", "auth_time", "acr"] {
        assert_eq!(again.claims[same], id_token.claims[same], "{same}");
    }
}

/// CIBA-16, GAP-04: a no has its description, however often the client asks.
#[test]
fn a_no_is_told() {
    let kit = provider();
    let till = kit.backchannel("till", "openid");
    let _ = alice(&kit).get(&till.link()).deny().expect_page("approval-done");
    for _ in 0..3 {
        let refused = till.poll().expect_status(400);
        assert_eq!(
            (refused.member("error"), refused.member("error_description")),
            ("access_denied", DECLINED.description)
        );
        assert_refused!(refused, DECLINED);
    }
}

/// The calls of the store: a request is one, a poll while nothing is decided one, one that is too early another for the
/// longer interval, and the poll that brings the tokens one.
#[test]
fn trips() {
    let kit = provider();
    let (till, trips) = kit.trips(|| kit.backchannel("till", "openid offline_access"));
    assert_eq!(trips, 1, "asked");
    assert_eq!(kit.trips(|| till.expect_error("authorization_pending")).1, 1);
    assert_eq!(kit.trips(|| till.expect_error("slow_down")).1, 2);
    let _ = alice(&kit).get(&till.link()).allow().expect_page("approval-done");
    assert_eq!(kit.trips(|| till.poll().expect_status(200)).1, 1, "it was approved in this process");
}

/// CIBA-15: a used name ends what came of it, in whatever minute; in foreign hands it ends nothing.
#[test]
fn a_replay_ends_the_grant() {
    for later in [seconds(0), minutes(9), minutes(10), minutes(15)] {
        let kit = provider();
        let till = approved(&kit, "openid offline_access");
        let tokens = till.poll().expect_status(200);
        kit.clock.advance(later);
        let foreign =
            kit.token_request("other").param("grant_type", CIBA_GRANT).param("auth_req_id", till.id());
        assert_refused!(foreign.send(), AUTH_REQ_ID_FOREIGN);
        assert!(kit.is_active("till", tokens.member("refresh_token")), "{later:?}");
        let refused = till.poll();
        assert_refused!(refused, AUTH_REQ_ID_USED);
        assert_eq!(refused.event_names(), ["grant_ended", "refused"]);
        assert!(!kit.is_active("till", tokens.member("refresh_token")), "{later:?}");
    }
}

/// RFC 9449 section 5: the poll that brings the tokens says what they are bound to.
#[test]
fn tokens_are_bound_to_the_key_of_the_poll() {
    let kit = provider();
    let (till, key) = (approved(&kit, "openid"), DpopKey::generate(Es256));
    let tokens = key.prove(till.poll_request()).send().expect_status(200);
    assert_eq!(tokens["token_type"], "DPoP");
    let introspected = kit.introspect("till", tokens.member("access_token"));
    assert_eq!(introspected["cnf"]["jkt"], key.thumbprint());
}

/// 64 polls of one approved request at once: one succeeds, and because the others are replays, its tokens are dead
/// afterwards.
fn one_poll_succeeds(kit: &TestProvider, rounds: u64) {
    for round in 0..rounds {
        let till = approved(kit, "openid offline_access");
        let answers = kit.send_at_once(round, vec![till.poll_request().to_http(); 64]);
        let (won, lost): (Vec<&Answer>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "round {round}");
        for answer in lost {
            let reasons = refusals(&answer.events);
            // Who looks when the grant is dead already finds nothing.
            assert!(reasons == ["auth_req_id_used"] || reasons == ["auth_req_id_unknown"], "{reasons:?}");
            assert_eq!((answer.status.as_u16(), answer.member("error")), (400, "invalid_grant"));
        }
        assert!(!kit.is_active("till", won[0].member("refresh_token")), "round {round}");
    }
}

#[test]
fn of_64_polls_at_once_one_succeeds_on_memory() {
    one_poll_succeeds(&provider(), 200);
}

#[test]
fn of_64_polls_at_once_one_succeeds_on_sqlite() {
    let builder = TestProvider::builder().store(sqlite_file("ciba_polls"));
    one_poll_succeeds(&with_clients(builder.configure(offered).build()), 200);
}

/// CIBA-13: where there is no type of them, details are refused; what is no name is none.
#[test]
fn refused() {
    let kit = provider();
    let used = approved(&kit, "openid");
    let _ = used.poll().expect_status(200);
    let waits = kit.backchannel("till", "openid");
    NegativeTable::new(&kit)
        .row(
            "without authentication",
            waits.poll_request().unauthenticated(),
            Refused::Json(400, "invalid_request"),
        )
        .row("a wrong secret", waits.poll_request().secret("wrong"), Refused::Json(401, "invalid_client"))
        .row(
            "the name twice",
            waits.poll_request().param("auth_req_id", waits.id()),
            Refused::Json(400, "invalid_request"),
        )
        .row(
            "the name in capitals",
            waits.poll_request().set("auth_req_id", &waits.id().to_uppercase()),
            Refused::Json(400, "invalid_grant"),
        )
        .row(
            "a client without the grant type",
            kit.token_request("web").param("grant_type", CIBA_GRANT).param("auth_req_id", waits.id()),
            Refused::Json(400, "unauthorized_client"),
        )
        .row(
            "details of no type",
            kit.backchannel_request("till", "openid").param("authorization_details", r#"[{"type":"x"}]"#),
            Refused::Json(400, "invalid_request"),
        )
        .run();
}
