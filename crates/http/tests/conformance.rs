//! The modules of the OpenID conformance suite's plans `oidcc-config-certification-test-plan` and
//! `oidcc-basic-certification-test-plan` with static clients: what each of them looks at, said as a test of
//! our own. The first line of each test is the module's name.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use chancery_jose::SigningAlgorithm;
use chancery_testkit::{
    Answer, Arrival, AuthorizationRequest, NegativeTable, Refused, Tab, TestProvider, UserAgent, VerifiedJwt,
    minutes, seconds,
};
use serde_json::Value;

/// The clients that the suite is configured with: two, and one that authenticates in the body. None of them
/// uses PKCE unless a module is about it.
fn provider() -> TestProvider {
    let client = |id: &str, more: &str| {
        format!(
            "{{\"client_id\":\"{id}\",\"client_secret\":\"a-secret-of-forty-three-characters-for-test\",\
             \"redirect_uris\":[\"https://suite.example/test/a/{id}/callback\",\"https://suite.example/other\"],\
             \"grant_types\":[\"authorization_code\",\"refresh_token\"],\"chancery\":{{\"pkce_optional\":true}}{more}}}"
        )
    };
    TestProvider::builder()
        .client(&client("suite", ""))
        .client(&client("suite2", ""))
        .client(&client("suite-post", ",\"token_endpoint_auth_method\":\"client_secret_post\""))
        .build()
}

/// A request of the suite: a state of 10 characters and a nonce, as random as its own.
fn request(kit: &TestProvider) -> AuthorizationRequest {
    of(kit, "suite")
}

fn of(kit: &TestProvider, client: &str) -> AuthorizationRequest {
    kit.authorization_request(client).scope("openid").set("state", "YxC4e0nXzB").set("nonce", "kQfW9sTq1m")
}

