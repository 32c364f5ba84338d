//! RFC 6749 section 3.1 and OIDC Core section 3.1.2, the authorization endpoint.
//! Config     `[routes] authorize`
//! Discovery  authorization_endpoint response_types_supported response_modes_supported authorization_response_iss_parameter_supported

use std::sync::Arc;

use chancery_types::Params;

use crate::context::{Call, Env};
use crate::error::PageError;
use crate::interaction::{Interactions, Next};
use crate::request::{Received, Refused};

/// The authorization endpoint.
pub struct AuthorizationEndpoint {
    interactions: Arc<Interactions>,
}

impl AuthorizationEndpoint {
    /// With the components of the snapshot.
    #[must_use]
    pub fn new(interactions: Arc<Interactions>) -> Self {
        Self { interactions }
    }

    /// Answers an authorization request: with a page, with a code, or with an error that goes through the redirect URI.
    ///
    /// # Errors
    /// A page for the person while no redirect URI has been verified, and when something broke.
    pub async fn authorize(&self, call: &Call, env: &Env, params: Params<'_>) -> Result<Next, PageError> {
        let interactions = &self.interactions;
        // Client and redirect target, else a page; then the list of checks, from which on the client is told.
        let request = match interactions.read(env, Received(params)).await? {
            Ok(request) => request,
            Err(Refused { addressed, why }) => return Ok(interactions.refuse(call, env, &addressed, &why)),
        };
        env.record_ignored(call, &request.addressed().client, &request.asked().ignored);
        // Nobody is asked to sign in for an ID token that nothing could sign.
        if let Some(next) = interactions.without_signer(call, env, &request) {
            return Ok(next);
        }
        // Cookie → session, account, standing consent.
        let open = interactions.open(call, env, request, call.now, Vec::new()).await?;
        // The page that is needed, or the client's answer.
        Ok(interactions.show(open).await?)
    }
}
