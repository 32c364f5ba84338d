//! What an application may decide about authorization requests.

use chancery_types::AccountId;

use crate::error::Refusal;
use crate::model::{ClaimsRequest, Client, ConsentAnswer};
use crate::ports::PortFuture;

/// What an application may decide about authorization requests. Each method has a default.
pub trait AuthorizationPolicy: Send + Sync {
    /// Checks the `claims` parameter after it has been read (OIDC Core section 5.5).
    ///
    /// # Errors
    /// A refusal that is sent to the client.
    fn claims_request(&self, _asked: &ClaimsRequest, _client: &Client) -> Result<(), Refusal> {
        Ok(())
    }

    /// What counts as agreed before the person is asked; `stored` is what they agreed to earlier. An
    /// application that keeps consents elsewhere or vouches for some scopes returns more, one that wants to
    /// ask again returns less.
    fn standing_consent<'a>(
        &'a self,
        _client: &'a Client,
        _account: &'a AccountId,
        stored: ConsentAnswer,
    ) -> PortFuture<'a, ConsentAnswer> {
        Box::pin(async move { Ok(stored) })
    }
}

/// The default of every method.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultAuthorizationPolicy;

impl AuthorizationPolicy for DefaultAuthorizationPolicy {}
