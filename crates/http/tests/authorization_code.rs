//! RFC 6749 sections 4.1.3 and 10.5, the exchange of a code; RFC 7636 section 4.6, its verifier.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod sqlite_file;

use chancery_core::endpoint::token::authorization_code::{
    CODE_EXPIRED, CODE_FOREIGN, CODE_REDIRECT_URI, CODE_UNKNOWN, CODE_USED, CODE_VERIFIER,
};
use chancery_core::policy::{ACCOUNT_DISABLED, ACCOUNT_GONE, SIGNED_OUT_EVERYWHERE};
use chancery_core::rule::pkce::MALFORMED_VERIFIER;
use chancery_testkit::{
    Code, NegativeTable, Refused, TestProvider, assert_refused, days, hours, millis, minutes, seconds,
};
use sqlite_file::sqlite_file;

/// 64 exchanges of one code at once: one succeeds, and because the others are replays, its tokens are dead
/// afterwards.
fn one_exchange_succeeds(kit: &TestProvider, rounds: u64) {
    for round in 0..rounds {
        let code = kit.code("alice", "machine", "read");
        let request = kit.code_request(&code).to_http();
        let answers = kit.send_at_once(round, vec![request; 64]);
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "round {round}");
        for answer in lost {
            let reasons = chancery_testkit::refusals(&answer.events);
            // Who looks when the grant is dead already finds nothing.
            assert!(reasons == ["code_used"] || reasons == ["code_unknown"], "{reasons:?}");
            assert_eq!((answer.status.as_u16(), answer.member("error")), (400, "invalid_grant"));
        }
        assert!(!kit.is_active("machine", won[0].member("access_token")), "round {round}");
        assert!(!kit.is_active("machine", won[0].member("refresh_token")), "round {round}");
    }
}

/// A4, CODE-05, GAP-06, oidcc-codereuse
#[test]
fn of_64_exchanges_at_once_one_succeeds_on_memory() {
    one_exchange_succeeds(&TestProvider::new(), 200);
}

/// A4, CODE-05, GAP-06
#[test]
fn of_64_exchanges_at_once_one_succeeds_on_sqlite() {
    one_exchange_succeeds(&TestProvider::builder().store(sqlite_file("exchanges")).build(), 200);
}

/// A4, GAP-06: the same by threads that really run at once.
#[test]
fn of_many_threads_one_succeeds_and_its_tokens_die() {
    for _ in 0..20 {
        let kit = TestProvider::builder().unauthenticated_introspection().build();
        let request = kit.code_request(&kit.code("alice", "spa", "email")).to_http();
        let won: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| kit.send(request.clone()))).collect();
            let answers = all.into_iter().map(|one| one.join().expect("it does not panic"));
            answers.filter(|answer| answer.status == 200).collect()
        });
        assert_eq!(won.len(), 1);
        assert!(!kit.is_active("spa", won[0].member("access_token")));
    }
}

/// TOKEN-06, TOKEN-08, TOKEN-13, CODE-08, CODE-09, CODE-10, CLAIM-12, CLAIM-15, CLAIM-19: two trips, and what
/// comes of them; one trip more for each use.
#[test]
fn a_code_becomes_tokens() {
    let kit = TestProvider::builder().unauthenticated_introspection().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "spa", "openid email offline_access");
    let request =
        kit.authorization_request("spa").scope("openid email offline_access").set("nonce", "the nonce");
    let code = request.open(&ua).expect_code();
    let (tokens, trips) = kit.trips(|| kit.exchange(&code).expect_status(200));
    assert_eq!((trips, tokens.event_names()), (2, vec!["tokens_issued"]));
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &3600.into()));
    assert_eq!(tokens["scope"], "openid email offline_access");
    assert!(tokens.member("refresh_token").starts_with("rt_"));

    let id_token = kit.id_token(&tokens, "spa");
    assert_eq!((id_token.header.kid.is_some(), &id_token.header.typ), (true, &None));
    let (claims, now) = (&id_token.claims, kit.now().secs());
    assert_eq!((&claims["sub"], &claims["nonce"]), (&"alice".into(), &"the nonce".into()));
    assert_eq!((&claims["iat"], &claims["exp"]), (&now.into(), &(now + 3600).into()));
    assert!(claims["email"].is_null(), "claims of scopes are for UserInfo");

    let (answer, trips) = kit.trips(|| kit.userinfo(tokens.member("access_token")).expect_status(200));
    assert_eq!(answer.text(), r#"{"sub":"alice","email":"alice@example.org","email_verified":true}"#);
    assert_eq!((trips, answer.event_names()), (1, vec!["userinfo_served"]));
    assert_eq!(kit.trips(|| kit.is_active("spa", tokens.member("access_token"))), (true, 1));
}

