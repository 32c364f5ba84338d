//! FAPI 1.0 part 2 and FAPI 2.0 Security Profile: what is demanded of tokens holds on every path, and of tokens that are
//! older than the demand.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use chancery_core::client::PROFILE_BROKEN;
use chancery_core::config::Config;
use chancery_core::endpoint::token::extension::{Entitled, ExtensionGrant, ExtensionRequest};
use chancery_core::error::{Fault, Refusal};
use chancery_core::issue::access_token::ALGORITHM_FORBIDDEN;
use chancery_core::model::{Amr, Factor, ResourceServer};
use chancery_core::profile::Profile::{self, Baseline, Fapi1Advanced, Fapi2MessageSigning, Fapi2Security};
use chancery_core::rule::bearer::{TOKEN_IN_QUERY, TOKEN_WITHDRAWN};
use chancery_jose::SigningAlgorithm::{self, Es256};
use chancery_jose::base64url;
use chancery_store::Put;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    Answer, ClientRequest, DpopKey, TestCertificate, TestProvider, TestProviderBuilder, assert_refused, wait,
};
use chancery_types::iana::ExtensionGrantName;
use chancery_types::{AccountId, ClientId, Scopes};
use serde_json::{Value, json};

const BADGE: &str = "urn:example:badge";

/// Tokens for alice, whoever asks.
struct Badge(ExtensionGrantName);

impl ExtensionGrant for Badge {
    fn grant_type(&self) -> &ExtensionGrantName {
        &self.0
    }

    fn parameters(&self) -> &[&str] {
        &["scope"]
    }

    async fn entitle(&self, asked: ExtensionRequest<'_>) -> Result<Result<Entitled, Refusal>, Fault> {
        let proof = Factor { method: Amr::HARDWARE_KEY, at: asked.now };
        let scopes = Scopes::parse(asked.parameter("scope").unwrap_or("openid")).unwrap();
        Ok(Ok(Entitled::person(AccountId::parse("alice").unwrap(), proof, scopes)))
    }
}

fn builder(profile: Profile) -> TestProviderBuilder {
    let offer = |to: &mut Config| {
        to.profile = profile;
        to.mtls.certificate_bound_access_tokens = true;
        to.mtls.self_signed_tls_client_auth = true;
        to.dpop.offered = true;
        to.pushed_requests.offered = true;
        to.response_modes.jwt = true;
    };
    let builder = TestProvider::builder().without_clients().configure(offer);
    let builder = builder.extension_grant(Badge(ExtensionGrantName::parse(BADGE).unwrap()));
    ["RS256", "ES256"].into_iter().fold(builder, |builder, alg| {
        let server = json!({"uri": resource(alg), "scopes": ["read"], "format": "jwt", "alg": alg});
        builder.resource_server(serde_json::from_value::<ResourceServer>(server).unwrap())
    })
}

fn resource(alg: &str) -> String {
    format!("https://{}.example", alg.to_lowercase())
}

/// Metadata of a client that meets every profile, with these members changed.
fn client(certificate: &TestCertificate, changes: Value) -> String {
    let mut metadata = json!({"client_id": "bank", "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": certificate.jwks(), "redirect_uris": ["https://bank.example/cb"], "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials", BADGE],
        "id_token_signed_response_alg": "ES256", "authorization_signed_response_alg": "ES256"});
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    metadata.to_string()
}

fn hold_to(kit: &TestProvider, profile: Profile) {
    kit.change_client("bank", &json!({"chancery": {"profile": profile.as_str()}}).to_string()).unwrap();
}

fn badge_request(kit: &TestProvider) -> ClientRequest<'_> {
    kit.anonymous_request("/token").param("client_id", "bank").param("grant_type", BADGE)
}

