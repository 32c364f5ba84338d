//! What an application decides about tokens (trait `TokenPolicy`), and what it cannot: the claims of RFC 9068
//! section 2.2 and RFC 7662 section 2.2 are the protocol's. Also tokens that are signed with a client's own
//! secret (OIDC Core section 10.1).

use std::time::Duration;

use chancery_core::error::Fault;
use chancery_core::model::{Claims, Client, Entitlement};
use chancery_core::policy::{JwtDraft, TokenKind, TokenPolicy};
use chancery_jose::{Compact, Hash, HmacKey, SigningAlgorithm};
use chancery_testkit::{SECRET, TestProvider, assert_refused, seconds};
use serde_json::{Value, json};

/// Everything otherwise than by default, with lies about what the protocol says.
struct Own;

/// What no application may say in the place of the protocol.
const RESERVED: [&str; 16] = [
    "acr",
    "active",
    "amr",
    "aud",
    "auth_time",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "scope",
    "sid",
    "sub",
    "token_type",
];

fn lies(claims: &mut Claims) {
    for name in RESERVED {
        claims.set(name, "a lie").set(&format!("{name}#de"), "eine Lüge");
    }
}

impl TokenPolicy for Own {
    fn refresh(&self, _: &Entitlement, _: &Client) -> bool {
        false
    }

    fn lifetime(&self, kind: TokenKind, _: &Entitlement, _: &Client, configured: Duration) -> Duration {
        if kind == TokenKind::AccessToken { configured / 2 } else { configured }
    }

    async fn claims(&self, what: &Entitlement, _: &Client) -> Result<Claims, Fault> {
        let mut claims = Claims::default();
        lies(claims.set("tenant", &what.scopes().len()));
        Ok(claims)
    }

    async fn jwt(&self, draft: &mut JwtDraft<'_>) -> Result<(), Fault> {
        lies(draft.extra.set("server", draft.resource.uri.as_str()));
        Ok(())
    }

    fn ends_grant(&self, revoked: TokenKind) -> bool {
        revoked == TokenKind::AccessToken
    }
}

/// TOKEN-10, AT-10, AT-11: both forms carry extra claims; none replaces or adds one of the protocol.
#[test]
fn an_application_decides() {
    let kit = TestProvider::builder().token_policy(Own).unauthenticated_introspection().build();
    let opaque = kit.tokens("alice", "spa", "openid offline_access");
    assert_eq!((opaque["refresh_token"].is_null(), &opaque["expires_in"]), (true, &1800.into()));
    let told = kit.introspect("spa", opaque.member("access_token"));
    let now = kit.now().secs();
    let expected = json!({"active": true, "client_id": "spa", "exp": now + 1800, "iat": now, "iss": "https://id.example",
        "aud": "https://id.example", "scope": "openid offline_access", "sid": told["sid"], "sub": "alice", "tenant": 2,
        "token_type": "Bearer"});
    assert_eq!(told.json(), &expected);
    assert!(told["sid"] != "a lie", "the session's own");

    let jwt = kit.tokens("alice", "jwt", "read");
    assert_eq!(jwt["expires_in"], 150);
    let token = kit.try_verify(jwt.member("access_token"), "jwt").expect("it verifies by the published keys");
    let expected = json!({"iss": "https://id.example", "sub": "alice", "aud": "https://jwt-api.example",
        "client_id": "jwt", "jti": token.claims["jti"], "iat": now, "exp": now + 150, "scope": "read",
        "auth_time": now, "acr": "urn:chancery:acr:password", "amr": ["pwd"],
        "server": "https://jwt-api.example", "tenant": 1});
    assert_eq!(token.claims, expected);
    // Whoever asks is told what stands in the token.
    let told = kit.introspect("api", jwt.member("access_token"));
    assert_eq!((&told["tenant"], &told["server"]), (&1.into(), &"https://jwt-api.example".into()));
    assert_eq!((&told["cnf"], &told["nbf"]), (&Value::Null, &Value::Null));
    assert!(told["sid"] != "a lie", "the session's own");

    for (client, tokens) in [("spa", &opaque), ("jwt", &jwt)] {
        let revoked = kit.revoke(client, tokens.member("access_token")).expect_status(200);
        assert_eq!(revoked.event_names(), ["token_revoked", "grant_ended"]);
        assert!(!kit.is_active(client, tokens.member("access_token")));
    }
}