/// CODE-05, CODE-03, oidcc-codereuse, oidcc-codereuse-30seconds: at once, after 30 s, and within the hour
/// after the code itself has expired, the second use ends what came of the first. A foreign client ends
/// nothing.
#[test]
fn a_second_use_ends_what_came_of_the_first() {
    for later in [seconds(0), seconds(30), seconds(59), seconds(61), minutes(59), seconds(3599)] {
        let kit = TestProvider::new();
        let code = kit.code("alice", "web", "openid offline_access");
        let tokens = kit.exchange(&code).expect_status(200);
        kit.clock.advance(later);
        assert_refused!(kit.exchange(&Code { client: "post".into(), ..code.clone() }), CODE_FOREIGN);
        assert!(kit.is_active("web", tokens.member("access_token")));
        let refused = kit.exchange(&code);
        assert_refused!(refused, CODE_USED);
        assert_eq!(refused.event_names(), ["grant_ended", "refused"]);
        assert!(!kit.is_active("web", tokens.member("access_token")));
        assert!(!kit.is_active("web", tokens.member("refresh_token")));
        assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401);
        // Nothing is left to be ended: the code is gone with its grant.
        let again = kit.exchange(&code);
        assert_refused!(again, CODE_UNKNOWN);
        assert_eq!(again.event_names(), ["refused"]);
        assert_refused!(
            kit.refresh("web", tokens.member("refresh_token")),
            "invalid_grant",
            "refresh_token_unknown"
        );
    }
}

/// CODE-05: the consent is a remembered answer, not a token; only this authorization ends.
#[test]
fn a_replay_ends_one_grant_and_no_other() {
    let kit = TestProvider::new();
    let other = kit.tokens("alice", "web", "openid");
    let code = kit.code("alice", "web", "openid");
    let _ = kit.exchange(&code).expect_status(200);
    assert_refused!(kit.exchange(&code), CODE_USED);
    assert!(kit.is_active("web", other.member("access_token")));
}

/// CODE-06, CODE-02: whoever fails a check with a used code ends nothing.
#[test]
fn a_replay_that_fails_a_check_ends_nothing() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid");
    let tokens = kit.exchange(&code).expect_status(200);
    assert_refused!(kit.exchange(&Code { client: "post".into(), ..code.clone() }), CODE_FOREIGN);
    assert_refused!(
        kit.code_request(&code).set("redirect_uri", "https://web.example/cb/").send(),
        CODE_REDIRECT_URI
    );
    let other = "another-verifier-of-forty-three-characters-";
    assert_refused!(kit.code_request(&code).set("code_verifier", other).send(), CODE_VERIFIER);
    assert!(kit.is_active("web", tokens.member("access_token")));
}

/// CODE-02, PKCE-08: whoever fails a check with a fresh code burns nothing.
#[test]
fn a_failed_check_burns_nothing() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid");
    assert_refused!(kit.exchange(&Code { client: "spa".into(), ..code.clone() }), CODE_FOREIGN);
    assert_refused!(kit.code_request(&code).without("redirect_uri").send(), CODE_REDIRECT_URI);
    assert_refused!(kit.code_request(&code).without("code_verifier").send(), CODE_VERIFIER);
    let slash = kit.code_request(&code).set("redirect_uri", "https://web.example/cb/").send();
    assert_refused!(slash, CODE_REDIRECT_URI);
    assert_refused!(kit.code_request(&code).set("code_verifier", &"d".repeat(43)).send(), CODE_VERIFIER);
    for other in ["garbage".to_owned(), code.code.replace("ac_", "at_"), code.code.replace("ac_", "rt_")] {
        assert_refused!(kit.code_request(&code).set("code", &other).send(), CODE_UNKNOWN);
    }
    kit.clock.advance(seconds(59));
    let _ = kit.exchange(&code).expect_status(200);
}

/// CODE-04: the deadline is exact.
#[test]
fn a_code_lives_60_seconds() {
    let kit = TestProvider::new();
    let (first, second) = (kit.code("alice", "web", "openid"), kit.code("alice", "web", "openid"));
    kit.clock.advance(seconds(60) - millis(1));
    let _ = kit.exchange(&first).expect_status(200);
    kit.clock.advance(millis(1));
    assert_refused!(kit.exchange(&second), CODE_EXPIRED);
    kit.clock.advance(hours(2));
    assert_refused!(kit.exchange(&second), CODE_UNKNOWN);
}

