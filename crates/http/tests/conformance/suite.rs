//! What the suite does and looks at in every module.

use std::collections::BTreeSet;

use chancery_jose::SigningAlgorithm;
use chancery_testkit::{Answer, Arrival, AuthorizationRequest, Tab, TestProvider, UserAgent, VerifiedJwt};
use serde_json::{Value, json};

/// How the answers of a plan come back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    /// `response_mode`, which the plan sends if it is not the default.
    pub(crate) response_mode: Option<&'static str>,
}

/// The Basic plan and its variant with `form_post`.
const FLOWS: [Flow; 2] = [Flow { response_mode: None }, Flow { response_mode: Some("form_post") }];

/// Runs a module once for each flow, each time against a new provider.
pub(crate) fn in_each_flow(module: impl Fn(&Suite)) {
    for flow in FLOWS {
        println!("{flow:?}"); // shown when the test fails
        module(&Suite::new(flow));
    }
}

/// A provider, and the flow of the plan that runs against it.
pub(crate) struct Suite {
    pub(crate) kit: TestProvider,
    pub(crate) flow: Flow,
}

/// A login of `alice` with all that the suite checks in every module.
pub(crate) struct Outcome {
    pub(crate) tokens: Answer,
    pub(crate) id_token: VerifiedJwt,
    pub(crate) userinfo: Answer,
}

impl Outcome {
    pub(crate) fn auth_time(&self) -> Option<i64> {
        self.id_token.claims["auth_time"].as_i64()
    }
}

impl Suite {
    /// The clients that the suite is configured with: two, and one that authenticates in the body. None of
    /// them uses PKCE unless a module is about it.
    fn new(flow: Flow) -> Self {
        let suite = TestProvider::builder()
            .client(&client("suite", json!({})))
            .client(&client("suite2", json!({})))
            .client(&client("suite-post", json!({"token_endpoint_auth_method": "client_secret_post"})));
        Self { kit: suite.build(), flow }
    }

    /// In the flow of the Basic plan.
    pub(crate) fn basic() -> Self {
        Self::new(FLOWS[0])
    }

    /// In the flow of the Basic plan, with one more client.
    pub(crate) fn with_client(id: &str, more: Value) -> Self {
        let suite = Self::basic();
        suite.kit.put_client(&client(id, more));
        suite
    }

    /// A request of the suite: a state of 10 characters and a nonce, as random as its own.
    pub(crate) fn request(&self) -> AuthorizationRequest {
        self.of("suite")
    }

    pub(crate) fn of(&self, client: &str) -> AuthorizationRequest {
        let request = self.kit.authorization_request(client).scope("openid").set("state", "YxC4e0nXzB");
        let request = request.set("nonce", "kQfW9sTq1m");
        match self.flow.response_mode {
            Some(mode) => request.set("response_mode", mode),
            None => request,
        }
    }

    /// A login with this request, in a new tab.
    pub(crate) fn outcome(&self, ua: &UserAgent<'_>, request: &AuthorizationRequest) -> Outcome {
        self.answered(request, &through(request.open(ua)))
    }

    /// All that the suite checks of an answer.
    pub(crate) fn answered(&self, request: &AuthorizationRequest, arrival: &Arrival) -> Outcome {
        assert_eq!(
            (arrival.mode, arrival.uri.as_str()),
            (self.flow.response_mode.unwrap_or("query"), request.value("redirect_uri").unwrap_or_default())
        );
        assert_eq!(arrival.names(), ["code", "state", "iss"]);
        assert_eq!(arrival.value("state"), request.value("state"));
        check_entropy(arrival.value("code").unwrap_or_default());

        let tokens = self.exchange(request, arrival).expect_status(200);
        assert_eq!(
            tokens.header("content-type").map(|kind| kind.starts_with("application/json")),
            Some(true)
        );
        assert_eq!(tokens.header("cache-control"), Some("no-store"));
        assert_eq!(tokens["token_type"], "Bearer");
        assert!(tokens["expires_in"].as_u64().is_some_and(|seconds| (1..=31_536_000).contains(&seconds)));
        check_entropy(tokens.member("access_token"));

        let client = request.value("client_id").unwrap_or_default();
        let id_token = self.kit.id_token(&tokens, client);
        assert_eq!(id_token.header.alg, SigningAlgorithm::Rs256);
        assert!(id_token.header.kid.is_some());
        let claims = &id_token.claims;
        assert_eq!(claims["nonce"].as_str(), request.value("nonce"));
        let now = self.kit.now().secs();
        assert!(claims["iat"].as_i64().is_some_and(|iat| (now - 300..=now).contains(&iat)));
        assert!(claims["auth_time"].as_i64().is_some_and(|time| time <= now));
        assert!(claims["acr"].as_str().is_some_and(|acr| !acr.is_empty()));
        // No claim of a scope in the ID token, and none that nobody knows.
        let known = ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "acr", "amr", "at_hash", "sid"];
        for name in &id_token.names {
            assert!(known.contains(&name.as_str()), "{name}");
        }

