//! RFC 9449 section 10.1, DPoP with pushed authorization requests: two ways to bind the code to a key.

use chancery_core::endpoint::token::authorization_code::CODE_BOUND;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{
    AuthorizationRequest, Code, DpopKey, NegativeTable, Refused, TestProvider, TestProviderBuilder,
    assert_refused, check_refused_by_name,
};
use serde_json::json;

fn builder() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.pushed_requests.offered = true;
        config.dpop.offered = true;
    })
}

fn asked(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("post").scope("openid")
}

/// What comes of a pushed request.
fn code(kit: &TestProvider, request: &AuthorizationRequest, request_uri: &str) -> Code {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "post", "openid");
    request.clone().by_reference(request_uri).open(&ua).expect_code()
}

/// DPOP-14, `ensure-dpopproof-at-par-endpoint-binding-success`, `ensure-dpop-auth-code-binding-success`,
/// `ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt`,
/// `ensure-token-endpoint-fails-with-mismatched-dpop-jkt`: by a proof, by `dpop_jkt`, and by both.
#[test]
fn a_pushed_request_binds_its_code() {
    let kit = builder().build();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es256));
    let plain = asked(&kit);
    let named = plain.clone().param("dpop_jkt", &key.thumbprint());
    let pushes =
        [key.prove(kit.push_request(&plain)), kit.push_request(&named), key.prove(kit.push_request(&named))];
    for push in pushes {
        let pushed = push.send().expect_status(201);
        let code = code(&kit, &plain, pushed.member("request_uri"));
        assert_refused!(kit.exchange(&code), CODE_BOUND);
        assert_refused!(other.prove(kit.code_request(&code)).send(), CODE_BOUND);
        let tokens = key.prove(kit.code_request(&code)).send().expect_status(200);
        assert_eq!(tokens["token_type"], "DPoP");
    }
    let pushed = kit.push_request(&plain).send().expect_status(201);
    let _ = kit.exchange(&code(&kit, &plain, pushed.member("request_uri"))).expect_status(200);
}

/// DPOP-09: RFC 9449 section 8: nonces are demanded here, too.
#[test]
fn a_nonce_is_demanded() {
    let kit = builder().configure(|config| config.dpop.require_nonce = true).build();
    let key = DpopKey::generate(Es256);
    let refused = key.prove(kit.push_request(&asked(&kit))).send().expect_status(400);
    check_refused_by_name(&refused, "use_dpop_nonce", "dpop_nonce_missing");
    key.keep_nonce(&refused);
    let _ = key.prove(kit.push_request(&asked(&kit))).send().expect_status(201);
}

/// A request that there is no room for does not use its proof up.
#[test]
fn a_proof_is_good_until_there_is_room() {
    let kit = builder().configure(|config| config.pushed_requests.open_limit = 1).build();
    let pushed = kit.push_request(&asked(&kit)).send().expect_status(201);
    let proven = DpopKey::generate(Es256).prove(kit.push_request(&asked(&kit)));
    check_refused_by_name(&proven.send().expect_status(429), "invalid_request", "too_many_pushed_requests");
    let _ = code(&kit, &asked(&kit), pushed.member("request_uri"));
    let pushed = proven.send().expect_status(201);
    check_refused_by_name(&proven.send().expect_status(429), "invalid_request", "too_many_pushed_requests");
    let _ = code(&kit, &asked(&kit), pushed.member("request_uri"));
    // What is refused by the replay leaves its room to others.
    check_refused_by_name(&proven.send(), "invalid_dpop_proof", "dpop_proof_replayed");
    let _ = kit.push_request(&asked(&kit)).send().expect_status(201);
}

/// DPOP-11, `ensure-mismatched-dpop-jkt-fails`: what is refused, without anything being pushed.
#[test]
fn what_is_refused() {
    let kit = builder().build();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es256));
    let push = kit.push_request(&asked(&kit));
    let mismatched = asked(&kit).param("dpop_jkt", &other.thumbprint());
    let claims = key.claims(&kit, &http::Method::POST, "/par", None);
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        push.clone().header("dpop", &key.proof(&claims))
    };
    let invalid = Refused::Json(400, "invalid_dpop_proof");
    NegativeTable::new(&kit)
        .row(
            "another key in dpop_jkt",
            key.prove(kit.push_request(&mismatched)),
            Refused::Json(400, "invalid_request"),
        )
        .row(
            "dpop_jkt that is none",
            kit.push_request(&asked(&kit).param("dpop_jkt", "x")),
            Refused::Json(400, "invalid_request"),
        )
        .row("no proof in the header", push.clone().header("dpop", "x"), invalid)
        .row("a proof for the token endpoint", with("htu", "https://id.example/token".into()), invalid)
        .row(
            "a proof for the authorization endpoint",
            with("htu", "https://id.example/authorize".into()),
            invalid,
        )
        .row("a proof for GET", with("htm", "GET".into()), invalid)
        .row("an old proof", with("iat", json!(kit.now().secs() - 60)), invalid)
        .row("a nonce that nobody gave", with("nonce", "x".into()), invalid)
        .run();
    let good = push.clone().header("dpop", &key.proof(&claims));
    let _ = good.send().expect_status(201);
    check_refused_by_name(&good.send(), "invalid_dpop_proof", "dpop_proof_replayed");
}
