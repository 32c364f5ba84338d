//! Issuing tokens, codes and responses.

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{ClaimsWriter, SigningAlgorithm};
use chancery_store::{Change, Record, Redeemed, Revoked, Updated};
use chancery_types::{AccountId, ClientId, Scopes, Timestamp};

use crate::client::{AuthenticatedClient, mark_used};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Refusal};
use crate::event::{Event, GrantEnd};
use crate::keys::KeySet;
use crate::model::{
    AuthorizationDetail, Client, Condition, Entitlement, GrantId, Holder, Refresh, TokenBinding,
};
use crate::offered::Component;
use crate::policy::{Cleared, DynTokenPolicy};
use crate::profile::Floor;
use crate::records::GrantBody;
use crate::rule::authorization_details::{self, DETAILS_WITHDRAWN, DetailTypes};
use crate::rule::claims::ClaimsRule;
use crate::rule::pairwise::Subjects;
use id_token::{Beside, Pushed};

pub mod access_token;

mod approval;
mod approval_notice;

pub mod authorization_code;

pub mod authorization_response;
pub(crate) use authorization_response::Yes;

mod front_channel;

pub mod encrypted;
use encrypted::announce_encryption;

pub mod id_token;

mod logout_token;

pub mod refresh_token;

/// Issues tokens. It is part of a snapshot, so everything in one response comes from the same keys and
/// settings.
pub struct TokenIssuer {
    /// The keys that sign.
    pub keys: Arc<KeySet>,
    /// Computes `sub`.
    pub subjects: Arc<Subjects>,
    /// The application's policy for tokens.
    pub policy: Arc<dyn DynTokenPolicy>,
    /// Which claims a client is registered for.
    pub claims: Arc<ClaimsRule>,
    /// What authorization details mean.
    pub details: Arc<DetailTypes>,
    /// `[authorization_code]`
    pub authorization_code: authorization_code::AuthorizationCodeConfig,
    /// `[access_token]`
    pub access_token: access_token::AccessTokenConfig,
    /// `[id_token]`
    pub id_token: id_token::IdTokenConfig,
    /// `[response_modes] jwt`
    pub jwt_responses: bool,
    /// `[compatibility] unsigned_id_token`
    pub unsigned_id_tokens: bool,
    /// `[compatibility] empty_scope_members`
    pub empty_scope_members: bool,
    /// `[refresh_token]`
    pub refresh_token: refresh_token::RefreshTokenConfig,
    /// What each client is held to.
    pub floor: Floor,
}

/// A successful token response (RFC 6749 section 5.1). It has no `Debug`, because it holds secrets.
pub struct TokenResponse {
    /// `access_token`
    pub access_token: String,
    /// `token_type`
    pub token_type: &'static str,
    /// `expires_in`, sent in whole seconds.
    pub expires_in: Duration,
    /// `refresh_token`
    pub refresh_token: Option<String>,
    /// `id_token` (OIDC Core section 3.1.3.3)
    pub id_token: Option<String>,
    /// `scope`, always sent if there is one, so that the client can see what was not granted. An empty one is
    /// sent only by a compatibility setting.
    pub scope: Option<String>,
    /// `authorization_details` of the access token (RFC 9396 section 7).
    pub details: Vec<AuthorizationDetail>,
}

impl TokenResponse {
    /// The JSON object of RFC 6749 section 5.1, with the ID token of OIDC Core section 3.1.3.3.
    #[must_use]
    pub fn json(&self) -> String {
        let mut members = ClaimsWriter::new();
        self.write(&mut members);
        members.finish()
    }

    /// Its members.
    pub(crate) fn write(&self, members: &mut ClaimsWriter) {
        members
            .string("access_token", &self.access_token)
            .string("token_type", self.token_type)
            .integer("expires_in", i64::try_from(self.expires_in.as_secs()).unwrap_or(i64::MAX))
            .string_if("refresh_token", self.refresh_token.as_deref())
            .string_if("id_token", self.id_token.as_deref())
            .string_if("scope", self.scope.as_deref());
        authorization_details::write(&self.details, members);
    }
}

/// The result of an attempt to issue.
pub enum Issuance {
    /// The tokens are stored and valid.
    Issued(TokenResponse),
    /// The condition did not hold in the step that stores the tokens; nothing that was made is valid.
    Lost(Lost),
}

/// Why the condition did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It has already been used.
    Replayed,
    /// It has changed since it was read.
    Stale,
    /// It has ended.
    Gone,
}

/// What tokens are made from.
#[derive(Clone, Copy)]
struct Draft<'a> {
    call: &'a Call,
    env: &'a Env,
    client: &'a Client,
    what: &'a Entitlement,
    /// What the access token is bound to.
    binding: TokenBinding,
}

