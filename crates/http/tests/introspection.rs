//! RFC 7662, token introspection: who may ask, what is told, and what is told of nothing.

use chancery_core::endpoint::introspection::ASKER_UNAUTHENTICATED;
use chancery_testkit::{
    Answer, NegativeTable, Refused, SECRET, TestProvider, assert_refused, hours, seconds,
};
use serde_json::Value;

/// A provider with a client that may introspect the tokens of some others.
fn with_inspector() -> TestProvider {
    let inspector = format!(
        r#"{{"client_id":"inspector","client_secret":"{SECRET}","response_types":[],
            "grant_types":["client_credentials"],"chancery":{{"introspects":["web","spa","jwt","machine"]}}}}"#
    );
    TestProvider::builder().client(&inspector).build()
}

/// INTRO-04, INTRO-05, INTRO-06: owner, named clients, the introspector of the resource server, nobody else;
/// of a refresh token only its owner.
#[test]
fn who_may_introspect() {
    let kit = with_inspector();
    let opaque = kit.tokens("alice", "web", "openid offline_access");
    for (client, active) in [("web", true), ("inspector", true), ("api", false), ("post", false)] {
        assert_eq!(kit.is_active(client, opaque.member("access_token")), active, "{client}");
        assert_eq!(kit.is_active(client, opaque.member("refresh_token")), client == "web", "{client}");
    }
    let jwt = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    for (client, active) in
        [("jwt", true), ("inspector", true), ("api", true), ("web", false), ("machine", false)]
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
        revoked("web", jwt).events.is_empty() && kit.is_active("inspector", jwt),
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
    let all = kit.tokens("alice", "web", "openid offline_access");
    for hint in ["access_token", "refresh_token", "urn:ietf:params:oauth:token-type:refresh_token", "x"] {
        for token in ["access_token", "refresh_token"] {
            let request = kit.introspection_request("web", all.member(token)).param("token_type_hint", hint);
            assert_eq!(request.send().expect_status(200)["active"], true, "{token} as {hint}");
        }
    }
    kit.clock.advance(hours(1));
    assert!(!kit.is_active("web", all.member("access_token")));
    let revoke = |token: &str| -> Answer {
        let request =
            kit.revocation_request("web", all.member(token)).param("token_type_hint", "access_token");
        request.send().expect_status(200)
    };
    assert!(revoke("access_token").events.is_empty(), "it is over already");
    assert_eq!(revoke("refresh_token").event_names(), ["grant_ended"]);
}

/// INTRO-01, INTRO-05: RFC 7662 section 4, RFC 9701 section 5: a client that does not authenticate learns nothing, not
/// even about its own tokens, and the metadata say so. With the setting it sees its own, and never as a JWT.
#[test]
fn clients_that_do_not_authenticate() {
    const METHODS: &str = "introspection_endpoint_auth_methods_supported";
    for is_permitted in [false, true] {
        let kit = TestProvider::builder()
            .configure(|config| config.compatibility.unauthenticated_introspection = is_permitted)
            .build();
        let [own, others] = ["spa", "web"].map(|client| kit.tokens("alice", client, "openid offline_access"));
        let seen = |client: &str, token: &str| {
            let answer = kit.introspection_request(client, token).send();
            match is_permitted {
                true => answer.expect_status(200)["active"].clone(),
                false => {
                    assert_refused!(answer, ASKER_UNAUTHENTICATED);
                    Value::Null
                }
            }
        };
        for (client, token, is_seen) in [
            ("spa", own.member("access_token"), true),
            ("spa", own.member("refresh_token"), true),
            ("native", own.member("access_token"), false),
            ("spa", others.member("access_token"), false),
            ("spa", others.member("refresh_token"), false),
            ("spa", own.member("id_token"), false),
            ("spa", "x", false),
        ] {
            let expected = if is_permitted { Value::Bool(is_seen) } else { Value::Null };
            assert_eq!(seen(client, token), expected, "{client}: {token}");
        }
        let jwt = kit.introspection_request("spa", own.member("access_token"));
        let jwt = jwt.header("accept", "application/token-introspection+jwt").send();
        assert_refused!(jwt, ASKER_UNAUTHENTICATED);
        let metadata = kit.get("/.well-known/openid-configuration");
        let methods = metadata[METHODS].as_array().cloned().unwrap_or_default();
        assert_eq!(methods.contains(&"none".into()), is_permitted);
        assert!(metadata["revocation_endpoint_auth_methods_supported"].to_string().contains("\"none\""));
    }
}

/// INTRO-01, REV-02: what both endpoints refuse.
#[test]
fn what_must_not_be_answered() {
    let kit = TestProvider::new();
    let mut table = NegativeTable::new(&kit);
    let (malformed, failed) = (Refused::Json(400, "invalid_request"), Refused::Json(401, "invalid_client"));
    table = table.row("no authentication", kit.introspection_request("spa", "1"), malformed);
    for path in ["/introspect", "/revoke"] {
        let by = |client: &str| kit.request(path, client);
        let rows = [
            ("no token", by("web"), malformed),
            ("an empty token", by("web").param("token", ""), malformed),
            ("two tokens", by("web").param("token", "1").param("token", "2"), malformed),
            ("nobody", by("web").unauthenticated().param("token", "1"), malformed),
            (
                "an unknown client",
                by("web").unauthenticated().param("client_id", "x").param("token", "1"),
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
