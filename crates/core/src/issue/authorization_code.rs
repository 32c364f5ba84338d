//! RFC 6749 section 4.1.2: drafts the grant and its code as records of one batch.
//! Config     `[authorization_code]`
//! Discovery  none

use std::sync::Arc;
use std::time::Duration;

use chancery_store::{Record, Tags};
use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::iana::CodeChallengeMethod;
use chancery_types::{Key, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::Env;
use crate::error::{Complaint, Fault, SectionCheck};
use crate::issue::TokenIssuer;
use crate::issue::access_token::AccessTokenConfig;
use crate::issue::refresh_token::RefreshTokenConfig;
use crate::model::{
    Authentication, ClaimsRequest, Client, Entitlement, GrantId, Granted, ResourceScopes, ResourceServer,
    Target,
};
use crate::policy::TokenKind;
use crate::records::{AuthorizationCodeBody, GrantBody};
use crate::request::{Addressed, Asked};
use crate::session::sid;

/// `[authorization_code]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthorizationCodeConfig {
    /// How long a code can be exchanged. RFC 6749 section 4.1.2 recommends at most 10 minutes.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
    /// The shortest time for which a used code is remembered, so that presenting it again ends its tokens. It
    /// is remembered for as long as its access token lives if that is longer.
    #[serde(with = "crate::duration")]
    pub remembered: Duration,
    /// The longest life of a grant that can yield a refresh token; it ends with its longest-lived token. Any
    /// other grant ends with its code or its access token.
    #[serde(with = "crate::duration")]
    pub grant: Duration,
}

impl Default for AuthorizationCodeConfig {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(60),
            remembered: Duration::from_secs(3600),
            grant: Duration::from_secs(91 * 86_400),
        }
    }
}

impl AuthorizationCodeConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(
        &self,
        access_token: &AccessTokenConfig,
        refresh_token: &RefreshTokenConfig,
    ) -> Vec<Complaint> {
        SectionCheck::of("authorization_code")
            .lifetimes(&[("lifetime", self.lifetime), ("remembered", self.remembered), ("grant", self.grant)])
            .demand(
                self.lifetime <= Duration::from_secs(600),
                "lifetime",
                "must be at most 10m",
                "RFC 6749 section 4.1.2",
            )
            .demand(
                self.remembered >= access_token.opaque.max(access_token.jwt),
                "remembered",
                "must not be shorter than the life of an access token, which a late replay of the code has to end",
                "RFC 6749 section 4.1.2",
            )
            .demand(
                self.grant >= refresh_token.absolute && self.grant >= access_token.opaque,
                "grant",
                "must not be shorter than refresh_token.absolute and access_token.opaque, which live under it",
                "RFC 6749 section 1.5",
            )
            .complaints()
    }
}

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
    /// The code for the client, in the session's partition.
    pub(crate) code: Handle<AuthorizationCode>,
}

/// A code and the records that make it valid.
pub(crate) struct Drafted {
    /// The grant and the code, to be written in one step of the session's partition.
    pub(crate) records: [Record; 2],
    /// The grant.
    pub(crate) grant: GrantId,
    /// The code for the client.
    pub(crate) code: Handle<AuthorizationCode>,
}

impl TokenIssuer {
    /// Drafts the grant and its code in the session's partition. The grant ends with the session unless
    /// `offline_access` was granted (OIDC Core section 11).
    pub(crate) fn draft_code(
        &self,
        env: &Env,
        now: Timestamp,
        addressed: &Addressed<'_>,
        asked: &Asked,
        yes: Yes<'_>,
    ) -> Result<Drafted, Fault> {
        let client = &addressed.client;
        let (session, code) = (yes.session, yes.code);
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
            grant: GrantId::new(session.partition(), *env.secret::<16>()),
            granted_at: now,
            authentication: yes.authentication.clone(),
            sid: sid(&session, client.id()),
            resources: resource.iter().map(of_resource).collect(),
            scopes: yes.scopes,
            claims: yes.claims,
        };
        let deadline = now + self.authorization_code.lifetime;
        let code_key = code.key(&env.realm);
        // The same entitlement that the exchange will yield, so that the policy is asked the same question
        // both times.
        let target = Target::of_grant(&granted, resource);
        let what = Entitlement::of_code(granted.clone(), target, asked.nonce.clone(), code_key);
        let forgotten = deadline + self.remembered(&what, client);
        // A code that nobody exchanges must not be kept for months.
        let may_refresh = self.policy.refresh(&what, client);
        let grant_end = if may_refresh { now + self.authorization_code.grant } else { forgotten };
        let parent = self.policy.session_bound(&what, client).then_some(session);

        let records = env.records();
        // Tagged with the account only: each tag costs another write, and nothing is listed by the others.
        let tags = records.tags(Some(granted.account()), None, None);
        let grant_key = granted.grant.key(&env.realm);
        let body = GrantBody { granted };
        let challenge = asked.code_challenge.as_ref();
        let grant = records.new(grant_key, parent, tags, grant_end, &body)?;
        let body = AuthorizationCodeBody {
            deadline,
            redirect_uri: addressed.target.uri().as_str().into(),
            redirect_uri_was_sent: addressed.target.was_sent(),
            code_challenge: challenge.map(|challenge| challenge.as_str().into()),
            code_challenge_method: challenge.map_or(CodeChallengeMethod::S256, |challenge| challenge.method),
            nonce: what.nonce,
            granted: body.granted,
        };
        let code_record = records.new(code_key, Some(grant_key), Tags::default(), forgotten, &body)?;
        Ok(Drafted { records: [grant, code_record], grant: body.granted.grant, code })
    }

    /// How long a code is remembered after its deadline: at least as long as the access token of a
    /// last-minute exchange lives, so that presenting the code again can end that token (RFC 6749 section
    /// 4.1.2).
    fn remembered(&self, what: &Entitlement, client: &Client) -> Duration {
        let configured = self.access_token.lifetime(what);
        let access_token = self.policy.lifetime(TokenKind::AccessToken, what, client, configured);
        access_token.max(self.authorization_code.remembered)
    }
}
