//! Modules about request objects, by value and by reference.

use chancery_testkit::{NegativeTable, Refused};

use crate::suite::{Suite, in_each_flow};

/// {"alg":"none"}.{"nonce":"n","state":"s"}
const UNSIGNED: &str = "eyJhbGciOiJub25lIn0.eyJub25jZSI6Im4iLCJzdGF0ZSI6InMifQ.";

/// An unsigned request object is refused, to where the query says, and not silently ignored.
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
    check_refused("request", UNSIGNED, "request_not_supported");
}

/// oidcc-ensure-request-object-with-redirect-uri
#[test]
fn request_object_with_redirect_uri() {
    // {"alg":"none"}.{"redirect_uri":"https://suite.example/other"}
    let payload = "eyJyZWRpcmVjdF91cmkiOiJodHRwczovL3N1aXRlLmV4YW1wbGUvb3RoZXIifQ";
    check_refused("request", &format!("eyJhbGciOiJub25lIn0.{payload}."), "request_not_supported");
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
    NegativeTable::new(&suite.kit)
        .row("an object", suite.request().set("request", UNSIGNED), Refused::Client("request_not_supported"))
        .row("no object", suite.request().set("request", "x"), Refused::Client("request_not_supported"))
        .row(
            "no address",
            suite.request().set("request_uri", "x"),
            Refused::Client("request_uri_not_supported"),
        )
        .run();
}
