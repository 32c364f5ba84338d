//! RFC 6749 sections 4.1.3 and 10.5, the exchange of a code; RFC 7636 section 4.6, its verifier.
//! Config     none; the code's lifetime is in `[authorization_code]`
//! Discovery  none

use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::iana::ErrorCode;
use chancery_types::{Params, ResourceUri};

use super::{Requester, invalid_grant};
use crate::error::{Failure, Reason, Refusal};
use crate::event::GrantEnd;
use crate::issue::end_grant;
use crate::model::{Client, Entitlement, Possession};
use crate::records::{AuthorizationCodeBody, Found};
use crate::rule::pkce::{CodeChallenge, CodeVerifier};
use crate::rule::resource;

reasons! {
    /// The token request has no `code` parameter.
    pub CODE_MISSING = Reason {
        name: "code_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter code",
        section: "RFC 6749 section 4.1.3",
    };
    /// The code does not exist, or its grant was revoked.
    pub CODE_UNKNOWN = invalid_grant("code_unknown");
    /// The code belongs to another client.
    pub CODE_FOREIGN = invalid_grant("code_foreign");
    /// `redirect_uri` differs from the one in the authorization request.
    pub CODE_REDIRECT_URI = invalid_grant("code_redirect_uri");
    /// `code_verifier` is missing or wrong, or was sent although the authorization request had no challenge.
    pub CODE_VERIFIER = invalid_grant("code_verifier");
    /// The code is bound to a key (RFC 9449 section 10) whose possession the client has not shown.
    pub CODE_BOUND = invalid_grant("code_bound_to_another_key");
    /// The code has already been redeemed. Its grant is revoked, because one of the two parties that sent it
    /// may have stolen it.
    pub CODE_USED = invalid_grant("code_used");
    /// The code is older than `authorization_code.lifetime`.
    pub CODE_EXPIRED = invalid_grant("code_expired");
}

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

/// What the code entitles this client to. Nothing is used up here: of any number of concurrent requests, the
/// step that stores the tokens lets exactly one succeed.
pub(super) async fn entitle(
    caller: Requester<'_>,
    asked: &Request<'_>,
    resource: Option<&ResourceUri>,
    shown: &Possession,
) -> Result<Entitlement, Failure> {
    let Requester { call, env, client } = caller;
    let handle = Handle::<AuthorizationCode>::parse(asked.code).map_err(|_| &CODE_UNKNOWN)?;
    let found = env.records().get::<AuthorizationCodeBody>(call.now, handle.key(&env.realm)).await?;
    let found = found.ok_or(&CODE_UNKNOWN)?;
    found.body.admit(client, asked, shown)?;
    if found.consumed_at.is_some() {
        end_grant(call, env, found.body.granted.ended(), GrantEnd::CodeReplayed).await?;
        return CODE_USED.refused();
    }
    if found.body.deadline <= call.now {
        return CODE_EXPIRED.refused();
    }
    let Found { key, body, .. } = found;
    let asked = (resource, &body.granted.scopes);
    let target = resource::target((env, client), &body.granted, asked).await?;
    Ok(Entitlement::of_code(body.granted, target, body.nonce, key))
}

impl AuthorizationCodeBody {
    /// Whether this client may exchange the code and its parameters match the authorization request. A
    /// failure uses nothing up, so a thief without the verifier cannot burn the owner's code.
    fn admit(&self, client: &Client, asked: &Request<'_>, shown: &Possession) -> Result<(), Refusal> {
        if self.granted.client != *client.id() {
            return CODE_FOREIGN.refused();
        }
        // RFC 6749 section 4.1.3: required if the authorization request contained it, and identical if it is
        // sent.
        let is_same = match asked.redirect_uri {
            Some(uri) => *uri == *self.redirect_uri,
            None => !self.redirect_uri_was_sent,
        };
        if !is_same {
            return CODE_REDIRECT_URI.refused();
        }
        // RFC 9700 section 2.1.1: a verifier without a challenge is refused too, to prevent PKCE downgrades.
        let is_proved = match (&self.code_challenge, &asked.code_verifier) {
            (Some(challenge), Some(verifier)) => {
                CodeChallenge::kept(self.code_challenge_method, challenge).admits(verifier)
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_proved {
            return CODE_VERIFIER.refused();
        }
        if self.binding.admits(shown) { Ok(()) } else { CODE_BOUND.refused() }
    }
}
