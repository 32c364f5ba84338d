//! RFC 6749 section 6, refreshing an access token; RFC 9700 section 4.14.2; OpenID Connect Core 1.0 section 12.
//! Config     none; lives and grace stand in `[refresh_token]`
//! Discovery  none

use chancery_types::Params;
use chancery_types::handle::{RefreshToken, RotatingHandle};
use chancery_types::iana::ErrorCode;

use super::{Caller, invalid_grant};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::GrantEnd;
use crate::issue::refresh_token::{Generation, successor};
use crate::issue::{TokenIssuer, end_grant};
use crate::model::{Condition, Entitlement, Granted, Target};
use crate::policy::TokenKind;
use crate::records::{Body, RefreshFamilyBody};
use crate::rule::scope;

/// No `refresh_token`.
pub const REFRESH_TOKEN_MISSING: Reason = Reason {
    name: "refresh_token_missing",
    code: ErrorCode::InvalidRequest,
    description: "missing required parameter refresh_token",
    section: "RFC 6749 section 6",
};
/// More scope than was granted.
pub const SCOPE_EXCEEDS_GRANT: Reason = Reason {
    name: "scope_exceeds_grant",
    code: ErrorCode::InvalidScope,
    description: "refresh token does not include the requested scope",
    section: "RFC 6749 section 6",
};
/// Nothing of what is asked for means anything to those who take the tokens.
pub const NOTHING_FOR_AUDIENCE: Reason = Reason {
    name: "scope_nothing_for_audience",
    code: ErrorCode::InvalidScope,
    description: "scope must name something that a resource server of the token knows",
    section: "RFC 6749 section 6",
};
/// There is no such family, or its grant is dead.
pub const REFRESH_TOKEN_UNKNOWN: Reason = invalid_grant("refresh_token_unknown");
/// The refresh token belongs to another client.
pub const REFRESH_TOKEN_FOREIGN: Reason = invalid_grant("refresh_token_foreign");
/// The refresh token was replaced.
pub const REFRESH_TOKEN_USED: Reason = invalid_grant("refresh_token_used");

/// The parameters of the grant type.
pub(super) struct Request<'p> {
    refresh_token: &'p str,
    scope: Option<&'p str>,
}

impl<'p> Request<'p> {
    pub(super) fn read(params: &'p Params<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            refresh_token: params.one("refresh_token")?.ok_or(&REFRESH_TOKEN_MISSING)?,
            scope: params.one("scope")?,
        })
    }
}

/// What the refresh token is worth to this client. The client is compared before the secret, so that a token in foreign
/// hands tells nothing and ends nothing.
pub(super) async fn entitle(
    caller: Caller<'_>,
    asked: &Request<'_>,
    issuer: &TokenIssuer,
) -> Result<Entitlement, Failure> {
    let Caller { call, env, client } = caller;
    let now = call.now;
    let shown = RotatingHandle::<RefreshToken>::parse(asked.refresh_token);
    let shown = shown.map_err(|_| &REFRESH_TOKEN_UNKNOWN)?;
    let found = env.records().get::<RefreshFamilyBody>(now, shown.key(&env.realm)).await?;
    let found = found.ok_or(&REFRESH_TOKEN_UNKNOWN)?;
    let body = &found.body;
    if body.granted.client != *client.id() {
        return Err((&REFRESH_TOKEN_FOREIGN).into());
    }
    let generation = body.generation(shown.secret_digest(), now, issuer.refresh_token.grace);
    if generation == Generation::Replayed {
        // Only a holder of some generation knows the family's id, so nobody else can end it.
        end_grant(call, env, client, body.granted.grant, GrantEnd::RefreshTokenReplayed).await?;
        return Err((&REFRESH_TOKEN_USED).into());
    }
    let target = narrowed(asked.scope, &body.granted, caller.target(&body.granted).await?)?;

    let key_version = match generation {
        Generation::Current => issuer.keys.newest().version,
        Generation::JustReplaced | Generation::Replayed => body.key_version,
    };
    let next = successor(&issuer.keys, key_version, &shown)?;
    if generation != Generation::Current && next.secret_digest() != body.current {
        return Err(Fault::internal("the successor of a refresh token is not the one that was given").into());
    }
    let rotated = body.rotated(next.secret_digest(), key_version, now);
    let mut entitled = Entitlement::of_refresh_token(body.granted.clone(), target, next);
    if generation == Generation::Current {
        let idle = issuer.policy.lifetime(TokenKind::RefreshToken, &entitled, client, issuer.refresh_token.idle);
        entitled.condition = Condition::Rotate {
            family: found.key,
            seen: found.revision,
            body: rotated.encode()?,
            expires_at: body.absolute_end.min(now + idle),
        };
    }
    Ok(entitled)
}

/// Less than was granted, for this response only (RFC 6749 section 6).
fn narrowed(asked: Option<&str>, granted: &Granted, target: Target) -> Result<Target, Refusal> {
    let Some(scopes) = scope::read(asked)? else { return Ok(target) };
    if !scopes.is_subset(&granted.scopes) {
        return Err((&SCOPE_EXCEEDS_GRANT).into());
    }
    let narrowed = target.clone().only(scopes);
    // Less scope is no other audience: a token for a resource server does not become one for nobody.
    if target.resource.is_some() && narrowed.is_for_nobody() {
        return Err((&NOTHING_FOR_AUDIENCE).into());
    }
    Ok(narrowed)
}
