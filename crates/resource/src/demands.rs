//! RFC 6750, OAuth 2.0 Bearer Token Usage: section 3.1, the scopes that a route demands; RFC 9470 section 3, the
//! authentication that it demands.
//! Config     none
//! Discovery  none

use std::time::Duration;

use chancery_core::error::{Reason, Refusal, Remedy};
use chancery_core::model::AccessToken;
use chancery_core::rule::step_up::RequiredAuthentication;
use chancery_types::iana::ErrorCode;
use chancery_types::{Scopes, Timestamp};

chancery_core::reasons! {
    /// The access token has not all scopes that the route demands.
    SCOPE_MISSING = Reason {
        name: "access_token_scope_missing",
        code: ErrorCode::InsufficientScope,
        description: "the access token does not cover this request",
        section: "RFC 6750 section 3.1",
    };
}

/// What a route demands of an access token that is good for the resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands {
    pub(crate) scopes: Scopes,
    pub(crate) authentication: RequiredAuthentication,
}

impl Demands {
    /// Whether the token meets them.
    ///
    /// # Errors
    /// A refusal that says what would.
    pub(crate) fn met(
        &self,
        token: &AccessToken,
        now: Timestamp,
        tolerance: Duration,
    ) -> Result<(), Refusal> {
        if !self.scopes.is_subset(&token.scopes) {
            let remedy = Remedy::Scope(self.scopes.to_string().into());
            return Err(Refusal { reason: &SCOPE_MISSING, remedy: Some(remedy) });
        }
        self.authentication.met((token.acr.as_ref(), token.authenticated_at), now, tolerance)
    }
}
