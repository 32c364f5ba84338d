//! RFC 6749 section 4.1.3, the exchange of a code, and section 4.4, client credentials.

use std::time::Duration;

use chancery_core::endpoint::userinfo::UserInfo;

use crate::world::{REDIRECT_URI, SECRET, VERIFIER, World, refused};

/// TOKEN-06, TOKEN-08, TOKEN-13, CODE-08, CODE-09, CODE-10, CLAIM-12, CLAIM-15, CLAIM-19: two trips, and what comes.
#[test]
fn a_code_becomes_tokens() {
    let world = World::new();
    let code = world.code("app", "openid email offline_access");
    let (outcome, trips) = world.trips(|| world.exchange("app", &code));
    let tokens = outcome.unwrap();
    assert_eq!(trips, 2);
    assert_eq!(world.heard(), ["tokens_issued"]);
    assert_eq!((tokens.token_type, tokens.expires_in), ("Bearer", Duration::from_secs(3600)));
    assert_eq!(tokens.scope.unwrap().to_string(), "openid email offline_access");
    assert!(tokens.refresh_token.unwrap().starts_with("rt_"));

    let id_token = world.verified(&tokens.id_token.unwrap());
    assert_eq!((id_token.header().kid.as_deref(), &id_token.header().typ), (Some("rsa"), &None));
    let claims = id_token.claims().unwrap();
    assert_eq!((claims.iss.as_deref(), claims.sub.as_deref()), (Some("https://op.example"), Some("alice")));
    assert_eq!((claims.aud, claims.nonce.as_deref()), (vec!["app".to_owned()], Some("the-nonce")));
    assert_eq!((claims.iat.unwrap().secs(), claims.exp.unwrap().secs()), (1_800_000_000, 1_800_003_600));
    assert!(id_token.claims().unwrap().raw("email").is_none(), "claims of scopes are for UserInfo");

    let (answer, trips) = world.trips(|| world.userinfo(&tokens.access_token));
    assert_eq!(answer.unwrap(), UserInfo::Json(r#"{"sub":"alice","email":"a@example.org"}"#.to_owned()));
    assert_eq!(trips, 1);
    assert_eq!(world.heard(), ["userinfo_served"]);
    let (active, trips) = world.trips(|| world.is_active(&tokens.access_token));
    assert!(active);
    assert_eq!(trips, 1);
}

/// CODE-03, CODE-06, PKCE-06, PKCE-08, A14: each mismatch is refused by its own reason, says the same, burns nothing.
#[test]
fn a_mismatch_burns_nothing() {
    let mut world = World::new();
    let code = world.code("app", "openid");
    let form =
        |uri: &str, verifier: &str| format!("grant_type=authorization_code&client_id=app&code={code}{uri}{verifier}");
    let uri = format!("&redirect_uri={REDIRECT_URI}");
    let verifier = format!("&code_verifier={VERIFIER}");
    let wrong = format!("&code_verifier={}", VERIFIER.replace('d', "e"));
    let refusals = [
        (refused(world.exchange("native", &code)), "code_foreign"),
        (refused(world.exchange("app", &code.replace("ac_", "at_"))), "code_unknown"),
        (refused(world.exchange("app", "garbage")), "code_unknown"),
        (refused(world.tokens(&form("", &verifier))), "code_redirect_uri"),
        (refused(world.tokens(&form(&format!("{uri}/"), &verifier))), "code_redirect_uri"),
        (refused(world.tokens(&form(&uri, ""))), "code_verifier"),
        (refused(world.tokens(&form(&uri, &wrong))), "code_verifier"),
    ];
    for ((name, wire), expected) in refusals {
        assert_eq!((name, &*wire), (expected, "invalid_grant grant request is invalid"));
    }
    assert_eq!(refused(world.tokens(&form(&uri, "&code_verifier=short"))).0, "pkce_verifier_malformed");
    assert!(world.heard().is_empty());
    world.wait(Duration::from_secs(59));
    assert!(world.exchange("app", &code).is_ok());
}

/// CODE-04: to the millisecond.
#[test]
fn a_code_ends_at_its_deadline() {
    let mut world = World::new();
    let code = world.code("app", "openid");
    world.wait(Duration::from_millis(60_000));
    assert_eq!(refused(world.exchange("app", &code)).0, "code_expired");
}

/// CODE-05: what came of a code that is shown twice is dead, also when the code itself has expired.
#[test]
fn a_replayed_code_ends_what_came_of_it() {
    for wait in [0, 59, 61, 3_599] {
        let mut world = World::new();
        let code = world.code("app", "openid offline_access");
        let tokens = world.exchange("app", &code).unwrap();
        world.wait(Duration::from_secs(wait));
        assert!(world.is_active(&tokens.access_token));
        let refresh_token = tokens.refresh_token.unwrap();
        world.heard();
        assert_eq!(refused(world.exchange("native", &code)).0, "code_foreign");
        assert!(world.is_active(&tokens.access_token), "a foreign client ends nothing");
        world.heard();
        let (name, wire) = refused(world.exchange("app", &code));
        assert_eq!((name, &*wire), ("code_used", "invalid_grant grant request is invalid"));
        assert_eq!(world.heard(), ["grant_ended"]);
        assert!(!world.is_active(&tokens.access_token) && !world.is_active(&refresh_token));
        assert_eq!(refused(world.refresh("app", &refresh_token)).0, "refresh_token_unknown");
        assert_eq!(refused(world.exchange("app", &code)).0, "code_unknown", "the grant is gone");
    }
}

/// GAP-06, A4
#[test]
fn of_many_exchanges_one_succeeds_and_its_tokens_die() {
    for _ in 0..20 {
        let world = World::new();
        let code = world.code("app", "email");
        let won: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| world.exchange("app", &code).ok())).collect();
            all.into_iter().filter_map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1);
        assert!(!world.is_active(&won[0].access_token));
    }
}

