//! What an application may decide about clients.

use chancery_jose::{Header, JwtClaims};
use chancery_types::{AccountId, ClientId, RedirectPattern};

use crate::error::Refusal;
use crate::model::{Client, ResourceServer, Sector, Subject};
use crate::policy::TokenKind;

/// What a client wants with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// To introspect it (RFC 7662).
    Introspection,
    /// To revoke it (RFC 7009).
    Revocation,
}

/// What decides who may see a token.
#[derive(Clone, Copy)]
pub struct TokenView<'a> {
    /// Which kind of token it is.
    pub kind: TokenKind,
    /// The client that it was issued to.
    pub client: &'a ClientId,
    /// The resource server that accepts it.
    pub resource: Option<&'a ResourceServer>,
}

/// An assertion of a client whose signature and claims are good.
#[derive(Clone, Copy)]
pub struct AssertionView<'a> {
    /// Its header.
    pub header: &'a Header,
    /// Its claims.
    pub claims: &'a JwtClaims,
}

/// What an application may decide about clients. Each method has a default.
pub trait ClientPolicy: Send + Sync {
    /// Whether the client may introspect or revoke this token. Revocation: only the client that it was issued
    /// to (RFC 7009 section 2.1). Introspection: also the clients that the resource server names, and those
    /// registered to introspect this client's tokens; but a refresh token only by its own client (RFC 6749
    /// section 1.5). A public client sees only its own tokens, because anybody can call under its id (RFC
    /// 7662 section 2.1, token scanning).
    fn sees(&self, client: &Client, token: &TokenView<'_>, doing: Doing) -> bool {
        let is_owner = client.id() == token.client;
        let is_named = || {
            let by_resource =
                token.resource.is_some_and(|server| server.introspected_by.contains(client.id()));
            by_resource || client.metadata().own.introspects.contains(token.client)
        };
        let is_for_others = doing == Doing::Introspection && token.kind != TokenKind::RefreshToken;
        is_owner || (is_for_others && !client.is_public() && is_named())
    }

    /// Refuses an assertion of a client for a reason of the application's own (RFC 7523 section 3,
    /// "additional restrictions and policy"): by default none. It is asked before the assertion is used up.
    ///
    /// # Errors
    /// Why it is refused; the code should be `invalid_client` (RFC 7523 section 3.2).
    fn assertion(&self, client: &Client, assertion: &AssertionView<'_>) -> Result<(), Refusal> {
        let _ = (client, assertion);
        Ok(())
    }

    /// Whether scripts of this origin may call the endpoints as this client: by default the origins of its
    /// redirect URIs.
    fn origin(&self, client: &Client, origin: &str) -> bool {
        client.redirect_uris().iter().any(|uri| match RedirectPattern::of(uri) {
            Some(pattern) => pattern.admits_origin(origin),
            None => uri.origin().as_deref() == Some(origin),
        })
    }

    /// The pairwise subject of a person in a sector (OIDC Core section 8.1). It must be the same each time,
    /// another one for each sector, and tell nobody the account. It is asked for every token, so it cannot wait.
    /// `None`, the default, for an HMAC of both under a key of the realm.
    fn pairwise(&self, _sector: &Sector, _account: &AccountId) -> Option<Subject<'static>> {
        None
    }
}

/// The default of every method.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultClientPolicy;

impl ClientPolicy for DefaultClientPolicy {}
