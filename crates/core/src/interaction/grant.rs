//! What is granted: of the scopes and claims that were asked for, those that the person agreed to (RFC 6749
//! section 3.3).

use chancery_types::{Scope, Scopes};

use super::NOTHING_GRANTED;
use super::pending::Pending;
use crate::error::Reason;
use crate::model::{ClaimsRequest, ConsentMode};

/// Scopes and single claims that are granted to the client.
pub(super) struct Allowed {
    pub(super) scopes: Scopes,
    pub(super) claims: ClaimsRequest,
}

/// Whatever was declined, or still needs a yes, is left out. What is left has to be worth an answer, and an
/// OpenID request without `openid` is none.
pub(super) fn allowed(pending: &Pending<'_>) -> Result<Allowed, &'static Reason> {
    let (asked, answer) = (&pending.asked, &pending.agreed.answer);
    let mode = pending.client.metadata().own.consent;
    let undecided = pending.undecided().scopes;
    let is_allowed = |scope: &Scope| match mode {
        _ if answer.allows(scope, asked.resource.as_deref()) => true,
        ConsentMode::Ask => false,
        ConsentMode::Implied => {
            !answer.rejected_scopes.contains(scope.as_str()) && !undecided.contains(scope.as_str())
        }
    };
    let scopes = asked.scopes.filtered(is_allowed);
    let lost_openid = asked.scopes.contains(Scope::OPENID) && !scopes.contains(Scope::OPENID);
    if scopes.is_empty() || lost_openid {
        return Err(&NOTHING_GRANTED);
    }
    let claims = match mode {
        ConsentMode::Ask => pending.by.rules.claims.consented(asked.claims.clone(), &scopes, answer),
        ConsentMode::Implied => asked.claims.clone(),
    };
    Ok(Allowed { scopes, claims })
}
