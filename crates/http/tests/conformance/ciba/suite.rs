//! What the suite does and looks at in every module of the FAPI-CIBA plan.

use std::cell::Cell;

use chancery_core::client::RegistrationPolicy;
use chancery_core::config::Config;
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::offered::AssertionAudience;
use chancery_core::profile::Profile;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{Answer, ClientKey, Fetched, TestCertificate, TestProvider, seconds};
use chancery_types::iana::{BackchannelTokenDeliveryMode, GrantType};
use serde_json::{Value, json};

use crate::fapi::suite::{check_error, refused};
use crate::suite::check_entropy;

/// A configuration of `e2e/conformance`, by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant(&'static str);

const VARIANTS: [&str; 8] = [
    "ciba.pkjwt-poll-static",
    "ciba.pkjwt-poll-dynamic",
    "ciba.pkjwt-ping-static",
    "ciba.pkjwt-ping-dynamic",
    "ciba.mtls-poll-static",
    "ciba.mtls-poll-dynamic",
    "ciba.mtls-ping-static",
    "ciba.mtls-ping-dynamic",
];

impl Variant {
    /// Do clients authenticate with assertions, or else with certificates?
    pub(crate) fn has_assertions(self) -> bool {
        self.0.contains(".pkjwt-")
    }

    /// Are clients told that there is a decision, or else only asked again?
    pub(crate) fn has_pings(self) -> bool {
        self.0.contains("-ping-")
    }

    fn mode(self) -> &'static str {
        if self.has_pings() { "ping" } else { "poll" }
    }

    /// Do clients register themselves?
    fn is_dynamic(self) -> bool {
        self.0.ends_with("-dynamic")
    }
}

/// Runs a module once for each variant, each time against a new provider.
pub(crate) fn in_each(module: impl Fn(&Suite)) {
    in_variants(|_| true, module);
}

/// Runs a module once for each variant in which the plan has it.
pub(crate) fn in_variants(has_module: impl Fn(Variant) -> bool, module: impl Fn(&Suite)) {
    let variants: Vec<_> = VARIANTS.map(Variant).into_iter().filter(|variant| has_module(*variant)).collect();
    assert!(!variants.is_empty(), "no variant has it");
    for variant in variants {
        println!("{variant:?}"); // shown when the test fails
        module(&Suite::new(variant));
    }
}

/// The provider, as `serve.py` configures it.
fn configure(to: &mut Config) {
    to.profile = Profile::Fapi1Advanced;
    to.response_modes.jwt = true;
    to.compatibility.assertion_audience = AssertionAudience::Endpoints;
    to.mtls.self_signed_tls_client_auth = true;
    to.mtls.certificate_bound_access_tokens = true;
    to.registration.access = RegistrationAccess::Open;
    to.registration.management = true;
    let grant_types = vec![GrantType::Ciba, GrantType::RefreshToken];
    to.registration_policy = vec![RegistrationPolicy { grant_types, ..RegistrationPolicy::default() }];
    to.ciba.offered = true;
    to.ciba.delivery_modes = vec![BackchannelTokenDeliveryMode::Poll, BackchannelTokenDeliveryMode::Ping];
}

pub(crate) const GRANT: &str = "urn:openid:params:grant-type:ciba";

/// Where pings arrive.
pub(crate) const PINGED: &str = "https://suite.example/test/a/conf/ciba-notification-endpoint";

/// What both clients ask for.
pub(crate) const SCOPE: &str = "openid profile email address phone offline_access";

/// The tokens that come with pings: of the usual length, and a long one (CIBA Core section 7.1). They have every
/// kind of character of RFC 6750 section 2.1.
fn notification_token(n: usize) -> String {
    format!("{}=", ["aB3-._~+/".repeat(3), "aB3-._~+/xYz09".repeat(73)][n])
}

/// A provider with the two clients of a configuration, and a person who uses a browser now and then.
pub(crate) struct Suite {
    pub(crate) kit: TestProvider,
    pub(crate) variant: Variant,
    /// With these the clients sign assertions and requests.
    pub(crate) keys: [ClientKey; 2],
    pub(crate) certificates: [TestCertificate; 2],
    pub(crate) ids: [String; 2],
    endpoint: String,
    made: Cell<u64>,
}

/// What a client shows beside the parameters of a request.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    pub(crate) client_id: Option<String>,
    pub(crate) assertion: Option<String>,
    /// Whose certificate the connection has.
    pub(crate) certificate: Option<usize>,
}

