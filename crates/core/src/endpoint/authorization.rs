//! RFC 6749 section 3.1 and OIDC Core section 3.1.2, the authorization endpoint.
//! Config     `[routes] authorize`
//! Discovery  authorization_endpoint response_types_supported response_modes_supported authorization_response_iss_parameter_supported

use std::sync::Arc;

use chancery_types::Params;

use crate::context::{Call, Env};
use crate::error::Failure;
use crate::event::Endpoint;
use crate::interaction::{Decided, Interactions, Pending, commit, front_end, pushed};
use crate::issue::authorization_response::NOTHING_SIGNS;
use crate::keys::no_signer;
use crate::request::{PageError, Received, Refused};

/// The authorization endpoint.
pub struct AuthorizationEndpoint {
    interactions: Arc<Interactions>,
}

impl AuthorizationEndpoint {
    /// Built from the components of the snapshot.
    #[must_use]
    pub fn new(interactions: Arc<Interactions>) -> Self {
        Self { interactions }
    }

    /// Answers an authorization request with a page, a code, or an error that goes to the redirect URI.
    ///
    /// # Errors
    /// A page for the person if no redirect URI has been verified yet, or if something broke.
    pub(crate) async fn authorize(
        &self,
        call: &Call,
        env: &Env,
        params: Params<'_>,
    ) -> Result<Decided, PageError> {
        let interactions = &self.interactions;
        // Client and redirect target. Without them errors go to a page.
        let addressed = Received::new(params)
            .resolve(call, env, &interactions.rules.resolver)
            .await?
            .address(env, &interactions.rules.offered)
            .await?;
        // The checks. From here on errors go to the client.
        let request = match addressed.validate(&interactions.rules) {
            Ok(request) => request,
            Err(Refused { addressed, why }) => return Ok(commit::tell(call, env, &addressed, &why)),
        };
        let asked = request.asked();
        env.record_ignored(call, &request.addressed().client, &asked.ignored, &asked.withheld);
        let mut pending = Pending::new(interactions, call, env, request);
        // Nobody is asked to sign in for what no key can sign at the moment. The client is told to retry.
        if let Some(alg) = pending.missing_signer() {
            let failure = Failure::Broken(no_signer(alg));
            env.record_failure(call, Endpoint::Authorization, Some(pending.claimed()), &failure);
            return Ok(commit::refuse(&pending, &(&NOTHING_SIGNS).into()).await?);
        }
        // Cookie → session, account, standing consent.
        pending.person().await?;
        // What scripts in the browser see when the sessions of its cookie have ended elsewhere.
        let browser_state = pending.seen_by_scripts();
        // The page that is needed, or the client's answer.
        let decided = match pending.needed() {
            Some(needed) => {
                pushed::wait_for_person(&pending).await?;
                front_end::ask(&pending, needed).await?
            }
            None => commit::answer(&pending).await?,
        };
        Ok(Decided { browser_state, ..decided })
    }
}
