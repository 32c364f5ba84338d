//! RFC 6749 section 6, refreshing an access token; RFC 9700 section 4.14.2; OpenID Connect Core 1.0 section
//! 12.
//! Config     none; lifetimes and grace are in `[refresh_token]`
//! Discovery  none

use chancery_types::handle::{RefreshToken, RotatingHandle};
use chancery_types::iana::ErrorCode;
use chancery_types::{Params, ResourceUri, Scopes};

use super::{Requester, invalid_grant};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::GrantEnd;
use crate::issue::refresh_token::{Generation, successor};
use crate::issue::{TokenIssuer, end_grant};
use crate::model::{Condition, Entitlement, Granted, Possession, Target, TokenBinding};
use crate::policy::TokenKind;
use crate::records::{Body, Found, RefreshFamilyBody};
use crate::rule::{resource, scope};

reasons! {
    /// The token request has no `refresh_token` parameter.
    pub REFRESH_TOKEN_MISSING = Reason {
        name: "refresh_token_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter refresh_token",
        section: "RFC 6749 section 6",
    };
    /// The request asks for a scope that the grant does not include.
    pub SCOPE_EXCEEDS_GRANT = Reason {
        name: "scope_exceeds_grant",
        code: ErrorCode::InvalidScope,
        description: "refresh token does not include the requested scope",
        section: "RFC 6749 section 6",
    };
    /// None of the requested scopes means anything to those who accept the token.
    pub NOTHING_FOR_AUDIENCE = Reason {
        name: "scope_nothing_for_audience",
        code: ErrorCode::InvalidScope,
        description: "scope must name something that a resource server of the token knows",
        section: "RFC 6749 section 6",
    };
    /// The refresh token does not exist, or its grant was revoked.
    pub REFRESH_TOKEN_UNKNOWN = invalid_grant("refresh_token_unknown");
    /// The refresh token belongs to another client.
    pub REFRESH_TOKEN_FOREIGN = invalid_grant("refresh_token_foreign");
    /// The refresh token is bound to a key or a certificate (RFC 9449 section 5, RFC 8705 section 7.1) whose
    /// possession the client has not shown.
    pub REFRESH_TOKEN_BOUND = invalid_grant("refresh_token_bound_to_another_key");
    /// The refresh token has been replaced by a newer one. Its grant is revoked, because one of the two
    /// parties that hold a token may have stolen it.
    pub REFRESH_TOKEN_USED = invalid_grant("refresh_token_used");
}

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

/// What the refresh token entitles this client to. Client and binding are compared before the secret, so a token in
/// the wrong hands reveals nothing and ends nothing.
pub(super) async fn entitle(
    caller: Requester<'_>,
    (asked, resource): (&Request<'_>, Option<&ResourceUri>),
    issuer: &TokenIssuer,
    (possession, binding): (&Possession, TokenBinding),
) -> Result<Entitlement, Failure> {
    let Requester { call, env, client } = caller;
    let now = call.now;
    let shown = RotatingHandle::<RefreshToken>::parse(asked.refresh_token);
    let shown = shown.map_err(|_| &REFRESH_TOKEN_UNKNOWN)?;
    let found = env.records().get::<RefreshFamilyBody>(now, shown.key(&env.realm)).await?;
    let found = found.ok_or(&REFRESH_TOKEN_UNKNOWN)?;
    let body = &found.body;
    if body.granted.client != *client.id() {
        return REFRESH_TOKEN_FOREIGN.refused();
    }
    if !body.binding.admits(possession) {
        return REFRESH_TOKEN_BOUND.refused();
    }
    let generation = body.generation(shown.secret_digest(), now, issuer.refresh_token.grace);
    if generation == Generation::Replayed {
        // Only somebody who held a token of the family knows its id, so nobody else can end it.
        end_grant(call, env, body.granted.ended(), GrantEnd::RefreshTokenReplayed).await?;
        return REFRESH_TOKEN_USED.refused();
    }
    let target = narrowed(caller, &body.granted, (resource, scope::read(asked.scope)?)).await?;
    if generation == Generation::Current && client.demands(&issuer.floor).no_rotation.is_some() {
        return unrotated(caller, issuer, target, shown, found);
    }

    let key_version = match generation {
        Generation::Current => issuer.keys.newest().version,
        Generation::JustReplaced | Generation::Replayed => body.key_version,
    };
    let next = successor(&issuer.keys, key_version, &shown)?;
    if generation != Generation::Current && next.secret_digest() != body.current {
        return Err(Fault::internal("the successor of a refresh token is not the one that was given").into());
    }
    let rotated = body.rotated(next.secret_digest(), key_version, now, binding.of_refresh_token(client));
    let mut entitled = Entitlement::of_refresh_token(body.granted.clone(), target, body.lifetime, next);
    if generation == Generation::Current {
        let idle =
            issuer.policy.lifetime(TokenKind::RefreshToken, &entitled, client, issuer.refresh_token.idle);
        entitled.condition = Condition::Rotate {
            family: found.key,
            seen: found.revision,
            body: rotated.encode()?,
            expires_at: body.absolute_end.min(now + idle),
        };
    }
    Ok(entitled)
}

/// The same token once more (FAPI 2.0 Security Profile section 5.3.2.1): only its idle end moves. It does so only if it
/// was moved a while ago, so that a client may refresh from many places at once.
fn unrotated(
    Requester { call, client, .. }: Requester<'_>,
    issuer: &TokenIssuer,
    target: Target,
    shown: RotatingHandle<RefreshToken>,
    found: Found<RefreshFamilyBody>,
) -> Result<Entitlement, Failure> {
    let body = found.body;
    let mut entitled = Entitlement::of_refresh_token(body.granted.clone(), target, body.lifetime, shown);
    let idle = issuer.policy.lifetime(TokenKind::RefreshToken, &entitled, client, issuer.refresh_token.idle);
    let expires_at = body.absolute_end.min(call.now + idle);
    if expires_at.since(found.expires_at) > idle / 10 {
        entitled.condition =
            Condition::Rotate { family: found.key, seen: found.revision, body: body.encode()?, expires_at };
    }
    Ok(entitled)
}

/// One resource server of several, or fewer scopes than were granted, for this response only (RFC 6749 section 6, RFC
/// 8707 section 2.2).
async fn narrowed(
    caller: Requester<'_>,
    granted: &Granted,
    (resource, scopes): (Option<&ResourceUri>, Option<Scopes>),
) -> Result<Target, Failure> {
    let by = (caller.env, caller.client);
    let Some(scopes) = scopes else {
        return resource::target(by, granted, (resource, &granted.scopes)).await;
    };
    if !scopes.is_subset(&granted.scopes) {
        return SCOPE_EXCEEDS_GRANT.refused();
    }
    let narrowed = resource::target(by, granted, (resource, &scopes)).await?.only(&scopes);
    // Fewer scopes must not change the audience: a token for a resource server does not become one for
    // nobody.
    if !granted.resources.is_empty() && narrowed.is_for_nobody() {
        return NOTHING_FOR_AUDIENCE.refused();
    }
    Ok(narrowed)
}