/// RFC 9068 section 4: a JWT says what its grant says. One that our own key has signed and that contradicts
/// it, which nobody but us could make, counts for nothing.
#[test]
fn a_jwt_that_contradicts_its_grant() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "jwt", "read");
    let good =
        kit.try_verify(tokens.member("access_token"), "jwt").expect("it verifies by the published keys");
    let again = |claims: &Value| {
        let token = kit.sign(&json!({"typ": "at+jwt"}), claims);
        (kit.is_active("api", &token), kit.userinfo(&token).status.as_u16())
    };
    assert_eq!(again(&good.claims), (true, 401), "the signature is as good as the first");
    for (name, value) in [
        ("sub", json!("bob")),
        ("client_id", json!("machine")),
        ("iss", json!("https://other.example")),
        ("exp", json!(kit.now().secs())),
        ("scope", json!("read openid")),
        ("jti", json!("nonsense")),
    ] {
        let mut claims = good.claims.clone();
        claims[name] = value;
        assert_eq!(again(&claims), (false, 401), "{name}");
    }
}

/// CLAIM-18, JOSE-08, FR-07: while one secret replaces another, the client surely has the older one, which
/// signs until it ends; then the newer one does. What either signed stays a hint of the past login.
#[test]
fn while_a_secret_is_replaced_the_older_one_signs() {
    let kit = TestProvider::new();
    kit.put_client(&format!(
        r#"{{"client_id":"hmac","client_secret":"{SECRET}","redirect_uris":["https://hmac.example/cb"],
            "id_token_signed_response_alg":"HS256","userinfo_signed_response_alg":"HS256"}}"#
    ));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "hmac", "openid");
    let silent = kit.authorization_request("hmac").scope("openid").set("prompt", "none");
    let issued = |secret: &str| {
        let code = silent.open(&ua).expect_code();
        kit.code_request(&code).secret(secret).send().expect_status(200)
    };
    let is_signed_by = |jwt: &str, secret: &str| {
        let key = HmacKey::new(SigningAlgorithm::Hs256, secret.as_bytes()).expect("a secret");
        Compact::parse(jwt).expect("a JWT").verify(&key).is_ok()
    };
    let before = issued(SECRET);
    let newer = kit.replace_secret("hmac", kit.now() + seconds(100));
    let meanwhile = issued(SECRET);
    let userinfo = kit.userinfo(meanwhile.member("access_token")).expect_status(200);
    let by_newer = issued(&newer);
    for jwt in [meanwhile.member("id_token"), userinfo.text(), by_newer.member("id_token")] {
        assert!(is_signed_by(jwt, SECRET) && !is_signed_by(jwt, &newer));
    }
    kit.clock.advance(seconds(100));
    let after = issued(&newer);
    assert!(
        is_signed_by(after.member("id_token"), &newer) && !is_signed_by(after.member("id_token"), SECRET)
    );
    for answer in [&before, &meanwhile, &by_newer, &after] {
        let _ = silent.clone().set("id_token_hint", answer.member("id_token")).open(&ua).expect_code();
    }
    let (said, _) = after.member("id_token").rsplit_once('.').expect("a JWT");
    let (_, signature) = before.member("id_token").rsplit_once('.').expect("a JWT");
    let foreign = format!("{said}.{signature}");
    let _ = silent.clone().set("id_token_hint", &foreign).open(&ua).expect_error("invalid_request");
}

/// CLAIM-18, CLAIM-19, CLAIM-21, UINF-13: signed with the client's secret, without `kid`, as long as the
/// secret is good.
#[test]
fn a_client_registered_for_an_hmac() {
    let kit = TestProvider::new();
    kit.put_client(&format!(
        r#"{{"client_id":"hmac","client_secret":"{SECRET}","redirect_uris":["https://hmac.example/cb"],
            "client_secret_expires_at":{},"id_token_signed_response_alg":"HS256",
            "userinfo_signed_response_alg":"HS256"}}"#,
        kit.now().secs() + 100
    ));
    let tokens = kit.tokens("alice", "hmac", "openid");
    let id_token = kit.id_token(&tokens, "hmac");
    assert_eq!((id_token.header.kid, id_token.header.alg.name()), (None, "HS256"));
    assert_eq!(id_token.claims["at_hash"], Hash::Sha256.left_half(tokens.member("access_token")));
    let answer = kit.userinfo(tokens.member("access_token")).expect_status(200);
    let userinfo = kit.try_verify(answer.text(), "hmac").expect("it verifies with the secret");
    assert_eq!(userinfo.claims["sub"], "alice");
    kit.clock.advance(seconds(100));
    assert_refused!(kit.userinfo(tokens.member("access_token")), "invalid_request", "client_secret_ended");
}
