//! FAPI 1.0 part 2 (Advanced) and FAPI 2.0 Security Profile on one issuer: each client is held to its own profile, from the
//! authorization request to UserInfo.

use chancery_core::profile::Profile::{self, Fapi1Advanced, Fapi2Security};
use chancery_jose::SigningAlgorithm::{Es256, Ps256, Rs256};
use chancery_testkit::{Answer, ClientKey, ClientRequest, DpopKey, TestCertificate, TestProvider};
use serde_json::json;

fn metadata(id: &str, profile: Profile, key: &ClientKey, response_type: &str) -> String {
    json!({"client_id": id, "jwks": key.jwks(), "token_endpoint_auth_method": "private_key_jwt",
        "redirect_uris": [format!("https://{id}.example/cb")], "response_types": [response_type],
        "scope": "openid", "chancery": {"profile": profile.as_str()}})
    .to_string()
}

/// FAPI-01, FAPI-03, FAPI-05: on a server of the baseline, a client of FAPI 1.0 signs its request and has its tokens bound to
/// a certificate, one of FAPI 2.0 pushes its request and has its tokens bound to a key, and a plain one does nothing of
/// that. None of them can do as the other does.
#[test]
fn each_client_is_held_to_its_own() {
    let builder = TestProvider::builder().own_keys(&[Rs256, Ps256, Es256]).configure(|to| {
        to.compatibility.hybrid = true;
        to.pushed_requests.offered = true;
        to.dpop.offered = true;
        to.mtls.certificate_bound_access_tokens = true;
    });
    let kit = builder.build();
    let key = ClientKey::generate(Es256);
    kit.put_client(&metadata("one", Fapi1Advanced, &key, "code id_token"));
    kit.put_client(&metadata("two", Fapi2Security, &key, "code"));
    let assertion = |client: &str| {
        key.assertion(client, kit.issuer().as_str(), &kit.random.next().to_string(), kit.now())
    };
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for client in ["one", "two"] {
        ua.has_consented("alice", client, "openid");
    }
    let (certificate, proofs) = (TestCertificate::self_signed("one"), DpopKey::generate(Es256));
    let error = |answer: Answer| answer.expect_status(400).member("error").to_owned();

    // FAPI 1.0: the request is signed, and the tokens are bound to the certificate.
    let asked = kit.authorization_request("one").scope("openid");
    let now = kit.now().secs();
    let claims = json!({"iss": "one", "aud": kit.issuer().as_str(), "nbf": now, "exp": now + 60, "client_id": "one",
        "response_type": "code id_token", "redirect_uri": "https://one.example/cb", "scope": "openid",
        "state": "a state of the client", "nonce": "a nonce", "code_challenge_method": "S256",
        "code_challenge": asked.value("code_challenge")});
    let object = key.sign(&json!({"kid": key.kid()}), &claims);
    let code = asked.clone().set("response_type", "code id_token").by_value(&object).open(&ua).expect_code();
    let exchange = || kit.code_request(&code).assertion(&assertion("one"));
    assert_eq!(error(exchange().send()), "invalid_request", "no certificate");
    assert_eq!(error(proofs.prove(exchange()).send()), "invalid_request", "a proof instead of a certificate");
    let tokens = exchange().certificate(&certificate).send().expect_status(200);
    assert_eq!(kit.id_token(&tokens, "one").header.alg, Ps256);
    let token = tokens.member("access_token").to_owned();
    let bearer = || -> ClientRequest<'_> {
        kit.anonymous_request("/userinfo").get().header("authorization", &format!("Bearer {token}"))
    };
    assert_eq!(bearer().send().status, 401);
    assert_eq!(bearer().certificate(&certificate).send().expect_status(200)["sub"], "alice");

    // FAPI 2.0: the request is pushed, and the tokens are bound to the key.
    let asked = kit.authorization_request("two").scope("openid");
    let unpushed = asked.clone().open(&ua).expect_arrival();
    assert_eq!(unpushed.value("error"), Some("invalid_request"), "not pushed");
    let push = kit.push_request(&asked).set("client_id", "two").assertion(&assertion("two"));
    let pushed = push.send().expect_status(201);
    let code = asked.by_reference(pushed.member("request_uri")).open(&ua).expect_code();
    let exchange = || kit.code_request(&code).assertion(&assertion("two"));
    assert_eq!(error(exchange().send()), "invalid_request", "neither proof nor certificate");
    let tokens = proofs.prove(exchange()).send().expect_status(200);
    assert_eq!(kit.id_token(&tokens, "two").header.alg, Ps256);
    let token = tokens.member("access_token");
    assert_eq!(kit.userinfo(token).status, 401);
    assert_eq!(proofs.userinfo(&kit, token).send().expect_status(200)["sub"], "alice");

    // A plain client beside them.
    let tokens = kit.tokens("alice", "web", "openid").expect_status(200);
    assert_eq!(kit.userinfo(tokens.member("access_token")).expect_status(200)["sub"], "alice");
}
