//! What the suite does and looks at in every module of the FAPI plans.

use std::cell::Cell;
use std::collections::BTreeMap;

use chancery_core::config::Config;
use chancery_core::model::{AuthorizationDetail, Client};
use chancery_core::offered::{AssertionAudience, PkceOptional};
use chancery_core::policy::{DetailFault, DetailType};
use chancery_core::profile::Profile;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_jose::{base64url, sha256};
use chancery_testkit::{Answer, AuthorizationRequest, ClientKey, TestCertificate, TestProvider};
use chancery_types::Scope;
use http::Method;
use serde_json::{Value, json};

use super::sent::Sent;
use crate::suite::check_entropy;

/// The generations of the plans: FAPI 1.0 Advanced, FAPI 2.0 and its drafts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Advanced,
    Final,
    Draft,
}

/// A configuration of `e2e/conformance`, by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant(pub(crate) &'static str);

/// Each value of each variant at least once with each plan.
const VARIANTS: [&str; 15] = [
    "fapi1.pkjwt-value-plain",
    "fapi1.pkjwt-pushed-plain",
    "fapi1.mtls-value-jarm",
    "fapi1.mtls-pushed-jarm",
    "fapi2-sp-final.pkjwt-dpop-oidc",
    "fapi2-sp-final.mtls-mtls-oauth",
    "rar.pkjwt-dpop-oidc",
    "rar.mtls-mtls-oauth",
    "fapi2-ms-final.pkjwt-mtls-oidc-jarm",
    "fapi2-ms-final.mtls-dpop-oidc-plain",
    "fapi2-ms-final.pkjwt-dpop-oauth-jarm",
    "fapi2-sp-id2.pkjwt-dpop-oidc",
    "fapi2-sp-id2.mtls-mtls-oauth",
    "fapi2-ms-id1.pkjwt-mtls-oidc-jarm",
    "fapi2-ms-id1.mtls-dpop-oidc-plain",
];

impl Variant {
    pub(crate) fn plan(self) -> Plan {
        match self.0.split('.').next() {
            Some("fapi1") => Plan::Advanced,
            Some("fapi2-sp-final" | "fapi2-sp-final-cc" | "fapi2-ms-final" | "rar") => Plan::Final,
            _ => Plan::Draft,
        }
    }

    fn word(self, at: usize) -> &'static str {
        let words = self.0.split_once('.').map_or("", |(_, words)| words);
        words.split('-').nth(at).unwrap_or_default()
    }

    /// Do clients authenticate with assertions, or else with certificates?
    pub(crate) fn has_assertions(self) -> bool {
        self.word(0) == "pkjwt"
    }

    /// Are tokens bound by proofs, or else to certificates?
    pub(crate) fn has_proofs(self) -> bool {
        self.word(1) == "dpop"
    }

    pub(crate) fn is_openid(self) -> bool {
        self.plan() == Plan::Advanced || self.word(2) == "oidc"
    }

    /// Do clients ask for tokens of their own, and for no others?
    pub(crate) fn acts_for_itself(self) -> bool {
        self.0.starts_with("fapi2-sp-final-cc.")
    }

    /// Are requests pushed, or else request objects by value?
    pub(crate) fn is_pushed(self) -> bool {
        self.word(1) != "value"
    }

    /// Are requests request objects?
    pub(crate) fn is_signed(self) -> bool {
        !self.0.contains("-sp-") && !self.has_details()
    }

    /// Do clients ask in detail (RFC 9396)?
    fn has_details(self) -> bool {
        self.0.starts_with("rar.")
    }

    pub(crate) fn has_jarm(self) -> bool {
        self.0.ends_with("-jarm")
    }

    /// Can the client show its certificate where a token is issued?
    fn has_certificates(self) -> bool {
        !self.has_assertions() || !self.has_proofs()
    }

    pub(crate) fn scope(self) -> &'static str {
        if self.is_openid() { "openid profile email" } else { "accounts" }
    }
}

/// RFC 7638.
pub(crate) fn thumbprint(key: &ClientKey) -> String {
    let public = key.public();
    let (x, y) = (public["x"].as_str().unwrap_or(""), public["y"].as_str().unwrap_or(""));
    base64url::encode(sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes()))
}

/// Runs a module once for each variant, each time against a new provider.
pub(crate) fn in_each(module: impl Fn(&Suite)) {
    in_variants(|_| true, module);
}

