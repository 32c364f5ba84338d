//! JWTs as a client checks them: by the published keys, or by its own secret.

use chancery_jose::{Compact, Header, HmacKey, JwkSet, SigningAlgorithm};
use serde_json::Value;

use crate::answer::Answer;
use crate::provider::TestProvider;

/// A JWT whose signature was verified.
#[derive(Clone, Debug)]
pub struct VerifiedJwt {
    /// Its header.
    pub header: Header,
    /// Its claims; an absent one is `Null`.
    pub claims: Value,
    /// The names of the claims in the order of the payload.
    pub names: Vec<String>,
}

impl TestProvider {
    /// Verifies a JWT of this provider: with the key of its `kid` from the JWKS, or with the client's secret for an HMAC.
    ///
    /// # Errors
    /// Why it does not verify.
    pub fn try_verify(&self, jwt: &str, client: &str) -> Result<VerifiedJwt, chancery_jose::Error> {
        let compact = Compact::parse(jwt)?;
        let alg: SigningAlgorithm = compact.header().alg;
        let verified = if alg.is_symmetric() {
            let secret = self.registration(client).secret.expect("a client with an HMAC has a secret");
            compact.verify(&HmacKey::new(alg, secret.as_bytes())?)?
        } else {
            let jwks = JwkSet::parse(&self.get("/jwks").expect_status(200).body)?;
            let kid = compact.header().kid.clone();
            let key = jwks.candidates(kid.as_deref(), alg).next();
            let key = key.ok_or(chancery_jose::Error::KeyNotForAlgorithm)?.verifying_key()?;
            compact.verify(&key)?
        };
        let claims = serde_json::from_slice(verified.payload()).expect("claims are JSON");
        let text = std::str::from_utf8(verified.payload()).expect("claims are UTF-8");
        let mut names: Vec<String> =
            Value::as_object(&claims).into_iter().flatten().map(|(name, _)| name.clone()).collect();
        names.sort_by_key(|name| text.find(&format!("\"{name}\":")));
        Ok(VerifiedJwt { header: verified.header().clone(), claims, names })
    }

    /// The ID token of a token response, checked as its client has to (OIDC Core section 3.1.3.7).
    #[track_caller]
    #[must_use]
    pub fn id_token(&self, answer: &Answer, client: &str) -> VerifiedJwt {
        let token = self.try_verify(answer.member("id_token"), client).expect("an ID token that verifies");
        let (claims, now) = (&token.claims, self.now().secs());
        assert_eq!(claims["iss"], self.issuer().as_str());
        assert_eq!(claims["aud"], client);
        assert!(claims["exp"].as_i64().is_some_and(|exp| exp > now), "{claims}");
        assert!(claims["iat"].as_i64().is_some_and(|iat| iat <= now), "{claims}");
        token
    }
}
