//! OpenID Connect CIBA Core section 8: the notice that tells an operator's web hook what waits for a
//! person, as a JWT.
//! Config     `[ciba.notify]`
//! Discovery  none

use std::time::Duration;

use chancery_jose::{ClaimsWriter, base64url};

use super::TokenIssuer;
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::notifier::ApprovalRequest;

/// How long it is good: for one attempt, and clocks that differ.
const LIFETIME: Duration = Duration::from_secs(120);

impl TokenIssuer {
    /// The notice of one attempt, with a `jti` of its own, signed as ID tokens can be. Its type keeps it from being
    /// taken for one, and for a logout token (RFC 8725 section 3.11).
    ///
    /// # Errors
    /// A fault of the signer, or that no key signs at this moment.
    pub(crate) async fn approval_notice(
        &self,
        call: &Call,
        env: &Env,
        web_hook: &str,
        request: &ApprovalRequest<'_>,
    ) -> Result<String, Fault> {
        let alg = self.algorithms(call.now).into_iter().find(|alg| !alg.is_symmetric());
        let alg = alg.ok_or_else(|| Fault::unavailable("no key signs at this moment"))?;
        let mut claims = ClaimsWriter::new();
        claims
            .string("iss", env.issuer.as_str())
            .string("sub", request.account.as_str())
            .string("aud", web_hook)
            .date("iat", call.now)
            .date("exp", call.now + LIFETIME)
            .string("jti", &base64url::encode(*env.secret::<16>()))
            .string("client_id", request.client.as_str())
            .string("client_name", request.client_name)
            .string_if("binding_message", request.binding_message)
            .string("approval_uri", request.link)
            .date("expires_at", request.expires_at);
        self.keys.sign_jwt(env, call.now, alg, Some("approval-request+jwt"), claims.finish().as_bytes()).await
    }
}