/// Runs a module once for each variant in which a plan has it.
pub(crate) fn in_variants(has_module: impl Fn(Variant) -> bool, module: impl Fn(&Suite)) {
    let variants: Vec<_> = VARIANTS.map(Variant).into_iter().filter(|variant| has_module(*variant)).collect();
    assert!(!variants.is_empty(), "no variant has it");
    for variant in variants {
        println!("{variant:?}"); // shown when the test fails
        module(&Suite::new(variant));
    }
}

/// What clients ask for in detail.
fn details() -> Value {
    json!([{"type": "account_information", "actions": ["list_accounts", "read_balances"],
        "locations": ["https://example.com/accounts"]}])
}

/// The type of these details.
struct AccountInformation;

impl DetailType for AccountInformation {
    fn name(&self) -> &str {
        "account_information"
    }

    fn check(&self, detail: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
        match detail.members().all(|(name, _)| matches!(name, "actions" | "locations")) {
            true => Ok(()),
            false => Err(DetailFault::MemberUnknown),
        }
    }
}

/// The provider, as `serve.py` configures it.
fn configure(variant: Variant, to: &mut Config) {
    to.scopes.extra = vec![Scope::parse("accounts").expect("a scope")];
    to.pushed_requests.offered = true;
    to.response_modes.jwt = true;
    to.dpop.offered = true;
    to.mtls.self_signed_tls_client_auth = true;
    to.mtls.certificate_bound_access_tokens = true;
    to.profile = match variant.plan() {
        Plan::Advanced => Profile::Fapi1Advanced,
        Plan::Final | Plan::Draft => Profile::Fapi2Security,
    };
    if variant.plan() == Plan::Advanced {
        to.compatibility.hybrid = true;
        to.compatibility.pkce_optional = PkceOptional::Confidential;
    }
    if variant.plan() != Plan::Final {
        to.compatibility.assertion_audience = AssertionAudience::Endpoints;
    }
}

/// A provider with the two clients of a configuration.
pub(crate) struct Suite {
    pub(crate) kit: TestProvider,
    pub(crate) variant: Variant,
    /// With these the clients sign assertions and requests.
    pub(crate) keys: [ClientKey; 2],
    /// With these they sign proofs.
    pub(crate) proof_keys: [ClientKey; 2],
    pub(crate) certificates: [TestCertificate; 2],
    made: Cell<u64>,
}

/// What a client shows beside the parameters of a request.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    pub(crate) client_id: Option<String>,
    pub(crate) assertion: Option<String>,
    pub(crate) proof: Option<String>,
    /// Whose certificate the connection has.
    pub(crate) certificate: Option<usize>,
}

/// Where a request ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It was not pushed.
    NotPushed(Answer),
    /// A page says what is wrong.
    Page,
    /// The client got this.
    Client(BTreeMap<String, String>),
}

impl End {
    /// It was refused in one of the ways in which the suite accepts it, with one of these errors; a page
    /// tells a person.
    #[track_caller]
    pub(crate) fn expect_refused(&self, codes: &[&str]) {
        let error = match self {
            Self::Page => return,
            Self::NotPushed(answer) => {
                assert_eq!(answer.status, 400, "{}", answer.text());
                check_error(answer);
                answer.member("error")
            }
            Self::Client(response) => {
                assert!(!response.contains_key("code"), "{response:?}");
                response.get("error").map_or("", String::as_str)
            }
        };
        assert!(codes.contains(&error), "{error}: {self:?}");
    }

    /// The client got a code; the whole response.
    #[track_caller]
    pub(crate) fn expect_code(&self) -> &BTreeMap<String, String> {
        let response = match self {
            Self::Client(response) => response.get("code").map(|_| response),
            _ => None,
        };
        assert!(response.is_some(), "no code: {self:?}");
        response.expect("a code")
    }
}

/// An error of an endpoint that clients call, as every module looks at it.
#[track_caller]
pub(crate) fn check_error(answer: &Answer) {
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    let description = answer["error_description"].as_str().unwrap_or("");
    let is_good = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(description.bytes().all(is_good), "{description}");
}

