//! RFC 8705, OAuth 2.0 Mutual-TLS Certificate-Bound Access Tokens: sections 3 and 4, tokens that are good only in the
//! hands of whoever presents the certificate.

#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_core::endpoint::token::refresh_token::REFRESH_TOKEN_BOUND;
use chancery_core::model::CERTIFICATE_MISSING;
use chancery_core::rule::bearer::TOKEN_BOUND;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_jose::base64url;
use chancery_testkit::{
    ClientRequest, DpopKey, NegativeTable, Refused, TestCertificate, TestProvider, assert_refused,
    check_refused_by_name,
};
use serde_json::{Value, json};

const REDIRECT: &str = "https://app.example/cb";

fn provider() -> TestProvider {
    let kit = TestProvider::builder()
        .configure(|config| {
            config.mtls.certificate_bound_access_tokens = true;
            config.dpop.offered = true;
        })
        .unauthenticated_introspection()
        .build();
    for (client, method) in [("bank", "client_secret_basic"), ("phone", "none")] {
        kit.put_client(&bound(client, method, json!({})));
    }
    kit
}

/// Metadata of a client whose tokens are bound to its certificate.
fn bound(client: &str, method: &str, more: Value) -> String {
    let mut metadata = json!({"client_id": client, "redirect_uris": [REDIRECT], "token_endpoint_auth_method": method,
        "grant_types": ["authorization_code", "refresh_token"], "tls_client_certificate_bound_access_tokens": true});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

fn userinfo<'k>(kit: &'k TestProvider, token: &str) -> ClientRequest<'k> {
    kit.anonymous_request("/userinfo").get().header("authorization", &format!("Bearer {token}"))
}

fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&base64url::decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// MTLS-04, MTLS-06, MTLS-07, META-34: the token is bound to the certificate of the token request; `token_type` stays
/// `Bearer`; introspection shows the thumbprint; UserInfo takes the token over a connection with the same certificate.
#[test]
fn a_token_is_bound_to_the_certificate() {
    let kit = provider();
    for client in ["bank", "phone"] {
        let (mine, other) = (TestCertificate::self_signed("app"), TestCertificate::self_signed("app"));
        let code = kit.code("alice", client, "openid offline_access");
        let tokens = kit.code_request(&code).certificate(&mine).send().expect_status(200);
        assert_eq!(tokens["token_type"], "Bearer");
        let token = tokens.member("access_token");
        let seen = kit.introspect(client, token);
        assert_eq!(seen["cnf"], json!({"x5t#S256": mine.thumbprint()}));
        let request = userinfo(&kit, token);
        assert_eq!(request.clone().certificate(&mine).send().expect_status(200)["sub"], "alice");
        assert_refused!(request.clone().send(), TOKEN_BOUND);
        assert_refused!(request.certificate(&other).send(), TOKEN_BOUND);
    }
}

/// MTLS-04, CC-06: the client's own tokens are bound as well, those that are JWTs by the claim `cnf`.
#[test]
fn the_own_tokens_of_a_client_are_bound() {
    let kit = provider();
    let mine = TestCertificate::self_signed("app");
    for (client, resource) in [("opaque", "https://api.example"), ("jwts", "https://jwt-api.example")] {
        let metadata = json!({"client_id": client, "response_types": [], "grant_types": ["client_credentials"],
            "tls_client_certificate_bound_access_tokens": true, "chancery": {"default_resource": resource}});
        kit.put_client(&metadata.to_string());
        let request = kit.token_request(client).param("grant_type", "client_credentials");
        assert_refused!(request.send(), CERTIFICATE_MISSING);
        let tokens = request.certificate(&mine).send().expect_status(200);
        let token = tokens.member("access_token");
        if client == "jwts" {
            assert_eq!(claims(token)["cnf"], json!({"x5t#S256": mine.thumbprint()}));
        } else {
            assert_eq!(kit.introspect("api", token)["cnf"], json!({"x5t#S256": mine.thumbprint()}));
        }
    }
}

/// MTLS-05: the refresh tokens of a public client are bound to the certificate, through every rotation; those of a
/// client that authenticates are bound to the client, so that it can renew its certificate.
#[test]
fn refresh_tokens_of_public_clients_are_bound() {
    let kit = provider();
    let (mine, other) = (TestCertificate::self_signed("app"), TestCertificate::self_signed("app"));
    for client in ["bank", "phone"] {
        let code = kit.code("alice", client, "openid offline_access");
        let tokens = kit.code_request(&code).certificate(&mine).send().expect_status(200);
        let mut token = tokens.member("refresh_token").to_owned();
        for _ in 0..3 {
            let request = kit.refresh_request(client, &token);
            assert_refused!(request.send(), CERTIFICATE_MISSING);
            if client == "phone" {
                assert_refused!(request.clone().certificate(&other).send(), REFRESH_TOKEN_BOUND);
            }
            let answer = request.certificate(&mine).send().expect_status(200);
            token = answer.member("refresh_token").to_owned();
        }
        if client == "bank" {
            let renewed = kit.refresh_request(client, &token).certificate(&other).send().expect_status(200);
            let seen = kit.introspect(client, renewed.member("access_token"));
            assert_eq!(seen["cnf"], json!({"x5t#S256": other.thumbprint()}));
        }
    }
}

