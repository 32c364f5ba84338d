//! RFC 6749 sections 4.1.3 and 10.5, the exchange of a code; RFC 7636 section 4.6, its verifier.
//! Config     none; the code's life stands in `[authorization_code]`
//! Discovery  none

use chancery_types::Params;
use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::iana::ErrorCode;

use super::{Caller, invalid_grant};
use crate::error::{Failure, Reason, Refusal};
use crate::event::GrantEnd;
use crate::issue::end_grant;
use crate::model::{Client, Entitlement};
use crate::records::{AuthorizationCodeBody, Found};
use crate::rule::pkce::{CodeChallenge, CodeVerifier};

/// No `code`.
pub const CODE_MISSING: Reason = Reason {
    name: "code_missing",
    code: ErrorCode::InvalidRequest,
    description: "missing required parameter code",
    section: "RFC 6749 section 4.1.3",
};
/// There is no such code, or its grant is dead.
pub const CODE_UNKNOWN: Reason = invalid_grant("code_unknown");
/// The code belongs to another client.
pub const CODE_FOREIGN: Reason = invalid_grant("code_foreign");
/// The redirect URI is not the one of the authorization request.
pub const CODE_REDIRECT_URI: Reason = invalid_grant("code_redirect_uri");
/// The verifier is missing, wrong, or there was no challenge.
pub const CODE_VERIFIER: Reason = invalid_grant("code_verifier");
/// The code was used before.
pub const CODE_USED: Reason = invalid_grant("code_used");
/// The code is too old.
pub const CODE_EXPIRED: Reason = invalid_grant("code_expired");

/// The parameters of the grant type.
pub(super) struct Request<'p> {
    code: &'p str,
    redirect_uri: Option<&'p str>,
    code_verifier: Option<CodeVerifier>,
}

impl<'p> Request<'p> {
    pub(super) fn read(params: &'p Params<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            code: params.one("code")?.ok_or(&CODE_MISSING)?,
            redirect_uri: params.one("redirect_uri")?,
            code_verifier: params.one("code_verifier")?.map(CodeVerifier::parse).transpose()?,
        })
    }
}

/// What the code is worth to this client. Nothing is used up: of any number who get here, the step that stores the tokens
/// lets one through.
pub(super) async fn entitle(caller: Caller<'_>, asked: &Request<'_>) -> Result<Entitlement, Failure> {
    let Caller { call, env, client } = caller;
    let handle = Handle::<AuthorizationCode>::parse(asked.code).map_err(|_| &CODE_UNKNOWN)?;
    let found = env.records().get::<AuthorizationCodeBody>(call.now, handle.key(&env.realm)).await?;
    let found = found.ok_or(&CODE_UNKNOWN)?;
    found.body.admit(client, asked)?;
    if found.consumed_at.is_some() {
        end_grant(call, env, client, found.body.granted.grant, GrantEnd::CodeReplayed).await?;
        return Err((&CODE_USED).into());
    }
    if found.body.deadline <= call.now {
        return Err((&CODE_EXPIRED).into());
    }
    let Found { key, body, .. } = found;
    let target = caller.target(&body.granted).await?;
    Ok(Entitlement::of_code(body.granted, target, body.nonce, key))
}

impl AuthorizationCodeBody {
    /// Whether it is this client that may exchange it, and whether what it sends fits the authorization request. Who
    /// fails has used up nothing: a thief without the verifier cannot burn the owner's code.
    fn admit(&self, client: &Client, asked: &Request<'_>) -> Result<(), Refusal> {
        if self.granted.client != *client.id() {
            return Err((&CODE_FOREIGN).into());
        }
        // RFC 6749 section 4.1.3: required if it was sent before; and if it is sent, it has to be the same.
        let is_same = match asked.redirect_uri {
            Some(uri) => *uri == *self.redirect_uri,
            None => !self.redirect_uri_was_sent,
        };
        if !is_same {
            return Err((&CODE_REDIRECT_URI).into());
        }
        // RFC 9700 section 2.1.1: a verifier without a challenge is refused, too, against a downgrade.
        let is_proved = match (&self.code_challenge, &asked.code_verifier) {
            (Some(challenge), Some(verifier)) => CodeChallenge::kept(challenge).admits(verifier),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_proved { Ok(()) } else { Err((&CODE_VERIFIER).into()) }
    }
}
