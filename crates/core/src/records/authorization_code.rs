//! What the exchange of a code checks, and what it yields.

use chancery_types::iana::CodeChallengeMethod;
use chancery_types::{Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Granted, TokenBinding};
use crate::records::Body;

/// An authorization code. Its key is derived from its secret; its parent is the grant. The record outlives
/// the code's deadline, so that a late replay is noticed and ends the tokens of the code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizationCodeBody {
    /// Until when it can be exchanged.
    pub deadline: Timestamp,
    /// The redirect URI that it was sent to.
    pub redirect_uri: Box<str>,
    /// Whether the authorization request contained the redirect URI; then the exchange has to repeat it (RFC
    /// 6749 section 4.1.3).
    pub redirect_uri_was_sent: bool,
    /// `code_challenge` (RFC 7636 section 4.3).
    pub code_challenge: Option<Box<str>>,
    /// How it was made.
    #[serde(default = "s256", skip_serializing_if = "is_s256")]
    pub code_challenge_method: CodeChallengeMethod,
    /// Who may exchange it (RFC 9449 section 10).
    #[serde(default, skip_serializing_if = "TokenBinding::is_none")]
    pub binding: TokenBinding,
    /// `nonce`.
    pub nonce: Option<Box<str>>,
    /// What it is exchanged for.
    pub granted: Granted,
}

const fn s256() -> CodeChallengeMethod {
    CodeChallengeMethod::S256
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
const fn is_s256(method: &CodeChallengeMethod) -> bool {
    matches!(method, CodeChallengeMethod::S256)
}

impl Body for AuthorizationCodeBody {
    const KIND: Kind = Kind::AUTHORIZATION_CODE;
}
