//! RFC 6749 sections 4.1.2 and 4.2.2, OAuth 2.0 Multiple Response Types sections 2 to 5: what a person's yes
//! becomes, and the response that the browser carries.
//! Config     none
//! Discovery  none

use std::sync::Arc;

use chancery_store::Record;
use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::{Key, Scopes};

use super::TokenIssuer;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault};
use crate::model::{
    Authentication, ClaimsRequest, Entitlement, GrantId, Granted, ResourceScopes, ResourceServer, Target,
};
use crate::records::GrantBody;
use crate::request::{Addressed, Asked, AuthorizationResponse, Unsealed};
use crate::session::sid;

/// A person's approval, about to become a grant.
pub(crate) struct Yes<'a> {
    /// The session in which it was given.
    pub(crate) session: Key,
    /// How the person authenticated.
    pub(crate) authentication: &'a Authentication,
    /// The scopes that were approved.
    pub(crate) scopes: Scopes,
    /// The single claims that were approved.
    pub(crate) claims: ClaimsRequest,
    /// The name of the grant, in the session's partition.
    pub(crate) grant: GrantId,
    /// The code for the client, in the same partition, if the response type has one.
    pub(crate) code: Handle<AuthorizationCode>,
}

/// A response and the records that make it valid.
pub(crate) struct Drafted {
    /// The grant, the code and the tokens, to be written in one step of the session's partition.
    pub(crate) records: Vec<Record>,
    /// What the client is told.
    pub(crate) parameters: Vec<(&'static str, String)>,
}

impl TokenIssuer {
    /// Drafts the grant and whatever of it the response carries. The grant lives as long as its longest-lived
    /// token can, and ends with the session unless `offline_access` was granted (OIDC Core section 11).
    ///
    /// # Errors
    /// A refusal of the gate, if the response has tokens; a fault of the signer or of the accounts.
    pub(crate) async fn draft_response(
        &self,
        (call, env): (&Call, &Env),
        addressed: &Addressed<'_>,
        asked: &Asked,
        yes: Yes<'_>,
    ) -> Result<Drafted, Failure> {
        let client = &*addressed.client;
        let session = yes.session;
        // If none of the granted scopes means anything to the resource server, the token is for no server in
        // particular.
        let resource = asked.resource.clone().filter(|server| server.knows_any(&yes.scopes));
        let of_resource = |server: &Arc<ResourceServer>| ResourceScopes {
            resource: server.uri.clone(),
            scopes: yes.scopes.filtered(|scope| server.knows(scope)),
        };
        let granted = Granted {
            client: client.id().clone(),
            registration: client.registration(),
            grant: yes.grant,
            granted_at: call.now,
            authentication: yes.authentication.clone(),
            sid: sid(&session, client.id()),
            resources: resource.iter().map(of_resource).collect(),
            scopes: yes.scopes,
            claims: yes.claims,
        };
        let code = asked.response_type.has_code().then_some(&yes.code);
        let revealed = code.map(Handle::reveal);
        let beside = (revealed.as_deref(), addressed.state.as_deref());
        let front = self.front_channel(call, env, client, (asked, &granted), beside).await?;

        // The same entitlement that the client will have, so that the policy is asked the same question each
        // time.
        let (target, nonce) = (Target::of_grant(&granted, resource), asked.nonce.clone());
        let what = match code {
            Some(code) => Entitlement::of_code(granted.clone(), target, nonce, code.key(&env.realm)),
            None => Entitlement::of_front_channel(granted.clone(), target, nonce),
        };
        let code = code.map(|code| self.draft_code(env, call.now, (addressed, asked), &what, code));
        let (code, code_end) = code.transpose()?.unzip();
        let parent = self.policy.session_bound(&what, client).then_some(session);
        let records = env.records();
        // Tagged with the account only: each tag costs another write, and nothing is listed by the others.
        let tags = records.tags(Some(granted.account()), None, None);
        let end = code_end.max(front.end).unwrap_or(call.now);
        let grant = records.new(granted.grant.key(&env.realm), parent, tags, end, &GrantBody { granted })?;

        let code_parameter = revealed.map(|code| ("code", code));
        Ok(Drafted {
            records: [grant].into_iter().chain(code).chain(front.records).collect(),
            parameters: code_parameter.into_iter().chain(front.parameters).collect(),
        })
    }

    /// Finishes the response. The present modes carry the parameters as they are; a mode that signs them
    /// belongs here.
    ///
    /// # Errors
    /// A fault of the signer.
    #[expect(
        clippy::unused_async,
        reason = "a signer answers later, and every caller has to be able to wait for it"
    )]
    pub(crate) async fn authorization_response(
        &self,
        _call: &Call,
        _env: &Env,
        unsealed: Unsealed,
    ) -> Result<AuthorizationResponse, Fault> {
        Ok(AuthorizationResponse(unsealed))
    }
}