/// CODE-01, AUTHZ-51: `redirect_uri` has to be repeated if it was sent (RFC 6749 section 4.1.3).
#[test]
fn the_redirect_uri_is_repeated_if_it_was_sent() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid").without("redirect_uri");
    let _ = kit.exchange(&request.open(&ua).expect_code()).expect_status(200);
    // Sent all the same, it has to be the one that was used.
    let code = request.open(&ua).expect_code();
    let other = kit.code_request(&code).param("redirect_uri", "https://other.example/cb").send();
    assert_refused!(other, CODE_REDIRECT_URI);
    let _ = kit.code_request(&code).param("redirect_uri", "https://web.example/cb").send().expect_status(200);
}

/// PKCE-06, PKCE-07
#[test]
fn the_verifier_has_to_fit() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid");
    let with = |verifier: &str| kit.code_request(&code).set("code_verifier", verifier).send();
    let good = code.verifier.clone().expect("PKCE is automatic");
    for malformed in ["short", &"a".repeat(42), &"a".repeat(129), &good.replacen(|_: char| true, "+", 1)] {
        assert_refused!(with(malformed), MALFORMED_VERIFIER);
    }
    assert_refused!(with(&"a".repeat(43)), CODE_VERIFIER);
    assert_refused!(with(&"~".repeat(128)), CODE_VERIFIER);
    let _ = with(&good).expect_status(200);
}

/// PKCE-06, PKCE-04: a verifier without a challenge is a sign of a downgrade (RFC 9700 section 4.8.2).
#[test]
fn a_verifier_without_a_challenge_is_refused() {
    let kit = TestProvider::new();
    kit.put_client(
        r#"{"client_id":"old","redirect_uris":["https://old.example/cb"],"id_token_signed_response_alg":"ES256",
            "chancery":{"pkce_optional":true}}"#,
    );
    let code = kit.code("alice", "old", "openid");
    assert_eq!(code.verifier, None);
    assert_refused!(kit.code_request(&code).param("code_verifier", &"a".repeat(43)).send(), CODE_VERIFIER);
    let _ = kit.exchange(&code).expect_status(200);
}

/// CODE-08, CODE-10, TOKEN-05: with `openid` there is an ID token, and the access token is for UserInfo.
#[test]
fn with_openid_there_is_an_id_token() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid email");
    assert_eq!(tokens["scope"], "openid email");
    assert_eq!(kit.id_token(&tokens, "web").claims["sub"], "alice");
    assert_eq!(kit.userinfo(tokens.member("access_token"))["email"], "alice@example.org");

    let plain = kit.tokens("alice", "machine", "read");
    assert_eq!((&plain["scope"], plain.json().get("id_token")), (&"read".into(), None));
    assert_eq!(kit.introspect("api", plain.member("access_token"))["aud"], "https://api.example");
}

/// CODE-08, AUTHZ-51, GRANT-03: a scope that was not granted is not in the tokens.
#[test]
fn only_what_was_granted_is_issued() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let scopes = |text: &str| chancery_types::Scopes::parse(text).expect("scopes");
    let (scopes, rejected_scopes) = (scopes("openid"), scopes("email"));
    let answer = chancery_core::model::ConsentAnswer { scopes, rejected_scopes, ..Default::default() };
    ua.has_answered("alice", "web", answer);
    let code = kit.authorization_request("web").scope("openid email").open(&ua).expect_code();
    let tokens = kit.exchange(&code).expect_status(200);
    assert_eq!(tokens["scope"], "openid");
    assert!(kit.userinfo(tokens.member("access_token"))["email"].is_null());
}

/// CODE-09, CONF-08
#[test]
fn a_refresh_token_needs_grant_type_and_offline_access() {
    let kit = TestProvider::new();
    let has_one =
        |client: &str, scope: &str| kit.tokens("alice", client, scope).json().get("refresh_token").is_some();
    assert!(has_one("web", "openid offline_access"));
    assert!(!has_one("web", "openid"));
    assert!(has_one("machine", "read"), "refresh_tokens = always");
    kit.put_client(
        r#"{"client_id":"short","redirect_uris":["https://short.example/cb"],"id_token_signed_response_alg":"ES256",
            "chancery":{"refresh_tokens":"always"}}"#,
    );
    assert!(!has_one("short", "openid offline_access"), "the grant type is not registered");
}

/// TOKEN-11, GRANT-09, GAP-02: the gate looks at the account before anything is used up.
#[test]
fn the_account_is_asked() {
    let kit = TestProvider::new();
    for (id, end, reason) in [
        ("carol", &(|id: &str| kit.accounts.remove(id)) as &dyn Fn(&str), &ACCOUNT_GONE),
        ("dave", &|id: &str| kit.accounts.disable(id), &ACCOUNT_DISABLED),
        ("erin", &|id: &str| kit.accounts.sign_out_everywhere(id), &SIGNED_OUT_EVERYWHERE),
    ] {
        kit.accounts.add(id);
        let code = kit.code(id, "web", "openid");
        end(id);
        assert_refused!(kit.exchange(&code), *reason);
        kit.accounts.add(id);
        let _ = kit.exchange(&code).expect_status(200);
    }
}