/// The algorithm that a JWT is signed with.
fn alg(jwt: &str) -> Value {
    let header = base64url::decode(jwt.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["alg"].clone()
}

/// AT-07, FAPI-04, FAPI 1.0 part 2 section 8.6, FAPI 2.0 Security Profile section 5.4.1: an access token that is a JWT is
/// signed with what the profile of its client permits, by whichever grant, or there is none; and nothing is used up.
#[test]
fn an_access_token_is_signed_as_the_profile_permits() {
    let mine = TestCertificate::self_signed("bank");
    for profile in [Fapi1Advanced, Fapi2Security, Fapi2MessageSigning] {
        for (name, is_permitted) in [("ES256", true), ("RS256", false)] {
            let kit = builder(Baseline).build();
            kit.put_client(&client(&mine, json!({"chancery": {"default_resource": resource(name)}})));
            let code = || kit.code("alice", "bank", "read offline_access");
            let tokens = kit.code_request(&code()).certificate(&mine).send().expect_status(200);
            assert_eq!(alg(tokens.member("access_token")), name);
            let (code, refresh) = (code(), tokens.member("refresh_token").to_owned());
            let requests = || {
                [
                    ("client_credentials", kit.client_credentials_request("bank")),
                    ("an extension grant", badge_request(&kit).param("scope", "read")),
                    ("a refresh token", kit.refresh_request("bank", &refresh)),
                    ("a code", kit.code_request(&code)),
                ]
            };
            hold_to(&kit, profile);
            for (what, request) in requests() {
                let answer = request.certificate(&mine).send();
                if is_permitted {
                    let token = answer.expect_status(200).member("access_token").to_owned();
                    assert_eq!(alg(&token), name, "{profile:?} {what}");
                } else {
                    assert_refused!(answer, ALGORITHM_FORBIDDEN);
                }
            }
            if !is_permitted {
                hold_to(&kit, Baseline);
                for (_, request) in requests() {
                    let _ = request.certificate(&mine).send().expect_status(200);
                }
            }
        }
    }
}

/// EXT-04, FAPI-06: a client that gets its ID tokens by an extension grant alone is held to their algorithm as well.
#[test]
fn an_extension_grant_gives_no_id_token_that_is_forbidden() {
    let mine = TestCertificate::self_signed("bank");
    let asked = |alg: &str| {
        client(
            &mine,
            json!({"response_types": [], "redirect_uris": [], "grant_types": [BADGE],
            "id_token_signed_response_alg": alg, "chancery": {"profile": "fapi2-security"}}),
        )
    };
    let kit = builder(Baseline).build();
    let refused = kit.put_client_fetching(&asked("RS256")).unwrap_err();
    let complaints: Vec<&str> = refused.complaints.iter().map(|complaint| &*complaint.setting).collect();
    assert_eq!(complaints, ["id_token_signed_response_alg"]);
    kit.put_client(&asked("ES256"));
    let tokens = badge_request(&kit).certificate(&mine).send().expect_status(200);
    assert_eq!(alg(tokens.member("id_token")), "ES256");
}

/// How a token was bound, and how its holder shows that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Not,
    ToKey,
    ToCertificate,
}

/// FAPI 1.0 part 2 section 5.2.2-5, FAPI 2.0 Security Profile sections 5.3.2.1-4 and 5.3.4-5: a token that was issued
/// before its client was held to a profile, and is not bound as that demands, is worth nothing from then on, wherever it
/// is shown; the others stay as good as they were.
#[test]
fn an_older_token_is_held_to_the_demands() {
    let (mine, key) = (TestCertificate::self_signed("bank"), DpopKey::generate(Es256));
    for bound in [Bound::Not, Bound::ToKey, Bound::ToCertificate] {
        let kit = builder(Baseline).build();
        let is_to_certificate = bound == Bound::ToCertificate;
        kit.put_client(&client(
            &mine,
            json!({"tls_client_certificate_bound_access_tokens": is_to_certificate}),
        ));
        let request = kit.code_request(&kit.code("alice", "bank", "openid")).certificate(&mine);
        let request = if bound == Bound::ToKey { key.prove(request) } else { request };
        let tokens = request.send().expect_status(200);
        let token = tokens.member("access_token");
        let userinfo = || match bound {
            Bound::ToKey => key.userinfo(&kit, token).send(),
            _ => {
                let request = kit.anonymous_request("/userinfo").get().certificate(&mine);
                request.header("authorization", &format!("Bearer {token}")).send()
            }
        };
        let is_active = || -> bool {
            let answer = kit.introspection_request("bank", token).certificate(&mine).send();
            answer.expect_status(200)["active"] == true
        };
        for (profile, ways) in [
            (Baseline, &[Bound::Not, Bound::ToKey, Bound::ToCertificate][..]),
            (Fapi1Advanced, &[Bound::ToCertificate]),
            (Fapi2Security, &[Bound::ToKey, Bound::ToCertificate]),
            (Fapi2MessageSigning, &[Bound::ToKey, Bound::ToCertificate]),
            (Baseline, &[Bound::Not, Bound::ToKey, Bound::ToCertificate]),
        ] {
            hold_to(&kit, profile);
            let is_good = ways.contains(&bound);
            assert_eq!(is_active(), is_good, "{profile:?} {bound:?}");
            // INTRO-08: an answer as a JWT is signed as the profile permits, not with the default of RFC 9701.
            let asked = kit.introspection_request("bank", token).certificate(&mine);
            let jwt = asked.header("accept", "application/token-introspection+jwt").send().expect_status(200);
            let alg = kit.try_verify(jwt.text(), "bank").unwrap().header.alg;
            assert_eq!(alg == SigningAlgorithm::Rs256, profile == Baseline, "{profile:?}: {alg:?}");
            match is_good {
                true => drop(userinfo().expect_status(200)),
                false => assert_refused!(userinfo(), TOKEN_WITHDRAWN),
            }
        }
    }
}

