//! Modules about pushed requests.

use std::time::Duration;

use http::Method;

use super::sent::Sent;
use super::suite::{CLIENTS, End, Plan, Shown, Suite, Variant, in_variants, refused};

/// With each variant that pushes requests.
fn pushed(module: impl Fn(&Suite)) {
    in_variants(Variant::is_pushed, module);
}

/// The errors that the suite accepts for a reference that is not good, if they reach the client.
const BAD_REFERENCE: [&str; 3] = ["invalid_request", "invalid_request_uri", "invalid_request_object"];

/// fapi1-advanced-final-par-without-duplicate-parameters,
/// fapi2-security-profile-final-par-without-duplicate-parameters,
/// fapi2-security-profile-id2-par-without-duplicate-parameters
#[test]
fn nothing_beside_client_and_reference() {
    pushed(|suite| {
        let mut sent = Sent::new(suite, 0, &suite.request(0));
        sent.outside.clear();
        let _ = sent.end().expect_code();
    });
}

/// fapi1-advanced-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds,
/// fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds,
/// fapi2-security-profile-id2-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds
#[test]
fn a_second_visit_before_the_end() {
    pushed(|suite| {
        let sent = Sent::new(suite, 0, &suite.request(0));
        let address = sent.address().expect("a pushed request");
        let ua = suite.kit.user_agent();
        let _ = Suite::open(&ua, &address).expect_page("login");
        let _ = sent.end_of(&Suite::open(&ua, &address)).expect_code();
    });
}

/// fapi1-advanced-final-par-attempt-reuse-request_uri,
/// fapi2-security-profile-final-par-attempt-reuse-request_uri,
/// fapi2-security-profile-id2-par-attempt-reuse-request_uri
#[test]
fn a_visit_after_the_end() {
    pushed(|suite| {
        let sent = Sent::new(suite, 0, &suite.request(0));
        let address = sent.address().expect("a pushed request");
        let ua = suite.kit.user_agent();
        let _ = sent.end_of(&Suite::open(&ua, &address)).expect_code();
        sent.end_of(&Suite::open(&ua, &address)).expect_refused(&BAD_REFERENCE);
        let another = suite.kit.user_agent();
        sent.end_of(&Suite::open(&another, &address)).expect_refused(&BAD_REFERENCE);
    });
}

/// fapi1-advanced-final-par-attempt-to-use-expired-request_uri,
/// fapi2-security-profile-final-par-attempt-to-use-expired-request_uri,
/// fapi2-security-profile-id2-par-attempt-to-use-expired-request_uri
#[test]
fn an_expired_reference() {
    pushed(|suite| {
        let sent = Sent::new(suite, 0, &suite.request(0));
        let pushed = sent.push().expect_status(201);
        let reference = ("request_uri", pushed.member("request_uri").to_owned());
        let lives = pushed["expires_in"].as_u64().expect("a number");
        suite.kit.clock.advance(Duration::from_secs(lives));
        let ua = suite.kit.user_agent();
        let address = suite.authorize(CLIENTS[0], &reference, &sent.outside);
        sent.end_of(&Suite::open(&ua, &address)).expect_refused(&BAD_REFERENCE);
    });
}

/// fapi1-advanced-final-par-attempt-to-use-request_uri-for-different-client,
/// fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client,
/// fapi2-security-profile-id2-par-attempt-to-use-request_uri-for-different-client
#[test]
fn a_reference_of_another_client() {
    pushed(|suite| {
        let sent = Sent::new(suite, 0, &suite.request(0));
        let reference = ("request_uri", sent.push().expect_status(201).member("request_uri").to_owned());
        let ua = suite.kit.user_agent();
        let tab = Suite::open(&ua, &suite.authorize(CLIENTS[1], &reference, &sent.outside));
        assert!(matches!(sent.end_of(&tab), End::Page));
        // It is still good for its own.
        let tab = Suite::open(&ua, &suite.authorize(CLIENTS[0], &reference, &sent.outside));
        let _ = sent.end_of(&tab).expect_code();
    });
}

