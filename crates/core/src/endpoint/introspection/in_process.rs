//! RFC 9068 section 4 and RFC 7662 section 2: an access token that a resource server in the same program asks about.
//! Config     none
//! Discovery  none

use chancery_types::ResourceUri;

use super::{IntrospectionEndpoint, Live, Standing};
use crate::context::{Call, Env};
use crate::error::Failure;
use crate::issue::access_token::LiveAccessToken;
use crate::model::AccessToken;
use crate::rule::bearer::{TOKEN_CLIENT_DISABLED, TOKEN_FOR_ANOTHER, TOKEN_UNKNOWN, TOKEN_WITHDRAWN};

impl IntrospectionEndpoint {
    /// The token, if it is good at this resource server.
    ///
    /// # Errors
    /// A refusal for a token that is not, or a fault.
    pub(crate) async fn access_token(
        &self,
        call: &Call,
        env: &Env,
        resource: &ResourceUri,
        text: &str,
    ) -> Result<AccessToken, Failure> {
        let found = LiveAccessToken::find(call, env, &self.issuer, text).await?;
        let token = found.ok_or(&TOKEN_UNKNOWN)?;
        // RFC 9068 section 4: the audience is checked first.
        if token.resource.as_ref() != Some(resource) {
            return TOKEN_FOR_ANOTHER.refused();
        }
        let live = Live::from(token);
        let Some(Standing { owner, server: Some(server), scopes }) = self.standing(env, &live).await? else {
            let client = env.registry.client(&env.realm, live.holder.client()).await?;
            let is_disabled = client.is_some_and(|client| !client.is_enabled());
            return if is_disabled { &TOKEN_CLIENT_DISABLED } else { &TOKEN_WITHDRAWN }.refused();
        };
        let authentication = live.holder.granted().filter(|_| server.authentication);
        let authentication = authentication.map(|granted| &granted.authentication);
        // RFC 9396 section 9: as it would find them in a JWT.
        let details = self.issuer.details.told(&live.details, &owner, Some(&server));
        let mut claims = live.extra;
        if !details.is_empty() {
            claims.set("authorization_details", &details);
        }
        Ok(AccessToken {
            subject: self.issuer.subjects.of_holder(&owner, &live.holder).as_str().into(),
            client: owner.id().clone(),
            scopes: scopes.filtered(|scope| server.knows(scope)),
            audience: vec![resource.as_str().to_owned()],
            issued_at: Some(live.issued_at),
            expires_at: Some(live.expires_at),
            authenticated_at: authentication.map(|how| how.time()),
            acr: authentication.and_then(|how| how.acr.clone()),
            amr: authentication
                .map(|how| how.factors.iter().map(|factor| factor.method.clone()).collect())
                .unwrap_or_default(),
            binding: live.binding,
            jti: live.jti.map(String::into_boxed_str),
            claims,
        })
    }
}
