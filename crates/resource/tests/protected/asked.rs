//! RFC 6750 section 3, RFC 9449 sections 4.3 and 11.1: a handler asks for the token of its request by itself, and gets
//! what a layer around it would have let through, or the answer that it would have given.

use bytes::Bytes;
use chancery_core::config::Config;
use chancery_jose::SigningAlgorithm;
use chancery_resource::{AccessToken, ProtectedResource, Refused, RequestHead, RequireToken};
use chancery_testkit::{DpopKey, TestProvider, wait};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;

use crate::api::{API, Api, bearer, told, with_headers};
use tower_layer::Layer as _;

/// Status, challenge and reason of a refusal.
fn of_refusal(refusal: &Response<Full<Bytes>>) -> (u16, String, String) {
    let challenge = refusal.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap());
    let Refused(failure) = refusal.extensions().get::<Refused>().expect("a reason");
    let reason = match failure {
        chancery_core::error::Failure::Refused(refusal) => refusal.reason.name.to_owned(),
        chancery_core::error::Failure::Broken(fault) => fault.to_string(),
    };
    (refusal.status().as_u16(), challenge.to_owned(), reason)
}

fn asked(layer: &RequireToken, request: &Request<Full<Bytes>>) -> Result<AccessToken, (u16, String, String)> {
    wait(layer.access_token(request)).map_err(|refusal| of_refusal(&refusal))
}

#[test]
fn whoever_asks_gets_the_token() {
    let api = Api::new();
    let request = bearer(&api.token("read"));
    let token = wait(api.resource.access_token(&request)).expect("it is good");
    assert_eq!(
        (&*token.subject, token.client.as_str(), &*token.audience),
        ("jwt", "jwt", &[API.to_owned()][..])
    );
    assert!(token.scopes.contains("read") && token.is_of_client());
    let (parts, _) = request.into_parts();
    assert!(wait(api.resource.access_token(&parts)).is_ok(), "of the head alone");
    let (method, uri) = (Method::GET, Uri::from_static("/notes"));
    let pieces = RequestHead::new(&method, &uri, &parts.headers);
    assert!(wait(api.resource.access_token(pieces)).is_ok(), "of its pieces");
}

/// A framework's extractors may ask several times: a proof is judged once for each request.
#[test]
fn a_bound_token_is_judged_once_for_each_request() {
    let mut config = Config::default();
    config.dpop.offered = true;
    let api = Api::with(TestProvider::builder().configure(|mine| *mine = config), |builder| builder);
    let key = DpopKey::generate(SigningAlgorithm::Es256);
    let request = api.kit.client_credentials_request("jwt").param("scope", "read");
    let token = key.prove(request).send().expect_status(200).member("access_token").to_owned();
    let mut claims = key.claims(&api.kit, &Method::GET, "/", Some(&token));
    claims["htu"] = format!("{API}/notes").into();
    let (scheme, proof) = (format!("DPoP {token}"), key.proof(&claims));
    let sent = || with_headers(&[("authorization", &scheme), ("dpop", &proof)]);
    let (mut parts, _) = sent().into_parts();
    let (layer, read, write) = (api.resource.layer(), api.resource.requires("read").unwrap(), "write");
    let write = api.resource.requires(write).unwrap();
    for requires in [&layer, &read, &layer] {
        assert!(wait(requires.access_token_of(&mut parts)).is_ok());
    }
    assert!(parts.extensions.get::<AccessToken>().is_some());
    let refusal = wait(write.access_token_of(&mut parts)).expect_err("it has not that scope");
    let (status, challenge, reason) = of_refusal(&refusal);
    assert_eq!((status, &*reason), (403, "access_token_scope_missing"));
    assert!(challenge.contains(r#"scope="write""#), "{challenge}");
    // Another resource decides for itself, whatever this one has found.
    let another = Api::at("https://another.example", TestProvider::builder(), |builder| builder);
    assert!(wait(another.resource.layer().access_token_of(&mut parts)).is_err());
    let replayed = asked(&layer, &sent()).expect_err("the proof was used");
    assert_eq!((replayed.0, &*replayed.2), (401, "dpop_proof_replayed"));
    // The method and the URI are what the proof is for.
    let (method, uri) = (Method::POST, Uri::from_static("/notes"));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", scheme.parse().unwrap());
    headers.insert("dpop", proof.parse().unwrap());
    let refusal = wait(api.resource.access_token(RequestHead::new(&method, &uri, &headers)));
    assert_eq!(of_refusal(&refusal.expect_err("for GET")).2, "dpop_method_wrong");
}

fn refused_alike(
    resource: &ProtectedResource,
    scopes: &str,
    request: impl Fn() -> Request<Full<Bytes>>,
) -> u16 {
    let layer = resource.requires(scopes).unwrap();
    let by_layer = told(layer.layer(crate::api::Handler), request());
    let (status, challenge, reason) = asked(&layer, &request()).expect_err("it is not good");
    assert_eq!((status, challenge, reason), (by_layer.status, by_layer.challenge, by_layer.reason));
    status
}

/// Every refusal is that of the layer.
#[test]
fn what_must_not_be_accepted() {
    let api = Api::new();
    let good = api.token("read");
    let scheme = format!("Bearer {good}");
    let rows = [
        ("no token", "read", vec![], 401),
        ("another scheme", "read", vec![("authorization", "Basic Zm9vOmJhcg==")], 401),
        ("two tokens", "read", vec![("authorization", &scheme), ("authorization", &scheme)], 400),
        ("no token behind the scheme", "read", vec![("authorization", "Bearer")], 400),
        ("nonsense", "read", vec![("authorization", "Bearer a.b.c")], 401),
        ("an opaque one", "read", vec![("authorization", "Bearer at_1")], 401),
        ("without the scope", "write", vec![("authorization", &scheme)], 403),
        ("without one of the scopes", "read write", vec![("authorization", &scheme)], 403),
    ];
    let told = rows.clone().map(|(name, scopes, headers, _)| {
        (name, refused_alike(&api.resource, scopes, || with_headers(&headers)))
    });
    assert_eq!(told, rows.map(|(name, _, _, status)| (name, status)));
    assert!(asked(&api.resource.requires("read").unwrap(), &bearer(&good)).is_ok());
    api.wire.hangs(crate::api::METADATA);
    let unknown = Api::new();
    unknown.wire.hangs(crate::api::METADATA);
    unknown.wire.hangs("https://id.example/.well-known/openid-configuration");
    let request = || bearer(&good);
    // Whoever asks first waits for the issuer; the others are told of its failure.
    let _ = asked(&unknown.resource.layer(), &request()).expect_err("nobody can say");
    assert_eq!(refused_alike(&unknown.resource, "read", request), 503, "nobody can say");
}
