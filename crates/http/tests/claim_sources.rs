//! Claims that others assert: OIDC Core section 5.6.2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_core::model::{ClaimSource, ConsentAnswer};
use chancery_testkit::{SECRET, TestProvider};
use chancery_types::Scopes;
use serde_json::{Value, json};

fn jwt(payload: &Value) -> String {
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2lnbmF0dXJl", encode(&json!({"alg": "ES256"})), encode(payload))
}

/// Alice's address and phone number come from one source as a JWT, her score from another one with a token,
/// her payments and her nickname from a third without.
fn kit() -> (TestProvider, String) {
    let kit = TestProvider::builder()
        .configure(|config| config.claims.extra.extend(["credit_score", "payments"].map(str::to_owned)))
        .build();
    for name in ["address", "phone_number", "phone_number_verified"] {
        kit.accounts.set_claim("alice", name, Value::Null);
    }
    let jwt = jwt(&json!({"iss": "https://a.example", "address": {"country": "US"}, "phone_number": "+1"}));
    kit.accounts.add_source("alice", ClaimSource::aggregated(&jwt));
    let bank = "https://bank.example/claims";
    kit.accounts.add_source("alice", ClaimSource::distributed(&["credit_score"], bank, Some("ksj3n283dke")));
    kit.accounts.add_source(
        "alice",
        ClaimSource::distributed(&["payments", "nickname"], "https://b.example/c", None),
    );
    (kit, jwt)
}

/// UserInfo and the payload of the ID token, when the person agrees to everything that is asked for.
fn seen(kit: &TestProvider, scope: &str, claims: &Value) -> [Value; 2] {
    let request = kit.authorization_request("web").scope(scope).set("claims", &claims.to_string());
    seen_with(
        kit,
        request,
        ConsentAnswer {
            scopes: Scopes::parse(scope).unwrap_or_default(),
            claims: ["credit_score", "payments", "nickname", "address", "phone_number"]
                .map(Box::from)
                .to_vec(),
            ..ConsentAnswer::default()
        },
    )
}

fn seen_with(
    kit: &TestProvider,
    request: chancery_testkit::AuthorizationRequest,
    answer: ConsentAnswer,
) -> [Value; 2] {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_answered("alice", "web", answer);
    let tokens = kit.exchange(&request.open(&ua).expect_code()).expect_status(200);
    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    [serde_json::from_str(userinfo.text()).unwrap_or_default(), kit.id_token(&tokens, "web").claims]
}

fn of_sources(answer: &Value) -> [Value; 2] {
    ["_claim_names", "_claim_sources"].map(|member| answer[member].clone())
}

/// CLAIM-11: the JWT of a source, or its endpoint with the token, each under the name to which its claims
/// refer, where the claims were asked for.
#[test]
fn claims_of_others_come_with_their_sources() {
    let (kit, jwt) = kit();
    let asked = json!({"userinfo": {"credit_score": null}, "id_token": {"payments": null}});
    let [userinfo, id_token] = seen(&kit, "openid address phone", &asked);
    assert_eq!(
        of_sources(&userinfo),
        [
            json!({"address": "src1", "phone_number": "src1", "credit_score": "src2"}),
            json!({
                "src1": {"JWT": jwt},
                "src2": {"endpoint": "https://bank.example/claims", "access_token": "ksj3n283dke"},
            }),
        ]
    );
    assert_eq!(userinfo["address"], Value::Null);
    assert_eq!(
        of_sources(&id_token),
        [json!({"payments": "src1"}), json!({"src1": {"endpoint": "https://b.example/c"}})]
    );
}

