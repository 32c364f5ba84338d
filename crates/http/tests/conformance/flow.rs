//! Modules about the whole way from the request to the tokens.

use chancery_testkit::{NegativeTable, Refused};
use serde_json::Value;

use crate::suite::{Suite, check_error_in_any_mode, in_each_flow, in_flows, through};

/// oidcc-server
#[test]
fn server() {
    in_each_flow(|suite| {
        let outcome = suite.outcome(&suite.kit.user_agent(), &suite.request());
        assert_eq!(outcome.id_token.claims["sub"], "alice");
    });
}

/// oidcc-response-type-missing
#[test]
fn response_type_missing() {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let tab = suite.request().without("response_type").open(&ua);
        let mode = suite.flow.response_mode.unwrap_or("query");
        assert_eq!(tab.expect_arrival().mode, mode, "no response type says otherwise");
        check_error_in_any_mode(&tab, &["unsupported_response_type", "invalid_request"]);
    });
}

/// oidcc-ensure-request-without-nonce-succeeds-for-code-flow
#[test]
fn without_nonce() {
    in_flows(
        |flow| !flow.returns("id_token"),
        |suite| {
            let outcome = suite.outcome(&suite.kit.user_agent(), &suite.request().without("nonce"));
            assert!(outcome.id_token.claims["nonce"].is_null());
        },
    );
}

/// oidcc-ensure-request-without-nonce-fails: whatever an ID token comes with through the browser.
#[test]
fn nonce_missing() {
    in_flows(
        |flow| flow.returns("id_token"),
        |suite| {
            let ua = suite.kit.user_agent();
            let tab = suite.request().without("nonce").open(&ua);
            suite.check_error(&tab, &["invalid_request"]);
        },
    );
}

/// oidcc-alternate-happy-flow
#[test]
fn alternate_happy_flow() {
    in_each_flow(|suite| {
        let mut request = suite.request().scope("profile email openid");
        let turned = ["nonce", "state", "redirect_uri", "client_id", "response_type"].map(|name| {
            let value = request.value(name).unwrap_or_default().to_owned();
            (name, value)
        });
        for (name, value) in &turned {
            request = request.set(name, value);
        }
        let outcome = suite.outcome(&suite.kit.user_agent(), &request);
        assert_eq!(outcome.claim("name"), "alice Example");
    });
}

/// A request with one more parameter, which only has to succeed.
fn check_success(name: &str, value: &str) {
    in_each_flow(|suite| {
        let _ = suite.succeeds_with(name, value);
    });
}

/// oidcc-display-page
#[test]
fn display_page() {
    check_success("display", "page");
}

/// oidcc-display-popup
#[test]
fn display_popup() {
    check_success("display", "popup");
}

/// oidcc-ensure-request-with-unknown-parameter-succeeds
#[test]
fn unknown_parameter() {
    check_success("extra", "foobar");
}

/// oidcc-login-hint
#[test]
fn login_hint() {
    check_success("login_hint", "buffy@id.example");
}

/// oidcc-ui-locales
#[test]
fn ui_locales() {
    check_success("ui_locales", "se");
}

/// oidcc-claims-locales
#[test]
fn claims_locales() {
    check_success("claims_locales", "se");
}

/// oidcc-ensure-request-with-acr-values-succeeds
#[test]
fn acr_values() {
    in_each_flow(|suite| {
        let metadata = suite.kit.get("/.well-known/openid-configuration").expect_status(200);
        let advertised = metadata["acr_values_supported"].as_array().into_iter().flatten();
        let advertised: Vec<&str> = advertised.filter_map(Value::as_str).collect();
        let outcome = suite.succeeds_with("acr_values", &advertised.join(" "));
        assert!(outcome.id_token.claims["acr"].as_str().is_some_and(|acr| advertised.contains(&acr)));
        let _ = suite.succeeds_with("acr_values", "1 2");
    });
}

/// oidcc-ensure-post-request-succeeds
#[test]
fn post_request() {
    in_each_flow(|suite| {
        let request = suite.request();
        let _ = suite.answered(&request, &through(request.post(&suite.kit.user_agent())));
        // A POST that does not tell where it comes from, as from a client without Fetch Metadata, comes again
        // as GET.
        let answer = suite.kit.send(request.to_http_post()).expect_status(303);
        let address = answer.header("location").unwrap_or_default();
        assert!(address.contains("/authorize?") && address.contains("response_type="));
    });
}

/// What the plans want to see refused, row by row.
#[test]
fn what_the_plans_want_refused() {
    let suite = Suite::basic();
    NegativeTable::new(&suite.kit)
        .row("no response type", suite.request().without("response_type"), Refused::Client("invalid_request"))
        .row("prompt=none", suite.request().set("prompt", "none"), Refused::Client("login_required"))
        .run();
}
