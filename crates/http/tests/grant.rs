//! RFC 6749 sections 4.1.2 and 10.5, RFC 7009 section 2.1: a grant is one authorization of one client, and
//! everything that was issued for it ends with it.

use chancery_core::policy::{CLIENT_REPLACED, SUBJECT_IS_A_CLIENT, TokenPolicy};
use chancery_testkit::{
    NegativeTable, Refused, SECRET, TestProvider, assert_refused, check_refused_by_name, days, hours, names,
    refusals, seconds,
};

/// GRANT-09, EVT-05: when a grant ends, code, access and refresh tokens are dead in the same instant; there
/// is one event, and none for each token.
#[test]
fn a_grant_ends_as_a_whole() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let refreshed = kit.refresh("web", tokens.member("refresh_token")).expect_status(200);
    let revoked = kit.revoke("web", refreshed.member("refresh_token")).expect_status(200);
    let count = |name| revoked.event_names().iter().filter(|have| **have == name).count();
    assert_eq!(count("grant_ended"), 1, "{:?}", revoked.event_names());
    assert!(
        count("token_revoked") <= 1 && refusals(&revoked.events).is_empty(),
        "{:?}",
        revoked.event_names()
    );
    for token in [tokens.member("access_token"), refreshed.member("access_token")] {
        assert!(!kit.is_active("web", token));
        let userinfo = kit.userinfo(token);
        assert_eq!((userinfo.status.as_u16(), userinfo["error"].as_str()), (401, Some("invalid_token")));
    }
    assert_eq!(kit.refresh("web", refreshed.member("refresh_token")).member("error"), "invalid_grant");
    // What the person agreed to stands: the next request is answered without a question (GRANT-09's other
    // half is a withdrawn consent).
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let _ = kit.authorization_request("web").scope("openid offline_access").open(&ua).expect_code();
}

/// GAP-11, GRANT-08, RT-07: nothing caps a refresh chain but its own ends: idle 14 days, 90 days in all.
#[test]
fn no_grant_cuts_a_refresh_chain_short() {
    let kit = TestProvider::new();
    let mut token = kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
    let mut refresh = || {
        let answer = kit.refresh("web", &token);
        if answer.status == 200 {
            answer.member("refresh_token").clone_into(&mut token);
            assert!(kit.is_active("web", answer.member("access_token")));
        }
        answer.status.as_u16()
    };
    for day in 1..=6 {
        kit.clock.advance(days(14) - seconds(1));
        assert_eq!(refresh(), 200, "after {} days", day * 14);
    }
    kit.clock.advance(days(6));
    assert_eq!(refresh(), 200, "the last of 90 days");
    kit.clock.advance(seconds(7));
    assert_eq!(refresh(), 400);
}

/// SESS-22, GRANT-10: an offline grant outlives the session's idle and absolute end; one without
/// `offline_access` does not.
#[test]
fn offline_grants_outlive_the_session() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid offline_access");
    let code = |client, scope: &str| kit.authorization_request(client).scope(scope).open(&ua).expect_code();
    let away = kit.exchange(&code("web", "openid offline_access")).expect_status(200);
    let here = kit.exchange(&code("operator", "openid")).expect_status(200);
    kit.clock.advance(days(13));
    let away = kit.refresh("web", away.member("refresh_token")).expect_status(200);
    let here = kit.refresh("operator", here.member("refresh_token")).expect_status(200);
    // Refreshing is the client's doing; it does not keep the person signed in.
    kit.clock.advance(days(2));
    let _ = kit.refresh("web", away.member("refresh_token")).expect_status(200);
    let lost = kit.refresh("operator", here.member("refresh_token")).expect_status(400);
    assert_eq!(lost.member("error"), "invalid_grant");
}