/// MTLS-04: a client that is not registered for it gets tokens for everybody, whatever certificate it presents.
#[test]
fn other_clients_are_not_bound() {
    let kit = provider();
    let mine = TestCertificate::self_signed("app");
    let code = kit.code("alice", "web", "openid");
    let tokens = kit.code_request(&code).certificate(&mine).send().expect_status(200);
    let token = tokens.member("access_token");
    assert_eq!(kit.introspect("web", token)["cnf"], Value::Null);
    assert_eq!(kit.userinfo(token)["sub"], "alice");
}

/// MTLS-10: off by default; then nobody is registered for it, and it is not announced.
#[test]
fn it_is_off_by_default() {
    let announced = |kit: &TestProvider| {
        kit.get("/.well-known/openid-configuration").json()["tls_client_certificate_bound_access_tokens"]
            .clone()
    };
    let off = TestProvider::new();
    assert_eq!((announced(&off), announced(&provider())), (Value::Null, json!(true)));
    let error = off.put_client_fetching(&bound("bank", "none", json!({}))).unwrap_err();
    assert_eq!(error.complaints.first().unwrap().setting, "tls_client_certificate_bound_access_tokens");
}

/// MTLS-08, CMETA-12: one way of binding, and no tokens from the authorization endpoint.
#[test]
fn what_contradicts_it_is_not_registered() {
    let kit = TestProvider::builder()
        .configure(|config| {
            config.mtls.certificate_bound_access_tokens = true;
            config.dpop.offered = true;
            config.compatibility.implicit = true;
            config.compatibility.hybrid = true;
        })
        .build();
    for more in [
        json!({"dpop_bound_access_tokens": true}),
        json!({"response_types": ["code token"], "grant_types": ["authorization_code", "implicit"]}),
        json!({"response_types": ["id_token token"], "grant_types": ["implicit"]}),
        json!({"tls_client_certificate_bound_access_tokens": "true"}),
    ] {
        let error = kit.put_client_fetching(&bound("bank", "none", more.clone())).unwrap_err();
        let names = error.complaints.iter().map(|complaint| &*complaint.setting).collect::<Vec<_>>();
        assert!(names.contains(&"tls_client_certificate_bound_access_tokens"), "{more}: {names:?}");
    }
}

/// MTLS-04, MTLS-06, MTLS-09: no certificate, and a proof of another kind beside it; nothing is used up.
#[test]
fn refused() {
    let kit = provider();
    let (mine, other) = (TestCertificate::self_signed("app"), TestCertificate::self_signed("app"));
    let code = kit.code("alice", "phone", "openid offline_access");
    let request = kit.code_request(&code);
    let proof = DpopKey::generate(Es256);
    let both = proof.prove(request.clone()).certificate(&mine).send();
    check_refused_by_name(&both, "invalid_request", "several_proofs_of_possession");
    NegativeTable::new(&kit)
        .row("a code without a certificate", request.clone(), Refused::Json(400, "invalid_grant"))
        .run();
    let tokens = request.certificate(&mine).send().expect_status(200);
    let (token, refresh) = (tokens.member("access_token"), tokens.member("refresh_token"));
    let invalid_token = Refused::Json(401, "invalid_token");
    NegativeTable::new(&kit)
        .row("UserInfo without a certificate", userinfo(&kit, token), invalid_token)
        .row("UserInfo with another one", userinfo(&kit, token).certificate(&other), invalid_token)
        .row(
            "UserInfo with the right one in the chain only",
            userinfo(&kit, token)
                .certificate(&TestCertificate { chain: [other.chain.clone(), mine.chain.clone()].concat() }),
            invalid_token,
        )
        .row("as a DPoP token", proof.userinfo(&kit, token).certificate(&mine), invalid_token)
        .row(
            "a refresh token without a certificate",
            kit.refresh_request("phone", refresh),
            Refused::Json(400, "invalid_grant"),
        )
        .row(
            "a refresh token with another one",
            kit.refresh_request("phone", refresh).certificate(&other),
            Refused::Json(400, "invalid_grant"),
        )
        .run();
    let _ = kit.refresh_request("phone", refresh).certificate(&mine).send().expect_status(200);
}
