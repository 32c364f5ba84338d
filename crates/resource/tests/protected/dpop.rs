//! RFC 9449 sections 4.3, 7 and 11.1: tokens that are bound to a key, and the proofs that come with them.

use std::sync::Arc;

use bytes::Bytes;
use chancery_core::config::Config;
use chancery_jose::{SigningAlgorithm, base64url, sha256};
use chancery_resource::{Builder, ProtectedResource, SeenProofs};
use chancery_testkit::{DpopKey, TestProvider, TestProviderBuilder, seconds};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::api::{API, Api, Told, bearer};

fn kit() -> TestProviderBuilder {
    let mut config = Config::default();
    config.dpop.offered = true;
    TestProvider::builder().configure(|mine| *mine = config)
}

/// An API and a client with a bound token for it.
struct Bound {
    api: Api,
    key: DpopKey,
    token: String,
}

impl Bound {
    fn new(change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::of(kit(), change)
    }

    fn of(kit: TestProviderBuilder, change: impl FnOnce(Builder) -> Builder) -> Self {
        let api = Api::with(kit, change);
        let key = DpopKey::generate(SigningAlgorithm::Es256);
        let request = api.kit.client_credentials_request("jwt").param("scope", "read");
        let token = key.prove(request).send().expect_status(200).member("access_token").to_owned();
        Self { api, key, token }
    }

    /// The claims of a new proof for a request of the API.
    fn claims(&self) -> Value {
        let mut claims = self.key.claims(&self.api.kit, &Method::GET, "/", Some(&self.token));
        claims["htu"] = format!("{API}/notes").into();
        claims
    }

    fn request(&self, scheme: &str, proofs: &[String]) -> Request<Full<Bytes>> {
        let mut request = Request::builder().uri("/notes?limit=5");
        request = request.header("authorization", format!("{scheme} {}", self.token));
        let request = proofs.iter().fold(request, |request, proof| request.header("dpop", proof));
        request.body(Full::default()).unwrap()
    }

    fn get(&self, proof: &Value) -> Told {
        self.api.send(&self.api.resource.layer(), self.request("DPoP", &[self.key.proof(proof)]))
    }
}

/// Section 7.1: the token with its scheme and a new proof each time.
#[test]
fn a_bound_token_comes_with_a_proof() {
    let bound = Bound::new(|builder| builder);
    for _ in 0..3 {
        let told = bound.get(&bound.claims());
        assert_eq!((told.status, &*told.reason), (200, ""));
    }
    let mut equivalent = bound.claims();
    equivalent["htu"] = "HTTPS://JWT-API.example:443/n%6Ftes".into();
    assert_eq!(bound.get(&equivalent).status, 200);
    let old = bound.claims();
    bound.api.kit.clock.advance(seconds(59));
    assert_eq!(bound.get(&old).status, 200, "for a minute");
}

/// A router or a proxy has cut off the beginning of the path.
#[test]
fn behind_a_prefix() {
    let bound = Bound::new(|builder| builder.behind("/v1"));
    assert_eq!(bound.get(&bound.claims()).reason, "dpop_target_wrong");
    let mut whole = bound.claims();
    whole["htu"] = format!("{API}/v1/notes").into();
    assert_eq!(bound.get(&whole).status, 200);
}

/// Section 11.1: once, also when two come at the same time; at a provider in the same program, on whichever node.
#[test]
fn each_proof_is_good_once() {
    let bound = Bound::new(|builder| builder);
    let proof = bound.claims();
    assert_eq!(bound.get(&proof).status, 200);
    bound.api.kit.clock.advance(seconds(59));
    let again = bound.get(&proof);
    assert_eq!((again.status, &*again.reason), (401, "dpop_proof_replayed"));
    bound.api.kit.clock.advance(seconds(1));
    assert_eq!(bound.get(&proof).reason, "dpop_proof_expired");
    let of_provider = || {
        let provider = Arc::clone(&bound.api.kit.provider);
        ProtectedResource::of_provider(provider).at(API).unwrap()
    };
    let nodes = [of_provider(), of_provider()];
    let proof = bound.key.proof(&bound.claims());
    let request = || bound.request("DPoP", std::slice::from_ref(&proof));
    assert_eq!(bound.api.send(&nodes[0].layer(), request()).status, 200);
    assert_eq!(bound.api.send(&nodes[1].layer(), request()).reason, "dpop_proof_replayed");
}