/// GAP-02, TOKEN-11: the account is deleted, disabled, or signed out everywhere: nothing that was granted
/// before works, wherever it is shown; a new login starts afresh.
#[test]
fn a_lost_account_ends_every_grant() {
    type Loss = fn(&TestProvider);
    let losses: [Loss; 3] = [
        |kit| kit.accounts.remove("alice"),
        |kit| kit.accounts.disable("alice"),
        |kit| kit.accounts.sign_out_everywhere("alice"),
    ];
    for lose in losses {
        let kit = TestProvider::new();
        let tokens = kit.tokens("alice", "web", "openid offline_access");
        let code = kit.code("alice", "web", "openid");
        lose(&kit);
        assert_eq!(kit.exchange(&code).expect_status(400).member("error"), "invalid_grant");
        let refreshed = kit.refresh("web", tokens.member("refresh_token")).expect_status(400);
        assert_eq!(refreshed.member("error"), "invalid_grant");
        assert!(!kit.is_active("web", tokens.member("access_token")));
        assert!(!kit.is_active("web", tokens.member("refresh_token")));
        assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401);
        kit.accounts.add("alice");
        kit.clock.advance(seconds(2));
        let fresh = kit.tokens("alice", "web", "openid");
        assert!(kit.is_active("web", fresh.member("access_token")));
    }
}

/// TOKEN-11, UINF-06, GRANT-09: the gate, for each use of a token, in each way it closes; the event says
/// which it was.
#[test]
fn the_gate_closes_for_every_use() {
    type Loss = fn(&TestProvider);
    let ways: [(Loss, &str, &str); 4] = [
        (|kit| kit.accounts.disable("alice"), "gate_account_disabled", "invalid_grant"),
        (|kit| kit.accounts.remove("alice"), "gate_account_gone", "invalid_grant"),
        (|kit| kit.accounts.sign_out_everywhere("alice"), "gate_signed_out_everywhere", "invalid_grant"),
        (|kit| kit.remove_client("spa"), "client_unknown", "invalid_client"),
    ];
    for (close, name, code) in ways {
        let inspector = format!(
            r#"{{"client_id":"inspector","client_secret":"{SECRET}","response_types":[],
                "grant_types":["client_credentials"],"chancery":{{"introspects":["spa"]}}}}"#
        );
        let kit = TestProvider::builder().client(&inspector).build();
        let all = kit.tokens("alice", "spa", "openid offline_access");
        let held = kit.code("alice", "spa", "openid");
        assert!(kit.is_active("inspector", all.member("access_token")));
        kit.clock.advance(seconds(1));
        close(&kit);
        assert!(!kit.is_active("inspector", all.member("access_token")), "{name}");
        assert_refused!(kit.userinfo(all.member("access_token")), "invalid_token", "access_token_withdrawn");
        check_refused_by_name(&kit.refresh("spa", all.member("refresh_token")), code, name);
        check_refused_by_name(&kit.exchange(&held), code, name);
    }
}

/// A client that was removed leaves nothing to the next one of the same id, in no form of token.
#[test]
fn another_client_of_the_same_id_gets_nothing() {
    let kit = TestProvider::new();
    let registration = |id: &str, own: &str| {
        format!(
            r#"{{"client_id":"{id}","client_secret":"{SECRET}","redirect_uris":["https://{id}.example/cb"],
                "id_token_signed_response_alg":"ES256","scope":"openid offline_access read",
                "grant_types":["authorization_code","refresh_token","client_credentials"],
                "chancery":{{"refresh_tokens":"always"{own}}}}}"#
        )
    };
    let opaque = registration("opaque", "");
    let signed = registration("signed", r#","default_resource":"https://jwt-api.example""#);
    kit.put_client(&opaque);
    kit.put_client(&signed);
    let first = kit.tokens("alice", "opaque", "openid offline_access");
    let jwt = kit.tokens("alice", "signed", "read");
    let code = kit.code("alice", "opaque", "openid");
    let own = |client: &str| kit.client_credentials_request(client).send().expect_status(200);
    let owned = ["opaque", "signed"].map(|client| (client, own(client).member("access_token").to_owned()));
    for metadata in [&opaque, &signed] {
        kit.replace_client(metadata);
    }
    kit.clock.advance(seconds(1));
    assert!(!kit.is_active("opaque", first.member("access_token")));
    assert!(!kit.is_active("signed", jwt.member("access_token")));
    for (client, token) in &owned {
        assert!(!kit.is_active(client, token), "{client}");
    }
    assert_eq!(kit.userinfo(first.member("access_token")).status, 401);
    assert_refused!(kit.refresh("opaque", first.member("refresh_token")), CLIENT_REPLACED);
    assert_refused!(kit.exchange(&code), CLIENT_REPLACED);
    // What the new one gets is its own.
    let fresh = kit.tokens("alice", "opaque", "openid");
    assert!(kit.is_active("opaque", fresh.member("access_token")));
    assert!(kit.is_active("signed", own("signed").member("access_token")));
}

