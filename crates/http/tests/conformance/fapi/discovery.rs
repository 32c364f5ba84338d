//! Modules about the metadata.

use serde_json::{Value, json};

use super::suite::{Plan, Suite, in_each};

/// The algorithms of FAPI.
const ALGORITHMS: [&str; 4] = ["PS256", "ES256", "EdDSA", "Ed25519"];

/// A list of the metadata that has to be there and to hold this.
#[track_caller]
fn has(metadata: &Value, list: &str, value: &str) {
    let has = metadata[list].as_array().is_some_and(|list| list.contains(&value.into()));
    assert!(has, "{value} is not in {list}: {}", metadata[list]);
}

/// fapi1-advanced-final-discovery-end-point-verification,
/// fapi2-security-profile-final-discovery-end-point-verification,
/// fapi2-security-profile-id2-discovery-end-point-verification
#[test]
fn metadata() {
    in_each(|suite| {
        for document in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            check(suite, suite.kit.get(document).expect_status(200).json());
        }
    });
}

fn check(suite: &Suite, metadata: &Value) {
    let variant = suite.variant;
    assert_eq!(metadata["issuer"], suite.issuer());
    for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
        assert!(metadata[endpoint].as_str().is_some_and(|url| url.starts_with("https://")), "{endpoint}");
    }
    for method in ["private_key_jwt", "self_signed_tls_client_auth"] {
        has(metadata, "token_endpoint_auth_methods_supported", method);
    }
    for list in [
        "token_endpoint_auth_signing_alg_values_supported",
        "id_token_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
    ] {
        let algorithms = metadata[list].as_array().expect(list);
        assert!(!algorithms.is_empty(), "{list}");
        if list != "id_token_signing_alg_values_supported" {
            let is_fapi = |alg: &Value| ALGORITHMS.contains(&alg.as_str().unwrap_or_default());
            assert!(algorithms.iter().all(is_fapi), "{list}: {algorithms:?}");
        }
    }
    has(metadata, "id_token_signing_alg_values_supported", "ES256");
    has(metadata, "scopes_supported", "openid");
    has(metadata, "grant_types_supported", "authorization_code");
    has(metadata, "grant_types_supported", "refresh_token");
    has(metadata, "code_challenge_methods_supported", "S256");
    assert!(metadata["subject_types_supported"].as_array().is_some_and(|types| !types.is_empty()));
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert!(metadata["pushed_authorization_request_endpoint"].is_string());
    has(metadata, "response_types_supported", "code");
    let required = &metadata["require_pushed_authorization_requests"];
    if variant.plan() == Plan::Advanced {
        has(metadata, "response_types_supported", "code id_token");
        assert_eq!(metadata["request_parameter_supported"], true);
        // By value has to be possible.
        assert!(required.is_null() || *required == false);
    } else {
        assert!(required.is_null() || required.is_boolean());
        assert_eq!(metadata["response_types_supported"], json!(["code"]));
    }
    has(metadata, "response_modes_supported", "jwt");
    has(metadata, "authorization_signing_alg_values_supported", "ES256");
    for list in
        ["authorization_encryption_alg_values_supported", "authorization_encryption_enc_values_supported"]
    {
        assert!(metadata[list].is_array(), "{list}");
    }
}
