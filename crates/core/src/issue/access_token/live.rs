//! RFC 7662 section 2 and OpenID Connect Core 1.0 section 5.3: looks up the access token that introspection
//! and UserInfo are asked about.
//! Config     none
//! Discovery  none

use chancery_types::handle::{AccessToken, Handle};
use chancery_types::{ResourceUri, Scopes, Timestamp};

use super::{JwtAccessToken, Place};
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::issue::TokenIssuer;
use crate::model::{AuthorizationDetail, Claims, Holder, TokenBinding};
use crate::records::{AccessTokenBody, GrantBody, RevocationBody};

/// An access token that has not ended. Whether its holder may still use it is decided by the gate.
pub(crate) struct LiveAccessToken {
    pub(crate) holder: Holder,
    pub(crate) scopes: Scopes,
    pub(crate) resource: Option<ResourceUri>,
    pub(crate) details: Vec<AuthorizationDetail>,
    pub(crate) binding: TokenBinding,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) jti: Option<String>,
    pub(crate) extra: Claims,
}

impl LiveAccessToken {
    /// Finds the token; `None` if it is unknown, expired or revoked, or is not an access token.
    pub(crate) async fn find(
        call: &Call,
        env: &Env,
        issuer: &TokenIssuer,
        text: &str,
    ) -> Result<Option<Self>, Fault> {
        if let Ok(handle) = Handle::<AccessToken>::parse(text) {
            return Self::opaque(call, env, &handle).await;
        }
        match JwtAccessToken::read(text, &issuer.keys, env, call.now) {
            Some(jwt) => Self::signed(call, env, issuer, jwt).await,
            None => Ok(None),
        }
    }

    /// One read of the store: the token's ancestors decide whether it is alive.
    async fn opaque(call: &Call, env: &Env, handle: &Handle<AccessToken>) -> Result<Option<Self>, Fault> {
        let found = env.records().get::<AccessTokenBody>(call.now, handle.key(&env.realm)).await?;
        Ok(found.map(|found| Self {
            holder: found.body.holder,
            scopes: found.body.scopes,
            resource: found.body.resource,
            details: found.body.details,
            binding: found.body.binding,
            issued_at: found.body.issued_at,
            expires_at: found.expires_at,
            jti: None,
            extra: found.body.extra,
        }))
    }

    /// Two reads of the store, or one without a grant: the grant must be alive, and the token must not be
    /// marked as revoked.
    async fn signed(
        call: &Call,
        env: &Env,
        issuer: &TokenIssuer,
        jwt: JwtAccessToken,
    ) -> Result<Option<Self>, Fault> {
        let holder = match jwt.place {
            Place::Grant(grant) => {
                let found = env.records().get::<GrantBody>(call.now, grant.key(&env.realm)).await?;
                let Some(granted) = found.map(|found| found.body.granted) else { return Ok(None) };
                let Some(client) = env.registry.client(&env.realm, &granted.client).await? else {
                    return Ok(None);
                };
                let subject = issuer.subjects.of(&client, granted.account());
                if *client.id() != jwt.client || subject.as_str() != &*jwt.subject {
                    return Ok(None);
                }
                Holder::Person(Box::new(granted))
            }
            Place::Client { registration, .. } => Holder::Client { client: jwt.client, registration },
        };
        let mark = jwt.place.revocation(&env.realm, &jwt.jti);
        if env.records().get::<RevocationBody>(call.now, mark).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(Self {
            holder,
            scopes: jwt.scopes,
            resource: Some(jwt.resource),
            details: jwt.details,
            binding: jwt.binding,
            issued_at: jwt.issued_at,
            expires_at: jwt.expires_at,
            jti: Some(jwt.jti),
            extra: jwt.extra,
        }))
    }
}
