//! What peers see when a call of the store fails: 503, and the same request succeeds afterwards.

use chancery_core::event::Event;
use chancery_testkit::{Answer, Device, TestProvider, minutes, refusals};
use serde_json::json;

/// What is done with a failing store.
type Scenario = for<'k> fn(&'k TestProvider) -> Box<dyn Fn() -> Answer + 'k>;

/// A device that lives as long as its provider.
fn lasting_device<'k>(kit: &'k TestProvider) -> &'k Device<'k> {
    let device: &'k Device<'k> = Box::leak(Box::new(kit.device("tv", "openid")));
    device
}

const SCENARIOS: &[(&str, Scenario)] = &[
    ("authorization", |kit| {
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        Box::new(|| kit.authorization_request("web").scope("openid").open(ua).answer().clone())
    }),
    ("prompt=none", |kit| {
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        let request = kit.authorization_request("web").scope("openid").set("prompt", "none");
        Box::new(move || request.open(ua).answer().clone())
    }),
    ("login", |kit| {
        let tab = kit.authorization_request("operator").scope("openid").open(kit.lasting_user_agent());
        Box::new(move || tab.login("alice").answer().clone())
    }),
    ("a wrong password", |kit| {
        let tab = kit.authorization_request("web").scope("openid").open(kit.lasting_user_agent());
        Box::new(move || tab.login_wrongly("alice").answer().clone())
    }),
    ("login, then consent", |kit| {
        let tab = kit.authorization_request("web").scope("openid").open(kit.lasting_user_agent());
        Box::new(move || tab.login("alice").answer().clone())
    }),
    ("login again", |kit| {
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        kit.clock.advance(minutes(1));
        let tab = kit.authorization_request("web").scope("openid").set("prompt", "login").open(ua);
        Box::new(move || tab.login("alice").answer().clone())
    }),
    ("consent", |kit| {
        let tab =
            kit.authorization_request("web").scope("openid").open(kit.lasting_user_agent()).login("alice");
        Box::new(move || tab.allow().answer().clone())
    }),
    ("account chooser", |kit| {
        let ua = kit.lasting_user_agent();
        ua.signed_in("bob");
        ua.signed_in("alice");
        ua.has_consented("bob", "web", "openid");
        let tab = kit.authorization_request("web").scope("openid").set("prompt", "select_account").open(ua);
        Box::new(move || tab.choose("bob").answer().clone())
    }),
    ("the page of a stored interaction", |kit| {
        let tab =
            kit.authorization_request("web").scope("openid").open(kit.lasting_user_agent()).login("alice");
        Box::new(move || tab.reload().answer().clone())
    }),
    ("code", |kit| {
        let code = kit.code("alice", "web", "openid offline_access");
        Box::new(move || kit.exchange(&code))
    }),
    ("a used code", |kit| {
        let code = kit.code("alice", "web", "openid offline_access");
        let _ = kit.exchange(&code);
        Box::new(move || kit.exchange(&code))
    }),
    ("refresh", |kit| {
        let token = kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
        Box::new(move || kit.refresh("web", &token))
    }),
    ("a push", |kit| {
        let request = kit.authorization_request("web").scope("openid");
        Box::new(move || kit.push_request(&request).send())
    }),
    ("a pushed request", |kit| {
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid");
        let pushed = kit.push(&kit.authorization_request("web").scope("openid"));
        Box::new(move || pushed.open(ua).answer().clone())
    }),
    ("a device asks", |kit| Box::new(|| kit.device_request("tv").param("scope", "openid").send())),
    ("a poll", |kit| {
        let device = lasting_device(kit);
        Box::new(move || device.poll())
    }),
    ("a poll that is too early", |kit| {
        let device = lasting_device(kit);
        let _ = device.poll();
        Box::new(move || device.poll())
    }),
    ("the poll after an approval", |kit| {
        let device = lasting_device(kit);
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "tv", "openid");
        let _ = ua.enter_user_code(device.user_code()).confirm_device().expect_page("device-done");
        Box::new(move || device.poll())
    }),
    ("a user code", |kit| {
        let device = lasting_device(kit);
        let page = kit.lasting_user_agent().get("/device");
        Box::new(move || page.enter_user_code(device.user_code()).answer().clone())
    }),
    ("a wrong user code", |kit| {
        let page = kit.lasting_user_agent().get("/device");
        Box::new(move || page.enter_user_code("BBBB-BBBB").answer().clone())
    }),
    ("an approval", |kit| {
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "tv", "openid");
        let tab = ua.enter_user_code(lasting_device(kit).user_code()).expect_page("confirm-device");
        Box::new(move || tab.confirm_device().answer().clone())
    }),
    ("a device that is not one's own", |kit| {
        let tab = kit.lasting_user_agent().enter_user_code(lasting_device(kit).user_code());
        Box::new(move || tab.deny().answer().clone())
    }),
    ("client_credentials", |kit| Box::new(|| kit.client_credentials_request("web").send())),
    ("introspection", |kit| {
        let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
        Box::new(move || kit.introspection_request("web", &token).send())
    }),
    ("introspection of a JWT", |kit| {
        let token = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
        Box::new(move || kit.introspection_request("api", &token).send())
    }),
    ("revocation of a refresh token", |kit| {
        let token = kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
        Box::new(move || kit.revoke("web", &token))
    }),
    ("revocation of an access token", |kit| {
        let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
        Box::new(move || kit.revoke("web", &token))
    }),
    ("revocation of a JWT", |kit| {
        let token = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
        Box::new(move || kit.revoke("jwt", &token))
    }),
    ("userinfo", |kit| {
        let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
        Box::new(move || kit.userinfo(&token))
    }),
];

/// ERR-03, ERR-18, EVT-04, SESS-23: each call of the store fails once: 503, one event, nothing for the peer;
/// and the same request succeeds afterwards, because nothing was used up.
#[test]
fn each_call_of_the_store_fails_once() {
    for (name, scenario) in SCENARIOS {
        let offered = || {
            let kit = TestProvider::builder().configure(|config| {
                config.pushed_requests.offered = true;
                config.device_authorization.offered = true;
            });
            let kit = kit.build();
            kit.put_device_client("tv", json!({"token_endpoint_auth_method": "none"}));
            kit
        };
        let expected = scenario(&offered())();
        for call in 1.. {
            let kit = offered();
            let attempt = scenario(&kit);
            kit.failing.fail_at(call);
            let answer = attempt();
            let is_reached = kit.failing.calls() >= call;
            kit.failing.fail_at(0);
            if !is_reached {
                assert!(call > 1, "{name} never asks the store");
                break;
            }
            let what = format!("{name}, call {call}: {} {}", answer.status, answer.text());
            assert_eq!(answer.status, 503, "{what}");
            for secret in ["at_", "rt_", "ac_", "se_", "access_token", "told to fail"] {
                assert!(!answer.text().contains(secret), "{what}");
            }
            assert!(
                !answer.headers.contains_key("location") && !answer.headers.contains_key("set-cookie"),
                "{what}"
            );
            let faults = answer.events.iter().filter(|event| matches!(event, Event::Faulted { .. })).count();
            assert_eq!((faults, refusals(&answer.events).len()), (1, 0), "{what} {:?}", answer.events);

            let again = attempt();
            assert_eq!(
                again.status,
                expected.status,
                "{name}, again after call {call} failed: {}",
                again.text()
            );
        }
    }
}
