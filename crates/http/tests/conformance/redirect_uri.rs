//! Modules about the place where the answer goes.

use chancery_testkit::{AuthorizationRequest, NegativeTable, Refused};
use serde_json::json;

use crate::suite::{Suite, in_each_flow, through};

const CALLBACK: &str = "https://suite.example/test/a/suite/callback";
const WITH_QUERY: &str = "https://suite.example/callback?foo=bar";

/// The page that a person sees when nobody can be redirected to.
fn check_page(suite: &Suite, request: &AuthorizationRequest) {
    let ua = suite.kit.user_agent();
    let tab = request.open(&ua).expect_page("error");
    assert_eq!(tab.answer().status, 400);
    assert!(tab.page().text.contains("invalid_request"));
}

/// oidcc-ensure-registered-redirect-uri
#[test]
fn registered_redirect_uri() {
    in_each_flow(|suite| {
        check_page(suite, &suite.request().set("redirect_uri", &format!("{CALLBACK}?foo=bar")));
    });
}

/// oidcc-ensure-redirect-uri-in-authorization-request: with two registered, none is meant.
#[test]
fn redirect_uri_in_authorization_request() {
    in_each_flow(|suite| check_page(suite, &suite.request().without("redirect_uri")));
}

/// A client whose redirect URI has a query.
fn with_query() -> Suite {
    Suite::with_client("query", json!({"redirect_uris": [WITH_QUERY, CALLBACK]}))
}

/// oidcc-redirect-uri-query-OK
#[test]
fn redirect_uri_query_ok() {
    let suite = with_query();
    let request = suite.of("query").set("redirect_uri", WITH_QUERY);
    let arrival = through(request.open(&suite.kit.user_agent()));
    assert_eq!(arrival.uri, "https://suite.example/callback");
    assert_eq!(arrival.names(), ["foo", "code", "state", "iss"]);
    assert_eq!(arrival.value("foo"), Some("bar"));
    let _ = suite.exchange(&request, &arrival).expect_status(200);
}

/// oidcc-redirect-uri-query-mismatch
#[test]
fn redirect_uri_query_mismatch() {
    let suite = with_query();
    let other = WITH_QUERY.replace("bar", "baz");
    check_page(&suite, &suite.of("query").set("redirect_uri", &other));
}

/// oidcc-redirect-uri-query-added
#[test]
fn redirect_uri_query_added() {
    let suite = with_query();
    check_page(&suite, &suite.of("query").set("redirect_uri", &format!("{CALLBACK}?foo=bar")));
    check_page(&suite, &suite.of("query").set("redirect_uri", &format!("{WITH_QUERY}&more=x")));
}

/// What is near a registered one is none.
#[test]
fn only_registered_redirect_uris() {
    let suite = with_query();
    let mut table = NegativeTable::new(&suite.kit);
    for uri in [
        "https://suite.example/callback",
        "https://suite.example/callback?",
        "https://suite.example/callback?foo=bar#",
        "https://suite.example/callback?FOO=bar",
        "https://suite.example/callback?foo=bar&foo=bar",
        "https://suite.example/callback?foo=b%61r",
        "https://suite.example/test/a/suite/callback/",
        "https://suite.example/test/a/suite/callback?",
        "https://suite.example/test/a/suite/../suite/callback",
        "",
    ] {
        let request = suite.of("query").set("redirect_uri", uri);
        table = table.row(format!("{uri:?}"), request, Refused::Page(400, "invalid_request"));
    }
    table.run();
}
