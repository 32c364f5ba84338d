//! What an application decides about tokens, and what it cannot; tokens signed with a client's secret.

use std::sync::Arc;
use std::time::Duration;

use chancery_core::endpoint::introspection::Introspection;
use chancery_core::endpoint::userinfo::UserInfo;
use chancery_core::model::{Claims, Client, Entitlement};
use chancery_core::policy::{JwtDraft, TokenKind, TokenPolicy};
use chancery_core::ports::PortFuture;
use chancery_jose::{Compact, Hash, HmacKey, SigningAlgorithm};

use crate::world::{SECRET, World, refused};

/// Everything otherwise than by default, with lies about what the protocol says.
struct Own;

impl TokenPolicy for Own {
    fn refresh(&self, _: &Entitlement, _: &Client) -> bool {
        false
    }

    fn lifetime(&self, kind: TokenKind, _: &Entitlement, _: &Client, configured: Duration) -> Duration {
        if kind == TokenKind::AccessToken { configured / 2 } else { configured }
    }

    fn claims<'a>(&'a self, what: &'a Entitlement, _: &'a Client) -> PortFuture<'a, Claims> {
        let mut claims = Claims::default();
        claims.set("tenant", &what.scopes().len()).set("sub", "mallory").set("aud", "all").set("exp", &0);
        Box::pin(async move { Ok(claims) })
    }

    fn jwt<'a>(&'a self, draft: &'a mut JwtDraft<'_>) -> PortFuture<'a, ()> {
        draft.extra.set("server", draft.resource.uri.as_str()).set("scope", "everything");
        Box::pin(async { Ok(()) })
    }

    fn ends_grant(&self, revoked: TokenKind) -> bool {
        revoked == TokenKind::AccessToken
    }
}

/// TOKEN-10, AT-10, AT-11: both forms carry extra claims; none replaces one of the protocol.
#[test]
fn an_application_decides() {
    let world = World::with_policy(Arc::new(Own));
    let opaque = world.exchange("app", &world.code("app", "openid offline_access")).unwrap();
    assert!(opaque.refresh_token.is_none());
    assert_eq!(opaque.expires_in, Duration::from_secs(1800));
    let Introspection::Active(json) = world.introspect("app", &opaque.access_token) else { panic!() };
    assert!(json.contains(r#""sub":"alice""#) && json.ends_with(r#""tenant":2}"#), "{json}");

    let jwt = world.exchange("web", &world.code("web", "read")).unwrap();
    assert_eq!(jwt.expires_in, Duration::from_secs(150));
    let claims = world.verified(&jwt.access_token).claims().unwrap();
    assert_eq!((claims.sub.as_deref(), claims.aud.clone()), (Some("alice"), vec!["https://api.example".to_owned()]));
    assert_eq!(claims.exp.unwrap().secs(), 1_800_000_150);
    let others: Vec<_> = claims.others().map(|(name, value)| (name, value.get())).collect();
    let expected =
        [("client_id", "\"web\""), ("scope", "\"read\""), ("server", "\"https://api.example\""), ("tenant", "1")];
    assert_eq!(others, expected);
    assert!(world.is_active(&jwt.access_token));

    world.heard();
    world.revoke("app", &opaque.access_token);
    world.revoke("web", &jwt.access_token);
    assert_eq!(world.heard(), ["token_revoked", "grant_ended", "token_revoked", "grant_ended"]);
    assert!(!world.is_active(&opaque.access_token) && !world.is_active(&jwt.access_token));
}

/// CLAIM-18, CLAIM-19, CLAIM-21, UINF-13: signed with the client's secret, without `kid`, as long as the secret is good.
#[test]
fn a_client_registered_for_an_hmac() {
    let mut world = World::new();
    let tokens = world.exchange("hmac", &world.code("hmac", "openid")).unwrap();
    let verified = |jwt: &str| {
        let key = HmacKey::new(SigningAlgorithm::Hs256, SECRET.as_bytes()).unwrap();
        Compact::parse(jwt).unwrap().verify(&key).unwrap()
    };
    let id_token = verified(&tokens.id_token.unwrap());
    assert_eq!(id_token.header().kid, None);
    let at_hash = id_token.claims().unwrap().string("at_hash").unwrap();
    assert_eq!(at_hash, Some(Hash::Sha256.left_half(&tokens.access_token)));
    let UserInfo::Jwt(jwt) = world.userinfo(&tokens.access_token).unwrap() else { panic!() };
    assert_eq!(verified(&jwt).claims().unwrap().sub.as_deref(), Some("alice"));
    world.wait(Duration::from_secs(100));
    let (name, wire) = refused(world.userinfo(&tokens.access_token));
    assert_eq!((name, wire.split(' ').next()), ("client_secret_ended", Some("invalid_client")));
}
