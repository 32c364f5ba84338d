//! RFC 6749, The OAuth 2.0 Authorization Framework: section 2.3, the one mechanism in a request.
//! Config     none
//! Discovery  none
//!
//! What a request claims about its client, before any of it has been verified.

use std::sync::LazyLock;

use chancery_jose::SecretDigest;
use chancery_types::Params;
use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode};
use zeroize::Zeroizing;

use super::METHOD_UNREGISTERED;
use super::secret::read_basic;
use crate::context::Call;
use crate::error::{Failure, Reason};

/// The client that the request claims to come from, and its proof.
pub(super) struct Presented {
    pub(super) client_id: Box<str>,
    pub(super) proof: Proof,
}

/// The one mechanism that was used.
pub(super) enum Proof {
    /// `client_id` alone.
    None,
    /// A secret, and how it was sent.
    Secret { sent_by: ClientAuthenticationMethod, secret: Zeroizing<String> },
    /// A method that no client can be registered for.
    Unregistered,
}

reasons! {
    /// The request uses more than one method to authenticate the client.
    SEVERAL_MECHANISMS = Reason {
        name: "several_authentication_mechanisms",
        code: ErrorCode::InvalidRequest,
        description: "client authentication must only be provided using one mechanism",
        section: "RFC 6749 section 2.3",
    };
    /// The request neither authenticates a client nor contains a `client_id`.
    NO_MECHANISM = Reason {
        name: "no_authentication_mechanism",
        code: ErrorCode::InvalidRequest,
        description: "no client authentication mechanism provided",
        section: "RFC 6749 section 2.3",
    };
    /// The `client_id` in the body differs from the client in the Authorization header.
    CLIENT_ID_MISMATCH = Reason {
        name: "client_id_mismatch",
        code: ErrorCode::InvalidRequest,
        description: "client_id mismatch",
        section: "RFC 6749 section 2.3.1",
    };
}

impl Presented {
    /// Finds the one mechanism in a request.
    pub(super) fn read(call: &Call, params: &Params<'_>) -> Result<Self, Failure> {
        let client_id = params.one("client_id")?;
        let client_secret = params.one("client_secret")?;
        let has_assertion =
            params.one("client_assertion")?.is_some() | params.one("client_assertion_type")?.is_some();

        let mechanisms = [call.authorization.is_some(), client_secret.is_some(), has_assertion];
        if mechanisms.into_iter().filter(|is_used| *is_used).count() > 1 {
            return SEVERAL_MECHANISMS.refused();
        }
        if let Some(header) = &call.authorization {
            let (id, secret) = read_basic(header)?;
            if client_id.is_some_and(|other| *other != *id) {
                return CLIENT_ID_MISMATCH.refused();
            }
            let proof = Proof::Secret { sent_by: ClientAuthenticationMethod::ClientSecretBasic, secret };
            return Ok(Self { client_id: id, proof });
        }
        let proof = match client_secret {
            Some(secret) => Proof::Secret {
                sent_by: ClientAuthenticationMethod::ClientSecretPost,
                secret: Zeroizing::new(secret.to_owned()),
            },
            None if has_assertion => Proof::Unregistered,
            None => Proof::None,
        };
        match client_id {
            Some(id) => Ok(Self { client_id: id.into(), proof }),
            // An assertion names its client itself (RFC 7521 section 4.2), and no client can be registered
            // for one here.
            None if has_assertion => METHOD_UNREGISTERED.refused(),
            None => NO_MECHANISM.refused(),
        }
    }
}

impl Proof {
    /// Takes as long as a comparison when there is nothing to compare with.
    pub(super) fn take_the_time(&self) {
        if let Self::Secret { secret, .. } = self {
            static NOTHING: LazyLock<SecretDigest> = LazyLock::new(SecretDigest::of_nothing);
            let _ = std::hint::black_box(NOTHING.matches(secret));
        }
    }
}