/// What has expired is removed, however much it is, and nothing else.
#[test]
fn sweeping_takes_everything_that_has_ended() {
    let kit = TestProvider::new();
    for _ in 0..3 {
        let _ = kit.client_credentials_request("api").send().expect_status(200);
    }
    kit.clock.advance(seconds(599));
    assert_eq!(kit.run_once(), 0);
    kit.clock.advance(seconds(1));
    assert_eq!((kit.run_once(), kit.run_once()), (3, 0));
}

/// GRANT-12: tokens of a client itself hang on no grant, and nothing that people do touches them.
#[test]
fn client_credentials_hang_on_nobody() {
    let kit = TestProvider::new();
    let own = kit.client_credentials_request("machine").param("scope", "read").send().expect_status(200);
    let _ = kit.tokens("alice", "machine", "read");
    let _ = kit.withdraw_consent("alice", "machine");
    kit.accounts.remove("alice");
    assert!(kit.is_active("machine", own.member("access_token")));
}

/// GRANT-11: an access token that is revoked ends alone, unless the application decides otherwise.
#[test]
fn revoking_an_access_token_ends_it_alone() {
    struct Strict;
    impl TokenPolicy for Strict {
        fn ends_grant(&self, _: chancery_core::policy::TokenKind) -> bool {
            true
        }
    }
    for (kit, lives_on) in
        [(TestProvider::new(), true), (TestProvider::builder().token_policy(Strict).build(), false)]
    {
        let tokens = kit.tokens("alice", "web", "openid offline_access");
        let _ = kit.revoke("web", tokens.member("access_token")).expect_status(200);
        assert!(!kit.is_active("web", tokens.member("access_token")));
        assert_eq!(kit.is_active("web", tokens.member("refresh_token")), lives_on);
    }
}

/// Withdrawn in the middle of everything: more grants than one page of the store lists end, and one event
/// tells of it.
#[test]
fn many_grants_end_at_once() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid offline_access");
    let request = kit.authorization_request("web").scope("openid offline_access");
    let tokens: Vec<_> = (0..230).map(|_| kit.exchange(&request.open(&ua).expect_code())).collect();
    let ((ended, events), trips) = kit.trips(|| kit.withdraw_consent("alice", "web"));
    assert_eq!((ended, names(&events)), (230, vec!["consent_withdrawn", "grant_ended"]));
    // The consent, three pages and each grant; then the consent and one page once more, to see that nothing
    // came meanwhile.
    assert_eq!(trips, (1 + 3 + 230) + (1 + 1));
    assert!(tokens.iter().all(|tokens| !kit.is_active("web", tokens.member("access_token"))));
}

/// A grant leaves no record behind: when all its ends have passed, a sweep finds everything.
#[test]
fn nothing_stays_for_ever() {
    let kit = TestProvider::new();
    let _ = kit.tokens("alice", "web", "openid offline_access");
    assert_eq!(kit.run_once(), 0);
    kit.clock.advance(days(92));
    // Session, grant, code, access token and refresh family; the consent stays for its year.
    assert_eq!(kit.run_once(), 5);
    kit.clock.advance(days(300));
    assert_eq!((kit.run_once(), kit.run_once()), (1, 0));
}

