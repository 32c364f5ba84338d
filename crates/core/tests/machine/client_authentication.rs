//! Client authentication at the endpoints that clients call (RFC 6749 section 2.3).

use crate::kit::{Kit, SECRET};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_core::error::Failure;
use chancery_core::event::{Endpoint, Event};
use chancery_types::iana::ErrorCode;

const FAILED: &str = "client authentication failed";

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// Name of the reason, error code, description.
fn refused(kit: &Kit, authorization: Option<&str>, form: &str) -> Option<(&'static str, ErrorCode, &'static str)> {
    let form = format!("grant_type=client_credentials&{form}");
    match kit.client_request(&kit.call(authorization), Endpoint::Token, &form) {
        Ok(_) => None,
        Err(Failure::Refused(refusal)) => Some((refusal.reason.name, refusal.reason.code, refusal.reason.description)),
        Err(Failure::Broken(fault)) => panic!("{fault}"),
    }
}

/// CAUTH-02, CAUTH-05: each method that is in, and what of it may be left out.
#[test]
fn registered_methods_are_accepted() {
    let kit = Kit::new();
    let header = basic(&format!("basic:{SECRET}"));
    assert_eq!(refused(&kit, Some(&header), ""), None);
    assert_eq!(refused(&kit, Some(&header), "client_id=basic"), None);
    assert_eq!(refused(&kit, None, &format!("client_id=post&client_secret={SECRET}")), None);
    assert_eq!(refused(&kit, Some(&basic(&format!("post:{SECRET}"))), ""), None);
    assert_eq!(refused(&kit, None, &format!("client_id=basic&client_secret={SECRET}")), None);
    let public = refused(&kit, None, "client_id=public").unwrap();
    assert_ne!(public.1, ErrorCode::InvalidClient, "authenticated, but not registered for the grant");
}

/// A14; CAUTH-03, CAUTH-07, CAUTH-15, CAUTH-21, CAUTH-23: unknown, disabled, wrong secret and wrong method are one answer.
#[test]
fn failures_cannot_be_told_apart() {
    let kit = Kit::new();
    let good_basic = basic(&format!("basic:{SECRET}"));
    let strict = format!(
        r#"{{"client_id":"strict","client_secret":"{SECRET}","token_endpoint_auth_method":"client_secret_post",
        "grant_types":["client_credentials"],"chancery":{{"secret_method":"registered"}}}}"#
    );
    kit.registry.put(&strict).unwrap();
    let rows = [
        (Some(basic(&format!("nobody:{SECRET}"))), String::new(), "client_unknown"),
        (None, format!("client_id=nobody&client_secret={SECRET}"), "client_unknown"),
        (None, "client_id=nobody".to_owned(), "client_unknown"),
        (None, "client_id=%C3%A4".to_owned(), "client_unknown"),
        (None, format!("client_id={}", "a".repeat(300)), "client_unknown"),
        (Some(basic(&format!("off:{SECRET}"))), String::new(), "client_disabled"),
        (Some(basic("basic:wrong")), String::new(), "client_secret_wrong"),
        (Some(basic(&format!("basic:{SECRET}x"))), String::new(), "client_secret_wrong"),
        (None, "client_id=post&client_secret=wrong".to_owned(), "client_secret_wrong"),
        (Some(basic("post:wrong")), String::new(), "client_secret_wrong"),
        (None, "client_id=basic&client_secret=wrong".to_owned(), "client_secret_wrong"),
        (Some(basic(&format!("strict:{SECRET}"))), String::new(), "client_authentication_method_unregistered"),
        (None, "client_id=basic".to_owned(), "client_authentication_method_unregistered"),
        (None, format!("client_id=public&client_secret={SECRET}"), "client_authentication_method_unregistered"),
        (Some(basic(&format!("public:{SECRET}"))), String::new(), "client_authentication_method_unregistered"),
        (None, "client_assertion=a.b.c".to_owned(), "client_authentication_method_unregistered"),
        (
            None,
            "client_id=basic&client_assertion=a.b.c&client_assertion_type=x".to_owned(),
            "client_authentication_method_unregistered",
        ),
    ];
    for (header, form, name) in rows {
        assert_eq!(refused(&kit, header.as_deref(), &form), Some((name, ErrorCode::InvalidClient, FAILED)), "{form}");
    }
    assert_eq!(refused(&kit, Some(&good_basic), ""), None);
    assert_eq!(refused(&kit, None, &format!("client_id=strict&client_secret={SECRET}")), None);
}

