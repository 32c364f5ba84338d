//! Which endpoints there are: RFC 8414 section 2 for what is announced, RFC 7662 section 2 and RFC 7009
//! section 2 for the two that a provider can do without.

use chancery_core::offered::Endpoint;
use chancery_testkit::TestProvider;
use http::{Method, StatusCode};

const METADATA: &str = "/.well-known/openid-configuration";

fn without(endpoint: Endpoint) -> TestProvider {
    TestProvider::builder().configure(move |config| config.endpoints.switch(endpoint, false)).build()
}

/// What is off is not there: no path, no CORS, no member of the metadata. Everything else stays.
#[test]
fn what_is_off_is_neither_routed_nor_announced() {
    let all = TestProvider::new().get(METADATA).json().as_object().cloned().unwrap_or_default();
    for endpoint in [Endpoint::Introspection, Endpoint::Revocation] {
        let kit = without(endpoint);
        let path = endpoint.describe().path.unwrap_or_default();
        for answer in [kit.get(path), kit.anonymous_request(path).send()] {
            assert_eq!(answer.status, 404, "{endpoint}");
        }
        let mut preflight = kit.anonymous_request(path).header("origin", "https://app.example").to_http();
        *preflight.method_mut() = Method::OPTIONS;
        let preflight = kit.send(preflight);
        assert_eq!(
            (preflight.status, preflight.header("access-control-allow-origin")),
            (StatusCode::NOT_FOUND, None),
            "{endpoint}"
        );

        let left = kit.get(METADATA).json().as_object().cloned().unwrap_or_default();
        let gone: Vec<&str> =
            all.keys().filter(|name| !left.contains_key(*name)).map(String::as_str).collect();
        let mut expected = ["", "_auth_methods_supported", "_auth_signing_alg_values_supported"]
            .map(|member| format!("{endpoint}_endpoint{member}"))
            .to_vec();
        if endpoint == Endpoint::Introspection {
            // RFC 9701 section 7.
            expected.extend(
                ["signing_alg", "encryption_alg", "encryption_enc"]
                    .map(|values| format!("introspection_{values}_values_supported")),
            );
        }
        expected.sort();
        assert_eq!(gone, expected);
        assert!(left.iter().all(|(name, value)| all.get(name) == Some(value)), "{endpoint}");
    }
}

/// Every other endpoint works as before.
#[test]
fn nothing_else_misses_what_is_off() {
    let kit = TestProvider::builder()
        .configure(|config| {
            config.endpoints.switch(Endpoint::Introspection, false);
            config.endpoints.switch(Endpoint::Revocation, false);
        })
        .build();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 200);
    assert_eq!(kit.refresh("web", tokens.member("refresh_token")).status, 200);
}

/// Bad input: what a provider cannot do without cannot be switched off, and misspelt names are no endpoints.
#[test]
fn only_what_is_optional_can_be_off() {
    for name in ["token", "authorization", "interaction", "userinfo", "jwks", "metadata", "introspect", ""] {
        let section = format!(r#"{{"endpoints":{{"{name}":false}}}}"#);
        let refused = serde_json::from_str::<chancery_core::config::Config>(&section);
        assert!(refused.is_err_and(|error| error.to_string().contains(name)), "{name}");
    }
    let kit =
        TestProvider::builder().configure(|config| config.endpoints.switch(Endpoint::Token, false)).build();
    assert!(kit.get(METADATA).json().get("token_endpoint").is_some());
}
