//! OpenID Connect Core 1.0 section 5.3, UserInfo; RFC 6750, how its token is shown.

use chancery_core::event::Event;
use chancery_core::rule::bearer::TOKEN_WITHDRAWN;
use chancery_testkit::{
    ClientRequest, NegativeTable, Refused, SECRET, TestProvider, assert_refused, check_refused_by_name,
    seconds,
};
use serde_json::json;

/// UINF-01, UINF-02, UINF-03, UINF-06, UINF-08, UINF-15: where the token may stand, and that exactly one
/// place counts.
#[test]
fn a_token_is_shown_in_one_place() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "spa", "openid email");
    let token = tokens.member("access_token");
    let request = |authorization: Option<String>| -> ClientRequest<'_> {
        let request = kit.anonymous_request("/userinfo");
        authorization.iter().fold(request, |request, value| request.header("authorization", value))
    };
    let header = |scheme: &str| Some(format!("{scheme} {token}"));
    for good in [
        request(header("Bearer")).get(),
        request(header("bEARER")).get(),
        request(header("Bearer")),
        request(None).param("access_token", token),
    ] {
        assert_eq!(
            good.send().expect_status(200).json(),
            &json!({"sub": "alice", "email": "alice@example.org",
            "email_verified": true})
        );
    }
    let in_query = |authorization| request(authorization).get().param("access_token", token);
    for (name, request, code) in [
        ("access_token_in_query", in_query(None), "invalid_request"),
        ("access_token_in_query", in_query(header("Bearer")), "invalid_request"),
        (
            "access_token_in_several_places",
            request(header("Bearer")).param("access_token", token),
            "invalid_request",
        ),
        ("bearer_header_malformed", request(Some(format!("Bearer{token}"))), "invalid_request"),
        ("bearer_header_malformed", request(Some(format!("Bearer {token} {token}"))), "invalid_request"),
        ("access_token_unknown", request(Some("Bearer at_unknown".to_owned())), "invalid_token"),
        (
            "malformed_parameter",
            request(None).param("access_token", token).param("access_token", "2"),
            "invalid_request",
        ),
    ] {
        let answer = request.send();
        check_refused_by_name(&answer, code, name);
    }
    // RFC 6750 section 3.1: whoever showed nothing that counts here is not told that something was wrong with it.
    for (shown, reason) in
        [(None, "access_token_missing"), (header("Basic"), "authorization_scheme_unsupported")]
    {
        let missing = request(shown).send().expect_status(401);
        let challenge = missing.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer") && !challenge.contains("error="), "{challenge}");
        assert_eq!((missing.text(), missing.header("content-type")), ("", None));
        let [Event::Refused { reason: found, .. }] = missing.events.as_slice() else {
            panic!("{:?}", missing.events)
        };
        assert_eq!(found.name, reason);
    }
    let plain = kit.tokens("alice", "spa", "email");
    assert_refused!(kit.userinfo(plain.member("access_token")), "insufficient_scope", "openid_scope_missing");
    let jwt = kit.tokens("alice", "jwt", "read");
    let foreign = kit.userinfo(jwt.member("access_token"));
    assert_refused!(foreign, "invalid_token", "access_token_for_another_audience");
}

/// UINF-02, UINF-03, RFC 6750 section 2.3: a compatibility setting, off by default
/// (`a_token_is_shown_in_one_place`). One place still means one.
#[test]
fn a_token_may_be_shown_in_the_query() {
    let kit = TestProvider::builder().configure(|to| to.compatibility.query_access_token = true).build();
    let tokens = kit.tokens("alice", "spa", "openid");
    let token = tokens.member("access_token");
    let query = |token: &str| kit.get(&format!("/userinfo?access_token={token}"));
    let answer = query(token).expect_status(200);
    assert_eq!(answer.json(), &json!({"sub": "alice"}));
    // RFC 6750 section 2.3: no cache may keep it.
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    check_refused_by_name(&query("at_unknown"), "invalid_token", "access_token_unknown");
    let path = format!("/userinfo?access_token={token}");
    let several = "access_token_in_several_places";
    let header = kit.anonymous_request(&path).get().header("authorization", &format!("Bearer {token}"));
    check_refused_by_name(&header.send(), "invalid_request", several);
    let body = kit.anonymous_request(&path).param("access_token", token);
    check_refused_by_name(&body.send(), "invalid_request", several);
    let twice = kit.get(&format!("{path}&access_token={token}"));
    check_refused_by_name(&twice, "invalid_request", "malformed_parameter");
}

