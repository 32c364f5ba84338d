//! What changed between the versions of the reference on which Logto's fork and its successor rest, and on
//! which side Chancery is: `docs/coming-from-logto.md` has the same lines.

use chancery_jose::base64url;
use chancery_testkit::TestProvider;
use http::header::SET_COOKIE;

/// MIG-01: POST is always on, at authorization and logout.
#[test]
fn post_is_always_on() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let _ = kit.authorization_request("web").scope("openid").post(&ua).expect_page("login");
    let logout = ua.post_from_another_site("/logout", &[("client_id", "web")]);
    assert_eq!((logout.answer().status.as_u16(), logout.page().name.as_str()), (200, "logout-done"));
}

/// MIG-02: cookies are Lax, and none is there for browsers that did not know `SameSite=None`.
#[test]
fn cookies_are_lax() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid").open(&ua);
    let consent = login.to_http(&[], ("action", "login"));
    let answers = [login.answer().clone(), kit.send(consent)];
    let cookies: Vec<&str> = answers
        .iter()
        .flat_map(|answer| answer.headers.get_all(SET_COOKIE))
        .map(|line| line.to_str().unwrap())
        .collect();
    assert!(!cookies.is_empty() && cookies.iter().all(|line| line.contains("; SameSite=Lax")), "{cookies:?}");
}

/// MIG-03: an unknown path is the host's: 404 without any page of ours.
#[test]
fn unknown_paths_are_plain() {
    let answer = TestProvider::new().get("/auth").expect_status(404);
    assert_eq!(
        (answer.header("content-type"), answer.text()),
        (Some("text/plain; charset=utf-8"), "Not Found")
    );
}

/// MIG-04: PKCE of every client, and never `plain`.
#[test]
fn every_client_has_pkce() {
    let kit = TestProvider::new();
    for client in ["web", "spa"] {
        let ua = kit.user_agent();
        let without = kit.authorization_request(client).scope("openid").without_pkce();
        let _ = without.open(&ua).expect_error("invalid_request");
        let plain = kit.authorization_request(client).scope("openid").set("code_challenge_method", "plain");
        let _ = plain.open(&ua).expect_error("invalid_request");
    }
}

/// MIG-05: `at_hash` also from the token endpoint.
#[test]
fn id_tokens_have_at_hash() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid");
    let payload = tokens.member("id_token").split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap();
    assert!(claims["at_hash"].is_string() && claims["s_hash"].is_null(), "{claims}");
}

/// MIG-07: UserInfo without a token.
#[test]
fn userinfo_without_a_token_is_challenged() {
    let answer = TestProvider::new().get("/userinfo").expect_status(401);
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer "));
}

/// MIG-08: what went is not offered.
#[test]
fn algorithms_that_went_are_not_offered() {
    let metadata = TestProvider::new().get("/.well-known/openid-configuration").expect_status(200);
    for name in ["ES256K", "Ed448", "X448", "RSA1_5"] {
        assert!(!metadata.text().contains(&format!("\"{name}\"")), "{name}");
    }
}

/// MIG-09: secrets of 256 random bits.
#[test]
fn identifiers_are_long() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid");
    let secret = base64url::decode(code.code.strip_prefix("ac_").unwrap()).unwrap();
    assert!(secret.len() >= 32, "{}", secret.len());
}
