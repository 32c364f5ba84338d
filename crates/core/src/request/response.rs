//! The authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207).

use chancery_types::iana::ResponseMode;
use chancery_types::{ClientId, RedirectUri};

/// What a client is to be told, through a redirect URI that was verified. The browser does not get it yet:
/// how it is sent is settled when it becomes an [`AuthorizationResponse`].
#[derive(Clone, PartialEq, Eq)]
pub struct Unsealed {
    pub(crate) uri: RedirectUri,
    pub(crate) mode: ResponseMode,
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// The client, if this answers an OpenID request (OIDC Core section 3.1.2.1: the scope `openid`).
    pub(crate) openid: Option<ClientId>,
}

/// An answer to a client, as the browser carries it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse(pub(crate) Unsealed);

impl AuthorizationResponse {
    /// Where it goes.
    #[must_use]
    pub fn uri(&self) -> &RedirectUri {
        &self.0.uri
    }

    /// How it is carried (OAuth 2.0 Multiple Response Types section 2.1).
    #[must_use]
    pub fn mode(&self) -> ResponseMode {
        self.0.mode
    }

    /// Its parameters in order.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.parameters.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
