//! What the suite does and looks at in every module.

use std::collections::BTreeSet;

use chancery_core::config::Config;
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{Answer, Arrival, AuthorizationRequest, Tab, TestProvider, UserAgent, VerifiedJwt};
use serde_json::{Value, json};

/// What a plan asks for, and how the answer comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) response_type: &'static str,
    /// `response_mode`, which the plan sends if it is not the default.
    pub(crate) response_mode: Option<&'static str>,
}

impl Flow {
    /// Is this among what the authorization endpoint returns: `code`, `id_token`, `token`?
    pub(crate) fn returns(&self, what: &str) -> bool {
        self.response_type.split(' ').any(|word| word == what)
    }

    /// How the answer is carried.
    fn mode(&self) -> &'static str {
        self.response_mode.unwrap_or(if self.response_type == "code" { "query" } else { "fragment" })
    }
}

/// The response types of the plans Basic, Implicit and Hybrid.
const RESPONSE_TYPES: [&str; 6] =
    ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

/// Runs a module once for each flow, each time against a new provider.
pub(crate) fn in_each_flow(module: impl Fn(&Suite)) {
    in_flows(|_| true, module);
}

/// The same with a configuration that is looser in one more place.
pub(crate) fn in_each_flow_with(change: impl Fn(&mut Config), module: impl Fn(&Suite)) {
    for flow in flows() {
        println!("{flow:?}"); // shown when the test fails
        module(&Suite::configured(flow, &change));
    }
}

/// Runs a module once for each flow in which a plan has it.
pub(crate) fn in_flows(has_module: impl Fn(Flow) -> bool, module: impl Fn(&Suite)) {
    let flows: Vec<_> = flows().filter(|flow| has_module(*flow)).collect();
    assert!(!flows.is_empty(), "no flow has it");
    for flow in flows {
        println!("{flow:?}"); // shown when the test fails
        module(&Suite::new(flow));
    }
}

fn flows() -> impl Iterator<Item = Flow> {
    let modes = [None, Some("form_post")];
    RESPONSE_TYPES
        .into_iter()
        .flat_map(move |response_type| modes.map(|response_mode| Flow { response_type, response_mode }))
}

/// A provider, and the flow of the plan that runs against it.
pub(crate) struct Suite {
    pub(crate) kit: TestProvider,
    pub(crate) flow: Flow,
}

/// A login of `alice` with all that the suite checks in every module.
pub(crate) struct Outcome {
    /// The last ID token.
    pub(crate) id_token: VerifiedJwt,
    pub(crate) id_token_text: String,
    /// The last access token, if the flow has one.
    pub(crate) access_token: Option<String>,
    /// What UserInfo says with it.
    pub(crate) userinfo: Option<Answer>,
    /// What the token endpoint answered, if the flow has a code.
    pub(crate) tokens: Option<Answer>,
}

impl Outcome {
    pub(crate) fn auth_time(&self) -> Option<i64> {
        self.id_token.claims["auth_time"].as_i64()
    }

    /// The answer of the token endpoint of a flow with a code.
    #[track_caller]
    pub(crate) fn tokens(&self) -> &Answer {
        self.tokens.as_ref().expect("a flow with a code")
    }

    /// A claim about the person: at UserInfo, or in the ID token if nothing else is issued (OIDC Core section
    /// 5.4).
    pub(crate) fn claim(&self, name: &str) -> Value {
        let userinfo = self.userinfo.as_ref().map_or(&self.id_token.claims, Answer::json);
        userinfo[name].clone()
    }
}

impl Suite {
    /// The clients that the suite is configured with: two, and one that authenticates in the body. None of
    /// them uses PKCE unless a module is about it.
    fn new(flow: Flow) -> Self {
        Self::configured(flow, |_| {})
    }

