//! What tokens are worth, and what ends them: UserInfo, introspection (RFC 7662), revocation (RFC 7009), the gate.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chancery_core::endpoint::introspection::Introspection;
use chancery_core::endpoint::userinfo::UserInfo;
use chancery_core::issue::TokenResponse;
use chancery_core::model::Epoch;

use crate::world::{SECRET, World, refused};

fn tokens(world: &World, client: &str, scopes: &str) -> TokenResponse {
    let code = world.code(client, scopes);
    let tokens = world.exchange(client, &code).unwrap();
    world.heard();
    tokens
}

/// INTRO-04, INTRO-05, INTRO-06: owner, named clients, nobody else; of a refresh token only its owner.
#[test]
fn who_may_introspect() {
    let world = World::new();
    let opaque = tokens(&world, "app", "openid offline_access");
    for (client, active) in [("app", true), ("inspector", true), ("plain", false), ("web", false), ("native", false)] {
        let answer = world.introspect(client, &opaque.access_token);
        assert_eq!(answer != Introspection::Inactive, active, "{client}");
        let answer = world.introspect(client, opaque.refresh_token.as_ref().unwrap());
        assert_eq!(answer != Introspection::Inactive, client == "app", "{client}");
    }
    let jwt = tokens(&world, "web", "read");
    for (client, active) in [("web", true), ("inspector", true), ("plain", true), ("app", false), ("machine", false)] {
        assert_eq!(world.introspect(client, &jwt.access_token) != Introspection::Inactive, active, "{client}");
    }
    let Introspection::Active(json) = world.introspect("plain", &jwt.access_token) else { panic!() };
    for part in [r#""sub":"alice""#, r#""client_id":"web""#, r#""scope":"read""#, r#""aud":"https://api.example""#] {
        assert!(json.contains(part), "{json}");
    }
    let id_token = opaque.id_token.unwrap();
    for bad in ["", "at_", "a.b.c", &*id_token] {
        if !bad.is_empty() {
            assert!(!world.is_active(bad), "{bad}");
        }
    }
}

/// A JWT of a grant: two trips to look at, dead with its grant, and revoked by a mark.
#[test]
fn a_jwt_under_a_grant() {
    let mut world = World::new();
    let first = tokens(&world, "web", "read");
    assert!(first.id_token.is_none() && first.refresh_token.is_some());
    assert_eq!(first.expires_in, Duration::from_secs(300));
    let (active, trips) = world.trips(|| world.is_active(&first.access_token));
    assert_eq!((active, trips), (true, 2));
    world.revoke("app", &first.access_token);
    assert!(world.is_active(&first.access_token), "not this client's");
    world.heard();
    world.revoke("web", &first.access_token);
    world.revoke("web", &first.access_token);
    assert_eq!(world.heard(), ["token_revoked"]);
    assert!(!world.is_active(&first.access_token));
    assert!(world.refresh("web", first.refresh_token.as_ref().unwrap()).is_ok());

    let second = tokens(&world, "web", "read");
    world.wait(Duration::from_secs(299));
    assert!(world.is_active(&second.access_token));
    world.wait(Duration::from_secs(1));
    assert!(!world.is_active(&second.access_token));

    let form = format!("grant_type=client_credentials&client_id=machine&client_secret={SECRET}");
    let machine = world.tokens(&form).unwrap().access_token;
    world.revoke("machine", &machine);
    assert!(!world.is_active(&machine));
}

/// REV-01, REV-04, REV-05, REV-06: an access token ends alone, a refresh token ends its grant; foreign ones stay.
#[test]
fn revocation() {
    let world = World::new();
    let first = tokens(&world, "app", "openid offline_access");
    let refresh_token = first.refresh_token.unwrap();
    for stranger in ["native", "web", "inspector"] {
        world.revoke(stranger, &first.access_token);
        world.revoke(stranger, &refresh_token);
    }
    world.revoke("app", "unknown");
    assert!(world.heard().is_empty());
    world.revoke("app", &first.access_token);
    assert_eq!(world.heard(), ["token_revoked"]);
    assert!(!world.is_active(&first.access_token));
    let second = world.refresh("app", &refresh_token).unwrap();
    world.heard();
    world.revoke("app", second.refresh_token.as_ref().unwrap());
    assert_eq!(world.heard(), ["grant_ended"]);
    assert!(!world.is_active(&second.access_token) && world.userinfo(&second.access_token).is_err());
}