/// fapi1-advanced-final-par-authorization-request-containing-request_uri-form-param,
/// fapi2-security-profile-final-par-authorization-request-containing-request_uri-form-param,
/// fapi2-security-profile-id2-par-authorization-request-containing-request_uri-form-param
#[test]
fn a_reference_in_the_form() {
    pushed(|suite| {
        let sent = Sent::new(suite, 0, &suite.request(0));
        let earlier = sent.push().expect_status(201).member("request_uri").to_owned();
        for reference in
            [earlier.as_str(), "urn:ietf:params:oauth:request_uri:nothing", "https://suite.example/r"]
        {
            let mut form = Sent::new(suite, 0, &suite.request(0)).form();
            form.push(("request_uri".to_owned(), reference.to_owned()));
            form.retain(|(name, _)| name != "client_id");
            let mut form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            form.push(("client_id", CLIENTS[0]));
            let answer = suite.post("/par", &form, &suite.authenticated_beside_client_id(0));
            assert_eq!(answer.status, 400, "{reference}: {}", answer.text());
            refused(&answer, &["invalid_request"]);
        }
    });
}

/// fapi1-advanced-final-par-attempt-invalid-http-method,
/// fapi2-security-profile-final-par-attempt-invalid-http-method,
/// fapi2-security-profile-id2-par-attempt-invalid-http-method
#[test]
fn other_methods() {
    pushed(|suite| {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let sent = Sent::new(suite, 0, &suite.request(0));
            let mut request = suite.kit.anonymous_request("/par").param("client_id", CLIENTS[0]);
            for (name, value) in sent.form().iter().filter(|(name, _)| name != "client_id") {
                request = request.param(name, value);
            }
            if let Some(assertion) = &sent.shown.assertion {
                request = request.assertion(assertion);
            }
            if let Some(n) = sent.shown.certificate {
                request = request.certificate(&suite.certificates[n]);
            }
            let mut request = request.to_http();
            *request.method_mut() = method.clone();
            assert_eq!(suite.kit.send(request).status, 405, "{method}");
        }
    });
}

/// fapi1-advanced-final-par-attempt-invalid-redirect_uri,
/// fapi1-advanced-final-ensure-registered-redirect-uri,
/// fapi2-security-profile-final-plain-fapi-tolerate-unregistered-redirect-uri,
/// fapi2-security-profile-id2-plain-fapi-ensure-registered-redirect-uri
#[test]
fn an_unregistered_redirect_uri() {
    super::suite::in_each(|suite| {
        let request = suite.request(0).set("redirect_uri", "https://suite.example/test/a/conf/callback/bad");
        match Sent::new(suite, 0, &request).end() {
            End::Page => assert!(!suite.variant.is_pushed()),
            end => end.expect_refused(&["invalid_request", "invalid_redirect_uri"]),
        }
    });
}

/// fapi1-advanced-final-par-ensure-pkce-required,
/// fapi2-security-profile-final-par-ensure-pkce-required,
/// fapi2-security-profile-id2-par-ensure-pkce-required,
/// fapi1-advanced-final-par-plain-pkce-rejected,
/// fapi2-security-profile-final-par-plain-pkce-rejected,
/// fapi2-security-profile-id2-par-plain-pkce-rejected
#[test]
fn pkce_with_s256() {
    pushed(|suite| {
        let request = suite.request(0);
        Sent::new(suite, 0, &request.clone().without_pkce()).end().expect_refused(&["invalid_request"]);
        let plain = request.set("code_challenge_method", "plain");
        Sent::new(suite, 0, &plain).end().expect_refused(&["invalid_request"]);
        let absent = plain.without("code_challenge_method");
        Sent::new(suite, 0, &absent).end().expect_refused(&["invalid_request"]);
    });
}

/// fapi2-security-profile-final-ensure-unsigned-authorization-request-without-using-par-fails,
/// fapi2-security-profile-id2-ensure-unsigned-authorization-request-without-using-par-fails
#[test]
fn a_request_that_was_not_pushed() {
    in_variants(
        |variant| variant.plan() != Plan::Advanced,
        |suite| {
            let (request, ua) = (suite.request(0), suite.kit.user_agent());
            let end = Sent::new(suite, 0, &request).end_of(&request.open(&ua));
            end.expect_refused(&["invalid_request"]);
        },
    );
}

/// A client that does not authenticate pushes nothing.
#[test]
fn nobody_pushes() {
    pushed(|suite| {
        let mut sent = Sent::new(suite, 0, &suite.request(0));
        sent.shown = Shown::default();
        refused(&sent.push(), &["invalid_client"]);
        // Nor does another client in its name.
        sent.shown = suite.authenticated_beside_client_id(1);
        refused(&sent.push(), &["invalid_client", "invalid_request"]);
    });
}
