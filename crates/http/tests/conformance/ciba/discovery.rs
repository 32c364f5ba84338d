//! The module about the metadata.

use serde_json::{Value, json};

use super::suite::{GRANT, in_each};

/// fapi-ciba-id1-discovery-end-point-verification
#[test]
fn metadata() {
    in_each(|suite| {
        for document in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            let metadata = suite.kit.get(document).expect_status(200);
            let metadata = metadata.json();
            let has = |list: &str, value: &str| {
                metadata[list].as_array().is_some_and(|list| list.contains(&value.into()))
            };
            assert_eq!(metadata["issuer"], suite.issuer());
            assert_eq!(metadata["backchannel_authentication_endpoint"], suite.endpoint_url());
            for mode in ["poll", "ping"] {
                assert!(has("backchannel_token_delivery_modes_supported", mode), "{mode}");
            }
            assert!(has("grant_types_supported", GRANT));
            assert!(has("grant_types_supported", "refresh_token"));
            assert!(metadata["backchannel_user_code_parameter_supported"].is_boolean());
            for list in [
                "backchannel_authentication_request_signing_alg_values_supported",
                "token_endpoint_auth_signing_alg_values_supported",
            ] {
                let algorithms = metadata[list].as_array().expect(list);
                assert!(algorithms.contains(&"ES256".into()), "{list}");
                let is_fapi = |alg: &Value| [json!("PS256"), json!("ES256")].contains(alg);
                assert!(algorithms.iter().all(is_fapi), "{list}: {algorithms:?}");
            }
            assert!(has("id_token_signing_alg_values_supported", "ES256"));
            for method in ["private_key_jwt", "self_signed_tls_client_auth"] {
                assert!(has("token_endpoint_auth_methods_supported", method), "{method}");
            }
            assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
            assert!(metadata["registration_endpoint"].is_string());
        }
    });
}