/// Goes through whatever pages come, as the suite's browser does.
fn through(tab: Tab<'_, '_>) -> Arrival {
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
fn check_entropy(text: &str) {
    let length = f64::from(u32::try_from(text.len()).expect("a short text"));
    let shares = text.chars().collect::<BTreeSet<char>>().into_iter().map(|c| {
        f64::from(u32::try_from(text.chars().filter(|have| *have == c).count()).expect("a short text"))
            / length
    });
    let bits = -shares.map(|share| share * share.log2()).sum::<f64>() * length;
    assert!(text.len() >= 43 && bits > 96.0, "{text}: {bits} bits");
    assert!(text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
}

/// A login of `alice` with all that the suite checks in every module.
struct Outcome {
    tokens: Answer,
    id_token: VerifiedJwt,
    userinfo: Answer,
}

fn exchange(kit: &TestProvider, request: &AuthorizationRequest, arrival: &Arrival) -> Answer {
    let client = request.value("client_id").unwrap_or_default();
    let code = arrival.value("code").unwrap_or_default();
    let mut exchange =
        kit.token_request(client).param("grant_type", "authorization_code").param("code", code);
    exchange = exchange.param("redirect_uri", request.value("redirect_uri").unwrap_or_default());
    if let Some(verifier) = request.verifier() {
        exchange = exchange.param("code_verifier", verifier);
    }
    exchange.send()
}

fn outcome(kit: &TestProvider, ua: &UserAgent<'_>, request: &AuthorizationRequest) -> Outcome {
    answered(kit, request, &through(request.open(ua)))
}

fn answered(kit: &TestProvider, request: &AuthorizationRequest, arrival: &Arrival) -> Outcome {
    assert_eq!(
        (arrival.mode, arrival.uri.as_str()),
        ("query", request.value("redirect_uri").unwrap_or_default())
    );
    assert_eq!(arrival.names(), ["code", "state", "iss"]);
    assert_eq!(arrival.value("state"), request.value("state"));
    check_entropy(arrival.value("code").unwrap_or_default());

    let tokens = exchange(kit, request, arrival).expect_status(200);
    assert_eq!(tokens.header("content-type").map(|kind| kind.starts_with("application/json")), Some(true));
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(tokens["expires_in"].as_u64().is_some_and(|seconds| (1..=31_536_000).contains(&seconds)));
    check_entropy(tokens.member("access_token"));

    let client = request.value("client_id").unwrap_or_default();
    let id_token = kit.id_token(&tokens, client);
    assert_eq!(id_token.header.alg, SigningAlgorithm::Rs256);
    assert!(id_token.header.kid.is_some());
    let claims = &id_token.claims;
    assert_eq!(claims["nonce"].as_str(), request.value("nonce"));
    let now = kit.now().secs();
    assert!(claims["iat"].as_i64().is_some_and(|iat| (now - 300..=now).contains(&iat)));
    assert!(claims["auth_time"].as_i64().is_some_and(|time| time <= now));
    assert!(claims["acr"].as_str().is_some_and(|acr| !acr.is_empty()));
    // No claim of a scope in the ID token, and none that nobody knows.
    let known = ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "acr", "amr", "at_hash", "sid"];
    for name in &id_token.names {
        assert!(known.contains(&name.as_str()), "{name}");
    }

    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    assert_eq!(userinfo["sub"], claims["sub"]);
    check_claims(&userinfo);
    Outcome { tokens, id_token, userinfo }
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

/// An error that reached the client: `state` as it was, no code, no other parameter, a text of the allowed
/// characters.
fn check_error(tab: &Tab<'_, '_>, codes: &[&str]) {
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

/// A request with a scope, and the claims that UserInfo must have for it.
fn check_scope(scope: &str, claims: &[&str]) {
    let kit = provider();
    let outcome = outcome(&kit, &kit.user_agent(), &request(&kit).scope(scope));
    let names: BTreeSet<String> = outcome.userinfo.member_names().into_iter().collect();
    let expected: BTreeSet<String> = claims.iter().chain(&["sub"]).map(|name| (*name).to_owned()).collect();
    assert_eq!(names, expected);
}

const PROFILE: &str = "name family_name given_name middle_name nickname preferred_username profile picture website \
    gender birthdate zoneinfo locale updated_at";
fn profile() -> Vec<&'static str> {
    PROFILE.split(' ').collect()
}

/// A request that only has to succeed.
fn check_success(name: &str, value: &str) -> Outcome {
    let kit = provider();
    outcome(&kit, &kit.user_agent(), &request(&kit).set(name, value))
}

/// oidcc-discovery-endpoint-verification
#[test]
fn discovery_endpoint_verification() {
    let kit = provider();
    let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
    assert!(metadata.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    assert_eq!(metadata["issuer"], kit.issuer().as_str());
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(metadata.member(endpoint).starts_with("https://"), "{endpoint}");
    }
    let list = |name: &str| -> Vec<String> {
        let values = metadata[name].as_array().unwrap_or_else(|| panic!("no {name}")).iter();
        values.map(|value| value.as_str().unwrap_or_else(|| panic!("{name}")).to_owned()).collect()
    };
    let has = |name: &str, value: &str| list(name).iter().any(|have| have == value);
    assert_eq!(list("response_types_supported"), ["code"]);
    assert_eq!(list("subject_types_supported"), ["public"]);
    assert!(has("id_token_signing_alg_values_supported", "RS256"));
    assert!(
        !has("id_token_signing_alg_values_supported", "none"),
        "three modules are skipped for this reason"
    );
    assert!(
        has("grant_types_supported", "authorization_code") && has("grant_types_supported", "refresh_token")
    );
    assert!(has("scopes_supported", "openid") && has("scopes_supported", "offline_access"));
    assert!(PROFILE.split(' ').all(|claim| has("claims_supported", claim)));
    assert!(has("token_endpoint_auth_methods_supported", "client_secret_basic"));
    assert!(has("code_challenge_methods_supported", "S256"));
    for (name, said) in [
        ("request_parameter_supported", false),
        ("request_uri_parameter_supported", false),
        ("claims_parameter_supported", true),
    ] {
        assert_eq!(metadata[name], said, "{name}");
    }

    let jwks = kit.get("/jwks").expect_status(200);
    let keys = jwks["keys"].as_array().expect("keys");
    let kids: BTreeSet<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    assert!(!keys.is_empty() && kids.len() == keys.len(), "each has a kid of its own");
    for key in keys {
        assert!(["RSA", "EC"].contains(&key["kty"].as_str().unwrap_or("")), "{key}");
        assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|private| key[private].is_null()), "{key}");
        assert!(!key.to_string().contains("=\""), "no padding: {key}");
    }
}

/// oidcc-server
#[test]
fn server() {
    let kit = provider();
    let outcome = outcome(&kit, &kit.user_agent(), &request(&kit));
    assert_eq!(outcome.id_token.claims["sub"], "alice");
}

