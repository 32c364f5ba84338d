//! RFC 6749, The OAuth 2.0 Authorization Framework: section 2.3, client authentication.
//! Config     none
//! Discovery  token_endpoint_auth_methods_supported, introspection_endpoint_auth_methods_supported,
//!            revocation_endpoint_auth_methods_supported
//!
//! Every endpoint that a client calls by itself authenticates it here, by the one method that it is registered with.

use std::sync::Arc;

use chancery_jose::SecretDigest;
use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode};
use chancery_types::{ClientId, Params};
use zeroize::Zeroizing;

use crate::context::{Call, Env};
use crate::error::{Failure, Reason};
use crate::model::{Client, ClientCredential};

mod secret;

/// A client's proof of who it is: first [`Presented`], then [`Verified`].
///
/// ```compile_fail
/// # use chancery_core::client::{ClientAuthentication, Presented};
/// # fn tokens(_: &ClientAuthentication<chancery_core::client::Verified>) {}
/// # fn endpoint(presented: &ClientAuthentication<Presented>) {
/// tokens(presented);
/// # }
/// ```
pub struct ClientAuthentication<S>(S);

/// What was sent; nobody has looked at it yet.
pub struct Presented {
    client_id: Box<str>,
    proof: Proof,
}

/// The one mechanism that was used.
enum Proof {
    /// `client_id` alone.
    None,
    /// A secret, and the way in which it came.
    Secret(ClientAuthenticationMethod, Zeroizing<String>),
    /// A method that no client is registered with.
    Unregistered,
}

/// The client is who it says. Nothing but [`ClientAuthentication::verify`] makes one.
///
/// ```compile_fail
/// # fn forge(client: std::sync::Arc<chancery_core::model::Client>) -> chancery_core::client::Verified {
/// chancery_core::client::Verified { client }
/// # }
/// ```
pub struct Verified {
    client: Arc<Client>,
}

const SEVERAL_MECHANISMS: Reason = Reason {
    name: "several_authentication_mechanisms",
    code: ErrorCode::InvalidRequest,
    description: "client authentication must only be provided using one mechanism",
    section: "RFC 6749 section 2.3",
};
const NO_MECHANISM: Reason = Reason {
    name: "no_authentication_mechanism",
    code: ErrorCode::InvalidRequest,
    description: "no client authentication mechanism provided",
    section: "RFC 6749 section 2.3",
};
const CLIENT_ID_MISMATCH: Reason = Reason {
    name: "client_id_mismatch",
    code: ErrorCode::InvalidRequest,
    description: "client_id mismatch",
    section: "RFC 6749 section 2.3.1",
};

/// The reasons that a peer cannot tell apart.
macro_rules! authentication_failed {
    ($name:literal) => {
        Reason {
            name: $name,
            code: ErrorCode::InvalidClient,
            description: "client authentication failed",
            section: "RFC 6749 section 5.2",
        }
    };
}
const CLIENT_UNKNOWN: Reason = authentication_failed!("client_unknown");
const CLIENT_DISABLED: Reason = authentication_failed!("client_disabled");
const METHOD_UNREGISTERED: Reason = authentication_failed!("client_authentication_method_unregistered");
const SECRET_WRONG: Reason = authentication_failed!("client_secret_wrong");
const SECRET_EXPIRED: Reason = authentication_failed!("client_secret_expired");

impl ClientAuthentication<Presented> {
    /// Finds the one mechanism in a request.
    ///
    /// # Errors
    /// A refusal when there is none or more than one, when it is malformed, or when `client_id` contradicts the header.
    pub fn read(call: &Call, params: &Params<'_>) -> Result<Self, Failure> {
        let client_id = params.one("client_id")?;
        let client_secret = params.one("client_secret")?;
        let has_assertion = params.one("client_assertion")?.is_some() | params.one("client_assertion_type")?.is_some();

        let mechanisms = [call.authorization.is_some(), client_secret.is_some(), has_assertion];
        if mechanisms.into_iter().filter(|is_used| *is_used).count() > 1 {
            return Err((&SEVERAL_MECHANISMS).into());
        }
        if let Some(header) = &call.authorization {
            let (id, secret) = secret::read_basic(header)?;
            if client_id.is_some_and(|other| *other != *id) {
                return Err((&CLIENT_ID_MISMATCH).into());
            }
            let proof = Proof::Secret(ClientAuthenticationMethod::ClientSecretBasic, secret);
            return Ok(Self(Presented { client_id: id, proof }));
        }
        let proof = match client_secret {
            Some(secret) => {
                Proof::Secret(ClientAuthenticationMethod::ClientSecretPost, Zeroizing::new(secret.to_owned()))
            }
            None if has_assertion => Proof::Unregistered,
            None => Proof::None,
        };
        match client_id {
            Some(id) => Ok(Self(Presented { client_id: id.into(), proof })),
            // An assertion names its client itself (RFC 7521 section 4.2); here none is registered for one.
            None if has_assertion => Err((&METHOD_UNREGISTERED).into()),
            None => Err((&NO_MECHANISM).into()),
        }
    }

    /// The client that it says it is.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Looks the client up and checks its proof against the registered method and secrets.
    ///
    /// A client that is unknown or disabled, a wrong method and a wrong secret are one answer and take the time of one
    /// digest each.
    ///
    /// # Errors
    /// A refusal with `invalid_client` (RFC 6749 section 5.2), or a fault of the registry.
    pub async fn verify(self, call: &Call, env: &Env) -> Result<ClientAuthentication<Verified>, Failure> {
        let Presented { client_id, proof } = self.0;
        let client = match ClientId::parse(&client_id) {
            Ok(id) => env.registry.client(&env.realm, &id).await?,
            Err(_) => None,
        };
        let verdict = match (&proof, client.as_deref().map(|client| &client.credential)) {
            (Proof::None, Some(ClientCredential::Public)) => Ok(()),
            (Proof::Secret(used, secret), Some(ClientCredential::Secret { method, secrets })) if used == method => {
                let ends = secrets.iter().filter(|(digest, _)| digest.matches(secret)).map(|(_, ends)| *ends);
                match ends.max_by_key(|ends| ends.unwrap_or(chancery_types::Timestamp::MAX)) {
                    Some(Some(ends)) if ends <= call.now => Err(&SECRET_EXPIRED),
                    Some(_) => Ok(()),
                    None => Err(&SECRET_WRONG),
                }
            }
            (Proof::Secret(_, secret), known) => {
                // There is nothing to compare with; it takes the time of one digest all the same.
                let _ = std::hint::black_box(SecretDigest::new([0; 16], secret));
                Err(known.map_or(&CLIENT_UNKNOWN, |_| &METHOD_UNREGISTERED))
            }
            (Proof::None | Proof::Unregistered, known) => Err(known.map_or(&CLIENT_UNKNOWN, |_| &METHOD_UNREGISTERED)),
        };
        match (client, verdict) {
            (Some(client), Ok(())) if client.is_enabled => Ok(ClientAuthentication(Verified { client })),
            (Some(_), Ok(())) => Err((&CLIENT_DISABLED).into()),
            (_, Err(reason)) => Err(reason.into()),
            (None, Ok(())) => Err((&CLIENT_UNKNOWN).into()),
        }
    }
}

impl ClientAuthentication<Verified> {
    /// The client that was authenticated.
    #[must_use]
    pub fn client(&self) -> &Arc<Client> {
        &self.0.client
    }
}
