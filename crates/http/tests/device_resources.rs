//! RFC 8707 at the device authorization endpoint (RFC 8628): what a device asks for, what its person agrees to, and
//! whom each of its tokens is for. How resource servers are meant stands in `resource_indicators.rs`.

#![expect(clippy::expect_used, reason = "tests")]

use chancery_core::config::Config;
use chancery_core::model::ResourceServer;
use chancery_core::policy::AUDIENCE_WITHDRAWN;
use chancery_core::rule::resource::{
    RESOURCE_AMBIGUOUS, RESOURCE_MALFORMED, RESOURCE_NOT_ALLOWED, RESOURCE_NOT_GRANTED, RESOURCE_UNKNOWN,
    RESOURCES_TOO_MANY,
};
use chancery_testkit::{
    ClientRequest, Device, NegativeTable, Refused, SECRET, TestProvider, assert_refused, seconds,
};
use serde_json::json;

const LIGHTS: &str = "https://lights.example/";
const HEATING: &str = "https://heating.example/";
/// Not for the client of these tests.
const PAYROLL: &str = "https://payroll.example";

fn provider() -> TestProvider {
    let server = |uri: &str, scopes: [&str; 2]| -> ResourceServer {
        let server = json!({"uri": uri, "scopes": scopes, "introspected_by": ["box"], "name": format!("API at {uri}")});
        serde_json::from_value(server).expect("a resource server")
    };
    let offered = |config: &mut Config| config.device_authorization.offered = true;
    let kit = TestProvider::builder()
        .configure(offered)
        .resource_server(server(LIGHTS, ["switch", "dim"]))
        .resource_server(server(HEATING, ["switch", "heat"]))
        .resource_server(server(PAYROLL, ["pay", "read"]))
        .build();
    kit.put_device_client(
        "box",
        json!({"client_secret": SECRET, "chancery": {"resources": [LIGHTS, HEATING], "refresh_tokens": "always"}}),
    );
    kit
}

/// A request of the box for these resource servers.
fn asked<'k>(kit: &'k TestProvider, scope: &str, resources: &[&str]) -> ClientRequest<'k> {
    let request = kit.device_request("box").param("scope", scope);
    resources.iter().fold(request, |request, uri| request.param("resource", uri))
}

/// One that this person has approved, who was asked about these resource servers.
fn approved<'k>(kit: &'k TestProvider, person: &str, scope: &str, resources: &[&str]) -> Device<'k> {
    let device = kit.device_by("box", asked(kit, scope, resources));
    let ua = kit.user_agent();
    let tab = ua.enter_user_code(device.user_code()).confirm_device().login(person).expect_page("consent");
    for uri in resources {
        assert!(tab.page().text.contains(&format!("API at {uri}")), "{}", tab.page().text);
    }
    let _ = tab.allow().expect_page("device-done");
    device
}

/// RI-02, RI-05, RI-06, RI-07, RI-10, DEV-02: the person is shown both servers, the first token is for the one that the poll
/// names, with its scopes, and a refresh widens to the other.
#[test]
fn a_device_names_whom_each_token_is_for() {
    let kit = provider();
    let device = approved(&kit, "alice", "switch dim heat", &[LIGHTS, HEATING]);
    let tokens = device.poll_request().param("resource", LIGHTS).send().expect_status(200);
    assert_eq!(tokens["scope"], "switch dim");
    assert_eq!(kit.introspect("box", tokens.member("access_token"))["aud"], LIGHTS);
    let refresh = kit.refresh_request("box", tokens.member("refresh_token")).param("resource", HEATING);
    let other = refresh.send().expect_status(200);
    assert_eq!(other["scope"], "switch heat");
    assert_eq!(kit.introspect("box", other.member("access_token"))["aud"], HEATING);

    let only = approved(&kit, "bob", "switch dim", &[LIGHTS]).poll().expect_status(200);
    assert_eq!(
        kit.introspect("box", only.member("access_token"))["aud"],
        LIGHTS,
        "of one server it need not be named"
    );
}

/// RI-08, RI-09, RFC 8707 section 2.2: a poll for the wrong server is refused and uses nothing up; nobody but the person
/// can make it right.
#[test]
fn a_poll_for_the_wrong_server_uses_nothing_up() {
    let kit = provider();
    let device = approved(&kit, "alice", "switch", &[LIGHTS, HEATING]);
    let poll = |uri: &str| device.poll_request().param("resource", uri).send();
    for _ in 0..2 {
        assert_refused!(device.poll(), RESOURCE_AMBIGUOUS);
        assert_refused!(poll(PAYROLL), RESOURCE_NOT_GRANTED);
        assert_refused!(poll("https://unknown.example"), RESOURCE_NOT_GRANTED);
        assert_refused!(poll("lights"), RESOURCE_MALFORMED);
    }
    let _ = poll(HEATING).expect_status(200);

    let device = approved(&kit, "bob", "switch", &[LIGHTS]);
    assert_refused!(device.poll_request().param("resource", HEATING).send(), RESOURCE_NOT_GRANTED);
    assert!(kit.change_client("box", &json!({"chancery": {"resources": [HEATING]}}).to_string()).is_ok());
    assert_refused!(device.poll(), AUDIENCE_WITHDRAWN);
}

/// RI-03, RI-04, DEV-14: what was allowed when the device asked, and is not when its person comes, the device is told.
#[test]
fn a_server_that_was_withdrawn_is_told() {
    let kit = provider();
    let device = kit.device_by("box", asked(&kit, "switch", &[LIGHTS]));
    assert!(kit.change_client("box", &json!({"chancery": {"resources": [HEATING]}}).to_string()).is_ok());
    let _ = kit.user_agent().enter_user_code(device.user_code()).expect_page("error");
    kit.clock.advance(seconds(5));
    assert_refused!(device.poll(), RESOURCE_NOT_ALLOWED);
}

/// RI-01, RI-03, RI-04, RFC 8707 section 2: whatever a device may not ask for, it is told at once: `invalid_target`.
#[test]
fn what_is_refused() {
    let kit = provider();
    let many: Vec<String> = (0..50).map(|n| format!("https://api-{n}.example/")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = Refused::Json(400, "invalid_target");
    let of = |uri: &str| asked(&kit, "switch", &[uri]);
    for (uri, why) in [
        (PAYROLL, &RESOURCE_NOT_ALLOWED),
        ("https://unknown.example/", &RESOURCE_UNKNOWN),
        ("https://lights.example/#top", &RESOURCE_MALFORMED),
        ("/lights", &RESOURCE_MALFORMED),
    ] {
        assert_refused!(of(uri).send(), *why);
    }
    assert_refused!(asked(&kit, "switch", &many).send(), RESOURCES_TOO_MANY);
    NegativeTable::new(&kit)
        .row("a fragment", of("https://lights.example/#top"), refused)
        .row("a relative one", of("lights"), refused)
        .row("unknown", of("https://unknown.example/"), refused)
        .row("not allowed for the client", of(PAYROLL), refused)
        .row("a good and a bad one", asked(&kit, "switch", &[LIGHTS, PAYROLL]), refused)
        .row("50 of them", asked(&kit, "switch", &many), refused)
        .run();
}