impl Suite {
    pub(crate) fn new(variant: Variant) -> Self {
        let kit = TestProvider::builder().without_clients().configure(configure).build();
        kit.fetch.answers(PINGED, 204, "");
        let names = ["suite", "suite2"];
        let metadata = kit.get("/.well-known/openid-configuration");
        let endpoint = metadata.member("backchannel_authentication_endpoint");
        let endpoint = endpoint.strip_prefix(kit.issuer().as_str()).expect("a URL of the issuer").to_owned();
        let mut suite = Self {
            kit,
            variant,
            keys: [(); 2].map(|()| ClientKey::generate(Es256)),
            certificates: names.map(TestCertificate::self_signed),
            ids: names.map(str::to_owned),
            endpoint,
            made: Cell::new(0),
        };
        for n in [0, 1] {
            suite.add_client(n);
        }
        suite
    }

    /// As `keygen.py` writes it, or as the suite registers it.
    fn add_client(&mut self, n: usize) {
        let variant = self.variant;
        let mut metadata = json!({
            "client_name": self.ids[n],
            "grant_types": [GRANT, "refresh_token"],
            "response_types": [],
            "jwks": self.keys[n].jwks(),
            "backchannel_token_delivery_mode": variant.mode(),
            "backchannel_authentication_request_signing_alg": "ES256",
            "backchannel_user_code_parameter": false,
            "id_token_signed_response_alg": "ES256",
            "tls_client_certificate_bound_access_tokens": true,
        });
        if variant.has_pings() {
            metadata["backchannel_client_notification_endpoint"] = PINGED.into();
        }
        if variant.has_assertions() {
            metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
            metadata["token_endpoint_auth_signing_alg"] = "ES256".into();
        } else {
            metadata["token_endpoint_auth_method"] = "self_signed_tls_client_auth".into();
            let keys = metadata["jwks"]["keys"].as_array_mut().expect("keys");
            keys.extend(self.certificates[n].jwks()["keys"].as_array().cloned().into_iter().flatten());
        }
        if variant.is_dynamic() {
            self.ids[n] = self.kit.register(&metadata).expect_status(201).member("client_id").to_owned();
        } else {
            metadata["client_id"] = self.ids[n].clone().into();
            metadata["redirect_uris"] = json!([]);
            metadata["scope"] = SCOPE.into();
            self.kit.put_client(&metadata.to_string());
        }
    }

    /// A name that was not used before.
    pub(crate) fn unique(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("a-name-of-the-suite-{}", self.made.get())
    }

    pub(crate) fn issuer(&self) -> &str {
        self.kit.issuer().as_str()
    }

    /// The address of the backchannel authentication endpoint.
    pub(crate) fn endpoint_url(&self) -> String {
        format!("{}{}", self.issuer(), self.endpoint)
    }

    /// A request of the first or the second client, as claims of its request object. The second one says more:
    /// a class of authentication, a lifetime; and its notification token is long.
    pub(crate) fn request(&self, n: usize) -> Value {
        let now = self.kit.now().secs();
        let mut claims = json!({
            "scope": SCOPE, "login_hint": "alice", "binding_message": "1234",
            "iss": self.ids[n], "aud": self.issuer(), "jti": self.unique(),
            "iat": now, "nbf": now, "exp": now + 300,
        });
        if self.variant.has_pings() {
            claims["client_notification_token"] = notification_token(n).into();
        }
        if n == 1 {
            claims["acr_values"] = self.acr().into();
            claims["requested_expiry"] = 300.into();
        }
        claims
    }

    /// A class of authentication that the metadata names.
    pub(crate) fn acr(&self) -> String {
        let metadata = self.kit.get("/.well-known/openid-configuration");
        metadata["acr_values_supported"][0].as_str().expect("a class").to_owned()
    }

    /// The request object. One of the two clients says what it is, in letters of its own (RFC 9101 section 4).
    pub(crate) fn signed(&self, n: usize, claims: &Value) -> String {
        let key = &self.keys[n];
        let header = [json!({"kid": key.kid()}), json!({"kid": key.kid(), "typ": "OautH-auThZ-REQ+jWt"})];
        key.sign(&header[n], claims)
    }

    /// The claims of an assertion.
    pub(crate) fn assertion_claims(&self, n: usize, audience: &str) -> Value {
        let now = self.kit.now().secs();
        json!({"iss": self.ids[n], "sub": self.ids[n], "aud": audience, "jti": self.unique(), "iat": now,
            "exp": now + 60})
    }