/// TOKEN-11, UINF-06, GRANT-09: the gate, for each use of a token, in each way it closes.
#[test]
fn the_gate() {
    type Closing = fn(&World);
    let ways: [(Closing, &str); 4] = [
        (|world| world.people.change("alice", |account| account.active = false), "gate_account_disabled"),
        (|world| drop(world.people.0.lock().unwrap().remove("alice")), "gate_account_gone"),
        (|world| world.people.change("alice", |account| account.epoch = Epoch(1)), "gate_signed_out_everywhere"),
        (|world| world.registered.remove("app"), "client_unknown"),
    ];
    for (close, name) in ways {
        let mut world = World::new();
        let all = tokens(&world, "app", "openid offline_access");
        let code = world.code("app", "openid");
        world.wait(Duration::from_secs(1));
        close(&world);
        assert!(!world.is_active(&all.access_token), "{name}");
        assert!(!world.is_active(all.refresh_token.as_ref().unwrap()), "{name}");
        assert_eq!(refused(world.userinfo(&all.access_token)).0, "access_token_withdrawn", "{name}");
        assert_eq!(refused(world.refresh("app", all.refresh_token.as_ref().unwrap())).0, name);
        assert_eq!(refused(world.exchange("app", &code)).0, name);
    }
}

/// UINF-01, UINF-02, UINF-03, UINF-06, UINF-08, UINF-15: where the token may stand, and which one counts.
#[test]
fn userinfo_by_exactly_one_mechanism() {
    let world = World::new();
    let token = tokens(&world, "app", "openid email").access_token;
    let header = |scheme: &str| Some(format!("{scheme} {token}"));
    let form = format!("access_token={token}");
    assert!(world.userinfo_by(header("Bearer"), "", "").is_ok());
    assert!(world.userinfo_by(header("bEARER"), "", "").is_ok());
    assert!(world.userinfo_by(None, "", &form).is_ok());
    world.heard();
    for (header, query, body, name) in [
        (None, "", "", "access_token_missing"),
        (None, &*form, "", "access_token_in_query"),
        (header("Bearer"), &*form, "", "access_token_in_query"),
        (header("Bearer"), "", &*form, "access_token_in_several_places"),
        (header("Basic"), "", "", "bearer_header_malformed"),
        (Some(format!("Bearer{token}")), "", "", "bearer_header_malformed"),
        (Some(format!("Bearer {token} {token}")), "", "", "bearer_header_malformed"),
        (Some("Bearer at_unknown".to_owned()), "", "", "access_token_unknown"),
        (None, "", "access_token=1&access_token=2", "malformed_parameter"),
    ] {
        assert_eq!(refused(world.userinfo_by(header, query, body)).0, name);
    }
    let without = tokens(&world, "app", "email").access_token;
    assert_eq!(refused(world.userinfo(&without)).0, "openid_scope_missing");
    let jwt = tokens(&world, "web", "read").access_token;
    assert_eq!(refused(world.userinfo(&jwt)).0, "access_token_for_another_audience");
    assert!(world.heard().is_empty());
}

