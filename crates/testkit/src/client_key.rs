//! What a client's own program signs.

use chancery_jose::{PrivateKey, SigningAlgorithm, base64url};
use chancery_types::{Timestamp, params};
use http::Method;
use serde_json::{Map, Value, json};

/// The private key of a client, with which its program authenticates, asks, and proves that it has the key.
pub struct ClientKey {
    key: PrivateKey,
    alg: SigningAlgorithm,
}

/// How long what a client signs is good.
const LIFETIME: i64 = 60;

impl ClientKey {
    /// A new key for an asymmetric algorithm.
    #[must_use]
    pub fn generate(alg: SigningAlgorithm) -> Self {
        Self { key: PrivateKey::generate(alg).expect("an asymmetric algorithm"), alg }
    }

    /// The value of `jwks` in the client's registration (RFC 7591 section 2): the public half.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.public()]})
    }

    /// What authenticates the client by `private_key_jwt` (RFC 7523 section 3, OIDC Core section 9). Each has
    /// another `jti`.
    #[must_use]
    pub fn assertion(&self, client: &str, audience: &str, jti: &str, now: Timestamp) -> String {
        let claims = json!({"iss": client, "sub": client, "aud": audience, "jti": jti,
            "iat": now.secs(), "exp": now.secs() + LIFETIME});
        self.sign(&json!({"kid": self.key.kid()}), &claims)
    }

    /// What proves that whoever sends a request has the key (RFC 9449 section 4.2).
    #[must_use]
    pub fn proof(&self, method: &Method, url: &str, jti: &str, now: Timestamp) -> String {
        let claims = json!({"jti": jti, "htm": method.as_str(), "htu": url, "iat": now.secs()});
        self.sign(&json!({"typ": "dpop+jwt", "jwk": self.public()}), &claims)
    }

    /// An authorization request as a JWT (RFC 9101 section 4): the parameters of this query, and for whom it
    /// is.
    #[must_use]
    pub fn request_object(&self, query: &str, audience: &str, now: Timestamp) -> String {
        let parameters = params::Params::parse(query).expect("a query");
        let mut claims: Map<String, Value> =
            parameters.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        claims.insert("iss".to_owned(), claims.get("client_id").cloned().unwrap_or_default());
        claims.insert("aud".to_owned(), audience.into());
        claims.insert("exp".to_owned(), (now.secs() + LIFETIME).into());
        self.sign(&json!({"kid": self.key.kid(), "typ": "oauth-authz-req+jwt"}), &claims.into())
    }

    /// Any claims under any header, to which `alg` is added.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["alg"] = self.alg.name().into();
        let input = [&header, claims].map(|part| base64url::encode(part.to_string())).join(".");
        let signature = self.key.sign(self.alg, input.as_bytes()).expect("a signature");
        format!("{input}.{}", base64url::encode(signature))
    }

    fn public(&self) -> Value {
        serde_json::from_str(&self.key.public_jwk().to_json()).expect("a JWK is JSON")
    }
}
