//! What an application may decide about clients.

use chancery_types::ClientId;

use crate::model::{Client, ResourceServer};
use crate::policy::TokenKind;

/// What a client wants with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// To know what it is worth (RFC 7662).
    Introspection,
    /// To end it (RFC 7009).
    Revocation,
}

/// A token, as far as it matters who may see it.
#[derive(Clone, Copy)]
pub struct TokenView<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// The client that got it.
    pub client: &'a ClientId,
    /// The resource server that takes it.
    pub resource: Option<&'a ResourceServer>,
}

/// What an application may decide about clients. Each method has the default of the architecture.
pub trait ClientPolicy: Send + Sync {
    /// Whether the client may see this token. Revocation: the client that got it (RFC 7009 section 2.1). Introspection:
    /// this one, the clients that its resource server names, and those registered to see this client's tokens; but a
    /// refresh token is nobody's business but its own client's (RFC 6749 section 1.5). A public client sees nothing but its
    /// own: anybody can call by its name (RFC 7662 section 2.1, against token scanning).
    fn sees(&self, client: &Client, token: &TokenView<'_>, doing: Doing) -> bool {
        let is_owner = client.id() == token.client;
        let is_named = || {
            let by_resource = token.resource.is_some_and(|server| server.introspected_by.contains(client.id()));
            by_resource || client.metadata().own.introspects.contains(token.client)
        };
        let is_for_others = doing == Doing::Introspection && token.kind != TokenKind::RefreshToken;
        is_owner || (is_for_others && !client.is_public() && is_named())
    }

    /// Whether a page of this origin may call the endpoints as this client: by default the origins of its redirect URIs.
    fn origin(&self, client: &Client, origin: &str) -> bool {
        client.redirect_uris().iter().any(|uri| uri.origin().as_deref() == Some(origin))
    }
}

/// All defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultClientPolicy;

impl ClientPolicy for DefaultClientPolicy {}
