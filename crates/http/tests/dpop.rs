//! RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP): tokens, codes and refresh tokens that are bound to a
//! key. What is wrong with a proof is in `dpop_proofs.rs`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;

use chancery_core::endpoint::token::authorization_code::CODE_BOUND;
use chancery_core::endpoint::token::extension::{Entitled, ExtensionGrant, ExtensionRequest};
use chancery_core::endpoint::token::refresh_token::REFRESH_TOKEN_BOUND;
use chancery_core::error::{Fault, Refusal};
use chancery_core::model::{BINDING_DEMANDED, PROOF_MISSING};
use chancery_core::rule::bearer::TOKEN_BOUND;
use chancery_jose::SigningAlgorithm::{EdDsa, Es256, Es384, Ps256};
use chancery_jose::base64url;
use chancery_testkit::{
    Answer, AuthorizationRequest, ClientKey, Code, DpopKey, NegativeTable, Refused, TestProvider,
    TestProviderBuilder, assert_refused,
};
use chancery_types::Scopes;
use chancery_types::iana::ExtensionGrantName;
use serde_json::{Value, json};

fn builder() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| config.dpop.offered = true)
}

fn provider() -> TestProvider {
    builder().unauthenticated_introspection().build()
}

/// A code for a request like this.
fn code_for(
    kit: &TestProvider,
    client: &str,
    change: impl Fn(AuthorizationRequest) -> AuthorizationRequest,
) -> Code {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, "openid offline_access");
    let tab = change(kit.authorization_request(client).scope("openid offline_access")).open(&ua);
    if tab.page().name == "consent" { tab.allow().expect_code() } else { tab.expect_code() }
}

/// Tokens of alice that are bound to the key.
fn bound(kit: &TestProvider, key: &DpopKey, client: &str) -> Answer {
    let code = kit.code("alice", client, "openid offline_access");
    key.prove(kit.code_request(&code)).send().expect_status(200)
}

fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&base64url::decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// DPOP-01, DPOP-02, DPOP-12, CC-06: with every algorithm and every grant type a proof gives a bound token, opaque or
/// not; without one it is a bearer token as ever.
#[test]
fn a_proof_binds_the_access_token() {
    let kit = provider();
    for alg in [Es256, Es384, Ps256, EdDsa] {
        let key = DpopKey::generate(alg);
        let cnf = json!({"jkt": key.thumbprint()});
        let tokens = bound(&kit, &key, "web");
        let refreshed = key.prove(kit.refresh_request("web", tokens.member("refresh_token")));
        let refreshed = refreshed.send().expect_status(200);
        let own = key.prove(kit.client_credentials_request("web")).send().expect_status(200);
        for answer in [&tokens, &refreshed, &own] {
            assert_eq!(answer["token_type"], "DPoP", "{alg}");
            assert_eq!(answer.header("dpop-nonce"), None);
            let introspected = kit.introspect("web", answer.member("access_token"));
            assert_eq!((&introspected["token_type"], &introspected["cnf"]), (&"DPoP".into(), &cnf), "{alg}");
        }
        let jwt = key.prove(kit.client_credentials_request("jwt")).send().expect_status(200);
        assert_eq!((&jwt["token_type"], &claims(jwt.member("access_token"))["cnf"]), (&"DPoP".into(), &cnf));
        assert_eq!(kit.introspect("api", jwt.member("access_token"))["cnf"], cnf);
        let code = kit.code("alice", "jwt", "read");
        let jwt = key.prove(kit.code_request(&code)).send().expect_status(200);
        assert_eq!(claims(jwt.member("access_token"))["cnf"], cnf);
        assert_eq!(kit.introspect("api", jwt.member("access_token"))["token_type"], "DPoP");
    }
    let plain = kit.tokens("alice", "web", "openid");
    assert_eq!(plain["token_type"], "Bearer");
    assert_eq!(kit.introspect("web", plain.member("access_token")).json().get("cnf"), None);
    assert_eq!(kit.userinfo(plain.member("access_token")).status, 200);
}