    fn configured(flow: Flow, change: impl Fn(&mut Config)) -> Self {
        let post = json!({"token_endpoint_auth_method": "client_secret_post"});
        let kit = TestProvider::builder().configure(|to| {
            to.compatibility.implicit = true;
            to.compatibility.hybrid = true;
            change(to);
        });
        let clients = [("suite", json!({})), ("suite2", json!({})), ("suite-post", post)];
        let kit = clients.into_iter().fold(kit, |kit, (id, more)| kit.client(&client(flow, id, more)));
        Self { kit: kit.build(), flow }
    }

    /// In the flow of the Basic plan.
    pub(crate) fn basic() -> Self {
        Self::new(Flow { response_type: "code", response_mode: None })
    }

    /// In the flow of the Basic plan, with one more client.
    pub(crate) fn with_client(id: &str, more: Value) -> Self {
        let suite = Self::basic();
        suite.put_client(id, more);
        suite
    }

    /// One more client of this flow.
    pub(crate) fn put_client(&self, id: &str, more: Value) {
        self.kit.put_client(&client(self.flow, id, more));
    }

    /// A request of the suite: a state of 10 characters and a nonce, as random as its own.
    pub(crate) fn request(&self) -> AuthorizationRequest {
        self.of("suite")
    }

    pub(crate) fn of(&self, client: &str) -> AuthorizationRequest {
        let request = self.kit.authorization_request(client).scope("openid").set("state", "YxC4e0nXzB");
        let request = request.set("nonce", "kQfW9sTq1m").set("response_type", self.flow.response_type);
        let request = if self.flow.returns("code") { request } else { request.without_pkce() };
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
        let place = request.value("redirect_uri").unwrap_or_default();
        assert_eq!((arrival.mode, arrival.uri.as_str()), (self.flow.mode(), place));
        let code: &[&str] = if self.flow.returns("code") { &["code"] } else { &[] };
        let token: &[&str] = match self.flow.returns("token") {
            true => &["access_token", "token_type", "expires_in", "scope"],
            false => &[],
        };
        let id_token: &[&str] = if self.flow.returns("id_token") { &["id_token"] } else { &[] };
        assert_eq!(arrival.names(), [code, token, id_token, &["state", "iss"]].concat());
        assert_eq!(arrival.value("state"), request.value("state"));

        let front = arrival.value("id_token").map(|jwt| (self.id_token(request, jwt), jwt.to_owned()));
        if let Some((jwt, _)) = &front {
            assert_eq!(jwt.claims["c_hash"].as_str(), arrival.value("code").map(half).as_deref());
            assert_eq!(jwt.claims["at_hash"].as_str(), arrival.value("access_token").map(half).as_deref());
        }
        if let Some(token) = arrival.value("access_token") {
            assert_eq!(arrival.value("token_type"), Some("Bearer"));
            check_lifetime(arrival.value("expires_in").and_then(|seconds| seconds.parse().ok()));
            check_entropy(token);
        }
        let tokens = arrival.value("code").map(|code| {
            check_entropy(code);
            self.checked_tokens(request, arrival)
        });
        let member = |name: &str| tokens.as_ref().map(|tokens| tokens.member(name).to_owned());
        let back = member("id_token").map(|jwt| (self.id_token(request, &jwt), jwt));
        if let (Some((front, _)), Some((back, _))) = (&front, &back) {
            for name in ["iss", "sub", "auth_time"] {
                assert_eq!(front.claims[name], back.claims[name], "{name}");
            }
        }
        let (id_token, id_token_text) = back.or(front).expect("every flow has an ID token");
        let front_token = arrival.value("access_token").map(str::to_owned);
        let userinfo = |token: &String| {
            let userinfo = self.kit.userinfo(token).expect_status(200);
            if userinfo.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
                assert_eq!(userinfo["sub"], id_token.claims["sub"]);
                check_claims(&userinfo);
            }
            userinfo
        };
        let _ = front_token.as_ref().map(userinfo);
        let access_token = member("access_token").or(front_token);
        let userinfo = access_token.as_ref().map(userinfo);
        Outcome { id_token, id_token_text, access_token, userinfo, tokens }
    }

    /// The answer of the token endpoint.
    fn checked_tokens(&self, request: &AuthorizationRequest, arrival: &Arrival) -> Answer {
        let tokens = self.exchange(request, arrival).expect_status(200);
        assert_eq!(
            tokens.header("content-type").map(|kind| kind.starts_with("application/json")),
            Some(true)
        );
        assert_eq!(tokens.header("cache-control"), Some("no-store"));
        assert_eq!(tokens["token_type"], "Bearer");
        check_lifetime(tokens["expires_in"].as_u64());
        check_entropy(tokens.member("access_token"));
        tokens
    }

    /// An ID token, from either endpoint.
    fn id_token(&self, request: &AuthorizationRequest, jwt: &str) -> VerifiedJwt {
        let client = request.value("client_id").unwrap_or_default();
        let id_token = self.kit.try_verify(jwt, client).expect("an ID token that verifies");
        assert_eq!(id_token.header.alg, SigningAlgorithm::Rs256);
        assert!(id_token.header.kid.is_some());
        let (claims, now) = (&id_token.claims, self.kit.now().secs());
        assert_eq!(
            (claims["iss"].as_str(), claims["aud"].as_str()),
            (Some(self.kit.issuer().as_str()), Some(client))
        );
        assert_eq!(claims["nonce"].as_str(), request.value("nonce"));
        assert!(claims["exp"].as_i64().is_some_and(|exp| exp > now));
        assert!(claims["iat"].as_i64().is_some_and(|iat| (now - 300..=now).contains(&iat)));
        assert!(claims["auth_time"].as_i64().is_some_and(|time| time <= now));
        assert!(claims["acr"].as_str().is_some_and(|acr| !acr.is_empty()));
        // No claim of a scope in the ID token if UserInfo can be asked, and none that nobody knows.
        let known = [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "nonce",
            "auth_time",
            "acr",
            "amr",
            "at_hash",
            "c_hash",
            "sid",
        ];
        for name in id_token.names.iter().filter(|_| self.flow.response_type != "id_token") {
            assert!(known.contains(&name.as_str()), "{name}");
        }
        id_token
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
        assert_eq!(tab.expect_arrival().mode, self.flow.mode());
        check_error_in_any_mode(tab, codes);
    }

    /// A request with one more parameter, which only has to succeed.
    pub(crate) fn succeeds_with(&self, name: &str, value: &str) -> Outcome {
        self.outcome(&self.kit.user_agent(), &self.request().set(name, value))
    }
}

