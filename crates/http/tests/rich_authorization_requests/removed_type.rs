//! RFC 9396 sections 5 and 10: what becomes of requests and grants when their type is taken out of the configuration.

use std::sync::Arc;

use chancery_core::interaction::DECLINED;
use chancery_core::rule::authorization_details::{
    DETAIL_TYPE_UNKNOWN, DETAILS_EXCEED_GRANT, DETAILS_WITHDRAWN,
};
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    Answer, AuthorizationRequest, Backchannel, Code, Device, HtmlPage, SECRET, TestProvider,
    TestProviderBuilder, assert_refused, refusals,
};
use serde_json::{Value, json};

use super::{
    ACCOUNTS, AccountInformation, PAYMENTS, Payment, accounts, asked, client, granted, payment, server,
};

/// The provider before, and started again with these types, or with none.
struct Restarted {
    before: TestProvider,
    one_left: TestProvider,
    none_left: TestProvider,
}

fn of(store: &Arc<MemoryStore>) -> TestProviderBuilder {
    TestProvider::builder()
        .configure(|config| {
            config.pushed_requests.offered = true;
            config.device_authorization.offered = true;
            config.ciba.offered = true;
            (config.compatibility.implicit, config.compatibility.hybrid) = (true, true);
        })
        .store(store.clone())
        .resource_server(server(ACCOUNTS, json!({})))
        .resource_server(server(PAYMENTS, json!({"format": "jwt"})))
        .client(&client("app", json!({})))
}

fn restarted() -> Restarted {
    let store = Arc::new(MemoryStore::new());
    let before = of(&store).detail_type(Payment).detail_type(AccountInformation).build();
    let one_left = of(&store).detail_type(AccountInformation).keys_of(&before).seed(2).build();
    let none_left = of(&store).keys_of(&before).seed(3).build();
    for kit in [&before, &one_left, &none_left] {
        kit.put_device_client("box", json!({"client_secret": SECRET}));
        kit.put_ciba_client("till", "poll", json!({}));
    }
    Restarted { before, one_left, none_left }
}

impl Restarted {
    /// Each of the providers that came after, and what a grant of both types is worth there.
    fn after(&self) -> [(&TestProvider, Value); 2] {
        [(&self.one_left, json!([accounts()])), (&self.none_left, Value::Null)]
    }
}

fn both() -> Value {
    json!([payment(), accounts()])
}

fn code_of(kit: &TestProvider, request: &AuthorizationRequest) -> Code {
    let ua = kit.user_agent();
    request.open(&ua).login("alice").expect_page("consent").allow().expect_code()
}

/// A code and a refresh token from before: their tokens have what is left.
#[test]
fn tokens_have_what_is_left() {
    let all = restarted();
    for (after, left) in all.after() {
        let request = asked(&all.before, &both()).scope("openid");
        let code = code_of(&all.before, &request);
        let tokens = after.send(all.before.code_request(&code).to_http()).expect_status(200);
        assert_eq!(tokens["authorization_details"], left);
        let before = granted(&all.before, &request).expect_status(200);
        assert_eq!(before["authorization_details"], both());
        let active = after.introspect("app", before.member("access_token"));
        assert_eq!((&active["active"], &active["authorization_details"]), (&json!(true), &left));
        let fresh = after.refresh("app", before.member("refresh_token")).expect_status(200);
        assert_eq!(fresh["authorization_details"], left);
        // It comes back, and with it what was granted: nobody has taken that away.
        let back = all.before.refresh("app", fresh.member("refresh_token")).expect_status(200);
        assert_eq!(back["authorization_details"], both());
    }
}

/// Who asks for less by a type that is gone hears that it is unknown, or, where there is none at all, that the parameter
/// means nothing; nothing is used up.
#[test]
fn a_removed_type_is_not_narrowed() {
    let all = restarted();
    let tokens = granted(&all.before, &asked(&all.before, &both()).scope("openid")).expect_status(200);
    let less = |kit: &TestProvider, details: Value| {
        let request = kit.refresh_request("app", tokens.member("refresh_token"));
        request.param("authorization_details", &details.to_string()).send()
    };
    assert_refused!(less(&all.one_left, json!([payment()])), DETAIL_TYPE_UNKNOWN);
    assert_refused!(less(&all.one_left, both()), DETAIL_TYPE_UNKNOWN);
    let more = json!([{"type": "account_information", "actions": ["write"]}]);
    assert_refused!(less(&all.one_left, more), DETAILS_EXCEED_GRANT);
    let narrowed = less(&all.one_left, json!([{"type": "account_information", "actions": ["list"]}]));
    assert_eq!(narrowed.expect_status(200)["authorization_details"][0]["actions"], json!(["list"]));
}

/// A grant of nothing else is worth nothing, and its token introspects as inactive; the code is not used up by that.
#[test]
fn a_grant_of_nothing_else() {
    let all = restarted();
    let only = json!([payment()]);
    for (after, _) in all.after() {
        let request = asked(&all.before, &only);
        let code = code_of(&all.before, &request);
        assert_refused!(after.send(all.before.code_request(&code).to_http()), DETAILS_WITHDRAWN);
        let tokens = all.before.exchange(&code).expect_status(200);
        assert!(all.before.is_active("app", tokens.member("access_token")));
        assert!(!after.is_active("app", tokens.member("access_token")));
        assert_refused!(after.refresh("app", tokens.member("refresh_token")), DETAILS_WITHDRAWN);
        let _ = all.before.refresh("app", tokens.member("refresh_token")).expect_status(200);
    }
}

