//! OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6: the logout token.
//! Config     none
//! Discovery  backchannel_logout_supported backchannel_logout_session_supported

use std::time::Duration;

use chancery_jose::{ClaimsWriter, SigningAlgorithm, base64url};
use chancery_types::AccountId;
use serde_json::value::RawValue;

use super::TokenIssuer;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault};
use crate::model::Client;

/// How long it is good: for one attempt, and clocks that differ.
const LIFETIME: Duration = Duration::from_secs(120);

/// The one event that it tells of (section 2.4).
const EVENTS: &str = r#"{"http://schemas.openid.net/event/backchannel-logout":{}}"#;

impl TokenIssuer {
    /// The logout token of one attempt, signed and encrypted like the client's ID tokens, with a `jti` of its own. It has no
    /// `nonce`, so that it cannot be taken for an ID token, and says so by its type as well.
    pub(crate) async fn logout_token(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        (account, sid): (&AccountId, &str),
    ) -> Result<String, Failure> {
        let events: Box<RawValue> =
            serde_json::from_str(EVENTS).map_err(|error| Fault::internal(error.to_string()))?;
        let mut claims = ClaimsWriter::new();
        claims
            .string("iss", env.issuer.as_str())
            .string("sub", self.subjects.of(client, account).as_str())
            .string("aud", client.id().as_str())
            .date("iat", call.now)
            .date("exp", call.now + LIFETIME)
            .string("jti", &base64url::encode(*env.secret::<16>()))
            .raw("events", &events)
            .string("sid", sid);
        // It is signed even where ID tokens are not: with what every client knows (section 2.6).
        let alg = client.metadata().openid.id_token_signed_response_alg.signed();
        let alg = alg.unwrap_or(SigningAlgorithm::Rs256);
        let signed = self.sign_typed(call, env, client, (alg, Some("logout+jwt")), &claims.finish()).await?;
        // Whoever gets encrypted ID tokens rejects a logout token that is not (section 2.6).
        let encryption = client.metadata().openid.id_token_encryption();
        self.encrypt_for(call, env, client, encryption, signed).await
    }
}