/// A refused request uses no proof up, and what cannot be remembered is not taken.
#[test]
fn what_is_remembered() {
    let bound = Bound::new(|builder| builder.used_proofs(Arc::new(SeenProofs::new(1))));
    let proof = bound.key.proof(&bound.claims());
    let request = || bound.request("DPoP", std::slice::from_ref(&proof));
    let write = bound.api.resource.requires("write").unwrap();
    assert_eq!(bound.api.send(&write, request()).reason, "access_token_scope_missing");
    assert_eq!(bound.api.send(&bound.api.resource.layer(), request()).status, 200);
    let full = bound.get(&bound.claims());
    assert_eq!((full.status, &*full.challenge), (503, ""));
    bound.api.kit.clock.advance(seconds(70));
    assert_eq!(bound.get(&bound.claims()).status, 200);
}

/// Sections 4.3 and 7.2: every rule, each broken by itself; the error stands in the challenge of the scheme.
#[test]
fn what_must_not_be_accepted() {
    let bound = Bound::new(|builder| builder);
    let now = bound.api.kit.now().secs();
    let with = |name: &str, value: Value| {
        let mut claims = bound.claims();
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
        };
        vec![bound.key.proof(&claims)]
    };
    let good = || bound.key.proof(&bound.claims());
    let other = DpopKey::generate(SigningAlgorithm::Es256);
    let typed = |typ: &str| {
        let header = json!({"typ": typ, "jwk": bound.key.key().public()});
        vec![bound.key.key().sign(&header, &bound.claims())]
    };
    let hash = base64url::encode(sha256(b"another token"));
    let rows = [
        ("another path", with("htu", json!(format!("{API}/other"))), "dpop_target_wrong"),
        ("another host", with("htu", json!("https://evil.example/notes")), "dpop_target_wrong"),
        ("http", with("htu", json!("http://jwt-api.example/notes")), "dpop_target_wrong"),
        ("no URI", with("htu", json!("/notes")), "dpop_target_wrong"),
        ("no target", with("htu", Value::Null), "dpop_proof_incomplete"),
        ("another method", with("htm", json!("POST")), "dpop_method_wrong"),
        ("the method in lower case", with("htm", json!("get")), "dpop_method_wrong"),
        ("another token", with("ath", json!(hash)), "dpop_token_wrong"),
        ("no token", with("ath", Value::Null), "dpop_proof_incomplete"),
        ("old", with("iat", json!(now - 60)), "dpop_proof_expired"),
        ("of the future", with("iat", json!(now + 61)), "dpop_proof_not_yet_valid"),
        ("without a name", with("jti", Value::Null), "dpop_proof_incomplete"),
        ("an empty name", with("jti", json!("")), "dpop_proof_incomplete"),
        ("a long name", with("jti", json!("x".repeat(257))), "dpop_proof_incomplete"),
        ("an end that is past", with("exp", json!(now - 60)), "dpop_proof_expired"),
        ("a beginning that is to come", with("nbf", json!(now + 61)), "dpop_proof_not_yet_valid"),
        ("with a nonce", with("nonce", json!("x")), "dpop_nonce_unknown"),
        ("an access token as the proof", vec![bound.token.clone()], "dpop_proof_incomplete"),
        ("another type", typed("at+jwt"), "dpop_type_wrong"),
        ("another key", vec![other.proof(&bound.claims())], "access_token_bound_to_another_key"),
        ("two", vec![good(), good()], "dpop_header_repeated"),
        ("none", vec![], "access_token_without_proof"),
        ("nonsense", vec!["x".to_owned()], "dpop_proof_malformed"),
    ];
    for (name, proofs, reason) in rows {
        let told = bound.api.send(&bound.api.resource.layer(), bound.request("DPoP", &proofs));
        assert_eq!((told.status, &*told.reason), (401, reason), "{name}");
        assert!(told.challenge.starts_with("DPoP realm=\"https://jwt-api.example\", error=\""), "{name}");
        assert!(told.challenge.contains(", algs=\"ES256 "), "{name}");
    }
    let layer = bound.api.resource.layer();
    let told = bound.api.send(&layer, bound.request("Bearer", &[]));
    assert_eq!((told.status, &*told.reason), (401, "access_token_bound_to_another_key"), "section 7.2");
    let told = bound.api.send(&layer, bound.request("Bearer", &[good()]));
    assert_eq!((told.status, &*told.reason), (400, "proof_without_dpop_scheme"));
    // A token that is bound to nothing is none for the scheme.
    let free = Bound { token: bound.api.token("read"), ..bound };
    assert_eq!(free.get(&free.claims()).reason, "access_token_bound_to_another_key");
    assert_eq!(free.api.get(&free.token).status, 200);
}

