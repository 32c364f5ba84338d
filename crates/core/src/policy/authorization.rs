//! What an application may decide about authorization requests.

use chancery_types::AccountId;

use crate::error::Refusal;
use crate::model::{ClaimsRequest, Client, ConsentAnswer};
use crate::ports::PortFuture;

/// What an application may decide about authorization requests. Each method has the default of the architecture.
pub trait AuthorizationPolicy: Send + Sync {
    /// A last look at the `claims` parameter, once it has been read (OIDC Core section 5.5).
    ///
    /// # Errors
    /// A refusal that the client is told.
    fn claims_request(&self, _asked: &ClaimsRequest, _client: &Client) -> Result<(), Refusal> {
        Ok(())
    }

    /// What counts as agreed before the person is asked: `stored` is what they agreed to earlier. An application that
    /// keeps consents elsewhere, or vouches for some scopes, answers more; one that wants to ask again, less.
    fn standing_consent<'a>(
        &'a self,
        _client: &'a Client,
        _account: &'a AccountId,
        stored: ConsentAnswer,
    ) -> PortFuture<'a, ConsentAnswer> {
        Box::pin(async move { Ok(stored) })
    }
}

/// All defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultAuthorizationPolicy;

impl AuthorizationPolicy for DefaultAuthorizationPolicy {}
