//! RFC 9396 section 11.4: how much is read of what a client asks for in detail.

use chancery_core::rule::authorization_details::DETAILS_TOO_LONG;
use chancery_testkit::{assert_refused, refusals};
use serde_json::{Value, json};

use super::{accounts, asked, builder, granted, payment};

/// 64 KiB, at each door.
#[test]
fn a_lot_is_refused_before_it_is_read() {
    let kit = builder().build();
    let details = Value::from(vec![payment(); 500]).to_string();
    assert!(details.len() > 64 * 1024);
    let details = &details[..64 * 1024 - 4096];
    let request = kit.authorization_request("app").param("authorization_details", details);
    let pushed = kit.push_request(&request).send();
    assert!(matches!(pushed.status.as_u16(), 400 | 413), "{}", pushed.text());
    let tokens = granted(&kit, &asked(&kit, &json!([accounts()]))).expect_status(200);
    let request = kit.refresh_request("app", tokens.member("refresh_token"));
    let answer = request.param("authorization_details", details).send();
    assert!(matches!(answer.status.as_u16(), 400 | 413), "{}", answer.text());
    let _ = kit.refresh("app", tokens.member("refresh_token")).expect_status(200);
}

/// Section 11.4, exactly: 8 KiB are read, and one byte more is too long; 20 objects are read, and 21 are too many. At every
/// door, and without a mark on what is refused.
#[test]
fn exactly_as_much_as_is_read() {
    let kit = builder().build();
    let of_length = |length: usize| {
        let frame = json!([{"type": "account_information", "identifier": ""}]).to_string();
        let details = frame.replace("\"\"", &format!("\"{}\"", "x".repeat(length - frame.len())));
        assert_eq!(details.len(), length);
        details
    };
    let of_number =
        |number: usize| Value::from(vec![json!({"type": "account_information"}); number]).to_string();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let ask = |details: &str| kit.authorization_request("app").param("authorization_details", details);
    for good in [of_length(8 * 1024), of_number(20)] {
        let request = ask(&good);
        let code = kit.push(&request).open(&ua).expect_page("consent").allow().expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        let narrowed = kit.refresh_request("app", tokens.member("refresh_token"));
        let narrowed = narrowed.param("authorization_details", &good).send().expect_status(200);
        assert!(narrowed["authorization_details"].is_array());
        let _ = request.post(&ua).expect_page("consent");
    }
    let tokens = granted(&kit, &asked(&kit, &json!([accounts()]))).expect_status(200);
    for bad in [of_length(8 * 1024 + 1), of_number(21)] {
        assert_refused!(kit.push_request(&ask(&bad)).send(), DETAILS_TOO_LONG);
        assert_refused!(ask(&bad).post(&ua), DETAILS_TOO_LONG);
        let request = kit.refresh_request("app", tokens.member("refresh_token"));
        assert_refused!(request.param("authorization_details", &bad).send(), DETAILS_TOO_LONG);
    }
    // RFC 6749 section 3.2: the whole form. 64 KiB are read, and answered by what is in it; of one byte more nothing is.
    for (length, status, why) in
        [(64 * 1024, 400, DETAILS_TOO_LONG.name), (64 * 1024 + 1, 413, "body_too_long")]
    {
        let form = |details: &str| kit.push_request(&ask(details)).to_http();
        let empty = form("").body().len();
        let request = form(&"x".repeat(length - empty));
        assert_eq!(request.body().len(), length);
        let answer = kit.send(request);
        assert_eq!(answer.status.as_u16(), status, "{length}: {}", answer.text());
        assert_eq!(refusals(&answer.events), [why], "{length}");
    }
    let _ = kit.refresh("app", tokens.member("refresh_token")).expect_status(200);
}
