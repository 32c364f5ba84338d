//! Modules about request objects, by value and by reference.

use chancery_core::config::Config;
use chancery_jose::SigningAlgorithm::Rs256;
use chancery_jose::unsecured;
use chancery_testkit::{AuthorizationRequest, ClientKey, NegativeTable, Refused};
use chancery_types::Params;
use serde_json::{Map, Value, json};

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
    check_refused("request_uri", URI, "invalid_request_uri");
    check_published(
        |to| to.compatibility.unsigned_request_object = true,
        |_, request| unsigned(request, &[]),
    );
}

/// oidcc-request-uri-unsigned
#[test]
fn request_uri_unsigned_succeeds() {
    check_published(
        |to| to.compatibility.unsigned_request_object = true,
        |_, request| unsigned(request, &[]),
    );
}

/// oidcc-request-uri-signed-rs256: without `exp`, `typ` and `kid`; the fragment is the hash of something else.
#[test]
fn request_uri_signed_rs256() {
    check_published(
        |_| {},
        |key, request| {
            let mut claims = Map::new();
            for (name, value) in Params::parse(&request.encode()).expect("a query").iter() {
                claims.insert(name.to_owned(), value.into());
            }
            claims.insert("iss".to_owned(), request.value("client_id").into());
            claims.insert("aud".to_owned(), "https://id.example".into());
            key.sign(&json!({}), &claims.into())
        },
    );
}

const URI: &str = "https://suite.example/requests/1#oQVv9W9yQnP0";

/// A login by a request object that the client publishes; `state`, `nonce` and `response_mode` stand in it alone.
fn check_published(
    change: impl Fn(&mut Config),
    object: impl Fn(&ClientKey, &AuthorizationRequest) -> String,
) {
    in_each_flow_with(change, |suite| {
        let key = ClientKey::generate(Rs256);
        suite.put_client("publishes", json!({"request_uris": [URI], "jwks": key.jwks()}));
        let request = suite.of("publishes");
        suite.kit.fetch.answers("https://suite.example/requests/1", 200, object(&key, &request));
        let outside = request.clone().without("state").without("nonce").without("response_mode");
        let arrival = through(outside.set("request_uri", URI).open(&suite.kit.user_agent()));
        let _ = suite.answered(&request, &arrival);
    });
}

/// Nothing of either parameter is taken, whatever it looks like.
#[test]
fn request_objects_are_refused() {
    let suite = Suite::basic();
    let object = unsigned(&suite.request(), &[]);
    NegativeTable::new(&suite.kit)
        .row("an object", suite.request().set("request", &object), Refused::Client("invalid_request_object"))
        .row("no object", suite.request().set("request", "x"), Refused::Client("invalid_request_object"))
        .row("no address", suite.request().set("request_uri", "x"), Refused::Client("invalid_request_uri"))
        .run();
}