/// oidcc-response-type-missing
#[test]
fn response_type_missing() {
    let kit = provider();
    let ua = kit.user_agent();
    let tab = request(&kit).without("response_type").open(&ua);
    check_error(&tab, &["unsupported_response_type", "invalid_request"]);
}

/// UserInfo, asked for in one of the ways in which a token can be shown.
fn check_userinfo(way: impl FnOnce(&TestProvider, &str) -> Answer) {
    let kit = provider();
    let outcome = outcome(&kit, &kit.user_agent(), &request(&kit));
    let answer = way(&kit, outcome.tokens.member("access_token")).expect_status(200);
    assert_eq!(answer["sub"], outcome.id_token.claims["sub"]);
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
}

/// oidcc-userinfo-get
#[test]
fn userinfo_get() {
    check_userinfo(|kit, token| kit.userinfo(token));
}

/// oidcc-userinfo-post-header
#[test]
fn userinfo_post_header() {
    let bearer = |token: &str| format!("Bearer {token}");
    check_userinfo(|kit, token| {
        kit.anonymous_request("/userinfo").header("authorization", &bearer(token)).send()
    });
}

/// oidcc-userinfo-post-body
#[test]
fn userinfo_post_body() {
    check_userinfo(|kit, token| kit.anonymous_request("/userinfo").param("access_token", token).send());
}

/// oidcc-ensure-request-without-nonce-succeeds-for-code-flow
#[test]
fn without_nonce() {
    let kit = provider();
    let outcome = outcome(&kit, &kit.user_agent(), &request(&kit).without("nonce"));
    assert!(outcome.id_token.claims["nonce"].is_null());
}

/// oidcc-scope-profile
#[test]
fn scope_profile() {
    check_scope("openid profile", &profile());
}

/// oidcc-scope-email
#[test]
fn scope_email() {
    check_scope("openid email", &["email", "email_verified"]);
}

/// oidcc-scope-address
#[test]
fn scope_address() {
    check_scope("openid address", &["address"]);
}

/// oidcc-scope-phone
#[test]
fn scope_phone() {
    check_scope("openid phone", &["phone_number", "phone_number_verified"]);
}

/// oidcc-scope-all
#[test]
fn scope_all() {
    let rest = ["email", "email_verified", "address", "phone_number", "phone_number_verified"];
    check_scope("openid profile email address phone", &[&profile()[..], &rest].concat());
}

/// oidcc-alternate-happy-flow
#[test]
fn alternate_happy_flow() {
    let kit = provider();
    let mut request = request(&kit).scope("profile email openid");
    let turned = ["nonce", "state", "redirect_uri", "client_id", "response_type"].map(|name| {
        let value = request.value(name).unwrap_or_default().to_owned();
        (name, value)
    });
    for (name, value) in &turned {
        request = request.set(name, value);
    }
    let outcome = outcome(&kit, &kit.user_agent(), &request);
    assert_eq!(outcome.userinfo["name"], "alice Example");
}

/// oidcc-display-page
#[test]
fn display_page() {
    let _ = check_success("display", "page");
}

/// oidcc-display-popup
#[test]
fn display_popup() {
    let _ = check_success("display", "popup");
}

/// oidcc-prompt-login
#[test]
fn prompt_login() {
    let kit = provider();
    let ua = kit.user_agent();
    let first = outcome(&kit, &ua, &request(&kit));
    kit.clock.advance(seconds(2));
    let again = request(&kit).set("prompt", "login");
    let login = again.open(&ua).expect_page("login");
    let second = answered(&kit, &again, &through(login));
    let time = |outcome: &Outcome| outcome.id_token.claims["auth_time"].as_i64();
    assert!(time(&second) > time(&first));
    assert_eq!(second.id_token.claims["sub"], first.id_token.claims["sub"]);
}

/// oidcc-prompt-none-not-logged-in
#[test]
fn prompt_none_not_logged_in() {
    let kit = provider();
    let ua = kit.user_agent();
    let tab = request(&kit).set("prompt", "none").open(&ua);
    check_error(&tab, &["login_required"]);
}

