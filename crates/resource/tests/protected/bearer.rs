//! RFC 6750 sections 2 and 3: how a token is sent, and what is said to whoever sent none, a bad one, or too little.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower_layer::Layer as _;

use crate::api::{Api, Handler, bearer, told, with_headers};

const METADATA: &str = ", resource_metadata=\"https://jwt-api.example/.well-known/oauth-protected-resource\"";

fn algorithms() -> &'static str {
    ", algs=\"ES256 ES384 PS256 EdDSA Ed25519\""
}

/// Section 3.1: whoever has sent no token, or tried another scheme, is told which schemes there are, and of no error: neither in the
/// challenge nor in the body.
#[test]
fn without_a_token() {
    let api = Api::new();
    let realm = "realm=\"https://jwt-api.example\"";
    for (headers, reason) in [
        (&[][..], "access_token_missing"),
        (&[("authorization", "Basic eA==")], "authorization_scheme_unsupported"),
        (&[("authorization", "Digest a=b, c=d")], "authorization_scheme_unsupported"),
    ] {
        let told = api.send(&api.resource.layer(), with_headers(headers));
        assert_eq!((told.status, &*told.reason, &told.body), (401, reason, &serde_json::Value::Null));
        let challenge = format!("Bearer {realm}{METADATA}, DPoP {realm}{}{METADATA}", algorithms());
        assert_eq!(told.challenge, challenge);
    }
    assert!(api.wire.asked().is_empty(), "nobody is asked for nothing");
}

/// Section 2.1 and RFC 9110 section 11.1: the scheme in any case, with any number of blanks behind it.
#[test]
fn each_spelling_of_the_scheme() {
    let api = Api::new();
    let token = api.token("read");
    for scheme in ["Bearer ", "bearer ", "BEARER   "] {
        let told =
            api.send(&api.resource.layer(), with_headers(&[("authorization", &format!("{scheme}{token}"))]));
        assert_eq!(told.status, 200, "{scheme}");
    }
}

/// Section 3.1: a route says which scopes it demands, and the answer says which would help.
#[test]
fn a_route_demands_scopes() {
    let api = Api::new();
    let (reads, both) = (api.token("read"), api.token("read write"));
    let needs = |scopes: &str, token: &str| api.send(&api.resource.requires(scopes).unwrap(), bearer(token));
    for (scopes, token) in
        [("read", &reads), ("read", &both), ("write", &both), ("write read", &both), ("", &reads)]
    {
        assert_eq!(needs(scopes, token).status, 200, "{scopes}");
    }
    for scopes in ["write", "read write", "admin"] {
        let told = needs(scopes, &reads);
        assert_eq!((told.status, &*told.reason), (403, "access_token_scope_missing"), "{scopes}");
        let named = format!(
            "error=\"insufficient_scope\", error_description=\"the access token does not cover this request\", \
             scope=\"{scopes}\"{METADATA}"
        );
        assert!(told.challenge.contains(&named), "{}", told.challenge);
        assert_eq!(told.body["scope"], scopes);
    }
    assert!(api.resource.requires("read  write").is_err());
    assert!(api.resource.requires("\"").is_err());
}

/// A route's layer within that of the whole API: the token is judged once, and only for this resource.
#[test]
fn layers_within_layers() {
    let (api, other) = (Api::new(), Api::new());
    let token = api.token("read");
    let nested =
        |scopes: &str| api.resource.layer().layer(api.resource.requires(scopes).unwrap().layer(Handler));
    assert_eq!(told(nested("read"), bearer(&token)).status, 200);
    assert_eq!(told(nested("write"), bearer(&token)).reason, "access_token_scope_missing");
    let of_two = other.resource.layer().layer(api.resource.requires("read").unwrap().layer(Handler));
    assert_eq!(told(of_two, bearer(&token)).status, 200);
    assert!(api.wire.asked().len() == 2 && other.wire.asked().len() == 2, "each resource judges by itself");
}

/// What is sent wrongly: 400, with the error in the challenge.
#[test]
fn what_must_not_be_sent() {
    let api = Api::new();
    let token = api.token("read");
    let header = |value: &str| with_headers(&[("authorization", value)]);
    let at = |uri: &str| Request::builder().uri(uri).body(Full::<Bytes>::default()).unwrap();
    let beside = |uri: &str| {
        let mut request = bearer(&token);
        *request.uri_mut() = uri.parse().unwrap();
        request
    };
    let b = format!("Bearer {token}");
    let rows = [
        (
            "two headers",
            with_headers(&[("authorization", &b), ("authorization", &b)]),
            "access_token_in_several_places",
        ),
        (
            "two schemes",
            with_headers(&[("authorization", &b), ("authorization", "Basic eA==")]),
            "access_token_in_several_places",
        ),
        ("two tokens", header(&format!("{b} {token}")), "bearer_header_malformed"),
        ("no token", header("Bearer"), "bearer_header_malformed"),
        ("an empty token", header("Bearer "), "bearer_header_malformed"),
        ("no scheme", header(&token), "bearer_header_malformed"),
        ("no name of a scheme", header("<Basic> eA=="), "bearer_header_malformed"),
        ("a list", header(&format!("{b}, {b}")), "bearer_header_malformed"),
        ("in the query", at(&format!("/notes?access_token={token}")), "access_token_in_query"),
        (
            "in the query behind others",
            at(&format!("/notes?a=b&access_token={token}")),
            "access_token_in_query",
        ),
        ("in the query, too", beside(&format!("/notes?access_token={token}")), "access_token_in_query"),
        ("in the query, empty", beside("/notes?access_token"), "access_token_in_query"),
    ];
    for (name, request, reason) in rows {
        let told = api.send(&api.resource.layer(), request);
        assert_eq!((told.status, &*told.reason), (400, reason), "{name}: {told:?}");
        assert!(told.challenge.contains("error=\"invalid_request\""), "{name}");
    }
    let mut latin = bearer(&token);
    latin.headers_mut().insert("authorization", http::HeaderValue::from_bytes(b"Bearer \xe4").unwrap());
    assert_eq!(api.send(&api.resource.layer(), latin).reason, "bearer_header_malformed");
    assert!(api.wire.asked().is_empty(), "nobody is asked");
}
