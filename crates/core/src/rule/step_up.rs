//! RFC 9470, OAuth 2.0 Step Up Authentication Challenge Protocol: section 3, the authentication that a resource demands.
//! Config     `[userinfo]`
//! Discovery  none

use std::time::Duration;

use chancery_types::Timestamp;
use chancery_types::iana::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::error::{Reason, Refusal, Remedy};
use crate::model::Acr;

reasons! {
    /// The person behind the access token has not authenticated in one of the ways that the resource demands, or it is
    /// not known how.
    pub AUTHENTICATION_TOO_WEAK = Reason {
        name: "access_token_authentication_too_weak",
        code: ErrorCode::InsufficientUserAuthentication,
        description: "a different authentication is required",
        section: "RFC 9470 section 3",
    };
    /// The person behind the access token has authenticated longer ago than the resource permits, or it is not known
    /// when.
    pub AUTHENTICATION_TOO_OLD = Reason {
        name: "access_token_authentication_too_old",
        code: ErrorCode::InsufficientUserAuthentication,
        description: "a more recent authentication is required",
        section: "RFC 9470 section 3",
    };
}

/// What a resource demands of the authentication of the person behind a token: of UserInfo, `[userinfo]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequiredAuthentication {
    /// The classes of which it has to reach one, the best first. None is demanded if there are none.
    pub acr_values: Vec<Acr>,
    /// How long ago it may be, in whole seconds.
    #[serde(with = "crate::duration::zero_is_none")]
    pub max_age: Option<Duration>,
}

impl RequiredAuthentication {
    /// Whether this class, reached at this time, is enough. `tolerance` is how far the clock may differ by which the time
    /// was taken.
    ///
    /// # Errors
    /// A refusal that says what would be. Both are told, whichever was missed, so that one more authentication is enough.
    pub fn met(
        &self,
        (acr, at): (Option<&Acr>, Option<Timestamp>),
        now: Timestamp,
        tolerance: Duration,
    ) -> Result<(), Refusal> {
        if !self.acr_values.is_empty() && !acr.is_some_and(|acr| self.acr_values.contains(acr)) {
            return Err(self.again(&AUTHENTICATION_TOO_WEAK));
        }
        let Some(max_age) = self.max_age else { return Ok(()) };
        let is_recent = |at: Timestamp| now <= at + max_age && at <= now + tolerance;
        if at.is_some_and(is_recent) { Ok(()) } else { Err(self.again(&AUTHENTICATION_TOO_OLD)) }
    }

    fn again(&self, reason: &'static Reason) -> Refusal {
        let values: Vec<&str> = self.acr_values.iter().map(|acr| &*acr.0).collect();
        let acr_values = Some(values.join(" ")).filter(|values| !values.is_empty());
        let remedy = Remedy::Authentication {
            acr_values: acr_values.map(String::into_boxed_str),
            max_age: self.max_age,
        };
        Refusal { reason, remedy: Some(remedy) }
    }
}