/// SESS-20, SESS-21, SESS-22, GRANT-09: a code dies with its session, unless it was granted for later.
#[test]
fn a_code_dies_with_its_session() {
    let kit = TestProvider::new();
    for (scope, dies) in [("openid", true), ("openid offline_access", false)] {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", scope);
        let code = kit.authorization_request("web").scope(scope).open(&ua).expect_code();
        ua.ends_session();
        let answer = kit.exchange(&code);
        if dies {
            assert_refused!(answer, CODE_UNKNOWN);
        } else {
            assert_eq!(answer.status, 200);
        }
    }
}

/// SESS-20: so do the tokens; an offline refresh token lives on.
#[test]
fn tokens_die_with_their_session() {
    let kit = TestProvider::new();
    for (scope, dies) in [("openid", true), ("openid offline_access", false)] {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", scope);
        let code = kit.authorization_request("web").scope(scope).open(&ua).expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        ua.ends_session();
        assert_eq!(kit.is_active("web", tokens.member("access_token")), !dies, "{scope}");
        assert_eq!(kit.userinfo(tokens.member("access_token")).status == 401, dies, "{scope}");
    }
}

/// GAP-08, AT-02: what was stored opens nothing.
#[test]
fn what_is_stored_opens_nothing() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid offline_access");
    let tokens = kit.exchange(&code).expect_status(200);
    let refreshed = kit.refresh("web", tokens.member("refresh_token")).expect_status(200);
    let secrets = [
        code.code.as_str(),
        code.verifier.as_deref().expect("PKCE"),
        tokens.member("access_token"),
        tokens.member("refresh_token"),
        refreshed.member("refresh_token"),
        tokens.member("id_token"),
        chancery_testkit::SECRET,
    ];
    assert!(kit.interleaved.has_written("\"web\""), "the search works");
    for secret in secrets {
        assert!(!kit.interleaved.has_written(secret));
        // Nor without the letters in front and the partition.
        assert!(!kit.interleaved.has_written(&secret[secret.len() / 2..]));
    }
}

/// TOKEN-09, CODE-01, CODE-03, ERR-16
#[test]
fn what_must_not_be_exchanged() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid");
    let request = || kit.code_request(&code);
    let grant = Refused::Json(400, "invalid_grant");
    let malformed = Refused::Json(400, "invalid_request");
    let refresh_token =
        kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
    NegativeTable::new(&kit)
        .row("no code", request().without("code"), malformed)
        .row("an empty code", request().set("code", ""), malformed)
        .row("two codes", request().param("code", "x"), malformed)
        .row("two redirect URIs", request().param("redirect_uri", "x"), malformed)
        .row("two verifiers", request().param("code_verifier", "x"), malformed)
        .row("no code at all", request().set("code", "nonsense"), grant)
        .row("a refresh token", request().set("code", &refresh_token), grant)
        .row("one letter more", request().set("code", &format!("{}A", code.code)), grant)
        .row("another redirect URI", request().set("redirect_uri", "https://web.example/cb?x"), grant)
        .row("a redirect URI in capitals", request().set("redirect_uri", "HTTPS://web.example/cb"), grant)
        .row("no redirect URI", request().without("redirect_uri"), grant)
        .row("no verifier", request().without("code_verifier"), grant)
        .row(
            "by a client without the grant type",
            kit.request("/token", "api").param("grant_type", "authorization_code").param("code", &code.code),
            Refused::Json(400, "unauthorized_client"),
        )
        .run();
    kit.clock.advance(days(1));
    NegativeTable::new(&kit).row("after a day", request(), grant).run();
}

/// RFC 6749 section 4.1.2: a code that is shown again ends what came of it, for as long as an access token of
/// it can live; also where a resource server's tokens live longer than `authorization_code.remembered`.
#[test]
fn a_late_replay_ends_the_tokens_of_a_resource_server_with_a_long_lifetime() {
    let server = r#"{"uri":"https://slow.example","scopes":["slow"],"lifetime":"1d"}"#;
    let client = r#"{"client_id":"slow","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://slow.example/cb"],"chancery":{"default_resource":"https://slow.example"}}"#;
    let kit =
        TestProvider::builder().resource_server(serde_json::from_str(server).unwrap()).client(client).build();
    let code = kit.code("alice", "slow", "slow");
    let tokens = kit.exchange(&code).expect_status(200);
    kit.clock.advance(hours(2));
    assert!(kit.is_active("slow", tokens.member("access_token")));
    assert_refused!(kit.exchange(&code), CODE_USED);
    assert!(!kit.is_active("slow", tokens.member("access_token")));
}