/// An error whose mode cannot follow from the response type, because the request has none.
pub(crate) fn check_error_in_any_mode(tab: &Tab<'_, '_>, codes: &[&str]) {
    let arrival = tab.expect_arrival();
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

/// `expires_in`: positive, and no more than a year.
fn check_lifetime(seconds: Option<u64>) {
    assert!(seconds.is_some_and(|seconds| (1..=31_536_000).contains(&seconds)), "{seconds:?}");
}

/// Half of the hash, as in `at_hash` and `c_hash` with RS256 (OIDC Core section 3.3.2.11).
fn half(text: &str) -> String {
    SigningAlgorithm::Rs256.hash().left_half(text)
}

/// RFC 7591 metadata of a client of the suite, with more members or other values.
fn client(flow: Flow, id: &str, more: Value) -> String {
    let mut grant_types = vec![];
    if flow.returns("code") {
        grant_types.extend(["authorization_code", "refresh_token"]);
    }
    if flow.returns("token") || flow.returns("id_token") {
        grant_types.push("implicit");
    }
    let mut metadata = json!({
        "client_id": id,
        "client_secret": "a-secret-of-forty-three-characters-for-test",
        "redirect_uris": [format!("https://suite.example/test/a/{id}/callback"), "https://suite.example/other"],
        "response_types": [flow.response_type],
        "grant_types": grant_types,
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
    let arrival = tab.expect_arrival();
    assert_eq!(arrival.value("error"), None, "{arrival:?}");
    arrival
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
