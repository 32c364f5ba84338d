//! RFC 6749, The OAuth 2.0 Authorization Framework: section 2.3, the one mechanism in a request; RFC 7521:
//! section 4.2, the parameters of an assertion.
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
use super::assertion::{Assertion, SUBJECT_WRONG};
use super::secret::read_basic;
use crate::context::Call;
use crate::error::{Failure, Reason};

/// `client_assertion_type` of a JWT (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client that the request claims to come from, and its proof.
pub(super) struct Presented<'p> {
    pub(super) client_id: Box<str>,
    pub(super) proof: Proof<'p>,
}

/// The one mechanism that was used.
pub(super) enum Proof<'p> {
    /// `client_id` alone.
    None,
    /// A secret, and how it was sent.
    Secret { sent_by: ClientAuthenticationMethod, secret: Zeroizing<String> },
    /// A JWT that the client has signed.
    Assertion(Box<Assertion<'p>>),
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
    /// An assertion is not the only method by which the request authenticates the client.
    ASSERTION_NOT_ALONE = Reason {
        name: "assertion_not_alone",
        code: ErrorCode::InvalidClient,
        description: "client authentication must only be provided using one mechanism",
        section: "RFC 7521 section 4.2.1",
    };
    /// The request has `client_assertion` or `client_assertion_type`, but not both.
    ASSERTION_PARAMETERS = Reason {
        name: "assertion_parameters_incomplete",
        code: ErrorCode::InvalidRequest,
        description: "client_assertion and client_assertion_type must be sent together",
        section: "RFC 7521 section 4.2",
    };
    /// The `client_id` in the body differs from the client in the Authorization header or in the assertion.
    CLIENT_ID_MISMATCH = Reason {
        name: "client_id_mismatch",
        code: ErrorCode::InvalidRequest,
        description: "client_id mismatch",
        section: "RFC 6749 section 2.3.1",
    };
}

impl<'p> Presented<'p> {
    /// Finds the one mechanism in a request.
    pub(super) fn read(call: &Call, params: &'p Params<'_>) -> Result<Self, Failure> {
        let client_id = params.one("client_id")?;
        let client_secret = params.one("client_secret")?;
        let assertion = (params.one("client_assertion")?, params.one("client_assertion_type")?);

        let (has_header, has_secret) = (call.authorization.is_some(), client_secret.is_some());
        if assertion != (None, None) {
            if has_header || has_secret {
                return ASSERTION_NOT_ALONE.refused();
            }
            return Self::by_assertion(client_id, assertion);
        }
        if has_header && has_secret {
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
            None => Proof::None,
        };
        match client_id {
            Some(id) => Ok(Self { client_id: id.into(), proof }),
            None => NO_MECHANISM.refused(),
        }
    }

    /// An assertion names its client itself; a `client_id` beside it has to be the same one (RFC 7521 section
    /// 4.2).
    fn by_assertion(
        client_id: Option<&str>,
        assertion: (Option<&'p str>, Option<&str>),
    ) -> Result<Self, Failure> {
        let (Some(text), Some(assertion_type)) = assertion else { return ASSERTION_PARAMETERS.refused() };
        if assertion_type != JWT_BEARER {
            let unregistered = |id: &str| Self { client_id: id.into(), proof: Proof::Unregistered };
            return client_id.map_or_else(|| METHOD_UNREGISTERED.refused(), |id| Ok(unregistered(id)));
        }
        let assertion = Assertion::read(text)?;
        let subject = assertion.subject();
        if let (Some(id), Some(subject)) = (client_id, subject)
            && id != subject
        {
            return CLIENT_ID_MISMATCH.refused();
        }
        match client_id.or(subject) {
            Some(id) => Ok(Self { client_id: id.into(), proof: Proof::Assertion(Box::new(assertion)) }),
            None => SUBJECT_WRONG.refused(),
        }
    }
}

impl Proof<'_> {
    /// What may be a guess at the client's secret: one that was sent, or what was signed with it. A signature
    /// key cannot be guessed.
    pub(super) fn guess(&self) -> Option<&str> {
        match self {
            Self::Secret { secret, .. } => Some(secret),
            Self::Assertion(assertion) => assertion.signed_with_secret(),
            Self::None | Self::Unregistered => None,
        }
    }

    /// By which method it proves the client, if a client can be registered for that.
    pub(super) fn method(&self) -> Option<ClientAuthenticationMethod> {
        use ClientAuthenticationMethod as Method;
        Some(match self {
            Self::None => Method::None,
            Self::Secret { sent_by, .. } => *sent_by,
            Self::Assertion(assertion) if assertion.signed_with_secret().is_some() => Method::ClientSecretJwt,
            Self::Assertion(_) => Method::PrivateKeyJwt,
            Self::Unregistered => return None,
        })
    }

    /// Takes as long as a comparison when there is nothing to compare with.
    pub(super) fn take_the_time(&self) {
        if let Self::Secret { secret, .. } = self {
            static NOTHING: LazyLock<SecretDigest> = LazyLock::new(SecretDigest::of_nothing);
            let _ = std::hint::black_box(NOTHING.matches(secret));
        }
    }
}
