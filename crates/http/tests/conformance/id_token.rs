//! Modules about the signature of ID tokens.

use chancery_jose::SigningAlgorithm;
use serde_json::json;

use crate::suite::in_each_flow;

/// oidcc-idtoken-signature, oidcc-idtoken-rs256: RS256 with a published key that the header names, whether
/// the client is registered with it or with no algorithm at all (OIDC Registration section 2).
#[test]
fn id_token_rs256() {
    for more in [json!({}), json!({"id_token_signed_response_alg": "RS256"})] {
        in_each_flow(|suite| {
            suite.put_client("signed", more.clone());
            let outcome = suite.outcome(&suite.kit.user_agent(), &suite.of("signed"));
            assert_eq!(outcome.id_token.header.alg, SigningAlgorithm::Rs256);
            let jwks = suite.kit.get("/jwks").expect_status(200);
            let kid = outcome.id_token.header.kid.as_deref().expect("a kid");
            let keys = jwks["keys"].as_array().expect("keys");
            assert_eq!(keys.iter().filter(|key| key["kid"] == kid).count(), 1, "{kid}");
        });
    }
}
