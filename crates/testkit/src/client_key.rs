//! What a client's own program signs.

use chancery_jose::{HmacKey, PrivateKey, SigningAlgorithm, base64url};
use chancery_types::{Timestamp, params};
use http::Method;
use serde_json::{Map, Value, json};

/// The key of a client, with which its program authenticates, asks, and proves that it has the key.
pub struct ClientKey {
    key: Key,
    alg: SigningAlgorithm,
}

enum Key {
    Private(PrivateKey),
    Shared(Box<HmacKey>),
}

/// How long what a client signs is good.
const LIFETIME: i64 = 60;

impl ClientKey {
    /// A new key for an asymmetric algorithm.
    #[must_use]
    pub fn generate(alg: SigningAlgorithm) -> Self {
        Self { key: Key::Private(PrivateKey::generate(alg).expect("an asymmetric algorithm")), alg }
    }

    /// The client's secret as the key of an HMAC (OIDC Core section 10.1).
    #[must_use]
    pub fn of_secret(alg: SigningAlgorithm, secret: &str) -> Self {
        let key = HmacKey::new(alg, secret.as_bytes()).expect("a symmetric algorithm and a long secret");
        Self { key: Key::Shared(Box::new(key)), alg }
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
        self.sign(&self.header(), &claims)
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
        let mut header = self.header();
        header["typ"] = "oauth-authz-req+jwt".into();
        self.sign(&header, &claims.into())
    }

    /// Any claims under any header, to which `alg` is added.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["alg"] = self.alg.name().into();
        let input = [&header, claims].map(|part| base64url::encode(part.to_string())).join(".");
        let signature = match &self.key {
            Key::Private(key) => key.sign(self.alg, input.as_bytes()).expect("a signature"),
            Key::Shared(key) => key.sign(input.as_bytes()),
        };
        format!("{input}.{}", base64url::encode(signature))
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        match &self.key {
            Key::Private(key) => Some(key.kid()),
            Key::Shared(_) => None,
        }
    }

    /// A header that names the key.
    fn header(&self) -> Value {
        self.kid().map_or_else(|| json!({}), |kid| json!({"kid": kid}))
    }

    /// The public half as a JWK.
    ///
    /// # Panics
    /// If the key is a secret.
    #[must_use]
    pub fn public(&self) -> Value {
        let Key::Private(key) = &self.key else { panic!("a secret has no public half") };
        serde_json::from_str(&key.public_jwk().to_json()).expect("a JWK is JSON")
    }
}
