//! RFC 7009, OAuth 2.0 Token Revocation: section 2.
//! Config     none
//! Discovery  revocation_endpoint

use std::sync::Arc;
use std::time::Duration;

use chancery_store::{Revoked, StoreError, Tags};
use chancery_types::handle::{AccessToken, Handle, RefreshToken, RotatingHandle};
use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, Params};

use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::endpoint::{ClientEndpoint, Requester};
use crate::error::{Failure, Fault, Reason};
use crate::event::{Event, GrantEnd};
use crate::issue::access_token::JwtAccessToken;
use crate::issue::{TokenIssuer, end_grant};
use crate::model::GrantId;
use crate::policy::{ClientPolicy, Doing, TokenKind, TokenView};
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

/// How much longer than its JWT a mark is kept. A clock that is ahead for a while must not sweep it away too early: set right
/// again, it would find the JWT good.
const KEPT: Duration = Duration::from_secs(86_400);

/// The revocation endpoint.
pub struct RevocationEndpoint {
    /// Knows the keys of JWTs and the policy of tokens.
    pub issuer: Arc<TokenIssuer>,
    /// Who may end which token.
    pub policy: Arc<dyn ClientPolicy>,
}

impl ClientEndpoint for RevocationEndpoint {
    type Response = ();

    /// Ends a token. That it is unknown, dead already, or another client's is the same answer (RFC 7009 section 2.2): the
    /// client has nothing to do about it.
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
        // `token_type_hint` is not needed: a token tells its type by its form.
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
        let Some(found) = found.filter(|found| self.owns(caller, TokenKind::AccessToken, found.body.holder.client()))
        else {
            return Ok(());
        };
        if env.records().revoke(call.now, found.key).await? == Revoked::Ended {
            caller.record_revoked();
        }
        self.end_grant_too(caller, TokenKind::AccessToken, found.body.holder.grant()).await
    }

    /// Whoever knows the family's id has held one of its tokens; which one does not matter when all shall end.
    async fn refresh_token(&self, caller: Requester<'_>, handle: &RotatingHandle<RefreshToken>) -> Result<(), Fault> {
        let Requester { call, env, .. } = caller;
        let found = env.records().get::<RefreshFamilyBody>(call.now, handle.key(&env.realm)).await?;
        let Some(found) = found.filter(|found| self.owns(caller, TokenKind::RefreshToken, &found.body.granted.client))
        else {
            return Ok(());
        };
        if !self.issuer.policy.ends_grant(TokenKind::RefreshToken)
            && env.records().revoke(call.now, found.key).await? == Revoked::Ended
        {
            caller.record_revoked();
        }
        self.end_grant_too(caller, TokenKind::RefreshToken, Some(found.body.granted.grant)).await
    }

    /// A JWT is good by its signature; the mark that it is revoked outlives it.
    async fn signed(&self, caller: Requester<'_>, jwt: &JwtAccessToken) -> Result<(), Fault> {
        let Requester { call, env, .. } = caller;
        if !self.owns(caller, TokenKind::AccessToken, &jwt.client) {
            return Ok(());
        }
        let grant = jwt.place.grant();
        let parent = grant.map(|grant| grant.key(&env.realm));
        let mark = jwt.place.revocation(&env.realm, &jwt.jti);
        let record = env.records().new(mark, parent, Tags::default(), jwt.expires_at + KEPT, &RevocationBody {})?;
        match env.records().insert(call.now, &[record]).await {
            Ok(()) => caller.record_revoked(),
            // It is marked already.
            Err(StoreError::Occupied) => {}
            Err(fault) => return Err(fault.into()),
        }
        self.end_grant_too(caller, TokenKind::AccessToken, grant).await
    }

    fn owns(&self, caller: Requester<'_>, kind: TokenKind, owner: &ClientId) -> bool {
        self.policy.sees(caller.client, &TokenView { kind, client: owner, resource: None }, Doing::Revocation)
    }

    async fn end_grant_too(&self, caller: Requester<'_>, kind: TokenKind, grant: Option<GrantId>) -> Result<(), Fault> {
        let Requester { call, env, client } = caller;
        match grant.filter(|_| self.issuer.policy.ends_grant(kind)) {
            Some(grant) => end_grant(call, env, client, grant, GrantEnd::RevokedByClient).await,
            None => Ok(()),
        }
    }
}

impl Requester<'_> {
    fn record_revoked(self) {
        self.env.record(self.call, &Event::TokenRevoked { client: self.client.id().clone() });
    }
}