impl Component for TokenIssuer {
    fn announce(&self, now: Timestamp, metadata: &mut ClaimsWriter) {
        let algorithms = self.algorithms(now);
        let none = self.unsigned_id_tokens.then_some("none");
        metadata.strings(
            "id_token_signing_alg_values_supported",
            algorithms.iter().map(|alg| alg.name()).chain(none),
        );
        if self.jwt_responses {
            let name = "authorization_signing_alg_values_supported";
            metadata.strings(name, algorithms.iter().map(|alg| alg.name()));
            announce_encryption(
                metadata,
                [
                    "authorization_encryption_alg_values_supported",
                    "authorization_encryption_enc_values_supported",
                ],
            );
        }
        metadata
            .boolean("backchannel_logout_supported", true)
            .boolean("backchannel_logout_session_supported", true);
        announce_encryption(
            metadata,
            ["id_token_encryption_alg_values_supported", "id_token_encryption_enc_values_supported"],
        );
    }
}

impl TokenIssuer {
    /// The algorithms that a client's tokens and responses can be signed with, as far as the profile of the server
    /// permits them. For a client that is registered for an HMAC, its secret is the key (OIDC Core section 10.1).
    #[must_use]
    pub fn algorithms(&self, now: Timestamp) -> Vec<SigningAlgorithm> {
        let symmetric = SigningAlgorithm::ALL.into_iter().filter(|alg| alg.is_symmetric());
        let permitted = &self.floor.server().algorithms;
        let all = self.keys.algorithms(now).into_iter().chain(symmetric);
        all.filter(|alg| permitted.has(alg)).collect()
    }

    /// Makes and signs everything first, then takes the one step that makes it valid, and only then returns
    /// it. A request that loses the step gets nothing, and a signer that fails uses nothing up.
    ///
    /// ```
    /// # use chancery_core::{client::*, context::*, issue::*, model::TokenBinding, policy::Cleared};
    /// async fn issue(by: &TokenIssuer, call: &Call, env: &Env, who: &AuthenticatedClient, what: Cleared) {
    ///     let issued = by.tokens(call, env, who, what, TokenBinding::None).await;
    /// }
    /// ```
    /// ```compile_fail,E0308
    /// # use chancery_core::{client::*, context::*, issue::*, model::*};
    /// async fn skip(by: &TokenIssuer, call: &Call, env: &Env, who: &AuthenticatedClient, what: Entitlement) {
    ///     let issued = by.tokens(call, env, who, what, TokenBinding::None).await;
    /// }
    /// ```
    ///
    /// # Errors
    /// A fault of the signer, of the accounts or of the store; then no code or token has been used up.
    pub async fn tokens(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        cleared: Cleared,
        binding: TokenBinding,
    ) -> Result<Issuance, Failure> {
        self.issue(call, env, client.client(), cleared, (binding, None)).await
    }

    /// The same for tokens that are sent to a client which has asked for them before (CIBA Core section 10.3): the ID
    /// token vouches for everything that is sent with it.
    ///
    /// # Errors
    /// As [`TokenIssuer::tokens`].
    pub(crate) async fn pushed_tokens(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        cleared: Cleared,
        (binding, auth_req_id): (TokenBinding, &str),
    ) -> Result<Issuance, Failure> {
        self.issue(call, env, client, cleared, (binding, Some(auth_req_id))).await
    }

    async fn issue(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        cleared: Cleared,
        (binding, auth_req_id): (TokenBinding, Option<&str>),
    ) -> Result<Issuance, Failure> {
        let what = self.registered(cleared, client);
        let draft = Draft { call, env, client, what: &what, binding };
        let access = self.access_token(&draft).await?;
        let (refresh_token, family) = match &what.refresh {
            Refresh::No => (None, None),
            Refresh::New => self.refresh_family(&draft)?.unzip(),
            Refresh::Family(token) => (Some(token.clone()), None),
        };
        let refresh_token = refresh_token.map(|token| token.reveal());
        let pushed =
            auth_req_id.map(|auth_req_id| Pushed { auth_req_id, refresh_token: refresh_token.as_deref() });
        let beside = Beside { access_token: Some(&access.text), pushed, ..Beside::default() };
        let id_token = self.id_token(&draft, beside).await?;

        let grant = match &what.condition {
            Condition::Begin => self.new_grant(&draft, access.lifetime, family.is_some())?,
            _ => None,
        };
        let batch: Vec<_> = grant.into_iter().chain(access.record).chain(family).collect();
        if let Some(lost) = step(call, env, &what.condition, &batch).await? {
            return Ok(Issuance::Lost(lost));
        }
        env.record(
            call,
            &Event::TokensIssued {
                client: client.id().clone(),
                grant_type: what.grant_type.clone(),
                account: what.account().cloned(),
            },
        );
        mark_used(env, client).await;
        Ok(Issuance::Issued(TokenResponse {
            access_token: access.text,
            token_type: binding.token_type(),
            expires_in: access.lifetime,
            refresh_token,
            id_token,
            scope: self.scope_member(&what.target.answered_scopes(), client),
            details: what.target.details,
        }))
    }
}

