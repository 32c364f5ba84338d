//! The provider as a whole: building, metadata, reload, events.

use std::future::Future as _;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use crate::kit::{Kit, SECRET, now, secs};
use chancery_core::config::Config;
use chancery_core::endpoint::ClientResponse;
use chancery_core::event::{Endpoint, Event};
use chancery_core::rotation::KeyEnd;
use chancery_jose::{JwkSet, SigningAlgorithm};
use chancery_store::StateStore as _;
use chancery_types::ClientId;
use chancery_types::iana::GrantType;

/// CONF-09; every complaint at once, from the configuration and from the keys.
#[test]
fn all_complaints_at_once() {
    let config: Config =
        serde_json::from_str(r#"{"session":{"idle":"0s"},"routes":{"token":"x"},"id_token":{"lifetime":"0s"}}"#)
            .unwrap();
    let complaints = Kit::with(config, &[SigningAlgorithm::Es256]).err().unwrap();
    let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
    assert_eq!(settings, ["routes.token", "id_token.lifetime", "session.idle", "keys"]);
}

/// DISC-01, DISC-02, DISC-03, DISC-04, DISC-05, DISC-06, DISC-07, DISC-08, DISC-09, DISC-10, CONF-08, JOSE-07: every
/// member, in its order.
#[test]
fn the_metadata_says_what_is_there() {
    let config = r#"{"discovery":{"extra":{"service_documentation":"https://op.example/doc","issuer":"https://evil.example"}},
        "scopes":{"extra":["admin"]},"routes":{"token":"/connect/token"}}"#;
    let algorithms = [SigningAlgorithm::Rs256, SigningAlgorithm::Es256];
    let kit = Kit::with(serde_json::from_str(config).unwrap(), &algorithms).unwrap();
    let expected = concat!(
        r#"{"issuer":"https://op.example","#,
        r#""authorization_endpoint":"https://op.example/authorize","#,
        r#""token_endpoint":"https://op.example/connect/token","#,
        r#""userinfo_endpoint":"https://op.example/userinfo","#,
        r#""jwks_uri":"https://op.example/jwks","#,
        r#""introspection_endpoint":"https://op.example/introspect","#,
        r#""revocation_endpoint":"https://op.example/revoke","#,
        r#""response_types_supported":["code"],"#,
        r#""response_modes_supported":["query","fragment","form_post"],"#,
        r#""grant_types_supported":["authorization_code","client_credentials","refresh_token"],"#,
        r#""token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],"#,
        r#""introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],"#,
        r#""revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],"#,
        r#""scopes_supported":["openid","offline_access","address","email","phone","profile","admin"],"#,
        r#""claim_types_supported":["normal"],"#,
        r#""claims_supported":["sub","sid","auth_time","acr","amr","iss","address","email","email_verified","#,
        r#""phone_number","phone_number_verified","name","family_name","given_name","middle_name","nickname","#,
        r#""preferred_username","profile","picture","website","gender","birthdate","zoneinfo","locale","updated_at"],"#,
        r#""claims_parameter_supported":true,"#,
        r#""code_challenge_methods_supported":["S256"],"#,
        r#""acr_values_supported":["urn:chancery:acr:password"],"#,
        r#""prompt_values_supported":["none","login","consent","select_account"],"#,
        r#""display_values_supported":["page","popup","touch"],"#,
        r#""request_parameter_supported":false,"#,
        r#""request_uri_parameter_supported":false,"#,
        r#""authorization_response_iss_parameter_supported":true,"#,
        r#""subject_types_supported":["public"],"#,
        r#""id_token_signing_alg_values_supported":["RS256","ES256","HS256","HS384","HS512"],"#,
        r#""userinfo_signing_alg_values_supported":["RS256","ES256","HS256","HS384","HS512"],"#,
        r#""ui_locales_supported":["en","de"],"#,
        r#""service_documentation":"https://op.example/doc"}"#
    );
    let snapshot = kit.provider.snapshot();
    assert_eq!(str::from_utf8(&snapshot.discovery.body).unwrap(), expected);
    assert!(snapshot.discovery.etag.starts_with('"') && snapshot.discovery.etag.ends_with('"'));
    let jwks = JwkSet::parse(&snapshot.jwks.body).unwrap();
    assert_eq!(jwks.keys().len(), 2);
}

/// JOSE-06: a key that is added, published, or retired shows within a second, and nothing is made anew without need.
#[test]
fn the_snapshot_follows_the_keys() {
    let kit = Kit::new();
    let etags = || {
        now(kit.provider.refresh(kit.provider.now()));
        let snapshot = kit.provider.snapshot();
        (snapshot.jwks.etag.clone(), snapshot.discovery.etag.clone())
    };
    let first = etags();
    kit.pass(10);
    assert_eq!(etags(), first);
    let kid = kit.keys.keys.add(SigningAlgorithm::Ps256, secs(1_020), secs(1_030)).unwrap();
    assert_eq!(etags(), first, "asked less than a second ago");
    kit.pass(1);
    assert_eq!(etags(), first, "not published yet");
    kit.pass(9);
    let published = etags();
    assert!(published.0 != first.0 && published.1 == first.1);
    assert!(str::from_utf8(&kit.provider.snapshot().jwks.body).unwrap().contains(&*kid));
    kit.pass(10);
    let signing = etags();
    assert!(signing.0 == published.0 && signing.1 != published.1);
    kit.keys.keys.end(&kid, KeyEnd::new(secs(1_031), std::time::Duration::ZERO));
    kit.pass(1);
    assert_eq!(etags(), first);
}

