//! What is told of a refused request besides its reason.

use chancery_types::ClientId;
use chancery_types::iana::ClientAuthenticationMethod;

/// The client of a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedClient {
    /// The client has authenticated.
    Authenticated(ClientId),
    /// The request only claims to come from this client: client authentication failed, the client is public,
    /// or a browser carried the request.
    Claimed(ClientId),
}

impl RefusedClient {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        match self {
            Self::Authenticated(id) | Self::Claimed(id) => id,
        }
    }

    /// Whether the client has authenticated.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        matches!(self, Self::Authenticated(_))
    }
}

/// The origins (RFC 6454) that a request came from and has to come from, which are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// What the browser says, of 200 characters at most; `null` where the page does not show it, as no page of ours does. A
    /// stranger may have chosen it.
    pub sent: Option<Box<str>>,
    /// That of the pages that may send such a request. Where a script has called as a client, those of its redirect URIs, with
    /// blanks between, of 200 characters at most.
    pub own: Box<str>,
}

impl Origins {
    /// How many characters of an origin are told.
    const LONGEST: usize = 200;

    /// What was sent beside what has to be.
    #[must_use]
    pub fn of(sent: Option<&str>, own: &str) -> Self {
        let told = |origin: &str| origin.chars().take(Self::LONGEST).collect::<String>().into();
        Self { sent: sent.map(told), own: told(own) }
    }
}

/// The methods of client authentication (RFC 6749 section 2.3) that a request has used and that its client is registered for,
/// where these do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientMethods {
    /// `None` if it is one that no client can be registered for.
    pub used: Option<ClientAuthenticationMethod>,
    /// `token_endpoint_auth_method`.
    pub registered: ClientAuthenticationMethod,
}