/// Whoever asks gets tokens of the client itself.
struct Anybody(ExtensionGrantName);

impl ExtensionGrant for Anybody {
    fn grant_type(&self) -> &ExtensionGrantName {
        &self.0
    }

    fn parameters(&self) -> &[&str] {
        &[]
    }

    async fn entitle(&self, _: ExtensionRequest<'_>) -> Result<Result<Entitled, Refusal>, Fault> {
        Ok(Ok(Entitled::client(Scopes::parse("profile").unwrap())))
    }
}

/// CC-06: RFC 9449 section 5: "regardless of grant type", extension grants included.
#[test]
fn an_extension_grant_is_bound_as_well() {
    let anybody = Anybody(ExtensionGrantName::parse("urn:example:anybody").unwrap());
    let client = r#"{"client_id":"c","client_secret":"a-secret-of-forty-three-characters-for-test",
        "response_types":[],"grant_types":["urn:example:anybody"]}"#;
    let kit = builder().extension_grant(anybody).client(client).build();
    let key = DpopKey::generate(Es256);
    let request = kit.token_request("c").param("grant_type", "urn:example:anybody");
    let answer = key.prove(request).send().expect_status(200);
    assert_eq!(answer["token_type"], "DPoP");
    assert_eq!(kit.introspect("c", answer.member("access_token"))["cnf"]["jkt"], key.thumbprint());
}

/// DPOP-05, DPOP-15, DPOP-16: UserInfo takes a bound token with a proof of its key, whatever the case of the scheme,
/// by GET, HEAD and POST; and nothing else.
#[test]
fn userinfo_takes_a_bound_token_from_its_holder_alone() {
    let kit = provider();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es256));
    for client in ["web", "spa"] {
        let tokens = bound(&kit, &key, client);
        let token = tokens.member("access_token");
        assert_eq!(key.userinfo(&kit, token).send().expect_status(200)["sub"], "alice");
        for (scheme, method) in [("dpop", "GET"), ("DPOP", "HEAD"), ("DPoP", "POST")] {
            let method: http::Method = method.parse().unwrap();
            let proof = key.proof(&key.claims(&kit, &method, "/userinfo", Some(token)));
            let request = kit.anonymous_request("/userinfo");
            let request =
                request.header("authorization", &format!("{scheme} {token}")).header("dpop", &proof);
            let mut request = request.to_http();
            *request.method_mut() = method;
            assert_eq!(kit.send(request).status, 200, "{scheme}");
        }
        assert_refused!(kit.userinfo(token), TOKEN_BOUND);
        assert_refused!(kit.anonymous_request("/userinfo").param("access_token", token).send(), TOKEN_BOUND);
        assert_refused!(other.userinfo(&kit, token).send(), TOKEN_BOUND);
        let plain = kit.tokens("alice", client, "openid");
        assert_refused!(key.userinfo(&kit, plain.member("access_token")).send(), TOKEN_BOUND);
        assert_eq!(key.userinfo(&kit, token).send().status, 200, "nothing was used up");
    }
}

/// DPOP-13, DPOP-19: RFC 9449 section 5: the refresh tokens of a public client are bound to the key, through every
/// rotation. A request without it ends nothing, not even with a refresh token that was replaced.
#[test]
fn the_refresh_token_of_a_public_client_is_bound() {
    let kit = provider();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es256));
    let first = bound(&kit, &key, "spa").member("refresh_token").to_owned();
    let mut token = first.clone();
    for _ in 0..3 {
        assert_eq!(kit.introspect("spa", &token)["cnf"]["jkt"], key.thumbprint());
        assert_refused!(kit.refresh("spa", &token), REFRESH_TOKEN_BOUND);
        assert_refused!(other.prove(kit.refresh_request("spa", &token)).send(), REFRESH_TOKEN_BOUND);
        assert_refused!(kit.refresh("spa", &first), REFRESH_TOKEN_BOUND);
        let answer = key.prove(kit.refresh_request("spa", &token)).send().expect_status(200);
        assert_eq!(answer["token_type"], "DPoP");
        token = answer.member("refresh_token").to_owned();
    }
}