/// Section 4.3, check 5: only what the resource has named, whatever the key is.
#[test]
fn algorithms_are_those_of_the_resource() {
    use chancery_core::rule::dpop::DpopConfig;
    for (alg, reason) in [(SigningAlgorithm::Es384, "dpop_algorithm_wrong"), (SigningAlgorithm::Es256, "")] {
        let bound = Bound::new(|builder| {
            builder.dpop(DpopConfig { offered: true, algorithms: vec![alg], ..DpopConfig::default() })
        });
        assert_eq!(bound.get(&bound.claims()).reason, reason, "{alg}");
    }
}

/// Where DPoP is off, its scheme is unknown, and a token that is bound to a key is good for nobody.
#[test]
fn without_dpop() {
    use chancery_core::rule::dpop::DpopConfig;
    let bound = Bound::new(|builder| builder.dpop(DpopConfig::default()));
    let told = bound.get(&bound.claims());
    assert_eq!((told.status, &*told.reason), (401, "authorization_scheme_unsupported"));
    assert!(!told.challenge.contains("DPoP"), "{}", told.challenge);
    // Its header means nothing there.
    let proof = bound.key.proof(&bound.claims());
    let free = Bound { token: bound.api.token("read"), ..bound };
    assert_eq!(free.api.send(&free.api.resource.layer(), free.request("Bearer", &[proof])).status, 200);
    let bound = Bound::new(|builder| builder.dpop(DpopConfig::default()));
    let told = bound.api.send(&bound.api.resource.layer(), bearer(&bound.token));
    assert_eq!(told.reason, "access_token_bound_to_another_key");
}

/// What the provider in the same program has set about proofs holds here, too: how long they can be used, and what signs them.
#[test]
fn proofs_are_judged_as_the_provider_judges_them() {
    let strict = kit().configure(|config| {
        config.dpop.proof_lifetime = seconds(10);
        config.dpop.algorithms = vec![SigningAlgorithm::Es256];
    });
    let bound = Bound::of(strict, |builder| builder);
    let in_process =
        ProtectedResource::of_provider(Arc::clone(&bound.api.kit.provider)).at(API).unwrap().layer();
    let old = bound.key.proof(&bound.claims());
    bound.api.kit.clock.advance(seconds(11));
    let told = bound.api.send(&in_process, bound.request("DPoP", &[old]));
    assert_eq!((told.status, &*told.reason), (401, "dpop_proof_expired"));
    assert!(told.challenge.contains("algs=\"ES256\""), "{}", told.challenge);
    assert_eq!(
        bound.api.send(&in_process, bound.request("DPoP", &[bound.key.proof(&bound.claims())])).status,
        200
    );
}
