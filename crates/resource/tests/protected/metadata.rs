//! RFC 9728 sections 2, 3 and 5.1: the metadata of the API, and how a client finds it.

use std::sync::Arc;

use bytes::Bytes;
use chancery_core::fetch::NoFetch;
use chancery_core::rule::dpop::DpopConfig;
use chancery_resource::{Builder, ProtectedResource};
use chancery_testkit::{TestProvider, wait};
use chancery_types::Scopes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::api::{API, Api, Handler, with_headers};

fn ask(resource: &ProtectedResource, method: Method, path: &str) -> (Response<()>, Value) {
    let request = Request::builder().method(method).uri(path).body(Full::<Bytes>::default()).unwrap();
    let Ok(answer) = wait(resource.layer().layer(Handler).call(request));
    let (head, body) = answer.into_parts();
    let Ok(body) = wait(body.collect());
    (Response::from_parts(head, ()), serde_json::from_slice(&body.to_bytes()).unwrap_or_default())
}

/// Sections 2 and 3.2: whom it trusts, and how tokens are sent; for everybody.
#[test]
fn the_metadata() {
    let api = Api::with(TestProvider::builder(), |builder| {
        builder.name("Notes").scopes(Scopes::parse("read write").unwrap())
    });
    let path = "/.well-known/oauth-protected-resource";
    let (head, metadata) = ask(&api.resource, Method::GET, path);
    assert_eq!(head.status(), 200);
    let want = json!({"resource": API, "authorization_servers": ["https://id.example"], "resource_name": "Notes",
        "scopes_supported": ["read", "write"], "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "ES384", "PS256", "EdDSA", "Ed25519"]});
    assert_eq!(metadata, want);
    for (name, value) in [
        ("content-type", "application/json"),
        ("access-control-allow-origin", "*"),
        ("cache-control", "public, max-age=3600"),
    ] {
        assert_eq!(head.headers()[name], value);
    }
    assert_eq!(ask(&api.resource, Method::HEAD, path).1, Value::Null);
    let (refused, _) = ask(&api.resource, Method::POST, path);
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
    assert_eq!(ask(&api.resource, Method::GET, &format!("{path}/other")).0.status(), 401);
    let bare = Api::with(TestProvider::builder(), |builder| builder.dpop(DpopConfig::default()));
    let (_, metadata) = ask(&bare.resource, Method::GET, path);
    assert!(
        metadata.get("scopes_supported").is_none()
            && metadata.get("dpop_signing_alg_values_supported").is_none()
    );
}

/// Section 3.1: the well-known path stands between host and path of the identifier, and the challenge names it (section
/// 5.1). Whoever reads it finds the identifier that it was derived from (section 3.3).
#[test]
fn where_it_is() {
    for (resource, path) in [
        ("https://api.example.org", "/.well-known/oauth-protected-resource"),
        ("https://api.example.org/", "/.well-known/oauth-protected-resource"),
        ("https://api.example.org:8443/v1", "/.well-known/oauth-protected-resource/v1"),
        ("https://api.example.org/v1/", "/.well-known/oauth-protected-resource/v1/"),
        ("http://localhost:3000/api", "/.well-known/oauth-protected-resource/api"),
    ] {
        let api = Api::at(resource, TestProvider::builder(), |builder| builder);
        let (head, metadata) = ask(&api.resource, Method::GET, path);
        assert_eq!((head.status().as_u16(), &metadata["resource"]), (200, &json!(resource)));
        let told = api.send(&api.resource.layer(), with_headers(&[]));
        let url = api.resource.metadata_url();
        assert!(url.ends_with(path) && resource.starts_with(url.strip_suffix(path).unwrap()), "{url}");
        assert!(told.challenge.contains(&format!("resource_metadata=\"{url}\"")), "{}", told.challenge);
    }
}

/// What cannot be protected so, and the sentence that says why.
#[test]
fn what_must_not_be_configured() {
    type Change = fn(Builder) -> Builder;
    let same: Change = |builder| builder;
    let (api, id) = ("https://api.example", "https://id.example");
    let rows: [(&str, &str, Change, &str); 14] = [
        (id, "api", same, "the resource must be a URI"),
        (id, "https://api.example#x", same, "the resource must be a URI without a fragment"),
        (
            id,
            "https://api.example?x=1",
            same,
            "the resource \"https://api.example?x=1\": it must not have a query",
        ),
        (
            id,
            "http://api.example",
            same,
            "the resource \"http://api.example\": http is for localhost, 127.0.0.1 and",
        ),
        (
            id,
            "urn:example:api",
            same,
            "the resource \"urn:example:api\": it must begin with https:// (or, on this machine alone, http://localhost)",
        ),
        (
            id,
            "https://user@api.example",
            same,
            "the resource \"https://user@api.example\": it must not have a user name",
        ),
        ("id", api, same, "the issuer \"id\": it must be a URL and begin with https://"),
        (
            "http://id.example",
            api,
            same,
            "the issuer \"http://id.example\": http is for localhost, 127.0.0.1 and",
        ),
        (
            "http://localhost:3000/",
            api,
            same,
            "the issuer \"http://localhost:3000/\": it must not end with a slash",
        ),
        (id, api, |builder| builder.algorithms(&[]), "algorithms must name at least one"),
        (id, api, |builder| builder.algorithms(&[chancery_jose::SigningAlgorithm::Hs256]), "algorithms must"),
        (
            id,
            api,
            |builder| builder.clock_tolerance(chancery_testkit::seconds(301)),
            "clock_tolerance must be at most",
        ),
        (
            id,
            api,
            |builder| builder.dpop(DpopConfig { require_nonce: true, ..DpopConfig::default() }),
            "dpop must",
        ),
        (
            id,
            api,
            |builder| builder.dpop(DpopConfig { algorithms: vec![], ..DpopConfig::default() }),
            "dpop must",
        ),
    ];
    for (issuer, resource, change, why) in rows {
        let built = change(ProtectedResource::trusting(issuer, Arc::new(NoFetch))).at(resource);
        let told = built.err().map(|why| why.to_string()).unwrap_or_default();
        assert!(told.starts_with(why), "{issuer} {resource}: {told:?}");
    }
}

/// Section 4: the provider tells clients of the resources that its operator has named.
#[test]
fn protected_resources_of_the_provider() {
    let kit = TestProvider::builder().configure(|config| {
        config.discovery =
            serde_json::from_str(r#"{"protected_resources":["https://api.example","urn:x"]}"#).unwrap();
    });
    let metadata = kit.build().get("/.well-known/oauth-authorization-server");
    assert_eq!(metadata["protected_resources"], json!(["https://api.example", "urn:x"]));
    let without = TestProvider::new().get("/.well-known/oauth-authorization-server");
    assert!(without["protected_resources"].is_null());
    assert!(
        serde_json::from_str::<chancery_core::discovery::DiscoveryConfig>(r#"{"protected_resources":["x"]}"#)
            .is_err()
    );
}