/// DPOP-13: a public client that shows a key for the first time when it refreshes has to show it from then on.
#[test]
fn a_refresh_token_is_bound_from_the_first_proof_on() {
    let kit = provider();
    let key = DpopKey::generate(Es256);
    let tokens = kit.tokens("alice", "spa", "openid offline_access");
    let tokens = kit.refresh("spa", tokens.member("refresh_token")).expect_status(200);
    let bound =
        key.prove(kit.refresh_request("spa", tokens.member("refresh_token"))).send().expect_status(200);
    let token = bound.member("refresh_token");
    assert_refused!(kit.refresh("spa", token), REFRESH_TOKEN_BOUND);
    let _ = key.prove(kit.refresh_request("spa", token)).send().expect_status(200);
}

/// DPOP-13, RT-13: a client that authenticates may replace its key, and its refresh token is bound to none.
#[test]
fn a_confidential_client_may_replace_its_key() {
    let kit = provider();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es384));
    let tokens = bound(&kit, &key, "web");
    let refresh_token = tokens.member("refresh_token");
    assert_eq!(kit.introspect("web", refresh_token).json().get("cnf"), None);
    let tokens = other.prove(kit.refresh_request("web", refresh_token)).send().expect_status(200);
    assert_eq!(kit.introspect("web", tokens.member("access_token"))["cnf"]["jkt"], other.thumbprint());
    let plain = kit.refresh("web", tokens.member("refresh_token")).expect_status(200);
    assert_eq!(plain["token_type"], "Bearer");
}

/// DPOP-14: RFC 9449 section 10. Unlike in the reference, a request with another key, or with none, leaves the code to
/// its client.
#[test]
fn dpop_jkt_binds_the_code() {
    let kit = provider();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es256));
    for client in ["web", "spa"] {
        let code = code_for(&kit, client, |request| request.param("dpop_jkt", &key.thumbprint()));
        assert_refused!(kit.exchange(&code), CODE_BOUND);
        assert_refused!(other.prove(kit.code_request(&code)).send(), CODE_BOUND);
        let answer = key.prove(kit.code_request(&code)).send().expect_status(200);
        assert_eq!(answer["token_type"], "DPoP");
        // A used code in other hands ends nothing.
        assert_refused!(kit.exchange(&code), CODE_BOUND);
        assert!(kit.is_active(client, answer.member("access_token")));
    }
}

