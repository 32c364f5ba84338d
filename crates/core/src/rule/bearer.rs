//! RFC 6750, OAuth 2.0 Bearer Token Usage: sections 2 and 3; RFC 9449 section 7, use of a token that is bound to a key;
//! RFC 9470 section 3, use of a token that asks for another authentication.
//! Config     none
//! Discovery  none
//!
//! What every protected resource does with a presented access token: UserInfo here, and whatever the crate
//! `chancery-resource` protects.

use chancery_types::iana::ErrorCode;

use crate::context::credentials;
use crate::error::{Reason, Refusal};
use crate::model::{Possession, TokenBinding};

reasons! {
    /// The request contains no access token. A protected resource answers with its challenge alone then, without an error (RFC 6750
    /// section 3.1).
    pub TOKEN_MISSING = Reason {
        name: "access_token_missing",
        code: ErrorCode::InvalidToken,
        description: "no access token provided",
        section: "RFC 6750 section 3",
    };
    /// The Authorization header has a scheme that is not taken here, so that the answer says which are, and names no error, either.
    pub SCHEME_UNSUPPORTED = Reason {
        name: "authorization_scheme_unsupported",
        code: ErrorCode::InvalidToken,
        description: "no access token provided",
        section: "RFC 6750 section 3.1",
    };
    /// The access token is in the query, which ends up in logs and browser histories (RFC 9700 section
    /// 4.3.2).
    pub TOKEN_IN_QUERY = Reason {
        name: "access_token_in_query",
        code: ErrorCode::InvalidRequest,
        description: "access tokens must not be sent in the query",
        section: "RFC 9700 section 4.3.2",
    };
    /// The access token was sent in more than one place.
    pub SEVERAL_TOKENS = Reason {
        name: "access_token_in_several_places",
        code: ErrorCode::InvalidRequest,
        description: "access token must only be provided using one mechanism",
        section: "RFC 6750 section 2",
    };
    /// The access token is sent with the scheme `DPoP`, and there is no DPoP header.
    pub TOKEN_WITHOUT_PROOF = Reason {
        name: "access_token_without_proof",
        code: ErrorCode::InvalidDpopProof,
        description: "the access token must come with a DPoP proof",
        section: "RFC 9449 section 7.1",
    };
    /// There is a DPoP header, and the access token is not sent with the scheme `DPoP`.
    pub PROOF_WITHOUT_TOKEN = Reason {
        name: "proof_without_dpop_scheme",
        code: ErrorCode::InvalidRequest,
        description: "a DPoP proof must come with an access token of the scheme DPoP",
        section: "RFC 9449 section 7.1",
    };
    /// The Authorization header does not consist of `Bearer` and one token.
    pub MALFORMED_HEADER = Reason {
        name: "bearer_header_malformed",
        code: ErrorCode::InvalidRequest,
        description: "Authorization header must be Bearer and a token",
        section: "RFC 6750 section 2.1",
    };
    /// The access token does not exist or has expired, or its grant was revoked.
    pub TOKEN_UNKNOWN = invalid_token("access_token_unknown");
    /// The access token is for another resource server.
    pub TOKEN_FOR_ANOTHER = invalid_token("access_token_for_another_audience");
    /// The access token is bound to a key or a certificate (RFC 9449 section 7, RFC 8705 section 3) whose possession
    /// the caller has not shown.
    pub TOKEN_BOUND = invalid_token("access_token_bound_to_another_key");
    /// The access token's client, account or grant is no longer valid, or the token or its client falls short of the
    /// security profile that the client is held to since.
    pub TOKEN_WITHDRAWN = invalid_token("access_token_withdrawn");
    /// An operator has disabled the client of the access token, which ended it.
    pub TOKEN_CLIENT_DISABLED = invalid_token("access_token_client_disabled");
}

/// The reasons that a client must not be able to distinguish.
const fn invalid_token(name: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidToken,
        description: "invalid token provided",
        section: "RFC 6750 section 3.1",
    }
}

/// What the name of a scheme is made of (RFC 9110 section 5.6.2).
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether the request lacks any authentication information, so that nothing is said of an error (RFC 6750 section 3.1).
#[must_use]
pub fn is_unauthenticated(reason: &Reason) -> bool {
    *reason == TOKEN_MISSING || *reason == SCHEME_UNSUPPORTED
}

/// The authentication scheme with which an access token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Whoever has the token may use it (RFC 6750 section 2.1), or whoever has its certificate (RFC 8705 section 3).
    Bearer,
    /// Whoever has the key of the token's proof (RFC 9449 section 7.1).
    Dpop,
}

impl Scheme {
    /// Its name, which is that of the type of its tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => TokenBinding::None.token_type(),
            Self::Dpop => "DPoP",
        }
    }

    /// The token of an Authorization header, and its scheme. `Dpop` is one only where it is taken.
    ///
    /// # Errors
    /// [`MALFORMED_HEADER`], [`SCHEME_UNSUPPORTED`].
    pub fn of(header: &str, is_dpop_taken: bool) -> Result<(Self, &str), Refusal> {
        let schemes = [Some(Self::Bearer), is_dpop_taken.then_some(Self::Dpop)];
        let mut schemes = schemes.into_iter().flatten();
        let sent = |scheme: Self| credentials(header, scheme.as_str()).map(|token| (scheme, token));
        if let Some(sent) = schemes.clone().find_map(sent) {
            return Ok(sent);
        }
        // What is no scheme and its credentials is a mistake in sending a token.
        let (other, _) = header.split_once(' ').ok_or(&MALFORMED_HEADER)?;
        let is_taken = schemes.any(|scheme| other.eq_ignore_ascii_case(scheme.as_str()));
        let is_scheme = !other.is_empty() && other.bytes().all(is_tchar);
        Err(if is_scheme && !is_taken { &SCHEME_UNSUPPORTED } else { &MALFORMED_HEADER }.into())
    }

    /// Whether the token needs a proof: with this scheme it has to come with one, and with no other (RFC 9449 section
    /// 7.1).
    ///
    /// # Errors
    /// [`TOKEN_WITHOUT_PROOF`], [`PROOF_WITHOUT_TOKEN`].
    pub fn needs_proof(self, has_proof: bool) -> Result<bool, Refusal> {
        match (self, has_proof) {
            (Self::Dpop, true) => Ok(true),
            (Self::Dpop, false) => TOKEN_WITHOUT_PROOF.refused(),
            (Self::Bearer, true) => PROOF_WITHOUT_TOKEN.refused(),
            (Self::Bearer, false) => Ok(false),
        }
    }

    /// Whether a token that is bound to this may be used with this scheme, by whoever has shown this: one that is bound
    /// to a key is none for the scheme `Bearer`, nor is any other one for `DPoP` (RFC 9449 section 7.2).
    ///
    /// # Errors
    /// [`TOKEN_BOUND`].
    pub fn admits(self, binding: TokenBinding, shown: &Possession) -> Result<(), Refusal> {
        let is_of_scheme = binding.token_type() == self.as_str();
        if is_of_scheme && binding.admits(shown) { Ok(()) } else { TOKEN_BOUND.refused() }
    }
}