/// RFC 6749 section 5.2: one row per thing of a dead grant.
#[test]
fn what_a_dead_grant_is_worth() {
    let kit = TestProvider::new();
    let scope = "openid offline_access";
    let (tokens, code) = (kit.tokens("alice", "web", scope), kit.code("alice", "web", scope));
    let (ended, _) = kit.withdraw_consent("alice", "web");
    assert_eq!(ended, 2);
    assert_refused!(kit.exchange(&code), "invalid_grant", "code_unknown");
    kit.clock.advance(hours(1) + seconds(30));
    NegativeTable::new(&kit)
        .row("its code", kit.code_request(&code), Refused::Json(400, "invalid_grant"))
        .row(
            "its refresh token",
            kit.refresh_request("web", tokens.member("refresh_token")),
            Refused::Json(400, "invalid_grant"),
        )
        .row(
            "its access token",
            kit.anonymous_request("/userinfo").param("access_token", tokens.member("access_token")),
            Refused::Json(401, "invalid_token"),
        )
        .run();
}

/// RFC 9068 section 5: `sub` names a person or a client, and never both. Whoever chose the id of a client as
/// their own gets nothing that could be taken for the client's; neither does a person whose id a client takes
/// later.
#[test]
fn a_person_is_not_taken_for_a_client() {
    let kit = TestProvider::new();
    for id in ["machine", "web"] {
        kit.accounts.add(id);
        let code = kit.code(id, "web", "openid");
        assert_refused!(kit.exchange(&code), SUBJECT_IS_A_CLIENT);
    }
    kit.accounts.add("Machine");
    assert_eq!(kit.tokens("Machine", "machine", "read")["scope"], "read", "another id");
    let tokens = kit.tokens("bob", "web", "openid offline_access");
    kit.put_client(
        r#"{"client_id":"bob","token_endpoint_auth_method":"none","redirect_uris":["https://bob.example/cb"]}"#,
    );
    kit.clock.advance(seconds(2));
    assert_refused!(kit.refresh("web", tokens.member("refresh_token")), SUBJECT_IS_A_CLIENT);
    kit.remove_client("bob");
    kit.clock.advance(seconds(2));
    assert_eq!(kit.refresh("web", tokens.member("refresh_token")).status, 200, "nothing was used up");
}

/// A client that is switched off has nothing: whatever it got is worth nothing at introspection and UserInfo,
/// to whomever asks; switched on again, it goes on where it was.
#[test]
fn a_disabled_client_has_nothing() {
    let inspector = format!(
        r#"{{"client_id":"inspector","client_secret":"{SECRET}","response_types":[],
            "grant_types":["client_credentials"],"chancery":{{"introspects":["c"]}}}}"#
    );
    let client = |resource: &str, is_enabled: bool| {
        format!(
            r#"{{"client_id":"c","client_secret":"{SECRET}","redirect_uris":["https://c.example/cb"],
                "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","refresh_token","client_credentials"],
                "chancery":{{"refresh_tokens":"always","enabled":{is_enabled},"default_resource":"{resource}"}}}}"#
        )
    };
    for resource in ["https://api.example", "https://jwt-api.example"] {
        let kit = TestProvider::builder().client(&inspector).client(&client(resource, true)).build();
        let both = kit.tokens("alice", "c", "openid read");
        let plain = kit.tokens("alice", "c", "openid");
        let own = kit.client_credentials_request("c").param("scope", "read").send().expect_status(200);
        let code = kit.code("alice", "c", "openid");
        let is_good = || {
            let active =
                [&both, &plain, &own].map(|tokens| kit.is_active("inspector", tokens.member("access_token")));
            let known =
                [&both, &plain].map(|tokens| kit.userinfo(tokens.member("access_token")).status == 200);
            (active, known)
        };
        assert_eq!(is_good(), ([true; 3], [true; 2]), "{resource}");
        kit.put_client(&client(resource, false));
        kit.clock.advance(seconds(2));
        assert_eq!(is_good(), ([false; 3], [false; 2]), "{resource}");
        assert_eq!(
            kit.refresh("c", both.member("refresh_token")).expect_status(401)["error"],
            "invalid_client"
        );
        assert_eq!(kit.exchange(&code).expect_status(401)["error"], "invalid_client");
        kit.put_client(&client(resource, true));
        kit.clock.advance(seconds(2));
        assert_eq!(is_good(), ([true; 3], [true; 2]), "{resource}");
        assert_eq!(kit.refresh("c", both.member("refresh_token")).status, 200);
    }
}