/// A refusal with one of these errors; only a client that is not authenticated gets 401.
#[track_caller]
pub(crate) fn refused(answer: &Answer, codes: &[&str]) {
    check_error(answer);
    let error = answer.member("error");
    assert!(codes.contains(&error), "{error}: {}", answer.text());
    let is_401 = answer.status == 401 && error == "invalid_client";
    assert!(is_401 || answer.status == 400, "{}: {}", answer.status, answer.text());
}

pub(crate) const CLIENTS: [&str; 2] = ["suite", "suite2"];

/// Where responses arrive.
pub(crate) const CALLBACK: &str = "https://suite.example/test/a/conf/callback";

impl Suite {
    pub(crate) fn new(variant: Variant) -> Self {
        let keys = [(); 2].map(|()| ClientKey::generate(Es256));
        let proof_keys = [(); 2].map(|()| ClientKey::generate(Es256));
        let kit = TestProvider::builder().without_clients().configure(|to| {
            configure(variant, to);
        });
        let kit = if variant.has_details() { kit.detail_type(AccountInformation) } else { kit };
        let certificates = CLIENTS.map(TestCertificate::self_signed);
        let suite = Self { kit: kit.build(), variant, keys, proof_keys, certificates, made: Cell::new(0) };
        for n in [0, 1] {
            suite.kit.put_client(&suite.metadata(n).to_string());
        }
        suite
    }

    /// The registration of a client, as `keygen.py` writes it.
    fn metadata(&self, n: usize) -> Value {
        let (variant, is_hybrid) = (self.variant, self.is_hybrid());
        let mut metadata = json!({
            "client_id": CLIENTS[n],
            "token_endpoint_auth_method":
                if variant.has_assertions() { "private_key_jwt" } else { "self_signed_tls_client_auth" },
            "jwks": self.keys[n].jwks(),
            "redirect_uris": [CALLBACK, format!("{CALLBACK}?dummy1=lorem&dummy2=ipsum")],
            "response_types": [if is_hybrid { "code id_token" } else { "code" }],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": format!("{} offline_access", variant.scope()),
            "id_token_signed_response_alg": "ES256",
            "require_pushed_authorization_requests": variant.is_pushed(),
            "dpop_bound_access_tokens": variant.has_proofs(),
            "tls_client_certificate_bound_access_tokens": !variant.has_proofs(),
            "chancery": {"refresh_tokens": "always", "profile": self.profile()},
        });
        if variant.has_details() {
            metadata["authorization_details_types"] = json!(["account_information"]);
        }
        if variant.acts_for_itself() {
            metadata["grant_types"] = json!(["client_credentials"]);
            metadata["response_types"] = json!([]);
            metadata["scope"] = variant.scope().into();
            metadata["chancery"] = json!({});
        }
        if is_hybrid {
            metadata["grant_types"] = json!(["authorization_code", "refresh_token", "implicit"]);
        }
        if variant.is_signed() {
            metadata["request_object_signing_alg"] = "ES256".into();
            metadata["require_signed_request_object"] = true.into();
        }
        if variant.has_jarm() {
            metadata["authorization_signed_response_alg"] = "ES256".into();
        }
        if !variant.has_assertions() {
            let keys = metadata["jwks"]["keys"].as_array_mut().expect("keys");
            keys.extend(self.certificates[n].jwks()["keys"].as_array().cloned().into_iter().flatten());
        }
        metadata
    }

    /// What the client is held to, beyond what the server demands: signed responses.
    fn profile(&self) -> Profile {
        match self.variant.plan() {
            Plan::Final if self.variant.has_jarm() => Profile::Fapi2MessageSigning,
            // The drafts permit assertions for endpoints.
            _ => Profile::Baseline,
        }
    }

    /// Is an ID token beside the code?
    pub(crate) fn is_hybrid(&self) -> bool {
        self.variant.plan() == Plan::Advanced && !self.variant.has_jarm()
    }

    /// A name that was not used before.
    pub(crate) fn unique(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("a-name-of-the-suite-{}", self.made.get())
    }