fn demanding(more: Value) -> String {
    let mut metadata = json!({"client_id": "demands", "dpop_bound_access_tokens": true,
        "client_secret": "a-secret-of-forty-three-characters-for-test",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "redirect_uris": ["https://demands.example/cb"], "id_token_signed_response_alg": "ES256"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

/// DPOP-01, CC-06, META-35: RFC 9449 section 5.2: a client that always uses DPoP gets nothing without, and loses
/// nothing by it.
#[test]
fn a_client_can_be_registered_for_dpop_alone() {
    let kit = builder().client(&demanding(json!({}))).build();
    let key = DpopKey::generate(Es256);
    let code = kit.code("alice", "demands", "openid offline_access");
    assert_refused!(kit.exchange(&code), PROOF_MISSING);
    let tokens = key.prove(kit.code_request(&code)).send().expect_status(200);
    let refresh_token = tokens.member("refresh_token");
    assert_refused!(kit.refresh("demands", refresh_token), PROOF_MISSING);
    let _ = key.prove(kit.refresh_request("demands", refresh_token)).send().expect_status(200);
    assert_refused!(kit.client_credentials_request("demands").send(), PROOF_MISSING);
}

/// FAPI 2.0 Security Profile section 5.3.2.1: "shall only issue sender-constrained access tokens", also to a client that is
/// not registered for them. FAPI 1.0 Advanced knows certificates alone.
#[test]
fn a_profile_demands_bound_tokens() {
    let kit = builder().configure(|config| config.mtls.certificate_bound_access_tokens = true).build();
    let authentication = ClientKey::generate(Ps256);
    let key = DpopKey::generate(Es256);
    let jti = Cell::new(0);
    for (profile, is_enough) in [("fapi2-security", true), ("fapi1-advanced", false)] {
        let client = json!({"client_id": profile, "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "PS256", "id_token_signed_response_alg": "PS256",
            "jwks": authentication.jwks(), "response_types": [], "grant_types": ["client_credentials"],
            "chancery": {"profile": profile}});
        kit.put_client(&client.to_string());
        let request = || {
            jti.set(jti.get() + 1);
            let issuer = kit.issuer().as_str();
            let assertion = authentication.assertion(profile, issuer, &jti.get().to_string(), kit.now());
            kit.anonymous_request("/token").param("grant_type", "client_credentials").assertion(&assertion)
        };
        assert_refused!(request().send(), BINDING_DEMANDED);
        let with_proof = key.prove(request()).send();
        if is_enough {
            assert_eq!(with_proof.expect_status(200)["token_type"], "DPoP");
        } else {
            assert_refused!(with_proof, BINDING_DEMANDED);
        }
    }
}

/// META-35, CMETA-12: what a client cannot be registered for.
#[test]
fn what_cannot_be_registered() {
    let complaints = |builder: TestProviderBuilder, more: Value| {
        let refused = builder.build().put_client_fetching(&demanding(more)).err();
        let complaints = refused.into_iter().flat_map(|refused| refused.complaints);
        complaints.map(|complaint| complaint.setting).collect::<Vec<_>>()
    };
    assert_eq!(complaints(builder(), json!({})), Vec::<String>::new());
    assert_eq!(complaints(TestProvider::builder(), json!({})), ["dpop_bound_access_tokens"], "DPoP is off");
    assert_eq!(
        complaints(builder(), json!({"dpop_bound_access_tokens": "true"})),
        ["dpop_bound_access_tokens"]
    );
    let both = complaints(builder(), json!({"tls_client_certificate_bound_access_tokens": true}));
    assert!(both.contains(&"tls_client_certificate_bound_access_tokens".to_owned()), "{both:?}");
    let hybrid = builder().configure(|config| config.compatibility.hybrid = true);
    let response_types =
        json!({"response_types": ["code token"], "grant_types": ["authorization_code", "implicit"]});
    assert_eq!(complaints(hybrid, response_types), ["dpop_bound_access_tokens"]);
}

/// DISC-05: RFC 9449 section 5.1.
#[test]
fn the_algorithms_are_in_the_metadata() {
    let algorithms = |kit: TestProvider| {
        let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
        metadata.json().get("dpop_signing_alg_values_supported").cloned()
    };
    assert_eq!(algorithms(provider()), Some(json!(["ES256", "ES384", "PS256", "EdDSA", "Ed25519"])));
    let one = builder().configure(|config| config.dpop.algorithms = vec![Ps256]);
    assert_eq!(algorithms(one.build()), Some(json!(["PS256"])));
    assert_eq!(algorithms(TestProvider::new()), None);
}

/// DPOP-17: RFC 9449 section 7.1, and the scripts of other origins can read it. Both challenges are in one field, because
/// of two some libraries read the first and some the last.
#[test]
fn a_challenge_names_both_schemes() {
    let kit = provider();
    let field = |answer: &Answer| {
        let all: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        let [one] = all[..] else { panic!("{all:?}") };
        one.to_str().unwrap().to_owned()
    };
    let algs = r#"algs="ES256 ES384 PS256 EdDSA Ed25519""#;
    let bearer = r#"Bearer realm="https://id.example""#;
    let dpop = r#"DPoP realm="https://id.example""#;
    let nothing = kit.anonymous_request("/userinfo").get().send().expect_status(401);
    assert_eq!(field(&nothing), format!("{bearer}, {dpop}, {algs}"));
    let error = r#"error="invalid_token", error_description="invalid token provided""#;
    let unknown = kit.userinfo("at_unknown").expect_status(401);
    assert_eq!(field(&unknown), format!("{bearer}, {error}, {dpop}, {algs}"));
    let key = DpopKey::generate(Es256);
    let request = key.userinfo(&kit, "at_unknown").header("origin", "https://spa.example");
    let unknown = request.send().expect_status(401);
    assert_eq!(field(&unknown), format!("{dpop}, {error}, {algs}, {bearer}"));
    let exposed = unknown.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("DPoP-Nonce") && exposed.contains("WWW-Authenticate"), "{exposed}");
    let without = kit.anonymous_request("/userinfo").get().header("authorization", "DPoP at_unknown");
    let without = without.send().expect_status(401);
    assert_eq!(without["error"], "invalid_dpop_proof", "401, so that clients send the proof");
}

/// DPOP-05, DPOP-14, DPOP-15, DPOP-16: what is refused of whole requests.
#[test]
fn what_is_refused() {
    let kit = builder().client(&demanding(json!({}))).build();
    let (key, other) = (DpopKey::generate(Es256), DpopKey::generate(Es256));
    let tokens = bound(&kit, &key, "spa");
    let (token, refresh_token) = (tokens.member("access_token"), tokens.member("refresh_token"));
    let code = code_for(&kit, "web", |request| request.param("dpop_jkt", &key.thumbprint()));
    let proof = key.proof(&key.claims(&kit, &http::Method::GET, "/userinfo", Some(token)));
    let userinfo = || kit.anonymous_request("/userinfo");
    let scheme = |scheme: &str| userinfo().get().header("authorization", &format!("{scheme} {token}"));
    let jkt = |text: &str| kit.authorization_request("web").scope("openid").param("dpop_jkt", text).to_http();
    let (grant, request, invalid) = (
        Refused::Json(400, "invalid_grant"),
        Refused::Json(400, "invalid_request"),
        Refused::Json(401, "invalid_token"),
    );
    let thumbprint = key.thumbprint();
    let client = Refused::Client("invalid_request");
    NegativeTable::new(&kit)
        .row("a bound code without a proof", kit.code_request(&code), grant)
        .row(
            "a bound code without a proof, of a client for DPoP",
            kit.client_credentials_request("demands"),
            Refused::Json(400, "invalid_request"),
        )
        .row("a bound refresh token without a proof", kit.refresh_request("spa", refresh_token), grant)
        .row("a bound token as a bearer token", scheme("Bearer"), invalid)
        .row("a bound token in the body", userinfo().param("access_token", token), invalid)
        .row("a bound token with another key", other.userinfo(&kit, token), invalid)
        .row("no proof", scheme("DPoP"), Refused::Json(401, "invalid_dpop_proof"))
        .row("a proof beside a bearer token", scheme("Bearer").header("dpop", &proof), request)
        .row(
            "a proof beside a token in the body",
            userinfo().param("access_token", token).header("dpop", &proof),
            request,
        )
        .row(
            "two schemes",
            scheme("DPoP").header("authorization", "Bearer x").header("dpop", &proof),
            request,
        )
        .row("two tokens", scheme("DPoP x").header("dpop", &proof), request)
        .row(
            "a scheme alone",
            userinfo().get().header("authorization", "DPoP").header("dpop", &proof),
            request,
        )
        .row("dpop_jkt that is none", jkt("x"), client)
        .row("dpop_jkt that is too short", jkt(&thumbprint[1..]), client)
        .row("dpop_jkt that is too long", jkt(&format!("{thumbprint}A")), client)
        .row("dpop_jkt with padding", jkt(&format!("{thumbprint}=")), client)
        .row("dpop_jkt that is not canonical", jkt(&format!("{}B", &"A".repeat(42))), client)
        .run();
    assert_eq!(key.userinfo(&kit, token).send().status, 200);
    let _ = key.prove(kit.code_request(&code)).send().expect_status(200);
    let _ = key.prove(kit.refresh_request("spa", refresh_token)).send().expect_status(200);
}
