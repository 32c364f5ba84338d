//! The response modes that are not part of every provider.
//! Config     `[response_modes]`
//! Discovery  `response_modes_supported`
//!
//! OAuth 2.0 Web Message Response Mode (draft-sakimura-oauth-wmrm-00), simple mode: the response goes to the window
//! that has opened or framed the page, by `postMessage`, and only to the origin of the redirect URI. This is a
//! setting because the draft was never finished, and because the origin of a redirect URI, not just its path, is then
//! where codes go. For the same reason a client has to be registered for it by name.
//!
//! JWT Secured Authorization Response Mode for OAuth 2.0 (JARM), section 2.3: the response is a signed JWT.

use chancery_types::iana::ResponseMode;
use serde::{Deserialize, Serialize};

/// `[response_modes]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseModesConfig {
    /// Whether there is `web_message`, for clients that are registered for it.
    pub web_message: bool,
    /// Whether responses can be JWTs: `jwt`, `query.jwt`, `fragment.jwt` and `form_post.jwt`.
    pub jwt: bool,
}

impl ResponseModesConfig {
    /// The modes that are on by this section alone.
    pub(super) fn switched_on(&self) -> impl Iterator<Item = ResponseMode> {
        let jwt =
            [ResponseMode::Jwt, ResponseMode::QueryJwt, ResponseMode::FragmentJwt, ResponseMode::FormPostJwt];
        let message = self.web_message.then_some(ResponseMode::WebMessage);
        let message_jwt = (self.web_message && self.jwt).then_some(ResponseMode::WebMessageJwt);
        message.into_iter().chain(jwt.into_iter().filter(|_| self.jwt)).chain(message_jwt)
    }
}