impl TokenIssuer {
    /// Gives the access token its authorization details.
    ///
    /// # Errors
    /// [`DETAILS_WITHDRAWN`] if it would be for nothing else, and the client may not have them any more.
    pub(crate) fn give_details(
        &self,
        entitled: &mut Entitlement,
        asked: &[AuthorizationDetail],
        client: &Client,
    ) -> Result<(), Refusal> {
        let types = &self.details;
        let granted = entitled.holder.granted().map_or(&[][..], |granted| &granted.details);
        let is_for_nothing_else = entitled.scopes().is_empty() && entitled.target.resource.is_none();
        if is_for_nothing_else && types.are_gone(granted, client) {
            return DETAILS_WITHDRAWN.refused();
        }
        let server = entitled.target.resource.as_deref();
        let details = types.of_token(granted, asked, client, server)?;
        entitled.target.details = details;
        Ok(())
    }

    /// The value of a `scope` member that this client reads. Without scopes there is none (RFC 6749 section 3.3:
    /// a scope has at least one token), unless a compatibility setting asks for an empty one.
    pub(crate) fn scope_member(&self, scopes: &Scopes, client: &Client) -> Option<String> {
        let is_empty_sent = self.empty_scope_members || client.metadata().own.empty_scope_members;
        (is_empty_sent || !scopes.is_empty()).then(|| scopes.to_string())
    }

    /// The record of a grant that no authorization request has made. It lives as long as its longest-lived token
    /// can.
    fn new_grant(
        &self,
        draft: &Draft<'_>,
        access_token: Duration,
        has_family: bool,
    ) -> Result<Option<Record>, Fault> {
        let Draft { call, env, what, .. } = *draft;
        let Holder::Person(granted) = &what.holder else { return Ok(None) };
        let records = env.records();
        let tags = records.tags(Some(granted.account()), None, None);
        let life = if has_family { self.authorization_code.grant.max(access_token) } else { access_token };
        let body = GrantBody { granted: (**granted).clone() };
        records.new(granted.grant.key(&env.realm), None, tags, call.now + life, &body).map(Some)
    }

    /// The entitlement, with those of the single claims that the client is still registered for.
    fn registered(&self, cleared: Cleared, client: &Client) -> Entitlement {
        let mut what = cleared.into_entitlement();
        if let Holder::Person(granted) = &mut what.holder {
            granted.claims = self.claims.registered(std::mem::take(&mut granted.claims), client);
        }
        what
    }
}

/// The one step that makes a response valid, or the reason why it failed.
async fn step(
    call: &Call,
    env: &Env,
    condition: &Condition,
    batch: &[Record],
) -> Result<Option<Lost>, Fault> {
    let lost = match condition {
        Condition::None if batch.is_empty() => None,
        Condition::None | Condition::Begin => {
            env.records().insert(call.now, batch).await?;
            None
        }
        Condition::Redeem(key) => match env.records().redeem(call.now, *key, batch).await? {
            Redeemed::First => None,
            Redeemed::Replayed { .. } => Some(Lost::Replayed),
            Redeemed::Gone => Some(Lost::Gone),
        },
        Condition::Rotate { family, seen, body, expires_at } => {
            let change = Change { body: body.clone(), expires_at: *expires_at, due_at: None };
            match env.store.update(call.now, *family, *seen, change, batch).await? {
                Updated::Done(_) => None,
                Updated::Stale => Some(Lost::Stale),
                Updated::Gone => Some(Lost::Gone),
            }
        }
    };
    Ok(lost)
}

/// Ends a grant and everything below it. Only the call that actually ended it records the event.
///
/// # Errors
/// A fault of the store.
pub(crate) async fn end_grant(
    call: &Call,
    env: &Env,
    (grant, client, account): (GrantId, &ClientId, Option<&AccountId>),
    why: GrantEnd,
) -> Result<(), Fault> {
    if env.records().revoke(call.now, grant.key(&env.realm)).await? == Revoked::Ended {
        env.record(call, &Event::GrantEnded { client: client.clone(), account: account.cloned(), why });
    }
    Ok(())
}
