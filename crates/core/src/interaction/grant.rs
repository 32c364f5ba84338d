//! What is granted: of the scopes and claims that were asked for, those that the person agreed to (RFC 6749
//! section 3.3).

use chancery_types::Scope;

use super::NOTHING_GRANTED;
use super::pending::Pending;
use crate::error::Reason;
use crate::model::{Access, AuthorizationDetail, ClaimsRequest, ConsentMode, PromptName};

/// Scopes, access to resource servers, authorization details and single claims that are granted to the client.
pub(super) struct Allowed {
    pub(super) access: Access,
    pub(super) details: Vec<AuthorizationDetail>,
    pub(super) claims: ClaimsRequest,
}

/// Whatever was declined, or still needs a yes, is left out. What is left has to be worth an answer, and an
/// OpenID request without `openid` is none.
pub(super) fn allowed(pending: &Pending<'_>) -> Result<Allowed, &'static Reason> {
    let (asked, answer) = (&pending.asked, &pending.agreed.answer);
    let mode = pending.client.metadata().own.consent;
    let undecided = match mode {
        ConsentMode::Ask => Access::default(),
        ConsentMode::Implied => pending.undecided().access,
    };
    let access = asked.access().filtered(|resource, scope| match (mode, scope) {
        _ if answer.allows(resource, scope) => true,
        (ConsentMode::Ask, _) => false,
        (ConsentMode::Implied, Some(scope)) => {
            !answer.rejected_scopes.contains(scope.as_str()) && !undecided.contains(scope.as_str())
        }
        (ConsentMode::Implied, None) => true,
    });
    // They are not remembered: what was allowed was allowed for this request.
    let has_agreed = pending.done.has(&PromptName::Consent) || pending.done.has(&PromptName::Approve);
    let details = if has_agreed { pending.details().to_vec() } else { Vec::new() };
    let lost_openid = asked.scopes.contains(Scope::OPENID) && !access.contains(Scope::OPENID);
    if (access.is_empty() && details.is_empty()) || lost_openid {
        return Err(&NOTHING_GRANTED);
    }
    let claims = match mode {
        ConsentMode::Ask => pending.by.rules.claims.consented(asked.claims.clone(), &access.scopes, answer),
        ConsentMode::Implied => asked.claims.clone(),
    };
    Ok(Allowed { access, details, claims })
}
