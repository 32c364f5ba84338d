//! The authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207).

use chancery_types::RedirectUri;
use chancery_types::iana::ResponseMode;

/// An answer to a client, through a redirect URI that was verified.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    pub(crate) uri: RedirectUri,
    pub(crate) mode: ResponseMode,
    pub(crate) parameters: Vec<(&'static str, String)>,
}

impl AuthorizationResponse {
    /// Where it goes.
    #[must_use]
    pub fn uri(&self) -> &RedirectUri {
        &self.uri
    }

    /// How it is carried (OAuth 2.0 Multiple Response Types section 2.1).
    #[must_use]
    pub fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// Its parameters in order.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.parameters.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
