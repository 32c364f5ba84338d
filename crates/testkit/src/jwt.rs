//! JWTs as a client checks them: by the published keys, or by its own secret.

use chancery_core::ports::PrivateKeys as _;
use chancery_jose::{Compact, Header, HmacKey, JwkSet, SigningAlgorithm, base64url};
use serde_json::Value;

use crate::answer::Answer;
use crate::interleaved::wait;
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
    /// Verifies a JWT of this provider: with the key of its `kid` from the JWKS, or with the client's secret
    /// for an HMAC.
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

    /// What nobody but the provider can sign: any claims under any header, to which `alg` and `kid` of its
    /// ES256 key are added.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let realm = &self.env().realm;
        let keys = wait(self.keys.list(realm)).expect("the keys");
        let key =
            keys.iter().find(|key| key.jwk.alg() == Some(SigningAlgorithm::Es256)).expect("an ES256 key");
        let kid = key.jwk.kid().expect("our keys have a name");
        let mut header = header.clone();
        header["alg"] = "ES256".into();
        header["kid"] = kid.into();
        let input = [&header, claims].map(|part| base64url::encode(part.to_string())).join(".");
        let signature = wait(self.keys.sign(realm, kid, input.as_bytes())).expect("a signature");
        format!("{input}.{}", base64url::encode(signature))
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
