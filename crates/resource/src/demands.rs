//! RFC 6750, OAuth 2.0 Bearer Token Usage: section 3.1, the scopes that a route demands; RFC 9470, OAuth 2.0 Step Up
//! Authentication Challenge Protocol: section 3, the authentication that it demands.
//! Config     none
//! Discovery  none

use std::time::Duration;

use chancery_core::error::{Reason, Refusal, Remedy};
use chancery_core::model::{AccessToken, Acr};
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
    /// The person behind the access token has not authenticated in one of the ways that the route demands, or it is not
    /// known how.
    AUTHENTICATION_TOO_WEAK = Reason {
        name: "access_token_authentication_too_weak",
        code: ErrorCode::InsufficientUserAuthentication,
        description: "a different authentication is required",
        section: "RFC 9470 section 3",
    };
    /// The person behind the access token has authenticated longer ago than the route permits, or it is not known when.
    AUTHENTICATION_TOO_OLD = Reason {
        name: "access_token_authentication_too_old",
        code: ErrorCode::InsufficientUserAuthentication,
        description: "a more recent authentication is required",
        section: "RFC 9470 section 3",
    };
}

/// What a route demands of an access token that is good for the resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands {
    pub(crate) scopes: Scopes,
    /// Of which one has to be reached, the best first. None is demanded if there are none.
    pub(crate) acr_values: Vec<Acr>,
    pub(crate) max_age: Option<Duration>,
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
        let reached = |acr: &Acr| self.acr_values.contains(acr);
        if !self.acr_values.is_empty() && !token.acr.as_ref().is_some_and(reached) {
            return Err(self.authenticate_again(&AUTHENTICATION_TOO_WEAK));
        }
        if let Some(max_age) = self.max_age {
            let is_recent = |at: Timestamp| now <= at + max_age && at <= now + tolerance;
            if !token.authenticated_at.is_some_and(is_recent) {
                return Err(self.authenticate_again(&AUTHENTICATION_TOO_OLD));
            }
        }
        Ok(())
    }

    /// Both are told, whichever was missed, so that one more authentication is enough.
    fn authenticate_again(&self, reason: &'static Reason) -> Refusal {
        let values: Vec<&str> = self.acr_values.iter().map(|acr| &*acr.0).collect();
        let acr_values = Some(values.join(" ")).filter(|values| !values.is_empty());
        let remedy = Remedy::Authentication {
            acr_values: acr_values.map(String::into_boxed_str),
            max_age: self.max_age,
        };
        Refusal { reason, remedy: Some(remedy) }
    }
}