/// oidcc-prompt-none-logged-in
#[test]
fn prompt_none_logged_in() {
    let kit = provider();
    let ua = kit.user_agent();
    let first = outcome(&kit, &ua, &request(&kit));
    kit.clock.advance(seconds(2));
    let silent = request(&kit).set("prompt", "none");
    let second = answered(&kit, &silent, &silent.open(&ua).expect_arrival());
    for name in ["sub", "auth_time"] {
        assert_eq!(second.id_token.claims[name], first.id_token.claims[name], "{name}");
    }
}

/// oidcc-max-age-1
#[test]
fn max_age_1() {
    let kit = provider();
    let ua = kit.user_agent();
    let first = outcome(&kit, &ua, &request(&kit));
    kit.clock.advance(seconds(2));
    let again = request(&kit).set("max_age", "1");
    let second = answered(&kit, &again, &through(again.open(&ua).expect_page("login")));
    let time = |outcome: &Outcome| outcome.id_token.claims["auth_time"].as_i64();
    assert_eq!(time(&second), time(&first).map(|time| time + 2));
}

/// oidcc-max-age-10000
#[test]
fn max_age_10000() {
    let kit = provider();
    let ua = kit.user_agent();
    let first = outcome(&kit, &ua, &request(&kit).set("max_age", "15000"));
    kit.clock.advance(minutes(1));
    let again = request(&kit).set("max_age", "10000");
    let second = answered(&kit, &again, &again.open(&ua).expect_arrival());
    assert_eq!(second.id_token.claims["auth_time"], first.id_token.claims["auth_time"]);
}

/// oidcc-ensure-request-with-unknown-parameter-succeeds
#[test]
fn unknown_parameter() {
    let _ = check_success("extra", "foobar");
}

/// oidcc-id-token-hint
#[test]
fn id_token_hint() {
    let kit = provider();
    let ua = kit.user_agent();
    let first = outcome(&kit, &ua, &request(&kit));
    let hinted = request(&kit).set("prompt", "none").set("id_token_hint", first.tokens.member("id_token"));
    let second = answered(&kit, &hinted, &hinted.open(&ua).expect_arrival());
    assert_eq!(second.id_token.claims["sub"], first.id_token.claims["sub"]);
}

/// oidcc-login-hint
#[test]
fn login_hint() {
    let _ = check_success("login_hint", "buffy@id.example");
}

/// oidcc-ui-locales
#[test]
fn ui_locales() {
    let _ = check_success("ui_locales", "se");
}

/// oidcc-claims-locales
#[test]
fn claims_locales() {
    let _ = check_success("claims_locales", "se");
}

/// oidcc-ensure-request-with-acr-values-succeeds
#[test]
fn acr_values() {
    let kit = provider();
    let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
    let advertised: Vec<&str> =
        metadata["acr_values_supported"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let outcome = outcome(&kit, &kit.user_agent(), &request(&kit).set("acr_values", &advertised.join(" ")));
    assert!(outcome.id_token.claims["acr"].as_str().is_some_and(|acr| advertised.contains(&acr)));
    let _ = check_success("acr_values", "1 2");
}

/// The same code again after so many seconds.
fn check_codereuse(wait: u64) {
    let kit = provider();
    let request = request(&kit);
    let arrival = through(request.open(&kit.user_agent()));
    let tokens = exchange(&kit, &request, &arrival).expect_status(200);
    kit.clock.advance(seconds(wait));
    let again = exchange(&kit, &request, &arrival).expect_status(400);
    assert_eq!(again["error"], "invalid_grant");
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401, "the first access token is dead");
}

/// oidcc-codereuse
#[test]
fn codereuse() {
    check_codereuse(0);
}

/// oidcc-codereuse-30seconds
#[test]
fn codereuse_30seconds() {
    check_codereuse(30);
}

/// oidcc-ensure-registered-redirect-uri
#[test]
fn registered_redirect_uri() {
    let kit = provider();
    let uri = format!("{}?foo=bar", request(&kit).value("redirect_uri").unwrap_or_default());
    let ua = kit.user_agent();
    let tab = request(&kit).set("redirect_uri", &uri).open(&ua).expect_page("error");
    assert_eq!(tab.answer().status, 400);
    assert!(tab.page().text.contains("invalid_request"));
}

/// oidcc-ensure-post-request-succeeds
#[test]
fn post_request() {
    let kit = provider();
    let request = request(&kit);
    let _ = answered(&kit, &request, &through(request.post(&kit.user_agent())));
    // A POST that does not tell where it comes from, as from a client without Fetch Metadata, comes again as
    // GET.
    let answer = kit.send(request.to_http_post()).expect_status(303);
    assert!(
        answer.header("location").is_some_and(|address| address.contains("/authorize?response_type=code"))
    );
}

