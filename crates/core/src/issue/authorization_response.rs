//! OAuth 2.0 Multiple Response Types section 2.1: turns a decision into the response that the browser
//! carries. Every authorization response passes through here.
//! Config     none
//! Discovery  none

use super::TokenIssuer;
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::request::{AuthorizationResponse, Unsealed};

impl TokenIssuer {
    /// Finishes the response. The present modes carry the parameters as they are; a mode that signs them, and
    /// the tokens of front-channel flows, belong here.
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
