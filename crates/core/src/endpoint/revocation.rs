//! RFC 7009, OAuth 2.0 Token Revocation: section 2.
//! Config     none
//! Discovery  revocation_endpoint

use std::sync::Arc;
use std::time::Duration;

use chancery_store::{Revoked, StoreError, Tags};
use chancery_types::handle::{AccessToken, Handle, RefreshToken, RotatingHandle};
use chancery_types::iana::ErrorCode;
use chancery_types::{AccountId, ClientId, Params};

use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::endpoint::{ClientEndpoint, Requester};
use crate::error::{Failure, Fault, Reason};
use crate::event::{Event, GrantEnd};
use crate::issue::access_token::JwtAccessToken;
use crate::issue::{TokenIssuer, end_grant};
use crate::model::GrantId;
use crate::policy::{Doing, DynClientPolicy, TokenKind, TokenView};
use crate::records::{AccessTokenBody, RefreshFamilyBody, RevocationBody};

reasons! {
    /// The revocation request has no `token` parameter.
    pub TOKEN_MISSING = Reason {
        name: "revoked_token_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter token",
        section: "RFC 7009 section 2.1",
    };
}

/// How much longer a revocation mark is kept than its JWT lives. Otherwise a clock that runs ahead for a
/// while could remove the mark too early, and once the clock is right again the JWT would be valid.
const KEPT: Duration = Duration::from_secs(86_400);

/// The revocation endpoint.
pub struct RevocationEndpoint {
    /// Has the keys of JWTs and the policy for tokens.
    pub issuer: Arc<TokenIssuer>,
    /// Decides who may revoke which token.
    pub policy: Arc<dyn DynClientPolicy>,
}

impl ClientEndpoint for RevocationEndpoint {
    type Response = ();

    /// Revokes a token. If it is unknown, has already ended or belongs to another client, the answer is the
    /// same (RFC 7009 section 2.2), because there is nothing that the client could do about it.
    ///
    /// # Errors
    /// A refusal of the request itself, never of the token; or a fault.
    async fn respond(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        params: &Params<'_>,
    ) -> Result<(), Failure> {
        // `token_type_hint` is not needed, because the form of a token reveals its type.
        let token = params.one("token")?.ok_or(&TOKEN_MISSING)?;
        let caller = Requester { call, env, client: client.client() };
        if let Ok(handle) = Handle::<AccessToken>::parse(token) {
            self.opaque(caller, &handle).await?;
        } else if let Ok(handle) = RotatingHandle::<RefreshToken>::parse(token) {
            self.refresh_token(caller, &handle).await?;
        } else if let Some(jwt) = JwtAccessToken::read(token, &self.issuer.keys, env, call.now) {
            self.signed(caller, &jwt).await?;
        }
        Ok(())
    }
}

impl RevocationEndpoint {
    async fn opaque(&self, caller: Requester<'_>, handle: &Handle<AccessToken>) -> Result<(), Fault> {
        let Requester { call, env, .. } = caller;
        let found = env.records().get::<AccessTokenBody>(call.now, handle.key(&env.realm)).await?;
        let Some(found) =
            found.filter(|found| self.owns(caller, TokenKind::AccessToken, found.body.holder.client()))
        else {
            return Ok(());
        };
        if env.records().revoke(call.now, found.key).await? == Revoked::Ended {
            caller.record_revoked(found.body.holder.account());
        }
        let holder = &found.body.holder;
        self.end_grant_too(caller, TokenKind::AccessToken, (holder.grant(), holder.account())).await
    }

    /// Only somebody who held a token of the family knows its id. Which token it was does not matter, because
    /// all of them end.
    async fn refresh_token(
        &self,
        caller: Requester<'_>,
        handle: &RotatingHandle<RefreshToken>,
    ) -> Result<(), Fault> {
        let Requester { call, env, .. } = caller;
        let found = env.records().get::<RefreshFamilyBody>(call.now, handle.key(&env.realm)).await?;
        let Some(found) =
            found.filter(|found| self.owns(caller, TokenKind::RefreshToken, &found.body.granted.client))
        else {
            return Ok(());
        };
        if !self.issuer.policy.ends_grant(TokenKind::RefreshToken)
            && env.records().revoke(call.now, found.key).await? == Revoked::Ended
        {
            caller.record_revoked(Some(found.body.granted.account()));
        }
        let granted = &found.body.granted;
        let of = (Some(granted.grant), Some(granted.account()));
        self.end_grant_too(caller, TokenKind::RefreshToken, of).await
    }

    /// A JWT stays valid by its signature, so a mark that outlives it records the revocation.
    async fn signed(&self, caller: Requester<'_>, jwt: &JwtAccessToken) -> Result<(), Fault> {
        let Requester { call, env, .. } = caller;
        if !self.owns(caller, TokenKind::AccessToken, &jwt.client) {
            return Ok(());
        }
        let grant = jwt.place.grant();
        let parent = grant.map(|grant| grant.key(&env.realm));
        let mark = jwt.place.revocation(&env.realm, &jwt.jti);
        let record =
            env.records().new(mark, parent, Tags::default(), jwt.expires_at + KEPT, &RevocationBody {})?;
        match env.records().insert(call.now, &[record]).await {
            Ok(()) => caller.record_revoked(None),
            // It has already been revoked.
            Err(StoreError::Occupied) => {}
            Err(fault) => return Err(fault.into()),
        }
        self.end_grant_too(caller, TokenKind::AccessToken, (grant, None)).await
    }

    fn owns(&self, caller: Requester<'_>, kind: TokenKind, owner: &ClientId) -> bool {
        self.policy.sees(caller.client, &TokenView { kind, client: owner, resource: None }, Doing::Revocation)
    }

    async fn end_grant_too(
        &self,
        caller: Requester<'_>,
        kind: TokenKind,
        (grant, account): (Option<GrantId>, Option<&AccountId>),
    ) -> Result<(), Fault> {
        let Requester { call, env, client } = caller;
        match grant.filter(|_| self.issuer.policy.ends_grant(kind)) {
            Some(grant) => {
                end_grant(call, env, (grant, client.id(), account), GrantEnd::RevokedByClient).await
            }
            None => Ok(()),
        }
    }
}

impl Requester<'_> {
    fn record_revoked(self, account: Option<&AccountId>) {
        let client = self.client.id().clone();
        self.env.record(self.call, &Event::TokenRevoked { client, account: account.cloned() });
    }
}
