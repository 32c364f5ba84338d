//! Modules about proofs of possession (RFC 9449).

use chancery_jose::SigningAlgorithm::{Es256, Rs256};
use chancery_jose::{base64url, sha256, unsecured};
use chancery_testkit::{AuthorizationRequest, ClientKey};
use http::Method;
use serde_json::{Value, json};

use super::sent::Sent;
use super::suite::{End, Shown, Suite, Variant, in_variants, refused, thumbprint};

/// With each variant whose tokens are bound by proofs.
fn proved(module: impl Fn(&Suite)) {
    in_variants(Variant::has_proofs, module);
}

/// A proof of the first client whose claims are changed like this.
fn changed(suite: &Suite, path: &str, change: &dyn Fn(&mut Value)) -> String {
    let mut claims = suite.proof_claims(&Method::POST, path, None);
    change(&mut claims);
    suite.proof(0, &claims)
}

/// A login with proofs like this at PAR, token endpoint and resource.
fn login_with(suite: &Suite, change: &dyn Fn(&mut Value)) {
    let request = suite.request(0);
    let mut sent = Sent::new(suite, 0, &request);
    sent.shown.proof = Some(changed(suite, "/par", change));
    let end = sent.end();
    let shown = Shown { proof: Some(changed(suite, "/token", change)), ..suite.shown(0) };
    let tokens = suite.redeem(&request, end.expect_code(), &shown).expect_status(200);
    assert_eq!(tokens["token_type"], "DPoP");
    if suite.variant.is_openid() {
        let token = tokens.member("access_token");
        let mut claims = suite.proof_claims(&Method::GET, "/userinfo", Some(token));
        change(&mut claims);
        let headers = [("dpop", &*suite.proof(0, &claims))];
        let _ =
            suite.resource_with(&format!("DPoP {token}"), &headers, suite.certified(0)).expect_status(200);
    }
}

/// fapi2-security-profile-final-check-dpop-proof-nbf-exp,
/// fapi2-security-profile-id2-check-dpop-proof-nbf-exp,
/// fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds,
/// fapi2-security-profile-id2-ensure-dpopproof-with-iat-10seconds-before-succeeds,
/// fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds,
/// fapi2-security-profile-id2-ensure-dpopproof-with-iat-10seconds-after-succeeds
#[test]
fn times_that_are_good() {
    proved(|suite| {
        let now = suite.kit.now().secs();
        login_with(suite, &|claims| {
            claims["nbf"] = now.into();
            claims["exp"] = (now + 60).into();
        });
        login_with(suite, &|claims| claims["iat"] = (now - 10).into());
        login_with(suite, &|claims| claims["iat"] = (now + 10).into());
    });
}

/// A code that is bound to the first client's key, by a proof at the PAR endpoint or by a parameter.
fn bound(suite: &Suite, by_proof: bool) -> (AuthorizationRequest, End) {
    let request = suite.request(0);
    let mut sent = Sent::new(suite, 0, &request);
    match by_proof {
        true => sent.shown.proof = Some(changed(suite, "/par", &|_| {})),
        false => sent = sent.with("dpop_jkt", thumbprint(&suite.proof_keys[0])),
    }
    let end = sent.end();
    (request, end)
}

/// fapi2-security-profile-final-ensure-dpopproof-at-par-endpoint-binding-success,
/// fapi2-security-profile-id2-ensure-dpopproof-at-par-endpoint-binding-success,
/// fapi2-security-profile-final-ensure-dpop-auth-code-binding-success,
/// fapi2-security-profile-id2-ensure-dpop-auth-code-binding-success,
/// fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt,
/// fapi2-security-profile-id2-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt,
/// fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-jkt,
/// fapi2-security-profile-id2-ensure-token-endpoint-fails-with-mismatched-dpop-jkt
#[test]
fn codes_that_are_bound() {
    proved(|suite| {
        for by_proof in [true, false] {
            let (request, end) = bound(suite, by_proof);
            let proof = suite.proof(1, &suite.proof_claims(&Method::POST, "/token", None));
            let another_key = Shown { proof: Some(proof), ..suite.shown(0) };
            let answer = suite.redeem(&request, end.expect_code(), &another_key).expect_status(400);
            refused(&answer, &["invalid_dpop_proof", "invalid_grant"]);
            let _ = suite.redeem(&request, end.expect_code(), &suite.shown(0)).expect_status(200);
        }
    });
}

/// fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails,
/// fapi2-security-profile-id2-ensure-mismatched-dpop-jkt-fails
#[test]
fn a_proof_and_the_thumbprint_of_another_key() {
    proved(|suite| {
        let mut sent = Sent::new(suite, 0, &suite.request(0));
        sent = sent.with("dpop_jkt", thumbprint(&suite.proof_keys[1]));
        sent.shown.proof = Some(changed(suite, "/par", &|_| {}));
        let answer = sent.push().expect_status(400);
        refused(&answer, &["invalid_dpop_proof", "invalid_request"]);
    });
}

/// fapi2-security-profile-final-dpop-negative-tests, fapi2-security-profile-id2-dpop-negative-tests
#[test]
fn proofs_at_a_resource() {
    in_variants(
        |variant| variant.has_proofs() && variant.is_openid(),
        |suite| {
            let tokens = suite.outcome(0, &suite.request(0));
            let (token, key) = (tokens.member("access_token"), &suite.proof_keys[0]);
            let claims = || suite.proof_claims(&Method::GET, "/userinfo", Some(token));
            let good = || suite.proof(0, &claims());
            let header = || json!({"typ": "dpop+jwt", "jwk": key.public()});
            let without = |value: Value, name: &str| {
                let mut value = value;
                value.as_object_mut().and_then(|value| value.remove(name));
                value
            };
            let with = |value: Value, name: &str, member: Value| {
                let mut value = value;
                value[name] = member;
                value
            };
            let ask = |scheme: &str, proofs: &[&str]| {
                let headers: Vec<_> = proofs.iter().map(|proof| ("dpop", *proof)).collect();
                suite.resource_with(&format!("{scheme} {token}"), &headers, suite.certified(0))
            };
            let (now, url) = (suite.kit.now().secs(), suite.url("/userinfo"));
            let upper = url.replacen("https://id.example", "HTTPS://ID.EXAMPLE", 1);
            let with_port = url.replacen("https://id.example", "https://id.example:443", 1);
            assert!(upper != url && with_port != url);

            for (what, proof) in [
                ("query and fragment", suite.proof(0, &with(claims(), "htu", format!("{url}?a=b#c").into()))),
                ("upper case", suite.proof(0, &with(claims(), "htu", upper.into()))),
                ("default port", suite.proof(0, &with(claims(), "htu", with_port.into()))),
                ("more claims", suite.proof(0, &with(claims(), "unknown", "value".into()))),
                ("more in the header", key.sign(&with(header(), "unknown", "value".into()), &claims())),
            ] {
                assert_eq!(ask("DPoP", &[&proof]).status, 200, "{what}");
            }
            assert_eq!(ask("DPOP", &[&good()]).status, 200);

            let rsa = ClientKey::generate(Rs256);
            let another = ClientKey::generate(Es256);
            let used = good();
            assert_eq!(ask("DPoP", &[&used]).status, 200);
            let mut bad = vec![
                ("not a JWT", "not-a-jwt".to_owned()),
                ("used", used),
                ("typ", key.sign(&with(header(), "typ", "jwt".into()), &claims())),
                ("RS256", rsa.sign(&json!({"typ": "dpop+jwt", "jwk": rsa.public()}), &claims())),
                ("none", unsecured(claims().to_string().as_bytes())),
                ("another's signature", another.sign(&header(), &claims())),
                (
                    "another key",
                    another.sign(&json!({"typ": "dpop+jwt", "jwk": another.public()}), &claims()),
                ),
                (
                    "a private key",
                    key.sign(&with(header(), "jwk", with(key.public(), "d", "AA".into())), &claims()),
                ),
                ("htm", suite.proof(0, &with(claims(), "htm", "PUT".into()))),
                ("htu", suite.proof(0, &with(claims(), "htu", "https://id.example/other".into()))),
                ("future", suite.proof(0, &with(claims(), "iat", (now + 3600).into()))),
                ("past", suite.proof(0, &with(claims(), "iat", (now - 3600).into()))),
                ("ath", suite.proof(0, &with(claims(), "ath", base64url::encode(sha256(b"another")).into()))),
            ];
            for name in ["typ", "jwk"] {
                bad.push((name, key.sign(&without(header(), name), &claims())));
            }
            for name in ["jti", "htm", "htu", "iat", "ath"] {
                bad.push((name, suite.proof(0, &without(claims(), name))));
            }
            for (what, proof) in &bad {
                let answer = ask("DPoP", &[proof]);
                assert!(matches!(answer.status.as_u16(), 400 | 401), "{what}: {}", answer.status);
            }
            assert!(matches!(ask("DPoP", &[&good(), &good()]).status.as_u16(), 400 | 401));
            assert_eq!(ask("DPoP", &[]).status, 401);
            assert_eq!(ask("Bearer", &[]).status, 401);
            assert_eq!(ask("DPoP", &[&good()]).status, 200);
        },
    );
}
