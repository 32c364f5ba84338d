//! What a peer must not tell apart is the same on the wire, byte for byte (RFC 6749 sections 5.2 and 10.10).

#![expect(clippy::indexing_slicing, reason = "tests")]

use chancery_testkit::{Answer, Code, TestProvider, minutes, refusals, seconds};

/// What a peer sees: status, body, and every header but the name of the request.
fn wire(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
    (answer.status.as_u16(), headers, answer.text().to_owned())
}

/// All are one answer, and each has its own reason for us.
#[track_caller]
fn assert_one(answers: &[(&str, Answer)]) {
    let mut reasons: Vec<&str> = answers.iter().flat_map(|(_, answer)| refusals(&answer.events)).collect();
    assert_eq!(reasons.len(), answers.len(), "{reasons:?}");
    for (name, answer) in answers {
        assert_eq!(wire(answer), wire(&answers[0].1), "{name} differs from {}", answers[0].0);
    }
    reasons.sort_unstable();
    reasons.dedup();
    assert!(reasons.len() > 1, "nothing is compared: {reasons:?}");
}

/// A14, ERR-16, TOKEN-09: a code that is unknown, foreign, expired, used or dead; one whose account is gone,
/// and one that is shown with the wrong redirect URI or verifier.
#[test]
fn codes() {
    let kit = TestProvider::new();
    kit.accounts.add("carol");
    let code = || kit.code("alice", "web", "openid");
    let expired = code();
    let account_gone = kit.code("carol", "web", "openid");
    kit.accounts.remove("carol");
    let account_gone = kit.exchange(&account_gone);
    kit.clock.advance(seconds(61));
    let used = code();
    let _ = kit.exchange(&used).expect_status(200);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let dead = kit.authorization_request("web").scope("openid").open(&ua).expect_code();
    ua.ends_session();
    let other = code();
    assert_one(&[
        ("unknown", kit.exchange(&Code { code: "ac_unknown".into(), ..code() })),
        ("of another kind", kit.code_request(&code()).set("code", "rt_AAAA").send()),
        ("foreign", kit.exchange(&Code { client: "operator".into(), ..code() })),
        ("expired", kit.exchange(&expired)),
        ("used", kit.exchange(&used)),
        ("dead", kit.exchange(&dead)),
        ("the account is gone", account_gone),
        ("another redirect URI", kit.code_request(&other).set("redirect_uri", "https://web.example/").send()),
        ("another verifier", kit.code_request(&other).set("code_verifier", &"a".repeat(43)).send()),
        ("no verifier", kit.code_request(&other).without("code_verifier").send()),
    ]);
}

/// A14, ERR-16: a refresh token that is unknown, foreign, expired, used or revoked.
#[test]
fn refresh_tokens() {
    let kit = TestProvider::new();
    let fresh = || kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
    let expired = fresh();
    kit.clock.advance(chancery_testkit::days(15));
    let used = fresh();
    let _ = kit.refresh("web", &used).expect_status(200);
    kit.clock.advance(minutes(1));
    let revoked = fresh();
    assert_eq!(kit.revoke("web", &revoked).status, 200);
    let access_token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    assert_one(&[
        ("unknown", kit.refresh("web", "rt_unknown")),
        ("an access token", kit.refresh("web", &access_token)),
        ("foreign", kit.refresh("operator", &fresh())),
        ("expired", kit.refresh("web", &expired)),
        ("used", kit.refresh("web", &used)),
        ("revoked", kit.refresh("web", &revoked)),
    ]);
}

/// A14, ERR-17, CAUTH-03, CAUTH-07: a client that is unknown or disabled, a wrong secret, an ended one, a
/// wrong method; at every endpoint where clients authenticate.
#[test]
fn clients() {
    let kit = TestProvider::new();
    let secret = "another-secret-of-forty-three-characters---";
    let disabled = |id: &str, enabled: bool, ends: i64| {
        format!(
            r#"{{"client_id":"{id}","client_secret":"{secret}","client_secret_expires_at":{ends},
                "grant_types":["client_credentials"],"response_types":[],"chancery":{{"enabled":{enabled}}}}}"#
        )
    };
    kit.put_client(&disabled("disabled", false, 0));
    kit.put_client(&disabled("ended", true, kit.now().secs()));
    kit.put_client(&disabled("gone", true, 0));
    kit.remove_client("gone");
    for method in ["client_secret_basic", "client_secret_post"] {
        kit.put_client(&format!(
            r#"{{"client_id":"strict_{method}","client_secret":"{secret}","token_endpoint_auth_method":"{method}",
                "grant_types":["client_credentials"],"response_types":[],"chancery":{{"secret_method":"registered"}}}}"#
        ));
    }
    for path in ["/token", "/introspect", "/revoke"] {
        let by = |client: &str| {
            kit.request(path, client).param("grant_type", "client_credentials").param("token", "at_unknown")
        };
        assert_one(&[
            ("unknown", by("gone").send()),
            ("disabled", by("disabled").send()),
            ("a wrong secret", by("web").secret("a-wrong-secret-of-forty-three-characters---").send()),
            ("an ended secret", by("ended").send()),
            ("a secret of a public client", by("spa").by_method("client_secret_basic").secret("x").send()),
            (
                "basic instead of post",
                by("strict_client_secret_post").by_method("client_secret_basic").send(),
            ),
        ]);
        // Without a header there is no challenge to be compared; among each other they are the same.
        assert_one(&[
            ("unknown", by("gone").by_method("client_secret_post").send()),
            ("disabled", by("disabled").by_method("client_secret_post").send()),
            ("a wrong secret", by("post").secret("a-wrong-secret-of-forty-three-characters---").send()),
            (
                "post instead of basic",
                by("strict_client_secret_basic").by_method("client_secret_post").send(),
            ),
            ("none instead of basic", by("web").by_method("none").send()),
            ("a secret of a public client", by("spa").by_method("client_secret_post").secret("x").send()),
            ("unknown, without a secret", by("gone").by_method("none").send()),
        ]);
    }
}

/// INTRO-04, A14: a token that is unknown, foreign, expired or revoked is not active, and that is all that is
/// said.
#[test]
fn introspected_tokens() {
    let kit = TestProvider::new();
    let expired = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    kit.clock.advance(minutes(61));
    let revoked = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    assert_eq!(kit.revoke("web", &revoked).status, 200);
    let foreign = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    let code = kit.code("alice", "web", "openid");
    let unknown = kit.introspect("web", "at_unknown");
    assert_eq!(unknown.text(), r#"{"active":false}"#);
    for (name, answer) in [
        ("expired", kit.introspect("web", &expired)),
        ("revoked", kit.introspect("web", &revoked)),
        ("foreign", kit.introspect("post", &foreign)),
        ("a code", kit.introspect("web", &code.code)),
        ("an ID token", kit.introspect("web", kit.tokens("alice", "web", "openid").member("id_token"))),
        ("garbage", kit.introspect("web", "\u{202e}%")),
    ] {
        assert_eq!(wire(&answer), wire(&unknown), "{name}");
    }
}
