//! RFC 6749 section 4.1.2: drafts the code.
//! Config     `[authorization_code]`
//! Discovery  none

use std::time::Duration;

use chancery_store::{Record, Tags};
use chancery_types::Timestamp;
use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::iana::CodeChallengeMethod;
use serde::{Deserialize, Serialize};

use crate::context::Env;
use crate::error::{Complaint, Fault, SectionCheck};
use crate::issue::TokenIssuer;
use crate::issue::access_token::AccessTokenConfig;
use crate::issue::refresh_token::RefreshTokenConfig;
use crate::model::{Entitlement, Holder};
use crate::records::AuthorizationCodeBody;
use crate::request::{Addressed, Asked};

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
            // A late replay of the code has to end the access token.
            .demand(
                self.remembered >= access_token.opaque,
                "remembered",
                "must not be shorter than access_token.opaque",
                "RFC 6749 section 4.1.2",
            )
            .demand(
                self.remembered >= access_token.jwt,
                "remembered",
                "must not be shorter than access_token.jwt",
                "RFC 6749 section 4.1.2",
            )
            // Both live under it.
            .demand(
                self.grant >= refresh_token.absolute,
                "grant",
                "must not be shorter than refresh_token.absolute",
                "RFC 6749 section 1.5",
            )
            .demand(
                self.grant >= access_token.opaque,
                "grant",
                "must not be shorter than access_token.opaque",
                "RFC 6749 section 1.5",
            )
            .complaints()
    }
}

impl TokenIssuer {
    /// Drafts the code below its grant, and says when the grant can end: with its longest-lived token. The code is
    /// good for access tokens that live no longer than that.
    pub(super) fn draft_code(
        &self,
        env: &Env,
        now: Timestamp,
        (addressed, asked): (&Addressed<'_>, &Asked),
        (what, access_token): (&Entitlement, Duration),
        code: &Handle<AuthorizationCode>,
    ) -> Result<(Record, Timestamp), Fault> {
        let Holder::Person(granted) = &what.holder else {
            return Err(Fault::internal("a code stands for a person"));
        };
        let client = &*addressed.client;
        let demanded = client.demands(&self.floor).code_lifetime;
        let lifetime = self.authorization_code.lifetime;
        let deadline = now + demanded.map_or(lifetime, |demand| lifetime.min(demand.what));
        // At least as long as the access token of a last-minute exchange lives, so that presenting the code again can
        // end that token (RFC 6749 section 4.1.2).
        let forgotten = deadline + access_token.max(self.authorization_code.remembered);
        // A code that nobody exchanges must not be kept for months.
        let may_refresh = self.policy.refresh(what, client);
        let grant_end = if may_refresh { now + self.authorization_code.grant } else { forgotten };
        let challenge = asked.code_challenge.as_ref();
        let body = AuthorizationCodeBody {
            deadline,
            redirect_uri: addressed.target.uri().as_str().into(),
            redirect_uri_was_sent: addressed.target.was_sent(),
            code_challenge: challenge.map(|challenge| challenge.as_str().into()),
            code_challenge_method: challenge.map_or(CodeChallengeMethod::S256, |challenge| challenge.method),
            binding: asked.code_binding,
            nonce: asked.nonce.clone(),
            granted: (**granted).clone(),
        };
        let parent = Some(granted.grant.key(&env.realm));
        let record = env.records().new(code.key(&env.realm), parent, Tags::default(), forgotten, &body)?;
        Ok((record, grant_end))
    }
}
