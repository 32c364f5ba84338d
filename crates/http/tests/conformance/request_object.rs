//! Modules about request objects, by value and by reference.

use chancery_jose::unsecured;
use chancery_testkit::{AuthorizationRequest, NegativeTable, Refused};
use serde_json::{Map, Value};

use crate::suite::{Suite, in_each_flow, in_each_flow_with, through};

/// All parameters of a request in an object that nobody has signed.
fn unsigned(request: &AuthorizationRequest, more: &[(&str, &str)]) -> String {
    let names = ["client_id", "response_type", "response_mode", "scope", "redirect_uri", "state", "nonce"];
    let pkce = ["code_challenge", "code_challenge_method"];
    let mut claims = Map::new();
    for name in names.into_iter().chain(pkce) {
        claims.extend(request.value(name).map(|value| (name.to_owned(), Value::from(value))));
    }
    claims.extend(more.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    unsecured(Value::from(claims).to_string().as_bytes())
}

/// An unsigned request object is refused by default, to where the query says, and not silently ignored.
fn check_refused(parameter: &str, value: &str, error: &str) {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let tab = suite.request().set(parameter, value).open(&ua);
        suite.check_error(&tab, &[error]);
        assert!(tab.expect_arrival().uri.ends_with("/callback"));
    });
}

/// oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported
#[test]
fn unsigned_request_object() {
    check_refused("request", &unsecured(br#"{"nonce":"n","state":"s"}"#), "invalid_request_object");
    in_each_flow_with(
        |to| to.compatibility.unsigned_request_object = true,
        |suite| {
            let request = suite.request();
            let outside = request.clone().without("state").without("nonce").without("response_mode");
            let outside = outside.set("request", &unsigned(&request, &[]));
            let arrival = through(outside.open(&suite.kit.user_agent()));
            let _ = suite.answered(&request, &arrival);
        },
    );
}

/// oidcc-ensure-request-object-with-redirect-uri
#[test]
fn request_object_with_redirect_uri() {
    let other = "https://suite.example/other";
    check_refused(
        "request",
        &unsecured(br#"{"redirect_uri":"https://suite.example/other"}"#),
        "invalid_request_object",
    );
    in_each_flow_with(
        |to| to.compatibility.unsigned_request_object = true,
        |suite| {
            let request = suite.request();
            let outside = request.clone().set("request", &unsigned(&request, &[("redirect_uri", other)]));
            let arrival = through(outside.open(&suite.kit.user_agent()));
            let _ = suite.answered(&request.set("redirect_uri", other), &arrival);
        },
    );
}

/// oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
#[test]
fn request_uri_unsigned() {
    let uri = "https://suite.example/requests/1#oQVv9W9yQnP0";
    check_refused("request_uri", uri, "request_uri_not_supported");
}

/// Nothing of either parameter is taken, whatever it looks like.
#[test]
fn request_objects_are_refused() {
    let suite = Suite::basic();
    let object = unsigned(&suite.request(), &[]);
    NegativeTable::new(&suite.kit)
        .row("an object", suite.request().set("request", &object), Refused::Client("invalid_request_object"))
        .row("no object", suite.request().set("request", "x"), Refused::Client("invalid_request_object"))
        .row(
            "no address",
            suite.request().set("request_uri", "x"),
            Refused::Client("request_uri_not_supported"),
        )
        .run();
}
