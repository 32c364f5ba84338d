//! Modules that also run in the profile of clients that act for themselves, by the grant `client_credentials`.

use chancery_jose::SigningAlgorithm::Rs256;
use chancery_testkit::{Answer, ClientKey};
use http::Method;
use serde_json::{Value, json};

use super::suite::{CLIENTS, Shown, Suite, Variant, refused};

const VARIANTS: [&str; 4] = [
    "fapi2-sp-final-cc.pkjwt-dpop",
    "fapi2-sp-final-cc.pkjwt-mtls",
    "fapi2-sp-final-cc.mtls-dpop",
    "fapi2-sp-final-cc.mtls-mtls",
];

/// With each configuration.
fn in_each(module: impl Fn(&Suite)) {
    for variant in VARIANTS.map(Variant) {
        println!("{variant:?}"); // shown when the test fails
        module(&Suite::new(variant));
    }
}

fn tokens(suite: &Suite, shown: &Shown) -> Answer {
    suite.post("/token", &[("grant_type", "client_credentials"), ("scope", "accounts")], shown)
}

/// fapi2-security-profile-final-happy-flow, fapi2-security-profile-final-discovery-end-point-verification
#[test]
fn tokens_of_its_own() {
    in_each(|suite| {
        for document in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            let metadata = suite.kit.get(document).expect_status(200);
            let grants = metadata["grant_types_supported"].as_array();
            assert!(grants.is_some_and(|grants| grants.contains(&"client_credentials".into())));
        }
        let answers = [0, 1].map(|n| {
            let answer = tokens(suite, &suite.shown(n)).expect_status(200);
            let kind = if suite.variant.has_proofs() { "DPoP" } else { "Bearer" };
            assert_eq!((&answer["token_type"], &answer["scope"]), (&kind.into(), &"accounts".into()));
            // RFC 6749 section 4.4.3.
            assert_eq!((&answer["refresh_token"], &answer["id_token"]), (&Value::Null, &Value::Null));
            assert!(answer["expires_in"].as_u64().is_some_and(|seconds| seconds > 0));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            suite.check_binding(n, answer.member("access_token"));
            answer.member("access_token").to_owned()
        });
        assert_ne!(answers[0], answers[1]);
    });
}

/// fapi2-security-profile-final-check-dpop-proof-nbf-exp,
/// fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds,
/// fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds
#[test]
fn times_of_proofs_that_are_good() {
    in_each(|suite| {
        let now = suite.kit.now().secs();
        for change in
            [json!({"nbf": now, "exp": now + 300}), json!({"iat": now - 10}), json!({"iat": now + 10})]
        {
            if !suite.variant.has_proofs() {
                continue;
            }
            let mut claims = suite.proof_claims(&Method::POST, "/token", None);
            for (name, value) in change.as_object().into_iter().flatten() {
                claims[name] = value.clone();
            }
            let shown = Shown { proof: Some(suite.proof(0, &claims)), ..suite.shown(0) };
            let answer = tokens(suite, &shown).expect_status(200);
            suite.check_binding(0, answer.member("access_token"));
        }
    });
}

/// fapi2-security-profile-final-ensure-holder-of-key-required
#[test]
fn nothing_to_bind_a_token_to() {
    in_each(|suite| {
        let (shown, codes): (_, &[&str]) = match (suite.variant.has_proofs(), suite.variant.has_assertions())
        {
            (true, _) => {
                let codes = &["invalid_request", "invalid_grant"];
                (Shown { proof: None, ..suite.shown(0) }, codes)
            }
            (false, true) => {
                let codes = &["invalid_request", "invalid_grant", "invalid_client"];
                (Shown { certificate: None, ..suite.shown(0) }, codes)
            }
            (false, false) => {
                (Shown { certificate: None, ..suite.shown(0) }, &["invalid_request", "invalid_client"])
            }
        };
        refused(&tokens(suite, &shown), codes);
    });
}

/// fapi2-security-profile-final-ensure-client-id-in-token-endpoint
#[test]
fn the_id_of_another_client() {
    in_each(|suite| {
        let shown = Shown { client_id: Some(CLIENTS[1].to_owned()), ..suite.shown(0) };
        refused(&tokens(suite, &shown), &["invalid_client", "invalid_request"]);
    });
}

/// fapi2-security-profile-final-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails,
/// fapi2-security-profile-final-ensure-client-assertion-with-wrong-aud-fails,
/// fapi2-security-profile-final-ensure-client-assertion-with-no-sub-fails,
/// fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails,
/// fapi2-security-profile-final-ensure-client-assertion-in-token-endpoint
#[test]
fn bad_assertions() {
    let rsa = ClientKey::generate(Rs256);
    in_each(|suite| {
        if !suite.variant.has_assertions() {
            return;
        }
        let with = |name: &str, value: Value| {
            let mut claims = suite.assertion_claims(0);
            claims[name] = value;
            Some(suite.assertion(0, &claims))
        };
        let mut nobody = suite.assertion_claims(0);
        let _ = nobody.as_object_mut().and_then(|claims| claims.remove("sub"));
        let by_rsa = rsa.sign(&json!({"kid": suite.keys[0].kid()}), &suite.assertion_claims(0));
        let long_ago = suite.kit.now().secs() - 300;
        for (what, assertion) in [
            ("exp", with("exp", long_ago.into())),
            ("aud", with("aud", "https://other.example".into())),
            ("no sub", Some(suite.assertion(0, &nobody))),
            ("RS256", Some(by_rsa)),
            ("none", None),
        ] {
            println!("{what}");
            refused(
                &tokens(suite, &Shown { assertion, ..suite.shown(0) }),
                &["invalid_client", "invalid_request"],
            );
        }
        let _ = tokens(suite, &suite.shown(0)).expect_status(200);
    });
}
