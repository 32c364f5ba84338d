//! OAuth 2.0 Web Message Response Mode (draft-sakimura-oauth-wmrm-00), simple mode: the response goes to the window
//! that has opened or framed the page, by `postMessage`, and only to the origin of the redirect URI.
//! Config     `[response_modes]`
//! Discovery  `response_modes_supported`
//!
//! This is a setting rather than a part of every provider, because the draft was never finished, and because the
//! origin of a redirect URI, not just its path, is then where codes go. For the same reason a client has to be
//! registered for it by name.

use serde::{Deserialize, Serialize};

/// `[response_modes]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseModesConfig {
    /// Whether there is `web_message`, for clients that are registered for it.
    pub web_message: bool,
}