/// UINF-11, UINF-12, CLAIM-09, CLAIM-10: signed when registered; accounts cannot change the subject or add claims.
#[test]
fn signed_userinfo() {
    let world = World::new();
    let all = tokens(&world, "web", "openid profile");
    let UserInfo::Jwt(jwt) = world.userinfo(&all.access_token).unwrap() else { panic!() };
    let claims = world.verified(&jwt).claims().unwrap();
    assert_eq!((claims.iss.as_deref(), claims.sub.as_deref()), (Some("https://op.example"), Some("alice")));
    assert_eq!((claims.aud.clone(), claims.exp.unwrap().secs()), (vec!["web".to_owned()], 1_800_003_600));
    assert_eq!(
        claims.others().map(|(name, value)| (name, value.get())).collect::<Vec<_>>(),
        [("name", "\"alice\""), ("zoneinfo", "\"Europe/Berlin\"")]
    );
    let id_token = world.verified(&all.id_token.unwrap()).claims().unwrap();
    assert_eq!(id_token.string("sid").unwrap().as_deref(), Some("the-sid"));
}

/// INTRO-01, INTRO-03, REV-07: what both endpoints refuse, and that a hint changes nothing.
#[test]
fn requests_about_tokens() {
    let mut world = World::new();
    let all = tokens(&world, "app", "openid offline_access");
    let code =
        |refusals: [(&'static str, String); 2]| refusals.map(|(_, wire)| wire.split(' ').next().map(str::to_owned));
    let both = |code: &str| [Some(code.to_owned()), Some(code.to_owned())];
    assert_eq!(code(world.refused_forms("client_id=app")), both("invalid_request"));
    assert_eq!(code(world.refused_forms("client_id=app&token=1&token=2")), both("invalid_request"));
    assert_eq!(code(world.refused_forms("token=1")), both("invalid_request"));
    assert_eq!(code(world.refused_forms("client_id=unknown&token=1")), both("invalid_client"));
    for hint in ["access_token", "refresh_token", "urn:ietf:params:oauth:token-type:refresh_token", "x"] {
        for token in [&all.access_token, all.refresh_token.as_ref().unwrap()] {
            let answer = world.introspect("app", &format!("{token}&token_type_hint={hint}"));
            assert_ne!(answer, Introspection::Inactive, "{hint}");
        }
    }
    world.wait(Duration::from_secs(3600));
    assert!(!world.is_active(&all.access_token));
    world.heard();
    world.revoke("app", &all.access_token);
    assert!(world.heard().is_empty());
    world.revoke("app", &format!("{}&token_type_hint=access_token", all.refresh_token.unwrap()));
    assert_eq!(world.heard(), ["grant_ended"]);
}

/// Tokens of a resource server that is no longer configured count for nothing, and none are made.
#[test]
fn a_resource_server_that_is_gone() {
    let world = World::new();
    let jwt = tokens(&world, "web", "read").access_token;
    let code = world.code("web", "read");
    world.registered.has_server.store(false, Ordering::Relaxed);
    assert!(!world.is_active(&jwt));
    assert_eq!(refused(world.exchange("web", &code)).0, "gate_audience_withdrawn");
    world.registered.has_server.store(true, Ordering::Relaxed);
    assert!(world.exchange("web", &code).is_ok(), "nothing was used up");
}

/// A client that was removed leaves nothing to the next one of the same id.
#[test]
fn another_client_of_the_same_id_gets_nothing() {
    let mut world = World::new();
    let opaque = tokens(&world, "app", "openid offline_access");
    let jwt = tokens(&world, "web", "read");
    let code = world.code("app", "openid");
    let form = format!("client_id=plain&client_secret={SECRET}&grant_type=client_credentials");
    let own = world.tokens(&form).unwrap();
    world.wait(Duration::from_secs(1));
    world.registered.replace(&*world.env.random, world.now);
    for token in [&opaque.access_token, &jwt.access_token, &own.access_token] {
        assert!(!world.is_active(token));
    }
    assert!(world.userinfo(&opaque.access_token).is_err());
    for outcome in [world.refresh("app", opaque.refresh_token.as_ref().unwrap()), world.exchange("app", &code)] {
        assert_eq!(refused(outcome).0, "gate_client_replaced");
    }
    // What the new one gets is its own.
    assert!(world.is_active(&tokens(&world, "app", "openid").access_token));
    assert!(world.is_active(&world.tokens(&form).unwrap().access_token));
}