/// CC-01, CC-02, CC-04, GRANT-12, AT-04, AT-05, AT-12: a JWT for the resource server, without a trip.
#[test]
fn client_credentials() {
    let world = World::new();
    let form = |client: &str, scope: &str| {
        format!("grant_type=client_credentials&client_id={client}&client_secret={SECRET}&scope={scope}")
    };
    let (tokens, trips) = world.trips(|| world.tokens(&form("machine", "read+unknown")).unwrap());
    assert_eq!((trips, tokens.expires_in), (0, Duration::from_secs(300)));
    assert_eq!(tokens.scope.unwrap().to_string(), "read");
    assert!(tokens.id_token.is_none() && tokens.refresh_token.is_none());
    let jwt = world.verified(&tokens.access_token);
    assert_eq!((jwt.header().typ.as_deref(), jwt.header().kid.as_deref()), (Some("at+jwt"), Some("ec")));
    let claims = jwt.claims().unwrap();
    assert_eq!((claims.sub.as_deref(), claims.aud), (Some("machine"), vec!["https://api.example".to_owned()]));
    let others = jwt.claims().unwrap();
    assert_eq!(others.others().map(|(name, _)| name).collect::<Vec<_>>(), ["client_id", "scope"]);
    let (active, trips) = world.trips(|| world.is_active(&tokens.access_token));
    assert_eq!((active, trips), (true, 1));

    let (tokens, trips) = world.trips(|| world.tokens(&form("plain", "")).unwrap());
    assert_eq!((trips, tokens.expires_in, tokens.scope), (1, Duration::from_secs(600), None));
    assert!(tokens.access_token.starts_with("at_"));
    assert_eq!(refused(world.tokens(&form("machine", "write"))).0, "scope_not_allowed");
    assert_eq!(refused(world.tokens(&form("web", ""))).0, "grant_type_unregistered");
}

/// TOKEN-01, TOKEN-02, TOKEN-04, TOKEN-09: the request itself.
#[test]
fn what_is_refused_before_a_grant_is_looked_at() {
    let world = World::new();
    let refusal = |form: &str| refused(world.tokens(form));
    assert_eq!(
        refusal("grant_type=authorization_code").1,
        "invalid_request no client authentication mechanism provided"
    );
    assert_eq!(refusal("client_id=app").0, "grant_type_missing");
    assert_eq!(refusal("client_id=app&grant_type=implicit").0, "grant_type_unsupported");
    assert_eq!(refusal("client_id=app&grant_type=password").1.split(' ').next(), Some("unsupported_grant_type"));
    assert_eq!(refusal("client_id=app&grant_type=client_credentials").0, "grant_type_unregistered");
    assert_eq!(refusal("client_id=app&grant_type=refresh_token&grant_type=refresh_token").0, "malformed_parameter");
    assert_eq!(refusal("client_id=app&grant_type=authorization_code").0, "code_missing");
    assert_eq!(refusal("client_id=app&grant_type=refresh_token&code=1&code=2").0, "refresh_token_missing");
}