/// UINF-11, UINF-12, CLAIM-09, CLAIM-10: signed when it is registered so; accounts cannot change the subject,
/// nor add what was not asked for.
#[test]
fn a_signed_answer() {
    let kit = TestProvider::new();
    kit.put_client(&format!(
        r#"{{"client_id":"signed","client_secret":"{SECRET}","redirect_uris":["https://signed.example/cb"],
            "id_token_signed_response_alg":"ES256","userinfo_signed_response_alg":"ES256",
            "backchannel_logout_uri":"https://signed.example/out"}}"#
    ));
    kit.accounts.set_claim("alice", "sub", json!("mallory"));
    kit.accounts.set_claim("alice", "iss", json!("https://evil.example"));
    let tokens = kit.tokens("alice", "signed", "openid phone");
    let answer = kit.userinfo(tokens.member("access_token")).expect_status(200);
    assert_eq!(answer.header("content-type"), Some("application/jwt"));
    let jwt = kit.try_verify(answer.text(), "signed").expect("it verifies by the published keys");
    let expected = json!({"iss": kit.issuer().as_str(), "sub": "alice", "aud": "signed",
        "exp": jwt.claims["exp"], "iat": kit.now().secs(),
        "phone_number": "+49 30 123456", "phone_number_verified": false});
    assert_eq!(jwt.claims, expected);
    assert_eq!(jwt.claims["exp"], kit.now().secs() + 3600);
    let id_token = kit.id_token(&tokens, "signed");
    assert!(id_token.claims["sid"].is_string(), "what a logout notice names");
}

/// TOKEN-11: a client that is not registered for `openid` any more has no UserInfo, also with a token that
/// had it.
#[test]
fn openid_is_taken_back() {
    let client = |scope: &str| {
        format!(
            r#"{{"client_id":"c","client_secret":"{SECRET}","redirect_uris":["https://c.example/cb"],
                "id_token_signed_response_alg":"ES256","scope":"{scope}"}}"#
        )
    };
    let kit = TestProvider::builder().client(&client("openid email")).build();
    let tokens = kit.tokens("alice", "c", "openid email");
    let token = tokens.member("access_token");
    let _ = kit.userinfo(token).expect_status(200);
    kit.put_client(&client("email"));
    kit.clock.advance(seconds(1));
    assert_refused!(kit.userinfo(token), TOKEN_WITHDRAWN);
    assert_eq!(kit.introspect("c", token)["scope"], "email", "what is left of it");
    kit.put_client(&client("openid"));
    kit.clock.advance(seconds(1));
    assert_eq!(kit.userinfo(token).expect_status(200).json(), &json!({"sub": "alice"}));
}

/// UINF-07: what opens nothing.
#[test]
fn what_must_not_be_served() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let bearer =
        |token: &str| kit.anonymous_request("/userinfo").header("authorization", &format!("Bearer {token}"));
    let own = kit.client_credentials_request("web").send();
    NegativeTable::new(&kit)
        .row("a refresh token", bearer(tokens.member("refresh_token")), Refused::Json(401, "invalid_token"))
        .row("an ID token", bearer(tokens.member("id_token")), Refused::Json(401, "invalid_token"))
        .row(
            "a client's own token",
            bearer(own.member("access_token")),
            Refused::Json(403, "insufficient_scope"),
        )
        .row("the client's credentials", kit.request("/userinfo", "web"), Refused::Challenge)
        .run();
}
