//! RFC 6749 section 4.2.2 and OpenID Connect Core 1.0 sections 3.2.2.5 and 3.3.2.5: the tokens of the
//! authorization response itself.
//! Config     `[compatibility] implicit, hybrid`
//! Discovery  none

use std::sync::Arc;

use chancery_store::Record;
use chancery_types::Timestamp;

use super::id_token::Beside;
use super::{Draft, TokenIssuer};
use crate::context::{Call, Env};
use crate::error::Failure;
use crate::model::{Client, Entitlement, Granted, Target, TokenBinding};
use crate::policy::clear;
use crate::request::Asked;

/// The tokens that a response carries through the browser. Often there are none.
#[derive(Default)]
pub(crate) struct FrontChannel {
    /// The records that make them valid.
    pub(crate) records: Vec<Record>,
    /// The parameters for the client, in the order of the standard.
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// When the last of them ends.
    pub(super) end: Option<Timestamp>,
}

impl TokenIssuer {
    /// Drafts the tokens that the response type has, below the grant. They pass the same gate as all others,
    /// and there is never a refresh token among them (RFC 6749 section 4.2.2).
    ///
    /// # Errors
    /// A refusal of the gate; a fault of the signer or of the accounts.
    pub(crate) async fn front_channel(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        (asked, granted): (&Asked, &Granted),
        (code, state): (Option<&str>, Option<&str>),
    ) -> Result<FrontChannel, Failure> {
        if !asked.response_type.is_front_channel() {
            return Ok(FrontChannel::default());
        }
        // In a box of its own: a code alone is not to hold all that tokens need.
        Box::pin(self.tokens_of_response(call, env, client, (asked, granted), (code, state))).await
    }

    async fn tokens_of_response(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        (asked, granted): (&Asked, &Granted),
        (code, state): (Option<&str>, Option<&str>),
    ) -> Result<FrontChannel, Failure> {
        let (response_type, mut front) = (asked.response_type, FrontChannel::default());
        // There are several only if there is no access token among the tokens.
        let servers = asked.resources.granted(granted);
        let resource = if let [one] = &*servers { Some(Arc::clone(one)) } else { None };
        let is_named = resource.is_some() && asked.resources.are_named;
        let target = Target { is_named, ..Target::of_grant(granted, resource) };
        let what = Entitlement::of_front_channel(granted.clone(), target, asked.nonce.clone());
        let what = self.registered(clear(env, client, what).await?, client);
        // A browser carries the response and can show possession of nothing.
        let binding = TokenBinding::None;
        let draft = Draft { call, env, client, what: &what, binding };

        let mut access_token = None;
        if response_type.has_token() {
            let access = self.access_token(&draft).await?;
            front.end = Some(call.now + access.lifetime);
            front.records.extend(access.record);
            front.parameters.extend([
                ("access_token", access.text.clone()),
                ("token_type", binding.token_type().to_owned()),
                ("expires_in", access.lifetime.as_secs().to_string()),
            ]);
            let scope = self.scope_member(&what.target.answered_scopes(), client);
            front.parameters.extend(scope.map(|scope| ("scope", scope)));
            access_token = Some(access.text);
        }
        if response_type.has_id_token() {
            let demands = client.demands(&self.floor);
            let state = state.filter(|_| demands.s_hash.is_some());
            let beside = Beside { access_token: access_token.as_deref(), code, state, pushed: None };
            let id_token = self.id_token(&draft, beside).await?;
            front.end = front.end.max(Some(call.now + self.id_token_lifetime(&draft)));
            front.parameters.extend(id_token.map(|token| ("id_token", token)));
        }
        Ok(front)
    }
}