/// Nobody is asked about what nobody understands any more: not by a pushed request, and not by a page that was open.
#[test]
fn requests_that_were_under_way() {
    let all = restarted();
    let request = asked(&all.before, &both()).scope("openid");
    let pushed = all.before.push(&request);
    let ua = all.before.user_agent();
    ua.signed_in("alice");
    let page = request.open(&ua).expect_page("consent");
    let there = ua.at(&all.one_left);
    let _ = pushed.open(&there).expect_error("invalid_authorization_details");
    let answer = all.one_left.send(page.to_http(&[], ("action", "allow")));
    assert_error_of_client(&answer);
    // Where the parameter means nothing, what is left of the request is asked for, and the page is made anew.
    let there = ua.at(&all.none_left);
    let again = pushed.open(&there).expect_page("consent");
    assert!(!again.page().text.contains("123.50"));
    let answer = all.none_left.send(page.to_http(&[], ("action", "allow")));
    assert_eq!(HtmlPage::read(answer.text()).name, "consent", "{}", answer.text());
    let code = again.allow().expect_code();
    assert_eq!(all.none_left.exchange(&code).expect_status(200)["authorization_details"], Value::Null);
}

fn assert_error_of_client(answer: &Answer) {
    let location = answer.headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
    assert!(location.contains("error=invalid_authorization_details"), "{} {}", answer.status, answer.text());
}

/// What waits for a decision at another device, and what was decided there before.
#[test]
fn at_another_device() {
    let all = restarted();
    let details = both().to_string();
    for (after, left) in all.after() {
        let asks = || {
            let request = all.before.device_request("box").param("authorization_details", &details);
            all.before.device_by("box", request.param("scope", "openid"))
        };
        let ua = all.before.user_agent();
        ua.signed_in("alice");
        let consent = |device: &Device<'_>| {
            ua.enter_user_code(device.user_code())
                .confirm_device()
                .expect_page("consent")
                .to_http(&[], ("action", "allow"))
        };
        // Decided before: the tokens have what is left.
        let decided = asks();
        let _ = all.before.send(consent(&decided)).expect_status(200);
        let tokens = after.send(decided.poll_request().to_http()).expect_status(200);
        assert_eq!(tokens["authorization_details"], left);
        // Looked at before, and answered after; or only opened after.
        let (looked_at, waiting) = (asks(), asks());
        let answer = after.send(consent(&looked_at));
        let there = ua.at(after);
        let tab = there.enter_user_code(waiting.user_code());
        let poll = |device: &Device<'_>| after.send(device.poll_request().to_http());
        if left.is_null() {
            // What is left to ask for was agreed to before.
            let done = (200, "device-done");
            assert_eq!((answer.status.as_u16(), &*HtmlPage::read(answer.text()).name), done);
            assert_eq!(poll(&looked_at).expect_status(200)["authorization_details"], Value::Null);
            let _ = tab.confirm_device().expect_page("device-done");
            assert_eq!(poll(&waiting).expect_status(200)["authorization_details"], Value::Null);
        } else {
            assert_eq!(
                (answer.status.as_u16(), refusals(&answer.events)),
                (400, vec![DETAIL_TYPE_UNKNOWN.name])
            );
            let _ = tab.expect_page("error");
            assert_refused!(poll(&looked_at), DECLINED);
            assert_refused!(poll(&waiting), DECLINED);
        }
    }
}

/// The same in the background.
#[test]
fn in_the_background() {
    let all = restarted();
    let details = both().to_string();
    for (after, left) in all.after() {
        let asks = || {
            let request = all.before.backchannel_request("till", "openid");
            all.before.backchannel_by("till", request.param("authorization_details", &details))
        };
        let ua = all.before.user_agent();
        ua.signed_in("alice");
        let page = |of: &Backchannel<'_>| {
            ua.get(&of.link()).expect_page("approve").to_http(&[], ("action", "allow"))
        };
        let decided = asks();
        let _ = all.before.send(page(&decided)).expect_status(200);
        let tokens = after.send(decided.poll_request().to_http()).expect_status(200);
        assert_eq!(tokens["authorization_details"], left);
        let (looked_at, waiting) = (asks(), asks());
        let answer = after.send(page(&looked_at));
        let there = ua.at(after);
        let tab = there.get(&waiting.link());
        let poll = |of: &Backchannel<'_>| after.send(of.poll_request().to_http());
        if left.is_null() {
            assert_eq!((answer.status.as_u16(), &*HtmlPage::read(answer.text()).name), (200, "approve"));
            let page = tab.expect_page("approve");
            assert!(!page.page().text.contains("123.50"), "{}", page.page().text);
            let _ = page.allow().expect_page("approval-done");
            assert_eq!(poll(&waiting).expect_status(200)["authorization_details"], Value::Null);
        } else {
            assert_eq!(
                (answer.status.as_u16(), refusals(&answer.events)),
                (400, vec![DETAIL_TYPE_UNKNOWN.name])
            );
            let _ = tab.expect_page("error");
            for of in [&looked_at, &waiting] {
                let told = poll(of).expect_status(400);
                assert_eq!(told["error"], "access_denied", "CIBA Core section 11 has no other");
            }
        }
    }
}