    /// An assertion with these claims.
    pub(crate) fn assertion(&self, n: usize, claims: &Value) -> String {
        self.keys[n].sign(&json!({"kid": self.keys[n].kid()}), claims)
    }

    /// How a client authenticates where this is the audience of assertions.
    pub(crate) fn authenticated(&self, n: usize, audience: &str) -> Shown {
        match self.variant.has_assertions() {
            true => Shown {
                assertion: Some(self.assertion(n, &self.assertion_claims(n, audience))),
                ..Shown::default()
            },
            false => Shown { client_id: Some(self.ids[n].clone()), certificate: Some(n), ..Shown::default() },
        }
    }

    /// What a client shows at the token endpoint: there it always has its certificate, to which the token will be
    /// bound.
    pub(crate) fn shown(&self, n: usize) -> Shown {
        let audience = format!("{}/token", self.issuer());
        Shown { certificate: Some(n), ..self.authenticated(n, &audience) }
    }

    fn post(&self, path: &str, form: &[(&str, &str)], shown: &Shown) -> Answer {
        let mut request = self.kit.anonymous_request(path);
        if let Some(assertion) = &shown.assertion {
            request = request.assertion(assertion);
        }
        if let Some(client_id) = &shown.client_id {
            request = request.param("client_id", client_id);
        }
        if let Some(n) = shown.certificate {
            request = request.certificate(&self.certificates[n]);
        }
        form.iter().fold(request, |request, (name, value)| request.param(name, value)).send()
    }

    /// A form at the backchannel authentication endpoint.
    pub(crate) fn ask_with(&self, form: &[(&str, &str)], shown: &Shown) -> Answer {
        self.post(&self.endpoint, form, shown)
    }

    /// This request object there, from this client.
    pub(crate) fn ask_by(&self, n: usize, object: &str) -> Answer {
        self.ask_with(&[("request", object)], &self.authenticated(n, &self.endpoint_url()))
    }

    /// These claims there, signed.
    pub(crate) fn ask(&self, n: usize, claims: &Value) -> Answer {
        self.ask_by(n, &self.signed(n, claims))
    }

    /// The same, and it was accepted (CIBA Core section 7.3); the `auth_req_id`.
    #[track_caller]
    pub(crate) fn accepted(&self, n: usize, claims: &Value) -> String {
        self.check_accepted(&self.ask(n, claims))
    }

    /// What the suite looks at in every such answer.
    #[track_caller]
    pub(crate) fn check_accepted(&self, answer: &Answer) -> String {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let auth_req_id = answer.member("auth_req_id");
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        assert!(auth_req_id.bytes().all(is_good), "{auth_req_id}");
        check_entropy(auth_req_id);
        assert!(answer["expires_in"].as_u64().is_some_and(|seconds| seconds > 0));
        assert!(answer["interval"].is_null() || answer["interval"].is_u64());
        assert_eq!(answer["error"], Value::Null);
        auth_req_id.to_owned()
    }

    /// Asks the token endpoint for the outcome.
    pub(crate) fn poll(&self, n: usize, auth_req_id: &str) -> Answer {
        self.poll_with(auth_req_id, &self.shown(n))
    }

    pub(crate) fn poll_with(&self, auth_req_id: &str, shown: &Shown) -> Answer {
        self.token(&[("grant_type", GRANT), ("auth_req_id", auth_req_id)], shown)
    }

    /// A form at the token endpoint.
    pub(crate) fn token(&self, form: &[(&str, &str)], shown: &Shown) -> Answer {
        self.post("/token", form, shown)
    }

    /// It is refused like this, with 400.
    #[track_caller]
    pub(crate) fn says(answer: &Answer, codes: &[&str]) {
        check_error(answer);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(codes.contains(&answer.member("error")), "{}", answer.text());
    }

    /// There is no decision yet; asked twice, as every module does.
    #[track_caller]
    pub(crate) fn still_pending(&self, n: usize, auth_req_id: &str) {
        for _ in [(); 2] {
            Self::says(&self.poll(n, auth_req_id), &["authorization_pending", "slow_down"]);
            self.kit.clock.advance(seconds(10));
        }
    }

