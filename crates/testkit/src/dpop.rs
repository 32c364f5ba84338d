//! A client that proves possession of a key (RFC 9449).

use std::cell::{Cell, RefCell};

use chancery_jose::{PublicJwk, SigningAlgorithm, base64url, sha256};
use http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client_key::ClientKey;
use crate::client_request::ClientRequest;
use crate::provider::TestProvider;

/// A key for DPoP, and what its holder keeps: the nonce that was given last.
pub struct DpopKey {
    key: ClientKey,
    proofs: Cell<u32>,
    nonce: RefCell<Option<String>>,
}

impl DpopKey {
    /// A new key.
    #[must_use]
    pub fn generate(alg: SigningAlgorithm) -> Self {
        Self { key: ClientKey::generate(alg), proofs: Cell::default(), nonce: RefCell::default() }
    }

    /// Its thumbprint (RFC 7638): `dpop_jkt`, and `jkt` of what is bound to it.
    ///
    /// # Panics
    /// Never: its public half is a JWK.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let public = PublicJwk::parse(self.key.public().to_string().as_bytes()).expect("a public key");
        public.thumbprint()
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &ClientKey {
        &self.key
    }

    /// Keeps the nonce of an answer (section 8.2).
    pub fn keep_nonce(&self, answer: &Answer) {
        if let Some(nonce) = answer.header("dpop-nonce") {
            *self.nonce.borrow_mut() = Some(nonce.to_owned());
        }
    }

    /// The claims of a new proof for a request to this path.
    #[must_use]
    pub fn claims(&self, kit: &TestProvider, method: &Method, path: &str, token: Option<&str>) -> Value {
        self.proofs.set(self.proofs.get() + 1);
        let target = format!("{}{path}", kit.issuer().origin());
        let mut claims = json!({"jti": format!("proof {}", self.proofs.get()), "htm": method.as_str(), "htu": target,
            "iat": kit.now().secs()});
        if let Some(nonce) = &*self.nonce.borrow() {
            claims["nonce"] = nonce.as_str().into();
        }
        if let Some(token) = token {
            claims["ath"] = base64url::encode(sha256(token.as_bytes())).into();
        }
        claims
    }

    /// A proof with these claims.
    #[must_use]
    pub fn proof(&self, claims: &Value) -> String {
        self.key.sign(&json!({"typ": "dpop+jwt", "jwk": self.key.public()}), claims)
    }

    /// The request with a new proof.
    #[must_use]
    pub fn prove<'k>(&self, request: ClientRequest<'k>) -> ClientRequest<'k> {
        let (kit, method, path) = request.target();
        let proof = self.proof(&self.claims(kit, &method, &path, None));
        request.header("dpop", &proof)
    }

    /// UserInfo by GET, with a token that is bound to the key.
    #[must_use]
    pub fn userinfo<'k>(&self, kit: &'k TestProvider, token: &str) -> ClientRequest<'k> {
        let request = kit.anonymous_request("/userinfo").get();
        let (_, method, path) = request.target();
        let proof = self.proof(&self.claims(kit, &method, &path, Some(token)));
        request.header("authorization", &format!("DPoP {token}")).header("dpop", &proof)
    }
}