    pub(crate) fn issuer(&self) -> &str {
        self.kit.issuer().as_str()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// A request of the first or the second client. The second one has a redirect URI with a query, a `state` of
    /// 128 characters, a longer `nonce`, and says to which key the code is to be bound.
    pub(crate) fn request(&self, n: usize) -> AuthorizationRequest {
        let variant = self.variant;
        let mut request = self.kit.authorization_request(CLIENTS[n]).scope(variant.scope());
        request = request.set("state", &["YxC4e0nXzB".to_owned(), "s".repeat(128)][n]);
        if n == 1 {
            request = request.set("redirect_uri", &format!("{CALLBACK}?dummy1=lorem&dummy2=ipsum"));
        }
        if variant.has_details() {
            request = request.set("authorization_details", &details().to_string());
        }
        if variant.is_openid() {
            request = request.set("nonce", ["kQfW9sTq1m", "kQfW9sTq1m-kQfW9sTq1m-kQfW9sTq1m-kQfW9sTq1m"][n]);
        }
        if n == 1 && variant.has_proofs() {
            request = request.set("dpop_jkt", &thumbprint(&self.proof_keys[1]));
        }
        if self.is_hybrid() {
            request = request.set("response_type", "code id_token");
        }
        if variant.has_jarm() {
            request = request.set("response_mode", "jwt");
        }
        if variant.is_pushed() { request } else { request.without_pkce() }
    }

    /// The claims of an assertion.
    pub(crate) fn assertion_claims(&self, n: usize) -> Value {
        let now = self.kit.now().secs();
        json!({"iss": CLIENTS[n], "sub": CLIENTS[n], "aud": self.issuer(), "jti": self.unique(), "iat": now,
            "exp": now + 60})
    }

    /// An assertion with these claims.
    pub(crate) fn assertion(&self, n: usize, claims: &Value) -> String {
        self.keys[n].sign(&json!({"kid": self.keys[n].kid()}), claims)
    }

    /// The claims of a proof for a request, at a resource with this token.
    pub(crate) fn proof_claims(&self, method: &Method, path: &str, token: Option<&str>) -> Value {
        let mut claims = json!({"jti": self.unique(), "htm": method.as_str(), "htu": self.url(path),
            "iat": self.kit.now().secs()});
        if let Some(token) = token {
            claims["ath"] = base64url::encode(sha256(token.as_bytes())).into();
        }
        claims
    }

    /// A proof with these claims.
    pub(crate) fn proof(&self, n: usize, claims: &Value) -> String {
        let key = &self.proof_keys[n];
        key.sign(&json!({"typ": "dpop+jwt", "jwk": key.public()}), claims)
    }

    /// How a client authenticates at an endpoint.
    pub(crate) fn authenticated(&self, n: usize) -> Shown {
        match self.variant.has_assertions() {
            true => {
                Shown { assertion: Some(self.assertion(n, &self.assertion_claims(n))), ..Shown::default() }
            }
            false => {
                Shown { client_id: Some(CLIENTS[n].to_owned()), certificate: Some(n), ..Shown::default() }
            }
        }
    }

    /// The same where `client_id` is a parameter of the request anyway.
    pub(crate) fn authenticated_beside_client_id(&self, n: usize) -> Shown {
        Shown { client_id: None, ..self.authenticated(n) }
    }

    /// The client whose certificate a connection has.
    pub(crate) fn certified(&self, n: usize) -> Option<usize> {
        self.variant.has_certificates().then_some(n)
    }

    /// What a client shows at the token endpoint: how it authenticates, and what its token will be bound to.
    pub(crate) fn shown(&self, n: usize) -> Shown {
        let proof = self.proof(n, &self.proof_claims(&Method::POST, "/token", None));
        Shown {
            proof: self.variant.has_proofs().then_some(proof),
            certificate: self.certified(n),
            ..self.authenticated(n)
        }
    }

    /// Posts a form.
    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)], shown: &Shown) -> Answer {
        let mut request = self.kit.anonymous_request(path);
        if let Some(assertion) = &shown.assertion {
            request = request.assertion(assertion);
        }
        if let Some(client_id) = &shown.client_id {
            request = request.param("client_id", client_id);
        }
        if let Some(proof) = &shown.proof {
            request = request.header("dpop", proof);
        }
        if let Some(n) = shown.certificate {
            request = request.certificate(&self.certificates[n]);
        }
        form.iter().fold(request, |request, (name, value)| request.param(name, value)).send()
    }

    /// Redeems the code of a response.
    pub(crate) fn redeem(
        &self,
        request: &AuthorizationRequest,
        response: &BTreeMap<String, String>,
        shown: &Shown,
    ) -> Answer {
        let mut form = vec![("grant_type", "authorization_code"), ("code", response["code"].as_str())];
        form.extend(request.value("redirect_uri").map(|uri| ("redirect_uri", uri)));
        form.extend(request.verifier().map(|verifier| ("code_verifier", verifier)));
        self.post("/token", &form, shown)
    }

    /// UserInfo, with whatever binds the token.
    pub(crate) fn resource(&self, n: usize, token: &str) -> Answer {
        self.resource_spelled(n, token, str::to_owned, &[])
    }

    /// The same with the scheme spelled like this, and more header fields.
    pub(crate) fn resource_spelled(
        &self,
        n: usize,
        token: &str,
        spell: fn(&str) -> String,
        more: &[(&str, &str)],
    ) -> Answer {
        let claims = self.proof_claims(&Method::GET, "/userinfo", Some(token));
        let (scheme, proofs) = match self.variant.has_proofs() {
            true => ("DPoP", vec![self.proof(n, &claims)]),
            false => ("Bearer", vec![]),
        };
        let proofs: Vec<(&str, &str)> = proofs.iter().map(|proof| ("dpop", proof.as_str())).collect();
        let certificate = self.certified(n);
        self.resource_with(&format!("{} {token}", spell(scheme)), &[&proofs, more].concat(), certificate)
    }

    /// UserInfo, with these header fields and this certificate.
    pub(crate) fn resource_with(
        &self,
        authorization: &str,
        headers: &[(&str, &str)],
        certificate: Option<usize>,
    ) -> Answer {
        let mut request =
            self.kit.anonymous_request("/userinfo").get().header("authorization", authorization);
        if let Some(n) = certificate {
            request = request.certificate(&self.certificates[n]);
        }
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    }

    /// A login with this request and all that the suite checks in every module: response, tokens, resource.
    #[track_caller]
    pub(crate) fn outcome(&self, n: usize, request: &AuthorizationRequest) -> Answer {
        let end = Sent::new(self, n, request).end();
        let response = end.expect_code();
        check_entropy(&response["code"]);
        let tokens = self.redeem(request, response, &self.shown(n)).expect_status(200);
        self.check_tokens(n, request, &tokens);
        if let Some(id_token) = response.get("id_token") {
            let id_token = self.kit.try_verify(id_token, CLIENTS[n]).expect("an ID token");
            let half = |text: &str| Es256.hash().left_half(text);
            let state = request.value("state").map(half);
            assert_eq!(id_token.claims["s_hash"].as_str(), state.as_deref());
            assert_eq!(id_token.claims["c_hash"], half(&response["code"]));
            assert_eq!(id_token.claims["nonce"].as_str(), request.value("nonce"));
        }
        tokens
    }

    /// A resource that is not here learns what the token is bound to.
    #[track_caller]
    pub(crate) fn check_binding(&self, n: usize, access_token: &str) {
        let introspected = self.post("/introspect", &[("token", access_token)], &self.authenticated(n));
        let bound_to = match self.variant.has_proofs() {
            true => json!({"jkt": thumbprint(&self.proof_keys[n])}),
            false => json!({"x5t#S256": self.certificates[n].thumbprint()}),
        };
        assert_eq!((&introspected["active"], &introspected["cnf"]), (&true.into(), &bound_to));
    }

    fn check_tokens(&self, n: usize, request: &AuthorizationRequest, tokens: &Answer) {
        assert_eq!(tokens.header("cache-control"), Some("no-store"));
        assert_eq!(tokens["token_type"], if self.variant.has_proofs() { "DPoP" } else { "Bearer" });
        let details = if self.variant.has_details() { details() } else { Value::Null };
        assert_eq!(tokens["authorization_details"], details);
        let access_token = tokens.member("access_token");
        check_entropy(access_token);
        self.check_binding(n, access_token);
        if !self.variant.is_openid() {
            assert_eq!(tokens["id_token"], Value::Null);
            return;
        }
        let id_token = self.kit.id_token(tokens, CLIENTS[n]);
        assert_eq!(id_token.header.alg, Es256);
        assert_eq!(id_token.claims["nonce"].as_str(), request.value("nonce"));
        let userinfo = self.resource(n, access_token).expect_status(200);
        assert_eq!(userinfo["sub"], id_token.claims["sub"]);
        assert_eq!(self.resource(1 - n, access_token).status, 401);
    }
}