/// CLAIM-11: nothing of a source is told that was not asked for: of a JWT not a part, and an endpoint without
/// a token just under the names that were.
#[test]
fn nothing_is_told_that_was_not_asked_for() {
    let (kit, _) = kit();
    let [userinfo, id_token] = seen(&kit, "openid email", &json!({}));
    assert_eq!(
        [of_sources(&userinfo), of_sources(&id_token)],
        [[Value::Null, Value::Null], [Value::Null, Value::Null]]
    );
    // A scope of the two whose claims the JWT has; the name in a language that nobody has.
    for (scope, asked) in [
        ("openid address", json!({})),
        ("openid", json!({"userinfo": {"phone_number": null}})),
        ("openid", json!({"userinfo": {"credit_score#de": null}})),
        ("openid", json!({"id_token": {"_claim_sources": null, "_claim_names": {"essential": true}}})),
    ] {
        let [userinfo, id_token] = seen(&kit, scope, &asked);
        for answer in [userinfo, id_token] {
            assert_eq!(of_sources(&answer), [Value::Null, Value::Null], "{scope} {asked}");
        }
    }
    let [userinfo, _] = seen(&kit, "openid", &json!({"userinfo": {"nickname": null}}));
    assert_eq!(of_sources(&userinfo)[0], json!({"nickname": "src1"}));
    // Both together are enough for the JWT, whatever their way.
    let [userinfo, _] = seen(&kit, "openid phone", &json!({"userinfo": {"address": null}}));
    assert_eq!(of_sources(&userinfo)[0], json!({"address": "src1", "phone_number": "src1"}));
}

/// CLAIM-11: what the person declined, and what the client is not registered for, is not told either.
#[test]
fn what_was_declined_is_not_told() {
    let (kit, _) = kit();
    let request = kit
        .authorization_request("web")
        .scope("openid address phone")
        .set("claims", r#"{"userinfo":{"credit_score":null}}"#);
    let [userinfo, _] = seen_with(
        &kit,
        request.clone(),
        ConsentAnswer {
            scopes: Scopes::parse("openid address").unwrap_or_default(),
            rejected_scopes: Scopes::parse("phone").unwrap_or_default(),
            rejected_claims: vec!["credit_score".into()],
            ..ConsentAnswer::default()
        },
    );
    assert_eq!(of_sources(&userinfo), [Value::Null, Value::Null]);
    kit.put_client(&format!(
        r#"{{"client_id":"little","client_secret":"{SECRET}","redirect_uris":["https://little.example/cb"],
            "id_token_signed_response_alg":"ES256","scope":"openid address","chancery":{{"consent":"implied"}}}}"#
    ));
    let tokens = kit.tokens("alice", "little", "openid address");
    assert_eq!(kit.userinfo(tokens.member("access_token")).member_names(), ["sub"]);
}

/// CLAIM-11: the members are the provider's: an account that sets them by itself cannot bring in a source, and
/// of several sources of one claim the first one counts.
#[test]
fn only_typed_sources_are_told() {
    let (kit, _) = kit();
    kit.accounts.set_claim("alice", "_claim_names", json!({"email": "evil"}));
    kit.accounts.set_claim("alice", "_claim_sources", json!({"evil": {"endpoint": "http://10.0.0.1/"}}));
    kit.accounts.add_source(
        "alice",
        ClaimSource::distributed(&["credit_score"], "https://other.example/", Some("t")),
    );
    let [userinfo, _] = seen(&kit, "openid email", &json!({"userinfo": {"credit_score": null}}));
    assert_eq!(of_sources(&userinfo)[0], json!({"credit_score": "src1"}));
    assert_eq!(userinfo["_claim_sources"].as_object().map(serde_json::Map::len), Some(1));
    assert!(!userinfo.to_string().contains("evil"), "{userinfo}");
}

/// CLAIM-11: discovery says which types of claims there are (OIDC Discovery section 3).
#[test]
fn the_types_are_announced() {
    let types =
        |kit: &TestProvider| kit.get("/.well-known/openid-configuration")["claim_types_supported"].clone();
    assert_eq!(types(&TestProvider::new()), json!(["normal"]));
    let kit = TestProvider::builder().claim_sources().build();
    assert_eq!(types(&kit), json!(["normal", "aggregated", "distributed"]));
}