/// FAPI-06: the profile of the server was raised, and the registration of a client breaks it: what the client has got
/// before is worth nothing either, so that UserInfo signs nothing for it with a forbidden algorithm.
#[test]
fn the_tokens_of_an_older_client() {
    let store = Arc::new(MemoryStore::new());
    let before = builder(Baseline).store(store.clone()).build();
    let after = builder(Fapi2Security).store(store).keys_of(&before).build();
    let id = |text: &str| ClientId::parse(text).unwrap();
    let mine = TestCertificate::self_signed("bank");
    let bound = json!({"tls_client_certificate_bound_access_tokens": true});
    for (client_id, broken) in [
        ("good", json!({})),
        ("userinfo", json!({"userinfo_signed_response_alg": "RS256"})),
        ("id-token", json!({"id_token_signed_response_alg": "RS256"})),
    ] {
        let is_good = broken == json!({});
        let changes = [&bound, &broken].map(|all| all.as_object().unwrap().clone()).into_iter().flatten();
        let mut changes: serde_json::Map<String, Value> = changes.collect();
        changes.insert("client_id".into(), client_id.into());
        before.put_client(&client(&mine, changes.into()));
        let known = wait(before.env().registry.client(&before.env().realm, &id(client_id))).unwrap().unwrap();
        let put = after.env().registry.put_client(&after.env().realm, None, known);
        assert!(matches!(wait(put), Ok(Put::Done(_))));
        let code = before.code("alice", client_id, "openid");
        let tokens = before.code_request(&code).certificate(&mine).send().expect_status(200);
        let userinfo = |kit: &TestProvider| -> Answer {
            let bearer = format!("Bearer {}", tokens.member("access_token"));
            let request = kit.anonymous_request("/userinfo").get().header("authorization", &bearer);
            request.certificate(&mine).send()
        };
        let _ = userinfo(&before).expect_status(200);
        match is_good {
            true => drop(userinfo(&after).expect_status(200)),
            false => assert_refused!(userinfo(&after), TOKEN_WITHDRAWN),
        }
        let refused = after.anonymous_request("/token").param("client_id", client_id);
        let refused = refused.param("grant_type", "client_credentials").certificate(&mine).send();
        match is_good {
            true => drop(refused.expect_status(200)),
            false => assert_refused!(refused, PROFILE_BROKEN),
        }
    }
}

/// FAPI-02, UINF-02: no token of such a client is accepted in a query, although those of others are.
#[test]
fn no_token_is_accepted_in_a_query() {
    let kit = builder(Baseline).configure(|to| to.compatibility.query_access_token = true).build();
    let mine = TestCertificate::self_signed("bank");
    kit.put_client(&client(&mine, json!({"tls_client_certificate_bound_access_tokens": true})));
    let code = kit.code("alice", "bank", "openid");
    let tokens = kit.code_request(&code).certificate(&mine).send().expect_status(200);
    let token = tokens.member("access_token");
    let in_query = || {
        let path = format!("/userinfo?access_token={token}");
        kit.anonymous_request(&path).get().certificate(&mine).send()
    };
    assert_eq!(in_query().status, 200);
    for profile in [Fapi1Advanced, Fapi2Security] {
        hold_to(&kit, profile);
        assert_refused!(in_query(), TOKEN_IN_QUERY);
        let request = kit.anonymous_request("/userinfo").get().certificate(&mine);
        assert_eq!(request.header("authorization", &format!("Bearer {token}")).send().status, 200);
    }
}