/// oidcc-server-client-secret-post
#[test]
fn server_client_secret_post() {
    let kit = provider();
    let _ = outcome(&kit, &kit.user_agent(), &of(&kit, "suite-post"));
}

/// An unsigned request object is refused, to where the query says, and not silently ignored.
fn check_request_object(object: &str) {
    let kit = provider();
    let ua = kit.user_agent();
    let tab = request(&kit).set("request", object).open(&ua);
    check_error(&tab, &["request_not_supported"]);
    assert!(tab.expect_arrival().uri.ends_with("/callback"));
}

/// oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported
#[test]
fn unsigned_request_object() {
    // {"alg":"none"}.{"nonce":"n","state":"s"}
    check_request_object("eyJhbGciOiJub25lIn0.eyJub25jZSI6Im4iLCJzdGF0ZSI6InMifQ.");
}

/// oidcc-ensure-request-object-with-redirect-uri
#[test]
fn request_object_with_redirect_uri() {
    // {"alg":"none"}.{"redirect_uri":"https://suite.example/other"}
    let payload = "eyJyZWRpcmVjdF91cmkiOiJodHRwczovL3N1aXRlLmV4YW1wbGUvb3RoZXIifQ";
    check_request_object(&format!("eyJhbGciOiJub25lIn0.{payload}."));
}

/// oidcc-claims-essential
#[test]
fn claims_essential() {
    let outcome = check_success("claims", r#"{"userinfo":{"name":{"essential":true}}}"#);
    assert_eq!(outcome.userinfo["name"], "alice Example");
}

/// oidcc-refresh-token
#[test]
fn refresh_token() {
    let kit = provider();
    let ua = kit.user_agent();
    let scope = "openid offline_access";
    let login = |client| outcome(&kit, &ua, &of(&kit, client).scope(scope).set("prompt", "consent"));
    let (first, second) = (login("suite"), login("suite2"));
    let token = first.tokens.member("refresh_token");
    check_entropy(token);
    kit.clock.advance(seconds(5));
    let refreshed = kit.refresh_request("suite", token).param("scope", scope).send().expect_status(200);
    assert_eq!(refreshed.header("cache-control"), Some("no-store"));
    assert_ne!(refreshed["access_token"], first.tokens["access_token"]);
    let (before, after) = (&first.id_token.claims, kit.id_token(&refreshed, "suite").claims);
    for name in ["iss", "sub", "aud", "auth_time", "azp"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert!(after["iat"].as_i64() > before["iat"].as_i64());
    let foreign = kit.refresh("suite", second.tokens.member("refresh_token")).expect_status(400);
    assert_eq!(foreign["error"], "invalid_grant");
    assert_eq!(
        kit.refresh("suite2", second.tokens.member("refresh_token")).status,
        200,
        "and its owner keeps it"
    );
}

/// oidcc-ensure-request-with-valid-pkce-succeeds
#[test]
fn valid_pkce() {
    let kit = provider();
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let request = request(&kit).pkce(verifier);
    let arrival = through(request.open(&kit.user_agent()));
    let wrong =
        exchange(&kit, &request.clone().pkce("another-verifier-of-forty-three-characters-x"), &arrival);
    assert_eq!(wrong.expect_status(400)["error"], "invalid_grant");
    let _ = exchange(&kit, &request, &arrival).expect_status(200);
}

/// What the plans want to see refused, row by row.
#[test]
fn what_the_plans_want_refused() {
    let kit = provider();
    NegativeTable::new(&kit)
        .row("no response type", request(&kit).without("response_type"), Refused::Client("invalid_request"))
        .row("prompt=none", request(&kit).set("prompt", "none"), Refused::Client("login_required"))
        .row(
            "another redirect URI",
            request(&kit).set("redirect_uri", "https://suite.example/test/a/suite/callback?x=y"),
            Refused::Page(400, "invalid_request"),
        )
        .row("a request object", request(&kit).set("request", "x"), Refused::Client("request_not_supported"))
        .row(
            "a request URI",
            request(&kit).set("request_uri", "x"),
            Refused::Client("request_uri_not_supported"),
        )
        .run();
}
