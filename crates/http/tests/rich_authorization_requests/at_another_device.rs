//! What is asked for in detail by a device, or in the background.

use chancery_core::config::Config;
use chancery_core::rule::authorization_details::DETAIL_TYPE_MISSING;
use chancery_testkit::{SECRET, assert_refused, notification_endpoint, notification_token};
use chancery_types::iana::BackchannelTokenDeliveryMode::{Poll, Push};
use serde_json::{Value, json};

use super::{accounts, builder, payment};

/// RAR-12, RT-12: RFC 9396 section 11.2: a device asks in detail, too, and its tokens can be narrowed like any others.
#[test]
fn for_a_device() {
    let kit = builder().configure(|config| config.device_authorization.offered = true).build();
    kit.put_device_client("box", json!({"client_secret": SECRET, "chancery": {"refresh_tokens": "always"}}));
    let details = json!([payment(), accounts()]);
    let asks = |details: &str| kit.device_request("box").param("authorization_details", details);
    let device = kit.device_by("box", asks(&details.to_string()));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = ua.enter_user_code(device.user_code()).confirm_device().expect_page("consent");
    assert!(page.page().text.contains("123.50"), "{}", page.page().text);
    let _ = page.allow().expect_page("device-done");
    let wanted = json!([{"type": "account_information"}]).to_string();
    let tokens = device.poll().expect_status(200);
    assert_eq!(tokens["authorization_details"], details);
    let request = kit.refresh_request("box", tokens.member("refresh_token"));
    let less = request.param("authorization_details", &wanted).send().expect_status(200);
    assert_eq!(less["authorization_details"], json!([accounts()]));
    assert_refused!(asks("[{}]").send(), DETAIL_TYPE_MISSING);
}

/// CIBA-13: a client that asks in the background: the page for approvals shows the details, and the tokens have them,
/// fetched or sent.
#[test]
fn for_a_background_request() {
    let offered = |config: &mut Config| {
        config.ciba.offered = true;
        config.ciba.delivery_modes = vec![Poll, Push];
    };
    let kit = builder().configure(offered).build();
    let details = json!([payment(), accounts()]);
    for mode in ["poll", "push"] {
        kit.put_ciba_client(mode, mode, json!({}));
        kit.fetch.answers(&notification_endpoint(mode), 204, "");
        let request =
            kit.backchannel_request(mode, "openid").param("authorization_details", &details.to_string());
        let request = request.param("client_notification_token", &notification_token(mode));
        let till = kit.backchannel_by(mode, request);
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let page = ua.get(&till.link()).expect_page("approve");
        assert!(page.page().text.contains("123.50"), "{}", page.page().text);
        let _ = page.allow().expect_page("approval-done");
        if mode == "poll" {
            assert_eq!(till.poll().expect_status(200)["authorization_details"], details);
        } else {
            let _ = kit.deliver();
            let sent = kit.fetch.asked().pop().and_then(|sent| sent.form).unwrap_or_default();
            let pushed: Value = serde_json::from_str(&sent).unwrap_or_default();
            assert_eq!(pushed["authorization_details"], details, "{sent}");
        }
    }
}
