//! What an application may decide about tokens.

use std::time::Duration;

use chancery_types::Scope;
use chancery_types::iana::GrantType;

use crate::model::{Claims, Client, Entitlement, RefreshTokens, ResourceServer};
use crate::ports::PortFuture;

/// A sort of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// What it is made from.
    pub what: &'a Entitlement,
    /// Who gets it.
    pub client: &'a Client,
    /// Who takes it.
    pub resource: &'a ResourceServer,
    /// The claims beside those of the protocol; these can be changed.
    pub extra: Claims,
}

/// What an application may decide about tokens. Each method has the default of the architecture.
pub trait TokenPolicy: Send + Sync {
    /// Whether a code exchange begins a refresh family: when the grant type is registered and `offline_access` was
    /// granted (OIDC Core section 11) or the client has `refresh_tokens = "always"`.
    fn refresh(&self, what: &Entitlement, client: &Client) -> bool {
        client.has_grant_type(GrantType::RefreshToken)
            && (what.scopes().contains(Scope::OFFLINE_ACCESS)
                || client.metadata().own.refresh_tokens == RefreshTokens::Always)
    }

    /// Whether what comes of a code ends with the person's session: unless `offline_access` was granted (OIDC Core
    /// section 11).
    fn session_bound(&self, what: &Entitlement, _client: &Client) -> bool {
        !what.scopes().contains(Scope::OFFLINE_ACCESS)
    }

    /// How long the token lives; `configured` is what the configuration or the resource server says. For a refresh token
    /// it is the time it may lie unused.
    fn lifetime(&self, _kind: TokenKind, _what: &Entitlement, _client: &Client, configured: Duration) -> Duration {
        configured
    }

    /// Extra claims of the access token. None by default; those of the protocol cannot be overwritten.
    fn claims<'a>(&'a self, _what: &'a Entitlement, _client: &'a Client) -> PortFuture<'a, Claims> {
        Box::pin(async { Ok(Claims::default()) })
    }

    /// A last look at a JWT access token. Nothing by default; header and claims of the protocol cannot be changed.
    fn jwt<'a>(&'a self, _draft: &'a mut JwtDraft<'_>) -> PortFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Whether revoking a token of this kind ends its whole grant: a refresh token does (RFC 7009 section 2.1), an access
    /// token does not.
    fn ends_grant(&self, revoked: TokenKind) -> bool {
        revoked == TokenKind::RefreshToken
    }
}

/// All defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultTokenPolicy;

impl TokenPolicy for DefaultTokenPolicy {}