    /// The person signs in at `/approvals` and presses this button for each request that waits; how many there
    /// were.
    pub(crate) fn decide(&self, action: &str) -> usize {
        let ua = self.kit.user_agent();
        let tab = ua.get("/approvals");
        let tab = if tab.page().name == "login" { tab.login("alice") } else { tab };
        let below = format!("{}/", self.kit.path("/approvals"));
        let links = tab.page().links;
        let pages = links.iter().filter(|link| link.contains(&below)).map(|link| tab.follow(link));
        let mut decided = 0;
        for page in [tab.clone()].into_iter().chain(pages) {
            for form in page.page().forms {
                let has_button = form.buttons.iter().any(|b| b.name == "action" && b.value == action);
                if has_button {
                    let mut fields = form.fields.clone();
                    fields.push(("action".to_owned(), action.to_owned()));
                    let _ = page.post(&form.action, &fields);
                    decided += 1;
                }
            }
        }
        decided
    }

    /// What arrived where pings arrive, after everything that is due was sent.
    pub(crate) fn pings(&self) -> Vec<Fetched> {
        self.kit.run_once();
        self.kit.fetch.asked().into_iter().filter(|sent| sent.url == PINGED).collect()
    }

    /// After a decision: a client that wants to be told was told, once, and as CIBA Core section 10.2 says.
    #[track_caller]
    pub(crate) fn check_told(&self, n: usize, auth_req_id: &str) {
        let pings = self.pings();
        if !self.variant.has_pings() {
            assert_eq!(pings, []);
            return;
        }
        assert_eq!(pings.len(), 1, "{pings:?}");
        super::ping::check(&pings[0], auth_req_id, &notification_token(n));
    }

    /// A request with all that the suite checks in every module: pending, allowed, told, tokens, resource.
    #[track_caller]
    pub(crate) fn outcome(&self, n: usize, claims: &Value) -> Answer {
        let auth_req_id = self.accepted(n, claims);
        self.outcome_of(n, &auth_req_id)
    }

    /// The same of a request that was accepted.
    #[track_caller]
    pub(crate) fn outcome_of(&self, n: usize, auth_req_id: &str) -> Answer {
        self.still_pending(n, auth_req_id);
        assert_eq!(self.decide("allow"), 1);
        self.check_told(n, auth_req_id);
        let tokens = self.poll(n, auth_req_id).expect_status(200);
        self.check_tokens(n, auth_req_id, &tokens);
        tokens
    }

    #[track_caller]
    fn check_tokens(&self, n: usize, auth_req_id: &str, tokens: &Answer) {
        assert_eq!(tokens.header("cache-control"), Some("no-store"));
        assert_eq!(tokens["token_type"], "Bearer");
        assert!(tokens["expires_in"].as_u64().is_some_and(|seconds| seconds > 0));
        let access_token = tokens.member("access_token");
        check_entropy(access_token);
        check_entropy(tokens.member("refresh_token"));
        let id_token = self.kit.id_token(tokens, &self.ids[n]);
        assert_eq!((id_token.header.alg, id_token.header.kid.is_some()), (Es256, true));
        let half = |text: &str| Value::from(Es256.hash().left_half(text));
        let claims = &id_token.claims;
        for (name, right) in [
            ("at_hash", half(access_token)),
            ("urn:openid:params:jwt:claim:rt_hash", half(tokens.member("refresh_token"))),
            ("urn:openid:params:jwt:claim:auth_req_id", auth_req_id.into()),
            ("c_hash", Value::Null),
            ("s_hash", Value::Null),
        ] {
            assert!(claims[name].is_null() || claims[name] == right, "{name}: {claims}");
        }
        let userinfo = self.resource(n, access_token).expect_status(200);
        assert_eq!((&userinfo["sub"], &claims["sub"]), (&"alice".into(), &"alice".into()));
        assert_eq!(self.resource(1 - n, access_token).status, 401);
    }

    /// UserInfo, over a connection with this client's certificate.
    pub(crate) fn resource(&self, n: usize, token: &str) -> Answer {
        let request = self.kit.anonymous_request("/userinfo").get();
        request.header("authorization", &format!("Bearer {token}")).certificate(&self.certificates[n]).send()
    }
}

/// It is refused with 400 and `invalid_request`, as the suite wants it of every bad request (CIBA Core section 13).
#[track_caller]
pub(crate) fn invalid_request(answer: &Answer) {
    Suite::says(answer, &["invalid_request"]);
}

/// The client is not authenticated, in one of the ways that the suite takes.
#[track_caller]
pub(crate) fn not_authenticated(answer: &Answer) {
    refused(answer, &["invalid_client", "invalid_request"]);
}
