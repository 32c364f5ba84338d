//! Modules about what the provider says of itself: its metadata and its keys.

use std::collections::BTreeSet;

use chancery_jose::SigningAlgorithm::{Es256, Rs256};
use chancery_testkit::{TestProvider, claims_of_scope, minutes, seconds};

/// oidcc-discovery-endpoint-verification
#[test]
fn discovery_endpoint_verification() {
    let kit = TestProvider::new();
    let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
    assert!(metadata.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    assert_eq!(metadata["issuer"], kit.issuer().as_str());
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(metadata.member(endpoint).starts_with("https://"), "{endpoint}");
    }
    let list = |name: &str| -> Vec<String> {
        let values = metadata[name].as_array().unwrap_or_else(|| panic!("no {name}")).iter();
        values.map(|value| value.as_str().unwrap_or_else(|| panic!("{name}")).to_owned()).collect()
    };
    let has = |name: &str, value: &str| list(name).iter().any(|have| have == value);
    assert_eq!(list("response_types_supported"), ["code", "none"]);
    assert_eq!(list("subject_types_supported"), ["public", "pairwise"]);
    assert!(has("id_token_signing_alg_values_supported", "RS256"));
    assert!(
        !has("id_token_signing_alg_values_supported", "none"),
        "three modules are skipped for this reason"
    );
    assert!(
        has("grant_types_supported", "authorization_code") && has("grant_types_supported", "refresh_token")
    );
    assert!(has("scopes_supported", "openid") && has("scopes_supported", "offline_access"));
    assert!(claims_of_scope("profile").iter().all(|claim| has("claims_supported", claim)));
    assert!(has("token_endpoint_auth_methods_supported", "client_secret_basic"));
    assert!(has("code_challenge_methods_supported", "S256"));
    for (name, said) in [
        ("request_parameter_supported", true),
        ("request_uri_parameter_supported", true),
        ("claims_parameter_supported", true),
    ] {
        assert_eq!(metadata[name], said, "{name}");
    }

    let jwks = kit.get("/jwks").expect_status(200);
    let keys = jwks["keys"].as_array().expect("keys");
    let kids: BTreeSet<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    assert!(!keys.is_empty() && kids.len() == keys.len(), "each has a kid of its own");
    for key in keys {
        assert!(["RSA", "EC"].contains(&key["kty"].as_str().unwrap_or("")), "{key}");
        assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|private| key[private].is_null()), "{key}");
        assert!(!key.to_string().contains("=\""), "no padding: {key}");
    }
}

/// oidcc-server-rotate-keys: the new key is there at once, and so is the old one.
#[test]
fn server_rotate_keys() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let kids = || -> BTreeSet<String> {
        let jwks = kit.get("/jwks").expect_status(200);
        let keys = jwks["keys"].as_array().expect("keys");
        keys.iter().filter_map(|key| key["kid"].as_str().map(str::to_owned)).collect()
    };
    let before = kids();
    let new = kit.keys.add(Rs256, kit.now(), kit.now() + minutes(10)).expect("a key");
    kit.clock.advance(seconds(5));
    let after = kids();
    assert!(after.is_superset(&before) && after.contains(&new.to_string()), "{before:?} {after:?}");
    assert_eq!(after.len(), before.len() + 1);
}
