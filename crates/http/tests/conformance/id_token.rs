//! Modules about the signature of ID tokens.

use chancery_jose::SigningAlgorithm;
use serde_json::json;

use crate::suite::Suite;

/// oidcc-idtoken-signature, oidcc-idtoken-rs256: RS256 with a published key that the header names, whether
/// the client is registered with it or with no algorithm at all (OIDC Registration section 2).
#[test]
fn id_token_rs256() {
    for more in [json!({}), json!({"id_token_signed_response_alg": "RS256"})] {
        let suite = Suite::with_client("signed", more);
        let outcome = suite.outcome(&suite.kit.user_agent(), &suite.of("signed"));
        assert_eq!(outcome.id_token.header.alg, SigningAlgorithm::Rs256);
        let jwks = suite.kit.get("/jwks").expect_status(200);
        let kid = outcome.id_token.header.kid.as_deref().expect("a kid");
        let named = jwks["keys"].as_array().into_iter().flatten().filter(|key| key["kid"] == kid).count();
        assert_eq!(named, 1, "{kid}");
    }
}
