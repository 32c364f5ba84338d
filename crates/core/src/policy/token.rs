//! What an application may decide about tokens.

use std::future::Future;
use std::time::Duration;

use chancery_types::Scope;
use chancery_types::iana::GrantType;

use crate::error::Fault;
use crate::model::{Claims, Client, Entitlement, RefreshTokens, ResourceServer};

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// For a resource server or UserInfo (RFC 6749 section 1.4).
    AccessToken,
    /// Tells a client who the person is (OIDC Core section 2).
    IdToken,
    /// For new access tokens (RFC 6749 section 1.5).
    RefreshToken,
}

/// A JWT access token just before it is signed.
pub struct JwtDraft<'a> {
    /// The entitlement that it is made from.
    pub what: &'a Entitlement,
    /// The client that it is issued to.
    pub client: &'a Client,
    /// The resource server that accepts it.
    pub resource: &'a ResourceServer,
    /// The claims besides those of the protocol. They can be changed.
    pub extra: Claims,
}

/// What an application may decide about tokens. Each method has a default.
pub trait TokenPolicy: Send + Sync {
    /// Whether a code exchange starts a refresh family. By default it does if the grant type is registered
    /// and either `offline_access` was granted (OIDC Core section 11) or the client has `refresh_tokens =
    /// "always"`.
    fn refresh(&self, what: &Entitlement, client: &Client) -> bool {
        client.has_grant_type(&GrantType::RefreshToken)
            && (what.scopes().contains(Scope::OFFLINE_ACCESS)
                || client.metadata().own.refresh_tokens == RefreshTokens::Always)
    }

    /// Whether the tokens of a code end with the person's session. By default they do, unless
    /// `offline_access` was granted (OIDC Core section 11).
    fn session_bound(&self, what: &Entitlement, _client: &Client) -> bool {
        !what.scopes().contains(Scope::OFFLINE_ACCESS)
    }

    /// The lifetime of the token; `configured` is the value of the configuration or the resource server. For
    /// a refresh token it is the time for which it may stay unused.
    fn lifetime(
        &self,
        _kind: TokenKind,
        _what: &Entitlement,
        _client: &Client,
        configured: Duration,
    ) -> Duration {
        configured
    }

    /// Extra claims of the access token, by default none. Claims of the protocol cannot be overwritten.
    fn claims(
        &self,
        _what: &Entitlement,
        _client: &Client,
    ) -> impl Future<Output = Result<Claims, Fault>> + Send {
        async { Ok(Claims::default()) }
    }

    /// Changes a JWT access token just before it is signed, by default not at all. Its header and the claims
    /// of the protocol cannot be changed.
    fn jwt(&self, _draft: &mut JwtDraft<'_>) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    /// Whether revoking a token of this kind ends its whole grant. By default a refresh token does (RFC 7009
    /// section 2.1) and an access token does not.
    fn ends_grant(&self, revoked: TokenKind) -> bool {
        revoked == TokenKind::RefreshToken
    }
}

chancery_types::port_object! {
    /// [`TokenPolicy`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynTokenPolicy for TokenPolicy {
        async fn claims<'a>(&'a self, what: &'a Entitlement, client: &'a Client) -> Result<Claims, Fault>;
        async fn jwt<'a>(&'a self, draft: &'a mut JwtDraft<'_>) -> Result<(), Fault>;
        fn refresh(&self, what: &Entitlement, client: &Client) -> bool;
        fn session_bound(&self, what: &Entitlement, client: &Client) -> bool;
        fn lifetime(
            &self,
            kind: TokenKind,
            what: &Entitlement,
            client: &Client,
            configured: Duration,
        ) -> Duration;
        fn ends_grant(&self, revoked: TokenKind) -> bool;
    }
}

/// The default of every method.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultTokenPolicy;

impl TokenPolicy for DefaultTokenPolicy {}