/// CAUTH-04, CAUTH-05, CAUTH-06, CAUTH-09, CAUTH-11, CAUTH-22
#[test]
fn malformed_authentication_is_an_invalid_request() {
    let kit = Kit::new();
    let good = basic(&format!("basic:{SECRET}"));
    let rows = [
        (Some(&*good), format!("client_secret={SECRET}"), "several_authentication_mechanisms"),
        (Some(&*good), "client_assertion=a.b.c".to_owned(), "several_authentication_mechanisms"),
        (None, "client_id=post&client_secret=x&client_assertion=a.b.c".to_owned(), "several_authentication_mechanisms"),
        (None, String::new(), "no_authentication_mechanism"),
        (None, "client_secret=x".to_owned(), "no_authentication_mechanism"),
        (Some(&*good), "client_id=post".to_owned(), "client_id_mismatch"),
        (Some("Bearer x"), String::new(), "authorization_header_malformed"),
        (Some("Basic"), String::new(), "authorization_header_malformed"),
        (Some("Basic YmFzaWM6"), String::new(), "authorization_header_without_secret"),
        (None, "client_id=post&client_id=post&client_secret=x".to_owned(), "malformed_parameter"),
        (None, "client_id=post&client_secret=x&client_secret=x".to_owned(), "malformed_parameter"),
        (None, "client_id=post&client_assertion=a&client_assertion=b".to_owned(), "malformed_parameter"),
    ];
    for (header, form, name) in rows {
        let answer = refused(&kit, header, &form).map(|(name, code, _)| (name, code));
        assert_eq!(answer, Some((name, ErrorCode::InvalidRequest)), "{header:?} {form}");
    }
}

/// CAUTH-13, META-04: a secret that has ended is a wrong secret.
#[test]
fn a_secret_ends() {
    let kit = Kit::new();
    let json = format!(
        r#"{{"client_id":"short","client_secret":"{SECRET}","client_secret_expires_at":1100,
        "grant_types":["client_credentials"]}}"#
    );
    kit.registry.put(&json).unwrap();
    let header = basic(&format!("short:{SECRET}"));
    kit.pass(99);
    assert_eq!(refused(&kit, Some(&header), ""), None);
    kit.pass(1);
    let ended = Some(("client_secret_expired", ErrorCode::InvalidClient, FAILED));
    assert_eq!(refused(&kit, Some(&header), ""), ended);
}

/// CAUTH-01, CAUTH-24, EVT-04: all three endpoints authenticate alike, and tell of a refusal once.
#[test]
fn every_endpoint_authenticates() {
    let kit = Kit::new();
    let call = kit.call(None);
    let form = "client_id=nobody&client_secret=x&token=t&grant_type=client_credentials";
    let outcomes = [Endpoint::Token, Endpoint::Introspection, Endpoint::Revocation]
        .map(|endpoint| (endpoint, kit.client_request(&call, endpoint, form).err()));
    let heard = kit.heard.take();
    assert_eq!(heard.len(), outcomes.len());
    for ((endpoint, failure), event) in outcomes.into_iter().zip(heard) {
        let Some(Failure::Refused(refusal)) = failure else { panic!("{endpoint:?}") };
        assert_eq!(refusal.reason.code, ErrorCode::InvalidClient);
        assert_eq!(event, Event::Refused { endpoint, reason: refusal.reason, client: None, network: call.network() });
    }
}