        let userinfo = self.kit.userinfo(tokens.member("access_token")).expect_status(200);
        if userinfo.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
            assert_eq!(userinfo["sub"], claims["sub"]);
            check_claims(&userinfo);
        }
        Outcome { tokens, id_token, userinfo }
    }

    /// Redeems the code of an answer.
    pub(crate) fn exchange(&self, request: &AuthorizationRequest, arrival: &Arrival) -> Answer {
        let client = request.value("client_id").unwrap_or_default();
        let code = arrival.value("code").unwrap_or_default();
        let mut exchange =
            self.kit.token_request(client).param("grant_type", "authorization_code").param("code", code);
        exchange = exchange.param("redirect_uri", request.value("redirect_uri").unwrap_or_default());
        if let Some(verifier) = request.verifier() {
            exchange = exchange.param("code_verifier", verifier);
        }
        exchange.send()
    }

    /// An error that reached the client in the mode of the flow: `state` as it was, no code, no other
    /// parameter, a text of the allowed characters.
    pub(crate) fn check_error(&self, tab: &Tab<'_, '_>, codes: &[&str]) {
        let arrival = tab.expect_arrival();
        assert_eq!(arrival.mode, self.flow.response_mode.unwrap_or("query"));
        let error = arrival.value("error").unwrap_or_default();
        assert!(codes.contains(&error), "{error}");
        let _ = tab.expect_error(error);
        for name in arrival.names() {
            assert!(["error", "error_description", "state", "iss"].contains(&name), "{name}");
        }
        let description = arrival.value("error_description").unwrap_or("");
        assert!(
            description.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
            "{description}"
        );
    }

    /// A request with one more parameter, which only has to succeed.
    pub(crate) fn succeeds_with(&self, name: &str, value: &str) -> Outcome {
        self.outcome(&self.kit.user_agent(), &self.request().set(name, value))
    }
}

/// RFC 7591 metadata of a client of the suite, with more members or other values.
fn client(id: &str, more: Value) -> String {
    let mut metadata = json!({
        "client_id": id,
        "client_secret": "a-secret-of-forty-three-characters-for-test",
        "redirect_uris": [format!("https://suite.example/test/a/{id}/callback"), "https://suite.example/other"],
        "grant_types": ["authorization_code", "refresh_token"],
        "chancery": {"pkce_optional": true},
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        metadata[name] = value.clone();
    }
    metadata.to_string()
}

/// Goes through whatever pages come, as the suite's browser does.
pub(crate) fn through(tab: Tab<'_, '_>) -> Arrival {
    let mut tab = tab;
    for _ in 0..4 {
        tab = match tab.page().name.as_str() {
            "login" => tab.login("alice"),
            "consent" => tab.allow(),
            _ => break,
        };
    }
    let _ = tab.expect_code();
    tab.expect_arrival()
}

/// What the suite checks of every code, access token and refresh token: 128 bits long, more than 96 bits of
/// entropy by the frequencies of its characters, and only VSCHAR.
pub(crate) fn check_entropy(text: &str) {
    let length = f64::from(u32::try_from(text.len()).expect("a short text"));
    let shares = text.chars().collect::<BTreeSet<char>>().into_iter().map(|c| {
        f64::from(u32::try_from(text.chars().filter(|have| *have == c).count()).expect("a short text"))
            / length
    });
    let bits = -shares.map(|share| share * share.log2()).sum::<f64>() * length;
    assert!(text.len() >= 43 && bits > 96.0, "{text}: {bits} bits");
    assert!(text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
}

/// The JSON types of the standard claims (OIDC Core section 5.1); nothing null or empty.
fn check_claims(userinfo: &Answer) {
    for (name, value) in userinfo.json().as_object().expect("an object") {
        let is_good = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_i64(),
            "address" => value.as_object().is_some_and(|address| !address.is_empty()),
            _ => value.as_str().is_some_and(|text| !text.is_empty()),
        };
        assert!(is_good, "{name}: {value}");
    }
}
