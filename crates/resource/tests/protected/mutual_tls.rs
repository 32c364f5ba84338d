//! RFC 8705 section 3: tokens that are bound to the certificate of the connection.

use chancery_core::config::Config;
use chancery_resource::{PeerCertificate, ProtectedResource};
use chancery_testkit::{SECRET, TestCertificate, TestProvider};
use serde_json::json;
use std::sync::Arc;

use crate::api::{API, Api, bearer};

/// Section 3.1, `cnf.x5t#S256`: with the certificate of the token request and with no other; the same for what stands in a
/// JWT and for what a provider in the same program knows.
#[test]
fn only_with_the_certificate_that_it_was_issued_for() {
    let mut config = Config::default();
    config.mtls.certificate_bound_access_tokens = true;
    let client = json!({"client_id": "bound", "client_secret": SECRET, "response_types": [],
        "grant_types": ["client_credentials"], "tls_client_certificate_bound_access_tokens": true,
        "chancery": {"default_resource": API}});
    let kit = TestProvider::builder().configure(|mine| *mine = config).client(&client.to_string());
    let api = Api::with(kit, |builder| builder);
    let (own, other) = (TestCertificate::self_signed("CN=own"), TestCertificate::self_signed("CN=other"));
    let request = api.kit.client_credentials_request("bound").param("scope", "read").certificate(&own);
    let token = request.send().expect_status(200).member("access_token").to_owned();
    let in_process = ProtectedResource::of_provider(Arc::clone(&api.kit.provider)).at(API).unwrap();
    for layer in [api.resource.layer(), in_process.layer()] {
        let with = |shown: Option<PeerCertificate>, token: &str| {
            let mut request = bearer(token);
            if let Some(shown) = shown {
                request.extensions_mut().insert(shown);
            }
            let told = api.send(&layer, request);
            (told.status, told.reason)
        };
        let bound = (401, "access_token_bound_to_another_key".to_owned());
        assert_eq!(with(Some(own.shown()), &token), (200, String::new()));
        assert_eq!(with(Some(other.shown()), &token), bound);
        assert_eq!(with(None, &token), bound, "a stolen token");
        assert_eq!(
            with(Some(other.shown()), &api.token("read")),
            (200, String::new()),
            "one that is bound to nothing"
        );
    }
}