/// A source of keys that does not answer leaves the snapshot as it is, and is told of.
#[test]
fn a_failed_reload_keeps_the_old_snapshot() {
    let kit = Kit::new();
    let before = kit.provider.snapshot().jwks.clone();
    kit.keys.source.is_silent.store(true, Ordering::Relaxed);
    kit.pass(2);
    now(kit.provider.refresh(kit.provider.now()));
    assert_eq!(kit.provider.snapshot().jwks, before);
    assert!(matches!(kit.heard.take().as_slice(), [Event::Faulted { endpoint: Endpoint::Metadata, .. }]));
    now(kit.provider.refresh(kit.provider.now()));
    assert!(kit.heard.take().is_empty(), "it is not asked again within a second");
    kit.keys.source.is_silent.store(false, Ordering::Relaxed);
    kit.keys.keys.add(SigningAlgorithm::Es384, secs(0), secs(0)).unwrap();
    kit.pass(1);
    now(kit.provider.refresh(kit.provider.now()));
    assert_ne!(kit.provider.snapshot().jwks, before);
    assert!(kit.heard.take().is_empty());
}

/// When the time of a key comes while the keys do not answer, one request a second finds that out.
#[test]
fn a_silent_source_is_not_flooded() {
    let kit = Kit::new();
    kit.keys.keys.add(SigningAlgorithm::Ps256, secs(1_010), secs(1_010)).unwrap();
    kit.pass(2);
    now(kit.provider.refresh(kit.provider.now()));
    kit.keys.source.is_silent.store(true, Ordering::Relaxed);
    kit.pass(8);
    for _ in 0..100 {
        now(kit.provider.refresh(kit.provider.now()));
    }
    assert_eq!(kit.heard.take().len(), 1);
    kit.pass(1);
    kit.keys.source.is_silent.store(false, Ordering::Relaxed);
    now(kit.provider.refresh(kit.provider.now()));
    assert!(kit.provider.snapshot().discovery.body.windows(5).any(|text| text == b"PS256"));
}

/// A peer that breaks its request off in the middle of the question takes nobody's answer away: the next one asks.
#[test]
fn a_question_that_is_broken_off_is_asked_again() {
    let kit = Kit::new();
    let before = kit.provider.snapshot().jwks.clone();
    kit.keys.keys.add(SigningAlgorithm::Es384, secs(0), secs(0)).unwrap();
    kit.pass(2);
    kit.keys.source.waits.store(1, Ordering::Relaxed);
    {
        let mut asks = pin!(kit.provider.refresh(kit.provider.now()));
        assert!(asks.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    now(kit.provider.refresh(kit.provider.now()));
    assert_ne!(kit.provider.snapshot().jwks, before);
}

/// EVT-01, EVT-02, EVT-03, A19: from a token to its end, one event each.
#[test]
fn a_machine_gets_uses_and_ends_a_token() {
    let kit = Kit::new();
    let form = format!("client_id=post&client_secret={SECRET}&grant_type=client_credentials");
    let tokens = kit.json(Endpoint::Token, &form);
    let post = ClientId::parse("post").unwrap();
    let issued = Event::TokensIssued { client: post.clone(), grant_type: GrantType::ClientCredentials, account: None };
    assert_eq!(kit.heard.take(), [issued]);

    let form = format!("client_id=post&client_secret={SECRET}&token={}", tokens["access_token"].as_str().unwrap());
    let is_active = || kit.json(Endpoint::Introspection, &form)["active"] == true;
    assert!(is_active());
    assert_eq!(kit.heard.take(), [Event::Introspected { client: post.clone(), active: true }]);
    assert!(matches!(kit.client_request(&kit.call(None), Endpoint::Revocation, &form), Ok(ClientResponse::Done)));
    assert_eq!(kit.heard.take(), [Event::TokenRevoked { client: post }]);
    assert!(!is_active());
}

/// What has expired is removed, however much it is.
#[test]
fn sweeping_takes_everything_that_has_ended() {
    let kit = Kit::new();
    let form = format!("client_id=post&client_secret={SECRET}&grant_type=client_credentials");
    for _ in 0..3 {
        assert!(kit.client_request(&kit.call(None), Endpoint::Token, &form).is_ok());
    }
    assert_eq!(now(kit.provider.run_once(secs(1_001))), Ok(0));
    assert_eq!(now(kit.provider.run_once(secs(1_600))), Ok(3));
    assert_eq!(now(kit.store.sweep(secs(1_600), 10)).unwrap(), 0);
}
