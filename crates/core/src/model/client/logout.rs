//! OpenID Connect Back-Channel Logout 1.0 section 2.2 and OpenID Connect Front-Channel Logout 1.0 section 2:
//! where a client is notified that a session has ended. No notices are sent yet, but a client with such a URI
//! gets `sid` in its ID tokens.

use serde::{Deserialize, Serialize};

use super::Reader;

/// Where a client is notified that a session has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logout {
    /// The URI that the server calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<Box<str>>,
    /// The URI that the browser loads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<Box<str>>,
}

impl Logout {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            backchannel_logout_uri: from.url("backchannel_logout_uri", true),
            frontchannel_logout_uri: from.url("frontchannel_logout_uri", true),
        }
    }

    /// Whether the client has any logout URI.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.backchannel_logout_uri.is_some() || self.frontchannel_logout_uri.is_some()
    }
}
