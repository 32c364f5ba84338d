//! RFC 7662, token introspection: who may ask, what is told, and what is told of nothing.

use chancery_testkit::{Answer, NegativeTable, Refused, SECRET, TestProvider, hours, seconds};

/// A provider with a client that may introspect the tokens of some others.
fn with_inspector() -> TestProvider {
    let inspector = format!(
        r#"{{"client_id":"inspector","client_secret":"{SECRET}","response_types":[],
            "grant_types":["client_credentials"],"chancery":{{"introspects":["spa","jwt","machine"]}}}}"#
    );
    TestProvider::builder().client(&inspector).build()
}

/// INTRO-04, INTRO-05, INTRO-06: owner, named clients, the introspector of the resource server, nobody else;
/// of a refresh token only its owner.
#[test]
fn who_may_introspect() {
    let kit = with_inspector();
    let opaque = kit.tokens("alice", "spa", "openid offline_access");
    for (client, active) in
        [("spa", true), ("inspector", true), ("api", false), ("web", false), ("native", false)]
    {
        assert_eq!(kit.is_active(client, opaque.member("access_token")), active, "{client}");
        assert_eq!(kit.is_active(client, opaque.member("refresh_token")), client == "spa", "{client}");
    }
    let jwt = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    for (client, active) in
        [("jwt", true), ("inspector", true), ("api", true), ("spa", false), ("machine", false)]
    {
        assert_eq!(kit.is_active(client, &jwt), active, "{client}");
    }
    let told = kit.introspect("api", &jwt);
    let expected =
        [("sub", "alice"), ("client_id", "jwt"), ("scope", "read"), ("aud", "https://jwt-api.example")];
    for (name, value) in expected {
        assert_eq!(told[name], value, "{}", told.text());
    }
    for no_token in ["at_", "a.b.c", opaque.member("id_token")] {
        assert!(!kit.is_active("inspector", no_token), "{no_token}");
    }
}

/// INTRO-07, AT-12: a JWT of a grant takes two trips to look at, dies with its grant, and can be marked as
/// revoked.
#[test]
fn a_jwt_under_a_grant() {
    let kit = with_inspector();
    let first = kit.tokens("alice", "jwt", "read");
    assert_eq!((first["id_token"].is_string(), first["refresh_token"].is_string()), (false, true));
    assert_eq!(first["expires_in"], 300);
    let jwt = first.member("access_token");
    assert_eq!(kit.trips(|| kit.is_active("inspector", jwt)), (true, 2));
    let revoked = |client: &str, token: &str| kit.revoke(client, token).expect_status(200);
    assert!(
        revoked("spa", jwt).events.is_empty() && kit.is_active("inspector", jwt),
        "it is not this client's"
    );
    assert_eq!(revoked("jwt", jwt).event_names(), ["token_revoked"]);
    assert!(revoked("jwt", jwt).events.is_empty(), "there is nothing more to revoke");
    assert!(!kit.is_active("inspector", jwt));
    let _ = kit.refresh("jwt", first.member("refresh_token")).expect_status(200);

    let second = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    kit.clock.advance(seconds(299));
    assert!(kit.is_active("inspector", &second));
    kit.clock.advance(seconds(1));
    assert!(!kit.is_active("inspector", &second));

    let own = kit.client_credentials_request("jwt").send().member("access_token").to_owned();
    assert_eq!(revoked("jwt", &own).event_names(), ["token_revoked"]);
    assert!(!kit.is_active("inspector", &own));
}

/// INTRO-03, REV-07: `token_type_hint` changes nothing (RFC 7662 section 2.1, RFC 7009 section 2.1).
#[test]
fn a_hint_changes_nothing() {
    let kit = TestProvider::new();
    let all = kit.tokens("alice", "spa", "openid offline_access");
    for hint in ["access_token", "refresh_token", "urn:ietf:params:oauth:token-type:refresh_token", "x"] {
        for token in ["access_token", "refresh_token"] {
            let request = kit.introspection_request("spa", all.member(token)).param("token_type_hint", hint);
            assert_eq!(request.send().expect_status(200)["active"], true, "{token} as {hint}");
        }
    }
    kit.clock.advance(hours(1));
    assert!(!kit.is_active("spa", all.member("access_token")));
    let revoke = |token: &str| -> Answer {
        let request =
            kit.revocation_request("spa", all.member(token)).param("token_type_hint", "access_token");
        request.send().expect_status(200)
    };
    assert!(revoke("access_token").events.is_empty(), "it is over already");
    assert_eq!(revoke("refresh_token").event_names(), ["grant_ended"]);
}

/// INTRO-01, REV-02: what both endpoints refuse.
#[test]
fn what_must_not_be_answered() {
    let kit = TestProvider::new();
    let mut table = NegativeTable::new(&kit);
    let (malformed, failed) = (Refused::Json(400, "invalid_request"), Refused::Json(401, "invalid_client"));
    for path in ["/introspect", "/revoke"] {
        let by = |client: &str| kit.request(path, client);
        let rows = [
            ("no token", by("spa"), malformed),
            ("an empty token", by("spa").param("token", ""), malformed),
            ("two tokens", by("spa").param("token", "1").param("token", "2"), malformed),
            ("nobody", by("spa").unauthenticated().param("token", "1"), malformed),
            (
                "an unknown client",
                by("spa").unauthenticated().param("client_id", "x").param("token", "1"),
                failed,
            ),
            ("a wrong secret", by("web").secret("wrong").param("token", "1"), failed),
        ];
        for (name, request, refused) in rows {
            table = table.row(format!("{path}: {name}"), request, refused);
        }
    }
    table.run();
}
