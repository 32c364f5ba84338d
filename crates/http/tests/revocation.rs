//! RFC 7009, token revocation: what ends with a token, and what does not.

use chancery_core::policy::{TokenKind, TokenPolicy};
use chancery_testkit::{NegativeTable, Refused, TestProvider};

/// REV-01, REV-04, REV-05, REV-06: an access token ends alone, a refresh token ends its grant; those of
/// others stay, and nobody is told whose they are.
#[test]
fn what_a_client_revokes() {
    let kit = TestProvider::builder().unauthenticated_introspection().build();
    let first = kit.tokens("alice", "spa", "openid offline_access");
    let (access, refresh) = (first.member("access_token"), first.member("refresh_token"));
    for stranger in ["native", "web", "api"] {
        for token in [access, refresh] {
            assert!(kit.revoke(stranger, token).expect_status(200).events.is_empty(), "{stranger}");
        }
    }
    assert!(kit.revoke("spa", "unknown").expect_status(200).events.is_empty());
    assert!(kit.is_active("spa", access) && kit.is_active("spa", refresh));
    assert_eq!(kit.revoke("spa", access).expect_status(200).event_names(), ["token_revoked"]);
    assert!(!kit.is_active("spa", access) && kit.is_active("spa", refresh));
    let second = kit.refresh("spa", refresh).expect_status(200);
    let revoked = kit.revoke("spa", second.member("refresh_token")).expect_status(200);
    assert_eq!(revoked.event_names(), ["grant_ended"]);
    assert!(!kit.is_active("spa", second.member("access_token")));
    assert_eq!(kit.userinfo(second.member("access_token")).status, 401);
}

/// GRANT-11, REV-04: where the application says that a grant outlives its refresh token, the family alone
/// ends, and one event tells of it.
#[test]
fn a_grant_can_outlive_its_refresh_token() {
    struct Lasting;
    impl TokenPolicy for Lasting {
        fn ends_grant(&self, _: TokenKind) -> bool {
            false
        }
    }
    let kit = TestProvider::builder().token_policy(Lasting).build();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let (access, refresh) = (tokens.member("access_token"), tokens.member("refresh_token"));
    assert_eq!(kit.revoke("web", refresh).expect_status(200).event_names(), ["token_revoked"]);
    assert!(kit.revoke("web", refresh).expect_status(200).events.is_empty(), "once is enough");
    assert!(kit.is_active("web", access) && !kit.is_active("web", refresh));
    assert_eq!(kit.refresh("web", refresh).expect_status(400)["error"], "invalid_grant");
    assert_eq!(kit.userinfo(access).status, 200);
}

/// REV-02: RFC 7009 section 2.1: the client is authenticated first.
#[test]
fn what_must_not_be_revoked() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let request = || kit.revocation_request("web", tokens.member("refresh_token"));
    NegativeTable::new(&kit)
        .row("by a wrong secret", request().secret("wrong"), Refused::Json(401, "invalid_client"))
        .row("by nobody", request().unauthenticated(), Refused::Json(400, "invalid_request"))
        .row("two at once", request().param("token", "x"), Refused::Json(400, "invalid_request"))
        .row("by GET", request().get(), Refused::Status(405))
        .run();
    assert!(kit.is_active("web", tokens.member("refresh_token")));
}
